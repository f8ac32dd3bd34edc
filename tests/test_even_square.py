"""regularize() and rectify() against functions known at every place, ITK, and what the slices themselves hold."""

from __future__ import annotations

import re
import warnings
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage
from scipy.spatial.transform import Rotation
from support import shared_data

from dicomlab import DicomLabError, DicomLabWarning, Geometry, load_volume, make_volume
from dicomlab.errors import GeometryError
from dicomlab.frames import FrameIndex
from dicomlab.indexes import AxisIndex
from dicomlab.phantom import body

UID = "1.2.826.0.1.3680043.8.498.1"
SLOPE = np.array([0.7, -1.3, 2.1])


def points(geometry: Geometry) -> np.ndarray:
    """LPS mm of every voxel by the rule of the house, shape (slices, rows, columns, 3)."""
    grid = np.stack(np.meshgrid(*geometry.positions, indexing="ij"), -1)
    return grid @ geometry.direction.T


def linear(geometry: Geometry) -> np.ndarray:
    return points(geometry) @ SLOPE + 5.0


def grid(
    along: list[float] | np.ndarray,
    *,
    shear: tuple[float, float] = (0.0, 0.0),
    shape: tuple[int, int] = (9, 8),
    spacing: tuple[float, float] = (1.0, 1.0),
) -> Geometry:
    """An axial grid; `shear` is in mm down and across for each mm along."""
    direction = np.eye(3)[:, ::-1].copy()
    direction[:, 0] += direction[:, 1] * shear[0] + direction[:, 2] * shear[1]
    down, across = (step * np.arange(n) - 7.0 for step, n in zip(spacing, shape, strict=True))
    return Geometry(direction, np.asarray(along, dtype=float), down, across, UID)


def between(source: Geometry, target: Geometry, away: float = -1e-4) -> np.ndarray:
    """Which voxels of `target` lie between pixels of `source`, `away` pixels from the outer centres."""
    inside = source.index(points(target))[..., 1:]
    last = np.array(source.shape[1:]) - 1
    return ((inside > away) & (inside < last - away)).all(-1)


@st.composite
def geometries(draw: st.DrawFn) -> Geometry:
    """Any orientation, tilted or not, uneven slices, axes that rise or fall."""
    rotation = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True)
    direction = rotation.as_matrix()
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    lean = st.sampled_from([0.0, 0.25, -0.4, 0.1234])
    direction[:, 0] += direction[:, 1] * draw(lean) + direction[:, 2] * draw(lean)
    gaps = draw(hnp.arrays(float, draw(st.integers(2, 6)), elements=st.floats(0.5, 8.0)))
    along = draw(st.floats(-50, 50)) + np.cumsum(gaps)
    plane = [
        draw(st.floats(-50, 50)) + draw(st.sampled_from([0.5, 1.0, 1.7])) * np.arange(draw(st.integers(3, 7)))
        for _ in range(2)
    ]
    axes = [x[:: draw(st.sampled_from([1, -1]))] for x in (along, *plane)]
    return Geometry(direction, *axes, frame_of_reference=UID)


# -- laws -------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(geometries())
def test_what_is_linear_in_the_patient_is_the_same_function_after_regularize(geometry: Geometry) -> None:
    volume = make_volume(linear(geometry), geometry=geometry)
    even = volume.dicom.regularize()
    assert even.dicom.is_uniform
    assert even.slice.values[[0, -1]] == pytest.approx(geometry.slice[[0, -1]], abs=1e-9)
    # A slice within the tolerance of a place of the grid keeps its values, so it is off by what the place is off.
    step = abs(even.slice.values[1] - even.slice.values[0])
    off = max(0.01, 0.01 * step) * float(np.abs(SLOPE @ geometry.direction[:, 0]))
    np.testing.assert_allclose(even.values, linear(even.dicom.geometry), atol=off + 1e-9)
    nearest = np.abs(np.subtract.outer(even.slice.values, geometry.slice))
    far = nearest.min(axis=1) > max(0.01, 0.01 * step)
    np.testing.assert_allclose(even.values[far], linear(even.dicom.geometry)[far], atol=1e-9)
    for k in np.flatnonzero(~far):
        np.testing.assert_array_equal(even.values[k], volume.values[nearest[k].argmin()])


@settings(deadline=None)
@given(geometries())
def test_what_is_linear_in_the_patient_is_the_same_function_after_rectify(geometry: Geometry) -> None:
    square = make_volume(linear(geometry), geometry=geometry).dicom.rectify()
    new = square.dicom.geometry
    assert new.tilt < 1e-6
    np.testing.assert_array_equal(new.slice, geometry.slice)
    assert new.spacing[1:] == pytest.approx(geometry.spacing[1:])
    where = points(new)
    known = ~np.isnan(square.values)
    # A voxel has a value where, and only where, its slice has a pixel: half a one beyond the outer centres it ends.
    inside = geometry.index(where)[..., 1:]
    last = np.array(geometry.shape[1:]) - 1
    sure = between(geometry, new)
    np.testing.assert_allclose(square.values[sure], linear(new)[sure], atol=1e-3)
    assert known[((inside > -0.5 + 1e-4) & (inside < last + 0.5 - 1e-4)).all(-1)].all()
    assert not known[((inside < -0.5 - 1e-4) | (inside > last + 0.5 + 1e-4)).any(-1)].any()
    # Nothing is cut off: every old voxel lies within the new grid.
    reached = new.index(points(geometry))
    assert (reached > -1e-4).all()
    assert (reached < np.array(new.shape) - 1 + 1e-4).all()


@settings(deadline=None)
@given(geometries(), st.sets(st.sampled_from(["slice", "row", "column"])), st.sampled_from([0, 1, 3]))
def test_turning_an_axis_around_before_or_after_is_the_same(
    geometry: Geometry, turned: set[str], order: int
) -> None:
    values = np.random.default_rng(1).normal(size=geometry.shape)
    volume = make_volume(values, geometry=geometry)
    turn = {name: slice(None, None, -1) for name in turned}
    for make in ("regularize", "rectify"):
        after = getattr(volume.dicom, make)(order=order).isel(turn)
        before = getattr(volume.isel(turn).dicom, make)(order=order)
        np.testing.assert_array_equal(before.values, after.values)
        xr.testing.assert_allclose(before, after)


@settings(deadline=None)
@given(geometries())
def test_nearest_takes_values_from_half_a_step_away_at_most(geometry: Geometry) -> None:
    # Each voxel holds its own number, so a value says where it was taken from.
    numbers = np.arange(np.prod(geometry.shape), dtype=np.int32).reshape(geometry.shape)
    volume = make_volume(numbers, geometry=geometry)
    square = volume.dicom.rectify(order=0, fill=-1)
    if geometry.tilt > 1e-3:
        assert square.dtype == np.int32
        held = square.values >= 0
        taken = np.stack(np.unravel_index(square.values[held], geometry.shape), -1)
        assert np.abs(geometry.index(points(square.dicom.geometry)[held]) - taken).max() <= 0.5 + 1e-4
        # In one plane, no pixel is lost.
        assert np.array_equal(np.unique(square.values[held]), numbers.ravel())
    even = volume.dicom.regularize(order=0)
    assert even.dtype == np.int32
    slices = even.values[:, 0, 0] // (geometry.shape[1] * geometry.shape[2])
    distance = np.abs(np.subtract.outer(even.slice.values, geometry.slice))
    np.testing.assert_allclose(
        distance[np.arange(slices.size), slices], distance.min(axis=1), rtol=0, atol=0.021
    )


# -- known functions and other opinions -------------------------------------------------------------------------------


def test_a_smooth_function_is_met_within_the_error_of_linear_interpolation() -> None:
    wave = 2 * np.pi / np.array([60.0, 45.0, 80.0])

    def smooth(geometry: Geometry) -> np.ndarray:
        return np.sin(points(geometry) @ wave)

    geometry = grid([0, 3, 6, 12, 14, 17], shear=(0.3, 0.1), shape=(40, 30), spacing=(1.2, 0.9))
    volume = make_volume(smooth(geometry), geometry=geometry)
    square = volume.dicom.rectify()
    known = between(geometry, square.dicom.geometry)
    assert known.mean() > 0.7
    assert not np.isnan(square.values[known]).any()
    # h2 / 8 of the second derivative along each axis
    bound = ((1.2 * wave[1]) ** 2 + (0.9 * wave[0]) ** 2) / 8
    assert np.abs(square.values - smooth(square.dicom.geometry))[known].max() < bound
    even = volume.dicom.regularize(spacing=2.0)
    axis = geometry.direction[:, 0]
    assert np.abs(even.values - smooth(even.dicom.geometry)).max() < (6 * (axis @ wave)) ** 2 / 8
    both = square.dicom.regularize()
    known = between(geometry, both.dicom.geometry, away=2)  # as far as slices lean from one to the next
    assert np.abs(both.values - smooth(both.dicom.geometry))[known].max() < bound + (6 * wave[2]) ** 2 / 8


def test_a_tilted_scan_of_the_phantom_body_is_upright_after_rectify() -> None:
    geometry = grid(np.arange(-60, 60, 12.0), shear=(0.33, 0.0), shape=(180, 210), spacing=(1.3, 1.3))
    geometry = Geometry(
        geometry.direction,
        geometry.slice,
        geometry.row - 110,
        geometry.column - 130,
        geometry.frame_of_reference,
    )
    scan = make_volume(np.round(body.hu(points(geometry))).astype(np.int16), geometry=geometry, units="HU")
    square = scan.dicom.rectify()
    truth = body.hu(points(square.dicom.geometry))
    known = ~np.isnan(square.values)
    error = np.abs(square.values - truth)[known]
    assert np.median(error) < 1
    assert error.mean() < 9
    # The bare array, taken for upright, is elsewhere: this is what the bound above means.
    upright = Geometry(square.dicom.direction, geometry.slice, geometry.row, geometry.column, UID)
    assert np.abs(scan.values - body.hu(points(upright))).mean() > 50


def itk_image(volume: xr.DataArray) -> sitk.Image:
    """The volume for ITK, which counts (column, row, slice) and takes a sheared direction matrix as it is."""
    image = sitk.GetImageFromArray(volume.values.astype(np.float64))
    affine = volume.dicom.affine[:3, [2, 1, 0, 3]]
    spacing = np.linalg.norm(affine[:, :3], axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((affine[:, :3] / spacing).ravel().tolist())
    image.SetOrigin(affine[:, 3].tolist())
    return image


def test_itk_resamples_a_tilted_volume_to_the_same_values() -> None:
    geometry = grid(np.arange(6) * 2.5, shear=(0.31, -0.17), shape=(30, 26), spacing=(0.8, 1.1))
    volume = make_volume(np.random.default_rng(2).normal(size=geometry.shape), geometry=geometry)
    square = volume.dicom.rectify()
    theirs = sitk.Resample(itk_image(volume), itk_image(square), sitk.Transform(3, sitk.sitkIdentity))
    known = ~np.isnan(square.values)
    assert known.mean() > 0.6
    np.testing.assert_allclose(square.values[known], sitk.GetArrayFromImage(theirs)[known], atol=1e-6)


@pytest.fixture(scope="module")
def tilted_head() -> xr.DataArray:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)  # tilted and uneven, as it should be
        return load_volume(shared_data() / "ct-tilt-ge-variable")


def test_itk_agrees_about_a_real_tilted_head_slice_by_slice(tilted_head: xr.DataArray) -> None:
    # Its slices are uneven, so ITK gets each one as an image of its own, two equal planes thick.
    square = tilted_head.dicom.rectify()
    assert square.dicom.tilt < 1e-6
    assert square.dtype == np.float32
    for k in (0, 9, 14, 27):
        geometry = tilted_head.isel(slice=[k]).dicom.geometry
        image = sitk.GetImageFromArray(tilted_head.values[[k, k]].astype(np.float64))
        new = square.isel(slice=[k]).dicom.geometry
        target = sitk.Image(*new.shape[::-1], sitk.sitkFloat64)
        for one, where in ((image, geometry), (target, new)):
            c, r = where.direction[:, 1], where.direction[:, 2]
            one.SetDirection(np.stack([r, c, np.cross(r, c)], axis=1).ravel().tolist())
            one.SetSpacing((where.spacing[2], where.spacing[1], 1.0))
            one.SetOrigin(where.lps([0, 0, 0]).tolist())
        theirs = sitk.GetArrayFromImage(sitk.Resample(image, target, sitk.Transform(3, sitk.sitkIdentity)))[0]
        known = ~np.isnan(square.values[k])
        assert known.mean() > 0.8
        np.testing.assert_allclose(square.values[k][known], theirs[known], atol=1e-3)


def test_the_real_tilted_head_becomes_a_volume_with_an_affine(tilted_head: xr.DataArray) -> None:
    with pytest.raises(GeometryError, match=re.escape("volume.dicom.regularize()")):
        _ = tilted_head.dicom.affine
    even = tilted_head.dicom.rectify().dicom.regularize()
    step, down, across = (np.linalg.norm(even.dicom.affine[:3, k]) for k in range(3))
    assert (down, across) == pytest.approx(tilted_head.dicom.spacing[1:])
    assert step == pytest.approx(4.0, abs=0.01)  # the median of the gaps
    first, last = tilted_head.slice.values[[0, -1]]
    assert even.slice.values[[0, -1]] == pytest.approx([first, last])
    # The lowest slice was moved by neither.
    rows = np.flatnonzero(~np.isnan(even.values[0]).all(axis=1))
    np.testing.assert_array_equal(even.values[0][rows], tilted_head.values[0])
    said = even.attrs["resampled"].splitlines()
    assert said[0].startswith(
        "rectify: slices tilted by 18.50 degrees moved within their planes by up to 48.2"
    )
    assert said[1].startswith(
        "regularize: 37 slices 4.002 mm apart, from 28 of 1.081 to 6.999 mm apart; 21 of them"
    )
    assert "resampled" in even.dicom._repr_html_()
    assert "gantry_tilt" in even.attrs["findings"]


def test_a_missing_slice_of_a_real_series_is_filled_in_the_way_that_is_asked_for() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        gap = load_volume(shared_data() / "mr-dicom2nifti-a" / "fail_sliceincrement1")
    there = [0, 1, 2, 4]
    ways = {"linear": {}, "nearest": {"order": 0}, "blank": {"missing": "blank"}}
    for method, dtype in (("linear", np.float64), ("nearest", np.int32), ("blank", np.float64)):
        even = gap.dicom.regularize(**ways[method])
        assert even.dtype == dtype
        assert even.dicom.spacing[0] == pytest.approx(5.0, abs=1e-5)
        np.testing.assert_array_equal(even.values[there], gap.values)
        assert "at slice = 33.11 mm" in even.attrs["resampled"]
        made = even.values[3]
        if method == "linear":
            np.testing.assert_allclose(made, gap.values[2:].mean(axis=0), rtol=1e-6)
        elif method == "nearest":
            assert any(np.array_equal(made, gap.values[k]) for k in (2, 3))
        else:
            assert np.isnan(made).all()
    filled = gap.dicom.regularize(missing="blank", fill=-7)
    assert filled.dtype == gap.dtype
    assert (filled.values[3] == -7).all()


def test_cubic_slices_meet_a_polynomial_of_the_patient_however_uneven_they_lie() -> None:
    geometry = grid([0.0, 1, 3, 3.5, 6, 7, 10, 11], shear=(0.2, 0.0))

    def cubic(z: np.ndarray) -> np.ndarray:
        return (0.02 * z**3 - 0.3 * z**2 + z)[:, None, None] * np.ones((9, 8))

    volume = make_volume(cubic(geometry.slice), geometry=geometry)
    even = volume.dicom.regularize(order=3, spacing=0.25)
    np.testing.assert_allclose(even.values, cubic(even.slice.values), atol=1e-9)
    for few in (2, 3):  # through two slices a line, through three a parabola
        part = make_volume(
            geometry.slice[:few, None, None] ** (few - 1) * np.ones((few, 9, 8)),
            geometry=geometry.__class__(
                geometry.direction, geometry.slice[:few], geometry.row, geometry.column, UID
            ),
        )
        made = part.dicom.regularize(order=3, spacing=0.25)
        np.testing.assert_allclose(made.values[:, 0, 0], made.slice.values ** (few - 1), atol=1e-9)


def test_a_tilted_stack_is_rectified_as_scipy_shifts_its_planes() -> None:
    geometry = grid([0, 2, 6], shear=(0.37, -0.21))
    values = np.random.default_rng(4).normal(size=geometry.shape)
    volume = make_volume(values, geometry=geometry)
    for order in (0, 1, 3):
        square = volume.dicom.rectify(order=order)
        inside = geometry.index(points(square.dicom.geometry))
        expected = ndimage.map_coordinates(values, np.moveaxis(inside, -1, 0), order=order, mode="mirror")
        sure = ((inside[..., 1:] > 0) & (inside[..., 1:] < np.array(geometry.shape[1:]) - 1)).all(-1)
        np.testing.assert_allclose(square.values[sure], expected[sure], atol=1e-6)
        lowest = square.values[0, :9, -8:]
        np.testing.assert_allclose(lowest, values[0], rtol=0, atol=1e-14 if order == 3 else 0)


# -- which grid -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("along", "step", "count"),
    [
        ([0, 2, 4, 10], 2.0, 6),  # slices are missing
        ([0, 2, 5, 8], 1.0, 9),  # 2 and 3 mm have 1 mm in common
        ([0, 5.0, 10.1, 15.1, 25.0], 5.0, 6),  # positions rounded to tenths
        ([0, 3, 6, 9, 9.001, 12], 3.0, 5),  # two that nearly coincide do not make a thousand
        ([0, 4, 8, 12, 19, 26.3], 26.3 / 7, 8),  # nothing in common: the median of the gaps, ends met
    ],
)
def test_the_step_chosen_keeps_every_slice_where_it_can(along: list[float], step: float, count: int) -> None:
    geometry = grid(along)
    even = make_volume(linear(geometry), geometry=geometry).dicom.regularize()
    assert even.sizes["slice"] == count
    np.testing.assert_allclose(np.diff(even.slice), step)


def test_a_spacing_is_measured_along_the_slice_axis_and_what_it_leaves_out_is_said() -> None:
    geometry = grid([0, 3, 6, 12, 13], shear=(0.75, 0.0))  # 1.25 mm along the axis for each mm of height
    volume = make_volume(linear(geometry), geometry=geometry)
    even = volume.dicom.regularize(spacing=2.5)
    assert even.dicom.spacing[0] == pytest.approx(2.5)
    np.testing.assert_allclose(even.slice, np.arange(0, 13, 2.0))
    assert "the last 1 mm" in even.attrs["resampled"]
    np.testing.assert_array_equal(even.sel(slice=6).values, volume.sel(slice=6).values)
    finer = even.dicom.regularize(spacing=1.25)
    np.testing.assert_allclose(finer.values, linear(finer.dicom.geometry), atol=1e-9)


def test_what_is_even_or_upright_comes_back_itself() -> None:
    volume = make_volume(np.zeros((4, 9, 8)), geometry=grid([0, 2, 4, 6]))
    assert volume.dicom.regularize() is volume
    assert volume.dicom.regularize(spacing=2) is volume
    assert volume.dicom.rectify() is volume
    lone = volume.isel(slice=[1])
    assert lone.dicom.regularize() is lone


def test_shifts_by_whole_pixels_copy_integers() -> None:
    geometry = grid([0, 2, 6], shear=(1.0, -0.5))
    values = np.random.default_rng(3).integers(-1000, 1000, geometry.shape).astype(np.int16)
    square = make_volume(values, geometry=geometry).dicom.rectify(fill=-2000)
    assert square.dtype == np.int16
    assert square.shape == (3, 15, 11)
    for k, (down, across) in enumerate([(0, 3), (2, 2), (6, 0)]):
        field = np.full((15, 11), -2000)
        field[down : down + 9, across : across + 8] = values[k]
        np.testing.assert_array_equal(square.values[k], field)


def test_a_tilted_slice_cut_from_its_volume_is_rectified_to_the_same_place() -> None:
    geometry = grid([0, 2, 6], shear=(0.37, 0.0))
    volume = make_volume(linear(geometry), geometry=geometry)
    square = volume.isel(slice=[1]).dicom.rectify()
    assert square.dicom.tilt == 0
    np.testing.assert_allclose(square.values, linear(square.dicom.geometry))


# -- values and company -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "made"),
    [
        ("int16", "float32"),
        ("uint16", "float32"),
        ("int32", "float64"),
        ("float32", "float32"),
        ("complex64", "complex64"),
    ],
)
def test_linear_never_rounds_and_nearest_never_changes_the_dtype(dtype: str, made: str) -> None:
    geometry = grid([0, 1, 3], shear=(0.3, 0.0))
    values = np.arange(np.prod(geometry.shape)).reshape(geometry.shape).astype(dtype)
    volume = make_volume(values, geometry=geometry)
    assert volume.dicom.regularize().dtype == made
    assert volume.dicom.rectify().dtype == made
    assert volume.dicom.regularize(order=0).dtype == dtype
    assert volume.dicom.rectify(order=0, fill=0).dtype == dtype
    np.testing.assert_allclose(volume.dicom.regularize().values[2], (values[1].astype(made) + values[2]) / 2)


def test_masks_are_copied_and_never_interpolated() -> None:
    geometry = grid([0, 1, 3], shear=(0.3, 0.0))
    mask = make_volume(points(geometry)[..., 1] > 0, geometry=geometry)
    for make in (mask.dicom.regularize, mask.dicom.rectify):
        with pytest.raises(DicomLabError, match="order=0 takes the nearest"):
            make(order=1)
        for labels in (None, "nearest", "linear"):
            assert make(labels=labels).dtype == bool
    square = mask.dicom.rectify(order=0)
    where = points(square.dicom.geometry)
    inside = np.abs(geometry.index(where)[..., 1:] - [4, 3.5]) <= [4, 3.5]
    sure = inside.all(-1) & (np.abs(where[..., 1]) > 0.5)
    np.testing.assert_array_equal(square.values[sure], where[sure][:, 1] > 0)
    assert not square.values[(geometry.index(where)[..., 1] > 8.5)].any()
    exact = mask.dicom.regularize(missing="blank")
    assert exact.dtype == bool
    assert not exact.values[2].any()


def test_a_fill_that_the_values_cannot_hold_is_refused() -> None:
    geometry = grid([0, 1, 3], shear=(1.0, 0.0))
    volume = make_volume(np.ones(geometry.shape, np.int16), geometry=geometry)
    for fill in (0.5, 70000, np.inf):
        with pytest.raises(DicomLabError, match="no int16 value"):
            volume.dicom.rectify(fill=fill)
    assert volume.dicom.rectify(fill=np.nan).dtype == np.float32
    days = volume.copy(data=volume.values.astype("datetime64[s]"))
    with pytest.raises(DicomLabError, match="no NaN among datetime64"):
        days.dicom.regularize(missing="blank")
    assert volume.dicom.rectify().isnull().any()


def test_unknown_values_stay_where_they_are() -> None:
    geometry = grid([0, 1, 2, 4], shape=(3, 3))
    values = linear(geometry)
    values[1, 1, 1] = np.nan
    values[2, 0, 0], values[3, 0, 0] = np.inf, -np.inf
    even = make_volume(values, geometry=geometry).dicom.regularize()
    assert np.argwhere(np.isnan(even.values)).tolist() == [[1, 1, 1], [3, 0, 0]]


def test_other_axes_order_names_and_coordinates_are_kept() -> None:
    geometry = grid([0, 1, 3, 4], shear=(0.3, 0.2))
    frames = [make_volume(linear(geometry) * t, geometry=geometry, units="HU", name="ct") for t in (1, 2)]
    series = xr.concat(frames, xr.Variable("time", [0.5, 1.5], {"units": "s"})).transpose(
        "row", "time", "column", "slice"
    )
    series = series.assign_coords(thickness=("slice", [1.0, 2, 3, 4]), scanner="A", dose=("time", [3, 4]))
    for result, gone in ((series.dicom.regularize(), {"thickness"}), (series.dicom.rectify(), set())):
        assert result.dims == series.dims
        assert result.name == "ct"
        assert result.dicom.units == "HU"
        assert set(series.coords) - set(result.coords) == gone
        assert result.time.attrs == {"units": "s"}
        assert isinstance(result.xindexes["slice"], AxisIndex)
        assert isinstance(result.xindexes["frame_of_reference"], FrameIndex)
        for t in (0, 1):
            frame = result.isel(time=t).transpose("slice", "row", "column")
            known = between(geometry, result.dicom.geometry)
            np.testing.assert_allclose(
                frame.values[known], ((t + 1) * linear(result.dicom.geometry))[known], atol=1e-9
            )
    assert series.dicom.rectify().thickness.values.tolist() == [1, 2, 3, 4]


@pytest.mark.parametrize("name", ["regularize", "rectify"])
@pytest.mark.parametrize("how", [{}, {"order": 0}, {"order": 3}, {"missing": "blank"}])
def test_dask_stays_lazy_and_reads_the_slices_it_needs(name: str, how: dict[str, Any]) -> None:
    if name == "rectify":
        how = {} if "missing" in how else how
    geometry = grid([0, 1, 3, 4], shear=(0.3, 0.2))
    values = np.stack([linear(geometry), -linear(geometry)]).astype(np.float32)
    values[:, 0, 0, 0] = np.inf
    read: list[int] = []

    def slice_of(k: int) -> np.ndarray:
        read.append(k)
        return values[:, k]

    planes = [da.from_delayed(dask.delayed(slice_of)(k), (2, 9, 8), np.float32) for k in range(4)]
    lazy = xr.concat([make_volume(v, geometry=geometry) for v in values], "time")
    eager = lazy.copy()
    lazy = lazy.copy(data=da.stack(planes, axis=1).rechunk({2: 4, 3: 5}))
    result = getattr(lazy.dicom, name)(**how)
    assert isinstance(result.data, da.Array)
    assert read == []
    xr.testing.assert_identical(result.compute(scheduler="synchronous"), getattr(eager.dicom, name)(**how))
    read.clear()
    last = result.isel(slice=-1).compute(scheduler="synchronous")
    assert set(read) == {3}
    assert last.dtype == np.float32


# -- refusals ---------------------------------------------------------------------------------------------------------


def test_what_cannot_be_made_even_is_refused_with_the_reason() -> None:
    def volume(along: list[float], **options: object) -> xr.DataArray:
        geometry = grid(along, **options)  # type: ignore[arg-type]
        return make_volume(np.zeros(geometry.shape), geometry=geometry)

    with pytest.raises(GeometryError, match=r"a step of 0.001 mm over 1000 mm would make 1000001 slices"):
        volume([0, 0.001, 1000]).dicom.regularize()
    with pytest.raises(GeometryError, match=r"a step of 1e-07 mm over 2 mm"):
        volume([0, 1, 2]).dicom.regularize(spacing=1e-7)
    with pytest.raises(
        GeometryError, match=r"slices do not follow one another: 1.000 mm is followed by 1.000"
    ):
        volume([0, 1, 1, 2.5]).dicom.regularize()
    with pytest.raises(GeometryError, match=r"2.000 mm is followed by 1.000"):
        volume([0, 2, 1, 5]).dicom.regularize()
    with pytest.raises(GeometryError, match="more than the 3 mm"):
        volume([0, 1, 3]).dicom.regularize(spacing=5)
    with pytest.raises(
        GeometryError, match=r"1 of 4 slices .the first at 1.500. have no place on a grid of 1 mm"
    ):
        volume([0, 1.5, 3, 4]).dicom.regularize(spacing=1, missing="blank")
    with pytest.raises(GeometryError, match="a single slice"):
        volume([0]).dicom.regularize(spacing=1)
    for spacing in (0, -1, np.nan, np.inf):
        with pytest.raises(GeometryError, match="spacing is the distance"):
            volume([0, 1, 3]).dicom.regularize(spacing=spacing)
    with pytest.raises(DicomLabError, match=r"order=2 is unknown"):
        volume([0, 1, 3]).dicom.regularize(order=2)
    with pytest.raises(DicomLabError, match=r"missing='skip' is unknown.*'blank'"):
        volume([0, 1, 3]).dicom.regularize(missing="skip")
    with pytest.raises(DicomLabError, match="nothing for order= or labels= to say"):
        volume([0, 1, 3]).dicom.regularize(missing="blank", order=1)
    with pytest.raises(GeometryError, match=re.escape("isel(slice=[k])")):
        volume([0, 1, 3]).isel(slice=0).dicom.regularize()
    with pytest.raises(GeometryError, match="with voxels along"):
        volume([0, 1, 3]).isel(slice=[]).dicom.rectify()


def test_a_new_grid_of_many_gigabytes_is_refused_before_it_is_made() -> None:
    # One voxel that pretends to be many: nothing of this size is in memory.
    geometry = grid([0, 1, 2, 4], shape=(1000, 1000))
    volume = make_volume(np.broadcast_to(np.float32(0), geometry.shape), geometry=geometry)
    with pytest.raises(
        GeometryError, match=r"a step of 0.001 mm would make 4001 x 1000 x 1000 voxels, 14.9 GiB"
    ):
        volume.dicom.regularize(spacing=0.001)
    steep = grid([0, 1, 2, 4], shape=(1000, 1000), shear=(5e5, 0.0))
    volume = make_volume(np.broadcast_to(np.float32(0), steep.shape), geometry=steep)
    with pytest.raises(GeometryError, match=r"by up to 2e\+06 mm would make 4 x 2001000"):
        volume.dicom.rectify()


def test_rows_that_cannot_be_moved_are_refused_by_name() -> None:
    geometry = grid([0, 1, 3], shear=(0.3, 0.0))
    volume = make_volume(linear(geometry), geometry=geometry)
    with pytest.raises(GeometryError, match="tilted along row, where this volume has one voxel"):
        volume.isel(row=[2]).dicom.rectify()
    with pytest.raises(GeometryError, match="moves slices along row, whose positions are uneven"):
        volume.isel(row=[0, 1, 4]).dicom.rectify()
    # Columns are not moved here: whatever they are, they stay.
    picked = volume.isel(column=[0, 1, 4])
    np.testing.assert_array_equal(
        picked.dicom.rectify().values, volume.dicom.rectify().isel(column=[0, 1, 4]).values
    )
