"""From one compressed frame to its samples, strictly: a stream that is broken or differs from the header raises.

All decoders are those of imagecodecs: libjpeg-turbo (JPEG), CharLS (JPEG-LS), OpenJPEG (JPEG 2000), OpenJPH (HTJ2K that is
grey and reversible; OpenJPEG has the rest, and the last word where OpenJPH finds something wrong). They let other threads
run while they work, and write to where the samples belong. The library is imported with the first compressed frame: most
series have none.

Colour (PS3.5 8.2, PS3.3 C.7.6.3.1.2). Decoders are told to convert nothing except to undo the component transform of JPEG
2000, which is part of its codestream. What the samples then are is settled in this order:

- JPEG: what the stream itself says (Adobe marker: 0 RGB, 1 YBR; JFIF marker or subsampled chrominance: YBR), then Photometric
  Interpretation. Lossless JPEG has no such markers as a rule, and then the header decides.
- JPEG-LS, RLE, deflated: Photometric Interpretation. YBR_ICT and YBR_RCT are no colours of these: refused, as in JPEG where
  the stream itself says nothing.
- JPEG 2000: RGB where the codestream has the component transform, and where neither it nor the header has one. A header
  that says YBR_ICT or YBR_RCT while the codestream has no transform, or YBR_FULL while it has one, is contradictory: refused.

Depth and sign. A precision above Bits Stored: the spare bits are removed (lossless), or values are limited to the range
that the header states (lossy, where rounding may exceed it). A precision below Bits Stored is the range really used. JPEG
and JPEG-LS know no sign: with Pixel Representation 1 the samples are two's complement of Bits Stored bits. A JPEG 2000
codestream has its own sign: where it differs from Pixel Representation the same holds, and negative values that the header
calls unsigned raise.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydicom import uid

from dicomlab.read.heard import heard
from dicomlab.read.streams import Codestream, Jpeg, Scan, StreamError, read_codestream, read_jpeg

__all__ = ["FRAME_STARTS", "KNOWN", "Wanted", "decode", "deflated"]

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Wanted:
    """What the header says of a frame.

    Parameters
    ----------
    samples
        Samples per Pixel, 1 or 3.
    allocated, stored
        Bits Allocated and Bits Stored.
    photometric
        Photometric Interpretation.
    """

    rows: int
    columns: int
    samples: int
    allocated: int
    stored: int
    signed: bool
    photometric: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the samples."""
        return (self.rows, self.columns) if self.samples == 1 else (self.rows, self.columns, self.samples)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of the samples."""
        return np.dtype(f"{'i' if self.signed else 'u'}{max(1, self.allocated // 8)}")


def decode(data: bytes, syntax: str, wanted: Wanted, out: Values | None = None) -> tuple[Values, str]:
    """Samples of one compressed frame, in shape and dtype of `wanted`, and the Photometric Interpretation they have.

    Parameters
    ----------
    out
        An array of that shape and dtype, contiguous, that may be written to: the samples are in it where its decoder can put
        them there, and in an array of their own otherwise.

    Raises
    ------
    StreamError
        The stream breaks off, cannot be decoded, or is not what the header says.
    """
    try:
        values, photometric = _DECODERS[syntax](data, syntax, wanted, out)
    except StreamError:
        raise
    except Exception as problem:  # each decoder raises what it likes
        raise StreamError(f"the decoder says: {_plain(problem)}") from problem
    if photometric in ("YBR_ICT", "YBR_RCT"):  # undone with the codestream of JPEG 2000, which alone has them
        raise StreamError(f"the header says {photometric}, which {uid.UID(syntax).name} does not have")
    return values, photometric


def _plain(problem: Exception) -> str:
    text = str(problem)
    return text if text.isprintable() and len(text) < 200 else type(problem).__name__


def _compare(what: str, found: tuple[int, int, int, int], wanted: Wanted) -> None:
    """Before decoding: rows, columns, components and precision of a stream against the header."""
    if found[:3] != (wanted.rows, wanted.columns, wanted.samples):
        raise StreamError(
            f"the {what} stream has {found[0]} x {found[1]} pixels of {found[2]} components, the header says "
            f"{wanted.rows} x {wanted.columns} of {wanted.samples}"
        )
    if found[3] > wanted.allocated:
        raise StreamError(f"the {what} stream has {found[3]} bits, Bits Allocated is {wanted.allocated}")


def _settle(values: Values, precision: int, lossy: bool, negative: bool, wanted: Wanted) -> Values:
    """Values of `precision` bits as the header's bits and sign; see the head of this file."""
    if values.shape != wanted.shape:
        raise StreamError(f"decoded to shape {values.shape} where {wanted.shape} is expected")
    low, high = (
        (-(1 << wanted.stored - 1), (1 << wanted.stored - 1) - 1)
        if wanted.signed
        else (0, (1 << wanted.stored) - 1)
    )
    if negative == wanted.signed:
        if precision <= wanted.stored:
            return values.astype(wanted.dtype, copy=False)
        if lossy:
            return np.clip(values, low, high).astype(wanted.dtype)
    elif negative:
        if values.size and values.min() < 0:
            raise StreamError("it holds negative values, Pixel Representation says unsigned")
    elif precision < wanted.stored and values.size and int(values.max()) >> precision - 1:
        raise StreamError(
            f"its {precision} bits without a sign do not tell which of the header's {wanted.stored} bits with sign they are"
        )
    spare = wanted.dtype.itemsize * 8 - wanted.stored
    return (values.astype(wanted.dtype) << spare) >> spare


def _room(out: Values | None, precision: int, signed: bool = False) -> Values | None:
    """`out` as what a decoder writes; None where its samples are of another size."""
    if out is None or out.itemsize != (1 if precision <= 8 else 2 if precision <= 16 else 4):
        return None
    return out.view(f"{'i' if signed else 'u'}{out.itemsize}")


def _jpeg(data: bytes, syntax: str, wanted: Wanted, out: Values | None) -> tuple[Values, str]:
    stream = read_jpeg(data)
    if stream.process not in _PROCESSES[syntax]:
        raise StreamError(f"the stream is {stream.name}, the transfer syntax is {uid.UID(syntax).name}")
    _compare(stream.name, (stream.rows, stream.columns, len(stream.components), stream.precision), wanted)
    lossless = stream.process == 0xC3
    photometric = wanted.photometric
    if wanted.samples == 3:
        if stream.adobe is not None:
            photometric = "YBR_FULL" if stream.adobe else "RGB"
        elif stream.jfif or stream.is_subsampled:
            photometric = "YBR_FULL"
    import imagecodecs

    # The same name for both spaces: nothing is converted, whatever libjpeg would guess.
    space = {1: "GRAYSCALE", 3: "RGB" if photometric == "RGB" else "YCBCR"}[wanted.samples]
    room = _room(out, stream.precision)
    values = imagecodecs.jpeg8_decode(_to(data, stream.end), colorspace=space, outcolorspace=space, out=room)
    if stream.plain_scan is not None and values.ndim == 2:
        whole = _is_whole(stream, values)
    else:
        probe = imagecodecs.jpeg8_decode(
            _probe(data, stream.ends, stream.end), colorspace=space, outcolorspace=space
        )
        whole = np.array_equal(values, probe)
    if not whole:
        raise StreamError("its image data are incomplete")
    return _settle(values, stream.precision, not lossless, False, wanted), photometric


def _to(data: bytes, end: int) -> bytes:
    """The stream without its padding, and without a copy."""
    return data if end == len(data) else cast(bytes, memoryview(data)[:end])


def _is_whole(stream: Jpeg, values: Values) -> bool:
    """Whether a lossless JPEG has as many bits as its values took to code, and not fewer: what lacked, libjpeg made up.

    References
    ----------
    Rec. ITU-T T.81 H.1.2: each sample is the Huffman code of the size of its difference, and then so many bits.
    """
    scan = stream.plain_scan
    assert scan is not None
    plain = values.astype(np.uint16, copy=False)
    if plain.shape[1] > _LAST and _ends_as_it_should(scan, np.diff(plain[-1, -1 - _LAST :]).tolist()):
        return True
    available, taken = scan.bits, _bits(scan.codes)
    # Each is predicted from its left neighbour, the first column from above, the first sample from the middle of the range.
    left = np.empty(len(plain), np.uint16)
    left[1:], left[0] = plain[:-1, 0], 1 << stream.precision - 1
    # Modulo 65536, as differences are coded. A few rows at a time: new memory costs more than the arithmetic.
    for start in range(0, len(plain), _ROWS):
        rows = plain[start : start + _ROWS]
        for differences in (rows[:, 0] - left[start : start + _ROWS], rows[:, 1:] - rows[:, :-1]):
            bits = taken.take(differences, mode="clip")  # which none needs, and is the fastest
            if bits.max(initial=0) == _NO_CODE:  # a size that has no code: libjpeg took something else for it
                return False
            available -= int(bits.sum(dtype=np.int64))
    return available >= 0


_LAST = 8
"""Differences at the end whose codes are looked for at the end of the data."""


def _ends_as_it_should(scan: Scan, differences: Sequence[int]) -> bool:
    """Whether the last differences (modulo 65536) show that no data lacked; where they do not, all bits must be counted.

    Where data lack, libjpeg goes on with zeros, and from the next row on with equal samples.
    """
    codes = [_code(scan, difference) for difference in differences]
    length, code = codes[-1]
    if differences[-1] == 0 or min(codes)[0] == 0:
        return False
    if code & 1:  # no zero that was made up
        return True
    bits = f"{code:0{length}b}"
    if "1" not in bits.lstrip("1"):  # all made up, or padding and what was made up after it
        return False
    wanted = "".join(f"{code:0{length}b}" for length, code in codes)
    tail = "".join(f"{byte:08b}" for byte in scan.tail)
    return any(tail.endswith(wanted + "1" * padding) for padding in range(8))


def _code(scan: Scan, difference: int) -> tuple[int, int]:
    """Bits that a difference modulo 65536 takes, and what they are; no bits where there is no code."""
    signed = (difference + 0x8000 & 0xFFFF) - 0x8000
    size = abs(signed).bit_length()
    length, code = scan.codes[size]
    rest = size % 16 if length else 0  # the largest needs no more bits
    return length + rest, code << rest | (signed - (signed < 0)) & (1 << rest) - 1


_ROWS = 64
_NO_CODE = 255


@lru_cache(16)
def _bits(codes: tuple[tuple[int, int], ...]) -> npt.NDArray[np.uint8]:
    """How many bits each difference modulo 65536 takes, where the sizes 0 to 16 have codes of these lengths."""
    sizes = np.frexp(np.minimum(np.arange(1 << 16), np.arange(1 << 16, 0, -1)))[1]
    lengths = np.array(codes)[:, 0]
    taken = np.where(lengths == 0, _NO_CODE, lengths + np.arange(17) % 16)
    return taken.astype(np.uint8)[sizes]


def _probe(data: bytes, ends: tuple[int, ...], end: int) -> bytes:
    """The stream with some bytes more after all coded data.

    libjpeg makes up what is missing and says so only in a warning that nobody gets. A whole stream decodes to the same
    with more bytes behind it; one that lacks data takes them for its own, and comes out otherwise.
    """
    pieces, start = [], 0
    for place in ends:
        while data[place - 1] == 0xFF:  # fill bytes belong to the marker
            place -= 1
        pieces += [data[start:place], _PROBE]
        start = place
    return b"".join([*pieces, data[start:end]])


# It begins with a one, where libjpeg fills with zeros, and no byte is FF.
_PROBE = bytes((167 * k + 0xB5) % 251 for k in range(96))


def _jpeg_ls(data: bytes, syntax: str, wanted: Wanted, out: Values | None) -> tuple[Values, str]:
    stream = read_jpeg(data)
    if stream.process != 0xF7:
        raise StreamError(f"the stream is {stream.name}, the transfer syntax is {uid.UID(syntax).name}")
    _compare(stream.name, (stream.rows, stream.columns, len(stream.components), stream.precision), wanted)
    import imagecodecs

    # Without an end marker CharLS may search for minutes; `read_jpeg` has seen it. It refuses what lacks data or has too much.
    # Where it ends within the last byte it takes zeros for the low bits of the very last sample. Only decoding twice would show
    # that: of a stream that lost just the one byte before its end marker, and of a few in a thousand with damage inside.
    values = imagecodecs.jpegls_decode(_to(data, stream.end), out=_room(out, stream.precision))
    return _settle(
        values, stream.precision, syntax == uid.JPEGLSNearLossless, False, wanted
    ), wanted.photometric


def _jpeg_2000(data: bytes, syntax: str, wanted: Wanted, out: Values | None) -> tuple[Values, str]:
    stream = read_codestream(data)
    high_throughput = syntax in (uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K)
    if stream.high_throughput != high_throughput:
        found = "HTJ2K" if stream.high_throughput else "JPEG 2000"
        raise StreamError(f"the stream is {found}, the transfer syntax is {uid.UID(syntax).name}")
    _compare("JPEG 2000", (stream.rows, stream.columns, stream.components, stream.precision), wanted)
    photometric = wanted.photometric
    if wanted.samples == 3:
        stated = photometric in ("YBR_ICT", "YBR_RCT")
        contradicted = not stream.transformed if stated else photometric != "RGB" and stream.transformed
        if contradicted:
            has = "has the" if stream.transformed else "has no"
            raise StreamError(
                f"the header says {photometric}, its codestream {has} component transform: which colours, nobody knows"
            )
        photometric = "RGB" if stated else photometric
    import imagecodecs

    room = _room(out, stream.precision, stream.signed)
    values = _open_jph(stream, room)
    if values is None:
        values = imagecodecs.jpeg2k_decode(stream.data, numthreads=1, out=room)
    return _settle(values, stream.precision, not stream.reversible, stream.signed, wanted), photometric


def _open_jph(stream: Codestream, room: Values | None) -> Values | None:
    """Samples by OpenJPH, in half the time of OpenJPEG; None where that one shall say what they are, or why there are none.

    Its errors are lost on their way to Python, but for those who listen.
    """
    if not stream.high_throughput or not stream.reversible or stream.components > 1 or stream.precision > 16:
        return None
    if not stream.measured:  # it says nothing of what a tile-part without a length lacks
        return None
    import imagecodecs

    with heard("imagecodecs._htj2k.") as errors:
        try:
            values: Values = imagecodecs.htj2k_decode(stream.data, out=room)
        except imagecodecs.Htj2kError:
            return None
    if errors or values.dtype.kind != ("i" if stream.signed else "u"):
        return None
    return values


def deflated(data: bytes, length: int) -> bytes:
    """Bytes of a deflated frame (PS3.5 A.4.13), exactly `length` of them.

    Raises
    ------
    StreamError
        The stream breaks off, or holds fewer or more bytes.
    """
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = inflate.decompress(data, length + 2)  # an odd length is padded
    except zlib.error as problem:
        raise StreamError(f"it cannot be inflated: {problem}") from problem
    if not length <= len(out) <= length + length % 2:
        raise StreamError(f"it inflates to {len(out)} bytes where {length} are needed")
    if not inflate.eof:
        raise StreamError("the deflated stream breaks off")
    return out[:length]


_PROCESSES: dict[str, tuple[int, ...]] = {
    uid.JPEGBaseline8Bit: (0xC0,),
    uid.JPEGExtended12Bit: (0xC0, 0xC1),
    uid.JPEGLossless: (0xC3,),
    uid.JPEGLosslessSV1: (0xC3,),
}
_DECODERS: dict[str, Callable[[bytes, str, Wanted, Values | None], tuple[Values, str]]] = {
    **dict.fromkeys(_PROCESSES, _jpeg),
    uid.JPEGLSLossless: _jpeg_ls,
    uid.JPEGLSNearLossless: _jpeg_ls,
    **dict.fromkeys(
        (uid.JPEG2000Lossless, uid.JPEG2000, uid.HTJ2KLossless, uid.HTJ2KLosslessRPCL, uid.HTJ2K), _jpeg_2000
    ),
}
KNOWN = frozenset(_DECODERS)
"""Transfer syntaxes that `decode` takes."""
FRAME_STARTS = (b"\xff\xd8\xff", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  ")
"""What the first fragment of a frame begins with, where its codec has a signature."""
