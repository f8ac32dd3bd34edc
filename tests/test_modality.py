"""Stored to real values, for every stored value there is, against an oracle written from PS3.3 C.11.1 and C.7.6.16.2.11."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pydicom
import pytest
import xarray as xr
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import datasets, write

from dicomlab import DicomLabError, load_volume

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
