"""What static figures are made of: a page, the panels on it, and what is written on a panel."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from dicomlab.geometry import AXES
from dicomlab.view.cut import Cut
from dicomlab.view.grid import Grid
from dicomlab.view.overlaid import Overlaid
from dicomlab.view.plane import dot
from dicomlab.view.shade import grey
from dicomlab.view.state import PlaneName, patient_side, plane_text

__all__ = [
    "LETTER",
    "NORMAL",
    "PLANE_COLOURS",
    "SMALL",
    "Page",
    "bar_beside",
    "description",
    "draw_colour_bar",
    "draw_crosshair",
    "draw_letters",
    "draw_picture",
    "draw_scale_bar",
    "millimetres",
    "place_text",
    "side_text",
    "size_mm",
    "window_text",
    "write_fitting_title",
    "write_inside",
    "write_narrow_title",
]

PLANE_COLOURS: dict[PlaneName, str] = {"axial": "#ff5449", "sagittal": "#ffd21f", "coronal": "#3ddc6b"}

SMALL, NORMAL, LETTER = 8.0, 9.0, 11.0  # points


def _ink(cut: Cut, width: float = 2.0) -> dict[str, Any]:
    """Return colours for writing on a picture: unlike its background, with an outline for the rest."""
    ink, outline = ("black", "white") if cut.invert else ("white", "black")
    return {"color": ink, "path_effects": [withStroke(linewidth=width, foreground=outline)]}


class _PictureFigure(Figure):
    """A pyplot figure that a notebook shows once, also when it is what a cell returns.

    The inline backend shows every open figure at the end of a cell. Without this, the figure would appear a
    second time as the value of the cell's last line: what has been shown once is closed, hence not shown
    again.
    """

    def _ipython_display_(self) -> None:
        import matplotlib.pyplot as plt

        if "inline" in matplotlib.get_backend():
            plt.close(self)
        raise NotImplementedError  # IPython then goes on to show the figure in the ordinary way.


class Page:
    """A new figure whose panels are placed in inches from its upper left corner, to waste no space."""

    def __init__(self, width: float, height: float) -> None:
        import matplotlib.pyplot as plt

        self.width, self.height = width, height
        self.figure = plt.figure(FigureClass=_PictureFigure, figsize=(width, height), layout="none")

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return new axes in a box given in inches."""
        bottom = self.height - top - height
        box = (left / self.width, bottom / self.height, width / self.width, height / self.height)
        return self.figure.add_axes(box)

    def header(self, *parts: str) -> None:
        """Write one line over everything."""
        self.figure.text(
            0.1 / self.width,
            1 - 0.1 / self.height,
            "   ".join(filter(None, parts)),
            ha="left",
            va="top",
            fontsize=NORMAL,
            parse_math=False,
        )


def size_mm(cut: Cut) -> tuple[float, float]:
    """Return height and width of a picture in mm."""
    top, bottom, left, right = cut.extent()
    return bottom - top, right - left


def draw_picture(
    ax: Axes,
    cut: Cut,
    cmap: str,
    pixels: int,
    colours: Sequence[Grid] = (),
    masks: Overlaid | None = None,
) -> None:
    """Draw the picture with its true borders; a small one is interpolated to about `pixels` first.

    Red, green and blue of a picture in colour come as `colours`, on the grid; what lies over it as `masks`.
    """
    pixel = cut.finest / max(1, math.ceil(pixels / (max(size_mm(cut)) / cut.finest)))
    top, bottom, left, right = cut.extent(pixel)
    parts = [replace(cut, grid=one).picture(pixel) for one in colours]
    ax.imshow(
        np.stack(parts, axis=-1) if parts else cut.picture(pixel),
        cmap=cmap,
        vmin=0,
        vmax=255,
        extent=(left, right, bottom, top),
        origin="upper",
        aspect="equal",
        interpolation="antialiased",
    )
    if masks is not None:
        masks.draw(ax, cut, pixel)
    ax.set(facecolor="black", xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(True)
        spine.set(color="black", linewidth=0.5)


def write_inside(ax: Axes, cut: Cut, text: str, at: tuple[float, float], size: float, **style: Any) -> None:
    """Write on the picture at a fraction of the panel."""
    ax.text(at[0], at[1], text, transform=ax.transAxes, fontsize=size, parse_math=False, **_ink(cut), **style)


def draw_letters(ax: Axes, cut: Cut, size: float, edges: str = "left right top bottom") -> None:
    """Write the patient directions at the edges."""
    places = {
        "left": (0.015, 0.5, "left", "center"),
        "right": (0.985, 0.5, "right", "center"),
        "top": (0.5, 0.985, "center", "top"),
        "bottom": (0.5, 0.015, "center", "bottom"),
    }
    for letters, (edge, (x, y, ha, va)) in zip(cut.letters, places.items(), strict=True):
        if edge in edges.split():
            write_inside(ax, cut, letters, (x, y), size, ha=ha, va=va, fontweight="bold")


def draw_scale_bar(ax: Axes, cut: Cut) -> None:
    """Draw a bar of a round number of mm, at most a quarter as wide as the panel, at its lower right."""
    left, right = ax.get_xlim()
    bottom, top = ax.get_ylim()
    length = _round_length((right - left) / 4)
    end, y = right - 0.03 * (right - left), bottom + 0.03 * (top - bottom)
    ax.plot((end - length, end), (y, y), linewidth=2.0, solid_capstyle="butt", **_ink(cut, 4.0))
    ax.annotate(
        f"{length:g} mm",
        (end - length / 2, y),
        xytext=(0, 2.5),
        textcoords="offset points",
        ha="center",
        va="bottom",
        fontsize=SMALL,
        **_ink(cut),
    )
    ax.set(xlim=(left, right), ylim=(bottom, top))


def _round_length(most: float) -> float:
    """Return 1, 2 or 5 times a power of ten, as large as allowed."""
    power = 10.0 ** math.floor(math.log10(most))
    return max(step * power for step in (1, 2, 5) if step * power <= most)


def draw_colour_bar(ax: Axes, cut: Cut, cmap: str) -> None:
    """Draw how each value of the window is shown; the scale is in the units of the volume."""
    window = cut.window
    low, high = window.span
    shades = grey(np.linspace(high, low, 256)[:, None], window, cut.invert)
    ax.imshow(shades, cmap=cmap, vmin=0, vmax=255, extent=(0, 1, low, high), aspect="auto")
    ax.yaxis.tick_right()
    ax.locator_params(axis="y", nbins=6)
    ax.tick_params(labelsize=SMALL, length=2, pad=2)
    ax.set_xticks([])
    for spine in ax.spines.values():
        spine.set_linewidth(0.5)
    units = str(cut.grid.attrs.get("units", ""))
    # Some scanners write a sentence, which has room only in the header.
    ax.set_title(units if len(units) < 9 else "", fontsize=SMALL, loc="left", pad=4, parse_math=False)


def draw_crosshair(ax: Axes, cut: Cut, position: Sequence[float]) -> None:
    """Draw where the other two planes through a position (LPS mm) cut this one, in their colours.

    The lines leave free what is looked at, the position itself, and the letters at the edges.
    """
    limits = ax.axis()
    x, y = dot(cut.right, position), dot(cut.down, position)
    top, bottom, left, right = cut.extent()
    for name, heading in cut.basis.heading.items():
        if name == cut.name:
            continue
        # Planes of one volume stand at right angles: the other one is upright here, or lies.
        upright = abs(dot(heading, cut.right)) > 0.5
        at, ends = (y, (top, bottom)) if upright else (x, (left, right))
        for border in ends:
            line = [at + part * (border - at) for part in (0.12, 0.92)]
            places = ((x, x), line) if upright else (line, (y, y))
            ax.plot(*places, color=PLANE_COLOURS[name], linewidth=0.9)
    ax.axis(limits)


def description(grid: Grid) -> str:
    """Return the Series Description on one line, shortened."""
    text = " ".join(str(grid.attrs.get("SeriesDescription") or "").split())
    return text if len(text) <= 60 else text[:59] + "…"


def place_text(cut: Cut, separator: str = "   ") -> str:
    """Return the plane, its number, in brackets its index, and where it is in the patient."""
    name = plane_text(cut.name, cut.basis.heading[cut.name])
    where = side_text(cut)
    if cut.axis not in cut.grid.missing:
        where = f"{AXES[cut.axis]} {cut.index + 1}/{cut.grid.shape[cut.axis]} [{cut.index}]   {where}"
    return f"{name}{separator}{where}"


def side_text(cut: Cut) -> str:
    """Return how far along its normal a plane is, with the side of the patient: "76.8 mm R"."""
    return patient_side(cut.basis.heading[cut.name], cut.mm)


def millimetres(value: float) -> str:
    """Return mm with one decimal, and no minus before zero."""
    return f"{round(float(value), 1) + 0.0:.1f}"


def window_text(cut: Cut) -> str:
    """Return width and level with their unit."""
    return f"{cut.window} {cut.grid.attrs.get('units', '')}".strip()


def write_narrow_title(ax: Axes, cut: Cut) -> None:
    """Write where and how on two lines that are no wider than axes which somebody else placed."""
    axis = cut.axis
    number = "" if axis in cut.grid.missing else f"   {AXES[axis]} {cut.index + 1}/{cut.grid.shape[axis]}"
    # What is nearest has no room here: a longer line would make all letters smaller.
    name = plane_text(cut.name, cut.basis.heading[cut.name]).partition(",")[0]
    lines = [name + number, f"{side_text(cut)}   {window_text(cut)}"]
    write_fitting_title(ax, "\n".join(lines))


def write_fitting_title(ax: Axes, text: str) -> None:
    """Write a title in letters so small that it does not run into that of the axes beside."""
    points = 72 * ax.bbox.width / ax.figure.dpi
    size = min(SMALL, max(5.0, points / (0.55 * max(map(len, text.split("\n"))))))
    ax.set_title(text, loc="left", fontsize=size, parse_math=False)


def bar_beside(ax: Axes) -> Axes:
    """Return axes for a colour bar, taken from the right edge of `ax`: its neighbours keep their room."""
    from mpl_toolkits.axes_grid1 import make_axes_locatable  # type: ignore[import-untyped]

    name = f"dicomlab-bar-{id(ax)}"
    for old in ax.figure.axes:  # of the last picture in the same axes
        if old.get_gid() == name:
            old.remove()
    bar: Axes = make_axes_locatable(ax).append_axes("right", size="4%", pad=0.05)
    bar.set_gid(name)
    return bar
