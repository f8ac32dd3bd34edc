"""Values of a volume on a plane, before any window: what every picture is made of.

``js/sample.js`` is its twin. Between voxels values are mixed along columns first, then rows, then slices, in float64, and
rounded to float32 once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.view.codec import as_seen
from dicomlab.view.grid import Grid
from dicomlab.view.plane import SLACK, Course, Plane, courses

__all__ = ["Interpolation", "Slab", "SlabMode", "Values", "sample", "slab_offsets"]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Indexes: TypeAlias = npt.NDArray[np.intp]
Values: TypeAlias = npt.NDArray[np.floating]

Interpolation: TypeAlias = Literal["nearest", "linear"]
SlabMode: TypeAlias = Literal["mip", "minip", "average"]


@dataclass(frozen=True)
class Slab:
    """A thick plane: the highest, lowest or mean value of several planes within `thickness` mm."""

    mode: SlabMode
    thickness: float


def slab_offsets(slab: Slab | None, finest: float) -> list[float]:
    """How far along the normal, in mm, the planes of a slab lie from its middle: `finest` apart or a little less."""
    if slab is None or not slab.thickness > 0:
        return [0.0]
    count = max(1, math.ceil(slab.thickness / finest - SLACK))
    step = slab.thickness / count
    return [(k - (count - 1) / 2) * step for k in range(count)]


def sample(
    grid: Grid,
    plane: Plane,
    interpolation: Interpolation = "linear",
    slab: Slab | None = None,
    *,
    coded: bool = True,
) -> Values:
    """Values under each pixel of a plane.

    Parameters
    ----------
    grid
        The volume. Of a lazy one only the slices that the plane touches are read.
    plane
        Where.
    interpolation
        Between voxels.
    slab
        How thick; None is the plane alone.
    coded
        Values as the browser has them, which are rounded to 16 bits a slice where they are no whole numbers.

    Returns
    -------
    numpy.ndarray
        (height, width), in the units of the volume; NaN where no voxel is: beyond half a voxel outside the outer centres.
        float32, as in the browser, or float64 where the values are not coded.
    """
    dtype: type[np.floating] = np.float32 if coded else np.float64
    offsets = slab_offsets(slab, grid.finest)
    total: _Floats | None = None
    count: _Floats | None = None
    for offset in offsets:
        values = _on_plane(grid, plane.moved(offset) if offset else plane, interpolation, coded)
        if len(offsets) == 1 or slab is None:
            return values.astype(dtype, copy=False)
        here = ~np.isnan(values)
        if total is None or count is None:
            total, count = values, here.astype(np.float64)
        elif slab.mode == "average":
            total = np.where(here, np.where(count > 0, total, 0.0) + values, total)
            count += here
        else:
            total = (np.fmax if slab.mode == "mip" else np.fmin)(total, values)
    assert total is not None
    assert count is not None
    if slab is not None and slab.mode == "average":
        with np.errstate(invalid="ignore"):
            total = np.where(count > 0, total / np.maximum(count, 1.0), np.nan)
    return total.astype(dtype, copy=False)


def _on_plane(grid: Grid, plane: Plane, interpolation: Interpolation, coded: bool) -> _Floats:
    ways = courses(grid, plane)
    nearest = interpolation == "nearest"
    shape = (plane.height, plane.width)
    if all(way.right == 0 or way.down == 0 for way in ways) and _distinct(ways):
        index = [_straight(way, plane) for way in ways]
    else:
        x = np.arange(plane.width, dtype=np.float64)[None, :]
        y = np.arange(plane.height, dtype=np.float64)[:, None]
        index = [way.index((way.start + y * way.down) + x * way.right) for way in ways]
    inside = np.ones(shape, dtype=bool)
    for at, way in zip(index, ways, strict=True):
        inside &= (at >= -0.5 - SLACK) & (at <= way.size - 0.5 + SLACK)
    if not inside.any():
        return np.full(shape, np.nan)
    held = [np.clip(at, 0.0, way.size - 1.0) for at, way in zip(index, ways, strict=True)]
    first, last = _reach(held[0], inside, nearest)
    block = np.asarray(grid.values.isel(slice=slice(first, last + 1)).values)
    if coded:
        block = as_seen(block)
    held[0] = np.clip(held[0] - first, 0.0, last - first)
    values = (_nearest if nearest else _linear)(block, held)
    return np.where(inside, np.broadcast_to(values, shape), np.nan)


def _distinct(ways: tuple[Course, Course, Course]) -> bool:
    return sum(way.right != 0 for way in ways) <= 1 and sum(way.down != 0 for way in ways) <= 1


def _straight(way: Course, plane: Plane) -> _Floats:
    """Indices along an axis that moves with the columns of pixels, their rows or neither: shape (1, n), (n, 1) or (1, 1)."""
    if way.right != 0:
        return way.along(plane.width, way.right)[None, :]
    return way.along(plane.height, way.down)[:, None] if way.down != 0 else way.along(1, 0.0)[None, :]


def _reach(index: _Floats, inside: npt.NDArray[np.bool_], nearest: bool) -> tuple[int, int]:
    """First and last slice that is touched."""
    there = np.broadcast_to(index, inside.shape)[inside]
    low, high = float(there.min()), float(there.max())
    return (int(low + 0.5), int(high + 0.5)) if nearest else (math.floor(low), math.ceil(high))


def _nearest(values: npt.NDArray[np.generic], index: list[_Floats]) -> _Floats:
    at = tuple(
        np.minimum(np.floor(i + 0.5).astype(np.intp), n - 1) for i, n in zip(index, values.shape, strict=True)
    )
    return np.asarray(values[at], dtype=np.float64)


def _linear(values: npt.NDArray[np.generic], index: list[_Floats]) -> _Floats:
    (s, t, ws), (r, u, wr), (c, v, wc) = (_neighbours(i) for i in index)

    def line(k: _Indexes, i: _Indexes) -> _Floats:
        return _mix(_held(values[k, i, c]), _held(values[k, i, v]), wc)

    def sheet(k: _Indexes) -> _Floats:
        return _mix(line(k, r), line(k, u), wr)

    return _mix(sheet(s), sheet(t), ws)


def _held(values: npt.NDArray[np.generic]) -> _Floats:
    return np.asarray(values, dtype=np.float64)


def _neighbours(index: _Floats) -> tuple[_Indexes, _Indexes, _Floats]:
    """The voxel before, the one after and the way between them; one voxel twice where the way is 0."""
    before = np.floor(index)
    way = index - before
    first = before.astype(np.intp)
    return first, first + (way > 0), way


def _mix(a: _Floats, b: _Floats, way: _Floats) -> _Floats:
    """What lies `way` from `a` to `b`; of equal ones that one, and an infinite one stays so."""
    with np.errstate(invalid="ignore"):
        mixed = a + way * (b - a)
    return np.where((a == b) | (np.isinf(a) & np.isfinite(b)), a, mixed)
