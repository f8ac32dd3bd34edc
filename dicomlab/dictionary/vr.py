"""Value representations: what kind of value an attribute has, and what its bytes are. PS3.5 section 6.2.

The 34 VRs of the standard are in `VRS`. A few attributes have one of two or three, which other attributes decide; `CHOICES`
says how.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["CHOICES", "VRS", "Vr", "vm_allows", "vm_means", "vr_means"]


@dataclass(frozen=True, slots=True)
class Vr:
    """One value representation.

    Parameters
    ----------
    code, name
        ``"DS"``, ``"Decimal String"``.
    says
        What such a value is, in plain words.
    bytes
        What its bytes are.
    limit
        How long one value may be.
    padding
        What makes its length even; ``""``: it is always even.
    trap
        What goes wrong with it.
    several
        Whether a backslash separates several values of one attribute (texts), or values follow one another (numbers).
    """

    code: str
    name: str
    says: str
    bytes: str
    limit: str
    padding: str = ""
    trap: str = ""
    several: bool = True

    @property
    def long_length(self) -> bool:
        """Whether its length has 4 bytes in explicit VR (two reserved bytes come before it); else 2, so 65534 at most."""
        return self.code in _LONG


_LONG = frozenset(["OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"])
_SPACE = "a space at the end"
_NULL = "a zero byte at the end"

_ALL = (
    Vr(
        "AE",
        "Application Entity",
        "The title of a program in the network, as archives and scanners know one another.",
        "text of the default character set, no backslash and no control characters",
        "16 bytes",
        _SPACE,
        "Spaces before and after do not count, those inside do; upper and lower case differ.",
    ),
    Vr(
        "AS",
        "Age String",
        "An age: three digits and D, W, M or Y for days, weeks, months or years, as 018M.",
        "text: nnnD, nnnW, nnnM or nnnY",
        "exactly 4 bytes",
        "",
        "It is the age at the examination, not today; 45 or 45Y instead of 045Y is not allowed but seen.",
    ),
    Vr(
        "AT",
        "Attribute Tag",
        "The tag of another attribute, as a pointer to it.",
        "two unsigned 16-bit integers, group then element",
        "exactly 4 bytes",
        "",
        "Each half is swapped by itself in little endian: (0018,00FF) is 18 00 FF 00, not one 32-bit integer.",
    ),
    Vr(
        "CS",
        "Code String",
        "One word out of a list that the standard gives, or defines terms for.",
        "upper-case letters, digits, space and underscore",
        "16 bytes",
        _SPACE,
        "Spaces before and after do not count: strip before comparing. Lower case occurs and is wrong.",
    ),
    Vr(
        "DA",
        "Date",
        "A date, YYYYMMDD.",
        "8 digits",
        "exactly 8 bytes; in a query also a range, YYYYMMDD-YYYYMMDD, of 18 at most",
        "",
        "Old files have 1993.08.22. It has no time zone; with a time of its own, take both from the same pair.",
    ),
    Vr(
        "DS",
        "Decimal String",
        "A decimal number, written as text.",
        "digits, + - . and E or e",
        "16 bytes for each number",
        "spaces before or after",
        "16 characters leave a negative cosine 13 decimals, so directions and positions are rounded. "
        "A decimal comma is not allowed but occurs.",
    ),
    Vr(
        "DT",
        "Date Time",
        "A date and time, YYYYMMDDHHMMSS.FFFFFF&ZZXX; what is not known is left away from the right.",
        "digits, a point before the fraction, + or - before the offset from UTC",
        "26 bytes; in a query also a range, of 54 at most",
        _SPACE,
        "Without an offset it is in the zone of Timezone Offset From UTC, or in an unknown local one.",
    ),
    Vr("FL", "Floating Point Single", "A number of about 7 digits.", "IEEE 754, 32 bits", "exactly 4 bytes"),
    Vr(
        "FD",
        "Floating Point Double",
        "A number of about 15 digits.",
        "IEEE 754, 64 bits",
        "exactly 8 bytes",
    ),
    Vr(
        "IS",
        "Integer String",
        "A whole number, written as text.",
        "digits, with a + or - before them",
        "12 bytes; from -2147483648 to 2147483647",
        "spaces before or after",
        "Some writers put 1.0 or a number beyond 32 bits there.",
    ),
    Vr(
        "LO",
        "Long String",
        "A short text on one line.",
        "text in the character set of the file, no backslash",
        "64 characters",
        _SPACE,
        "64 characters, not bytes: in UTF-8 it may be longer.",
    ),
    Vr(
        "LT",
        "Long Text",
        "A text of one or more paragraphs.",
        "text in the character set of the file, with line breaks",
        "10240 characters",
        _SPACE,
        "A backslash is a character here and separates nothing.",
        several=False,
    ),
    Vr(
        "OB",
        "Other Byte",
        "Bytes whose meaning other attributes say: pixels of 8 bits, compressed pixels, documents.",
        "bytes, the same in either byte order",
        "2³²−2 bytes, or of undefined length when it holds compressed fragments",
        _NULL,
        "An even length hides whether the last byte is data: count pixels, not bytes.",
        several=False,
    ),
    Vr(
        "OD",
        "Other Double",
        "A stream of 64-bit floating point numbers.",
        "IEEE 754, 64 bits each",
        "2³²−8 bytes",
        several=False,
    ),
    Vr(
        "OF",
        "Other Float",
        "A stream of 32-bit floating point numbers.",
        "IEEE 754, 32 bits each",
        "2³²−4 bytes",
        several=False,
    ),
    Vr(
        "OL",
        "Other Long",
        "A stream of 32-bit words.",
        "32-bit words, swapped by byte order",
        "2³²−4 bytes",
        several=False,
    ),
    Vr(
        "OV",
        "Other 64-bit Very Long",
        "A stream of 64-bit words.",
        "64-bit words, swapped by byte order",
        "2³²−8 bytes",
        several=False,
    ),
    Vr(
        "OW",
        "Other Word",
        "A stream of 16-bit words: pixels of more than 8 bits, tables.",
        "16-bit words, swapped by byte order",
        "2³²−2 bytes",
        "",
        "8-bit pixels may be OW: in big endian their bytes are then swapped in pairs.",
        several=False,
    ),
    Vr(
        "PN",
        "Person Name",
        "A person's name in five parts with ^ between: family, given, middle, prefix, suffix.",
        "text in the character set of the file; = separates the alphabetic, ideographic and phonetic form",
        "64 characters for each of the three forms",
        _SPACE,
        "Not everybody fills all parts, and DOE^JOHN, Doe^John and John Doe are three names to a program.",
    ),
    Vr(
        "SH",
        "Short String",
        "A short text, often a number or name of something.",
        "text in the character set of the file, no backslash",
        "16 characters",
        _SPACE,
        "Texts that are longer are cut by the system that stores them, or refused.",
    ),
    Vr("SL", "Signed Long", "A whole number with a sign.", "two's complement, 32 bits", "exactly 4 bytes"),
    Vr(
        "SQ",
        "Sequence of Items",
        "A list of items, each a small data set of its own; sequences may hold sequences.",
        "items, each with the tag (FFFE,E000) and a length; with an undefined length a delimiter ends it",
        "any",
        "",
        "A list of one item is still a list: take [0]. An empty one has no items.",
        several=False,
    ),
    Vr(
        "SS",
        "Signed Short",
        "A small whole number with a sign.",
        "two's complement, 16 bits",
        "exactly 2 bytes",
    ),
    Vr(
        "ST",
        "Short Text",
        "A text of a paragraph.",
        "text in the character set of the file, with line breaks",
        "1024 characters",
        _SPACE,
        "A backslash is a character here and separates nothing.",
        several=False,
    ),
    Vr(
        "SV",
        "Signed 64-bit Very Long",
        "A large whole number with a sign.",
        "two's complement, 64 bits",
        "exactly 8 bytes",
    ),
    Vr(
        "TM",
        "Time",
        "A time of day, HHMMSS.FFFFFF; what is not known is left away from the right.",
        "digits, and a point before the fraction",
        "14 bytes; in a query also a range, of 28 at most",
        _SPACE,
        "07 is seven o'clock, not seven seconds. Old files have colons. Across midnight a time alone runs backwards.",
    ),
    Vr(
        "UC",
        "Unlimited Characters",
        "A text on one line, as long as it needs to be.",
        "text in the character set of the file, no backslash",
        "2³²−2 bytes for all values",
        _SPACE,
    ),
    Vr(
        "UI",
        "Unique Identifier",
        "A UID: numbers with points between, that nobody else on earth gives to anything else.",
        "digits and points; no number begins with 0 unless it is 0",
        "64 bytes",
        _NULL,
        "It is a name, not a number to sort by. Padded by a zero byte, not by a space; some writers do not know.",
    ),
    Vr("UL", "Unsigned Long", "A whole number of 0 or more.", "unsigned, 32 bits", "exactly 4 bytes"),
    Vr(
        "UN",
        "Unknown",
        "Bytes of which the writer did not know the VR: mostly private attributes.",
        "bytes as they were found, in little endian",
        "2³²−2 bytes, or of undefined length: then a sequence in implicit VR little endian",
        "",
        "Files that went through an archive in implicit VR come back with it; a private dictionary tells what it was.",
        several=False,
    ),
    Vr(
        "UR",
        "Universal Resource Identifier or Locator",
        "A web address.",
        "characters of RFC 3986; no space before it",
        "2³²−2 bytes",
        _SPACE,
        several=False,
    ),
    Vr("US", "Unsigned Short", "A whole number from 0 to 65535.", "unsigned, 16 bits", "exactly 2 bytes"),
    Vr(
        "UT",
        "Unlimited Text",
        "A text of any length with line breaks.",
        "text in the character set of the file",
        "2³²−2 bytes",
        _SPACE,
        "A backslash is a character here and separates nothing.",
        several=False,
    ),
    Vr(
        "UV",
        "Unsigned 64-bit Very Long",
        "A large whole number of 0 or more.",
        "unsigned, 64 bits",
        "exactly 8 bytes",
    ),
)

VRS = {vr.code: vr for vr in sorted(_ALL, key=lambda vr: vr.code)}
"""The 34 value representations of PS3.5 table 6.2-1."""

CHOICES = {
    "US or SS": "Pixel Representation (0028,0103) decides: 0 is US, 1 is SS. In implicit VR nothing else says so.",
    "OB or OW": "Bits Allocated and the transfer syntax decide: compressed pixels are OB, more than 8 bits are OW, "
    "implicit VR is always OW.",
    "US or OW": "Either is right for a table; OW where it would be too long for US.",
    "US or SS or OW": "The descriptor beside it says which: a table that is too long for US or SS is OW.",
}
"""How the VR is decided where PS3.6 gives a choice."""


def vr_means(vr: str) -> str:
    """What a VR of the dictionary means, in one sentence or two; choices (``"US or SS"``) with what decides."""
    if vr in VRS:
        return f"{VRS[vr].name}: {VRS[vr].says}"
    parts = [VRS[part] for part in vr.split(" or ") if part in VRS]
    if not parts:
        return "no value: this tag marks items and delimiters"
    return f"{' or '.join(part.name for part in parts)}. {CHOICES.get(vr, '')}".strip()


def vm_means(vm: str, vr: str = "") -> str:
    """How many values a value multiplicity of PS3.6 allows (``"1"``, ``"2"``, ``"1-n"``, ``"3-3n"``, ``"1-8"``)."""
    if vr == "SQ" and vm == "1":
        return "one sequence, of as many items as its module allows"
    if vm.isdigit():
        return "one value" if vm == "1" else f"exactly {vm} values"
    match = re.fullmatch(r"(\d+)-(\d*)(n?)", vm)
    if not match:
        return ""
    low, high, open_ended = match.groups()
    if not open_ended:
        return f"{low} to {high} values"
    step = int(high or 1)
    if step == 1:
        return f"{low} or more values"
    return f"a multiple of {step} values, {low} at least"


def vm_allows(vm: str, number: int) -> bool:
    """Whether a value multiplicity of PS3.6 allows this many values."""
    if vm.isdigit():
        return number == int(vm)
    match = re.fullmatch(r"(\d+)-(\d*)(n?)", vm)
    if not match:
        return True
    low, high, open_ended = match.groups()
    if number < int(low):
        return False
    return number % int(high or 1) == 0 if open_ended else number <= int(high)
