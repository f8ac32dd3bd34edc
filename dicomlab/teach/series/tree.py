"""Patient, study, series: the upper floors of the tree, identity masked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dicomlab.errors import DicomLabError
from dicomlab.privacy import identity_shown
from dicomlab.read import Series
from dicomlab.read.headers import read_header
from dicomlab.read.listing import size_text, spacing_text
from dicomlab.teach.series.labels import masked, short
from dicomlab.teach.series.pictures import picture_of

__all__ = ["MOST_SERIES", "series_facts", "tree_of"]

MOST_SERIES = 400
"""Series that are listed."""
_MOST_PICTURES = 30


def tree_of(some: Sequence[Series]) -> list[dict[str, Any]]:
    """Patients with their studies, which name their series by number, in the order given."""
    patients: dict[str, dict[str, dict[str, Any]]] = {}
    told: dict[str, dict[str, Any]] = {}
    for k, series in enumerate(some):
        study = series.instances[0].text("StudyInstanceUID")
        if study not in told:
            told[study] = _study(series)
        patient = told[study]["patient"]
        patients.setdefault(patient, {}).setdefault(study, {**told[study], "series": []})["series"].append(k)
    found = []
    for number, studies in enumerate(patients.values(), start=1):
        first = next(iter(studies.values()))
        found.append(
            {
                "name": first["name"] if identity_shown() and first["name"] else f"Patient {number}",
                "facts": first["facts"],
                "studies": [
                    {
                        "name": f"Study {n}",
                        "facts": study["of_study"],
                        "series": study["series"],
                    }
                    for n, study in enumerate(studies.values(), start=1)
                ],
            }
        )
    return found


def _study(series: Series) -> dict[str, Any]:
    """What one header of a study says of patient and study."""
    keys = ("PatientID", "PatientName", "PatientBirthDate", "PatientSex", "StudyDate", "StudyDescription")
    try:
        header = read_header(series.instances[0].file)
        said = {key: str(header.get(key, "") or "") for key in keys}
    except (DicomLabError, OSError):
        said = dict.fromkeys(keys, "")
    return {
        # Who belongs together is decided by the number, shown or not.
        "patient": said["PatientID"] or said["PatientName"],
        "name": masked("PatientName", "PN", said["PatientName"]),
        "facts": _facts(
            ("ID", masked("PatientID", "LO", said["PatientID"])),
            ("born", masked("PatientBirthDate", "DA", said["PatientBirthDate"])),
            ("sex", masked("PatientSex", "CS", said["PatientSex"])),
        ),
        "of_study": _facts(
            ("date", masked("StudyDate", "DA", said["StudyDate"])),
            ("description", masked("StudyDescription", "LO", said["StudyDescription"])),
        ),
    }


def _facts(*pairs: tuple[str, str]) -> list[list[str]]:
    return [[name, value] for name, value in pairs if value]


def series_facts(k: int, series: Series) -> dict[str, Any]:
    """What the tree and the head of one series say."""
    facts = series._facts()
    spacing = spacing_text(facts)
    codes = list(dict.fromkeys(finding.code for finding in series.findings))
    axes = _axes_text(facts["axes"], whole="incomplete_steps" in codes)
    return {
        "key": k,
        "number": series.number,
        "modality": short(series.modality, 16),
        "description": short(series.description),  # its names are masked already
        "files": len(series.instances),
        "images": _images_text(facts["images"], axes) if series.stacks else "no image",
        "size": size_text(facts),
        "plane": facts["plane"],
        "axes": axes,
        "spacing": spacing,
        "stacks": facts["stacks"],
        "codes": codes,
        "picture": _middle_picture(series) if k < _MOST_PICTURES else None,
    }


def _axes_text(axes: str, *, whole: bool) -> str:
    """How many steps of what; `whole` where others lack images, which the grid shows and loading leaves out."""
    steps = [one.partition(" ") for one in axes.split(" × ") if one]
    what = "whole step" if whole else "step"
    return " × ".join(f"{count} {what}{'' if count == '1' else 's'} of {name}" for count, _, name in steps)


def _images_text(count: int, axes: str) -> str:
    return f"{count} image{'' if count == 1 else 's'}{f' ({axes})' if axes else ''}"


def _middle_picture(series: Series) -> str | None:
    """The middle slice of the largest stack, small; None where there is none to be seen."""
    if not series.stacks:
        return None
    stack = series.stacks[0]
    try:
        planes = stack.planes if stack.flat is not None else stack.arrangement.planes
        middle = planes[stack.arrangement.shape[-1] // 2] if stack.flat is None else planes[0]
    except DicomLabError:
        middle = stack.planes[len(stack.planes) // 2]
    return picture_of(stack, middle).get("src")
