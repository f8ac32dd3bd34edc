"""Values between voxels, by numpy: the nearest, linear, cubic. `compiled` has the same sums, compiled.

All take values of shape ``(steps, slice, row, column)`` and indices within them, never outside. What is linear is computed as
``a + weight * (b - a)``, so that what is constant stays so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["along_axes", "cubic", "linear", "nearest"]

FloatArray = npt.NDArray[np.float64]


def nearest(values: npt.NDArray[Any], index: Sequence[FloatArray], out: npt.NDArray[Any]) -> None:
    """Write the nearest values into `out`, shape ``(steps, …)``; halves go up."""
    offset = np.zeros(index[0].shape, np.intp)
    for x, size, stride in zip(index, values.shape[1:], _strides(values), strict=True):
        offset += np.minimum((x + 0.5).astype(np.intp), size - 1) * stride
    for step, result in zip(values, out, strict=True):
        # "clip" is what lets numpy write into `out` without a copy; no index is outside.
        np.take(step.reshape(-1), offset, out=result, mode="clip")


def linear(values: npt.NDArray[Any], index: Sequence[FloatArray], out: npt.NDArray[Any]) -> None:
    """Write trilinear values into `out`, shape ``(steps, …)`` and of the dtype of `values`."""
    real = values.real.dtype
    offset = np.zeros(index[0].shape, np.intp)
    weights = []
    strides = _strides(values)
    for x, stride in zip(index, strides, strict=True):
        low = x.astype(np.intp)
        weights.append(np.subtract(x, low).astype(real))
        offset += low if stride == 1 else low * stride
    down, across = strides[0], strides[1]
    corner = np.empty(offset.shape, values.dtype)
    edges = [np.empty(offset.shape, values.dtype) for _ in range(4)]
    for step, result in zip(values, out, strict=True):
        flat = step.reshape(-1)
        for edge, start in zip(edges, (0, across, down, down + across), strict=True):
            _take(flat, start, offset, edge)
            _take(flat, start + 1, offset, corner)
            _blend(edge, corner, weights[2])
        _blend(edges[0], edges[1], weights[1])
        _blend(edges[2], edges[3], weights[1])
        _blend(edges[0], edges[2], weights[0])
        result[...] = edges[0]


def _take(flat: npt.NDArray[Any], start: int, offset: npt.NDArray[np.intp], out: npt.NDArray[Any]) -> None:
    """The values `start` further on; where that is past the end, any value, for its weight is 0."""
    np.take(flat[min(start, flat.size - 1) :], offset, out=out, mode="clip")


def _blend(lower: npt.NDArray[Any], upper: npt.NDArray[Any], weight: npt.NDArray[Any]) -> None:
    """`lower` becomes what lies between both; `upper` is spoilt."""
    np.subtract(upper, lower, out=upper)
    np.multiply(upper, weight, out=upper)
    np.add(lower, upper, out=lower)


def cubic(values: npt.NDArray[Any], index: Sequence[FloatArray], out: npt.NDArray[Any]) -> None:
    """Write values of cubic B-splines into `out`; `values` are their coefficients, mirrored at the outer centres."""
    from scipy.ndimage import map_coordinates

    where = np.stack(index)
    for step, result in zip(values, out, strict=True):
        map_coordinates(step, where, output=result, order=3, mode="mirror", prefilter=False)


def along_axes(
    values: npt.NDArray[Any], tables: Sequence[FloatArray], plane: int, order: int, out: npt.NDArray[Any]
) -> None:
    """Write a plane of a grid whose axes run along those of `values`: one table of indices each, one axis after another."""
    part = values
    for axis, index in zip((1, 2, 3), (tables[0][plane : plane + 1], *tables[1:]), strict=True):
        size = values.shape[axis]
        if order == 0:
            part = _picked(part, np.minimum((index + 0.5).astype(np.intp), size - 1), axis)
            continue
        low = index.astype(np.intp)
        weight = (index - low).astype(values.real.dtype)
        lower = _picked(part, low, axis)
        if weight.any():
            upper = _picked(part, np.minimum(low + 1, size - 1), axis)
            shape = [1] * 4
            shape[axis] = index.size
            part = lower + weight.reshape(shape) * (upper - lower)
        else:
            part = lower
    out[...] = part[:, 0]


def _picked(values: npt.NDArray[Any], index: npt.NDArray[np.intp], axis: int) -> npt.NDArray[Any]:
    if index.size == values.shape[axis] and np.array_equal(index, np.arange(index.size)):
        return values
    return values.take(index, axis=axis)


def _strides(values: npt.NDArray[Any]) -> tuple[int, int, int]:
    return values.shape[2] * values.shape[3], values.shape[3], 1
