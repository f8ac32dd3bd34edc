"""The picture that stands in for a viewer where widgets do not run: GitHub, a PDF, a notebook without its kernel."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid
from dicomlab.view.plane import dot
from dicomlab.view.scene import Basis, Scene, heading_in, panes
from dicomlab.view.state import patient_side, position_letters
from dicomlab.windowing import AnyWindow

__all__ = ["annotated", "png", "still"]

_SIDE = 512  # of the stage, in pixels
_LEAST = 0.5  # degrees that a plane leans to be called tilted
_BYTES = 48_000  # at most; base64 adds a third, and a notebook keeps one for each viewer

Draw = Callable[[int, int], npt.NDArray[np.uint8]]


def still(
    draw: Draw, scene: Scene, basis: Basis, grid: Grid, window: AnyWindow, sides: Sequence[int] = ()
) -> bytes:
    """Return what is seen as a PNG of at most 48 kB, with orientation letters and what is seen written on it.

    Noise compresses badly: the picture is made smaller until it fits. `draw` makes it in any width and height.
    """
    side, wide = _SIDE, 1.0 if scene.layout == "single" and len(sides) < 2 else 1.6
    while True:
        width, height = int(side * wide), side
        data = png(_plain(annotated(draw(width, height), scene, basis, grid, window, sides)))
        if len(data) <= _BYTES or side < 64:
            return data
        # A little less than a file in proportion would take: the reader waits for each picture that is made in vain.
        side = int(side * max(0.5, 0.95 * math.sqrt(_BYTES / len(data))))


def _plain(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """One number a pixel where all are grey: a smaller file, so that it may be a larger picture."""
    grey = (picture == picture[..., :1]).all()
    return np.ascontiguousarray(picture[..., 0]) if grey else picture


def annotated(
    picture: npt.NDArray[np.uint8],
    scene: Scene,
    basis: Basis,
    grid: Grid,
    window: AnyWindow,
    sides: Sequence[int] = (0,),
) -> npt.NDArray[np.uint8]:
    """Return the picture of a scene with orientation letters in each pane, the slice and the window of `grid` written on it."""
    image = Image.fromarray(picture)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(max(9, min(14, max(image.size) // 30)))
    edge = 4
    for pane in panes(scene, basis, grid, *image.size, sides):
        left, top, plane = pane.left, pane.top, pane.plane
        # Of many small panes one says it for all: they lie alike.
        if min(plane.width, plane.height) < 60 and (pane.number or scene.layout != "montage"):
            continue
        middle = left + plane.width / 2, top + plane.height / 2
        ends = left + plane.width - edge, top + plane.height - edge
        right, down = np.array(plane.right), np.array(plane.down)
        for place, anchor, text in (
            ((left + edge, middle[1]), "lm", position_letters(-right)),
            ((ends[0], middle[1]), "rm", position_letters(right)),
            ((middle[0], top + edge), "ma", position_letters(-down)),
            ((middle[0], ends[1]), "md", position_letters(down)),
        ):
            draw.text(
                place, text, fill="white", font=font, anchor=anchor, stroke_width=2, stroke_fill="black"
            )
        if plane.width > 200 and scene.layout != "montage" and not pane.source:
            axis = basis.axis[pane.name]
            index = int(np.argmin(np.abs(grid.axes[axis] - grid.coordinates(scene.position)[axis])))
            # Of the plane, not of the voxel: rows of a tilted gantry count mm from where their slice begins.
            heading = heading_in(scene, basis, pane.name)
            where = patient_side(heading, dot(heading, plane.origin))
            lean = math.degrees(math.acos(min(abs(dot(heading, basis.heading[pane.name])), 1.0)))
            which = (
                f"{AXES[axis]} {index + 1}/{grid.shape[axis]}" if lean < _LEAST else f"tilted by {lean:.0f}°"
            )
            slab = f"{scene.slab.mode} {scene.slab.thickness:g} mm\n" if scene.slab else ""
            caption = f"{which}  {where}\n{slab}{window}"
            draw.multiline_text(
                (left + edge, ends[1]),
                caption,
                fill="white",
                font=font,
                anchor="ld",
                stroke_width=2,
                stroke_fill="black",
            )
    return np.asarray(image)


def png(array: npt.NDArray[np.uint8]) -> bytes:
    """Return (height, width) grey or (height, width, 3) colour bytes as a PNG file without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
