"""The series explorer: its grids by pydicom's own reading, its functional groups by pydicom's, nobody's name, small facts."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, generate_uid

import dicomlab as dl
from dicomlab.phantom import write_kind
from dicomlab.privacy import MASK
from dicomlab.read.headers import Instance
from dicomlab.read.sources import FileRef
from dicomlab.teach.series.explorer import SeriesExplorer
from tests.support import SHARED, shared_data


def explored(folder: Path, kind: str) -> SeriesExplorer:
    write_kind(kind, folder)
    return dl.teach.explore_series(folder)


def detail(explorer: SeriesExplorer, k: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = explorer.facts["series"][k]["detail"]
    return found


def cells(stack: dict[str, Any]) -> Counter[tuple[int, int]]:
    return Counter(zip(stack["row"], stack["column"], strict=True))


def height(ds: Any) -> float:
    cosines = np.array([float(v) for v in ds.ImageOrientationPatient])
    return float(np.cross(cosines[:3], cosines[3:]) @ [float(v) for v in ds.ImagePositionPatient])


STEPS = {
    "dynamic": lambda ds: (int(ds.TemporalPositionIdentifier),),
    "diffusion": lambda ds: (int(ds.AcquisitionNumber),),
    "echoes_phases": lambda ds: (ds.ComplexImageComponent == "PHASE", float(ds.EchoTime)),
    "cardiac_cine": lambda ds: (float(ds.TriggerTime),),
    "incomplete_4d": lambda ds: (int(ds.TemporalPositionIdentifier),),
    "flip_angles": lambda ds: (float(ds.FlipAngle),),
}


@pytest.mark.parametrize("kind", STEPS)
def test_each_image_stands_where_its_attributes_say(tmp_path: Path, kind: str) -> None:
    stack = detail(explored(tmp_path, kind))["stacks"][0]
    # By pydicom: heights along the normal, and the attribute that separates the images of this kind.
    files = [pydicom.dcmread(file) for file in sorted(tmp_path.iterdir())]
    heights = sorted({round(height(ds), 3) for ds in files})
    steps = sorted({STEPS[kind](ds) for ds in files})
    assert len(stack["heights"]) == len(heights)
    assert np.allclose(stack["heights"], heights, atol=1e-2)
    assert len(stack["steps"]) == len(steps)
    for k, file in enumerate(stack["file"]):
        ds = files[file]
        assert stack["row"][k] == heights.index(round(height(ds), 3))
        assert stack["column"][k] == steps.index(STEPS[kind](ds))
        assert stack["number"][k] == int(ds.InstanceNumber)


def test_a_hole_is_seen_and_the_finding_points_to_its_step(tmp_path: Path) -> None:
    found = detail(explored(tmp_path, "incomplete_4d"))
    (stack,) = found["stacks"]
    empty = [(r, c) for r in range(5) for c in range(4) if not cells(stack)[r, c]]
    assert empty == [(1, 2)]  # slice 2 of time point 3
    (finding,) = found["findings"]
    assert finding["code"] == "incomplete_steps"
    assert finding["stops"]
    assert {stack["column"][k] for _, k in finding["cells"]} == {2}
    assert len(finding["cells"]) == 4


@pytest.mark.parametrize("kind", ["doubled_slice", "doubled_slice_differs"])
def test_two_images_in_one_place_are_both_there(tmp_path: Path, kind: str) -> None:
    found = detail(explored(tmp_path, kind))
    (stack,) = found["stacks"]
    crowded = {cell: count for cell, count in cells(stack).items() if count > 1}
    assert list(crowded.values()) == [2]
    assert sum(cells(stack).values()) == 10
    ((row, _),) = crowded
    assert all(stack["row"][k] == row for one in found["findings"] for _, k in one["cells"])


def test_a_slice_that_is_missing_has_a_row_of_its_own(tmp_path: Path) -> None:
    (stack,) = detail(explored(tmp_path, "missing_slice"))["stacks"]
    assert stack["ghosts"] == [5]
    assert np.allclose(np.diff(stack["heights"]), 5.0)
    assert not any(row == 5 for row, _ in cells(stack))


def test_uneven_slices_are_not_called_missing(tmp_path: Path) -> None:
    (stack,) = detail(explored(tmp_path, "uneven_spacing"))["stacks"]
    assert stack["ghosts"] == []


@pytest.mark.parametrize(("kind", "sizes"), [("two_stacks", [6, 4]), ("localizer_inside", [9, 1])])
def test_each_stack_has_a_grid_of_its_own(tmp_path: Path, kind: str, sizes: list[int]) -> None:
    stacks = detail(explored(tmp_path, kind))["stacks"]
    assert [len(stack["row"]) for stack in stacks] == sizes


def test_a_slice_of_another_frame_is_pointed_to(tmp_path: Path) -> None:
    found = detail(explored(tmp_path, "mixed_frame_of_reference"))
    (finding,) = [one for one in found["findings"] if one["code"] == "mixed_frame_of_reference"]
    assert [stack for stack, _ in finding["cells"]] == [1]


@pytest.mark.parametrize(
    "kind",
    [
        "us_cine",
        "nm_static",
        "xa_cine",
        "parametric_map",
        "dose",
        "truncated_file",
        "undecodable",
        "cosines_broken",
        "decimal_commas",
        "zip_archive",
    ],
)
def test_odd_series_are_explored_too(tmp_path: Path, kind: str) -> None:
    explorer = explored(tmp_path, kind)
    assert sum(len(stack["row"]) for stack in detail(explorer)["stacks"])
    json.dumps(explorer.facts, allow_nan=False)
    assert explorer.still().startswith(b"\x89PNG")


# Functional groups.


def test_functional_groups_say_what_pydicom_reads(tmp_path: Path) -> None:
    groups = detail(explored(tmp_path, "enhanced_mr"))["groups"]
    (file,) = tmp_path.iterdir()
    ds = pydicom.dcmread(file)
    own = [element.name.removesuffix(" Sequence") for element in ds.PerFrameFunctionalGroupsSequence[0]]
    shared = [element.name.removesuffix(" Sequence") for element in ds.SharedFunctionalGroupsSequence[0]]
    assert [one["name"] for one in groups["macros"] if one["where"] == "per frame"] == own
    assert [one["name"] for one in groups["macros"] if one["where"] == "shared"] == shared
    position = next(one for one in groups["macros"] if one["name"] == "Plane Position")
    for axis, row in enumerate(position["attributes"]):
        expected = [
            float(item.PlanePositionSequence[0].ImagePositionPatient[axis])
            for item in ds.PerFrameFunctionalGroupsSequence
        ]
        assert np.allclose(row["values"], expected, rtol=1e-5)
    index = np.array(
        [item.FrameContentSequence[0].DimensionIndexValues for item in ds.PerFrameFunctionalGroupsSequence]
    )
    assert [one["values"] for one in groups["dimensions"]] == index.T.tolist()
    assert [one["name"] for one in groups["dimensions"]] == [
        "Stack ID",
        "In-Stack Position Number",
        "Temporal Position Index",
    ]


def test_moments_of_frames_are_masked(tmp_path: Path) -> None:
    groups = detail(explored(tmp_path, "enhanced_mr"))["groups"]
    rows = [
        row for macro in groups["macros"] for row in macro["attributes"] if row["name"].endswith("DateTime")
    ]
    assert len(rows) == 2
    assert all(row == {"name": row["name"], "value": MASK} for row in rows)


def test_classic_series_have_no_functional_groups(tmp_path: Path) -> None:
    assert detail(explored(tmp_path, "dynamic"))["groups"] is None


# Privacy and hostile texts.

SECRET = "Mustermann"


def planted(folder: Path) -> None:
    write_kind("incomplete_4d", folder)
    for k, file in enumerate(sorted(folder.iterdir())):
        ds = pydicom.dcmread(file)
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = f"{SECRET}^Max", f"{SECRET}-77", "19610203"
        ds.StudyDescription, ds.InstitutionName = f"{SECRET} Klinik", f"{SECRET} Haus"
        ds.StudyDate, ds.AcquisitionTime = "20230405", f"0617{k:02d}.5"
        ds.save_as(folder / f"{SECRET}_{k:03d}.dcm")
        file.unlink()


def test_nothing_that_is_seen_says_who_it_is(tmp_path: Path) -> None:
    folder = tmp_path / SECRET
    planted(folder)
    explorer = dl.teach.explore_series(folder)
    explorer.state = {**explorer.state, "cell": 3}
    seen = [json.dumps(explorer.facts), json.dumps(explorer.state), repr(explorer), explorer.to_html().text]
    with Image.open(io.BytesIO(explorer.still())) as still:
        seen.append(str(still.info))
    for text in seen:
        assert SECRET.lower() not in text.lower()
        for told in ("19610203", "20230405", "0617"):
            assert told not in text.replace(" ", ""), told
    assert explorer.facts["masked"]
    # Times count from the first: neither hour nor date can be had from them.
    attributes = {one["name"]: one["values"] for one in detail(explorer)["stacks"][0]["attributes"]}
    moments = attributes["Acquisition Time after the first (s)"]
    assert min(moments) == 0
    assert max(moments) == 18


def test_whoever_asks_for_identity_sees_it(tmp_path: Path) -> None:
    planted(tmp_path)
    with dl.show_identity():
        explorer = dl.teach.explore_series(tmp_path)
    text = json.dumps(explorer.facts)
    assert f"{SECRET}^Max" in text
    assert f"{SECRET}_003.dcm" in text
    assert not explorer.facts["masked"]


def test_two_patients_are_two_branches(tmp_path: Path) -> None:
    for k, name in enumerate(("dynamic", "diffusion")):
        write_kind(name, tmp_path / name)
        for file in (tmp_path / name).iterdir():
            ds = pydicom.dcmread(file)
            ds.PatientID, ds.StudyInstanceUID = f"patient {k}", generate_uid(entropy_srcs=[name])
            ds.save_as(file)
    patients = dl.teach.explore_series(tmp_path).facts["patients"]
    assert [patient["name"] for patient in patients] == ["Patient 1", "Patient 2"]
    assert sorted(k for patient in patients for study in patient["studies"] for k in study["series"]) == [
        0,
        1,
    ]


def test_markup_in_a_file_stays_text(tmp_path: Path) -> None:
    write_kind("enhanced_mr", tmp_path)
    (file,) = tmp_path.iterdir()
    ds = pydicom.dcmread(file)
    evil = "<img src=x onerror=alert(1)></script><script>alert(2)</script>"
    ds.SeriesDescription = evil[:64]
    ds.DimensionIndexSequence[0].DimensionDescriptionLabel = evil[:64]
    ds.SharedFunctionalGroupsSequence[0].FrameAnatomySequence[0].AnatomicRegionSequence[0].CodeMeaning = evil[
        :64
    ]
    ds.save_as(file)
    page = dl.teach.explore_series(tmp_path).to_html().text
    assert "<img src=x" not in page
    assert len(re.findall("<script", page)) == 3


# Bounds.


def many(count: int) -> dl.Series:
    """A CT of `count` instances that no file holds."""
    series, frame = generate_uid(), generate_uid()
    instances = []
    for k in range(count):
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID, ds.SeriesInstanceUID = CTImageStorage, generate_uid(), series
        ds.Modality, ds.InstanceNumber, ds.FrameOfReferenceUID = "CT", (k * 7) % count + 1, frame
        ds.AcquisitionTime = f"{k % 24:02d}{k % 60:02d}{k % 59:02d}.{k:06d}"
        ds.ImagePositionPatient = [-250.123456, -250.654321, f"{k * 0.123457:.6f}"]
        ds.ImageOrientationPatient, ds.PixelSpacing = [1, 0, 0, 0, 1, 0], [0.7, 0.7]
        ds.SliceLocation, ds.WindowCenter, ds.RescaleSlope = (
            f"{k * 0.123457:.6f}",
            k % 997,
            f"{1 + k / 7e4:.6f}",
        )
        ds.Rows = ds.Columns = 8
        instances.append(Instance(FileRef(f"/nowhere/IM{k:06}.dcm", f"IM{k:06}.dcm"), ds))
    return dl.Series(series, tuple(instances))


def test_facts_of_five_thousand_instances_are_small() -> None:
    series = many(5000)
    begin = time.perf_counter()
    explorer = dl.teach.explore_series(series)
    spent = time.perf_counter() - begin
    size = len(json.dumps(explorer.facts))
    assert len(detail(explorer)["stacks"][0]["row"]) == 5000
    assert size < 500_000
    assert spent < 60


def test_the_grids_of_many_series_do_not_add_up() -> None:
    explorer = dl.teach.explore_series([many(3100), many(3100), many(40)])
    there = [[True, False, False], [False, True, False], [False, True, True]]
    for k, expected in enumerate(there):
        explorer.state = {**explorer.state, "series": k, "cell": None}
        assert [row["detail"] is not None for row in explorer.facts["series"]] == expected
        assert len(json.dumps(explorer.facts)) < 500_000


@pytest.mark.parametrize("source", [None, 5, "", [], [None], object(), "no/such/folder", b"x"])
def test_what_cannot_be_explored_is_told(
    source: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(dl.DicomLabError) as told:
        dl.teach.explore_series(source)
    assert len(str(told.value)) > 10


def test_a_folder_without_dicom_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("nothing")
    with pytest.raises(dl.DicomLabError, match="no DICOM file"):
        dl.teach.explore_series(tmp_path)


def test_a_series_and_a_list_of_series_and_of_files_are_sources(tmp_path: Path) -> None:
    write_kind("dynamic", tmp_path)
    found = dl.find_series(tmp_path)
    for source in (found, found[0], [found[0]], sorted(tmp_path.iterdir()), str(tmp_path)):
        assert len(detail(dl.teach.explore_series(source))["stacks"][0]["row"]) == 20


# What the kernel answers, and pictures.


def test_a_cell_that_is_chosen_gets_its_picture(tmp_path: Path) -> None:
    explorer = explored(tmp_path, "enhanced_mr")
    explorer.state = {**explorer.state, "cell": 7}
    seen = explorer.state["seen"]
    assert seen["key"] == "0/0/7"
    with Image.open(io.BytesIO(base64.b64decode(seen["src"].split(",")[1]))) as picture:
        assert max(picture.size) == 96
    (file,) = tmp_path.iterdir()
    stored = pydicom.dcmread(file).pixel_array[detail(explorer)["stacks"][0]["frame"][7] - 1].astype(float)
    with Image.open(io.BytesIO(base64.b64decode(seen["src"].split(",")[1]))) as picture:
        small = np.asarray(picture.convert("L").resize(stored.shape[::-1], Image.Resampling.BOX), dtype=float)
    clipped = np.clip(stored, *np.percentile(stored, (5, 95)))
    assert np.corrcoef(small.ravel(), clipped.ravel())[0, 1] > 0.9


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"series": 99},
        {"series": "x", "cell": 3},
        {"series": 0, "stack": 9, "cell": -4},
        {"series": 0, "stack": 0, "cell": 10**9},
    ],
)
def test_a_state_that_means_nothing_does_no_harm(tmp_path: Path, state: dict[str, Any]) -> None:
    explorer = explored(tmp_path, "dynamic")
    explorer.state = state
    assert "seen" not in explorer.state
    assert explorer.still().startswith(b"\x89PNG")
    assert "<script" in explorer.to_html().text


def test_images_that_may_show_a_name_have_no_picture(tmp_path: Path) -> None:
    explorer = explored(tmp_path, "us_cine")
    explorer.state = {**explorer.state, "cell": 0}
    assert "src" not in explorer.state["seen"]
    assert explorer.facts["series"][0]["picture"] is None


def test_the_still_follows_the_state(tmp_path: Path) -> None:
    explorer = explored(tmp_path, "dynamic")
    before = explorer.still()
    explorer.state = {**explorer.state, "order": "none"}
    assert explorer.still() != before
    with Image.open(io.BytesIO(before)) as still:
        assert still.size == (960, 480)


def test_the_vectors_of_the_page_are_fresh() -> None:
    folder = Path(__file__).parent / "js"
    spec = importlib.util.spec_from_file_location("make_series_vectors", folder / "make_series_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert (folder / "vectors" / "series.json").read_text() == module.contents()


# Real series.

REAL = {
    # images, steps, slices, by the catalogue: 150 = 15 x 10; 520 = 13 x 40; 212 = (2 echoes x magnitude and phase) x 53
    "mr-epi4d-ge": (150, 10, 15),
    "mr-dwi-canon-ortho": (520, 13, 40),
    "mr-fieldmap-philips": (212, 4, 53),
}


@pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")
@pytest.mark.parametrize("name", REAL)
def test_a_real_series_is_a_full_grid(name: str) -> None:
    explorer = dl.teach.explore_series(shared_data() / name)
    images, steps, slices = REAL[name]
    stack = next(s for row in explorer.facts["series"] if row["detail"] for s in row["detail"]["stacks"])
    assert (len(stack["row"]), len(stack["steps"]), len(stack["heights"])) == (images, steps, slices)
    assert set(cells(stack).values()) == {1}
    assert len(cells(stack)) == images
    assert len(json.dumps(explorer.facts)) < 500_000


def test_steps_are_counted_as_steps_and_only_whole_ones_where_images_lack(tmp_path: Path) -> None:
    assert (
        explored(tmp_path, "incomplete_4d").facts["series"][0]["images"]
        == "19 images (3 whole steps of time)"
    )
    assert explored(tmp_path, "dynamic").facts["series"][0]["images"] == "20 images (4 steps of time)"
