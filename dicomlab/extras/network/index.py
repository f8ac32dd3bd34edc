"""What a folder holds, as an archive knows it: headers by level, found and matched."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.matching import attribute_matches
from dicomlab.extras.network.questions import UNIQUE, texts
from dicomlab.extras.network.uids import is_uid
from dicomlab.read.headers import read_header
from dicomlab.read.sources import FileRef
from dicomlab.warn import quiet

__all__ = ["BadQuestion", "Entry", "Index"]

_KEPT: Final = (
    "SpecificCharacterSet",
    "SOPClassUID",
    "SOPInstanceUID",
    "StudyDate",
    "SeriesDate",
    "StudyTime",
    "SeriesTime",
    "AccessionNumber",
    "Modality",
    "Manufacturer",
    "ManufacturerModelName",
    "InstitutionName",
    "ReferringPhysicianName",
    "StudyDescription",
    "SeriesDescription",
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "PatientAge",
    "BodyPartExamined",
    "ProtocolName",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyID",
    "SeriesNumber",
    "InstanceNumber",
    "FrameOfReferenceUID",
    "NumberOfFrames",
    "Rows",
    "Columns",
)
"""What can be asked: the required and usual keys of PS3.4 C.6.1.1 and C.6.2.1."""

_ROOTS: Final[Mapping[str, tuple[str, ...]]] = {
    "1.2.840.10008.5.1.4.1.2.1": ("patient", "study", "series", "image"),
    "1.2.840.10008.5.1.4.1.2.2": ("study", "series", "image"),
}
"""Levels of the Patient Root and Study Root models, by how their SOP class UIDs begin."""


class BadQuestion(Exception):
    """A question that the model does not allow: the answer is status A900."""


class Entry(NamedTuple):
    """One object: its file, what can be asked of it, and how it is stored."""

    path: Path
    header: Dataset
    transfer_syntax: UID


class Index:
    """The objects of a folder by SOP Instance UID.

    Attributes
    ----------
    skipped
        Files that are left out, and why.
    """

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}
        self._lock = threading.Lock()
        self.skipped: dict[Path, str] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def scan(self, folder: Path) -> None:
        """Take in every DICOM file below a folder."""
        for place, folders, names in os.walk(folder):
            folders.sort()
            for name in sorted(names):
                self.add(Path(place) / name)

    def add(self, path: Path) -> None:
        """Take in one file, or note why not."""
        try:
            whole = read_header(FileRef(path, path.name))
            header = Dataset()
            with quiet():
                for keyword in _KEPT:
                    if texts(whole, keyword):
                        header[keyword] = whole[keyword]
                syntax = UID(str(getattr(whole.file_meta, "TransferSyntaxUID", "")))
        except (DicomLabError, OSError, AttributeError, ValueError):
            self.skipped[path] = "it cannot be read as DICOM"
            return
        uids = [texts(header, UNIQUE[level]) for level in ("study", "series", "image")]
        if not all(uid and is_uid(uid[0]) for uid in uids) or not texts(header, "SOPClassUID"):
            self.skipped[path] = "it lacks one of the UIDs that an archive finds by"
            return
        with self._lock:
            known = self._entries.setdefault(uids[-1][0], Entry(path, header, syntax))
        if known.path != path:
            self.skipped[path] = f"it has the SOP Instance UID of {known.path.name}"

    def find(self, model: str, question: Dataset) -> list[Dataset]:
        """Answers to a C-FIND, one for each match.

        Raises
        ------
        BadQuestion
            The level is none of the model's, or a unique key of a level above is missing.
        """
        levels, level = _levels(model, question)
        above = levels[: levels.index(level)]
        _need(question, above)
        groups: dict[str, list[Entry]] = {}
        for entry in self._within(question, above):
            groups.setdefault("".join(texts(entry.header, UNIQUE[level])), []).append(entry)
        keywords = [element.keyword for element in question if element.keyword in _ANSWERABLE]
        found = []
        for group in groups.values():
            told = self._told(group)
            if all(_asked_for(question, keyword, told) for keyword in keywords):
                found.append(_answer(question, told, level))
        return found

    def take(self, model: str, question: Dataset) -> list[Entry]:
        """Objects that a C-GET or C-MOVE means.

        Raises
        ------
        BadQuestion
            The level is none of the model's, or a unique key is missing.
        """
        levels, level = _levels(model, question)
        keys = levels[: levels.index(level) + 1]
        _need(question, keys)
        return self._within(question, keys)

    def _within(self, question: Dataset, levels: Iterable[str]) -> list[Entry]:
        with self._lock:
            entries = list(self._entries.values())
        wanted = [(key, texts(question, key)) for key in (UNIQUE[level] for level in levels)]
        return [
            one
            for one in entries
            if all(
                attribute_matches(asked, texts(one.header, key), dictionary_VR(key)) for key, asked in wanted
            )
        ]

    def _told(self, group: list[Entry]) -> Dataset:
        """What can be said of a patient, study, series or image: the header of its first object, and what is counted."""
        told = Dataset()
        told.update({element.tag: element for element in group[0].header})
        study, series = (texts(told, UNIQUE[level]) for level in ("study", "series"))
        with self._lock:
            entries = list(self._entries.values())
        of_study = [one.header for one in entries if texts(one.header, UNIQUE["study"]) == study]
        of_series = [one for one in of_study if texts(one, UNIQUE["series"]) == series]
        names = sorted({name for one in of_study for name in texts(one, "Modality")})
        told.ModalitiesInStudy = names
        told.SOPClassesInStudy = sorted({name for one in of_study for name in texts(one, "SOPClassUID")})
        told.NumberOfStudyRelatedSeries = len({tuple(texts(one, UNIQUE["series"])) for one in of_study})
        told.NumberOfStudyRelatedInstances = len(of_study)
        told.NumberOfSeriesRelatedInstances = len(of_series)
        return told


_COUNTED: Final = (
    "ModalitiesInStudy",
    "SOPClassesInStudy",
    "NumberOfStudyRelatedSeries",
    "NumberOfStudyRelatedInstances",
    "NumberOfSeriesRelatedInstances",
)
_ANSWERABLE: Final = frozenset(_KEPT[1:] + _COUNTED)


def _levels(model: str, question: Dataset) -> tuple[tuple[str, ...], str]:
    levels = next((found for root, found in _ROOTS.items() if model.startswith(root)), ())
    level = "".join(texts(question, "QueryRetrieveLevel")).strip().lower()
    if level not in levels:
        raise BadQuestion("no such level in this model")
    return levels, level


def _need(question: Dataset, levels: Iterable[str]) -> None:
    for level in levels:
        value = texts(question, UNIQUE[level])
        if not any(value) or any("*" in one or "?" in one for one in value):
            raise BadQuestion(f"the unique key of the {level} level is missing")


def _asked_for(question: Dataset, keyword: str, told: Dataset) -> bool:
    asked, have = texts(question, keyword), texts(told, keyword)
    if keyword.startswith("NumberOf") and keyword in _COUNTED:
        return True  # asked back, never matched (PS3.4 C.3.4)
    return attribute_matches(asked, have, dictionary_VR(keyword))


def _answer(question: Dataset, told: Dataset, level: str) -> Dataset:
    answer = Dataset()
    answer.QueryRetrieveLevel = level.upper()
    if "SpecificCharacterSet" in told:
        answer["SpecificCharacterSet"] = told["SpecificCharacterSet"]
    for element in question:
        keyword = element.keyword
        if keyword in ("QueryRetrieveLevel", "SpecificCharacterSet", ""):
            continue
        if keyword in _ANSWERABLE and keyword in told:
            answer[keyword] = told[keyword]
        else:
            answer.add_new(element.tag, element.VR, None if element.VR != "SQ" else [])
    return answer
