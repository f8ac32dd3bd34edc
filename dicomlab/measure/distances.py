"""How far the surfaces of two labels lie apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.geometry import Geometry
from dicomlab.measure.pieces import Box

__all__ = ["Distances", "distances", "surface_voxels"]

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_SLACK = 1e-5
"""mm: distances of the quick way are rounded to single precision."""


@dataclass(frozen=True, eq=False)
class Distances:
    """Between two labels, in mm.

    Parameters
    ----------
    to_b, to_a
        From the centre of each surface voxel of a to the nearest one of b, and back; flat.
    hausdorff
        The farthest that any voxel of one lies from the nearest voxel of the other.
    """

    to_b: FloatArray
    to_a: FloatArray
    hausdorff: float

    @property
    def hd95(self) -> float:
        """The larger of the 95th percentiles of both ways."""
        return max(float(np.percentile(one, 95)) for one in (self.to_a, self.to_b))

    @property
    def hd95_pooled(self) -> float:
        """The 95th percentile of both ways together."""
        return float(np.percentile(np.concatenate([self.to_a, self.to_b]), 95))

    @property
    def mean(self) -> float:
        """Of both ways together: ASSD."""
        return float(np.concatenate([self.to_a, self.to_b]).mean())

    def within(self, tolerance: float) -> float:
        """Fraction of the surface voxels of both that lie within `tolerance` mm of the other surface: surface Dice."""
        return float((np.concatenate([self.to_a, self.to_b]) <= tolerance + _SLACK).mean())


def surface_voxels(inside: BoolArray, flat: tuple[bool, bool, bool]) -> BoolArray:
    """Voxels with a neighbour across a face that is outside; what lies beyond the array is outside.

    Along axes of the grid that have one voxel (`flat`) there are no neighbours.
    """
    buried = inside.copy()
    for axis in range(3):
        if flat[axis]:
            continue
        n = inside.shape[axis]
        for end in (slice(0, n - 1), slice(1, n)):
            cut = [slice(None)] * 3
            other = [slice(None)] * 3
            cut[axis], other[axis] = end, slice(1, n) if end.start == 0 else slice(0, n - 1)
            buried[tuple(cut)] &= inside[tuple(other)]
        edge = [slice(None)] * 3
        for last in (0, n - 1):
            edge[axis] = slice(last, last + 1)
            buried[tuple(edge)] = False
    return inside & ~buried


def distances(a: BoolArray, b: BoolArray, box: Box, geometry: Geometry) -> Distances:
    """Between two labels that each have a voxel, in one box around both."""
    x, y, z = (n == 1 for n in geometry.shape)
    ends = [surface_voxels(one, (x, y, z)) for one in (a, b)]
    steps = _even_steps(geometry)
    if steps is None:
        return _by_tree(a, b, ends, box, geometry)
    from edt import edt

    found, far = [], 0.0
    for one, other, mine, theirs in ((a, b, ends[0], ends[1]), (b, a, ends[1], ends[0])):
        # The nearest voxel of what one is outside of is a surface voxel; so one map tells both kinds of distance.
        away = edt(~theirs, anisotropy=steps, black_border=False, parallel=1)
        found.append(away[mine].astype(np.float64))
        outside = away[one & ~other]
        far = max(far, float(outside.max()) if outside.size else 0.0)
    return Distances(found[0], found[1], far)


def _even_steps(geometry: Geometry) -> tuple[float, ...] | None:
    """mm between voxels along slice, row, column; None where they are uneven or not square to one another."""
    direction = geometry.direction
    if not geometry.is_uniform or np.abs(direction.T @ direction - np.eye(3)).max() > 1e-9:
        return None
    return tuple(step if math.isfinite(step) and step > 0 else 1.0 for step in geometry.spacing)


def _by_tree(a: BoolArray, b: BoolArray, ends: list[BoolArray], box: Box, geometry: Geometry) -> Distances:
    """From the true place of each voxel, wherever slices lie."""
    from scipy.spatial import KDTree

    def places(where: BoolArray, first_slice: int = 0) -> FloatArray:
        index = np.argwhere(where)
        index[:, 0] += first_slice
        along = [x[cut][k] for x, cut, k in zip(geometry.positions, box, index.T, strict=True)]
        result: FloatArray = np.stack(along, axis=1) @ geometry.direction.T
        return result

    # Where slices are sheared, the nearest voxel of a body need not be one of its surface; it is near one.
    trees = [KDTree(places(end)) for end in ends]
    wholes = [KDTree(places(_near_surface(one, end))) for one, end in zip((a, b), ends, strict=True)]
    to_b, to_a = trees[1].query(places(ends[0]))[0], trees[0].query(places(ends[1]))[0]
    far = 0.0
    for only, whole in ((a & ~b, wholes[1]), (b & ~a, wholes[0])):
        for k in np.flatnonzero(only.any(axis=(1, 2))):  # slice by slice, as places take 24 bytes a voxel
            far = max(far, float(whole.query(places(only[k : k + 1], int(k)))[0].max()))
    return Distances(to_b, to_a, far)


def _near_surface(inside: BoolArray, end: BoolArray) -> BoolArray:
    """Surface voxels and those so near that, across a shear, they may be nearer to what is outside."""
    from scipy import ndimage

    # A sheared neighbour is a step of one slice and up to two rows and columns; more, and a voxel of the surface is nearer.
    near: BoolArray = inside & ndimage.maximum_filter(end.view(np.uint8), size=(3, 7, 7)).view(np.bool_)
    return near
