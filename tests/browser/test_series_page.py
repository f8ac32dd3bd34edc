"""The series explorer as a page: the tree by keyboard, cells by mouse and keys, findings, functional groups, two themes."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

import dicomlab as dl

from .jupyter import Notebook

pytestmark = pytest.mark.browser

Open = Callable[..., Page]


@pytest.fixture(scope="module")
def pages(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """Open the explorer of kinds of series as a page that may reach nothing; it may write no error to the console."""
    errors: list[str] = []
    contexts = []
    made: dict[tuple[str, ...], Path] = {}

    def show(*kinds: str, width: int = 1000, theme: str = "light") -> Page:
        if kinds not in made:
            folder = tmp_path_factory.mktemp("series")
            for kind in kinds:
                dl.phantom.write_kind(kind, folder / kind)
            made[kinds] = dl.teach.explore_series(folder).to_html().save(folder / "page.html")
        context = chromium.new_context(
            offline=True, viewport={"width": width, "height": 800}, color_scheme=theme
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(made[kinds].as_uri())
        page.wait_for_selector(".dl-grid")
        return page

    yield show
    assert errors == []
    for context in contexts:
        context.close()


def chosen(page: Page) -> str:
    return page.inner_text(".dl-panel .dl-head")


def test_arrow_keys_walk_through_the_tree_and_choose_a_series(pages: Open) -> None:
    page = pages("dynamic", "incomplete_4d", "enhanced_mr")
    page.focus('[role="tree"] [tabindex="0"]')
    title = page.inner_text(".dl-title")
    for _ in range(3):  # patient, study, first series, second series
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert page.inner_text(".dl-title") != title
    assert page.locator('[aria-selected="true"]').count() == 1
    page.keyboard.press("ArrowRight")  # its files
    focused = page.locator('[role="treeitem"]:focus')
    assert focused.get_attribute("aria-expanded") == "true"
    assert "Instance Number" in focused.inner_text()
    page.keyboard.press("ArrowLeft")
    assert focused.get_attribute("aria-expanded") == "false"
    page.keyboard.press("Home")
    assert page.locator('[role="treeitem"]:focus').inner_text().splitlines()[1].startswith("Patient 1")


def test_a_click_and_arrow_keys_choose_cells(pages: Open) -> None:
    page = pages("dynamic")
    box = page.locator(".dl-grid").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] - 10, box["y"] + 8)  # last slice, first step
    assert chosen(page).startswith("Slice 5 of 5")
    assert "time 0 s" in chosen(page)
    page.keyboard.press("ArrowDown")
    assert "time 2.5 s" in chosen(page)
    page.keyboard.press("Home")
    assert chosen(page).startswith("Slice 1 of 5")
    assert page.locator(".dl-panel img.dl-picture").evaluate("one => one.naturalWidth") > 40
    page.keyboard.press("Escape")
    assert chosen(page) == "No image chosen"


def test_a_white_picture_has_no_black_bars(pages: Open) -> None:
    page = pages("pet_slopes")
    small = page.locator("img.dl-thumb").first
    wide, high = small.evaluate("(one) => [one.naturalWidth, one.naturalHeight]")
    assert wide != high, "the box is square, and this picture leaves some of it"
    shot = np.asarray(Image.open(io.BytesIO(small.screenshot())).convert("L"))
    edges = np.stack([shot[1], shot[-2]]) if wide > high else np.stack([shot[:, 1], shot[:, -2]])
    assert edges[:, 6:-6].min() > 150


def test_a_hole_is_told_and_its_finding_leads_to_its_step(pages: Open) -> None:
    page = pages("incomplete_4d")
    page.focus(".dl-grid")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert "lacks the slice" in page.inner_text(".dl-panel")
    page.click(".dl-finding")
    assert page.get_attribute(".dl-finding", "aria-pressed") == "true"
    assert "temporal position 3" in chosen(page)
    assert "incomplete_steps" in page.inner_text(".dl-panel")


def test_a_doubled_cell_gives_its_images_in_turn(pages: Open) -> None:
    page = pages("doubled_slice")
    page.focus(".dl-grid")
    page.keyboard.press("Home")
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    assert "2 images lie here" in chosen(page)
    first = page.get_attribute(".dl-grid", "data-cell")
    page.keyboard.press("Enter")
    assert page.get_attribute(".dl-grid", "data-cell") != first
    page.keyboard.press("Enter")
    assert page.get_attribute(".dl-grid", "data-cell") == first


def test_the_line_follows_the_order_that_is_chosen(pages: Open) -> None:
    page = pages("axial_ct")
    seen = []
    for name in ("no line", "by file name", "by Instance Number"):
        page.click(f".dl-group button:has-text('{name}')")
        assert page.get_attribute(f".dl-group button:has-text('{name}')", "aria-pressed") == "true"
        seen.append(page.locator(".dl-grid").screenshot())
    assert len(set(seen)) == 3


def test_functional_groups_unfold(pages: Open) -> None:
    page = pages("enhanced_mr")
    assert page.locator(".dl-groups").count() == 0
    page.focus("summary")
    page.keyboard.press("Enter")
    page.wait_for_selector(".dl-groups")
    text = page.inner_text(".dl-groups")
    for told in (
        "Dimension Index Values",
        "In-Stack Position Number",
        "Plane Position",
        "per frame",
        "shared",
    ):
        assert told in text
    assert page.locator(".dl-groups svg polyline").count() >= 6


def test_stacks_of_one_object_are_chosen_by_name(pages: Open) -> None:
    page = pages("two_stacks")
    page.select_option(".dl-select", "1")
    page.focus(".dl-grid")
    page.keyboard.press("End")
    assert chosen(page).startswith("Slice 4 of 4")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [420, 1000, 1600])
def test_it_fits_in_both_themes_at_any_width(pages: Open, width: int, theme: str) -> None:
    page = pages("diffusion", "enhanced_mr", width=width, theme=theme)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    with Image.open(io.BytesIO(page.screenshot())) as picture:
        ground = float(np.median(np.asarray(picture.convert("L"))))
    assert (ground < 60) == (theme == "dark")


def test_keys_typed_in_the_grid_do_not_reach_the_notebook(pages: Open) -> None:
    page = pages("dynamic")
    assert page.get_attribute(".dl-grid", "data-lm-suppress-shortcuts") == "true"
    page.evaluate("window.heard = []; document.addEventListener('keydown', (event) => heard.push(event.key))")
    page.focus(".dl-grid")
    for key in ("ArrowRight", "ArrowDown", "Enter", "Escape"):
        page.keyboard.press(key)
    assert page.evaluate("heard") == []


def test_texts_of_files_are_no_elements(pages: Open) -> None:
    page = pages("dynamic")
    names = page.evaluate(
        "[...new Set([...document.querySelectorAll('#explorer *')].map((one) => one.tagName))]"
    )
    assert not {"SCRIPT", "IFRAME", "OBJECT"} & set(names)
    assert re.search("Patient 1", page.inner_text("#explorer"))


CELLS = """
import tempfile
from pathlib import Path
import dicomlab as dl
from dicomlab.teach.series import explorer as room
room._AT_ONCE = 0  # so that each series but the first must be asked for
work = Path(tempfile.mkdtemp())
for name in ("dynamic", "diffusion"):
    dl.phantom.write_kind(name, work / name)
e = dl.teach.explore_series(work)
e
"""


def test_the_kernel_brings_what_the_page_has_not(open_notebook: Callable[..., Notebook]) -> None:
    book = open_notebook("series", CELLS)
    page = book.page
    page.wait_for_selector(".dl-series .dl-grid", timeout=60_000)
    first = page.inner_text(".dl-series .dl-title")
    page.focus('.dl-series [role="tree"] [tabindex="0"]')
    items = page.locator(".dl-series .dl-series-item")
    other = 1 if items.nth(0).get_attribute("aria-selected") == "true" else 0
    items.nth(other).locator("b").first.click()
    page.wait_for_function(
        "([first]) => document.querySelector('.dl-series .dl-title').textContent !== first"
        " && document.querySelector('.dl-series .dl-grid')",
        arg=[first],
    )
    # The tree was drawn anew, and the keyboard is where it was.
    chosen_one = page.locator('.dl-series [aria-selected="true"]')
    assert chosen_one.evaluate("one => one === document.activeElement")
    page.focus(".dl-series .dl-grid")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector(".dl-series img.dl-picture")
    seen = page.get_attribute(".dl-series img.dl-picture", "src")
    assert seen is not None
    assert book.value("e.state['seen']['src']") == seen
    assert book.errors == []
