"""Checks of chapter 6: series and volumes."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from dicomlab.teach.exercises.answers import check, differences, judged, names, number, numbers
from dicomlab.teach.exercises.lessons import ct, ct_headers, kind, mr_headers, pet_headers
from dicomlab.teach.exercises.verdict import Check, Verdict, right, wrong

__all__ = ["CHECKS"]

_PLACE: Final = np.array([61.0, -51.0, -73.0])
_AXES: Final = ("slice", "row", "column")


@check
def _frames(answer: Any) -> Verdict:
    found = {one.strip().upper() for one in names(answer, "modalities")}
    frames = {
        str(header.Modality): header.FrameOfReferenceUID
        for header in (ct_headers()[0], mr_headers()[0], pet_headers()[0])
    }
    wanted = {modality for modality in frames if list(frames.values()).count(frames[modality]) > 1}
    if found == wanted:
        return right("one machine, one couch: CT and PET were taken together.")
    if {"PET", "CT"} == found:
        return right("CT and PET; DICOM writes PT.")
    if found == set(frames):
        return wrong("all three? Same patient, same study; but compare (0020,0052) of each.")
    if "MR" in found:
        return wrong("the MR was taken in another machine, and has another Frame of Reference UID.")
    return wrong(f"two of {', '.join(frames)} are asked for: those whose FrameOfReferenceUID is equal.")


@check
def _order(answer: Any) -> Verdict:
    found = names(answer, "names of files")
    headers = kind("axial_ct")[1]
    true = sorted(headers, key=lambda name: float(headers[name].ImagePositionPatient[2]))
    if found == true:
        return right("by position, along the normal.")
    if sorted(found) != sorted(true):
        strangers = [name for name in found if name not in headers]
        if strangers:
            return wrong(
                f"{strangers[0][:40]!r} is none of the files; they are called {min(true)} to {max(true)}."
            )
        return wrong(f"all {len(true)} names are asked for, each once; these are {len(found)}.")
    if found == true[::-1]:
        return wrong("that is from the head to the feet: z grows towards the head.")
    if found == sorted(true):
        return wrong("that is by file name, and a name says nothing.")
    if found in (by := sorted(true, key=lambda name: int(headers[name].InstanceNumber)), by[::-1]):
        return wrong(
            "that is by Instance Number, which promises no order in space. Sort by ImagePositionPatient[2]."
        )
    if found == sorted(true, key=lambda name: str(headers[name].ImagePositionPatient[2])):
        return wrong("that is z sorted as text: '-41' comes before '-81' there. Make numbers of them.")
    first = next(k for k, (a, b) in enumerate(zip(found, true, strict=True)) if a != b)
    z = float(headers[found[first]].ImagePositionPatient[2])
    return wrong(
        f"name {first} of the list (from 0) is {found[first]} at z = {z:g} mm, which is not the next from below."
    )


@check
def _volume(answer: Any) -> Verdict:
    sample, headers = kind("axial_ct")
    true = sample.values.astype(float)
    found = numbers(answer, true.shape, "an array of HU (slice, row, column)")
    heights = [float(header.ImagePositionPatient[2]) for header in headers.values()]
    named = true[np.argsort(np.argsort(heights))]
    order = np.argsort([int(header.InstanceNumber) for header in headers.values()])
    numbered = named[order]
    orders = {
        "": true,
        "the slices are in the order of file names": named,
        "the slices are in the order of Instance Numbers": numbered,
        "the slices run from the head to the feet": true[::-1],
    }
    mistakes = []
    for order_said, values in orders.items():
        if order_said:
            mistakes.append((values, f"{order_said}; sort by position, ascending z."))
        said = f"two things are off: {order_said}, and" if order_said else "the order is right;"
        mistakes.append(
            (values + 1024, f"{said} these are the stored values; slope and intercept are missing.")
        )
        mistakes.append(
            (
                (values + 65536) % 65536,
                f"{said} the values wrapped round below 0: convert before adding −1024.",
            )
        )
    return judged(
        found,
        true,
        within=0.01,
        good="this is what load_volume does first.",
        mistakes=mistakes,
        otherwise=f"{differences(found, true, 0.01, _AXES)}.",
    )


@check
def _spacing(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "a list of three distances, (slice, row, column),")
    header = ct_headers()[0]
    heights = sorted(float(one.ImagePositionPatient[2]) for one in ct_headers())
    step = heights[1] - heights[0]
    rows, columns = (float(v) for v in header.PixelSpacing)
    thickness = float(header.SliceThickness)
    true = np.array([step, rows, columns])
    good = [axis for axis, a, b in zip(_AXES, found, true, strict=True) if abs(a - b) < 0.001]
    right_so_far = (
        " and ".join(good) + " are" if len(good) > 1 else f"only the {good[0]} is" if good else "none is"
    )
    return judged(
        found,
        true,
        within=0.001,
        good="Pixel Spacing is (row, column) already; the step comes from positions.",
        mistakes=[
            (
                (thickness, rows, columns),
                "the first is Slice Thickness, and slices overlap: take the difference of two positions.",
            ),
            (
                (thickness, columns, rows),
                "two things are off: Slice Thickness is no distance, and row and column are swapped.",
            ),
            (
                true[::-1],
                "the order is (slice, row, column); yours is (column, row, slice), as nibabel and ITK have it.",
            ),
            (
                (step, columns, rows),
                "row and column are swapped: Pixel Spacing begins with the distance between rows.",
            ),
            ((rows, columns, step), "the order is (slice, row, column): the slice comes first."),
            (
                (columns, rows, thickness),
                "two things are off: the order is (slice, row, column), and Slice Thickness is no distance.",
            ),
            (
                (rows, columns, thickness),
                "two things are off: the order is (slice, row, column), and Slice Thickness is no distance.",
            ),
            ((-step, rows, columns), "a distance is positive: sort the positions first."),
            (true / 10, "these are centimetres; millimetres are asked for."),
        ],
        otherwise=f"of slice, row and column {right_so_far} right so far.",
    )


@check
def _there(answer: Any) -> Verdict:
    found = number(answer, "one value in HU")
    truth = ct()

    def at(place: Any) -> float:
        index = (np.linalg.inv(truth.affine) @ (*place, 1))[:3]
        k, i, j = (
            int(np.clip(round(v), 0, size - 1)) for v, size in zip(index, truth.values.shape, strict=True)
        )
        return float(truth.values[k, i, j])

    x, y, z = _PLACE
    return judged(
        found,
        at(_PLACE),
        within=0,
        good="gas in the stomach, near −1000.",
        mistakes=[
            (at((y, x, z)), "x and y are swapped: row is y, column is x."),
            (
                at((-x, -y, z)),
                "that is the place in RAS: x and y with the other sign. Here x grows to the left.",
            ),
            (at((z, y, x)), "the order is turned round: slice is z, row is y, column is x."),
            (at(_PLACE) + 1024, "that is the stored value; HU are asked for."),
        ],
        otherwise="volume.sel(slice=z, row=y, column=x, method='nearest').item()",
    )


@check
def _gap(answer: Any) -> Verdict:
    found = number(answer, "a height in mm")
    z = np.sort(kind("missing_slice")[0].origins[:, 2])
    steps = np.diff(z)
    k = int(np.argmax(steps))
    true = (z[k] + z[k + 1]) / 2
    return judged(
        found,
        true,
        within=0.01,
        good="half way between its neighbours, which are two steps apart.",
        mistakes=[
            (steps[k], "that is how wide the gap is; where is it?"),
            (steps.min(), "that is the usual step; where is the one that is not?"),
            (z[k], "that is the slice below the gap, which is there."),
            (z[k + 1], "that is the slice above the gap, which is there."),
            (k, "that is an index; a height in mm is asked for."),
            (k + 1, "that is an index; a height in mm is asked for."),
            (-true, "the right size, the wrong sign: z grows towards the head, and may be negative."),
            (true / 10, "these are centimetres; millimetres are asked for."),
        ],
        otherwise="np.diff(z) is twice as large at one place: the slice was half way between.",
    )


CHECKS: Final[dict[int, Check]] = {1: _frames, 2: _order, 3: _volume, 4: _spacing, 5: _there, 6: _gap}
"""By number."""
