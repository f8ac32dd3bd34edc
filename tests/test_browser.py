"""The Python side of the slice browser; what needs a real browser is in tests/browser."""

from __future__ import annotations

import base64
import gc
import io
import json
import threading
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.phantom import PhantomStudy
from dicomlab.view.browser import SliceBrowser, browse
from dicomlab.view.codec import decode, encode
from dicomlab.view.render import picture
from dicomlab.view.state import initial_state
from dicomlab.windowing import Window

SHAPE = (6, 20, 30)


def volume(dtype: str = "int16", **attrs: Any) -> xr.DataArray:
    affine = np.array([[0, 0, 0.5, -10], [0, 0.5, 0, 4], [2.0, 0, 0, 100], [0, 0, 0, 1]])
    values = (np.arange(np.prod(SHAPE)).reshape(SHAPE) % 977 - 300).astype(dtype)
    return dl.make_volume(values, affine=affine, units="HU", attrs={"Modality": "CT", **attrs})


class Reads:
    """An array that remembers which slices were read of it, and lets none be read at once."""

    def __init__(self, values: np.ndarray) -> None:
        self.values, self.read = values, list[int]()

    def volume(self) -> xr.DataArray:
        dask = pytest.importorskip("dask.array")

        def block(block_info: Any = None) -> np.ndarray:
            index = block_info[None]["array-location"][0][0]
            self.read.append(index)
            return self.values[index : index + 1]

        shape = self.values.shape
        chunks = ((1,) * shape[0], shape[1:2], shape[2:])
        lazy = dask.map_blocks(
            block, chunks=chunks, dtype=self.values.dtype, meta=np.empty((0, 0, 0), self.values.dtype)
        )
        self.read.clear()
        return volume().copy(data=lazy)


def asked(
    browser: SliceBrowser, axis: int, *indices: int, key: str | None = None
) -> list[tuple[dict[str, Any], Any]]:
    """Ask as the page does; return what was sent."""
    sent: list[tuple[dict[str, Any], Any]] = []
    browser.send = lambda content, buffers=None: sent.append((content, buffers))  # type: ignore[method-assign]
    demand = {"type": "pull", "generation": 1, "key": key or browser._meta["key"], "id": 4, "axis": axis}
    browser._on_message(browser, {**demand, "indices": list(indices)}, [])
    return sent


# ---- codes -----------------------------------------------------------------------------------------------------------


@given(hnp.arrays(st.sampled_from([np.int8, np.uint8, np.int16, np.uint16, np.bool_]), (3, 4)))
def test_whole_numbers_of_16_bits_come_back_as_they_were(plane: np.ndarray) -> None:
    codes, scale = encode(plane)
    assert scale["exact"]
    assert codes.dtype.itemsize == 2
    assert codes.flags.c_contiguous
    np.testing.assert_array_equal(decode(codes, scale), plane.astype(float))


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        (3, 4),
        elements=st.floats(width=32, min_value=-(2.0**99), max_value=2.0**99)
        | st.sampled_from([np.nan, np.inf, -np.inf]),
    )
)
def test_other_values_come_back_to_half_a_step_and_special_ones_exactly(plane: np.ndarray) -> None:
    codes, scale = encode(plane)
    back = decode(codes, scale)
    finite = np.isfinite(plane)
    np.testing.assert_array_equal(back[~finite], plane[~finite].astype(float))
    error = np.abs(back[finite] - plane[finite].astype(float))
    size = np.abs(plane[finite].astype(float)).max(initial=0)
    assert error.max(initial=0) <= (0 if scale["exact"] else scale["slope"] / 2) * 1.0001 + 1e-12 * size


def test_whole_numbers_in_floats_and_wide_integers_are_exact_when_they_fit() -> None:
    for plane in (np.array([-1024.0, 3000.0]), np.array([10**6, 10**6 + 65000], np.int32)):
        codes, scale = encode(plane)
        assert scale["exact"]
        np.testing.assert_array_equal(decode(codes, scale), plane)
    assert not encode(np.array([0, 10**6], np.int32))[1]["exact"]


# ---- the wire --------------------------------------------------------------------------------------------------------


def test_a_demand_is_answered_with_just_the_planes_asked_for() -> None:
    data = volume()
    browser = browse(data)
    for axis, index in ((0, 4), (1, 7), (2, 29)):
        [(content, buffers)] = asked(browser, axis, index)
        assert (content["type"], content["generation"], content["id"]) == ("slices", 1, 4)
        item = content["items"][0]
        codes = np.frombuffer(buffers[item["buffer"]], "<i2")
        expected = data.values.take(index, axis=axis)
        np.testing.assert_array_equal(codes.reshape(expected.shape), expected)
    browser.close()


def test_a_lazy_volume_is_read_slice_by_slice_and_each_slice_once() -> None:
    reads = Reads(volume().values)
    browser = browse(reads.volume())
    browser._repr_mimebundle_()
    asked(browser, 0, 3)
    assert reads.read == [3]
    reads.read.clear()
    asked(browser, 0, 1, 5)
    asked(browser, 0, 5)
    assert reads.read == [1, 5]
    assert browser._meta["reslice"] is False, "a plane across the slices would read them all"
    browser.close()


def test_what_fails_to_read_is_told_without_naming_files() -> None:
    reads = Reads(volume().values)
    lazy = reads.volume()
    browser = browse(lazy, window=(40, 400))

    class Torn:
        def isel(self, _: object) -> None:
            raise OSError("/home/DOE^JANE/1.dcm")

    object.__setattr__(browser._grid, "values", Torn())
    [(content, buffers)] = asked(browser, 0, 2)
    assert content["items"] == [{"index": 2, "error": "slice 2 cannot be read: OSError"}]
    assert buffers == []
    browser.close()


def test_demands_for_another_volume_or_of_a_closed_browser_are_not_answered() -> None:
    browser = browse(volume())
    assert asked(browser, 0, 1, key="older") == []
    browser.close()
    assert asked(browser, 0, 1) == []


def test_demands_and_settings_from_two_threads_do_not_disturb_each_other() -> None:
    browser = browse(volume())
    errors: list[BaseException] = []

    def walk() -> None:
        try:
            for n in range(150):
                state = {"index": n % 6, "_voxel": [n % 6, 10, 15], "position": browser._lps([n % 6, 10, 15])}
                browser.set_state(state)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=walk)
    thread.start()
    for _ in range(60):
        browser._on_message(browser, {"type": "pull", "generation": 0, "key": "none"}, [])
        browser.refresh()
    thread.join()
    assert errors == []
    assert browser.position == browser._lps([browser.index, 10, 15])
    browser.close()


# ---- state -----------------------------------------------------------------------------------------------------------


def test_first_the_middle_slice_as_acquired_and_the_window_of_the_file() -> None:
    browser = browse(volume(WindowCenter=[50.0], WindowWidth=[350.0], VOILUTFunction="SIGMOID"))
    assert (browser.plane, browser.index) == ("axial", 3)
    assert browser.window == Window(50, 350, "SIGMOID")
    assert browser.position == [-10 + 15 * 0.5, 4 + 10 * 0.5, 106.0]
    browser.close()


def test_plane_index_and_position_stay_one_whichever_is_set() -> None:
    browser = browse(volume())
    browser.index = 5
    assert browser.position == [-2.5, 9.0, 110.0]
    browser.plane = "sagittal"
    assert browser.index == 15
    browser.index = 0
    assert browser.position == [-10.0, 9.0, 110.0]
    browser.position = [4.4, 4.0, 101.2]
    assert browser.index == 29
    assert browser.position == [4.5, 4.0, 102.0]
    browser.plane = "coronal"
    assert browser.index == 0
    browser.close()


def test_settings_outside_the_volume_are_refused_and_change_nothing() -> None:
    browser = browse(volume(), window=(40, 400))
    before = (browser.index, browser.position)
    with pytest.raises(DicomLabError, match="there are slices 0 to 5"):
        browser.index = 6
    with pytest.raises(GeometryError, match="reaches from"):
        browser.position = [0, 0, 900]
    assert (browser.index, browser.position) == before
    with pytest.raises(DicomLabError, match="width of at least 1"):
        browser.width = 0.2
    browser.close()


def test_a_window_can_be_set_by_name_pair_and_object() -> None:
    browser = browse(volume())
    browser.window = "lung"  # type: ignore[assignment]
    assert (browser.center, browser.width) == (-600, 1500)
    browser.window = (0.2, 0.5)  # type: ignore[assignment]
    assert browser.window == Window(0.2, 0.5, "LINEAR_EXACT")
    browser.window = Window(1, 2, "SIGMOID")
    assert (browser.center, browser.width, browser.function) == (1, 2, "SIGMOID")
    browser.window = "auto"  # type: ignore[assignment]
    assert browser.function == "LINEAR_EXACT"
    with pytest.raises(DicomLabError, match="'liver'"):
        browser.window = "no such"  # type: ignore[assignment]
    browser.close()


def test_the_text_of_a_browser_says_what_it_shows() -> None:
    browser = browse(volume(), window=(40, 400))
    assert repr(browser) == "<SliceBrowser axial slice 4/6, W 400 L 40>"
    browser.close()
    assert repr(browser) == "<SliceBrowser, closed>"


def test_changes_can_be_observed() -> None:
    browser = browse(volume())
    seen: list[int] = []
    browser.observe(lambda change: seen.append(change["new"]), "index")
    browser.set_state({"index": 4, "_voxel": [4, 10, 15], "position": browser._lps([4, 10, 15])})
    assert seen == [4]
    browser.close()


def test_what_is_no_volume_is_refused_with_the_way_out() -> None:
    for wrong, advice in (
        (np.zeros((3, 3, 3)), "make_volume"),
        (volume().isel(slice=2), r"slice=\[2\]|isel\(slice=\[0\]\)"),
        (volume().drop_vars("frame_of_reference"), "frame_of_reference|direction"),
        (volume().astype(complex), "abs"),
        (volume().expand_dims(time=2), "time=0"),
    ):
        with pytest.raises(GeometryError, match=advice):
            browse(wrong)  # type: ignore[arg-type]


# ---- what is kept ----------------------------------------------------------------------------------------------------


def test_the_picture_for_a_saved_notebook_is_that_of_the_screen_and_small() -> None:
    browser = browse(volume(), window=(0, 500))
    browser.index = 1
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle[0]["image/png"]))))
    # Fifteen millimetres wide, drawn 512 pixels wide; letters and caption stay at the edges.
    state = replace(initial_state(volume(), window=(0, 500)), index=1, pixel_mm=15 / 512)
    middle = (slice(60, 250), slice(60, 450))
    np.testing.assert_array_equal(shown[middle], picture(volume(), state)[middle])
    browser.close()
    noise = np.random.default_rng(0).integers(-1000, 1000, (2, 700, 700)).astype("int16")
    browser = browse(dl.make_volume(noise, affine=np.eye(4)))
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    assert 5_000 < len(bundle[0]["image/png"]) < 70_000
    browser.close()


def test_the_state_that_is_saved_holds_no_voxel_and_no_identity() -> None:
    browser = browse(volume(PatientName="DOE^JANE", PatientID="4711", SeriesDescription="Thorax"))
    state = {k: v for k, v in browser.get_state().items() if k not in ("_esm", "_css")}
    text = json.dumps(state, default=str)
    assert "Thorax" in text
    assert "DOE" not in text
    assert "4711" not in text
    assert len(text) < 6000
    browser.close()


def test_the_title_names_the_modality_once() -> None:
    for description, title in (("CT thorax", "CT thorax"), ("Thorax", "CT Thorax"), ("", "CT")):
        browser = browse(volume(SeriesDescription=description))
        assert browser._meta["title"] == title
        browser.close()


def test_close_lets_go_of_the_volume() -> None:
    data = volume()
    alive = weakref.ref(data)
    browser = browse(data)
    del data
    browser.close()
    gc.collect()
    assert alive() is None
    with pytest.raises(DicomLabError, match="closed"):
        _ = browser.volume


def test_the_script_is_given_as_text_so_that_no_file_is_watched() -> None:
    assert isinstance(SliceBrowser.__dict__["_esm"], str)
    assert isinstance(SliceBrowser.__dict__["_css"], str)
    assert len(SliceBrowser._esm) < 150_000


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_is_saved_and_shown_in_a_sandbox(tmp_path: Path) -> None:
    browser = browse(volume())
    page = browser.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.text
    assert page.save(tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()
    assert 'sandbox="allow-scripts"' in page._repr_html_()
    assert "MB" in repr(page)
    browser.close()


def test_text_from_a_file_cannot_leave_its_place_in_the_page() -> None:
    harm = "</script><script>alert(1)</script><!-- <script> & </title>"
    browser = browse(volume(SeriesDescription=harm, units=harm))
    text = browser.to_html().text
    assert "alert(1)</script>" not in text
    assert "<!--" not in text
    assert text.count("<title>") == text.count("</title>") == 1
    browser.close()


def test_a_page_that_would_be_too_large_is_refused_with_the_way_to_crop() -> None:
    noise = np.random.default_rng(0).integers(-1000, 1000, (8, 100, 100)).astype("int16")
    browser = browse(dl.make_volume(noise, affine=np.eye(4)))
    with pytest.raises(
        DicomLabError, match=r"at most 0\.1 MB.*volume\.isel\(slice=slice\(None, None, \d+\)\)"
    ):
        browser.to_html(max_bytes=100_000)
    browser.close()


def test_the_still_of_a_saved_notebook_shows_the_slice_with_its_letters(phantom_study: PhantomStudy) -> None:
    ct = phantom_study.ct.truth.volume
    bundle, _ = browse(ct)._repr_mimebundle_()
    data = base64.b64decode(bundle["image/png"])
    shown = np.asarray(Image.open(io.BytesIO(data)))
    assert len(data) <= 48_000
    state = initial_state(ct)
    plain = Image.fromarray(picture(ct, state)).resize(shown.shape[::-1])
    # The middle is the picture itself; the letters are at the edges.
    height, width = shown.shape
    middle = (slice(height // 4, height * 3 // 4), slice(width // 4, width * 3 // 4))
    assert np.abs(shown[middle].astype(int) - np.asarray(plain)[middle]).mean() < 8
    edge = shown[height // 2 - 8 : height // 2 + 8, :14]
    assert edge.max() > 250
    assert np.asarray(plain)[height // 2 - 8 : height // 2 + 8, :14].max() < 200
