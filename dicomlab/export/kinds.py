"""Which SOP Class a series is written in, and what its modules demand beyond the picture: `Kind`.

CT, MR and PET Image Storage demand to be told how the images were made. A CT can be told honestly by anybody, since what it
demands may be empty; what an MR (which sequence) and a PET (which counts, which decay correction, which moment) demand comes
from the source or not at all. Where it does not, the images are Secondary Captures, which claim nothing but to be pictures; the
attributes of Image Plane come along in them as in any Standard Extended SOP Class (PS3.2 3.11.2).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    CTImageStorage,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    SecondaryCaptureImageStorage,
)

from dicomlab.export.origin import Origin
from dicomlab.read.planes import Plane

__all__ = ["CAPTURE", "KEYWORDS", "PET", "Kind", "choose_kind", "rescale_type", "say_pet"]


@dataclass(frozen=True)
class Kind:
    """A SOP Class and what images of it take from the source.

    Parameters
    ----------
    name
        For messages.
    needed
        Attributes without which no image of the class is valid (types 1 and 1C).
    empty
        Attributes that may be empty but not absent (type 2).
    optional
        Attributes that keep their meaning in a derived image.
    image_type
        Image Type (0008,0008).
    """

    name: str
    uid: UID
    needed: tuple[str, ...] = ()
    empty: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    image_type: tuple[str, ...] = ("DERIVED", "SECONDARY")

    def take(self, image: Dataset, origin: Origin | None, planes: Sequence[Plane]) -> None:
        """Give an image what its source images agree on."""
        for keyword in (*_ANY, *self.needed, *self.empty, *self.optional):
            element = None if origin is None else origin.agreed(keyword, planes)
            if element is not None:
                image.add(element)
            elif keyword in self.empty:
                setattr(image, keyword, [] if keyword.endswith("Sequence") else None)
        if not any(keyword in image for keyword in _SIDES):
            image.Laterality = None  # 2C: nobody knows whether it is one of a pair
        for keyword, by, terms in _DEMANDED if self is MR else ():
            wanted = bool(terms & {*_terms(image, by)})
            if wanted and keyword not in image:
                setattr(image, keyword, None)
            elif not wanted:
                image.pop(keyword, None)


_SIDES = ("BodyPartExamined", "AnatomicRegionSequence", "Laterality", "ImageLaterality")
_ANY = (
    *_SIDES,
    "PatientPosition",
    "AcquisitionDate",
    "AcquisitionTime",
    "AcquisitionNumber",
    "ContrastBolusAgent",
    "ContrastBolusRoute",
    "BurnedInAnnotation",
    "LossyImageCompression",
    "LossyImageCompressionRatio",
    "LossyImageCompressionMethod",
)

CT = Kind(
    "CT Image Storage",
    CTImageStorage,
    empty=("KVP", "AcquisitionNumber", "PatientPosition"),
    optional=("ConvolutionKernel", "FilterType", "XRayTubeCurrent", "ExposureTime"),
    image_type=("DERIVED", "SECONDARY", "AXIAL"),
)
MR = Kind(
    "MR Image Storage",
    MRImageStorage,
    needed=("ScanningSequence", "SequenceVariant"),
    empty=(
        "ScanOptions",
        "MRAcquisitionType",
        "RepetitionTime",
        "EchoTime",
        "EchoTrainLength",
        "PatientPosition",
    ),
    optional=(
        "InversionTime",
        "TriggerTime",
        "SequenceName",
        "FlipAngle",
        "MagneticFieldStrength",
        "ImagingFrequency",
        "ImagedNucleus",
        "NumberOfAverages",
    ),
    image_type=("DERIVED", "SECONDARY", "OTHER"),
)
PET = Kind(
    "Positron Emission Tomography Image Storage",
    PositronEmissionTomographyImageStorage,
    needed=(
        "SeriesDate",
        "SeriesTime",
        "SeriesType",
        "CountsSource",
        "DecayCorrection",
        "FrameReferenceTime",
        "ActualFrameDuration",
    ),
    empty=(
        "AcquisitionDate",
        "AcquisitionTime",
        "CorrectedImage",
        "CollimatorType",
        "RadiopharmaceuticalInformationSequence",
        "PatientOrientationCodeSequence",
        "PatientGantryRelationshipCodeSequence",
    ),
    optional=(
        "AttenuationCorrectionMethod",
        "DecayCorrectionDateTime",
        "DecayFactor",
        "RandomsCorrectionMethod",
        "ReconstructionMethod",
        "ScatterCorrectionMethod",
    ),
    image_type=("DERIVED", "PRIMARY"),
)
CAPTURE = Kind(
    "Secondary Capture Image Storage",
    SecondaryCaptureImageStorage,
    empty=("PatientOrientation",),  # positions say it, and better
    optional=("EchoTime", "InversionTime", "FlipAngle", "KVP"),
)
KINDS = (CT, MR, PET, CAPTURE)

_DEMANDED = (
    ("InversionTime", "ScanningSequence", {"IR"}),
    ("TriggerTime", "ScanOptions", {"CG", "PPG"}),
)
"""Attributes of MR that may be empty but not absent where another one has one of these terms, and must be absent elsewhere."""


def _terms(image: Dataset, keyword: str) -> list[str]:
    value = image.get(keyword)
    return [] if not value else [value] if isinstance(value, str) else list(value)


KEYWORDS = tuple(
    dict.fromkeys(
        (
            *_ANY,
            *(keyword for kind in KINDS for keyword in (*kind.needed, *kind.empty, *kind.optional)),
            "SliceThickness",
        )
    )
)
"""All attributes that an image may take from its source images."""

_BY_MODALITY = {"CT": CT, "MR": MR, "PT": PET}
_SERIES_TYPES = ("STATIC", "WHOLE BODY", "DYNAMIC")
"""Values 1 of Series Type (0054,1000) that demand nothing more of each image; gated ones do."""


def choose_kind(
    modality: str, units: str, origin: Origin | None, images: Iterable[Sequence[Plane]]
) -> tuple[Kind, str]:
    """The SOP Class for images of this modality, and why it is not the modality's own (``""`` where it is).

    Parameters
    ----------
    units
        Of the values.
    images
        The source images of each image to be written.
    """
    wanted = _BY_MODALITY.get(modality)
    if wanted is None:
        return CAPTURE, ""
    if wanted is PET and _pet_units(units) is None:
        return CAPTURE, f"no term of Units (0054,1001) means {units!r}"
    if not wanted.needed:
        return wanted, ""
    if origin is None:
        return CAPTURE, "no source is given, which alone could tell " + ", ".join(wanted.needed)
    needed = [*wanted.needed]
    if wanted is PET:
        correction = origin.agreed("DecayCorrection", origin.stack.planes)
        needed += ["DecayFactor"] if correction is None or correction.value != "NONE" else []
        kind = origin.agreed("SeriesType", origin.stack.planes)
        if kind is not None and (kind.VM != 2 or kind.value[0] not in _SERIES_TYPES):
            return CAPTURE, f"Series Type (0054,1000) {kind.value} demands more than a derived image can tell"
    lacking = {
        keyword: None for planes in images for keyword in needed if origin.agreed(keyword, planes) is None
    }
    if lacking:
        return CAPTURE, f"its source images lack, or do not agree in, {', '.join(lacking)}"
    return wanted, ""


_TERMS = {
    "HU": "HU",
    "mOD": "OD",
    "%": "PCNT",
    "Bq/ml": "BQML",
    "counts": "CNTS",
    "g/ml": "GML",
    "1/s": "CPS",
    "cm2": "CM2",
    "cm2/ml": "CM2ML",
    "umol/ml": "UMOLML",
    "mg/min/ml": "MGMINML",
    "SD": "STDDEV",
    "Gy": "GY",
    "": "US",
}
"""Units as dicomlab names them, and the defined terms of Rescale Type (0028,1054) and Units (0054,1001)."""

_SUV = {
    "SUVbw": "BW",
    "SUVlbm": "LBM",
    "SUVlbmjames128": "LBMJAMES128",
    "SUVlbmjanma": "LBMJANMA",
    "SUVibw": "IBW",
}
_NO_RESCALE_TYPE = ("HU", "OD", "GY", "US")


def rescale_type(units: str) -> str:
    """Rescale Type (0028,1054) of a unit: its term, or the unit itself, as the terms may be extended."""
    return _TERMS.get(units, units)


def _pet_units(units: str) -> tuple[str, str] | None:
    """Units (0054,1001) and SUV Type (0054,1006) of a PET; None where no term means this unit."""
    if units in _SUV:
        return "GML", _SUV[units]
    if units == "SUVbsa":
        return "CM2ML", "BSA"
    if units == "":
        return "NONE", ""
    term = _TERMS.get(units)
    return None if term is None or term in _NO_RESCALE_TYPE else (term, "")


def say_pet(image: Dataset, units: str, slices: int, steps: int, number: int) -> None:
    """What the PET modules say of values and numbers (PS3.3 C.8.9.1, C.8.9.4)."""
    term = _pet_units(units)
    assert term is not None  # choose_kind saw to it
    image.Units = term[0]
    if term[1]:
        image.SUVType = term[1]
    image.NumberOfSlices = slices
    if image.SeriesType[0] == "DYNAMIC":
        image.NumberOfTimeSlices = steps
    image.ImageIndex = number
