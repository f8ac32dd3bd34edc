"""New grids asked for with odd values, odd numbers and much too much of everything."""

from __future__ import annotations

import dask.array as da
import numpy as np
import pytest
import xarray as xr
from scipy import ndimage

from dicomlab import DicomLabError, Geometry, make_volume
from dicomlab.errors import GeometryError

UID = "1.2.826.0.1.3680043.8.498.1"
PLAIN = np.eye(4)[[2, 1, 0, 3]]


def cube(values: np.ndarray):
    return make_volume(values, affine=PLAIN, frame_of_reference=UID)


@pytest.mark.parametrize("odd", [complex(1, np.inf), complex(-np.inf, 2), complex(np.inf, -np.inf)])
def test_a_complex_voxel_that_is_not_finite_never_becomes_zero(odd):
    values = np.ones((3, 3, 3), np.complex64)
    values[1, 1, 1] = odd
    found = cube(values).dicom.interp([[1, 1, 1], [1, 1, 1.25], [0, 0, 0]]).values
    assert not np.isfinite(found[:2]).any()
    assert found[2] == 1


@pytest.mark.parametrize("order", [0, 1, 3])
def test_holes_lie_at_the_same_places_whether_a_volume_is_lazy_or_not(order):
    rng = np.random.default_rng(0)
    values = rng.random((30, 10, 10))
    values[rng.random(values.shape) < 0.05] = np.nan
    eager = cube(values)
    lazy = eager.copy(data=da.from_array(values, chunks=(7, 10, 5)))
    # Of these planes, some lie on slices of the source and most do not.
    target = Geometry(
        eager.dicom.direction, np.arange(0, 29, 0.5), eager.row.values, eager.column.values, UID
    )
    for one, other in (
        (eager.dicom.resample_like(target, order=order), lazy.dicom.resample_like(target, order=order)),
        (eager.dicom.resample(spacing=0.7, order=order), lazy.dicom.resample(spacing=0.7, order=order)),
    ):
        np.testing.assert_allclose(other.values, one.values, atol=1e-6)


def test_splines_on_single_slices_know_nothing_of_the_neighbours():
    values = np.random.default_rng(1).random((4, 9, 9))
    values[1] = np.nan
    fine = cube(values).dicom.resample(spacing=(None, 0.5, 0.5), order=3)
    assert np.isfinite(fine.isel(slice=[0, 2, 3])).all()
    index = np.stack(np.meshgrid(np.arange(18) / 2 - 0.25, np.arange(18) / 2 - 0.25, indexing="ij"))
    expected = ndimage.map_coordinates(values[0], index.clip(0, 8), order=3, mode="mirror")
    np.testing.assert_allclose(fine.values[0], expected, atol=1e-6)


def test_a_curve_of_billions_of_values_is_refused_before_room_is_made():
    volume = cube(np.zeros((3, 3, 3)))
    with pytest.raises(GeometryError, match="too large"):
        volume.dicom.curved([(0, 0, 0), (0, 0, 900)], width=900, spacing=0.01)
    with pytest.raises(GeometryError, match="has 90000000 values"):
        volume.dicom.profile((0, 0, 0), (0, 0, 900), step=1e-5)


def test_a_dask_graph_of_endless_planes_is_refused():
    lazy = cube(np.zeros((3, 3, 3))).chunk()
    with pytest.raises(GeometryError, match="30000 planes"):
        lazy.dicom.resample(spacing=(1e-4, None, None))


@pytest.mark.parametrize("fill", ["a", 1e300, 1j, [1, 2]])
def test_a_fill_that_the_values_cannot_hold_is_refused(fill):
    volume = cube(np.zeros((3, 3, 3), np.float32))
    with pytest.raises(DicomLabError, match="fill"):
        volume.dicom.reslice(normal=(1, 1, 1), fill=fill)


def test_an_infinite_fill_is_kept():
    wide = cube(np.zeros((3, 3, 3), np.float32)).dicom.reslice(
        normal=(0, 0, 1), shape=(1, 9, 9), fill=np.inf, spacing=1
    )
    assert np.isposinf(wide.values[0, 0, 0])


@pytest.mark.parametrize(
    "wrong", [{"count": 2.5}, {"count": "3"}, {"shape": (1.5, 2, 2)}, {"shape": (1, np.nan, 2)}]
)
def test_planes_are_counted_in_whole_numbers(wrong):
    with pytest.raises(GeometryError, match="counted"):
        cube(np.zeros((3, 3, 3))).dicom.reslice(normal=(0, 0, 1), **wrong)


def test_a_margin_for_two_of_three_axes_is_refused():
    volume = cube(np.arange(27).reshape(3, 3, 3))
    with pytest.raises(GeometryError, match="margin"):
        volume.dicom.crop_to(volume > 3, margin=(1, 2))


def test_where_a_mask_does_not_reach_nothing_is_kept():
    volume = cube(np.zeros((8, 8, 8)))
    small = cube(np.ones((3, 3, 3)))
    mask = small.dicom.resample_like(volume)
    assert np.isnan(mask).any()
    assert volume.dicom.crop_to(mask).shape == (3, 3, 3)


def test_points_along_an_axis_that_the_volume_has_are_refused():
    volume = cube(np.zeros((3, 3, 3))).expand_dims(time=[0.0, 1.0])
    with pytest.raises(GeometryError, match="time"):
        volume.dicom.interp(xr.DataArray(np.zeros((2, 3)), dims=("time", "xyz")))
    with pytest.raises(GeometryError, match="time"):
        volume.isel(time=0).dicom.interp(xr.DataArray(np.zeros((2, 3)), dims=("time", "xyz")))
    assert volume.dicom.interp(xr.DataArray(np.zeros((2, 3)), dims=("hour", "xyz"))).dims == ("time", "hour")


@pytest.mark.parametrize("step", [0.001, 0.005, 0.05, 0.5, 5.0])
def test_however_small_the_step_slices_a_third_of_it_off_are_uneven(step):
    axis = step * np.arange(3)
    for off, even in ((0.3, False), (0.5, False), (0.005, True)):
        places = step * np.array([0, 1 + off, 2])
        volume = make_volume(
            np.zeros((3, 3, 3)), geometry=Geometry(np.eye(3)[:, ::-1], places, axis, axis, UID)
        )
        assert volume.dicom.is_uniform is even
