"""Checks of chapter 13: an archive, as the phantom's study tells what it must answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from dicomlab.phantom.study import CT_SHAPE, MR_SHAPE, PET_SHAPE
from dicomlab.teach.exercises.answers import Off, check, described, judged, number, numbers, text, whole
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_COARSER: Final = 3
_CT, _MR, _PET = (shape[0] // _COARSER for shape in (CT_SHAPE, MR_SHAPE, PET_SHAPE))
_PLACES: Final = ("the request", "the caller's connection", "its own list")


@check
def _mend(answer: Any) -> Verdict:
    found = text(answer, "the name of an argument").strip().lower().rstrip("=")
    if found in ("ae_title", "aetitle", "ae title", "title"):
        return right("somebody answers there, but under another name.")
    if found == "own_title":
        return wrong("that is what *we* are called. It says that the archive is not called PACS.")
    if found in ("host", "port"):
        return wrong(
            f"with a wrong {found} nobody would have answered; here a DICOM service did, and refused. Read on."
        )
    if found == "timeout":
        return wrong("it answered in time; only the answer was no.")
    return wrong("one of host, port, ae_title, own_title and timeout.")


@check
def _images(answer: Any) -> Verdict:
    found = whole(answer, "a number of images")
    return judged(
        found,
        _PET,
        within=0,
        good="Number of Series Related Instances (0020,1209).",
        mistakes=[
            (_CT, "that is the CT; PET is PT in Modality."),
            (_MR, "that is the MR; PET is PT in Modality."),
            (_CT + _MR + _PET, "that is the whole study, all three series."),
            (3, "that is the number of series."),
            (4, "that is its Series Number: what it is called, not how many images it has."),
        ],
        otherwise="the row with Modality PT, the column NumberOfSeriesRelatedInstances.",
    )


@check
def _question(answer: Any) -> Verdict:
    if not isinstance(answer, Mapping):
        raise Off(f"a dictionary, keyword → value, is asked for; this is {described(answer)}.")
    if len(answer) > 20:
        raise Off(f"a dictionary of a few keywords is asked for; this one has {len(answer)}.")
    asked = {
        text(key, "a keyword"): text(value, f"the value of {str(key)[:40]}") for key, value in answer.items()
    }
    needed = {"PatientName", "StudyDate"}
    if "PatientID" in asked:
        return wrong("PatientID is a number that the hospital gave; the name is PatientName.")
    if missing := needed - set(asked):
        return wrong(f"{sorted(missing)[0]} is missing: both, name and date, are to match.")
    if extra := {key for key in set(asked) - needed if asked[key]}:
        return wrong(f"{sorted(extra)[0][:40]} narrows it down further than was asked.")
    name, day = asked["PatientName"].strip(), asked["StudyDate"].strip()
    if name.casefold() == "ph":
        return wrong("that finds a patient who is called just Ph. What follows may be anything: *.")
    if name.casefold() == "*ph*":
        return wrong("that also finds Joseph: the name is to *begin* with Ph.")
    if "%" in name or ".*" in name:
        return wrong("that is the wildcard of another language; here * stands for any characters.")
    if "?" in name:
        return wrong("? stands for exactly one character; * for any number of them.")
    if name.casefold() not in ("ph*", "ph**"):
        return wrong("the name begins with Ph, and * stands for what follows.")
    if re.search(r"\d{4}-\d{2}-\d{2}", day) or "/" in day or "." in day:
        return wrong(
            "dates are YYYYMMDD, without anything in between; the only dash stands between from and to."
        )
    if "*" in day or "?" in day:
        return wrong("dates know no wildcards. A range has a dash: from-to.")
    if not re.fullmatch(r"\d{8}-\d{8}", day):
        return wrong("a range of dates is YYYYMMDD-YYYYMMDD, both ends included.")
    low, high = day.split("-")
    if low > high:
        return wrong("from comes first, then to: this range is empty.")
    if low != "20240101":
        return wrong("it begins on the first of January, 20240101.")
    if high == "20240631":
        return wrong("June has 30 days: 20240631 is no date.")
    if high in ("20240701", "20240531"):
        return wrong("both ends are included: it ends on the last of June.")
    if high != "20240630":
        return wrong("it ends on the last of June, 20240630.")
    return right("a wildcard and a range; all else is left open.")


@check
def _changed(answer: Any) -> Verdict:
    found = number(answer, "a difference in HU")
    if found == 0:
        return right("a network moves bits; uncompressed or lossless, an image arrives as it was.")
    if found > 3000:
        return wrong(
            "that looks like the largest value less the smallest: subtract the arrays first, then take the maximum."
        )
    if found < 0:
        return wrong("a largest difference has no sign: abs, then max.")
    return wrong("compare the same voxels: volume.values − study.ct.truth.values, then abs, then max.")


@check
def _caller(answer: Any) -> Verdict:
    found = text(answer, "one of the three").strip().lower().replace("’", "'")
    if found == _PLACES[2]:
        return right("so somebody has to enter VIEWER there, before anything can be sent to it.")
    if found == _PLACES[0]:
        return wrong("the request holds an AE title, and nothing else: no address, no port.")
    if found == _PLACES[1]:
        return wrong(
            "that would be C-GET. VIEWER need not be the caller: a workstation may order images for a printer."
        )
    return wrong(f"one of {', '.join(repr(place) for place in _PLACES)}.")


@check
def _holds(answer: Any) -> Verdict:
    found = numbers(answer, (2,), "a pair of numbers, series and images,")
    before, images = 3, _CT + _MR + _PET
    true = (before + 1, images + _CT)
    return judged(
        found,
        true,
        within=0,
        good="a derived series of its own, in the same study.",
        mistakes=[
            (
                (before, images),
                "that is from before you stored: ask again, answers do not change by themselves.",
            ),
            (true[::-1], "the right numbers; series come first."),
            ((before, images + _CT), "the new images are a series of their own."),
            ((before + 1, images), "the new series has images, too."),
            ((before + 1, images + 1), "the new series has as many images as the CT, not one."),
        ],
        otherwise='archive.find("study") once more, and its two columns NumberOfStudyRelated….',
    )


CHECKS: Final[dict[int, Check]] = {
    0: _mend,
    1: _images,
    2: _question,
    3: _changed,
    4: _caller,
    5: _holds,
}
"""By number."""
