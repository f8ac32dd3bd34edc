"""The scripts in examples/ do what they say, on the phantom."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from support import watch_opening

from dicomlab import make_volume, open_volume, phantom

EXAMPLES = Path(__file__).parents[1] / "examples"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / f"{name}.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, cwd=EXAMPLES.parent).stdout


def test_every_example_is_tried_here() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {"agatston", "folder_report", "sphere_statistics"}


def test_the_report_holds_the_table_and_a_picture_of_each_series(phantom_study, tmp_path: Path) -> None:
    run("folder_report", str(phantom_study.folder), str(tmp_path / "report.html"))
    page = (tmp_path / "report.html").read_text()
    assert page.count("data:image/png") == 3
    assert "3 series in" in page
    assert "http" not in page.replace("http://www.w3.org", "")


def test_calcium_scores_are_those_that_follow_by_hand_from_what_was_put_in() -> None:
    example = load("agatston")
    heart, arteries = example.phantom()
    scores = example.agatston(heart, arteries, calibration=0.8)
    # Slices 3 mm apart, pixels of 0.5 mm: 4 x 4 pixels are 4 mm2. LAD: 150 HU (1) and 250 HU (2), the second in two slices.
    assert scores.loc["LAD", ["lesions", "agatston"]].tolist() == [3, 4 * 1 + 2 * (4 * 2)]
    assert scores.loc["LAD", "volume_mm3"] == 3 * 4 * 3
    assert scores.loc["LAD", "mass_mg"] == pytest.approx(0.8 * 0.012 * (150 + 2 * 250))
    # RCA: 450 HU (4), with a rim of 140 HU that counts by the peak: 6 x 6 pixels; a speck of one pixel is none.
    assert scores.loc["RCA", ["lesions", "agatston", "volume_mm3"]].tolist() == [1, 9 * 4, 27]
    assert scores.loc["all", "agatston"] == 20 + 36
    # Slices half as thick and twice as many score the same: thickness over 3 mm.
    thin = [np.repeat(one.values, 2, axis=0) for one in (heart, arteries)]
    half = heart.dicom.affine @ np.diag([0.5, 1, 1, 1])
    fine = [make_volume(one, affine=half, frame_of_reference="1.2") for one in thin]
    again = example.agatston(
        fine[0].assign_attrs(units="HU"), fine[1].dicom.with_labels({1: "LAD", 2: "RCA"})
    )
    assert again["agatston"].tolist() == pytest.approx(scores["agatston"].tolist())
    with pytest.raises(ValueError, match="HU"):
        example.agatston(fine[0], fine[1])
    assert "RCA" in run("agatston")


def test_a_sphere_in_the_lesion_measures_the_lesion_wherever_the_slices_lie(tmp_path: Path) -> None:
    values_in_sphere = load("sphere_statistics").values_in_sphere
    centre = np.array([-81.75, -15.0, -61.0])
    for orientation in ("axial", "sagittal", "oblique"):
        truth = phantom.write_ct(tmp_path / orientation, shape=(60, 80, 90), orientation=orientation).truth
        values = values_in_sphere(truth.volume, centre, 10.0)
        voxel_ml = abs(np.linalg.det(truth.affine[:3, :3])) / 1000
        assert abs(values.size * voxel_ml - 4 / 3 * np.pi) < 5 * voxel_ml  # 4.19 ml, in coarse voxels
        assert abs(values.mean() - phantom.body.hu([centre])[0]) < 3
    assert "HU" in run("sphere_statistics", str(tmp_path / "oblique"), "--at", "-81.75", "-15", "-61")


def test_a_sphere_reads_the_slices_that_it_touches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    truth = phantom.write_ct(tmp_path, shape=(60, 80, 90)).truth
    volume, opened = open_volume(tmp_path), []
    watch_opening(monkeypatch, opened)
    centre = np.array([-81.75, -15.0, -61.0])
    values = load("sphere_statistics").values_in_sphere(volume, centre, 10.0)
    thickness = abs(truth.volume.dicom.spacing[0])
    assert 0 < len(opened) <= 20 / thickness + 3
    np.testing.assert_array_equal(
        values, load("sphere_statistics").values_in_sphere(truth.volume, centre, 10.0)
    )


def test_a_sphere_outside_the_volume_holds_nothing(tmp_path: Path) -> None:
    truth = phantom.write_ct(tmp_path, shape=(6, 12, 10)).truth
    assert load("sphere_statistics").values_in_sphere(truth.volume, np.array([0, 0, 5000.0]), 3.0).size == 0
