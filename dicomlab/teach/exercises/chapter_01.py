"""Checks of chapter 1: tags and value representations."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Final

import numpy as np
from pydicom import Dataset, Sequence
from pydicom.datadict import keyword_for_tag, tag_for_keyword

from dicomlab.teach.exercises.answers import Off, check, described, judged, number, whole
from dicomlab.teach.exercises.lessons import as_file, ct_headers, pet_headers
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_TAGS: Final = (
    (0x0008, 0x0060),
    (0x0009, 0x1002),
    (0x0010, 0x0021),
    (0x0019, 0x100C),
    (0x0028, 0x1053),
    (0x7FE1, 0x1000),
)


def _tag(answer: Any) -> tuple[int, int]:
    """Return a tag, given as two numbers, as one, or as text such as "(0018,0050)"."""
    if isinstance(answer, str) and len(answer) <= 40:
        digits = re.sub(r"0x|[(), ]", "", answer)
        if re.fullmatch("[0-9A-Fa-f]{8}", digits):
            return int(digits[:4], 16), int(digits[4:], 16)
        if tag_for_keyword(answer) is not None:
            raise Off(f"{answer} is the keyword; the tag is asked for, two numbers.")
    if isinstance(answer, int | np.integer) and not isinstance(answer, bool) and 0 <= answer < 1 << 32:
        return divmod(int(answer), 1 << 16)
    if isinstance(answer, np.ndarray) and answer.shape == (2,):
        answer = answer.tolist()
    if isinstance(answer, tuple | list) and len(answer) == 2:
        if all(isinstance(part, str) and re.fullmatch("(0[xX])?[0-9A-Fa-f]{1,4}", part) for part in answer):
            raise Off(
                f"these are texts of hexadecimal digits; two numbers are asked for: int({answer[0]!r}, 16) makes one."
            )
        group, element = (whole(part, "a tag of two numbers") for part in answer)
        if 0 <= group <= 0xFFFF and 0 <= element <= 0xFFFF:
            return group, element
    raise Off(f"a tag is asked for, (0x…, 0x…) with two numbers up to 0xFFFF; this is {described(answer)}.")


def _said(tag: tuple[int, ...]) -> str:
    return f"({tag[0]:04X},{tag[1]:04X})"


@check
def _find(answer: Any) -> Verdict:
    found = _tag(answer)
    true = tag_for_keyword("SliceThickness")
    assert true is not None
    wanted = divmod(true, 1 << 16)
    if found == wanted:
        return right("(0018,0050): group 0018, how it was acquired.")
    if found == wanted[::-1]:
        return wrong("group and element are swapped: the group comes first.")
    if found == tuple(int(f"{part:04X}") for part in wanted):
        return wrong(
            "these are the right digits, but read as decimal: tags are hexadecimal, 0x0018 and 0x0050."
        )
    decimal = tuple(int(str(part), 16) if part <= 9999 else part for part in found)
    if keyword_for_tag((decimal[0] << 16) + decimal[1]) and not keyword_for_tag((found[0] << 16) + found[1]):
        return wrong(
            f"as hexadecimal, {_said(decimal)}, that would be {_name(decimal)}. Write 0x before each number, and look again."
        )
    return wrong(f"{_said(found)} is {_name(found)}.")


def _name(tag: tuple[int, ...]) -> str:
    return keyword_for_tag((tag[0] << 16) + tag[1]) or "no attribute of the standard"


@check
def _rows(answer: Any) -> Verdict:
    found = number(answer, "a distance in mm")
    rows, columns = (float(v) for v in ct_headers()[16].PixelSpacing)
    return judged(
        found,
        rows,
        within=1e-6,
        good="the first of two numbers; the second is the distance between columns.",
        mistakes=[
            (columns, "that is the second number, the distance between columns. Rows come first."),
            (rows + 1, "that is the example above, with its + 1."),
            (rows / 10, "these are centimetres; millimetres are asked for."),
        ],
        otherwise="it is the first value of header.PixelSpacing.",
    )


@check
def _length(answer: Any) -> Verdict:
    found = whole(answer, "a number of bytes")
    data = as_file(ct_headers()[16])
    place = data.find(b"\x28\x00\x52\x10DS")
    length = int.from_bytes(data[place + 6 : place + 8], "little")
    return judged(
        found,
        length,
        within=0,
        good="five characters and a space: lengths are even.",
        mistakes=[
            (
                length - 1,
                "those are the characters. A value takes an even number of bytes: what is added at its end?",
            ),
            (
                length + 8,
                "that is the whole element, with its tag, VR and length; the value alone is asked for.",
            ),
            (
                length + 7,
                "that is the element with an odd value; a value alone, filled up to an even length, is asked for.",
            ),
            (4, "a float or an integer of 32 bits would take that; DS is text."),
            (
                8,
                "a double would take that, or the 8 bytes before the value. DS is text, a byte for each character.",
            ),
            (2, "a number of 16 bits would take that; DS is text."),
        ],
        otherwise="count the characters of the text, and remember that lengths are even.",
    )


@check
def _half_life(answer: Any) -> Verdict:
    if isinstance(answer, Sequence):
        raise Off(
            "this is the sequence, a list of data sets: take its first item, [0], and its RadionuclideHalfLife."
        )
    if isinstance(answer, Dataset):
        raise Off("this is the whole data set: take its RadionuclideHalfLife, in seconds.")
    found = number(answer, "a time in minutes")
    tracer = pet_headers()[0].RadiopharmaceuticalInformationSequence[0]
    seconds = float(tracer.RadionuclideHalfLife)
    return judged(
        found,
        seconds / 60,
        within=0.05,
        good="fluorine 18, just under two hours.",
        mistakes=[
            (seconds, "those are seconds, as the standard has them; minutes are asked for."),
            (seconds / 3600, "those are hours; minutes are asked for."),
            (seconds * 60, "multiplied: a minute has 60 seconds, so there are fewer minutes than seconds."),
            (float(tracer.RadionuclideTotalDose), "that is the dose in Bq; the half life stands beside it."),
            (float(tracer.RadionuclidePositronFraction), "that is the share of decays that give a positron."),
        ],
        otherwise="it is RadionuclideHalfLife in the first item of the sequence, in seconds.",
    )


@check
def _wait(answer: Any) -> Verdict:
    found = number(answer, "a time in minutes")
    pet = pet_headers()[0]
    injected, started = (
        str(pet.RadiopharmaceuticalInformationSequence[0].RadiopharmaceuticalStartTime),
        str(pet.SeriesTime),
    )
    wait = (datetime.strptime(started, "%H%M%S") - datetime.strptime(injected, "%H%M%S")).total_seconds()
    digits = int(started) - int(injected)
    return judged(
        found,
        wait / 60,
        within=0.01,
        good="hours, minutes and seconds are subtracted as times, not as digits.",
        mistakes=[
            (
                digits,
                f"{started} − {injected} as whole numbers: but these are hours, minutes and seconds; an hour has 60 minutes.",
            ),
            (digits / 60, "a time was subtracted as if it were a whole number: HHMMSS are three numbers."),
            (digits / 100, "a time was subtracted as if it were a whole number: HHMMSS are three numbers."),
            (wait, "those are seconds; minutes are asked for."),
            (wait / 3600, "those are hours; minutes are asked for."),
            (-wait / 60, "the order is turned round: the injection comes first."),
        ],
        otherwise=f"from {injected[:2]}:{injected[2:4]} to {started[:2]}:{started[2:4]}, in minutes.",
    )


@check
def _private(answer: Any) -> Verdict:
    if (
        isinstance(answer, np.ndarray)
        and len(answer.shape) == 2
        and answer.shape[1] == 2
        and len(answer) <= 100
    ):
        answer = answer.tolist()
    if isinstance(answer, tuple) and len(answer) == 2 and all(isinstance(part, int) for part in answer):
        raise Off("this is a single tag; a list of tags is asked for, [(…), (…)].")
    if not isinstance(answer, list | tuple | set | frozenset) or len(answer) > 100:
        raise Off(f"a list of tags is asked for; this is {described(answer)}.")
    found = {_tag(one) for one in answer}
    wanted = {tag for tag in _TAGS if tag[0] % 2}
    if found == wanted:
        return right("their groups are odd; the element number does not matter.")
    if strangers := found - set(_TAGS):
        return wrong(f"{_said(min(strangers))} is not one of the tags in the list.")
    if found == set(_TAGS) - wanted:
        return wrong("the other way round: even groups are the standard's, odd ones are private.")
    if found == {tag for tag in _TAGS if tag[1] % 2}:
        return wrong("those have an odd element number. It is the group, the first number, that counts.")
    if extra := found - wanted:
        return wrong(f"{_said(min(extra))} has an even group: it is {_name(min(extra))}, of the standard.")
    return wrong(f"{len(wanted - found)} more: look for odd groups. 0x…9 is odd, and so is 0x7FE1.")


CHECKS: Final[dict[int, Check]] = {1: _find, 2: _rows, 3: _length, 4: _half_life, 5: _wait, 6: _private}
"""By number."""
