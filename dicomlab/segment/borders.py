"""The borders of a mask in a plane, along the edges of its pixels.

Corners of pixels are numbered ``y * width + x``. Pixels of the mask lie to the right of each border, rows counted downwards:
outer borders have a positive area, those of holes a negative one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Corners", "joined", "loops", "thinned"]

Corners: TypeAlias = npt.NDArray[np.intp]

_RIGHT, _DOWN, _LEFT, _UP = 1, 2, 4, 8
_TURN = {_RIGHT: _DOWN, _DOWN: _LEFT, _LEFT: _UP, _UP: _RIGHT}


def loops(plane: npt.NDArray[np.bool_]) -> list[list[int]]:
    """All borders of a mask of shape ``(rows, columns)``, each a list of corners in steps of one pixel.

    None passes a corner twice: where pixels touch at a corner only, each border turns back there. Corners are numbered as in
    an array of shape ``(rows + 1, columns + 1)``.
    """
    rows, columns = plane.shape
    width = columns + 1
    here = np.pad(plane, 1)
    inside = here[1:-1, 1:-1]
    out = np.zeros((rows + 1, width), np.uint8)
    out[:-1, :-1] |= (inside & ~here[:-2, 1:-1]) * np.uint8(_RIGHT)  # along its upper edge
    out[:-1, 1:] |= (inside & ~here[1:-1, 2:]) * np.uint8(_DOWN)
    out[1:, 1:] |= (inside & ~here[2:, 1:-1]) * np.uint8(_LEFT)
    out[1:, :-1] |= (inside & ~here[1:-1, :-2]) * np.uint8(_UP)
    corners = np.flatnonzero(out)
    left = dict(zip(corners.tolist(), out.ravel()[corners].tolist(), strict=True))
    step = {_RIGHT: 1, _DOWN: width, _LEFT: -1, _UP: -width}
    found: list[list[int]] = []
    for start in corners.tolist():
        while start in left:
            found += _walk(start, left, step)
    return found


def _walk(start: int, left: dict[int, int], step: dict[int, int]) -> Iterator[list[int]]:
    """The borders met on the way from a corner back to it; what is walked is taken from `left`."""
    # Where two borders leave one corner they are told apart, and what came back to it is a border of its own.
    path: list[int] = []
    passed = {start: 0}
    at, way = start, left[start] & -left[start]
    while True:
        ways = left[at]
        if ways & (ways - 1):
            way = way if not path else _TURN[way]
            left[at] = ways ^ way
            passed[at] = len(path)
        else:
            way = ways
            del left[at]
        path.append(at)
        at += step[way]
        first = passed.get(at)
        if first is not None and first < len(path) and path[first] == at:
            yield path[first:]
            del path[first:]
            if not path:
                break


def area(loop: Corners, width: int) -> float:
    """Pixels inside an outer border; the same, below zero, for that of a hole."""
    y, x = np.divmod(loop, width)
    return float(np.sum(x * np.roll(y, -1) - np.roll(x, -1) * y)) / 2


def thinned(loop: Corners, width: int) -> Corners:
    """The corners at which a border turns."""
    around = np.concatenate([loop[-1:], loop, loop[:1]])
    step = np.diff(around)
    way = np.sign(step) * np.where(np.abs(step) < width, 1, 2)  # along the rows, or from row to row
    turns: Corners = loop[way[1:] != way[:-1]]
    return turns


def joined(every: list[list[int]], width: int) -> list[list[int]]:
    """One border for each outer one, its holes joined to it by cuts without width, there and back along a row of corners."""
    outer: list[list[int]] = []
    holes: list[list[int]] = []
    for loop in every:
        (outer if area(np.array(loop), width) > 0 else holes).append(loop)
    through: dict[int, list[list[int]]] = {}
    for loop in every:
        for corner in loop:
            through.setdefault(corner, []).append(loop)

    def leftmost(hole: list[int]) -> tuple[int, int]:
        return min((corner % width, corner) for corner in hole)

    # A hole is cut open at its leftmost corner, to the left: what it meets reaches further to the left than itself. So the
    # rightmost hole is whole when it is joined to the next.
    for hole in sorted(holes, key=leftmost, reverse=True):
        start = at = leftmost(hole)[1]
        while not (met := [loop for loop in through.get(at, ()) if loop is not hole]):
            at -= 1
        k = hole.index(start)
        target = met[0]
        cut = target.index(at) + 1
        back = [start, at] if at != start else [at]
        target[cut:cut] = [*(hole[k:] if at != start else hole[k + 1 :]), *hole[:k], *back]
    return outer
