"""From a folder to its series: `find_series`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.findings import Finding
from dicomlab.read import dicomdir
from dicomlab.read.alike import Headers
from dicomlab.read.archives import ARCHIVE_START
from dicomlab.read.direct import Reader
from dicomlab.read.headers import Instance
from dicomlab.read.presentation import attach
from dicomlab.read.progress import progress_bar
from dicomlab.read.series import PathLike, Series, SeriesList
from dicomlab.read.sources import FileRef, expand, list_all

if TYPE_CHECKING:
    from dicomlab.read.catalogue import Catalogue

__all__ = ["find_series"]


def find_series(
    source: PathLike | Iterable[PathLike], *, cache: PathLike | None = None, progress: bool = True
) -> SeriesList:
    """Series of every DICOM file under `source`.

    Only headers are read. File names and extensions do not matter; folders are searched to any depth.

    Parameters
    ----------
    source
        A folder, a file, a zip archive, or several of them. Of a DICOMDIR, the files that it lists are read and no other.
    cache
        A file to keep in what was read, made when it is not there: the next listing opens only files that are new or have
        changed (in size, the times of their last change, or because another took their place). Still read each time are
        members of archives, files that only pydicom could read (big endian, no preamble, an index, damage) and files that
        changed less than two seconds before they were listed. Several processes may use one file. It is as confidential as the
        images.
    progress
        Show a bar when reading takes longer than a second. Ctrl-C (the stop button) interrupts at any file.

    Returns
    -------
    SeriesList
        Its `skipped` maps each file not used to the reason. Empty when there is no DICOM at all.

    Raises
    ------
    NotDicomError
        `source` does not exist.
    DicomLabError
        `cache` is no path, another file, damaged, or cannot be read.

    Warns
    -----
    DicomLabWarning
        `cache` could not be written.

    Examples
    --------
    >>> from dicomlab import phantom
    >>> study = phantom.write_study(tmp_path, coarser=4)
    >>> [series.modality for series in find_series(tmp_path)]
    ['CT', 'MR', 'PT']
    """
    if not isinstance(source, (str, os.PathLike, list, tuple, set, frozenset)):
        raise DicomLabError(f"find_series takes a path or a list of paths, found {type(source).__name__}")
    if cache is not None and not isinstance(cache, (str, os.PathLike)):
        raise DicomLabError(f"cache= is the path of a file to keep the list in, found {cache!r}")
    named = [source] if isinstance(source, (str, os.PathLike)) else list(source)
    if not all(os.fspath(item) for item in named):
        raise NotDicomError("an empty path names nothing; '.' is the current folder")
    paths = [Path(item).expanduser() for item in named]
    skipped: dict[str, str] = {}
    files = list(list_all(paths, skipped.__setitem__))
    if len(paths) > 1 or not paths[0].is_dir():
        files = list(dicomdir.follow(files, paths, skipped.__setitem__))
    if cache is None:
        instances = list(_read_all(files, skipped, progress))
    else:
        from dicomlab.read.catalogue import Catalogue

        with Catalogue(Path(cache).expanduser(), paths) as catalogue:
            instances = list(_read_all(files, skipped, progress, catalogue))
    headers = Headers(instances)
    said = [headers.texts(key) for key in ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID")]
    found: dict[tuple[str, ...], list[int]] = {}
    rivals: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    by_uid: dict[str, Instance] = {}
    for k, (instance, uid, study, name) in enumerate(zip(instances, *said, strict=True)):
        file = instance.file
        if dicomdir.is_index(instance):
            skipped[file.name] = dicomdir.describe(instance, files)
            continue
        # Files that name no series are kept apart by folder: nothing else says what belongs together.
        # A series is of one study: where anonymisers gave two patients one Series Instance UID, that of the study may tell.
        key = (uid, study, "" if uid else os.path.dirname(file.name))
        twin = by_uid.setdefault(name, instance) if name else instance
        if twin is not instance:
            if _same_bytes(twin.file, file):
                skipped[file.name] = f"the same file as {twin.file.name}, byte for byte"
                continue
            rivals.setdefault(key, []).append((twin.file.name, file.name))
            by_uid[name] = instance
        found.setdefault(key, []).append(k)
    # An order that depends neither on the order of reading nor, as far as can be, on names of files.
    names = [instance.file.name for instance in instances]
    labels = list(zip(headers.integers("InstanceNumber", 0), said[2], names, strict=True))
    for members in found.values():
        members.sort(key=labels.__getitem__)
    series = [
        Series(key[0], tuple(members), _rivals(rivals.get(key, [])))
        for key, members in attach(found, headers).items()
    ]
    shown = str(paths[0]) if len(paths) == 1 else f"{len(paths)} paths"
    return SeriesList(sorted(series, key=_series_order), skipped, shown)


def _read_all(
    files: list[FileRef],
    skipped: dict[str, str],
    progress: bool,
    catalogue: Catalogue | None = None,
) -> Iterator[Instance]:
    """The instances in `files`, to which the members of the archives among them are added."""
    reader = Reader()
    for file in progress_bar(list(files), "reading headers", progress):
        try:
            found = None if catalogue is None else catalogue.find(file)
            head = file.head(reader.enough) if found is None else b""
        except OSError as problem:
            skipped[file.name] = f"cannot be opened: {problem}"
            continue
        if isinstance(found, str):
            skipped[file.name] = found
        elif found is not None:
            yield found
        elif not head:
            skipped[file.name] = "empty file"
            if catalogue is not None:
                catalogue.keep(file, skipped[file.name])
        elif head.startswith(ARCHIVE_START):
            for member in expand(file, skipped.__setitem__):
                files.append(member)
                instance = _read_one(reader, member, None, skipped, None)
                if instance is not None:
                    yield instance
        else:
            instance = _read_one(reader, file, head, skipped, catalogue)
            if instance is not None:
                yield instance


def _read_one(
    reader: Reader, file: FileRef, head: bytes | None, skipped: dict[str, str], catalogue: Catalogue | None
) -> Instance | None:
    try:
        found: Instance | str = reader.read(file, file.head(reader.enough) if head is None else head)
    except (NotDicomError, OSError) as problem:
        skipped[file.name] = found = str(problem)
        # A network that was away for a moment, or memory that was full, says nothing about the file.
        if isinstance(problem, OSError) or isinstance(problem.__cause__, (OSError, MemoryError)):
            return None
    if catalogue is not None:
        catalogue.keep(file, found)
    return None if isinstance(found, str) else found


def _rivals(pairs: Sequence[tuple[str, str]]) -> tuple[Finding, ...]:
    if not pairs:
        return ()
    names = tuple(dict.fromkeys(name for pair in pairs for name in pair))
    message = f"{len(names)} files claim SOP Instance UIDs (0008,0018) of one another but differ"
    return (Finding("same_instance_differs", message, names, float(len(pairs)), "files"),)


def _series_order(series: Series) -> tuple[str, int, str]:
    return series.instances[0].text("StudyInstanceUID"), series.number or 0, series.uid


def _same_bytes(one: FileRef, other: FileRef) -> bool:
    if one.size != other.size:
        return False
    with one.open() as a, other.open() as b:
        while True:
            left, right = a.read(1 << 20), b.read(1 << 20)
            if left != right:
                return False
            if not left:
                return True
