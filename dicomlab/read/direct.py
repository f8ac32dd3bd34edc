"""The direct path from a file to an `Instance`: one look at its first bytes, without pydicom.

What it does not find plain (big endian, no preamble, tags out of order, damage) goes the general way of
`dicomlab.read.headers`, which must agree with this one in every attribute (tests/test_direct.py).
"""

from __future__ import annotations

import zlib
from functools import cache
from typing import NamedTuple

from pydicom import uid

from dicomlab.read import mosaic
from dicomlab.read.forms import Form, varying
from dicomlab.read.groups import read_groups
from dicomlab.read.headers import INFLATED_LIMIT, Instance, check_is_dicom, pixel_span, read_instance
from dicomlab.read.records import Common, Family, Far, Raw, Record
from dicomlab.read.sources import FileRef
from dicomlab.read.walk import Cell, ShortError, UnusualError, walk, walk_meta
from dicomlab.read.wanted import PER_IMAGE, TAGS

__all__ = ["Reader"]

_SYNTAX, _MEDIA_CLASS = 0x0002_0010, 0x0002_0002
_SERIES, _IMAGE_TYPE = 0x0020_000E, 0x0008_0008
_CONTEXT = (0x0008_0005, 0x0028_0103)
_GROUPS = (0x5200_9229, 0x5200_9230)
_WANTED = frozenset({*map(int, TAGS), _CONTEXT[0]})
_DIRECTORY = b"1.2.840.10008.1.3.10"

_DEFLATED = uid.DeflatedExplicitVRLittleEndian.encode()
_META = 1024
"""Bytes in which the transfer syntax is looked for at a glance."""

_UNFOLDED = 1 << 16
"""Bytes of a deflated data set that are looked at; longer headers go the general way."""

_MOST_UNFOLDED = 1032
"""Bytes that one byte can unfold into at most (RFC 1951)."""
_LARGE = 4096
"""Bytes beyond which an element is not held but read again when asked for."""
_MOST_FORMS, _MOST_LIKELY = 64, 4
"""Layouts that are known, and families that the next file is first thought to be of."""
_HEAD, _MOST_AHEAD, _LONGEST_HEAD = 1 << 14, 1 << 18, 1 << 27
"""Bytes that are looked at first; that are, where headers are long; and at most."""


class Reader:
    """Reads headers, and learns how those of a series are laid out.

    Not for several threads at once.

    Attributes
    ----------
    enough : int
        Bytes at the beginning of the next file that are likely to hold its header.
    """

    def __init__(self) -> None:
        self.enough = _HEAD
        self._likely: list[_Likely] = []
        self._forms: list[Form] = []
        self._kinds: dict[tuple[tuple[int, ...], bool], _Kind] = {}

    def read(self, file: FileRef, head: bytes) -> Instance:
        """The attributes of a file that dicomlab needs to list and place it.

        Parameters
        ----------
        head
            Its first bytes.

        Raises
        ------
        NotDicomError
            As `read_instance`.
        """
        if head[128:132] != b"DICM":
            check_is_dicom(head)
            return read_instance(file)
        try:
            while True:
                try:
                    return self._read(file, head)
                except ShortError as short:
                    if len(head) >= file.size or short.needed > min(_LONGEST_HEAD, file.size):
                        raise UnusualError from short
                    # Far more than asked for: headers with functional groups or makers' data are long.
                    more = file.head(min(max(2 * short.needed, 4 * len(head)), _LONGEST_HEAD))
                    if len(more) <= len(head):  # fewer bytes than the file, or an archive, claims
                        raise UnusualError from short
                    head = more
        except UnusualError:
            return read_instance(file)

    def _read(self, file: FileRef, head: bytes) -> Instance:
        for n, likely in enumerate(self._likely):
            found = likely.form.match(head, 132)
            if found is not None:
                header = Record(likely.common, tuple(found[0]))
                place = likely.image_type
                tiled = place is not None and b"MOSAIC" in header.own[place]  # type: ignore[operator]
                made = self._made(file, head, header, found[1], likely.form.syntax, tiled)
                if made is not None:
                    if n:
                        self._likely.insert(0, self._likely.pop(n))
                    return made
        for n, form in enumerate(self._forms):
            found = form.match(head, 132)
            if found is not None:
                values, end = tuple(found[0]), found[1]
                kind = self._kind(form.key)
                family = kind.family(values)
                header = family.take(values)
                tiled = b"MOSAIC" in kind.text_of(values)
                made = self._made(file, head, header, end, form.syntax, tiled)
                if made is not None:
                    if n:
                        self._forms.insert(0, self._forms.pop(n))
                    if not tiled:  # each mosaic is looked at by itself
                        self._expect(head, form, family)
                    return made
        plain = _unfolded(file, head)
        if plain is not None:
            return self._read_unfolded(file, plain)
        cells, syntax, end = _walk(head, file.size)
        wanted = [cell for cell in cells if cell.tag in _WANTED]
        if wanted and wanted[-1].stop > len(head):
            raise ShortError(wanted[-1].stop)
        implicit = syntax == uid.ImplicitVRLittleEndian
        groups = [cell for cell in wanted if cell.tag in _GROUPS]
        wanted = [cell for cell in wanted if cell.tag not in _GROUPS]
        raws = tuple(_element(file, head, cell) for cell in wanted)
        sequences = None
        if groups:
            context = [head[cell.start : cell.stop] for cell in wanted if cell.tag in _CONTEXT]
            sequences = {cell.tag: read_groups(head, cell, implicit, context) for cell in groups}
        elif end <= len(head) and not any(isinstance(raw, Far) for raw in raws):
            self._learn(head, cells, syntax)
        kind = self._kind((tuple(cell.tag for cell in wanted), implicit))
        header = kind.family(raws).take(raws, sequences)
        made = self._made(file, head, header, end, syntax, b"MOSAIC" in kind.text_of(raws))
        if made is None:
            raise UnusualError
        return made

    def _made(
        self, file: FileRef, head: bytes, header: Record, end: int, syntax: uid.UID, tiled: bool = False
    ) -> Instance | None:
        """The instance whose header ends at `end`; None when neither pixel data nor the end of the file are there."""
        pixels = None
        if end != file.size:
            pixels = pixel_span(head[end : end + 12], end, file.size)
            if pixels is None:
                return None
        instance = Instance(file, header, pixels, syntax)
        if tiled and mosaic.needs_protocol(instance):
            raise UnusualError
        self.enough = min(max(_HEAD, end + 64), _MOST_AHEAD)
        return instance

    def _expect(self, head: bytes, form: Form, family: Family) -> None:
        """Where a family has several files, there may well be more of it: then all that it shares is compared at once."""
        family.met += 1
        if family.met < family.next_look:
            family.head = family.head or head
            return
        family.next_look = 2 * family.met
        same = {cell.tag for cell in form.cells} - family.own_tags
        same &= form.alike(family.head, head)
        if family.likely is not None:
            same &= family.likely.same
        expected = Form(head, form.cells_of(head), family.own_tags, form.soft - same, form.syntax, same)
        others = [one for one in self._likely if one is not family.likely]
        place = family.common.held.get(_IMAGE_TYPE)
        image_type = place if type(place) is int else None
        family.likely = _Likely(expected, family.common, frozenset(same), image_type)
        family.head = head
        self._likely = [family.likely, *others[: _MOST_LIKELY - 1]]

    def _read_unfolded(self, file: FileRef, plain: bytes) -> Instance:
        """As `_read`, of the first bytes that a deflated data set unfolds into (PS3.5 A.5).

        What comes after them is unfolded, and found to be whole or not, when pixels are read.
        """
        syntax = uid.DeflatedExplicitVRLittleEndian
        for form in self._forms:
            found = form.match(plain, 0) if form.syntax == syntax else None
            if found is not None:
                break
        else:
            try:
                cells, end = walk(plain, 0, _LONGEST_HEAD, False)
            except ShortError as short:
                raise UnusualError from short
            if not cells:
                raise UnusualError
            self._learn(plain, cells, syntax, 0)
            form = self._forms[0]
            found = form.match(plain, 0)
            if found is None:
                raise UnusualError
        values, end = tuple(found[0]), found[1]
        span = pixel_span(plain[end : end + 12], end, len(plain))
        kind = self._kind(form.key)
        if span is None or span.length is None or any(tag in _GROUPS for tag in kind.tags):
            raise UnusualError
        if b"MOSAIC" in kind.text_of(values):
            raise UnusualError
        if span.offset + span.length > min(_MOST_UNFOLDED * file.size, INFLATED_LIMIT):
            raise UnusualError
        pixels = span._replace(inflated=True, available=span.length)
        header = kind.family(values).take(values)
        return Instance(file, header, pixels, syntax)

    def _learn(self, head: bytes, cells: list[Cell], syntax: uid.UID, start: int = 132) -> None:
        for k, form in enumerate(self._forms):
            soft = varying(form, cells) if form.syntax == syntax else None
            if soft:
                looser = Form(head, cells, _WANTED, form.soft | soft, syntax)
                if looser.match(head, start) is not None:
                    del self._forms[k]
                    self._forms.insert(0, looser)
                    return
        self._forms.insert(0, Form(head, cells, _WANTED, frozenset(), syntax))
        del self._forms[_MOST_FORMS:]

    def _kind(self, key: tuple[tuple[int, ...], bool]) -> _Kind:
        kind = self._kinds.get(key)
        if kind is None:
            kind = self._kinds[key] = _Kind(*key)
        return kind


class _Likely(NamedTuple):
    """How to recognise the next header of a family at a glance.

    Parameters
    ----------
    form
        Its layout, with the values of all elements that were the same so far: only what each has of its own is taken out.
    common
        What the family has in common.
    same
        Tags of the elements that were the same so far.
    image_type
        Place of Image Type among what each has of its own.
    """

    form: Form
    common: Common
    same: frozenset[int]
    image_type: int | None


class _Kind:
    """Headers with the same attributes, by series."""

    def __init__(self, tags: tuple[int, ...], implicit: bool) -> None:
        self.tags, self._implicit = tags, implicit
        self._series = tags.index(_SERIES) if _SERIES in tags else None
        self.image_type = tags.index(_IMAGE_TYPE) if _IMAGE_TYPE in tags else None
        self._families: dict[Raw | None, Family] = {}

    def family(self, values: tuple[Raw, ...]) -> Family:
        """The family of a header with these elements."""
        series = None if self._series is None else values[self._series]
        if series not in self._families:
            self._families[series] = Family(self.tags, values, self._implicit, PER_IMAGE)
        return self._families[series]

    def text_of(self, values: tuple[Raw, ...]) -> bytes:
        """Image Type as it stands in the file."""
        found: Raw = b"" if self.image_type is None else values[self.image_type]
        return found if isinstance(found, bytes) else found.read()


def _unfolded(file: FileRef, head: bytes) -> bytes | None:
    """First bytes of the data set of a deflated file; None for any other."""
    if _DEFLATED not in head[132:_META]:
        return None
    meta, at = walk_meta(head, 132, file.size)
    stated = next((head[cell.value : cell.stop] for cell in meta if cell.tag == _SYNTAX), b"")
    if stated.rstrip(b"\0 ") != _DEFLATED:
        return None
    if any(cell.tag == _MEDIA_CLASS and head.startswith(_DIRECTORY, cell.value) for cell in meta):
        raise UnusualError
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(head[at:], _UNFOLDED)
    except zlib.error as problem:
        raise UnusualError from problem


def _element(file: FileRef, head: bytes, cell: Cell) -> Raw:
    if cell.stop - cell.start > _LARGE:
        return Far(file, cell.start, cell.stop)
    return head[cell.start : cell.stop]


def _walk(head: bytes, size: int) -> tuple[list[Cell], uid.UID, int]:
    """All elements, Transfer Syntax UID and where the header ends."""
    meta, at = walk_meta(head, 132, size)
    known = {cell.tag: k for k, cell in enumerate(meta)}
    if _SYNTAX not in known or head[at + 1 : at + 2] != b"\0":
        raise UnusualError  # the first tag of a data set begins with a group below 0x0100 (PS3.6), unless it is big endian
    stated = meta[known[_SYNTAX]]
    syntax = _plain_syntax(head[stated.value : stated.stop])
    if _MEDIA_CLASS in known and head[meta[known[_MEDIA_CLASS]].value :].startswith(_DIRECTORY):
        raise UnusualError
    # The transfer syntax is part of the layout: it says how to read the rest.
    meta[known[_SYNTAX]] = stated._replace(heads=(*stated.heads, (stated.value, stated.stop)))
    implicit = syntax == uid.ImplicitVRLittleEndian
    if implicit and head[at + 4 : at + 6].isupper() and head[at + 4 : at + 6].isalpha():
        raise UnusualError
    cells, end = walk(head, at, size, implicit)
    if not cells:
        raise UnusualError
    if end != size and end + 12 > len(head):
        raise ShortError(end + 12)
    return meta + cells, syntax, end


@cache
def _plain_syntax(stated: bytes) -> uid.UID:
    """Transfer syntax of files that are read here."""
    syntax = uid.UID(stated.rstrip(b"\0 ").decode("latin-1"), validation_mode=0)
    unread = (uid.ExplicitVRBigEndian, uid.DeflatedExplicitVRLittleEndian)
    if not syntax.is_valid or syntax.is_private or not syntax.is_transfer_syntax or syntax in unread:
        raise UnusualError
    return syntax
