"""Small images without a place in the patient, as files: what tests of flat images change at will."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, generate_uid

from dicomlab import find_series
from dicomlab.read.headers import Instance

SOP = {
    "CR": "1.2.840.10008.5.1.4.1.1.1",
    "DX": "1.2.840.10008.5.1.4.1.1.1.1",
    "US": "1.2.840.10008.5.1.4.1.1.6.1",
    "USMF": "1.2.840.10008.5.1.4.1.1.3.1",
    "SC": "1.2.840.10008.5.1.4.1.1.7",
    "XA": "1.2.840.10008.5.1.4.1.1.12.1",
    "NM": "1.2.840.10008.5.1.4.1.1.20",
    "SM": "1.2.840.10008.5.1.4.1.1.77.1.6",
    "CT": "1.2.840.10008.5.1.4.1.1.2",
}


def item(**attributes: Any) -> Dataset:
    """An item of a sequence."""
    made = Dataset()
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    return made


def picture(kind: str, pixels: np.ndarray, frames: bool = False, **attributes: Any) -> Dataset:
    """An uncompressed image of one kind, of pixels ``(frames, rows, columns, samples)`` with or without first and last."""
    colour = pixels.ndim > 2 + frames
    made = item(
        SOPClassUID=SOP[kind],
        SOPInstanceUID=generate_uid(),
        StudyInstanceUID="1.2.3",
        SeriesInstanceUID="1.2.3.4",
        Modality=kind[:2] if kind != "SC" else "OT",
        SamplesPerPixel=3 if colour else 1,
        PhotometricInterpretation="RGB" if colour else "MONOCHROME2",
        Rows=pixels.shape[frames],
        Columns=pixels.shape[frames + 1],
        BitsAllocated=8 * pixels.itemsize,
        BitsStored=8 * pixels.itemsize,
        HighBit=8 * pixels.itemsize - 1,
        PixelRepresentation=0,
    )
    if colour:
        made.PlanarConfiguration = 0
    if frames:
        made.NumberOfFrames = pixels.shape[0]
    for keyword, value in attributes.items():
        setattr(made, keyword, value)
    data = np.ascontiguousarray(pixels).tobytes()
    made.PixelData = data + b"\0" * (len(data) % 2)
    made["PixelData"].VR = "OB" if pixels.itemsize == 1 else "OW"
    return made


def save(path: Path, made: Dataset) -> Path:
    """Write an image as a file."""
    meta = FileMetaDataset()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.MediaStorageSOPClassUID = made.SOPClassUID
    meta.MediaStorageSOPInstanceUID = made.SOPInstanceUID
    made.file_meta = meta
    made.save_as(path, enforce_file_format=True)
    return path


def instances(path: Path) -> tuple[Instance, ...]:
    """Instances of the one series of a file or folder."""
    (series,) = find_series(path, progress=False)
    return series.instances
