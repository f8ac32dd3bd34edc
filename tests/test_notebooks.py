"""The notebooks run from top to bottom and become pages that need no network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import numpy as np
import psutil
import pytest
from playwright.sync_api import Browser
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.uid import BasicTextSRStorage, ExplicitVRLittleEndian, generate_uid

import dicomlab as dl
from dicomlab.phantom import PhantomStudy

ROOT = Path(__file__).resolve().parent.parent
# Those for a folder of the user's own; the course has tests of its own.
NOTEBOOKS = sorted((ROOT / "notebooks").glob("[a-z]*.ipynb"))

each_notebook = pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)


def export(folder: Path, notebook: Path, page: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "notebooks/export.py", folder, "--notebook", notebook, "--output", page]
    # By an absolute path: the kernel runs in another folder than the tests.
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory, phantom_study: PhantomStudy) -> dict[Path, Path]:
    """Return the page that each notebook becomes when it is run on the phantom study."""
    folder = tmp_path_factory.mktemp("notebooks")
    study = folder / "a study with spaces"
    shutil.copytree(phantom_study.folder, study)
    made = {}
    for notebook in NOTEBOOKS:
        page = folder / f"{notebook.stem}.html"
        result = export(study, notebook, page)
        assert result.returncode == 0, result.stderr
        assert str(page) in result.stdout
        made[notebook] = page
    return made


class Loads(HTMLParser):
    """Collects what a browser would load on its own when it opens a page, frames within the page included."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self._inside = ""
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        for name, value in attrs:
            if name == "srcdoc":
                self.found += Loads(value or "").found
            elif name in {"src", "srcset", "poster", "data", "background"} or (name == "href" and tag != "a"):
                self.found.append(value or "")
            elif name == "style":
                self._css(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "style":
            self._css(data)
        elif self._inside == "script":
            # Names of XML namespaces look like addresses and load nothing.
            self.found += re.findall(r"(?:https?:)?//(?!www\.w3\.org/)[\w-]+\.[\w.-]+/[^\s\"'`]*", data)

    def _css(self, text: str) -> None:
        self.found += re.findall(r"url\(\s*[\"']?([^\"')]*)", text) + re.findall(r"@import\s+([^;]*)", text)

    def outside(self) -> list[str]:
        """Return what is not in the page itself."""
        return [what for what in self.found if not what.startswith(("data:", "#", "blob:"))]


@pytest.mark.parametrize(
    "page",
    [
        '<script src="https://cdn.example/require.js"></script>',
        '<link rel="stylesheet" href="style.css">',
        "<style>@import 'x.css';</style>",
        "<style>a { background: url(https://cdn.example/a.png) }</style>",
        "<p style='background: url(a.png)'>",
        '<img src="picture.png">',
        '<script>import("https://cdn.example/a.js")</script>',
        '<iframe srcdoc="&lt;img src=&quot;a.png&quot;&gt;"></iframe>',
    ],
)
def test_the_search_for_loads_finds_each_kind(page: str) -> None:
    assert len(Loads(page).outside()) == 1


def test_the_search_for_loads_passes_what_is_inside() -> None:
    assert (
        Loads(
            '<a href="https://x.example/">x</a><img src="data:image/png;base64,AA=="><use href="#a">'
        ).outside()
        == []
    )


@each_notebook
def test_a_notebook_is_committed_without_outputs(notebook: Path) -> None:
    node = nbformat.read(notebook, as_version=4)
    nbformat.validate(node)
    assert node.nbformat_minor >= 5, "cells need stable ids"
    for cell in node.cells:
        if cell.cell_type == "code":
            assert cell.outputs == [], cell.id
            assert cell.execution_count is None, cell.id
    assert "widgets" not in node.metadata


@each_notebook
def test_a_notebook_becomes_a_page_that_loads_nothing(pages: dict[Path, Path], notebook: Path) -> None:
    page = pages[notebook].read_text(encoding="utf-8")
    assert Loads(page).outside() == []
    # On the phantom nothing warns.
    assert "output_stderr output_text" not in page


@pytest.fixture(scope="module")
def tour(pages: dict[Path, Path]) -> str:
    return pages[ROOT / "notebooks" / "tour.ipynb"].read_text(encoding="utf-8")


def output(page: str, cell: str) -> str:
    """Return the part of a page that belongs to the code cell with this id."""
    return (
        page.split(f'id="cell-id={cell}"', 1)[1]
        .split('id="cell-id=', 1)[0]
        .split('class="output_wrapper"', 1)[1]
    )


def test_the_tour_lists_the_series_of_the_study(tour: str) -> None:
    table = output(tour, "series")
    assert "<table" in table
    for modality in ("CT", "MR", "PT"):
        assert re.search(rf"<t[dh][^>]*>{modality}</t[dh]>", table), modality


def test_the_tour_says_which_series_it_shows_and_shows_its_volume(tour: str) -> None:
    shown = output(tour, "volume")
    assert "Shown from here on: CT" in shown
    assert "passed over" not in shown
    assert "xarray.DataArray" in shown
    assert "frame_of_reference" in shown


@pytest.mark.parametrize("cell", ["show", "montage", "ortho", "values"])
def test_the_tour_shows_pictures(tour: str, cell: str) -> None:
    assert output(tour, cell).count('src="data:image/png;base64,') == 1


def test_the_tour_shows_the_header_table(tour: str) -> None:
    assert "(0028,0030)" in output(tour, "headers")


def test_the_tour_reads_one_slice_and_goes_over_several_series(
    tour: str, phantom_study: PhantomStudy
) -> None:
    middle = phantom_study.ct.truth.volume
    mean = float(middle[middle.sizes["slice"] // 2].mean())
    assert f"{mean:.2f}"[:-1] in output(tour, "lazy")
    table = output(tour, "many")
    for modality in ("CT", "MR", "PT"):
        assert f"<td>{modality}</td>" in table
    assert "Error" not in table


def test_the_tour_refuses_to_add_volumes_on_different_grids(tour: str, phantom_study: PhantomStudy) -> None:
    refusal = output(tour, "refuse")
    half_a_pixel = np.linalg.norm(phantom_study.ct.truth.affine[:3, 1]) / 2
    assert "differ in positions along row" in refusal
    assert f"{half_a_pixel:.3g} mm apart" in refusal


@pytest.mark.browser
@each_notebook
def test_a_page_opens_without_a_network_and_without_complaint(
    pages: dict[Path, Path], notebook: Path, chromium: Browser
) -> None:
    context = chromium.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(pages[notebook].as_uri(), wait_until="load")
    pictures = page.locator(".output img")
    pictures.last.scroll_into_view_if_needed()
    widths = pictures.evaluate_all("images => images.map(image => image.naturalWidth)")
    assert widths
    assert min(widths) > 100
    context.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith(("data:", "blob:"))] == [pages[notebook].as_uri()]


# How many different greys the largest canvas shows.
GREYS = """() => {
    const area = canvas => canvas.width * canvas.height;
    const canvas = [...document.querySelectorAll("canvas")].sort((a, b) => area(b) - area(a))[0];
    if (!canvas) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return new Set(data.filter((_, i) => i % 4 === 0)).size;
}"""


@pytest.mark.browser
def test_the_browser_in_the_tour_paints_a_slice(pages: dict[Path, Path], chromium: Browser) -> None:
    page = chromium.new_page()
    page.goto(pages[ROOT / "notebooks" / "tour.ipynb"].as_uri(), wait_until="load")
    page.locator("iframe").scroll_into_view_if_needed()
    element = page.locator("iframe").element_handle()
    assert element is not None
    frame = element.content_frame()
    assert frame is not None
    frame.wait_for_function(f"({GREYS})() > 50", timeout=20_000)
    page.close()


def write_report(path: Path) -> None:
    """Write an object that is DICOM and no image."""
    report = Dataset()
    report.file_meta = FileMetaDataset()
    report.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    report.file_meta.MediaStorageSOPClassUID = report.SOPClassUID = BasicTextSRStorage
    report.file_meta.MediaStorageSOPInstanceUID = report.SOPInstanceUID = generate_uid()
    report.StudyInstanceUID, report.SeriesInstanceUID, report.Modality = generate_uid(), generate_uid(), "SR"
    report.save_as(path, enforce_file_format=True)


def empty(folder: Path) -> Path:
    return folder


def one_text(folder: Path) -> Path:
    (folder / "notes.txt").write_text("no image")
    return folder / "notes.txt"


def one_report(folder: Path) -> Path:
    write_report(folder / "report.dcm")
    return folder


def unplaced(folder: Path) -> Path:
    for file in dl.phantom.write_ct(folder, shape=(3, 20, 30)).files:
        dataset = dcmread(file)
        del dataset.ImagePositionPatient, dataset.SeriesDescription
        dataset.save_as(file)
    return folder


@pytest.mark.parametrize(
    ("fill", "why"),
    [
        (empty, ["It holds no file"]),
        (one_text, ["notes.txt: "]),
        (one_report, ["no image (modality SR)"]),
        (unplaced, ["nothing in ", "Passed over: CT: ", "(0020,0032)"]),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_folder_without_a_volume_ends_with_the_reason_and_no_page(
    tmp_path: Path, fill: Callable[[Path], Path], why: list[str]
) -> None:
    (tmp_path / "images").mkdir()
    asked = fill(tmp_path / "images")
    page = tmp_path / "tour.html"
    page.write_text("from an earlier run")
    result = export(asked, ROOT / "notebooks" / "tour.ipynb", page)
    assert result.returncode == 1
    # Alone, but for what the library under the kernel may say of a socket that closes.
    assert [line for line in result.stderr.splitlines() if line.startswith("tour.ipynb stopped: ")]
    assert str(asked) in result.stderr
    for part in why:
        assert part in result.stderr
    assert "Traceback" not in result.stderr
    assert not page.exists()


def test_the_tour_says_what_was_odd_without_its_place_in_the_code(tmp_path: Path) -> None:
    images = tmp_path / "images"
    files = dl.phantom.write_ct(images, shape=(6, 20, 30)).files
    files[2].unlink()
    for file in files[:2] + files[3:]:
        dataset = dcmread(file)
        del dataset.SeriesDescription, dataset.WindowCenter, dataset.WindowWidth
        dataset.save_as(file)
    (images / "notes.txt").write_text("no image")
    page = tmp_path / "tour.html"
    assert export(images, ROOT / "notebooks" / "tour.ipynb", page).returncode == 0
    text = page.read_text(encoding="utf-8")
    assert "notes.txt: " in output(text, "skipped")
    shown = output(text, "volume")
    assert re.search(r"<pre>\s*missing_slice: ", shown)
    assert "ipykernel" not in shown
    assert re.search(r"Shown from here on: CT\s*<", shown)


@pytest.mark.browser
def test_make_lab_opens_the_tour_and_ends_with_its_kernels(
    tmp_path: Path, phantom_study: PhantomStudy, chromium: Browser
) -> None:
    settings = {
        "FOLDER": str(phantom_study.folder),
        "BROWSER": "true",  # a browser that does nothing
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
    }
    command = ["make", "--silent", "-o", ".venv/.lab", f"PY={sys.executable}", "lab"]
    with (tmp_path / "log").open("w") as log:
        make = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **settings}, stdout=subprocess.PIPE, stderr=log, text=True
        )
    started: list[psutil.Process] = []
    try:
        assert make.stdout is not None
        line = make.stdout.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + (tmp_path / "log").read_text()
        await_answer(found[0], make)
        page = chromium.new_page()
        page.goto(found[0])
        page.get_by_role("heading", name="A tour of dicomlab").wait_for(timeout=40_000)
        page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=40_000)
        assert page.locator(".jp-Dialog").count() == 0
        page.close()
        started += psutil.Process(make.pid).children(recursive=True)
        assert any("ipykernel_launcher" in process.cmdline() for process in started)
    finally:
        make.terminate()
        _, alive = psutil.wait_procs(started, timeout=20)
        for process in alive:
            process.kill()
        make.communicate(timeout=20)
    assert alive == []


def await_answer(url: str, server: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 40
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.2)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = export(tmp_path / "nowhere", ROOT / "notebooks" / "tour.ipynb", tmp_path / "tour.html")
    assert result.returncode == 1
    assert f"there is no folder {tmp_path / 'nowhere'}" in result.stderr
