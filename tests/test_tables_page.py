"""Tables in a page: nothing of a file comes alive, search and folds work in a real browser, by mouse and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydicom.dataset import Dataset
from support import datasets, write

import dicomlab
from dicomlab import compare_headers, header_table, keyword_table, varying
from dicomlab.privacy import MASK
from dicomlab.tables.page import HANDLERS

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

PAYLOADS = [
    "<script>window.hit=1</script>",
    "<img src=x onerror=window.hit=1>",
    '"><svg onload=window.hit=1>',
    "</style></div></details><b id=live>",
    "' onmouseover='window.hit=1",
    "&lt;script&gt;window.hit=1",
    "</textarea><iframe srcdoc='<script>parent.hit=1</script>'>",
]
OURS = {
    "div",
    "style",
    "label",
    "input",
    "button",
    "span",
    "details",
    "summary",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}
OURS |= {"br", "ins", "del", "wbr"}
ATTRIBUTES = {
    "class",
    "open",
    "type",
    "placeholder",
    "oninput",
    "onclick",
    "role",
    "tabindex",
    "aria-label",
    "aria-hidden",
}
ATTRIBUTES |= {"data-row", "data-item", "hidden"}


def hostile(text: str, k: int = 0) -> Dataset:
    """A header with markup wherever somebody can write it."""
    ds = datasets()[k]
    ds.PatientName = text
    ds.SeriesDescription = f"{text}{k}"[:64]
    ds.ImageComments = text * 30
    block = ds.private_block(0x0009, text[:60], create=True)
    block.add_new(1, "LO", text[:64])
    block.add_new(2, "UT", text * 100)
    block.add_new(3, "OB", text.encode())
    item = Dataset()
    item.CodeMeaning = text[:64]
    item.private_block(0x0011, text[:60], create=True).add_new(1, "LT", text)
    ds.AnatomicRegionSequence = [item] * (k + 1)
    return ds


class Tags(HTMLParser):
    """Every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def pages(text: str, folder: Path) -> Iterator[str]:
    """Every table that there is, of hostile headers."""
    changed = [hostile(text, k) for k in range(3)]
    write(folder, changed)
    yield header_table(changed[0])._repr_html_()
    yield header_table(folder)._repr_html_()
    yield header_table(changed[0]).search("a")._repr_html_()
    yield header_table(changed[0]).at("AnatomicRegionSequence[0]")._repr_html_()
    yield varying(folder)._repr_html_()
    yield compare_headers(changed[0], changed[1])._repr_html_()
    yield keyword_table(folder, ["PatientName", "SeriesDescription", "(0009,1001)"])._repr_html_()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("text", PAYLOADS)
def test_no_tag_of_a_file_is_alive_in_any_table(text: str, tmp_path: Path) -> None:
    with dicomlab.show_identity():
        for page in pages(text, tmp_path):
            tags = Tags()
            tags.feed(page)
            assert {tag for tag, _ in tags.found} <= OURS
            for _, attributes in tags.found:
                assert {*attributes} <= ATTRIBUTES
                for name in ("oninput", "onclick"):
                    assert attributes.get(name) in (None, *HANDLERS.values())


@pytest.mark.browser
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_nothing_of_a_file_runs_in_a_browser(chromium: Browser, tmp_path: Path) -> None:
    page = chromium.new_page()
    with dicomlab.show_identity():
        for k, text in enumerate(PAYLOADS):
            shown = "".join(pages(text, tmp_path / str(k)))
            page.set_content(f"<!doctype html><meta charset=utf-8>{shown}")
            for field in page.locator("input[type=search]").all():
                field.fill("script")
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            assert page.evaluate("window.hit") is None
            assert page.locator("script, img, svg, iframe, b, #live").count() == 0
    page.close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a page with a table of nested sequences and private elements."""
    ds = Dataset()
    ds.Modality, ds.Rows, ds.SeriesDescription = "CT", 7, "x" * 64
    inner, outer = Dataset(), Dataset()
    inner.PixelSpacing, inner.SliceThickness = [0.5, 0.25], 3
    outer.PixelMeasuresSequence = [inner]
    ds.SharedFunctionalGroupsSequence = [outer]
    steps = []
    for k in range(40):
        step = Dataset()
        step.InstanceNumber = k
        steps.append(step)
    ds.ReferencedInstanceSequence = steps
    ds.private_block(0x0019, "ACME 1.0", create=True).add_new(1, "DS", 3.5)
    page = chromium.new_page()
    page.set_content(f"<!doctype html><meta charset=utf-8>{header_table(ds)._repr_html_()}")
    yield page
    page.close()


def seen(page: Page) -> list[str]:
    """Keywords of the rows that are visible."""
    rows = page.locator(".dl-tree .dl-row:not(.dl-head)")
    return [row.locator(".dl-key").inner_text().strip() for row in rows.all() if row.is_visible()]


@pytest.mark.browser
def test_search_shows_rows_that_hold_the_text_and_what_they_are_in(page: Page) -> None:
    everything = seen(page)
    assert {"Modality", "PixelSpacing", "item [0]", "private, ACME 1.0"} <= {*everything}
    field = page.locator("input[type=search]")
    field.fill("pixelspac")
    assert seen(page) == [
        "SharedFunctionalGroupsSequence",
        "item [0]",
        "PixelMeasuresSequence",
        "item [0]",
        "PixelSpacing",
    ]
    assert page.locator(".dl-count").inner_text() == "1 row"
    field.fill("0028,0010")
    assert seen(page) == ["Rows"]
    field.fill("acme")
    assert "[Private tag data]" in " ".join(seen(page)) or len(seen(page)) >= 2
    field.fill("no such thing")
    assert seen(page) == []
    assert page.locator(".dl-count").inner_text() == "0 rows"
    field.fill("")
    assert seen(page) == everything
    assert page.locator(".dl-count").inner_text() == ""


@pytest.mark.browser
def test_search_opens_what_is_closed_and_closes_it_again(page: Page) -> None:
    page.get_by_text("close all").click()
    assert "PixelSpacing" not in seen(page)
    page.locator("input[type=search]").fill("pixelspacing")
    assert "PixelSpacing" in seen(page)
    page.locator("input[type=search]").fill("")
    assert "PixelSpacing" not in seen(page)
    page.get_by_text("open all").click()
    assert "PixelSpacing" in seen(page)


@pytest.mark.browser
def test_sequences_and_items_fold_by_keys_alone(page: Page) -> None:
    shared = page.locator("details.dl-fold > summary", has_text="SharedFunctionalGroupsSequence").first
    shared.focus()
    page.keyboard.press("Enter")
    assert "PixelMeasuresSequence" not in seen(page)
    page.keyboard.press("Space")
    assert "PixelMeasuresSequence" in seen(page)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.includes('item [0]')")
    page.keyboard.press("Enter")
    assert "PixelMeasuresSequence" not in seen(page)


@pytest.mark.browser
def test_a_long_sequence_is_cut_and_says_how_to_go_on(page: Page) -> None:
    assert page.get_by_text("34 more items are not drawn").is_visible()
    assert page.get_by_text(".at('ReferencedInstanceSequence[6]') opens the next").is_visible()


@pytest.mark.browser
def test_without_a_script_every_row_is_seen_and_folds(chromium: Browser) -> None:
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    ds = datasets()[0]
    item = Dataset()
    item.CodeMeaning = "head"
    ds.AnatomicRegionSequence = [item]
    page.set_content(header_table(ds)._repr_html_())
    assert "CodeMeaning" in seen(page)
    assert not page.locator(".dl-bar").is_visible()
    page.locator("summary", has_text="AnatomicRegionSequence").first.click()
    assert "CodeMeaning" not in seen(page)
    context.close()


@pytest.mark.browser
def test_in_a_notebook_that_is_not_trusted_rows_are_text_and_nothing_pretends_to_work(page: Page) -> None:
    # What JupyterLab's sanitizer takes away: style sheets, handlers, attributes that it does not know.
    page.evaluate(
        """() => { document.querySelectorAll('style').forEach(e => e.remove());
        for (const e of document.querySelectorAll('*')) for (const a of [...e.attributes])
            if (!['class', 'hidden', 'open', 'type', 'placeholder'].includes(a.name)) e.removeAttribute(a.name) }"""
    )
    assert not page.locator(".dl-bar").is_visible()
    row = page.locator(".dl-row", has_text="PixelSpacing").last
    assert " ".join(row.inner_text().split()) == "PixelSpacing (0028,0030) DS 2 0.5\\0.25"
    page.locator("summary", has_text="SharedFunctionalGroupsSequence").first.click()
    assert not row.is_visible()


def test_masked_values_are_in_no_page_and_the_mask_is_that_of_the_moment() -> None:
    ds = datasets()[0]
    ds.PatientName, ds.PatientComments = "Secret^Name", "secret words"
    hidden = Dataset()
    hidden.ScheduledProcedureStepID, hidden.CodeMeaning = "secret step", "secret meaning"
    ds.RequestAttributesSequence = [hidden]
    with dicomlab.show_identity():
        table = header_table(ds)
        assert "Secret^Name" in table._repr_html_()
    for shown in (table._repr_html_(), repr(table), table.to_dataframe().to_string()):
        assert "ecret" not in shown
        assert MASK in shown
    assert len(table.search("secret")) == 0
    assert table["CodeMeaning"].value == MASK
