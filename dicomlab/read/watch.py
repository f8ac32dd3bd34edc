"""Files that are read later than they were listed: gone or changed, they are an error and never silently other values."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from types import TracebackType

from dicomlab.errors import FaultError
from dicomlab.read.sources import FileRef
from dicomlab.read.stored import StoredImage

__all__ = ["FileChanged", "Watch", "found_anywhere"]


class FileChanged(FaultError):
    """A file is not what it was when the volume was opened."""


@dataclass(frozen=True)
class Watch:
    """What a file, or the archive that holds it, was like; ``with watch:`` around reading raises when it is so no more.

    Parameters
    ----------
    file
        The file.
    size, modified
        Bytes, and the time of the last change in nanoseconds.
    """

    file: FileRef
    size: int
    modified: int

    @classmethod
    def of(cls, file: FileRef) -> Watch:
        """The file as it is now, which has to be as large as when it was listed.

        Raises
        ------
        FileChanged
            It is gone, or of another size.
        """
        size, modified = _state(file)
        if file.member is None and size != file.size:
            raise FileChanged(
                f"{file}: had {file.size} bytes when it was listed and has {size} now; list it again"
            )
        return cls(file, size, modified)

    def check(self) -> None:
        """Raise unless the file is what it was.

        Raises
        ------
        FileChanged
            It is gone, or its size or the time of its last change differ.
        """
        if _state(self.file) != (self.size, self.modified):
            raise FileChanged(f"{self.file}: has changed since this volume was opened; open it again")

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        # After reading: what changed while it was read counts too, and explains better what went wrong.
        self.check()


def found_anywhere(image: StoredImage) -> StoredImage:
    """The same image by an absolute path: its file may be read later from another folder, or by another process."""
    file = image.file
    return image if os.path.isabs(file.location) else replace(image, file=file.absolute())


def _state(file: FileRef) -> tuple[int, int]:
    try:
        status = os.stat(file.location)
    except OSError as problem:
        raise FileChanged(f"{file}: is not there any more ({problem.strerror})") from problem
    return status.st_size, status.st_mtime_ns
