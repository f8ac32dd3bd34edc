"""NRRD out and in, against SimpleITK."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from exchange_support import INTEGERS, UID, check_same, geometries, numbered, volume_on
from hypothesis import given, settings

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, Geometry
from dicomlab.errors import GeometryError, OverwriteError, UnsupportedError
from dicomlab.extras.nrrd import load_nrrd, save_nrrd

pytest.importorskip("nrrd")

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


@settings(deadline=None, max_examples=40)
@given(geometries() | geometries(tilted=True) | geometries(aligned=True))
def test_a_volume_comes_back_from_a_nrrd(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    path = tmp_path_factory.mktemp("nrrd") / "volume.nrrd"
    volume = volume_on(geometry)
    save_nrrd(volume, path)
    again = load_nrrd(path, frame_of_reference=UID)
    check_same(volume, again, off=1e-6)
    assert (volume - again).shape == volume.shape
    assert (again.dicom.units, again.dtype) == ("HU", volume.dtype)


@settings(deadline=None, max_examples=40)
@given(geometries())
def test_simpleitk_finds_the_same_values_at_the_same_places_in_a_nrrd_and_writes_such(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    folder = tmp_path_factory.mktemp("nrrd")
    volume = volume_on(geometry)
    save_nrrd(volume, folder / "ours.nrrd")
    image = sitk.ReadImage(str(folder / "ours.nrrd"))
    last = [n - 1 for n in geometry.shape]
    for index in ([0, 0, 0], last, [last[0], 0, 0], [0, last[1], 0]):
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(index[::-1]), geometry.lps(index), atol=1e-6
        )
        assert image[index[::-1]] == volume.values[tuple(index)]
    sitk.WriteImage(image, str(folder / "theirs.nrrd"))
    check_same(volume, load_nrrd(folder / "theirs.nrrd"), off=1e-6)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64", "bool"])
def test_every_type_of_number_comes_back_from_a_nrrd(tmp_path: Path, dtype: str) -> None:
    volume = volume_on(AXIAL, dtype)
    volume.dicom.save_nrrd(tmp_path / "x.nrrd")
    again = load_nrrd(tmp_path / "x.nrrd")
    np.testing.assert_array_equal(again.values, volume.values)
    assert again.dtype.name == {"float16": "float32", "bool": "uint8"}.get(dtype, dtype)
    assert again.values.flags.writeable


def test_further_axes_of_a_nrrd_keep_names_numbers_and_units(tmp_path: Path) -> None:
    volume = volume_on(AXIAL, echo_time=2, time=3).assign_coords(
        time=("time", [1.5, 3.5, 5.5], {"units": "s"}), echo_time=("echo_time", [2.3, 4.6], {"units": "ms"})
    )
    save_nrrd(volume, tmp_path / "x.nrrd")
    again = load_nrrd(tmp_path / "x.nrrd")
    assert again.dims == volume.dims
    np.testing.assert_array_equal(again.values, volume.values)
    for name in ("time", "echo_time"):
        np.testing.assert_allclose(again[name], volume[name], rtol=1e-15)
        assert again[name].attrs == volume[name].attrs
    # SimpleITK sees one of them as components, or the fourth dimension, of the same voxels.
    one = tmp_path / "one.nrrd"
    save_nrrd(volume.isel(echo_time=1), one)
    image = sitk.ReadImage(str(one))
    values = sitk.GetArrayFromImage(image)
    if image.GetNumberOfComponentsPerPixel() > 1:
        values = np.moveaxis(values, -1, 0)
    np.testing.assert_array_equal(values, volume.isel(echo_time=1).values)


def test_labels_that_form_no_series_are_left_out_of_a_nrrd_and_uneven_times_refused(tmp_path: Path) -> None:
    volume = volume_on(AXIAL, b_value=3).assign_coords(b_value=[0, 0, 1000])
    with pytest.warns(DicomLabWarning, match="labels of b_value"):
        save_nrrd(volume, tmp_path / "x.nrrd")
    assert load_nrrd(tmp_path / "x.nrrd").dims[0] == "b_value"
    assert load_nrrd(tmp_path / "x.nrrd", labels={"b": [0, 0, 1000]}).b.values.tolist() == [0, 0, 1000]
    nearly = volume.assign_coords(b_value=[0, 500, 1003])  # 2 beside an even series: not to be rounded away
    with pytest.warns(DicomLabWarning, match="labels of b_value"):
        save_nrrd(nearly, tmp_path / "z.nrrd")
    assert "b_value" not in load_nrrd(tmp_path / "z.nrrd").coords
    with pytest.raises(DicomLabError, match="drop_vars"):
        save_nrrd(volume_on(AXIAL, time=3).assign_coords(time=[0.0, 1, 5]), tmp_path / "y.nrrd")


def test_colours_of_a_nrrd_are_components_for_simpleitk(tmp_path: Path, colour: xr.DataArray) -> None:
    save_nrrd(colour, tmp_path / "x.nrrd")
    image = sitk.ReadImage(str(tmp_path / "x.nrrd"))
    assert image[4, 2, 1] == tuple(colour.values[1, 2, 4])
    again = load_nrrd(tmp_path / "x.nrrd")
    assert again.sample.values.tolist() == ["red", "green", "blue"]
    check_same(colour, again)


def changed(path: Path, old: bytes, new: bytes) -> Path:
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    return path


def test_texts_that_do_not_fit_into_a_header_are_left_out(tmp_path: Path, ct: xr.DataArray) -> None:
    for number, units in enumerate(["1/cm²", 'a "b"', "a\nspace: RAS"]):
        save_nrrd(ct.assign_attrs(units=units), tmp_path / f"{number}.nrrd")
        again = load_nrrd(tmp_path / f"{number}.nrrd")
        check_same(ct, again)
        assert again.dicom.units == ""
    odd = volume_on(AXIAL, time=2).rename(time="a\nb")
    save_nrrd(odd, tmp_path / "odd.nrrd")
    assert load_nrrd(tmp_path / "odd.nrrd").dims[0] == "frame"


def test_other_spaces_and_units_of_a_nrrd_are_converted(tmp_path: Path, ct: xr.DataArray) -> None:
    path = tmp_path / "x.nrrd"
    save_nrrd(ct, path)
    changed(path, b"left-posterior-superior", b"right-anterior-superior")
    np.testing.assert_allclose(load_nrrd(path).dicom.origin, ct.dicom.origin * [-1, -1, 1])
    changed(path, b"right-anterior-superior", b"LAS")
    np.testing.assert_allclose(load_nrrd(path).dicom.origin, ct.dicom.origin * [1, -1, 1])
    changed(path, b'space units: "mm" "mm" "mm"', b'space units: "cm" "cm" "cm"')
    np.testing.assert_allclose(load_nrrd(path).dicom.spacing, [50, 9, 8])


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (b"left-posterior-superior", b"scanner-xyz", "scanner-xyz"),
        (b"space: left-posterior-superior\n", b"space dimension: 3\n", "not named"),
        (b"space origin: ", b"old origin:=", "space origin"),
        (b"space origin: (-100", b"space origin: (nan", "finite"),
        (b'"mm" "mm" "mm"', b'"mm" "mm" "km"', "km"),
        (b"sizes: 5 4 3", b"sizes: 5 4 30000000", "cannot be read"),
        (b"sizes: 5 4 3", b"sizes: 5 4 -3", "cannot be read"),
        (b"type: int16", b"type: int99", "cannot be read"),
        (b"encoding: gzip", b"data file: /etc/hostname\nencoding: raw", "another file"),
        (b"encoding: gzip", b"encoding: magic", "cannot be read"),
        (b"type: int16", b"type: block", "x.nrrd"),
        (b"NRRD0005", b"NRRD0009", "cannot be read"),
        (b"NRRD0005", b"JUNK0005", "cannot be read"),
    ],
)
def test_a_broken_or_foreign_nrrd_is_an_error_that_says_why(
    tmp_path: Path, ct: xr.DataArray, old: bytes, new: bytes, says: str
) -> None:
    save_nrrd(ct, tmp_path / "x.nrrd")
    with pytest.raises(DicomLabError, match=says) as caught:
        load_nrrd(changed(tmp_path / "x.nrrd", old, new))
    assert "x.nrrd" in str(caught.value)


def test_a_nrrd_that_was_cut_off_is_an_error(tmp_path: Path, ct: xr.DataArray) -> None:
    save_nrrd(ct, tmp_path / "x.nrrd")
    content = (tmp_path / "x.nrrd").read_bytes()
    for length in (0, 5, 60, len(content) - 30):
        (tmp_path / "x.nrrd").write_bytes(content[:length])
        with pytest.raises(DicomLabError, match=r"x\.nrrd"):
            load_nrrd(tmp_path / "x.nrrd")


def test_a_nrrd_is_refused_for_what_it_cannot_hold_and_nothing_is_written(
    tmp_path: Path, ct: xr.DataArray
) -> None:
    uneven = volume_on(Geometry(AXIAL.direction, np.array([0.0, 5, 12]), AXIAL.row, AXIAL.column, UID))
    with pytest.raises(GeometryError, match="regularize"):
        save_nrrd(uneven, tmp_path / "x.nrrd")
    with pytest.raises(UnsupportedError, match="complex64"):
        save_nrrd(ct.astype(np.complex64), tmp_path / "x.nrrd")
    with pytest.raises(DicomLabError, match="ends with"):
        save_nrrd(ct, tmp_path / "x.nhdr")
    assert not list(tmp_path.iterdir())
    save_nrrd(ct, tmp_path / "x.nrrd")
    with pytest.raises(OverwriteError):
        save_nrrd(ct, tmp_path / "x.nrrd")
    with pytest.raises(DicomLabError, match="no file"):
        load_nrrd(tmp_path / "y.nrrd")
