"""Element by element through the bytes of a header (PS3.5 7), strictly: what is unusual is left to pydicom."""

from __future__ import annotations

from collections.abc import Container, Iterator
from functools import cache
from struct import Struct
from typing import NamedTuple

from pydicom.datadict import dictionary_VR

__all__ = [
    "PIXEL_TAGS",
    "UNDEFINED",
    "Cell",
    "ShortError",
    "UnusualError",
    "implied_vr",
    "items",
    "walk",
    "walk_meta",
]

PIXEL_TAGS = (0x7FE0_0008, 0x7FE0_0009, 0x7FE0_0010)
"""Float Pixel Data, Double Float Pixel Data, Pixel Data."""

UNDEFINED = 0xFFFF_FFFF
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD
_EXPLICIT, _IMPLICIT, _LENGTH = Struct("<HH2sH"), Struct("<HHI"), Struct("<I")
_SHORT_VRS = frozenset(
    b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split()
)  # length in 2 bytes
_LONG_VRS = frozenset(b"OB OD OF OL OV OW SQ SV UC UN UR UT UV".split())  # in 4, after 2 reserved ones
_DEEPEST = 16


class UnusualError(Exception):
    """A header that only pydicom shall read, or find to be broken."""


class ShortError(Exception):
    """The header goes on beyond the bytes at hand; `needed` says how far at least."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


class Cell(NamedTuple):
    """One element.

    Parameters
    ----------
    start, value, stop
        First byte of its tag, of its value, and after it.
    heads
        Where tags, VRs and lengths stand: its own, and those inside a sequence without a length.
    """

    tag: int
    start: int
    value: int
    stop: int
    heads: tuple[tuple[int, int], ...]

    @property
    def is_plain(self) -> bool:
        """Whether it has a length, so that another element of the same kind may have another one."""
        return len(self.heads) == 1


def walk(
    data: bytes, at: int, size: int, implicit: bool, stop_at: Container[int] = PIXEL_TAGS
) -> tuple[list[Cell], int]:
    """Elements from `at` on up to one of `stop_at`, or to `size`; and the place where they end.

    Parameters
    ----------
    data
        Bytes of the file from its beginning, perhaps not all.
    size
        Where the data set ends: bytes of the file, or the end of an item.

    Raises
    ------
    ShortError
        `data` ends before the elements do.
    UnusualError
        Tags do not ascend, a VR is none, a length leads out of the file, or anything else that is not plain.
    """
    cells: list[Cell] = []
    last = -1
    while at < size:
        tag, value, length = _head(data, at, size, implicit)
        if tag <= last:
            raise UnusualError
        if tag in stop_at:
            break
        last = tag
        if length == UNDEFINED and tag >> 16 == 0x7FE0:
            raise UnusualError
        if length == UNDEFINED:
            heads = [(at, value)]
            stop = _through(data, value, size, implicit, heads, 0)
            cells.append(Cell(tag, at, value, stop, tuple(heads)))
        else:
            stop = value + length
            if stop > size:
                raise UnusualError
            cells.append(Cell(tag, at, value, stop, ((at, value),)))
        at = stop
    return cells, at


def _head(data: bytes, at: int, size: int, implicit: bool) -> tuple[int, int, int]:
    """Tag, first byte of the value and length of the element at `at`."""
    if at + 12 > len(data):
        if at + 8 > size:
            raise UnusualError
        if len(data) < min(at + 12, size):
            raise ShortError(at + 12)
    if implicit:
        group, element, length = _IMPLICIT.unpack_from(data, at)
        tag = group << 16 | element
        if group == 0xFFFE or (length == UNDEFINED and implied_vr(tag) not in ("SQ", "")):
            raise UnusualError
        return tag, at + 8, length
    group, element, vr, length = _EXPLICIT.unpack_from(data, at)
    if group == 0xFFFE:
        raise UnusualError
    if vr in _SHORT_VRS:
        return group << 16 | element, at + 8, length
    if vr not in _LONG_VRS or at + 12 > size:
        raise UnusualError
    (length,) = _LENGTH.unpack_from(data, at + 8)
    if length == UNDEFINED and vr != b"SQ" and group != 0x7FE0:  # encapsulated pixels have none either
        raise UnusualError
    return group << 16 | element, at + 12, length


@cache
def implied_vr(tag: int) -> str:
    """VR of an element in Implicit VR by the data dictionary; ``""`` for one that is not in it."""
    try:
        return dictionary_VR(tag)
    except KeyError:
        return ""


def _mark(data: bytes, at: int, size: int) -> tuple[int, int]:
    """Tag and length of an item or of a delimiter."""
    if at + 8 > size:
        raise UnusualError
    if at + 8 > len(data):
        raise ShortError(at + 8)
    group, element, length = _IMPLICIT.unpack_from(data, at)
    return group << 16 | element, length


def _through(
    data: bytes, at: int, size: int, implicit: bool, heads: list[tuple[int, int]], depth: int
) -> int:
    """The end of a sequence without a length; what structures it is added to `heads`."""
    if depth > _DEEPEST:
        raise UnusualError
    while True:
        tag, length = _mark(data, at, size)
        heads.append((at, at + 8))
        at += 8
        if tag == _SEQUENCE_END:
            return at
        if tag != _ITEM:
            raise UnusualError
        if length != UNDEFINED:
            at += length
            if at > size:
                raise UnusualError
            continue
        while True:
            if _mark(data, at, size)[0] == _ITEM_END:
                heads.append((at, at + 8))
                at += 8
                break
            _, value, length = _head(data, at, size, implicit)
            heads.append((at, value))
            at = value
            if length == UNDEFINED:
                at = _through(data, at, size, implicit, heads, depth + 1)
            else:
                at += length
            if at > size:
                raise UnusualError


def items(data: bytes, cell: Cell, implicit: bool) -> Iterator[tuple[int, int]]:
    """First and last byte of the elements of each item of a sequence.

    Raises
    ------
    ShortError, UnusualError
        As `walk`.
    """
    at, size = cell.value, cell.stop
    if size > len(data):
        raise ShortError(size)
    while at < size:
        tag, length = _mark(data, at, size)
        at += 8
        if tag == _SEQUENCE_END and at == size:
            return
        if tag != _ITEM:
            raise UnusualError
        if length == UNDEFINED:
            stop = at
            while _mark(data, stop, size)[0] != _ITEM_END:
                _, value, length = _head(data, stop, size, implicit)
                heads: list[tuple[int, int]] = []
                stop = (
                    _through(data, value, size, implicit, heads, 0) if length == UNDEFINED else value + length
                )
            yield at, stop
            at = stop + 8
        else:
            if at + length > size:
                raise UnusualError
            yield at, at + length
            at += length


def walk_meta(data: bytes, at: int, size: int) -> tuple[list[Cell], int]:
    """Elements of the file meta information (PS3.10 7.1), always explicit little endian, and the place where they end.

    Raises
    ------
    ShortError, UnusualError
        As `walk`.
    """
    cells: list[Cell] = []
    while True:
        if at + 8 > len(data):
            raise ShortError(at + 8) if at + 8 <= size else UnusualError
        if data[at : at + 2] != b"\x02\0":
            return cells, at
        tag, value, length = _head(data, at, size, False)
        if length == UNDEFINED or value + length > size or (cells and tag <= cells[-1].tag):
            raise UnusualError
        cells.append(Cell(tag, at, value, value + length, ((at, value),)))
        at = value + length
