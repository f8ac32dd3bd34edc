"""``volume.dicom``: the same patient on other grids."""

from __future__ import annotations

from typing import Literal

import xarray as xr

from dicomlab import reslice
from dicomlab.accessor.bound import Bound

__all__ = ["Grids"]


class Grids(Bound):
    """New volumes from old ones; see `dicomlab.reslice`."""

    def regularize(
        self, *, spacing: float | None = None, method: reslice.Method = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume with even slices, made where there are none; see `dicomlab.reslice.regularize`."""
        return reslice.regularize(self._volume, spacing=spacing, method=method, fill=fill)

    def rectify(
        self, *, method: Literal["linear", "nearest"] = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume without gantry tilt: slices squarely above one another; see `dicomlab.reslice.rectify`."""
        return reslice.rectify(self._volume, method=method, fill=fill)
