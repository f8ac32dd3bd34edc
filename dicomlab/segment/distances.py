"""Distances in mm, and what is made of them: `distance`, `dilate`, `erode`, `opening`, `closing`, `smooth`.

Lengths are exact and Euclidean, from voxel centre to voxel centre, whatever the spacing is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks import check_mask
from dicomlab.regrid.threads import usable
from dicomlab.segment.steps import (
    Array,
    Bools,
    Lengths,
    alike,
    boxes,
    check_number,
    each_part,
    each_step,
    grown,
    lengths,
    measured,
    numbers,
    upright,
    within,
)

__all__ = ["closing", "dilate", "distance", "erode", "millimetres", "opening", "smooth", "squared"]

Work: TypeAlias = Callable[[Bools, Lengths], Bools]

_ROUNDING = 1e-5
"""Part of a squared length: three steps of 0.7 mm are 2.1 mm, in single precision too."""


def squared(values: Bools, known: Lengths) -> npt.NDArray[np.float32]:
    """mm² from each True voxel to the nearest False one, 0 where False, infinite where there is none.

    Nothing is known beyond the border of the array: it counts as neither.
    """
    import edt

    if known.slices is None:
        found: npt.NDArray[np.float32] = edt.edtsq(values, anisotropy=known.spacing, parallel=usable())
        return found
    # Uneven slices: within each slice first, then along the slices, from each to its neighbours, the nearest first, until
    # none further away could be nearer. Distances along perpendicular axes add up as squares, so this is exact.
    planes = np.stack([edt.edtsq(plane, anisotropy=known.spacing[1:]) for plane in values])
    out = np.empty_like(planes)
    for k, x in enumerate(known.slices):
        best = planes[k].copy()
        gaps = (known.slices - x) ** 2
        for j in np.argsort(gaps, kind="stable")[1:]:
            if gaps[j] >= best.max(initial=0):
                break
            np.minimum(best, planes[j] + np.float32(gaps[j]), out=best)
        out[k] = best
    return out


def millimetres(mm: object, what: str) -> float:
    """A length, checked."""
    return check_number(mm, f"mm of {what}, a length in millimetres,")


def distance(mask: xr.DataArray) -> xr.DataArray:
    """Volume of the distance in mm to the mask: positive outside, negative inside.

    Outside, from the centre of a voxel to the centre of the nearest one inside; inside, to that of the nearest one outside,
    as a negative number. So two neighbours across the surface differ by two steps, and no value is 0.

    Parameters
    ----------
    mask
        Bool, or with ``segment``; each segment and each step of further axes by itself. Slices may be uneven.

    Returns
    -------
    xarray.DataArray
        float32, in mm. Without any voxel inside it is infinite, without any outside minus infinite.

    Raises
    ------
    GeometryError
        Slices are tilted, or rows or columns uneven.
    DicomLabError
        The mask is a label map: ``distance(mask == 2)`` is that of one label.
    """
    if check_mask(mask) == "labels":
        raise DicomLabError(
            "a distance is one of one mask, found a label map; of one label: distance(mask == 2)"
        )
    known = lengths(mask, "distance", uneven=True)

    def work(values: Array) -> Array:
        inner = upright(values)
        found = np.sqrt(squared(~inner, known))
        # Each voxel has one of the two.
        within_it = squared(inner, known)
        np.sqrt(within_it, out=within_it)
        found -= np.where(inner, within_it, np.float32(0))
        return found

    return measured(mask, each_step(mask, work, dtype=np.float32), name="distance", units="mm")


def _dilated(values: Bools, mm: float, known: Lengths) -> Bools:
    found = squared(~values, known)
    return found <= np.float32(mm * mm * (1 + _ROUNDING))


def _eroded(values: Bools, mm: float, known: Lengths) -> Bools:
    found = squared(values, known)
    kept: Bools = found > np.float32(mm * mm * (1 + _ROUNDING))
    kept &= values
    return kept


def dilate(mask: xr.DataArray, mm: float) -> xr.DataArray:
    """The mask and all voxels whose centres are at most so many mm from that of one of its voxels.

    Parameters
    ----------
    mask
        Any mask. Labels of a label map grow into free voxels only; where two reach one, the lower number has it.
    mm
        Radius of the ball. Slices may be uneven.

    Raises
    ------
    GeometryError
        Slices are tilted, or rows or columns uneven.
    DicomLabError
        `mm` is no length, or the values are no mask.
    """
    radius, known = millimetres(mm, "dilate"), lengths(mask, "dilate", uneven=True)
    return each_part(
        mask, lambda values: _within(values, known, radius, lambda part, k: _dilated(part, radius, k))
    )


def erode(mask: xr.DataArray, mm: float) -> xr.DataArray:
    """The voxels of the mask whose centres are more than so many mm from that of every voxel outside it.

    What lies beyond the border of the volume is not known, and takes nothing away. Parameters and errors as of `dilate`.
    """
    radius, known = millimetres(mm, "erode"), lengths(mask, "erode", uneven=True)
    return each_part(
        mask, lambda values: _within(values, known, 0.0, lambda part, k: _eroded(part, radius, k))
    )


def opening(mask: xr.DataArray, mm: float) -> xr.DataArray:
    """The mask without what no ball of so many mm radius fits into: eroded, then dilated. As `dilate`."""
    radius, known = millimetres(mm, "opening"), lengths(mask, "opening", uneven=True)

    def work(part: Bools, k: Lengths) -> Bools:
        return _dilated(_eroded(part, radius, k), radius, k)

    return each_part(mask, lambda values: _within(values, known, 0.0, work))


def closing(mask: xr.DataArray, mm: float) -> xr.DataArray:
    """The mask and what around it no ball of so many mm radius fits into: dilated, then eroded. As `dilate`."""
    radius, known = millimetres(mm, "closing"), lengths(mask, "closing", uneven=True)

    def work(part: Bools, k: Lengths) -> Bools:
        return _eroded(_dilated(part, radius, k), radius, k)

    return each_part(mask, lambda values: _within(values, known, radius, work))


def _within(values: Bools, known: Lengths, mm: float, work: Work) -> Bools:
    """`work` done in the box of what is there, with one voxel more than `mm` reaches, so that its border is outside."""
    box = boxes(values)
    out = np.zeros_like(values)
    if box is not None:
        where = grown(box, known.reach(mm), values.shape)
        slices = None if known.slices is None else known.slices[where[0]]
        part = np.ascontiguousarray(values[where])
        out[where] = work(part, Lengths(known.spacing, slices))
    return out


def smooth(mask: xr.DataArray, mm: float) -> xr.DataArray:
    """The mask with a smoother surface: blurred by a Gaussian, and where it weighs most after that.

    What is much smaller than `mm` goes; the volume of what is larger hardly changes.

    Parameters
    ----------
    mask
        Any mask. Of a label map the label with the most weight has a voxel, or none, so that neighbours stay neighbours.
    mm
        Standard deviation of the Gaussian.

    Raises
    ------
    GeometryError
        Slices are tilted or uneven.
    DicomLabError
        `mm` is no length, or the values are no mask.
    """
    from scipy.ndimage import gaussian_filter

    width = millimetres(mm, "smooth")
    known = lengths(mask, "smooth")
    sigma = [width / step for step in known.spacing]
    by = known.reach(4 * width)

    def weight(values: Bools) -> Array:
        # The border of the volume goes on as it is.
        found: Array = gaussian_filter(values.astype(np.float32), sigma, mode="nearest", truncate=4.0)
        return found

    if check_mask(mask) != "labels":
        return each_part(mask, lambda values: within(values, by, lambda part: weight(part) >= 0.5))

    def most(values: Array) -> Array:
        best = weight(values == 0)
        out = np.zeros_like(values)
        for value in numbers(values):
            one = weight(values == value)
            here = one >= best if value == numbers(values)[0] else one > best
            best[here] = one[here]
            out[here] = value
        return out

    return alike(mask, each_step(mask, most, dtype=mask.dtype))
