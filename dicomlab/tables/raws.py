"""Headers cut into elements, as bytes: for going through thousands of files without parsing what is the same in all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_data_element
from pydicom.tag import BaseTag
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from dicomlab.read.headers import check_is_dicom, read_header
from dicomlab.read.plain import tag_of, value_start, vr_of
from dicomlab.read.sources import FileRef
from dicomlab.read.walk import Cell, ShortError, UnusualError, items, walk, walk_meta
from dicomlab.warn import quiet

__all__ = ["RawHeader", "RawReader", "encoded", "inner_raws", "value_of"]

_SYNTAX = 0x0002_0010
_HEAD, _MOST_AHEAD, _LONGEST = 1 << 14, 1 << 20, 1 << 27
_TEXTS = frozenset(b"AE AS CS DA DS DT IS LO LT PN SH ST TM UC UI UR UT".split())
_UNREAD = (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian)


@dataclass(frozen=True, slots=True)
class RawHeader:
    """Elements by tag, ascending: tag, VR, length and value as in a file.

    Parameters
    ----------
    meta
        File meta information, always explicit.
    implicit
        Whether `raws` have no VR.
    """

    meta: Mapping[int, bytes]
    raws: Mapping[int, bytes]
    implicit: bool


class RawReader:
    """Reads headers of files, one after the other.

    What is not plain (big endian, deflated, no preamble, damage) is parsed by pydicom and written down again.
    """

    def __init__(self) -> None:
        self._enough = _HEAD

    def read(self, file: FileRef) -> RawHeader:
        """The header of a file, without its pixel data.

        Raises
        ------
        NotDicomError, OSError
            It is no DICOM, breaks off or cannot be read.
        """
        head = file.head(self._enough)
        if head[128:132] != b"DICM":
            check_is_dicom(head)
            return _by_pydicom(file)
        try:
            while True:
                try:
                    found, end = _cut(head, file.size)
                    self._enough = min(max(_HEAD, end + 64), _MOST_AHEAD)
                    return found
                except ShortError as short:
                    if len(head) >= file.size or short.needed > min(_LONGEST, file.size):
                        raise UnusualError from short
                    more = file.head(min(max(2 * short.needed, 4 * len(head)), _LONGEST))
                    if len(more) <= len(head):
                        raise UnusualError from short
                    head = more
        except UnusualError:
            return _by_pydicom(file)


def _cut(head: bytes, size: int) -> tuple[RawHeader, int]:
    meta, at = walk_meta(head, 132, size)
    stated = next((head[cell.value : cell.stop] for cell in meta if cell.tag == _SYNTAX), b"")
    syntax = stated.rstrip(b"\0 ").decode("latin-1")
    implicit = syntax == ImplicitVRLittleEndian
    looks_explicit = head[at + 4 : at + 6].isalpha() and head[at + 4 : at + 6].isupper()
    if not syntax or syntax in _UNREAD or head[at + 1 : at + 2] != b"\0" or implicit == looks_explicit:
        raise UnusualError
    cells, end = walk(head, at, size, implicit)
    if not cells:
        raise UnusualError
    if end > len(head):
        raise ShortError(end)
    return RawHeader(_raws(head, meta), _raws(head, cells), implicit), end


def _raws(data: bytes, cells: list[Cell]) -> dict[int, bytes]:
    return {cell.tag: data[cell.start : cell.stop] for cell in cells}


def _by_pydicom(file: FileRef) -> RawHeader:
    header = read_header(file)
    return RawHeader(encoded(getattr(header, "file_meta", Dataset())), encoded(header), False)


def encoded(dataset: Dataset) -> dict[int, bytes]:
    """Elements of a data set as an explicit little endian file would have them; what cannot be written down, as text of it."""
    found = {}
    for tag in sorted(dataset.keys()):
        buffer = DicomBytesIO()
        buffer.is_implicit_VR, buffer.is_little_endian = False, True
        try:
            with quiet():
                encodings = dataset._character_set
                write_data_element(buffer, dataset[tag], encodings)
            raw = buffer.getvalue()
        except Exception:  # pydicom raises whatever a broken value makes it raise
            value = _as_text(dataset, tag)
            numbers = tag.group.to_bytes(2, "little") + tag.element.to_bytes(2, "little")
            raw = numbers + b"UN\0\0" + len(value).to_bytes(4, "little") + value
        found[int(tag)] = raw
    return found


def _as_text(dataset: Dataset, tag: BaseTag) -> bytes:
    """What is there of a value that cannot be written down."""
    try:
        with quiet():
            value = getattr(dataset.get_item(tag), "value", b"")
            value = value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")
    except Exception:  # as above: making it text parses what is inside
        return b""
    return value + b" " * (len(value) % 2)


def inner_raws(raw: bytes, implicit: bool) -> list[dict[int, bytes]] | None:
    """Elements of each item of a sequence; None where it is no sequence, or not plain."""
    if vr_of(raw, implicit) != b"SQ":
        return None
    start = value_start(raw, implicit)
    try:
        cell = Cell(tag_of(raw), 0, start, len(raw), ())
        return [
            _raws(raw, walk(raw, first, last, implicit, ())[0])
            for first, last in _bounded(raw, cell, implicit)
        ]
    except (UnusualError, ShortError):
        return None


def _bounded(raw: bytes, cell: Cell, implicit: bool) -> list[tuple[int, int]]:
    return list(items(raw, cell, implicit))


def value_of(raw: bytes, implicit: bool) -> bytes:
    """Bytes of the value, of texts without what pads them."""
    value = raw[value_start(raw, implicit) :]
    return value.rstrip(b" \0") if vr_of(raw, implicit) in _TEXTS else value
