"""Writes what Python computes, for the tests of the JavaScript: `python tests/js/make_vectors.py`.

The files are committed, so that the JavaScript is tested without Python; tests/test_vectors.py sees that they are fresh.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FOLDER = Path(__file__).parent / "vectors"
sys.path.insert(0, str(FOLDER.parents[2]))

from dicomlab import make_volume  # noqa: E402
from dicomlab.view.codec import decode, encode  # noqa: E402
from dicomlab.view.grid import Grid  # noqa: E402
from dicomlab.view.meta import _numbers, describe  # noqa: E402
from dicomlab.view.render import grey, picture  # noqa: E402
from dicomlab.view.state import PLANES, initial_state  # noqa: E402
from dicomlab.voi import VoiLut  # noqa: E402
from dicomlab.windowing import Window  # noqa: E402

WINDOWS = [
    Window(40, 400),
    Window(-600, 1500),
    Window(40.5, 80.25),
    Window(0, 1),
    Window(7, 2),
    Window(32768, 65536),
    Window(0.5, 4096, "LINEAR_EXACT"),
    Window(12.3, 0.7, "LINEAR_EXACT"),
    Window(100, 300, "SIGMOID"),
    Window(-3.5, 1, "SIGMOID"),
    Window(30000, 1e5, "SIGMOID"),
    VoiLut(-100, [round(255 * (i / 199) ** 0.45) for i in range(200)], 8),
    VoiLut(65000, [(i * i) % 1024 for i in range(600)], 10),
    VoiLut(-7, range(4095, 0, -9), 12),
    VoiLut(12, [40000], 16),
]
SCALES = [(True, 1.0, 0.0), (False, 1.0, 0.0), (False, 0.0123, -7.5)]


def runs(row: np.ndarray) -> list[list[int]]:
    """Return [shade, how often] for each run of equal shades: 65,536 shades in at most a few hundred pairs."""
    starts = np.flatnonzero(np.concatenate(([True], row[1:] != row[:-1])))
    lengths = np.diff(np.append(starts, row.size))
    return [[int(row[s]), int(n)] for s, n in zip(starts, lengths, strict=True)]


def tables() -> list[dict[str, Any]]:
    codes = np.arange(65536, dtype=np.uint16)
    made = []
    for window in WINDOWS:
        for signed, slope, intercept in SCALES:
            stored = codes.view(np.int16) if signed else codes
            values = stored.astype(np.float64) * slope + intercept
            for invert in (False, True):
                made.append(
                    {
                        "window": _numbers(window),
                        "scale": {"signed": signed, "slope": slope, "intercept": intercept},
                        "invert": invert,
                        "runs": runs(grey(values, window, invert)),
                    }
                )
    return made


def codes() -> list[dict[str, Any]]:
    rng = np.random.default_rng(5)
    planes = [
        np.array([-32768, -1, 0, 1, 32767], np.int16),
        np.array([0, 1, 40000, 65535], np.uint16),
        np.array([100000, 100001, 165000], np.int32),
        np.array([-(2**31), 0, 2**31 - 1], np.int32),
        np.array([True, False]),
        np.array([0.0, 1.5, np.nan, np.inf, -np.inf, 3e4], np.float32),
        np.array([5.0, 5.0, np.nan]),
        np.array([np.nan, np.nan]),
        np.array([-3.0, 12.0, 65529.0]),
        rng.normal(size=50),
        np.array([-1e308, 1e308, 0.0]),
    ]
    made = []
    for plane in planes:
        stored, scale = encode(plane)
        made.append(
            {"scale": scale, "codes": stored.view(np.uint16).tolist(), "values": texts(decode(stored, scale))}
        )
    return made


def texts(values: np.ndarray) -> list[float | str]:
    """Return floats, with those that JSON lacks as text."""
    return [float(v) if np.isfinite(v) else str(v) for v in values]


def volumes() -> list[dict[str, Any]]:
    tilt = [[0, 0, 1.0], [0, 1.0, 0], [1.0, 0, 0]]
    turns = {
        "axial": tilt,
        "axial, columns to the right": [[0, 0, -1.0], [0, 1.0, 0], [1.0, 0, 0]],
        "sagittal": [[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]],
        "coronal": [[0, 0, 1.0], [1.0, 0, 0], [0, -1.0, 0]],
        "upside down": [[0, 0, 1.0], [0, -1.0, 0], [-1.0, 0, 0]],
    }
    values = (np.arange(60).reshape(3, 4, 5) * 37 % 251).astype(np.int16)
    window = Window(125, 250, "LINEAR_EXACT")
    made = []
    for name, columns in turns.items():
        for flipped in (False, True):
            affine = np.eye(4)
            affine[:3, :3] = columns
            affine[:3, 3] = (-11.5, 20.0, 3.25)
            volume: xr.DataArray = make_volume(values, affine=affine, units="HU")
            if flipped:
                volume = volume[::-1, :, ::-1]
            grid = Grid.from_volume(volume)
            first = initial_state(grid, window=window)
            meta = describe(grid, first, height=100, memory=1 << 20) | {"key": f"{name} {flipped}"}
            pictures = {}
            for plane in PLANES:
                state = initial_state(grid, plane, window=window)
                pictures[plane] = {"index": state.index, "grey": picture(grid, state).tolist()}
            lps = volume.dicom.lps(np.array([[0, 0, 0], [2, 1, 4]])).tolist()
            made.append({"meta": meta, "values": volume.values.tolist(), "pictures": pictures, "lps": lps})
    return made


def contents() -> dict[str, str]:
    """Return the text of each file."""
    made = {"tables.json": tables(), "codes.json": codes(), "volumes.json": volumes()}
    return {
        name: "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in rows) + "\n]\n"
        for name, rows in made.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in contents().items():
        (FOLDER / name).write_text(text)
