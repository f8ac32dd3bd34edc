"""How far a reading of a series is from the truth: millimetres and values, whatever the order or attitude of its arrays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.phantom import Sample

__all__ = ["NEAR", "Off", "Reading", "far_off", "number"]

FloatArray = npt.NDArray[np.float64]

NEAR = 0.05
"""Millimetres within which a slice is where it should be."""
_ALIKE = 0.9
"""Two pictures are the same one when their values go with each other this well (correlation); noise sees to the rest."""
_TIE = 1e-6


Match: TypeAlias = "tuple[int, FloatArray, FloatArray]"
"""Which slice of a reading, as the truth is turned, and the LPS of its corners."""


@dataclass(frozen=True, eq=False)
class Reading:
    """One array as a reader returned it, and where that puts its slices.

    Parameters
    ----------
    values
        Shape ``(slices, rows, columns)``.
    origins
        LPS mm of the first voxel of each slice, shape ``(slices, 3)``.
    row_step, column_step
        LPS mm from one row, and from one column, to the next, shape ``(3,)``.
    """

    values: npt.NDArray[Any]
    origins: FloatArray
    row_step: FloatArray
    column_step: FloatArray


@dataclass(frozen=True)
class Off:
    """How far a reading is from the truth.

    Parameters
    ----------
    state
        ``"right"``, ``"partly"`` (some slices are right, the others are not there), ``"wrong"`` or ``"refuses"``.
    mm
        How far the corner of a slice lies from its true place, at worst.
    value
        How far a value is from the true one, at worst, in the unit of the truth.
    found, wanted
        True slices that were recognised, and all of them.
    stray
        Slices among the true ones that are none of them, or one of them once more.
    mixed
        Whether one array holds slices of several true stacks.
    said
        Why nothing was returned.
    """

    state: str
    mm: float = 0.0
    value: float = 0.0
    found: int = 0
    wanted: int = 0
    stray: int = 0
    mixed: bool = False
    said: str = ""

    def words(self, units: str = "") -> str:
        """The verdict in a few words, with figures."""
        if self.state == "refuses":
            return f"stops: {self.said}" if self.said else "stops"
        told = ["right"] if self.state == "right" else []
        if self.mm > NEAR:
            told.append(f"up to {number(self.mm)} mm off")
        if self.value == np.inf:
            told.append("values are no numbers")
        elif self.value > 0:
            told.append(f"values up to {number(self.value)}{f' {units}' if units else ''} off")
        if self.found < self.wanted:
            told.append(f"{self.wanted - self.found} of {self.wanted} slices are not there")
        if self.stray:
            more = "picture" if self.stray == 1 else "pictures"
            told.append(
                f"{self.stray} {more} more than there are"
                if told != ["right"]
                else f"and {self.stray} {more} more"
            )
        return "; ".join(told) or self.said or "wrong"


def number(value: float) -> str:
    """Three digits that count, without an exponent where a person would write none."""
    return f"{value:.3g}" if value < 1e3 else f"{value:,.0f}".replace(",", "\u202f")


def far_off(sample: Sample, readings: Sequence[Reading]) -> Off:
    """Compare a reading with the truth, slice by slice.

    A slice is recognised by its picture, in any of its eight attitudes and on any straight scale of grey, so that it is found
    though it lies elsewhere or its values are others; where no picture is like it, by its place. Of several arrays the best
    one counts for each true volume: arrays beside it do no harm. Which of them is which time point is not looked at.
    """
    wanted, lost = 0, 0
    worst, value, beyond = 0.0, 0.0, 0.0
    taken: dict[int, set[int]] = {}
    stacks: dict[int, set[int]] = {}
    for part, stack in enumerate(sample.stacks):
        for volume in stack.values.reshape(-1, *stack.values.shape[-3:]).astype(float):
            wanted += len(volume)
            best = min(_seen(stack, volume, readings), key=lambda seen: seen.rank, default=None)
            if best is None or not best.slices:
                lost += len(volume)
                continue
            lost += best.lost
            worst, value = max(worst, best.mm), max(value, best.value)
            beyond = max(beyond, best.beyond)
            taken.setdefault(best.number, set()).update(best.slices)
            stacks.setdefault(best.number, set()).add(part)
    used = list(taken) or range(len(readings))
    stray = sum(len(readings[r].values) - len(taken.get(r, ())) for r in used)
    placed, valued = worst <= NEAR, beyond <= 0
    state = "wrong"
    if placed and valued and taken:
        state = "partly" if lost else "right"
    mixed = any(len(parts) > 1 for parts in stacks.values())
    return Off(state, worst, 0.0 if valued else value, wanted - lost, wanted, stray, mixed)


@dataclass(frozen=True)
class _Seen:
    """What one array shows of a true volume."""

    number: int
    slices: frozenset[int]
    lost: int
    mm: float
    value: float
    beyond: float

    @property
    def rank(self) -> tuple[float, ...]:
        """The less, the better."""
        return self.lost, self.beyond > 0, self.mm, self.value


def _seen(stack: Sample, volume: FloatArray, readings: Sequence[Reading]) -> Iterator[_Seen]:
    corners = [
        _corners(origin, stack.row_step, stack.column_step, volume.shape[1:]) for origin in stack.origins
    ]
    for number, reading in enumerate(readings):
        slices, lost, mm, value, beyond = set(), 0, 0.0, 0.0, 0.0
        for plane, truth, matches in zip(volume, corners, _recognised(volume, reading), strict=True):
            apart = [
                (float(np.linalg.norm(where - truth, axis=-1).max()), _apart(turned, plane), k)
                for k, turned, where in matches or _at(truth, reading, plane.shape)
            ]
            if not apart:
                lost += 1
                continue
            off, error, k = min(apart)
            mm, value, beyond = max(mm, off), max(value, error), max(beyond, error - _tolerance(plane))
            slices.add(k)
        yield _Seen(number, frozenset(slices), lost, mm, value, beyond)


def _apart(some: FloatArray, others: FloatArray) -> float:
    """The largest difference of two pictures; infinite where one holds what is no number."""
    difference = float(np.max(np.abs(some - others)))
    return difference if np.isfinite(difference) else np.inf


def _at(truth: FloatArray, reading: Reading, shape: tuple[int, ...]) -> list[Match]:
    """The slices that a reading puts where a true one lies, whatever they show."""
    if reading.values.shape[1:] != shape:
        return []
    found: list[Match] = []
    for k, picture in enumerate(reading.values):
        corners = _corners(reading.origins[k], reading.row_step, reading.column_step, shape)
        if np.linalg.norm(corners - truth, axis=-1).max() <= NEAR:
            found.append((k, np.asarray(picture, dtype=float), corners))
    return found


def _tolerance(plane: FloatArray) -> float:
    """Half a step of the values as stored."""
    step = float(np.diff(np.unique(plane)).min(initial=np.inf))
    return min(step / 2, 0.5) + 1e-6 * float(np.abs(plane).max())


def _corners(origin: Any, row_step: Any, column_step: Any, shape: tuple[int, ...]) -> FloatArray:
    ends = itertools.product((0, shape[0] - 1), (0, shape[1] - 1))
    return np.array([origin + i * row_step + j * column_step for i, j in ends])


def _recognised(planes: FloatArray, reading: Reading) -> Iterator[list[Match]]:
    """For each true plane the slices that show it."""
    shape = planes.shape[1:]
    candidates = []
    if reading.values.ndim == 3 and {*reading.values.shape[1:]} == {*shape}:
        for k, transpose, down, along in itertools.product(
            range(len(reading.values)), (False, True), (1, -1), (1, -1)
        ):
            picture = reading.values[k]
            turned = (picture.T if transpose else picture)[::down, ::along]
            if turned.shape == shape:
                candidates.append((k, turned, transpose, down, along))
    if not candidates:
        yield from ([] for _ in planes)
        return
    table = np.array([_normal(turned) for _, turned, *_ in candidates])
    for plane in planes:
        likeness = np.abs(table @ _normal(plane))
        best = likeness.max()
        chosen = np.flatnonzero(likeness >= best - _TIE).tolist() if best >= _ALIKE else []
        yield [_match(reading, *candidates[n]) for n in chosen]


def _match(reading: Reading, k: int, turned: Any, transpose: bool, down: int, along: int) -> Match:
    origin, row_step, column_step = reading.origins[k], reading.row_step, reading.column_step
    if transpose:
        row_step, column_step = column_step, row_step
    if down < 0:
        origin, row_step = origin + (turned.shape[0] - 1) * row_step, -row_step
    if along < 0:
        origin, column_step = origin + (turned.shape[1] - 1) * column_step, -column_step
    return k, np.asarray(turned, dtype=float), _corners(origin, row_step, column_step, turned.shape)


def _normal(picture: Any) -> FloatArray:
    """The picture as a vector of mean 0 and length 1; zeros where it is flat."""
    flat = np.nan_to_num(np.asarray(picture, dtype=float).ravel())
    flat = flat - flat.mean()
    length = float(np.linalg.norm(flat))
    return np.asarray(flat / length if length > 0 else flat)
