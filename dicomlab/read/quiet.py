"""Silence while pydicom parses: its warnings and its log would name values of the file."""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dicomlab.warn import WARNINGS_LOCK

__all__ = ["quiet"]

_LOGGER = logging.getLogger("pydicom")


@contextmanager
def quiet() -> Iterator[None]:
    """Without the warnings and log records of pydicom, which would name values of the file."""
    here = threading.get_ident()

    def is_of_others(record: logging.LogRecord) -> bool:
        return record.thread != here

    # Two threads that change and restore the filters in turn would leave them changed.
    with WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _LOGGER.addFilter(is_of_others)
        try:
            yield
        finally:
            _LOGGER.removeFilter(is_of_others)
