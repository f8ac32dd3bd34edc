"""Which bytes of a file nobody may see: those of values that identify, and those that nobody can tell from such.

References
----------
PS3.15 Table E.1-1, by `dicomlab.privacy`.
"""

from __future__ import annotations

from collections.abc import Iterator

from dicomlab.privacy import identity_shown, is_identifying
from dicomlab.teach.dissect.nodes import Node
from dicomlab.teach.dissect.walker import Data
from dicomlab.teach.dissect.words import TEXTS, is_lengthy, keyword_of

__all__ = ["hidden_values", "texts_of_stream"]

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


def hidden_values(nodes: list[Node], data: Data) -> Iterator[bool]:
    """For each node whether its value must not be shown now.

    What lies in an identifying sequence is hidden with it. A value that is cut off, too long for its VR or goes on behind a NUL
    may have swallowed its neighbours, and is hidden whatever it is called. Zeros tell nothing and are shown.
    """
    if identity_shown():
        yield from (False for _ in nodes)
        return
    depths: list[int] = []  # of the identifying sequences that are open
    for node in nodes:
        while depths and node.depth <= depths[-1] and node.kind not in ("item", "item_end", "sequence_end"):
            depths.pop()
        if node.kind in ("sequence", "item", "item_end", "sequence_end", "pixels", "offsets", "prefix"):
            if node.kind == "sequence" and _identifies(node):
                depths.append(node.depth)
            yield bool(node.end > node.value_start and node.kind not in ("offsets", "prefix"))
            continue
        yield bool(depths or _must_hide(node, data)) and not _is_zero(node, data)


def _is_zero(node: Node, data: Data) -> bool:
    length = node.end - node.value_start
    return length < 1_000_000 and not bytes(data[node.value_start : node.end]).strip(b"\0")


def _must_hide(node: Node, data: Data) -> bool:
    if node.kind in _OUTSIDE or node.is_broken:
        return True
    if node.kind == "fragment":
        return False
    return _identifies(node) or (node.vr in TEXTS and is_lengthy(data[node.value_start : node.end], node.vr))


def _identifies(node: Node) -> bool:
    if node.tag < 0:
        return False
    if node.tag & 0xFFFF == 0:
        return False
    keyword = keyword_of(node.tag)
    if node.is_private and 0x10 <= node.tag & 0xFFFF <= 0xFF:
        return False  # the name of a maker
    return keyword in _ANYTHING or any(
        is_identifying(keyword, vr, private=node.is_private) for vr in (node.vr or "UN").split(" or ")
    )


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
