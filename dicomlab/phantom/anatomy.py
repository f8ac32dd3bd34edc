"""The phantom's anatomy: a list of parts in painting order, each a shape made of one tissue.

Patient coordinates, LPS mm: x grows to the patient's left, y to the back, z to the head. The patient lies on the back.
z = 0 is about the top of the right diaphragm; the anatomy is meant for -160 <= z <= 160 (thorax and upper
abdomen) and simply goes on as a cylinder beyond.
"""

from __future__ import annotations

import functools
import math
import random
from collections.abc import Callable, Iterator, Sequence
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

__all__ = ["ANALYTIC_ML", "LESION_CENTRE", "LESION_RADII", "NODULE_CENTRE", "NODULE_RADIUS", "Part", "parts"]

INF = math.inf
LESION_CENTRE = (-82.0, -14.0, -62.0)
LESION_RADII = (20.0, 16.0, 18.0)
NODULE_CENTRE = (78.0, 8.0, 82.0)
NODULE_RADIUS = 7.0

ANALYTIC_ML = {
    "lesion": 4 / 3 * math.pi * math.prod(LESION_RADII) / 1000,
    "nodule": 4 / 3 * math.pi * NODULE_RADIUS**3 / 1000,
}
"""Volumes that are known exactly, ml: an ellipsoid in the liver, a sphere in the left lung."""


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
        for *points, answer in last[:]:
            if points[0] is x and points[1] is y and points[2] is z:
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
    return np.asarray((k - 1.0) * k**1.5 / np.maximum(slope, 1e-9))


@_once
def _cavity(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of the inner chest and belly wall: closed above at z = 148, open below."""
    a, b, h = 129.0, 84.0, 92.0
    u, v, w = x / a, (y + 3.0) / b, np.maximum(z - 56.0, 0.0) / h
    k = (_power(u) + _power(v) + _power(w)) ** 0.4
    slope = np.sqrt(
        np.abs(u) ** 3 / a**2 + np.abs(v) ** 3 / b**2 + w**3 / h**2
    )
    return np.asarray((k - 1.0) * k**1.5 / np.maximum(slope, 1e-9))


CAVITY = Shape(_cavity, (-129.0, -87.0, -INF), (129.0, 81.0, 148.0))
SKIN = Shape(_outline, (-168.0, -114.0, -INF), (168.0, 114.0, INF))
RECESS = half_space((0, -0.5, -1), 52)


@_once
def _diaphragm(x: Array, y: Array, z: Array) -> Array:
    """Return the distance of what lies below the diaphragm: a right, a left and a central dome with steep edges."""
    found = np.full_like(x, INF)
    for x0, y0, top, a, b in ((-66.0, 2.0, 4.0, 62.0, 82.0), (66.0, 4.0, -16.0, 60.0, 80.0), (4.0, -24.0, -20.0, 62.0, 58.0)):
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


def _table_and_wall() -> Iterator[Part]:
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
        half = 5.0 + crus + 24.0 * np.exp(-(((y - 24.0) / 40.0) ** 2)) + 6.0 * np.exp(-(((z - 64.0) / 30.0) ** 2))
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
    rng: random.Random, start: tuple[float, ...], way: Sequence[float], radius: float, left: int, lung: Distance
) -> Iterator[Shape]:
    """Return a vessel and its branches, as far as they stay inside the lung."""
    length = (9.0 + 9.0 * rng.random()) * (0.6 + radius / 5.0)
    end = tuple(float(s + length * w) for s, w in zip(start, way, strict=True))
    depth = float(lung(*(np.array([v]) for v in end))[0])
    if left == 0 or depth > -3.0:
        return
    yield tube(start, end, radius, 0.84 * radius)
    for turn in (0.25 + 0.45 * rng.random(), -0.35 - 0.5 * rng.random()):
        sideways = np.cross(way, [rng.random() - 0.5 for _ in range(3)])
        sideways = sideways / np.linalg.norm(sideways)
        bent = math.cos(turn) * np.asarray(way) + math.sin(turn) * sideways
        yield from _grow(rng, end, bent.tolist(), (0.82 if abs(turn) < 0.6 else 0.68) * radius, left - 1, lung)


def _lungs() -> Iterator[Part]:
    rng = random.Random(20240229)  # random() of a seeded Mersenne twister is the same in every Python
    for side, name in ((-1, "lung_right"), (1, "lung_left")):
        lung = _lung(side)
        yield Part(lung, "lung", name, settling=0.45)
        yield Part(intersect(lung, _fissure(side)), "fissure")
        hilum = (side * 36.0, 8.0, 60.0)
        for _ in range(13):
            way = np.array([side * (0.35 + rng.random()), 2 * rng.random() - 1, 2.4 * rng.random() - 1.45])
            way /= np.linalg.norm(way)
            offset = tuple(h + 16 * (rng.random() - 0.5) for h in hilum)
            start = (offset[0] + side * 8, offset[1], offset[2])
            for vessel in _grow(rng, start, way.tolist(), 1.6 + 2.4 * rng.random(), 6, lung.distance):
                yield Part(vessel, "lung vessel")


def _vertebra_height(z: Array) -> Array:
    """Return the height above the middle of the nearest vertebral body (one every 27 mm)."""
    return np.asarray(np.mod(z + 13.5, 27.0) - 13.5)


def _bones() -> Iterator[Part]:
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
        axes = ((math.cos(tilt), math.sin(tilt), 0.0), (-math.sin(tilt), math.cos(tilt), 0.0), (0.0, 0.0, 1.0))
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


def _belly() -> Iterator[Part]:
    inside = CAVITY.grown(-2.5).distance
    # the diaphragm is a thin sheet of muscle over liver, stomach and spleen
    yield Part(subtract(intersect(BELLY, CAVITY.distance, half_space((0, 0, -1), 90)), BELLY.grown(-2.5).distance), "muscle", "body")
    below = intersect(BELLY.grown(-3.2), inside)
    lobes = union(
        ellipsoid((-66, 4, -62), (74, 82, 92)),
        ellipsoid((-8, -38, -52), (68, 38, 42)),
    )
    edge = half_space((0.42, 0.05, -1), 118)
    liver = intersect(lobes, below.distance, edge)
    yield Part(liver, "liver", "liver")
    portal = [(-12, 6, -92), (-34, 4, -80), (-50, 14, -72), (-62, 30, -66)]
    hepatic = [(-22, 24, -28), (-40, 26, -36), (-58, 34, -44), (-80, 36, -48)]
    for path in (
        portal,
        [(-34, 4, -80), (-26, -16, -72), (-8, -36, -62), (14, -42, -56)],
        hepatic,
        [(-22, 24, -28), (-36, 2, -32), (-52, -16, -36), (-64, -34, -40)],
        [(-22, 24, -28), (-14, -4, -34), (4, -28, -40)],
    ):
        for vessel in chain(path, [5.0, 4.0, 3.0, 1.6][: len(path)]):
            yield Part(intersect(vessel, liver.grown(2.0).distance), "liver vessel")
    yield Part(intersect(ellipsoid((-40, -52, -122), (12, 14, 24)), inside), "fluid", "body")
    yield Part(ellipsoid(LESION_CENTRE, LESION_RADII), "lesion", "lesion")

    spleen = intersect(ellipsoid((102, 40, -66), (30, 42, 46)), below.distance)
    yield Part(spleen, "spleen", "spleen")
    for side, low in ((-1, -146.0), (1, -132.0)):
        lean = 0.25 * side
        axes = ((math.cos(lean), 0.0, math.sin(lean)), (0.0, 1.0, 0.0), (-math.sin(lean), 0.0, math.cos(lean)))
        kidney = ellipsoid((side * 60, 44, low), (27, 24, 50), axes)
        yield Part(kidney.grown(5.0), "fat", "body")
        yield Part(kidney, "kidney", "kidneys")
        yield Part(kidney.grown(-10.0), "kidney pith", "kidneys")
        yield Part(ellipsoid((side * 46, 40, low), (15, 9, 18), axes), "fat", "body")
        yield Part(tube((side * 26, 58, -92), (side * 40, 54, -230), 9, 20), "muscle", "body")
    for gland in chain([(-28, -4, -124), (0, -14, -112), (34, 0, -100), (70, 22, -92)], [12, 9, 9, 7]):
        yield Part(gland, "pancreas", "body")

    stomach = intersect(
        union(ellipsoid((64, -18, -68), (40, 42, 44)), *chain([(56, -36, -88), (24, -48, -118)], [24, 17])),
        below.distance,
    )
    yield Part(stomach, "stomach wall", "stomach")
    yield Part(stomach.grown(-4.5), "fluid", "stomach")
    # the patient lies on the back, so the gas is in front, above a level
    yield Part(intersect(stomach.grown(-4.5), half_space((0, 1, 0), -32)), "air", "stomach_air")

    rng = random.Random(7)
    colon = [(112, 12, -104), (110, -22, -122), (76, -56, -140), (20, -62, -152), (-34, -60, -152), (-80, -44, -156)]
    colon += [(-98, -10, -172), (-98, 0, -300)]
    loops = [(64, 0, -166), (28, -34, -188), (4, -4, -172), (-34, -30, -190), (-50, 2, -176), (-10, -10, -200)]
    pouches = []
    for path, size in ((colon, 16.0), (loops, 11.0)):
        for a, b in zip(path[:-1], path[1:], strict=True):
            count = math.ceil(math.dist(a, b) / (0.85 * size))
            for i in range(count):
                centre = [p + (q - p) * i / count for p, q in zip(a, b, strict=True)]
                pouches.append((intersect(ellipsoid(centre, (size + 2.5 * rng.random(),) * 3), inside), centre[1]))
    for pouch, _ in pouches:
        yield Part(pouch, "stomach wall", "body")
    for pouch, _ in pouches:
        yield Part(pouch.grown(-2.5), "stool", "body")
    for pouch, level in pouches[: len(pouches) // 2]:
        yield Part(intersect(pouch.grown(-2.5), half_space((0, 1, 0), level - 3)), "air", "bowel_gas")


def _chest() -> Iterator[Part]:
    long = np.array([0.62, -0.52, -0.59])  # the heart points to the left, to the front and down
    long /= np.linalg.norm(long)
    across = np.cross(long, [0.0, 0.0, 1.0])
    across /= np.linalg.norm(across)
    axes = (tuple(long), tuple(across), tuple(np.cross(long, across)))

    def chamber(along: float, side: float, up: float, radii: Sequence[float]) -> Shape:
        centre = np.array([20.0, -26.0, 30.0]) + along * long + side * across + up * np.cross(long, across)
        return ellipsoid(centre.tolist(), radii, axes)

    heart = chamber(0, 0, 0, (64, 49, 48))
    inside = CAVITY.grown(-4.0).distance
    pericardium = intersect(heart.grown(4.5), CAVITY.grown(-1.0).distance)
    yield Part(subtract(pericardium, BELLY.distance), "fat", "body")
    muscle = subtract(intersect(heart, inside), BELLY.grown(3.0).distance)
    yield Part(muscle, "heart muscle", "heart")
    blood = muscle.grown(-3.0).distance
    back = -1.0 if across[1] < 0 else 1.0  # +1 when `across` points to the back
    for cavity in (
        chamber(14, 17 * back, 0, (38, 18, 20)),  # left ventricle
        chamber(10, -24 * back, -4, (44, 16, 30)),  # right ventricle
        chamber(-38, 20 * back, 8, (22, 25, 24)),  # left atrium
        chamber(-34, -20 * back, -8, (22, 22, 28)),  # right atrium
    ):
        yield Part(intersect(cavity, blood), "blood", "heart")


def _great_vessels() -> Iterator[Part]:
    aorta = [(6, -20, 44), (-10, -26, 66), (-10, -18, 88), (2, 0, 102), (18, 22, 102), (28, 38, 88)]
    aorta += [(28, 40, 40), (24, 32, -20), (14, 26, -90), (10, 26, -300)]
    for vessel in chain(aorta, [15, 15, 14.5, 13.5, 12.5, 12, 11.5, 11, 10, 9]):
        yield Part(vessel, "blood", "aorta")
    for path, radii in (
        ([(-20, 24, -300), (-24, 26, -90), (-24, 22, -30), (-22, 4, 6)], [11, 11, 10, 11]),  # inferior vena cava
        ([(-22, -6, 34), (-26, -14, 70), (-24, -16, 118), (-30, -18, 150), (-40, -20, 300)], [10, 10, 9, 7, 6]),
        ([(24, -42, 52), (20, -34, 70), (26, -14, 80), (42, 8, 74), (54, 18, 64)], [14, 14, 12, 10, 7]),
        ([(20, -26, 74), (0, -8, 68), (-26, 2, 64), (-48, 8, 60)], [12, 10.5, 10, 8]),
        ([(2, -4, 104), (-16, -12, 124), (-28, -10, 150), (-30, 0, 300)], [6.5, 6, 5, 5]),
        ([(8, 8, 105), (8, -2, 130), (16, 0, 160), (18, 0, 300)], [4.2, 3.8, 3.6, 3.6]),
        ([(16, 20, 106), (26, 10, 128), (36, 6, 150), (44, 4, 300)], [5, 4.6, 4.4, 4.4]),
    ):
        for vessel in chain(path, radii):
            yield Part(vessel, "blood", "vessels")
    yield Part(union(*chain([(2, 30, 300), (6, 32, 60), (14, 24, -24), (34, 4, -50)], [7, 7, 7.5, 8])), "muscle", "body")
    windpipe = [(0, 10, 300), (0, 14, 130), (0, 20, 84)]
    bronchi = [[(0, 20, 84), (-22, 18, 68), (-44, 16, 56)], [(0, 20, 84), (24, 20, 66), (46, 18, 54)]]
    walls = [(windpipe, [8.5, 8.5, 8.5]), (bronchi[0], [7.0, 6.0, 4.0]), (bronchi[1], [6.5, 5.5, 3.6])]
    for path, radii in walls:
        for pipe in chain(path, radii):
            yield Part(pipe.grown(1.7), "cartilage", None)
    for path, radii in walls:
        for pipe in chain(path, radii):
            yield Part(pipe, "air", "airways")
    yield Part(ellipsoid((6.5, 32, 96), (2.2, 1.6, 26)), "air", None)


@functools.cache
def parts() -> tuple[Part, ...]:
    """Return every part in painting order: where parts overlap, the later one counts."""
    stages: tuple[Callable[[], Iterator[Part]], ...] = (_table_and_wall, _bones, _lungs, _belly, _chest, _great_vessels)
    found = [part for stage in stages for part in stage()]
    found.append(Part(ellipsoid(NODULE_CENTRE, (NODULE_RADIUS,) * 3), "nodule", "nodule"))
    return tuple(found)
