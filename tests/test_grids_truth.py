"""New grids against ITK, scipy and functions known at every place."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from pydicom import dcmread
from scipy import ndimage
from scipy.spatial.transform import Rotation
from support import shared_data

from benchmarks import reslicing
from dicomlab import DicomLabWarning, Geometry, load_volume, make_volume
from dicomlab.regrid import compiled

UID = "1.2.826.0.1.3680043.8.498.2"
INTERPOLATORS = {0: sitk.sitkNearestNeighbor, 1: sitk.sitkLinear, 3: sitk.sitkBSpline}


def oblique(rng: np.random.Generator, shape: tuple[int, int, int], center: np.ndarray) -> Geometry:
    """A grid of any orientation and spacing around a point."""
    affine = np.eye(4)
    rotation = Rotation.random(random_state=int(rng.integers(1 << 30))).as_matrix()
    affine[:3, :3] = rotation * rng.uniform(0.7, 2.5, 3)
    affine[:3, 3] = center - affine[:3, :3] @ (np.array(shape) - 1) / 2
    return Geometry.from_affine(affine, shape, UID)


def frame(geometry: Geometry) -> tuple[list[float], list[float], list[float]]:
    """Origin, spacing, direction for ITK, which counts column, row, slice."""
    matrix = geometry.affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(matrix, axis=0)
    return geometry.origin.tolist(), spacing.tolist(), (matrix / spacing).ravel().tolist()


def itk(volume: xr.DataArray, target: Geometry, order: int) -> np.ndarray:
    """ITK's values on a grid, NaN outside."""
    images = [
        sitk.GetImageFromArray(volume.values.astype(np.float64)),
        sitk.Image(*target.shape[::-1], sitk.sitkFloat64),
    ]
    for image, geometry in zip(images, (volume.dicom.geometry, target), strict=True):
        origin, spacing, direction = frame(geometry)
        image.SetOrigin(origin)
        image.SetSpacing(spacing)
        image.SetDirection(direction)
    nothing = sitk.Transform(3, sitk.sitkIdentity)
    made = sitk.Resample(images[0], images[1], nothing, INTERPOLATORS[order], float("nan"), sitk.sitkFloat64)
    return sitk.GetArrayFromImage(made)


def random_volume(rng: np.random.Generator, dtype: str) -> xr.DataArray:
    shape = tuple(int(n) for n in rng.integers(12, 30, 3))
    values = ndimage.gaussian_filter(rng.normal(size=shape), 0.7) * 2000
    geometry = oblique(rng, shape, rng.uniform(-100, 100, 3))
    return make_volume(values.astype(dtype), geometry=geometry)


@pytest.mark.parametrize("seed", range(30))
def test_itk_makes_the_same_values_on_any_grid(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volume = random_volume(rng, "int16" if seed % 2 else "float32")
    size = float(np.ptp(volume.values))
    center = volume.dicom.lps((np.array(volume.shape) - 1) / 2)
    target = oblique(rng, (14, 17, 19), center + rng.uniform(-4, 4, 3))
    for order in (1, 0, 3):
        theirs = itk(volume, target, order)
        ours = volume.dicom.resample_like(target, order=order, antialias=False, engine="numpy")
        assert ours.dtype == np.float32
        # The border is a matter of rounding: there one may have a value and the other none.
        index = volume.dicom.index(target.lps(np.moveaxis(np.indices(target.shape), 0, -1)))
        border = np.min(np.abs(np.stack([index + 0.5, index - np.array(volume.shape) + 0.5])), axis=(0, -1))
        clear = border > 1e-4
        np.testing.assert_array_equal(np.isnan(ours.values)[clear], np.isnan(theirs)[clear])
        known = ~np.isnan(ours.values) & ~np.isnan(theirs) & clear
        assert known.sum() > 300
        difference = np.abs(ours.values - theirs)[known]
        if order == 0:
            # Half way between two voxels either is the nearest.
            assert (difference > 0).mean() < 1e-3
        elif order == 1:
            assert difference.max() < 1e-6 * size
        else:
            # Between the outer centres and the border ITK lets the curve go on, where here the outer value holds.
            inner = ((index >= 0) & (index <= np.array(volume.shape) - 1)).all(-1)[known]
            assert difference[inner].max() < 1e-5 * size


@pytest.mark.skipif(not compiled.available(), reason="numba is not installed: compiled code was not compared")
@pytest.mark.parametrize("seed", range(6))
def test_compiled_code_makes_the_values_of_plain_code(seed: int) -> None:
    rng = np.random.default_rng(seed)
    volume = random_volume(rng, ["float32", "int16", "float64"][seed % 3])
    if seed > 2:
        volume = volume.astype(float).where(volume > volume.min() + 300)
    target = oblique(rng, (14, 17, 19), volume.dicom.lps((np.array(volume.shape) - 1) / 2))
    plain, fast = (volume.dicom.resample_like(target, engine=engine) for engine in ("numpy", "numba"))
    assert plain.dtype == fast.dtype
    assert np.isnan(plain.values).any()
    np.testing.assert_array_equal(np.isnan(plain.values), np.isnan(fast.values))
    np.testing.assert_allclose(
        fast.values, plain.values, atol=1e-6 * float(np.nanmax(np.abs(plain.values))), rtol=0
    )


def test_the_sums_that_are_compiled_make_the_values_of_plain_code_uncompiled() -> None:
    # So that they are compared where numba is missing, too.
    rng = np.random.default_rng(3)
    volume = random_volume(rng, "float32")[:6, :6, :6]
    target = oblique(rng, (5, 6, 7), volume.dicom.lps([2.5, 4.5, 2.5]))
    from dicomlab.regrid.places import Places

    places = Places.between(volume.dicom.geometry, target)
    out = np.empty(target.shape, np.float32)
    for plane in range(5):
        compiled._trilinear(
            volume.values, (0, 0, 0), volume.shape, places.terms, np.float32(-5000), out, plane, 0, 6
        )
    plain = volume.dicom.resample_like(target, fill=-5000, antialias=False, engine="numpy").values
    assert (plain == -5000).any()
    np.testing.assert_allclose(out, plain, atol=1e-3)


WAVES = 2 * np.pi / np.array([70.0, 90.0, 80.0])


def smooth(geometry: Geometry) -> np.ndarray:
    """A function of the patient: waves of 70, 90 and 80 mm along x, y, z; range 4."""
    where = geometry.lps(np.moveaxis(np.indices(geometry.shape), 0, -1))
    return np.sin(where @ WAVES) + np.cos(where[..., 2] * WAVES[2]) * np.sin(where[..., 0] * WAVES[0] + 1)


def awkward(*, even: bool = False) -> xr.DataArray:
    """A source with all that makes a place hard to find: tilted, uneven, oblique, turned around, cropped."""
    direction = Rotation.from_euler("xyz", [20, -35, 10], degrees=True).as_matrix()
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    direction[:, 0] += 0.3 * direction[:, 1] - 0.1 * direction[:, 2]
    rng = np.random.default_rng(0)
    along = np.cumsum([0.65] * 90 if even else rng.choice([0.5, 0.6, 0.8], 90))
    geometry = Geometry(direction, along - 30, 0.5 * np.arange(110) - 30, 0.55 * np.arange(100) - 25, UID)
    whole = make_volume(smooth(geometry), geometry=geometry)
    return whole.isel(slice=slice(80, 4, -1), row=slice(None, None, -1), column=slice(3, 95))


@pytest.mark.parametrize(("order", "bound"), [(1, 2.5e-3), (3, 1e-6)])
@pytest.mark.parametrize("even", [False, True])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_smooth_function_is_met_on_a_regular_grid(
    order: int, bound: float, even: bool, chunked: bool
) -> None:
    # What linear interpolation leaves is h2 / 8 of the second derivative along each axis; the waves add up to one of 45 mm, the
    # voxels are up to 0.8 mm. Cubic splines leave far less, also through uneven slices. A place that is wrong by a hundredth of
    # a voxel would be 1e-3. The edge of the source, where splines do not know how the function goes on, is far.
    source = awkward(even=even)
    middle = source.dicom.lps((np.array(source.shape) - 1) / 2)
    affine = np.diag([0.7, 0.7, 0.7, 1.0])[:, [2, 1, 0, 3]]
    affine[:3, 3] = middle - 0.7 * 9.5
    target = Geometry.from_affine(affine, (20, 20, 20), UID)
    source = source.chunk({"slice": 20, "row": 50}) if chunked else source
    made = source.dicom.resample_like(target, order=order, antialias=False)
    assert made.dtype == np.float64
    assert not np.isnan(made.values).any()
    error = np.abs(made.values - smooth(target))
    assert error.max() < bound * 4


def test_waves_long_enough_are_met_by_linear_interpolation_within_a_ten_thousandth() -> None:
    # 250 mm: (2 pi 0.8 / 250)^2 / 8 along each axis is 5e-5 of the amplitude, which is half of the range.
    source = awkward()
    wave = 2 * np.pi / 250
    where = source.dicom.lps(np.moveaxis(np.indices(source.shape), 0, -1))
    source = source.copy(data=np.sin(where @ [0.6 * wave, -0.64 * wave, 0.48 * wave]))
    middle = source.dicom.lps((np.array(source.shape) - 1) / 2)
    affine = np.diag([0.7, 0.7, 0.7, 1.0])[:, [2, 1, 0, 3]]
    affine[:3, 3] = middle - 0.7 * 9.5
    target = Geometry.from_affine(affine, (20, 20, 20), UID)
    made = source.dicom.resample_like(target, antialias=False)
    truth = np.sin(
        target.lps(np.moveaxis(np.indices((20,) * 3), 0, -1)) @ [0.6 * wave, -0.64 * wave, 0.48 * wave]
    )
    assert np.abs(made.values - truth).max() < 2e-4


def test_points_anywhere_have_the_values_that_scipy_finds() -> None:
    rng = np.random.default_rng(5)
    volume = random_volume(rng, "float64")
    index = rng.uniform(0, np.array(volume.shape) - 1, (4, 50, 3))
    points = volume.dicom.lps(index)
    for order in (0, 1, 3):
        theirs = ndimage.map_coordinates(volume.values, np.moveaxis(index, -1, 0), order=order, mode="mirror")
        made = volume.dicom.interp(points, order=order)
        assert made.dims == ("point_0", "point_1")
        np.testing.assert_allclose(made.values, theirs, atol=1e-6 * float(np.ptp(volume.values)))
        np.testing.assert_allclose(np.stack([made.x, made.y, made.z], -1), points)


def test_the_benchmark_runs_and_all_that_it_measures_agree() -> None:
    times, differences = reslicing.measure(reslicing.peers(*reslicing.make(24, "int16")), 1)
    assert {"dicomlab, numpy", "scipy affine_transform", "scipy map_coordinates", "SimpleITK"} <= set(times)
    assert max(differences.values()) < 0.01


def test_a_tilted_uneven_series_of_a_real_scanner_has_the_values_between_its_images() -> None:
    """What lies between two images, computed from their own headers by nothing but the rules of PS3.3 C.7.6.2.1.1."""
    folder = shared_data() / "ct-tilt-ge-variable"
    images = sorted(map(dcmread, folder.rglob("*.dcm")), key=lambda one: float(one.ImagePositionPatient[2]))
    r, c = np.array(images[0].ImageOrientationPatient, dtype=float).reshape(2, 3)
    n = np.cross(r, c)
    corners = np.array([one.ImagePositionPatient for one in images], dtype=float)
    heights = corners @ n
    pixels = [one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept) for one in images]
    down, across = map(float, images[0].PixelSpacing)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        volume = load_volume(folder)
    assert volume.dicom.tilt > 18
    assert not volume.dicom.is_uniform
    rng = np.random.default_rng(0)
    middle = corners.mean(axis=0) + (r * images[0].Columns * across + c * images[0].Rows * down) / 2
    points = middle + rng.uniform(-80, 80, (4000, 3))
    above = np.searchsorted(heights, points @ n)
    inside = (above > 0) & (above < len(images))
    points, above = points[inside], above[inside]
    assert len(points) > 1000

    expected = np.empty(len(points))
    for number, (point, k) in enumerate(zip(points, above, strict=True)):
        share = (point @ n - heights[k - 1]) / (heights[k] - heights[k - 1])
        corner = corners[k - 1] + share * (corners[k] - corners[k - 1])
        place = [[(point - corner) @ c / down], [(point - corner) @ r / across]]
        low, high = (ndimage.map_coordinates(pixels[m], place, order=1)[0] for m in (k - 1, k))
        expected[number] = low + share * (high - low)
    span = float(np.ptp(expected))
    np.testing.assert_allclose(volume.dicom.interp(points).values, expected, rtol=0, atol=1e-5 * span)

    # The same on a plane askew to all axes, and on an upright grid.
    plane = volume.dicom.reslice(
        normal=(0.2, 0.5, 1), center=middle, shape=(1, 60, 60), spacing=1.5, antialias=False
    )
    there = plane.dicom.lps(np.stack(np.meshgrid([0], range(60), range(60), indexing="ij"), -1))
    np.testing.assert_allclose(volume.dicom.interp(there).values, plane.values, rtol=0, atol=1e-3)
    upright = volume.dicom.rectify().dicom.regularize()
    assert upright.dicom.tilt == pytest.approx(0, abs=1e-6)
    assert upright.dicom.is_uniform
    direct = volume.dicom.resample_like(upright, antialias=False)
    for k in (0, upright.sizes["slice"] - 1):  # slices that both took from one image
        one, other = upright[k].values, direct[k].values
        both = ~(np.isnan(one) | np.isnan(other))
        assert both.mean() > 0.8
        np.testing.assert_allclose(one[both], other[both], rtol=0, atol=1e-2)
