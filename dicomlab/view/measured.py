"""Lengths, angles and areas in patient mm, and which voxels lie inside an area.

``js/measured.js`` is its twin: the same operations on the same float64 numbers in the same order, so that page and kernel find
the same voxels.

An area is measured on voxels, never on interpolated pixels. Its plane goes through one voxel of every line of voxels along the
axis that it cuts most squarely; of these it has those whose centres, seen along its normal, lie inside. On a plane of the
images these are the voxels of one slice; on an oblique one those that the plane goes through. So the voxels of the statistics
are those of the mask.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab.view.grid import Grid
from dicomlab.view.plane import SLACK, Vector, cross, dot

__all__ = [
    "AREAS",
    "Statistics",
    "angle_of",
    "area_of",
    "frame_of",
    "length_of",
    "statistics",
    "voxel_at",
    "voxels_inside",
]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Indexes: TypeAlias = npt.NDArray[np.intp]
Voxels: TypeAlias = tuple[_Indexes, _Indexes, _Indexes]

AREAS = ("rectangle", "ellipse", "polygon", "freehand")
"""The kinds that have an area."""

_STILL = 1e-9  # mm a mm: an axis that leans no more than this out of a plane lies in it
_FACE = 1e-6  # mm beyond the outer face of a volume that still count


@dataclass(frozen=True)
class Statistics:
    """What is said of values: of `n` voxels, those without a number left out.

    ``sd`` is the standard deviation of just these voxels (divided by n).
    """

    n: int
    mean: float
    sd: float
    min: float
    max: float


def length_of(points: Sequence[Vector]) -> float:
    """Length in mm of the lines from point to point."""
    total = 0.0
    for a, b in pairwise(points):
        total += _norm(_minus(b, a))
    return total


def angle_of(points: Sequence[Vector]) -> float:
    """Angle in degrees, 0 to 180, at the second of three points."""
    a, b = _minus(points[0], points[1]), _minus(points[2], points[1])
    return math.atan2(_norm(cross(a, b)), dot(a, b)) * (180.0 / math.pi)


def area_of(kind: str, points: Sequence[Vector], normal: Vector) -> float:
    """Area in mm² of an outline, seen along its normal; where it crosses itself, parts of opposite turn cancel."""
    flat = _flat(points, *frame_of(normal))
    if kind == "ellipse":
        _, a, b = _half_axes(flat)
        return math.pi * math.sqrt(a[0] * a[0] + a[1] * a[1]) * math.sqrt(b[0] * b[0] + b[1] * b[1])
    total = 0.0
    for (x, y), (s, t) in zip(flat, [*flat[1:], flat[0]], strict=True):
        total += x * t - s * y
    return abs(total) / 2


def frame_of(normal: Vector) -> tuple[Vector, Vector]:
    """Two unit vectors that span a plane; of a plane across a patient axis they are the other two."""
    sizes = [abs(x) for x in normal]
    axis = sizes.index(min(sizes))
    return _upright(normal, (1.0 if axis == 0 else 0.0, 1.0 if axis == 1 else 0.0, 1.0 if axis == 2 else 0.0))


def voxels_inside(kind: str, points: Sequence[Vector], normal: Vector, grid: Grid) -> Voxels:
    """Indices (slice, row, column), each of shape (n,), of the voxels whose centres lie inside an area.

    A centre on the outline counts on one side of the area and not on the other, so that two that share an edge share no voxel.
    """
    d = grid.direction.tolist()
    leans = [dot(normal, (d[0][k], d[1][k], d[2][k])) for k in range(3)]
    sizes = [abs(x) for x in leans]
    axis = sizes.index(max(sizes))
    i, j = (k for k in range(3) if k != axis)
    first = points[0]
    level = dot(normal, first)
    lines = [np.asarray(line, dtype=np.float64) for line in grid.axes]
    picks = [_near(grid, points, kind, k, _widest(grid, axis)) for k in (i, j)]
    a, b = lines[i][picks[0]][:, None], lines[j][picks[1]][None, :]
    ni, nj = (0.0 if abs(leans[k]) < _STILL else leans[k] for k in (i, j))
    at = (level - (a * ni + b * nj)) / leans[axis]
    low, high = _faces(grid, axis)
    index = _nearest(lines[axis], at)
    mm: list[_Floats] = [a, b]
    mm.insert(axis, lines[axis][index])
    x, y, z = ((d[m][0] * mm[0] + d[m][1] * mm[1] + d[m][2] * mm[2]) - first[m] for m in range(3))
    right, down = _upright(normal, (d[0][j], d[1][j], d[2][j]))
    u = x * right[0] + y * right[1] + z * right[2]
    v = x * down[0] + y * down[1] + z * down[2]
    there = (at >= low - _FACE) & (at <= high + _FACE) & _inside(kind, _flat(points, right, down), u, v)
    at_i, at_j = np.nonzero(np.broadcast_to(there, (picks[0].size, picks[1].size)))
    found = [picks[0][at_i], picks[1][at_j]]
    found.insert(axis, np.broadcast_to(index, there.shape)[at_i, at_j])
    return found[0], found[1], found[2]


def voxel_at(point: Vector, grid: Grid) -> tuple[int, int, int] | None:
    """The voxel that holds a position, or None outside."""
    index = []
    for axis in range(3):
        at = dot(grid.inverse[axis], point)
        low, high = _faces(grid, axis)
        if not low - _FACE <= at <= high + _FACE:
            return None
        index.append(int(_nearest(np.asarray(grid.axes[axis]), np.array([at]))[0]))
    return index[0], index[1], index[2]


def statistics(values: npt.NDArray[np.generic]) -> Statistics:
    """Statistics of values of any shape; NaN of none."""
    known = np.asarray(values, dtype=np.float64).ravel()
    known = known[~np.isnan(known)]
    if known.size == 0:
        return Statistics(0, math.nan, math.nan, math.nan, math.nan)
    with np.errstate(invalid="ignore"):  # of infinite values there is no deviation
        return Statistics(
            int(known.size), float(known.mean()), float(known.std()), float(known.min()), float(known.max())
        )


# ---- the plane of an area --------------------------------------------------------------------------------------------


def _minus(a: Vector, b: Vector) -> Vector:
    return a[0] - b[0], a[1] - b[1], a[2] - b[2]


def _norm(a: Vector) -> float:
    return math.sqrt(dot(a, a))


def _upright(normal: Vector, along: Vector) -> tuple[Vector, Vector]:
    """Two unit vectors that span a plane, the first of them as far along a vector as it can be."""
    share = dot(normal, along)
    part = (along[0] - share * normal[0], along[1] - share * normal[1], along[2] - share * normal[2])
    size = _norm(part)
    right = (part[0] / size, part[1] / size, part[2] / size)
    return right, cross(normal, right)


def _flat(points: Sequence[Vector], right: Vector, down: Vector) -> list[tuple[float, float]]:
    """mm along the two vectors of a plane, from the first point."""
    apart = [_minus(point, points[0]) for point in points]
    return [(dot(one, right), dot(one, down)) for one in apart]


_Pair: TypeAlias = tuple[float, float]


def _half_axes(flat: Sequence[_Pair]) -> tuple[_Pair, _Pair, _Pair]:
    """The middle of an ellipse, and from there to the second end of each of its axes."""
    (a, b), (c, d), (e, f), (g, h) = flat
    return ((a + c) / 2, (b + d) / 2), ((c - a) / 2, (d - b) / 2), ((g - e) / 2, (h - f) / 2)


def _inside(kind: str, flat: Sequence[_Pair], u: _Floats, v: _Floats) -> npt.NDArray[np.bool_]:
    if kind == "ellipse":
        (x, y), a, b = _half_axes(flat)
        with np.errstate(divide="ignore", invalid="ignore"):  # an ellipse without a width holds nothing
            s = ((u - x) * a[0] + (v - y) * a[1]) / np.float64(a[0] * a[0] + a[1] * a[1])
            t = ((u - x) * b[0] + (v - y) * b[1]) / np.float64(b[0] * b[0] + b[1] * b[1])
            return s * s + t * t <= 1
    odd = np.zeros(u.shape, dtype=bool)
    for (x, y), (p, q) in zip(flat, [*flat[1:], flat[0]], strict=True):
        if y != q:
            odd ^= ((y > v) != (q > v)) & (u < (p - x) * (v - y) / (q - y) + x)
    return odd


# ---- the lines of voxels ---------------------------------------------------------------------------------------------


def _widest(grid: Grid, axis: int) -> float:
    """mm, the largest step of an axis."""
    line = grid.axes[axis]
    return float(np.abs(np.diff(line)).max()) if line.size > 1 else abs(grid.ruler(axis)[1] or 1.0)


def _faces(grid: Grid, axis: int) -> tuple[float, float]:
    """mm of the outer faces along an axis, the lower one first."""
    line = grid.axes[axis]
    n = line.size
    step = grid.ruler(axis)[1] or 1.0
    first, last = (
        (float(line[1] - line[0]), float(line[n - 1] - line[n - 2])) if n > 1 else (float(step), float(step))
    )
    ends = float(line[0]) - first / 2, float(line[n - 1]) + last / 2
    return min(ends), max(ends)


def _near(grid: Grid, points: Sequence[Vector], kind: str, axis: int, margin: float) -> _Indexes:
    """The indices along an axis that an area can reach; what lies a voxel beside its plane may lean inwards by `margin`."""
    box = list(points)
    if kind == "ellipse":
        a, b, c, e = points
        m = tuple((x + y) / 2 for x, y in zip(a, b, strict=True))
        # The corners of the rectangle around it.
        box = [
            cast(
                Vector,
                tuple(p + q - r for p, q, r in zip(one, other, m, strict=True)),
            )
            for one in (a, b)
            for other in (c, e)
        ]
    at = [dot(grid.inverse[axis], point) for point in box]
    line = grid.axes[axis]
    return np.flatnonzero((line >= min(at) - margin) & (line <= max(at) + margin))


def _nearest(line: _Floats, at: _Floats) -> _Indexes:
    """Indices of the voxels that are drawn at places: half way between two the higher index, as in ``sample``."""
    if line.size == 1:
        return np.zeros(at.shape, dtype=np.intp)
    if line[-1] >= line[0]:
        low = np.searchsorted(line, at, side="right") - 1
    else:
        low = np.searchsorted(-line, -at, side="left") - 1
    low = np.clip(low, 0, line.size - 2)
    nearest = np.where(np.abs(line[low + 1] - at) < np.abs(line[low] - at), low + 1, low)
    last = np.minimum(nearest, line.size - 2)
    step = np.abs(line[last + 1] - line[last])
    tie = np.abs(line[last + 1] - at) - np.abs(line[last] - at) <= 2 * SLACK * step
    return np.where(tie & (nearest == last), last + 1, nearest)
