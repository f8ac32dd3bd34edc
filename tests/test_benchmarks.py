"""The benchmarks run, and what they read is what was written; how long anything takes is no test."""

from pathlib import Path

import pydicom
import pytest

from benchmarks import measuring
from benchmarks.loading import BEGIN, CASES, END, PAGE, Measured, busy, compare, lines, measure, page
from benchmarks.series import NAMES, TINY, check, make


@pytest.mark.parametrize("name", NAMES)
def test_the_series_of_the_benchmarks_hold_what_was_written(name: str, tmp_path: Path) -> None:
    folder = make(name, tmp_path, TINY)
    check(name, folder, TINY)
    first = next(path for path in sorted(folder.rglob("*")) if path.is_file() and pydicom.misc.is_dicom(path))
    assert len(pydicom.dcmread(first)) >= 100


def test_what_is_complete_is_not_made_again_and_what_is_not_is(tmp_path: Path) -> None:
    folder = make("ct", tmp_path, TINY)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    marked = folder / "mine"
    marked.touch()
    assert make("ct", tmp_path, TINY) == folder
    assert marked.exists()
    (tmp_path / "ct.complete").unlink()
    make("ct", tmp_path, TINY)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_benchmark_measures_readers_beside_each_other_and_their_results_are_equal(tmp_path: Path) -> None:
    found = measure(CASES["ct"], make("ct", tmp_path, TINY), 1, ["dicomlab", "SimpleITK", "pydicom", "bytes"])
    assert list(found) == ["dicomlab", "SimpleITK", "pydicom", "bytes"]
    for one in found.values():
        assert (one.reason, one.verdict) == ("", "")
        assert min(one.wall, one.cpu, one.peak) > 0
    shown = page({"ct": found}, 1, ["GDCM was not measured."])
    assert shown.count("CT, 600 slices") == 3
    assert "All results are equal.\n\nGDCM was not measured." in shown
    assert len(list(lines(CASES["ct"], found))) == 5


def test_a_benchmark_of_new_processes_runs(tmp_path: Path) -> None:
    found = measure(CASES["import"], tmp_path, 1)
    assert list(found) == ["dicomlab", "pydicom"]
    assert all(one.wall > 0 for one in found.values())


def test_results_that_differ_are_told_apart() -> None:
    assert compare(["a", "b"], ["a", "b"]) == ""
    assert compare(["a", "b"], ["b", "a"]) == "the same slices, counted from the other end"
    assert compare(["a", "b", "c"], ["b", "a", "c"]) == "the same slices in another order"
    assert compare(["a", "b"], ["b", "c", "d"]) == "1 of the 2 slices, and 2 others"


def test_a_busy_machine_is_told() -> None:
    assert busy({"ct": {"pydicom": Measured(wall=2.0, cpu=1.9)}}) == []
    assert "1.5 times" in busy({"ct": {"pydicom": Measured(wall=3.0, cpu=2.0)}})[0]


def test_the_page_has_the_markers_between_which_tables_go() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text.index(BEGIN) < text.index(END)


def test_what_measures_labels_beside_each_other_finds_the_same() -> None:
    volume, mask = measuring.make(12, 64, 4)
    for made in (measuring.peers(volume, mask), measuring.compare(mask)):
        times, differences = measuring.measure(made, 1)
        assert len(times) == len(made) > 1
        assert max(differences.values()) < 1e-5
