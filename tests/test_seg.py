"""load_segmentation() against the masks that highdicom was given, NRRD label maps made by others, and figures of real files."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import highdicom as hd
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import xarray as xr
from pydicom.pixels.utils import pack_bits
from support import SEGMENTS, SHARED, SMALL, datasets, shared_data, truth, write, write_seg

from dicomlab import DicomLabError, DicomLabWarning, find_series, load_segmentation, load_volume
from dicomlab.errors import (
    AmbiguousSourceError,
    GeometryError,
    MissingDependencyError,
    NotDicomError,
    UnsupportedError,
)
from dicomlab.masks import labels_of, to_label_maps


def random_masks(shape: tuple[int, int, int] = SMALL) -> np.ndarray:
    """Three overlapping masks, shape (slices, rows, columns, 3); some planes are empty, one of all of them."""
    masks = np.random.default_rng(4).random((*shape, 3)) < 0.3
    masks[0, ..., 0] = False
    masks[2] = False
    masks[4:, ..., 2] = False
    return masks


@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_every_voxel_of_a_mask_lies_on_the_voxel_that_was_marked(tmp_path: Path, modality: str) -> None:
    masks = random_masks()
    path, _ = write_seg(tmp_path / "seg", datasets(modality), masks)
    loaded = load_segmentation(path)
    assert loaded.dims == ("segment", "slice", "row", "column")
    assert loaded.dtype == bool
    # The third plane is empty in all segments and not in the file, but its place is known from its neighbours.
    np.testing.assert_array_equal(loaded.values, masks.transpose(3, 0, 1, 2))
    corners = np.array([[0, 0, 0], [2, 3, 4], np.array(SMALL) - 1])
    affine = truth(modality).affine
    np.testing.assert_allclose(
        loaded.dicom.lps(corners), corners @ affine[:3, :3].T + affine[:3, 3], atol=1e-3
    )
    image = load_volume(write(tmp_path / "image", datasets(modality)))
    assert float(image.where(loaded.sel(segment=2)).sum()) == float(image.values[masks[..., 1]].sum())


def test_segments_are_named_by_number_label_and_what_they_are(tmp_path: Path) -> None:
    path, _ = write_seg(tmp_path, datasets(), random_masks())
    loaded = load_segmentation(path)
    assert loaded.segment.values.tolist() == [1, 2, 3]
    assert loaded.label.values.tolist() == list(SEGMENTS)
    assert loaded.category.values.tolist() == ["Organ"] * 3
    assert loaded.type.values.tolist() == ["Kidney"] * 3
    assert loaded.dicom.units == ""
    assert loaded.attrs["SegmentationType"] == "BINARY"
    stone = load_segmentation(path, segments=[3])
    xr.testing.assert_identical(stone, loaded.sel(segment=[3]))
    assert load_segmentation(path, segments=[3, 1]).label.values.tolist() == ["Stone", "Left kidney"]
    for wrong in ([4], [], [1, 1], [0]):
        with pytest.raises(
            DicomLabError, match=r"not some of the segments of this file, which are \[1, 2, 3\]"
        ):
            load_segmentation(path, segments=wrong)
    again = xr.load_dataarray(loaded.astype(np.uint8).to_netcdf())
    np.testing.assert_array_equal(again.dicom.affine, loaded.dicom.affine)


def test_frames_stored_in_any_order_are_placed_by_their_positions(tmp_path: Path) -> None:
    masks = random_masks()
    path, segmentation = write_seg(tmp_path, datasets("MR"), masks)
    order = np.random.default_rng(5).permutation(int(segmentation.NumberOfFrames))
    assert (order != np.sort(order)).any()
    pixels = segmentation.get_stored_frames()[order]
    segmentation.PerFrameFunctionalGroupsSequence = [
        segmentation.PerFrameFunctionalGroupsSequence[k] for k in order
    ]
    segmentation.PixelData = pack_bits(pixels.ravel())
    segmentation.save_as(path)
    np.testing.assert_array_equal(load_segmentation(path).values, masks.transpose(3, 0, 1, 2))


def test_a_label_map_becomes_one_mask_for_each_label(tmp_path: Path) -> None:
    labels = np.random.default_rng(6).integers(0, 4, SMALL).astype(np.uint8)
    path, segmentation = write_seg(tmp_path, datasets(), labels, "LABELMAP")
    loaded = load_segmentation(path)
    assert loaded.dtype == bool
    assert loaded.segment.values.tolist() == [1, 2, 3]
    np.testing.assert_array_equal(loaded.values, [labels == 1, labels == 2, labels == 3])
    np.testing.assert_array_equal(load_segmentation(path, segments=[2]).values[0], labels == 2)
    segmentation.SegmentSequence = [s for s in segmentation.SegmentSequence if s.SegmentNumber != 3]
    segmentation.save_as(path)
    with pytest.raises(
        DicomLabError, match=r"pixels of the segment\(s\) \[3\], which the file does not describe"
    ):
        load_segmentation(path)


@pytest.mark.parametrize("full", [255, 100])
def test_fractions_are_shares_of_the_maximum(tmp_path: Path, full: int) -> None:
    stored = np.random.default_rng(7).integers(0, full + 1, (*SMALL, 1))
    path, segmentation = write_seg(
        tmp_path,
        datasets(),
        stored / full,
        "FRACTIONAL",
        fractional_type="PROBABILITY",
        max_fractional_value=full,
    )
    loaded = load_segmentation(path)
    assert loaded.dtype == np.float32
    np.testing.assert_allclose(loaded.values[0], stored[..., 0] / full, atol=1e-7)
    assert loaded.attrs["SegmentationFractionalType"] == "PROBABILITY"
    segmentation.MaximumFractionalValue = 3
    segmentation.save_as(path)
    with pytest.raises(DicomLabError, match="Maximum Fractional Value"):
        load_segmentation(path)


# -- on the grid of a volume ------------------------------------------------------------------------------------------


def test_a_sparse_segmentation_fills_the_grid_of_its_volume(tmp_path: Path) -> None:
    masks = random_masks()
    masks[[0, 1, 5]] = False
    path, _ = write_seg(tmp_path / "seg", datasets("MR"), masks)
    image = load_volume(write(tmp_path / "image", datasets("MR")))
    alone = load_segmentation(path)
    assert alone.sizes["slice"] == 2
    loaded = load_segmentation(path, like=image)
    np.testing.assert_array_equal(loaded.values, masks.transpose(3, 0, 1, 2))
    xr.align(loaded, image, join="exact")
    # On a volume that is turned around, or has one more axis, too.
    turned = image[::-1, :, ::-1]
    np.testing.assert_array_equal(
        load_segmentation(path, like=turned).values, loaded.values[:, ::-1, :, ::-1]
    )
    more = image.expand_dims(time=2)
    np.testing.assert_array_equal(load_segmentation(path, like=more).values, loaded.values)


def test_a_crop_takes_its_part_and_says_that_there_was_more(tmp_path: Path) -> None:
    masks = random_masks()
    path, _ = write_seg(tmp_path / "seg", datasets(), masks)
    image = load_volume(write(tmp_path / "image", datasets()))
    with pytest.warns(DicomLabWarning, match=r"left out: \d+ of \d+ frames, 4 of 12 rows"):
        part = load_segmentation(path, like=image[1:4, 2:10])
    np.testing.assert_array_equal(part.values, masks.transpose(3, 0, 1, 2)[:, 1:4, 2:10])
    with pytest.raises(GeometryError, match="lies beside like="):
        load_segmentation(path, like=image.assign_coords(slice=image.slice + 1000).dicom.restore())


def test_what_does_not_lie_on_the_voxels_is_refused_by_how_much(tmp_path: Path) -> None:
    path, _ = write_seg(tmp_path / "seg", datasets(), random_masks())
    image = load_volume(write(tmp_path / "image", datasets()))
    for axis, shift in (("slice", 0.4), ("row", 0.25), ("column", -0.125)):
        moved = image.assign_coords({axis: image[axis] + shift}).dicom.restore()
        with pytest.raises(GeometryError, match=f"their {axis} positions are up to {abs(shift)} mm off"):
            load_segmentation(path, like=moved)
    with pytest.raises(GeometryError, match="slice positions are up to"):
        load_segmentation(path, like=image[::2])
    with pytest.raises(GeometryError, match="frame of reference"):
        load_segmentation(path, like=load_volume(write(tmp_path / "mr", datasets("MR"))))
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(0.01), -np.sin(0.01)], [np.sin(0.01), np.cos(0.01)]]
    turned = image.dicom.transform(turn, to=image)
    with pytest.raises(GeometryError, match=r"directions differ by 0\.01 "):
        load_segmentation(path, like=turned)


def test_a_tilted_stack_has_tilted_masks(tmp_path: Path) -> None:
    sources = datasets()
    for k, source in enumerate(sources):
        x, y, z = source.ImagePositionPatient
        source.ImagePositionPatient = [x, y + 1.5 * k, z]
    masks = random_masks()
    path, _ = write_seg(tmp_path / "seg", sources, masks)
    loaded = load_segmentation(path)
    np.testing.assert_array_equal(loaded.values, masks.transpose(3, 0, 1, 2))
    with pytest.warns(DicomLabWarning, match="gantry_tilt"):
        image = load_volume(write(tmp_path / "image", sources))
    assert loaded.dicom.tilt == pytest.approx(image.dicom.tilt, abs=1e-6)
    np.testing.assert_allclose(loaded.dicom.affine, image.dicom.affine, atol=1e-6)
    np.testing.assert_array_equal(load_segmentation(path, like=image).values, loaded.values)


def test_planes_that_no_step_explains_keep_their_true_positions(tmp_path: Path) -> None:
    sources = datasets()
    heights = [0.0, 1.0, 2.7, 3.1, 8.0, 9.0]
    for source, height in zip(sources, heights, strict=True):
        source.ImagePositionPatient = [*source.ImagePositionPatient[:2], height]
    masks = random_masks()
    masks[2] = True
    path, _ = write_seg(tmp_path, sources, masks)
    np.testing.assert_allclose(load_segmentation(path).slice, heights)
    # A plane that wanders sideways fits no volume.
    sources[3].ImagePositionPatient = [
        sources[3].ImagePositionPatient[0] + 2.0,
        *sources[3].ImagePositionPatient[1:],
    ]
    path, _ = write_seg(tmp_path, sources, masks)
    with pytest.raises(GeometryError, match=r"frames lie up to 2\.000 mm beside one straight line"):
        load_segmentation(path)


def test_frames_that_another_program_turned_around_come_on_the_grid_of_their_volume(tmp_path: Path) -> None:
    sources, masks, affine = datasets("MR"), random_masks(), truth("MR").affine
    cosines = np.array(sources[0].ImageOrientationPatient, float)
    last = affine[:3, 1] * (SMALL[1] - 1) + affine[:3, 2] * (SMALL[2] - 1)
    path, _ = write_seg(
        tmp_path / "seg",
        sources,
        masks[:, ::-1, ::-1],
        plane_orientation=hd.PlaneOrientationSequence("PATIENT", (-cosines).tolist()),
        plane_positions=[
            hd.PlanePositionSequence("PATIENT", np.array(source.ImagePositionPatient, float) + last)
            for source in sources
        ],
        pixel_measures=hd.PixelMeasuresSequence(sources[0].PixelSpacing, sources[0].SliceThickness),
    )
    image = load_volume(write(tmp_path / "image", datasets("MR")))
    assert abs(load_segmentation(path).dicom.origin - image.dicom.origin).max() > 100
    for like in (image, image[:, ::-1], image[:, :, ::-1]):
        wanted = xr.DataArray(masks, dims=("slice", "row", "column", "segment"), coords=image.coords)
        again = load_segmentation(path, like=like)
        np.testing.assert_array_equal(
            again.values, wanted.sel(row=like.row, column=like.column).transpose(*again.dims)
        )


def test_segments_are_coloured_and_coded_as_the_file_says(tmp_path: Path) -> None:
    path, segmentation = write_seg(tmp_path, datasets(), random_masks())
    first, second, third = segmentation.SegmentSequence
    # PS3.3 C.10.7.1.1: L* 0 to 100 and a*, b* -128 to 127 lie from 0 to 65535; no a* and b* is a grey.
    first.RecommendedDisplayCIELabValue = [65535, 32896, 32896]
    second.RecommendedDisplayCIELabValue = [0, 32896, 32896]
    third.RecommendedDisplayCIELabValue = [65535, 65535, 0]  # no colour that a screen has
    left = hd.sr.CodedConcept("7771000", "SCT", "Left")
    first.SegmentedPropertyTypeCodeSequence[0].SegmentedPropertyTypeModifierCodeSequence = [left]
    second.SegmentedPropertyTypeCodeSequence[0].CodeMeaning = ""
    third.SegmentLabel = ""
    segmentation.save_as(path)
    one, two, three = labels_of(load_segmentation(path))
    assert (one.colour, two.colour) == ("#ffffff", "#000000")
    organ = first.SegmentedPropertyCategoryCodeSequence[0]
    assert (one.category.value, one.category.meaning) == (organ.CodeValue, organ.CodeMeaning)
    assert str(one.side) == "Left (SCT 7771000)"
    assert str(two.type) == "Kidney (SCT 64033007)"  # by its name
    assert three.name == "segment 3"


def test_a_label_map_can_be_had_of_segments_that_do_not_overlap(tmp_path: Path) -> None:
    numbers = np.random.default_rng(6).integers(0, 4, SMALL).astype(np.uint8)
    image = load_volume(write(tmp_path / "image", datasets()))
    for kind in ("BINARY", "LABELMAP"):
        path, _ = write_seg(tmp_path / kind, datasets(), numbers, kind)
        for like in (image, image[1:3, ::-1], None):
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DicomLabWarning)  # parts lie outside
                loaded = load_segmentation(path, like=like, as_labels=True)
                masks = load_segmentation(path, like=like)
            assert loaded.dtype == np.uint8
            assert loaded.dims == ("slice", "row", "column")
            (expected,) = to_label_maps(masks)
            np.testing.assert_array_equal(loaded.values, expected.values)
            assert list(labels_of(loaded)) == list(labels_of(masks))
        some = load_segmentation(path, like=image, segments=[3], as_labels=True)
        np.testing.assert_array_equal(some.values, np.where(numbers == 3, 3, 0))
    overlapping, _ = write_seg(tmp_path / "overlapping", datasets(), random_masks())
    with pytest.raises(DicomLabError, match=r"segments that overlap.*to_label_maps"):
        load_segmentation(overlapping, as_labels=True)
    fractions, _ = write_seg(tmp_path / "fractions", datasets(), random_masks() * 0.5, "FRACTIONAL")
    with pytest.raises(DicomLabError, match=r"fractions.*to_label_maps"):
        load_segmentation(fractions, as_labels=True)


# -- real files -------------------------------------------------------------------------------------------------------


def nrrd(name: str) -> tuple[np.ndarray, np.ndarray]:
    image = sitk.ReadImage(str(shared_data() / "seg-liver-dcmqi" / "ref" / name))
    return sitk.GetArrayFromImage(image), np.array(image.GetOrigin())


def test_a_real_liver_equals_the_label_map_it_was_made_of() -> None:
    folder = shared_data() / "seg-liver-dcmqi"
    labels, origin = nrrd("liver_seg.nrrd")
    liver = load_segmentation(folder / "liver.dcm")
    assert liver.label.values.tolist() == ["Liver"]
    np.testing.assert_array_equal(liver.values[0], labels == 1)
    np.testing.assert_allclose(liver.dicom.origin, origin, atol=1e-4)
    ct = load_volume(folder / "ct")
    on_ct = load_segmentation(folder / "liver.dcm", like=ct)
    np.testing.assert_array_equal(on_ct.values, liver.values)
    # Liver tissue: if the mask lay elsewhere, fat, air or bone would be in it.
    low, middle, high = np.quantile(ct.values[on_ct.values[0]], [0.25, 0.5, 0.75])
    assert 10 < low < middle < high < 90


def test_real_overlapping_segments_equal_their_label_maps() -> None:
    loaded = load_segmentation(shared_data() / "seg-liver-dcmqi" / "partial_overlaps.dcm")
    assert loaded.shape == (5, 3, 512, 512)
    for name, numbers in (
        ("partial_overlaps-1", (1, 4, 5)),
        ("partial_overlaps-2", (2,)),
        ("partial_overlaps-3", (3,)),
    ):
        labels, origin = nrrd(f"{name}.nrrd")
        np.testing.assert_allclose(loaded.dicom.origin, origin, atol=1e-4)
        for number in numbers:
            np.testing.assert_array_equal(loaded.sel(segment=number).values, labels == number)
    assert (loaded.sum("segment") > 1).any()  # they do overlap


@pytest.mark.parametrize("name", ["liver", "partial_overlaps"])
def test_dcmqi_reads_the_same_names_colours_and_codes(name: str, tmp_path: Path) -> None:
    tool = Path(sys.executable).parent / "segimage2itkimage"
    if not tool.is_file():
        pytest.skip("dcmqi is not installed: names, colours and codes are NOT compared with it")
    path = shared_data() / "seg-liver-dcmqi" / f"{name}.dcm"
    order = ["--inputDICOM", path, "--outputDirectory", tmp_path, "--outputType", "nrrd", "--prefix", "x"]
    subprocess.run([tool, *order], check=True, capture_output=True)
    groups = json.loads((tmp_path / "x-meta.json").read_text())["segmentAttributes"]
    theirs = {one["SegmentLabel"]: one for group in groups for one in group}
    labels = labels_of(load_segmentation(path))
    assert {label.name for label in labels} == set(theirs)
    for label in labels:
        read = theirs[label.name]
        assert (
            max(abs(a - b) for a, b in zip(label.rgb, read["recommendedDisplayRGBValue"], strict=True)) <= 1
        )
        for what, code in (("Category", label.category), ("Type", label.type)):
            told = read[f"SegmentedProperty{what}CodeSequence"]
            wanted = (told["CodeValue"], told["CodingSchemeDesignator"], told["CodeMeaning"])
            assert (code.value, code.scheme, code.meaning) == wanted


FIGURES = json.loads((SHARED / "truth.json").read_text())["seg"] if (SHARED / "truth.json").is_file() else {}


def test_every_real_segmentation_has_the_sums_that_others_counted_or_a_reason() -> None:
    assert len(FIGURES) > 10
    reasons = {}
    for name, figures in FIGURES.items():
        try:
            loaded = load_segmentation(shared_data() / name)
        except UnsupportedError as reason:
            reasons[Path(name).name] = str(reason)
            continue
        full = figures["max_fractional"] or 1
        assert {
            str(n): label for n, label in zip(loaded.segment.values, loaded.label.values, strict=True)
        } == figures["segments"]
        sums = loaded.astype(np.float64).sum(("slice", "row", "column")) * full
        assert {
            str(n): round(float(v)) for n, v in zip(loaded.segment.values, sums.values, strict=True)
        } == figures["sum_per_segment"]
    # What highdicom and pydicom cannot decode, and what lies on a slide.
    assert set(reasons) == {
        "seg_image_sm_control.dcm",
        "seg_image_sm_numbers.dcm",
        "liver_deflate.dcm",
        "liver_nonbyte_aligned_deflate.dcm",
        "liver_nonbyte_aligned_rle.dcm",
    }
    assert "whole-slide" in reasons["seg_image_sm_control.dcm"]
    assert "1.2.840.10008.1.2.8.1" in reasons["liver_deflate.dcm"]
    assert "RLE Lossless" in reasons["liver_nonbyte_aligned_rle.dcm"]


def test_highdicom_places_a_real_segmentation_at_the_same_voxels() -> None:
    path = shared_data() / "seg-highdicom-a" / "seg_image_ct_binary.dcm"
    theirs = hd.seg.segread(path).get_volume()
    loaded = load_segmentation(path)
    for index in np.argwhere(theirs.array[..., 0])[::37]:
        lps = (theirs.affine @ [*index, 1])[:3]
        mine = np.round(loaded.dicom.index(lps)).astype(int)
        np.testing.assert_allclose(loaded.dicom.lps(mine), lps, atol=1e-4)
        assert loaded.values[0][tuple(mine)]
    assert loaded.values.sum() == theirs.array.sum()


# -- sources and refusals ---------------------------------------------------------------------------------------------


def test_a_segmentation_is_found_in_a_folder_a_zip_a_list_and_a_series(tmp_path: Path) -> None:
    path, _ = write_seg(tmp_path / "study", datasets(), random_masks())
    write(tmp_path / "study" / "image", datasets())
    expected = load_segmentation(path)
    with zipfile.ZipFile(tmp_path / "study.zip", "w") as archive:
        archive.write(path, "seg.dcm")
    (series,) = [one for one in find_series(tmp_path / "study") if one.modality == "SEG"]
    for source in (tmp_path / "study", tmp_path / "study.zip", [path], str(path), series):
        xr.testing.assert_identical(load_segmentation(source), expected)
    (tmp_path / "study" / "again.dcm").write_bytes(path.read_bytes())
    other = pydicom.dcmread(path)
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    other.save_as(tmp_path / "study" / "other.dcm")
    with pytest.raises(AmbiguousSourceError, match="2 Segmentations are there"):
        load_segmentation(tmp_path / "study")
    with pytest.raises(NotDicomError, match=r"no Segmentation .SEG. is there; found CT"):
        load_segmentation(tmp_path / "study" / "image")


def test_without_highdicom_the_line_that_installs_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "highdicom.seg", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dicomlab\[seg\]'"):
        load_segmentation("anything")
    assert issubclass(MissingDependencyError, ImportError)


def test_contradictions_are_refused(tmp_path: Path) -> None:
    path, fresh = write_seg(tmp_path, datasets(), random_masks())
    frames = fresh.PerFrameFunctionalGroupsSequence

    def refused(change: str, error: type[Exception], match: str) -> None:
        broken = pydicom.dcmread(path)
        each = broken.PerFrameFunctionalGroupsSequence
        if change == "unknown segment":
            each[3].SegmentIdentificationSequence[0].ReferencedSegmentNumber = 7
        elif change == "twice":
            each[1].PlanePositionSequence = each[0].PlanePositionSequence
            each[1].SegmentIdentificationSequence = each[0].SegmentIdentificationSequence
        elif change == "no position":
            del each[2].PlanePositionSequence
        elif change == "groups":
            broken.PerFrameFunctionalGroupsSequence = each[:-1]
        elif change == "truncated":
            broken.PixelData = broken.PixelData[:16]
        elif change == "huge":
            broken.Rows = broken.Columns = 60000
        broken.save_as(tmp_path / "broken.dcm")
        with pytest.raises(error, match=match):
            load_segmentation(tmp_path / "broken.dcm")

    assert len(frames) > 4
    refused(
        "unknown segment", DicomLabError, r"belong to the segment.s. \[7\], which the file does not describe"
    )
    refused("twice", UnsupportedError, "several frames of one segment lie in one plane")
    refused("no position", GeometryError, "without a usable ImagePositionPatient")
    refused("groups", DicomLabError, "frames, but functional groups for")
    refused("truncated", UnsupportedError, "highdicom cannot read")
    refused("huge", UnsupportedError, "GiB; load fewer at a time with segments=")
