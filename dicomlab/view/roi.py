"""One measurement drawn on a slice: a ruler, an angle, an area, a profile, a point; in patient mm."""

from __future__ import annotations

import math
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.view.measured import AREAS, angle_of, area_of, length_of
from dicomlab.view.plane import Vector, dot

__all__ = ["COLOURS", "Roi", "RoiKind"]

RoiKind: TypeAlias = Literal[
    "ruler", "angle", "rectangle", "ellipse", "polygon", "freehand", "profile", "probe"
]

COLOURS = ("#ffd43b", "#4dabf7", "#ff8787", "#69db7c", "#da77f2", "#ffa94d", "#66d9e8")
"""What is drawn next takes the next of these; as in ``js/rois.js``."""

_POINTS: dict[str, tuple[int, int | None, str]] = {
    "ruler": (2, 2, "two ends"),
    "profile": (2, 2, "two ends"),
    "angle": (3, 3, "an end, the vertex and the other end"),
    "rectangle": (4, 4, "four corners, one after the other"),
    "ellipse": (4, 4, "the ends of one axis, then those of the other"),
    "polygon": (3, None, "three corners or more"),
    "freehand": (3, None, "three points of the outline or more"),
    "probe": (1, 1, "one point"),
}

_SLACK = 1e-3
"""Of the size of an area: by so much it may be out of its plane, or a corner of a rectangle out of square."""


@dataclass(frozen=True)
class Roi:
    """One measurement.

    Parameters
    ----------
    kind
        ``"ruler"``, ``"angle"``, ``"rectangle"``, ``"ellipse"``, ``"polygon"``, ``"freehand"``, ``"profile"`` or ``"probe"``.
    points
        LPS mm, shape (n, 3). Of an angle the vertex is the second; a rectangle has its four corners in order, an ellipse the
        ends of one axis, then those of the other (as ELLIPSE in PS3.3 C.18.9.1.2); a polygon closes by itself.
    normal
        LPS unit vector of the plane it was drawn in; None to take that of an area from its points.
    label
        Shown beside it.
    colour
        ``"#rrggbb"``.
    id
        Tells measurements of one viewer apart.

    Raises
    ------
    DicomLabError
        There is no such kind, or these are not its points.

    Examples
    --------
    >>> Roi("ruler", [(0, 0, 5), (30, 40, 5)]).length
    50.0
    >>> round(Roi("rectangle", [(0, 0, 5), (10, 0, 5), (10, 4, 5), (0, 4, 5)]).area, 6)
    40.0
    """

    kind: RoiKind
    points: tuple[Vector, ...]
    normal: Vector | None = None
    label: str = ""
    colour: str = COLOURS[0]
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12], compare=False)

    def __init__(
        self,
        kind: RoiKind,
        points: npt.ArrayLike | Sequence[Sequence[float]],
        *,
        normal: Sequence[float] | None = None,
        label: str = "",
        colour: str = COLOURS[0],
        id: str | None = None,
    ) -> None:
        if kind not in _POINTS:
            raise DicomLabError(
                f"A measurement of kind {kind!r} was asked for; there are {', '.join(_POINTS)}."
            )
        least, most, what = _POINTS[kind]
        try:
            array = np.asarray(points, dtype=np.float64)
        except (TypeError, ValueError):
            array = np.empty(0)
        if array.ndim != 2 or array.shape[1] != 3 or not np.isfinite(array).all():
            raise DicomLabError(
                f"The points of a measurement are positions (x, y, z) in LPS mm, shape (n, 3); found {points!r}."
            )
        if not least <= len(array) <= (most or len(array)):
            raise DicomLabError(
                f"A measurement of kind {kind} is given by {what}; found {len(array)} points."
            )
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", str(colour)):
            raise DicomLabError(f"A colour is written '#rrggbb', like {COLOURS[0]!r}; found {colour!r}.")
        held = tuple(_vector(point) for point in array.tolist())
        for name, value in {
            "kind": kind,
            "points": held,
            "normal": _normal(kind, held, normal),
            "label": str(label),
            "colour": str(colour),
            "id": str(id) if id else uuid.uuid4().hex[:12],
        }.items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Roi:
        """Return a measurement as the page tells it (``Roi`` in ``js/rois.js``)."""
        names = ("normal", "label", "colour", "id")
        return cls(told["kind"], told["points"], **{name: told[name] for name in names if name in told})

    def to_json(self) -> dict[str, Any]:
        """Return what the page has to know, ready for JSON."""
        return {
            "id": self.id,
            "kind": self.kind,
            "points": [list(point) for point in self.points],
            "normal": None if self.normal is None else list(self.normal),
            "label": self.label,
            "colour": self.colour,
        }

    @property
    def length(self) -> float | None:
        """mm of a ruler or profile; None of other kinds."""
        return length_of(self.points) if self.kind in ("ruler", "profile") else None

    @property
    def angle(self) -> float | None:
        """Degrees of an angle; None of other kinds."""
        return angle_of(self.points) if self.kind == "angle" else None

    @property
    def area(self) -> float | None:
        """mm² inside the outline; None of kinds without one."""
        if self.kind not in AREAS or self.normal is None:
            return None
        return area_of(self.kind, self.points, self.normal)

    @property
    def centre(self) -> Vector:
        """LPS mm, the mean of the points."""
        count = len(self.points)
        x, y, z = (math.fsum(point[axis] for point in self.points) / count for axis in range(3))
        return x, y, z


def _vector(values: Sequence[float]) -> Vector:
    x, y, z = (float(value) for value in values)
    return x, y, z


def _normal(kind: str, points: tuple[Vector, ...], told: Sequence[float] | None) -> Vector | None:
    """The unit normal, as told or of the points; the points of an area have to lie in the plane."""
    if told is not None:
        given = np.asarray(told, dtype=np.float64)
        if given.shape != (3,) or not np.isfinite(given).all() or not np.linalg.norm(given) > 0:
            raise DicomLabError(f"A normal is an LPS vector (x, y, z) that is not zero; found {told!r}.")
        size = math.sqrt(dot(_vector(given.tolist()), _vector(given.tolist())))
        # What is a unit vector already stays as it is, to the last bit, on its way from page to kernel and back.
        made = _vector(given.tolist()) if abs(size - 1) < 1e-12 else _vector((given / size).tolist())
    elif kind not in AREAS:
        return None
    else:
        made = _spanned(kind, points)
    if kind in AREAS:
        _check_flat(kind, np.asarray(points), np.asarray(made))
    return made


def _spanned(kind: str, points: tuple[Vector, ...]) -> Vector:
    """The unit normal of an outline."""
    array = np.asarray(points)
    ring = array[[0, 2, 1, 3]] if kind == "ellipse" else array
    apart = ring - ring.mean(axis=0)
    total = np.cross(apart, np.roll(apart, -1, axis=0)).sum(axis=0)
    size = float(np.linalg.norm(total))
    if size <= 1e-12 * max(float((apart**2).sum()), 1e-300):
        raise DicomLabError(
            f"The points of {'an' if kind == 'ellipse' else 'a'} {kind} span an area, given as {_POINTS[kind][2]}; "
            f"these lie in one line. Give other points, or its normal."
        )
    return _vector((total / size).tolist())


def _check_flat(kind: str, points: npt.NDArray[np.float64], normal: npt.NDArray[np.float64]) -> None:
    size = float(np.ptp(points, axis=0).max())
    away = np.abs((points - points[0]) @ normal).max()
    if away > _SLACK * size + 1e-6:
        raise DicomLabError(
            f"The points of a {kind} lie in one plane; one of these is {away:.3g} mm away from it."
        )
    if kind == "polygon" or kind == "freehand":
        return
    a, b, c, d = points
    odd, skew = (
        (np.linalg.norm(a - b + c - d), abs(np.dot(b - a, d - a)))
        if kind == "rectangle"
        else (np.linalg.norm(a + b - c - d) / 2, abs(np.dot(b - a, d - c)))
    )
    if odd > _SLACK * size + 1e-6 or skew > (_SLACK * size + 1e-6) * size:
        raise DicomLabError(
            f"A {kind} is given by {_POINTS[kind][2]}, at right angles; found {points.tolist()}."
        )
