"""What differs between the files of a series, or the frames of an object, and how: `varying`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dicomlab import html
from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.privacy import MASK, NOTE
from dicomlab.read.plain import plain_numbers
from dicomlab.read.progress import progress_bar
from dicomlab.tables.axes import axes_of
from dicomlab.tables.common import sample
from dicomlab.tables.frames import as_frame, save_frame
from dicomlab.tables.how import How, Orders, how_it_varies
from dicomlab.tables.levels import Element, tag_text
from dicomlab.tables.page import STYLE, bar, name_markup, value_markup
from dicomlab.tables.paths import AttributePath, parse_path, part_of
from dicomlab.tables.raws import RawReader, inner_raws
from dicomlab.tables.rows import hides
from dicomlab.tables.sources import HeaderSource, open_source
from dicomlab.tables.tally import Entry, Tally
from dicomlab.tables.texts import element_text, is_masked, shortened

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Varying", "VaryingTable", "varying"]

_PER_FRAME = 0x5200_9230
_CONTEXT = (0x0008_0005, 0x0028_0103)
_EXAMPLES = 3
_HALF_A_DAY = 43_200.0
"""Seconds."""
_TIME = re.compile(rb"(\d\d)(\d\d)?(\d\d(?:\.\d{1,6})?)?")


@dataclass(frozen=True, slots=True)
class Varying:
    """One attribute that differs.

    Parameters
    ----------
    how
        In words, and how regular.
    distinct
        Number of different values.
    missing
        Instances without it.
    numbers
        The different values as numbers, shape ``(distinct, parts)``; None where they are none.
    examples
        A few of them.
    hidden
        Whether it stands in a sequence that identifies somebody.
    """

    path: str
    how: How
    distinct: int
    missing: int
    numbers: npt.NDArray[np.float64] | None
    examples: tuple[Element, ...]
    hidden: bool = False

    @property
    def range(self) -> tuple[float, float] | None:
        """Lowest and highest, of single numbers that may be shown."""
        if self.numbers is None or self.numbers.shape[1] != 1 or is_masked(self.examples[0], self.hidden):
            return None
        return float(self.numbers.min()), float(self.numbers.max())

    def example_text(self, longest: int = 40) -> str:
        """Some of the values."""
        texts = [shortened(element_text(element, self.hidden), longest) for element in self.examples]
        if all(text == MASK for text in texts):
            return MASK
        return ", ".join(text or "(empty)" for text in texts) + (" …" if self.distinct > len(texts) else "")


class VaryingTable:
    """Attributes that differ, and how.

    Attributes
    ----------
    title : str
    total : int
        Instances that were compared.
    unit : str
        ``"file"`` or ``"frame"``.
    """

    def __init__(self, found: list[Varying], title: str, total: int, unit: str) -> None:
        self._found = found
        self.title, self.total, self.unit = title, total, unit

    def to_dataframe(self) -> pd.DataFrame:
        """One row an attribute: what it is, how it varies, its values.

        Returns
        -------
        DataFrame
            ``path, tag, keyword, vr, how, shape, distinct, missing, lowest, highest, examples``. ``how`` is
            ``"with position"``, ``"with time"``, ``"with position and time"``, … of the axes that the volume has,
            ``"unique per file"``, or ``"irregular"``; ``shape`` is ``"linear"``, ``"monotone"`` or empty. ``lowest`` and
            ``highest`` are of single numbers.
        """
        columns: dict[str, list[Any]] = {
            "path": [row.path for row in self._found],
            "tag": [tag_text(row.examples[0].tag) for row in self._found],
            "keyword": [row.examples[0].label for row in self._found],
            "vr": [row.examples[0].vr for row in self._found],
            "how": [row.how.words for row in self._found],
            "shape": [row.how.shape for row in self._found],
            "distinct": [row.distinct for row in self._found],
            "missing": [row.missing for row in self._found],
            "lowest": [None if row.range is None else row.range[0] for row in self._found],
            "highest": [None if row.range is None else row.range[1] for row in self._found],
            "examples": [row.example_text() for row in self._found],
        }
        return as_frame(columns, whole=("distinct", "missing"), real=("lowest", "highest"))

    def save(self, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
        """Write the table as ``.csv``, ``.xlsx`` or ``.parquet``; see `HeaderTable.save`."""
        save_frame(self.to_dataframe(), path, overwrite=overwrite)

    def __getitem__(self, path: AttributePath) -> VaryingTable:
        """The rows of one attribute, named by keyword, tag or path.

        Raises
        ------
        DicomLabError
            It does not vary.
        """
        steps = parse_path(path)
        found = [
            row for row in self._found if row.path == path or (len(steps) == 1 and _tag(row) == steps[0].tag)
        ]
        if not found:
            raise DicomLabError(
                f"{path!r} does not vary here ({self.title}): all have the same, or none has it"
            )
        return VaryingTable(found, self.title, self.total, self.unit)

    def __len__(self) -> int:
        return len(self._found)

    def __contains__(self, path: object) -> bool:
        try:
            return len(self[path]) > 0  # type: ignore[index]
        except DicomLabError:
            return False

    def __repr__(self) -> str:
        lines = [self.title]
        for row in self._found:
            lines.append(f"{row.path}: {_how_text(row, self.unit)}: {row.example_text()}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        def line(row: Varying) -> str:
            first = row.examples[0]
            ends = "" if row.range is None else f"{row.range[0]:g} … {row.range[1]:g}"
            return (
                f'<div class="dl-row" data-row><span class="dl-key">{name_markup(row.path)}</span> '
                f'<span class="dl-tag">{tag_text(first.tag)}</span> <span>{html.escape(_how_text(row, self.unit))}</span> '
                f'<span class="dl-vm">{row.distinct:,}</span> <span>{ends}</span> '
                f'<span class="dl-val">{value_markup(row.example_text())}</span></div>'
            )

        names = ("keyword", "tag", "how it varies", "values", "range", "for instance")
        kinds = ("key", "tag", "how", "vm", "range", "val")
        head = " ".join(f'<span class="dl-{k}">{name}</span>' for k, name in zip(kinds, names, strict=True))
        lines = "".join(map(line, self._found))
        note = f"{NOTE}." if MASK in lines else ""
        title = html.escape(self.title)
        return html.block(
            html.Markup(
                f'<style>{STYLE}</style><div class="dl-headers dl-varying"><div class="title">{title}</div>'
                f"{bar('keyword, tag, how or value', fold=False)}"
                f'<div class="dl-tree" role="group" tabindex="0" aria-label="{title}">'
                f'<div class="dl-row dl-head" aria-hidden="true">{head}</div>{lines}</div>'
                f'<div class="soft">{note}</div></div>'
            )
        )


def varying(source: HeaderSource, *, progress: bool = True) -> VaryingTable:
    """Which attributes differ between the files of a series, or between the frames of its objects, and how.

    Parameters
    ----------
    source
        A `Series` or `Stack`, a folder, a zip archive, or a file with several frames.
    progress
        Show a bar when reading takes longer than a second. Ctrl-C interrupts at any file.

    Returns
    -------
    VaryingTable
        Nothing but what differs. Positions and other axes are those of the volume, not of labels in headers: an attribute
        varies *with position* when images at one position always agree in it, or when it rises or falls steadily along the
        normal of the slices.

    Raises
    ------
    DicomLabError
        There is no DICOM, or a single image, which cannot vary.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> varying(study.ct.folder)["ImagePositionPatient"].to_dataframe().how.item()
    'with position'

    References
    ----------
    PS3.3 C.7.6.16 "Multi-frame Functional Groups Module".
    """
    found = open_source(source, "varying", progress=progress, listed=True)
    if found.dataset is not None:
        raise DicomLabError(
            "varying compares files, or frames of files: it takes a path or a series, found one Dataset"
        )
    top, frames, reader = Tally(), Tally(), RawReader()
    places: dict[tuple[int, int], int] = {}
    total, outer, several = 0, {}, False
    for instance in progress_bar(found.instances, "comparing headers", progress):
        try:
            header = reader.read(instance.file)
        except (NotDicomError, OSError):
            continue  # listed a moment ago, and gone since
        raws = dict(header.raws)
        items = inner_raws(raws.pop(_PER_FRAME), header.implicit) if _PER_FRAME in raws else None
        count = len(items) if items else 1
        several = several or count > 1
        outer = {tag: raws[tag] for tag in _CONTEXT if tag in raws}
        top.add(raws, header.implicit, total, count)
        for k in range(count):
            places[id(instance), k] = total + k
            if items:
                frames.add(items[k], header.implicit, total + k)
        total += count
    unit = "frame" if several else "file"
    if total < 2:
        raise DicomLabError("varying compares files, or frames of a file; here is one image")
    orders = Orders(axes_of(found.series, places, total))
    rows = [*_varying(top, "", total, orders, {}, unit)]
    rows += _varying(frames, "PerFrameFunctionalGroupsSequence[*].", total, orders, outer, unit)
    return VaryingTable(rows, f"{found.title}: what varies in {total:,} {unit}s", total, unit)


def _varying(
    tally: Tally,
    prefix: str,
    total: int,
    orders: Orders,
    outer: Mapping[int, bytes],
    unit: str,
    hidden: bool = False,
) -> Iterator[Varying]:
    for _, entry in tally:
        if not entry.differs(total):
            continue
        first = sample(entry, None, outer)
        path = prefix + part_of(first)
        if entry.inner is not None:
            context = {**outer, **{tag: raw for tag, raw in entry.context.items() if tag in _CONTEXT}}
            for k, inner in enumerate(entry.inner):
                yield from _varying(
                    inner, f"{path}[{k}].", total, orders, context, unit, hidden or hides(first)
                )
            continue
        ids = np.array(entry.numbers(total), np.int64)
        numbers = _numbers(entry, first.vr) if len(entry.values) > 1 else None
        how = how_it_varies(ids, _over_midnight(numbers) if first.vr == "TM" else numbers, orders, unit)
        distinct = max(1, len(entry.values))
        examples = [first, *(sample(entry, value, outer) for value in entry.values[1:_EXAMPLES])]
        yield Varying(path, how, distinct, total - entry.count, numbers, tuple(examples), hidden)


def _numbers(entry: Entry, vr: str) -> npt.NDArray[np.float64] | None:
    """Distinct values as numbers: of decimals, integers, floats, times and dates."""
    if vr in ("TM", "DA"):
        found = [_moment(value, vr) for value in entry.values]
    else:
        found = [plain_numbers(entry.written(value), entry.implicit) for value in entry.values]
    sizes = {-1 if numbers is None else numbers.size for numbers in found}
    if len(sizes) != 1 or sizes == {-1}:
        return None
    return np.stack([numbers for numbers in found if numbers is not None])


def _moment(value: bytes, vr: str) -> npt.NDArray[np.float64] | None:
    if vr == "DA":
        return np.array([float(value)]) if value.isdigit() and len(value) == 8 else None
    told = _TIME.fullmatch(value)
    if told is None:
        return None
    hours, minutes, seconds = (float(part or 0) for part in told.groups())
    return np.array([3600 * hours + 60 * minutes + seconds])


def _over_midnight(seconds: npt.NDArray[np.float64] | None) -> npt.NDArray[np.float64] | None:
    """Times of day as they follow each other: behind a gap of half a day it is the evening, and before it the next morning."""
    if seconds is None:
        return None
    rising = np.unique(seconds)
    gaps = np.diff(rising)
    if not gaps.size or gaps.max() < _HALF_A_DAY:
        return seconds
    return np.where(seconds <= rising[gaps.argmax()], seconds + 2 * _HALF_A_DAY, seconds)


def _how_text(row: Varying, unit: str) -> str:
    parts = [row.how.words]
    if row.how.shape:
        parts.append(row.how.shape)
    if row.missing:
        parts.append(f"missing in {row.missing:,} {unit}{'' if row.missing == 1 else 's'}")
    return ", ".join(parts)


def _tag(row: Varying) -> int:
    return row.examples[0].tag
