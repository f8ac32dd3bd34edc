"""Planes of any volume at any angle against others: SimpleITK, scipy, `volume.dicom.interp`, brute force."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import dicomlab as dl
from dicomlab.view.draw import Image, Label, Labels, draw_pane
from dicomlab.view.grid import Grid
from dicomlab.view.plane import Plane, Vector
from dicomlab.view.sample import Slab, sample
from dicomlab.view.scene import Scene, basis_of, panes
from dicomlab.windowing import Window

UPRIGHT = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
SHAPE = (7, 9, 11)


def turned(seed: int) -> np.ndarray:
    return np.asarray(Rotation.random(random_state=seed).as_matrix())


def volume_of(seed: int, *, tilt: float = 0.0, uneven: bool = False) -> xr.DataArray:
    """Noise on a grid at any angle, whose slices may lean or lie unevenly; an axis may fall."""
    rng = np.random.default_rng(seed)
    direction = turned(seed) @ UPRIGHT
    direction[:, 0] += tilt * direction[:, 1]
    axes = [rng.uniform(-90, 90) + rng.uniform(0.6, 3) * np.arange(n) for n in SHAPE]
    if uneven:
        axes[0] = np.cumsum(rng.uniform(0.5, 4, SHAPE[0]))
    axes = [line[:: rng.choice([1, -1])] for line in axes]
    values = rng.integers(-1000, 1000, SHAPE).astype(np.int16)
    return dl.make_volume(values, geometry=dl.Geometry(direction, *axes, "1.2"))


def plane_through(volume: xr.DataArray, seed: int, *, pixel: float = 0.7, size: int = 31) -> Plane:
    """Any plane near the middle of a volume."""
    axes = turned(seed + 1000)
    middle = volume.dicom.lps((np.array(SHAPE) - 1) / 2 + np.random.default_rng(seed).uniform(-1, 1, 3))
    origin = middle - pixel * (size - 1) / 2 * (axes[:, 0] + axes[:, 1])
    return Plane(vector(origin), vector(axes[:, 0]), vector(axes[:, 1]), pixel, size, size)


def vector(array: np.ndarray) -> Vector:
    x, y, z = map(float, array)
    return x, y, z


def points_of(plane: Plane) -> np.ndarray:
    """LPS mm of every pixel, (height, width, 3)."""
    y, x = np.mgrid[: plane.height, : plane.width][..., None] * plane.pixel
    return np.asarray(plane.origin + x * np.array(plane.right) + y * np.array(plane.down))


@pytest.mark.parametrize(
    "options", [{}, {"tilt": 0.3}, {"uneven": True}, {"tilt": -0.2, "uneven": True}], ids=str
)
@pytest.mark.parametrize("seed", range(5))
def test_a_plane_at_any_angle_holds_what_interp_finds_at_its_points(
    seed: int, options: dict[str, Any]
) -> None:
    volume = volume_of(seed, **options)
    plane = plane_through(volume, seed)
    for method, order in (("linear", 1), ("nearest", 0)):
        found = sample(Grid.from_volume(volume), plane, method)  # type: ignore[arg-type]
        expected = volume.astype(float).dicom.interp(points_of(plane), order=order).values  # type: ignore[arg-type]
        # Within a billionth of a voxel from a face the two may differ about what is inside, or which voxel is nearest.
        apart = np.isnan(found) != np.isnan(expected)
        assert apart.mean() < 0.002
        both = ~np.isnan(found) & ~np.isnan(expected)
        assert both.mean() > 0.05, "or this shows nothing"
        np.testing.assert_allclose(found[both], expected[both], atol=1e-3)


@pytest.mark.parametrize("seed", range(3))
def test_a_plane_at_any_angle_is_that_of_simpleitk(seed: int) -> None:
    sitk = pytest.importorskip("SimpleITK")
    volume = volume_of(seed)
    plane = plane_through(volume, seed)
    image = sitk.GetImageFromArray(volume.values.astype(np.float64))
    first = np.array(volume.dicom.lps([0, 0, 0]))
    steps = [np.array(volume.dicom.lps(index)) - first for index in ([0, 0, 1], [0, 1, 0], [1, 0, 0])]
    image.SetOrigin(first.tolist())
    image.SetSpacing([float(np.linalg.norm(step)) for step in steps])
    image.SetDirection(np.stack([step / np.linalg.norm(step) for step in steps], axis=1).ravel().tolist())
    direction = np.stack([plane.right, plane.down, plane.normal], axis=1).ravel().tolist()
    size = [plane.width, plane.height, 1]
    cut = sitk.Resample(
        image,
        size,
        sitk.Transform(),
        sitk.sitkLinear,
        plane.origin,
        [plane.pixel, plane.pixel, 1.0],
        direction,
        1e9,
    )
    expected = sitk.GetArrayFromImage(cut)[0]
    found = sample(Grid.from_volume(volume), plane)
    inside = (expected < 1e8) & ~np.isnan(found)
    assert inside.mean() > 0.05
    np.testing.assert_allclose(found[inside], expected[inside], atol=1e-2)


@pytest.mark.parametrize(
    ("mode", "merge"), [("mip", np.nanmax), ("minip", np.nanmin), ("average", np.nanmean)]
)
@pytest.mark.filterwarnings("ignore:All-NaN slice", "ignore:Mean of empty slice")
def test_a_slab_is_the_highest_lowest_or_mean_of_planes_through_it(mode: Any, merge: Any) -> None:
    volume = volume_of(3, tilt=0.2)
    plane, grid = plane_through(volume, 3), Grid.from_volume(volume)
    found = sample(grid, plane, slab=Slab(mode, 5.0))
    count = int(np.ceil(5.0 / grid.finest))
    assert grid.finest == min(volume.dicom.geometry.spacing)
    offsets = 5.0 / count * (np.arange(count) + 0.5) - 2.5
    planes = np.stack([sample(grid, plane.moved(float(mm)), coded=False) for mm in offsets])
    np.testing.assert_allclose(found, merge(planes, axis=0), rtol=1e-6, atol=1e-4)


@settings(max_examples=40, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([0.0, 0.25]),
    st.booleans(),
    st.sampled_from(["nearest", "linear"]),
)
def test_no_pixel_is_outside_the_range_of_the_volume(seed: int, tilt: float, uneven: bool, kind: Any) -> None:
    volume = volume_of(seed, tilt=tilt, uneven=uneven)
    found = sample(Grid.from_volume(volume), plane_through(volume, seed), kind)
    found = found[~np.isnan(found)]
    assert found.size == 0 or (found.min() >= volume.values.min() and found.max() <= volume.values.max())
    if kind == "nearest":
        assert np.isin(found, volume.values).all()


@pytest.mark.parametrize("layout", ["single", "planes", "montage"])
@pytest.mark.parametrize("tilt", [0.0, 0.3])
def test_panes_go_through_the_position_and_stand_on_one_another(layout: Any, tilt: float) -> None:
    volume = volume_of(4, tilt=tilt)
    grid = Grid.from_volume(volume)
    position = vector(np.asarray(volume.dicom.lps([3, 4, 5])))
    turn = tuple(Rotation.from_rotvec([0.2, -0.3, 0.1]).as_matrix().ravel().tolist())
    scene = Scene(position, layout=layout, turn=turn, tiles=(2, 2), zoom=1.3)
    found = panes(scene, basis_of(grid), grid, 300, 200)
    normals = [np.array(pane.plane.normal) for pane in found]
    distances = [
        float(np.subtract(position, p.plane.origin) @ n) for p, n in zip(found, normals, strict=True)
    ]
    for pane in found:
        axes = np.stack([pane.plane.right, pane.plane.down, pane.plane.normal])
        np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    if layout == "montage":
        assert min(np.abs(distances)) < 1e-9
        step = abs(float(volume.slice[1] - volume.slice[0]))
        np.testing.assert_allclose(np.abs(np.diff(sorted(distances))), step, atol=1e-9)
    else:
        np.testing.assert_allclose(distances, 0, atol=1e-9)
    if layout == "planes":
        np.testing.assert_allclose(np.stack(normals) @ np.stack(normals).T, np.eye(3), atol=1e-9)
        boxes = [(p.left, p.top, p.left + p.plane.width, p.top + p.plane.height) for p in found]
        covered = np.zeros((200, 300), int)
        for left, top, right, bottom in boxes:
            covered[top:bottom, left:right] += 1
        assert covered.max() == 1
        assert covered.mean() > 0.98


def test_the_whole_volume_fits_into_every_pane_and_touches_its_borders() -> None:
    volume = volume_of(6, tilt=0.3)
    grid = Grid.from_volume(volume)
    basis = basis_of(grid)
    for name in ("axial", "sagittal", "coronal"):
        [pane] = panes(Scene(basis.middle, plane=name), basis, grid, 200, 150)  # type: ignore[arg-type]
        plane = pane.plane
        from_origin = np.array(basis.corners) - plane.origin
        x = from_origin @ np.array(plane.right) / plane.pixel
        y = from_origin @ np.array(plane.down) / plane.pixel
        assert x.min() > -1.6
        assert y.min() > -1.6
        assert x.max() < 200.6
        assert y.max() < 150.6
        assert max(np.ptp(x) / 200, np.ptp(y) / 150) == pytest.approx(1, abs=1e-9)


def test_two_volumes_meet_at_their_places_whatever_their_grids() -> None:
    """A ball in a coarse, turned PET covers the ball in a fine CT, pixel by pixel."""
    rng = np.random.default_rng(0)

    def ball(direction: np.ndarray, spacing: float, count: int) -> xr.DataArray:
        # Both around (5, -3, 40), of 12 mm.
        line = spacing * (np.arange(count) - (count - 1) / 2)
        axes = [line + float(direction[:, k] @ [5, -3, 40]) for k in range(3)]
        empty = dl.make_volume(np.zeros((count,) * 3), geometry=dl.Geometry(direction, *axes, "1.2"))
        index = np.stack(np.meshgrid(*[np.arange(count)] * 3, indexing="ij"), axis=-1)
        lps = np.asarray(empty.dicom.lps(index))
        return empty.copy(data=np.clip(12 - np.linalg.norm(lps - [5, -3, 40], axis=-1), -20, 20))

    ct = ball(UPRIGHT, 1.0, 48)
    pet = ball(turned(5) @ UPRIGHT, 2.5, 20)
    grids = [Grid.from_volume(one) for one in (ct, pet)]
    images = [Image(grids[0], Window(0, 2)), Image(grids[1], Window(0, 2), cmap="hot", opacity=1.0)]
    position = vector(np.array([5.0, -3, 40]) + rng.uniform(-3, 3, 3))
    for name in ("axial", "sagittal", "coronal"):
        scene = Scene(position, plane=name)  # type: ignore[arg-type]
        [pane] = panes(scene, basis_of(grids[0]), grids[0], 96, 96)
        alone = draw_pane(scene, pane.plane, images[:1])[..., 0] > 127
        mixed = draw_pane(scene, pane.plane, images)[..., 0] > 127
        assert (alone != mixed).mean() < 0.02
        assert alone.mean() > 0.1
        # In a curtain the left part is the CT alone, and the right one the PET where it is.
        curtain = draw_pane(scene, pane.plane, images, mode="curtain", split=0.5)
        np.testing.assert_array_equal(curtain[:, :48], draw_pane(scene, pane.plane, images[:1])[:, :48])
        np.testing.assert_array_equal(curtain[:, 48:], draw_pane(scene, pane.plane, images)[:, 48:])


def test_labels_are_drawn_in_their_colours_with_their_outlines() -> None:
    values = np.zeros((1, 8, 8), np.uint8)
    values[0, 2:6, 2:6], values[0, 4:6, 4:6] = 1, 2
    affine = np.eye(4)[[2, 1, 0, 3]]
    grid = Grid.from_volume(
        dl.make_volume(np.zeros((1, 8, 8), np.int16), affine=affine, frame_of_reference="1")
    )
    marks = Grid.from_volume(dl.make_volume(values, affine=affine, frame_of_reference="1"))
    plane = Plane((0, 0, 0), (1, 0, 0), (0, 1, 0), 1.0, 8, 8)
    styles = {1: Label((200, 100, 0), 0.5, outline=False), 2: Label((0, 0, 250), 0.2)}
    shown = draw_pane(
        Scene((0, 0, 0)), plane, [Image(grid, Window(100, 100))], labels=[Labels(marks, styles)]
    )
    expected = np.zeros((8, 8, 3), np.uint8)
    expected[values[0] == 1] = (100, 50, 0)
    expected[values[0] == 2] = (0, 0, 250)  # two by two pixels are all border
    np.testing.assert_array_equal(shown, expected)


def test_of_a_lazy_volume_only_the_slices_that_a_plane_touches_are_read() -> None:
    dask = pytest.importorskip("dask.array")
    read: list[int] = []

    def block(block_info: Any = None) -> np.ndarray:
        read.append(block_info[None]["array-location"][0][0])
        return np.zeros((1, 9, 11), np.int16)

    chunks = ((1,) * 7, (9,), (11,))
    lazy = dask.map_blocks(block, chunks=chunks, dtype=np.int16, meta=np.empty((0, 0, 0), np.int16))
    affine = np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]]
    grid = Grid.from_volume(dl.make_volume(lazy, affine=affine))
    read.clear()
    sample(grid, Plane((0, 0, 6.0), (1, 0, 0), (0, 1, 0), 1.0, 11, 9))
    assert read == [3]
    read.clear()
    sample(grid, Plane((0, 0, 7.0), (1, 0, 0), (0, 1, 0), 1.0, 11, 9))
    assert sorted(read) == [4], "slice 3 is kept"
    read.clear()
    tilted = Plane((0, 0, 8.0), (0.8, 0, 0.6), (0, 1, 0), 1.0, 5, 9)  # up to 10.4 mm
    sample(grid, tilted)
    assert sorted(read) == [5, 6]
    sample(grid, Plane((0, 0, 99.0), (1, 0, 0), (0, 1, 0), 1.0, 11, 9))
    assert 0 not in read
