"""Letters inside a body, read from the canvas of the page beside the letters that are written over it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import letters
import numpy as np
import pytest
from letters import SETS, SIDES, SOME, UPRIGHT, Acquisition
from playwright.sync_api import Browser

import dicomlab as dl

from .alone import Show, pages

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore:gantry_tilt")]


@pytest.fixture(scope="module")
def show(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    with pages(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.mark.parametrize("acquisition", SOME, ids=lambda one: one.name)
def test_the_page_shows_letters_where_it_writes_letters(
    show: Show, acquisition: Acquisition, tmp_path: Path
) -> None:
    browser = dl.browse(dl.load_volume(acquisition.write(tmp_path / "series")), height=260)
    browser.interpolation = "nearest"
    book = show(browser)
    browser.tiles, browser.stride = [1, 2], 1
    for plane, (at, _, _, names) in SETS.items():
        browser.plane, browser.position = plane, list(at)
        for browser.panes in ("single", "planes") if plane == "axial" else ("planes", "montage"):
            canvas = book.alike(browser, (plane, browser.panes))
            for number, pane in enumerate(book.ask("viewer.stage.panes")):
                right, down = letters.axes_on_screen(acquisition, pane["name"])
                written = book.sides(number)
                expected = [letters.letters_of(v) for v in (-right, right, -down, down)]
                assert written == expected
                assert [word[0] for word in written] == list(SIDES[pane["name"]])
                if acquisition in UPRIGHT:
                    assert "".join(written) == SIDES[pane["name"]]
                if pane["name"] != plane:
                    continue
                left, top = pane["left"], pane["top"]
                box = canvas[top : top + pane["plane"]["height"], left : left + pane["plane"]["width"]]
                seen = letters.values_of(box)
                sides = dict(
                    zip([word[0] for word in written], ("left", "right", "top", "bottom"), strict=True)
                )
                assert letters.sides_of(seen, names) == {name: sides[name] for name in names}
                if acquisition in UPRIGHT:
                    letters.read_letters(seen, names)
    # Every pixel under the pointer is told the place where the formula has its value.
    browser.panes, browser.position = "planes", [18.0, 18.0, -22.0]
    canvas = letters.values_of(book.alike(browser))
    rng = np.random.default_rng(4)
    told = book.ask(
        """argument.map(([x, y]) => { const pane = viewer.stage.paneAt(x, y);
            return pane ? viewer.stage.lpsAt(pane, x + 0.5, y + 0.5) : null; })""",
        (pixels := rng.integers(0, canvas.shape[::-1], (400, 2))).tolist(),
    )
    inside = [(x, y, np.array(lps)) for (x, y), lps in zip(pixels, told, strict=True) if lps]
    places = np.array([lps for _, _, lps in inside])
    reach = letters.reach_of(acquisition)
    here = letters.value_at(places)
    sure = np.all(
        [
            letters.value_at(places + reach * np.array(s)) == here
            for s in itertools.product((-1, 1), repeat=3)
        ],
        axis=0,
    )
    assert sure.sum() > 100
    assert len(set(here[sure])) > 2
    shown = np.array([canvas[y, x] for x, y, _ in inside])
    assert np.array_equal(shown[sure], here[sure])
    browser.close()
