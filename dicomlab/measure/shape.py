"""Where a label lies and how far it reaches: centroid, box, axes and diameters, in patient mm."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.geometry import Geometry
from dicomlab.masks import faces_between
from dicomlab.measure.pieces import Piece

__all__ = ["Line", "Moments", "bounds", "diameters", "ends_of_lines", "moments"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Moments:
    """Of one label.

    Parameters
    ----------
    voxels
        How many in each slice of the box, shape ``(slices,)``.
    centroid
        x, y, z in LPS mm, each voxel counting as much as it is large.
    axes
        mm: the three axes, longest first, of the solid ellipsoid that has the same second moments of voxel centres.
    """

    voxels: IntArray
    centroid: FloatArray
    axes: FloatArray


def moments(
    piece: Piece, geometry: Geometry, mm3: FloatArray, weights: npt.NDArray[np.generic] | None = None
) -> Moments:
    """Count, centroid and axes of a label; `weights` (the shape of the box) make it a centre of gravity.

    `mm3` is the size of one voxel in each slice of the whole grid; only its proportions matter.
    """
    along, down, across = (x[cut] for x, cut in zip(geometry.positions, piece.box, strict=True))
    # About the middle of the box, so that squares lose no digits.
    middle = np.array([(x[0] + x[-1]) / 2 for x in (along, down, across)])
    s, r, c = (x - m for x, m in zip((along, down, across), middle, strict=True))
    size = np.nan_to_num(mm3[piece.box[0]], nan=1.0)
    ones_c = np.stack([np.ones_like(c), c, c * c], axis=1)
    voxels = np.zeros(s.size, np.intp)
    first, second, total = np.zeros(3), np.zeros((3, 3)), 0.0
    for k, plane in enumerate(piece.inside):
        lines = (plane if weights is None else np.where(plane, weights[k], 0)).astype(np.float64) @ ones_c
        n, sr, srr, sc = lines[:, 0].sum(), r @ lines[:, 0], (r * r) @ lines[:, 0], lines[:, 1].sum()
        src, scc = r @ lines[:, 1], lines[:, 2].sum()
        voxels[k] = round(n) if weights is None else 0
        total += size[k] * n
        first += size[k] * np.array([s[k] * n, sr, sc])
        second += size[k] * np.array(
            [[s[k] ** 2 * n, s[k] * sr, s[k] * sc], [s[k] * sr, srr, src], [s[k] * sc, src, scc]]
        )
    if total == 0:
        return Moments(voxels, np.full(3, np.nan), np.full(3, np.nan))
    mean = first / total
    spread = geometry.direction @ (second / total - np.outer(mean, mean)) @ geometry.direction.T
    lengths = 2 * np.sqrt(5 * np.clip(np.linalg.eigvalsh(spread)[::-1], 0, None))
    return Moments(voxels, geometry.direction @ (middle + mean), lengths)


def ends_of_lines(piece: Piece) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Slice, row, first and last column, within the box, of each line of voxels along the columns that holds any.

    All that is farthest in any direction is among these ends.
    """
    slices, rows = np.nonzero(piece.inside.any(axis=2))
    lines = piece.inside[slices, rows]
    return slices, rows, lines.argmax(axis=1), lines.shape[1] - 1 - lines[:, ::-1].argmax(axis=1)


def bounds(piece: Piece, geometry: Geometry, ends: tuple[IntArray, ...]) -> FloatArray:
    """Lowest and highest x, y, z (LPS mm) that the voxels reach with their faces, shape ``(2, 3)``.

    NaN where a lone slice, row or column does not know how far it reaches.
    """
    slices, rows, first, last = ends
    faces = [faces_between(x, lone) for x, lone in zip(geometry.positions, geometry.lone_steps, strict=True)]
    at = [cut.start for cut in piece.box]
    found = np.empty((2, 3))
    for axis, basis in enumerate(geometry.direction):
        for end, pick in enumerate((np.minimum, np.maximum)):
            # Of each voxel the face that is farther that way.
            reach = [pick(f[:-1] * b, f[1:] * b) for f, b in zip(faces, basis, strict=True)]
            tips = pick(reach[2][at[2] + first], reach[2][at[2] + last])
            found[end, axis] = pick.reduce(reach[0][at[0] + slices] + reach[1][at[1] + rows] + tips)
    return found


@dataclass(frozen=True, eq=False)
class Line:
    """A straight line in the patient between two voxel centres: `start` and `end`, x, y, z in LPS mm."""

    start: FloatArray
    end: FloatArray

    @property
    def length(self) -> float:
        """In mm."""
        return float(np.linalg.norm(self.end - self.start))


def diameters(piece: Piece, geometry: Geometry, ends: tuple[IntArray, ...]) -> tuple[Line, float, Line]:
    """The longest line within one slice, how wide the label is across it in that slice (mm), and the longest line in space.

    Lines go between voxel centres. The width is that between two parallels to the longest line, through the outermost
    voxel centres. Of several longest lines the one with the largest width counts.
    """
    slices, rows, first, last = ends
    along, down, across = (x[cut] for x, cut in zip(geometry.positions, piece.box, strict=True))
    tips, longest, found = [], -1.0, (np.zeros((2, 2)), 0.0, 0)
    cuts = np.flatnonzero(np.diff(slices)) + 1
    for lines in np.split(np.arange(slices.size), cuts):
        r = np.concatenate([down[rows[lines]]] * 2)
        c = np.concatenate([across[first[lines]], across[last[lines]]])
        outline = corners_of(np.stack([r, c], axis=1))
        k = slices[lines[0]]
        tips.append(np.column_stack([np.full(len(outline), along[k]), outline]))
        # No slice has a line longer than the diagonal of its box.
        if np.hypot(np.ptp(outline[:, 0]), np.ptp(outline[:, 1])) < longest - 1e-9:
            continue
        for pair in farthest_pairs(outline):
            run = pair[1] - pair[0]
            length = float(np.hypot(*run))
            side = np.array([-run[1], run[0]]) / length if length else np.zeros(2)
            width = float(np.ptp(outline @ side))
            if length > longest + 1e-9 or (length > longest - 1e-9 and width > found[1]):
                longest, found = max(length, longest), (pair, width, int(k))
    pair, width, k = found
    flat = np.column_stack([np.full(2, along[k]), pair]) @ geometry.direction.T
    space = farthest_pairs(corners_of(np.concatenate(tips) @ geometry.direction.T))[0]
    return Line(flat[0], flat[1]), width, Line(space[0], space[1])


def corners_of(points: FloatArray) -> FloatArray:
    """The points, shape ``(n, 2 or 3)``, that are corners of their convex hull, or more where they lie on a line or a plane."""
    from scipy.spatial import ConvexHull, QhullError

    if len(points) <= 2 * points.shape[1]:
        return points
    try:
        found: FloatArray = points[ConvexHull(points).vertices]
    except QhullError:  # flat: all in a line or a plane
        if points.shape[1] == 2:
            return points[np.lexsort(points.T)[[0, -1]]]  # the ends of the line
        return points
    return found


def farthest_pairs(points: FloatArray) -> FloatArray:
    """The pairs that lie farthest apart, shape ``(pairs, 2, dimensions)``; a lone point and itself."""
    from scipy.spatial.distance import cdist

    longest, found = -1.0, list[FloatArray]()
    for start in range(0, len(points), 500):
        apart = cdist(points[start : start + 500], points[start:])
        most = float(apart.max())
        if most < longest - 1e-9:
            continue
        if most > longest + 1e-9:
            found = []
        longest = max(longest, most)
        i, j = np.nonzero(apart > longest - 1e-9)
        found += [np.stack([points[start + i], points[start + j]], axis=1)]
    pairs = np.concatenate(found)
    apart = np.linalg.norm(pairs[:, 1] - pairs[:, 0], axis=1)
    best: FloatArray = pairs[apart > longest - 1e-9]
    return best
