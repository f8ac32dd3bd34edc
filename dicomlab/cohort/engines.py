"""Where series are worked on: here, on threads, on processes, on a dask cluster.

Each engine is a generator of (number of the series, outcome), in the order in which they finish. It takes the next series
only when a worker is about to be free, and lets no worker have more than one volume at a time. Once the event `stop` is set,
or when it is closed early, it drops what has not begun and waits for, or ends, what has.
"""

from __future__ import annotations

import contextvars
import os
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool, ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast
from uuid import uuid4

from dicomlab.cohort.work import Outcome, Source, Work, failure, pack, pack_work, unpack, work_packed
from dicomlab.errors import DicomLabError, MissingDependencyError

if TYPE_CHECKING:
    from distributed import Client

__all__ = ["Engine", "Scheduler", "choose_engine"]

Scheduler: TypeAlias = "Literal['threads', 'processes', 'synchronous'] | Client | None"
Job: TypeAlias = "tuple[int, Source]"
Done: TypeAlias = "Generator[tuple[int, Outcome], None, None]"
Engine: TypeAlias = "Callable[[Work, Iterable[Job], Event], Generator[tuple[int, Outcome], None, None]]"

_ALIASES = {
    "threads": "threads",
    "threading": "threads",
    "processes": "processes",
    "multiprocessing": "processes",
    "synchronous": "synchronous",
    "sync": "synchronous",
    "single-threaded": "synchronous",
}
"""The names that dask knows a scheduler by."""

_HEARTBEAT = 0.5
"""Seconds between two looks at what the user wants; without them, waiting cannot be interrupted on Windows."""


def choose_engine(scheduler: Scheduler, workers: int | None) -> Engine:
    """The engine that is meant.

    Parameters
    ----------
    scheduler
        None: as dask would, the current `distributed.Client` or what ``dask.config`` names, and threads without either.
    workers
        How many threads or processes; None for one a core.

    Raises
    ------
    DicomLabError
        `scheduler` is nothing that can be worked on, or `workers` no positive number.
    MissingDependencyError
        It needs dask, which is not installed.
    """
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, int) or workers < 1):
        raise DicomLabError(f"workers= is a number of threads or processes, 1 or more; found {workers!r}")
    chosen: Any = _current() if scheduler is None else scheduler
    if _is_client(chosen):
        if workers is not None:
            raise DicomLabError(
                "workers= is for threads and processes; a distributed Client has workers of its own"
            )
        return partial(_on_cluster, _usable(chosen))
    name = _ALIASES.get(chosen) if isinstance(chosen, str) else None
    if name is None:
        raise DicomLabError(
            f"scheduler={chosen!r} is nothing to work on: 'threads', 'processes', 'synchronous', or a distributed.Client"
        )
    if name == "synchronous":
        return _here
    if name == "processes":
        _check_dask()
    return partial(_on_threads if name == "threads" else _on_processes, workers or _cores())


def _current() -> Any:
    """What dask would take. Who has a Client has imported distributed: nothing is imported to find out."""
    dask, distributed = sys.modules.get("dask"), sys.modules.get("distributed")
    named = dask.config.get("scheduler", None) if dask is not None else None
    if named not in (None, "dask.distributed", "distributed"):
        return named
    if distributed is not None:
        with suppress(ValueError):
            return distributed.Client.current()
    return "threads"


def _is_client(thing: object) -> bool:
    distributed = sys.modules.get("distributed")
    return distributed is not None and isinstance(thing, distributed.Client)


def _usable(client: Client) -> Client:
    if client.asynchronous:
        raise DicomLabError(
            "an asynchronous Client cannot be waited for here; make one without asynchronous=True"
        )
    if client.status != "running":
        raise DicomLabError(f"this Client is {client.status}: make a new one")
    return client


def _check_dask() -> None:
    try:
        import cloudpickle  # noqa: F401
        import dask.multiprocessing  # noqa: F401
    except ImportError as problem:
        raise MissingDependencyError(
            "scheduler='processes' needs dask, which is not installed: pip install 'dicomlab[dask]'. "
            "'threads' and 'synchronous' work without it."
        ) from problem


def _cores() -> int:
    """Cores that this process may use."""
    allowed = getattr(os, "sched_getaffinity", None)
    return len(allowed(0)) if allowed is not None else os.cpu_count() or 1


def _here(work: Work, jobs: Iterable[Job], stop: Event) -> Done:
    for number, source in jobs:
        if stop.is_set():
            return
        yield number, work(source)


def _on_threads(workers: int, work: Work, jobs: Iterable[Job], stop: Event) -> Done:
    pool = ThreadPoolExecutor(workers, thread_name_prefix="dicomlab-map-series")

    def submit(source: Source) -> Future[Outcome]:
        # What the user has set for this thread (show_identity, numpy.errstate) holds in the others.
        return pool.submit(contextvars.copy_context().run, work, source)

    try:
        yield from _as_they_finish(submit, _outcome, iter(jobs), workers + 1, stop, finish_begun=True)
    finally:
        # A second Ctrl-C gives up what has begun.
        pool.shutdown(wait=not isinstance(sys.exception(), KeyboardInterrupt), cancel_futures=True)


def _outcome(future: Future[Outcome]) -> Outcome:
    try:
        return future.result()
    except Exception as problem:
        return failure(problem)


def _as_they_finish(
    submit: Callable[[Source], Future[Any]],
    read: Callable[[Future[Any]], Outcome],
    jobs: Iterator[Job],
    room: int,
    stop: Event,
    finish_begun: bool = False,
) -> Done:
    """Outcomes of jobs, of which `room` are submitted at a time. What `read` raises ends it.

    Once `stop` is set, or Ctrl-C sets it, come the outcomes that are there; with `finish_begun` also those that have begun,
    because threads cannot be ended from outside. Then KeyboardInterrupt.
    """
    pending: dict[Future[Any], int] = {}
    try:
        while True:
            if stop.is_set():
                for future in [future for future in pending if not future.done()]:
                    if future.cancel() or not finish_begun:
                        del pending[future]
            else:
                for number, source in islice(jobs, room - len(pending)):
                    pending[submit(source)] = number
            if not pending:
                break
            try:
                done = wait(pending, _HEARTBEAT, FIRST_COMPLETED).done
            except KeyboardInterrupt:
                if stop.is_set():
                    raise
                stop.set()
                continue
            for future in done:
                yield pending.pop(future), read(future)
        if stop.is_set():
            raise KeyboardInterrupt
    finally:
        for future in pending:
            future.cancel()


# -- processes -----------------------------------------------------------------------------------------------------------


def _on_processes(workers: int, work: Work, jobs: Iterable[Job], stop: Event) -> Done:
    packed = pack_work(work)
    waiting = iter(jobs)
    while True:
        left: dict[int, Source] = {}  # taken, and not done

        def taken(waiting: Iterator[Job] = waiting, left: dict[int, Source] = left) -> Iterator[Job]:
            for number, source in waiting:
                left[number] = source
                yield number, source

        try:
            with _processes(workers) as pool:
                for number, outcome in _as_they_finish(
                    partial(_submit, pool, packed), _read, taken(), workers + 1, stop
                ):
                    del left[number]
                    yield number, outcome
            return
        except BrokenProcessPool:
            # One process died, so all are gone, and nobody says at which series: each is tried again, alone.
            yield from _one_by_one(packed, deque(left.items()), stop)


def _submit(pool: ProcessPoolExecutor, packed: bytes, source: Source) -> Future[bytes]:
    return pool.submit(work_packed, packed, pack(source))


def _read(future: Future[bytes]) -> Outcome:
    try:
        outcome: Outcome = unpack(future.result())
        return outcome
    except BrokenProcessPool:
        raise
    except Exception as problem:
        return failure(problem)


def _one_by_one(packed: bytes, left: deque[Job], stop: Event) -> Done:
    while left:
        try:
            with _processes(1) as pool:
                while left:
                    yield from _as_they_finish(
                        partial(_submit, pool, packed), _read, iter([left[0]]), 1, stop
                    )
                    left.popleft()
        except BrokenProcessPool as problem:
            died = DicomLabError(
                "the process that worked on this series died twice, the second time with no other beside it: memory was not "
                "enough, or a library crashed"
            )
            died.__cause__ = problem
            yield left.popleft()[0], failure(died)


@contextmanager
def _processes(workers: int) -> Iterator[ProcessPoolExecutor]:
    """A pool that answers; its processes end with the block, at once where that is left early."""
    from dask import multiprocessing

    context = cast("Any", multiprocessing).get_context()  # the one that dask is configured for
    pool = ProcessPoolExecutor(workers, context, initializer=_leave_interrupts_to_the_parent)
    try:
        try:
            pool.submit(os.getpid).result()
        except BrokenProcessPool as problem:
            raise DicomLabError(
                "worker processes cannot start. Each of them imports the script that is run: in a script, what works has to "
                "stand below if __name__ == '__main__':"
            ) from problem
        yield pool
    except BaseException:
        # A list of them is no public attribute before Python 3.14.
        for process in list((pool._processes or {}).values()):
            process.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def _leave_interrupts_to_the_parent() -> None:
    # Ctrl-C, and the stop button of a notebook, reach every process of the group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


# -- a cluster -----------------------------------------------------------------------------------------------------------


def _on_cluster(client: Any, work: Work, jobs: Iterable[Job], stop: Event) -> Done:
    """Killed workers are distributed's business: it gives what they had to others, until too many have died of it.

    That may strike a series that only had the wrong neighbours: such ones are tried again alone.
    """
    import distributed

    packed, token = pack_work(work), uuid4().hex
    waiting = iter(jobs)
    pending: dict[Any, Job] = {}
    suspects: list[tuple[Job, Outcome]] = []
    finished = cast("Any", distributed).as_completed(loop=client.loop)

    def submit(job: Job, **where: Any) -> Any:
        key = f"map_series-{token}-{job[0]}{'-alone' if where else ''}"
        return client.submit(work_packed, packed, pack(job[1]), key=key, pure=False, **where)

    def fill() -> None:
        # Each thread has one. One more shows a cluster that grows on demand that there is more to do.
        room = sum(client.nthreads().values()) + 1
        for job in islice(waiting, max(0, room - len(pending))):
            future = submit(job)
            pending[future] = job
            finished.add(future)

    try:
        fill()
        for future in finished:
            job = pending.pop(future)
            outcome = _gathered(future)
            if future.status == "error" and isinstance(future.exception(), distributed.KilledWorker):
                suspects.append((job, outcome))
            else:
                yield job[0], outcome
            future.release()
            if stop.is_set():
                return
            fill()
        worker = _some_worker(client) if suspects else None
        for job, outcome in suspects:
            if stop.is_set():
                return
            if worker is not None:
                future = submit(job, workers=[worker], allow_other_workers=False)
                pending[future] = job
                if _survived(client, worker, future):
                    outcome = _gathered(future)
                else:
                    outcome = replace(outcome, error=f"{outcome.error} Tried alone, it ended one more.")
                    client.cancel([future])
                    worker = _some_worker(client)
                del pending[future]
            yield job[0], outcome
    finally:
        if pending:
            with suppress(Exception):
                client.cancel(list(pending))


_RESTART = 30.0
"""Seconds that workers are given to come back."""


def _some_worker(client: Any) -> str | None:
    """Address of a worker; those that died may only be about to be replaced."""
    patience = time.monotonic() + _RESTART
    while True:
        workers: list[str] = list(client.nthreads())
        if workers or time.monotonic() > patience:
            return workers[0] if workers else None
        time.sleep(_HEARTBEAT)


def _survived(client: Any, worker: str, future: Any) -> bool:
    """Whether a worker lives to see a future done; one that is started in its place has another address."""
    while not future.done():
        if worker not in client.nthreads():
            return bool(future.done())
        time.sleep(_HEARTBEAT / 5)
    return True


def _gathered(future: Any) -> Outcome:
    try:
        outcome: Outcome = unpack(future.result())
        return outcome
    except Exception as problem:
        return failure(problem)
