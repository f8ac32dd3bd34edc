"""Orders of images through the grid, for tests/js/series.test.js: ``python tests/js/make_series_vectors.py`` writes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from dicomlab.teach.series.still import order_of

TARGET = Path(__file__).parent / "vectors" / "series.json"


def contents() -> str:
    """Stacks with numbers that repeat, files in any order, frames or none; and their orders."""
    rng = np.random.default_rng(4)
    cases = []
    for number in range(12):
        count = int(rng.integers(0, 30))
        stack = {
            "row": rng.integers(0, 6, count).tolist(),
            "column": rng.integers(0, 5, count).tolist(),
            "file": rng.permutation(count).tolist() if number % 3 else [0] * count,
            "number": rng.integers(-3, 12, count).tolist(),
            "frame": rng.permutation(count).tolist() if number % 2 else None,
        }
        orders = {order: order_of(stack, order) for order in ("file", "number", "none", "no such order")}
        cases.append({"stack": stack, "orders": orders})
    return json.dumps(cases, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    TARGET.write_text(contents(), encoding="utf-8")
