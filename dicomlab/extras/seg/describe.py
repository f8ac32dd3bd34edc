"""What a segment is (PS3.3 C.8.20.4 "Segment Description Macro"), from and to a `Label`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicomlab.errors import DicomLabError
from dicomlab.masks import Code, Label
from dicomlab.optional import optional
from dicomlab.privacy import Identity, shown
from dicomlab.read.elements import Attributes

if TYPE_CHECKING:
    from highdicom.seg import SegmentDescription

__all__ = ["describe", "label_of"]

_LONGEST = 64
"""Characters of a Segment Label (0062,0005)."""


def label_of(segment: Attributes, number: int, who: Identity | None = frozenset()) -> Label:
    """The label that a segment of a file describes; what the file does not say well is left to the name of the label.

    Parameters
    ----------
    who
        Words that are masked in its name, see `dicomlab.privacy.shown`.

    References
    ----------
    PS3.3 C.10.7.1.1 "Encoding of CIELab Values", 8.8 "Standard Attribute Sets for Code Sequence".
    """
    types = segment.items("SegmentedPropertyTypeCodeSequence")
    category, type_ = (
        _code(segment, "SegmentedPropertyCategoryCodeSequence"),
        _code(segment, "SegmentedPropertyTypeCodeSequence"),
    )
    side = _code(Attributes.of(*types[:1], *segment.levels), "SegmentedPropertyTypeModifierCodeSequence")
    is_coded = category is not None and type_ is not None
    return Label(
        number,
        shown(segment.text("SegmentLabel"), who) or f"segment {number}",
        _colour(segment),
        category if is_coded else None,
        type_ if is_coded else None,
        side,
    )


def _code(level: Attributes, sequence: str) -> Code | None:
    items = level.items(sequence)
    if not items:
        return None
    item = Attributes.of(items[0])
    value = item.text("CodeValue") or item.text("LongCodeValue") or item.text("URNCodeValue")
    try:
        return Code(value, item.text("CodingSchemeDesignator"), item.text("CodeMeaning"))
    except DicomLabError:  # empty, or longer than it may be
        return None


def _colour(segment: Attributes) -> str | None:
    numbers = segment.numbers("RecommendedDisplayCIELabValue")
    if numbers is None or numbers.size != 3 or np.any((numbers < 0) | (numbers > 0xFFFF)):
        return None
    lab = _colours().from_dicom_value(tuple(int(x) for x in numbers))
    return "#" + "".join(f"{x:02x}" for x in lab.to_rgb(clip=True))


def _colours() -> Any:
    return optional("highdicom.color", purpose="Colours of segments", extra="seg").CIELabColor


def describe(label: Label, number: int) -> SegmentDescription:
    """The segment with this number that says what a label is; drawn by hand, until somebody says otherwise.

    Raises
    ------
    DicomLabError
        The name does not fit into a Segment Label.
    """
    package = optional("highdicom", purpose="Writing segmentations", extra="seg")
    if len(label.name) > _LONGEST or "\\" in label.name or not label.name.isprintable():
        raise DicomLabError(
            f"a Segment Label (0062,0005) has at most {_LONGEST} printable characters and no backslash; found {label.name!r}. "
            "with_labels gives another name."
        )
    assert label.category is not None
    assert label.type is not None
    made: SegmentDescription = package.seg.SegmentDescription(
        segment_number=number,
        segment_label=label.name,
        segmented_property_category=_concept(package, label.category),
        segmented_property_type=_concept(package, label.type),
        algorithm_type="MANUAL",
        display_color=_colours().from_rgb(*label.rgb),
    )
    if label.side is not None:
        made.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            _concept(package, label.side)
        ]
    return made


def _concept(package: Any, code: Code) -> Any:
    return package.sr.CodedConcept(code.value, code.scheme, code.meaning)
