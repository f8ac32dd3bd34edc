"""Attributes as they stand in data sets, read as what they are expected to be: text, numbers, items, private elements."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag, Tag

from dicomlab.errors import FaultError
from dicomlab.read.records import Record
from dicomlab.warn import quiet

__all__ = ["Attributes", "Key", "Level"]

FloatArray = npt.NDArray[np.float64]
Key: TypeAlias = "str | int"
Level: TypeAlias = "Dataset | Record"
"""A data set that attributes are looked up in: as pydicom parsed it, or as the direct path cut it out."""


@cache
def _tag(key: Key) -> int:
    return int(Tag(key))


@cache
def _base_tag(tag: int) -> BaseTag:
    return Tag(tag)  # what data sets look for, at a price


class Attributes:
    """Attributes looked up in several data sets in turn, read as what they are expected to be and never trusted.

    Parameters
    ----------
    levels
        Data sets, the most specific first: for a frame its own functional groups, the shared ones, then the top level
        (PS3.3 C.7.6.16). The first that holds an attribute with a value decides.
    """

    levels: tuple[Level, ...]

    def value(self, tag: Key) -> Any:
        """Value as pydicom parses it; None when absent, empty or unreadable."""
        key = _tag(tag)
        for level in self.levels:
            # Most levels lack most attributes, and this is asked of every frame: look before anything is parsed, among plain
            # integers, which `in level` of a data set would not.
            if key in (level if type(level) is Record else level.keys()):
                value = _value(level, key)
                if value is not None and not (hasattr(value, "__len__") and len(value) == 0):
                    return value
        return None

    def private(self, group: int, creator: str, element: int) -> Any:
        """Value of a private element (PS3.5 7.8.1), wherever its creator reserved its block; None when absent.

        Parameters
        ----------
        group, element
            For instance 0x0019 and 0x0C for (0019,xx0C).
        creator
            Private Creator; upper and lower case count as one.
        """
        for level in self.levels:
            # Plain integers: most images hold nothing of most makers, and this is asked of all.
            held = level if type(level) is Record else level.keys()
            for block in range(0x10, 0x20):
                if group << 16 | block not in held or group << 16 | block << 8 | element not in held:
                    continue
                reserved = Attributes.of(level).text(Tag(group, block))
                if reserved.casefold() == creator.casefold():
                    value = Attributes.of(level).value(Tag(group, block << 8 | element))
                    if value is not None:
                        return value
        return None

    def items(self, tag: Key) -> list[Level]:
        """Items of a sequence; empty when it is absent or no sequence."""
        value = self.value(tag)
        items = list(value) if isinstance(value, Sequence | list) else []
        # Damage makes numbers of a sequence.
        return items if items and isinstance(items[0], Dataset | Record) else []

    @property
    def top(self) -> Attributes:
        """The top level of the header alone, without functional groups."""
        return Attributes.of(self.levels[-1])

    @staticmethod
    def of(*levels: Level) -> Attributes:
        """Attributes of these data sets."""
        found = Attributes()
        found.levels = levels
        return found

    def text(self, tag: Key) -> str:
        """Attribute as text, ``""`` when absent or unreadable; several values are joined by a backslash."""
        value = self.value(tag)
        if value is None:
            return ""
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if isinstance(value, str) or not hasattr(value, "__iter__"):
            joined = str(value)
        else:
            joined = "\\".join(str(item) for item in value)
        # NUL only pads. Text after it is another element, swallowed by a broken length, and may be anybody's name.
        return joined.split("\0")[0].strip()

    def texts(self, tag: Key) -> list[str]:
        """Attribute as a list of texts."""
        joined = self.text(tag)
        return joined.split("\\") if joined else []

    def numbers(self, tag: Key) -> FloatArray | None:
        """Attribute as finite floats, shape ``(n,)``; None when absent, empty or not numbers.

        A comma is read as the decimal point (DICOM knows no comma); `has_decimal_comma` tells, and is a finding.
        """
        plain = self.plain_numbers(tag)
        if plain is not None:
            return plain
        numbers = _as_numbers(self.value(tag))
        if numbers is None and self.has_decimal_comma(tag):
            numbers = _as_numbers(
                [part.strip().replace(",", ".") for part in self._raw_text(tag).split("\\")]
            )
        return numbers

    def plain_numbers(self, tag: Key) -> FloatArray | None:
        """`numbers` where the first level that has the attribute is a record, and they are plain to see."""
        key = _tag(tag)
        for level in self.levels:
            if key in (level if type(level) is Record else level.keys()):
                return level.numbers(key) if type(level) is Record else None
        return None

    def has_value(self, tag: Key) -> bool:
        """Whether `value` is not None."""
        return self.plain_numbers(tag) is not None or self.value(tag) is not None

    def has_decimal_comma(self, tag: Key) -> bool:
        """Whether the attribute holds numbers that are written with a comma."""
        return "," in self._raw_text(tag)

    def has(self, tag: Key) -> bool:
        """Whether the attribute is there with a value, readable or not."""
        return self.has_value(tag) or bool(self._raw_text(tag).strip())

    def _raw_text(self, tag: Key) -> str:
        """Text of the file where pydicom cannot parse it; it keeps what breaks its VR as bytes or text."""
        key = _tag(tag)
        for level in self.levels:
            if key not in (level if type(level) is Record else level.keys()):
                continue
            if type(level) is Record:
                if level.numbers(key) is not None:
                    return ""
                value = _value(level, key)
                if value is None:
                    return level.raw_text(key).rstrip("\0 ")
            else:
                element = cast(Dataset, level).get_item(_base_tag(key))
                value = None if element is None else element.value
            parts = value if isinstance(value, (list, MultiValue)) else [value]
            texts = [part.decode("latin-1") if isinstance(part, bytes) else part for part in parts]
            if all(isinstance(text, str) for text in texts):
                return "\\".join(texts).rstrip("\0 ")
        return ""

    def number(self, tag: Key) -> float | None:
        """First of `numbers`, or None."""
        numbers = self.numbers(tag)
        return None if numbers is None else float(numbers[0])

    def integer(self, tag: Key, default: int) -> int:
        """Attribute as an integer."""
        number = self.number(tag)
        return default if number is None else int(number)


def _value(level: Level, key: int) -> Any:
    """Value of an element that is there; None when it is unreadable."""
    # A value that breaks its VR (a comma in a DS) raises when it is parsed, whatever the type. One that cannot be read again
    # is another matter: it is not absent.
    try:
        if type(level) is Record:
            return level.value(key)
        with quiet():
            return cast(Dataset, level)[_base_tag(key)].value
    except FaultError:
        raise
    except Exception:
        return None


def _as_numbers(value: Any) -> FloatArray | None:
    if value is None:
        return None
    try:
        numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError):
        return None
    return numbers if numbers.size and np.all(np.isfinite(numbers)) else None
