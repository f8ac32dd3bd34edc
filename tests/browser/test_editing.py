"""Editing a mask with mouse and keys: what is painted, what arrives in Python, and that a running cell loses nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser
from scipy.ndimage import binary_fill_holes, label

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError

from .alone import pages
from .jupyter import Notebook

pytestmark = pytest.mark.browser
Open = Callable[..., Notebook]

START = """
from dicomlab.view.browser import browse
v = volume((30, 96, 128))
b = browse(v, edit=True, height=420)
b
"""

KERNEL = "window.jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
TURNED = "(0.6, -0.64, 0.48, 0.8, 0.48, -0.36, 0, 0.6, 0.8)"  # columns: unit vectors at right angles


@pytest.fixture(scope="module")
def shared(open_notebook: Open) -> Notebook:
    book = open_notebook("editing", START, width=1300)
    book.wait("root.dataset.complete === 'true' && viewer.edits.loaded", timeout=40000)
    return book


@pytest.fixture
def book(shared: Notebook) -> Iterator[Notebook]:
    """An empty mask, and a brush of 10 mm in hand."""
    shared.run(
        "b.mask = (v > 9999).astype('uint8'); b.panes = 'single'; b.plane = 'axial'; b.index = 12; b.rois = []"
    )
    shared.run("b.zoom = 1.0; b.brush = {}; b.tool = 'brush'; b.interpolation = 'linear'")
    shared.wait("viewer.edits.loaded && !viewer.edits.labels.length && viewer.state.tool === 'brush'")
    shared.still()
    yield shared
    assert shared.errors == []
    assert shared.ask("viewer.edits.trouble") == ""


def at(book: Notebook, x: float, y: float) -> tuple[float, float]:
    box = book.page.locator(".dl-stage").first.bounding_box()
    assert box
    return box["x"] + x, box["y"] + y


def stroke(book: Notebook, *points: tuple[float, float]) -> None:
    mouse = book.page.mouse
    mouse.move(*at(book, *points[0]))
    mouse.down()
    for point in points[1:]:
        mouse.move(*at(book, *point), steps=4)
    mouse.up()


def mask(book: Notebook) -> np.ndarray:
    """The voxels of the kernel's mask, once all that was drawn has arrived."""
    book.wait("!viewer.edits.isPending && !viewer.edits.asked", timeout=20000)
    shape = book.value("list(b.mask.shape)")
    return book.bytes("b.mask.values.astype('uint8')", np.zeros(shape, np.uint8))


def volume_values(book: Notebook) -> np.ndarray:
    found = book.bytes("np.ascontiguousarray(v.values.astype('<i2'))", np.zeros((30, 96, 256), np.uint8))
    return found.view("<i2").reshape(30, 96, 128)


def lps(book: Notebook, *points: tuple[float, float]) -> np.ndarray:
    """Patient positions under points of the first pane."""
    found = book.ask(
        "argument.map(([x, y]) => viewer.stage.lpsAt(viewer.stage.panes[0], x, y))", [list(p) for p in points]
    )
    return np.array(found)


def places(book: Notebook) -> np.ndarray:
    """LPS mm of every voxel centre of the kernel's volume."""
    geometry = json.loads(
        book.run(
            "import json; g = v.dicom.geometry; print(json.dumps([g.direction.tolist(), *(x.tolist() for x in g.positions)]))"
        )
    )
    grid = np.stack(np.meshgrid(*map(np.array, geometry[1:]), indexing="ij"), axis=-1)
    return grid @ np.array(geometry[0]).T


def near(points: np.ndarray, way: np.ndarray, radius: float) -> np.ndarray:
    """Which points lie within a distance of a way from point to point."""
    found = np.zeros(points.shape[:-1], bool)
    for a, b in pairwise(way):
        along = b - a
        squared = float(along @ along)
        share = np.clip((points - a) @ along / squared, 0, 1) if squared else np.zeros(points.shape[:-1])
        found |= np.linalg.norm(points - a - share[..., None] * along, axis=-1) <= radius
    return found


def test_a_ball_paints_the_voxels_within_its_radius_of_the_way_of_the_hand(book: Notebook) -> None:
    book.run("b.brush = {'size': 14.0, 'sphere': True}")
    book.wait("viewer.state.brush.sphere")
    ends = [(400.0, 200.0), (470.0, 260.0)]
    stroke(book, *ends)
    painted = mask(book)
    way = lps(book, *ends)
    # Events come in whole pixels, and the hand's way is straight between them.
    pixel = book.ask("viewer.stage.panes[0].plane.pixel")
    inner, outer = near(places(book), way, 7 - pixel), near(places(book), way, 7 + pixel)
    assert painted[inner].all()
    assert not painted[~outer].any()
    assert len(np.unique(np.nonzero(painted)[0])) == 5  # slices 2.5 mm apart: it reaches into the depth


def test_a_disc_paints_its_own_slice_and_the_eraser_takes_it_away(book: Notebook) -> None:
    ends = [(380.0, 180.0), (460.0, 180.0), (460.0, 250.0)]
    stroke(book, *ends)
    painted = mask(book)
    way, pixel = lps(book, *ends), book.ask("viewer.stage.panes[0].plane.pixel")
    points = places(book)
    here = np.zeros(painted.shape, bool)
    here[12] = True
    assert painted[here & near(points, way, 5 - pixel)].all()
    assert not painted[~(here & near(points, way, 5 + pixel))].any()
    book.page.keyboard.press("e")
    stroke(book, *ends)
    assert not mask(book)[here & near(points, way, 5 - pixel)].any()
    book.page.keyboard.press("Control+z")
    assert (mask(book) == painted).all()


def test_the_brush_paints_what_is_seen_on_planes_at_any_angle(book: Notebook) -> None:
    book.run(
        f"v = volume((30, 96, 128), direction={TURNED}); b.close(); b = browse(v, edit=True, height=420)"
    )
    shown(book)
    try:
        book.run("b.tool = 'brush'; b.brush = {'size': 12.0}; b.panes = 'planes'")
        book.wait("viewer.state.scene.layout === 'planes' && viewer.state.brush.size === 12")
        book.still()
        for plane in range(3):
            before = mask(book)
            pane = book.ask(
                "(({ left, top, plane: { width, height } }) =>"
                " [left + width / 2, top + height / 2].map((px) => px / viewer.stage.size.ratio))"
                "(viewer.stage.panes[argument])",
                plane,
            )
            stroke(book, (pane[0], pane[1]), (pane[0] + 12, pane[1] + 9))
            painted = (mask(book) != before) | (before > 0)
            normal = np.array(
                book.ask(
                    "(({ right: a, down: b }) =>"
                    " [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]])"
                    "(viewer.stage.panes[argument].plane)",
                    plane,
                )
            )
            ends = np.array(
                book.ask(
                    "argument[1].map(([x, y]) => viewer.stage.lpsAt(viewer.stage.panes[argument[0]], x, y))",
                    [plane, [pane, [pane[0] + 12, pane[1] + 9]]],
                )
            )
            points = places(book)
            offset = (points - ends[0]) @ normal
            flat = points - offset[..., None] * normal
            pixel = book.ask("viewer.stage.panes[argument].plane.pixel", plane)
            inside = near(flat, ends, 6 - pixel)
            thin = {0: 1.25, 1: 0.375, 2: 0.375}
            axis = int(
                np.argmax(
                    np.abs(
                        np.array(
                            json.loads(book.run("import json; print(json.dumps(v.dicom.direction.tolist()))"))
                        ).T
                        @ normal
                    )
                )
            )
            # Nearer to the plane than any other voxel of its line; what lies half way between two may be either.
            close = np.abs(offset) <= thin[axis] - 1e-6
            assert painted[inside & close].all()
            fresh = (mask(book) > 0) & ~(before > 0)
            assert not fresh[np.abs(offset) > thin[axis] + 1e-3].any()
            assert not fresh[~near(flat, ends, 6 + pixel)].any()
    finally:
        book.run("v = volume((30, 96, 128)); b.close(); b = browse(v, edit=True, height=420)")
        shown(book)


def shown(book: Notebook) -> None:
    """Run the cell that shows the browser again, with another one."""
    book.run("from IPython.display import display")
    book.page.evaluate(
        """async () => {
            const { content } = window.jupyterapp.shell.currentWidget;
            content.activeCellIndex = 1;
            const cell = content.widgets[1];
            cell.model.sharedModel.setSource('b');
            await window.jupyterapp.commands.execute('notebook:run-cell');
        }"""
    )
    book.wait("root.dataset.complete === 'true' && viewer.edits.loaded", timeout=20000)
    book.still()


def test_half_way_between_two_slices_the_one_that_is_drawn_is_painted(book: Notebook) -> None:
    book.run("b.position = [0.0, 0.0, float(v.slice[12] + v.slice[13]) / 2]")
    book.wait("Math.abs(viewer.state.scene.position[2]) > 0 && viewer.state.scene.position[0] === 0")
    book.still()
    stroke(book, (400, 200), (430, 215))
    assert sorted(set(np.nonzero(mask(book))[0])) == [13]
    book.page.mouse.move(*at(book, 5, 5))
    book.same()
    assert (book.canvas() != book.canvas()[..., :1]).any(), "it is seen, in its colour"


def test_fifty_strokes_drawn_while_a_cell_computes_all_arrive(book: Notebook) -> None:
    cell = """
import time
end = time.monotonic() + 60
try:
    while time.monotonic() < end:
        sum(range(5000))
except KeyboardInterrupt:
    pass
finished = time.time()
"""
    book.page.evaluate(f"(code) => {{ {KERNEL}.requestExecute({{ code }}); }}", cell)
    book.page.wait_for_function(f"() => {KERNEL}.status === 'busy'")
    draw = """async (count) => {
        const viewer = document.querySelector('.dl-browser').dicomlab;
        const stage = viewer.chrome.stage;
        const box = stage.getBoundingClientRect();
        const fire = (type, x, y, buttons) => stage.dispatchEvent(new PointerEvent(type, {
            clientX: box.left + x, clientY: box.top + y, button: type === 'pointermove' ? -1 : 0, buttons,
            pointerId: 1, bubbles: true, cancelable: true }));
        const frame = () => new Promise((done) => requestAnimationFrame(done));
        let painted = 0;
        for (let n = 0; n < count; n++) {
            const voxel = [12, 8 + 17 * Math.floor(n / 10), 8 + 11 * (n % 10)];
            const [x, y] = viewer.stage.pxOf(viewer.stage.panes[0], viewer.space.lps(voxel));
            fire('pointerdown', x, y, 1);
            for (let k = 1; k <= 4; k++) fire('pointermove', x + 5 * k, y + 3 * k, 1);
            await frame();
            fire('pointerup', x + 20, y + 12, 0);
            painted = viewer.edits.past.length;
        }
        return [painted, Date.now() / 1000];
    }"""
    strokes, last = book.page.evaluate(draw, 50)
    assert strokes == 50
    drawn = page_mask(book)
    assert drawn.any()
    book.page.evaluate(f"() => {KERNEL}.interrupt()")
    book.page.wait_for_function(f"() => {KERNEL}.status === 'idle'", timeout=30000)
    assert (mask(book) == drawn).all()
    assert book.value("finished") > last


def page_mask(book: Notebook) -> np.ndarray:
    """The voxels of the page's mask, without a word to the kernel."""
    text, shape = book.ask(
        """(() => { const { shape } = viewer.meta.sources[0]; let text = '';
        for (let k = 0; k < shape[0]; k++) { const values = viewer.edits.values(k);
          for (let i = 0; i < values.length; i += 8192) text += String.fromCharCode(...values.subarray(i, i + 8192)); }
        return [btoa(text), shape]; })()"""
    )
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(shape)


def test_undo_returns_the_exact_array_and_redo_the_other(book: Notebook) -> None:
    history = [mask(book)]
    for n in range(4):
        book.page.keyboard.press("]" if n % 2 else "[")
        stroke(book, (340 + 30 * n, 150 + 20 * n), (420, 260))
        history.append(mask(book))
    for before in history[-2::-1]:
        book.page.keyboard.press("Control+z")
        assert (mask(book) == before).all()
    assert book.page.locator(".dl-edit-bar [aria-label^='Take back']").is_disabled()
    for after in history[1:]:
        book.page.keyboard.press("Control+Shift+z")
        assert (mask(book) == after).all()


def test_what_was_done_last_is_taken_back_first_measured_or_painted(book: Notebook) -> None:
    stroke(book, (360, 180), (400, 220))
    book.run("b.tool = 'ruler'")
    book.wait("viewer.state.tool === 'ruler'")
    stroke(book, (300, 100), (380, 300))
    assert book.ask("viewer.state.rois.length") == 1
    book.page.keyboard.press("Control+z")
    assert book.ask("viewer.state.rois.length") == 0
    assert mask(book).any()
    book.page.keyboard.press("Control+z")
    assert not mask(book).any()
    book.page.keyboard.press("Control+y")
    assert mask(book).any()
    assert book.ask("viewer.state.rois.length") == 0
    book.page.keyboard.press("Control+y")
    assert book.ask("viewer.state.rois.length") == 1
    book.run("b.rois = []")


def test_an_outline_paints_its_inside_drawn_in_one_go_or_by_its_corners(book: Notebook) -> None:
    book.page.click(".dl-edit-bar [data-tool=lasso]")
    corners = [(360.0, 150.0), (450.0, 160.0), (440.0, 250.0), (370.0, 240.0)]
    stroke(book, *corners, (362.0, 152.0))
    by_hand = mask(book) > 0
    book.page.keyboard.press("Control+z")
    for corner in corners:
        book.page.mouse.click(*at(book, *corner))
    book.page.keyboard.press("Enter")
    by_corners = mask(book) > 0
    polygon = lps(book, *corners)
    found = json.loads(
        book.run(
            "import json\nfrom dicomlab.view.roi import Roi\n"
            f"b.rois = [Roi('polygon', {polygon.tolist()}, label='x')]\n"
            "print(json.dumps([int(x) for x in np.flatnonzero(b.rois.mask('x').values)])); b.rois = []"
        )
    )
    assert np.flatnonzero(by_corners).tolist() == found
    assert 0 < (by_hand ^ by_corners).sum() < 0.1 * by_corners.sum()
    # With Shift its inside is taken away.
    book.page.keyboard.down("Shift")
    stroke(book, *corners, (362.0, 152.0))
    book.page.keyboard.up("Shift")
    assert not (mask(book) > 0)[by_hand & by_corners].any()


def test_a_brush_with_a_range_leaves_other_values_alone_and_a_bucket_fills_a_ring(book: Notebook) -> None:
    book.run("b.brush = {'size': 60.0, 'range': (0, 400)}")
    book.wait("viewer.state.brush.range !== null")
    stroke(book, (420, 210), (425, 212))
    painted = mask(book) > 0
    values = volume_values(book)
    assert painted.any()
    assert ((values[painted] >= 0) & (values[painted] <= 400)).all()
    book.run("b.brush = {'size': 5.0}")
    book.page.keyboard.press("Control+z")
    book.wait("viewer.state.brush.range === null && viewer.state.brush.size === 5")
    ring = [(400 + 60 * np.cos(t), 210 + 60 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 25)]
    stroke(book, *ring)
    before = mask(book) > 0
    book.page.click(".dl-edit-bar [data-tool=fill]")
    book.page.mouse.click(*at(book, 400, 210))
    after = mask(book) > 0
    assert (after[12] == binary_fill_holes(before[12])).all()
    assert after.sum() > 1.3 * before.sum()


def test_labels_are_added_named_locked_and_removed_and_python_knows(book: Notebook) -> None:
    if book.page.locator(".dl-dock").is_hidden():
        book.page.keyboard.press("l")
    stroke(book, (380, 200), (440, 200))
    first = mask(book)
    book.page.click(".dl-add")
    names = book.page.locator(".dl-labels .dl-roi-name")
    names.nth(1).fill("<img src=x onerror=alert(1)>")
    names.nth(1).press("Enter")
    book.synced("b.mask.dicom.labels.names", ["label 1", "<img src=x onerror=alert(1)>"])
    assert book.ask("root.querySelectorAll('img').length") == 0
    names.nth(1).fill("liver")
    names.nth(1).press("Enter")
    book.synced("[b.mask.dicom.labels.names[1], b.mask.dicom.labels[1].type.meaning]", ["liver", "Liver"])
    book.page.locator(".dl-labels [aria-label='Lock label 1']").click()
    book.page.locator(".dl-canvas").first.hover(position={"x": 410, "y": 200})
    stroke(book, (410, 170), (410, 240))
    painted = mask(book)
    assert (painted[first == 1] == 1).all(), "a locked label is not painted over"
    assert (painted == 2).any()
    assert book.value("b.labels['label 1'].locked") is True
    book.page.locator(".dl-labels [aria-label='Lock label 1']").click()
    stroke(book, (410, 170), (410, 240))
    assert (mask(book)[first == 1] == 2).any()
    second = mask(book) == 2
    for _ in range(2):
        book.page.locator(".dl-label").nth(1).locator("summary").click()
        book.page.locator(".dl-label").nth(1).get_by_text("remove").click()
        book.synced("b.mask.dicom.labels.names", ["label 1"])
        assert not (mask(book) == 2).any()
        book.page.locator(".dl-edit-bar [aria-label^='Take back']").click()
        book.synced("b.mask.dicom.labels.names", ["label 1", "liver"])
        assert ((mask(book) == 2) == second).all(), (
            "taken back, the label is here again and so are its voxels"
        )
    book.page.locator(".dl-label").nth(1).locator("summary").click()
    book.page.locator(".dl-label").nth(1).get_by_text("remove").click()
    book.synced("b.mask.dicom.labels.names", ["label 1"])
    ml = book.page.locator(".dl-label .dl-size").first.text_content()
    assert float((ml or "").split()[0]) == pytest.approx(
        (mask(book) == 1).sum() * 2.5 * 0.75 * 0.75 / 1000, rel=0.06
    )


def test_python_sets_the_mask_and_the_page_paints_on(book: Notebook) -> None:
    book.run(
        "heard = []; b.observe(lambda change: heard.append(int((b.mask > 0).sum())), 'mask')\n"
        "b.mask = (v > 300).rename('bone')"
    )
    book.wait("viewer.edits.loaded && viewer.edits.labels.length === 1")
    assert (page_mask(book) == mask(book)).all()
    assert book.value("[str(b.mask.dtype), b.mask.name, b.mask.dicom.labels[0].type.meaning]") == [
        "bool",
        "bone",
        "Bone",
    ]
    before = mask(book).sum()
    book.run("b.tool = 'eraser'; b.brush = {'size': 40.0, 'sphere': True}")
    book.wait("viewer.state.tool === 'eraser' && viewer.state.brush.size === 40")
    stroke(book, (420, 210), (430, 215))
    assert mask(book).sum() < before
    assert book.value("heard[-1] == int(b.mask.sum()) and len(heard) >= 2")
    book.run("b.unobserve_all('mask')")


def test_canvas_and_picture_are_one_while_a_mask_is_edited(book: Notebook) -> None:
    stroke(book, (380, 150), (450, 260))
    book.page.click(".dl-edit-bar [aria-label='One more label']")
    stroke(book, (340, 260), (450, 180))
    mask(book)
    book.page.mouse.move(*at(book, 5, 5))
    book.same()
    book.run("b.panes = 'planes'")
    book.wait("viewer.state.scene.layout === 'planes'")
    book.same()


def test_what_the_kernel_computes_is_taken_over_as_a_stroke(book: Notebook) -> None:
    book.run("b.index = 8")
    book.wait("viewer.index === 8")
    book.still()
    stroke(book, (400, 200), (430, 210))
    book.run("b.index = 12")
    book.wait("viewer.index === 12")
    book.still()
    stroke(book, (400, 200), (430, 210))
    two = mask(book) > 0
    assert sorted(set(np.nonzero(two)[0])) == [8, 12]
    book.page.locator(".dl-more-select").select_option("interpolate")
    book.wait("viewer.edits.past.length > 2", timeout=20000)
    between = mask(book) > 0
    assert sorted(set(np.nonzero(between)[0])) == [8, 9, 10, 11, 12]
    assert (between[two]).all()
    book.page.keyboard.press("Control+z")
    assert ((mask(book) > 0) == two).all()
    book.page.keyboard.press("g")
    book.run("b.brush = {'range': (-2000, -900)}")
    book.wait("viewer.state.brush.range !== null && viewer.state.tool === 'grow'")
    spot = book.ask("viewer.stage.pxOf(viewer.stage.panes[0], viewer.space.lps([12, 2, 2]))")
    book.page.mouse.click(*at(book, *spot))
    grown = mask(book) > 0
    parts, _ = label(volume_values(book) <= -900)
    assert (grown == (two | (parts == parts[12, 2, 2]))).all()


def test_a_page_without_a_kernel_shows_the_mask_and_offers_no_editor(
    chromium: Browser, tmp_path: Any
) -> None:
    volume = dl.make_volume(
        np.zeros((5, 20, 24), np.int16), affine=np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU"
    )
    drawn = volume.astype(bool).drop_attrs()
    drawn[2, 5:15, 5:15] = True
    browser = dl.browse(volume, masks=drawn.rename("box"), edit=True)
    with pages(chromium, tmp_path) as show:
        page = show(browser)
        page.alike(browser)
        assert page.page.locator(".dl-edit").is_hidden()
        assert page.page.locator(".dl-edit-bar").is_hidden()
        assert (page.canvas() == [213, 94, 0]).all(axis=2).any()


def test_masks_that_cannot_be_edited_are_refused_with_what_mends_them() -> None:
    volume = dl.make_volume(
        np.zeros((5, 20, 24), np.int16), affine=np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU"
    )
    browser = dl.browse(volume)
    assert browser.mask is None
    with pytest.raises(GeometryError, match=r"reindex_like|resample_like"):
        browser.mask = (volume > 3)[1:]
    with pytest.raises(DicomLabError, match="Compare first"):
        browser.mask = volume.astype(float)
    with pytest.raises(DicomLabError, match="brush"):
        browser.brush = {"size": -1}
    browser.mask = volume > 3
    assert browser.mask is not None
    assert not browser.mask.any()
    browser.mask = None
    assert browser.mask is None


def test_letters_stay_in_the_viewer_whatever_of_it_has_the_focus(book: Notebook) -> None:
    cells = "window.jupyterapp.shell.currentWidget.content.widgets.map((one) => one.model.type)"
    before = book.page.evaluate(f"() => {cells}")
    if book.page.locator(".dl-dock").is_hidden():
        book.page.keyboard.press("l")
    for place in (
        ".dl-edit-bar [data-tool=eraser]",
        ".dl-edit-bar select",
        ".dl-labels .dl-eye",
        ".dl-edit",
        ".dl-dock summary",
    ):
        book.page.locator(place).first.focus()
        for key in ("d", "d", "m", "r", "y"):
            book.page.keyboard.press(key)
    assert book.page.evaluate(f"() => {cells}") == before
    book.run("b.rois = []; b.tool = 'brush'")


def test_the_bar_opens_and_closes_and_what_was_removed_comes_back_with_its_name(book: Notebook) -> None:
    if book.page.locator(".dl-dock").is_hidden():
        book.page.keyboard.press("l")
    book.page.click(".dl-edit")
    assert book.page.locator(".dl-edit-bar").is_hidden()
    assert book.ask("viewer.state.tool") == "window"
    book.page.click(".dl-edit")
    book.page.click(".dl-edit-bar [data-tool=brush]")
    assert book.ask("viewer.state.tool") == "brush", "a click on the brush keeps it"
    book.page.click(".dl-add")
    book.page.keyboard.type("liver")  # the new name has the focus
    book.page.keyboard.press("Enter")
    stroke(book, (380, 200), (440, 200))
    drawn = mask(book)
    assert (drawn == 2).any()
    book.page.locator(".dl-label").nth(1).locator("summary").click()
    book.page.locator(".dl-label").nth(1).get_by_text("remove").click()
    book.synced("b.mask.dicom.labels.names", ["label 1"])
    book.page.keyboard.press("Control+z")
    book.synced("b.mask.dicom.labels.names", ["label 1", "liver"])
    assert (mask(book) == drawn).all()
