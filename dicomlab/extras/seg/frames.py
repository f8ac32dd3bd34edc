"""What a Segmentation says about its frames (PS3.3 C.8.20, C.7.6.16)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance

__all__ = ["Frames", "unreadable"]

FloatArray = npt.NDArray[np.float64]


_GROUPS = (
    "PlanePositionSequence",
    "PlaneOrientationSequence",
    "PixelMeasuresSequence",
    "SegmentIdentificationSequence",
)


@dataclass(frozen=True, eq=False)
class Frames:
    """Frames of a Segmentation, in stored order.

    Parameters
    ----------
    top
        The top level of the file.
    kind
        ``"BINARY"``, ``"FRACTIONAL"`` or ``"LABELMAP"``.
    numbers
        Segment number of each frame; in a label map 0, which stands for all.
    positions
        LPS mm of the first voxel of each frame, shape ``(n, 3)``.
    cosines
        Of all frames, shape ``(6,)``.
    spacing
        mm between rows, columns, shape ``(2,)``.
    shape
        Rows, columns.
    frame_of_reference
        Frame of Reference UID.
    segments
        Description of each segment by its number.
    """

    top: Attributes
    kind: str
    numbers: npt.NDArray[np.int64]
    positions: FloatArray
    cosines: FloatArray
    spacing: FloatArray
    shape: tuple[int, int]
    frame_of_reference: str
    segments: dict[int, Attributes]

    @classmethod
    def of(cls, header: Dataset, instance: Instance) -> Frames:
        """Frames that, by the whole header of a file, lie in a patient.

        Raises
        ------
        UnsupportedError, GeometryError, DicomLabError
            As `dicomlab.load_segmentation`.
        """
        top = Attributes.of(header)
        kind = top.text("SegmentationType")
        if top.items("TotalPixelMatrixOriginSequence") or top.value("TotalPixelMatrixColumns") is not None:
            raise UnsupportedError(
                f"{instance.file}: a segmentation of a whole-slide image. Its tiles lie on a slide, not in a patient, so "
                "they make no volume; highdicom.seg.segread(...).get_total_pixel_matrix() gives the picture."
            )
        if kind not in ("BINARY", "FRACTIONAL", "LABELMAP"):
            raise UnsupportedError(f"{instance.file}: Segmentation Type (0062,0001) {kind[:16]!r} is unknown")
        shared = top.items("SharedFunctionalGroupsSequence")
        each = top.items("PerFrameFunctionalGroupsSequence")
        count = instance.frames
        if len(each) != count:
            raise DicomLabError(
                f"{instance.file}: {count} frames, but functional groups for {len(each)}: which frame is where, nobody knows"
            )
        levels = [_groups(one, *shared) for one in each]
        return cls(
            top,
            kind,
            np.array(
                [0 if kind == "LABELMAP" else one.integer("ReferencedSegmentNumber", 0) for one in levels]
            ),
            np.array([_needed(one, "ImagePositionPatient", 3, instance) for one in levels]),
            _all_one(
                [_needed(one, "ImageOrientationPatient", 6, instance) for one in levels], 1e-4, instance
            ),
            _all_one([_needed(one, "PixelSpacing", 2, instance) for one in levels], 1e-6, instance),
            (top.integer("Rows", 0), top.integer("Columns", 0)),
            top.text("FrameOfReferenceUID") or f"unknown:{top.text('SOPInstanceUID')}",
            {
                Attributes.of(i).integer("SegmentNumber", -1): Attributes.of(i)
                for i in top.items("SegmentSequence")
            },
        )

    @property
    def background(self) -> int:
        """Pixel value that belongs to no segment of a label map (PS3.3 C.8.20.2)."""
        return self.top.integer("PixelPaddingValue", 0)

    @property
    def step(self) -> float:
        """mm from one plane to the next as the file states it; NaN when it does not, or states what cannot be.

        Some scanners write the gap between slices there, and programs copy it: it is less than half of how thick slices are.
        """
        first = _groups(
            *self.top.items("PerFrameFunctionalGroupsSequence")[:1],
            *self.top.items("SharedFunctionalGroupsSequence"),
        )
        stated = first.number("SpacingBetweenSlices")
        if not stated or abs(stated) < (first.number("SliceThickness") or 0.0) / 2:
            return float("nan")
        return abs(stated)


def _groups(*items: Any) -> Attributes:
    """The functional groups that place a frame, its own before the shared ones."""
    return Attributes.of(
        *(group for item in items for name in _GROUPS for group in Attributes.of(item).items(name))
    )


def _needed(frame: Attributes, keyword: str, size: int, instance: Instance) -> FloatArray:
    numbers = frame.numbers(keyword)
    if numbers is None or numbers.size != size or np.any(np.abs(numbers) > 1e7):
        raise GeometryError(
            f"{instance.file}: frames without a usable {keyword}, so their masks have no place in the patient"
        )
    if keyword == "PixelSpacing" and not np.all(numbers > 0):
        raise GeometryError(
            f"{instance.file}: Pixel Spacing (0028,0030) is {numbers.tolist()}, not two lengths"
        )
    return numbers


def _all_one(found: list[FloatArray], tolerance: float, instance: Instance) -> FloatArray:
    every = np.array(found)
    if np.max(np.abs(every - every[0])) > tolerance:
        raise UnsupportedError(
            f"{instance.file}: frames of several orientations or pixel spacings, which make no one volume"
        )
    return np.asarray(every.mean(axis=0), dtype=np.float64)


def unreadable(instance: Instance, problem: Exception) -> str:
    """The sentence for what highdicom or a decoder raised."""
    # What highdicom says may quote the file; the kind of its complaint does not.
    syntax = instance.transfer_syntax
    return (
        f"{instance.file}: highdicom cannot read this Segmentation ({type(problem).__name__}); its transfer syntax is {syntax} "
        f"({syntax.name}). The file is damaged, or its pixels are encoded in a way that highdicom and pydicom do not decode; "
        "an uncompressed copy, written by a program that does, would help."
    )
