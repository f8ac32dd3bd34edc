"""A body with letters inside, written as DICOM by pydicom alone, and read back from pictures without any geometry of dicomlab.

Three sets of letters, each carved through a slab across one patient axis, in the planes AXIAL_AT, SAGITTAL_AT, CORONAL_AT:
whoever looks at such a plane as radiologists do reads them upright. Which voxel is in which letter follows from Image Position
and Image Orientation (PS3.3 C.7.6.2.1.1) and from the formula `value_at`; nothing here knows how dicomlab counts.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

Floats = npt.NDArray[np.float64]

GLYPHS = {
    letter: np.array([[mark == "#" for mark in line] for line in text.split()])
    for letter, text in {
        "L": "#.... #.... #.... #.... #.... #.... #####",
        "R": "####. #...# #...# ####. #.#.. #..#. #...#",
        "A": "..#.. .#.#. #...# #...# ##### #...# #...#",
        "P": "####. #...# #...# ####. #.... #.... #....",
        "H": "#...# #...# #...# ##### #...# #...# #...#",
        "F": "##### #.... #.... ####. #.... #.... #....",
    }.items()
}
"""Letters of 7 rows of 5 cells, each touching all four sides of its box."""

VALUES = {"L": 100, "R": 200, "A": 300, "P": 400, "H": 500, "F": 600}
BODY, OUTSIDE = 30, 0
WINDOW = (350.0, 700.0)
"""Center and width, LINEAR_EXACT: every value has a shade of its own."""

AXIAL_AT, SAGITTAL_AT, CORONAL_AT = (0.0, 0.0, -22.0), (18.0, 0.0, 0.0), (0.0, 18.0, 0.0)
"""LPS mm within the plane of each set."""

_FAR, _THICK, _CELL = 40.0, 12.0, 4.0  # mm
_TO = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
# Of each plane: a point of it, the patient's direction to the right and down on a radiologist's screen, and its letters.
SETS = {
    "axial": (AXIAL_AT, "L", "P", "LRAP"),
    "sagittal": (SAGITTAL_AT, "P", "F", "APHF"),
    "coronal": (CORONAL_AT, "L", "F", "LRHF"),
}
SIDES = {"axial": "RLAP", "sagittal": "APHF", "coronal": "RLHF"}
"""The letters at the left, right, top and bottom of an upright picture."""


def vector(letter: str) -> Floats:
    """LPS unit vector of a patient direction."""
    return np.array(_TO[letter], dtype=float)


def value_at(lps: Floats) -> npt.NDArray[np.int16]:
    """The value of the body at positions (..., 3)."""
    found = np.full(lps.shape[:-1], OUTSIDE, np.int16)
    found[(np.abs(lps / [56.0, 56.0, 56.0]) <= 1).all(axis=-1)] = BODY
    for at, right, down, letters in SETS.values():
        r, d = vector(right), vector(down)
        n = np.cross(r, d)
        for letter in letters:
            offset = lps - (np.array(at) + _FAR * vector(letter))
            x, y, z = offset @ r / _CELL + 2.5, offset @ d / _CELL + 3.5, offset @ n
            here = (x >= 0) & (x < 5) & (y >= 0) & (y < 7) & (np.abs(z) <= _THICK / 2)
            glyph = GLYPHS[letter][
                np.clip(np.floor(y).astype(int), 0, 6), np.clip(np.floor(x).astype(int), 0, 4)
            ]
            found[here & glyph] = VALUES[letter]
    return found


@dataclass(frozen=True)
class Acquisition:
    """How the body was imaged: Patient Position, the six numbers of Image Orientation, mm between slices, rows and columns."""

    name: str
    position: str
    orientation: tuple[float, ...]
    spacing: tuple[float, float, float] = (2.0, 1.9, 1.6)
    falling: bool = False
    lean: float = 0.0

    @property
    def axes(self) -> tuple[Floats, Floats, Floats]:
        """LPS unit vectors: along a row of pixels, along a column, and from slice to slice before it leans."""
        row, column = np.array(self.orientation[:3]), np.array(self.orientation[3:])
        normal = np.cross(row, column)
        return row, column, -normal if self.falling else normal

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns: odd, so that nothing lies in the middle of two voxels by accident."""
        far = 62.0 * float(np.abs(np.array(self.axes)).sum(axis=1).max())
        more = (0.0, 2 * far * abs(self.lean), 0.0)
        return tuple(int((2 * far + m) / mm) | 1 for m, mm in zip(more, self.spacing, strict=True))  # type: ignore[return-value]

    def first(self, slice: int) -> Floats:
        """Image Position of a slice: the centre of the first voxel."""
        row, column, normal = self.axes
        n, rows, columns = self.shape
        dz, dy, dx = self.spacing
        along = (slice - (n - 1) / 2) * dz
        return (
            along * (normal + self.lean * column)
            - (rows - 1) / 2 * dy * column
            - (columns - 1) / 2 * dx * row
        ) + [0.3, -0.2, 0.1]

    def places(self, slice: int) -> Floats:
        """LPS mm of every pixel, (rows, columns, 3): PS3.3 equation C.7.6.2.1-1."""
        row, column, _ = self.axes
        _, rows, columns = self.shape
        _, dy, dx = self.spacing
        i, j = np.arange(rows)[:, None, None], np.arange(columns)[None, :, None]
        return np.asarray(self.first(slice) + j * dx * row + i * dy * column)

    def write(self, folder: Path) -> Path:
        """Write the series, files in no order."""
        folder.mkdir()
        series, study, frame = generate_uid(), generate_uid(), generate_uid()
        numbers = np.random.default_rng(1).permutation(self.shape[0])
        for number, slice in enumerate(numbers):
            ds = _image(value_at(self.places(int(slice))), series, study, frame)
            ds.PatientPosition = self.position
            ds.ImagePositionPatient = [f"{x:.9g}" for x in self.first(int(slice))]
            ds.ImageOrientationPatient = [f"{x:.12g}" for x in self.orientation]
            ds.PixelSpacing = [self.spacing[1], self.spacing[2]]
            ds.SliceThickness = self.spacing[0]
            ds.InstanceNumber = number + 1
            ds.save_as(folder / f"{number:03}.dcm", enforce_file_format=True)
        return folder


def _image(values: npt.NDArray[np.int16], series: str, study: str, frame: str) -> Dataset:
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = generate_uid()
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds = FileDataset("", {}, file_meta=meta, preamble=b"\0" * 128)
    ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, meta.MediaStorageSOPInstanceUID
    ds.Modality, ds.SeriesDescription, ds.PatientID = "CT", "letters", "letters"
    ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = series, study, frame
    ds.Rows, ds.Columns = values.shape
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.RescaleSlope, ds.RescaleIntercept, ds.RescaleType = 1, 0, "HU"
    ds.WindowCenter, ds.WindowWidth, ds.VOILUTFunction = *WINDOW, "LINEAR_EXACT"
    ds.PixelData = values.astype("<i2").tobytes()
    return ds


def _turned(orientation: tuple[float, ...], degrees: tuple[float, float, float]) -> tuple[float, ...]:
    """An orientation after small rotations about the patient's axes."""
    made = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        a, b = [k for k in range(3) if k != axis]
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        made = turn @ made
    out = np.concatenate([made @ orientation[:3], made @ orientation[3:]])
    return tuple(float(x) for x in out)


AXIAL, SAGITTAL, CORONAL = (1, 0, 0, 0, 1, 0), (0, 1, 0, 0, 0, -1), (1, 0, 0, 0, 0, -1)

UPRIGHT = [
    Acquisition("axial HFS", "HFS", AXIAL),
    Acquisition("axial HFS, slices from the head down", "HFS", AXIAL, falling=True),
    Acquisition("axial FFS as the table sees it", "FFS", (-1, 0, 0, 0, 1, 0)),
    Acquisition("axial FFS", "FFS", AXIAL),
    Acquisition("axial HFP", "HFP", (-1, 0, 0, 0, -1, 0)),
    Acquisition("axial FFP", "FFP", (1, 0, 0, 0, -1, 0)),
    Acquisition("axial HFDR", "HFDR", (0, 1, 0, -1, 0, 0)),
    Acquisition("axial FFDL", "FFDL", (0, -1, 0, -1, 0, 0)),
    Acquisition("sagittal HFS", "HFS", SAGITTAL),
    Acquisition("sagittal FFP", "FFP", (0, -1, 0, 0, 0, 1)),
    Acquisition("coronal HFS", "HFS", CORONAL),
    Acquisition("coronal HFP", "HFP", (-1, 0, 0, 0, 0, -1)),
    Acquisition("coronal HFDR, turned by a quarter", "HFDR", (0, 0, 1, -1, 0, 0)),
    Acquisition("axial with a leaning gantry", "HFS", AXIAL, (1.8, 1.5, 1.25), lean=0.3),
]
OBLIQUE = [
    Acquisition("oblique axial HFS", "HFS", _turned(AXIAL, (6.4, -3, 4.4))),
    Acquisition("oblique axial HFP", "HFP", _turned((-1, 0, 0, 0, -1, 0), (-3, 6.4, -4.4)), falling=True),
    Acquisition("oblique sagittal HFS", "HFS", _turned(SAGITTAL, (4.4, 6.4, -3))),
    Acquisition("oblique coronal FFS", "FFS", _turned((-1, 0, 0, 0, 0, 1), (-3, 4.4, 6.4))),
]
ALL = UPRIGHT + OBLIQUE
SOME = [*UPRIGHT[:3], UPRIGHT[4], UPRIGHT[6], *UPRIGHT[8::2], UPRIGHT[-1], *OBLIQUE[1:3]]
"""One of each kind, for what takes long."""


def read_letters(values: npt.NDArray[np.integer[Any]], letters: str) -> None:
    """See that each letter can be read in a picture of values as it is: not mirrored, not turned, not stretched apart."""
    for letter in letters:
        y, x = np.nonzero(values == VALUES[letter])
        assert y.size > 30, f"{letter} is not seen"
        top, left = y.min(), x.min()
        high, wide = y.max() + 1 - top, x.max() + 1 - left
        rows = np.floor(top + (np.arange(7) + 0.5) * high / 7).astype(int)
        columns = np.floor(left + (np.arange(5) + 0.5) * wide / 5).astype(int)
        seen = values[np.ix_(rows, columns)] == VALUES[letter]
        assert np.array_equal(seen, GLYPHS[letter]), f"{letter} reads\n{seen.astype(int)}"
        assert 1.2 < high / wide < 1.65, f"{letter} is {high} x {wide} pixels"


def sides_of(values: npt.NDArray[np.integer[Any]], letters: str) -> dict[str, str]:
    """At which side of the picture the voxels of each letter are: left, right, top or bottom of the middle of all of them."""
    middles = {}
    for letter in letters:
        y, x = np.nonzero(values == VALUES[letter])
        assert y.size > 20, f"{letter} is not seen"
        middles[letter] = np.array([x.mean(), y.mean()])
    centre = np.mean(list(middles.values()), axis=0)
    found = {}
    for letter, at in middles.items():
        x, y = at - centre
        found[letter] = ("left", "right")[int(x > 0)] if abs(x) > abs(y) else ("top", "bottom")[int(y > 0)]
    return found


def letters_of(direction: Floats) -> str:
    """The patient's letters of an LPS vector, the largest first, without those within 5 degrees: PS3.3 C.7.6.1.1.1."""
    parts = [
        (abs(x), "LPH"[axis] if x > 0 else "RAF"[axis])
        for axis, x in enumerate(np.asarray(direction) / np.linalg.norm(direction))
    ]
    return "".join(letter for size, letter in sorted(parts, reverse=True) if size > np.sin(np.radians(5)))


def axes_on_screen(acquisition: Acquisition, plane: str) -> tuple[Floats, Floats]:
    """LPS vectors to the right and down of a plane: of the vectors of the images those nearest to a radiologist's."""
    row, column, _ = acquisition.axes
    across = np.cross(row, column)
    candidates = [sign * v for v in (row, column, across) for sign in (1, -1)]
    _, right, down, _ = SETS[plane]
    r, d = (
        max(candidates, key=lambda v, to=to: float(v @ vector(to)))  # type: ignore[misc]
        for to in (right, down)
    )
    return r, d


def values_of(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
    """The values whose shades a grey picture has, through the window of the files; -1 for none of the body's."""
    low = WINDOW[0] - WINDOW[1] / 2
    found = np.full(picture.shape[:2], -1)
    for value in (OUTSIDE, BODY, *VALUES.values()):
        shade = int(np.floor(255 * (value - low) / WINDOW[1] + 0.5))
        found[(picture == shade).all(axis=-1)] = value
    return found


def reach_of(acquisition: Acquisition) -> float:
    """mm from a place to the centre of the voxel that holds it, at most."""
    return float(np.linalg.norm(acquisition.spacing)) / 2 * (1 + abs(acquisition.lean)) + 0.01


def expected_values(
    origin: Floats, right: Floats, down: Floats, shape: tuple[int, int], reach: float
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.bool_]]:
    """What the formula says under pixels whose places are told, and for which of them it is the same within `reach` mm around.

    `reach` is less than half of the narrowest part of a letter.
    """
    y, x = np.mgrid[: shape[0], : shape[1]][..., None]
    lps = origin + x * right + y * down
    here = value_at(lps)
    sure = np.ones(shape, dtype=bool)
    for corner in itertools.product((-reach, reach), repeat=3):
        sure &= value_at(lps + corner) == here
    return here, sure
