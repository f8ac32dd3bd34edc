"""The explorer of a file in a page: links both ways, keys, search, hostile values."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page
from pydicom import uid
from pydicom.encaps import encapsulate

from dicomlab import teach
from tests.browser.explored import explored
from tests.support import datasets
from tests.test_dissect import FRAMES, encapsulated, file_of, nested

pytestmark = pytest.mark.browser


@pytest.fixture
def opened(chromium: Browser, tmp_path: Path) -> Iterator[Callable[..., Page]]:
    """Open explorers as pages."""
    with explored(chromium, tmp_path) as show:
        yield lambda explorer, width=1300: show(explorer, width=width).page


def chosen(page: Page) -> str:
    return page.locator(".dl-tagrow[aria-selected=true] .dl-tagname").inner_text()


def lit(page: Page) -> str:
    """The bytes that are lit, as the page writes them."""
    return " ".join(page.locator(".dl-b.dl-lit").all_inner_texts())


def said(page: Page) -> str:
    return page.locator(".dl-said").inner_text()


def byte(page: Page, data: bytes, piece: bytes, plus: int = 0) -> None:
    """Click on a byte."""
    page.locator(f".dl-b[data-at='{data.index(piece) + plus}']").click()


def test_a_row_shows_its_bytes_and_a_byte_its_row_and_what_it_says(opened: Callable[..., Page]) -> None:
    data = file_of(nested())
    explorer = teach.explore_file(data)
    explorer.select("Rows")
    page = opened(explorer)
    page.locator(".dl-tagrow", has_text="PixelSpacing").click()
    assert lit(page) == data[data.index(b"\x28\x00\x30\x00DS") :][:16].hex(" ")
    assert page.locator(".dl-block").count() == 4
    assert (
        page.locator(".dl-plain")
        .inner_text()
        .startswith("Distance between the centres of neighbouring pixels")
    )
    byte(page, data, b"\x28\x00\x10\x00US", 6)
    assert chosen(page) == "Rows"
    assert said(page) == "length: 2 bytes little endian: 02 00 = 2"
    assert lit(page) == "02 00"
    byte(page, data, b"\x28\x00\x10\x00US", 4)
    assert said(page).startswith("VR: two letters, US: unsigned 16-bit integers")
    page.locator(".dl-block", has_text="value").click()
    assert said(page) == "value: 2 bytes, US, unsigned 16-bit integers: 3, 1 value"


def test_a_byte_under_the_pointer_is_explained_and_nothing_is_chosen(opened: Callable[..., Page]) -> None:
    data = file_of(nested())
    page = opened(teach.explore_file(data))
    before = chosen(page)
    page.locator(f".dl-b[data-at='{data.index(b'DICM')}']").hover()
    assert "Prefix" in said(page)
    assert chosen(page) == before


def test_arrow_keys_walk_through_rows_and_bytes(opened: Callable[..., Page]) -> None:
    data = file_of(nested())
    explorer = teach.explore_file(data)
    explorer.select("Rows")
    page = opened(explorer)
    page.locator(".dl-tags").focus()
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "PixelSpacing"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")  # to the bytes
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    assert said(page).startswith("VR: two letters")
    page.keyboard.press("ArrowDown")
    at = int(page.locator(".dl-b.dl-at").get_attribute("data-at") or -1)
    assert at == data.index(b"\x28\x00\x10\x00US") + 5 + 16
    page.keyboard.press("Home")
    assert chosen(page) == "Preamble"
    page.keyboard.press("End")
    assert int(page.locator(".dl-b.dl-at").get_attribute("data-at") or -1) == len(data) - 1


def test_left_and_right_fold_and_unfold_a_sequence(opened: Callable[..., Page]) -> None:
    explorer = teach.explore_file(file_of(nested()))
    explorer.select("SourceImageSequence")
    page = opened(explorer)
    rows = page.locator(".dl-tags").get_attribute("aria-rowcount")
    assert rows == str(len(explorer.facts["rows"]))
    page.locator(".dl-tags").focus()
    row = page.locator(".dl-tagrow[aria-selected=true]")
    assert row.get_attribute("aria-expanded") == "true"
    page.keyboard.press("ArrowLeft")
    assert row.get_attribute("aria-expanded") == "false"
    page.keyboard.press("ArrowDown")
    assert chosen(page) == "Private Creator"  # of group 9: items and what is in them are folded
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert chosen(page) == "Item"
    page.keyboard.press("ArrowLeft")  # an item that is open closes first
    page.keyboard.press("ArrowLeft")
    assert chosen(page) == "SourceImageSequence"


def test_a_byte_inside_a_folded_sequence_opens_it(opened: Callable[..., Page]) -> None:
    data = file_of(nested())
    explorer = teach.explore_file(data)
    explorer.select("SourceImageSequence")
    page = opened(explorer)
    page.locator(".dl-tags").focus()
    page.keyboard.press("ArrowLeft")
    byte(page, data, b"113100")
    assert chosen(page) == "CodeValue"


def test_the_search_finds_and_chooses_and_says_how_many(opened: Callable[..., Page]) -> None:
    page = opened(teach.explore_file(file_of(nested())))
    page.locator(".dl-search").fill("meaning")
    assert chosen(page) == "CodeMeaning"
    assert page.locator(".dl-count").inner_text() == "3 of 35 rows"
    names = page.locator(".dl-tagrow .dl-tagname").all_inner_texts()
    assert set(names) >= {"SourceImageSequence", "CodeMeaning"}
    assert "Rows" not in names
    page.locator(".dl-search").fill("")
    assert (
        "Rows" in page.locator(".dl-tagrow .dl-tagname").all_inner_texts()
        or page.locator(".dl-count").inner_text() == "35 rows"
    )
    page.locator(".dl-search").fill("no such thing")
    assert page.locator(".dl-tagrow").count() == 0


def test_offsets_lead_to_their_fragments_and_back(opened: Callable[..., Page]) -> None:
    explorer = teach.explore_file(encapsulated(encapsulate(FRAMES)))
    table = next(k for k, row in enumerate(explorer.facts["rows"]) if row[4] == "offsets")
    explorer.state = {"row": table}
    page = opened(explorer)
    page.locator(".dl-jump", has_text="frame 2").click()
    assert chosen(page) == "Fragment, frame 2"
    page.locator(".dl-jump", has_text="offset 2").click()
    assert chosen(page) == "Basic Offset Table"
    assert len(lit(page).split()) == 4


def test_a_broken_file_opens_where_it_breaks_and_the_oddities_can_be_walked(
    opened: Callable[..., Page],
) -> None:
    page = opened(teach.explore_file(file_of(datasets()[0])[:-40]))
    assert chosen(page).endswith("PixelData")
    assert "its end is missing, or its length is wrong" in page.locator(".dl-note.dl-stop").inner_text()
    page.locator(".dl-tags").focus()
    page.keyboard.press("Home")
    page.locator(".dl-faults").click()
    assert chosen(page).endswith("PixelData")


def test_a_deflated_file_has_two_spaces(opened: Callable[..., Page]) -> None:
    page = opened(teach.explore_file(file_of(nested(), uid.DeflatedExplicitVRLittleEndian)))
    page.get_by_role("button", name="Inflated").click()
    assert page.locator(".dl-b[data-at='0']").inner_text() == "08"
    assert chosen(page) == "SpecificCharacterSet"
    page.get_by_role("button", name="File").click()
    assert chosen(page) == "Preamble"


def test_hidden_bytes_are_dots(opened: Callable[..., Page]) -> None:
    explorer = teach.explore_file(file_of(nested()))
    explorer.select("PatientName")
    page = opened(explorer)
    assert lit(page).split()[-8:] == ["••"] * 8
    assert "hidden, as it may identify a patient" in said(page)


def test_markup_in_values_and_in_makers_names_is_text(opened: Callable[..., Page]) -> None:
    hostile = "<img src=x onerror='document.title=1'>"
    one = nested()
    one.SeriesDescription = hostile
    one.private_block(0x0013, hostile, create=True).add_new(0x01, "UL", 1)
    explorer = teach.explore_file(file_of(one))
    explorer.select("SeriesDescription")
    page = opened(explorer)
    assert hostile in said(page)
    page.locator(".dl-search").fill("<img")
    page.wait_for_timeout(50)
    assert page.locator("img, script:not([type]), iframe").count() == 0
    assert page.title() == "A DICOM file, byte by byte"


def test_only_the_lines_that_are_seen_are_drawn(opened: Callable[..., Page]) -> None:
    page = opened(teach.explore_file(file_of(datasets()[0])))
    assert page.locator(".dl-byteline").count() < 40
    page.locator(".dl-bytes").evaluate("(node) => { node.scrollTop = 1e6; }")
    page.wait_for_timeout(60)
    assert page.locator(".dl-byteline").count() < 40


@pytest.mark.parametrize("width", [420, 700, 1000, 1600])
def test_nothing_is_wider_than_the_page(opened: Callable[..., Page], width: int) -> None:
    page = opened(teach.explore_file(file_of(nested())), width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_legend_names_only_what_the_file_has(opened: Callable[..., Page]) -> None:
    def legend(data: bytes) -> list[str]:
        return opened(teach.explore_file(data)).locator(".dl-legend .dl-chip").all_inner_texts()

    plain = ["tag", "VR", "length", "value"]
    assert legend(encapsulated(encapsulate(FRAMES))) == [*plain, "item", "fragment", "offsets"]
    assert legend(file_of(nested())) == [*plain, "item", "•• hidden: identity"]
    flat = datasets()[0]
    assert "•• hidden: identity" in legend(file_of(flat))
    assert not {"item", "fragment", "offsets", "broken"} & set(legend(file_of(flat)))
    assert "broken" in legend(file_of(nested()) + b"\x01\x02\x03")
