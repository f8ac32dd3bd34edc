"""Geometry against nibabel, SimpleITK and arithmetic done by hand."""

import gc
import weakref
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial.transform import Rotation
from support import datasets, write

from dicomlab import DicomLabWarning, load_volume, make_volume
from dicomlab.affine import axis_codes, direction_from_cosines, plane_of
from dicomlab.errors import GeometryError
from dicomlab.geometry import Geometry

UID = "1.2.826.0.1.3680043.8.498.1"


@st.composite
def geometries(draw: st.DrawFn, *, uneven: bool = True) -> Geometry:
    """Any orientation, any spacing, sheared or not, even or uneven, ascending."""
    rotation = Rotation.from_euler("xyz", [draw(st.floats(-180, 180)) for _ in range(3)], degrees=True)
    direction = rotation.as_matrix()
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    direction[:, 0] += direction[:, 1] * draw(st.sampled_from([0.0, 0.3]))
    axes = []
    for _ in range(3):
        size = draw(st.integers(1, 5))
        even = [draw(st.floats(0.1, 8.0))] * size
        gaps = draw(hnp.arrays(float, size, elements=st.floats(0.1, 8.0))) if uneven else np.array(even)
        axes.append(draw(st.floats(-500, 500)) + np.cumsum(gaps))
    steps = tuple(float(draw(st.floats(0.1, 8.0))) for _ in range(3))
    return Geometry(direction, *axes, frame_of_reference=UID, lone_steps=steps)


@given(geometries(), st.integers(0, 2**32 - 1))
def test_index_undoes_lps_inside_and_outside_the_volume(geometry: Geometry, seed: int) -> None:
    index = np.random.default_rng(seed).uniform(-2, 7, size=(20, 3))
    assert np.allclose(geometry.index(geometry.lps(index)), index, atol=1e-6)


@given(geometries(uneven=False))
def test_the_affine_places_every_voxel_where_the_coordinates_do(geometry: Geometry) -> None:
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), -1).reshape(-1, 3)
    by_affine = nib.affines.apply_affine(geometry.affine, index)
    by_rule = [
        geometry.direction @ [geometry.slice[i], geometry.row[j], geometry.column[k]] for i, j, k in index
    ]
    assert np.allclose(by_affine, by_rule, atol=1e-6)
    assert np.allclose(geometry.lps(index), by_rule, atol=1e-6)


@given(geometries(uneven=False))
def test_a_geometry_comes_back_from_its_affine(geometry: Geometry) -> None:
    again = Geometry.from_affine(geometry.affine, geometry.shape, UID)
    corners = np.array(geometry.shape) - 1
    assert np.allclose(again.lps(corners), geometry.lps(corners), atol=1e-6)
    for mine, theirs in zip(again.positions, geometry.positions, strict=True):
        assert np.allclose(mine, theirs, atol=1e-6)


@given(geometries(uneven=False))
def test_the_ras_affine_gives_nibabel_the_same_places(geometry: Geometry) -> None:
    index = np.array(geometry.shape) - 1
    ras = nib.affines.apply_affine(geometry.affine_ras, index[::-1])
    assert np.allclose(ras * [-1, -1, 1], geometry.lps(index), atol=1e-6)


def test_orientation_letters_equal_nibabels() -> None:
    affine = np.eye(4)
    affine[:3, :3] = np.array(
        [[0, 0, -1.0], [0, 2.0, 0], [3.0, 0, 0]]
    )  # slice up, row back, column to the right
    geometry = Geometry.from_affine(affine, (2, 2, 2), UID)
    # nibabel's letters are those of (column, row, slice)
    assert geometry.orientation == "".join(nib.aff2axcodes(geometry.affine_ras)[::-1])
    assert geometry.orientation == "SPR"


def test_itk_places_voxels_of_an_oblique_grid_alike() -> None:
    rotation = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()
    affine = np.eye(4)
    affine[:3, :3] = rotation[:, ::-1] @ np.diag([4.0, 0.9, 0.7])  # columns: slice, row, column
    affine[:3, 3] = [-80, 12, 330]
    volume = make_volume(np.zeros((3, 4, 5), np.int16), affine=affine)
    image = sitk.GetImageFromArray(np.zeros((3, 4, 5), np.int16))
    image.SetSpacing([0.7, 0.9, 4.0])
    image.SetDirection(rotation.ravel().tolist())
    image.SetOrigin([-80, 12, 330])
    for index in ((0, 0, 0), (2, 3, 4), (1, 0, 3)):
        assert np.allclose(volume.dicom.lps(index), image.TransformIndexToPhysicalPoint(index[::-1]))


def test_one_slice_keeps_the_step_of_the_volume_that_it_is_cut_from() -> None:
    affine = np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]
    volume = make_volume(np.zeros((6, 3, 3)), affine=affine)
    for cut, step in ((volume[2:3], 5), (volume[::2][1:2], 10), (volume[::-1].isel(slice=[1]), -5)):
        assert cut.dicom.affine[2, 0] == step
        assert cut.dicom.spacing == (abs(step), 0.9, 0.8)
        np.testing.assert_allclose(cut.dicom.lps([1, 0, 0]), (cut.dicom.affine @ [1, 0, 0, 1])[:3])
    assert make_volume(np.zeros((1, 3, 3)), affine=affine).dicom.affine.tolist() == affine.tolist()


def test_one_slice_of_unknown_step_has_no_affine_rather_than_a_guessed_one() -> None:
    geometry = Geometry(np.eye(3)[:, ::-1].copy(), np.array([7.0]), np.arange(2.0), np.arange(2.0), UID)
    volume = make_volume(np.zeros((1, 2, 2)), geometry=geometry)
    assert np.isnan(volume.dicom.spacing[0])
    with pytest.raises(GeometryError, match="only one slice, and nothing says how far the next would be"):
        _ = volume.dicom.affine
    assert volume.dicom.lps([0, 1, 1]).tolist() == [1, 1, 7]
    assert volume.dicom.index([1, 1, 7]).tolist() == [0, 1, 1]
    plane = make_volume(np.zeros((3, 2, 2)), affine=np.eye(4)[[2, 1, 0, 3]]).isel(slice=1)
    with pytest.raises(GeometryError, match=r"isel\(slice=\[k\]\)"):
        _ = plane.dicom.affine


def test_uneven_slices_have_no_affine_but_true_positions() -> None:
    geometry = Geometry(
        np.eye(3)[:, ::-1].copy(), np.array([0.0, 1.0, 5.0]), np.arange(2.0), np.arange(2.0), UID
    )
    volume = make_volume(np.zeros((3, 2, 2)), geometry=geometry)
    with pytest.raises(GeometryError, match=r"uneven, 1\.000 to 4\.000 mm"):
        _ = volume.dicom.affine
    assert volume.dicom.lps([2, 0, 0]).tolist() == [0, 0, 5]
    assert volume.dicom.index([0, 0, 3.0]).tolist() == [1.5, 0, 0]
    assert not volume.dicom.is_uniform


def test_cosines_beyond_the_limit_are_refused_and_rounded_ones_are_mended() -> None:
    direction, deviation = direction_from_cosines([0.999, 0, 0, 0, 1, 0])
    assert np.allclose(direction.T @ direction, np.eye(3))
    assert 0.0009 < deviation < 0.0011
    with pytest.raises(GeometryError, match="perpendicular"):
        direction_from_cosines([1, 0, 0, 0.1, 1, 0])
    with pytest.raises(GeometryError, match="six finite numbers"):
        direction_from_cosines([1, 0, 0, 0, np.nan, 0])


@pytest.mark.parametrize(
    ("cosines", "plane", "codes"),
    [
        ([1, 0, 0, 0, 1, 0], "axial", "SPL"),
        ([0, 1, 0, 0, 0, -1], "sagittal", "RIP"),
        ([1, 0, 0, 0, 0, -1], "coronal", "PIL"),
    ],
)
def test_planes_and_letters_of_the_three_standard_orientations(cosines, plane, codes) -> None:
    direction, _ = direction_from_cosines(cosines)
    # The slice letter follows n = r x c, worked out by hand for the three cases.
    assert plane_of(direction) == plane
    normal = np.cross(cosines[:3], cosines[3:])
    positive, negative = (("L", "R"), ("P", "A"), ("S", "I"))[int(np.argmax(np.abs(normal)))]
    assert axis_codes(direction)[0] == (positive if normal.sum() > 0 else negative)
    assert axis_codes(direction)[1:] == codes[1:]


@given(geometries(), st.data())
def test_slicing_flipping_striding_and_transposing_keep_every_patient_position(
    geometry: Geometry, data: st.DataObject
) -> None:
    truth = np.stack(
        np.broadcast_arrays(
            *[
                geometry.direction[w, 0] * geometry.slice[:, None, None]
                + geometry.direction[w, 1] * geometry.row[None, :, None]
                + geometry.direction[w, 2] * geometry.column[None, None, :]
                for w in range(3)
            ]
        ),
        -1,
    )
    number = np.arange(np.prod(geometry.shape)).reshape(geometry.shape)
    volume = make_volume(number, geometry=geometry)
    picked = volume
    for dim, size in zip(("slice", "row", "column"), geometry.shape, strict=True):
        indexer = data.draw(
            st.one_of(
                st.slices(size).filter(lambda s, n=size: len(range(*s.indices(n))) > 0),
                st.integers(0, size - 1),
                st.lists(st.integers(0, size - 1), min_size=1, max_size=3, unique=True),
            )
        )
        picked = picked.isel({dim: indexer})
    picked = picked.transpose(*data.draw(st.permutations(list(picked.dims))))
    xyz = picked.dicom.with_xyz()
    found = np.stack([np.broadcast_to(xyz[name].values, picked.shape) for name in "xyz"], -1)
    assert np.allclose(found, truth.reshape(-1, 3)[picked.values], atol=1e-6)


def test_xyz_coordinates_are_computed_for_the_part_looked_at_only() -> None:
    # Three float64 coordinates of this volume would need 24 GB.
    values = np.broadcast_to(np.int8(0), (1000, 1000, 1000))
    volume = make_volume(values, affine=np.eye(4)[[2, 1, 0, 3]]).dicom.with_xyz()
    part = volume.isel(slice=slice(3, 5), row=7, column=[1, 2, 9])
    assert part.x.values.tolist() == [[1, 2, 9], [1, 2, 9]]
    assert part.z.values[:, 0].tolist() == [3, 4]


def test_arrays_that_never_were_volumes_say_what_is_missing() -> None:
    with pytest.raises(GeometryError, match="slice, row, column, frame_of_reference are missing"):
        _ = xr.DataArray(np.zeros((2, 2))).dicom.affine
    with pytest.raises(GeometryError, match="have shape"):
        make_volume(np.zeros((2, 2)), affine=np.eye(4))
    with pytest.raises(GeometryError, match="either"):
        make_volume(np.zeros((2, 2, 2)))
    with pytest.raises(GeometryError, match=r"singular|steps by 0"):
        make_volume(np.zeros((2, 2, 2)), affine=np.diag([1.0, 1.0, 0.0, 1.0]))


def test_reprs_tell_where_the_volume_is() -> None:
    affine = np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]
    volume = make_volume(np.zeros((3, 3, 3), np.int16), affine=affine, units="HU")
    text = repr(volume.dicom)
    assert "5 × 0.9 × 0.8 mm" in text
    assert "SPL" in text
    assert "int16 in HU" in text
    assert "<td" in volume.dicom._repr_html_()


def test_a_volume_survives_saving_to_netcdf_with_all_it_knows(tmp_path: Path) -> None:
    changed = datasets()
    folder = write(tmp_path / "ct", changed[:2] + changed[3:])
    with pytest.warns(DicomLabWarning, match="missing_slice"):
        volume = load_volume(folder)
    # scipy is what xarray falls back on when no netCDF library is there: the least able of its engines.
    volume.to_netcdf(tmp_path / "ct.nc", engine="scipy")
    with xr.open_dataarray(tmp_path / "ct.nc", engine="scipy") as again:
        assert again.dicom.windows == volume.dicom.windows
        assert len(again.dicom.windows) == 3
        assert again.dicom.findings == volume.dicom.findings
        assert again.dicom.units == "HU"
        np.testing.assert_allclose(again.dicom.lps([3, 2, 1]), volume.dicom.lps([3, 2, 1]))
        np.testing.assert_array_equal(again.values, volume.values)


def test_a_volume_leaves_memory_with_its_last_name() -> None:
    volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4))
    gone = weakref.ref(volume)
    assert volume.dicom.geometry.shape == (2, 3, 4)
    gc.disable()
    try:
        del volume
        assert gone() is None
    finally:
        gc.enable()
    assert xr.DataArray.dicom.__name__ == "DicomAccessor"
