"""Volumes of other kinds: PET, inverted, oblique, tilted, uneven, lazy, broken; and text that means harm."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import nbformat
import numpy as np
import pytest

from .jupyter import CACHE, Lab, Notebook
from .test_viewer import centre

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

START = """
import numpy as np
from dicomlab.view.browser import browse
from dicomlab.view.shade import grey

def by_slice(volume, read_one):
    # A lazy volume, read by a function of the index of a slice.
    import dask.array
    def block(block_info=None):
        return read_one(block_info[None]["array-location"][0][0])
    chunks = ((1,) * volume.shape[0], volume.shape[1:2], volume.shape[2:])
    return volume.copy(data=dask.array.map_blocks(block, chunks=chunks, dtype="int16", meta=np.empty((0, 0, 0), "int16")))

def lps(v, *voxel):
    at = [v[d].values[i] for d, i in zip(v.dims, voxel)]
    return (np.reshape(v.frame_of_reference.attrs["direction"], (3, 3)) @ at).tolist()
"""

HARM = "<img src=x onerror='window.harmed = 1'></script><script>window.harmed = 1</script><b>bold</b>"


@pytest.fixture(scope="module")
def notebook(open_notebook: Open) -> Notebook:
    """A dark notebook whose second cell shows whatever a test browses."""
    book = open_notebook("volumes", START, "import ipywidgets\nplace = ipywidgets.VBox()\nplace", dark=True)
    book.page.wait_for_selector(".jp-OutputArea-output .widget-vbox", state="attached")
    return book


def show(book: Notebook, code: str) -> None:
    """Put a new viewer where the last one was."""
    book.run(f"[one.close() for one in place.children]; place.children = ()\n{code}\nplace.children = (b,)")
    key = book.value("b._meta['sources'][0]['key']")
    book.wait(
        "viewer?.meta.sources[0].key === argument && (root.dataset.complete === 'true' || !viewer.chrome.message.hidden)",
        key,
    )
    book.wait("viewer.frame === 0")


def probe(book: Notebook, *voxel: int) -> str:
    """What the line below the picture says with the pointer on the centre of a voxel."""
    x, y = book.ask("viewer.stage.pxOf(viewer.stage.panes[0], viewer.space.lps(argument))", list(voxel))
    box = book.page.locator(".dl-stage").first.bounding_box()
    assert box
    book.page.mouse.move(box["x"] + x, box["y"] + y)
    text: str = book.ask("viewer.chrome.probe.textContent")
    assert f"voxel [{', '.join(map(str, voxel))}]" in text, text
    return text.split("   ")[0]


def test_pet_is_shown_on_inverted_grey_with_honest_digits_and_nan(notebook: Notebook) -> None:
    show(
        notebook,
        """
v = volume(dtype="float32", Modality="PT", units="Bq/ml")
v = v.copy(data=np.maximum(v.values, 0) * np.float32(13.7))
v.values[12, 40, 50:60] = [np.nan, np.inf, -np.inf, 0, 1, 2, 3, 4, 5, 6]
b = browse(v, height=420)
""",
    )
    assert notebook.ask("viewer.look.invert") is True
    notebook.same()
    for column, text in ((50, "NaN Bq/ml"), (51, "+inf Bq/ml"), (52, "-inf Bq/ml")):
        assert probe(notebook, 12, 40, column) == text
    text = probe(notebook, 12, 44, 70)
    assert text.startswith("≈ ")
    assert float(text.split()[1]) == pytest.approx(notebook.value("float(v[12, 44, 70])"), abs=1.0)
    notebook.screenshot("pet-dark")
    # Across the slices every row has a scale of its own.
    notebook.ask("viewer.setPlane('coronal')")
    notebook.shown()
    notebook.synced("b.plane", "coronal")
    notebook.same()


@pytest.mark.parametrize("dtype", ["uint16", "bool", "int32", "float64", "uint8"])
def test_whole_numbers_arrive_exactly_whatever_their_type(notebook: Notebook, dtype: str) -> None:
    show(
        notebook,
        f"v = volume(dtype='{dtype}'); v.values[12, 5] = 1; b = browse(v, window=(50, 300), height=300)",
    )
    for voxel in ([12, 48, 64], [12, 5, 30], [12, 40, 70]):
        assert probe(notebook, *voxel).split()[0] == str(
            notebook.value(f"int(v[{voxel[0]}, {voxel[1]}, {voxel[2]}])")
        )
    notebook.same()


def test_monochrome1_inverts_the_picture_and_not_the_values(notebook: Notebook) -> None:
    show(
        notebook,
        "v = volume(PhotometricInterpretation='MONOCHROME1'); b = browse(v, window=(40, 400), height=300)",
    )
    assert notebook.ask("viewer.look.invert") is True
    notebook.same()
    assert notebook.canvas()[150, 2, 0] == 255, "beside the body it is white"
    assert probe(notebook, 12, 48, 64) == f"{notebook.value('int(v[12, 48, 64])')} HU"


OBLIQUE = """
s, c = np.sin(np.pi / 6), np.cos(np.pi / 6)
v = volume(direction=(0, -s, c, 0, c, s, 1, 0, 0), Modality="MR")
b = browse(v, height=300)
"""


def test_letters_follow_an_oblique_orientation(notebook: Notebook) -> None:
    # Columns run to the left and 30 degrees backwards, rows backwards and 30 degrees to the right.
    show(notebook, OBLIQUE)
    assert notebook.letters == ["RA", "LP", "AL", "PR"]
    notebook.same()


def test_all_planes_of_an_oblique_mr_go_through_the_point_under_the_pointer(notebook: Notebook) -> None:
    show(notebook, OBLIQUE)
    notebook.run("b.panes = 'planes'")
    notebook.wait("viewer.stage.panes.length === 3")
    box = notebook.page.locator(".dl-stage").first.bounding_box()
    assert box
    voxel = [5, 60, 40]
    lps = notebook.value("lps(v, 5, 60, 40)")
    notebook.run(f"b.position = {lps}")
    notebook.wait("viewer.indexIn('axial') === 5 && viewer.frame === 0")
    notebook.page.keyboard.down("Shift")
    for number in range(3):
        x, y = notebook.ask("viewer.stage.pxOf(viewer.stage.panes[argument[0]], argument[1])", [number, lps])
        notebook.page.mouse.move(box["x"] + x + 9, box["y"] + y)
        notebook.page.mouse.move(box["x"] + x, box["y"] + y)
        assert notebook.ask("viewer.state.scene.position") == pytest.approx(lps, abs=0.4)
        assert notebook.ask("viewer.space.nearest(viewer.state.scene.position)") == voxel
        for pane in range(3):
            plane = notebook.ask("viewer.stage.panes[argument].plane", pane)
            normal = np.cross(plane["right"], plane["down"])
            at = notebook.ask("viewer.state.scene.position")
            assert abs(normal @ np.subtract(at, plane["origin"])) < 1e-6
    notebook.page.keyboard.up("Shift")
    notebook.same()
    notebook.screenshot("oblique-planes")


def test_a_volume_flipped_by_the_user_still_hangs_the_right_way(notebook: Notebook) -> None:
    show(notebook, "v = volume(); b = browse(v, window=(300, 900), height=300)")
    upright = notebook.canvas()
    show(notebook, "v = volume()[::-1, ::-1, ::-1]; b = browse(v, index=11, window=(300, 900), height=300)")
    assert notebook.letters == ["R", "L", "A", "P"]
    notebook.same()
    np.testing.assert_array_equal(notebook.canvas(), upright)
    notebook.ask("viewer.goToIndex('axial', 2)")
    notebook.shown(2)
    mm = notebook.value("float(v.slice[2])")
    side = "F" if mm < 0 else "H"
    assert f"{abs(mm):.1f} mm {side}" in notebook.texts()


def test_uneven_slices_are_drawn_at_their_true_millimetres(notebook: Notebook) -> None:
    show(
        notebook,
        """
mm = np.array([0, 2, 4, 6, 20, 22, 24, 26.0])
v = volume((8, 40, 40), slices=mm)
v.values[:] = np.arange(8)[:, None, None] * 30
b = browse(v, plane="coronal", window=(105, 211, ), height=300)
""",
    )
    notebook.shown()
    notebook.same()
    notebook.screenshot("uneven-dark")
    canvas = notebook.canvas()[..., 0]
    plane = notebook.ask("viewer.stage.panes[0].plane")
    levels = notebook.value("grey(np.arange(8) * 30, b.window).tolist()")
    # The whole reaches from -1 to 27 mm; the head (the last slice) is up.
    for place in (26, 24, 20, 6, 4, 0, 9.5, 13, 16.5):
        y = round((plane["origin"][2] - place) / plane["pixel"])
        mm = plane["origin"][2] - y * plane["pixel"]
        expected = np.interp(mm, [0, 2, 4, 6, 20, 22, 24, 26], levels)
        assert abs(canvas[y, canvas.shape[1] // 2] - expected) <= 2, f"at {place} mm"
    # A value belongs to the nearest slice; borders stand half way.
    for place, index in ((26, 7), (20, 4), (13.5, 4), (12.5, 3), (6, 3), (0, 0)):
        assert notebook.ask("viewer.space.voxel([-40, -30, argument])", place)[0] == index


def test_a_tilted_gantry_is_drawn_without_its_shear(notebook: Notebook) -> None:
    # Slices shift forwards (to the front, -y) as they rise: 0.5 mm a mm.
    show(
        notebook,
        "v = volume((24, 96, 128), direction=(0, 0, 1, -0.5, 1, 0, 1, 0, 0)); b = browse(v, height=300)",
    )
    notebook.ask("viewer.setPlane('sagittal')")
    notebook.shown()
    notebook.synced("b.plane", "sagittal")
    notebook.same()
    plane = notebook.ask("viewer.stage.panes[0].plane")
    assert (plane["right"], plane["down"]) == ([0, 1, 0], [0, 0, -1])
    for voxel in ([2, 20, 64], [20, 80, 64]):
        value = notebook.value(f"int(v[{voxel[0]}, {voxel[1]}, {voxel[2]}])")
        assert probe(notebook, *voxel) == f"{value} HU"
    notebook.ask("viewer.setLayout('planes')")
    notebook.synced("b.panes", "planes")
    notebook.same()
    notebook.screenshot("tilted-gantry")


def test_steps_of_time_are_walked_with_the_arrow_keys_and_each_is_shown(notebook: Notebook) -> None:
    show(
        notebook,
        """
import xarray as xr
one = volume((6, 60, 80))
t = xr.Variable("time", [0.0, 2.5, 7.0], {"units": "s"})
v = xr.concat([one, one + 300, one - 300], t)
b = browse(v, window=(100, 1500), height=300)
""",
    )
    notebook.same()
    first = notebook.canvas()
    notebook.page.locator(".dl-browser").first.focus()
    for index, text in (
        (1, "time 2.5 s  (2/3)"),
        (2, "time 7 s  (3/3)"),
        (0, "time 0 s  (1/3)"),
        (1, "time 2.5 s  (2/3)"),
    ):
        notebook.page.keyboard.press("ArrowRight")
        notebook.shown()
        notebook.synced("b.steps", {"time": index})
        assert notebook.page.locator(".dl-step-text").first.text_content() == text
        notebook.same()
    assert notebook.canvas().mean() > first.mean() + 8
    notebook.page.keyboard.press("ArrowLeft")
    notebook.synced("b.steps", {"time": 0})
    notebook.same()
    notebook.run("b.steps = {'time': 2}")
    notebook.wait("viewer.state.step[0] === 2")
    notebook.same()
    assert probe(notebook, 3, 30, 40) == f"{notebook.value('int(v[2, 3, 30, 40])')} HU"


def test_a_lazy_volume_reads_only_the_slices_asked_for(notebook: Notebook) -> None:
    show(
        notebook,
        """
read = []
def read_one(s):
    read.append(s)
    return volume().values[s:s + 1]
v = volume()
lazy = by_slice(v, read_one)
read.clear()
b = browse(lazy, window=(40, 400), height=300)
read_at_first = list(read)
""",
    )
    assert set(notebook.value("read_at_first")) <= {12}, "the middle slice, for the automatic window"
    notebook.same()
    notebook.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 24")
    assert notebook.value("max(read.count(s) for s in range(24))") <= 3


FILES = """
import tempfile
from dicomlab import load_volume, open_volume, phantom
from dicomlab.read.sources import FileRef

folder = phantom.write_ct(tempfile.mkdtemp(), shape=(24, 96, 128)).folder
eager, lazy = load_volume(folder), open_volume(folder)
opened, answered, open_, into = [], [], FileRef.open, FileRef.read_into
FileRef.open = lambda self: (opened.append(self.name), open_(self))[1]
FileRef.read_into = lambda self, *where: (opened.append(self.name), into(self, *where))[1]

def watched(browser):
    # Notes which slices are sent, and how many files were opened until then.
    send = browser.send
    def noted(content, buffers=None):
        answered.append([[item["slice"] for item in content["items"]], len(opened)])
        return send(content, buffers)
    browser.send = noted
    return browser
"""


def test_the_first_slice_of_a_folder_is_on_the_screen_when_one_file_was_read(notebook: Notebook) -> None:
    notebook.run(FILES)
    try:
        show(notebook, "b = watched(browse(lazy, height=300))")
        notebook.shown(12)
        assert notebook.value("answered[0]") == [[12], 1]
        notebook.same()
        notebook.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 24")
        assert notebook.value("len(opened) == len(set(opened)) == 24"), "each file once"
        notebook.ask("viewer.setPlane('coronal')")
        notebook.shown()
        notebook.synced("b.plane", "coronal")
        notebook.same()
        assert notebook.value("len(opened)") == 24
    finally:
        notebook.run("FileRef.open, FileRef.read_into = open_, into")


def test_planes_across_a_folder_too_large_for_the_page_read_each_file_once(notebook: Notebook) -> None:
    notebook.run(FILES)
    try:
        show(notebook, "b = browse(lazy, height=300, memory=5 * 2 * 96 * 128)")
        for plane in ("coronal", "sagittal", "coronal"):
            notebook.ask(f"viewer.setPlane('{plane}')")
            notebook.shown()
            notebook.synced("b.plane", plane)
            notebook.run(f"whole = browse(eager, plane='{plane}', window=b.window)")
            notebook.still()
            shown = notebook.canvas()
            assert (shown == notebook.picture(shown, "whole")).all()
            notebook.run("whole.close()")
        notebook.ask("viewer.goToIndex(viewer.state.scene.plane, viewer.index + 3)")
        notebook.shown()
        assert notebook.value("len(opened) == len(set(opened)) == 24")
    finally:
        notebook.run("FileRef.open, FileRef.read_into = open_, into")


def test_a_slice_that_cannot_be_read_says_so_and_the_others_are_shown(notebook: Notebook) -> None:
    show(
        notebook,
        """
def read_one(s):
    if s == 13: raise OSError("/data/DOE^JANE/13.dcm is broken")
    return volume().values[s:s + 1]
b = browse(by_slice(volume(), read_one), height=300)
""",
    )
    notebook.shown(12)
    notebook.ask("viewer.goToIndex('axial', 13)")
    notebook.wait("!viewer.chrome.message.hidden")
    assert notebook.ask("viewer.chrome.message.textContent") == "slice 13 cannot be read: OSError"
    assert notebook.ask("root.dataset.drawn") == "", "no other slice is passed off as this one"
    notebook.ask("viewer.goToIndex('axial', 14)")
    notebook.shown(14)
    assert notebook.ask("viewer.chrome.message.hidden") is True


def test_text_from_a_file_is_shown_as_text(notebook: Notebook) -> None:
    harm = repr(HARM)
    show(
        notebook,
        f"b = browse(volume(SeriesDescription={harm}, units={harm}, WindowCenter=[1.0], WindowWidth=[2.0],"
        f" WindowCenterWidthExplanation=[{harm}]), height=300)",
    )
    assert sum("<img src=x" in one for one in notebook.texts()) == 2, (
        "description and units, as far as there is room"
    )
    assert notebook.page.locator(".dl-browser img, .dl-browser b, .dl-browser script").count() == 0
    assert notebook.page.evaluate("window.harmed") is None


def test_a_new_look_is_taken_when_the_array_was_changed_in_place(notebook: Notebook) -> None:
    show(notebook, "v = volume(); b = browse(v, window=(0, 100), height=300)")
    notebook.run("v.values[12] = 1000; b.refresh()")
    notebook.wait(
        "viewer.meta.sources[0].key === argument && root.dataset.complete === 'true'",
        notebook.value("b._meta['sources'][0]['key']"),
    )
    notebook.wait("viewer.frame === 0")
    assert notebook.canvas()[150, 200].tolist() == [255, 255, 255]
    assert (notebook.canvas()[..., 0] == 255).mean() > 0.5


def test_two_views_of_one_browser_walk_together(notebook: Notebook) -> None:
    show(notebook, "b = browse(volume(), height=200)")
    notebook.run("place.children = (b, b)")
    notebook.page.wait_for_function(
        "() => document.querySelectorAll('.dl-browser[data-complete=true]').length === 2"
    )
    first, second = notebook.page.locator(".dl-browser").all()
    first.focus()
    notebook.page.keyboard.press("Home")
    notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.dl-browser')].every((r) => r.dataset.drawn === '0')"
    )
    second.focus()
    notebook.page.keyboard.press("End")
    notebook.page.wait_for_function(
        "() => [...document.querySelectorAll('.dl-browser')].every((r) => r.dataset.drawn === '23')"
    )
    # One transport and one set of slices serve both.
    assert notebook.page.evaluate(f"{CACHE}.volumes.size") == 1


def test_a_saved_notebook_keeps_a_small_picture_and_no_voxel(open_notebook: Open, lab: Lab) -> None:
    noisy = "v = volume((5, 512, 512)); v.values[:] += np.random.default_rng(1).integers(0, 200, v.shape, dtype='int16')"
    book = open_notebook("small", f"{noisy}\nfrom dicomlab.view.browser import browse\nb = browse(v)\nb")
    book.shown(2)
    book.page.evaluate("() => jupyterapp.commands.execute('docmanager:save')")
    path = lab.folder / "small.ipynb"
    book.page.wait_for_function("() => !jupyterapp.shell.currentWidget.context.model.dirty")
    output = nbformat.read(path, 4).cells[1].outputs[0].data
    assert {"image/png", "application/vnd.jupyter.widget-view+json", "text/plain"} <= set(output)
    assert path.stat().st_size < 100_000
    state = book.value(
        "len(json.dumps(__import__('ipywidgets.embed', fromlist=['x']).dependency_state([b])))"
    )
    assert path.stat().st_size + state < 130_000, "also when the state of widgets is saved"


def test_the_exported_page_works_alone_and_harms_nobody(notebook: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    show(
        notebook,
        f"v = volume(SeriesDescription={HARM!r}); b = browse(v, window=(40, 400), height=300)\n"
        f"page = b.to_html({str(path)!r})",
    )
    context = notebook.page.context.browser.new_context(offline=True, viewport={"width": 900, "height": 500})  # type: ignore[union-attr]
    try:
        alone = Notebook(context.new_page())
        alone.page.goto(path.as_uri())
        alone.shown(12)
        shown = alone.canvas()
        notebook.run("b.plane, b.index = 'axial', 12")
        assert (shown == notebook.picture(shown)).all()
        alone.page.mouse.move(*centre(alone))
        alone.page.mouse.wheel(0, 100)
        alone.shown(13)
        alone.page.get_by_role("button", name="coronal plane").click()
        alone.shown(48)
        alone.still()
        notebook.run("b.index, b.plane = 13, 'coronal'")
        assert (alone.canvas() == notebook.picture(shown)).all()
        alone.screenshot("page", whole=True)
        assert alone.page.evaluate("window.harmed") is None
        assert alone.page.locator("img").count() == 0
        assert alone.errors == []
        assert alone.hosts == {""}, "nothing but the file itself was asked for"
    finally:
        context.close()


def test_the_viewer_lives_in_a_shadow_root_as_in_marimo(notebook: Notebook, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    show(notebook, f"b = browse(volume(), height=300); page = b.to_html({str(path)!r})")
    context = notebook.page.context.browser.new_context()  # type: ignore[union-attr]
    try:
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(path.as_uri())
        page.evaluate(
            """() => {
                const host = document.body.appendChild(document.createElement("div"));
                const root = host.attachShadow({ mode: "open" });
                const style = root.appendChild(document.createElement("style"));
                style.textContent = document.querySelector("style").textContent;
                const state = JSON.parse(document.getElementById("state").textContent);
                const slice = (...where) => {
                    const name = where.join("-");
                    return { ...state.scales[name], data: document.getElementById("s" + name).textContent };
                };
                document.getElementById("viewer").remove();
                globalThis[Symbol.for("dicomlab.standalone/1")](root, state.traits, slice);
                window.inside = root.querySelector(".dl-browser");
            }"""
        )
        page.wait_for_function(
            "() => inside.dataset.complete === 'true' && inside.dicomlab.stage.size.height === 300"
        )
        page.evaluate("() => inside.focus()")
        page.keyboard.press("ArrowDown")
        page.wait_for_function("() => inside.dataset.drawn === '13'")
        assert errors == []
    finally:
        context.close()


def test_when_the_kernel_has_gone_what_is_here_still_scrolls(open_notebook: Open) -> None:
    few = "browse(volume((60, 96, 128)), height=300, memory=20 * 96 * 128 * 2)"
    code = f"from dicomlab.view.browser import browse\nb = {few}\nb"
    book = open_notebook("restart", code)
    book.shown(30)
    book.page.wait_for_timeout(300)
    book.page.evaluate(
        "() => jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.shutdown()"
    )
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("ArrowDown")
    book.shown(31)
    book.page.keyboard.press("End")
    book.wait("viewer.chrome.status.textContent.includes('no kernel: run the cell again')", timeout=4000)
    assert book.ask("root.dataset.drawn") != "59", "a slice that is not here is not passed off as seen"
    book.page.keyboard.press("Home")
    book.page.keyboard.press("ArrowUp")
    book.ask("viewer.goToIndex('axial', 30)")
    book.shown(30)
    book.page.wait_for_timeout(300)
    mine = [
        error for error in book.errors if "dicomlab" in error or "anywidget" in error or "Kernel" in error
    ]
    assert mine == []


def test_the_exported_page_runs_inside_the_notebook_too(notebook: Notebook) -> None:
    notebook.run(
        "b = browse(volume(), window=(40, 400), height=200)\n"
        "place.children = (ipywidgets.HTML(b.to_html()._repr_html_()),)"
    )
    frame = notebook.page.frame_locator("iframe[title='Slice browser']")
    frame.locator(".dl-browser[data-complete=true]").wait_for(timeout=8000)
    assert "slice 13/24" in frame.locator(".dl-text").all_text_contents()


def test_nothing_was_asked_from_other_machines_and_the_console_holds_no_error(notebook: Notebook) -> None:
    assert notebook.hosts <= {"127.0.0.1", ""}
    assert notebook.errors == []
