"""Which points of parallel lines lie inside polygons, by counting where each line crosses an edge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

__all__ = ["Lines", "fill"]

FloatArray = npt.NDArray[np.float64]
Indexes = npt.NDArray[np.intp]

_LINES = 1 << 14
_CROSSINGS = 1 << 21
"""As many at a time: a contour of a million points that goes to and fro must not fill the memory."""


@dataclass(frozen=True, eq=False)
class Lines:
    """Lines of points in a plane (u, v), all along u, each at one v.

    Parameters
    ----------
    number
        Which line of the result each is.
    v
        Where it lies.
    offset, scale
        Its point k lies at ``u = offset + scale * x[k]``; `scale` is above 0, one for all.
    first, end
        Its points ``first <= k < end`` lie in the plane at all.
    """

    number: Indexes
    v: FloatArray
    offset: FloatArray
    scale: float
    first: Indexes
    end: Indexes

    def take(self, chosen: Indexes) -> Lines:
        """Some of them."""
        return Lines(
            self.number[chosen],
            self.v[chosen],
            self.offset[chosen],
            self.scale,
            self.first[chosen],
            self.end[chosen],
        )


def fill(target: npt.NDArray[np.bool_], x: FloatArray, lines: Lines, polygons: Sequence[FloatArray]) -> None:
    """Set the points that lie inside an odd number of polygons, of shape ``(n, 2)`` each: u, v.

    A point on an edge is inside where u rises into the polygon; a line at the v of a corner goes by what lies on the side of
    rising v. So polygons that share an edge share no point, and leave none between them.

    Parameters
    ----------
    target
        Shape ``(lines, points)``; changed in place.
    x
        Shape ``(points,)``, rising.
    """
    edges = [np.concatenate([one, np.roll(one, -1, axis=0)], axis=1) for one in polygons]
    edge = np.concatenate(edges)
    edge = edge[edge[:, 1] != edge[:, 3]]
    # Upwards all of them: an edge is crossed at the same place whichever polygon it belongs to.
    edge = np.where((edge[:, 1] > edge[:, 3])[:, None], edge[:, [2, 3, 0, 1]], edge)
    if not edge.size:
        return
    low, high = edge[:, 1].min(), edge[:, 3].max()
    near = np.flatnonzero((lines.v >= low) & (lines.v < high) & (lines.first < lines.end))
    near = near[np.argsort(lines.v[near], kind="stable")]
    for start in range(0, near.size, _LINES):
        _fill_some(target, x, lines.take(near[start : start + _LINES]), edge)


def _fill_some(target: npt.NDArray[np.bool_], x: FloatArray, lines: Lines, edge: FloatArray) -> None:
    """`fill` for lines that are sorted by v."""
    left, right = int(lines.first.min()), int(lines.end.max())
    odd = np.zeros((lines.v.size, right - left + 1), np.bool_)
    for line, at in _crossings(x, lines, edge):
        # What is crossed before the first point, or behind the last, counts there: all crossings of a line are an even number.
        at = np.clip(at, lines.first[line], lines.end[line]) - left
        np.logical_xor.at(odd.reshape(-1), line * odd.shape[1] + at, True)
    np.logical_xor.accumulate(odd, axis=1, out=odd)
    target[lines.number, left:right] |= odd[:, :-1]


def _crossings(x: FloatArray, lines: Lines, edge: FloatArray) -> Iterator[tuple[Indexes, Indexes]]:
    """Lines, and the first point of each that lies behind an edge."""
    first = np.searchsorted(lines.v, edge[:, 1], side="left")
    counts = np.searchsorted(lines.v, edge[:, 3], side="left") - first
    total = np.cumsum(counts)
    start = 0
    while start < counts.size:
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + _CROSSINGS, side="right")))
        some = counts[start:stop]
        which = np.repeat(np.arange(start, stop), some)
        line = np.arange(which.size) - np.repeat(np.cumsum(some) - some, some) + first[which]
        u0, v0, u1, v1 = edge[which].T
        u = u0 + (lines.v[line] - v0) * (u1 - u0) / (v1 - v0)
        yield line, np.searchsorted(x, (u - lines.offset[line]) / lines.scale, side="left")
        start = stop
