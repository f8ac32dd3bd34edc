"""Is what a reader returned true? Voxels sampled at patient positions, compared with the phantom's truth.

A verdict needs no knowledge of the reader: it may store its arrays in any order, flipped or not, one volume or many.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dicomlab.phantom import Sample
from tests.kinds.peers import Answer, Volume

SAMPLES = 300
"""Voxels compared in each volume."""
NEAR = 0.05
"""A voxel centre must be this near (mm) to a true one."""


@dataclass(frozen=True)
class Verdict:
    """ "right", "partly", "refuses" or "wrong", and by how much."""

    state: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.state}: {self.detail}" if self.detail else self.state


@dataclass(frozen=True)
class _True:
    """One true volume: its place along the extra axes, and a stack that has its slices."""

    index: tuple[int, ...]
    stack: Sample
    values: Any


def judge(sample: Sample, answer: Answer) -> Verdict:
    """Compare an answer with the truth."""
    if not answer.volumes:
        return Verdict("refuses", answer.refusal)
    wanted = [
        _True((part, *index), stack, stack.values[index])
        for part, stack in enumerate(sample.stacks)
        for index in np.ndindex(stack.values.shape[:-3])
    ]
    found = {true.index: _find(true, answer.volumes) for true in wanted}
    got = [true for true in wanted if found[true.index] is not None]
    if len(got) == len(wanted):
        disorder = _disorder(sample, found)
        return Verdict("wrong", disorder) if disorder else Verdict("right")
    stray = [v for k, v in enumerate(answer.volumes) if k not in found.values()]
    if got and not stray:
        return Verdict("partly", f"{len(got)} of {len(wanted)} volumes")
    return Verdict("wrong", _by_how_much(wanted, answer.volumes))


def _find(true: _True, volumes: Sequence[Volume]) -> int | None:
    """Number of the volume in which every sampled voxel stands where it truly is, with its true value."""
    points, values, tolerance = _samples(true)
    for number, volume in enumerate(volumes):
        distance, there = _look_up(volume, points)
        if np.all(distance <= NEAR) and np.all(np.abs(there - values) <= tolerance):
            return number
    return None


def _samples(true: _True) -> tuple[Any, Any, Any]:
    """LPS, values and tolerances of random voxels, the same ones each time; the corners are among them."""
    shape = true.values.shape
    random = np.random.default_rng(20240229)
    index = np.stack([random.integers(0, n, SAMPLES) for n in shape], axis=-1)
    corners = np.array(list(itertools.product(*[(0, n - 1) for n in shape])))
    index = np.concatenate([index, corners])
    # Half a step of the values as stored: the smallest difference in the slice.
    half = np.array(
        [np.diff(np.unique(plane.astype(float))).min(initial=np.inf) / 2 for plane in true.values]
    )
    values = true.values[tuple(index.T)].astype(float)
    return true.stack.lps(index), values, np.minimum(half[index[:, 0]], 0.5) + 1e-6 * np.abs(values)


def _look_up(volume: Volume, points: Any) -> tuple[Any, Any]:
    """Distance (mm) of the voxel centre nearest to each point, and the value there."""
    steps = np.stack([volume.row_step, volume.column_step], axis=1)
    best = np.full(len(points), np.inf)
    value = np.full(len(points), np.nan)
    inverse = np.linalg.pinv(steps)
    for origin, plane in zip(volume.origins, volume.values, strict=True):
        index = np.rint((points - origin) @ inverse.T)
        index = np.clip(index, 0, np.array(plane.shape[:2]) - 1).astype(int)
        distance = np.linalg.norm(origin + index @ steps.T - points, axis=-1)
        nearer = distance < best
        best = np.where(nearer, distance, best)
        here = plane[index[:, 0], index[:, 1]]
        value = np.where(nearer, here if here.ndim == 1 else np.nan, value)
    return best, value


def _disorder(sample: Sample, found: dict[tuple[int, ...], int | None]) -> str:
    """What is out of order: along every axis of numbers, volumes must follow each other as their labels do."""
    for part, stack in enumerate(sample.stacks):
        for axis, (name, labels) in enumerate(stack.axes.items(), start=1):
            if labels.dtype.kind not in "iuf":
                continue
            for index in (index for index in found if index[0] == part and index[axis] > 0):
                before = (*index[:axis], index[axis] - 1, *index[axis + 1 :])
                if (found[before] or 0) >= (found[index] or 0):
                    return f"volumes out of order along {name}"
    return ""


def _by_how_much(wanted: Sequence[_True], volumes: Sequence[Volume]) -> str:
    """The largest displacement of a slice that can be recognised; where none can, the largest error of a value."""
    worst, known = 0.0, False
    for true in wanted:
        shifts = [shift for volume in volumes for shift in _displacements(true, volume)]
        if shifts:
            known = True
            worst = max(worst, *shifts)
    if worst > NEAR:
        return f"up to {worst:.3g} mm"
    errors = [_value_error(true, volume) for true, volume in itertools.product(wanted, volumes)]
    errors = [error for error in errors if np.isfinite(error)]
    if known and len(volumes) < len(wanted):
        return f"{len(volumes)} of {len(wanted)} volumes, not as they are"
    return f"values off by up to {min(errors):.4g}" if errors else "no voxel where one should be"


def _displacements(true: _True, volume: Volume) -> Iterator[float]:
    """How far the corners of each true slice are from where the volume has that picture, turned or not."""
    rows, columns = true.values.shape[1:]
    corners = np.array(list(itertools.product((0, rows - 1), (0, columns - 1))))
    for k, plane in enumerate(true.values):
        truth = true.stack.lps(np.insert(corners, 0, k, axis=1))
        shifts = []
        for origin, other in zip(volume.origins, volume.values, strict=True):
            for turned, places in _turns(other, corners, (rows, columns)):
                if np.allclose(turned, plane, rtol=1e-5, atol=0.5):
                    at = origin + places @ np.stack([volume.row_step, volume.column_step])
                    shifts.append(float(np.linalg.norm(at - truth, axis=-1).max()))
        if shifts:
            yield min(shifts)


def _turns(plane: Any, corners: Any, shape: tuple[int, int]) -> Iterator[tuple[Any, Any]]:
    """The picture in its eight attitudes, and where in the original the corners are."""
    if plane.ndim != 2 or {*plane.shape} != {*shape}:
        return
    index = np.stack(np.indices(plane.shape), axis=-1)
    for transpose, down, along in itertools.product((False, True), (1, -1), (1, -1)):
        picture, place = (plane.T, index.transpose(1, 0, 2)) if transpose else (plane, index)
        picture, place = picture[::down, ::along], place[::down, ::along]
        if picture.shape == shape:
            yield picture, place[tuple(corners.T)]


def _value_error(true: _True, volume: Volume) -> float:
    points, values, _ = _samples(true)
    distance, there = _look_up(volume, points)
    near = distance <= NEAR
    return float(np.max(np.abs(there - values)[near])) if near.mean() > 0.5 else float("nan")
