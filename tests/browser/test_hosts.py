"""The viewer in every program that runs it: the right pixels, hands, both ways to the kernel, harmful texts, no network."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import pytest
from playwright.sync_api import Browser

from .hosts import HARM, Hosted, in_jupyter, in_marimo, in_notebook, in_voila

pytestmark = pytest.mark.browser

PACKAGES = {"lab": "jupyterlab", "notebook": "notebook", "voila": "voila", "marimo": "marimo"}


@pytest.fixture(scope="module", params=list(PACKAGES))
def opened(
    request: pytest.FixtureRequest, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Hosted]]:
    name = request.param
    try:
        version(PACKAGES[name])
    except PackageNotFoundError:
        pytest.skip(f"the package {PACKAGES[name]} is not installed; the extra 'dev' has it")
    if name == "lab":
        start = in_jupyter(request.getfixturevalue("lab"), chromium)
    else:
        begin = {"notebook": in_notebook, "voila": in_voila, "marimo": in_marimo}[name]
        start = begin(tmp_path_factory.mktemp(name), chromium)
    with start as hosted:
        hosted.wait("root.dataset.complete === 'true'", timeout=40000)
        hosted.page.locator(".dl-browser").scroll_into_view_if_needed()
        yield name, hosted


@pytest.fixture
def hosted(opened: tuple[str, Hosted]) -> Iterator[Hosted]:
    yield opened[1]
    assert opened[1].errors == []


def centre(hosted: Hosted) -> tuple[float, float]:
    box = hosted.page.locator(".dl-stage").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_the_host_is_of_the_version_that_is_meant(opened: tuple[str, Hosted]) -> None:
    # Another package can pull one down without a word (Notebook to 6), and the tests would speak of something else.
    name, hosted = opened
    installed = version(PACKAGES[name])
    major, minor = map(int, installed.split(".")[:2])
    assert (major, minor) >= {"lab": (4, 2), "notebook": (7, 2), "voila": (0, 5), "marimo": (0, 20)}[name]
    if name in ("lab", "notebook"):
        assert hosted.page.evaluate("[jupyterapp.name, jupyterapp.version]") == [
            {"lab": "JupyterLab", "notebook": "Jupyter Notebook"}[name],
            installed,
        ]
    if name == "marimo":
        assert hosted.ask("root.getRootNode() instanceof ShadowRoot") is True


def test_wheel_and_keys_walk_to_the_slices_that_python_shows_and_python_hears_of_it(hosted: Hosted) -> None:
    hosted.shown(12)
    hosted.as_python(12, 400)
    hosted.page.mouse.move(*centre(hosted))
    hosted.page.mouse.wheel(0, 100)
    hosted.shown(13)
    hosted.heard("heard slice 13 width 400")
    hosted.page.locator(".dl-browser").focus()
    hosted.page.keyboard.press("End")
    hosted.shown(23)
    hosted.as_python(23, 400)
    hosted.heard("heard slice 23 width 400")


def test_what_python_sets_is_shown(hosted: Hosted) -> None:
    hosted.page.get_by_role("button", name="slice three").click()
    hosted.shown(3)
    hosted.as_python(3, 400)


def test_a_window_is_drawn_with_the_mouse_and_python_has_the_same(hosted: Hosted) -> None:
    x, y = centre(hosted)
    index = hosted.ask("viewer.index")
    hosted.page.mouse.move(x, y)
    hosted.page.mouse.down()
    hosted.page.mouse.move(x + 40, y, steps=4)
    hosted.page.mouse.up()
    width = hosted.ask("viewer.look.window.width")
    assert width > 420
    hosted.heard(f"heard slice {index} width {width:g}")
    hosted.as_python(index, width)
    hosted.page.mouse.dblclick(x, y)


def test_letters_typed_into_the_viewer_do_nothing_to_the_notebook(
    opened: tuple[str, Hosted], hosted: Hosted
) -> None:
    name, _ = opened
    cells = hosted.page.locator(".jp-Cell").count()
    assert (cells > 1) == (name in ("lab", "notebook", "voila"))
    inverted = hosted.ask("viewer.look.invert")
    hosted.page.locator(".dl-browser").focus()
    for key in "ddxx":  # "d d" deletes a cell, "x" cuts it; here "x" inverts
        hosted.page.keyboard.press(key)
    hosted.page.keyboard.press("x")
    assert hosted.ask("viewer.look.invert") is not inverted
    hosted.page.keyboard.press("x")
    assert hosted.page.locator(".jp-Cell").count() == cells
    hosted.still()


def test_texts_that_mean_harm_are_shown_as_text(hosted: Hosted) -> None:
    hosted.page.mouse.move(*centre(hosted))
    hosted.wait("viewer.chrome.probe.textContent.includes('<b>bold</b>')")
    assert any(HARM[:20] in one for one in hosted.texts())
    hosted.page.locator(".dl-badge").click()
    assert hosted.page.locator(".dl-findings").inner_text().startswith(HARM)
    hosted.page.keyboard.press("Escape")
    hosted.ask("viewer.chrome.closePanel()")
    options = hosted.page.get_by_label("Window preset").locator("option").all_text_contents()
    assert any(HARM in one for one in options)
    assert hosted.ask("[...root.querySelectorAll('img, b, script')].length") == 0
    assert hosted.page.evaluate("window.harmed") is None


def test_nothing_is_asked_from_other_machines(opened: tuple[str, Hosted]) -> None:
    name, hosted = opened
    assert hosted.hosts <= {"127.0.0.1", ""}
    assert hosted.errors == []
    hosted.screenshot(f"host_{name}", whole=True)
