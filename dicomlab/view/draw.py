"""One scene -> one picture: the truth of every picture, in numpy alone.

Figures, stills and exports show what this module makes; ``js/draw.js`` repeats it in the browser, byte for byte.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.view.grid import Grid
from dicomlab.view.plane import Plane
from dicomlab.view.sample import Values, sample
from dicomlab.view.scene import Basis, Scene, panes
from dicomlab.view.shade import blend, grey, palette
from dicomlab.windowing import AnyWindow

__all__ = ["GROUND", "Image", "Label", "Labels", "Mode", "draw", "draw_pane", "edges"]

Bytes = npt.NDArray[np.uint8]
Mode: TypeAlias = Literal["side", "fusion", "curtain", "checkerboard", "difference"]

GROUND = 24
"""Grey between panes, and where there is no difference of two volumes."""

_SQUARE = 48
"""Pixels along a side of a square of the checkerboard."""


@dataclass(frozen=True)
class Image:
    """A volume of values, and how it is looked at.

    Parameters
    ----------
    grid
        The volume.
    window, invert, cmap
        From values to colours.
    opacity
        Of this volume over those before it, from 0 to 1.
    fade
        Low values are clearer than high ones: the opacity of a value is that of its brightness, as for PET over CT.
    """

    grid: Grid
    window: AnyWindow
    invert: bool = False
    cmap: str = "gray"
    opacity: float = 1.0
    fade: bool = False


@dataclass(frozen=True)
class Label:
    """How one label is drawn: a colour, how opaque inside, and whether its border is drawn."""

    colour: tuple[int, int, int]
    opacity: float = 0.35
    outline: bool = True
    visible: bool = True


@dataclass(frozen=True)
class Labels:
    """A volume of whole numbers, each a label, drawn over the images; 0 is nothing."""

    grid: Grid
    labels: Mapping[int, Label] = field(default_factory=dict)


def draw(
    scene: Scene,
    basis: Basis,
    images: Sequence[Image],
    width: int,
    height: int,
    *,
    labels: Sequence[Labels] = (),
    mode: Mode = "fusion",
    split: float = 0.5,
) -> Bytes:
    """The picture of a scene, shape (height, width, 3).

    Parameters
    ----------
    scene, basis
        Which planes; `basis` is that of the first volume.
    images
        The volumes, the lowest first; all count mm in one frame of reference.
    width, height
        Pixels of the stage.
    labels
        Masks and labels over them.
    mode
        How images meet: each in panes of its own, one over the other, or in turn.
    split
        Of a curtain: which part of the width shows the first image.
    """
    out = np.full((height, width, 3), GROUND, np.uint8)
    sides = range(len(images)) if mode == "side" else ()
    for pane in panes(scene, basis, images[0].grid, width, height, sides):
        shown = images if pane.source is None else images[pane.source : pane.source + 1]
        picture = draw_pane(scene, pane.plane, shown, labels=labels, mode=mode, split=split)
        out[pane.top : pane.top + pane.plane.height, pane.left : pane.left + pane.plane.width] = picture
    return out


def draw_pane(
    scene: Scene,
    plane: Plane,
    images: Sequence[Image],
    *,
    labels: Sequence[Labels] = (),
    mode: Mode = "fusion",
    split: float = 0.5,
) -> Bytes:
    """The picture of one plane, shape (height, width, 3)."""
    found = [
        sample(image.grid, plane, "nearest" if image.grid.is_mask else scene.interpolation, scene.slab)
        for image in images
    ]
    if mode == "difference" and len(images) > 1:
        apart = found[1] - found[0]
        picture = _coloured(apart, images[1])
        picture[np.isnan(apart)] = GROUND  # outside of one of them there is no difference, not the lowest one
    else:
        picture = _coloured(found[0], images[0])
        for values, image in zip(found[1:], images[1:], strict=True):
            share = _shown(values, image, mode, split)
            picture = blend(picture, _coloured(values, image), share)
    for one in labels:
        picture = _labelled(picture, sample(one.grid, plane, "nearest"), one.labels)
    return picture


def _coloured(values: Values, image: Image) -> Bytes:
    return palette(image.cmap)[grey(values, image.window, image.invert)]


def _shown(values: Values, image: Image, mode: Mode, split: float) -> npt.NDArray[np.float64]:
    """How much of an upper image is seen, pixel by pixel."""
    height, width = values.shape
    there = ~np.isnan(values)
    if mode == "curtain":
        return np.where(there & (np.arange(width)[None, :] >= split * width), 1.0, 0.0)
    if mode == "checkerboard":
        odd = (np.arange(height)[:, None] // _SQUARE + np.arange(width)[None, :] // _SQUARE) % 2 == 1
        return np.where(there & odd, 1.0, 0.0)
    share = np.where(there, image.opacity, 0.0)
    return share * (grey(values, image.window) / 255.0) if image.fade else share


def _labelled(picture: Bytes, values: Values, labels: Mapping[int, Label]) -> Bytes:
    held = np.where(np.isnan(values), 0, values).astype(np.int64)
    edge = edges(held)
    for value, label in labels.items():
        if not label.visible:
            continue
        here = held == value
        share = np.where(here, label.opacity, 0.0)
        if label.outline:
            share = np.where(here & edge, 1.0, share)
        picture = blend(picture, np.broadcast_to(np.array(label.colour, np.uint8), picture.shape), share)
    return picture


def edges(held: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Pixels with a neighbour, beside or above or below, that is of another label; beyond the picture lies none."""
    edge = np.zeros(held.shape, dtype=bool)
    across, along = held[:, 1:] != held[:, :-1], held[1:] != held[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= along
    edge[:-1] |= along
    return edge
