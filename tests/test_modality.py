"""Stored to real values, for every stored value there is, against an oracle written from PS3.3 C.11.1 and C.7.6.16.2.11."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import xarray as xr
from pixels import dataset, save
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from support import datasets, write

from dicomlab import DicomLabError, DicomLabWarning, load_volume
from dicomlab.errors import FaultError

EVERY = np.arange(65536, dtype=np.uint16)


def image(signed: bool = False, bits: int = 16) -> Dataset:
    """One MR image of 256 x 256 pixels that holds every pattern of 16 bits once."""
    one = datasets("MR")[0]
    for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType", "PixelPaddingValue"):
        one.pop(keyword, None)
    one.Rows = one.Columns = 256
    one.BitsAllocated, one.BitsStored, one.HighBit = 16, bits, bits - 1
    one.PixelRepresentation = int(signed)
    one.PixelData = EVERY.astype("<u2").tobytes()
    one["PixelData"].VR = "OW"
    return one


def stored(signed: bool, bits: int) -> list[int]:
    """What each pattern means (PS3.5 8.1.1): the low bits, in two's complement when signed. In plain integers."""
    values = [int(v) & ((1 << bits) - 1) for v in EVERY]
    return [v - (1 << bits) if signed and v >> (bits - 1) else v for v in values]


def loaded(folder: Path, one: Dataset, **options: object) -> xr.DataArray:
    return load_volume(write(folder, [one]), **options)  # type: ignore[arg-type]


LAYOUTS = [(False, 16), (True, 16), (False, 12), (True, 12), (False, 1), (True, 9)]


@pytest.mark.parametrize(("signed", "bits"), LAYOUTS)
def test_every_stored_value_is_what_its_bits_mean(tmp_path: Path, signed: bool, bits: int) -> None:
    volume = loaded(tmp_path, image(signed, bits))
    assert volume.dtype.kind in "iu"
    assert volume.values.ravel().tolist() == stored(signed, bits)


@pytest.mark.parametrize(("signed", "bits"), LAYOUTS)
@pytest.mark.parametrize(
    ("slope", "intercept"), [("1", "-1024"), ("2.5", "0.25"), ("-0.001", "7"), ("3", "1.5E3")]
)
def test_a_rescale_is_applied_to_every_value(
    tmp_path: Path, signed: bool, bits: int, slope: str, intercept: str
) -> None:
    one = image(signed, bits)
    one.RescaleSlope, one.RescaleIntercept, one.RescaleType = slope, intercept, "US"
    volume = loaded(tmp_path, one)
    expected = np.array([v * float(slope) + float(intercept) for v in stored(signed, bits)])
    if float(slope).is_integer() and float(intercept).is_integer():
        assert volume.dtype.kind in "iu"
        np.testing.assert_array_equal(volume.values.ravel(), expected)
    else:
        np.testing.assert_allclose(
            volume.values.ravel(), expected, rtol=1e-7, atol=1e-9 * abs(expected).max()
        )


@pytest.mark.parametrize(("signed", "first"), [(False, 0), (False, 40000), (True, -300), (True, 0)])
@pytest.mark.parametrize("entries", [256, 4096, 65536])
def test_a_modality_lut_maps_every_value_and_clamps_outside(
    tmp_path: Path, signed: bool, first: int, entries: int
) -> None:
    table = np.random.default_rng(entries).integers(0, 65536, entries, dtype=np.uint16)
    item, one = Dataset(), image(signed)
    # 65,536 entries are written as 0 (C.11.1.1); the VR of the descriptor follows the pixels.
    item.add_new("LUTDescriptor", "SS" if signed else "US", [entries % 65536, first, 16])
    item.add_new("LUTData", "OW", table.astype("<u2").tobytes())
    item.ModalityLUTType = "US"
    one.ModalityLUTSequence = Sequence([item])
    expected = [
        int(table[0 if v < first else entries - 1 if v >= first + entries else v - first])
        for v in stored(signed, 16)
    ]
    assert loaded(tmp_path, one).values.ravel().tolist() == expected


def test_pydicom_agrees_on_a_modality_lut(tmp_path: Path) -> None:
    item, one = Dataset(), image()
    item.add_new("LUTDescriptor", "US", [1000, 500, 16])
    item.add_new("LUTData", "OW", np.arange(1000, dtype="<u2")[::-1].tobytes())
    item.ModalityLUTType = "HU"
    one.ModalityLUTSequence = Sequence([item])
    volume = loaded(tmp_path, one)
    other = pydicom.dcmread(next(tmp_path.iterdir()))
    np.testing.assert_array_equal(
        volume.values[0], pydicom.pixels.apply_modality_lut(other.pixel_array, other)
    )
    assert volume.attrs["units"] == "HU"


def mapping(label: str, first: int, last: int, **how: object) -> Dataset:
    """One item of the Real World Value Mapping Sequence."""
    item, code = Dataset(), Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = (
        "mm2/s",
        "UCUM",
        "square millimetre per second",
    )
    item.LUTExplanation = item.LUTLabel = label
    signed = first < 0
    item.add_new("RealWorldValueFirstValueMapped", "SS" if signed else "US", first)
    item.add_new("RealWorldValueLastValueMapped", "SS" if signed else "US", last)
    item.MeasurementUnitsCodeSequence = Sequence([code])
    for keyword, value in how.items():
        setattr(item, keyword, value)
    return item


def test_a_real_world_value_mapping_is_taken_where_there_is_no_rescale(tmp_path: Path) -> None:
    one = image()
    one.RealWorldValueMappingSequence = Sequence(
        [mapping("ADC", 100, 60000, RealWorldValueSlope=1e-6, RealWorldValueIntercept=-0.5)]
    )
    volume = loaded(tmp_path, one)
    assert volume.attrs["units"] == "mm2/s"
    expected = [v * 1e-6 - 0.5 if 100 <= v <= 60000 else np.nan for v in stored(False, 16)]
    np.testing.assert_allclose(volume.values.ravel(), expected, rtol=1e-6)


def test_a_real_world_table_maps_its_values_and_no_others(tmp_path: Path) -> None:
    table = np.random.default_rng(1).normal(size=501)
    one = image(signed=True)
    one.RealWorldValueMappingSequence = Sequence(
        [mapping("T1", -200, 300, RealWorldValueLUTData=table.tolist())]
    )
    volume = loaded(tmp_path, one)
    expected = [table[v + 200] if -200 <= v <= 300 else np.nan for v in stored(True, 16)]
    np.testing.assert_array_equal(volume.values.ravel(), expected)


def test_of_rescale_and_mappings_the_rescale_is_taken_and_the_others_on_request(tmp_path: Path) -> None:
    one = image(bits=12)
    one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "2", "0", "US"
    one.RealWorldValueMappingSequence = Sequence(
        [
            mapping("half", 0, 4095, RealWorldValueSlope=0.5, RealWorldValueIntercept=0.0),
            mapping("third", 0, 4095, RealWorldValueSlope=3.0, RealWorldValueIntercept=1.0),
        ]
    )
    one.WindowCenter, one.WindowWidth = "100", "200"
    raw = np.array(stored(False, 12))
    np.testing.assert_array_equal(loaded(tmp_path, one).values.ravel(), raw * 2)
    np.testing.assert_array_equal(load_volume(tmp_path, values="stored").values.ravel(), raw)
    named = load_volume(tmp_path, values="third")
    np.testing.assert_array_equal(named.values.ravel(), raw * 3 + 1)
    assert named.attrs["units"] == "mm2/s"
    assert len(load_volume(tmp_path).dicom.windows) == 1
    assert not named.dicom.windows, "a window of rescaled values is none of mapped ones"
    with pytest.raises(DicomLabError, match="offers 'stored', 'half', 'third'"):
        load_volume(tmp_path, values="quarter")


@pytest.mark.parametrize(
    ("keyword", "dtype"), [("FloatPixelData", np.float32), ("DoubleFloatPixelData", np.float64)]
)
def test_float_pixels_keep_every_bit(tmp_path: Path, keyword: str, dtype: Callable[..., object]) -> None:
    values = np.random.default_rng(2).normal(size=(256, 256)).astype(dtype) * 1e-3  # type: ignore[call-overload]
    values.flat[:3] = np.nan, np.inf, -0.0
    one = image()
    del one.PixelData, one.BitsStored, one.HighBit, one.PixelRepresentation
    one.BitsAllocated = values.dtype.itemsize * 8
    setattr(one, keyword, values.tobytes())
    volume = loaded(tmp_path, one)
    assert volume.dtype == values.dtype
    assert volume.values.tobytes() == values.tobytes()


LUT = np.random.default_rng(3).integers(0, 65536, 40000, dtype=np.uint16)


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("vr", ["OW", "US", "SS"])
def test_a_long_modality_lut_is_the_same_in_every_encoding(
    tmp_path: Path, vr: str, signed: bool, syntax: str
) -> None:
    """40,000 entries are a negative number where pydicom takes the descriptor for SS, as in implicit VR under signed pixels."""
    item, ds = Dataset(), dataset(EVERY.reshape(256, 256), PixelRepresentation=int(signed))
    big = syntax == ExplicitVRBigEndian
    # An explicit US or SS has no place for more than 64 kB.
    table = LUT if vr == "OW" or syntax == ImplicitVRLittleEndian else LUT[:30000]
    item.add_new("LUTDescriptor", "US", [table.size, 65536 - 300 if signed else 500, 16])
    data = {"OW": table.astype(">u2" if big else "<u2").tobytes(), "US": table.tolist()}
    item.add_new("LUTData", vr, data.get(vr, table.view(np.int16).tolist()))
    item.ModalityLUTType = "US"
    ds.ModalityLUTSequence = Sequence([item])
    if big:
        ds.PixelData = EVERY.astype(">u2").tobytes()
        ds["PixelData"].VR = "OW"
    save(tmp_path / "a", ds, syntax)
    first = -300 if signed else 500
    expected = [int(table[min(max(v - first, 0), table.size - 1)]) for v in stored(signed, 16)]
    assert load_volume(tmp_path).values.ravel().tolist() == expected


@pytest.mark.parametrize(
    ("there", "changed"),
    [({"RescaleSlope": 2}, True), ({"RescaleIntercept": -1024}, True), ({"RescaleSlope": 1}, False)],
)
def test_half_a_rescale_is_never_applied_and_makes_no_unit(
    tmp_path: Path, there: dict[str, float], changed: bool
) -> None:
    series = datasets("CT")
    for one in series:
        del one.RescaleSlope, one.RescaleIntercept
        for keyword, value in there.items():
            setattr(one, keyword, value)
    write(tmp_path, series)
    code = "rescale_unusable" if changed else "rescale_missing"
    if changed:
        with pytest.raises(FaultError, match=f"{next(iter(there))}.* is there and Rescale.* is not"):
            load_volume(tmp_path)
    with pytest.warns(DicomLabWarning, match=code):
        volume = load_volume(tmp_path, on_fault={code: "keep"})
    np.testing.assert_array_equal(volume.values, load_volume(tmp_path, values="stored").values)
    assert volume.attrs["units"] == ""


def test_a_modality_lut_beside_a_rescale_is_refused(tmp_path: Path) -> None:
    item, one = Dataset(), image()
    item.add_new("LUTDescriptor", "US", [2, 0, 16])
    item.add_new("LUTData", "US", [3, 4])
    item.ModalityLUTType = "HU"
    one.ModalityLUTSequence = Sequence([item])
    one.RescaleSlope, one.RescaleIntercept = "2", "-1024"
    with pytest.raises(FaultError, match="both Modality LUT Sequence"):
        loaded(tmp_path, one)
    one.RescaleSlope, one.RescaleIntercept = "1", "0"
    assert set(loaded(tmp_path, one).values.ravel().tolist()) == {3, 4}


def test_two_mappings_of_one_name_can_both_be_had(tmp_path: Path) -> None:
    one = image(bits=12)
    one.RealWorldValueMappingSequence = Sequence(
        [
            mapping("stored", 0, 4095, RealWorldValueSlope=0.5, RealWorldValueIntercept=0.0),
            mapping("T2", 0, 4095, RealWorldValueSlope=2.0, RealWorldValueIntercept=0.0),
            mapping("T2", 0, 4095, RealWorldValueSlope=3.0, RealWorldValueIntercept=0.0),
        ]
    )
    raw = loaded(tmp_path, one, values="stored").values
    for name, factor in (("stored (2)", 0.5), ("T2", 2), ("T2 (2)", 3)):
        np.testing.assert_array_equal(load_volume(tmp_path, values=name).values, raw * factor)


def test_a_mapping_that_maps_nothing_is_left_out(tmp_path: Path) -> None:
    one = image(signed=True)
    one.RealWorldValueMappingSequence = Sequence(  # without a sign 0 to 65535, with one 0 to -1
        [mapping("none", 0, 65535, RealWorldValueSlope=2.0, RealWorldValueIntercept=0.0)]
    )
    assert loaded(tmp_path, one).values.ravel().tolist() == stored(True, 16)


@pytest.mark.parametrize(
    ("fault", "code"), [({"RescaleSlope": "0"}, "rescale_unusable"), ({}, "rescale_inconsistent")]
)
def test_images_kept_without_their_rescale_leave_a_volume_without_a_unit(
    tmp_path: Path, fault: dict[str, str], code: str
) -> None:
    series = datasets("CT")
    for one in series[:2]:
        del one.RescaleSlope, one.RescaleIntercept
        for keyword, value in fault.items():
            setattr(one, keyword, value)
    write(tmp_path, series)
    with pytest.raises(FaultError, match=code):
        load_volume(tmp_path)
    with pytest.warns(DicomLabWarning, match=code):
        volume = load_volume(tmp_path, on_fault={code: "keep"})
    raw = load_volume(tmp_path, values="stored").values.astype(int)
    intercept = [0, 0, *(int(one.RescaleIntercept) for one in series[2:])]
    np.testing.assert_array_equal(volume.values, raw + np.array(intercept)[:, None, None])
    assert volume.attrs["units"] == ""


def test_one_mapping_makes_all_slices_whatever_the_order_in_which_each_lists_its_own(tmp_path: Path) -> None:
    series = datasets("MR")
    for k, one in enumerate(series):
        for keyword in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
            one.pop(keyword, None)
        two = [
            mapping(label, 0, 65535, RealWorldValueSlope=slope, RealWorldValueIntercept=0.0)
            for label, slope in (("T1", 2.0), ("T2", 3.0))
        ]
        one.RealWorldValueMappingSequence = Sequence(two[:: -1 if k == 2 else 1])
    volume = load_volume(write(tmp_path, series))
    np.testing.assert_array_equal(volume.values, 2.0 * load_volume(tmp_path, values="stored").values)


def test_rescaled_float_pixels_have_room_for_every_value(tmp_path: Path) -> None:
    values = np.random.default_rng(2).normal(size=(256, 256)).astype(np.float32)
    one = image()
    del one.PixelData, one.BitsStored, one.HighBit, one.PixelRepresentation
    one.BitsAllocated, one.FloatPixelData = 32, values.tobytes()
    one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "1e40", "0", "US"
    np.testing.assert_array_equal(loaded(tmp_path, one).values[0], values.astype(float) * 1e40)


def test_a_volume_says_how_stored_values_became_its_own(tmp_path: Path) -> None:
    one = image(bits=12)
    assert loaded(tmp_path / "plain", one).attrs["value_transform"] == "as stored"
    one.RescaleSlope, one.RescaleIntercept, one.RescaleType = "2.5", "-1024", "US"
    rescale = "RescaleSlope (0028,1053) RescaleIntercept (0028,1052)"
    assert loaded(tmp_path / "rescaled", one).attrs["value_transform"] == f"stored × 2.5 - 1024: {rescale}"
    one.RealWorldValueMappingSequence = Sequence(
        [mapping("third", 0, 4095, RealWorldValueSlope=3.0, RealWorldValueIntercept=1.0)]
    )
    named = loaded(tmp_path / "mapped", one, values="third")
    assert named.attrs["value_transform"] == "stored × 3 + 1: Real World Value Mapping Sequence (0040,9096)"
    assert load_volume(tmp_path / "mapped", values="stored").attrs["value_transform"] == "as stored"
    item, other = Dataset(), image()
    item.add_new("LUTDescriptor", "US", [2, 0, 16])
    item.add_new("LUTData", "OW", np.array([5, 6], "<u2").tobytes())
    item.ModalityLUTType = "US"
    other.ModalityLUTSequence = Sequence([item])
    told = loaded(tmp_path / "table", other).attrs["value_transform"]
    assert told == "stored values through a table: Modality LUT Sequence (0028,3000)"
    pet = datasets("PT")[:3]
    for k, plane in enumerate(pet):
        plane.RescaleSlope, plane.RescaleIntercept = str(1.5 + k), "0"
    told = load_volume(write(tmp_path / "pet", pet)).attrs["value_transform"]
    assert told == f"stored × 1.5 to 3.5, by slice, + 0: {rescale}"
