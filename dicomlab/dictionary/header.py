"""A header, attribute by attribute: `explain_header`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import count
from typing import TYPE_CHECKING, Any

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from dicomlab import html
from dicomlab.dictionary.carried import UIDS
from dicomlab.dictionary.entries import entry_of, shown_tag
from dicomlab.dictionary.modules import TYPES, Iod, Role, iod_of, missing_roles, roles
from dicomlab.dictionary.values import element_of, value_text
from dicomlab.dictionary.vr import vm_allows
from dicomlab.dictionary.words import words_of
from dicomlab.privacy import MASK, identity_shown

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeaderExplanation", "Note", "Row", "explain_header"]

_ROWS = 4000
"""Rows of a table; a header with more of them is cut, and says so."""

_DEEPEST = 16
"""Sequences in sequences that are followed."""

# Pixels are not read with a header, so their absence says nothing.
_PIXELS = frozenset(
    {"PixelData", "FloatPixelData", "DoubleFloatPixelData", "SpectroscopyData", "EncapsulatedDocument"}
)

_numbers = count()


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
    says
        Plain words.
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


class HeaderExplanation:
    """A header as a table of explained attributes, with what is missing or odd in it.

    Values are masked like everywhere, see `dicomlab.show_identity`. Of a sequence the first item is told.

    Attributes
    ----------
    title
        What was explained.
    sop_class, iod
        Name of its SOP class, and of its information object when its tables are known.
    rows
        The attributes, as `Row`.
    notes
        What is missing, empty or odd, as `Note`.
    """

    def __init__(self, header: Dataset, title: str = "header", *, sop_class: str | None = None) -> None:
        self.title = title
        notes: list[Note] = []
        uid = sop_class or _class_of(header)
        self.sop_class = UIDS[uid][0] if uid in UIDS else uid
        iod = iod_of(uid) if uid else None
        self.iod = iod.name if iod else ""
        if iod is None:
            what = self.sop_class or "none is named"
            notes.append(
                Note("unknown_class", f"modules and types of this SOP class are not known here ({what})")
            )
        walk = _Walk(uid if iod else "", iod, notes)
        rows = list(walk.rows(header))
        self.rows: tuple[Row, ...] = tuple(rows)
        self.notes: tuple[Note, ...] = tuple(sorted(notes, key=lambda note: _ORDER.index(note.code)))

    @property
    def table(self) -> pd.DataFrame:
        """Columns ``tag, keyword, name, vr, value, module, type, says, depth``."""
        import pandas as pd

        return pd.DataFrame([asdict(row) for row in self.rows], columns=list(Row.__slots__))

    def to_dataframe(self) -> pd.DataFrame:
        """`table`."""
        return self.table

    def to_dict(self) -> dict[str, Any]:
        """All of it as plain lists, texts and dictionaries."""
        return {
            "title": self.title,
            "sop_class": self.sop_class,
            "iod": self.iod,
            "notes": [asdict(note) for note in self.notes],
            "rows": [asdict(row) for row in self.rows],
        }

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        lines = [f"{self.title}: {self.sop_class or 'no SOP class'}"]
        lines += [f"  ! {note}" for note in self.notes]
        for row in self.rows:
            role = f"  [{row.module}, {row.type}]" if row.type else ""
            indent = "  " * (row.depth + 1)
            lines.append(f"{indent}{row.tag} {row.vr} {row.keyword or row.name}: {row.value}{role}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        escape, markup = html.escape, html.Markup
        name = f"dicomlab-explained-{next(_numbers)}"
        shown = []
        for row in self.rows:
            title = markup("&emsp;" * row.depth + escape(row.keyword or row.name))
            type_ = (
                markup(f'<span title="{escape(TYPES[row.type])}">{escape(row.type)}</span>')
                if row.type
                else ""
            )
            said = row.says if row.keyword else f"{row.name}. {row.says}" if row.name else row.says
            shown.append((row.tag, title, row.vr, row.value, row.module, type_, said))
        table = html.table(
            ["tag", "attribute", "VR", "value", "module", "type", "in plain words"],
            shown,
            ("", "", "", "w", "w", "", "w"),
        )
        # One inline handler without outer code, as in `dicomlab.header_table`.
        onsearch = (
            "const t=this.value.toLowerCase();for(const r of this.closest('.dicomlab').querySelectorAll('.scroll tbody tr'))"
            "r.hidden=!r.textContent.toLowerCase().includes(t)"
        )
        found = "".join(f"<li>{escape(note.message)}</li>" for note in self.notes)
        odd = f"<details open><summary>{len(self.notes)} to look at</summary><ul>{found}</ul></details>"
        mask = "" if identity_shown() else f"{MASK} masked: wrap in dicomlab.show_identity() to see it"
        return html.block(
            markup(
                f'<div class="title">{escape(self.title)} '
                f'<span class="soft">{escape(self.sop_class or "no SOP class")}</span></div>'
            ),
            markup(odd if self.notes else ""),
            markup(
                f'<label for="{name}" class="soft">search </label><input id="{name}" type="search" '
                f'placeholder="keyword, tag, module or words" oninput="{escape(onsearch)}">'
            ),
            markup(f'<div class="scroll">{table}</div><div class="soft">{escape(mask)}</div>'),
        )


_ORDER = ["unknown_class", "missing", "empty", "count", "unreadable", "no_creator", "retired", "cut"]


def explain_header(
    header: Dataset, title: str = "header", *, sop_class: str | None = None
) -> HeaderExplanation:
    """A table of what is in `header`, explained for its own SOP class or for `sop_class` (a UID)."""
    return HeaderExplanation(header, title, sop_class=sop_class)


def _class_of(header: Dataset) -> str:
    for source, keyword in (
        (header, "SOPClassUID"),
        (getattr(header, "file_meta", None), "MediaStorageSOPClassUID"),
    ):
        element = element_of(source, keyword) if source is not None else None
        if element is not None and isinstance(element.value, str) and element.value:
            return str(element.value)
    return ""


class _Walk:
    """Rows of a header in file order, and notes on the way."""

    def __init__(self, uid: str, iod: Iod | None, notes: list[Note]) -> None:
        self.uid, self.iod, self.notes = uid, iod, notes
        self.count = 0

    def rows(self, header: Dataset) -> Iterator[Row]:
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
            value, vr = value_text(element), str(element.VR)
            self._look(element, shown, entry, role, creator)
        says = words.says or _SAYS.get(entry.kind, "")
        if entry.retired and entry.kind == "standard":
            says = f"Retired. {says}".strip()
        name = (
            f"{entry.name or 'Private attribute'} ({creator or 'no creator'})"
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

    def _look(self, element: Any, shown: str, entry: Any, role: Role | None, creator: str) -> None:
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
        elif not element.is_empty and entry.vm and element.VR != "SQ" and not vm_allows(entry.vm, element.VM):
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
            self.notes.append(
                Note(
                    "no_creator",
                    f"private attribute {shown} has no Private Creator: nobody can know whose it is",
                    *note,
                )
            )


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
    from dicomlab.dictionary.names import resolve

    return int(resolve(keyword).tag or 0)
