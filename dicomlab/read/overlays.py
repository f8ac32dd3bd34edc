"""Overlays: bit planes drawn over an image, in group 60xx or in the unused bits of its pixels (PS3.3 C.9.2, PS3.5 8.1.2)."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from pydicom.dataset import FileDataset
from pydicom.tag import Tag
from pydicom.uid import ExplicitVRBigEndian

from dicomlab.errors import FaultError
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.images import stored_image
from dicomlab.warn import quiet

__all__ = ["Overlay", "overlays"]


@dataclass(frozen=True, eq=False)
class Overlay:
    """One overlay of an image.

    Parameters
    ----------
    group
        From 0x6000 to 0x601E.
    values
        Where it is drawn: bool, shape ``(frames, rows, columns)``.
    origin
        Index ``(row, column)`` of the pixel under its first point; may be negative or outside the image.
    first_frame
        Index of the image frame that its first frame is drawn over; an overlay of one frame is drawn over all of them.
    kind
        ``"G"`` graphics, ``"R"`` region of interest.
    label, description
        Free text of the device; not for logs and messages.
    embedded
        Whether it was kept in a bit of the pixel cells, as DICOM did until 2004.
    """

    group: int
    values: npt.NDArray[np.bool_] = field(repr=False)
    origin: tuple[int, int] = (0, 0)
    first_frame: int = 0
    kind: str = ""
    label: str = field(default="", repr=False)
    description: str = field(default="", repr=False)
    embedded: bool = False


def overlays(instance: Instance) -> list[Overlay]:
    """Overlays of an image, sorted by group; empty when it has none.

    Raises
    ------
    NotDicomError
        The header cannot be read again.
    FaultError
        An overlay has no size, or fewer bits than its size needs.
    UnsupportedError
        It lies in bits of pixels that cannot be read.

    References
    ----------
    PS3.3 C.9.2 "Overlay Plane Module"; PS3.5 8.1.2 "Overlay data encoding of related data elements".
    """
    header = read_header(instance.file)
    groups = sorted({element.tag.group for element in header.values() if _is_overlay(element.tag.group)})
    return [overlay for group in groups if (overlay := _overlay(instance, header, group)) is not None]


def _is_overlay(group: int) -> bool:
    return 0x6000 <= group <= 0x601E and group % 2 == 0


def _overlay(instance: Instance, header: FileDataset, group: int) -> Overlay | None:
    found = Attributes.of(header)
    rows, columns = found.integer(Tag(group, 0x10), 0), found.integer(Tag(group, 0x11), 0)
    frames = max(1, found.integer(Tag(group, 0x15), 1))
    embedded = Tag(group, 0x3000) not in header
    position = found.integer(Tag(group, 0x102), 0)
    if embedded and position == 0:
        return None  # a description of a plane that is nowhere
    name = f"{instance.file}: overlay ({group:04X},3000)"
    if rows < 1 or columns < 1:
        raise FaultError(f"{name} says neither rows nor columns")
    if embedded:
        values = _from_cells(instance, position, name)
        if values.shape[1:] != (rows, columns):
            raise FaultError(
                f"{name} lies in the pixels, but has {rows} x {columns} points, not {values.shape[1:]}"
            )
    else:
        values = _unpack(_packed(header, group), (frames, rows, columns), name)
    origin = found.numbers(Tag(group, 0x50))
    first = (1, 1) if origin is None or origin.size != 2 else (int(origin[0]), int(origin[1]))
    return Overlay(
        group,
        values,
        (first[0] - 1, first[1] - 1),
        max(1, found.integer(Tag(group, 0x51), 1)) - 1,
        found.text(Tag(group, 0x40)),
        found.text(Tag(group, 0x1500)),
        found.text(Tag(group, 0x22)),
        embedded,
    )


def _packed(header: FileDataset, group: int) -> bytes:
    with quiet():
        try:
            element = header[Tag(group, 0x3000)]
        except Exception:  # pydicom parses on access
            return b""
    data = element.value if isinstance(element.value, bytes) else b""
    meta = getattr(header, "file_meta", {})
    little = (
        meta.get("TransferSyntaxUID", "") != ExplicitVRBigEndian and header.original_encoding[1] is not False
    )
    if element.VR == "OW" and not little:
        # In big endian the bytes of OW change places two by two, whatever they hold.
        return np.frombuffer(data + b"\0" * (len(data) % 2), ">u2").astype("<u2").tobytes()
    return data


def _unpack(data: bytes, shape: tuple[int, int, int], name: str) -> npt.NDArray[np.bool_]:
    """Points from packed bits, the first in the lowest bit; frames follow one another without a gap."""
    count = shape[0] * shape[1] * shape[2]
    if len(data) * 8 < count:
        raise FaultError(f"{name} has {len(data)} bytes where {(count + 7) // 8} are needed")
    bits = np.unpackbits(np.frombuffer(data, np.uint8, (count + 7) // 8), count=count, bitorder="little")
    return bits.reshape(shape).astype(bool)


def _from_cells(instance: Instance, position: int, name: str) -> npt.NDArray[np.bool_]:
    """One bit of every pixel cell."""
    image = stored_image(instance)
    if not image.bits_stored <= position < image.dtype.itemsize * 8 or image.is_colour:
        raise FaultError(
            f"{name} says it lies in bit {position} of the pixels, which is none of their unused bits"
        )
    return np.stack([(image.cells(k) >> position) & 1 for k in range(image.frames)]).astype(bool)
