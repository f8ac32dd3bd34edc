"""The trilinear sums of `plain`, compiled by numba: one pass, nothing kept between (``pip install dicomlab[fast]``)."""

from __future__ import annotations

import importlib.util
from functools import cache
from typing import Any

import numpy as np

from dicomlab.regrid.places import SLACK

__all__ = ["available", "kernel"]


def available() -> bool:
    """Whether numba is installed."""
    return importlib.util.find_spec("numba") is not None


@cache
def kernel() -> Any:
    """`trilinear`, compiled; machine code is kept on disk, where numba keeps it, for the next process."""
    import numba

    return numba.njit(nogil=True, cache=True)(_trilinear)


def _trilinear(
    values: Any, start: Any, sizes: Any, terms: Any, blank: Any, out: Any, plane: int, first: int, last: int
) -> None:
    """Rows `first` to `last` of a plane of `out`, from even axes: `terms` as in `Places`, `start` and `sizes` of the source.

    `values` (slice, row, column) begin at voxel `start` of a source of `sizes` voxels.
    """
    kind = values.dtype.type
    slices, rows, columns = values.shape
    high0, high1, high2 = sizes[0] - 0.5 + SLACK, sizes[1] - 0.5 + SLACK, sizes[2] - 0.5 + SLACK
    for i in range(first, last):
        k0 = terms[0][0][plane] + terms[0][1][i]
        k1 = terms[1][0][plane] + terms[1][1][i]
        k2 = terms[2][0][plane] + terms[2][1][i]
        for j in range(out.shape[2]):
            x0, x1, x2 = k0 + terms[0][2][j], k1 + terms[1][2][j], k2 + terms[2][2][j]
            if not (
                -0.5 - SLACK <= x0 <= high0 and -0.5 - SLACK <= x1 <= high1 and -0.5 - SLACK <= x2 <= high2
            ):
                out[plane, i, j] = blank
                continue
            x0 = min(max(x0, 0.0), sizes[0] - 1.0) - start[0]
            x1 = min(max(x1, 0.0), sizes[1] - 1.0) - start[1]
            x2 = min(max(x2, 0.0), sizes[2] - 1.0) - start[2]
            i0, i1, i2 = np.intp(x0), np.intp(x1), np.intp(x2)
            w0, w1, w2 = kind(x0 - i0), kind(x1 - i1), kind(x2 - i2)
            # Unsigned, so that numba asks of none whether it counts from the end.
            a0, a1, a2 = np.uintp(i0), np.uintp(i1), np.uintp(i2)
            b0 = np.uintp(min(i0 + 1, slices - 1))
            b1 = np.uintp(min(i1 + 1, rows - 1))
            b2 = np.uintp(min(i2 + 1, columns - 1))
            e00 = values[a0, a1, a2] + w2 * (values[a0, a1, b2] - values[a0, a1, a2])
            e01 = values[a0, b1, a2] + w2 * (values[a0, b1, b2] - values[a0, b1, a2])
            e10 = values[b0, a1, a2] + w2 * (values[b0, a1, b2] - values[b0, a1, a2])
            e11 = values[b0, b1, a2] + w2 * (values[b0, b1, b2] - values[b0, b1, a2])
            e0 = e00 + w1 * (e01 - e00)
            e1 = e10 + w1 * (e11 - e10)
            out[plane, i, j] = e0 + w0 * (e1 - e0)
