"""What can be explored byte by byte: a file, bytes in memory, a data set that is written there."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from copy import copy
from io import BytesIO
from pathlib import Path
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from dicomlab.errors import DicomLabError
from dicomlab.teach.dissect.walker import Data
from dicomlab.warn import quiet

__all__ = ["opened", "written"]

_MAPPED = 4_000_000


@contextmanager
def opened(source: object) -> Iterator[Data]:
    """The bytes of a path, of bytes or of a `pydicom.Dataset`.

    Raises
    ------
    DicomLabError
        It is none of these, holds no byte, or cannot be read or written.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        yield _some(bytes(source), "The bytes given are none")
    elif isinstance(source, Dataset):
        yield written(source)
    elif isinstance(source, str | os.PathLike):
        path = Path(source)
        try:
            with path.open("rb") as file:
                if os.fstat(file.fileno()).st_size > _MAPPED:
                    with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
                        yield mapped
                else:
                    yield _some(file.read(), f"The file {path} is empty")
        except IsADirectoryError:
            raise DicomLabError(
                f"A file was asked for, and {path} is a folder. Give one of its files; find_series lists what it holds."
            ) from None
        except OSError as problem:
            raise DicomLabError(
                f"The file {path} cannot be read: {problem.strerror}. Give the path of a DICOM file."
            ) from problem
    else:
        raise DicomLabError(
            "A file as it is stored can be explored here: its path, its bytes or a pydicom.Dataset; this is a "
            f"{type(source).__name__}, which has been read already. Give one of the files that it came from."
            if hasattr(source, "dims") or hasattr(source, "paths")
            else "A file as it is stored can be explored here: its path, its bytes or a pydicom.Dataset; this is a "
            f"{type(source).__name__}."
        )


def _some(data: bytes, told: str) -> bytes:
    if not data:
        raise DicomLabError(f"{told}: there is nothing to explore. Give a DICOM file of at least one byte.")
    return data


def written(dataset: Dataset, syntax: str | None = None) -> bytes:
    """The bytes of a file that holds `dataset`, which is left as it is.

    Parameters
    ----------
    syntax
        Transfer Syntax UID; None for its own, or explicit VR little endian where it has none.
    """
    meta = FileMetaDataset()
    own: Any = getattr(dataset, "file_meta", None)
    if own is not None:
        meta.update(own)
    meta.TransferSyntaxUID = UID(syntax or meta.get("TransferSyntaxUID") or ExplicitVRLittleEndian)
    for name in ("SOPClassUID", "SOPInstanceUID"):
        known = meta.get(f"MediaStorage{name}") or dataset.get(name) or "1.2"
        setattr(meta, f"MediaStorage{name}", UID(known))
    changed = copy(dataset)  # knows the character sets that its values are written in, as a new one would not
    changed.file_meta = meta
    out = BytesIO()
    try:
        with quiet():
            dcmwrite(out, changed, enforce_file_format=True)
    except Exception as problem:  # pydicom raises what a value makes it raise, and would name the value
        raise DicomLabError(
            f"The data set cannot be written in the transfer syntax {meta.TransferSyntaxUID.name}: "
            f"{type(problem).__name__}. Write it to a file yourself and explore that."
        ) from None
    return out.getvalue()
