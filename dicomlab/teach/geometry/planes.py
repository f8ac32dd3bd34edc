"""From what is set to image planes, and from planes to where voxels are. ``js/geometry/planes.js`` is its twin.

The planes are laid out by the reader's own code, so that the explorer says what loading such files would give.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.faults import geometry_findings
from dicomlab.read.layout import Layout, lay_out

__all__ = [
    "FAULTS",
    "LABELS",
    "MOST_SLICES",
    "ORDERS",
    "Given",
    "SetPlane",
    "Setting",
    "directions",
    "findings_of",
    "geometry_of",
    "ordered",
    "planes_of",
]

FloatArray = npt.NDArray[np.float64]

MOST_SLICES = 1000
ORDERS = ("position", "instance", "location")
"""What slices can be sorted by: n · IPP, Instance Number (0020,0013), Slice Location (0020,1041)."""
LABELS = ("file", "position", "reversed", "interleaved", "negative", "constant")
"""How numbers and locations run in the files: as they are there, along the position, against it, every second slice first;
Slice Location with the other sign, or the same for all."""
FAULTS = ("none", "missing", "uneven", "beside")

_SHUFFLE = 0.6180339887498949
_ASIDE = 1 / 8
"""How far a slice lies beside the others, as a share of the columns: it is to be seen."""


@dataclass(frozen=True, eq=False)
class Given:
    """Where the planes of a real stack lie against the first, and how its files are labelled.

    Parameters
    ----------
    along, down, across
        mm along *n*, *c* and *r* from the first plane, ascending in `along`; without the lean that `tilt` makes.
    step
        mm between neighbours, the median.
    numbers, locations
        Instance Number and Slice Location; None where a file has none.
    """

    along: tuple[float, ...]
    down: tuple[float, ...]
    across: tuple[float, ...]
    step: float
    numbers: tuple[float | None, ...]
    locations: tuple[float | None, ...]

    @staticmethod
    def of(told: Mapping[str, Any] | None) -> Given | None:
        """From JSON."""
        if not told:
            return None
        names = ("along", "down", "across", "numbers", "locations")
        along, down, across, numbers, locations = (tuple(told[name]) for name in names)
        return Given(along, down, across, float(told["step"]), numbers, locations)

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return {
            **{
                name: list(getattr(self, name))
                for name in ("along", "down", "across", "numbers", "locations")
            },
            "step": self.step,
        }


@dataclass(frozen=True, eq=False)
class Setting:
    """What is set in the explorer, made sound: whatever the state holds, these are numbers that can be worked with."""

    iop: FloatArray
    turns: tuple[float, float, float]
    ipp: FloatArray
    spacing: tuple[float, float]
    step: float
    slices: int
    rows: int
    columns: int
    tilt: float
    fault: str
    labels: str
    order: str

    @staticmethod
    def of(state: Mapping[str, Any]) -> Setting:
        """From the state of the widget."""

        def numbers(name: str, default: Sequence[float]) -> list[float]:
            found: Any = state.get(name)
            good = isinstance(found, (list, tuple)) and len(found) == len(default)
            pairs = zip(found if good else default, default, strict=True)
            return [float(x) if _is_number(x) else d for x, d in pairs]

        def count(name: str, default: int, most: int) -> int:
            found: Any = state.get(name)
            return min(max(int(found), 1), most) if _is_number(found) else default

        def word(name: str, words: Sequence[str]) -> str:
            found = state.get(name)
            return found if isinstance(found, str) and found in words else words[0]

        def positive(value: Any, default: float) -> float:
            return float(value) if _is_number(value) and value > 0 else default

        iop = numbers("iop", [1, 0, 0, 0, 1, 0])
        r, c = np.array(iop[:3]), np.array(iop[3:])
        if abs(np.linalg.norm(r) - 1) > 1e-2 or abs(np.linalg.norm(c) - 1) > 1e-2 or abs(r @ c) > 1e-2:
            iop = [1.0, 0, 0, 0, 1, 0]
        x, y, z = numbers("turns", [0, 0, 0])
        between_rows, between_columns = numbers("spacing", [1, 1])
        tilt = state.get("tilt")
        return Setting(
            np.array(iop, dtype=np.float64),
            (x, y, z),
            np.array(numbers("ipp", [0, 0, 0])),
            (positive(between_rows, 1.0), positive(between_columns, 1.0)),
            positive(state.get("step"), 1.0),
            count("slices", 1, MOST_SLICES),
            count("rows", 1, 1 << 16),
            count("columns", 1, 1 << 16),
            min(max(float(cast(float, tilt)), -80.0), 80.0) if _is_number(tilt) else 0.0,
            word("fault", FAULTS),
            word("labels", LABELS),
            word("order", ORDERS),
        )


@dataclass(frozen=True, eq=False)
class SetPlane:
    """One plane: its place along the normal among all, and what its file says.

    As the reader sees it (`lay_out`), for which the last attributes are.
    """

    index: int
    instance: float | None
    location: float | None
    position: FloatArray
    cosines: FloatArray
    pixel_spacing: FloatArray
    shape: tuple[int, int]

    lacking = ""
    modality = ""

    @property
    def name(self) -> str:
        """What a finding calls it."""
        return f"slice {self.index + 1}"

    def text(self, keyword: str) -> str:
        """Its frame of reference is known."""
        return "1.2.3" if keyword == "FrameOfReferenceUID" else ""

    def number(self, keyword: str) -> None:
        """No further spacing is stated."""


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def directions(setting: Setting) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return r, c and n = r × c after the turns about patient x, y and z, one after the other."""
    both = setting.iop.reshape(2, 3)
    for (i, j), degrees in zip(((1, 2), (2, 0), (0, 1)), setting.turns, strict=True):
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        turn = np.eye(3)
        turn[i, i], turn[i, j], turn[j, i], turn[j, j] = cosine, -sine, sine, cosine
        both = both @ turn.T
    return both[0], both[1], np.cross(both[0], both[1])


def planes_of(setting: Setting, given: Given | None = None) -> list[SetPlane]:
    """Return the planes in ascending order of n · IPP, those that a fault takes away left out."""
    r, c, n = directions(setting)
    count = setting.slices if given is None else min(setting.slices, len(given.along))
    scale = 1.0 if given is None else setting.step / given.step
    lean = math.tan(math.radians(setting.tilt))
    half = count // 2
    found = []
    for k in range(count):
        along = k * setting.step if given is None else given.along[k] * scale
        if setting.fault == "uneven" and k > half:
            along += setting.step / 2
        down = lean * along + (0.0 if given is None else given.down[k])
        across = 0.0 if given is None else given.across[k]
        if setting.fault == "beside" and k == half:
            across += _ASIDE * setting.columns * setting.spacing[1]
        position = setting.ipp + along * n + down * c + across * r
        number, location = _labels(setting.labels, k, count, float(position @ n), given)
        if setting.fault == "missing" and k == half and count > 2:
            continue
        found.append(
            SetPlane(
                k,
                number,
                location,
                position,
                np.concatenate([r, c]),
                np.array(setting.spacing),
                (setting.rows, setting.columns),
            )
        )
    return found


def _labels(
    labels: str, k: int, count: int, height: float, given: Given | None
) -> tuple[float | None, float | None]:
    """Instance Number and Slice Location of a plane."""
    if labels == "file" and given is not None:
        return given.numbers[k], given.locations[k]
    number = float(k + 1)
    if labels == "reversed":
        number = float(count - k)
    elif labels == "interleaved":
        number = float(k // 2 + 1 if k % 2 == 0 else (count + 1) // 2 + k // 2 + 1)
    return number, {"negative": -height, "constant": 0.0}.get(labels, height)


def ordered(planes: Sequence[SetPlane], by: str) -> list[SetPlane]:
    """Return the planes sorted by what is asked for; files that are equal in it stay in the order in which they lie there."""
    if by == "position":
        return list(planes)
    shuffled = sorted(planes, key=lambda plane: (plane.index * _SHUFFLE) % 1.0)

    def key(plane: SetPlane) -> float:
        value = plane.instance if by == "instance" else plane.location
        return math.inf if value is None else value

    return sorted(shuffled, key=key)


def _laid_out(planes: Sequence[SetPlane]) -> Layout:
    return lay_out(cast(Any, planes))


def geometry_of(planes: Sequence[SetPlane], setting: Setting) -> Geometry:
    """Return where the voxels of these planes are, as the reader lays them out."""
    layout = _laid_out(planes)
    down, across = setting.spacing
    direction, lone = layout.direction, math.nan
    if layout.along.size == 1:  # the next one would lean as is set
        direction = direction.copy()
        direction[:, 0] += direction[:, 1] * math.tan(math.radians(setting.tilt))
        lone = setting.step
    first = planes[0].position
    row, column = layout.row, layout.column
    if layout.along.size == 1:
        _, row, column = (float(x) for x in np.linalg.solve(direction, first))
    return Geometry(
        direction,
        layout.along,
        row + down * np.arange(setting.rows, dtype=np.float64),
        column + across * np.arange(setting.columns, dtype=np.float64),
        "1.2.3",
        (lone, down, across),
    )


def findings_of(planes: Sequence[SetPlane]) -> tuple[Finding, ...]:
    """Return what the reader would find odd about the planes."""
    return tuple(geometry_findings(cast(Any, planes), _laid_out(planes)))
