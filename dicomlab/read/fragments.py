"""Where the frames of encapsulated pixel data lie (PS3.5 A.4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO, TypeAlias

import numpy as np

from dicomlab.read.streams import StreamError

__all__ = ["Piece", "find_frames"]

Piece: TypeAlias = tuple[int, int]
"""First byte and number of bytes."""

_ITEM, _END = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0"


def find_frames(
    stream: BinaryIO, start: int, size: int, frames: int, extended: bytes, signatures: Sequence[bytes]
) -> list[list[Piece]]:
    """Fragments of each frame.

    Which fragments make a frame is decided by what is sound, in this order: the Extended Offset Table, the Basic Offset Table,
    as many fragments as frames, as many fragments with the signature of the codec as frames.

    Parameters
    ----------
    stream
        The file.
    start
        First byte of the pixel data element's value.
    size
        Bytes of the file.
    frames
        Number of Frames.
    extended
        Value of the Extended Offset Table (7FE0,0001), or nothing.
    signatures
        What the first bytes of a frame's first fragment are; empty when the codec has none.

    Raises
    ------
    StreamError
        The items are broken, or do not tell the frames apart.

    References
    ----------
    PS3.5 A.4 "Transfer Syntaxes for Encapsulation of Encoded Pixel Data"; PS3.3 C.7.6.3.1.8 "Extended Offset Table".
    """
    table, pieces, ended = _items(stream, start, size)
    if not pieces:
        raise StreamError("its encapsulated pixel data hold no fragment")
    if frames == 1:
        if not ended:
            raise StreamError("its encapsulated pixel data break off")
        if signatures and len(pieces) > 1:
            begun = sum(_begins(stream, offset, signatures) for offset, _ in pieces)
            if begun > 1:  # decoders would take the first and drop the others without a word
                raise StreamError(
                    f"its pixel data hold {begun} frames, Number of Frames (0028,0008) says one"
                )
        return [pieces]
    # Offsets count from the item tag of the first fragment, which lies 8 bytes before its value.
    first = pieces[0][0]
    by_place = {offset - first: k for k, (offset, _) in enumerate(pieces)}
    for offsets in (np.frombuffer(extended[: len(extended) // 8 * 8], "<u8"), table):
        if len(offsets) == frames and all(int(offset) in by_place for offset in offsets):
            begins = [by_place[int(offset)] for offset in offsets]
            if begins == sorted(set(begins)) and begins[0] == 0:
                return _group(pieces, begins, ended)
    if len(pieces) == frames and ended:
        return [[piece] for piece in pieces]
    if signatures:
        begins = [k for k, (offset, _) in enumerate(pieces) if _begins(stream, offset, signatures)]
        if len(begins) == frames and begins[0] == 0:
            return _group(pieces, begins, ended)
    broken = "" if ended else " (and they break off)"
    raise StreamError(
        f"its {len(pieces)} fragments{broken} do not tell {frames} frames apart: no valid offset table"
    )


def _group(pieces: list[Piece], begins: list[int], ended: bool) -> list[list[Piece]]:
    groups = [pieces[a:b] for a, b in zip(begins, [*begins[1:], len(pieces)], strict=True)]
    if not ended:
        groups[-1] = []  # more fragments of the last frame may be lacking
    return groups


def _begins(stream: BinaryIO, offset: int, signatures: Sequence[bytes]) -> bool:
    stream.seek(offset)
    return stream.read(max(map(len, signatures))).startswith(tuple(signatures))


def _items(
    stream: BinaryIO, start: int, size: int
) -> tuple[np.ndarray[tuple[int], np.dtype[np.uint32]], list[Piece], bool]:
    """Basic Offset Table, fragments that the file holds whole, and whether the sequence ends as it should."""
    table = np.empty(0, np.uint32)
    pieces: list[Piece] = []
    read: Callable[[int], bytes] = stream.read
    at, is_table = start, True
    while True:
        stream.seek(at)
        head = read(8)
        if head[:4] == _END and len(head) == 8:
            return table, pieces, True
        if head[:4] != _ITEM or len(head) < 8:
            if len(head) == 8:
                raise StreamError("its encapsulated pixel data are no sequence of fragments")
            return table, pieces, False
        length = int.from_bytes(head[4:], "little")
        if at + 8 + length > size:
            return table, pieces, False
        if is_table:
            table, is_table = np.frombuffer(read(length // 4 * 4), "<u4"), False
        else:
            pieces.append((at + 8, length))
        at += 8 + length
