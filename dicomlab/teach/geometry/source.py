"""Where the planes of a real series or volume lie, as the explorer starts from them."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import direction_from_cosines
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.read import Series, SeriesList, Stack
from dicomlab.read.identity import shown_text
from dicomlab.read.picking import find_stack
from dicomlab.read.planes import Plane
from dicomlab.teach.geometry.figure import HEAD
from dicomlab.teach.geometry.pictures import of_planes, of_volume
from dicomlab.teach.geometry.planes import MOST_SLICES, Given

__all__ = ["Start", "start_of"]

FloatArray = npt.NDArray[np.float64]

_HEADS = ("HEAD", "BRAIN", "SKULL", "FACE", "ORBIT", "NECK", "SINUS")
_TRUNKS = (
    "CHEST",
    "THORAX",
    "ABDOMEN",
    "PELVIS",
    "SPINE",
    "LIVER",
    "HEART",
    "CARDIAC",
    "KIDNEY",
    "BREAST",
    "PROSTATE",
)
_SMALL = 280.0
"""A field of view (mm) up to which a stack of an unnamed region is taken for one of a head."""
_BOX = 830.0
"""Height (mm) of the box around the figure."""
_LEAN = 0.1
"""Degrees that slices lean to be called tilted, as in the reader's findings."""


@dataclass(frozen=True)
class Start:
    """What the explorer begins with.

    Parameters
    ----------
    title
        What is looked at, in words.
    state
        The first state of the widget.
    given
        The planes of a source, where there is one.
    at
        Where the middle of the figure's trunk is drawn, LPS mm.
    findings
        What was odd about the series as it was read.
    notes
        What else has to be said.
    pictures
        Small pictures of slices, see `pictures`.
    """

    title: str
    state: dict[str, Any]
    given: Given | None = None
    at: tuple[float, float, float] = (0.0, 0.0, 0.0)
    findings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    pictures: dict[str, Any] = field(default_factory=dict)


def start_of(source: Any) -> Start:
    """Return where the planes of a source lie; None for a stack through the figure.

    Raises
    ------
    GeometryError
        The source has no place in the patient.
    """
    if source is None:
        return Start("CT of a trunk", _made())
    if isinstance(source, xr.DataArray):
        return _of_volume(source)
    if isinstance(source, Geometry):
        return _of_grid(source, "a grid", ())
    if not isinstance(source, (str, os.PathLike, Series, SeriesList, Stack, list, tuple)):
        raise DicomLabError(
            "A series, a path, a volume or a Geometry was asked for, or None for a made-up stack; found "
            f"{type(source).__name__}."
        )
    stack, found = find_stack(cast(Any, source), on_fault="keep", progress=False)
    if stack.flat is not None:
        raise GeometryError(
            "A series with a place in the patient was asked for; these images have none: "
            f"{stack.flat.plane.explanation}. dicomlab.teach.explore_geometry() without a source shows a made-up stack."
        )
    return _of_stack(stack, tuple(str(one) for one in (*found, *stack.findings)))


def _made() -> dict[str, Any]:
    return {
        "iop": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
        "ipp": [-180.0, -126.0, -140.0],
        "spacing": [4.0, 5.0],
        "step": 25.0,
        "slices": 12,
        "rows": 64,
        "columns": 73,
        "tilt": 0.0,
    }


def _of_volume(volume: xr.DataArray) -> Start:
    text = " ".join(str(volume.attrs.get(name) or "") for name in ("Modality", "SeriesDescription")).strip()
    found = volume.attrs.get("findings") or ""
    lines = found.splitlines() if isinstance(found, str) else [str(one) for one in found]
    geometry = Geometry.from_volume(volume)
    start = _of_grid(geometry, text or "volume", tuple(lines))
    return replace(start, pictures=_of_slices(volume, geometry))


def _of_slices(volume: xr.DataArray, geometry: Geometry) -> dict[str, Any]:
    """Pictures of a volume's slices, first the one that is lowest along r × c."""
    if any(name not in volume.dims for name in AXES):
        return {}
    return of_volume(volume, _order(geometry).tolist())


def _order(geometry: Geometry) -> npt.NDArray[np.intp]:
    """The slices along r × c of the array as it runs."""
    c, r = _ways(geometry)
    return np.argsort(_corners(geometry) @ np.cross(r, c), kind="stable")


def _ways(geometry: Geometry) -> tuple[FloatArray, FloatArray]:
    """LPS directions in which row and column index grow."""
    falls = [line.size > 1 and line[-1] < line[0] for line in geometry.positions[1:]]
    c, r = (geometry.direction[:, 1 + axis] * (-1.0 if fall else 1.0) for axis, fall in enumerate(falls))
    return c, r


def _corners(geometry: Geometry) -> FloatArray:
    """LPS mm of the first voxel of each slice."""
    return geometry.lps([[k, 0, 0] for k in range(geometry.slice.size)])


def _of_grid(geometry: Geometry, title: str, findings: tuple[str, ...]) -> Start:
    rows, columns = geometry.row.size, geometry.column.size
    if min(geometry.shape) < 1:
        raise GeometryError("A volume without voxels has no positions; the selection that made it was empty.")
    c, r = _ways(geometry)
    places, order = _corners(geometry), _order(geometry)
    down, across = (abs(x) if math.isfinite(x) and x else 1.0 for x in geometry.spacing[1:])
    notes = ("A volume has no file numbers: Instance Number counts its slices.",)
    numbers = [float(k + 1) for k in order]
    return _start(
        title,
        places[order],
        np.concatenate([r, c]),
        (down, across),
        (rows, columns),
        numbers,
        [None] * len(numbers),
        findings,
        notes,
        head=False,
    )


def _of_stack(stack: Stack, findings: tuple[str, ...]) -> Start:
    lacking = [p for p in stack.planes if p.position is None or p.cosines is None or p.pixel_spacing is None]
    if lacking:
        _ = stack.geometry  # says what is missing, and in which file
    first = stack.planes[0]
    cosines = np.mean([cast(FloatArray, p.cosines) for p in stack.planes], axis=0)
    direction, _deviation = direction_from_cosines(cosines)
    normal = direction[:, 0]
    planes = sorted(stack.planes, key=lambda p: float(cast(FloatArray, p.position) @ normal))
    notes = []
    singles: list[Plane] = []
    for plane in planes:
        far = (
            not singles
            or float((cast(FloatArray, plane.position) - cast(FloatArray, singles[-1].position)) @ normal)
            > 1e-3
        )
        if far:
            singles.append(plane)
    if len(singles) < len(planes):
        notes.append(f"{len(planes)} images lie at {len(singles)} positions; one of each is shown.")
    many = any(plane.instance.frames > 1 for plane in singles)
    if many:
        notes.append("Frames of one file: the number is that of the frame.")
    numbers = [float(p.frame + 1) if many else p.number("InstanceNumber") for p in singles]
    region = f"{first.text('BodyPartExamined')} {first.text('SeriesDescription')}".upper()
    spacing = cast(FloatArray, first.pixel_spacing)
    text = f"{first.modality} {shown_text(first.instance, 'SeriesDescription')}".strip()
    start = _start(
        text,
        np.array([p.position for p in singles]),
        cosines,
        (float(spacing[0]), float(spacing[1])),
        first.shape,
        numbers,
        [p.number("SliceLocation") for p in singles],
        findings,
        tuple(notes),
        head=_is_head(region, max(first.shape[0] * spacing[0], first.shape[1] * spacing[1])),
    )
    return replace(start, pictures=of_planes(singles[:MOST_SLICES]))


def _is_head(region: str, field: float) -> bool:
    if any(word in region for word in _TRUNKS):
        return False
    return any(word in region for word in _HEADS) or field <= _SMALL


def _start(
    title: str,
    positions: FloatArray,
    cosines: FloatArray,
    spacing: tuple[float, float],
    shape: tuple[int, int],
    numbers: Sequence[float | None],
    locations: Sequence[float | None],
    findings: tuple[str, ...],
    notes: tuple[str, ...],
    *,
    head: bool,
) -> Start:
    direction, _ = direction_from_cosines(cosines)
    n, c, r = direction.T
    if len(positions) > MOST_SLICES:
        notes = (*notes, f"The first {MOST_SLICES} of {len(positions)} slices are shown.")
        positions = positions[:MOST_SLICES]
    apart = positions - positions[0]
    along, down, across = apart @ n, apart @ c, apart @ r
    step = float(np.median(np.diff(along))) if len(along) > 1 else 1.0
    lean = float(down[-1] / along[-1]) if len(along) > 1 else 0.0
    tilt = math.degrees(math.atan(lean))
    if abs(tilt) <= _LEAN:  # rounded positions
        tilt = 0.0
    given = Given(
        tuple(along.tolist()),
        tuple((down - math.tan(math.radians(tilt)) * along).tolist()),
        tuple(across.tolist()),
        step,
        tuple(numbers[: len(positions)]),
        tuple(locations[: len(positions)]),
    )
    state = {
        "iop": [*r.tolist(), *c.tolist()],
        "ipp": positions[0].tolist(),
        "spacing": list(spacing),
        "step": step,
        "slices": len(positions),
        "rows": int(shape[0]),
        "columns": int(shape[1]),
        "tilt": tilt,
        "labels": "file",
    }
    widest = max(*apart.max(axis=0) - apart.min(axis=0), spacing[0] * shape[0], spacing[1] * shape[1])
    state["zoom"] = round(min(max(_BOX / (2.4 * widest), 1.0), 4.0), 2)
    middle = (
        positions.mean(axis=0) + c * spacing[0] * (shape[0] - 1) / 2 + r * spacing[1] * (shape[1] - 1) / 2
    )
    x, y, z = middle - np.array(HEAD if head else (0.0, 0.0, 0.0))
    return Start(title, state, given, (float(x), float(y), float(z)), findings, notes)
