"""Runs a notebook in a kernel of its own to its end, whatever its cells raise, and writes it with its outputs.

    python tests/course_runner.py NOTEBOOK FOLDER EXECUTED

The kernel works in FOLDER. Nothing of dicomlab is imported here: that would double the time.
"""

from __future__ import annotations

import os
import sys
import tempfile

import nbformat
from nbclient import NotebookClient

_SCRATCH = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "TMPDIR")
"""The user's own start-up files and kernels have no part in this, and what the chapters write goes with them."""


def main(notebook: str, folder: str, executed: str) -> None:
    """Do what the module says."""
    node = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as scratch:
        os.environ.update(dict.fromkeys(_SCRATCH, scratch))
        os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"
        NotebookClient(
            node,
            kernel_name="python3",
            timeout=300,
            allow_errors=True,
            resources={"metadata": {"path": folder}},
            extra_arguments=["--IPKernelApp.log_level=ERROR"],
        ).execute()
    nbformat.write(node, executed)


if __name__ == "__main__":
    main(*sys.argv[1:])
