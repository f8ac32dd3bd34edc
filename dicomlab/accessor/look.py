"""``volume.dicom``: values at places in the patient."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import numpy.typing as npt
import xarray as xr

from dicomlab import regrid
from dicomlab.accessor.bound import Bound, as_told_by
from dicomlab.regrid import Labels, Order

if TYPE_CHECKING:
    import k3d.plot

    from dicomlab.view.masks import MasksLike
    from dicomlab.windowing import WindowLike

__all__ = ["Look"]


class Look(Bound):
    """Values at points, along lines and in planes of the patient; see `dicomlab.regrid`."""

    @as_told_by(regrid.interp)
    def interp(
        self,
        points: npt.ArrayLike | xr.DataArray,
        *,
        order: Order | None = None,
        fill: float | None = None,
        labels: Labels | None = None,
    ) -> xr.DataArray:
        """Values at LPS points of shape ``(..., 3)``."""
        return regrid.interp(self._volume, points, order=order, fill=fill, labels=labels)

    @as_told_by(regrid.profile)
    def profile(
        self,
        start: npt.ArrayLike,
        end: npt.ArrayLike,
        *,
        step: float | None = None,
        order: Order | None = None,
        fill: float | None = None,
        labels: Labels | None = None,
    ) -> xr.DataArray:
        """Values along the line between two LPS points, by ``distance`` in mm."""
        return regrid.profile(self._volume, start, end, step=step, order=order, fill=fill, labels=labels)

    def sel(
        self,
        *,
        x: float | slice | None = None,
        y: float | slice | None = None,
        z: float | slice | None = None,
    ) -> xr.DataArray:
        """The part of the volume at patient positions: the nearest plane, or the planes within ``slice(low, high)``.

        Parameters
        ----------
        x, y, z
            LPS mm. A number takes one plane away from its axis, as an integer in ``isel`` does; a slice, both ends of which are
            inside and may come in either order, keeps the axis.

        Raises
        ------
        GeometryError
            The planes of the volume are oblique, so none of them has one x, y or z; the error names `reslice`.
        KeyError
            The position lies outside the volume, more than half a step beyond the outer voxel centres.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> volume = make_volume(np.zeros((5, 6, 7)), affine=np.eye(4)[[2, 1, 0, 3]])
        >>> volume.dicom.sel(z=2.2, x=slice(1, 3)).shape
        (6, 3)
        """
        return regrid.at_planes(self._volume, x=x, y=y, z=z)

    def view3d(
        self,
        *,
        masks: MasksLike | None = None,
        window: WindowLike | None = None,
        opacity: float = 1.0,
        mask_opacity: float = 0.6,
        smooth_mm: float = 0.0,
        height: int = 512,
        voxels: int = 8_000_000,
    ) -> k3d.plot.Plot:
        """A volume, a mask or both in three dimensions that the mouse turns, by k3d; see `dicomlab.extras.view3d.view3d`."""
        # The rooms of `extras` stand on a higher floor, which opens when somebody goes there.
        room = importlib.import_module("dicomlab.extras.view3d")
        made: k3d.plot.Plot = room.view3d(
            self._volume,
            masks=masks,
            window=window,
            opacity=opacity,
            mask_opacity=mask_opacity,
            smooth_mm=smooth_mm,
            height=height,
            voxels=voxels,
        )
        return made
