"""Which bytes of a file nobody may see: those of values that identify, and those that nobody can tell from such.

References
----------
PS3.15 Table E.1-1, by `dicomlab.privacy`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dicomlab.privacy import Identity, identity_in, identity_shown, is_identifying, shown_value
from dicomlab.teach.dissect.nodes import Node
from dicomlab.teach.dissect.start import Space
from dicomlab.teach.dissect.walker import Data
from dicomlab.teach.dissect.words import (
    NUMBERS,
    TEXTS,
    WORDED,
    encodings,
    is_lengthy,
    keyword_of,
    most_values,
    size_of,
    text_of,
)

__all__ = ["has_too_many", "hidden_values", "identity_of", "texts_of_stream"]

# Documents, and bytes of unknown meaning that a table of attributes cannot judge.
_ANYTHING = frozenset(
    (
        "EncapsulatedDocument",
        "PrivateInformation",
        "DataSetTrailingPadding",
        "DigitalSignaturesSequence",
        "MACParametersSequence",
    )
)
_OUTSIDE = frozenset(("preamble", "deflated", "hidden", "rest"))


def identity_of(spaces: Iterable[Space]) -> Identity:
    """The words of a file that say who the patient is, wherever they stand."""
    return identity_in(
        (keyword_of(node.tag), node.vr, text) for space in spaces for node, text in _texts(space)
    )


_NUMERIC = b"0123456789+-.eE\\ \0"
"""Bytes of decimal strings (PS3.5 6.2)."""


def _texts(space: Space) -> Iterator[tuple[Node, str]]:
    codecs = encodings(space.value(0x00080005))
    for node in space.nodes:
        if node.kind == "element" and node.vr in TEXTS and node.vr != "UI" and node.tag >= 0:
            value = bytes(space.data[node.value_start : min(node.end, node.value_start + 4096)])
            if node.vr not in WORDED and not value.translate(None, _NUMERIC):
                continue
            if node.tag == 0x00080005:
                codecs = encodings(value)
            yield node, text_of(value, node.vr, codecs)


def hidden_values(space: Space, identity: Identity) -> Iterator[bool]:
    """For each node of a space whether its value must not be shown now.

    What lies in an identifying sequence is hidden with it; in one that nobody knows, what is text. A value that is cut off, too
    long for its VR or goes on behind a NUL may have swallowed its neighbours, and a text whose VR or place is wrong may be
    another attribute: these are hidden whatever they are called. So is a text with a word of `identity`. Zeros tell nothing and
    are shown.
    """
    nodes, data = space.nodes, space.data
    if identity_shown():
        yield from (False for _ in nodes)
        return
    naming = {
        node.start
        for node, text in _texts(space)
        if shown_value(keyword_of(node.tag), text, identity) != text
    }
    used = {(node.depth, _block(node)) for node in nodes if node.is_private and node.tag & 0xFFFF >= 0x1000}
    within: list[
        tuple[int, bool]
    ] = []  # of the sequences that are open: depth, and whether it identifies or is unknown
    for node in nodes:
        while within and node.depth <= within[-1][0] and node.kind not in _FRAME:
            within.pop()
        if node.kind in _FRAME or node.kind in ("pixels", "offsets", "prefix"):
            if node.kind == "sequence":
                if _identifies(node):
                    within.append((node.depth, True))
                elif node.is_private or node.notes or not keyword_of(node.tag):
                    within.append((node.depth, False))
            yield bool(node.end > node.value_start and node.kind in _FRAME)
            continue
        inside = any(identifies for _, identifies in within)
        hide = inside or node.start in naming or _must_hide(node, data, used, bool(within))
        yield hide and not _is_zero(node, data)


_FRAME = frozenset(("sequence", "item", "item_end", "sequence_end"))


def _block(node: Node) -> int:
    return node.tag >> 16 << 8 | (node.tag & 0xFFFF) >> 8


def _is_zero(node: Node, data: Data) -> bool:
    length = node.end - node.value_start
    return length < 1_000_000 and not bytes(data[node.value_start : node.end]).strip(b"\0")


def _must_hide(node: Node, data: Data, used: set[tuple[int, int]], unknown: bool) -> bool:
    if node.kind in _OUTSIDE or node.is_broken:
        return True
    if node.kind == "fragment":
        return False
    if node.is_private and 0x10 <= node.tag & 0xFFFF <= 0xFF:
        # The name of a maker, if a block is reserved by it.
        block = node.tag >> 16 << 8 | node.tag & 0xFF
        return (
            node.vr != "LO"
            or (node.depth, block) not in used
            or is_lengthy(data[node.value_start : node.end], "LO")
        )
    if node.notes and (node.vr not in NUMBERS or has_too_many(node)):
        return True
    if node.tag >> 16 != 0x7FE0 and _holds_patient(data[node.value_start : node.end]):
        return True
    if _identifies(node) or (unknown and is_identifying("", node.vr, private=True)):
        return True
    return node.vr in TEXTS and is_lengthy(data[node.value_start : node.end], node.vr)


def _holds_patient(value: bytes) -> bool:
    """Whether the tag of a name or a number of a patient stands in a value: its length is wrong, and it swallowed them."""
    return any(value.find(tag) >= 0 for tag in _PATIENT)


_PATIENT = (b"\x10\0\x10\0", b"\0\x10\0\x10", b"\x10\0\x20\0", b"\0\x10\0\x20")


def has_too_many(node: Node) -> int:
    """The most values that the dictionary allows, where a node of binary numbers has more; else 0."""
    most = most_values(node.tag) if node.vr in NUMBERS and node.kind == "element" else 0
    return most if most and node.end - node.value_start > most * size_of(node.vr) else 0


def _identifies(node: Node) -> bool:
    if node.tag < 0 or node.tag & 0xFFFF == 0:
        return False
    keyword = keyword_of(node.tag)
    vrs = (node.vr or "UN").split(" or ")
    return keyword in _ANYTHING or any(is_identifying(keyword, vr, private=node.is_private) for vr in vrs)


def texts_of_stream(stream: bytes) -> list[tuple[int, int]]:
    """Start and end of comments and application data in the beginning of a compressed frame, which may say anything.

    References
    ----------
    Rec. ITU-T T.81 B.2.4.5, B.2.4.6; T.800 A.9.2.
    """
    found = []
    if stream[:2] == b"\xff\xd8":
        texts, ends = frozenset((0xFE, *range(0xE0, 0xF0))), frozenset((0xDA,))
    elif stream[:2] == b"\xff\x4f":
        texts, ends = frozenset((0x64,)), frozenset((0x90, 0x93))
    else:
        return []
    at = 2
    while at + 4 <= len(stream) and stream[at] == 0xFF and stream[at + 1] not in ends:
        stop = at + 2 + int.from_bytes(stream[at + 2 : at + 4], "big")
        if stream[at + 1] in texts:
            found.append((at + 4, min(stop, len(stream))))
        at = stop
    return found
