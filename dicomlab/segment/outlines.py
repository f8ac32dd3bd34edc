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

__all__ = ["STILL", "Outlines", "Planes", "finest_step"]

FloatArray = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

STILL = 1e-9
"""mm a mm: an axis that leans no more than this out of a plane lies in it."""
_FLAT = 0.1
"""mm that points may lie beside their plane: some programs write tenths of a millimetre."""
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
    """

    normal: FloatArray
    heights: FloatArray
    are_slices: bool

    @classmethod
    def of(cls, outlines: Outlines, geometry: Geometry) -> Planes:
        """Planes along the slices of a grid where contours lie so, else along their own.

        Raises
        ------
        GeometryError
            A contour is not flat, or contours lie in planes that are not parallel; the message says by how much.
        """
        within = min(_FLAT, finest_step(geometry) / 4)
        normal = np.cross(geometry.direction[:, 2], geometry.direction[:, 1])
        off, are_slices = outlines.spread(normal), True
        if off.max() > within:
            areas = outlines.areas
            normal, are_slices = areas[int(np.linalg.norm(areas, axis=1).argmax())], False
            normal = normal / np.linalg.norm(normal) * np.sign(normal[np.abs(normal).argmax()])
            off = outlines.spread(normal)
        if off.max() > within:
            _refuse(outlines, off, within)
        return cls(normal, outlines.heights(normal), are_slices)


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
