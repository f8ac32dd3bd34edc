"""Siemens' CSA headers: the maker's own lists of named values inside (0029,xx10) and (0029,xx20) "SIEMENS CSA HEADER".

The standard knows the elements only as private bytes (PS3.5 7.8). Two layouts exist, called CSA1 and CSA2 after their age; the
second begins with ``SV10``. Both are a count, then elements of a fixed head (name, multiplicity, VR, number of items) and their
items as text.
"""

from __future__ import annotations

import re
import struct

import numpy as np
import numpy.typing as npt
from pydicom.tag import Tag

from dicomlab.read.elements import Attributes

__all__ = ["CREATOR", "SERIES_HEADER", "csa_header", "csa_numbers", "parse_csa", "protocol_slices"]

FloatArray = npt.NDArray[np.float64]

CREATOR = "SIEMENS CSA HEADER"
IMAGE_HEADER, SERIES_HEADER = 0x10, 0x20

_HEAD = struct.Struct("<64si4siii")
_ITEM = struct.Struct("<iiii")
# More than any scanner writes; what claims more is damage.
_MOST_ELEMENTS, _MOST_ITEMS, _MOST_SLICES = 1 << 10, 1 << 14, 1 << 12
_SIZE = re.compile(r"sSliceArray\.lSize\s*=\s*(\d{1,6})\b")
_PLACE = re.compile(
    r"sSliceArray\.asSlice\[(\d{1,6})\]\.sPosition\.d(Sag|Cor|Tra)\s*=\s*([-+]?[0-9.]{1,30}(?:e[-+]?\d{1,3})?)(?!\S)",
    re.I,
)


def csa_header(attributes: Attributes, element: int = IMAGE_HEADER) -> dict[str, list[str]]:
    """Named values of a CSA header, each a list of texts; empty when it is absent or no such header.

    Damage ends the list: what stood before it is returned.

    Parameters
    ----------
    element
        `IMAGE_HEADER` (0x10) or `SERIES_HEADER` (0x20).
    """
    value = attributes.private(0x0029, CREATOR, element)
    if value is None and not attributes.text(Tag(0x0029, 0x0010)):
        # Anonymisers remove the creator and leave what it created. Private elements without one mean nothing (PS3.5 7.8.1), but
        # these bytes say themselves what they are.
        loose = attributes.value(Tag(0x0029, 0x1000 | element))
        value = loose if isinstance(loose, bytes) and loose.startswith(b"SV10") else None
    return parse_csa(value) if isinstance(value, bytes) else {}


def csa_numbers(header: dict[str, list[str]], name: str) -> FloatArray | None:
    """Finite numbers of a CSA element, shape ``(n,)``; None when it is absent, empty or holds anything else."""
    try:
        numbers = np.array([float(text) for text in header.get(name, []) if text], dtype=np.float64)
    except ValueError:
        return None
    return numbers if numbers.size and np.all(np.isfinite(numbers)) else None


def parse_csa(data: bytes) -> dict[str, list[str]]:
    """Named values in the bytes of a CSA header of either layout; see `csa_header`."""
    second = data[:4] == b"SV10"
    at = 8 if second else 0
    found: dict[str, list[str]] = {}
    if len(data) < at + 8:
        return found
    (count,) = struct.unpack_from("<I", data, at)
    at += 8
    if count > _MOST_ELEMENTS:
        return found
    extra = None
    for _ in range(count):
        if at + _HEAD.size > len(data):
            return found
        raw, multiplicity, _vr, _syngo, places, sync = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = _text(raw)
        if sync not in (77, 205) or not 0 <= places <= _MOST_ITEMS or not name or not name.isascii():
            return found
        if extra is None:
            extra = places  # the older layout adds the first element's number of items to every length
        items: list[str] = []
        for place in range(places):
            if at + _ITEM.size > len(data):
                return found
            first, length, _, _ = _ITEM.unpack_from(data, at)
            at += _ITEM.size
            if not second:
                length = first - extra
            if length < 0 or at + length > len(data):
                return found
            # A multiplicity of 0 leaves the number of values open: those that hold text count.
            if place < multiplicity or (multiplicity == 0 and length):
                items.append(_text(data[at : at + length]))
            at += -(-length // 4) * 4
        while items and not items[-1]:
            items.pop()
        found[name] = items
    return found


def protocol_slices(attributes: Attributes) -> FloatArray | None:
    """Centres of the slices that the protocol in the CSA series header plans, LPS mm, shape ``(n, 3)``; or None."""
    header = csa_header(attributes, SERIES_HEADER)
    text = "".join(header.get("MrPhoenixProtocol") or header.get("MrProtocol") or [])
    size = _SIZE.search(text)
    count = int(size[1]) if size else 0
    if not 0 < count <= _MOST_SLICES:
        return None
    centres = np.zeros((count, 3))  # a coordinate of 0 is not written
    seen = set()
    for index, axis, number in _PLACE.findall(text):
        try:
            centres[int(index), ("sag", "cor", "tra").index(axis.lower())] = float(number)
        except (ValueError, IndexError):
            return None
        seen.add(int(index))
    # At most one slice lies at the isocentre and has no coordinate at all.
    return centres if len(seen) >= count - 1 and np.all(np.isfinite(centres)) else None


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
