"""``volume.dicom``: the same patient on other grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import xarray as xr

from dicomlab import regrid
from dicomlab.accessor.bound import Bound, as_told_by
from dicomlab.geometry import Geometry
from dicomlab.regrid import Axis, Engine, Labels, Missing, Order, Spacing

__all__ = ["Grids"]


class Grids(Bound):
    """New volumes from old ones; see `dicomlab.regrid`."""

    @as_told_by(regrid.regularize)
    def regularize(
        self,
        *,
        spacing: float | None = None,
        order: Order | None = None,
        missing: Missing = "make",
        fill: float | None = None,
        labels: Labels | None = None,
    ) -> xr.DataArray:
        """The volume with even slices, made where there are none."""
        return regrid.regularize(
            self._volume, spacing=spacing, order=order, missing=missing, fill=fill, labels=labels
        )

    @as_told_by(regrid.rectify)
    def rectify(
        self, *, order: Order | None = None, fill: float | None = None, labels: Labels | None = None
    ) -> xr.DataArray:
        """The volume without gantry tilt: slices squarely above one another."""
        return regrid.rectify(self._volume, order=order, fill=fill, labels=labels)

    @as_told_by(regrid.resample)
    def resample(
        self,
        *,
        spacing: Spacing,
        order: Order | None = None,
        fill: float | None = None,
        antialias: bool = True,
        labels: Labels | None = None,
        engine: Engine = "auto",
    ) -> xr.DataArray:
        """The volume with voxels of another size over the same extent."""
        return regrid.resample(
            self._volume,
            spacing=spacing,
            order=order,
            fill=fill,
            antialias=antialias,
            labels=labels,
            engine=engine,
        )

    @as_told_by(regrid.resample_like)
    def resample_like(
        self,
        target: xr.DataArray | Geometry,
        *,
        order: Order | None = None,
        fill: float | None = None,
        antialias: bool = True,
        labels: Labels | None = None,
        engine: Engine = "auto",
    ) -> xr.DataArray:
        """The volume on the grid of another one."""
        return regrid.resample_like(
            self._volume, target, order=order, fill=fill, antialias=antialias, labels=labels, engine=engine
        )

    @as_told_by(regrid.reslice)
    def reslice(
        self,
        *,
        normal: npt.ArrayLike,
        center: npt.ArrayLike | None = None,
        origin: npt.ArrayLike | None = None,
        up: npt.ArrayLike | None = None,
        spacing: float | Sequence[float] | None = None,
        count: int = 1,
        shape: Sequence[int] | None = None,
        order: Order | None = None,
        fill: float | None = None,
        antialias: bool = True,
        labels: Labels | None = None,
        engine: Engine = "auto",
    ) -> xr.DataArray:
        """One plane at any angle, or a stack of them, as a volume."""
        return regrid.reslice(
            self._volume,
            normal=normal,
            center=center,
            origin=origin,
            up=up,
            spacing=spacing,
            count=count,
            shape=shape,
            order=order,
            fill=fill,
            antialias=antialias,
            labels=labels,
            engine=engine,
        )

    @as_told_by(regrid.curved)
    def curved(
        self,
        points: npt.ArrayLike,
        *,
        width: float,
        spacing: float | None = None,
        across: npt.ArrayLike | None = None,
        order: Order | None = None,
        fill: float | None = None,
        labels: Labels | None = None,
    ) -> xr.DataArray:
        """A picture along a curve in the patient."""
        return regrid.curved(
            self._volume,
            points,
            width=width,
            spacing=spacing,
            across=across,
            order=order,
            fill=fill,
            labels=labels,
        )

    @as_told_by(regrid.mip)
    def mip(
        self, *, thickness: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The highest value through each slab."""
        return regrid.mip(self._volume, thickness=thickness, axis=axis, step=step)

    @as_told_by(regrid.mip)
    def minip(
        self, *, thickness: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The lowest value through each slab."""
        return regrid.minip(self._volume, thickness=thickness, axis=axis, step=step)

    @as_told_by(regrid.average)
    def average(
        self, *, thickness: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The mean value through each slab."""
        return regrid.average(self._volume, thickness=thickness, axis=axis, step=step)

    @as_told_by(regrid.reorient)
    def reorient(self, codes: str) -> xr.DataArray:
        """The same voxels with slices, rows and columns towards the named sides."""
        return regrid.reorient(self._volume, codes)

    @as_told_by(regrid.crop_to)
    def crop_to(
        self, around: xr.DataArray | npt.ArrayLike, *, margin: float | Sequence[float] = 0.0
    ) -> xr.DataArray:
        """The part of the volume around a mask or a box in LPS mm."""
        return regrid.crop_to(self._volume, around, margin=margin)
