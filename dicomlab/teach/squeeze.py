"""Grey pixels of a data set, and the ways in which DICOM makes them smaller.

The codecs are those of imagecodecs, which are written by others; tests let other decoders say what is in the streams.

References
----------
PS3.5 8.2 and A.4 (encapsulation), Annex G (RLE).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom import uid
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.read.codecs import KNOWN, Wanted, decode
from dicomlab.read.rle import decode_rle

__all__ = ["LOSSLESS", "LOSSY", "Lossy", "Pixels", "deflated_size", "pixels_of", "run_lengths", "undone"]

Values = npt.NDArray[Any]


@dataclass(frozen=True)
class Pixels:
    """Stored values of a data set.

    Parameters
    ----------
    values
        Shape ``(frames, rows, columns)``, little endian, of the size of Bits Allocated.
    stored
        Bits Stored.
    signed
        Pixel Representation.
    slope, intercept, units
        To real values: ``slope * stored + intercept``.
    """

    values: Values
    stored: int
    signed: bool
    slope: float
    intercept: float
    units: str


def pixels_of(dataset: Dataset) -> Pixels:
    """The stored values of grey images of 8 or 16 bits.

    Raises
    ------
    UnsupportedError
        There are no such pixels.
    DicomLabError
        They are compressed and cannot be decoded, or are fewer than the header says.
    """
    try:
        rows, columns = int(dataset.Rows), int(dataset.Columns)
        allocated = int(dataset.BitsAllocated)
        stored = int(dataset.get("BitsStored") or allocated)
        frames = int(dataset.get("NumberOfFrames") or 1)
        data = bytes(dataset.PixelData)
    except (AttributeError, TypeError, ValueError):
        raise UnsupportedError(
            "An image was asked for; this data set has no Pixel Data with Rows, Columns and Bits Allocated. Give an image."
        ) from None
    samples = dataset.get("SamplesPerPixel", 1)
    if samples != 1 or allocated not in (8, 16) or not 2 <= stored <= allocated:
        raise UnsupportedError(
            f"Grey pixels of 8 or 16 bits can be explored here; these have {samples} samples of {stored} in {allocated} bits. "
            "Give a CT, MR or X-ray image."
        )
    signed = bool(dataset.get("PixelRepresentation", 0))
    dtype = np.dtype(f"{'<i' if signed else '<u'}{allocated // 8}")
    syntax = dataset.file_meta.get("TransferSyntaxUID") if hasattr(dataset, "file_meta") else None
    if syntax is not None and syntax.is_encapsulated:
        values = _decoded(
            data, str(syntax), frames, Wanted(rows, columns, 1, allocated, stored, signed, "MONOCHROME2")
        )
    else:
        big = syntax is not None and not syntax.is_little_endian
        need = rows * columns * frames * dtype.itemsize
        if len(data) < need:
            raise DicomLabError(
                f"{frames} x {rows} x {columns} pixels take {need} bytes, and Pixel Data has {len(data)}. Give a whole image."
            )
        values = np.frombuffer(data[:need], dtype.newbyteorder(">") if big else dtype).astype(dtype)
    slope, intercept = (
        _number(dataset.get(name), other) for name, other in (("RescaleSlope", 1), ("RescaleIntercept", 0))
    )
    units = str(dataset.get("RescaleType") or ("HU" if dataset.get("Modality") == "CT" else ""))
    known = units if units in ("HU", "US", "OD", "HU_MOD") else ""
    return Pixels(values.reshape(frames, rows, columns), stored, signed, slope or 1.0, intercept, known)


def _number(value: Any, other: float) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return other
    return found if np.isfinite(found) else other


def undone(stream: bytes, syntax: str, like: Values, stored: int) -> Values:
    """One frame decoded again, by the decoders that dicomlab reads files with.

    Parameters
    ----------
    like
        Values of the shape and type that come out.
    """
    rows, columns = like.shape
    wanted = Wanted(rows, columns, 1, 8 * like.itemsize, stored, like.dtype.kind == "i", "MONOCHROME2")
    return _frame(stream, syntax, wanted).reshape(like.shape)


def _frame(stream: bytes, syntax: str, wanted: Wanted) -> Values:
    if syntax == uid.RLELossless:
        samples = decode_rle(stream, 1, wanted.rows * wanted.columns, wanted.allocated // 8)
        return np.asarray(samples).reshape(-1).view(wanted.dtype)
    return np.asarray(decode(stream, syntax, wanted)[0]).reshape(-1)


def _decoded(data: bytes, syntax: str, frames: int, wanted: Wanted) -> Values:
    if syntax != uid.RLELossless and syntax not in KNOWN:
        raise UnsupportedError(
            f"Pixels in the transfer syntax {uid.UID(syntax).name} cannot be decoded here. Give an image in another one."
        )
    found = []
    try:
        for frame in generate_frames(data, number_of_frames=frames):
            found.append(_frame(frame, syntax, wanted))
        if len(found) != frames:
            raise ValueError(f"there are {len(found)} frames, Number of Frames says {frames}")
    except ValueError as problem:
        raise DicomLabError(
            f"The compressed pixels cannot be decoded: {problem}. Give a whole image."
        ) from problem
    return np.concatenate(found).astype(wanted.dtype.newbyteorder("<"))


def run_lengths(values: Values) -> bytes:
    """A frame in RLE: the bytes of its pixels by their place, the highest first, each row packed by itself (PS3.5 G.3)."""
    import imagecodecs

    size = values.dtype.itemsize
    planes = values.astype(values.dtype.newbyteorder("<")).view(np.uint8).reshape(*values.shape, size)
    segments = []
    for place in reversed(range(size)):
        packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in planes[..., place])
        segments.append(packed + b"\0" * (len(packed) % 2))
    offsets = np.zeros(16, "<u4")
    offsets[0] = size
    offsets[1 : size + 1] = 64 + np.cumsum([0, *map(len, segments[:-1])])
    return offsets.tobytes() + b"".join(segments)


def _plain(values: Values, stored: int) -> Values:
    """Two's complement without a sign, as JPEG-LS takes it."""
    unsigned = values.astype(values.dtype.newbyteorder("=")).view(f"u{values.dtype.itemsize}")
    return np.asarray(unsigned & ((1 << stored) - 1), unsigned.dtype)


def _jpeg_ls(values: Values, stored: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.jpegls_encode(_plain(values, stored)))


def _jpeg_2000(values: Values, stored: int) -> bytes:
    import imagecodecs

    native = values.astype(values.dtype.newbyteorder("="))
    return bytes(imagecodecs.jpeg2k_encode(native, codecformat="J2K", reversible=True, bitspersample=stored))


def _htj2k(values: Values, stored: int) -> bytes:
    import imagecodecs

    return bytes(imagecodecs.htj2k_encode(values.astype(values.dtype.newbyteorder("=")), reversible=True))


LOSSLESS: dict[str, tuple[str, Callable[[Values, int], bytes]]] = {
    "RLE": (uid.RLELossless, lambda values, _: run_lengths(values)),
    "JPEG-LS": (uid.JPEGLSLossless, _jpeg_ls),
    "JPEG 2000": (uid.JPEG2000Lossless, _jpeg_2000),
    "HTJ2K": (uid.HTJ2KLossless, _htj2k),
}
"""Name -> transfer syntax, and stored values of a frame and Bits Stored -> its stream."""


@dataclass(frozen=True)
class Lossy:
    """A way to make pixels smaller that changes them.

    Parameters
    ----------
    syntax
        Transfer Syntax UID.
    method
        Lossy Image Compression Method (0028,2114).
    strength
        What the numbers of `strengths` are called.
    bits
        Most bits of a sample that it takes.
    encode
        Unsigned values, bits and strength -> a stream.
    decode
        The stream -> values.
    """

    syntax: str
    method: str
    strength: str
    strengths: tuple[int, ...]
    bits: int
    encode: Callable[[Values, int, int], bytes]
    decode: Callable[[bytes], Values]


def _codecs() -> dict[str, Lossy]:
    def call(name: str, *given: Any, **more: Any) -> Any:
        import imagecodecs

        return getattr(imagecodecs, name)(*given, **more)

    return {
        "JPEG, 8 bit": Lossy(
            uid.JPEGBaseline8Bit,
            "ISO_10918_1",
            "quality",
            (98, 95, 90, 75, 50, 20),
            8,
            lambda values, bits, level: bytes(call("jpeg8_encode", values, level)),
            lambda data: np.asarray(call("jpeg8_decode", data)),
        ),
        "JPEG, 12 bit": Lossy(
            uid.JPEGExtended12Bit,
            "ISO_10918_1",
            "quality",
            (98, 95, 90, 75, 50, 20),
            12,
            lambda values, bits, level: bytes(call("jpeg8_encode", values, level, bitspersample=12)),
            lambda data: np.asarray(call("jpeg8_decode", data)),
        ),
        "JPEG 2000": Lossy(
            uid.JPEG2000,
            "ISO_15444_1",
            "aim, PSNR",
            (75, 70, 65, 60, 52, 45),
            16,
            lambda values, bits, level: bytes(
                call("jpeg2k_encode", values, level, codecformat="J2K", reversible=False, bitspersample=bits)
            ),
            lambda data: np.asarray(call("jpeg2k_decode", data)),
        ),
        "JPEG-LS": Lossy(
            uid.JPEGLSNearLossless,
            "ISO_14495_1",
            "NEAR",
            (1, 2, 4, 8, 16, 32),
            16,
            lambda values, bits, level: bytes(call("jpegls_encode", values, level)),
            lambda data: np.asarray(call("jpegls_decode", data)),
        ),
    }


LOSSY = _codecs()
"""Name -> codec; strengths from gentle to harsh."""


def deflated_size(values: Values) -> int:
    """Bytes of the pixels in the deflated transfer syntax (RFC 1951)."""
    squeeze = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
    return len(squeeze.compress(values.tobytes()) + squeeze.flush())
