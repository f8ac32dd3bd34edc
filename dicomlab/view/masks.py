"""Masks and labels over a picture: what users give, made into volumes of whole numbers, each number with its name and size."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.masks import Label, labels_of, to_label_maps
from dicomlab.masks.labels import first_colour
from dicomlab.view.grid import Grid
from dicomlab.view.plane import Vector
from dicomlab.view.source import Source

__all__ = ["LabelInfo", "Mask", "MasksLike", "as_list", "first_look", "middle", "read_masks"]

MasksLike: TypeAlias = xr.DataArray | Iterable[xr.DataArray] | Mapping[str, xr.DataArray]


@dataclass(frozen=True)
class LabelInfo:
    """One label of a mask.

    Parameters
    ----------
    value
        The number of its voxels.
    name
        What it is called; each name is there once.
    ml
        Its volume in millilitres; None where the size of a voxel is not known, or where it differs from step to step.
    at
        LPS mm of a voxel of it: the one nearest to its middle, in the slice where most of it lies, of the
        first step that has it. None where it is empty.
    colour
        Red, green, blue that the mask gives it; None for the next one of the viewer.
    """

    value: int
    name: str
    ml: float | None
    at: Vector | None
    colour: tuple[int, int, int] | None = None

    def to_json(self) -> dict[str, Any]:
        """What the page has to know, ready for JSON."""
        at = None if self.at is None else list(self.at)
        return {"value": self.value, "name": self.name, "ml": self.ml, "at": at}


@dataclass(frozen=True)
class Mask:
    """A volume of whole numbers, 0 where nothing is, and what the others mean."""

    source: Source
    labels: tuple[LabelInfo, ...]

    def describe(self, *, memory: int) -> dict[str, Any]:
        """What the page has to know, ready for JSON; no voxel."""
        labels = [one.to_json() for one in self.labels]
        return {**self.source.describe(memory=memory, mask=True), "labels": labels}


def read_masks(masks: MasksLike | None) -> list[Mask]:
    """Masks as volumes of labels.

    Parameters
    ----------
    masks
        One volume, several, or several by name. Of each the values are False and True, or whole numbers of which 0 is nothing;
        with a dim ``segment`` (`dicomlab.load_segmentation`) each segment is a label, and those that overlap are kept apart.
        Names come from the mapping, the coordinate ``label``, the CF attributes ``flag_values`` and ``flag_meanings``, or
        the array's own name.

    Raises
    ------
    DicomLabError
        The values are no masks or labels.
    """
    taken: set[str] = set()
    return [mask for name, volume in as_list(masks) for mask in _read(volume, name, taken)]


def as_list(masks: MasksLike | None) -> list[tuple[str, xr.DataArray]]:
    """Masks with the names that a mapping gives them, else ""."""
    if masks is None:
        return []
    if isinstance(masks, xr.DataArray):
        return [("", masks)]
    if isinstance(masks, Mapping):
        return [(str(name), mask) for name, mask in masks.items()]
    return [("", mask) for mask in masks]


def first_look(number: int, colour: tuple[int, int, int] | None = None) -> dict[str, Any]:
    """How the label of this number, of all from 0 on, is drawn at first."""
    chosen = colour or Label(1, "any", first_colour(number)).rgb
    return {"colour": list(chosen), "opacity": 0.35, "outline": True, "visible": True}


def _read(volume: xr.DataArray, name: str, taken: set[str]) -> list[Mask]:
    found = []
    segments = isinstance(volume, xr.DataArray) and "segment" in volume.dims
    for one in to_label_maps(volume):
        if name and segments:
            names = {label.value: f"{name} {label.name}" for label in labels_of(one)}
        elif name and volume.dtype == np.bool_:
            names = {1: name}
        else:
            own = str(one.name or "label")
            names = {
                label.value: f"{name} {label.value}"
                if name and label.name == f"{own} {label.value}"
                else label.name
                for label in labels_of(one)
            }
        found.append(_mask(one, names, taken))
    return found


def _mask(volume: xr.DataArray, names: Mapping[int, str], taken: set[str]) -> Mask:
    source = Source(volume)
    grid = source.grid(0)
    # For each step how many voxels of each label each slice has.
    every = [_counts(source.grid(number), max(names, default=0) + 1) for number in range(source.count)]
    steps = [np.abs(np.diff(grid.edges(axis))) for axis in range(3)]
    for axis, step in enumerate(steps):
        if step.size == 1:
            step[0] = abs(grid.geometry.lone_steps[axis])
    # Slices may be uneven, so each counts with its own thickness.
    area = float(steps[1].mean() * steps[2].mean() * abs(np.linalg.det(grid.direction)))
    found = []
    chosen = {
        label.value: label.rgb for label in labels_of(volume) if label.colour != first_colour(label.value - 1)
    }
    for value, name in names.items():
        sizes = [float(counts[:, value] @ steps[0]) * area / 1000 for counts in every]
        ml = sizes[0] if all(size == sizes[0] for size in sizes) else None  # also where it is NaN
        number = next((k for k, counts in enumerate(every) if counts[:, value].any()), None)
        at = None if number is None else middle(source.grid(number), every[number][:, value], value)
        found.append(LabelInfo(value, _unique(name, taken), ml, at, chosen.get(value)))
    return Mask(source, tuple(found))


def _counts(grid: Grid, most: int) -> npt.NDArray[np.int64]:
    """How often each value is in each slice: shape (slices, `most`)."""
    planes = np.asarray(grid.values.values)
    planes = planes.view(np.uint8) if planes.dtype == np.bool_ else planes
    return np.array([np.bincount(plane.ravel(), minlength=most) for plane in planes], dtype=np.int64)


def middle(grid: Grid, counts: npt.NDArray[np.int64], value: int) -> Vector:
    """LPS mm of the voxel in the middle of a label, in the slice where most of it lies; `counts` are its voxels by slice."""
    index = int(counts.argmax())
    places = np.argwhere(np.asarray(grid.values.isel(slice=index).values) == value)
    row, column = places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()]
    at = [grid.axes[0][index], grid.axes[1][row], grid.axes[2][column]]
    x, y, z = (float(v) for v in grid.direction @ at)
    return x, y, z


def _unique(name: str, taken: set[str]) -> str:
    known, number = name, 2
    while known in taken:
        known, number = f"{name} ({number})", number + 1
    taken.add(known)
    return known
