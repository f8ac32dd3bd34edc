"""Writes what Python computes of bits and differences: `python tests/js/make_squeeze_vectors.py`.

The file is committed, so that the JavaScript is tested without Python; tests/test_compression_explorer.py sees that it is
fresh.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).parent / "vectors" / "squeeze.json"
sys.path.insert(0, str(TARGET.parents[3]))

from dicomlab.teach.compression import quantised  # noqa: E402
from dicomlab.teach.compression_still import _grey, signed_colours  # noqa: E402


def vectors() -> dict[str, Any]:
    """Values in fewer bits, greys of windows, colours of differences."""
    rng = np.random.default_rng(80)
    values = np.concatenate([rng.integers(0, 4096, 200), [0, 1, 4095]])
    kept = [
        {"bits": 12, "kept": k, "values": quantised(values, 12, k).tolist()} for k in (2, 3, 7, 11, 12, 16)
    ]
    facts = {"base": -1024.0, "slope": 1.5}
    greys = [
        {"centre": c, "width": w, **facts, "greys": _grey(facts, values, c, w).tolist()}
        for c, w in ((40, 400), (-600, 1500))
    ]
    differences = np.arange(-60.0, 61)
    colours = [{"most": m, "colours": signed_colours(differences, m).tolist()} for m in (5.0, 50.0, 200.0)]
    return {
        "values": values.tolist(),
        "kept": kept,
        "greys": greys,
        "differences": differences.tolist(),
        "colours": colours,
    }


if __name__ == "__main__":
    TARGET.write_text(json.dumps(vectors()) + "\n")
