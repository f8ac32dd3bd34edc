"""Windows and VOI LUTs as they stand in a data set (PS3.3 C.11.2)."""

from __future__ import annotations

from itertools import zip_longest
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.errors import WindowError
from dicomlab.read.elements import Attributes
from dicomlab.read.modality import Transform
from dicomlab.voi import MOST_ENTRIES, VoiLut
from dicomlab.windowing import AnyWindow, VoiFunction, Window

__all__ = ["lut_table", "may_be_negative", "voi_windows"]


def may_be_negative(stored: Attributes, transform: Transform) -> bool:
    """Whether the headers allow a value below zero after `transform`: what decides the sign of a LUT's first value.

    The standard asks for the possible range, not for the one that occurs (C.11.2.1.1).
    """
    bits = min(max(stored.integer("BitsStored", 16), 1), 32)
    signed = stored.integer("PixelRepresentation", 0) == 1
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    return transform.value_range(low, high)[0] < 0


def voi_windows(attributes: Attributes, signed: bool) -> tuple[AnyWindow, ...]:
    """Windows, then VOI LUTs, in the order of the file: any one of them may be applied (C.11.2.1).

    What the standard does not allow is left out: a bad window hides no voxel and moves none.

    Parameters
    ----------
    attributes
        An image, a frame with its functional groups (C.7.6.16.2.10), or an item of a presentation state. The first level
        that offers a window decides: a function or an explanation belongs to the numbers it stands beside.
    signed
        Whether the values that the windows are for, the output of the Modality LUT, may be negative.
    """
    for level in attributes.levels:
        one = Attributes.of(level)
        found = [*_windows(one), *_luts(one, signed)]
        if found:
            return tuple(found)
    return ()


def _windows(level: Attributes) -> list[AnyWindow]:
    centers, widths = level.numbers("WindowCenter"), level.numbers("WindowWidth")
    if centers is None or widths is None or centers.size != widths.size:
        return []
    explanations = level.texts("WindowCenterWidthExplanation")
    if len(explanations) != centers.size:
        explanations = []
    function = cast(VoiFunction, level.text("VOILUTFunction").upper() or "LINEAR")
    found: list[AnyWindow] = []
    for center, width, explanation in zip_longest(centers, widths, explanations, fillvalue=""):
        try:
            found.append(Window(float(center), float(width), function, str(explanation)))
        except WindowError:
            continue
    return found


def _luts(level: Attributes, signed: bool) -> list[AnyWindow]:
    found: list[AnyWindow] = []
    for item in level.items("VOILUTSequence"):
        lut = _lut(item, signed)
        if lut is not None:
            found.append(lut)
    return found


def _lut(item: Dataset, signed: bool) -> VoiLut | None:
    """One item of VOI LUT Sequence (0028,3010); None when it breaks C.11.2.1.1."""
    table = lut_table(item, signed)
    if table is None:
        return None
    first, entries, bits = table
    try:
        return VoiLut(first, entries.tolist(), bits, Attributes.of(item).text("LUTExplanation"))
    except WindowError:
        return None


def lut_table(item: Dataset, signed: bool) -> tuple[int, npt.NDArray[np.int64], int] | None:
    """First value mapped, entries and bits of LUT Descriptor (0028,3002) and LUT Data (0028,3006); None when broken.

    Parameters
    ----------
    item
        Item of a Modality LUT (C.11.1.1) or VOI LUT Sequence (C.11.2.1.1).
    signed
        Whether the values that go in may be negative: then the first value mapped is signed.
    """
    attributes = Attributes.of(item)
    # Whether the three numbers were written as US or SS depends on what a writer knew; their bits do not.
    descriptor = _words(item, attributes.value("LUTDescriptor"))
    words = _words(item, attributes.value("LUTData"))
    if descriptor is None or descriptor.size != 3 or words is None:
        return None
    entries, first, bits = (int(number) for number in descriptor)
    entries = entries or MOST_ENTRIES  # 65,536 does not fit into the 16 bits
    # An explicit SS is somebody's word; in implicit VR the sign is pydicom's guess from the stored pixels.
    implicit, _ = item.original_encoding
    written = attributes.numbers("LUTDescriptor")
    below_zero = not implicit and written is not None and written[1] < 0
    if first > 0x7FFF and (signed or below_zero):
        first -= 1 << 16
    if bits <= 8 and words.size == -(-entries // 2) and entries > 1:
        words = words.astype("<u2").view(np.uint8)  # two entries to a word, the first in the low byte
    return None if words.size < entries else (first, words[:entries].astype(np.int64), bits)


def _words(item: Dataset, value: Any) -> npt.NDArray[np.uint16] | None:
    """Numbers of US, SS or OW as unsigned 16-bit words."""
    if isinstance(value, bytes):
        # Bytes come as they were written: the other way round in a big-endian file.
        _, little = item.original_encoding
        words = min(len(value) // 2, MOST_ENTRIES)
        return np.frombuffer(value, ">u2" if little is False else "<u2", words).astype(np.uint16)
    try:
        return np.atleast_1d(np.asarray(value, np.int64) & 0xFFFF).astype(np.uint16)
    except (TypeError, ValueError, OverflowError):
        return None
