"""From the data set of an RT Structure Set to `Structures`; what it says is never trusted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag, Tag

from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.extras.rtstruct.structures import Contour, Structure, Structures
from dicomlab.masks import Code
from dicomlab.privacy import Identity, cleaned, shown
from dicomlab.read.elements import Attributes
from dicomlab.read.identity import identity_in_header
from dicomlab.read.progress import Progress
from dicomlab.warn import quiet

__all__ = ["RTSTRUCT", "parse"]

FloatArray = npt.NDArray[np.float64]

RTSTRUCT = "1.2.840.10008.5.1.4.1.1.481.3"
"""RT Structure Set Storage (PS3.4 B.5)."""
_DATA, _TYPE, _COUNT = (Tag(k) for k in ("ContourData", "ContourGeometricType", "NumberOfContourPoints"))
_FARTHEST = 1e7
_MANY = 8
"""So many problems of a structure are told one by one."""


def parse(top: Dataset, progress: bool = True) -> Structures:
    """All structures of a structure set.

    Raises
    ------
    NotDicomError
        The data set is none.
    """
    about = Attributes.of(top)
    if about.text("SOPClassUID") != RTSTRUCT and about.text("Modality") != "RTSTRUCT":
        raise NotDicomError(f"no RT Structure Set; found {about.text('Modality') or 'no modality'}")
    problems: list[str] = []
    with quiet():
        rois, contoured, observed = (
            _by_number(about.items(sequence), number, sequence, problems)
            for sequence, number in (
                ("StructureSetROISequence", "ROINumber"),
                ("ROIContourSequence", "ReferencedROINumber"),
                ("RTROIObservationsSequence", "ReferencedROINumber"),
            )
        )
        if not rois:
            problems.append(
                "the Structure Set ROI Sequence (3006,0020) is missing or empty: nothing says what structures there are"
            )
        if unnamed := sorted(set(contoured) - set(rois)):
            problems.append(f"contours belong to the ROI number(s) {_few(unnamed)}, which nothing describes")
        frame, who = _frame(about), identity_in_header(top)
        every = {
            number: [Attributes.of(one) for one in _contours(contoured.get(number))]
            for number in {**rois, **contoured}
        }
        found = []
        with Progress(sum(map(len, every.values())), "reading contours", progress, "contour") as bar:
            for number, contours in every.items():
                found.append(_structure(number, rois, contoured, observed, contours, frame, who, bar))
    return Structures(
        tuple(found),
        shown(about.text("StructureSetLabel"), who),
        cleaned(about.text("SeriesDescription"), who),
        tuple(_referenced(about)),
        tuple(problems),
    )


def _by_number(
    items: Iterable[Any], keyword: str, sequence: str, problems: list[str]
) -> dict[int, Attributes]:
    found: dict[int, Attributes] = {}
    for item in items:
        one = Attributes.of(item)
        number = one.number(keyword)
        if number is None or number != int(number):
            problems.append(f"an item of {sequence} has no ROI number and is left out")
        elif int(number) in found:
            if keyword == "ReferencedROINumber" and sequence == "RTROIObservationsSequence":
                continue  # further observations of one structure: the first counts
            problems.append(f"{sequence} has several items of the ROI number {int(number)}; the first counts")
        else:
            found[int(number)] = one
    return found


def _contours(item: Attributes | None) -> list[Any]:
    return item.items("ContourSequence") if item is not None else []


def _frame(about: Attributes) -> str:
    """The one frame of reference of the whole set."""
    uids = {
        Attributes.of(one).text("FrameOfReferenceUID")
        for one in about.items("ReferencedFrameOfReferenceSequence")
    }
    uids.discard("")
    return uids.pop() if len(uids) == 1 else about.text("FrameOfReferenceUID") if not uids else ""


def _referenced(about: Attributes) -> Iterable[str]:
    for frame in about.items("ReferencedFrameOfReferenceSequence"):
        for study in Attributes.of(frame).items("RTReferencedStudySequence"):
            for series in Attributes.of(study).items("RTReferencedSeriesSequence"):
                if uid := Attributes.of(series).text("SeriesInstanceUID"):
                    yield uid


def _structure(
    number: int,
    rois: dict[int, Attributes],
    contoured: dict[int, Attributes],
    observed: dict[int, Attributes],
    items: list[Attributes],
    frame: str,
    who: Identity | None,
    bar: Progress,
) -> Structure:
    none = Attributes.of(Dataset())
    roi, drawn, said = rois.get(number, none), contoured.get(number, none), observed.get(number, none)
    contours, problems = [], []
    planes = drawn.items("SourcePixelPlanesCharacteristicsSequence")
    spacing = Attributes.of(planes[0]).number("SpacingBetweenSlices") if planes else None
    for k, item in enumerate(items):
        contour, problem = _contour(item, spacing)
        if problem:
            problems.append(f"contour {k} {problem}")
        if contour is not None:
            contours.append(contour)
        bar.step()
    if len(problems) > _MANY:
        problems = [*problems[:_MANY], f"and {len(problems) - _MANY} more contours are damaged"]
    return Structure(
        number,
        shown(roi.text("ROIName") or said.text("ROIObservationLabel"), who) or f"ROI {number}",
        roi.text("ReferencedFrameOfReferenceUID") or frame,
        tuple(contours),
        _colour(drawn),
        said.text("RTROIInterpretedType").upper(),
        _code(said),
        tuple(problems),
    )


def _contour(item: Attributes, spacing: float | None) -> tuple[Contour | None, str]:
    kind = _text(item, _TYPE).upper()
    numbers = _numbers(item)
    if numbers is None:
        return None, "has Contour Data (3006,0050) that are no numbers"
    count = _text(item, _COUNT)
    stated = int(count) if count.isdigit() else None
    if numbers.size == 0 and stated == 0:
        return None, ""  # nothing, and it says so
    if numbers.size == 0 or numbers.size % 3:
        return None, f"has {numbers.size} numbers as Contour Data (3006,0050), not three for each point"
    if not (np.abs(numbers) < _FARTHEST).all():
        return (
            None,
            "has Contour Data (3006,0050) that are no places in a patient (NaN, infinite, or kilometres away)",
        )
    points = numbers.reshape(-1, 3)
    points.flags.writeable = False
    thickness = item.number("ContourSlabThickness") or spacing
    images = tuple(
        uid
        for one in item.items("ContourImageSequence")
        if (uid := Attributes.of(one).text("ReferencedSOPInstanceUID"))
    )
    thick = float(thickness) if thickness is not None and thickness > 0 else float("nan")
    problem = ""
    if stated is not None and stated != len(points):
        problem = f"has {len(points)} points, and says that it has {stated}"
    if not kind:
        problem = "has no Contour Geometric Type (3006,0042): nothing says whether it is closed"
    return Contour(points, kind, thick, images), problem


def _text(item: Attributes, tag: BaseTag) -> str:
    """As `Attributes.text`: straight from the bytes where they are not looked at yet, for there are thousands of contours."""
    level = item.levels[0]
    raw = level.get_item(tag) if isinstance(level, Dataset) and tag in level else None
    if isinstance(raw, RawDataElement) and raw.value is not None:
        return raw.value.decode("latin-1").strip(" \0")
    return item.text(tag) if raw is not None else ""


def _numbers(item: Attributes) -> FloatArray | None:
    """Contour Data as numbers: straight from the bytes, as millions of decimal strings take pydicom minutes."""
    level = item.levels[0]
    raw = level.get_item(_DATA) if isinstance(level, Dataset) and _DATA in level else None
    if raw is None:
        return np.empty(0)
    if isinstance(raw, RawDataElement):
        text = (raw.value or b"").strip(b" \0\r\n\t")
        if not text:
            return np.empty(0)
        try:
            found = np.fromstring(text, sep="\\")
        except (ValueError, TypeError):
            return None
        return found if found.size == text.count(b"\\") + 1 else None
    try:
        return np.atleast_1d(np.asarray(raw.value if raw.value is not None else [], dtype=np.float64))
    except (ValueError, TypeError):
        return None


def _colour(item: Attributes) -> str | None:
    rgb = item.numbers("ROIDisplayColor")
    if rgb is None or rgb.size != 3 or not ((rgb >= 0) & (rgb <= 255)).all():
        return None
    return "#" + "".join(f"{int(x):02x}" for x in rgb)


def _code(said: Attributes) -> Code | None:
    for item in said.items("RTROIIdentificationCodeSequence")[:1]:
        one = Attributes.of(item)
        try:
            return Code(one.text("CodeValue"), one.text("CodingSchemeDesignator"), one.text("CodeMeaning"))
        except DicomLabError:
            return None
    return None


def _few(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers[:5])) + (f" and {len(numbers) - 5} more" if len(numbers) > 5 else "")
