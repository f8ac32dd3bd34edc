"""A whole file: preamble, prefix, group 2, and the data set in the transfer syntax that it says, or turns out to have.

References
----------
PS3.10 7.1 (file meta information), PS3.5 A.5 (deflated).
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from dicomlab.teach.dissect.nodes import UNDEFINED, Node
from dicomlab.teach.dissect.walker import Data, Walk, vr_at

__all__ = ["Dissected", "Space", "dissect"]

IMPLICIT, BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2", "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
_MOST_INFLATED = 32_000_000


@dataclass
class Space:
    """Bytes with addresses of their own, and what they hold: the file, or what a deflated file inflates to."""

    name: str
    data: Data
    nodes: list[Node] = field(default_factory=list)

    def top(self, tag: int) -> Node | None:
        """The node of a tag at the top level."""
        return next((node for node in self.nodes if node.depth == 0 and node.tag == tag), None)

    def value(self, tag: int) -> bytes:
        """The bytes of a value at the top level, at most 1 kB of them; none where it is absent."""
        node = self.top(tag)
        return (
            b""
            if node is None
            else bytes(self.data[node.value_start : min(node.end, node.value_start + 1024)])
        )

    def text(self, tag: int) -> str:
        """The same as text without its padding."""
        return self.value(tag).decode("latin-1").rstrip(" \0")


@dataclass
class Dissected:
    """A file, cut into nodes.

    Parameters
    ----------
    spaces
        The file; of a deflated one also what it inflates to.
    stated
        Transfer Syntax UID (0002,0010), ``""`` where there is none.
    explicit, little
        How the data set was read.
    """

    spaces: list[Space]
    stated: str = ""
    explicit: bool = True
    little: bool = True

    @property
    def data_set(self) -> Space:
        """Where the data set stands."""
        return self.spaces[-1]


def dissect(data: Data, vr_of: Callable[[int, str], str], most: int = 10**9) -> Dissected:
    """A file cut into nodes that hold each of its bytes exactly once.

    Parameters
    ----------
    data
        The whole file.
    vr_of, most
        As `Walk` takes them.
    """
    file = Space("file", data)
    found = Dissected([file])
    at = _before(data, file.nodes)
    walk = Walk(data, vr_of, most)
    walk.nodes = file.nodes
    at = _meta(walk, at, file)
    stated = file.text(0x00020010)
    found.stated = stated if re.fullmatch(r"[0-9.]{1,64}", stated) else ""
    if at >= len(data):
        if file.nodes:
            file.nodes[-1].note("warn", "Nothing follows: there is no data set.")
        return found
    first = len(file.nodes)
    if found.stated == DEFLATED:
        _deflated(found, at, vr_of, most)
        return found
    found.explicit, found.little, told = _syntax(data, at, found.stated)
    walk.run(at, len(data), explicit=found.explicit, little=found.little)
    if told and len(file.nodes) > first:
        file.nodes[first].note("warn", told)
    return found


def _before(data: Data, nodes: list[Node]) -> int:
    """Preamble and prefix; where the next byte is."""
    if bytes(data[128:132]) == b"DICM":
        nodes += [Node(0, 128, 0, "preamble"), Node(128, 132, 0, "prefix")]
        return 132
    return 0


def _meta(walk: Walk, at: int, file: Space) -> int:
    """Group 2, always in explicit VR little endian; where it ends."""
    bare = at == 0
    start = len(walk.nodes)
    end = (
        walk.run(at, len(file.data), explicit=True, little=True, group=2) if len(file.data) - at >= 8 else at
    )
    met = walk.nodes[start:]
    if bare and len(file.data) > end:
        text = "There is no preamble and no DICM: PS3.10 7.1 wants 128 bytes and then these four."
        if met:
            met[0].note("warn", text)
    elif not met:
        walk.nodes[-1].note(
            "warn", "No group 2 follows: which transfer syntax the data set has must be guessed."
        )
    group_length = next((node for node in met if node.tag == 0x00020000), None)
    if group_length and group_length.end - group_length.value_start == 4:
        (length,) = struct.unpack_from("<I", file.data, group_length.value_start)
        due = group_length.end + length
        if due != end:
            group_length.note("warn", f"It says that group 2 ends at byte {due}; it ends at byte {end}.")
    elif met and not group_length:
        met[0].note("warn", "Group 2 begins with its length, (0002,0000); here it is missing.")
    if met and not file.text(0x00020010):
        met[-1].note(
            "warn", "No Transfer Syntax UID (0002,0010): how the data set is written must be guessed."
        )
    return end


def _syntax(data: Data, at: int, stated: str) -> tuple[bool, bool, str]:
    """Whether the data set is explicit and little endian, and what to say where that is not what the file says."""
    explicit, little = stated not in (IMPLICIT,), stated != BIG_ENDIAN
    if len(data) - at < 8:
        return explicit, little, ""
    groups = {order: struct.unpack_from("<H" if order else ">H", data, at)[0] for order in (True, False)}
    told = []
    # Data sets begin with group 8, or with 2 to 4: in the wrong order these are in the hundreds.
    if groups[not little] < groups[little] and groups[not little] <= 0x00FF < groups[little]:
        little = not little
        told.append("little endian" if little else "big endian")
    letters = vr_at(data, at + 4)
    length = int.from_bytes(data[at + 4 : at + 8], "little" if little else "big")
    fits = length == UNDEFINED or length <= len(data) - at - 8
    if not stated:
        explicit = bool(letters)
    elif explicit and not letters and fits:
        explicit = False
        told.append("implicit VR")
    elif not explicit and letters and not fits:
        explicit = True
        told.append("explicit VR")
    if not stated:
        name = f"{'explicit' if explicit else 'implicit'} VR {'little' if little else 'big'} endian"
        plain = letters or (groups[little] <= 0x00FF and fits)
        return (
            explicit,
            little,
            (
                f"No transfer syntax is stated; by its first bytes this is {name}."
                if plain
                else "No transfer syntax is stated, and these bytes do not look like a data set: this may not be DICOM."
            ),
        )
    if told:
        return (
            explicit,
            little,
            f"The transfer syntax says otherwise, but the bytes are {' and '.join(told)}.",
        )
    return explicit, little, ""


def _deflated(found: Dissected, at: int, vr_of: Callable[[int, str], str], most: int) -> None:
    """The deflated stream as a node of the file, and what it inflates to as a space of its own."""
    file = found.spaces[0]
    stream = Node(at, len(file.data), 0, "deflated")
    file.nodes.append(stream)
    plain, used, problem = _inflate(bytes(file.data[at:]), -zlib.MAX_WBITS)
    if problem and not plain:
        wrapped = _inflate(bytes(file.data[at:]), zlib.MAX_WBITS)
        if wrapped[0]:
            plain, used, problem = wrapped
            stream.note("warn", "The stream has the head of zlib (RFC 1950); DICOM wants it bare (RFC 1951).")
    if problem:
        stream.note("stop", f"It cannot be inflated any further: {problem}. {len(plain)} bytes came out.")
    else:
        stream.end = at + used
        if stream.end < len(file.data):
            after = Node(stream.end, len(file.data), 0, "rest")
            after.note("tell", "Padding behind the stream, so that the file has an even length (PS3.5 A.5).")
            file.nodes.append(after)
    if plain:
        walk = Walk(plain, vr_of, most)
        walk.run(0, len(plain), explicit=True, little=True)
        found.spaces.append(Space("inflated", plain, walk.nodes))


def _inflate(stream: bytes, bits: int) -> tuple[bytes, int, str]:
    """What comes out, how many bytes went in, and what went wrong. In small steps, so that what comes before damage is kept."""
    inflate = zlib.decompressobj(bits)
    plain = bytearray()
    for start in range(0, len(stream), 256):
        try:
            plain += inflate.decompress(stream[start : start + 256], _MOST_INFLATED - len(plain) + 1)
        except zlib.error as problem:
            return bytes(plain), start, str(problem).removeprefix("Error -3 while decompressing data: ")
        if inflate.eof:
            return bytes(plain), start + len(stream[start : start + 256]) - len(inflate.unused_data), ""
        if len(plain) > _MOST_INFLATED:
            return bytes(plain[:_MOST_INFLATED]), start, f"{_MOST_INFLATED} bytes are enough here"
    return bytes(plain), len(stream), "the stream breaks off"
