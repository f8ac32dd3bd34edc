"""What stays in a saved notebook, in a page loaded anew, after a restart; and what must not stay in the page and in Python."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbconvert import HTMLExporter
from PIL import Image
from playwright.sync_api import Browser

from .jupyter import CACHE, Lab, Notebook

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

WIDGET = "application/vnd.jupyter.widget-view+json"
STATE = "application/vnd.jupyter.widget-state+json"
FEW = "browse(volume((60, 96, 128)), height=300, memory=20 * 96 * 128 * 2)"  # of sixty slices the page may keep twenty


def save(book: Notebook) -> None:
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    book.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")


def pixels(png: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB"))


@pytest.fixture(scope="module")
def saved(open_notebook: Open, lab: Lab) -> tuple[Notebook, Path]:
    """A notebook that was run and saved; its viewer is still on the screen."""
    book = open_notebook("kept", f"from dicomlab.view.browser import browse\nb = {FEW}\nb")
    book.shown(30)
    book.wait("viewer.transport.flying.size === 0")
    save(book)
    return book, lab.folder / "kept.ipynb"


def test_a_saved_notebook_is_small_and_holds_the_picture(saved: tuple[Notebook, Path]) -> None:
    book, path = saved
    assert path.stat().st_size < 100_000
    notebook = nbformat.read(path, 4)
    assert "widgets" not in notebook.metadata
    output = notebook.cells[1].outputs[0].data
    assert {"image/png", WIDGET, "text/plain"} <= set(output)
    seen = pixels(output["image/png"])
    middle = slice(100, -100)
    assert np.array_equal(seen[middle, middle], book.picture(seen)[middle, middle])
    assert len(np.unique(seen[middle, middle])) > 100


def test_it_is_small_with_the_state_of_its_widgets_too_and_says_what_it_waits_for_when_opened_again(
    saved: tuple[Notebook, Path], lab: Lab, chromium: Browser
) -> None:
    book, path = saved
    toggle = "() => jupyterapp.commands.execute('@jupyter-widgets/jupyterlab-manager:saveWidgetState')"
    book.page.evaluate(toggle)
    book.page.evaluate("() => { jupyterapp.shell.currentWidget.context.model.dirty = true; }")
    save(book)
    book.page.evaluate(toggle)  # it is a setting of the whole server
    notebook = nbformat.read(path, 4)
    models = notebook.metadata.widgets[STATE].state
    mine = [one for one in models.values() if one.model_module == "anywidget"]
    assert len(mine) == 1
    assert "position" in mine[0].state
    assert path.stat().st_size < 120_000, "of which the viewer's own code, deflated, is 78"
    assert notebook.cells[1].outputs[0].data["image/png"]
    # JupyterLab makes the viewer anew from its state, and there is nobody to ask for slices.
    (lab.folder / "stateful.ipynb").write_bytes(path.read_bytes())
    again = lab.window(chromium, "stateful")
    again.wait("viewer.chrome.status.textContent === 'no kernel: run the cell again'", timeout=40000)
    assert again.ask("root.dataset.drawn") == ""
    assert again.errors == []
    again.page.context.close()


def test_nbconvert_shows_the_picture_without_a_kernel_or_a_network(
    saved: tuple[Notebook, Path], chromium: Browser, tmp_path: Path
) -> None:
    notebook = nbformat.read(saved[1], 4)
    notebook.metadata.pop("widgets", None)
    page, _ = HTMLExporter().from_notebook_node(notebook)
    (tmp_path / "kept.html").write_text(page, encoding="utf-8")
    context = chromium.new_context(offline=True)
    try:
        opened = context.new_page()
        opened.goto((tmp_path / "kept.html").as_uri(), wait_until="domcontentloaded")
        picture = opened.locator(".jp-OutputArea-output img")
        picture.wait_for()
        png = notebook.cells[1].outputs[0].data["image/png"]
        size = picture.evaluate(
            "async (one) => { await one.decode(); return [one.naturalHeight, one.naturalWidth]; }"
        )
        assert size == list(pixels(png).shape[:2])
    finally:
        context.close()


def test_a_colleague_who_opens_it_sees_the_picture_and_after_a_run_the_viewer(
    saved: tuple[Notebook, Path], lab: Lab, chromium: Browser
) -> None:
    notebook = nbformat.read(saved[1], 4)
    notebook.metadata.pop("widgets", None)
    notebook.cells.append(
        nbformat.v4.new_markdown_cell("From somebody else, so that JupyterLab does not trust it.")
    )
    nbformat.write(notebook, lab.folder / "sent.ipynb")
    book = lab.window(chromium, "sent")
    picture = book.page.locator(".jp-OutputArea-output img")
    picture.wait_for(timeout=40000)
    assert picture.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") > 300
    assert book.page.locator(".dl-browser").count() == 0
    idle = "() => jupyterapp.shell.currentWidget?.context.sessionContext.session?.kernel?.status === 'idle'"
    book.page.wait_for_function(idle, timeout=40000)
    book.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    book.page.locator(".dl-browser").wait_for(timeout=20000)
    book.shown(30)
    assert picture.count() == 0, "the viewer has taken its place"
    assert book.errors == []
    book.page.context.close()


def test_a_page_that_is_loaded_anew_has_the_viewer_again_where_it_was(saved: tuple[Notebook, Path]) -> None:
    book, _ = saved
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("Home")
    book.synced("b.index", 0)
    book.page.reload()
    book.wait("root.dataset.complete === 'true'", timeout=40000)
    assert book.ask("viewer.index") == 0
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("ArrowDown")
    book.shown(1)
    book.synced("b.index", 1)
    book.run("b.index = 30")
    book.shown(30)
    assert book.errors == []


def test_when_the_kernel_restarts_what_is_here_scrolls_and_a_new_run_brings_the_rest(
    saved: tuple[Notebook, Path],
) -> None:
    book, _ = saved
    session = "jupyterapp.shell.currentWidget.context.sessionContext"
    here = "(slice) => viewer.transport.has({ source: 0, step: 0, slice })"
    book.wait(f"viewer.transport.flying.size === 0 && [31, 32].every({here})")
    # The last one that is not here: what was fetched in advance on a slow machine may be anywhere.
    far = book.ask(f"[...Array(60).keys()].findLast((slice) => !({here})(slice))")
    book.page.evaluate(f"() => {session}.restartKernel()")
    book.page.wait_for_function(f"() => {session}.session.kernel.status === 'idle'", timeout=40000)
    book.page.locator(".dl-browser").focus()
    for index in (31, 32):
        book.page.keyboard.press("ArrowDown")
        book.shown(index)
    book.ask("viewer.goToIndex('axial', argument)", far)
    book.wait("viewer.chrome.status.textContent === 'no kernel: run the cell again'")
    assert book.ask("root.dataset.drawn") != str(far), "no other slice is passed off as this one"
    book.ask("viewer.goToIndex('axial', 30)")
    book.shown(30)
    assert book.ask("viewer.chrome.status.textContent") == ""
    old = book.ask("viewer.meta.sources[0].key")
    book.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
    book.wait("viewer.meta.sources[0].key !== argument", old, timeout=20000)
    book.shown(30)
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("End")
    book.shown(59)
    book.page.wait_for_function(f"(old) => !{CACHE}.volumes.has(old)", arg=old)
    assert book.errors == []


def test_ten_runs_of_a_cell_leave_as_many_slices_in_the_page_as_one(saved: tuple[Notebook, Path]) -> None:
    book, _ = saved
    held = f"[{CACHE}.bytes, {CACHE}.entries.size, {CACHE}.volumes.size]"
    settled = f"{CACHE}.bytes === 20 * 96 * 128 * 2 && viewer.transport.flying.size === 0"
    book.wait(settled)
    first = book.page.evaluate(held)
    assert first == [20 * 96 * 128 * 2, 20, 1]
    viewers = "globalThis[Symbol.for('dicomlab.viewers/1')].size"
    for _ in range(10):
        key = book.ask("viewer.meta.sources[0].key")
        book.page.evaluate("() => { jupyterapp.commands.execute('notebook:run-all-cells'); }")
        book.wait(
            "viewer.meta.sources[0].key !== argument && root.dataset.complete === 'true'", key, timeout=20000
        )
    book.wait(settled)
    assert book.page.evaluate(held) == first
    assert book.page.evaluate(viewers) == 1
    # What a notebook remembers of its outputs keeps the browser, but no more its volume.
    book.run("import gc, weakref; alive = weakref.ref(b.volume); b.close()")
    book.page.wait_for_function(f"() => {CACHE}.entries.size === 0 && {CACHE}.bytes === 0")
    assert book.page.evaluate(viewers) == 0
    assert book.value("(gc.collect(), alive() is None)[1]") is True
    assert book.errors == []


def test_thirty_viewers_share_one_budget_and_only_those_in_sight_fill_it(open_notebook: Open) -> None:
    size = 96 * 128 * 2
    code = (
        "from dicomlab.view.browser import browse\nfrom IPython.display import display\nv = volume()\n"
        f"many = [browse(v, index=n % 24, height=260, memory={60 * size}) for n in range(30)]\nfor one in many: display(one)"
    )
    book = open_notebook("thirty", code)
    book.page.wait_for_function(
        "() => document.querySelectorAll('.dl-browser[data-complete=true]').length === 30", timeout=40000
    )
    drawn = book.page.evaluate(
        "[...document.querySelectorAll('.dl-browser')].map((one) => Number(one.dataset.drawn))"
    )
    assert drawn == [n % 24 for n in range(30)]
    filled = """[...document.querySelectorAll('.dl-browser')].map(({ dicomlab: { transport, meta, visible } }) =>
        [visible, transport.cache.count(meta.sources[0].key, 0)])"""
    book.page.wait_for_function(f"() => {CACHE}.bytes > 50 * {size}")
    book.page.wait_for_timeout(600)
    counts = book.page.evaluate(filled)
    assert 1 <= sum(visible for visible, _ in counts) <= 6
    assert all(count <= 1 for visible, count in counts if not visible), counts
    assert any(count > 10 for visible, count in counts if visible)
    assert book.page.evaluate(f"{CACHE}.bytes") <= 60 * size
    # The last one, when it comes in sight, is like the first.
    last = book.page.locator(".dl-browser").last
    last.scroll_into_view_if_needed()
    last.focus()
    book.page.keyboard.press("Home")
    book.page.wait_for_function(
        "() => [...document.querySelectorAll('.dl-browser')].at(-1).dataset.drawn === '0'"
    )
    assert book.page.evaluate(f"{CACHE}.bytes") <= 60 * size
    assert json.loads(book.run("print(many[-1].index)")) in (0, 5)
    assert book.errors == []
    book.screenshot("thirty", whole=True)
    book.page.context.close()
