"""Static figures in a real kernel with the inline backend."""

from __future__ import annotations

import os
import sys

import pytest

nbformat = pytest.importorskip("nbformat")
nbclient = pytest.importorskip("nbclient")

VOLUME = (
    "import numpy as np, dicomlab as dl; v = dl.make_volume(np.eye(9)[None], affine=np.eye(4)[[2, 1, 0, 3]])"
)


@pytest.mark.filterwarnings("default")  # Of the kernel's machinery, not of ours.
def test_a_notebook_shows_each_figure_once():
    cells = [
        VOLUME,
        "dl.show(v)",
        "dl.montage(v)",
        "figure = dl.orthoview(v); None",
        "figure",
        "dl.montage(v)\ndl.orthoview(v)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    # The kernel imports the package under test, installed or not, and chooses its own backend as for a user.
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    env.pop("MPLBACKEND", None)
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(env=env)
    pictures = [
        sum("image/png" in output.get("data", {}) for output in cell.outputs) for cell in notebook.cells
    ]
    assert pictures == [0, 1, 1, 1, 1, 2]
