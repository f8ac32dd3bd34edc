"""Loading: values and positions equal the phantom's truth and what pydicom, SimpleITK and nibabel say."""

import random
import shutil
from pathlib import Path

import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.uid import generate_uid
from support import SMALL, datasets, truth, write

from dicomlab import DicomLabError, DicomLabWarning, find_series, load_volume, phantom
from dicomlab.errors import AmbiguousSourceError, FaultError, GeometryError, NotDicomError


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("orientation", ["axial", "sagittal", "coronal", "oblique"])
@pytest.mark.parametrize("modality", ["ct", "mr", "pet"])
def test_every_orientation_and_syntax_equals_the_truth(
    tmp_path: Path, modality: str, orientation: str, syntax: str
) -> None:
    writer = getattr(phantom, f"write_{modality}")
    series = writer(tmp_path, shape=SMALL, orientation=orientation, transfer_syntax=syntax)
    volume = load_volume(tmp_path)
    assert volume.dims == ("slice", "row", "column")
    np.testing.assert_allclose(volume.values, series.truth.values, rtol=1e-6)
    np.testing.assert_allclose(volume.dicom.affine, series.truth.affine, atol=1e-3)
    assert volume.attrs["units"] == series.truth.units
    assert np.all(np.diff(volume.slice) > 0)
    far = np.array(SMALL) - 1
    expected = series.truth.affine @ [*far, 1]
    np.testing.assert_allclose(volume.dicom.lps(far), expected[:3], atol=0.01)


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_simpleitk_reads_the_same_values_at_the_same_places(tmp_path: Path, modality: str) -> None:
    folder = write(tmp_path, datasets(modality))
    volume = load_volume(folder)
    names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    image = sitk.ReadImage(names)
    np.testing.assert_allclose(sitk.GetArrayFromImage(image), volume.values, rtol=1e-6)
    for index in ((0, 0, 0), tuple(n - 1 for n in SMALL)):
        place = image.TransformIndexToPhysicalPoint([int(i) for i in index[::-1]])
        np.testing.assert_allclose(volume.dicom.lps(index), place, atol=0.01)


def test_a_ct_is_int16_hounsfield_and_carries_its_windows(tmp_path: Path) -> None:
    volume = load_volume(write(tmp_path, datasets("CT")))
    header = datasets("CT")[3]
    assert volume.dtype == np.int16
    assert volume.attrs["units"] == "HU"
    assert volume.name == "ct"
    assert [w.width for w in volume.dicom.windows] == [float(x) for x in header.WindowWidth]
    assert [w.explanation for w in volume.dicom.windows] == list(header.WindowCenterWidthExplanation)


def test_pet_takes_the_slope_of_each_slice(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets("PT"))
    slopes = {float(pydicom.dcmread(f, stop_before_pixels=True).RescaleSlope) for f in folder.iterdir()}
    assert len(slopes) > 1
    volume = load_volume(folder)
    assert volume.dtype == np.float32
    assert volume.attrs["units"] == "Bq/ml"
    for file in folder.iterdir():
        one = pydicom.dcmread(file)
        real = one.pixel_array * float(one.RescaleSlope) + float(one.RescaleIntercept)
        z = float(one.ImagePositionPatient[2])
        np.testing.assert_allclose(volume.sel(slice=z, method="nearest"), real, rtol=1e-6)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False))
def test_shuffling_and_renaming_files_changes_nothing(tmp_path: Path, shuffled: random.Random) -> None:
    source = tmp_path / "source"
    if not source.exists():
        write(source, datasets("MR"))
    target = tmp_path / "renamed"
    shutil.rmtree(target, ignore_errors=True)
    files = sorted(source.iterdir())
    shuffled.shuffle(files)
    for number, file in enumerate(files):
        folder = target / shuffled.choice(["a", "b/c", ""])
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, folder / f"{number:02}{shuffled.choice(['', '.dcm', '.jpg', '.x y'])}")
    assert load_volume(target).identical(load_volume(source))


def test_instance_number_and_slice_location_that_lie_change_nothing(tmp_path: Path) -> None:
    reference = load_volume(write(tmp_path / "true", datasets()))
    lying = datasets()
    for number, one in enumerate(lying):
        one.InstanceNumber = (number * 5) % 6 + 1
        one.SliceLocation = str(-number)
        one.SliceThickness = "77"
    assert load_volume(write(tmp_path / "lying", lying)).identical(reference)


def _with_pixels(one: pydicom.Dataset, stored: np.ndarray, bits: int, signed: bool) -> None:
    one.BitsAllocated, one.BitsStored, one.HighBit = stored.dtype.itemsize * 8, bits, bits - 1
    one.PixelRepresentation = int(signed)
    for keyword in ("SmallestImagePixelValue", "LargestImagePixelValue", "PixelPaddingValue"):
        one.pop(keyword, None)
    one.PixelData = stored.tobytes() + b"\0" * (stored.nbytes % 2)
    one["PixelData"].VR = "OW"


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize(
    ("bits", "dtype"), [(7, "u1"), (8, "u1"), (10, "u2"), (12, "u2"), (16, "u2"), (20, "u4")]
)
def test_bits_above_those_stored_are_never_part_of_a_value(
    tmp_path: Path, bits: int, dtype: str, signed: bool
) -> None:
    changed = datasets()
    random_bits = np.random.default_rng(1).integers(0, 2 ** (8 * int(dtype[1])), SMALL).astype(f"<{dtype}")
    for one, stored in zip(changed, random_bits, strict=True):
        _with_pixels(one, stored, bits, signed)
        one.RescaleSlope, one.RescaleIntercept = "1", "0"
    volume = load_volume(write(tmp_path, changed))
    kept = random_bits.astype(np.int64) & ((1 << bits) - 1)
    if signed:
        kept = np.where(kept >= 1 << (bits - 1), kept - (1 << bits), kept)
    assert np.array_equal(volume.values.astype(np.int64), kept)
    assert volume.dtype.kind in "iu"


@pytest.mark.parametrize(
    ("slope", "intercept", "bits", "expected"),
    [("1", "-1024", 12, "int16"), ("1", "-1024", 16, "int32"), ("1", "0", 16, "uint16"), ("2", "0", 16, "int32"),
     ("0.5", "0", 16, "float32"), ("1", "0.5", 12, "float32"), ("-1", "0", 12, "int16")],
)  # fmt: skip
def test_values_come_in_the_smallest_dtype_that_holds_what_the_header_allows(
    tmp_path: Path, slope: str, intercept: str, bits: int, expected: str
) -> None:
    changed = datasets()
    stored = np.random.default_rng(2).integers(0, 2**bits, SMALL).astype("<u2")
    stored[0, 0, :2] = 0, 2**bits - 1
    for one, pixels in zip(changed, stored, strict=True):
        _with_pixels(one, pixels, bits, signed=False)
        one.RescaleSlope, one.RescaleIntercept = slope, intercept
    volume = load_volume(write(tmp_path, changed))
    assert volume.dtype == expected
    np.testing.assert_array_equal(volume.values.astype(float), stored * float(slope) + float(intercept))


@pytest.mark.parametrize("first", [0, 40, -10])
def test_a_modality_lut_equals_the_pseudo_code_of_the_standard(tmp_path: Path, first: int) -> None:
    changed = datasets()
    lut = np.random.default_rng(3).integers(0, 60000, 100).astype("<u2")
    stored = np.random.default_rng(4).integers(-50, 200, SMALL).astype("<i2")
    for one, pixels in zip(changed, stored, strict=True):
        _with_pixels(one, pixels, 16, signed=True)
        del one.RescaleSlope, one.RescaleIntercept, one.RescaleType
        item = pydicom.Dataset()
        item.add_new("LUTDescriptor", "SS", [100, first, 16])
        item.ModalityLUTType = "OD"
        item.add_new("LUTData", "OW", lut.tobytes())
        one.ModalityLUTSequence = [item]
    volume = load_volume(write(tmp_path, changed))
    expected = np.empty(SMALL, int)
    for place, value in np.ndenumerate(stored):
        expected[place] = lut[0 if value < first else 99 if value >= first + 100 else value - first]
    assert np.array_equal(volume.values, expected)
    assert volume.attrs["units"] == "mOD"


def test_monochrome1_never_changes_a_value(tmp_path: Path) -> None:
    changed = datasets()
    for one in changed:
        one.PhotometricInterpretation = "MONOCHROME1"
    volume = load_volume(write(tmp_path, changed))
    assert np.array_equal(volume.values, truth().values)
    assert volume.attrs["PhotometricInterpretation"] == "MONOCHROME1"


def test_gantry_tilt_is_a_shear_with_every_slice_at_its_true_position(tmp_path: Path) -> None:
    changed = datasets()
    for number, one in enumerate(changed):
        x, y, z = map(float, one.ImagePositionPatient)
        one.ImagePositionPatient = [x, y - 1.5 * number, z]
        one.GantryDetectorTilt = None
    with pytest.warns(DicomLabWarning, match="gantry_tilt"):
        volume = load_volume(write(tmp_path, changed))
    for number, one in enumerate(changed):
        np.testing.assert_allclose(
            volume.dicom.lps([number, 0, 0]), [float(v) for v in one.ImagePositionPatient], atol=1e-3
        )
    step = float(changed[1].ImagePositionPatient[2]) - float(changed[0].ImagePositionPatient[2])
    assert volume.dicom.tilt == pytest.approx(np.degrees(np.arctan(1.5 / step)), abs=0.01)
    assert volume.dicom.findings[0].startswith("gantry_tilt")


def test_a_missing_slice_is_named_and_the_others_keep_their_positions(tmp_path: Path) -> None:
    changed = datasets()
    z = [float(one.ImagePositionPatient[2]) for one in changed]
    folder = write(tmp_path, changed[:2] + changed[3:])
    with pytest.warns(DicomLabWarning, match=r"missing_slice: 1 slice\(s\)"):
        volume = load_volume(folder)
    np.testing.assert_allclose(volume.slice, z[:2] + z[3:], atol=1e-3)
    with pytest.raises(GeometryError, match="uneven"):
        _ = volume.dicom.affine
    with pytest.raises(FaultError, match="missing_slice") as caught:
        load_volume(folder, on_fault={"missing_slice": "raise"})
    assert caught.value.findings[0].size == 1
    assert len(caught.value.findings[0].files) == 2


def test_uneven_spacing_keeps_true_positions_and_warns(tmp_path: Path) -> None:
    changed = datasets()
    for number, one in enumerate(changed):
        x, y, z = map(float, one.ImagePositionPatient)
        one.ImagePositionPatient = [x, y, z + 0.4 * number**2]
    with pytest.warns(DicomLabWarning, match="uneven_spacing"):
        volume = load_volume(write(tmp_path, changed))
    for number, one in enumerate(changed):
        assert volume.dicom.lps([number, 0, 0])[2] == pytest.approx(
            float(one.ImagePositionPatient[2]), abs=1e-3
        )


def test_a_slice_beside_the_others_stops_loading(tmp_path: Path) -> None:
    changed = datasets()
    x, y, z = map(float, changed[2].ImagePositionPatient)
    changed[2].ImagePositionPatient = [x + 3.0, y, z]
    folder = write(tmp_path, changed)
    with pytest.raises(FaultError, match=r"wandering_origin: 1 of 6 slices lie up to 3\.000 mm"):
        load_volume(folder)
    with pytest.warns(DicomLabWarning, match="wandering_origin"):
        load_volume(folder, on_fault="keep")


def test_cosines_that_vary_are_mended_with_the_millimetres_that_this_moves(tmp_path: Path) -> None:
    changed = datasets()
    angle = 9e-5
    changed[3].ImageOrientationPatient = [
        round(float(np.cos(angle)), 9),
        angle,
        0,
        -angle,
        round(float(np.cos(angle)), 9),
        0,
    ]
    with pytest.warns(DicomLabWarning, match="cosines_mended"):
        volume = load_volume(write(tmp_path, changed))
    one = changed[3]
    far = np.array([one.Columns - 1, one.Rows - 1])
    cosines = np.array(one.ImageOrientationPatient, float)
    steps = np.array(one.PixelSpacing, float)[::-1] * far
    true = np.array(one.ImagePositionPatient, float) + cosines[:3] * steps[0] + cosines[3:] * steps[1]
    moved = np.linalg.norm(volume.dicom.lps([3, far[1], far[0]]) - true)
    said = float(volume.dicom.findings[0].split("by up to ")[1].split(" mm")[0])
    assert 0.01 < moved <= said + 0.001


def test_a_localizer_in_the_series_is_a_stack_of_its_own(tmp_path: Path) -> None:
    changed = datasets()
    localizer = datasets()[0]
    localizer.ImageOrientationPatient = [1, 0, 0, 0, 0, -1]
    localizer.SOPInstanceUID = generate_uid()
    localizer.file_meta.MediaStorageSOPInstanceUID = localizer.SOPInstanceUID
    series = find_series(write(tmp_path, [*changed, localizer]))[0]
    assert [len(stack) for stack in series.stacks] == [6, 1]
    with pytest.raises(AmbiguousSourceError, match=r"2 stacks.*\n.*axial.*\n.*coronal"):
        load_volume(series)
    assert np.array_equal(load_volume(series.stacks[0]).values, truth().values)


def test_two_series_in_a_folder_are_listed_not_mixed(tmp_path: Path) -> None:
    write(tmp_path / "a", datasets("CT"))
    write(tmp_path / "b", datasets("MR"))
    with pytest.raises(AmbiguousSourceError, match=r"2 series of images(.|\n)*\[0\] CT(.|\n)*\[1\] MR"):
        load_volume(tmp_path)


def test_a_truncated_file_is_named_and_the_rest_loads_only_when_asked(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    victim = sorted(folder.iterdir())[2]
    victim.write_bytes(victim.read_bytes()[:-30])
    with pytest.raises(FaultError, match=rf"truncated_pixel_data: 1 image.*in 6 file.*{victim.name}"):
        load_volume(folder)
    with pytest.warns(DicomLabWarning) as caught:
        volume = load_volume(folder, on_fault="keep")
    assert {str(w.message).split(":")[0] for w in caught} == {"truncated_pixel_data", "missing_slice"}
    assert volume.shape == (5, 12, 10)
    left = np.delete(truth().values, 2, axis=0)
    assert np.array_equal(volume.values, left)


def test_missing_pixel_data_is_named_and_the_rest_loads_only_when_asked(tmp_path: Path) -> None:
    changed = datasets()
    del changed[5].PixelData
    folder = write(tmp_path, changed)
    with pytest.raises(FaultError, match="missing_pixel_data: 1 of 6"):
        load_volume(folder)
    with pytest.warns(DicomLabWarning, match="missing_pixel_data"):
        assert load_volume(folder, on_fault={"missing_pixel_data": "keep"}).shape == (5, 12, 10)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda one: setattr(one, "ImageType", ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]), "MOSAIC"),
        (lambda one: setattr(one, "HighBit", 15), "High Bit 15"),
        (lambda one: setattr(one, "SamplesPerPixel", 3), "3 sample"),
        (lambda one: setattr(one, "BitsAllocated", 1), "Bits Allocated 1"),
    ],
)
def test_what_no_volume_can_represent_yet_is_refused(tmp_path: Path, change, reason: str) -> None:
    changed = datasets()
    for one in changed:
        one.BitsStored, one.HighBit = 12, 11
        change(one)
    with pytest.raises(DicomLabError, match=reason):
        load_volume(write(tmp_path, changed), on_fault="keep")


@pytest.mark.parametrize(
    ("keyword", "value", "error", "reason"),
    [
        ("ImagePositionPatient", None, GeometryError, "Image Position"),
        ("ImageOrientationPatient", None, GeometryError, "Image Orientation"),
        ("PixelSpacing", [0, 0], GeometryError, "Pixel Spacing"),
        ("ImageOrientationPatient", [1, 0, 0, 0.5, 1, 0], GeometryError, "perpendicular"),
        ("RescaleSlope", "0", FaultError, r"RescaleSlope \(0028,1053\) is 0"),
    ],
)
def test_headers_that_place_or_value_nothing_are_refused(
    tmp_path: Path, keyword: str, value: object, error: type[Exception], reason: str
) -> None:
    changed = datasets()
    for one in changed:
        setattr(one, keyword, value)
    with pytest.raises(error, match=reason):
        load_volume(write(tmp_path, changed))


def test_a_rescale_slope_with_a_comma_is_refused_by_name_and_read_when_asked(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets("PT"))
    right = load_volume(folder)
    for file in folder.iterdir():
        data = file.read_bytes()
        place = data.index(b"\x28\x00\x53\x10DS") + 8
        assert b"." in data[place : place + 16]
        file.write_bytes(data[:place] + data[place : place + 16].replace(b".", b",", 1) + data[place + 16 :])
    for choice in (None, "keep"):
        with pytest.raises(FaultError, match=r"decimal_comma: 6 image.*RescaleSlope"):
            load_volume(folder, on_fault=choice)
    with pytest.warns(DicomLabWarning, match="decimal_comma"):
        np.testing.assert_array_equal(load_volume(folder, on_fault={"decimal_comma": "repair"}), right)


def test_a_ct_without_rescale_says_that_its_values_may_not_be_hounsfield(tmp_path: Path) -> None:
    changed = datasets()
    for one in changed:
        del one.RescaleSlope, one.RescaleIntercept
        one.pop("RescaleType", None)
    with pytest.warns(DicomLabWarning, match="rescale_missing"):
        volume = load_volume(write(tmp_path, changed))
    assert volume.attrs["units"] == ""


def test_a_missing_frame_of_reference_shares_its_place_with_no_other(tmp_path: Path) -> None:
    changed = datasets()
    for one in changed:
        del one.FrameOfReferenceUID
    with pytest.warns(DicomLabWarning, match="frame_of_reference_missing"):
        volume = load_volume(write(tmp_path, changed))
    assert volume.dicom.frame_of_reference == f"unknown:{changed[0].SeriesInstanceUID}"


def test_a_declared_size_beyond_the_file_allocates_nothing(tmp_path: Path) -> None:
    changed = datasets()
    for one in changed:
        one.Rows = one.Columns = 65535
    with pytest.raises(FaultError, match="truncated_pixel_data"):
        load_volume(write(tmp_path, changed))
    with pytest.raises(FaultError, match="no file of this series holds a whole image"):
        load_volume(tmp_path, on_fault="keep")


def test_unknown_choices_are_refused_with_the_known_ones(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets()[:2] + datasets()[3:])
    with pytest.raises(DicomLabError, match="use 'raise', 'keep' or 'repair'"):
        load_volume(folder, on_fault="ignore")  # type: ignore[arg-type]
    with pytest.raises(
        DicomLabError, match="doubled_slice_differs cannot be 'keep': it offers raise and repair"
    ):
        load_volume(folder, on_fault={"doubled_slice_differs": "keep"})
    with pytest.raises(DicomLabError, match="the codes are"):
        load_volume(folder, on_fault={"gaps": "keep"})
    with pytest.raises(DicomLabError, match="found int"):
        load_volume(3)  # type: ignore[arg-type]


def test_dicom_without_images_says_so(tmp_path: Path) -> None:
    changed = datasets()[:1]
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(changed[0], keyword)
    changed[0].Modality = "SR"
    with pytest.raises(NotDicomError, match=r"no image \(modality SR\)"):
        load_volume(write(tmp_path, changed))


def test_gaps_of_many_sizes_are_uneven_and_no_grid_with_slices_missing(tmp_path: Path) -> None:
    changed = datasets()[:5]
    for one, z in zip(changed, (0, 2, 5, 6, 11), strict=True):
        one.ImagePositionPatient = [*one.ImagePositionPatient[:2], z]
    (series,) = find_series(write(tmp_path, changed))
    assert "uneven_spacing" in {finding.code for finding in series.findings}
    assert "missing_slice" not in {finding.code for finding in series.findings}


def test_an_image_that_lacks_its_position_is_shown_without_one_only_when_asked(tmp_path: Path) -> None:
    (one,) = datasets("MR")[:1]
    del one.ImagePositionPatient
    folder = write(tmp_path, [one])
    with pytest.raises(
        GeometryError, match=r"position_missing: MR .*on_fault=\{'position_missing': 'keep'\}"
    ):
        load_volume(folder)
    with pytest.warns(DicomLabWarning, match="position_missing"):
        image = load_volume(folder, on_fault="keep")
    assert image.dims == ("row", "column")
    np.testing.assert_array_equal(image.values, one.pixel_array)
    with pytest.raises(GeometryError, match="no place in the patient"):
        _ = image.dicom.affine
    more = datasets("MR")
    for other in more:
        del other.ImagePositionPatient
    with pytest.raises(GeometryError, match="These are 6 files"):
        load_volume(write(tmp_path / "more", more), on_fault="keep")
