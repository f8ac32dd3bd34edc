"""Headers as levels of elements, whatever they come from: a data set of pydicom, or a file too long to be parsed whole.

A level is what stands beside each other: the top of a header, or one item of a sequence. Values are pydicom's.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from pydicom.datadict import keyword_for_tag
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset
from pydicom.tag import BaseTag, Tag
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicomlab.read.headers import read_header
from dicomlab.read.sources import FileRef
from dicomlab.read.walk import PIXEL_TAGS, UnusualError, implied_vr
from dicomlab.tables.spans import Span, Window, item_spans, spans
from dicomlab.warn import quiet

__all__ = [
    "Clipped",
    "DatasetLevel",
    "Decimals",
    "Element",
    "Level",
    "elements_of",
    "file_level",
    "is_creator",
    "tag_text",
]

_LONG_HEADER = 1 << 22
"""Bytes of a header above which it is hopped through."""
_LARGE = 1 << 16
"""Bytes of an element above which it is not handed to pydicom whole."""
_GLIMPSE = 1 << 12
"""Bytes that are read of the value of such an element."""
_PIECE = 1 << 20
_MANY_DECIMALS = 256
"""Bytes of a DS after which it is left as it stands."""
_CONTEXT = (0x0008_0005, 0x0028_0103)
"""Character set and pixel representation: they say how elements inside items are read."""
_WIDTHS = {"US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "UV": 8, "SV": 8}
_BYTES = frozenset(["OB", "OW", "OF", "OD", "OL", "OV", "UN"])
_MORE_THAN_ONE = frozenset(["AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "PN", "SH", "TM", "UC", "UI"])


class Level(Protocol):
    """Elements beside each other, in the order of their tags."""

    def __iter__(self) -> Iterator[Element]: ...


@dataclass(frozen=True, slots=True)
class Clipped:
    """The beginning of a value too long to be held.

    Parameters
    ----------
    head
        What the first bytes say.
    length
        Bytes of all of it.
    data, start
        Where they are.
    """

    head: Any
    length: int
    data: Window
    start: int

    def digest(self) -> str:
        """The same for the same bytes."""
        found = hashlib.blake2b(digest_size=16)
        for at in range(0, self.length, _PIECE):
            found.update(self.data.get(self.start + at, min(_PIECE, self.length - at)))
        return found.hexdigest()


@dataclass(frozen=True, slots=True)
class Decimals:
    """Many decimals as they stand in the file: hundreds of thousands are not made numbers to be looked at."""

    raw: bytes

    def texts(self, most: int | None = None) -> list[str]:
        """The first of them."""
        parts = self.raw.decode("latin-1").split("\\", -1 if most is None else most)
        return [part.strip(" \0") for part in parts[:most]]

    def numbers(self) -> list[float]:
        """All of them.

        Raises
        ------
        ValueError
            One is no number.
        """
        return [float(text) for text in self.texts()]


@dataclass(frozen=True, slots=True)
class Element:
    """One data element.

    Parameters
    ----------
    keyword
        PS3.6 keyword; ``""`` for private and unknown ones.
    name
        What it is called where it has no keyword: ``"[name of a maker]"``, ``"Private Creator"``.
    vm
        How many values it has; None when it cannot be read.
    creator
        Who reserved the block of a private element (PS3.5 7.8.1).
    items
        Of a sequence; None for everything else.
    problem
        Why the value cannot be read.
    """

    tag: int
    vr: str
    keyword: str = ""
    name: str = ""
    vm: int | None = None
    value: Any = None
    creator: str = ""
    items: Sequence[Level] | None = None
    problem: str = ""

    @property
    def label(self) -> str:
        """Keyword, or name where there is none."""
        return self.keyword or self.name

    @property
    def is_private(self) -> bool:
        """Whether its group is odd (PS3.5 7.8)."""
        return bool(self.tag >> 16 & 1)


def tag_text(tag: int) -> str:
    """``"(0028,0030)"``."""
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x})"


def is_creator(tag: int) -> bool:
    """Whether the tag is that of a Private Creator (gggg,0010-00FF)."""
    return bool(tag >> 16 & 1) and 0x10 <= tag & 0xFFFF <= 0xFF


class DatasetLevel:
    """A data set of pydicom, parsed as far as somebody looks.

    Parameters
    ----------
    top
        Whether it is a whole header: with its file meta information where it has one, and without pixel data.
    """

    def __init__(self, dataset: Dataset, *, top: bool = False) -> None:
        self.dataset = dataset
        self._top = top

    def __iter__(self) -> Iterator[Element]:
        tags: Iterable[int] = self.dataset.keys()
        if self._top:
            yield from DatasetLevel(getattr(self.dataset, "file_meta", None) or Dataset())
            tags = [tag for tag in tags if tag not in PIXEL_TAGS]
        yield from elements_of(self.dataset, tags)


def elements_of(dataset: Dataset, tags: Iterable[int]) -> list[Element]:
    """Elements that are there, whether they can be read or not, in the order of their tags."""
    with quiet():
        return [_element_of(dataset, tag) for tag in sorted(tags)]


def _element_of(dataset: Dataset, tag: int) -> Element:
    key = tag if isinstance(tag, BaseTag) else Tag(tag)
    number = int(key)
    creator = _creator(dataset, number)
    raw = dataset.get_item(key)
    if isinstance(raw, RawDataElement) and _are_many_decimals(raw):
        many = Decimals(raw.value or b"")
        count = many.raw.count(b"\\") + 1
        return Element(number, "DS", keyword_for_tag(key), vm=count, value=many, creator=creator)
    try:
        element = dataset[key]
        keyword, name, vr, vm = element.keyword, element.name, str(element.VR), int(element.VM)
        value = element.value
    except Exception as problem:  # pydicom parses on access and raises whatever a broken value makes it raise
        vr = str(getattr(raw, "VR", None) or "")
        keyword = keyword_for_tag(key)
        return Element(
            number, vr, keyword, creator=creator, problem=f"cannot be read: {type(problem).__name__}"
        )
    if vr == "SQ":
        items: list[Level] = [DatasetLevel(item) for item in value or ()]
        return Element(number, vr, keyword, name, vm, None, creator, items)
    return Element(number, vr, keyword, name, vm, value, creator)


def _are_many_decimals(raw: RawDataElement) -> bool:
    return len(raw.value or b"") > _MANY_DECIMALS and (raw.VR or implied_vr(int(raw.tag))) == "DS"


def _creator(dataset: Dataset, tag: int) -> str:
    if not tag >> 16 & 1:
        return ""
    place = tag if is_creator(tag) else tag & 0xFFFF0000 | tag >> 8 & 0xFF
    if not is_creator(place):
        return ""
    try:
        found = dataset[Tag(place)].value if Tag(place) in dataset else ""
    except Exception:  # as above
        return ""
    if isinstance(found, bytes):
        found = found.decode("latin-1")
    return str(found or "").split("\0")[0].strip()[:64]


class _SpanLevel:
    """Elements between two places of a long file: small ones are pydicom's, large ones are looked at when somebody asks."""

    def __init__(
        self,
        data: Window,
        start: int,
        stop: int,
        implicit: bool,
        context: dict[int, bytes],
        meta: Dataset | None = None,
    ) -> None:
        self._data, self._start, self._stop = data, start, stop
        self._implicit, self._context, self._meta = implicit, context, meta

    def __iter__(self) -> Iterator[Element]:
        if self._meta is not None:
            yield from DatasetLevel(self._meta)
        if self._stop - self._start <= _LARGE and self._meta is None:
            item = self._data.get(self._start, self._stop - self._start)
            if not any(_head_of(tag) in item for tag in self._context):
                dataset = self._parse(item)
                yield from elements_of(dataset, dataset.keys() - self._context.keys())
                return
        try:
            stop_at = PIXEL_TAGS if self._meta is not None else ()
            found = list(spans(self._data, self._start, self._stop, self._implicit, stop_at))
        except UnusualError:
            found = []
            yield Element(0, "", problem="cannot be read: the elements of this item are damaged")
        raws = {s.tag: self._data.get(s.start, s.stop - s.start) for s in found if s.stop - s.start <= _LARGE}
        dataset = self._parse(b"".join(raws.values()), self._context.keys() - raws.keys())
        small = {element.tag: element for element in elements_of(dataset, dataset.keys() & raws.keys())}
        context = self._context | {tag: raws[tag] for tag in _CONTEXT if tag in raws}
        for span in found:
            yield small[span.tag] if span.tag in small else self._large(span, dataset, context)

    def _parse(self, raws: bytes, context: Iterable[int] | None = None) -> Dataset:
        """Elements of this level, read as the data set around it says."""
        around = b"".join(self._context[tag] for tag in (self._context if context is None else context))
        with quiet():
            return read_dataset(io.BytesIO(around + raws), self._implicit, True)

    def _large(self, span: Span, dataset: Dataset, context: dict[int, bytes]) -> Element:
        keyword, creator = keyword_for_tag(Tag(span.tag)), _creator(dataset, span.tag)
        if span.vr == "SQ":
            try:
                ends = list(item_spans(self._data, span, self._implicit))
            except UnusualError:
                return Element(
                    span.tag, "SQ", keyword, creator=creator, problem="cannot be read: its items are damaged"
                )
            items = _Items(self._data, ends, self._implicit, context)
            return Element(span.tag, "SQ", keyword, vm=1, creator=creator, items=items)
        length = span.stop - span.value
        glimpse = self._data.get(span.value, _GLIMPSE)
        if span.vr in _MORE_THAN_ONE and b"\\" in glimpse:
            glimpse = glimpse[: glimpse.rindex(b"\\")]
        glimpse += b" " * (len(glimpse) % 2)
        (head,) = elements_of(self._parse(_shortened(self._data, span, glimpse, self._implicit)), [span.tag])
        return Element(
            span.tag,
            head.vr,
            keyword,
            head.name,
            self._count(span, head.vr),
            Clipped(head.value, length, self._data, span.value),
            creator,
            problem=head.problem,
        )

    def _count(self, span: Span, vr: str) -> int:
        length = span.stop - span.value
        if vr in _WIDTHS:
            return length // _WIDTHS[vr]
        if vr not in _MORE_THAN_ONE:
            return 1
        return 1 + sum(
            self._data.get(at, min(_PIECE, span.stop - at)).count(b"\\")
            for at in range(span.value, span.stop, _PIECE)
        )


class _Items(Sequence[Level]):
    """Items of a long sequence, each opened when somebody looks."""

    def __init__(
        self, data: Window, ends: list[tuple[int, int]], implicit: bool, context: dict[int, bytes]
    ) -> None:
        self._data, self._ends, self._implicit, self._context = data, ends, implicit, context

    def __len__(self) -> int:
        return len(self._ends)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            return [self[k] for k in range(*key.indices(len(self)))]
        first, last = self._ends[key]
        return _SpanLevel(self._data, first, last, self._implicit, self._context)


def _head_of(tag: int) -> bytes:
    return (tag >> 16).to_bytes(2, "little") + (tag & 0xFFFF).to_bytes(2, "little")


def _shortened(data: Window, span: Span, value: bytes, implicit: bool) -> bytes:
    """The element with this shorter value."""
    head = data.get(span.start, span.value - span.start)
    if len(head) == 12 or implicit:
        return head[:-4] + len(value).to_bytes(4, "little") + value
    return head[:-2] + len(value).to_bytes(2, "little") + value


def file_level(file: FileRef) -> Level:
    """The header of a file, without its pixel data.

    Raises
    ------
    NotDicomError
        It is no DICOM, or breaks off.
    """
    if file.size > _LONG_HEADER:
        try:
            found = _long_level(file)
        except UnusualError:
            found = None
        if found is not None:
            return found
    return DatasetLevel(read_header(file), top=True)


def _long_level(file: FileRef) -> Level | None:
    data = Window(file)
    if data.get(128, 4) != b"DICM":
        return None
    at = 132
    while data.get(at, 2) == b"\x02\0":
        at = next(spans(data, at, data.size, False)).stop
    with quiet():
        meta_set = read_dataset(io.BytesIO(data.get(132, at - 132)), False, True)
    syntax = str(meta_set.get("TransferSyntaxUID", ""))
    if not syntax or syntax in (ExplicitVRBigEndian, "1.2.840.10008.1.2.1.99"):
        return None
    implicit = syntax == ImplicitVRLittleEndian
    if implicit and data.get(at + 4, 2).isalpha() and data.get(at + 4, 2).isupper():
        return None
    end = at
    for span in spans(data, at, data.size, implicit, PIXEL_TAGS):
        end = span.stop
    return _SpanLevel(data, at, end, implicit, {}, meta_set) if end - at > _LONG_HEADER else None
