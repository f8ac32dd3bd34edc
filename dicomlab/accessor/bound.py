"""What every part of ``volume.dicom`` starts from."""

from __future__ import annotations

import xarray as xr

from dicomlab.geometry import Geometry

__all__ = ["Bound"]


class Bound:
    """A volume that is looked at; nothing of it is cached or stored."""

    def __init__(self, volume: xr.DataArray) -> None:
        self._volume = volume

    @property
    def geometry(self) -> Geometry:
        """The `Geometry` in the coordinates."""
        return Geometry.from_volume(self._volume)
