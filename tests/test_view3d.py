"""The view in three dimensions stands where the patient lies."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.spatial.transform import Rotation

from dicomlab import Geometry, make_volume
from dicomlab.errors import GeometryError
from dicomlab.extras.view3d import _standing

AXIAL = np.eye(3)[:, ::-1]
OBLIQUE = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()[:, ::-1]
TILTED = AXIAL + np.outer(AXIAL[:, 1], [0.3, 0, 0])


def volume(direction: np.ndarray, flips: tuple[bool, bool, bool]) -> xr.DataArray:
    """Each voxel has a number of its own."""
    lines = [start + step * np.arange(n) for start, step, n in ((3, 4.0, 5), (-20, 0.5, 6), (7, 2.0, 7))]
    lines = [line[::-1] if flip else line for line, flip in zip(lines, flips, strict=True)]
    return make_volume(
        np.arange(5 * 6 * 7).reshape(5, 6, 7).astype("int16"), geometry=Geometry(direction, *lines, "1.2.3")
    )


@pytest.mark.parametrize("flips", [(False, False, False), (True, False, False), (False, True, True)])
@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE, TILTED])
def test_every_voxel_of_the_cube_is_drawn_at_its_place_in_the_patient(
    direction: np.ndarray, flips: tuple[bool, bool, bool]
) -> None:
    data = volume(direction, flips)
    values, matrix = _standing(data)
    assert np.linalg.det(matrix[:3, :3]) > 0, "a mirrored cube is seen from inside"
    grid = data.dicom.geometry
    size = np.array(values.shape)
    for number in (0, 17, 100, 209):
        [found] = np.argwhere(values == number)
        # k3d: a cube of side 1 around the origin, x along the last dim.
        cube = ((found + 0.5) / size - 0.5)[::-1]
        place = (matrix @ [*cube, 1.0])[:3]
        [voxel] = np.argwhere(data.values == number)
        lines = [line[k] for line, k in zip(grid.positions, voxel, strict=True)]
        np.testing.assert_allclose(place, direction @ np.array(lines), atol=1e-9)


def test_letters_stand_around_the_volume_and_the_view_is_from_the_front() -> None:
    pytest.importorskip("k3d")
    plot = volume(AXIAL, (False, False, False)).dicom.view3d(window=(100, 200))
    letters = next(one for one in plot.objects if one.type == "Text")
    places = dict(zip(letters.text, np.reshape(letters.position, (-1, 3)), strict=True))
    for larger, smaller, axis in (("L", "R", 0), ("P", "A", 1), ("H", "F", 2)):
        assert places[larger][axis] > places[smaller][axis]
    eye, target, up = np.reshape(plot.camera, (3, 3))
    assert (target - eye)[1] > 0, "towards posterior"
    np.testing.assert_allclose((target - eye)[[0, 2]], 0, atol=1e-4)
    np.testing.assert_array_equal(up, [0, 0, 1])
    # Screen right is look x up: left of the patient.
    assert np.cross(target - eye, up)[0] > 0


def test_what_has_no_thickness_or_uneven_slices_is_refused_with_the_way_out() -> None:
    pytest.importorskip("k3d")
    data = volume(AXIAL, (False, False, False))
    with pytest.raises(GeometryError, match="two or more voxels"):
        data[:1].dicom.view3d(window=(100, 200))
    with pytest.raises(GeometryError, match="regularize"):
        data.isel(slice=[0, 1, 4]).dicom.view3d(window=(100, 200))
