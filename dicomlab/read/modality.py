"""From stored to real values: Modality LUT (PS3.3 C.11.1), rescale, dose scaling, Real World Value Mapping (C.7.6.16.2.11)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes, Level
from dicomlab.read.luts import LutError, lut_table
from dicomlab.read.planes import Plane

__all__ = [
    "STORED",
    "Transform",
    "modality_transform",
    "modality_transforms",
    "real_world_names",
    "value_dtype",
]

STORED = "stored"
"""Name of the values before any transform."""


@dataclass(frozen=True, eq=False)
class Transform:
    """Stored value to real value of one plane: a rescale, or a look-up table.

    Parameters
    ----------
    slope, intercept
        Ignored when `lut` is there.
    lut, first
        Look-up table, shape ``(n,)``, and the stored value that its first entry maps.
    units
        What the values are: ``"HU"``, ``"Bq/ml"``, … or ``""``.
    explicit
        Whether the file says so, rather than dicomlab assuming the identity.
    fault
        Why what the file says cannot be used; the transform is the identity then.
    bounds
        Stored values outside these two have no real value and become NaN (Real World Value Mapping).
    windowed
        Whether the windows of the file are in these values: those of a Real World Value Mapping are not (C.11.2).
    by
        What of the file says so; "" for stored values.
    """

    slope: float = 1.0
    intercept: float = 0.0
    lut: npt.NDArray[Any] | None = None
    first: int = 0
    units: str = ""
    explicit: bool = True
    fault: str = ""
    bounds: tuple[float, float] | None = None
    windowed: bool = True
    by: str = ""

    def value_range(self, low: float, high: float) -> tuple[float, float]:
        """Smallest and largest real value that stored values from `low` to `high` can become."""
        if self.lut is not None:
            return float(self.lut.min()), float(self.lut.max())
        slope, intercept = self.slope, self.intercept
        if self.is_integral:  # exactly: a float has no room for 64 bits
            slope, intercept = int(slope), int(intercept)
        ends = (low * slope + intercept, high * slope + intercept)
        return min(ends), max(ends)

    @property
    def formula(self) -> tuple[Hashable, ...]:
        """All that tells it from another one without a look-up table."""
        return self.slope, self.intercept, self.units, self.fault, self.bounds

    @property
    def is_identity(self) -> bool:
        """Whether real values equal stored ones."""
        return self.lut is None and self.slope == 1.0 and self.intercept == 0.0

    @property
    def is_integral(self) -> bool:
        """Whether integers stay integers."""
        if self.lut is not None:
            return self.lut.dtype.kind in "iu"
        return self.slope.is_integer() and self.intercept.is_integer()

    def apply(self, stored: npt.NDArray[Any], out: npt.NDArray[Any]) -> None:
        """Write the real values of `stored` into `out` (same shape), rounding once, at the end."""
        if self.lut is not None:
            # int64 first: the difference of two 16-bit numbers does not fit into 16 bits.
            entry = np.clip(stored.astype(np.int64) - self.first, 0, self.lut.size - 1)
            np.copyto(out, self.lut[entry], casting="unsafe")  # value_dtype made room for every entry
        elif self.is_identity:
            np.copyto(out, stored, casting="unsafe")
        elif out.dtype.kind in "iu":
            np.copyto(out, stored, casting="unsafe")
            self.apply_in_place(out)
        elif self._is_exact_in(out.dtype, stored.dtype):
            kind = out.dtype.newbyteorder("=")
            np.multiply(stored, kind.type(self.slope), out=out, dtype=kind, casting="unsafe")
            out += out.dtype.type(self.intercept)
        else:
            # A few rows stay in the processor's cache through all steps.
            for start in range(0, len(out), _ROWS):
                part = stored[start : start + _ROWS].astype(np.float64)
                part *= self.slope
                part += self.intercept
                np.copyto(out[start : start + _ROWS], part, casting="same_kind")
        if self.bounds is not None:
            out[(stored < self.bounds[0]) | (stored > self.bounds[1])] = np.nan

    @property
    def works_in_place(self) -> bool:
        """Whether `apply_in_place` does it."""
        return self.lut is None and self.bounds is None and self.is_integral

    def apply_in_place(self, values: npt.NDArray[Any]) -> None:
        """Turn stored into real values, both integers.

        What leaves the range of the type on the way comes back into it: the real values are known to fit.
        """
        slope, intercept = (np.array(int(n)).astype(values.dtype) for n in (self.slope, self.intercept))
        if self.slope != 1:
            np.multiply(values, slope, out=values)
        if self.intercept:
            np.add(values, intercept, out=values)

    def _is_exact_in(self, dtype: np.dtype[Any], stored: np.dtype[Any]) -> bool:
        """Whether whole numbers of the type that is stored are multiplied and added without rounding."""
        if not self.is_integral or stored.kind not in "iu":
            return False
        limits = np.iinfo(stored)
        largest = max(abs(int(limits.min)), int(limits.max)) * abs(self.slope) + abs(self.intercept)
        return bool(largest < 1 << np.finfo(dtype).nmant + 1)


_ROWS = 32
_UNITS = {
    "HU": "HU",
    "OD": "mOD",
    "US": "",
    "BQML": "Bq/ml",
    "CNTS": "counts",
    "GML": "g/ml",
    "PROPCNTS": "",
    "NONE": "",
    "CPS": "1/s",
    "CM2": "cm2",
    "CM2ML": "cm2/ml",
    "PCNT": "%",
    "UMOLML": "umol/ml",
    "MGMINML": "mg/min/ml",
    "STDDEV": "SD",
    "GY": "Gy",
    "RELATIVE": "",
}
_MAPPING = "Real World Value Mapping Sequence (0040,9096)"
_NO_UNIT = ("1", "{counts}", "[arb'U]")
"""Codes of the Unified Code for Units of Measure that say: no unit."""


def modality_transform(plane: Plane) -> Transform:
    """`modality_transforms` of one plane."""
    return modality_transforms(Headers([plane]))[0]


def modality_transforms(headers: Headers, values: str | None = None, preferred: str = "") -> list[Transform]:
    """From stored to real values of each plane, and the unit that they have.

    Parameters
    ----------
    headers
        Planes of any object.
    values
        None for what the object means by its values: Modality LUT, rescale or dose scaling, else its first Real World Value
        Mapping. ``"stored"`` for none of them; else the LUT Label (0040,9210) of a Real World Value Mapping.
    preferred
        Label of the mapping that counts as the first: planes of one volume may list theirs in different orders.

    Raises
    ------
    DicomLabError
        `values` names no mapping of this object, or a look-up table is broken.

    References
    ----------
    PS3.3 C.11.1 "Modality LUT Module"; C.8.2.1.1.6 (CT: Hounsfield units); C.8.9.1 (PET: Units (0054,1001)); C.8.8.3 (dose);
    C.7.6.16.2.9 "Pixel Value Transformation"; C.7.6.16.2.11 "Real World Value Mapping".
    """
    if values == STORED:
        return [Transform(windowed=False)] * len(headers.members)
    planes = cast(Sequence[Plane], headers.members)
    found: list[Transform | None] = [None] * len(planes)
    kinds: dict[bool, list[int]] = {}
    for k, plane in enumerate(planes):
        kinds.setdefault(_is_floating(plane), []).append(k)
    for floating, places in kinds.items():
        some = headers.taken(places)
        answers = some.each(lambda header, f=floating: _transform_or_reason(header, f, values, preferred))  # type: ignore[misc]
        for k, answer in zip(places, answers, strict=True):
            if isinstance(answer, str):
                raise DicomLabError(f"{planes[k].name}{answer}")
            found[k] = answer
    return cast("list[Transform]", found)


def _is_floating(plane: Plane) -> bool:
    return plane.instance.pixels is not None and plane.instance.pixels.keyword != "PixelData"


def _transform_or_reason(
    plane: Attributes, floating: bool, values: str | None, preferred: str
) -> Transform | str:
    """The transform, or why there is none, to be read after the name of the image."""
    mappings = _real_world(plane, floating)
    if values is not None:
        offered = ", ".join(map(repr, [STORED, *mappings]))
        return mappings.get(values, f" offers {offered}; values={values!r} was asked for")
    transform = _rescale(plane)
    if plane.items("ModalityLUTSequence"):
        if not transform.is_identity:
            # C.11.1 allows one of them; they make different values.
            return Transform(
                explicit=False, fault="both Modality LUT Sequence (0028,3000) and a rescale are there"
            )
        return _modality_lut(plane)
    first = mappings.get(preferred, next(iter(mappings.values()), None))
    if first is not None and not transform.fault:
        if not transform.explicit:
            return first
        same = (
            first.lut is None
            and np.isclose([first.slope, first.intercept], [transform.slope, transform.intercept], 1e-6).all()
        )
        if same and not transform.units:
            return replace(transform, units=first.units)
    return transform


def real_world_names(plane: Plane) -> list[str]:
    """LUT Labels (0040,9210) of the Real World Value Mappings of a plane."""
    return list(_real_world(plane, _is_floating(plane)))


def _rescale(plane: Attributes) -> Transform:
    names = [("RescaleSlope", "(0028,1053)"), ("RescaleIntercept", "(0028,1052)")]
    if plane.value("DoseGridScaling") is not None:
        names = [("DoseGridScaling", "(3004,000E)")]
    numbers = []
    for keyword, tag in names:
        found = plane.numbers(keyword)
        if (found is None and plane.has(keyword)) or (found is not None and found.size > 1):
            return Transform(explicit=False, fault=f"{keyword} {tag} holds no number, or several")
        numbers.append(None if found is None else float(found[0]))
    slope, intercept = numbers if len(numbers) == 2 else (numbers[0], 0.0)
    complete = slope is not None and intercept is not None
    if not complete and ((slope or 1.0) != 1.0 or (intercept or 0.0) != 0.0):
        there, absent = names if intercept is None else names[::-1]
        return Transform(explicit=False, fault=f"{' '.join(there)} is there and {' '.join(absent)} is not")
    if slope == 0:
        return Transform(
            explicit=False, fault=f"{names[0][0]} {names[0][1]} is 0, which makes every value equal"
        )
    return Transform(
        1.0 if slope is None else slope,
        0.0 if intercept is None else intercept,
        units=_units(plane, complete),
        explicit=complete,
        by="".join(f"{keyword} {tag} " for keyword, tag in names).strip() if complete else "",
    )


def _units(plane: Attributes, rescaled: bool) -> str:
    kind = plane.text("RescaleType")
    modality = plane.top.text("Modality")
    if modality in ("CT", "PT", "RTDOSE") and not rescaled:
        return ""  # stored values, whatever the header calls the values that a rescale would have made
    if modality == "PT":
        kind = plane.text("Units") or kind
    elif modality == "RTDOSE":
        kind = plane.text("DoseUnits")
    elif modality == "CT" and not kind:
        kind = "HU"  # C.8.2.1.1.6: Rescale Type may be absent only when the output is Hounsfield units
    return _UNITS.get(kind.upper(), kind)


def _real_world(plane: Attributes, floating: bool) -> dict[str, Transform]:
    """Real World Value Mappings by LUT Label; one without is called ``"real world"``, a second of a name ``"name (2)"``."""
    found: dict[str, Transform] = {}
    for item in plane.items("RealWorldValueMappingSequence"):
        transform = _real_world_item(plane, Attributes.of(item), floating)
        if transform is not None:
            label = name = Attributes.of(item).text("LUTLabel") or "real world"
            number = 1
            while name in found or name == STORED:
                number += 1
                name = f"{label} ({number})"
            found[name] = transform
    return found


def _real_world_item(plane: Attributes, item: Attributes, floating: bool) -> Transform | None:
    ends = [
        _first(item, f"RealWorldValue{end}ValueMapped", f"DoubleFloatRealWorldValue{end}ValueMapped")
        for end in ("First", "Last")
    ]
    units = _coded_unit(item.items("MeasurementUnitsCodeSequence"))
    low, high = ends
    lut, slope, intercept = (
        item.numbers("RealWorldValueLUTData"),
        item.number("RealWorldValueSlope"),
        item.number("RealWorldValueIntercept"),
    )
    if low is None or high is None:
        return None
    if plane.top.integer("PixelRepresentation", 0) == 1 and plane.top.integer("BitsAllocated", 16) == 16:
        # Written as US where SS was meant: the sign is that of the pixels.
        low, high = (end - 65536 if end > 32767 else end for end in (low, high))
    if high < low or (lut is not None and lut.size != int(high - low) + 1):
        return None  # it maps nothing
    if lut is not None:
        return Transform(
            lut=lut, first=int(low), units=units, bounds=(low, high), windowed=False, by=_MAPPING
        )
    if slope is None or intercept is None or slope == 0:
        return None
    lowest, highest = _stored_range(plane, floating)
    # Where all have a value, nothing becomes NaN.
    bounds = None if low <= lowest and high >= highest else (low, high)
    return Transform(slope, intercept, units=units, bounds=bounds, windowed=False, by=_MAPPING)


def _first(item: Attributes, *keywords: str) -> float | None:
    return next(filter(lambda n: n is not None, map(item.number, keywords)), None)


def _coded_unit(items: Sequence[Level]) -> str:
    code = Attributes.of(*items).text("CodeValue")
    return "" if code in _NO_UNIT else code


def _modality_lut(plane: Attributes) -> Transform | str:
    item = plane.items("ModalityLUTSequence")[0]
    try:
        first, lut, _ = lut_table(item, plane.top.integer("PixelRepresentation", 0) == 1)
    except LutError as problem:
        return f": Modality LUT Sequence (0028,3000) is broken ({problem}), so no pixel has a value."
    kind = Attributes.of(item).text("ModalityLUTType")
    units = _UNITS.get(kind.upper(), kind)
    return Transform(lut=lut, first=first, units=units, by="Modality LUT Sequence (0028,3000)")


def _stored_range(plane: Attributes, floating: bool = False) -> tuple[float, float]:
    if floating:
        return -np.inf, np.inf
    bits = plane.top.integer("BitsStored", 16)
    signed = plane.top.integer("PixelRepresentation", 0) == 1
    return (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)


def value_dtype(headers: Headers, transforms: Sequence[Transform]) -> np.dtype[Any]:
    """Smallest dtype that holds every value which the headers allow, so that it does not depend on the pixels.

    Integers when every slope and intercept is one (int16 in the ordinary CT); else float32 where it tells neighbouring stored
    values apart (up to 16 bits stored, intercepts of the same order), float64 beyond. Float pixels keep their type where
    nothing is applied to them.
    """
    planes = cast(Sequence[Plane], headers.members)
    kinds = {plane.instance.pixels.keyword for plane in planes if plane.instance.pixels is not None}
    if kinds & {"FloatPixelData", "DoubleFloatPixelData"}:
        untouched = kinds == {"FloatPixelData"} and all(transform.is_identity for transform in transforms)
        return np.dtype(np.float32 if untouched else np.float64)
    # Most planes share both.
    pairs = {
        (stored, id(transform)): transform
        for stored, transform in zip(headers.each(_stored_range), transforms, strict=True)
    }
    transforms = list({id(transform): transform for transform in transforms}.values())
    ends = [transform.value_range(*stored) for (stored, _), transform in pairs.items()]
    lowest, highest = min(low for low, _ in ends), max(high for _, high in ends)
    whole = all(transform.is_integral and transform.bounds is None for transform in transforms)
    if not whole:
        deep = max(headers.each(lambda header: header.top.integer("BitsStored", 16))) > 16
        largest = max(abs(lowest), abs(highest))
        finest = min((abs(t.slope) for t in transforms if t.lut is None), default=largest)
        tables = any(t.lut is not None and t.lut.dtype.kind == "f" for t in transforms)
        too_large = (
            largest >= float(np.finfo(np.float32).max) or np.spacing(np.float32(largest)) > finest / 64
        )
        return np.dtype(np.float64 if deep or tables or too_large else np.float32)
    for candidate in (np.int16, np.uint16, np.int32, np.int64, np.uint64):
        if np.iinfo(candidate).min <= lowest and highest <= np.iinfo(candidate).max:
            return np.dtype(candidate)
    return np.dtype(np.float64)
