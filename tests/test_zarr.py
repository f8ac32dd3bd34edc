"""What a volume knows survives zarr: every value, label, position, window, finding and guard, of every kind of series."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from flat_support import write_pictures
from support import datasets, write, write_seg

import dicomlab as dl
from dicomlab import phantom

pytest.importorskip("zarr")

# Zarr says so of every text and every listing in its format 3. What is written can be read; that is what is tested here.
pytestmark = [
    pytest.mark.filterwarnings("ignore:Consolidated metadata is currently not part"),
    pytest.mark.filterwarnings("ignore:The data type .* does not have a Zarr V3 specification"),
]

FORMATS = [2, 3]


def every_array(name: str, folder: Path) -> list[xr.DataArray]:
    """Return what can be loaded of a kind: each stack, by its own choice or by whichever is needed."""
    sample = phantom.write_kind(name, folder)
    loaded = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        for stack in (stack for series in dl.find_series(sample.folder) for stack in series.stacks):
            for choice in (None, "keep", "repair"):
                try:
                    loaded.append(dl.load_volume(stack, on_fault=choice))
                except dl.DicomLabError:
                    continue
                break
    assert loaded or sample.refused
    return loaded


def through_zarr(volume: xr.DataArray, path: Path, zarr_format: int = 2) -> xr.DataArray:
    volume.to_zarr(path, zarr_format=zarr_format, mode="w")
    with xr.open_dataarray(path, engine="zarr") as opened:
        return opened.load().dicom.restore()


def check_all_is_kept(before: xr.DataArray, after: xr.DataArray) -> None:
    assert after.identical(before)
    assert after.dims == before.dims
    assert after.dtype == before.dtype
    # Bit for bit: identical() takes all NaN for one, and 0 for -0.
    assert np.ascontiguousarray(after.values).tobytes() == np.ascontiguousarray(before.values).tobytes()
    assert list(after.attrs) == list(before.attrs)
    assert [type(value) for value in after.attrs.values()] == [type(value) for value in before.attrs.values()]
    assert set(after.coords) == set(before.coords)
    for name, coordinate in before.coords.items():
        assert after[name].dtype == coordinate.dtype, name
        assert after[name].attrs == coordinate.attrs, name
        assert after[name].values.tobytes() == coordinate.values.tobytes(), name
    guards = {name: type(index) for name, index in before.xindexes.items()}
    assert {name: type(index) for name, index in after.xindexes.items()} == guards
    assert repr(after.dicom) == repr(before.dicom)
    assert after.dicom.windows == before.dicom.windows
    assert after.dicom.findings == before.dicom.findings
    assert after.dicom.units == before.dicom.units


@pytest.mark.parametrize("name", phantom.KINDS)
def test_every_kind_of_series_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    for number, array in enumerate(every_array(name, tmp_path / "dicom")):
        for zarr_format in FORMATS:
            check_all_is_kept(array, through_zarr(array, tmp_path / f"{number}.zarr", zarr_format))


@pytest.mark.parametrize("name", phantom.FAULTS)
def test_every_rarer_kind_and_fault_comes_back_as_it_was(tmp_path: Path, name: str) -> None:
    for number, array in enumerate(every_array(name, tmp_path / "dicom")):
        check_all_is_kept(array, through_zarr(array, tmp_path / f"{number}.zarr", 2 + number % 2))


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_the_phantoms_come_back_as_they_were(tmp_path: Path, modality: str, zarr_format: int) -> None:
    volume = dl.load_volume(write(tmp_path / "dicom", datasets(modality)))
    again = through_zarr(volume, tmp_path / "volume.zarr", zarr_format)
    check_all_is_kept(volume, again)
    np.testing.assert_array_equal(again.dicom.affine, volume.dicom.affine)
    assert (again + volume).shape == volume.shape  # the guards know them for one grid
    with pytest.raises(xr.AlignmentError):
        again + volume.assign_coords(row=volume.row + 0.3).dicom.restore()


@pytest.mark.parametrize("zarr_format", FORMATS)
@pytest.mark.parametrize("kind", ["radiograph", "ultrasound", "slide"])
def test_pictures_without_a_place_come_back_as_they_were(tmp_path: Path, kind: str, zarr_format: int) -> None:
    write_pictures(tmp_path)
    image = dl.load_volume(tmp_path / f"{kind}.dcm")
    again = through_zarr(image, tmp_path / "image.zarr", zarr_format)
    check_all_is_kept(image.load(), again)
    assert again.dicom.image_plane == image.dicom.image_plane
    assert again.dicom.regions == image.dicom.regions


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> xr.DataArray:
    return dl.load_volume(write(tmp_path_factory.mktemp("ct"), datasets("CT")))


PARTS = {
    "every second slice": lambda v: v[::2],
    "upside down": lambda v: v[::-1, ::-1],
    "a crop": lambda v: v[1:4, 2:9, 3:7],
    "one slice that is a volume": lambda v: v.isel(slice=[2]),
    "one row of a flipped volume": lambda v: v[:, ::-1].isel(row=[3]),
    "one voxel": lambda v: v.isel(slice=[2], row=[3], column=[4]),
    "one slice alone": lambda v: v.isel(slice=2),
    "columns first": lambda v: v.transpose("column", "row", "slice"),
    "single precision": lambda v: v.astype(np.float32) / 3,
    "holes": lambda v: v.where(v > 0),
    "a mask": lambda v: v > 0,
    "labels": lambda v: (v > 0).astype(np.uint8) + (v > 100),
    "uneven slices": lambda v: v.isel(slice=[0, 1, 3, 5]),
    "slices made anew": lambda v: v.isel(slice=[0, 1, 3, 4, 5]).dicom.regularize(),
    "a name of its own": lambda v: v.rename("liver"),
    "no name": lambda v: v.rename(None),
}


@pytest.mark.parametrize("part", PARTS)
def test_parts_and_results_come_back_as_they_were(tmp_path: Path, ct: xr.DataArray, part: str) -> None:
    array = PARTS[part](ct)
    for zarr_format in FORMATS:
        check_all_is_kept(array, through_zarr(array, tmp_path / f"{zarr_format}.zarr", zarr_format))


def test_a_lone_slice_still_knows_how_far_the_next_one_was(tmp_path: Path, ct: xr.DataArray) -> None:
    flipped = ct[::-1].isel(slice=[2])
    for again in (
        through_zarr(flipped, tmp_path / "slice.zarr"),
        xr.load_dataarray(flipped.to_netcdf()).dicom.restore(),
        xr.load_dataarray(flipped.to_netcdf()),
    ):
        np.testing.assert_array_equal(again.dicom.affine, flipped.dicom.affine)
        assert again.dicom.affine[2, 0] == pytest.approx(-ct.dicom.spacing[0])


def test_slices_put_together_go_by_their_positions_and_not_by_what_each_knew(ct: xr.DataArray) -> None:
    every_other = xr.concat([ct[:1], ct[2:3], ct[4:5]], "slice")
    assert every_other.dicom.spacing[0] == pytest.approx(2 * ct.dicom.spacing[0])
    assert every_other[:1].dicom.spacing[0] == pytest.approx(2 * ct.dicom.spacing[0])


def test_suv_masks_and_x_y_z_come_back_as_they_were(tmp_path: Path, ct: xr.DataArray) -> None:
    pet = dl.load_volume(write(tmp_path / "pet", datasets("PT")))
    check_all_is_kept(pet.dicom.suv(), through_zarr(pet.dicom.suv(), tmp_path / "suv.zarr"))
    with_xyz = ct.dicom.with_xyz()
    again = through_zarr(with_xyz, tmp_path / "xyz.zarr")
    assert again.identical(with_xyz)
    images = datasets("CT")
    pixels = np.stack([image.pixel_array > 1200 for image in images])
    pixels = np.stack([pixels, ~pixels], axis=-1)
    path, _ = write_seg(tmp_path / "seg", images, pixels)
    masks = dl.load_segmentation(path, like=ct)
    again = through_zarr(masks, tmp_path / "masks.zarr")
    assert again.identical(masks)
    assert again.dtype == masks.dtype


@pytest.mark.parametrize("zarr_format", FORMATS)
def test_a_chunked_volume_is_written_by_several_threads_and_opened_without_being_read(
    tmp_path: Path, ct: xr.DataArray, zarr_format: int
) -> None:
    pytest.importorskip("dask")
    ct.chunk(slice=1, row=5).to_zarr(tmp_path / "ct.zarr", zarr_format=zarr_format)
    with xr.open_zarr(tmp_path / "ct.zarr") as dataset:
        again = dataset["ct"].dicom.restore()
        assert again.chunks == ct.chunk(slice=1, row=5).chunks
        check_all_is_kept(ct, again.load())


@pytest.mark.parametrize("chunks", [None, "auto", {"slice": 2}])
@pytest.mark.parametrize("name", ["dynamic", "pet_slopes", "mosaic"])
def test_a_volume_that_was_not_read_yet_is_written_as_the_one_that_was(
    tmp_path: Path, name: str, chunks: object
) -> None:
    folder = phantom.write_kind(name, tmp_path / "dicom").folder
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        volume, lazy = dl.load_volume(folder), dl.open_volume(folder, chunks=chunks)
    check_all_is_kept(volume, through_zarr(lazy, tmp_path / "volume.zarr"))


def test_slices_written_one_by_one_make_the_volume(tmp_path: Path, ct: xr.DataArray) -> None:
    pytest.importorskip("dask")
    path = tmp_path / "ct.zarr"
    ct.chunk(slice=1).to_zarr(path, zarr_format=2, compute=False)  # as one who fills it from many machines
    for k in range(ct.sizes["slice"]):
        part = ct.isel(slice=[k]).drop_vars(["row", "column", "frame_of_reference"])
        part.to_dataset(name="ct").to_zarr(path, region="auto")
    with xr.open_zarr(path) as dataset:
        check_all_is_kept(ct, dataset["ct"].load().dicom.restore())


def test_several_volumes_of_one_grid_share_a_store(tmp_path: Path, ct: xr.DataArray) -> None:
    together = xr.Dataset({"ct": ct, "mask": ct > 0})
    together.to_zarr(tmp_path / "both.zarr", zarr_format=2)
    with xr.open_zarr(tmp_path / "both.zarr", chunks=None) as opened:
        check_all_is_kept(ct, opened["ct"].load().dicom.restore())
        check_all_is_kept((ct > 0).rename("mask"), opened["mask"].load().dicom.restore())


def test_texts_of_format_3_can_be_written_as_zarr_wants_them(tmp_path: Path, ct: xr.DataArray) -> None:
    if not hasattr(np, "dtypes") or not hasattr(np.dtypes, "StringDType"):
        pytest.skip("numpy 2 has this type of text")
    texts = {"frame_of_reference": {"dtype": np.dtypes.StringDType()}}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ct.to_zarr(tmp_path / "ct.zarr", zarr_format=3, consolidated=False, encoding=texts)
        with xr.open_dataarray(tmp_path / "ct.zarr", engine="zarr", consolidated=False) as opened:
            check_all_is_kept(ct, opened.load().dicom.restore())
