"""Masks and labels over a picture: what users give, made into volumes of whole numbers, each number with its name and size."""

from __future__ import annotations

import colorsys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid
from dicomlab.view.plane import Vector
from dicomlab.view.source import Source

__all__ = ["LabelInfo", "Mask", "MasksLike", "first_look", "read_masks"]

MasksLike: TypeAlias = xr.DataArray | Iterable[xr.DataArray] | Mapping[str, xr.DataArray]

_SEGMENT = "segment"
_HIGHEST = 65_535

# Okabe and Ito: told apart by people with any colour vision, and on any grey.
_COLOURS = (
    (213, 94, 0),
    (86, 180, 233),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (230, 159, 0),
    (0, 114, 178),
)


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
    """

    value: int
    name: str
    ml: float | None
    at: Vector | None


@dataclass(frozen=True)
class Mask:
    """A volume of whole numbers, 0 where nothing is, and what the others mean."""

    source: Source
    labels: tuple[LabelInfo, ...]

    def describe(self, *, memory: int) -> dict[str, Any]:
        """What the page has to know, ready for JSON; no voxel."""
        told = [
            {
                "value": one.value,
                "name": one.name,
                "ml": one.ml,
                "at": None if one.at is None else list(one.at),
            }
            for one in self.labels
        ]
        return {**self.source.describe(memory=memory, mask=True), "labels": told}


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
    if masks is None:
        return []
    if isinstance(masks, xr.DataArray):
        given: list[tuple[str, xr.DataArray]] = [("", masks)]
    elif isinstance(masks, Mapping):
        given = [(str(name), mask) for name, mask in masks.items()]
    else:
        given = [("", mask) for mask in masks]
    taken: set[str] = set()
    return [mask for name, volume in given for mask in _read(volume, name, taken)]


def first_look(number: int) -> dict[str, Any]:
    """How the label of this number, of all from 0 on, is drawn at first."""
    if number < len(_COLOURS):
        colour = list(_COLOURS[number])
    else:
        # Steps of the golden ratio: no two hues are near for long.
        red, green, blue = colorsys.hsv_to_rgb(number * 0.618034 % 1, 0.55 + 0.3 * (number % 2), 0.95)
        colour = [round(255 * x) for x in (red, green, blue)]
    return {"colour": colour, "opacity": 0.35, "outline": True, "visible": True}


def _read(volume: xr.DataArray, name: str, taken: set[str]) -> list[Mask]:
    if not isinstance(volume, xr.DataArray):
        raise DicomLabError(f"Masks are volumes (xarray.DataArray); found {type(volume).__name__}.")
    if _SEGMENT in volume.dims:
        return [_mask(part, names, taken) for part, names in _packed(volume, name)]
    kind = volume.dtype.kind
    if kind == "b":
        return [_mask(volume, {1: name or _own_name(volume) or "mask"}, taken)]
    if kind not in "iu":
        raise DicomLabError(
            f"The values of a mask are False and True, or whole numbers, one a label; found {volume.dtype}. "
            "Compare first (volume > 300), or convert labels: volume.astype('uint8')."
        )
    low, high = (int(volume.min()), int(volume.max())) if volume.size else (0, 0)
    if low < 0 or high > _HIGHEST:
        raise DicomLabError(
            f"Labels are numbers from 1 to {_HIGHEST}, and 0 is nothing; found {low} to {high}."
        )
    told = _flags(volume.attrs)
    present = _present(np.asarray(volume.values))
    values = sorted({int(value) for value in present} | set(told))
    names = {
        value: told.get(value) or f"{name or _own_name(volume) or 'label'} {value}"
        for value in values
        if value
    }
    return [_mask(volume.astype(np.uint8 if high < 256 else np.uint16), names, taken)]


def _present(values: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """The numbers that occur; looked for part by part, as counting takes eight bytes a voxel."""
    there = np.zeros(_HIGHEST + 1, dtype=bool)
    for part in values if values.ndim > 2 else [values]:
        there[part.ravel()] = True
    return np.flatnonzero(there)


def _own_name(volume: xr.DataArray) -> str:
    """What the array is called; ``ct > 300`` still has the name of the CT, which is not its own."""
    name = str(volume.name or "")
    return "" if name.lower() in (str(volume.attrs.get("Modality", "")).lower(), "ct", "mr", "pt") else name


def _flags(attrs: Mapping[Any, Any]) -> dict[int, str]:
    """Names of numbers, as the CF conventions write them (3.5 "Flags")."""
    values, meanings = np.atleast_1d(attrs.get("flag_values", ())), attrs.get("flag_meanings", "")
    names = meanings.split() if isinstance(meanings, str) else [str(one) for one in meanings]
    return {int(value): name.replace("_", " ") for value, name in zip(values, names, strict=False)}


def _packed(volume: xr.DataArray, name: str) -> list[tuple[xr.DataArray, dict[int, str]]]:
    """Segments as few volumes of labels: a segment that overlaps others goes into another one."""
    if volume.dtype.kind not in "bf" or volume.ndim != 4:
        raise DicomLabError(
            "Segments are False and True, or fractions, with dims segment, slice, row, column; found "
            f"{volume.dtype} with dims {tuple(volume.dims)}."
        )
    volume = volume.transpose(_SEGMENT, *AXES)
    count = volume.sizes[_SEGMENT]
    numbers = volume.coords[_SEGMENT].values.tolist() if _SEGMENT in volume.coords else range(1, count + 1)
    labels = volume.coords["label"].values.tolist() if "label" in volume.coords else [""] * count
    parts: list[tuple[npt.NDArray[np.uint16], dict[int, str]]] = []
    for k, (number, label) in enumerate(zip(numbers, labels, strict=True)):
        values = np.asarray(volume.isel({_SEGMENT: k}).values)
        here = values if values.dtype == np.bool_ else values >= 0.5
        called = " ".join(filter(None, (name, str(label) or f"segment {number}")))
        free = next((part for part in parts if not part[0][here].any()), None)
        if free is None:
            parts.append(free := (np.zeros(here.shape, np.uint16), {}))
        free[0][here] = int(number)
        free[1][int(number)] = called
    like = volume.isel({_SEGMENT: 0}, drop=True)
    return [(like.copy(data=held).drop_attrs(deep=False), names) for held, names in parts]


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
    for value, name in names.items():
        sizes = [float(counts[:, value] @ steps[0]) * area / 1000 for counts in every]
        ml = sizes[0] if all(size == sizes[0] for size in sizes) else None  # also where it is NaN
        number = next((k for k, counts in enumerate(every) if counts[:, value].any()), None)
        at = None if number is None else _middle(source.grid(number), every[number][:, value], value)
        found.append(LabelInfo(value, _unique(name, taken), ml, at))
    return Mask(source, tuple(found))


def _counts(grid: Grid, most: int) -> npt.NDArray[np.int64]:
    """How often each value is in each slice: shape (slices, `most`)."""
    planes = np.asarray(grid.values.values)
    planes = planes.view(np.uint8) if planes.dtype == np.bool_ else planes
    return np.array([np.bincount(plane.ravel(), minlength=most) for plane in planes], dtype=np.int64)


def _middle(grid: Grid, counts: npt.NDArray[np.int64], value: int) -> Vector:
    """LPS mm of the voxel in the middle of a label, in the slice where most of it lies."""
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
