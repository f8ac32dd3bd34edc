"""How the values of an attribute go over a series: with the position of slices, with time, one a file, or without a rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import numpy.typing as npt

__all__ = ["Along", "How", "Orders", "how_it_varies"]

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_LINEAR = 1e-3
"""Of the whole range: what a line may be off."""
_TOGETHER = 5
"""Axes that explain an attribute together, at most: a folder of many kinds of series has a dozen."""
_EVIDENCE = 3
"""Steps of an axis that numbers must follow: any two numbers rise or fall."""


@dataclass(frozen=True, eq=False)
class Along:
    """Something that instances can be ordered by.

    Parameters
    ----------
    name
        ``"position"``, ``"time"``, ``"echo_time"``, ``"stack"`` …
    steps
        Step of each instance, shape ``(n,)``; -1 for those that have none.
    values
        What each step stands for: shape ``(steps,)``, mm or the unit of the axis; None for what has no order.
    """

    name: str
    steps: IntArray
    values: FloatArray | None = None


class Orders:
    """All that instances can be ordered by, alone and together: the same for every attribute of a table.

    Parameters
    ----------
    axes
        The first explains most simply.
    """

    def __init__(self, axes: Sequence[Along]) -> None:
        self.axes = [axis for axis in axes if np.unique(axis.steps).size > 1]

    @cached_property
    def choices(self) -> list[tuple[tuple[Along, ...], npt.NDArray[np.int32], int]]:
        """Axes, one first, then two, and so on; the cell of each instance in them, and how many cells there are."""
        found = []
        for count in range(1, min(len(self.axes), _TOGETHER) + 1):
            for chosen in combinations(self.axes, count):
                cells = _cells(chosen)
                found.append((chosen, cells.astype(np.int32), int(cells.max()) + 1))
        return found


@dataclass(frozen=True, slots=True)
class How:
    """What was found: the sentence, and how regular it is.

    Parameters
    ----------
    words
        ``"with position"``, ``"with position and time"``, ``"unique per file"``, ``"irregular"``.
    shape
        ``"linear"``, ``"monotone"`` or ``""``.
    """

    words: str
    shape: str = ""


def how_it_varies(ids: IntArray, numbers: FloatArray | None, orders: Orders, unit: str = "file") -> How:
    """How an attribute varies.

    It goes *with* some axes when instances that agree in these always have the same value. Where no two instances agree in
    them that is no evidence, and numbers must rise or fall steadily along each, over three steps at least.

    Parameters
    ----------
    ids
        Number of the value of each instance, -1 where it has none, shape ``(n,)``.
    numbers
        The values as numbers, shape ``(distinct, parts)``; None where they are none.
    orders
        What instances are ordered by.
    unit
        What an instance is: ``"file"`` or ``"frame"``.
    """
    several: tuple[Along, ...] | None = None
    for chosen, cells, distinct in orders.choices:
        one = np.empty(distinct, np.int64)
        one[cells] = ids
        if np.any(one[cells] != ids):
            continue  # instances that agree in these axes differ in the attribute
        if distinct < ids.size:
            return How(_words(chosen), _shape(ids, numbers, chosen[0]) if len(chosen) == 1 else "")
        several = several or chosen
    present = ids >= 0
    if several is not None and numbers is not None and present.all() and _steady(ids, numbers, several):
        return How(_words(several), _shape(ids, numbers, several[0]) if len(several) == 1 else "monotone")
    shown = ids[present]
    unordered = numbers is None or not orders.axes or shown.size < _EVIDENCE
    if shown.size > 1 and np.unique(shown).size == shown.size and unordered:
        return How(f"unique per {unit}")
    return How("irregular")


def _words(axes: Sequence[Along]) -> str:
    *names, last = [axis.name for axis in axes]
    return f"with {', '.join(names)} and {last}" if names else f"with {last}"


def _cells(axes: Sequence[Along]) -> IntArray:
    steps = np.stack([axis.steps for axis in axes])
    return np.unique(steps, axis=1, return_inverse=True)[1].reshape(-1).astype(np.int64)


def _steady(ids: IntArray, numbers: FloatArray, axes: Sequence[Along]) -> bool:
    """Whether every part of the numbers rises, falls or stays along each axis where the others stand still."""
    values = numbers[ids]
    for axis in axes:
        if np.any(axis.steps < 0) or (axis.values is None and len(axes) == 1):
            return False
        if axis.values is None:
            continue  # magnitude and phase have no order
        others = [other for other in axes if other is not axis]
        if not others and np.unique(axis.steps).size < _EVIDENCE:
            return False
        lines = _cells(others) if others else np.zeros(ids.size, np.int64)
        order = np.lexsort((axis.values[axis.steps], lines))
        steps = np.diff(values[order], axis=0)[np.diff(lines[order]) == 0]
        if np.any((steps > 0).any(axis=0) & (steps < 0).any(axis=0)):
            return False
        if others and not np.any(steps):
            return False
    return True


def _shape(ids: IntArray, numbers: FloatArray | None, axis: Along) -> str:
    """``"linear"`` or ``"monotone"`` along one axis, ``""`` for neither."""
    if numbers is None or axis.values is None or np.any(ids < 0) or np.any(axis.steps < 0):
        return ""
    if not _steady(ids, numbers, [axis]):
        return ""
    at, values = axis.values[axis.steps], numbers[ids]
    centred = at - at.mean()
    power = float(centred @ centred)
    if not power:
        return ""
    line = values.mean(axis=0) + np.outer(centred, centred @ values / power)
    off = np.abs(values - line).max(axis=0)
    reach = np.ptp(values, axis=0)
    # Numbers are written with a few decimals: a step of 2.333 mm is a line all the same.
    return "linear" if np.all(off <= np.maximum(_LINEAR * reach, 1e-6)) else "monotone"
