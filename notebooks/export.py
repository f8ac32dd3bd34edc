"""Run the tour without a screen and leave it as one page that needs no network.

    python notebooks/export.py [FOLDER]          run the tour on FOLDER, else on the built-in phantom
    python notebooks/export.py --lab [FOLDER]    open the tour in JupyterLab instead
    python notebooks/export.py --course          open the course in JupyterLab


The page is `build/tour.html`. `make demo`, `make lab` and `make course` call this.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import secrets
import shutil
import socket
import sys
import tempfile
import webbrowser
from pathlib import Path
from string import Template
from typing import NoReturn

import nbformat

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent / "build"
TOUR = HERE / "tour.ipynb"

# Widgets and scripts are left out: what draws them on a static page would be loaded from a network. The
# tour shows the viewer as a page of its own instead.
SHOWN = ["text/html", "text/markdown", "image/svg+xml", "image/png", "image/jpeg", "text/plain"]


class TourError(Exception):
    """The notebook did not run to its end; the message says which error stopped it."""


def folder_to_show(asked: str) -> Path:
    """Return the user's folder as an absolute path, or a freshly written phantom study."""
    if asked:
        folder = Path(asked).expanduser().absolute()
        if not folder.exists():
            raise TourError(f"there is no folder {folder}")
        return folder
    import dicomlab as dl

    folder = BUILD / "phantom"
    # A study left by an older version of the code would mix with the new one.
    shutil.rmtree(folder, ignore_errors=True)
    dl.phantom.write_study(folder)
    return folder


def run(notebook: Path, folder: Path) -> nbformat.NotebookNode:
    """Run every cell of a notebook on a folder and return it with its outputs."""
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

    node = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as scratch:
        # The user's own IPython start-up files and kernels have no part in this.
        own = {
            "DICOMLAB_FOLDER": str(folder),
            "IPYTHONDIR": scratch,
            "JUPYTER_CONFIG_DIR": scratch,
            "JUPYTER_DATA_DIR": scratch,
            "JUPYTER_RUNTIME_DIR": scratch,
        }
        os.environ.update(own)
        client = NotebookClient(
            node,
            kernel_name="python3",
            timeout=1800,
            resources={"metadata": {"path": str(notebook.resolve().parent)}},
            # A saved widget state is what makes exporters ask a network for the code that draws it.
            store_widget_state=False,
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        )
        try:
            client.execute()
        except CellExecutionError as error:
            raise TourError(f"{error.ename}: {error.evalue}") from error
    return node


def page(notebook: nbformat.NotebookNode) -> str:
    """Return a notebook with outputs as one HTML page that loads nothing from anywhere."""
    from nbconvert import HTMLExporter
    from pygments.formatters import HtmlFormatter
    from traitlets.config import Config

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input_prompt=True,
        exclude_output_prompt=True,
        exclude_anchor_links=True,
        config=Config({"NbConvertBase": {"display_data_priority": SHOWN}}),
    )
    for cell in notebook.cells:
        cell["outputs"] = [output for output in cell.get("outputs", []) if not _only_a_widget(output)]
    body, _ = exporter.from_notebook_node(notebook)
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    day, night = (
        HtmlFormatter(style=name).get_style_defs(".highlight") for name in ("friendly", "github-dark")
    )
    highlighting = f"{day}\n@media (prefers-color-scheme: dark) {{\n{night}\n}}"
    frame = Template((HERE / "page.html").read_text(encoding="utf-8"))
    return frame.substitute(title=title, highlighting=highlighting, body=body)


def _only_a_widget(output: nbformat.NotebookNode) -> bool:
    # A progress bar, say. Its plain text would be all that is left of it on the page.
    kinds = set(output.get("data", {}))
    return "application/vnd.jupyter.widget-view+json" in kinds and not kinds & set(SHOWN[:-1])


def copy_of_the_tour() -> Path:
    """Return a copy of the tour, so that what is tried there changes no file of the project."""
    copy = BUILD / "tour.ipynb"
    if not copy.exists() or copy.stat().st_mtime < TOUR.stat().st_mtime:
        shutil.copyfile(TOUR, copy)
    return copy


def copy_of_the_course() -> Path:
    """Return the first chapter in a copy of the course; a learner's own answers stay, whatever changed in the project."""
    copies = BUILD / "course"
    copies.mkdir(exist_ok=True)
    # The chapters come first, then what they lead to; the tour has a copy of its own.
    chapters = [found for found in sorted(HERE.glob("*.ipynb")) if found.name != TOUR.name]
    for chapter in chapters:
        copy = copies / chapter.name
        if copy.exists() and copy.stat().st_mtime < chapter.stat().st_mtime:
            older = 1 + sum(1 for _ in copies.glob(f"{chapter.stem} (before*"))
            copy.replace(copies / f"{chapter.stem} (before{f' {older}' if older > 1 else ''}).ipynb")
        if not copy.exists():
            text = _with_links_from(copies, chapter.read_bytes().decode(), {file.name for file in chapters})
            copy.write_bytes(text.encode())
    return copies / chapters[0].name


def _with_links_from(copies: Path, text: str, copied: set[str]) -> str:
    """Return the text of a notebook with its links as they lead from `copies`; what is copied as well stays beside it."""

    def moved(link: re.Match[str]) -> str:
        target, part = link.groups()
        if target in copied or not (HERE / target).is_file():
            return link[0]
        return f"]({Path(os.path.relpath(HERE / target, copies)).as_posix()}{part})"

    return re.sub(r"\]\(([^()\s#:]+)((?:#[^()\s]*)?)\)", moved, text)


def open_lab(name: str, copy: Path, added: dict[str, str]) -> NoReturn:
    """Become JupyterLab, open on a notebook; `name` is what is told of it, `added` its environment."""
    import zmq

    # Beside the user's own settings, not instead of them: no question about news, which would cover the tour.
    settings = BUILD / "jupyter"
    (settings / "labconfig").mkdir(parents=True, exist_ok=True)
    quiet = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (settings / "labconfig" / "page_config.json").write_text(json.dumps(quiet), encoding="utf-8")

    port, token = _free_port(), secrets.token_hex(16)
    here = f"/lab/tree/{copy.relative_to(HERE.parent).as_posix()}"
    command = [
        *(sys.executable, "-m", "jupyterlab", f"--ServerApp.root_dir={HERE.parent}"),
        *("--log-level=ERROR", "--LabApp.log_level=ERROR"),
        *(f"--ServerApp.port={port}", "--ServerApp.port_retries=0", f"--LabApp.default_url={here}"),
        # One Ctrl-C ends it: nothing is lost, notebooks save themselves.
        "--ServerApp.answer_yes=True",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
        # Which tabs were open is remembered here, not among the user's own: no notebook of theirs opens, and starts its
        # kernel, beside this one, and none of these beside theirs.
        f"--LabApp.workspaces_dir={settings / 'workspaces' / name}",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command.append("--allow-root")
    if zmq.has("curve"):
        # Between server and kernel; kernels that could and may not warn about it.
        command.append("--KernelManager.transport_encryption=auto")
    try:
        webbrowser.get()
    except webbrowser.Error:
        command.append("--no-browser")
    added = {
        **added,
        "JUPYTER_TOKEN": token,
        "JUPYTER_CONFIG_PATH": os.pathsep.join(
            filter(None, [str(settings), os.environ.get("JUPYTER_CONFIG_PATH")])
        ),
    }
    print(
        f"The {name} is in JupyterLab at http://localhost:{port}{here}?token={token}  (Ctrl-C ends it)",
        flush=True,
    )
    # In place of this process: a signal then reaches the server, which ends its kernels.
    os.execve(command[0], command, {**os.environ, **added})


def _free_port() -> int:
    """Return JUPYTER_PORT, else the first port from JupyterLab's customary one on that nobody listens at."""
    first = int(os.environ.get("JUPYTER_PORT") or 8888)
    for port in range(first, first + 50):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise TourError(f"the ports {first} to {first + 49} are all in use; name a free one: JUPYTER_PORT=9000")


def main() -> int:
    """Do what the command line asks; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", nargs="?", default="", help="a folder of DICOM files")
    parser.add_argument("--lab", action="store_true", help="open JupyterLab instead of writing the page")
    parser.add_argument("--course", action="store_true", help="open the course in JupyterLab")
    parser.add_argument("--notebook", type=Path, default=TOUR, help="another notebook to run")
    parser.add_argument("--output", type=Path, help="the page to write")
    asked = parser.parse_args()
    output: Path = asked.output or BUILD / f"{asked.notebook.stem}.html"

    BUILD.mkdir(exist_ok=True)
    try:
        if asked.course:
            open_lab("course", copy_of_the_course(), {})
        folder = folder_to_show(asked.folder)
        if asked.lab:
            open_lab("tour", copy_of_the_tour(), {"DICOMLAB_FOLDER": str(folder)})
        print(f"Running {asked.notebook.name} on {folder} ...", flush=True)
        # An older page must not pass for the result of a run that failed.
        output.unlink(missing_ok=True)
        output.write_text(page(run(asked.notebook, folder)), encoding="utf-8")
    except TourError as error:
        print(f"{asked.notebook.name} stopped: {error}", file=sys.stderr)
        return 1
    print(f"Done. Open this page in a browser, no network needed:\n{output.resolve()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
