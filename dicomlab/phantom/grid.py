"""Where the slices of a phantom series lie: orientation, spacings and positions, exactly as the files will say.

Every number goes through its DICOM decimal string (16 characters) first, so the truth holds what a reader can know.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from pydicom.valuerep import format_number_as_ds

from dicomlab.errors import GeometryError
from dicomlab.phantom.shapes import Array

__all__ = ["ORIENTATIONS", "Grid", "Orientation", "decimal", "plan"]

Orientation: TypeAlias = Literal["axial", "sagittal", "coronal", "oblique"] | Sequence[float]


def decimal(value: float) -> str:
    """Return a number as a decimal string (PS3.5 6.2, DS: at most 16 characters)."""
    return str(format_number_as_ds(float(value) + 0.0))


def _turned(cosines: Sequence[float], *turns: tuple[str, float]) -> tuple[float, ...]:
    """Turn a row and a column direction about patient axes, in degrees, one turn after the other."""
    both = np.asarray(cosines, dtype=float).reshape(2, 3)
    for axis, degrees in turns:
        i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
        c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.eye(3)
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = c, -s, s, c
        both = both @ turn.T
    return tuple(float(v) for v in both.ravel())


_CORONAL = (1.0, 0.0, 0.0, 0.0, 0.0, -1.0)
ORIENTATIONS: dict[str, tuple[float, ...]] = {
    "axial": (1.0, 0.0, 0.0, 0.0, 1.0, 0.0),
    "sagittal": (0.0, 1.0, 0.0, 0.0, 0.0, -1.0),
    "coronal": _CORONAL,
    "oblique": _turned(_CORONAL, ("y", 8.0), ("z", 18.0), ("x", -14.0)),
}
"""Image Orientation (Patient) by name, as a radiologist expects to see each plane. "oblique" is doubly oblique,
near coronal: none of its six cosines, nor of its normal's three, is zero."""


@dataclass(frozen=True)
class Grid:
    """Slices of one series, ascending along r x c.

    Parameters
    ----------
    shape
        Numbers of slices, rows, columns.
    cosines
        Image Orientation (Patient) (0020,0037) as decimal strings: along a row (r), then down a column (c).
    spacing
        Pixel Spacing (0028,0030) as decimal strings: between rows, between columns, mm.
    step
        Distance between neighbouring slices, mm.
    positions
        Image Position (Patient) (0020,0032) of each slice as decimal strings: LPS mm of the first pixel's centre.
    """

    shape: tuple[int, int, int]
    cosines: tuple[str, ...]
    spacing: tuple[str, str]
    step: float
    positions: tuple[tuple[str, ...], ...]

    @property
    def affine(self) -> Array:
        """4x4 matrix from voxel index (slice, row, column, 1) to LPS mm (PS3.3 C.7.6.2.1.1, in our index order)."""
        r, c = np.array([float(v) for v in self.cosines]).reshape(2, 3)
        affine = np.eye(4)
        affine[:3, 0] = np.cross(r, c) * self.step
        affine[:3, 1] = c * float(self.spacing[0])
        affine[:3, 2] = r * float(self.spacing[1])
        affine[:3, 3] = [float(v) for v in self.positions[0]]
        return affine

    def points(self, k: int) -> Array:
        """Return the LPS mm of every voxel centre of slice `k`, shape (rows, columns, 3)."""
        affine = self.affine
        rows = np.arange(self.shape[1])[:, None, None]
        columns = np.arange(self.shape[2])[None, :, None]
        first = affine[:3, 3] + k * affine[:3, 0]
        return np.asarray(first + rows * affine[:3, 1] + columns * affine[:3, 2])


def _cosines(orientation: Orientation) -> Array:
    if isinstance(orientation, str):
        if orientation not in ORIENTATIONS:
            raise GeometryError(
                f"No orientation is called {orientation!r}. Known are {', '.join(ORIENTATIONS)}; "
                "or give the six cosines of Image Orientation (Patient)."
            )
        orientation = ORIENTATIONS[orientation]
    both = np.asarray(orientation, dtype=float)
    if both.shape != (6,) or not np.allclose(both.reshape(2, 3) @ both.reshape(2, 3).T, np.eye(2), atol=1e-6):
        raise GeometryError(
            f"Six cosines of two perpendicular unit vectors were expected as orientation, found {list(both)}."
        )
    return np.asarray(both.reshape(2, 3))


def plan(
    shape: tuple[int, int, int],
    orientation: Orientation,
    field: Sequence[float],
    centre: Sequence[float],
) -> Grid:
    """Return slices that fill a field of view.

    Parameters
    ----------
    shape
        Numbers of slices, rows, columns.
    orientation
        A name of `ORIENTATIONS` or six cosines.
    field
        Size of the field of view along patient x, y, z in mm; each grid axis takes the size of the patient axis it
        is nearest to. Where that would make pixels square (within 2 %), columns are spread by 5 %: a reader that
        swaps row and column spacing must never get away with it.
    centre
        Middle of the field of view, LPS mm.

    Raises
    ------
    GeometryError
        When the orientation is unknown or is not a pair of perpendicular unit vectors, or a number is not positive.
    """
    if len(shape) != 3 or min(shape) < 1:
        raise GeometryError(
            f"Three positive numbers (slices, rows, columns) were expected as shape, found {shape}."
        )
    r, c = _cosines(orientation)
    axes = np.abs(np.array([np.cross(r, c), c, r]))
    nearest = max(itertools.permutations(range(3)), key=lambda p: sum(axes[i, p[i]] for i in range(3)))
    step, down, along = (round(field[nearest[i]] / shape[i], 4) for i in range(3))
    if abs(down / along - 1.0) < 0.02:
        along = round(1.05 * along, 4)
    cosines = tuple(decimal(v) for v in (*r, *c))
    r, c = np.array([float(v) for v in cosines]).reshape(2, 3)
    n = np.cross(r, c)
    half = [(size - 1) / 2 for size in shape]
    first = np.asarray(centre) - half[0] * step * n - half[1] * down * c - half[2] * along * r
    first = np.round(first, 6)
    positions = tuple(tuple(decimal(v) for v in first + k * step * n) for k in range(shape[0]))
    return Grid(shape, cosines, (decimal(down), decimal(along)), step, positions)
