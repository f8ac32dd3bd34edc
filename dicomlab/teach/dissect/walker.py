"""From bytes to nodes, without a parser: it goes on as far as anything can be told, and leaves no byte out.

Nothing here knows pydicom, so that its places can be compared with pydicom's. Which VRs tags have is asked of a function.

References
----------
PS3.5 7.1 (elements), 7.5 (sequences), 7.8 (private elements), A.4 (encapsulated pixel data).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from mmap import mmap
from typing import TypeAlias

from dicomlab.teach.dissect.nodes import ITEM, ITEM_END, SEQUENCE_END, UNDEFINED, Node

__all__ = ["LONG", "SHORT", "Data", "Walk", "vr_at"]

Data: TypeAlias = "bytes | mmap"

LONG = frozenset(("OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"))
"""VRs with two reserved bytes and a length of four (PS3.5 7.1.2)."""
SHORT = frozenset(
    [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        *("UI", "UL", "US"),
    ]
)
"""All other VRs: a length of two bytes."""
_FRAGMENTED = frozenset(("OB", "OW", "OF", "OD", "OV", "OL"))
_PIXELS = 0x7FE00010
_MOST = 200_000  # nodes that are walked at all: two seconds


@dataclass(slots=True)
class _Open:
    """What is being read: the data set, an item, a sequence, or fragments."""

    kind: str
    node: Node | None
    end: int
    defined: bool
    explicit: bool
    little: bool
    depth: int
    last: int = -1
    count: int = 0
    creators: dict[int, str] = field(default_factory=dict)


def vr_at(data: Data, at: int) -> str:
    """The two bytes at `at` if they are a VR that the standard has, else ``""``."""
    found = bytes(data[at : at + 2]).decode("latin-1")
    return found if found in LONG or found in SHORT else ""


class Walk:
    """The nodes of a stretch of bytes.

    Parameters
    ----------
    data
        The bytes.
    vr_of
        Tag and private creator -> the VR that the dictionary has, ``""`` if it has none; several as ``"US or SS"``.
    most
        Nodes to keep. Beyond, only the top level is kept, and the rest stands together in nodes of kind ``hidden``.
    """

    def __init__(self, data: Data, vr_of: Callable[[int, str], str], most: int = 10**9) -> None:
        self.data = data
        self.nodes: list[Node] = []
        self._vr_of = vr_of
        self._most = most
        self._walked = 0

    def run(self, start: int, end: int, *, explicit: bool, little: bool, group: int = -1) -> int:
        """Walk from `start`, and return where it ended: at `end`, or before the first element of another group than `group`."""
        stack = [_Open("dataset", None, end, True, explicit, little, 0)]
        at = start
        while True:
            top = stack[-1]
            if at >= top.end:
                if len(stack) == 1:
                    return at
                if not top.defined and top.node:
                    top.node.note("stop", "Its length is undefined, and no delimiter ends it.")
                stack.pop()
                continue
            if self._walked > _MOST:
                self._rest(
                    at, end, 0, "tell", "These bytes were not walked any more: there are too many elements."
                )
                return end
            if top.end - at < 8:
                left = top.end - at
                self._rest(
                    at,
                    top.end,
                    top.depth,
                    "stop",
                    f"{left} bytes are left here, and the head of an element takes 8.",
                )
                at = top.end
                continue
            tag = self._tag(at, top.little)
            if len(stack) == 1 and group >= 0 and tag >> 16 != group:
                return at
            if top.kind in ("sequence", "fragments"):
                at = self._in_sequence(at, tag, stack)
            elif tag >> 16 == 0xFFFE:
                at = self._delimiter(at, tag, stack)
            else:
                at = self._element(at, tag, stack)

    def keep(self, node: Node, top: bool = False) -> Node:
        """Put a node into the list, or among those that are hidden."""
        self._walked += 1
        if len(self.nodes) < self._most or ((top or node.depth == 0) and len(self.nodes) < 2 * self._most):
            self.nodes.append(node)
            return node
        last = self.nodes[-1]
        if last.kind != "hidden" or last.end != node.start:
            last = Node(node.start, node.start, node.depth, "hidden", little=node.little)
            self.nodes.append(last)
        last.end = node.end
        last.count += 1
        return node

    def _stretch(self, node: Node, end: int) -> None:
        """Let the node that was kept last end later."""
        node.end = end
        if self.nodes[-1].kind == "hidden":
            self.nodes[-1].end = end

    def _tag(self, at: int, little: bool) -> int:
        group, element = struct.unpack_from("<HH" if little else ">HH", self.data, at)
        return int(group) << 16 | int(element)

    def _number(self, at: int, size: int, little: bool) -> int:
        return int.from_bytes(self.data[at : at + size], "little" if little else "big")

    def _rest(self, start: int, end: int, depth: int, level: str, text: str) -> None:
        node = Node(start, end, depth, "rest")
        node.note(level, text)
        self.keep(node, top=True)

    def _in_sequence(self, at: int, tag: int, stack: list[_Open]) -> int:
        top = stack[-1]
        length = self._number(at + 4, 4, top.little)
        if tag == SEQUENCE_END:
            return self._end(at, tag, "sequence_end", stack)
        if tag != ITEM:
            where = "fragment" if top.kind == "fragments" else "item"
            found = f"({tag >> 16:04x},{tag & 0xFFFF:04x})"
            text = f"At byte {at} an {where} or the end of the sequence is due; {found} stands there."
            text = text.replace("an fragment", "a fragment")
            if top.defined or top.kind == "fragments":
                self._rest(at, top.end, top.depth, "stop", text)
                return top.end
            assert top.node
            top.node.note("stop", text)
            stack.pop()
            return at
        kind = "item" if top.kind == "sequence" else "fragment" if top.count else "offsets"
        top.count += 1
        node = Node(at, at + 8, top.depth, kind, "implicit", tag, "", length, top.little)
        self.keep(node)
        if kind == "item":
            defined = length != UNDEFINED
            end = self._bounded(node, at + 8, length, top.end) if defined else top.end
            stack.append(_Open("item", node, end, defined, top.explicit, top.little, top.depth + 1))
            return at + 8
        if length == UNDEFINED:
            node.note("stop", "A fragment has a length; this one says undefined.")
            node.end = top.end
        else:
            node.end = self._bounded(node, at + 8, length, top.end)
            if length % 2:
                node.note("warn", f"Its length, {length}, is odd; fragments are padded to even ones.")
        self._stretch(node, node.end)
        return node.end

    def _end(self, at: int, tag: int, kind: str, stack: list[_Open]) -> int:
        top = stack[-1]
        length = self._number(at + 4, 4, top.little)
        node = Node(
            at, at + 8, top.depth - (kind == "item_end"), kind, "implicit", tag, "", length, top.little
        )
        if length:
            node.note("warn", f"A delimiter has the length 0; this one says {length}.")
        if top.defined:
            node.note("warn", "What it ends has a length of its own, and needs no delimiter.")
        self.keep(node)
        stack.pop()
        return at + 8

    def _delimiter(self, at: int, tag: int, stack: list[_Open]) -> int:
        top = stack[-1]
        if top.kind == "item" and top.node:
            if tag == ITEM_END:
                return self._end(at, tag, "item_end", stack)
            if tag in (SEQUENCE_END, ITEM) and not top.defined:
                top.node.note("warn", "Its length is undefined, and its delimiter is missing.")
                stack.pop()
                return at
        names = {ITEM: "item", ITEM_END: "item_end", SEQUENCE_END: "sequence_end"}
        length = self._number(at + 4, 4, top.little)
        node = Node(at, at + 8, top.depth, names.get(tag, "element"), "implicit", tag, "", length, top.little)
        node.note("stop", "Nothing is open here that it could begin or end.")
        self.keep(node)
        return at + 8

    def _element(self, at: int, tag: int, stack: list[_Open]) -> int:
        top = stack[-1]
        creator = self._creator(tag, top)
        known = self._vr_of(tag, creator)
        node = Node(at, at, top.depth, "element", "implicit", tag, known, 0, top.little, creator)
        size = self._head(node, top, known)
        if not size:
            self._rest(at, top.end, top.depth, "stop", node.notes[-1].text)
            return top.end
        node.end = at + size
        self._order(node, top)
        self.keep(node)
        start, length = node.end, node.length
        if length == UNDEFINED:
            return self._undefined(node, start, stack)
        end = self._bounded(node, start, length, top.end)
        if length % 2:
            node.note("warn", f"Its length, {length}, is odd; values are padded to even ones (PS3.5 7.1.1).")
        if node.vr == "SQ" or (node.vr == "UN" and known == "SQ" and self._is_item(start, end, True)):
            implicit = node.vr == "UN"
            node.kind = "sequence"
            explicit, little = (False, True) if implicit else (top.explicit, top.little)
            stack.append(_Open("sequence", node, end, True, explicit, little, top.depth + 1))
            return start
        self._stretch(node, end)
        if node.is_private and 0x10 <= tag & 0xFFFF <= 0xFF:
            text = bytes(self.data[start : min(end, start + 64)]).decode("latin-1")
            top.creators[tag] = text.rstrip(" \0")
        return end

    def _creator(self, tag: int, top: _Open) -> str:
        block = (tag & 0xFFFF) >> 8
        if not tag >> 16 & 1 or block < 0x10:
            return ""
        return top.creators.get(tag & 0xFFFF0000 | block, "")

    def _head(self, node: Node, top: _Open, known: str) -> int:
        """Set layout, VR and length of an element; return the bytes of its head, 0 if it cannot be read."""
        at, left = node.start, top.end - node.start
        found = vr_at(self.data, at + 4)
        plain = self._number(at + 4, 4, top.little)
        fits = plain == UNDEFINED or plain <= left - 8
        if top.explicit and not found:
            letters = bytes(self.data[at + 4 : at + 6])
            told = f"The two bytes after the tag, {letters.hex(' ')}, are no VR"
            if letters.isalpha() and letters.isupper():
                node.vr = letters.decode()
                spare, long = self._number(at + 6, 2, top.little), self._number(at + 8, 4, top.little)
                node.layout = "long" if spare == 0 and left >= 12 and long <= left - 12 else "short"
                node.note("warn", f"{told} of the standard; taken for one that is not known.")
            elif fits:
                node.layout, node.length = "implicit", plain
                node.note("warn", f"{told}, which explicit VR has to have; read as implicit VR.")
            else:
                node.note(
                    "stop",
                    f"{told}; without one the length would be {plain}, beyond the end. Reading stops here.",
                )
                return 0
        elif top.explicit or (found and not fits):
            node.layout, node.vr = ("long" if found in LONG else "short"), found
            if not top.explicit:
                node.note(
                    "warn",
                    f"A VR stands here, {found}, which implicit VR does not have; read as explicit VR.",
                )
        if node.layout == "implicit":
            node.length = plain
            return 8
        if node.layout == "long":
            if left < 12:
                node.note("stop", f"{left} bytes are left here, and the head of this element takes 12.")
                return 0
            node.length = self._number(at + 8, 4, top.little)
            size = 12
        else:
            node.length = self._number(at + 6, 2, top.little)
            size = 8
        judged = known and not node.is_private  # of private elements only hearsay is known
        if found and judged and found != "UN" and found not in known.split(" or "):
            node.note("warn", f"Its VR is {found}; the dictionary says {known}.")
        return size

    def _order(self, node: Node, top: _Open) -> None:
        if node.tag == top.last:
            node.note("warn", "It stands here a second time.")
        elif node.tag < top.last:
            node.note("warn", "It is out of order: tags ascend (PS3.5 7.1).")
        top.last = max(top.last, node.tag)
        element = node.tag & 0xFFFF
        if node.is_private and element >= 0x1000 and not node.creator:
            node.note(
                "warn", "No private creator reserves its block (PS3.5 7.8.1): nobody can tell whose it is."
            )

    def _undefined(self, node: Node, start: int, stack: list[_Open]) -> int:
        top = stack[-1]
        explicit, little, kind = top.explicit, top.little, "sequence"
        if node.tag == _PIXELS or (node.vr in _FRAGMENTED and node.layout != "implicit"):
            kind = "fragments"
        elif node.vr == "UN" and node.layout != "implicit":
            explicit, little = False, True  # PS3.5 6.2.2 note 4
        elif node.vr not in ("SQ", "UN", ""):
            node.note("warn", f"An undefined length is for SQ, UN and pixel data; this is {node.vr}.")
        if not any(self._is_item(start, top.end, little, tag) for tag in (ITEM, SEQUENCE_END)):
            node.note("stop", f"Its length is undefined, and no item follows at byte {start}.")
            if kind == "fragments" or node.vr != "SQ":
                self._stretch(node, top.end)
                return top.end
        node.kind = "pixels" if kind == "fragments" else "sequence"
        stack.append(_Open(kind, node, top.end, False, explicit, little, top.depth + 1))
        return start

    def _is_item(self, at: int, end: int, little: bool, tag: int = ITEM) -> bool:
        return end - at >= 8 and self._tag(at, little) == tag

    def _bounded(self, node: Node, start: int, length: int, end: int) -> int:
        """Where a value of this length ends; no further than what is around it."""
        if length > end - start:
            node.note(
                "stop",
                f"It says {length} bytes, and {end - start} are left: its end is missing, or its length is wrong.",
            )
        return min(start + length, end)
