"""One real JupyterLab for all tests of the viewer."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import nbformat
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"

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

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.hosts: set[str] = set()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._see)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

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
            "(argument) => { const root = document.querySelector('.dl-browser'); const viewer = root?.dicomlab;"
            f" return root && ({script}); }}",
            arg=argument,
            timeout=timeout,
        )

    def ask(self, script: str, argument: Any = None) -> Any:
        """Return what a script of the page gives."""
        return self.page.evaluate(
            "(argument) => { const root = document.querySelector('.dl-browser'); const viewer = root?.dicomlab;"
            f" return {script}; }}",
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

    def screenshot(self, name: str, *, whole: bool = False) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        target = self.page if whole else self.page.locator(".dl-browser").first
        target.screenshot(path=SCREENSHOTS / f"{name}.png")


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A JupyterLab of our own: its address (with token) and its folder of notebooks."""
    home = tmp_path_factory.mktemp("home")
    folder = home / "notebooks"
    folder.mkdir()
    token = secrets.token_hex(16)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {
        name: str(home / name.lower())
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    }
    environment = {
        **os.environ,
        **own,
        "HOME": str(home),
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONPATH": str(ROOT),
        "JUPYTER_PREFER_ENV_PATH": "1",
    }
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += [
        f"--IdentityProvider.token={token}",
        f"--ServerApp.root_dir={folder}",
        "--ServerApp.port_retries=0",
    ]
    command += ["--LabApp.expose_app_in_browser=True"]
    settings = Path(own["JUPYTER_CONFIG_DIR"]) / "lab/user-settings/@jupyterlab/apputils-extension"
    settings.mkdir(parents=True)
    # No question about news over the pictures, and no look at the network for it.
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    if os.geteuid() == 0:
        command.append("--allow-root")
    with (home / "server.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        _await_server(server, f"{address}/api/status?token={token}", home / "server.log")
        yield f"{address}|{token}", folder
    finally:
        server.send_signal(signal.SIGTERM)  # it ends its kernels
        server.wait(20)


def _await_server(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"JupyterLab did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.2)


@pytest.fixture(scope="session")
def open_notebook(lab: tuple[str, Path], chromium: Browser) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of the given cells in a window of its own, and run them."""
    address, folder = lab
    url, token = address.split("|")
    contexts = []

    def opened(name: str, *cells: str, dark: bool = False) -> Notebook:
        book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in (VOLUME, *cells)])
        book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
        book.cells[0].metadata["jupyter"] = {"source_hidden": True}
        nbformat.write(book, folder / f"{name}.ipynb")
        context = chromium.new_context(
            viewport={"width": 1000, "height": 900}, color_scheme="dark" if dark else "light"
        )
        contexts.append(context)
        notebook = Notebook(context.new_page())
        notebook.page.goto(f"{url}/lab/tree/{name}.ipynb?reset&token={token}")
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

    yield opened
    for context in contexts:
        context.close()
