"""The viewer in a page of its own: what is written, what is legible, and what the hand can do to its frame."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
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
Open = Callable[[xr.DataArray], Notebook]


def volume(**attrs: Any) -> xr.DataArray:
    """A CT of 12 x 60 x 80 voxels of 3 x 2 x 2 mm around the origin; a bright block fills its middle."""
    values = np.full((12, 60, 80), -1000, np.int16)
    values[:, 10:50, 10:70] = 1000
    affine = np.array([[0, 0, 2.0, -79], [0, 2.0, 0, -59], [3.0, 0, 0, -16.5], [0, 0, 0, 1]])
    attrs = {"Modality": "CT", "WindowCenter": [50.0], "WindowWidth": [400.0], **attrs}
    return dl.make_volume(values, affine=affine, units="HU", attrs=attrs)


@pytest.fixture
def alone(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Show a volume in a page without a kernel, as a colleague would open it."""
    with pages(chromium, tmp_path) as show:
        yield lambda one: show(dl.browse(one, height=300), width=600, height=500)


def test_the_grip_makes_the_picture_higher_and_lower_and_leaves_the_window_alone(alone: Open) -> None:
    book = alone(volume())
    before = book.ask("viewer.state")
    box = book.page.locator(".dl-grip").bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    # The last pull goes beyond the lowest height.
    for by, height in ((80, 380), (-130, 250), (-400, 120)):
        book.page.mouse.move(x, y)
        book.page.mouse.down()
        book.page.mouse.move(x, y + by / 2)
        book.page.mouse.move(x, y + by)
        book.page.mouse.up()
        book.wait("viewer.stage.size.height === argument && viewer.chrome.canvas.height === argument", height)
        y += by
    book.page.mouse.dblclick(x, box["y"] - 180 + box["height"] / 2)
    assert book.ask("viewer.state") == before


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("level", [-3000, 3000])
def test_letters_and_corners_are_legible_on_black_and_on_white(alone: Open, invert: bool, level: int) -> None:
    book = alone(volume())
    book.ask("(viewer.setWindow(argument[0], 100), argument[1] && viewer.act('invert'), 0)", [level, invert])
    book.ask("(viewer.zoomAbout(viewer.stage.panes[0], 300, 150, 4), 0)")
    book.wait("viewer.frame === 0")
    shot = np.asarray(Image.open(io.BytesIO(book.page.screenshot())).convert("L"))
    boxes = book.page.locator(".dl-letter, .dl-text").evaluate_all(
        "(all) => all.map((one) => [one.textContent, ...Object.values(one.getBoundingClientRect().toJSON()).slice(0, 4)])"
    )
    assert {"R", "A", "slice 7/12"} <= {text for text, *_ in boxes}
    for text, x, y, width, height in boxes:
        light = shot[int(y) : int(y + height) + 1, int(x) : int(x + width) + 1]
        assert light.max() > 150, text
        assert light.min() < 90, text


def test_a_mask_has_hard_edges_and_nothing_of_its_image(alone: Open) -> None:
    ct = volume()
    book = alone(ct.copy(data=ct.values > 0))
    options = book.page.get_by_label("Window preset").locator("option")
    assert options.all_text_contents()[1:] == ["auto  W 1 L 0.5  [1]"]
    # Three and a bit pixels a voxel: with smoothing there would be greys between black and white.
    book.ask("(viewer.zoomAbout(viewer.stage.panes[0], 300, 150, 1.37), 0)")
    book.wait("viewer.frame === 0")
    greys = book.ask(
        "(() => { const { canvas } = viewer.stage; const { data } = canvas.getContext('2d')"
        ".getImageData(0, 0, canvas.width, canvas.height);"
        " return [...new Set(data.filter((_, i) => i % 4 === 0))]; })()"
    )
    assert sorted(greys) == [0, 255]
    book.page.mouse.move(300, 180)
    probe = book.ask("viewer.chrome.probe.textContent")
    assert probe.startswith("1   voxel"), probe
    assert "HU" not in book.page.locator(".dl-browser").inner_text()


def test_findings_wear_a_badge_that_opens_them_as_text(alone: Open) -> None:
    findings = "missing_slice: <b id=harm>12 mm</b>\nuneven_spacing: 2 to 4 mm"
    book = alone(volume(findings=findings))
    badge = book.page.get_by_role("button", name="2 findings")
    assert badge.inner_text() == "⚠ 2"
    assert badge.get_attribute("title") == findings
    panel = book.page.locator(".dl-findings")
    assert not panel.is_visible()
    badge.click()
    assert panel.inner_text().split("\n") == findings.split("\n")
    assert book.page.locator("#harm").count() == 0
    window = book.ask("viewer.look.window")
    book.page.keyboard.press("?")
    assert not panel.is_visible(), "one panel at a time"
    badge.click()
    book.page.keyboard.press("Escape")
    assert not panel.is_visible()
    assert book.ask("viewer.look.window") == window


def test_no_button_of_the_toolbar_stands_alone_and_the_window_has_room_for_its_name(alone: Open) -> None:
    book = alone(volume(findings="one_image: there is one\ntwo: more"))
    for width in range(840, 1261, 20):
        book.page.set_viewport_size({"width": width, "height": 800})
        rows = (
            book.page.locator(".dl-bar")
            .first.locator("button:visible, select:visible")
            .evaluate_all(
                "(all) => all.map((one) => [Math.round(one.getBoundingClientRect().y / 12), one.textContent.trim()])"
            )
        )
        last = [text for y, text in rows if y == rows[-1][0]]
        assert len(last) > 3, (width, last)
        wide = book.page.get_by_label("Window preset").evaluate("(one) => one.offsetWidth")
        assert wide >= 168, width


def test_a_volume_without_findings_wears_no_badge(alone: Open) -> None:
    assert not alone(volume()).page.locator(".dl-badge").is_visible()


def test_escape_does_what_the_help_says(alone: Open) -> None:
    book = alone(volume())
    book.ask(
        "(viewer.setPlane('coronal'), viewer.goToIndex('coronal', 7), viewer.setWindow(9, 99), viewer.stage.panes[0])"
    )
    book.ask("(viewer.zoomAbout(viewer.stage.panes[0], 90, 90, 2), viewer.setSlab('mip 10'), 0)")
    book.ask("(viewer.turnAbout([0, 0, 1], 0.1), 0)")
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("x")
    book.page.keyboard.press("?")
    assert "else first window, no zoom, shift, tilt or inversion (slice and plane stay)" in (
        book.page.locator(".dl-help").inner_text()
    )
    changed = book.ask("viewer.state")
    book.page.keyboard.press("Escape")
    assert book.ask("viewer.state") == changed
    book.page.keyboard.press("Escape")
    state = book.ask("viewer.state")
    scene, (look,) = state["scene"], state["looks"]
    assert look["window"] == {"center": 50, "width": 400, "function": "LINEAR"}
    assert (scene["zoom"], scene["pan"], look["invert"], scene["slab"]) == (1, [0, 0, 0], False, None)
    assert scene["turn"] == [1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (scene["plane"], book.ask("viewer.index")) == ("coronal", 7)


def test_windows_and_planes_are_named_as_in_the_figures(alone: Open) -> None:
    book = alone(volume(WindowCenterWidthExplanation="BONE"))
    options = book.page.locator("option").all_text_contents()
    assert {"BONE (file)  W 400 L 50", "bone  W 2500 L 480  [3]"} <= set(options)
    planes = book.page.get_by_role("group", name="Plane").get_by_role("button")
    assert planes.all_text_contents() == ["axial", "sagittal", "coronal"]
    book.ask("(viewer.setWindow(-7, 321), viewer.setPlane('sagittal'), viewer.goToIndex('sagittal', 3), 0)")
    book.shown(3)
    select = book.page.get_by_label("Window preset")
    assert select.evaluate("(one) => one.selectedOptions[0].textContent") == "W 321 L -7  (by hand)"
    # Column 3 is at x = -79 + 3 * 2 mm: on the right side of the patient.
    book.wait("viewer.frame === 0")
    assert "73.0 mm R" in book.texts()


@pytest.mark.parametrize(("size", "width"), [(300, 600), (301, 600), (300, 601), (150, 601), (75, 600)])
def test_the_probe_speaks_of_the_very_pixel_under_the_pointer(alone: Open, size: int, width: int) -> None:
    # Voxels of one, two and four pixels, in the middle of a stage with and without half a pixel to spare.
    values = np.random.default_rng(size).integers(0, 256, (1, size, size)).astype(np.uint8)
    affine = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    window = {
        "WindowCenter": [127.5],
        "WindowWidth": [255.0],
        "VOILUTFunction": "LINEAR_EXACT",
    }  # grey = value
    book = alone(dl.make_volume(values, affine=affine, attrs=window))
    book.page.set_viewport_size({"width": width, "height": 500})
    book.page.wait_for_timeout(100)
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    book.ask(
        """(() => {
            const [pane] = viewer.stage.panes;
            const px = 1 / pane.plane.pixel;
            viewer.changeScene({ interpolation: 'nearest' });
            viewer.zoomAbout(pane, 300, 150, Math.max(1, Math.round(px)) / px);
        })()"""
    )
    book.wait("root.dataset.complete === 'true' && viewer.frame === 0")
    for x, y in ((180, 30), (211, 77), (262, 101), (333, 150), (400, 271)):
        book.page.mouse.move(box["x"] + x, box["y"] + y)
        probe = book.ask("viewer.chrome.probe.textContent")
        seen = book.ask(
            "viewer.stage.canvas.getContext('2d').getImageData(argument[0], argument[1], 1, 1).data[0]",
            [x, y],
        )
        assert probe.split()[0] == str(seen), (x, y, probe)


def test_fine_wheels_make_one_slice_of_a_notch(alone: Open) -> None:
    book = alone(volume())
    start = book.ask("viewer.index")
    turn = """for (let i = 0; i < argument; i++) viewer.chrome.stage.dispatchEvent(
        new WheelEvent("wheel", { deltaY: 12.5, bubbles: true, cancelable: true }))"""
    for count, slices in ((7, 0), (1, 1), (16, 3)):
        book.ask(f"(() => {{ {turn} }})()", count)
        assert book.ask("viewer.index") == start + slices
