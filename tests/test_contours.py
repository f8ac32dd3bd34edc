"""Contours become masks by pixel centres on any grid, as oracles find them, and masks become contours that give them back."""

import time

import numpy as np
import pytest
import xarray as xr
from contour_support import FRAME, GRIDS, SHAPES, mask_on, turned, volume_on
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from skimage.measure import points_in_poly

from dicomlab import make_volume
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import Geometry
from dicomlab.masks import mask_like, stacked, with_labels
from dicomlab.segment import from_contours, from_polygon, to_contours
from dicomlab.segment.crossing import count_crossing
from dicomlab.segment.outlines import Outlines, Planes
from dicomlab.view.grid import Grid
from dicomlab.view.measured import voxels_inside

PIXEL = 0.9 * 0.7


def _dice(a: xr.DataArray, b: xr.DataArray) -> float:
    xr.testing.assert_equal(a.coords.to_dataset(), b.coords.to_dataset())
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


def _area(contours: list[np.ndarray], normal: np.ndarray) -> np.ndarray:
    """Signed areas by triangles from the first point."""
    fans = [np.cross(one[1:-1] - one[0], one[2:] - one[0]).sum(axis=0) / 2 for one in contours]
    return np.array(fans).reshape(-1, 3) @ normal


def _points(volume: xr.DataArray) -> np.ndarray:
    """LPS of every voxel by the rule of the conventions alone, shape (slice, row, column, 3)."""
    d = np.array(volume.frame_of_reference.attrs["direction"]).reshape(3, 3)
    s, r, c = (volume[name].values for name in ("slice", "row", "column"))
    return s[:, None, None, None] * d[:, 0] + r[:, None, None] * d[:, 1] + c[:, None] * d[:, 2]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", GRIDS)
@pytest.mark.parametrize("holes", ["xor", "keyhole"])
def test_a_mask_comes_back_from_its_contours_exactly(kind: str, shape: str, holes: str) -> None:
    mask = mask_on(volume_on(kind), shape)
    contours = to_contours(mask, holes=holes)[shape]
    assert _dice(from_contours(mask, contours), mask) == 1.0
    if holes == "keyhole":
        assert _dice(from_contours(mask, contours, rule="union"), mask) == 1.0


@settings(max_examples=40, deadline=None)
@given(
    values=arrays(np.bool_, array_shapes(min_dims=3, max_dims=3, min_side=2, max_side=7)),
    kind=st.sampled_from(GRIDS),
    holes=st.sampled_from(["xor", "keyhole"]),
)
def test_any_mask_comes_back_and_has_the_area_of_its_pixels(
    values: np.ndarray, kind: str, holes: str
) -> None:
    volume = volume_on(kind, values.shape).transpose("slice", "row", "column")
    mask = mask_like(volume, values, name="any")
    contours = to_contours(mask, holes=holes)["any"]
    assert np.array_equal(from_contours(mask, contours).values, values)
    direction = Geometry.from_volume(mask).direction
    areas = _area(contours, np.cross(direction[:, 2], direction[:, 1]))
    assert abs(areas.sum()) == pytest.approx(values.sum() * PIXEL)
    if holes == "keyhole":
        assert np.all(areas * np.sign(areas.sum()) > 0)  # no piece is a hole


@pytest.mark.parametrize("kind", ["axial", "oblique"])
@pytest.mark.parametrize("shape", SHAPES)
def test_contours_pass_no_point_twice_and_turn_at_each(kind: str, shape: str) -> None:
    for one in to_contours(mask_on(volume_on(kind), shape))[shape]:
        assert len(np.unique(one.round(6), axis=0)) == len(one)
        before, after = one - np.roll(one, 1, axis=0), np.roll(one, -1, axis=0) - one
        assert np.linalg.norm(np.cross(before, after), axis=1).min() > 0.1


def test_contours_lie_on_the_edges_of_pixels_in_patient_mm() -> None:
    mask = mask_on(volume_on("axial"), "voxel")  # slice 3, row 4, column 8
    (one,) = to_contours(mask)["voxel"]
    x, y = -31.3 + 0.7 * 8, 12.7 + 0.9 * 4
    corners = {(x + a, y + b, 101.1 + 3 * 3) for a in (-0.35, 0.35) for b in (-0.45, 0.45)}
    assert {tuple(p) for p in one.round(9)} == {tuple(np.round(p, 9)) for p in corners}


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), kind=st.sampled_from(["axial", "flipped", "oblique", "tilted"]))
def test_polygons_hold_the_voxels_that_another_library_finds_in_them(seed: int, kind: str) -> None:
    random = np.random.default_rng(seed)
    volume = volume_on(kind)
    geometry, points = Geometry.from_volume(volume), _points(volume)
    index = random.uniform(-2, [13, 15], (random.integers(3, 9), 2))
    corners = geometry.lps([[2, i, j] for i, j in index])
    found = from_contours(volume, [corners]).transpose("slice", "row", "column").values
    polygon, centres = corners @ geometry.direction[:, 1:], points[2] @ geometry.direction[:, 1:]
    wanted = points_in_poly(centres.reshape(-1, 2), polygon).reshape(centres.shape[:2])
    assert np.array_equal(found[2], wanted)
    assert not found[[0, 1, 3, 4, 5]].any()


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), rule=st.sampled_from(["evenodd", "union"]))
@example(seed=100000, rule="evenodd")  # half a degree out of the slices
def test_contours_oblique_to_the_grid_are_met_along_their_normal(seed: int, rule: str) -> None:
    random = np.random.default_rng(seed)
    volume = volume_on(str(random.choice(["axial", "oblique", "uneven", "tilted"])))
    points = _points(volume)
    across = turned(tuple(random.uniform(0, 180, 2)))
    middle = points.reshape(-1, 3).mean(axis=0)
    levels = np.arange(4) * 2.5 - 4
    shapes = [[random.uniform(-6, 6, (random.integers(3, 8), 2)) for _ in range(2)] for _ in levels]
    contours = [
        middle + np.column_stack([one, np.full(len(one), z)]) @ across.T
        for z, some in zip(levels, shapes, strict=True)
        for one in some
    ]
    found = from_contours(volume, contours, rule=rule).transpose("slice", "row", "column").values
    flat = (points - middle) @ across
    nearest = np.abs(flat[..., 2, None] - levels).argmin(axis=-1)
    near = np.abs(flat[..., 2, None] - levels).min(axis=-1) < 1.25
    wanted = np.zeros(found.shape, bool)
    for k, some in enumerate(shapes):
        inside = [points_in_poly(flat[..., :2].reshape(-1, 2), one).reshape(found.shape) for one in some]
        both = inside[0] ^ inside[1] if rule == "evenodd" else inside[0] | inside[1]
        wanted |= both & near & (nearest == k)
    assert wanted.any()
    assert np.array_equal(found, wanted)


@pytest.mark.parametrize("kind", ["axial", "oblique", "flipped"])
@pytest.mark.parametrize("degrees", [0.0, 0.003, 0.05, 0.3, 0.45, 2.0])
@pytest.mark.parametrize("trembling", [0.0, 0.03])
def test_two_contours_of_one_plane_stay_in_one_plane_however_little_it_leans(
    kind: str, degrees: float, trembling: float
) -> None:
    volume = volume_on(kind, (6, 12, 120))
    geometry, points = Geometry.from_volume(volume), _points(volume)
    random = np.random.default_rng(7)
    # About the direction in which rows follow each other: far ends of a plane, 70 mm apart, come to lie at other heights.
    a = np.deg2rad(degrees)
    lean = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    across = geometry.direction[:, [2, 1, 0]] @ lean
    middle = geometry.lps([[2, 5.5, 59.5]])[0]
    levels = np.arange(4) * 2.5 - 4.2
    corners = np.array([[-5.1, -4.2], [5.1, -4.2], [5.1, 4.2], [-5.1, 4.2]])
    squares = [corners + np.array([x, 0]) for x in (-35.1, 35.1)]
    contours = [
        middle + np.column_stack([square, z + random.uniform(-trembling, trembling, 4)]) @ across.T
        for z in levels
        for square in squares
    ]
    found = from_contours(volume, contours).transpose("slice", "row", "column").values
    flat = (points - middle) @ across
    far = np.abs(flat[..., 2, None] - levels).min(axis=-1)
    inside = (np.abs(np.abs(flat[..., 0]) - 35.1) < 5.1) & (np.abs(flat[..., 1]) < 4.2)
    sure = np.abs(far - 1.25) > 2 * trembling
    assert np.array_equal(found & sure, inside & (far < 1.25) & sure)
    assert (inside & sure).sum() > 100


@pytest.mark.parametrize("kind", GRIDS)
@settings(max_examples=2, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_contours_that_share_edges_on_voxel_centres_share_no_voxel_and_leave_none(
    seed: int, kind: str
) -> None:
    random = np.random.default_rng(seed)
    volume = volume_on(kind)
    geometry = Geometry.from_volume(volume)
    # A fan of triangles around a voxel centre, all corners voxel centres.
    rim = [(0, 0), (0, 6), (0, 12), (5, 12), (10, 12), (10, 4), (10, 0), (3, 0)]
    hub = random.integers([1, 1], [10, 12])
    fan = [geometry.lps([[1, *hub], [1, *a], [1, *b]]) for a, b in zip(rim, [*rim[1:], rim[0]], strict=True)]
    parts = [from_contours(volume, [one]) for one in fan]
    whole = from_contours(volume, [geometry.lps([[1, *corner] for corner in rim])])
    assert np.array_equal(sum(part.astype(int) for part in parts).values, whole.values.astype(int))
    assert int(whole.sum()) == 10 * 12  # one of two borders along each axis


def test_a_mask_does_not_depend_on_the_order_of_voxels() -> None:
    volume = volume_on("axial")
    square = Geometry.from_volume(volume).lps([[2, 1, 1], [2, 1, 7], [2, 6, 7], [2, 6, 1]])
    plain = from_contours(volume, [square])
    other = from_contours(volume[::-1, ::-1, ::-1].transpose("column", "row", "slice"), [square])
    assert np.array_equal(other.transpose("slice", "row", "column")[::-1, ::-1, ::-1].values, plain.values)


def test_nested_contours_are_holes_and_islands_and_a_keyhole_is_the_same() -> None:
    volume = volume_on("axial")
    geometry = Geometry.from_volume(volume)

    def square(r: float) -> np.ndarray:
        return geometry.lps([[2, 5 + a * r, 6 + b * r] for a, b in ((-1, -1), (-1, 1), (1, 1), (1, -1))])

    nested = from_contours(volume, [square(0.6), square(4.6), square(2.6)])
    assert int(nested.sum()) == 81 - 25 + 1
    assert int(from_contours(volume, [square(4.6), square(2.6)], rule="union").sum()) == 81
    keyhole = np.concatenate([square(4.6), square(4.6)[:1], square(2.6), square(2.6)[:1]])
    for rule in ("evenodd", "union"):
        assert from_contours(volume, [keyhole], rule=rule).equals(
            from_contours(volume, [square(4.6), square(2.6)])
        )


def _column(z: np.ndarray) -> xr.DataArray:
    """A volume of one-millimetre pixels with these slices."""
    fine = make_volume(
        np.zeros((400, 5, 5)), affine=np.diag([0.1, 1, 1, 1])[[2, 1, 0, 3]], frame_of_reference=FRAME
    )
    return fine.isel(slice=np.rint(np.asarray(z) * 10).astype(int))


def _squares(*z: float) -> list[np.ndarray]:
    return [np.array([[0.5, 0.5, h], [3.5, 0.5, h], [3.5, 3.5, h], [0.5, 3.5, h]]) for h in z]


def test_contours_between_slices_stand_for_slabs_that_meet_half_way() -> None:
    volume = _column(np.arange(0.5, 20, 1.0))
    taken = from_contours(volume, _squares(6, 9, 12)).any(dim=("row", "column"))
    assert volume.slice[taken].values.tolist() == [4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5]
    # A plane that was left out stays empty, and a slice takes the nearer of two planes.
    gap = from_contours(volume, _squares(3, 6, 12, 15)).any(dim=("row", "column"))
    assert volume.slice[gap].values.tolist() == [
        1.5,
        2.5,
        3.5,
        4.5,
        5.5,
        6.5,
        10.5,
        11.5,
        12.5,
        13.5,
        14.5,
        15.5,
    ]
    small = [np.array([[0.5, 0.5, 9], [1.5, 0.5, 9], [1.5, 1.5, 9], [0.5, 1.5, 9]])]
    mixed = from_contours(volume, _squares(6) + small + _squares(12)).sum(dim=("row", "column"))
    assert mixed.values[4:13].tolist() == [9] * 3 + [1] * 3 + [9] * 3


def test_contours_on_slices_fill_these_alone_unless_their_thickness_is_said() -> None:
    volume = _column(np.arange(0, 20, 1.0))
    every_third = _squares(3, 6, 9)
    plain = from_contours(volume, every_third).any(dim=("row", "column"))
    assert volume.slice[plain].values.tolist() == [3, 6, 9]
    thick = from_contours(volume, every_third, thickness=3).any(dim=("row", "column"))
    assert volume.slice[thick].values.tolist() == [2, 3, 4, 5, 6, 7, 8, 9, 10]
    own = from_contours(volume, every_third, thickness=[1, 1, 3]).any(dim=("row", "column"))
    assert volume.slice[own].values.tolist() == [3, 6, 8, 9, 10]


def test_slices_wider_apart_than_contours_take_the_nearest_plane() -> None:
    volume = _column(np.array([0.0, 5.0, 12.5, 20.0]))
    taken = from_contours(volume, _squares(*np.arange(4.2, 13, 1.0))).any(dim=("row", "column"))
    assert taken.values.tolist() == [False, True, True, False]


def test_contours_beyond_the_volume_hold_nothing_of_it() -> None:
    volume = volume_on("axial")
    beyond = _squares(101.1 - 9, 101.1 + 60)
    assert not from_contours(volume, beyond).any()
    assert not from_contours(volume, []).any()
    assert not from_contours(volume, [np.array([[0, 0, 101.1], [9, 9, 101.1]])]).any()


def test_what_was_picked_away_counts_as_one_and_further_axes_stay_out() -> None:
    volume = volume_on("axial").expand_dims(time=[0.0, 1.0])
    mask = mask_on(volume_on("axial"), "ring")
    contours = to_contours(mask)["ring"]
    assert from_contours(volume, contours).equals(from_contours(mask, contours))
    one = from_contours(volume.isel(slice=2), contours)
    assert one.dims == ("row", "column")
    assert np.array_equal(one.values, mask.values[2])
    assert np.array_equal(
        from_contours(mask, to_contours(mask.isel(slice=2))["ring"]).values[2], mask.values[2]
    )


def test_labels_that_overlap_have_contours_of_their_own() -> None:
    volume = volume_on("oblique")
    both = stacked({name: mask_on(volume, name) for name in ("ball", "ring")})
    found = to_contours(both)
    assert list(found) == ["ball", "ring"]
    for name in found:
        assert _dice(from_contours(volume, found[name]), mask_on(volume, name)) == 1.0
    with pytest.raises(DicomLabError, match="two labels are called 'ball'"):
        to_contours(with_labels(both, {1: "ball", 2: "ball"}))


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_a_polygon_at_any_angle_takes_the_voxels_that_the_viewer_measures(seed: int) -> None:
    random = np.random.default_rng(seed)
    volume = volume_on(str(random.choice(["axial", "oblique", "uneven", "flipped"])))
    across = turned(tuple(random.uniform(0, 180, 2)))
    middle = _points(volume).reshape(-1, 3).mean(axis=0) + random.uniform(-0.5, 0.5, 3)
    corners = middle + np.column_stack([random.uniform(-7, 7, (6, 2)), np.zeros(6)]) @ across.T
    mask = from_polygon(volume, corners).transpose("slice", "row", "column")
    normal = tuple(across[:, 2].tolist())
    seen = voxels_inside("polygon", [tuple(p) for p in corners.tolist()], normal, Grid.from_volume(volume))
    assert set(zip(*np.nonzero(mask.values), strict=True)) == set(zip(*seen, strict=True))


def test_a_polygon_off_its_plane_or_beside_the_volume_is_refused_by_how_much() -> None:
    volume = volume_on("axial")
    square = _squares(101.1 + 3)[0] + [-29, 14, 0]
    assert (
        int(from_polygon(volume, np.add(square, [0, 0, 1.4])).any(dim=("row", "column")).values.argmax()) == 1
    )
    bent = np.add(square, [[0, 0, 0], [0, 0, 0], [0, 0, 1.5], [0, 0, 0]])
    with pytest.raises(GeometryError, match=r"up to 0\.\d+ mm out of any"):
        from_polygon(volume, bent)
    with pytest.raises(GeometryError, match=r"runs 7\.000 mm beside the voxel centres"):
        from_polygon(volume, square - [0, 0, 10])
    with pytest.raises(DicomLabError, match="enclose nothing"):
        from_polygon(volume, square[:2])


def test_contours_of_several_directions_are_refused() -> None:
    volume = volume_on("axial")
    upright = np.array([[0, 0, 0], [0, 9, 0], [0, 9, 9], [0, 0, 9.0]])
    with pytest.raises(GeometryError, match=r"contour 1 leans out of that of the largest, by \d"):
        from_contours(volume, [upright, _squares(3)[0]])


@pytest.mark.parametrize(
    ("contours", "said"),
    [
        ([np.array([[0, 0, 0], [1, np.nan, 0], [1, 1, 0]])], "no place in a patient"),
        ([np.array([[0, 0, 0], [1e9, 0, 0], [1, 1, 0]])], "no place in a patient"),
        ([np.zeros((4, 2))], r"shape \(n, 3\)"),
        (np.zeros((4, 3)), r"found one array: \[contour\]"),
        ({"liver": []}, r"contours\['liver'\]"),
        ("liver", "found str"),
        ([[["a", "b", "c"]]], "an array of numbers"),
    ],
)
def test_what_are_no_contours_is_refused(contours: object, said: str) -> None:
    with pytest.raises(DicomLabError, match=said):
        from_contours(volume_on("axial"), contours)


def test_odd_requests_are_refused() -> None:
    mask = mask_on(volume_on("axial"), "ball")
    contours = to_contours(mask)["ball"]
    with pytest.raises(DicomLabError, match="rule= is 'evenodd' or 'union'"):
        from_contours(mask, contours, rule="nonzero")
    for thickness in (0, -1, np.nan, [1, 2]):
        with pytest.raises(DicomLabError, match="thickness= is mm"):
            from_contours(mask, contours, thickness=thickness)
    with pytest.raises(DicomLabError, match="holes= is"):
        to_contours(mask, holes="none")
    with pytest.raises(DicomLabError, match=r"isel\(time=0\)"):
        to_contours(mask.expand_dims(time=[0.0]))
    with pytest.raises(GeometryError, match="two slices of this mask lie at one position"):
        to_contours(mask.isel(slice=[1, 1, 2]))
    with pytest.raises(GeometryError, match="neither rise nor fall"):
        to_contours(mask.isel(row=[0, 2, 1]))
    with pytest.raises(DicomLabError, match="False and True, or whole numbers"):
        to_contours(volume_on("axial").astype(float))


def test_a_million_points_to_and_fro_take_seconds_and_little_memory() -> None:
    volume = volume_on("axial", (2, 64, 64))
    zigzag = np.zeros((1_000_000, 3))
    zigzag[:, 0] = np.linspace(-31.3, 10, len(zigzag))
    zigzag[:, 1] = np.where(np.arange(len(zigzag)) % 2, 12.0, 71.0)
    zigzag[:, 2] = 101.1
    start = time.perf_counter()
    from_contours(volume, [zigzag])
    assert time.perf_counter() - start < 30


def test_contours_that_overlap_in_part_are_told_from_holes_and_neighbours() -> None:
    volume = volume_on("axial")

    def crossing(*contours: np.ndarray) -> int:
        outlines = Outlines.of(contours)
        return count_crossing(outlines, Planes.of(outlines, Geometry.from_volume(volume)))

    square = _squares(3)[0]
    hole = 2 + 0.5 * (square - 2) + [0, 0, 0.5]
    assert crossing(square, hole) == 0
    assert crossing(square, np.add(square, [3, 0, 0])) == 0  # they share an edge
    assert crossing(square, np.add(square, [1, 1, 0])) == 1
    assert crossing(square, np.roll(square, 1, axis=0)) == 1
    assert crossing(square, np.add(square, [1, 1, 3])) == 0
    for shape in SHAPES:
        assert crossing(*to_contours(mask_on(volume, shape))[shape]) == 0
