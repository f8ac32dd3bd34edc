"""What a sceptical reader broke: headers that lie, slices that disagree, arrays that are no grid any more."""

import copy
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from support import datasets, truth, write

from dicomlab import (
    DicomLabError,
    DicomLabWarning,
    find_series,
    header_table,
    load_volume,
    make_volume,
    phantom,
)
from dicomlab.errors import FaultError, GeometryError, UnsupportedError

AFFINE = np.array([[0, 0, 0.5, -3], [0, 0.7, 0, 4], [2, 0, 0, 10], [0, 0, 0, 1.0]])


def _volume(frame: str = "1.2", affine: np.ndarray = AFFINE) -> xr.DataArray:
    return make_volume(np.arange(120.0).reshape(4, 5, 6), affine=affine, frame_of_reference=frame)


def _bare(ds: Dataset, *, implicit: bool = False, little: bool = True) -> bytes:
    """The data set without preamble and meta information."""
    bare, buffer = copy.deepcopy(ds), BytesIO()
    del bare.file_meta
    if not little:
        bare["PixelData"].value = np.frombuffer(bare.PixelData, "<u2").astype(">u2").tobytes()
    bare.save_as(buffer, implicit_vr=implicit, little_endian=little, enforce_file_format=False)
    return buffer.getvalue()


def _meta(ds: Dataset, syntax: str) -> bytes:
    """Preamble and meta information alone."""
    head, buffer = Dataset(), BytesIO()
    head.file_meta = copy.deepcopy(ds.file_meta)
    head.file_meta.TransferSyntaxUID = syntax
    head.save_as(
        buffer, implicit_vr=syntax == ImplicitVRLittleEndian, little_endian=True, enforce_file_format=True
    )
    return buffer.getvalue()


# -- pixels ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("implicit", [True, False])
@pytest.mark.parametrize("said", [ImplicitVRLittleEndian, ExplicitVRLittleEndian])
def test_a_transfer_syntax_that_lies_about_the_vr_shifts_no_pixel(
    tmp_path: Path, said: str, implicit: bool
) -> None:
    for k, ds in enumerate(datasets()):
        (tmp_path / str(k)).write_bytes(_meta(ds, said) + _bare(ds, implicit=implicit))
    np.testing.assert_array_equal(load_volume(tmp_path).values, truth().values)


def test_big_endian_files_without_a_meta_header_have_the_same_values(tmp_path: Path) -> None:
    for k, ds in enumerate(datasets()):
        (tmp_path / str(k)).write_bytes(_bare(ds, little=False))
    np.testing.assert_array_equal(load_volume(tmp_path).values, truth().values)


def test_encapsulated_pixels_under_an_uncompressed_syntax_are_refused(tmp_path: Path) -> None:
    for k, ds in enumerate(datasets()):
        pixels = ds.PixelData
        del ds.PixelData
        item, end = b"\xfe\xff\x00\xe0", b"\xfe\xff\xdd\xe0\0\0\0\0"
        fragments = item + bytes(4) + item + len(pixels).to_bytes(4, "little") + pixels + end
        element = b"\xe0\x7f\x10\x00OW\0\0\xff\xff\xff\xff" + fragments
        (tmp_path / str(k)).write_bytes(_meta(ds, ExplicitVRLittleEndian) + _bare(ds) + element)
    with pytest.raises(UnsupportedError, match="no length"):
        load_volume(tmp_path)


@pytest.mark.parametrize("slope", [10, 16])
def test_whole_slopes_that_need_sixteen_unsigned_bits_load_exactly(tmp_path: Path, slope: int) -> None:
    changed = datasets()
    stored = np.stack([ds.pixel_array for ds in changed]).astype(np.int64)
    for ds in changed:
        ds.RescaleSlope, ds.RescaleIntercept = slope, 0
    volume = load_volume(write(tmp_path, changed))
    np.testing.assert_array_equal(volume.values, stored * slope)
    assert volume.dtype == np.uint16


def test_neighbouring_stored_values_stay_apart_under_a_large_intercept(tmp_path: Path) -> None:
    changed = datasets()
    stored = np.stack([ds.pixel_array for ds in changed]).astype(np.int64)
    for ds in changed:
        ds.RescaleSlope, ds.RescaleIntercept = "0.001", "1000000"
    values = load_volume(write(tmp_path, changed)).values
    assert len(np.unique(values)) == len(np.unique(stored))


@pytest.mark.parametrize("modality", ["CT", "PT"])
@pytest.mark.parametrize("value", [None, "absent"])
def test_one_slice_without_the_rescale_of_the_others_stops_loading(
    tmp_path: Path, modality: str, value: str | None
) -> None:
    changed = datasets(modality)
    changed[2].RescaleSlope = None
    if value == "absent":
        del changed[2].RescaleSlope, changed[2].RescaleIntercept
    with pytest.raises(FaultError, match=r"rescale_(inconsistent|unusable)") as caught:
        load_volume(write(tmp_path, changed))
    assert len(caught.value.findings[0].files) == 1


def test_a_pet_without_rescale_claims_no_unit(tmp_path: Path) -> None:
    changed = datasets("PT")
    for ds in changed:
        del ds.RescaleSlope, ds.RescaleIntercept
    with pytest.warns(DicomLabWarning, match="rescale_missing"):
        volume = load_volume(write(tmp_path, changed))
    assert volume.attrs["units"] == ""


def test_two_rescale_slopes_in_one_image_are_refused(tmp_path: Path) -> None:
    changed = datasets()
    changed[1].RescaleSlope = [1, 2]
    with pytest.raises(DicomLabError, match="RescaleSlope"):
        load_volume(write(tmp_path, changed))


def test_frames_whose_groups_hold_no_position_do_not_take_that_of_the_top_level(tmp_path: Path) -> None:
    changed = datasets()[:1]
    changed[0].PerFrameFunctionalGroupsSequence = [Dataset(), Dataset()]
    changed[0].NumberOfFrames = 2
    changed[0].PixelData = changed[0].PixelData * 2
    with pytest.raises(GeometryError, match="functional groups hold no Plane Position"):
        load_volume(write(tmp_path, changed))


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
def test_a_mosaic_whose_image_type_was_wiped_is_refused(tmp_path: Path, syntax: str) -> None:
    ds = datasets("MR")[0]
    block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x0A, "US", 36)
    phantom.write_datasets(tmp_path, [ds], transfer_syntax=syntax)  # type: ignore[arg-type]
    with pytest.raises(GeometryError, match="do not divide into 6 x 6 tiles for 36 slices"):
        load_volume(tmp_path)


@pytest.mark.parametrize(
    "damage",
    [(b"\x28\x00\x02\x30US", b"\x28\x00\x02\x30Uq"), (b"\x28\x00\x06\x30OW", b"\x28\x00\x06\x30O\x01")],
)
def test_a_broken_modality_lut_is_refused_by_name(tmp_path: Path, damage: tuple[bytes, bytes]) -> None:
    ds, item = datasets("MR")[0], Dataset()
    item.add_new("LUTDescriptor", "US", [4096, 0, 16])
    item.add_new("LUTData", "OW", np.arange(4096, dtype="<u2").tobytes())
    ds.ModalityLUTSequence = [item]
    (file,) = write(tmp_path, [ds]).iterdir()
    data = file.read_bytes()
    assert damage[0] in data
    file.write_bytes(data.replace(*damage))
    with pytest.raises(DicomLabError, match="Modality LUT"):
        load_volume(tmp_path)


def test_two_files_that_claim_one_instance_stop_loading_a_stack_as_they_stop_its_series(
    tmp_path: Path,
) -> None:
    changed = datasets()
    write(tmp_path, changed)
    moved = copy.deepcopy(changed[2])
    moved.ImagePositionPatient[2] = float(moved.ImagePositionPatient[2]) + 20
    moved.save_as(tmp_path / "copy", enforce_file_format=True)
    (series,) = find_series(tmp_path)
    for source in (tmp_path, series, series.stacks[0]):
        with pytest.raises(FaultError, match="same_instance_differs"):
            load_volume(source)


# -- geometry -------------------------------------------------------------------------------------------------------------


def test_points_picked_or_stacked_from_a_volume_have_no_grid_but_keep_their_xyz() -> None:
    volume = _volume()
    points = {
        name: xr.DataArray(k, dims="p")
        for name, k in (("slice", [0, 3]), ("row", [2, 0]), ("column", [1, 5]))
    }
    for scattered in (volume.isel(points), volume.stack(voxel=("slice", "row", "column"))):
        for ask in ("affine", "spacing", "geometry"):
            with pytest.raises(GeometryError, match="no grid"):
                getattr(scattered.dicom, ask)
        with pytest.raises(GeometryError, match="no grid"):
            scattered.dicom.with_xyz()
    picked = volume.dicom.with_xyz().isel(points)
    found = np.stack([picked[name].values for name in "xyz"], axis=-1)
    np.testing.assert_allclose(found, [(AFFINE @ [0, 2, 1, 1])[:3], (AFFINE @ [3, 0, 5, 1])[:3]])


def test_an_empty_selection_says_so_instead_of_crashing() -> None:
    empty = _volume()[:0]
    for ask in (lambda: empty.dicom.affine, lambda: empty.dicom.origin, lambda: repr(empty.dicom)):
        with pytest.raises(GeometryError, match="without voxels"):
            ask()


@pytest.mark.parametrize("shape", [(2, 2), (2, 2, 2, 2), (-1, 2, 2)])
def test_a_shape_that_counts_no_voxels_is_refused(shape: tuple[int, ...]) -> None:
    from dicomlab import Geometry

    with pytest.raises(GeometryError, match="shape"):
        Geometry.from_affine(AFFINE, shape, "1.2")  # type: ignore[arg-type]


# -- guards ---------------------------------------------------------------------------------------------------------------


def _turned() -> xr.DataArray:
    """The same millimetres along axes that point elsewhere in the same frame."""
    from dicomlab import Geometry

    grid = Geometry.from_volume(_volume())
    turn = np.array([[0.6, -0.8, 0], [0.8, 0.6, 0], [0, 0, 1]])
    turned = Geometry(turn @ grid.direction, grid.slice, grid.row, grid.column, grid.frame_of_reference)
    return make_volume(np.zeros(grid.shape), geometry=turned)


@pytest.mark.parametrize("other", [_volume("9.9"), _turned()], ids=["frame", "direction"])
def test_millimetres_of_another_frame_or_direction_select_and_reindex_nothing(other: xr.DataArray) -> None:
    volume = _volume()
    for method in (None, "nearest"):
        with pytest.raises(xr.AlignmentError, match="differ in"):
            volume.sel(row=other.row, column=other.column, method=method)
        with pytest.raises(xr.AlignmentError, match="differ in"):
            volume.reindex_like(other, method=method)
    plain = xr.DataArray(volume.row.values, dims="row")
    np.testing.assert_array_equal(volume.sel(row=plain), volume)
    np.testing.assert_array_equal(volume.sel(row=volume.row[::-1]), volume[:, ::-1])


def test_the_nearest_voxel_of_a_place_outside_is_none_rather_than_the_outer_one() -> None:
    volume = _volume()
    longer = make_volume(np.zeros((10, 5, 6)), affine=AFFINE, frame_of_reference="1.2")
    filled = volume.reindex_like(longer, method="nearest")
    np.testing.assert_array_equal(filled[:4], volume)
    assert filled[4:].isnull().all()


def test_a_wide_gap_does_not_widen_what_counts_as_inside() -> None:
    volume = _volume()
    far = AFFINE + np.array([[0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 500], [0, 0, 0, 0]])
    parts = xr.concat([volume, _volume(affine=far)], "slice")
    assert parts.sel(slice=9.1, method="nearest").slice == 10
    with pytest.raises(KeyError, match="not a position"):
        parts.sel(slice=8.9, method="nearest")


def test_an_empty_selection_is_combined_and_selected_with_a_reason() -> None:
    empty = _volume()[:0]
    with pytest.raises(xr.AlignmentError, match="no position at all"):
        empty + _volume()
    with pytest.raises(KeyError, match="no position at all"):
        empty.sel(slice=3)
    with pytest.raises(KeyError, match="no position at all"):
        empty.sel(slice=slice(0, 3))


# -- identity -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keyword",
    [
        "PersonTelephoneNumbers",
        "PatientBirthDateInAlternativeCalendar",
        "ReasonForTheRequestedProcedure",
        "SpecimenIdentifier",
        "TextValue",
        "InterpretationText",
        "CommentsOnThePerformedProcedureStep",
        "RetrieveURL",
    ],
)
def test_attributes_that_can_name_a_patient_are_masked(keyword: str) -> None:
    header = Dataset()
    setattr(header, keyword, "Nora")
    assert "Nora" not in repr(header_table(header)) + header_table(header)._repr_html_()


def test_a_broken_length_shows_no_name_that_it_swallowed(tmp_path: Path) -> None:
    ds = datasets()[0]
    ds.Manufacturer = "maker"
    write(tmp_path, [ds])
    (file,) = tmp_path.iterdir()
    data = file.read_bytes()
    place = data.index(b"\x08\x00\x70\x00LO") + 6
    name = data.index(b"Nobody^Nora") + 12
    longer = (name - place - 2).to_bytes(2, "little")
    file.write_bytes(data[:place] + longer + data[place + 2 :])
    table = header_table(tmp_path)
    assert "Manufacturer" in repr(table)
    assert "Nora" not in repr(table) + table._repr_html_()


def test_two_loads_at_once_leave_the_warning_filters_as_they_were(tmp_path: Path) -> None:
    folders = [write(tmp_path / name, datasets(name)) for name in ("CT", "MR")]
    before, interval = list(warnings.filters), sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(2) as pool:
            loaded = list(pool.map(lambda folder: load_volume(folder, progress=False), folders * 6))
        after = list(warnings.filters)
    finally:
        sys.setswitchinterval(interval)
        warnings.filters[:] = before  # type: ignore[index]
    assert after == before
    assert all(volume.identical(loaded[k % 2]) for k, volume in enumerate(loaded))


def test_a_load_in_another_thread_silences_no_finding(tmp_path: Path) -> None:
    gap = write(tmp_path / "gap", [ds for k, ds in enumerate(datasets()) if k != 2])
    (series,), busy = find_series(gap), write(tmp_path / "busy", datasets("MR"))
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with warnings.catch_warnings(record=True) as caught, ThreadPoolExecutor(1) as pool:
            warnings.simplefilter("always")
            other = pool.submit(lambda: [load_volume(busy, progress=False) for _ in range(25)])
            count = 0
            while not other.done() or not count:
                load_volume(series, progress=False)
                count += 1
    finally:
        sys.setswitchinterval(interval)
    assert len([w for w in caught if issubclass(w.category, DicomLabWarning)]) == count


@pytest.mark.parametrize("step", [2.0, -2.0])
def test_one_slice_of_a_flipped_volume_has_the_letters_of_the_whole(step: float) -> None:
    affine = AFFINE.copy()
    affine[2, 0] = step
    for volume in (_volume(affine=affine), _volume(affine=affine)[::-1]):
        assert volume.isel(slice=[1]).dicom.orientation == volume.dicom.orientation


def test_nearest_reaches_half_a_step_around_one_slice_too() -> None:
    one = _volume()[::-1].isel(slice=[1])  # at 14 mm, of slices 2 mm apart
    assert one.sel(slice=14.9, method="nearest").identical(one.isel(slice=0))
    with pytest.raises(KeyError, match="half a step"):
        one.sel(slice=15.1, method="nearest")
    again = one.isel(slice=0).expand_dims("slice").dicom.restore()
    assert again.sel(slice=14.9, method="nearest").identical(one.isel(slice=0)), "its step went with it"
    with pytest.raises(KeyError, match="half a step"):
        again.sel(slice=15.1, method="nearest")
    unknown = _volume().isel(slice=2).expand_dims("slice").dicom.restore()
    with pytest.raises(KeyError):
        unknown.sel(slice=float(unknown["slice"][0]) + 0.1, method="nearest")


def test_uneven_rows_are_not_told_of_the_slices() -> None:
    uneven = _volume().isel(row=[0, 1, 3])
    assert "axial, even" in repr(uneven.dicom)
    assert "axial, one" in repr(uneven.isel(slice=[0]).dicom)


def test_one_slice_picked_twice_has_no_affine_and_no_step() -> None:
    twice = _volume().isel(slice=[2, 2])
    with pytest.raises(GeometryError, match="all slice positions are one"):
        _ = twice.dicom.affine
    one = twice.isel(slice=[0])
    assert np.isnan(one.dicom.spacing[0])
    assert np.all(np.isfinite(one.dicom.index([1.0, 2.0, 3.0])))


def test_a_slice_turned_about_its_diagonal_is_found(tmp_path: Path) -> None:
    changed = datasets()
    for ds in changed:
        ds.PixelSpacing = [30, 30]
    e = 6e-5  # the far corner stays, the others rise and sink by a few hundredths of a millimetre
    rise, sink = e / (changed[3].Columns - 1) * 9, -e / (changed[3].Rows - 1) * 9
    changed[3].ImageOrientationPatient = [1, 0, f"{rise:.9f}", 0, 1, f"{sink:.9f}"]
    (series,) = find_series(write(tmp_path, changed))
    (found,) = [finding for finding in series.findings if finding.code == "cosines_mended"]
    # The mean of six slices keeps a sixth of the turn.
    assert found.size == pytest.approx(5 / 6 * e * 9 * 30, rel=0.01)


def test_files_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    changed = datasets()
    changed[0].PixelData = changed[0].PixelData[:20]
    folders = [write(tmp_path / "a", changed[:3]), write(tmp_path / "b", changed[3:])]
    for folder in folders:
        for k, file in enumerate(sorted(folder.iterdir())):
            file.rename(folder / f"I{k}")
        (folder / "notes").write_text("no image")
    found = find_series(folders)
    assert sorted(found[0].files) == [str(Path(f, f"I{k}")) for f in "ab" for k in range(3)]
    assert sorted(found.skipped) == [str(Path(f, "notes")) for f in "ab"]
    with pytest.warns(DicomLabWarning, match="truncated"):
        volume = load_volume(folders, on_fault="keep")
    np.testing.assert_allclose(volume.values, truth().values[1:])


def test_a_finding_of_the_series_survives_the_loss_of_a_slice(tmp_path: Path) -> None:
    changed = datasets()
    changed[4].SOPInstanceUID = changed[3].SOPInstanceUID
    changed[0].PixelData = changed[0].PixelData[:20]
    with pytest.warns(DicomLabWarning):
        volume = load_volume(write(tmp_path, changed), on_fault="keep")
    assert [line.split(":")[0] for line in volume.dicom.findings] == [
        "same_instance_differs",
        "truncated_pixel_data",
    ]


def test_choices_with_keys_that_are_no_text_are_refused_by_name() -> None:
    with pytest.raises(DicomLabError, match="on_fault names 1, twist"):
        load_volume("nowhere", on_fault={1: "keep", "twist": "keep"})  # type: ignore[dict-item]
