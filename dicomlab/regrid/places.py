"""Where the voxels of one grid lie among the voxels of another: `Places`.

A position of the new grid is a sum, one vector along each of its axes; so is its place among the old voxels. Three tables for
each old axis say all: nothing as large as the new volume is ever made, and axes need not be even.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.affine import unevenness
from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES, Geometry

__all__ = ["SLACK", "Box", "Places", "Ruler", "box_of", "rulers"]

FloatArray = npt.NDArray[np.float64]

Box: TypeAlias = tuple[slice, slice, slice]

SLACK = 1e-6
"""Voxels: what lies this near to a voxel centre is on it, and this far beyond the border still inside."""

_THIN = 0.02
"""Thickness (mm) of a lone voxel of which nobody knows how far the next would be: it has a value where it is."""


@dataclass(frozen=True, eq=False)
class Ruler:
    """Millimetres along one axis to fractional voxel indices.

    Parameters
    ----------
    size
        Number of voxels.
    origin, step
        Position of the first one, and mm (signed) to the next; the mean where they are uneven.
    knots
        Of an uneven axis: rising positions and the indices there, one voxel further than the axis at both ends.
    """

    size: int
    origin: float
    step: float
    knots: tuple[FloatArray, FloatArray] | None = None

    @classmethod
    def of(cls, name: str, positions: FloatArray, lone_step: float) -> Ruler:
        """Ruler of an axis; raises `GeometryError` where positions neither only rise nor only fall."""
        if positions.size == 1:
            return cls(1, float(positions[0]), _THIN if np.isnan(lone_step) else lone_step)
        gaps = np.diff(positions)
        if not (np.all(gaps > 0) or np.all(gaps < 0)):
            raise GeometryError(
                f"positions along {name} neither only rise nor only fall, so nothing lies between two of them. Drop doubled "
                f"ones (isel) and sort the others (volume.sortby({name!r})) first."
            )
        step = float(positions[-1] - positions[0]) / gaps.size
        if unevenness(positions) <= SLACK * abs(step):
            return cls(positions.size, float(positions[0]), step)
        marks = np.concatenate([[positions[0] - gaps[0]], positions, [positions[-1] + gaps[-1]]])
        places = np.arange(-1.0, positions.size + 1)
        turn = slice(None, None, 1 if step > 0 else -1)
        return cls(positions.size, float(positions[0]), step, (marks[turn].copy(), places[turn]))

    def index(self, mm: FloatArray) -> FloatArray:
        """Fractional indices of positions; those more than one voxel outside an uneven axis count as one voxel outside."""
        if self.knots is None:
            return (mm - self.origin) / self.step
        return np.asarray(np.interp(mm, *self.knots), dtype=np.float64)

    def mm(self, index: FloatArray) -> FloatArray:
        """Positions of fractional indices, as far as `index` finds them again."""
        if self.knots is None:
            return self.origin + self.step * index
        marks, numbers = self.knots
        turn = slice(None, None, 1 if numbers[-1] > numbers[0] else -1)
        return np.asarray(np.interp(index, numbers[turn], marks[turn]), dtype=np.float64)


def rulers(geometry: Geometry) -> tuple[Ruler, Ruler, Ruler]:
    """The rulers of slice, row and column."""
    made = [
        Ruler.of(name, x, lone)
        for name, x, lone in zip(AXES, geometry.positions, geometry.lone_steps, strict=True)
    ]
    return made[0], made[1], made[2]


def box_of(low: FloatArray, high: FloatArray, sizes: Sequence[int], margins: Sequence[int]) -> Box:
    """The voxels that values between two indices are made of, and `margins` more; never none."""
    made = []
    for a, b, size, margin in zip(low, high, sizes, margins, strict=True):
        first = int(np.clip(np.floor(a) - margin, 0, size - 1))
        last = int(np.clip(np.ceil(b) + margin, 0, size - 1))
        made.append(slice(first, last + 1))
    return made[0], made[1], made[2]


@dataclass(frozen=True, eq=False)
class Places:
    """Fractional indices, among the voxels of a source, of each voxel of a target.

    Parameters
    ----------
    terms
        ``terms[a][b][n]``: what index ``n`` along axis *b* of the target adds to the place along axis *a* of the source; in
        voxels, along uneven axes of the source in mm.
    rulers
        Those of the source.
    """

    terms: tuple[tuple[FloatArray, ...], ...]
    rulers: tuple[Ruler, Ruler, Ruler]

    @classmethod
    def between(cls, source: Geometry, target: Geometry) -> Places:
        """Places of the voxels of `target` among those of `source`; both count mm in one patient.

        Raises
        ------
        GeometryError
            Positions of `source` neither only rise nor only fall.
        """
        matrix = np.linalg.solve(source.direction, target.direction)
        made, scales = [], rulers(source)
        for a, ruler in enumerate(scales):
            terms = [matrix[a, b] * x for b, x in enumerate(target.positions)]
            if ruler.knots is None:
                terms[0] = terms[0] - ruler.origin
                terms = [term / ruler.step for term in terms]
            made.append(tuple(np.asarray(term, dtype=np.float64) for term in terms))
        return cls(tuple(made), scales)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels of the target along slice, row, column."""
        a, b, c = (term.size for term in self.terms[0])
        return a, b, c

    @property
    def sizes(self) -> tuple[int, int, int]:
        """Voxels of the source along slice, row, column."""
        a, b, c = (ruler.size for ruler in self.rulers)
        return a, b, c

    def pick(self, planes: slice) -> Places:
        """Places of some planes of the target."""
        return replace(self, terms=tuple((terms[0][planes], *terms[1:]) for terms in self.terms))

    def along(self, axis: int, plane: int, rows: slice) -> FloatArray:
        """Indices along an axis of the source of some rows of a plane of the target, shape ``(rows, columns)``."""
        first, second, third = self.terms[axis]
        place: FloatArray = (first[plane] + second[rows])[:, None] + third
        return place if self.rulers[axis].knots is None else self.rulers[axis].index(place)

    def reach(self, planes: slice = slice(None), rows: slice = slice(None)) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest index along each axis of the source, shape ``(3,)`` each."""
        ends = []
        for terms, ruler in zip(self.terms, self.rulers, strict=True):
            parts = (terms[0][planes], terms[1][rows], terms[2])
            both = np.array([sum(part.min() for part in parts), sum(part.max() for part in parts)])
            # Rising in every term, so the extremes are at corners.
            ends.append(np.sort(both if ruler.knots is None else ruler.index(both)))
        low, high = np.transpose(ends)
        return low, high

    @property
    def leaves(self) -> bool:
        """Whether a voxel of the target lies outside the source, whose border is half a voxel beyond the outer centres."""
        low, high = self.reach()
        return bool(np.any(low < -0.5 - SLACK) or np.any(high > np.array(self.sizes) - 0.5 + SLACK))

    def box(self, margins: Sequence[int]) -> Box:
        """The voxels of the source that are needed, and `margins` more along each axis; one where none is."""
        return box_of(*self.reach(), self.sizes, margins)

    @property
    def coarseness(self) -> FloatArray:
        """How many voxels of the source, along each of its axes, one step of the target takes; shape ``(3,)``."""
        found = []
        for terms, ruler in zip(self.terms, self.rulers, strict=True):
            middle = sum(float(term[term.size // 2]) for term in terms)
            steps = [0.0]
            for term in terms:
                # Through the middle of the target, counted in voxels: where gaps are uneven, millimetres would not say.
                place = term + (middle - float(term[term.size // 2]))
                taken = np.abs(np.diff(place if ruler.knots is None else ruler.index(place)))
                steps.append(float(taken[taken > 0].mean()) if np.any(taken > 0) else 0.0)
            found.append(np.linalg.norm(steps))
        return np.array(found)

    @property
    def level(self) -> bool:
        """Whether all places lie on one slice of the source."""
        low, high = self.reach()
        return bool(high[0] - low[0] <= SLACK and abs(low[0] - np.round(low[0])) <= SLACK)

    def aligned(self) -> tuple[tuple[int, ...], tuple[FloatArray, ...]] | None:
        """Which axis of the source each axis of the target runs along, and indices along it; None where one runs askew."""
        drives = np.zeros((3, 3), dtype=bool)
        for a, (terms, ruler) in enumerate(zip(self.terms, self.rulers, strict=True)):
            unit = 1.0 if ruler.knots is None else float(np.min(np.diff(ruler.knots[0])))
            drives[a] = [np.ptp(term) > SLACK * unit for term in terms]
        if (drives.sum(axis=0) > 1).any() or (drives.sum(axis=1) > 1).any():
            return None
        free = [a for a in range(3) if not drives[a].any()]
        order = tuple(int(np.argmax(drives[:, b])) if drives[:, b].any() else free.pop(0) for b in range(3))
        tables = []
        for b, a in enumerate(order):
            rest = sum(float(self.terms[a][other][0]) for other in range(3) if other != b)
            place = self.terms[a][b] + rest
            tables.append(_snapped(place if self.rulers[a].knots is None else self.rulers[a].index(place)))
        return order, tuple(tables)


def _snapped(index: FloatArray) -> FloatArray:
    """Indices, on a voxel centre or a face where they are but for rounding: a voxel keeps its value, halves go one way."""
    halves = np.round(2 * index) / 2
    return np.where(np.abs(index - halves) <= SLACK, halves, index)
