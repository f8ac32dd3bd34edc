"""A notebook on a screen, and what runs in its page while `benchmarks.browser` measures."""

from __future__ import annotations

import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, sync_playwright

ROOT: Final = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peers import DICOMLAB, FILL, FLOOR, READ, VOLUME, Peer  # noqa: E402
from conftest import find_chromium  # noqa: E402
from tests.browser.jupyter import Lab, Notebook, running_lab  # noqa: E402

__all__ = ["DRAWN", "ROOT", "STEP", "Desk", "a_desk", "feel"]

STEP: Final = f"() => {DICOMLAB.step}"
_WHOLE: Final = "viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300"
DRAWN: Final = "() => Number(document.querySelector('.dl-browser').dataset.drawn || -1)"
"""The slice that dicomlab says that it shows."""

SCRIPTS: Final = """
window.frame = () => new Promise(requestAnimationFrame);
window.until = async (ready, most) => {
    const start = performance.now();
    while (!ready()) { if (performance.now() - start > most) return NaN; await frame(); }
    return performance.now() - start;
};
// ms until another picture than an old one can be read; one that opens between two slices is stepped now and then.
window.opened = async (old, picture, share, step) => {
    const start = performance.now();
    let nudged = start;
    const ready = () => {
        const one = picture();
        if (one && step && performance.now() - nudged > 1000) {
            nudged = performance.now();
            step();
        }
        return one !== old && readSlice(one, share) >= 0;
    };
    await until(ready, 240000);
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
        await frame(); // nobody sees anything before
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
        if (now === drawn || now < 0) continue;
        freeze = Math.max(freeze, performance.now() - last);
        last = performance.now();
        drawn = now;
        seen.add(now);
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
window.dragging = async (seconds, from, wide, high) => {
    const viewer = document.querySelector(".dl-browser").dicomlab;
    const target = viewer.chrome.stage;
    const along = (n) => [from[0] + wide * Math.sin(n / 20), from[1] + high * Math.sin(n / 13)];
    let frames = 0, busy = 0;
    const draw = viewer.draw.bind(viewer);
    viewer.draw = () => { const start = performance.now(); draw(); busy += performance.now() - start; frames++; };
    const box = target.getBoundingClientRect();
    const fire = (type, [x, y]) => {
        const where = { clientX: box.left + x, clientY: box.top + y, bubbles: true, cancelable: true };
        target.dispatchEvent(new PointerEvent(type, { pointerId: 7, button: 0, buttons: 1, ...where }));
    };
    fire("pointerdown", from);
    const start = performance.now();
    let n = 0;
    while (performance.now() - start < 1000 * seconds) { n++; fire("pointermove", along(n)); await frame(); }
    const took = (performance.now() - start) / 1000;
    fire("pointerup", along(n));
    delete viewer.draw;
    return { fps: frames / took, busy: busy / frames };
};
// A brush that goes on and on: ms from each move until its pixel can be seen in another colour, and ms of a frame.
window.painted = async (count) => {
    const viewer = document.querySelector(".dl-browser").dicomlab;
    const { stage, chrome } = viewer;
    const box = chrome.stage.getBoundingClientRect();
    const { ratio } = stage.size;
    const context = stage.canvas.getContext("2d");
    const pixel = ([x, y]) => context.getImageData(Math.floor(x * ratio), Math.floor(y * ratio), 1, 1).data.join();
    const fire = (type, [x, y]) => {
        const where = { clientX: box.left + x, clientY: box.top + y, bubbles: true, cancelable: true };
        chrome.stage.dispatchEvent(new PointerEvent(type, { pointerId: 7, button: 0, buttons: 1, ...where }));
    };
    const lap = [], times = [];
    for (let n = 0, last = await frame(); n < 60; n++) { const now = await frame(); lap.push(now - last); last = now; }
    const { left, top, plane } = stage.panes[0];
    const start = [(left + 0.3 * plane.width) / ratio, (top + 0.3 * plane.height) / ratio];
    const at = (n) => { // to and fro, 9 px onwards and 18 down, so that no place is painted before its time
        const [row, column] = [Math.floor(n / 20), n % 20];
        return [start[0] + 9 * (row % 2 ? 19 - column : column), start[1] + 18 * row];
    };
    fire("pointerdown", at(0));
    for (let n = 1; n <= count; n++) {
        await frame();
        await new Promise((done) => setTimeout(done, 3 + (n * 7) % 11)); // a hand moves at any time between two frames
        const before = pixel(at(n));
        const began = performance.now();
        fire("pointermove", at(n));
        await frame();
        while (pixel(at(n)) === before && performance.now() - began < 500) await frame();
        times.push(performance.now() - began);
    }
    fire("pointerup", at(count));
    viewer.act("undo");
    const middle = (all) => all.sort((a, b) => a - b)[all.length >> 1];
    return { median: middle(times), most: times[Math.floor(0.95 * times.length)], frame: middle(lap) };
};
// Runs the cell of the viewer once more.
window.rerun = () => {
    jupyterapp.shell.currentWidget.content.activeCellIndex = 2;
    jupyterapp.commands.execute("notebook:run-cell");
};
// MB that the page's objects need, garbage collected.
window.heap = async () => {
    for (let n = 0; n < 3; n++) {
        gc?.();
        await new Promise((done) => setTimeout(done, 200));
    }
    return performance.memory.usedJSHeapSize / 1e6;
};
window.compute = (seconds) => {
    const { kernel } = jupyterapp.shell.currentWidget.context.sessionContext.session;
    kernel.requestExecute({ code: `import time; end = time.monotonic() + ${seconds}\\nwhile time.monotonic() < end: pass` });
};
"""


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


@contextmanager
def a_desk() -> Iterator[Desk]:
    """A server and a Chromium of their own: what one part of a run leaves behind is no burden of the next."""
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        arguments = ["--no-sandbox", "--js-flags=--expose-gc"]
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=arguments)
        yield Desk(lab, chromium)
        chromium.close()


def _read(peer: Peer) -> str:
    return f"() => readSlice({peer.picture}, {peer.share})"


def feel(desk: Desk, peer: Peer) -> dict[str, float]:
    """Steps and streams of one viewer: ms, slices a second."""
    with desk.shown(peer) as notebook:
        page = notebook.page
        opened = f"opened(old, () => {peer.picture}, {peer.share}, {f'() => {peer.step}' if peer.nudged else 'null'})"
        page.evaluate(f"() => {{ const old = null; return {opened}; }}")
        again = f"() => {{ const old = {peer.picture}; rerun(); return {opened}; }}"
        runs = 0 if peer is FLOOR else 1 if peer.nudged else 3
        firsts = [page.evaluate(again) for _ in range(runs)]
        first = statistics.median(firsts) if firsts else float("nan")
        if peer is DICOMLAB:  # all that is measured from here on is there already, as it is in the peers
            notebook.wait(_WHOLE, timeout=60_000)
        page.wait_for_timeout(500)
        step = f"() => {peer.step}"
        # Once before the clock starts: memory that was never read is slow to be read first.
        page.evaluate(f"() => stream(60, 60, {step}, {_read(peer)})")
        page.wait_for_timeout(500)
        times = page.evaluate(f"() => steps(40, {step}, {_read(peer)})")
        found = {"first": first, "median": statistics.median(times), "p95": times[int(0.95 * len(times))]}
        for rate in (30, 60):
            run = page.evaluate(f"() => stream({rate}, {2 * rate}, {step}, {_read(peer)})")
            found[f"share {rate}"] = run["seen"] / run["sent"]
            found[f"shown {rate}"] = run["seen"] / run["took"]
            found[f"freeze {rate}"] = run["freeze"]
        return found
