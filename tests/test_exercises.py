"""The checks of the exercises: no nonsense hurts them, and typical mistakes are called by their names."""

from __future__ import annotations

import datetime
import decimal
import fractions
import html
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from pydicom import Dataset
from pydicom.multival import MultiValue
from pydicom.valuerep import DSfloat

import dicomlab as dl
from dicomlab.teach import check_exercise
from dicomlab.teach.exercises import Verdict, answers, checks_of
from dicomlab.teach.exercises.course import TITLES
from dicomlab.teach.exercises.lessons import ct_headers

CHAPTERS = [
    chapter
    for chapter in TITLES
    if (Path(dl.__file__).parent / f"teach/exercises/chapter_{chapter:02d}.py").exists()
]
EXERCISES = [f"{chapter:02d}.{number}" for chapter in CHAPTERS for number in checks_of(chapter)]

each_exercise = pytest.mark.parametrize("exercise", EXERCISES)


class Liar:
    """Fails in every way in which an object can be looked at."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)

    def _no(self, *_: object) -> Any:
        raise RuntimeError("no")

    __len__ = __iter__ = __getitem__ = __float__ = __int__ = __str__ = __repr__ = _no  # type: ignore[assignment]
    __array__ = __index__ = __bool__ = __lt__ = __sub__ = _no  # type: ignore[assignment]


class LyingList(list[int]):
    """A list that is not what it says."""

    def __len__(self) -> int:
        raise RuntimeError("no")


def endless() -> Iterator[int]:
    while True:
        yield 1


def deep() -> list[Any]:
    nested: list[Any] = []
    for _ in range(100_000):
        nested = [nested]
    return nested


def circle() -> list[Any]:
    ring: list[Any] = []
    ring.append(ring)
    return ring


# All that is large is a view of one number, or of a few.
NONSENSE: dict[str, Callable[[], Any]] = {
    "nothing": lambda: None,
    "dots": lambda: ...,
    "true": lambda: True,
    "numpy false": lambda: np.False_,
    "no text": lambda: "",
    "text": lambda: "forty-two",
    "markup": lambda: "<script>alert(1)</script>",
    "long text": lambda: "1" * 1_000_000,
    "bytes": lambda: b"\x00\xff",
    "surrogate": lambda: "\ud800",
    "nan": lambda: float("nan"),
    "infinity": lambda: -np.inf,
    "huge number": lambda: 10**5000,
    "huge float": lambda: 1e308,
    "negative": lambda: -1,
    "complex": lambda: 1 + 2j,
    "decimal nan": lambda: decimal.Decimal("sNaN"),
    "fraction": lambda: fractions.Fraction(10**400, 3),
    "DS": lambda: DSfloat("12345.678"),
    "date": lambda: datetime.date(2024, 2, 29),
    "function": lambda: endless,
    "type": lambda: int,
    "generator": endless,
    "no list": lambda: [],
    "no tuple": lambda: (),
    "nested nothing": lambda: [[]],
    "ragged": lambda: [[1, 2], [3]],
    "ragged of right length": lambda: [[1, 2, 3], 4, "five"],
    "texts": lambda: ["a", "b", "c"],
    "nones": lambda: [None, None, None],
    "paths": lambda: [Path("a"), Path("/")],
    "set": lambda: {1, "a", (2, 3)},
    "dict": lambda: {"a": 1},
    "deep": deep,
    "circle": circle,
    "long list": lambda: [1] * 1_000_000,
    "long range": lambda: range(10**12),
    "multi value": lambda: MultiValue(float, [1, 2, 3]),
    "three": lambda: [1.0, 2.0, 3.0],
    "three not finite": lambda: [1.0, np.nan, 3.0],
    "two huge": lambda: (10**400, -(10**400)),
    "billion": lambda: np.broadcast_to(np.float64(1), (1000, 1000, 1000)),
    "billion in a row": lambda: np.broadcast_to(np.uint8(1), (10**9,)),
    "billion objects": lambda: np.broadcast_to(np.array(None, dtype=object), (10**9,)),
    "billion of three": lambda: [np.broadcast_to(np.float64(1), (10**9,))] * 3,
    "billion labelled": lambda: xr.DataArray(np.broadcast_to(np.int16(1), (1000, 1000, 1000))),
    "no array": lambda: np.empty((0,)),
    "array of no axis": lambda: np.array(1.5),
    "array of none": lambda: np.array(None, dtype=object),
    "array of texts": lambda: np.array(["a", "b", "c"]),
    "array of dates": lambda: np.array(["2024-02-29"], dtype="M8[s]"),
    "record": lambda: np.zeros(3, dtype=[("a", int), ("b", float)]),
    "masked": lambda: np.ma.masked_all((3,)),
    "matrix of nan": lambda: np.full((4, 4), np.nan),
    "slice sized": lambda: np.full((168, 192), np.inf),
    "slice of objects": lambda: np.full((168, 192), None, dtype=object),
    "complex slice": lambda: np.zeros((168, 192), dtype=complex),
    "series": lambda: pd.Series([1, 2, None]),
    "frame": lambda: pd.DataFrame({"a": [1, 2, 3]}),
    "timestamp": lambda: pd.Timestamp("2024-02-29"),
    "data set": Dataset,
    "liar": Liar,
    "lying list": lambda: LyingList([1, 2, 3]),
    "liars": lambda: [Liar(), Liar(), Liar()],
    "module": lambda: np,
}


@pytest.fixture(scope="module")
def nonsense() -> dict[str, Any]:
    return {name: make() for name, make in NONSENSE.items()}


@each_exercise
def test_no_nonsense_raises_hangs_or_takes_memory(exercise: str, nonsense: dict[str, Any]) -> None:
    for first in (1, [1, 2, 3], np.zeros((168, 192))):
        check_exercise(exercise, first)  # the truth is computed once; what it takes is not the answer's
    tracemalloc.start()
    for name, answer in nonsense.items():
        tracemalloc.reset_peak()
        begin = time.process_time()
        verdict = check_exercise(exercise, answer)
        spent, (_, peak) = time.process_time() - begin, tracemalloc.get_traced_memory()
        assert isinstance(verdict, Verdict)
        assert not verdict.right, f"{name} is taken as right"
        assert 20 < len(verdict.text) < 400, f"{name}: {verdict.text}"
        assert peak < 50e6, f"{name}: {peak / 1e6:.0f} MB"
        assert spent < 2, f"{name}: {spent:.1f} s"
    tracemalloc.stop()


@each_exercise
def test_an_answer_that_is_not_there_is_asked_for(exercise: str) -> None:
    assert "still missing" in check_exercise(exercise, None).text


@each_exercise
def test_a_function_is_to_be_called(exercise: str) -> None:
    assert "call it" in check_exercise(exercise, np.mean).text


def test_what_an_answer_says_is_never_live_in_a_page() -> None:
    page = check_exercise("00.4", ["<img src=x onerror=alert(1)>"])._repr_html_()
    assert "<img" not in page
    assert html.escape("<img src=x") in page


def test_an_exercise_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(dl.DicomLabError, match=r"chapter 5 has 05\.1, .*05\.6"):
        check_exercise("05.77", 1)
    with pytest.raises(dl.DicomLabError, match="chapters 00 to"):
        check_exercise("99.1", 1)


@answers.check
def _three_by_two(answer: Any) -> Verdict:
    found = answers.numbers(answer, (3, 2), "an array")
    return answers.judged(
        found, np.arange(6).reshape(3, 2), within=0, good="as it should be.", otherwise="others."
    )


@pytest.mark.parametrize(
    "answer",
    [
        np.arange(6).reshape(3, 2),
        [[0, 1], [2, 3], [4, 5]],
        [np.array([0, 1]), (2, 3.0), [DSfloat("4"), decimal.Decimal(5)]],
        xr.DataArray(np.arange(6.0).reshape(3, 2), dims=("row", "column")),
        np.arange(6).reshape(3, 2).astype(object),
    ],
)
def test_an_array_may_be_written_in_many_ways(answer: Any) -> None:
    assert _three_by_two(answer).right


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (np.arange(6).reshape(2, 3), "opposite order"),
        (np.arange(6), "reshape"),
        (np.arange(6).reshape(3, 2, 1), "squeeze"),
        (np.arange(8).reshape(4, 2), "yours has (4, 2)."),
        ([[0, 1], [2], [4, 5]], "differ in length"),
        ([[0, 1], [2, np.nan], [4, 5]], "NaN"),
        ([["0", 1], [2, 3], [4, 5]], "float(…) makes it one"),
        (np.zeros((3, 2), dtype=bool), "holds bool"),
        ("0 1 2", "the text"),
    ],
)
def test_an_array_that_is_none_is_told_why(answer: Any, words: str) -> None:
    verdict = _three_by_two(answer)
    assert not verdict.right
    assert words in verdict.text


def test_only_what_one_could_miscount_is_off_by_one() -> None:
    assert "off by one" in check_exercise("02.2", np.zeros((168, 191))).text
    assert "off by one" not in check_exercise("05.4", np.zeros((3, 4))).text
    assert "off by one" not in check_exercise("07.4", np.ones(3)).text


@pytest.mark.parametrize("last", [1, 1.0, np.float64(1 + 1e-15), decimal.Decimal(1)])
def test_the_one_behind_a_point_is_to_be_dropped(last: Any) -> None:
    for answer in ([3, 20, 65, last], np.array([3, 20, 65, last]), pd.Series([3, 20, 65, last])):
        assert check_exercise("05.5", answer).text.endswith("drop the 1 at the end.")
    assert "drop" not in check_exercise("05.5", [3, 20, 65, 2]).text


@pytest.mark.parametrize("exercise", ["02.4", "04.1", "04.4", "13.5"])
def test_a_pair_is_asked_for_in_one_grammar(exercise: str) -> None:
    assert re.search(r"^a pair of numbers, .*, is asked for", check_exercise(exercise, 3).text)
    assert re.search(r"^a pair of numbers, .*, has shape \(2,\)", check_exercise(exercise, (1, 2, 3)).text)


def test_a_reading_with_sign_is_right_where_values_are_and_hears_of_the_sign() -> None:
    header = ct_headers()[16]
    for kind, told in (("<u2", False), ("<i2", True)):
        verdict = check_exercise(
            "02.2", np.frombuffer(header.PixelData, kind).reshape(header.Rows, header.Columns)
        )
        assert verdict.right
        assert ("write '<u2'" in verdict.text) == told


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("2.0", "text that looks like a number"),
        ([2.0], "list of one"),
        ([1, 2], "a list of 2"),
        (np.ones(3), "shape (3,)"),
        (True, "yes or no"),
        (float("nan"), "divided by zero"),
        (10**400, "larger than any float"),
        (1j, "of type complex"),
    ],
)
def test_a_number_that_is_none_is_told_why(answer: Any, words: str) -> None:
    assert words in check_exercise("01.2", answer).text


@pytest.mark.parametrize("answer", [2.0, DSfloat("2.0"), np.float32(2), np.array([2.0]), decimal.Decimal(2)])
def test_a_number_may_be_of_many_types(answer: Any) -> None:
    assert check_exercise("01.2", answer).right
