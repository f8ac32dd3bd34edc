"""What a request means: a match of an earlier find, or UIDs by keyword."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dicomlab.errors import DicomLabError
from dicomlab.extras.network.answers import Match
from dicomlab.extras.network.questions import LEVELS, UNIQUE

__all__ = ["level_of", "uids_of"]


def uids_of(of: Any) -> dict[str, Any]:
    """Return the UIDs of the study or series within which is asked."""
    if of is None:
        return {}
    values = of.uids if isinstance(of, Match) else of
    if not isinstance(values, Mapping):
        raise DicomLabError(
            f"of= is a match of an earlier find, such as studies[0], or UIDs by keyword; found {type(of).__name__}"
        )
    return {key: values[key] for key in UNIQUE.values() if key in values and key != "PatientID"}


def level_of(what: Any) -> tuple[str, dict[str, str]]:
    """Return the level that a request means, and its UIDs."""
    if isinstance(what, Match):
        return what.level, what.uids
    if isinstance(what, str) or not isinstance(what, Mapping):
        raise DicomLabError(
            "a study, series or image is named by a match of find, such as series[0], or by the UIDs of all levels down to it, "
            f'{{"StudyInstanceUID": …, "SeriesInstanceUID": …}}; found {type(what).__name__}'
        )
    uids = {UNIQUE[one]: str(what[UNIQUE[one]]) for one in LEVELS if what.get(UNIQUE[one])}
    level = next((one for one in reversed(LEVELS) if UNIQUE[one] in uids), "study")
    return level, uids
