"""Writes what Python computes for the window explorer: `python tests/js/make_window_vectors.py`; see make_vectors.py."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "vectors"
sys.path.insert(0, str(FOLDER.parents[2]))

from dicomlab.teach.window.loss import TISSUES, alike, loss_of  # noqa: E402
from dicomlab.view.codec import as_seen, encode, packed  # noqa: E402
from dicomlab.view.windows import numbers  # noqa: E402
from dicomlab.voi import VoiLut, Window, apply_window  # noqa: E402

WINDOWS = [
    Window(40, 400),
    Window(-600, 1500),
    Window(40.5, 80.25),
    Window(0, 1),
    Window(7, 2),
    Window(40, 400, "LINEAR_EXACT"),
    Window(12.3, 0.7, "LINEAR_EXACT"),
    Window(40, 400, "SIGMOID"),
    Window(-3.5, 1, "SIGMOID"),
    VoiLut(-100, [round(255 * (i / 199) ** 0.45) for i in range(200)], 8),
]


def edges(window: Window | VoiLut) -> list[float]:
    """Return the values where something changes: both ends of the window, its centre, and their neighbours."""
    c, w = window.center, window.width
    ends = [c, c - 0.5, c - w / 2, c + w / 2, c - 0.5 - (w - 1) / 2, c - 0.5 + (w - 1) / 2]
    around = [
        x
        for end in ends
        for x in (end, np.nextafter(end, -np.inf), np.nextafter(end, np.inf), end - 1, end + 1)
    ]
    return [float(x) for x in (*around, -1024.0, 0.0, 3071.0, -1e9, 1e9)]


def shades() -> Iterator[dict[str, Any]]:
    """The grey of edge values, from apply_window and nothing else."""
    for window in WINDOWS:
        values = edges(window)
        grey = [int(np.floor(y * 255 + 0.5)) for y in apply_window(values, window)]
        yield {"window": numbers(window), "values": values, "grey": grey}


def pictures() -> Iterator[dict[str, Any]]:
    """Slices as they travel, the grey of each pixel, what is lost."""
    rng = np.random.default_rng(11)
    planes = [
        rng.integers(-1024, 3072, (24, 31)).astype(np.int16),
        rng.integers(0, 65536, (8, 9)).astype(np.uint16),
        rng.random((16, 12)) * 2000 - 700,
        np.array([[np.nan, 40.0, 240.0], [-160.0, np.inf, -np.inf]], np.float32),
        np.zeros((3, 4), np.int16),
    ]
    for plane in planes:
        codes, scale = encode(plane)
        seen = as_seen(plane[None])[0]
        for window in WINDOWS:
            bright = apply_window(seen, window)
            yield {
                "window": numbers(window),
                "codes": base64.b64encode(packed(codes, 6)).decode("ascii"),
                "scale": dict(scale),
                "grey": np.floor(np.where(np.isnan(bright), 0, bright) * 255 + 0.5)
                .astype(int)
                .ravel()
                .tolist(),
                "loss": asdict(loss_of(seen, window)),
                "words": [loss_of(seen, window).words(invert) for invert in (False, True)],
            }


def tissues() -> Iterator[dict[str, Any]]:
    """Tissues that become one grey, or nearly so."""
    for window in WINDOWS:
        yield {
            "window": numbers(window),
            "tissues": [list(one) for one in TISSUES],
            "same": [list(group) for group in alike(window)],
            "near": [list(group) for group in alike(window, 4)],
        }


def contents() -> dict[str, str]:
    """Return the text of the file."""
    found = {"shades": list(shades()), "pictures": list(pictures()), "tissues": list(tissues())}
    return {"explore_window.json": json.dumps(found) + "\n"}


if __name__ == "__main__":
    for name, text in contents().items():
        (FOLDER / name).write_text(text)
