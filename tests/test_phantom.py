"""The phantom's series say exactly what its truth says, and carry what SUV, windows and planes need.

The truth is checked against readers that share no code with us: SimpleITK with GDCM, and pydicom with arithmetic written here.
"""

from __future__ import annotations

import math
import warnings
from datetime import datetime

import numpy as np
import pydicom
import pytest

from dicomlab import phantom
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.phantom.grid import plan
from dicomlab.phantom.organs import LESION_CENTRE
from dicomlab.phantom.truth import CENTRE, FIELD

with warnings.catch_warnings():  # SimpleITK's SWIG wrapper warns about itself on import
    warnings.simplefilter("ignore")
    sitk = pytest.importorskip("SimpleITK")

WRITERS = {"CT": phantom.write_ct, "MR": phantom.write_mr, "PT": phantom.write_pet}
SMALL = (7, 30, 40)


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


# --- geometry and values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", WRITERS)
def test_simpleitk_reads_the_true_values_at_the_true_places(phantom_study, modality):
    series = series_of(phantom_study)[modality]
    values, affine, _ = read_by_itk(series.folder)
    np.testing.assert_allclose(affine, series.truth.affine, atol=1e-6)
    np.testing.assert_allclose(values, series.truth.values, rtol=1e-12, atol=0)


@pytest.mark.parametrize("modality", WRITERS)
def test_pydicom_reads_the_true_values_at_the_true_places(phantom_study, modality):
    series = series_of(phantom_study)[modality]
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
def test_default_series_have_unequal_rows_and_columns_in_number_and_spacing(phantom_study, modality):
    ds = pydicom.dcmread(series_of(phantom_study)[modality].files[0])
    assert ds.Rows != ds.Columns
    assert ds.PixelSpacing[0] != ds.PixelSpacing[1]


def test_ct_slices_overlap_and_mr_slices_have_gaps(phantom_study):
    for series, ratio in ((phantom_study.ct, 1.25), (phantom_study.mr, 1 / 1.2)):
        first, second = by_position(series.files)[:2]
        step = math.dist(first.ImagePositionPatient, second.ImagePositionPatient)
        assert float(first.SliceThickness) / step == pytest.approx(ratio, rel=1e-4)


def test_instance_numbers_ascend_with_position_in_ct_and_descend_in_mr_and_pet(phantom_study):
    for modality, ascending in (("CT", True), ("MR", False), ("PT", False)):
        series = series_of(phantom_study)[modality]
        numbers = [ds.InstanceNumber for ds in by_position(series.files)]
        assert numbers == sorted(numbers, reverse=not ascending)
        assert [pydicom.dcmread(f, stop_before_pixels=True).InstanceNumber for f in series.files] == sorted(
            numbers
        )


def test_ct_and_pet_share_a_frame_of_reference_that_mr_does_not(phantom_study):
    ct, mr, pet = (
        pydicom.dcmread(s.files[0]).FrameOfReferenceUID
        for s in (phantom_study.ct, phantom_study.mr, phantom_study.pet)
    )
    assert ct == pet == phantom_study.ct.truth.frame_of_reference
    assert ct != mr == phantom_study.mr.truth.frame_of_reference


def test_ct_names_its_three_windows(phantom_study):
    ds = pydicom.dcmread(phantom_study.ct.files[0])
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


def test_the_headers_of_pet_give_the_lesion_its_suv_of_eight_and_the_liver_its_two_point_two(phantom_study):
    factor = suv_factor(pydicom.dcmread(phantom_study.pet.files[0]))
    assert factor == pytest.approx(phantom_study.pet.truth.suvbw_per_bqml)
    values, _, image = read_by_itk(phantom_study.pet.folder)
    i, j, k = image.TransformPhysicalPointToIndex(LESION_CENTRE)
    assert values[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3].mean() * factor == pytest.approx(8.0, rel=0.03)
    i, j, k = image.TransformPhysicalPointToIndex((-82.0, 45.0, -61.0))
    assert values[k - 1 : k + 2, j - 2 : j + 3, i - 2 : i + 3].mean() * factor == pytest.approx(2.2, rel=0.03)


def test_every_pet_slice_has_a_slope_of_its_own_so_the_first_slope_is_wrong_for_all_others(phantom_study):
    headers = by_position(phantom_study.pet.files)
    slopes = [float(ds.RescaleSlope) for ds in headers]
    assert len(set(slopes)) == len(slopes)
    assert max(slopes) / min(slopes) > 2
    assert {float(ds.RescaleIntercept) for ds in headers} == {0.0}


def test_pet_times_and_decay_factors_agree_with_each_other(phantom_study):
    headers = by_position(phantom_study.pet.files)
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


def test_images_of_another_phantom_are_not_left_among_new_ones(tmp_path):
    phantom.write_ct(tmp_path, shape=(3, 8, 9))
    with pytest.raises(
        DicomLabError, match=r"IM00003 and 0 more\), which would be left among the 2 to be written"
    ):
        phantom.write_ct(tmp_path, shape=(2, 8, 9))
    again = phantom.write_ct(tmp_path, shape=(3, 9, 8))
    assert sorted(tmp_path.iterdir()) == list(again.files)
