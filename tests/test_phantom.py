"""The phantom: its files are valid DICOM, and say exactly what its truth says.

The truth is checked against readers that share no code with us (SimpleITK with GDCM, dciodvfy) and against formulas
written out again here.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import os
import shutil
import subprocess
import sys
import warnings
from datetime import datetime
from pathlib import Path

import numpy as np
import pydicom
import pytest

from dicomlab import phantom
from dicomlab.errors import GeometryError
from dicomlab.phantom.grid import plan
from dicomlab.phantom.organs import LESION_CENTRE, LESION_RADII, NODULE_CENTRE, NODULE_RADIUS
from dicomlab.phantom.truth import CENTRE, FIELD, noise

with warnings.catch_warnings():  # SimpleITK's SWIG wrapper warns about itself on import
    warnings.simplefilter("ignore")
    sitk = pytest.importorskip("SimpleITK")

WRITERS = {"CT": phantom.write_ct, "MR": phantom.write_mr, "PT": phantom.write_pet}
SMALL = (7, 30, 40)


@pytest.fixture(scope="session")
def study(tmp_path_factory):
    return phantom.write_study(tmp_path_factory.mktemp("phantom"))


def series_of(study):
    return {"CT": study.ct, "MR": study.mr, "PT": study.pet}


def read_by_itk(folder):
    """Return values (slice, row, column), and the affine from that index to LPS mm, as SimpleITK sees a folder."""
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    image = reader.Execute()
    affine = np.eye(4)
    directions = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, :3] = directions[:, ::-1]  # ITK's index is (column, row, slice)
    affine[:3, 3] = image.GetOrigin()
    return sitk.GetArrayFromImage(image), affine, image


def by_position(files):
    """Return headers sorted along the normal that their own orientation gives."""
    headers = [pydicom.dcmread(file) for file in files]
    r, c = np.array(headers[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    return sorted(headers, key=lambda ds: np.cross(r, c) @ np.array(ds.ImagePositionPatient, dtype=float))


def ml(truth, name):
    return truth.masks[name].sum() * abs(np.linalg.det(truth.affine[:3, :3])) / 1000


def lps(truth, k):
    """Return LPS mm of the voxels of slice `k`."""
    rows, columns = np.meshgrid(*(np.arange(n) for n in truth.values.shape[1:]), indexing="ij")
    index = np.stack([np.full_like(rows, k), rows, columns], axis=-1)
    return index @ truth.affine[:3, :3].T + truth.affine[:3, 3]


# --- files ---------------------------------------------------------------------------------------------------------


def complaints(file):
    found = subprocess.run(["dciodvfy", str(file)], capture_output=True, text=True, check=False)
    said = found.stderr + found.stdout
    assert "Image" in said, f"dciodvfy did not recognise {file}: {said}"
    return [line for line in said.splitlines() if line.startswith("Error")]


needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the DICOM validity of the phantom is NOT checked",
)


@needs_dciodvfy
@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("modality", WRITERS)
def test_dciodvfy_finds_no_error_in_any_file_of_a_small_series(tmp_path, modality, syntax):
    series = WRITERS[modality](tmp_path, shape=SMALL, transfer_syntax=syntax)
    assert {str(file): complaints(file) for file in series.files} == {str(file): [] for file in series.files}


@needs_dciodvfy
@pytest.mark.parametrize("orientation", ["sagittal", "coronal", "oblique"])
def test_dciodvfy_finds_no_error_in_other_planes(tmp_path, orientation):
    for writer in WRITERS.values():
        series = writer(tmp_path, shape=(1, 8, 9), orientation=orientation)
        assert complaints(series.files[0]) == []


@needs_dciodvfy
@pytest.mark.parametrize("modality", WRITERS)
def test_dciodvfy_finds_no_error_in_the_default_study(study, modality):
    for file in series_of(study)[modality].files[::6]:
        assert complaints(file) == []


def test_dciodvfy_is_a_judge_that_can_say_no(tmp_path):
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (package dicom3tools) is not on PATH")
    series = phantom.write_ct(tmp_path, shape=(1, 8, 9))
    ds = pydicom.dcmread(series.files[0])
    del ds.RescaleSlope
    ds.save_as(series.files[0])
    assert complaints(series.files[0])


def hashes(folder):
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("modality", WRITERS)
def test_writing_twice_gives_the_same_bytes(tmp_path, modality):
    for name in "ab":
        WRITERS[modality](tmp_path / name, shape=SMALL)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_another_process_with_another_hash_seed_writes_the_same_bytes(tmp_path):
    phantom.write_pet(tmp_path / "a", shape=SMALL)
    code = f"from dicomlab import phantom; phantom.write_pet({str(tmp_path / 'b')!r}, shape={SMALL})"
    here = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONHASHSEED": "4711", "PYTHONPATH": str(here)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment, cwd=tmp_path)
    assert hashes(tmp_path / "a") == hashes(tmp_path / "b")


def test_both_transfer_syntaxes_hold_the_same_data(tmp_path):
    explicit = phantom.write_ct(tmp_path / "e", shape=SMALL)
    implicit = phantom.write_ct(tmp_path / "i", shape=SMALL, transfer_syntax="implicit")
    for a, b in zip(explicit.files, implicit.files, strict=True):
        one, two = pydicom.dcmread(a), pydicom.dcmread(b)
        assert one.file_meta.TransferSyntaxUID == pydicom.uid.ExplicitVRLittleEndian
        assert two.file_meta.TransferSyntaxUID == pydicom.uid.ImplicitVRLittleEndian
        assert (one.SOPInstanceUID, one.PixelData) == (two.SOPInstanceUID, two.PixelData)


def test_no_two_instances_share_a_uid_even_across_planes(tmp_path):
    files = []
    for k, (writer, orientation) in enumerate(itertools.product(WRITERS.values(), phantom.ORIENTATIONS)):
        files += writer(tmp_path / str(k), shape=(3, 8, 9), orientation=orientation).files
    headers = [pydicom.dcmread(file, stop_before_pixels=True) for file in files]
    assert len({ds.SOPInstanceUID for ds in headers}) == len(files)
    assert len({ds.SeriesInstanceUID for ds in headers}) == 12
    assert len({ds.StudyInstanceUID for ds in headers}) == 1


def test_the_study_fits_twenty_megabytes(study):
    assert sum(file.stat().st_size for s in series_of(study).values() for file in s.files) < 20e6


# --- geometry and values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", WRITERS)
def test_simpleitk_reads_the_true_values_at_the_true_places(study, modality):
    series = series_of(study)[modality]
    values, affine, _ = read_by_itk(series.folder)
    np.testing.assert_allclose(affine, series.truth.affine, atol=1e-6)
    np.testing.assert_allclose(values, series.truth.values, rtol=1e-12, atol=0)


@pytest.mark.parametrize("modality", WRITERS)
def test_pydicom_reads_the_true_values_at_the_true_places(study, modality):
    series = series_of(study)[modality]
    headers = by_position(series.files)
    for k, ds in enumerate(headers):
        found = ds.pixel_array * float(ds.get("RescaleSlope", 1)) + float(ds.get("RescaleIntercept", 0))
        np.testing.assert_array_equal(found, series.truth.values[k])
        np.testing.assert_allclose(
            ds.ImagePositionPatient, series.truth.affine[:3, 3] + k * series.truth.affine[:3, 0]
        )
    r = series.truth.affine[:3, 2] / headers[0].PixelSpacing[1]
    c = series.truth.affine[:3, 1] / headers[0].PixelSpacing[0]
    np.testing.assert_allclose([*r, *c], headers[0].ImageOrientationPatient, atol=1e-9)


@pytest.mark.parametrize("orientation", [*phantom.ORIENTATIONS, (0.0, 0.8, 0.6, 1.0, 0.0, 0.0)])
def test_in_every_plane_simpleitk_finds_lesion_stomach_gas_and_outside_air_where_they_are(
    tmp_path, orientation
):
    series = phantom.write_ct(tmp_path, shape=(28, 40, 46), orientation=orientation)
    values, affine, image = read_by_itk(tmp_path)
    np.testing.assert_allclose(affine, series.truth.affine, atol=1e-6)
    np.testing.assert_array_equal(values, series.truth.values)
    for point, hu in ((LESION_CENTRE, 20), ((62.0, -48.0, -68.0), -1000), ((0.0, -140.0, -18.0), -1000)):
        i, j, k = image.TransformPhysicalPointToIndex(point)
        assert values[k, j, i] == pytest.approx(hu, abs=45)


def test_the_oblique_orientation_is_doubly_oblique():
    cosines = np.array(phantom.ORIENTATIONS["oblique"]).reshape(2, 3)
    assert np.all(np.abs([*cosines, np.cross(*cosines)]) > 0.02)


@pytest.mark.parametrize("orientation", phantom.ORIENTATIONS)
@pytest.mark.parametrize(
    "shape", [(80, 240, 272), (10, 14, 17), (10, 20, 21), (5, 32, 32), (4, 33, 41), (9, 21, 20)]
)
def test_pixels_are_never_square(shape, orientation):
    down, along = (float(v) for v in plan(shape, orientation, FIELD, CENTRE).spacing)
    assert abs(down / along - 1) > 0.015


@pytest.mark.parametrize("modality", WRITERS)
def test_default_series_have_unequal_rows_and_columns_in_number_and_spacing(study, modality):
    ds = pydicom.dcmread(series_of(study)[modality].files[0])
    assert ds.Rows != ds.Columns
    assert ds.PixelSpacing[0] != ds.PixelSpacing[1]


def test_ct_slices_overlap_and_mr_slices_have_gaps(study):
    for series, ratio in ((study.ct, 1.25), (study.mr, 1 / 1.2)):
        first, second = by_position(series.files)[:2]
        step = math.dist(first.ImagePositionPatient, second.ImagePositionPatient)
        assert float(first.SliceThickness) / step == pytest.approx(ratio, rel=1e-4)


def test_instance_numbers_ascend_with_position_in_ct_and_descend_in_mr_and_pet(study):
    for modality, ascending in (("CT", True), ("MR", False), ("PT", False)):
        series = series_of(study)[modality]
        numbers = [ds.InstanceNumber for ds in by_position(series.files)]
        assert numbers == sorted(numbers, reverse=not ascending)
        assert [pydicom.dcmread(f, stop_before_pixels=True).InstanceNumber for f in series.files] == sorted(
            numbers
        )


def test_ct_and_pet_share_a_frame_of_reference_that_mr_does_not(study):
    ct, mr, pet = (pydicom.dcmread(s.files[0]).FrameOfReferenceUID for s in (study.ct, study.mr, study.pet))
    assert ct == pet == study.ct.truth.frame_of_reference
    assert ct != mr == study.mr.truth.frame_of_reference


def test_ct_names_its_three_windows(study):
    ds = pydicom.dcmread(study.ct.files[0])
    assert list(ds.WindowCenter) == [50, -600, 400]
    assert list(ds.WindowWidth) == [400, 1500, 1800]
    assert list(ds.WindowCenterWidthExplanation) == ["SOFT TISSUE", "LUNG", "BONE"]


# --- PET -----------------------------------------------------------------------------------------------------------


def suv_factor(ds):
    """Return SUVbw per Bq/ml, worked out from the header alone."""
    tracer = ds.RadiopharmaceuticalInformationSequence[0]
    assert (ds.Units, ds.DecayCorrection) == ("BQML", "START")
    assert "DECY" in ds.CorrectedImage
    assert tracer.RadiopharmaceuticalStartDateTime.endswith(tracer.RadiopharmaceuticalStartTime)
    injected = datetime.strptime(tracer.RadiopharmaceuticalStartDateTime, "%Y%m%d%H%M%S")
    start = datetime.strptime(ds.SeriesDate + ds.SeriesTime, "%Y%m%d%H%M%S")
    halves = (start - injected).total_seconds() / float(tracer.RadionuclideHalfLife)
    return float(ds.PatientWeight) * 1000 / (float(tracer.RadionuclideTotalDose) * 0.5**halves)


def test_the_headers_of_pet_give_the_lesion_its_suv_of_eight_and_the_liver_its_two_point_two(study):
    factor = suv_factor(pydicom.dcmread(study.pet.files[0]))
    assert factor == pytest.approx(study.pet.truth.suvbw_per_bqml)
    values, _, image = read_by_itk(study.pet.folder)
    i, j, k = image.TransformPhysicalPointToIndex(LESION_CENTRE)
    assert values[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3].mean() * factor == pytest.approx(8.0, rel=0.03)
    i, j, k = image.TransformPhysicalPointToIndex((-82.0, 45.0, -61.0))
    assert values[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3].mean() * factor == pytest.approx(2.2, rel=0.03)


def test_every_pet_slice_has_a_slope_of_its_own_so_the_first_slope_is_wrong_for_all_others(study):
    headers = by_position(study.pet.files)
    slopes = [float(ds.RescaleSlope) for ds in headers]
    assert len(set(slopes)) == len(slopes)
    assert max(slopes) / min(slopes) > 2
    assert {float(ds.RescaleIntercept) for ds in headers} == {0.0}


def test_pet_times_and_decay_factors_agree_with_each_other(study):
    headers = by_position(study.pet.files)
    start = datetime.strptime(headers[0].SeriesDate + headers[0].SeriesTime, "%Y%m%d%H%M%S")
    for ds in headers:
        begin = datetime.strptime(ds.AcquisitionDate + ds.AcquisitionTime, "%Y%m%d%H%M%S")
        offset, length = (begin - start).total_seconds(), float(ds.ActualFrameDuration) / 1000
        rate = math.log(2) / 6586.2
        # mean activity over the frame, by brute force
        mean = np.exp(-rate * (offset + (np.arange(20000) + 0.5) / 20000 * length)).mean()
        assert float(ds.DecayFactor) == pytest.approx(1 / mean, rel=1e-7)
        assert math.exp(-rate * float(ds.FrameReferenceTime) / 1000) == pytest.approx(mean, rel=1e-7)
    assert min(ds.AcquisitionTime for ds in headers) == headers[0].SeriesTime
    assert len({ds.AcquisitionTime for ds in headers}) == 3
    assert {ds.NumberOfSlices for ds in headers} == {len(headers)}


# --- the body ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", WRITERS)
def test_masks_of_lesion_and_nodule_hold_exactly_the_voxels_whose_centres_satisfy_the_formula(
    study, modality
):
    truth = series_of(study)[modality].truth
    for k in range(len(truth.values)):
        points = lps(truth, k)
        lesion = (((points - LESION_CENTRE) / LESION_RADII) ** 2).sum(axis=-1) <= 1
        nodule = ((points - NODULE_CENTRE) ** 2).sum(axis=-1) <= NODULE_RADIUS**2
        np.testing.assert_array_equal(truth.masks["lesion"][k], lesion)
        np.testing.assert_array_equal(truth.masks["nodule"][k], nodule)


def test_mask_volumes_come_to_the_analytic_millilitres(study):
    for series, tolerance in ((study.ct, 0.01), (study.mr, 0.02), (study.pet, 0.02)):
        assert series.truth.volumes_ml["lesion"] == pytest.approx(4 / 3 * math.pi * 20 * 16 * 18 / 1000)
        assert ml(series.truth, "lesion") == pytest.approx(series.truth.volumes_ml["lesion"], rel=tolerance)
    assert ml(study.ct.truth, "nodule") == pytest.approx(4 / 3 * math.pi * 7**3 / 1000, rel=0.05)


def test_organs_have_the_size_of_a_grown_up(study):
    for name, low, high in (("liver", 1200, 2000), ("lung_right", 1400, 2800), ("lung_left", 1200, 2600)):
        assert low < ml(study.ct.truth, name) < high
    for name, low, high in (
        ("heart", 400, 800),
        ("spleen", 80, 300),
        ("kidneys", 180, 400),
        ("aorta", 80, 250),
    ):
        assert low < ml(study.ct.truth, name) < high


@pytest.mark.parametrize(
    ("name", "radii", "holder"),
    [("lesion", LESION_RADII, "liver"), ("nodule", (NODULE_RADIUS,) * 3, "lung_left")],
)
def test_lesion_and_nodule_lie_wholly_inside_their_organ(name, radii, holder):
    angle, height = np.meshgrid(np.linspace(0, 2 * np.pi, 40), np.linspace(-1, 1, 21))
    ring = np.sqrt(1 - height**2)
    sphere = np.stack([ring * np.cos(angle), ring * np.sin(angle), height], axis=-1)
    centre = LESION_CENTRE if name == "lesion" else NODULE_CENTRE
    assert phantom.body.inside(centre + 0.999 * sphere * radii, name).all()
    assert not phantom.body.inside(centre + 1.001 * sphere * radii, name).any()
    assert phantom.body.inside(centre + 1.3 * sphere * radii, holder).all()


def test_left_and_right_head_and_foot_front_and_back_are_told_apart_by_the_organs(study):
    truth = study.ct.truth
    centre = {}
    for name, mask in truth.masks.items():
        middle = [
            np.average(np.arange(n), weights=mask.sum(axis=tuple({0, 1, 2} - {i})))
            for i, n in enumerate(mask.shape)
        ]
        centre[name] = (truth.affine @ [*middle, 1])[:3]
    left, back, head = 0, 1, 2
    assert centre["heart"][left] > 10
    assert centre["liver"][left] < -40
    assert centre["spleen"][left] > 60
    assert centre["stomach_air"][left] > 30
    assert centre["stomach_air"][back] < centre["stomach"][back] - 10
    assert centre["lung_right"][left] < 0 < centre["lung_left"][left]
    assert (
        centre["lung_right"][head] > centre["heart"][head] > centre["liver"][head] > centre["kidneys"][head]
    )
    assert centre["kidneys"][back] > 30
    spine = phantom.body.hu([[0, 52, 0], [0, 0, 0]])
    assert spine[0] > 200 > spine[1]


@pytest.mark.parametrize(
    ("point", "hu", "t1", "suv"),
    [
        ((0, -140, 0), -1000, 4, 0),  # air in front of the patient
        (LESION_CENTRE, 20, 240, 8),
        (NODULE_CENTRE, 30, 320, 5),
        ((-82, 45, -61), 60, 430, 2.2),  # liver
        ((27, 39, 20), 180, 110, 1.6),  # descending aorta
        ((0, 76, 0), 42, 300, 1.6),  # spinal cord
        ((0, 14, 120), -1000, 6, 0.05),  # windpipe
        ((160, 0, 0), -100, 900, 0.25),  # fat of the left flank
    ],
)
def test_known_places_have_known_values(point, hu, t1, suv):
    assert phantom.body.hu(point) == pytest.approx(hu)
    assert phantom.body.t1(point) == pytest.approx(t1)
    assert phantom.body.suv(point) == pytest.approx(suv)


def test_lungs_are_between_minus_850_and_minus_700_and_denser_at_the_back(study):
    truth = study.ct.truth
    lung = truth.masks["lung_right"]
    assert -860 < np.median(truth.values[lung]) < -760
    front, back = phantom.body.hu([[-70, -60, 60], [-70, 60, 60]])
    assert -860 < front < back - 20 < -720


def test_noise_has_the_strength_that_is_promised(study):
    ct = study.ct.truth
    difference = (ct.values - ct.noise_free)[ct.masks["liver"]]
    assert difference.std() == pytest.approx(9, rel=0.03)
    assert difference.mean() == pytest.approx(0, abs=0.1)
    mr = study.mr.truth
    assert (mr.values - mr.noise_free)[mr.masks["liver"]].std() == pytest.approx(12, rel=0.03)


def test_the_noise_generator_is_the_same_in_every_numpy():
    known = [1.0765059432051927, 1.6493280440848288, -1.8701158926936912, 1.5563508294085089]
    np.testing.assert_allclose(noise((1, 4), 1, 0)[0], known, rtol=1e-12)


def test_a_smaller_series_shows_the_same_body(study, tmp_path):
    small = phantom.write_ct(tmp_path, shape=(40, 60, 68)).truth
    for name in ("liver", "lung_left", "heart", "bone", "body"):
        assert ml(small, name) == pytest.approx(ml(study.ct.truth, name), rel=0.03)


@pytest.mark.parametrize("edge", [1.5, 6.0])
@pytest.mark.parametrize("orientation", ["axial", "oblique"])
def test_skipping_far_parts_of_the_body_changes_no_value(monkeypatch, orientation, edge):
    points = plan((16, 60, 70), orientation, FIELD, CENTRE).points(10)
    values, labels = phantom.body.sample(points, edge=edge)
    parts, middle, half = phantom.body._boxes()
    monkeypatch.setattr(phantom.body, "_boxes", lambda: (parts, middle, np.full_like(half, 1e6)))
    everything, same = phantom.body.sample(points, edge=edge)
    np.testing.assert_allclose(values, everything, atol=1e-9)
    np.testing.assert_array_equal(labels, same)


def test_points_of_any_shape_can_be_asked():
    points = np.array([LESION_CENTRE, NODULE_CENTRE, (0.0, -140.0, 0.0)])
    expected = [20.0, 30.0, -1000.0]
    np.testing.assert_allclose(phantom.body.hu(points), expected)
    np.testing.assert_allclose(phantom.body.hu(points[:, None, None]), np.reshape(expected, (3, 1, 1)))
    assert phantom.body.hu(points[0]).shape == ()


def test_a_sharp_edge_and_a_soft_edge_agree_away_from_surfaces():
    points = np.stack(np.meshgrid(np.arange(-160, 160, 7.0), np.arange(-110, 110, 7.0), [30.0]), axis=-1)[
        :, :, 0
    ]
    soft, labels = phantom.body.sample(points)
    sharp, same = phantom.body.sample(points, edge=0.0)
    np.testing.assert_array_equal(labels, same)
    assert np.mean(soft == sharp) > 0.6
    assert np.mean(soft == sharp) < 1


# --- truth and refusals --------------------------------------------------------------------------------------------


def test_the_truth_is_a_volume_with_the_same_places(tmp_path):
    truth = phantom.write_mr(tmp_path, shape=SMALL).truth
    volume = truth.volume
    assert volume.dims == ("slice", "row", "column")
    np.testing.assert_array_equal(volume.values, truth.values)
    direction = np.reshape(volume.frame_of_reference.attrs["direction"], (3, 3))
    corner = direction @ [volume.slice[3], volume.row[5], volume.column[7]]
    np.testing.assert_allclose(corner, (truth.affine @ [3, 5, 7, 1])[:3], atol=1e-9)
    volume[0, 0, 0] = 4000
    assert truth.values[0, 0, 0] != 4000


def test_a_truth_cannot_be_changed_by_accident(tmp_path):
    truth = phantom.write_ct(tmp_path, shape=SMALL).truth
    with pytest.raises(ValueError, match="read-only"):
        truth.values[0, 0, 0] = 0
    with pytest.raises(ValueError, match="read-only"):
        truth.masks["lesion"][0, 0, 0] = True


@pytest.mark.parametrize("orientation", ["transverse", (1, 0, 0, 1, 0, 0), (1, 0, 0), (2, 0, 0, 0, 1, 0)])
def test_an_impossible_orientation_is_refused(tmp_path, orientation):
    with pytest.raises(GeometryError, match=r"cosines"):
        phantom.write_ct(tmp_path, shape=SMALL, orientation=orientation)


def test_an_impossible_shape_or_transfer_syntax_is_refused(tmp_path):
    with pytest.raises(GeometryError, match="slices, rows, columns"):
        phantom.write_ct(tmp_path, shape=(0, 8, 9))
    with pytest.raises(ValueError, match="explicit"):
        phantom.write_ct(tmp_path, shape=(1, 8, 9), transfer_syntax="big endian")
