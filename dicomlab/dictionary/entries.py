"""What PS3.6 says of a tag: `entry_of`. All facts come from pydicom's dictionaries when they are asked for.

Beside the plain entries there are repeating groups (``60xx``), group lengths, private attributes, which pydicom knows of many
creators, and tags that nobody knows; each is told as what it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from pydicom.datadict import get_private_entry
from pydicom.tag import BaseTag, Tag

from dicomlab.dictionary.carried import ATTRIBUTES, PRIVATE, REPEATERS

__all__ = ["Entry", "creators_of", "entry_of", "pattern_of", "shown_tag"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the data dictionary.

    Parameters
    ----------
    tag
        The tag; of a repeating group that of its first.
    kind
        ``"standard"``, ``"repeating"``, ``"group length"``, ``"private"``, ``"private creator"`` or ``"unknown"``.
    name, keyword, vr, vm
        As PS3.6 has them; ``""`` where it has none. The VR of items and delimiters is ``"NONE"``.
    retired
        Whether the standard has given it up.
    pattern
        The tag as PS3.6 prints it, ``"(60xx,3000)"``.
    creator
        Of a private attribute: whose it is, when known.
    """

    tag: BaseTag
    kind: str
    name: str = ""
    keyword: str = ""
    vr: str = ""
    vm: str = ""
    retired: bool = False
    pattern: str = ""
    creator: str = ""


def shown_tag(tag: int) -> str:
    """A tag as the standard prints it: ``"(0028,0030)"``."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def pattern_of(mask: str) -> str:
    """A key of pydicom's repeaters (``"60xx3000"``) as the standard prints it."""
    return "({},{})".format(
        *(re.sub("[A-Fa-f]", lambda digit: digit[0].upper(), half) for half in (mask[:4], mask[4:]))
    )


@lru_cache(1)
def _masks() -> list[tuple[int, int, str]]:
    """(bits that count, their value, key) of the repeating entries."""
    found = []
    for mask in REPEATERS:
        bits = int("".join("0" if digit == "x" else "F" for digit in mask), 16)
        found.append((bits, int(mask.replace("x", "0"), 16), mask))
    return found


def entry_of(tag: int, creator: str = "") -> Entry:
    """The entry of any tag; never fails.

    Parameters
    ----------
    tag
        32 bits.
    creator
        Private Creator, which says whose a private attribute is.
    """
    tag = Tag(tag)
    if tag in ATTRIBUTES:
        vr, vm, name, retired, keyword = ATTRIBUTES[tag]
        return Entry(tag, "standard", name, keyword, vr, vm, bool(retired), shown_tag(tag))
    if tag.is_private:
        return _private_entry(tag, creator)
    for bits, value, mask in _masks():
        if tag & bits == value:
            vr, vm, name, retired, keyword = REPEATERS[mask]
            return Entry(tag, "repeating", name, keyword, vr, vm, bool(retired), pattern_of(mask))
    if tag.element == 0:
        return Entry(tag, "group length", "Group Length", "", "UL", "1", tag.group > 6, "(gggg,0000)")
    return Entry(tag, "unknown", pattern=shown_tag(tag))


def _private_entry(tag: BaseTag, creator: str) -> Entry:
    if tag.element == 0:
        return Entry(tag, "group length", "Group Length", "", "UL", "1", True, "(gggg,0000)")
    if tag.is_private_creator:
        return Entry(tag, "private creator", "Private Creator", "", "LO", "1", False, "(gggg,00xx)")
    if tag.element < 0x1000:
        return Entry(tag, "unknown", pattern=shown_tag(tag), creator=creator)
    pattern = f"({tag.group:04X},xx{tag.element & 0xFF:02X})"
    try:
        vr, vm, name, _ = get_private_entry(tag, creator)
    except KeyError:
        return Entry(tag, "private", "", "", "", "", False, pattern, creator)
    return Entry(tag, "private", name, "", vr, vm, False, pattern, creator)


@lru_cache(256)
def creators_of(tag: int) -> dict[str, str]:
    """Creator -> name of what they keep in this private attribute, of all that pydicom's private dictionary knows."""
    tag = Tag(tag)
    if not tag.is_private or tag.element < 0x1000:
        return {}
    found = {}
    for creator in PRIVATE:
        try:
            found[creator] = get_private_entry(tag, creator)[2]
        except KeyError:
            continue
    return found
