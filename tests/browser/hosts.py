"""Every program that runs the viewer: JupyterLab, Notebook 7, Voilà, marimo; each opens the same volume in a real page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from textwrap import indent
from typing import Any

import nbformat
import numpy as np
from playwright.sync_api import Browser, ConsoleMessage, Request

from dicomlab.view.browser import SliceBrowser

from .jupyter import VOLUME, Lab, Notebook, free_port, running, running_server

HARM = "<img src=x onerror='window.harmed = 1'></script><script>window.harmed = 1</script><b>bold</b>"

# A volume whose texts mean harm, in all places that a file or a user can write to.
BROWSE = f"""
from dicomlab.view.browser import browse

harm = {HARM!r}
v = volume(
    SeriesDescription=harm, units=harm, findings=[harm], WindowCenter=[40.0], WindowWidth=[400.0],
    WindowCenterWidthExplanation=[harm],
)
b = browse(v, height=300)
"""

# What the kernel heard of the page, and a way to have it set something: in every host, also in those without a line to it.
HEARD = """
import ipywidgets

heard = ipywidgets.Label()
def hear(change=None):
    heard.value = f"heard slice {b.index} width {b.window.width:g}"
b.observe(hear, ["index", "window"])
hear()
three = ipywidgets.Button(description="slice three")
three.on_click(lambda _: setattr(b, "index", 3))
ipywidgets.VBox([heard, three])
"""


@cache
def twin() -> SliceBrowser:
    """The same browser here: what Python says that each host shows."""
    names: dict[str, Any] = {}
    exec(VOLUME + BROWSE, names)
    browser = names["b"]
    assert isinstance(browser, SliceBrowser)
    return browser


class Hosted(Notebook):
    """The page of a host, with one viewer; `theirs` are errors that it has without one, too."""

    # Through the shadow roots that marimo renders in.
    root = """(function find(node) {
        for (const one of node.querySelectorAll("*")) {
            if (one.classList.contains("dl-browser")) return one;
            const inside = one.shadowRoot && find(one.shadowRoot);
            if (inside) return inside;
        }
        return null;
    })(document)"""
    theirs: tuple[str, ...] = ()

    def _hear(self, message: ConsoleMessage) -> None:
        if not any(one in message.location["url"] for one in self.theirs):
            super()._hear(message)

    def _hear_error(self, text: str) -> None:
        if not any(one in text for one in self.theirs):
            super()._hear_error(text)

    def _see(self, request: Request) -> None:
        if not any(one in request.url for one in self.theirs):
            super()._see(request)

    def heard(self, text: str) -> None:
        """Wait until the kernel says that it heard this of the page."""
        self.page.get_by_text(text, exact=True).wait_for(timeout=8000)

    def as_python(self, index: int, width: float) -> None:
        """Every byte of the canvas is that of `SliceBrowser.picture` of the same volume, slice and window."""
        self.still()
        browser = twin()
        browser.index, browser.window = index, (browser.window.center, width)
        found = self.canvas()
        expected = browser.picture(found.shape[1], found.shape[0])
        assert len(np.unique(expected)) > 100
        assert np.array_equal(found, expected)


class InNotebook(Hosted):
    # Of settings that it looks for in an extension of JupyterLab.
    theirs = ("(reading 'schema')",)


class InVoila(Hosted):
    # Its page wants a font from a CDN and does without; and it cannot load what Notebook 7 has installed for JupyterLab.
    theirs = ("@fortawesome", "module-federation.io")


def _cells() -> list[str]:
    return [VOLUME, f"{BROWSE}b", HEARD]


@contextmanager
def in_jupyter(lab: Lab, chromium: Browser, kind: type[Hosted] = Hosted) -> Iterator[Hosted]:
    """The volume in a notebook of a running JupyterLab or Notebook."""
    book = lab.open(chromium, "hosted", *_cells()[1:], kind=kind)
    assert isinstance(book, Hosted)
    yield book
    lab.close_windows()


@contextmanager
def in_notebook(home: Path, chromium: Browser) -> Iterator[Hosted]:
    """The volume in Notebook 7."""
    with (
        running_server(home, "notebook", "JupyterNotebookApp", "notebooks") as lab,
        in_jupyter(lab, chromium, InNotebook) as hosted,
    ):
        yield hosted


@contextmanager
def in_voila(home: Path, chromium: Browser) -> Iterator[Hosted]:
    """The volume in an application of Voilà."""
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in _cells()])
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, home / "hosted.ipynb")
    port = free_port()
    command = ["-m", "voila", "hosted.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
    with running(command, f"http://127.0.0.1:{port}/voila/static/voila.js", home, home):
        yield from _page(chromium, f"http://127.0.0.1:{port}/", InVoila)


# marimo runs functions: what one returns, others take.
_MARIMO = """import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
{browse}
    shown = mo.ui.anywidget(b)
    return b, mo, shown


@app.cell
def _(shown):
    shown
    return


@app.cell
def _(b, mo, shown):
    shown.value
    mo.md(f"heard slice {{b.index}} width {{b.window.width:g}}")
    return


@app.cell
def _(b, mo):
    mo.ui.button(label="slice three", on_click=lambda _: setattr(b, "index", 3))
    return
"""


@contextmanager
def in_marimo(home: Path, chromium: Browser) -> Iterator[Hosted]:
    """The volume in an application of marimo."""
    (home / "hosted.py").write_text(_MARIMO.format(browse=indent(VOLUME + BROWSE, "    ")), encoding="utf-8")
    port = free_port()
    command = [
        "-m",
        "marimo",
        "run",
        "hosted.py",
        "--headless",
        "--host=127.0.0.1",
        f"--port={port}",
        "--no-token",
    ]
    with running(command, f"http://127.0.0.1:{port}/health", home, home):
        yield from _page(chromium, f"http://127.0.0.1:{port}/", Hosted)


def _page(chromium: Browser, url: str, kind: type[Hosted]) -> Iterator[Hosted]:
    context = chromium.new_context(viewport={"width": 1000, "height": 900})
    hosted = kind(context.new_page())
    hosted.page.goto(url)
    yield hosted
    context.close()
