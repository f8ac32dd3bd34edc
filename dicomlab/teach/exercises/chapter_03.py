"""Checks of chapter 3: values and Hounsfield units."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dicomlab.teach.exercises.answers import check, differences, judged, number, numbers
from dicomlab.teach.exercises.lessons import ct, ct_headers, pet, pet_headers
from dicomlab.teach.exercises.verdict import Check, Verdict

__all__ = ["CHECKS"]

_SLICE = 8
_ROWS: Final = slice(64, 80)
_COLUMNS: Final = slice(70, 86)
_NOISE = 9.0


@check
def _hounsfield(answer: Any) -> Verdict:
    true = ct().values[_SLICE].astype(float)
    found = numbers(answer, true.shape, "an array of HU (rows, columns)")
    header = ct_headers()[_SLICE]
    stored = np.frombuffer(header.PixelData, "<u2").reshape(true.shape).astype(float)
    shift = -float(header.RescaleIntercept)
    return judged(
        found,
        true,
        within=0.01,
        good="air is −1000, and numbers below 0 have survived.",
        mistakes=[
            (stored, "these are the stored values: slope and intercept are not applied."),
            (stored * float(header.RescaleSlope), "the intercept is missing: air should be −1000."),
            (stored + shift, "the intercept has the wrong sign: it is −1024, and is added."),
            (
                (stored - shift) % 65536,
                "the values wrapped round: an array without sign has no −1000. Convert it first, stored.astype(int).",
            ),
            ((stored + 1) * -shift, "slope and intercept are mixed up: stored · slope + intercept."),
            (stored * -shift + 1, "slope and intercept are swapped: stored · slope + intercept."),
            ((stored - shift).astype(np.int8), "8 bits are not enough for −1024 to 3071."),
            (true[::-1], "the picture stands on its head."),
        ],
        otherwise=f"{differences(found, true, 0.01, ('row', 'column'))}.",
    )


@check
def _water(answer: Any) -> Verdict:
    found = number(answer, "one stored number")
    header = ct_headers()[_SLICE]
    true = -float(header.RescaleIntercept) / float(header.RescaleSlope)
    return judged(
        found,
        true,
        within=1e-6,
        good="the line is turned round: stored = (value − intercept) / slope.",
        mistakes=[
            (0, "0 is the value of water in HU. Which stored number becomes 0?"),
            (-true, "the right size, the wrong sign: nothing below 0 is stored in this file."),
            (true - 1000, "that is air, or near it. Water is 0 HU."),
            (1000, "1000 is a round number, but the intercept of this file is another."),
        ],
        otherwise=f"that stored number means {found * float(header.RescaleSlope) - true:.6g} HU; water has 0.",
    )


@check
def _mean(answer: Any) -> Verdict:
    found = number(answer, "a mean in HU")
    values = ct().values[_SLICE].astype(float)
    box = values[_ROWS, _COLUMNS]
    rows, columns = _ROWS, _COLUMNS
    return judged(
        found,
        box.mean(),
        within=0.005,
        good=f"{box.size} voxels; the liver of the phantom has 60.",
        mistakes=[
            (
                values[rows.start : rows.stop - 1, columns.start : columns.stop - 1].mean(),
                "the last row and column are missing: a slice a:b of numpy ends before b.",
            ),
            (
                values[rows.start : rows.stop + 1, columns.start : columns.stop + 1].mean(),
                "one row and column too many: a slice a:b of numpy ends before b.",
            ),
            (values[columns, rows].mean(), "rows and columns are swapped: the first index is the row."),
            (box.mean() + 1024, "that is the mean of the stored values; take HU."),
            (box.std(), "that is the standard deviation."),
            (box.std(ddof=1), "that is the standard deviation."),
            (np.median(box), "that is the median; close, but the mean is asked for."),
            (values.mean(), "that is the mean of the whole slice, air and all."),
            (60, "that is what it would be without noise. Measure it."),
            (box.sum(), "that is the sum; divide by the number of voxels."),
        ],
        otherwise=f"it is {abs(found - box.mean()):.3g} HU too {'high' if found > box.mean() else 'low'}. "
        "Check which rows and columns you took.",
    )


@check
def _trust(answer: Any) -> Verdict:
    found = number(answer, "a deviation in HU")
    side = _ROWS.stop - _ROWS.start
    true = _NOISE / side
    return judged(
        found,
        true,
        within=0.005,
        good="half a unit from voxels that are off by nine: that is why one measures regions.",
        mistakes=[
            (
                _NOISE / side**2,
                "divided by the number of voxels; random errors cancel more slowly, with the root of it.",
            ),
            (_NOISE, "that is the noise of one voxel. The mean of many is quieter."),
            (_NOISE / np.sqrt(side), "that is for 16 voxels; 16 × 16 are averaged."),
            (_NOISE * side, "noise of the sum grows with the root of n; that of the mean falls."),
            (_NOISE / np.sqrt(side**2 - 1), "the formula has √n, not √(n − 1)."),
        ],
        otherwise="9 divided by the square root of the number of voxels.",
    )


@check
def _activity(answer: Any) -> Verdict:
    found = number(answer, "an activity in Bq/ml")
    truth = pet()
    true = float(truth.values.max())
    headers = pet_headers()
    slopes = np.array([float(header.RescaleSlope) for header in headers])
    stored = [int(np.frombuffer(header.PixelData, "<i2").max()) for header in headers]
    scale = truth.suvbw_per_bqml or 1.0
    return judged(
        found,
        true,
        within=0.01,  # the slopes are texts: both sides multiply the same numbers
        good="each slice by its own slope, and then the largest.",
        mistakes=[
            (max(stored), "that is a stored number: the slope is missing."),
            (max(stored) * slopes[0], "that is with the slope of the first file. Each slice has its own."),
            (max(stored) * slopes[-1], "that is with the slope of the last file. Each slice has its own."),
            (max(stored) * slopes.mean(), "a mean slope belongs to no slice. Multiply each by its own."),
            (true * scale, "that is SUV; Bq/ml are asked for."),
            (true / 1000, "that is kBq/ml; Bq/ml are asked for."),
            (float(truth.values.mean()), "that is the mean; the highest is asked for."),
        ],
        otherwise=f"it is {found / true:.3g} times the true one. "
        "For each file: its largest stored value times its slope; the largest of all.",
    )


CHECKS: Final[dict[int, Check]] = {1: _hounsfield, 2: _water, 3: _mean, 4: _trust, 5: _activity}
"""By number."""
