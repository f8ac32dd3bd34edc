"""One HTML file with a viewer and its slices inside: no kernel, no network, to be sent to a colleague."""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.view.codec import WHOLE, encode, packed
from dicomlab.view.module import packed_module, theme
from dicomlab.view.source import Source
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow

__all__ = ["HtmlPage", "bundle", "json_in_html", "make_page", "module", "note", "span", "styles"]

_HERE = Path(__file__).parent
_MOST = 254  # the highest code of a value in one byte; 255 stands for none
_FRAME = 124  # px that the bar, on two lines, the slider and the line of values take beside the picture

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>body {{ margin: 0; }}
{styles}</style>
</head>
<body>
<div id="viewer"></div>
<noscript>This page needs JavaScript to show its slices.</noscript>
{slices}
<script type="application/json" id="state">{state}</script>
<script type="module">{bundle}</script>
<script type="module">
const find = (id) => document.getElementById(id);
const state = JSON.parse(find("state").textContent);
const slice = (source, step, index) => {{
  const name = `${{source}}-${{step}}-${{index}}`;
  return {{ ...state.scales[name], data: find("s" + name).textContent }};
}};
globalThis[Symbol.for("dicomlab.standalone/1")](find("viewer"), state.traits, slice);
</script>
</body>
</html>
"""


@cache
def bundle() -> str:
    """Return the viewer's JavaScript, one ES module."""
    return (_HERE / "browser.js").read_text(encoding="utf-8")


@cache
def styles() -> str:
    """Return the viewer's style sheet."""
    return theme() + (_HERE / "browser.css").read_text(encoding="utf-8")


@cache
def module() -> str:
    """Return both as one ES module for anywidget, half as long as the script alone."""
    return packed_module(bundle(), styles())


class HtmlPage:
    """A page that stands alone; shown in a notebook as a frame, or saved.

    Parameters
    ----------
    text
        The whole HTML document.
    height
        Height of the picture in CSS pixels.
    """

    def __init__(self, text: str, height: int) -> None:
        self.text = text
        self._height = height

    def __repr__(self) -> str:
        return f"<HtmlPage of {len(self.text) / 1e6:.1f} MB; .save(path) writes it>"

    def _repr_html_(self) -> str:
        # A frame of its own: neither styles nor scripts meet those of the notebook, and the sandbox lets the page
        # reach nothing else.
        return (
            f'<iframe srcdoc="{html.escape(self.text)}" sandbox="allow-scripts allow-downloads" allow="fullscreen" '
            f'title="Slice browser" '
            f'style="width:100%;height:{self._height + _FRAME}px;border:0"></iframe>'
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page to a file and return its path."""
        target = Path(path)
        target.write_text(self.text, encoding="utf-8")
        return target


def make_page(
    sources: Sequence[Source],
    traits: Mapping[str, Any],
    *,
    title: str,
    height: int,
    max_bytes: int,
    ranges: Sequence[tuple[float, float]] | None = None,
) -> HtmlPage:
    """Return a page that shows volumes.

    Parameters
    ----------
    sources
        The volumes; read slice by slice.
    traits
        The state of the viewer, as JSON takes it.
    title
        Title of the page; escaped here.
    height
        Height of the picture in CSS pixels.
    max_bytes
        Largest size of the page.
    ranges
        For each volume the values between which 8 bits are kept; None to keep all. Masks, which come last, have none and stay
        what they are.

    Raises
    ------
    DicomLabError
        The page would be larger than `max_bytes`.
    """
    scales, slices, size = {}, [], len(bundle()) + len(styles())
    wanted = [
        (n, step, index)
        for n, source in enumerate(sources)
        for step in range(source.count)
        for index in range(source.grid(0).shape[0])
    ]
    for done, (n, step, index) in enumerate(wanted, start=1):
        codes, scale = _encoded(
            sources[n].slice(step, index), ranges[n] if ranges and n < len(ranges) else None
        )
        data = base64.b64encode(packed(codes, 6)).decode("ascii")
        size += len(data)
        if size > max_bytes:
            _, rows, columns = sources[n].grid(0).shape
            estimate = size / done * len(wanted)
            raise DicomLabError(
                f"A page of at most {max_bytes / 1e6:.1f} MB was asked for; {len(wanted)} slices of {rows} x {columns} "
                f"would take about {estimate / 1e6:.1f} MB. Crop or thin the volume first, for instance "
                f"volume.isel(slice=slice(None, None, {max(2, -(-int(estimate) // max_bytes))})), "
                f"{'' if ranges else 'keep 8 bits of each voxel with quantise=True, '}or raise max_bytes."
            )
        scales[f"{n}-{step}-{index}"] = scale
        slices.append(f'<script type="text/plain" id="s{n}-{step}-{index}">{data}</script>')
    text = _PAGE.format(
        title=html.escape(title),
        styles=styles(),
        slices="\n".join(slices),
        state=json_in_html({"traits": traits, "scales": scales}),
        bundle=bundle(),
    )
    return HtmlPage(text, height)


def span(window: AnyWindow) -> tuple[float, float]:
    """Return the values between which a window tells shades apart."""
    if isinstance(window, VoiLut):
        return float(window.first), float(window.last)
    # A sigmoid comes close to black and white at one and a half widths only (PS3.3 C.11.2.1.3.1).
    half = window.width * (1.5 if window.function == "SIGMOID" else 0.5)
    return window.center - half, window.center + half


def note(ranges: Sequence[tuple[float, float]], units: Sequence[str]) -> str:
    """Return what a page of 8-bit values says of them."""
    told = " and ".join(
        f"{low:g} to {high:g}{f' {unit}' if unit else ''}"
        for (low, high), unit in zip(ranges, units, strict=True)
    )
    return (
        f"Values are rounded to 8 bits, and those beyond {told} are cut off there; between voxels beside these the picture "
        "is a rough one."
    )


def _encoded(
    plane: npt.NDArray[np.generic], ends: tuple[float, float] | None
) -> tuple[npt.NDArray[np.generic], Mapping[str, Any]]:
    """Codes of a slice and their scale (`codec.encode`); with `ends` of one byte, 255 for what has no value."""
    if ends is None:
        codes, scale = encode(plane)
        return codes, dict(scale)
    low, high = ends
    values = np.asarray(plane, dtype=np.float64)
    finite = values[np.isfinite(values)]
    first = float(finite.min()) if finite.size else low
    whole = bool(
        finite.size == values.size
        and finite.size
        and finite.max() - first <= _MOST
        and np.array_equal(values, np.rint(values))
    )
    # Masks, labels and slices of few values stay what they were.
    slope, intercept = (1.0, first) if whole else ((high - low) / _MOST, low)
    steps = np.clip(
        np.rint((np.clip(values, *((first, first + _MOST) if whole else ends)) - intercept) / slope), 0, _MOST
    )
    steps[np.isnan(values)] = 255
    exact = whole and bool(np.abs(finite).max() <= WHOLE)
    scale_of_byte = {"kind": "q2", "slope": slope, "intercept": intercept, "exact": exact, "bytes": 1}
    return steps.astype(np.uint8), scale_of_byte


def json_in_html(value: Any) -> str:
    """Return JSON that can stand inside a ``<script>`` of a page."""
    # Inside <script> only "</script" and "<!--" end or change the mode: without any "<" neither can occur.
    return (
        json.dumps(value, allow_nan=False)
        .replace("<", "\\u003c")
        .replace(">", "\\u003e")
        .replace("&", "\\u0026")
    )
