"""What every helper starts and ends with: plain arrays of one step each, lengths in mm, and a mask on the same grid again."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import check_grid, check_mask, mask_like, slice_volumes

__all__ = [
    "Array",
    "Bools",
    "Lengths",
    "alike",
    "boxes",
    "check_count",
    "check_number",
    "check_volume",
    "each_part",
    "each_step",
    "grown",
    "lengths",
    "measured",
    "numbers",
    "plain",
    "upright",
    "voxel_ml",
    "within",
]

Array = npt.NDArray[Any]
Bools = npt.NDArray[np.bool_]

_TILT = 0.1
"""Degrees of tilt up to which distances in mm are those of an upright grid: 0.2 % of a length."""


def check_volume(volume: xr.DataArray, what: str) -> None:
    """Refuse what has no single real value at each voxel."""
    if not isinstance(volume, xr.DataArray):
        raise DicomLabError(
            f"{what} takes a volume (xarray.DataArray), found {type(volume).__name__}; "
            "dicomlab.make_volume makes one of an array"
        )
    if volume.dtype.kind not in "biuf" or "sample" in volume.dims:
        mend = (
            "Take the magnitude first: abs(volume)."
            if volume.dtype.kind == "c"
            else "Take one colour (volume.isel(sample=0)) or their mean first."
        )
        raise DicomLabError(
            f"{what} looks at one real value at each voxel; found {volume.dtype} with dims {volume.dims}. {mend}"
        )
    Geometry.from_volume(volume)
    if not volume.size:
        raise DicomLabError(f"{what} needs voxels, found none: {dict(volume.sizes)}")


def check_number(
    value: object, what: str, *, least: float = 0.0, most: float = math.inf, above: bool = False
) -> float:
    """One finite number from `least` to `most`, or `above` the least; anything else is an error."""
    fits = isinstance(value, (int, float, np.number)) and not isinstance(value, (bool, np.complexfloating))
    if fits:
        number = float(value)  # type: ignore[arg-type]
        if math.isfinite(number) and least <= number <= most and not (above and number == least):
            return number
    span = (
        f"above {least:g}"
        if above
        else f"{least:g} or more"
        if most == math.inf
        else f"from {least:g} to {most:g}"
    )
    raise DicomLabError(f"{what} is one number, {span}; found {value!r}")


def check_count(value: object, what: str, *, least: int = 1, most: int | None = None) -> int:
    """One whole number from `least` to `most`; anything else is an error."""
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        number = int(value)
        if number >= least and (most is None or number <= most):
            return number
    span = f"{least} or more" if most is None else f"from {least} to {most}"
    raise DicomLabError(f"{what} is a whole number, {span}; found {value!r}")


# -- plain arrays -----------------------------------------------------------------------------------------------------


def _turns(volume: xr.DataArray) -> tuple[slice, slice, slice]:
    """What makes slices, rows and columns rise, and undoes itself: no result depends on the order that voxels are kept in."""
    found = [
        slice(None, None, -1 if x.size > 1 and x[-1] < x[0] else 1)
        for x in Geometry.from_volume(volume).positions
    ]
    return found[0], found[1], found[2]


def plain(volume: xr.DataArray) -> Array:
    """The values of one step, shape (slices, rows, columns), along rising axes; an axis that was picked away has length 1."""
    present = [name for name in AXES if name in volume.dims]
    values = np.asarray(volume.transpose(*present).values)
    shape = [volume.sizes.get(name, 1) for name in AXES]
    return np.ascontiguousarray(values.reshape(shape)[_turns(volume)])


def _back(values: Array, volume: xr.DataArray) -> Array:
    """What `plain` undone gives of values (…further axes…, slices, rows, columns): the dims of the volume."""
    further = [dim for dim in volume.dims if dim not in AXES]
    present = [name for name in AXES if name in volume.dims]
    values = values[(..., *_turns(volume))]
    values = values.reshape([volume.sizes[dim] for dim in [*further, *present]])
    order = [[*further, *present].index(dim) for dim in volume.dims]
    return values.transpose(order)


def each_step(
    volume: xr.DataArray, work: Callable[..., Array], *others: xr.DataArray | None, dtype: Any
) -> Array:
    """`work` done on the array of each step of the further axes, with those of `others`; in the dims of the volume.

    Others are masks on the same grid; where they lack a further axis they are the same for all its steps.
    """
    for other in others:
        if other is not None:
            check_mask(other)
            check_grid(other, volume)
            if strange := [dim for dim in other.dims if dim not in (*volume.dims, *AXES)]:
                raise DicomLabError(
                    f"the mask has an axis that the volume lacks, {strange[0]!r}; pick one step of it: "
                    f"mask.isel({strange[0]}=0)"
                )
    further = [dim for dim in volume.dims if dim not in AXES]
    sizes = [volume.sizes[dim] for dim in further]
    out: Array | None = None
    for index in np.ndindex(*sizes):
        at = dict(zip(further, index, strict=True))
        given = [
            None
            if other is None
            else plain(other.isel({dim: k for dim, k in at.items() if dim in other.dims}))
            for other in others
        ]
        found = work(plain(volume.isel(at)), *given)
        if not further:
            return _back(found.astype(dtype, copy=False), volume)
        if out is None:
            out = np.empty((*sizes, *found.shape), dtype)
        out[index] = found
    assert out is not None
    return _back(out, volume)


def upright(values: Array) -> Bools:
    """Where a bool mask, or fractions from 0.5 on, are."""
    return values if values.dtype == np.bool_ else values >= 0.5


# -- masks ------------------------------------------------------------------------------------------------------------


def alike(mask: xr.DataArray, values: Array) -> xr.DataArray:
    """A mask with the names that another has."""
    made = mask_like(mask, values, name=None if mask.name is None else str(mask.name))
    kept = {k: v for k, v in mask.attrs.items() if k in ("labels", "flag_values", "flag_meanings")}
    return made.assign_attrs(kept) if kept else made


def each_part(mask: xr.DataArray, work: Callable[[Bools], Bools]) -> xr.DataArray:
    """`work` done on each label of each step. Labels of a label map never take voxels of one another.

    Where two of them reach one free voxel, the lower number has it.
    """
    form = check_mask(mask)
    if form != "labels":
        return alike(mask, each_step(mask, lambda values: work(upright(values)), dtype=np.bool_))

    def every(values: Array) -> Array:
        out = np.zeros_like(values)
        for value in numbers(values):
            here = values == value
            here |= values == 0
            here &= out == 0
            here &= work(values == value)
            out[here] = value
        return out

    return alike(mask, each_step(mask, every, dtype=mask.dtype))


def numbers(values: Array) -> list[int]:
    """The labels that occur in an array, rising."""
    there = np.zeros(int(values.max(initial=0)) + 1, dtype=bool)
    for plane in values:
        there[plane.ravel()] = True
    return [int(n) for n in np.flatnonzero(there) if n]


def measured(mask: xr.DataArray, values: Array, *, name: str, units: str) -> xr.DataArray:
    """A volume of values on the grid of a mask."""
    empty = np.broadcast_to(np.zeros((), np.bool_), values.shape)
    made = mask_like(mask, empty).copy(data=values)
    made.name = name
    return made.assign_attrs(units=units)


# -- lengths ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Lengths:
    """How far voxels lie apart.

    Parameters
    ----------
    spacing
        mm between slices, rows and columns; 1 along an axis of one voxel. Of uneven slices the median.
    slices
        Rising positions of the slices in mm where they are uneven, else None.
    """

    spacing: tuple[float, float, float]
    slices: npt.NDArray[np.float64] | None = None

    def reach(self, mm: float) -> tuple[int, int, int]:
        """How many voxels hold so many mm along each axis, at most."""
        steps = list(self.spacing)
        if self.slices is not None:
            steps[0] = float(np.diff(self.slices).min())
        # Never more than any array is long: a slip (mm=1e9) costs nothing.
        found = [int(min(np.ceil(mm / step), 1 << 20)) + 1 for step in steps]
        return found[0], found[1], found[2]


def lengths(volume: xr.DataArray, what: str, *, uneven: bool = False) -> Lengths:
    """How far voxels lie apart, where rows, columns and slices are even and upright; `uneven` slices where they are allowed.

    Raises
    ------
    GeometryError
        They are not; the message names what mends it.
    """
    geometry = Geometry.from_volume(volume)
    if geometry.slice.size > 1 and geometry.tilt > _TILT:
        raise GeometryError(
            f"{what} counts in mm, and slices of this volume are tilted by {geometry.tilt:.1f} degrees; "
            "volume.dicom.rectify() makes them upright first"
        )
    spacing = [1.0 if x.size == 1 else s for x, s in zip(geometry.positions, geometry.spacing, strict=True)]
    for name, x in zip(AXES, geometry.positions, strict=True):
        if x.size > 1 and not np.diff(np.sort(x)).min() > 0:
            raise GeometryError(
                f"{what} counts in mm; two {name} positions of this volume are one. Drop one (isel)."
            )
    known = (spacing[0], spacing[1], spacing[2])
    if geometry.is_uniform:
        return Lengths(known)
    flat = Geometry(
        geometry.direction,
        geometry.slice[:1],
        geometry.row,
        geometry.column,
        geometry.frame_of_reference,
    )
    if not flat.is_uniform:
        raise GeometryError(
            f"{what} counts in mm, and rows or columns of this volume are uneven; resample it: "
            "volume.dicom.resample(spacing=…)"
        )
    if not uneven:
        raise GeometryError(
            f"{what} needs even slices, and those of this volume are uneven; volume.dicom.regularize() makes them even"
        )
    return Lengths(known, np.sort(geometry.slice))


def voxel_ml(volume: xr.DataArray, what: str) -> npt.NDArray[np.float64]:
    """Millilitres of one voxel in each slice, slices rising; uneven slices reach half way to their neighbours.

    Raises
    ------
    GeometryError
        A lone slice, row or column does not know its step.
    """
    geometry = Geometry.from_volume(volume)
    found = slice_volumes(geometry) / 1000
    if not np.isfinite(found).all():
        raise GeometryError(
            f"{what} counts in ml, and nobody knows how thick a lone slice, row or column of this volume is; "
            "volume.isel(slice=[k]) instead of an integer keeps the step of the volume it is cut from"
        )
    return found[_turns(volume)[0]]


def boxes(values: Bools) -> tuple[slice, slice, slice] | None:
    """The box that holds every True, or None where there is none."""
    planes = np.array([plane.any() for plane in values])
    held = np.flatnonzero(planes)
    if not held.size:
        return None
    first, last = int(held[0]), int(held[-1]) + 1
    flat = values[first]
    for plane in values[first + 1 : last]:
        flat = flat | plane
    found = [slice(first, last)]
    for axis in (1, 0):
        line = np.flatnonzero(flat.any(axis=axis))
        found.append(slice(int(line[0]), int(line[-1]) + 1))
    return found[0], found[1], found[2]


def grown(
    box: tuple[slice, slice, slice], by: tuple[int, int, int], shape: tuple[int, ...]
) -> tuple[slice, slice, slice]:
    """A box with so many voxels more on each side, within the array."""
    found = [
        slice(max(0, one.start - more), min(size, one.stop + more))
        for one, more, size in zip(box, by, shape, strict=True)
    ]
    return found[0], found[1], found[2]


def within(values: Bools, by: tuple[int, int, int], work: Callable[[Bools], Bools]) -> Bools:
    """`work` done on a copy of the part of an array that holds something, and so much around it; nothing elsewhere."""
    box = boxes(values)
    out = np.zeros_like(values)
    if box is not None:
        where = grown(box, by, values.shape)
        out[where] = work(values[where].copy())
    return out
