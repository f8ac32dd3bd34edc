"""Warnings for the user, given where the user's own code is; silence while pydicom parses."""

from __future__ import annotations

import logging
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from dicomlab.errors import DicomLabWarning

__all__ = ["WARNINGS_LOCK", "quiet", "warn_user"]

WARNINGS_LOCK = threading.RLock()
"""Held wherever dicomlab silences warnings or gives one: their filters belong to the whole process, not to a thread."""

_HOUSE = ("dicomlab", "xarray")
"""dicomlab may be called by xarray, too."""


def warn_user(*messages: str) -> None:
    """Give each message as a `DicomLabWarning` of the line that called dicomlab."""
    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").split(".")[0] in _HOUSE:
        depth, frame = depth + 1, frame.f_back
    with WARNINGS_LOCK:  # another thread that silences pydicom would silence these too
        for message in messages:
            warnings.warn(message, DicomLabWarning, stacklevel=depth)


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
