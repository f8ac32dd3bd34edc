"""Masks of the voxels whose values lie in a range: `threshold`, `hysteresis`, and the ranges of tissues by name."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks import mask_like
from dicomlab.segment.connected import Connectivity, labelled
from dicomlab.segment.steps import Array, Bools, check_volume, each_step
from dicomlab.volumes import attrs_of

__all__ = ["TISSUE_RANGES", "check_hu", "hysteresis", "inside", "threshold"]

TISSUE_RANGES: Final[dict[str, tuple[float | None, float | None]]] = {
    "air": (None, -900.0),
    "lung": (-950.0, -500.0),
    "fat": (-190.0, -30.0),
    "water": (-15.0, 15.0),
    "muscle": (-29.0, 150.0),
    "soft tissue": (-29.0, 225.0),
    "bone": (226.0, None),
    "compact bone": (662.0, None),
    "calcium": (130.0, None),
    "metal": (2500.0, None),
}
"""Lowest and highest HU of tissues, both included; None is no limit.

Ranges in common use: fat and muscle as in body composition, calcium as in Agatston's score, bone as in surgical planning.
Values do not tell tissues apart for sure: contrast medium is as bright as bone, and where air meets tissue a voxel may look
like fat.
"""


def check_hu(volume: xr.DataArray, what: str) -> None:
    """Refuse a volume that is not in HU."""
    check_volume(volume, what)
    units = attrs_of(volume).get("units")
    if units != "HU":
        raise DicomLabError(
            f"{what} knows tissues by their HU; the values of this volume are in {units or 'no unit'}. Give low= and high= in "
            "its own values (threshold, hysteresis), or let otsu find them; volume.assign_attrs(units='HU') says they are HU."
        )


def inside(values: Any, low: float | None, high: float | None) -> Any:
    """Where values lie from `low` to `high`, both included; numpy or dask. NaN lies nowhere."""
    if np.dtype(values.dtype).kind in "iu":
        # Whole numbers are compared with whole numbers: otherwise all of them would become floating point first.
        low = None if low is None or (math.isinf(low) and low < 0) else low
        high = None if high is None or (math.isinf(high) and high > 0) else high
        low = math.ceil(low) if low is not None and math.isfinite(low) else low
        high = math.floor(high) if high is not None and math.isfinite(high) else high
    if low is None and high is None:
        return values == values
    if low is None:
        return values <= high
    found = values >= low
    if high is None:
        return found
    if isinstance(found, np.ndarray):
        found &= values <= high
        return found
    return found & (values <= high)


def limits(low: object, high: object, what: str) -> tuple[float | None, float | None]:
    """Two limits, checked."""
    for name, one in (("low", low), ("high", high)):
        if one is not None and (
            isinstance(one, (bool, str))
            or not isinstance(one, (int, float, np.number))
            or math.isnan(float(one))
        ):
            raise DicomLabError(f"{name}= of {what} is one number, or None for no limit; found {one!r}")
    if low is None and high is None:
        raise DicomLabError(f"{what} needs low=, high= or both; found neither")
    if low is not None and high is not None and float(low) > float(high):  # type: ignore[arg-type]
        raise DicomLabError(f"low= of {what} is at most high=; found {low!r} and {high!r}")
    return low, high  # type: ignore[return-value]


def threshold(
    volume: xr.DataArray, low: float | str | None = None, high: float | None = None
) -> xr.DataArray:
    """Mask of the voxels from `low` to `high`, or of a tissue by name; lazy volumes give lazy masks.

    Parameters
    ----------
    volume
        Real values, any dims.
    low, high
        In the unit of the volume, both included; None is no limit. Or, in place of `low`, a name of `TISSUE_RANGES`.

    Raises
    ------
    DicomLabError
        No limit, or limits the wrong way round; a name that is not in the table, or a volume that is not in HU; colour or
        complex values.

    Examples
    --------
    >>> from dicomlab import phantom, segment
    >>> ct = phantom.ct_truth("1.2.3", (8, 30, 40), "axial").volume
    >>> segment.threshold(ct, "bone").dicom.labels.names
    ['bone']
    >>> bool((segment.threshold(ct, 226) == segment.threshold(ct, "bone")).all())
    True
    """
    name = None
    if isinstance(low, str):
        name = low.strip().lower()
        if name not in TISSUE_RANGES:
            raise DicomLabError(f"no range is called {low!r}; there are {', '.join(TISSUE_RANGES)}")
        if high is not None:
            raise DicomLabError(
                f"the range of {name!r} has both ends; give numbers to choose others: threshold(volume, low, high)"
            )
        check_hu(volume, f"threshold(volume, {name!r})")
        low, high = TISSUE_RANGES[name]
    check_volume(volume, "threshold")
    low, high = limits(low, high, "threshold")
    return mask_like(volume, inside(volume.data, low, high), name=name)


def hysteresis(
    volume: xr.DataArray, low: float, high: float, *, connectivity: Connectivity = 26
) -> xr.DataArray:
    """Mask of the voxels of at least `low` that hang together with one of at least `high`.

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself. A lazy one is read step by step.
    low, high
        In the unit of the volume.
    connectivity
        6, 18 or 26 neighbours count as touching.

    Raises
    ------
    DicomLabError
        `low` is above `high`; colour or complex values.
    """
    check_volume(volume, "hysteresis")
    low_, high_ = limits(low, high, "hysteresis")
    if low_ is None or high_ is None:
        raise DicomLabError("hysteresis needs both low= and high=")

    def work(values: Array) -> Bools:
        found, count = labelled(inside(values, low_, None), connectivity)
        table = np.zeros(count + 1, dtype=np.bool_)
        table[found[inside(values, high_, None)]] = True
        table[0] = False
        return table[found]

    return mask_like(volume, each_step(volume, work, dtype=np.bool_))
