"""What a brush is: the trait that page and kernel share."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from dicomlab.errors import DicomLabError

__all__ = ["FIRST_BRUSH", "checked_brush"]

FIRST_BRUSH: Mapping[str, Any] = {"size": 10.0, "sphere": False, "range": None, "label": 1}
"""As in ``js/painting.js``: mm across; whether it reaches into the depth; values that it takes; the label that it paints."""

_SIZES = (0.1, 200.0)


def checked_brush(brush: Mapping[str, Any]) -> dict[str, Any]:
    """A brush as it was told, with what was not told as it is at first.

    Raises
    ------
    DicomLabError
        There is no such brush.
    """
    if strange := set(brush) - set(FIRST_BRUSH):
        raise DicomLabError(
            f"a brush has {', '.join(FIRST_BRUSH)}; found {', '.join(map(str, sorted(strange)))}"
        )
    made = {**FIRST_BRUSH, **brush}
    size, within, label = made["size"], made["range"], made["label"]
    if isinstance(size, bool) or not isinstance(size, Real) or not _SIZES[0] <= float(size) <= _SIZES[1]:
        raise DicomLabError(f"the size of a brush is {_SIZES[0]} to {_SIZES[1]} mm across, found {size!r}")
    if within is not None:
        try:
            low, high = (float(x) for x in within)
        except (TypeError, ValueError):
            low, high = 1.0, 0.0
        if not low <= high:
            raise DicomLabError(
                f"a brush takes values from a lowest to a highest one, or None for all; found {within!r}"
            )
        within = [low, high]
    if isinstance(label, bool) or not isinstance(label, int) or label < 1:
        raise DicomLabError(f"a brush paints a label by its number, from 1 on; found {label!r}")
    return {"size": float(size), "sphere": bool(made["sphere"]), "range": within, "label": label}
