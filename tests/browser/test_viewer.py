"""The viewer in JupyterLab, used with mouse and keys as a person would."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

import pytest

from .jupyter import Notebook

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

CT = """
from dicomlab.view.browser import browse
from dicomlab.view.render import grey, picture
v = volume(SeriesDescription="Thorax", WindowCenter=[40.0], WindowWidth=[400.0],
           WindowCenterWidthExplanation=["MEDIASTINUM"])
b = browse(v, height=420)
b
"""


@pytest.fixture(scope="module")
def notebook(open_notebook: Open) -> Notebook:
    book = open_notebook("viewer", CT)
    book.shown(12)
    book.wait("viewer.transport.cache.count(viewer.meta.key) === 24")  # all is here, nothing more on its way
    return book


@pytest.fixture
def viewer(notebook: Notebook) -> Iterator[Notebook]:
    """The viewer as it was at first."""
    yield notebook
    notebook.page.mouse.up()
    notebook.page.locator(".dl-browser").focus()
    notebook.page.keyboard.press("Escape")
    notebook.ask("viewer.setPlane('axial'), viewer.goTo(12)")
    notebook.shown(12)
    notebook.page.wait_for_timeout(200)  # the kernel is told after 150 ms of quiet
    notebook.synced("[b.plane, b.index, b.width]", ["axial", 12, 400.0])
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


def pixels(book: Notebook, canvas: str = "viewer.stage.native") -> list[list[int]]:
    """Grey of a canvas, row by row."""
    return book.ask(
        f"""(() => {{ const canvas = {canvas};
            const image = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            return Array.from({{ length: canvas.height }}, (_, y) =>
                Array.from({{ length: canvas.width }}, (_, x) => image[4 * (y * canvas.width + x)])); }})()"""
    )


def test_first_the_middle_slice_is_shown_through_the_window_of_the_file(viewer: Notebook) -> None:
    assert viewer.ask("root.dataset.drawn") == "12"
    assert viewer.ask("viewer.chrome.corners.bottomLeft.textContent") == "slice 13/24  [12]\n30.0 mm F"
    assert "W 400 L 40\nMEDIASTINUM (file)" in viewer.ask("viewer.chrome.corners.topRight.textContent")
    assert viewer.page.locator(".dl-letter").all_text_contents() == ["R", "L", "A", "P"]
    viewer.screenshot("light")


@pytest.mark.parametrize(
    "window", ["Window(40, 400)", "Window(0, 1500, 'LINEAR_EXACT')", "Window(100, 300, 'SIGMOID')"]
)
def test_every_pixel_equals_the_picture_of_python(viewer: Notebook, window: str) -> None:
    viewer.run(f"from dicomlab import windowing; b.window = windowing.{window}")
    viewer.wait("viewer.state.window.width === argument", viewer.value("b.width"))
    viewer.wait("viewer.frame === 0")
    assert pixels(viewer) == viewer.value("grey(v[12].values, b.window).tolist()")


def test_at_one_to_one_the_stage_shows_each_voxel_as_one_pixel(viewer: Notebook) -> None:
    fit = viewer.ask("viewer.view().scale / viewer.state.zoom")
    viewer.run(f"b.zoom = {1 / 0.75 / fit}")
    viewer.wait("Math.abs(viewer.view().scale * 0.75 - 1) < 1e-9 && viewer.frame === 0")
    stage = pixels(viewer, "viewer.chrome.canvas")
    expected = viewer.value("grey(v[12].values, b.window).tolist()")
    top, left = round((len(stage) - 96) / 2), round((len(stage[0]) - 128) / 2)
    found = [
        (dy, dx)
        for dy in (-1, 0, 1)
        for dx in (-1, 0, 1)
        if [row[left + dx : left + dx + 128] for row in stage[top + dy : top + dy + 96]] == expected
    ]
    assert len(found) == 1
    assert sum(map(sum, stage)) == sum(map(sum, expected)), "the picture appears once, on black"


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
    assert viewer.ask("viewer.state.window.width") > 500, "to the right is wider"
    assert viewer.ask("viewer.state.window.center") > 80, "down is a higher level, so darker"
    viewer.page.mouse.up()
    viewer.page.wait_for_timeout(400)
    assert viewer.page.evaluate("sent") == 1
    viewer.synced("b.width", viewer.ask("viewer.state.window.width"))
    assert viewer.value("b.window.width") == viewer.ask("viewer.state.window.width")


def test_middle_drag_moves_and_right_drag_zooms_about_the_pointer(viewer: Notebook) -> None:
    scale = viewer.ask("viewer.view().scale")
    drag(viewer, 60, -30, "middle")
    assert viewer.ask("viewer.state.pan.map((mm) => mm * viewer.view().scale)") == pytest.approx(
        [60, -30], abs=0.5
    )
    drag(viewer, 0, 80, "right")
    assert viewer.ask("viewer.view().scale") > 1.5 * scale
    assert viewer.page.locator(".lm-Menu").count() == 0, "no menu opens"
    viewer.page.keyboard.press("Escape")
    x, y = centre(viewer)
    viewer.page.mouse.move(x + 50, y - 60)
    before = viewer.ask("viewer.chrome.probe.textContent")
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.wheel(0, -300)
    viewer.page.keyboard.up("Control")
    viewer.wait("viewer.state.zoom > 1.5 && viewer.frame === 0")
    assert viewer.ask("viewer.chrome.probe.textContent") == before
    viewer.page.mouse.dblclick(x, y)
    assert viewer.ask("[viewer.state.zoom, ...viewer.state.pan]") == [1, 0, 0]


def test_control_and_double_click_bring_the_first_window_back(viewer: Notebook) -> None:
    drag(viewer, -90, 30)
    assert viewer.ask("viewer.state.window.width") < 350
    viewer.page.keyboard.down("Control")
    viewer.page.mouse.dblclick(*centre(viewer))
    viewer.page.keyboard.up("Control")
    assert viewer.ask("viewer.state.window") == {"center": 40, "width": 400, "function": "LINEAR"}


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
    assert viewer.ask("viewer.state.invert") is True
    viewer.page.keyboard.press("1")
    assert viewer.ask("viewer.state.window") == {"center": 40, "width": 400, "function": "LINEAR"}
    viewer.page.keyboard.press("3")
    assert viewer.ask("viewer.state.window") == {"center": 480, "width": 2500, "function": "LINEAR"}
    viewer.page.keyboard.press("i")
    assert not viewer.page.locator(".dl-tl").is_visible()
    viewer.page.keyboard.press("i")
    assert viewer.page.locator(".dl-tl").is_visible()
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
    assert slider.get_attribute("aria-valuetext") == "slice 6 of 24, 47.5 mm F"
    select = viewer.page.get_by_label("Window preset")
    groups = select.locator("optgroup").evaluate_all("(all) => all.map((one) => one.label)")
    assert groups == ["from the file", "automatic", "presets"]
    names = select.locator("option").all_text_contents()
    assert [name.split("  ")[0] for name in names[1:]] == [
        "MEDIASTINUM (file)", "auto", "soft tissue", "lung", "bone", "brain", "liver", "mediastinum", "stroke", "subdural",
    ]  # fmt: skip
    select.select_option(index=names.index(next(name for name in names if name.startswith("lung"))))
    viewer.synced("[b.center, b.width]", [-600.0, 1500.0])


def test_the_probe_tells_value_voxel_and_patient_position_of_what_is_drawn_there(viewer: Notebook) -> None:
    box = viewer.page.locator(".dl-stage").bounding_box()
    assert box
    for plane, index in (("axial", 7), ("coronal", 40), ("sagittal", 70)):
        viewer.ask("(viewer.setPlane(argument[0]), viewer.goTo(argument[1]))", [plane, index])
        viewer.shown(index)
        for fx, fy in ((0.5, 0.5), (0.41, 0.45), (0.6, 0.57)):
            viewer.page.mouse.move(box["x"] + fx * box["width"], box["y"] + fy * box["height"])
            text = viewer.ask("viewer.chrome.probe.textContent")
            match = re.fullmatch(r"(\S+) HU   voxel \[(.+)\]   LPS \((.+)\) mm", text)
            assert match, text
            voxel = json.loads(f"[{match[2]}]")
            expected = viewer.value(
                f"(lambda p: [int(p), float(p.column), float(p.row), float(p.slice)])(v[{voxel[0]}, {voxel[1]}, {voxel[2]}])"
            )
            assert int(match[1]) == expected[0]
            assert [float(mm) for mm in match[3].split(",")] == pytest.approx(expected[1:], abs=0.005)
            # The square voxel covers this point of the stage: its centre is at most half a voxel away on the screen.
            right, down = {"axial": (2, 1), "coronal": (2, 0), "sagittal": (1, 0)}[plane]
            mm = [expected[3], expected[2], expected[1]]
            middle = viewer.value("[float(v[d].values[[0, -1]].mean()) for d in v.dims]")
            scale = viewer.ask("viewer.view().scale")
            sign = -1 if down == 0 else 1  # the head is up
            x = (mm[right] - middle[right]) * scale + box["width"] / 2
            y = sign * (mm[down] - middle[down]) * scale + box["height"] / 2
            half = scale * max(0.75, 2.5 if down == 0 else 0) / 2 + 1
            assert abs(x - fx * box["width"]) <= scale * 0.75 / 2 + 1
            assert abs(y - fy * box["height"]) <= half
    viewer.page.mouse.move(box["x"] + 3, box["y"] + 200)
    assert viewer.ask("viewer.chrome.probe.textContent") == "", "nothing beside the picture"


def test_planes_are_hung_as_radiologists_do_and_equal_the_volume_of_python(viewer: Notebook) -> None:
    for plane, index, letters, expected in (
        ("coronal", 30, ["R", "L", "H", "F"], "v.values[::-1, 30, :]"),
        ("sagittal", 70, ["A", "P", "H", "F"], "v.values[::-1, :, 70]"),
    ):
        viewer.page.get_by_role("button", name=f"{plane} plane").click()
        viewer.synced("b.plane", plane)
        viewer.run(f"b.index = {index}")
        viewer.shown(index)
        assert viewer.page.locator(".dl-letter").all_text_contents() == letters
        assert pixels(viewer) == viewer.value(f"grey({expected}, b.window).tolist()")
        viewer.screenshot(plane)


def test_python_sets_what_the_viewer_shows(viewer: Notebook) -> None:
    viewer.run("b.index = 3; b.window = 'bone'; b.invert = True")
    viewer.shown(3)
    viewer.wait("viewer.state.invert && viewer.state.window.width === 2500")
    viewer.run("b.position = [0.0, -10.0, -20.0]")
    viewer.shown(16)
    viewer.run("b.plane = 'sagittal'")
    viewer.wait("viewer.state.plane === 'sagittal'")
    assert (
        viewer.value("b.index")
        == viewer.ask("viewer.index")
        == viewer.value("int(abs(v.column.values).argmin())")
    )


def test_the_scale_bar_is_as_long_as_it_says(viewer: Notebook) -> None:
    text, width = viewer.ask(
        "[viewer.chrome.scaleText.textContent, viewer.chrome.scaleBar.getBoundingClientRect().width]"
    )
    number, unit = text.split()
    assert unit == "mm"
    # 96 rows of 0.75 mm fill the 420 px of the stage.
    assert width == pytest.approx(float(number) * 420 / 72, abs=1)


def test_the_picture_follows_the_width_of_the_cell(viewer: Notebook) -> None:
    viewer.page.set_viewport_size({"width": 760, "height": 900})
    viewer.wait(
        "viewer.chrome.canvas.clientWidth < 450 && viewer.chrome.canvas.width === viewer.chrome.canvas.clientWidth"
    )
    viewer.screenshot("narrow")
    scale = viewer.ask("viewer.view().scale")
    assert scale == pytest.approx(viewer.ask("viewer.chrome.canvas.clientWidth") / 96, rel=0.01)
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
    assert viewer.ask("viewer.state.window.width") == 400


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
    cache = "globalThis[Symbol.for('dicomlab.slices/1')]"
    key = notebook.ask("viewer.meta.key")
    notebook.page.evaluate("() => jupyterapp.commands.execute('notebook:run-all-cells')")
    notebook.wait("viewer.meta.key !== argument && root.dataset.complete === 'true'", key)
    notebook.wait(
        f"{cache}.volumes.size === 1 && [...{cache}.entries.keys()].every((k) => !k.startsWith(argument))",
        key,
    )
    notebook.run(
        "import gc, weakref; alive = weakref.ref(b.volume); del v; b.close(); del b; Out.clear(); _ = __ = ___ = None"
    )
    notebook.page.wait_for_function(f"() => {cache}.entries.size === 0 && {cache}.bytes === 0")
    assert notebook.value("(gc.collect(), alive() is None)[1]") is True


def test_nothing_was_asked_from_other_machines_and_the_console_holds_no_error(notebook: Notebook) -> None:
    assert notebook.hosts <= {"127.0.0.1", ""}
    assert notebook.errors == []
