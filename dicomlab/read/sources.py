"""Where bytes come from: folders, single files and zip archives, all as `FileRef`."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, cast

import numpy.typing as npt

from dicomlab.errors import FaultError, NotDicomError
from dicomlab.read.archives import MEMBER_LIMIT, Archive

__all__ = ["FileChanged", "FileRef", "State", "expand", "list_all", "list_files", "settled"]

State: TypeAlias = "tuple[int, int, int | None, int | None]"
"""Of a file: bytes, the times of its last change by a writer and by anybody (renaming, restored times), nanoseconds, and the
number that its file system knows it by."""


class FileChanged(FaultError):
    """A file is gone, or is not what it was when it was listed: what its header said may be of another image."""


_BITS = (1 << 63) - 1
_READ = os.O_RDONLY | getattr(os, "O_BINARY", 0)  # Windows would translate line ends
_PREADV = hasattr(os, "preadv")


class FileRef:
    """One file, on disk or inside a zip archive, that can be opened any number of times.

    It knows what the file was like when it was listed, and `unchanged` that it still is so.

    Parameters
    ----------
    path
        The file, or the archive.
    name
        What users are shown: the path relative to the folder they named, or ``archive.zip/member``.
    size
        Bytes; None: looked up when asked for, or when the file is first opened.
    """

    __slots__ = ("_location", "_size", "_state", "archive", "member", "name")

    def __init__(
        self,
        path: str | Path,
        name: str,
        size: int | None = None,
        member: str | None = None,
        archive: Archive | None = None,
        state: State | None = None,
    ) -> None:
        self._location = path if type(path) is str else os.fspath(path)
        self._size = size
        self._state = state
        self.name = name
        self.member = member
        self.archive = archive

    @property
    def path(self) -> Path:
        """The file, or the archive."""
        return Path(self._location)

    @property
    def location(self) -> str:
        """`path` as text."""
        return self._location

    @property
    def size(self) -> int:
        """Bytes."""
        return self.state[0] if self._size is None else self._size

    @property
    def state(self) -> State:
        """What the file, or the archive, was like when it was first looked at: when it was listed."""
        if self._state is None:
            self._state = _state_of(os.stat(self._location))
        return self._state

    def __getstate__(self) -> tuple[Any, ...]:
        # A copy that another machine has is the same file by its size and the time that a writer gave it.
        state = None if self._state is None else (*self._state[:2], None, None)
        return self._location, self.name, self._size, self.member, self.archive, state

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)  # type: ignore[misc]

    def called(self, name: str) -> FileRef:
        """The same file by another name."""
        return FileRef(self._location, name, self._size, self.member, self.archive, self._state)

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Around reading: what is gone, or has changed since it was listed, is an error, and explains others.

        Raises
        ------
        FileChanged
            It is not there any more, or its size or the time of its last change differ.
        """
        _ = self.state
        try:
            yield
        finally:
            self.check()  # after reading: what changed while it was read counts too

    def check(self) -> None:
        """Raise unless the file is what it was when it was listed.

        Raises
        ------
        FileChanged
            As `unchanged`.
        """
        try:
            now = _state_of(os.stat(self._location))
        except OSError as problem:
            raise self._gone(problem) from problem
        self._compare(self._state or now, now)

    def _compare(self, listed: State, now: State) -> None:
        # Not by its number: some file systems (sshfs) give a file another one whenever they have forgotten it.
        if now[:3] != listed[:3] and (listed[2] is not None or now[:2] != listed[:2]):
            sizes = f" ({now[0]} bytes instead of {listed[0]})" if now[0] != listed[0] else ""
            raise FileChanged(f"{self.name}: has changed since it was listed{sizes}; list or open it again")

    def _gone(self, problem: OSError) -> FileChanged:
        return FileChanged(f"{self.name}: is not there any more ({problem.strerror})")

    def open(self) -> BinaryIO:
        """A new binary stream at the start of the file; close it after use."""
        if self.archive is None or self.member is None:
            return open(self._location, "rb")
        return self.archive.open_member(self.member)

    def head(self, count: int) -> bytes:
        """The first `count` bytes, or all when there are fewer."""
        if self.member is not None:
            with self.open() as stream:
                return stream.read(count)
        descriptor = os.open(self._location, _READ)
        try:
            if self._state is None:
                self._state = _state_of(os.fstat(descriptor))
            data = os.read(descriptor, count)
            # A signal, or a file system that gives less at once.
            while len(data) < count and len(data) < self._state[0]:
                more = os.read(descriptor, count - len(data))
                if not more:
                    break
                data += more
            return data
        finally:
            os.close(descriptor)

    def read_into(self, out: npt.NDArray[Any], offset: int) -> int:
        """Fill an array, contiguous, with the bytes from `offset` on of a file on disk; how many bytes there were.

        Raises
        ------
        FileChanged
            As `unchanged`.
        """
        listed = self.state
        try:
            descriptor = os.open(self._location, _READ)
        except FileNotFoundError as problem:
            raise self._gone(problem) from problem
        try:
            done = os.preadv(descriptor, [cast(Any, out)], offset) if _PREADV else 0
            while done < out.nbytes:
                view = memoryview(cast(Any, out)).cast("B")
                if _PREADV:
                    count = os.preadv(descriptor, [view[done:]], offset + done)
                else:
                    os.lseek(descriptor, offset + done, os.SEEK_SET)
                    with open(descriptor, "rb", buffering=0, closefd=False) as stream:
                        count = stream.readinto(view[done:])
                if not count:
                    break
                done += count
            self._compare(listed, _state_of(os.fstat(descriptor)))
        finally:
            os.close(descriptor)
        return done

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"FileRef({self.name!r})"


def _state_of(status: os.stat_result) -> State:
    # Of numbers that some file systems make up from more, as many bits as a database holds.
    return status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino & _BITS


def list_all(sources: Sequence[Path], skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    """`list_files` of several sources, each file with a name of its own: relative to the folder that holds them all.

    Archives are listed as the files that they are; `expand` has their members.
    """
    homes = [(path if path.is_dir() else path.parent).absolute() for path in sources]
    try:
        common = Path(os.path.commonpath(homes))
    except ValueError:  # no source at all, or several drives
        common = Path()
    for source, home in zip(sources, homes, strict=True):
        prefix = os.path.relpath(home, common) if common.is_absolute() else str(home)
        if prefix == ".":
            yield from list_files(source, skipped)
            continue

        def skip(name: str, reason: str, prefix: str = prefix) -> None:
            skipped(os.path.join(prefix, name), reason)

        for file in list_files(source, skip):
            yield file.called(os.path.join(prefix, file.name))


def list_files(source: Path, skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    """Every regular file under `source`: a folder (nested), or a file.

    Names are never trusted: extensions do not matter, devices and pipes are not opened, and links to folders are followed
    once.

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
        yield from _walk(str(settled(source)), "", set(), skipped)
    elif source.is_file():
        yield FileRef(settled(source), source.name)
    else:
        skipped(source.name, "not a regular file")


def settled(path: Path) -> Path:
    """A path that does not depend on the working directory; ``..`` after a link leads where the link does."""
    return Path(os.path.realpath(path)) if ".." in path.parts else path.absolute()


def _walk(
    folder: str, shown: str, seen: set[tuple[int, int]], skipped: Callable[[str, str], None]
) -> Iterator[FileRef]:
    """Files of a folder, then of those inside it, each by name; `seen`: folders already listed, as links lead in circles."""
    waiting = [(folder, shown)]
    while waiting:
        folder, shown = waiting.pop()
        try:
            here = os.stat(folder)
            if (here.st_dev, here.st_ino) in seen:
                continue
            seen.add((here.st_dev, here.st_ino))
            with os.scandir(folder) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as problem:
            skipped(shown or ".", f"cannot be listed: {problem.strerror}")
            continue
        folders = []
        for entry in entries:
            name = f"{shown}{os.sep}{entry.name}" if shown else entry.name
            try:
                if entry.is_file():
                    yield FileRef(entry.path, name)
                elif entry.is_dir():
                    folders.append((entry.path, name))
                else:
                    os.stat(entry.path)  # a link that leads nowhere
                    skipped(name, "not a regular file")
            except OSError as problem:
                skipped(name, f"cannot be opened: {problem}")
        waiting += reversed(folders)


def expand(file: FileRef, skipped: Callable[[str, str], None]) -> Iterator[FileRef]:
    """The members of a zip archive. They are never extracted to disk."""
    archive = Archive(file.path)
    try:
        with archive as opened:
            members = sorted(opened.infolist(), key=lambda member: member.filename)
    except (OSError, zipfile.BadZipFile) as problem:
        skipped(file.name, f"cannot be opened: {problem}")
        return
    for member in members:
        shown = f"{file.name}/{member.filename}"
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
            yield FileRef(file.location, shown, member.file_size, member.filename, archive, file.state)
