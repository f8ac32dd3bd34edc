"""What leaves the viewer: pictures, runs, pages of 8 bits; and browsers that follow each other."""

from __future__ import annotations

import base64
import io
import json
import re
import sys
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image, ImageSequence

import dicomlab as dl
from dicomlab.errors import DicomLabError, MissingDependencyError, OverwriteError
from dicomlab.view.keymap import ACTIONS, GESTURES, TOOLS
from dicomlab.windowing import Window

SHAPE = (6, 20, 30)


def volume(
    start: float = 100.0, *, frame: str = "1.2.3", shape: tuple[int, ...] = SHAPE, **attrs: Any
) -> xr.DataArray:
    """Values count up; voxels of 2 x 0.5 x 0.5 mm, the first slice at z = start."""
    affine = np.array([[0, 0, 0.5, -10], [0, 0.5, 0, 4], [2.0, 0, 0, start], [0, 0, 0, 1]])
    values = (np.arange(np.prod(shape)).reshape(shape) % 977 - 300).astype("int16")
    return dl.make_volume(
        values, affine=affine, units="HU", frame_of_reference=frame, attrs={"Modality": "CT", **attrs}
    )


def perfusion() -> xr.DataArray:
    """Four times at which every voxel is 0, 10, 20, 30."""
    one = volume()
    return xr.concat(
        [one.copy(data=np.full(SHAPE, 10 * k, "int16")) for k in range(4)], "time"
    ).assign_coords(time=[0.0, 1.5, 3.0, 4.5])


def opened(path: Path) -> Image.Image:
    return Image.open(io.BytesIO(path.read_bytes()))


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_a_saved_picture_without_letters_is_the_picture_and_with_letters_only_its_edges_differ(
    tmp_path: Path,
) -> None:
    browser = dl.browse(volume(), window=(0, 500))
    browser.save_picture(tmp_path / "plain.png", width=300, height=200, letters=False)
    plain = np.asarray(opened(tmp_path / "plain.png"))
    np.testing.assert_array_equal(plain, browser.picture(300, 200))
    path = browser.save_picture(tmp_path / "letters.png", width=300, height=200)
    letters = np.asarray(opened(path))
    assert not opened(path).info
    middle = (slice(30, 150), slice(30, 270))
    np.testing.assert_array_equal(letters[middle], plain[middle])
    for edge in (np.s_[90:110, :20], np.s_[90:110, 280:], np.s_[:20, 140:160], np.s_[180:, 140:160]):
        assert (letters[edge] != plain[edge]).any(), edge
    with pytest.raises(OverwriteError):
        browser.save_picture(path)
    with pytest.raises(DicomLabError, match=r"\.png"):
        browser.save_picture(tmp_path / "picture.jpg")
    browser.close()


@pytest.mark.parametrize("layout", ["single", "planes", "montage"])
def test_the_still_of_every_layout_is_small_and_wears_letters(layout: Any) -> None:
    noise = np.random.default_rng(0).integers(-1000, 1000, (40, 200, 200)).astype("int16")
    browser = dl.browse(
        dl.make_volume(noise, affine=np.eye(4)[[2, 1, 0, 3]]), layout=layout, window=(0, 2000)
    )
    data, _ = browser._repr_mimebundle_()  # type: ignore[misc]
    png = base64.b64decode(data["image/png"])
    assert 2_000 < len(png) <= 48_000
    image = Image.open(io.BytesIO(png))
    plain = browser.picture(*image.size)
    image = image.convert("RGB")
    assert 0.002 < (np.asarray(image) != plain).any(axis=-1).mean() < 0.3
    browser.close()


# ---- runs ------------------------------------------------------------------------------------------------------------


def frames(path: Path) -> list[np.ndarray]:
    return [np.asarray(one.convert("RGB")) for one in ImageSequence.Iterator(opened(path))]


def test_a_gif_shows_each_slice_as_the_browser_would_and_leaves_it_where_it_is(tmp_path: Path) -> None:
    browser = dl.browse(volume(), window=(0, 500))
    browser.index = 2
    before = (browser.scene, dict(browser.steps))
    path = browser.save_run(
        tmp_path / "run.gif", fps=30, width=60, height=40, letters=False, frames=slice(1, None, 2)
    )
    assert (browser.scene, browser.steps) == before
    found = frames(path)
    assert len(found) == 3
    for index, shown in zip((1, 3, 5), found, strict=True):
        browser.index = index
        np.testing.assert_array_equal(shown, browser.picture(60, 40))
    # Thirds of a hundredth of a second cannot be kept, but their sum can.
    image = opened(path)
    pauses = [image.seek(n) or image.info["duration"] for n in range(3)]  # type: ignore[func-returns-value]
    assert sum(pauses) == 100
    assert image.info["loop"] == 0
    browser.close()


def test_a_run_to_and_fro_shows_its_ends_once(tmp_path: Path) -> None:
    browser = dl.browse(volume(), window=(0, 500))
    path = browser.save_run(tmp_path / "run.gif", bounce=True, width=30, height=20, letters=False)
    found = frames(path)
    assert len(found) == 10
    for one, other in zip(found[1:5], reversed(found[6:]), strict=True):
        np.testing.assert_array_equal(one, other)
    browser.close()


def test_of_a_volume_with_times_the_times_are_played(tmp_path: Path) -> None:
    browser = dl.browse(perfusion(), window=Window(15, 30, "LINEAR_EXACT"))
    assert browser.along == "steps"
    found = frames(browser.save_run(tmp_path / "run.gif", width=30, height=20, letters=False))
    assert [one[10, 15, 0] for one in found] == [0, 85, 170, 255]
    assert len(frames(browser.save_run(tmp_path / "slices.gif", along="slices", width=30, height=20))) in (
        1,
        6,
    )
    browser.close()


def test_runs_that_cannot_be_are_refused_with_the_way_out(tmp_path: Path) -> None:
    browser = dl.browse(volume())
    for wanted, message in (
        ({"path": "run.avi"}, r"\.gif or \.mp4"),
        ({"path": "run.gif", "fps": 60}, "at most 50"),
        ({"path": "run.gif", "frames": slice(9, 12)}, "there are none"),
        ({"path": "run.gif", "along": "steps"}, "along='slices'"),
    ):
        with pytest.raises(DicomLabError, match=message):
            browser.save_run(**{**wanted, "path": tmp_path / str(wanted["path"])})
    browser._turn = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]
    with pytest.raises(DicomLabError, match="reslice"):
        browser.save_run(tmp_path / "run.gif")
    assert not list(tmp_path.iterdir()), "nothing half done stays"
    browser.close()


def test_an_mp4_without_the_package_says_which_line_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    browser = dl.browse(volume())
    with pytest.raises(MissingDependencyError, match=r"pip install 'dicomlab\[video\]'"):
        browser.save_run(tmp_path / "run.mp4")
    assert not list(tmp_path.iterdir())
    browser.close()


def test_an_mp4_holds_the_frames_at_their_rate(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    browser = dl.browse(perfusion(), window=Window(15, 30, "LINEAR_EXACT"))
    path = browser.save_run(tmp_path / "run.mp4", fps=12.5, width=101, height=75, letters=False)
    with av.open(str(path)) as film:
        stream = film.streams.video[0]
        assert float(stream.average_rate) == 12.5
        shown = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    assert [one.shape for one in shown] == [(74, 100, 3)] * 4
    for level, one in zip((0, 85, 170, 255), shown, strict=True):
        assert abs(int(one[37, 50, 0]) - level) <= 4
    browser.close()


# ---- pages of 8 bits -------------------------------------------------------------------------------------------------


def on_page(text: str, name: str) -> np.ndarray:
    """The values of a slice as a reader of the page gets them, by the page's own description."""
    scales = json.loads(re.search(r'id="state">(.*?)</script>', text).group(1))["scales"]  # type: ignore[union-attr]
    packed = re.search(rf'id="s{name}">([^<]*)<', text).group(1)  # type: ignore[union-attr]
    codes = np.frombuffer(zlib.decompress(base64.b64decode(packed)), np.uint8).astype(float)
    assert scales[name]["bytes"] == 1
    values = codes * scales[name]["slope"] + scales[name]["intercept"]
    return np.where(codes == 255, np.nan, values).reshape(SHAPE[1:])


def test_a_quantised_page_keeps_the_window_to_half_a_step_and_says_so() -> None:
    data = volume().astype("float32")
    data[2, 3, 4] = np.nan
    browser = dl.browse(data, window=(100, 254))
    text = browser.to_html(quantise=True).text
    for index in (0, 2, 5):
        shown = on_page(text, f"0-0-{index}")
        expected = np.clip(data[index].values, -27, 227)
        np.testing.assert_allclose(shown, expected, atol=0.5 + 1e-9)
        np.testing.assert_array_equal(np.isnan(shown), np.isnan(data[index].values))
    assert "rounded to 8 bits, and those beyond -27 to 227 HU are cut off" in text
    assert "rounded to 8 bits" not in browser.to_html().text
    browser.close()


def test_a_mask_stays_itself_on_a_quantised_page() -> None:
    mask = volume() > 100
    browser = dl.browse(mask)
    text = browser.to_html(quantise=True).text
    np.testing.assert_array_equal(on_page(text, "0-0-3"), mask[3].values)
    browser.close()


def test_masks_over_a_quantised_page_stay_what_they_are() -> None:
    browser = dl.browse(volume(), masks=volume() > 100)
    text = browser.to_html(quantise=True).text
    scale = json.loads(re.search(r'id="state">(.*?)</script>', text).group(1))["scales"]["1-0-3"]  # type: ignore[union-attr]
    assert (scale["kind"], scale["slope"], scale["exact"]) == ("i2", 1.0, True)
    browser.close()


def test_a_page_that_is_too_large_names_quantise_as_a_way() -> None:
    noise = np.random.default_rng(0).integers(-1000, 1000, (8, 100, 100)).astype("int16")
    browser = dl.browse(dl.make_volume(noise, affine=np.eye(4)))
    with pytest.raises(DicomLabError, match=r"quantise=True"):
        browser.to_html(max_bytes=150_000)
    with pytest.raises(DicomLabError) as found:
        browser.to_html(max_bytes=100_000, quantise=True)
    assert "quantise=True" not in str(found.value)
    browser.close()


# ---- links -----------------------------------------------------------------------------------------------------------


def test_linked_browsers_meet_at_the_place_in_the_patient_and_not_at_the_index() -> None:
    a, b, c = dl.browse(volume(100)), dl.browse(volume(104)), dl.browse(volume(100, frame="1.2.3"))
    linked = dl.link(a, b)
    a.index = 4  # z = 108
    assert (b.index, b.position) == (2, a.position)
    b.index = 3  # z = 110
    assert (a.index, a.position) == (5, b.position)
    a.zoom, a.pan = 2.5, [1.0, 0.0, 3.0]
    assert (b.zoom, b.pan) == (2.5, [1.0, 0.0, 3.0])
    a.window = (40, 400)
    assert b.window != a.window, "windows go together only when asked"
    assert c.index == 3
    linked.unlink()
    a.index = 0
    assert (b.index, a._links, b._links) == (3, [], [])
    for one in (a, b, c):
        one.close()


def test_a_browser_whose_volume_ends_waits_at_its_end_and_pulls_nobody_back() -> None:
    a, b = dl.browse(volume(100, shape=(30, 20, 30))), dl.browse(volume(100))
    linked = dl.link(a, b)
    a.index = 20  # z = 140; b ends at 110
    assert b.index == 5
    assert a.index == 20
    b.set_state({"position": list(b.position)})  # as the page confirms it
    assert a.index == 20
    b.index = 2
    assert a.index == 2
    linked.unlink()
    a.close()
    b.close()


def test_windows_and_steps_are_linked_when_asked() -> None:
    a, b = dl.browse(perfusion()), dl.browse(perfusion()[:3])
    linked = dl.link(a, b, position=False, zoom=False, window=True)
    a.window, a.invert = (7, 70), True
    assert (b.window, b.invert) == (a.window, True)
    a.steps = {"time": 3}
    assert b.steps == {"time": 2}, "the last there is"
    a.index = 0
    assert b.index == 3
    assert "step, window" in repr(linked)
    linked.unlink()
    a.close()
    b.close()


def test_what_cannot_be_linked_is_refused_and_stays_unlinked() -> None:
    a, b = dl.browse(volume()), dl.browse(volume(frame="1.2.4"))
    with pytest.raises(DicomLabError, match="frame of reference"):
        dl.link(a, b)
    with pytest.raises(DicomLabError, match="two or more"):
        dl.link(a, a)
    with pytest.raises(DicomLabError, match="nothing"):
        dl.link(a, dl.browse(volume()), position=False, zoom=False, step=False)
    a.index = 1
    assert (a._links, b.index) == ([], 3)
    a.close()
    b.close()
    with pytest.raises(DicomLabError, match="closed"):
        dl.link(a, dl.browse(volume()))


# ---- the map of keys -------------------------------------------------------------------------------------------------


def test_keys_and_gestures_can_be_bound_when_made_and_later() -> None:
    browser = dl.browse(volume(), keymap={"c": "crosshair", "x": None, "Wheel": "zoom"})
    assert browser.keymap == {"c": "crosshair", "x": "", "Wheel": "zoom"}
    browser.keymap = {"Ctrl+k": "invert", "Shift+ArrowUp": "preset3", " ": "pan"}
    assert browser.keymap["Ctrl+k"] == "invert"
    browser.close()


@pytest.mark.parametrize(
    ("keymap", "message"),
    [
        ({"C": "cine"}, "letters small"),
        ({"Leftdrag": "pan"}, "Gestures are LeftDrag"),
        ({"x": "explode"}, "invert"),
        ({"Wheel": "invert"}, "scroll, step, zoom"),
    ],
)
def test_what_cannot_be_bound_is_refused_with_what_can(keymap: dict[str, str], message: str) -> None:
    with pytest.raises(DicomLabError, match=message):
        dl.browse(volume(), keymap=keymap)


def test_python_and_the_page_know_the_same_gestures_actions_and_tools() -> None:
    folder = Path(dl.__file__).parent / "view" / "js"
    if not folder.exists():
        pytest.skip("an installed package has no sources of the page")
    text = (folder / "keymap.js").read_text(encoding="utf-8")
    declared = re.search(r"@typedef \{(\"next\".*?)\} KeyAction", text, re.DOTALL).group(1)  # type: ignore[union-attr]
    assert set(re.findall(r'"(\w+)"', declared)) == {one for one in ACTIONS if not one.startswith("preset")}
    gestures = re.search(r"GESTURES = \{(.*?)\};", text, re.DOTALL).group(1)  # type: ignore[union-attr]
    assert re.findall(r'^  "?([\w+]+)"?:', gestures, re.MULTILINE) == list(GESTURES)
    tools = (folder / "tools.js").read_text(encoding="utf-8")
    known = re.findall(r"^  (\w+): \{$", tools[tools.index("TOOLS = {") :], re.MULTILINE)
    drawing = re.findall(
        r"^  (\w+): drawing\(", (folder / "roitools.js").read_text(encoding="utf-8"), re.MULTILINE
    )
    painting = re.findall(
        r"^  (\w+): (?:stroke\(|\{)", (folder / "painttools.js").read_text(encoding="utf-8"), re.MULTILINE
    )
    assert set(TOOLS) == {*known, *drawing, *painting} - {"turn", "curtain"}, (
        "lines in the picture offer these two themselves"
    )
