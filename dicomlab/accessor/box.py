"""The box of a volume in the patient, drawn as SVG for the card."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from dicomlab.errors import GeometryError
from dicomlab.geometry import Geometry
from dicomlab.html import Markup

__all__ = ["draw_box"]

FloatArray = npt.NDArray[np.float64]

# As radiologists look: axial from the feet, coronal from the front, sagittal from the left. For each view its name, the LPS
# axis that runs to the right of the picture, the one that runs down, and the sign of each.
_VIEWS = (
    ("axial", (0, 1.0), (1, 1.0), "RLAP"),
    ("coronal", (0, 1.0), (2, -1.0), "RLSI"),
    ("sagittal", (1, 1.0), (2, -1.0), "APSI"),
)
_SIDE, _MARGIN, _CAPTION, _GAP = 132.0, 20.0, 16.0, 14.0

# The twelve edges: pairs of corners (slice end, row end, column end) that differ in one place.
_ENDS = tuple(np.ndindex(2, 2, 2))
_EDGES = tuple(
    (a, b) for a in _ENDS for b in _ENDS if a < b and sum(x != y for x, y in zip(a, b, strict=True)) == 1
)
_FIRST = ((0, 0, 0), (0, 0, 1), (0, 1, 1), (0, 1, 0))


def draw_box(geometry: Geometry) -> Markup | None:
    """Three views of the box that the voxels fill, with the slices' direction; None where nobody knows where it is.

    The first slice is shaded, the arrow goes from there to the last. All three views have one scale. Lines and letters
    have the colour of the text around them, so they follow light and dark themes.
    """
    # A lone slice of unknown thickness is drawn as the plane that it is.
    first, second, third = (0.0 if np.isnan(step) else step for step in geometry.lone_steps)
    try:
        corners = replace(geometry, lone_steps=(first, second, third)).corners
    except GeometryError:
        return None
    points = corners.reshape(-1, 3)
    low, high = points.min(axis=0), points.max(axis=0)
    longest = float((high - low).max())
    if not np.isfinite(longest) or longest <= 0:
        return None
    scale = (_SIDE - 2 * _MARGIN) / longest
    middle = (low + high) / 2
    views = "".join(
        _view(name, letters, (corners - middle) * scale, right, down, number * (_SIDE + _GAP), high - low)
        for number, (name, right, down, letters) in enumerate(_VIEWS)
    )
    width, height = 3 * _SIDE + 2 * _GAP, _SIDE + 2 * _CAPTION
    return Markup(
        f'<svg role="img" aria-label="The box of the volume in the patient, seen from the feet, from the front and from the '
        f'left" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" fill="none" '
        f'stroke="currentColor" stroke-width="1" font-size="11" font-family="inherit" style="flex:none;max-width:100%">'
        f"{views}</svg>"
    )


def _view(
    name: str,
    letters: str,
    corners: FloatArray,
    right: tuple[int, float],
    down: tuple[int, float],
    left: float,
    extent: FloatArray,
) -> str:
    """One projection, its letters, and the extent in mm; `corners` are in pixels of the picture around the middle."""
    cx, cy = left + _SIDE / 2, _CAPTION + _SIDE / 2
    flat = np.stack([right[1] * corners[..., right[0]] + cx, down[1] * corners[..., down[0]] + cy], axis=-1)
    parts = [
        f'<polygon points="{" ".join(_point(flat[end]) for end in _FIRST)}" fill="currentColor" fill-opacity="0.16" '
        'stroke="none"/>'
    ]
    for a, b in _EDGES:
        (x1, y1), (x2, y2) = flat[a], flat[b]
        parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke-opacity="0.75"/>')
    parts.append(_arrow(flat[0].mean(axis=(0, 1)), flat[1].mean(axis=(0, 1))))
    edge = _SIDE / 2 - 8
    places = ((cx - edge, cy + 4), (cx + edge, cy + 4), (cx, cy - edge + 8), (cx, cy + edge))
    parts += [_text(x, y, letter, 0.7) for letter, (x, y) in zip(letters, places, strict=True)]
    parts.append(_text(cx, _CAPTION - 5, name, 0.7))
    size = " × ".join(f"{mm:.0f}" if mm > 0 else "?" for mm in (extent[right[0]], extent[down[0]])) + " mm"
    parts.append(_text(cx, _SIDE + 2 * _CAPTION - 5, size, 1.0))
    return "".join(parts)


def _arrow(start: FloatArray, end: FloatArray) -> str:
    """An arrow, or a dot where it points into the picture or out of it."""
    length = float(np.linalg.norm(end - start))
    if length < 4:
        return f'<circle cx="{start[0]:.1f}" cy="{start[1]:.1f}" r="2.2" fill="currentColor" stroke="none"/>'
    along = (end - start) / length
    across = np.array([-along[1], along[0]])
    back = end - 7 * along
    head = " ".join(_point(p) for p in (end, back + 3 * across, back - 3 * across))
    return (
        f'<line x1="{start[0]:.1f}" y1="{start[1]:.1f}" x2="{back[0]:.1f}" y2="{back[1]:.1f}" stroke-width="1.6"/>'
        f'<polygon points="{head}" fill="currentColor" stroke="none"/>'
    )


def _point(xy: FloatArray) -> str:
    return f"{xy[0]:.1f},{xy[1]:.1f}"


def _text(x: float, y: float, text: str, opacity: float) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="middle" fill="currentColor" fill-opacity="{opacity}" '
        f'stroke="none">{text}</text>'
    )
