"""From real values to the whole numbers of a file, and by how much that rounds them: `Storing`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.export.place import decimal

__all__ = ["Storing", "find_storing"]

Pixels = npt.NDArray[Any]

_MOST = (1 << 16) - 1


@dataclass(frozen=True)
class Storing:
    """How values are stored: ``value = stored * slope + intercept``.

    Parameters
    ----------
    dtype
        Of the stored numbers: uint8, uint16 or int16.
    slope, intercept
        Decimal strings, as they stand in the file.
    error
        Most by which a value differs from the one read back; 0 where every value is kept.
    nan
        What stands in place of NaN; None where there is none.
    """

    dtype: np.dtype[Any]
    slope: str = "1"
    intercept: str = "0"
    error: float = 0.0
    nan: float | None = None

    @property
    def is_identity(self) -> bool:
        """Whether stored numbers are the values."""
        return float(self.slope) == 1 and float(self.intercept) == 0

    def store(self, plane: Pixels) -> Pixels:
        """Stored numbers of one plane, little endian.

        Raises
        ------
        DicomLabError
            Values are not those that were looked at before: a lazy volume changed in between.
        """
        low, high = np.iinfo(self.dtype).min, np.iinfo(self.dtype).max
        if plane.dtype.kind in "iu" and float(self.slope) == 1 and not self.error:
            # Python's integers: the difference of two 64-bit numbers may need 65.
            shift = int(float(self.intercept))
            kept = low <= int(plane.min()) - shift and int(plane.max()) - shift <= high
            stored = plane if not shift else (plane - plane.dtype.type(shift))
        else:
            real, slope, intercept = _filled(plane, self.nan), float(self.slope), float(self.intercept)
            stored = np.clip(np.rint((real - intercept) / slope), low, high)
            kept = bool(np.abs(stored * slope + intercept - real).max() <= self.error)  # NaN fails, too
        if not kept:
            raise DicomLabError("the values of this volume changed while it was written")
        return stored.astype(self.dtype.newbyteorder("<"))


def find_storing(
    dtype: np.dtype[Any],
    planes: Iterable[Pixels],
    *,
    nan: float | None,
    centred: bool = False,
    short: bool = False,
    signed: bool = True,
) -> Storing:
    """The way to store a volume that changes its values least.

    Parameters
    ----------
    dtype
        Of the volume.
    planes
        All its planes; looked at only where the type alone does not tell that they fit.
    nan
        What stands in place of NaN; None refuses NaN.
    centred
        Whether 0 must be stored as 0 (Rescale Intercept is 0 in a PET image, PS3.3 C.8.9.4).
    short
        Whether pixels may have 8 bits.
    signed
        Whether a number that fits may be stored as negative; False where other images of the series could not be.

    Raises
    ------
    DicomLabError
        There are infinities; or NaN, and `nan` is None.
    """
    if dtype.kind not in "iuf":
        raise UnsupportedError(
            f"values of type {dtype} are no numbers that an image can hold: integers or floating point"
        )
    if dtype.kind in "iu" and dtype.itemsize <= 2:
        one = dtype.kind == "u" and dtype.itemsize == 1 and short
        return Storing(np.dtype(np.uint8 if one else np.int16 if dtype.kind == "i" else np.uint16))
    low, high, whole, missing = _range(dtype, planes, nan)
    nan = nan if missing else None
    if whole:
        for kind in (np.int16, np.uint16) if signed else (np.uint16,):
            if np.iinfo(kind).min <= low and high <= np.iinfo(kind).max:
                return Storing(np.dtype(kind), nan=nan)
        shift = str(int(low))  # exact in its 16 characters, and in the float that it is read as
        if not centred and high - low <= _MOST and len(shift) <= 16 and abs(low) < 1 << 53:
            return Storing(np.dtype(np.uint16), intercept=shift, nan=nan)
    return _scaled(float(low), float(high), nan, centred)


def _range(dtype: np.dtype[Any], planes: Iterable[Pixels], nan: float | None) -> tuple[Any, Any, bool, bool]:
    """Smallest and largest value, whether all are whole numbers, and whether some are NaN."""
    low: Any = None
    high: Any = None
    whole, missing, infinite, count = True, 0, 0, 0
    for plane in planes:
        count += plane.size
        if dtype.kind == "f":
            missing += int(np.isnan(plane).sum())
            infinite += int(np.isinf(plane).sum())
            plane = _filled(plane, 0.0 if nan is None else nan)
            whole = whole and bool(np.all(plane == np.rint(plane)))
            ends: tuple[Any, Any] = float(plane.min()), float(plane.max())
        else:
            ends = int(plane.min()), int(plane.max())
        low = ends[0] if low is None else min(low, ends[0])
        high = ends[1] if high is None else max(high, ends[1])
    if infinite:
        raise DicomLabError(
            f"{infinite} of {count} voxels are infinite, which an image cannot hold: volume.clip(low, high), or "
            "volume.where(np.isfinite(volume)) and nan=, first"
        )
    if missing and nan is None:
        raise DicomLabError(
            f"{missing} of {count} voxels are NaN, which the whole numbers of an image cannot hold: say with nan= which value "
            "they get, for instance nan=0"
        )
    return low, high, whole, missing > 0


def _filled(plane: Pixels, nan: float | None) -> npt.NDArray[np.float64]:
    real: npt.NDArray[np.float64] = plane.astype(np.float64)
    if nan is not None:
        real[np.isnan(real)] = nan
    return real


def _scaled(low: float, high: float, nan: float | None, centred: bool) -> Storing:
    """All 16 bits spread evenly over the values."""
    if not np.isfinite(high - low):
        raise DicomLabError(f"values from {low:.3g} to {high:.3g} span more than a number can say")
    dtype = np.dtype(np.int16 if centred and low < 0 else np.uint16)
    ends = np.iinfo(dtype)
    intercept = "0" if centred else decimal(low)
    base = float(intercept)
    wanted = max((high - base) / ends.max, (low - base) / ends.min if ends.min else 0.0)
    slope = decimal(wanted) if wanted > 0 else "1"
    step = float(slope)
    if step == 0:  # below the smallest number that there is
        slope, step = decimal(np.finfo(np.float64).tiny), float(np.finfo(np.float64).tiny)
    # Half a step; more only where the 16 characters of slope and intercept leave an end outside.
    beyond = max(base + ends.min * step - low, high - (base + ends.max * step), 0.0)
    rounding = 4 * float(np.spacing(max(abs(low), abs(high))))
    error = max(step / 2, beyond) + rounding if wanted > 0 else abs(low - base)
    return Storing(dtype, slope, intercept, error, nan)
