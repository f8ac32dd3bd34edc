"""Measurements: where they lie, what they hold, and what a viewer does with them."""

from __future__ import annotations

import importlib.util
import io
import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.path import Path as Outline

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import Geometry
from dicomlab.view.roi import Roi
from dicomlab.view.rois import Rois

SHAPE = (6, 40, 50)
AFFINE = np.array([[0, 0, 0.5, -10], [0, 0.5, 0, 4], [2.0, 0, 0, 100], [0, 0, 0, 1]])
JS = Path(__file__).parent / "js"


def volume(**attrs: Any) -> xr.DataArray:
    values = np.random.default_rng(1).integers(-1000, 2000, SHAPE).astype(np.int16)
    return dl.make_volume(values, affine=AFFINE, units="HU", attrs=attrs)


def rois(*made: Roi, of: Any = None) -> Rois:
    browser = dl.browse(volume() if of is None else of)
    browser.rois = list(made)
    found = browser.rois
    assert isinstance(found, Rois)
    return found


def circle(centre: Any, radius: float, right: Any = (1, 0, 0), down: Any = (0, 1, 0), **more: Any) -> Roi:
    c, r, d = (np.asarray(one, dtype=float) for one in (centre, right, down))
    return Roi("ellipse", [c - radius * r, c + radius * r, c - radius * d, c + radius * d], **more)


# ---- lengths, angles, areas ------------------------------------------------------------------------------------------


def test_an_area_half_way_between_two_slices_has_the_voxels_that_are_drawn_there() -> None:
    values = np.arange(4)[:, None, None] * np.ones((1, 9, 9))
    for affine in (np.diag([2.5, 1, 1, 1]), np.diag([-2.5, 1, 1, 1])):
        volume = dl.make_volume(values, affine=affine[[2, 1, 0, 3]])
        middle = volume.dicom.lps([1.5, 4, 4])
        browser = dl.browse(volume, window=(2, 4))
        browser.interpolation = "nearest"
        browser.position = middle.tolist()
        x, y, z = middle
        browser.rois = [
            dl.Roi("rectangle", [(x - 2, y - 2, z), (x + 2, y - 2, z), (x + 2, y + 2, z), (x - 2, y + 2, z)])
        ]
        drawn = browser.picture(90, 90)[45, 45, 0] / 255
        assert browser.rois.statistics(0).mean == pytest.approx(drawn * 3, abs=0.02)


def test_lengths_angles_and_areas_are_those_of_the_school_book() -> None:
    assert Roi("ruler", [(1, 1, 1), (1, 4, 5)]).length == 5
    assert Roi("profile", [(0, 0, 0), (2, 3, 6)]).length == 7
    assert Roi("angle", [(3, 0, 0), (0, 0, 0), (0, 0, 2)]).angle == pytest.approx(90)
    assert Roi("angle", [(1, 0, 0), (0, 0, 0), (-1, 1e-9, 0)]).angle == pytest.approx(180)
    assert Roi("polygon", [(0, 0, 0), (4, 0, 0), (0, 0, 3)]).area == pytest.approx(6)
    assert circle((5, 6, 7), 3).area == pytest.approx(9 * np.pi)
    assert Roi("ruler", [(1, 1, 1), (1, 4, 5)]).area is None


@given(angles=st.tuples(*[st.floats(-3, 3)] * 3), shift=st.tuples(*[st.floats(-200, 200)] * 3))
@settings(deadline=None, max_examples=25)
def test_turning_the_patient_changes_no_length_angle_or_area(angles: Any, shift: Any) -> None:
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_euler("xyz", angles).as_matrix()
    for roi, name in (
        (Roi("ruler", [(0, 0, 0), (3, 4, 1)]), "length"),
        (Roi("angle", [(5, 1, 0), (0, 0, 0), (2, 7, 0)]), "angle"),
        (Roi("polygon", [(0, 0, 0), (9, 1, 0), (7, 8, 0), (1, 6, 0)]), "area"),
        (circle((1, 2, 3), 4), "area"),
    ):
        other = Roi(roi.kind, np.asarray(roi.points) @ turn.T + shift)
        assert getattr(other, name) == pytest.approx(getattr(roi, name), rel=1e-6)


# ---- which voxels ----------------------------------------------------------------------------------------------------


def test_a_rectangle_round_known_voxels_holds_these_and_no_others() -> None:
    # Columns 10 to 13 and rows 20 to 25 of slice 3; edges half way between centres.
    left, right, top, bottom = -10 + 9.5 * 0.5, -10 + 13.5 * 0.5, 4 + 19.5 * 0.5, 4 + 25.5 * 0.5
    z = 106.0
    one = Roi("rectangle", [(left, top, z), (right, top, z), (right, bottom, z), (left, bottom, z)])
    of = volume()
    found = rois(one, of=of)
    inside = of.values[3, 20:26, 10:14].astype(float)
    assert found.mask(0).values.nonzero()[0].tolist() == [3] * 24
    row = found.table.iloc[0]
    assert (row.n, row["min"], row["max"]) == (24, inside.min(), inside.max())
    assert row["mean"] == pytest.approx(inside.mean())
    assert row.sd == pytest.approx(inside.std())
    assert row.area_mm2 == pytest.approx(24 * 0.25)
    assert row.units == "HU"


@given(
    corners=st.lists(st.tuples(st.floats(-11, 15), st.floats(3, 24)), min_size=3, max_size=12, unique=True),
    slice=st.integers(0, 5),
)
@settings(deadline=None, max_examples=40)
def test_a_polygon_on_a_slice_holds_the_voxels_that_matplotlib_finds(corners: Any, slice: int) -> None:
    z = 100 + 2.0 * slice + 0.3
    rows, columns = np.mgrid[: SHAPE[1], : SHAPE[2]]
    centres = np.stack([-10 + 0.5 * columns.ravel(), 4 + 0.5 * rows.ravel()], axis=1)
    # matplotlib counts by winding, we by crossings: they agree where an outline does not cross itself, so take the hull.
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(np.array(corners)).vertices
    except QhullError:
        return
    outline = Outline(np.array(corners)[[*hull, hull[0]]], closed=True)
    one = Roi("polygon", [(*corners[k], z) for k in hull], normal=(0, 0, 1))
    expected = outline.contains_points(centres).reshape(SHAPE[1:])
    unsure = outline.contains_points(centres, radius=1e-7) != outline.contains_points(centres, radius=-1e-7)
    found = rois(one).mask(0).values
    assert not found[np.arange(SHAPE[0]) != slice].any()
    sure = ~unsure.reshape(SHAPE[1:])
    np.testing.assert_array_equal(found[slice][sure], expected[sure])


def test_a_disc_at_any_angle_holds_voxels_that_its_plane_goes_through_and_whose_centres_are_over_it() -> None:
    from scipy.spatial.transform import Rotation

    rng = np.random.default_rng(3)
    for _ in range(12):
        direction = Rotation.random(random_state=int(rng.integers(1e6))).as_matrix()
        direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
        place = Geometry(direction, np.arange(9) * 2.5, np.arange(40) * 0.8, np.arange(41) * 0.8, "1.2")
        centre = place.lps([4, 20, 20])
        right, down, normal = Rotation.random(random_state=int(rng.integers(1e6))).as_matrix().T
        found = rois(
            circle(centre, 7, right, down), of=dl.make_volume(np.zeros(place.shape), geometry=place)
        ).mask(0)
        lps = place.lps(np.stack(np.meshgrid(*map(np.arange, place.shape), indexing="ij"), axis=-1)) - centre
        aside = np.hypot(lps @ right, lps @ down)
        lean = np.abs(normal @ direction)
        axis = int(lean.argmax())
        away = np.abs(lps @ normal) / lean[axis] / (2.5, 0.8, 0.8)[axis]  # voxels along the steepest axis
        assert not (found.values & ((aside > 7 + 1e-9) | (away > 0.5 + 1e-9))).any()
        assert found.values[(aside < 7 - 1e-9) & (away < 0.5 - 1e-9)].all()
        assert found.values.any()


def test_a_tilted_area_loses_no_voxel_beside_the_box_of_its_points(monkeypatch: pytest.MonkeyPatch) -> None:
    thick = dl.make_volume(np.zeros((12, 40, 40), np.int16), affine=np.diag([5.0, 1, 1, 1])[[2, 1, 0, 3]])
    tilted = np.array([0.0, np.cos(0.7), np.sin(0.7)])
    areas = [circle((20, 20, 28 + 5 * k / 7), 6, (1, 0, 0), tilted) for k in range(7)]
    near = [[part.tolist() for part in rois(area, of=thick).voxels(0)] for area in areas]
    monkeypatch.setattr("dicomlab.view.measured._widest", lambda *_: 1e9)  # all lines of voxels are looked at
    assert near == [[part.tolist() for part in rois(area, of=thick).voxels(0)] for area in areas]
    rows = np.array([row for one in near for row in one[1]])
    assert rows.min() < 20 - 6 * np.cos(0.7) or rows.max() > 20 + 6 * np.cos(0.7), "else this shows nothing"


def test_a_normal_of_any_length_means_one_plane() -> None:
    corners = [(0, 0, 5), (10, 0, 5), (10, 4, 5), (0, 4, 5)]
    roi = Roi("rectangle", corners, normal=(0, 0, -7))
    assert roi.normal == (0, 0, -1)
    assert roi.area == pytest.approx(40)


def test_a_slanting_gantry_leaves_an_area_on_its_slice() -> None:
    direction = np.eye(3)[:, ::-1].copy()
    direction[1, 0] = 0.3  # slices are stacked along a slanting table
    place = Geometry(direction, np.arange(5) * 4.0, np.arange(30.0), np.arange(30.0), "1.2")
    of = dl.make_volume(np.zeros(place.shape), geometry=place)
    index = np.array([2, 15, 12])
    found = rois(circle(place.lps(index), 3.2), of=of).mask(0)
    s, r, c = found.values.nonzero()
    assert set(s) == {2}
    assert (r.mean(), c.mean()) == (15, 12)
    assert len(s) == sum(i * i + j * j <= 3.2**2 for i in range(-4, 5) for j in range(-4, 5))


def test_areas_that_share_an_edge_share_no_voxel_and_lose_none() -> None:
    z, x, y = 104.0, (-9.0, -5.0, -1.0), (6.0, 10.0)  # edges through the centres of voxels
    two = [Roi("rectangle", [(a, y[0], z), (b, y[0], z), (b, y[1], z), (a, y[1], z)]) for a, b in pairwise(x)]
    whole = Roi("rectangle", [(x[0], y[0], z), (x[2], y[0], z), (x[2], y[1], z), (x[0], y[1], z)])
    found = rois(*two, whole)
    one, other, both = (found.mask(k).values for k in range(3))
    assert not (one & other).any()
    np.testing.assert_array_equal(one | other, both)


def test_outside_the_volume_there_is_nothing_to_measure() -> None:
    found = rois(
        circle((0, 10, 99.1), 3),
        circle((0, 10, 98.9), 3),
        circle((500, 10, 104), 3),
        Roi("probe", [(0, 0, 0)]),
    )
    assert (found.table.n > 0).tolist() == [True, False, False, False]
    assert found.table["mean"].isna().tolist() == [False, True, True, True]


def test_values_that_are_no_numbers_are_left_out() -> None:
    values = np.ones(SHAPE)
    values[2, 20:] = np.nan
    found = rois(circle((0, 14, 104), 3), of=dl.make_volume(values, affine=AFFINE))
    row = found.table.iloc[0]
    assert 0 < row.n < found.mask(0).values.sum()
    assert (row["mean"], row.sd) == (1, 0)


# ---- what a viewer gives ---------------------------------------------------------------------------------------------


def test_masks_lie_on_the_grid_of_the_volume() -> None:
    of = volume()
    found = rois(circle((0, 14, 104), 3, label="left"), circle((5, 14, 104), 3, label="right"), of=of)
    assert found.mask("left").dicom.same_grid(of)
    assert found.mask("left").dtype == bool
    np.testing.assert_array_equal(found.to_mask(), found.mask("left") | found.mask("right"))
    assert float(of.where(found.mask("right")).mean()) == pytest.approx(found.table["mean"][1])


def test_the_same_area_has_the_voxels_and_values_of_another_volume_of_one_frame() -> None:
    def cube(step: float, shape: tuple[int, ...], **attrs: Any) -> xr.DataArray:
        values = np.random.default_rng(2).integers(-1000, 2000, shape).astype(np.int16)
        volume = dl.make_volume(values, affine=np.diag([step, step, step, 1])[[2, 1, 0, 3]], attrs=attrs)
        return volume.dicom.assume_frame("1.2")

    fine, coarse = cube(1.0, (20, 40, 40)), cube(2.0, (10, 20, 20))
    box = Roi("rectangle", [(4.5, 4.5, 8), (24.5, 4.5, 8), (24.5, 14.5, 8), (4.5, 14.5, 8)], label="box")
    browser = dl.browse(fine)
    browser.rois = [box]
    [here], [there] = browser.rois.table["n"], browser.rois.of(coarse).table["n"]
    assert (here, there) == (20 * 10, 10 * 5)
    inside = coarse.values[4, 3:8, 3:13]  # centres at 6, 8, … 14 and 6, 8, … 24 mm
    assert browser.rois.of(coarse).statistics("box").mean == pytest.approx(inside.mean(), rel=1e-9)
    assert browser.rois.of(coarse).mask("box").shape == coarse.shape
    with pytest.raises(GeometryError, match="nothing in common"):
        browser.rois.of(coarse.dicom.assume_frame("1.2.3"))
    with pytest.raises(GeometryError, match="choose one, by isel"):
        browser.rois.of(xr.concat([coarse, coarse], dim="time"))
    browser.close()


def test_a_profile_is_that_of_the_volume() -> None:
    of = volume()
    found = rois(Roi("profile", [(-8, 6, 104), (8, 20, 104)]), of=of)
    expected = of.dicom.profile((-8, 6, 104), (8, 20, 104))
    np.testing.assert_array_equal(found.profile(0).values, expected.values)


def test_a_point_has_the_value_of_its_voxel() -> None:
    of = volume()
    found = rois(Roi("probe", [of.dicom.lps([3, 20, 30])]), of=of)
    assert found.statistics(0).mean == of.values[3, 20, 30]
    assert found.mask(0).values.sum() == 1


def test_numbers_are_those_of_the_step_that_is_shown() -> None:
    several = volume().astype("int32") + xr.DataArray([0, 100], dims="time")
    browser = dl.browse(several)
    browser.rois = [circle((0, 14, 104), 3)]
    first = browser.rois.table["mean"][0]
    browser.steps = {"time": 1}
    assert browser.rois.table["mean"][0] == pytest.approx(first + 100)
    assert browser.rois.mask(0).dims == ("slice", "row", "column")


def test_measurements_are_set_as_a_list_and_heard_of() -> None:
    browser = dl.browse(volume())
    assert len(browser.rois) == 0
    assert browser.rois.table.empty
    heard = []
    browser.observe(lambda change: heard.append(len(change["new"])), "rois")
    ruler = Roi("ruler", [(0, 10, 104), (6, 18, 104)], label="<b>size</b>")
    browser.rois = [ruler]
    browser.rois += [replace(ruler, label="again")]
    assert heard == [1, 2]
    assert len({roi.id for roi in browser.rois}) == 2
    assert browser.rois[0] == ruler
    assert [roi.label for roi in browser.rois[1:]] == ["again"]
    assert "<b>" not in browser.rois._repr_html_()
    assert "10.0 mm" in repr(browser.rois)


def test_what_the_page_tells_comes_back_as_it_was() -> None:
    browser = dl.browse(volume())
    told = [
        Roi("polygon", [(0.1, 10, 104), (6, 18, 104), (3, 19, 104)], label="a", colour="#ff0000").to_json(),
        Roi("probe", [(0.1, 10, 104)], normal=(0, 0, 1)).to_json(),
    ]
    browser.set_state({"rois": json.loads(json.dumps(told))})
    assert browser.get_state(["rois"])["rois"] == told
    assert browser.rois[0].area == pytest.approx(abs(5.9 * 9 - 2.9 * 8) / 2)


def test_a_page_without_a_kernel_takes_the_measurements_along(tmp_path: Path) -> None:
    browser = dl.browse(volume())
    browser.rois = [Roi("ruler", [(0, 10, 104), (6, 18, 104)], label="</script><b>")]
    text = browser.to_html().text
    assert '"kind": "ruler"' in text
    assert "</script><b>" not in text


def test_a_lazy_volume_is_read_only_where_it_is_measured() -> None:
    dask = pytest.importorskip("dask.array")
    read: list[int] = []
    values = volume().values

    def block(block_info: Any = None) -> np.ndarray:
        index = block_info[None]["array-location"][0][0]
        read.append(index)
        return values[index : index + 1]

    lazy = volume()
    lazy = lazy.copy(
        data=dask.map_blocks(
            block, chunks=((1,) * 6, (40,), (50,)), dtype=np.int16, meta=np.empty((0, 0, 0), np.int16)
        )
    )
    browser = dl.browse(lazy, window=(40, 400))
    browser.rois = [circle((0, 14, 108), 3)]
    read.clear()
    assert browser.rois.table["mean"][0] == pytest.approx(rois(circle((0, 14, 108), 3)).table["mean"][0])
    assert set(read) == {4}


def test_a_closed_viewer_says_so_when_it_is_asked_for_numbers() -> None:
    browser = dl.browse(volume())
    browser.rois = [circle((0, 14, 104), 3)]
    browser.close()
    with pytest.raises(DicomLabError, match="closed"):
        _ = browser.rois.table


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: Roi("line", [(0, 0, 0)]), "there are ruler, profile, angle"),  # type: ignore[arg-type]
        (lambda: Roi("ruler", [(0, 0, 0)]), "two ends; found 1"),
        (lambda: Roi("polygon", [(0, 0), (1, 1), (2, 0)]), r"shape \(n, 3\)"),
        (lambda: Roi("ruler", [(0, 0, 0), (np.nan, 0, 0)]), "positions"),
        (lambda: Roi("ruler", "ab"), "positions"),
        (lambda: Roi("polygon", [(0, 0, 0), (1, 1, 1), (2, 2, 2)]), "in one line"),
        (lambda: Roi("polygon", [(0, 0, 0), (9, 0, 0), (9, 9, 0), (0, 9, 5)]), "away from it"),
        (lambda: Roi("rectangle", [(0, 0, 0), (9, 0, 0), (9, 9, 0), (1, 9, 0)]), "right angles"),
        (lambda: Roi("ellipse", [(0, 0, 0), (9, 0, 0), (4, 3, 0), (6, -3, 0)]), "right angles"),
        (lambda: Roi("ruler", [(0, 0, 0), (1, 0, 0)], colour="red;x"), "#rrggbb"),
        (lambda: Roi("ruler", [(0, 0, 0), (1, 0, 0)], normal=(0, 0, 0)), "normal"),
        (lambda: rois(Roi("ruler", [(0, 0, 0), (1, 0, 0)])).mask(0), "has no area"),
        (lambda: rois(Roi("ruler", [(0, 0, 0), (1, 0, 0)])).to_mask(), "found ruler"),
        (lambda: rois(circle((0, 14, 104), 3)).profile(0), "found one of kind ellipse"),
        (lambda: rois(circle((0, 14, 104), 3)).mask(3), "there are 1"),
        (lambda: rois(circle((0, 14, 104), 3, label="a")).mask("b"), "Labels: 'a'"),
    ],
)
def test_what_cannot_be_measured_says_what_to_do(make: Any, says: str) -> None:
    with pytest.raises(DicomLabError, match=says):
        make()


@pytest.mark.parametrize("value", [5, [5], Roi("probe", [(0, 0, 0)])])
def test_only_measurements_can_be_set(value: Any) -> None:
    browser = dl.browse(volume())
    with pytest.raises((DicomLabError, traitlets.TraitError), match="Roi"):
        browser.rois = value


def test_the_committed_vectors_of_measurements_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("make_roi_vectors", JS / "make_roi_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found, made = (
        json.load(io.StringIO(text)) for text in ((JS / "vectors/rois.json").read_text(), module.contents())
    )
    same(found, made)


def same(a: Any, b: Any) -> None:
    """Equal, numbers to the last few bits: LAPACK differs between machines."""
    if isinstance(a, dict):
        assert a.keys() == b.keys()
        for name in a:
            same(a[name], b[name])
    elif isinstance(a, list):
        assert len(a) == len(b)
        for one, other in zip(a, b, strict=True):
            same(one, other)
    elif isinstance(a, str) or a is None:
        assert a == b
    else:
        assert a == pytest.approx(b, rel=1e-9, abs=1e-9)
