"""Laws that new grids keep, whatever the volume."""

from __future__ import annotations

from itertools import permutations, product
from typing import Any

import dask
import dask.array as da
import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dicomlab import Geometry, make_volume

UID = "1.2.826.0.1.3680043.8.498.3"
ORIENTATIONS = ["".join(letters) for order in permutations(("LR", "PA", "SI")) for letters in product(*order)]


@st.composite
def volumes(draw: st.DrawFn, *, tilted: bool = True, dtype: str | None = None) -> xr.DataArray:
    """Any orientation, tilted or not, even or uneven slices, axes that rise or fall, one voxel or more."""
    rotation = Rotation.from_euler(
        "xyz", [draw(st.sampled_from([0.0, 90.0, 180.0, 31.0, -77.0])) for _ in range(3)], degrees=True
    )
    direction = rotation.as_matrix()
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    if tilted and draw(st.booleans()):
        direction[:, 0] += 0.3 * direction[:, 1] - 0.1 * direction[:, 2]
    gaps = draw(st.lists(st.sampled_from([0.8, 1.0, 2.5]), min_size=1, max_size=5))
    if draw(st.booleans()):
        gaps = gaps[:1] * len(gaps)
    axes = [draw(st.floats(-90, 90)) + np.cumsum(gaps)]
    for _ in range(2):
        axes.append(
            draw(st.floats(-90, 90))
            + draw(st.sampled_from([0.6, 1.0, 1.7])) * np.arange(draw(st.integers(1, 6)))
        )
    axes = [x[:: draw(st.sampled_from([1, -1]))] for x in axes]
    geometry = Geometry(direction, *axes, UID, (1.5, 1.0, -1.25))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    kind = dtype or draw(st.sampled_from(["int16", "float32", "float64", "uint8"]))
    values = (rng.normal(size=geometry.shape) * 50 + 100).astype(kind)
    return make_volume(values, geometry=geometry, units="HU", attrs={"findings": "kept"})


orders = st.sampled_from([0, 1, 3])


@settings(deadline=None, max_examples=40)
@given(volumes(), orders)
def test_the_same_grid_has_the_same_values(volume: xr.DataArray, order: Any) -> None:
    assert volume.dicom.resample_like(volume) is volume
    assert volume.dicom.resample_like(volume.dicom.geometry) is volume
    assert volume.dicom.resample(spacing=(None, None, None)) is volume
    # A part of the grid has the values of that part, however uneven.
    part = volume.isel(slice=slice(1, None), column=slice(None, 3)) if volume.sizes["slice"] > 1 else volume
    if order < 3:
        np.testing.assert_array_equal(volume.dicom.resample_like(part, order=order).values, part.values)
    # A grid that only looks another one: the same positions, an axis turned around.
    turned = volume.isel(row=slice(None, None, -1), slice=slice(None, None, -1))
    made = turned.dicom.resample_like(volume, order=order)
    if order == 3:
        np.testing.assert_allclose(made.values, volume.values, atol=1e-3)
    else:
        np.testing.assert_array_equal(made.values, volume.values)
    assert made.attrs["findings"] == "kept"
    assert made.attrs["units"] == "HU"


@settings(deadline=None, max_examples=40)
@given(volumes(), orders)
def test_voxel_centres_have_the_values_of_their_voxels(volume: xr.DataArray, order: Any) -> None:
    points = volume.dicom.lps(np.moveaxis(np.indices(volume.shape), 0, -1))
    made = volume.dicom.interp(points, order=order)
    np.testing.assert_allclose(made.values, volume.values, atol=1e-3)


@settings(deadline=None, max_examples=40)
@given(volumes(), orders, st.sampled_from([0.4, 1.0, 3.3]), st.booleans())
def test_what_is_constant_stays_so(volume: xr.DataArray, order: Any, spacing: float, askew: bool) -> None:
    volume = volume.copy(data=np.full(volume.shape, 173, volume.dtype))
    if askew:
        made = volume.dicom.reslice(normal=(0.3, -0.8, 0.5), spacing=spacing, count=3, order=order)
        known = ~np.isnan(made.values)
    else:
        made = volume.dicom.resample(spacing=spacing, order=order)
        known = np.ones(made.shape, bool)  # new voxels never lie outside
    np.testing.assert_allclose(made.values[known], 173, rtol=2e-6)
    assert known.all() or np.isnan(made.values[~known]).all()


@settings(deadline=None, max_examples=40)
@given(volumes(), st.tuples(*[st.sampled_from([0.4, 1.1, 2.0, 50.0])] * 3))
def test_resampling_keeps_the_outer_faces_and_the_spacing_that_was_asked_for(
    volume: xr.DataArray, spacing: tuple[float, float, float]
) -> None:
    made = volume.dicom.resample(spacing=spacing)
    assert made.dicom.spacing == pytest.approx(spacing)
    old, new = volume.dicom.geometry, made.dicom.geometry
    np.testing.assert_array_equal(new.direction, old.direction)
    for axis in range(3):
        length = np.linalg.norm(old.direction[:, axis])
        (first, last), (begin, end) = (
            np.linalg.solve(one.direction, one.lps([[-0.5] * 3, [n - 0.5 for n in one.shape]]).T)[axis]
            * length
            for one in (old, new)
        )
        assert (end > begin) == (last > first)
        # Both ends move alike: by a quarter of a step, more only where one voxel is larger than all there was.
        outward, less = abs(end - begin) / 2 - abs(last - first) / 2, spacing[axis] / 4
        assert begin + end == pytest.approx(first + last, abs=1e-6)
        assert abs(outward) <= less + 1e-6 or (new.shape[axis] == 1 and outward > 0)


@settings(deadline=None, max_examples=50)
@given(volumes(tilted=False), st.sampled_from(ORIENTATIONS))
def test_every_voxel_keeps_value_and_place_in_any_order(volume: xr.DataArray, codes: str) -> None:
    numbers = volume.copy(data=np.arange(volume.size).reshape(volume.shape))
    made = numbers.dicom.reorient(codes)
    assert made.dicom.geometry.codes == codes
    old = volume.dicom.lps(np.moveaxis(np.indices(volume.shape), 0, -1)).reshape(-1, 3)
    new = made.dicom.lps(np.moveaxis(np.indices(made.shape), 0, -1))
    np.testing.assert_allclose(new, old[made.values], atol=1e-9)
    c, r = made.dicom.direction[:, 1], made.dicom.direction[:, 2]
    np.testing.assert_allclose(np.cross(r, c), made.dicom.direction[:, 0], atol=1e-9)
    back = made.dicom.reorient(numbers.dicom.geometry.codes)
    np.testing.assert_array_equal(back.values, numbers.values)
    np.testing.assert_allclose(
        back.dicom.lps([[0, 0, 0], [1, 1, 1]]), volume.dicom.lps([[0, 0, 0], [1, 1, 1]]), atol=1e-9
    )


@settings(deadline=None, max_examples=40)
@given(volumes(), st.data())
def test_a_crop_holds_its_mask_and_no_voxel_moves(volume: xr.DataArray, data: st.DataObject) -> None:
    first = [data.draw(st.integers(0, n - 1)) for n in volume.shape]
    last = [data.draw(st.integers(k, n - 1)) for k, n in zip(first, volume.shape, strict=True)]
    picks = dict(zip(volume.dims, [slice(a, b + 1) for a, b in zip(first, last, strict=True)], strict=True))
    mask = volume.copy(data=np.zeros(volume.shape, bool))
    mask[picks] = True
    crop = volume.dicom.crop_to(mask)
    xr.testing.assert_identical(crop, volume.isel(picks))
    np.testing.assert_allclose(crop.dicom.lps([0, 0, 0]), volume.dicom.lps(first), atol=1e-9)
    # Turned around, or as a box in the patient, it is the same.
    xr.testing.assert_identical(
        volume.dicom.crop_to(mask.isel(column=slice(None, None, -1))), volume.isel(picks)
    )
    assert volume.dicom.crop_to(mask, margin=1e3).shape == volume.shape


@settings(deadline=None, max_examples=40)
@given(volumes(), orders, st.booleans(), st.booleans())
def test_dask_makes_the_same_values_later(
    volume: xr.DataArray, order: Any, askew: bool, antialias: bool
) -> None:
    chunked = volume.chunk({"slice": 2, "column": 3})
    if askew:

        def make(one: xr.DataArray) -> xr.DataArray:
            return one.dicom.reslice(
                normal=(0.3, -0.8, 0.5), spacing=1.4, count=3, order=order, antialias=antialias
            )
    else:

        def make(one: xr.DataArray) -> xr.DataArray:
            return one.dicom.resample(spacing=(1.9, 0.9, 2.2), order=order, antialias=antialias)

    with dask.config.set(scheduler="synchronous"):
        later, now = make(chunked), make(volume)
        assert isinstance(later.data, da.Array)
        assert later.dtype == now.dtype
        np.testing.assert_allclose(later.values, now.values, atol=2e-4)
        assert later.attrs == now.attrs


@settings(deadline=None, max_examples=40)
@given(volumes(dtype="uint8"), st.sampled_from([0.6, 1.3, 2.9]))
def test_the_weights_of_all_labels_are_one(volume: xr.DataArray, spacing: float) -> None:
    labels = (volume % 4).astype(np.uint8)
    target = labels.dicom.reslice(normal=(0.3, -0.8, 0.5), spacing=spacing, count=3, fill=0).dicom.geometry
    weights = [(labels == label).astype(np.float32).dicom.resample_like(target).values for label in range(4)]
    known = ~np.isnan(weights[0])
    np.testing.assert_allclose(np.sum(weights, axis=0)[known], 1, atol=1e-5)
    made = labels.dicom.resample_like(target, labels="linear")
    assert made.dtype == np.uint8
    most = np.max(weights, axis=0)
    chosen = np.take_along_axis(np.array(weights), made.values[None].astype(int), 0)[0]
    np.testing.assert_allclose(chosen[known], most[known], atol=1e-4)
    assert (made.values[~known] == 0).all()


@settings(deadline=None, max_examples=40)
@given(volumes(dtype="float64"), st.data())
def test_what_is_missing_spreads_to_what_touches_it_and_no_further(
    volume: xr.DataArray, data: st.DataObject
) -> None:
    where = tuple(data.draw(st.integers(0, n - 1)) for n in volume.shape)
    hole = data.draw(st.sampled_from([np.nan, np.inf, -np.inf]))
    holed = volume.copy(data=volume.values.copy())
    holed.values[where] = hole
    target = volume.dicom.reslice(normal=(0.3, -0.8, 0.5), spacing=0.7, count=3).dicom.geometry
    grid = np.moveaxis(np.indices(target.shape), 0, -1)
    index = volume.dicom.index(target.lps(grid))
    index = np.clip(index, 0, np.array(volume.shape) - 1)
    touched = (np.abs(index - where) < 1 - 1e-5).all(-1)
    clear = (np.abs(index - where) > 1 + 1e-5).any(-1)
    whole, made = (one.dicom.resample_like(target, antialias=False).values for one in (volume, holed))
    known = ~np.isnan(whole)
    np.testing.assert_array_equal(made[known & touched], np.full((known & touched).sum(), hole))
    np.testing.assert_allclose(made[known & clear], whole[known & clear], rtol=1e-9)
    # Nor does anti-aliasing carry it further.
    coarse = holed.dicom.resample(spacing=3.0).values
    fine = volume.dicom.resample(spacing=3.0).values
    assert (~np.isfinite(coarse)).sum() <= 8
    assert np.isfinite(fine).all()
