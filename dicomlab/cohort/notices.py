"""Warnings of dicomlab, heard where they are given: each belongs to the series that its thread works on."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from dicomlab.errors import DicomLabWarning
from dicomlab.warn import WARNINGS_LOCK

__all__ = ["heard"]

_listening: ContextVar[list[str] | None] = ContextVar("dicomlab_cohort_listening", default=None)


class _Ear:
    """Takes the place of `warnings.showwarning` while at least one thread works on a series.

    The filters of warnings, and what shows them, belong to the whole process: threads that each changed them and put them
    back would leave them changed. So the first one changes them, and the last one puts them back.
    """

    def __init__(self) -> None:
        self._users = 0
        self._before: Any = None
        self._show: Any = None

    def open(self) -> None:
        with WARNINGS_LOCK:
            if self._users == 0:
                self._before = warnings.catch_warnings()
                self._before.__enter__()
                self._show = warnings.showwarning
                warnings.showwarning = self._hear
                # Otherwise the second series with one fault would be told nothing.
                warnings.filterwarnings("always", category=DicomLabWarning)
            self._users += 1

    def close(self) -> None:
        with WARNINGS_LOCK:
            self._users -= 1
            if self._users == 0:
                self._before.__exit__(None, None, None)

    def _hear(self, message: Any, category: Any, *where: Any, **more: Any) -> None:
        told = _listening.get()
        if told is None or not issubclass(category, DicomLabWarning):
            self._show(message, category, *where, **more)
        else:
            told.append(str(message))


_ear = _Ear()


@contextmanager
def heard() -> Iterator[list[str]]:
    """The list of what dicomlab warns of in this thread inside the block; nothing of it is shown."""
    told: list[str] = []
    token = _listening.set(told)
    _ear.open()
    try:
        yield told
    finally:
        _ear.close()
        _listening.reset(token)
