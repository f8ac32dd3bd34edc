"""What was read of files, kept for the next time: an SQLite file that knows which of them have changed.

It holds what a listing reads of each header (`dicomlab.read.wanted`): no name, number or birth date of a patient, but dates
and descriptions, so it is as confidential as the images. Files that only pydicom could read and members of archives are not
kept, and read again. Several processes may use one at the same time.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from pydicom import uid

from dicomlab.errors import DicomLabError
from dicomlab.read.headers import Instance
from dicomlab.read.packing import (
    pack_common,
    pack_record,
    pack_span,
    unpack_common,
    unpack_record,
    unpack_span,
)
from dicomlab.read.records import Common, Record
from dicomlab.read.sources import FileRef, State, settled
from dicomlab.read.wanted import TAGS
from dicomlab.warn import warn_user

__all__ = ["Catalogue"]

_OURS = 0x64636D6C
"""Application id of our SQLite files: "dcml"."""
_FORMAT = 2
_MADE_OF = f"{_FORMAT}:{hashlib.sha256(repr(sorted(map(int, TAGS))).encode()).hexdigest()}"
"""Another version of dicomlab may look at other attributes: what one has kept is of no use to the other."""
_RECENT = 2_000_000_000
"""Nanoseconds: a file that changed so recently may change again without its times showing it, and is not kept."""
_PATIENCE = 60.0
"""Seconds to wait for other processes, which write for a second or two."""

# The key of what is common is a digest of it: whoever writes it, and when, it is the same. Names of files are bytes, as not all
# are text.
_TABLES = (
    "CREATE TABLE about (made_of TEXT)",
    "CREATE TABLE common (digest BLOB PRIMARY KEY, packed BLOB) WITHOUT ROWID",
    "CREATE TABLE file (location BLOB PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER, number INTEGER, "
    "reason TEXT, common BLOB, packed BLOB, syntax TEXT, span TEXT) WITHOUT ROWID",
)
_ROWS = "SELECT location, size, modified, changed, number, reason, common, packed, syntax, span FROM file WHERE location "


class Catalogue:
    """A file that keeps what was read of others; a context manager that writes it at the end, also of interrupted work.

    Parameters
    ----------
    path
        The file; made when it is not there.
    roots
        Folders and files that are about to be listed: what is kept of files in these folders that are gone is forgotten.

    Raises
    ------
    DicomLabError
        There is a file already, and it is no catalogue, is damaged or cannot be read; or its folder does not exist.
    """

    def __init__(self, path: Path, roots: Sequence[Path]) -> None:
        self._path = path
        self._location = os.fsencode(
            settled(path)
        )  # it may lie among the images, and changes whenever it is written
        if path.is_dir():
            raise DicomLabError(
                f"cache={str(path)!r} is a folder; name a file, for instance {str(path / 'listing.sqlite')!r}"
            )
        if not path.parent.is_dir():
            raise DicomLabError(f"cache={str(path)!r}: there is no folder {str(path.parent)!r} to keep it in")
        folders = [os.fsencode(settled(root)) for root in roots if root.is_dir()]
        self._beyond = len(folders) < len(roots)
        self._now = time.time_ns()
        self._new: dict[bytes, tuple[State, Instance | str]] = {}
        self._has_changed = False
        self._commons: dict[bytes, Common | bytes] = {}
        self._rows: dict[bytes, tuple[Any, ...]] = {}
        self._database = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
        try:
            self._load(folders)
        except BaseException as problem:
            self._database.close()
            if not isinstance(problem, sqlite3.DatabaseError):
                raise
            raise DicomLabError(
                f"cache={str(path)!r} is no list of files that dicomlab made, or it is damaged or cannot be used "
                f"({problem}). It is left as it is: name another file, for instance 'listing.sqlite'"
            ) from problem

    def _load(self, folders: Sequence[bytes]) -> None:
        with self._database as database:
            database.execute("BEGIN")  # all that is read is of one moment, whoever writes meanwhile
            if not self._is_current():
                database.execute("COMMIT")
                database.execute("BEGIN IMMEDIATE")
                if not self._is_current():  # still: no other process was faster
                    self._make()
            self._commons.update(database.execute("SELECT digest, packed FROM common"))
            for folder in folders:
                # In the order of the key: no other file lies between the first and the last below a folder.
                start = folder.rstrip(_SEPARATOR) + _SEPARATOR
                stop = start[:-1] + bytes([start[-1] + 1])
                for row in database.execute(_ROWS + "> ? AND location < ?", (start, stop)):
                    self._rows[row[0]] = row

    def _is_current(self) -> bool:
        """Whether the file is one of this version; not if it is empty, or of another version."""
        database = self._database
        ((program,),) = database.execute("PRAGMA application_id")
        if not program and not database.execute("SELECT 1 FROM sqlite_master").fetchone():
            return False
        if program != _OURS:
            raise sqlite3.DatabaseError("another program's")
        return database.execute("SELECT made_of FROM about").fetchall() == [(_MADE_OF,)]

    def _make(self) -> None:
        for name in ("about", "common", "file"):
            self._database.execute(f"DROP TABLE IF EXISTS {name}")
        for statement in _TABLES:
            self._database.execute(statement)
        self._database.execute(f"PRAGMA application_id = {_OURS}")
        self._database.execute("INSERT INTO about VALUES (?)", (_MADE_OF,))

    def find(self, file: FileRef) -> Instance | str | None:
        """What is kept of a file, or why it is no DICOM; None when nothing is, or it has changed since.

        Raises
        ------
        OSError
            It cannot be looked at.
        """
        location = os.fsencode(file.location)
        row = self._rows.pop(location, None)
        if row is None and self._beyond:  # named itself, or by an index
            row = self._look_up(location)
        if row is None:
            return None
        if row[1:5] != file.state:
            self._has_changed = True
            return None
        reason, common, packed, syntax, span = row[5:]
        if reason is not None:
            return str(reason)
        try:
            header = unpack_record(packed, self._common(common), file)
            return Instance(file, header, unpack_span(span), _syntax(syntax))
        except (struct.error, LookupError, ValueError):
            return None  # damaged, or written since by another process beside what it has in common: read it again

    def _look_up(self, location: bytes) -> tuple[Any, ...] | None:
        try:
            return cast(
                "tuple[Any, ...] | None", self._database.execute(_ROWS + "= ?", (location,)).fetchone()
            )
        except sqlite3.Error:
            self._beyond = False  # somebody holds it for long: waiting once is enough
            return None

    def _common(self, digest: bytes) -> Common:
        found = self._commons[digest]
        if isinstance(found, bytes):
            found = self._commons[digest] = unpack_common(found)[0]
        return found

    def keep(self, file: FileRef, found: Instance | str) -> None:
        """Remember what was read of a file, or why it is no DICOM."""
        state = file.state
        if self._now - max(state[1], state[2] or 0) < _RECENT:
            return
        location = os.fsencode(file.location)
        if location != self._location and (isinstance(found, str) or isinstance(found.header, Record)):
            self._new[location] = (state, found)

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        gone = [] if kind else [(location,) for location in self._rows]
        try:
            if gone or self._new:
                self._write(gone)
        except sqlite3.Error as failure:
            message = f"cache={str(self._path)!r} could not be written ({failure}): files will be read again next time"
            warn_user(message)
        finally:
            self._database.close()

    def _write(self, gone: Sequence[tuple[bytes]]) -> None:
        with self._database as database:
            database.execute("BEGIN IMMEDIATE")
            if not self._is_current():
                return  # another version of dicomlab has made it anew
            database.executemany("DELETE FROM file WHERE location = ?", gone)
            commons: dict[bytes, bytes] = {}
            database.executemany(
                "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", self._packed(commons)
            )
            database.executemany("INSERT OR IGNORE INTO common VALUES (?, ?)", commons.items())
            if gone or self._has_changed:
                database.execute(
                    "DELETE FROM common WHERE digest NOT IN (SELECT common FROM file WHERE common NOTNULL)"
                )

    def _packed(self, commons: dict[bytes, bytes]) -> Iterator[tuple[object, ...]]:
        """New rows; `commons` is given what they have in common. At the end, when families have found what that is."""
        digests: dict[int, bytes] = {}
        for location, (state, found) in self._new.items():
            if isinstance(found, str):
                yield location, *state, found, None, None, None, None
            elif isinstance(found.header, Record):
                common = found.header.common
                digest = digests.get(id(common))
                if digest is None:
                    packed = pack_common(common)
                    digest = digests[id(common)] = hashlib.blake2b(packed, digest_size=16).digest()
                    commons[digest] = packed
                span, syntax = pack_span(found.pixels), str(found.transfer_syntax)
                yield location, *state, None, digest, pack_record(found.header), syntax, span


_SEPARATOR = os.sep.encode()


@cache
def _syntax(stated: str) -> uid.UID:
    return uid.UID(stated)
