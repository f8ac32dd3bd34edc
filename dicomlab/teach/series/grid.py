"""A stack as a grid: slice positions by steps of what else separates its images; holes and doubles are seen, not solved.

Loading wants a full product, or says what is missing. A picture of it must also show what is no product.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read import Stack
from dicomlab.read.axes import Axis
from dicomlab.read.layout import lay_out
from dicomlab.read.meanings import AUTO, Meaning
from dicomlab.read.missing import shown
from dicomlab.read.planes import Plane

__all__ = ["Grid", "grid_of"]

Ints = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Grid:
    """Where each plane of a stack stands.

    Parameters
    ----------
    planes
        In the order of the stack.
    heights
        mm along the slice normal of each row of the grid, ascending; NaN where nothing is known of places.
    ghosts
        Rows where no image lies though the even step of the others says that one should.
    steps
        What each column is called.
    axes
        Names of what the columns stand for, outermost first.
    row, column
        Where each plane stands, shape ``(planes,)``.
    note
        What is to be said of it.
    """

    planes: tuple[Plane, ...]
    heights: npt.NDArray[np.float64]
    ghosts: npt.NDArray[np.bool_]
    steps: tuple[str, ...]
    axes: tuple[str, ...]
    row: Ints
    column: Ints
    note: str = ""


def grid_of(stack: Stack) -> Grid:
    """Lay a stack out as a grid."""
    planes = stack.planes
    try:
        layout = lay_out(planes)
    except DicomLabError as problem:
        count = len(planes)
        nowhere = np.full(count, np.nan)
        note = f"These images have no place in the patient: {problem}" if stack.flat is None else ""
        return Grid(
            planes,
            nowhere,
            np.zeros(count, bool),
            ("",),
            (),
            np.arange(count),
            np.zeros(count, np.intp),
            note,
        )
    place = layout.place
    steps, column, axes, note = _steps(stack, place)
    heights, ghosts, row = _with_ghosts(layout.along, place)
    return Grid(planes, heights, ghosts, tuple(steps), tuple(axes), row, column, note)


def _with_ghosts(
    along: npt.NDArray[np.float64], place: Ints
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_], Ints]:
    """Heights with a row for each slice that an even step misses, which of them are none, and the row of each plane."""
    gaps = np.diff(along)
    usual = float(np.median(gaps)) if gaps.size else 0.0
    heights: list[float] = []
    ghosts: list[bool] = []
    at: list[int] = []
    for k, height in enumerate(along.tolist()):
        at.append(len(heights))
        heights.append(height)
        ghosts.append(False)
        missed = gaps[k] / usual if k < gaps.size and usual > 0 else 1.0
        # A gap of two or three even steps has lost slices; one that is no multiple is another spacing.
        if 1.5 < missed < 20.5 and abs(missed - round(missed)) < 0.1:
            for n in range(1, round(missed)):
                heights.append(height + n * gaps[k] / round(missed))
                ghosts.append(True)
    return np.array(heights), np.array(ghosts, dtype=bool), np.array(at, dtype=np.intp)[place]


def _steps(stack: Stack, place: Ints) -> tuple[Sequence[str], Ints, Sequence[str], str]:
    """Names of the columns, the column of each plane, what columns stand for, and what is to be said."""
    count = len(stack.planes)
    try:
        arrangement = stack.arrangement
    except DicomLabError as problem:
        return *_guess(stack, place), str(problem)
    if len(arrangement.planes) < count:
        return *_guess(stack, place), ""
    slices = arrangement.layout.along.size
    number = {id(plane): k // slices for k, plane in enumerate(arrangement.planes)}
    column = np.array([number[id(plane)] for plane in stack.planes], dtype=np.intp)
    return _names(arrangement.axes), column, [axis.name for axis in arrangement.axes], ""


def _names(axes: Sequence[Axis]) -> list[str]:
    """What each combination of steps is called."""
    parts = [[_labelled(axis, k) for k in range(axis.values.size)] for axis in axes]
    names = [""]
    for part in parts:
        names = [f"{name} · {label}" if name else label for name in names for label in part]
    return names


def _labelled(axis: Axis, k: int) -> str:
    unit = f" {axis.units}" if axis.units else ""
    vector = [axis.beside[f"b_vector_{x}"][k] for x in "xyz" if f"b_vector_{x}" in axis.beside]
    direction = ""
    if len(vector) == 3 and np.isfinite(vector).all():
        direction = f" ({', '.join(f'{round(float(v), 2) + 0.0:.2f}' for v in vector)})"
    return f"{shown(axis.values[k])}{unit}{direction}"


def _guess(stack: Stack, place: Ints) -> tuple[Sequence[str], Ints, Sequence[str]]:
    """Columns where the images form no full product: what leaves the fewest images in one cell, and few cells empty."""
    slices = int(place.max()) + 1
    column = np.zeros(len(place), dtype=np.intp)
    names: list[str] = [""]
    axes: list[str] = []
    for _ in range(2):
        crowded = _crowded(place, column)
        best: tuple[int, Meaning, list[Hashable]] | None = None
        for meaning in AUTO if crowded else ():
            if meaning.counts in axes:
                continue
            labels = meaning.labels(stack.headers)
            columns = len(set(labels)) * len(names)
            # A label that each slice has of its own (a time, a number) is no step.
            if len(set(labels)) < 2 or columns * slices > 1.5 * len(labels) + columns:
                continue
            known = {label: k for k, label in enumerate(dict.fromkeys(labels))}
            left = _crowded(place, column * len(known) + np.array([known[label] for label in labels]))
            if left < crowded and (best is None or left < best[0]):
                best = (left, meaning, labels)
        if best is None:
            break
        _, meaning, labels = best
        values = sorted(set(labels), key=Meaning.sort_key)
        known = {label: k for k, label in enumerate(values)}
        column = column * len(values) + np.array([known[label] for label in labels], dtype=np.intp)
        told = _moments(meaning, values)
        names = [f"{name} · {label}" if name else label for name in names for label in told]
        axes.append(meaning.counts)
    return names, column, axes


def _moments(meaning: Meaning, values: Sequence[Hashable]) -> list[str]:
    """Labels as text; times count from the first, as the hour of an examination is nobody's business."""
    if meaning.name != "time":
        return [f"{shown(value)}{f' {meaning.units}' if meaning.units else ''}" for value in values]
    if meaning.counts != "time":  # a number of a moment
        return [shown(value) for value in values]
    first = min((v for v in values if isinstance(v, float)), default=0.0)
    return [f"{shown(v - first)} s" if isinstance(v, float) else shown(v) for v in values]


def _crowded(place: Ints, column: Any) -> int:
    """How many images are in a cell that another has already."""
    cells = Counter(zip(place.tolist(), cast(Ints, column).tolist(), strict=True))
    return sum(count - 1 for count in cells.values())
