"""Half lives of the nuclides of PET, by the codes of PS3.16 CID 4020 "PET Radionuclide"."""

from __future__ import annotations

from dataclasses import dataclass

from dicomlab.read.elements import Attributes, Level

__all__ = ["Nuclide", "nuclide"]


@dataclass(frozen=True)
class Nuclide:
    """A nuclide and its half life in s (evaluated data, rounded to what SUV can feel)."""

    name: str
    half_life: float


# SNOMED CT code, the SNOMED-RT code of older files, name, half life.
_TABLE = (
    ("40565003", "C-105A1", "C-11", 1_221.8),
    ("21576001", "C-107A1", "N-13", 597.9),
    ("129504001", "C-B1038", "O-15", 122.2),
    ("77004003", "C-111A1", "F-18", 6_586.2),
    ("422934004", "C-127A5", "Cu-62", 580.2),
    ("3932008", "C-127A2", "Cu-64", 45_724.0),
    ("35337001", "C-131A3", "Ga-68", 4_062.6),
    ("79197006", "C-159A2", "Rb-82", 75.5),
    ("63360001", "C-168A4", "Zr-89", 282_276.0),
    ("14691008", "C-162A7", "Y-90", 230_580.0),
    ("40937006", "C-114A5", "I-124", 360_806.0),
)
_KNOWN = {code: Nuclide(name, half_life) for sct, srt, name, half_life in _TABLE for code in (sct, srt)}


def nuclide(code: Level) -> Nuclide | None:
    """The nuclide that an item of Radionuclide Code Sequence (0054,0300) names; None when it is not listed here."""
    return _KNOWN.get(Attributes.of(code).text("CodeValue"))
