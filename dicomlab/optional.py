"""Packages that not everybody has: `optional` brings one, or says which line installs it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from dicomlab.errors import MissingDependencyError

__all__ = ["optional"]

_PROJECT = Path(__file__).resolve().parent.parent
_OF_THE_COURSE = ("network", "seg")
"""Extras that `make course` brings."""


def optional(package: str, *, purpose: str, extra: str) -> Any:
    """The package, imported now.

    Parameters
    ----------
    package
        Name that is imported.
    purpose
        What needs it: the beginning of the sentence for the user.
    extra
        The pip extra of dicomlab that brings it.

    Raises
    ------
    MissingDependencyError
        It is not installed.
    """
    try:
        return importlib.import_module(package)
    except ImportError as problem:
        name = package.partition(".")[0]
        raise MissingDependencyError(
            f"{purpose} needs the package {name}, which is not installed here. Install it: {_line(extra)}"
        ) from problem


def _line(extra: str) -> str:
    """What installs an extra: in a checkout of the project, into the environment that its notebooks run in."""
    anywhere = f"pip install 'dicomlab[{extra}]'"
    if not (_PROJECT / "notebooks" / "export.py").is_file():
        return anywhere
    if extra in _OF_THE_COURSE:
        return f"`make course` in this checkout of the project brings it; elsewhere {anywhere}"
    return f"{sys.executable} -m pip install -e '{_PROJECT}[{extra}]' in this checkout; elsewhere {anywhere}"
