"""What users name (paths, series, data sets) as files, in a fixed order."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from pydicom.dataset import Dataset

from dicomlab.errors import DicomLabError, NotDicomError
from dicomlab.read.archives import ARCHIVE_START
from dicomlab.read.find import find_series
from dicomlab.read.headers import Instance
from dicomlab.read.series import PathLike, Series, SeriesList
from dicomlab.read.sources import FileRef
from dicomlab.read.stacks import Stack

__all__ = ["HeaderSource", "Source", "open_source"]

HeaderSource: TypeAlias = "PathLike | Sequence[PathLike] | Series | Stack | SeriesList | Dataset"


@dataclass(frozen=True, eq=False)
class Source:
    """Files, or one data set.

    Parameters
    ----------
    series
        Of several files: the series that they belong to, whose instances are `files` in this order.
    """

    title: str
    files: tuple[FileRef, ...] = ()
    dataset: Dataset | None = None
    series: tuple[Series | Stack, ...] = field(default=(), repr=False)

    @property
    def instances(self) -> tuple[Instance, ...]:
        """Instances of all series."""
        return tuple(instance for series in self.series for instance in series.instances)


def open_source(source: HeaderSource, verb: str, *, progress: bool = True, listed: bool = False) -> Source:
    """The files that `source` names.

    Parameters
    ----------
    verb
        The function that asks, for errors.
    listed
        Whether the series of a single file is asked for, too.

    Raises
    ------
    NotDicomError
        There is no DICOM.
    DicomLabError
        It is none of the things that `verb` takes.
    """
    if isinstance(source, Dataset):
        return Source("header", dataset=source)
    if isinstance(source, (str, os.PathLike)):
        path = Path(source).expanduser()
        if not listed and path.is_file() and _is_one_object(path):
            file = FileRef(path.absolute(), path.name)
            return Source(file.name, (file,))
        source = find_series(path, progress=progress)
    elif isinstance(source, (list, tuple, set, frozenset)):
        source = find_series(source, progress=progress)
    if isinstance(source, (Series, Stack)):
        members: Sequence[Series | Stack] = [source]
        title = _title(source)
    elif isinstance(source, SeriesList):
        if not source:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in list(source.skipped.items())[:3])
            raise NotDicomError(f"no DICOM in {source.source}. {reasons}")
        members = source
        title = _title(source[0]) if len(source) == 1 else f"{len(source)} series"
    else:
        raise DicomLabError(
            f"{verb} takes a path, a Series, a Stack or a pydicom.Dataset; found {type(source).__name__}. A volume "
            "carries no header: give the series or the file that it was loaded from."
        )
    files = tuple(instance.file for one in members for instance in one.instances)
    return Source(files[0].name if len(files) == 1 else title, files, series=tuple(members))


def _title(source: Series | Stack) -> str:
    modality = source.instances[0].modality
    return f"{modality} {'series' if isinstance(source, Series) else 'stack'}".strip()


def _is_one_object(path: Path) -> bool:
    """Whether a file is no archive. An index (DICOMDIR) has a header like any other."""
    with path.open("rb") as stream:
        return stream.read(len(ARCHIVE_START)) != ARCHIVE_START
