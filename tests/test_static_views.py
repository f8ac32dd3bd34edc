"""Planes, pictures and static figures, on volumes whose values say where in the patient each voxel is."""

from __future__ import annotations

import io
import itertools

import matplotlib
import numpy as np
import pytest
import xarray as xr
from PIL import Image
from scipy.ndimage import map_coordinates

import dicomlab as dl
from dicomlab.errors import GeometryError, WindowError
from dicomlab.view.cut import Cut, first_cut
from dicomlab.view.grid import Grid
from dicomlab.view.scene import basis_of
from dicomlab.view.shade import grey
from dicomlab.view.state import PLANES, acquisition_plane, plane_axes, position_letters
from dicomlab.view.still import png
from dicomlab.windowing import Window

matplotlib.use("Agg")
import matplotlib.pyplot as plt

UPRIGHT = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])  # axial, head first, supine

# What the screen's down and right are called in the patient, as LPS: the radiological layout.
RADIOLOGICAL = {
    "axial": ((0, 1, 0), (1, 0, 0)),
    "sagittal": ((0, 0, -1), (0, 1, 0)),
    "coronal": ((0, 0, -1), (1, 0, 0)),
}


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


def affine_of(direction, spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)):
    affine = np.eye(4)
    affine[:3, :3] = np.asarray(direction) * spacing
    affine[:3, 3] = origin
    return affine


def position_volumes(affine, shape=(12, 14, 16)):
    """Three volumes on one grid whose values are x, y and z of each voxel, by the affine and nothing else."""
    index = np.stack([*np.indices(shape), np.ones(shape)], axis=-1)
    lps = index @ affine.T
    return [dl.make_volume(lps[..., axis], affine=affine, frame_of_reference="1.2.3") for axis in range(3)]


def cut_of(volume: xr.DataArray, plane=None, **options) -> Cut:
    return first_cut(Grid.from_volume(volume), plane, **options)


def positions_on_screen(volumes, plane, margin=0.3):
    """(height, width, 3) LPS positions under the pixels of half a mm in the middle of a picture, and the cut."""
    cuts = [cut_of(volume, plane) for volume in volumes]
    shown = np.stack([cut.values(0.5) for cut in cuts], axis=-1)
    rows, columns = (round(n * margin) for n in shown.shape[:2])
    return shown[rows:-rows, columns:-columns], cuts[0]


def rotation(x, y, z):
    """Return the matrix of three rotations in degrees about the patient axes."""
    out = np.eye(3)
    for angle, (a, b) in zip(np.radians([x, y, z]), [(1, 2), (2, 0), (0, 1)], strict=True):
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        out = turn @ out
    return out


SIGNED_PERMUTATIONS = [
    np.eye(3)[list(order)].T * signs
    for order in itertools.permutations(range(3))
    for signs in itertools.product((1, -1), repeat=3)
]
OBLIQUE = [
    rotation(*angles) @ base
    for angles in [(8, 0, 0), (20, -15, 10), (-30, 5, 25)]
    for base in (UPRIGHT, SIGNED_PERMUTATIONS[5], SIGNED_PERMUTATIONS[30], SIGNED_PERMUTATIONS[47])
]


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("number", range(48))
def test_any_upright_acquisition_is_shown_radiologically_and_to_the_millimetre(number, plane):
    direction = SIGNED_PERMUTATIONS[number]
    volumes = position_volumes(affine_of(direction, (3.0, 1.5, 2.0), (-40.0, 7.0, 1000.0)))
    shown, cut = positions_on_screen(volumes, plane)
    down, right = RADIOLOGICAL[plane]
    np.testing.assert_allclose(
        np.diff(shown, axis=0),
        np.broadcast_to(np.multiply(down, 0.5), np.diff(shown, axis=0).shape),
        atol=1e-9,
    )
    np.testing.assert_allclose(
        np.diff(shown, axis=1),
        np.broadcast_to(np.multiply(right, 0.5), np.diff(shown, axis=1).shape),
        atol=1e-9,
    )
    assert (
        cut.letters
        == {"axial": ("R", "L", "A", "P"), "sagittal": ("A", "P", "H", "F"), "coronal": ("R", "L", "H", "F")}[
            plane
        ]
    )


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("number", range(len(OBLIQUE)))
def test_an_oblique_acquisition_is_shown_in_square_millimetres_nearest_to_the_radiological_layout(
    number, plane
):
    volumes = position_volumes(affine_of(OBLIQUE[number], (3.0, 1.5, 2.0), (-40.0, 7.0, 1000.0)))
    shown, cut = positions_on_screen(volumes, plane)
    steps = [np.diff(shown, axis=axis).reshape(-1, 3) for axis in (0, 1)]
    for step, patient, letters in zip(
        steps, RADIOLOGICAL[plane], (cut.letters[3], cut.letters[1]), strict=True
    ):
        np.testing.assert_allclose(np.linalg.norm(step, axis=1), 0.5, atol=1e-9)
        assert (step @ patient > 0.5 * 0.7).all()
        assert letters[0] == position_letters(patient)
    np.testing.assert_allclose((steps[0][0] @ steps[1][0]), 0, atol=1e-9)


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("tilt", [(0.0, 0.33, 0.0), (0.0, -0.4, 0.2)])
def test_a_tilted_gantry_is_shown_without_its_shear(plane, tilt):
    direction = UPRIGHT.copy()
    direction[:, 0] += tilt[1] * direction[:, 1] + tilt[2] * direction[:, 2]
    affine = affine_of(direction, (1.5, 1.0, 1.2), (30.0, -50.0, 700.0))
    volumes = position_volumes(affine, shape=(24, 25, 26))
    shown, cut = positions_on_screen(volumes, plane, margin=0.4)
    assert np.isfinite(shown).all()
    # The middle of the picture is, to half a pixel, where its borders in mm say.
    top, bottom, left, right = cut.extent(0.5)
    middle = shown.reshape(-1, 3).mean(axis=0)
    assert middle @ cut.down == pytest.approx((top + bottom) / 2, abs=0.5)
    assert middle @ cut.right == pytest.approx((left + right) / 2, abs=0.5)
    down, right = shown[1:, :-1] - shown[:-1, :-1], shown[:-1, 1:] - shown[:-1, :-1]
    np.testing.assert_allclose(np.linalg.norm(down, axis=-1), 0.5, atol=1e-9)
    np.testing.assert_allclose(np.linalg.norm(right, axis=-1), 0.5, atol=1e-9)
    np.testing.assert_allclose((down * right).sum(axis=-1), 0, atol=1e-9)


def test_the_corners_of_a_tilted_volumes_picture_hold_no_value():
    direction = UPRIGHT.copy()
    direction[1, 0] = 0.5
    volume = position_volumes(affine_of(direction), shape=(20, 10, 10))[0]
    cut = cut_of(volume, "sagittal")
    values = cut.values()
    assert np.isnan(values[0, 0])
    assert np.isnan(values[-1, -1])
    assert (cut.picture()[np.isnan(values)] == 0).all()


@pytest.mark.parametrize("flip", list(itertools.product((1, -1), repeat=3)))
@pytest.mark.parametrize("plane", PLANES)
def test_flipping_the_array_does_not_change_the_picture(flip, plane):
    affine = affine_of(rotation(10, 5, -20) @ UPRIGHT, (3.0, 1.5, 2.0))
    rng = np.random.default_rng(0)
    volume = dl.make_volume(rng.normal(size=(9, 11, 13)), affine=affine, frame_of_reference="1.2.3")
    flipped = volume[:: flip[0], :: flip[1], :: flip[2]]
    np.testing.assert_allclose(
        cut_of(flipped, plane).values(),
        cut_of(volume, plane).values(),
        atol=1e-12,
    )


def test_an_ordinary_axial_image_is_shown_as_stored():
    values = np.random.default_rng(3).integers(-1000, 2000, (4, 20, 30)).astype(np.int16)
    volume = dl.make_volume(values, affine=affine_of(UPRIGHT, (5, 0.7, 0.7), (-101.3, -99.9, 33.3)))
    cut = cut_of(volume, window=(40, 400))
    assert cut.name == "axial"
    np.testing.assert_array_equal(cut.values(), values[2])
    np.testing.assert_array_equal(cut.picture(), grey(values[2], Window(40, 400)))


@pytest.mark.parametrize("shape", [(40, 60, 60), (1, 60, 60)])
def test_pictures_between_voxels_equal_scipys_linear_interpolation(shape):
    values = np.random.default_rng(4).normal(size=shape)
    volume = dl.make_volume(values, affine=affine_of(UPRIGHT, (5, 1, 1)))
    at = (np.arange(180) + 0.5) / 3 - 0.5
    expected = map_coordinates(
        values[shape[0] // 2], np.meshgrid(at, at, indexing="ij"), order=1, mode="nearest"
    )
    np.testing.assert_allclose(cut_of(volume).values(1 / 3), expected, atol=1e-9)


@pytest.mark.parametrize("plane", PLANES)
def test_a_sphere_in_oblong_voxels_is_round(plane):
    affine = affine_of(UPRIGHT, (3.0, 0.8, 0.6), (-20.0, -20.0, -21.0))
    x, y, z = (volume.values for volume in position_volumes(affine, shape=(15, 51, 67)))
    ball = dl.make_volume(15 - np.sqrt(x**2 + y**2 + z**2), affine=affine)  # depth below the surface
    cut = cut_of(ball, plane, position=(0, 0, 0))
    inside = cut.values() > 0
    height, width = (np.count_nonzero(inside.any(axis=axis)) * cut.finest for axis in (1, 0))
    assert height == pytest.approx(30, abs=1)
    assert width == pytest.approx(30, abs=1)
    assert inside.sum() * cut.finest**2 == pytest.approx(np.pi * 15**2, rel=0.02)


def test_uneven_slices_are_drawn_half_way_to_their_neighbours():
    geometry = dl.Geometry(UPRIGHT, np.array([0.0, 2, 4, 10, 12]), np.arange(6.0), np.arange(7.0), "1.2.3")
    volume = dl.make_volume(np.arange(5.0)[:, None, None] * np.ones((5, 6, 7)), geometry=geometry)
    for plane in ("sagittal", "coronal"):
        cut = cut_of(volume, plane, interpolation="nearest")
        column = cut.values()[:, 0]
        # Borders at -1, 1, 3, 7, 11, 13 mm; the head is up.
        np.testing.assert_array_equal(column, np.repeat([4, 3, 2, 1, 0], [2, 4, 4, 2, 2]))
        assert cut.extent()[:2] == (-13, 1)


def test_a_nan_voxel_darkens_only_pixels_that_touch_it():
    values = np.ones((1, 5, 5))
    values[0, 2, 2] = np.nan
    volume = dl.make_volume(values, affine=affine_of(UPRIGHT))
    shown = cut_of(volume, window=(0, 2)).values()
    np.testing.assert_array_equal(np.argwhere(np.isnan(shown)), [[2, 2]])


def test_letters_follow_the_largest_component_and_leave_out_what_is_below_5_degrees():
    assert position_letters((1, 0, 0)) == "L"
    assert position_letters((-1, 0, 0)) == "R"
    assert position_letters((0, 1, 0)) == "P"
    assert position_letters((0, -2, 0)) == "A"
    assert position_letters((0, 0, 1)) == "H"
    assert position_letters((0, 0, -1)) == "F"
    assert position_letters((0.3, -0.9, 0.1)) == "ALH"
    assert position_letters((0.3, -0.9, 0.05)) == "AL"
    assert position_letters((np.sin(np.radians(4)), 0, np.cos(np.radians(4)))) == "H"
    assert position_letters((np.sin(np.radians(6)), 0, -np.cos(np.radians(6)))) == "FL"


@pytest.mark.parametrize("number", range(48))
def test_the_acquisition_plane_is_that_of_the_slice_normal(number):
    direction = SIGNED_PERMUTATIONS[number]
    volume = position_volumes(affine_of(direction))[0]
    expected = ("sagittal", "coronal", "axial")[int(np.argmax(np.abs(direction[:, 0])))]
    assert acquisition_plane(Grid.from_volume(volume)) == expected
    assert cut_of(volume).axis == 0


def test_a_volume_at_exactly_45_degrees_has_three_different_planes():
    axes = plane_axes(rotation(45, 0, 45) @ UPRIGHT)
    assert sorted(axis for axis, _, _ in axes.values()) == [0, 1, 2]


@pytest.mark.parametrize("seed", range(30))
def test_the_slices_are_of_the_plane_that_their_geometry_says_however_oblique(seed):
    angles = np.random.default_rng(seed).uniform(-180, 180, 3)
    volume = position_volumes(affine_of(rotation(*angles)))[0]
    axis = basis_of(Grid.from_volume(volume)).axis
    assert axis[dl.Geometry.from_volume(volume).plane] == 0
    assert sorted(axis.values()) == [0, 1, 2]


# -- which slice -----------------------------------------------------------------------------------


@pytest.fixture
def head() -> xr.DataArray:
    """Return a head-like CT of 10 x 40 x 50 voxels of 4 x 2 x 2 mm, centred on the patient origin."""
    shape = (10, 40, 50)
    affine = affine_of(UPRIGHT, (4, 2, 2), (-49, -39, -18))
    x, y, z = (volume.values for volume in position_volumes(affine, shape))
    radius = np.sqrt((x / 40) ** 2 + (y / 35) ** 2 + (z / 30) ** 2)
    values = np.select([radius < 0.85, radius < 1], [40.0, 900.0], -1000.0)
    attrs = {"Modality": "CT", "SeriesDescription": r"Head $\frac$ <b>", "PatientName": "Doe^Jane"}
    return dl.make_volume(values, affine=affine, units="HU", attrs=attrs, frame_of_reference="1.2.3")


def test_the_first_slice_shown_is_the_middle_one(head):
    assert [cut_of(head, plane).index for plane in PLANES] == [5, 25, 20]


def test_a_slice_is_found_by_index_or_by_position(head):
    assert cut_of(head, index=-1).index == 9
    assert cut_of(head, position=-18.0).index == 0
    assert cut_of(head, position=(0, 0, 3.9)).index == 5
    assert cut_of(head, "sagittal", position=(11.2, 0, 0)).index == 30
    assert cut_of(head[::-1], position=-18.0).index == 9
    assert cut_of(head, position=-19.9).index == 0  # inside the outermost voxel


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ({"index": 10}, "Index 10 along slice.*10 there.*0 to 9"),
        ({"index": -11}, "Index -11"),
        ({"position": -20.1}, "-20.1 mm along slice.*from -20 to 20 mm"),
        ({"position": (0, 0, 500)}, "500 mm"),
        ({"position": (0, 0)}, "three numbers"),
        ({"position": np.nan}, "nan mm"),
        ({"index": 1, "position": 0.0}, "one of them"),
        ({"plane": "transversal"}, "'transversal'.*'axial', 'sagittal', 'coronal'"),
    ],
)
def test_a_slice_that_is_not_there_is_refused(head, wish, message):
    with pytest.raises(GeometryError, match=message):
        dl.show(head, **wish)


def test_a_fraction_is_no_index(head):
    with pytest.raises(TypeError):
        dl.show(head, index=3.5)


# -- figures ---------------------------------------------------------------------------------------


def texts(artist) -> list[str]:
    return [text.get_text() for text in artist.findobj(matplotlib.text.Text) if text.get_text()]


def test_show_draws_the_picture_at_its_true_place(head):
    ax = dl.show(head, window="brain", interpolation="nearest")
    left, right, bottom, top = ax.images[0].get_extent()
    assert (left, right, bottom, top) == (-50, 50, 40, -40)
    drawn = np.asarray(ax.images[0].get_array())
    cut = cut_of(head, window="brain", interpolation="nearest")
    factor = drawn.shape[0] // 40
    np.testing.assert_array_equal(drawn, cut.picture().repeat(factor, 0).repeat(factor, 1))
    assert ax.get_aspect() == 1
    assert {"R", "L", "A", "P"} <= set(texts(ax))


def test_a_figure_tells_slice_position_window_and_unit_but_no_identity(head):
    for figure in (
        dl.show(head, window="lung").figure,
        dl.montage(head, window="lung"),
        dl.orthoview(head, window="lung"),
    ):
        figure.canvas.draw()
        written = "\n".join(texts(figure))
        assert r"Head $\frac$ <b>" in written
        assert "W 1500 L -600 HU" in written
        assert "slice 6/10 [5]" in written or "slice [0] to [9] of 10" in written
        assert "2.0 mm H" in written
        assert "HU" in texts(figure)
        assert "Doe" not in written


def test_millimetres_down_and_right_have_one_length_on_paper(head):
    thick = head.isel(row=slice(None, None, 4))
    for plane in PLANES:
        ax = dl.show(thick, plane=plane)
        ax.figure.canvas.draw()
        origin, right, down = ax.transData.transform([(0, 0), (10, 0), (0, 10)])
        assert right[0] - origin[0] == pytest.approx(origin[1] - down[1], rel=1e-6)
        assert right[0] > origin[0]
        assert down[1] < origin[1]


@pytest.mark.parametrize(("cut", "plane"), [("slice", "axial"), ("row", "coronal"), ("column", "sagittal")])
def test_a_plane_cut_from_a_volume_is_shown_like_the_volumes(head, cut, plane):
    whole = dl.show(head, plane=plane, index=3, window="bone")
    part = dl.show(head.isel({cut: 3}), window="bone")
    np.testing.assert_array_equal(whole.images[0].get_array(), part.images[0].get_array())
    assert whole.images[0].get_extent() == part.images[0].get_extent()


def test_a_plane_cut_from_a_volume_has_no_other_planes(head):
    with pytest.raises(GeometryError, match="sagittal"):
        dl.show(head.isel(slice=3), plane="sagittal")
    with pytest.raises(GeometryError, match="uncut"):
        dl.orthoview(head.isel(slice=3))
    with pytest.raises(GeometryError, match="slice and row"):
        dl.show(head.isel(slice=3, row=4))


def test_what_is_no_volume_is_refused_with_advice(head):
    with pytest.raises(GeometryError, match="make_volume"):
        dl.show(head.values)
    with pytest.raises(GeometryError, match="coordinate"):
        dl.montage(head.drop_vars("frame_of_reference"))
    with pytest.raises(GeometryError, match=r"isel\(time=0\)"):
        dl.orthoview(head.expand_dims("time"))
    with pytest.raises(GeometryError, match="abs"):
        dl.show(head.astype(complex))
    with pytest.raises(WindowError, match="'lung'"):
        dl.show(head, window="lungs")


def test_a_montage_spreads_its_planes_over_the_volume(head):
    figure = dl.montage(head, count=5)
    panels = [ax for ax in figure.axes if any(" mm" in text for text in texts(ax))]
    numbers = [int(texts(ax)[0].split("]")[0][1:]) for ax in panels]
    assert numbers == [1, 3, 5, 7, 9]
    assert len({tuple(np.round(ax.get_position().size, 6)) for ax in panels}) == 1
    for ax, number in zip(panels, numbers, strict=True):
        shown = dl.show(head, index=number, window="auto")
        assert ax.images[0].get_extent() == shown.images[0].get_extent()


def test_a_montage_shows_the_indexes_asked_for_and_never_a_slice_twice(head):
    assert len(dl.montage(head, indexes=[0, -1], plane="coronal").axes) == 3  # and the colour bar
    assert len(dl.montage(head, count=100).axes) == 11
    columns = {round(ax.get_position().x0, 4) for ax in dl.montage(head, count=6, columns=2).axes[:-1]}
    assert len(columns) == 2
    for wrong in ({"count": 0}, {"columns": 0}, {"indexes": []}, {"indexes": [10]}):
        with pytest.raises(GeometryError):
            dl.montage(head, **wrong)


def test_the_crosshair_of_an_orthoview_marks_the_position_in_the_colours_of_the_planes(head):
    figure = dl.orthoview(head, position=(11.0, -7.0, 6.0))
    frames = [matplotlib.colors.to_hex(ax.spines["left"].get_edgecolor()) for ax in figure.axes[:3]]
    red, yellow, green = frames
    # (colour of the line, whether it is upright, where it is in mm on the screen) for each panel
    expected = [
        {(yellow, True, 11.0), (green, False, -7.0)},
        {(red, False, -6.0), (green, True, -7.0)},
        {(red, False, -6.0), (yellow, True, 11.0)},
    ]
    for ax, lines in zip(figure.axes, expected, strict=False):
        found = set()
        for line in ax.lines:
            x, y = np.array(line.get_xdata(), float), np.array(line.get_ydata(), float)
            if line.get_color() in frames:
                upright = bool(np.ptp(x) < 1e-9)
                found.add((line.get_color(), upright, round(float((x if upright else y)[0]), 6)))
        assert found == lines


def test_a_crosshair_at_the_very_border_leaves_the_picture_as_large_as_it_is():
    # 5 slices of 4.53 mm are no whole number of pixels: the last 0.03 mm at the foot end are not drawn.
    volume = position_volumes(affine_of(UPRIGHT, (4.53, 2, 2)), shape=(5, 20, 20))[0]
    for ax in dl.orthoview(volume, position=(0, 0, -2.264)).axes[:3]:
        assert (*ax.get_xlim(), *ax.get_ylim()) == pytest.approx(ax.images[0].get_extent(), abs=1e-9)


def test_the_panels_of_an_orthoview_have_one_scale(head):
    for volume in (head, head.isel(slice=slice(4, 6)), head.isel(column=slice(10, 13))):
        figure = dl.orthoview(volume)
        figure.canvas.draw()
        scales = [np.ptp(ax.transData.transform([(0, 0), (10, 0)])[:, 0]) for ax in figure.axes[:3]]
        assert scales == pytest.approx([scales[0]] * 3, rel=0.05)


def test_an_orthoview_outside_the_volume_is_refused(head):
    with pytest.raises(GeometryError, match="300"):
        dl.orthoview(head, position=(300, 0, 0))


def test_pet_is_dark_on_white_unless_a_colour_map_is_chosen(head):
    pet = head.assign_attrs(Modality="PT", units="Bq/ml")
    grey_array = np.asarray(dl.show(pet, window=(0, 100)).images[0].get_array())
    assert grey_array[0, 0] == 255
    assert np.asarray(dl.show(pet, window=(0, 100), cmap="hot").images[0].get_array())[0, 0] == 0
    assert np.asarray(dl.show(pet, window=(0, 100), invert=False).images[0].get_array())[0, 0] == 0


def test_figures_leave_matplotlib_as_it_was(head, monkeypatch):
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    before = dict(matplotlib.rcParams)
    _, ax = plt.subplots()
    count = len(plt.get_fignums())
    assert dl.show(head, ax=ax) is ax
    assert len(plt.get_fignums()) == count
    dl.montage(head)
    dl.orthoview(head)
    assert dict(matplotlib.rcParams) == before


# -- small pictures --------------------------------------------------------------------------------


def test_a_png_holds_the_bytes_of_the_picture_and_nothing_else(head):
    shown = cut_of(head).picture()
    image = Image.open(io.BytesIO(png(shown)))
    np.testing.assert_array_equal(np.asarray(image), shown)
    assert image.info == {}
    colour = np.random.default_rng(5).integers(0, 256, (7, 9, 3)).astype(np.uint8)
    np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(png(colour)))), colour)


def test_an_infinite_voxel_is_as_bright_as_the_brightest_and_not_black():
    values = np.full((3, 6, 8), 5.0)
    values[1, 2, 2] = values[1, 4, 4:6] = np.inf
    values[1, 2, 6] = -np.inf
    volume = dl.make_volume(values, affine=affine_of(UPRIGHT, (2.0, 2.0, 2.0)))
    cut = cut_of(volume, window=(5, 10))
    expected = np.where(np.isposinf(values[1]), 255, np.where(np.isneginf(values[1]), 0, 142))
    np.testing.assert_array_equal(cut.picture(), expected)
    # Between voxels too, and on both sides alike.
    line = cut.values(1.0)[4]
    assert np.isposinf(line[3:7]).all()
    assert np.isneginf(line[11:15]).all()
    assert np.isfinite(line[[0, 1, 2, 7, 8, 9, 10, 15]]).all()


def test_the_place_of_a_tilted_slice_is_named_along_the_normal_in_which_its_mm_are_counted():
    # 18.5 degrees: at x = y = 0 the slice is further up the table than along its normal.
    row, column = np.array([1.0, 0, 0]), np.array([0, 0.9483, -0.3173])
    normal = np.cross(row, column)
    affine = affine_of(
        np.stack([[0, 0, 1 / 0.9483], column, row], axis=1), (7.0, 0.5, 0.5), (-5.0, 3.0, 700.0)
    )
    volume = dl.make_volume(np.zeros((5, 20, 20), np.int16), affine=affine)
    for index in range(5):
        mm = normal @ affine[:3] @ [index, 7, 11, 1]
        assert f"{mm:.1f} mm HP" in dl.show(volume, index=index).get_title(loc="left")
        # Across the slices: mm at right angles to the slices' columns, of the voxel in the middle slice.
        mm = row @ affine[:3] @ [2, 10, 4 * index, 1]
        side = f"{abs(mm):.1f} mm {'L' if mm > 0 else 'R'}"
        assert side in dl.show(volume, plane="sagittal", index=4 * index).get_title(loc="left")
        mm = column / np.linalg.norm(column) @ affine[:3] @ [2, 4 * index, 10, 1]
        side = f"{abs(mm):.1f} mm {'PF' if mm > 0 else 'AH'}"
        assert side in dl.show(volume, plane="coronal", index=4 * index).get_title(loc="left")


def test_planes_across_tilted_slices_stand_upright_on_them() -> None:
    """The plane that is shown is the one that its letters, its place and its mm speak of."""
    direction = UPRIGHT.copy()
    direction[1, 0] = 0.4  # slices move backwards as they rise
    volumes = position_volumes(affine_of(direction, (2.0, 1.0, 1.0)), shape=(12, 40, 16))
    shown = np.stack([cut_of(volume, "coronal").values()[2:-2] for volume in volumes], axis=-1)
    inside = np.isfinite(shown).all(axis=-1)
    assert inside.mean() > 0.8
    np.testing.assert_allclose(shown[inside][:, 1], cut_of(volumes[0], "coronal").mm, atol=1e-9)


def test_a_tilted_volume_in_colour_is_shown_across_its_slices_in_its_colours() -> None:
    direction = UPRIGHT.copy()
    direction[1, 0] = 0.4
    rng = np.random.default_rng(3)
    values = rng.integers(0, 256, (12, 40, 16, 3), dtype=np.uint8)
    affine = affine_of(direction, (2.0, 1.0, 1.0))
    options = {"dims": ("slice", "row", "column", "sample"), "coords": {"sample": ["red", "green", "blue"]}}
    volume = dl.make_volume(values, affine=affine, **options)
    shown = np.asarray(dl.show(volume, plane="coronal").images[0].get_array())
    for k in range(3):
        one = cut_of(
            dl.make_volume(values[..., k], affine=affine),
            "coronal",
            window=Window(127.5, 255, "LINEAR_EXACT"),
        )
        factor = round(shown.shape[0] / one.picture().shape[0])
        np.testing.assert_array_equal(shown[..., k], one.picture(one.finest / factor))


def test_a_volume_in_colour_is_shown_in_its_colours() -> None:
    rng = np.random.default_rng(8)
    values = rng.integers(0, 256, (3, 8, 6, 3), dtype=np.uint8)
    volume = dl.make_volume(
        values,
        affine=np.diag([4.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]],
        dims=("slice", "row", "column", "sample"),
        coords={"sample": ["red", "green", "blue"]},
    )
    picture = dl.show(volume, index=1, interpolation="nearest").images[0].get_array()
    assert picture.shape[2] == 3
    # Each voxel is a square of equal pixels; the middle of each has its colour.
    step = picture.shape[0] // 8
    found = picture[step // 2 :: step, step // 2 :: step][:8, :6]
    np.testing.assert_array_equal(found, values[1])


def test_masks_lie_over_figures_where_the_voxels_are_and_are_named() -> None:
    values = np.zeros((6, 20, 24), np.int16)
    volume = dl.make_volume(values, affine=np.diag([3.0, 1, 1.5, 1])[[2, 1, 0, 3]], units="HU")
    mask = (volume > 3).copy()
    mask[2:5, 4:9, 12:20] = True
    mask = mask.rename("<b>$liver$</b>")
    coarse = dl.make_volume(
        np.ones((2, 4, 4), np.uint8),
        affine=np.diag([3.0, 2, 2, 1])[[2, 1, 0, 3]],
        frame_of_reference=volume.dicom.frame_of_reference,
    )
    axes = dl.show(volume, index=3, masks=[mask, coarse])
    over = axes.images[1].get_array()
    left, right, bottom, top = axes.images[1].get_extent()
    assert over is not None
    rows, columns = over.shape[:2]
    for row, column in ((6, 15), (1, 15), (6, 2), (15, 20)):
        x, y, _ = volume.dicom.lps([3, row, column])
        pixel = over[int((y - top) / (bottom - top) * rows), int((x - left) / (right - left) * columns)]
        assert (pixel[3] > 0) == bool(mask.values[3, row, column])
    assert axes.images[2].get_array()[..., 3].max() == 0, "the second mask has no voxel in this plane"
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["<b>$liver$</b>", "label 1"]
    for figure in (dl.orthoview(volume, masks=mask), dl.montage(volume, count=4, masks={"liver": mask})):
        assert len([one for one in figure.axes if len(one.images) > 1]) >= 3
    other = dl.make_volume(np.ones((2, 4, 4), bool), affine=np.eye(4)[[2, 1, 0, 3]])
    with pytest.raises(dl.DicomLabError, match="frame of reference"):
        dl.show(volume, masks=other)
    plt.close("all")


def _titles(normal, **how):
    """The first line of a picture of a plane with that normal: in axes of its own, and in a row."""
    plane = phantom_ct().dicom.reslice(normal=normal, spacing=6)
    own = dl.show(plane, **how).get_title(loc="left")
    _, axes = plt.subplots(1, 3)
    narrow = dl.show(plane, ax=axes[0], **how).get_title(loc="left")
    plt.close("all")
    return own, narrow


def phantom_ct():
    return dl.make_volume(
        np.random.default_rng(3).integers(0, 100, (20, 40, 40)).astype(np.int16),
        affine=[[0, 0, 3, -60], [0, 3, 0, -60], [6, 0, 0, -60], [0, 0, 0, 1]],
    )


def test_a_plane_that_leans_is_called_oblique_and_one_that_hardly_does_by_its_name():
    def leaning(degrees):
        return (0, np.sin(np.radians(degrees)), np.cos(np.radians(degrees)))

    for normal, wide, narrow in (
        ((0, 1, 0), "coronal", "coronal"),
        (leaning(4), "axial", "axial"),
        (leaning(6), "oblique, nearest axial", "oblique"),
        (leaning(30), "oblique, nearest axial", "oblique"),
        ((1, 0.3, 0), "oblique, nearest sagittal", "oblique"),
        ((1, 1, 0), "oblique", "oblique"),  # no nearer to one than to the other
        ((0, 1, 1), "oblique", "oblique"),
    ):
        own, row = _titles(normal)
        assert own.split("\n")[-1].split("   ")[0] == wide, normal
        assert row.split("\n")[0].split("   ")[0] == narrow, normal
