"""Checks of chapter 10: masks, by counting voxels of the phantom's truth."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import phantom
from dicomlab.teach.exercises.answers import Off, check, described, judged, number, whole
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_SHAPE: Final = (60, 120, 144)
_LOWS: Final = (100, 150, 200, 250, 300, 400)
_ENOUGH: Final = 0.95
_BOXES: Final = ((slice(1, 6), slice(1, 6)), (slice(3, 7), slice(2, 8)))
"""The two masks of exercise 2."""

Mask = npt.NDArray[np.bool_]


@functools.cache
def _ct() -> phantom.Truth:
    return phantom.ct_truth(phantom.CT_PET_FRAME, _SHAPE, "axial")


def _voxel_ml() -> float:
    return float(abs(np.linalg.det(_ct().affine[:3, :3]))) / 1000


def _ml(mask: Mask) -> float:
    return float(np.count_nonzero(mask)) * _voxel_ml()


def dice(a: Mask, b: Mask) -> float:
    """Return twice what two masks share, divided by the sum of their sizes; 1 where both are empty."""
    size = np.count_nonzero(a) + np.count_nonzero(b)
    return 2 * float(np.count_nonzero(a & b)) / float(size) if size else 1.0


def _mask(answer: Any, shape: tuple[int, ...]) -> Mask:
    """Return an answer that is a mask of this shape; nothing is read before the shape is known to be right."""
    if not isinstance(answer, (np.ndarray, xr.DataArray)):
        raise Off(f"a mask is asked for, an array; this is {described(answer)}.")
    if tuple(answer.shape) != shape:
        raise Off(f"a mask on the grid of the CT, {shape}, is asked for; this is {described(answer)}.")
    if answer.dtype.kind not in "biu":
        raise Off(f"a mask is asked for, True and False or whole numbers; this array holds {answer.dtype}.")
    values = np.asarray(answer)
    return values if values.dtype == np.bool_ else values > 0


@check
def _voxel(answer: Any) -> Verdict:
    found = number(answer, "a volume in ml")
    true = _voxel_ml()
    spacing = np.linalg.norm(_ct().affine[:3, :3], axis=0)
    return judged(
        found,
        true,
        within=true / 1000,
        good="so a thousand voxels are some 45 ml.",
        mistakes=[
            (true * 1000, "that is in mm³: 1 ml has 1000 of them."),
            (true * 100, "that divides by 10 once: a cube has three sides, 10 · 10 · 10."),
            (true * 10, "that divides by 100: a cube has three sides, 10 · 10 · 10."),
            (true / 1000, "that divides by 1000 twice."),
            (spacing[1] * spacing[2] / 1000, "that is an area: the distance of the slices is missing."),
            (spacing[1] * spacing[2], "that is an area in mm²: the distance of the slices is missing."),
            (spacing.sum() / 1000, "lengths are multiplied, not added."),
        ],
        otherwise="the product of the three spacings in mm, divided by 1000.",
    )


@check
def _lung(answer: Any) -> Verdict:
    found = number(answer, "a volume in ml")
    masks, values = _ct().masks, _ct().values
    left, rightward = masks["lung_left"], masks["lung_right"]
    true = _ml(left | rightward)
    low = values < -400
    if abs(found - true) <= 0.03 * true:
        return right(f"the truth is {true:.0f} ml; you are off by {100 * (found / true - 1):+.1f} %.")
    for mistaken, within, name in [
        (_ml(low), 0.03, "that is all air, the room with it: keep what lies inside the body."),
        (
            _ml(low & masks["body"]),
            0.015,
            "close, but the gas in stomach and gut is in it, and the windpipe: keep the largest connected part.",
        ),
        (_ml(left), 0.05, "that is the left lung alone."),
        (_ml(rightward), 0.05, "that is the right lung alone."),
        (true * 1000, 0.05, "that is in mm³; 1 ml has 1000 of them."),
        (true / 1000, 0.05, "that is in litres; ml are asked for."),
        (true / _voxel_ml(), 0.06, "those are voxels: times the ml of one."),
        (_ml(masks["body"]), 0.05, "that is the whole body."),
    ]:
        if abs(found - mistaken) <= within * mistaken:
            return wrong(name)
    off = min(100 * abs(found / true - 1), 1000)
    return wrong(
        f"that is {'more' if found > true else 'less'} than the lungs have, by {off:.0f} %{' or more' if off == 1000 else ''}. "
        "The largest connected part of the air inside the body comes within 3 %."
    )


@check
def _dice(answer: Any) -> Verdict:
    found = number(answer, "a Dice coefficient")
    a, b = np.zeros((2, 8, 8), bool)
    a[_BOXES[0]], b[_BOXES[1]] = True, True
    true, both = dice(a, b), int((a & b).sum())
    sizes = int(a.sum()), int(b.sum())
    return judged(
        found,
        true,
        within=0.001,
        good=f"2 · {both} / ({sizes[0]} + {sizes[1]}).",
        mistakes=[
            (
                both / int((a | b).sum()),
                "that is Jaccard, the share of the union. Dice counts what is shared twice.",
            ),
            (true / 2, "the factor 2 is missing: the same mask twice would have 0.5."),
            (2 * both / int((a | b).sum()), "below the line stands the sum of both sizes, not the union."),
            (both / sizes[0], "that is the share of a that b found; Dice asks both ways."),
            (both / sizes[1], "that is the share of b that is in a; Dice asks both ways."),
            (float((a == b).mean()), "that counts the background as agreement, which flatters small masks."),
            (100 * true, "that is in per cent; Dice goes from 0 to 1."),
        ],
        otherwise="twice the voxels in both, divided by the voxels of a plus those of b.",
    )


@functools.cache
def _scores() -> dict[int, float]:
    return {low: dice(_ct().masks["bone"], _ct().values >= low) for low in _LOWS}


@check
def _threshold(answer: Any) -> Verdict:
    found = number(answer, "a threshold in HU")
    scores = _scores()
    best = max(scores, key=lambda low: scores[low])
    if found == best:
        return right(
            f"Dice {scores[best]:.3f}: above blood with contrast medium (180 HU), below most of the bone."
        )
    if 0 <= found <= 1:
        return wrong("that looks like a Dice; the threshold it belongs to is asked for, in HU.")
    if found not in scores:
        return wrong(f"one of {', '.join(map(str, _LOWS))} is asked for.")
    said = f"Dice {scores[int(found)]:.3f}, and another has more:"
    if found > best:
        return wrong(f"{said} this one loses the spongy inside of the bones, which has about 260 HU.")
    return wrong(f"{said} this one takes in blood and kidneys, where the contrast medium is.")


def _connected(mask: Mask, region: Mask) -> Mask:
    """Return what of a mask hangs together with the part that holds most of a region."""
    from scipy import ndimage

    labels, _ = ndimage.label(mask, np.ones((3, 3, 3)))
    inside = labels[region & mask]
    return np.asarray(labels == np.bincount(inside).argmax())


@check
def _lesion(answer: Any) -> Verdict:
    found = _mask(answer, _SHAPE)
    true = _ct().masks["lesion"]
    score, ml, true_ml = dice(true, found), _ml(found), _ml(true)
    if score >= _ENOUGH:
        return right(f"Dice {score:.3f}, {ml:.1f} ml of {true_ml:.1f} ml.")
    if not found.any():
        return wrong("this mask is empty.")
    if not (found & true).any():
        return wrong("this mask has no voxel of the lesion. Is the seed in LPS millimetres, (−82, −14, −62)?")
    said = f"Dice {score:.3f}, {ml:.1f} ml of {true_ml:.1f} ml"
    if _ml(_connected(found, true)) < 0.9 * ml:
        return wrong(
            f"{said}: much of it is somewhere else in the body, where values are alike, and has no connection with the "
            "lesion. Keep what is connected with the seed: segment.grow."
        )
    if ml > 10 * true_ml:
        return wrong(f"{said}: it has leaked into liver and beyond. Lower the upper end of the range.")
    if ml > 1.05 * true_ml:
        return wrong(
            f"{said}: too much. The upper end lies half way between lesion, 20 HU, and liver, 60 HU."
        )
    if ml < 0.95 * true_ml:
        return wrong(
            f"{said}: too little. Noise takes voxels out of so narrow a range; the upper end lies half way between 20 and 60."
        )
    return wrong(f"{said}: the right size, but in part in the wrong place.")


@check
def _frames(answer: Any) -> Verdict:
    found = whole(answer, "a number of frames")
    true = int(_ct().masks["lesion"].any(axis=(1, 2)).sum())
    return judged(
        found,
        true,
        within=0,
        good="one for each slice with at least one voxel of it.",
        mistakes=[
            (_SHAPE[0], "that is every slice; frames that would be empty are left out."),
            (int(_ct().masks["lesion"].sum()), "those are voxels; a frame is a whole slice."),
            (true - 1, "one is missing: count slices, not the steps between them."),
            (true + 1, "one too many: count slices, from the first to the last."),
            (1, "one segment, yes; frames are its slices."),
        ],
        otherwise="the slices in which the mask has any voxel.",
    )


CHECKS: Final[dict[int, Check]] = {
    0: _voxel,
    1: _lung,
    2: _dice,
    3: _threshold,
    4: _lesion,
    5: _frames,
}
"""By number."""
