"""What only this viewer has, in numbers: drags, planes, slabs, a busy kernel, memory, slow lines; for `benchmarks.browser`."""

from __future__ import annotations

import json
import statistics
import time
from typing import Any, Final
from urllib.parse import urlparse

from benchmarks.line import slow_line
from benchmarks.peers import DICOMLAB, Peer
from benchmarks.screen import DRAWN, ROOT, STEP, Desk
from tests.browser.jupyter import Notebook

__all__ = ["Rows", "figures", "long_volume", "slow"]

Rows = list[tuple[str, str, str]]
"""What was measured, the figure, and what was to be reached."""

_WHOLE: Final = "viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300"
_CENTRE: Final = (
    "const viewer = document.querySelector('.dl-browser').dicomlab;"
    " const centre = viewer.stage.pxOf(viewer.stage.panes[0], viewer.state.scene.position);"
)
# Which slices were seen with fewer pixels.
_DRAFTS: Final = """(() => {
    const draw = viewer.draw.bind(viewer);
    window.drafts = new Set();
    viewer.draw = () => { draw(); if (viewer.stage.drafts[0]) drafts.add(root.dataset.drawn); };
    return 0;
})()"""
_LONG: Final = Peer(
    "2,000 slices",
    """
import dicomlab as dl
long = np.broadcast_to(values[:, None], (300, 7, 512, 512)).reshape(2100, 512, 512)[:2000]
volume = dl.make_volume(long, affine=np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU")
browser = dl.browse(volume, window=(200, 1600), height=512, index=0)
browser
""",
    DICOMLAB.picture,
    DICOMLAB.step,
)


def _share(run: dict[str, Any]) -> str:
    return f"{100 * run['seen'] / run['sent']:.0f} %"


def figures(desk: Desk) -> Rows:
    """All that needs one viewer on a fast line."""
    rows: Rows = [
        ("the widget's code", f"{(ROOT / 'dicomlab/view/browser.js').stat().st_size / 1000:.0f} kB", "150 kB")
    ]
    with desk.shown(DICOMLAB, wide=1500, high=1400) as notebook:
        notebook.shown()
        rows += _arriving(notebook)
        rows += _drags(notebook)
        rows += _painting(notebook)
        rows += _busy(notebook)
        rows += _reruns(notebook)
        rows += _saved(notebook)
    return rows


def _arriving(notebook: Notebook) -> Rows:
    page = notebook.page
    notebook.run("browser.close()")
    page.wait_for_function("() => !document.querySelector('.dl-browser')")
    page.evaluate("() => rerun()")
    notebook.wait("root.dataset.complete === 'true'")
    notebook.ask(_DRAFTS)
    run = page.evaluate(f"() => stream(30, 60, {STEP}, {DRAWN})")
    drafts = notebook.ask("drafts.size")
    notebook.wait(_WHOLE, timeout=60_000)
    return [
        ("30 notches a second, nothing there yet: slices shown", _share(run), "95 %"),
        (
            "the same: of these with a quarter of their pixels or fewer",
            f"{100 * drafts / run['seen']:.0f} %",
            "",
        ),
        ("the same: longest freeze", f"{run['freeze']:.0f} ms", "200 ms"),
        ("rate at which slices arrive", f"{notebook.ask('viewer.transport.rate') / 1e6:.0f} MB/s", ""),
        (
            "pixels in the page, of the budget",
            f"{100 * notebook.ask('viewer.transport.cache.bytes / viewer.meta.budget'):.0f} %",
            "105 %",
        ),
    ]


def _drags(notebook: Notebook) -> Rows:
    page = notebook.page
    rows: Rows = []
    notebook.ask("(viewer.chrome.stage.style.height = '1024px', 0)")
    page.wait_for_timeout(500)
    _count_messages(notebook)
    for name in ("LINEAR", "SIGMOID"):
        notebook.ask("(viewer.setWindow(200, 1600, argument), 0)", name)
        run = page.evaluate("() => dragging(2, [300, 300], 100, 60)")
        size = notebook.ask("[viewer.stage.canvas.width, viewer.stage.canvas.height]")
        rows.append((f"window drag on {size[0]} x {size[1]} px, {name}", f"{run['fps']:.0f} frames/s", "55"))
        rows.append(("the same: work a frame", f"{run['busy']:.1f} ms", ""))
    rows.append(("messages to the kernel until release", f"{notebook.ask('window.told')}", "0"))
    page.wait_for_timeout(400)
    notebook.ask(
        "(viewer.act('reset'), viewer.chrome.stage.style.height = '700px', viewer.setLayout('planes'), 0)"
    )
    for name, before in (
        ("three linked planes, crosshair dragged", "0"),
        ("the same, tilted", "viewer.turnAbout([0.3, 0.5, Math.sqrt(0.66)], 0.4)"),
    ):
        notebook.ask(f"({before}, 0)")
        page.wait_for_timeout(600)
        run = page.evaluate(f"() => {{ {_CENTRE} return dragging(2, centre, 60, 60); }}")
        rows.append((name, f"{run['fps']:.0f} frames/s", "30"))
    page.wait_for_timeout(600)
    cost = notebook.ask("[...viewer.stage.drawers.values()].map((one) => one.cost * 512 * 512)")
    rows.append(("an oblique plane of 512 x 512 px, trilinear", f"{statistics.median(cost):.1f} ms", "8 ms"))
    notebook.ask("(viewer.act('reset'), viewer.setLayout('single'), viewer.setSlab('mip 30'), 0)")
    page.wait_for_timeout(800)
    run = page.evaluate(f"() => stream(30, 60, {STEP}, {DRAWN})")
    rows.append(("slab of 30 mm, 30 notches a second: slices shown", _share(run), ""))
    notebook.ask("(viewer.act('reset'), 0)")
    return rows


def _painting(notebook: Notebook) -> Rows:
    """A mask of the size of the volume is painted on: all pixels of a pane of 512 px are voxels of 512 x 512."""
    page = notebook.page
    notebook.run("browser.mask = volume > 32000; browser.brush = {'size': 12.0}; browser.tool = 'brush'")
    notebook.wait("viewer.edits.loaded && viewer.state.tool === 'brush' && viewer.state.brush.size === 12")
    notebook.ask("(viewer.chrome.stage.style.height = '512px', 0)")
    notebook.still()
    rows: Rows = []
    for name, sphere in (("a disc", "false"), ("a ball", "true")):
        notebook.ask(f"(viewer.painting.change({{ sphere: {sphere}, size: 12 }}), 0)")
        run = page.evaluate("() => painted(100)")
        rows.append(
            (
                f"painting with {name} of 12 mm, 512 px high: from the move of the pointer to its pixel",
                f"{run['median']:.1f} ms, {run['median'] / run['frame']:.2f} frames"
                f" (95 of 100: {run['most'] / run['frame']:.2f})",
                "1.5 frames",
            )
        )
    notebook.wait("!viewer.edits.isPending", timeout=20_000)
    notebook.run("browser.mask = None; browser.tool = 'window'")
    notebook.wait("viewer.painting.mask < 0")
    return rows


def _count_messages(notebook: Notebook) -> None:
    """Count what the page tells the kernel while a button is held."""
    notebook.ask(
        """(() => {
            const send = WebSocket.prototype.send;
            let held = false;
            window.told = 0;
            const { stage } = viewer.chrome;
            stage.addEventListener("pointerdown", () => (held = true), true);
            stage.addEventListener("pointerup", () => (held = false), true);
            WebSocket.prototype.send = function (...what) { if (held) window.told++; return send.apply(this, what); };
            return 0;
        })()"""
    )


def _busy(notebook: Notebook) -> Rows:
    """A kernel that computes: what is here scrolls."""
    notebook.ask("(viewer.goToIndex('axial', 10), 0)")
    notebook.shown(10)
    notebook.page.evaluate("() => compute(4)")
    notebook.page.wait_for_timeout(300)
    run = notebook.page.evaluate(f"() => stream(30, 60, {STEP}, {DRAWN})")
    notebook.page.wait_for_timeout(2500)
    return [("kernel busy, slices that are here, 30 a second: shown", _share(run), "100 %")]


def _reruns(notebook: Notebook) -> Rows:
    """The cell run ten times again: nothing may pile up."""
    page = notebook.page

    def held() -> float:
        return float(page.evaluate("() => heap()")) + float(
            notebook.ask("viewer.transport.cache.bytes / 1e6")
        )

    notebook.wait(_WHOLE, timeout=60_000)
    before = held()
    for _ in range(10):
        old = notebook.ask("viewer.meta.sources[0].key")
        page.evaluate("() => rerun()")
        notebook.wait(
            "viewer.meta.sources[0].key !== argument && root.dataset.complete === 'true'", old, 20_000
        )
    notebook.wait(_WHOLE, timeout=60_000)
    return [("ten times run again: growth of the page", f"{100 * (held() / before - 1):+.0f} %", "10 %")]


def _saved(notebook: Notebook) -> Rows:
    """What a notebook with one viewer weighs, with its picture and without any state of widgets."""
    text = json.dumps(notebook.value("browser._repr_mimebundle_()[0]"))
    return [("a saved notebook, of each viewer", f"{len(text) / 1000:.0f} kB", "100 kB")]


def long_volume(desk: Desk) -> Rows:
    """More than the page may keep: a gigabyte."""
    with desk.shown(_LONG) as notebook:
        notebook.wait("root.dataset.complete === 'true'", timeout=60_000)
        time.sleep(1)
        run = notebook.page.evaluate(f"() => stream(30, 300, {STEP}, {DRAWN})")
        time.sleep(5)
        kept = notebook.ask("viewer.transport.cache.bytes / viewer.meta.budget")
    return [
        ("2,000 slices of 512 x 512, 30 notches a second: shown", _share(run), "95 %"),
        ("the same: longest freeze", f"{run['freeze']:.0f} ms", ""),
        ("the same: pixels in the page, of the budget", f"{100 * kept:.0f} %", "105 %"),
    ]


def slow(desk: Desk, *, megabits: float = 20.0, milliseconds: float = 100.0) -> Rows:
    """The same through a slow line."""
    rows: Rows = []
    near = desk.lab.url
    with slow_line(int(urlparse(near).port or 0), megabits=megabits, milliseconds=milliseconds) as far:
        desk.lab.url = f"http://127.0.0.1:{far}"
        try:
            with desk.shown(DICOMLAB) as notebook:
                notebook.wait("root.dataset.complete === 'true'", timeout=120_000)
                time.sleep(2)
                for rate, start in ((10, 150), (30, 40)):
                    notebook.ask("(viewer.goToIndex('axial', argument), 0)", start)
                    notebook.shown()
                    run = notebook.page.evaluate(f"() => stream({rate}, {4 * rate}, {STEP}, {DRAWN})")
                    name = f"{megabits:.0f} Mbit/s, {milliseconds:.0f} ms, {rate} notches a second, nothing there"
                    rows.append((f"{name}: longest freeze", f"{run['freeze']:.0f} ms", "500 ms"))
                    rows.append(("the same: slices shown a second", f"{run['seen'] / run['took']:.1f}", ""))
        finally:
            desk.lab.url = near
    return rows
