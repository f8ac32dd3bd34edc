"""Checks of chapter 7: multi-frame objects and series with a fourth axis."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom import Dataset

from dicomlab.teach.exercises.answers import Off, check, differences, judged, number, numbers
from dicomlab.teach.exercises.lessons import kind
from dicomlab.teach.exercises.verdict import Check, Verdict

__all__ = ["CHECKS"]

_FRAME = 3
_LINE = 5
_B = 1000.0


def _enhanced(name: str) -> Dataset:
    return next(iter(kind(name)[1].values()))


def _positions() -> npt.NDArray[np.float64]:
    return np.array(
        [
            [float(v) for v in frame.PlanePositionSequence[0].ImagePositionPatient]
            for frame in _enhanced("enhanced_ct").PerFrameFunctionalGroupsSequence
        ]
    )


@check
def _position(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "a place of three numbers, x, y and z,")
    places = _positions()
    true = places[_FRAME - 1]
    return judged(
        found,
        true,
        within=1e-3,
        good="frame 3 is item [2]: DICOM counts from 1, Python from 0.",
        mistakes=[
            (
                places[_FRAME],
                "off by one: that is frame 4. DICOM counts frames from 1, so frame 3 is per_frame[2].",
            ),
            (places[_FRAME - 2], "off by one: that is frame 2, per_frame[1]."),
            (places[0], "that is the first frame; the third is asked for."),
            (
                kind("enhanced_ct")[0].origins[_FRAME - 1],
                "that is the third slice by position; the third frame as stored is asked for.",
            ),
            (true * (-1, -1, 1), "that is RAS: x and y have the other sign in LPS."),
            (true / 10, "these are centimetres; millimetres are asked for."),
        ],
        otherwise="per_frame[…].PlanePositionSequence[0].ImagePositionPatient",
    )


@check
def _order(answer: Any) -> Verdict:
    places = _positions()
    found = numbers(answer, (len(places),), "a list of frame numbers")
    header = _enhanced("enhanced_ct")
    cosines = np.array(
        header.SharedFunctionalGroupsSequence[0].PlaneOrientationSequence[0].ImageOrientationPatient,
        dtype=float,
    )
    heights = places @ np.cross(cosines[:3], cosines[3:])
    true = np.argsort(heights) + 1
    ranks = np.argsort(np.argsort(heights)) + 1
    if sorted(found) not in (list(range(1, len(places) + 1)), list(range(len(places)))):
        raise Off(f"each of the frame numbers 1 to {len(places)} is asked for, once.")
    return judged(
        found,
        true,
        within=0,
        good="the order of frames in the file is no order at all.",
        mistakes=[
            (true - 1, "these count from 0; frame numbers count from 1."),
            (true[::-1], "that begins with the largest; the smallest comes first."),
            ((true - 1)[::-1], "two things are off: these count from 0, and begin with the largest."),
            (np.arange(len(places)) + 1, "that is the order in which they are stored."),
            (np.arange(len(places)), "that is the order in which they are stored, counted from 0."),
            (
                ranks,
                "that is the rank of each frame; the frames in order of rank are asked for. np.argsort once, not twice.",
            ),
            (
                ranks - 1,
                "that is the rank of each frame, from 0; the frame numbers in order of rank are asked for.",
            ),
            (
                np.argsort(places[:, 2]) + 1,
                "that is by z alone. These slices are oblique: take n @ position.",
            ),
            (np.argsort(places[:, 0]) + 1, "that is by x alone. Take n @ position."),
        ],
        otherwise="n @ position for each frame, np.argsort of that, plus 1.",
    )


@check
def _hounsfield(answer: Any) -> Verdict:
    header = _enhanced("enhanced_ct")
    shape = (int(header.Rows), int(header.Columns))
    stored = np.frombuffer(header.PixelData, "<u2").reshape(-1, *shape).astype(float)
    found = numbers(answer, shape, "an array of HU (rows, columns)")

    def hu(frame: int, by: int) -> npt.NDArray[np.float64]:
        group = header.PerFrameFunctionalGroupsSequence[by - 1].PixelValueTransformationSequence[0]
        return np.asarray(stored[frame - 1] * float(group.RescaleSlope) + float(group.RescaleIntercept))

    others = [
        (hu(_LINE, by), f"the right frame, with slope and intercept of frame {by}: each frame has its own.")
        for by in range(1, len(stored) + 1)
        if by != _LINE
    ]
    return judged(
        found,
        hu(_LINE, _LINE),
        within=0.01,
        good="its own pixels, by its own line.",
        mistakes=[
            (stored[_LINE - 1], "these are the stored values: slope and intercept are missing."),
            (
                stored[_LINE - 1] - 1024,
                "1024 is usual, but not a law: read slope and intercept of this frame.",
            ),
            (hu(_LINE + 1, _LINE + 1), "off by one: that is frame 6. Frame 5 is frames[4]."),
            (hu(_LINE + 1, _LINE), "the line of frame 5 on the pixels of frame 6: frame 5 is frames[4]."),
            *others,
        ],
        otherwise=f"{differences(found, hu(_LINE, _LINE), 0.01, ('row', 'column'))}.",
    )


@check
def _shape(answer: Any) -> Verdict:
    header = _enhanced("enhanced_mr")
    frames, rows, columns = int(header.NumberOfFrames), int(header.Rows), int(header.Columns)
    _, slices, times = np.max(
        [f.FrameContentSequence[0].DimensionIndexValues for f in header.PerFrameFunctionalGroupsSequence],
        axis=0,
    )
    three = isinstance(answer, tuple | list) and len(answer) == 3
    if three and numbers(answer, (3,), "a shape").tolist() == [frames, rows, columns]:
        raise Off(f"all {frames} frames in one row, as they are stored; time and slice are two axes.")
    found = numbers(answer, (4,), "a list of four numbers, (time, slice, row, column),")
    true = (times, slices, rows, columns)
    return judged(
        found,
        true,
        within=0,
        good="here the time runs fastest in the file; in another file it may be the slice.",
        mistakes=[
            (
                (slices, times, rows, columns),
                "time and slice are swapped: the labels say which index is which.",
            ),
            ((times, slices, columns, rows), "rows and columns are swapped."),
            (
                (slices, times, columns, rows),
                "two things are off: time and slice are swapped, and so are rows and columns.",
            ),
            ((rows, columns, slices, times), "the order is (time, slice, row, column)."),
            ((1, frames, rows, columns), "there are four moments: not all frames are slices."),
            ((frames, 1, rows, columns), "there are five slices: not all frames are moments."),
            (
                (times - 1, slices - 1, rows, columns),
                "off by one: the indices count from 1, so the largest is the number.",
            ),
            (
                (times + 1, slices + 1, rows, columns),
                "off by one: the indices count from 1, so the largest is the number.",
            ),
        ],
        otherwise=f"times × slices must be {frames}; yours make {found[0] * found[1]:g}.",
    )


@check
def _peak(answer: Any) -> Verdict:
    found = number(answer, "a time in seconds")
    sample = kind("dynamic")[0]
    curve = sample.values.mean(axis=(1, 2, 3))
    times = sample.axes["time"]
    k = int(np.argmax(curve))
    return judged(
        found,
        float(times[k]),
        within=1e-6,
        good="the label of the axis, not its index.",
        mistakes=[
            (k, "that is the index of the step; its time is over_time.time.values[index]."),
            (k + 1, "that is the number of the step, from 1; its time in seconds is asked for."),
            (1000 * float(times[k]), "those are milliseconds; seconds are asked for."),
            (float(curve[k]), "that is how high it is; when is asked for."),
            (float(times[int(np.argmin(curve))]), "that is where it is lowest."),
            (float(times[-1]), "that is the last moment; the curve has come down again by then."),
        ],
        otherwise=f"the moments are {', '.join(f'{time:g}' for time in times)} s: at which is the curve highest?",
    )


@check
def _adc(answer: Any) -> Verdict:
    found = number(answer, "a diffusion coefficient in mm²/s")
    sample = kind("diffusion")[0]
    inside = sample.values[0] > 500
    first = int(np.argmax(sample.axes["b_value"] == _B))
    none, weighted = (float(sample.values[step][inside].mean()) for step in (0, first))
    true = np.log(none / weighted) / _B
    return judged(
        found,
        true,
        within=0.005 * true,
        good=f"{1000 * true:.2f} · 10⁻³ mm²/s. "
        "Noise makes magnitudes larger, the small ones most, so it is a little below the 1/1200 of the phantom.",
        mistakes=[
            (
                np.log10(none / weighted) / _B,
                "that is the decimal logarithm; e to the power needs the natural one, np.log.",
            ),
            (np.log2(none / weighted) / _B, "that is the logarithm to base 2; np.log is the natural one."),
            (-true, "the sign: log(S₀ / S), or −log(S / S₀)."),
            (true * _B, "that is b · D: divide by b."),
            (true * 1000, "that is in 10⁻³ mm²/s; mm²/s are asked for."),
            (none / weighted / _B, "the logarithm is missing."),
            ((1 - weighted / none) / _B, "that is the beginning of the series of e; take the logarithm."),
            (
                np.log(none - weighted) / _B,
                "the logarithm of a ratio is the difference of logarithms, not the other way round.",
            ),
            (2 * true, "divided by 500: the second image has b = 1000."),
            (true / 100, "that is in cm²/s; mm²/s are asked for."),
        ],
        otherwise="D = ln(S₀ / S₁₀₀₀) / 1000.",
    )


CHECKS: Final[dict[int, Check]] = {
    1: _position,
    2: _order,
    3: _hounsfield,
    4: _shape,
    5: _peak,
    6: _adc,
}
"""By number."""
