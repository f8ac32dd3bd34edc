"""The vectors that the JavaScript is tested against are what Python computes today."""

from __future__ import annotations

import importlib.util
from pathlib import Path

FOLDER = Path(__file__).parent / "js"


def test_the_committed_vectors_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location("make_vectors", FOLDER / "make_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.contents().items():
        found = (FOLDER / "vectors" / name).read_text()
        assert found == text, f"{name} is stale: run python tests/js/make_vectors.py"
