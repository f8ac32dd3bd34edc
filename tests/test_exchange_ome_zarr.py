"""OME-Zarr out and in, against Zarr and another reader of its metadata."""

from __future__ import annotations

import json
import shutil
import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from exchange_support import INTEGERS, UID, check_same, geometries, numbered, volume_on
from hypothesis import given, settings

import dicomlab as dl
from dicomlab import DicomLabError, Geometry
from dicomlab.errors import GeometryError, OverwriteError, UnsupportedError
from dicomlab.extras.ome_zarr import load_ome_zarr, save_ome_zarr

pytest.importorskip("zarr")

AXIAL = Geometry.from_affine(
    [[0, 0, 0.8, -100], [0, 0.9, 0, -120], [5, 0, 0, 40], [0, 0, 0, 1]], (3, 4, 5), UID
)


@pytest.fixture
def ct() -> xr.DataArray:
    return volume_on(AXIAL)


@pytest.fixture
def colour() -> xr.DataArray:
    values = numbered((3, 4, 5, 3), "uint8")
    return dl.make_volume(values, geometry=AXIAL, dims=("slice", "row", "column", "sample")).assign_coords(
        sample=["red", "green", "blue"]
    )


def leaning(lean: float) -> xr.DataArray:
    direction = AXIAL.direction.copy()
    direction[1, 0] = lean
    return volume_on(Geometry(direction, *AXIAL.positions, UID))


@settings(deadline=None, max_examples=25)
@given(geometries(aligned=True))
def test_a_volume_comes_back_from_an_ome_zarr(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    path = tmp_path_factory.mktemp("zarr") / "volume.zarr"
    volume = volume_on(geometry).rename("ct")
    save_ome_zarr(volume, path)
    again = load_ome_zarr(path)
    check_same(volume, again, off=1e-6)
    assert (again.name, again.dicom.units, again.dtype) == ("ct", "HU", volume.dtype)
    assert (volume.sortby(["slice", "row", "column"]) - again).size == volume.size


@settings(deadline=None, max_examples=25)
@given(geometries(aligned=True))
def test_the_places_follow_from_scale_translation_and_anatomical_orientation_alone(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    """Read as somebody else would who knows NGFF and its RFC-4 and nothing of dicomlab."""
    import zarr

    path = tmp_path_factory.mktemp("zarr") / "volume.zarr"
    volume = volume_on(geometry)
    save_ome_zarr(volume, path)
    group = zarr.open_group(str(path), mode="r")
    image = group.attrs["ome"]["multiscales"][0]
    array = group[image["datasets"][0]["path"]]
    scale, translation = (step[step["type"]] for step in image["datasets"][0]["coordinateTransformations"])
    assert min(scale) > 0
    lps_of = {"left": (0, 1), "right": (0, -1), "posterior": (1, 1), "anterior": (1, -1), "superior": (2, 1)}
    lps_of["inferior"] = (2, -1)
    for index in np.ndindex(array.shape):
        lps = np.zeros(3)
        for axis, k, step, start in zip(image["axes"], index, scale, translation, strict=True):
            world, sign = lps_of[axis["orientation"]["value"].split("-to-")[1]]
            lps[world] = sign * (start + step * k)
        mine = tuple(np.rint(volume.dicom.index(lps)).astype(int))
        np.testing.assert_allclose(volume.dicom.lps(mine), lps, atol=1e-6)
        assert array[index] == volume.values[mine]


def test_another_reader_of_the_metadata_finds_them_valid(
    tmp_path: Path, ct: xr.DataArray, colour: xr.DataArray
) -> None:
    models = pytest.importorskip("ome_zarr_models.v05")
    import zarr

    timed = volume_on(AXIAL, echo_time=2, time=3).assign_coords(time=[1.5, 3.5, 5.5])
    for number, volume in enumerate([ct, colour, timed, timed.isel(time=[1])]):
        path = tmp_path / f"{number}.zarr"
        volume.dicom.save_ome_zarr(path)
        image = models.Image.from_zarr(zarr.open_group(str(path), mode="r"))
        (multiscale,) = image.attributes.ome.multiscales
        assert [axis.name for axis in multiscale.axes][-3:] == ["z", "y", "x"]
        assert [axis.unit for axis in multiscale.axes][-3:] == ["millimeter"] * 3


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64", "bool"])
def test_every_type_of_number_comes_back_from_an_ome_zarr(tmp_path: Path, dtype: str) -> None:
    volume = volume_on(AXIAL, dtype)
    save_ome_zarr(volume, tmp_path / "x.zarr")
    again = load_ome_zarr(tmp_path / "x.zarr")
    np.testing.assert_array_equal(again.values, volume.values)
    assert again.dtype.name == {"float16": "float32", "bool": "uint8"}.get(dtype, dtype)


def test_time_and_one_other_axis_or_colours_come_back_from_an_ome_zarr(
    tmp_path: Path, colour: xr.DataArray
) -> None:
    volume = volume_on(AXIAL, component=2, time=3).assign_coords(
        time=("time", [1.5, 3.5, 5.5], {"units": "s"}), component=["magnitude", "phase"]
    )
    save_ome_zarr(volume, tmp_path / "x.zarr")
    again = load_ome_zarr(tmp_path / "x.zarr")
    check_same(volume, again)
    np.testing.assert_array_equal(again.time, volume.time)
    np.testing.assert_array_equal(again.component, volume.component)
    save_ome_zarr(colour, tmp_path / "y.zarr")
    check_same(colour, load_ome_zarr(tmp_path / "y.zarr"))
    unknown = volume_on(AXIAL, time=3)
    save_ome_zarr(unknown, tmp_path / "z.zarr")
    assert "time" not in load_ome_zarr(tmp_path / "z.zarr").coords
    with pytest.raises(UnsupportedError, match="isel"):
        save_ome_zarr(volume_on(AXIAL, echo_time=2, component=2), tmp_path / "w.zarr")
    with pytest.raises(DicomLabError, match="drop_vars"):
        save_ome_zarr(volume_on(AXIAL, time=3).assign_coords(time=[0.0, 1, 5]), tmp_path / "w.zarr")


def test_oblique_tilted_and_uneven_volumes_are_refused_with_what_to_do(tmp_path: Path) -> None:
    turn = np.deg2rad(1)
    affine = np.eye(4)
    affine[:3, :3] = [[np.cos(turn), -np.sin(turn), 0], [np.sin(turn), np.cos(turn), 0], [0, 0, 1]]
    oblique = Geometry.from_affine(affine @ AXIAL.affine, AXIAL.shape, UID)
    uneven = Geometry(AXIAL.direction, np.array([0.0, 5, 12]), AXIAL.row, AXIAL.column, UID)
    for volume, says in (
        (volume_on(oblique), "oblique: .* to_zarr|oblique"),
        (leaning(0.3), "rectify"),
        (volume_on(uneven), "regularize"),
    ):
        with pytest.raises(GeometryError, match=says):
            save_ome_zarr(volume, tmp_path / "x.zarr")
    assert not list(tmp_path.iterdir())


def test_a_lean_of_less_than_a_hundredth_of_a_millimetre_is_squared_for_others_and_kept_for_us(
    tmp_path: Path,
) -> None:
    turn = 5e-6
    affine = np.eye(4)
    affine[:2, :2] = [[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]]
    volume = volume_on(Geometry.from_affine(affine @ AXIAL.affine, AXIAL.shape, UID))
    save_ome_zarr(volume, tmp_path / "x.zarr")
    np.testing.assert_allclose(
        load_ome_zarr(tmp_path / "x.zarr").dicom.affine, volume.dicom.affine, atol=1e-12
    )


def test_an_ome_zarr_that_names_no_patient_is_not_placed_in_one(tmp_path: Path, ct: xr.DataArray) -> None:
    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    metadata = json.loads((path / "zarr.json").read_text())
    del metadata["attributes"]["dicomlab"]
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(GeometryError, match="how its axes lie in a patient"):
        load_ome_zarr(path)


def test_a_crop_that_another_program_made_is_where_it_was(tmp_path: Path, ct: xr.DataArray) -> None:
    import zarr

    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    group = zarr.open_group(str(path), mode="r+")
    values = group["0"][1:, 2:, :]
    del group["0"]
    group.create_array("0", data=np.ascontiguousarray(values), dimension_names=["z", "y", "x"])
    ome = dict(group.attrs["ome"])
    scale, move = ome["multiscales"][0]["datasets"][0]["coordinateTransformations"]
    move["translation"] = [
        move["translation"][0] + scale["scale"][0],
        move["translation"][1] + 2 * scale["scale"][1],
        move["translation"][2],
    ]
    group.attrs["ome"] = ome
    check_same(ct[1:, 2:], load_ome_zarr(path))


BREAK = {
    "version": lambda a: a["ome"].update(version="0.4"),
    "axes": lambda a: a["ome"]["multiscales"][0]["axes"].reverse(),
    "unit": lambda a: a["ome"]["multiscales"][0]["axes"][-1].update(unit="micrometer"),
    "no levels": lambda a: a["ome"]["multiscales"][0].update(datasets=[]),
    "scale of zero": lambda a: a["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][
        0
    ].update(scale=[0, 1, 1]),
    "scale of text": lambda a: a["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][
        0
    ].update(scale=["a", 1, 1]),
    "scale of two": lambda a: a["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][
        0
    ].update(scale=[1, 1]),
    "rotation": lambda a: a["ome"]["multiscales"][0]["datasets"][0]["coordinateTransformations"][0].update(
        type="rotation"
    ),
    "above": lambda a: a["ome"]["multiscales"][0].update(
        coordinateTransformations=[{"type": "scale", "scale": [1, 1, 2]}]
    ),
    "path": lambda a: a["ome"]["multiscales"][0]["datasets"][0].update(path="7"),
    "direction": lambda a: a["dicomlab"].update(direction=[1, 2]),
    "nan": lambda a: a["dicomlab"].update(direction=[float("nan")] * 9),
    "no ome": lambda a: a.pop("ome"),
}


@pytest.mark.parametrize("fault", BREAK)
def test_broken_metadata_are_an_error_that_names_the_folder(
    tmp_path: Path, ct: xr.DataArray, fault: str
) -> None:
    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    metadata = json.loads((path / "zarr.json").read_text())
    BREAK[fault](metadata["attributes"])
    (path / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(DicomLabError, match=r"x\.zarr"):
        load_ome_zarr(path)


def test_a_folder_is_replaced_only_if_asked_and_only_if_it_is_a_zarr(
    tmp_path: Path, ct: xr.DataArray
) -> None:
    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    with pytest.raises(OverwriteError, match="overwrite=True"):
        save_ome_zarr(ct, path)
    save_ome_zarr(ct + 1, path, overwrite=True)
    np.testing.assert_array_equal(load_ome_zarr(path).values, ct.values + 1)
    shutil.rmtree(path)
    path.mkdir()
    (path / "thesis.txt").write_text("do not lose me")
    with pytest.raises(OverwriteError, match="left alone"):
        save_ome_zarr(ct, path, overwrite=True)
    assert (path / "thesis.txt").is_file()
    with pytest.raises(DicomLabError, match="no OME-Zarr"):
        load_ome_zarr(path)
    assert [p.name for p in tmp_path.iterdir()] == ["x.zarr"]


def test_no_room_is_made_for_voxels_that_are_not_there(tmp_path: Path, ct: xr.DataArray) -> None:
    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    metadata = json.loads((path / "0" / "zarr.json").read_text())
    metadata["shape"] = [30000, 30000, 30000]
    (path / "0" / "zarr.json").write_text(json.dumps(metadata))
    with pytest.raises(DicomLabError, match="hardly any"):
        load_ome_zarr(path)


def test_a_chunk_that_is_damaged_is_an_error(tmp_path: Path, ct: xr.DataArray) -> None:
    path = tmp_path / "x.zarr"
    save_ome_zarr(ct, path)
    (chunk,) = [p for p in (path / "0").rglob("*") if p.is_file() and p.name != "zarr.json"]
    chunk.write_bytes(b"junk" * 5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(DicomLabError, match="damaged"):
            load_ome_zarr(path)


def test_netcdf_and_zarr_keep_the_directions_of_an_oblique_volume(tmp_path: Path) -> None:
    volume = leaning(0.3)
    volume.to_netcdf(tmp_path / "x.nc")
    check_same(volume, xr.load_dataarray(tmp_path / "x.nc").dicom.restore(), off=1e-9)
