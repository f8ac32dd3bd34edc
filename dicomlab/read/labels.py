"""What else tells images at one position apart: component, chemical shift, spin label, energy, moment, cardiac phase.

Each function looks at one image or frame. Standard attributes decide where they are, in the functional groups of the enhanced
objects (PS3.3 C.7.6.16) or at the top level; then come makers' elements, and the values of Image Type that they use.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from pydicom.tag import Tag

from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes
from dicomlab.read.private import (
    GE_COMPONENT,
    PHILIPS_COMPONENT,
    PHILIPS_FRAME,
    PHILIPS_LABEL,
    SIEMENS_FRAME,
    SIEMENS_IMAGE_TYPE_TEXT,
)

__all__ = [
    "KEYWORDS",
    "acquired",
    "all_acquired",
    "asl",
    "component",
    "dimension_index",
    "dixon",
    "energy",
    "image_type",
    "inside",
    "nominal_trigger",
    "temporal_offset",
    "temporal_position",
    "tube_voltage",
    "velocity_direction",
]

FloatArray = npt.NDArray[np.float64]

KEYWORDS = (
    "ImageType",
    "FrameType",
    "ComplexImageComponent",
    "Modality",
    "MRArterialSpinLabelingSequence",
    "MultienergyCTProcessingSequence",
    "MonoenergeticEnergyEquivalent",
    "KVP",
    "NominalCardiacTriggerDelayTime",
    "TriggerTime",
    "TemporalPositionIndex",
    "TemporalPositionIdentifier",
    "TemporalPositionSequence",
    "TemporalPositionTimeOffset",
    "FrameAcquisitionDateTime",
    "AcquisitionDateTime",
    "AcquisitionDate",
    "AcquisitionTime",
    "SeriesTime",
    "DimensionIndexSequence",
    "VelocityEncodingDirection",
)
"""Attributes of the top level that are looked at here; those in functional groups come with their groups."""

_COMPONENTS = {
    "M": "magnitude",
    "MAGNITUDE": "magnitude",
    "P": "phase",
    "PHASE": "phase",
    "R": "real",
    "REAL": "real",
    "I": "imaginary",
    "IMAGINARY": "imaginary",
}
_DIXON = {
    "W": "water",
    "WATER": "water",
    "F": "fat",
    "FAT": "fat",
    "IP": "in_phase",
    "IN": "in_phase",
    "IN_PHASE": "in_phase",
    "INPHASE": "in_phase",
    "OP": "opposed_phase",
    "OPP": "opposed_phase",
    "OUT": "opposed_phase",
    "OP_PHASE": "opposed_phase",
    "OPP_PHASE": "opposed_phase",
    "OPPOSED_PHASE": "opposed_phase",
    "OUT_PHASE": "opposed_phase",
    "OUTPHASE": "opposed_phase",
    "OUT_OF_PHASE": "opposed_phase",
    "FF": "fat_fraction",
    "FAT_FRACTION": "fat_fraction",
    "FATFRAC": "fat_fraction",
    "FAT_FRAC": "fat_fraction",
    "WATER_FRACTION": "water_fraction",
}
_ASL = {"LABEL": "label", "CONTROL": "control", "M_ZERO_SCAN": "m0"}
_MOMENT = re.compile(
    r"(?:(\d{4})[-.:]?(\d\d)[-.:]?(\d\d))?(?:(\d\d):?(\d\d)?:?(\d\d)?(?:\.(\d{1,6})\d*)?)?([-+]\d{4})?$"
)
_EPOCH = date(1970, 1, 1)
_DAY = 86400.0
_PLACES = {
    Tag(keyword)
    for keyword in (
        "StackID",
        "InStackPositionNumber",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "PlanePositionSequence",
        "PlaneOrientationSequence",
    )
}
"""Dimension Index Pointers (0020,9165) that say where a frame lies, which its position says better."""


def inside(attributes: Attributes, *sequences: str) -> Attributes:
    """`attributes` with the first items of these sequences in front: a functional group is looked at wherever it is."""
    items = [attributes.items(keyword) for keyword in sequences]
    return Attributes.of(*(found[0] for found in items if found), *attributes.levels)


def image_type(attributes: Attributes) -> list[str]:
    """Values after the second of Frame Type, of Siemens' image type text and of Image Type, in upper case."""
    near = inside(attributes, "MRImageFrameTypeSequence", "CTImageFrameTypeSequence")
    frame, image = (near.texts(keyword)[2:] for keyword in ("FrameType", "ImageType"))
    maker = SIEMENS_IMAGE_TYPE_TEXT.text(_frame(attributes)).split("\\")[2:]
    return [value.strip().upper() for value in (*frame, *maker, *image)]


def component(attributes: Attributes) -> str:
    """``"magnitude"``, ``"phase"``, ``"real"`` or ``"imaginary"``; ``""`` when not known, or mixed.

    References
    ----------
    PS3.3 C.8.13.3.1.1 "Complex Image Component".
    """
    if attributes.text("Modality") not in ("MR", ""):
        return ""
    near = inside(attributes, "MRImageFrameTypeSequence")
    for level in near.levels:  # "MIXED" on one level leaves it to the next
        found = _COMPONENTS.get(Attributes.of(level).text("ComplexImageComponent"))
        if found:
            return found
    found = _COMPONENTS.get(PHILIPS_COMPONENT.text(_frame(attributes)))
    if found:
        return found
    code = GE_COMPONENT.number(attributes)
    if code in (0, 1, 2, 3):
        return ("magnitude", "phase", "real", "imaginary")[int(code)]
    return next((_COMPONENTS[value] for value in image_type(attributes) if value in _COMPONENTS), "")


def dixon(attributes: Attributes) -> str:
    """``"water"``, ``"fat"``, ``"in_phase"``, ``"opposed_phase"``, ``"fat_fraction"``, ``"water_fraction"``, or ``""``.

    No attribute of the standard tells in classic images: makers use values of Image Type.
    """
    if attributes.text("Modality") not in ("MR", ""):
        return ""
    return next((_DIXON[value] for value in image_type(attributes) if value in _DIXON), "")


def asl(attributes: Attributes) -> str:
    """``"label"``, ``"control"`` or ``"m0"`` of arterial spin labelling; ``""`` when not known.

    References
    ----------
    PS3.3 C.8.13.5.14 "MR Arterial Spin Labeling Macro".
    """
    context = inside(attributes, "MRArterialSpinLabelingSequence").text("ASLContext")
    return _ASL.get(context) or _ASL.get(PHILIPS_LABEL.text(_frame(attributes)).upper(), "")


def energy(attributes: Attributes) -> float | None:
    """Photon energy in keV of a virtual monoenergetic CT image: Monoenergetic Energy Equivalent (0018,937C); or None."""
    near = inside(attributes, "MultienergyCTProcessingSequence")
    return _positive(near.number("MonoenergeticEnergyEquivalent"))


def tube_voltage(attributes: Attributes) -> float | None:
    """Peak kilovoltage of the X-ray tube, KVP (0018,0060); None when not given."""
    return _positive(inside(attributes, "CTXRayDetailsSequence").number("KVP"))


def velocity_direction(attributes: Attributes) -> FloatArray | None:
    """Velocity Encoding Direction (0018,9090): unit vector in LPS, shape ``(3,)``; None when not given."""
    vector = inside(attributes, "MRVelocityEncodingSequence").numbers("VelocityEncodingDirection")
    if vector is None or vector.size != 3 or not 0 < float(np.linalg.norm(vector)) < 1e6:
        return None
    return np.asarray(vector / np.linalg.norm(vector))


def nominal_trigger(attributes: Attributes) -> float | None:
    """Seconds after the trigger: Nominal Cardiac Trigger Delay Time (0020,9153), else Trigger Time (0018,1060); or None."""
    near = inside(attributes, "CardiacSynchronizationSequence")
    delay = near.number("NominalCardiacTriggerDelayTime")
    if delay is None:
        delay = near.number("TriggerTime")
    return None if delay is None else delay / 1000


def temporal_position(attributes: Attributes) -> float | None:
    """Number of the moment in a series of moments: Temporal Position Index (0020,9128), else Identifier (0020,0100)."""
    index = inside(attributes, "FrameContentSequence").number("TemporalPositionIndex")
    return attributes.number("TemporalPositionIdentifier") if index is None else index


def temporal_offset(attributes: Attributes) -> float | None:
    """Temporal Position Time Offset (0020,930D) in seconds; None when not given."""
    return inside(attributes, "TemporalPositionSequence").number("TemporalPositionTimeOffset")


def dimension_index(attributes: Attributes) -> tuple[int, ...] | None:
    """Dimension Index Values (0020,9157) of a frame, without those that say where it lies; None when there are none.

    References
    ----------
    PS3.3 C.7.6.17 "Multi-frame Dimension Module".
    """
    pointers = [
        Attributes.of(item).value("DimensionIndexPointer")
        for item in attributes.items("DimensionIndexSequence")
    ]
    values = inside(attributes, "FrameContentSequence").numbers("DimensionIndexValues")
    if values is None or values.size != len(pointers):
        return None
    kept = [int(value) for pointer, value in zip(pointers, values, strict=True) if pointer not in _PLACES]
    return tuple(kept) or None


def acquired(attributes: Attributes) -> float | None:
    """When acquisition began, in seconds since 1970-01-01, or since midnight where no date is given; None when not known.

    Frame Acquisition DateTime (0018,9074), else Acquisition DateTime (0008,002A), else Acquisition Date and Time (0008,0022),
    (0008,0032). Local time, unless the value states its offset from UTC (PS3.5 6.2 "DT"). A time without a date that is more
    than half a day before Series Time (0008,0031) is of the day after.
    """
    texts = (attributes.text(keyword) for keyword in ("AcquisitionTime", "AcquisitionDate", "SeriesTime"))
    return _when(_dated(attributes), *texts)


def all_acquired(headers: Headers) -> list[float | None]:
    """`acquired` of every image."""
    texts = (headers.texts(keyword) for keyword in ("AcquisitionTime", "AcquisitionDate", "SeriesTime"))
    return list(map(_when, headers.each(_dated), *texts))


def _dated(attributes: Attributes) -> float | None:
    near = inside(attributes, "FrameContentSequence")
    for keyword in ("FrameAcquisitionDateTime", "AcquisitionDateTime"):
        seconds = _seconds(near.text(keyword), with_date=True)
        if seconds is not None:
            return seconds
    return None


@lru_cache(1 << 15)
def _when(dated: float | None, time: str, day: str, series_time: str) -> float | None:
    if dated is not None or not time:
        return dated
    seconds = _seconds(day + time, with_date=True) if day else None
    if seconds is not None:
        return seconds
    seconds, began = _seconds(time, with_date=False), _seconds(series_time, with_date=False)
    if seconds is not None and began is not None and began - seconds > _DAY / 2:
        seconds += _DAY
    return seconds


def _frame(attributes: Attributes) -> Attributes:
    """With what Siemens' and Philips' enhanced objects say of each frame in sequences of their own in front."""
    items = [*SIEMENS_FRAME.items(attributes)[:1], *PHILIPS_FRAME.items(attributes)[:1]]
    return Attributes.of(*items, *attributes.levels)


def _positive(number: float | None) -> float | None:
    return number if number is not None and number > 0 else None


def _seconds(text: str, *, with_date: bool) -> float | None:
    """A DT, or a TM, as seconds."""
    found = _MOMENT.match(text if with_date else f"19700101{text}")
    if not found or not found[4] or (with_date and not found[1]):
        return None
    day = _day(found[1], found[2], found[3])
    hour, minute, second = int(found[4]), int(found[5] or 0), int(found[6] or 0)
    if day is None or hour > 23 or minute > 59:
        return None
    # 60 is a leap second.
    seconds = day * 86400 + hour * 3600 + minute * 60 + min(second, 59)
    if found[8]:
        seconds -= int(found[8][:3]) * 3600 + int(found[8][0] + found[8][3:]) * 60
    return float(seconds) + (second == 60) + int((found[7] or "0").ljust(6, "0")) / 1e6


@lru_cache(64)
def _day(year: str, month: str, day: str) -> int | None:
    """Days since 1970-01-01; None for a day that is not in the calendar."""
    try:
        return (date(int(year or 0), int(month or 0), int(day or 0)) - _EPOCH).days
    except ValueError:
        return None
