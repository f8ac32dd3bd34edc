"""Masks over the pictures of figures: colours, borders, and a legend of their names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from dicomlab.view.cut import Cut
from dicomlab.view.draw import edges
from dicomlab.view.grid import Grid
from dicomlab.view.masks import LabelInfo, Mask, MasksLike, first_look, read_masks
from dicomlab.view.sample import sample
from dicomlab.view.source import check_one_frame

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Overlaid"]


class Overlaid:
    """Masks that are drawn over each picture of one volume.

    Parameters
    ----------
    masks
        As for `browse`; their grids may differ from that of the volume.
    grid
        Of the volume that they are drawn over.

    Raises
    ------
    DicomLabError, GeometryError
        They are no masks, or of another frame of reference.
    """

    def __init__(self, masks: MasksLike | None, grid: Grid) -> None:
        self._masks: list[Mask] = read_masks(masks)
        check_one_frame([grid, *(mask.source.grid(0) for mask in self._masks)], images=1)
        self._looks: list[list[tuple[LabelInfo, npt.NDArray[np.float64], float]]] = []
        number = 0
        for mask in self._masks:
            self._looks.append([])
            for label in mask.labels:
                look = first_look(number, label.colour)
                self._looks[-1].append((label, np.array(look["colour"]) / 255.0, float(look["opacity"])))
                number += 1

    def draw(self, ax: Axes, cut: Cut, pixel: float) -> None:
        """Draw what lies in the plane of a picture, in pixels of `pixel` mm."""
        top, bottom, left, right = cut.extent(pixel)
        plane = cut.plane(pixel)
        for mask, looks in zip(self._masks, self._looks, strict=True):
            values = sample(mask.source.grid(0), plane, "nearest")
            held = np.where(np.isnan(values), 0, values).astype(np.int64)
            border = edges(held)
            picture = np.zeros((*held.shape, 4))
            for label, colour, opacity in looks:
                here = held == label.value
                picture[here, :3] = colour
                picture[here, 3] = np.where(border[here], 1.0, opacity)
            ax.imshow(
                picture,
                extent=(left, right, bottom, top),
                origin="upper",
                aspect="equal",
                interpolation="nearest",
            )

    def legend(self, ax: Axes) -> None:
        """Name the colours, on the picture."""
        from matplotlib.patches import Patch

        shown: Sequence[tuple[LabelInfo, npt.NDArray[np.float64], float]] = [
            one for looks in self._looks for one in looks
        ]
        if not shown:
            return
        handles = [
            Patch(facecolor=(*colour, opacity), edgecolor=tuple(colour), label=info.name)
            for info, colour, opacity in shown[:12]
        ]
        legend = ax.legend(handles=handles, loc="lower left", fontsize=7, framealpha=0.6)
        for text in legend.get_texts():
            text.set_parse_math(False)
