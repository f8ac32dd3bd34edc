"""Loading, side by side with others: `python -m benchmarks.loading [case …] [--runs N] [--write]`.

Each tool has a process of its own, which has imported what it needs and has done the work once, uncounted; then the tools
take turns, so that whatever else the machine does meets all of them. Where a case is about a new process, each run is one.
Prints medians; with `--write` the tables of docs/performance.md are made of them.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, TypeAlias, cast

from benchmarks.readers import FRESH, HIDDEN, READERS
from benchmarks.series import DEFAULT, FULL, Size, make

__all__ = ["CASES", "TOOLS", "Case", "Measured", "main", "measure"]

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"
BEGIN, END = "<!-- loading: begin -->", "<!-- loading: end -->"
CORES: Final = 2


@dataclass(frozen=True)
class Case:
    """A row: what is done (a job of `readers`) to which series."""

    title: str
    job: str
    series: str


CASES: Final = {
    "ct": Case("CT, 600 slices", "volume", "ct"),
    "float32": Case("the same as float32", "float32", "ct"),
    "mr4d": Case("4-D MR, 2,000 files", "4-D", "mr4d"),
    "enhanced": Case("enhanced CT, 300 frames", "enhanced", "enhanced"),
    "rle": Case("RLE, 200 slices", "compressed", "rle"),
    "jpeg": Case("JPEG lossless, 200 slices", "compressed", "jpeg"),
    "jpegls": Case("JPEG-LS, 200 slices", "compressed", "jpegls"),
    "htj2k": Case("HTJ2K, 200 slices", "compressed", "htj2k"),
    "deflated": Case("deflated, 200 slices", "compressed", "deflated"),
    "jpeg2000": Case("JPEG 2000, 200 slices", "compressed", "jpeg2000"),
    "tree": Case("list 25 series among 5,400 files", "list", "tree"),
    "first": Case("first slice of the CT", "first slice", "ct"),
    "import": Case("import", "import", "ct"),
    "start": Case("process start to the CT's array", "start", "ct"),
}
TOOLS: Final = {
    "dicomlab": ("dicomlab", "dicomlab"),
    "SimpleITK": ("SimpleITK", "SimpleITK"),
    "pydicom": ("pydicom", "pydicom"),
    "dicomsdl": ("dicomsdl", "dicomsdl"),
    "highdicom": ("highdicom", "highdicom"),
    "dcm2niix": ("dcm2niix", "dcm2niix"),
    "GDCM": ("gdcm", "python-gdcm"),
    "bytes": ("numpy", "numpy"),
}
"""A column: its name -> the module that must be there, and the distribution that brings it."""


@dataclass(frozen=True)
class Measured:
    """Medians of seconds and MB, how the result compares with dicomlab's, or the reason why there is nothing."""

    wall: float = 0.0
    cpu: float = 0.0
    peak: float = 0.0
    verdict: str = ""
    reason: str = ""


Ask: TypeAlias = "Callable[[str], dict[str, Any]]"
"""`check` or `run` -> what the tool answers."""


# -- measuring ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def _worker(tool: str, job: str, folder: Path) -> Iterator[Ask]:
    """One process of `benchmarks.worker` for all lines."""
    command = [sys.executable, "-m", "benchmarks.worker", tool, job, str(folder.resolve())]
    with subprocess.Popen(
        command,
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as process:
        lines, answers = cast("IO[str]", process.stdin), cast("IO[str]", process.stdout)

        def ask(line: str) -> dict[str, Any]:
            with contextlib.suppress(BrokenPipeError):  # it has ended
                print(line, file=lines, flush=True)
            answer = answers.readline()
            return json.loads(answer) if answer else {"reason": f"ended with code {process.wait()}"}

        yield ask
        with contextlib.suppress(BrokenPipeError):
            lines.close()


_TELL = """
import time
peak = open("/proc/self/status").read().split("VmHWM:")[1].split()[0]
print(time.process_time(), peak, flush=True)
"""


@contextlib.contextmanager
def _fresh(tool: str, job: str, folder: Path) -> Iterator[Ask]:
    """A new interpreter for each line; its time goes from the start of the process to the end of the program."""
    hide = f"import sys; sys.modules.update(dict.fromkeys({HIDDEN}))\n"
    command = [sys.executable, "-c", hide + FRESH[job][tool].format(folder=str(folder.resolve())) + _TELL]
    # What pip installs is compiled; the first line, which is not counted, compiles what runs from a clone.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

    def ask(line: str) -> dict[str, Any]:
        start = time.perf_counter()
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        ) as process:
            told = cast("IO[str]", process.stdout).readline()
            wall = time.perf_counter() - start
        if not told:
            return {"reason": f"ended with code {process.returncode}"}
        cpu, peak = told.split()
        return {"wall": wall, "cpu": float(cpu), "peak": int(peak) * 1024 / 1e6}

    yield ask


def measure(case: Case, folder: Path, runs: int, tools: Sequence[str] = tuple(TOOLS)) -> dict[str, Measured]:
    """Tool -> what it took, for those of `tools` that the case knows and that are installed."""
    jobs, start = (FRESH, _fresh) if case.job in FRESH else (READERS, _worker)
    asked = [tool for tool in tools if tool in jobs[case.job] and importlib.util.find_spec(TOOLS[tool][0])]
    with contextlib.ExitStack() as stack:
        ask = {tool: stack.enter_context(start(tool, case.job, folder)) for tool in asked}
        first = {tool: ask[tool]("check") for tool in asked}  # warms up too
        living = [tool for tool in asked if "reason" not in first[tool]]
        answers: dict[str, list[dict[str, Any]]] = {tool: [] for tool in living}
        for _ in range(runs):
            for tool in living:
                answers[tool].append(ask[tool]("run"))
    own = first.get("dicomlab", {}).get("facts")
    found = {}
    for tool in asked:
        told = [first[tool], *answers.get(tool, [])]
        if reasons := [answer["reason"] for answer in told if "reason" in answer]:
            found[tool] = Measured(reason=reasons[0])
            continue
        numbers = {
            name: statistics.median(answer[name] for answer in answers[tool])
            for name in ("wall", "cpu", "peak")
        }
        verdict = (
            ""
            if tool == "dicomlab"
            else compare(own, first[tool].get("facts"), "series" if case.job == "list" else "slices")
        )
        found[tool] = Measured(**numbers, verdict=verdict)
    return found


def compare(own: list[str] | None, other: list[str] | None, noun: str = "slices") -> str:
    """In what another result differs from dicomlab's; empty when it does not, or cannot be compared."""
    if not own or not other or own == other:
        return ""
    if own == other[::-1]:
        return f"the same {noun}, counted from the other end"
    if sorted(own) == sorted(other):
        return f"the same {noun} in another order"
    alike = (Counter(own) & Counter(other)).total()
    others = len(other) - alike
    return f"{alike} of the {len(own)} {noun}" + (f", and {others} others" if others else "")


# -- showing --------------------------------------------------------------------------------------------------------------

Results: TypeAlias = dict[str, dict[str, Measured]]


def _ratio(number: float, own: float) -> str:
    ratio = number / own
    return (
        f"{ratio:.2g}×"
        if ratio < 1
        else f"{ratio:.2f}×"
        if ratio < 3
        else f"{ratio:.1f}×"
        if ratio < 10
        else f"{ratio:.0f}×"
    )


def lines(case: Case, found: dict[str, Measured]) -> Iterator[str]:
    """A case as text: medians, and ratios to dicomlab."""
    yield f"{case.title:34}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'wall':>9}{'CPU':>9}"
    own = found.get("dicomlab", Measured())
    for tool, one in found.items():
        if one.reason:
            yield f"  {tool:32} {one.reason}"
            continue
        ratios = [_ratio(one.wall, own.wall), _ratio(one.cpu, own.cpu)] if own.wall else ["", ""]
        numbers = f"{one.wall:9.3f}{one.cpu:9.3f}{one.peak:9.0f}{ratios[0]:>9}{ratios[1]:>9}"
        yield f"  {tool:32}{numbers}  {one.verdict}".rstrip()


def table(results: Results, measured: str) -> str:
    """Markdown of `wall` or `cpu`, with ratios to dicomlab, or of `peak`."""
    shown = [tool for tool in TOOLS if any(tool in found for found in results.values())]
    rows = ["| | " + " | ".join(shown) + " |", "|---|" + "--:|" * len(shown)]
    for name, found in results.items():
        own: float = getattr(found.get("dicomlab", Measured()), measured)
        cells = []
        for tool in shown:
            one = found.get(tool)
            if one is None or one.reason:
                cells.append(one.reason if one else "")
                continue
            number: float = getattr(one, measured)
            if measured == "peak":
                cells.append(f"{number:.0f} MB")
            else:
                cells.append(f"{number:.3g} s" if tool == "dicomlab" or not own else _ratio(number, own))
        rows.append(f"| {CASES[name].title} | " + " | ".join(cells) + " |")
    return "\n".join(rows)


def busy(results: Results) -> list[str]:
    """A remark, if the machine had other work: pydicom has one thread, and nothing to wait for."""
    found = [case["pydicom"] for case in results.values() if "pydicom" in case]
    shares = [one.wall / one.cpu for one in found if one.cpu]
    if not shares or (share := statistics.median(shares)) < 1.2:
        return []
    return [
        f"Other work kept the machine busy: pydicom took {share:.1f} times its CPU time. Read the CPU times, not the times."
    ]


def page(results: Results, runs: int, remarks: Sequence[str]) -> str:
    """What stands between the markers of the page."""
    shown = [tool for tool in TOOLS if any(tool in found for found in results.values())]
    versions = ", ".join(
        f"{tool} {importlib.metadata.version(TOOLS[tool][1])}" for tool in shown if tool != "bytes"
    )
    parts = [
        f"Medians of {runs} rounds; {CORES} cores, {platform.system()}, Python {platform.python_version()}; {versions}.",
        "**Time**, seconds of dicomlab and how many times longer others take:",
        table(results, "wall"),
        "**CPU time** of all threads, likewise:",
        table(results, "cpu"),
        "**Memory** of the process at its peak:",
        table(results, "peak"),
    ]
    if "start" in results and not results["start"]["dicomlab"].reason:
        volume = FULL.ct * FULL.rows**2 * 2 / 1e6
        more = results["start"]["dicomlab"].peak - volume
        parts.append(
            f"A new process that loads the CT needs, at its peak, the volume ({volume:.0f} MB) and {more:.0f} MB more."
        )
    said = [
        f"- {CASES[name].title}, {tool}: {one.verdict}."
        for name, found in results.items()
        for tool, one in found.items()
        if one.verdict
    ]
    parts.append(
        "Results that differ from dicomlab's:\n\n" + "\n".join(said) if said else "All results are equal."
    )
    return "\n\n".join([*parts, *remarks])


def main(arguments: Sequence[str] | None = None, size: Size = FULL) -> Results:
    """Measure the cases that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.loading", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--folder", type=Path, default=DEFAULT, help="where the series are, or are made")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/performance.md")
    told = parser.parse_args(arguments)
    if unknown := set(told.cases) - set(CASES):
        parser.error(f"no such case: {', '.join(sorted(unknown))}; there are {', '.join(CASES)}")
    if hasattr(os, "sched_setaffinity"):  # children inherit it
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    remarks = [
        f"{tool} was not measured: {distribution} is not installed."
        for tool, (module, distribution) in TOOLS.items()
        if importlib.util.find_spec(module) is None
    ]
    results: Results = {}
    for name in told.cases or CASES:
        case = CASES[name]
        results[name] = measure(case, make(case.series, told.folder, size), told.runs)
        print("\n".join(lines(case, results[name])), flush=True)
    remarks += busy(results)
    print("\n".join(remarks))
    if told.write:
        before, rest = PAGE.read_text(encoding="utf-8").split(BEGIN)
        text = f"{before}{BEGIN}\n{page(results, told.runs, remarks)}\n{END}{rest.split(END)[1]}"
        PAGE.write_text(text, encoding="utf-8")
    return results


if __name__ == "__main__":
    main()
