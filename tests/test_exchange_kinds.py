"""Every kind of series that the phantom writes, through every format and library: as it was, or refused with the reason."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from exchange_support import check_same

import dicomlab as dl
from dicomlab import DicomLabError, phantom
from dicomlab.errors import FaultError
from dicomlab.extras.highdicom import from_highdicom
from dicomlab.extras.nifti import load_nifti
from dicomlab.extras.nrrd import load_nrrd
from dicomlab.extras.ome_zarr import load_ome_zarr
from dicomlab.extras.sitk import from_sitk

pytest.importorskip("nrrd")
pytest.importorskip("zarr")

REASONS = r"regularize|rectify|isel|drop_vars|oblique|no patient|no place|patient frame|only one slice|colours of 8 bits"


def further(volume: xr.DataArray) -> dict[str, None]:
    """Return the names of the other axes in the order in which they are written."""
    names = [str(dim) for dim in volume.dims if dim not in ("slice", "row", "column", "sample")]
    return dict.fromkeys(sorted(names, key=lambda name: name == "time"))


def nifti(volume: xr.DataArray, folder: Path) -> xr.DataArray:
    volume.dicom.save_nifti(folder / "x.nii.gz", overwrite=True)
    return load_nifti(folder / "x.nii.gz", labels=further(volume))


def nrrd(volume: xr.DataArray, folder: Path) -> xr.DataArray:
    volume.dicom.save_nrrd(folder / "x.nrrd", overwrite=True)
    return load_nrrd(folder / "x.nrrd")


def ome_zarr(volume: xr.DataArray, folder: Path) -> xr.DataArray:
    volume.dicom.save_ome_zarr(folder / "x.zarr", overwrite=True)
    return load_ome_zarr(folder / "x.zarr")


WAYS: dict[str, Callable[[xr.DataArray, Path], xr.DataArray]] = {
    "nifti": nifti,
    "nrrd": nrrd,
    "ome-zarr": ome_zarr,
    "simpleitk": lambda volume, _: from_sitk(volume.dicom.to_sitk(), labels=further(volume)),
    "highdicom": lambda volume, _: from_highdicom(volume.dicom.to_highdicom()),
}


@pytest.mark.parametrize("name", [*phantom.KINDS, *phantom.FAULTS])
def test_every_kind_comes_back_as_it_was_or_is_refused_with_the_reason(tmp_path: Path, name: str) -> None:
    sample = phantom.write_kind(name, tmp_path / "dicom")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        for stack in (stack for series in dl.find_series(sample.folder) for stack in series.stacks):
            try:
                volume = dl.load_volume(stack, on_fault="keep")
                lazy = dl.open_volume(stack, on_fault="keep")
            except DicomLabError:
                continue
            for way, there_and_back in WAYS.items():
                try:
                    again = there_and_back(lazy, tmp_path)
                except FaultError:
                    assert (
                        name == "undecodable"
                    )  # an image that cannot be decoded is known of when it is looked at
                except DicomLabError as reason:
                    assert re.search(REASONS, str(reason)), (way, reason)
                    with pytest.raises(type(reason)):
                        there_and_back(volume, tmp_path)
                else:
                    check_same(volume, again)
                    for label in set(again.coords) & set(further(volume)):
                        if volume[label].dtype.kind == "U":
                            assert again[label].values.tolist() == volume[label].values.tolist()
                        else:
                            # Even within 1 % of the step is even.
                            np.testing.assert_allclose(again[label], volume[label], rtol=0.01)
