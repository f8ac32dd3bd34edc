"""Still pictures of volumes by matplotlib, for papers, reports and places without widgets.

The grey values come from `dicomlab.view.render`; matplotlib only places them. The data coordinates of each
panel are mm on the screen axes (for a plain axial slice: LPS x to the right and y downwards), so that
anything drawn on top is in true places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from dicomlab.errors import GeometryError
from dicomlab.view.grid import DIMS, Grid
from dicomlab.view.render import grey, picture, picture_extent
from dicomlab.view.state import (
    PLANES,
    Interpolation,
    PlaneName,
    SliceState,
    choose_index,
    finest_pixel,
    initial_state,
    plane_views,
)
from dicomlab.windowing import WindowLike

__all__ = ["PLANE_COLOURS", "montage", "orthoview", "show"]

PLANE_COLOURS: dict[PlaneName, str] = {"axial": "#ff5449", "sagittal": "#ffd21f", "coronal": "#3ddc6b"}

_SMALL, _NORMAL, _LETTER = 8.0, 9.0, 11.0  # points
_OUTLINE = [withStroke(linewidth=2.0, foreground="black")]


class _PictureFigure(Figure):
    """A pyplot figure that a notebook shows once, also when it is what a cell returns.

    The inline backend shows every open figure at the end of a cell. Without this, the figure would appear a
    second time as the value of the cell's last line.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt

        waiting = getattr(self, "number", None) in plt.get_fignums()
        if not (waiting and "inline" in matplotlib.get_backend() and plt.isinteractive()):
            raise NotImplementedError  # IPython then shows it in the ordinary way.


def show(
    volume: xr.DataArray,
    *,
    plane: PlaneName | None = None,
    index: int | None = None,
    position: float | npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: Interpolation = "linear",
    ax: Axes | None = None,
) -> Axes:
    """Return matplotlib axes with one plane of a volume in true proportions, radiological layout.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column), or a plane cut from one (``volume.isel(slice=3)``).
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``: the planes of voxels nearest to it. None for the plane
        of acquisition.
    index
        Which slice, as a voxel index along the cut axis. The middle one if neither this nor `position` is
        given.
    position
        Which slice, as a patient position (x, y, z) in LPS mm, or as mm along the cut axis.
    window
        Name of a preset (``"lung"``), a `Window`, ``(center, width)`` or ``"auto"``; None for the file's
        window.
    invert
        Show low values white. None for what is customary: MONOCHROME1 and PET, in grey.
    cmap
        Name of a matplotlib colour map.
    interpolation
        ``"linear"``, or ``"nearest"`` to see the voxels.
    ax
        Axes to draw into; None for a new figure.

    Raises
    ------
    GeometryError
        This is no volume, or the plane or slice is not in it.
    WindowError
        There is no such window.

    References
    ----------
    PS3.3 C.11.2.1.2 (window), C.7.6.1.1.1 (letters at the edges).
    """
    grid = Grid.from_volume(volume)
    state = initial_state(
        grid,
        plane,
        index=index,
        position=position,
        window=window,
        invert=_inversion(invert, cmap),
        interpolation=interpolation,
    )
    if ax is None:
        height, width = _size_mm(grid, state)
        scale = min(5.4 / width, 4.8 / height)
        page = _Page(max(width * scale, 1.5) + 0.95, height * scale + 0.66)
        ax = page.axes(0.1, 0.56, width * scale, height * scale)
    _draw(ax, grid, state, cmap, pixels=640)
    _letters(ax, state, _LETTER)
    _scale_bar(ax)
    _colour_bar(ax.inset_axes((1.02, 0.0, 0.03, 1.0)), grid, state, cmap)
    lines = [_description(grid), f"{_place(grid, state)}   {_window_text(grid, state)}"]
    ax.set_title("\n".join(filter(None, lines)), loc="left", fontsize=_NORMAL, parse_math=False)
    return ax


def montage(
    volume: xr.DataArray,
    *,
    count: int = 12,
    columns: int | None = None,
    indexes: Sequence[int] | None = None,
    plane: PlaneName | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: Interpolation = "linear",
) -> Figure:
    """Return a matplotlib figure with several parallel planes of a volume side by side, in one window.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column).
    count
        How many planes, spread evenly over the volume, in rising index.
    columns
        How many panels in a row; None for a page in landscape.
    indexes
        Which planes, instead of an even spread.
    plane, window, invert, cmap, interpolation
        As in `show`.

    Raises
    ------
    GeometryError
        This is no volume, or a plane is not in it.
    WindowError
        There is no such window.
    """
    grid = Grid.from_volume(volume)
    if count < 1 or (columns is not None and columns < 1) or (indexes is not None and len(indexes) == 0):
        raise GeometryError(f"A montage needs at least one plane and one column; found {count=}, {columns=}.")
    first = initial_state(
        grid, plane, window=window, invert=_inversion(invert, cmap), interpolation=interpolation
    )
    total = grid.shape[first.view.axis]
    if indexes is None:
        shown = min(count, total)
        # The middle of each of `shown` equal parts: the outermost slices are usually empty.
        indexes = [int((number + 0.5) * total / shown) for number in range(shown)]
    states = [replace(first, index=choose_index(grid, first.view, index)) for index in indexes]
    height, width = (max(sizes) for sizes in zip(*(_size_mm(grid, state) for state in states), strict=True))
    columns = min(columns or math.ceil(math.sqrt(1.5 * len(states) * height / width)), len(states))
    rows = math.ceil(len(states) / columns)
    gap = 0.04
    scale = min((9.0 / columns - gap) / width, 3.2 / height)
    step_right, step_down = width * scale + gap, height * scale + gap
    page = _Page(columns * step_right + 0.95, rows * step_down + 0.45)
    for number, state in enumerate(states):
        row, column = divmod(number, columns)
        ax = page.axes(0.1 + column * step_right, 0.38 + row * step_down, step_right - gap, step_down - gap)
        _draw(ax, grid, state, cmap, pixels=320)
        place = f"{state.index}   {grid.axes[state.view.axis][state.index]:.1f} mm"
        _inside(ax, 0.02, 0.985, place, _SMALL, ha="left", va="top")
        _letters(ax, state, _SMALL, edges="left bottom")
    _scale_bar(ax)
    bar_height = min(rows * step_down - gap, 4.0)
    bar = page.axes(0.1 + columns * step_right + 0.06, 0.38, 0.13, bar_height)
    _colour_bar(bar, grid, first, cmap)
    what = f"{first.view.name}   {DIMS[first.view.axis]} {indexes[0]} to {indexes[-1]} of 0–{total - 1}"
    page.header(_description(grid), what, _window_text(grid, first))
    return page.figure


def orthoview(
    volume: xr.DataArray,
    *,
    position: npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: Interpolation = "linear",
    crosshair: bool = True,
) -> Figure:
    """Return a matplotlib figure with the axial, sagittal and coronal plane through one position, on one scale.

    Frames and crosshair lines bear the colour of the plane they stand for: axial red, sagittal yellow,
    coronal green.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column).
    position
        Patient position (x, y, z) in LPS mm; None for the middle voxel. Each panel shows the planes of voxels
        nearest to it.
    window, invert, cmap, interpolation
        As in `show`.
    crosshair
        Draw the lines where the other two planes cut each panel.

    Raises
    ------
    GeometryError
        This is no volume, or the position is outside it.
    WindowError
        There is no such window.
    """
    grid = Grid.from_volume(volume)
    if grid.missing:
        axes = " and ".join(DIMS[axis] for axis in grid.missing)
        raise GeometryError(f"Three planes were asked for; the volume was cut at one {axes}. Give it uncut.")
    if position is None:
        place = np.array([line[line.size // 2] for line in grid.axes])
    else:
        place = grid.coordinates(position)
    first = initial_state(grid, window=window, invert=_inversion(invert, cmap), interpolation=interpolation)
    views = plane_views(grid.direction)
    states = [
        replace(
            first,
            view=views[name],
            index=grid.nearest_index(views[name].axis, float(place[views[name].axis])),
            pixel_mm=finest_pixel(grid, views[name]),
        )
        for name in PLANES
    ]
    sizes = [_size_mm(grid, state) for state in states]
    gap, top = 0.12, 0.78
    tallest = max(height for height, _ in sizes)
    scale = min((10.0 - 2 * gap) / sum(width for _, width in sizes), 4.6 / tallest)
    page = _Page(sum(width for _, width in sizes) * scale + 2 * gap + 0.95, tallest * scale + top + 0.1)
    left = 0.1
    for state, (height, width) in zip(states, sizes, strict=True):
        ax = page.axes(left, top, width * scale, height * scale)
        left += width * scale + gap
        _draw(ax, grid, state, cmap, pixels=512)
        _letters(ax, state, _LETTER)
        colour = PLANE_COLOURS[state.view.name]
        for spine in ax.spines.values():
            spine.set(color=colour, linewidth=1.5)
        if crosshair:
            _crosshair(ax, grid, state, place)
        ax.set_title(_place(grid, state).replace("   ", "\n", 1), loc="left", fontsize=_SMALL)
    _scale_bar(ax)
    bar = page.axes(left - gap + 0.08, top, 0.13, sizes[-1][0] * scale)
    _colour_bar(bar, grid, first, cmap)
    x, y, z = grid.direction @ place
    page.header(_description(grid), f"LPS {x:.1f}, {y:.1f}, {z:.1f} mm", _window_text(grid, first))
    return page.figure


class _Page:
    """A new figure whose panels are placed in inches from its upper left corner, so that no space is wasted."""

    def __init__(self, width: float, height: float) -> None:
        import matplotlib.pyplot as plt

        self.width, self.height = width, height
        self.figure = plt.figure(FigureClass=_PictureFigure, figsize=(width, height), layout="none")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def header(self, *parts: str) -> None:
        self.figure.text(
            0.1 / self.width,
            1 - 0.1 / self.height,
            "   ".join(filter(None, parts)),
            ha="left",
            va="top",
            fontsize=_NORMAL,
            parse_math=False,
        )


def _draw(ax: Axes, grid: Grid, state: SliceState, cmap: str, pixels: int) -> None:
    """Draw the picture with its true borders; small pictures are interpolated to about `pixels` first."""
    longest = max(_size_mm(grid, state)) / state.pixel_mm
    fine = replace(state, pixel_mm=state.pixel_mm / max(1, math.ceil(pixels / longest)))
    top, bottom, left, right = picture_extent(grid, fine)
    ax.imshow(
        picture(grid, fine),
        cmap=cmap,
        vmin=0,
        vmax=255,
        extent=(left, right, bottom, top),
        origin="upper",
        aspect="equal",
        interpolation="antialiased",
    )
    ax.set(facecolor="black", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set(color="black", linewidth=0.5)


def _letters(ax: Axes, state: SliceState, size: float, edges: str = "left right top bottom") -> None:
    places = {
        "left": (0.015, 0.5, "left", "center"),
        "right": (0.985, 0.5, "right", "center"),
        "top": (0.5, 0.985, "center", "top"),
        "bottom": (0.5, 0.015, "center", "bottom"),
    }
    for letters, (edge, (x, y, ha, va)) in zip(state.view.letters, places.items(), strict=True):
        if edge in edges.split():
            _inside(ax, x, y, letters, size, ha=ha, va=va, fontweight="bold")


def _inside(ax: Axes, x: float, y: float, text: str, size: float, **style: Any) -> None:
    """Write on the picture: white with a black outline, as it may be bright there."""
    ax.text(x, y, text, transform=ax.transAxes, color="white", fontsize=size, path_effects=_OUTLINE, **style)


def _scale_bar(ax: Axes) -> None:
    """Draw a bar of 1, 2 or 5 times a power of ten mm, at most a third as wide as the panel, at its lower right."""
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    length = _round_length((right - left) / 3)
    x, y = right - 0.03 * (right - left), bottom + 0.035 * (top - bottom)
    for width, colour in ((4.0, "black"), (2.0, "white")):
        ax.plot((x - length, x), (y, y), color=colour, linewidth=width, solid_capstyle="butt")
    text_x = (x - length / 2 - left) / (right - left)
    _inside(ax, text_x, 0.05, f"{length:g} mm", _SMALL, ha="center", va="bottom")
    ax.set(xlim=(left, right), ylim=(bottom, top))


def _round_length(most: float) -> float:
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)


def _colour_bar(ax: Axes, grid: Grid, state: SliceState, cmap: str) -> None:
    """Draw how each value of the window is shown; the scale is in the units of the volume."""
    window = state.window
    # A sigmoid goes on beyond its width; twice the width shows it from 2 to 98 %.
    half = window.width if window.function == "SIGMOID" else window.width / 2
    low, high = window.center - half, window.center + half
    shades = grey(np.linspace(high, low, 256)[:, None], window, state.invert)
    ax.imshow(shades, cmap=cmap, vmin=0, vmax=255, extent=(0, 1, low, high), aspect="auto")
    ax.yaxis.tick_right()
    ax.locator_params(axis="y", nbins=6)
    ax.tick_params(labelsize=_SMALL, length=2, pad=2)
    ax.set_xticks([])
    for spine in ax.spines.values():
        spine.set_linewidth(0.5)
    ax.set_title(str(grid.attrs.get("units", "")), fontsize=_SMALL, loc="left", pad=4, parse_math=False)


def _crosshair(ax: Axes, grid: Grid, state: SliceState, place: npt.NDArray[np.float64]) -> None:
    """Draw where the other two planes cut this one, in their colours, with a gap around the position itself."""
    for other in plane_views(grid.direction).values():
        if other.axis == state.view.axis:
            continue
        along = next(axis for axis in (state.view.down, state.view.right) if axis != other.axis)
        ends = []
        for end in grid.edges(along)[[0, -1]]:
            corner = place.copy()
            corner[state.view.axis] = grid.axes[state.view.axis][state.index]
            middle = state.view.screen(grid, corner)
            corner[along] = end
            ends.append((middle, state.view.screen(grid, corner)))
        for middle, end_place in ends:
            start = tuple(m + 0.12 * (e - m) for m, e in zip(middle, end_place, strict=True))
            ax.plot(
                (start[1], end_place[1]),
                (start[0], end_place[0]),
                color=PLANE_COLOURS[other.name],
                linewidth=0.9,
            )


def _size_mm(grid: Grid, state: SliceState) -> tuple[float, float]:
    top, bottom, left, right = picture_extent(grid, state)
    return bottom - top, right - left


def _inversion(invert: bool | None, cmap: str) -> bool | None:
    """Return what to invert: custom speaks of grey only, a colour map that was chosen is left as it is."""
    return False if invert is None and cmap != "gray" else invert


def _description(grid: Grid) -> str:
    text = " ".join(str(grid.attrs.get("SeriesDescription") or "").split())
    return text if len(text) <= 60 else text[:59] + "…"


def _place(grid: Grid, state: SliceState) -> str:
    """Return plane, index (as numpy counts, hence with its range) and mm along the cut axis."""
    axis = state.view.axis
    mm = f"{grid.axes[axis][state.index]:.1f} mm"
    if axis in grid.missing:
        return f"{state.view.name}   {mm}"
    return f"{state.view.name}   {DIMS[axis]} {state.index} of 0–{grid.shape[axis] - 1}   {mm}"


def _window_text(grid: Grid, state: SliceState) -> str:
    return f"W {state.window.width:.5g}  L {state.window.center:.5g} {grid.attrs.get('units', '')}".strip()
