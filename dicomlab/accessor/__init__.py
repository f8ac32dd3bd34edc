"""The doorway ``volume.dicom``: what a volume knows about its place in the patient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import xarray as xr

from dicomlab.datasets import WrongDoor

if TYPE_CHECKING:
    from dicomlab.accessor.verbs import DicomAccessor

__all__: list[str] = []


class _Doorway:
    """``volume.dicom``: made when it is looked at, and gone after.

    As xarray registers accessors it would be kept by the volume, which it holds: such a circle stays in memory until Python
    looks for circles, which it does by the number of objects, not by their size.
    """

    def __get__(self, volume: xr.DataArray | None, owner: type) -> DicomAccessor | type[DicomAccessor]:
        # The verbs load with the first volume that is asked, not with `import dicomlab`.
        from dicomlab.accessor.verbs import DicomAccessor

        return DicomAccessor if volume is None else DicomAccessor(volume)


setattr(xr.DataArray, "dicom", _Doorway())  # noqa: B010
setattr(xr.Dataset, "dicom", property(lambda ds: ds["dicom"] if "dicom" in ds.variables else WrongDoor(ds)))  # noqa: B010
