"""What a file is cut into: nodes in the order of the bytes, and the parts of each node."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["ITEM", "ITEM_END", "LAYOUTS", "SEQUENCE_END", "UNDEFINED", "Node", "Note", "Part", "parts"]

UNDEFINED = 0xFFFFFFFF
"""The length that says: until the delimiter (PS3.5 7.1.1)."""
ITEM, ITEM_END, SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD

LAYOUTS: dict[str, tuple[tuple[str, int], ...]] = {
    "short": (("tag", 4), ("vr", 2), ("length", 2)),
    "long": (("tag", 4), ("vr", 2), ("reserved", 2), ("length", 4)),
    "implicit": (("tag", 4), ("length", 4)),
    "raw": (),
}
"""What stands before a value, in bytes (PS3.5 7.1.2, 7.1.3); items and delimiters never have a VR."""


@dataclass(frozen=True, slots=True)
class Note:
    """What is odd about a node.

    Parameters
    ----------
    level
        ``"stop"`` where reading cannot be trusted any more, ``"warn"`` where the standard is not kept, ``"tell"`` otherwise.
    text
        One sentence; it holds no value of the file.
    """

    level: str
    text: str


@dataclass(slots=True)
class Node:
    """A run of bytes that belong together: an element, an item, a delimiter, or bytes outside of all these.

    Parameters
    ----------
    start, end
        Where it begins and ends. Items of a sequence are nodes of their own, which follow.
    depth
        0 at the top level; items are one deeper than their sequence, their elements two.
    kind
        ``preamble, prefix, element, sequence, pixels, item, item_end, sequence_end, offsets, fragment, deflated``,
        ``hidden`` or ``rest``.
    layout
        Name in `LAYOUTS`.
    tag, vr
        -1 and ``""`` where there is none. Where the file has no VR, that of the dictionary.
    length
        The length that the file states, `UNDEFINED` included.
    little
        Byte order.
    creator
        Of a private element, the text that reserves its block (PS3.5 7.8.1).
    count
        Of a hidden node: how many nodes it stands for.
    """

    start: int
    end: int
    depth: int
    kind: str
    layout: str = "raw"
    tag: int = -1
    vr: str = ""
    length: int = 0
    little: bool = True
    creator: str = ""
    count: int = 0
    notes: list[Note] = field(default_factory=list)

    def note(self, level: str, text: str) -> None:
        """Add a note."""
        self.notes.append(Note(level, text))

    @property
    def value_start(self) -> int:
        """Where its value begins."""
        return min(self.end, self.start + sum(size for _, size in LAYOUTS[self.layout]))

    @property
    def is_private(self) -> bool:
        """Whether its group is odd."""
        return self.tag >= 0 and bool(self.tag >> 16 & 1)

    @property
    def is_broken(self) -> bool:
        """Whether a note says that it cannot be trusted."""
        return any(note.level == "stop" for note in self.notes)


@dataclass(frozen=True, slots=True)
class Part:
    """``tag``, ``vr``, ``reserved``, ``length`` or ``value`` of a node, and its bytes."""

    name: str
    start: int
    end: int


def parts(node: Node) -> Iterator[Part]:
    """The parts of a node, in order; together they are its bytes. Where the file breaks off, the last one is shorter."""
    at = node.start
    for name, size in LAYOUTS[node.layout]:
        stop = min(at + size, node.end)
        if stop > at:
            yield Part(name, at, stop)
        at = stop
    if at < node.end:
        yield Part("value", at, node.end)
