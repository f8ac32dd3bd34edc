"""What is asked of an archive, as the data set that travels: levels, unique keys, keywords."""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Final

from pydicom.datadict import dictionary_VR, keyword_dict, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.valuerep import VR

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.uids import is_uid
from dicomlab.warn import quiet

__all__ = ["KEYS", "LEVELS", "UNIQUE", "check_level", "question", "texts", "unique_keys"]

LEVELS: Final = ("study", "series", "image")

UNIQUE: Final[Mapping[str, str]] = {
    "patient": "PatientID",
    "study": "StudyInstanceUID",
    "series": "SeriesInstanceUID",
    "image": "SOPInstanceUID",
}
"""The unique key of each level (PS3.4 C.6.1.1, C.6.2.1)."""

KEYS: Final[Mapping[str, tuple[str, ...]]] = {
    "study": (
        "PatientName",
        "PatientID",
        "StudyDate",
        "StudyTime",
        "StudyDescription",
        "AccessionNumber",
        "ModalitiesInStudy",
        "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances",
        "StudyInstanceUID",
    ),
    "series": (
        "Modality",
        "SeriesNumber",
        "SeriesDescription",
        "BodyPartExamined",
        "NumberOfSeriesRelatedInstances",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    ),
    "image": (
        "InstanceNumber",
        "Rows",
        "Columns",
        "NumberOfFrames",
        "SOPClassUID",
        "SOPInstanceUID",
        "SeriesInstanceUID",
        "StudyInstanceUID",
    ),
}
"""What is asked back at each level without being named."""

_LONGEST: Final = 1024
_NO_KEYS: Final = ("SQ", "OB", "OW", "OD", "OF", "OL", "OV", "UN", "OB or OW")


def check_level(level: Any) -> str:
    """Return the level, or refuse it.

    Raises
    ------
    DicomLabError
        It is none of study, series and image.
    """
    if isinstance(level, str) and level.lower() in LEVELS:
        return level.lower()
    raise DicomLabError(
        f'a level of the archive is "study", "series" or "image" (PS3.4 C.6.2.1); found {level!r}'
    )


def question(level: str, keywords: Mapping[str, Any], keys: Iterable[str] = ()) -> Dataset:
    """Return the identifier of a C-FIND at a level: what must match, and what is wanted back.

    Parameters
    ----------
    level
        One of `LEVELS`.
    keywords
        PS3.6 keywords and the values that they must match.
    keys
        Further keywords that shall come back.

    Raises
    ------
    DicomLabError
        A keyword that there is not or that cannot be asked for, a value that none can be, or no unique key of a level above.

    References
    ----------
    PS3.4 C.4.1.2.1 "Baseline Behavior of SCU".
    """
    asked = Dataset()
    asked.QueryRetrieveLevel = level.upper()
    for keyword in (*KEYS[level], *keys):
        _check_keyword(keyword)
        setattr(asked, keyword, None if keyword in _NUMBERS else "")
    with quiet():
        for keyword, value in keywords.items():
            vr = _check_keyword(keyword)
            setattr(asked, keyword, _value(keyword, vr, value))
    for above in LEVELS[: LEVELS.index(level)]:
        uid = str(asked.get(UNIQUE[above]) or "")
        if not is_uid(uid):
            raise DicomLabError(
                f"the {level} level was asked; an archive finds a {level} within one {above}, so say which: "
                f"of=studies[0] of an earlier find, or {UNIQUE[above]}=… (PS3.4 C.4.1.2.1)"
            )
    if not _is_ascii(asked):
        asked.SpecificCharacterSet = "ISO_IR 192"
    return asked


def unique_keys(level: str, values: Mapping[str, Any]) -> Dataset:
    """Return the identifier of a retrieve: the level, and the unique keys down to it.

    Raises
    ------
    DicomLabError
        One of the unique keys is missing, or is no UID.
    """
    wanted = Dataset()
    wanted.QueryRetrieveLevel = level.upper()
    for one in LEVELS[: LEVELS.index(level) + 1]:
        keyword = UNIQUE[one]
        uid = str(values.get(keyword) or "")
        if not is_uid(uid):
            what = "is not given" if not uid else "is no UID"
            raise DicomLabError(
                f"a {level} was asked for, and its {keyword} {what}; archives want the UIDs of all levels down to it "
                "(PS3.4 C.4.3.2.1): take what find returned"
            )
        setattr(wanted, keyword, uid)
    return wanted


def texts(dataset: Dataset, keyword: str) -> list[str]:
    """Return the values of an attribute as texts, none where it is empty, absent or cannot be parsed."""
    with quiet():
        try:
            if keyword not in dataset:
                return []
            element = dataset[keyword]
            if element.is_empty or element.VR == "SQ":
                return []
            value = element.value
            many = value if element.VM > 1 else [value]
            return [str(one) for one in many]
        except Exception:  # pydicom raises whatever a broken value makes it raise
            return []


_NUMBERS: Final = frozenset(["Rows", "Columns"])


def _check_keyword(keyword: Any) -> str:
    if not isinstance(keyword, str) or tag_for_keyword(keyword) is None:
        near = difflib.get_close_matches(str(keyword), keyword_dict, n=1)
        hint = f"; nearest is {near[0]}" if near else ""
        raise DicomLabError(f"there is no keyword {keyword!r} in PS3.6{hint}")
    tag = tag_for_keyword(keyword) or 0
    vr = dictionary_VR(keyword)
    if tag >> 16 < 8 or vr in _NO_KEYS:
        raise DicomLabError(f"{keyword} ({vr}) is nothing that an archive can be asked for by value")
    return vr


def _value(keyword: str, vr: str, value: Any) -> Any:
    if value is None:
        return None
    many = list(value) if isinstance(value, (list, tuple)) else [value]
    if not all(isinstance(one, (str, int, float, datetime.date, datetime.time)) for one in many):
        kinds = ", ".join(sorted({type(one).__name__ for one in many}))
        raise DicomLabError(f"{keyword} was given as {kinds}; a value is text, a number, a date or a list")
    made = [_text(one) for one in many]
    if sum(map(len, made)) > _LONGEST * (64 if vr == "UI" else 1):
        raise DicomLabError(f"{keyword} was given as {sum(map(len, made))} characters; that is no value")
    if vr in ("US", "SS", "UL", "SL", "FL", "FD"):
        try:
            numbers = [(float if vr in ("FL", "FD") else int)(one) for one in made]
        except ValueError:
            raise DicomLabError(f"{keyword} ({vr}) is a number; found {type(value).__name__}") from None
        return numbers[0] if len(numbers) == 1 else numbers
    if vr == "UI" and not all(is_uid(one) or not one for one in made):
        raise DicomLabError(f"{keyword} is a UID, digits and dots; what was given is none")
    if vr in ("IS", "DS") and any("*" in one or "?" in one for one in made):
        raise DicomLabError(f"{keyword} ({vr}) is a number, which knows no wildcards")
    return made[0] if len(made) == 1 else made


def _text(value: Any) -> str:
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y%m%d%H%M%S")
    if isinstance(value, datetime.date):
        return value.strftime("%Y%m%d")
    if isinstance(value, datetime.time):
        return value.strftime("%H%M%S")
    return str(value)


def _is_ascii(dataset: Dataset) -> bool:
    return all(str(element.value or "").isascii() for element in dataset if element.VR in _TEXTS)


_TEXTS: Final = frozenset([VR.PN, VR.LO, VR.LT, VR.SH, VR.ST, VR.UC, VR.UT])
