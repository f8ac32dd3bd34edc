"""A folder that is there whole or not at all: `new_folder`."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from pydicom.filereader import read_file_meta_info

from dicomlab.errors import DicomLabError
from dicomlab.export.image import IMPLEMENTATION

__all__ = ["file_name", "new_folder"]

_OURS = re.compile(r"\d{5,}\.dcm")


def file_name(number: int) -> str:
    """Name of the file of an Instance Number."""
    return f"{number:05d}.dcm"


@contextmanager
def new_folder(folder: Path, *, overwrite: bool) -> Iterator[Path]:
    """A folder beside `folder` that takes its name and place when the block ends, and is gone when the block fails.

    Raises
    ------
    DicomLabError
        `folder` is a file, or it holds something that may not be replaced.
    """
    folder = folder.resolve()  # not a link to it
    _check(folder, overwrite)
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A sibling, not a temporary folder of the system: only within one file system is renaming one step.
    beside = folder.parent / f".{folder.name}.{uuid4().hex[:8]}"
    new, old = beside.with_suffix(".new"), beside.with_suffix(".old")
    new.mkdir()
    try:
        yield new
        _check(folder, overwrite)  # again: writing takes a while, and others may have written there
        if folder.exists():
            folder.rename(old)
        try:
            new.rename(folder)
        except OSError:
            if old.exists():
                old.rename(folder)
            raise
    finally:
        shutil.rmtree(new, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _check(folder: Path, overwrite: bool) -> None:
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DicomLabError(f"a series is written into a folder of its own; {folder} is a file")
    names = sorted(entry.name for entry in folder.iterdir())
    if not names:
        return
    if not overwrite:
        raise DicomLabError(
            f"{folder} holds {len(names)} file(s), for instance {names[0]}; a series is written into a new or empty folder. "
            "overwrite=True replaces a series that write_series wrote there."
        )
    # One wrong path must not cost somebody their pictures.
    foreign = [name for name in names if not (_OURS.fullmatch(name) and _is_ours(folder / name))]
    if foreign:
        raise DicomLabError(
            f"{folder} holds {foreign[0]}, which write_series did not write, so it is not overwritten: choose another folder, "
            "or empty this one"
        )


def _is_ours(file: Path) -> bool:
    """Whether a file says that `write_series` wrote it: others number their files in the same way."""
    try:
        return bool(read_file_meta_info(file).get("ImplementationClassUID") == IMPLEMENTATION)
    except Exception:  # whatever it is, it is not ours
        return False
