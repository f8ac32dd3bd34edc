"""The body as a function of patient position: HU, T1 signal or SUV at any point, and which region it is in.

Everything the phantom writes is sampled from here, so that any two series can be compared at one patient position.
"""

from __future__ import annotations

import functools
import itertools
from typing import Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.phantom.frame import Part
from dicomlab.phantom.organs import ANALYTIC_ML, parts
from dicomlab.phantom.shapes import Array

__all__ = [
    "ANALYTIC_ML",
    "EDGE_MM",
    "REGIONS",
    "TISSUES",
    "Quantity",
    "hu",
    "inside",
    "regions",
    "sample",
    "suv",
    "t1",
]

Quantity: TypeAlias = Literal["hu", "t1", "suv"]

#            tissue          HU      T1    SUV
TISSUES: Final[dict[str, tuple[float, float, float]]] = {
    "outside air": (-1000.0, 4.0, 0.0),
    "air": (-1000.0, 6.0, 0.05),
    "couch shell": (-250.0, 4.0, 0.0),
    "couch foam": (-940.0, 4.0, 0.0),
    "skin": (20.0, 330.0, 0.4),
    "fat": (-100.0, 900.0, 0.25),
    "muscle": (50.0, 340.0, 0.7),
    "cartilage": (95.0, 260.0, 0.6),
    "cortical bone": (780.0, 60.0, 0.6),
    "spongy bone": (260.0, 620.0, 1.3),
    "disc": (85.0, 270.0, 0.7),
    "cord": (42.0, 300.0, 1.6),
    "fluid": (10.0, 130.0, 0.8),
    "lung": (-820.0, 45.0, 0.45),
    "fissure": (-640.0, 110.0, 0.5),
    "lung vessel": (60.0, 150.0, 1.0),
    "liver": (60.0, 430.0, 2.2),
    "liver vessel": (115.0, 210.0, 1.7),
    "lesion": (20.0, 240.0, 8.0),
    "spleen": (90.0, 300.0, 1.8),
    "kidney": (170.0, 420.0, 2.8),
    "kidney pith": (120.0, 300.0, 3.6),
    "pancreas": (75.0, 460.0, 1.5),
    "stomach wall": (60.0, 330.0, 1.4),
    "stool": (30.0, 420.0, 1.2),
    "heart muscle": (95.0, 350.0, 3.4),
    "blood": (180.0, 110.0, 1.6),
    "nodule": (30.0, 320.0, 5.0),
}
"""HU (with contrast medium in the blood), T1-weighted signal (arbitrary units), SUV by body weight (g/ml)."""

REGIONS: Final[dict[str, tuple[str, ...]]] = {
    "lung_right": ("lung_right",),
    "lung_left": ("lung_left", "nodule"),
    "nodule": ("nodule",),
    "heart": ("heart",),
    "aorta": ("aorta",),
    "airways": ("airways",),
    "liver": ("liver", "lesion"),
    "lesion": ("lesion",),
    "spleen": ("spleen",),
    "kidneys": ("kidneys",),
    "stomach": ("stomach", "stomach_air"),
    "stomach_air": ("stomach_air",),
    "bone": ("bone",),
}
"""Regions by name, as the labels they hold; a liver holds its lesion. "body" is everything inside the skin."""

EDGE_MM: Final = 1.5
"""Width over which one tissue passes linearly into the next; regions end sharply in its middle."""

_LABELS: Final = (
    "outside",
    "body",
    "vessels",
    "bowel_gas",
    *dict.fromkeys(n for names in REGIONS.values() for n in names),
)
_COLUMN: Final = {"hu": 0, "t1": 1, "suv": 2}
_TILE: Final = 48


@functools.cache
def _boxes() -> tuple[tuple[Part, ...], Array, Array]:
    """Return all parts with the middles and half sizes of their boxes; "endless" is 100 m here."""
    found = parts()
    low, high = (np.clip([getattr(part.shape, end) for part in found], -1e5, 1e5) for end in ("low", "high"))
    return found, (low + high) / 2, (high - low) / 2


def sample(
    points: npt.ArrayLike, quantity: Quantity = "hu", *, edge: float = EDGE_MM
) -> tuple[Array, npt.NDArray[np.uint8]]:
    """Return the noise-free value at patient positions, and the label of each.

    Parameters
    ----------
    points
        LPS mm, shape (..., 3). Neighbours in the array should be neighbours in space: whole parts of the body are
        then skipped at once.
    quantity
        "hu", "t1" (arbitrary units) or "suv" (g/ml).
    edge
        Width in mm over which the value passes from one tissue to the next, centred on the surface. 0 is a sharp edge.

    Returns
    -------
    values : float64, shape (...)
    labels : uint8, shape (...); meant for `regions`, never changed by `edge`
    """
    positions = np.asarray(points, dtype=float)
    shape = positions.shape[:-1]
    planes = positions.reshape(-1, *shape[-2:], 3) if len(shape) > 1 else positions.reshape(1, 1, -1, 3)
    values = np.empty(planes.shape[:-1])
    labels = np.zeros(planes.shape[:-1], dtype=np.uint8)
    down = min(_TILE, planes.shape[1])
    along = _TILE**2 // down
    for tile in itertools.product(
        range(len(planes)),
        (slice(i, i + down) for i in range(0, planes.shape[1], down)),
        (slice(i, i + along) for i in range(0, planes.shape[2], along)),
    ):
        values[tile], labels[tile] = _paint(planes[tile], quantity, edge)
    return values.reshape(shape), labels.reshape(shape)


def _paint(points: Array, quantity: Quantity, edge: float) -> tuple[Array, npt.NDArray[np.uint8]]:
    """Return values and labels of one tile, shape (rows, columns, 3).

    Parts are taken from the last (on top) to the first, until nothing below can be seen any more.
    """
    found, middle, half = _boxes()
    x, y, z = (np.ascontiguousarray(points[..., i]) for i in range(3))
    # A part is skipped when its box misses the tile along x, y, z or across the tile's plane; the fourth is what
    # makes oblique slices quick.
    across = np.cross(points[0, -1] - points[0, 0], points[-1, 0] - points[0, 0])
    across /= max(float(np.linalg.norm(across)), 1e-9)
    ways = np.vstack([np.eye(3), across])
    along = [x, y, z, points @ across]
    first, last = ([extreme(v) for v in along] for extreme in (np.min, np.max))
    centre, reach = middle @ ways.T, half @ np.abs(ways.T) + edge
    near = np.flatnonzero(np.all((centre - reach <= last) & (centre + reach >= first), axis=1))
    column = _COLUMN[quantity]
    values = np.zeros(x.shape)
    seen = np.ones(x.shape)  # the share of what lies below that still shows
    labels = np.zeros(x.shape, dtype=np.uint8)
    for part in (found[i] for i in near[::-1]):
        distance = part.shape.distance(x, y, z)
        if distance.min() > edge / 2:
            continue
        inner = distance <= 0
        # linear from 0 to 1 over `edge` mm; the surface itself is inside
        cover = np.minimum(np.maximum(0.5 - distance / edge, 0.0), 1.0) if edge > 0 else inner
        value = TISSUES[part.tissue][column] + (part.settling * y if quantity == "hu" else 0.0)
        values += seen * cover * value
        seen *= 1.0 - cover
        if part.label is not None:
            labels[inner & (labels == 0)] = _LABELS.index(part.label)
            if labels.all() and not seen.any():
                break
    return values + seen * TISSUES["outside air"][column], labels


def regions(labels: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[np.bool_]]:
    """Return one bool array per region of `REGIONS`, and "body", from the labels that `sample` gave."""
    masks = {"body": labels > 0}
    for name, held in REGIONS.items():
        masks[name] = np.isin(labels, [_LABELS.index(label) for label in held])
    return masks


def inside(points: npt.ArrayLike, region: str) -> npt.NDArray[np.bool_]:
    """Return which LPS positions (mm, shape (..., 3)) lie inside a region; its surface counts as inside."""
    return regions(sample(points)[1])[region]


def hu(points: npt.ArrayLike) -> Array:
    """Return the noise-free Hounsfield units at LPS positions (mm, shape (..., 3))."""
    return sample(points, "hu")[0]


def t1(points: npt.ArrayLike) -> Array:
    """Return the noise-free T1-weighted MR signal (arbitrary units) at LPS positions (mm, shape (..., 3))."""
    return sample(points, "t1")[0]


def suv(points: npt.ArrayLike) -> Array:
    """Return the noise-free SUV by body weight (g/ml) at LPS positions (mm, shape (..., 3)), edges as in CT."""
    return sample(points, "suv")[0]
