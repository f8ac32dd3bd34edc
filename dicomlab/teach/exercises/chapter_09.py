"""Checks of chapter 9: planes at any angle, interpolation, slabs."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dicomlab.phantom import body
from dicomlab.phantom.organs import LESION_CENTRE, NODULE_CENTRE
from dicomlab.teach.exercises.answers import check, judged, near, number, numbers, whole
from dicomlab.teach.exercises.lessons import ct
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_ROW, _COLUMN, _SLICE, _Z = 72, 40, 14, -30.5
_SPACING: Final = 2.0
_NOISE, _AVERAGED = 9.0, 4


def _spacing() -> npt.NDArray[np.float64]:
    """Return the lengths of the steps of slice, row and column, mm."""
    return np.asarray(np.linalg.norm(ct().affine[:3, :3], axis=0), dtype=np.float64)


@check
def _aspect(answer: Any) -> Verdict:
    found = number(answer, "a ratio")
    slices, rows, columns = _spacing()
    true = slices / columns
    return judged(
        found,
        true,
        within=0.03,
        good=f"{slices:.3g} mm upwards, {columns:.3g} mm sideways.",
        mistakes=[
            (columns / slices, "the other way round: that is how much wider than tall it is."),
            (
                slices / rows,
                "that takes the step of the rows, which goes from front to back. Sideways is column.",
            ),
            (rows / columns, "that is for an axial picture; a coronal one has slices upwards."),
            (slices, "that is the height in mm; a ratio to the width is asked for."),
            (1.0, "square? Then the left picture would be right."),
        ],
        otherwise="spacing is (slice, row, column): which of them is upwards, which sideways?",
    )


@check
def _normal(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "a vector of three numbers")
    length = float(np.linalg.norm(found))
    if length < 1e-9:
        return wrong("a vector of length 0 has no direction.")
    unit = found / length
    lesion, nodule = np.array(LESION_CENTRE), np.array(NODULE_CENTRE)
    way = (nodule - lesion) / np.linalg.norm(nodule - lesion)
    true = np.cross(way, (0, 0, 1))
    true /= np.linalg.norm(true)
    if near(abs(unit @ true), 1.0, 1e-5):
        return right("perpendicular to the way from one to the other, and to the way to the head.")
    if near(abs(unit @ way), 1.0, 1e-4):
        return wrong(
            "that is the way from one point to the other: it lies *in* the plane. The normal is perpendicular to it."
        )
    across, upwards = abs(unit @ way), abs(unit @ np.array((0.0, 0.0, 1.0)))
    if upwards > 1e-4 and across <= 1e-4:
        return wrong("both points lie in that plane, but it leans: the direction to the head is not in it.")
    if across > 1e-4 and upwards <= 1e-4:
        angle = math.degrees(math.asin(min(1.0, across)))
        return wrong(
            f"the head is up in it, but the way from lesion to nodule leaves the plane by {angle:.1f} degrees. "
            "Take the difference of the two points, not the points themselves."
        )
    return wrong("np.cross of two vectors that lie in the plane: nodule − lesion, and (0, 0, 1).")


@check
def _linear(answer: Any) -> Verdict:
    found = number(answer, "a value in HU")
    values = ct().values
    low, high = (float(values[k, _ROW, _COLUMN]) for k in (_SLICE, _SLICE + 1))
    z = [float(ct().affine[2] @ (k, _ROW, _COLUMN, 1)) for k in (_SLICE, _SLICE + 1)]
    part = (_Z - z[0]) / (z[1] - z[0])
    true = (1 - part) * low + part * high
    return judged(
        found,
        true,
        within=0.5,
        good="a quarter of the way up: three quarters liver, one quarter lung.",
        mistakes=[
            (part * low + (1 - part) * high, "the weights are swapped: the nearer slice counts more."),
            ((low + high) / 2, "that is half way, z = −28; −30.5 is nearer to the slice at −33."),
            (low, "that is the nearest voxel, order 0."),
            (high, "that is the voxel farther away."),
            (low + part * (low - high), "the sign is off: from 32 towards −832 it goes down."),
            (low + part * high, "the weights must add up to 1: what of the 32 HU is left?"),
            (low - part * high, "the weights must add up to 1, and both are added."),
        ],
        otherwise=f"the place is {part:.2f} of the way from the first to the second: (1 − f) · first + f · second.",
    )


@functools.cache
def _halfway() -> npt.NDArray[np.float64]:
    """Return linear values half way between slices less the truth there, HU."""
    truth = ct()
    values = truth.values[:, _ROW].astype(float)
    index = np.stack(
        np.broadcast_arrays(
            np.arange(len(values) - 1)[:, None] + 0.5, _ROW, np.arange(values.shape[1])[None, :], 1.0
        ),
        axis=-1,
    )
    difference: npt.NDArray[np.float64] = (values[:-1] + values[1:]) / 2 - body.hu(index @ truth.affine[:3].T)
    return difference


@check
def _rms(answer: Any) -> Verdict:
    found = number(answer, "a difference in HU")
    off = _halfway()
    true = float(np.sqrt((off**2).mean()))
    return judged(
        found,
        true,
        within=0.01,
        good="more than ten times the noise, though the picture looks smooth.",
        mistakes=[
            (float(off.mean()), "that is the mean: errors up and down cancel out. Square first."),
            (float(-off.mean()), "that is the mean: errors up and down cancel out. Square first."),
            (true**2, "that is the mean square, in HU²; its root is asked for."),
            (
                float(np.abs(off).mean()),
                "that is the mean distance; RMS squares, and so counts large errors more.",
            ),
            (float(off.std()), "that is std, which takes the mean off first. RMS does not."),
            (float(np.abs(off).max()), "that is the largest one; the root of the mean square is asked for."),
            (
                float(np.sqrt((off**2).sum())),
                "that is the root of the sum; take the mean before the root.",
            ),
        ],
        otherwise="np.sqrt of the mean of (between − truth)².",
    )


@check
def _finer(answer: Any) -> Verdict:
    found = whole(answer, "a number of slices")
    slices, step = ct().values.shape[0], float(_spacing()[0])
    true = math.ceil(slices * step / _SPACING - 1e-6)
    gaps = round((slices - 1) * step / _SPACING)
    return judged(
        found,
        true,
        within=0,
        good="the extent stays, from face to face of the outer voxels.",
        mistakes=[
            (
                gaps,
                "that counts the gaps between the outer centres; the volume reaches half a slice beyond them.",
            ),
            (
                gaps + 1,
                "that is from centre to centre; the volume reaches half a slice beyond the outer ones.",
            ),
            (slices, "as many as before: then nothing would have changed."),
            (slices * step / (2 * _SPACING), "that is for a spacing of 4 mm."),
            (true + 1, "one too many: slices, not the faces between them."),
        ],
        otherwise="the slices cover 320 mm, and each of the new ones takes 2 mm.",
    )


@check
def _calm(answer: Any) -> Verdict:
    found = number(answer, "a standard deviation in HU")
    true = _NOISE / math.sqrt(_AVERAGED)
    return judged(
        found,
        true,
        within=0.01,
        good="half of it, for four times the thickness.",
        mistakes=[
            (_NOISE / _AVERAGED, "variances add up, standard deviations do not: divide by √4."),
            (_NOISE, "independent noise cancels out in part: it becomes less."),
            (_NOISE * math.sqrt(_AVERAGED), "that is the noise of the *sum*; an average divides by 4, too."),
            (_NOISE / math.sqrt(_AVERAGED - 1), "there are four slices, not three."),
            (_NOISE**2 / _AVERAGED, "that is the variance; its root is asked for."),
        ],
        otherwise="the average of n independent slices has √n times less noise; n is 4.",
    )


CHECKS: Final[dict[int, Check]] = {
    0: _aspect,
    1: _normal,
    2: _linear,
    3: _rms,
    4: _finer,
    5: _calm,
}
"""By number."""
