"""How the viewer feels, in numbers, beside others: `python -m benchmarks.browser [--write] [--only figures|peers|line]`.

A volume of 512 x 512 x 300 int16 in JupyterLab and headless Chromium on this machine, in one run with other viewers and with a
canvas that does nothing else. Figures differ between machines: read them against one another. `make bench-browser` runs it.
"""

from __future__ import annotations

import argparse
import importlib.util
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Final
from urllib.parse import urlparse

from playwright.sync_api import Browser, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
PAGE: Final = ROOT / "docs" / "performance.md"
sys.path.insert(0, str(ROOT))

from benchmarks.line import slow_line  # noqa: E402
from benchmarks.peers import DICOMLAB, FILL, FLOOR, PEERS, READ, VOLUME, Peer  # noqa: E402
from conftest import find_chromium  # noqa: E402
from tests.browser.jupyter import Lab, Notebook, running_lab  # noqa: E402

Rows = list[tuple[str, str, str]]
"""What was measured, the figure, and what was to be reached."""

SCRIPTS: Final = """
window.frame = () => new Promise(requestAnimationFrame);
window.until = async (ready, most) => {
    const start = performance.now();
    while (!ready()) { if (performance.now() - start > most) return NaN; await frame(); }
    return performance.now() - start;
};
// One step after another, each waited for: ms from the event until another slice is on the screen.
window.steps = async (count, step, read) => {
    const times = [];
    for (let n = 0; n < count; n++) {
        const before = read();
        await frame();
        const start = performance.now();
        step();
        await until(() => read() !== before && read() >= 0, 4000);
        times.push(performance.now() - start);
    }
    return times.sort((a, b) => a - b);
};
// So many steps a second, not waiting: which slices are seen, and how long the picture stands still.
window.stream = async (rate, count, step, read) => {
    const seen = new Set();
    let drawn = read(), sent = 0, freeze = 0, running = true, last;
    const look = async () => { while (running) {
        await frame();
        const now = read();
        if (now !== drawn && now >= 0) { freeze = Math.max(freeze, performance.now() - last); last = performance.now(); drawn = now; seen.add(now); }
    } };
    const start = (last = performance.now());
    const looking = look();
    while (sent < count) {
        if (performance.now() - start >= (sent * 1000) / rate) { step(); sent++; }
        else await new Promise((done) => setTimeout(done, 2));
    }
    const took = (performance.now() - start) / 1000;
    await new Promise((done) => setTimeout(done, 100));
    freeze = Math.max(freeze, drawn === null ? 0 : performance.now() - last - 100);
    running = false;
    await looking;
    return { seen: seen.size, sent, took, freeze };
};
// A drag along a curve, one move a frame, and how many pictures it made.
window.dragging = async (seconds, target, from, along) => {
    const viewer = document.querySelector(".dl-browser").dicomlab;
    let frames = 0, busy = 0;
    const draw = viewer.draw.bind(viewer);
    viewer.draw = () => { const start = performance.now(); draw(); busy += performance.now() - start; frames++; };
    const box = target.getBoundingClientRect();
    const fire = (type, [x, y]) => target.dispatchEvent(new PointerEvent(type, { pointerId: 7, button: 0, buttons: 1, clientX: box.left + x, clientY: box.top + y, bubbles: true, cancelable: true }));
    fire("pointerdown", from);
    const start = performance.now();
    let n = 0;
    while (performance.now() - start < 1000 * seconds) { n++; fire("pointermove", along(n)); await frame(); }
    const took = (performance.now() - start) / 1000;
    fire("pointerup", along(n));
    delete viewer.draw;
    return { fps: frames / took, busy: busy / frames };
};
"""  # noqa: E501


class Desk:
    """One server and one Chromium, and what is opened in them."""

    def __init__(self, lab: Lab, chromium: Browser) -> None:
        self.lab, self.chromium = lab, chromium

    @contextmanager
    def shown(self, peer: Peer, *, wide: int = 1000, high: int = 1000) -> Iterator[Notebook]:
        """Open a notebook with the viewer in it."""
        notebook = self.lab.open(self.chromium, "bench", VOLUME, peer.cell, width=wide, height=high)
        notebook.page.evaluate(f"() => {{ {READ} {SCRIPTS} }}")
        try:
            if peer is FLOOR:
                notebook.page.wait_for_selector(".jp-OutputArea-output", timeout=60_000)
                notebook.page.evaluate(FILL)
            yield notebook
        finally:
            self.lab.close_windows()


def _read(peer: Peer) -> str:
    return f"() => readSlice({peer.picture}, {peer.share})"


def feel(desk: Desk, peer: Peer) -> dict[str, float]:
    """Steps and streams of one viewer: ms, slices a second."""
    with desk.shown(peer) as notebook:
        page = notebook.page
        page.wait_for_function(f"() => ({_read(peer)})() >= 0", timeout=180_000)
        if peer is DICOMLAB:
            notebook.wait(
                "viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300", timeout=60_000
            )
        again = "async () => { const start = performance.now(); jupyterapp.shell.currentWidget.content.activeCellIndex = 2;"
        again += f" const old = {peer.picture}; jupyterapp.commands.execute('notebook:run-cell');"
        again += f" await until(() => {peer.picture} !== old && ({_read(peer)})() >= 0, 180000);"
        again += " return performance.now() - start; }"
        first = float("nan") if peer is FLOOR else statistics.median(page.evaluate(again) for _ in range(3))
        page.wait_for_timeout(500)
        step = f"() => {peer.step}"
        page.evaluate(f"() => steps(5, {step}, {_read(peer)})")
        times = page.evaluate(f"() => steps(40, {step}, {_read(peer)})")
        found = {"first": first, "median": statistics.median(times), "p95": times[int(0.95 * len(times))]}
        for rate in (30, 60):
            run = page.evaluate(f"() => stream({rate}, {2 * rate}, {step}, {_read(peer)})")
            found[f"share {rate}"] = run["seen"] / run["sent"]
            found[f"shown {rate}"] = run["seen"] / run["took"]
            found[f"freeze {rate}"] = run["freeze"]
        return found


def peers(desk: Desk) -> list[tuple[str, dict[str, float]]]:
    """All viewers that are installed, the floor first."""
    there = [peer for peer in PEERS if all(importlib.util.find_spec(name) for name in peer.needs)]
    return [(peer.name, feel(desk, peer)) for peer in (FLOOR, DICOMLAB, *there)]


def figures(desk: Desk) -> Rows:
    """What only this viewer has: drags, planes, a busy kernel, memory."""
    rows: Rows = []
    with desk.shown(DICOMLAB, wide=1500, high=1400) as notebook:
        page = notebook.page
        notebook.shown()
        notebook.run("browser.close()")
        page.wait_for_function("() => !document.querySelector('.dl-browser')")
        page.evaluate("() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 2; }")
        page.evaluate("() => { jupyterapp.commands.execute('notebook:run-cell'); }")
        notebook.wait("root.dataset.complete === 'true'")
        step = f"() => {DICOMLAB.step}"
        read = "() => Number(document.querySelector('.dl-browser').dataset.drawn || -1)"
        run = page.evaluate(f"() => stream(30, 60, {step}, {read})")
        rows.append(
            (
                "30 notches a second, nothing there yet: share of slices shown",
                f"{100 * run['seen'] / run['sent']:.0f} %",
                "95 %",
            )
        )
        rows.append(("the same: longest freeze", f"{run['freeze']:.0f} ms", "200 ms"))
        notebook.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300", timeout=60_000)
        rows.append(
            ("rate at which slices arrive", f"{notebook.ask('viewer.transport.rate') / 1e6:.0f} MB/s", "")
        )
        rows.append(
            (
                "pixels in the browser, of the budget",
                f"{100 * notebook.ask('viewer.transport.cache.bytes / viewer.meta.budget'):.0f} %",
                "105 %",
            )
        )

        notebook.ask("(viewer.chrome.stage.style.height = '1024px', 0)")
        page.wait_for_timeout(400)
        _count_messages(notebook)
        run = page.evaluate(
            "() => dragging(2, document.querySelector('.dl-stage'), [300, 300], (n) => [300 + 100 * Math.sin(n / 20), 300 + 60 * Math.cos(n / 30)])"
        )
        size = notebook.ask("[viewer.stage.canvas.width, viewer.stage.canvas.height]")
        rows.append((f"window drag on {size[0]} x {size[1]} px", f"{run['fps']:.0f} frames/s", "55"))
        rows.append(("the same: work a frame", f"{run['busy']:.1f} ms", ""))
        page.wait_for_timeout(400)
        rows.append(("the same: messages to the kernel until release", f"{notebook.ask('window.told')}", "0"))

        notebook.ask("(viewer.chrome.stage.style.height = '700px', viewer.setLayout('planes'), 0)")
        page.wait_for_timeout(400)
        across = "(n) => [centre[0] + 60 * Math.sin(n / 15), centre[1] + 60 * Math.cos(n / 15)]"
        middle = "const v = document.querySelector('.dl-browser').dicomlab; const centre = v.stage.pxOf(v.stage.panes[0], v.state.scene.position);"  # noqa: E501
        run = page.evaluate(
            f"() => {{ {middle} return dragging(2, document.querySelector('.dl-stage'), centre, {across}); }}"
        )
        rows.append(("three linked planes, crosshair dragged", f"{run['fps']:.0f} frames/s", "30"))
        notebook.ask("(viewer.turnAbout([0.3, 0.5, Math.sqrt(0.66)], 0.4), 0)")
        page.wait_for_timeout(400)
        run = page.evaluate(
            f"() => {{ {middle} return dragging(2, document.querySelector('.dl-stage'), centre, {across}); }}"
        )
        rows.append(("the same, tilted", f"{run['fps']:.0f} frames/s", "30"))
        cost = notebook.ask("[...viewer.stage.drawers.values()].map((one) => one.cost * 512 * 512)")
        rows.append(("an oblique plane of 512 x 512, trilinear", f"{statistics.median(cost):.1f} ms", "8 ms"))
        notebook.ask("(viewer.act('reset'), viewer.setLayout('single'), viewer.setSlab('mip 30'), 0)")
        page.wait_for_timeout(600)
        run = page.evaluate(f"() => stream(30, 60, {step}, {read})")
        rows.append(
            (
                "slab of 30 mm, 30 notches a second: share shown",
                f"{100 * run['seen'] / run['sent']:.0f} %",
                "",
            )
        )
        notebook.ask("(viewer.act('reset'), 0)")
        rows += busy(notebook)
        rows += reruns(notebook)
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


def busy(notebook: Notebook) -> Rows:
    """A kernel that computes: what is here scrolls, and the rest comes soon after."""
    page = notebook.page
    notebook.ask("(viewer.goToIndex('axial', 10), 0)")
    notebook.shown(10)
    page.evaluate(
        "() => { jupyterapp.shell.currentWidget.context.sessionContext.session.kernel.requestExecute({ code: 'import time; end = time.monotonic() + 4\\nwhile time.monotonic() < end: pass' }); }"  # noqa: E501
    )
    page.wait_for_timeout(300)
    read = "() => Number(document.querySelector('.dl-browser').dataset.drawn || -1)"
    run = page.evaluate(f"() => stream(30, 60, () => {DICOMLAB.step}, {read})")
    page.wait_for_timeout(2500)
    return [
        (
            "kernel busy, slices that are here: share shown at 30 a second",
            f"{100 * run['seen'] / run['sent']:.0f} %",
            "100 %",
        )
    ]


def reruns(notebook: Notebook) -> Rows:
    """The cell run ten times again: nothing may pile up."""
    page = notebook.page

    def heap() -> float:
        return float(
            page.evaluate(
                "async () => { for (let n = 0; n < 3; n++) { gc?.(); await new Promise((d) => setTimeout(d, 200)); } return performance.memory.usedJSHeapSize / 1e6; }"
            )
        )

    def held() -> float:
        return float(notebook.ask("viewer.transport.cache.bytes / 1e6"))

    whole = "viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300"
    notebook.wait(whole, timeout=60_000)
    before = heap() + held()
    for _ in range(10):
        old = notebook.ask("viewer.meta.sources[0].key")
        page.evaluate(
            "() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 2; jupyterapp.commands.execute('notebook:run-cell'); }"
        )
        notebook.wait(
            "viewer.meta.sources[0].key !== argument && root.dataset.complete === 'true'", old, 20_000
        )
    notebook.wait(whole, timeout=60_000)
    return [
        (
            "ten times run again: growth of the page",
            f"{100 * ((heap() + held()) / before - 1):+.0f} %",
            "10 %",
        )
    ]


def line(desk: Desk, *, megabits: float = 20.0, milliseconds: float = 100.0) -> Rows:
    """The same through a slow line."""
    rows: Rows = []
    port = int(urlparse(desk.lab.url).port or 0)
    near = desk.lab.url
    with slow_line(port, megabits=megabits, milliseconds=milliseconds) as far:
        desk.lab.url = f"http://127.0.0.1:{far}"
        try:
            with desk.shown(DICOMLAB) as notebook:
                notebook.wait("root.dataset.complete === 'true'", timeout=120_000)
                time.sleep(2)
                read = "() => Number(document.querySelector('.dl-browser').dataset.drawn || -1)"
                for rate in (10, 30):
                    notebook.ask("(viewer.goToIndex('axial', argument), 0)", 150 if rate == 10 else 40)
                    notebook.shown()
                    run = notebook.page.evaluate(
                        f"() => stream({rate}, {4 * rate}, () => {DICOMLAB.step}, {read})"
                    )
                    name = f"{megabits:.0f} Mbit/s, {milliseconds:.0f} ms, {rate} notches a second, nothing there"
                    rows.append((f"{name}: longest freeze", f"{run['freeze']:.0f} ms", "500 ms"))
                    rows.append(("the same: slices shown a second", f"{run['seen'] / run['took']:.1f}", ""))
        finally:
            desk.lab.url = near
    return rows


def table(found: Sequence[tuple[str, dict[str, float]]]) -> list[str]:
    """The viewers side by side, as Markdown."""
    floor = found[0][1]
    lines = [
        "| | first slice | step, median | over the floor | 95th percentile | shown of 30/s | slices/s of 60 | longest freeze at 30/s |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, one in found:
        first = "" if one["first"] != one["first"] else f"{one['first'] / 1000:.2f} s"
        lines.append(
            f"| {name} | {first} | {one['median']:.0f} ms | {one['median'] - floor['median']:+.0f} ms | {one['p95']:.0f} ms "
            f"| {100 * one['share 30']:.0f} % | {one['shown 60']:.0f} | {one['freeze 30']:.0f} ms |"
        )
    return lines


def main() -> None:
    """Measure, print, and write the tables of docs/performance.md if told so."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables of docs/performance.md")
    parser.add_argument("--only", choices=("peers", "figures", "line"))
    told = parser.parse_args()
    lines: list[str] = []
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--js-flags=--expose-gc"]
        )
        desk = Desk(lab, chromium)
        names = ["jupyterlab", *sorted({one for peer in PEERS for one in peer.needs if one != "nibabel"})]
        lines += [
            ", ".join(f"{name} {version(name)}" for name in names if importlib.util.find_spec(name))
            + f"; Chromium {chromium.version}.",
            "",
        ]
        if told.only in (None, "peers"):
            lines += [*table(peers(desk)), ""]
        rows: Rows = []
        if told.only in (None, "figures"):
            rows += figures(desk)
        if told.only in (None, "line"):
            rows += line(desk)
        if rows:
            lines += [
                "| | measured | to be reached |",
                "|---|--:|--:|",
                *(f"| {' | '.join(row)} |" for row in rows),
            ]
        chromium.close()
    text = "\n".join(lines)
    print(text)
    if told.write and told.only is None:
        begin, end = "<!-- browser: begin -->\n", "<!-- browser: end -->"
        page = PAGE.read_text(encoding="utf-8")
        head, rest = page.split(begin)
        PAGE.write_text(head + begin + text + "\n" + end + rest.split(end)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
