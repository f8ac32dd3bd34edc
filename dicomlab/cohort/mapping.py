"""One function over many series: `map_series`."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial
from threading import Event
from typing import Any, Literal, TypeAlias

import numpy as np
import pandas as pd
import xarray as xr

from dicomlab.cohort.engines import Scheduler, choose_engine
from dicomlab.cohort.fingerprint import fingerprint
from dicomlab.cohort.kept import check_place
from dicomlab.cohort.memory import remember
from dicomlab.cohort.states import for_elsewhere
from dicomlab.cohort.work import Outcome, Source, Work
from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.read.find import find_series
from dicomlab.read.identity import shown_text
from dicomlab.read.series import PathLike, Series, SeriesList
from dicomlab.read.stacks import Stack
from dicomlab.read.volume import load_volume

__all__ = ["Stopped", "map_series"]

Loader: TypeAlias = "Callable[[Any], Any] | Mapping[str, Any] | None"

_BAR_AFTER = 1.0
"""Seconds after which a bar appears."""


class Stopped(KeyboardInterrupt):
    """Ctrl-C, or the stop button of a notebook, while `map_series` was at work.

    Attributes
    ----------
    table : pandas.DataFrame
        What was done by then, as `map_series` would have returned it.
    """

    def __init__(self, message: str, table: pd.DataFrame) -> None:
        super().__init__(message)
        self.table = table


def map_series(
    function: Callable[[Any], object],
    series: PathLike | Series | Stack | SeriesList | Iterable[PathLike | Series | Stack],
    *,
    load: Loader = load_volume,
    scheduler: Scheduler = None,
    workers: int | None = None,
    on_error: Literal["collect", "raise"] = "collect",
    results: PathLike | None = None,
    version: str | None = None,
    progress: bool = True,
) -> pd.DataFrame:
    """Table of what `function` returns for each series; what fails is a row that says why.

    Parameters
    ----------
    function
        Gets one volume, and returns a row: a mapping, dataclass, named tuple, pandas Series, or a single value, which becomes
        the column ``result``. A list of those that have names, or a DataFrame, makes several rows of one series. None, or an
        empty list, makes a row without values. A value may be any object; with `results`, a number, text, moment or path, or
        a list, mapping or small array of them. Refused is what holds on to a volume or has yet to run: volumes and masks, other
        arrays of more than a million values, figures, widgets, generators.
    series
        What `find_series` returns, or a selection of it; stacks, where a series holds several; a path, or a list of any of
        them.
    load
        Makes what `function` gets out of a `Series` or `Stack`, in the thread or process where it is needed:
        `load_volume`; options for it, such as ``{"on_fault": "keep"}``; another function, such as `open_volume`. None gives
        `function` the series itself.
    scheduler
        ``"threads"``, ``"processes"``, ``"synchronous"``, or a `distributed.Client`. None is what dask would take: the
        current Client or ``dask.config``, else threads. Processes and a Client need ``pip install 'dicomlab[dask]'``.
    workers
        Number of threads or processes, one a core unless told otherwise. Each holds at most one volume at a time.
    on_error
        ``"collect"``: failures are rows. ``"raise"``: the first one ends it.
    results
        A file (SQLite) to which each series is written as it is done. What is there already is not done again, unless files,
        function or packages have changed since; failures are always tried again. See "Many series" in ``docs/recipes.md``.
    version
        With `results`: your name for the state of what cannot be seen from the function's code, such as the weights of a
        model. Another name, and everything is done anew.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    pandas.DataFrame
        The index ``series`` counts the series as given, so ``table.loc[3]`` is about ``series[3]``. Columns:
        ``modality``, ``description``; what `function` returned; ``findings`` (codes) of the volume as loaded, ``warnings``
        that dicomlab gave beside them, and ``error`` (type and message), None when all went well; ``uid`` (0020,000E).
        Nothing that names a patient, unless `function` returns it. ``table.attrs``: ``tracebacks`` of failures by series,
        ``skipped`` files by name, ``reused``: how many series came from `results`.

    Raises
    ------
    Stopped
        A KeyboardInterrupt that holds the table of what is done. What is in `results` stays there. Threads finish first what
        they have begun, until it is given a second time.
    NotDicomError
        A path holds no series.
    MissingDependencyError
        `scheduler` needs dask.
    DicomLabError
        The arguments make no sense; or nobody could tell whether kept results are still true, and there is no `version`.

    Examples
    --------
    >>> from dicomlab import find_series, phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> table = map_series(lambda volume: {"mean": float(volume.mean())}, find_series(tmp_path))
    >>> list(table.columns)
    ['modality', 'description', 'mean', 'findings', 'warnings', 'error', 'uid']
    >>> table["mean"].round().to_list()
    [-591.0, 297.0, 1121.0]
    """
    if not callable(function):
        raise DicomLabError(
            f"map_series(function, series): the first is a function, found {type(function).__name__}"
        )
    if on_error not in ("collect", "raise"):
        raise DicomLabError(f"on_error={on_error!r} is neither 'collect' nor 'raise'")
    if version is not None and results is None:
        raise DicomLabError("version= says which kept results are still good: it goes with results=")
    if isinstance(load, Mapping):
        try:
            inspect.signature(load_volume).bind_partial(**load)
        except TypeError as problem:
            raise DicomLabError(f"load= holds options of load_volume: {problem}") from None
        load = partial(load_volume, **load)
    elif load is not None and not callable(load):
        raise DicomLabError(
            f"load= is a function, options of load_volume, or None for the series itself; found {type(load).__name__}"
        )
    if results is not None:
        check_place(results)  # before a large folder is listed
    engine = choose_engine(scheduler, workers)
    sources, skipped = _sources(series, progress)
    done: dict[int, Outcome] = {}
    with ExitStack() as stack:
        memory = None
        if results is not None:
            memory = stack.enter_context(
                remember(results, partial(fingerprint, function, load, version=version))
            )
            recalled = {number: memory.recall(source) for number, source in enumerate(sources)}
            done = {number: outcome for number, outcome in recalled.items() if outcome is not None}
        reused = len(done)
        left = [(number, source) for number, source in enumerate(sources) if number not in done]
        bar = stack.enter_context(_bar(len(sources), reused, progress))
        work = Work(function, load, keep_exceptions=on_error == "raise")
        # Each is made ready only when its turn comes.
        jobs = ((number, for_elsewhere(source)) for number, source in left)
        stop = Event()

        def record(number: int, outcome: Outcome) -> None:
            if number in done:
                return
            done[number] = outcome if memory is None else memory.keep(sources[number], outcome)
            if outcome.error is not None and on_error == "raise":
                raise _as_exception(number, sources[number], outcome)
            failed = sum(outcome.error is not None for outcome in done.values())
            if failed:
                bar.set_postfix(failed=failed, refresh=False)  # not before its delay is over
            bar.update()

        try:
            with closing(engine(work, jobs, stop)) as finished:
                _record_all(finished, record, stop)
        except KeyboardInterrupt:
            raise Stopped(
                _told(len(sources), done, results), _table(sources, done, skipped, reused)
            ) from None
    return _table(sources, done, skipped, reused)


def _record_all(
    finished: Iterator[tuple[int, Outcome]], record: Callable[[int, Outcome], None], stop: Event
) -> None:
    """Record what has finished, as it does. Ctrl-C, wherever it strikes, loses none of it; a second one ends it at once."""
    last: tuple[int, Outcome] | None = None
    while True:
        try:
            if last is not None:
                record(*last)
            for last in finished:
                record(*last)
            break
        except KeyboardInterrupt:
            if stop.is_set():
                raise
            stop.set()
    if stop.is_set():
        raise KeyboardInterrupt


def _told(total: int, done: Mapping[int, Outcome], results: PathLike | None) -> str:
    """What is left to do when the user stops it, and where the rest is."""
    if not done:
        return f"{total} of {total} series are not done: it was stopped before the first was"
    left = f"{total - len(done)} of {total} series are not done"
    if results is None:
        place = ".table of this exception (sys.last_value.table)"
        return f"{left}; the others can be had from {place}; results= would have kept them"
    failed = sum(outcome.error is not None for outcome in done.values())
    but = f", but for {failed} that failed," if failed else ""
    return f"{left}; the others{but} are in {os.fspath(results)}, and the same call goes on from there"


def _sources(series: Any, progress: bool) -> tuple[list[Source], dict[str, str]]:
    """Series and stacks, in the order given, and the files that were skipped on the way to them."""
    if isinstance(series, (Series, Stack)):
        return [series], {}
    if isinstance(series, SeriesList):
        return list(series), dict(series.skipped)
    if isinstance(series, (str, os.PathLike)):
        found = find_series(series, progress=progress)
        if not found:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.skipped.items())[:3])
            raise NotDicomError(f"no DICOM in {found.source}. {reasons or 'It holds no file.'}")
        return list(found), dict(found.skipped)
    if isinstance(series, (xr.DataArray, xr.Dataset, np.ndarray)):
        raise DicomLabError(
            "map_series goes over Series, Stacks or paths, and loads each when its turn comes; found a "
            f"{type(series).__name__}. For volumes that are in memory a loop will do: [function(volume) for volume in volumes]"
        )
    if isinstance(series, pd.DataFrame):
        raise DicomLabError(
            "map_series goes over Series, Stacks or paths; found a DataFrame. Its rows count what find_series returned: "
            "[series[k] for k in table.index] are the Series of a table or of a part of it"
        )
    if not isinstance(series, Iterable) or isinstance(series, (bytes, Mapping)):
        raise DicomLabError(
            f"map_series goes over what find_series returns, Series, Stacks or paths; found {type(series).__name__}"
        )
    sources: list[Source] = []
    skipped: dict[str, str] = {}
    for one in series:
        if one is series:  # a text would go on for ever
            raise DicomLabError(f"map_series goes over Series, Stacks or paths; found {type(one).__name__}")
        more, left_out = _sources(one, progress)
        sources += more
        skipped |= left_out
    return sources, skipped


def _bar(total: int, reused: int, wanted: bool) -> Any:
    from tqdm.auto import tqdm

    return tqdm(
        total=total,
        initial=reused,
        desc="series",
        unit="series",
        delay=_BAR_AFTER,
        leave=False,
        disable=not wanted,
    )


def _facts(source: Source) -> dict[str, Any]:
    first = source.instances[0]
    return {
        "uid": source.uid,
        "modality": first.modality,
        "description": shown_text(first, "SeriesDescription"),
    }


def _as_exception(number: int, source: Source, outcome: Outcome) -> BaseException:
    problem = outcome.exception or DicomLabError(str(outcome.error))
    facts = _facts(source)
    where = f"series {number}: {facts['modality']} {facts['description']!r}, {facts['uid']}"
    if problem.__traceback__ is None:  # it comes from another process
        where += f"\n{outcome.traceback}"
    problem.add_note(where)
    return problem


def _table(
    sources: list[Source], done: Mapping[int, Outcome], skipped: dict[str, str], reused: int
) -> pd.DataFrame:
    order = sorted(done)
    names = dict.fromkeys(name for number in order for row in done[number].rows for name in row)
    index, rows, errors = [], [], []
    for number in order:
        outcome = done[number]
        for row in outcome.rows:
            told = {"findings": outcome.findings, "warnings": outcome.warnings}
            rows.append({**_facts(sources[number]), **row, **told})
            index.append(number)
            errors.append(outcome.error)
    columns = ["modality", "description", *names, "findings", "warnings", "uid"]
    table = pd.DataFrame(rows, pd.Index(index, dtype="int64", name="series"), columns)
    # None, and not whatever the pandas at hand takes for a missing text.
    table.insert(len(columns) - 1, "error", pd.Series(errors, table.index, dtype=object))
    tracebacks = {number: done[number].traceback for number in order if done[number].error is not None}
    table.attrs = {"tracebacks": tracebacks, "skipped": skipped, "reused": reused}
    return table
