"""Checks of chapter 14: pitfalls. The truth is the phantom's; each typical mistake is worked out to be called by its name."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from dicomlab.findings import CODES
from dicomlab.teach.exercises.answers import (
    Off,
    check,
    described,
    differences,
    judged,
    names,
    number,
    numbers,
)
from dicomlab.teach.exercises.lessons import kind
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS", "READ"]

Floats = npt.NDArray[np.float64]

READ: Final = ("axial_ct", "feet_first_prone", "mixed_pixel_representation", "monochrome1")
"""The series of the last exercise."""
_AXES: Final = ("slice", "row", "column")


def _vector(header: Dataset, keyword: str) -> Floats:
    return np.array([float(v) for v in header[keyword].value])


def _height(header: Dataset) -> float:
    cosines = _vector(header, "ImageOrientationPatient")
    return float(np.cross(cosines[:3], cosines[3:]) @ _vector(header, "ImagePositionPatient"))


def _sorted(name: str) -> list[Dataset]:
    """Headers of a kind from the lowest slice along the normal to the highest."""
    return sorted(kind(name)[1].values(), key=_height)


@check
def _tilt(answer: Any) -> Verdict:
    found = number(answer, "how far the top slice is off, in mm")
    slices = _sorted("gantry_tilt")
    cosines = _vector(slices[0], "ImageOrientationPatient")
    normal = np.cross(cosines[:3], cosines[3:])
    first, second, last = (_vector(slices[k], "ImagePositionPatient") for k in (0, 1, -1))
    step, count = float(np.linalg.norm(second - first)), len(slices) - 1
    way = last - first
    # Along the normal with the right step: the part of the way that is not along it.
    aside = float(np.linalg.norm(way - (way @ normal) * normal))
    return judged(
        found,
        float(np.linalg.norm(first + count * step * normal - last)),
        within=0.05,
        good="about half the height of a lumbar vertebra, and no slice looks odd.",
        mistakes=[
            (
                float(np.linalg.norm(first + step * normal - second)),
                f"that is the error of the second slice; it adds up over {count} steps.",
            ),
            (
                aside,
                "that is the way aside alone. The step is measured along z: along the normal it is too long, which adds up.",
            ),
            (_degrees(), "that is the angle, in degrees; millimetres are asked for."),
            (
                float(np.linalg.norm(way)),
                "that is the length of the stack. How far is the believed place from the true one?",
            ),
            (
                float(np.linalg.norm(first + len(slices) * step * normal - last)),
                "off by one: from the first of nine slices to the last there are eight steps.",
            ),
        ],
        otherwise="believed: first + 8 · step · n, with step the distance of the first two slices and n = r × c. "
        "True: the Image Position of the last. The length of their difference is asked for.",
    )


def _degrees() -> float:
    """Return the tilt that the files state, in degrees, without its sign."""
    return abs(float(_sorted("gantry_tilt")[0].GantryDetectorTilt))


@check
def _doubled(answer: Any) -> Verdict:
    found = names(answer, "names of two files")
    headers = kind("doubled_slice")[1]
    pixels: dict[bytes, list[str]] = {}
    for name, header in headers.items():
        pixels.setdefault(header.PixelData, []).append(name)
    (true,) = [both for both in pixels.values() if len(both) > 1]
    if sorted(found) == sorted(true):
        return right("same place, same pixels, two UIDs: one of them is to go.")
    strangers = [name for name in found if name not in headers]
    if strangers:
        return wrong(
            f"{strangers[0][:40]!r} is none of the files; they are called {min(headers)} to {max(headers)}."
        )
    if len(found) != 2:
        return wrong(f"two names are asked for, of the file and of its double; these are {len(found)}.")
    a, b = (headers[name] for name in found)
    if found[0] == found[1]:
        return wrong("that is one file, twice. Its double has another name.")
    apart = abs(_height(a) - _height(b))
    return wrong(
        f"these two lie {apart:.3g} mm apart. Look for two with equal ImagePositionPatient, and compare PixelData."
    )


@check
def _hottest(answer: Any) -> Verdict:
    found = number(answer, "the highest activity, in Bq/ml")
    slices = _sorted("pet_slopes")
    stored = np.array([header.pixel_array for header in slices], dtype=float)
    slopes = np.array([float(header.RescaleSlope) for header in slices])
    true = float((stored * slopes[:, None, None]).max())
    by_name = [float(header.RescaleSlope) for header in kind("pet_slopes")[1].values()]
    mistakes = [
        (float(stored.max()), "that is a stored number. Rescale Slope makes an activity of it."),
        (
            float(stored.max()) * float(slopes.max()),
            "the largest number times the largest slope: they need not be of one slice.",
        ),
        (
            float(stored.max()) * float(slopes.mean()),
            "that is with the mean of all slopes; each slice has its own, and no slice has that one.",
        ),
    ]
    mistakes += [
        (
            float(stored.max()) * slope,
            "that is with one slope for all slices. Each slice is to be multiplied by its own.",
        )
        for slope in dict.fromkeys(by_name)
    ]
    return judged(
        found,
        true,
        within=1e-4 * true,
        good="each slice by its own slope.",
        mistakes=[one for one in mistakes if abs(one[0] - true) > 1e-3 * true],
        otherwise="for each slice: pixel_array · RescaleSlope of that slice; then the largest of all.",
    )


@check
def _value(answer: Any) -> Verdict:
    found = number(answer, "a value in HU")
    lowest = _sorted("monochrome1")[0]
    stored = lowest.pixel_array.astype(float)
    intercept, slope = float(lowest.RescaleIntercept), float(lowest.RescaleSlope)
    true = stored[14, 18] * slope + intercept
    shown = stored.max() - stored
    most = 2.0 ** int(lowest.BitsStored) - 1
    highest = _sorted("monochrome1")[-1].pixel_array.astype(float)
    return judged(
        found,
        true,
        within=0.5,
        good="MONOCHROME1 says how to show it, not what it is.",
        mistakes=[
            (stored[14, 18], "that is the stored number; Rescale Slope and Intercept make HU of it."),
            (
                shown[14, 18] + intercept,
                "that is turned round for display, and is no HU any more: leave max − value out.",
            ),
            (shown[14, 18], "that is turned round for display, and stored numbers at that."),
            (most - stored[14, 18] + intercept, "that is turned round for display, and is no HU any more."),
            ((stored.max() + intercept) - true, "that is turned round for display, and is no HU any more."),
            (stored[18, 14] + intercept, "row and column are swapped: an array is asked [row, column]."),
            (highest[14, 18] + intercept, "that is the highest slice; the lowest is asked for."),
        ],
        otherwise="the lowest slice: the one with the smallest z. Its pixel_array[14, 18] · RescaleSlope + RescaleIntercept.",
    )


@check
def _choice(answer: Any) -> Verdict:
    code = "incomplete_steps"
    if isinstance(answer, str):
        if answer == "repair":
            return wrong(
                f"that would load it, and would repair every other fault unasked. Name this one: {{{code!r}: …}}."
            )
        if answer in ("keep", "raise"):
            return wrong(
                f"{answer!r} for everything? Read the error again: it says which words it offers for its code."
            )
        raise Off(f"a mapping from a code to a choice is asked for; this is {described(answer)}.")
    if not isinstance(answer, Mapping):
        raise Off(
            f"a mapping from a code to a choice is asked for, {{code: choice}}; this is {described(answer)}."
        )
    if len(answer) != 1:
        return wrong(f"one code is enough; this mapping has {len(answer)}.")
    ((key, way),) = answer.items()
    if not isinstance(key, str) or key not in CODES:
        return wrong(f"{described(key)} is no code of a finding. The error begins with its own.")
    if key != code:
        return wrong(f"{key} is another fault, which this series has not. The error begins with its code.")
    if way == "repair":
        return right("the time point that lacks a slice is left out, and the volume says so.")
    if way in ("raise", "keep"):
        offers = "no" if way == "keep" else "the default"
        return wrong(
            f"{way!r} is {offers} way out here: an array cannot hold a hole. The error names the one on offer."
        )
    return wrong(
        f"{described(way)} is no choice; they are 'raise', 'keep' and 'repair', and the error says which is on offer."
    )


@check
def _reader(answer: Any) -> Verdict:
    if isinstance(answer, Mapping):
        answer = list(answer.values())
    if not isinstance(answer, (list, tuple)):
        raise Off(f"a list of {len(READ)} arrays is asked for; this is {described(answer)}.")
    if len(answer) != len(READ):
        raise Off(f"{len(READ)} arrays are asked for, of {', '.join(READ)}; this is {described(answer)}.")
    for name, one in zip(READ, answer, strict=True):
        true = kind(name)[0].values.astype(float)
        found = numbers(one, true.shape, f"the array of HU of {name}")
        if np.abs(found - true).max() <= 0.5:
            continue
        return wrong(f"{name}: {_why(name, found, true)}")
    return right("four series that four habits get wrong, and your reader gets right.")


@functools.cache
def _orders(name: str) -> Mapping[str, npt.NDArray[np.intp]]:
    """Orders that are mistaken for the one along the normal: for each place, which true slice stands there."""
    headers = list(kind(name)[1].values())
    rank = np.argsort(np.argsort([_height(header) for header in headers]))
    numbered = np.argsort([int(header.InstanceNumber) for header in headers])
    z = np.argsort([float(header.ImagePositionPatient[2]) for header in headers])
    return {
        "the slices are in the order of file names": rank,
        "the slices are in the order of Instance Numbers": rank[numbered],
        "the slices are sorted by z, but the normal of this series points to the feet: sort by n · position": rank[
            z
        ],
        "the slices run against the normal": np.arange(len(headers))[::-1],
    }


def _why(name: str, found: Floats, true: Floats) -> str:
    for said, order in _orders(name).items():
        if np.abs(found - true[order]).max() <= 0.5:
            return f"{said}."
    stored = np.array([header.pixel_array for header in _sorted(name)], dtype=float)
    if np.abs(found - stored).max() <= 0.5:
        return "these are the stored numbers; Rescale Slope and Intercept make HU of them."
    if np.abs(found - (stored + float(_sorted(name)[0].RescaleIntercept))).max() <= 0.5:
        return "the intercept of one slice is used for all; each slice has its own."
    if np.corrcoef(found.ravel(), true.ravel())[0, 1] < -0.5:
        return "the values are turned round, as for display; leave them as they are."
    return f"{differences(found, true, 0.5, _AXES)}."


def _quietly(look: Check) -> Check:
    """Return the check without the warnings of numpy on what is flat or infinite."""

    @functools.wraps(look)
    def checked(answer: Any) -> Verdict:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            return look(answer)

    return checked


CHECKS: Final[dict[int, Check]] = {
    1: _tilt,
    2: _doubled,
    3: _hottest,
    4: _value,
    5: _choice,
    6: _quietly(_reader),
}
