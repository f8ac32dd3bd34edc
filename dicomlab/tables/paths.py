"""Where an element stands: ``"ROIContourSequence[0].ContourSequence[2].ContourData"``, and what users write for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

from pydicom.datadict import tag_for_keyword

from dicomlab.dictionary.names import resolve
from dicomlab.errors import DicomLabError
from dicomlab.tables.levels import Element, tag_text

__all__ = ["ALL", "AttributePath", "Step", "parse_path", "part_of"]

AttributePath: TypeAlias = "str | int | tuple[int, int]"
"""A keyword or name, a tag in any usual form, or several of them joined by dots."""

ALL = -1
"""Every item."""

_INDEX = re.compile(r"\[\s*(\*|\d+)\s*\]$")
_TAG = re.compile(r"\(?\s*([0-9a-fA-F]{4})\s*,?\s*([0-9a-fA-F]{4})\s*\)?$")
_DOT = re.compile(r"\.(?![^(]*\))")


@dataclass(frozen=True, slots=True)
class Step:
    """One part of a path.

    Parameters
    ----------
    index
        Of the item, or of the value; None where none is named, `ALL` for every one.
    """

    tag: int
    index: int | None = None

    def __str__(self) -> str:
        index = "" if self.index is None else f"[{'*' if self.index == ALL else self.index}]"
        return tag_text(self.tag) + index


def part_of(element: Element) -> str:
    """How an element is called in a path: its keyword, or its tag where it has none."""
    return element.keyword or tag_text(element.tag)


def parse_path(path: AttributePath) -> tuple[Step, ...]:
    """The steps of a path.

    Parameters
    ----------
    path
        ``"PixelSpacing"``, ``"pixel spacing"``, ``(0x0028, 0x0030)``, ``0x00280030``, ``"0028,0030"``,
        ``"PixelMeasuresSequence[0].PixelSpacing"``.

    Raises
    ------
    DicomLabError
        A part is neither keyword, name nor tag.
    """
    if isinstance(path, tuple) and len(path) == 2 and all(isinstance(part, int) for part in path):
        return (Step(path[0] << 16 | path[1]),)
    if isinstance(path, int) and not isinstance(path, bool) and path >= 0:
        return (Step(int(path)),)
    if not isinstance(path, str) or not path.strip():
        raise DicomLabError(f"an attribute is named by keyword, tag or path, found {path!r}")
    return tuple(_step(part.strip(), path) for part in _DOT.split(path.strip()))


def _step(part: str, path: str) -> Step:
    index = None
    found = _INDEX.search(part)
    if found:
        index = ALL if found[1] == "*" else int(found[1])
        part = part[: found.start()].strip()
    tag = tag_for_keyword(part)
    if tag is None and (shown := _TAG.match(part)):
        tag = int(shown[1] + shown[2], 16)
    if tag is None:
        tag = _named(part, path)
    return Step(int(tag), index)


def _named(part: str, path: str) -> int:
    """The tag that `explain` would tell of."""
    asked = repr(part) if part == path else f"{part!r} in {path!r}"
    try:
        meant = resolve(part)
    except DicomLabError:
        near = _near(part)
        raise DicomLabError(
            f"{asked} is neither a keyword or name of the standard nor a tag such as '0028,0030'"
            + (f"; is it {' or '.join(near)}?" if near else "")
        ) from None
    if meant.tag is None:
        raise DicomLabError(f"{asked} is no attribute; dicomlab.explain({part!r}) tells what it is")
    return int(meant.tag)


def _near(word: str) -> list[str]:
    import difflib

    from pydicom.datadict import keyword_dict

    lower = {keyword.lower(): keyword for keyword in keyword_dict}
    return [lower[found] for found in difflib.get_close_matches(word.lower(), lower, 3, 0.8)]
