"""What happens to one series, in whatever thread or process: load it, call the function, tell what came out."""

from __future__ import annotations

import gc
import inspect
import pickle
import threading
import traceback
import weakref
import zlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, TypeAlias, cast

import xarray as xr

from dicomlab.cohort.notices import heard
from dicomlab.cohort.rows import Row, rows_of
from dicomlab.errors import DicomLabError, FaultError
from dicomlab.read.series import Series
from dicomlab.read.stacks import Stack

__all__ = ["Outcome", "Source", "Work", "failure", "pack", "pack_work", "unpack", "work_packed"]

Source: TypeAlias = "Series | Stack"


@dataclass(frozen=True)
class Outcome:
    """What came out of one series.

    Parameters
    ----------
    rows
        What the function returned; one row without a value when something failed.
    findings
        Codes of the findings of the volume as it was loaded, joined by "; ".
    warnings
        What else dicomlab warned of, one a line.
    error
        Type and message of what failed, else None.
    traceback
        Where it failed, as text: an exception would hold on to the volume.
    exception
        It all the same, where the user wants it raised.
    """

    rows: list[Row] = field(default_factory=lambda: [{}])
    findings: str = ""
    warnings: str = ""
    error: str | None = None
    traceback: str = ""
    exception: BaseException | None = field(default=None, compare=False)


def failure(problem: BaseException, findings: str = "", warnings: str = "", keep: bool = False) -> Outcome:
    """What came out of a series at which `problem` was raised; with `keep`, it goes along."""
    return Outcome(
        findings=findings,
        warnings=warnings,
        error=f"{type(problem).__name__}: {problem}",
        traceback="".join(traceback.format_exception(problem)),
        exception=problem if keep else None,
    )


_ONE_COLLECTS = threading.Lock()
"""Two at a time do not work: the second finds nothing."""


@dataclass(frozen=True)
class Work:
    """The function, what it is given, and whether exceptions are wanted as such."""

    function: Callable[[Any], object]
    load: Callable[[Source], Any] | None
    keep_exceptions: bool = False

    def __call__(self, source: Source) -> Outcome:
        """What comes out of one series. Whatever is raised (but KeyboardInterrupt) is an outcome, too."""
        outcome, volume = self._outcome(source)
        with _ONE_COLLECTS:
            if volume is not None and volume() is not None:
                # What the function made refers to itself, as figures do, and to the volume: Python looks for such circles by
                # the number of objects, not by their size.
                gc.collect()
        return outcome

    def _outcome(self, source: Source) -> tuple[Outcome, weakref.ref[xr.DataArray] | None]:
        findings, volume = "", None
        with heard() as told:
            try:
                given, findings = self._load(source)
                volume = weakref.ref(given) if isinstance(given, xr.DataArray) else None
                rows = rows_of(self.function(given))
            except (Exception, SystemExit) as problem:
                if isinstance(problem, FaultError) and not findings:
                    findings = _codes(finding.code for finding in problem.findings)
                return failure(problem, findings, _others(told, findings), self.keep_exceptions), volume
            return Outcome(rows, findings, _others(told, findings)), volume

    def _load(self, source: Source) -> tuple[Any, str]:
        """What the function is given, and the codes of its findings."""
        if self.load is None:
            own = source.series_findings if isinstance(source, Stack) else ()
            return source, _codes(finding.code for finding in (*own, *source.findings))
        load = cast("Callable[..., Any]", self.load)
        # There is one bar, and it counts series.
        given = load(source, progress=False) if _has_a_bar(load) else load(source)
        said = str(given.attrs.get("findings", "")) if isinstance(given, xr.DataArray) else ""
        return given, _codes(line.split(":")[0] for line in said.splitlines())


def _has_a_bar(load: Callable[..., Any]) -> bool:
    try:
        return "progress" in inspect.signature(load).parameters
    except (TypeError, ValueError):  # some callables written in C have none
        return False


def _codes(codes: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(codes))


def _others(told: list[str], findings: str) -> str:
    """Warnings, without those that only say what the findings say."""
    known = tuple(f"{code}:" for code in findings.split("; ") if code)
    return "\n".join(text for text in told if not text.startswith(known))


# -- across processes: bytes in, bytes out. Headers of one series repeat one another, so that little of them is left. ------


def pack(thing: object) -> bytes:
    """`thing` as bytes; functions of a notebook go along."""
    import cloudpickle

    return zlib.compress(cloudpickle.dumps(thing), 1)


def pack_work(work: Work) -> bytes:
    """`Work` as bytes.

    Raises
    ------
    DicomLabError
        What is to be called cannot be sent to another process; the message names it.
    """
    try:
        return pack(work)
    except Exception as problem:
        called = work.load if _can_be_packed(work.function) else work.function
        name = getattr(called, "__qualname__", type(called).__name__)
        raise DicomLabError(
            f"{name} cannot be sent to another process: {problem}. It, or something that it refers to by name, belongs to this "
            "process, such as a lock, an open file or a connection: make that inside the function, or take "
            "scheduler='threads', which sends nothing."
        ) from problem


def _can_be_packed(thing: object) -> bool:
    try:
        pack(thing)
    except Exception:
        return False
    return True


def unpack(packed: bytes) -> Any:
    """What was packed, by this process or by one that it started or was connected to by the user."""
    return pickle.loads(zlib.decompress(packed))


@lru_cache(maxsize=1)
def _unpack_work(packed: bytes) -> Work:
    return cast(Work, unpack(packed))


def work_packed(work: bytes, source: bytes) -> bytes:
    """`Work` done on a series, all three packed: what cannot be sent or understood is an outcome, not the end of a worker."""
    try:
        outcome = _unpack_work(work)(unpack(source))
    except Exception as problem:
        return _packed_outcome(failure(problem))
    try:
        return _packed_outcome(outcome)
    except Exception as problem:
        told = DicomLabError(
            f"what the function returned cannot be sent from its process: {problem}. scheduler='threads' sends nothing"
        )
        told.__cause__ = problem
        return _packed_outcome(failure(told, outcome.findings, outcome.warnings))


def _packed_outcome(outcome: Outcome) -> bytes:
    if outcome.exception is not None:
        try:  # many exceptions can be pickled, but not unpickled
            unpack(pack(outcome.exception))
        except Exception:
            outcome = replace(outcome, exception=None)
    return pack(outcome)
