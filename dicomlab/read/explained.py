"""`explain` for all that can be read: files, folders and series, beside what the dictionary explains by itself."""

from __future__ import annotations

import os
from pathlib import Path

import xarray as xr
from pydicom.dataset import Dataset

from dicomlab import dictionary
from dicomlab.dictionary import Explanation, HeaderExplanation
from dicomlab.dictionary.header import explain_header
from dicomlab.dictionary.modules import sop_class_uid
from dicomlab.errors import AmbiguousSourceError, DicomLabError, NotDicomError
from dicomlab.read.find import find_series
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.identity import identity_in_header
from dicomlab.read.series import Series, SeriesList
from dicomlab.read.stacks import Stack

__all__ = ["explain"]


def explain(
    what: object, *, sop_class: str | None = None, creator: str = ""
) -> Explanation | HeaderExplanation:
    """What an attribute, a UID, a value representation or a whole header means: facts, plain words, and the trap.

    Parameters
    ----------
    what
        A keyword or name (``"PixelSpacing"``, ``"pixel spacing"``), a tag (``(0x0028, 0x0030)``, ``0x00280030``,
        ``"(0028,0030)"``), a UID or its name (``"1.2.840.10008.1.2.1"``, ``"CT Image Storage"``), a VR (``"DS"``), a
        word of the field (``"affine"``, ``"LPS"``); or something
        that has a header: a `pydicom.Dataset`, a file, a folder of one series, a `Series`, a `Stack`, of which the first
        instance is told, or one of its instances.
    sop_class
        UID, keyword or name of a SOP class, or ``"CT"``, ``"MR"``, ``"RTSTRUCT"`` and the like: module and type in that one. By
        default in twenty common ones, and for a header in its own.
    creator
        Private Creator of a private attribute.

    Returns
    -------
    Explanation or HeaderExplanation
        Text in a console, a card or a table in a notebook; `to_dict` has all of it. Values of a header are masked where they
        identify somebody.

    Raises
    ------
    DicomLabError
        Nothing is called so; the message has names that hold the word, or are similar.

    References
    ----------
    DICOM PS3.6 (attributes and UIDs), PS3.5 section 6.2 (VRs), PS3.3 annexes A and C (modules and types). Names, VRs and VMs
    are those of pydicom's dictionaries.

    Examples
    --------
    >>> explain("PixelSpacing").vm_means
    'exactly 2 values'
    >>> explain("PixelSpacin")
    Traceback (most recent call last):
    dicomlab.errors.DicomLabError: nothing in DICOM is called 'PixelSpacin'; did you mean PixelSpacing, ...
    """
    if isinstance(what, (xr.DataArray, xr.Dataset)):
        raise DicomLabError(
            "a volume carries no header: explain the series or the file that it was loaded from"
        )
    if isinstance(what, (Dataset, Series, Stack, SeriesList, Instance)) or _is_path(what):
        uid = sop_class_uid(sop_class) if sop_class is not None else None
        header, title = _header_of(what)
        return explain_header(header, title, identity=identity_in_header(header), sop_class=uid)
    return dictionary.explain(what, sop_class=sop_class, creator=creator)


def _is_path(what: object) -> bool:
    """Whether `what` is a path: a Path, or a text with a separator, or the name of something that is there."""
    if isinstance(what, os.PathLike):
        return True
    if not isinstance(what, str) or not what.strip() or len(what) > 4096 or "\0" in what:
        return False
    try:
        found = dictionary.explain(what)
    except DicomLabError:
        return os.sep in what or "/" in what or Path(what).exists()
    # A keyword stays one, whatever files are called; folders that are called by a UID, or "volume", are common.
    return not found.keyword and found.kind in ("UID", "word of the field") and Path(what).exists()


def _header_of(source: object) -> tuple[Dataset, str]:
    """The header of the first instance, and what it is called."""
    if isinstance(source, Dataset):
        return source, ""
    if isinstance(source, Instance):
        return read_header(source.file), source.file.name
    if not isinstance(source, (Series, Stack)):
        found = source if isinstance(source, SeriesList) else find_series(source)  # type: ignore[arg-type]
        if len(found) != 1:
            if not found:
                reasons = "; ".join(f"{name}: {reason}" for name, reason in list(found.skipped.items())[:3])
                raise NotDicomError(f"no DICOM in {found.source}. {reasons}")
            raise AmbiguousSourceError(f"{len(found)} series are there, pick one of them:\n{found!r}")
        source = found[0]
    if not source.instances:
        raise NotDicomError("this series has no instances, so there is no header to explain")
    instance = source.instances[0]
    many = len(source.instances)
    return read_header(instance.file), instance.file.name + (f" (the first of {many})" if many > 1 else "")
