"""Measuring with mouse and keys: what is drawn, what it says, and that the kernel says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab.geometry import Geometry
from dicomlab.view.roi import Roi

from .alone import pages
from .jupyter import Notebook

pytestmark = pytest.mark.browser
Open = Callable[..., Notebook]


def volume(direction: Any = ((0, 0, 1), (0, 1, 0), (1, 0, 0)), **attrs: Any) -> Any:
    """A CT of 12 uneven slices of 60 x 80 voxels of 2 x 2 mm around the origin."""
    values = np.random.default_rng(2).integers(-900, 1500, (12, 60, 80)).astype(np.int16)
    slices = np.cumsum([-18.0, *[3, 3, 3, 6, 3, 3, 2.5, 3, 3, 3, 3]])
    place = Geometry(
        np.array(direction, dtype=float), slices, np.arange(60) * 2.0 - 59, np.arange(80) * 2.0 - 79, "1.2"
    )
    return dl.make_volume(values, geometry=place, units="HU", attrs={"Modality": "CT", **attrs})


@pytest.fixture
def alone(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Show a volume in a page without a kernel."""
    with pages(chromium, tmp_path) as show:
        yield lambda one, **options: show(dl.browse(one, height=420, **options), width=900, height=620)


def at(book: Notebook, x: float, y: float) -> tuple[float, float]:
    box = book.page.locator(".dl-stage").first.bounding_box()
    assert box
    return box["x"] + x, box["y"] + y


def drag(book: Notebook, *points: tuple[float, float]) -> None:
    mouse = book.page.mouse
    mouse.move(*at(book, *points[0]))
    mouse.down()
    for point in points[1:]:
        mouse.move(*at(book, *point), steps=3)
    mouse.up()


def click(book: Notebook, *points: tuple[float, float]) -> None:
    for point in points:
        book.page.mouse.click(*at(book, *point))


def choose(book: Notebook, tool: str) -> None:
    if tool != "window":
        book.page.click(".dl-drop")
    book.page.click(f"[data-tool={tool}]")


def drawn(book: Notebook) -> list[Roi]:
    book.wait("viewer.frame === 0")
    return [Roi.from_json(one) for one in book.ask("viewer.state.rois")]


def texts(book: Notebook) -> list[list[str]]:
    """What stands beside each measurement."""
    book.wait("viewer.frame === 0")
    found: list[list[str]] = book.ask(
        "[...root.querySelectorAll('.dl-roi')].map((one) => [...one.querySelectorAll('text')].map((t) => t.textContent))"
    )
    return found


AREAS = {
    "rectangle": lambda book: drag(book, (320, 120), (420, 190)),
    "ellipse": lambda book: drag(book, (450, 120), (540, 190)),
    "polygon": lambda book: click(book, (330, 250), (420, 240), (440, 300), (350, 320), (331, 251)),
    "freehand": lambda book: drag(book, (480, 260), (560, 240), (570, 330), (500, 340), (482, 262)),
}


def test_what_is_drawn_with_the_mouse_measures_as_python_does(alone: Open) -> None:
    one = volume()
    book = alone(one)
    for kind, draw in AREAS.items():
        choose(book, kind)
        draw(book)
    rois = drawn(book)
    assert [roi.kind for roi in rois] == list(AREAS)
    browser = dl.browse(one)
    browser.rois = rois
    numbers = book.ask("viewer.state.rois.map((roi) => viewer.measuring.statistics(roi))")
    for number, found in enumerate(numbers):
        told = browser.rois.statistics(number)
        assert found == pytest.approx(told.__dict__, rel=1e-12)
        assert told.n > 100
        assert f"n {told.n}" in texts(book)[number][-1]
        assert texts(book)[number][1].endswith("HU")
        assert texts(book)[number][0] == f"{float(f'{rois[number].area:.4g}'):g} mm²"


def test_areas_on_oblique_planes_of_a_turned_patient_measure_as_python_does(alone: Open) -> None:
    from scipy.spatial.transform import Rotation

    direction = Rotation.from_euler("xyz", [12, -20, 30], degrees=True).as_matrix()
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    one = volume(direction)
    book = alone(one, layout="planes")
    book.ask("(viewer.turnAbout([1, 0, 0], 0.5), viewer.turnAbout([0, 1, 0], 0.3), 0)")
    choose(book, "ellipse")
    drag(book, (220, 150), (340, 260))
    [roi] = drawn(book)
    browser = dl.browse(one)
    browser.rois = [roi]
    told = browser.rois.statistics(0)
    assert book.ask("viewer.measuring.statistics(viewer.state.rois[0])") == pytest.approx(
        told.__dict__, rel=1e-12
    )
    assert len(set(browser.rois.voxels(0)[0])) > 3


def test_lengths_and_angles_are_in_mm_of_the_patient(alone: Open) -> None:
    book = alone(volume())
    mm = book.ask("viewer.stage.panes[0].plane.pixel * viewer.stage.size.ratio")
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("d")
    drag(book, (400, 150), (430, 190))
    book.page.keyboard.press("a")
    drag(book, (400, 300), (450, 300))
    click(book, (450, 250))
    ruler, angle = drawn(book)
    assert ruler.length == pytest.approx(50 * mm)
    assert angle.angle == pytest.approx(90)
    assert texts(book) == [[f"{float(f'{50 * mm:.4g}'):g} mm"], ["90.0°"]]


def test_a_measurement_is_seen_on_its_own_slice_alone_and_again_on_return(alone: Open) -> None:
    book = alone(volume())
    choose(book, "ellipse")
    AREAS["ellipse"](book)
    for key, seen in (("ArrowDown", 0), ("ArrowDown", 0), ("ArrowUp", 0), ("ArrowUp", 1), ("ArrowUp", 0)):
        book.page.keyboard.press(key)
        assert len(texts(book)) == seen
    book.page.keyboard.press("n")
    assert len(texts(book)) == 1
    assert book.ask("viewer.index") == 6


def test_handles_and_the_whole_can_be_dragged_and_keys_remove_it(alone: Open) -> None:
    book = alone(volume())
    choose(book, "rectangle")
    AREAS["rectangle"](book)
    [before] = drawn(book)
    choose(book, "window")
    window = book.ask("viewer.look.window")
    drag(book, (420, 190), (440, 220))  # a corner
    [wider] = drawn(book)
    assert wider.points[0] == pytest.approx(before.points[0])
    assert wider.area == pytest.approx(120 * 100 / (100 * 70) * before.area)
    drag(book, (380, 120), (390, 140))  # an edge, so all of it
    [moved] = drawn(book)
    assert moved.area == pytest.approx(wider.area)
    mm = book.ask("viewer.stage.panes[0].plane.pixel * viewer.stage.size.ratio")
    assert np.subtract(moved.points, wider.points) == pytest.approx(np.tile([10 * mm, 20 * mm, 0], (4, 1)))
    assert book.ask("viewer.look.window") == window
    book.page.keyboard.press("Delete")
    assert drawn(book) == []


def test_escape_leaves_the_drawing_then_the_measurement_then_the_tool(alone: Open) -> None:
    book = alone(volume())
    choose(book, "ruler")
    drag(book, (400, 150), (430, 190))
    choose(book, "polygon")
    click(book, (330, 250), (420, 240))
    assert len(texts(book)) == 2
    for drafts, chosen, tool in ((1, False, "polygon"), (1, False, "window")):
        book.page.keyboard.press("Escape")
        assert len(texts(book)) == drafts
        assert book.ask("(viewer.measuring.chosen !== '')") is chosen
        assert book.ask("viewer.state.tool") == tool
    assert len(drawn(book)) == 1


def test_a_double_click_ends_a_polygon_and_enlarges_nothing(alone: Open) -> None:
    book = alone(volume(), layout="planes")
    choose(book, "polygon")
    click(book, (100, 100), (200, 110))
    book.page.mouse.dblclick(*at(book, 180, 200))
    [roi] = drawn(book)
    assert len(roi.points) == 3
    assert book.ask("viewer.state.scene.layout") == "planes"


def test_the_curve_of_a_profile_is_that_of_the_volume(alone: Open) -> None:
    one = volume()
    book = alone(one)
    choose(book, "profile")
    drag(book, (300, 150), (560, 260))
    [roi] = drawn(book)
    expected = one.dicom.profile(*roi.points)
    assert book.page.locator(".dl-curve").is_visible()
    curve = book.ask(
        "root.querySelector('.dl-graph').getAttribute('d').split(/[ML]/).slice(1).map((p) => p.split(' ').map(Number))"
    )
    heights = np.array(curve)[:, 1]
    low, high = float(expected.min()), float(expected.max())
    shown = high - (heights - heights.min()) / np.ptp(heights) * (high - low)
    np.testing.assert_allclose(shown, expected.values, atol=(high - low) / np.ptp(heights) * 0.11)
    box = book.page.locator(".dl-curve svg").bounding_box()
    assert box
    book.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    book.wait("root.querySelector('.dl-curve text:last-of-type').textContent.includes('mm: ')")
    read = book.ask("root.querySelector('.dl-curve text:last-of-type').textContent").split()
    assert float(read[0]) == pytest.approx(roi.length / 2, abs=expected.distance.values[1])
    assert float(read[2]) == pytest.approx(
        float(expected.sel(distance=float(read[0]), method="nearest")), rel=1e-3
    )
    book.page.keyboard.press("Escape")
    book.wait("viewer.frame === 0")
    assert not book.page.locator(".dl-curve").is_visible()


def test_a_pinned_point_tells_value_voxel_and_place(alone: Open) -> None:
    one = volume()
    book = alone(one)
    choose(book, "probe")
    click(book, (450, 200))
    [roi] = drawn(book)
    voxel = np.rint(one.dicom.index(roi.points[0])).astype(int)
    [lines] = texts(book)
    assert lines[0] == f"{one.values[tuple(voxel)]} HU"
    assert lines[1] == f"voxel [{', '.join(map(str, voxel))}]"
    assert lines[2].startswith("LPS (")


def test_a_label_is_text_and_never_markup(alone: Open, tmp_path: Path) -> None:
    book = alone(volume())
    book.ask(
        """(viewer.measuring.change([{ id: 'x', kind: 'probe', points: [viewer.state.scene.position], normal: null,
            label: '<img src=x onerror="window.broken=1">', colour: '#ffffff' }]), 0)"""
    )
    assert texts(book)[0][0] == '<img src=x onerror="window.broken=1">'
    assert book.ask("window.broken === undefined && root.querySelector('img') === null")


NOTEBOOK = """
from dicomlab.view.browser import browse
from dicomlab.view.roi import Roi
v = volume(SeriesDescription="Thorax", WindowCenter=[40.0], WindowWidth=[400.0])
b = browse(v, height=420)
b
"""


def test_page_and_kernel_have_the_same_measurements(open_notebook: Open) -> None:
    book = open_notebook("rois", NOTEBOOK)
    book.shown(12)
    before = list(book.errors)  # what comes of opening a viewer is not told here
    choose(book, "ellipse")
    drag(book, (300, 100), (420, 220))
    book.synced("[roi.kind for roi in b.rois]", ["ellipse"])
    assert book.value("[roi.to_json() for roi in b.rois]") == book.ask("viewer.state.rois")
    found = book.value("b.rois.statistics(0).__dict__")
    assert book.ask("viewer.measuring.statistics(viewer.state.rois[0])") == pytest.approx(found, rel=1e-12)
    assert found["n"] > 100
    book.run("b.rois += [Roi('probe', [v.dicom.lps([12, 40, 50])], label='here')]")
    book.wait("[...root.querySelectorAll('.dl-number')].some((one) => one.textContent === 'here')")
    value = book.value("float(v.values[12, 40, 50])")
    assert [f"{value:g}" in line for line in texts(book)[0]] == [False, True]
    assert book.errors == before


def test_the_panel_lists_what_was_measured_to_be_named_coloured_gone_to_and_removed(alone: Open) -> None:
    book = alone(volume())
    choose(book, "ruler")
    drag(book, (300, 200), (400, 200))
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("PageDown")
    choose(book, "ellipse")
    drag(book, (300, 150), (360, 260))
    book.page.keyboard.press("l")
    names = book.page.locator(".dl-roi-name")
    assert names.count() == 2
    names.nth(0).fill("<b>aorta</b> d")  # typed, letters are no keys: D draws no ruler, N goes nowhere
    names.nth(0).type("n")
    first, _ = drawn(book)
    assert first.label == "<b>aorta</b> dn"
    assert "<b>aorta</b> dn" not in book.texts(), "it lies on another slice"
    book.page.locator(".dl-rois .dl-size").nth(0).click()
    book.wait("viewer.measuring.chosen === argument", first.id)
    book.shown()
    book.wait(
        "[...root.querySelectorAll('.dl-over text')].some((one) => one.textContent === argument)",
        "<b>aorta</b> dn",
    )
    said = book.page.locator(".dl-rois .dl-size").nth(0).inner_text()
    assert said == next(text for text in book.texts() if text.endswith(" mm") and text in said)
    book.page.locator(".dl-rois [type=color]").nth(1).fill("#123456")
    assert [one.colour for one in drawn(book)][1] == "#123456"
    book.page.locator(".dl-rois [aria-label='Remove this ruler']").click()
    assert [one.kind for one in drawn(book)] == ["ellipse"]
    assert names.count() == 1


def test_what_was_done_to_measurements_is_taken_back_and_done_again(alone: Open) -> None:
    book = alone(volume())
    choose(book, "ruler")
    drag(book, (300, 200), (400, 200))
    [made] = drawn(book)
    drag(book, (400, 200), (420, 240))
    [moved] = drawn(book)
    assert moved.points != made.points
    press = book.page.keyboard.press
    press("Delete")
    assert drawn(book) == []
    press("Control+z")
    assert drawn(book) == [moved]
    press("Control+z")
    assert drawn(book) == [made]
    press("Control+z")
    assert drawn(book) == []
    press("Control+z")  # nothing before that
    press("Control+y")
    press("Control+y")
    assert drawn(book) == [moved]
    # What is done anew ends what could be done again.
    press("Control+z")
    drag(book, (100, 300), (200, 300))
    press("Control+y")
    first, _ = drawn(book)
    assert first.points == made.points
