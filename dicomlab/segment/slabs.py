"""How far planes of contours reach, and which voxels lie in which: closed contours as a solid made of slabs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.geometry import Geometry
from dicomlab.segment.outlines import ONE_PLANE, STILL, Outlines, Planes, slice_steps
from dicomlab.segment.scanlines import Lines

__all__ = ["Slab", "Sweep", "contours_by_level", "plane_slab", "skips_slices", "slabs_of"]

FloatArray = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

_HAIR = 1e-6
"""mm: faces of slabs lie this much lower, so that rounding does not decide about voxels on them."""
_ASIDE = (1e-6, 1e-9)
"""mm along u and v: voxel centres are looked at this much aside, so that it does not decide about those on an edge."""
_CLOSE = 1.5
"""Planes meet half way where they lie no more than this many times the usual distance apart."""


@dataclass(frozen=True, eq=False)
class Slab:
    """What one plane of contours stands for: all between two faces.

    Parameters
    ----------
    low, high
        Heights in mm along the normal, shape ``(1, 1, 1)``, or one for each voxel along one of slice, row, column.
    contours
        Those that lie in it.
    """

    low: FloatArray
    high: FloatArray
    contours: Indexes


def slabs_of(
    outlines: Outlines, planes: Planes, geometry: Geometry, thickness: FloatArray | None
) -> list[Slab]:
    """The solid that contours stand for.

    Parameters
    ----------
    thickness
        Of the slab of each contour, mm. None: where all lie on slices, each is its slice and nothing else; elsewhere they reach
        half the usual distance between them.
    """
    if thickness is None and (on := planes.slices(geometry)) is not None:
        reach = 0.5 * np.nan_to_num(slice_steps(geometry), nan=ONE_PLANE)
        return [
            _slab(geometry.slice[k] - reach[k], geometry.slice[k] + reach[k], np.flatnonzero(on == k))
            for k in np.unique(on[on >= 0]).tolist()
        ]
    levels, members = _levels(planes.heights, planes.apart)
    gaps = np.diff(levels)
    if thickness is not None:
        own, close = np.array([thickness[some].max() for some in members]), 1.01
    elif gaps.size:
        own, close = np.full(levels.size, float(np.median(gaps))), _CLOSE
    else:
        return [plane_slab(float(levels[0]), planes.normal, geometry, members[0])]
    below, above = own / 2, own / 2
    meet = gaps <= close * (own[1:] + own[:-1]) / 2
    below[1:] = np.where(meet, gaps / 2, np.minimum(below[1:], gaps / 2))
    above[:-1] = np.where(meet, gaps / 2, np.minimum(above[:-1], gaps / 2))
    return [
        _slab(level - down, level + up, some)
        for level, down, up, some in zip(levels, below, above, members, strict=True)
    ]


def _slab(low: float, high: float, contours: Indexes) -> Slab:
    return Slab(np.full((1, 1, 1), low), np.full((1, 1, 1), high), contours)


def contours_by_level(planes: Planes) -> list[Indexes]:
    """Which contours lie in one plane, from the lowest on."""
    return _levels(planes.heights, planes.apart)[1]


def _levels(heights: FloatArray, within: float) -> tuple[FloatArray, list[Indexes]]:
    """The different heights, rising, and which contours lie at each."""
    order = np.argsort(heights, kind="stable")
    rising = heights[order]
    starts = [0]
    while (after := int(np.searchsorted(rising, rising[starts[-1]] + within, side="right"))) < rising.size:
        starts.append(after)
    members = np.split(order, starts[1:])
    return np.array([heights[some].mean() for some in members]), members


def skips_slices(planes: Planes, geometry: Geometry) -> bool:
    """Whether contours lie on slices, but never on two neighbours, as if they had been drawn on every second or third."""
    on = planes.slices(geometry)
    if on is None:
        return False
    _, rank = np.unique(geometry.slice, return_inverse=True)
    used = np.unique(rank.ravel()[on[on >= 0]])
    return used.size > 2 and int(np.diff(used).min()) > 1


def plane_slab(level: float, normal: FloatArray, geometry: Geometry, contours: Indexes) -> Slab:
    """A plane that takes one voxel of each line of voxels along the axis that it cuts most squarely: that which holds it."""
    leans = normal @ geometry.direction
    axis = int(np.argmax(np.abs(leans) / np.linalg.norm(geometry.direction, axis=0)))
    x, lone = geometry.positions[axis], geometry.lone_steps[axis]
    levels, which = np.unique(x, return_inverse=True)
    gaps = np.diff(levels) / 2
    # Beyond its outer centres a volume reaches half the outer gap, a lone voxel half its step.
    ends = gaps[[0, -1]] if gaps.size else np.full(2, np.nan_to_num(abs(lone), nan=2 * ONE_PLANE) / 2)
    below, above = np.append(ends[0], gaps)[which.ravel()], np.append(gaps, ends[1])[which.ravel()]
    if leans[axis] < 0:
        below, above = above, below
    shape = [1, 1, 1]
    shape[axis] = x.size
    # The plane lies up to `above` above the centre of a voxel that holds it: so the centre lies as far below the plane.
    low, high = level - abs(leans[axis]) * above, level + abs(leans[axis]) * below
    return Slab(low.reshape(shape), high.reshape(shape), contours)


@dataclass(frozen=True, eq=False)
class Sweep:
    """A grid as lines of voxels, all along the axis that leans least out of the planes of contours.

    Parameters
    ----------
    normal
        Of the planes.
    axis
        That axis: 0, 1 or 2 of slice, row and column.
    order
        Its voxels as positions rise.
    across
        Unit vectors u and v in the planes, shape ``(2, 3)``; lines run along u.
    """

    geometry: Geometry
    normal: FloatArray
    axis: int
    order: Indexes
    across: FloatArray

    @classmethod
    def of(cls, geometry: Geometry, planes: Planes) -> Sweep:
        """The sweep for planes; of those of the slices, u is along columns and v along rows."""
        direction, normal = geometry.direction, planes.normal
        if planes.are_slices:
            axis, u, v = 2, direction[:, 2], direction[:, 1]
        else:
            lean = np.abs(normal @ direction) / np.linalg.norm(direction, axis=0)
            axis = 2 - int(np.argmin(lean[::-1]))
            u = direction[:, axis] - (normal @ direction[:, axis]) * normal
            u = u / np.linalg.norm(u)
            v = np.cross(normal, u)
        order = np.argsort(geometry.positions[axis], kind="stable")
        return cls(geometry, normal, axis, order, np.stack([u, v]))

    @property
    def x(self) -> FloatArray:
        """Positions of the voxels of a line, rising."""
        return self.geometry.positions[self.axis][self.order]

    def lines(self, slab: Slab) -> Lines:
        """The lines that run through a slab, numbered as they lie in an array whose last axis is `axis`."""
        i, j = (k for k in range(3) if k != self.axis)
        a, b = self.geometry.positions[i], self.geometry.positions[j]
        leans = _stilled(self.normal @ self.geometry.direction)
        low, high = (np.moveaxis(face, self.axis, 2)[..., 0] - _HAIR for face in (slab.low, slab.high))
        # Which voxels along the first axis can be meant at all: mostly one slice.
        reach = [leans[k] * np.array([x.min(), x.max()]) for k, x in ((j, b), (self.axis, self.x))]
        least, most = sum(one.min() for one in reach), sum(one.max() for one in reach)
        few = (leans[i] * a + least < high.max(axis=1)) & (leans[i] * a + most >= low.min(axis=1))
        some = np.flatnonzero(few)
        base = leans[i] * a[some, None] + leans[j] * b
        low, high = (np.broadcast_to(face, (a.size, b.size))[some] - base for face in (low, high))
        first, end = self._between(float(leans[self.axis]), low.ravel(), high.ravel())
        u, v = (_stilled(one @ self.geometry.direction) for one in self.across)
        return Lines(
            (some[:, None] * b.size + np.arange(b.size)).ravel(),
            (v[i] * a[some, None] + v[j] * b).ravel() + _ASIDE[1],
            (u[i] * a[some, None] + u[j] * b).ravel() + _ASIDE[0],
            float(u[self.axis]),
            first,
            end,
        )

    def _between(self, lean: float, low: FloatArray, high: FloatArray) -> tuple[Indexes, Indexes]:
        """First voxel of each line from one height on, and first from the other on."""
        if lean > 0:
            return np.searchsorted(lean * self.x, low), np.searchsorted(lean * self.x, high)
        if lean < 0:
            return np.searchsorted(-lean * self.x, -high, "right"), np.searchsorted(
                -lean * self.x, -low, "right"
            )
        inside = (low <= 0) & (high > 0)
        return np.zeros(low.size, np.intp), np.where(inside, self.x.size, 0)


def _stilled(values: FloatArray) -> FloatArray:
    return np.where(np.abs(values) < STILL, 0.0, values)
