"""Still pictures of volumes by matplotlib, for papers, reports and places without widgets.

The grey values come from `dicomlab.view.cut`; matplotlib only places them. The data coordinates of each
panel are mm on the screen axes (for a plain axial slice: LPS x to the right and y downwards), so that
anything drawn on top is in its true place.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dicomlab.errors import GeometryError
from dicomlab.flat import SAMPLE_BITS, eight_bits, is_flat
from dicomlab.geometry import AXES
from dicomlab.view.cut import Cut, first_cut
from dicomlab.view.flat import show_flat
from dicomlab.view.grid import Grid
from dicomlab.view.masks import MasksLike
from dicomlab.view.overlaid import Overlaid
from dicomlab.view.panels import (
    LETTER,
    NORMAL,
    PLANE_COLOURS,
    SMALL,
    Page,
    bar_beside,
    description,
    draw_colour_bar,
    draw_crosshair,
    draw_letters,
    draw_picture,
    draw_scale_bar,
    millimetres,
    place_text,
    side_text,
    size_mm,
    window_text,
    write_fitting_title,
    write_inside,
    write_narrow_title,
)
from dicomlab.view.sample import Interpolation
from dicomlab.view.state import PLANES, PlaneName, choose_voxel, plane_text
from dicomlab.windowing import Window, WindowLike

__all__ = ["montage", "orthoview", "show"]

# Inches around the panels: left and right of them (the latter with the colour bar), and between them.
_LEFT, _RIGHT, _GAP = 0.1, 0.85, 0.12


def show(
    volume: xr.DataArray,
    *,
    plane: PlaneName | None = None,
    index: int | None = None,
    position: float | npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: Interpolation | None = None,
    masks: MasksLike | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return matplotlib axes with one plane of a volume in true proportions, radiological layout.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column), or a plane cut from one (``volume.isel(slice=3)``); in colour with
        (…, sample). Or an image without a place in the patient, with dims (row, column) or (row, column, sample): it is
        shown as it is stored.
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
        ``"linear"``, or ``"nearest"`` to see the voxels; None for linear, and nearest in a mask.
    masks
        Drawn over the picture, with a legend: as for `browse`, on grids of their own if need be.
    ax
        Axes to draw into, whose right edge the colour bar takes; None for a new figure.

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
    if isinstance(volume, xr.DataArray) and is_flat(volume):
        if plane is not None or index is not None or position is not None:
            raise GeometryError(
                "an image without a place in the patient has one plane only: leave out plane, index and position"
            )
        if masks is not None:
            raise GeometryError(
                "masks lie in the patient, and this image has no place there: show it without"
            )
        return show_flat(volume, window=window, invert=invert, cmap=cmap, interpolation=interpolation, ax=ax)
    coloured = isinstance(volume, xr.DataArray) and volume.sizes.get("sample") == 3
    grid = Grid.from_volume(_without_colours(volume) if coloured else volume)
    cut = first_cut(
        grid,
        plane,
        index=index,
        position=position,
        window=_EVERY_COLOUR if coloured else window,
        invert=False if coloured else _inversion(invert, cmap),
        interpolation=interpolation,
    )
    colours = _colours(volume, cut) if coloured else []
    over = Overlaid(masks, grid)
    own = ax is None
    if ax is None:
        height, width = size_mm(cut)
        scale = min(5.4 / width, 4.8 / height)
        page = Page(_LEFT + max(width * scale, 2.0) + _RIGHT, height * scale + 0.66)
        ax = page.axes(_LEFT, 0.56, width * scale, height * scale)
    draw_picture(ax, cut, cmap, 640, colours, over)
    draw_letters(ax, cut, LETTER)
    draw_scale_bar(ax, cut)
    over.legend(ax)
    if colours:
        ax.set_title(f"{description(grid)}\n{place_text(cut)}", loc="left", fontsize=NORMAL, parse_math=False)
    elif own:
        draw_colour_bar(ax.inset_axes((1.02, 0.0, 0.03, 1.0)), cut, cmap)
        lines = [description(grid), f"{place_text(cut)}   {window_text(cut)}"]
        ax.set_title("\n".join(filter(None, lines)), loc="left", fontsize=NORMAL, parse_math=False)
    else:
        draw_colour_bar(bar_beside(ax), cut, cmap)
        write_narrow_title(ax, cut)
    return ax


_EVERY_COLOUR = Window(127.5, 255.0, "LINEAR_EXACT")
"""Colours of 8 bits have no window: each is shown as it is."""


def _without_colours(volume: xr.DataArray) -> xr.DataArray:
    """The grid of a volume in colour, with nothing on it: what is shown of it is read later, and no more."""
    bare = volume.isel(sample=0, drop=True)
    return bare.copy(data=np.broadcast_to(np.zeros((), np.uint8), bare.shape))


def _colours(volume: xr.DataArray, cut: Cut) -> list[Grid]:
    """Red, green and blue, 8 bits each, of the one plane that is shown."""
    axis = AXES[cut.axis]
    there = [name for name in AXES if name in volume.dims]
    one = {axis: [cut.index]} if axis in there and not cut.leans else {}
    plane = volume.variable.isel(one).transpose(*there, "sample")
    shown = eight_bits(plane.values, int(volume.attrs.get(SAMPLE_BITS, 16)))
    shape = tuple(plane.sizes.get(name, 1) for name in AXES)
    return [
        replace(
            cut.grid, values=xr.Variable(AXES, np.broadcast_to(shown[..., k].reshape(shape), cut.grid.shape))
        )
        for k in range(3)
    ]


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
    interpolation: Interpolation | None = None,
    masks: MasksLike | None = None,
) -> Figure:
    """Return a matplotlib figure with several parallel planes of a volume side by side, in one window.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column).
    count
        How many planes, spread evenly over the volume, in rising index.
    columns
        How many panels in a row; None for a page in landscape with few gaps.
    indexes
        Which planes, instead of an even spread.
    plane, window, invert, cmap, interpolation, masks
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
        raise GeometryError(
            "A montage was asked for without a plane or a column; it needs at least one of each."
        )
    first = first_cut(
        grid, plane, window=window, invert=_inversion(invert, cmap), interpolation=interpolation
    )
    axis = first.axis
    total = grid.shape[axis]
    if indexes is None:
        shown = min(count, total)
        # The middle of each of `shown` equal parts: the outermost slices are usually empty.
        indexes = [int((number + 0.5) * total / shown) for number in range(shown)]
    cuts = [replace(first, voxel=choose_voxel(grid, axis, index)) for index in indexes]
    height, width = size_mm(first)
    columns = min(columns or _columns(len(cuts), height / width), len(cuts))
    rows = math.ceil(len(cuts) / columns)
    gap = 0.04
    scale = min((9.0 / columns - gap) / width, 3.2 / height)
    step_right, step_down = width * scale + gap, height * scale + gap
    top = 0.38
    page = Page(_LEFT + columns * step_right + _RIGHT, top + rows * step_down + 0.06)
    over = Overlaid(masks, grid)
    for number, cut in enumerate(cuts):
        row, column = divmod(number, columns)
        ax = page.axes(_LEFT + column * step_right, top + row * step_down, step_right - gap, step_down - gap)
        draw_picture(ax, cut, cmap, pixels=320, masks=over)
        text = f"[{cut.index}]   {side_text(cut)}"
        write_inside(ax, cut, text, (0.02, 0.98), SMALL, ha="left", va="top")
        draw_letters(ax, cut, SMALL, edges="left bottom")
    draw_scale_bar(ax, first)
    over.legend(page.figure.axes[0])
    bar = page.axes(_LEFT + columns * step_right + 0.06, top, 0.13, min(rows * step_down - gap, 4.0))
    draw_colour_bar(bar, first, cmap)
    name = plane_text(first.name, first.basis.heading[first.name])
    which = f"{name}   {AXES[axis]} [{cuts[0].index}] to [{cuts[-1].index}] of {total}"
    page.header(description(grid), which, window_text(first))
    return page.figure


def _columns(count: int, height_to_width: float) -> int:
    """Return a number of columns that leaves few empty places on a page about 3 wide and 2 high."""
    ideal = math.sqrt(1.5 * count * height_to_width)
    around = range(max(1, math.floor(ideal * 0.75)), math.ceil(ideal * 1.35) + 1)
    return min(around, key=lambda columns: (-count % columns, abs(columns - ideal)))


def orthoview(
    volume: xr.DataArray,
    *,
    position: npt.ArrayLike | None = None,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: Interpolation | None = None,
    masks: MasksLike | None = None,
    crosshair: bool = True,
) -> Figure:
    """Return a matplotlib figure with the axial, sagittal and coronal plane of one position, on one scale.

    Frames and crosshair lines bear the colour of the plane they stand for: axial red, sagittal yellow,
    coronal green.

    Parameters
    ----------
    volume
        A volume with dims (slice, row, column).
    position
        Patient position (x, y, z) in LPS mm; None for the middle voxel. Each panel shows the plane of voxels
        nearest to it.
    window, invert, cmap, interpolation, masks
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
        axes = " and ".join(AXES[axis] for axis in grid.missing)
        raise GeometryError(f"Three planes were asked for; the volume was cut at one {axes}. Give it uncut.")
    first = first_cut(grid, window=window, invert=_inversion(invert, cmap), interpolation=interpolation)
    place: Sequence[float] = first.position
    cuts = [replace(first, name=name) for name in PLANES]
    if position is not None:
        voxels = [choose_voxel(grid, cut.axis, position=position) for cut in cuts]
        cuts = [replace(cut, voxel=voxel) for cut, voxel in zip(cuts, voxels, strict=True)]
        place = [float(mm) for mm in np.asarray(position, dtype=np.float64)]
    boxes = _three_panels([size_mm(cut) for cut in cuts])
    page = Page(
        _LEFT + max(left + width for left, _, width, _ in boxes) + _RIGHT,
        0.36 + max(top + height for _, top, _, height in boxes) + 0.1,
    )
    over = Overlaid(masks, grid)
    for cut, (left, top, width, height) in zip(cuts, boxes, strict=True):
        ax = page.axes(_LEFT + left, 0.36 + top, width, height)
        draw_picture(ax, cut, cmap, pixels=512, masks=over)
        draw_letters(ax, cut, LETTER)
        for spine in ax.spines.values():
            spine.set(color=PLANE_COLOURS[cut.name], linewidth=1.5)
        if crosshair:
            draw_crosshair(ax, cut, place)
        write_fitting_title(ax, place_text(cut, "\n"))
    draw_scale_bar(page.figure.axes[0], cuts[0])
    over.legend(page.figure.axes[0])
    outer_left, outer_top, outer_width, outer_height = max(boxes, key=lambda box: (box[0] + box[2], -box[1]))
    bar = page.axes(_LEFT + outer_left + outer_width + 0.08, 0.36 + outer_top, 0.13, outer_height)
    draw_colour_bar(bar, first, cmap)
    position_text = ", ".join(millimetres(value) for value in place)
    page.header(description(grid), f"LPS {position_text} mm", window_text(first))
    return page.figure


_Box = tuple[float, float, float, float]


def _three_panels(sizes_mm: list[tuple[float, float]]) -> list[_Box]:
    """Return the boxes (left, top, width, height, in inches) of axial, sagittal and coronal.

    All in a row, or sagittal and coronal above each other, whichever shows them larger: thin stacks of slices
    are low in these two.
    """
    (high_a, wide_a), (high_s, wide_s), (high_c, wide_c) = sizes_mm
    title, widest, highest = 0.38, 10.0, 5.0
    row = min(
        (widest - 2 * _GAP) / (wide_a + wide_s + wide_c), (highest - title) / max(high_a, high_s, high_c)
    )
    pile = min(
        (widest - _GAP) / (wide_a + max(wide_s, wide_c)),
        (highest - title) / high_a,
        (highest - 2 * title - _GAP) / (high_s + high_c),
    )
    scale = max(row, pile)
    left_s = wide_a * scale + _GAP
    left_c, top_c = left_s + wide_s * scale + _GAP, title
    if pile > row:
        left_c, top_c = left_s, title + high_s * scale + _GAP + title
    places = [(0.0, title), (left_s, title), (left_c, top_c)]
    return [
        (left, top, width * scale, height * scale)
        for (left, top), (height, width) in zip(places, sizes_mm, strict=True)
    ]


def _inversion(invert: bool | None, cmap: str) -> bool | None:
    """Return what to invert: custom speaks of grey only, a colour map that was chosen is left as it is."""
    return False if invert is None and cmap != "gray" else invert
