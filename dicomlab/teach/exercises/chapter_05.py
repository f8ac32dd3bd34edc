"""Checks of chapter 5: geometry. All from the attributes of the lesson's MR, by the formula of PS3.3 C.7.6.2.1.1."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from dicomlab.teach.exercises.answers import check, judged, millimetres, near, number, numbers, rounded
from dicomlab.teach.exercises.lessons import mr_headers
from dicomlab.teach.exercises.verdict import Check, Verdict, wrong

__all__ = ["CHECKS"]

_ROW, _COLUMN = 20, 65
_POINT: Final = (-20.6, -13.7, 1.5)
_RAS: Final = np.array([-1.0, -1.0, 1.0])


@dataclass(frozen=True)
class _Place:
    """What the first file says, and what follows from it and its neighbours; `starts` are all positions, sorted along n."""

    position: npt.NDArray[np.float64]
    r: npt.NDArray[np.float64]
    c: npt.NDArray[np.float64]
    rows: float
    columns: float
    starts: npt.NDArray[np.float64]
    step: float
    thickness: float
    size: tuple[int, int]

    @property
    def n(self) -> npt.NDArray[np.float64]:
        return np.cross(self.r, self.c)

    def affine(self, step: float | None = None, swapped: bool = False) -> npt.NDArray[np.float64]:
        rows, columns = (self.columns, self.rows) if swapped else (self.rows, self.columns)
        found = np.eye(4)
        found[:3] = np.stack(
            [self.n * (step or self.step), self.c * rows, self.r * columns, self.starts[0]], axis=1
        )
        return found


@functools.cache
def _place() -> _Place:
    headers = mr_headers()
    first = headers[0]
    cosines = np.array([float(v) for v in first.ImageOrientationPatient])
    r, c = cosines[:3], cosines[3:]
    normal = np.cross(r, c)
    places = np.array([[float(v) for v in one.ImagePositionPatient] for one in headers])
    starts = places[np.argsort(places @ normal)]
    return _Place(
        places[0],
        r,
        c,
        rows=float(first.PixelSpacing[0]),
        columns=float(first.PixelSpacing[1]),
        starts=starts,
        step=float(np.diff(starts @ normal).mean()),
        thickness=float(first.SliceThickness),
        size=(int(first.Rows), int(first.Columns)),
    )


@check
def _pixel(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "a place of three numbers, x, y and z,")
    at = _place()
    along, down = at.r * at.columns, at.c * at.rows
    true = at.position + _COLUMN * along + _ROW * down
    shown = at.starts + _COLUMN * along + _ROW * down
    own = int(np.argmin(np.linalg.norm(shown - true, axis=1)))
    for k, place in enumerate(shown):
        if k != own and near(found, place, 0.1):  # as few digits as somebody may read off the explorer
            return wrong(
                f"that pixel is in slice {k} of the explorer, which counts along n; `header` is of `files[0]`, its slice {own}."
            )
    return judged(
        found,
        true,
        within=0.02,
        good="column along r, row along c, each with its own spacing.",
        mistakes=[
            (
                at.position + _ROW * at.r * at.rows + _COLUMN * at.c * at.columns,
                "r and c are swapped. r, the first three cosines, is the way along a row, which the column index goes.",
            ),
            (
                at.position + _COLUMN * at.r * at.rows + _ROW * at.c * at.columns,
                "row and column spacing are swapped. Pixel Spacing[0] is the distance between rows, the step of the row index.",
            ),
            (
                at.position + _ROW * along + _COLUMN * down,
                "row and column index are swapped: column 65 goes with r.",
            ),
            (
                true - at.position,
                "Image Position is missing: this is the way from the first pixel, not a place in the patient.",
            ),
            (
                at.position + _COLUMN * at.r + _ROW * at.c,
                "Pixel Spacing is missing: r and c have length 1, a pixel has not.",
            ),
            (
                true * _RAS,
                "these are RAS, x and y have the other sign. DICOM counts in LPS: x to the left, y to the back.",
            ),
            (
                true + (along + down) / 2,
                "this is the corner of the pixel. Image Position is the centre of the first one: nothing to add.",
            ),
            (
                true - (along + down) / 2,
                "this is the corner of the pixel. Image Position is the centre of the first one: nothing to take off.",
            ),
            (
                true - along - down,
                "off by one: row 20 and column 65 are counted from 0, so they are that many steps from the first pixel.",
            ),
            (
                true + along + down,
                "off by one: row 20 and column 65 are counted from 0, so they are that many steps from the first pixel.",
            ),
            (true / 10, "these are centimetres; DICOM counts in millimetres."),
            (true[::-1], "the order is x, y, z; yours is z, y, x."),
        ],
        otherwise=f"this is {millimetres(float(np.linalg.norm(found - true)))} from the pixel. "
        "position + column · r · between_columns + row · c · between_rows.",
    )


@check
def _normal(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "a direction of three numbers")
    at = _place()
    length = float(np.linalg.norm(found))
    if rounded(found, at.n, 6e-4):
        return wrong("right, but rounded: give more digits.")
    if length > 0 and abs(length - 1) > 1e-3 and np.allclose(np.abs(found / length @ at.n), 1, atol=1e-4):
        way = "its direction is right" if found @ at.n > 0 else "it points the other way, too"
        return judged(
            found,
            at.n,
            within=1e-4,
            good="",
            otherwise=f"its length is {length:.4g}, and should be 1; {way}.",
        )
    return judged(
        found,
        at.n,
        within=6e-4,
        good="perpendicular to both, of length 1, and r, c, n are right-handed.",
        mistakes=[
            (
                -at.n,
                "it points the other way: that is c × r. The cross product changes its sign with the order.",
            ),
            (at.n * _RAS, "that is n in RAS: x and y have the other sign in LPS."),
            (at.r * at.c, "that is r times c, number by number. The cross product is np.cross(r, c)."),
            ((0, 0, 1), "that is the patient's axis. This slice is tilted, and its normal with it."),
            ((0, 0, -1), "that is the patient's axis. This slice is tilted, and its normal with it."),
            (at.r, "that is r, which lies in the slice."),
            (at.c, "that is c, which lies in the slice."),
        ],
        otherwise=f"n is perpendicular to r and c; yours has n · r = {found @ at.r:.3g} and n · c = {found @ at.c:.3g}.",
    )


@check
def _step(answer: Any) -> Verdict:
    found = number(answer, "a distance in mm")
    at = _place()
    headers = mr_headers()
    between = np.array([float(v) for v in headers[1].ImagePositionPatient]) - at.position
    return judged(
        found,
        at.step,
        within=0.01,
        good="from positions, along the normal.",
        mistakes=[
            (
                at.thickness,
                "that is Slice Thickness: how much tissue a slice averages. Take two neighbouring positions.",
            ),
            (
                -at.step,
                "the size is right, the sign is the order of the files. A distance is positive: abs(…).",
            ),
            (
                abs(between[2]),
                "that is the step along z alone. These slices are tilted: project the step on the normal, n @ step.",
            ),
            (
                between[2],
                "that is the step along z alone. These slices are tilted: project the step on the normal, n @ step.",
            ),
            (2 * at.step, "that is two steps: a slice was skipped."),
            (at.step / 10, "these are centimetres; millimetres are asked for."),
            (
                at.step * (len(headers) - 1),
                "that is from the first slice to the last; divide by the number of steps.",
            ),
            (
                at.step * (len(headers) - 1) / len(headers),
                "off by one: between 16 slices there are 15 steps.",
            ),
            (at.rows, "that is the distance between rows, within the slice."),
            (at.columns, "that is the distance between columns, within the slice."),
        ],
        otherwise="take Image Position of two neighbouring files, subtract, and project on n: abs(n @ (second - first)).",
    )


@check
def _affine(answer: Any) -> Verdict:
    found = numbers(answer, (4, 4), "a matrix whose last row is 0, 0, 0, 1")
    at = _place()
    true = at.affine()
    other = true.copy()
    other[:3, 3] = at.position
    down = other.copy()
    down[:3, 0] *= -1
    flipped = true.copy()
    flipped[:3, 0] *= -1
    both = at.affine(at.thickness)
    both[:3, 3] = at.position
    bare = true.copy()
    bare[:3, 3] = 0
    lps_to_ras = np.diag([-1.0, -1.0, 1.0, 1.0])
    otherwise = [
        f"column {k} ({what})"
        for k, what in enumerate(
            ("one slice further", "one row further", "one column further", "where voxel (0, 0, 0) is")
        )
        if np.abs(found[:3, k] - true[:3, k]).max() > 0.01
    ]
    return judged(
        found,
        true,
        within=0.01,
        good="this is volume.dicom.affine, from three attributes and a neighbour.",
        mistakes=[
            (
                both,
                "two things are off: the step is not Slice Thickness, and voxel (0, 0, 0) is in the first slice along n.",
            ),
            (
                at.affine(at.thickness),
                "the step between slices is not Slice Thickness: take it from positions (exercise 05.3).",
            ),
            (
                other,
                "the start is wrong: voxel (0, 0, 0) is in the slice that comes first along n, not in files[0].",
            ),
            (
                down,
                "this runs through the slices from files[0] on, against n: a true matrix, but slices are counted along n here.",
            ),
            (flipped, "one slice further goes along +n: the sign of the first column is wrong."),
            (
                at.affine(swapped=True),
                "row and column spacing are swapped: Pixel Spacing[0] is the step between rows.",
            ),
            (
                true[:, [2, 1, 0, 3]],
                "the columns are in the order (column, row, slice), as nibabel has it; (slice, row, column) is asked for.",
            ),
            (
                true[:, [0, 2, 1, 3]],
                "the columns of row and column are swapped: the row index goes down along c.",
            ),
            (lps_to_ras @ true, "this is RAS: x and y have the other sign in LPS."),
            (
                lps_to_ras @ true[:, [2, 1, 0, 3]],
                "this is nibabel's matrix, RAS and (column, row, slice): other signs, another order.",
            ),
            (true.T, "it is transposed: the steps are its columns, and the last row is 0, 0, 0, 1."),
            (bare, "the place of voxel (0, 0, 0) is missing: the last column."),
        ],
        otherwise="the last row must be 0, 0, 0, 1; "
        + (f"and these differ: {', '.join(otherwise)}." if otherwise else "all else is right.")
        if np.abs(found[3] - (0, 0, 0, 1)).max() > 1e-6
        else f"these differ: {', '.join(otherwise)}.",
    )


@check
def _index(answer: Any) -> Verdict:
    found = numbers(answer, (3,), "an index of three numbers, (slice, row, column),")
    affine = _place().affine()
    exact = (np.linalg.inv(affine) @ (*_POINT, 1))[:3]
    true = np.rint(exact)
    mirrored = (np.linalg.inv(affine) @ (*(_RAS * _POINT), 1))[:3]
    if not np.array_equal(found, np.rint(found)) and (
        near(found, exact, 0.01) or rounded(found, exact, 0.01)
    ):
        return wrong(
            "right, but not yet a voxel: that is the exact place between centres. np.rint, the nearest one."
        )
    if np.array_equal(found, np.floor(exact)) and not np.array_equal(found, true):
        return judged(
            found,
            true,
            within=0,
            good="",
            otherwise="cut off, not rounded: a voxel reaches half a step to each side of its centre. np.rint first.",
        )
    return judged(
        found,
        true,
        within=0,
        good="the inverse of the affine leads from millimetres to voxels.",
        mistakes=[
            (true[::-1], "the order is (slice, row, column); yours is (column, row, slice)."),
            (true[[0, 2, 1]], "row and column are swapped."),
            (true + 1, "off by one: indices are counted from 0."),
            (np.rint(mirrored), "the point was taken for RAS: it is in LPS, as the affine is."),
            (np.ceil(exact), "rounded up: the nearest centre may be below. np.rint."),
        ],
        otherwise=f"that voxel is {millimetres(float(np.linalg.norm((affine @ (*found, 1))[:3] - _POINT)))} from the point.",
    )


@check
def _width(answer: Any) -> Verdict:
    found = number(answer, "a width in mm")
    at = _place()
    rows, columns = at.size
    return judged(
        found,
        columns * at.columns,
        within=0.01,
        good=f"{columns} pixels, each {at.columns} mm wide.",
        mistakes=[
            (
                (columns - 1) * at.columns,
                "that is from the first centre to the last one; half a pixel is missing on each side.",
            ),
            (
                columns * at.rows,
                "spacing is swapped: along a row one steps from column to column, Pixel Spacing[1].",
            ),
            (rows * at.rows, "that is the height: rows times their distance."),
            (rows * at.columns, "a row has as many pixels as there are columns."),
            (columns * at.columns / 10, "these are centimetres; millimetres are asked for."),
            (columns, "those are pixels; each is some mm wide."),
        ],
        otherwise="it is the number of pixels in a row times their distance.",
    )


CHECKS: Final[dict[int, Check]] = {1: _pixel, 2: _normal, 3: _step, 4: _affine, 5: _index, 6: _width}
"""By number."""
