"""From stored values to real ones: the Modality LUT (PS3.3 C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.headers import Instance

__all__ = ["Transform", "modality_transform", "value_dtype"]

Stored = npt.NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Transform:
    """Stored value to real value of one image: a rescale, or a Modality LUT.

    Parameters
    ----------
    slope, intercept
        Rescale Slope and Intercept; ignored when `lut` is there.
    lut, first
        Modality LUT, shape ``(n,)``, and the stored value that its first entry maps.
    units
        What the values are: ``"HU"``, ``"Bq/ml"``, … or ``""``.
    explicit
        Whether the file says so, rather than dicomlab assuming the identity.
    """

    slope: float = 1.0
    intercept: float = 0.0
    lut: npt.NDArray[np.int64] | None = None
    first: int = 0
    units: str = ""
    explicit: bool = True

    def value_range(self, low: int, high: int) -> tuple[float, float]:
        """Smallest and largest real value that stored values from `low` to `high` can become."""
        if self.lut is not None:
            return float(self.lut.min()), float(self.lut.max())
        ends = (low * self.slope + self.intercept, high * self.slope + self.intercept)
        return min(ends), max(ends)

    @property
    def is_identity(self) -> bool:
        """Whether real values equal stored ones."""
        return self.lut is None and self.slope == 1.0 and self.intercept == 0.0

    @property
    def is_integral(self) -> bool:
        """Whether integers stay integers."""
        return self.lut is not None or (self.slope.is_integer() and self.intercept.is_integer())

    def apply(self, stored: Stored, out: npt.NDArray[Any]) -> None:
        """Write the real values of `stored` into `out` (same shape), rounding once, at the end."""
        if self.lut is not None:
            # int64 first: the difference of two 16-bit numbers does not fit into 16 bits.
            entry = np.clip(stored.astype(np.int64) - self.first, 0, self.lut.size - 1)
            np.copyto(out, self.lut[entry], casting="unsafe")  # value_dtype made room for every entry
        elif self.is_identity:
            np.copyto(out, stored, casting="unsafe")
        elif out.dtype.kind in "iu":
            np.copyto(out, stored.astype(np.int64) * int(self.slope) + int(self.intercept), casting="unsafe")
        else:
            np.copyto(out, stored.astype(np.float64) * self.slope + self.intercept, casting="same_kind")


_UNITS = {
    "HU": "HU",
    "OD": "mOD",
    "US": "",
    "BQML": "Bq/ml",
    "CNTS": "counts",
    "GML": "g/ml",
    "PROPCNTS": "",
    "NONE": "",
}
_UNITS |= {
    "CPS": "1/s",
    "CM2": "cm2",
    "PCNT": "%",
    "UMOLML": "umol/ml",
    "MGMINML": "mg/min/ml",
    "STDDEV": "SD",
}


def modality_transform(instance: Instance) -> Transform:
    """The Modality LUT or rescale of an image, and the unit that it leads to.

    Raises
    ------
    DicomLabError
        A rescale value is there but is no number, or the slope is 0: values would be silently wrong.

    References
    ----------
    PS3.3 C.11.1 "Modality LUT Module"; C.8.2.1.1.6 (CT: Hounsfield units); C.8.9.1 (PET: Units (0054,1001)).
    """
    lut = instance.header.get_item("ModalityLUTSequence")
    if lut is not None and lut.value:
        return _modality_lut(instance)
    numbers = []
    for keyword, tag in (("RescaleSlope", "(0028,1053)"), ("RescaleIntercept", "(0028,1052)")):
        found = instance.numbers(keyword)
        raw = instance.header.get_item(keyword)
        if (found is None and raw is not None and raw.value) or (found is not None and found.size > 1):
            raise DicomLabError(
                f"{instance.file}: {tag} {keyword} holds no number, or several, so no pixel has a value. Mend the header first."
            )
        numbers.append(None if found is None else float(found[0]))
    slope, intercept = numbers
    if slope == 0:
        raise DicomLabError(
            f"{instance.file}: (0028,1053) Rescale Slope is 0, which would make every value equal. Mend the header first."
        )
    kind = instance.text("RescaleType")
    if instance.modality in ("CT", "PT") and slope is None:
        kind = ""  # stored values, whatever the header calls the values that a rescale would have made
    elif instance.modality == "PT":
        kind = instance.text("Units") or kind
    elif instance.modality == "CT" and not kind:
        kind = "HU"  # C.8.2.1.1.6: Rescale Type may be absent only when the output is Hounsfield units
    return Transform(
        1.0 if slope is None else slope,
        0.0 if intercept is None else intercept,
        units=_UNITS.get(kind.upper(), kind),
        explicit=slope is not None and intercept is not None,
    )


def _modality_lut(instance: Instance) -> Transform:
    try:
        item = instance.header["ModalityLUTSequence"].value[0]
        entries, first, bits = (int(x) for x in item.LUTDescriptor)
        entries = entries or 1 << 16  # C.11.1.1: 65,536 entries are written as 0
        lut = _lut_entries(item["LUTData"].value, entries, bits)
        kind = str(item.get("ModalityLUTType", ""))
    except Exception as problem:  # pydicom parses on access and raises whatever a broken value makes it raise
        raise DicomLabError(
            f"{instance.file}: Modality LUT Sequence (0028,3000) is broken ({type(problem).__name__}), so no pixel has a value."
        ) from problem
    if lut.size < entries:
        raise DicomLabError(
            f"{instance.file}: Modality LUT has {lut.size} entries where {entries} are declared"
        )
    if instance.integer("PixelRepresentation", 0) == 1 and first > 32767:
        first -= (
            65536  # the descriptor's second value has the sign of the pixels, whatever VR it was written with
        )
    return Transform(lut=lut, first=first, units=_UNITS.get(kind.upper(), kind))


def _lut_entries(data: Any, entries: int, bits: int) -> npt.NDArray[np.int64]:
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data))[:entries].astype(np.int64)
    narrow = bits <= 8 and len(data) < 2 * entries
    return np.frombuffer(data, "u1" if narrow else "<u2")[:entries].astype(np.int64)


def value_dtype(instances: list[Instance], transforms: list[Transform]) -> np.dtype[Any]:
    """Smallest dtype that holds every value which the headers allow, so that it does not depend on the pixels.

    Integers when every slope and intercept is one (int16 in the ordinary CT); else float32 where it tells neighbouring stored
    values apart (up to 16 bits stored, intercepts of the same order), float64 beyond.
    """
    lows, highs = [], []
    for instance, transform in zip(instances, transforms, strict=True):
        bits = instance.integer("BitsStored", 16)
        signed = instance.integer("PixelRepresentation", 0) == 1
        low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
        ends = transform.value_range(low, high)
        lows.append(ends[0])
        highs.append(ends[1])
    if not all(transform.is_integral for transform in transforms):
        deep = max(instance.integer("BitsStored", 16) for instance in instances) > 16
        largest = max(abs(min(lows)), abs(max(highs)))
        finest = min(abs(transform.slope) for transform in transforms if transform.lut is None)
        if (
            deep
            or largest >= float(np.finfo(np.float32).max)
            or np.spacing(np.float32(largest)) > finest / 64
        ):
            return np.dtype(np.float64)
        return np.dtype(np.float32)
    for candidate in (np.int16, np.uint16, np.int32, np.int64):
        limits = np.iinfo(candidate)
        if limits.min <= min(lows) and max(highs) <= limits.max:
            return np.dtype(candidate)
    return np.dtype(np.float64)
