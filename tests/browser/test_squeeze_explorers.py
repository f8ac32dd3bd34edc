"""The explorers of encodings and of compression in pages: choosing, sliders, the numbers under the pointer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Page

from dicomlab import teach
from dicomlab.teach.compression_still import difference_of, original_of
from tests.browser.explored import explored
from tests.support import datasets

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open explorers as pages."""
    with explored(chromium, tmp_path) as show:
        yield lambda explorer, width=1300: show(explorer, width=width).page


@pytest.fixture(scope="module")
def squeezed() -> teach.CompressionExplorer:
    one = datasets()[0]
    rng = np.random.default_rng(5)
    one.Rows, one.Columns = 64, 80
    one.PixelSpacing = [1, 1]
    row, column = np.indices((64, 80))
    one.PixelData = (900 + 8 * row + 5 * column + rng.integers(0, 60, (64, 80))).astype("<u2").tobytes()
    return teach.explore_compression(one)


def drawn(page: Page, key: str) -> None:
    page.wait_for_function(
        "(key) => document.querySelector('.dl-compression').dataset.shown === key", arg=key
    )


def test_an_element_is_chosen_and_stands_in_all_encodings(opened: Callable[..., Page]) -> None:
    page = opened(teach.explore_encodings(datasets()[0]))
    blocks = page.locator(".dl-encoding")
    assert blocks.count() == 4  # implicit, the explicit ones, big endian, deflated
    assert (
        blocks.nth(1).locator("strong").inner_text()
        == "Explicit VR little endian, RLE, JPEG-LS, JPEG 2000, HTJ2K"
    )
    page.locator(".dl-search").fill("pixel data")
    assert page.locator(".dl-enchead strong").inner_text().strip() == "PixelData"
    assert blocks.count() == 8
    page.locator(".dl-search").fill("")
    page.locator(".dl-elements").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowDown")
    assert (
        page.locator(".dl-element[aria-selected=true]").inner_text().split()[-1]
        == "FileMetaInformationVersion"
    )
    blocks.first.locator(".dl-block").first.hover()
    assert (
        "group and element, each 2 bytes little endian: 02 00 01 00" in page.locator(".dl-said").inner_text()
    )


def test_bars_are_as_long_as_the_files_are_large(opened: Callable[..., Page]) -> None:
    explorer = teach.explore_encodings(datasets()[0])
    page = opened(explorer)
    full = page.locator(".dl-bar").first.bounding_box()
    assert full
    most = max(one["size"] for one in explorer.facts["encodings"])
    for one, bar in zip(explorer.facts["encodings"], page.locator(".dl-bar").all(), strict=True):
        long = sum(box["width"] for piece in bar.locator("span").all() if (box := piece.bounding_box()))
        assert long == pytest.approx(full["width"] * one["size"] / most, abs=2)


def test_each_slider_shows_its_variant_and_the_error_of_what_is_drawn(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer
) -> None:
    page = opened(squeezed)
    for number, method in enumerate(squeezed.facts["methods"]):
        page.locator(f".dl-button[data-value='{method['name']}']").click()
        slider = page.locator(".dl-control:not([hidden]) input").first
        assert page.locator(".dl-control:not([hidden])").count() == 2
        for step in (0, len(method["variants"]) - 1):
            # Numbers rise to the right.
            first, last = (method["variants"][k]["strength"] for k in (0, -1))
            falls = not isinstance(first, str) and first > last
            slider.fill(str(len(method["variants"]) - 1 - step if falls else step))
            drawn(page, f"{number}-{step}")
            variant = method["variants"][step]
            # The page measures what it draws.
            rms = float(page.locator(".dl-compression").get_attribute("data-rms") or "nan")
            assert rms == pytest.approx(variant["rms"]), (method["name"], step)
            assert f"{variant['size']:,} bytes" in page.locator(".dl-figures").inner_text()
    assert "lossy" not in page.locator(".dl-words").inner_text()


def test_a_lossy_variant_says_what_the_file_has_to_say(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer
) -> None:
    page = opened(squeezed)
    page.locator(".dl-button[data-value='JPEG-LS']").click()
    words = page.locator(".dl-words").inner_text()
    for text in (
        "(0028,2110) LossyImageCompression 01",
        "(0028,2114) LossyImageCompressionMethod ISO_14495_1",
        "for ever",
    ):
        assert text in words


def test_the_value_under_the_pointer_is_that_of_the_image(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer
) -> None:
    squeezed.state = {"method": "JPEG-LS", "step": 5}
    page = opened(squeezed)
    drawn(page, "4-5")
    method = squeezed.facts["methods"][4]
    original = original_of(squeezed.facts)
    difference = difference_of(squeezed.facts, method, 5)
    canvas = page.locator("canvas").first
    box = canvas.bounding_box()
    assert box
    canvas.hover(position={"x": box["width"] * 20.5 / 80, "y": box["height"] * 10.5 / 64})
    before = original[10, 20] - 1024
    text = page.locator(".dl-said").inner_text()
    assert text.startswith(f"row 10, column 20: {before} HU became {before + difference[10, 20]} HU")


def test_a_point_of_the_chart_chooses_its_variant(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer
) -> None:
    squeezed.state = {"method": "Lossless", "step": 0}
    page = opened(squeezed)
    page.locator("circle", has_text="Fewer bits, bits kept 4:").click()
    drawn(page, f"0-{[one['strength'] for one in squeezed.facts['methods'][0]['variants']].index(4)}")
    assert page.locator(".dl-button[data-value='Fewer bits']").get_attribute("aria-pressed") == "true"


def test_a_click_looks_closer_and_another_one_goes_back(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer
) -> None:
    page = opened(squeezed)
    canvas = page.locator("canvas").first
    page.wait_for_function("document.querySelector('.dl-compression').dataset.shown")
    canvas.click()
    assert canvas.evaluate("(one) => [one.width, one.height]") == [20, 16]
    canvas.click()
    assert canvas.evaluate("(one) => [one.width, one.height]") == [80, 64]


@pytest.mark.parametrize("width", [420, 1000])
def test_nothing_is_wider_than_the_page(
    opened: Callable[..., Page], squeezed: teach.CompressionExplorer, width: int
) -> None:
    for explorer in (squeezed, teach.explore_encodings(datasets()[0])):
        assert opened(explorer, width).evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_more_bits_are_to_the_right(opened: Callable[..., Page], squeezed: teach.CompressionExplorer) -> None:
    page = opened(squeezed)
    page.locator(".dl-button[data-value='Fewer bits']").click()
    slider = page.locator(".dl-control:not([hidden]) input").first
    slider.press("End")
    most = int(page.locator(".dl-control:not([hidden]) .dl-value").first.inner_text())
    slider.press("ArrowLeft")
    assert int(page.locator(".dl-control:not([hidden]) .dl-value").first.inner_text()) < most
