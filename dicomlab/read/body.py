"""What uptake is divided by: body weight, lean body mass, body surface, ideal weight, each by the formula that DICOM names."""

from __future__ import annotations

import math
from collections.abc import Sequence

from dicomlab.read.elements import Attributes

__all__ = ["KINDS", "BodyUnknownError", "normaliser"]

KINDS = ("bw", "lbm", "lbmjames128", "lbmjanma", "bsa", "ibw")
"""Kinds of SUV: the defined terms of SUV Type (0054,1006) in small letters."""


class BodyUnknownError(Exception):
    """A body measure cannot be had; the message names the attribute."""


def normaliser(kind: str, images: Sequence[Attributes], notes: list[str]) -> float:
    """The patient's body as `kind` of SUV counts it: g, for ``"bsa"`` cm2.

    Parameters
    ----------
    kind
        ``"bw"`` weight; ``"lbm"`` lean mass after James as DICOM has it (DCM 126411: 1.10 W - 120 (W/H)^2 for men, 1.07 W -
        148 (W/H)^2 for women); ``"lbmjames128"`` the same with 128 for men, as James had it; ``"lbmjanma"`` lean mass
        after Janmahasatian, 9270 W / (6680 + 216 BMI) or (8780 + 244 BMI); ``"bsa"`` surface after DuBois,
        0.007184 W^0.425 H^0.725 m2; ``"ibw"`` ideal weight, 48.0 + 1.06 (H - 152) or 45.5 + 0.91 (H - 152). W in kg, H in cm.
    notes
        Takes what had to be assumed.

    Raises
    ------
    BodyUnknownError
        Weight, size or sex is missing or implausible.
    """
    if kind == "ibw":
        return 1000 * _by_sex(images, notes, *_ideal(_height(images)))
    weight = _one_number(images, "PatientWeight", "(0010,1030) Patient's Weight", 500.0, "kg")
    if kind == "bw":
        return 1000 * weight
    height = _height(images)
    if kind == "bsa":
        return 1e4 * 0.007184 * math.pow(weight, 0.425) * math.pow(height, 0.725)
    if kind == "lbmjanma":
        index = weight / (height / 100) ** 2
        male, female = 9270 * weight / (6680 + 216 * index), 9270 * weight / (8780 + 244 * index)
    else:
        ratio = (weight / height) ** 2
        male = 1.10 * weight - (128 if kind == "lbmjames128" else 120) * ratio
        female = 1.07 * weight - 148 * ratio
    return 1000 * _by_sex(images, notes, male, female)


def _ideal(height: float) -> tuple[float, float]:
    return 48.0 + 1.06 * (height - 152), 45.5 + 0.91 * (height - 152)


def _height(images: Sequence[Attributes]) -> float:
    """Height in cm; the standard has m."""
    return 100 * _one_number(images, "PatientSize", "(0010,1020) Patient's Size", 2.8, "m")


def _one_number(images: Sequence[Attributes], keyword: str, name: str, most: float, unit: str) -> float:
    found = {image.number(keyword) for image in images}
    if len(found) > 1:
        raise BodyUnknownError(f"{name} differs between the images")
    number = found.pop()
    if number is None:
        raise BodyUnknownError(f"{name} is missing")
    if number <= 0:
        raise BodyUnknownError(f"{name} is {number:g}")
    if number > most:
        raise BodyUnknownError(f"{name} is above {most:g} {unit}: perhaps it is in another unit")
    return number


def _by_sex(images: Sequence[Attributes], notes: list[str], male: float, female: float) -> float:
    name = "(0010,0040) Patient's Sex"
    sexes = {image.text("PatientSex").upper() for image in images}
    sex = sexes.pop() if len(sexes) == 1 else ""
    if sex not in ("M", "F", "O"):
        raise BodyUnknownError(f"{name} is missing, or not M, F or O")
    if min(male, female) <= 0:
        raise BodyUnknownError("the formula gives no mass for this weight and size")
    if sex == "O":
        note = (
            f"{name} is O (other): lean mass and ideal weight are the mean of the formulas for men and women"
        )
        if note not in notes:
            notes.append(note)
    return {"M": male, "F": female, "O": (male + female) / 2}[sex]
