"""Files that are there whole or not at all: `written`."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from dicomlab.errors import DicomLabError, OverwriteError

__all__ = ["written"]


@contextmanager
def written(
    path: str | os.PathLike[str],
    *,
    overwrite: bool,
    suffixes: tuple[str, ...],
    replaceable: Callable[[Path], bool] = Path.is_file,
) -> Iterator[Path]:
    """A path beside `path` to write to, which takes its place at the end, and is gone if anything failed before.

    Parameters
    ----------
    path
        Where the file, or folder, shall be.
    overwrite
        Whether one that is there already may be replaced.
    suffixes
        The endings that it may have; readers go by them.
    replaceable
        Tells whether what is there is of the kind that is written: nothing else is ever replaced.

    Raises
    ------
    OverwriteError
        Something is there that may not be replaced.
    DicomLabError
        The path has another ending, or its folder is not there.
    """
    target = Path(path)
    suffix = next((s for s in suffixes if target.name.lower().endswith(s) and target.name != s), None)
    if suffix is None:
        raise DicomLabError(
            f"the name of the file tells its format: it ends with {' or '.join(suffixes)}, found {target.name!r}"
        )
    if not target.parent.is_dir():
        raise DicomLabError(f"there is no folder {str(target.parent)!r} to write {target.name} into")
    _check_free(target, overwrite, replaceable)
    part = target.with_name(f".{uuid4().hex}{suffix}")
    try:
        yield part
        _check_free(target, overwrite, replaceable)  # writing takes a while
        if part.is_dir() and target.exists():
            # A folder cannot take the place of another in one step.
            old = target.with_name(f".{uuid4().hex}{suffix}")
            target.rename(old)
            part.rename(target)
            shutil.rmtree(old)
        else:
            os.replace(part, target)
    finally:
        if part.is_dir():
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def _check_free(target: Path, overwrite: bool, replaceable: Callable[[Path], bool]) -> None:
    if not os.path.lexists(target):
        return
    if not overwrite:
        raise OverwriteError(f"{str(target)!r} is there already; overwrite=True replaces it")
    if target.is_symlink() or not replaceable(target):
        raise OverwriteError(
            f"{str(target)!r} is there already and is not of the kind that would be written; it is left alone"
        )
