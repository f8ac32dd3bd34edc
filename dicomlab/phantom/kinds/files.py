"""Odd and damaged files, and other ways to hand a series over: no meta header, other byte order, DICOMDIR, zip."""

from __future__ import annotations

import dataclasses
import re
import tempfile
import zipfile
from pathlib import Path
from typing import Final

import numpy as np
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.fileset import FileSet
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    JPEGLSLossless,
    generate_uid,
)

from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import at, ct, grid, hounsfield, identify, name_files, sample, save, vectors
from dicomlab.phantom.kinds.stored import compressed

__all__ = [
    "big_endian",
    "decimal_commas",
    "deflated",
    "dicomdir",
    "no_preamble",
    "truncated_file",
    "undecodable",
    "zip_archive",
]

_ODD: Final = 3


def _plain(folder: Path, name: str) -> tuple[Sample, list[Dataset]]:
    place = grid()
    values = hounsfield(place)
    return sample(folder, place, values, "HU"), identify(ct(place, values), name)


def _without(found: Sample, k: int, code: str, size: tuple[float, str]) -> Sample:
    """Return the truth without one slice, which on_fault="keep" leaves out."""
    place = grid()
    left = at(place, np.delete(vectors(place)[0], k, axis=0))
    values = np.delete(found.values, k, axis=0)
    sizes = {code: size}
    return sample(found.folder, left, values, "HU", findings=(code,), sizes=sizes, choice="keep")


def truncated_file(folder: Path) -> Sample:
    """CT of which one file ends 500 bytes before its pixels do; the truth is what is whole."""
    found, datasets = _plain(folder, "truncated_file")
    file = save(folder, datasets)[_ODD]
    file.write_bytes(file.read_bytes()[:-500])
    return _without(found, _ODD, "truncated_pixel_data", (500.0, "bytes"))


def undecodable(folder: Path) -> Sample:
    """JPEG-LS CT of which one slice is damaged in its middle, the marker of its frame among it; the rest is whole."""
    found = compressed(folder, "undecodable", JPEGLSLossless)
    file = sorted(folder.iterdir())[_ODD]
    raw = bytearray(file.read_bytes())
    start = raw.index(b"\xff\xd8\xff")  # start of image
    raw[start + 2 : start + 40] = bytes(38)
    file.write_bytes(raw)
    return _without(found, _ODD, "undecodable_pixel_data", (1.0, "slices"))


def decimal_commas(folder: Path) -> Sample:
    """CT whose decimal strings have commas, as a device in a country of decimal commas once wrote them."""
    found, datasets = _plain(folder, "decimal_commas")
    comma = re.compile(rb"[0-9]\.[0-9]")
    for ds in datasets:
        for keyword in ("ImagePositionPatient", "PixelSpacing"):
            texts = [str(v) for v in ds[keyword].value]
            # Written as a text, which takes any; the VR is put right below.
            raw = "\\".join(texts).encode()
            ds[keyword] = type(ds[keyword])(ds[keyword].tag, "LT", (raw + b" " * (len(raw) % 2)).decode())
    for file in save(folder, datasets):
        data = file.read_bytes()
        for tag in (b"\x20\x00\x32\x00", b"\x28\x00\x30\x00"):
            at_ = data.index(tag + b"LT")
            length = int.from_bytes(data[at_ + 6 : at_ + 8], "little")
            text = comma.sub(lambda m: m[0].replace(b".", b","), data[at_ + 8 : at_ + 8 + length])
            data = data[: at_ + 4] + b"DS" + data[at_ + 6 : at_ + 8] + text + data[at_ + 8 + length :]
        file.write_bytes(data)
    return dataclasses.replace(found, findings=("decimal_comma",))


def no_preamble(folder: Path) -> Sample:
    """CT in files without preamble and meta header, implicit VR: bare data sets, as old archives hold them."""
    found, datasets = _plain(folder, "no_preamble")
    folder.mkdir(parents=True, exist_ok=True)
    for ds, name in zip(datasets, name_files(len(datasets)), strict=True):
        del ds.file_meta
        ds.save_as(folder / name, implicit_vr=True, little_endian=True, enforce_file_format=False)
    return found


def deflated(folder: Path) -> Sample:
    """CT in the deflated transfer syntax (PS3.5 A.5)."""
    found, datasets = _plain(folder, "deflated")
    folder.mkdir(parents=True, exist_ok=True)
    for ds, name in zip(datasets, name_files(len(datasets)), strict=True):
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        ds.save_as(folder / name, implicit_vr=False, little_endian=True, enforce_file_format=True)
    return found


def big_endian(folder: Path) -> Sample:
    """CT in the retired big endian transfer syntax (PS3.5 2016b A.3)."""
    found, datasets = _plain(folder, "big_endian")
    folder.mkdir(parents=True, exist_ok=True)
    for ds, name in zip(datasets, name_files(len(datasets)), strict=True):
        ds.PixelData = np.frombuffer(ds.PixelData, "<u2").astype(">u2").tobytes()
        ds["PixelData"].VR = "OW"
        ds.file_meta.TransferSyntaxUID = ExplicitVRBigEndian
        ds.save_as(folder / name, implicit_vr=False, little_endian=False, enforce_file_format=True)
    return found


def dicomdir(folder: Path) -> Sample:
    """CT on a medium: a DICOMDIR (PS3.3 F) beside a folder of files."""
    found, datasets = _plain(folder, "dicomdir")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        medium = FileSet()
        medium.UID = generate_uid(entropy_srcs=["dicomlab", "phantom", "file-set"])
        for file in save(Path(work), datasets):
            medium.add(dcmread(file))
        medium.write(folder)
    return found


def zip_archive(folder: Path) -> Sample:
    """CT in a zip archive."""
    found, datasets = _plain(folder, "zip_archive")
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as work, zipfile.ZipFile(folder / "series.zip", "w") as archive:
        for file in save(Path(work), datasets):
            archive.write(file, f"series/{file.name}")
    return found
