"""The viewer in JupyterLab, used with mouse and keys as a person would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from .jupyter import CACHE, Notebook

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

CT = """
from dicomlab.view.browser import browse
v = volume(SeriesDescription="Thorax", WindowCenter=[40.0], WindowWidth=[400.0],
           WindowCenterWidthExplanation=["MEDIASTINUM"])
b = browse(v, height=420)
b
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Open) -> Notebook:
    book = open_notebook("viewer", CT)
    book.shown(12)
    book.wait(
        "viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 24"
    )  # all is here, nothing more on its way
    return book


@pytest.fixture
def viewer(notebook: Notebook) -> Iterator[Notebook]:
    """The viewer as it was at first."""
    yield notebook
    notebook.page.mouse.up()
    notebook.page.locator(".dl-browser").focus()
    notebook.ask("(viewer.chrome.closePanel(), viewer.setTool('window'), viewer.act('reset'))")
    notebook.ask("(viewer.setLayout('single'), viewer.setPlane('axial'))")
    notebook.still()  # what the page has not told yet would be newer than what Python says
    notebook.run(
        "b.position = [float(v[d].values[k]) for d, k in (('column', 64), ('row', 48), ('slice', 12))]"
    )
    notebook.shown(12)
    notebook.still()
    notebook.synced(
        "[b.plane, b.panes, b.index, b.window.width, b.zoom, b.slab]",
        ["axial", "single", 12, 400.0, 1.0, None],
    )
    assert notebook.errors == []


def centre(book: Notebook) -> tuple[float, float]:
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(book: Notebook, dx: int, dy: int, button: str = "left", *, release: bool = True) -> None:
    x, y = centre(book)
    book.page.mouse.move(x, y)
    book.page.mouse.down(button=button)  # type: ignore[arg-type]
    book.page.mouse.move(x + dx / 2, y + dy / 2)
    book.page.mouse.move(x + dx, y + dy)
    if release:
        book.page.mouse.up(button=button)  # type: ignore[arg-type]


def test_first_the_middle_slice_is_shown_through_the_window_of_the_file(viewer: Notebook) -> None:
    assert viewer.ask("root.dataset.drawn") == "12"
    written = viewer.texts()
    assert {"slice 13/24", "30.0 mm F", "W 400 L 40", "CT Thorax", "in HU   2.5 × 0.75 × 0.75 mm"} <= set(
        written
    )
    assert viewer.letters == ["R", "L", "A", "P"]
    viewer.same()
    viewer.screenshot("light")


WINDOWS = [
    "Window(40, 400)",
    "Window(40.5, 1)",
    "Window(0, 1500, 'LINEAR_EXACT')",
    "Window(7.25, 0.5, 'LINEAR_EXACT')",
    "Window(100, 300, 'SIGMOID')",
    "VoiLut(-300, [round(255 * (i / 799) ** 0.5) for i in range(800)], 8)",
    "VoiLut(-100, range(4095, 0, -9), 12)",
]


@pytest.mark.parametrize("window", WINDOWS)
def test_every_pixel_equals_the_picture_of_python_through_every_window(viewer: Notebook, window: str) -> None:
    for invert, cmap in ((False, "gray"), (True, "gray"), (True, "viridis")):
        viewer.run("from dicomlab.windowing import *; from dicomlab.voi import *")
        viewer.run(f"b.window = {window}; b.invert, b.cmap = {invert}, {cmap!r}")
        viewer.wait("viewer.look.cmap === argument[1] && viewer.look.invert === argument[0]", [invert, cmap])
        viewer.same()
    viewer.run("b.cmap = 'gray'")


VIEWS = [
    "b.panes = 'planes'",
    "b.panes = 'planes'; b.plane = 'coronal'; b.zoom = 2.3",
    "b.panes = 'montage'; b.stride = 2",
    "b.panes = 'montage'; b.plane = 'sagittal'; b.tiles = [2, 3]; b.stride = 9",
    "b.plane = 'sagittal'; b.slab = ('mip', 12.0)",
    "b.panes = 'planes'; b.slab = ('average', 7.5)",
    "b.panes = 'planes'; b.slab = ('minip', 4.0); b.interpolation = 'nearest'",
    "b.plane = 'coronal'; b.zoom = 3.7; b.pan = [3.0, 0.0, -7.0]",
    "b.zoom = 0.6; b.interpolation = 'nearest'",
    "b.panes = 'planes'; b._turn = turn; b.position = [1.0, -3.0, -20.0]",
    "b.panes = 'montage'; b._turn = turn; b.plane = 'coronal'",
    "b._turn = turn; b.slab = ('mip', 9.0)",
]


@pytest.mark.parametrize("view", VIEWS)
def test_every_pixel_equals_the_picture_of_python_in_every_layout(viewer: Notebook, view: str) -> None:
    viewer.run(
        "from scipy.spatial.transform import Rotation\n"
        "turn = Rotation.from_rotvec([0.2, -0.35, 0.15]).as_matrix().ravel().tolist()\n"
        f"before = {{name: getattr(b, name) for name in ('tiles', 'stride', 'interpolation', 'pan')}}\n{view}"
    )
    try:
        viewer.page.wait_for_timeout(100)
        viewer.same()
    finally:
        viewer.run("for name, value in before.items(): setattr(b, name, value)")


def test_the_wheel_changes_the_slice_and_the_page_stays(viewer: Notebook) -> None:
    scrolled = "document.querySelector('.jp-WindowedPanel-outer, .jp-Notebook').scrollTop"
    viewer.page.locator(".dl-browser").scroll_into_view_if_needed()
    before = viewer.ask(scrolled)
    viewer.page.mouse.move(*centre(viewer))
    viewer.page.mouse.wheel(0, 100)
    viewer.shown(13)
    for _ in range(15):
        viewer.page.mouse.wheel(0, 100)
    viewer.shown(23)  # the end of the stack
    viewer.page.mouse.wheel(0, -100)
    viewer.shown(22)
    assert viewer.ask(scrolled) == before
    viewer.synced("b.index", 22)
    viewer.synced("round(b.position[2], 6)", -5.0)


def test_a_drag_changes_the_window_and_tells_the_kernel_only_when_the_button_is_let_go(
    viewer: Notebook,
) -> None:
    viewer.ask(
        """(() => { window.sent = 0; const kernel = jupyterapp.shell.currentWidget.context.sessionContext.session.kernel;
            kernel.anyMessage.connect((_, { direction }) => { if (direction === 'send') window.sent++; }); })()"""
    )
    drag(viewer, 100, 40, release=False)
    viewer.page.wait_for_timeout(500)
    assert viewer.page.evaluate("sent") == 0
    assert viewer.ask("viewer.look.window.width") > 500, "to the right is wider"
    assert viewer.ask("viewer.look.window.center") > 80, "down is a higher level, so darker"
    viewer.page.mouse.up()
    viewer.page.wait_for_timeout(400)
    assert viewer.page.evaluate("sent") == 1
    viewer.synced("b.window.width", viewer.ask("viewer.look.window.width"))
    viewer.same()


def test_middle_drag_moves_and_right_drag_zooms_about_the_pointer(viewer: Notebook) -> None:
    pixel = viewer.ask("viewer.stage.panes[0].plane.pixel")
    drag(viewer, 60, -30, "middle")
    assert viewer.ask("viewer.state.scene.pan") == pytest.approx(
        [60 * pixel, -30 * pixel, 0], abs=0.5 * pixel
    )
    drag(viewer, 0, 80, "right")
    assert viewer.ask("viewer.stage.panes[0].plane.pixel") < pixel / 1.5
    assert viewer.page.locator(".lm-Menu").count() == 0, "no menu opens"
    viewer.same()
    viewer.page.keyboard.press("Escape")
    x, y = centre(viewer)
    viewer.page.mouse.move(x + 50, y - 60)
    under = "viewer.stage.lpsAt(viewer.stage.panes[0], ...viewer.pointer)"
    before, voxels = viewer.ask(under), viewer.ask("viewer.chrome.probe.textContent").split("LPS")[0]
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -300)
    viewer.page.keyboard.up("Control")
    viewer.wait("viewer.state.scene.zoom > 1.5 && viewer.frame === 0")
    assert viewer.ask(under) == pytest.approx(
        before, abs=pixel
    )  # less than a pixel: voxels begin where pixels begin
    assert viewer.ask("viewer.chrome.probe.textContent").split("LPS")[0] == voxels
    viewer.page.mouse.dblclick(x, y)
    assert viewer.ask("[viewer.state.scene.zoom, ...viewer.state.scene.pan]") == [1, 0, 0, 0]


def test_control_and_double_click_bring_the_first_window_back(viewer: Notebook) -> None:
    drag(viewer, -90, 30)
    assert viewer.ask("viewer.look.window.width") < 350
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.dblclick(*centre(viewer))
    viewer.page.keyboard.up("Control")
    assert viewer.ask("viewer.look.window") == {"center": 40, "width": 400, "function": "LINEAR"}


def test_keys_walk_through_the_stack_only_while_the_viewer_has_the_focus(viewer: Notebook) -> None:
    viewer.page.locator(".dl-browser").focus()
    for key, index in [
        ("ArrowDown", 13), ("ArrowUp", 12), ("Shift+ArrowDown", 22), ("PageUp", 12), ("PageDown", 22), ("End", 23),
        ("Home", 0), ("ArrowUp", 0),
    ]:  # fmt: skip
        viewer.page.keyboard.press(key)
        viewer.shown(index)
    cells = viewer.page.locator(".jp-Cell").count()
    viewer.page.keyboard.press("d")
    viewer.page.keyboard.press("d")  # "d d" deletes the cell in command mode
    viewer.page.keyboard.press("x")  # "x" cuts it
    assert viewer.page.locator(".jp-Cell").count() == cells
    assert viewer.ask("viewer.look.invert") is True
    viewer.page.keyboard.press("1")
    assert viewer.ask("viewer.look.window") == {"center": 40, "width": 400, "function": "LINEAR"}
    viewer.page.keyboard.press("3")
    assert viewer.ask("viewer.look.window") == {"center": 480, "width": 2500, "function": "LINEAR"}
    count = len(viewer.texts())
    viewer.page.keyboard.press("i")
    viewer.wait("viewer.frame === 0")
    assert viewer.texts() == []
    viewer.page.keyboard.press(" ")
    viewer.wait("viewer.frame === 0")
    assert len(viewer.texts()) == count
    viewer.page.keyboard.press("p")
    viewer.wait("viewer.stage.panes.length === 3")
    viewer.page.keyboard.press("p")
    viewer.wait("viewer.stage.panes.length === 1")
    viewer.page.locator(".jp-Notebook .cm-content").last.click()
    viewer.page.keyboard.press("End")
    viewer.page.wait_for_timeout(100)
    assert viewer.ask("viewer.index") == 0


def test_question_mark_lists_mouse_and_keys_and_escape_closes_the_list(viewer: Notebook) -> None:
    viewer.page.locator(".dl-browser").focus()
    viewer.page.keyboard.press("?")
    help_text = viewer.page.locator(".dl-help").inner_text()
    assert all(word in help_text for word in ("Wheel", "Left drag", "window presets", "Esc"))
    viewer.screenshot("help")
    viewer.page.keyboard.press("Escape")
    assert not viewer.page.locator(".dl-help").is_visible()


def test_slider_and_presets_work_with_the_mouse(viewer: Notebook) -> None:
    slider = viewer.page.get_by_role("slider", name="slice")
    slider.fill("5")
    viewer.shown(5)
    assert slider.get_attribute("aria-valuetext") == "axial 6 of 24"
    select = viewer.page.get_by_label("Window preset")
    groups = select.locator("optgroup").evaluate_all("(all) => all.map((one) => one.label)")
    assert groups == ["from the file", "automatic", "presets"]
    names = select.locator("option").all_text_contents()
    assert [name.split("  ")[0] for name in names[1:]] == [
        "MEDIASTINUM (file)", "auto", "soft tissue", "lung", "bone", "brain", "liver", "mediastinum", "stroke", "subdural",
    ]  # fmt: skip
    select.select_option(index=names.index(next(name for name in names if name.startswith("lung"))))
    viewer.synced("[b.window.center, b.window.width]", [-600.0, 1500.0])


def test_the_probe_tells_value_voxel_and_patient_position_of_what_is_drawn_there(viewer: Notebook) -> None:
    viewer.run("b.panes = 'planes'")
    viewer.wait("viewer.stage.panes.length === 3")
    viewer.still()
    box = viewer.page.locator(".dl-stage").bounding_box()
    assert box
    spacing = np.array([2.5, 0.75, 0.75])
    for number in range(3):
        left, top, width, height = viewer.ask(
            "(({ left, top, plane }) => [left, top, plane.width, plane.height])(viewer.stage.panes[argument])",
            number,
        )
        for fx, fy in ((0.5, 0.5), (0.41, 0.45), (0.6, 0.57)):
            viewer.page.mouse.move(box["x"] + left + fx * width, box["y"] + top + fy * height)
            text = viewer.ask("viewer.chrome.probe.textContent")
            match = re.fullmatch(r"(\S+) HU   voxel \[(.+)\]   LPS \((.+)\) mm", text)
            assert match, text
            s, r, c = json.loads(f"[{match[2]}]")
            value, *lps = viewer.value(
                f"(lambda p: [int(p), float(p.column), float(p.row), float(p.slice)])(v[{s}, {r}, {c}])"
            )
            assert int(match[1]) == value
            there = [float(mm) for mm in match[3].split(",")]
            assert (np.abs(np.subtract(there, lps)) <= spacing[::-1] / 2 + 0.006).all(), "within this voxel"
    viewer.run("b.panes, b.zoom = 'single', 0.7")
    viewer.wait("viewer.stage.panes.length === 1")
    viewer.page.mouse.move(box["x"] + 3, box["y"] + 200)
    assert viewer.ask("viewer.chrome.probe.textContent") == "", "nothing beside the picture"


def test_planes_are_hung_as_radiologists_do(viewer: Notebook) -> None:
    for plane, index, letters in (
        ("coronal", 30, ["R", "L", "H", "F"]),
        ("sagittal", 70, ["A", "P", "H", "F"]),
    ):
        viewer.page.get_by_role("button", name=f"{plane} plane").click()
        viewer.synced("b.plane", plane)
        viewer.run(f"b.index = {index}")
        viewer.shown(index)
        assert viewer.letters == letters
        viewer.same()
        viewer.screenshot(plane)


def test_python_sets_what_the_viewer_shows(viewer: Notebook) -> None:
    viewer.run("b.index = 3; b.window = 'bone'; b.invert = True")
    viewer.shown(3)
    viewer.wait("viewer.look.invert && viewer.look.window.width === 2500")
    viewer.run("b.position = [0.0, -10.0, -20.0]")
    viewer.shown(16)
    viewer.run("b.plane = 'sagittal'")
    viewer.wait("viewer.state.scene.plane === 'sagittal'")
    assert (
        viewer.value("b.index")
        == viewer.ask("viewer.index")
        == viewer.value("int(abs(v.column.values).argmin())")
    )


def test_the_crosshair_leads_all_planes_to_the_point_under_the_pointer(viewer: Notebook) -> None:
    viewer.page.locator(".dl-browser").focus()
    viewer.page.keyboard.press("p")
    viewer.wait("viewer.stage.panes.length === 3")
    box = viewer.page.locator(".dl-stage").bounding_box()
    assert box
    left, top, width, height = viewer.ask(
        "(({ left, top, plane }) => [left, top, plane.width, plane.height])(viewer.stage.panes[0])"
    )
    x, y = left + 0.4 * width, top + 0.6 * height
    viewer.page.mouse.move(box["x"] + x, box["y"] + y)
    assert viewer.ask("viewer.state.scene.position[0]") == viewer.value("b.position[0]"), (
        "without Shift it stays"
    )
    viewer.page.keyboard.down("Shift")
    viewer.page.mouse.move(box["x"] + x + 1, box["y"] + y)
    viewer.page.keyboard.up("Shift")
    expected = viewer.ask("viewer.stage.lpsAt(viewer.stage.panes[0], ...argument)", [x + 1, y])
    assert viewer.ask("viewer.state.scene.position") == pytest.approx(expected, abs=1e-3)
    viewer.same()
    viewer.synced("b.position", viewer.ask("viewer.state.scene.position"))
    # A drag near the crossing moves it, one on a line further out tilts the other planes and leaves the point.
    viewer.page.mouse.move(box["x"] + x + 1, box["y"] + y)
    viewer.page.mouse.down()
    viewer.page.mouse.move(box["x"] + x + 20, box["y"] + y - 15, steps=4)
    viewer.page.mouse.up()
    moved = viewer.ask("viewer.stage.lpsAt(viewer.stage.panes[0], ...argument)", [x + 20, y - 15])
    assert viewer.ask("viewer.state.scene.position") == pytest.approx(moved, abs=1e-3)
    assert viewer.ask("viewer.look.window.width") == 400
    viewer.page.mouse.move(box["x"] + x + 20 + 100, box["y"] + y - 15)
    viewer.page.mouse.down()
    viewer.page.mouse.move(box["x"] + x + 20 + 100, box["y"] + y - 15 + 20)
    viewer.page.mouse.move(box["x"] + x + 20 + 100, box["y"] + y - 15 + 58)
    viewer.page.mouse.up()
    assert viewer.ask("viewer.state.scene.position") == pytest.approx(moved, abs=1e-3)
    angle = np.degrees(np.arctan2(58, 100))
    turn = np.array(viewer.ask("viewer.state.scene.turn")).reshape(3, 3)
    assert np.degrees(np.arccos((np.trace(turn) - 1) / 2)) == pytest.approx(angle, abs=0.7)
    np.testing.assert_allclose(turn @ [0, 0, 1], [0, 0, 1], atol=1e-9)
    viewer.same()
    viewer.screenshot("tilted")


def test_a_double_click_shows_one_pane_alone_and_the_next_all_again(viewer: Notebook) -> None:
    viewer.ask("viewer.setLayout('planes')")
    viewer.wait("viewer.stage.panes.length === 3")
    box = viewer.page.locator(".dl-stage").bounding_box()
    assert box
    name, left, top = viewer.ask("(({ name, left, top }) => [name, left, top])(viewer.stage.panes[2])")
    viewer.page.mouse.dblclick(box["x"] + left + 30, box["y"] + top + 30)
    viewer.wait("viewer.stage.panes.length === 1 && viewer.stage.panes[0].name === argument", name)
    viewer.page.mouse.dblclick(*centre(viewer))
    viewer.wait("viewer.stage.panes.length === 3")


def test_the_scale_bar_is_as_long_as_it_says(viewer: Notebook) -> None:
    text = next(one for one in viewer.texts() if re.fullmatch(r"\d+ mm", one))
    width = viewer.ask("viewer.chrome.svg.querySelector('.dl-scale').getBBox().width")
    # 96 rows of 0.75 mm fill the 420 px of the stage.
    assert width == pytest.approx(float(text.split()[0]) * 420 / 72, abs=1)


def test_the_picture_follows_the_width_of_the_cell(viewer: Notebook) -> None:
    viewer.page.set_viewport_size({"width": 760, "height": 900})
    viewer.wait(
        "viewer.chrome.canvas.clientWidth < 450 && viewer.chrome.canvas.width === viewer.chrome.canvas.clientWidth"
    )
    viewer.screenshot("narrow")
    viewer.same()
    pixel = viewer.ask("viewer.stage.panes[0].plane.pixel")
    assert pixel == pytest.approx(96 / viewer.ask("viewer.chrome.canvas.clientWidth"), rel=0.01)
    viewer.page.set_viewport_size({"width": 1000, "height": 900})
    viewer.wait("viewer.chrome.canvas.clientWidth > 500")


def test_the_corner_of_the_stage_makes_it_higher_and_leaves_the_window_alone(viewer: Notebook) -> None:
    box = viewer.page.locator(".dl-stage").bounding_box()
    assert box
    x, y = box["x"] + box["width"] - 4, box["y"] + box["height"] - 4
    for by in (40, -40):
        viewer.page.mouse.move(x, y)
        viewer.page.mouse.down()
        viewer.page.mouse.move(x, y + by / 2)
        viewer.page.mouse.move(x, y + by)
        viewer.page.mouse.up()
        y += by
        height = 420 + max(by, 0)
        viewer.wait(
            "viewer.stage.size.height === argument && viewer.chrome.canvas.height === argument", height
        )
    assert viewer.ask("viewer.look.window.width") == 400


def test_a_viewer_out_of_sight_fetches_nothing_in_advance(viewer: Notebook) -> None:
    assert viewer.ask("viewer.transport.hidden") is False
    viewer.ask("root.style.display = 'none'")
    viewer.wait("viewer.transport.hidden")
    viewer.ask("root.style.display = ''")
    viewer.wait("!viewer.transport.hidden")


def test_everything_cached_scrolls_while_the_kernel_is_busy(viewer: Notebook) -> None:
    viewer.ask(
        "void jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute("
        "{ code: 'import time; time.sleep(2.5)' })"
    )
    viewer.page.wait_for_timeout(200)
    assert viewer.ask("jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status") == "busy"
    viewer.page.locator(".dl-browser").focus()
    for index in (13, 14, 15):
        viewer.page.keyboard.press("ArrowDown")
        viewer.wait("root.dataset.drawn === String(argument)", index, timeout=500)
    assert viewer.ask("jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.status") == "busy"
    viewer.synced("b.index", 15)


def test_a_new_run_of_the_cell_frees_what_the_old_one_kept_and_close_frees_the_rest(
    notebook: Notebook,
) -> None:
    key = notebook.ask("viewer.meta.sources[0].key")
    notebook.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    notebook.wait("viewer.meta.sources[0].key !== argument && root.dataset.complete === 'true'", key)
    notebook.wait(
        f"{CACHE}.volumes.size === 1 && [...{CACHE}.entries.keys()].every((k) => !k.startsWith(argument))",
        key,
    )
    notebook.run(
        "import gc, weakref; alive = weakref.ref(b.volume); del v; b.close(); del b; Out.clear(); _ = __ = ___ = None"
    )
    notebook.page.wait_for_function(f"() => {CACHE}.entries.size === 0 && {CACHE}.bytes === 0")
    assert notebook.value("(gc.collect(), alive() is None)[1]") is True


def test_nothing_was_asked_from_other_machines_and_the_console_holds_no_error(notebook: Notebook) -> None:
    assert notebook.hosts <= {"127.0.0.1", ""}
    assert notebook.errors == []
