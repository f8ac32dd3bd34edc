"""What the headers of several files have in common, as one level; what differs is told in place of its value."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence

from pydicom.filereader import read_dataset

from dicomlab.errors import NotDicomError
from dicomlab.read.plain import tag_of
from dicomlab.read.progress import progress_bar
from dicomlab.read.sources import FileRef
from dicomlab.tables.levels import Element, Level, elements_of
from dicomlab.tables.raws import RawReader
from dicomlab.tables.tally import Entry, Tally
from dicomlab.tables.texts import Told, element_text, shortened
from dicomlab.warn import quiet

__all__ = ["FileTally", "common_level", "parsed", "sample", "tally_files"]

_SAMPLE = 40
"""Characters of an example of a value."""
_CONTEXT = (0x0008_0005, 0x0028_0103)


class FileTally:
    """Tallies of several files.

    Attributes
    ----------
    total : int
        Instances.
    meta, top : Tally
        Of file meta information, and of headers.
    skipped : dict of str to str
        Files that could not be read, with the reason.
    """

    def __init__(self) -> None:
        self.total = 0
        self.meta, self.top = Tally(), Tally()
        self.skipped: dict[str, str] = {}


def tally_files(files: Sequence[FileRef], progress: bool) -> FileTally:
    """Read all headers, one after the other.

    Raises
    ------
    NotDicomError
        None of them can be read.
    """
    found, reader = FileTally(), RawReader()
    for file in progress_bar(files, "comparing headers", progress):
        try:
            header = reader.read(file)
        except (NotDicomError, OSError) as problem:
            found.skipped[file.name] = str(problem)
            continue
        found.meta.add(header.meta, False, found.total)
        found.top.add(header.raws, header.implicit, found.total)
        found.total += 1
    if not found.total:
        raise NotDicomError("; ".join(f"{name}: {why}" for name, why in list(found.skipped.items())[:3]))
    return found


def parsed(raw: bytes, implicit: bool, around: Mapping[int, bytes], outer: Mapping[int, bytes]) -> Element:
    """The element as pydicom has it.

    Parameters
    ----------
    around
        Elements of the same level: they say who reserved its block, and how texts are read.
    outer
        Character set and pixel representation of the data set around it.
    """
    tag = tag_of(raw)
    block = tag & 0xFFFF0000 | tag >> 8 & 0xFF
    context = {**outer, **{other: around[other] for other in (*_CONTEXT, block) if other in around}, tag: raw}
    with quiet():
        data = io.BytesIO(b"".join(context[key] for key in sorted(context)))
        try:
            dataset = read_dataset(data, implicit, True)
        except Exception as problem:  # pydicom raises whatever a broken value makes it raise
            return Element(tag, "", problem=f"cannot be read: {type(problem).__name__}")
    if tag not in dataset:
        return Element(tag, "", problem="cannot be read")
    return elements_of(dataset, [tag])[0]


class _CommonLevel:
    def __init__(self, tallies: Sequence[Tally], total: int, outer: Mapping[int, bytes]) -> None:
        self._tallies, self._total, self._outer = tallies, total, outer

    def __iter__(self) -> Iterator[Element]:
        for tally in self._tallies:
            for _, entry in tally:
                yield self._element(entry)

    def _element(self, entry: Entry) -> Element:
        first = parsed(entry.first, entry.implicit, entry.context, self._outer)
        if not entry.differs(self._total):
            return first
        outer = {**self._outer, **{tag: entry.context[tag] for tag in _CONTEXT if tag in entry.context}}
        items: list[Level] | None = None
        if entry.inner is not None:
            items = [_CommonLevel([inner], self._total, outer) for inner in entry.inner]
        elif first.items is not None and len(entry.values) == 1:
            items = list(first.items)
        text, counts = _difference(entry, first, self._total, self._outer)
        told = Told(text, counts, f"{entry.count}/{self._total} {entry.digest()}", first.value)
        return Element(
            first.tag,
            first.vr,
            first.keyword,
            first.name,
            first.vm,
            told,
            first.creator,
            items,
            first.problem,
        )


def common_level(tally: FileTally) -> Level:
    """One level for all files: equal elements as they are, the others with `Told` in place of their value."""
    return _CommonLevel([tally.meta, tally.top], tally.total, {})


def _difference(entry: Entry, first: Element, total: int, outer: Mapping[int, bytes]) -> tuple[str, str]:
    """``"differs, 6 values: 1, 2, 3 …; in 4 of 6"``, and the same without the values."""
    parts, counts = [], []
    if len(entry.values) > 1:
        shown = [_sample_text(entry, value, outer) for value in entry.values[:3]]
        more = " …" if len(entry.values) > 3 else ""
        counts.append(f"differs, {len(entry.values):,} values")
        parts.append(f"{counts[0]}: {', '.join(shown)}{more}")
    if entry.count < total:
        counts.append(f"in {entry.count:,} of {total:,}")
        parts.append(counts[-1])
        if len(entry.values) <= 1 and first.items is None:
            parts[-1] += f": {_sample_text(entry, None, outer)}"
    return "; ".join(parts), "; ".join(counts)


def _sample_text(entry: Entry, value: bytes | None, outer: Mapping[int, bytes]) -> str:
    element = sample(entry, value, outer)
    if element.vr == "UI" and isinstance(element.value, str):
        return shortened(str(element.value), _SAMPLE)
    text = element_text(element)
    return shortened(text, _SAMPLE) if text or element.items is not None else "(empty)"


def sample(entry: Entry, value: bytes | None, outer: Mapping[int, bytes]) -> Element:
    """One of the distinct values of an entry, perhaps only its beginning, as an element; None is the first."""
    raw = entry.first if value is None else entry.written(value)
    return parsed(raw, entry.implicit, entry.context, outer)
