"""What an algorithm makes of one label, at a click in the browser: `propose`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import segment
from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES

__all__ = ["OPERATIONS", "propose"]

_CONFIDENCE = 2.5
"""Standard deviations around the mean that values like those under the pointer may lie."""


def _grow(mask: xr.DataArray, volume: xr.DataArray, content: Mapping[str, Any]) -> xr.DataArray:
    at = tuple(float(mm) for mm in content["at"])
    within = content.get("range")
    grown = (
        segment.grow(volume, at=at, confidence=_CONFIDENCE)
        if within is None
        else segment.grow(volume, at=at, low=float(within[0]), high=float(within[1]))
    )
    return grown | mask


OPERATIONS: Mapping[str, Callable[[xr.DataArray, xr.DataArray, Mapping[str, Any]], xr.DataArray]] = {
    "grow": _grow,
    "interpolate": lambda mask, volume, content: segment.between_slices(mask),
    "fillHoles": lambda mask, volume, content: segment.fill_holes(mask, per_slice=True),
    "largest": lambda mask, volume, content: segment.largest_component(mask),
    "smooth": lambda mask, volume, content: segment.smooth(mask, float(content["mm"])),
    "dilate": lambda mask, volume, content: segment.dilate(mask, float(content["mm"])),
    "erode": lambda mask, volume, content: segment.erode(mask, float(content["mm"])),
}
"""By the name of the page."""


def propose(
    name: str, mask: xr.DataArray, volume: xr.DataArray, content: Mapping[str, Any]
) -> npt.NDArray[np.bool_]:
    """Where a label would be, (slices, rows, columns).

    Parameters
    ----------
    name
        One of `OPERATIONS`.
    mask
        Where it is now.
    volume
        The step of the volume that is looked at.
    content
        ``at`` LPS mm, ``range`` lowest and highest value, ``mm``, as far as it needs them.

    Raises
    ------
    DicomLabError
        There is no such operation, or what it refuses.
    """
    if name not in OPERATIONS:
        raise DicomLabError(f"{name!r} was asked for; there are {', '.join(OPERATIONS)}")
    found: npt.NDArray[np.bool_] = OPERATIONS[name](mask, volume, content).transpose(*AXES).values
    return found
