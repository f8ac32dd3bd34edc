"""A rectangle of square pixels in the patient, and where its pixels lie among the voxels of a volume.

``js/plane.js`` is its twin: the same numbers by the same operations in the same order, so that both find the same voxels to the
last bit. Hence plain Python floats here, and no matrix products, whose order numpy does not tell.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.view.grid import Grid

__all__ = ["SLACK", "Course", "Plane", "Vector", "courses", "cross", "dot"]

Vector: TypeAlias = tuple[float, float, float]
_Floats: TypeAlias = npt.NDArray[np.float64]

SLACK = 1e-6
"""Voxels: what lies this near to the centre or the face of a voxel is on it."""

_STILL = 1e-9
"""Voxels (of an uneven axis: mm) a pixel: what moves less along an axis does not move."""


def dot(a: Sequence[float], b: Sequence[float]) -> float:
    """The scalar product, summed from the first component on."""
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


def cross(a: Vector, b: Vector) -> Vector:
    """The vector product."""
    return a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]


@dataclass(frozen=True)
class Plane:
    """Square pixels in a plane of the patient.

    Parameters
    ----------
    origin
        LPS mm of the centre of the first pixel, at the top left.
    right, down
        LPS unit vectors along rows and columns of pixels.
    pixel
        Side of a pixel in mm.
    width, height
        Number of pixels.
    """

    origin: Vector
    right: Vector
    down: Vector
    pixel: float
    width: int
    height: int

    @property
    def normal(self) -> Vector:
        """LPS unit vector away from who looks."""
        return cross(self.right, self.down)

    def moved(self, mm: float) -> Plane:
        """The plane `mm` further along its normal."""
        n, o = self.normal, self.origin
        return Plane(
            (o[0] + mm * n[0], o[1] + mm * n[1], o[2] + mm * n[2]),
            self.right,
            self.down,
            self.pixel,
            self.width,
            self.height,
        )


@dataclass(frozen=True)
class Course:
    """How the place along one voxel axis changes with the pixel: ``(start + y * down) + x * right``.

    In voxels, of an uneven axis in mm; `line` are then the positions of its voxels.
    """

    size: int
    start: float
    right: float
    down: float
    line: _Floats | None = None

    def index(self, place: _Floats) -> _Floats:
        """Fractional voxel indices of places; one more than a voxel outside an uneven axis counts as a voxel outside."""
        if self.line is None:
            return place
        line, numbers = _extended(self.line)
        k = np.clip(np.searchsorted(line, place, side="right") - 1, 0, line.size - 2)
        at = np.clip(place, line[0], line[-1])
        found: _Floats = numbers[k] + (at - line[k]) / (line[k + 1] - line[k]) * (numbers[k + 1] - numbers[k])
        return found

    def along(self, count: int, step: float) -> _Floats:
        """Indices of `count` pixels in a row that moves along this axis alone; on a voxel or a face where nearly so."""
        index = self.index(self.start + np.arange(count, dtype=np.float64) * step)
        halves = np.floor(2.0 * index + 0.5) / 2.0
        return np.where(np.abs(index - halves) <= SLACK, halves, index)


def _extended(line: _Floats) -> tuple[_Floats, _Floats]:
    """Rising positions of an uneven axis with one voxel more at both ends, and the indices there."""
    numbers = np.arange(-1.0, line.size + 1)
    longer = np.concatenate([[line[0] - (line[1] - line[0])], line, [line[-1] + (line[-1] - line[-2])]])
    return (longer, numbers) if longer[-1] > longer[0] else (longer[::-1], numbers[::-1])


def courses(grid: Grid, plane: Plane) -> tuple[Course, Course, Course]:
    """The courses of slice, row and column."""
    made = []
    for axis, line in enumerate(grid.axes):
        to_mm = grid.inverse[axis]
        start = dot(to_mm, plane.origin)
        right = plane.pixel * dot(to_mm, plane.right)
        down = plane.pixel * dot(to_mm, plane.down)
        first, step = grid.ruler(axis)
        if step is None:
            made.append(Course(line.size, start, _still(right), _still(down), line))
        else:
            made.append(Course(line.size, (start - first) / step, _still(right / step), _still(down / step)))
    return made[0], made[1], made[2]


def _still(x: float) -> float:
    return 0.0 if math.fabs(x) < _STILL else x
