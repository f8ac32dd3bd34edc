"""How volumes meet in one viewer: which modes there are, and what their difference is looked at through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.view.draw import Mode
from dicomlab.view.grid import Grid
from dicomlab.view.sample import Values, sample
from dicomlab.view.scene import Basis, Scene, panes
from dicomlab.windowing import Window

__all__ = ["MODES", "apart", "check_mode", "subtractable", "symmetric_window"]

MODES: tuple[str, ...] = get_args(Mode)

_SIDE = 128  # pixels of the plane that a window is made from


def subtractable(grids: Sequence[Grid]) -> bool:
    """Whether the second volume minus the first means anything: both count in one unit."""
    units = [str(grid.attrs.get("units") or "") for grid in grids[:2]]
    return len(units) == 2 and units[0] == units[1]


def check_mode(mode: str, grids: Sequence[Grid]) -> None:
    """Raise unless the volumes can be shown so.

    Raises
    ------
    DicomLabError
        There is no such mode, or the values of two units would be subtracted.
    """
    if mode not in MODES:
        raise DicomLabError(f"The mode {mode!r} was asked for; there are {', '.join(MODES)}.")
    if mode == "difference" and not subtractable(grids):
        units = [str(grid.attrs.get("units") or "no unit") for grid in grids[:2]]
        found = f"found {' and '.join(units)}" if len(units) == 2 else "found one volume"
        raise DicomLabError(
            f"A difference needs two volumes in one unit; {found}. Use the mode 'fusion', 'curtain' or 'side'."
        )


def apart(grids: Sequence[Grid], basis: Basis, scene: Scene) -> Values:
    """The second volume minus the first, in the plane of a scene: NaN where one of them has no voxel."""
    (pane,) = panes(scene, basis, grids[0], _SIDE, _SIDE)
    first, second = (sample(grid, pane.plane, scene.interpolation) for grid in grids[:2])
    return second - first


def symmetric_window(values: npt.NDArray[np.floating]) -> Window:
    """A window around 0 that spans all values but one in two hundred."""
    there = np.abs(values[np.isfinite(values)])
    most = float(np.percentile(there, 99.5)) if there.size else 0.0
    # Few digits: it stands on the screen.
    return Window(0.0, float(f"{2 * most:.3g}") or 1.0, "LINEAR_EXACT", "auto")
