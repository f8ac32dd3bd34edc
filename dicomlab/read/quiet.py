"""Silence while pydicom parses: its warnings would name values of the file."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["WARNINGS_LOCK", "quiet"]

WARNINGS_LOCK = threading.RLock()
"""Held wherever dicomlab silences warnings or gives one: their filters belong to the whole process, not to a thread."""


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of pydicom, which would name values of the file."""
    # Two threads that change and restore the filters in turn would leave them changed.
    with WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
