"""Writes what Python measures, for the tests of the JavaScript: `python tests/js/make_roi_vectors.py`.

The file is committed, so that the JavaScript is tested without Python; tests/test_rois.py sees that it is fresh.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

TARGET = Path(__file__).parent / "vectors" / "rois.json"
sys.path.insert(0, str(TARGET.parents[3]))

from dicomlab import Geometry, make_volume  # noqa: E402
from dicomlab.view.measured import angle_of, length_of, statistics, voxels_inside  # noqa: E402
from dicomlab.view.roi import Roi  # noqa: E402
from dicomlab.view.source import Source  # noqa: E402


def rotation(rng: np.random.Generator) -> np.ndarray:
    matrix, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    return matrix * np.sign(np.linalg.det(matrix))


def geometry(rng: np.random.Generator, kind: int) -> Geometry:
    """Straight, rotated, tilted (also rotated), uneven, falling, and of one slice."""
    direction = np.eye(3)[:, ::-1].copy()
    if kind in (1, 3):
        direction = rotation(rng)
        direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    if kind in (2, 3):
        direction[:, 0] += 0.2 * direction[:, 1]
    shape = (1 if kind == 5 else 5, 11, 9)
    axes = [float(rng.uniform(-9, 9)) + np.arange(n) * float(rng.uniform(0.5, 3)) for n in shape]
    if kind in (3, 4):
        axes[0] = np.array([0, 1.5, 2, 5, 6.25])
    if kind in (1, 4):
        axes = [axes[0][::-1].copy(), axes[1], axes[2][::-1].copy()]
    return Geometry(direction, *axes, "1.2", (2.0, 1.0, 1.5))


def outlines(rng: np.random.Generator, place: Geometry, oblique: bool) -> list[Roi]:
    size = np.array(place.shape)
    middle = place.lps((size - 1) / 2)
    if oblique:
        right, down, normal = rotation(rng).T
    else:
        right, down = place.direction[:, 2], place.direction[:, 1]
        normal = np.cross(right, down)
        middle = place.lps(np.floor((size - 1) / 2))
    # Off the voxel's centre: whether the point where the polygon crosses itself lies inside is for the last bit to say.
    middle = middle + 0.13 * right + 0.21 * down
    a, b = rng.uniform(2, 6, 2)

    def at(x: float, y: float) -> np.ndarray:
        return middle + x * right + y * down

    star = [
        at(*(rng.uniform(1, 8) * np.array([np.cos(t), np.sin(t)]))) for t in np.sort(rng.uniform(0, 6.28, 9))
    ]
    told: dict[str, Any] = {"normal": normal}
    return [
        Roi("rectangle", [at(-a, -b), at(a, -b), at(a, b), at(-a, b)], **told, id="rectangle"),
        Roi("ellipse", [at(-a, 0), at(a, 0), at(0, -b), at(0, b)], **told, id="ellipse"),
        Roi("polygon", [at(-a, -b), at(a, b), at(a, -b), at(-a, b)], **told, id="polygon"),
        Roi("freehand", star, **told, id="freehand"),
    ]


def contents() -> str:
    rng = np.random.default_rng(11)
    cases = []
    for number in range(12):
        place = geometry(rng, number % 6)
        values = rng.integers(-1000, 3000, place.shape).astype(np.int16)
        source = Source(make_volume(values, geometry=place))
        grid = source.grid(0)
        told = source.describe(memory=1 << 20)
        areas = []
        for roi in outlines(rng, place, oblique=number >= 6):
            assert roi.normal is not None
            s, r, c = voxels_inside(roi.kind, roi.points, roi.normal, grid)
            found = statistics(values[s, r, c])
            areas.append(
                {
                    "roi": roi.to_json(),
                    "area": roi.area,
                    "voxels": sorted(map(list, zip(s.tolist(), r.tolist(), c.tolist(), strict=True))),
                    "statistics": found.__dict__ if found.n else None,
                }
            )
        points = [tuple(map(float, point)) for point in rng.uniform(-50, 50, (3, 3))]
        cases.append(
            {
                "source": {name: told[name] for name in ("axes", "direction", "inverse", "ruler", "shape")},
                "values": values.ravel().tolist(),
                "areas": areas,
                "points": points,
                "length": length_of(points),
                "angle": angle_of(points),
            }
        )
    return json.dumps(cases, separators=(",", ":")) + "\n"


if __name__ == "__main__":
    TARGET.write_text(contents(), encoding="utf-8")
