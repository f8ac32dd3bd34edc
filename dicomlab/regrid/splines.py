"""Cubic splines through slices at their true positions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.regrid.places import Ruler

__all__ = ["Uneven", "spline_weights", "weighted"]

FloatArray = npt.NDArray[np.float64]
Values = npt.NDArray[Any]
Numbers = npt.NDArray[np.intp]

_NO_WEIGHT = 1e-9
"""Weights of a spline fall to a quarter from one slice to the next; below this they are none."""


def spline_weights(along: FloatArray, grid: FloatArray) -> FloatArray:
    """Weights, shape ``(places, slices)``, of the cubic spline through all slices (of lower degree through three or two)."""
    from scipy.interpolate import make_interp_spline

    spline = make_interp_spline(along, np.eye(along.size), k=min(3, along.size - 1))
    found = np.asarray(spline(grid), dtype=np.float64)
    return np.where(np.abs(found) > _NO_WEIGHT, found, 0.0)


def weighted(*planes: npt.NDArray[Any], weights: FloatArray, dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    """The weighted sum of planes, rounded once."""
    wide = np.result_type(dtype, np.float64)
    total = np.zeros(planes[0].shape, wide)
    # An infinite voxel beside its opposite has no sum; NaN says so.
    with np.errstate(invalid="ignore"):
        for plane, weight in zip(planes, weights, strict=True):
            total += plane * weight
    return total.astype(dtype)


@dataclass(frozen=True, eq=False)
class Uneven:
    """The cubic spline through slices that are not even, at their true positions; along rows and columns a B-spline of voxels.

    Parameters
    ----------
    along
        Rising positions of the slices, with a minus where these fall.
    knots
        Of the B-splines along the slices.
    degree
        3, less where there are fewer than four slices.
    """

    along: FloatArray
    knots: FloatArray
    degree: int

    @classmethod
    def of(cls, ruler: Ruler, start: int, count: int) -> Uneven | None:
        """For the slices `start` to ``start + count`` of an axis; None where it is even, or a single slice is there."""
        if ruler.knots is None or count < 2:
            return None
        from scipy.interpolate import make_interp_spline

        positions = ruler.mm(start + np.arange(count, dtype=np.float64))
        along = positions if positions[-1] > positions[0] else -positions
        degree = min(3, count - 1)
        return cls(along, make_interp_spline(along, along, k=degree).t, degree)

    def coefficients(self, values: Values, out: Values) -> None:
        """Write those of values of shape ``(slice, row, column)``, all of them finite."""
        from scipy.interpolate import make_interp_spline
        from scipy.ndimage import spline_filter1d

        found = make_interp_spline(self.along, values, k=self.degree, axis=0).c
        for axis in (1, 2):
            found = spline_filter1d(found, 3, axis=axis, output=found.dtype, mode="mirror")
        out[...] = found

    def sums(self, values: Values, index: Sequence[FloatArray], out: Values) -> None:
        """Write values into `out`, shape ``(steps, …)``, from coefficients and indices among them, never outside."""
        slices = self._slices(index[0])
        rows, columns = (_uniform(x, size) for x, size in zip(index[1:], values.shape[2:], strict=True))
        height, width = values.shape[2:]
        out[...] = 0
        for k, along in slices:
            for i, down in rows:
                start, share = (k * height + i) * width, along * down
                for j, across in columns:
                    weight = share * across
                    for step, result in zip(values, out, strict=True):
                        result += (step.reshape(-1)[start + j] * weight).astype(result.dtype)

    def _slices(self, index: FloatArray) -> list[tuple[Numbers, FloatArray]]:
        """The slices whose coefficients count at an index, and how much: de Boor's recursion."""
        t, degree = self.knots, self.degree
        x = np.interp(index, np.arange(self.along.size), self.along)
        span = np.clip(np.searchsorted(t, x, side="right") - 1, degree, self.along.size - 1)
        weights = [np.ones(x.shape)]
        for d in range(1, degree + 1):
            raised = [np.zeros(x.shape) for _ in range(d + 1)]
            for r, weight in enumerate(weights):
                low, high = t[span - d + 1 + r], t[span + 1 + r]
                part = weight / (high - low)
                raised[r] += (high - x) * part
                raised[r + 1] += (x - low) * part
            weights = raised
        return [(span - degree + r, weight) for r, weight in enumerate(weights)]


def _uniform(index: FloatArray, size: int) -> list[tuple[Numbers, FloatArray]]:
    """The voxels of an even axis, mirrored at the outer centres, whose coefficients count at an index, and how much."""
    before = np.minimum(np.floor(index).astype(np.intp), max(size - 2, 0))
    t = index - before
    weights = (
        (1 - t) ** 3 / 6,
        (3 * t**3 - 6 * t**2 + 4) / 6,
        (-3 * t**3 + 3 * t**2 + 3 * t + 1) / 6,
        t**3 / 6,
    )
    period = max(2 * (size - 1), 1)
    found = []
    for shift, weight in zip((-1, 0, 1, 2), weights, strict=True):
        place = (before + shift) % period
        found.append((np.where(place >= size, period - place, place), weight))
    return found
