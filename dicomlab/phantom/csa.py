"""Siemens' CSA image header, written: what a mosaic says of its slices outside the standard's attributes.

The standard leaves (0029,xx10) to its maker, who does not publish it; the layout here is the one that all readers of it agree
on: ``SV10``, then little-endian 32-bit numbers; every element has a name, a multiplicity, a VR and items of text.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence

__all__ = ["csa_image_header"]

_VR = {
    "NumberOfImagesInMosaic": "US",
    "B_value": "IS",
    "EchoLinePosition": "IS",
    "PhaseEncodingDirectionPositive": "IS",
    "DiffusionDirectionality": "CS",
}
_SYNGO = {"US": 9, "IS": 6, "CS": 16, "LO": 19, "FD": 4}
_SYNC, _PLACES = 77, 6


def csa_image_header(values: Mapping[str, Sequence[str]]) -> bytes:
    """Value of "SIEMENS CSA HEADER" (0029,xx10) in the form that begins with ``SV10`` (CSA2).

    Parameters
    ----------
    values
        Element names to their values as text, for instance ``{"NumberOfImagesInMosaic": ["36"], "SliceNormalVector":
        ["0.0", "0.0", "1.0"]}``: ASCII, names of at most 63 letters. An element may be empty.

    Raises
    ------
    ValueError
        A name is too long for its field.
    """
    pieces = [b"SV10\4\3\2\1", struct.pack("<II", len(values), _SYNC)]
    for name, items in values.items():
        if len(name) > 63:
            raise ValueError(f"CSA element names have at most 63 letters, not {len(name)}: {name[:70]}")
        vr = _VR.get(name) or ("FD" if all(map(_is_number, items)) else "LO")
        # The scanner makes room for six items at least wherever there is a value, and leaves the places after the last empty.
        places = max(_PLACES, len(items)) if items else 0
        head = struct.pack(
            "<64si4siii", name.encode("ascii"), len(items), vr.encode(), _SYNGO[vr], places, _SYNC
        )
        pieces.append(head)
        for place in range(places):
            text = items[place].encode("ascii") + b"\0" if place < len(items) else b""
            pieces.append(struct.pack("<iiii", len(text), len(text), _SYNC, len(text)))
            pieces.append(text + bytes(-len(text) % 4))
    data = b"".join(pieces)
    return data + bytes(len(data) % 2)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
