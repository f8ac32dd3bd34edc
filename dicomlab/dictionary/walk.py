"""The walk through a header: a row for each attribute, and notes of what is missing or odd."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.tag import BaseTag
from pydicom.uid import UID

from dicomlab.dictionary.entries import Entry, entry_of, shown_tag
from dicomlab.dictionary.modules import Iod, Role, missing_roles, roles
from dicomlab.dictionary.names import resolve
from dicomlab.dictionary.values import element_of, value_text
from dicomlab.dictionary.vr import vm_allows
from dicomlab.dictionary.words import words_of
from dicomlab.privacy import MASK, Identity, without_names

__all__ = ["Note", "Row", "Walk", "class_of"]

_ROWS = 4000
"""Rows of a table; a header with more of them is cut, and says so."""

_DEEPEST = 16
"""Sequences in sequences that are followed."""

# Pixels are not read with a header, so their absence says nothing.
_PIXELS = frozenset(
    {"PixelData", "FloatPixelData", "DoubleFloatPixelData", "SpectroscopyData", "EncapsulatedDocument"}
)


@dataclass(frozen=True, slots=True)
class Row:
    """One attribute of a header.

    Parameters
    ----------
    tag, keyword, name, vr
        Of the attribute; the name of a private one is from pydicom's private dictionary.
    value
        Its value as text; masked when it identifies somebody, cut when it is long.
    module, type
        In the SOP class of this header; ``""`` where it belongs to no module of it.
    says, trap
        Plain words, and the mistake that people make.
    depth
        How many sequences are around it.
    """

    tag: str
    keyword: str
    name: str
    vr: str
    value: str
    module: str
    type: str
    says: str
    trap: str
    depth: int


@dataclass(frozen=True, slots=True)
class Note:
    """Something that is not as the standard has it.

    Parameters
    ----------
    code
        ``"missing"``, ``"empty"``, ``"count"``, ``"retired"``, ``"no_creator"``, ``"unreadable"`` or ``"unknown_class"``.
    message
        One sentence; no values in it.
    tag, keyword
        The attribute that is meant.
    """

    code: str
    message: str
    tag: str = ""
    keyword: str = ""

    def __str__(self) -> str:
        return self.message


def class_of(header: Dataset) -> str:
    """UID of the SOP class that a header names, ``""`` when none."""
    for source, keyword in (
        (header, "SOPClassUID"),
        (getattr(header, "file_meta", None), "MediaStorageSOPClassUID"),
    ):
        element = element_of(source, keyword) if source is not None else None
        if element is not None and isinstance(element.value, UID):
            return element.value
    return ""


class Walk:
    """Rows of a header in file order, and notes on the way."""

    def __init__(self, uid: str, iod: Iod | None, notes: list[Note], identity: Identity | None) -> None:
        self.uid, self.iod, self.notes, self.identity = uid, iod, notes, identity
        self.count = 0
        self.orphans: set[str] = set()

    def rows(self, header: Dataset) -> Iterator[Row]:
        """File meta information first, then the data set; items under their sequence."""
        meta = getattr(header, "file_meta", None)
        if isinstance(meta, Dataset):
            yield from self._level(meta, (), meta=True)
        yield from self._level(header, ())

    def _level(self, dataset: Dataset, path: tuple[str, ...], *, meta: bool = False) -> Iterator[Row]:
        self._missing(dataset, path, meta)
        creators = _creators(dataset)
        for tag in sorted(dataset.keys()):
            if self.count >= _ROWS:
                if self.count == _ROWS:
                    self.notes.append(Note("cut", f"only the first {_ROWS} attributes are told"))
                self.count += 1
                return
            self.count += 1
            yield from self._attribute(dataset, tag, creators, path)

    def _attribute(
        self, dataset: Dataset, tag: BaseTag, creators: dict[tuple[int, int], str], path: tuple[str, ...]
    ) -> Iterator[Row]:
        creator = creators.get((tag.group, tag.element >> 8), "")
        entry = entry_of(tag, creator)
        role = self._role(entry.keyword, path)
        words = words_of(entry.keyword)
        shown = shown_tag(tag)
        element = element_of(dataset, tag)
        if element is None:
            self.notes.append(
                Note("unreadable", f"{shown} {entry.keyword} cannot be read", shown, entry.keyword)
            )
            value, vr = "cannot be read", entry.vr
        else:
            value, vr = value_text(element, self.identity), str(element.VR)
            self._look(element, shown, entry, role, creator)
        says = words.says or _SAYS.get(entry.kind, "")
        if entry.retired and entry.kind == "standard":
            says = f"Retired. {says}".strip()
        name = (
            f"{entry.name or 'Private attribute'} ({without_names(creator, self.identity) or 'no creator'})"
            if entry.kind == "private"
            else entry.name
        )
        yield Row(
            shown,
            entry.keyword,
            name or "Unknown attribute",
            vr,
            value,
            role.module if role else "",
            role.type if role else "",
            says,
            words.trap,
            len(path),
        )
        if element is None or vr != "SQ" or value == MASK or len(path) >= _DEEPEST or not element.value:
            return
        inner = (*path, entry.keyword or shown)
        yield from self._level(element.value[0], inner)

    def _role(self, keyword: str, path: tuple[str, ...]) -> Role | None:
        found = roles(keyword, self.uid, path=path) if self.uid and keyword else ()
        return found[0] if found else None

    def _missing(self, dataset: Dataset, path: tuple[str, ...], meta: bool) -> None:
        if self.iod is None or meta:
            return
        for keyword, role in missing_roles(self.iod, path).items():
            if keyword in _PIXELS or keyword in dataset:
                continue
            if (
                path
                and path[0] in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence")
                and len(path) == 1
            ):
                continue  # a macro may be in the other one: see `_groups`
            where = f" in {path[-1]}" if path else ""
            means = "must have a value" if role.type == "1" else "must be there, if only empty"
            self.notes.append(
                Note(
                    "missing",
                    f"{_named(keyword)} is missing{where}: type {role.type} in {role.module}, it {means}",
                    _tag_of(keyword),
                    keyword,
                )
            )
        if not path:
            self._groups(dataset)

    def _groups(self, dataset: Dataset) -> None:
        """Functional group macros that must be in the shared or the per-frame groups and are in neither."""
        assert self.iod is not None
        items = []
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            element = element_of(dataset, keyword) if keyword in dataset else None
            if element is not None and element.VR == "SQ" and element.value:
                items.append(element.value[0])
        if not items:
            return
        for keyword, role in missing_roles(self.iod, ("PerFrameFunctionalGroupsSequence",)).items():
            if not any(keyword in item for item in items):
                self.notes.append(
                    Note(
                        "missing",
                        f"{_named(keyword)} is in neither the shared nor the per-frame functional groups: {role.module} "
                        "is mandatory",
                        _tag_of(keyword),
                        keyword,
                    )
                )

    def _look(self, element: DataElement, shown: str, entry: Entry, role: Role | None, creator: str) -> None:
        named = f"{entry.name} {shown}"
        note = (shown, entry.keyword)
        if element.is_empty and role is not None and role.type in ("1", "1C"):
            self.notes.append(
                Note(
                    "empty",
                    f"{named} is empty: type {role.type} in {role.module}, it must have a value",
                    *note,
                )
            )
        elif (
            not element.is_empty
            and entry.kind in ("standard", "repeating")  # makers do not keep to what is known of them
            and element.VR != "SQ"
            and not vm_allows(entry.vm, element.VM)
        ):
            self.notes.append(
                Note(
                    "count",
                    f"{named} has {element.VM} value{'s' * (element.VM != 1)}, and its VM is {entry.vm}",
                    *note,
                )
            )
        if entry.retired and entry.kind == "standard":
            instead = words_of(entry.keyword).replaced_by
            also = f"; {', '.join(instead)} took its place" if instead else ""
            self.notes.append(Note("retired", f"{named} is retired{also}", *note))
        if entry.kind == "private" and not creator:
            block = f"({entry.tag.group:04X},{entry.tag.element >> 8:02X}xx)"
            if block not in self.orphans:  # one note for a block of up to 256
                self.orphans.add(block)
                said = f"private attributes {block} have no Private Creator: nobody can know whose they are"
                self.notes.append(Note("no_creator", said, *note))


_SAYS = {
    "private creator": "Says whose the private attributes of this block are.",
    "private": "Private: its creator alone decides what it means.",
    "group length": "Bytes of the rest of this group.",
    "unknown": "No attribute of the data dictionary.",
}


def _creators(dataset: Dataset) -> dict[tuple[int, int], str]:
    """(group, block) -> creator of the private blocks of one data set."""
    found = {}
    for tag in dataset.keys():  # noqa: SIM118 - iterating a Dataset itself parses every element
        if tag.is_private_creator:
            element = element_of(dataset, tag)
            if element is not None and element.value:
                found[tag.group, tag.element] = str(element.value).strip()
    return found


def _named(keyword: str) -> str:
    entry = entry_of(_number(keyword))
    return f"{entry.name} {shown_tag(entry.tag)}"


def _tag_of(keyword: str) -> str:
    return shown_tag(_number(keyword))


def _number(keyword: str) -> int:
    return int(resolve(keyword).tag or 0)
