"""Where bytes come from: folders, single files and zip archives, all as a flat list of `FileRef`."""

from __future__ import annotations

import os
import stat
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, cast

from dicomlab.errors import NotDicomError

__all__ = ["FileRef", "list_all", "list_files"]

MEMBER_LIMIT = 4 << 30
"""Zip members that claim more bytes than this are not opened: no DICOM file of one image is that large."""


class _Archive:
    """A zip archive that opens once, when first needed, and again after unpickling."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._zip: zipfile.ZipFile | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["path"])  # type: ignore[misc]

    def __enter__(self) -> zipfile.ZipFile:
        with self._lock:
            if self._zip is None:
                self._zip = zipfile.ZipFile(self.path)
            return self._zip

    def __exit__(self, *_: object) -> None:
        return None

    def __del__(self) -> None:
        opened = getattr(self, "_zip", None)
        if opened is not None:
            opened.close()


@dataclass(frozen=True)
class FileRef:
    """One file, on disk or inside a zip archive, that can be opened any number of times.

    Parameters
    ----------
    path
        The file, or the archive.
    name
        What users are shown: the path relative to the folder they named, or ``archive.zip/member``.
    size
        Bytes.
    """

    path: Path
    name: str
    size: int
    member: str | None = None
    archive: _Archive | None = field(default=None, repr=False, compare=False)

    def open(self) -> BinaryIO:
        """A new binary stream at the start of the file; close it after use."""
        if self.archive is None or self.member is None:
            return self.path.open("rb")
        with self.archive as archive:
            return cast(BinaryIO, archive.open(self.member))

    def __str__(self) -> str:
        return self.name


def list_all(sources: Sequence[Path], skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    """`list_files` of several sources, each file with a name of its own: relative to the folder that holds them all."""
    homes = [(path if path.is_dir() else path.parent).absolute() for path in sources]
    try:
        common = Path(os.path.commonpath(homes))
    except ValueError:  # no source at all, or several drives
        common = Path()
    for source, home in zip(sources, homes, strict=True):
        prefix = Path(os.path.relpath(home, common)) if common.is_absolute() else home

        def skip(name: str, reason: str, prefix: Path = prefix) -> None:
            skipped(str(prefix / name), reason)

        for file in list_files(source, skip):
            yield replace(file, name=str(prefix / file.name))


def list_files(source: Path, skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    """Every regular file under `source`: a folder (nested), a file, or a zip archive.

    Names are never trusted: extensions do not matter, members of an archive are never extracted to disk, devices and pipes
    are not opened, and links to folders are followed once.

    Parameters
    ----------
    source
        What the user named.
    skipped
        Called with name and reason for everything left out.

    Raises
    ------
    NotDicomError
        `source` does not exist.
    """
    if not source.exists():
        raise NotDicomError(
            f"there is no file or folder {str(source)!r}. Check the path; it is relative to {Path.cwd()}."
        )
    if source.is_dir():
        yield from _walk(source, skipped)
    else:
        yield from _expand(source, source.name, skipped)


def _walk(folder: Path, skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    seen: set[tuple[int, int]] = set()  # folders already listed: links may lead round in circles

    def refused(problem: OSError) -> None:
        skipped(os.path.relpath(problem.filename, folder), f"cannot be listed: {problem.strerror}")

    for base, folders, files in os.walk(folder, onerror=refused, followlinks=True):
        here = os.stat(base)
        if (here.st_dev, here.st_ino) in seen:
            folders.clear()
            continue
        seen.add((here.st_dev, here.st_ino))
        folders.sort()
        for name in sorted(files):
            path = Path(base, name)
            yield from _expand(path, os.path.relpath(path, folder), skipped)


def _expand(path: Path, name: str, skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            skipped(name, "not a regular file")
            return
        if status.st_size == 0:
            skipped(name, "empty file")
            return
        with path.open("rb") as stream:
            is_zip = stream.read(4) == b"PK\x03\x04"
        if not is_zip:
            yield FileRef(path, name, status.st_size)
            return
        archive = _Archive(path)
        with archive as opened:
            members = sorted(opened.infolist(), key=lambda member: member.filename)
    except (OSError, zipfile.BadZipFile) as problem:
        skipped(name, f"cannot be opened: {problem}")
        return
    for member in members:
        shown = f"{name}/{member.filename}"
        if member.is_dir():
            continue
        if member.flag_bits & 1:
            skipped(shown, "encrypted inside the archive; unpack it first")
        elif member.file_size == 0:
            skipped(shown, "empty file")
        elif member.file_size > MEMBER_LIMIT:
            skipped(shown, f"claims {member.file_size / 2**30:.1f} GiB inside the archive; unpack it first")
        elif member.filename.lower().endswith(".zip"):
            skipped(shown, "an archive inside an archive; unpack it first")
        else:
            yield FileRef(path, shown, member.file_size, member.filename, archive)
