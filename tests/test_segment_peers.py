"""Segmentation equals that of libraries that share no code with it, on random masks and three anisotropic spacings."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from scipy import ndimage
from scipy.spatial import cKDTree
from skimage import filters

import dicomlab as dl
from dicomlab import segment

SPACINGS = [(1.0, 1.0, 1.0), (3.0, 0.7, 0.9), (0.8, 2.1, 1.3)]
SHAPE = (14, 22, 19)
NEAR = {6: 1, 18: 2, 26: 3}


def on_grid(values: np.ndarray, spacing: tuple[float, ...] = SPACINGS[1], **about: object) -> xr.DataArray:
    affine = np.diag([*spacing, 1.0])[[2, 1, 0, 3]]
    return dl.make_volume(values, affine=affine, frame_of_reference="1.2.3", **about)


def blobs(seed: int, width: float = 1.5, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), width)
    return noise > 0.3 * noise.std()


def far(values: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """mm from each voxel to the nearest True one, by a tree of points."""
    tree = cKDTree(np.argwhere(values) * spacing)
    everywhere = np.stack(np.meshgrid(*map(np.arange, values.shape), indexing="ij"), -1) * spacing
    return tree.query(everywhere)[0]


@pytest.mark.parametrize("spacing", SPACINGS)
def test_dilation_and_erosion_are_all_voxels_within_so_many_mm(spacing: tuple[float, ...]) -> None:
    values = blobs(1)
    mask = on_grid(values, spacing)
    outside, inside = far(values, spacing), far(~values, spacing)
    for mm in (0.0, 0.7, 1.3, 2.1, 3.0, 4.2):
        assert (segment.dilate(mask, mm).values == (outside <= mm + 1e-5)).all()
        assert (segment.erode(mask, mm).values == (inside > mm + 1e-5)).all()


@pytest.mark.parametrize("spacing", SPACINGS)
def test_distances_are_those_of_itk_and_of_a_tree(spacing: tuple[float, ...]) -> None:
    values = blobs(2)
    found = segment.distance(on_grid(values, spacing))
    signed = np.where(values, -far(~values, spacing), far(values, spacing))
    np.testing.assert_allclose(found.values, signed, rtol=1e-5)
    assert found.attrs["units"] == "mm"
    image = sitk.GetImageFromArray(values.astype(np.uint8))
    image.SetSpacing([float(s) for s in spacing[::-1]])
    # ITK's is 0 in voxels at the surface, on the inside of it.
    theirs = sitk.GetArrayFromImage(
        sitk.SignedMaurerDistanceMap(image, squaredDistance=False, useImageSpacing=True)
    )
    np.testing.assert_allclose(found.values[~values], theirs[~values], rtol=1e-5)


def test_distances_between_uneven_slices_are_those_of_a_tree() -> None:
    values = blobs(3)
    slices = np.cumsum(np.random.default_rng(0).uniform(0.5, 4, SHAPE[0]))
    grid = dl.Geometry(np.eye(3)[:, ::-1], slices, np.arange(22) * 0.7, np.arange(19) * 1.1, "1.2.3")
    mask = dl.make_volume(values, geometry=grid)
    points = np.stack(np.meshgrid(slices, grid.row, grid.column, indexing="ij"), -1)
    for one, sign in ((values, 1), (~values, -1)):
        there = cKDTree(points[one]).query(points[~one])[0]
        np.testing.assert_allclose(segment.distance(mask).values[~one], sign * there, rtol=1e-4)
    near = cKDTree(points[values]).query(points)[0] <= 2.5
    assert (segment.dilate(mask, 2.5).values == near).all()
    closed = segment.closing(mask, 2.0).values
    assert (closed >= values).all()


@pytest.mark.parametrize("spacing", SPACINGS)
def test_opening_and_closing_are_those_of_scipy_with_a_ball(spacing: tuple[float, ...]) -> None:
    values, mm = blobs(4), 2.6
    reach = [int(mm / s) for s in spacing]
    offsets = np.meshgrid(
        *[np.arange(-r, r + 1) * s for r, s in zip(reach, spacing, strict=True)], indexing="ij"
    )
    ball = sum(o * o for o in offsets) <= mm * mm + 1e-9
    mask = on_grid(values, spacing)
    shrunk = ndimage.binary_erosion(values, ball, border_value=1)
    assert (segment.opening(mask, mm).values == ndimage.binary_dilation(shrunk, ball)).all()
    wide = ndimage.binary_dilation(values, ball)
    assert (segment.closing(mask, mm).values == ndimage.binary_erosion(wide, ball, border_value=1)).all()


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_components_are_those_of_scipy_the_largest_first(connectivity: int) -> None:
    values = blobs(5, 0.6)
    found = segment.components(on_grid(values), connectivity=connectivity).values  # type: ignore[arg-type]
    theirs, count = ndimage.label(values, ndimage.generate_binary_structure(3, NEAR[connectivity]))
    pairs = set(zip(found.ravel().tolist(), theirs.ravel().tolist(), strict=True))
    assert len(pairs) == count + 1 == len({a for a, _ in pairs}) == len({b for _, b in pairs})
    sizes = np.bincount(found.ravel())[1:]
    assert (np.diff(sizes) <= 0).all()
    largest = segment.largest_component(on_grid(values), n=2, connectivity=connectivity)  # type: ignore[arg-type]
    assert (largest.values == np.isin(found, [1, 2])).all()


@pytest.mark.parametrize("spacing", SPACINGS)
def test_small_parts_go_by_their_millilitres(spacing: tuple[float, ...]) -> None:
    values = blobs(6, 0.7)
    labels, count = ndimage.label(values, np.ones((3, 3, 3)))
    ml = ndimage.sum(values, labels, np.arange(count + 1)) * np.prod(spacing) / 1000
    least = float(np.median(ml[1:]))
    kept = segment.remove_small(on_grid(values, spacing), ml=least).values
    assert (kept == (values & (ml[labels] >= least * (1 - 1e-9)))).all()
    assert 0 < kept.sum() < values.sum()
    for row in segment.components(on_grid(values, spacing)).dicom.labels.table.itertuples():
        left = segment.components(on_grid(values, spacing), ml=row.ml)
        assert ((left > 0).values == segment.remove_small(on_grid(values, spacing), ml=row.ml).values).all()
        assert int(left.max()) >= row.value, "one of just this size stays"


def test_holes_are_those_of_scipy_in_space_and_in_slices() -> None:
    values = ~blobs(7, 1.0)
    mask = on_grid(values)
    filled = segment.fill_holes(mask).values
    assert (filled == ndimage.binary_fill_holes(values)).all()
    per_slice = segment.fill_holes(mask, per_slice=True).values
    assert (per_slice == np.stack([ndimage.binary_fill_holes(plane) for plane in values])).all()
    assert values.sum() < filled.sum() < per_slice.sum()


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.int32, np.int64])
def test_otsu_of_whole_numbers_is_that_of_skimage(dtype: type) -> None:
    rng = np.random.default_rng(8)
    values = (
        np.where(blobs(8), rng.normal(180, 20, SHAPE), rng.normal(60, 25, SHAPE)).clip(0, 255).astype(dtype)
    )
    if np.dtype(dtype).kind == "i":
        values = values - dtype(100)
    volume = on_grid(values)
    assert (segment.otsu(volume).values == (values > filters.threshold_otsu(values))).all()
    assert segment.otsu_thresholds(volume) == [filters.threshold_otsu(values)]
    for classes in (3, 4):
        theirs = filters.threshold_multiotsu(values, classes)
        assert segment.otsu_thresholds(volume, classes=classes) == theirs.tolist()
        assert (segment.otsu(volume, classes=classes).values == np.digitize(values, theirs, right=True)).all()
    assert (segment.otsu(volume.chunk({"slice": 4})).values == segment.otsu(volume).values).all()


def test_otsu_splits_where_exact_fractions_say_so() -> None:
    values = np.random.default_rng(4).integers(-300, 900, SHAPE, dtype=np.int16) * blobs(4)
    numbers, counts = (one.tolist() for one in np.unique(values, return_counts=True))
    whole, total = sum(counts), sum(v * n for v, n in zip(numbers, counts, strict=True))
    best, n, s = [], 0, 0
    for value, count in zip(numbers[:-1], counts[:-1], strict=True):
        n, s = n + count, s + value * count
        best.append((Fraction((s * whole - total * n) ** 2, n * (whole - n)), -value))
    assert segment.otsu_thresholds(on_grid(values)) == [-max(best)[1]]


def test_otsu_of_floating_point_values_is_that_of_skimage_within_a_bin() -> None:
    rng = np.random.default_rng(9)
    values = np.where(blobs(9), rng.normal(2, 0.4, SHAPE), rng.normal(-1, 0.5, SHAPE)).astype(np.float32)
    theirs = filters.threshold_otsu(values, nbins=4096)
    (ours,) = segment.otsu_thresholds(on_grid(values))
    assert ours == pytest.approx(theirs, abs=2 * float(np.ptp(values)) / 4096)
    values[0, 0, :3] = np.nan, np.inf, -np.inf
    assert segment.otsu_thresholds(on_grid(values)) == pytest.approx(
        [ours], abs=2 * float(np.ptp(values[1:])) / 4096
    )


def test_hysteresis_is_that_of_skimage() -> None:
    values = ndimage.gaussian_filter(np.random.default_rng(10).normal(size=SHAPE), 0.8).astype(np.float32)
    low, high = 0.1, 0.35
    found = segment.hysteresis(on_grid(values), low, high, connectivity=6).values
    assert (found == filters.apply_hysteresis_threshold(values, low, high)).all()
    assert 0 < found.sum() < (values >= low).sum()


def itk_of(values: np.ndarray) -> sitk.Image:
    return sitk.GetImageFromArray(values)


@pytest.mark.parametrize("confidence", [1.6, 2.0, 2.5])
@pytest.mark.parametrize("iterations", [0, 1, 4])
def test_growing_by_confidence_is_that_of_itk(confidence: float, iterations: int) -> None:
    rng = np.random.default_rng(11)
    values = (np.where(blobs(11, 2.5), 100, 40) + rng.normal(0, 6, SHAPE)).astype(np.float32)
    volume = on_grid(values)
    inside = np.argwhere(values > 95)
    for seeds in (inside[[3]], inside[[0, 40]], np.array([[0, 0, 0]])):
        theirs = sitk.GetArrayFromImage(
            sitk.ConfidenceConnected(
                itk_of(values),
                seedList=[tuple(int(n) for n in seed[::-1]) for seed in seeds],
                numberOfIterations=iterations,
                multiplier=confidence,
                initialNeighborhoodRadius=1,
            )
        )
        at = volume.dicom.lps(seeds)
        found = segment.grow(volume, at=at, confidence=confidence, iterations=iterations).values
        assert (found == theirs.astype(bool)).all()
        assert found.any()


@pytest.mark.parametrize("connectivity", [6, 26])
def test_growing_between_limits_is_that_of_itk_however_far_it_goes(connectivity: int) -> None:
    # A coil through a volume that is larger than the box that is looked at first.
    values = np.zeros((90, 60, 60), np.int16)
    turn = np.linspace(0, 30, 4000)
    spots = np.stack([turn / 30 * 88, 30 + 20 * np.sin(turn), 30 + 20 * np.cos(turn)], 1).round().astype(int)
    values[tuple(spots.T)] = 100
    values[45:, 5, 5] = 100
    theirs = sitk.GetArrayFromImage(
        sitk.ConnectedThreshold(
            itk_of(values),
            seedList=[tuple(int(n) for n in spots[0][::-1])],
            lower=50,
            upper=150,
            connectivity=sitk.ConnectedThresholdImageFilter.FullConnectivity
            if connectivity == 26
            else sitk.ConnectedThresholdImageFilter.FaceConnectivity,
        )
    ).astype(bool)
    volume = on_grid(values)
    at = volume.dicom.lps(spots[0])
    found = segment.grow(volume, at=at, low=50, high=150, connectivity=connectivity)  # type: ignore[arg-type]
    assert (found.values == theirs).all()
    if connectivity == 26:
        assert found.values[-2:].any()
        assert not found.values[60, 5, 5]
    same = segment.grow(volume, at=at, tolerance=50, connectivity=connectivity)  # type: ignore[arg-type]
    assert (same.values == found.values).all()
    flipped = segment.grow(volume[::-1, :, ::-1], at=at, low=50, high=150, connectivity=connectivity)  # type: ignore[arg-type]
    assert (flipped.values[::-1, :, ::-1] == theirs).all()


def test_smoothing_is_a_gaussian_of_so_many_mm_and_a_half() -> None:
    values, spacing = blobs(12, 2.0), SPACINGS[1]
    theirs = ndimage.gaussian_filter(values.astype(float), [1.5 / s for s in spacing], mode="nearest")
    assert (segment.smooth(on_grid(values, spacing), 1.5).values == (theirs >= 0.5)).all()
