"""A volume as the view needs it: its geometry, and values that are read plane by plane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import unevenness
from dicomlab.datasets import take_one
from dicomlab.errors import GeometryError
from dicomlab.flat import ImagePlane, is_flat
from dicomlab.geometry import AXES, Geometry
from dicomlab.view.kept import kept, room
from dicomlab.volumes import attrs_of

__all__ = ["Grid"]

_Floats: TypeAlias = npt.NDArray[np.float64]
_Vector: TypeAlias = tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Grid:
    """A volume, or a plane cut from one, made ready to be shown.

    Parameters
    ----------
    values
        The values with dims (slice, row, column), possibly not yet read; then each slice is read once.
    geometry
        Where they are.
    attrs
        The attributes of the volume.
    missing
        Axes that the user has cut away (0 for ``volume.isel(slice=3)``); they have the length 1 here.
    """

    values: xr.Variable
    geometry: Geometry
    attrs: Mapping[str, Any]
    missing: tuple[int, ...] = ()

    @classmethod
    def from_volume(cls, volume: xr.DataArray) -> Grid:
        """Return the grid of a volume, or of a plane cut from one.

        Raises
        ------
        GeometryError
            This is not a volume of real numbers: it lacks dims or coordinates, or has further axes.
        """
        if isinstance(volume, xr.Dataset):
            raise GeometryError(take_one(volume))
        if not isinstance(volume, xr.DataArray):
            raise GeometryError(
                "A volume was asked for (an xarray.DataArray with dims slice, row, column); found "
                f"{type(volume).__name__}. Use dicomlab.load_volume, or dicomlab.make_volume for an array of "
                "your own."
            )
        if is_flat(volume):
            why = ImagePlane.from_image(volume).explanation
            raise GeometryError(
                f"A volume was asked for; this image has no place in the patient: {why}. dicomlab.show draws it."
            )
        extra = [str(dim) for dim in volume.dims if dim not in AXES]
        if extra:
            if not set(AXES) & set(volume.dims):
                raise GeometryError(
                    f"A volume was asked for; this array has the dims {tuple(volume.dims)}, no slices, rows and columns. "
                    "xarray draws it: .plot.imshow(cmap='gray'), or .plot() where there is one dim."
                )
            choice = ", ".join(f"{dim}=0" for dim in extra)
            if extra == ["sample"]:
                raise GeometryError(
                    "One volume of grey values was asked for; this one is in colour. dicomlab.show draws it; "
                    "volume.isel(sample=0) is its red."
                )
            raise GeometryError(
                f"One volume with dims slice, row, column was asked for; found dims {tuple(volume.dims)}. "
                f"Choose one along the further axes first: volume.isel({choice})."
            )
        if volume.dtype.kind not in "biuf":
            raise GeometryError(
                f"Real numbers are needed to show a volume; found values of type {volume.dtype}. "
                "Of a complex volume show the magnitude: abs(volume)."
            )
        geometry = Geometry.from_volume(volume)
        for name, axis in zip(AXES, geometry.positions, strict=True):
            steps = np.diff(axis)
            if axis.size == 0 or not np.isfinite(axis).all() or not ((steps > 0).all() or (steps < 0).all()):
                raise GeometryError(
                    f"The positions along {name} have to be finite and strictly rising or falling, to be "
                    "shown where they are; sort them and drop doubled ones first."
                )
        missing = tuple(number for number, name in enumerate(AXES) if name not in volume.dims)
        # Of the variable, not of the DataArray: the guard indexes have no part in a picture.
        values = volume.variable
        for number in missing:
            values = cast(xr.Variable, values.expand_dims(AXES[number]))
        values = values.transpose(*AXES)
        return cls(values if values._in_memory else kept(values), geometry, _attrs(volume), missing)

    @property
    def lazy(self) -> bool:
        """Whether values are read when they are looked at."""
        return not self.values._in_memory

    @property
    def cuts_across(self) -> bool:
        """Whether planes across the slices are cheap: all slices are in memory, or stay there once they were read."""
        return not self.lazy or self.values.nbytes <= room()

    def sample(self) -> npt.NDArray[np.generic]:
        """Return the values that an automatic window spans: all of them, or those of the middle slice of a lazy volume."""
        values = self.values.isel(slice=self.shape[0] // 2) if self.lazy else self.values
        return np.asarray(values.values)

    @property
    def is_mask(self) -> bool:
        """Whether the values are False and True."""
        return bool(self.values.dtype == np.bool_)

    @property
    def axes(self) -> tuple[_Floats, _Floats, _Floats]:
        """Coordinates in mm along slice, row and column, each 1-D."""
        return self.geometry.positions

    @property
    def direction(self) -> _Floats:
        """Shape (3, 3); columns are the LPS vectors of slice, row, column."""
        return self.geometry.direction

    def heading(self, axis: int) -> _Floats:
        """Return the LPS unit vector along which the coordinate of an axis counts mm.

        Under a tilted gantry slices are stacked along the table, but their positions are mm along their normal.
        """
        return self.direction[:, axis] if axis else np.array(self.inverse[0])

    @cached_property
    def inverse(self) -> tuple[_Vector, _Vector, _Vector]:
        """For slice, row and column what, times an LPS position, gives mm along the axis."""
        # By the vector products of the columns: linear algebra of different machines differs in the last bit.
        s, r, c = ([float(x) for x in self.direction[:, axis]] for axis in range(3))
        rows = [_product(r, c), _product(c, s), _product(s, r)]
        volume = s[0] * rows[0][0] + s[1] * rows[0][1] + s[2] * rows[0][2]
        return cast(
            tuple[_Vector, _Vector, _Vector], tuple(tuple(x / volume + 0.0 for x in row) for row in rows)
        )

    def ruler(self, axis: int) -> tuple[float, float | None]:
        """First position of an axis and its step (signed), in mm; no step where it is uneven by more than a millionth.

        A lone voxel of which nobody knows how far the next would be counts as 1 mm thick.
        """
        line = self.axes[axis]
        first = float(line[0])
        if line.size == 1:
            lone = self.geometry.lone_steps[axis]
            return first, 1.0 if math.isnan(lone) or lone == 0 else float(lone)
        step = float(line[-1] - line[0]) / (line.size - 1)
        return first, step if unevenness(line) <= 1e-6 * abs(step) else None

    @cached_property
    def finest(self) -> float:
        """The smallest spacing in mm; 1 where none is known."""
        return min((step for step in self.geometry.spacing if step > 0), default=1.0)

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
            half = abs(self.ruler(axis)[1] or 1.0) / 2
            return np.array([line[0] - half, line[0] + half])
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
                f"The position {coordinate:g} mm along {AXES[axis]} was asked for; the volume reaches from "
                f"{low:g} to {high:g} mm there."
            )
        return int(np.argmin(np.abs(self.axes[axis] - coordinate)))


def _product(a: list[float], b: list[float]) -> list[float]:
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def _attrs(volume: xr.DataArray) -> Mapping[str, Any]:
    """Return the attributes that count for a picture.

    xarray leaves on ``ct > 300`` all that was said of the CT; of a mask its unit, windows and hanging are untrue.
    """
    if volume.dtype != np.bool_:
        return attrs_of(volume)
    return {name: volume.attrs[name] for name in ("SeriesDescription", "findings") if name in volume.attrs}
