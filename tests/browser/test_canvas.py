"""The canvas of a real page is `browser.picture()`, whatever is shown on whatever screen; its greys are the standard's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import xarray as xr
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab import VoiLut, Window
from dicomlab.geometry import Geometry
from dicomlab.view.shade import PALETTES

from .alone import Show, pages

pytestmark = pytest.mark.browser
FRAME_PX = 6
"""What the viewer has around its stage, left and right."""

FRAME = "1.2.826.0.1.3680043.8.498.2"
FUNCTIONS = [
    Window(120, 700),
    Window(40, 1),
    Window(100.25, 333.3, "LINEAR_EXACT"),
    Window(150, 260, "SIGMOID"),
    VoiLut(-300, [round(4095 * (i / 799) ** 0.45) for i in range(800)], 12),
    VoiLut(-200, range(4095, 0, -7), 12),
]
A, B = np.cos(0.4), np.sin(0.4)
TURN = (np.array([[1, 0, 0], [0, A, -B], [0, B, A]]) @ [[A, -B, 0], [B, A, 0], [0, 0, 1]]).ravel().tolist()
OBLIQUE = np.array([[-0.6, 0, 0.8], [0, 1.0, 0], [0.8, 0, 0.6]])


@pytest.fixture(scope="module")
def show(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    with pages(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


def volume(
    dtype: Any, *, direction: np.ndarray = OBLIQUE, uneven: bool = False, **attrs: Any
) -> xr.DataArray:
    """Blobs in noise of any type, its numbers as large as the type holds well, on an oblique or leaning grid."""
    rng = np.random.default_rng(3)
    slices = np.cumsum([-15.0, 2, 2, 5, 2, 2, 3.5, 2, 2, 2]) if uneven else np.arange(10) * 3.0 - 13
    place = Geometry(direction, slices, np.arange(30) * 1.4 - 20, np.arange(34) * 1.1 - 18, FRAME)
    s, r, c = np.indices((10, 30, 34))
    values = 300 * np.sin(s / 2) * np.cos(r / 5) + 20 * c + rng.normal(0, 30, s.shape)
    kind = np.dtype(dtype)
    if kind.kind == "u":
        values -= values.min()
    if kind.itemsize == 1:
        values = np.clip(values / 8, np.iinfo(kind).min, np.iinfo(kind).max)
    if kind.kind in "iu":
        values = np.rint(values)
    return dl.make_volume(values.astype(kind), geometry=place, attrs={"Modality": "MR", **attrs})


def holed(one: xr.DataArray) -> xr.DataArray:
    """The same with places that have no number, and with infinite ones."""
    values = one.values.copy()
    values[2:4, 5:9, 6:20] = np.nan
    values[5, 3:6, 4:9], values[6, 20:25, 10:14] = np.inf, -np.inf
    values[8] = np.nan
    return one.copy(data=values)


KINDS: dict[str, Any] = {
    **{name: lambda name=name: volume(name) for name in ("int8", "uint8", "int16", "uint16", "int32")},
    "float32": lambda: volume("float32"),
    "float64, leaning and uneven": lambda: volume(
        "float64", direction=np.array([[0, 0, 1.0], [-0.3, 1, 0], [1.0, 0, 0]]), uneven=True
    ),
    "float32 with holes": lambda: holed(volume("float32")),
    "float64 with holes, uneven": lambda: holed(volume("float64", uneven=True)),
    "tiny float64": lambda: volume("float64") * 1e-7,
    "huge int32": lambda: volume("int32") * 1_000_000,
    "bool": lambda: volume("int16") > 150,
    "MONOCHROME1": lambda: volume("uint16", PhotometricInterpretation="MONOCHROME1"),
    "PET": lambda: abs(volume("float32")).assign_attrs(Modality="PT", units="Bq/ml"),
}


def scenes(browser: dl.SliceBrowser) -> Iterator[str]:
    """What may be seen of one volume: layouts, planes at any angle, slabs, zoom, in turn."""
    at = browser.position
    browser.panes = "planes"
    yield "planes"
    browser.interpolation, browser.zoom, browser.pan = "nearest", 2.7, [3.0, -2.0, 1.5]
    yield "nearest, zoomed, moved"
    browser.plane, browser.interpolation, browser._turn = "coronal", "linear", TURN
    yield "tilted"
    for browser.slab in (("mip", 9.0), ("minip", 5.5), ("average", 7.25)):
        yield f"slab {browser.slab}"
    browser.panes, browser.tiles, browser.stride, browser.zoom = "montage", [2, 3], 2, 1.0
    yield "montage of slabs, tilted"
    browser._turn, browser.slab = np.eye(3).ravel().tolist(), None
    yield "montage"
    browser.panes, browser.plane, browser.zoom = "single", "sagittal", 0.7
    browser.position = [x + d for x, d in zip(at, (1.3, -2.2, 2.1), strict=True)]
    yield "single, beside the voxels"
    browser.slab = ("mip", 60.0)
    yield "projection"
    browser.slab, browser.position, browser.pan, browser.zoom = None, at, [0.0, 0.0, 0.0], 1.0


BARS = """viewer.stage.panes.flatMap((pane, n) => {
    const bar = root.querySelectorAll(".dl-pane")[n].querySelector(".dl-scale");
    if (!bar) return [];
    const [, x1, x2] = bar.getAttribute("d").match(/^M([-0-9.e]+) .*H([-0-9.e]+)V/).map(Number);
    return [{ long: x2 - x1, pixel: pane.plane.pixel, says: Number.parseFloat(bar.nextSibling.textContent) }];
})"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_canvas_is_the_picture_in_every_layout_of_values_of_every_type(show: Show, kind: str) -> None:
    browser = dl.browse(KINDS[kind](), height=121)
    ratio = (1.0, 1.5, 2.0)[list(KINDS).index(kind) % 3]
    book = show(browser, width=231, ratio=ratio)
    assert book.ask("viewer.stage.size.ratio") == ratio
    width = book.ask("viewer.chrome.canvas.getBoundingClientRect().width")
    assert book.canvas().shape == (round(121 * ratio), round(width * ratio), 3)
    first = [book.alike(browser, "first")]
    for what in scenes(browser):
        first.append(book.alike(browser, what))
        for bar in book.ask(BARS):
            assert bar["long"] * bar["pixel"] * ratio == pytest.approx(bar["says"], rel=1e-9)
    assert len({one.tobytes() for one in first}) == len(first), "each is another picture"
    browser.close()


@pytest.mark.parametrize("ratio", [1.0, 1.5, 2.0])
def test_the_canvas_is_the_picture_through_every_function_and_colour_map(show: Show, ratio: float) -> None:
    browser = dl.browse(volume("int16"), height=100)
    browser.panes, browser.slab = "planes", ("average", 4.0)
    browser.window = FUNCTIONS[-1]
    browser.window = FUNCTIONS[-2]
    book = show(browser, width=160, ratio=ratio)
    seen = set()
    for number, window in enumerate(FUNCTIONS):
        for browser.invert in (False, True):
            browser.window, browser.cmap = window, PALETTES[number]
            seen.add(book.alike(browser, (window, browser.invert)).tobytes())
    browser.window = FUNCTIONS[0]
    for browser.cmap in PALETTES:
        seen.add(book.alike(browser, browser.cmap).tobytes())
    assert len(seen) >= 2 * len(FUNCTIONS) + len(PALETTES) - 2
    browser.close()


def level(x: np.ndarray, window: Any) -> np.ndarray:
    """Brightness from 0 to 1: PS3.3 C.11.2.1.1 (tables), C.11.2.1.2 and C.11.2.1.3, written down once more."""
    if isinstance(window, VoiLut):
        entry = np.clip(np.floor(x + 0.5) - window.first, 0, len(window.entries) - 1).astype(int)
        return np.asarray(window.entries, dtype=np.float64)[entry] / (2**window.bits - 1)
    c, w = window.center, window.width
    if window.function == "SIGMOID":
        return np.asarray(1 / (1 + np.exp(-4 * (x - c) / w)))
    if window.function == "LINEAR_EXACT":
        return np.asarray(np.where(x <= c - w / 2, 0, np.where(x > c + w / 2, 1, (x - c) / w + 0.5)))
    low, high = c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2
    middle = (x - (c - 0.5)) / (w - 1) + 0.5 if w > 1 else np.zeros_like(x)
    return np.asarray(np.where(x <= low, 0, np.where(x > high, 1, middle)))


ALL_VALUES = {
    "int16": np.arange(-32768, 32768),
    "uint16": np.arange(65536),
    "int32": np.arange(65533) * 1 + 5_000_000,
}


@pytest.mark.parametrize("dtype", ALL_VALUES)
def test_every_value_of_16_bits_has_the_grey_that_the_standard_says(show: Show, dtype: str) -> None:
    numbers = np.resize(ALL_VALUES[dtype], 65536).reshape(1, 256, 256)
    affine = np.array([[0, 0, 1.0, 0], [0, 1.0, 0, 0], [1.0, 0, 0, 0], [0, 0, 0, 1]])
    browser = dl.browse(dl.make_volume(numbers.astype(dtype), affine=affine), height=256)
    middle = float(np.median(numbers))
    first = int(middle) - 900
    windows = [
        Window(middle, 65536.0),
        Window(middle + 17, 1),
        Window(middle - 3.7, 411),
        Window(middle + 0.5, 4095.5, "LINEAR_EXACT"),
        Window(middle, 0.3, "LINEAR_EXACT"),
        Window(middle + 20, 3000.0, "SIGMOID"),
        Window(middle - 999, 30000.0, "SIGMOID"),
        VoiLut(min(first, 60000), [round(65535 * (i / 999) ** 2.2) for i in range(1000)], 16),
        VoiLut(min(first, 60000), range(1023, 23, -1), 10),
    ]
    book = show(browser, width=256 + FRAME_PX)
    shapes = set()
    for window in windows:
        for browser.invert in (False, True):
            browser.window = window
            seen = book.alike(browser, window)
            assert (seen == seen[..., :1]).all()
            exact = 255 * level(numbers[0].astype(np.float64), window) + 0.5
            grey = np.floor(exact)
            if browser.invert:
                grey = 255 - grey
            # Within a billionth of the border between two greys either is right.
            sure = np.abs(exact - np.rint(exact)) > 1e-9
            assert sure.mean() > 0.02
            assert np.array_equal(seen[..., 0][sure], grey[sure])
            assert np.abs(seen[..., 0] - grey).max() <= 1
            shapes.add(seen.tobytes())
    assert len(shapes) > 2 * len(windows) - 3
    browser.close()


def pet_on(ct: xr.DataArray) -> xr.DataArray:
    """A coarser grid in the same frame, turned and shifted."""
    direction = np.array([[0, -0.28, 0.96], [0, 0.96, 0.28], [1.0, 0, 0]])
    place = Geometry(
        direction, np.arange(8) * 4.5 - 17, np.arange(13) * 3.3 - 19, np.arange(12) * 3.1 - 16, FRAME
    )
    values = np.random.default_rng(8).gamma(2.0, 900.0, (8, 13, 12)).astype(np.float32)
    return dl.make_volume(values, geometry=place, units="Bq/ml", attrs={"Modality": "PT"})


@pytest.mark.parametrize(
    ("mode", "ratio"),
    [("side", 1.5), ("fusion", 2.0), ("curtain", 1.5), ("checkerboard", 2.0), ("difference", 1.5)],
)
def test_the_canvas_is_the_picture_of_two_volumes_and_labels(show: Show, mode: Any, ratio: float) -> None:
    ct = volume("int16", units="HU").assign_attrs(Modality="CT")
    other = pet_on(ct) if mode != "difference" else volume("float32", uneven=True, units="HU")
    labels = xr.where(ct > 250, 2, xr.where(ct > 60, 1, 0)).astype(np.uint8)
    masks = {"two": ct.copy(data=labels.values), "hot": pet_on(ct) > 2500}
    browser = dl.compare(ct, other, mode=mode, masks=masks, height=110)
    browser.layers[1].cmap = "inferno"
    book = show(browser, width=190, ratio=ratio)
    hidden, other_label = browser.labels[0], browser.labels[1]
    seen = []
    for number, what in enumerate(scenes(browser)):
        browser.split = 0.2 + 0.07 * number
        browser.layers[1].opacity = 0.35 + 0.06 * number
        browser.layers[1].fade = number % 2 == 0
        browser.layers[1].invert = number % 3 == 0
        hidden.visible, hidden.opacity, hidden.outline = number % 4 != 3, number / 10, number % 2 == 0
        other_label.opacity, other_label.outline = 1 - number / 9, number % 3 == 0
        browser.layers[0].window = FUNCTIONS[number % 4]
        seen.append(book.alike(browser, (mode, what)))
    browser.layers[1].visible = False
    seen.append(book.alike(browser, "hidden"))
    assert len({one.tobytes() for one in seen}) == len(seen)
    browser.close()


def test_the_canvas_is_the_picture_of_each_step(show: Show) -> None:
    one = volume("int16")
    time = xr.Variable("time", [0.0, 1.5, 4.0], {"units": "s"})
    echo = xr.Variable("echo_time", [2.3, 4.6], {"units": "ms"})
    both = xr.concat([xr.concat([one + 70 * t + 31 * e for e in range(2)], echo) for t in range(3)], time)
    browser = dl.browse(both, window=(150, 900), height=150)
    book = show(browser, width=200, ratio=1.5)
    seen = set()
    for t in range(3):
        for e in range(2):
            browser.steps = {"time": t, "echo_time": e}
            seen.add(book.alike(browser, (t, e)).tobytes())
    assert len(seen) == 6
    browser.close()


@pytest.mark.parametrize("ratio", [1.5, 2.0])
def test_the_probe_speaks_of_the_pixel_under_the_pointer_on_a_fine_screen(show: Show, ratio: float) -> None:
    values = np.random.default_rng(2).integers(0, 256, (3, 90, 101)).astype(np.uint8)
    place = Geometry(EVEN, np.arange(3.0), np.arange(90.0), np.arange(101.0), FRAME)
    attrs = {"WindowCenter": [127.5], "WindowWidth": [255.0], "VOILUTFunction": "LINEAR_EXACT"}
    browser = dl.browse(dl.make_volume(values, geometry=place, attrs=attrs), height=200)
    browser.interpolation, browser.zoom = "nearest", 1.37
    book = show(browser, width=301, ratio=ratio)
    canvas = book.alike(browser)[..., 0]
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    rng = np.random.default_rng(int(ratio * 2))
    told = 0
    for x, y in rng.uniform(5, (box["width"] - 5, box["height"] - 5), (40, 2)):
        book.page.mouse.move(box["x"] + x, box["y"] + y)
        text = book.ask("viewer.chrome.probe.textContent")
        at = book.ask("viewer.pointer")
        seen = canvas[int(at[1] * ratio), int(at[0] * ratio)]
        if text:
            assert text.split("   ")[0] == str(seen), (at, text)
            told += 1
    assert told > 20
    browser.close()


EVEN = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
NUMBERS: dict[str, Any] = {
    "whole numbers beyond 2 ** 24": lambda n: (100_000_001 + 3 * n).astype(np.int32),
    "a wide range": lambda n: (n * 77_777).astype(np.int32),
    "one number": lambda n: np.full(n.shape, 0.1),
    "far from zero": lambda n: 1_000_000 + np.sin(n.astype(float)),
    "small": lambda n: np.cos(n.astype(float)) * 1e-7,
    "halves": lambda n: n / 2,
}


@pytest.mark.parametrize("kind", NUMBERS)
def test_the_probe_shows_no_digit_that_is_not_of_the_file(show: Show, kind: str) -> None:
    values = NUMBERS[kind](np.arange(3 * 20 * 20).reshape(3, 20, 20))
    place = Geometry(EVEN, np.arange(3.0), np.arange(20.0), np.arange(20.0), FRAME)
    browser = dl.browse(dl.make_volume(values, geometry=place), height=240)
    book = show(browser, width=300)
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    for row, column in ((0, 0), (3, 17), (11, 6), (19, 19)):
        x, y = book.ask(
            "viewer.stage.pxOf(viewer.stage.panes[0], viewer.space.lps(argument))", [1, row, column]
        )
        book.page.mouse.move(box["x"] + x, box["y"] + y)
        text = book.ask("viewer.chrome.probe.textContent")
        assert f"voxel [1, {row}, {column}]" in text
        number = text.split("   ")[0]
        true = float(values[1, row, column])
        if not number.startswith("≈ "):
            assert float(number) == true, text
            continue
        digits = number.removeprefix("≈ ").split("e")[0].strip("-")
        last = (
            10.0 ** -len(digits.split(".")[1])
            if "." in digits
            else 10.0 ** (len(digits) - len(digits.rstrip("0")))
        )
        if "e" in number:
            last *= 10.0 ** int(number.split("e")[1])
        assert abs(float(number.removeprefix("≈ ")) - true) <= last, (text, true)
    browser.close()
