"""A VOI LUT in the viewer: the same bytes as Python, chosen by name, left by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .jupyter import Notebook
from .test_viewer import centre, drag

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

LUTS = """
import numpy as np
from dicomlab import VoiLut, Window
from dicomlab.view.browser import browse
from dicomlab.windowing import window_attrs
rising = VoiLut(-300, np.floor(4095 / (1 + np.exp(np.linspace(5, -5, 800)))).astype(int), 12, "<b>SOFT</b>")
falling = VoiLut(-200, range(1000, 0, -2), 10, "BONES DARK")
v = volume()
for name in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"):
    v.attrs.pop(name, None)
v.attrs |= window_attrs([rising, falling, Window(40, 400, explanation="PLAIN")])
b = browse(v, height=420)
b
"""


@pytest.fixture(scope="module")
def viewer(open_notebook: Open) -> Notebook:
    book = open_notebook("lut", LUTS)
    book.shown(12)
    book.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 24")
    return book


def choose(book: Notebook, begins: str) -> None:
    select = book.page.get_by_label("Window preset")
    names = select.locator("option").all_text_contents()
    select.select_option(index=names.index(next(name for name in names if name.startswith(begins))))
    book.wait("viewer.frame === 0")


def test_a_lut_is_drawn_as_python_draws_it_chosen_by_name_and_left_by_a_drag(viewer: Notebook) -> None:
    assert viewer.value("b.window == rising")
    viewer.same()
    assert "LUT -300 to 499" in viewer.texts()
    select = viewer.page.get_by_label("Window preset")
    assert select.evaluate("(one) => one.selectedOptions[0].textContent").startswith("<b>SOFT</b> (file)"), (
        "text is text"
    )

    choose(viewer, "BONES DARK (file)  LUT -200 to 299")
    viewer.synced("b.window == falling", True)
    viewer.same()
    viewer.page.get_by_role("button", name="coronal plane").click()
    viewer.synced("b.plane", "coronal")
    viewer.shown()
    viewer.same()
    viewer.page.get_by_role("button", name="axial plane").click()
    viewer.shown(12)

    # By hand: the window over the same values, and what was dark stays dark.
    drag(viewer, 60, 0)
    viewer.synced("[type(b.window).__name__, b.window.center, b.invert]", ["Window", 50, True])
    assert viewer.ask("viewer.look.window.width") > 600
    viewer.wait("viewer.frame === 0")
    viewer.same()

    viewer.page.mouse.move(*centre(viewer))
    viewer.page.locator(".dl-browser").focus()
    viewer.page.keyboard.press("Escape")  # the first window again, which is a table
    viewer.synced("[b.window == rising, b.invert]", [True, False])

    viewer.run("b.window = falling")
    viewer.wait("viewer.look.window.lut?.startsWith('-200 299 ')")
    viewer.run("b.window = (falling.center, 77)")
    viewer.wait("viewer.look.window.width === 77 && !viewer.look.window.lut")
    assert viewer.value("b.window == Window(falling.center, 77)")
    assert viewer.errors == []


def test_the_exported_page_draws_the_lut_without_a_kernel(
    viewer: Notebook, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("page") / "lut.html"
    viewer.run(f"b.plane, b.index, b.window = 'axial', 12, rising; b.to_html({str(path)!r})")
    page = Notebook(viewer.page.context.new_page())
    page.page.goto(path.as_uri())
    page.shown(12)
    shown = page.canvas()
    page.page.close()
    assert (shown == viewer.picture(shown)).all()
