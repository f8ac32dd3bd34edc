"""What an archive answered: matches as a table, files that came, files that went. Identity is masked in all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, overload

from pydicom.datadict import dictionary_VR, keyword_for_tag
from pydicom.dataset import Dataset

from dicomlab import html
from dicomlab.extras.network.questions import LEVELS, UNIQUE, texts
from dicomlab.privacy import MASK, Identity, identity_in, identity_shown, is_identifying, shown_value

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Match", "Matches", "Received", "Sent"]

_LONGEST: Final = 120
_WHOLE: Final = ("IS", "US", "UL", "SS", "SL")
"""VRs of whole numbers."""
_MOST_ROWS: Final = 100
"""Rows that a notebook shows; the table has all."""


class Match:
    """One study, series or image that an archive has.

    Attributes
    ----------
    level
        ``"study"``, ``"series"`` or ``"image"``.
    header
        What the archive said of it, as a `pydicom.Dataset`, nothing masked.
    """

    def __init__(self, level: str, header: Dataset, known: Identity = frozenset()) -> None:
        self.level = level
        self.header = header
        self._known = known

    @cached_property
    def identity(self) -> Identity:
        """Words that say who the patient is, as far as this answer and those that it was found by tell."""
        keywords = [keyword for tag in self.header.keys() if (keyword := keyword_for_tag(tag))]  # noqa: SIM118
        return self._known | identity_in(
            (keyword, dictionary_VR(keyword), "\\".join(texts(self.header, keyword))) for keyword in keywords
        )

    def cell(self, keyword: str) -> Any:
        """What a table shows of an attribute."""
        return _cell(self.header, keyword, self.identity)

    @property
    def uids(self) -> dict[str, str]:
        """The unique keys down to its level, as keywords for ``find`` and ``get``."""
        keys = [UNIQUE[one] for one in LEVELS[: LEVELS.index(self.level) + 1]]
        return {key: value[0] for key in keys if (value := texts(self.header, key))}

    def __repr__(self) -> str:
        return f"<Match {self.level}: {', '.join(f'{k} {v[:64]}' for k, v in self.uids.items())}>"


class Matches(Sequence[Match]):
    """What an archive found: a sequence of `Match`, a table in a notebook, a DataFrame by `to_dataframe`.

    Attributes
    ----------
    level
        ``"study"``, ``"series"`` or ``"image"``.
    complete
        False where there were more than `limit` of ``find``.
    """

    def __init__(
        self,
        level: str,
        found: Sequence[Match],
        keywords: Sequence[str],
        archive: str,
        complete: bool,
    ) -> None:
        self.level = level
        self.complete = complete
        self._found = tuple(found)
        self._keywords = tuple(keywords)
        self._archive = archive

    @overload
    def __getitem__(self, index: int) -> Match: ...

    @overload
    def __getitem__(self, index: slice) -> Matches: ...

    def __getitem__(self, index: int | slice) -> Match | Matches:
        if isinstance(index, slice):
            return Matches(self.level, self._found[index], self._keywords, self._archive, self.complete)
        try:
            return self._found[index]
        except IndexError:
            count = len(self._found)
            found = f"found {count}" if count else f"found no {self.level} that matches"
            raise IndexError(f"there is no {self.level} {index}: the archive {found}") from None

    def __len__(self) -> int:
        return len(self._found)

    def __iter__(self) -> Iterator[Match]:
        return iter(self._found)

    def to_dataframe(self) -> pd.DataFrame:
        """A row for each match, a column for each keyword that was asked; whole numbers are numbers, all else is text.

        Identifying values are masked, unless `dicomlab.show_identity` lifts it.
        """
        import pandas as pd

        return pd.DataFrame(
            [[one.cell(keyword) for keyword in self._keywords] for one in self._found],
            columns=list(self._keywords),
        )

    @property
    def table(self) -> pd.DataFrame:
        """As `to_dataframe`."""
        return self.to_dataframe()

    def _title(self) -> str:
        more = "" if self.complete else ", and more than were wanted: raise limit=, or ask more narrowly"
        names = {"study": "studies", "series": "series", "image": "images"}
        noun = self.level if len(self) == 1 else names[self.level]
        return f"{len(self)} {noun} in {self._archive}{more}"

    def __repr__(self) -> str:
        if not self:
            return self._title()
        table = self.to_dataframe()
        for keyword in filter(_is_uid, self._keywords):
            table[keyword] = table[keyword].map(_short)
        return f"{self._title()}\n{table.to_string(max_rows=_MOST_ROWS)}"

    def _repr_html_(self) -> str:
        rows = [
            [
                _short(one.cell(keyword)) if _is_uid(keyword) else one.cell(keyword)
                for keyword in self._keywords
            ]
            for one in self._found[:_MOST_ROWS]
        ]
        hidden = any(MASK in row for row in rows)
        notes = [f"{MASK} masked: wrap in dicomlab.show_identity() to see it"] if hidden else []
        if len(self) > _MOST_ROWS:
            notes.insert(0, f"the first {_MOST_ROWS} rows; to_dataframe() has all")
        kinds = ["n" if dictionary_VR(keyword) in _WHOLE else "" for keyword in self._keywords]
        body = html.table(self._keywords, rows, kinds) if rows else html.Markup("")
        return html.block(
            html.Markup(f'<div class="title">{html.escape(self._title())}</div>'),
            body,
            html.Markup(f'<div class="soft">{html.escape("; ".join(notes))}</div>'),
        )


class Received:
    """Files that an archive sent.

    Attributes
    ----------
    folder
        Where they are.
    files
        Those that came now, in the order in which they came; named by SOP Instance UID.
    already
        Those that were there under the same name: not written again.
    failed
        SOP Instance UID (``""`` where nobody knows it) of each that did not come, and why.
    """

    def __init__(
        self,
        folder: Path,
        files: Sequence[Path],
        already: Sequence[Path],
        failed: Sequence[tuple[str, str]],
    ) -> None:
        self.folder = folder
        self.files = tuple(files)
        self.already = tuple(already)
        self.failed = tuple(failed)

    def __repr__(self) -> str:
        parts = [f"{len(self.files)} files in {self.folder}"]
        if self.already:
            parts.append(f"{len(self.already)} were there already")
        if self.failed:
            parts.append(f"{len(self.failed)} did not come: {self.failed[0][1]}")
        return f"<Received {', '.join(parts)}>"


class Sent:
    """Files that an archive took.

    Attributes
    ----------
    files
        Those that it took.
    failed
        The others, each with the reason.
    """

    def __init__(self, files: Sequence[Path], failed: Mapping[Path, str]) -> None:
        self.files = tuple(files)
        self.failed = dict(failed)

    def __repr__(self) -> str:
        refused = f", {len(self.failed)} not: {next(iter(self.failed.values()))}" if self.failed else ""
        return f"<Sent {len(self.files)} files{refused}>"


def _is_uid(keyword: str) -> bool:
    return dictionary_VR(keyword) == "UI"


def _short(uid: str) -> str:
    """The ends of a UID, which nobody reads whole; `to_dataframe` has all of it."""
    return uid if len(uid) <= 26 else f"{uid[:8]}…{uid[-8:]}"


def _cell(header: Dataset, keyword: str, identity: Identity) -> Any:
    values = texts(header, keyword)
    vr = dictionary_VR(keyword)
    if not any(values):
        return ""
    if is_identifying(keyword, vr):
        return MASK
    if len(values) == 1 and vr in _WHOLE:
        try:
            return int(values[0])
        except ValueError:
            pass
    text = "\\".join(values)
    if "\0" in text and not identity_shown():
        return MASK  # a broken length swallowed what follows, whatever it is
    if vr != "UI":
        text = shown_value(keyword, text, identity)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text)} characters)"
