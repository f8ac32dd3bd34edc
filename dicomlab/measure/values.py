"""What the values within a label are: mean, spread, percentiles; and the peak of an uptake."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.geometry import Geometry
from dicomlab.measure.pieces import Piece

__all__ = ["PEAK_RADIUS", "peak", "statistics"]

FloatArray = npt.NDArray[np.float64]

PEAK_RADIUS = (3000 / (4 * math.pi)) ** (1 / 3)
"""mm: radius of the sphere that holds 1 ml."""


def statistics(values: npt.NDArray[Any], percentiles: Sequence[float]) -> dict[str, float]:
    """``nan``, ``mean``, ``sd``, ``min``, ``max``, ``median`` and ``p5`` … of a flat array; NaN are counted and left out.

    ``sd`` divides by the number of values (ddof 0), percentiles are linear between values.
    """
    names = ["median", *(f"p{p:g}" for p in percentiles)]
    lost = 0
    if values.dtype.kind == "f":
        known = ~np.isnan(values)
        lost = int(values.size - np.count_nonzero(known))
        values = values[known] if lost else values
    if not values.size:
        return {"nan": lost, **dict.fromkeys(["mean", "sd", "min", "max", *names], math.nan)}
    with np.errstate(invalid="ignore", over="ignore"):
        mean = float(values.mean(dtype=np.float64))
        # Part by part, as twice the digits take up to four times the memory.
        parts = (values[k : k + 2**20] for k in range(0, values.size, 2**20))
        squares = sum(float(np.square(np.subtract(part, mean, dtype=np.float64)).sum()) for part in parts)
        wide = values if values.dtype.itemsize > 2 or values.dtype.kind != "f" else values.astype(np.float32)
        cuts = np.percentile(wide, [50.0, *percentiles])
    found = {
        "nan": lost,
        "mean": mean,
        "sd": math.sqrt(squares / values.size) if squares == squares else math.nan,
    }
    found |= {"min": float(values.min()), "max": float(values.max())}
    return found | {name: float(cut) for name, cut in zip(names, cuts, strict=True)}


def peak(values: npt.NDArray[Any], start: int, piece: Piece, geometry: Geometry) -> float:
    """The highest mean of a sphere of 1 ml around the centre of any voxel of the label.

    The mean of all voxels whose centres lie within the sphere, also of those outside the label; those outside the volume and
    NaN are left out. NaN where rows or columns are uneven.

    Parameters
    ----------
    values
        Of whole slices of the grid, from slice `start` on, as far as spheres reach; shape (slices, rows, columns).

    References
    ----------
    Image Biomarker Standardisation Initiative, reference manual, "Global intensity peak" (0F91).
    """
    steps = [
        _even_step(x, lone) for x, lone in zip(geometry.positions[1:], geometry.lone_steps[1:], strict=True)
    ]
    if not np.isfinite(steps).all() or 0 in steps:
        return math.nan
    down, across = steps
    # A shear lets spheres reach further along rows and columns by what lies between slices; so bounds come from each pair.
    cuts = []
    margin = PEAK_RADIUS * (1 + float(np.abs(geometry.direction.T @ geometry.direction - np.eye(3)).max()))
    for cut, n, step in zip(piece.box[1:], geometry.shape[1:], steps, strict=True):
        reach = math.ceil(margin / abs(step)) + 1
        cuts.append((max(0, cut.start - reach), min(n, cut.stop + reach), reach))
    (top, bottom, far_r), (left, right, far_c) = cuts
    along = geometry.slice
    near = np.flatnonzero(
        (along >= along[piece.box[0]].min() - PEAK_RADIUS)
        & (along <= along[piece.box[0]].max() + PEAK_RADIUS)
    )
    # Running sums along each line, so that a row of a sphere is one difference; beyond the volume nothing is added.
    around = np.asarray(
        values[near[0] - start : near[-1] + 1 - start, top:bottom, left:right], dtype=np.float64
    )
    known = np.isfinite(around)
    pad = ((0, 0), (far_r, far_r), (far_c + 1, far_c))
    sums = np.pad(np.where(known, around, 0), pad).cumsum(axis=2)
    counts = np.pad(known, pad).cumsum(axis=2, dtype=np.int32)
    shift = piece.box[1].start - top + far_r, piece.box[2].start - left + far_c + 1
    best = -math.inf
    for k, plane in enumerate(piece.inside):
        rows, columns = (at + by for at, by in zip(np.nonzero(plane), shift, strict=True))
        total, voxels = np.zeros(rows.size), np.zeros(rows.size, np.int32)
        here = along[piece.box[0].start + k]
        for other in near[np.abs(along[near] - here) <= PEAK_RADIUS]:
            added, counted = sums[other - near[0]], counts[other - near[0]]
            for di in range(-far_r, far_r + 1):
                run = _row_of_sphere(along[other] - here, di * down, across, geometry)
                if run is None:
                    continue
                last, before = (rows + di, columns + run[1]), (rows + di, columns + run[0] - 1)
                total += added[last] - added[before]
                voxels += counted[last] - counted[before]
        if voxels.any():
            best = max(best, float((total[voxels > 0] / voxels[voxels > 0]).max()))
    return best if best > -math.inf else math.nan


def _row_of_sphere(ds: float, dr: float, step: float, geometry: Geometry) -> tuple[int, int] | None:
    """First and last column, counted from the centre, within the sphere, `ds` and `dr` mm along slice and row from it."""
    aside = ds * geometry.direction[:, 0] + dr * geometry.direction[:, 1]
    middle = -float(aside @ geometry.direction[:, 2])
    half2 = middle**2 - float(aside @ aside) + PEAK_RADIUS**2
    if half2 < 0:
        return None
    ends = sorted([(middle - math.sqrt(half2)) / step, (middle + math.sqrt(half2)) / step])
    first, last = math.ceil(ends[0] - 1e-9), math.floor(ends[1] + 1e-9)
    return (first, last) if first <= last else None


def _even_step(x: FloatArray, lone: float) -> float:
    if x.size == 1:
        return abs(lone) if not math.isnan(lone) else 1e3  # no neighbour: one line is all there is
    gaps = np.diff(x)
    step = float(gaps.mean())
    return step if np.abs(gaps - step).max() <= 0.01 * abs(step) else math.nan
