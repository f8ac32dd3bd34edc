"""SUV: what a value of a PET is multiplied by to become a standardized uptake value, or why nobody can know.

The rules are QIBA's vendor-neutral ones, with the standard's words where these end: PS3.3 C.8.9.1 "PET Series Module", C.8.9.2
"PET Isotope Module", C.8.9.4 "PET Image Module", C.8.22 "Enhanced PET". Nothing is guessed without a word: every
assumption is kept as a sentence, every refusal names its attribute. No sentence holds a date, a weight or a dose.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.read.body import KINDS, BodyUnknownError, normaliser
from dicomlab.read.decay import check_attenuation, per_dose
from dicomlab.read.elements import Attributes
from dicomlab.read.told import Told, named, positive

__all__ = ["SuvFactors", "suv_attrs", "suv_factors"]

FloatArray = npt.NDArray[np.float64]

_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml", "CM2ML": "cm2/ml"}
_PHILIPS = (0x7053, "Philips PET Private Group")


@dataclass(frozen=True)
class SuvFactors:
    """Factors of the images of one volume.

    Parameters
    ----------
    factors
        Kind of SUV (`dicomlab.read.body.KINDS`) to factors, shape ``(images,)``: value x factor = SUV, in g/ml, for
        ``"bsa"`` in cm2/ml.
    missing
        Kind to the reason why it has no factor.
    assumed
        Kind to what was assumed because the headers are wrong or incomplete; only those of `factors`.
    """

    factors: Mapping[str, FloatArray]
    missing: Mapping[str, str]
    assumed: Mapping[str, tuple[str, ...]]


def suv_factors(images: Sequence[Attributes], units: str | None = None) -> SuvFactors:
    """Factors from the values of a PET volume to SUV, from its headers alone.

    Parameters
    ----------
    images
        The images of **all** slices of the volume, in any order: instances, or frames with their functional groups.
    units
        What the values are (``"Bq/ml"``, ``"counts"``, ``"g/ml"``, ``"cm2/ml"``); None takes Units (0054,1001).

    References
    ----------
    PS3.3 C.8.9.1 (Units, SUV Type, Decay Correction), C.8.9.4 (Frame Reference Time, Decay Factor); QIBA, "Vendor-neutral
    pseudo-code for SUV calculation", 2018.
    """
    told = Told(images)
    scale, source = _base(told, units)
    factors: dict[str, FloatArray] = {}
    missing: dict[str, str] = {}
    assumed: dict[str, tuple[str, ...]] = {}
    for kind in KINDS:
        reasons, notes = list(dict.fromkeys(told.problems)), list(told.notes)
        per = 1.0
        try:
            if kind != source:
                per = normaliser(kind, images, notes) / (normaliser(source, images, notes) if source else 1.0)
        except BodyUnknownError as problem:
            reasons.append(str(problem))
        if reasons or scale is None:
            missing[kind] = "; ".join(reasons)
            continue
        factors[kind] = scale * per
        if notes:
            assumed[kind] = tuple(dict.fromkeys(notes))
    return SuvFactors(factors, missing, assumed)


def suv_attrs(images: Sequence[Any], units: str | None = None) -> dict[str, Any]:
    """`suv_factors` as attributes of a volume, of types that netCDF can hold; no weight, dose or date among them.

    ``suv_<kind>_factor`` is a float. Where the factor differs between slices, ``suv_slice_mm`` (positions along the slice
    axis) and ``suv_slice_correction`` (multiplies the factor there) hold a number a slice. ``suv_missing`` and
    ``suv_assumed`` hold a line ``kinds: sentence`` for each reason and each assumption.
    """
    found = suv_factors(images, units)
    missing = dict(found.missing)
    attrs: dict[str, Any] = {}
    for kind, factors in found.factors.items():
        if np.ptp(factors) <= 1e-6 * factors[0]:
            attrs[f"suv_{kind}_factor"] = float(factors[0])
            continue
        by_slice = _by_slice(images, factors / factors[0])
        if by_slice is None:
            missing[kind] = (
                f"the images need factors from {factors.min() / factors[0]:.3f} to "
                f"{factors.max() / factors[0]:.3f} times that of the first, and several at one position different ones"
            )
            continue
        attrs[f"suv_{kind}_factor"] = float(factors[0])
        attrs["suv_slice_mm"], attrs["suv_slice_correction"] = by_slice
    if missing:
        attrs["suv_missing"] = _lines(missing.items())
    if found.assumed:
        attrs["suv_assumed"] = _lines((kind, note) for kind, notes in found.assumed.items() for note in notes)
    return attrs


def _lines(said: Iterable[tuple[str, str]]) -> str:
    """``kinds: sentence``, a line for each sentence."""
    kinds: dict[str, list[str]] = {}
    for kind, sentence in said:
        kinds.setdefault(sentence, []).append(kind)
    return "\n".join(f"{', '.join(of)}: {sentence}" for sentence, of in kinds.items())


def _by_slice(images: Sequence[Any], corrections: FloatArray) -> tuple[list[float], list[float]] | None:
    """Positions along the slice axis and their corrections; None where one position has several."""
    found: dict[float, float] = {}
    first = images[0].cosines
    for image, correction in zip(images, corrections, strict=True):
        if first is None or image.position is None:
            return None
        along = round(float(np.cross(first[:3], first[3:]) @ image.position), 3)
        if not math.isclose(found.setdefault(along, float(correction)), correction, rel_tol=1e-6):
            return None
    return list(found), list(found.values())


def _base(told: Told, units: str | None) -> tuple[FloatArray | None, str | None]:
    """Factors without the patient's body: value x scale is either SUV of the kind named, or per gram (cm2) of body."""
    stated = told.text("Units")
    unit = _UNITS.get(stated.upper(), stated) if units is None else units
    ones = np.ones(len(told.images))
    annotated = re.search(r"\{SUV(\w+)(?:\((\w+)\))?\}", unit)  # UCUM, CID 85 "SUV Units"
    if annotated is not None:
        kind = annotated.group(1).lower() + (annotated.group(2) or "").lower()
        scale, source = (ones if kind in KINDS else None), kind
        if scale is None:
            told.problems.append(
                f"the unit {unit[:40]!r} is no kind of SUV that is known ({', '.join(KINDS)})"
            )
    elif unit in ("g/ml", "cm2/ml"):
        scale, source = ones, _stated_kind(told, unit)
    elif unit in ("Bq/ml", "kBq/ml"):
        return per_dose(told, ones * (1000.0 if unit == "kBq/ml" else 1.0)), None
    elif unit == "counts":
        factors, source = _philips(told)
        if factors is None or source is None:
            return (None if factors is None else per_dose(told, factors)), None
        scale = factors
    else:
        says = f"is {stated[:16]!r}" if stated else "is missing"
        told.problems.append(
            f"{named('Units')} {says}; SUV is known from BQML, GML, CM2ML, and from CNTS of Philips"
        )
        if stated and not unit:
            told.problems[-1] = (
                f"the values have no unit, though {named('Units')} {says}: no rescale leads to it"
            )
        return None, None
    check_attenuation(told, required=False)
    return (None if told.problems else scale), source


def _stated_kind(told: Told, unit: str) -> str | None:
    kind = told.text("SUVType").lower() or ("bw" if unit == "g/ml" else "bsa")
    if kind not in KINDS or (kind == "bsa") != (unit == "cm2/ml"):
        told.problems.append(f"{named('SUVType')} is {kind[:16].upper()!r}, which values in {unit} are not")
        return None
    return kind


def _philips(told: Told) -> tuple[FloatArray | None, str | None]:
    """Factors from counts to SUV (kind named) or to Bq/ml, that Philips writes into private attributes."""
    for element, kind in ((0x00, "bw"), (0x09, None)):
        numbers = [positive(text) for text in told.private(*_PHILIPS, element)]
        if all(number is not None for number in numbers):
            return np.array(numbers, np.float64), kind
    told.problems.append(
        f"{named('Units')} is CNTS, and neither (7053,xx00) SUV Scale Factor nor (7053,xx09) Activity Concentration "
        "Scale Factor of Philips is there"
    )
    return None, None
