"""An explorer in a page without a kernel and without a network."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Locator, Page

from dicomlab.teach.explorer import Explorer

from .jupyter import SCREENSHOTS

Open = Callable[..., "Explored"]


class Explored:
    """A page of `Explorer.to_html`."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        self.asked: list[str] = []
        page.on("console", lambda one: self.errors.append(one.text) if one.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", lambda one: self.asked.append(one.url))

    @property
    def root(self) -> Locator:
        """The explorer itself."""
        return self.page.locator(".dl-explorer")

    def ready(self) -> None:
        """Wait until it is drawn."""
        self.page.wait_for_selector(".dl-explorer[data-ready=true]")

    def state(self) -> dict[str, Any]:
        """What is chosen, once the page has told it."""
        self.page.wait_for_timeout(220)
        found: dict[str, Any] = json.loads(self.page.evaluate("JSON.stringify(globalThis.traits.state)"))
        return found

    def pixels(self, selector: str, number: int = 0) -> np.ndarray:
        """The bytes of a canvas, (height, width, 4)."""
        url = self.page.evaluate(
            "([selector, number]) => document.querySelectorAll(selector)[number].toDataURL()",
            [selector, number],
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("RGBA"))

    def overlapping(self, selector: str) -> list[tuple[int, int]]:
        """Which of the boxes lie over one another."""
        boxes = self.page.locator(selector).evaluate_all(
            "(all) => all.map((one) => one.getBoundingClientRect()).map((box) => [box.x, box.y, box.right, box.bottom])"
        )
        return [
            (n, m)
            for n, (x, y, right, bottom) in enumerate(boxes)
            for m, (x2, y2, right2, bottom2) in enumerate(boxes)
            if n < m and right > x2 + 1 and right2 > x + 1 and bottom > y2 + 1 and bottom2 > y + 1
        ]

    def drag(self, target: Locator, right: float, down: float) -> None:
        """Take something in its middle and pull it."""
        box = target.bounding_box()
        assert box
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + right / 2, y + down / 2)
        self.page.mouse.move(x + right, y + down)
        self.page.mouse.up()

    def slide(self, label: str, value: float) -> None:
        """Type a number beside a slider."""
        field = self.page.locator(f"input[type=number][aria-label^='{label}']").first
        field.fill(str(value))
        field.press("Enter")

    def screenshot(self, name: str) -> bytes:
        """Take a picture of the page, kept where the others are."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        return self.page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


@contextmanager
def explored(chromium: Browser, folder: Path) -> Iterator[Open]:
    """Open explorers as pages; none may write an error or ask a network."""
    pages: list[Explored] = []
    contexts: list[Any] = []

    def show(explorer: Explorer, *, width: int = 1000, scheme: str = "light", **more: Any) -> Explored:
        text = explorer.to_html().text
        # What the page holds is looked at by these tests alone.
        text = text.replace(
            'const traits = json("traits");', 'const traits = json("traits"); globalThis.traits = traits;'
        )
        path = folder / f"{len(pages)}.html"
        path.write_text(text, encoding="utf-8")
        context = chromium.new_context(
            offline=True, viewport={"width": width, "height": 900}, color_scheme=scheme, **more
        )
        contexts.append(context)
        page = Explored(context.new_page())
        pages.append(page)
        page.page.goto(path.as_uri())
        page.ready()
        return page

    try:
        yield show
        assert [error for page in pages for error in page.errors] == []
        assert [
            url for page in pages for url in page.asked if not url.startswith(("file:", "blob:", "data:"))
        ] == []
    finally:
        for context in contexts:
            context.close()
