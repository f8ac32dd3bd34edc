"""A viewer in a page without a kernel, that is led through the states of a browser in Python."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser

import dicomlab as dl
from dicomlab.view.synced import STATE

from .jupyter import Notebook

Bytes = np.ndarray


class Alone(Notebook):
    """A page of `SliceBrowser.to_html`."""

    def put(self, browser: dl.SliceBrowser) -> None:
        """Show what a browser in Python shows now, and wait until it is drawn."""
        told = browser.get_state(STATE)
        scene = {
            name: told[name]
            for name in ("plane", "position", "zoom", "pan", "interpolation", "tiles", "stride")
        }
        cine = {name: told[name] for name in ("playing", "fps", "bounce", "along")}
        state = {
            "scene": {**scene, "layout": told["panes"], "turn": told["_turn"], "slab": told["_slab"]},
            "looks": told["_looks"],
            "step": told["_step"],
            **{name: told[name] for name in ("mode", "split", "tool", "rois")},
            "difference": told["_difference"],
            "labels": told["_labels"],
            "brush": told["_brush"],
            "cine": cine,
        }
        self.ask("(viewer.adopt(argument), 0)", state)
        self.wait("viewer.frame === 0 && root.dataset.complete === 'true'", timeout=20000)

    def alike(self, browser: dl.SliceBrowser, what: Any = "") -> Bytes:
        """See that the canvas shows `browser.picture()`, to the last pixel, and return it."""
        self.put(browser)
        seen = self.canvas()
        height, width = seen.shape[:2]
        apart = (seen != browser.picture(width, height)).any(axis=2)
        assert not apart.any(), (
            f"{what}: {apart.sum()} of {apart.size} pixels differ, first {np.argwhere(apart)[:3].tolist()}"
        )
        return seen

    def sides(self, number: int = 0) -> list[str]:
        """The letters of a pane: left, right, top, bottom."""
        found: list[str] = self.ask(
            "[...root.querySelectorAll('.dl-pane')[argument].querySelectorAll('.dl-letter')].map((one) => one.textContent)",
            number,
        )
        return found


Show = Callable[..., Alone]


@contextmanager
def pages(chromium: Browser, folder: Path) -> Iterator[Show]:
    """Open browsers as pages; none of them may write an error to the console."""
    opened: list[Alone] = []
    contexts: list[Any] = []

    def show(
        browser: dl.SliceBrowser, *, width: int = 420, height: int = 480, ratio: float = 1.0, **more: Any
    ) -> Alone:
        browser.to_html(folder / f"{len(opened)}.html")
        context = chromium.new_context(
            offline=True, viewport={"width": width, "height": height}, device_scale_factor=ratio, **more
        )
        contexts.append(context)
        page = Alone(context.new_page())
        page.page.goto((folder / f"{len(opened)}.html").as_uri())
        page.wait("root.dataset.complete === 'true' && viewer.frame === 0", timeout=20000)
        opened.append(page)
        return page

    try:
        yield show
        assert [error for page in opened for error in page.errors] == []
    finally:
        for context in contexts:
            context.close()
