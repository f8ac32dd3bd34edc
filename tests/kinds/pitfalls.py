"""What readers make of the pitfalls: ``python -m tests.kinds.pitfalls`` measures it and writes it into the package.

Readers that are not installed keep what docs/kinds.md says of them, where the pitfall is one of its kinds.
"""

from __future__ import annotations

import dataclasses
import json
import re
import tempfile
from pathlib import Path
from typing import Any

from dicomlab.phantom import KINDS, write_kind
from dicomlab.teach.pitfalls import PITFALLS
from dicomlab.teach.pitfalls.measure import Off, Reading
from dicomlab.teach.pitfalls.others import plain_words
from tests.kinds.peers import PEERS, ROOT, Answer, ask, version
from tests.kinds.table import PAGE, section

TARGET = ROOT / "dicomlab" / "teach" / "pitfalls" / "measured.json"


def page_rows() -> dict[str, dict[str, str]]:
    """Cells of the page's table, by name of the kind and reader."""
    lines = [
        line for line in section(PAGE.read_text(encoding="utf-8"), "table").splitlines() if line[:1] == "|"
    ]
    peers = [cell.strip() for cell in lines[0].strip("|").split("|")][2:]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2 : 2 + len(KINDS)]]
    return {name: dict(zip(peers, row[2:], strict=True)) for name, row in zip(KINDS, rows, strict=True)}


def page_versions() -> dict[str, str]:
    """Versions that the page's table was made with."""
    told = re.search(r"Made with (.*)\.\n", section(PAGE.read_text(encoding="utf-8"), "table"))
    assert told is not None
    return dict(one.rsplit(" ", 1) for one in told[1].split(", "))


def from_page(cell: str) -> Off:
    """What a cell of the page says."""
    if cell in ("right", "refuses"):
        return Off(cell)
    mm = re.search(r"up to ([\d.e+]+) mm", cell)
    value = re.search(r"off by up to ([\d.e+]+)", cell)
    state = "partly" if cell.startswith("partly") else "wrong"
    said = re.sub(r"^(\*\*wrong\*\*|partly): ", "", cell)
    return Off(
        state,
        float(mm[1]) if mm else 0.0,
        float(value[1]) if value else 0.0,
        said="" if mm or value else said,
    )


def from_answer(name: str, sample: Any, answer: Answer) -> Off:
    """How far an answer is off."""
    if not answer.volumes:
        return Off("refuses", said=plain_words(answer.refusal, str(sample.folder)))
    readings = [Reading(v.values, v.origins, v.row_step, v.column_step) for v in answer.volumes]
    return PITFALLS[name].judge(PITFALLS[name].truth(sample), readings)


def compact(off: Off) -> dict[str, Any]:
    """An `Off` as JSON, without what is as usual."""
    usual = {field.name: field.default for field in dataclasses.fields(Off)}
    found = {name: value for name, value in dataclasses.asdict(off).items() if value != usual[name]}
    return {name: float(f"{v:.6g}") if isinstance(v, float) else v for name, v in found.items()}


def measure() -> dict[str, Any]:
    """Verdicts of all readers on all pitfalls, and the readers' versions."""
    tools = [tool for tool in PEERS if tool != "dicomlab"]
    installed = [tool for tool in tools if version(tool) is not None]
    versions = {tool: version(tool) or page_versions()[tool] for tool in tools}
    found: dict[str, dict[str, Any]] = {name: {} for name in PITFALLS}
    page = page_rows()
    with tempfile.TemporaryDirectory() as work:
        samples = {name: write_kind(name, Path(work) / name) for name in PITFALLS}
        for tool in tools:
            if tool not in installed:
                known = {name: from_page(page[name][tool]) for name in PITFALLS if name in page}
            else:
                answers = ask(tool, [sample.folder for sample in samples.values()])
                known = {
                    name: from_answer(name, samples[name], answer)
                    for name, answer in zip(PITFALLS, answers, strict=True)
                }
            for name, off in known.items():
                found[name][tool] = compact(off)
    return {"versions": versions, "pitfalls": found}


def main() -> None:
    """Write what was measured."""
    TARGET.write_text(json.dumps(measure(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
