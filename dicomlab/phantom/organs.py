"""The phantom's organs, and the list of all its parts in painting order."""

from __future__ import annotations

import functools
import itertools
import math
import random
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from dicomlab.phantom.frame import BELLY, CAVITY, Part, bones, lungs, table_and_wall
from dicomlab.phantom.shapes import Shape, chain, ellipsoid, half_space, intersect, subtract, tube, union

__all__ = ["ANALYTIC_ML", "LESION_CENTRE", "LESION_RADII", "NODULE_CENTRE", "NODULE_RADIUS", "parts"]

LESION_CENTRE = (-81.75, -15.0, -61.0)
LESION_RADII = (20.0, 16.0, 18.0)
NODULE_CENTRE = (78.0, 8.0, 82.0)
NODULE_RADIUS = 7.0

ANALYTIC_ML = {
    "lesion": 4 / 3 * math.pi * math.prod(LESION_RADII) / 1000,
    "nodule": 4 / 3 * math.pi * NODULE_RADIUS**3 / 1000,
}
"""Volumes that are known exactly, ml: an ellipsoid in the liver, a sphere in the left lung."""


def _belly() -> Iterator[Part]:
    inside = CAVITY.grown(-1.2).distance
    # the diaphragm is a thin sheet of muscle over liver, stomach and spleen
    under = intersect(BELLY, CAVITY.distance, half_space((0, 0, -1), 90))
    yield Part(subtract(under, BELLY.grown(-2.5).distance), "muscle", "body")
    below = intersect(BELLY.grown(-2.6), inside)
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
        axes = (
            (math.cos(lean), 0.0, math.sin(lean)),
            (0.0, 1.0, 0.0),
            (-math.sin(lean), 0.0, math.cos(lean)),
        )
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
    colon = [
        (112, 12, -104),
        (110, -22, -122),
        (76, -56, -140),
        (20, -62, -152),
        (-34, -60, -152),
        (-80, -44, -156),
    ]
    colon += [(-98, -10, -172), (-98, 0, -300)]
    loops = [
        (64, 0, -166),
        (28, -34, -188),
        (4, -4, -172),
        (-34, -30, -190),
        (-50, 2, -176),
        (-10, -10, -200),
    ]
    pouches = []
    for path, size in ((colon, 16.0), (loops, 11.0)):
        for a, b in itertools.pairwise(path):
            count = math.ceil(math.dist(a, b) / (0.85 * size))
            for i in range(count):
                centre = [p + (q - p) * i / count for p, q in zip(a, b, strict=True)]
                pouch = ellipsoid(centre, (size + 2.5 * rng.random(),) * 3)
                pouches.append((intersect(pouch, inside), centre[1]))
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
        ([(-20, 24, -300), (-24, 26, -90), (-24, 22, -30), (-22, 4, 6)], [11, 11, 10, 11]),
        (
            [(-22, -6, 34), (-26, -14, 70), (-24, -16, 118), (-30, -18, 150), (-40, -20, 300)],
            [10, 10, 9, 7, 6],
        ),
        ([(24, -42, 52), (20, -34, 70), (26, -14, 80), (42, 8, 74), (54, 18, 64)], [14, 14, 12, 10, 7]),
        ([(20, -26, 74), (0, -8, 68), (-26, 2, 64), (-48, 8, 60)], [12, 10.5, 10, 8]),
        ([(2, -4, 104), (-16, -12, 124), (-28, -10, 150), (-30, 0, 300)], [6.5, 6, 5, 5]),
        ([(8, 8, 105), (8, -2, 130), (16, 0, 160), (18, 0, 300)], [4.2, 3.8, 3.6, 3.6]),
        ([(16, 20, 106), (26, 10, 128), (36, 6, 150), (44, 4, 300)], [5, 4.6, 4.4, 4.4]),
    ):
        for vessel in chain(path, radii):
            yield Part(vessel, "blood", "vessels")
    gullet = chain([(2, 30, 300), (6, 32, 60), (14, 24, -24), (34, 4, -50)], [7, 7, 7.5, 8])
    yield Part(union(*gullet), "muscle", "body")
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
    stages: list[Callable[[], Iterator[Part]]] = [table_and_wall, bones, lungs]
    stages += [_belly, _chest, _great_vessels]
    found = [part for stage in stages for part in stage()]
    found.append(Part(ellipsoid(NODULE_CENTRE, (NODULE_RADIUS,) * 3), "nodule", "nodule"))
    return tuple(found)
