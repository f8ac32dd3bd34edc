"""NIfTI out and in, against nibabel, SimpleITK and dcm2niix."""

from __future__ import annotations

import gzip
import struct
import warnings
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from exchange_support import INTEGERS, UID, check_same, geometries, numbered, volume_on
from hypothesis import given, settings
from support import SHARED

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, Geometry
from dicomlab.errors import GeometryError, OverwriteError, UnsupportedError
from dicomlab.extras.nifti import from_nibabel, load_nifti, save_nifti, to_nibabel

AXIAL = Geometry.from_affine(
    [[0, 0, 0.8, -100], [0, 0.9, 0, -120], [5, 0, 0, 40], [0, 0, 0, 1]], (3, 4, 5), UID
)


@pytest.fixture
def ct() -> xr.DataArray:
    return volume_on(AXIAL)


# -- laws -------------------------------------------------------------------------------------------------------------


@settings(deadline=None)
@given(geometries() | geometries(tilted=True))
def test_nibabel_places_every_voxel_where_the_volume_does(geometry: Geometry) -> None:
    volume = volume_on(geometry)
    image = to_nibabel(volume)
    index = np.stack(np.meshgrid(*map(np.arange, image.shape), indexing="ij"), -1).reshape(-1, 3)
    ras = nib.affines.apply_affine(image.affine, index)
    np.testing.assert_allclose(ras * [-1, -1, 1], geometry.lps(index[:, ::-1]), atol=1e-6)
    np.testing.assert_array_equal(
        np.asarray(image.dataobj)[tuple(index.T)], volume.values[tuple(index.T[::-1])]
    )


@settings(deadline=None)
@given(geometries() | geometries(tilted=True) | geometries(aligned=True))
def test_a_volume_comes_back_from_nibabel_with_every_value_and_position(geometry: Geometry) -> None:
    volume = volume_on(geometry)
    again = from_nibabel(to_nibabel(volume), frame_of_reference=UID, units="HU")
    check_same(volume, again, off=1e-6)
    assert again.dtype == volume.dtype
    # … and is known for the same grid.
    assert (volume - again).shape == volume.shape


@settings(deadline=None, max_examples=40)
@given(geometries() | geometries(tilted=True) | geometries(aligned=True))
def test_a_volume_comes_back_from_a_file_which_warns_of_nothing(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "volume.nii"
    volume = volume_on(geometry)
    save_nifti(volume, path)
    again = load_nifti(path, frame_of_reference=UID)
    check_same(volume, again, off=2e-3)
    assert (volume == again).all()  # the guards let single precision pass


@settings(deadline=None, max_examples=40)
@given(geometries() | geometries(aligned=True))
def test_simpleitk_finds_the_same_values_at_the_same_places_in_the_file(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "volume.nii.gz"
    volume = volume_on(geometry)
    save_nifti(volume, path)
    image = sitk.ReadImage(str(path))
    last = [n - 1 for n in geometry.shape]
    for index in ([0, 0, 0], last, [last[0], 0, 0], [0, last[1], 0], [0, 0, last[2]]):
        np.testing.assert_allclose(
            image.TransformIndexToPhysicalPoint(index[::-1]), geometry.lps(index), atol=5e-3
        )
        assert image[index[::-1]] == volume.values[tuple(index)]


@settings(deadline=None, max_examples=40)
@given(geometries())
def test_a_file_that_simpleitk_wrote_has_its_places_and_values(
    tmp_path_factory: pytest.TempPathFactory, geometry: Geometry
) -> None:
    path = tmp_path_factory.mktemp("nifti") / "itk.nii.gz"
    image = dl.make_volume(numbered(geometry.shape), geometry=geometry).dicom.to_sitk()
    sitk.WriteImage(image, str(path))
    with warnings.catch_warnings():
        # The quaternion that ITK writes is as blurred as single precision makes it.
        warnings.filterwarnings("ignore", "sform and qform", DicomLabWarning)
        volume = load_nifti(path)
    for index in ([0, 0, 0], [n - 1 for n in geometry.shape]):
        place = image.TransformIndexToPhysicalPoint(index[::-1])
        mine = np.rint(volume.dicom.index(place)).astype(int)
        np.testing.assert_allclose(volume.dicom.lps(mine), place, atol=0.01)
        assert volume.values[tuple(mine)] == image[index[::-1]]


# -- what is in the header --------------------------------------------------------------------------------------------


def test_the_header_says_scanner_where_the_frame_is_known_and_aligned_where_not(ct: xr.DataArray) -> None:
    known, unknown = to_nibabel(ct), to_nibabel(dl.make_volume(ct.values, affine=ct.dicom.affine))
    for image, code in ((known, 1), (unknown, 2)):
        assert (int(image.header["sform_code"]), int(image.header["qform_code"])) == (code, code)
        np.testing.assert_allclose(image.get_qform(), ct.dicom.affine_ras, atol=1e-5)
    assert known.header.get_xyzt_units() == ("mm", "unknown")


def test_a_space_that_a_nifti_named_is_named_again(ct: xr.DataArray) -> None:
    image = to_nibabel(ct)
    image.set_sform(image.affine, "mni")
    image.set_qform(None, 0)
    volume = from_nibabel(image)
    assert volume.attrs["nifti_space"] == "mni"
    assert int(to_nibabel(volume).header["sform_code"]) == 4


def test_a_tilt_is_in_the_sform_alone(ct: xr.DataArray) -> None:
    direction = ct.dicom.direction.copy()
    direction[1, 0] = 0.3
    tilted = dl.make_volume(ct.values, geometry=Geometry(direction, *AXIAL.positions, UID))
    image = to_nibabel(tilted)
    assert int(image.header["qform_code"]) == 0
    np.testing.assert_allclose(image.get_sform(), tilted.dicom.affine_ras, atol=1e-4)
    assert from_nibabel(image).dicom.tilt == pytest.approx(tilted.dicom.tilt)


@pytest.mark.parametrize("dtype", [*INTEGERS, "float16", "float32", "float64", "bool", "complex64"])
def test_every_type_of_number_comes_back_with_its_values(tmp_path: Path, dtype: str) -> None:
    volume = volume_on(AXIAL, dtype)
    save_nifti(volume, tmp_path / "x.nii.gz")
    again = load_nifti(tmp_path / "x.nii.gz")
    np.testing.assert_array_equal(again.values, volume.values)
    wanted = {"float16": "float32", "bool": "uint8", "int64": "int32", "uint64": "int32"}
    assert again.dtype.name == wanted.get(dtype, dtype)
    assert again.dtype.isnative


def test_64_bits_stay_where_they_are_needed(tmp_path: Path, ct: xr.DataArray) -> None:
    large = ct.astype(np.int64) + 2**40 + 1
    save_nifti(large, tmp_path / "x.nii")
    np.testing.assert_array_equal(load_nifti(tmp_path / "x.nii").values, large.values)


def test_what_is_no_number_is_refused(ct: xr.DataArray) -> None:
    with pytest.raises(UnsupportedError, match="holds no"):
        to_nibabel(ct.astype(str))
    with pytest.raises(UnsupportedError, match="holds no"):
        to_nibabel(ct.astype(np.longdouble))


def test_uneven_slices_a_picked_slice_and_a_flat_image_are_refused_with_what_mends_them(
    ct: xr.DataArray,
) -> None:
    uneven = xr.concat([ct[:1], ct[2:], ct[2:].assign_coords(slice=[100.0]).dicom.restore()], "slice")
    with pytest.raises(GeometryError, match="regularize"):
        to_nibabel(uneven)
    with pytest.raises(GeometryError, match=r"isel\(slice=\[k\]\)"):
        to_nibabel(ct.isel(slice=1))
    with pytest.raises(GeometryError, match="a volume was asked for"):
        to_nibabel(ct.to_dataset(name="ct"))
    to_nibabel(ct.isel(slice=[1]))


# -- further axes -----------------------------------------------------------------------------------------------------


def test_time_is_the_fourth_axis_with_its_step_and_its_beginning(tmp_path: Path) -> None:
    volume = volume_on(AXIAL, time=3).assign_coords(time=("time", [1.5, 3.6, 5.7], {"units": "s"}))
    save_nifti(volume, tmp_path / "x.nii")
    image = nib.load(tmp_path / "x.nii")
    assert image.shape == (5, 4, 3, 3)
    assert image.header.get_zooms()[3] == pytest.approx(2.1)
    assert image.header.get_xyzt_units() == ("mm", "sec")
    again = load_nifti(tmp_path / "x.nii")
    np.testing.assert_allclose(again.time.values, volume.time.values, rtol=1e-12)
    assert again.time.attrs["units"] == "s"
    check_same(volume, again)


def test_one_moment_keeps_its_time(tmp_path: Path) -> None:
    volume = volume_on(AXIAL, time=1).assign_coords(time=("time", [7.25], {"units": "s"}))
    save_nifti(volume, tmp_path / "x.nii")
    assert load_nifti(tmp_path / "x.nii").time.values.tolist() == [7.25]


def test_milliseconds_in_a_file_are_seconds_in_a_volume() -> None:
    image = to_nibabel(volume_on(AXIAL, time=3))
    image.header.set_xyzt_units("mm", "msec")
    image.header["pixdim"][4] = 2100
    image.header["toffset"] = 500
    np.testing.assert_allclose(from_nibabel(image).time.values, [0.5, 2.6, 4.7])


def test_uneven_times_are_refused_until_they_are_kept_aside() -> None:
    volume = volume_on(AXIAL, time=3).assign_coords(time=[0.0, 10.0, 40.0])
    with pytest.raises(DicomLabError, match="drop_vars"):
        to_nibabel(volume)
    bare = from_nibabel(to_nibabel(volume.drop_vars("time")), labels={"time": volume.time.values})
    np.testing.assert_array_equal(bare.time.values, volume.time.values)


def test_labels_that_a_file_cannot_hold_are_told_of_and_can_be_given_back(tmp_path: Path) -> None:
    volume = volume_on(AXIAL, b_value=3, time=2).assign_coords(b_value=[0, 500, 1000], time=[0.0, 2.0])
    with pytest.warns(DicomLabWarning, match="labels of b_value"):
        save_nifti(volume, tmp_path / "x.nii")
    assert nib.load(tmp_path / "x.nii").shape == (5, 4, 3, 2, 3)
    again = load_nifti(tmp_path / "x.nii", labels={"b_value": [0, 500, 1000], "time": None})
    assert again.dims == volume.dims
    np.testing.assert_array_equal(again.values, volume.values)
    np.testing.assert_array_equal(again.time, volume.time)
    np.testing.assert_array_equal(again.b_value, volume.b_value)


def test_labels_that_do_not_fit_are_refused() -> None:
    image = to_nibabel(volume_on(AXIAL, frame=3))
    for labels, says in (
        ({}, "names 0 axes"),
        ({"a": None, "b": None}, "names 2 axes"),
        ({"a": [1, 2]}, "has 3 steps"),
        ({"row": None}, "every volume has"),
    ):
        with pytest.raises(DicomLabError, match=says):
            from_nibabel(image, labels=labels)
    assert from_nibabel(image).dims == ("frame", "slice", "row", "column")


def test_dimensions_in_another_order_make_the_same_file(ct: xr.DataArray) -> None:
    turned = to_nibabel(ct.transpose("row", "slice", "column"))
    np.testing.assert_array_equal(np.asarray(turned.dataobj), np.asarray(to_nibabel(ct).dataobj))


def test_colours_are_colours_for_simpleitk_and_come_back(tmp_path: Path) -> None:
    values = numbered((3, 4, 5, 3), "uint8")
    volume = dl.make_volume(values, geometry=AXIAL, dims=("slice", "row", "column", "sample")).assign_coords(
        sample=["red", "green", "blue"]
    )
    save_nifti(volume, tmp_path / "x.nii.gz")
    image = sitk.ReadImage(str(tmp_path / "x.nii.gz"))
    assert image[4, 2, 1] == tuple(values[1, 2, 4])
    again = load_nifti(tmp_path / "x.nii.gz")
    assert again.sample.values.tolist() == ["red", "green", "blue"]
    check_same(volume, again)
    with pytest.raises(UnsupportedError, match="8 bits"):
        to_nibabel(volume.astype(np.uint16))


# -- in ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("slope", "inter", "dtype"), [(1, -1024, "int32"), (2, 0, "int32"), (0.5, 1, "float64")]
)
def test_slope_and_intercept_are_applied_as_nibabel_does(
    tmp_path: Path, ct: xr.DataArray, slope: float, inter: float, dtype: str
) -> None:
    image = nib.Nifti1Image(ct.values.T, ct.dicom.affine_ras)
    image.header.set_xyzt_units("mm")
    image.header.set_slope_inter(slope, inter)
    nib.save(image, tmp_path / "x.nii")
    path = tmp_path / "x.nii"
    content = bytearray(path.read_bytes())
    content[112:120] = struct.pack(
        "<ff", slope, inter
    )  # as other programs write it: stored values and a slope
    path.write_bytes(content)
    volume = load_nifti(path)
    assert volume.dtype.name == dtype
    np.testing.assert_array_equal(volume.values, nib.load(path).get_fdata().T)
    np.testing.assert_array_equal(volume.values.ravel(), slope * np.arange(60) + inter)


def test_the_sform_wins_and_a_warning_says_how_far_the_qform_is_off(ct: xr.DataArray) -> None:
    image = to_nibabel(ct)
    moved = image.affine.copy()
    moved[0, 3] += 2
    image.header.set_qform(moved, 1)
    with pytest.warns(DicomLabWarning, match="2 mm apart; the sform is taken"):
        volume = from_nibabel(image)
    np.testing.assert_allclose(volume.dicom.affine, ct.dicom.affine, atol=1e-9)


def test_without_an_sform_the_qform_says_where(tmp_path: Path, ct: xr.DataArray) -> None:
    image = to_nibabel(ct)
    image.set_sform(None, 0)
    nib.save(image, tmp_path / "x.nii")
    np.testing.assert_allclose(load_nifti(tmp_path / "x.nii").dicom.affine, ct.dicom.affine, atol=1e-4)


def test_an_image_that_does_not_say_where_it_is_gets_no_place(ct: xr.DataArray) -> None:
    with pytest.raises(GeometryError, match="neither sform nor qform"):
        from_nibabel(nib.Nifti1Image(ct.values.T, None))


def test_metres_are_converted_and_an_unnamed_unit_is_said_to_be_taken_for_mm(ct: xr.DataArray) -> None:
    image = nib.Nifti1Image(ct.values.T, np.diag([1e-3, 1e-3, 1e-3, 1]) @ ct.dicom.affine_ras)
    image.header.set_xyzt_units("meter")
    np.testing.assert_allclose(from_nibabel(image).dicom.affine, ct.dicom.affine, atol=1e-9)
    image = nib.Nifti1Image(ct.values.T, ct.dicom.affine_ras)
    with pytest.warns(DicomLabWarning, match="no unit of length"):
        np.testing.assert_allclose(from_nibabel(image).dicom.affine, ct.dicom.affine, atol=1e-9)


def test_two_files_of_unknown_frame_are_not_combined_and_with_the_frame_given_they_are(
    tmp_path: Path, ct: xr.DataArray
) -> None:
    ct.dicom.save_nifti(tmp_path / "x.nii")
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        ct + load_nifti(tmp_path / "x.nii")
    mask = load_nifti(tmp_path / "x.nii", frame_of_reference=ct.dicom.frame_of_reference) > 10
    np.testing.assert_array_equal(ct.where(mask, 0).values, np.where(ct.values > 10, ct.values, 0))


def test_trailing_axes_of_one_step_mean_nothing_and_a_plane_is_a_slice() -> None:
    affine = AXIAL.affine_ras
    for shape in ((5, 4, 3, 1), (5, 4, 3, 1, 1), (5, 4), (5,)):
        image = nib.Nifti1Image(np.zeros(shape, np.uint8), affine)
        image.header.set_xyzt_units("mm")
        assert from_nibabel(image).shape == (*shape, 1, 1)[:3][::-1]
    vectors = nib.Nifti1Image(np.zeros((5, 4, 3, 1, 3), np.float32), affine)
    vectors.header.set_xyzt_units("mm")
    assert dict(from_nibabel(vectors).sizes) == {"dim5": 3, "slice": 3, "row": 4, "column": 5}


def test_what_is_no_image_of_nibabel_is_refused(ct: xr.DataArray) -> None:
    for other in (ct, ct.values, None):
        with pytest.raises(DicomLabError, match="an image of nibabel"):
            from_nibabel(other)


def test_other_images_of_nibabel_are_placed_by_their_affine_but_not_those_of_which_it_is_made_up(
    ct: xr.DataArray,
) -> None:
    other = nib.MGHImage(ct.values.T.astype(np.float32), ct.dicom.affine_ras)
    check_same(ct, from_nibabel(other), off=1e-4)
    with pytest.raises(GeometryError, match="does not say where"):
        from_nibabel(nib.AnalyzeImage(ct.values.T, ct.dicom.affine_ras))


def test_an_axis_sheared_within_the_image_plane_is_refused(ct: xr.DataArray) -> None:
    affine = ct.dicom.affine_ras.copy()
    affine[0, 1] = 0.2
    image = nib.Nifti1Image(ct.values.T, affine)
    image.header.set_xyzt_units("mm")
    with pytest.raises(GeometryError, match="perpendicular"):
        from_nibabel(image)


# -- files ------------------------------------------------------------------------------------------------------------


def test_a_file_is_not_overwritten_unless_asked_and_nothing_is_left_of_what_failed(
    tmp_path: Path, ct: xr.DataArray
) -> None:
    path = tmp_path / "x.nii.gz"
    ct.dicom.save_nifti(path)
    first = path.read_bytes()
    with pytest.raises(OverwriteError, match="overwrite=True"):
        (ct + 1).dicom.save_nifti(path)
    assert path.read_bytes() == first
    (ct + 1).dicom.save_nifti(path, overwrite=True)
    np.testing.assert_array_equal(load_nifti(path).values, ct.values + 1)
    with pytest.raises(UnsupportedError):
        ct.astype(str).dicom.save_nifti(path, overwrite=True)
    for bad, says in (("x.txt", "ends with"), ("nowhere/x.nii", "no folder"), (".nii", "ends with")):
        with pytest.raises(DicomLabError, match=says):
            ct.dicom.save_nifti(tmp_path / bad)
    (tmp_path / "folder.nii").mkdir()
    with pytest.raises(OverwriteError, match="left alone"):
        ct.dicom.save_nifti(tmp_path / "folder.nii", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder.nii", "x.nii.gz"]


def written_header(path: Path, ct: xr.DataArray, at: int, packed: bytes, *, compress: bool = False) -> Path:
    """Save a NIfTI with other bytes at one place of its header."""
    content = bytearray(to_nibabel(ct).to_bytes())
    content[at : at + len(packed)] = packed
    path = path / ("x.nii.gz" if compress else "x.nii")
    path.write_bytes(gzip.compress(bytes(content)) if compress else bytes(content))
    return path


HOSTILE: dict[str, tuple[int, bytes]] = {
    "NaN in the affine": (280, struct.pack("<f", np.nan)),
    "infinity in the affine": (292, struct.pack("<f", np.inf)),
    "no step along columns": (280, struct.pack("<4f", 0, 0, 0, 0)),
    "dims larger than the file": (40, struct.pack("<8h", 3, 32767, 32767, 32767, 1, 1, 1, 1)),
    "no voxels": (40, struct.pack("<8h", 3, 5, 0, 3, 1, 1, 1, 1)),
    "negative dims": (40, struct.pack("<8h", 3, 5, -4, 3, 1, 1, 1, 1)),
    "eight dims": (40, struct.pack("<h", 8)),
    "unknown type": (70, struct.pack("<h", 999)),
    "data before the header": (108, struct.pack("<f", 4.0)),
    "data nowhere": (108, struct.pack("<f", 1e9)),
    "another magic": (344, b"n+9\0"),
}


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("fault", HOSTILE)
def test_a_broken_header_is_an_error_that_names_the_file(
    tmp_path: Path, ct: xr.DataArray, fault: str, compress: bool
) -> None:
    path = written_header(tmp_path, ct, *HOSTILE[fault], compress=compress)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        with pytest.raises(DicomLabError, match=r"x\.nii"):
            load_nifti(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_a_file_that_was_cut_off_anywhere_is_an_error(tmp_path: Path, ct: xr.DataArray, suffix: str) -> None:
    whole = tmp_path / f"x{suffix}"
    ct.dicom.save_nifti(whole)
    content = whole.read_bytes()
    cut = tmp_path / f"cut{suffix}"
    for length in (0, 1, 100, len(content) // 2, len(content) - 9):
        cut.write_bytes(content[:length])
        with pytest.raises(DicomLabError, match="cut"):
            load_nifti(cut)


@pytest.mark.parametrize("step", [0.0, -2.0, np.nan])
@pytest.mark.parametrize("compress", [False, True])
def test_a_qform_without_a_spacing_is_refused_where_nibabel_would_mend_it(
    tmp_path: Path, ct: xr.DataArray, step: float, compress: bool
) -> None:
    image = to_nibabel(ct)
    image.set_sform(None, 0)
    content = bytearray(image.to_bytes())
    content[80:84] = struct.pack("<f", step)
    path = tmp_path / ("x.nii.gz" if compress else "x.nii")
    path.write_bytes(gzip.compress(content) if compress else content)
    with pytest.raises(GeometryError, match=r"x\.nii"):
        load_nifti(path)


def test_nifti_2_and_big_endian_files_are_read(tmp_path: Path, ct: xr.DataArray) -> None:
    for number, kind in enumerate((nib.Nifti1Image, nib.Nifti2Image)):
        for order in "<>":
            header = kind.header_class(endianness=order)
            header.set_xyzt_units("mm")
            image = kind(ct.values.T, ct.dicom.affine_ras, header)
            image.set_data_dtype(np.int16)
            nib.save(image, tmp_path / f"{number}{'lb'[order == '>']}.nii")
            volume = load_nifti(tmp_path / f"{number}{'lb'[order == '>']}.nii")
            check_same(ct, volume)
            assert volume.dtype == np.int16
            assert volume.dtype.isnative


def test_what_is_not_there_or_no_nifti_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(DicomLabError, match="no file"):
        load_nifti(tmp_path / "x.nii")
    with pytest.raises(DicomLabError, match="ends with"):
        load_nifti(tmp_path / "x.mgz")
    (tmp_path / "x.nii.gz").write_bytes(b"nothing of the kind" * 40)
    with pytest.raises(DicomLabError, match="cannot be read"):
        load_nifti(tmp_path / "x.nii.gz")


# -- real series ------------------------------------------------------------------------------------------------------


def agreeing() -> list[str]:
    """Return the series of which dcm2niix makes one NIfTI with the values and places of the reference."""
    import json

    if not (SHARED / "truth.json").is_file():
        return []
    every: dict[str, Any] = json.loads((SHARED / "truth.json").read_text())["series"]
    return [
        name
        for name, case in every.items()
        for made in [(case.get("dcm2niix") or {}).get("outputs", [])]
        if len(made) == 1
        and made[0].get("disagrees_with_ref") == []
        and (case.get("ref") or {}).get("sha256_f32")
    ]


@pytest.mark.slow
@pytest.mark.skipif(not agreeing(), reason=f"no real DICOM at {SHARED}: dcm2niix was not compared")
@pytest.mark.parametrize("name", agreeing())
def test_dcm2niix_writes_the_same_values_at_the_same_places(tmp_path: Path, name: str) -> None:
    import subprocess

    import dcm2niix
    from test_shared_data import _stack

    stack = _stack(name)
    source = tmp_path / "dicom"
    source.mkdir()
    for number, path in enumerate(sorted({Path(i.file.path) for i in stack.instances})):
        (source / f"{number}.dcm").symlink_to(path)
    command = [dcm2niix.bin, "-z", "n", "-b", "n", "-f", "theirs", "-o", str(tmp_path), str(source)]
    subprocess.run(command, check=True, capture_output=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DicomLabWarning)
        volume = dl.load_volume(stack)
        save_nifti(volume.drop_vars("time", errors="ignore"), tmp_path / "ours.nii")
        theirs = load_nifti(tmp_path / "theirs.nii")
        back = load_nifti(tmp_path / "ours.nii")
    ours = nib.load(tmp_path / "ours.nii")
    other = nib.load(tmp_path / "theirs.nii")
    assert sorted(ours.shape) == sorted(other.shape)
    index = np.stack(np.meshgrid(*map(np.arange, other.shape[:3]), indexing="ij"), -1).reshape(-1, 3)
    exact = np.linalg.inv(ours.affine) @ other.affine @ np.c_[index, np.ones(len(index))].T
    mine = np.rint(exact[:3].T).astype(int)
    apart = (exact[:3].T - mine) @ ours.affine[:3, :3].T
    assert np.linalg.norm(apart, axis=1).max() < 0.01
    wanted = np.asarray(other.dataobj)[tuple(index.T)]
    found = np.asarray(ours.dataobj)[tuple(mine.T)]
    np.testing.assert_allclose(found, wanted, rtol=1e-6)
    # Read again, both are one volume for us, too.
    assert theirs.dicom.spacing == pytest.approx(volume.dicom.spacing, abs=1e-4)
    np.testing.assert_array_equal(back.values.reshape(volume.shape), volume.values)
