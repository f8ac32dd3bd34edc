"""Results on disk: one SQLite file, to which each series is added as soon as it is done."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from dicomlab.cohort.cells import rows_from_text, rows_to_text
from dicomlab.cohort.work import Outcome
from dicomlab.errors import DicomLabError

__all__ = ["Kept", "check_place", "open_kept"]

_OURS = 0x64636C62
"""Application id in the header of the file: "dclb"."""

_TABLES = """
CREATE TABLE results (
    task TEXT NOT NULL,       -- which function, in which state
    state TEXT NOT NULL,      -- which series, with its files in which state
    uid TEXT NOT NULL,        -- Series Instance UID, for people who look into this file
    rows TEXT NOT NULL,       -- JSON
    findings TEXT NOT NULL,
    warnings TEXT NOT NULL,
    finished TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (task, state)
);
CREATE TABLE became (
    code TEXT NOT NULL,       -- which function
    name TEXT NOT NULL,       -- data that it changed itself while it ran
    later TEXT NOT NULL,      -- what they became
    first TEXT NOT NULL,      -- what they were at first
    PRIMARY KEY (code, name, later)
);
"""


class Kept:
    """The results in one file. Every change is a transaction: what is written stays written, whatever happens then."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def outcome(self, task: str, state: str) -> Outcome | None:
        """What came out of this series for this task, if that is known."""
        query = "SELECT rows, findings, warnings FROM results WHERE task = ? AND state = ?"
        found = self._connection.execute(query, (task, state)).fetchone()
        return None if found is None else Outcome(rows_from_text(found[0]), found[1], found[2])

    def keep(self, task: str, state: str, uid: str, outcome: Outcome) -> Outcome:
        """Write down what came out; returns it as it will come back.

        Raises
        ------
        DicomLabError
            A value cannot be kept.
        """
        text = rows_to_text(outcome.rows)
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO results (task, state, uid, rows, findings, warnings) VALUES (?, ?, ?, ?, ?, ?)",
                (task, state, uid, text, outcome.findings, outcome.warnings),
            )
        return replace(outcome, rows=rows_from_text(text))

    def first_of(self, code: str, data: Mapping[str, str]) -> dict[str, str]:
        """The same data; where this code made them what they are, as they were before."""
        found = self._connection.execute("SELECT name, later, first FROM became WHERE code = ?", (code,))
        first = {(name, later): was for name, later, was in found}
        return {name: first.get((name, now), now) for name, now in data.items()}

    def note_became(self, code: str, changes: Iterable[tuple[str, str, str]]) -> None:
        """Write down that this code changed data: their name, what they became, and what they were at first."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO became VALUES (?, ?, ?, ?)", [(code, *change) for change in changes]
            )


def check_place(path: object) -> Path:
    """The file of this name, which may not be there yet.

    Raises
    ------
    DicomLabError
        It is no path, a folder, or in a folder that does not exist: one that is made for a misspelt name hides the results.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise DicomLabError(f"results= is the path of a file to keep results in, found {path!r}")
    file = Path(path).expanduser()
    if file.is_dir():
        raise DicomLabError(
            f"results={str(path)!r} is a folder; name a file, for instance {str(file / 'results.sqlite')!r}"
        )
    if not file.parent.is_dir():
        raise DicomLabError(f"results={str(path)!r}: there is no folder {str(file.parent)!r} to keep it in")
    return file


@contextmanager
def open_kept(path: str | os.PathLike[str]) -> Iterator[Kept]:
    """The results in the file of this name, which is made when it is not there.

    Raises
    ------
    DicomLabError
        As `check_place`; or the file is something else, or cannot be written.
    """
    file = check_place(path)
    try:
        connection = sqlite3.connect(file, timeout=60)
    except (OSError, sqlite3.Error) as problem:
        raise DicomLabError(f"results={str(path)!r} cannot be opened: {problem}") from problem
    try:
        try:
            _prepare(connection)
        except sqlite3.Error as problem:
            raise DicomLabError(f"results={str(path)!r} cannot be used: {problem}") from problem
        yield Kept(connection)
    finally:
        connection.close()


def _prepare(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")  # the file may come from anybody
    connection.isolation_level = "IMMEDIATE"  # two notebooks that write to one file take turns
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        (owner,) = connection.execute("PRAGMA application_id").fetchone()
        (tables,) = connection.execute("SELECT COUNT(*) FROM sqlite_master").fetchone()
        if owner == _OURS and tables:
            return
        if tables:
            raise sqlite3.DatabaseError("it is another program's SQLite file")
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {_OURS}")
