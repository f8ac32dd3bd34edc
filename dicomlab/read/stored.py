"""From the bytes of a file to the stored values of a frame (PS3.5 8), whatever the transfer syntax."""

from __future__ import annotations

import io
import sys
import threading
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt
from pydicom import uid

from dicomlab.errors import DicomLabError, FaultError, NotDicomError, UnsupportedError
from dicomlab.read import codecs
from dicomlab.read.colour import Palette, ybr_to_rgb
from dicomlab.read.fragments import Piece, find_frames
from dicomlab.read.headers import Instance, PixelSpan, inflate
from dicomlab.read.pixelrules import CELLS, DEFLATED_FRAME, NATIVE
from dicomlab.read.rle import decode_rle
from dicomlab.read.sources import FileRef
from dicomlab.read.streams import StreamError

__all__ = ["StoredImage"]

Values = npt.NDArray[Any]

_KEEP_LIMIT = 1 << 30
"""Packed files of several frames, up to this many bytes, are held in memory from the first frame on."""
_ONE_UNPACKS = threading.Lock()
_CLAIM_LIMIT, _CLAIM_RATIO = 1 << 28, 1000
"""A frame of more bytes than this must not come from a stream smaller by more than the ratio: the size is a lie."""


@dataclass(frozen=True, eq=False)
class StoredImage:
    """Where the stored values of an image lie and how they are packed: all that reading them takes.

    Made by `stored_image` from the header beforehand, because pydicom's attributes are not safe to read on several threads;
    `read` may be called on any thread, and the object may be sent to another process.

    Parameters
    ----------
    file
        The file.
    syntax
        Transfer Syntax UID.
    frames
        Number of Frames.
    """

    file: FileRef
    syntax: str
    frames: int
    _span: PixelSpan | None = field(repr=False)
    _wanted: codecs.Wanted = field(repr=False)
    _planar: bool = field(default=False, repr=False)
    _floating: bool = field(default=False, repr=False)
    _palette: Palette | None = field(default=None, repr=False)
    _extended: bytes = field(default=b"", repr=False)

    def of(self, instance: Instance) -> StoredImage:
        """The image of another instance that describes its pixels in the same words, and keeps them in the same way."""
        image = object.__new__(StoredImage)
        image.__dict__.update(self._described, file=instance.file, _span=instance.pixels)
        return image

    @cached_property
    def _described(self) -> dict[str, Any]:
        """All that does not depend on the one file."""
        return {
            "syntax": self.syntax,
            "frames": self.frames,
            "_wanted": self._wanted,
            "_planar": self._planar,
            "_floating": self._floating,
            "_palette": self._palette,
            "_extended": self._extended,
            "dtype": self.dtype,
            "expected_bytes": self.expected_bytes,
            "is_plain": self.is_plain,
        }

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of a frame: ``(rows, columns)``, or ``(rows, columns, 3)`` when it is colour."""
        wanted = self._wanted
        return wanted.shape if self._palette is None else (wanted.rows, wanted.columns, 3)

    @cached_property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in the byte order of this machine."""
        if self._palette is not None:
            return self._palette.table.dtype
        return np.dtype(f"f{self._wanted.allocated // 8}") if self._floating else self._wanted.dtype

    @property
    def bits_stored(self) -> int:
        """Bits that a value has."""
        return self.dtype.itemsize * 8 if self._palette is not None else self._wanted.stored

    @property
    def signed(self) -> bool:
        """Whether values may be negative."""
        return self._floating or (self._wanted.signed and self._palette is None)

    @property
    def is_colour(self) -> bool:
        """Whether `read` returns RGB."""
        return len(self.shape) == 3

    @property
    def is_compressed(self) -> bool:
        """Whether the number of bytes says nothing about their being all there."""
        return self.syntax not in NATIVE

    @cached_property
    def expected_bytes(self) -> int | None:
        """Bytes that all frames need; None when compressed."""
        return None if self.is_compressed else (self._frame_bits * self.frames + 7) // 8

    @property
    def lacking(self) -> int:
        """Bytes by which the file is too short for its frames, as far as the header tells; 0 when none or compressed."""
        return max(0, (self.expected_bytes or 0) - self._available)

    @property
    def _available(self) -> int:
        span = self._span
        if span is None:
            return 0
        return span.available if span.length is None else min(span.available, span.length)

    @property
    def _frame_bits(self) -> int:
        wanted = self._wanted
        # In YBR_FULL_422 two pixels share their chrominance: two samples a pixel (PS3.3 C.7.6.3.1.2).
        samples = 2 if self._is_422 else wanted.samples
        return wanted.rows * wanted.columns * samples * wanted.allocated

    @property
    def _is_422(self) -> bool:
        return self._wanted.photometric == "YBR_FULL_422" and self.syntax in CELLS

    def read(self, frame: int = 0, out: Values | None = None) -> Values:
        """Stored values of one frame, in `shape` and `dtype`.

        Bits above Bits Stored are never part of a value (PS3.5 8.1.1): whatever a device or an overlay left there is
        removed and the sign is extended from the highest stored bit. Colour comes out as RGB, whatever it was stored as;
        an ICC profile is not applied. MONOCHROME1 is not inverted.

        Parameters
        ----------
        frame
            From 0 to ``frames - 1``, as stored.
        out
            Where they go, contiguous; a new array where it is None.

        Raises
        ------
        FaultError
            Bytes are missing, or a compressed stream is broken, breaks off, or is not what the header says.
        """
        if self.is_plain:
            self._check_bytes(frame, self._frame_bits // 8)  # before memory is asked for
            values = np.empty(self.shape, self.dtype) if out is None else out
            self._read_plain(frame, values)
            return values
        values = self._decoded(frame, out)
        if out is None or np.may_share_memory(values, out):
            return values
        np.copyto(out, values)
        return out

    def _decoded(self, frame: int, out: Values | None) -> Values:
        """Stored values of one frame, in `out` or anywhere else."""
        wanted = self._wanted
        room = out if wanted.samples == 1 and self._palette is None else None
        if self.syntax in CELLS:
            values, photometric = self.cells(frame, room), wanted.photometric
            if wanted.allocated > 1:
                values = self._without_spare(values)
        else:
            data = self._encoded(frame)
            self._refuse_claims(len(data), frame)
            try:
                values, photometric = codecs.decode(data, self.syntax, wanted, room)
            except StreamError as problem:
                raise self._fault(frame, str(problem)) from problem
        if self._palette is not None:
            return self._palette.apply(values)
        if photometric.startswith("YBR_FULL"):
            return ybr_to_rgb(values, wanted.stored)
        return values

    @cached_property
    def is_plain(self) -> bool:
        """Whether the bytes of a frame lie in the file as they lie in an array."""
        wanted, span = self._wanted, self._span
        return (
            self.syntax in (uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian)
            and span is not None
            and not span.inflated
            and self.file.member is None
            and wanted.samples == 1
            and self._palette is None
            and wanted.allocated % 8 == 0
            and sys.byteorder == "little"
        )

    def _read_plain(self, frame: int, out: Values) -> None:
        """Stored values of one frame of an image that `is_plain`, straight from the file into their place."""
        span, length = self._span, out.nbytes
        assert span is not None
        found = self.file.read_into(out, span.offset + frame * length)
        if found < length:
            raise self._fault(frame, f"{found} bytes of pixel data where {length} are needed")
        self._without_spare(out)

    def _without_spare(self, cells: Values) -> Values:
        """Cells without bits above Bits Stored, in place where they may be written to; the sign extended where there is one."""
        spare = cells.itemsize * 8 - self._wanted.stored
        if not spare or self._floating:
            return cells
        room = cells if cells.flags.writeable else None
        if cells.dtype.kind == "u":
            kept: Values = np.bitwise_and(cells, cells.dtype.type((1 << self._wanted.stored) - 1), out=room)
        else:
            kept = np.left_shift(cells, spare, out=room)
            kept >>= spare
        return kept

    def _check_frame(self, frame: int) -> None:
        if not 0 <= frame < self.frames:
            raise DicomLabError(
                f"{self.file}: there is no frame {frame}; it has {self.frames}, counted from 0"
            )

    def _check_bytes(self, frame: int, length: int) -> None:
        self._check_frame(frame)
        if self._available < (frame + 1) * length:
            raise self._fault(
                frame, f"{self._available} bytes of pixel data where {(frame + 1) * length} are needed"
            )

    def cells(self, frame: int = 0, out: Values | None = None) -> Values:
        """Pixel cells of one frame as stored, with all bits allocated, before colours are converted.

        Parameters
        ----------
        out
            Memory of a frame that may be written to; the cells may lie in it.

        Raises
        ------
        FaultError
            As `read`.
        UnsupportedError
            The transfer syntax keeps stored bits alone.
        """
        if self.syntax not in CELLS:
            raise UnsupportedError(
                f"{self.file}: {uid.UID(self.syntax).name} keeps no bits beyond Bits Stored"
            )
        wanted, bits = self._wanted, self._frame_bits
        self._check_frame(frame)
        length = (bits + 7) // 8
        data: Any
        planar, order, skip = self._planar, "<", 0
        try:
            if self.syntax in NATIVE:
                data, skip = self._native(frame)
                order = ">" if self.syntax == uid.ExplicitVRBigEndian else "<"
            else:
                data = self._encoded(frame)
                self._refuse_claims(len(data), frame)
                if self.syntax == uid.RLELossless:
                    # One bit a pixel stays packed, eight to a byte (PS3.5 G.2).
                    pixels = wanted.rows * wanted.columns if wanted.allocated > 1 else length
                    deep = max(1, wanted.allocated // 8)
                    data = decode_rle(data, wanted.samples, pixels, deep, out).reshape(-1).view("u1").data
                    planar = True
                elif self.syntax == DEFLATED_FRAME:
                    data = codecs.deflated(data, length)
        except StreamError as problem:
            raise self._fault(frame, str(problem)) from problem
        if len(data) < length or not length:
            raise self._fault(frame, f"{len(data)} bytes of pixel data where {length} are needed")
        if wanted.allocated == 1:
            ones = np.unpackbits(np.frombuffer(data, np.uint8), bitorder="little")
            return ones[skip : skip + bits].reshape(wanted.shape)
        kind = "f" if self._floating else wanted.dtype.kind
        stored = np.dtype(f"{order}{kind}{wanted.allocated // 8}")
        samples = np.frombuffer(data, stored, length // stored.itemsize).astype(self._cell_dtype, copy=False)
        if self._is_422:
            return _spread(samples, wanted)
        if wanted.samples == 3 and planar:
            return np.moveaxis(samples.reshape(3, wanted.rows, wanted.columns), 0, -1)
        return samples.reshape(wanted.shape)

    @property
    def _cell_dtype(self) -> np.dtype[Any]:
        return np.dtype(f"f{self._wanted.allocated // 8}") if self._floating else self._wanted.dtype

    def _native(self, frame: int) -> tuple[bytes, int]:
        """Bytes of a frame, and the bits before its first one: frames of single bits follow one another without a gap."""
        span, bits = self._span, self._frame_bits
        assert span is not None or self._available == 0
        first, last = frame * bits // 8, ((frame + 1) * bits + 7) // 8
        if span is None or self._available < last:
            raise self._fault(frame, f"{self._available} bytes of pixel data where {last} are needed")
        swapped = self.syntax == uid.ExplicitVRBigEndian and span.words and self._wanted.allocated <= 8
        # In big endian the bytes of OW change places two by two, also where a pixel has but one of them.
        start, stop = (first // 2 * 2, last + last % 2) if swapped else (first, last)
        with self._open() as stream:
            stream.seek(span.offset + start)
            data = stream.read(stop - start)
        if swapped:
            even = data + b"\0" * (len(data) % 2)
            data = np.frombuffer(even, ">u2").astype("<u2").tobytes()[first - start : last - start]
        return data, frame * bits % 8

    def _open(self) -> BinaryIO:
        inflated = self._span is not None and self._span.inflated
        packed = inflated or self.file.member is not None
        if packed and self.frames > 1 and self.file.size <= _KEEP_LIMIT:
            with _ONE_UNPACKS:
                return io.BytesIO(self._unpacked)
        return io.BytesIO(self._inflate()) if inflated else self.file.open()

    def _inflate(self) -> bytes:
        span = self._span
        assert span is not None
        try:
            with self.file.open() as stream:
                return inflate(stream, span.offset + (span.length or 0))
        except NotDicomError as problem:
            raise FaultError(f"{self.file}: {problem}") from problem

    @cached_property
    def _unpacked(self) -> bytes:
        """The whole file, kept: every frame of a deflated file or member of an archive would unpack all before it again."""
        if self._span is not None and self._span.inflated:
            return self._inflate()
        with self.file.open() as stream:
            return stream.read()

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_unpacked"}

    def _encoded(self, frame: int) -> bytes:
        """Bytes of one encapsulated frame."""
        self._check_frame(frame)
        data = []
        with self._open() as stream:
            try:
                pieces = self._pieces(stream)[frame]
            except StreamError as problem:
                raise self._fault(frame, str(problem)) from problem
            for offset, length in pieces:
                stream.seek(offset)
                data.append(stream.read(length))
        if not pieces or any(len(part) < length for part, (_, length) in zip(data, pieces, strict=True)):
            raise self._fault(frame, "its compressed data break off")
        return b"".join(data)

    def _pieces(self, stream: BinaryIO) -> list[list[Piece]]:
        """Fragments of each frame; found once."""
        known: list[list[Piece]] | None = self.__dict__.get("_found")
        if known is None:
            span = self._span
            if span is None:
                raise StreamError("it holds no pixel data")
            signatures = codecs.FRAME_STARTS if self.syntax in codecs.KNOWN else ()
            end = span.offset + span.available
            known = find_frames(stream, span.offset, end, self.frames, self._extended, signatures)
            self.__dict__["_found"] = known
        return known

    def _refuse_claims(self, size: int, frame: int) -> None:
        claimed = self._frame_bits // 8
        if claimed > _CLAIM_LIMIT and claimed > size * _CLAIM_RATIO:
            raise self._fault(
                frame, f"the header claims {claimed >> 20} MiB a frame, which {size} bytes hardly hold"
            )

    def _fault(self, frame: int, reason: str) -> FaultError:
        where = f", frame {frame}" if self.frames > 1 else ""
        return FaultError(f"{self.file}{where}: {reason}")


def _spread(samples: Values, wanted: codecs.Wanted) -> Values:
    """YBR_FULL of YBR_FULL_422: each pair Y Y Cb Cr becomes two pixels with the same chrominance (PS3.3 C.7.6.3.1.2)."""
    pairs = samples.reshape(wanted.rows, wanted.columns // 2, 4)
    full = np.empty((wanted.rows, wanted.columns // 2, 2, 3), samples.dtype)
    full[..., 0] = pairs[..., :2]
    full[..., 1:] = pairs[..., None, 2:]
    return full.reshape(wanted.shape)
