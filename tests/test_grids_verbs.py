"""What each verb for new grids does and refuses: planes, curves, slabs, points, parts."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from support import SHARED, shared_data, watch_opening

from dicomlab import DicomLabError, DicomLabWarning, Geometry, load_volume, make_volume, open_volume, phantom
from dicomlab.errors import GeometryError, MissingDependencyError
from dicomlab.frames import FrameIndex
from dicomlab.regrid import compiled

UID = "1.2.826.0.1.3680043.8.498.4"
SLOPE = np.array([0.7, -1.3, 2.1])


def volume(
    along: Any = (0.0, 2.0, 4.0, 6.0, 8.0, 10.0),
    *,
    shape: tuple[int, int] = (9, 8),
    shear: float = 0.0,
    dtype: str = "float64",
) -> xr.DataArray:
    """A function that is linear in the patient, on an axial grid."""
    direction = np.eye(3)[:, ::-1].copy()
    direction[:, 0] += direction[:, 1] * shear
    down, across = (1.5 * np.arange(shape[0]) - 5, 0.8 * np.arange(shape[1]) - 3)
    geometry = Geometry(direction, np.asarray(along, float), down, across, UID)
    where = geometry.lps(np.moveaxis(np.indices(geometry.shape), 0, -1))
    return make_volume((where @ SLOPE + 50).astype(dtype), geometry=geometry, units="HU", name="ct")


def truth(made: xr.DataArray) -> np.ndarray:
    return made.dicom.lps(np.moveaxis(np.indices(made.shape), 0, -1)) @ SLOPE + 50


# -- planes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("normal", [(0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 0, -2), (0.3, -0.5, 0.6), (1, 1, 0)])
@pytest.mark.parametrize("shear", [0.0, 0.4])
def test_planes_lie_as_asked_and_hold_what_is_there(normal: tuple[float, ...], shear: float) -> None:
    source = volume([0, 2, 3, 6, 8, 10], shear=shear)
    center = source.dicom.lps([2.5, 4, 3.5])
    made = source.dicom.reslice(
        normal=normal, center=center, spacing=(1.5, 0.5, 0.7), count=3, antialias=False
    )
    n = np.array(normal) / np.linalg.norm(normal)
    np.testing.assert_allclose(made.dicom.direction[:, 0], n, atol=1e-12)
    assert made.dicom.spacing == pytest.approx((1.5, 0.5, 0.7))
    # The middle plane runs through the centre, a voxel of it lies there.
    index = made.dicom.index(center)
    assert index[0] == pytest.approx(1)
    np.testing.assert_allclose(index, np.round(index), atol=1e-9)
    # Between the outer centres a linear function is met; the border holds the outer value.
    inside = source.dicom.index(made.dicom.lps(np.moveaxis(np.indices(made.shape), 0, -1)))
    clear = ((inside >= 0) & (inside <= np.array(source.shape) - 1)).all(-1)
    assert clear.sum() > 50
    np.testing.assert_allclose(made.values[clear], truth(made)[clear], atol=1e-9)
    assert (made.name, made.attrs["units"]) == ("ct", "HU")
    assert made.attrs["resampled"].startswith("reslice: 3 x ")
    assert made.dicom.frame_of_reference == UID
    # Nothing of the cut is left out: no voxel just outside the planes' rows and columns would have a value.
    grid = np.moveaxis(np.indices(np.add(made.shape, (0, 2, 2))), 0, -1) - np.array([0, 1, 1])
    edge = ((grid < 0) | (grid >= made.shape)).any(-1)
    beyond = source.dicom.index(made.dicom.lps(grid[edge]))
    assert not ((beyond > -0.5) & (beyond < np.array(source.shape) - 0.5)).all(-1).any()


def test_planes_are_seen_as_radiologists_see_them() -> None:
    source = volume()
    seen = {
        normal: source.dicom.reslice(normal=normal).dicom.orientation
        for normal in [(0, 0, 1), (0, 1, 0), (1, 0, 0)]
    }
    assert seen == {(0, 0, 1): "SPL", (0, 1, 0): "PIL", (1, 0, 0): "LIA"}
    assert source.dicom.reslice(normal=(0, 1, 0), up=(1, 0, 0.2)).dicom.direction[:, 1] == pytest.approx(
        [-0.98058, 0, -0.19612], abs=1e-5
    )


def test_a_grid_of_planes_can_be_given_from_its_first_voxel_on() -> None:
    made = volume().dicom.reslice(normal=(0, 0, 1), origin=(-2, -3, 1), spacing=0.5, shape=(4, 3, 2))
    assert made.shape == (4, 3, 2)
    assert made.dicom.origin == pytest.approx([-2, -3, 1])
    np.testing.assert_allclose(made.values, truth(made))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"normal": (0, 0, 0)}, "length 0"),
        ({"normal": (0, 1)}, "three finite numbers"),
        ({"normal": (0, 0, np.nan)}, "three finite numbers"),
        ({"normal": (0, 0, 1), "up": (0, 0, 2)}, "runs along the normal"),
        ({"normal": (0, 0, 1), "center": (0, 0, 99)}, "miss the volume.*-1.00 to 11.00 mm.*99.00"),
        ({"normal": (0, 0, 1), "origin": (0, 0, 0)}, "give shape="),
        ({"normal": (0, 0, 1), "spacing": 0}, "one length in mm, or three"),
        ({"normal": (0, 0, 1), "spacing": (1, 2)}, "one length in mm, or three"),
        ({"normal": (0, 0, 1), "spacing": (1, 2, None)}, "along each axis"),
        ({"normal": (0, 0, 1), "spacing": 1e-9}, "lengths are in mm"),
        ({"normal": (0, 0, 1), "count": 0}, "number of planes"),
        ({"normal": (0, 0, 1), "shape": (1, 0, 3)}, "shape counts voxels"),
        ({"normal": (0, 0, 1), "shape": (9000, 9000, 9000)}, "GiB"),
    ],
)
def test_planes_that_cannot_be_are_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(GeometryError, match=reason):
        volume().dicom.reslice(**arguments)


# -- values between values --------------------------------------------------------------------------------------------


def test_integers_stay_integers_where_values_are_copied_and_become_floats_where_not() -> None:
    source = volume(dtype="int16")
    inside = {"normal": (0, 0, 1), "center": (0, 0, 5), "shape": (3, 4, 4)}
    assert source.dicom.reslice(**inside, order=0).dtype == np.int16
    assert source.dicom.reslice(**inside).dtype == np.float32
    assert source.astype("int32").dicom.reslice(**inside).dtype == np.float64
    outside = inside | {"shape": (3, 40, 40)}
    assert np.isnan(source.dicom.reslice(**outside, order=0).values).any()
    filled = source.dicom.reslice(**outside, order=0, fill=-1000)
    assert filled.dtype == np.int16
    assert (filled.values == -1000).any()
    with pytest.raises(DicomLabError, match="no int16 value"):
        source.dicom.reslice(**outside, order=0, fill=0.5)


def test_masks_take_the_nearest_value_or_the_weightier_one() -> None:
    mask = volume() > 50
    fine = mask.dicom.resample(spacing=0.5)
    assert fine.dtype == bool
    assert fine.dicom.reslice(normal=(0.2, 0.3, 0.9)).dtype == bool
    where = mask.dicom.geometry
    index = np.clip(
        where.index(fine.dicom.lps(np.moveaxis(np.indices(fine.shape), 0, -1))), 0, np.array(where.shape) - 1
    )
    clear = (np.abs(index % 1 - 0.5) > 1e-3).all(-1)
    nearest = mask.values[tuple(np.round(np.moveaxis(index, -1, 0)).astype(int))]
    np.testing.assert_array_equal(fine.values[clear], nearest[clear])
    linear = mask.dicom.resample(spacing=0.5, labels="linear")
    weight = mask.astype(np.float64).dicom.resample(spacing=0.5).values
    np.testing.assert_array_equal(
        linear.values[abs(weight - 0.5) > 1e-3], (weight > 0.5)[abs(weight - 0.5) > 1e-3]
    )
    assert (linear.values != fine.values).any()


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"order": 2}, "order=2 is unknown"),
        ({"engine": "gpu"}, "engine='gpu' is unknown"),
        ({"labels": "nearest"}, "labels are whole numbers"),
        ({"labels": "cubic"}, "labels='cubic' is unknown"),
        ({"labels": "linear", "order": 1}, "would say so again"),
    ],
)
def test_ways_that_are_unknown_or_contradict_are_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(DicomLabError, match=reason):
        volume().dicom.resample(spacing=1, **arguments)
    with pytest.raises(DicomLabError, match="order=0 takes the nearest"):
        (volume() > 50).dicom.resample(spacing=1, order=1)


def test_without_numba_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "available", lambda: False)
    with pytest.raises(MissingDependencyError, match=r"pip install 'dicomlab\[fast\]'"):
        volume().dicom.resample(spacing=1, engine="numba")
    assert volume().dicom.reslice(normal=(1, 1, 1), engine="auto").size


def test_two_frames_of_reference_do_not_meet() -> None:
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        volume().dicom.resample_like(make_volume(np.zeros((2, 2, 2)), affine=np.eye(4)[[2, 1, 0, 3]]))


def test_further_axes_and_what_lies_along_them_stay() -> None:
    one = volume()
    both = xr.concat([one, one + 7, one * 2], "time").assign_coords(time=[0.0, 2.0, 4.0])
    both = both.assign_coords(slice_time=(("time", "slice"), np.zeros((3, 6)))).transpose(
        "row", "time", "slice", "column"
    )
    made = both.dicom.reslice(normal=(0.1, 0.2, 1), count=2)
    assert made.dims == both.dims
    assert "slice_time" not in made.coords
    np.testing.assert_array_equal(made.time, [0, 2, 4])
    single = one.dicom.reslice(normal=(0.1, 0.2, 1), count=2)
    for step, expected in enumerate((single, single + 7, single * 2)):
        got = made.isel(time=step).transpose("slice", "row", "column")
        np.testing.assert_allclose(got.values, expected.values)
    points = both.dicom.interp([(0, 0, 5), (1, 1, 4)])
    assert points.dims == ("time", "point")
    np.testing.assert_allclose(points.values[1], points.values[0] + 7)


def test_smoothing_makes_a_coarse_voxel_the_mean_of_what_it_covers() -> None:
    rng = np.random.default_rng(0)
    noise = make_volume(rng.normal(size=(40, 40, 40)), affine=np.eye(4)[[2, 1, 0, 3]])
    points, means = (
        noise.dicom.resample(spacing=4, antialias=choice).values.std() for choice in (False, True)
    )
    # A mean of 4 x 4 x 4 values varies an eighth as much; points, linear between eight values, a third.
    assert means < 0.11 < 0.3 < points
    # Only along what gets coarser: each plane stays what it was.
    flat = noise.dicom.resample(spacing=(4, None, None))
    per_plane = noise.values.var(axis=(1, 2)).mean()
    assert flat.values.var(axis=(1, 2)).mean() == pytest.approx(per_plane / 4, rel=0.6)
    finer = noise.dicom.resample(spacing=0.8)
    np.testing.assert_array_equal(finer.values, noise.dicom.resample(spacing=0.8, antialias=False).values)


def test_only_the_planes_that_are_needed_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = phantom.write_study(tmp_path, coarser=4)
    lazy = open_volume(study.ct.folder)
    whole = load_volume(study.ct.folder)
    names: list[str] = []
    watch_opening(monkeypatch, names)
    made = lazy.dicom.reslice(normal=(0, 0, 1), center=lazy.dicom.lps([5.4, 20, 20]))
    assert len(set(names)) == 2
    np.testing.assert_allclose(
        made.values, whole.dicom.reslice(normal=(0, 0, 1), center=whole.dicom.lps([5.4, 20, 20])).values
    )
    names.clear()
    assert np.isfinite(lazy.dicom.interp(lazy.dicom.lps([3.0, 10, 10])).values)
    assert len(set(names)) <= 2
    names.clear()
    slabs = lazy.dicom.mip(thickness=20)
    assert len(names) == lazy.sizes["slice"]
    np.testing.assert_array_equal(slabs.values, whole.dicom.mip(thickness=20).values)


# -- curves and points ------------------------------------------------------------------------------------------------


def test_a_curve_is_walked_in_equal_steps_and_every_value_knows_its_place() -> None:
    source = volume([0, 1, 3, 6, 7, 10], shear=0.2)
    line = source.dicom.lps([(1, 2, 1), (2.2, 4, 3), (3, 4, 6)])
    made = source.dicom.curved(line, width=2, spacing=0.25)
    assert made.dims == ("along", "across")
    assert made.sizes["across"] == 9
    place = np.stack([made.x, made.y, made.z], -1)
    np.testing.assert_allclose(made.values, place @ SLOPE + 50, atol=1e-9)
    middle = place[:, 4]
    np.testing.assert_allclose(middle[0], line[0], atol=1e-12)
    steps = np.linalg.norm(np.diff(middle, axis=0), axis=1)
    # Equal along the curve; a chord over the corner is shorter.
    assert np.sort(steps)[1:] == pytest.approx(0.25)
    width = np.linalg.norm(place[:, -1] - place[:, 0], axis=1)
    assert width == pytest.approx(2.0)
    along = np.gradient(middle, axis=0)[2:-2]
    assert np.abs(np.sum((place[:, -1] - place[:, 0])[2:-2] * along, axis=-1)).max() < 0.25
    with pytest.raises(GeometryError, match="slice, row, column are missing"):
        _ = made.dicom.affine
    # It stays in its frame of reference.
    assert isinstance(made.xindexes["frame_of_reference"], FrameIndex)


def test_the_side_of_a_curve_is_the_one_that_was_given_or_turns_with_it() -> None:
    source = volume()
    circle = [(2 * np.cos(a), 2 * np.sin(a), 5.0) for a in np.linspace(0, 3, 40)]
    panorama = source.dicom.curved(circle, width=4, spacing=0.5, across=(0, 0, 1))
    np.testing.assert_allclose(panorama.z, np.broadcast_to(5 + panorama.across, panorama.shape), atol=1e-12)
    # A plane curve turns about its normal only, so that is the side that need not turn.
    np.testing.assert_allclose(source.dicom.curved(circle, width=4, spacing=0.5).z, panorama.z, atol=1e-9)


def test_the_side_of_a_curve_in_space_stays_perpendicular_and_turns_little() -> None:
    turn = np.linspace(0, 9, 400)
    helix = np.stack([3 * np.cos(turn), 3 * np.sin(turn), turn], -1)
    made = volume().dicom.curved(helix, width=2, spacing=0.2)
    place = np.stack([made.x, made.y, made.z], -1)
    side = (place[:, -1] - place[:, 0]) / np.linalg.norm(place[:, -1] - place[:, 0], axis=-1, keepdims=True)
    forward = np.gradient(place[:, made.sizes["across"] // 2], axis=0)
    forward /= np.linalg.norm(forward, axis=-1, keepdims=True)
    assert np.abs(np.sum(side * forward, axis=-1))[2:-2].max() < 0.02
    # From line to line the side turns no more than the curve does.
    turned = np.linalg.norm(np.diff(side, axis=0), axis=-1)[2:-2]
    assert (turned <= np.linalg.norm(np.diff(forward, axis=0), axis=-1)[2:-2] + 0.01).all()


def test_smoothing_around_a_hole_takes_the_mean_of_what_is_there() -> None:
    constant = volume(np.arange(12) * 1.0, shape=(12, 12)).copy(data=np.full((12, 12, 12), 40.0))
    constant[4:7, 4:7, 4:7] = np.nan
    made = constant.dicom.resample(spacing=2.4).values
    assert np.isnan(made).any()
    np.testing.assert_allclose(made[~np.isnan(made)], 40)


@pytest.mark.parametrize(
    ("points", "more", "reason"),
    [
        ([(0, 0, 0)], {}, "two or more"),
        ([(0, 0), (1, 1)], {}, r"shape \(..., 3\)"),
        ([(0, 0, 0), (0, 0, 0), (1, 1, 1)], {}, "points 0 and 1"),
        ([(0, 0, 0), (0, 0, 5)], {"across": (0, 0, 1)}, "runs along the curve"),
        ([(0, 0, 0), (0, 0, 5), (0, 0, 0)], {"spacing": 1.0}, "turns back on itself"),
        ([(0, 0, 0), (0, 0, 5)], {"spacing": 1e-9}, "lengths are in mm"),
        ([(0, 0, 0), (0, 0, 5)], {"width": -1}, "are lengths in mm"),
    ],
)
def test_curves_that_cannot_be_are_refused(points: Any, more: dict[str, Any], reason: str) -> None:
    with pytest.raises(GeometryError, match=reason):
        volume().dicom.curved(points, **({"width": 4.0} | more))


def test_a_profile_runs_in_mm_from_one_end_to_the_other() -> None:
    source = volume(shear=0.3)
    ends = source.dicom.lps([(0.5, 1, 1), (4, 7, 6)])
    line = source.dicom.profile(*ends)
    np.testing.assert_allclose(np.stack([line.x, line.y, line.z], -1)[[0, -1]], ends)
    length = float(np.linalg.norm(ends[1] - ends[0]))
    assert line.distance.values[[0, -1]] == pytest.approx([0, length])
    assert line.distance.attrs["units"] == "mm"
    assert np.diff(line.distance).max() <= 0.8 + 1e-9
    place = np.stack([line.x, line.y, line.z], -1)
    np.testing.assert_allclose(line.values, place @ SLOPE + 50)
    assert np.diff(source.dicom.profile(*ends, step=0.7).distance) == pytest.approx(0.7)
    for start, end, step in (
        ((0, 0, 0), (0, 0, 0), None),
        ((0, 0), (1, 1), None),
        ((0, 0, 0), (1, 1, 1), 0.0),
    ):
        with pytest.raises(GeometryError):
            source.dicom.profile(start, end, step=step)


def test_points_that_are_nowhere_have_no_value() -> None:
    made = volume().dicom.interp([(0, 0, 5), (np.nan, 0, 0), (np.inf, 0, 0), (0, 0, 11.1), (0, 0, 10.9)])
    assert np.isnan(made.values).tolist() == [False, True, True, True, False]
    assert volume().dicom.interp((0, 0, 5)).dims == ()
    assert volume(dtype="int16").dicom.interp([(0, 0, 50)], order=0, fill=-1).values.tolist() == [-1]
    with pytest.raises(GeometryError, match=r"shape \(..., 3\)"):
        volume().dicom.interp([1, 2])


def test_points_of_a_dask_volume_are_found_later() -> None:
    chunked = volume().chunk({"slice": 2})
    made = chunked.dicom.interp([(0, 0, 5), (1, 1, 4)])
    assert made.chunks is not None
    np.testing.assert_allclose(made.values, volume().dicom.interp([(0, 0, 5), (1, 1, 4)]).values)


def test_a_lone_slice_is_as_thick_as_is_known() -> None:
    known = volume().isel(slice=[2])
    unknown = volume([0, 1, 3, 6]).isel(slice=[2])
    place = [np.add(known.dicom.lps([0, 4, 4]), (0, 0, dz)) for dz in (0.9, 1.1)]
    assert np.isnan(known.dicom.interp(place).values).tolist() == [False, True]
    place = [np.add(unknown.dicom.lps([0, 4, 4]), (0, 0, dz)) for dz in (0.0, 0.1)]
    assert np.isnan(unknown.dicom.interp(place).values).tolist() == [False, True]
    assert known.dicom.resample(spacing=1).shape[0] == 2
    with pytest.raises(GeometryError, match="nothing says how thick it is"):
        unknown.dicom.resample(spacing=1)
    assert unknown.dicom.resample(spacing=(None, 0.5, 0.5)).shape[0] == 1
    assert unknown.dicom.mip().shape[0] == 1
    assert unknown.dicom.crop_to(unknown > -1e9).shape == unknown.shape
    with pytest.raises(GeometryError, match="found"):
        volume().isel(slice=2).dicom.resample(spacing=1)


def test_slices_that_do_not_follow_one_another_are_refused() -> None:
    doubled = volume().isel(slice=[0, 1, 1, 2])
    target = volume().dicom.geometry
    for work in (
        lambda: doubled.dicom.resample(spacing=1),
        lambda: doubled.dicom.resample_like(target),
        lambda: doubled.dicom.interp([(0, 0, 1)]),
        lambda: doubled.dicom.mip(thickness=2),
    ):
        with pytest.raises(GeometryError, match="neither only rise nor only fall"):
            work()


# -- slabs ------------------------------------------------------------------------------------------------------------


def test_slabs_are_the_extremes_of_the_voxels_they_hold() -> None:
    rng = np.random.default_rng(1)
    source = volume(np.arange(10) * 1.0).copy(data=rng.normal(size=(10, 9, 8)))
    made = source.dicom.mip(thickness=4, step=2)
    assert made.slice.values.tolist() == [1.5, 3.5, 5.5, 7.5, 9.5]
    for n, slab in enumerate(made.values):
        np.testing.assert_array_equal(slab, source.values[2 * n : 2 * n + 4].max(axis=0))
    np.testing.assert_array_equal(
        source.dicom.minip(axis="row").values, source.values.min(axis=1, keepdims=True)
    )
    assert source.dicom.mip().dicom.spacing[0] == pytest.approx(10)
    # From either end, chunked or not, it is the same.
    turned = source.isel(slice=slice(None, None, -1)).dicom.mip(thickness=4, step=2)
    xr.testing.assert_allclose(turned.isel(slice=slice(None, None, -1)), made)
    later = source.chunk({"slice": 3}).dicom.mip(thickness=4, step=2)
    assert later.chunks is not None
    np.testing.assert_array_equal(later.values, made.values)


def test_averages_of_uneven_slices_weigh_what_each_stands_for() -> None:
    source = volume([0, 1, 2, 5, 6, 7])
    made = source.dicom.average(thickness=3)
    # Voxels reach from -0.5, 0.5, 1.5, 3.5, 5.5, 6.5 to 7.5; slabs begin at -0.5, 2.5, 5.5.
    weights = np.array([[1, 1, 1, 0, 0, 0], [0, 0, 1, 2, 0, 0], [0, 0, 0, 0, 1, 1]])
    expected = np.einsum("mk,kij->mij", weights / weights.sum(axis=1, keepdims=True), source.values)
    np.testing.assert_allclose(made.values, expected)
    assert made.slice.values.tolist() == [1.0, 4.0, 7.0]
    assert volume(dtype="int16").dicom.average().dtype == np.float32
    holed = source.where(source.slice != 2)
    assert np.isfinite(holed.dicom.average(thickness=3).values).all()
    np.testing.assert_allclose(holed.dicom.average(thickness=3).values[0], source.values[:2].mean(axis=0))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"thickness": 0}, "thickness is a length"),
        ({"thickness": 2, "step": -1}, "step is a length"),
        ({"step": 2}, "give thickness="),
        ({"axis": "time"}, "none of a volume"),
        ({"thickness": 1e-9}, "at most 10000"),
    ],
)
def test_slabs_that_cannot_be_are_refused(arguments: dict[str, Any], reason: str) -> None:
    with pytest.raises(GeometryError, match=reason):
        volume().dicom.mip(**arguments)


# -- parts ------------------------------------------------------------------------------------------------------------


def test_a_mask_on_another_grid_crops_every_voxel_it_touches() -> None:
    source = volume([0, 1, 3, 6, 7, 10])
    fine = source.dicom.reslice(normal=(0.2, 0.1, 1), spacing=0.3, count=20)
    mask = fine.copy(data=np.zeros(fine.shape, bool))
    mask[10, 12:15, 9:11] = True
    crop = source.dicom.crop_to(mask)
    there = mask.dicom.lps(np.argwhere(mask.values))
    index = crop.dicom.index(there)
    assert (index > -0.5).all()
    assert (index < np.array(crop.shape) - 0.5).all()
    assert crop.size < source.size
    xr.testing.assert_identical(crop, source.sel(slice=crop.slice, row=crop.row, column=crop.column))


def test_a_crop_of_nothing_is_refused() -> None:
    source = volume()
    with pytest.raises(GeometryError, match="mask is empty"):
        source.dicom.crop_to(source > 1e9)
    with pytest.raises(
        GeometryError, match=r"along slice its voxels lie at 0.00 to 10.00 mm.*at 20.00 to 30.00"
    ):
        source.dicom.crop_to([(0, 0, 20), (1, 1, 30)])
    with pytest.raises(GeometryError, match=r"shape \(2, 3\)"):
        source.dicom.crop_to([(0, 0, 20)])
    with pytest.raises(GeometryError, match="nothing of the volume"):
        source.dicom.crop_to([(0, 0, 4), (1, 1, 5)], margin=-3)
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        source.dicom.crop_to(make_volume(np.ones((2, 2, 2)), affine=np.eye(4)[[2, 1, 0, 3]]))


def test_positions_of_the_patient_pick_planes_of_an_upright_volume() -> None:
    source = volume()
    for turned in (
        source,
        source.isel(column=slice(None, None, -1), slice=slice(None, None, -1)),
        source.dicom.reorient("LIA"),
    ):
        part = turned.dicom.sel(z=4.9, x=slice(1.1, -1.5))
        assert part.ndim == 2
        place = part.dicom.with_xyz()
        np.testing.assert_allclose(place.z, 4)
        assert place.x.values.min() == pytest.approx(-1.4)
        assert place.x.values.max() == pytest.approx(1.0)
        np.testing.assert_allclose(part.values, place.x * 0.7 - place.y * 1.3 + place.z * 2.1 + 50)
    with pytest.raises(KeyError, match=r"z=11.2 mm lies outside.*0.00 to 10.00"):
        source.dicom.sel(z=11.2)
    with pytest.raises(KeyError, match="no plane lies at y from 40 to inf"):
        source.dicom.sel(y=slice(40, None))
    assert source.dicom.sel(y=slice(None, None)).shape == source.shape
    shuffled = source.roll(slice=2, roll_coords=True)
    first, second, *_, last = (
        np.sort(shuffled.slice.values[:2]).tolist() + np.sort(source.slice.values).tolist()
    )
    assert shuffled.dicom.sel(z=slice(first, second)).sizes["slice"] == 2
    with pytest.raises(GeometryError, match="do not follow one another"):
        shuffled.dicom.sel(z=slice(source.slice.values[1], last))


def test_oblique_planes_have_no_x_and_the_error_names_what_makes_such() -> None:
    with pytest.raises(GeometryError, match=r"no plane of this volume has one x.*oblique.*reslice\("):
        volume().dicom.reslice(normal=(0.3, 0.2, 1), count=4).dicom.sel(x=0)
    # A tilted gantry moves rows along y, so no row has one y; its slices have one z.
    tilted = volume(shear=0.4)
    assert tilted.dicom.sel(z=4).dicom.geometry.slice.tolist() == [4]
    with pytest.raises(GeometryError, match="no plane of this volume has one y"):
        tilted.dicom.sel(y=0)


def test_tilted_slices_cannot_become_rows() -> None:
    tilted = volume(shear=0.4)
    with pytest.raises(GeometryError, match=r"tilted by 21.8 degrees.*rectify"):
        tilted.dicom.reorient("PIL")
    turned = tilted.dicom.reorient("IAR")
    np.testing.assert_allclose(turned.values, truth(turned))
    np.testing.assert_array_equal(turned.values, tilted.values[::-1, ::-1, ::-1])
    for codes in ("LPX", "LRS", "SP", "SPLA", ""):
        with pytest.raises(GeometryError, match="three letters"):
            tilted.dicom.reorient(codes)


# -- real data --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}: nothing real was resampled"
)
def test_itk_agrees_about_a_real_oblique_cut() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        source = load_volume(shared_data() / "ct-contrast-kits")
    made = source.dicom.reslice(normal=(0.2, 0.9, 0.4), spacing=1.3, count=5, antialias=False)
    images = [sitk.GetImageFromArray(source.values), sitk.Image(*made.shape[::-1], sitk.sitkFloat32)]
    for image, one in zip(images, (source, made), strict=True):
        matrix = one.dicom.affine[:3, [2, 1, 0]]
        spacing = np.linalg.norm(matrix, axis=0)
        image.SetOrigin(one.dicom.origin.tolist())
        image.SetSpacing(spacing.tolist())
        image.SetDirection((matrix / spacing).ravel().tolist())
    nothing = sitk.Transform(3, sitk.sitkIdentity)
    theirs = sitk.GetArrayFromImage(
        sitk.Resample(images[0], images[1], nothing, sitk.sitkLinear, float("nan"), sitk.sitkFloat32)
    )
    known = ~np.isnan(made.values) & ~np.isnan(theirs)
    assert known.sum() > 10_000
    assert (np.isnan(made.values) != np.isnan(theirs)).mean() < 1e-4
    np.testing.assert_allclose(made.values[known], theirs[known], atol=0.01)
