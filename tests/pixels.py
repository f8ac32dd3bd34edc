"""Files of one image in any encoding, made for tests: nothing of dicomlab takes part in writing them."""

from __future__ import annotations

import copy
import shutil
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_file_meta_info
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from dicomlab.read.headers import Instance, read_instance
from dicomlab.read.images import stored_image
from dicomlab.read.sources import FileRef
from dicomlab.read.stored import StoredImage

needs_dcmtk = pytest.mark.skipif(
    shutil.which("dcmcjpeg") is None, reason="DCMTK is not installed: its codecs were not compared with ours"
)


def scene(rows: int = 37, columns: int = 41, bits: int = 12, samples: int = 1, seed: int = 0) -> np.ndarray:
    """A smooth picture with an edge and some noise, unsigned, over most of its range."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:rows, :columns] / max(rows, columns)
    planes = [np.sin(5 * x + k) * np.cos(4 * y - k) + (x > 0.5) * 0.4 for k in range(samples)]
    picture = np.stack(planes, -1) + rng.normal(0, 0.02, (rows, columns, samples))
    picture = (picture - picture.min()) / np.ptp(picture) * ((1 << bits) - 1)
    return picture.reshape((rows, columns, samples) if samples > 1 else (rows, columns)).astype(
        np.uint8 if bits <= 8 else np.uint16
    )


def dataset(values: np.ndarray, *, frames: int = 1, **attributes: Any) -> Dataset:
    """Secondary capture of native pixels, shape ``([frames,] rows, columns[, 3])``; `attributes` have the last word."""
    shape = values.shape[1:] if frames > 1 else values.shape
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.SOPClassUID = "1.2.840.10008.5.1.4.1.1.7"
    ds.SOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.Modality = generate_uid(), generate_uid(), "OT"
    ds.Rows, ds.Columns = shape[:2]
    ds.SamplesPerPixel = 3 if len(shape) == 3 else 1
    ds.PhotometricInterpretation = "RGB" if ds.SamplesPerPixel == 3 else "MONOCHROME2"
    if ds.SamplesPerPixel == 3:
        ds.PlanarConfiguration = 0
    if frames > 1:
        ds.NumberOfFrames = frames
    ds.BitsAllocated = ds.BitsStored = values.dtype.itemsize * 8
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    for keyword, value in attributes.items():
        setattr(ds, keyword, value)
    if "BitsStored" in attributes and "HighBit" not in attributes:
        ds.HighBit = ds.BitsStored - 1
    if values.dtype.kind in "iu" and "PixelData" not in attributes:
        data = values.astype(values.dtype.newbyteorder("<")).tobytes()
        ds.PixelData = data + b"\0" * (len(data) % 2)
        ds["PixelData"].VR = "OW"
    return ds


def fragments(*pieces: bytes, table: bytes = b"", end: bool = True) -> bytes:
    """Encapsulated pixel data of these fragments (PS3.5 A.4)."""
    items = [table, *(piece + b"\0" * (len(piece) % 2) for piece in pieces)]
    joined = b"".join(b"\xfe\xff\x00\xe0" + struct.pack("<I", len(item)) + item for item in items)
    return joined + (b"\xfe\xff\xdd\xe0\0\0\0\0" if end else b"")


def save(path: Path, ds: Dataset, syntax: str = ExplicitVRLittleEndian, pixels: bytes | None = None) -> Path:
    """Write `ds`; with `pixels` as the value of encapsulated pixel data."""
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        ds.SOPClassUID,
        ds.SOPInstanceUID,
    )
    if pixels is not None:
        # By hand: pydicom refuses transfer syntaxes that it does not know, and fragments that are odd on purpose.
        meta, body = DicomBytesIO(), DicomBytesIO()
        write_file_meta_info(meta, ds.file_meta)
        bare = copy.deepcopy(ds)
        del bare.file_meta
        if "PixelData" in bare:
            del bare.PixelData
        bare.save_as(body, implicit_vr=False, little_endian=True, enforce_file_format=False)
        head = b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff"
        path.write_bytes(bytes(128) + b"DICM" + meta.getvalue() + body.getvalue() + head + pixels)
    else:
        implicit, little = syntax == ImplicitVRLittleEndian, syntax != ExplicitVRBigEndian
        ds.save_as(path, implicit_vr=implicit, little_endian=little, enforce_file_format=True)
    return path


def instance(path: Path) -> Instance:
    """The file as dicomlab lists it."""
    return read_instance(FileRef(path, path.name, path.stat().st_size))


def image(path: Path) -> StoredImage:
    """The file as dicomlab reads its pixels."""
    return stored_image(instance(path))
