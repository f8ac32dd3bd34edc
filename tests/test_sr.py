"""Measurement reports: valid by dciodvfy, and read by highdicom and dcmqi with the numbers and codes that were put in."""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import Dataset
from support import SEGMENTS, datasets, shared_data, write, write_seg

import dicomlab as dl
from dicomlab import DicomLabError, Roi
from dicomlab.errors import MissingDependencyError, OverwriteError
from dicomlab.export.origin import code
from dicomlab.extras.report import save_sr, to_sr
from dicomlab.extras.report.concepts import numbers
from dicomlab.masks import Code, Label

hd = pytest.importorskip("highdicom")

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the validity of written reports is NOT checked",
)
READER = shutil.which("tid1500reader", path=str(Path(sys.executable).parent)) or shutil.which("tid1500reader")
Segmented: TypeAlias = Callable[..., tuple[Path, Path, Dataset]]
NUMBERS = {
    "ml": [1 / 3, 2.5, 0.0],
    "diameter_axial_mm": [10.25, 20.0, np.nan],
    "diameter_3d_mm": [11.5, 22.0, np.nan],
    "surface_crofton_mm2": [5.125, 6.0, np.nan],
    "mean": [40.1234567891234, -1000.0, np.nan],
    "sd": [1.5, 2.0, np.nan],
    "min": [-1.0, -2.0, np.nan],
    "max": [9.0, 8.0, np.nan],
    "median": [4.0, 5.0, np.nan],
}
DERIVED = {"mean": "Mean", "sd": "Standard Deviation", "min": "Minimum", "max": "Maximum", "median": "Median"}


def table(units: str = "HU") -> pd.DataFrame:
    """As of region_stats, one label empty; in another order than the segments."""
    made = pd.DataFrame(NUMBERS, index=list(SEGMENTS)).assign(units=units, voxels=[3, 4, 0])
    return made.iloc[[2, 0, 1]]


@pytest.fixture(scope="module")
def segmented(tmp_path_factory: pytest.TempPathFactory) -> Segmented:
    """Return a function that gives a folder of images, the file of their Segmentation, and the Segmentation."""

    @cache
    def written(modality: str, kind: str) -> tuple[Path, Path]:
        folder = tmp_path_factory.mktemp("segmented")
        sources = datasets(modality)
        shape = (len(sources), sources[0].Rows, sources[0].Columns)
        labels = np.random.default_rng(3).integers(0, 4, shape).astype(np.uint8)
        pixels = labels if kind == "LABELMAP" else labels[..., None] == [1, 2, 3]
        path, _ = write_seg(folder / "seg", sources, pixels, kind)
        held = pydicom.dcmread(path)
        for item in held.SegmentSequence:
            item.SegmentedPropertyCategoryCodeSequence = [code("91723000", "SCT", "Anatomical Structure")]
        left = held.SegmentSequence[-3]
        left.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [
            code("7771000", "SCT", "Left")
        ]
        left.TrackingID, left.TrackingUID = "kidney 1", "1.2.3.4"
        held.save_as(path)
        return write(folder / "images", sources), path

    def segmented(modality: str = "CT", kind: str = "BINARY") -> tuple[Path, Path, Dataset]:
        images, path = written(modality, kind)
        return images, path, pydicom.dcmread(path)

    return segmented


def read(path: Path) -> Any:
    return hd.sr.srread(path).content


def errors(path: Path) -> list[str]:
    found = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    lines = (found.stdout + found.stderr).splitlines()
    assert any("Comprehensive3DSR" in line for line in lines), lines
    return [line for line in lines if line.startswith("Error")]


def evidence(path: Path) -> set[str]:
    """UIDs of what a report names as that which it was made of."""
    report = pydicom.dcmread(path)
    return {
        item.ReferencedSOPInstanceUID
        for sequence in ("CurrentRequestedProcedureEvidenceSequence", "PertinentOtherEvidenceSequence")
        for study in report.get(sequence, ())
        for series in study.ReferencedSeriesSequence
        for item in series.ReferencedSOPSequence
    }


def found_in(group: Any) -> dict[tuple[str, str, str], float]:
    """Numbers of a group by what is measured, how it is derived, and its unit."""
    return {
        (one.name.meaning, one.derivation.meaning if one.derivation else "", one.unit.value): one.value
        for one in group.get_measurements()
    }


def expected(name: str, quantity: str, unit: str) -> dict[tuple[str, str, str], float]:
    row = dict(zip(NUMBERS, np.array(list(NUMBERS.values()))[:, SEGMENTS.index(name)], strict=True))
    made = {
        ("Volume", "", "cm3"): row["ml"],
        ("Long axis", "", "mm"): row["diameter_axial_mm"],
        ("Diameter", "Maximum", "mm"): row["diameter_3d_mm"],
        ("Surface area by Crofton's formula", "", "mm2"): row["surface_crofton_mm2"],
        **{(quantity, meaning, unit): row[key] for key, meaning in DERIVED.items()},
    }
    return {key: float(value) for key, value in made.items() if not math.isnan(value)}


@pytest.mark.parametrize(
    ("modality", "units", "quantity", "unit"),
    [
        ("CT", "HU", "Attenuation Coefficient", "[hnsf'U]"),
        ("PT", "SUVbw", "SUVbw", "g/ml{SUVbw}"),
        ("MR", "10⁻⁶ mm²/s", "Value of a voxel", "{other}"),
    ],
)
def test_numbers_units_and_segments_come_back_by_highdicom_and_dcmqi(
    segmented: Segmented, tmp_path: Path, modality: str, units: str, quantity: str, unit: str
) -> None:
    images, path, held = segmented(modality)
    save_sr(to_sr(table(units), source=images, segmentation=path), tmp_path / "report.dcm")
    groups = read(tmp_path / "report.dcm").get_volumetric_roi_measurement_groups()
    assert [one.tracking_identifier for one in groups] == ["Stone", "kidney 1", "Right kidney"]
    for name, group in zip(table().index, groups, strict=True):
        wanted = expected(name, quantity, unit)
        assert found_in(group) == wanted
        assert len(wanted) == (1 if name == "Stone" else 9)
        segment = group.referenced_segment
        assert segment[0].referenced_sop_instance_uid == held.SOPInstanceUID
        number = segment[0].ReferencedSOPSequence[0].ReferencedSegmentNumber
        assert held.SegmentSequence[int(number) - 1].SegmentLabel == name
    if READER is None:
        pytest.skip("dcmqi's tid1500reader is not installed: reports are read by highdicom only")
    subprocess.run(
        [READER, "--inputDICOM", tmp_path / "report.dcm", "--outputMetadata", tmp_path / "report.json"],
        check=True,
        capture_output=True,
    )
    told = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))["Measurements"]
    for name, one in zip(table().index, told, strict=True):
        assert held.SegmentSequence[one["ReferencedSegment"] - 1].SegmentLabel == name
        assert one["segmentationSOPInstanceUID"] == held.SOPInstanceUID
        again = {
            (
                item["quantity"]["CodeMeaning"],
                item.get("derivationModifier", {}).get("CodeMeaning", ""),
                item["units"]["CodeValue"],
            ): float(item["value"])
            for item in one["measurementItems"]
        }
        # dcmqi reads the decimal string, which has sixteen characters.
        assert again == pytest.approx(expected(name, quantity, unit), rel=1e-12)


def test_what_was_found_is_said_by_the_codes_of_the_segmentation(
    segmented: Segmented, tmp_path: Path
) -> None:
    images, path, held = segmented()
    for segmentation in (path, held):
        save_sr(
            to_sr(table(), source=images, segmentation=segmentation, observer="Röntgen^Wilhelm"),
            tmp_path / "report.dcm",
            overwrite=True,
        )
        left = read(tmp_path / "report.dcm").get_volumetric_roi_measurement_groups()[1]
        assert (left.finding_type.value, left.finding_category.value) == ("64033007", "91723000")
        assert left.finding_sites[0].topographical_modifier is None
        assert left.finding_sites[0].laterality.meaning == "Left"
        assert left.tracking_uid == "1.2.3.4"
    report = pydicom.dcmread(tmp_path / "report.dcm")
    source = datasets()[0]
    for keyword in ("PatientName", "PatientID", "PatientBirthDate", "StudyInstanceUID", "StudyDate"):
        assert report[keyword].value == source[keyword].value
    assert evidence(tmp_path / "report.dcm") == {one.SOPInstanceUID for one in datasets()} | {
        held.SOPInstanceUID
    }
    observers = {str(one.get("PersonName", one.get("TextValue", ""))) for one in report.ContentSequence}
    assert {"Röntgen^Wilhelm", "dicomlab"} <= observers
    assert (report.CompletionFlag, report.VerificationFlag) == ("COMPLETE", "UNVERIFIED")


@pytest.mark.parametrize(
    ("modality", "units", "name", "unit"),
    [
        ("PT", "Bq/ml", "Nuclear Medicine Tomographic Activity", "Bq/ml"),
        ("MR", "", "MR signal intensity", "1"),
        ("CT", "", "Value of a voxel", "1"),
        ("MR", "ms", "Value of a voxel", "{ms}"),
    ],
)
def test_a_unit_is_coded_or_said_in_braces(modality: str, units: str, name: str, unit: str) -> None:
    [found] = numbers({"mean": 1.0, "sd": None, "units": units}, modality)
    assert (found.name.meaning, found.unit.value, found.unit.scheme_designator) == (name, unit, "UCUM")


@needs_dciodvfy
@pytest.mark.parametrize("modality", ["CT", "PT"])
def test_dciodvfy_finds_no_error(segmented: Segmented, tmp_path: Path, modality: str) -> None:
    images, path, _ = segmented(modality)
    save_sr(to_sr(table(), source=images, segmentation=path, observer="A^B"), tmp_path / "1.dcm")
    save_sr(to_sr(table("odd"), source=images, rois=drawn(dl.load_volume(images)).rois), tmp_path / "2.dcm")
    assert [errors(tmp_path / name) for name in ("1.dcm", "2.dcm")] == [[], []]


@needs_dciodvfy
def test_segments_of_a_label_map_are_referred_to(segmented: Segmented, tmp_path: Path) -> None:
    images, path, held = segmented(kind="LABELMAP")
    save_sr(to_sr(table(), source=images, segmentation=path), tmp_path / "report.dcm")
    # dciodvfy of 2022 does not know that a Label Map Segmentation, of 2024, has segments.
    assert [one for one in errors(tmp_path / "report.dcm") if "that is not segmentation" not in one] == []
    groups = read(tmp_path / "report.dcm").get_volumetric_roi_measurement_groups()
    told = {one.SegmentLabel: int(one.SegmentNumber) for one in held.SegmentSequence}
    for name, group in zip(table().index, groups, strict=True):
        segment = group.referenced_segment[0].ReferencedSOPSequence[0]
        assert segment.ReferencedSOPClassUID == held.SOPClassUID
        assert int(segment.ReferencedSegmentNumber) == told[name]


def test_without_a_segmentation_names_or_labels_give_the_codes_and_the_images_are_named(
    segmented: Segmented,
    tmp_path: Path,
) -> None:
    images, _, _ = segmented()
    save_sr(to_sr(table(), source=images), tmp_path / "report.dcm")
    groups = read(tmp_path / "report.dcm").get_image_measurement_groups()
    assert [one.finding_type.meaning for one in groups] == ["Tissue", "Kidney", "Kidney"]
    assert [one.laterality.meaning for group in groups for one in group.finding_sites] == ["Left", "Right"]
    assert found_in(groups[1]) == expected("Left kidney", "Attenuation Coefficient", "[hnsf'U]")
    own = Code("1", "99TEST", "Calculus")
    stone = Label(1, "Stone", category=own, type=own)
    save_sr(to_sr(table(), source=images, labels=[stone]), tmp_path / "report.dcm", overwrite=True)
    groups = read(tmp_path / "report.dcm").get_image_measurement_groups()
    assert [one.finding_type.meaning for one in groups] == ["Calculus", "Kidney", "Kidney"]
    assert evidence(tmp_path / "report.dcm") == {one.SOPInstanceUID for one in datasets()}
    named = table().rename_axis("which").reset_index().rename(columns={"which": "name"})
    save_sr(to_sr(named, source=images), tmp_path / "report.dcm", overwrite=True)
    again = read(tmp_path / "report.dcm").get_image_measurement_groups()
    assert [one.tracking_identifier for one in again] == ["Stone", "Left kidney", "Right kidney"]


def drawn(volume: Any) -> Any:
    start = volume.dicom.lps([2, 4, 4])
    right, down = (volume.dicom.lps(index) - start for index in ([2, 4, 7], [2, 8, 4]))
    browser = dl.browse(volume)
    browser.rois = [
        Roi("ruler", [start, start + right], label="across"),
        Roi("rectangle", [start, start + right, start + right + down, start + down], label="liver"),
        Roi("ellipse", [start - 0.1 * right, start + 0.1 * right, start - down, start + down]),
        Roi("angle", [start + right, start, start + down]),
        Roi("probe", [start]),
    ]
    return browser


def test_what_was_drawn_is_reported_with_its_points_in_the_patient(
    segmented: Segmented, tmp_path: Path
) -> None:
    images, _, _ = segmented("MR")
    browser = drawn(dl.load_volume(images))
    save_sr(to_sr(source=images, rois=browser.rois), tmp_path / "report.dcm")
    content, rows = read(tmp_path / "report.dcm"), browser.rois.table
    areas, others = content.get_planar_roi_measurement_groups(), content.get_image_measurement_groups()
    assert [one.tracking_identifier for one in areas] == ["liver", "ellipse"]
    assert [one.tracking_identifier for one in others] == ["across", "angle", "probe"]
    assert areas[0].finding_type.meaning == "Liver"
    for k, group in zip((1, 2), areas, strict=True):
        found = found_in(group)
        assert found["Area", "", "mm2"] == rows.area_mm2[k]
        assert found["MR signal intensity", "Mean", "1"] == rows["mean"][k]
        region = group.roi
        assert region.frame_of_reference_uid == datasets("MR")[0].FrameOfReferenceUID
        points = {tuple(np.round(point, 3)) for point in region.value}
        assert points == {tuple(np.round(point, 3)) for point in browser.rois[k].points}
    major = areas[1].roi.value
    assert np.linalg.norm(major[1] - major[0]) > np.linalg.norm(major[3] - major[2])
    assert found_in(others[0])["Length", "", "mm"] == rows.length_mm[0]
    assert found_in(others[1])["Angle", "", "deg"] == pytest.approx(90)
    value = found_in(others[2])["MR signal intensity", "Mean", "1"]
    assert value == float(dl.load_volume(images).values[2, 4, 4])
    ruler = others[0].get_measurements()[0].referenced_coordinates[0]
    np.testing.assert_allclose(ruler.value, browser.rois[0].points, atol=1e-3)


def test_what_cannot_be_reported_is_told(
    segmented: Segmented, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images, path, held = segmented()
    with pytest.raises(DicomLabError, match="neither a row"):
        to_sr(source=images)
    with pytest.raises(DicomLabError, match="found colour"):
        to_sr(pd.DataFrame({"colour": ["red"]}, index=["Stone"]), source=images)
    steps = pd.concat({0: table(), 1: table()}, names=["time", "label"]).swaplevel()
    with pytest.raises(DicomLabError, match=r"one step; .* told apart by label, time") as told:
        to_sr(steps, source=images)
    assert str(told.value).endswith("stats.xs(stats.index[0][1:], level=['time'])")
    assert steps.xs(steps.index[0][1:], level=["time"]).equals(table())
    with pytest.raises(DicomLabError, match="'mean' has numbers, found 'much'"):
        to_sr(table().astype(object).assign(mean="much"), source=images)
    with pytest.raises(DicomLabError, match=r"'spleen' was asked for; 0 have .*Left kidney, Right kidney"):
        to_sr(table().rename(index={"Stone": "spleen"}), source=images, segmentation=path)
    held.SegmentSequence[1].SegmentLabel = "Stone"
    with pytest.raises(DicomLabError, match="2 have this name"):
        to_sr(table(), source=images, segmentation=held)
    held.StudyInstanceUID = "1.2.3"
    with pytest.raises(DicomLabError, match="another study"):
        to_sr(table(), source=images, segmentation=held)
    with pytest.raises(DicomLabError, match="found one of modality CT"):
        to_sr(table(), source=images, segmentation=next(images.iterdir()))
    report = to_sr(table(), source=images)
    save_sr(report, tmp_path / "report.dcm")
    with pytest.raises(OverwriteError):
        save_sr(report, tmp_path / "report.dcm")
    with pytest.raises(DicomLabError, match=r"\.dcm"):
        save_sr(report, tmp_path / "report.txt")
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingDependencyError, match=r"dicomlab\[seg\]"):
        to_sr(table(), source=images)


# -- real files -------------------------------------------------------------------------------------------------------


@needs_dciodvfy
def test_a_report_of_a_real_liver_refers_to_the_segment_that_dcmqi_wrote(tmp_path: Path) -> None:
    folder = shared_data() / "seg-liver-dcmqi"
    liver = dl.load_segmentation(folder / "liver.dcm")
    stats = liver.dicom.labels.table.set_index("name")[["ml"]]
    save_sr(to_sr(stats, source=folder / "ct", segmentation=folder / "liver.dcm"), tmp_path / "report.dcm")
    assert errors(tmp_path / "report.dcm") == []
    [group] = read(tmp_path / "report.dcm").get_volumetric_roi_measurement_groups()
    assert group.finding_type.meaning == "Liver"
    assert found_in(group) == {("Volume", "", "cm3"): stats.ml["Liver"]}
