"""A dissected file as small JSON: its rows, the bytes that are kept of it, and where they are hidden."""

from __future__ import annotations

import base64
import json
from typing import Any

from dicomlab.privacy import MASK, Identity
from dicomlab.teach.dissect.frames import Frames, find_frames
from dicomlab.teach.dissect.hidden import has_too_many, hidden_values, identity_of, texts_of_stream
from dicomlab.teach.dissect.nodes import LAYOUTS, Node
from dicomlab.teach.dissect.start import Dissected, Space
from dicomlab.teach.dissect.words import MEANINGS, decoded, encodings, keyword_of, name_of, size_of, uid_name

__all__ = ["FIELDS", "WIDE", "told"]

WIDE = 16
"""Bytes in a line."""
FIELDS = (
    "space",
    "start",
    "end",
    "depth",
    "kind",
    "layout",
    "tag",
    "vr",
    "length",
    "keyword",
    "text",
    "count",
    "more",
)
"""What the numbers of a row mean; ``more`` is an object of what few rows have: ``name, hidden, notes, big, frame, owner``."""

_ELIDED = ((1 << 30, 0), (2048, 256), (512, 128), (192, 48), (96, 32), (48, 32), (32, 16))


def told(found: Dissected, budget: int, most: int) -> dict[str, Any]:
    """A file as JSON of at most about `budget` bytes.

    Parameters
    ----------
    budget
        Longest text; of large values the first and last bytes are kept, so many as there is room for.
    most
        Most rows.
    """
    rows: list[list[Any]] = []
    hidden: list[list[tuple[int, int]]] = []
    frames = Frames(None, {}, [])
    identity = identity_of(found.spaces)
    for number, space in enumerate(found.spaces):
        base = len(rows)
        of_space = find_frames(space)
        if space is found.data_set:
            frames = of_space
        kept, stretches = _rows(space, number, of_space, most, identity)
        rows += kept
        hidden.append(stretches)
        if space is found.data_set:
            links = [
                [one.start, one.end, base + one.target if one.target >= 0 else -1, one.frame]
                for one in frames.links
            ]
            if frames.native:
                frames.native["row"] += base
            data_base = base
    left = sum(len(space.nodes) for space in found.spaces) - len(rows)
    facts: dict[str, Any] = {
        "fields": list(FIELDS),
        "wide": WIDE,
        "layouts": {name: [list(one) for one in layout] for name, layout in LAYOUTS.items()},
        "meanings": MEANINGS,
        "syntax": {
            "uid": found.stated,
            "name": uid_name(found.stated),
            "explicit": found.explicit,
            "little": found.little,
        },
        "rows": rows,
        "links": links,
        "native": frames.native if frames.native and frames.native["row"] < len(rows) + data_base else None,
        "frames_by": frames.by,
        "left": left,
        "spaces": [],
    }
    size = len(json.dumps(facts))
    for head, tail in _ELIDED:
        facts["spaces"] = [
            _bytes(space, number, rows, hidden[number], head, tail)
            for number, space in enumerate(found.spaces)
        ]
        if size + len(json.dumps(facts["spaces"])) <= budget:
            break
    return facts


def _rows(
    space: Space, number: int, frames: Frames, most: int, identity: Identity
) -> tuple[list[list[Any]], list[tuple[int, int]]]:
    """The rows of a space, and the stretches of bytes that are hidden; what has no row is hidden, too."""
    rows: list[list[Any]] = []
    stretches: list[tuple[int, int]] = []
    codecs = encodings(space.value(0x00080005))
    for node in space.nodes:
        if allowed := has_too_many(node):
            count = (node.end - node.value_start) // size_of(node.vr)
            node.note("warn", f"It has {count} values; the dictionary allows {allowed}.")
    for index, (node, hide) in enumerate(zip(space.nodes, hidden_values(space, identity), strict=True)):
        if len(rows) >= most:
            stretches.append((node.start, len(space.data)))
            break
        text, count = "", 0
        start = node.value_start
        if hide:
            stretches.append((start, node.end))
            text = MASK
        elif node.kind == "element":
            head = bytes(space.data[start : min(node.end, start + 512)])
            text, count = decoded(head, node.end - start, node, codecs)
            if node.tag == 0x00080005:
                codecs = encodings(head)
        elif node.kind == "fragment":
            head = bytes(space.data[start : min(node.end, start + 65536)])
            stretches += [(start + a, start + b) for a, b in texts_of_stream(head)]
        rows.append(_row(number, node, text, count, hide, frames.of_fragment.get(index)))
    return rows, stretches


def _row(space: int, node: Node, text: str, count: int, hide: bool, frame: int | None) -> list[Any]:
    keyword = keyword_of(node.tag) if node.tag >= 0 and node.kind not in ("offsets", "fragment") else ""
    more: dict[str, Any] = {}
    if (
        node.tag >= 0
        and (name := name_of(node.tag, node.creator))
        and node.kind not in ("offsets", "fragment")
    ):
        more["name"] = name
    if hide:
        more["hidden"] = 1
    if node.notes:
        more["notes"] = [[note.level, note.text] for note in node.notes]
    if not node.little:
        more["big"] = 1
    if frame is not None:
        more["frame"] = frame
    if node.creator:
        more["owner"] = node.creator
    if node.kind == "hidden":
        more["nodes"] = node.count
    return [
        *(space, node.start, node.end, node.depth, node.kind, node.layout, node.tag),
        *(node.vr, node.length, keyword, text, count, more),
    ]


def _bytes(
    space: Space, number: int, rows: list[list[Any]], hidden: list[tuple[int, int]], head: int, tail: int
) -> dict[str, Any]:
    """The bytes that are kept of a space, in whole lines; those that are hidden are zeros here."""
    size = len(space.data)
    stretches: list[list[int]] = []
    for row in rows:
        if row[0] != number:
            continue
        start, end = row[1], row[2]
        value = min(end, start + sum(length for _, length in LAYOUTS[row[5]]))
        ends = [(start, end)] if end - value <= head + tail else [(start, value + head), (end - tail, end)]
        for first, last in ends:
            first, last = first // WIDE * WIDE, min(size, -(-last // WIDE) * WIDE)
            if stretches and first <= stretches[-1][1]:
                stretches[-1][1] = max(last, stretches[-1][1])
            elif last > first:
                stretches.append([first, last])
    chunks = []
    for first, last in stretches:
        piece = bytearray(space.data[first:last])
        for a, b in hidden:
            a, b = max(a, first), min(b, last)
            if b > a:
                piece[a - first : b - first] = bytes(b - a)
        chunks.append([first, base64.b64encode(piece).decode("ascii")])
    shown = [[a, b] for a, b in hidden if b > a]
    return {"name": space.name, "size": size, "chunks": chunks, "hidden": shown}
