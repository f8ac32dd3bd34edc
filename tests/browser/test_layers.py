"""Several volumes and masks in a real page: equal to Python's picture, and what hands can do to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from playwright.sync_api import Browser, expect

import dicomlab as dl

from .alone import pages
from .jupyter import Notebook

pytestmark = pytest.mark.browser
FRAME = "1.2.826.0.1.3680043.8.498.1"


def volume(shape: tuple[int, int, int], step: tuple[float, float, float], **attrs: Any) -> xr.DataArray:
    """A bright ball in noise around the origin, in slices that lie axially."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2], affine[3, 3] = *step, 1
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) - 1) / 2
    z, y, x = ((np.arange(n) - (n - 1) / 2) * mm for n, mm in zip(shape, step, strict=True))
    far = np.sqrt(z[:, None, None] ** 2 + y[:, None] ** 2 + x**2)
    noise = np.random.default_rng(len(attrs)).normal(0, 20, shape)
    values = np.where(far < 30, 100.0, -200.0) + noise
    return dl.make_volume(np.rint(values).astype(np.int16), affine=affine, attrs=attrs).dicom.assume_frame(
        FRAME
    )


def ct() -> xr.DataArray:
    return volume((20, 64, 72), (4.0, 1.5, 1.5), Modality="CT", units="HU", SeriesDescription="anatomy")


def pet() -> xr.DataArray:
    attrs = {"Modality": "PT", "units": "Bq/ml", "SeriesDescription": "uptake"}
    return volume((11, 30, 31), (6.5, 3.3, 3.3), **attrs)


@pytest.fixture
def alone(chromium: Browser, tmp_path: Path) -> Iterator[Callable[[dl.SliceBrowser], Notebook]]:
    """Show a browser in a page without a kernel."""
    with pages(chromium, tmp_path) as show:
        yield partial(show, width=900, height=640)


@pytest.mark.parametrize("layout", ["single", "planes", "montage"])
@pytest.mark.parametrize("mode", ["side", "fusion", "curtain", "checkerboard", "difference"])
def test_every_pixel_of_two_volumes_and_masks_equals_the_picture_of_python(
    alone: Callable[[dl.SliceBrowser], Notebook], mode: Any, layout: Any
) -> None:
    second = (
        pet()
        if mode != "difference"
        else ct().isel(column=slice(9, None), slice=slice(2, None)) * np.int16(2)
    )
    masks = {"warm": pet() > 60, "lumps": (ct() > 90) * np.uint8(3)}
    browser = dl.compare(ct(), second, mode=mode, layout=layout, masks=masks, height=320)
    browser.tiles, browser.stride = [2, 2], 3
    browser.labels["warm"].opacity = 0.7
    if layout == "planes":
        turned = np.array([[1, 0, 0], [0, np.cos(0.4), -np.sin(0.4)], [0, np.sin(0.4), np.cos(0.4)]])
        browser._turn = turned.ravel().tolist()
    book = alone(browser)
    seen = book.canvas()
    assert len(np.unique(seen.reshape(-1, 3), axis=0)) > 100
    assert np.array_equal(seen, browser.picture(*seen.shape[1::-1]))


def test_the_curtain_is_drawn_with_the_mouse_and_the_window_stays(
    alone: Callable[[dl.SliceBrowser], Notebook],
) -> None:
    book = alone(dl.compare(ct(), pet(), mode="curtain", height=320))
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    looks = book.ask("viewer.state.looks")
    y = box["y"] + 200
    book.page.mouse.move(box["x"] + box["width"] / 2, y)
    book.page.mouse.down()
    book.page.mouse.move(box["x"] + box["width"] / 3, y)
    book.page.mouse.move(box["x"] + box["width"] / 4, y)
    book.page.mouse.up()
    assert book.ask("viewer.state.split") == pytest.approx(0.25, abs=0.003)
    assert book.ask("viewer.state.looks") == looks


def test_side_by_side_the_hand_windows_the_picture_under_it(
    alone: Callable[[dl.SliceBrowser], Notebook],
) -> None:
    book = alone(dl.compare(ct(), pet(), mode="side", height=320))
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    before = book.ask("viewer.state.looks")
    for share, moved in ((0.75, 1), (0.25, 0)):
        x, y = box["x"] + share * box["width"], box["y"] + 60
        book.page.mouse.move(x, y)
        book.page.mouse.down()
        book.page.mouse.move(x + 30, y, steps=3)
        book.page.mouse.up()
        after = book.ask("viewer.state.looks")
        assert after[moved]["window"]["width"] > before[moved]["window"]["width"]
        assert after[1 - moved] == before[1 - moved]
        assert book.ask("viewer.chosen") == moved
        before = after


def test_the_panel_sets_window_mode_and_opacity_of_the_volume_in_hand(
    alone: Callable[[dl.SliceBrowser], Notebook],
) -> None:
    book = alone(dl.compare(ct(), pet(), height=320))
    panel = book.page.get_by_role("region", name="Volumes, labels, measurements and window")
    expect(panel.get_by_role("button", name="CT anatomy", exact=True)).to_have_attribute(
        "aria-pressed", "true"
    )
    panel.get_by_role("button", name="PT uptake", exact=True).click()
    first = book.ask("viewer.state.looks[0]")
    upper = panel.get_by_role("slider", name="Upper edge of the window")
    low = float(
        panel.get_by_role("slider", name="Lower edge of the window").get_attribute("aria-valuenow") or ""
    )
    high = float(upper.get_attribute("aria-valuenow") or "")
    box = upper.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + 30
    book.page.mouse.move(x, y)
    book.page.mouse.down()
    book.page.mouse.move(x - 60, y)
    book.page.mouse.up()
    book.wait("viewer.frame === 0")
    window = book.ask("viewer.state.looks[1].window")
    wide = book.ask("viewer.dock.histogram.box.clientWidth")
    span = book.ask("viewer.dock.histogram.range[1] - viewer.dock.histogram.range[0]")
    assert window["center"] - window["width"] / 2 == pytest.approx(low, abs=2), "the lower edge stays"
    assert window["width"] == pytest.approx(high - low - 60 * span / wide, abs=3)
    panel.get_by_label("Function of the window").select_option("SIGMOID")
    assert book.ask("viewer.state.looks[1].window.function") == "SIGMOID"
    panel.get_by_label("How volumes meet").select_option("fusion")
    panel.get_by_role("slider", name="Opacity of PT uptake").fill("30")
    look = book.ask("viewer.state.looks[1]")
    assert (look["cmap"], look["fade"], look["opacity"]) == ("hot", True, 0.3)
    assert book.ask("viewer.state.looks[0]") == first
    expect(book.page.locator(".dl-colour-unit")).to_have_text("Bq/ml")
    assert panel.locator("option[value=difference]").is_disabled(), "HU and Bq/ml have no difference"


def test_the_list_of_labels_hides_colours_and_jumps_and_its_names_are_text(
    alone: Callable[[dl.SliceBrowser], Notebook],
) -> None:
    name = "<img src=x onerror=alert(1)>"
    mask = ct() > 1e6
    mask[17, 10:14, 50:58] = True
    browser = dl.browse(ct(), masks={name: mask, "other": ct() > 90}, height=320)
    book = alone(browser)
    panel = book.page.get_by_role("region", name="Volumes, labels, measurements and window")
    assert panel.locator("img").count() == 0
    panel.get_by_role("button", name=name, exact=True).click()
    book.shown(17)
    assert panel.get_by_text("0.29 ml").count() == 1  # 4 x 8 voxels of 9 mm3
    # The label's own pixel is under the pointer after the jump.
    x, y = book.ask("viewer.stage.pxOf(viewer.stage.panes[0], viewer.state.scene.position)")
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    book.page.mouse.move(box["x"] + x, box["y"] + y)
    assert name in book.ask("viewer.chrome.probe.textContent")
    panel.get_by_role("button", name="Show other", exact=True).click()
    assert [[one["visible"] for one in looks] for looks in book.ask("viewer.state.labels")] == [
        [True],
        [False],
    ]
    panel.get_by_label(f"Colour of {name}").fill("#010203")
    assert book.ask("viewer.state.labels[0][0].colour") == [1, 2, 3]


def test_a_finding_leads_to_its_slices(alone: Callable[[dl.SliceBrowser], Notebook]) -> None:
    gappy = ct().isel(slice=[0, 1, 2, 3, 7, 8, 9])
    gappy.attrs["findings"] = "missing_slice: three of them"
    book = alone(dl.browse(gappy, height=320))
    book.page.get_by_role("button", name="1 findings").click()
    book.page.get_by_role("button", name="Go to slice 5").click()
    book.shown(4)
    assert not book.page.locator(".dl-findings").is_visible()


CELL = """
from dicomlab import compare
a, c = volume(), volume(slices=[-50, -40, -20, 0, 3], shape=(5, 96, 128))
b = compare(a, c, mode="fusion", masks={"dense": a > 500}, height=420)
b
"""


def test_python_and_page_hear_of_each_other(open_notebook: Callable[..., Notebook]) -> None:
    book = open_notebook("layers", CELL)
    book.shown()
    key = book.ask("viewer.meta.sources[0].key")
    count = book.ask("viewer.transport.cache.count(viewer.meta.sources[0].key, 0)")
    book.run("b.layers[1].cmap = 'magma'; b.layers[1].opacity = 0.25; b.labels['dense'].visible = False")
    book.wait("viewer.state.looks[1].cmap === 'magma' && viewer.state.looks[1].opacity === 0.25")
    book.wait("viewer.state.labels[0][0].visible === false")
    assert book.ask("viewer.meta.palettes.magma.length") == 1024
    assert book.ask("viewer.meta.sources[0].key") == key
    assert book.ask("viewer.transport.cache.count(viewer.meta.sources[0].key, 0)") >= count, "slices stay"
    panel = book.page.get_by_role("region", name="Volumes, labels, measurements and window")
    panel.get_by_role("slider", name="Opacity of dense").or_(
        panel.get_by_role("slider", name="Opacity of all labels")
    ).first.fill("80")
    book.synced("b.labels[0].opacity", 0.8)
    panel.get_by_label("How volumes meet").select_option("difference")
    book.synced("b.mode", "difference")
    book.shown()
    width, height = book.ask("[viewer.stage.canvas.width, viewer.stage.canvas.height]")
    same = book.run(
        f"import hashlib; print(hashlib.sha256(b.picture({width}, {height}).tobytes()).hexdigest())"
    )
    import hashlib

    assert hashlib.sha256(np.ascontiguousarray(book.canvas()).tobytes()).hexdigest() == same
    assert book.errors == []
