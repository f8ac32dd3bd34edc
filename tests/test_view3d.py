"""The view in three dimensions stands where the patient lies."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from scipy.spatial.transform import Rotation

from dicomlab import DicomLabError, Geometry, make_volume
from dicomlab.errors import GeometryError
from dicomlab.extras.view3d import _standing
from dicomlab.masks import Label, mask_like

if TYPE_CHECKING:
    from playwright.sync_api import Browser

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


def boxes(direction: np.ndarray = AXIAL) -> xr.DataArray:
    """Three labels: one at the patient's left, one at the head, one in front of the others."""
    lines = (5.0 * np.arange(9), 2.0 * np.arange(20), 2.0 * np.arange(20))
    values = np.zeros((9, 20, 20), np.uint8)
    values[1:4, 8:12, 14:18] = 1
    values[6:8, 8:12, 2:6] = 2
    values[1:4, 1:3, 2:6] = 3
    volume = make_volume(values, geometry=Geometry(direction, *lines, "1.2.3"))
    labels = [Label(1, "left", "#ff0000"), Label(2, "head", "#00ff00"), Label(3, "<b>front</b>", "#0000ff")]
    return volume.dicom.with_labels(labels)


def meshes(plot: object) -> dict[str, np.ndarray]:
    """Vertices of the surfaces of a plot, by name."""
    found = [one for one in plot.objects if one.type == "Mesh"]  # type: ignore[attr-defined]
    return {one.name: np.asarray(one.vertices, np.float64).reshape(-1, 3) for one in found}


@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE, TILTED])
def test_surfaces_of_labels_stand_where_the_labels_lie_alone_or_in_a_volume(direction: np.ndarray) -> None:
    pytest.importorskip("k3d")
    mask = boxes(direction)
    plots = [
        mask.dicom.view3d(),
        mask.astype("int16").drop_attrs().dicom.view3d(masks=mask, window=(0, 3)),
    ]
    for plot in plots:
        found = meshes(plot)
        assert list(found) == ["left", "head", "<b>front</b>"]
        for number, name in enumerate(found, start=1):
            places = mask.dicom.lps(np.argwhere(mask.values == number))
            np.testing.assert_allclose(found[name].mean(axis=0), places.mean(axis=0), atol=0.5)
            over = found[name].max(axis=0) - places.max(axis=0)
            assert (over > 0.4).all()
            assert (over < 3.6).all()
    assert [one.type for one in plots[0].objects].count("Volume") == 0
    assert [one.type for one in plots[1].objects].count("Volume") == 1
    names = [one.text for one in plots[0].objects if one.type == "Text2d"]
    assert names == ["left", "head", "&lt;b&gt;front&lt;/b&gt;"], "a name from a file is no HTML"


def test_masks_of_one_colour_are_told_apart_and_those_of_another_frame_are_refused() -> None:
    pytest.importorskip("k3d")
    mask = boxes()
    image = mask.astype("int16").drop_attrs()
    both = {"liver": mask_like(mask, mask.values == 1), "spleen": mask_like(mask, mask.values == 2)}
    plot = image.dicom.view3d(masks=both, window=(0, 3))
    colours = {one.name: one.color for one in plot.objects if one.type == "Mesh"}
    assert list(colours) == ["liver", "spleen"]
    assert colours["liver"] != colours["spleen"]
    with pytest.raises(GeometryError, match="nothing in common"):
        image.dicom.view3d(masks=mask.dicom.assume_frame("1.2.4"), window=(0, 3))
    with pytest.raises(DicomLabError, match="no voxels"):
        image.dicom.view3d(masks=both["liver"] & False, window=(0, 3))
    with pytest.raises(DicomLabError, match="from 0 to 1"):
        image.dicom.view3d(masks=both, mask_opacity=2)


@pytest.mark.browser
def test_in_the_picture_the_patients_left_is_on_the_right_the_head_up_and_the_front_before(
    chromium: Browser, tmp_path: Path
) -> None:
    pytest.importorskip("k3d")
    page = chromium.new_page(viewport={"width": 240, "height": 240})
    page.route(
        "**/*", lambda route: route.abort() if route.request.url.startswith("http") else route.continue_()
    )
    (tmp_path / "plot.html").write_text(boxes().dicom.view3d(mask_opacity=1.0, height=240).get_snapshot())
    page.goto((tmp_path / "plot.html").as_uri())
    for _ in range(40):
        page.wait_for_timeout(250)
        shown = Image.open(io.BytesIO(page.screenshot(timeout=60_000))).convert("RGB")
        pixels = np.array(shown).astype(int)
        pixels[:80, :90] = 0  # the names
        of = [
            np.argwhere(pixels[..., k] > 2 * np.delete(pixels, k, axis=2).max(axis=2) + 20) for k in range(3)
        ]
        if all(len(one) > 50 for one in of):
            break
    left, head, front = (one.mean(axis=0) for one in of)
    page.close()
    assert left[1] > head[1] + 30
    assert head[0] < left[0] - 30
    assert front[1] < left[1] - 30
    # Front and left have one height, and their boxes one width; what is nearer looks larger.
    size = [np.ptp(one[:, 1]) for one in of]
    assert size[2] > size[0]
