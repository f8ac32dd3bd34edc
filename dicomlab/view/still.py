"""The picture that stands in for a viewer where widgets do not run: GitHub, a PDF, a notebook without its kernel."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid
from dicomlab.view.render import picture, picture_extent, png
from dicomlab.view.state import SliceState, patient_side

__all__ = ["still"]

_SIDE = 512  # longer side, in pixels
_BYTES = 48_000  # at most; base64 adds a third, and a notebook keeps one for each viewer


def still(grid: Grid, state: SliceState) -> bytes:
    """Return one plane as a PNG of at most 48 kB, with orientation letters and what is seen written on it.

    Noise compresses badly: the picture is made smaller until it fits.
    """
    top, bottom, left, right = picture_extent(grid, state)
    longer = max(bottom - top, right - left)
    if longer / state.pixel_mm < _SIDE:
        state = replace(state, pixel_mm=longer / _SIDE)
    grey, side = picture(grid, state), _SIDE
    while True:
        data = png(_annotated(_shrunk(grey, side), grid, state))
        if len(data) <= _BYTES or side < 64:
            return data
        side = int(side * max(0.5, min(0.9, math.sqrt(_BYTES / len(data)))))


def _shrunk(grey: npt.NDArray[np.uint8], side: int) -> Image.Image:
    image = Image.fromarray(grey)
    scale = min(1.0, side / max(image.size))
    size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    return image if scale == 1 else image.resize(size, Image.Resampling.BOX)


def _annotated(image: Image.Image, grid: Grid, state: SliceState) -> npt.NDArray[np.uint8]:
    width, height = image.size
    draw, middle = ImageDraw.Draw(image), (width / 2, height / 2)
    edge = 4
    font = ImageFont.load_default(max(9, min(14, max(image.size) // 30)))
    left, right, top, bottom = state.view.letters
    axis, index = state.view.axis, state.index
    where = patient_side(grid.heading(axis), grid.axes[axis][index])
    caption = f"{AXES[axis]} {index + 1}/{grid.shape[axis]}  {where}\n{state.window}"
    if state.invert:  # A white picture on a white page has no edge.
        draw.rectangle((0, 0, width - 1, height - 1), outline=160)
    # On a rim of the opposite: legible on every grey.
    ink, rim = (0, 255) if state.invert else (255, 0)
    for place, anchor, text in (
        ((edge, middle[1]), "lm", left),
        ((width - edge, middle[1]), "rm", right),
        ((middle[0], edge), "ma", top),
        ((middle[0], height - edge), "md", bottom),
    ):
        draw.text(place, text, fill=ink, font=font, anchor=anchor, stroke_width=2, stroke_fill=rim)
    if width > 200:
        place = (edge, height - edge)
        draw.multiline_text(place, caption, fill=ink, font=font, anchor="ld", stroke_width=2, stroke_fill=rim)
    return np.asarray(image)
