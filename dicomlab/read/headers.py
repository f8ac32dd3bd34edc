"""From a file to an `Instance`: the few attributes that place and value its pixels, and where the pixels lie."""

from __future__ import annotations

import io
import os
import struct
import zlib
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import pydicom
from pydicom.dataset import Dataset, FileDataset
from pydicom.filereader import dcmread, read_dataset, read_partial
from pydicom.tag import Tag
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)
from pydicom.valuerep import EXPLICIT_VR_LENGTH_32

from dicomlab.errors import NotDicomError
from dicomlab.privacy.problems import cause_of, problem_text
from dicomlab.read import mosaic
from dicomlab.read.elements import Attributes, Level
from dicomlab.read.sources import FileRef
from dicomlab.read.wanted import CSA_SERIES, TAGS
from dicomlab.warn import quiet

if TYPE_CHECKING:
    from dicomlab.read.presentation import Presentation

__all__ = [
    "INFLATED_LIMIT",
    "Instance",
    "PixelSpan",
    "check_is_dicom",
    "inflate",
    "pixel_span",
    "read_front",
    "read_header",
    "read_instance",
]

FloatArray = npt.NDArray[np.float64]

INFLATED_LIMIT = 1 << 28
"""Bytes that a deflated file may unfold into: a bomb of a few hundred kilobytes must not fill the memory."""

_TRAILING = 1 << 12
"""Bytes that may follow the pixel data."""

_NATIVE = (ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian)
_PIXEL_KEYWORDS = {int(Tag(name)): name for name in ("PixelData", "FloatPixelData", "DoubleFloatPixelData")}


class PixelSpan(NamedTuple):
    """Where the value of the pixel data element lies in its file.

    Parameters
    ----------
    keyword
        ``"PixelData"``, ``"FloatPixelData"`` or ``"DoubleFloatPixelData"``.
    offset
        First byte of the value.
    length
        Bytes declared; None when undefined (encapsulated).
    available
        Bytes that the file really holds from `offset` on.
    words
        Whether its VR is OW, which decides how bytes are swapped in big endian.
    inflated
        Whether `offset` counts in the inflated data set of a deflated file (see `inflate`), not in the file.
    """

    keyword: str
    offset: int
    length: int | None
    available: int
    words: bool = False
    inflated: bool = False


class Instance(Attributes):
    """One SOP instance: its file, the attributes that matter for a volume, and where its pixels lie.

    Parameters
    ----------
    header
        What was parsed of it.
    pixels
        None where it has none.
    presentations
        Presentation states that refer to it.
    """

    def __init__(
        self,
        file: FileRef,
        header: Level,
        pixels: PixelSpan | None = None,
        transfer_syntax: UID = ImplicitVRLittleEndian,
        presentations: tuple[Presentation, ...] = (),
    ) -> None:
        self.file = file
        self.header = header
        self.pixels = pixels
        self.transfer_syntax = transfer_syntax
        self.presentations = presentations
        self.levels = (header,)

    def __repr__(self) -> str:
        return f"<Instance {self.file}>"

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return self.text("Modality")

    @property
    def is_image(self) -> bool:
        """Whether the object describes pixels, be they there or not."""
        return self.pixels is not None or (
            self.number("Rows") is not None and self.number("Columns") is not None
        )

    @cached_property
    def frames(self) -> int:
        """Number of Frames (0028,0008); 1 when absent."""
        return max(1, self.integer("NumberOfFrames", 1))

    @property
    def plausible_frames(self) -> int:
        """`frames`, or as many as there are functional groups or bytes for: the number is only text in a file."""
        bits = self.integer("Rows", 1) * self.integer("Columns", 1) * max(1, self.integer("BitsAllocated", 8))
        described = len(self.items("PerFrameFunctionalGroupsSequence")) if self.frames > 1 else 1
        held = 1
        if self.pixels is not None:
            # A compressed frame is an item of at least ten bytes (PS3.5 A.4).
            least = 80 if self.pixels.length is None else max(1, bits)
            held = 8 * self.pixels.available // least + 1
        return max(1, min(self.frames, max(described, held)))


def read_header(file: FileRef) -> FileDataset:
    """Whole header of a file, without pixel data.

    Raises
    ------
    NotDicomError
        The file is not DICOM or breaks off inside the header.
    """
    with file.open() as stream:
        check_is_dicom(stream.read(132))
        return _parse(stream, None)


def read_front(file: FileRef, last: int) -> FileDataset:
    """Header of a file up to the group `last`, or a little beyond.

    Raises
    ------
    NotDicomError
        As `read_header`.
    """
    with file.open() as stream:
        check_is_dicom(stream.read(132))
        return _parse(stream, None, last)


def read_instance(file: FileRef) -> Instance:
    """The attributes of `file` that dicomlab needs to list and place it.

    Raises
    ------
    NotDicomError
        The file is not DICOM, or cannot be parsed as far as its pixel data; the message is a reason without the file's name.
    """
    with file.open() as stream:
        check_is_dicom(stream.read(132))
        header = _parse(stream, TAGS)
        if mosaic.needs_protocol(Attributes.of(header)):
            stream.seek(0)
            header = _parse(stream, [*TAGS, *CSA_SERIES])
        stated = Attributes.of(getattr(header, "file_meta", Dataset())).text("TransferSyntaxUID")
        # Damaged ones are refused when pixels are read.
        syntax = UID(stated, validation_mode=pydicom.config.IGNORE)
        if not syntax or (syntax in _NATIVE and syntax.is_little_endian != header.original_encoding[1]):
            implicit, little = header.original_encoding
            explicit = ExplicitVRLittleEndian if little else ExplicitVRBigEndian
            # Implicit VRs in big endian are no transfer syntax; what matters for pixels is the order of their bytes.
            syntax = ImplicitVRLittleEndian if implicit and little else explicit
        if syntax == DeflatedExplicitVRLittleEndian:
            # pydicom inflated the data set in memory, where the file's offsets mean nothing: find the pixels in it once more.
            plain = io.BytesIO(inflate(stream))
            with quiet():
                read_dataset(
                    plain,
                    False,
                    True,
                    stop_when=lambda tag, *_: tag in _PIXEL_KEYWORDS,
                    specific_tags=TAGS[:1],
                )
            span = _span_at(plain, len(plain.getvalue()), header)
            pixels = None if span is None else span._replace(inflated=True)
        else:
            pixels = _span_at(stream, file.size, header)
    return Instance(file, header, pixels, syntax)


def check_is_dicom(head: bytes) -> None:
    """Refuse a file by its first 132 bytes.

    Raises
    ------
    NotDicomError
        It does not begin as DICOM does.
    """
    if head[128:132] == b"DICM":
        return
    # Part 10 demands the preamble, yet files without it exist: accept what begins like a data set, in either byte order.
    if len(head) >= 8:
        for order in "<>":
            group, element, length = struct.unpack(f"{order}HHI", head[:8])
            explicit = head[4:6].isalpha() and head[4:6].isupper()
            if group in (0x0002, 0x0008) and element < 0x1000 and (explicit or length < 1 << 16):
                return
    raise NotDicomError("not DICOM: no 'DICM' after 128 bytes, and it does not begin with a data element")


def inflate(stream: BinaryIO, expected: int = 0) -> bytes:
    """Data set of a deflated file (PS3.5 A.5), without its file meta information.

    Parameters
    ----------
    expected
        How many bytes it should unfold into, when known: then it takes half the time.

    Raises
    ------
    NotDicomError
        It would unfold into more memory than `INFLATED_LIMIT`, or the deflated stream is broken or breaks off.
    """
    stream.seek(0)
    _skip_meta(stream)
    if 0 < expected <= INFLATED_LIMIT:
        import imagecodecs

        start = stream.tell()
        try:
            found = imagecodecs.deflate_decode(stream.read(), raw=True, out=expected + _TRAILING)
        except imagecodecs.DeflateError:
            stream.seek(start)  # why not is said below
        else:
            return bytes(found)
    unfold, pieces, total = zlib.decompressobj(-zlib.MAX_WBITS), [], 0
    try:
        while chunk := stream.read(1 << 16):
            while chunk:
                pieces.append(unfold.decompress(chunk, 1 << 20))
                total += len(pieces[-1])
                if total > INFLATED_LIMIT:
                    raise NotDicomError(
                        f"it inflates to more than {INFLATED_LIMIT >> 20} MiB; inflate it first (dcmconv)"
                    )
                chunk = unfold.unconsumed_tail
    except zlib.error as problem:
        raise NotDicomError(f"its deflated data set is broken ({problem})") from problem
    pieces.append(unfold.flush())
    if not unfold.eof:
        raise NotDicomError("its deflated data set breaks off")
    return b"".join(pieces)


_LONGEST_UID = 1 << 8
"""Bytes of a UID (PS3.5 9.1 has 64): a damaged length asks for gigabytes."""


def _skip_meta(stream: BinaryIO) -> str:
    """Transfer Syntax UID, with the stream at the first byte after the file meta information (PS3.10 7.1).

    Element by element, as pydicom reads it: its group length may be absent or wrong.
    """
    syntax = ""
    if stream.read(132)[128:] != b"DICM":
        stream.seek(0)  # a file without a preamble begins with its first element
    while len(head := stream.read(8)) == 8 and head[:2] == b"\x02\0":
        length = int.from_bytes(head[6:8], "little")
        if head[4:6].decode("latin-1") in EXPLICIT_VR_LENGTH_32:
            length = int.from_bytes(stream.read(4), "little")
        if head[2:4] == b"\x10\0" and length <= _LONGEST_UID:
            syntax = stream.read(length).rstrip(b"\0 ").decode("ascii", "replace")
        else:
            stream.seek(length, os.SEEK_CUR)
    stream.seek(-len(head), os.SEEK_CUR)
    return syntax


def _parse(stream: BinaryIO, tags: list[Any] | None, last: int | None = None) -> FileDataset:
    stream.seek(0)
    if _skip_meta(stream) == DeflatedExplicitVRLittleEndian:
        inflate(stream)  # refuses what pydicom would unfold without a limit
    stream.seek(0)
    try:
        with quiet():
            encoding = _encoding_against_meta(stream)
            if encoding is not None:
                header = _read_as(stream, *encoding, tags)
            elif last is not None:
                header = read_partial(stream, lambda tag, *_: tag.group > last, force=True)
            else:
                header = dcmread(stream, stop_before_pixels=True, force=True, specific_tags=tags)
    except Exception as problem:  # pydicom raises whatever its parsers meet in a broken file, MemoryError for a length of 4 GB
        raise NotDicomError(f"the header cannot be parsed ({problem_text(problem)})") from cause_of(problem)
    if not len(header):
        raise NotDicomError("no attribute could be read: the file breaks off inside its header")
    return header


def _encoding_against_meta(stream: BinaryIO) -> tuple[bool, bool] | None:
    """Whether VRs are implicit and bytes little endian, when the first element shows another byte order than the meta says."""
    stated = _skip_meta(stream)
    head = stream.read(6)
    stream.seek(0)
    if stated not in _NATIVE or len(head) < 6:
        return None
    # Data sets begin with a group below 0x0100 (PS3.6): the byte that is not 0 is the lower one.
    little = head[1] == 0
    if (head[0] == 0) == little or little == UID(stated).is_little_endian:
        return None
    return not (head[4:6].isalpha() and head[4:6].isupper()), little


def _read_as(stream: BinaryIO, implicit: bool, little: bool, tags: list[Any] | None) -> FileDataset:
    """As `dcmread`, in this encoding, whatever the file meta information says."""
    _skip_meta(stream)
    wanted: list[Any] | None = None if tags is None else [Tag(tag) for tag in tags]
    found = read_dataset(
        stream, implicit, little, stop_when=lambda tag, *_: tag in _PIXEL_KEYWORDS, specific_tags=wanted
    )
    return FileDataset(stream, found, is_implicit_VR=implicit, is_little_endian=little)


def pixel_span(head: bytes, start: int, size: int, order: str = "<") -> PixelSpan | None:
    """Tag, length and offset of the pixel data element whose first 12 bytes these are; None when it is none.

    Parameters
    ----------
    head
        Bytes of the file from `start` on.
    size
        Bytes of the file.
    order
        ``"<"``, or ``">"`` in big endian.
    """
    told = _described(head, order)
    if told is None:
        return None
    keyword, skipped, length, words = told
    offset = start + skipped
    return PixelSpan(keyword, offset, length, max(0, size - offset), words, False)


@lru_cache(256)
def _described(head: bytes, order: str) -> tuple[str, int, int | None, bool] | None:
    """Keyword of a pixel data element, bytes before its value, bytes of the value, and whether these are words."""
    if len(head) < 8:
        return None
    group, element, vr, length = _PIXEL_HEADS[order].unpack(head[:8])
    keyword = _PIXEL_KEYWORDS.get(group << 16 | element)
    if keyword is None:
        return None
    # The bytes decide whether the VR is explicit, because Transfer Syntax UIDs lie and a wrong guess shifts the image by two
    # pixels. There is no confusion: read as an implicit length, each of these VRs would be odd, which no length is.
    skipped = 8
    if vr not in _PIXEL_VRS:
        (length,) = struct.unpack(f"{order}I", head[4:8])
    elif len(head) == 12:
        (length,), skipped = struct.unpack(f"{order}I", head[8:12]), 12
    else:
        return None
    return keyword, skipped, None if length == 0xFFFFFFFF else length, vr == b"OW"


_PIXEL_HEADS = {order: struct.Struct(f"{order}HH2sH") for order in "<>"}
_PIXEL_VRS = frozenset(b"OB OW OF OD UN".split())


def _span_at(stream: BinaryIO, size: int, header: FileDataset) -> PixelSpan | None:
    """`pixel_span` where pydicom stopped."""
    little = header.original_encoding[1]
    start = stream.tell()
    return pixel_span(stream.read(12), start, size, "<" if little or little is None else ">")
