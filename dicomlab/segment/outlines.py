"""Closed contours in the patient, many at once: `Outlines`, and the parallel planes that they lie in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import Geometry

__all__ = ["ONE_PLANE", "STILL", "Outlines", "Planes", "finest_step", "slice_steps"]

FloatArray = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

STILL = 1e-9
"""mm a mm: an axis that leans no more than this out of a plane lies in it."""
ONE_PLANE = 0.01
"""mm within which contours lie in one plane."""
_FLAT = 0.1
"""mm that points may lie beside their plane: some programs write tenths of a millimetre."""
_SURE = 10.0
"""F of a lean that is believed."""
_NOTHING = 1e-9
"""mm²: contours around less than this have no inside."""
_FARTHEST = 1e7
"""Ten kilometres from the origin (mm) there is no patient."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Closed contours that enclose something.

    Parameters
    ----------
    points
        Shape ``(points, 3)``, LPS mm, one contour after the other.
    starts
        First point of each.
    numbers
        Which of those that were given each is, from 0 on.
    """

    points: FloatArray
    starts: Indexes
    numbers: Indexes

    @classmethod
    def of(cls, contours: Iterable[Any]) -> Outlines:
        """Those of a list of arrays of shape ``(n, 3)``; contours without an inside (lines, single points) are left out.

        Raises
        ------
        DicomLabError
            An array has another shape, or holds what is no place in a patient.
        """
        every = [_checked(one, number) for number, one in enumerate(contours)]
        every = [one[:-1] if len(one) > 1 and np.array_equal(one[0], one[-1]) else one for one in every]
        sizes = np.array([len(one) for one in every], dtype=np.intp)
        kept = np.flatnonzero(sizes > 2)
        points = np.concatenate([every[k] for k in kept]) if kept.size else np.empty((0, 3))
        made = cls(points, np.cumsum(sizes[kept]) - sizes[kept], kept)
        if not kept.size:
            return made
        real = np.linalg.norm(made.areas, axis=1) > _NOTHING
        return made if real.all() else made.take(np.flatnonzero(real))

    def __len__(self) -> int:
        return self.starts.size

    @cached_property
    def sizes(self) -> Indexes:
        """Number of points of each."""
        return np.diff(np.append(self.starts, len(self.points)))

    def one(self, k: int) -> FloatArray:
        """The points of one."""
        return self.points[self.starts[k] : self.starts[k] + self.sizes[k]]

    def take(self, chosen: Indexes) -> Outlines:
        """Some of them."""
        which = np.zeros(len(self), dtype=bool)
        which[chosen] = True
        sizes = self.sizes[which]
        return Outlines(
            self.points[np.repeat(which, self.sizes)], np.cumsum(sizes) - sizes, self.numbers[which]
        )

    @cached_property
    def areas(self) -> FloatArray:
        """Vector across each, as long as its area (mm²), by the right hand; shape ``(contours, 3)``."""
        sizes = self.sizes
        middle = self.points - np.repeat(self.points[self.starts], sizes, axis=0)
        after = np.roll(middle, -1, axis=0)
        after[np.append(self.starts[1:], len(middle)) - 1] = (
            0.0  # back at the first, from which all is counted
        )
        across: FloatArray = np.add.reduceat(np.cross(middle, after), self.starts, axis=0) / 2
        return across

    def spread(self, normal: FloatArray) -> FloatArray:
        """How far the points of each lie apart along a direction, mm."""
        along = self.points @ normal
        return np.asarray(np.maximum.reduceat(along, self.starts) - np.minimum.reduceat(along, self.starts))

    @cached_property
    def normal(self) -> FloatArray:
        """The direction along which the points of each lie least apart: of all that are parallel, shape ``(3,)``."""
        middles = np.add.reduceat(self.points, self.starts, axis=0) / self.sizes[:, None]
        within = self.points - np.repeat(middles, self.sizes, axis=0)
        return np.asarray(np.linalg.svd(within, full_matrices=False)[2][2])

    def heights(self, normal: FloatArray) -> FloatArray:
        """Where each lies along a direction, mm."""
        along = self.points @ normal
        middle = along[self.starts]
        offs = np.add.reduceat(along - np.repeat(middle, self.sizes), self.starts)
        return np.asarray(middle + offs / self.sizes)


def _checked(contour: Any, number: int) -> FloatArray:
    try:
        points = np.asarray(contour, dtype=np.float64)
    except (TypeError, ValueError) as problem:
        raise DicomLabError(f"a contour is an array of numbers; contour {number} is none") from problem
    if points.ndim != 2 or points.shape[1] != 3:
        raise DicomLabError(
            f"a contour is an array of shape (n, 3), x, y, z in LPS mm; contour {number} has the shape {points.shape}"
        )
    nowhere = ~(np.abs(points) < _FARTHEST).all(axis=1)
    if nowhere.any():
        raise DicomLabError(
            f"a point of contour {number} is no place in a patient: {points[nowhere][0].tolist()}"
        )
    return points


def finest_step(geometry: Geometry) -> float:
    """The shortest step along any axis in mm; infinite where nobody knows one."""
    found = [np.inf]
    for x, lone, basis in zip(geometry.positions, geometry.lone_steps, geometry.direction.T, strict=True):
        gaps = np.diff(np.unique(x)) if x.size > 1 else np.array([abs(lone)])
        found += (gaps[gaps > 0] * np.linalg.norm(basis)).tolist()
    return min(found)


def slice_steps(geometry: Geometry) -> FloatArray:
    """mm from each slice to the nearest other, along the normal, shape ``(slices,)``; NaN where nobody knows."""
    levels, which = np.unique(geometry.slice, return_inverse=True)
    if levels.size == 1:
        return np.full(geometry.slice.size, abs(geometry.lone_steps[0]))
    gaps = np.diff(levels)
    return np.asarray(np.minimum(np.append(gaps, np.inf), np.append(np.inf, gaps))[which.ravel()])


@dataclass(frozen=True, eq=False)
class Planes:
    """Parallel planes, one for each contour.

    Parameters
    ----------
    normal
        Unit vector, shape ``(3,)``.
    heights
        mm along it, one for each contour.
    are_slices
        Whether they are parallel to the slices of the grid.
    rough
        mm that the points of a contour lie apart along the normal, at most.
    apart
        mm by which planes differ in height: contours nearer than that lie in one.
    """

    normal: FloatArray
    heights: FloatArray
    are_slices: bool
    rough: float
    apart: float

    @classmethod
    def of(cls, outlines: Outlines, geometry: Geometry) -> Planes:
        """Planes along the slices of a grid where contours lie so, else along their own.

        Raises
        ------
        GeometryError
            A contour is not flat, or contours lie in planes that are not parallel; the message says by how much.
        """
        step = finest_step(geometry)
        within = min(_FLAT, step / 4)
        across = np.cross(geometry.direction[:, 2], geometry.direction[:, 1])
        along = cls._across(outlines, across, step, are_slices=True)
        if along.rough <= within and (len(outlines) == 1 or along.slices(geometry) is not None):
            return along
        own = cls._across(outlines, outlines.normal, step)
        if along.rough <= within and not _leans(outlines, along, own):
            return along
        if own.rough > within:
            areas = outlines.areas
            largest = areas[int(np.linalg.norm(areas, axis=1).argmax())]
            own = cls._across(outlines, largest / np.linalg.norm(largest), step)
        if own.rough > within:
            _refuse(outlines, outlines.spread(own.normal), within)
        return own

    @classmethod
    def _across(cls, outlines: Outlines, normal: FloatArray, step: float, are_slices: bool = False) -> Planes:
        if not are_slices:
            normal = normal * np.sign(normal[np.abs(normal).argmax()])
        rough = float(outlines.spread(normal).max(initial=0.0))
        exact = min(ONE_PLANE, step / 10)
        apart = exact if rough <= exact else min(2 * _FLAT, step / 4)
        return cls(normal, outlines.heights(normal), are_slices, rough, apart)

    def slices(self, geometry: Geometry) -> Indexes | None:
        """The slice that each contour lies on, -1 beyond the outer ones; None where one lies between slices."""
        if not self.are_slices:
            return None
        order = np.argsort(geometry.slice, kind="stable")
        rising = geometry.slice[order]
        step = float(np.nanmin(slice_steps(geometry), initial=np.inf))
        within = 0.1 * step if np.isfinite(step) else ONE_PLANE
        after = np.searchsorted(rising, self.heights).clip(1, max(rising.size - 1, 1))
        pair = np.stack([after - 1, after.clip(max=rising.size - 1)])
        far = np.abs(rising[pair] - self.heights)
        nearest, far = pair[far.argmin(axis=0), np.arange(after.size)], far.min(axis=0)
        beyond = (self.heights < rising[0] - within) | (self.heights > rising[-1] + within)
        if bool((far[~beyond] > within).any()):
            return None
        return np.where(beyond, -1, order[nearest])


def _leans(outlines: Outlines, along: Planes, own: Planes) -> bool:
    """Whether contours lean out of the slices by more than the tremble of their points explains: an F test.

    Within a tenth of a millimetre contours seem to lie along slices that they lean against; two of one plane, at its far ends,
    would then be taken for two planes.
    """
    free = len(outlines.points) - len(outlines) - 2
    if free < 1 or along.rough <= STILL:
        return False
    left, most = (
        np.square(outlines.points @ planes.normal - np.repeat(planes.heights, outlines.sizes)).sum()
        for planes in (own, along)
    )
    return bool(most - left > 2 * _SURE * left / free)


def _refuse(outlines: Outlines, off: FloatArray, within: float) -> None:
    worst = int(off.argmax())
    points, number = outlines.one(worst), outlines.numbers[worst]
    # The direction in which its points spread least; of very many, of some of them.
    some = points[:: max(1, len(points) // 10_000)]
    least = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)[2][2]
    bent = float(np.ptp(points @ least))
    if bent > within:
        raise GeometryError(
            f"a contour lies in one plane; the points of contour {number} are up to {bent:.3g} mm out of any, {within:.3g} mm "
            "are allowed"
        )
    raise GeometryError(
        f"contours that are filled together lie in parallel planes; contour {number} leans out of that of the largest, by "
        f"{off[worst]:.3g} mm from end to end. Fill those of each direction by themselves, then join the masks: a | b."
    )
