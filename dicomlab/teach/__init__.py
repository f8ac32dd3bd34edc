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

# Where each name lives: the rooms bring widgets and load when they are first used.
_HOMES = {
    "CompressionExplorer": "compression",
    "EncodingsExplorer": "encodings",
    "FileExplorer": "file_explorer",
    "Verdict": "exercises",
    "check_exercise": "exercises",
    "explore_compression": "compression",
    "explore_encodings": "encodings",
    "explore_file": "file_explorer",
}

__all__ = [
    "CompressionExplorer",
    "EncodingsExplorer",
    "FileExplorer",
    "Verdict",
    "check_exercise",
    "explore_compression",
    "explore_encodings",
    "explore_file",
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
