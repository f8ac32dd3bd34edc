"""The Python side of the slice browser; what needs a real browser is in tests/browser."""

from __future__ import annotations

import base64
import gc
import io
import json
import math
import threading
import weakref
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import traitlets
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from skimage.measure import block_reduce

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.phantom import PhantomStudy
from dicomlab.view.browser import SliceBrowser, browse
from dicomlab.view.codec import decode, encode, thinned
from dicomlab.view.roi import Roi
from dicomlab.view.sample import Slab
from dicomlab.view.shade import grey
from dicomlab.view.synced import STATE, Synced
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


def sent_by(browser: SliceBrowser, demand: dict[str, Any]) -> list[tuple[dict[str, Any], Any]]:
    """Hand a browser a message of the page; return what was sent."""
    sent: list[tuple[dict[str, Any], Any]] = []
    browser.send = lambda content, buffers=None: sent.append((content, buffers))  # type: ignore[method-assign]
    browser._on_message(browser, demand, [])
    return sent


def asked(
    browser: SliceBrowser, *slices: int, step: int = 0, key: str | None = None
) -> list[tuple[dict[str, Any], Any]]:
    """Ask for slices as the page does."""
    key = key or browser._meta["sources"][0]["key"]
    head = {"type": "pull", "generation": 1, "key": key, "id": 4, "source": 0, "step": step}
    return sent_by(browser, {**head, "slices": list(slices)})


def asked_plane(browser: SliceBrowser, plane: dict[str, Any], **more: Any) -> tuple[dict[str, Any], Any]:
    """Ask for a plane as the page does."""
    head = {"type": "plane", "generation": 1, "key": browser._meta["sources"][0]["key"], "id": 4, "source": 0}
    demand = {**head, "step": 0, "plane": plane, "interpolation": "linear", "slab": None, **more}
    [(content, buffers)] = sent_by(browser, demand)
    return content, buffers


def test_for_a_slow_line_slices_and_planes_are_packed() -> None:
    browser = browse(volume())
    demand = {
        "type": "pull",
        "generation": 1,
        "key": browser._meta["sources"][0]["key"],
        "id": 4,
        "source": 0,
    }
    [(plain, [codes])] = sent_by(browser, {**demand, "step": 0, "slices": [1]})
    [(told, [small])] = sent_by(browser, {**demand, "step": 0, "slices": [1], "pack": True})
    assert told == {**plain, "packed": [2]}
    low, high = np.frombuffer(zlib.decompress(small), np.uint8).reshape(2, -1)
    np.testing.assert_array_equal(low + 256 * high.astype(int), np.frombuffer(codes, np.uint16))
    told_plane = {
        "origin": [0, 0, 0],
        "right": [1, 0, 0],
        "down": [0, 1, 0],
        "pixel": 1,
        "width": 5,
        "height": 4,
    }
    _, [whole] = asked_plane(browser, told_plane)
    content, [less] = asked_plane(browser, told_plane, pack=True)
    assert content["packed"] == [4]
    parts = np.frombuffer(zlib.decompress(less), np.uint8).reshape(4, -1)
    assert parts.T.tobytes() == bytes(whole)
    browser.close()


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


@pytest.mark.parametrize(
    "plane",
    [
        np.array([2**24 - 5, 2**24], np.int32),
        np.array([2**24, 2**24 + 1], np.int32),
        np.array([-(10**8) - 1, -(10**8)], np.int64),
        np.array([0.1, 0.1]),
        np.array([0.5, 0.5]),
        np.array([1e-310, 1e-310]),
    ],
    ids=str,
)
def test_a_slice_is_called_exact_only_if_the_float32_of_the_browser_are_its_values(plane: np.ndarray) -> None:
    codes, scale = encode(plane)
    seen = decode(codes, scale).astype(np.float32).astype(np.float64)
    assert scale["exact"] is bool((seen == plane).all())
    assert np.abs(seen - plane).max() <= max(scale["slope"] / 2, 2.0**-24 * np.abs(plane.astype(float)).max())


# ---- the wire --------------------------------------------------------------------------------------------------------


def test_a_demand_is_answered_with_just_the_slices_asked_for() -> None:
    data = volume()
    browser = browse(data)
    [(content, buffers)] = asked(browser, 4, 0)
    assert (content["type"], content["generation"], content["id"]) == ("slices", 1, 4)
    assert [item["slice"] for item in content["items"]] == [4, 0]
    for item in content["items"]:
        codes = np.frombuffer(buffers[item["buffer"]], "<i2")
        np.testing.assert_array_equal(codes.reshape(SHAPE[1:]), data.values[item["slice"]])
    browser.close()


def test_a_plane_of_the_kernel_holds_the_values_of_the_voxels_under_it() -> None:
    data = volume()
    browser = browse(data)
    # Coronal, row 7 at y = 7.5 mm; pixels of half a mm from the first column on, and down from the last slice at 110 mm.
    plane = {
        "origin": [-10, 7.5, 110],
        "right": [1, 0, 0],
        "down": [0, 0, -1],
        "pixel": 0.5,
        "width": 30,
        "height": 21,
    }
    content, (buffer,) = asked_plane(browser, plane)
    assert (content["type"], content["generation"], content["id"]) == ("plane", 1, 4)
    found = np.frombuffer(buffer, "<f4").reshape(21, 30)
    np.testing.assert_array_equal(found[::4], data.values[::-1, 7])
    np.testing.assert_allclose(found[1::4], 0.75 * found[:-1:4] + 0.25 * found[4::4], atol=1e-4)
    thick = {"mode": "mip", "thickness": 1.0}  # two planes, at 7.25 and 7.75 mm
    _, (buffer,) = asked_plane(browser, plane, slab=thick, interpolation="nearest")
    found = np.frombuffer(buffer, "<f4").reshape(21, 30)
    np.testing.assert_array_equal(found[::4], data.values[::-1, 7:9].max(axis=1))
    browser.close()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"width": 10**6, "height": 10**6}, "so many pixels"),
        ({"width": 0}, "so many pixels"),
        ({"origin": "here"}, "ValueError"),
        ({"pixel": None}, "TypeError"),
    ],
)
def test_a_plane_that_cannot_be_cut_says_why(change: dict[str, Any], reason: str) -> None:
    browser = browse(volume())
    plane = {"origin": [0, 0, 0], "right": [1, 0, 0], "down": [0, 1, 0], "pixel": 1, "width": 3, "height": 3}
    content, buffers = asked_plane(browser, {**plane, **change})
    assert reason in content["error"]
    assert buffers == []
    browser.close()


def test_a_step_of_a_fourth_axis_is_a_volume_of_its_own() -> None:
    first = volume()
    data = xr.concat(
        [first, first + 1000, first + 2000], xr.Variable("time", [0.0, 2.5, 5.0], {"units": "s"})
    )
    browser = browse(data.transpose("slice", "row", "time", "column"), window=(500, 3000))
    assert browser._meta["sources"][0]["steps"] == [
        {"name": "time", "units": "s", "labels": ["0", "2.5", "5"]}
    ]
    for step in (0, 2):
        [(_, buffers)] = asked(browser, 3, step=step)
        codes = np.frombuffer(buffers[0], "<i2").reshape(SHAPE[1:])
        np.testing.assert_array_equal(codes, first.values[3] + 1000 * step)
    assert asked(browser, 3, step=3) == []
    before = browser.picture(90, 60)
    browser.steps = {"time": 2}
    assert browser.steps == {"time": 2}
    assert browser.picture(90, 60).mean() > before.mean() + 50
    for wrong in ({"time": 3}, {"echo": 0}):
        with pytest.raises(DicomLabError, match=r"3, from 0 on|this volume has time"):
            browser.steps = wrong
    assert browser.steps == {"time": 2}
    browser.close()


def test_a_lazy_volume_is_read_slice_by_slice_and_each_slice_once() -> None:
    reads = Reads(volume().values)
    browser = browse(reads.volume())
    browser._repr_mimebundle_()
    asked(browser, 3)
    assert reads.read == [3]
    reads.read.clear()
    asked(browser, 1, 5)
    asked(browser, 5)
    assert reads.read == [1, 5]
    assert browser._meta["sources"][0]["reslice"] is False, "a plane across the slices would read them all"
    browser.close()


def test_what_fails_to_read_is_told_without_naming_files() -> None:
    reads = Reads(volume().values)
    lazy = reads.volume()
    browser = browse(lazy, window=(40, 400))

    class Torn:
        def isel(self, _: object) -> None:
            raise OSError("/home/DOE^JANE/1.dcm")

    object.__setattr__(browser._sources[0].grid(0), "values", Torn())
    [(content, buffers)] = asked(browser, 2)
    assert content["items"] == [{"slice": 2, "error": "slice 2 cannot be read: OSError"}]
    assert buffers == []
    browser.close()


def test_demands_for_another_volume_or_of_a_closed_browser_are_not_answered() -> None:
    browser = browse(volume())
    assert asked(browser, 1, key="older") == []
    key = browser._meta["sources"][0]["key"]
    for nonsense in (
        {},
        {"type": "pull", "source": 1, "key": key},
        {"type": "pull", "source": "0", "key": key},
    ):
        assert sent_by(browser, nonsense) == []
    browser.close()
    assert asked(browser, 1) == []


def test_demands_and_settings_from_two_threads_do_not_disturb_each_other() -> None:
    browser = browse(volume())
    errors: list[BaseException] = []

    def walk() -> None:
        try:
            for n in range(150):
                browser.set_state({"position": browser._lps([n % 6, 10, 15]), "zoom": 1 + n / 100})
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=walk)
    thread.start()
    for _ in range(60):
        sent_by(browser, {"type": "pull", "generation": 0, "key": "none", "source": 0})
        browser.refresh()
    thread.join()
    assert errors == []
    assert browser.position == browser._lps([149 % 6, 10, 15])
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
    assert browser.position == [4.4, 4.0, 101.2], "a position is where it was put, between voxels too"
    browser.plane = "coronal"
    assert browser.index == 0
    browser.close()


def test_settings_outside_the_volume_are_refused_and_change_nothing() -> None:
    browser = browse(volume(), window=(40, 400))
    before = {
        name: getattr(browser, name) for name in ("index", "position", "window", "slab", "cmap", "zoom")
    }
    with pytest.raises(DicomLabError, match="there are slices 0 to 5"):
        browser.index = 6
    with pytest.raises(GeometryError, match="reaches from"):
        browser.position = [0, 0, 900]
    with pytest.raises(DicomLabError, match="'mip', 'minip' or 'average'"):
        browser.slab = ("max", 3)
    with pytest.raises(DicomLabError, match="found 'mip'"):
        browser.slab = "mip"
    with pytest.raises(DicomLabError, match="rows and the columns of a montage"):
        browser.tiles = [0, 3]
    with pytest.raises(DicomLabError, match="'Foo' was to be bound"):
        browser.keymap = {"Foo": "zoom"}
    with pytest.raises(DicomLabError, match="thickness in mm"):
        browser.slab = ("mip", -3)
    with pytest.raises(DicomLabError, match=r"colour map 'no such'.*viridis"):
        browser.cmap = "no such"
    with pytest.raises(DicomLabError, match="width of at least 1"):
        browser.set_state(
            {"_looks": [{**browser._looks[0], "window": {"center": 0, "width": 0.2, "function": "LINEAR"}}]}
        )
    with pytest.raises(traitlets.TraitError):
        browser.zoom = 1000
    assert {name: getattr(browser, name) for name in before} == before
    browser.close()


def test_a_window_can_be_set_by_name_pair_and_object() -> None:
    browser = browse(volume())
    browser.window = "lung"
    assert browser.window == Window(-600, 1500)
    browser.window = (0.2, 0.5)
    assert browser.window == Window(0.2, 0.5, "LINEAR_EXACT")
    browser.window = Window(1, 2, "SIGMOID")
    assert browser.window == Window(1, 2, "SIGMOID")
    browser.window = "auto"
    assert browser.window.function == "LINEAR_EXACT"
    with pytest.raises(DicomLabError, match="'liver'"):
        browser.window = "no such"
    browser.close()


def test_the_picture_is_that_of_the_values_by_hand() -> None:
    """A screen with a whole number of pixels a voxel: numpy alone says what every pixel is."""
    data = volume()
    browser = browse(data, window=(100, 900))
    shades = grey(data.values[3], Window(100, 900))
    expected = np.repeat(np.repeat(shades, 4, 0), 4, 1)
    browser.interpolation = "nearest"
    np.testing.assert_array_equal(browser.picture(120, 80), np.repeat(expected[..., None], 3, axis=2))
    browser.invert = True
    np.testing.assert_array_equal(browser.picture(120, 80)[..., 1], 255 - expected)
    browser.invert, browser.cmap = False, "hot"
    import matplotlib

    colours = matplotlib.colormaps["hot"](expected, bytes=True)[..., :3]
    np.testing.assert_array_equal(browser.picture(120, 80), colours)
    browser.cmap, browser.slab = (
        "gray",
        Slab("mip", 4.0),
    )  # 8 planes half a mm apart, from 1.75 mm before to 1.75 after
    shades = grey(data.values[2:5].max(axis=0), Window(100, 900))
    np.testing.assert_array_equal(browser.picture(30, 20)[..., 0], shades)
    assert browser.slab == Slab("mip", 4.0)
    browser.close()


def test_three_planes_meet_in_the_position() -> None:
    data = volume()
    browser = browse(data, layout="planes", window=(100, 900))
    browser.position = data.dicom.lps([1, 5, 7]).tolist()
    browser.interpolation = "nearest"
    shown = browser.picture(300, 200)
    from dicomlab.view.scene import panes

    for pane in panes(browser.scene, browser._basis, browser._sources[0].grid(0), 300, 200):
        plane = pane.plane
        offset = np.subtract(browser.position, plane.origin) / plane.pixel
        x, y = (round(float(offset @ np.array(axis))) for axis in (plane.right, plane.down))
        assert shown[pane.top + y, pane.left + x, 0] == grey(data.values[1, 5, 7], Window(100, 900))
        assert abs(offset @ np.array(plane.normal)) < 1e-9
    browser.close()


def test_the_text_of_a_browser_says_what_it_shows() -> None:
    browser = browse(volume(), window=(40, 400))
    assert repr(browser) == "<SliceBrowser axial slice 4/6, W 400 L 40>"
    browser.close()
    assert repr(browser) == "<SliceBrowser, closed>"


def test_changes_can_be_observed() -> None:
    browser = browse(volume())
    seen: list[list[float]] = []
    browser.observe(lambda change: seen.append(change["new"]), "position")
    browser.set_state({"position": browser._lps([4, 10, 15])})
    browser.index = 2
    assert seen == [[-2.5, 9.0, 108.0], [-2.5, 9.0, 104.0]]
    browser.close()


def test_what_is_no_volume_is_refused_with_the_way_out() -> None:
    for wrong, advice in (
        (np.zeros((3, 3, 3)), "make_volume"),
        (volume().isel(slice=2), r"slice=\[2\]|isel\(slice=\[0\]\)"),
        (volume().drop_vars("frame_of_reference"), "frame_of_reference|direction"),
        (volume().astype(complex), "abs"),
    ):
        with pytest.raises(GeometryError, match=advice):
            browse(wrong)  # type: ignore[arg-type]


def test_volumes_of_two_frames_of_reference_are_not_laid_over_each_other() -> None:
    other = dl.make_volume(np.zeros(SHAPE), affine=np.eye(4), frame_of_reference="1.2.999")
    with pytest.raises(DicomLabError, match=r"Volume 2 has another frame of reference.*1\.2\.999.*transform"):
        SliceBrowser([volume(), other], windows=[None, None])


# ---- what is kept ----------------------------------------------------------------------------------------------------


def test_the_picture_for_a_saved_notebook_is_that_of_the_screen_and_small() -> None:
    browser = browse(volume(), window=(0, 500))
    browser.index = 1
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle[0]["image/png"]))).convert("RGB"))
    # Letters and caption stay at the edges.
    height, width = shown.shape[:2]
    middle = (slice(60, height - 60), slice(60, width - 60))
    np.testing.assert_array_equal(shown[middle], browser.picture(width, height)[middle])
    browser.close()
    noise = np.random.default_rng(0).integers(-1000, 1000, (2, 700, 700)).astype("int16")
    browser = browse(dl.make_volume(noise, affine=np.eye(4)))
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    assert 5_000 < len(bundle[0]["image/png"]) < 70_000
    browser.close()


def test_the_state_that_is_saved_holds_no_voxel_and_no_identity() -> None:
    browser = browse(volume(PatientName="DOE^JANE", PatientID="4711", SeriesDescription="Thorax"))
    state = {k: v for k, v in browser.get_state().items() if k not in ("_esm",)}
    text = json.dumps(state, default=str)
    assert "Thorax" in text
    assert "DOE" not in text
    assert "4711" not in text
    assert len(text) < 20_000, "mostly nine colour maps"
    browser.close()


def test_the_title_names_the_modality_once() -> None:
    for description, title in (("CT thorax", "CT thorax"), ("Thorax", "CT Thorax"), ("", "CT")):
        browser = browse(volume(SeriesDescription=description))
        assert browser._meta["sources"][0]["title"] == title
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
    assert isinstance(Synced.__dict__["_esm"], str)
    assert len(SliceBrowser._esm) < 82_000, (
        "deflated: the text is sent with every widget, and saved with some"
    )


def test_what_the_page_sends_again_unchanged_stays_what_it_was() -> None:
    browser = browse(volume())
    browser.rois = [Roi("ruler", [(0, 0, 0), (3, 4, 0)])]
    told = browser.get_state()
    # marimo sends all that the page has; traitlets takes what equals the old value without asking what it is.
    browser.set_state({name: told[name] for name in STATE})
    assert len(browser.rois.table) == 1
    assert browser.get_state() == told
    browser.set_state({"rois": []})
    assert len(browser.rois.table) == 0
    browser.close()


# ---- the page --------------------------------------------------------------------------------------------------------


def test_the_page_is_saved_and_shown_in_a_sandbox(tmp_path: Path) -> None:
    browser = browse(volume())
    page = browser.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == page.text
    assert page.save(tmp_path / "again.html").read_bytes() == (tmp_path / "page.html").read_bytes()
    assert 'sandbox="allow-scripts allow-downloads"' in page._repr_html_()
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


def test_the_page_holds_every_slice_of_every_step_and_reads_each_once() -> None:
    first = volume()
    browser = browse(xr.concat([first, first + 1], "time"))
    text = browser.to_html().text
    assert text.count('<script type="text/plain" id="s0-') == 2 * SHAPE[0]
    state = json.loads(text.split('id="state">')[1].split("</script>")[0])
    assert set(state["scales"]) == {f"0-{step}-{k}" for step in (0, 1) for k in range(SHAPE[0])}
    assert state["traits"]["position"] == browser.position
    browser.close()


@pytest.mark.parametrize("layout", ["single", "planes", "montage"])
def test_the_still_of_a_saved_notebook_shows_the_slice_with_its_letters(
    phantom_study: PhantomStudy, layout: Any
) -> None:
    browser = browse(phantom_study.ct.truth.volume, layout=layout)
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    data = base64.b64decode(bundle[0]["image/png"])
    shown = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    assert len(data) <= 48_000
    height, width = shown.shape[:2]
    plain = browser.picture(width, height)
    assert (shown != plain).any(axis=2).mean() < 0.1, "but for the letters it is the picture"
    edge = (slice(height // 2 - 8, height // 2 + 8), slice(0, 14))
    if layout == "single":
        assert shown[edge].max() > 220
        assert plain[edge].max() < 200
    browser.close()


@pytest.mark.parametrize("turned", [False, True])
def test_the_mm_of_a_still_are_those_of_its_plane_under_a_leaning_gantry_too(
    monkeypatch: pytest.MonkeyPatch, turned: bool
) -> None:
    from PIL import ImageDraw

    written: list[str] = []
    plain = ImageDraw.ImageDraw.multiline_text

    def noted(self: Any, place: Any, text: str, *args: Any, **options: Any) -> Any:
        written.append(text)
        return plain(self, place, text, *args, **options)

    monkeypatch.setattr(ImageDraw.ImageDraw, "multiline_text", noted)
    # Slices shift forwards by half a mm a mm: the coordinate of a row is not where it lies in the patient.
    leaning = dl.Geometry(
        np.array([[0, 0, 1.0], [-0.5, 1.0, 0], [1.0, 0, 0]]),
        np.arange(24) * 3.0 - 30,
        np.arange(60) * 2.0 - 59,
        np.arange(32) * 2.0 - 31,
        "1.2",
    )
    browser = browse(dl.make_volume(np.zeros((24, 60, 32), np.int16), geometry=leaning))
    a, b = np.cos(0.3), np.sin(0.3)
    turn = np.array([[a, -b, 0], [b, a, 0], [0, 0, 1]]) if turned else np.eye(3)
    browser._turn = turn.ravel().tolist()
    at = np.array([4.0, 5.2, 21.0])
    browser.position = at.tolist()
    for plane, heading, count in (
        ("axial", (0, 0, 1), 24),
        ("coronal", (0, 1, 0), 60),
        ("sagittal", (1, 0, 0), 32),
    ):
        browser.plane = plane
        written.clear()
        browser.picture(400, 400, letters=True)
        across = turn @ heading
        mm = across @ at
        sides = "".join(
            "LPH"[k] if across[k] * mm > 0 else "RAF"[k]
            for k in np.argsort(-np.abs(across))
            if abs(across[k]) > 0.09
        )
        (caption,) = written
        assert caption.split("\n")[0].split("  ")[1] == f"{abs(mm):.1f} mm {sides}"
        # The row or slice that holds the position: y = row - slice / 2.
        index = {"axial": (21 + 30) / 3, "coronal": (5.2 + 21 / 2 + 59) / 2, "sagittal": (4 + 31) / 2}[plane]
        which = caption.split("  ")[0]
        if turned and plane != "axial":
            assert which == f"tilted by {math.degrees(0.3):.0f}°", "it goes through many of them"
        else:
            assert which.split(" ")[1] == f"{round(index - 0.01) + 1}/{count}"
    browser.plane, browser.slab = "axial", ("mip", 20)
    written.clear()
    browser.picture(400, 400, letters=True)
    assert "\nmip 20 mm\n" in written[0], "a thick slab passes for no thin slice"
    browser.close()


@pytest.mark.parametrize(
    ("steps", "labels"),
    [
        (np.array([0.0, 2.5, 1234567.25]), ["0", "2.5", "1234567.25"]),
        (np.array([4.6, 9.2], np.float32), ["4.6", "9.2"]),
        (np.array([0.1 + 0.2, 1e-5]), ["0.3", "1e-05"]),
        (np.array([1, 1500000]), ["1", "1500000"]),
        (
            np.array(["2026-11-28T10:00:00", "2026-11-28T10:00:01.5"], "datetime64[ns]"),
            ["2026-11-28T10:00:00.000", "2026-11-28T10:00:01.500"],
        ),
        (np.array([0, 2500], "timedelta64[ms]").astype("timedelta64[ns]"), ["0 s", "2.5 s"]),
        (np.array(["magnitude", "<b>phase"]), ["magnitude", "<b>phase"]),
    ],
    ids=str,
)
def test_steps_are_called_by_their_values_with_all_digits(steps: np.ndarray, labels: list[str]) -> None:
    both = xr.concat([volume()] * len(steps), xr.Variable("time", steps))
    browser = browse(both)
    assert browser._meta["sources"][0]["steps"][0]["labels"] == labels
    browser.close()


def test_what_users_call_by_other_names_can_be_observed_and_linked() -> None:
    import ipywidgets
    import traitlets

    browser = browse(volume(), window=(0, 500))
    heard: list[tuple[str, Any, Any]] = []
    browser.observe(lambda change: heard.append((change["name"], change["old"], change["new"])))
    told = []
    names = ["index", "window", "invert", "cmap", "slab", "steps", "tool"]
    for name in names:
        browser.observe(lambda change: told.append((change["name"], change["new"])), name)
    browser.index = 1
    assert told == [("index", 1)]
    browser.window = dl.Window(40, 400)
    browser.invert = True
    browser.slab = ("mip", 6)
    browser.tool = "ruler"
    assert [name for name, _ in told] == ["index", "window", "invert", "slab", "tool"]
    assert told[1][1] == dl.Window(40, 400)
    # A change of the page's: only what it changed is told.
    told.clear()
    browser.set_state({"_looks": [{**browser._looks[0], "cmap": "hot"}], "tool": "window"})
    assert told == [("cmap", "hot"), ("tool", "window")]
    assert all(name in browser.trait_names() or name in names for name, _, _ in heard)
    slider = ipywidgets.IntSlider(0, 0, 2)
    link = traitlets.link((browser, "index"), (slider, "value"))
    slider.value = 2
    assert browser.index == 2
    browser.index = 0
    assert slider.value == 0
    link.unlink()
    browser.close()
    with pytest.raises(traitlets.TraitError, match="ruler"):
        browser.tool = "hammer"


def test_a_slice_that_passes_by_comes_with_the_means_of_its_pixels() -> None:
    rows, columns = 21, 30  # the last row is only half there
    values = np.random.default_rng(3).integers(-2000, 3000, (4, rows, columns)).astype("int16")
    browser = browse(dl.make_volume(values, affine=np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU"))
    key = browser._meta["sources"][0]["key"]
    head = {"type": "pull", "generation": 1, "key": key, "id": 4, "source": 0, "step": 0, "slices": [2]}
    for divide in (2, 4):
        [(content, [codes])] = sent_by(browser, {**head, "divide": divide})
        [item] = content["items"]
        assert (item["divide"], item["kind"]) == (divide, "i2")
        few = np.frombuffer(codes, "<i2").reshape(-(-rows // divide), -(-columns // divide))
        even = values[2, : rows // divide * divide, : columns // divide * divide]
        means = block_reduce(even.astype(float), divide, np.mean)
        np.testing.assert_array_equal(few[: means.shape[0], : means.shape[1]], np.rint(means))
        # What hangs over the border repeats it: no value comes from nowhere.
        assert values[2].min() <= few.min() <= few.max() <= values[2].max()
    for wrong in (3, 0, "2", None, [2]):
        [(content, [codes])] = sent_by(browser, {**head, "divide": wrong})
        assert content["items"][0]["divide"] == 1
        np.testing.assert_array_equal(np.frombuffer(codes, "<i2").reshape(rows, columns), values[2])
    browser.close()


@given(
    hnp.arrays(
        st.sampled_from([np.int8, np.uint8, np.uint16, np.int32, np.float32, np.float64, np.bool_]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=9),
    ),
    st.sampled_from([2, 4]),
    st.booleans(),
)
def test_fewer_pixels_keep_the_type_and_lie_within_the_values_that_they_stand_for(
    plane: np.ndarray, divide: int, mixed: bool
) -> None:
    few = thinned(plane, divide, mixed=mixed)
    assert few.dtype == plane.dtype
    assert few.shape == tuple(-(-side // divide) for side in plane.shape)
    for (row, column), value in np.ndenumerate(few):
        block = plane[divide * row : divide * (row + 1), divide * column : divide * (column + 1)]
        if not mixed or plane.dtype == bool:
            assert value in block or value != value
        elif np.isfinite(block).all() and np.abs(block.astype(float)).max() < 1e30:
            slack = 1e-6 * np.abs(block.astype(float)).max()
            assert block.min() - slack <= value <= block.max() + slack


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("zoom", np.nan),
        ("pan", [np.nan, 0.0, 0.0]),
        ("pan", [0.0, np.inf, 0.0]),
        ("split", np.nan),
        ("fps", np.nan),
        ("index", 2.5),
        ("index", "2"),
        ("rois", None),
    ],
)
def test_what_is_no_number_is_refused_and_nothing_changes(name: str, value: object) -> None:
    browser = browse(volume())
    before = getattr(browser, name)
    with pytest.raises(DicomLabError):
        setattr(browser, name, value)
    assert getattr(browser, name) == before
    browser.close()


def test_a_slab_is_as_thick_as_reaches_through_the_volume() -> None:
    browser = browse(volume())
    browser.slab = ("mip", float("inf"))
    assert browser.slab is not None
    extent = np.ptp(np.array(browser._basis.corners), axis=0)
    assert browser.slab.thickness == pytest.approx(2 * np.linalg.norm(extent))
    browser.interpolation = "nearest"
    assert browser.picture(64, 64).max() == 255, "the highest value of all is somewhere"
    browser.close()


def test_whole_numbers_beyond_those_of_floats_have_a_histogram() -> None:
    values = (np.arange(120) + 2**60).reshape(4, 5, 6)
    browser = browse(dl.make_volume(values, affine=np.eye(4)[[2, 1, 0, 3]]))
    assert sum(browser._meta["sources"][0]["histogram"]["counts"]) == 120
    browser.close()
