"""SimpleITK's images and highdicom's volumes, out and in."""

from __future__ import annotations

import sys

import highdicom as hd
import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from exchange_support import INTEGERS, UID, check_same, geometries, numbered, volume_on
from hypothesis import given, settings
from hypothesis import strategies as st

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, Geometry, make_volume
from dicomlab.errors import GeometryError, MissingDependencyError, UnsupportedError
from dicomlab.extras.highdicom import from_highdicom, to_highdicom
from dicomlab.extras.sitk import from_sitk, matrix_of, to_sitk

AXIAL = Geometry.from_affine(
    [[0, 0, 0.8, -100], [0, 0.9, 0, -120], [5, 0, 0, 40], [0, 0, 0, 1]], (3, 4, 5), UID
)


@pytest.fixture
def ct() -> xr.DataArray:
    return volume_on(AXIAL)


def tilted(ct: xr.DataArray, lean: float) -> xr.DataArray:
    direction = ct.dicom.direction.copy()
    direction[1, 0] = lean
    return dl.make_volume(ct.values, geometry=Geometry(direction, *ct.dicom.geometry.positions, UID))


# -- SimpleITK --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(geometries(), st.integers(0, 2**32 - 1))
def test_simpleitk_places_every_point_where_the_volume_does(geometry: Geometry, seed: int) -> None:
    volume = volume_on(geometry)
    image = to_sitk(volume)
    for index in np.random.default_rng(seed).uniform(-2, 7, size=(10, 3)):
        point = image.TransformContinuousIndexToPhysicalPoint(index[::-1].tolist())
        np.testing.assert_allclose(point, geometry.lps(index), atol=1e-6)
    last = tuple(n - 1 for n in geometry.shape)
    assert image[last[::-1]] == volume.values[last]


@settings(deadline=None)
@given(geometries() | geometries(aligned=True))
def test_a_volume_comes_back_from_simpleitk(geometry: Geometry) -> None:
    volume = volume_on(geometry)
    again = from_sitk(to_sitk(volume), frame_of_reference=UID, units="HU", name="ct")
    check_same(volume, again, off=1e-6)
    assert (volume - again).shape == volume.shape
    assert (again.name, again.dicom.units, again.dtype) == ("ct", "HU", volume.dtype)


@pytest.mark.parametrize(
    "dtype", [*INTEGERS, "float16", "float32", "float64", "bool", "complex64", "complex128"]
)
def test_every_type_of_number_comes_back_from_simpleitk(dtype: str) -> None:
    volume = volume_on(AXIAL, dtype)
    again = from_sitk(to_sitk(volume))
    np.testing.assert_array_equal(again.values, volume.values)
    assert again.dtype.name == {"float16": "float32", "bool": "uint8"}.get(dtype, dtype)


def test_itk_keeps_a_sheared_direction_and_computes_wrong_volumes_with_it_so_a_tilt_is_refused(
    ct: xr.DataArray,
) -> None:
    leaning = tilted(ct, 0.5)
    with pytest.raises(GeometryError, match="rectify"):
        to_sitk(leaning)
    # Why: an image of ITK with this direction has the right places, and 12 % too much volume.
    affine = leaning.dicom.affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(affine, axis=0)
    image = sitk.GetImageFromArray(np.ones(ct.shape, np.uint8))
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine / spacing).ravel().tolist())
    image.SetOrigin(leaning.dicom.origin.tolist())
    np.testing.assert_allclose(image.TransformIndexToPhysicalPoint((4, 3, 2)), leaning.dicom.lps([2, 3, 4]))
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.Execute(image)
    true = abs(np.linalg.det(affine)) * ct.size
    assert shape.GetPhysicalSize(1) > 1.1 * true
    upright = to_sitk(leaning.dicom.rectify())
    np.testing.assert_allclose(
        upright.TransformIndexToPhysicalPoint((0, 0, 0)), leaning.dicom.rectify().dicom.origin
    )


def test_a_lean_that_is_rounding_is_kept_exactly(ct: xr.DataArray) -> None:
    leaning = tilted(ct, 1e-3)
    image = to_sitk(leaning)
    np.testing.assert_allclose(
        image.TransformIndexToPhysicalPoint((4, 3, 2)), leaning.dicom.lps([2, 3, 4]), atol=1e-9
    )
    check_same(leaning, from_sitk(image), off=1e-6)


def test_time_is_the_fourth_dimension_of_an_image() -> None:
    volume = volume_on(AXIAL, time=3).assign_coords(time=("time", [1.5, 3.5, 5.5], {"units": "s"}))
    image = to_sitk(volume)
    assert image.GetSize() == (5, 4, 3, 3)
    assert image.GetSpacing()[3] == 2
    np.testing.assert_allclose(
        image.TransformIndexToPhysicalPoint((4, 3, 2, 1)), [*volume.dicom.lps([2, 3, 4]), 3.5]
    )
    assert image[4, 3, 2, 1] == volume.values[1, 2, 3, 4]
    again = from_sitk(image, labels={"time": None})
    np.testing.assert_allclose(again.time, volume.time)
    assert again.time.attrs == volume.time.attrs
    check_same(volume, again)
    plain = from_sitk(image)
    assert plain.dims[0] == "frame"
    assert "frame" not in plain.coords


def test_numbers_that_nobody_set_are_no_labels() -> None:
    volume = volume_on(AXIAL, inversion_time=3).assign_coords(inversion_time=[50.0, 400.0, 1100.0])
    with pytest.warns(DicomLabWarning, match="labels of inversion_time"):
        image = to_sitk(volume)
    assert "inversion_time" not in from_sitk(image, labels={"inversion_time": None}).coords


def test_labels_that_form_no_series_are_told_of_and_two_further_axes_are_refused() -> None:
    volume = volume_on(AXIAL, b_value=3).assign_coords(b_value=[0, 0, 1000])
    with pytest.warns(DicomLabWarning, match="labels of b_value"):
        image = to_sitk(volume)
    assert from_sitk(image, labels={"b_value": [0, 0, 1000]}).b_value.values.tolist() == [0, 0, 1000]
    np.testing.assert_array_equal(from_sitk(image).values, volume.values)
    with pytest.raises(UnsupportedError, match="isel"):
        to_sitk(volume_on(AXIAL, b_value=2, time=2))


def test_colours_are_a_vector_image_and_come_back() -> None:
    values = numbered((3, 4, 5, 3), "uint8")
    volume = dl.make_volume(values, geometry=AXIAL, dims=("slice", "row", "column", "sample")).assign_coords(
        sample=["red", "green", "blue"]
    )
    image = to_sitk(volume)
    assert image.GetNumberOfComponentsPerPixel() == 3
    assert image[4, 2, 1] == tuple(values[1, 2, 4])
    check_same(volume, from_sitk(image))
    field = sitk.GetImageFromArray(np.zeros((3, 4, 5, 2), np.float32), isVector=True)
    assert from_sitk(field).dims == ("slice", "row", "column", "vector")


def test_images_that_are_no_volumes_are_refused(ct: xr.DataArray) -> None:
    with pytest.raises(GeometryError, match="JoinSeries"):
        from_sitk(sitk.Image(4, 4, sitk.sitkInt16))
    with pytest.raises(DicomLabError, match=r"SimpleITK\.Image was asked for"):
        from_sitk(ct)
    turned = sitk.Image([4, 4, 4, 4], sitk.sitkInt16)
    turned.SetDirection(np.eye(4)[[3, 1, 2, 0]].ravel().tolist())
    with pytest.raises(GeometryError, match="fourth axis"):
        from_sitk(turned)
    with pytest.raises(GeometryError, match="regularize"):
        to_sitk(volume_on(Geometry(AXIAL.direction, np.array([0.0, 5, 12]), AXIAL.row, AXIAL.column, UID)))


# -- highdicom --------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(geometries(), st.integers(0, 2**32 - 1))
def test_highdicom_places_every_point_where_the_volume_does(geometry: Geometry, seed: int) -> None:
    volume = volume_on(geometry)
    made = to_highdicom(volume)
    index = np.random.default_rng(seed).uniform(-2, 7, size=(10, 3))
    np.testing.assert_allclose(made.map_indices_to_reference(index), geometry.lps(index), atol=1e-6)
    assert made.spacing == pytest.approx(volume.dicom.spacing)
    assert made.frame_of_reference_uid == UID
    np.testing.assert_array_equal(made.array, volume.values)
    again = from_highdicom(made, units="HU")
    check_same(volume, again, off=1e-6)
    assert (volume - again).shape == volume.shape


def test_further_axes_and_colours_are_channels_and_come_back() -> None:
    volume = volume_on(AXIAL, b_value=3, time=2).assign_coords(b_value=[0, 0, 1000], time=[0.0, 40.5])
    made = to_highdicom(volume)
    assert made.array.shape == (3, 4, 5, 3, 2)
    assert [str(channel) for channel in made.channel_descriptors] == ["b_value", "time"]
    again = from_highdicom(made)
    assert again.dims == volume.dims
    for name in ("b_value", "time"):
        np.testing.assert_array_equal(again[name], volume[name])
    np.testing.assert_array_equal(again.values, volume.values)
    colour = dl.make_volume(
        numbered((2, 3, 4, 5, 3), "uint8"), geometry=AXIAL, dims=("time", "slice", "row", "column", "sample")
    )
    again = from_highdicom(to_highdicom(colour))
    assert again.sample.values.tolist() == ["red", "green", "blue"]
    np.testing.assert_array_equal(again.values, colour.values)
    segments = hd.Volume(
        np.zeros((3, 4, 5, 2), bool), AXIAL.affine, "PATIENT", UID, {"SegmentNumber": [1, 7]}
    )
    masks = from_highdicom(segments)
    assert to_highdicom(masks).channel_descriptors == segments.channel_descriptors
    with pytest.raises(UnsupportedError, match="rename"):
        to_highdicom(masks.assign_coords(SegmentNumber=["a", "b"]))
    days = volume_on(AXIAL, day=2).assign_coords(day=np.array(["2026-01-01", "2026-01-02"], "M8[D]"))
    with pytest.warns(DicomLabWarning, match="labels of day"):
        assert from_highdicom(to_highdicom(days)).day.values.tolist() == [0, 1]
    assert (masks.dims[0], masks.SegmentNumber.values.tolist(), masks.dtype) == (
        "SegmentNumber",
        [1, 7],
        bool,
    )


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64", "bool"])
def test_every_type_of_number_is_the_same_in_highdicom(dtype: str) -> None:
    volume = volume_on(AXIAL, dtype)
    again = from_highdicom(to_highdicom(volume))
    assert again.dtype == volume.dtype
    np.testing.assert_array_equal(again.values, volume.values)


def test_what_highdicom_does_not_hold_is_refused(ct: xr.DataArray) -> None:
    for lean in (0.5, 2e-4):
        with pytest.raises(GeometryError, match="rectify"):
            to_highdicom(tilted(ct, lean))
    to_highdicom(tilted(ct, 8e-5))
    with pytest.raises(UnsupportedError, match="complex64"):
        to_highdicom(ct.astype(np.complex64))
    with pytest.raises(GeometryError, match="slide"):
        from_highdicom(hd.Volume(np.zeros((1, 4, 5)), np.eye(4), "SLIDE"))
    with pytest.raises(DicomLabError, match=r"highdicom\.Volume was asked for"):
        from_highdicom(ct)


def test_a_frame_of_reference_that_nobody_knows_stays_unknown(ct: xr.DataArray) -> None:
    made = to_highdicom(dl.make_volume(ct.values, affine=ct.dicom.affine))
    assert made.frame_of_reference_uid is None
    assert from_highdicom(made).dicom.frame_of_reference.startswith("unknown:")
    assert from_highdicom(made, frame_of_reference=UID).dicom.frame_of_reference == UID
    with pytest.raises(GeometryError, match="different places"):
        from_highdicom(to_highdicom(ct), frame_of_reference="1.2.3")


# -- the doorway ------------------------------------------------------------------------------------------------------


def test_the_accessor_gives_what_the_functions_give(ct: xr.DataArray) -> None:
    assert ct.dicom.to_sitk().GetOrigin() == to_sitk(ct).GetOrigin()
    np.testing.assert_array_equal(ct.dicom.to_highdicom().affine, ct.dicom.affine)
    np.testing.assert_array_equal(ct.dicom.to_nibabel().affine, ct.dicom.affine_ras)


@pytest.mark.parametrize(
    ("package", "extra", "verb", "arguments"),
    [
        ("SimpleITK", "sitk", "to_sitk", ()),
        ("nibabel", "nifti", "to_nibabel", ()),
        ("highdicom", "seg", "to_highdicom", ()),
        ("nibabel", "nifti", "save_nifti", ("x.nii",)),
        ("nrrd", "nrrd", "save_nrrd", ("x.nrrd",)),
        ("zarr", "zarr", "save_ome_zarr", ("x.zarr",)),
    ],
)
def test_a_library_that_is_missing_is_named_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch,
    ct: xr.DataArray,
    package: str,
    extra: str,
    verb: str,
    arguments: tuple[str, ...],
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingDependencyError, match=rf"pip install 'dicomlab\[{extra}\]'"):
        getattr(ct.dicom, verb)(*arguments)


@pytest.mark.parametrize(
    "transform",
    [
        sitk.TranslationTransform(3, (3.0, -2.0, 7.5)),
        sitk.Euler3DTransform((10.0, 20.0, -30.0), 0.2, -0.1, 0.4, (1.0, 2.0, 3.0)),
        sitk.CompositeTransform(
            [sitk.TranslationTransform(3, (1.0, 2.0, 3.0)), sitk.Similarity3DTransform(1.3, (0, 0, 1), 0.3)]
        ),
    ],
    ids=lambda one: one.GetName(),
)
def test_a_registration_of_itk_brings_a_volume_where_itk_brings_its_image(transform: sitk.Transform) -> None:
    rng = np.random.default_rng(0)
    place = np.diag([2.0, 1.1, 0.9, 1.0])[[2, 1, 0, 3]]
    moving = make_volume(rng.normal(size=(12, 20, 22)), affine=place, frame_of_reference="1.2.3")
    fixed = make_volume(np.zeros((10, 18, 20)), affine=place, frame_of_reference="1.2.4")
    expected = sitk.GetArrayFromImage(
        sitk.Resample(moving.dicom.to_sitk(), fixed.dicom.to_sitk(), transform, sitk.sitkLinear, float("nan"))
    )
    moved = moving.dicom.transform(matrix_of(transform), to=fixed)
    found = moved.dicom.resample_like(fixed, antialias=False).values
    both = ~(np.isnan(found) | np.isnan(expected))
    assert both.mean() > 0.1
    np.testing.assert_allclose(found[both], expected[both], rtol=0, atol=1e-6)
    # ITK ends at the border with a tolerance of its own.
    assert (np.isnan(found) ^ np.isnan(expected)).mean() < 0.01


def test_what_is_no_matrix_is_no_registration_here() -> None:
    bent = sitk.BSplineTransform(3)
    with pytest.raises(GeometryError, match=r"bends: no matrix.*like="):
        matrix_of(bent)
    with pytest.raises(DicomLabError, match="3 dimensions"):
        matrix_of(sitk.Euler2DTransform())
    with pytest.raises(DicomLabError, match="found list"):
        matrix_of([1, 2])  # type: ignore[arg-type]
    volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    with pytest.raises(GeometryError, match="matrix_of"):
        volume.dicom.transform(sitk.Euler3DTransform(), to="1.2.4")


def test_like_gives_what_an_image_forgets() -> None:
    attrs = {"Modality": "CT", "WindowCenter": [40.0], "WindowWidth": [400.0], "findings": "odd"}
    place = np.diag([2.0, 1.1, 0.9, 1.0])[[2, 1, 0, 3]]
    ct = make_volume(
        np.zeros((5, 6, 7)), affine=place, frame_of_reference="1.2.3", units="HU", name="ct", attrs=attrs
    )
    image = sitk.SmoothingRecursiveGaussian(ct.dicom.to_sitk(), 1.0)
    smooth = from_sitk(image, like=ct)
    assert (smooth + ct).shape == ct.shape
    assert smooth.name == "ct"
    assert smooth.dicom.units == "HU"
    assert smooth.dicom.windows == ct.dicom.windows
    assert "findings" not in smooth.attrs
    other = from_sitk(image, like=ct, units="HU/mm", name="slope", frame_of_reference="1.2.4")
    assert (other.dicom.units, other.name, other.dicom.windows) == ("HU/mm", "slope", ())
    assert other.dicom.frame_of_reference == "1.2.4"
    with pytest.raises(DicomLabError, match="like= takes a volume"):
        from_sitk(image, frame_of_reference=ct)  # type: ignore[arg-type]
