"""The series that the lessons write, as the checks know them: from the phantom, without a file."""

from __future__ import annotations

import functools
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread

from dicomlab import phantom

__all__ = [
    "CT_SHAPE",
    "MR_SHAPE",
    "PET_SHAPE",
    "as_file",
    "ct",
    "ct_headers",
    "kind",
    "mr",
    "mr_headers",
    "pet",
]

CT_SHAPE: Final = (32, 168, 192)
"""Slices, rows and columns of the CT that the notebooks write."""
MR_SHAPE: Final = (16, 88, 104)
PET_SHAPE: Final = (24, 64, 72)


@functools.cache
def ct() -> phantom.Truth:
    """Return the truth of the CT of the lessons."""
    return phantom.ct_truth(phantom.CT_PET_FRAME, CT_SHAPE, "axial")


@functools.cache
def mr() -> phantom.Truth:
    """Return the truth of the oblique MR of the lessons."""
    return phantom.mr_truth(phantom.MR_FRAME, MR_SHAPE, "oblique")


@functools.cache
def pet() -> phantom.Truth:
    """Return the truth of the PET of the lessons."""
    return phantom.pet_truth(phantom.CT_PET_FRAME, PET_SHAPE, "axial")


@functools.cache
def ct_headers() -> tuple[Dataset, ...]:
    """Return the data sets of the CT in the order of their files."""
    return tuple(phantom.ct_datasets(ct()))


@functools.cache
def mr_headers() -> tuple[Dataset, ...]:
    """Return the data sets of the MR in the order of their files."""
    return tuple(sorted(phantom.mr_datasets(mr()), key=lambda ds: int(ds.InstanceNumber)))


@functools.cache
def pet_headers() -> tuple[Dataset, ...]:
    """Return the data sets of the PET in the order of their files."""
    return tuple(sorted(phantom.pet_datasets(pet()), key=lambda ds: int(ds.InstanceNumber)))


def as_file(dataset: Dataset) -> bytes:
    """Return the bytes of the file that a data set becomes in explicit VR little endian."""
    file = BytesIO()
    dataset.save_as(file, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return file.getvalue()


@functools.cache
def kind(name: str) -> tuple[phantom.Sample, dict[str, Dataset]]:
    """Return one of `phantom.KINDS`: its truth, and its data sets by the names of their files."""
    with tempfile.TemporaryDirectory() as folder:
        sample = phantom.write_kind(name, folder)
        return sample, {path.name: dcmread(path) for path in sorted(Path(folder).iterdir())}
