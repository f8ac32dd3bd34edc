"""Cine, the map of keys, fingers, full screen and the saved picture, in a page without a kernel."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from PIL import Image
from playwright.sync_api import Browser

import dicomlab as dl

from .alone import pages
from .jupyter import Notebook

pytestmark = pytest.mark.browser
Open = Callable[..., Notebook]


def volume() -> xr.DataArray:
    """Ten slices of 60 x 80 voxels; slice k is 20 k bright."""
    values = np.repeat(20 * np.arange(10, dtype=np.int16), 60 * 80).reshape(10, 60, 80)
    affine = np.array([[0, 0, 2.0, -79], [0, 2.0, 0, -59], [3.0, 0, 0, -16.5], [0, 0, 0, 1]])
    return dl.make_volume(values, affine=affine, units="HU", attrs={"Modality": "CT"})


@pytest.fixture
def alone(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Show the volume in a page without a kernel, on a screen that can be touched, with the focus."""
    with pages(chromium, tmp_path) as show:

        def focused(**keywords: Any) -> Notebook:
            browser = dl.browse(volume(), height=300, window=(128, 256), **keywords)
            book = show(browser, width=700, height=520, has_touch=True, accept_downloads=True)
            book.page.locator(".dl-browser").focus()
            return book

        yield focused


SEEN = """new Promise((done) => { const seen = [root.dataset.drawn]; const end = performance.now() + 1500;
    const look = () => { if (root.dataset.drawn !== seen.at(-1)) seen.push(root.dataset.drawn);
        if (performance.now() < end) requestAnimationFrame(look); else done(seen.map(Number)); }; look(); })"""


def test_a_cine_shows_every_slice_in_turn_at_its_rate_and_c_stops_it(alone: Open) -> None:
    book = alone()
    assert not book.page.locator(".dl-reel").is_visible()
    book.page.keyboard.press("c")
    seen = book.ask(SEEN)
    assert {(b - a) % 10 for a, b in pairwise(seen)} == {1}
    assert 12 <= len(seen) <= 17  # ten a second, for one and a half
    assert book.page.get_by_role("slider", name="Frames a second").get_attribute("aria-valuetext") == "10 fps"
    book.page.keyboard.press("c")
    stopped = book.ask("viewer.index")
    book.page.wait_for_timeout(300)
    assert book.ask("viewer.index") == stopped


def test_a_cine_rests_while_nobody_sees_it(alone: Open) -> None:
    book = alone()
    book.ask("(viewer.chrome.root.style.display = 'none', 0)")
    book.wait("!viewer.visible")
    book.ask("(viewer.act('cine'), 0)")
    before = book.ask("viewer.index")
    book.page.wait_for_timeout(400)
    assert book.ask("viewer.index") == before
    book.ask("(viewer.chrome.root.style.display = '', 0)")
    book.wait("viewer.index !== argument", before)


def test_the_saved_picture_is_the_canvas_with_letters_or_without(alone: Open) -> None:
    book = alone()
    pictures = []
    for key in ("s", "i"):
        if key == "i":
            book.page.keyboard.press("i")
            book.wait("viewer.frame === 0")
        with book.page.expect_download() as download:
            book.page.keyboard.press("s")
        assert download.value.suggested_filename == "axial-6.png"
        path = download.value.path()
        pictures.append(np.asarray(Image.open(io.BytesIO(path.read_bytes())).convert("RGB")))
    letters, plain = pictures
    canvas = book.ask(
        "(() => { const { canvas } = viewer.stage; return [canvas.width, canvas.height,"
        " [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]]; })()"
    )
    expected = np.array(canvas[2], np.uint8).reshape(canvas[1], canvas[0], 4)[..., :3]
    np.testing.assert_array_equal(plain, expected)
    assert (letters[140:160, :25] != plain[140:160, :25]).any(), "R at the left edge"
    np.testing.assert_array_equal(letters[60:130, 150:550], plain[60:130, 150:550])


def test_bound_keys_and_gestures_do_what_they_were_bound_to_and_the_help_says_so(alone: Open) -> None:
    book = alone(keymap={"x": None, "k": "invert", "Wheel": "zoom", "LeftDrag": "pan"})
    book.page.keyboard.press("x")
    assert book.ask("viewer.look.invert") is False
    book.page.keyboard.press("k")
    assert book.ask("viewer.look.invert") is True
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    x, y = box["x"] + 300, box["y"] + 100
    book.page.mouse.move(x, y)
    before = book.ask("[viewer.index, viewer.look.window.width]")
    book.page.mouse.wheel(0, -100)
    book.wait("viewer.state.scene.zoom > 1.1")
    book.page.mouse.down()
    book.page.mouse.move(x + 20, y)
    book.page.mouse.move(x + 40, y)
    book.page.mouse.up()
    assert book.ask("[viewer.index, viewer.look.window.width]") == before
    assert book.ask("viewer.state.scene.pan[0]") > 5
    book.page.keyboard.press("?")
    rows = book.page.locator(".dl-map-part > div").all_inner_texts()
    said = dict(zip(rows[::2], rows[1::2], strict=True))
    assert (said["K"], said["Left drag"], said["Wheel"]) == (
        "invert",
        "move the picture",
        "zoom about the pointer",
    )
    assert "X" not in said


def test_one_finger_is_the_tool_and_two_zoom_and_move(alone: Open) -> None:
    book = alone()
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    x, y = box["x"] + 250, box["y"] + 150
    line = book.page.context.new_cdp_session(book.page)

    def touch(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": a, "y": b, "id": n} for n, (a, b) in enumerate(places)]
        line.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x, y))
    touch("touchMove", (x + 20, y))
    touch("touchMove", (x + 60, y))
    touch("touchEnd")
    width = book.ask("viewer.look.window.width")
    assert width > 300
    touch("touchStart", (x, y))
    touch("touchStart", (x, y), (x + 100, y))
    touch("touchMove", (x - 50, y), (x + 150, y))
    touch("touchMove", (x - 50, y + 40), (x + 150, y + 40))
    touch("touchEnd")
    scene = book.ask("viewer.state.scene")
    assert abs(scene["zoom"] - 2) < 0.05
    assert scene["pan"][1] > 5
    assert book.ask("viewer.look.window.width") == width


def test_full_screen_gives_the_picture_all_there_is(alone: Open) -> None:
    book = alone()
    book.page.keyboard.press("f")
    book.wait("document.fullscreenElement === root && viewer.stage.size.height > 380")
    book.page.keyboard.press("f")
    book.wait("!document.fullscreenElement && viewer.stage.size.height === 300")


def test_every_control_has_a_name_and_is_reached_by_the_tabulator(alone: Open) -> None:
    book = alone()
    book.page.keyboard.press("c")
    book.page.keyboard.press("c")
    controls = "[...root.querySelectorAll('button:enabled, select, input:enabled, .dl-grip')]"
    nameless = book.ask(
        "[...root.querySelectorAll('button, select, input, [tabindex]')].filter((one) => one.checkVisibility()"
        " && !(one.getAttribute('aria-label') || one.textContent.trim() || one.title)).map((one) => one.outerHTML)"
    )
    assert nameless == []
    wanted = book.ask(f"{controls}.filter((one) => one.checkVisibility()).length")
    reached = set()
    for _ in range(wanted + 5):
        book.page.keyboard.press("Tab")
        reached.add(book.ask(f"{controls}.indexOf(document.activeElement)"))
    assert len(reached - {-1}) == wanted
    book.page.locator(".dl-grip").focus()
    book.page.keyboard.press("ArrowDown")
    book.wait("viewer.stage.size.height === 332")
