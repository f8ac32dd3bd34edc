"""Helpers that claim a tissue find it in the phantom, and shapes between drawn slices have the volume of the shape."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
import xarray as xr

import dicomlab as dl
from dicomlab import phantom, segment
from dicomlab.phantom import body

FRAME = "1.2.3"


@cache
def chest(orientation: str = "axial") -> tuple[xr.DataArray, dict[str, np.ndarray]]:
    """A CT with noise, and its regions; voxels of 5.3 x 2.1 x 2.6 mm, coarser where only large things are looked for."""
    shape = {"axial": (60, 160, 160), "sagittal": (60, 50, 80), "oblique": (56, 50, 90)}[orientation]
    truth = phantom.ct_truth(FRAME, shape, orientation)  # type: ignore[arg-type]
    return truth.volume, truth.masks


def off(mask: xr.DataArray, truth: np.ndarray) -> float:
    """By which part the volume of a mask differs from the true one."""
    return float(mask.sum()) / float(truth.sum()) - 1


def dice(mask: xr.DataArray, truth: np.ndarray) -> float:
    return 2 * float((mask.values & truth).sum()) / float(mask.values.sum() + truth.sum())


def test_the_body_is_found_within_two_thousandths_without_the_couch() -> None:
    for orientation in ("axial", "sagittal", "oblique"):
        ct, masks = chest(orientation)
        found = segment.body(ct)
        assert off(found, masks["body"]) == pytest.approx(0, abs=0.002), orientation
        assert dice(found, masks["body"]) > 0.999, orientation


@pytest.mark.parametrize(
    ("shape", "orientation"), [((20, 90, 90), "axial"), ((40, 50, 60), "coronal"), ((30, 60, 60), "sagittal")]
)
def test_the_body_is_found_in_an_mr_within_a_hundredth(shape: tuple[int, int, int], orientation: str) -> None:
    truth = phantom.mr_truth(FRAME, shape, orientation)  # type: ignore[arg-type]
    assert off(segment.body(truth.volume), truth.masks["body"]) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("orientation", ["axial", "sagittal", "oblique"])
def test_each_lung_is_found_within_a_hundredth_with_its_vessels_and_without_airways(orientation: str) -> None:
    ct, masks = chest(orientation)
    found = segment.lungs(ct)
    assert found.dicom.labels.names == ["right lung", "left lung"]
    assert found.dicom.labels["left lung"].side.meaning == "Left"
    for value, name in ((1, "lung_right"), (2, "lung_left")):
        assert off(found == value, masks[name]) == pytest.approx(0, abs=0.01), name
        assert dice(found == value, masks[name]) > 0.99, name
    nodule = masks["nodule"]
    assert (found.values[nodule] == 2).mean() > 0.95


def test_airways_are_found_within_a_hundredth_and_all_gas_within_one_and_a_half_where_slices_are_thick() -> (
    None
):
    ct, masks = chest()
    found = segment.airways(ct)
    assert off(found, masks["airways"]) == pytest.approx(0, abs=0.01)
    assert dice(found, masks["airways"]) > 0.98
    # What is air inside the skin, where tissues meet sharply; in every third slice, as that is computed anew.
    some = ct.isel(slice=slice(1, None, 3))
    points = some.dicom.lps(np.stack(np.meshgrid(*map(np.arange, some.shape), indexing="ij"), -1))
    values, labels = body.sample(points, edge=1e-6)
    gas = (values == -1000) & (labels > 0)
    air = segment.air(ct)
    assert off(air.isel(slice=slice(1, None, 3)), gas) == pytest.approx(0, abs=0.015)
    assert not (air & (segment.lungs(ct) > 0)).any()


@cache
def block(first: tuple[float, float, float], shape: tuple[int, int, int]) -> tuple[xr.DataArray, np.ndarray]:
    """A part of the phantom in voxels of 1 mm, from the position z, y, x on, with noise of 9 HU; and where bone is."""
    affine = np.eye(4)[[2, 1, 0, 3]]
    affine[:3, 3] = first[::-1]
    grid = dl.Geometry.from_affine(affine, shape, FRAME)
    values, labels = body.sample(grid.lps(np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)))
    values += np.random.default_rng(0).normal(0, 9, values.shape)
    ct = dl.make_volume(values.round().astype(np.int16), geometry=grid, units="HU")
    return ct, body.regions(labels)["bone"]


# Spine with parts of ribs; breastbone with collar bones.
@pytest.mark.parametrize(
    ("first", "shape"), [((-12, 25, -48), (30, 85, 96)), ((95, -104, -40), (40, 60, 80))]
)
def test_bone_is_found_within_two_hundredths_where_voxels_are_as_fine_as_its_shell(
    first: tuple[float, float, float], shape: tuple[int, int, int]
) -> None:
    ct, truth = block(first, shape)
    assert off(segment.bone(ct), truth) == pytest.approx(0, abs=0.02)
    assert dice(segment.bone(ct), truth) > 0.96
    assert off(segment.threshold(ct, "bone"), truth) > 0.05


def test_a_named_range_finds_the_tissue_and_no_other() -> None:
    ct, masks = chest()
    lesion = segment.grow(ct, at=body_centre(), low=-10, high=45)
    assert off(lesion, masks["lesion"]) == pytest.approx(0, abs=0.1)
    assert off(segment.threshold(ct, "lung") & segment.body(ct), masks["lung_left"] | masks["lung_right"]) < 0


def body_centre() -> tuple[float, float, float]:
    from dicomlab.phantom.organs import LESION_CENTRE

    return LESION_CENTRE


# -- between slices ---------------------------------------------------------------------------------------------------


def shape_of(inside: object, spacing: tuple[float, float, float] = (2.0, 0.9, 1.1)) -> xr.DataArray:
    counts = [round(60 / s) + 1 for s in spacing]
    axes = [np.arange(n) * s - 30 for n, s in zip(counts, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    affine = np.diag([*spacing, 1.0])[[2, 1, 0, 3]]
    return dl.make_volume(inside(z, y, x), affine=affine, frame_of_reference=FRAME)  # type: ignore[operator]


SHAPES = {
    "sphere": lambda z, y, x: z * z + y * y + x * x <= 22.0**2,
    "cone": lambda z, y, x: (np.hypot(y, x) <= (z + 30) / 3) & (z > -24),
    "leaning pipe": lambda z, y, x: (np.hypot(y - z / 2, x + z / 3) <= 6) & (abs(z) < 25),
}


@pytest.mark.parametrize("axis", ["slice", "row", "column"])
@pytest.mark.parametrize("name", list(SHAPES))
def test_what_lies_between_drawn_slices_has_the_volume_of_the_shape(name: str, axis: str) -> None:
    turn = {"slice": (0, 1, 2), "row": (1, 0, 2), "column": (2, 1, 0)}[axis]
    whole = shape_of(lambda z, y, x: SHAPES[name](*[(z, y, x)[k] for k in turn]))
    held = np.flatnonzero(whole.any([d for d in whole.dims if d != axis]).values)
    step = 3 if axis == "slice" else 6
    drawn = whole.copy(data=np.zeros(whole.shape, bool))
    keep = sorted({*range(held[0], held[-1], step), held[-1]})
    at = {axis: keep}
    drawn[at] = whole[at]
    for filled in (segment.between_slices(drawn), segment.between_slices(drawn, axis=axis)):
        assert off(filled, whole.values) == pytest.approx(0, abs=0.05)
        assert dice(filled, whole.values) > 0.95
        assert (filled[at] == whole[at]).all()
    assert segment.between_slices(filled).identical(filled)


def test_shapes_far_apart_travel_towards_each_other() -> None:
    drawn = np.zeros((11, 40, 40), bool)
    drawn[0, 5:10, 5:10] = drawn[10, 25:30, 25:30] = True
    made = segment.fill_between(drawn, 0)
    assert [int(plane.sum()) for plane in made] == pytest.approx([25] * 11, abs=8)
    centres = np.array([np.argwhere(plane).mean(axis=0) for plane in made])
    np.testing.assert_allclose(centres[:, 0], np.linspace(7, 27, 11), atol=0.6)


def test_uneven_slices_are_filled_at_their_places() -> None:
    z = np.array([0.0, 1, 8, 10])
    grid = dl.Geometry(np.eye(3)[:, ::-1], z, np.arange(41.0), np.arange(41.0), FRAME)
    drawn = np.zeros((4, 41, 41), bool)
    y, x = np.mgrid[-20:21, -20:21]
    drawn[0], drawn[3] = np.hypot(y, x) <= 5, np.hypot(y, x) <= 15
    made = segment.between_slices(dl.make_volume(drawn, geometry=grid))
    for k in range(4):
        assert np.sqrt(float(made[k].sum()) / np.pi) == pytest.approx(5 + z[k], abs=0.5)


def test_labels_are_filled_each_between_its_own_slices_and_take_nothing_of_others() -> None:
    values = np.zeros((9, 20, 20), np.uint8)
    values[0, 4:10, 4:10] = values[8, 4:10, 4:10] = 1
    values[2, 4:10, 8:14] = values[4, 4:10, 8:14] = 5
    made = segment.fill_between(values, 0)
    assert (made[values > 0] == values[values > 0]).all()
    assert (made[:, 4:10, 4:8] == 1).all()
    assert (made[3, 4:10, 10:14] == 5).all()
    assert set(np.unique(made)) == {0, 1, 5}
