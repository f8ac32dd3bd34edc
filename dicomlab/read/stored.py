"""From stored bits to real values: unpacking (PS3.5 8.1.1) and the Modality LUT (PS3.3 C.11.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from dicomlab.errors import FaultError, UnsupportedError
from dicomlab.read.headers import Instance
from dicomlab.read.sources import FileRef

__all__ = [
    "StoredImage",
    "check_supported",
    "expected_bytes",
    "stored_image",
]

Stored = npt.NDArray[np.integer[Any]]

_SYNTAXES = (ImplicitVRLittleEndian, ExplicitVRLittleEndian)


def check_supported(instance: Instance) -> None:
    """Refuse pixels that would need more than unpacking.

    Raises
    ------
    UnsupportedError
        Compressed or big-endian data, colour, several frames, or a bit layout that DICOM retired.
    """
    reason = _unsupported(instance)
    if reason:
        raise UnsupportedError(f"{instance.file}: {reason}")


def _unsupported(instance: Instance) -> str | None:
    if instance.transfer_syntax not in _SYNTAXES:
        return (
            f"its transfer syntax {instance.transfer_syntax} ({instance.transfer_syntax.name}) is not read yet; only "
            "uncompressed little endian is. `dcmdjpeg`, `dcmdrle` or `gdcmconv --raw` write an uncompressed copy."
        )
    if instance.integer("SamplesPerPixel", 1) != 1:
        return f"a colour image ({instance.text('PhotometricInterpretation') or 'several samples a pixel'}), not read yet"
    if instance.text("PhotometricInterpretation") == "PALETTE COLOR":
        return "its values are indices into a colour palette, not read yet"
    if instance.pixels is not None and instance.pixels.length is None:
        return (
            f"its pixel data have no length, as compressed data, though its transfer syntax "
            f"({instance.transfer_syntax.name}) is uncompressed: what the bytes are, nobody knows"
        )
    if instance.pixels is not None and instance.pixels.keyword != "PixelData":
        return f"its pixels are {instance.pixels.keyword}, not read yet"
    allocated, stored = instance.integer("BitsAllocated", 0), instance.integer("BitsStored", 0)
    if allocated not in (8, 16, 32) or not 0 < stored <= allocated:
        return f"Bits Allocated {allocated} with Bits Stored {stored} is not read"
    if instance.integer("HighBit", stored - 1) != stored - 1:
        return f"High Bit {instance.integer('HighBit', -1)} with Bits Stored {stored}: a layout that DICOM retired"
    if instance.integer("PixelRepresentation", -1) not in (0, 1):
        return "Pixel Representation (0028,0103) is missing: signed or unsigned values, nobody knows"
    return None


def expected_bytes(instance: Instance) -> int:
    """Bytes that Rows x Columns pixels of one frame need."""
    return (
        instance.integer("Rows", 0)
        * instance.integer("Columns", 0)
        * (instance.integer("BitsAllocated", 8) // 8)
    )


@dataclass(frozen=True)
class StoredImage:
    """Where the stored values of one image lie and how they are packed: all that reading them takes.

    It is made from the header beforehand, because pydicom's attributes are not safe to read on several threads.
    """

    file: FileRef
    offset: int
    needed: int
    available: int
    dtype: np.dtype[Any]
    shape: tuple[int, int]
    spare: int

    def read(self, frame: int = 0) -> Stored:
        """Stored values, shape ``(rows, columns)``.

        Bits above Bits Stored are never part of a value (PS3.5 8.1.1): whatever a device or an overlay left there is
        removed and the sign is extended from the highest stored bit.

        Raises
        ------
        FaultError
            The file holds fewer bytes than the image needs.
        """
        data = b""
        if self.available >= self.needed * (frame + 1):
            with self.file.open() as stream:
                stream.seek(self.offset + frame * self.needed)
                data = stream.read(self.needed)
        if len(data) < self.needed or not self.needed:
            raise FaultError(f"{self.file}: {len(data)} bytes of pixel data where {self.needed} are needed")
        values = np.frombuffer(data, self.dtype).reshape(self.shape)
        # Shifting up and down again clears the spare bits, and extends the sign where the type is signed.
        return (values << self.spare) >> self.spare if self.spare else values


def stored_image(instance: Instance) -> StoredImage:
    """How to read the pixels of an instance that passed `check_supported`."""
    span = instance.pixels
    if span is None:
        available = 0
    else:
        available = span.available if span.length is None else min(span.available, span.length)
    signed = instance.integer("PixelRepresentation", 0) == 1
    allocated, stored = instance.integer("BitsAllocated", 0), instance.integer("BitsStored", 0)
    return StoredImage(
        instance.file,
        0 if span is None else span.offset,
        expected_bytes(instance),
        available,
        np.dtype(f"<{'i' if signed else 'u'}{allocated // 8}"),
        (instance.integer("Rows", 0), instance.integer("Columns", 0)),
        allocated - stored,
    )
