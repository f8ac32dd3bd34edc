"""Writes what Python computes for the geometry explorer: `python tests/js/make_geometry_vectors.py`; see make_vectors.py.

Angles are turned by sines, whose last bit differs between machines: all numbers are rounded to 12 digits.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parent / "vectors"
sys.path.insert(0, str(FOLDER.parents[2]))

from dicomlab.errors import GeometryError  # noqa: E402
from dicomlab.teach.geometry.planes import (  # noqa: E402
    ORDERS,
    Given,
    Setting,
    findings_of,
    geometry_of,
    ordered,
    planes_of,
)

PLAIN = {
    "iop": [1, 0, 0, 0, 1, 0],
    "turns": [0, 0, 0],
    "ipp": [-180, -126, -140],
    "spacing": [4, 5],
    "step": 25,
    "slices": 12,
    "rows": 64,
    "columns": 73,
    "tilt": 0,
    "fault": "none",
    "labels": "position",
    "order": "position",
}
REAL = Given(
    (0.0, 3.0, 6.0001, 12.0, 13.5),
    (0.0, 0.002, -0.001, 0.0, 0.001),
    (0.0, 0.0, 0.003, 0.0, 0.0),
    3.0,
    (9.0, 7.0, None, 3.0, 1.0),
    (None, 4.0, 4.0, -2.0, 0.5),
)
ROUNDED = Given(
    (0.0, 3.02, 6.0, 9.0),
    (0.0, 0.0, 0.02, 0.0),
    (0.0, 0.0, 0.0, 0.0),
    3.0,
    (1.0, 2.0, 3.0, 4.0),
    (0.0, 3.0, 6.0, 9.0),
)
"""Steps by rounded positions: the first gap is not the mean gap, and one affine places all slices nevertheless."""
SINGLE = Given((0.0,), (0.0,), (0.0,), 1.0, (None,), (None,))
CASES: list[tuple[dict[str, Any], Given | None]] = [
    ({}, None),
    ({"iop": [0, 1, 0, 0, 0, -1]}, None),
    ({"iop": [1, 0, 0, 0, 0, -1], "labels": "reversed"}, None),
    ({"iop": [-1, 0, 0, 0, 1, 0], "labels": "negative"}, None),
    ({"turns": [18, -14, 8], "labels": "interleaved"}, None),
    ({"turns": [18, -14, 8], "tilt": 17.5, "labels": "constant"}, None),
    ({"iop": [0.6, 0.8, 0, 0, 0, -1], "turns": [-3, 40, 90], "spacing": [0.7, 0.31], "step": 0.85}, None),
    ({"fault": "missing", "labels": "interleaved", "slices": 9}, None),
    ({"fault": "uneven", "tilt": -12, "turns": [5, 0, 0]}, None),
    ({"fault": "beside", "turns": [0, 12, 0]}, None),
    ({"slices": 1, "tilt": 20, "turns": [10, 20, 30]}, None),
    ({"slices": 2, "fault": "missing"}, None),
    ({"slices": 5, "labels": "file", "step": 3, "spacing": [0.5, 0.5]}, REAL),
    ({"slices": 4, "labels": "file", "step": 6, "tilt": -9, "turns": [0, 0, 33]}, REAL),
    ({"slices": 4, "labels": "file", "step": 3, "turns": [0, 0, 5]}, ROUNDED),
    ({"slices": 1, "labels": "file", "step": 1}, SINGLE),
    (
        {
            "slices": "many",
            "spacing": [0, -1],
            "iop": [1, 1, 1, 1, 1, 1],
            "ipp": None,
            "fault": "?",
            "turns": [1],
        },
        None,
    ),
]
VOXELS = [[0, 0, 0], [1, 2, 3], [0.5, 31.5, 36], [-1, 70, 80], [11, 0, 5.25]]


def told(values: Any) -> Any:
    """Return numbers as JSON, rounded to 12 digits after the point."""
    return (np.round(np.asarray(values, np.float64), 12) + 0.0).tolist()


def cases() -> Iterator[dict[str, Any]]:
    """Planes, orders, affine, places and findings of each setting."""
    for patch, given in CASES:
        state = {**PLAIN, **patch}
        setting = Setting.of(state)
        planes = planes_of(setting, given)
        geometry = geometry_of(planes, setting)
        try:
            affine = told(geometry.affine)
            ras = told(geometry.affine_ras)
        except GeometryError:
            affine = ras = None
        lps = geometry.lps(VOXELS)
        yield {
            "state": state,
            "given": given.told() if given else None,
            "positions": told([plane.position for plane in planes]),
            "instances": [plane.instance for plane in planes],
            "locations": [None if p.location is None else round(p.location, 12) for p in planes],
            "orders": {by: [plane.index for plane in ordered(planes, by)] for by in ORDERS},
            "affine": affine,
            "ras": ras,
            "tilt": round(geometry.tilt, 9),
            "voxels": VOXELS,
            "lps": told(lps),
            "back": told(geometry.index(lps)),
            "findings": [str(one) for one in findings_of(planes)],
        }


def contents() -> dict[str, str]:
    """Return the text of the file."""
    return {"explore_geometry.json": json.dumps(list(cases())) + "\n"}


if __name__ == "__main__":
    for name, text in contents().items():
        (FOLDER / name).write_text(text)
