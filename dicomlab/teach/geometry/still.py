"""The geometry explorer as a picture that needs no script."""

from __future__ import annotations

import colorsys
import io
import itertools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Polygon
from PIL import Image

from dicomlab.errors import GeometryError
from dicomlab.teach.geometry.planes import SetPlane, Setting, directions

if TYPE_CHECKING:
    from dicomlab.teach.geometry.explorer import GeometryExplorer

__all__ = ["camera", "draw"]

FloatArray = npt.NDArray[np.float64]

_MOST = 40
_COLOURS = {"column": "#c93c37", "row": "#1f883d", "slice": "#2563c9", "origin": "#9a6700"}


def camera(azimuth: float, elevation: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the LPS directions to the right of the screen, up it and away from who looks (``js/geometry/camera.js``)."""
    a, e = math.radians(azimuth), math.radians(elevation)
    right = np.array([math.cos(a), math.sin(a), 0.0])
    level = np.array([-math.sin(a), math.cos(a), 0.0])
    up = np.array([0.0, 0.0, 1.0])
    return right, level * math.sin(e) + up * math.cos(e), level * math.cos(e) - up * math.sin(e)


def draw(explorer: GeometryExplorer) -> bytes:
    """Return slices in the patient, the affine and the findings, as a PNG."""
    figure = Figure(figsize=(9.6, 5.0), dpi=100, facecolor="white")
    space = figure.add_axes((0.0, 0.0, 0.5, 1.0))
    said = figure.add_axes((0.5, 0.0, 0.5, 1.0))
    for axes in (space, said):
        axes.set_axis_off()
    planes, setting = explorer.planes, Setting.of(explorer.state)
    _scene(space, explorer, planes, setting)
    _text(said, explorer, planes, setting)
    drawn, buffer = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    Image.open(drawn).convert("RGB").quantize(128, dither=Image.Dither.NONE).save(
        buffer, "PNG", optimize=True
    )
    return buffer.getvalue()


def _scene(axes: Axes, explorer: GeometryExplorer, planes: list[SetPlane], setting: Setting) -> None:
    view = explorer.state.get("view")
    numbers = view if isinstance(view, (list, tuple)) and len(view) == 2 else (28.0, 18.0)
    right, up, away = camera(*(float(x) if isinstance(x, (int, float)) else 0.0 for x in numbers))
    screen = np.array([right, up])
    for part in explorer.facts["figure"]["parts"]:
        if part["skin"] and explorer.state.get("figure") is not False:
            _ellipse(axes, screen, np.array(part["centre"]), np.array(part["radii"]))
    r, c, _ = directions(setting)
    down, across = setting.rows * setting.spacing[0] * c, setting.columns * setting.spacing[1] * r
    stack = explorer.stack
    shade = {plane.index: n / max(len(stack) - 1, 1) for n, plane in enumerate(stack)}
    every = -(-len(planes) // _MOST)
    some = sorted(planes[::every], key=lambda plane: -float(plane.position @ away))
    outlines = []
    for plane in some:
        corner = plane.position - c * setting.spacing[0] / 2 - r * setting.spacing[1] / 2
        outline = np.array([corner, corner + across, corner + across + down, corner + down])
        outlines.append(outline)
        hue = ((215 + 175 * shade[plane.index]) % 360) / 360
        colour = colorsys.hls_to_rgb(hue, 0.5, 0.72)
        axes.add_patch(
            Polygon(outline @ screen.T, facecolor=(*colour, 0.10), edgecolor=colour, linewidth=1.0)
        )
    low, high = (np.array(corner) for corner in explorer.facts["figure"]["box"])
    every_corner = np.concatenate(outlines)
    low, high = np.minimum(low, every_corner.min(axis=0)), np.maximum(high, every_corner.max(axis=0))
    corners = np.array(list(itertools.product(*zip(low, high, strict=True))))
    for one, other in itertools.combinations(corners, 2):
        if np.count_nonzero(one != other) == 1:
            axes.plot(*(np.array([one, other]) @ screen.T).T, color="#c4ccd4", linewidth=0.8, zorder=0)
    middle = (low + high) / 2
    for axis, letters in enumerate(("RL", "AP", "FH")):
        for end, letter in zip((low, high), letters, strict=True):
            place = middle.copy()
            place[axis] = end[axis] + (1 if end is high else -1) * 22
            if axis < 2:
                place[2] = low[2]
            x, y = (float(v) for v in screen @ place)
            axes.text(x, y, letter, ha="center", va="center", fontsize=12, fontweight="bold")
    first = planes[0].position
    reach = 0.32 * max(np.linalg.norm(down), np.linalg.norm(across))
    for name, way in (("column", r), ("row", c), ("slice", _axis(planes, setting))):
        (x0, y0), (x1, y1) = (
            [float(v) for v in screen @ place] for place in (first, first + reach * way / np.linalg.norm(way))
        )
        line = {"arrowstyle": "-|>", "color": _COLOURS[name], "linewidth": 1.8}
        axes.annotate("", (x1, y1), (x0, y0), arrowprops=line)
        place_x, place_y = x1 + 0.12 * (x1 - x0), y1 + 0.12 * (y1 - y0)
        axes.text(place_x, place_y, name, color=_COLOURS[name], ha="center", fontsize=9)
    flat = corners @ screen.T
    edge = 45.0
    axes.set_xlim(flat[:, 0].min() - edge, flat[:, 0].max() + edge)
    axes.set_ylim(flat[:, 1].min() - edge, flat[:, 1].max() + edge)
    axes.set_aspect("equal")


def _axis(planes: list[SetPlane], setting: Setting) -> FloatArray:
    if len(planes) > 1:
        return planes[-1].position - planes[0].position
    _, c, n = directions(setting)
    leaning: FloatArray = n + math.tan(math.radians(setting.tilt)) * c
    return leaning


def _ellipse(axes: Axes, screen: FloatArray, centre: FloatArray, radii: FloatArray) -> None:
    """The outline of an ellipsoid: that of the ellipse which its axes span on the screen."""
    spanned = screen * radii
    sizes, ways = np.linalg.eigh(spanned @ spanned.T)
    width, height = 2 * np.sqrt(np.maximum(sizes, 0))
    angle = math.degrees(math.atan2(ways[1, 0], ways[0, 0]))
    x, y = screen @ centre
    axes.add_patch(
        Ellipse((x, y), width, height, angle=angle, facecolor=(0, 0, 0, 0.04), edgecolor=(0, 0, 0, 0.25))
    )


def _text(axes: Axes, explorer: GeometryExplorer, planes: list[SetPlane], setting: Setting) -> None:
    mono: dict[str, Any] = {"family": "monospace", "fontsize": 9, "transform": axes.transAxes, "va": "top"}
    plain: dict[str, Any] = {"fontsize": 9.5, "transform": axes.transAxes, "va": "top"}
    ras = explorer.state.get("system") == "RAS"
    axes.text(0.02, 0.95, explorer.facts["title"], **{**plain, "fontweight": "bold", "fontsize": 11})
    r, c, _ = directions(setting)
    facts = [
        ("Image Orientation", "\\".join(_short(x) for x in (*r, *c))),
        ("Image Position", "\\".join(_short(x) for x in planes[0].position) + "  (first)"),
        ("Pixel Spacing", "\\".join(_short(x) for x in setting.spacing)),
    ]
    for n, (name, value) in enumerate(facts):
        axes.text(0.02, 0.87 - 0.05 * n, f"{name:18} {value}", **{**mono, "fontsize": 8})
    try:
        matrix = explorer.affine_ras if ras else explorer.affine
        order = ("column", "row", "slice", "origin") if ras else ("slice", "row", "column", "origin")
        axes.text(0.02, 0.67, f"affine, ({', '.join(order[:3])}) to {'RAS' if ras else 'LPS'} mm", **plain)
        for column, name in enumerate(order):
            axes.text(0.25 + 0.2 * column, 0.60, name, **{**mono, "ha": "right", "color": _COLOURS[name]})
            for row in range(4):
                text = _short(matrix[row, column])
                axes.text(0.25 + 0.2 * column, 0.54 - 0.055 * row, text, **{**mono, "ha": "right"})
    except GeometryError:
        axes.text(0.02, 0.67, "slices are uneven: no one affine places them", **plain)
    lines = explorer.findings or ("nothing odd: one affine places every voxel",)
    text = "\n".join(_wrapped(line) for line in lines[:4])
    axes.text(0.02, 0.27, text, **{**plain, "color": "#9a6700" if explorer.findings else "#57606a"})


def _short(value: float) -> str:
    return f"{round(float(value), 4) + 0.0:g}"


def _wrapped(text: str, wide: int = 68) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(text, wide))
