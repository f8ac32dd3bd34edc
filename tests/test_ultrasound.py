"""Ultrasound: regions with units of their own, mm for the whole picture only where all of it is of one scale."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pydicom
import pytest
import xarray as xr
from flat_support import TISSUE, item, picture, save
from pydicom.dataset import Dataset
from support import SHARED, shared_data

import dicomlab
from dicomlab import load_volume
from dicomlab.errors import GeometryError
from dicomlab.ultrasound import REGIONS

GREY = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
# Below it a Doppler spectrum: seconds across, cm/s upwards, zero in its sixth row.
DOPPLER = TISSUE | {
    "RegionSpatialFormat": 3,
    "RegionDataType": 3,
    "RegionLocationMinY0": 12,
    "RegionLocationMaxY1": 19,
    "PhysicalUnitsXDirection": 4,
    "PhysicalUnitsYDirection": 7,
    "PhysicalDeltaX": 0.01,
    "PhysicalDeltaY": -2.5,
    "ReferencePixelX0": 0,
    "ReferencePixelY0": 5,
    "ReferencePixelPhysicalValueX": 0.0,
    "ReferencePixelPhysicalValueY": 0.0,
}


def load(folder: Path, *regions: dict[str, Any], **attributes: Any) -> xr.DataArray:
    made: Dataset = picture("US", GREY, **attributes)
    if regions:
        made.SequenceOfUltrasoundRegions = [item(**region) for region in regions]
    return load_volume(save(folder / "us.dcm", made), progress=False)


def test_one_region_in_centimetres_gives_the_picture_millimetres(tmp_path: Path) -> None:
    image = load(tmp_path, TISSUE)
    assert image.image_plane.item() == "region"
    np.testing.assert_allclose(image.row, np.arange(20) * 0.4)
    np.testing.assert_allclose(image.column, np.arange(30) * 0.5)
    assert image.dicom.spacing == (0.4, 0.5)
    assert "rows 2 to 11, columns 4 to 23" in image.dicom.image_plane.explanation


def test_regions_of_one_scale_share_the_millimetres_and_others_take_them_away(tmp_path: Path) -> None:
    beside = TISSUE | {"RegionLocationMinY0": 12, "RegionLocationMaxY1": 19}
    assert load(tmp_path, TISSUE, beside).image_plane.item() == "region"
    for other in (beside | {"PhysicalDeltaX": 0.06}, DOPPLER):
        image = load(tmp_path, TISSUE, other, PixelSpacing=[0.4, 0.5])
        assert image.image_plane.item() == "pixels"
        np.testing.assert_array_equal(image.row, np.arange(20))
        with pytest.raises(GeometryError, match="regions"):
            _ = image.dicom.spacing


def test_positions_count_from_the_reference_pixel_of_the_region(tmp_path: Path) -> None:
    tissue, doppler = load(tmp_path, TISSUE, DOPPLER).dicom.regions
    # reference pixel: column 4 + 10, row 2 + 1 of the picture, at 0 cm and 2 cm
    depth, across = tissue.position([3, 11], [14, 4])
    np.testing.assert_allclose(depth, [20, 20 + 8 * 0.4])
    np.testing.assert_allclose(across, [0, -10 * 0.5])
    assert (tissue.units, tissue.shows, tissue.data, tissue.is_spatial) == (
        ("mm", "mm"),
        "2D",
        "tissue",
        True,
    )
    speed, time = doppler.position([17, 12, 19], [4, 14, 23])
    np.testing.assert_allclose(speed, [0, 12.5, -5])
    np.testing.assert_allclose(time, [0, 0.1, 0.19])
    assert (doppler.units, doppler.shows, doppler.data) == (("cm/s", "s"), "spectral", "PW Doppler")
    assert tissue.contains([2, 1, 11, 12], [4, 4, 23, 23]).tolist() == [True, False, True, False]


def test_without_a_reference_pixel_the_region_counts_from_its_own_first_one(tmp_path: Path) -> None:
    bare = {key: value for key, value in TISSUE.items() if not key.startswith("Reference")}
    (region,) = load(tmp_path, bare).dicom.regions
    assert not region.has_reference
    depth, across = region.position(2, 4)
    assert (float(depth), float(across)) == (0, 0)


def test_a_region_cut_from_the_picture_has_its_own_units(tmp_path: Path) -> None:
    image = load(tmp_path, TISSUE, DOPPLER)
    tissue, doppler = image.dicom.regions
    cut = tissue.cut(image)
    np.testing.assert_array_equal(cut, GREY[2:12, 4:24])
    np.testing.assert_allclose(cut.row, 20 + (np.arange(2, 12) - 3) * 0.4)
    np.testing.assert_allclose(cut.column, (np.arange(4, 24) - 14) * 0.5)
    assert cut.row.attrs["units"] == cut.column.attrs["units"] == "mm"
    assert cut.dicom.spacing == (0.4, 0.5)
    trace = doppler.cut(image)
    assert (trace.row.attrs["units"], trace.column.attrs["units"]) == ("cm/s", "s")
    np.testing.assert_array_equal(trace.sel(row=0, method="nearest"), GREY[17, 4:24])
    with pytest.raises(GeometryError, match="no spacing in mm"):
        _ = trace.dicom.spacing
    assert REGIONS not in trace.attrs


def test_a_region_is_found_in_a_part_of_the_picture_too(tmp_path: Path) -> None:
    for regions in ([TISSUE], [TISSUE, DOPPLER]):  # rows in mm, rows in pixels
        image = load(tmp_path, *regions)
        cut = image.dicom.regions[0].cut(image[5:, ::2])
        np.testing.assert_array_equal(cut, GREY[5:12, 4:24:2])
        np.testing.assert_allclose(cut.row[0], 20 + 2 * 0.4)
        with pytest.raises(GeometryError, match="no row"):
            image.dicom.regions[0].cut(image[13:])


def test_a_region_that_measures_nothing_is_none(tmp_path: Path) -> None:
    for change in ({"PhysicalUnitsXDirection": 99}, {"RegionLocationMaxX1": 2}, {"PhysicalDeltaX": None}):
        image = load(tmp_path, TISSUE | change)
        assert image.dicom.regions == ()
        assert image.image_plane.item() == "pixels"


def test_regions_survive_saving_and_describe_themselves(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    image = load(tmp_path, TISSUE, DOPPLER)
    image.rename("us").to_netcdf(tmp_path / "us.nc", engine="scipy")
    with xr.open_dataarray(tmp_path / "us.nc", engine="scipy") as again:
        assert again.dicom.regions == image.dicom.regions
    assert "spectral PW Doppler in rows 12 to 19" in repr(image.dicom)
    image.attrs[REGIONS] = "[{}]"
    with pytest.raises(GeometryError, match=REGIONS):
        _ = image.dicom.regions


real = pytest.mark.skipif(not (SHARED / "unpack.py").is_file(), reason=f"no real DICOM at {SHARED}")


def test_a_trace_without_height_keeps_its_pixel_rows_and_is_shown_as_it_was_on_the_screen(
    tmp_path: Path,
) -> None:
    ecg = DOPPLER | {
        "RegionSpatialFormat": 4,
        "RegionDataType": 10,
        "PhysicalUnitsYDirection": 0,
        "PhysicalDeltaY": 0,
    }
    image = load(tmp_path, TISSUE, ecg)
    cut = image.dicom.regions[1].cut(image)
    np.testing.assert_array_equal(cut.row, np.arange(12, 20))
    assert (cut.row.attrs["units"], cut.column.attrs["units"]) == ("pixel", "s")
    for part in (cut, load(tmp_path, TISSUE, DOPPLER).pipe(lambda whole: whole.dicom.regions[1].cut(whole))):
        ax = dicomlab.show(part)
        left, right, bottom, top = ax.images[0].get_extent()
        # square pixels: 8 rows as high as 8 of the 20 columns are wide
        assert ax.get_aspect() * abs(bottom - top) / 8 == pytest.approx((right - left) / 20)
    plt.close("all")


@real
def test_a_real_cine_loop_runs_in_time_and_its_picture_and_its_ecg_have_their_own_units() -> None:
    path = shared_data() / "us-a" / "Issue16.dcm"
    image = load_volume(path, progress=False)
    assert image.dims == ("time", "row", "column", "sample")
    np.testing.assert_allclose(image.time, np.arange(34) * 0.030)
    picture, ecg = image.dicom.regions
    stated = pydicom.dcmread(path).SequenceOfUltrasoundRegions
    assert picture.step == (stated[0].PhysicalDeltaY * 10, stated[0].PhysicalDeltaX * 10)
    assert ecg.data == "ECG"
    assert ecg.units == ("", "s")
    # the transducer is at the middle of the fan: half of the region's 397 columns
    np.testing.assert_allclose(picture.position(0, 42 + 198), (0, 0), atol=1e-12)
    cut = picture.cut(image)
    assert cut.sizes["row"] == 350
    assert cut.sizes["column"] == 397
    # a pixel is 0.8 times as high as wide, by Pixel Aspect Ratio as by the region
    assert image.dicom.image_plane.aspect == pytest.approx(0.8)
    assert cut.dicom.spacing[0] / cut.dicom.spacing[1] == pytest.approx(0.8)


@real
@pytest.mark.parametrize("file", ["RGB_IMAGE.dcm", "US-YBR_FULL_422-EVRLE.dcm"])
def test_a_real_still_has_the_millimetres_of_its_region(file: str) -> None:
    path = shared_data() / "us-a" / file
    image = load_volume(path, progress=False)
    (stated,) = pydicom.dcmread(path).SequenceOfUltrasoundRegions
    assert image.dims == ("row", "column", "sample")
    np.testing.assert_allclose(np.diff(image.row), stated.PhysicalDeltaY * 10)
    np.testing.assert_allclose(np.diff(image.column), stated.PhysicalDeltaX * 10)
