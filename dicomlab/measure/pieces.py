"""A mask taken apart for measuring: step by step, and each label in the smallest box around it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import SEGMENT, Label
from dicomlab.masks.form import inside

__all__ = ["Box", "Piece", "further_axes", "grid_of", "key_of", "pieces", "room_of", "whole_step"]

Box: TypeAlias = tuple[slice, slice, slice]


@dataclass(frozen=True, eq=False)
class Piece:
    """One label at one step, in the smallest box that holds it.

    Parameters
    ----------
    label
        What it is.
    box
        Where the box lies in the grid: slices along slice, row, column.
    inside
        bool, the shape of the box; at least one voxel.
    """

    label: Label
    box: Box
    inside: npt.NDArray[np.bool_]


def room_of(voxels: npt.NDArray[np.intp], box: Box, mm3: npt.NDArray[np.float64]) -> float:
    """mm³ of so many voxels in each slice of a box; `mm3` is the size of one in each slice of the grid."""
    sizes = mm3[box[0]]
    # Sums of equal sizes differ in the last digit with the order of slices; one product does not.
    return float(voxels.sum() * sizes[0]) if np.ptp(sizes) == 0 else float(voxels @ sizes)


def grid_of(volume: xr.DataArray) -> Geometry:
    """The geometry of a volume on which can be measured.

    Raises
    ------
    GeometryError
        It has no voxels, or positions that repeat or are out of order, so that nobody can say where a voxel ends.
    """
    geometry = Geometry.from_volume(volume)
    for name, x in zip(AXES, geometry.positions, strict=True):
        if not x.size:
            raise GeometryError(f"a volume without voxels was to be measured: it has no {name}")
        gaps = np.diff(x)
        if not (np.all(gaps > 0) or np.all(gaps < 0)):
            raise GeometryError(
                f"the {name} positions repeat or are out of order, so nobody can say where a voxel ends. Sort first, "
                f"volume and mask: volume.sortby({name!r}), and volume.drop_duplicates({name!r}) where some repeat."
            )
    return geometry


def further_axes(*arrays: xr.DataArray) -> dict[str, int]:
    """Axes besides slice, row, column and segment that any of these has, and their lengths.

    Raises
    ------
    DicomLabError
        They share one and differ along it.
    """
    found: dict[str, int] = {}
    labels: dict[str, Any] = {}
    for array in arrays:
        for dim in map(str, array.dims):
            if dim in (*AXES, SEGMENT):
                continue
            if found.setdefault(dim, array.sizes[dim]) != array.sizes[dim]:
                raise DicomLabError(
                    f"the axis {dim} has {array.sizes[dim]} steps here and {found[dim]} there; select those that "
                    "belong together"
                )
            if dim in array.coords:
                mine = np.asarray(array.coords[dim].values)
                if not np.array_equal(labels.setdefault(dim, mine), mine):
                    raise DicomLabError(
                        f"the steps along {dim} are not the same in both: {labels[dim].tolist()} and {mine.tolist()}"
                    )
    return found


def whole_step(array: xr.DataArray, index: dict[str, int]) -> xr.DataArray:
    """One step of the further axes, with dims (segment,) slice, row, column; axes picked away by an index are put back."""
    for name in AXES:
        if name not in array.dims:
            array = array.expand_dims(name)
    own = (SEGMENT, *AXES) if SEGMENT in array.dims else AXES
    return array.isel({dim: k for dim, k in index.items() if dim in array.dims}).transpose(*own)


def key_of(arrays: Sequence[xr.DataArray], dim: str, k: int) -> Any:
    """What step `k` along a further axis is called: its coordinate, or its number where there is none."""
    for array in arrays:
        if dim in array.coords and array.coords[dim].dims == (dim,):
            return array.coords[dim].values[k]
    return k


def pieces(step: xr.DataArray, labels: Sequence[Label]) -> Iterator[tuple[Label, Piece | None]]:
    """Each label of one step (`whole_step`) in its box; None where it has no voxel. Fractions count from 0.5 on."""
    from scipy import ndimage

    if SEGMENT in step.dims:
        for k, label in enumerate(labels):
            here = inside(step.isel({SEGMENT: k}))
            found = ndimage.find_objects(here.view(np.uint8), max_label=1)[0]
            yield label, None if found is None else Piece(label, found, np.ascontiguousarray(here[found]))
        return
    values = np.asarray(step.values)
    values = values.view(np.uint8) if values.dtype == np.bool_ else values
    if values.dtype.itemsize > 2:
        values = values.astype(np.uint16)  # no label has a higher number; scipy looks for no 64-bit ones
    boxes = ndimage.find_objects(values, max_label=max((one.value for one in labels), default=0))
    for label in labels:
        box = boxes[label.value - 1]
        yield label, None if box is None else Piece(label, box, np.equal(values[box], label.value, order="C"))
