"""Frames among the bytes: which fragments belong to which, where offset tables point, how native pixels are laid out.

References
----------
PS3.5 8.2, A.4 (encapsulation, Basic Offset Table); PS3.3 C.7.6.3.1.8 (Extended Offset Table), C.7.6.3 (Image Pixel).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from dicomlab.teach.dissect.nodes import Node
from dicomlab.teach.dissect.start import Space

__all__ = ["Frames", "Link", "find_frames"]

_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51")
_MOST_LINKS = 400


@dataclass(frozen=True)
class Link:
    """An offset: its bytes, the index of the node that it points to (-1 for none), the number of the frame."""

    start: int
    end: int
    target: int
    frame: int


@dataclass
class Frames:
    """What is known of the frames.

    Parameters
    ----------
    native
        Layout of native pixels as JSON, None where there are none.
    of_fragment
        Index of a fragment's node -> number of its frame, from 1; absent where nobody can tell.
    links
        Of the offset tables.
    by
        What says which fragments make a frame, in words.
    """

    native: dict[str, Any] | None
    of_fragment: dict[int, int]
    links: list[Link]
    by: str = ""


def find_frames(space: Space) -> Frames:
    """The frames of a data set; what contradicts itself becomes a note of its node."""
    index = next(
        (
            k
            for k, node in enumerate(space.nodes)
            if node.depth == 0 and node.tag in (0x7FE00010, 0x7FE00008, 0x7FE00009)
        ),
        None,
    )
    if index is None:
        return Frames(None, {}, [])
    node = space.nodes[index]
    count = _frames(space)
    if node.kind != "pixels":
        return Frames(_native(space, index, count), {}, [])
    below = range(index + 1, len(space.nodes))
    fragments = []
    offsets = None
    for k in below:
        kind = space.nodes[k].kind
        if kind == "offsets":
            offsets = space.nodes[k]
        elif kind == "fragment":
            fragments.append(k)
        else:
            break
    return _encapsulated(space, offsets, fragments, count)


def _number(space: Space, tag: int) -> int | None:
    value = space.value(tag)
    node = space.top(tag)
    if node is None or len(value) < 2:
        return None
    return int.from_bytes(value[:2], "little" if node.little else "big")


def _frames(space: Space) -> int:
    try:
        return max(1, int(space.text(0x00280008) or 1))
    except ValueError:
        return 1


def _native(space: Space, index: int, count: int) -> dict[str, Any] | None:
    node = space.nodes[index]
    rows, columns, allocated = (_number(space, tag) for tag in (0x00280010, 0x00280011, 0x00280100))
    samples = _number(space, 0x00280002) or 1
    if not rows or not columns or not allocated:
        return None
    subsampled = space.text(0x00280004) == "YBR_FULL_422"
    bits = rows * columns * (2 if subsampled else samples) * allocated
    due = -(-bits * count // 8)
    due += due % 2
    found = node.end - node.value_start
    if found != due:
        node.note(
            "warn",
            f"{count} x {rows} rows x {columns} columns x {2 if subsampled else samples} x {allocated} bits are {due} bytes; "
            f"the value has {found}.",
        )
    if allocated % 8 or subsampled:
        return None
    return {
        "row": index,
        "rows": rows,
        "columns": columns,
        "samples": samples,
        "planar": _number(space, 0x00280006) or 0,
        "bytes": allocated // 8,
        "stored": _number(space, 0x00280101) or allocated,
        "signed": bool(_number(space, 0x00280103)),
        "float": node.tag != 0x7FE00010,
        "little": node.little,
        "frames": count,
    }


def _encapsulated(space: Space, offsets: Node | None, fragments: list[int], count: int) -> Frames:
    if not fragments:
        return Frames(None, {}, [])
    first = space.nodes[fragments[0]].start
    places = {space.nodes[k].start - first: k for k in fragments}
    tables = [(offsets, 4)] if offsets and offsets.end > offsets.value_start else []
    extended = space.top(0x7FE00001)
    if extended and extended.end > extended.value_start:
        tables.append((extended, 8))
    links: list[Link] = []
    starts: dict[int, int] = {}
    for table, size in tables:
        for frame, at in enumerate(range(table.value_start, table.end - size + 1, size), start=1):
            offset = int.from_bytes(space.data[at : at + size], "little")
            target = places.get(offset, -1)
            if target < 0 and len(table.notes) < 3:
                table.note(
                    "warn", f"Offset {frame} points to byte {first + offset}, where no fragment begins."
                )
            if target >= 0:
                starts.setdefault(target, frame)
            if len(links) < _MOST_LINKS:
                links.append(Link(at, at + size, target, frame))
        entries = (table.end - table.value_start) // size
        if entries != count:
            table.note("warn", f"It has {entries} offsets, and Number of Frames says {count}.")
    if starts:
        return Frames(None, _following(fragments, starts), links, "the offset table says so")
    if len(fragments) == count:
        return Frames(
            None, {k: n for n, k in enumerate(fragments, start=1)}, links, "there is one fragment a frame"
        )
    if count == 1:
        return Frames(None, dict.fromkeys(fragments, 1), links, "there is one frame")
    begin = [k for k in fragments if _start_of(space, k).startswith(_STARTS)]
    if begin and begin[0] == fragments[0]:
        starts = {k: n for n, k in enumerate(begin, start=1)}
        return Frames(None, _following(fragments, starts), links, "a codestream begins there")
    return Frames(None, {}, links, "nothing says which fragments make a frame")


def _start_of(space: Space, index: int) -> bytes:
    start = space.nodes[index].value_start
    return bytes(space.data[start : start + 4])


def _following(fragments: list[int], starts: dict[int, int]) -> dict[int, int]:
    """Each fragment belongs to the frame that began last."""
    found: dict[int, int] = {}
    frame = 0
    for k in fragments:
        frame = starts.get(k, frame)
        if frame:
            found[k] = frame
    return found
