"""Packages that not everybody has: `optional` brings one, or says which line installs it."""

from __future__ import annotations

import importlib
from typing import Any

from dicomlab.errors import MissingDependencyError

__all__ = ["optional"]


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
            f"{purpose} needs the package {name}, which is not installed here. Install it: pip install 'dicomlab[{extra}]'"
        ) from problem
