"""The table of docs/kinds.md: ``python -m tests.kinds.table`` computes it and writes it between the page's markers."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from dicomlab.phantom import KINDS, write_kind
from tests.kinds.judge import Verdict, judge
from tests.kinds.peers import PEERS, ROOT, ask, version

PAGE = ROOT / "docs" / "kinds.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"


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
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    made = f"{BEGIN}\n{table(found)}\n\nMade with {versions()}.\n{END}"
    PAGE.write_text(before + made + after, encoding="utf-8")


if __name__ == "__main__":
    main()
