"""Explorers in pages of their own, without a kernel and without a network."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page

from dicomlab.teach.explorer import Explorer

Open = Callable[..., Page]


@contextmanager
def pages(chromium: Browser, folder: Path) -> Iterator[Open]:
    """Open explorers; none of the pages may write an error to the console."""
    errors: list[str] = []
    contexts: list[Any] = []

    def show(explorer: Explorer, width: int = 1300, **more: Any) -> Page:
        target = explorer.to_html().save(folder / f"{len(contexts)}.html")
        context = chromium.new_context(offline=True, viewport={"width": width, "height": 700}, **more)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("console", lambda message: errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(target.as_uri())
        page.wait_for_selector(".dl-explorer > *")
        return page

    try:
        yield show
        assert errors == []
    finally:
        for context in contexts:
            context.close()
