"""What a compressed stream says of itself, and whether it is whole: read before any decoder sees it.

Decoders are lenient: most return something for a stream that broke off. So its structure is walked here to its end
marker, and its size, depth and components are compared with the header before memory is set aside for them.
"""

from __future__ import annotations

import itertools
import struct
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Codestream", "Jpeg", "Scan", "StreamError", "read_codestream", "read_jpeg"]

_NAMES = {
    0xC0: "baseline JPEG",
    0xC1: "extended JPEG",
    0xC2: "progressive JPEG",
    0xC3: "lossless JPEG",
    0xF7: "JPEG-LS",
}


class StreamError(ValueError):
    """A compressed frame cannot be decoded; the message says why, without the file's name."""


class Scan(NamedTuple):
    """Coded differences of a lossless JPEG (T.81 H.1.2): the Huffman code of the size of each, and then so many bits.

    Parameters
    ----------
    bits
        How many bits there are, padding included.
    tail
        The last of their bytes, without stuffing.
    codes
        Of the sizes 0 to 16: bits of the code, and the code; no bits where there is no code.
    """

    bits: int
    tail: bytes
    codes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Jpeg:
    """A JPEG (Rec. ITU-T T.81) or JPEG-LS (T.87) stream that is whole as far as its markers tell.

    Parameters
    ----------
    process
        Low byte of its frame header marker: 0xC0 baseline, 0xC1 extended, 0xC3 lossless, 0xF7 JPEG-LS.
    components
        Identifier, horizontal and vertical sampling factor of each.
    jfif, adobe
        Whether there is a JFIF marker; colour transform of an Adobe marker, or None.
    ends
        Where each run of entropy-coded bytes ends: the position of the marker that follows it.
    end
        First byte after the end marker.
    plain_scan
        The scan of a lossless JPEG; None where it is more than one scan of one component, predicted from the left neighbour,
        without restarts.
    """

    process: int
    precision: int
    rows: int
    columns: int
    components: tuple[tuple[int, int, int], ...]
    jfif: bool
    adobe: int | None
    ends: tuple[int, ...]
    end: int
    plain_scan: Scan | None = None

    @property
    def name(self) -> str:
        """What kind of JPEG it is."""
        return _NAMES.get(self.process, f"JPEG of process {self.process:#x}")

    @property
    def is_subsampled(self) -> bool:
        """Whether components have different sampling factors."""
        return len({component[1:] for component in self.components}) > 1


def read_jpeg(data: bytes) -> Jpeg:
    """Walk the markers of a JPEG or JPEG-LS stream from its start to its end.

    Raises
    ------
    StreamError
        It is no such stream, or it breaks off.

    References
    ----------
    Rec. ITU-T T.81 Annex B; T.87 Annex C.
    """
    if data[:2] != b"\xff\xd8":
        raise StreamError("it does not begin as JPEG does")
    view = np.frombuffer(data, np.uint8)
    after_ff = np.flatnonzero(view[:-1] == 0xFF)
    following = view[after_ff + 1]
    found: dict[str, int | None] = {"process": None, "adobe": None}
    precision = rows = columns = interval = scans = 0
    components: tuple[tuple[int, int, int], ...] = ()
    jfif = False
    ends: list[int] = []
    covered = 0
    tables: dict[int, tuple[tuple[int, int], ...]] = {}
    plain_scan: Scan | None = None
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill bytes
            at += 1
        if at + 2 > len(data):
            raise StreamError("it breaks off before its end marker")
        if data[at] != 0xFF:
            raise StreamError(f"byte {at} is no marker")
        marker = data[at + 1]
        if marker == 0xD9:
            break
        body = data[at + 4 : at + 2 + int.from_bytes(data[at + 2 : at + 4], "big")]
        if at + 4 > len(data) or len(body) != int.from_bytes(data[at + 2 : at + 4], "big") - 2:
            raise StreamError("it breaks off inside a marker segment")
        at += 4 + len(body)
        is_frame = 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC)
        if is_frame or marker == 0xF7:
            if found["process"] is not None or len(body) < 6 or len(body) < 6 + 3 * body[5]:
                raise StreamError("its frame header is broken")
            found["process"] = marker
            precision, rows, columns, count = struct.unpack(">BHHB", body[:6])
            components = tuple(
                (body[6 + 3 * k], body[7 + 3 * k] >> 4, body[7 + 3 * k] & 15) for k in range(count)
            )
        elif marker == 0xE0 and body[:5] == b"JFIF\0":
            jfif = True
        elif marker == 0xEE and body[:5] == b"Adobe" and len(body) >= 12:
            found["adobe"] = body[11]
        elif marker == 0xC4:
            tables |= _huffman_tables(body)
        elif marker == 0xDD and len(body) >= 2:
            interval = int.from_bytes(body, "big")
        elif marker == 0xDA:
            if found["process"] is None or not body or len(body) < 4 + 2 * body[0]:
                raise StreamError("its scan header is broken")
            scans += 1
            covered += body[0]
            plain = (
                scans == 1
                and body[0] == 1
                and len(components) == 1
                and not interval
                and body[3:] == b"\1\0\0"
            )
            codes = tables.get(body[2] >> 4) if plain and found["process"] == 0xC3 else None
            # Markers inside a scan: any byte after FF but the stuffing, which is 00 in T.81 and below 80 in T.87.
            first = int(np.searchsorted(after_ff, at))
            stuffed = following[first:] < 0x80 if found["process"] == 0xF7 else following[first:] == 0
            inside = after_ff[first:][~stuffed & (following[first:] != 0xFF)]
            restart = (view[inside + 1] >= 0xD0) & (view[inside + 1] <= 0xD7)
            last = int(np.argmin(restart)) if not restart.all() else len(restart)
            if last == len(inside):
                raise StreamError("its image data break off before their end marker")
            numbers = view[inside[:last] + 1] & 7
            if (interval == 0 and last) or bool(np.any(numbers != np.arange(last) % 8)):
                raise StreamError("restart markers are missing or out of turn")
            ends.extend(int(place) for place in inside[: last + 1])
            plain_scan = None
            if codes is not None:
                stop = ends[-1]
                while data[stop - 1] == 0xFF:  # fill bytes belong to the marker
                    stop -= 1
                zeros = np.count_nonzero(stuffed[: int(np.searchsorted(after_ff[first:], stop))])
                tail = data[max(at, stop - _TAIL) : stop].replace(b"\xff\x00", b"\xff")
                plain_scan = Scan(8 * (stop - at - int(zeros)), tail, codes)
            if interval and found["process"] != 0xF7:
                wanted = _restarts(components, rows, columns, body, found["process"] == 0xC3, interval)
                if last != wanted:
                    raise StreamError(f"it has {last} restart markers where {wanted} belong")
            at = ends[-1]
    if found["process"] is None or not scans or covered < len(components):
        raise StreamError("its end marker comes before all components were coded")
    return Jpeg(
        found["process"],
        precision,
        rows,
        columns,
        components,
        jfif,
        found["adobe"],
        tuple(ends),
        at + 2,
        plain_scan,
    )


_TAIL = 64
"""Bytes that hold the codes of the last eight differences, of 31 bits at most, and the padding after them, stuffed."""


def _huffman_tables(body: bytes) -> dict[int, tuple[tuple[int, int], ...]]:
    """Of each Huffman table of a segment: length and code of each symbol from 0 to 16; no length where there is none."""
    found = {}
    at = 0
    while at + 17 <= len(body):
        table, counts = body[at], body[at + 1 : at + 17]
        symbols = iter(body[at + 17 : at + 17 + sum(counts)])
        codes = [(0, 0)] * 17
        code = 0
        for length, count in enumerate(counts, start=1):  # T.81 C.2
            code <<= 1
            for symbol in itertools.islice(symbols, count):
                if symbol <= 16:
                    codes[symbol] = (length, code)
                code += 1
        found[table] = tuple(codes)
        at += 17 + sum(counts)
    return found


def _restarts(
    components: tuple[tuple[int, int, int], ...],
    rows: int,
    columns: int,
    scan: bytes,
    lossless: bool,
    interval: int,
) -> int:
    """Restart markers that a scan needs (T.81 A.2, E.1.4)."""
    unit = 1 if lossless else 8
    widest, highest = max(c[1] for c in components), max(c[2] for c in components)
    across, down = 1, 1
    if scan[0] == 1:  # not interleaved: units of one component
        own = next((c for c in components if c[0] == scan[1]), components[0])
        across, down = -(-columns * own[1] // widest), -(-rows * own[2] // highest)
        total = -(-across // unit) * -(-down // unit)
    else:
        total = -(-columns // (unit * widest)) * -(-rows // (unit * highest))
    return -(-total // interval) - 1


@dataclass(frozen=True)
class Codestream:
    """A JPEG 2000 codestream (Rec. ITU-T T.800 Annex A) that is whole as far as its markers tell.

    Parameters
    ----------
    data
        The codestream, without a JP2 wrapping and without padding.
    precision, signed
        Of the components, which are all alike.
    components
        How many.
    transformed
        Whether the components went through a colour transform, which decoders undo.
    reversible
        Whether its wavelet is the reversible one.
    high_throughput
        Whether it is HTJ2K (T.814).
    measured
        Whether every tile-part says how long it is, so that none can lack a part of itself.
    """

    data: bytes
    rows: int
    columns: int
    components: int
    precision: int
    signed: bool
    transformed: bool
    reversible: bool
    high_throughput: bool
    measured: bool


def read_codestream(data: bytes) -> Codestream:
    """Walk a JPEG 2000 codestream from its start to its end.

    Raises
    ------
    StreamError
        It is no such codestream, it breaks off, a tile is missing, or components differ.

    References
    ----------
    Rec. ITU-T T.800 Annex A; T.814 Annex A. PS3.5 8.2.4 has the bare codestream; a JP2 wrapping (T.800 Annex I) is taken off.
    """
    data = _unwrap(data)
    if data[:4] != b"\xff\x4f\xff\x51":
        raise StreamError("it does not begin as a JPEG 2000 codestream does")
    at = 2
    size = b""
    transformed = reversible = high_throughput = coded = False
    while True:
        marker, length = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4], "big")
        if len(data) < at + 4 or len(data) < at + 2 + length:
            raise StreamError("it breaks off inside its main header")
        if marker == b"\xff\x90":
            break
        if marker[0] != 0xFF or length < 2:
            raise StreamError("its main header is broken")
        body = data[at + 4 : at + 2 + length]
        if marker == b"\xff\x51":
            size = body
        elif marker == b"\xff\x52" and len(body) >= 10:
            coded, transformed, reversible = True, body[4] != 0, body[9] == 1
        elif marker == b"\xff\x50":
            high_throughput = len(body) >= 4 and bool(int.from_bytes(body[:4], "big") >> 17 & 1)
        at += 2 + length
    if len(size) < 39 or not coded:
        raise StreamError("its main header is broken")
    profile, x1, y1, x0, y0, tile_w, tile_h, tile_x, tile_y, count = struct.unpack(">H8IH", size[:36])
    if profile & 0x8000:
        raise StreamError("it uses extensions of JPEG 2000 part 2, which no decoder here knows")
    kinds = {size[36 + 3 * k : 39 + 3 * k] for k in range(count)}
    if len(kinds) != 1 or len(size) != 36 + 3 * count:
        raise StreamError("its components differ in depth, sign or sampling")
    depth, step_x, step_y = next(iter(kinds))
    if (step_x, step_y) != (1, 1) or x1 <= x0 or y1 <= y0 or not tile_w or not tile_h:
        raise StreamError("its components are subsampled or empty")
    across, down = -(-(x1 - tile_x) // tile_w), -(-(y1 - tile_y) // tile_h)
    end, measured = _check_tiles(data, at, across * down)
    return Codestream(
        data[: end + 2],
        y1 - y0,
        x1 - x0,
        count,
        (depth & 0x7F) + 1,
        bool(depth & 0x80),
        transformed,
        reversible,
        high_throughput,
        measured,
    )


def _check_tiles(data: bytes, at: int, tiles: int) -> tuple[int, bool]:
    """Follow the tile-parts by their lengths to the end marker: its place, and whether all of them have a length.

    No tile may lack, nor a part of it.
    """
    measured = True
    seen: dict[int, int] = {}
    promised: dict[int, int] = {}
    while data[at : at + 2] != b"\xff\xd9":
        if len(data) < at + 12:
            raise StreamError("it breaks off before its end marker")
        if data[at : at + 4] != b"\xff\x90\x00\x0a":
            raise StreamError("a tile-part does not begin where the one before it ends")
        tile, length, _, parts = struct.unpack(">HIBB", data[at + 4 : at + 12])
        seen[tile] = seen.get(tile, 0) + 1
        promised[tile] = parts or promised.get(tile, 0)
        if length == 0:  # the last one, as far as the end marker
            measured = False
            at = max(data.rfind(b"\xff\xd9", at), 0) or len(data)
        elif length < 14 or at + length > len(data):
            raise StreamError(f"a tile-part of {length} bytes breaks off after {len(data) - at}")
        else:
            at += length
    if len(seen) != tiles or any(parts and seen[tile] != parts for tile, parts in promised.items()):
        raise StreamError(f"it holds {len(seen)} of {tiles} tiles, or a tile without all its parts")
    return at, measured


def _unwrap(data: bytes) -> bytes:
    """Codestream inside a JP2 file."""
    if data[4:8] != b"jP  ":
        return data
    at = 0
    while at + 8 <= len(data):
        length, kind, head = int.from_bytes(data[at : at + 4], "big"), data[at + 4 : at + 8], 8
        if length == 1:
            length, head = int.from_bytes(data[at + 8 : at + 16], "big"), 16
        if kind == b"jp2c":
            return data[at + head : at + length if length else len(data)]
        if length < head:
            break
        at += length
    raise StreamError("a JP2 file without a codestream")
