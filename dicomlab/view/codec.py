"""Planes of values as 16-bit codes on their way to the browser, and how to come back.

Whole numbers that fit travel exactly; beyond 2 ** 24 the browser, whose values are float32, rounds them. All else is quantised
plane by plane: 65,533 steps between the lowest and the highest finite value, so that half a step is the largest error. The
browser shows no more digits than that.
"""

from __future__ import annotations

import zlib
from typing import Literal, TypedDict

import numpy as np
import numpy.typing as npt

__all__ = [
    "MINUS_INFINITY",
    "NOT_A_NUMBER",
    "PLUS_INFINITY",
    "WHOLE",
    "Codes",
    "Scale",
    "as_seen",
    "decode",
    "encode",
    "packed",
    "thinned",
]

Codes = npt.NDArray[np.int16] | npt.NDArray[np.uint16]

MINUS_INFINITY, PLUS_INFINITY, NOT_A_NUMBER = 65533, 65534, 65535
_STEPS = MINUS_INFINITY - 1

WHOLE = 1 << 24
"""Up to here the browser's float32 tell all whole numbers apart."""


class Scale(TypedDict):
    """How codes become values: ``value = code * slope + intercept``.

    ``kind`` is ``"i2"`` (int16), ``"u2"`` (uint16) or ``"q2"`` (uint16 whose last three codes are -inf, +inf and
    NaN); ``exact`` says whether every value comes back as it was.
    """

    kind: Literal["i2", "u2", "q2"]
    slope: float
    intercept: float
    exact: bool


def encode(plane: npt.NDArray[np.generic]) -> tuple[Codes, Scale]:
    """Return one plane as little-endian 16-bit codes in C order, and their scale.

    Parameters
    ----------
    plane
        Array of any shape of booleans, integers or floats.
    """
    kind, size = plane.dtype.kind, plane.dtype.itemsize
    if kind == "b" or (kind in "iu" and size == 1) or (kind == "i" and size == 2):
        return np.ascontiguousarray(plane, dtype="<i2"), _scale("i2")
    if kind == "u" and size == 2:
        return np.ascontiguousarray(plane, dtype="<u2"), _scale("u2")
    values = np.asarray(plane, dtype=np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        low = high = 0.0
    elif finite.all():
        low, high = float(values.min()), float(values.max())
    else:
        low, high = float(values[finite].min()), float(values[finite].max())
    whole = high - low <= _STEPS and bool(np.array_equal(values[finite], np.rint(values[finite])))
    most = max(abs(low), abs(high))
    if whole:
        scale = _scale("q2", 1.0, low, exact=most <= WHOLE)
    elif low == high:
        with np.errstate(over="ignore"):
            held = np.float32(low)
        step = max(float(np.finfo(np.float32).eps) * most, float(np.finfo(np.float64).tiny))
        scale = _scale("q2", step, low, exact=float(held) == low)
    else:
        # Halves first: the difference of two huge values would overflow.
        scale = _scale("q2", (high / 2 - low / 2) / (_STEPS / 2), low, exact=False)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.clip(np.rint((values - low) / scale["slope"]), 0, _STEPS)
    if not finite.all():
        steps[np.isnan(values)] = NOT_A_NUMBER
        steps[np.isposinf(values)] = PLUS_INFINITY
        steps[np.isneginf(values)] = MINUS_INFINITY
    return np.ascontiguousarray(steps, dtype="<u2"), scale


def decode(codes: Codes, scale: Scale) -> npt.NDArray[np.float64]:
    """Return the values that codes stand for, by the arithmetic of the browser (float64)."""
    with np.errstate(over="ignore"):  # of the last three codes, which are not numbers
        values = codes.astype(np.float64) * scale["slope"] + scale["intercept"]
    if scale["kind"] == "q2":
        for code, value in ((MINUS_INFINITY, -np.inf), (PLUS_INFINITY, np.inf), (NOT_A_NUMBER, np.nan)):
            values[codes == code] = value
    return values


def as_seen(slices: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """Slices (slice, row, column) as the browser has them: what fits 16 bits as it is, all else coded and float32 again."""
    if slices.dtype.kind == "b" or (slices.dtype.kind in "iu" and slices.dtype.itemsize <= 2):
        return slices
    seen = np.empty(slices.shape, np.float32)
    for number, plane in enumerate(slices):
        with np.errstate(over="ignore"):
            seen[number] = decode(*encode(plane))
    return seen


def thinned(plane: npt.NDArray[np.generic], divide: int, *, mixed: bool) -> npt.NDArray[np.generic]:
    """Return a plane (row, column) with one value for so many by so many, at the border for fewer: their mean, or one of them.

    Whole numbers stay so, and labels (not `mixed`) stay themselves.
    """
    if divide == 1:
        return plane
    if not mixed or plane.dtype.kind == "b":
        return plane[::divide, ::divide]
    rows, columns = plane.shape
    whole = np.pad(plane, ((0, -rows % divide), (0, -columns % divide)), mode="edge")
    mean = np.zeros((whole.shape[0] // divide, whole.shape[1] // divide), np.float64)
    with np.errstate(invalid="ignore", over="ignore"):
        for row in range(divide):
            for column in range(divide):
                mean += whole[row::divide, column::divide]
    mean /= divide**2
    return (np.rint(mean) if plane.dtype.kind in "iu" else mean).astype(plane.dtype)


def _scale(
    kind: Literal["i2", "u2", "q2"], slope: float = 1.0, intercept: float = 0.0, *, exact: bool = True
) -> Scale:
    return {"kind": kind, "slope": slope, "intercept": intercept, "exact": exact}


def packed(numbers: npt.NDArray[np.generic], level: int = 1) -> bytes:
    """Pack numbers by zlib, all their lowest bytes first, all their highest last: smaller by a sixth, and faster."""
    size = numbers.dtype.itemsize
    parts = np.ascontiguousarray(numbers).reshape(-1, 1).view(np.uint8).reshape(-1, size).T
    return zlib.compress(parts.tobytes(), level)
