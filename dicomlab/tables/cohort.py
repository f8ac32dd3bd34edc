"""A table of chosen attributes over many files: `keyword_table`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from pydicom.datadict import keyword_for_tag
from pydicom.tag import Tag

from dicomlab import html
from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.privacy import MASK, NOTE
from dicomlab.read.progress import Progress
from dicomlab.read.sources import FileRef
from dicomlab.tables.common import parsed
from dicomlab.tables.frames import as_frame, save_frame
from dicomlab.tables.levels import Element, Level, tag_text
from dicomlab.tables.paths import ALL, AttributePath, Step, parse_path
from dicomlab.tables.raws import RawHeader, RawReader
from dicomlab.tables.rows import Row, find, hides
from dicomlab.tables.sources import HeaderSource, open_source
from dicomlab.tables.texts import is_masked, shortened, value_text

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["KeywordTable", "keyword_table"]

_GROUPS = (0x5200_9229, 0x5200_9230)
_CONTEXT = (0x0008_0005, 0x0028_0103)
_NUMBERS = {
    "IS": int,
    "DS": float,
    "FL": float,
    "FD": float,
    **dict.fromkeys(["US", "SS", "UL", "SL", "UV", "SV"], int),
}
_ROWS = 500
_MOST_DEEP = 8


class KeywordTable:
    """Chosen attributes of many files or series, one column each.

    Attributes
    ----------
    skipped : dict of str to str
        Files that could not be read, with the reason.
    """

    def __init__(
        self, columns: dict[str, list[Any]], names: Sequence[str], title: str, skipped: dict[str, str]
    ) -> None:
        self._columns, self._names = columns, names
        self.title, self.skipped = title, skipped

    def to_dataframe(self) -> pd.DataFrame:
        """One row a file, or a series.

        Returns
        -------
        DataFrame
            Columns of attributes are ``Int64`` or ``Float64`` where all values are single numbers, else text, in which several
            values are joined by a backslash; ``<NA>`` where a file lacks one.
        """
        whole, real, columns = [], [], dict(self._columns)
        for name in self._names:
            kinds = {type(value) for value in columns[name] if value is not None}
            if kinds == {int}:
                whole.append(name)
            elif kinds and kinds <= {int, float}:
                real.append(name)
            else:
                columns[name] = [None if value is None else str(value) for value in columns[name]]
        return as_frame(columns, (*whole, *(["files"] if "files" in columns else [])), real)

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``, ``.xlsx`` or ``.parquet``; see `HeaderTable.save`."""
        save_frame(self.to_dataframe(), path, overwrite=overwrite)

    def __len__(self) -> int:
        return len(next(iter(self._columns.values())))

    def __repr__(self) -> str:
        return f"{self.title}\n{self.to_dataframe().head(60).to_string()}"

    def _repr_html_(self) -> str:
        rows = list(zip(*self._columns.values(), strict=True))
        shown = [
            ["" if value is None else shortened(str(value), 200) for value in row] for row in rows[:_ROWS]
        ]
        notes = [f"{NOTE}."] if any(MASK in text for row in shown for text in row) else []
        if len(rows) > _ROWS:
            notes.append(f"{len(rows) - _ROWS:,} more rows: .to_dataframe() has all.")
        if self.skipped:
            notes.append(f"{len(self.skipped):,} files could not be read: .skipped says why.")
        table = html.table(list(self._columns), shown, ["w"] * len(self._columns))
        return html.block(
            html.Markup(
                f'<div class="title">{html.escape(self.title)}</div><div class="scroll">{table}</div>'
            ),
            html.Markup(f'<div class="soft">{html.escape(" ".join(notes))}</div>'),
        )


def keyword_table(
    source: HeaderSource | Iterable[str | os.PathLike[str]],
    keywords: Iterable[AttributePath],
    *,
    per: Literal["file", "series"] = "file",
    progress: bool = True,
) -> KeywordTable:
    """Chosen attributes of every file or series of a cohort, as columns.

    Parameters
    ----------
    source
        A folder, zip archive, file, several of them, a `SeriesList`, `Series` or `Stack`.
    keywords
        Keywords, tags in any usual form, or paths: ``"PatientSex"``, ``(0x0018, 0x0050)``, ``"0018,0050"``,
        ``"PixelMeasuresSequence.PixelSpacing"``. An index picks an item, or one of several values
        (``"ImagePositionPatient[2]"``); ``[*]`` takes all items, joined by `` | ``. What does not stand at the top is
        looked for inside sequences, functional groups first, in the first item of each.
    per
        ``"file"``, or ``"series"``: the value that all files of a series have; where they differ it is missing, and the column
        ``differing`` names the attribute.
    progress
        Show a bar when reading takes longer than a second. Ctrl-C interrupts at any file.

    Returns
    -------
    KeywordTable
        Identifying values are masked unless the table is made inside `dicomlab.show_identity`.

    Raises
    ------
    DicomLabError
        A keyword is none of the standard, or there is no DICOM.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> table = keyword_table(tmp_path, ["Modality", "PixelSpacing[0]", "PatientName"], per="series")
    >>> table.to_dataframe()[["Modality", "PatientName"]].values.tolist()
    [['CT', '•••'], ['MR', '•••'], ['PT', '•••']]
    """
    if isinstance(keywords, (str, int)):
        raise DicomLabError(f"keyword_table takes a list of attributes, for instance [{keywords!r}]")
    wanted = list(keywords)
    if per not in ("file", "series"):
        raise DicomLabError(f'per is "file" or "series", found {per!r}')
    if not wanted:
        raise DicomLabError('keyword_table takes at least one attribute, for instance ["PatientSex"]')
    paths = {_name(path): parse_path(path) for path in wanted}
    found = open_source(source, "keyword_table", progress=progress)  # type: ignore[arg-type]
    if found.dataset is not None:
        raise DicomLabError("keyword_table takes files; the table of one Dataset is header_table(…)")
    groups = [[i.file for i in one.instances] for one in found.series] or [list(found.files)]
    skipped: dict[str, str] = {}
    reader = RawReader()
    columns: dict[str, list[Any]] = {per: []}
    if per == "series":
        columns["files"] = []
    columns |= {name: [] for name in paths}
    if per == "series":
        columns["differing"] = []
    with Progress(len(found.files), "reading headers", progress) as bar:
        for number, files in enumerate(groups):
            cells = _cells(reader, files, paths, skipped, bar)
            if per == "file":
                for name, values in cells:
                    _append(columns, {"file": name, **values})
            else:
                _append(columns, {"series": str(number), "files": len(files), **_agreed(cells, paths)})
    return KeywordTable(
        columns,
        list(paths),
        f"{len(columns[per]):,} {per if len(columns[per]) == 1 else _many(per)}",
        skipped,
    )


def _many(per: str) -> str:
    return "files" if per == "file" else "series"


def _append(columns: Mapping[str, list[Any]], row: Mapping[str, Any]) -> None:
    for name, column in columns.items():
        column.append(row[name])


def _name(path: AttributePath) -> str:
    """Name of a column: as it was written, a tag by its keyword."""
    steps = parse_path(path)
    if len(steps) == 1 and steps[0].index is None:
        return keyword_for_tag(Tag(steps[0].tag)) or tag_text(steps[0].tag)
    return str(path)


def _cells(
    reader: RawReader,
    files: Sequence[FileRef],
    paths: Mapping[str, tuple[Step, ...]],
    skipped: dict[str, str],
    bar: Progress,
) -> Iterator[tuple[str, dict[str, Any]]]:
    for file in files:
        try:
            header = reader.read(file)
        except (NotDicomError, OSError) as problem:
            skipped[file.name] = str(problem)
        else:
            yield file.name, {name: _cell(_lookup(header, steps), steps[-1]) for name, steps in paths.items()}
        bar.step()


def _agreed(cells: Iterator[tuple[str, dict[str, Any]]], paths: Iterable[str]) -> dict[str, Any]:
    """What all files of a series have."""
    agreed: dict[str, Any] | None = None
    differing: dict[str, None] = {}
    for _, values in cells:
        agreed = dict(values) if agreed is None else agreed
        differing |= dict.fromkeys(name for name in paths if values[name] != agreed[name])
    agreed = dict.fromkeys(paths) if agreed is None else agreed
    return {**agreed, **dict.fromkeys(differing), "differing": ", ".join(differing)}


def _lookup(header: RawHeader, steps: tuple[Step, ...]) -> list[Row]:
    tag = steps[0].tag
    if tag >> 16 == 0x0002:
        raw = header.meta.get(tag)
        return [] if raw is None else list(find([parsed(raw, False, {}, {})], steps))
    if tag in header.raws:
        return list(find([parsed(header.raws[tag], header.implicit, header.raws, {})], steps))
    needle = (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")
    for outer in sorted(header.raws, key=lambda t: (t not in _GROUPS, t)):
        raw = header.raws[outer]
        if len(raw) > 16 and needle in raw:
            element = parsed(raw, header.implicit, header.raws, {})
            found = _inside(element, steps, hides(element), 0)
            if found:
                return found
    return []


def _inside(element: Element, steps: tuple[Step, ...], hidden: bool, depth: int) -> list[Row]:
    """Rows at a path that begins anywhere in the first item of a sequence."""
    if not element.items or depth > _MOST_DEEP:
        return []
    item: Level = element.items[0]
    found = list(find(item, steps, hidden=hidden))
    if found:
        return found
    for inner in item:
        found = _inside(inner, steps, hidden or hides(inner), depth + 1)
        if found:
            return found
    return []


def _cell(rows: Sequence[Row], last: Step) -> int | float | str | None:
    cells = [value for row in rows if (value := _plain(row, last.index)) is not None]
    if len(cells) > 1:
        return " | ".join(map(str, cells))
    return cells[0] if cells else None


def _plain(row: Row, index: int | None) -> int | float | str | None:
    """A number, or text; None where there is no value."""
    element = row.element
    if element.items is not None:
        return len(element.items)
    value = element.value
    if element.problem or value is None or (hasattr(value, "__len__") and len(value) == 0):
        return None
    if is_masked(element, row.hidden):
        return MASK
    several = element.vm is not None and element.vm > 1
    if index is not None and index != ALL:
        if index >= (element.vm or 0):
            return None
        value = value[index] if several else value
    elif several:
        return row.text
    number = _NUMBERS.get(element.vr)
    try:
        return (
            row.text
            if number is None and index is None
            else number(value)
            if number
            else value_text(value, element.vr)
        )
    except (TypeError, ValueError):
        return row.text
