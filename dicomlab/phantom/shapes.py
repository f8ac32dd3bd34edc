"""Solid shapes as signed distances in patient millimetres, and the few operations that combine them.

A distance is a function of three equal arrays (x, y, z in LPS mm): negative inside, zero on the surface,
positive outside. Exactly which points are inside is therefore always decided by the sign, whatever the grid;
the size of the distance only softens edges, so it may be approximate (it is, for ellipsoids, to first order).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = [
    "Array",
    "Distance",
    "Shape",
    "chain",
    "ellipsoid",
    "half_space",
    "intersect",
    "subtract",
    "tube",
    "union",
]

Array: TypeAlias = npt.NDArray[np.float64]
Distance: TypeAlias = Callable[[Array, Array, Array], Array]
Point: TypeAlias = Sequence[float]

EVERYWHERE = ((-math.inf,) * 3, (math.inf,) * 3)


@dataclass(frozen=True)
class Shape:
    """A distance with a box outside which it is certainly positive.

    Parameters
    ----------
    distance
        Signed distance in mm of points in LPS mm, negative inside.
    low, high
        Corners of the box, LPS mm; infinite where the shape has no end.
    """

    distance: Distance
    low: Point = EVERYWHERE[0]
    high: Point = EVERYWHERE[1]

    def grown(self, by: float) -> Shape:
        """Return the shape with its surface moved outwards by `by` mm (inwards when negative)."""
        inner = self.distance
        return Shape(
            lambda x, y, z: inner(x, y, z) - by,
            [v - max(by, 0.0) for v in self.low],
            [v + max(by, 0.0) for v in self.high],
        )


def ellipsoid(centre: Point, radii: Point, axes: Sequence[Point] | None = None) -> Shape:
    """Return an ellipsoid; `axes` are its three orthonormal half-axis directions (default: x, y, z).

    Its volume is exactly 4/3 pi a b c. An infinite radius makes an elliptic cylinder.
    """
    cx, cy, cz = centre
    inverse = [0.0 if math.isinf(r) else 1.0 / r for r in radii]
    frame = np.eye(3) if axes is None else np.asarray(axes, dtype=float)
    flat = max(r for r in radii if not math.isinf(r)) > 4 * min(radii)

    def distance(x: Array, y: Array, z: Array) -> Array:
        dx, dy, dz = x - cx, y - cy, z - cz
        near = np.zeros_like(dx)
        slope = np.zeros_like(dx)
        least = np.full_like(dx, -math.inf)
        for axis, r, i in zip(frame, radii, inverse, strict=True):
            along = dx if axes is None and axis[0] else dy if axes is None and axis[1] else dz
            if axes is not None:
                along = axis[0] * dx + axis[1] * dy + axis[2] * dz
            q = along * i
            near += q * q
            q = q * i
            slope += q * q
            if flat:  # beyond the tips the first order is far too near; the box is a better bound
                least = np.maximum(least, np.abs(along) - r)
        k = np.sqrt(near)
        # the smallest radius bounds the quotient from below, and stands in for it at the centre (0 / 0)
        quotient = np.maximum(k / np.sqrt(np.maximum(slope, 1e-18)), min(radii))
        return np.maximum((k - 1.0) * quotient, least)

    reach = np.asarray(radii, dtype=float)
    if axes is None:
        half = reach
    else:  # the box of a rotated ellipsoid
        half = np.sqrt(((frame * reach[:, None]) ** 2).sum(axis=0))
    middle = np.asarray(centre, dtype=float)
    return Shape(distance, list(middle - half), list(middle + half))


def tube(start: Point, end: Point, radius: float, end_radius: float | None = None) -> Shape:
    """Return a straight tube with round ends whose radius runs evenly from `radius` to `end_radius` mm."""
    a, b = np.asarray(start, dtype=float), np.asarray(end, dtype=float)
    last = radius if end_radius is None else end_radius
    way = b - a
    ux, uy, uz = way / float(way @ way)
    wx, wy, wz = way
    ax, ay, az = a

    def distance(x: Array, y: Array, z: Array) -> Array:
        dx, dy, dz = x - ax, y - ay, z - az
        t = np.clip(dx * ux + dy * uy + dz * uz, 0.0, 1.0)
        dx, dy, dz = dx - t * wx, dy - t * wy, dz - t * wz
        return np.asarray(np.sqrt(dx * dx + dy * dy + dz * dz) - (radius + (last - radius) * t))

    widest = max(radius, last)
    return Shape(distance, list(np.minimum(a, b) - widest), list(np.maximum(a, b) + widest))


def chain(points: Sequence[Point], radii: Sequence[float]) -> list[Shape]:
    """Return the tubes that join `points`, with one radius at each point."""
    return [tube(points[i], points[i + 1], radii[i], radii[i + 1]) for i in range(len(points) - 1)]


def half_space(normal: Point, offset: float) -> Distance:
    """Return the distance of the half space where ``normal . point <= offset`` (normal of any length)."""
    length = math.sqrt(sum(v * v for v in normal))
    nx, ny, nz = (v / length for v in normal)
    level = offset / length
    return lambda x, y, z: nx * x + ny * y + nz * z - level


def intersect(shape: Shape, *others: Distance) -> Shape:
    """Return the part of `shape` inside all `others`."""

    def distance(x: Array, y: Array, z: Array) -> Array:
        found = shape.distance(x, y, z)
        for other in others:
            found = np.maximum(found, other(x, y, z))
        return found

    return Shape(distance, shape.low, shape.high)


def subtract(shape: Shape, *others: Distance) -> Shape:
    """Return the part of `shape` outside all `others`."""

    def outside(other: Distance) -> Distance:
        return lambda x, y, z: -other(x, y, z)

    return intersect(shape, *(outside(other) for other in others))


def union(*shapes: Shape) -> Shape:
    """Return the points inside any of `shapes`."""

    def distance(x: Array, y: Array, z: Array) -> Array:
        found = shapes[0].distance(x, y, z)
        for other in shapes[1:]:
            found = np.minimum(found, other.distance(x, y, z))
        return found

    low = np.min([s.low for s in shapes], axis=0)
    high = np.max([s.high for s in shapes], axis=0)
    return Shape(distance, list(low), list(high))
