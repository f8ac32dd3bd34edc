"""Tables of headers: `header_table`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from dicomlab.errors import DicomLabError
from dicomlab.privacy import IS_CLEANED, MASK, Identity, identity_shown
from dicomlab.read.identity import identity_in_header
from dicomlab.read.progress import Progress
from dicomlab.tables.common import common_level, tally_files
from dicomlab.tables.frames import as_frame, save_frame
from dicomlab.tables.levels import DatasetLevel, Decimals, Level, file_level, tag_text
from dicomlab.tables.paths import AttributePath, parse_path
from dicomlab.tables.roles import module_of
from dicomlab.tables.rows import Row, find, hides, rows
from dicomlab.tables.sources import HeaderSource, open_source
from dicomlab.tables.texts import Told, is_masked, numbered, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HeaderTable", "header_table", "names_in", "open_header"]

_LONGEST = 120
"""Characters of a value that a table shows unless asked for more; the rest is counted."""
_LINES = 400
"""Lines of the plain text of a table."""
_SOP_CLASS = 0x0008_0016


class HeaderTable:
    """Every attribute of one header, or what the headers of several files have in common: searchable in a notebook.

    Identifying values are masked whenever the table is looked at, see `dicomlab.show_identity`.

    Attributes
    ----------
    title : str
        What the table is of.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> table = header_table(phantom.write_study(tmp_path, coarser=4).ct.folder)
    >>> table["PixelSpacing"].to_dataframe().vr.item()
    'DS'
    """

    def __init__(
        self,
        level: Level | None,
        title: str,
        picked: list[Row] | None = None,
        sop_class: str = "",
        *,
        progress: bool = True,
    ) -> None:
        self.title = title
        self._level = level
        self._picked = picked
        self._progress = progress
        # First of all: looking at an element with a wrong VR loses its text.
        self._who = None if level is None else names_in(level)
        self._sop_class = sop_class or (_sop_class(level) if level is not None else "")

    def _rows(self) -> Iterator[Row]:
        if self._picked is not None:
            return iter(self._picked)
        return self._walk()

    def _walk(self) -> Iterator[Row]:
        """All rows, with a bar: a structure set has hundreds of thousands."""
        assert self._level is not None
        with Progress(None, "going through the header", self._progress, " rows") as bar:
            for row in rows(self._level):
                yield replace(row, who=self._who)
                bar.step()

    def to_dataframe(self, *, longest: int = _LONGEST) -> pd.DataFrame:
        """One row an element, in file order.

        Parameters
        ----------
        longest
            Characters of a value after which it is cut, and its length told.

        Returns
        -------
        DataFrame
            ``path, tag, keyword, vr, vm, value, module, creator, depth``: text, but for ``vm`` and ``depth`` (Int64). ``path``
            is unique and is what `at` takes; ``module`` says where PS3.3 defines the attribute for this kind of object,
            where that is known; ``creator`` is who reserved a private element.
        """
        names = ("path", "tag", "keyword", "vr", "vm", "value", "module", "creator", "depth")
        columns: dict[str, list[Any]] = {name: [] for name in names}
        for row in self._rows():
            element = row.element
            values = (
                row.path,
                tag_text(element.tag),
                element.label,
                element.vr,
                element.vm,
                shortened(row.text, longest),
                module_of(element.tag, self._sop_class, row.path),
                element.creator,
                row.depth,
            )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
        return as_frame(columns, whole=("vm", "depth"))

    @property
    def table(self) -> pd.DataFrame:
        """`to_dataframe`, as lists of other things have it."""
        return self.to_dataframe()

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``, ``.xlsx`` or ``.parquet``; what is masked stays masked, no text becomes a formula.

        Raises
        ------
        DicomLabError
            Another ending, a file that is there already, or a package that is missing.
        """
        save_frame(self.to_dataframe(longest=1 << 15), path, overwrite=overwrite)

    def search(self, text: str) -> HeaderTable:
        """The rows that hold `text` in path, tag, keyword, creator or value as it is shown, in any case."""
        wanted = str(text).casefold()

        def holds(row: Row) -> bool:
            element = row.element
            told = (
                tag_text(element.tag),
                element.label,
                row.path.rpartition(".")[2],
                element.creator,
                row.text,
            )
            return any(wanted in part.casefold() for part in told)

        return self._with([row for row in self._rows() if holds(row)], f"{self.title}: {text!r}")

    def __getitem__(self, path: AttributePath) -> HeaderTable:
        """The rows of an attribute wherever it stands, named by keyword, tag or path.

        Raises
        ------
        DicomLabError
            There is none, or the name is none of the standard.
        """
        steps = parse_path(path)
        if len(steps) > 1 or steps[0].index is not None:
            return self.at(path)
        found = [row for row in self._rows() if row.element.tag == steps[0].tag]
        if not found:
            raise DicomLabError(
                f"{path!r} is not in this header ({self.title}); search(…) looks for parts of names"
            )
        return self._with(found, f"{self.title}: {path}")

    def at(self, path: AttributePath) -> HeaderTable:
        """What stands at a path: an element, all that is in a sequence, or in one item of it.

        Parameters
        ----------
        path
            For instance ``"ROIContourSequence[12]"``, ``"ROIContourSequence[*].ROIDisplayColor"``.

        Raises
        ------
        DicomLabError
            There is nothing, or `path` is none.
        """
        steps = parse_path(path)
        title = f"{self.title}: {path}"
        if self._level is not None:
            found = list(find(self._level, steps))
        else:
            found = [row for row in self._rows() if row.element.tag == steps[-1].tag]
        if not found:
            raise DicomLabError(f"there is nothing at {path!r} in this header ({self.title})")
        row, index = found[0], steps[-1].index
        items = row.element.items
        if items is None or len(found) > 1:
            return self._with(found, title)
        hidden = row.hidden or hides(row.element)
        if index is not None and index >= 0:
            if index >= len(items):
                raise DicomLabError(f"{path!r}: there is no item {index}; {numbered(len(items))}")
            inside = rows(items[index], f"{row.path}[{index}].", row.depth + 1, hidden)
            return self._with(list(inside), title)
        inside = (
            inner
            for k, item in enumerate(items)
            for inner in rows(item, f"{row.path}[{k}].", row.depth + 1, hidden)
        )
        return self._with([row, *inside], title)

    def _with(self, picked: list[Row], title: str) -> HeaderTable:
        made = HeaderTable(None, title, [replace(row, who=self._who) for row in picked], self._sop_class)
        made._who = self._who
        return made

    @property
    def value(self) -> Any:
        """The value of a table of one element, as pydicom has it; `MASK` where it may not be shown.

        Raises
        ------
        DicomLabError
            The table has several elements.
        """
        found = list(islice(self._rows(), 2))
        if len(found) != 1:
            raise DicomLabError("value is that of a table of one element; table['PixelSpacing'] picks one")
        row = found[0]
        if is_masked(row.element, row.hidden) and row.text:
            return MASK
        value = row.element.value
        if row.element.keyword in IS_CLEANED and not identity_shown():
            return row.text
        if isinstance(value, Decimals):
            return value.numbers()
        return value.text if isinstance(value, Told) else value

    def __len__(self) -> int:
        return sum(1 for _ in self._rows())

    def __contains__(self, path: object) -> bool:
        try:
            return len(self[path]) > 0  # type: ignore[index]
        except DicomLabError:
            return False

    def __repr__(self) -> str:
        lines = [self.title]
        found = self._rows()
        for row in islice(found, _LINES):
            element = row.element
            told = shortened(row.text, _LONGEST)
            lines.append(f"{'  ' * row.depth}{tag_text(element.tag)} {element.vr} {element.label}: {told}")
        if next(found, None) is not None:
            lines.append("… and more: to_dataframe() has all, at('…Sequence[12]') what is inside an item")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from dicomlab.tables.page import header_page

        return header_page(self)


def header_table(source: HeaderSource, *, index: int | None = None, progress: bool = True) -> HeaderTable:
    """Searchable table of a header, or of what the headers of several files have in common.

    Parameters
    ----------
    source
        A file, a folder or zip archive, a `Series` or `Stack`, or a `pydicom.Dataset`.
    index
        Of several files, take one alone: 0 is the first, -1 the last. Without it the table holds what all files have, and
        tells of what differs how many values there are; `varying` says how they differ.
    progress
        Show a bar when reading, or a search, takes longer than a second. Ctrl-C interrupts.

    Raises
    ------
    DicomLabError
        Nothing to show: no DICOM, or no instance of that number.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> header_table(study.ct.folder).search("PixelSpacing").to_dataframe().vr.item()
    'DS'
    """
    return HeaderTable(*open_header(source, "header_table", index, progress), progress=progress)


def open_header(
    source: HeaderSource, verb: str, index: int | None = None, progress: bool = True
) -> tuple[Level, str]:
    """The header that `source` names, or what its files have in common, and what it is called.

    Raises
    ------
    DicomLabError
        As `header_table`.
    """
    found = open_source(source, verb, progress=progress)
    if found.dataset is not None:
        return DatasetLevel(found.dataset, top=True), found.title
    count = len(found.files)
    if index is None and count > 1:
        tally = tally_files(found.files, progress)
        return common_level(tally), f"{count} files, {found.title}: what they have in common"
    try:
        file = found.files[index or 0]
    except IndexError:
        raise DicomLabError(f"there is no instance {index}; {numbered(count)}") from None
    place = (index or 0) % count
    return file_level(file), file.name if count == 1 else f"{file.name} ({place + 1} of {count})"


def names_in(level: Level) -> Identity | None:
    """Words of a header that name the patient; None where nobody knows, as of several files."""
    return identity_in_header(level.dataset) if isinstance(level, DatasetLevel) else None


def _sop_class(level: Level) -> str:
    for element in level:
        if element.tag == _SOP_CLASS:
            value = element.value
            return str((value.first if isinstance(value, Told) else value) or "")
        if element.tag > _SOP_CLASS:
            break
    return ""
