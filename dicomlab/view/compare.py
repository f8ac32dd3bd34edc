"""Several volumes of one patient in one viewer."""

from __future__ import annotations

from collections.abc import Sequence

import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.view.browser import SliceBrowser
from dicomlab.view.draw import Mode
from dicomlab.view.masks import MasksLike
from dicomlab.view.scene import Layout
from dicomlab.view.state import PlaneName
from dicomlab.windowing import WindowLike

__all__ = ["compare"]


def compare(
    *volumes: xr.DataArray,
    mode: Mode = "side",
    plane: PlaneName | None = None,
    index: int | None = None,
    windows: Sequence[WindowLike | None] | None = None,
    masks: MasksLike | None = None,
    layout: Layout = "single",
    height: int = 512,
    memory: int = 256 << 20,
) -> SliceBrowser:
    """Return a viewer of several volumes of one patient, joined by place; their grids may differ.

    Parameters
    ----------
    *volumes
        Two or more. The first says where the planes lie; the others are looked up at the same places in the patient.
    mode
        ``"side"`` by side; ``"fusion"``, each over those before it with its own colour map and opacity (a PET hot, and clear
        where there is no uptake); a ``"curtain"`` that can be drawn; a ``"checkerboard"``; or the ``"difference"``, the second
        minus the first. It can be changed later: ``browser.mode``.
    windows
        One for each volume, as `browse` takes it.
    plane, index, masks, layout, height, memory
        As in `browse`.

    Raises
    ------
    DicomLabError
        Fewer than two volumes; their frames of reference differ (the message says what mends that); or a difference of two
        units was asked for.

    References
    ----------
    PS3.3 C.7.4.1 (Frame of Reference).
    """
    if len(volumes) < 2:
        raise DicomLabError(
            f"Volumes to compare were asked for; found {len(volumes)}. Give two or more, or use browse."
        )
    if windows is not None and len(windows) != len(volumes):
        raise DicomLabError(
            f"One window for each of {len(volumes)} volumes was asked for; found {len(windows)}."
        )
    return SliceBrowser(
        volumes,
        plane=plane,
        index=index,
        windows=windows or [None] * len(volumes),
        masks=masks,
        mode=mode,
        layout=layout,
        height=height,
        memory=memory,
    )
