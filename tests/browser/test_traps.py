"""What bit the makers of widgets before us, each once.

 1  Messages come on a thread of their own, or not at all while a cell runs    here; test_browser.py (two threads)
 2  A path as `_esm` keeps every instance alive                                here; test_browser.py (close frees the volume)
 3  `initialize` and `render` get different proxies of one model               here
 4  A cell that runs again leaves the old slices in the page                   test_persistence.py (ten times); test_viewer.py
 5  `d d` typed into a canvas deletes the cell                                 test_hosts.py (each host); test_viewer.py
 6  A wheel that is listened to passively scrolls the page too                 here
 7  The kernel is 40 ms away: no probe, label or window goes through it        here
 8  More than 10 MiB from the page kill the websocket                          here
 9  More than 1,000 messages a second to the page are dropped                  here (a cine); js/transport.test.js (credit)
10  Buffers come as DataView, ArrayBuffer, base64                              here; js/shade.test.js
11  No notebook restores the state of widgets: a PNG stands in                 test_persistence.py
12  Shadow roots                                                               here; test_hosts.py (marimo); test_volumes.py
13  The script is sent with every widget                                       here; js/build.mjs (at most 150 kB)
14  Another package pulls a host down to an older version                      test_hosts.py; conftest.py
15  Settings of the user, ports, kernels that stay behind                      here; jupyter.py
"""

from __future__ import annotations

import base64
import gc
import json
import os
import re
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, WebSocket

from dicomlab.view.answers import answer
from dicomlab.view.browser import SliceBrowser, browse

from .hosts import Hosted
from .jupyter import CACHE, VOLUME, Lab, Notebook
from .test_viewer import centre, drag

Open = Callable[..., Notebook]
pytestmark = pytest.mark.browser

# ---- in a page of our own, whose kernel is this process ------------------------------------------------------------------

# The smallest host: it wraps the model anew for each hook, as anywidget does, and hands buffers over in the given wrapping.
HOST = """async ([esm, state, wrapping]) => {
    const handlers = {};
    const seen = window.seen = { sent: 0, saved: 0 };
    const wrap = (text) => {
        const bytes = Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
        if (wrapping === "base64") return text;
        if (wrapping === "ArrayBuffer") return bytes.buffer;
        const whole = new Uint8Array(bytes.length + 3);  // a message holds more than this buffer
        whole.set(bytes, 3);
        return new DataView(whole.buffer, 3);
    };
    const proxy = (of) => ({
        get: (name) => state[name],
        set: (name, value) => { state[name] = value; },
        save_changes: () => { seen.saved += 1; },
        on: (name, handler) => (handlers[name] ??= new Set()).add(handler),
        off: (name, handler) => handlers[name]?.delete(handler),
        send: async (message) => {
            seen.sent += 1;
            const [head, buffers] = await window.kernel(message);
            for (const handler of handlers["msg:custom"] ?? []) handler(head, buffers.map(wrap));
        },
    });
    const host = document.body.appendChild(document.createElement("div"));
    const el = host.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
    document.body.append(Object.assign(document.createElement("div"), { style: "height: 3000px" }));
    const module = await import(URL.createObjectURL(new Blob([esm], { type: "text/javascript" })));
    const widget = await module.default();
    await widget.initialize({ model: proxy("initialize") });
    window.end = await widget.render({ model: proxy("render"), el });
    window.el = el;
}"""


@pytest.fixture
def bare(chromium: Browser, tmp_path: Path) -> Iterator[Callable[[str], tuple[Hosted, SliceBrowser]]]:
    """A viewer in the smallest host."""
    (tmp_path / "host.html").write_text("<!DOCTYPE html><title>host</title><body></body>", encoding="utf-8")
    names: dict[str, Any] = {}
    exec(VOLUME, names)
    browser = browse(names["volume"](), window=(40, 400), height=300)
    context = chromium.new_context(offline=True, viewport={"width": 800, "height": 600})
    hosted: list[Hosted] = []

    def kernel(message: Any) -> Any:
        told = answer(browser._sources, message)
        assert told is not None
        return told[0], [base64.b64encode(one).decode("ascii") for one in told[1]]

    def show(wrapping: str) -> tuple[Hosted, SliceBrowser]:
        one = Hosted(context.new_page())
        hosted.append(one)
        one.page.expose_function("kernel", kernel)
        one.page.goto((tmp_path / "host.html").as_uri())
        state = json.loads(json.dumps(browser.get_state()))
        one.page.evaluate(HOST, [SliceBrowser._esm, state, wrapping])
        one.shown(12)
        return one, browser

    yield show
    errors = [error for one in hosted for error in one.errors]
    context.close()
    browser.close()
    assert errors == []


@pytest.mark.parametrize("wrapping", ["DataView", "ArrayBuffer", "base64"])
def test_3_10_12_any_proxy_any_wrapping_and_a_shadow_root_give_the_picture_of_python(
    bare: Callable[[str], tuple[Hosted, SliceBrowser]], wrapping: str
) -> None:
    hosted, browser = bare(wrapping)
    hosted.still()
    found = hosted.canvas()
    assert np.array_equal(found, browser.picture(found.shape[1], found.shape[0]))
    assert len(np.unique(found)) > 100
    assert hosted.ask("root.getRootNode() instanceof ShadowRoot") is True
    assert hosted.ask("getComputedStyle(root.querySelector('.dl-over')).position") == "absolute", (
        "with its styles"
    )
    # And nothing stays when the view goes.
    hosted.page.evaluate("end()")
    assert hosted.page.evaluate("el.childElementCount") == 0
    assert hosted.page.evaluate(f"[{CACHE}.bytes, {CACHE}.entries.size, {CACHE}.volumes.size]") == [0, 0, 0]


def test_6_the_wheel_walks_through_slices_and_leaves_the_page_where_it_is(
    bare: Callable[[str], tuple[Hosted, SliceBrowser]],
) -> None:
    hosted, _ = bare("DataView")
    hosted.page.mouse.move(*centre(hosted))
    for _ in range(3):
        hosted.page.mouse.wheel(0, 100)
    hosted.shown(15)
    assert hosted.page.evaluate("scrollY") == 0
    hosted.page.mouse.move(400, 580)  # beside the viewer it is the page's
    hosted.page.mouse.wheel(0, 100)
    hosted.page.wait_for_function("() => scrollY > 0")
    assert hosted.ask("viewer.index") == 15


def test_13_the_script_is_unpacked_once_a_page_whatever_the_number_of_widgets(
    bare: Callable[[str], tuple[Hosted, SliceBrowser]],
) -> None:
    hosted, browser = bare("DataView")
    same = hosted.page.evaluate(
        """async (esm) => {
            let count = 0;
            const create = URL.createObjectURL;
            const load = () => import(create(new Blob([esm], { type: "text/javascript" })));
            URL.createObjectURL = (...one) => { count += 1; return create(...one); };
            await (await load()).default();
            return count;
        }""",
        SliceBrowser._esm,
    )
    assert same == 0
    assert len(SliceBrowser._esm.encode()) <= 150_000
    assert not browser.has_trait("_css"), "it is in there, too"


def test_2_no_browser_stays_alive_when_it_was_closed() -> None:
    names: dict[str, Any] = {}
    exec(VOLUME, names)
    browser = browse(names["volume"]())
    alive = weakref.ref(browser)
    browser.close()
    del browser
    gc.collect()
    assert alive() is None


# ---- in JupyterLab, with all that goes over its websocket -----------------------------------------------------------------


class Overheard(Notebook):
    """A notebook whose traffic with the kernel is written down."""

    def __init__(self, page: Page) -> None:
        self.sent: list[bytes] = []
        self.received: list[bytes] = []
        page.on("websocket", self._listen)
        super().__init__(page)

    def _listen(self, socket: WebSocket) -> None:
        if "/api/kernels/" in socket.url:
            socket.on("framesent", lambda frame: self.sent.append(_bytes(frame)))
            socket.on("framereceived", lambda frame: self.received.append(_bytes(frame)))

    def forget(self) -> None:
        """Forget what was heard so far."""
        self.page.wait_for_timeout(50)
        self.sent.clear()
        self.received.clear()


def _bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


KERNEL = "jupyterapp.shell.currentWidget.context.sessionContext.session.kernel"
FEW = "browse(volume((60, 96, 128)), height=300, memory=20 * 96 * 128 * 2)"  # of sixty slices the page may keep twenty


@pytest.fixture(scope="module")
def overheard(open_notebook: Open) -> Overheard:
    """A notebook whose second cell shows whatever a test browses."""
    start = "from dicomlab.view.browser import browse\nimport os\nimport time\nimport ipywidgets"
    place = "place = ipywidgets.VBox()\nplace"
    book = open_notebook("overheard", start, place, kind=Overheard)
    assert isinstance(book, Overheard)
    book.page.wait_for_selector(".jp-OutputArea-output .widget-vbox", state="attached")
    return book


@pytest.fixture
def book(overheard: Overheard) -> Iterator[Overheard]:
    """Sixty slices, of which the page has all that it may keep; nothing is on its way."""
    overheard.run(f"[one.close() for one in place.children]\nb = {FEW}\nplace.children = (b,)")
    settled(overheard)
    yield overheard
    assert overheard.errors == []


def settled(book: Notebook) -> None:
    book.shown(30)
    book.wait("viewer.transport.cache.bytes === 20 * 96 * 128 * 2 && viewer.transport.flying.size === 0")
    book.still()


def begin(book: Notebook, code: str) -> None:
    """Begin to run code in the kernel: `said` is what it prints, `idle` when it ended."""
    book.ask(
        f"""(() => {{
            Object.assign(window, {{ said: "", idle: 0 }});
            const future = {KERNEL}.requestExecute({{ code: argument }});
            future.onIOPub = ({{ content }}) => {{ window.said += content.text ?? ""; }};
            future.done.then(() => {{ window.idle = performance.now(); }});
        }})()""",
        code,
    )
    book.page.wait_for_function(f"() => {KERNEL}.status === 'busy'")


def test_1_the_running_cell_hears_what_the_hand_does(book: Overheard) -> None:
    begin(
        book,
        "end = time.monotonic() + 8\n"
        "while b.index == 30 and time.monotonic() < end: time.sleep(0.02)\n"
        "print('heard', b.index)",
    )
    book.page.locator(".dl-browser").focus()
    book.page.keyboard.press("ArrowDown")
    book.page.wait_for_function("() => window.idle", timeout=10000)
    assert book.page.evaluate("window.said") == "heard 31\n"


def test_1_while_nothing_arrives_cached_slices_scroll_and_the_others_come_right_after(
    overheard: Overheard,
) -> None:
    # As with ipykernel 6, or with subshells turned off in the settings.
    overheard.ask(f"void ({KERNEL}.commsOverSubshells = 'disabled')")
    try:
        overheard.run(f"[one.close() for one in place.children]\nb = {FEW}\nplace.children = (b,)")
        settled(overheard)
        began = overheard.page.evaluate("performance.now()")
        begin(overheard, "time.sleep(4)")
        overheard.page.locator(".dl-browser").focus()
        for index in (31, 32, 33):
            overheard.page.keyboard.press("ArrowDown")
            overheard.wait("root.dataset.drawn === String(argument)", index, timeout=500)
        overheard.page.keyboard.press("End")
        pressed = overheard.page.evaluate("performance.now()")
        overheard.wait("viewer.chrome.status.textContent === 'loading … (kernel busy)'", timeout=3000)
        told = overheard.page.evaluate("performance.now()")
        assert told - began > 1000
        assert told - pressed < 2500
        assert overheard.page.evaluate("window.idle") == 0
        assert overheard.ask("root.dataset.drawn") != "59", "no other slice is passed off as this one"
        late = overheard.page.evaluate(
            """() => new Promise((done) => {
                const root = document.querySelector(".dl-browser");
                const look = () => {
                    if (root.dataset.drawn === "59") done(performance.now() - window.idle);
                    else requestAnimationFrame(look);
                };
                look();
            })"""
        )
        assert overheard.page.evaluate("window.idle") > 0, "it did not come while the cell was running"
        assert late < 1500, "half a second on a machine that has nothing else to do"
        assert overheard.ask("viewer.chrome.status.textContent") == ""
    finally:
        overheard.ask(f"void ({KERNEL}.commsOverSubshells = 'perCommTarget')")
    assert overheard.errors == []


def test_7_probe_and_window_need_no_kernel_until_the_hand_lets_go(book: Overheard) -> None:
    x, y = centre(book)
    book.forget()
    for step in range(20):
        book.page.mouse.move(x + step, y - step)
        assert "voxel" in book.ask("viewer.chrome.probe.textContent")
    drag(book, 60, 10, release=False)
    for step in range(20):
        book.page.mouse.move(x + 60 + step, y)
    book.page.wait_for_timeout(400)
    width = book.ask("viewer.look.window.width")
    assert width > 1000
    assert book.sent == []
    book.page.mouse.up()
    book.synced("b.window.width", width)
    told = [frame for frame in book.sent if b'"_looks"' in frame]
    assert len(told) == 1
    assert b'"position"' not in told[0], "only what changed"


def test_8_the_largest_message_to_the_kernel_is_a_hundredth_of_what_kills_the_socket(book: Overheard) -> None:
    book.forget()
    angle = np.linspace(0, 2 * np.pi, 2000, endpoint=False)
    points = np.stack([30 * np.cos(angle), 30 * np.sin(angle), np.full(angle.size, 15.0)], axis=-1)
    freehand = {"id": "f", "kind": "freehand", "points": points.tolist(), "normal": [0, 0, 1]}
    book.ask(
        "(viewer.state = { ...viewer.state, rois: [{ ...argument, label: 'long', colour: '#ff0000' }] }, viewer.changed())",
        freehand,
    )
    book.page.locator(".dl-browser").focus()
    for key in ("End", "Home", "p", "PageDown", "x"):
        book.page.keyboard.press(key)
        book.still()
    book.synced("[len(b.rois), len(b.rois[0].points), b.panes]", [1, 2000, "planes"])
    assert 50_000 < max(map(len, book.sent)) < 200_000


def test_9_a_cine_pulls_its_frames_and_nothing_is_pushed(book: Overheard) -> None:
    book.ask("viewer.cine.change({ fps: 60 })")
    book.still()
    book.forget()
    book.ask("(viewer.cine.change({ playing: true }))")
    book.page.wait_for_timeout(2500)
    book.ask("(viewer.cine.change({ playing: false }))")
    book.wait("viewer.transport.flying.size === 0")
    book.page.wait_for_timeout(300)
    pulled = sum(b'"type":"pull"' in frame for frame in book.sent)
    came = sum(re.search(rb'"type": ?"slices"', frame) is not None for frame in book.received)
    assert 5 < came == pulled
    assert len(book.received) < 2.5 * 333, "1,000 a second over 3 s is where Jupyter begins to drop"
    told = sum(b'"position"' in frame for frame in book.sent)
    assert 2 <= told <= 8, "Python hears of it twice a second"


def test_15_servers_know_nothing_of_the_users_settings(book: Overheard, lab: Lab) -> None:
    names = ["HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
    folders = book.value(f"[os.environ[name] for name in {names}]")
    assert len(set(folders)) == len(names)
    home = lab.folder.parent
    assert all(Path(folder).is_relative_to(home) for folder in folders)
    assert not any(os.environ.get(name) in folders for name in names)
    assert len(lab.token) >= 32
