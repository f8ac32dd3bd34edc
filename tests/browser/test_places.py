"""Places in a real page: uneven slices, linked planes, two grids, measurements; by formulas, SimpleITK and scikit-image."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import SimpleITK as sitk
from playwright.sync_api import Browser
from skimage.draw import polygon2mask

import dicomlab as dl
from dicomlab import Window
from dicomlab.geometry import Geometry
from dicomlab.phantom import PhantomStudy, write_study
from dicomlab.view.roi import Roi

from .alone import Alone, Show, pages

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def show(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    with pages(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> PhantomStudy:
    return write_study(tmp_path_factory.mktemp("study"), coarser=3)


def read(folder: Path) -> sitk.Image:
    """A series as ITK reads it."""
    files = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder))
    return sitk.ReadImage(files)


# ---- uneven slices ---------------------------------------------------------------------------------------------------

GAPS = [2.0, 2.0, 2.0, 14.0, 2.0, 2.0, 2.0, 5.5, 2.0, 3.25, 2.0, 2.0]


def uneven(falling: bool, count: int = 13) -> Any:
    """Slices of one value each, 10 times their index, at uneven places."""
    mm = np.concatenate([[-20.0], -20 + np.cumsum(GAPS)])[:count]
    values = np.broadcast_to(np.arange(count)[:, None, None] * 10 + 10, (count, 24, 30)).astype(np.int16)
    upright = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
    place = Geometry(
        upright, mm[::-1] if falling else mm, np.arange(24) * 2.0 - 23, np.arange(30) * 2.0 - 29, "1.2"
    )
    attrs = {"Modality": "CT", "findings": "missing_slice: 14 mm between slices 3 and 4"}
    return dl.make_volume(values, geometry=place, units="HU", attrs=attrs), place.positions[0]


GREYS = Window(127.5, 255.0, "LINEAR_EXACT")
"""Values are greys."""


@pytest.mark.parametrize("falling", [False, True])
def test_rows_of_pixels_belong_to_the_slice_that_is_nearest_and_a_gap_is_told(
    show: Show, falling: bool
) -> None:
    volume, mm = uneven(falling)
    browser = dl.browse(volume, window=GREYS, height=300)
    browser.interpolation = "nearest"
    book = show(browser)
    for plane in ("coronal", "sagittal"):
        browser.plane = plane
        seen = book.alike(browser, plane)[..., 0]
        pane = book.ask("viewer.stage.panes[0].plane")
        assert pane["down"] == [0, 0, -1]
        middle = seen[:, seen.shape[1] // 2]
        heights = pane["origin"][2] - pane["pixel"] * np.arange(len(middle))
        apart = np.abs(heights[:, None] - mm)
        # Half a step of the outer slices lies beyond their centres; half way between two slices either is right.
        low, high = sorted((mm[0], mm[-1]))
        inside = (heights > low - 0.99) & (heights < high + 0.99)
        two = np.sort(apart, axis=1)[:, :2]
        sure = inside & (two[:, 1] - two[:, 0] > 0.02)
        assert sure.sum() > 200
        assert np.array_equal(middle[sure], 10 * apart.argmin(axis=1)[sure] + 10)
        assert (middle[(heights < low - 1.01) | (heights > high + 1.01)] == 0).all()
        assert set(middle[sure]) == set(range(10, 140, 10)), "each slice is seen"
    # Between slices far apart the picture is a guess: that is said.
    assert "2…14 × 2 × 2 mm" in " ".join(book.texts())
    book.page.get_by_role("button", name="1 findings").click()
    panel = book.page.locator(".dl-findings")
    assert "14 mm" in panel.inner_text()
    k = sorted((int(np.argmin(np.abs(mm - -14))), int(np.argmin(np.abs(mm - 0)))))
    for index in k:
        assert panel.get_by_role("button", name=f"Go to slice {index + 1}", exact=True).count() == 1


WATCH = """(() => {
    const seen = globalThis.seen = [];
    const watch = () => {
        if (globalThis.seen !== seen) return;
        const { canvas, panes } = viewer.stage;
        const context = canvas.getContext("2d");
        seen.push(panes.map((pane, n) => {
            const x = pane.left + (pane.plane.width >> 1), y = pane.top + (pane.plane.height >> 1);
            const group = root.querySelectorAll(".dl-pane")[n];
            const { slider } = viewer.chrome;
            return { name: pane.name, grey: context.getImageData(x, y, 1, 1).data[0], complete: viewer.stage.complete[n],
                texts: [...group.querySelectorAll("text")].map((one) => one.textContent),
                said: n ? "" : `${slider.value} ${slider.getAttribute("aria-valuetext")} ${root.dataset.drawn}` };
        }));
        requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
})()"""


@pytest.mark.parametrize("layout", ["single", "planes"])
@pytest.mark.parametrize("falling", [False, True])
def test_in_every_frame_of_a_fast_scroll_index_and_mm_are_those_of_the_slice_that_is_drawn(
    show: Show, layout: Any, falling: bool
) -> None:
    volume, mm = uneven(falling)
    browser = dl.browse(volume, window=GREYS, layout=layout, height=300)
    book = show(browser, width=700)
    book.put(browser)
    book.ask(WATCH)
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    book.page.mouse.move(box["x"] + 90, box["y"] + 90)
    for notches in (1, 1, 1, 1, -1, -1, -2, -1, -1, -1, -1, -1, -1, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, -5):
        book.page.mouse.wheel(0, 100 * notches)
    book.page.wait_for_timeout(150)
    book.page.locator(".dl-browser").focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "End", "ArrowUp", "ArrowUp", "ArrowUp"):
        book.page.keyboard.press(key)
    book.page.wait_for_timeout(150)
    frames = book.ask("globalThis.seen")
    book.ask("(globalThis.seen = null, 0)")
    drawn = set()
    for frame in frames:
        pane = next(one for one in frame if one["name"] == "axial")
        grey = pane["grey"]
        if not pane["complete"]:
            assert grey == 0, "nothing, rather than another slice"
            continue
        index = grey // 10 - 1
        assert grey % 10 == 0
        drawn.add(index)
        assert f"slice {index + 1}/13" in pane["texts"], (grey, pane["texts"])
        side = "H" if mm[index] >= 0 else "F"
        assert f"{abs(mm[index]):.1f} mm {side}" in pane["texts"], (grey, pane["texts"])
        assert frame[0]["said"] == f"{index} axial {index + 1} of 13 {index}"
    assert len(drawn) >= 6, f"only {sorted(drawn)} were seen in {len(frames)} frames"


# ---- linked planes ---------------------------------------------------------------------------------------------------


def test_a_click_on_an_oblique_mr_leads_all_planes_to_the_point_of_itk(
    show: Show, study: PhantomStudy
) -> None:
    itk = read(study.folder / "MR")
    volume = dl.load_volume(study.folder / "MR")
    direction = np.reshape(itk.GetDirection(), (3, 3))
    assert np.abs(direction).max() < 0.999, "or it is not oblique"
    browser = dl.browse(volume, layout="planes", height=420)
    browser.tool = "crosshair"
    book = show(browser, width=800, height=600)
    book.put(browser)
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    rng = np.random.default_rng(5)
    size = np.array(itk.GetSize())
    for number in range(12):
        voxel = (size * rng.uniform(0.25, 0.75, 3)).astype(int).tolist()
        place = np.array(itk.TransformIndexToPhysicalPoint(voxel))
        # First there, so that the pane which is clicked shows the voxel; then away along that pane, and back by a click.
        book.ask("(viewer.goTo(argument), 0)", place.tolist())
        n = number % 3
        away = book.ask("viewer.stage.panes[argument].plane.right", n)
        book.ask("(viewer.goTo(argument), 0)", (place + 9.0 * np.array(away)).tolist())
        book.wait("viewer.frame === 0")
        before = book.ask("viewer.state.scene.position")
        x, y = book.ask(
            "viewer.stage.pxOf(viewer.stage.panes[argument[0]], argument[1])", [n, place.tolist()]
        )
        book.page.mouse.click(box["x"] + x, box["y"] + y)
        book.wait("viewer.frame === 0")
        position = np.array(book.ask("viewer.state.scene.position"))
        assert np.linalg.norm(position - before) > 4
        pixel = book.ask("viewer.stage.panes[argument].plane.pixel", n)
        assert np.linalg.norm(position - place) <= pixel, "the click is on a whole pixel of the screen"
        index = np.array(itk.TransformPhysicalPointToContinuousIndex(position.tolist()))
        assert np.abs(index - voxel).max() <= pixel / min(itk.GetSpacing()) + 0.01
        nearest = book.ask("viewer.space.nearest(viewer.state.scene.position)")
        assert np.abs(np.array(nearest[::-1]) - index).max() <= 0.51
        for pane in book.ask("viewer.stage.panes"):
            plane = pane["plane"]
            normal = np.cross(plane["right"], plane["down"])
            assert abs(normal @ (position - plane["origin"])) < 1e-6
            # The planes are those of the images and at right angles to them.
            assert np.abs(normal @ direction).max() == pytest.approx(1, abs=1e-6)
        # The lines cross at the point, in every pane.
        for k in range(3):
            at = book.ask("viewer.stage.pxOf(viewer.stage.panes[argument], viewer.state.scene.position)", k)
            for line in book.ask(
                """[...root.querySelectorAll('.dl-pane')[argument].querySelectorAll('.dl-cross')].map((one) =>
                    ['x1', 'y1', 'x2', 'y2'].map((name) => Number(one.getAttribute(name))))""",
                k,
            ):
                (x1, y1), (x2, y2) = line[:2], line[2:]
                far = abs((x2 - x1) * (y1 - at[1]) - (x1 - at[0]) * (y2 - y1)) / np.hypot(x2 - x1, y2 - y1)
                assert far < 1e-6
    browser.close()


# ---- two grids -------------------------------------------------------------------------------------------------------


def test_the_pet_over_a_ct_is_that_which_itk_resamples_onto_its_voxels(
    show: Show, study: PhantomStudy
) -> None:
    ct, pet = dl.load_volume(study.folder / "CT"), dl.load_volume(study.folder / "PT")
    itk_ct, itk_pet = read(study.folder / "CT"), read(study.folder / "PT")
    assert itk_ct.GetSpacing() != itk_pet.GetSpacing()
    onto = sitk.GetArrayFromImage(
        sitk.Resample(sitk.Cast(itk_pet, sitk.sitkFloat64), itk_ct, sitk.Transform(), sitk.sitkLinear, -1e9)
    )
    browser = dl.compare(ct, pet, mode="fusion", height=150)
    book = show(browser, width=460, height=330)
    step = float(np.ptp(pet.values)) / 65532
    below = sitk.GetArrayFromImage(itk_ct)
    compared, rng = 0, np.random.default_rng(9)
    for index in (4, 12, 19):
        browser.index = index
        browser.pan = [0.0, 0.0, 0.0]
        book.alike(browser, index)
        plane, found = seen_of(book)
        reference = sitk.Image([plane["width"], plane["height"], 1], sitk.sitkFloat64)
        reference.SetOrigin(plane["origin"])
        reference.SetSpacing([plane["pixel"], plane["pixel"], 1.0])
        axes = np.stack([plane["right"], plane["down"], np.cross(plane["right"], plane["down"])], axis=1)
        reference.SetDirection(axes.ravel().tolist())
        cut = sitk.GetArrayFromImage(
            sitk.Resample(
                sitk.Cast(itk_pet, sitk.sitkFloat64), reference, sitk.Transform(), sitk.sitkLinear, -1e9
            )
        )[0]
        both = np.isfinite(found[1]) & (cut > -1e8)
        np.testing.assert_allclose(found[1][both], cut[both], atol=step + 1e-5 * np.abs(cut[both]).max())
        compared += int(both.sum())
        # And on the very voxels of the CT: moved so that one of them lies on a pixel.
        k = round(itk_ct.TransformPhysicalPointToContinuousIndex(browser.position)[2])
        for _ in range(4):
            voxel = [int(n * rng.uniform(0.3, 0.7)) for n in itk_ct.GetSize()[:2]] + [k]
            place = np.array(itk_ct.TransformIndexToPhysicalPoint(voxel))
            x, y, pixel = pixel_at(plane, place)
            browser.pan = (np.array(browser.pan) + pixel - place).tolist()
            book.put(browser)
            plane = book.ask("viewer.stage.panes[0].plane")
            x, y, pixel = pixel_at(plane, place)
            np.testing.assert_allclose(pixel, place, atol=1e-6)
            i, j, _ = voxel
            of_ct, of_pet = book.ask(
                "viewer.stage.drawers.get('axial0').samples.map(({ values }) => values[argument])",
                y * plane["width"] + x,
            )
            assert of_ct == pytest.approx(below[k, j, i], abs=1e-3)
            assert of_pet == pytest.approx(onto[k, j, i], abs=step + 1e-5 * onto[k].max())
    assert compared > 3000
    browser.close()


def seen_of(book: Alone) -> tuple[Any, list[np.ndarray]]:
    """The plane of the first pane, and the values of both volumes under its pixels."""
    plane, *values = book.ask(
        """(() => { const [pane] = viewer.stage.panes;
            const { samples } = viewer.stage.drawers.get(`${pane.name}${pane.number}`);
            const told = (one) => [...one.values].map((x) => (Number.isFinite(x) ? x : null));
            return [pane.plane, told(samples[0]), told(samples[1])]; })()"""
    )
    shape = (plane["height"], plane["width"])
    return plane, [np.array(one, dtype=float).reshape(shape) for one in values]


def pixel_at(plane: Any, place: np.ndarray) -> tuple[int, int, np.ndarray]:
    """The column and row of the pixel nearest to a place, and the place of its centre."""
    origin, right, down = (np.array(plane[name]) for name in ("origin", "right", "down"))
    x, y = (round(float((place - origin) @ way) / plane["pixel"]) for way in (right, down))
    return x, y, origin + plane["pixel"] * (x * right + y * down)


# ---- measurements ----------------------------------------------------------------------------------------------------

ANGLES = (0.31, -0.22, 0.4)
SPACING = (3.3, 0.9, 1.7)
SHAPE = (9, 46, 38)
ORIGIN = np.array([12.0, -34.0, 55.0])


def oblique_axes() -> np.ndarray:
    """LPS unit vectors of slice, row and column as columns: three turns by hand."""
    made = np.eye(3)
    for axis, angle in enumerate(ANGLES):
        a, b = (axis + 1) % 3, (axis + 2) % 3
        turn = np.eye(3)
        turn[a, a] = turn[b, b] = np.cos(angle)
        turn[a, b], turn[b, a] = -np.sin(angle), np.sin(angle)
        made = turn @ made
    row, column = made[:, 0], made[:, 1]
    return np.stack([np.cross(row, column), column, row], axis=1)


AXES = oblique_axes()


def lps(*index: float) -> list[float]:
    """The place of a fractional voxel, by the formula."""
    return (ORIGIN + AXES @ (np.array(index) * SPACING)).tolist()


def measured() -> Any:
    affine = np.eye(4)
    affine[:3, :3] = AXES * SPACING
    affine[:3, 3] = ORIGIN
    values = np.random.default_rng(6).integers(-900, 1800, SHAPE).astype(np.int16)
    return dl.make_volume(values, affine=affine, units="HU", attrs={"Modality": "CT"})


CORNERS = [(8.3, 6.2), (9.4, 24.7), (22.6, 30.1), (35.2, 19.4), (27.7, 15.8), (30.3, 7.1)]
FREE = [
    (20 + 11.3 * np.sin(t) * (1 + 0.3 * np.sin(3 * t)), 18 + 9.7 * np.cos(t)) for t in np.linspace(0, 6.2, 60)
]
ROIS = {
    "polygon": Roi("polygon", [lps(4, r, c) for r, c in CORNERS]),
    "freehand": Roi("freehand", [lps(4, r, c) for r, c in FREE]),
    "rectangle": Roi(
        "rectangle", [lps(4, r, c) for r, c in ((5.5, 4.5), (5.5, 20.5), (30.5, 20.5), (30.5, 4.5))]
    ),
    "ellipse": Roi(
        "ellipse", [lps(4, r, c) for r, c in ((6.2, 18.4), (37.4, 18.4), (21.8, 10.1), (21.8, 26.7))]
    ),
}


def inside_by_formula(kind: str) -> np.ndarray:
    """Which voxels of the slice are inside, (rows, columns), by scikit-image and by schoolbook."""
    r, c = np.indices(SHAPE[1:])
    if kind == "ellipse":
        return np.asarray(((r - 21.8) / 15.6) ** 2 + ((c - 18.4) / 8.3) ** 2 <= 1)
    if kind == "rectangle":
        return np.asarray((r > 5.5) & (r < 30.5) & (c > 4.5) & (c < 20.5))
    return np.asarray(polygon2mask(SHAPE[1:], CORNERS if kind == "polygon" else FREE))


def area_by_formula(kind: str) -> float:
    """mm²: of the outline in voxels, times the area of a voxel."""
    voxel = SPACING[1] * SPACING[2]
    if kind == "ellipse":
        return float(np.pi * 15.6 * 8.3 * voxel)
    if kind == "rectangle":
        return 25 * 16 * voxel
    y, x = np.array(CORNERS if kind == "polygon" else FREE).T
    return float(abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2 * voxel)


@pytest.fixture
def drawn_on(show: Show) -> Iterator[tuple[Alone, dl.SliceBrowser, Any]]:
    volume = measured()
    browser = dl.browse(volume, layout="single", height=420)
    browser.index = 4
    browser.rois = [
        *ROIS.values(),
        Roi("ruler", [lps(4, 3, 5), lps(4, 40, 33)]),
        Roi("angle", [lps(4, 3, 5), lps(4, 20, 10), lps(4, 33, 30)]),
        Roi("ruler", [lps(1, 10, 10), lps(7, 30, 25)]),
        Roi("probe", [lps(4, 17.4, 22.3)]),
    ]
    book = show(browser, width=760, height=620)
    book.put(browser)
    yield book, browser, volume
    browser.close()


def beside(book: Alone) -> dict[str, list[str]]:
    """What stands beside each measurement that is seen, by its id."""
    book.wait("viewer.frame === 0")
    found: dict[str, list[str]] = book.ask(
        """Object.fromEntries([...root.querySelectorAll('.dl-roi')].map((one) =>
            [one.dataset.roi, [...one.querySelectorAll('text')].map((t) => t.textContent)]))"""
    )
    return found


def test_areas_lengths_and_angles_on_an_oblique_anisotropic_volume_are_those_of_formulas(
    drawn_on: Any,
) -> None:
    book, browser, volume = drawn_on
    told = book.ask("viewer.state.rois.slice(0, 4).map((roi) => viewer.measuring.statistics(roi))")
    table = browser.rois.table
    texts = beside(book)
    for number, (kind, roi) in enumerate(ROIS.items()):
        mask = inside_by_formula(kind)
        values = volume.values[4][mask].astype(float)
        assert values.size > 200
        row = table.iloc[number]
        expected = {
            "n": values.size,
            "mean": values.mean(),
            "sd": values.std(),
            "min": values.min(),
            "max": values.max(),
        }
        assert told[number] == pytest.approx(expected, rel=1e-12)
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-12)
        assert np.array_equal(browser.rois.mask(number).values[4], mask)
        assert browser.rois.mask(number).values.sum() == mask.sum()
        assert row.area_mm2 == pytest.approx(area_by_formula(kind), rel=1e-9)
        lines = texts[roi.id]
        assert lines[0] == f"{float(f'{area_by_formula(kind):.4g}'):g} mm²"
        assert lines[1].split() == [
            "mean",
            f"{float(f'{values.mean():.4g}'):g}",
            "sd",
            f"{float(f'{values.std():.4g}'):g}",
            "HU",
        ]
        assert lines[2].split() == [
            "min",
            f"{values.min():g}",
            "max",
            f"{values.max():g}",
            "n",
            str(values.size),
        ]
    flat = np.hypot(37 * SPACING[1], 28 * SPACING[2])
    a = np.array([-17 * SPACING[1], -5 * SPACING[2]])
    b = np.array([13 * SPACING[1], 20 * SPACING[2]])
    angle = np.degrees(np.arccos(a @ b / np.linalg.norm(a) / np.linalg.norm(b)))
    across = np.linalg.norm([6 * SPACING[0], 20 * SPACING[1], 15 * SPACING[2]])
    assert table.length_mm.iloc[4] == pytest.approx(flat, rel=1e-9)
    assert table.angle_deg.iloc[5] == pytest.approx(angle, rel=1e-9)
    assert table.length_mm.iloc[6] == pytest.approx(across, rel=1e-9)
    ruler, bent, leaning, point = browser.rois[4:]
    assert texts[ruler.id] == [f"{float(f'{flat:.4g}'):g} mm"]
    assert texts[bent.id] == [f"{angle:.1f}°"]
    assert leaning.id not in texts, "it leaves the slice"
    assert texts[point.id][0] == f"{volume.values[4, 17, 22]} HU"


def test_measurements_are_seen_on_their_slice_alone_and_in_no_plane_that_cuts_them(drawn_on: Any) -> None:
    book, browser, _ = drawn_on
    at_home = set(beside(book))
    assert at_home == {roi.id for roi in browser.rois} - {browser.rois[6].id}
    own = browser.plane
    for index in (3, 5, 0, 8, 4):
        browser.index = index
        book.put(browser)
        assert set(beside(book)) == (at_home if index == 4 else set())
        assert f"slice {index + 1}/9" in book.texts()
    # Within half a slice of it: still there; beyond: not.
    for part, there in ((0.45, True), (-0.45, True), (0.55, False), (-0.55, False)):
        browser.position = lps(4 + part, 20, 18)
        book.put(browser)
        assert bool(beside(book)) is there
    # In a plane across, an area has no outline, and a line is seen only where all of it lies.
    others = [plane for plane in ("axial", "sagittal", "coronal") if plane != own]
    for plane in others:
        browser.plane, browser.position = plane, lps(4, 17.4, 22.3)
        book.put(browser)
        assert set(beside(book)) == {browser.rois[7].id}, plane
    browser.plane = own
    book.put(browser)
    assert set(beside(book)) == at_home
    # A slab that holds the line shows it.
    browser.slab = ("average", 7 * SPACING[0])
    book.put(browser)
    assert browser.rois[6].id in beside(book)
