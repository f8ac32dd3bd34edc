"""A bar for work that takes long."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import perf_counter
from typing import Any, TypeVar

__all__ = ["Progress", "progress_bar"]

T = TypeVar("T")

_AFTER = 1.0
"""Seconds after which a bar appears: short work shows nothing, and does not even import what draws it."""


class Progress:
    """Shows how much of `total` steps is done, when they take longer than a second; a context manager.

    Without a total it counts.
    """

    def __init__(self, total: int | None, what: str, wanted: bool = True, unit: str = "file") -> None:
        self._total, self._what, self._wanted, self._unit = total, what, wanted, unit
        self._done = 0
        self._start = perf_counter()
        self._bar: Any = None

    def step(self, count: int = 1) -> None:
        """So many more are done."""
        self._done += count
        if self._bar is not None:
            self._bar.update(count)
        elif self._wanted and perf_counter() - self._start > _AFTER:
            from tqdm.auto import tqdm

            self._bar = tqdm(
                desc=self._what, total=self._total, initial=self._done, leave=False, unit=self._unit
            )

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def progress_bar(items: Sequence[T], what: str, wanted: bool = True) -> Iterator[T]:
    """`items`, with a bar when they take longer than a second."""
    with Progress(len(items), what, wanted) as bar:
        for item in items:
            yield item
            bar.step()
