"""The doorway ``volume.dicom``: what a volume knows about its place in the patient."""

from __future__ import annotations

import xarray as xr

from dicomlab.accessor.card import Card
from dicomlab.accessor.exchange import Exchange
from dicomlab.accessor.grids import Grids
from dicomlab.accessor.look import Look
from dicomlab.datasets import WrongDoor

__all__ = ["DicomAccessor"]


class DicomAccessor(Card, Grids, Look, Exchange):
    """Geometry, windows and units of a volume, read from its coordinates each time: nothing is cached or stored.

    Index order is always ``(slice, row, column)``, whatever the order of the array's dimensions; positions are LPS mm.

    Raises
    ------
    GeometryError
        From every geometric attribute, when the array has lost or never had the coordinates of a volume.
    """


class _Doorway:
    """``volume.dicom``: made when it is looked at, and gone after.

    As xarray registers accessors it would be kept by the volume, which it holds: such a circle stays in memory until Python
    looks for circles, which it does by the number of objects, not by their size.
    """

    def __get__(self, volume: xr.DataArray | None, owner: type) -> DicomAccessor | type[DicomAccessor]:
        return DicomAccessor if volume is None else DicomAccessor(volume)


setattr(xr.DataArray, "dicom", _Doorway())  # noqa: B010
setattr(xr.Dataset, "dicom", property(lambda ds: ds["dicom"] if "dicom" in ds.variables else WrongDoor(ds)))  # noqa: B010
