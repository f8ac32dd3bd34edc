"""What every test stands on: no screen, examples in docstrings that find what they name, and Chromium."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

import dicomlab

if TYPE_CHECKING:
    from playwright.sync_api import Browser

_SECONDS = {
    "test_course.py": 180,
    "test_notebooks.py": 80,
    "test_kinds.py": 50,
    "test_privacy_audit.py": 45,
    "test_cohort.py": 30,
    "test_pitfalls.py": 30,
    "test_direct.py": 20,
    "test_network.py": 15,
}
"""What files of tests take that take long, so that parts take equally long; others take a few seconds."""

# Whoever else works on the machine decides how long an example takes.
settings.register_profile("here", deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Tests can be run in halves, side by side."""
    parser.addoption(
        "--part", metavar="K/N", help="files of tests that take a part of the time: 1/2 and 2/2 are all"
    )


def pytest_configure() -> None:
    """Let tests interrupt themselves, too, where a shell has put them into the background, deaf to it; and take their time."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # In CI Hypothesis has a profile of its own: no deadline, and always the same examples.
    if not os.environ.get("CI"):
        settings.load_profile("here")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the files of the part that is asked for."""
    if part := config.getoption("--part"):
        first, count = map(int, part.split("/"))
        parts: list[set[Path]] = [set() for _ in range(count)]
        taken = [0] * count
        files = {path: _SECONDS.get(path.name, 2) for path in sorted({item.path for item in items})}
        for path in sorted(files, key=files.__getitem__, reverse=True):
            least = taken.index(min(taken))
            parts[least].add(path)
            taken[least] += files[path]
        mine = parts[first - 1]
        config.hook.pytest_deselected(items=[item for item in items if item.path not in mine])
        items[:] = [item for item in items if item.path in mine]


@pytest.fixture(autouse=True)
def _examples(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give examples in docstrings a folder of their own, `tmp_path`, and the usual short names."""
    monkeypatch.setenv("MPLBACKEND", "Agg")
    if isinstance(request.node, pytest.DoctestItem):
        names: dict[str, Any] = request.getfixturevalue("doctest_namespace")
        tmp_path: Path = request.getfixturevalue("tmp_path")
        monkeypatch.chdir(tmp_path)
        names.update(tmp_path=tmp_path, dl=dicomlab)


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None for the one that Playwright itself may have brought."""
    names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]
    apps = Path("/Applications")
    places = [os.environ.get("DICOMLAB_CHROMIUM"), *map(shutil.which, names)]
    places += [
        str(apps / f"{name}.app" / "Contents" / "MacOS" / name) for name in ("Chromium", "Google Chrome")
    ]
    return next((place for place in places if place and Path(place).exists()), None)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """Return a running Chromium. That there is none is an error, not a reason to skip."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Chromium's sandbox needs what containers seldom grant; the pages opened here are our own.
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()
