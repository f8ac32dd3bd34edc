"""``volume.dicom``: the same patient on other grids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy.typing as npt
import xarray as xr

from dicomlab import reslice
from dicomlab.accessor.bound import Bound
from dicomlab.geometry import Geometry
from dicomlab.reslice import Axis, Engine, Labels, Method, Order

__all__ = ["Grids"]


class Grids(Bound):
    """New volumes from old ones; see `dicomlab.reslice`."""

    def regularize(
        self, *, spacing: float | None = None, method: Method = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume with even slices, made where there are none; see `dicomlab.reslice.regularize`."""
        return reslice.regularize(self._volume, spacing=spacing, method=method, fill=fill)

    def rectify(
        self, *, method: Literal["linear", "nearest"] = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume without gantry tilt: slices squarely above one another; see `dicomlab.reslice.rectify`."""
        return reslice.rectify(self._volume, method=method, fill=fill)

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
        """The volume with voxels of another size over the same extent; see `dicomlab.reslice.resample`."""
        return reslice.resample(
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
        """The volume on the grid of another one; see `dicomlab.reslice.resample_like`."""
        return reslice.resample_like(
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
        """One plane at any angle, or a stack of them, as a volume; see `dicomlab.reslice.reslice`."""
        return reslice.reslice(
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
        """A picture along a curve in the patient; see `dicomlab.reslice.curved`."""
        return reslice.curved(
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
        """The highest value through each slab; see `dicomlab.reslice.mip`."""
        return reslice.mip(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def minip(
        self, *, thickness_mm: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The lowest value through each slab; see `dicomlab.reslice.minip`."""
        return reslice.minip(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def average(
        self, *, thickness_mm: float | None = None, axis: Axis = "slice", step: float | None = None
    ) -> xr.DataArray:
        """The mean value through each slab; see `dicomlab.reslice.average`."""
        return reslice.average(self._volume, thickness_mm=thickness_mm, axis=axis, step=step)

    def reorient(self, codes: str) -> xr.DataArray:
        """The same voxels with slices, rows and columns towards the named sides; see `dicomlab.reslice.reorient`."""
        return reslice.reorient(self._volume, codes)

    def crop_to(
        self, around: xr.DataArray | npt.ArrayLike, *, margin: float | Sequence[float] = 0.0
    ) -> xr.DataArray:
        """The part of the volume around a mask or a box in LPS mm; see `dicomlab.reslice.crop_to`."""
        return reslice.crop_to(self._volume, around, margin=margin)
