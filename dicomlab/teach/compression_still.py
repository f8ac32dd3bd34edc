"""The still picture of the explorer of bits and codecs: original, decoded, difference, and figures."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.teach.compression import quantised
from dicomlab.teach.still import FAINT, Sheet

__all__ = ["difference_of", "original_of", "picture", "signed_colours"]

Values = npt.NDArray[Any]
_SIDE = 340
_RANGE = 50.0


def original_of(facts: Mapping[str, Any]) -> Values:
    """The original as the facts hold it: not negative, ``base + slope * value`` in real units."""
    data = zlib.decompress(base64.b64decode(facts["original"]))
    return np.frombuffer(data, "<u2").reshape(facts["rows"], facts["columns"]).astype(np.int64)


def difference_of(facts: Mapping[str, Any], method: Mapping[str, Any], step: int) -> Values:
    """Decoded minus original of a variant, as whole numbers like the original's."""
    original = original_of(facts)
    if method["kind"] == "bits":
        return quantised(original, facts["bits"], int(method["variants"][step]["strength"])) - original
    if method["kind"] == "lossless":
        return np.zeros_like(original)
    data = zlib.decompress(base64.b64decode(method["variants"][step]["difference"]))
    return (
        np.frombuffer(data, "<i2" if facts["bits"] < 16 else "<i4").reshape(original.shape).astype(np.int64)
    )


def signed_colours(difference: Values, most: float) -> npt.NDArray[np.uint8]:
    """Dark where there is no difference, orange above, blue below; `signedColour` of js/compression/numbers.js."""
    share = np.minimum(1, np.abs(difference) / most)[..., None]
    ground = np.array([22, 24, 28])
    hue = np.where(difference[..., None] > 0, np.array([255, 150, 40]), np.array([70, 160, 255]))
    return np.asarray(np.floor(ground + share * (hue - ground) + 0.5), np.uint8)


def picture(facts: Mapping[str, Any], state: Mapping[str, Any]) -> bytes:
    """A PNG of the explorer as it stands."""
    methods = facts["methods"]
    method = next((one for one in methods if one["name"] == state.get("method")), methods[0])
    step = min(max(0, int(state.get("step", 0))), len(method["variants"]) - 1)
    variant = method["variants"][step]
    original, difference = original_of(facts), difference_of(facts, method, step)
    _, centre, width = next(
        (one for one in facts["windows"] if one[0] == state.get("window")), facts["windows"][0]
    )
    height = min(2.0 * _SIDE, _SIDE * facts["aspect"] * facts["rows"] / facts["columns"])
    sheet = Sheet(3 * _SIDE + 40, round(height) + 96)
    most = float(state.get("range") or _RANGE)
    shown = [
        ("Original", _grey(facts, original, centre, width)),
        (
            f"{method['name']}, {method['strength']} {variant['strength']}{method['unit']}",
            _grey(facts, original + difference, centre, width),
        ),
        (f"Difference, ± {most:g} {facts['units']}", signed_colours(facts["slope"] * difference, most)),
    ]
    for number, (name, pixels) in enumerate(shown):
        x = 10 + number * (_SIDE + 10)
        sheet.paste(pixels, x, 10, _SIDE, height)
        sheet.text(x, height + 26, name, bold=True, most=_SIDE)
    units = facts["units"]
    psnr = "no error" if variant["psnr"] is None else f"PSNR {variant['psnr']:.1f} dB"
    told = (
        f"{variant['size']:,} bytes, {variant['ratio']:.2f} : 1   largest error {variant['max']:g} {units}   "
    )
    sheet.text(10, height + 54, f"{told}rms {variant['rms']:.3g} {units}   {psnr}", FAINT)
    if method["kind"] == "lossy":
        attributes = f"(0028,2110) 01   (0028,2112) {variant['ratio']:.2f}   (0028,2114) {method['method']}"
        sheet.text(10, height + 76, f"It has to say so: {attributes}", FAINT)
    return sheet.png()


def _grey(facts: Mapping[str, Any], values: Values, centre: float, width: float) -> npt.NDArray[np.uint8]:
    real = facts["base"] + facts["slope"] * values
    return np.asarray(np.floor(np.clip((real - (centre - width / 2)) / width * 255, 0, 255) + 0.5), np.uint8)
