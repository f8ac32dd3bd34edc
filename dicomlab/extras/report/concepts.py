"""What is measured, as coded concepts: names of columns, units of values, and how numbers were derived."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from dicomlab import masks
from dicomlab.errors import DicomLabError

__all__ = ["COLUMNS", "Number", "coded", "length", "numbers", "of_values"]

_OURS = "99DICOMLAB"
"""Scheme of the concepts that no other scheme has: how they are meant is in ``docs/exchange.md``."""

_SURFACE = Code("surface", _OURS, "Surface area by Crofton's formula")
_VALUE = Code("value", _OURS, "Value of a voxel")

_OF_VALUES: Mapping[str, Code] = {
    "mean": codes.SCT.Mean,
    "sd": codes.SCT.StandardDeviation,
    "min": codes.SCT.Minimum,
    "max": codes.SCT.Maximum,
    "median": codes.SCT.Median,
}
"""Columns in the unit of the values, and what of them they are (CID 7464)."""

_BY_UNIT: Mapping[str, tuple[Code, Code]] = {
    "HU": (codes.DCM.AttenuationCoefficient, codes.UCUM.HounsfieldUnit),
    "Bq/ml": (codes.DCM.NuclearMedicineTomographicActivity, codes.UCUM.BecquerelsPerMilliliter),
    "SUVbw": (codes.DCM.Suvbw, codes.UCUM.StandardizedUptakeValueBodyWeight),
    "SUVlbm": (codes.DCM.Suvlbm, codes.UCUM.StandardizedUptakeValueLeanBodyMassJames),
    "SUVbsa": (codes.DCM.Suvbsa, codes.UCUM.StandardizedUptakeValueBodySurfaceArea),
    "SUVibw": (codes.DCM.Suvibw, codes.UCUM.StandardizedUptakeValueIdealBodyWeight),
}


@dataclass(frozen=True)
class Number:
    """One measurement (PS3.16 TID 300): its value and the codes that say what it is."""

    value: float
    name: Code
    unit: Code
    derivation: Code | None = None
    method: Code | None = None


_SIZES: Mapping[str, tuple[Code, Code, Code | None, Code | None]] = {
    "ml": (
        codes.SCT.Volume,
        codes.UCUM.CubicCentimeter,  # a millilitre, and the name for it in CID 7462
        None,
        codes.DCM.SumOfSegmentedVoxelMethodForVolume,
    ),
    "diameter_axial_mm": (codes.SCT.LongAxis, codes.UCUM.Millimeter, None, None),
    "diameter_3d_mm": (codes.SCT.Diameter, codes.UCUM.Millimeter, codes.SCT.Maximum, None),
    "surface_crofton_mm2": (_SURFACE, codes.UCUM.SquareMillimeter, None, None),
    "surface_mesh_mm2": (codes.cid7477.SurfaceAreaOfMesh, codes.UCUM.SquareMillimeter, None, None),
    "sphericity": (codes.cid7477.Sphericity, codes.UCUM.NoUnits, None, None),
}

COLUMNS = (*_SIZES, *_OF_VALUES)
"""Columns of a table of statistics that have a place in a report."""


def coded(code: masks.Code) -> Code:
    """A code of a label, as pydicom and highdicom write them."""
    return Code(code.value, code.scheme, code.meaning)


def numbers(row: Mapping[str, Any], modality: str) -> Iterator[Number]:
    """The measurements of one row of a table; what is missing or NaN is not among them."""
    for column, (name, unit, derivation, method) in _SIZES.items():
        value = _finite(row, column)
        if value is not None:
            yield Number(value, name, unit, derivation, method)
    yield from of_values(row, str(row.get("units") or ""), modality)


def of_values(row: Mapping[str, Any], units: str, modality: str) -> Iterator[Number]:
    """Mean, standard deviation … of values in this unit."""
    name, unit = _BY_UNIT.get(units) or (
        codes.DCM.MRSignalIntensity if modality == "MR" and not units else _VALUE,
        _unit(units),
    )
    for column, derivation in _OF_VALUES.items():
        value = _finite(row, column)
        if value is not None:
            yield Number(value, name, unit, derivation)


def length(value: float, name: Code, unit: Code = codes.UCUM.Millimeter) -> Number:
    """A length, an area, an angle as it was drawn."""
    return Number(value, name, unit)


def _finite(row: Mapping[str, Any], column: str) -> float | None:
    value = row.get(column)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError) as problem:
        raise DicomLabError(f"the column {column!r} has numbers, found {value!r}") from problem
    return number if math.isfinite(number) else None


def _unit(units: str) -> Code:
    """A unit that no list has: in braces it is UCUM all the same, and means what it says and no more."""
    if not units:
        none: Code = codes.UCUM.NoUnits
        return none
    plain = units if re.fullmatch(r"[!-~]{1,14}", units) and not set("{}") & set(units) else "other"
    return Code(f"{{{plain}}}", "UCUM", units[:64])
