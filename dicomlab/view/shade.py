"""Values to colours: window, inversion, colour map. ``js/shade.js`` is its twin."""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.windowing import AnyWindow, apply_window

__all__ = ["PALETTES", "blend", "coloured", "grey", "palette"]

Bytes = npt.NDArray[np.uint8]

PALETTES = ("gray", "hot", "inferno", "viridis", "turbo", "cool", "bone", "RdBu_r", "jet")
"""Colour maps that the browser offers; Python takes any of matplotlib's."""


def grey(values: npt.ArrayLike, window: AnyWindow, invert: bool = False) -> Bytes:
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


@cache
def palette(name: str) -> Bytes:
    """Return the 256 colours of a colour map of matplotlib, shape (256, 3).

    Raises
    ------
    DicomLabError
        There is none of that name.
    """
    if name == "gray":
        return np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    import matplotlib

    try:
        colours = matplotlib.colormaps[name](np.arange(256), bytes=True)
    except KeyError:
        raise DicomLabError(
            f"The colour map {name!r} was asked for; matplotlib has none of that name. Usual ones are {', '.join(PALETTES)}."
        ) from None
    return np.ascontiguousarray(colours[:, :3])


def coloured(values: npt.ArrayLike, window: AnyWindow, invert: bool = False, cmap: str = "gray") -> Bytes:
    """Return the colour of each value: shape (…, 3)."""
    return palette(cmap)[grey(values, window, invert)]


def blend(below: Bytes, above: Bytes, opacity: npt.ArrayLike) -> Bytes:
    """Return `above` over `below`, each (…, 3); `opacity` from 0 to 1, one for all or one a pixel (…,)."""
    share = np.asarray(opacity, dtype=np.float64)[..., None]
    low = below.astype(np.float64)
    mixed: Bytes = np.floor(low + share * (above.astype(np.float64) - low) + 0.5).astype(np.uint8)
    return mixed
