"""What the instances of a series can be ordered by: series, stack, position, and the extra axes that the reader finds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.series import Series
from dicomlab.read.stacks import Stack
from dicomlab.tables.how import Along

__all__ = ["axes_of"]

IntArray = npt.NDArray[np.int64]
_SAME_PLACE = 1e-3
"""mm."""


def axes_of(
    listed: Sequence[Series | Stack], places: Mapping[tuple[int, int], int], count: int
) -> list[Along]:
    """What orders the instances.

    Parameters
    ----------
    listed
        Series or stacks.
    places
        Number of an instance, by `id` of the object and frame.
    count
        How many instances there are.
    """
    series, stacks = (np.full(count, -1, np.int64) for _ in range(2))
    found: dict[str, Along] = {}
    position = np.full(count, -1, np.int64)
    along: list[float] = []
    number = 0
    for k, one in enumerate(listed):
        for stack in one.stacks if isinstance(one, Series) else [one]:
            members = [places.get((id(plane.instance), plane.frame), -1) for plane in stack.planes]
            inside = np.array([member for member in members if member >= 0], np.int64)
            series[inside], stacks[inside] = k, number
            number += 1
            if stack.is_placed:
                _placed(stack, places, position, along)
            _extra(stack, places, count, found)
        for instance in one.instances:
            place = places.get((id(instance), 0), -1)
            if place >= 0 and series[place] < 0:
                series[place] = k
    return [
        Along("series", series),
        Along("stack", stacks),
        Along("position", position, np.array(along)),
        *found.values(),
    ]


def _placed(
    stack: Stack, places: Mapping[tuple[int, int], int], position: IntArray, along: list[float]
) -> None:
    """Write the step of each plane along the normal of its stack into `position`, and where it is behind `along`."""
    first = stack.planes[0].cosines
    assert first is not None
    normal = np.cross(first[:3], first[3:])
    at = np.array([float(plane.position @ normal) for plane in stack.planes if plane.position is not None])
    order = np.argsort(at, kind="stable")
    last = None
    for k in order:
        if last is None or at[k] - last > _SAME_PLACE:
            along.append(float(at[k]))
        last = at[k]
        place = places.get((id(stack.planes[k].instance), stack.planes[k].frame), -1)
        if place >= 0:
            position[place] = len(along) - 1


def _extra(stack: Stack, places: Mapping[tuple[int, int], int], count: int, found: dict[str, Along]) -> None:
    """Add the extra axes of a stack, where it has some that make an array."""
    try:
        if stack.flat is not None:
            return
        arrangement = stack.arrangement
    except DicomLabError:
        return
    for number, axis in enumerate(arrangement.axes):
        steps = found[axis.name].steps if axis.name in found else np.full(count, -1, np.int64)
        for k, plane in enumerate(arrangement.planes):
            place = places.get((id(plane.instance), plane.frame), -1)
            if place >= 0:
                steps[place] = np.unravel_index(k, arrangement.shape)[number]
        ordered = np.issubdtype(axis.values.dtype, np.number)
        values = axis.values.astype(np.float64) if ordered else None
        old = found[axis.name].values if axis.name in found else None
        if old is not None and values is not None and old.size > values.size:
            values = old
        found[axis.name] = Along(axis.name, steps, values)
