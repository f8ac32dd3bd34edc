"""What other readers make of a pitfall: asked now where they are installed, else as it was measured."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dicomlab.phantom import Sample
from dicomlab.teach.pitfalls import readers
from dicomlab.teach.pitfalls.measure import Off, Reading
from dicomlab.teach.pitfalls.pitfall import Pitfall
from dicomlab.teach.pitfalls.readers import READERS, versions

__all__ = ["Asked", "Verdict", "measured", "plain_words"]

_LIMIT = 20.0
"""Seconds that a reader has for one folder, the first of which holds its start."""
_SAID = 300
"""Characters of an error message that are kept."""


@dataclass(frozen=True)
class Verdict:
    """What one reader made of a series.

    Parameters
    ----------
    tool, version
        Which reader.
    off
        How far from the truth.
    live
        Whether it was asked here and now.
    """

    tool: str
    version: str
    off: Off
    live: bool


@cache
def _table() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(
        Path(__file__).with_name("measured.json").read_text(encoding="utf-8")
    )
    return found


def measured(name: str) -> dict[str, Verdict]:
    """What readers made of a pitfall when ``python -m tests.kinds.pitfalls`` was run last, by reader."""
    table = _table()
    return {
        tool: Verdict(tool, table["versions"][tool], Off(**off), live=False)
        for tool, off in table["pitfalls"].get(name, {}).items()
    }


class Asked:
    """Readers at work on folders, each in a process of its own; a context manager, so that none outlives it.

    Parameters
    ----------
    folders
        What is to be read, by name.
    tools
        Readers that are asked; those that are not installed are left out.
    """

    def __init__(self, folders: Mapping[str, Path], tools: Sequence[str] = tuple(READERS)) -> None:
        self._names = list(folders)
        self._folders = [str(folder) for folder in folders.values()]
        self._versions = {tool: known for tool, known in versions().items() if tool in tools}
        self._out = tempfile.TemporaryDirectory()
        asked = self._versions if self._folders else ()
        self._work = {tool: _Work(tool, Path(self._out.name), self._folders) for tool in asked}

    def __enter__(self) -> Asked:
        return self

    def __exit__(self, *_: object) -> None:
        for work in self._work.values():
            work.stop()
        self._out.cleanup()

    def verdicts(self, pitfall: Pitfall, sample: Sample) -> dict[str, Verdict]:
        """What each reader made of one folder, by reader; waits for it."""
        number = self._names.index(pitfall.name)
        found = {}
        for tool, work in self._work.items():
            off = work.answer(number, pitfall, sample)
            found[tool] = Verdict(tool, self._versions[tool], off, live=True)
        return found


class _Work:
    """One reader, and the process in which it goes through the folders; begun anew after a folder that ended it."""

    def __init__(self, tool: str, out: Path, folders: Sequence[str]) -> None:
        self._tool, self._out, self._folders = tool, out, folders
        self._first = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._begin(0)

    def _begin(self, first: int) -> None:
        self._first = first
        home = self._out / f"{self._tool}-{first}"
        home.mkdir()
        # Without the folder of that file among those that modules are looked for in: it has names that others may have, too.
        command = [sys.executable, "-P", readers.__file__, self._tool, str(home)]
        self._process = subprocess.Popen(
            [*command, *self._folders[first:]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        self._since = time.monotonic()

    def answer(self, number: int, pitfall: Pitfall, sample: Sample) -> Off:
        """How far the reading of a folder is off; folders are asked for in their order."""
        while True:
            home = self._out / f"{self._tool}-{self._first}"
            file = home / f"{number - self._first}.npz"
            if file.exists():
                self._since = time.monotonic()
                arrays, said = readers.load_answer(file)
                if not arrays:
                    return Off("refuses", said=plain_words(said, self._folders[number]))
                return pitfall.judge(sample, [Reading(*one) for one in arrays])
            why = self._ended()
            if why and not file.exists():
                self.stop()
                if number + 1 < len(self._folders):
                    self._begin(number + 1)
                return Off("refuses", said=why)
            time.sleep(0.01)

    def _ended(self) -> str:
        assert self._process is not None
        if self._process.poll() is not None:
            return "it crashed"
        return f"no answer within {_LIMIT:g} s" if time.monotonic() - self._since > _LIMIT else ""

    def stop(self) -> None:
        """End the process."""
        if self._process is not None:
            if self._process.poll() is None:
                self._process.kill()
            self._process.wait()


def plain_words(said: str, folder: str = "") -> str:
    """What a reader said in one line, without folders, addresses and line numbers of the machine it was said on."""
    text = said.replace(folder, "…") if folder else said
    text = " ".join(re.sub(r"(?:/[\w.+-]+){2,}:\d+:|\(0x[0-9a-f]+\)", "", text).split())
    return text if len(text) <= _SAID else f"{text[: _SAID - 1]}…"
