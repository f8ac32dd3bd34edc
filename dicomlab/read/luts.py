"""Lookup tables as they stand in a data set: Modality LUT (PS3.3 C.11.1.1), VOI LUT (C.11.2.1.1), palettes (C.7.6.3.1.5)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.privacy import cause_of
from dicomlab.read.elements import Attributes, Level
from dicomlab.voi import MOST_ENTRIES

__all__ = ["LutError", "lut_descriptor", "lut_table", "lut_words"]

Integers = npt.NDArray[np.int64]


class LutError(ValueError):
    """A lookup table cannot be used; the message says why, without the file's name."""


def lut_table(item: Level, signed: bool, name: str = "LUT") -> tuple[int, Integers, int]:
    """First value mapped, entries and bits of a lookup table.

    Parameters
    ----------
    item
        Item of a Modality LUT or VOI LUT Sequence, or the data set that holds a palette.
    signed
        Whether the values that go in may be negative: then the first value mapped is signed.
    name
        What the keywords of its descriptor and its data begin with.

    Raises
    ------
    LutError
        Descriptor or data are missing, no numbers, or too few.
    """
    entries, first, bits = lut_descriptor(item, signed, name)
    words = lut_words(item, f"{name}Data")
    table = _unpacked(words) if bits <= 8 and words.size < entries else words
    if table.size < entries:
        raise LutError(f"{name}Data has {table.size} entries where {entries} are declared")
    return first, table[:entries], bits


def lut_descriptor(item: Level, signed: bool, name: str = "LUT") -> tuple[int, int, int]:
    """Number of entries, first value mapped and bits; parameters and errors as of `lut_table`."""
    keyword = f"{name}Descriptor"
    # Whether the three numbers were written as US or SS depends on what a writer knew; their bits do not.
    words = lut_words(item, keyword)
    if words.size != 3:
        raise LutError(f"{keyword} holds {words.size} numbers, not 3")
    entries, first, bits = (int(word) for word in words)
    # An explicit SS is somebody's word; in implicit VR the sign is pydicom's guess from the stored pixels.
    implicit, _ = item.original_encoding
    written = Attributes.of(item).numbers(keyword)
    below_zero = not implicit and written is not None and written[1] < 0
    if first > 0x7FFF and (signed or below_zero):
        first -= 1 << 16
    return entries or MOST_ENTRIES, first, bits  # 65,536 does not fit into 16 bits and is written as 0


def lut_words(item: Level, keyword: str, bits: int = 16) -> Integers:
    """Numbers of US, SS or OW, whatever their VR says of a sign: from 0 to 65535; of 8 bits two to a word.

    Raises
    ------
    LutError
        The attribute is missing or holds no numbers.
    """
    value: Any = Attributes.of(item).value(keyword)
    if value is None:
        raise LutError(f"{keyword} is missing")
    if isinstance(value, bytes):
        # Bytes come as they were written: the other way round in a big-endian file.
        _, little = item.original_encoding
        padded = value[: 2 * MOST_ENTRIES] + b"\0" * (len(value) % 2)
        words = np.frombuffer(padded[: len(padded) // 2 * 2], ">u2" if little is False else "<u2")
    else:
        try:
            words = np.atleast_1d(np.asarray(value, np.int64) & 0xFFFF)
        except (TypeError, ValueError, OverflowError) as problem:
            raise LutError(f"{keyword} holds no whole numbers") from cause_of(problem)
    return _unpacked(words) if bits == 8 else words.astype(np.int64)


def _unpacked(words: npt.NDArray[Any]) -> Integers:
    """Entries of 8 bits, of which each word holds two, the first in its low byte."""
    return words.astype("<u2").view(np.uint8).astype(np.int64)
