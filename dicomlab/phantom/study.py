"""The verbs: write a CT, an MR, a PET or all three into a folder and keep the truth."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicomlab.errors import DicomLabError
from dicomlab.phantom.dicom import CT_PET_FRAME, MR_FRAME, ct_datasets, mr_datasets, pet_datasets
from dicomlab.phantom.grid import Orientation
from dicomlab.phantom.truth import Shape3, Truth, ct_truth, mr_truth, pet_truth

__all__ = [
    "PhantomSeries",
    "PhantomStudy",
    "write_ct",
    "write_datasets",
    "write_mr",
    "write_pet",
    "write_study",
]

TransferSyntax = Literal["explicit", "implicit"]
CT_SHAPE: Final[Shape3] = (80, 240, 272)
MR_SHAPE: Final[Shape3] = (30, 220, 256)
PET_SHAPE: Final[Shape3] = (64, 112, 128)


@dataclass(frozen=True, repr=False)
class PhantomSeries:
    """A written series: its folder, its files in Instance Number order, and what they truly hold."""

    folder: Path
    files: tuple[Path, ...]
    truth: Truth

    def __repr__(self) -> str:
        return f"<PhantomSeries {self.truth.modality}: {len(self.files)} files in {self.folder}>"


@dataclass(frozen=True)
class PhantomStudy:
    """A written study: CT and PET of one scanner (one frame of reference), and an oblique MR of another."""

    folder: Path
    ct: PhantomSeries
    mr: PhantomSeries
    pet: PhantomSeries


def write_datasets(
    folder: str | os.PathLike[str],
    datasets: Iterable[Dataset],
    *,
    transfer_syntax: TransferSyntax = "explicit",
) -> tuple[Path, ...]:
    """Write datasets as DICOM files (PS3.10) named IM00001 … by their place in Instance Number order.

    Parameters
    ----------
    folder
        Made when missing.
    datasets
        As `ct_datasets`, `mr_datasets` or `pet_datasets` return them, changed at will.
    transfer_syntax
        "explicit" or "implicit" VR, both little endian.

    Raises
    ------
    DicomLabError
        The folder has more such files than are written now: those of another phantom would be left among these.
    """
    if transfer_syntax not in ("explicit", "implicit"):
        raise ValueError(f'transfer_syntax must be "explicit" or "implicit", found {transfer_syntax!r}.')
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    files = []
    images = sorted(datasets, key=lambda d: int(d.InstanceNumber))
    names = {f"IM{number:05d}" for number in range(1, len(images) + 1)}
    left = sorted(path.name for path in target.glob("IM[0-9][0-9][0-9][0-9][0-9]") if path.name not in names)
    if left:
        raise DicomLabError(
            f"{str(target)!r} holds images of another phantom ({left[0]} and {len(left) - 1} more), which would be left among "
            f"the {len(images)} to be written. Choose another folder, or delete that one."
        )
    for number, ds in enumerate(images, start=1):
        implicit = transfer_syntax == "implicit"
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        path = target / f"IM{number:05d}"
        ds.save_as(path, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
        files.append(path)
    return tuple(files)


def write_ct(
    folder: str | os.PathLike[str],
    *,
    shape: Shape3 | None = None,
    orientation: Orientation | None = None,
    transfer_syntax: TransferSyntax = "explicit",
) -> PhantomSeries:
    """Write a CT of the phantom's thorax and upper abdomen, contrast medium in the blood; return files and truth.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    shape
        (slices, rows, columns); default (80, 240, 272). The field of view stays, so spacing follows.
    orientation
        "axial" (default), "sagittal", "coronal", "oblique", or six cosines of Image Orientation (Patient).
    transfer_syntax
        "explicit" (default) or "implicit" VR little endian.

    Raises
    ------
    GeometryError
        When shape or orientation cannot be.
    """
    truth = ct_truth(CT_PET_FRAME, shape or CT_SHAPE, "axial" if orientation is None else orientation)
    files = write_datasets(folder, ct_datasets(truth), transfer_syntax=transfer_syntax)
    return PhantomSeries(Path(folder), files, truth)


def write_mr(
    folder: str | os.PathLike[str],
    *,
    shape: Shape3 | None = None,
    orientation: Orientation | None = None,
    transfer_syntax: TransferSyntax = "explicit",
) -> PhantomSeries:
    """Write a T1-weighted MR of the same body in a frame of reference of its own; return files and truth.

    Instance Number runs against the position. Parameters as in `write_ct`, but the default shape is
    (30, 220, 256) and the default orientation "oblique".
    """
    truth = mr_truth(MR_FRAME, shape or MR_SHAPE, "oblique" if orientation is None else orientation)
    files = write_datasets(folder, mr_datasets(truth), transfer_syntax=transfer_syntax)
    return PhantomSeries(Path(folder), files, truth)


def write_pet(
    folder: str | os.PathLike[str],
    *,
    shape: Shape3 | None = None,
    orientation: Orientation | None = None,
    transfer_syntax: TransferSyntax = "explicit",
) -> PhantomSeries:
    """Write an FDG PET of the same body in the CT's frame of reference; return files and truth (Bq/ml).

    Each slice has its own Rescale Slope; the lesion has SUV 8, the lung nodule SUV 5. Parameters as in
    `write_ct`, but the default shape is (64, 112, 128).
    """
    truth = pet_truth(CT_PET_FRAME, shape or PET_SHAPE, "axial" if orientation is None else orientation)
    files = write_datasets(folder, pet_datasets(truth), transfer_syntax=transfer_syntax)
    return PhantomSeries(Path(folder), files, truth)


def write_study(
    folder: str | os.PathLike[str], *, coarser: int = 1, transfer_syntax: TransferSyntax = "explicit"
) -> PhantomStudy:
    """Write CT, MR and PET of one patient into the folders CT, MR and PT of `folder`; return files and truth.

    Parameters
    ----------
    folder
        Where to write; made when missing.
    coarser
        Divides the numbers of slices, rows and columns of the three series: 4 writes a study in a second.
    transfer_syntax
        "explicit" (default) or "implicit" VR little endian.
    """

    def size(default: Shape3) -> Shape3:
        slices, rows, columns = (max(n // coarser, 1) for n in default)
        return slices, rows, columns

    root = Path(folder)
    return PhantomStudy(
        root,
        ct=write_ct(root / "CT", shape=size(CT_SHAPE), transfer_syntax=transfer_syntax),
        mr=write_mr(root / "MR", shape=size(MR_SHAPE), transfer_syntax=transfer_syntax),
        pet=write_pet(root / "PT", shape=size(PET_SHAPE), transfer_syntax=transfer_syntax),
    )
