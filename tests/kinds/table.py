"""The table of docs/kinds.md: ``python -m tests.kinds.table`` computes it and writes it between the page's markers."""

from __future__ import annotations

import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import dicomlab as dl
from dicomlab.findings import CODES
from dicomlab.phantom import FAULTS, KINDS, write_kind
from tests.kinds.judge import Verdict, judge
from tests.kinds.peers import PEERS, ROOT, ask, version

PAGE = ROOT / "docs" / "kinds.md"


def _marks(name: str) -> tuple[str, str]:
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def section(page: str, name: str) -> str:
    """What stands between two markers of the page."""
    begin, end = _marks(name)
    return page.split(begin)[1].split(end)[0]


def _replace(page: str, name: str, text: str) -> str:
    begin, end = _marks(name)
    before, rest = page.split(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"


def verdicts(peers: list[str], kinds: list[str]) -> dict[tuple[str, str], Verdict]:
    """Judge every peer on every kind: (kind, peer) -> verdict."""
    with tempfile.TemporaryDirectory() as work:
        samples = {kind: write_kind(kind, Path(work) / kind) for kind in kinds}
        return {
            (kind, peer): judge(samples[kind], answer)
            for peer in peers
            for kind, answer in zip(kinds, ask(peer, [s.folder for s in samples.values()]), strict=True)
        }


def cell(verdict: Verdict) -> str:
    """How a verdict is shown: reasons of refusals are not part of the table."""
    if verdict.state == "wrong":
        return f"**wrong**: {verdict.detail}"
    return f"partly: {verdict.detail}" if verdict.state == "partly" else verdict.state


def table(found: dict[tuple[str, str], Verdict]) -> str:
    """Markdown of the verdicts."""
    kinds = list(dict.fromkeys(kind for kind, _ in found))
    peers = list(dict.fromkeys(peer for _, peer in found))
    lines = ["| | kind | " + " | ".join(peers) + " |", "|--:|---|" + "---|" * len(peers)]
    for number, kind in enumerate(kinds, start=1):
        cells = " | ".join(cell(found[kind, peer]) for peer in peers)
        lines.append(f"| {number} | {KINDS[kind].title} | {cells} |")
    right = (sum(found[kind, peer].state == "right" for kind in kinds) for peer in peers)
    wrong = (sum(found[kind, peer].state == "wrong" for kind in kinds) for peer in peers)
    lines.append("| | **right** | " + " | ".join(f"**{n}**" for n in right) + " |")
    lines.append("| | **silently wrong** | " + " | ".join(f"**{n}**" for n in wrong) + " |")
    return "\n".join(lines)


def _outcome(folder: Path, on_fault: Any = None) -> str:
    """In a few words what loading does: which findings stop it, or are told."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        try:
            volume = dl.load_volume(folder, on_fault=on_fault)
        except dl.DicomLabError as problem:
            named = [f"`{code}`" for code in CODES if f"{code}:" in str(problem)]
            return "stops: " + (", ".join(named) or type(problem).__name__)
    said = [line.split(":")[0] for line in volume.attrs.get("findings", "").splitlines()]
    return "loads, says " + ", ".join(f"`{code}`" for code in dict.fromkeys(said)) if said else "loads"


def faults_table() -> str:
    """Markdown of what dicomlab does on each fault, by default and when the user chooses the first way on offer."""
    lines = ["| series | by default | choice | then |", "|---|---|---|---|"]
    with tempfile.TemporaryDirectory() as work:
        for name, kind in FAULTS.items():
            sample = write_kind(name, Path(work) / name)
            cells = [kind.title, _outcome(sample.folder), "", ""]
            if sample.choice is not None:
                code = sample.findings[0]
                way = next(way for way in CODES[code].choices if way != "raise")
                cells[2:] = f'`{{"{code}": "{way}"}}`', _outcome(sample.folder, {code: way})
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def versions() -> str:
    """The versions the table was made with."""
    return ", ".join(f"{peer} {version(peer)}" for peer in PEERS if peer != "dicomlab")


def main() -> None:
    """Write the page's table."""
    missing = [peer for peer in PEERS if version(peer) is None]
    if missing:
        sys.exit(
            f"not installed: {', '.join(missing)}; `make peers` brings what the tests' environment has not"
        )
    found = verdicts(list(PEERS), list(KINDS))
    for (kind, peer), verdict in found.items():
        if verdict.state != "right":
            print(f"{kind:20} {peer:12} {str(verdict)[:300]}")
    page = PAGE.read_text(encoding="utf-8")
    page = _replace(page, "table", f"{table(found)}\n\nMade with {versions()}.")
    PAGE.write_text(_replace(page, "faults", faults_table()), encoding="utf-8")


if __name__ == "__main__":
    main()
