"""Surfaces of masks lie where the mask lies, are closed, look outwards, and come back from files as they were."""

from __future__ import annotations

import json
import re
import struct
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, Geometry
from dicomlab.errors import GeometryError, OverwriteError
from dicomlab.masks import Label, stacked
from dicomlab.surfaces import surfaces

trimesh = pytest.importorskip("trimesh")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:trimesh")

AXIAL = np.eye(3)[:, ::-1]
OBLIQUE = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()[:, ::-1]
OBLIQUE[:, 0] = np.cross(OBLIQUE[:, 2], OBLIQUE[:, 1])
TILTED = AXIAL + np.outer(AXIAL[:, 1], [0.3, 0, 0])
RADIUS = 12.0
UNEVEN = np.cumsum([2.0, 1, 1, 2, 2, 3, 2, 1, 1, 2, 2, 2, 1, 3, 2, 2, 1])


def ball(
    direction: np.ndarray = AXIAL,
    flips: tuple[bool, bool, bool] = (False, False, False),
    lines: tuple[np.ndarray, ...] | None = None,
    radius: float = RADIUS,
) -> tuple[xr.DataArray, np.ndarray]:
    """A ball in the patient, and its centre in LPS mm."""
    given = lines or (UNEVEN + 40, -30 + 1.5 * np.arange(24), 200 + 2.0 * np.arange(18))
    lines = tuple(line[::-1] if flip else line for line, flip in zip(given, flips, strict=True))
    centre = direction @ np.array([line.mean() for line in lines])
    places = np.stack(np.meshgrid(*lines, indexing="ij"), axis=-1) @ direction.T
    inside = np.linalg.norm(places - centre, axis=-1) <= radius
    return dl.make_volume(inside, geometry=Geometry(direction, *lines, "1.2.3"), name="liver"), centre


def check_closed(vertices: np.ndarray, faces: np.ndarray) -> None:
    """Along every edge as many triangles go one way as the other, and none is without a use."""
    ends = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    there, back = (np.sort(a * len(vertices) + b) for a, b in (ends.T, ends[:, ::-1].T))
    np.testing.assert_array_equal(there, back)
    np.testing.assert_array_equal(np.unique(faces), np.arange(len(vertices)))


@pytest.mark.parametrize("style", ["midway", "voxels"])
@pytest.mark.parametrize(
    "flips", [(False, False, False), (True, False, False), (False, True, True), (True, True, True)]
)
@pytest.mark.parametrize("direction", [AXIAL, OBLIQUE, TILTED])
def test_the_surface_of_a_ball_lies_on_the_ball_and_looks_outwards(
    direction: np.ndarray, flips: tuple[bool, bool, bool], style: str
) -> None:
    mask, centre = ball(direction, flips)
    mesh = mask.dicom.to_mesh(style=style)
    off = np.linalg.norm(mesh.vertices - centre, axis=1) - RADIUS
    # Half of the largest voxel, from corner to corner.
    voxel = max(np.linalg.norm(direction @ [3, 1.5 * a, 2 * b]) for a in (1, -1) for b in (1, -1))
    assert np.abs(off).max() <= voxel / 2
    assert abs(off.mean()) < 0.7
    assert mesh.is_watertight
    assert mesh.is_winding_consistent
    ml = float(mask.dicom.labels.table.ml[0])
    if style == "midway":
        assert ((mesh.triangles_center - centre) * mesh.face_normals).sum(axis=1).min() > 0, "outwards"
    else:
        for step, expected in ((-0.01, True), (0.01, False)):
            index = mask.dicom.index(mesh.triangles_center + step * mesh.face_normals)
            assert (mask.values[tuple(np.rint(index).astype(int).T)] == expected).all()
    if style == "voxels":
        assert mesh.volume / 1000 == pytest.approx(ml, rel=1e-9)
    else:
        assert mesh.volume / 1000 == pytest.approx(ml, rel=0.02)
    assert surfaces(mask, style=style)[0].ml == pytest.approx(mesh.volume / 1000, rel=1e-9)
    assert surfaces(mask, style=style)[0].area == pytest.approx(mesh.area, rel=1e-9)


def test_a_fine_ball_has_the_volume_of_the_formula_within_one_percent() -> None:
    mask, _ = ball(lines=(np.arange(50.0), np.arange(50.0), np.arange(50.0)), radius=22)
    assert surfaces(mask)[0].ml == pytest.approx(4 / 3 * np.pi * 22**3 / 1000, rel=0.01)


def test_the_surface_of_one_voxel_ends_half_way_to_its_neighbours() -> None:
    values = np.zeros((3, 4, 5), bool)
    values[1, 2, 3] = True
    lines = np.array([0.0, 2, 8]), 10 - 0.5 * np.arange(4), 100 + 3.0 * np.arange(5)
    mask = dl.make_volume(values, geometry=Geometry(AXIAL, *lines, "1.2.3"))
    # By hand: x 109, y 9, z 2; half ways to 1.5 mm, 0.25 mm, and 1 mm below, 3 mm above.
    expected = [(107.5, 9, 2), (110.5, 9, 2), (109, 8.75, 2), (109, 9.25, 2), (109, 9, 1), (109, 9, 5)]
    assert sorted(map(tuple, mask.dicom.to_mesh().vertices.tolist())) == sorted(expected)
    ends = mask.dicom.to_mesh(style="voxels").bounds
    np.testing.assert_allclose(ends, [[107.5, 8.75, 1], [110.5, 9.25, 5]])


@example(share=0.3, seed=0, shape=(12, 13, 14), style="midway")
@example(share=0.3, seed=0, shape=(12, 13, 14), style="voxels")
@settings(max_examples=25, deadline=None)
@given(
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**31),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 5)),
    style=st.sampled_from(["midway", "voxels"]),
)
def test_any_voxels_have_a_closed_surface_at_the_edge_of_the_volume_too(
    share: float, seed: int, shape: tuple[int, int, int], style: str
) -> None:
    values = np.random.default_rng(seed).random(shape) < share
    values.flat[seed % values.size] = True
    affine = np.diag([3.0, 0.5, 1.0, 1.0])[[2, 1, 0, 3]]
    mask = dl.make_volume(values, affine=affine)
    found = surfaces(mask, style=style)[0]
    check_closed(found.vertices, found.faces)
    if style == "voxels":
        assert found.ml == pytest.approx(values.sum() * 1.5 / 1000, rel=1e-9)
    else:
        edges = np.sort(
            np.concatenate([found.faces[:, [0, 1]], found.faces[:, [1, 2]], found.faces[:, [2, 0]]])
        )
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
        assert found.ml > 0


def test_a_hole_inside_takes_volume_away() -> None:
    values = np.ones((5, 5, 5), bool)
    values[2, 2, 2] = False
    mask = dl.make_volume(values, affine=np.eye(4)[[2, 1, 0, 3]])
    assert surfaces(mask, style="voxels")[0].ml == pytest.approx(0.124)


@pytest.mark.parametrize("style", ["midway", "voxels"])
def test_smoothing_brings_the_area_nearer_to_that_of_a_ball_and_keeps_the_volume(style: str) -> None:
    mask, centre = ball(OBLIQUE)
    plain, smooth = (surfaces(mask, style=style, smooth_mm=mm)[0] for mm in (0, 9))
    assert smooth.ml == pytest.approx(plain.ml, rel=1e-3)
    true = 4 * np.pi * RADIUS**2
    assert abs(smooth.area / true - 1) < 0.5 * abs(plain.area / true - 1)
    off = [np.std(np.linalg.norm(one.vertices - centre, axis=1)) for one in (plain, smooth)]
    assert off[1] < 0.85 * off[0]
    np.testing.assert_array_equal(smooth.faces, plain.faces)
    # Shorter than what the triangles can show: nothing moves.
    np.testing.assert_array_equal(surfaces(mask, smooth_mm=0.1)[0].vertices, surfaces(mask)[0].vertices)


def test_a_label_in_a_large_box_is_coarser_for_looking_and_in_the_same_place() -> None:
    mask, centre = ball(TILTED)
    fine, coarse = surfaces(mask)[0], surfaces(mask, voxels=600)[0]
    assert len(coarse.faces) < len(fine.faces) / 2
    check_closed(coarse.vertices, coarse.faces)
    assert coarse.ml == pytest.approx(fine.ml, rel=0.15)
    assert np.linalg.norm(coarse.vertices.mean(axis=0) - centre) < 1
    cube = dl.make_volume(np.ones((8, 8, 8), bool), affine=np.diag([2.0, 1.0, 1.0, 1.0])[[2, 1, 0, 3]])
    ends = surfaces(cube, voxels=64)[0].vertices
    np.testing.assert_allclose(
        [ends.min(axis=0), ends.max(axis=0)], [[-0.5, -0.5, -1], [7.5, 7.5, 15]], atol=0.15
    )
    thin = dl.make_volume(np.eye(9, dtype=bool)[None], affine=np.eye(4)[[2, 1, 0, 3]])
    assert len(surfaces(thin, voxels=10)[0].faces), "what is thin is not gone"


def organs() -> xr.DataArray:
    values = np.zeros((4, 6, 8), np.uint8)
    values[1:3, 1:4, 1:3], values[1:, 2:5, 4:7] = 1, 7
    mask = dl.make_volume(values, affine=np.diag([5.0, 0.8, 0.7, 1.0])[[2, 1, 0, 3]])
    return mask.dicom.with_labels({1: "liver", 7: Label(7, "left kidney", "#0072b2")})


def test_every_label_has_its_surface_whatever_the_form_of_the_mask() -> None:
    labels = organs()
    apart = stacked({"liver": labels == 1, "left kidney": labels == 7})
    both = surfaces(labels, style="voxels"), surfaces(apart, style="voxels")
    for one, other in zip(*both, strict=True):
        assert one.label.name == other.label.name
        np.testing.assert_array_equal(one.vertices, other.vertices)
        assert one.ml == pytest.approx(labels.dicom.labels.table.set_index("name").ml[one.label.name])
    for dtype in ("uint16", "int16", "int64", "uint64"):
        np.testing.assert_array_equal(
            surfaces(labels.astype(dtype), style="voxels")[0].vertices, both[0][0].vertices
        )
    np.testing.assert_array_equal(surfaces(labels.chunk(slice=2))[1].vertices, surfaces(labels)[1].vertices)
    kidney = labels.dicom.to_mesh(label=7)
    np.testing.assert_array_equal(kidney.visual.vertex_colors[0], [0x00, 0x72, 0xB2, 255])
    np.testing.assert_array_equal(
        kidney.vertices,
        labels.transpose("row", "column", "slice").dicom.to_mesh(label="left kidney").vertices,
    )
    from dicomlab.extras.mesh import to_scene

    assert list(to_scene(labels).geometry) == ["liver", "left kidney"]
    with pytest.raises(DicomLabError, match=r"by label=.*to_scene"):
        labels.dicom.to_mesh()
    with pytest.raises(DicomLabError, match="'spleen' was asked for; there are: 1 liver, 7 left kidney"):
        labels.dicom.to_mesh(label="spleen")


def test_what_has_no_surface_is_told_and_what_mends_it(tmp_path: Path) -> None:
    mask, _ = ball()
    with pytest.raises(DicomLabError, match="'liver' has no voxels"):
        (mask & False).rename("liver").dicom.to_mesh()
    with pytest.warns(DicomLabWarning, match="no surface: spleen"):
        assert len(surfaces(organs().dicom.with_labels({2: "spleen"}))) == 2
    with pytest.raises(GeometryError, match="sortby"):
        mask.isel(slice=[3, 1, 2]).dicom.to_mesh()
    with pytest.raises(GeometryError, match=r"isel\(slice=\[k\]\)"):
        surfaces(mask.isel(slice=8))
    even = dl.make_volume(mask.values, affine=np.diag([5.0, 0.8, 0.7, 1.0])[[2, 1, 0, 3]])
    one = even.isel(slice=[8])
    assert surfaces(one, style="voxels")[0].ml == pytest.approx(float(one.sum()) * 2.8 / 1000)
    lone = dl.make_volume(
        np.ones((1, 3, 3), bool), geometry=Geometry(AXIAL, np.zeros(1), *[np.arange(3.0)] * 2, "1")
    )
    with pytest.raises(GeometryError, match="only one slice"):
        lone.dicom.to_mesh()
    times = xr.concat([mask, mask], "time")
    with pytest.raises(DicomLabError, match=r"one step.*time.*isel"):
        times.dicom.to_mesh()
    for wrong in (-1, np.nan, np.inf):
        with pytest.raises(DicomLabError, match="length in mm"):
            mask.dicom.to_mesh(smooth_mm=wrong)
    with pytest.raises(DicomLabError, match=r"\.stl or \.ply or \.obj or \.glb or \.gltf"):
        mask.dicom.save_mesh(tmp_path / "liver.vtk")
    with pytest.raises(DicomLabError, match="2 labels"):
        organs().dicom.save_mesh(tmp_path / "organs.stl")
    assert not list(tmp_path.iterdir()), "whole or not at all"
    mask.dicom.save_mesh(tmp_path / "liver.stl")
    with pytest.raises(OverwriteError):
        mask.dicom.save_mesh(tmp_path / "liver.stl")


# -- files, read by hand and by trimesh ---------------------------------------------------------------------------------


def corners(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Corners of triangles, in an order that does not depend on the first corner or triangle."""
    triangles = np.asarray(vertices, np.float64)[faces].round(3)
    first = np.array([min(range(3), key=lambda k: tuple(one[k])) for one in triangles])
    turned = np.stack([np.roll(one, -k, axis=0) for one, k in zip(triangles, first, strict=True)]).reshape(
        -1, 9
    )
    return turned[np.lexsort(turned.T)]


def read_stl(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    (count,) = struct.unpack_from("<I", data, 80)
    assert len(data) == 84 + 50 * count
    rows = [struct.unpack_from("<12f", data, 84 + 50 * k) for k in range(count)]
    triangles = np.array(rows)[:, 3:].reshape(-1, 3)
    normals = np.array(rows)[:, :3]
    a, b, c = triangles.reshape(-1, 3, 3).transpose(1, 0, 2)
    assert ((np.cross(b - a, c - a) * normals).sum(axis=1) > 0).all()
    return triangles, np.arange(3 * count).reshape(-1, 3)


def read_ply(data: bytes) -> tuple[np.ndarray, np.ndarray]:
    head, body = data.split(b"end_header\n")
    lines = head.decode("ascii").splitlines()
    assert lines[:2] == ["ply", "format binary_little_endian 1.0"]
    count, faces = (
        int(re.search(rf"element {what} (\d+)", head.decode()).group(1)) for what in ("vertex", "face")
    )
    assert [line.split()[-1] for line in lines if line.startswith("property")][:7] == [
        *("x", "y", "z", "red", "green", "blue", "alpha")
    ]
    size = struct.calcsize("<3f4B")
    rows = [struct.unpack_from("<3f4B", body, size * k) for k in range(count)]
    found = [struct.unpack_from("<B3i", body, size * count + 13 * k) for k in range(faces)]
    assert rows[0][3:] == (0x00, 0x72, 0xB2, 255)
    return np.array(rows)[:, :3], np.array(found)[:, 1:]


def read_obj(data: bytes, name: str) -> tuple[np.ndarray, np.ndarray]:
    rows, faces, inside = [], [], False
    for line in data.decode("utf-8").splitlines():
        key, *words = line.split() or [""]
        if key == "v":
            rows.append([float(word) for word in words[:3]])
        elif key == "o":
            inside = " ".join(words) == name
        elif key == "f" and inside:
            faces.append([int(word.split("/")[0]) - 1 for word in words])
    return np.array(rows), np.array(faces)


def read_gltf(data: bytes, name: str) -> tuple[np.ndarray, np.ndarray, dict]:
    assert data[:4] == b"glTF"
    assert struct.unpack_from("<2I", data, 4) == (2, len(data))
    (size,) = struct.unpack_from("<I", data, 12)
    told, buffer = json.loads(data[20 : 20 + size]), data[28 + size :]
    mesh = next(one for one in told["meshes"] if one["name"] == name)["primitives"][0]

    def values(number: int) -> np.ndarray:
        accessor = told["accessors"][number]
        start = told["bufferViews"][accessor["bufferView"]]["byteOffset"] + accessor.get("byteOffset", 0)
        dtype = {5126: "<f4", 5125: "<u4", 5123: "<u2"}[accessor["componentType"]]
        parts = {"SCALAR": 1, "VEC3": 3}[accessor["type"]]
        return np.frombuffer(buffer, dtype, accessor["count"] * parts, start).reshape(-1, parts)

    vertices, faces = values(mesh["attributes"]["POSITION"]), values(mesh["indices"]).reshape(-1, 3)
    return vertices, faces, told["materials"][mesh["material"]]


def test_files_hold_the_same_triangles_in_lps_mm_and_say_so(tmp_path: Path) -> None:
    mask = organs()
    expected = mask.dicom.to_mesh(label="left kidney")
    true = corners(expected.vertices, expected.faces)
    for suffix, read in ((".stl", read_stl), (".ply", read_ply)):
        mask.dicom.save_mesh(tmp_path / f"kidney{suffix}", label="left kidney")
        data = (tmp_path / f"kidney{suffix}").read_bytes()
        assert b"SPACE=LPS" in data[:200]
        assert not data.startswith(b"solid")
        np.testing.assert_array_equal(corners(*read(data)), true)
        again = trimesh.load_mesh(tmp_path / f"kidney{suffix}")
        assert again.is_watertight
        assert again.volume == pytest.approx(expected.volume, rel=1e-5)
    mask.dicom.save_mesh(tmp_path / "organs.obj")
    data = (tmp_path / "organs.obj").read_bytes()
    assert data.startswith(b"# dicomlab. SPACE=LPS")
    np.testing.assert_array_equal(corners(*read_obj(data, "left kidney")), true)
    assert len(trimesh.load_scene(tmp_path / "organs.obj", split_objects=True).dump()) >= 1


def test_gltf_is_in_metres_with_the_head_up_and_the_front_ahead(tmp_path: Path) -> None:
    mask = organs()
    expected = mask.dicom.to_mesh(label="left kidney")
    mask.dicom.save_mesh(tmp_path / "organs.glb")
    vertices, faces, material = read_gltf((tmp_path / "organs.glb").read_bytes(), "left kidney")
    x, y, z = 1000 * np.asarray(vertices, np.float64).T
    np.testing.assert_array_equal(
        corners(np.stack([x, -z, y], axis=1), faces), corners(expected.vertices, expected.faces)
    )
    assert material["pbrMetallicRoughness"]["metallicFactor"] == 0
    # #0072b2 as light: 0, 0.168, 0.445.
    colour = material["pbrMetallicRoughness"]["baseColorFactor"]
    np.testing.assert_allclose(colour, [0, 0.168, 0.445, 1], atol=0.004)
    mask.dicom.save_mesh(tmp_path / "organs.gltf")
    for suffix in (".glb", ".gltf"):
        scene = trimesh.load_scene(tmp_path / f"organs{suffix}")
        assert list(scene.geometry) == ["liver", "left kidney"]
        assert all(one.is_watertight and one.volume > 0 for one in scene.geometry.values())
        kidney = scene.geometry["left kidney"]
        assert kidney.volume * 1e9 == pytest.approx(expected.volume, rel=1e-4)


def test_names_of_labels_cannot_break_a_file(tmp_path: Path) -> None:
    mask, _ = ball()
    odd = "v 0 0 0\nf 1 1 1 \N{GREEK SMALL LETTER ALPHA}"
    mask = mask.dicom.with_labels(Label(1, odd)).rename(odd)
    for suffix in (".ply", ".obj", ".glb", ".stl"):
        mask.dicom.save_mesh(tmp_path / f"odd{suffix}")
        again = trimesh.load(tmp_path / f"odd{suffix}", force="mesh")
        assert len(again.faces) == len(mask.dicom.to_mesh().faces)
