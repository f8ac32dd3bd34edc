"""Silence while pydicom parses: its warnings would name values of the file."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dicomlab.warn import WARNINGS_LOCK

__all__ = ["quiet"]


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings of pydicom, which would name values of the file."""
    # Two threads that change and restore the filters in turn would leave them changed.
    with WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
