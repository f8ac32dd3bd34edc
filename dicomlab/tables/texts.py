"""Values as text: what a table shows of them, and what it does not."""

from __future__ import annotations

from itertools import islice
from typing import Any

from pydicom.datadict import keyword_for_tag
from pydicom.multival import MultiValue
from pydicom.tag import Tag

from dicomlab.privacy import MASK, Identity, identity_shown, is_identifying, shown_value
from dicomlab.tables.levels import Clipped, Decimals, Element, is_creator, tag_text

__all__ = ["Told", "element_text", "is_masked", "numbered", "plain_value", "shortened"]

_BYTES_SHOWN = 16
_VALUES_SHOWN = 1 << 10
"""Of a value of thousands of numbers, so many are made text."""
_UIDS = frozenset(["UI"])


class Told:
    """What several headers say, in place of a value.

    Parameters
    ----------
    text
        What is shown.
    counts
        The same without any value, for what is masked.
    key
        The same for all that say the same.
    first
        The value of the first of them.
    """

    __slots__ = ("counts", "first", "key", "text")

    def __init__(self, text: str, counts: str, key: str, first: Any = None) -> None:
        self.text, self.counts, self.key, self.first = text, counts, key, first


def is_masked(element: Element, hidden: bool = False) -> bool:
    """Whether a value must not be shown now.

    Parameters
    ----------
    hidden
        Whether it stands inside a sequence that identifies somebody.
    """
    if identity_shown() or is_creator(element.tag):
        return False
    if element.vr == "SQ":
        return False  # how many items there are names nobody; what is inside is hidden
    return hidden or is_identifying(element.keyword, element.vr, private=element.is_private)


def element_text(element: Element, hidden: bool = False, who: Identity | None = None) -> str:
    """The value as text, masked where it may not be shown; ``""`` when there is none.

    Parameters
    ----------
    who
        Words of the header that name the patient, where they are known: masked wherever they stand.
    """
    if element.problem:
        return element.problem
    if element.items is not None and not isinstance(element.value, Told):
        count = len(element.items)
        return f"{count} item{'' if count == 1 else 's'}"
    value = element.value
    if value is None or (hasattr(value, "__len__") and len(value) == 0):
        return ""
    if is_masked(element, hidden):
        return f"{MASK} ({value.counts})" if isinstance(value, Told) else MASK
    if isinstance(value, Told):
        return value.text
    more = ""
    if isinstance(value, Clipped):
        value, more = (
            value.head,
            f"… ({value.length:,} bytes, {element.vm:,} value{'' if element.vm == 1 else 's'})",
        )
    text = value_text(value, element.vr)
    if isinstance(value, Decimals) and element.vm and element.vm > _VALUES_SHOWN:
        more = f"… ({element.vm:,} values)"
    if "\0" in text.rstrip("\0") and not identity_shown():
        return MASK  # a broken length swallowed the elements behind this one, whatever they are
    if _is_text(value) and element.vr not in _UIDS:
        text = shown_value(element.keyword, text, who)
    return text + more


def _is_text(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, list | MultiValue) and any(map(_is_text, value)))


def value_text(value: Any, vr: str) -> str:
    """A value of pydicom as text; several are joined by a backslash, as in a file."""
    if isinstance(value, Decimals):
        return "\\".join(value.texts(_VALUES_SHOWN))
    if isinstance(value, bytes):
        shown = value[:_BYTES_SHOWN].hex(" ")
        return f"{len(value):,} bytes: {shown}{' …' if len(value) > _BYTES_SHOWN else ''}"
    if hasattr(value, "__iter__") and not isinstance(value, str) and vr != "PN":
        text = "\\".join(_one(item, vr) for item in islice(value, _VALUES_SHOWN))
        return text if len(value) <= _VALUES_SHOWN else f"{text}… ({len(value):,} values)"
    if (
        vr == "PN"
        and hasattr(value, "__iter__")
        and not isinstance(value, str)
        and not hasattr(value, "components")
    ):
        return "\\".join(str(item) for item in value)
    return _one(value, vr)


def _one(value: Any, vr: str) -> str:
    if isinstance(value, bytes):
        return value[:_BYTES_SHOWN].hex(" ")
    if vr == "AT" and isinstance(value, int):
        return f"{tag_text(value)} {keyword_for_tag(Tag(value))}".rstrip()
    text = str(value)
    if vr in _UIDS:
        name = getattr(value, "name", text)
        return text if name == text else f"{text} ({name})"
    return text


def plain_value(element: Element) -> list[str]:
    """The values one by one as they stand in the file, without names of UIDs: what two headers are compared by."""
    value = element.value
    if value is None:
        return []
    if isinstance(value, Clipped):
        return [value.digest()]
    if isinstance(value, Decimals):
        return value.texts()
    if isinstance(value, Told):
        return [value.key]
    if isinstance(value, bytes):
        return [value.hex()]
    if hasattr(value, "__iter__") and not isinstance(value, str) and not hasattr(value, "components"):
        return [str(item) for item in value]
    return [str(value)]


def shortened(text: str, longest: int) -> str:
    """`text`, or its beginning and how long it is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]}…" if longest < 60 else f"{text[:longest]}… ({len(text):,} characters)"


def numbered(count: int) -> str:
    """Which numbers there are of `count` things that are counted from 0."""
    if count < 2:
        return "there is one, number 0" if count else "there is none"
    return f"there are {count}, from 0 to {count - 1}"
