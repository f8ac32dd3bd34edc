"""Windows and VOI LUTs as they stand in a data set (PS3.3 C.11.2)."""

from __future__ import annotations

from itertools import zip_longest
from typing import cast

from dicomlab.errors import WindowError
from dicomlab.read.elements import Attributes, Level
from dicomlab.read.luts import LutError, lut_table
from dicomlab.read.modality import Transform
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, VoiFunction, Window

__all__ = ["may_be_negative", "voi_windows"]


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


def _lut(item: Level, signed: bool) -> VoiLut | None:
    """One item of VOI LUT Sequence (0028,3010); None when it breaks C.11.2.1.1."""
    try:
        first, entries, bits = lut_table(item, signed)
        return VoiLut(first, entries.tolist(), bits, Attributes.of(item).text("LUTExplanation"))
    except (LutError, WindowError):
        return None
