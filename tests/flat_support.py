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


def write_pictures(folder: Path) -> None:
    """Write a radiograph, an ultrasound loop and a slide, as small as they can be."""
    grey = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    save(folder / "radiograph.dcm", picture("DX", grey, ImagerPixelSpacing=[0.2, 0.1]))
    loop = picture("USMF", np.stack([grey, grey + 1]), frames=True, FrameTime=40)
    loop.SequenceOfUltrasoundRegions = [item(**TISSUE)]
    save(folder / "ultrasound.dcm", loop)
    save(folder / "slide.dcm", slide(np.arange(9 * 4 * 5 * 3, dtype=np.uint8).reshape(9, 4, 5, 3)))


TISSUE: dict[str, Any] = {
    "RegionSpatialFormat": 1,
    "RegionDataType": 1,
    "RegionFlags": 0,
    "RegionLocationMinX0": 4,
    "RegionLocationMinY0": 2,
    "RegionLocationMaxX1": 23,
    "RegionLocationMaxY1": 11,
    "PhysicalUnitsXDirection": 3,
    "PhysicalUnitsYDirection": 3,
    "PhysicalDeltaX": 0.05,
    "PhysicalDeltaY": 0.04,
    "ReferencePixelX0": 10,
    "ReferencePixelY0": 1,
    "ReferencePixelPhysicalValueX": 0.0,
    "ReferencePixelPhysicalValueY": 2.0,
}
"""An ultrasound region of tissue: 10 rows of 0.4 mm, 20 columns of 0.5 mm."""


def slide(tiles: np.ndarray, **attributes: Any) -> Dataset:
    """A TILED_FULL slide of 10 x 13 pixels from tiles of 4 x 5."""
    measures = item(PixelSpacing=[0.002, 0.001], SliceThickness=0.01, SpacingBetweenSlices=0.003)
    origin = item(XOffsetInSlideCoordinateSystem=23.5, YOffsetInSlideCoordinateSystem=25.25)
    whole: dict[str, Any] = {
        "ImageType": ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"],
        "TotalPixelMatrixRows": 10,
        "TotalPixelMatrixColumns": 13,
        "TotalPixelMatrixOriginSequence": [origin],
        "ImageOrientationSlide": [0, -1, 0, -1, 0, 0],
        "FrameOfReferenceUID": "1.2.3.5",
        "DimensionOrganizationType": "TILED_FULL",
        "SharedFunctionalGroupsSequence": [item(PixelMeasuresSequence=[measures])],
    }
    return picture("SM", tiles, frames=True, **(whole | attributes))


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
