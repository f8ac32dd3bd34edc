"""Explorers to play with, and what the lessons of the course stand on.

>>> from dicomlab import teach
>>> teach.check_exercise("00.0", "DICM")
Right: those four bytes are how a reader knows the file (PS3.10 section 7.1).
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dicomlab.teach.compression import CompressionExplorer, explore_compression
    from dicomlab.teach.encodings import EncodingsExplorer, explore_encodings
    from dicomlab.teach.exercises import Verdict, check_exercise
    from dicomlab.teach.file_explorer import FileExplorer, explore_file
    from dicomlab.teach.geometry import GeometryExplorer, explore_geometry
    from dicomlab.teach.pitfalls import gallery
    from dicomlab.teach.series import explore_series
    from dicomlab.teach.window import WindowExplorer, explore_window

# Where each name lives: the rooms bring widgets and load when they are first used.
_HOMES = {
    "CompressionExplorer": "compression",
    "EncodingsExplorer": "encodings",
    "FileExplorer": "file_explorer",
    "GeometryExplorer": "geometry",
    "Verdict": "exercises",
    "WindowExplorer": "window",
    "check_exercise": "exercises",
    "explore_compression": "compression",
    "explore_encodings": "encodings",
    "explore_file": "file_explorer",
    "explore_geometry": "geometry",
    "explore_series": "series",
    "explore_window": "window",
    "gallery": "pitfalls",
}

__all__ = [
    "CompressionExplorer",
    "EncodingsExplorer",
    "FileExplorer",
    "GeometryExplorer",
    "Verdict",
    "WindowExplorer",
    "check_exercise",
    "explore_compression",
    "explore_encodings",
    "explore_file",
    "explore_geometry",
    "explore_series",
    "explore_window",
    "gallery",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(
            f"module 'dicomlab.teach' has no attribute {name!r}; it has {', '.join(__all__)}"
        )
    value = getattr(importlib.import_module(f"dicomlab.teach.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
