"""What is asked of segmentation and cannot be: errors that say what mends it; and what else volumes may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr

import dicomlab as dl
from dicomlab import segment
from dicomlab.errors import DicomLabError, DicomLabWarning, GeometryError
from dicomlab.masks import with_labels

AFFINE = np.diag([3.0, 0.8, 1.0, 1.0])[[2, 1, 0, 3]]


def volume_of(values: np.ndarray, **about: object) -> xr.DataArray:
    return dl.make_volume(values, affine=AFFINE, frame_of_reference="1.2.3", **about)


@pytest.fixture
def ct() -> xr.DataArray:
    """Two bright balls that touch, in air with noise."""
    z, y, x = np.meshgrid(np.arange(12) * 3, np.arange(40) * 0.8, np.arange(50) * 1.0, indexing="ij")
    ball = (np.hypot(np.hypot(z - 16, y - 16), x - 15) < 11) | (
        np.hypot(np.hypot(z - 16, y - 16), x - 35) < 11
    )
    noise = np.random.default_rng(0).normal(0, 10, ball.shape)
    return volume_of((np.where(ball, 300, -900) + noise).round().astype(np.int16), units="HU", name="ct")


@pytest.fixture
def balls(ct: xr.DataArray) -> xr.DataArray:
    return segment.threshold(ct, 0)


@pytest.fixture
def tilted(ct: xr.DataArray) -> xr.DataArray:
    affine = AFFINE.copy()
    affine[1, 0] = 0.4
    return dl.make_volume(ct.values > 0, affine=affine, frame_of_reference="1.2.3")


def markers_of(ct: xr.DataArray) -> xr.DataArray:
    values = np.zeros(ct.shape, np.uint8)
    values[5, 20, 15], values[5, 20, 35], values[0, 0, 0] = 1, 2, 3
    return with_labels(segment.components(ct > 10_000).copy(data=values), ["one", "two", "air"])


def test_ranges_are_inclusive_and_lazy_and_nan_is_in_none(ct: xr.DataArray) -> None:
    values = np.array([[[-29.5, -30, np.nan, -190, 225, 226]]], np.float32)
    small = volume_of(values, units="HU")
    assert segment.threshold(small, "fat").values.tolist() == [[[False, True, False, True, False, False]]]
    assert segment.threshold(small, "bone").values.tolist() == [[[False] * 5 + [True]]]
    assert not segment.threshold(small, -1e9, 1e9).values[0, 0, 2]
    lazy = segment.threshold(ct.chunk({"slice": 2}), "bone")
    assert lazy.chunks is not None
    assert (lazy.values == segment.threshold(ct, "bone").values).all()
    assert segment.otsu(ct.chunk({"slice": 2})).chunks is not None
    # Whole numbers meet limits that are none, and limits beyond their type.
    assert (segment.threshold(ct, 0.5).values == (ct.values >= 0.5)).all()
    assert segment.threshold(ct, -1e6, 1e6).values.all()
    assert not segment.threshold(ct.astype("uint8"), 300).values.any()


def test_a_mask_says_nothing_that_was_said_of_the_values(ct: xr.DataArray) -> None:
    ct = ct.assign_attrs(WindowCenter=40)
    for found in (
        segment.threshold(ct, 0),
        segment.otsu(ct),
        segment.hysteresis(ct, 0, 100),
        segment.body(ct),
        segment.bone(ct),
    ):
        assert found.attrs == {}
        assert found.dicom.same_grid(ct)
    assert segment.bone(ct).dicom.labels.names == ["bone"]
    kept = with_labels(segment.threshold(ct, 0), "liver")
    assert segment.dilate(kept, 2).dicom.labels.names == ["liver"]


def test_touching_things_are_split_at_their_neck(balls: xr.DataArray) -> None:
    assert segment.components(balls).max() == 1
    parts = segment.split(balls, 7)
    assert ((parts > 0) == balls).all()
    assert int(parts.max()) == 2
    assert len({int(parts[5, 20, 15]), int(parts[5, 20, 35])} - {0}) == 2
    first, second = (int((parts == k).sum()) for k in (1, 2))
    assert second > 0.9 * first


@pytest.mark.parametrize("on", ["edges", "values"])
def test_basins_of_markers_keep_their_names_and_meet_between_them(
    on: str, ct: xr.DataArray, balls: xr.DataArray
) -> None:
    found = segment.watershed(ct, markers=markers_of(ct), on=on)  # type: ignore[arg-type]
    assert found.dicom.labels.names == ["one", "two", "air"]
    assert (found > 0).all()
    if on == "edges":
        both = (found == 1) | (found == 2)
        assert float((both & balls).sum()) / float((both | balls).sum()) > 0.9
    inside = segment.watershed(balls, markers=markers_of(ct).where(balls, 0).astype("uint8"))
    assert ((inside > 0) == balls).all()
    assert float((inside == 1).sum()) == pytest.approx(float((inside == 2).sum()), rel=0.1)


def test_random_walks_chan_vese_and_snakes_find_the_balls(ct: xr.DataArray, balls: xr.DataArray) -> None:
    near = segment.dilate(markers_of(ct), 4)
    marks = near.where(near != 3, 0).where(segment.dilate(balls, 4), 3).astype("uint8")
    walked = segment.random_walker(ct, markers=with_labels(marks, ["one", "two", "air"]))
    assert walked.dicom.labels.names == ["one", "two", "air"]
    assert float((((walked == 1) | (walked == 2)) == balls).mean()) > 0.97
    start = segment.erode(balls, 5)
    assert start.any()
    assert float((segment.chan_vese(ct, start=start) == balls).mean()) > 0.97
    snake = segment.snake(ct, start=segment.dilate(balls, 3), balloon=-1)
    assert float((snake == balls).mean()) > 0.97
    flat = segment.chan_vese(ct.isel(slice=5), start=start.isel(slice=5))
    assert float((flat == balls.isel(slice=5)).mean()) > 0.97


def test_supervoxels_are_about_as_many_and_as_large_as_asked(ct: xr.DataArray, balls: xr.DataArray) -> None:
    assert 50 < int(segment.slic(ct, n=100).max()) < 200
    ml = 0.2
    found = segment.slic(ct, ml=ml, mask=balls)
    assert ((found > 0) == balls).all()
    assert 0.3 * ml < float(balls.sum()) * 0.0024 / int(found.max()) < 3 * ml


def test_masks_are_combined_as_labels_or_as_segments_where_they_overlap(ct: xr.DataArray) -> None:
    apart = segment.combine({"bone": ct > 0, "air": ct < -500})
    assert apart.dims == ct.dims
    assert apart.dicom.labels.names == ["bone", "air"]
    assert segment.combine({"bone": ct > 0, "body": ct > -2000}, overlap="keep").sizes["segment"] == 2


def test_uneven_slices_are_refused_where_nothing_else_is_true_and_tilted_ones_everywhere(
    balls: xr.DataArray, tilted: xr.DataArray
) -> None:
    uneven = balls.isel(slice=[0, 1, 2, 5, 6, 11])
    assert segment.dilate(uneven, 3).any()
    assert segment.distance(uneven).max() > 0
    assert segment.remove_small(uneven, ml=0.01).any()
    for verb in (segment.smooth, segment.split):
        with pytest.raises(GeometryError, match=r"volume\.dicom\.regularize\(\)"):
            verb(uneven, 2.0)
    for verb in (
        segment.dilate,
        segment.erode,
        segment.opening,
        segment.closing,
        segment.smooth,
        segment.split,
    ):
        with pytest.raises(GeometryError, match=r"volume\.dicom\.rectify\(\)"):
            verb(tilted, 2.0)
    with pytest.raises(GeometryError, match="rectify"):
        segment.distance(tilted)
    # Neither counts mm between slices.
    assert segment.fill_holes(tilted).any()
    assert segment.between_slices(tilted).any()
    assert segment.grow(tilted, at=tilted.dicom.lps([5, 20, 15]), tolerance=0).any()
    with pytest.raises(GeometryError, match="resample"):
        segment.dilate(balls.isel(row=[0, 1, 2, 7, 8, 20]), 2)


def test_uneven_slices_decide_which_part_is_the_largest() -> None:
    grid = dl.Geometry(
        np.eye(3)[:, ::-1], np.array([0.0, 1, 2, 12, 22]), np.arange(5.0), np.arange(5.0), "1.2"
    )
    values = np.zeros((5, 5, 5), bool)
    values[0, :4, 0] = values[4, :2, 3] = True
    largest = segment.largest_component(dl.make_volume(values, geometry=grid))
    assert largest.values[4, 0, 3]
    assert not largest.values[0].any()
    assert segment.remove_small(dl.make_volume(values, geometry=grid), ml=0.01).equals(largest)


def test_a_seed_outside_is_an_error_with_the_extent_and_one_of_another_value_finds_nothing(
    ct: xr.DataArray,
) -> None:
    with pytest.raises(
        DicomLabError, match=r"lies outside the volume, which reaches over x -0.5 to 49.5, y -0.4 to 31.6, z"
    ):
        segment.grow(ct, at=(0, 0, 900), tolerance=10)
    with pytest.warns(DicomLabWarning, match="nothing grows"):
        assert not segment.grow(ct, at=ct.dicom.lps([0, 0, 0]), low=0).any()
    grown = segment.grow(ct, at=ct.dicom.lps([[5, 20, 15], [0, 0, 0]]), low=0)
    assert grown.equals(segment.grow(ct, at=ct.dicom.lps([5, 20, 15]), low=0))
    # At the face of the outer voxel is inside.
    assert segment.grow(ct, at=(-0.49, 0, 0), tolerance=100).any()


COMPLEX: Callable[[xr.DataArray], object] = lambda ct: segment.threshold(ct + 1j, 0)  # noqa: E731


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (COMPLEX, r"abs\(volume\)"),
        (lambda ct: segment.otsu(ct.expand_dims(sample=3)), "one colour"),
        (lambda ct: segment.threshold(ct), "found neither"),
        (lambda ct: segment.threshold(ct, 5, 2), "at most high"),
        (lambda ct: segment.threshold(ct, float("nan")), "one number"),
        (lambda ct: segment.threshold(ct, "spaghetti"), "there are air, lung, fat"),
        (lambda ct: segment.threshold(ct, "bone", 900), "both ends"),
        (lambda ct: segment.threshold(ct.drop_attrs(), "bone"), "in no unit"),
        (lambda ct: segment.lungs(ct.assign_attrs(units="Bq/ml")), "Bq/ml"),
        (lambda ct: segment.otsu(ct, classes=1), "from 2 to 6"),
        (lambda ct: segment.otsu(ct * 0), "1 different values"),
        (lambda ct: segment.otsu(ct, mask=(ct > 0)[1:]), "another grid"),
        (lambda ct: segment.grow(ct, at=(1, 2, 3)), "found none"),
        (lambda ct: segment.grow(ct, at=(1, 2, 3), low=1, tolerance=3), "found several"),
        (lambda ct: segment.grow(ct, at=(1, 2), low=1), "LPS mm"),
        (lambda ct: segment.grow(ct, at=(1, 2, 3), tolerance=-1), "0 or more"),
        (lambda ct: segment.grow(ct, at=(1, 2, 3), low=1, connectivity=8), "6 .faces."),
        (lambda ct: segment.dilate(ct, 2), "a mask was asked for"),
        (lambda ct: segment.dilate(ct > 0, -2), "0 or more"),
        (lambda ct: segment.dilate(ct > 0, float("inf")), "0 or more"),
        (lambda ct: segment.dilate(ct > 0, "2"), "millimetres"),
        (lambda ct: segment.largest_component(ct > 0, n=0), "1 or more"),
        (lambda ct: segment.remove_small(ct > 0, ml=-1), "millilitres"),
        (lambda ct: segment.remove_small((ct > 0).isel(slice=0), ml=1), r"isel\(slice=\[k\]\)"),
        (lambda ct: segment.distance(segment.components(ct > 0)), r"distance\(mask == 2\)"),
        (
            lambda ct: segment.components(segment.combine({"a": ct > 0, "b": ct > 10}, overlap="keep")),
            r"components\(mask.isel\(segment=0\)\)",
        ),
        (lambda ct: segment.components(segment.components(ct > 0)), r"components\(mask > 0\)"),
        (lambda ct: segment.watershed(ct, markers=segment.components(ct > 9000)), "needs markers"),
        (lambda ct: segment.random_walker(ct, markers=segment.components(ct > 0)), "at least two"),
        (lambda ct: segment.chan_vese(ct, start=ct > 9000), "an empty one"),
        (lambda ct: segment.snake(ct, start=ct > 0, balloon=3), "-1, 0 or 1"),
        (lambda ct: segment.slic(ct), "one of both"),
        (lambda ct: segment.slic(ct, ml=1e-9), "at least that of a voxel"),
        (lambda ct: segment.between_slices(ct > 0, axis="z"), "slice, row or column"),
        (lambda ct: segment.combine({}), "masks by name"),
        (lambda ct: segment.body(ct.values), "make_volume"),
        (lambda ct: segment.body(ct[:0]), "found none"),
    ],
)
def test_what_cannot_be_is_refused_with_what_was_asked_and_what_to_do(
    what: Callable[[xr.DataArray], object], said: str, ct: xr.DataArray
) -> None:
    with pytest.raises(DicomLabError, match=said):
        what(ct)


def test_nothing_found_is_a_mask_without_voxels(ct: xr.DataArray) -> None:
    nothing = ct > 10_000
    for found in (
        segment.largest_component(nothing),
        segment.components(nothing),
        segment.fill_holes(nothing),
        segment.dilate(nothing, 3),
        segment.closing(nothing, 3),
        segment.smooth(nothing, 2),
        segment.split(nothing, 2),
        segment.between_slices(nothing),
        segment.lungs(ct),
        segment.airways(ct),
        segment.bone(ct - 800),
    ):
        assert not found.any()
        assert found.dicom.same_grid(ct)
    assert (segment.distance(nothing) == np.inf).all()
    assert (segment.distance(~nothing) == -np.inf).all()


def test_no_helper_changes_what_it_is_given(ct: xr.DataArray, balls: xr.DataArray) -> None:
    values, mask = ct.values.copy(), balls.values.copy()
    for verb in (segment.body, segment.bone, segment.lungs, segment.air, segment.otsu):
        verb(ct)
    for found in (
        segment.fill_holes(balls),
        segment.fill_holes(balls, per_slice=True),
        segment.largest_component(balls),
        segment.remove_small(balls, ml=0),
        segment.closing(balls, 2),
        segment.between_slices(balls),
        segment.threshold(balls, 1),
    ):
        assert not np.shares_memory(found.values, balls.values)
    assert (ct.values == values).all()
    assert (balls.values == mask).all()


@pytest.mark.parametrize("connectivity", [6, 18, 26])
def test_lines_of_voxels_have_components_too(connectivity: int) -> None:
    every_other = np.arange(9) % 2 == 0
    for shape in ((1, 1, 9), (1, 9, 1), (9, 1, 1)):
        found = segment.components(volume_of(every_other.reshape(shape)), connectivity=connectivity)  # type: ignore[arg-type]
        assert int(found.max()) == 5


@pytest.mark.parametrize("turned", [slice(None), slice(None, None, -1)])
def test_a_seed_is_the_voxel_that_holds_the_position_and_none_beside_the_volume(turned: slice) -> None:
    values = np.arange(5 * 6 * 7.0).reshape(5, 6, 7)
    spacing = np.array([2.5, 0.7, 1.1])
    volume = dl.make_volume(values, affine=np.diag([*spacing, 1.0])[[2, 1, 0, 3]], units="HU")
    volume = volume.isel(slice=turned, row=turned)
    centre = spacing * [2, 3, 4]
    for aside in ([0.4, 0.4, 0.4], [-0.4, -0.4, -0.4], [0.4, -0.4, 0.0]):
        at = (centre + spacing * aside)[::-1]
        found = segment.grow(volume, at=at, tolerance=0)
        assert volume.values[found.values].tolist() == [values[2, 3, 4]]
    for axis, size in enumerate(values.shape):
        for place, is_in in ((-0.4, True), (-0.6, False), (size - 0.6, True), (size - 0.4, False)):
            at = centre.copy()
            at[axis] = spacing[axis] * place
            if is_in:
                assert segment.grow(volume, at=at[::-1], tolerance=0).sum() == 1
            else:
                with pytest.raises(DicomLabError, match="outside the volume"):
                    segment.grow(volume, at=at[::-1], tolerance=0)


def test_where_two_labels_reach_one_voxel_the_lower_number_has_it() -> None:
    line = dl.make_volume(np.array([[[5, 0, 0, 0, 2]]], np.uint8), affine=np.eye(4)[[2, 1, 0, 3]])
    assert segment.dilate(line, 1).values.ravel().tolist() == [5, 5, 0, 2, 2]
    assert segment.dilate(line, 2).values.ravel().tolist() == [5, 5, 2, 2, 2]
    assert segment.dilate(line, 9).values.ravel().tolist() == [5, 2, 2, 2, 2]


@pytest.mark.parametrize("dtype", ["int16", "uint8", "float32", "int64"])
def test_limits_between_whole_numbers_are_not_rounded(dtype: str) -> None:
    volume = dl.make_volume(np.arange(24).reshape(2, 3, 4).astype(dtype), affine=np.eye(4)[[2, 1, 0, 3]])
    assert volume.values[segment.threshold(volume, 9.5, 12.5).values].tolist() == [10, 11, 12]
    assert volume.values[segment.threshold(volume.chunk(), 10, 12).values].tolist() == [10, 11, 12]
    assert volume.values[segment.hysteresis(volume, 9.5, 22.5).values].tolist() == [*range(10, 24)]
