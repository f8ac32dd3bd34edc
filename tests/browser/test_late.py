"""What is seen while slices are on their way: the nearest that are there, under their own numbers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from playwright.sync_api import Browser

import dicomlab as dl

from .alone import Show, pages
from .jupyter import Notebook

pytestmark = pytest.mark.browser

# From now on nothing arrives but what `let` lets through; only the slices that are named are here.
HOLD = """(() => {
    const { transport } = viewer;
    const { cache } = transport;
    const answer = transport.send;
    window.asked = [];
    transport.send = (message) => asked.push(message);
    window.let = (slice) => answer({ ...asked[asked.length - 1], type: "pull", slices: [slice] });
    for (const name of [...cache.entries.keys()]) if (!argument.includes(Number(name.split("/")[2]))) cache.drop(name);
    transport.reset(viewer.meta.sources);
    return cache.entries.size;
})()"""


def volume() -> xr.DataArray:
    """Every slice has one value of its own; steps are uneven."""
    mm = np.cumsum([0.0, 2, 2, 2, 5, 2, 2, 2, 1, 2, 2, 2])
    values = np.broadcast_to(100 * np.arange(12, dtype=np.int16)[:, None, None], (12, 30, 40)).copy()
    made = dl.make_volume(values, affine=np.diag([2.0, 2, 2, 1])[[2, 1, 0, 3]], units="HU")
    return made.assign_coords(slice=("slice", mm, made["slice"].attrs))


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Show]:
    """Open browsers as pages without a kernel."""
    with pages(chromium, tmp_path) as opened:
        yield opened


@pytest.fixture
def book(show: Show) -> Notebook:
    """A page that has all slices."""
    book = show(dl.browse(volume(), index=2, window=(550, 1100), height=300), width=700, height=520)
    book.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 12")
    return book


def seen(book: Notebook) -> tuple[str, int, str]:
    """Which slice is printed, which is painted, and what the status says."""
    book.wait("viewer.frame === 0")
    [printed] = [text for text in book.texts() if text.startswith("slice ")]
    height, width = book.canvas().shape[:2]
    grey = book.canvas()[height // 2, width // 2]
    painted = round((float(grey[0]) / 255 * 1099 + 0.5) / 100)
    return printed, painted, book.page.locator(".dl-status").inner_text()


def test_a_scroll_over_a_slow_line_shows_what_arrives_under_its_own_number(book: Notebook) -> None:
    assert book.ask(HOLD, [2]) == 1
    assert seen(book) == ("slice 3/12", 2, "")
    for _ in range(7):
        book.page.locator(".dl-stage").dispatch_event("wheel", {"deltaY": 100})
    assert seen(book) == ("slice 3/12", 2, "loading …")
    assert book.ask("[root.dataset.drawn, root.dataset.complete]") == ["2", "false"]
    assert book.ask("viewer.index") == 9
    assert "4.0 mm H" in book.texts()
    # A slice on the way there arrives late, as they do when the wheel turns on.
    book.ask("(let(6), 0)")
    book.wait("root.dataset.drawn === '6'")
    assert seen(book) == ("slice 7/12", 6, "loading …")
    # One behind is of no use, nor is one beyond.
    for other in (4, 11):
        book.ask("(let(argument), 0)", other)
        book.wait("viewer.transport.cache.has(viewer.meta.sources[0].key, 0, argument)", other)
        assert seen(book)[:2] == ("slice 7/12", 6)
    # The value under the pointer is that of what is seen.
    book.page.locator(".dl-stage").hover()
    book.wait("viewer.chrome.probe.textContent.startsWith('600 HU')")
    assert "voxel [6," in book.page.locator(".dl-probe").inner_text()
    book.ask("(let(9), 0)")
    book.wait("root.dataset.complete === 'true'")
    assert seen(book) == ("slice 10/12", 9, "")


# What a kernel answers to a page whose hand scrolls fast: a slice with a pixel for two by two.
DRAFT = """(() => {
    const { transport } = viewer;
    const { shape } = viewer.meta.sources[0];
    const id = [...transport.flying.keys()].at(-1);
    const values = new Int16Array(Math.ceil(shape[1] / 2) * Math.ceil(shape[2] / 2)).fill(100 * argument);
    transport.receive({ type: "slices", generation: transport.generation, key: viewer.meta.sources[0].key, id,
        items: [{ slice: argument, buffer: 0, divide: 2, kind: "i2", slope: 1, intercept: 0, exact: true }] }, [values.buffer]);
})()"""


def test_a_slice_of_few_pixels_is_seen_under_its_number_but_not_measured(book: Notebook) -> None:
    book.ask(HOLD, [2])
    book.page.locator(".dl-stage").hover()
    book.wait("viewer.chrome.probe.textContent.startsWith('200 HU')")
    book.ask("(viewer.goToIndex('axial', 6), 0)")
    book.ask(DRAFT, 6)
    assert seen(book) == ("slice 7/12", 6, "loading …")
    assert book.ask("[root.dataset.drawn, root.dataset.complete]") == ["6", "false"]
    assert "600" not in book.page.locator(".dl-probe").inner_text()
    values = "viewer.stage.source(viewer.meta, 0, 0, argument).values(6)?.[0] ?? null"
    assert (book.ask(values, False), book.ask(values, True)) == (600, None), "a profile has none of it"
    # Nobody moved for a while: it is asked for whole.
    book.wait("asked.some((one) => one.slices.includes(6) && one.divide === 1)")
    book.ask("(let(6), 0)")
    book.wait("root.dataset.complete === 'true'")
    assert seen(book) == ("slice 7/12", 6, "")
    book.wait("viewer.chrome.probe.textContent.startsWith('600 HU')")


def test_what_is_late_moves_and_zooms_with_the_hand(book: Notebook) -> None:
    book.ask(HOLD, [2])
    book.ask("(viewer.goToIndex('axial', 8), viewer.zoomAbout(viewer.stage.panes[0], 350, 150, 2), 0)")
    assert seen(book)[:2] == ("slice 3/12", 2)
    assert (
        abs(
            book.ask("viewer.stage.panes[0].plane.pixel * 2")
            - book.ask("(viewer.fit(), viewer.stage.panes[0].plane.pixel)")
        )
        < 1e-9
    )


def test_another_plane_is_not_shown_as_the_one_before(book: Notebook) -> None:
    book.ask(HOLD, [2])
    book.ask("(viewer.setPlane('coronal'), 0)")
    book.wait("viewer.frame === 0")
    assert book.ask("root.dataset.complete") == "false"
    found = book.canvas()
    shown = np.unique(found[::, found.shape[1] // 2, 0])
    # Black, what is behind all pictures, or the one slice of twelve that is there; the plane before was bright all over.
    assert 0 in shown
    assert set(shown.tolist()) <= {0, 24, *range(40, 52)}


def test_steps_that_are_late_keep_their_label(show: Show) -> None:
    one = volume()
    times = [one + k for k in range(3)]
    four = xr.concat(times, dim=xr.Variable("time", [0.5, 1.5, 4.0], {"units": "s"})).assign_attrs(units="HU")
    book = show(dl.browse(four, index=2, window=(550, 1100), height=300), width=700, height=520)
    book.ask(
        """(() => {
            const { transport } = viewer;
            transport.send = () => 0;
            for (const name of [...transport.cache.entries.keys()]) if (name.split("/")[1] !== "0") transport.cache.drop(name);
            transport.reset(viewer.meta.sources);
        })()"""
    )
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("ArrowRight")
    book.wait("viewer.frame === 0")
    assert book.ask("viewer.state.step") == [1]
    assert book.page.locator(".dl-steps").inner_text().startswith("time 0.5 s")
    book.page.locator(".dl-stage").hover()
    assert book.page.locator(".dl-probe").inner_text().startswith("200 HU")
    assert book.ask("root.dataset.complete") == "false"


def test_volumes_with_other_steps_go_along_by_value(show: Show) -> None:
    one = volume()

    def at(seconds: list[float], value: int) -> xr.DataArray:
        made = [one * 0 + value + k for k in range(len(seconds))]
        return xr.concat(made, dim=xr.Variable("time", seconds, {"units": "s"})).assign_attrs(units="HU")

    browser = dl.compare(at([0.0, 1.0, 2.0], 100), at([1.9, 0.2, 7.0, 9.0], 500), mode="side")
    browser.steps = {"time": 2}
    left, right = [browser.picture(200, 100)[50, x, 0] for x in (50, 150)]
    values = [source.slice(browser._number(n), 0).flat[0] for n, source in enumerate(browser._opened())]
    assert values == [102, 500]
    assert left != right
    book = show(browser, width=1000, height=620)
    assert "time 1.9 s" in book.texts()
    book.page.locator(".dl-stage").hover(position={"x": 200, "y": 200})
    said = book.page.locator(".dl-probe").inner_text()
    assert "102 HU" in said
    assert "500 HU" in said
    browser.close()
