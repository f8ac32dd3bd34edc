"""Windows and findings as the page needs them: ready for JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.view.shade import grey
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, file_windows, named_windows

__all__ = ["findings_of", "histogram", "lut_text", "made_by", "numbers", "presets"]

_BINS = 160
_SAMPLE = 1 << 18


def lut_text(window: AnyWindow) -> str:
    """Return the first and last value of a VOI LUT and the shade of each entry in base64; "" for a window."""
    if not isinstance(window, VoiLut):
        return ""
    shades = grey(np.arange(window.first, window.last + 1), window)
    return f"{window.first} {window.last} {base64.b64encode(shades.tobytes()).decode('ascii')}"


def numbers(window: AnyWindow) -> dict[str, Any]:
    """Return what the browser has to know of a window (``Window`` in ``js/types.js``)."""
    numbers = {"center": window.center, "width": window.width, "function": window.function}
    return {**numbers, "lut": lut_text(window)} if isinstance(window, VoiLut) else numbers


def presets(attrs: Mapping[str, Any], auto: AnyWindow) -> list[dict[str, Any]]:
    """Return the windows to choose from: the file's own first, then the automatic one, then the customary ones."""
    own = file_windows(attrs)
    usual = {name: window for name, window in named_windows(attrs).items() if name not in own}

    def entry(name: str, window: AnyWindow, group: str) -> dict[str, Any]:
        return {"name": name, **numbers(window), "group": group}

    return [
        # "BONE" of a file and the preset "bone" are different windows.
        *(
            entry(name if name.startswith("file window") else f"{name} (file)", window, "from the file")
            for name, window in own.items()
        ),
        entry("auto", auto, "automatic"),
        *(entry(name, window, "presets") for name, window in usual.items()),
    ]


def findings_of(attrs: Mapping[str, Any]) -> list[str]:
    """Return what was odd about the series; the attribute is one text, a line each, or a list."""
    found = attrs.get("findings") or ()
    return found.splitlines() if isinstance(found, str) else [str(one) for one in found]


def histogram(values: npt.ArrayLike, within: float = 0.0) -> dict[str, Any] | None:
    """Return where values begin and end, and how many lie in each of 160 equal parts; None where none is finite.

    The highest and lowest of ten thousand are left out: one bright voxel would leave no room for the others. Of many values an
    even sample counts. The parts reach at least from minus `within` to `within`.
    """
    array = np.asarray(values)
    # An odd step visits all columns, whatever their number's factors of two.
    some = np.asarray(array.flat[:: max(1, array.size // _SAMPLE) | 1], dtype=np.float64)
    some = some[np.isfinite(some)]
    if some.size == 0:
        return None
    low, high = (float(x) for x in np.percentile(some, (0.01, 99.99)))
    if within:
        low, high = min(low, -within), max(high, within)
    # Of huge values all parts could begin at one number.
    least = 8 * _BINS * float(np.spacing(max(abs(low), abs(high))))
    if not high - low > least:
        half = max(0.5, least)
        low, high = low - half, low + half
    counts, _ = np.histogram(some, _BINS, (low, high))
    return {"low": low, "high": high, "counts": counts.tolist()}


def made_by(attrs: Mapping[str, Any]) -> str:
    """Return what is known of how the values came about: rescale, SUV and its assumptions, new grids, another frame."""
    made = attrs.get("value_transform")
    lines = [str(made)] if made else []
    lines += [f"assumed: {line}" for line in str(attrs.get("suv_assumed") or "").splitlines()]
    lines += [f"resampled: {line}" for line in str(attrs.get("resampled") or "").splitlines()]
    lines += [f"moved: {line}" for line in str(attrs.get("frame_history") or "").splitlines()]
    return "; ".join(lines)
