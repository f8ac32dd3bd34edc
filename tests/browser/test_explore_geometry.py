"""The geometry explorer in Chromium: sliders change the affine and the picture, keys and drags turn the view."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab import phantom
from dicomlab.teach import GeometryExplorer, explore_geometry

from .explored import Explored, Open, explored

pytestmark = pytest.mark.browser

CANVAS = ".dl-scene canvas"


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    with explored(chromium, tmp_path) as opened:
        yield opened


def table(page: Explored) -> np.ndarray:
    """The affine as it is written; NaN where there is none."""
    texts = page.page.locator(".dl-matrix td").all_inner_texts()
    return np.array(
        [float("nan") if text == "—" else float(text.replace("−", "-")) for text in texts]
    ).reshape(4, 4)


def follow(explorer: GeometryExplorer, page: Explored) -> None:
    """Take over in Python what is set on the page."""
    explorer.state = page.state()


def test_sliders_change_the_affine_as_python_has_it(show: Open) -> None:
    explorer = explore_geometry()
    page = show(explorer)
    np.testing.assert_allclose(table(page), explorer.affine, atol=5e-5)
    before = page.pixels(CANVAS)
    for label, value in (
        ("about x", 20),
        ("about z", -35),
        ("IPP y", -77.5),
        ("between rows", 2.5),
        ("between columns", 3.25),
        ("between slices", 12),
        ("slices", 9),
        ("gantry tilt", 14),
    ):
        page.slide(label, value)
        follow(explorer, page)
        np.testing.assert_allclose(table(page), explorer.affine, atol=5e-5, err_msg=label)
        after = page.pixels(CANVAS)
        assert (before != after).any(), label
        before = after
    slider = page.page.get_by_role("slider", name="about y")
    slider.focus()
    page.page.keyboard.press("ArrowRight")
    follow(explorer, page)
    assert explorer.state["turns"][1] == 1
    np.testing.assert_allclose(table(page), explorer.affine, atol=5e-5)


def test_turning_keeps_the_middle_of_the_stack(show: Open) -> None:
    explorer = explore_geometry()
    middle = explorer.geometry.lps((5.5, 31.5, 36))
    page = show(explorer)
    for name in ("sagittal", "oblique", "prone", "coronal", "feet first"):
        page.page.get_by_role("button", name=name, exact=True).click()
        follow(explorer, page)
        np.testing.assert_allclose(explorer.geometry.lps((5.5, 31.5, 36)), middle, atol=1e-4)
        assert page.page.get_by_role("button", name=name, exact=True).get_attribute("aria-pressed") == "true"


def test_ras_has_the_signs_and_the_order_of_nibabel(show: Open) -> None:
    explorer = explore_geometry()
    page = show(explorer)
    page.page.get_by_role("button", name="oblique", exact=True).click()
    page.page.get_by_role("button", name="RAS", exact=True).click()
    follow(explorer, page)
    np.testing.assert_allclose(table(page), explorer.affine_ras, atol=5e-5)
    assert "nibabel" in page.page.locator(".dl-affine").inner_text()
    read = page.page.locator(".dl-read").inner_text()
    x = explorer.geometry.lps(explorer.state["voxel"])[0]
    assert f"RAS ({-x:.2f}".rstrip("0").replace("-", "−") in read


def test_an_entry_says_where_it_comes_from_by_pointer_and_by_key(show: Open) -> None:
    page = show(explore_geometry())
    said = page.page.locator(".dl-explained")
    before = page.pixels(CANVAS)
    page.page.locator("[data-entry='1-1']").hover()
    assert "(0020,0037) value 5 × Pixel Spacing (0028,0030) value 1 = 1 × 4 = 4 mm" in said.inner_text()
    assert (page.pixels(CANVAS) != before).any()  # its arrow is thicker
    page.page.locator("[data-entry='0-2']").focus()
    assert "value 1 × Pixel Spacing (0028,0030) value 2 = 1 × 5 = 5" in said.inner_text()
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowLeft")
    page.page.keyboard.press("ArrowDown")
    page.page.keyboard.press("ArrowDown")
    assert "(135 − (−140)) / 11 = 25" in said.inner_text()


def test_the_view_turns_by_drag_and_by_keys_and_moves_no_slice(show: Open) -> None:
    page = show(explore_geometry())
    before, affine = page.pixels(CANVAS), table(page)
    stage = page.page.locator(".dl-scene")
    page.drag(stage, 80, 20)
    first = page.state()["view"]
    assert first != [28, 18]
    assert (page.pixels(CANVAS) != before).any()
    stage.focus()
    page.page.keyboard.press("ArrowUp")
    page.page.keyboard.press("ArrowLeft")
    assert page.state()["view"] == [first[0] + 5, first[1] + 5]
    page.page.keyboard.press("+")
    assert page.state()["zoom"] > 1
    page.page.keyboard.press("0")
    assert page.state()["view"] == [28, 18]
    np.testing.assert_array_equal(page.pixels(CANVAS), before)
    np.testing.assert_array_equal(table(page), affine)


def test_a_missing_slice_takes_the_affine_and_is_a_finding(show: Open) -> None:
    page = show(explore_geometry())
    assert "nothing" in page.page.locator(".dl-findings").inner_text()
    page.page.get_by_role("button", name="missing", exact=True).click()
    assert np.isnan(table(page)[:3, 0]).all()
    assert "missing_slice" in page.page.locator(".dl-findings").inner_text()
    page.page.locator("[data-entry='0-0']").hover()
    assert "25.00 to 50.00 mm apart" in page.page.locator(".dl-explained").inner_text()


def test_sorting_wrongly_is_told_in_millimetres_and_seen(show: Open) -> None:
    page = show(explore_geometry())
    told = page.page.locator("[data-told=order]")
    right = page.pixels(".dl-strips")
    page.page.get_by_role("combobox", name="How the files are labelled").select_option("reversed")
    assert "Each slice is where" in told.inner_text()
    page.page.get_by_role("button", name="Instance Number").click()
    assert "12 of 12 slices are at another place" in told.inner_text()
    assert "275.0 mm" in told.inner_text()  # 11 steps of 25 mm
    wrong = page.pixels(".dl-strips")
    inner = slice(40, 150)  # between the numbers and the colours
    lines = [int((k + 0.5) * 210 / 12) for k in range(12)]
    np.testing.assert_array_equal(wrong[lines, inner], right[lines[::-1], inner])


def test_millimetres_find_their_voxel(show: Open) -> None:
    explorer = explore_geometry()
    page = show(explorer)
    field = page.page.get_by_role("spinbutton", name="z of the place")
    field.fill("-40")
    field.press("Enter")
    follow(explorer, page)
    assert explorer.state["voxel"] == [4, 32, 36]
    assert explorer.geometry.lps(explorer.state["voxel"])[2] == -40


def test_a_series_begins_at_its_own_positions_and_comes_back_to_them(show: Open, tmp_path: Path) -> None:
    folder = tmp_path / "series"
    phantom.write_kind("gantry_tilt", folder)
    explorer = explore_geometry(str(folder))
    page = show(explorer)
    affine = dl.find_series(folder, progress=False)[0].stacks[0].geometry.affine
    np.testing.assert_allclose(table(page), affine, atol=5e-5)
    assert "gantry_tilt" in page.page.locator(".dl-findings").inner_text()
    assert "The drawn body is a guess" in page.page.locator(".dl-seen").inner_text()
    page.page.get_by_role("button", name="sagittal", exact=True).click()
    assert np.abs(table(page) - affine).max() > 1
    first = dict(explorer.state)
    slider = page.page.locator(".dl-voxel input[type=range]").first
    slider.focus()
    page.page.keyboard.press("Home")
    page.page.get_by_role("button", name="RAS", exact=True).click()
    assert page.state()["voxel"][0] == 0
    page.page.get_by_role("button", name="reset").click()
    np.testing.assert_allclose(table(page), affine, atol=5e-5)
    follow(explorer, page)
    np.testing.assert_allclose(explorer.affine, affine, atol=1e-9)
    assert explorer.state == first
    assert min(first["voxel"]) > 0


def test_turns_are_told_to_start_from_what_is_there(show: Open) -> None:
    page = show(explore_geometry())
    page.page.get_by_role("button", name="sagittal", exact=True).click()
    group = page.page.get_by_role("group", name="turn further by")
    assert "turn further by" in group.inner_text()
    assert group.get_by_role("slider").evaluate_all("(all) => all.map((one) => one.value)") == ["0", "0", "0"]


@pytest.mark.parametrize("width", [640, 720, 760, 800, 920, 1000, 1100, 1320, 1600])
@pytest.mark.parametrize("system", ["LPS", "RAS"])
def test_numbers_of_the_affine_stay_in_their_boxes(show: Open, width: int, system: str) -> None:
    explorer = explore_geometry()
    far = {"turns": [18.3, -14.2, 8.1], "ipp": [-180.3456, -126.1234, -1140.2345], "system": system}
    explorer.state = {**explorer.state, **far}
    page = show(explorer, width=width)
    out = page.page.locator(".dl-entry").evaluate_all(
        "(all) => all.filter((one) => { const text = document.createRange(); text.selectNodeContents(one);"
        " const [inner, outer] = [text, one].map((box) => box.getBoundingClientRect());"
        " return inner.left < outer.left + 3 || inner.right > outer.right - 1; }).map((one) => one.textContent)"
    )
    assert out == []


@pytest.mark.parametrize("width", [1000, 1600])
def test_the_voxel_is_set_where_the_picture_is_seen(show: Open, width: int) -> None:
    page = show(explore_geometry(), width=width)
    picture = page.page.locator(".dl-scene").bounding_box()
    sliders = page.page.locator(".dl-voxel").bounding_box()
    assert picture
    assert sliders
    assert sliders["y"] + sliders["height"] - picture["y"] < 700


def test_the_slice_as_stored_has_the_sides_of_its_rows_and_columns(show: Open) -> None:
    page = show(explore_geometry())
    sides = page.page.locator(".dl-stored span")
    for preset, letters in (
        ("axial", ["R", "L", "A", "P"]),
        ("sagittal", ["A", "P", "H", "F"]),
        ("coronal", ["R", "L", "H", "F"]),
        ("prone", ["L", "R", "P", "A"]),
        ("feet first", ["L", "R", "A", "P"]),
    ):
        page.page.get_by_role("button", name=preset, exact=True).click()
        assert sides.all_inner_texts() == letters, preset


def test_of_many_slices_the_nearest_picture_stands_for_one_and_is_named(show: Open) -> None:
    values = np.zeros((100, 12, 15), np.int16) + 500 * (np.arange(100) % 3 == 0)[:, None, None].astype(
        np.int16
    )
    affine = [[0, 0, 5, 0], [0, 5, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]]
    page = show(explore_geometry(dl.make_volume(values, affine=affine)))
    assert "The picture is that of slice 51" in page.page.locator(".dl-seen").inner_text()
    slider = page.page.locator(".dl-voxel input[type=range]").first
    slider.focus()
    page.page.keyboard.press("ArrowRight")
    assert page.state()["voxel"][0] == 51
    assert "The picture" not in page.page.locator(".dl-seen").inner_text()


def test_the_figure_is_taken_away(show: Open) -> None:
    page = show(explore_geometry())
    before = page.pixels(CANVAS)
    page.page.get_by_role("button", name="figure", exact=True).click()
    assert (page.pixels(CANVAS) != before).any()
    assert page.state()["figure"] is False


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1000, 1600])
def test_nothing_sticks_out_or_overlaps(show: Open, scheme: str, width: int) -> None:
    page = show(explore_geometry(), width=width, scheme=scheme)
    shot = np.asarray(
        Image.open(io.BytesIO(page.screenshot(f"explore_geometry-{scheme}-{width}"))).convert("L")
    )
    assert page.page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert (shot.mean() < 100) == (scheme == "dark")
    assert page.overlapping(".dl-body > section") == []


def test_whatever_the_state_holds_is_drawn_as_in_python(show: Open) -> None:
    for patch in (
        {"iop": [9, 9, 9, 9, 9, 9], "turns": "x", "ipp": None, "spacing": [0, -3], "step": -1},
        {
            "slices": "many",
            "rows": -5,
            "tilt": 1e9,
            "fault": 3,
            "view": ["a", None],
            "voxel": "?",
            "zoom": "x",
        },
        {"voxel": [1e9, -7, None], "order": "?", "labels": "file", "system": 0},
    ):
        explorer = explore_geometry()
        explorer.state = {**explorer.state, **patch}
        np.testing.assert_allclose(table(show(explorer)), explorer.affine, atol=5e-5)


def test_hostile_names_stay_text(show: Open) -> None:
    evil = "<img src=x onerror=alert(1)>"
    volume = dl.make_volume(
        np.zeros((2, 3, 4)),
        affine=np.eye(4)[[2, 1, 0, 3]],
        attrs={"SeriesDescription": evil, "findings": evil},
    )
    page = show(explore_geometry(volume))
    assert page.page.locator("img").count() == 0
    assert evil in page.page.locator(".dl-seen .dl-head").inner_text()
