"""VOI LUTs and windows of a file: values against the standard's own words, pydicom and DCMTK."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.text import Text
from pydicom.dataset import Dataset
from pydicom.pixels import apply_voi_lut, apply_windowing
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

import dicomlab as dl
from dicomlab.errors import WindowError
from dicomlab.read.elements import Attributes
from dicomlab.read.voi import voi_windows
from dicomlab.view.shade import grey
from dicomlab.view.windows import lut_text
from dicomlab.windowing import file_windows, window_attrs, windows_from_attrs
from tests import support

ALL = np.arange(65536)
SHAPES = {
    "rising": lambda n, top: np.linspace(0, top, n),
    "falling": lambda n, top: np.linspace(top, 0, n),
    "curved": lambda n, top: top / (1 + np.exp(np.linspace(6, -6, n))),
    "wild": lambda n, top: np.random.default_rng(n).integers(0, top + 1, n),
}


def item(first: int, entries: Any, bits: int, *, vr: str = "US", explanation: str = "") -> Dataset:
    """One item of a VOI LUT Sequence; 8-bit entries are packed, two to a word, as the standard has it."""
    made = Dataset()
    count = len(entries) % 65536
    signed = [(n ^ 0x8000) - 0x8000 for n in (count, first & 0xFFFF, bits)]
    made.add_new("LUTDescriptor", vr, signed if vr == "SS" else [n & 0xFFFF for n in signed])
    if explanation:
        made.LUTExplanation = explanation
    data = np.asarray(entries, "u1" if bits == 8 else "<u2").tobytes()
    made.add_new("LUTData", "OW", data + b"\0" * (len(data) % 2))
    return made


def every_value(*, signed: bool, slope: str = "1", intercept: str = "0") -> Dataset:
    """An MR image of 256 x 256 pixels that holds each of the 65,536 stored values once."""
    image = support.datasets("MR")[0]
    for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"):
        delattr(image, keyword)
    image.Rows = image.Columns = 256
    image.BitsAllocated = image.BitsStored = 16
    image.HighBit, image.PixelRepresentation = 15, int(signed)
    image.RescaleSlope, image.RescaleIntercept, image.RescaleType = slope, intercept, "US"
    image.PixelData = ALL.astype("<u2").tobytes()
    return image


def load(folder: Path, image: Dataset) -> xr.DataArray:
    return dl.load_volume(support.write(folder, [image]), progress=False)


def oracle(value: int, first: int, entries: list[int], bits: int) -> float:
    """PS3.3 C.11.2.1.1: below the first value mapped the first entry, from the end of the table on the last."""
    if value <= first:
        entry = entries[0]
    elif value >= first + len(entries):
        entry = entries[-1]
    else:
        entry = entries[value - first]
    return entry / (2**bits - 1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    ("signed", "first", "count", "bits"),
    [
        (False, 0, 256, 8),
        (False, 30000, 1024, 10),
        (False, 65000, 4096, 12),
        (False, 0, 65536, 16),
        (True, -1024, 4096, 12),
        (True, -32768, 65536, 16),
        (True, 100, 1, 16),
    ],
)
def test_every_input_is_as_bright_as_the_standard_says(
    tmp_path: Path, shape: str, signed: bool, first: int, count: int, bits: int
) -> None:
    entries = np.floor(SHAPES[shape](count, 2**bits - 1)).astype(int).tolist()
    image = every_value(signed=signed)
    image.VOILUTSequence = Sequence([item(first, entries, bits, vr="SS" if signed else "US")])
    volume = load(tmp_path, image)
    (lut,) = volume.dicom.windows
    values = [int(v) for v in volume.values.ravel()]
    assert sorted(values) == list(range(-32768, 32768) if signed else range(65536))
    bright = dl.apply_window(volume.values, lut).ravel()
    np.testing.assert_array_equal(bright, [oracle(v, first, entries, bits) for v in values])
    if bits > 8:  # pydicom 3.0 takes no packed entries; DCMTK looks at those of 8 bits below
        theirs = apply_voi_lut(volume.values[0], image, prefer_lut=True)
        np.testing.assert_array_equal(bright.reshape(256, 256) * (2**bits - 1), theirs)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("center", [-2000.5, 40, 30000])
@pytest.mark.parametrize("width", [1.5, 400, 40000])
def test_pydicom_draws_the_same_windows(tmp_path: Path, function: str, center: float, width: float) -> None:
    image = every_value(signed=True)
    image.WindowCenter, image.WindowWidth, image.VOILUTFunction = center, width, function
    volume = load(tmp_path, image)
    bright = dl.apply_window(volume.values[0], volume.dicom.windows[0])
    with np.errstate(over="ignore"):
        theirs = apply_windowing(volume.values[0].astype(float), image)
    np.testing.assert_allclose(bright, (theirs + 32768) / 65535, atol=1e-9)


@pytest.mark.skipif(shutil.which("dcm2pnm") is None, reason="needs DCMTK")
@pytest.mark.parametrize(("bits", "shape"), [(8, "curved"), (10, "wild"), (12, "falling"), (16, "curved")])
def test_dcmtk_draws_the_same_picture_through_the_second_of_two_luts(
    tmp_path: Path, bits: int, shape: str
) -> None:
    image = every_value(signed=True, slope="2", intercept="-1000")
    tables = [np.floor(SHAPES[kind](5000, 2**bits - 1)).astype(int) for kind in ("rising", shape)]
    image.VOILUTSequence = Sequence([item(-1500, table, bits, vr="SS") for table in tables])
    volume = load(tmp_path / "in", image)
    (path,) = (tmp_path / "in").iterdir()
    picture = tmp_path / "out.pgm"
    subprocess.run(["dcm2pnm", "+Wl", "2", "+op", str(path), str(picture)], check=True, capture_output=True)
    theirs = np.frombuffer(picture.read_bytes()[-65536:], "u1").reshape(256, 256)
    ours = grey(volume.values[0], volume.dicom.windows[1])
    assert np.ptp(ours) > 200
    assert np.abs(ours.astype(int) - theirs).max() <= 1


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
@pytest.mark.parametrize("packed", [False, True])
def test_entries_are_read_from_any_transfer_syntax_packed_or_not(
    tmp_path: Path, syntax: Any, packed: bool
) -> None:
    table = [3, 1, 4, 1, 5, 9, 255]
    one = item(-2, table, 8, vr="SS")
    if not packed:  # against the standard, and common
        one.LUTData = np.asarray(table, "<u2").tobytes()
    image = support.datasets("CT")[0]
    del image.WindowCenter, image.WindowWidth, image.WindowCenterWidthExplanation
    image.VOILUTSequence = Sequence([one])
    if syntax == ExplicitVRBigEndian:
        one.LUTData = np.frombuffer(one.LUTData, "<u2").astype(">u2").tobytes()
        image.PixelData = np.frombuffer(image.PixelData, "<u2").astype(">u2").tobytes()
    path = tmp_path / "one.dcm"
    image.file_meta.TransferSyntaxUID = syntax
    image.save_as(
        path,
        implicit_vr=syntax.is_implicit_VR,
        little_endian=syntax.is_little_endian,
        enforce_file_format=True,
    )
    (instance,) = dl.find_series(path, progress=False)[0].instances
    assert voi_windows(instance, True) == (dl.VoiLut(-2, table, 8),)


@pytest.mark.parametrize("vr", ["US", "SS"])
def test_the_first_value_has_the_sign_of_the_values_whatever_vr_it_was_written_with(
    tmp_path: Path, vr: str
) -> None:
    image = every_value(signed=False, intercept="-1024")  # stored values are unsigned, real ones are not
    image.VOILUTSequence = Sequence([item(-1000, [0, 255], 8, vr=vr)])
    assert load(tmp_path, image).dicom.windows == (dl.VoiLut(-1000, [0, 255], 8),)


def test_a_first_value_above_32767_stays_where_no_value_is_negative(tmp_path: Path) -> None:
    image = every_value(signed=False)
    image.VOILUTSequence = Sequence([item(40000, [0, 255], 8)])
    assert load(tmp_path, image).dicom.windows == (dl.VoiLut(40000, [0, 255], 8),)


def test_implicit_vr_says_nothing_about_the_sign_where_signed_pixels_make_unsigned_values(
    tmp_path: Path,
) -> None:
    image = every_value(signed=True, intercept="32768")
    image.VOILUTSequence = Sequence([item(40000, [0, 255], 8)])
    path = tmp_path / "one.dcm"
    image.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    image.save_as(path, implicit_vr=True, little_endian=True, enforce_file_format=True)
    assert dl.load_volume(path, progress=False).dicom.windows == (dl.VoiLut(40000, [0, 255], 8),)


def test_a_first_value_below_zero_stays_there_even_where_no_value_can_be(tmp_path: Path) -> None:
    image = every_value(signed=False)
    image.VOILUTSequence = Sequence([item(-1000, [0, 255], 8, vr="SS")])
    assert load(tmp_path, image).dicom.windows == (dl.VoiLut(-1000, [0, 255], 8),)


def broken(**changes: Any) -> Dataset:
    one = item(0, [0, 100, 200, 255], 8)
    for keyword, value in changes.items():
        if value is None:
            delattr(one, keyword)
        else:
            setattr(one, keyword, value)
    return one


@pytest.mark.parametrize(
    "changes",
    [
        {"LUTDescriptor": [5, 0, 8]},
        {"LUTDescriptor": [4, 0]},
        {"LUTDescriptor": [4, 0, 7]},
        {"LUTDescriptor": [4, 0, 17]},
        {"LUTDescriptor": [0, 0, 16]},
        {"LUTData": None},
        {"LUTDescriptor": None},
        {"LUTDescriptor": [4, 0, 9], "LUTData": b"\xff\xff" * 4},
        {"LUTData": b"\x01"},
    ],
)
def test_a_broken_lut_is_not_offered_and_the_sound_one_beside_it_is(changes: dict[str, Any]) -> None:
    image = Dataset()
    image.VOILUTSequence = Sequence([broken(**changes), item(7, [0, 255], 8)])
    assert voi_windows(Attributes.of(image), False) == (dl.VoiLut(7, [0, 255], 8),)


def test_windows_of_the_file_come_before_its_luts_and_names_choose(tmp_path: Path) -> None:
    image = every_value(signed=False)
    image.WindowCenter, image.WindowWidth = [500, 600], [1000, 50]
    image.WindowCenterWidthExplanation = ["WIDE", "NARROW"]
    image.VOILUTSequence = Sequence(
        [item(0, [0, 255], 8, explanation="HARD"), item(0, [255, 0], 8, explanation="SOFT")]
    )
    volume = load(tmp_path, image)
    assert list(file_windows(volume.attrs)) == ["WIDE", "NARROW", "HARD", "SOFT"]
    assert dl.browse(volume).window == dl.Window(500, 1000)
    browser = dl.browse(volume, window="soft")
    assert browser.window == dl.VoiLut(0, [255, 0], 8, "SOFT")


def test_the_level_nearest_to_a_frame_decides_with_its_own_function() -> None:
    frame, shared, top = Dataset(), Dataset(), Dataset()
    frame.VOILUTFunction = "SIGMOID"  # says nothing without numbers
    shared.WindowCenter, shared.WindowWidth = 5, 10
    top.WindowCenter, top.WindowWidth, top.VOILUTFunction = 500, 1000, "LINEAR_EXACT"
    assert voi_windows(Attributes.of(frame, shared, top), False) == (dl.Window(5, 10),)
    frame.WindowCenter, frame.WindowWidth = [1, 2], [3, 4]
    frame.WindowCenterWidthExplanation = ["A", "B"]
    assert voi_windows(Attributes.of(frame, shared, top), False) == (
        dl.Window(1, 3, "SIGMOID", "A"),
        dl.Window(2, 4, "SIGMOID", "B"),
    )


MIXED = (
    dl.Window(1, 3, "SIGMOID", "A"),
    dl.VoiLut(-5, [0, 9, 4095, 7], 12, "odd one"),
    dl.Window(2.5, 0.25, "LINEAR_EXACT"),
    dl.VoiLut(40000, ALL.tolist(), 16),
)


def test_windows_and_luts_keep_their_order_in_attributes_through_netcdf_and_arithmetic(
    tmp_path: Path,
) -> None:
    volume = load(tmp_path / "in", every_value(signed=False))
    volume.attrs |= window_attrs(MIXED)
    with xr.set_options(keep_attrs=True):
        (volume * 1).to_netcdf(tmp_path / "volume.nc")
    with xr.open_dataarray(tmp_path / "volume.nc") as back:
        assert windows_from_attrs(back.attrs) == MIXED


def test_a_smooth_lut_travels_in_a_kilobyte_or_two() -> None:
    lut = dl.VoiLut(0, np.floor(SHAPES["curved"](4096, 4095)).astype(int).tolist(), 12)
    assert len(lut.to_text()) < 2048
    assert dl.VoiLut.from_text(lut.to_text()) == lut


@pytest.mark.parametrize("text", ["", "1", "0 8 !!!!", "0 8 AAAA", "0 99 eJwDAAAAAAE=", "x 8 eJwDAAAAAAE="])
def test_text_that_is_no_lut_is_refused(text: str) -> None:
    with pytest.raises(WindowError):
        dl.VoiLut.from_text(text)
    assert windows_from_attrs({"VOILUTs": f"0 {text}"}) == ()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((0, [], 8), "1 to 65536"),
        ((0, range(65537), 16), "1 to 65536"),
        ((0, [0.5], 8), "float64"),
        ((0, [[1], [2]], 8), r"shape \(2, 1\)"),
        ((0, [256], 8), "0 to 255; found 256"),
        ((0, [-1], 8), "found -1"),
        ((0, [1], 7), "8 to 16 bits"),
        ((70000, [1], 8), "16-bit number"),
        (("x", [1], 8), "whole numbers"),
    ],
)
def test_a_lut_that_the_standard_does_not_allow_is_refused(arguments: Any, words: str) -> None:
    with pytest.raises(WindowError, match=words):
        dl.VoiLut(*arguments)


def test_values_between_whole_numbers_are_as_bright_as_the_nearest() -> None:
    lut = dl.VoiLut(-1, [0, 51, 255], 8)
    values = [-np.inf, -9.0, -0.51, -0.5, 0.0, 0.49, 0.5, 9.0, np.inf, np.nan]
    assert dl.apply_window(values, lut) == pytest.approx(
        [0, 0, 0, 0.2, 0.2, 0.2, 1, 1, 1, np.nan], nan_ok=True
    )


def test_the_numbers_of_a_lut_are_those_of_the_linear_window_over_what_changes() -> None:
    lut = dl.VoiLut(100, [0, 0, 0, 5, 200, 255, 255], 8)
    linear = dl.Window(lut.center, lut.width)
    assert lut.span == (102, 105)
    assert dl.apply_window([102, 105], linear).tolist() == [0, 1]
    assert dl.VoiLut(7, [3, 3, 3], 8).span == (7, 9)


def test_every_picture_takes_a_lut(tmp_path: Path) -> None:
    volume = dl.load_volume(support.write(tmp_path, support.datasets("CT")), progress=False)
    lut = dl.VoiLut(-1000, [0] * 900 + [128] * 200 + [255], 8)
    figure = dl.show(volume, window=lut).get_figure()
    assert any("LUT -1000 to 100" in text.get_text() for text in figure.findobj(Text))
    dl.montage(volume, window=lut, count=2)
    dl.orthoview(volume, window=lut)
    browser = dl.browse(volume, window=lut)
    assert browser.window == lut
    assert "LUT -1000 to 100" in repr(browser)
    assert f'"{lut_text(lut)}"' in browser.to_html().text


def test_setting_another_window_of_a_browser_leaves_the_lut_and_a_lut_can_be_set_again(
    tmp_path: Path,
) -> None:
    volume = dl.load_volume(support.write(tmp_path, support.datasets("CT")), progress=False)
    lut, other = dl.VoiLut(0, range(256), 8), dl.VoiLut(0, range(255, -1, -1), 8)
    browser = dl.browse(volume, window=lut)
    browser.window = other
    assert browser.window == other
    browser.window = (other.center, 77)
    assert browser.window == dl.Window(other.center, 77)
    browser.window = lut
    assert browser.window == lut
    # As the page tells it: by hand, and a table that it was once told of.
    (look,) = browser._looks
    browser.set_state({"_looks": [{**look, "window": {"center": 3.0, "width": 9.0, "function": "LINEAR"}}]})
    assert browser.window == dl.Window(3, 9)
    browser.set_state({"_looks": [look]})
    assert browser.window == lut
