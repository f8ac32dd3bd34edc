"""The explorers of windows and of geometry in JupyterLab: what the hand does is heard in Python, and the other way round."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from .jupyter import Notebook

pytestmark = pytest.mark.browser

WINDOW = "import dicomlab as dl\nw = dl.teach.explore_window(volume(), 3)\nw"
PLACE = "g = dl.teach.explore_geometry(volume())\ng"


def until(found: Callable[[], Any], expected: Any) -> None:
    deadline = time.monotonic() + 8
    while (now := found()) != expected:
        assert time.monotonic() < deadline, f"{now!r}, not {expected!r}"
        time.sleep(0.05)


def test_page_and_kernel_follow_each_other(open_notebook: Callable[..., Notebook]) -> None:
    book = open_notebook("explorers", WINDOW, PLACE, dark=True, width=1500, height=1400)
    page = book.page
    for name in ("window", "geometry"):
        page.wait_for_selector(f".dl-{name}[data-ready=true]", timeout=40000)
    # The page first: a key on the centre of the window, a slider of the geometry.
    before = book.value("w.state['center']")
    page.get_by_role("slider", name="Centre of the window").focus()
    page.keyboard.press("ArrowRight")
    until(lambda: book.value("w.state['center'] > argument".replace("argument", str(before))), True)
    assert book.value("w.window.center == w.state['center']")
    page.get_by_role("button", name="sagittal", exact=True).click()
    until(lambda: book.value("g.geometry.plane"), "sagittal")
    # Then the kernel: the page shows what Python has set.
    book.run("w.window = 'bone'; w.invert = True; g.state = {**g.state, 'tilt': 12.5}")
    until(lambda: page.locator(".dl-window input[type=number]").nth(1).input_value(), "2500")
    assert page.get_by_role("button", name="MONOCHROME1").get_attribute("aria-pressed") == "true"
    until(lambda: "gantry_tilt" in page.locator(".dl-findings").inner_text(), True)
    canvas = page.evaluate(
        "() => { const c = document.querySelector('.dl-window canvas'); "
        "return [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data].filter((_, n) => n % 4 === 0); }"
    )
    np.testing.assert_array_equal(canvas, book.value("w.picture().ravel().tolist()"))
    # `d d` would delete the cell, were the letters the notebook's.
    page.locator(".dl-scene").click()
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.wait_for_timeout(150)
    assert page.locator(".dl-geometry").count() == 1
    page.locator(".dl-window").screenshot(path=_shot("explore_window-lab"))
    page.locator(".dl-geometry").screenshot(path=_shot("explore_geometry-lab"))
    assert book.errors == []


def _shot(name: str) -> str:
    from .jupyter import SCREENSHOTS

    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    return str(SCREENSHOTS / f"{name}.png")
