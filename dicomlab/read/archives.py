"""Zip archives: their members as streams, never extracted to disk."""

from __future__ import annotations

import errno
import io
import threading
import zipfile
import zlib
from pathlib import Path
from typing import IO, Any, BinaryIO

__all__ = ["ARCHIVE_START", "MEMBER_LIMIT", "Archive", "DamagedMember"]

ARCHIVE_START = b"PK\x03\x04"
"""First bytes of a zip archive."""

MEMBER_LIMIT = 4 << 30
"""Zip members that claim more bytes than this are not opened: no DICOM file of one image is that large."""


_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
"""What zipfile raises of a member that is broken, encrypted or packed in an unknown way."""


class DamagedMember(OSError):
    """Bytes inside an archive are not what was put in."""


class _Member(io.RawIOBase):
    """A member of an archive, which says of damage what other files say."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.name = stream.name

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._stream.seek(offset, whence)
        except _DAMAGED as problem:
            raise DamagedMember(errno.EIO, f"damaged inside the archive: {problem}") from problem

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._stream.read(len(buffer))
        except _DAMAGED as problem:
            raise DamagedMember(errno.EIO, f"damaged inside the archive: {problem}") from problem
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Close the member."""
        self._stream.close()
        super().close()


class Archive:
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

    def open_member(self, name: str) -> BinaryIO:
        """A stream at the start of a member.

        Raises
        ------
        DamagedMember
            It cannot be opened; so does reading from the stream where bytes are not what was put in.
        """
        try:
            with self as archive:
                return io.BufferedReader(_Member(archive.open(name)))
        except _DAMAGED as problem:
            raise DamagedMember(errno.EIO, f"damaged inside the archive: {problem}") from problem
