"""Checks of chapter 8: transfer syntaxes, encapsulation, compression."""

from __future__ import annotations

import functools
import struct
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom import Dataset
from pydicom.uid import RLELossless

from dicomlab.teach.exercises.answers import (
    Off,
    check,
    described,
    judged,
    names,
    number,
    numbers,
    whole,
)
from dicomlab.teach.exercises.lessons import ct, ct_headers
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_SLICE: Final = 20
_SEGMENT: Final = bytes([254, 7, 2, 1, 2, 3, 128, 253, 0])
"""The segment of exercise 2."""
_NEAR: Final = 5
_LOSSY: Final = {"A": False, "B": True, "C": True, "D": False, "E": True}
"""The series of exercise 5, and whether their pixels may have lost something."""


def unpacked(segment: bytes, *, run: int = 257, plain: int = 1, pause: bool = True) -> list[int]:
    """Return the bytes that an RLE segment stands for (PS3.5 G.3.2); other numbers than the standard's are mistakes."""
    found: list[int] = []
    place = 0
    while place < len(segment):
        n = segment[place]
        if n < 128:
            found += segment[place + 1 : place + 1 + n + plain]
            place += 1 + n + plain
        elif n > 128 or not pause:
            found += segment[place + 1 : place + 2] * (run - n)
            place += 2
        else:
            place += 1
    return found


@functools.cache
def _pixels() -> npt.NDArray[np.uint16]:
    """Return the slice as it is stored."""
    return np.asarray(ct().values[_SLICE].astype(np.int32) + 1024, dtype=np.uint16)


@functools.cache
def _packed() -> bytes:
    """Return its encapsulated pixel data, run-length encoded."""
    one: Dataset = ct_headers()[_SLICE].copy()
    one.compress(RLELossless, generate_instance_uid=False)
    data: bytes = one.PixelData
    return data


@functools.cache
def _jpeg_ls(level: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(_pixels(), level=level))


@check
def _little(answer: Any) -> Verdict:
    rows = int(ct_headers()[0].Rows)
    if isinstance(answer, int):
        return wrong("that is the number. As bytes: struct.pack, or int.to_bytes.")
    if isinstance(answer, str):
        return wrong("that is text; bytes are asked for, such as b'\\x01\\x02'.")
    if isinstance(answer, (list, tuple)) and len(answer) == 2 and all(type(one) is int for one in answer):
        return wrong("those are two numbers; bytes([…]) makes bytes of them.")
    if not isinstance(answer, (bytes, bytearray)):
        raise Off(f"two bytes are asked for; this is {described(answer)}.")
    found = bytes(answer[:100])
    if found == struct.pack("<H", rows):
        return right("least significant byte first.")
    if found == struct.pack(">H", rows):
        return wrong("that is big endian: the most significant byte, 0, comes first.")
    if found == str(rows).encode():
        return wrong("those are the characters 1, 6 and 8: how an IS is written. A US is binary, two bytes.")
    if found == bytes([rows]):
        return wrong("one byte would do for the value, but a US always has two.")
    if found == struct.pack("<I", rows):
        return wrong("those are four bytes, a UL; a US has two.")
    return wrong(f'struct.pack("<H", {rows}): H is two bytes without sign, < says least significant first.')


@check
def _frame(answer: Any) -> Verdict:
    found = whole(answer, "a number of bytes")
    data = _packed()
    length = struct.unpack("<I", data[16:20])[0]
    table = struct.unpack("<I", data[4:8])[0]
    return judged(
        found,
        length,
        within=0,
        good="8 bytes of header and 4 of offset table come before, 8 of header are its own.",
        mistakes=[
            (len(data), "that is the whole chain: headers of items and the offset table are in it."),
            (length + 8, "that has the 8 bytes of its own header in it: tag and length."),
            (
                length + 8 + 8 + table,
                "that begins with the offset table; the second item alone is asked for.",
            ),
            (table, "that is the first item, the offset table. The frame is the second."),
            (length - 64, "that leaves out the RLE header, which belongs to the compressed frame."),
            (_pixels().nbytes, "that is the length of the pixels once they are unpacked."),
        ],
        otherwise="the walk above prints the length of each item; the frame is the second.",
    )


@check
def _unpack(answer: Any) -> Verdict:
    true = unpacked(_SEGMENT)
    if isinstance(answer, (bytes, bytearray)):
        answer = list(answer[: 4 * len(true)])
    slips = [
        (unpacked(_SEGMENT, run=256), "each run is one too short: 257 − n times."),
        (unpacked(_SEGMENT, run=258), "each run is one too long: 257 − n times."),
        (
            [7] * 254,
            "254 is an order, not a count: above 128 the next byte comes 257 − n times, so 3 times here.",
        ),
        (list(_SEGMENT), "that is the segment itself, nothing is unpacked yet."),
        (
            unpacked(_SEGMENT, pause=False),
            "128 is no order to repeat: it means nothing, and stands alone.",
        ),
        (
            unpacked(_SEGMENT, plain=0),
            "after n up to 127 follow n + 1 bytes as they are; yours takes one too few and gets out of step.",
        ),
        ([7, 7, 7, 1, 2, 0, 0, 0, 0], "after n up to 127 follow n + 1 bytes as they are: three here."),
        ([7, 7, 7, 1, 2, 3], "it goes on after 128: that byte only says nothing."),
        ([7, 1, 2, 3, 0], "runs are not repeated yet: 257 − n times."),
    ]
    size = len(answer) if isinstance(answer, (list, tuple)) else None
    for mistaken, name in slips:
        if size == len(mistaken) and list(answer) == mistaken:
            return wrong(name)
    size = len(answer) if isinstance(answer, (list, tuple)) or getattr(answer, "ndim", 0) == 1 else 0
    # One that is too long or too short is read too, to say where it goes wrong.
    length = size if 0 < size <= 4 * len(true) else len(true)
    found = numbers(answer, (length,), f"a list of {len(true)} numbers").tolist()
    if found == true:
        return right("a run of three, three as they are, nothing, a run of four.")
    first = next(
        (k for k, (a, b) in enumerate(zip(found, true, strict=False)) if a != b), min(length, len(true))
    )
    said = "" if length == len(true) else f"the segment stands for {len(true)} numbers, these are {length}; "
    if first == len(true):
        return wrong(f"{said}all that follows number {first - 1}, counted from 0, is too much.")
    start = f"the first {first} are right" if first else "already the first is wrong"
    return wrong(f"{said}{start}; number {first}, counted from 0, should be {true[first]}.")


@check
def _ratio(answer: Any) -> Verdict:
    found = number(answer, "a factor")
    plain, size = _pixels().nbytes, len(_jpeg_ls(0))
    true = plain / size
    return judged(
        found,
        true,
        within=0.005,
        good=f"{plain} bytes became {size}, and not one pixel changed.",
        mistakes=[
            (1 / true, "the other way round: a ratio of compression is uncompressed divided by compressed."),
            (100 / true, "that is what is left, in per cent; the factor is asked for."),
            (
                _pixels().size / size,
                "that compares pixels with bytes: each pixel has two bytes.",
            ),
            (
                _pixels().size * 1.5 / size,
                "12 bits are stored, but the uncompressed file spends 16 on each pixel.",
            ),
            (len(_packed()) / size, "that compares with RLE; compare with the uncompressed pixels."),
            (plain / len(_packed()), "that is the ratio of RLE."),
            (plain / len(_jpeg_ls(_NEAR)), "that is the ratio of the near-lossless one."),
        ],
        otherwise="bytes of `pixels`, divided by bytes of `exact`.",
    )


@check
def _error(answer: Any) -> Verdict:
    import imagecodecs

    found = number(answer, "the largest difference")
    pixels = _pixels()
    back = imagecodecs.jpegls_decode(_jpeg_ls(_NEAR))
    off = back.astype(int) - pixels
    true = int(np.abs(off).max())
    return judged(
        found,
        true,
        within=0,
        good=f"as promised: {_NEAR} at most. In HU that is {_NEAR}, too, as the slope is 1.",
        mistakes=[
            (
                int((back - pixels).max()),
                "that is a small negative number gone round: uint16 has none, and 3 − 5 is 65534. "
                "Take astype(int) before you subtract.",
            ),
            (
                int((pixels - back).max()),
                "that is a small negative number gone round: uint16 has none, and 3 − 5 is 65534. "
                "Take astype(int) before you subtract.",
            ),
            (float(off.mean()), "that is the mean with signs: errors up and down cancel out."),
            (float(np.abs(off).mean()), "that is the mean error; the largest is asked for."),
            (-true, "a distance has no sign: np.abs."),
            (0, "none? Then you compared `exact`, or an array with itself."),
        ],
        otherwise=f"np.abs of the difference, as whole numbers with sign, and then max(); it cannot be more than {_NEAR}.",
    )


@check
def _admitted(answer: Any) -> Verdict:
    found = {name.strip().upper() for name in names(answer, "names of series")}
    wanted = {name for name, lossy in _LOSSY.items() if lossy}
    if found == wanted:
        return right("B and C admit it, and E cannot be told: JPEG 2000 in general may be either.")
    if strangers := found - set(_LOSSY):
        return wrong(f"there is no series {sorted(strangers)[0][:20]!r}; they are called A to E.")
    if "A" in found:
        return wrong("A is uncompressed and says that it never was compressed with loss.")
    if "D" in found:
        return wrong("D is JPEG 2000 *Lossless Only*, and nothing says that it was lossy before.")
    if "B" not in found:
        return wrong("B is uncompressed now. But its mark says 01: it was lossy once, and unpacked since.")
    if "C" not in found:
        return wrong("C is near-lossless: near is not the same.")
    return wrong(
        "E: .4.91 is JPEG 2000 in general. It may hold an exact picture or a changed one, and nothing says which."
    )


CHECKS: Final[dict[int, Check]] = {
    0: _little,
    1: _frame,
    2: _unpack,
    3: _ratio,
    4: _error,
    5: _admitted,
}
"""By number."""
