"""What many headers say, counted while they stream by: of each attribute the first value, and which instances have which.

Values are told apart by a digest, so nothing grows with the length of headers; of an attribute that is the same in all, one is
held.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterator, Mapping

from dicomlab.read.plain import tag_of, value_start, vr_of
from dicomlab.tables.raws import inner_raws, value_of

__all__ = ["Entry", "Tally"]

_CONTEXT = (0x0008_0005, 0x0028_0103)
_KEPT = 128
"""Bytes of a value up to which it is kept; of a longer one, its digest and beginning are."""


class Entry:
    """One attribute of one level.

    Attributes
    ----------
    first : bytes
        The element as the first instance that has it wrote it.
    implicit : bool
        How that is read.
    count : int
        Instances that have it.
    values : list of bytes
        Distinct values; only the beginning of long ones.
    context : dict of int to bytes
        Elements beside it that say how it is read: character set, pixel representation, who reserved its block.
    inner : list of Tally, or None
        Of a sequence that differs: what is in its items.
    vrs : set of bytes
        VRs that files give it.
    """

    __slots__ = (
        "_ids",
        "_items",
        "_known",
        "_start",
        "context",
        "count",
        "first",
        "implicit",
        "inner",
        "values",
        "vrs",
    )

    def __init__(self, raw: bytes, implicit: bool, k: int, context: Mapping[int, bytes]) -> None:
        self.first, self.implicit = raw, implicit
        tag = tag_of(raw)
        around = (*_CONTEXT, tag & 0xFFFF0000 | tag >> 8 & 0xFF)
        self.context = {other: context[other] for other in around if other in context}
        self.count = 0
        self.inner: list[Tally] | None = None
        self.values: list[bytes] = []
        self.vrs = {vr_of(raw, implicit)}
        self._start = k
        self._ids: array[int] | None = None
        self._known: dict[bytes, int] = {}
        self._items: list[dict[int, bytes]] | None = None

    def add(self, raw: bytes, implicit: bool, k: int, times: int) -> None:
        """Instances `k` to ``k + times`` have this element."""
        if self._ids is None:
            if raw == self.first and k == self._start + self.count:
                self.count += times
                return
            self._open()
        ids = self._ids
        assert ids is not None
        if len(ids) < k:
            ids.extend([-1] * (k - len(ids)))
        number = 0 if raw == self.first else self._number(raw, implicit)
        if number and self.inner is None and self._items is None:
            self._unfold()
        ids.extend([number] * times)
        self.count += times
        if self.inner is not None:
            items = self._items if number == 0 else inner_raws(raw, implicit)
            self._add_items(items or [], implicit, k, times)

    def _open(self) -> None:
        self._ids = array("i", [-1] * self._start + [0] * self.count)
        value = value_of(self.first, self.implicit)
        self._known[_key(value)] = 0
        self.values.append(value[:_KEPT])

    def _number(self, raw: bytes, implicit: bool) -> int:
        value = value_of(raw, implicit)
        self.vrs.add(vr_of(raw, implicit))
        key = _key(value)
        number = self._known.get(key)
        if number is None:
            number = self._known[key] = len(self.values)
            self.values.append(value[:_KEPT])
        return number

    def _unfold(self) -> None:
        self._items = inner_raws(self.first, self.implicit)
        if self._items is None:
            self._items = []
            return
        self.inner = []
        assert self._ids is not None
        for k, number in enumerate(self._ids):
            if number == 0:
                self._add_items(self._items, self.implicit, k, 1)

    def _add_items(self, items: list[dict[int, bytes]], implicit: bool, k: int, times: int) -> None:
        assert self.inner is not None
        for n, item in enumerate(items):
            if n == len(self.inner):
                self.inner.append(Tally())
            self.inner[n].add(item, implicit, k, times)

    def written(self, value: bytes) -> bytes:
        """An element with one of `values`, as the first file has it."""
        value += b" " * (len(value) % 2)
        start = value_start(self.first, self.implicit)
        width = 4 if start == 12 or self.implicit else 2
        return self.first[: start - width] + len(value).to_bytes(width, "little") + value

    def digest(self) -> str:
        """The same for entries with the same distinct values."""
        values = sorted(self._known) or [_key(value_of(self.first, self.implicit))]
        return hashlib.blake2b(b"\0".join(values), digest_size=16).hexdigest()

    def differs(self, total: int) -> bool:
        """Whether instances have several values, or some have none."""
        return len(self.values) > 1 or self.count < total

    def numbers(self, total: int) -> array[int]:
        """Which of `values` each instance has, -1 for none."""
        if self._ids is None:
            found = array("i", [-1] * self._start + [0] * self.count)
        else:
            found = array("i", self._ids)
        found.extend([-1] * (total - len(found)))
        return found


class Tally:
    """The attributes of one level (the top of headers, an item of a sequence), by tag."""

    def __init__(self) -> None:
        self.entries: dict[int, Entry] = {}

    def add(self, raws: Mapping[int, bytes], implicit: bool, k: int, times: int = 1) -> None:
        """Instances `k` to ``k + times`` have these elements."""
        entries = self.entries
        for tag, raw in raws.items():
            entry = entries.get(tag)
            if entry is None:
                entry = entries[tag] = Entry(raw, implicit, k, raws)
            entry.add(raw, implicit, k, times)

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        """Tag and entry, ascending."""
        return iter(sorted(self.entries.items()))


def _key(value: bytes) -> bytes:
    return value if len(value) <= _KEPT else hashlib.blake2b(value, digest_size=16).digest()
