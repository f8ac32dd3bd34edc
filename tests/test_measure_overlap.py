"""`compare_masks` says what SimpleITK, and distances between all surface voxels, say."""

import math

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_support import BALL, BLOB, EDGE, ONE, RING, SPACINGS, affine, itk, shapes, volume_of
from scipy import ndimage
from scipy.spatial import KDTree

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.masks import mask_like, stacked, with_labels
from dicomlab.measure import compare_masks

NAMES = {ONE: "one", EDGE: "edge", RING: "ring", BALL: "ball", BLOB: "blob"}
DISTANCES = ["hausdorff_mm", "hd95_mm", "hd95_pooled_mm", "assd_mm"]


def other_shapes(labels: np.ndarray, seed: int = 0) -> np.ndarray:
    """The same, moved by a few voxels, with pieces torn off."""
    rng = np.random.default_rng(seed)
    moved = np.roll(labels, rng.integers(-2, 3, 3), (0, 1, 2))
    moved[(moved == BLOB) & (rng.random(labels.shape) > 0.9)] = 0
    return moved


def by_tree(
    a: np.ndarray, b: np.ndarray, places: np.ndarray, tolerance: float
) -> tuple[float, float, float, float, float]:
    """Hausdorff, HD95, pooled HD95, ASSD, surface Dice, from the places of all voxels."""

    def surface(one: np.ndarray) -> np.ndarray:
        return one & ~ndimage.binary_erosion(one, border_value=0)

    to_b = KDTree(places[surface(b)]).query(places[surface(a)])[0]
    to_a = KDTree(places[surface(a)]).query(places[surface(b)])[0]
    whole = max(KDTree(places[b]).query(places[a])[0].max(), KDTree(places[a]).query(places[b])[0].max())
    pooled = np.concatenate([to_a, to_b])
    return (
        whole,
        max(np.percentile(to_a, 95), np.percentile(to_b, 95)),
        np.percentile(pooled, 95),
        pooled.mean(),
        (np.count_nonzero(to_a <= tolerance + 1e-5) + np.count_nonzero(to_b <= tolerance + 1e-5))
        / pooled.size,
    )


def leaning(
    degrees: float, along: np.ndarray, steps: tuple[float, float], shape: tuple[int, ...]
) -> dl.Geometry:
    """A grid whose slices lean over along its rows."""
    lean = np.array([[0, 0, 1.0], [math.tan(math.radians(degrees)), 1, 0], [1, 0, 0]])
    down, across = (step * np.arange(n) for step, n in zip(steps, shape[1:], strict=True))
    return dl.Geometry(lean, along, down, across, "1.2.3")


def places_of(grid: dl.Geometry) -> np.ndarray:
    return grid.lps(np.stack(np.meshgrid(*map(np.arange, grid.shape), indexing="ij"), axis=-1))


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("oblique", [False, True])
def test_overlap_and_hausdorff_are_those_of_itk(spacing: tuple[float, float, float], oblique: bool) -> None:
    matrix, labels = affine(spacing, oblique=oblique), shapes()
    others = other_shapes(labels)
    table = compare_masks(
        with_labels(volume_of(labels, matrix), NAMES), with_labels(volume_of(others, matrix), NAMES)
    )
    assert table.index.tolist() == [NAMES[n] for n in sorted(NAMES)]
    for number, name in NAMES.items():
        a, b = ((one == number).astype(np.uint8) for one in (labels, others))
        theirs, far = sitk.LabelOverlapMeasuresImageFilter(), sitk.HausdorffDistanceImageFilter()
        theirs.Execute(itk(b, matrix), itk(a, matrix))
        far.Execute(itk(a, matrix), itk(b, matrix))
        row = table.loc[name]
        assert row["dice"] == pytest.approx(theirs.GetDiceCoefficient(1), abs=1e-12)
        assert row["jaccard"] == pytest.approx(theirs.GetJaccardCoefficient(1), abs=1e-12)
        assert row["sensitivity"] == pytest.approx(1 - theirs.GetFalseNegativeError(1), abs=1e-12)
        assert row["precision"] == pytest.approx(int((a & b).sum()) / int(b.sum()), abs=1e-12)
        assert row["hausdorff_mm"] == pytest.approx(far.GetHausdorffDistance(), rel=1e-5)
        assert row["volume_a_ml"] == pytest.approx(a.sum() * np.prod(spacing) / 1000)
        assert row["volume_difference_relative"] == pytest.approx(int(b.sum()) / int(a.sum()) - 1)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("seed", range(3))
def test_distances_are_those_of_all_surface_voxels(spacing: tuple[float, float, float], seed: int) -> None:
    matrix, labels = affine(spacing, oblique=bool(seed % 2)), shapes(seed)
    others = other_shapes(labels, seed)
    a, b = volume_of(labels, matrix), volume_of(others, matrix)
    table = compare_masks(a, b, tolerance=1.5)
    places = places_of(a.dicom.geometry)
    for number, row in zip(sorted(NAMES), table.to_dict("records"), strict=True):
        expected = by_tree(labels == number, others == number, places, 1.5)
        assert [row[name] for name in (*DISTANCES, "surface_dice")] == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("kind", ["tilted", "uneven"])
def test_distances_are_right_where_slices_are_tilted_or_uneven(kind: str) -> None:
    labels = shapes(1)
    along = 3.0 * np.arange(14) if kind == "tilted" else np.cumsum(np.array([1.0, 4, 1, 2, 6, 1, 2] * 2))
    grid = leaning(25 if kind == "tilted" else 0, along, (0.8, 1.1), labels.shape)
    others = other_shapes(labels, 2)
    a, b = (dl.make_volume(one, geometry=grid) for one in (labels, others))
    places = places_of(grid)
    for number, row in zip(sorted(NAMES), compare_masks(a, b).to_dict("records"), strict=True):
        expected = by_tree(labels == number, others == number, places, 1.0)
        assert [row[name] for name in (*DISTANCES, "surface_dice")] == pytest.approx(expected, rel=1e-9)


def test_across_a_shear_the_nearest_voxel_may_be_one_that_is_buried() -> None:
    """The voxel a slice up and a row back is nearer than any across a face."""
    b = np.zeros((5, 7, 5), bool)
    for axis in range(3):
        b[tuple(slice(1, 4) if k == axis else 2 for k in range(3))] = True
    a = b.copy()
    a[3, 1, 2] = True
    grid = leaning(50, 0.7 * np.arange(5), (1.0, 1.0), b.shape)
    row = compare_masks(*(dl.make_volume(one, geometry=grid) for one in (a, b))).iloc[0]
    assert row["hausdorff_mm"] == pytest.approx(np.hypot(0.7, 0.7 * math.tan(math.radians(50)) - 1))


def test_the_farthest_voxel_may_lie_deep_inside() -> None:
    """A shell and the core that fills it: as of ITK, not only surfaces count."""
    k, i, j = np.indices((15, 15, 15)) - 7
    away = np.sqrt(k**2 + i**2 + j**2)
    matrix = affine((1.0, 1.0, 1.0), oblique=False)
    a, b = away <= 5, (away > 5.5) & (away <= 7)
    far = sitk.HausdorffDistanceImageFilter()
    far.Execute(itk(a.astype(np.uint8), matrix), itk(b.astype(np.uint8), matrix))
    row = compare_masks(volume_of(a, matrix), volume_of(b, matrix)).iloc[0]
    assert row["hausdorff_mm"] == pytest.approx(far.GetHausdorffDistance(), rel=1e-6)
    assert row["hausdorff_mm"] > 5
    assert row["hd95_mm"] < 3


def test_empty_labels_are_told_apart_from_bad_ones() -> None:
    matrix = affine(SPACINGS[0], oblique=False)
    some = volume_of(shapes() == BALL, matrix)
    none = some & False
    row = compare_masks(some, none).iloc[0]
    assert (row["dice"], row["jaccard"], row["sensitivity"], row["surface_dice"]) == (0, 0, 0, 0)
    assert math.isnan(row["precision"])
    assert np.isposinf(row[DISTANCES].tolist()).all()
    assert row["volume_difference_relative"] == -1
    row = compare_masks(none, some).iloc[0]
    assert row["volume_difference_relative"] == math.inf
    assert math.isnan(row["sensitivity"])
    row = compare_masks(none, none).iloc[0]
    sizes = [name for name in row.index if name.endswith("_ml")]
    assert (row[sizes] == 0).all()
    assert row.drop(sizes).isna().all()


def test_a_mask_agrees_with_itself() -> None:
    mask = volume_of(shapes(), affine(SPACINGS[2], oblique=True))
    table = compare_masks(mask, mask, tolerance=0)
    assert (table[["dice", "jaccard", "sensitivity", "precision", "surface_dice"]] == 1).all(axis=None)
    assert (table[[*DISTANCES, "volume_difference_ml", "volume_difference_relative"]] == 0).all(axis=None)


@given(st.integers(0, 10_000))
@settings(max_examples=6, deadline=None)
def test_both_ways_the_distances_are_the_same(seed: int) -> None:
    labels = shapes(seed)
    a = volume_of(labels, affine(SPACINGS[seed % 3], oblique=False))
    b = a.copy(data=other_shapes(labels, seed))
    there, back = compare_masks(a, b), compare_masks(b, a)
    same = ["dice", "jaccard", "surface_dice", *DISTANCES]
    np.testing.assert_allclose(there[same], back[same], rtol=1e-6)
    np.testing.assert_array_equal(there["sensitivity"], back["precision"])
    turned = {name: slice(None, None, -1) for name in ("slice", "row")}
    flipped = compare_masks(a.isel(turned).transpose("row", ...), b.isel(turned).transpose(..., "slice"))
    np.testing.assert_allclose(there, flipped, rtol=1e-6)


def test_labels_meet_by_name_else_by_number() -> None:
    matrix = affine(SPACINGS[1], oblique=False)
    labels = shapes()
    a = with_labels(volume_of(labels, matrix), NAMES)
    swapped = np.where(labels == BALL, RING, np.where(labels == RING, BALL, labels)).astype(np.uint8)
    b = with_labels(volume_of(swapped, matrix), {BALL: "Ring", RING: "BALL", BLOB: "something else"})
    table = compare_masks(a, b)
    assert table.loc[["ball", "ring"], "dice"].tolist() == [1, 1]
    assert table.loc[["blob", "something else"], "dice"].tolist() == [0, 0]
    bare = compare_masks(a, volume_of(labels, matrix))
    assert bare.index.tolist() == [f"{NAMES[n]} | label {n}" for n in sorted(NAMES)]
    assert (bare["dice"] == 1).all()
    lone = compare_masks((a == BALL).rename("mine"), (b == RING).rename("yours"))
    assert lone.index.tolist() == ["mine | yours"]
    assert lone["dice"].tolist() == [1]
    twice = with_labels(a, {BALL: "lung", RING: "lung"})
    with pytest.raises(DicomLabError, match="lung"):
        compare_masks(twice, twice)


def test_segments_and_fractions_are_compared_as_they_are() -> None:
    matrix = affine(SPACINGS[1], oblique=False)
    a = with_labels(volume_of(shapes(), matrix), NAMES)
    b = with_labels(volume_of(other_shapes(shapes()), matrix), NAMES)
    apart = [stacked({name: one == number for number, name in NAMES.items()}) for one in (a, b)]
    expected = compare_masks(a, b)
    assert expected.equals(compare_masks(*apart))
    assert expected.equals(compare_masks(apart[0] * 0.7, b.chunk({"slice": 4})))


def test_each_step_of_time_is_compared() -> None:
    a = with_labels(volume_of(shapes(), affine(SPACINGS[1], oblique=False)), NAMES)
    b = xr.concat([a, a.copy(data=other_shapes(a.values))], xr.Variable("time", [0.0, 2.0]))
    table = compare_masks(a, b)
    assert table.index.names == ["label", "time"]
    assert (table.xs(0.0, level="time")["dice"] == 1).all()
    assert table.xs(2.0, level="time").equals(compare_masks(a, b.isel(time=1)))


def test_a_lone_slice_is_compared_along_its_outline() -> None:
    grid = dl.Geometry(np.eye(3)[:, ::-1], np.zeros(1), 0.5 * np.arange(30), 2.0 * np.arange(34), "1")
    values = shapes()[[6]]
    a = dl.make_volume(values == RING, geometry=grid)
    b = mask_like(a, np.roll(values == RING, 2, axis=2))
    row = compare_masks(a, b, tolerance=1).iloc[0]
    flat = [one.values[0] for one in (a, b)]
    edges = [one & ~ndimage.binary_erosion(one) for one in flat]
    places = places_of(grid)[0]
    to_b = KDTree(places[edges[1]]).query(places[edges[0]])[0]
    to_a = KDTree(places[edges[0]]).query(places[edges[1]])[0]
    assert row["assd_mm"] == pytest.approx(np.concatenate([to_a, to_b]).mean(), rel=1e-6)
    assert math.isnan(row["volume_a_ml"])
    assert row["dice"] == pytest.approx(2 * (flat[0] & flat[1]).sum() / (flat[0].sum() + flat[1].sum()))


def test_overlap_on_uneven_slices_is_of_volumes() -> None:
    grid = dl.Geometry(np.eye(3)[:, ::-1], np.array([0.0, 2, 10, 12]), np.arange(2.0), np.arange(3.0), "1")
    a = dl.make_volume(np.ones((4, 2, 3), bool), geometry=grid)
    b = a.copy(data=np.ones((4, 2, 3), bool) & np.array([True, True, False, False])[:, None, None])
    # By hand: faces at -1, 1, 6, 11, 13.
    row = compare_masks(a, b).iloc[0]
    assert row["dice"] == pytest.approx(2 * 7 / (14 + 7))
    assert row["volume_difference_relative"] == pytest.approx(-0.5)


def test_what_cannot_be_compared_is_refused() -> None:
    a = volume_of(shapes(), affine(SPACINGS[1], oblique=False))
    with pytest.raises(GeometryError, match=r"resample_like|reindex_like"):
        compare_masks(a, a[1:])
    with pytest.raises(DicomLabError, match="tolerance"):
        compare_masks(a, a, tolerance=-1)
    with pytest.raises(DicomLabError, match="Compare first"):
        compare_masks(a, a * 1.0)
