"""What the headers of all images of a series say alike, with what they do not say collected as sentences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from pydicom.datadict import dictionary_description, tag_for_keyword

from dicomlab.read.elements import Attributes

__all__ = ["Told", "named", "positive"]


@dataclass
class Told:
    """What the headers of all images say alike; what they do not is collected as `problems`."""

    images: Sequence[Attributes]
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self, keyword: str, sources: Iterable[Attributes] | None = None) -> str:
        """The attribute's text where all images agree; a problem when they do not."""
        found = {image.text(keyword) for image in (self.images if sources is None else sources)}
        if len(found) > 1:
            self.problems.append(f"{named(keyword)} differs between the images")
            return ""
        return found.pop() if found else ""

    def tracers(self) -> list[Attributes]:
        """The one tracer of every image; empty, and a problem, unless there is exactly one."""
        found = [image.items("RadiopharmaceuticalInformationSequence") for image in self.images]
        counts = {len(items) for items in found}
        if counts == {1}:
            return [Attributes.of(items[0]) for items in found]
        says = (
            "is missing"
            if counts == {0}
            else "names several tracers"
            if 0 not in counts
            else "is not in every image"
        )
        self.problems.append(f"{named('RadiopharmaceuticalInformationSequence')} {says}")
        return []

    def private(self, group: int, creator: str, element: int) -> list[str]:
        """A private element of every image as text, ``""`` where it is absent."""
        values = [image.private(group, creator, element) for image in self.images]
        texts = [
            value.decode("latin-1") if isinstance(value, bytes) else str(value or "") for value in values
        ]
        return [text.strip(" \0") for text in texts]


def named(keyword: str) -> str:
    """``(gggg,eeee) Name`` of a standard attribute."""
    tag = tag_for_keyword(keyword)
    assert tag is not None
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {dictionary_description(tag)}"


def positive(text: str) -> float | None:
    """A finite number above 0; None for all else."""
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) and number > 0 else None
