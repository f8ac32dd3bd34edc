"""volume.dicom: extent, voxel volume, one grid or two, other frames, guarded pad and coarsen; against ITK and by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dicomlab import Geometry, make_volume
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.frames import FrameIndex
from dicomlab.indexes import AxisIndex

FRAME, OTHER = "1.2.3", "1.2.4"
AXES = ("slice", "row", "column")
STEPS = (5.0, 0.9, 0.8)


def affine(
    rotation: Rotation | None = None, *, shear: float = 0.0, origin=(-80.0, 12.0, 330.0)
) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = (rotation or Rotation.identity()).as_matrix()[:, ::-1]
    matrix[:3, 0] += shear * matrix[:3, 1]
    matrix[:3, :3] *= STEPS
    matrix[:3, 3] = origin
    return matrix


def volume(matrix: np.ndarray | None = None, frame: str | None = FRAME, shape=(4, 6, 5)) -> xr.DataArray:
    values = np.arange(float(np.prod(shape))).reshape(shape)
    return make_volume(values, affine=affine() if matrix is None else matrix, frame_of_reference=frame)


def guarded(v: xr.DataArray) -> bool:
    axes = [dim for dim in AXES if dim in v.dims]
    return isinstance(v.xindexes["frame_of_reference"], FrameIndex) and all(
        isinstance(v.xindexes[dim], AxisIndex) for dim in axes
    )


rotations = st.builds(
    lambda x, y, z: Rotation.from_euler("xyz", [x, y, z], degrees=True),
    *(st.floats(-180, 180) for _ in range(3)),
)

# -- extent and voxel volume -------------------------------------------------------------------------------------------


@given(rotations, st.tuples(*(st.sampled_from([1, -1]) for _ in range(3))))
def test_the_extent_is_the_box_that_itk_gives_the_faces(rotation: Rotation, signs) -> None:
    v = volume(affine(rotation))[tuple(slice(None, None, sign) for sign in signs)]
    image = sitk.GetImageFromArray(np.zeros((4, 6, 5), np.uint8))
    image.SetSpacing(STEPS[::-1])
    image.SetDirection(rotation.as_matrix().ravel().tolist())
    image.SetOrigin([-80, 12, 330])
    faces = [
        image.TransformContinuousIndexToPhysicalPoint((i, j, k))
        for i in (-0.5, 4.5)
        for j in (-0.5, 5.5)
        for k in (-0.5, 3.5)
    ]
    np.testing.assert_allclose(v.dicom.extent, [np.min(faces, axis=0), np.max(faces, axis=0)], atol=1e-6)


def test_a_voxel_under_tilt_has_the_volume_between_two_planes() -> None:
    assert volume().dicom.voxel_volume == pytest.approx(5 * 0.9 * 0.8)
    tilted = volume(affine(shear=0.4))
    assert tilted.dicom.spacing[0] > 5.3
    assert tilted.dicom.voxel_volume == pytest.approx(5 * 0.9 * 0.8)
    assert volume()[::2, :, ::-1].dicom.voxel_volume == pytest.approx(10 * 0.9 * 0.8)


def test_what_nobody_knows_has_no_extent_and_no_voxel_volume() -> None:
    v = volume()
    uneven = v.isel(slice=[0, 1, 3])
    with pytest.raises(GeometryError, match="uneven"):
        _ = uneven.dicom.voxel_volume
    # 5 and 10 mm apart: half of each beyond the outer planes.
    np.testing.assert_allclose(uneven.dicom.extent[:, 2], [330 - 2.5, 345 + 5])
    assert v.isel(slice=[1]).dicom.extent[:, 2].tolist() == [332.5, 337.5]
    with pytest.raises(GeometryError, match="only one slice"):
        _ = v.isel(slice=1).dicom.extent
    with pytest.raises(GeometryError, match="NaN"):
        _ = v.pad(slice=1).dicom.extent
    with pytest.raises(GeometryError, match="without voxels"):
        _ = v[:0].dicom.extent
    shuffled = v.isel(slice=[2, 0, 3, 1])
    np.testing.assert_allclose(shuffled.dicom.extent, v.dicom.extent)


# -- one grid or two ---------------------------------------------------------------------------------------------------


@given(
    st.floats(-0.03, 0.03),
    st.floats(-0.03, 0.03),
    st.floats(0.998, 1.002),
    st.floats(-1e-4, 1e-4),
    st.booleans(),
)
def test_one_grid_is_what_the_guards_take_for_one(down, along, stretch, turn, framed) -> None:
    other = affine(Rotation.from_euler("x", turn), origin=(-80, 12 + down, 330 + along))
    other[:3, 2] *= stretch
    v, w = volume(), volume(other, FRAME if framed else OTHER)
    equal = all(v.xindexes[name].equals(w.xindexes[name]) for name in (*AXES, "frame_of_reference"))
    assert bool(v.dicom.same_grid(w)) == equal
    assert bool(w.dicom.same_grid(v)) == equal


@pytest.mark.parametrize(
    ("other", "differ", "words"),
    [
        (volume(), [], "<one grid>"),
        (volume(frame=OTHER), ["frame of reference"], "transform"),
        (volume(frame=None), ["frame of reference"], "assume_frame"),
        (
            volume(affine(origin=(-80, 12.45, 330))),
            ["positions"],
            "row up to 0.45 mm apart; volume.dicom.resample_like",
        ),
        (volume()[1:], ["positions"], "slice 4 against 3 .parts of one grid.*reindex_like"),
        (volume()[::-1], ["positions"], "slice in another order .parts of one grid.*reindex_like"),
        (
            volume()[::2],
            ["spacing", "positions"],
            "slice -5 mm; volume.dicom.resample_like.other. makes values between",
        ),
        (
            volume(affine(Rotation.from_euler("z", 90, degrees=True))),
            ["orientation", "positions"],
            "90°; volume.dicom.resample_like",
        ),
        (volume(affine(shear=0.1)), ["orientation", "spacing", "positions"], "tilted 5.71°"),
        (
            volume(affine() * [1.2, 1, 1, 1]),
            ["spacing", "positions"],
            "slice -1 mm; volume.dicom.resample_like",
        ),
    ],
)
def test_the_report_says_in_what_two_grids_differ_and_what_mends_it(other, differ, words) -> None:
    report = volume().dicom.same_grid(other)
    assert [aspect.name for aspect in report.differences] == differ
    assert bool(report) == (not differ)
    assert re.search(words, repr(report)), report
    assert all(aspect.mend for aspect in report.differences)


def test_what_the_report_names_brings_two_grids_together() -> None:
    v = volume()
    for part in (v[1:], v[::2], v[::-1, ::-1]):
        assert v.dicom.same_grid(part.reindex_like(v))
    assert v.dicom.same_grid(volume(frame=None).dicom.assume_frame(v))


def test_the_distance_of_two_grids_is_that_of_the_farthest_voxels() -> None:
    rotation = Rotation.from_euler("xyz", [3, -2, 8], degrees=True)
    v, w = volume(), volume(affine(rotation, origin=(-70, 12, 331)))
    index = np.stack(np.meshgrid(*map(np.arange, v.shape), indexing="ij"), -1)
    far = np.linalg.norm(v.dicom.lps(index) - w.dicom.lps(index), axis=-1).max()
    assert v.dicom.same_grid(w).distance == pytest.approx(far)
    assert np.isnan(v.dicom.same_grid(v[1:]).distance)
    assert np.isnan(v.dicom.same_grid(volume(frame=OTHER)).distance)


def test_the_report_is_html_in_which_nothing_of_a_file_is_markup() -> None:
    page = volume().dicom.same_grid(volume(frame="<script>"))._repr_html_()
    assert "<script" not in page
    assert "&lt;script&gt;" in page


# -- other frames ------------------------------------------------------------------------------------------------------


def test_a_frame_that_is_assumed_lets_volumes_meet_and_is_noted() -> None:
    v, nameless = volume(), volume(frame=None)
    with pytest.raises(xr.AlignmentError):
        _ = v + nameless
    assumed = nameless.dicom.assume_frame(v)
    assert (v + assumed).equals(v + v)
    assert assumed.frame_of_reference == FRAME
    assert "assumed 1.2.3 in place of unknown:" in assumed.attrs["frame_history"]
    assert nameless.dicom.frame_of_reference.startswith("unknown:")
    assert guarded(assumed)
    again = assumed.dicom.assume_frame("1.2.840.10008.9")
    assert again.attrs["frame_history"].count("\n") == 1
    np.testing.assert_array_equal(again.dicom.affine, v.dicom.affine)
    assert v.dicom.assume_frame(FRAME) is v


@pytest.mark.parametrize("nonsense", ["", "CT", "1.2.03", "unknown:1.2", "1." * 40 + "1", "1.2.3 "])
def test_what_is_no_uid_is_no_frame(nonsense: str) -> None:
    with pytest.raises(GeometryError, match="0020,0052"):
        volume().dicom.assume_frame(nonsense)
    with pytest.raises(GeometryError, match="0020,0052"):
        volume().dicom.transform(np.eye(4), to=nonsense)
    for thing in (None, 3, np.eye(4)):
        with pytest.raises(GeometryError, match="found"):
            volume().dicom.assume_frame(thing)
        with pytest.raises(GeometryError, match="found"):
            volume().dicom.same_grid(thing)
    with pytest.raises(GeometryError, match="names none"):
        volume().dicom.assume_frame(volume(frame=None))


@given(rotations, rotations, st.floats(0, 0.5), st.floats(-200, 200))
def test_a_rigid_registration_moves_every_voxel_as_itk_moves_points(first, second, shear, mm) -> None:
    v = volume(affine(first, shear=shear)).isel(slice=[0, 1, 3], row=slice(None, None, -1))
    itk = sitk.Euler3DTransform()
    itk.SetMatrix(second.as_matrix().ravel().tolist(), 1e-6)
    itk.SetTranslation([mm, -3.0, 7.5])
    matrix = np.eye(4)
    matrix[:3, :3] = second.as_matrix()
    matrix[:3, 3] = [mm, -3.0, 7.5]
    moved = v.dicom.transform(matrix, to=OTHER)
    assert guarded(moved)
    assert moved.dicom.frame_of_reference == OTHER
    np.testing.assert_array_equal(moved.values, v.values)
    for index in ((0, 0, 0), (2, 5, 4), (1, 2, 3)):
        wanted = itk.TransformPoint(v.dicom.lps(index).tolist())
        np.testing.assert_allclose(moved.dicom.lps(index), wanted, atol=1e-6)
    back = moved.dicom.transform(np.linalg.inv(matrix), to=v)
    assert v.dicom.same_grid(back)


def test_scaling_is_held_by_positions_and_what_no_direction_holds_is_refused() -> None:
    v = volume(affine(Rotation.from_euler("z", 30, degrees=True)))
    larger = v.dicom.transform(np.diag([2.0, 2, 2, 1]), to=OTHER)
    np.testing.assert_allclose(larger.dicom.spacing, np.multiply(v.dicom.spacing, 2))
    for matrix, reason in [
        (np.diag([1.0, 2, 1, 1]), "not perpendicular.*rigid"),
        (np.diag([-1.0, 1, 1, 1]), "mirrors the patient"),
        (np.diag([0.0, 1, 1, 1]), "singular"),
        (np.eye(3), "4x4"),
        (np.full((4, 4), np.nan), "finite"),
        (np.ones((4, 4)), "last row"),
        (object(), "found object"),
    ]:
        with pytest.raises(GeometryError, match=reason):
            v.dicom.transform(matrix, to=OTHER)
    # A shear along the slice axis is a tilt, which a direction does hold.
    lean = np.eye(4)
    lean[1, 2] = 0.3
    sheared = volume().dicom.transform(lean, to=OTHER)
    np.testing.assert_allclose(sheared.dicom.lps([3, 2, 1]), lean[:3, :3] @ volume().dicom.lps([3, 2, 1]))


def test_directions_of_diffusion_turn_with_the_patient() -> None:
    turn = Rotation.from_euler("xyz", [10, 20, 70], degrees=True)
    vectors = np.array([[np.nan] * 3, [1.0, 0, 0], [0, 0.6, 0.8]])
    coords = {f"b_vector_{axis}": ("b_value", part) for axis, part in zip("xyz", vectors.T, strict=True)}
    v = volume().expand_dims(b_value=[0.0, 1000.0, 1000.0]).assign_coords(coords)
    matrix = np.eye(4)
    matrix[:3, :3] = turn.as_matrix()
    moved = v.dicom.with_xyz().dicom.transform(matrix, to=OTHER)
    np.testing.assert_allclose(moved.dicom.b_vectors[1:], turn.apply(vectors[1:]))
    assert np.isnan(moved.dicom.b_vectors[0]).all()
    assert "x" not in moved.coords
    assert moved.b_value.values.tolist() == [0, 1000, 1000]


def test_a_plane_that_was_picked_moves_with_its_registration() -> None:
    v = volume()
    lift = np.eye(4)
    lift[2, 3] = 7.5
    plane = v.isel(slice=2).dicom.transform(lift, to=OTHER)
    np.testing.assert_allclose(plane.dicom.lps([0, 3, 1]) - [0, 0, 7.5], v.dicom.lps([2, 3, 1]))
    assert guarded(plane)


# -- pad and coarsen ---------------------------------------------------------------------------------------------------


@given(rotations, st.floats(0, 0.4), st.tuples(*(st.integers(0, 3) for _ in range(4))), st.booleans())
def test_padding_goes_on_by_the_step_and_cropping_undoes_it(rotation, shear, widths, flip) -> None:
    v = volume(affine(rotation, shear=shear))[:: -1 if flip else 1]
    before, after, left, right = widths
    padded = v.dicom.pad(slice=(before, after), column=(left, right), constant_values=-1)
    assert guarded(padded)
    index = np.stack(np.meshgrid(*map(np.arange, padded.shape), indexing="ij"), -1)
    np.testing.assert_allclose(padded.dicom.lps(index), v.dicom.lps(index - [before, 0, left]), atol=1e-6)
    inner = padded[before : before + 4, :, left : left + 5]
    assert v.dicom.same_grid(inner)
    np.testing.assert_array_equal(inner.values, v.values)
    assert padded.sum() - v.sum() == -(padded.size - v.size)
    assert (padded + v).shape == v.shape


def test_padding_is_refused_where_nobody_knows_the_next_place() -> None:
    v = volume()
    with pytest.raises(GeometryError, match="regularize"):
        v.isel(slice=[0, 1, 3]).dicom.pad(slice=1)
    assert v.isel(slice=[0, 1, 3]).dicom.pad(row=1).sizes["row"] == 8
    with pytest.raises(GeometryError, match="has the dims row, column"):
        v.isel(slice=1).dicom.pad(slice=1)
    assert v.isel(slice=[1]).dicom.pad(slice=1).slice.values.tolist() == [330, 335, 340]
    lone = Geometry(np.eye(3)[:, ::-1].copy(), np.array([7.0]), np.arange(2.0), np.arange(2.0), FRAME)
    with pytest.raises(GeometryError, match="no one step"):
        make_volume(np.zeros((1, 2, 2)), geometry=lone).dicom.pad(slice=1)
    for width in (-1, (1, -2), (1, 2, 3), 1.5):
        with pytest.raises(GeometryError, match="0 or more"):
            v.dicom.pad(row=width)
    with pytest.raises(GeometryError, match="GiB"):
        v.dicom.pad(row=10**9)
    with pytest.raises(GeometryError, match="y cannot be padded"):
        v.dicom.pad(y=1)
    labels = v.astype(np.int16).dicom.pad(row=1, mode="edge")
    assert labels.dtype == np.int16
    assert (labels.isel(row=0).values == labels.isel(row=1).values).all()
    assert labels.row[0] == v.row[0] - 0.9


@given(
    st.integers(1, 4), st.integers(1, 6), st.sampled_from(["trim", "pad"]), st.sampled_from(["left", "right"])
)
def test_a_block_lies_at_the_centre_of_its_voxels(deep, high, boundary, side) -> None:
    v = volume(affine(Rotation.from_euler("xyz", [20, -35, 50], degrees=True), shear=0.2), shape=(4, 7, 5))
    coarse = v.dicom.coarsen({"slice": deep, "row": high}, boundary=boundary, side=side)
    assert guarded(coarse)
    plain = v.coarsen({"slice": deep, "row": high}, boundary=boundary, side=side).mean()
    np.testing.assert_array_equal(coarse.values, plain.values)
    first = np.zeros(3)
    if side == "right":
        for axis, window in enumerate((deep, high)):
            excess = v.shape[axis] % window
            first[axis] = excess if boundary == "trim" else -((window - excess) % window)
    index = np.stack(np.meshgrid(*map(np.arange, coarse.shape), indexing="ij"), -1)
    centres = first + index * [deep, high, 1] + [(deep - 1) / 2, (high - 1) / 2, 0]
    np.testing.assert_allclose(coarse.dicom.lps(index), v.dicom.lps(centres), atol=1e-6)
    np.testing.assert_allclose(coarse.dicom.spacing, np.multiply(v.dicom.spacing, [deep, high, 1]))


def test_blocks_that_make_no_sense_are_refused() -> None:
    v = volume()
    with pytest.raises(ValueError, match="exact"):
        v.dicom.coarsen(row=4)
    for window in (0, -2, 1.5, "2"):
        with pytest.raises(GeometryError, match="counts voxels"):
            v.dicom.coarsen(row=window)
    with pytest.raises(GeometryError, match="no block of 9"):
        v.dicom.coarsen(row=9, boundary="trim")
    with pytest.raises(DicomLabError, match="func='construct' is unknown"):
        v.dicom.coarsen(row=2, func="construct")
    with pytest.raises(GeometryError, match="y cannot be coarsened"):
        v.dicom.coarsen(y=2)
    uneven = v.isel(slice=[0, 1, 3])
    with pytest.raises(GeometryError, match="regularize"):
        uneven.dicom.coarsen(slice=2, boundary="pad")
    assert uneven.dicom.coarsen(slice=2, boundary="trim").slice.values.tolist() == [332.5]
    assert v.dicom.coarsen(row=2, func="max").values.tolist() == v.values.reshape(4, 3, 2, 5).max(2).tolist()


def test_padded_and_coarsened_volumes_of_two_patients_do_not_meet() -> None:
    v, w = volume(), volume(frame=OTHER)
    for change in (lambda x: x.dicom.pad(row=1), lambda x: x.dicom.coarsen(row=2)):
        with pytest.raises(xr.AlignmentError, match="frame of reference"):
            _ = change(v) + change(w)


def test_lazy_volumes_are_padded_and_coarsened_lazily() -> None:
    v = volume()
    lazy = v.chunk(slice=2)
    for change in (
        lambda x: x.dicom.pad(row=1, constant_values=0),
        lambda x: x.dicom.coarsen(row=2, slice=2),
    ):
        later = change(lazy)
        assert later.chunks is not None
        assert later.compute().identical(change(v))


# -- the card ----------------------------------------------------------------------------------------------------------


def test_the_card_draws_the_box_where_the_volume_is() -> None:
    v = volume(affine(Rotation.from_euler("x", 20, degrees=True)), shape=(10, 60, 50))
    page = v.dicom._repr_html_()
    assert page.count("<svg") == 1
    assert "<script" not in page
    low, high = v.dicom.extent
    x, y, z = high - low
    for size in (f"{x:.0f} × {y:.0f} mm", f"{x:.0f} × {z:.0f} mm", f"{y:.0f} × {z:.0f} mm"):
        assert size in page
    for letter in "RLAPSI":
        assert f">{letter}</text>" in page


@pytest.mark.parametrize(
    ("picked", "drawn"),
    [
        (lambda v: v.isel(slice=1), True),
        (lambda v: v.isel(slice=[1]), True),
        (lambda v: v.isel(slice=[0, 1, 3]), True),
        (lambda v: v[::-1, ::-1], True),
        (lambda v: v.isel(slice=1, row=2, column=3), False),
        (lambda v: v.pad(row=1), False),
    ],
)
def test_a_card_without_a_box_is_still_a_card(picked, drawn: bool) -> None:
    page = picked(volume()).dicom._repr_html_()
    assert ("<svg" in page) == drawn
    assert "frame of reference" in page
    assert "nan" not in page.split("<svg")[-1].split("</svg>")[0] or not drawn


def test_reindexing_by_numbers_says_what_to_do_instead() -> None:
    with pytest.raises(ValueError, match=r"sel\(row=\.\.\.\) or reindex_like\(other\)"):
        volume().reindex(row=[12.0, 12.9])
