"""Long headers, hopped through without reading them whole: where elements and items stand in a file, found through a window.

A structure set of 100 MB is a hundred thousand elements; a picture of it shows a few dozens. What is unusual (damage, big
endian, a value without a length) is left to pydicom, as in `dicomlab.read.walk`.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from struct import Struct
from typing import NamedTuple

from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from dicomlab.read.sources import FileRef
from dicomlab.read.walk import UNDEFINED, UnusualError, implied_vr

__all__ = ["Span", "Window", "item_spans", "spans"]

_WINDOW = 1 << 18
_WORTH_KNOWING = 1 << 12
"""Bytes of something without a length after which its end is remembered, so that nothing long is gone through twice."""
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFE_E000, 0xFFFE_E00D, 0xFFFE_E0DD
_SHORT, _LONG, _IMPLICIT = Struct("<HH2sH"), Struct("<I"), Struct("<HHI")
_LONG_VRS = frozenset(vr.encode() for vr in EXPLICIT_VR_LENGTH_32)
_SHORT_VRS = frozenset(b"AE AS AT CS DA DS DT FD FL IS LO LT PN SH SL SS ST TM UI UL US".split())
_DEEPEST = 32


class Span(NamedTuple):
    """Where one element stands: its tag, its value, and the first byte after it."""

    tag: int
    vr: str
    start: int
    value: int
    stop: int
    sized: bool


class Window:
    """The bytes of a file, of which only a window is held.

    Attributes
    ----------
    ends : dict of int to int
        Where long sequences and items without a length end, by the place after their head.
    """

    def __init__(self, file: FileRef) -> None:
        self.file = file
        self.size = file.size
        self.ends: dict[int, int] = {}
        self._start, self._held = 0, b""
        if file.member is not None:  # going back in an archive means unpacking again
            with file.open() as stream:
                self._held = stream.read()
            self.size = len(self._held)

    def get(self, start: int, count: int) -> bytes:
        """`count` bytes from `start` on; fewer at the end of the file.

        Raises
        ------
        FileChanged, OSError
            The file is not what it was, or cannot be read.
        """
        at = start - self._start
        if at < 0 or at + count > len(self._held):
            if self.file.member is not None:
                return self._held[start : start + count]
            with self.file.unchanged(), self.file.open() as stream:
                stream.seek(start)
                self._held = stream.read(max(count, _WINDOW))
            self._start, at = start, 0
        return self._held[at : at + count]


def spans(data: Window, at: int, size: int, implicit: bool, stop_at: Container[int] = ()) -> Iterator[Span]:
    """The elements from `at` on, up to one of `stop_at` or to `size`.

    Raises
    ------
    UnusualError
        Tags do not ascend, a VR is none, a length leads out, or there is none where only a sequence may lack one.
    """
    last = -1
    while at < size:
        tag, vr, value, length = _head(data, at, size, implicit)
        if tag <= last:
            raise UnusualError
        if tag in stop_at:
            return
        last = tag
        stop = _through(data, value, size, implicit, 0) if length == UNDEFINED else value + length
        if stop > size:
            raise UnusualError
        yield Span(tag, vr, at, value, stop, length != UNDEFINED)
        at = stop


def item_spans(data: Window, span: Span, implicit: bool) -> Iterator[tuple[int, int]]:
    """First and last byte of the elements of each item of a sequence.

    Raises
    ------
    UnusualError
        Something else stands where an item should.
    """
    at = span.value
    while at < span.stop:
        tag, length = _mark(data, at, span.stop)
        at += 8
        if tag == _SEQUENCE_END:
            return
        if tag != _ITEM:
            raise UnusualError
        if length == UNDEFINED:
            stop = _item_end(data, at, span.stop, implicit, 0)
            yield at, stop - 8
        else:
            stop = at + length
            if stop > span.stop:
                raise UnusualError
            yield at, stop
        at = stop


def _head(data: Window, at: int, size: int, implicit: bool) -> tuple[int, str, int, int]:
    head = data.get(at, 12)
    if len(head) < 8 or at + 8 > size:
        raise UnusualError
    if implicit:
        group, element, length = _IMPLICIT.unpack_from(head)
        tag = group << 16 | element
        vr = implied_vr(tag) or ("LO" if group & 1 and element < 0x100 else "UN")
        if group == 0xFFFE or (length == UNDEFINED and vr not in ("SQ", "UN")):
            raise UnusualError
        return tag, "SQ" if length == UNDEFINED else vr, at + 8, length
    group, element, stated, length = _SHORT.unpack_from(head)
    if group == 0xFFFE:
        raise UnusualError
    value = at + 8
    if stated in _LONG_VRS and len(head) == 12:
        (length,), value = _LONG.unpack_from(head, 8), at + 12
        if length == UNDEFINED and stated != b"SQ":
            raise UnusualError
    elif stated not in _SHORT_VRS:
        raise UnusualError
    return group << 16 | element, stated.decode(), value, length


def _mark(data: Window, at: int, size: int) -> tuple[int, int]:
    """Tag and length of an item or of what ends one."""
    head = data.get(at, 8)
    if at + 8 > size or len(head) < 8:
        raise UnusualError
    group, element, length = _IMPLICIT.unpack(head)
    return group << 16 | element, length


def _through(data: Window, start: int, size: int, implicit: bool, depth: int) -> int:
    """The end of a sequence without a length that begins at `start`."""
    if start in data.ends:
        return data.ends[start]
    if depth > _DEEPEST:
        raise UnusualError
    at = start
    while True:
        tag, length = _mark(data, at, size)
        at += 8
        if tag == _SEQUENCE_END:
            break
        if tag != _ITEM:
            raise UnusualError
        at = _item_end(data, at, size, implicit, depth) if length == UNDEFINED else at + length
        if at > size:
            raise UnusualError
    if at - start > _WORTH_KNOWING:
        data.ends[start] = at
    return at


def _item_end(data: Window, start: int, size: int, implicit: bool, depth: int) -> int:
    """The first byte after an item without a length whose elements begin at `start`."""
    if start in data.ends:
        return data.ends[start]
    at = start
    while data.get(at, 4) != b"\xfe\xff\x0d\xe0":
        _, _, value, length = _head(data, at, size, implicit)
        at = _through(data, value, size, implicit, depth + 1) if length == UNDEFINED else value + length
        if at > size:
            raise UnusualError
    if at - start > _WORTH_KNOWING:
        data.ends[start] = at + 8
    return at + 8
