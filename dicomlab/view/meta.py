"""What a browser has to know about a volume before it asks for the first slice: all but the voxels, ready for JSON."""

from __future__ import annotations

import base64
import math
import uuid
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.view.grid import Grid
from dicomlab.view.render import grey
from dicomlab.view.state import SliceState, acquisition_plane, plane_views, position_letters
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, auto_window, file_windows, named_windows, shown_inverted

__all__ = ["describe", "lut_text", "new_key"]


def new_key() -> str:
    """Return a name for a volume's voxels in the page's cache.

    Every viewer takes a new one, also of the same volume: its array may have been changed in between, and old slices would be
    a wrong picture.
    """
    return uuid.uuid4().hex


def describe(grid: Grid, first: SliceState, *, height: int, memory: int) -> dict[str, Any]:
    """Return geometry, windows and first choices of a volume (``Meta`` in ``js/types.js``).

    Parameters
    ----------
    grid
        The volume.
    first
        What is shown first.
    height
        Height of the picture in CSS pixels.
    memory
        Bytes of slices that the page may keep.
    """
    attrs = grid.attrs
    auto = auto_window(grid.sample())
    # Of a lazy volume the page shows planes across the slices as far as these have come; all of them have to be read first
    # only where the page has no room for them.
    whole = 2 * math.prod(grid.shape) <= memory
    return {
        "key": new_key(),
        "axes": [_packed(line) for line in grid.axes],
        "direction": grid.direction.ravel().tolist(),
        "planes": {
            name: {
                "axis": view.axis,
                "down": view.down,
                "right": view.right,
                "matrix": view.matrix,
                "flips": view.flips(grid),
                "letters": view.letters,
                "sides": [position_letters(sign * grid.heading(view.axis)) for sign in (-1, 1)],
            }
            for name, view in plane_views(grid.direction).items()
        },
        "plane": acquisition_plane(grid),
        "units": str(attrs.get("units") or ""),
        "title": _title(attrs),
        "integer": grid.values.dtype.kind in "biu",
        "smooth": not grid.is_mask,
        "findings": _findings(attrs),
        "reslice": not grid.lazy or (not whole and grid.cuts_across),
        "presets": _presets(attrs, auto),
        "window": _numbers(first.window),
        "invert": shown_inverted(attrs),
        "budget": memory,
        "height": height,
    }


def _title(attrs: Mapping[str, Any]) -> str:
    """Return modality and series description, which often begins with the modality: once is enough."""
    modality, description = (str(attrs.get(name) or "").strip() for name in ("Modality", "SeriesDescription"))
    if description.casefold().split(" ")[0] == modality.casefold():
        return description
    return f"{modality} {description}".strip()


def _packed(line: npt.NDArray[np.float64]) -> dict[str, float | int] | list[float]:
    """Return positions as start, step and count where that is all there is to say, to a billionth of a step."""
    if line.size > 1:
        step = (line[-1] - line[0]) / (line.size - 1)
        if np.abs(line - (line[0] + step * np.arange(line.size))).max() <= 1e-9 * abs(step):
            return {"start": float(line[0]), "step": float(step), "count": int(line.size)}
    return [float(at) for at in line]


def lut_text(window: AnyWindow) -> str:
    """Return the first and last value of a VOI LUT and the shade of each entry in base64; "" for a window."""
    if not isinstance(window, VoiLut):
        return ""
    shades = grey(np.arange(window.first, window.last + 1), window)
    return f"{window.first} {window.last} {base64.b64encode(shades.tobytes()).decode('ascii')}"


def _numbers(window: AnyWindow) -> dict[str, Any]:
    """Return what the browser has to know of a window (``Window`` in ``js/types.js``)."""
    numbers = {"center": window.center, "width": window.width, "function": window.function}
    return {**numbers, "lut": lut_text(window)} if isinstance(window, VoiLut) else numbers


def _presets(attrs: Mapping[str, Any], auto: AnyWindow) -> list[dict[str, Any]]:
    """Return the windows to choose from: the file's own first, then the automatic one, then the customary ones."""
    own = file_windows(attrs)
    usual = {name: window for name, window in named_windows(attrs).items() if name not in own}

    def entry(name: str, window: AnyWindow, group: str) -> dict[str, Any]:
        return {"name": name, **_numbers(window), "group": group}

    return [
        # "BONE" of a file and the preset "bone" are different windows.
        *(
            entry(name if name.startswith("file window") else f"{name} (file)", window, "from the file")
            for name, window in own.items()
        ),
        entry("auto", auto, "automatic"),
        *(entry(name, window, "presets") for name, window in usual.items()),
    ]


def _findings(attrs: Mapping[str, Any]) -> list[str]:
    """Return what was odd about the series; the attribute is one text, a line each, or a list."""
    found = attrs.get("findings") or ()
    return found.splitlines() if isinstance(found, str) else [str(one) for one in found]
