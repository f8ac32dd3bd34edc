"""Data elements as they stand in a file (tag, VR, length, value), and short ways to what they say.

What bytes mean is pydicom's business. A short way is taken only where the meaning is plain to see, and gives the same;
elsewhere it gives None.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from dicomlab.read.walk import implied_vr

__all__ = ["plain_decimals", "plain_numbers", "plain_text", "plain_texts", "tag_of", "value_start", "vr_of"]

FloatArray = npt.NDArray[np.float64]


def tag_of(raw: bytes) -> int:
    """Tag of an element."""
    return int.from_bytes(raw[:2], "little") << 16 | int.from_bytes(raw[2:4], "little")


def value_start(raw: bytes, implicit: bool) -> int:
    """Bytes before its value."""
    return 12 if not implicit and raw[4:6].decode("latin-1") in EXPLICIT_VR_LENGTH_32 else 8


def vr_of(raw: bytes, implicit: bool) -> bytes:
    """VR that it states, or that the dictionary has for its tag."""
    return implied_vr(tag_of(raw)).encode() if implicit else raw[4:6]


def _vrs(raws: Sequence[bytes], implicit: bool) -> set[bytes]:
    return {vr_of(raw, True) for raw in raws} if implicit else {raw[4:6] for raw in raws}


_DECIMALS = re.compile(rb"[-+0-9.eE\\ ]*")
_INTEGERS = re.compile(rb"[-+0-9\\ ]*")
_BINARY = {b"US": "<u2", b"UL": "<u4", b"SL": "<i4", b"FL": "<f4", b"FD": "<f8"}
_CODES = frozenset(b"UI CS TM DA DT AS".split())
_PLAIN = re.compile(rb"[ -\[\]-~]*\0?")


def plain_decimals(raws: Sequence[bytes], implicit: bool) -> FloatArray | None:
    """Numbers of each DS or IS, shape ``(n, count)``, where all are plain to see and equally many; else None."""
    vrs = _vrs(raws, implicit)
    pattern = {b"DS": _DECIMALS, b"IS": _INTEGERS}.get(next(iter(vrs)))
    values = [raw[8:].rstrip(b" \0") for raw in raws]
    counts = {value.count(b"\\") for value in values}
    joined = b"\\".join(values)
    if len(vrs) > 1 or len(counts) > 1 or pattern is None or not pattern.fullmatch(joined):
        return None
    try:
        # No list a value: thousands of them wake the garbage collector, which walks through everything.
        numbers = np.array(list(map(float, joined.split(b"\\"))))
    except ValueError:
        return None
    return numbers.reshape(len(values), -1) if np.isfinite(numbers).all() else None


def plain_numbers(raw: bytes, implicit: bool) -> FloatArray | None:
    """Finite numbers of one element."""
    vr = vr_of(raw, implicit)
    if vr in _BINARY:
        kind = np.dtype(_BINARY[vr])
        if len(raw) == 8 or (len(raw) - 8) % kind.itemsize:
            return None
        numbers = np.frombuffer(raw, kind, offset=8).astype(np.float64)
        if not np.isfinite(numbers).all():
            return None
    else:
        decimals = plain_decimals([raw], implicit)
        if decimals is None:
            return None
        numbers = decimals[0]
    numbers.flags.writeable = False  # shared by all who ask
    return numbers


def plain_text(raw: bytes, implicit: bool) -> str | None:
    """Text of one code, identifier or moment, as it stands but for what pads it."""
    if vr_of(raw, implicit) not in _CODES or len(raw) == 8 or not _PLAIN.fullmatch(raw, 8):
        return None
    return raw[8:].rstrip(b" \0").decode("ascii")


def plain_texts(raws: Sequence[bytes], implicit: bool) -> Sequence[str | None]:
    """Texts of codes, identifiers or moments where they are plain to see, without spaces around them; never empty ones."""
    values = [raw[8:].rstrip(b" \0") for raw in raws]
    if _vrs(raws, implicit) <= _CODES and _PLAIN.fullmatch(b"".join(values)):
        return [value.decode("ascii").strip() or None for value in values]
    return [(plain_text(raw, implicit) or "").strip() or None for raw in raws]
