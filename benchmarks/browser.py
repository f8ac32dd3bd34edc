"""How the viewer feels, in numbers, beside others: `python -m benchmarks.browser [--write] [--only …]`.

A volume of 512 x 512 x 300 int16 in JupyterLab and headless Chromium on this machine, in one run with other viewers and with a
canvas that does nothing else. Figures differ between machines: read them against one another. `make bench-browser` runs it.
"""

from __future__ import annotations

import argparse
import importlib.util
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final

from benchmarks.figures import Rows, figures, long_volume, slow
from benchmarks.peers import DICOMLAB, FLOOR, PEERS
from benchmarks.screen import ROOT, Desk, a_desk, feel

PAGE: Final = ROOT / "docs" / "performance.md"


def peers(desk: Desk) -> list[tuple[str, dict[str, float]]]:
    """All viewers that are installed, the floor first."""
    there = [peer for peer in PEERS if all(importlib.util.find_spec(name) for name in peer.needs)]
    return [(peer.name, feel(desk, peer)) for peer in (FLOOR, DICOMLAB, *there)]


def table(found: Sequence[tuple[str, dict[str, float]]]) -> list[str]:
    """The viewers side by side, as Markdown."""
    floor = found[0][1]
    lines = [
        "| | first slice | a step | over the floor | 95 of 100 | shown of 30/s | slices/s of 60 | longest freeze at 30/s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in found:
        first = "" if one["first"] != one["first"] else f"{one['first'] / 1000:.2f} s"
        lines.append(
            f"| {name} | {first} | {one['median']:.0f} ms | {one['median'] - floor['median']:+.0f} ms | {one['p95']:.0f} ms "
            f"| {100 * one['share 30']:.0f} % | {one['shown 60']:.0f} | {one['freeze 30']:.0f} ms |"
        )
    return lines


def main() -> None:
    """Measure, print, and write the tables of docs/performance.md if told so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables of docs/performance.md")
    parser.add_argument("--only", choices=("peers", "figures", "long", "slow"))
    told = parser.parse_args()
    lines: list[str] = []
    if told.only in (None, "peers"):
        with a_desk() as desk:
            names = ["jupyterlab", *sorted({one for peer in PEERS for one in peer.needs if one != "nibabel"})]
            there = [f"{name} {version(name)}" for name in names if importlib.util.find_spec(name)]
            lines += [f"{', '.join(there)}; Chromium {desk.chromium.version}.", "", *table(peers(desk)), ""]
    rows: Rows = []
    for name, measure in (("figures", figures), ("long", long_volume), ("slow", slow)):
        if told.only in (None, name):
            with a_desk() as desk:
                rows += measure(desk)
    if rows:
        lines += [
            "| | measured | to be reached |",
            "|---|--:|--:|",
            *(f"| {' | '.join(row)} |" for row in rows),
        ]
    text = "\n".join(lines)
    print(text)
    if told.write and told.only is None:
        begin, end = "<!-- browser: begin -->\n", "<!-- browser: end -->"
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(begin)
        PAGE.write_text(head + begin + text + "\n" + end + rest.split(end)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
