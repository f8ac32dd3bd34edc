"""Windows and findings as the page needs them: ready for JSON."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

import numpy as np

from dicomlab.view.shade import grey
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, file_windows, named_windows

__all__ = ["findings_of", "lut_text", "numbers", "presets"]


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
