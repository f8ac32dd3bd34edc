"""Colour as it is stored, to RGB: luminance and chrominance (PS3.3 C.7.6.3.1.2), palettes (PS3.3 C.7.6.3.1.5, C.7.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.headers import Instance

__all__ = ["Palette", "palette", "ybr_to_rgb"]

Values = npt.NDArray[Any]
Integers = npt.NDArray[np.integer[Any]]

_COLOURS = ("Red", "Green", "Blue")


def ybr_to_rgb(ybr: Values, bits: int) -> Values:
    """RGB of YBR_FULL, shape ``(..., 3)`` and dtype kept.

    The standard gives the way from RGB, with four decimals, and no way back. This is the exact inverse of what those
    decimals stand for (luminance 0.299 R + 0.587 G + 0.114 B, chrominance scaled to the same range), as JPEG files use
    it: R = Y + 1.402 Cr, B = Y + 1.772 Cb, G = Y - (0.114 * 1.772 Cb + 0.299 * 1.402 Cr) / 0.587, in integers, so that
    no float decides, halves rounded up, then limited to the range.

    Parameters
    ----------
    ybr
        Unsigned integers.
    bits
        Bits Stored: chrominance is zero at ``2 ** (bits - 1)``.

    References
    ----------
    PS3.3 C.7.6.3.1.2 "Photometric Interpretation"; Rec. ITU-T T.871 section 7.
    """
    wide = np.int32 if bits <= 8 else np.int64  # the products need 27 bits, or 35
    parts: list[Integers] = [ybr[..., k].astype(wide) for k in range(3)]
    luma, blue, red = parts[0], parts[1] - (1 << bits - 1), parts[2] - (1 << bits - 1)
    rgb: Integers = np.empty(ybr.shape, wide)
    rgb[..., 0] = luma + (1402 * red + 500) // 1000
    rgb[..., 1] = luma + (293_500 - 202_008 * blue - 419_198 * red) // 587_000
    rgb[..., 2] = luma + (1772 * blue + 500) // 1000
    return np.clip(rgb, 0, (1 << bits) - 1).astype(ybr.dtype)


@dataclass(frozen=True, eq=False)
class Palette:
    """Colours of PALETTE COLOR.

    Parameters
    ----------
    table
        RGB, shape ``(n, 3)``, uint8 or uint16 as the palette is deep.
    first
        Stored value that the first entry colours.
    """

    table: Values
    first: int

    def apply(self, stored: Values) -> Values:
        """RGB, shape ``stored.shape + (3,)``; values outside the palette take its first or last colour (C.7.6.3.1.5)."""
        entry = np.clip(stored.astype(np.int64) - self.first, 0, len(self.table) - 1)
        return self.table[entry]


def palette(instance: Instance) -> Palette:
    """Palette of a PALETTE COLOR image.

    Raises
    ------
    DicomLabError
        A lookup table is absent, shorter than it declares, or its segments are no sense.

    References
    ----------
    PS3.3 C.7.6.3.1.5 "Palette Color Lookup Table Descriptor", C.7.6.3.1.6 "Palette Color Lookup Table Data", C.7.9.2
    "Segmented Palette Color Lookup Table Data".
    """
    tables = []
    big = not instance.header.original_encoding[1] if hasattr(instance.header, "original_encoding") else False
    descriptors = [_descriptor(instance, colour) for colour in _COLOURS]
    if len(set(descriptors)) > 1:
        raise DicomLabError(
            f"{instance.file}: its three palettes have different sizes or depths: {descriptors}"
        )
    entries, first, bits = descriptors[0]
    for colour in _COLOURS:
        keyword = f"{colour}PaletteColorLookupTableData"
        data, segmented = instance.value(keyword), False
        if data is None:
            keyword = f"Segmented{keyword}"
            data, segmented = instance.value(keyword), True
        if data is None:
            raise DicomLabError(
                f"{instance.file}: a PALETTE COLOR image without {colour} Palette Color Lookup Table Data"
            )
        try:
            numbers = _numbers(data, bits, 0 if segmented else entries, big)
            table = _unfold(numbers, bits, entries) if segmented else numbers[:entries]
        except (ValueError, IndexError, TypeError) as problem:
            raise DicomLabError(f"{instance.file}: {keyword} is broken: {problem}") from problem
        if len(table) < entries:
            raise DicomLabError(
                f"{instance.file}: {keyword} has {len(table)} entries where {entries} are declared"
            )
        tables.append(table)
    return Palette(np.stack(tables, axis=-1).astype(np.uint8 if bits == 8 else np.uint16), first)


def _descriptor(instance: Instance, colour: str) -> tuple[int, int, int]:
    keyword = f"{colour}PaletteColorLookupTableDescriptor"
    found = instance.numbers(keyword)
    if found is None or found.size != 3:
        raise DicomLabError(f"{instance.file}: a PALETTE COLOR image without a valid {keyword}")
    entries, first, bits = (int(number) for number in found)
    # 65,536 entries are written as 0. Whatever VR the descriptor was written with, the number of entries has no sign, and
    # the first value mapped has the sign of the pixels.
    entries = entries % 65536 or 65536
    first %= 65536
    if instance.integer("PixelRepresentation", 0) == 1 and first > 32767:
        first -= 65536
    if bits not in (8, 16):
        raise DicomLabError(f"{instance.file}: {keyword} says {bits} bits; palettes have 8 or 16")
    return entries, first, bits


def _numbers(data: Any, bits: int, entries: int, big: bool) -> npt.NDArray[np.int64]:
    """Entries of palette data; `entries` 0 when unknown (segmented)."""
    if not isinstance(data, bytes):
        return np.atleast_1d(np.asarray(data, np.int64)) % 65536
    words = np.frombuffer(data[: len(data) // 2 * 2], ">u2" if big else "<u2")
    # Entries of 8 bits are packed two to a word, the first in its low byte. Some writers give each a word of its own.
    if bits == 8 and not (entries and len(data) >= 2 * entries):
        return words.astype("<u2").view("u1").astype(np.int64)
    return words.astype(np.int64)


def _unfold(data: npt.NDArray[np.int64], bits: int, entries: int) -> npt.NDArray[np.int64]:
    """Lookup table from its segments."""
    out: list[npt.NDArray[np.int64]] = []
    _segments(data, 0, None, bits, entries, out)
    return np.concatenate(out) if out else np.empty(0, np.int64)


def _segments(
    data: npt.NDArray[np.int64],
    at: int,
    count: int | None,
    bits: int,
    entries: int,
    out: list[npt.NDArray[np.int64]],
) -> None:
    """Append `count` segments from `at` on to `out`; all of them when None, which is the outermost level."""
    done = 0
    while (at < len(data) - 1) if count is None else (done < count):
        if sum(map(len, out)) >= entries:
            return  # what is left is padding
        kind, length = int(data[at]), int(data[at + 1])
        at += 2
        if kind == 0:
            if at + length > len(data):
                raise ValueError("a discrete segment is longer than the data")
            out.append(data[at : at + length])
            at += length
        elif kind == 1:
            if not out:
                raise ValueError("a linear segment has nothing to start from")
            start, end = int(out[-1][-1]), int(data[at])
            steps = np.arange(1, length + 1)
            out.append(
                (2 * (start * length + (end - start) * steps) + length) // (2 * length) if length else steps
            )
            at += 1
        elif kind == 2 and count is None:
            # The offset counts bytes from the start of the data, in two words, or four bytes, the lowest first.
            pieces = 4 if bits == 8 else 2
            if at + pieces > len(data):
                raise ValueError("an indirect segment has no offset")
            offset = sum(int(piece) << bits * k for k, piece in enumerate(data[at : at + pieces]))
            _segments(data, offset * 8 // bits, length, bits, entries, out)
            at += pieces
        else:
            raise ValueError(f"segment type {kind} where it has no meaning")
        done += 1
