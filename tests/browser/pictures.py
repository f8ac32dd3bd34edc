"""Take the pictures of the viewer that the README and docs/browser.md show, all of the phantom.

.venv/bin/python -m tests.browser.pictures
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from scipy.ndimage import gaussian_filter

import dicomlab as dl

from .jupyter import ROOT, Notebook, running_lab

FOLDER = ROOT / "docs" / "images"

CELL = """
import tempfile
import dicomlab as dl

ct = dl.load_volume(dl.phantom.write_ct(tempfile.mkdtemp()).folder)
browser = dl.browse(ct, layout="planes")
browser.position = [-60.0, -10.0, -20.0]
browser
"""

Pictures = dict[str, tuple[Callable[[], Any], Callable[[Notebook], None], bool]]
"""For each name: the browser, what a hand then does on its page, and whether in the dark."""


def nothing(_: Notebook) -> None:
    """The picture as it comes."""


def rest(book: Notebook, x: float, y: float) -> None:
    """Let the pointer rest at a part of the stage: the line below the picture tells its place and value."""
    box = book.page.locator(".dl-stage").bounding_box()
    assert box is not None
    book.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])


def measure(book: Notebook) -> None:
    """Choose the profile, so that its curve shows."""
    book.page.locator(".dl-browser").focus()
    for _ in range(4):
        book.page.keyboard.press("n")
    rest(book, 0.3, 0.4)


def panel(book: Notebook) -> None:
    """Open the panel."""
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("l")


def play(book: Notebook) -> None:
    """Show the controls of the cine, which stands still when the picture is taken."""
    book.ask("(viewer.cine.change({ playing: true, fps: 0.2 }), 0)")
    book.page.wait_for_timeout(300)


def bolus(ct: xr.DataArray) -> xr.DataArray:
    """The phantom's CT at six times, brighter where it is bright already: a contrast agent comes and goes."""
    times = np.array([0.0, 4.5, 9.0, 15.0, 24.0, 40.0])
    gain = np.exp(-(((times - 12) / 9) ** 2))
    calm = smooth(ct)
    bright = (calm > 40) & (calm < 250)
    frames = [ct + (180 * g * bright).astype(ct.dtype) for g in gain]
    made = xr.concat(frames, dim=xr.Variable("time", times, {"units": "s"}), combine_attrs="override")
    return made.assign_attrs(ct.attrs)


def pictures(folder: Path) -> Pictures:
    """All pictures that need no Jupyter."""
    study = dl.phantom.write_study(folder)
    by = {one.modality: dl.load_volume(one) for one in dl.find_series(study.folder)}
    ct, pet = by["CT"], by["PT"]
    liver = [-60.0, -10.0, -20.0]

    def at(browser: Any, **state: Any) -> Any:
        for name, value in state.items():
            setattr(browser, name, value)
        return browser

    def measured() -> Any:
        browser = dl.browse(ct)
        k = browser.index
        p = lambda row, column: ct.dicom.lps([k, row, column])  # noqa: E731
        rows, columns = ct.sizes["row"], ct.sizes["column"]

        def place(y: float, x: float) -> Any:
            return p(round(y * rows), round(x * columns))

        browser.rois = [
            dl.Roi("ruler", [place(0.30, 0.28), place(0.30, 0.72)], label="width"),
            dl.Roi(
                "ellipse",
                [place(0.4, 0.3), place(0.4, 0.42), place(0.33, 0.36), place(0.47, 0.36)],
                label="liver",
            ),
            dl.Roi("angle", [place(0.55, 0.36), place(0.68, 0.45), place(0.55, 0.6)]),
            dl.Roi("profile", [place(0.5, 0.2), place(0.5, 0.8)]),
        ]
        return browser

    made: Pictures = {
        "planes": (
            lambda: at(dl.browse(ct, layout="planes"), position=liver),
            lambda b: rest(b, 0.25, 0.5),
            False,
        ),
        "oblique": (
            lambda: at(
                dl.browse(ct, layout="planes", window="bone"), position=[0, 20, -20], slab=("mip", 20)
            ),
            tilt,
            True,
        ),
        "montage": (lambda: at(dl.browse(ct, layout="montage", window="lung"), stride=4), nothing, True),
        "fusion": (lambda: dl.compare(ct, pet, mode="fusion"), lambda b: rest(b, 0.3, 0.4), False),
        "side": (lambda: dl.compare(ct, pet, mode="side"), lambda b: rest(b, 0.18, 0.5), True),
        "curtain": (lambda: at(dl.compare(ct, pet, mode="curtain"), plane="coronal"), nothing, True),
        "masks": (
            lambda: at(dl.browse(ct, masks=masks(ct, pet), layout="planes"), position=liver),
            nothing,
            False,
        ),
        "measuring": (measured, measure, True),
        "steps": (lambda: at(dl.browse(bolus(ct)), steps={"time": 3}, playing=False), play, False),
        "window": (
            lambda: at(dl.browse(ct, window=dl.Window(50, 400, "SIGMOID")), position=liver, cmap="bone"),
            panel,
            True,
        ),
    }
    return made


def tilt(book: Notebook) -> None:
    """Turn the planes about an axis of the patient."""
    book.ask("(viewer.turnAbout([1, 0, 0], 0.45), viewer.turnAbout([0, 0, 1], 0.3), 0)")


def masks(ct: xr.DataArray, pet: xr.DataArray) -> dict[str, xr.DataArray]:
    """What a threshold finds."""
    return {"bone": smooth(ct) > 220, "uptake": smooth(pet) > 5000}


def smooth(volume: xr.DataArray) -> xr.DataArray:
    """Without noise."""
    return volume.copy(data=gaussian_filter(volume.values.astype(float), 1.2))


def save(shot: bytes, name: str) -> None:
    """In few colours: it is mostly grey, and is loaded by everyone who opens the page."""
    FOLDER.mkdir(exist_ok=True)
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    colours = picture.getcolors(1 << 24) or []
    grey = sum(count for count, (r, g, b) in colours if max(r, g, b) - min(r, g, b) < 40) / (
        picture.width * picture.height
    )
    few = picture.quantize(128) if grey > 0.995 else picture
    few.save(FOLDER / f"{name}.png", optimize=True)


def page(
    chromium: Browser,
    folder: Path,
    name: str,
    one: tuple[Callable[[], Any], Callable[[Notebook], None], bool],
) -> None:
    """A picture of a page without a kernel."""
    make, act, dark = one
    browser = make()
    browser.to_html(folder / f"{name}.html", max_bytes=200_000_000)
    browser.close()
    context = chromium.new_context(
        viewport={"width": 1040, "height": 760}, color_scheme="dark" if dark else "light"
    )
    book = Notebook(context.new_page())
    book.page.goto((folder / f"{name}.html").as_uri())
    book.shown()
    act(book)
    book.still()
    save(book.page.locator(".dl-browser").screenshot(), f"browser-{name}")
    assert book.errors == []
    context.close()


PAINTED = """
import tempfile
import dicomlab as dl

ct = dl.load_volume(dl.phantom.write_ct(tempfile.mkdtemp()).folder)
editor = dl.browse(ct, masks=dl.segment.bone(ct), edit=True, height=560)
editor.position = [-60.0, -10.0, -48.0]
editor.brush = {"size": 18.0, "range": (0, 140), "label": 1}
editor
"""


def painted_picture(chromium: Browser, home: Path) -> None:
    """The editor, with a liver that was just painted beside the bone."""
    with running_lab(home) as lab:
        notebook = lab.open(chromium, "painted", PAINTED, width=1440, height=1000)
        notebook.wait("root.dataset.complete === 'true' && viewer.edits.loaded", timeout=60_000)
        notebook.page.click(".dl-edit-bar [aria-label='One more label']")
        notebook.page.click(".dl-edit-bar [data-tool=brush]")
        name = notebook.page.locator(".dl-labels .dl-roi-name").nth(1)
        name.fill("liver")
        name.press("Enter")
        notebook.still()
        spots = [
            [-110, -10, -48],
            [-90, -50, -48],
            [-60, -60, -48],
            [-60, -20, -48],
            [-95, 20, -48],
            [-85, -20, -48],
        ]
        places = notebook.ask("argument.map((lps) => viewer.stage.pxOf(viewer.stage.panes[0], lps))", spots)
        box = notebook.page.locator(".dl-stage").bounding_box()
        assert box is not None
        mouse = notebook.page.mouse
        mouse.move(box["x"] + places[0][0], box["y"] + places[0][1])
        mouse.down()
        for x, y in places[1:]:
            mouse.move(box["x"] + x, box["y"] + y, steps=12)
        mouse.up()
        notebook.page.wait_for_timeout(300)
        save(notebook.page.locator(".dl-browser").first.screenshot(), "browser-editing")
        lab.close_windows()


def lab_picture(chromium: Browser, home: Path) -> None:
    """The README's, in a real JupyterLab."""
    with running_lab(home) as lab:
        notebook = lab.open(chromium, "picture", CELL, width=1440, height=1000)
        notebook.wait("true", timeout=60_000)
        notebook.shown()
        rest(notebook, 0.2, 0.42)
        notebook.page.wait_for_timeout(300)
        save(notebook.page.locator(".dl-browser").first.screenshot(), "browser")
        lab.close_windows()


def main() -> None:
    """Write all pictures, or those that are named."""
    # Found where this is run; pytest, which looks into this file too, has another module of that name.
    from conftest import find_chromium

    wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        folder = Path(home) / "pages"
        folder.mkdir(parents=True)
        for name, one in pictures(folder / "study").items():
            if not wanted or name in wanted:
                page(chromium, folder, name, one)
        if not wanted or "lab" in wanted:
            lab_picture(chromium, Path(home) / "lab")
        if not wanted or "editing" in wanted:
            painted_picture(chromium, Path(home) / "editing")
        chromium.close()


if __name__ == "__main__":
    main()
