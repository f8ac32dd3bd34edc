"""Checks of chapter 4: windowing, by the formulas of PS3.3 C.11.2.1.2."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dicomlab.teach.exercises.answers import check, differences, judged, near, number, numbers
from dicomlab.teach.exercises.lessons import ct
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_SLICE = 19
_CENTER, _WIDTH, _VALUE = 50.0, 400.0, 100.0
_LUNG: Final = (-600.0, 1500.0)
_LOW, _HIGH = -1000.0, 200.0
_LIVER, _LESION = 60.0, 20.0


def _linear(values: Any, center: float, width: float) -> npt.NDArray[np.float64]:
    """Return greys 0 to 255 before they are cut off (C.11.2.1.2.1)."""
    return ((np.asarray(values, dtype=float) - (center - 0.5)) / (width - 1) + 0.5) * 255


def _exact(values: Any, center: float, width: float) -> npt.NDArray[np.float64]:
    return ((np.asarray(values, dtype=float) - center) / width + 0.5) * 255


@check
def _ends(answer: Any) -> Verdict:
    found = numbers(answer, (2,), "a pair of numbers, black and white,")
    half = (_WIDTH - 1) / 2
    true = (_CENTER - 0.5 - half, _CENTER - 0.5 + half)
    return judged(
        found,
        true,
        within=0.01,
        good="from first to last it is 399 steps: 400 whole numbers.",
        mistakes=[
            (true[::-1], "the right numbers; black comes first."),
            (
                (_CENTER - _WIDTH / 2, _CENTER + _WIDTH / 2),
                "that is LINEAR_EXACT. LINEAR takes 0.5 off the center and 1 off the width.",
            ),
            (
                (_CENTER - _WIDTH, _CENTER + _WIDTH),
                "the width is the whole window: half of it lies on each side.",
            ),
            ((_CENTER, _WIDTH), "those are center and width themselves."),
            ((_CENTER - half, _CENTER + half), "the width is right; LINEAR also takes 0.5 off the center."),
            (
                (_CENTER - 0.5 - _WIDTH / 2, _CENTER - 0.5 + _WIDTH / 2),
                "the center is right; LINEAR also takes 1 off the width.",
            ),
            ((true[0] + 1024, true[1] + 1024), "those are stored values; a window is given in HU."),
            (
                (true[0], true[1] - 1),
                "off by one above: everything above 249 is white, 249 itself is the last grey.",
            ),
            ((true[0] + 1, true[1]), "off by one below: −150 itself is black already, ≤ in the formula."),
        ],
        otherwise="c − 0.5 − (w − 1)/2 and c − 0.5 + (w − 1)/2.",
    )


@check
def _grey(answer: Any) -> Verdict:
    found = number(answer, "a grey from 0 to 255")
    true = float(_linear(_VALUE, _CENTER, _WIDTH))
    return judged(
        found,
        true,
        within=0.01,
        good="a bit brighter than the middle, as 100 HU is above the center.",
        mistakes=[
            (float(_exact(_VALUE, _CENTER, _WIDTH)), "that is LINEAR_EXACT; LINEAR has c − 0.5 and w − 1."),
            (true / 255, "that is from 0 to 1; greys go up to 255."),
            (
                float(_exact(_VALUE, _CENTER, _WIDTH)) / 255,
                "two things are off: greys go up to 255, and this is LINEAR_EXACT; LINEAR has c − 0.5 and w − 1.",
            ),
            (true / 255 * 256, "the brightest grey is 255, not 256."),
            (255 - true, "that is inverted: low values are black."),
            (int(true), "that is cut off; leave it as it is."),
            (
                float(_linear(_VALUE + 1024, _CENTER, _WIDTH)),
                "that is the window on the stored value; it is meant for HU.",
            ),
            (255.0, "white? 100 HU is within the window, which goes up to 249."),
            (true - 127.5, "the + 0.5 is missing: the center is in the middle of the greys."),
        ],
        otherwise="((x − (c − 0.5)) / (w − 1) + 0.5) · 255, with x = 100.",
    )


@check
def _picture(answer: Any) -> Verdict:
    values = ct().values[_SLICE]
    found = numbers(answer, values.shape, "an array of greys (rows, columns)")
    loose = _linear(values, *_LUNG)
    true = np.clip(loose, 0, 255)
    kind = getattr(answer, "dtype", None)
    exact = np.clip(_exact(values, *_LUNG), 0, 255)
    if near(found, np.rint(true), 0):  # no whole HU gives a grey that is half way between two
        if kind == np.uint8:
            return right("cut first, then rounded.")
        return wrong(
            f"the greys are right, the type is not: {kind or type(answer).__name__}, where uint8 is asked for."
        )
    for slip, name in [
        (true, "cut, but not rounded, and the type is not uint8: np.rint, then astype(np.uint8)."),
        (np.floor(true), "cut off, not rounded: astype drops what follows the point. np.rint first."),
        (np.ceil(true), "rounded up: the nearest whole number may be below. np.rint."),
        (exact, "that is LINEAR_EXACT, and not rounded; LINEAR has c − 0.5 and w − 1."),
        (np.rint(exact), "that is LINEAR_EXACT; LINEAR has c − 0.5 and w − 1."),
        (np.floor(exact), "two things are off: that is LINEAR_EXACT, and cut off, not rounded."),
    ]:
        if near(found, slip, 0.01):
            return wrong(name)
    apart = f"{differences(found, np.rint(true), 0.01, ('row', 'column'))}."
    if near(found, np.rint(true), 1.5):
        return wrong(f"about one grey off: {apart}")
    return judged(
        found,
        true,
        within=1.0,
        good="",
        mistakes=[
            (loose, "nothing is cut off: greys below 0 and above 255 are left. np.clip."),
            (np.rint(loose), "nothing is cut off: greys below 0 and above 255 are left. np.clip."),
            (
                loose.astype(int) % 256,
                "bright voxels wrapped round to black: cut at 255 before it becomes uint8, np.clip.",
            ),
            (
                np.rint(loose) % 256,
                "bright voxels wrapped round to black: cut at 255 before it becomes uint8, np.clip.",
            ),
            (true / 255, "these are numbers from 0 to 1; greys go up to 255."),
            (255 - true, "that is inverted: low values are black."),
            (
                np.clip(_linear(values.astype(float) + 1024, *_LUNG), 0, 255),
                "that is the window on stored values; it is meant for HU.",
            ),
            (
                np.clip(_linear(values, _CENTER, _WIDTH), 0, 255),
                "that is the soft tissue window; lung is asked for.",
            ),
            (np.clip(_linear(values, _LUNG[1], -_LUNG[0]), 0, 255), "center and width are swapped."),
        ],
        otherwise=apart,
    )


@check
def _own(answer: Any) -> Verdict:
    found = numbers(answer, (2,), "a pair of numbers, center and width,")
    true = (_LOW + _HIGH) / 2, _HIGH - _LOW
    return judged(
        found,
        true,
        within=0.01,
        good="the middle, and the whole span.",
        mistakes=[
            ((_LOW, _HIGH), "those are black and white; center and width are asked for."),
            (true[::-1], "the right numbers: center first, then width."),
            ((true[0], true[1] / 2), "the width is the whole span, not the half on one side."),
            (
                (true[0], true[1] + 1),
                "that would be LINEAR, which counts one more; LINEAR_EXACT takes the span as it is.",
            ),
            (
                (true[0] + 0.5, true[1] + 1),
                "that would be right for LINEAR; LINEAR_EXACT has neither 0.5 nor 1.",
            ),
            ((-true[0], true[1]), "the center is between −1000 and 200: mind the sign."),
            ((true[0], _LOW + _HIGH), "width is white minus black: 200 − (−1000)."),
            ((true[0], -_LOW), "width is white minus black: 200 − (−1000)."),
            (((_HIGH - _LOW) / 2, true[1]), "the center is the mean of both ends: (−1000 + 200) / 2."),
        ],
        otherwise=f"that window goes from {found[0] - found[1] / 2:g} to {found[0] + found[1] / 2:g} HU.",
    )


@check
def _apart(answer: Any) -> Verdict:
    found = number(answer, "a number of greys")
    step = _LIVER - _LESION
    true = step / (_LUNG[1] - 1) * 255
    return judged(
        found,
        true,
        within=0.003,
        good="seven greys of 255, in noise: all but invisible.",
        mistakes=[
            (round(true), "right, but rounded: give more digits."),
            (-true, "the right size; a number of greys between two is positive."),
            (step, "those are HU: how many greys does a HU get?"),
            (step / _LUNG[1] * 255, "that is LINEAR_EXACT; LINEAR divides by w − 1."),
            (step / _LUNG[1], "that is the share of the window; times 255 greys."),
            (step / (_LUNG[1] - 1), "that is the share of the window; times 255 greys."),
            (step / (_LUNG[1] - 1) * 256, "from 0 to 255 there are 255 steps."),
            (step / 149 * 255, "that is in the liver window; the lung window is asked for."),
        ],
        otherwise="(60 − 20) / (w − 1) · 255.",
    )


@check
def _film(answer: Any) -> Verdict:
    found = number(answer, "a grey from 0 to 255")
    shown = float(_linear(_VALUE, _CENTER, _WIDTH))
    exact = float(_exact(_VALUE, _CENTER, _WIDTH))
    return judged(
        found,
        255 - shown,
        within=0.01,
        good="the last step before the screen, and only there.",
        mistakes=[
            (shown, "that is for MONOCHROME2. With MONOCHROME1 the lowest value is white."),
            (-shown, "greys have no sign: black is 0, white 255. Count from the other end."),
            (256 - shown, "the brightest grey is 255, not 256."),
            (255 - exact, "that is by LINEAR_EXACT; the window is LINEAR."),
            (
                float(_linear(-_VALUE, _CENTER, _WIDTH)),
                "the value was turned round before the window: values stay, the picture is inverted.",
            ),
            (1 - shown / 255, "that is from 0 to 1; greys go up to 255."),
        ],
        otherwise="255 minus the grey of exercise 04.2.",
    )


CHECKS: Final[dict[int, Check]] = {1: _ends, 2: _grey, 3: _picture, 4: _own, 5: _apart, 6: _film}
"""By number."""
