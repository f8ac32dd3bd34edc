"""Every element of a header with its path, one after the other: what tables are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from dicomlab.privacy import Identity, is_identifying
from dicomlab.tables.levels import Element, Level
from dicomlab.tables.paths import ALL, Step, part_of
from dicomlab.tables.texts import element_text

__all__ = ["DEEPEST", "Row", "find", "hides", "rows"]

DEEPEST = 48
"""Sequences inside one another that are followed: a damaged or malicious file nests thousands."""


@dataclass(frozen=True, slots=True)
class Row:
    """An element and its place.

    Parameters
    ----------
    path
        ``"SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing"``.
    depth
        Sequences around it.
    hidden
        Whether one of these identifies somebody.
    who
        Words of the header that name the patient, where they are known.
    """

    element: Element
    path: str
    depth: int = 0
    hidden: bool = False
    who: Identity | None = None

    @property
    def text(self) -> str:
        """Its value, masked where it may not be shown now."""
        return element_text(self.element, self.hidden, self.who)


def hides(element: Element) -> bool:
    """Whether a sequence identifies somebody: then nothing in it is shown."""
    return is_identifying(element.keyword, element.vr, private=element.is_private)


def rows(level: Level, prefix: str = "", depth: int = 0, hidden: bool = False) -> Iterator[Row]:
    """Rows of a level in file order, each sequence followed by what is in it."""
    for element in level:
        path = prefix + part_of(element)
        yield Row(element, path, depth, hidden)
        if element.items is None:
            continue
        if depth >= DEEPEST:
            deeper = Element(element.tag, "", problem=f"nested deeper than {DEEPEST} sequences: not followed")
            yield Row(deeper, f"{path}[…]", depth + 1, hidden)
            continue
        inside = hidden or hides(element)
        for k, item in enumerate(element.items):
            yield from rows(item, f"{path}[{k}].", depth + 1, inside)


def find(
    level: Level, steps: tuple[Step, ...], prefix: str = "", depth: int = 0, hidden: bool = False
) -> Iterator[Row]:
    """Rows at a path; an index that is not named is 0 on the way, and none at the end."""
    step, rest = steps[0], steps[1:]
    for element in level:
        if element.tag != step.tag:
            continue
        path = prefix + part_of(element)
        if not rest:
            yield Row(element, path, depth, hidden)
            return
        if element.items is None:
            return
        inside = hidden or hides(element)
        picked = range(len(element.items)) if step.index == ALL else [step.index or 0]
        for k in picked:
            if k < len(element.items):
                yield from find(element.items[k], rest, f"{path}[{k}].", depth + 1, inside)
        return
