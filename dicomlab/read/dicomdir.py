"""DICOMDIR: the index of a file-set (PS3.10 8.6, PS3.3 Annex F), followed to the files that it lists.

Records are taken as the flat sequence that they are stored in: their offsets, which say how they hang together, may be
wrong, and nothing here needs the tree.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

from pydicom.dataset import Dataset

from dicomlab.errors import NotDicomError
from dicomlab.privacy import without_names
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_instance
from dicomlab.read.identity import identity_in_header
from dicomlab.read.records import Record
from dicomlab.read.sources import FileRef, list_files

__all__ = ["describe", "follow", "is_index"]

_SOP_CLASS = "1.2.840.10008.1.3.10"

Reference = tuple[str, ...]


def is_index(instance: Instance) -> bool:
    """Whether a file is a Media Storage Directory, whatever its name."""
    if isinstance(instance.header, Record):
        return False  # the direct path leaves them to pydicom
    meta = Attributes.of(getattr(instance.header, "file_meta", Dataset()))
    stated = (instance.text("SOPClassUID"), meta.text("MediaStorageSOPClassUID"))
    return _SOP_CLASS in stated or bool(instance.items("DirectoryRecordSequence"))


def follow(
    files: Sequence[FileRef], named: Iterable[Path], skipped: Callable[[str, str], None]
) -> Iterator[FileRef]:
    """`files`, where an index that the user named is replaced by the files that it lists, each once.

    Parameters
    ----------
    files
        As `dicomlab.read.sources.list_all` lists them.
    named
        What the user named. An index found in a folder is not followed: its folder is read anyhow.
    skipped
        Called with name and reason for the index itself and for every reference that leads nowhere.
    """
    of_users = {os.path.abspath(path) for path in named}
    seen: set[str] = set()
    for file in files:
        path = os.path.abspath(file.path)
        index = _read_index(file) if file.member is None and path in of_users else None
        if index is None:
            if file.member is not None or path not in seen:
                seen.add(path)
                yield file
            continue
        yield from _listed(index, Path(path).parent, os.path.dirname(file.name), seen, skipped)


def describe(instance: Instance, files: Sequence[FileRef]) -> str:
    """Why an index is not used itself: how many files it lists, and how many of them are not among `files`."""
    here = {tuple(_plain(part) for part in Path(file.name).parts) for file in files}
    base = tuple(_plain(part) for part in Path(instance.file.name).parts[:-1])
    references = _references(instance)
    missing = 0
    for reference in references:
        plain = tuple(_plain(part) for part in reference)
        candidates = (plain, _within(plain, base))
        missing += not any(candidate and base + candidate in here for candidate in candidates)
    return _sentence(len(references), missing)


def _sentence(count: int, missing: int) -> str:
    here = f"{missing} of which {'is' if missing == 1 else 'are'} not here" if missing else "all of them here"
    return f"a DICOMDIR: an index of {count} file{'' if count == 1 else 's'}, {here}"


def _read_index(file: FileRef) -> Instance | None:
    try:
        with file.open() as stream:
            # A glance at the file meta information spares the thousands of images that may be named one by one.
            if _SOP_CLASS.encode() not in stream.read(2048):
                return None
        instance = read_instance(file)
    except (NotDicomError, OSError):
        return None  # it is refused when it is read as an image
    return instance if is_index(instance) else None


def _listed(
    index: Instance, root: Path, shown: str, seen: set[str], skipped: Callable[[str, str], None]
) -> Iterator[FileRef]:
    """Files that an index lists, and those that the indexes among them list, relative to the one file-set."""
    entries: dict[Path, dict[str, list[str]]] = {}
    waiting = [index]
    while waiting:  # a list, not a recursion: indexes may lead to each other in circles
        index = waiting.pop()
        seen.add(os.path.abspath(index.file.path))
        references, missing = _references(index), 0
        who = identity_in_header(cast(Dataset, index.header))
        for reference in references:
            inner = os.path.join(*(part if part.isprintable() else ascii(part) for part in reference))
            name = os.path.join(shown, inner)
            reason = _refused(reference)
            path = None if reason else _find(root, reference, entries)
            if path is None and not reason:
                folder = Path(index.file.path).absolute().parent
                path = _find(folder, _within(reference, folder.parts), entries)
            if path is None:
                missing += 1
                # No file has this name, so it is but text of the index, whose patients are known.
                skipped(
                    os.path.join(shown, without_names(inner, who)),
                    reason or f"listed in {index.file.name}, but not there",
                )
                continue
            if os.path.abspath(path) in seen:
                continue
            seen.add(os.path.abspath(path))
            for file in list_files(path, lambda _, why, name=name: skipped(name, why)):  # type: ignore[misc]
                found = file.called(os.path.join(shown, os.path.relpath(path, root)))
                nested = _read_index(found)
                if nested is None:
                    yield found
                else:
                    waiting.append(nested)
        skipped(index.file.name, _sentence(len(references), missing))


def _references(index: Instance) -> list[Reference]:
    """Referenced File IDs (0004,1500) of all records, each once."""
    found: dict[Reference, None] = {}
    for record in index.items("DirectoryRecordSequence"):
        # PS3.10 8.6: a backslash parts the components; some writers put slashes.
        parts = re.split(r"[\\/]", Attributes.of(record).text("ReferencedFileID"))
        parts = [part.strip() for part in parts]
        if any(parts):
            found[tuple(parts)] = None
    return list(found)


def _refused(reference: Reference) -> str:
    if reference[0] == "" or any(part == ".." or ":" in part for part in reference):
        return "the DICOMDIR refers to a place outside its folder; such files are not opened"
    return ""


def _within(reference: Reference, folder: Sequence[str]) -> Reference:
    """`reference` as seen from `folder`, when it begins with the last names of that folder; else empty.

    Some devices put an index into every folder, whose references start at the root of the file-set.
    """
    plain = [_plain(part) for part in reference]
    above = [_plain(part) for part in folder]
    for length in range(min(len(plain) - 1, len(above)), 0, -1):
        if plain[:length] == above[-length:]:
            return reference[length:]
    return ()


def _find(root: Path, reference: Reference, entries: dict[Path, dict[str, list[str]]]) -> Path | None:
    """The file of a reference; case and the version that CD file systems append to names do not matter."""
    if not reference:
        return None
    here = root
    for part in reference:
        if part in ("", "."):
            continue
        if here not in entries:
            entries[here] = {}
            try:
                for name in sorted(os.listdir(here)):
                    entries[here].setdefault(_plain(name), []).append(name)
            except OSError:
                pass
        alike = entries[here].get(_plain(part), [])
        if not alike:
            return None
        here = here / (part if part in alike else alike[0])
    return here if here != root and not here.is_dir() else None


def _plain(name: str) -> str:
    """A name as ISO 9660 compares it: without case, version (``;1``) and a dot that no extension follows."""
    return re.sub(r"\.?(;\d+)?$", "", name).casefold()
