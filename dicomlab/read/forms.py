"""Layouts of headers, learned: the next file of a series has the same tags, VRs and lengths at the same places.

A `Form` is made of one header that was walked (`dicomlab.read.walk`). Another header is of that form if every byte of its
tags, VRs and lengths is the same; only the lengths of elements that were seen to vary (a decimal string, a UID) are read rather
than compared. So it says of a header what walking it would say, and in a tenth of the time.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from operator import itemgetter
from struct import Struct
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from pydicom.uid import UID, ImplicitVRLittleEndian

from dicomlab.read.walk import Cell

__all__ = ["Form", "varying"]


class _Run(NamedTuple):
    """Elements of fixed length, one after the other, and the head of an element of varying length behind them.

    Parameters
    ----------
    size
        Bytes as far as the length of that last element.
    unpack, pieces
        Takes tags, VRs and lengths out of these bytes, where that is little, and what they are. Behind them the length of the
        last element.
    mask, heads
        Otherwise: which of these bytes are tags, VRs and lengths, and what they are: numbers, or for many bytes arrays.
    cut
        Takes the elements that are wanted out of these bytes.
    length
        Bytes of the length of the last element; 0 where the header ends with this run.
    wanted
        Whether the last element is wanted.
    head
        Bytes of the last element before its length.
    """

    size: int
    unpack: Callable[[bytes, int], tuple[Any, ...]] | None
    pieces: list[bytes]
    mask: int | npt.NDArray[np.uint8]
    heads: int | bytes
    cut: Any
    several: bool
    length: int
    wanted: bool
    head: int


class Form:
    """The layout of a header.

    Parameters
    ----------
    data
        First bytes of a file of this layout.
    cells
        All elements of its header.
    wanted
        Tags of the elements that `match` returns.
    soft
        Tags of the elements whose length may vary.
    syntax
        Its Transfer Syntax UID.
    literal
        Tags of the elements whose values must be the same as in `data`, too.
    """

    def __init__(
        self,
        data: bytes,
        cells: Sequence[Cell],
        wanted: Container[int],
        soft: frozenset[int],
        syntax: UID,
        literal: Container[int] = (),
    ) -> None:
        self.cells = tuple(cells)
        self.soft = soft
        self.syntax = syntax
        implicit = syntax == ImplicitVRLittleEndian
        self.key = (tuple(cell.tag for cell in cells if cell.tag in wanted), implicit)
        self._runs: list[_Run] = []
        start = cells[0].start
        spans: list[tuple[int, int]] = []
        cuts: list[slice] = []
        for cell in cells:
            tag = cell.tag
            if tag in soft:
                short = implicit and tag >> 16 != 2
                self._runs.append(_run(data, start, spans, cuts, cell, tag in wanted, short))
                start, spans, cuts = cell.stop, [], []
                continue
            if tag in wanted:
                cuts.append(slice(cell.start - start, cell.stop - start))
            if tag in literal:
                spans.append((cell.start, cell.stop))
            else:
                spans += cell.heads
        self._runs.append(_run(data, start, spans, cuts, None, False, implicit, cells[-1].stop))

    def match(self, data: bytes, at: int) -> tuple[list[bytes], int] | None:
        """The wanted elements of a header of this form, and its end; None for any other, or where `data` are too short."""
        found: list[bytes] = []
        end = len(data)
        for size, unpack, pieces, mask, heads, cut, several, length, wanted, head in self._runs:
            stop = at + size
            if stop > end:
                return None
            grown = 0
            if unpack is not None:
                *here, grown = unpack(data, at)
                if here != pieces:
                    return None
            # A number for a few bytes, an array for many: each is the faster where it is used.
            elif type(mask) is int:
                if from_bytes(data[at:stop], "little") & mask != heads:
                    return None
            elif (np.frombuffer(data, np.uint8, size, at) & mask).tobytes() != heads:
                return None
            if several:
                found += cut(data[at:stop])
            elif cut is not None:
                found.append(cut(data[at:stop]))
            at = stop
            if length:
                at += grown if unpack is not None else from_bytes(data[stop - length : stop], "little")
                if wanted:
                    found.append(data[stop - length - head : at])
        return (found, at) if at <= end else None

    def _starts(self, data: bytes) -> list[tuple[int, int]]:
        """Where each element of another header of this form begins and ends."""
        found = []
        moved = 0
        for cell in self.cells:
            start, stop = cell.start + moved, cell.stop + moved
            if cell.tag in self.soft:
                value = cell.value + moved
                length = 4 if value - start == 12 or (self.key[1] and cell.tag >> 16 != 2) else 2
                stop = value + from_bytes(data[value - length : value], "little")
                moved += stop - value - (cell.stop - cell.value)
            found.append((start, stop))
        return found

    def cells_of(self, data: bytes) -> list[Cell]:
        """Where the elements of another header of this form lie."""
        cells = []
        for cell, (start, stop) in zip(self.cells, self._starts(data), strict=True):
            moved = start - cell.start
            if moved or stop != cell.stop:
                value = cell.value + moved
                heads = (
                    ((start, value),)
                    if cell.is_plain
                    else tuple((a + moved, b + moved) for a, b in cell.heads)
                )
                cell = Cell(cell.tag, start, value, stop, heads)
            cells.append(cell)
        return cells

    def alike(self, one: bytes, other: bytes) -> set[int]:
        """Tags of the elements that two headers have in common, both of this form; none where they are not."""
        if self.match(one, self.cells[0].start) is None or self.match(other, self.cells[0].start) is None:
            return set()
        places = zip(self.cells, self._starts(one), self._starts(other), strict=True)
        return {cell.tag for cell, (a, b), (c, d) in places if one[a:b] == other[c:d]}


from_bytes = int.from_bytes
_PIECES = 8
"""Pieces that are compared faster one by one than all at once."""
_SHORT = 160
"""Bytes up to which a number is compared faster than an array."""


def _run(
    data: bytes,
    start: int,
    spans: list[tuple[int, int]],
    cuts: list[slice],
    last: Cell | None,
    wanted: bool,
    implicit: bool,
    stop: int = 0,
) -> _Run:
    """The run from `start` on in which these bytes are compared, as far as the value of `last`, or to `stop`."""
    length, head = 0, 0
    if last is not None:
        # Explicit VR: tag, VR, length in 2 bytes, or 2 reserved bytes and then 4. Implicit: tag and 4 bytes.
        length = 4 if implicit or last.value - last.start == 12 else 2
        head = last.value - last.start - length
        spans.append((last.start, last.start + head))
        stop = last.value
    size = stop - start
    pieces: list[tuple[int, int]] = []
    for a, b in spans:
        if pieces and pieces[-1][1] == a - start:
            pieces[-1] = (pieces[-1][0], b - start)
        else:
            pieces.append((a - start, b - start))
    bits: int | npt.NDArray[np.uint8] = 0
    expected: int | bytes = 0
    if len(pieces) > _PIECES:
        mask = bytearray(size)
        for a, b in pieces:
            mask[a:b] = b"\xff" * (b - a)
        if size > _SHORT:
            bits = np.frombuffer(bytes(mask), np.uint8)
            expected = (np.frombuffer(data, np.uint8, size, start) & bits).tobytes()
        else:
            bits = from_bytes(mask, "little")
            expected = from_bytes(data[start:stop], "little") & bits
    return _Run(
        size,
        _unpacker(pieces, length) if len(pieces) <= _PIECES else None,
        [data[start + a : start + b] for a, b in pieces],
        bits,
        expected,
        cast(Any, itemgetter)(*cuts) if cuts else None,
        len(cuts) > 1,
        length,
        wanted,
        head,
    )


def _unpacker(pieces: Sequence[tuple[int, int]], length: int) -> Callable[[bytes, int], tuple[Any, ...]]:
    """Takes out these pieces, and a length behind them; where the run ends with the header, nothing for a length."""
    parts, at = ["<"], 0
    for start, stop in pieces:
        parts.append(f"{start - at}x{stop - start}s")
        at = stop
    return Struct("".join([*parts, {0: "0s", 2: "H", 4: "I"}[length]])).unpack_from


def varying(form: Form, cells: Sequence[Cell]) -> frozenset[int] | None:
    """Tags whose lengths vary between `form` and a header that differs in nothing else; None where more differs."""
    if len(cells) != len(form.cells):
        return None
    differing = set()
    for old, new in zip(form.cells, cells, strict=True):
        if (
            old.tag != new.tag
            or len(old.heads) != len(new.heads)
            or old.value - old.start != new.value - new.start
        ):
            return None
        if old.stop - old.start != new.stop - new.start:
            if not (old.is_plain and new.is_plain):
                return None
            differing.add(old.tag)
    return frozenset(differing)
