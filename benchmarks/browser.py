"""How the viewer feels, in numbers: `python -m benchmarks.browser` (needs Chromium; about half a minute).

A volume of 512 x 512 x 300 int16 in JupyterLab and headless Chromium on this machine. Figures differ between machines; read
them against one another.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from conftest import find_chromium  # noqa: E402
from tests.browser.jupyter import Notebook, running_lab  # noqa: E402

VOLUME = """
import numpy as np
import dicomlab as dl
rng = np.random.default_rng(0)
noise = rng.integers(-60, 60, (8, 512, 512)).astype("int16")
shape = np.hypot(*np.meshgrid(np.arange(512) - 256, np.arange(512) - 256)).astype("int16")
values = np.concatenate([noise + (600 - 4 * np.abs(shape - 60 - k % 150)) for k in range(0, 300, 8)])[:300].astype("int16")
volume = dl.make_volume(values, affine=np.diag([1.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU")
"""
BROWSE = "browser = dl.browse(volume, window=(300, 1200), height=HEIGHT)\nbrowser"

FIRST = """async () => {
    const start = performance.now();
    jupyterapp.shell.currentWidget.content.activeCellIndex = 2;
    jupyterapp.commands.execute("notebook:run-cell");
    while (!document.querySelector(".dl-browser[data-complete=true]")) await new Promise(requestAnimationFrame);
    return performance.now() - start;
}"""

# One slice a key, each waited for; the frame of the screen (16.7 ms) is the floor.
STEPS = """async () => {
    const root = document.querySelector(".dl-browser");
    const times = [];
    for (let n = 0; n < 100; n++) {
        const wanted = String(root.dicomlab.index + 1);
        const start = performance.now();
        root.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowDown", bubbles: true }));
        while (root.dataset.drawn !== wanted) await new Promise(requestAnimationFrame);
        times.push(performance.now() - start);
    }
    times.sort((a, b) => a - b);
    return [times[50], times[95]];
}"""

# A wheel of so many notches a second, not waiting: which slices are seen, and how long the picture stands still.
SCROLL = """async ([rate, count]) => {
    const root = document.querySelector(".dl-browser");
    const stage = root.querySelector(".dl-stage");
    const seen = new Set();
    let last = performance.now(), freeze = 0, drawn = root.dataset.drawn, running = true, sent = 0;
    (async () => { while (running) {
        await new Promise(requestAnimationFrame);
        if (root.dataset.drawn !== drawn) {
            const now = performance.now();
            freeze = Math.max(freeze, now - last); last = now; drawn = root.dataset.drawn; seen.add(drawn);
        }
    } })();
    const start = last = performance.now();
    await new Promise((done) => { const timer = setInterval(() => {
        while (sent < count && performance.now() - start > sent * 1000 / rate) {
            stage.dispatchEvent(new WheelEvent("wheel", { deltaY: 100, bubbles: true, cancelable: true })); sent++;
        }
        if (sent >= count) { clearInterval(timer); setTimeout(done, 300); }
    }, 4); });
    running = false;
    return [seen.size / count, freeze];
}"""

DRAG = """async () => {
    const viewer = document.querySelector(".dl-browser").dicomlab;
    let frames = 0;
    const draw = viewer.draw.bind(viewer);
    viewer.draw = () => { frames++; draw(); };
    const stage = viewer.chrome.stage;
    const fire = (type, x, y) => stage.dispatchEvent(new PointerEvent(type, { pointerId: 7, button: 0, clientX: x, clientY: y, bubbles: true }));
    fire("pointerdown", 300, 300);
    const start = performance.now();
    let n = 0;
    while (performance.now() - start < 2000) { n++; fire("pointermove", 300 + 100 * Math.sin(n / 20), 300 + 60 * Math.cos(n / 30)); await new Promise(requestAnimationFrame); }
    const fps = frames / ((performance.now() - start) / 1000);
    fire("pointerup", 300, 300);
    delete viewer.draw;
    return [fps, stage.clientWidth, stage.clientHeight];
}"""  # noqa: E501


def fresh(notebook: Notebook, height: int) -> float:
    """Show a new viewer; milliseconds from the start of the cell to its first slice."""
    notebook.run("browser.close()" if notebook.ask("root !== null") else "None")
    notebook.page.wait_for_function("() => !document.querySelector('.dl-browser')")
    return float(notebook.page.evaluate(FIRST))


def main() -> None:
    """Measure, and print a table."""
    rows: list[tuple[str, Any]] = []
    with (
        tempfile.TemporaryDirectory() as home,
        running_lab(Path(home)) as lab,
        sync_playwright() as playwright,
    ):
        chromium = playwright.chromium.launch(executable_path=find_chromium(), args=["--no-sandbox"])
        notebook = lab.open(
            chromium, "bench", VOLUME, BROWSE.replace("HEIGHT", "1024"), width=1500, height=1400
        )
        notebook.shown()
        firsts = [fresh(notebook, 1024) for _ in range(4)]
        rows.append(("first slice after the cell starts, ms", sorted(firsts)[2]))
        seen, freeze = notebook.page.evaluate(SCROLL, [30, 90])
        rows.append(("30 notches a second, nothing cached: share of slices shown", seen))
        rows.append(("  longest freeze, ms", freeze))
        notebook.wait("viewer.transport.cache.count(viewer.meta.sources[0].key, 0) === 300", timeout=60000)
        rows.append(("rate at which slices arrive, MB/s", notebook.ask("viewer.transport.rate / 1e6")))
        notebook.ask("viewer.goToIndex('axial', 20)")
        median, p95 = notebook.page.evaluate(STEPS)
        rows += [("step to a cached slice, median ms", median), ("  95th percentile, ms", p95)]
        for rate in (30, 60):
            notebook.ask("viewer.goToIndex('axial', 50)")
            seen, freeze = notebook.page.evaluate(SCROLL, [rate, 3 * rate])
            rows += [(f"{rate} notches a second, cached: slices shown a second", seen * rate)]
            rows += [("  longest freeze, ms", freeze)]
        fps, width, height = notebook.page.evaluate(DRAG)
        rows.append((f"window drag on {width} x {height} px, frames a second", fps))
        for plane in ("coronal", "sagittal"):
            notebook.ask("viewer.setPlane(argument)", plane)
            notebook.shown()
            median, p95 = notebook.page.evaluate(STEPS)
            rows.append((f"step to a {plane} plane, median ms", median))
        lab.close_windows()
        chromium.close()
    for name, value in rows:
        print(f"{name:62} {value:8.2f}")


if __name__ == "__main__":
    main()
