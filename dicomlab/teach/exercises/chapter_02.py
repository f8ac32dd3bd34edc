"""Checks of chapter 2: pixel data."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dicomlab.teach.exercises.answers import Off, check, differences, judged, number, numbers, whole
from dicomlab.teach.exercises.lessons import ct_headers, kind
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_FRAMES, _ROWS, _COLUMNS, _SAMPLES = 30, 480, 640, 3
_ROW, _COLUMN = 80, 122
"""A pixel whose neighbours, and the one at (column, row), have other values."""
_SMALL: Final = (4, 6)
_LOWEST: Final = 0xF800
"""A word whose lower 12 bits are −2048, the end of the range; the lesson puts it into the first pixel."""
_AXES: Final = ("row", "column")


def _stored(order: str = "<u2") -> npt.NDArray[np.float64]:
    header = ct_headers()[16]
    return np.frombuffer(header.PixelData, order).reshape(header.Rows, header.Columns).astype(float)


@check
def _bytes(answer: Any) -> Verdict:
    found = number(answer, "a number of bytes")
    true = _FRAMES * _ROWS * _COLUMNS * _SAMPLES
    return judged(
        found,
        true,
        within=0,
        good="frames × rows × columns × samples × one byte each: why clips are compressed.",
        mistakes=[
            (true / _SAMPLES, "each pixel has three samples: red, green and blue."),
            (true / _FRAMES, "that is one frame; there are 30."),
            (
                true / _FRAMES / _SAMPLES,
                "frames and samples are missing: 30 pictures, three numbers a pixel.",
            ),
            (true * 8, "those are bits; a byte has eight."),
            (true * 2, "two bytes a sample? 8 bits allocated are one byte."),
            (true / 1e6, "those are megabytes; bytes are asked for."),
            (true / 2**20, "those are mebibytes; bytes are asked for."),
        ],
        otherwise="frames × rows × columns × samples per pixel × bits allocated / 8.",
    )


@check
def _array(answer: Any) -> Verdict:
    true = _stored()
    found = numbers(answer, true.shape, "an array of stored values (rows, columns)")
    # Bits above the twelfth are 0 here, so both readings give the same numbers; in another file they would not.
    signed = getattr(answer, "dtype", None) == np.int16
    return judged(
        found,
        true,
        within=0,
        good="the values are. But '<i2' has a sign, and Pixel Representation 0 says there is none: write '<u2'. "
        "Here no value is large enough to tell."
        if signed
        else "this is pixel_array, in one line of numpy.",
        mistakes=[
            (_stored(">u2"), "the two bytes of each number are swapped: the file is little endian, '<u2'."),
            (_stored(">i2"), "the two bytes of each number are swapped: the file is little endian, '<u2'."),
            (
                true - 1024,
                "those are Hounsfield units already; the stored values are asked for, as they are in the file.",
            ),
            (
                true.T.reshape(true.shape),
                "the axes were exchanged by reshape: rows first, then columns; no transpose.",
            ),
            (
                true.reshape(true.shape[::-1]).T,
                "columns came first in reshape, and transposing does not mend it: reshape(Rows, Columns).",
            ),
            (
                true.reshape(true.shape, order="F"),
                "the order is by rows, as numpy has it by default; order='F' reads columns.",
            ),
            (true[::-1], "the picture stands on its head: the first row is the top one."),
            (
                true.astype(np.uint8).astype(float),
                "only the lower byte is left: 8 bits are not enough for 12.",
            ),
        ],
        otherwise=f"{differences(found, true, 0, _AXES)}.",
    )


@check
def _pixel(answer: Any) -> Verdict:
    found = number(answer, "one stored value")
    stored = _stored()
    return judged(
        found,
        stored[_ROW, _COLUMN],
        within=0,
        good="row first, as in a matrix.",
        mistakes=[
            (stored[_COLUMN, _ROW], "row and column are swapped: stored[row, column]."),
            (stored[_ROW - 1, _COLUMN - 1], "off by one: row 80, counted from 0, is stored[80]."),
            (stored[_ROW + 1, _COLUMN + 1], "off by one: row 80, counted from 0, is stored[80]."),
            (stored[_ROW, _COLUMN] - 1024, "those are Hounsfield units; the stored value is asked for."),
        ],
        otherwise="stored[row, column], with row 80 and column 122.",
    )


@check
def _range(answer: Any) -> Verdict:
    low, high = numbers(answer, (2,), "a pair of numbers, the smallest and the largest value,")
    true = -(2**11), 2**11 - 1
    return judged(
        (low, high),
        true,
        within=0,
        good="one more below zero than above, as zero itself takes a place.",
        mistakes=[
            (true[::-1], "the right numbers; the smallest comes first."),
            ((0, 2**12 - 1), "that is without sign, Pixel Representation 0."),
            ((0, 2**12), "that is without sign, and off by one, too: with 12 bits there are 4096 numbers."),
            ((-(2**11), 2**11), "off by one at the top: 0 is one of the 4096 numbers."),
            ((-(2**11) + 1, 2**11 - 1), "off by one below: −2048 has a pattern of bits, too."),
            ((-(2**12), 2**12 - 1), "that would take 13 bits: one of the 12 is the sign."),
            ((-(2**15), 2**15 - 1), "those are 16 bits, which are allocated; 12 are stored."),
        ],
        otherwise="12 bits make 4096 numbers; half of them are negative.",
    )


@check
def _clean(answer: Any) -> Verdict:
    sample, headers = kind("high_bits")
    header = headers["IM0005"]
    raw = np.frombuffer(header.PixelData, "<u2").reshape(header.Rows, header.Columns).astype(int)
    raw[0, 0] = _LOWEST
    # Rescale Intercept is 0 in these files: the true values are those that are stored.
    true = sample.values[int(header.InstanceNumber) - 1].astype(float)
    true[0, 0] = -2048
    found = numbers(answer, true.shape, "an array of stored values (rows, columns)")
    low = raw & 0x0FFF
    return judged(
        found,
        true,
        within=0,
        good="masked, and the twelfth bit counts negative.",
        mistakes=[
            (raw, "the upper four bits are still there: & 0x0FFF takes them away."),
            (
                raw.astype(np.uint16).astype(np.int16),
                "the upper four bits are still there, and one of them was taken for the sign.",
            ),
            (low, "the sign is missing: 2048 and more stand for value − 4096."),
            (
                np.where(low >= 2048, low - 4096, low) % 2**16,
                "numbers without sign wrapped round: uint16 has no −2048, so it became 63488. "
                "Take astype(int) before you subtract.",
            ),
            (low - 2048, "shifted: only values of 2048 and more lose 4096, the others stay."),
            (
                np.where(low > 2048, low - 4096, low),
                "only 2048 itself is left out: it has the twelfth bit, too. ≥, not >.",
            ),
            (
                np.where(low >= 2048, low - 2048, low),
                "the top bit counts −2048 instead of +2048, which is 4096 less.",
            ),
            (
                np.where(low > 2048, 4096 - low, low),
                "the size is right, the sign is missing: value − 4096, not 4096 − value.",
            ),
            (low - 1024, "those are no stored values: an intercept was added, and the sign is missing."),
        ],
        otherwise=f"{differences(found, true, 0, _AXES)}.",
    )


@check
def _green(answer: Any) -> Verdict:
    found = whole(answer, "the place of a byte")
    size = _SMALL[0] * _SMALL[1]
    if found == size:
        return right("the plane of red takes bytes 0 to 23.")
    if found == 1:
        return wrong("that is Planar Configuration 0, colour by pixel. Here all of red comes first.")
    if found in (size - 1, size + 1):
        return wrong("off by one: red takes 24 bytes, number 0 to 23.")
    if found == 2 * size:
        return wrong("that is where blue begins: green is the second plane.")
    if found in _SMALL:
        return wrong("red takes a byte for each pixel of all rows and columns.")
    if found < 0:
        raise Off("bytes are counted from 0.")
    return wrong("all bytes of red come first: how many pixels are there?")


CHECKS: Final[dict[int, Check]] = {1: _bytes, 2: _array, 3: _pixel, 4: _range, 5: _clean, 6: _green}
"""By number."""
