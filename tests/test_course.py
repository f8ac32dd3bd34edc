"""Each chapter of the course runs, teaches something, and its folded solutions are right."""

from __future__ import annotations

import doctest
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from types import ModuleType

import nbformat
import pytest

import dicomlab as dl
from dicomlab.teach.exercises import checks_of
from dicomlab.teach.exercises.course import TITLES, notebook
from tests.course_support import exercises, walked

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "notebooks"
each_chapter = pytest.mark.parametrize("chapter", TITLES)


@cache
def read(chapter: int) -> nbformat.NotebookNode:
    return nbformat.read(FOLDER / notebook(chapter), as_version=4)


def words(chapter: int) -> str:
    return "\n\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "markdown")


def code(chapter: int) -> str:
    return "\n\n".join(cell.source for cell in read(chapter).cells if cell.cell_type == "code")


@pytest.fixture(scope="module", params=TITLES)
def walk(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[int, nbformat.NotebookNode]:
    """Return a chapter and its notebook, run to its end with every solution tried."""
    folder = tmp_path_factory.mktemp("course")
    prepared, executed = folder / "prepared.ipynb", folder / "executed.ipynb"
    nbformat.write(walked(nbformat.read(FOLDER / notebook(request.param), as_version=4)), prepared)
    command = [sys.executable, "tests/course_runner.py", prepared, FOLDER, executed]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run(command, cwd=ROOT, env=env, check=True)
    return request.param, nbformat.read(executed, as_version=4)


def told(cell: nbformat.NotebookNode) -> str:
    """Return what a cell put out, as plain text."""
    parts = []
    for output in cell.outputs:
        if output.output_type == "error":
            plain = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(output.traceback))
            parts.append(f"{output.ename}: {plain}")
        else:
            parts.append(output.get("text") or output.get("data", {}).get("text/plain", "") + "\n")
    return "".join(parts)  # one print may come in several pieces


def test_a_chapter_runs_without_an_error_or_a_warning(walk: tuple[int, nbformat.NotebookNode]) -> None:
    complaints = {
        cell.id: told(cell)
        for cell in walk[1].cells
        for output in cell.get("outputs", [])
        if output.output_type == "error" or output.get("name") == "stderr"
    }
    assert complaints == {}


def test_every_cell_of_a_chapter_ran(walk: tuple[int, nbformat.NotebookNode]) -> None:
    counts = [cell.execution_count for cell in walk[1].cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))


def test_every_folded_solution_is_right(walk: tuple[int, nbformat.NotebookNode]) -> None:
    chapter, node = walk
    tried = {cell.id: told(cell) for cell in node.cells if cell.id.startswith("tried-")}
    assert len(tried) == len(checks_of(chapter))
    assert [text for text in tried.values() if "solution: Right: " not in text] == []


def test_every_solution_is_right_when_all_cells_ran_before_it(
    walk: tuple[int, nbformat.NotebookNode],
) -> None:
    chapter, node = walk
    late = {cell.id: told(cell) for cell in node.cells if cell.id.startswith("late-")}
    assert len(late) == len(checks_of(chapter))
    assert [(name, text) for name, text in late.items() if "solution: Right: " not in text] == []


def test_every_first_guess_is_wrong_and_hears_what_is_off(walk: tuple[int, nbformat.NotebookNode]) -> None:
    guesses = {cell.id: told(cell) for cell in walk[1].cells if cell.id.startswith("answer-")}
    assert guesses
    assert [text for text in guesses.values() if not re.search(r"^Not yet: .{20,}", text, re.MULTILINE)] == []


def test_a_chapter_shows_pictures(walk: tuple[int, nbformat.NotebookNode]) -> None:
    shown = [
        cell.id
        for cell in walk[1].cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert shown
    # Early: among the first cells of code.
    first = next(k for k, cell in enumerate(walk[1].cells) if cell.id == shown[0])
    assert first < 6


@each_chapter
def test_a_chapter_has_its_parts_in_order(chapter: int) -> None:
    text = words(chapter)
    title = f"# {chapter:02d} · {TITLES[chapter]}"
    assert text.splitlines()[0] == title
    places = [text.find(part) for part in (title, "**Goal.**", "## What to remember", "## Where next")]
    assert places == sorted(places)
    assert -1 not in places
    points = text.split("## What to remember\n")[1].split("\n\n")[0].splitlines()
    assert len(points) == 3
    assert all(point.startswith("- ") for point in points)


@each_chapter
def test_each_exercise_is_asked_tried_and_solved(chapter: int) -> None:
    cells = [cell.id for cell in read(chapter).cells]
    numbers = sorted(checks_of(chapter))
    assert sorted(exercises(read(chapter))) == [f"{chapter:02d}.{number}" for number in numbers]
    assert 4 <= len(numbers) <= 7
    last = -1
    for number in numbers:
        name = f"{chapter:02d}-{number}"
        places = [cells.index(f"{part}-{name}") for part in ("exercise", "answer", "solution")]
        assert places == sorted(places)
        assert last < places[0]
        last = places[2]
        asked, tried = read(chapter).cells[places[0]], read(chapter).cells[places[1]]
        assert asked.source.startswith(f"### Exercise {chapter:02d}.{number} · ")
        assert tried.source.startswith("answer = ") or "\nanswer = " in tried.source
        assert tried.source.endswith(f'dl.teach.check_exercise("{chapter:02d}.{number}", answer)')


@each_chapter
def test_a_chapter_is_committed_without_outputs(chapter: int) -> None:
    node = read(chapter)
    nbformat.validate(node)
    assert node.nbformat_minor >= 5
    ids = [cell.id for cell in node.cells]
    assert len(set(ids)) == len(ids)
    # Names given by hand, not the random ones of an editor.
    assert [name for name in ids if not re.fullmatch(r"[a-z][a-z0-9-]{2,40}", name)] == []
    cells = [cell for cell in node.cells if cell.cell_type == "code"]
    assert [cell.id for cell in cells if cell.outputs or cell.execution_count] == []
    assert "widgets" not in node.metadata
    assert 18 <= len(node.cells) <= 60


@each_chapter
def test_a_chapter_asks_nothing_of_a_network(chapter: int) -> None:
    found = re.findall(r"https?://|\b(?:urllib|requests|httpx|ftplib|pooch)\b|!pip|%pip", code(chapter))
    assert found == []


@each_chapter
def test_no_text_of_a_chapter_is_a_wall(chapter: int) -> None:
    for cell in read(chapter).cells:
        if cell.cell_type == "markdown" and not cell.id.startswith("solution-"):
            assert len(cell.source) < 1500, cell.id


@each_chapter
def test_every_link_of_a_chapter_leads_somewhere(chapter: int) -> None:
    links = re.findall(r"\]\(([^)]+)\)", words(chapter))
    assert [link for link in links if not (FOLDER / link).exists()] == []
    if chapter < max(TITLES):
        assert notebook(chapter + 1) in links


def test_every_explorer_is_used_in_the_course() -> None:
    everything = "\n".join(code(chapter) for chapter in TITLES)
    explorers = [name for name in dl.teach.__all__ if name.startswith("explore_") or name == "gallery"]
    assert [name for name in explorers if f"dl.teach.{name}(" not in everything] == []


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What `make course` runs, on a copy of the project."""
    spec = importlib.util.spec_from_file_location("export", FOLDER / "export.py")
    assert spec is not None
    assert spec.loader is not None
    export = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(export)
    monkeypatch.setattr(export, "BUILD", tmp_path / "build")
    monkeypatch.setattr(export, "HERE", tmp_path / "notebooks")
    (tmp_path / "build").mkdir()
    shutil.copytree(FOLDER, tmp_path / "notebooks", ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    shutil.copytree(ROOT / "docs", tmp_path / "docs")
    return export


def test_every_link_of_a_copy_of_the_course_leads_somewhere(export: ModuleType) -> None:
    copies = export.copy_of_the_course().parent
    found = set()
    for file in copies.iterdir():
        cells = [
            cell.source for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "markdown"
        ]
        links = re.findall(r"\]\(([^)#]+)", "\n".join(cells))
        assert [link for link in links if not (copies / link).is_file()] == [], file.name
        found.update(links)
    # What is tried in a notebook that a chapter leads to changes no file of the project either.
    assert {link for link in found if link.endswith(".ipynb") and "/" in link} == set()
    assert "../../docs/conventions.md" in found


def test_make_course_opens_a_copy_and_keeps_what_a_learner_wrote(export: ModuleType, tmp_path: Path) -> None:
    first = export.copy_of_the_course()
    assert first == tmp_path / "build" / "course" / notebook(0)
    assert {file.name for file in first.parent.iterdir()} == {
        *(notebook(chapter) for chapter in TITLES),
        "segmentation.ipynb",
    }

    first.write_text("my answers")
    assert export.copy_of_the_course() == first
    assert first.read_text() == "my answers"

    # The project has a newer chapter: it is there, and the answers are beside it.
    newer = first.stat().st_mtime + 10
    os.utime(tmp_path / "notebooks" / notebook(0), (newer, newer))
    export.copy_of_the_course()
    assert first.read_text() == (FOLDER / notebook(0)).read_text()
    assert (first.parent / f"{first.stem} (before).ipynb").read_text() == "my answers"


@pytest.mark.parametrize("name", ["course", "tour"])
def test_jupyterlab_remembers_open_tabs_apart_from_the_users_own(
    name: str, export: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, __: started.append(command))
    export.open_lab(name, tmp_path / "build" / "a.ipynb", {})
    (command,) = started
    assert f"--LabApp.workspaces_dir={tmp_path / 'build' / 'jupyter' / 'workspaces' / name}" in command


def test_what_the_page_on_the_course_shows_is_what_a_check_says() -> None:
    page = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    shown = "\n".join(re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S))
    example = doctest.DocTestParser().get_doctest(shown, {}, "docs/course.md", None, None)
    assert doctest.DocTestRunner().run(example) == (0, 2)


def test_the_page_on_the_course_names_every_chapter() -> None:
    page = (ROOT / "docs" / "course.md").read_text(encoding="utf-8")
    for chapter, title in TITLES.items():
        assert f"[{title}](../notebooks/{notebook(chapter)})" in page
