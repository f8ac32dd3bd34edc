"""What was read of files, kept for the next time: an SQLite file that knows which of them have changed.

It holds what a listing reads of each header (`dicomlab.read.wanted`): no name, number or birth date of a patient, but dates
and descriptions, so it is as confidential as the images. Files that only pydicom could read, those with functional
groups and members of archives are not kept, and read again.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
import struct
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType

from pydicom import uid

from dicomlab.errors import DicomLabError
from dicomlab.read.headers import Instance, PixelSpan
from dicomlab.read.records import Common, Far, Raw, Record
from dicomlab.read.sources import FileRef, settled
from dicomlab.read.wanted import TAGS

__all__ = ["Catalogue"]

_OURS = 0x64636D6C
"""Application id of our SQLite files: "dcml"."""
_FORMAT = 1
_RECENT = 2_000_000_000
"""Nanoseconds: a file that changed so recently may change again without its times showing it, and is not kept."""

_TABLES = """
CREATE TABLE about (made_of TEXT);
CREATE TABLE common (id INTEGER PRIMARY KEY, implicit INTEGER, held BLOB);
CREATE TABLE file (
    location TEXT PRIMARY KEY, size INTEGER, modified INTEGER, changed INTEGER,
    reason TEXT, common INTEGER, own BLOB, syntax TEXT, span TEXT
) WITHOUT ROWID;
"""
_COLUMNS = "location, size, modified, changed, reason, common, own, syntax, span"


class Catalogue:
    """A file that keeps what was read of others; a context manager that writes it at the end, also of interrupted work.

    Parameters
    ----------
    path
        The file; made when it is not there.
    roots
        Folders and files that are about to be listed: what is kept of files in them that are gone is forgotten.

    Raises
    ------
    DicomLabError
        There is a file already, and it is no catalogue or is damaged; or its folder does not exist.
    """

    def __init__(self, path: Path, roots: Sequence[Path]) -> None:
        self._path = path
        if path.is_dir():
            raise DicomLabError(
                f"cache={str(path)!r} is a folder; name a file, for instance {str(path / 'listing.sqlite')!r}"
            )
        if not path.parent.is_dir():
            raise DicomLabError(f"cache={str(path)!r}: there is no folder {str(path.parent)!r} to keep it in")
        self._roots = [str(settled(root)) for root in roots]
        self._now = time.time_ns()
        self._new: dict[str, tuple[object, ...]] = {}
        self._seen: set[str] = set()
        try:
            self._database = self._open()
            self._commons = {
                number: Common(_unpack_held(held), bool(implicit))
                for number, implicit, held in self._database.execute("SELECT id, implicit, held FROM common")
            }
            self._rows = {row[0]: row[1:] for root in self._roots for row in self._below(root)}
        except (sqlite3.DatabaseError, struct.error) as problem:
            raise DicomLabError(
                f"cache={str(path)!r} is no list of files that dicomlab made, or it is damaged ({problem}). It is left as it "
                "is: name another file, for instance 'listing.sqlite'"
            ) from problem
        self._numbers = {id(common): number for number, common in self._commons.items()}

    def _open(self) -> sqlite3.Connection:
        is_new = not self._path.exists() or not self._path.stat().st_size
        database = sqlite3.connect(self._path, timeout=60)
        if not is_new and database.execute("PRAGMA application_id").fetchone()[0] != _OURS:
            database.close()
            raise sqlite3.DatabaseError("another program's")
        made_of = f"{_FORMAT}:{hashlib.sha256(repr(sorted(map(int, TAGS))).encode()).hexdigest()}"
        if not is_new and database.execute("SELECT made_of FROM about").fetchone() != (made_of,):
            # Another version of dicomlab looks at other attributes.
            database.executescript("DROP TABLE about; DROP TABLE common; DROP TABLE file;")
            is_new = True
        if is_new:
            database.executescript(f"PRAGMA application_id = {_OURS}; {_TABLES}")
            database.execute("INSERT INTO about VALUES (?)", (made_of,))
            database.commit()
        return database

    def _below(self, root: str) -> sqlite3.Cursor:
        # In the order of the key: no other file lies between the first and the last below a folder.
        folder = root.rstrip(os.sep) + os.sep
        return self._database.execute(
            f"SELECT {_COLUMNS} FROM file WHERE location = ? OR location > ? AND location < ?",
            (root, folder, folder[:-1] + chr(ord(os.sep) + 1)),
        )

    def find(self, file: FileRef) -> Instance | str | None:
        """What is kept of a file, or why it is no DICOM; None when nothing is, or it has changed since.

        Raises
        ------
        OSError
            It cannot be looked at.
        """
        self._seen.add(file.location)
        row = self._rows.get(file.location)
        if row is None or row[:3] != file.state:
            return None
        _, _, _, reason, common, own, syntax, span = row
        if reason is not None:
            return str(reason)
        header = Record(self._commons[common], _unpack_own(own, file))
        return Instance(file, header, _unpack_span(span), _syntax(syntax))

    def keep(self, file: FileRef, found: Instance | str) -> None:
        """Remember what was read of a file, or why it is no DICOM."""
        location, state = file.location, file.state
        if self._now - max(state[1], state[2] or 0) < _RECENT:
            return
        if isinstance(found, str):
            self._new[location] = (location, *state, found, None, None, None, None)
        elif isinstance(found.header, Record) and not found.header.sequences:
            header = found.header
            number = self._numbers.setdefault(id(header.common), len(self._numbers) + 1)
            self._commons[number] = header.common  # held, so that its identity stays its own
            span = None if found.pixels is None else "\t".join(map(str, found.pixels))
            own = _pack_own(header.own)
            self._new[location] = (location, *state, None, number, own, str(found.transfer_syntax), span)

    def __enter__(self) -> Catalogue:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, problem: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            gone = () if kind else [(location,) for location in self._rows.keys() - self._seen]
            with self._database:
                self._database.executemany("DELETE FROM file WHERE location = ?", gone)
                self._database.executemany(
                    "INSERT OR REPLACE INTO file VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", self._new.values()
                )
                used = {row[5] for row in self._new.values()} - {None}
                self._database.executemany(
                    "INSERT OR IGNORE INTO common VALUES (?, ?, ?)",
                    [(n, self._commons[n].implicit, _pack_held(self._commons[n].held)) for n in used],
                )
        finally:
            self._database.close()


@cache
def _syntax(stated: str) -> uid.UID:
    return uid.UID(stated)


# An element is its length and its bytes; a place among the own elements, or one that lies far away, has a mark for a length.
_LENGTH, _FAR, _HELD = struct.Struct("<I"), struct.Struct("<QQ"), struct.Struct("<II")
_MARK = 0xFFFF_FFFF


def _pack_own(own: Sequence[Raw]) -> bytes:
    parts = []
    for raw in own:
        if isinstance(raw, Far):
            parts += [_LENGTH.pack(_MARK), _FAR.pack(raw.start, raw.stop)]
        else:
            parts += [_LENGTH.pack(len(raw)), raw]
    return b"".join(parts)


def _unpack_own(data: bytes, file: FileRef) -> tuple[Raw, ...]:
    found: list[Raw] = []
    at = 0
    while at < len(data):
        (length,) = _LENGTH.unpack_from(data, at)
        at += 4
        if length == _MARK:
            found.append(Far(file, *_FAR.unpack_from(data, at)))
            at += _FAR.size
        else:
            found.append(data[at : at + length])
            at += length
    return tuple(found)


def _pack_held(held: dict[int, Raw | int]) -> bytes:
    parts = []
    for tag, found in held.items():
        if isinstance(found, bytes):
            parts += [_HELD.pack(tag, len(found)), found]
        elif isinstance(found, int):
            parts += [_HELD.pack(tag, _MARK), _LENGTH.pack(found)]
    return b"".join(parts)


def _unpack_held(data: bytes) -> dict[int, Raw | int]:
    held: dict[int, Raw | int] = {}
    at = 0
    while at < len(data):
        tag, length = _HELD.unpack_from(data, at)
        at += 8
        if length == _MARK:
            (held[tag],) = _LENGTH.unpack_from(data, at)
            at += 4
        else:
            held[tag] = data[at : at + length]
            at += length
    return held


def _unpack_span(text: str | None) -> PixelSpan | None:
    if text is None:
        return None
    keyword, offset, length, available, words, inflated = text.split("\t")
    return PixelSpan(
        keyword,
        int(offset),
        None if length == "None" else int(length),
        int(available),
        words == "True",
        inflated == "True",
    )
