"""The window explorer in Python: its state, its pixels, what is lost, its still and its page."""

from __future__ import annotations

import base64
import importlib.util
import io
import re
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
import xarray as xr
from PIL import Image

import dicomlab as dl
from dicomlab import phantom
from dicomlab.teach.window import Loss, WindowExplorer, explore_window, loss_of
from dicomlab.teach.window.loss import alike
from dicomlab.voi import VoiFunction, VoiLut, Window, apply_window

FOLDER = Path(__file__).parent / "js"


def test_the_committed_vectors_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("make_window_vectors", FOLDER / "make_window_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.contents().items():
        assert (FOLDER / "vectors" / name).read_text() == text, (
            f"{name} is stale: run python tests/js/make_window_vectors.py"
        )


def volume(**attrs: Any) -> xr.DataArray:
    values = np.arange(4 * 6 * 8, dtype=np.int16).reshape(4, 6, 8) * 20 - 1024
    affine = np.array([[0, 0, 2.0, -79], [0, 3.0, 0, -59], [5.0, 0, 0, 10], [0, 0, 0, 1]])
    attrs = {"Modality": "CT", "WindowCenter": [50.0], "WindowWidth": [400.0], **attrs}
    return dl.make_volume(values, affine=affine, units="HU", attrs=attrs)


def test_the_state_says_centre_width_function_and_polarity() -> None:
    explorer = explore_window(volume())
    assert {name: explorer.state[name] for name in ("center", "width", "function", "invert")} == {
        "center": 50.0,
        "width": 400.0,
        "function": "LINEAR",
        "invert": False,
    }
    assert explorer.window == Window(50, 400)
    explorer.window = "lung"
    assert (explorer.state["center"], explorer.state["width"]) == (-600.0, 1500.0)
    explorer.window = Window(3, 0.5, "LINEAR_EXACT")
    assert explorer.state["function"] == "LINEAR_EXACT"
    explorer.state = {**explorer.state, "center": 7.0, "width": 9.0, "function": "SIGMOID", "lut": ""}
    assert explorer.window == Window(7, 9, "SIGMOID")


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_the_picture_is_apply_window_to_the_last_pixel(function: Any) -> None:
    one = volume()
    explorer = explore_window(one, 2)
    explorer.window = Window(-500, 700.5, function)
    expected = np.floor(apply_window(one.values[2], explorer.window) * 255 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(explorer.picture(), expected)
    explorer.invert = True
    np.testing.assert_array_equal(explorer.picture(), 255 - expected)
    np.testing.assert_array_equal(explorer.values, one.values[2])


def test_monochrome1_is_shown_low_values_white_and_keeps_its_values() -> None:
    explorer = explore_window(volume(PhotometricInterpretation="MONOCHROME1"), 0)
    assert explorer.invert is True
    assert explorer.facts["photometric"] == "MONOCHROME1"
    np.testing.assert_array_equal(explorer.values, volume().values[0])


def test_what_is_lost_is_what_a_count_of_pixels_says() -> None:
    values = np.array([-200, -200, -150, 50, 51, 52, 249, 250, 900, np.nan])
    # A window of 400 around 50 ends at -150 and 249: grey 0 and 255.
    loss = loss_of(values, Window(50, 400))
    assert loss == Loss(3 / 9, 3 / 9, 8, 4, 2, 2, 3)
    # 50, 51, 52 become 127.82, 128.46, 129.10: 128, 128, 129.
    assert loss_of([50, 51, 52], Window(50, 400)) == Loss(0, 0, 3, 2, 2, 0, 0)
    assert loss_of([5, 6, 7], Window(50, 400), [0, 0, 0]) == Loss(0, 0, 0, 0, 0, 0, 0)
    assert loss_of([1, 300], Window(50, 400), [3, 1]) == Loss(0, 0.25, 2, 2, 1, 0, 1)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_values_that_share_black_or_white_are_named_beside_those_between(function: VoiFunction) -> None:
    values = np.arange(-1000.0, 2000.0)
    window = Window(50, 400, function)
    shades = np.floor(apply_window(values, window) * 255 + 0.5)
    black, white = int((shades == 0).sum()), int((shades == 255).sum())
    loss = loss_of(values, window)
    assert (loss.blacks, loss.whites) == (black, white)
    # All values are somewhere: what the sentence says cannot hold fewer than there are.
    assert black + white + loss.most * (loss.greys - 2) >= loss.values
    assert loss.words() == (
        f"3,000 different values become {loss.greys} greys: {black} become black, {white:,} become white; "
        f"between black and white, up to {loss.most} share one"
    )
    assert f"{black} become white, {white:,} become black;" in loss.words(invert=True)


def test_tissues_beyond_the_window_become_one_grey() -> None:
    groups = alike(dl.WINDOWS["CT"]["brain"])  # type: ignore[arg-type]
    assert ("air", "lung", "fat", "water") in groups
    assert alike(dl.WINDOWS["CT"]["bone"], 4) != []  # type: ignore[arg-type]
    assert not any("grey matter" in group for group in groups)


def test_stored_values_are_known_from_the_rescale() -> None:
    assert explore_window(volume(value_transform="stored × 1 - 1024: Rescale")).facts["rescale"] == [
        1.0,
        -1024.0,
    ]
    assert explore_window(volume(value_transform="as stored")).facts["rescale"] == [1.0, 0.0]
    for unclear in ("stored × 0.2 to 0.7, by slice, + 0: Rescale", "stored values through a table: LUT", ""):
        assert explore_window(volume(value_transform=unclear)).facts["rescale"] is None


def test_a_written_series_says_its_rescale_itself(tmp_path: Path) -> None:
    phantom.write_ct(tmp_path, shape=(3, 20, 24))
    explorer = explore_window(str(tmp_path))
    assert explorer.facts["rescale"] == [1.0, -1024.0]
    assert explorer.facts["letters"] == ["R", "L", "A", "P"]
    assert explorer.facts["where"] == "slice 2 of 3"
    assert [one["name"] for one in explorer.facts["presets"]][:2] == ["SOFT TISSUE (file)", "LUNG (file)"]
    assert "bone" in [one["name"] for one in explorer.facts["presets"]]


def test_the_slope_of_a_slice_is_that_of_its_own_file(tmp_path: Path) -> None:
    phantom.write_pet(tmp_path, shape=(5, 12, 10))
    headers = sorted(
        (pydicom.dcmread(path) for path in tmp_path.iterdir()), key=lambda h: float(h.ImagePositionPatient[2])
    )
    for k, header in enumerate(headers):
        explorer = explore_window(str(tmp_path), k)
        slope, intercept = explorer.facts["rescale"]
        assert (slope, intercept) == (float(header.RescaleSlope), float(header.RescaleIntercept))
        stored = (explorer.values.astype(float) - intercept) / slope
        np.testing.assert_allclose(stored, header.pixel_array, atol=0.3)  # floats travel in 65,533 steps


def test_resampled_values_have_no_stored_ones() -> None:
    one = volume(value_transform="stored × 1 - 1024: Rescale")
    assert explore_window(one.dicom.resample(spacing=(5, 2, 2))).facts["rescale"] is None


def test_a_voi_lut_of_the_file_is_offered_and_drawn() -> None:
    lut = VoiLut(-100, [0, 10, 100, 255], 8, "steep")
    explorer = explore_window(volume())
    explorer.window = lut
    assert explorer.window == lut
    assert explorer.state["lut"]
    expected = np.floor(apply_window(volume().values[2], lut) * 255 + 0.5).astype(np.uint8)
    np.testing.assert_array_equal(explorer.picture(), expected)
    assert explorer.still().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "source",
    [
        np.zeros((5, 6)),
        np.full((4, 4), np.nan),
        np.arange(24, dtype=np.uint16).reshape(2, 3, 4),
        np.array([[True, False]]),
        np.array([[np.inf, -np.inf, 1.5]]),
        np.array([[2**40, -(2**40)]]),
    ],
)
def test_arrays_of_all_kinds_have_a_picture_a_still_and_a_page(source: Any) -> None:
    explorer = explore_window(source)
    assert explorer.picture().shape == source.shape[-2:]
    still = Image.open(io.BytesIO(explorer.still()))
    assert min(still.size) > 200
    assert not still.info.keys() - {"transparency", "dpi"}
    assert "<script" in explorer.to_html().text


def test_what_is_no_grey_picture_is_refused_in_a_sentence() -> None:
    colour = xr.DataArray(np.zeros((4, 5, 3), np.uint8), dims=("row", "column", "sample"))
    for source, slice_, word in [
        (colour, None, "colour"),
        (np.zeros(5), None, "two or three dims"),
        (np.zeros((2, 3), complex), None, "dtype complex"),
        (volume(), 4, "slices 0 to 3"),
        (volume(), "two", "number"),
        (np.zeros((4, 5)), 3, "without slices"),
        (np.zeros((0, 5)), None, "rows and columns"),
    ]:
        with pytest.raises(dl.DicomLabError, match=word):
            explore_window(source, slice_)


def test_a_large_radiograph_is_thinned_and_says_so() -> None:
    values = np.arange(2000 * 700, dtype=np.int32).reshape(2000, 700) % 4096
    explorer = explore_window(values)
    assert explorer.facts["every"] == 4
    np.testing.assert_array_equal(explorer.values, values[::4, ::4])


def test_voxels_of_the_volume_are_counted_one_by_one() -> None:
    facts = explore_window(volume()).facts
    data = np.frombuffer(zlib.decompress(base64.b64decode(facts["counts"])), np.uint8)
    counts = np.ascontiguousarray(data.reshape(4, -1).T).view("<u4").ravel()
    values, often = np.unique(volume().values, return_counts=True)
    found = np.flatnonzero(counts)
    np.testing.assert_array_equal(found + facts["lowest"], values)
    np.testing.assert_array_equal(counts[found], often)


def test_names_from_a_file_cannot_become_markup() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    explorer = explore_window(volume(SeriesDescription=evil, WindowCenterWidthExplanation=evil))
    text = explorer.to_html().text
    assert evil not in text
    assert not re.search(r"<img", text)


def test_a_name_in_the_description_is_not_shown(tmp_path: Path) -> None:
    paths = phantom.write_ct(tmp_path, shape=(2, 12, 10)).files
    for path in paths:
        header = pydicom.dcmread(path)
        header.PatientName, header.SeriesDescription = "Zwirnlein^Ottilie", "Thorax Zwirnlein 1961-02-03"
        header.save_as(path)
    page = explore_window(str(tmp_path)).to_html().text
    assert "Thorax" in page
    assert "Zwirnlein" not in page
    assert "1961" not in page


@pytest.mark.parametrize(
    ("patch", "window"),
    [
        ({"width": -3}, Window(50, 1)),
        ({"width": 0, "function": "SIGMOID"}, Window(50, 1e-6, "SIGMOID")),
        ({"center": None, "width": "wide"}, Window(0, 1)),
        ({"function": "CUBIC", "lut": 7}, Window(50, 400)),
        ({"center": float("nan"), "width": float("inf")}, Window(0, 1)),
    ],
)
def test_whatever_the_state_holds_is_drawn(patch: dict[str, Any], window: Window) -> None:
    explorer = explore_window(volume())
    explorer.state = {**explorer.state, **patch}
    assert explorer.window == window
    assert explorer.still().startswith(b"\x89PNG")


def test_of_further_axes_the_first_step_is_shown_and_named() -> None:
    one = volume().expand_dims(time=[0.0, 1.0])
    explorer = explore_window(one, 1)
    assert explorer.facts["where"] == "slice 2 of 4, the first of 2 along time"
    np.testing.assert_array_equal(explorer.values, volume().values[1])


def test_it_is_a_widget_with_a_picture_beside_it() -> None:
    explorer = explore_window()
    assert isinstance(explorer, WindowExplorer)
    data, _ = explorer._repr_mimebundle_()
    assert {"image/png", "text/plain"} <= set(data)
    assert len(data["image/png"]) < 80_000
