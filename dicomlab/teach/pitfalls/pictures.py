"""Two pictures beside each other, in mm: what the naive reading believes, and what is true."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from dicomlab.phantom import Sample
from dicomlab.teach.pitfalls.measure import Reading
from dicomlab.teach.pitfalls.pitfall import View

__all__ = ["draw"]

FloatArray = npt.NDArray[np.float64]

_BACK, _INK, _LINE = "#15191e", "#c9d1d9", "#e3b341"
_NAMES = {0: ("R", "L"), 1: ("A", "P"), 2: ("F", "H")}
_MOST_CELLS = 60_000


def draw(sample: Sample, naive: Reading | None, true: Reading, view: View, k: int, said: str = "") -> bytes:
    """Return both readings as one PNG, seen the same way and in the same shades.

    Parameters
    ----------
    sample
        Says in which directions the slices truly lie.
    naive, true
        What is shown; ``None`` where the naive reading stops, with `said` in its place.
    view
        What is shown.
    k
        Number of the slice for ``"slice"``.
    """
    u, v, names = _directions(sample, view)
    cuts = {id(reading): _cells(reading, view, k, u, v) for reading in (naive, true) if reading is not None}
    corners = np.concatenate([polygons.reshape(-1, 2) for polygons, _ in cuts.values()])
    tall, wide = (float(x) for x in np.ptp(corners, axis=0)[::-1])
    height = min(max(3.1 * tall / wide, 0.8), 2.7) + 0.75
    figure = Figure(figsize=(7.4, height), dpi=110, facecolor=_BACK)
    FigureCanvasAgg(figure)
    shades = _shades(sample, true)
    axes = figure.subplots(1, 2)
    figure.subplots_adjust(0.08, 0.48 / height, 0.985, 1 - 0.25 / height, wspace=0.22)
    for ax, reading, title in ((axes[0], naive, "read naively"), (axes[1], true, "as it is")):
        ax.set_facecolor("black")
        ax.set_title(title, color=_INK, fontsize=9)
        for spine in ax.spines.values():
            spine.set_color("#444c56")
        if reading is None:
            _write(ax, said)
            continue
        polygons, values = cuts[id(reading)]
        cells = PolyCollection(list(polygons), cmap="gray", antialiased=False, linewidth=0)
        cells.set_array(values)
        cells.set_clim(*shades)
        ax.add_collection(cells)
        if reading is not true and view != "slice":
            _outline(ax, cuts[id(true)][0])
        _frame(ax, corners, names, upwards=view != "slice")
    buffer = BytesIO()
    figure.savefig(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _shades(sample: Sample, true: Reading) -> tuple[float, float]:
    """Values shown black and white: soft tissue of a CT, else all but the extremes."""
    if sample.units == "HU":
        return -160.0, 240.0
    low, high = (float(x) for x in np.percentile(true.values, (1, 99.5)))
    return low, max(high, low + 1)


def _directions(sample: Sample, view: View) -> tuple[FloatArray, FloatArray, tuple[str, str]]:
    """Directions to the right and upwards (or down, of a slice) in the picture, and what they are called."""
    along = sample.column_step / np.linalg.norm(sample.column_step)
    down = sample.row_step / np.linalg.norm(sample.row_step)
    if view == "slice":
        return along, down, ("along the row (mm)", "down the column (mm)")
    across = down if view == "side" else along
    normal = np.cross(along, down)
    names = []
    found = []
    for direction in (across, normal):
        axis = int(np.argmax(np.abs(direction)))
        near = abs(direction[axis]) > 0.9
        found.append(np.eye(3)[axis] if near else direction)
        letters = _NAMES[axis]
        names.append(f"{letters[0]} to {letters[1]} (mm)" if near else "mm")
    return found[0], found[1], (names[0], names[1])


def _cells(reading: Reading, view: View, k: int, u: FloatArray, v: FloatArray) -> tuple[FloatArray, Any]:
    """Corners of every voxel of the cut, shape ``(n, 4, 2)`` in mm of the picture, and their values."""
    slices, rows, columns = reading.values.shape
    if view == "slice":
        k = min(k, slices - 1)
        step = max(1, int(np.ceil(np.sqrt(rows * columns / _MOST_CELLS))))
        i, j = (
            x.ravel()
            for x in np.meshgrid(np.arange(0, rows, step), np.arange(0, columns, step), indexing="ij")
        )
        centres = reading.origins[k] + i[:, None] * reading.row_step + j[:, None] * reading.column_step
        halves = reading.row_step * step / 2, reading.column_step * step / 2
        values = reading.values[k][i, j]
        signs = ((-1, -1), (-1, 1), (1, 1), (1, -1))
        corners = np.stack([centres + a * halves[0] + b * halves[1] for a, b in signs], axis=1)
    else:
        step_in, count, middle = (
            (reading.row_step, rows, columns // 2)
            if view == "side"
            else (reading.column_step, columns, rows // 2)
        )
        other = reading.column_step if view == "side" else reading.row_step
        s, t = (x.ravel() for x in np.meshgrid(np.arange(slices), np.arange(count), indexing="ij"))
        centres = reading.origins[s] + t[:, None] * step_in + middle * other
        below, above = _reach(reading)
        normal = _normal(reading)
        values = reading.values[s, t, middle] if view == "side" else reading.values[s, middle, t]
        lower, upper = -below[s, None] * normal, above[s, None] * normal
        sides = ((lower, -1), (lower, 1), (upper, 1), (upper, -1))
        corners = np.stack([centres + across + b * step_in / 2 for across, b in sides], axis=1)
    return np.stack([corners @ u, corners @ v], axis=-1), np.asarray(values, dtype=float)


def _normal(reading: Reading) -> FloatArray:
    normal = np.cross(reading.column_step, reading.row_step)
    return np.asarray(normal / np.linalg.norm(normal))


def _reach(reading: Reading) -> tuple[FloatArray, FloatArray]:
    """How far down and up each slice is drawn: half-way to its neighbours, but where slices are missing, that stays black."""
    heights = reading.origins @ _normal(reading)
    order = np.argsort(heights, kind="stable")
    gaps = np.diff(heights[order])
    gaps = np.where(gaps > 0.01, gaps, np.nan)
    usual = float(np.nanmedian(gaps)) if np.isfinite(gaps).any() else 1.0
    halves = np.where(gaps < 1.6 * usual, gaps, usual) / 2  # nothing is less than NaN
    below, above = np.empty(len(heights)), np.empty(len(heights))
    below[order], above[order] = np.append(usual / 2, halves), np.append(halves, usual / 2)
    return below, above


def _outline(ax: Any, polygons: FloatArray) -> None:
    """The edge of the true slices over what was read: where the anatomy should be."""
    rim = _hull(polygons.reshape(-1, 2))
    ax.plot(*np.vstack([rim, rim[:1]]).T, color=_LINE, linewidth=1.0, linestyle=(0, (4, 3)))


def _hull(points: FloatArray) -> FloatArray:
    """Corners of the convex hull, in order (Andrew's monotone chain)."""
    ordered = sorted(map(tuple, np.round(points, 3)))

    def half(sequence: Sequence[tuple[float, ...]]) -> list[tuple[float, ...]]:
        chain: list[tuple[float, ...]] = []
        for x, y in sequence:
            while len(chain) > 1:
                (ax, ay), (bx, by) = chain[-2], chain[-1]
                if (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0:
                    break
                chain.pop()
            chain.append((x, y))
        return chain[:-1]

    return np.array([*half(ordered), *half(ordered[::-1])])


def _frame(ax: Any, corners: FloatArray, names: tuple[str, str], *, upwards: bool) -> None:
    low, high = corners.min(axis=0), corners.max(axis=0)
    margin = 0.04 * float((high - low).max())
    ax.set_xlim(low[0] - margin, high[0] + margin)
    ends = (low[1] - margin, high[1] + margin)
    ax.set_ylim(*(ends if upwards else ends[::-1]))
    ax.set_aspect("equal")
    ax.set_xlabel(names[0], color=_INK, fontsize=8)
    ax.set_ylabel(names[1], color=_INK, fontsize=8)
    ax.tick_params(colors=_INK, labelsize=7)


def _write(ax: Any, said: str) -> None:
    """Why there is no picture, in its place."""
    ax.set_xticks([])
    ax.set_yticks([])
    text = "\n".join(textwrap.wrap(said, 42)[:9])
    ax.text(
        0.5,
        0.5,
        text,
        transform=ax.transAxes,
        ha="center",
        va="center",
        color=_INK,
        fontsize=8,
        parse_math=False,
    )
