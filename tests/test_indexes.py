"""The guards: combining two grids is either right or refused with the reason."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from dicomlab import make_volume
from dicomlab.errors import GeometryError

AFFINE = np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]
FRAME = "1.2.3"


def volume(affine: np.ndarray = AFFINE, frame: str | None = FRAME, shape=(4, 5, 6)) -> xr.DataArray:
    return make_volume(
        np.arange(float(np.prod(shape))).reshape(shape), affine=affine, frame_of_reference=frame
    )


def moved(axis: int, mm: float) -> np.ndarray:
    affine = AFFINE.copy()
    affine[axis, 3] += mm
    return affine


def test_volumes_on_one_grid_are_added_voxel_by_voxel() -> None:
    total = volume() + volume()
    assert total.identical(volume() * 2)
    assert total.dicom.affine.tolist() == volume().dicom.affine.tolist()


@pytest.mark.parametrize(
    ("other", "reason"),
    [
        (volume(frame="1.2.4"), "frame of reference: 1.2.[34] against 1.2.[34]"),
        (volume(frame=None), "frame of reference.*unknown"),
        (volume(AFFINE[:, [1, 0, 2, 3]]), "orientation: the direction of slice differs"),
        (volume(moved(0, 0.4)), "positions along column.*0.4 mm apart"),
        (volume(moved(2, 2.5)), "positions along slice"),
        (volume(AFFINE @ np.diag([0.4, 1, 1, 1])), "positions along slice.*step [25] mm.*step [25] mm"),
        (volume(AFFINE @ np.diag([1, 1, 1.5, 1])), "positions along column"),
    ],
)
@pytest.mark.parametrize("join", ["inner", "outer", "left", "right"])
def test_two_grids_are_refused_with_the_reason(other: xr.DataArray, reason: str, join: str) -> None:
    with xr.set_options(arithmetic_join=join), pytest.raises(xr.AlignmentError, match=reason):
        _ = volume() + other


def test_rounding_below_the_tolerance_does_not_part_two_grids() -> None:
    total = volume() + volume(moved(0, 0.003))
    assert total.shape == (4, 5, 6)


def test_crops_and_strides_of_one_grid_meet_where_they_overlap() -> None:
    whole = volume()
    meeting = whole[:3] + whole[1:]
    assert meeting.slice.values.tolist() == [5, 10]
    assert (meeting == 2 * whole[1:3]).all()
    assert (whole[::2] + whole).slice.values.tolist() == [0, 10]
    assert (whole[::-1] + whole == 2 * whole[::-1]).all()


def test_parts_without_a_common_position_are_refused_rather_than_empty() -> None:
    with pytest.raises(xr.AlignmentError, match="no position in common"):
        _ = volume()[:2] + volume()[2:]
    united, _ = xr.align(volume()[:2], volume()[2:], join="outer")
    assert united.slice.values.tolist() == [0, 5, 10, 15]


@given(st.permutations([0, 1, 2, 3]), st.integers(1, 3))
def test_concatenated_parts_keep_their_positions(order: list[int], cut: int) -> None:
    whole = volume()
    parts = [whole.isel(slice=order[:cut]), whole.isel(slice=order[cut:])]
    joined = xr.concat(parts, dim="slice").sortby("slice")
    assert joined.identical(whole)
    assert type(joined.xindexes["slice"]).__name__ == "AxisIndex"


def test_parts_of_two_frames_are_not_concatenated() -> None:
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        xr.concat([volume()[:2], volume(frame="9.9")[2:]], dim="slice", join="outer")


def test_selection_by_millimetres_works_on_flipped_axes_and_refuses_points_outside() -> None:
    for one in (volume(), volume()[::-1]):
        assert sorted(one.sel(slice=slice(4, 11)).slice.values) == [5, 10]
        assert sorted(one.sel(slice=slice(11, 4)).slice.values) == [5, 10]
        assert one.sel(slice=7.6, method="nearest").slice == 10
        assert one.sel(slice=[0, 15]).slice.values.tolist() == [0, 15]
        assert one.sel(slice=17.4, method="nearest").slice == 15
        for outside in (17.6, -2.6):
            with pytest.raises(KeyError, match=r"reaches from 0\.000 to 15\.000 mm"):
                one.sel(slice=outside, method="nearest")
        with pytest.raises(KeyError, match="method='nearest'"):
            one.sel(slice=7.6)
        with pytest.raises(KeyError, match="no position of slice lies between"):
            one.sel(slice=slice(100, 200))
    assert volume().sel(slice=slice(10, None)).slice.values.tolist() == [10, 15]
    assert volume()[::-1].sel(slice=slice(10, None)).slice.values.tolist() == [10, 5, 0]


@pytest.mark.parametrize(
    "forget",
    [
        lambda v, folder: v.coarsen(row=2, boundary="trim").mean(),
        lambda v, folder: v.interp(slice=[1.0, 2.0]),
        lambda v, folder: v.assign_coords(slice=v.slice.values + 1),
        lambda v, folder: xr.DataArray.from_dict(v.to_dict()),
        lambda v, folder: v.mean("slice").broadcast_like(v),
        lambda v, folder: saved_and_opened(v, folder),
        lambda v, folder: saved_and_opened(v.isel(slice=1), folder),
    ],
)
def test_restore_puts_all_guards_back_and_moves_nothing(forget, tmp_path: Path) -> None:
    mine, theirs = forget(volume(), tmp_path / "a.nc"), forget(volume(frame="9.9"), tmp_path / "b.nc")
    restored = mine.dicom.restore()
    for dim in set(restored.dims) & {"slice", "row", "column"}:
        assert type(restored.xindexes[dim]).__name__ == "AxisIndex"
    np.testing.assert_array_equal(restored.values, mine.transpose(*restored.dims).values)
    assert restored.attrs == mine.attrs
    for one, other in zip(restored.dicom.geometry.positions, mine.dicom.geometry.positions, strict=True):
        np.testing.assert_array_equal(one, other)
    assert (restored + restored).shape == restored.shape
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        _ = restored + theirs.dicom.restore()


def saved_and_opened(v: xr.DataArray, path: Path) -> xr.DataArray:
    v.to_netcdf(path, engine="scipy")
    with xr.open_dataarray(path, engine="scipy") as opened:
        return opened.load()


def test_restore_refuses_positions_that_nobody_knows() -> None:
    with pytest.raises(GeometryError, match="some positions along row are NaN"):
        volume().pad(row=1).dicom.restore()
    with pytest.raises(GeometryError, match="missing"):
        volume().drop_vars("frame_of_reference").dicom.restore()


@pytest.mark.parametrize(
    "operate",
    [
        lambda v: v.mean("slice"),
        lambda v: v > 3,
        lambda v: v.where(v > 3, 0),
        lambda v: v.copy(deep=True),
        lambda v: pickle.loads(pickle.dumps(v)),
        lambda v: v.to_dataset(name="a").a,
        lambda v: v.astype("int16"),
        lambda v: v.roll(row=1, roll_coords=True),
        lambda v: v.expand_dims(time=[0, 1]),
        lambda v: xr.apply_ufunc(np.sqrt, v),
        lambda v: v.isel(slice=2),
        lambda v: xr.concat([v, v], dim="time"),
        lambda v: v.rename("other"),
        lambda v: v.sortby("row", ascending=False),
        lambda v: v.groupby("slice").mean(),
    ],
)
def test_ordinary_operations_keep_the_frame_and_its_guard(operate) -> None:
    result = operate(volume())
    assert result.frame_of_reference.attrs == volume().frame_of_reference.attrs
    assert type(result.xindexes["frame_of_reference"]).__name__ == "FrameIndex"
    for dim in {"row", "column"} & set(result.dims):
        assert type(result.xindexes[dim]).__name__ == "AxisIndex"


@pytest.mark.parametrize(
    "meet",
    [
        lambda v, twice: twice + v,
        lambda v, twice: v + twice,
        lambda v, twice: v.where(twice > 0),
        lambda v, twice: xr.align(v, twice, join="outer"),
        lambda v, twice: xr.align(v, twice, join="left"),
        lambda v, twice: twice.reindex_like(v),
        lambda v, twice: twice.reindex_like(v, method="nearest"),
    ],
)
def test_voxels_at_one_position_are_not_mistaken_for_one_another(meet) -> None:
    v = volume()
    for jitter in (0.0, 0.001):
        again = v.assign_coords(slice=v.slice + jitter).dicom.restore() * 10
        with pytest.raises(xr.AlignmentError, match=r"not there once only.*isel"):
            meet(v, xr.concat([v, again], "slice"))


def test_selecting_a_position_of_several_voxels_asks_which() -> None:
    v = volume()
    twice = xr.concat([v, v * 10], "slice")
    for label in (float(v.slice[1]), v.slice.values[:2]):
        with pytest.raises(KeyError, match=r"several voxels.*drop_duplicates"):
            twice.sel(slice=label)
        xr.testing.assert_equal(twice.drop_duplicates("slice").sel(slice=label), v.sel(slice=label))


def test_a_range_on_an_axis_out_of_order_holds_nothing_from_outside() -> None:
    rolled = volume().roll(row=2, roll_coords=True)
    row = volume().row.values
    with pytest.raises(KeyError, match="sortby"):
        rolled.sel(row=slice(row[1], row[3]))
    np.testing.assert_array_equal(rolled.sel(row=slice(row[0], row[2])).row, row[:3])


def test_labels_of_another_direction_are_refused_one_by_one_too() -> None:
    v = volume()
    turn = np.eye(4)
    turn[:3, :3] = Rotation.from_euler("z", 3, degrees=True).as_matrix()
    for other, reason in (
        (volume(turn @ AFFINE), "orientation"),
        (volume(frame="1.2.4"), "frame of reference"),
    ):
        for label in (other.row[1], slice(other.row[1], other.row[3]), other.row[1:3]):
            with pytest.raises(xr.AlignmentError, match=reason):
                v.sel(row=label, **({} if isinstance(label, slice) else {"method": "nearest"}))


def test_coordinates_of_two_volumes_in_one_array_have_no_geometry() -> None:
    v, other = volume(), volume(frame="1.2.4")
    for mixed in (
        v.interp(row=other.row),
        v.assign_coords(frame_of_reference=other.frame_of_reference),
    ):
        with pytest.raises(GeometryError, match="nobody knows where"):
            _ = mixed.dicom.affine


def test_what_is_written_into_a_result_does_not_reach_the_guard_of_its_source() -> None:
    v = volume()
    affine = v.dicom.affine
    xr.where(v > 0, 1.0, 0.0, keep_attrs=True).attrs.clear()
    v.copy().frame_of_reference.attrs["direction"][0] = 0.5
    v[1:].frame_of_reference.attrs.clear()
    np.testing.assert_array_equal(v.dicom.affine, affine)
    np.testing.assert_array_equal((v + v[1:]).dicom.affine[:, :3], affine[:, :3])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"slice": list("abcd")}, "positions are numbers"),
        ({"slice": np.arange(4).astype("datetime64[s]")}, "positions are numbers"),
        ({"frame_of_reference": ((), FRAME, {"direction": [0.0] * 9})}, "spans no space"),
        ({"frame_of_reference": ((), FRAME, {"direction": [np.nan] * 9})}, "spans no space"),
    ],
)
def test_coordinates_that_mean_no_place_are_no_geometry(change, words: str) -> None:
    v = volume().drop_indexes(["slice", "row", "column", "frame_of_reference"])
    with pytest.raises(GeometryError, match=words):
        _ = v.assign_coords(change).dicom.affine


def test_two_volumes_live_in_one_dataset_on_axes_of_their_own() -> None:
    v, other = volume(), volume(moved(0, 3.0), frame="1.2.4")
    names = {"slice": "s2", "row": "r2", "column": "c2", "frame_of_reference": "f2"}
    both = xr.Dataset({"a": v, "b": other.rename(names)})
    np.testing.assert_array_equal(both.a.dicom.affine, v.dicom.affine)
    assert both.a.sel(row=both.a.row[1]).equals(both.a[:, 1])
    assert both.b.sel(r2=both.b.r2[1]).equals(both.b[:, 1])
    back = both.b.drop_vars("frame_of_reference").rename({new: old for old, new in names.items()})
    assert back.dicom.same_grid(other)
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        v.sel(row=other.row[1])
