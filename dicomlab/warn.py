"""Warnings for the user, given where the user's own code is."""

from __future__ import annotations

import sys
import threading
import warnings

from dicomlab.errors import DicomLabWarning

__all__ = ["WARNINGS_LOCK", "warn_user"]

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
