"""Two headers side by side: `compare_headers`."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicomlab.privacy import MASK
from dicomlab.tables.changes import SIGNS, Change, changes
from dicomlab.tables.frames import as_frame, save_frame
from dicomlab.tables.header import names_in, open_header
from dicomlab.tables.levels import Level, tag_text
from dicomlab.tables.sources import HeaderSource
from dicomlab.tables.texts import shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeaderComparison", "compare_headers"]

_LONGEST = 120
_LINES = 200
_KEPT = 2000
"""Elements that are the same in both, kept to be unfolded; the others are counted."""


class HeaderComparison:
    """What differs between two headers; true when anything does, and as long as there are differences.

    Attributes
    ----------
    titles : tuple of str
        What both are called.
    unchanged : int
        Elements that are the same in both.
    """

    def __init__(self, before: Level, after: Level, titles: tuple[str, str]) -> None:
        self.titles = titles
        self._found: list[Change] = []
        self._same: list[Change] = []
        self.unchanged = 0
        # Whom one names may be left over in the other. First of all: looking at an element with a wrong VR loses its text.
        first, second = names_in(before), names_in(after)
        who = None if first is None or second is None else first | second
        for change in changes(before, after):
            change = replace(change, who=who)
            if change.kind != "same":
                self._found.append(change)
                continue
            self.unchanged += 1
            if len(self._same) < _KEPT:
                self._same.append(change)

    def _paths(self, *kinds: str) -> tuple[str, ...]:
        return tuple(change.path for change in self._found if change.kind in kinds)

    @property
    def added(self) -> tuple[str, ...]:
        """Paths of elements that only the second has."""
        return self._paths("added")

    @property
    def removed(self) -> tuple[str, ...]:
        """Paths of elements that only the first has."""
        return self._paths("removed")

    @property
    def changed(self) -> tuple[str, ...]:
        """Paths of elements whose value differs, be it only in its spelling or its VR."""
        return self._paths("changed", "respelled", "other VR")

    def __len__(self) -> int:
        return len(self._found)

    def to_dataframe(self, *, longest: int = _LONGEST) -> pd.DataFrame:
        """One row a difference, in the order of tags.

        Returns
        -------
        DataFrame
            ``path, tag, keyword, vr, change, before, after, note``. ``change`` is ``"added"``, ``"removed"``, ``"changed"``,
            ``"respelled"`` (the same numbers, written otherwise) or ``"other VR"`` (the same value, under another VR).
        """
        names = ("path", "tag", "keyword", "vr", "change", "before", "after", "note")
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for change in self._found:
            element = change.element
            before, after = (shortened(text, longest) for text in change.texts())
            note = "; ".join(part for part in (change.note, _masked_note(change)) if part)
            values = (
                change.path,
                tag_text(element.tag),
                element.label,
                element.vr,
                change.kind,
                before,
                after,
                note,
            )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        return as_frame(columns)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``, ``.xlsx`` or ``.parquet``; see `HeaderTable.save`."""
        save_frame(self.to_dataframe(longest=1 << 15), path, overwrite=overwrite)

    def __repr__(self) -> str:
        lines = [self.summary, f"− {self.titles[0]}", f"+ {self.titles[1]}"]
        for change in self._found[:_LINES]:
            before, after = (shortened(text, _LONGEST) for text in change.texts())
            if change.masked and change.kind not in ("added", "removed"):
                told = f"{MASK} {change.kind}"
            else:
                told = {"added": after, "removed": before}.get(change.kind, f"{before} → {after}")
            note = f"  ({change.note})" if change.note else ""
            lines.append(f"{SIGNS[change.kind]} {tag_text(change.element.tag)} {change.path}: {told}{note}")
        if len(self) > _LINES:
            lines.append(f"… and {len(self) - _LINES:,} more: to_dataframe() has all")
        return "\n".join(lines)

    @property
    def summary(self) -> str:
        """One sentence."""
        if not self._found:
            return f"no difference in {self.unchanged:,} elements"
        counts = ((len(self.added), "added"), (len(self.removed), "removed"), (len(self.changed), "changed"))
        return (
            ", ".join(f"{n:,} {word}" for n, word in counts if n)
            + f"; {self.unchanged:,} elements are the same"
        )

    def _repr_html_(self) -> str:
        from dicomlab.tables.diff_page import diff_page

        return diff_page(self)


def _masked_note(change: Change) -> str:
    return "masked, but it differs" if change.masked and change.kind == "changed" else ""


def compare_headers(before: HeaderSource, after: HeaderSource, *, progress: bool = True) -> HeaderComparison:
    """What differs between two headers: two files, two data sets, or what two series have in common.

    The order of elements does not matter. Sequences are compared item by item. Numbers that are equal but written otherwise
    (``1.0`` and ``1.00``), and values that are equal under another VR (a private element in implicit VR), are told as such.
    Of identifying values only is told *that* they differ, see `dicomlab.show_identity`.

    Parameters
    ----------
    before, after
        Files, folders, `Series`, `Stack` or `pydicom.Dataset`. Of several files that is compared which `header_table` shows:
        what all have, and of what differs between them, which values there are.

    Raises
    ------
    DicomLabError
        As `header_table`.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> first, second = sorted(study.ct.folder.iterdir())[:2]
    >>> "ImagePositionPatient" in compare_headers(first, second).changed
    True
    >>> bool(compare_headers(first, first))
    False
    """
    levels, titles = zip(
        *(open_header(side, "compare_headers", None, progress) for side in (before, after)), strict=True
    )
    return HeaderComparison(levels[0], levels[1], (titles[0], titles[1]))
