"""Contours in one plane that overlap in part, where union and "odd number" differ and nothing says which was meant."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from dicomlab.segment.outlines import Outlines, Planes
from dicomlab.segment.slabs import contours_by_level

__all__ = ["count_crossing"]

FloatArray = npt.NDArray[np.float64]


def count_crossing(outlines: Outlines, planes: Planes) -> int:
    """How many planes have contours that cross one another, or that are there twice.

    A contour within another, beside it, or touching it is none: there both rules are meant as they are written.
    """
    across = np.linalg.svd(planes.normal[None])[2][1:]
    found = 0
    for some in contours_by_level(planes):
        if some.size > 1:
            found += _any_cross([outlines.one(k) @ across.T for k in some.tolist()])
    return found


def _any_cross(polygons: Sequence[FloatArray]) -> bool:
    low = np.array([one.min(axis=0) for one in polygons])
    high = np.array([one.max(axis=0) for one in polygons])
    for i in range(len(polygons) - 1):
        meet = (low[i + 1 :] < high[i]).all(axis=1) & (high[i + 1 :] > low[i]).all(axis=1)
        for j in (i + 1 + np.flatnonzero(meet)).tolist():
            within = np.maximum(low[i], low[j]), np.minimum(high[i], high[j])
            if _same(polygons[i], polygons[j]) or _cross(*(_edges(polygons[k], *within) for k in (i, j))):
                return True
    return False


def _same(one: FloatArray, other: FloatArray) -> bool:
    return len(one) == len(other) and np.array_equal(np.unique(one, axis=0), np.unique(other, axis=0))


def _edges(polygon: FloatArray, low: FloatArray, high: FloatArray) -> FloatArray:
    """Edges that reach into a box, shape ``(n, 2, 2)``."""
    edges = np.stack([polygon, np.roll(polygon, -1, axis=0)], axis=1)
    kept = (edges.min(axis=1) <= high).all(axis=1) & (edges.max(axis=1) >= low).all(axis=1)
    return np.asarray(edges[kept])


def _cross(one: FloatArray, other: FloatArray) -> bool:
    """Whether an edge runs through the inside of an edge of the other; ends that touch do not count."""
    for part in np.array_split(one, max(1, len(one) * len(other) >> 20)):
        a, b, c, d = part[:, None, 0], part[:, None, 1], other[None, :, 0], other[None, :, 1]
        through = _side(a, b, c) * _side(a, b, d) < 0
        if bool((through & (_side(c, d, a) * _side(c, d, b) < 0)).any()):
            return True
    return False


def _side(a: FloatArray, b: FloatArray, p: FloatArray) -> FloatArray:
    """On which side of the line from a to b a point lies; 0 on it, within rounding."""
    turn = (b[..., 0] - a[..., 0]) * (p[..., 1] - a[..., 1]) - (b[..., 1] - a[..., 1]) * (
        p[..., 0] - a[..., 0]
    )
    return np.where(np.abs(turn) < 1e-9, 0.0, turn)
