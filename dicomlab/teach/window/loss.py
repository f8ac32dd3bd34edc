"""What a window loses: values that end as black or white, or become one grey. ``js/window/loss.js`` is its twin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab.view.shade import grey
from dicomlab.windowing import AnyWindow

__all__ = ["TISSUES", "Loss", "alike", "loss_of"]

TISSUES: tuple[tuple[str, float], ...] = (
    ("air", -1000.0),
    ("lung", -820.0),
    ("fat", -100.0),
    ("water", 0.0),
    ("white matter", 28.0),
    ("grey matter", 38.0),
    ("muscle", 50.0),
    ("liver", 60.0),
    ("clotted blood", 70.0),
    ("blood with contrast", 180.0),
    ("spongy bone", 300.0),
    ("compact bone", 1200.0),
)
"""Tissues and what CT usually finds there, HU: round figures for orientation, not for diagnosis."""


@dataclass(frozen=True)
class Loss:
    """What a window makes of a set of values.

    Parameters
    ----------
    black, white
        Share of the voxels (0 to 1) that get the darkest and the brightest of the 256 shades.
    values
        How many different values there are.
    greys
        How many different shades they become.
    most
        How many different values share one shade, at worst, black and white left out.
    blacks, whites
        How many different values get the darkest and the brightest shade.
    """

    black: float
    white: float
    values: int
    greys: int
    most: int
    blacks: int
    whites: int

    def words(self, invert: bool = False) -> str:
        """Return how many values become how many greys, as a sentence; with `invert`, low values are white."""
        low, high = ("white", "black") if invert else ("black", "white")
        said = f"{self.values:,} different values become {self.greys} greys"
        ends = [
            f"{count:,} become {name}" for count, name in ((self.blacks, low), (self.whites, high)) if count
        ]
        if ends:
            said += f": {', '.join(ends)}"
        return f"{said}; between black and white, up to {self.most} share one" if self.most > 1 else said


def loss_of(values: npt.ArrayLike, window: AnyWindow, counts: npt.ArrayLike | None = None) -> Loss:
    """Return what a window loses of values.

    Parameters
    ----------
    values
        Array of any shape, in the units of the window; with `counts`, each value once. NaN does not count.
    window
        The window to look through.
    counts
        How often each value occurs, same shape.

    References
    ----------
    PS3.3 C.11.2.1.2 and C.11.2.1.3.
    """
    every = np.asarray(values).ravel()
    if counts is None:
        each, often = np.unique(every[~np.isnan(every)], return_counts=True)
    else:
        kept = np.asarray(counts).ravel() > 0
        each, often = every[kept], np.asarray(counts).ravel()[kept]
    total = int(often.sum())
    if not total:
        return Loss(0.0, 0.0, 0, 0, 0, 0, 0)
    shades = grey(each, window)
    sharing = np.bincount(shades, minlength=256)
    return Loss(
        float(often[shades == 0].sum() / total),
        float(often[shades == 255].sum() / total),
        int(each.size),
        int(np.count_nonzero(sharing)),
        int(sharing[1:255].max()),
        int(sharing[0]),
        int(sharing[255]),
    )


def alike(window: AnyWindow, within: int = 0) -> list[tuple[str, ...]]:
    """Return the tissues whose greys are at most so many steps from their neighbour's: groups of two or more."""
    shades = grey([value for _, value in TISSUES], window).tolist()
    order = sorted(range(len(TISSUES)), key=lambda n: (shades[n], n))
    groups: list[list[int]] = []
    for n in order:
        if groups and shades[n] - shades[groups[-1][-1]] <= within:
            groups[-1].append(n)
        else:
            groups.append([n])
    return [tuple(TISSUES[n][0] for n in group) for group in groups if len(group) > 1]
