"""Siemens' CSA image header: the maker's own list of named values inside (0029,xx10) "SIEMENS CSA HEADER".

The standard knows the element only as private bytes (PS3.5 7.8). Two layouts exist, called CSA1 and CSA2 after their age; the second
begins with ``SV10``. Both are a count, then elements of a fixed head (name, multiplicity, VR, number of items) and their items as text.
"""

from __future__ import annotations

import struct

from dicomlab.read.elements import Attributes

__all__ = ["CREATOR", "IMAGE_HEADER", "csa_header", "parse_csa"]

CREATOR = "SIEMENS CSA HEADER"
IMAGE_HEADER = (0x0029, CREATOR, 0x10)

_HEAD = struct.Struct("<64si4siii")
_ITEM = struct.Struct("<iiii")
_MOST_ELEMENTS, _MOST_ITEMS = 1 << 10, 1 << 14
"""More than any scanner writes; what claims more is damage."""


def csa_header(attributes: Attributes) -> dict[str, list[str]]:
    """Named values of the CSA image header, each a list of texts; empty when it is absent or no such header.

    Damage ends the list: what stood before it is returned. Text is not trusted further than being printable Latin-1.
    """
    value = attributes.private(*IMAGE_HEADER)
    return parse_csa(value) if isinstance(value, bytes) else {}


def parse_csa(data: bytes) -> dict[str, list[str]]:
    """Named values in the bytes of a CSA header of either layout; see `csa_header`."""
    second = data[:4] == b"SV10"
    at = 8 if second else 0
    if len(data) < at + 8:
        return {}
    (count,) = struct.unpack_from("<I", data, at)
    at += 8
    found: dict[str, list[str]] = {}
    if not 0 < count <= _MOST_ELEMENTS:
        return found
    offset = None
    for _ in range(count):
        if at + _HEAD.size > len(data):
            break
        raw, multiplicity, _vr, _syngo, places, sync = _HEAD.unpack_from(data, at)
        at += _HEAD.size
        name = _text(raw)
        if sync not in (77, 205) or not 0 <= places <= _MOST_ITEMS or not name.isascii() or not name:
            break
        if offset is None:
            offset = places  # the older layout adds the first element's number of items to every length
        items: list[str] = []
        for place in range(places):
            if at + _ITEM.size > len(data):
                return found
            first, length, _, _ = _ITEM.unpack_from(data, at)
            at += _ITEM.size
            if not second:
                length = first - offset
            if length < 0 or at + length > len(data):
                return found
            # A multiplicity of 0 leaves the number of values open (CSA1): those that hold text count.
            if place < multiplicity or (multiplicity == 0 and length):
                items.append(_text(data[at : at + length]))
            at += -(-length // 4) * 4
        found[name] = items
    return found


def _text(raw: bytes) -> str:
    return raw.split(b"\0", 1)[0].decode("latin-1").strip()
