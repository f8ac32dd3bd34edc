"""Records as bytes, for `dicomlab.read.catalogue`: no pickle, which would run what somebody else wrote.

Every length and count stands before what it is of, so that what comes next begins where the last ended.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import cast

from dicomlab.read.headers import PixelSpan
from dicomlab.read.records import Common, Far, Own, Raw, Record
from dicomlab.read.sources import FileRef

__all__ = ["pack_common", "pack_record", "pack_span", "unpack_common", "unpack_record", "unpack_span"]

_NUMBER, _PAIR, _COUNTS = struct.Struct("<I"), struct.Struct("<II"), struct.Struct("<?III")
_FAR = struct.Struct("<QQ")
_MARK = 0xFFFF_FFFF
"""Stands for the length of an element that is none: a place among the own elements, or one that lies far away."""


def pack_common(common: Common) -> bytes:
    """What headers have in common, and what items inside them have."""
    parts = [_COUNTS.pack(common.implicit, len(common.context), len(common.held), len(common.groups))]
    for raw in common.context:
        parts += [_NUMBER.pack(len(raw)), raw]
    for tag, found in common.held.items():
        if isinstance(found, bytes):
            parts += [_PAIR.pack(tag, len(found)), found]
        elif isinstance(found, int):  # and a far one is always an own one
            parts += [_PAIR.pack(tag, _MARK), _NUMBER.pack(found)]
    for tag, inner in common.groups.items():
        parts += [_NUMBER.pack(tag), pack_common(inner)]
    return b"".join(parts)


def unpack_common(data: bytes, at: int = 0) -> tuple[Common, int]:
    """What was packed, and where it ends."""
    implicit, contexts, helds, groups = _COUNTS.unpack_from(data, at)
    at += _COUNTS.size
    context: list[bytes] = []
    for _ in range(contexts):
        (length,) = _NUMBER.unpack_from(data, at)
        at += _NUMBER.size + length
        context.append(data[at - length : at])
    held: dict[int, Raw | int] = {}
    for _ in range(helds):
        tag, length = _PAIR.unpack_from(data, at)
        at += _PAIR.size
        if length == _MARK:
            (held[tag],) = _NUMBER.unpack_from(data, at)
            at += _NUMBER.size
        else:
            held[tag] = data[at : at + length]
            at += length
    inner: dict[int, Common] = {}
    for _ in range(groups):
        (tag,) = _NUMBER.unpack_from(data, at)
        inner[tag], at = unpack_common(data, at + _NUMBER.size)
    return Common(held, implicit, inner, context), at


def pack_record(record: Record) -> bytes:
    """What a header has beside its common: its own elements, and its functional groups with what those have in common."""
    parts = [_pack_own(record.own)]
    for tag, items in (record.sequences or {}).items():
        commons = {id(item.common): item.common for item in items}
        places = {key: place for place, key in enumerate(commons)}
        parts += [
            _PAIR.pack(tag, len(commons)),
            *map(pack_common, commons.values()),
            _NUMBER.pack(len(items)),
        ]
        for item in items:
            parts += [_NUMBER.pack(places[id(item.common)]), _pack_own(item.own)]
    return b"".join(parts)


def unpack_record(data: bytes, common: Common, file: FileRef) -> Record:
    """The header of `file` that was packed."""
    own, at = _unpack_own(data, 0, file)
    if at == len(data):
        return Record(common, own)
    sequences: dict[int, Sequence[Record]] = {}
    while at < len(data):
        tag, count = _PAIR.unpack_from(data, at)
        at += _PAIR.size
        commons: list[Common] = []
        for _ in range(count):
            one, at = unpack_common(data, at)
            commons.append(one)
        (count,) = _NUMBER.unpack_from(data, at)
        at += _NUMBER.size
        items: list[Record] = []
        for _ in range(count):
            (place,) = _NUMBER.unpack_from(data, at)
            inside, at = _unpack_own(data, at + _NUMBER.size, file)
            items.append(Record(commons[place], inside))
        sequences[tag] = items
    return Record(common, own, sequences)


def _pack_own(own: Own) -> bytes:
    if Far in set(map(type, own)):
        lengths = [_MARK if isinstance(raw, Far) else len(raw) for raw in own]
        parts = [_FAR.pack(raw.start, raw.stop) if isinstance(raw, Far) else raw for raw in own]
    else:
        parts = cast(list[bytes], own)
        lengths = list(map(len, parts))
    return struct.pack(f"<H{len(own)}I", len(own), *lengths) + b"".join(parts)


def _unpack_own(data: bytes, at: int, file: FileRef) -> tuple[Own, int]:
    start = at + 2 + 4 * (data[at] | data[at + 1] << 8)
    layout, fars = _layout(data[at:start])
    own: Own = layout.unpack_from(data, start)
    if fars:
        own = tuple(
            Far(file, *_FAR.unpack(raw)) if k in fars else raw  # type: ignore[arg-type]
            for k, raw in enumerate(own)
        )
    return own, start + layout.size


@lru_cache(4096)
def _layout(lengths: bytes) -> tuple[struct.Struct, frozenset[int]]:
    """How elements of these lengths lie one after the other, and which of them are far ones."""
    sizes = struct.unpack(f"<{len(lengths) // 4}I", lengths[2:])
    fars = frozenset(k for k, size in enumerate(sizes) if size == _MARK)
    return struct.Struct("<" + "".join(f"{_FAR.size if size == _MARK else size}s" for size in sizes)), fars


def pack_span(span: PixelSpan | None) -> str | None:
    """Where pixels lie, as text."""
    return None if span is None else "\t".join(map(str, span))


@lru_cache(4096)
def unpack_span(text: str | None) -> PixelSpan | None:
    """What was packed; one for all images that have theirs at the same place."""
    if text is None:
        return None
    keyword, offset, length, available, words, inflated = text.split("\t")
    return PixelSpan(
        keyword,
        int(offset),
        None if length == "None" else int(length),
        int(available),
        words == "True",
        inflated == "True",
    )
