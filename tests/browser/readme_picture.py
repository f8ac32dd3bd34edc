"""Take the picture of the slice browser that the README shows: the phantom's CT in a real JupyterLab.

.venv/bin/python -m tests.browser.readme_picture
"""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from .jupyter import ROOT, running_lab

PICTURE = ROOT / "docs" / "images" / "browser.png"

CELL = """
import tempfile
import dicomlab as dl

ct = dl.load_volume(dl.phantom.write_ct(tempfile.mkdtemp()).folder)
browser = dl.browse(ct)
browser.position = [-60.0, -10.0, -20.0]
browser
"""


def main() -> None:
    """Write the picture, in few colours: it is mostly grey and is loaded by everyone who opens the README."""
    # Found where this is run; pytest, which looks into this file too, has another module of that name.
    from conftest import find_chromium

    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        notebook = lab.open(chromium, "picture", CELL, width=1180, height=1000)
        notebook.wait("true", timeout=60_000)
        notebook.shown()
        # The pointer rests in the liver: the line below the picture tells its place and value.
        box = notebook.page.locator(".dl-browser canvas").first.bounding_box()
        assert box is not None
        notebook.page.mouse.move(box["x"] + 0.36 * box["width"], box["y"] + 0.48 * box["height"])
        notebook.page.wait_for_timeout(300)
        shot = notebook.page.locator(".dl-browser").first.screenshot()
        lab.close_windows()
        chromium.close()
    PICTURE.parent.mkdir(exist_ok=True)
    Image.open(io.BytesIO(shot)).convert("RGB").quantize(128).save(PICTURE, optimize=True)


if __name__ == "__main__":
    main()
