"""Work on parts of an array, on as many threads as this process may use processors."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

__all__ = ["MOST", "spread", "usable"]

Part = TypeVar("Part")

MOST = 8
"""Threads: more of them wait for memory."""


def usable() -> int:
    """Number of threads that are worth starting."""
    allowed = getattr(os, "sched_getaffinity", None)
    return min(MOST, len(allowed(0)) if allowed is not None else os.cpu_count() or 1)


def spread(work: Callable[[Part], object], parts: Sequence[Part], workers: int) -> None:
    """Do `work` on each part. The first error is raised, and no further part is begun."""
    if workers < 2 or len(parts) < 2:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(min(workers, len(parts)), thread_name_prefix="dicomlab-regrid") as pool:
        waiting = [pool.submit(work, part) for part in parts]
        try:
            for one in waiting:
                one.result()
        finally:
            for one in waiting:
                one.cancel()
