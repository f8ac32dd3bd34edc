"""The phantom's frame: couch, skin, fat and muscle, bones and lungs, each a shape made of one tissue.

Patient coordinates, LPS mm: x grows to the patient's left, y to the back, z to the head. The patient lies
on the back. z = 0 is about the top of the right diaphragm; the anatomy is meant for -180 <= z <= 145 (thorax
and upper abdomen) and simply goes on as a cylinder beyond.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from dicomlab.phantom.shapes import (
    Array,
    Distance,
    Shape,
    chain,
    ellipsoid,
    half_space,
    intersect,
    subtract,
    tube,
    union,
)

__all__ = ["BELLY", "CAVITY", "Part", "bones", "lungs", "table_and_wall"]

INF = math.inf


@dataclass(frozen=True)
class Part:
    """One shape of one tissue.

    Parameters
    ----------
    shape
        Where it is.
    tissue
        Key of `dicomlab.phantom.body.TISSUES`.
    label
        Name of the region its inside belongs to; None leaves the region below as it is (a vessel in the lung
        is still part of the lung).
    settling
        HU added per mm towards the back (lungs are denser where they hang).
    """

    shape: Shape
    tissue: str
    label: str | None = None
    settling: float = 0.0


def _once(distance: Distance) -> Distance:
    """Remember the last answer: many parts ask for the same wall or diaphragm at the very same points."""
    last: list[tuple[Array, Array, Array, Array]] = []

    def remembered(x: Array, y: Array, z: Array) -> Array:
        for x0, y0, z0, answer in last[:]:
            if x0 is x and y0 is y and z0 is z:
                return answer
        answer = distance(x, y, z)
        answer.flags.writeable = False
        last[:] = [(x, y, z, answer)]
        return answer

    return remembered


def _power(v: Array) -> Array:
    """Return |v| ** 2.5 without the slow general power."""
    return np.asarray(v * v * np.sqrt(np.abs(v)))


@_once
def _outline(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of the skin: a rounded rectangle, narrower towards the shoulders."""
    narrow = 1.0 / (1.0 + np.exp(np.clip((115.0 - z) / 16.0, -60.0, 60.0)))
    a, b = 168.0 - 22.0 * narrow, 114.0 - 20.0 * narrow
    u, v = x / a, y / b
    k = (_power(u) + _power(v)) ** 0.4
    slope = np.hypot(u * np.sqrt(np.abs(u)) / a, v * np.sqrt(np.abs(v)) / b)
    return np.asarray((k - 1.0) * np.maximum(k**1.5 / np.maximum(slope, 1e-9), b))


@_once
def _cavity(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of the inner chest and belly wall: closed above at z = 148, open below."""
    a, b, h = 129.0, 84.0, 92.0
    u, v, w = x / a, (y + 3.0) / b, np.maximum(z - 56.0, 0.0) / h
    k = (_power(u) + _power(v) + _power(w)) ** 0.4
    slope = np.sqrt(np.abs(u) ** 3 / a**2 + np.abs(v) ** 3 / b**2 + w**3 / h**2)
    return np.asarray((k - 1.0) * np.maximum(k**1.5 / np.maximum(slope, 1e-9), b))


CAVITY = Shape(_cavity, (-129.0, -87.0, -INF), (129.0, 81.0, 148.0))
SKIN = Shape(_outline, (-168.0, -114.0, -INF), (168.0, 114.0, INF))
RECESS = half_space((0, -0.35, -1), 62)


@_once
def _diaphragm(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of what lies below the diaphragm: three domes with steep edges."""
    found = np.full_like(x, INF)
    for x0, y0, top, a, b in (
        (-66.0, 2.0, 4.0, 62.0, 82.0),  # right, the highest
        (66.0, 4.0, -16.0, 60.0, 80.0),
        (4.0, -24.0, -20.0, 62.0, 58.0),  # under the heart
    ):
        u, v = (x - x0) / a, (y - y0) / b
        k = u * u + v * v
        steep = np.sqrt(1.0 + (220.0 * k) ** 2 * ((u / a) ** 2 + (v / b) ** 2))
        found = np.minimum(found, (z - top + 55.0 * k * k) / steep)
    return np.asarray(found)


BELLY = Shape(_diaphragm, (-INF, -INF, -INF), (INF, INF, 5.0))


def _muscle_wall(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of the muscle under the fat, which is thick at the flanks and belly."""
    fat = 7.0 + 7.0 * np.clip(np.abs(x) / 168.0, 0.0, 1.0) ** 2 + 4.0 * np.clip(-y / 114.0, 0.0, 1.0)
    fat = fat + np.clip((-40.0 - z) / 12.0, 0.0, 7.0)
    groove = 3.0 * np.exp(-((x / 14.0) ** 2)) * (y > 0)
    return np.asarray(_outline(x, y, z) + fat + groove)


def _couch(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of the couch: a plate 22 mm thick, hollowed to take the patient."""
    top = 119.0 - 14.0 * (x / 200.0) ** 2
    return np.asarray(np.maximum(np.maximum(top - y, y - 141.0 + 8.0 * (x / 200.0) ** 2), np.abs(x) - 196.0))


def table_and_wall() -> Iterator[Part]:
    """Yield couch, skin, fat, muscle and the fat that fills chest and belly."""
    couch = Shape(_couch, (-196.0, 105.0, -INF), (196.0, 141.0, INF))
    yield Part(couch, "couch shell")
    yield Part(couch.grown(-2.2), "couch foam")
    yield Part(SKIN, "skin", "body")
    yield Part(SKIN.grown(-2.0), "fat", "body")
    yield Part(Shape(_muscle_wall, SKIN.low, SKIN.high), "muscle", "body")
    for side in (-1, 1):  # long muscles of the back, and fat between the layers at the flanks
        yield Part(ellipsoid((side * 36, 92, 0), (25, 12, INF)), "fat", "body")
        yield Part(ellipsoid((side * 36, 91, 0), (23, 10, INF)), "muscle", "body")
    yield Part(CAVITY, "fat", "body")


def _lung(side: int) -> Shape:
    """Return one lung: side of the chest (+1 left), outside the mediastinum and above its diaphragm."""

    def mediastinum(x: Array, y: Array, z: Array) -> Array:
        crus = 16.0 * np.clip((-34.0 - z) / 30.0, 0.0, 1.0)
        hilum = 6.0 * np.exp(-(((z - 64.0) / 30.0) ** 2))
        half = 5.0 + crus + hilum + 24.0 * np.exp(-(((y - 24.0) / 40.0) ** 2))
        return np.asarray(half - side * x)

    low = (0.0, -90.0, -90.0) if side > 0 else (-130.0, -90.0, -90.0)
    high = (130.0, 90.0, 150.0) if side > 0 else (0.0, 90.0, 150.0)
    chest = Shape(CAVITY.grown(-1.0).distance, low, high)
    return subtract(intersect(chest, mediastinum, RECESS), BELLY.distance)


def _fissure(side: int) -> Distance:
    def sheet(x: Array, y: Array, z: Array) -> Array:
        height = z - 22.0 + 0.9 * y - 6.0 * np.sin(x / 22.0) - side * 4.0
        return np.asarray(np.abs(height) / 1.35 - 0.45)

    return sheet


def _grow(
    rng: random.Random,
    start: tuple[float, ...],
    way: Sequence[float],
    radius: float,
    left: int,
    lung: Distance,
) -> Iterator[Shape]:
    """Return a vessel and its branches, as far as they stay inside the lung."""
    length = (11.0 + 10.0 * rng.random()) * (0.6 + radius / 5.0)
    end = tuple(float(s + length * w) for s, w in zip(start, way, strict=True))
    depth = float(lung(*(np.array([v]) for v in end))[0])
    if left == 0 or depth > -3.0:
        return
    yield tube(start, end, radius, 0.84 * radius)
    for turn, shrink in ((0.25 + 0.45 * rng.random(), 0.82), (-0.35 - 0.5 * rng.random(), 0.68)):
        sideways = np.cross(way, [rng.random() - 0.5 for _ in range(3)])
        sideways = sideways / np.linalg.norm(sideways)
        bent = math.cos(turn) * np.asarray(way) + math.sin(turn) * sideways
        yield from _grow(rng, end, bent.tolist(), shrink * radius, left - 1, lung)


def lungs() -> Iterator[Part]:
    """Yield the two lungs with their fissure and a tree of vessels each."""
    rng = random.Random(20240229)  # random() of a seeded Mersenne twister is the same in every Python
    for side, name in ((-1, "lung_right"), (1, "lung_left")):
        lung = _lung(side)
        yield Part(lung, "lung", name, settling=0.45)
        yield Part(intersect(lung, _fissure(side)), "fissure")
        hilum = (side * 36.0, 8.0, 60.0)
        for _ in range(19):
            way = np.array([side * (0.35 + rng.random()), 2 * rng.random() - 1, 2.4 * rng.random() - 1.45])
            way /= np.linalg.norm(way)
            offset = tuple(h + 16 * (rng.random() - 0.5) for h in hilum)
            start = (offset[0] + side * 8, offset[1], offset[2])
            for vessel in _grow(rng, start, way.tolist(), 1.6 + 2.4 * rng.random(), 6, lung.distance):
                yield Part(vessel, "lung vessel")


def _vertebra_height(z: Array) -> Array:
    """Return the height above the middle of the nearest vertebral body (one every 27 mm)."""
    return np.asarray(np.mod(z + 13.5, 27.0) - 13.5)


def bones() -> Iterator[Part]:
    """Yield ribs, breastbone, shoulder blades, collar bones and the spine with its canal."""

    def periodic(shape: Shape, half: float) -> Shape:
        inner = shape.distance

        def distance(x: Array, y: Array, z: Array) -> Array:
            height = _vertebra_height(z)
            return np.maximum(inner(x, y, height), np.abs(height) - half)

        return Shape(distance, (shape.low[0], shape.low[1], -INF), (shape.high[0], shape.high[1], INF))

    def ribs(inset: float) -> Distance:
        def distance(x: Array, y: Array, z: Array) -> Array:
            root = z + 0.42 * (84.0 - y)
            up = (np.mod(root + 5.0, 27.0) - 13.5) / 1.08
            out = _cavity(x, y, z) - 6.0
            return np.asarray((np.hypot(out / 4.0, up / 6.5) - 1.0) * 4.6 + inset)

        return distance

    # ribs: one shell around the chest, cut into bands that fall towards the front
    shell = Shape(ribs(0.0), (-141.0, -99.0, -130.0), (141.0, 92.0, 142.0))
    margin = half_space((0, -0.75, -1), 66)
    bony = half_space((0, -1, 0.12), 52)
    joint: Distance = lambda x, y, z: np.where(y > 0, 21.0, 16.0) - np.abs(x)  # noqa: E731
    cage = intersect(shell, margin, joint)
    yield Part(subtract(cage, bony), "cartilage", "body")
    yield Part(intersect(cage, bony), "cortical bone", "bone")
    yield Part(intersect(Shape(ribs(1.7), shell.low, shell.high), margin, joint, bony), "spongy bone", "bone")

    for grow, tissue in ((0.0, "cortical bone"), (-2.0, "spongy bone")):
        plate = ellipsoid((0, -92, 52), (17 if grow == 0 else 15, 6.2, INF)).grown(grow)
        breast = intersect(plate, half_space((0, 0, -1), 8), half_space((0, 0, 1), 122))
        yield Part(breast, tissue, "bone")
    yield Part(ellipsoid((0, -91, -16), (6, 4, 12)), "cartilage", "body")

    for side in (-1, 1):  # shoulder blades
        tilt = math.radians(side * -36.0)
        axes = (
            (math.cos(tilt), math.sin(tilt), 0.0),
            (-math.sin(tilt), math.cos(tilt), 0.0),
            (0.0, 0.0, 1.0),
        )
        yield Part(ellipsoid((side * 92, 72, 128), (44, 13, 62), axes), "muscle", "body")
        yield Part(ellipsoid((side * 92, 72, 128), (36, 4.4, 52), axes), "cortical bone", "bone")
        yield Part(ellipsoid((side * 92, 72, 128), (33, 1.8, 48), axes), "spongy bone", "bone")

        collar = chain([(side * 16, -76, 126), (side * 50, -66, 136), (side * 88, -34, 146)], [7.0, 5.6, 6.0])
        for piece in collar:
            yield Part(piece, "cortical bone", "bone")
        for piece in collar:
            yield Part(piece.grown(-2.2), "spongy bone", "bone")

    column = ellipsoid((0, 52, 0), (19, 15.5, INF))
    yield Part(column, "disc", "body")
    yield Part(periodic(column.grown(0.7), 10.6), "cortical bone", "bone")
    yield Part(periodic(column.grown(-1.3), 9.2), "spongy bone", "bone")
    arch = subtract(ellipsoid((0, 76, 0), (15, 13, INF)), half_space((0, 1, 0), 64))
    yield Part(periodic(arch, 9.0), "cortical bone", "bone")
    yield Part(periodic(arch.grown(-2.5), 7.5), "spongy bone", "bone")
    spine = union(*chain([(0, 86, 2), (0, 97, -5), (0, 103, -8)], [3.4, 3.0, 3.8]))
    yield Part(periodic(spine, 13.0), "cortical bone", "bone")
    for side in (-1, 1):
        wing = tube((side * 12, 76, 2), (side * 36, 82, 4), 5.0, 4.4)
        yield Part(periodic(wing, 12.0), "cortical bone", "bone")
        yield Part(periodic(wing.grown(-2.2), 12.0), "spongy bone", "bone")
    yield Part(ellipsoid((0, 76, 0), (9.5, 8.5, INF)), "fluid", "body")
    yield Part(ellipsoid((0, 75.5, 0), (5.2, 4.2, INF)), "cord", "body")
