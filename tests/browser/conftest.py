"""One JupyterLab serves all tests of the viewer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib.metadata import version

import pytest
from playwright.sync_api import Browser

from .jupyter import Lab, Notebook, running_lab


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    # Another package can pull these down without a word, and the tests would then speak of something else.
    assert int(version("jupyterlab").split(".")[0]) >= 4
    assert int(version("ipywidgets").split(".")[0]) >= 8
    with running_lab(tmp_path_factory.mktemp("jupyter")) as running:
        yield running


@pytest.fixture(scope="session")
def open_notebook(lab: Lab, chromium: Browser) -> Iterator[Callable[..., Notebook]]:
    """Open a notebook of the given name and cells in a window of its own, and run them."""
    yield partial(lab.open, chromium)
    lab.close_windows()
