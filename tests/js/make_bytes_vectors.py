"""Writes files and what Python makes of them, for the tests of the JavaScript: `python tests/js/make_bytes_vectors.py`.

The file is committed, so that the JavaScript is tested without Python; tests/test_file_explorer.py sees that it is fresh.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parent / "vectors" / "bytes.json"
sys.path[:0] = [str(TARGET.parents[3]), str(TARGET.parents[2])]

from pydicom import uid  # noqa: E402
from test_dissect import FRAMES, encapsulate, encapsulated, file_of, nested  # noqa: E402

from dicomlab.teach.dissect import dissect, parts, told, vr_of  # noqa: E402
from dicomlab.teach.file_still import tone_of  # noqa: E402

KINDS = ["preamble", "prefix", "element", "sequence", "pixels", "item", "item_end", "sequence_end"]
KINDS += ["offsets", "fragment", "deflated", "hidden", "rest"]


def vectors() -> dict[str, Any]:
    """Files, their facts, and the parts of each node as Python has them."""
    files = [
        file_of(nested()),
        file_of(nested(), uid.ImplicitVRLittleEndian),
        file_of(nested(), uid.ExplicitVRBigEndian),
        file_of(nested())[:-30],
        encapsulated(encapsulate(FRAMES)),
        file_of(nested(), uid.DeflatedExplicitVRLittleEndian),
    ]
    found = []
    for data in files:
        cut = dissect(data, vr_of)
        own = [
            [[part.name, part.start, part.end] for part in parts(node)]
            for space in cut.spaces
            for node in space.nodes
        ]
        found.append(
            {
                "facts": told(cut, 290_000, 1000),
                "parts": own,
                "sizes": [len(space.data) for space in cut.spaces],
            }
        )
    names = ["tag", "vr", "reserved", "length", "value"]
    return {"files": found, "tones": [[kind, part, tone_of(kind, part)] for kind in KINDS for part in names]}


if __name__ == "__main__":
    TARGET.write_text(json.dumps(vectors()) + "\n")
