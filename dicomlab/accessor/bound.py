"""What every part of ``volume.dicom`` starts from."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

import xarray as xr

from dicomlab.geometry import Geometry

__all__ = ["Bound", "as_told_by"]

Method = TypeVar("Method", bound=Callable[..., Any])


def as_told_by(function: Callable[..., Any]) -> Callable[[Method], Method]:
    """Give a method, which has a first line, all else that the docstring of a function says of the same work.

    What is said of the volume is left out, as are examples.
    """

    def told(method: Method) -> Method:
        _, _, rest = (inspect.getdoc(function) or "").partition("\n\n")
        rest = re.split(r"\nExamples\n-+\n", rest)[0]
        rest = re.sub(r"(?m)^volume\n(    .*\n|\n(?=    ))+", "", rest)
        rest = re.sub(r"(?m)^volume, ", "", rest)
        method.__doc__ = f"{(method.__doc__ or '').strip()}\n\n{rest.strip()}\n"
        return method

    return told


class Bound:
    """A volume that is looked at; nothing of it is cached or stored."""

    def __init__(self, volume: xr.DataArray) -> None:
        self._volume = volume

    @property
    def geometry(self) -> Geometry:
        """The `Geometry` in the coordinates."""
        return Geometry.from_volume(self._volume)
