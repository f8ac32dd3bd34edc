"""Colour as it is stored, to RGB: luminance and chrominance (PS3.3 C.7.6.3.1.2), palettes (PS3.3 C.7.6.3.1.5, C.7.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.headers import Instance
from dicomlab.read.luts import LutError, lut_descriptor, lut_table, lut_words

__all__ = ["Palette", "palette", "ybr_to_rgb"]

Values = npt.NDArray[Any]
Integers = npt.NDArray[np.integer[Any]]


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
    signed = instance.integer("PixelRepresentation", 0) == 1
    names = [f"{colour}PaletteColorLookupTable" for colour in ("Red", "Green", "Blue")]
    try:
        descriptors = [lut_descriptor(instance.header, signed, name) for name in names]
        if len(set(descriptors)) > 1:
            raise LutError(f"its three palettes have different sizes or depths: {descriptors}")
        _, first, bits = descriptors[0]
        if bits not in (8, 16):
            raise LutError(f"{names[0]}Descriptor says {bits} bits; palettes have 8 or 16")
        table = np.stack([_entries(instance, name, signed) for name in names], axis=-1)
    except LutError as problem:
        raise DicomLabError(
            f"{instance.file}: a PALETTE COLOR image without a sound palette: {problem}"
        ) from problem
    # Entries that 8 bits cannot hold have 16, whatever the descriptor says: cut to 8 they would be other colours.
    deep = bits == 16 or int(table.max()) > 255
    return Palette(table.astype(np.uint16 if deep else np.uint8), first)


def _entries(instance: Instance, name: str, signed: bool) -> npt.NDArray[np.int64]:
    """Entries of one colour, plain or from its segments."""
    segmented = f"Segmented{name}Data"
    if instance.value(f"{name}Data") is not None or instance.value(segmented) is None:
        return lut_table(instance.header, signed, name)[1]
    entries, _, bits = lut_descriptor(instance.header, signed, name)
    try:
        table = _unfold(lut_words(instance.header, segmented, bits), bits, entries)[:entries]
    except (ValueError, IndexError) as problem:
        raise LutError(f"{segmented} is broken: {problem}") from problem
    if table.size < entries:
        raise LutError(f"{segmented} has {table.size} entries where {entries} are declared")
    return table


def _unfold(data: Integers, bits: int, entries: int) -> npt.NDArray[np.int64]:
    """Lookup table from its segments."""
    out: list[int] = []
    _segments(data.tolist(), 0, None, bits, entries, out)
    return np.array(out, np.int64)


def _segments(data: list[int], at: int, count: int | None, bits: int, entries: int, out: list[int]) -> None:
    """Append `count` segments from `at` on to `out`; all of them when None, which is the outermost level."""
    done = 0
    while (at < len(data) - 1) if count is None else (done < count):
        if len(out) >= entries:
            return  # what is left is padding
        kind, length = data[at], data[at + 1]
        at += 2
        if not length:  # repeated often enough, segments of nothing would never end
            raise ValueError("an empty segment")
        if kind == 0:
            if at + length > len(data):
                raise ValueError("a discrete segment is longer than the data")
            out += data[at : at + length]
            at += length
        elif kind == 1:
            if not out:
                raise ValueError("a linear segment has nothing to start from")
            start, rise = out[-1], data[at] - out[-1]
            out += [start + (2 * rise * step + length) // (2 * length) for step in range(1, length + 1)]
            at += 1
        elif kind == 2 and count is None:
            # The offset counts bytes from the start of the data, in two words, or four bytes, the lowest first.
            pieces = 4 if bits == 8 else 2
            if at + pieces > len(data):
                raise ValueError("an indirect segment has no offset")
            offset = sum(piece << bits * k for k, piece in enumerate(data[at : at + pieces]))
            _segments(data, offset * 8 // bits, length, bits, entries, out)
            at += pieces
        else:
            raise ValueError(f"segment type {kind} where it has no meaning")
        done += 1
