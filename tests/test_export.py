"""Volumes written as DICOM series: valid by dciodvfy, and read back where and what they were by dicomlab, ITK and dcm2niix."""

from __future__ import annotations

import re
import shutil
import subprocess
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import xarray as xr
from flat_support import write_pictures
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from support import SHARED, datasets, shared_data, watch_opening, write

from dicomlab import (
    DicomLabWarning,
    find_series,
    load_volume,
    make_volume,
    open_volume,
    phantom,
    write_series,
)
from dicomlab.errors import DicomLabError, FaultError, GeometryError, UnsupportedError
from dicomlab.export.stored import find_storing
from tests.kinds.judge import judge
from tests.kinds.peers import Answer, read_dcm2niix, read_simpleitk

pytestmark = pytest.mark.filterwarnings("ignore::dicomlab.DicomLabWarning")

PLACED = [
    *(name for name in phantom.KINDS if name != "localizer_inside"),
    *("inversion_times", "flip_angles", "enhanced_diffusion", "zip_archive", "parametric_map", "slice_times"),
]
ALONE = ("axial_ct", "oblique_mr", "gantry_tilt", "uneven_spacing", "pet_slopes", "echoes_phases", "dose")
WAYS = [(name, True) for name in PLACED] + [(name, False) for name in ALONE]
"""Kinds, and whether they are written with their source."""
STEPPED = ["dynamic", "echoes_phases", "diffusion", "cardiac_cine", "inversion_times", "flip_angles"]
needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the validity of written series is NOT checked",
)
AFFINE = np.array([[0, 0, 0.8, 10.0], [0, 0.7, 0, -20.0], [2.5, 0, 0, 30.0], [0, 0, 0, 1]])


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[phantom.Sample, xr.DataArray, Path]]:
    """Return a function that writes a kind, loads it, and writes it again, with its source or without, once."""

    @cache
    def make(name: str, with_source: bool = True) -> tuple[phantom.Sample, xr.DataArray, Path]:
        folder = tmp_path_factory.mktemp(name)
        sample = phantom.write_kind(name, folder / "source")
        stack = find_series(folder / "source")[0].stacks[0]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            volume = load_volume(stack)
            write_series(volume, folder / "written", source=stack if with_source else None)
        return sample, volume, folder / "written"

    return make


def corners(volume: xr.DataArray) -> np.ndarray:
    """LPS of the corners of every slice, slices ascending along their normal."""
    sizes = [volume.sizes[dim] for dim in ("row", "column")]
    index = [
        [k, i, j] for k in range(volume.sizes["slice"]) for i in (0, sizes[0] - 1) for j in (0, sizes[1] - 1)
    ]
    return volume.dicom.lps(index)


def headers(folder: Path) -> list[Dataset]:
    return [pydicom.dcmread(file) for file in sorted(folder.iterdir())]


def small(values: Any, **options: Any) -> xr.DataArray:
    return make_volume(np.asarray(values), affine=AFFINE, **options)


# -- what comes back ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "with_source"), WAYS)
def test_every_kind_comes_back_where_and_what_it_was(written: Any, name: str, with_source: bool) -> None:
    _, volume, folder = written(name, with_source)
    again = load_volume(folder)
    assert again.dims == volume.dims
    assert again.attrs["units"] == volume.attrs["units"]
    error = find_storing(volume.dtype, volume.values[None], nan=None, centred=False, short=False).error
    rounding = np.abs(volume.values).max() * np.finfo(np.float32).eps if volume.dtype.kind == "f" else 0
    np.testing.assert_allclose(
        again.values.astype(float), volume.values.astype(float), rtol=0, atol=error + rounding
    )
    np.testing.assert_allclose(corners(again), corners(volume), rtol=0, atol=1e-6)
    for dim in volume.dims[:-3]:
        np.testing.assert_array_equal(again[dim].values, volume[dim].values)
    for beside in ("b_vector_x", "b_vector_y", "b_vector_z"):
        if beside in volume.coords:
            np.testing.assert_allclose(again[beside].values, volume[beside].values, atol=1e-9)


@pytest.mark.parametrize(
    "name",
    [
        "axial_ct",
        "sagittal_mr",
        "oblique_mr",
        "feet_first_prone",
        "enhanced_ct",
        "two_stacks",
        "modality_lut",
        "high_bits",
    ],
)
def test_itk_finds_every_voxel_where_the_phantom_has_it(written: Any, name: str) -> None:
    sample, _, folder = written(name)
    assert judge(replace(sample, parts=()), Answer(read_simpleitk(folder))).state == "right"


@pytest.mark.parametrize(
    "name",
    [
        "axial_ct",
        "oblique_mr",
        "enhanced_mr",
        "dynamic",
        "diffusion",
        "echoes_phases",
        "cardiac_cine",
        "missing_slice",
    ],
)
def test_dcm2niix_finds_every_voxel_where_the_phantom_has_it(written: Any, name: str) -> None:
    sample, _, folder = written(name)
    assert judge(sample, Answer(read_dcm2niix(folder))).state == "right"


@pytest.mark.parametrize("name", STEPPED)
def test_itk_agrees_step_by_step_in_the_order_of_the_files(written: Any, name: str) -> None:
    # ITK has no further axes: the images of each step are given to it by themselves.
    _, volume, folder = written(name)
    files = sorted(map(str, folder.iterdir()))
    slices = volume.sizes["slice"]
    for step, index in enumerate(np.ndindex(volume.shape[:-3])):
        image = sitk.ReadImage(files[step * slices : (step + 1) * slices])
        np.testing.assert_array_equal(sitk.GetArrayFromImage(image), volume.values[index])
        last = [n - 1 for n in image.GetSize()]
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(last), volume.dicom.lps(last[::-1]), atol=1e-6
        )


@needs_dciodvfy
@pytest.mark.parametrize(("name", "with_source"), WAYS)
def test_dciodvfy_finds_no_error(written: Any, name: str, with_source: bool) -> None:
    _, _, folder = written(name, with_source)
    for file in sorted(folder.iterdir())[:: max(1, len(list(folder.iterdir())) // 2)]:
        found = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
        said = (found.stdout + found.stderr).splitlines()
        assert any(re.match(r"\w*Image\w*$", line) for line in said), said
        assert [line for line in said if line.startswith("Error")] == []


@pytest.mark.parametrize(
    "change",
    [
        lambda v: v[::-1],
        lambda v: v[:, ::-1, ::-1],
        lambda v: v[::2, 1:7, ::3],
        lambda v: v.isel(slice=3),
        lambda v: v.isel(slice=[0, 1, 4]),
        lambda v: v.isel(row=[5]),
        lambda v: v.transpose("column", "slice", "row"),
        lambda v: v.isel(slice=[4]),
    ],
)
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_parts_flipped_strided_or_turned_keep_every_voxel_in_its_place(
    tmp_path: Path, modality: str, change: Callable[[xr.DataArray], xr.DataArray]
) -> None:
    part = change(load_volume(write(tmp_path / "source", datasets(modality))))
    write_series(part, tmp_path / "new")
    again = load_volume(tmp_path / "new")
    whole = part if "slice" in part.dims else part.expand_dims("slice")
    whole = whole.transpose("slice", "row", "column")
    for index in [(0, 0, 0), (-1, -1, -1), (0, -1, 0), (-1, 0, -1)]:
        place = [k % n for k, n in zip(index, whole.shape, strict=True)]
        value = whole.values[tuple(place)]
        there = again.dicom.index(part.dicom.lps(place))
        np.testing.assert_allclose(there, np.rint(there), atol=1e-6)
        assert again.values[tuple(np.rint(there).astype(int))] == value


@pytest.mark.parametrize(
    ("name", "labels", "modality"),
    [
        ("time", [7.5, 0.5, 2.25], "CT"),
        ("temporal_position", [5, 2, 3], "MR"),
        ("acquisition_number", [3, 1, 7], "CT"),
        ("tube_voltage", [120.0, 80.0, 140.0], "CT"),
        ("echo_time", [4.6, 2.3, 6.9], "MR"),
        ("inversion_time", [100.0, 50.0, 2000.0], "MR"),
        ("flip_angle", [15.0, 3.0, 30.0], "MR"),
        ("component", ["phase", "magnitude", "real"], "MR"),
    ],
)
def test_labels_in_any_order_stay_with_their_steps(
    tmp_path: Path, name: str, labels: Any, modality: str
) -> None:
    volume = axis(name, labels, modality=modality, shape=3)
    volume = volume + xr.DataArray(np.array([100, 200, 300], np.int16), dims=name)
    write_series(volume.assign_attrs(Modality=modality), tmp_path / "new")
    again = load_volume(tmp_path / "new")
    assert again.dims == volume.dims
    for step, label in enumerate(labels):
        assert set(again.sel({name: label}).values.ravel()) == {100 * (step + 1)}


def test_windows_polarity_and_unit_go_along(tmp_path: Path) -> None:
    volume = load_volume(write(tmp_path / "source", datasets("CT")))
    volume.attrs["PhotometricInterpretation"] = "MONOCHROME1"
    write_series(volume, tmp_path / "new", source=tmp_path / "source", description="new", series_number=7)
    again = load_volume(tmp_path / "new")
    for name in (
        "WindowCenter",
        "WindowWidth",
        "WindowCenterWidthExplanation",
        "units",
        "PhotometricInterpretation",
    ):
        assert again.attrs[name] == volume.attrs[name]
    series = find_series(tmp_path / "new")[0]
    assert (series.description, series.number) == ("new", 7)


def test_the_suv_of_a_written_pet_is_the_suv_of_its_source(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("PT"))
    volume = load_volume(folder)
    write_series(volume, tmp_path / "new", source=folder)
    write_series(volume.dicom.suv(), tmp_path / "suv", source=folder)
    assert headers(tmp_path / "new")[0].SOPClassUID.name == "Positron Emission Tomography Image Storage"
    suv = volume.dicom.suv().values
    for name in ("new", "suv"):
        again = load_volume(tmp_path / name).dicom.suv()
        np.testing.assert_allclose(again.values, suv, atol=suv.max() / 65534 + 1e-5)
    assert (headers(tmp_path / "suv")[0].Units, headers(tmp_path / "suv")[0].SUVType) == ("GML", "BW")


@pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: no real series was written again",
)
@pytest.mark.parametrize(
    "name",
    [
        "ct-tilt-ge-variable",
        "ct-contrast-kits",
        "mr-positions-a/HFP",
        "mr-pd-ge-oblique",
        "pet-nema-phantom-1",
        "mr-fmri-mosaic-ax/axdesc35",
        "mr-epi4d-ge/si_mr_0003",
    ],
)
def test_real_series_come_back_where_and_what_they_were(tmp_path: Path, name: str) -> None:
    stack = find_series(shared_data() / name)[0].stacks[0]
    volume = load_volume(stack)
    files = write_series(volume, tmp_path / "new", source=stack)
    again = load_volume(tmp_path / "new")
    assert again.dims == volume.dims
    error = 0 if volume.dtype.kind in "iu" else np.ptp(volume.values) / 65535 / 2 * 1.001
    np.testing.assert_allclose(again.values.astype(float), volume.values.astype(float), rtol=1e-6, atol=error)
    np.testing.assert_allclose(corners(again), corners(volume), rtol=0, atol=1e-6)
    for dim in volume.dims[:-3]:
        np.testing.assert_array_equal(again[dim].values, volume[dim].values)
    slices = volume.sizes["slice"]
    whole = volume.values.reshape(-1, *volume.shape[-2:])
    # ITK, image by image, as it has no volume of uneven slices. Of MONOCHROME1 it inverts the values, in every file.
    for k in (0, slices // 2, slices - 1):
        image = sitk.ReadImage(str(files[k]))
        if volume.attrs["PhotometricInterpretation"] == "MONOCHROME2":
            np.testing.assert_allclose(sitk.GetArrayFromImage(image)[0], whole[k], rtol=1e-6, atol=error)
        last = [n - 1 for n in image.GetSize()]
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(last), volume.dicom.lps([k, last[1], last[0]]), atol=1e-6
        )


# -- whose it is --------------------------------------------------------------------------------------------------------------

IDENTITY = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientSex",
    "AccessionNumber",
    "StudyDate",
    "StudyDescription",
)


def test_patient_and_study_come_from_the_source_and_uids_are_new(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("CT"))
    write_series(load_volume(folder), tmp_path / "new", source=folder)
    old, new = headers(folder), headers(tmp_path / "new")
    for image in new:
        for keyword in (
            *IDENTITY,
            "StudyInstanceUID",
            "FrameOfReferenceUID",
            "PatientWeight",
            "BodyPartExamined",
        ):
            assert image[keyword].value == old[0][keyword].value
        assert image.ImageType[:2] == ["DERIVED", "SECONDARY"]
        assert image.DerivationDescription
    assert {image.SeriesInstanceUID for image in new}.isdisjoint(image.SeriesInstanceUID for image in old)
    assert len({image.SOPInstanceUID for image in (*old, *new)}) == len(old) + len(new)
    assert [image.InstanceNumber for image in new] == [1, 2, 3, 4, 5, 6]


def test_without_a_source_nothing_is_known_of_the_patient(tmp_path: Path) -> None:
    volume = load_volume(write(tmp_path / "source", datasets("CT")))
    write_series(volume, tmp_path / "new")
    image = headers(tmp_path / "new")[0]
    assert {keyword: str(image[keyword].value or "") for keyword in IDENTITY[:-1]} == dict.fromkeys(
        IDENTITY[:-1], ""
    )
    everything = (tmp_path / "new" / "00001.dcm").read_bytes()
    for secret in (b"Phantom^", b"PHANTOM", b"Nowhere", b"Nora", b"FAKE"):
        assert secret in (tmp_path / "source" / "IM00001").read_bytes()
        assert secret not in everything


@pytest.mark.parametrize(
    ("charset", "name"),
    [
        ("ISO_IR 100", "Müller^Jürg"),
        ("ISO_IR 192", "Wang^XiaoDong=王^小东"),
        (["", "ISO 2022 IR 87"], "Yamada^Tarou=山田^太郎"),
    ],
)
def test_names_survive_their_character_set(tmp_path: Path, charset: Any, name: str) -> None:
    changed = datasets("CT")
    for ds in changed:
        ds.SpecificCharacterSet = charset
        ds.PatientName = name
        item = Dataset()
        item.PatientID, item.TypeOfPatientID = "x", "TEXT"
        ds.OtherPatientIDsSequence = [item]
    folder = write(tmp_path / "source", changed)
    write_series(load_volume(folder), tmp_path / "new", source=folder)
    image = headers(tmp_path / "new")[0]
    assert str(image.PatientName) == name
    assert image.OtherPatientIDsSequence[0].PatientID == "x"


def test_what_breaks_the_rules_in_the_source_is_mended_or_left_out_where_it_may_be(tmp_path: Path) -> None:
    changed = datasets("MR")
    for k, ds in enumerate(changed):
        ds.add(
            DataElement("SliceThickness", "DS", "2.7799999930641364", validation_mode=pydicom.config.IGNORE)
        )
        ds.InversionTime = "450"  # of a sequence that inverts nothing
        ds.ProcedureCodeSequence = []
        ds.LossyImageCompression = "01" if k == 2 else "00"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        folder = write(tmp_path / "source", changed)
    write_series(load_volume(folder), tmp_path / "new", source=folder)
    for image in headers(tmp_path / "new"):
        assert str(image.SliceThickness) == "2.77999999306414"
        assert "InversionTime" not in image
        assert "ProcedureCodeSequence" not in image
        assert image.LossyImageCompression == "01"


def sources_of(image: Dataset) -> set[str]:
    found = {item.ReferencedSOPInstanceUID for item in image.SourceImageSequence}
    (series,) = image.ReferencedSeriesSequence
    assert found == {item.ReferencedSOPInstanceUID for item in series.ReferencedInstanceSequence}
    return found


def test_each_image_refers_to_the_source_images_that_lie_where_it_lies(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("MR"))
    volume = load_volume(folder)
    old = headers(folder)
    at = {ds.SOPInstanceUID: np.array(ds.ImagePositionPatient, float) for ds in old}
    write_series(volume[::-1], tmp_path / "same", source=folder)
    for image in headers(tmp_path / "same"):
        (uid,) = sources_of(image)
        np.testing.assert_allclose(at[uid], np.array(image.ImagePositionPatient, float), atol=1e-6)
    between = (volume.slice[1:].values + volume.slice[:-1].values) / 2
    write_series(volume.interp(slice=between), tmp_path / "between", source=folder, max_error=1.0)
    for image in headers(tmp_path / "between"):
        here = np.array(image.ImagePositionPatient, float)
        nearest = sorted(at, key=lambda uid: np.linalg.norm(at[uid] - here))[:2]
        assert sources_of(image) == set(nearest)
    across = make_volume(
        np.zeros((2, 3, 6), np.int16),
        affine=volume.dicom.affine[:, [1, 2, 0, 3]],
        frame_of_reference=str(volume.frame_of_reference.values),
        attrs=volume.attrs,
    )
    write_series(across, tmp_path / "across", source=folder)
    for image in headers(tmp_path / "across"):
        assert sources_of(image) == set(at)
        assert image.SliceThickness is None


def test_each_step_refers_to_the_images_of_its_own_step(tmp_path: Path) -> None:
    sample = phantom.write_kind("echoes_phases", tmp_path / "source")
    volume = load_volume(sample.folder)
    old = {ds.SOPInstanceUID: ds for ds in headers(sample.folder)}
    write_series(volume, tmp_path / "all", source=sample.folder)
    picked = volume.isel(echo_time=1, component=0)
    write_series(picked, tmp_path / "one", source=sample.folder)
    for image in (*headers(tmp_path / "all"), *headers(tmp_path / "one")):
        (uid,) = sources_of(image)
        assert old[uid].EchoTime == image.EchoTime
        np.testing.assert_allclose(
            np.array(old[uid].ImagePositionPatient, float), np.array(image.ImagePositionPatient, float)
        )
    write_series(
        volume.mean("echo_time", keep_attrs=True), tmp_path / "mean", source=sample.folder, max_error=1
    )
    for image in headers(tmp_path / "mean"):
        assert len(sources_of(image)) == volume.sizes["echo_time"]
        assert image.EchoTime is None  # they do not agree


def test_frames_of_one_object_are_named_by_their_numbers(tmp_path: Path) -> None:
    sample = phantom.write_kind("enhanced_ct", tmp_path / "source")
    (file,) = sample.folder.iterdir()
    object_ = pydicom.dcmread(file)
    groups = object_.PerFrameFunctionalGroupsSequence
    write_series(load_volume(sample.folder), tmp_path / "new", source=sample.folder)
    for image in headers(tmp_path / "new"):
        (item,) = image.SourceImageSequence
        there = groups[int(item.ReferencedFrameNumber) - 1].PlanePositionSequence[0].ImagePositionPatient
        np.testing.assert_allclose(
            np.array(there, float), np.array(image.ImagePositionPatient, float), atol=1e-6
        )


def test_slice_thickness_is_told_only_where_it_is_still_that_of_the_source(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("CT"))
    volume = load_volume(folder)
    thickness = headers(folder)[0].SliceThickness
    step = volume.dicom.spacing[0]
    for name, part, expected in (
        ("whole", volume, thickness),
        ("cropped", volume[2:, 3:6], thickness),
        ("strided", volume[::2], None),
        ("one", volume.isel(slice=2), thickness),
        ("between", volume.interp(slice=volume.slice.values[:-1] + step / 2).round(), None),
    ):
        write_series(part, tmp_path / name, source=folder)
        assert {image.SliceThickness for image in headers(tmp_path / name)} == {expected}, name
    assert headers(tmp_path / "strided")[0].SpacingBetweenSlices == pytest.approx(2 * step)
    write_series(volume, tmp_path / "alone")
    assert headers(tmp_path / "alone")[0].SliceThickness is None


def test_a_volume_of_another_frame_of_reference_warns_and_refers_to_all(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("MR"))
    volume = load_volume(write(tmp_path / "other", datasets("CT")))
    with pytest.warns(DicomLabWarning, match="another frame of reference"):
        write_series(volume, tmp_path / "new", source=folder)
    assert {len(sources_of(image)) for image in headers(tmp_path / "new")} == {6}


def test_a_missing_frame_of_reference_becomes_a_new_one(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_series(small(np.zeros((2, 3, 4), np.int16)), tmp_path / name)
    found = [{str(image.FrameOfReferenceUID) for image in headers(tmp_path / name)} for name in ("a", "b")]
    assert len(found[0]) == len(found[1]) == 1
    assert found[0] != found[1]


def test_an_mr_whose_source_does_not_tell_its_sequence_is_a_secondary_capture_and_says_so(
    tmp_path: Path,
) -> None:
    folder = phantom.write_kind("enhanced_mr", tmp_path / "source").folder
    with pytest.warns(DicomLabWarning, match=r"Secondary Capture.*ScanningSequence"):
        write_series(load_volume(folder), tmp_path / "new", source=folder)
    image = headers(tmp_path / "new")[0]
    assert (image.SOPClassUID.name, image.Modality) == ("Secondary Capture Image Storage", "MR")


# -- values -------------------------------------------------------------------------------------------------------------------

EXACT = [
    np.array([-32768, 0, 32767], np.int16),
    np.array([0, 65535, 7], np.uint16),
    np.array([0, 255, 7], np.uint8),
    np.array([-128, 127, 7], np.int8),
    np.array([-40000, 0, 25535], np.int32),
    np.array([2**40, 2**40 + 65535, 2**40 + 3], np.int64),
    np.array([2**51, 2**51 + 9, 2**51 + 3], np.uint64),
    np.array([-1000.0, 3000.0, 0.0], np.float32),
    np.array([0.5, 0.5, 0.5], np.float64),
]


@pytest.mark.parametrize("values", EXACT, ids=lambda values: f"{values.dtype} {values[0]}")
@pytest.mark.parametrize("modality", ["CT", "OT"])
def test_values_that_fit_are_kept_to_the_last_digit(
    tmp_path: Path, values: np.ndarray, modality: str
) -> None:
    volume = small(np.resize(values, (2, 3, 3)), attrs={"Modality": modality}, units="HU")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_series(volume, tmp_path / "new", max_error=0)
    again = load_volume(tmp_path / "new")
    assert again.values.astype(object).tolist() == volume.values.astype(object).tolist()
    assert again.attrs["units"] == "HU"


@given(
    arrays(
        st.sampled_from([np.float32, np.float64, np.int32, np.int64]),
        array_shapes(min_dims=2, max_dims=2, max_side=4),
        elements=st.integers(-(2**31), 2**31 - 1),
    ),
    st.floats(1e-12, 1e12),
    st.booleans(),
)
def test_no_value_is_changed_by_more_than_is_said(values: np.ndarray, scale: float, centred: bool) -> None:
    values = values * values.dtype.type(scale) if values.dtype.kind == "f" else values
    storing = find_storing(values.dtype, [values], nan=None, centred=centred, short=True)
    stored = storing.store(values)
    again = stored * float(storing.slope) + float(storing.intercept)
    assert np.abs(again - values.astype(np.float64)).max() <= storing.error
    assert stored.dtype.itemsize <= 2
    assert not centred or float(storing.intercept) == 0
    assert max(len(storing.slope), len(storing.intercept)) <= 16


def test_rounding_warns_with_its_size_and_can_be_refused(tmp_path: Path) -> None:
    volume = small(np.linspace(0, 1, 24).reshape(2, 3, 4), units="g/ml")
    with pytest.warns(DicomLabWarning, match=r"rounded by up to 7\.63e-06 g/ml") as caught:
        write_series(volume, tmp_path / "a")
    assert caught[0].filename == __file__
    with pytest.raises(DicomLabError, match="max_error=1e-06"):
        write_series(volume, tmp_path / "b", max_error=1e-6)
    assert [entry.name for entry in tmp_path.iterdir()] == ["a"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_series(volume, tmp_path / "b", max_error=1e-5)
    assert load_volume(tmp_path / "b").attrs["units"] == "g/ml"


def test_magnitude_and_phase_each_have_all_the_bits(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    values = np.stack([rng.uniform(0, 4000, (2, 5, 6)), rng.uniform(-np.pi, np.pi, (2, 5, 6))])
    volume = make_volume(
        values,
        affine=AFFINE,
        dims=("component", "slice", "row", "column"),
        coords={"component": ["magnitude", "phase"]},
        attrs={"Modality": "MR"},
    )
    write_series(volume, tmp_path / "new", max_error=0.04)
    again = load_volume(tmp_path / "new")
    assert list(again.component.values) == ["magnitude", "phase"]
    assert np.all(np.abs(again - values).max(("slice", "row", "column")).values < [0.04, 0.0001])
    whole = volume.copy(data=np.round(values * [[[[1]]], [[[100]]]]))
    write_series(whole, tmp_path / "whole", max_error=0)
    np.testing.assert_array_equal(load_volume(tmp_path / "whole").values, whole.values)


def test_nan_needs_a_value_and_infinities_are_refused(tmp_path: Path) -> None:
    values = np.arange(24.0).reshape(2, 3, 4)
    values[0, 1, 2] = np.nan
    with pytest.raises(DicomLabError, match=r"1 of 24 voxels are NaN.*nan="):
        write_series(small(values), tmp_path / "new")
    write_series(small(values), tmp_path / "new", nan=-5)
    assert "NaN became -5" in headers(tmp_path / "new")[0].DerivationDescription
    np.testing.assert_array_equal(load_volume(tmp_path / "new").values, np.nan_to_num(values, nan=-5))
    values[1, 1, 1] = np.inf
    with pytest.raises(DicomLabError, match="1 of 24 voxels are infinite"):
        write_series(small(values), tmp_path / "other", nan=0)
    with pytest.raises(DicomLabError, match="finite number"):
        write_series(small(values), tmp_path / "other", nan=np.nan)
    assert not (tmp_path / "other").exists()


# -- what is refused ----------------------------------------------------------------------------------------------------------


def axis(
    name: str, labels: Any, units: str | None = None, modality: str = "MR", shape: int = 2
) -> xr.DataArray:
    coords = (
        {} if labels is None else {name: (name, np.array(labels), {} if units is None else {"units": units})}
    )
    return make_volume(
        np.zeros((shape, 2, 3, 4), np.int16),
        affine=AFFINE,
        dims=(name, "slice", "row", "column"),
        coords=coords,
        attrs={"Modality": modality},
    )


REFUSED: list[tuple[Callable[[], Any], type[Exception], str]] = [
    (lambda: small(np.zeros((2, 3, 4), bool)), UnsupportedError, "mask"),
    (lambda: small(np.zeros((2, 3, 4), np.uint8), attrs={"Modality": "SEG"}), UnsupportedError, "mask"),
    (lambda: small(np.zeros((2, 3, 4), complex)), UnsupportedError, "component"),
    (lambda: small(np.zeros((2, 3, 4), "M8[s]")), UnsupportedError, "no numbers"),
    (lambda: small(np.zeros((2, 3, 4))).to_dataset(name="a"), GeometryError, "dataset\\['a'\\]"),
    (lambda: np.zeros((2, 3, 4)), GeometryError, "make_volume"),
    (lambda: small(np.zeros((2, 3, 4))).drop_vars("frame_of_reference"), GeometryError, "frame_of_reference"),
    (lambda: small(np.zeros((2, 3, 4))).pad(slice=1), GeometryError, "not finite"),
    (lambda: small(np.zeros((2, 3, 4))).isel(slice=[0, 0]), GeometryError, "lie 0 mm apart"),
    (lambda: small(np.zeros((2, 3, 4))).isel(column=[0, 1, 3]), GeometryError, "column positions are uneven"),
    (lambda: small(np.zeros((2, 3, 4))).isel(row=1), GeometryError, "only one row"),
    (lambda: small(np.zeros((2, 3, 4))).isel(slice=[]), GeometryError, "no voxel"),
    (lambda: axis("energy_window", [1, 2]), UnsupportedError, "no attribute .* 'energy_window'"),
    (lambda: axis("time", None), UnsupportedError, "no labels"),
    (lambda: axis("time", [0.0, 0.0]), UnsupportedError, "repeat"),
    (lambda: axis("time", [0.0, np.nan]), UnsupportedError, "not finite"),
    (lambda: axis("time", ["a", "b"]), UnsupportedError, "of type"),
    (lambda: axis("time", [0.0, 5.0], "min"), UnsupportedError, "are in min; s was expected"),
    (lambda: axis("b_value", [0.0, 5.0], modality="CT"), UnsupportedError, "attributes of MR"),
    (lambda: axis("component", ["magnitude", "colour"]), UnsupportedError, "component is one of"),
    (lambda: axis("temporal_position", [1.5, 2.0]), UnsupportedError, "whole number"),
]


@pytest.mark.parametrize(("make", "kind", "message"), REFUSED, ids=[message for _, _, message in REFUSED])
def test_what_no_series_can_hold_is_refused_with_the_reason(
    tmp_path: Path, make: Callable[[], Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        write_series(make(), tmp_path / "new")
    assert list(tmp_path.iterdir()) == []


def test_colour_and_images_without_a_place_are_refused(tmp_path: Path) -> None:
    (tmp_path / "flat").mkdir()
    write_pictures(tmp_path / "flat")
    with pytest.raises(UnsupportedError, match=r"this image has none: .*Imager Pixel Spacing"):
        write_series(load_volume(tmp_path / "flat" / "radiograph.dcm"), tmp_path / "new")
    colour = make_volume(
        np.zeros((2, 3, 4, 3), np.uint8), affine=AFFINE, dims=("slice", "row", "column", "sample")
    )
    with pytest.raises(UnsupportedError, match="red, green and blue"):
        write_series(colour, tmp_path / "new")


# -- the folder ---------------------------------------------------------------------------------------------------------------


def test_only_a_new_or_empty_folder_is_written_and_only_our_own_files_are_replaced(tmp_path: Path) -> None:
    volume = small(np.zeros((3, 3, 4), np.int16))
    (tmp_path / "new").mkdir()
    files = write_series(volume, tmp_path / "new")
    assert [file.name for file in files] == ["00001.dcm", "00002.dcm", "00003.dcm"]
    assert sorted((tmp_path / "new").iterdir()) == files
    with pytest.raises(DicomLabError, match="overwrite=True"):
        write_series(volume, tmp_path / "new")
    write_series(volume[:2] + 1, tmp_path / "new", overwrite=True)
    assert load_volume(tmp_path / "new").shape == (2, 3, 4)
    (tmp_path / "new" / "notes.txt").touch()
    with pytest.raises(DicomLabError, match=r"notes\.txt"):
        write_series(volume, tmp_path / "new", overwrite=True)
    with pytest.raises(DicomLabError, match="is a file"):
        write_series(volume, tmp_path / "new" / "notes.txt")
    assert [entry.name for entry in tmp_path.iterdir()] == ["new"]


def test_a_volume_may_replace_the_very_series_that_it_is_read_from(tmp_path: Path) -> None:
    write_series(load_volume(write(tmp_path / "source", datasets("CT"))), tmp_path / "new")
    lazy = open_volume(tmp_path / "new")[::-1]
    expected = lazy.values
    write_series(lazy, tmp_path / "new", source=tmp_path / "new", overwrite=True)
    np.testing.assert_array_equal(load_volume(tmp_path / "new").values, expected[::-1])


def test_when_writing_fails_the_old_folder_is_as_it_was_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = write(tmp_path / "source", datasets("CT"))
    write_series(small(np.zeros((1, 3, 4), np.int16)), tmp_path / "new")
    before = (tmp_path / "new" / "00001.dcm").read_bytes()
    lazy = open_volume(folder)
    sorted(folder.iterdir())[3].unlink()
    with pytest.raises(FaultError):
        write_series(lazy, tmp_path / "new", overwrite=True)
    assert [file.read_bytes() for file in (tmp_path / "new").iterdir()] == [before]
    with pytest.raises(FaultError):
        write_series(lazy, tmp_path / "other")
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["new", "source"]


# -- lazily -------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, {}, {"slice": 4}, {"row": 5}], ids=repr)
@pytest.mark.parametrize(("modality", "looks"), [("CT", 1), ("PT", 2)])
def test_lazy_volumes_are_read_file_by_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunks: Any, modality: str, looks: int
) -> None:
    folder = write(tmp_path / "source", datasets(modality))
    lazy = open_volume(folder, chunks=None if chunks == {"row": 5} else chunks)
    lazy = lazy.chunk(chunks) if chunks == {"row": 5} else lazy
    opened: list[str] = []
    watch_opening(monkeypatch, opened)
    write_series(lazy, tmp_path / "new", max_error=1.0)
    assert len(opened) <= looks * 6 * (3 if chunks == {"row": 5} else 1)
    again = load_volume(tmp_path / "new").values
    np.testing.assert_allclose(again, load_volume(folder).values, rtol=0, atol=0 if modality == "CT" else 0.3)


def test_chunks_across_steps_are_computed_once(tmp_path: Path) -> None:
    folder = phantom.write_kind("dynamic", tmp_path / "source").folder
    volume = load_volume(folder)
    computed: list[int] = []

    def count(block: np.ndarray) -> np.ndarray:
        computed.append(block.size)
        return block

    chunked = volume.chunk({"time": 2, "slice": 3})
    watched = chunked.copy(
        data=chunked.data.map_blocks(count, dtype=volume.dtype, meta=np.empty(0, volume.dtype))
    )
    write_series(watched, tmp_path / "new", source=folder)
    assert sum(computed) == volume.size
    np.testing.assert_array_equal(load_volume(tmp_path / "new").values, volume.values)
