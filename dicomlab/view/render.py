"""One frozen state -> one picture: the truth of every picture, in numpy alone.

Static figures, thumbnails and the browser all show what this module makes; the browser's JavaScript repeats
it in the same order of float64 operations, and golden arrays hold the two together.
"""

from __future__ import annotations

import io
import math

import numpy as np
import numpy.typing as npt
import xarray as xr
from PIL import Image

from dicomlab.view.grid import Grid
from dicomlab.view.state import SliceState
from dicomlab.windowing import AnyWindow, apply_window

__all__ = ["grey", "picture", "picture_extent", "picture_values", "png"]

_Floats = npt.NDArray[np.float64]
_Indexes = npt.NDArray[np.intp]


def grey(values: npt.ArrayLike, window: AnyWindow, invert: bool = False) -> npt.NDArray[np.uint8]:
    """Return the 8-bit shade of each value: ``floor(255 * y + 0.5)``, with y in [0, 1] from `apply_window`.

    NaN (no value, outside the volume) is shown like the lowest value: 0, or 255 when inverted.

    Parameters
    ----------
    values
        Array of any shape, in the units of the window.
    window
        The window to look through.
    invert
        Show low values white: ``255 - grey``.
    """
    y = apply_window(values, window)
    shades = np.floor(np.where(np.isnan(y), 0.0, y) * 255.0 + 0.5).astype(np.uint8)
    return 255 - shades if invert else shades


def picture(volume: xr.DataArray | Grid, state: SliceState) -> npt.NDArray[np.uint8]:
    """Return the picture of one plane as (height, width) grey, in square pixels of ``state.pixel_mm``."""
    return grey(picture_values(volume, state), state.window, state.invert)


def picture_values(volume: xr.DataArray | Grid, state: SliceState) -> _Floats:
    """Return the values under each pixel of the picture, before windowing.

    Every voxel covers the millimetres up to half way to its neighbours, so that uneven slices keep their true
    places. Interpolation comes before windowing. Where two neighbours agree or a pixel centre is a voxel
    centre, the value is exactly that of the voxel.

    Parameters
    ----------
    volume
        A volume, or the grid made from it.
    state
        Which plane, where, how fine.

    Returns
    -------
    numpy.ndarray
        float64 (height, width) in the units of the volume; NaN where the picture holds no voxel.
    """
    grid = volume if isinstance(volume, Grid) else Grid.from_volume(volume)
    view, index = state.view, state.index
    top, bottom, left, right = picture_extent(grid, state)
    height, width = round((bottom - top) / state.pixel_mm), round((right - left) / state.pixel_mm)
    down_mm = top + (np.arange(height, dtype=np.float64) + 0.5) * state.pixel_mm
    right_mm = left + (np.arange(width, dtype=np.float64) + 0.5) * state.pixel_mm
    along_down, along_right = view.coordinates(grid, index, down_mm[:, None], right_mm[None, :])
    down_index, down_inside = _fractional_index(grid.axes[view.down], along_down)
    right_index, right_inside = _fractional_index(grid.axes[view.right], along_right)
    cut = view.cut(grid, index)
    values = (_nearest if state.interpolation == "nearest" else _linear)(cut, down_index, right_index)
    return np.where(down_inside & right_inside, values, np.nan)


def picture_extent(volume: xr.DataArray | Grid, state: SliceState) -> tuple[float, float, float, float]:
    """Return where the picture's edges are on the screen axes: top, bottom, left, right in mm.

    The screen axes are `PlaneView.down_vector` and `PlaneView.right_vector`; the numbers are projections of
    LPS positions on them, and bottom - top and right - left are whole numbers of pixels.
    """
    grid = volume if isinstance(volume, Grid) else Grid.from_volume(volume)
    top, bottom, left, right = state.view.extent(grid, state.index)
    height = max(1, math.floor((bottom - top) / state.pixel_mm + 0.5))
    width = max(1, math.floor((right - left) / state.pixel_mm + 0.5))
    return top, top + height * state.pixel_mm, left, left + width * state.pixel_mm


def _fractional_index(axis: _Floats, at: _Floats) -> tuple[_Floats, npt.NDArray[np.bool_]]:
    """Return the index (1.5 is half way from voxel 1 to 2) of coordinates in mm, and which are in a voxel."""
    ascending = axis.size < 2 or axis[-1] > axis[0]
    line = axis if ascending else axis[::-1]
    lower = (line[1] - line[0]) / 2 if line.size > 1 else 0.5
    upper = (line[-1] - line[-2]) / 2 if line.size > 1 else 0.5
    inside = (at >= line[0] - lower - 1e-6) & (at <= line[-1] + upper + 1e-6)
    found = np.interp(at, line, np.arange(line.size, dtype=np.float64))
    if not ascending:
        found = (line.size - 1) - found
    # Rounding of millimetres must not mix a thousandth of the neighbour into a pixel that is one voxel.
    whole = np.floor(found + 0.5)
    return np.where(np.abs(found - whole) < 1e-6, whole, found), inside


def _nearest(cut: npt.NDArray[np.generic], down: _Floats, right: _Floats) -> _Floats:
    rows = np.minimum(np.floor(down + 0.5).astype(np.intp), cut.shape[0] - 1)
    columns = np.minimum(np.floor(right + 0.5).astype(np.intp), cut.shape[1] - 1)
    return np.asarray(cut[rows, columns], dtype=np.float64)


def _linear(cut: npt.NDArray[np.generic], down: _Floats, right: _Floats) -> _Floats:
    values = cut.astype(np.float64)
    row, next_row, down_part = _neighbours(down)
    column, next_column, right_part = _neighbours(right)
    above_left, above_right = values[row, column], values[row, next_column]
    below_left, below_right = values[next_row, column], values[next_row, next_column]
    above = _between(above_left, above_right, right_part)
    below = _between(below_left, below_right, right_part)
    return _between(above, below, down_part)


def _between(first: _Floats, second: _Floats, part: _Floats) -> _Floats:
    # Infinity minus itself is no number, and an infinitely bright voxel would be drawn black.
    with np.errstate(invalid="ignore"):
        mixed = first + part * (second - first)
    return np.where((first == second) | (np.isinf(first) & np.isfinite(second)), first, mixed)


def _neighbours(index: _Floats) -> tuple[_Indexes, _Indexes, _Floats]:
    """Return the voxel before, the voxel after and the way between them; one voxel twice where the way is 0.

    The latter keeps a NaN neighbour out of a pixel that does not touch it.
    """
    before = np.floor(index)
    part = index - before
    first = before.astype(np.intp)
    return first, first + (part > 0), part


def png(array: npt.NDArray[np.uint8]) -> bytes:
    """Return (height, width) grey or (height, width, 3) colour bytes as a PNG file without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
