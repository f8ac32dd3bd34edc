"""The window explorer as a picture that needs no script."""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from dicomlab.teach.window.loss import alike, loss_of
from dicomlab.teach.window.subject import Subject
from dicomlab.view.shade import grey
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow

__all__ = ["draw"]

_DOTS = 100
_COLOURS = (160, 64, 24)
"""Noise makes large files: the fewer shades it has, the smaller they are."""
_BYTES = 60_000


def draw(subject: Subject, values: npt.NDArray[np.generic], window: AnyWindow, invert: bool) -> bytes:
    """Return picture, histogram with the curve over it, and what is lost, as a PNG."""
    figure = Figure(figsize=(9.6, 4.3), dpi=_DOTS, facecolor="white", layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(1.0, 1.35))
    left.imshow(grey(values, window, invert), cmap="gray", vmin=0, vmax=255, aspect=subject.aspect)
    left.set_axis_off()
    left.set_title(", ".join(x for x in (subject.facts()["title"], subject.where) if x), fontsize=9)
    for letter, place, anchor in zip(
        subject.letters,
        ((0.01, 0.5), (0.99, 0.5), (0.5, 0.99), (0.5, 0.01)),
        (("left", "center"), ("right", "center"), ("center", "top"), ("center", "bottom")),
        strict=False,
    ):
        left.text(
            *place,
            letter,
            transform=left.transAxes,
            color="white",
            fontsize=9,
            ha=anchor[0],
            va=anchor[1],
            bbox={"facecolor": "black", "alpha": 0.45, "pad": 1.5, "linewidth": 0},
        )
    _plot(right, values, window, invert, str(subject.attrs.get("units") or "value"))
    loss = loss_of(values, window)
    lines = [
        f"{100 * loss.black:.1f} % of the pixels are {'white' if invert else 'black'}, "
        f"{100 * loss.white:.1f} % {'black' if invert else 'white'}",
        loss.words(invert),
    ]
    if subject.facts()["tissues"] and (same := alike(window)):
        lines.append("one grey: " + "; ".join(" = ".join(group) for group in same))
    figure.supxlabel("\n".join(lines), fontsize=8.5, x=0.5)
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", metadata={"Software": None})
    picture = Image.open(drawn).convert("RGB")
    for colours in _COLOURS:
        buffer = io.BytesIO()
        picture.quantize(colours, dither=Image.Dither.NONE).save(buffer, "PNG", optimize=True)
        if buffer.tell() <= _BYTES:
            break
    return buffer.getvalue()


def _plot(axes: Axes, values: npt.NDArray[np.generic], window: AnyWindow, invert: bool, units: str) -> None:
    finite = np.asarray(values, np.float64)
    finite = finite[np.isfinite(finite)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    low, high = min(low, window.span[0]), max(high, window.span[1])
    edge = 0.02 * (high - low) or 1.0
    line = np.linspace(low - edge, high + edge, 700)
    counts, bins = np.histogram(finite, 200, (line[0], line[-1]))
    axes.stairs(np.log1p(counts) / np.log1p(max(counts.max(), 1)), bins, fill=True, color="#c9d1d9")
    shades = grey(line, window, invert) / 255
    axes.plot(line, shades, color="#0b69c7", linewidth=2)
    axes.set_xlim(line[0], line[-1])
    axes.set_ylim(-0.02, 1.04)
    axes.set_yticks([0, 0.5, 1], ["0", "128", "255"])
    axes.set_ylabel("grey")
    axes.set_xlabel(units)
    function = "VOI LUT" if isinstance(window, VoiLut) else window.function
    axes.set_title(f"{window}   {function}{'   as MONOCHROME1' if invert else ''}", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
