"""``volume.dicom``: the same patient on other grids."""

from __future__ import annotations

from collections.abc import Sequence

import numpy.typing as npt
import xarray as xr

from dicomlab import regrid
from dicomlab.accessor.bound import Bound
from dicomlab.geometry import Geometry
from dicomlab.regrid import Axis, Engine, Labels, Missing, Order

__all__ = ["Grids"]


class Grids(Bound):
    """New volumes from old ones; see `dicomlab.regrid`."""

    def regularize(
        self,
        *,
        spacing: float | None = None,
        order: Order | None = None,
        missing: Missing = "make",
        fill: float | None = None,
        labels: Labels | None = None,
    ) -> xr.DataArray:
        """The volume with even slices, made where there are none; see `dicomlab.regrid.regularize`."""
        return regrid.regularize(
            self._volume, spacing=spacing, order=order, missing=missing, fill=fill, labels=labels
        )

    def rectify(
        self, *, order: Order | None = None, fill: float | None = None, labels: Labels | None = None
    ) -> xr.DataArray:
        """The volume without gantry tilt: slices squarely above one another; see `dicomlab.regrid.rectify`."""
        return regrid.rectify(self._volume, order=order, fill=fill, labels=labels)

    def resample(
        self,
        *,
        spacing: float | Sequence[float | None],
        order: Order | None = None,
        fill: float | None = None,
        antialias: bool = True,
        labels: Labels | None = None,
        engine: Engine = "auto",
    ) -> xr.DataArray:
        """The volume with voxels of another size over the same extent; see `dicomlab.regrid.resample`."""
        return regrid.resample(
            self._volume,
            spacing=spacing,
            order=order,
            fill=fill,
            antialias=antialias,
            labels=labels,
            engine=engine,
        )

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
        """The volume on the grid of another one; see `dicomlab.regrid.resample_like`."""
        return regrid.resample_like(
            self._volume, target, order=order, fill=fill, antialias=antialias, labels=labels, engine=engine
        )

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
        """One plane at any angle, or a stack of them, as a volume; see `dicomlab.regrid.reslice`."""
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
        """A picture along a curve in the patient; see `dicomlab.regrid.curved`."""
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

    def mip(
        self, *, thickness_mm: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The highest value through each slab; see `dicomlab.regrid.mip`."""
        return regrid.mip(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def minip(
        self, *, thickness_mm: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The lowest value through each slab; see `dicomlab.regrid.minip`."""
        return regrid.minip(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def average(
        self, *, thickness_mm: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The mean value through each slab; see `dicomlab.regrid.average`."""
        return regrid.average(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def reorient(self, codes: str) -> xr.DataArray:
        """The same voxels with slices, rows and columns towards the named sides; see `dicomlab.regrid.reorient`."""
        return regrid.reorient(self._volume, codes)

    def crop_to(
        self, around: xr.DataArray | npt.ArrayLike, *, margin: float | Sequence[float] = 0.0
    ) -> xr.DataArray:
        """The part of the volume around a mask or a box in LPS mm; see `dicomlab.regrid.crop_to`."""
        return regrid.crop_to(self._volume, around, margin=margin)
