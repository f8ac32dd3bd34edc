"""A volume as the view needs it: axes in mm, directions, and values that are read plane by plane."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError

__all__ = ["DIMS", "Grid"]

DIMS = ("slice", "row", "column")
_Floats: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume as the view needs it: three axes in mm, their directions, and values read plane by plane.

    ``axes`` are (slice, row, column) coordinates in mm, as in ``LPS = direction @ (slice, row, column)``.
    ``missing`` are the axes that the user has cut away (``volume.isel(slice=3)``); they have the length 1
    here.
    """

    values: xr.Variable
    direction: _Floats
    axes: tuple[_Floats, _Floats, _Floats]
    attrs: Mapping[str, Any]
    missing: tuple[int, ...] = ()

    @classmethod
    def from_volume(cls, volume: xr.DataArray) -> Grid:
        """Return the grid of a volume, or of a plane or line cut from one.

        Raises
        ------
        GeometryError
            This is not a volume: dims or coordinates are missing, or it has further axes.
        """
        if not isinstance(volume, xr.DataArray):
            raise GeometryError(
                "A volume was asked for (an xarray.DataArray with dims slice, row, column); found "
                f"{type(volume).__name__}. Use dicomlab.load_volume, or dicomlab.make_volume for an array of "
                "your own."
            )
        extra = [str(dim) for dim in volume.dims if dim not in DIMS]
        if extra:
            choice = ", ".join(f"{dim}=0" for dim in extra)
            raise GeometryError(
                f"One volume with dims slice, row, column was asked for; found dims {tuple(volume.dims)}. "
                f"Choose one along the further axes first: volume.isel({choice})."
            )
        if volume.dtype.kind not in "biuf":
            raise GeometryError(
                f"Real numbers are needed to show a volume; found values of type {volume.dtype}. "
                "Of a complex volume show the magnitude: abs(volume)."
            )
        lost = [name for name in (*DIMS, "frame_of_reference") if name not in volume.coords]
        direction = np.array([np.nan])
        if not lost:
            direction = np.asarray(
                volume.coords["frame_of_reference"].attrs.get("direction", np.nan), np.float64
            )
        if lost or direction.size != 9 or not np.isfinite(direction).all():
            what = f"the coordinates {lost}" if lost else "nine numbers of `direction` on frame_of_reference"
            raise GeometryError(
                f"A volume with positions in patient millimetres was asked for; {what} are missing. "
                "Use dicomlab.make_volume(values, affine=...) to give an array its geometry."
            )
        axes = tuple(np.atleast_1d(np.asarray(volume.coords[dim].values, np.float64)) for dim in DIMS)
        for dim, axis in zip(DIMS, axes, strict=True):
            steps = np.diff(axis)
            if axis.size == 0 or not np.isfinite(axis).all() or not ((steps > 0).all() or (steps < 0).all()):
                raise GeometryError(
                    f"The positions along {dim} have to be finite and strictly rising or falling, to be "
                    "shown where they are; sort them and drop doubled ones first."
                )
        missing = tuple(number for number, dim in enumerate(DIMS) if dim not in volume.dims)
        values = volume.variable
        for number in missing:
            values = cast(xr.Variable, values.expand_dims(DIMS[number]))
        return cls(
            values.transpose(*DIMS),
            direction.reshape(3, 3),
            (axes[0], axes[1], axes[2]),
            volume.attrs,
            missing,
        )

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows and columns."""
        return self.axes[0].size, self.axes[1].size, self.axes[2].size

    def coordinates(self, lps: npt.ArrayLike) -> _Floats:
        """Return the (slice, row, column) coordinates in mm of a patient position (x, y, z) in LPS mm.

        Raises
        ------
        GeometryError
            The position is not three finite numbers.
        """
        place = np.asarray(lps, dtype=np.float64)
        if place.shape != (3,) or not np.isfinite(place).all():
            raise GeometryError(f"A patient position is three numbers (x, y, z) in LPS mm; found {lps!r}.")
        return np.asarray(np.linalg.solve(self.direction, place), dtype=np.float64)

    def edges(self, axis: int) -> _Floats:
        """Return the n + 1 borders in mm of the voxels of an axis: half way, true for uneven slices too."""
        line = self.axes[axis]
        if line.size == 1:
            return np.array([line[0] - 0.5, line[0] + 0.5])
        middle = (line[:-1] + line[1:]) / 2
        return np.concatenate(
            ([line[0] - (middle[0] - line[0])], middle, [line[-1] + (line[-1] - middle[-1])])
        )

    def nearest_index(self, axis: int, coordinate: float) -> int:
        """Return the index of the voxel nearest to a coordinate in mm along one axis.

        Raises
        ------
        GeometryError
            The coordinate is outside the volume.
        """
        edges = self.edges(axis)
        if not min(edges[0], edges[-1]) - 1e-6 <= coordinate <= max(edges[0], edges[-1]) + 1e-6:
            low, high = sorted((float(edges[0]), float(edges[-1])))
            raise GeometryError(
                f"The position {coordinate:g} mm along {DIMS[axis]} was asked for; the volume reaches from "
                f"{low:g} to {high:g} mm there."
            )
        return int(np.argmin(np.abs(self.axes[axis] - coordinate)))
