"""A real JupyterLab of our own, driven from outside; for the tests of the viewer and for benchmarks/browser.py."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
import numpy as np
import psutil
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"

# Script for the slices that all viewers of a page share (SLOT in js/cache.js).
CACHE = "globalThis[Symbol.for('dicomlab.slices/3')]"

# The volume of most tests; every value tells its own place, and the axes are all different.
VOLUME = """
import numpy as np
import xarray as xr

def volume(shape=(24, 96, 128), dtype="int16", *, slices=None, direction=(0, 0, 1, 0, 1, 0, 1, 0, 0), **attrs):
    s, r, c = np.indices(shape)
    blob = np.hypot(r - shape[1] / 2, c - shape[2] / 2) < min(shape[1:]) / 2.3
    values = np.where(blob, (7 * s + 11 * r + 13 * c) % 1500 - 300, -1000)
    mm = -60 + 2.5 * np.arange(shape[0]) if slices is None else np.asarray(slices, float)
    frame = xr.Variable((), "1.2.826.0.1", {"direction": list(map(float, direction)), "coordinate_system": "LPS"})
    return xr.DataArray(
        values.astype(dtype),
        dims=("slice", "row", "column"),
        coords={
            "slice": ("slice", mm, {"units": "mm"}),
            "row": ("row", -40 + 0.75 * np.arange(shape[1]), {"units": "mm"}),
            "column": ("column", -50 + 0.75 * np.arange(shape[2]), {"units": "mm"}),
            "frame_of_reference": frame,
        },
        attrs={"units": "HU", "Modality": "CT", **attrs},
    )
"""


class Notebook:
    """A notebook open in JupyterLab, with its page and a line to its kernel."""

    root = "document.querySelector('.dl-browser')"
    """The first viewer of the page, as a script."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._hear_error(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._hear_error(message.text)

    def _hear_error(self, text: str) -> None:
        self.errors.append(text)

    def _see(self, request: Request) -> None:
        self.hosts.add(urlparse(request.url).hostname or "")

    def run(self, code: str) -> str:
        """Run code in the kernel, outside any cell, and return what it printed."""
        result: dict[str, str] = self.page.evaluate(
            """async (code) => {
                const kernel = window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
                let text = "";
                let error = "";
                const future = kernel.requestExecute({ code });
                future.onIOPub = (message) => {
                    if (message.header.msg_type === "stream") text += message.content.text;
                    if (message.header.msg_type === "error") error = message.content.traceback.join("\\n");
                };
                await future.done;
                return { text, error };
            }""",
            code,
        )
        assert not result["error"], result["error"]
        return result["text"].strip()

    def value(self, expression: str) -> Any:
        """Return what an expression is in the kernel, through JSON."""
        return json.loads(self.run(f"import json; print(json.dumps({expression}))"))

    def wait(self, script: str, argument: Any = None, timeout: float = 8000) -> None:
        """Wait until a script of the page is true; `viewer` is the first viewer."""
        self.page.wait_for_function(
            f"(argument) => {{ const root = {self.root}; const viewer = root?.dicomlab;"
            f" return root && ({script}); }}",
            arg=argument,
            timeout=timeout,
        )

    def ask(self, script: str, argument: Any = None) -> Any:
        """Return what a script of the page gives."""
        return self.page.evaluate(
            f"(argument) => {{ const root = {self.root}; const viewer = root?.dicomlab; return {script}; }}",
            argument,
        )

    def shown(self, index: int | None = None) -> None:
        """Wait until the wanted slice (or the given one) is on the screen."""
        self.wait(
            "root.dataset.complete === 'true' && (argument === null || root.dataset.drawn === String(argument))",
            index,
        )

    def synced(self, expression: str, expected: Any) -> None:
        """Wait until the kernel has heard of a change."""
        deadline = time.monotonic() + 5
        while (found := self.value(expression)) != expected:
            assert time.monotonic() < deadline, f"{expression} is {found!r}, not {expected!r}"
            time.sleep(0.05)

    def still(self) -> None:
        """Wait until all is drawn, and Python has heard of it."""
        self.wait("root.dataset.complete === 'true' && viewer.frame === 0")
        self.page.wait_for_timeout(250)  # the kernel is told after 150 ms of quiet
        self.wait("root.dataset.complete === 'true' && viewer.frame === 0")

    def canvas(self) -> np.ndarray:
        """RGB of the first viewer's canvas, (height, width, 3)."""
        width, height, text = self.ask(
            """(() => { const { canvas } = viewer.stage; const { width, height } = canvas;
                const { data } = canvas.getContext('2d').getImageData(0, 0, width, height);
                let text = '';
                for (let i = 0; i < data.length; i += 4) text += String.fromCharCode(data[i], data[i + 1], data[i + 2]);
                return [width, height, btoa(text)]; })()"""
        )
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(height, width, 3)

    def bytes(self, expression: str, like: np.ndarray) -> np.ndarray:
        """An array of bytes of the kernel, of the shape of another one; as numbers it would be too much for its line."""
        text = self.run(f"import base64; print(base64.b64encode(({expression}).tobytes()).decode())")
        return np.frombuffer(base64.b64decode(text), np.uint8).reshape(like.shape)

    def picture(self, like: np.ndarray, browser: str = "b") -> np.ndarray:
        """What Python says that a canvas of the same size shows."""
        return self.bytes(f"{browser}.picture({like.shape[1]}, {like.shape[0]})", like)

    def same(self, browser: str = "b") -> None:
        """Every byte of the canvas is that of `SliceBrowser.picture`, and the picture is not empty."""
        self.still()
        found = self.canvas()
        expected = self.picture(found, browser)
        assert len(np.unique(expected)) > 1
        apart = (found != expected).any(axis=2)
        assert not apart.any(), (
            f"{apart.sum()} of {apart.size} pixels differ, first {np.argwhere(apart)[:3].tolist()}"
        )

    def texts(self) -> list[str]:
        """What is written over the picture."""
        found: list[str] = self.ask(
            "[...viewer.chrome.svg.querySelectorAll('text')].map((one) => one.textContent)"
        )
        return found

    @property
    def letters(self) -> list[str]:
        """Of the first pane: left, right, top, bottom."""
        return self.page.locator(".dl-browser").first.locator(".dl-letter").all_text_contents()[:4]

    def screenshot(self, name: str, *, whole: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        target = self.page if whole else self.page.locator(".dl-browser").first
        target.screenshot(path=SCREENSHOTS / f"{name}.png")


@dataclass
class Lab:
    """A running server, its secret and its folder of notebooks."""

    url: str
    token: str
    folder: Path
    path: str = "lab/tree"
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(
        self,
        chromium: Browser,
        name: str,
        *cells: str,
        dark: bool = False,
        width: int = 1000,
        height: int = 900,
        kind: type[Notebook] = Notebook,
    ) -> Notebook:
        """Open a new notebook of the given cells in a window of its own, and run them."""
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (VOLUME, *cells)])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book.cells[0].metadata["jupyter"] = {"source_hidden": True}
        nbformat.write(book, self.folder / f"{name}.ipynb")
        notebook = self.window(chromium, name, dark=dark, width=width, height=height, kind=kind)
        notebook.page.wait_for_function(
            "() => window.jupyterapp?.shell.currentWidget?.context?.sessionContext?.session?.kernel?.status === 'idle'",
            timeout=40000,
        )
        if dark:
            notebook.page.evaluate(
                "() => window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })"
            )
        notebook.page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
        return notebook

    def window(
        self,
        chromium: Browser,
        name: str,
        *,
        dark: bool = False,
        width: int = 1000,
        height: int = 900,
        kind: type[Notebook] = Notebook,
    ) -> Notebook:
        """Open a notebook as it is saved in a window of its own."""
        scheme = "dark" if dark else "light"
        context = chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
        self.contexts.append(context)
        notebook = kind(context.new_page())
        notebook.page.goto(f"{self.url}/{self.path}/{name}.ipynb?reset&token={self.token}")
        return notebook

    def close_windows(self) -> None:
        while self.contexts:
            self.contexts.pop().close()


@contextmanager
def running_lab(home: Path) -> Iterator[Lab]:
    """Start a JupyterLab that knows nothing of the user's own settings, and end it and its kernels."""
    config = home / "config"
    settings = config / "lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    # No question about news over the pictures, and no look at the network for it.
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    with running_server(home, "jupyterlab", "LabApp", "lab/tree") as lab:
        yield lab


@contextmanager
def running_server(home: Path, module: str, app: str, path: str) -> Iterator[Lab]:
    """Start JupyterLab or Notebook, with settings and notebooks of its own in a folder; `path` opens a notebook."""
    folder = home / "notebooks"
    folder.mkdir()
    token, port = secrets.token_hex(16), free_port()
    command = [
        *("-m", module, "--no-browser", "--ip=127.0.0.1", f"--port={port}"),
        *(
            f"--IdentityProvider.token={token}",
            f"--ServerApp.root_dir={folder}",
            "--ServerApp.port_retries=0",
        ),
        f"--{app}.expose_app_in_browser=True",
        *(["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []),
    ]
    url = f"http://127.0.0.1:{port}"
    with running(command, f"{url}/api/status?token={token}", home, folder):
        yield Lab(url, token, folder, path)


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(command: list[str], ready: str, home: Path, folder: Path) -> Iterator[None]:
    """Run a server in Python until the block ends; it is there when the address `ready` answers."""
    environment = {
        **os.environ,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "JUPYTER_CONFIG_DIR": str(home / "config"),
        "JUPYTER_DATA_DIR": str(home / "data"),
        "JUPYTER_RUNTIME_DIR": str(home / "runtime"),
        "XDG_CACHE_HOME": str(home / "cache"),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
        "PYTHONPATH": str(ROOT),
    }
    log = home / "server.log"
    with log.open("w") as out:
        server = subprocess.Popen(
            [sys.executable, *command], env=environment, cwd=folder, stdout=out, stderr=out
        )
    try:
        _await_server(server, ready, log)
        yield
    finally:
        kernels = psutil.Process(server.pid).children(recursive=True) if server.poll() is None else []
        server.send_signal(signal.SIGTERM)  # it ends its kernels
        server.wait(20)
        _, left = psutil.wait_procs(kernels, timeout=5)
        assert not left, f"{command[1]} left {left} behind"


def _await_server(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The server did not start:\n{log.read_text()[-3000:]}") from None
            time.sleep(0.2)
