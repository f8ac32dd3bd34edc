"""Where voxels of real series lie, by SimpleITK, by nibabel on dcm2niix's files, and by highdicom.

The data lie beside the project, see test_shared_data.py; where they are absent these tests are skipped with that reason.
"""

from __future__ import annotations

import json
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import highdicom as hd
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import xarray as xr
from support import SHARED, shared_data

from dicomlab import DicomLabWarning, find_series, open_volume
from dicomlab.read.stacks import Stack

pytestmark = pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: geometry was not compared with other readers on real files",
)


@cache
def truth() -> dict[str, Any]:
    return (
        json.loads((SHARED / "truth.json").read_text())["series"] if (SHARED / "truth.json").is_file() else {}
    )


def agreeing(reader: str, mm: float) -> list[str]:
    """Series of one grid that another reader places as the reference does, to `mm` at the worst corner."""
    names = []
    for name, case in truth().items():
        outputs = case["simpleitk"] if reader == "simpleitk" else case["dcm2niix"]["outputs"]
        if outputs and outputs[0].get("max_corner_error_mm", np.inf) < mm:
            names.append(name)
    return names


@cache
def stack_of(name: str) -> Stack:
    case = truth()[name]
    *images, rows, columns = case["ref"]["shape"]
    return next(
        stack
        for series in find_series(shared_data() / (case.get("folder") or name.split("/")[0]), progress=False)
        for stack in series.stacks
        if case.get("series_instance_uid") in (None, series.uid)
        and len(stack) == np.prod(images)
        and stack.shape[-2:] == (rows, columns)
    )


@cache
def volume_of(name: str) -> xr.DataArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        return open_volume(stack_of(name))


@cache
def files_of(name: str) -> list[Path]:
    """The files of a series, along n = r x c by pydicom alone."""
    paths = list(dict.fromkeys(Path(str(instance.file.path)) for instance in stack_of(name).instances))

    def height(path: Path) -> float:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        orientation = np.array(header.ImageOrientationPatient, float)
        return float(
            np.cross(orientation[:3], orientation[3:]) @ np.array(header.ImagePositionPatient, float)
        )

    # Files of many frames: each is a volume, the first stands for all.
    return sorted(paths, key=height) if len(paths) == len(stack_of(name)) else paths[:1]


def indices(v: xr.DataArray, count: int = 200) -> np.ndarray:
    shape = v.dicom.geometry.shape
    return np.random.default_rng(0).integers(0, shape, (count, 3))


def check_indices(v: xr.DataArray, ours: np.ndarray, theirs: np.ndarray) -> None:
    """Rows and columns are numbered alike; slices too, or from the other end."""
    whole = np.rint(theirs).astype(int)
    assert np.abs(theirs - whole).max() < 0.005
    np.testing.assert_array_equal(whole[:, 1:], ours[:, 1:])
    if not np.array_equal(whole[:, 0], ours[:, 0]):
        np.testing.assert_array_equal(whole[:, 0], v.sizes["slice"] - 1 - ours[:, 0])


@pytest.mark.parametrize("name", agreeing("simpleitk", 0.01))
def test_itk_has_every_voxel_at_the_same_place(name: str) -> None:
    v, files = volume_of(name), files_of(name)
    image = sitk.ReadImage([str(path) for path in files] if len(files) > 1 else str(files[0]))
    if not v.dicom.is_uniform:
        pytest.skip("the slices are uneven: no image of ITK can hold them")
    picked = indices(v)
    theirs = [image.TransformPhysicalPointToContinuousIndex(place)[::-1] for place in v.dicom.lps(picked)]
    check_indices(v, picked, np.array(theirs))
    if len(files) == 1:
        return  # ITK numbers the frames of one object as they are stored
    for index in picked:
        place = image.TransformIndexToPhysicalPoint([int(n) for n in index[::-1]])
        np.testing.assert_allclose(v.dicom.lps(index), place, atol=0.002)
    affine = np.eye(4)
    affine[:3, :3] = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())[:, ::-1]
    affine[:3, 3] = image.GetOrigin()
    np.testing.assert_allclose(v.dicom.affine, affine, atol=1e-4)


def canonical(affine: np.ndarray, shape: tuple[int, ...]) -> nib.Nifti1Image:
    return nib.as_closest_canonical(nib.Nifti1Image(np.broadcast_to(np.int16(0), shape), affine))


@pytest.mark.parametrize("name", agreeing("dcm2niix", 0.002))
def test_nibabel_reads_from_dcm2niix_the_same_affine(name: str) -> None:
    v = volume_of(name)
    written = np.array(truth()[name]["dcm2niix"]["outputs"][0]["affine_ras_as_written"])
    # dcm2niix turns rows over, and volumes that were acquired in three dimensions: both are brought to the nearest RAS order.
    ours = canonical(v.dicom.affine_ras, v.dicom.geometry.shape[::-1])
    theirs = canonical(written, tuple(ours.shape[int(axis)] for axis, _ in nib.io_orientation(written)))
    assert ours.shape == theirs.shape
    for corner in np.ndindex(2, 2, 2):
        index = np.array(corner) * (np.array(ours.shape) - 1)
        np.testing.assert_allclose(
            nib.affines.apply_affine(ours.affine, index),
            nib.affines.apply_affine(theirs.affine, index),
            atol=0.003,
        )


HIGHDICOM = [name for name in agreeing("simpleitk", 0.01) if len(truth()[name]["ref"]["shape"]) == 3]


@pytest.mark.parametrize("name", HIGHDICOM)
def test_highdicom_has_every_voxel_at_the_same_place(name: str) -> None:
    v, files = volume_of(name), files_of(name)
    if len(files) == 1 or not v.dicom.is_uniform:
        pytest.skip("one object of many frames, or uneven slices: get_volume_from_series does not take them")
    if v.dicom.frame_of_reference.startswith("unknown:"):
        pytest.skip("no frame of reference: get_volume_from_series does not take them")
    theirs = hd.get_volume_from_series([pydicom.dcmread(path) for path in files])
    picked = indices(v)
    check_indices(v, picked, theirs.map_reference_to_indices(v.dicom.lps(picked)))
    np.testing.assert_allclose(theirs.spacing, v.dicom.spacing, atol=1e-4)
