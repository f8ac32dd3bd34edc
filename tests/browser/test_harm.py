"""Texts of files and users that mean harm, wherever a viewer shows one: as text, never as markup."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab.view.roi import Roi

from .hosts import HARM
from .jupyter import Notebook

pytestmark = pytest.mark.browser


def harmful(what: str) -> str:
    """A text that means harm and tells where it came from."""
    return f"{what}{HARM}"


def volume(**attrs: Any) -> xr.DataArray:
    """Two steps of a volume, with harm in each text that a file can bring along."""
    values = np.random.default_rng(1).integers(0, 100, (2, 6, 20, 30)).astype(np.int16)
    texts = {
        "SeriesDescription": harmful("series"),
        "findings": [harmful("finding"), harmful("second")],
        "WindowCenter": [40.0],
        "WindowWidth": [80.0],
        "WindowCenterWidthExplanation": [harmful("window")],
        **attrs,
    }
    affine = np.array([[0, 0, 2.0, 0], [0, 2.0, 0, 0], [2.0, 0, 0, 0], [0, 0, 0, 1]])
    one = dl.make_volume(values[0], affine=affine, units=harmful("units"), attrs=texts)
    both = xr.concat([one, one.copy(data=values[1])], dim=harmful("steps"))
    both.attrs.update(one.attrs)
    label = xr.Variable(harmful("steps"), [harmful("first"), harmful("last")], {"units": harmful("mm")})
    both = both.assign_coords({harmful("steps"): label}).dicom.assume_frame("1.2.3")
    assert isinstance(both, xr.DataArray)
    return both


def test_every_text_in_the_viewer_is_text(chromium: Browser, tmp_path: Path) -> None:
    first = volume()
    second = volume(SeriesDescription=harmful("other"))
    mask = first.isel({harmful("steps"): 0}, drop=True) > 50
    browser = dl.compare(first, second, masks={harmful("mask"): mask}, height=300)
    z = browser.position[2]
    browser.rois = [Roi("ruler", [(0, 0, z), (30, 20, z)], label=harmful("roi"))]
    browser.to_html(tmp_path / "page.html")
    context = chromium.new_context(offline=True, viewport={"width": 1100, "height": 500})
    try:
        book = Notebook(context.new_page())
        book.page.goto((tmp_path / "page.html").as_uri())
        book.shown()
        box = book.page.locator(".dl-stage").bounding_box()
        assert box
        book.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
        if not book.page.locator(".dl-dock").is_visible():
            book.page.keyboard.press("l")
        book.page.locator(".dl-badge").click()
        book.page.keyboard.press("Tab")
        book.wait("viewer.frame === 0")
        book.screenshot("harm")
        # Everything that can be read or is told in a tooltip or to a screen reader.
        told = book.ask(
            """[...root.querySelectorAll("*"), root].flatMap((one) => [
                ...[...one.attributes].map(({ value }) => value),
                ...[...one.childNodes].filter((node) => node.nodeType === 3).map((node) => node.data),
            ])"""
        )
        whats = ["series", "other", "finding", "window", "units", "steps", "first", "mm", "mask", "roi"]
        for what in whats:
            assert any(f"{what}<img" in one for one in told), what
        assert book.ask("root.querySelectorAll('img, b, script, iframe, object').length") == 0
        names = book.ask("[...root.querySelectorAll('*')].flatMap((one) => one.getAttributeNames())")
        assert not any(name.startswith("on") for name in names)
        assert book.page.evaluate("window.harmed") is None
        # And no text is so long that it pushes something out of its place.
        assert book.ask("root.scrollWidth <= root.clientWidth") is True
        assert book.ask(
            """[...root.querySelectorAll(".dl-foot .dl-slider")].every((one) => one.getBoundingClientRect().right
                <= root.getBoundingClientRect().right)"""
        )
        assert book.page.title() == harmful("series")
        assert book.errors == []
    finally:
        context.close()
        browser.close()


def test_every_text_that_a_notebook_shows_of_them_is_text(chromium: Browser) -> None:
    first = volume()
    browser = dl.browse(first)
    browser.rois = [Roi("ruler", [(0, 0, 0), (30, 20, 0)], label=harmful("roi"))]
    pages = {
        "rois": browser.rois._repr_html_(),
        "card": first.isel({harmful("steps"): 0}, drop=True).dicom._repr_html_(),
        "page": browser.to_html()._repr_html_(),
    }
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    data = bundle[0]
    assert set(data) == {"image/png", "application/vnd.jupyter.widget-view+json", "text/plain"}, (
        "no markup of it"
    )
    # A PNG holds pixels: no chunk of text.
    png = base64.b64decode(data["image/png"])
    assert b"tEXt" not in png
    assert b"iTXt" not in png
    assert HARM.encode() not in png
    context = chromium.new_context(offline=True)
    try:
        page = context.new_page()
        for name, text in pages.items():
            page.set_content(f"<div id='out'>{text}</div>")
            page.wait_for_timeout(300)
            assert page.evaluate("window.harmed") is None, name
            assert page.locator("#out img, #out b, #out script").count() == 0, name
        assert harmful("roi") in page.evaluate(
            "(text) => { const one = document.createElement('div'); one.innerHTML = text; return one.textContent; }",
            pages["rois"],
        )
    finally:
        context.close()
        browser.close()
