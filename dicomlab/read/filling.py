"""From the planes of an arrangement to the array of their values, and the labels of its extra axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, FaultError, UnsupportedError
from dicomlab.geometry import AXES
from dicomlab.read.archives import DamagedMember
from dicomlab.read.arrange import Arrangement
from dicomlab.read.axes import Axis
from dicomlab.read.diffusion import diffusion
from dicomlab.read.lazy import lazy_planes
from dicomlab.read.meanings import clock_of, diffusion_label
from dicomlab.read.modality import Transform
from dicomlab.read.progress import Progress
from dicomlab.read.reader import Images, PlaneReader, on_threads
from dicomlab.read.sources import FileChanged

__all__ = ["Filling", "axis_coordinates"]

Pixels = npt.NDArray[Any]

_COLOURS = ["red", "green", "blue"]


class Filling:
    """The values of an arrangement, to be read now or when they are looked at, and what is known along its axes.

    Parameters
    ----------
    arrangement
        Planes in the order of the array.
    transforms
        From stored to real values, one a plane.
    dtype, images
        As of `PlaneReader`.
    """

    def __init__(
        self,
        arrangement: Arrangement,
        transforms: Sequence[Transform],
        dtype: np.dtype[Any] | None = None,
        images: Images = (),
    ) -> None:
        self.arrangement = arrangement
        self.transforms = transforms
        self.units = _units_along(arrangement, transforms)
        self.reader = PlaneReader(arrangement.headers, transforms, dtype, images)

    @property
    def is_colour(self) -> bool:
        """Whether the values have a last axis of red, green and blue."""
        return self.reader.is_colour

    def read(self, progress: bool) -> tuple[Pixels, dict[str, str]]:
        """Values, shape ``(*axes, slices, rows, columns[, 3])``; names of images that cannot be decoded, with the reason."""
        reader, planes = self.reader, self.arrangement.planes
        # The headers were checked against the lengths of the files: this allocation is backed by bytes that exist.
        values = np.empty((len(planes), *reader.shape), reader.dtype)
        failures: dict[str, str] = {}

        def read(members: list[int]) -> None:
            try:
                reader.read_into(members, [values[k] for k in members])
            except FileChanged:
                raise
            except (DicomLabError, DamagedMember) as problem:
                for k in members:
                    reason = problem.strerror if isinstance(problem, DamagedMember) else str(problem)
                    failures[planes[k].name] = str(reason)
            except OSError as problem:
                # Nothing is known to be wrong with the image: a network may be back in a minute.
                name = planes[members[0]].name
                raise FaultError(f"{name}: cannot be read ({problem.strerror})") from problem

        jobs = [(members,) for members in reader.by_picture(range(len(planes)))]
        with Progress(len(jobs), "reading slices", progress) as bar:
            on_threads(read, jobs, bar.step, reader.threads)
        # In the order of the planes, whatever thread was first.
        failures = {plane.name: failures[plane.name] for plane in planes if plane.name in failures}
        return values.reshape(*self.arrangement.shape, *reader.shape), failures

    def lazy(self) -> xr.Variable:
        """The same values, each read when it is looked at."""
        reader, dims = self.reader, [axis.name for axis in self.arrangement.axes]
        return lazy_planes(reader, self.arrangement.shape, (*dims, *AXES))

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
