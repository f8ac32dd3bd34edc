"""Writes what Python computes, for the tests of the JavaScript: `python tests/js/make_vectors.py`.

The files are committed, so that the JavaScript is tested without Python; tests/test_vectors.py sees that they are fresh. All
numbers come from fractions and from numpy's bit generators, so that every machine makes the same.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

FOLDER = Path(__file__).parent / "vectors"
sys.path.insert(0, str(FOLDER.parents[2]))

from dicomlab import Geometry, make_volume  # noqa: E402
from dicomlab.view.codec import decode, encode  # noqa: E402
from dicomlab.view.draw import Image, Label, Labels, draw  # noqa: E402
from dicomlab.view.grid import Grid  # noqa: E402
from dicomlab.view.plane import Plane, courses  # noqa: E402
from dicomlab.view.sample import Slab, sample  # noqa: E402
from dicomlab.view.scene import Basis, Scene, basis_of, panes  # noqa: E402
from dicomlab.view.shade import grey, palette  # noqa: E402
from dicomlab.view.source import Source  # noqa: E402
from dicomlab.view.windows import numbers  # noqa: E402
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
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 0.5, 1e-30, 3e38], np.float32)

UPRIGHT = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])
"""Columns: the LPS directions of slice, row and column of an ordinary axial series."""


def packed(array: np.ndarray) -> str:
    """Return the bytes of an array in base64."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def turned(a: int, b: int, c: int, d: int) -> np.ndarray:
    """Return the rotation of a quaternion of whole numbers: exact fractions, no sine that machines disagree on."""
    n = a * a + b * b + c * c + d * d
    rows = [
        [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
        [2 * (b * c + a * d), a * a - b * b + c * c - d * d, 2 * (c * d - a * b)],
        [2 * (b * d - a * c), 2 * (c * d + a * b), a * a - b * b - c * c + d * d],
    ]
    return np.array([[x / n for x in row] for row in rows])


def times(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the product of two matrices, summed in one order on all machines."""
    return np.array(
        [[sum(float(a[i, k]) * float(b[k, j]) for k in range(3)) for j in range(3)] for i in range(3)]
    )


# ---- shades and codes ------------------------------------------------------------------------------------------------


def runs(row: np.ndarray) -> list[list[int]]:
    """Return [shade, how often] for each run of equal shades: 65,536 shades in at most a few hundred pairs."""
    starts = np.flatnonzero(np.concatenate(([True], row[1:] != row[:-1])))
    lengths = np.diff(np.append(starts, row.size))
    return [[int(row[s]), int(n)] for s, n in zip(starts, lengths, strict=True)]


def tables() -> Iterator[dict[str, Any]]:
    """Every window on all 16-bit codes, and on values that are no ordinary numbers."""
    codes = np.arange(65536, dtype=np.uint16)
    for window in WINDOWS:
        for signed, slope, intercept in SCALES:
            stored = codes.view(np.int16) if signed else codes
            values = (stored.astype(np.float64) * slope + intercept).astype(np.float32)
            for invert in (False, True):
                yield {
                    "window": numbers(window),
                    "scale": {"signed": signed, "slope": slope, "intercept": intercept},
                    "invert": invert,
                    "runs": runs(grey(values, window, invert)),
                    "special": grey(SPECIAL, window, invert).tolist(),
                }


def codes() -> Iterator[dict[str, Any]]:
    """Slices as they travel, and the float32 values that come out of them."""
    rng = np.random.default_rng(5)
    planes = [
        np.array([-32768, -1, 0, 1, 32767], np.int16),
        np.array([0, 1, 40000, 65535], np.uint16),
        np.array([-128, 127], np.int8),
        np.array([100000, 100001, 165000], np.int32),
        np.array([-(2**31), 0, 2**31 - 1], np.int32),
        np.array([True, False]),
        np.array([0.0, 1.5, np.nan, np.inf, -np.inf, 3e4], np.float32),
        np.array([5.0, 5.0, np.nan]),
        np.array([np.nan, np.nan]),
        np.array([-3.0, 12.0, 65529.0]),
        rng.random(50) * 7 - 3,
        np.array([-1e308, 1e308, 0.0]),
    ]
    for plane in planes:
        stored, scale = encode(plane)
        with np.errstate(over="ignore"):
            values = decode(stored, scale).astype(np.float32)
        yield {"scale": scale, "codes": stored.view(np.uint16).tolist(), "values": packed(values)}


# ---- volumes ---------------------------------------------------------------------------------------------------------


def volumes() -> dict[str, xr.DataArray]:
    """Small volumes of every kind of grid."""
    rng = np.random.default_rng(7)
    oblique = times(turned(5, 1, -2, 1), UPRIGHT)
    tilted = UPRIGHT.copy()
    tilted[:, 0] += 0.25 * tilted[:, 1] - 0.125 * tilted[:, 2]
    leaning = times(turned(6, -1, 1, 2), tilted)
    even, rows, columns = 2.5 * np.arange(6) - 7, 1.25 * np.arange(7) - 4, 1.25 * np.arange(8) + 20
    uneven = np.array([-9.0, -8.0, -6.0, -1.0, 0.5, 4.0])
    whole = rng.integers(-300, 900, (6, 7, 8)).astype(np.int16)
    wild = (rng.random((6, 7, 8)) * 900 - 300).astype(np.float32)
    wild[1, 2, 3], wild[2, 2, 3:5], wild[3, 4, 4], wild[4, :, 1] = np.nan, np.inf, -np.inf, np.nan
    made = {
        "axial": (whole, UPRIGHT, (even, rows, columns)),
        "falling": (whole, UPRIGHT, (even[::-1], rows[::-1], columns)),
        "sagittal": (whole, np.array([[1.0, 0, 0], [0, 0, 1.0], [0, -1.0, 0]]), (even, rows, columns)),
        "coronal": (whole, np.array([[0, 0, 1.0], [1.0, 0, 0], [0, -1.0, 0]]), (even, rows[::-1], columns)),
        "oblique": (whole, oblique, (even, rows, columns)),
        "tilted": (whole, tilted, (even, rows, columns)),
        "leaning": (wild, leaning, (uneven, rows, columns)),
        "uneven": (whole, UPRIGHT, (uneven, rows, columns)),
        "uneven falling": (whole, UPRIGHT, (uneven[::-1], rows, columns)),
        "uneven oblique": (whole, oblique, (uneven[::-1], rows, columns[::-1])),
        "wild": (wild, UPRIGHT, (even, rows, columns)),
        "one slice": (whole[:1], UPRIGHT, (even[:1], rows, columns)),
        "one column": (whole[:, :, :1], oblique, (even, rows, columns[:1])),
        "one voxel": (whole[:1, :1, :1], UPRIGHT, (even[:1], rows[:1], columns[:1])),
        "wide": ((whole.astype(np.int32) * 1000), UPRIGHT, (even, rows, columns)),
        "mask": (whole > 200, UPRIGHT, (even, rows, columns)),
    }
    return {
        name: make_volume(values, geometry=Geometry(direction, *axes, "1.2", (2.0, 1.25, 1.25)))
        for name, (values, direction, axes) in made.items()
    }


def of_basis(basis: Basis) -> dict[str, Any]:
    """A basis as the page is told of it."""
    return {
        "right": dict(basis.right),
        "down": dict(basis.down),
        "axis": dict(basis.axis),
        "heading": dict(basis.heading),
        "corners": basis.corners,
        "middle": basis.middle,
    }


def of_volume(volume: xr.DataArray) -> dict[str, Any]:
    """A volume as it reaches the page: its description, and the codes of its slices."""
    source = Source(volume)
    told = source.describe(memory=1 << 20)
    slices = []
    for index in range(volume.sizes["slice"]):
        stored, scale = encode(source.slice(0, index))
        slices.append({**scale, "codes": packed(stored)})
    kept = ("axes", "direction", "inverse", "ruler", "shape", "finest", "smooth")
    return {
        **{name: told[name] for name in kept},
        "slices": slices,
        "basis": of_basis(basis_of(source.grid(0))),
    }


def of_plane(plane: Plane) -> dict[str, Any]:
    """A plane as the page has it."""
    return {
        "origin": plane.origin,
        "right": plane.right,
        "down": plane.down,
        "pixel": plane.pixel,
        "width": plane.width,
        "height": plane.height,
    }


def of_slab(slab: Slab | None) -> dict[str, Any] | None:
    """A slab as the page has it."""
    return None if slab is None else {"mode": slab.mode, "thickness": slab.thickness}


TURN = tuple(float(x) for x in turned(9, 1, 2, -1).ravel())
SLABS = [None, Slab("mip", 6.0), Slab("minip", 3.3), Slab("average", 7.7)]


def scenes_of(grid: Grid) -> list[Scene]:
    """What may be on a screen: every layout, turned, zoomed, moved, thick."""
    middle = basis_of(grid).middle
    aside = (middle[0] + 1.3, middle[1] - 0.7, middle[2] + 0.9)
    return [
        Scene(middle),
        Scene(aside, "sagittal", interpolation="nearest"),
        Scene(aside, "coronal", zoom=2.3, pan=(1.5, -0.5, 2.0)),
        Scene(aside, layout="planes", slab=SLABS[1]),
        Scene(middle, "coronal", layout="planes", turn=TURN, zoom=1.4),  # type: ignore[arg-type]
        Scene(aside, "sagittal", turn=TURN, slab=SLABS[3]),  # type: ignore[arg-type]
        Scene(middle, layout="montage", tiles=(2, 3), slab=SLABS[2]),
        Scene(aside, "sagittal", layout="montage", tiles=(2, 2), stride=3, turn=TURN),  # type: ignore[arg-type]
    ]


def of_scene(scene: Scene) -> dict[str, Any]:
    """A scene as the page has it."""
    return {
        "position": scene.position,
        "plane": scene.plane,
        "layout": scene.layout,
        "turn": scene.turn,
        "zoom": scene.zoom,
        "pan": scene.pan,
        "slab": of_slab(scene.slab),
        "interpolation": scene.interpolation,
        "tiles": scene.tiles,
        "stride": scene.stride,
    }


STAGES = [(61, 40), (33, 70), (48, 48)]


def scenes() -> Iterator[dict[str, Any]]:
    """Panes of every scene of every volume."""
    for name, volume in volumes().items():
        grid = Grid.from_volume(volume)
        for number, scene in enumerate(scenes_of(grid)):
            width, height = STAGES[number % 3]
            found = panes(scene, basis_of(grid), grid, width, height)
            yield {
                "volume": name,
                "scene": of_scene(scene),
                "stage": [width, height],
                "panes": [
                    {
                        "name": one.name,
                        "number": one.number,
                        "left": one.left,
                        "top": one.top,
                        "plane": of_plane(one.plane),
                    }
                    for one in found
                ],
                "starts": [[way.start, way.right, way.down] for way in courses(grid, found[0].plane)],
            }


def samples() -> Iterator[dict[str, Any]]:
    """Values under the pixels: of the panes, and of planes at any angle that run out of the volume."""
    rng = np.random.default_rng(11)
    for name, volume in volumes().items():
        grid = Grid.from_volume(volume)
        basis = basis_of(grid)
        asked: list[tuple[Plane, Any, Slab | None]] = []
        for number, scene in enumerate(scenes_of(grid)[:6]):
            pane = panes(scene, basis, grid, 17, 13)[number % 2 if scene.layout == "planes" else 0]
            asked.append((pane.plane, scene.interpolation, SLABS[number % 4]))
        for number in range(3):
            a, b, c, d = (int(n) for n in rng.integers(-4, 5, 4))
            o = turned(a or 1, b, c, d)
            right, down = tuple(map(float, o[:, 0])), tuple(map(float, o[:, 1]))
            origin = tuple(
                float(m - 4 * r - 3 * w + x)
                for m, r, w, x in zip(basis.middle, right, down, rng.integers(-3, 4, 3), strict=True)
            )
            kind = ("linear", "nearest", "linear")[number]
            asked.append((Plane(origin, right, down, 0.75, 14, 11), kind, SLABS[int(rng.integers(4))]))  # type: ignore[arg-type]
        for plane, interpolation, slab in asked:
            yield {
                "volume": name,
                "plane": of_plane(plane),
                "interpolation": interpolation,
                "slab": of_slab(slab),
                "values": packed(sample(grid, plane, interpolation, slab)),
            }


def pictures() -> Iterator[dict[str, Any]]:
    """Whole pictures: one volume, two that meet in every way, labels over them."""
    all_ = volumes()
    rng = np.random.default_rng(13)
    marks = all_["axial"].copy(
        data=rng.integers(0, 4, (6, 7, 8)).astype(np.uint8) * (all_["axial"].values > -100)
    )
    styles = {
        1: Label((255, 200, 0)),
        2: Label((0, 90, 255), 0.6, outline=False),
        3: Label((9, 9, 9), visible=False),
    }
    lut = WINDOWS[11]
    looks: list[dict[str, Any]] = [
        {"window": Window(200, 900), "invert": False, "cmap": "gray", "opacity": 1.0, "fade": False},
        {"window": Window(150, 700, "SIGMOID"), "invert": True, "cmap": "hot", "opacity": 0.6, "fade": False},
        {
            "window": Window(250, 500, "LINEAR_EXACT"),
            "invert": False,
            "cmap": "hot",
            "opacity": 0.9,
            "fade": True,
        },
        {"window": lut, "invert": True, "cmap": "viridis", "opacity": 0.35, "fade": True},
    ]
    cases: list[tuple[list[str], list[int], int, str, bool]] = [
        (["axial"], [0], 0, "fusion", False),
        (["wild"], [1], 3, "fusion", True),
        (["axial"], [3], 6, "fusion", True),
        (["mask"], [2], 4, "fusion", False),
        (["uneven", "oblique"], [0, 1], 3, "fusion", True),
        (["tilted", "wild"], [0, 2], 4, "fusion", False),
        (["oblique", "leaning"], [1, 3], 5, "fusion", False),
        (["axial", "wild"], [0, 1], 0, "curtain", False),
        (["axial", "falling"], [0, 2], 3, "checkerboard", False),
        (["axial", "wild"], [0, 1], 0, "checkerboard", True),
        (["falling", "wild"], [0, 1], 2, "difference", False),
        (["axial", "oblique", "wild"], [0, 1, 2], 7, "fusion", True),
    ]
    for names, styled, number, mode, labelled in cases:
        grids = [Grid.from_volume(all_[name]) for name in names]
        scene = scenes_of(grids[0])[number]
        width, height = (64, 52) if mode == "checkerboard" else (44, 30)
        images = [Image(grid, **looks[look]) for grid, look in zip(grids, styled, strict=True)]
        labels = [Labels(Grid.from_volume(marks), styles)] if labelled else []
        shown = draw(
            scene,
            basis_of(grids[0]),
            images,
            width,
            height,
            labels=labels,
            mode=mode,
            split=0.37,  # type: ignore[arg-type]
        )
        yield {
            "volumes": names,
            "looks": [{**looks[look], "window": numbers(looks[look]["window"])} for look in styled],
            "scene": of_scene(scene),
            "stage": [width, height],
            "mode": mode,
            "split": 0.37,
            "labels": {str(k): vars(one) for k, one in styles.items()} if labelled else None,
            "rgb": packed(shown),
        }


def palettes() -> Iterator[dict[str, Any]]:
    """The colour maps of the pictures."""
    for name in ("gray", "hot", "viridis"):
        yield {"name": name, "text": "" if name == "gray" else packed(palette(name))}


def marks() -> Iterator[dict[str, Any]]:
    """The label volume of the pictures, and the others."""
    rng = np.random.default_rng(13)
    all_ = volumes()
    drawn = rng.integers(0, 4, (6, 7, 8)).astype(np.uint8) * (all_["axial"].values > -100)
    for name, volume in {**all_, "marks": all_["axial"].copy(data=drawn)}.items():
        yield {"name": name, **of_volume(volume)}


def contents() -> dict[str, str]:
    """Return the text of each file."""
    made = {
        "tables": tables(),
        "codes": codes(),
        "volumes": marks(),
        "scenes": scenes(),
        "samples": samples(),
        "pictures": pictures(),
        "palettes": palettes(),
    }
    return {
        f"{name}.json": "[\n" + ",\n".join(json.dumps(one, separators=(",", ":")) for one in rows) + "\n]\n"
        for name, rows in made.items()
    }


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, text in contents().items():
        (FOLDER / name).write_text(text)
