"""The segments of a Segmentation object that a report refers to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset

from dicomlab.errors import DicomLabError
from dicomlab.masks import Code, Label

__all__ = ["Segment", "Segments"]

_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")


@dataclass(frozen=True, eq=False)
class Segment:
    """One segment, and what its Segmentation says of it (PS3.3 C.8.20.4)."""

    dataset: Dataset
    label: Label
    place: Code | None
    tracking_id: str | None
    tracking_uid: str | None

    def reference(self, series: str) -> Any:
        """The content item that refers to it; `series` is where it comes from, unless the Segmentation says so itself."""
        from highdicom.sr import ReferencedSegment, SourceSeriesForSegmentation

        told = list(self.dataset.get("ReferencedSeriesSequence") or ())
        return ReferencedSegment(
            self.dataset.SOPClassUID,
            self.dataset.SOPInstanceUID,
            self.label.value,
            source_series=SourceSeriesForSegmentation(
                told[0].SeriesInstanceUID if len(told) == 1 else series
            ),
        )


class Segments:
    """The segments of a Segmentation of the same study as the images that were measured.

    Raises
    ------
    DicomLabError
        This is no Segmentation, or it is of another study.
    """

    def __init__(self, dataset: Dataset, image: Dataset) -> None:
        if str(dataset.get("SOPClassUID", "")) not in _SEGMENTATIONS:
            raise DicomLabError(
                f"segmentation= is a DICOM Segmentation object; found one of modality {dataset.get('Modality') or 'unknown'}"
            )
        if dataset.get("StudyInstanceUID") != image.StudyInstanceUID:
            raise DicomLabError(
                "the Segmentation belongs to another study than source=: a report would tell of one patient what was measured "
                "in another. Give the series that was segmented."
            )
        self.dataset = dataset
        self._all = [_segment(dataset, item) for item in dataset.get("SegmentSequence") or ()]

    def find(self, name: str) -> Segment:
        """The segment with this label.

        Raises
        ------
        DicomLabError
            There is none, or more than one.
        """
        found = [one for one in self._all if one.label.name == name]
        if len(found) != 1:
            known = ", ".join(one.label.name for one in self._all) or "none"
            raise DicomLabError(
                f"the segment of the label {name!r} was asked for; {len(found)} have this name. Segments: {known}"
            )
        return found[0]


def _segment(dataset: Dataset, item: Dataset) -> Segment:
    number = int(item.SegmentNumber)
    type_items = item.get("SegmentedPropertyTypeCodeSequence")
    kind, category = _code(type_items), _code(item.get("SegmentedPropertyCategoryCodeSequence"))
    side = _code(type_items[0].get("SegmentedPropertyTypeModifierCodeSequence")) if type_items else None
    regions = item.get("AnatomicRegionSequence")
    place = _code(regions)
    if regions:
        side = _code(regions[0].get("AnatomicRegionModifierSequence")) or side
    if kind is None or category is None:
        kind = category = None
    name = str(item.get("SegmentLabel") or f"segment {number}")
    # A label that is background (0, of a label map) is no finding, and no row has its name.
    label = Label(max(number, 1), name, category=category, type=kind, side=side)
    return Segment(dataset, label, place, _text(item, "TrackingID"), _text(item, "TrackingUID"))


def _text(item: Dataset, keyword: str) -> str | None:
    return str(item.get(keyword)) if item.get(keyword) else None


def _code(items: Any) -> Code | None:
    if not items:
        return None
    one = items[0]
    value = one.get("CodeValue") or one.get("LongCodeValue") or one.get("URNCodeValue")
    told = (value, one.get("CodingSchemeDesignator"), one.get("CodeMeaning"))
    return Code(*(str(text) for text in told)) if all(told) else None
