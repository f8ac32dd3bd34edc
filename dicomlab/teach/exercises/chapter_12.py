"""Checks of chapter 12: what identifies a patient, and where it hides."""

from __future__ import annotations

import functools
from datetime import date
from typing import Any, Final

import numpy as np
from PIL import Image, ImageDraw
from pydicom import Dataset

from dicomlab import phantom
from dicomlab.privacy import is_identifying
from dicomlab.teach.exercises.answers import check, judged, names, text, whole
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS", "plant"]

_SHAPE: Final = (16, 168, 192)
_BURNED: Final = 12
"""Instance Number of the image in which the name stands."""
_ASKED: Final = {
    "PatientName": "PN",
    "Rows": "US",
    "StudyDate": "DA",
    "KVP": "DS",
    "InstitutionName": "LO",
    "PixelSpacing": "DS",
    "AccessionNumber": "SH",
    "Modality": "CS",
}
"""What exercise 0 asks for, and their VRs."""
_PLACES: Final = ("names", "comments", "private", "uids", "pixels")
_DAYS: Final = (date(2024, 2, 29), date(2024, 3, 14))


def plant(one: Dataset) -> None:
    """Leave traces of Ruth Example in a data set with pixels, for a lesson that looks for them."""
    one.PatientName = "Example^Ruth"
    one.PatientID = "RE-1961"
    one.ImageComments = "Mrs Example coughed"
    one.StudyInstanceUID = "1.2.826.0.1.3680043.10.1.20240229.945"
    one.private_block(0x0011, "ACME CT 4", create=True).add_new(1, "LO", "EXAMPLE RUTH F")
    order = Dataset()
    order.ReasonForTheRequestedProcedure = "Follow-up, see letter of Dr Example (husband)"
    order.RequestedProcedureDescription = "CT CHEST, EXAMPLE RUTH"
    one.RequestAttributesSequence = [order]
    if one.InstanceNumber == _BURNED:
        picture = Image.new("L", (one.Columns, one.Rows))
        ImageDraw.Draw(picture).text((4, one.Rows - 16), "EXAMPLE, R. 1961", fill=255)
        pixels = np.frombuffer(one.PixelData, "<u2").copy()
        pixels[np.asarray(picture).ravel() > 100] = 1800
        one.PixelData = pixels.tobytes()


@functools.cache
def _header() -> Dataset:
    truth = phantom.ct_truth(phantom.CT_PET_FRAME, (1, 8, 8), "axial")
    (one,) = phantom.ct_datasets(truth)
    plant(one)
    return one


def _found(header: Dataset, *, nested: bool, capitals: bool) -> int:
    """Return in how many elements the name stands, looked for well or less well."""
    elements = header.iterall() if nested else iter(header)
    return sum(
        element.VR != "SQ"
        and "example" in (str(element.value).lower() if capitals else str(element.value).replace("E", "e"))
        for element in elements
    )


@check
def _listed(answer: Any) -> Verdict:
    found = set(names(answer, "keywords"))
    wanted = {keyword for keyword, vr in _ASKED.items() if is_identifying(keyword, vr)}
    if found == wanted:
        return right("who, when, where, and the number under which the hospital finds it all.")
    if strangers := found - set(_ASKED):
        return wrong(f"{sorted(strangers)[0][:40]!r} is none of the eight.")
    if extra := sorted(found - wanted):
        return wrong(f"{extra[0]} says something of the picture or the machine, and nothing of the person.")
    missing = sorted(wanted - found)
    return wrong(
        {
            "StudyDate": "a day and a hospital are often enough to find somebody: dates are in the table, all of them.",
            "InstitutionName": "where somebody was, on which day, narrows it down to a few: InstitutionName is in the table.",
            "AccessionNumber": "one of the numbers leads straight to the patient, in the hospital's own list.",
        }.get(missing[-1], "the patient's name surely is.")
    )


@check
def _hidden(answer: Any) -> Verdict:
    found = whole(answer, "a number of elements")
    header = _header()
    true = _found(header, nested=True, capitals=True)
    flat = _found(header, nested=False, capitals=False)
    return judged(
        found,
        true,
        within=0,
        good="a name, a comment, a maker's private element, and two in an item of a sequence.",
        mistakes=[
            (
                flat,
                "names are written in capitals, too, and sequences have elements inside: lower(), and iterall().",
            ),
            (
                _found(header, nested=False, capitals=True),
                "two are still missing: those inside a sequence, to which iterall() walks, or those in capitals: lower().",
            ),
            (
                _found(header, nested=False, capitals=True) + 1,
                "the sequence was counted for what is inside it: walk into it with iterall(), leave out VR SQ, "
                "and compare in lower case.",
            ),
            (1, "PatientName is the first place, and there are more."),
            (
                true + 1,
                "the sequence was counted beside its elements: leave out those of VR SQ.",
            ),
        ],
        otherwise="count elements of all levels whose value holds 'example' in lower case, sequences themselves left out.",
    )


@check
def _talking(answer: Any) -> Verdict:
    found = text(answer, "a keyword").strip().replace(" ", "")
    header = _header()
    told = [element.keyword for element in header if element.VR == "UI" and "20240229" in str(element.value)]
    if found in told:
        return right("the day, and behind it the time. UIDs are replaced for that reason, action U.")
    if found == str(header[told[0]].value):
        return wrong("that is the UID itself, the right one; its keyword is asked for.")
    if found in header and header[found].VR != "UI":
        return wrong(f"{found} is no UID, its VR is {header[found].VR}.")
    if found == "SOPClassUID":
        return wrong(
            "that one is given by the standard: it says what kind of object it is, for everybody the same."
        )
    if found in header:
        return wrong(f"look at its digits: {found} has no date in it.")
    return wrong(
        "a keyword such as SeriesInstanceUID is asked for: look for 20240229 in the values of VR UI."
    )


@check
def _burned(answer: Any) -> Verdict:
    found = whole(answer, "an Instance Number")
    if found == _BURNED:
        return right("bottom left, in letters that are brighter than bone.")
    if found == _BURNED - 1:
        return wrong("that is its index, counted from 0; Instance Numbers of this series begin with 1.")
    if not 1 <= found <= _SHAPE[0]:
        return wrong(f"there are images 1 to {_SHAPE[0]}.")
    if found == _SHAPE[0] + 1 - _BURNED:
        return wrong("counted from the wrong end: image 1 is the lowest, nearest to the feet.")
    return wrong("look into the corners of the pictures: one has letters, bottom left.")


@check
def _left(answer: Any) -> Verdict:
    found = {one.strip().lower() for one in names(answer, "hiding places")}
    if found == {"pixels"}:
        return right("the header is new, the picture is the old one, with all that is written in it.")
    if strangers := found - set(_PLACES):
        return wrong(f"{sorted(strangers)[0][:40]!r} is none of {', '.join(_PLACES)}.")
    missing = "the values were taken over as they are: look at slice 12 of the copy."
    if extra := sorted(found - {"pixels"}):
        said = (
            f"{extra[0]}? Search the bytes of the copies for what should be gone: nothing of the "
            "headers was taken over that could hold it."
        )
        return wrong(said if "pixels" in found else f"{said} And one is missing: {missing}")
    return wrong(missing)


@check
def _days(answer: Any) -> Verdict:
    found = whole(answer, "a number of days")
    true = (_DAYS[1] - _DAYS[0]).days
    return judged(
        found,
        true,
        within=0,
        good="a shift leaves every interval as it was.",
        mistakes=[
            (
                20240314 - 20240229,
                "dates are no numbers: subtracted like that, February has a hundred days.",
            ),
            (-true, "the other way round: the later less the earlier."),
            (true + 1, "off by one: the day itself does not count."),
            (true - 1, "off by one: 2024 is a leap year, and February had a 29th, the first of both days."),
            (1234, "that is the shift. Both dates have it, so it cancels out."),
            (1234 + true, "the shift cancels out, both dates have it."),
            (1234 - true, "the shift cancels out, both dates have it."),
        ],
        otherwise="as many as between the true dates: make datetime of them and subtract.",
    )


CHECKS: Final[dict[int, Check]] = {
    0: _listed,
    1: _hidden,
    2: _talking,
    3: _burned,
    4: _left,
    5: _days,
}
"""By number."""
