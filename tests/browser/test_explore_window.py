"""The window explorer in Chromium: its pixels are Python's, handles and keys move the window, nothing breaks."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab.teach import explore_window
from dicomlab.view.shade import grey
from dicomlab.voi import VoiLut, Window

from .explored import Explored, Open, explored

pytestmark = pytest.mark.browser

CANVAS = ".dl-picture canvas"


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    with explored(chromium, tmp_path) as opened:
        yield opened


def volume(**attrs: Any) -> Any:
    values = np.random.default_rng(3).integers(-1024, 3072, (3, 40, 50)).astype(np.int16)
    affine = np.array([[0, 0, 2.0, -79], [0, 2.0, 0, -59], [5.0, 0, 0, 10], [0, 0, 0, 1]])
    attrs = {"Modality": "CT", "WindowCenter": [50.0], "WindowWidth": [400.0], **attrs}
    attrs.setdefault("value_transform", "stored × 1 - 1024: Rescale")
    return dl.make_volume(values, affine=affine, units="HU", attrs=attrs)


def alike(page: Explored, values: np.ndarray, window: Any, invert: bool = False, number: int = 0) -> None:
    seen = page.pixels(CANVAS, number)
    expected = grey(values, window, invert)
    for channel in range(3):
        np.testing.assert_array_equal(seen[..., channel], expected)


@pytest.mark.parametrize("function", ["LINEAR", "LINEAR_EXACT", "SIGMOID"])
def test_every_pixel_is_that_of_apply_window(show: Open, function: Any) -> None:
    explorer = explore_window(volume(), 1)
    explorer.window = Window(40.5, 350, function)
    page = show(explorer)
    alike(page, explorer.values, explorer.window)
    page.page.get_by_role("button", name="MONOCHROME1").click()
    alike(page, explorer.values, explorer.window, invert=True)
    assert page.state()["invert"] is True


def test_a_voi_lut_is_drawn_as_python_draws_it(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    explorer.window = VoiLut(-100, [round(255 * (i / 199) ** 0.45) for i in range(200)], 8)
    alike(show(explorer), explorer.values, explorer.window)


def test_floats_are_those_that_travelled(show: Open) -> None:
    explorer = explore_window(np.random.default_rng(1).random((20, 30)) * 3 - 1)
    page = show(explorer)
    alike(page, explorer.values, explorer.window)


def test_a_handle_is_dragged_and_the_other_end_stays(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    page.drag(page.page.get_by_role("slider", name="Where white begins"), 60, 0)
    state = page.state()
    assert state["width"] > 500
    # Black began at c - 0.5 - (w - 1) / 2 = -150.
    assert abs(state["center"] - 0.5 - (state["width"] - 1) / 2 + 150) <= 0.5
    alike(page, explorer.values, Window(state["center"], state["width"]))


def test_the_centre_is_dragged_and_the_width_stays(show: Open) -> None:
    page = show(explore_window(volume(), 1))
    page.drag(page.page.get_by_role("slider", name="Centre of the window"), -50, 0)
    state = page.state()
    assert state["width"] == 400
    assert state["center"] < -50


def test_keys_move_what_has_the_focus(show: Open) -> None:
    page = show(explore_window(volume(), 1))
    middle = page.page.get_by_role("slider", name="Centre of the window")
    middle.focus()
    page.page.keyboard.press("ArrowRight")
    assert page.state()["center"] == 54  # a hundredth of the width of 400, whole
    page.page.keyboard.press("Shift+ArrowLeft")
    assert page.state()["center"] == 14
    page.page.get_by_role("slider", name="Where black begins").focus()
    page.page.keyboard.press("ArrowLeft")
    assert page.state()["width"] == 404
    ring = page.page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert ring == "solid"


def test_the_picture_is_windowed_by_dragging_and_read_by_keys(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    stage = page.page.locator(".dl-picture").first
    page.drag(stage, 60, 0)
    assert page.state()["width"] > 500
    stage.focus()
    page.page.keyboard.press("ArrowRight")
    row, column = page.state()["pixel"]
    page.page.keyboard.press("ArrowDown")
    assert page.state()["pixel"] == [row + 1, column]
    value = int(explorer.values[row + 1, column])
    way = page.page.locator(".dl-way").inner_text()
    assert f"{value + 1024}" in way
    assert f"{value} HU".replace("-", "−") in way


def test_the_pointer_reads_stored_value_hu_and_grey(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    box = page.page.locator(".dl-picture").first.bounding_box()
    assert box
    page.page.mouse.move(box["x"] + box["width"] * 10.5 / 50, box["y"] + box["height"] * 20.5 / 40)
    assert page.state()["pixel"] == [20, 10]
    value = int(explorer.values[20, 10])
    text = page.page.locator(".dl-way").inner_text()
    assert f"→ {int(grey([value], Window(50, 400))[0])}" in text
    assert page.page.locator(".dl-line.dl-holds").count() == 1


def test_a_preset_and_typed_numbers_are_taken(show: Open) -> None:
    page = show(explore_window(volume(), 1))
    page.page.get_by_role("combobox", name="Window").select_option("lung")
    state = page.state()
    assert (state["center"], state["width"]) == (-600, 1500)
    page.slide("Width", 80)
    page.slide("Centre", 40)
    state = page.state()
    assert (state["center"], state["width"]) == (40, 80)
    assert "0.31" in page.page.locator("[data-told=steps]").inner_text()  # 79 / 255 HU
    page.slide("Width", 0)  # LINEAR allows no less than 1
    assert page.state()["width"] == 1


def test_what_is_lost_is_told_as_python_counts_it(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    loss = explorer.loss
    text = page.page.locator("[data-told=clipped]").inner_text()
    assert f"{100 * loss.black:.1f} %" in text
    assert f"{100 * loss.white:.1f} %" in text
    steps = page.page.locator("[data-told=steps]").inner_text()
    assert loss.blacks > 1
    assert loss.whites > 1
    assert f" {loss.words()}." in steps
    page.page.get_by_role("button", name="MONOCHROME1").click()
    assert f" {loss.words(invert=True)}." in page.page.locator("[data-told=steps]").inner_text()
    page.page.get_by_role("button", name="MONOCHROME1").click()
    assert "air = lung" in page.page.locator("[data-told=tissues]").inner_text()
    page.page.get_by_role("button", name="volume").click()
    assert "voxels" in page.page.locator("[data-told=clipped]").inner_text()


def test_black_and_white_are_marked_in_colour(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    page.page.get_by_role("button", name="mark black and white").click()
    seen = page.pixels(CANVAS)
    shades = grey(explorer.values, explorer.window)
    assert {tuple(x) for x in seen[shades == 0][:, :3]} == {(60, 140, 250)}
    assert {tuple(x) for x in seen[shades == 255][:, :3]} == {(240, 70, 70)}
    between = (shades > 0) & (shades < 255)
    np.testing.assert_array_equal(seen[between][:, 0], shades[between])


def test_three_functions_stand_side_by_side_and_their_difference_is_told(show: Open) -> None:
    explorer = explore_window(volume(), 1)
    page = show(explorer)
    page.page.get_by_role("button", name="three functions").click()
    for number, function in enumerate(("LINEAR", "LINEAR_EXACT", "SIGMOID")):
        alike(page, explorer.values, Window(50, 400, function), number=number)  # type: ignore[arg-type]
    page.page.get_by_role("button", name="difference").click()
    apart = np.abs(
        grey(explorer.values, Window(50, 400, "SIGMOID")).astype(int) - grey(explorer.values, Window(50, 400))
    )
    assert f"at most {apart.max()} of 255" in page.page.locator(".dl-caption").nth(1).inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 1600])
def test_nothing_sticks_out_or_overlaps(show: Open, scheme: str, width: int) -> None:
    page = show(explore_window(), width=width, scheme=scheme)
    shot = np.asarray(
        Image.open(io.BytesIO(page.screenshot(f"explore_window-{scheme}-{width}"))).convert("L")
    )
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (shot.mean() < 100) == (scheme == "dark")
    assert page.overlapping(".dl-body > section") == []


def test_whatever_the_state_holds_is_drawn_as_in_python(show: Open) -> None:
    for patch in (
        {"width": -3, "pixel": [-1, 2.5]},
        {"center": None, "width": "wide", "lut": "1 2 <b>", "view": "?"},
        {"function": "CUBIC", "lut": 7, "pixel": "x", "counted": "volume"},
    ):
        explorer = explore_window(volume(), 1)
        explorer.state = {**explorer.state, **patch}
        alike(show(explorer), explorer.values, explorer.window)


def test_hostile_names_stay_text(show: Open) -> None:
    evil = "<img src=x onerror=alert(1)>"
    one = volume(SeriesDescription=evil, WindowCenterWidthExplanation=evil, value_transform=evil)
    page = show(explore_window(one, 1))
    assert page.page.locator("img").count() == 0
    assert evil in page.page.locator(".dl-seen .dl-head").inner_text()
