"""What is on the screen, decided without one: which planes of the patient, how large, and where each pane lies.

One frozen `Scene` says all that a viewer shows; `panes` turns it into planes. ``js/scene.js`` is its twin.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Literal, TypeAlias, cast

import numpy as np

from dicomlab.view.grid import Grid
from dicomlab.view.plane import Plane, Vector, courses, cross, dot
from dicomlab.view.sample import Interpolation, Slab
from dicomlab.view.state import PLANES, PlaneName, plane_axes

__all__ = ["GAP", "IDENTITY", "Basis", "Layout", "Pane", "Scene", "basis_of", "heading_in", "panes"]

Layout: TypeAlias = Literal["single", "planes", "montage"]
Turn: TypeAlias = tuple[float, float, float, float, float, float, float, float, float]

IDENTITY: Turn = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)

GAP = 2
"""Pixels between two panes."""

_WIDE = 1.25
"""From this ratio of width to height on, three panes stand side by side, the first one the largest."""


@dataclass(frozen=True)
class Basis:
    """What is known of the first volume before anything is looked at: all that `panes` needs.

    Parameters
    ----------
    right, down
        For each plane the LPS unit vectors of its screen axes.
    axis, heading
        For each plane the voxel axis that it cuts, and the LPS unit vector along which positions of this axis grow.
    corners
        LPS mm of the eight outer corners of the voxels.
    middle
        LPS mm, half way between opposite corners.
    """

    right: Mapping[PlaneName, Vector]
    down: Mapping[PlaneName, Vector]
    axis: Mapping[PlaneName, int]
    heading: Mapping[PlaneName, Vector]
    corners: tuple[Vector, ...]
    middle: Vector


def basis_of(grid: Grid) -> Basis:
    """The basis of a volume: planes along its slices and, at right angles to these, along its rows and columns.

    Under a tilted gantry the slice axis leans; planes across the slices stand upright on them all the same.
    """
    r, c = grid.direction[:, 2], grid.direction[:, 1]
    along = (np.cross(r, c), c, r)
    right: dict[PlaneName, Vector] = {}
    down: dict[PlaneName, Vector] = {}
    axis: dict[PlaneName, int] = {}
    heading: dict[PlaneName, Vector] = {}
    for name, (cut, (down_axis, down_sign), (right_axis, right_sign)) in plane_axes(grid.direction).items():
        axis[name], heading[name] = cut, _vector(along[cut])
        down[name] = _vector(down_sign * along[down_axis])
        right[name] = _vector(right_sign * along[right_axis])
    edges = [grid.edges(number) for number in range(3)]
    corners = tuple(_lps(grid, ends) for ends in product(*((line[0], line[-1]) for line in edges)))
    middle = _lps(grid, [(line[0] + line[-1]) / 2 for line in edges])
    return Basis(right, down, axis, heading, corners, middle)


def _lps(grid: Grid, mm: Sequence[float]) -> Vector:
    x, y, z = (dot([float(d) for d in row], [float(at) for at in mm]) for row in grid.direction)
    return x, y, z


def _vector(array: np.ndarray) -> Vector:
    x, y, z = (float(v) + 0.0 for v in array)
    return x, y, z


@dataclass(frozen=True)
class Scene:
    """All that decides the planes on the screen.

    Parameters
    ----------
    position
        LPS mm where the planes meet.
    plane
        The plane of the only pane, or of the largest one.
    layout
        One plane, three that meet at right angles, or several parallel ones.
    turn
        Rotation of all planes about `position`, row-major: what the crosshair lines were tilted by.
    zoom
        1 fits the volume into the panes.
    pan
        LPS mm by which the picture is moved out of the middle.
    slab
        How thick the planes are.
    interpolation
        Between voxels.
    tiles
        Rows and columns of a montage.
    stride
        Voxels from one plane of a montage to the next.
    """

    position: Vector
    plane: PlaneName = "axial"
    layout: Layout = "single"
    turn: Turn = IDENTITY
    zoom: float = 1.0
    pan: Vector = (0.0, 0.0, 0.0)
    slab: Slab | None = None
    interpolation: Interpolation = "linear"
    tiles: tuple[int, int] = (3, 4)
    stride: int = 1
    order: tuple[PlaneName, ...] = field(default=PLANES)


@dataclass(frozen=True)
class Pane:
    """One picture of several: where on the screen, in pixels, and which plane of the patient.

    ``number`` tells panes of one plane apart. ``source`` is the only volume that is shown, where several stand side by side.
    """

    name: PlaneName
    number: int
    left: int
    top: int
    plane: Plane
    source: int | None = None


def panes(
    scene: Scene, basis: Basis, grid: Grid, width: int, height: int, sides: Sequence[int] = ()
) -> list[Pane]:
    """The panes of a scene on a stage of `width` x `height` pixels; `grid` is that of the first volume.

    Of several `sides`, numbers of volumes, each has a part of the stage with all its panes, at the same places of the patient.
    """
    if len(sides) > 1:
        made: list[Pane] = []
        for source, (left, top, wide, high) in zip(sides, _beside(width, height, len(sides)), strict=True):
            made += [
                replace(pane, number=len(made) + k, left=pane.left + left, top=pane.top + top, source=source)
                for k, pane in enumerate(panes(scene, basis, grid, wide, high))
            ]
        return made
    if scene.layout == "planes":
        names = [scene.plane, *(name for name in scene.order if name != scene.plane)]
        boxes = _three(width, height)
        scales = [
            _fit(_turned(scene, basis, name), basis, box) for name, box in zip(names, boxes, strict=True)
        ]
        return [
            Pane(name, n, box[0], box[1], _plane(scene, basis, grid, name, box, scale, scene.position))
            for n, (name, box, scale) in enumerate(zip(names, boxes, scales, strict=True))
        ]
    if scene.layout == "montage":
        boxes = _tiles(width, height, *scene.tiles)
        scale = _fit(_turned(scene, basis, scene.plane), basis, boxes[0])
        places = _parallel(scene, basis, grid, len(boxes))
        return [
            Pane(scene.plane, n, box[0], box[1], _plane(scene, basis, grid, scene.plane, box, scale, place))
            for n, (box, place) in enumerate(zip(boxes, places, strict=True))
            if place is not None
        ]
    box = (0, 0, width, height)
    scale = _fit(_turned(scene, basis, scene.plane), basis, box)
    return [Pane(scene.plane, 0, 0, 0, _plane(scene, basis, grid, scene.plane, box, scale, scene.position))]


Box: TypeAlias = tuple[int, int, int, int]


def _three(width: int, height: int) -> list[Box]:
    """Left, top, width and height of three panes."""
    if width >= _WIDE * height:
        side = max((width - GAP) // 3, 1)
        main = max(width - GAP - side, 1)
        half = max((height - GAP) // 2, 1)
        rest = max(height - GAP - half, 1)
        return [(0, 0, main, height), (main + GAP, 0, side, half), (main + GAP, half + GAP, side, rest)]
    low = max((height - GAP) // 3, 1)
    main = max(height - GAP - low, 1)
    half = max((width - GAP) // 2, 1)
    rest = max(width - GAP - half, 1)
    return [(0, 0, width, main), (0, main + GAP, half, low), (half + GAP, main + GAP, rest, low)]


def _tiles(width: int, height: int, rows: int, columns: int) -> list[Box]:
    wide = max((width - GAP * (columns - 1)) // columns, 1)
    high = max((height - GAP * (rows - 1)) // rows, 1)
    return [(j * (wide + GAP), i * (high + GAP), wide, high) for i in range(rows) for j in range(columns)]


def _beside(width: int, height: int, count: int) -> list[Box]:
    """Boxes for several volumes side by side, so that the shorter side of a box is as long as can be."""

    def worth(columns: int) -> tuple[int, int, int]:
        rows = -(-count // columns)
        _, _, wide, high = _tiles(width, height, rows, columns)[0]
        return min(wide, high), count - rows * columns, columns

    columns = max(range(1, count + 1), key=worth)
    return _tiles(width, height, -(-count // columns), columns)[:count]


def _turned(scene: Scene, basis: Basis, name: PlaneName) -> tuple[Vector, Vector]:
    """The screen axes of a plane, tilted with its normal and never about it: what is up stays up."""
    right, down = basis.right[name], basis.down[name]
    if scene.turn == IDENTITY:
        return right, down
    before = cross(right, down)
    after = _rotate(scene.turn, before)
    return _swung(right, before, after), _swung(down, before, after)


def _rotate(turn: Turn, vector: Vector) -> Vector:
    if turn == IDENTITY:
        return vector
    return dot(turn[0:3], vector), dot(turn[3:6], vector), dot(turn[6:9], vector)


def heading_in(scene: Scene, basis: Basis, name: PlaneName) -> Vector:
    """The LPS unit vector across a plane, tilted as it is, along which the positions of the axis that it cuts grow."""
    return _rotate(scene.turn, basis.heading[name])


def _swung(vector: Vector, before: Vector, after: Vector) -> Vector:
    """A vector, carried along by the shortest way from one unit vector to another (Rodrigues)."""
    k = cross(before, after)
    c = dot(before, after)
    if c < -0.999999:
        return -vector[0], -vector[1], -vector[2]
    once = cross(k, vector)
    twice = cross(k, once)
    share = 1.0 / (1.0 + c)
    return (
        vector[0] + once[0] + share * twice[0],
        vector[1] + once[1] + share * twice[1],
        vector[2] + once[2] + share * twice[2],
    )


def _fit(axes: tuple[Vector, Vector], basis: Basis, box: Box) -> float:
    """Pixels a mm with which the whole volume fits into a box."""
    scales = []
    for axis, pixels in zip(axes, box[2:], strict=True):
        at = [dot(axis, corner) for corner in basis.corners]
        scales.append(pixels / max(max(at) - min(at), 1e-6))
    return min(scales)


def _plane(
    scene: Scene, basis: Basis, grid: Grid, name: PlaneName, box: Box, scale: float, place: Vector
) -> Plane:
    right, down = _turned(scene, basis, name)
    pixel = 1.0 / (scale * scene.zoom)
    width, height = box[2:]
    plane = Plane((0.0, 0.0, 0.0), right, down, pixel, width, height)
    n = plane.normal
    middle = tuple(m - p for m, p in zip(basis.middle, scene.pan, strict=True))
    lift = dot(tuple(a - b for a, b in zip(place, middle, strict=True)), n)
    x, y = pixel * (width - 1) / 2, pixel * (height - 1) / 2
    origin = cast(
        Vector,
        tuple(m + lift * k - x * r - y * d for m, k, r, d in zip(middle, n, right, down, strict=True)),
    )
    return _crisp(grid, Plane(origin, right, down, pixel, width, height))


def _crisp(grid: Grid, plane: Plane) -> Plane:
    """The plane, moved by less than a pixel so that voxels that are whole pixels begin where pixels begin."""
    origin = plane.origin
    ways = courses(grid, plane)
    for attribute, vector in (("right", plane.right), ("down", plane.down)):
        moving = [way for way in ways if getattr(way, attribute) != 0]
        if len(moving) != 1 or moving[0].line is not None:
            continue
        step = getattr(moving[0], attribute)
        pixels = 1.0 / math.fabs(step)
        whole = math.floor(pixels + 0.5)
        if whole < 1 or math.fabs(pixels - whole) > 1e-6:
            continue
        first = 0.5 / whole - 0.5
        off = (moving[0].start - first) * whole
        shift = (math.floor(off + 0.5) - off) / whole / step * plane.pixel
        origin = (
            origin[0] + shift * vector[0],
            origin[1] + shift * vector[1],
            origin[2] + shift * vector[2],
        )
    return Plane(origin, plane.right, plane.down, plane.pixel, plane.width, plane.height)


def _parallel(scene: Scene, basis: Basis, grid: Grid, count: int) -> list[Vector | None]:
    """Where the planes of a montage lie: that of the position in the middle, the others `stride` voxels apart."""
    axis = basis.axis[scene.plane]
    line = [float(x) for x in grid.axes[axis]]
    at = dot(grid.inverse[axis], scene.position)
    nearest = min(range(len(line)), key=lambda k: math.fabs(line[k] - at))
    span = count * scene.stride
    first = min(max(nearest - span // 2, 0), max(len(line) - span, 0))
    if len(line) > span:
        first -= (first - nearest) % scene.stride
        first = max(first, nearest % scene.stride)
    else:
        first = nearest % scene.stride
    heading = heading_in(scene, basis, scene.plane)
    places: list[Vector | None] = []
    for k in range(count):
        index = first + k * scene.stride
        if index >= len(line):
            places.append(None)
            continue
        mm = line[index] - at
        places.append(cast(Vector, tuple(p + mm * h for p, h in zip(scene.position, heading, strict=True))))
    return places
