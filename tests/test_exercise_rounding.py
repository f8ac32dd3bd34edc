"""A right answer with fewer digits than asked is told so, or taken where only the idea is tested."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom import dcmread

import dicomlab as dl
from dicomlab.teach import check_exercise
from dicomlab.teach.exercises import answers
from dicomlab.teach.exercises.lessons import CT_SHAPE, MR_SHAPE

ROUNDED = "right, but rounded: give more digits."


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        ("01.4", 110),
        ("04.2", 159.8),
        ("04.2", 160),
        ("04.5", 6.8),
        ("04.6", 95.2),
        ("04.6", 95),
        ("08.3", 2.4),
        ("09.3", 114),
        ("11.1", 230e6),
        ("11.2", 0.00032),
        ("11.4", 1.8),
    ],
)
def test_a_right_answer_with_too_few_digits_is_told_so(exercise: str, answer: float) -> None:
    verdict = check_exercise(exercise, answer)
    assert not verdict.right
    assert verdict.text.startswith(ROUNDED)


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        ("01.4", 109.8),
        ("07.6", 0.00082),
        ("09.0", 4.7),
        ("11.1", 232e6),
        ("11.2", 0.000323),
        ("11.3", 7.4),
        ("11.4", 1.82),
    ],
)
def test_digits_enough_to_show_the_idea_are_enough(exercise: str, answer: float) -> None:
    assert check_exercise(exercise, answer).right


def test_what_a_mistake_leads_to_as_well_is_told_as_well() -> None:
    assert "LINEAR_EXACT" in check_exercise("04.5", 6.8).text  # 40 / 1500 · 255 is 6.8, with no digit more
    assert "takes the mean off" in check_exercise("09.3", 114).text  # std is 114.002
    assert "LINEAR_EXACT" not in check_exercise("04.2", 159.8).text


def test_places_and_directions_may_be_rounded_too(tmp_path: Path) -> None:
    mr = dl.phantom.write_mr(tmp_path, shape=MR_SHAPE)
    place = (mr.truth.affine @ [MR_SHAPE[0] - 1, 20, 65, 1])[:3]
    for decimals in (0, 1):
        assert check_exercise("05.1", place.round(decimals)).text == ROUNDED
    assert check_exercise("05.1", place.round(2)).right
    cosines = np.array(dcmread(mr.files[0]).ImageOrientationPatient, dtype=float)
    n = np.cross(cosines[:3], cosines[3:])
    assert check_exercise("05.2", n.round(3)).right
    assert check_exercise("05.2", n.round(2)).text == ROUNDED
    index = (np.linalg.inv(mr.truth.affine) @ [-20.6, -13.7, 1.5, 1])[:3]
    assert check_exercise("05.5", index.round()).right
    for decimals in (1, 2, 9):
        assert "not yet a voxel" in check_exercise("05.5", index.round(decimals)).text


@pytest.mark.parametrize("decimals", [0, 1, 2])
def test_a_rounded_number_is_one_beside_the_right_one_and_no_other(decimals: int) -> None:
    unit = 10.0**-decimals
    nearest = round(math.pi * 10, decimals)
    assert answers.rounded(nearest, math.pi * 10, 1e-4)
    for other in (nearest + unit, nearest - unit, nearest + unit / 3, -nearest, 30, 0):
        assert not answers.rounded(other, math.pi * 10, 1e-4)


def test_what_is_whole_is_not_taken_for_rounded() -> None:
    assert not answers.rounded(1000, 1024, 1e-6)
    assert "rounded" not in check_exercise("11.0", 3900 + 40).text


@pytest.mark.parametrize(
    ("exercise", "answer"),
    [
        ("00.0", list("DICM")),
        ("01.1", np.array([0x0018, 0x0050])),
        ("01.6", np.array([(0x0009, 0x1002), (0x0019, 0x100C), (0x7FE1, 0x1000)])),
        ("08.2", np.array([7, 7, 7, 1, 2, 3, 0, 0, 0, 0], dtype=np.uint8)),
    ],
)
def test_a_right_answer_may_be_written_in_another_way(exercise: str, answer: Any) -> None:
    assert check_exercise(exercise, answer).right


def test_the_pixel_that_is_asked_for_has_a_value_of_its_own(tmp_path: Path) -> None:
    written = dl.phantom.write_ct(tmp_path, shape=CT_SHAPE)
    stored = dcmread(written.files[16]).pixel_array
    assert check_exercise("02.3", stored[80, 122]).right
    others = [stored[80 + i, 122 + j] for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    for other in [*others, stored[122, 80]]:
        assert not check_exercise("02.3", other).right
