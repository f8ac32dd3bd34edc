"""Functional groups of a multi-frame object (PS3.3 C.7.6.16): what all frames share, what each says, and how that runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from pydicom.datadict import dictionary_description, keyword_for_tag
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from dicomlab.errors import DicomLabError
from dicomlab.privacy import MASK, Identity, is_identifying, shown_value
from dicomlab.read import Series
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.identity import identity_of
from dicomlab.teach.series.labels import FileNames, rounded, short
from dicomlab.warn import quiet

__all__ = ["groups_of"]

_POINTS: Final = 240
"""Frames of which the values are sent: more are no more to see."""
_MOST_ATTRIBUTES: Final = 90
_MOST_TEXTS: Final = 12


def groups_of(series: Series) -> dict[str, Any] | None:
    """The functional groups of the first multi-frame object of a series, as JSON; None where there is none."""
    for instance in series.instances:
        if instance.items("PerFrameFunctionalGroupsSequence") or (
            instance.frames > 1 and instance.items("SharedFunctionalGroupsSequence")
        ):
            try:
                with quiet():
                    return _groups(instance, FileNames(series.instances))
            except (DicomLabError, OSError):
                return None
    return None


def _groups(instance: Instance, names: FileNames) -> dict[str, Any]:
    header = read_header(instance.file)
    identity = identity_of(instance)
    frames = list(header.get("PerFrameFunctionalGroupsSequence", None) or [])
    shared = list(header.get("SharedFunctionalGroupsSequence", None) or [])
    some = np.unique(np.linspace(0, max(len(frames) - 1, 0), _POINTS).round().astype(int)).tolist()
    taken = [frames[k] for k in some if k < len(frames)]
    tags = list(dict.fromkeys(element for group in [*shared, *taken] for element in group.keys()))  # noqa: SIM118
    macros, left = [], _MOST_ATTRIBUTES
    for tag in tags:
        holders = [group for group in taken if tag in group]
        common = [group for group in shared if tag in group]
        where = "per frame" if holders else "shared"
        if holders and common:
            where = "both: the frame's own counts"
        elif holders and len(holders) < len(taken):
            where = f"per frame, in {len(holders)} of {len(taken)}"
        rows = _rows([group[tag].value for group in (holders or common)], identity)[:left]
        left -= len(rows)
        macros.append({"name": _macro_name(tag), "where": where, "attributes": rows})
    return {
        "name": names.shown(instance.file.name),
        "frames": instance.frames,
        "at": [k + 1 for k in some[: len(taken)]],
        "macros": macros,
        "dimensions": _dimensions(header, taken, identity),
    }


def _macro_name(tag: Any) -> str:
    if not keyword_for_tag(tag):
        return f"private ({tag.group:04X},{tag.elem:04X})"
    return dictionary_description(tag).removesuffix(" Sequence")


def _rows(sequences: list[Any], identity: Identity | None) -> list[dict[str, Any]]:
    """Attributes of a macro: one value where all frames agree, else how it runs over them."""
    columns: dict[str, list[Any]] = {}
    for k, sequence in enumerate(sequences):
        items = sequence if isinstance(sequence, Sequence) else []
        for name, value in _leaves(items[0], identity) if len(items) else ():
            columns.setdefault(name, [None] * len(sequences))[k] = value
    return [{"name": name, **_run(values)} for name, values in columns.items()]


def _leaves(
    item: Dataset, identity: Identity | None, before: str = "", depth: int = 0
) -> Iterator[tuple[str, Any]]:
    for element in item:
        name = f"{before}{dictionary_description(element.tag) if element.keyword else element.tag}"
        if element.VR == "SQ":
            if depth < 2 and element.value:
                below = f"{name.removesuffix(' Sequence')} › "
                yield from _leaves(element.value[0], identity, below, depth + 1)
            continue
        value = element.value
        if is_identifying(element.keyword, element.VR, private=element.tag.is_private):
            yield name, MASK
        elif isinstance(value, bytes):
            yield name, f"{len(value)} bytes"
        elif isinstance(value, (MultiValue, list)) and 1 < len(value) <= 3 and _number(value[0]) is not None:
            for part, one in enumerate(value, start=1):
                yield f"{name} [{part}]", one
        elif isinstance(value, (MultiValue, list)):
            told = "\\".join(map(_short_number, list(value)[:12]))
            yield name, short(shown_value(element.keyword, told, identity), 80)
        elif isinstance(value, str):
            yield name, shown_value(element.keyword, value, identity)
        else:
            yield name, value


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _short_number(value: Any) -> str:
    number = None if type(value) is str else _number(value)
    return str(value) if number is None else f"{number:.6g}"


def _run(values: list[Any]) -> dict[str, Any]:
    first = values[0]
    if all(value == first for value in values):
        number = _number(first)
        return {"value": short(str(first if number is None else rounded([number])[0]), 80)}
    numbers = [_number(value) for value in values]
    if all(number is not None for number, value in zip(numbers, values, strict=True) if value is not None):
        return {"values": rounded([np.nan if number is None else number for number in numbers])}
    texts = [short(str(value), 40) if value is not None else "" for value in values]
    known = list(dict.fromkeys(texts))
    if len(known) > _MOST_TEXTS:
        some = next((text for text in known if text), "")
        return {"value": f"{len(known)} different texts, such as {some}"}
    return {"texts": known, "values": [known.index(text) for text in texts]}


def _dimensions(header: Dataset, frames: list[Dataset], identity: Identity | None) -> list[dict[str, Any]]:
    """Dimension Index Values (0020,9157) over the frames, by the dimension that each counts (PS3.3 C.7.6.17)."""
    found = []
    for number, item in enumerate(list(header.get("DimensionIndexSequence", None) or [])[:12]):
        pointer = item.get("DimensionIndexPointer", None)
        told = str(item.get("DimensionDescriptionLabel", "") or "")
        label = short(shown_value("DimensionDescriptionLabel", told, identity), 40)
        name = (
            dictionary_description(pointer) if pointer and keyword_for_tag(pointer) else label or str(pointer)
        )
        values = []
        for frame in frames:
            content = frame.get("FrameContentSequence", None)
            index = content[0].get("DimensionIndexValues", None) if content else None
            index = [] if index is None else list(index) if isinstance(index, (MultiValue, list)) else [index]
            values.append(int(index[number]) if number < len(index) else None)
        found.append({"name": name, "values": values})
    return found
