"""Masks written as DICOM SEG: valid by dciodvfy, and read back what and where they were by highdicom, dcmqi and dicomlab."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import xarray as xr
from exchange_support import UID, geometries, volume_on
from hypothesis import given, settings
from hypothesis import strategies as st
from support import datasets, truth, write

import dicomlab as dl
from dicomlab import (
    DicomLabError,
    DicomLabWarning,
    Geometry,
    find_series,
    load_segmentation,
    load_volume,
    phantom,
)
from dicomlab.errors import GeometryError, MissingDependencyError, OverwriteError, UnsupportedError
from dicomlab.extras.seg import to_seg
from dicomlab.masks import Code, Label, labels_of, mask_like, stacked, with_labels

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the validity of written segmentations is NOT checked",
)
DCMQI = Path(sys.executable).parent / "segimage2itkimage"
needs_dcmqi = pytest.mark.skipif(
    not DCMQI.is_file(), reason="dcmqi is not installed: written segmentations are NOT read by it"
)
SHAPE = (7, 14, 12)
NAMES = ("liver", "left kidney", "lesion", "bone", "nodules")


@cache
def volume(orientation: str) -> xr.DataArray:
    grid = phantom.ct_truth(UID, SHAPE, orientation)  # type: ignore[arg-type]
    return grid.volume


def five(like: xr.DataArray) -> xr.DataArray:
    """Return a ball, a ring, a single voxel, one that touches every side, and many small parts; some overlap."""
    k, i, j = np.indices(like.shape)
    far = ((k - 3) / 2.4) ** 2 + ((i - 6) / 5.0) ** 2 + ((j - 5) / 4.0) ** 2
    ring = (far < 1) & (((i - 6) / 5.0) ** 2 + ((j - 5) / 4.0) ** 2 > 0.3)
    single = (k == 5) & (i == 2) & (j == 9)
    edge = (k == 0) | (i == like.shape[1] - 1) | (j == 0)
    specks = np.random.default_rng(3).random(like.shape) < 0.04
    masks = dict(zip(NAMES, (far < 1, ring, single, edge, specks), strict=True))
    return stacked({name: mask_like(like, values) for name, values in masks.items()})


def places(values: np.ndarray, affine: np.ndarray) -> np.ndarray:
    """LPS mm, rounded to 0.001, of every voxel that is set, in one order."""
    index = np.argwhere(values)
    found = np.round(index @ affine[:3, :3].T + affine[:3, 3], 3) + 0.0
    return found[np.lexsort(found.T)]


def expected(mask: xr.DataArray) -> np.ndarray:
    return places(mask.values != 0, mask.dicom.affine)


def said_by_dciodvfy(file: Path) -> list[str]:
    found = subprocess.run(["dciodvfy", "-new", str(file)], capture_output=True, text=True, check=False)
    return (found.stdout + found.stderr).splitlines()


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return a function that writes the five masks of an orientation once, and what they were."""

    @cache
    def make(orientation: str) -> tuple[xr.DataArray, Path]:
        mask = five(volume(orientation))
        path = tmp_path_factory.mktemp(orientation) / "five.dcm"
        mask.dicom.save_seg(path)
        return mask, path

    return make


ORIENTATIONS = ["axial", "oblique"]


@needs_dciodvfy
@pytest.mark.parametrize(
    ("orientation", "with_source"), [("axial", True), ("axial", False), ("oblique", True)]
)
@pytest.mark.parametrize("kind", ["binary", "fractional", "labels"])
def test_dciodvfy_finds_no_error(kind: str, with_source: bool, orientation: str, tmp_path: Path) -> None:
    modality = "CT" if orientation == "axial" else "MR"
    source = write(tmp_path / "source", datasets(modality)) if with_source else None
    like = load_volume(source) if source else volume(orientation)
    mask = five(like) if not source else stacked({"liver": like > 50, "lesion": like > 80, "bone": like < 0})
    made = {
        "binary": mask,
        "fractional": mask.astype(np.float32) * np.float32(0.25),
        "labels": dl.masks.to_label_maps(mask)[0].isel(slice=slice(None, None, -1)),
    }[kind]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)  # labels that are counted anew
        made.dicom.save_seg(tmp_path / "seg.dcm", source=source)
    said = said_by_dciodvfy(tmp_path / "seg.dcm")
    assert "Segmentation" in said
    assert [line for line in said if line.startswith("Error")] == []


@needs_dciodvfy
def test_dciodvfy_does_not_know_label_maps_and_finds_nothing_else(tmp_path: Path) -> None:
    # It finds the background, number 0, odd, which PS3.3 C.8.20.4 allows in label maps since 2024.
    mask = mask_like(volume("axial"), np.ones(SHAPE, np.uint8), labels=["liver"])
    mask.dicom.save_seg(tmp_path / "seg.dcm", kind="labelmap")
    errors = [line for line in said_by_dciodvfy(tmp_path / "seg.dcm") if line.startswith("Error")]
    left = [e for e in errors if "SegmentNumber of 0" not in e and "Information Object Not found" not in e]
    assert left == []


@needs_dcmqi
@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_dcmqi_finds_every_voxel_at_its_place_with_names_codes_and_colours(
    written: Any, orientation: str, tmp_path: Path
) -> None:
    mask, path = written(orientation)
    subprocess.run(
        [DCMQI, "--inputDICOM", path, "--outputDirectory", tmp_path, "--outputType", "nrrd", "--prefix", "x"],
        check=True,
        capture_output=True,
    )
    told = json.loads((tmp_path / "x-meta.json").read_text())["segmentAttributes"]
    found = {}
    for number, group in enumerate(told, start=1):
        image = sitk.ReadImage(str(tmp_path / f"x-{number}.nrrd"))
        affine = np.eye(4)
        steps = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        affine[:3, :3], affine[:3, 3] = steps[:, ::-1], image.GetOrigin()
        values = sitk.GetArrayFromImage(image)
        for one in group:
            found[one["SegmentLabel"]] = one, places(values == one["labelID"], affine)
    assert set(found) == set(NAMES)
    for k, label in enumerate(labels_of(mask)):
        one, where = found[label.name]
        np.testing.assert_allclose(where, expected(mask.isel(segment=k)), atol=2e-3)
        assert tuple(one["recommendedDisplayRGBValue"]) == label.rgb
        for key, code in (("Category", label.category), ("Type", label.type), ("TypeModifier", label.side)):
            read = one.get(f"SegmentedProperty{key}CodeSequence")
            assert (code is None) == (read is None)
            assert code is None or (read["CodeValue"], read["CodingSchemeDesignator"]) == (
                code.value,
                code.scheme,
            )


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_highdicom_finds_every_voxel_at_its_place(written: Any, orientation: str) -> None:
    mask, path = written(orientation)
    file = hd.seg.segread(path)
    theirs = file.get_volume()
    for k, number in enumerate(file.segment_numbers):
        where = places(theirs.array[..., k], theirs.affine)
        np.testing.assert_allclose(where, expected(mask.isel(segment=k)), atol=2e-3)
        assert file.get_segment_description(number).segment_label == NAMES[k]
    assert file.SegmentsOverlap == "YES"
    assert str(file.FrameOfReferenceUID) == UID


@pytest.mark.parametrize("orientation", ORIENTATIONS)
def test_dicomlab_reads_back_the_masks_and_their_labels(written: Any, orientation: str) -> None:
    mask, path = written(orientation)
    again = load_segmentation(path, like=volume(orientation))
    np.testing.assert_array_equal(again.values, mask.values)
    assert list(labels_of(again)) == list(labels_of(mask))
    alone = load_segmentation(path)
    for k in range(5):
        np.testing.assert_allclose(expected(alone.isel(segment=k)), expected(mask.isel(segment=k)), atol=2e-3)


@st.composite
def masks(draw: st.DrawFn) -> xr.DataArray:
    """Any form of mask on any grid: oblique, tilted, uneven, rows and columns and slices that fall."""
    geometry = draw(geometries(tilted=draw(st.booleans())))
    if draw(st.booleans()) and geometry.shape[0] > 2:
        further = 0.3 * np.arange(geometry.shape[0]) ** 2 * np.sign(geometry.slice[1] - geometry.slice[0])
        geometry = Geometry(
            geometry.direction,
            geometry.slice + further,
            geometry.row,
            geometry.column,
            UID,
            geometry.lone_steps,
        )
    seed = draw(st.integers(0, 99))
    numbers = np.random.default_rng(seed).integers(0, 4, geometry.shape)
    like = volume_on(geometry)
    form = draw(st.sampled_from(["bool", "labels", "segments", "fractions"]))
    if form == "bool":
        return mask_like(like, numbers > 1, labels="liver")
    if form == "labels":
        return mask_like(like, numbers.astype(np.uint8), labels=["liver", "bone", "lesion"])
    both = stacked({"liver": mask_like(like, numbers > 1), "bone": mask_like(like, numbers < 3)})
    return both if form == "segments" else both.astype(np.float32) * np.float32(51 / 255)


@settings(max_examples=15, deadline=None)
@given(masks())
def test_any_mask_comes_back_with_every_voxel_where_it_was(mask: xr.DataArray) -> None:
    made = to_seg(mask)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "seg.dcm"
        made.save_as(path)
        again = load_segmentation(path, like=mask, as_labels=mask.dtype == np.uint8)
    wanted = mask if again.ndim == mask.ndim else mask.expand_dims("segment")
    np.testing.assert_allclose(again.transpose(*wanted.dims).values, wanted.values, atol=1e-6)
    assert labels_of(again).names == labels_of(mask).names


def test_fractions_are_kept_to_the_steps_of_a_file_and_so_is_what_they_are(tmp_path: Path) -> None:
    like = volume("axial")
    values = np.random.default_rng(1).random((1, *SHAPE)).astype(np.float32)
    mask = stacked({"liver": like > 0}).astype(np.float32).copy(data=values)
    for compress in (False, True):
        mask.dicom.save_seg(tmp_path / "f.dcm", fractions="OCCUPANCY", compress=compress, overwrite=True)
        again = load_segmentation(tmp_path / "f.dcm", like=like)
        assert float(abs(again.values - values).max()) <= 0.5 / 255 + 1e-7
    again.dicom.save_seg(tmp_path / "g.dcm")
    once_more = load_segmentation(tmp_path / "g.dcm", like=like)
    np.testing.assert_array_equal(once_more.values, again.values)
    assert once_more.attrs["SegmentationFractionalType"] == "OCCUPANCY"


@pytest.mark.parametrize("most", [3, 300])
def test_a_label_map_keeps_its_numbers(tmp_path: Path, most: int) -> None:
    like = volume("oblique")
    numbers = np.random.default_rng(1).integers(0, 3, SHAPE).astype(np.uint16) * most // 2
    mask = mask_like(like, numbers, labels={most // 2: "liver", most: "spleen"})
    mask.dicom.save_seg(tmp_path / "l.dcm", kind="labelmap", compress=True)
    again = load_segmentation(tmp_path / "l.dcm", like=like, as_labels=True)
    np.testing.assert_array_equal(again.values, mask.values)
    assert list(labels_of(again)) == list(labels_of(mask))
    theirs = hd.seg.segread(tmp_path / "l.dcm").get_volume(combine_segments=True)
    np.testing.assert_allclose(places(theirs.array, theirs.affine), expected(mask), atol=2e-3)
    if most == 300:
        with pytest.warns(DicomLabWarning, match="150, 300 become the segments 1 to 2"):
            mask.dicom.save_seg(tmp_path / "b.dcm")
        counted = load_segmentation(tmp_path / "b.dcm", like=like, as_labels=True)
        np.testing.assert_array_equal(counted.values, mask.values // 150)
        assert labels_of(counted).names == ["liver", "spleen"]


# -- source -----------------------------------------------------------------------------------------------------------


def test_a_segmentation_belongs_to_the_patient_and_study_of_its_source(tmp_path: Path) -> None:
    source = write(tmp_path / "ct", datasets())
    first = pydicom.dcmread(next(source.iterdir()))
    mask = load_volume(source) > 50
    made = mask.dicom.to_seg("bone", source=source)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "StudyDate", "FrameOfReferenceUID"):
        assert made[keyword] == first[keyword]
    assert made.SeriesInstanceUID != first.SeriesInstanceUID
    nobody = mask.dicom.to_seg("bone")
    assert not nobody.PatientName
    assert not nobody.PatientID
    assert nobody.StudyInstanceUID != first.StudyInstanceUID
    assert nobody.FrameOfReferenceUID == first.FrameOfReferenceUID
    for made in (nobody, mask.isel(slice=[2]).dicom.to_seg("bone")):
        assert "ReferencedSOPInstanceUID" not in {element.keyword for element in made.iterall()}
    assert str(first.PatientName) not in str(nobody)


def test_what_a_source_says_of_its_patient_is_repeated_whatever_it_is(tmp_path: Path) -> None:
    sources = datasets()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for source in sources:
            source.PatientName, source.PatientSex, source.PatientAge = "Müller", "DIVERSE", "old"
            source.SpecificCharacterSet = "ISO_IR 100"
            source.OtherPatientIDs, source.PatientComments = ["1", "2"], "none"
        write(tmp_path / "ct", sources)
    mask = load_volume(tmp_path / "ct") > 50
    mask.dicom.save_seg(tmp_path / "seg.dcm", "bone", source=tmp_path / "ct")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        again = pydicom.dcmread(tmp_path / "seg.dcm")
        told = (str(again.PatientName), again.PatientSex, again.PatientAge, again.PatientComments)
    assert told == ("Müller", "DIVERSE", "old", "none")
    assert load_segmentation(tmp_path / "seg.dcm").label.values.tolist() == ["bone"]


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_each_frame_refers_to_the_image_that_lies_there(tmp_path: Path, modality: str) -> None:
    source = write(tmp_path / "source", datasets(modality))
    at = {
        str(ds.SOPInstanceUID): np.array(ds.ImagePositionPatient, float)
        for ds in map(pydicom.dcmread, source.iterdir())
    }
    whole = load_volume(source) > 20
    for mask, kept in ((whole[::-1, :, ::-1], "YES"), (whole[1:4], "YES"), (whole[:, 2:8], "NO")):
        made = mask.dicom.to_seg("bone", source=source)
        assert len(made.PerFrameFunctionalGroupsSequence) > 1
        seen = set()
        for frame in made.PerFrameFunctionalGroupsSequence:
            (image,) = frame.DerivationImageSequence[0].SourceImageSequence
            seen.add(image.ReferencedSOPInstanceUID)
            assert image.SpatialLocationsPreserved == kept
            offset = at[image.ReferencedSOPInstanceUID] - np.array(
                frame.PlanePositionSequence[0].ImagePositionPatient, float
            )
            normal = np.cross(*np.array(datasets(modality)[0].ImageOrientationPatient, float).reshape(2, 3))
            assert abs(offset @ normal) < 1e-3
            assert kept == "NO" or np.abs(offset).max() < 1e-3
        (series,) = made.ReferencedSeriesSequence
        assert {one.ReferencedSOPInstanceUID for one in series.ReferencedInstanceSequence} == seen
        assert {one.ReferencedSOPInstanceUID for one in made.SourceImageSequence} == seen


def test_highdicom_finds_the_mask_of_each_source_image(tmp_path: Path) -> None:
    source = write(tmp_path / "source", datasets())
    mask = load_volume(source) > 50
    made = mask.dicom.to_seg("bone", source=source)
    uids = [str(ds.SOPInstanceUID) for ds in datasets()]
    shown = made.get_pixels_by_source_instance(
        uids, ignore_spatial_locations=False, assert_missing_frames_are_empty=True
    )
    np.testing.assert_array_equal(shown[..., 0] != 0, mask.values)


def test_frames_of_one_file_are_named_by_their_number(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_ct", tmp_path / "source")
    (series,) = find_series(tmp_path / "source")
    made = (load_volume(series) > -2000).dicom.to_seg("body", source=series)
    (file,) = [pydicom.dcmread(file) for file in (tmp_path / "source").iterdir()]
    frames = file.PerFrameFunctionalGroupsSequence
    for frame in made.PerFrameFunctionalGroupsSequence:
        (image,) = frame.DerivationImageSequence[0].SourceImageSequence
        theirs = frames[int(image.ReferencedFrameNumber) - 1].PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(theirs, frame.PlanePositionSequence[0].ImagePositionPatient, atol=1e-3)


@needs_dciodvfy
@pytest.mark.parametrize("kind", ["gantry_tilt", "uneven_spacing", "enhanced_ct", "dynamic"])
def test_masks_of_odd_series_are_valid_and_come_back(tmp_path: Path, kind: str) -> None:
    phantom.write_kind(kind, tmp_path / "source")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        (series,) = find_series(tmp_path / "source")
        image = load_volume(series)
    still = image.isel({dim: 0 for dim in image.dims if dim not in ("slice", "row", "column")})
    mask = mask_like(still, still.values > float(still.median()), name="lesion")
    mask.dicom.save_seg(tmp_path / "seg.dcm", source=series)
    assert [line for line in said_by_dciodvfy(tmp_path / "seg.dcm") if line.startswith("Error")] == []
    again = load_segmentation(tmp_path / "seg.dcm", like=still)
    np.testing.assert_array_equal(again.values[0], mask.values)


def test_a_mask_of_another_frame_than_its_source_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "source", datasets("MR"))
    with pytest.raises(GeometryError, match=r"mask lies in the frame of reference .*assume_frame"):
        (volume("axial") > 0).dicom.to_seg("bone", source=source)


def test_a_frame_that_nobody_named_is_known_again_and_no_other_is(tmp_path: Path) -> None:
    def nameless() -> xr.DataArray:
        return dl.make_volume(
            np.arange(24).reshape(2, 3, 4), affine=np.diag([5.0, 0.5, 0.5, 1.0])[[2, 1, 0, 3]]
        )

    ct = nameless()
    (ct > 9).dicom.save_seg(tmp_path / "seg.dcm", "bone")
    assert pydicom.dcmread(tmp_path / "seg.dcm").FrameOfReferenceUID.is_valid
    np.testing.assert_array_equal(load_segmentation(tmp_path / "seg.dcm", like=ct).values[0], ct.values > 9)
    with pytest.raises(GeometryError, match="belongs to another image"):
        load_segmentation(tmp_path / "seg.dcm", like=nameless())


# -- what is said of labels -------------------------------------------------------------------------------------------


def test_colours_of_every_kind_and_codes_of_ones_own_come_back(tmp_path: Path) -> None:
    like = volume("axial")
    own = Code("X1", "99ME", "Brown fat")
    kept = labels_of(with_labels(like > 0, "fat"))[0].category
    colours = np.random.default_rng(2).integers(0, 256, (20, 3)).tolist()
    labels = [
        Label(n, f"Größe {n}", "#" + "".join(f"{x:02x}" for x in rgb), kept, own)
        for n, rgb in enumerate(colours, start=1)
    ]
    mask = mask_like(like, np.random.default_rng(2).integers(0, 21, SHAPE).astype(np.uint8), labels=labels)
    mask.dicom.save_seg(tmp_path / "seg.dcm")
    assert list(labels_of(load_segmentation(tmp_path / "seg.dcm"))) == labels


def test_uncoded_labels_are_written_as_tissue_and_told(tmp_path: Path) -> None:
    with pytest.warns(DicomLabWarning, match=r"what 'thing' is, so it is written as tissue\. Call it"):
        made = (volume("axial") > 0).dicom.to_seg("thing")
    assert made.SegmentSequence[0].SegmentedPropertyTypeCodeSequence[0].CodeMeaning == "Tissue"


def test_who_drew_it_is_said() -> None:
    mask = volume("axial") > 0
    first = mask.dicom.to_seg("bone").SegmentSequence[0]
    assert (first.SegmentAlgorithmType, first.SegmentAlgorithmName) == ("SEMIAUTOMATIC", "dicomlab")
    by_hand = mask.dicom.to_seg("bone", algorithm_type="MANUAL").SegmentSequence[0]
    assert by_hand.SegmentAlgorithmType == "MANUAL"
    assert "SegmentAlgorithmName" not in by_hand
    net = mask.dicom.to_seg("bone", algorithm_type="AUTOMATIC", algorithm="nnU-Net").SegmentSequence[0]
    assert (net.SegmentAlgorithmType, net.SegmentAlgorithmName) == ("AUTOMATIC", "nnU-Net")


def test_empty_frames_are_left_out_or_kept_and_an_empty_mask_is_one() -> None:
    like = volume("axial")
    mask = mask_like(like, np.zeros(SHAPE, bool))
    mask[2, 3, 4] = True
    assert mask.dicom.to_seg("bone").NumberOfFrames == 1
    assert mask.dicom.to_seg("bone", omit_empty=False).NumberOfFrames == SHAPE[0]
    assert int(mask_like(like, np.zeros(SHAPE, bool)).dicom.to_seg("bone").pixel_array.sum()) == 0


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "options", "said"),
    [
        (lambda m: m.expand_dims(time=2), {}, r"no axis time .* mask\.isel\(time=0\)"),
        (lambda m: m.isel(row=2).drop_vars("row"), {}, "row are missing"),
        (lambda m: m.astype(float), {}, "Compare first"),
        (lambda m: m.expand_dims(segment=[1]) * 1.5, {}, r"from 0 to 1; found 0 to 1\.5"),
        (lambda m: m.expand_dims(segment=[1]) * np.nan, {}, "fractions are from 0 to 1"),
        (lambda m: m.expand_dims(segment=[1]) * 0.5, {"kind": "binary"}, r"mask >= 0\.5"),
        (lambda m: m.astype(np.uint8) * 0, {"name": None}, "nothing to write"),
        (lambda m: m.astype(np.uint8) + 1, {}, "one name, 'bone', was given for a mask that has 2 labels"),
        (lambda m: m, {"name": "x" * 65}, "at most 64"),
        (lambda m: m, {"kind": "surface"}, "kind is one of"),
        (lambda m: m, {"compress": True}, "labelmap"),
        (lambda m: m, {"algorithm_type": "AUTOMATIC"}, "needs the name"),
        (lambda m: m, {"algorithm_type": "MANUAL", "algorithm": "me"}, "by hand"),
        (lambda m: m, {"description": "a\\b"}, "Series Description"),
        (lambda m: xr.concat([m, m], "segment").assign_coords(segment=[1, 1]), {"name": None}, "one number"),
        (
            lambda m: xr.concat([m, m], "segment"),
            {"name": None, "kind": "labelmap"},
            "to_label_maps.* makes 2",
        ),
        (lambda m: m[:0], {}, "no voxels"),
        (lambda m: m.isel(slice=2), {}, r"isel\(slice=\[k\]\)"),
    ],
)
def test_what_cannot_be_written_is_refused_with_what_to_do(change: Any, options: Any, said: str) -> None:
    mask = change(mask_like(volume("axial"), volume("axial").values > 0))
    with pytest.raises(DicomLabError, match=said):
        mask.dicom.to_seg(**{"name": "bone", **options})


@pytest.mark.parametrize("held", [(0, 10), (1, 3, 5), (2, 3, 9), (4,)])
def test_few_slices_far_apart_are_as_many_millilitres_as_before(
    tmp_path: Path, held: tuple[int, ...]
) -> None:
    affine = np.diag([2.5, 0.7, 1.1, 1.0])[[2, 1, 0, 3]]
    values = np.zeros((12, 6, 5), bool)
    values[list(held), 1:4, 2:] = True
    mask = dl.make_volume(values, affine=affine, frame_of_reference="1.2.3", name="liver")
    mask.dicom.save_seg(tmp_path / "liver.dcm")
    found = load_segmentation(tmp_path / "liver.dcm")
    assert found.dicom.spacing == pytest.approx(mask.dicom.spacing)
    before, after = mask.dicom.labels.table, found.dicom.labels.table
    assert after["ml"].tolist() == pytest.approx(before["ml"].tolist(), rel=1e-9)
    places = mask.dicom.lps(np.argwhere(mask.values))
    np.testing.assert_allclose(found.dicom.lps(np.argwhere(found.sel(segment=1).values)), places, atol=1e-9)
    # Some scanners write the gap between slices of 2 mm as their distance: nobody takes that for a step.
    lying = to_seg(mask)
    lying.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SpacingBetweenSlices = "0.5"
    lying.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].SliceThickness = "2"
    lying.save_as(tmp_path / "lying.dcm")
    assert load_segmentation(tmp_path / "lying.dcm").sizes["slice"] <= held[-1] - held[0] + 1


def test_a_file_that_is_there_is_left_alone_and_a_failure_leaves_none(tmp_path: Path) -> None:
    mask = mask_like(volume("axial"), volume("axial").values > 0)
    mask.dicom.save_seg(tmp_path / "seg.dcm", "bone")
    with pytest.raises(OverwriteError):
        mask.dicom.save_seg(tmp_path / "seg.dcm", "bone")
    mask.dicom.save_seg(tmp_path / "seg.dcm", "lesion", overwrite=True)
    assert load_segmentation(tmp_path / "seg.dcm").label.values.tolist() == ["lesion"]
    with pytest.raises(UnsupportedError):
        mask.expand_dims(time=2).dicom.save_seg(tmp_path / "other.dcm", "bone")
    with pytest.raises(DicomLabError, match=r"ends with \.dcm"):
        mask.dicom.save_seg(tmp_path / "seg.nii", "bone")
    assert [file.name for file in tmp_path.iterdir()] == ["seg.dcm"]


def test_without_highdicom_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom", None)
    with pytest.raises(MissingDependencyError, match=re.escape("pip install 'dicomlab[seg]'")):
        (volume("axial") > 0).dicom.to_seg("bone")


def test_the_grid_of_the_phantom_is_not_what_makes_these_tests_pass() -> None:
    # Spacings differ along all axes, and the oblique one is oblique.
    assert len({round(step, 2) for step in truth().volume.dicom.spacing}) == 3
    assert volume("oblique").dicom.orientation == "oblique"
