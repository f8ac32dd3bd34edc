"""What tags, VRs and values are in words: pydicom's dictionaries for the names, the bytes as their VR means them.

References
----------
PS3.5 6.2 (value representations), 6.1 (character sets); PS3.6 and PS3.15 by pydicom.
"""

from __future__ import annotations

import struct
from functools import cache

from pydicom import charset, datadict
from pydicom.config import IGNORE
from pydicom.uid import UID

from dicomlab.teach.dissect.nodes import ITEM, ITEM_END, SEQUENCE_END, Node
from dicomlab.warn import quiet

__all__ = [
    "MEANINGS",
    "NUMBERS",
    "TEXTS",
    "WORDED",
    "decoded",
    "encodings",
    "is_lengthy",
    "keyword_of",
    "most_values",
    "name_of",
    "size_of",
    "text_of",
    "uid_name",
    "vr_of",
]

MEANINGS = {
    "AE": "application entity, the name of a DICOM program",
    "AS": "age, three digits and D, W, M or Y",
    "AT": "attribute tag",
    "CS": "code string, capitals and digits",
    "DA": "date, YYYYMMDD",
    "DS": "decimal string",
    "DT": "date and time",
    "FD": "64-bit floats",
    "FL": "32-bit floats",
    "IS": "integer string",
    "LO": "long string, at most 64 characters",
    "LT": "long text",
    "OB": "other bytes",
    "OD": "other 64-bit floats",
    "OF": "other 32-bit floats",
    "OL": "other 32-bit words",
    "OV": "other 64-bit words",
    "OW": "other 16-bit words",
    "PN": "person name, parts between ^",
    "SH": "short string, at most 16 characters",
    "SL": "signed 32-bit integers",
    "SQ": "sequence of items",
    "SS": "signed 16-bit integers",
    "ST": "short text",
    "SV": "signed 64-bit integers",
    "TM": "time, HHMMSS",
    "UC": "unlimited characters",
    "UI": "unique identifier, numbers and dots",
    "UL": "unsigned 32-bit integers",
    "UN": "unknown, a value that its writer could not name",
    "UR": "web address",
    "US": "unsigned 16-bit integers",
    "UT": "unlimited text",
    "UV": "unsigned 64-bit integers",
}
"""What each VR means."""

NUMBERS = {
    "US": "H",
    "SS": "h",
    "UL": "I",
    "SL": "i",
    "FL": "f",
    "FD": "d",
    "UV": "Q",
    "SV": "q",
    "AT": "HH",
}
_MULTIPLE = frozenset(("AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"))
TEXTS = _MULTIPLE | frozenset(("LT", "ST", "UR", "UT"))
"""VRs of text."""
_OF_SET = frozenset(("LO", "LT", "PN", "SH", "ST", "UC", "UT"))
WORDED = TEXTS - frozenset(("DS", "IS"))
"""VRs of text that may hold words; those of numbers are many, and name nobody."""
# Longest value in characters (PS3.5 6.2); those with character sets may take more bytes.
_MOST = {
    "AE": 16,
    "AS": 4,
    "CS": 16,
    "DA": 8,
    "DS": 16,
    "DT": 26,
    "IS": 12,
    "LO": 64,
    "SH": 16,
    "TM": 14,
    "UI": 64,
}
_DELIMITERS = {ITEM: "Item", ITEM_END: "ItemDelimitationItem", SEQUENCE_END: "SequenceDelimitationItem"}
_SHOWN = 96


@cache
def vr_of(tag: int, creator: str) -> str:
    """The VR that the dictionaries have for a tag, ``""`` if none; ``"US or SS"`` where it depends."""
    if tag & 0xFFFF == 0:
        return "UL"
    try:
        if tag >> 16 & 1:
            if 0x10 <= tag & 0xFFFF <= 0xFF:
                return "LO"
            return datadict.private_dictionary_VR(tag, creator) if creator else ""
        return datadict.dictionary_VR(tag)
    except KeyError:
        return ""


@cache
def keyword_of(tag: int) -> str:
    """The keyword of a tag of the standard, ``""`` if it has none."""
    return _DELIMITERS.get(tag) or datadict.keyword_for_tag(tag)


@cache
def name_of(tag: int, creator: str) -> str:
    """The name of a tag in words, ``""`` if nobody has named it."""
    if tag in _DELIMITERS:
        return {ITEM: "Item", ITEM_END: "End of the item", SEQUENCE_END: "End of the sequence"}[tag]
    if tag & 0xFFFF == 0:
        return "Group Length"
    try:
        if tag >> 16 & 1:
            if 0x10 <= tag & 0xFFFF <= 0xFF:
                return "Private Creator"
            return datadict.private_dictionary_description(tag, creator) if creator else ""
        return datadict.dictionary_description(tag)
    except KeyError:
        return ""


def size_of(vr: str) -> int:
    """Bytes of one binary number (`NUMBERS`)."""
    return struct.calcsize("<" + NUMBERS[vr])


@cache
def most_values(tag: int) -> int:
    """How many values the dictionary allows at most, 0 where any number or nobody knows."""
    if tag >> 16 & 1 or tag & 0xFFFF == 0:
        return int(tag & 0xFFFF == 0)
    try:
        last = datadict.dictionary_VM(tag).split("-")[-1]
    except KeyError:
        return 0
    return int(last) if last.isdigit() else 0


def uid_name(text: str) -> str:
    """The name of a UID of the standard, ``""`` for others."""
    name = UID(text, validation_mode=IGNORE).name  # which would say in a warning what it does not like
    return "" if name == text else str(name)


def encodings(value: bytes) -> list[str]:
    """Python's codecs of a Specific Character Set (0008,0005)."""
    text = value.decode("latin-1").rstrip(" \0")
    try:
        with quiet():
            return charset.convert_encodings(text.split("\\") if text else [])
    except (LookupError, ValueError):
        return ["latin-1"]


def is_lengthy(value: bytes, vr: str) -> bool:
    """Whether a text (`TEXTS`) is longer than its VR allows or goes on behind a NUL: it may hold another element."""
    if b"\0" in value.rstrip(b"\0"):
        return True
    most = _MOST.get(vr)
    if most is None:
        return False
    room = 4 * most if vr in _OF_SET else most
    return any(len(one.strip(b" \0")) > room for one in value.split(b"\\"))


def decoded(value: bytes, whole: int, node: Node, codecs: list[str]) -> tuple[str, int]:
    """A value as short text, and how many values it has; ``("", 0)`` where its VR says nothing of it.

    Parameters
    ----------
    value, whole
        The bytes, or only the first of them, and how many there are.
    node
        Whose value it is.
    codecs
        Of `encodings`.
    """
    vr = node.vr.split(" ")[0]
    if vr in TEXTS:
        text = text_of(value, vr, codecs)
        if whole == len(value):
            text = text.rstrip(" \0")
        count = text.count("\\") + 1 if vr in _MULTIPLE and text else int(bool(text))
        if vr == "UI" and (name := uid_name(text)):
            text = f"{text} ({name})"
        return _cut(_printable(text), whole > len(value)), count
    if vr in NUMBERS:
        form = NUMBERS[vr]
        size = size_of(vr)
        count = whole // size
        shown = min(8, len(value) // size)
        numbers = struct.unpack(f"{'<' if node.little else '>'}{form * shown}", value[: size * shown])
        if vr == "AT":
            told = [f"({numbers[k]:04x},{numbers[k + 1]:04x})" for k in range(0, len(numbers), 2)]
        else:
            told = [f"{one:.7g}" if vr in ("FL", "FD") else str(one) for one in numbers]
        return "\\".join(told) + ("\\…" if count > shown else ""), count
    return "", 0


def text_of(value: bytes, vr: str, codecs: list[str]) -> str:
    """The bytes of a text (`TEXTS`) as text, with its padding."""
    if vr not in _OF_SET:
        return value.decode("latin-1")
    with quiet():
        return charset.decode_bytes(value, codecs, set())


def _printable(text: str) -> str:
    # Line breaks of texts, and whatever else would not show, as a sign that does.
    return "".join(one if one.isprintable() else "·" for one in text)


def _cut(text: str, more: bool) -> str:
    return text[: _SHOWN - 1] + "…" if more or len(text) > _SHOWN else text
