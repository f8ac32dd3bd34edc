"""The xarray engine: ``xr.open_dataset(path, engine="dicom")`` is `open_volume` by xarray's own name."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import xarray as xr
from xarray.backends import BackendEntrypoint

if TYPE_CHECKING:
    import numpy.typing as npt

    from dicomlab.findings import OnFault
    from dicomlab.read.axes import Dims

__all__ = ["DicomBackend"]

_NAMELESS = "image"
"""Name of the values whose files name no modality."""


class DicomBackend(BackendEntrypoint):
    """One series of DICOM images as a dataset of one variable, named by its modality (``ct``, ``mr``, ``pt`` …).

    Examples
    --------
    >>> import xarray as xr
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> xr.open_dataset(study.ct.folder, engine="dicom").ct.dims
    ('slice', 'row', 'column')
    >>> xr.open_dataarray(study.pet.folder, engine="dicom", chunks={}).attrs["units"]
    'Bq/ml'
    """

    description = "DICOM series as volumes in real units and patient millimetres (dicomlab)"

    def open_dataset(
        self,
        filename_or_obj: Any,
        *,
        drop_variables: str | Iterable[str] | None = None,
        dims: Dims = "auto",
        values: str | None = None,
        on_fault: OnFault = None,
        dtype: npt.DTypeLike | None = None,
        progress: bool = True,
    ) -> xr.Dataset:
        """Dataset of the volume that `open_volume` makes.

        Two things are xarray's own: what was read stays in memory, and ``chunks=`` of `xarray.open_dataset` takes what xarray
        takes, ignoring names that no dimension has.

        Parameters
        ----------
        filename_or_obj
            A folder, file, zip archive or DICOMDIR that holds **one** series; or a `Series` or one of its `stacks`.
        drop_variables
            Variables and coordinates to leave out.
        dims, values, on_fault, dtype, progress
            As of `open_volume`.

        Raises
        ------
        DicomLabError
            As `open_volume`; of several series, the message lists them.
        """
        from dicomlab.read import open_volume

        volume = open_volume(
            filename_or_obj, dims=dims, values=values, on_fault=on_fault, dtype=dtype, progress=progress
        )
        dataset = volume.to_dataset(name=volume.name or _NAMELESS)
        dropped = [drop_variables] if isinstance(drop_variables, str) else list(drop_variables or ())
        return dataset.drop_vars(dropped, errors="ignore")

    def guess_can_open(self, filename_or_obj: Any) -> bool:
        """Whether it is one file with the preamble of DICOM (PS3.10 7.1); what a folder holds is not told by a glance."""
        if not isinstance(filename_or_obj, str | os.PathLike):
            return False
        try:
            with open(filename_or_obj, "rb") as stream:
                return stream.read(132)[128:] == b"DICM"
        except (OSError, ValueError):
            return False
