"""What the page is told of the volumes, once: their grids and presets, colours, and how everything was at first."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.view.brush import FIRST_BRUSH
from dicomlab.view.editing import Editing
from dicomlab.view.layers import first_look_through
from dicomlab.view.masks import Mask
from dicomlab.view.meet import apart, subtractable, symmetric_window
from dicomlab.view.plane import Vector
from dicomlab.view.scene import IDENTITY, Basis, Scene
from dicomlab.view.shade import palette
from dicomlab.view.source import Source
from dicomlab.view.state import PlaneName
from dicomlab.view.windows import histogram, numbers

__all__ = ["describe", "first_difference", "first_state", "packed"]


def packed(cmaps: Iterable[str]) -> dict[str, str]:
    """The 256 colours of each colour map in base64, "" for grey."""
    return {
        name: "" if name == "gray" else base64.b64encode(palette(name).tobytes()).decode("ascii")
        for name in cmaps
    }


def describe(
    images: Sequence[Source],
    manners: Sequence[Mapping[str, Any]],
    masks: Sequence[Mask | Editing],
    follows: Sequence[Sequence[Sequence[int] | None]],
    basis: Basis,
    state: Mapping[str, Any],
    *,
    memory: int,
) -> dict[str, Any]:
    """Return what the page needs to draw volumes and masks.

    `follows` says which step of each goes with each of the first volume's, `state` how traits are.
    """
    volumes = [
        {**source.describe(memory=memory), "manner": known}
        for source, known in zip(images, manners, strict=True)
    ]
    sources = [*volumes, *(mask.describe(memory=memory) for mask in masks)]
    return {
        "sources": [{**one, "follows": steps} for one, steps in zip(sources, follows, strict=True)],
        "difference": _describe_difference(images, volumes, basis, state),
        "basis": {
            "right": dict(basis.right),
            "down": dict(basis.down),
            "axis": dict(basis.axis),
            "heading": dict(basis.heading),
            "corners": [list(corner) for corner in basis.corners],
            "middle": list(basis.middle),
        },
        "budget": memory,
    }


def first_state(state: Mapping[str, Any]) -> dict[str, Any]:
    """How everything is at first, as ``State`` in ``js/types.js``."""
    return {
        "scene": {
            "plane": state["plane"],
            "layout": state["panes"],
            "position": state["position"],
            "turn": list(IDENTITY),
            "zoom": 1.0,
            "pan": [0.0, 0.0, 0.0],
            "slab": None,
            "interpolation": "linear",
            "tiles": [3, 4],
            "stride": 1,
        },
        "looks": state["_looks"],
        "step": state["_step"],
        "mode": state["mode"],
        "split": 0.5,
        "tool": "window",
        "rois": [],
        "difference": state["_difference"],
        "labels": state["_labels"],
        "brush": dict(FIRST_BRUSH),
        "cine": {"playing": False, "fps": 10.0, "bounce": False, "along": state["along"]},
    }


def first_difference(
    images: Sequence[Source], basis: Basis, plane: PlaneName, position: Sequence[float]
) -> dict[str, Any]:
    """How the difference of two volumes is looked at first; nothing where they have none."""
    if not subtractable([source.grid(0) for source in images]):
        return {}
    return first_look_through(symmetric_window(_values(images, basis, plane, position)), cmap="RdBu_r")


def _describe_difference(
    images: Sequence[Source], volumes: Sequence[Mapping[str, Any]], basis: Basis, state: Mapping[str, Any]
) -> dict[str, Any] | None:
    """What is said of the second volume minus the first; None where there is none."""
    if not state["_difference"]:
        return None
    one, other = volumes[:2]
    values = _values(images, basis, state["plane"], state["position"])
    window = symmetric_window(values)
    return {
        "title": f"{other['title'] or 'second'} − {one['title'] or 'first'}",
        "units": one["units"],
        "integer": one["integer"] and other["integer"],
        "presets": [{"name": "auto", **numbers(window), "group": "automatic"}],
        "histogram": histogram(values, within=0.6 * window.width),
    }


def _values(
    images: Sequence[Source], basis: Basis, plane: PlaneName, position: Sequence[float]
) -> npt.NDArray[np.floating[Any]]:
    scene = Scene(cast(Vector, tuple(position)), plane)
    return apart([source.grid(0) for source in images[:2]], basis, scene)
