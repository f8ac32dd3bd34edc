"""From the planes of an arrangement to the array of their values, and the labels of its extra axes."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.read.arrange import Arrangement
from dicomlab.read.axes import Axis
from dicomlab.read.diffusion import diffusion
from dicomlab.read.meanings import clock_of, diffusion_label
from dicomlab.read.modality import Transform, value_dtype
from dicomlab.read.progress import progress_bar
from dicomlab.read.stored import StoredImage, stored_image

__all__ = ["Filling", "axis_coordinates"]

_COLOURS = ["red", "green", "blue"]


class Filling:
    """The values of an arrangement, and where each frame goes in them."""

    def __init__(self, arrangement: Arrangement, transforms: Sequence[Transform]) -> None:
        self.arrangement = arrangement
        self.transforms = transforms
        planes = arrangement.planes
        # Headers are read here, on one thread; the threads that follow only move bytes.
        self.images: dict[int, StoredImage] = {
            id(instance): stored_image(instance)
            for instance in {id(plane.instance): plane.instance for plane in planes}.values()
        }
        self.units = _units_along(arrangement, transforms)
        samples = {self.images[id(plane.instance)].shape[2:] for plane in planes}
        if len(samples) > 1:
            raise UnsupportedError(
                f"colour and grey images are mixed in this series (for instance {planes[0].name})"
            )
        (colour,) = samples
        self.is_colour = bool(colour)
        if self.is_colour and len({image.dtype for image in self.images.values()}) > 1:
            raise UnsupportedError(
                f"colours of 8 and of 16 bits are mixed in this series (for instance {planes[0].name})"
            )
        dtype = (
            self.images[id(planes[0].instance)].dtype if self.is_colour else value_dtype(planes, transforms)
        )
        # The headers were checked against the lengths of the files: this allocation is backed by bytes that exist.
        self.flat = np.empty((len(planes), *planes[0].shape, *colour), dtype)

    @property
    def values(self) -> npt.NDArray[Any]:
        """Shape ``(*axes, slices, rows, columns[, 3])``."""
        return self.flat.reshape(*self.arrangement.shape, *self.flat.shape[1:])

    def read(self, progress: bool) -> dict[str, str]:
        """Fill the values; names of the images that cannot be decoded, with the reason."""
        frames: dict[tuple[int, int], list[int]] = {}
        for k, plane in enumerate(self.arrangement.planes):
            frames.setdefault((id(plane.instance), plane.frame), []).append(k)
        failures: dict[str, str] = {}

        def read(key: tuple[int, int], members: list[int]) -> None:
            try:
                stored = self.images[key[0]].read(key[1])
            except (DicomLabError, OSError) as problem:
                for k in members:
                    failures[self.arrangement.planes[k].name] = str(problem)
                return
            for k in members:  # the tiles of a mosaic share one picture
                part = self.arrangement.planes[k].cut(stored)
                if self.is_colour:
                    self.flat[k] = part
                else:
                    self.transforms[k].apply(part, self.flat[k])

        # Two threads: one file is read while another is unpacked.
        with ThreadPoolExecutor(2) as pool:
            jobs = [pool.submit(read, key, members) for key, members in frames.items()]
            try:
                for job in progress_bar(jobs, "reading slices", progress):
                    job.result()
            except BaseException:
                for job in jobs:
                    job.cancel()
                raise
        return failures

    def coordinates(self) -> dict[str, Any]:
        """Labels of the extra axes, and what else is known of their steps."""
        coords: dict[str, Any] = {}
        for axis in self.arrangement.axes:
            coords |= axis_coordinates(axis)
        coords |= {**_slice_times(self.arrangement), **_lone_diffusion(self.arrangement)}
        if self.units is not None:
            name, units = self.units
            coords["units"] = (name, units, {"long_name": "unit of the values"})
        if self.is_colour:
            coords["sample"] = ("sample", _COLOURS)
        return coords


_SLICE_TIMES_DIFFER = 1e-3
"""Seconds by which slices of one step may differ from its label before their own times are kept."""


def _slice_times(arrangement: Arrangement) -> dict[str, Any]:
    """The time of each slice in each step, where the one label of a step does not tell it."""
    for k, axis in enumerate(arrangement.axes):
        clock = clock_of(axis.source) if axis.name == "time" and axis.units == "s" else None
        seconds = [] if clock is None else clock(arrangement.headers)
        if not seconds or None in seconds:
            continue
        # The label of a step is the earliest time in it, and both count from the same zero.
        grid = np.moveaxis(np.array(seconds, dtype=np.float64).reshape(arrangement.shape), (k, -1), (0, 1))
        grid = grid.reshape(*grid.shape[:2], -1)
        times = np.round(grid[..., 0] - (grid.min() - axis.values[0]), 6)
        spread = np.abs(times - axis.values[:, None]).max()
        if np.ptp(grid, axis=-1).max() < _SLICE_TIMES_DIFFER < spread:
            attrs = {"units": "s", "long_name": "time of each slice", "source": axis.source}
            return {"slice_time": ((axis.name, "slice"), times, attrs)}
    return {}


def _lone_diffusion(arrangement: Arrangement) -> dict[str, Any]:
    """b-value and direction as scalars, where all images share them: one direction, or a trace image."""
    if any(axis.name == "b_value" for axis in arrangement.axes) or arrangement.planes[0].modality != "MR":
        return {}
    labels = set(arrangement.headers.each(diffusion_label))
    found = diffusion(arrangement.planes[0])
    if len(labels) != 1 or found is None:
        return {}
    scalars: dict[str, Any] = {
        "b_value": ((), found.b_value, {"units": "s/mm2", "long_name": "b value", "source": found.source})
    }
    if found.b_vector is not None:
        scalars |= {
            f"b_vector_{axis}": ((), value) for axis, value in zip("xyz", found.b_vector, strict=True)
        }
    return scalars


def axis_coordinates(axis: Axis) -> dict[str, Any]:
    """Coordinates of an extra axis, as `xarray.DataArray.assign_coords` takes them: its labels, and what stands beside them."""
    attrs = {"long_name": axis.name.replace("_", " "), "source": axis.source}
    if axis.units:
        attrs["units"] = axis.units
    found: dict[str, Any] = {axis.name: (axis.name, axis.values, attrs)}
    for name, values in axis.beside.items():
        found[name] = (axis.name, values, {"long_name": name.replace("_", " ")})
    return found


def _units_along(
    arrangement: Arrangement, transforms: Sequence[Transform]
) -> tuple[str, npt.NDArray[Any]] | None:
    """Units of the steps of the one axis along which they differ (magnitude and phase); None where all are the same."""
    units = np.array([transform.units for transform in transforms], dtype=object)
    if len(set(units)) == 1:
        return None
    grid = units.reshape(arrangement.shape)
    for k, axis in enumerate(arrangement.axes):
        rows = np.moveaxis(grid, k, 0).reshape(grid.shape[k], -1)
        if all(len(set(row)) == 1 for row in rows):
            return axis.name, np.array([str(row[0]) for row in rows])
    raise UnsupportedError(
        f"the images of this series have different units ({', '.join(sorted(unit or 'none' for unit in set(units)))}, for "
        f"instance {arrangement.planes[0].name}); one volume has one unit, or one a step of an axis."
    )
