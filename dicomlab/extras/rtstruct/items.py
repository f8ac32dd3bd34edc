"""The items of a written structure set: structures, their contours, and what is said of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.charset import default_encoding
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.export.origin import code
from dicomlab.export.place import Placement
from dicomlab.geometry import Geometry
from dicomlab.masks import Label

__all__ = ["ROI", "contour_item", "contoured_item", "observation_item", "planes_item", "roi_item"]

FloatArray = npt.NDArray[np.float64]

_TAGS = {
    keyword: Tag(keyword)
    for keyword in ("ContourGeometricType", "NumberOfContourPoints", "ContourNumber", "ContourData")
}
_NOTHING = 1e-9
"""mm: less than this is the rounding of an oblique axis."""
_UPRIGHT = 1e-3
"""Degrees of a tilt that is none."""


@dataclass(frozen=True)
class ROI:
    """One label as a structure.

    Parameters
    ----------
    interpreted_type
        RT ROI Interpreted Type (3006,00A4).
    algorithm
        ROI Generation Algorithm (3006,0036).
    frame
        Frame of Reference UID.
    """

    label: Label
    interpreted_type: str
    algorithm: str
    frame: str


def roi_item(roi: ROI) -> Dataset:
    """Item of the Structure Set ROI Sequence (3006,0020)."""
    name = roi.label.name
    if len(name) > 64 or "\\" in name or not name.isprintable():
        raise DicomLabError(
            f"an ROI Name (3006,0026) has at most 64 printable characters and no backslash; found {name!r}. "
            "mask.dicom.with_labels gives another."
        )
    item = Dataset()
    item.ROINumber = roi.label.value
    item.ReferencedFrameOfReferenceUID = roi.frame
    item.ROIName = name
    item.ROIGenerationAlgorithm = roi.algorithm
    return item


def observation_item(number: int, roi: ROI) -> Dataset:
    """Item of the RT ROI Observations Sequence (3006,0080)."""
    item = Dataset()
    item.ObservationNumber = number
    item.ReferencedROINumber = roi.label.value
    kind = roi.label.type
    if roi.label.is_coded and kind is not None and len(kind.value) <= 16:
        item.RTROIIdentificationCodeSequence = [code(kind.value, kind.scheme, kind.meaning)]
    item.RTROIInterpretedType = roi.interpreted_type
    item.ROIInterpreter = None
    return item


def contoured_item(roi: ROI, contours: list[Dataset], planes: Dataset | None) -> Dataset:
    """Item of the ROI Contour Sequence (3006,0039); `planes` are those that the contours lie on, as of `planes_item`."""
    item = Dataset()
    item.ROIDisplayColor = list(roi.label.rgb)
    if planes is not None:
        item.SourcePixelPlanesCharacteristicsSequence = [planes]
    if contours:
        item.ContourSequence = contours
    item.ReferencedROINumber = roi.label.value
    return item


def planes_item(geometry: Geometry) -> Dataset | None:
    """Item of the Source Pixel Planes Characteristics Sequence (3006,004A): the grid of the mask.

    It says how thick contours are, and that a plane without contours is empty. None for grids that it cannot say: those of
    uneven, tilted or lone slices of unknown step.
    """
    try:
        placement = Placement.of(geometry)
    except GeometryError:
        return None
    if placement.gap is None or geometry.tilt > _UPRIGHT:
        return None
    item = Dataset()
    placement.write(item, int(np.argmin(placement.positions @ placement.normal)))
    item.NumberOfFrames, item.Rows, item.Columns = geometry.shape
    return item


def contour_item(number: int, points: FloatArray, kind: str, images: list[Dataset]) -> Dataset:
    """Item of a Contour Sequence (3006,0040).

    As bytes: there are thousands, and of their millions of numbers pydicom would make objects to write them as the same text.
    """
    item = Dataset(
        {
            one.tag: one
            for one in (
                _raw("ContourGeometricType", "CS", kind),
                _raw("NumberOfContourPoints", "IS", str(len(points))),
                _raw("ContourNumber", "IS", str(number)),
                _raw("ContourData", "DS", contour_data(points)),
            )
        }
    )
    if images:
        item.ContourImageSequence = images
    # As the bytes stand: else pydicom parses them when it writes.
    item.set_original_encoding(True, True, default_encoding)
    return item


def _raw(keyword: str, vr: str, text: str) -> RawDataElement:
    value = (text + " " * (len(text) % 2)).encode("ascii")
    return RawDataElement(_TAGS[keyword], vr, len(value), value, 0, True, True)


def contour_data(points: FloatArray) -> str:
    """Contour Data (3006,0050): decimal strings of at most 16 characters, ten digits each, so within a millionth of a mm."""
    mm = np.where(np.abs(points) < _NOTHING, 0.0, points)
    return "\\".join([f"{x:.10g}" for x in mm.ravel().tolist()])
