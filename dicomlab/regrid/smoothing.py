"""Detail that a coarser grid cannot hold, taken out beforehand: anti-aliasing by a Gaussian."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.regrid.threads import spread

__all__ = ["radii", "sigmas", "smoothed"]

FloatArray = npt.NDArray[np.float64]

_REACH = 4.0
"""Standard deviations after which the Gaussian is cut."""

_PIECE = 16
"""Planes that one thread takes at a time."""


def sigmas(coarseness: FloatArray) -> FloatArray:
    """Standard deviations, in voxels, that turn a voxel as wide as its step into one `coarseness` times as wide.

    Widths (at half height) add as squares; where the grid gets no coarser nothing is smoothed.

    References
    ----------
    Cardoso et al., "Scale factor point spread function matching", MICCAI 2015.
    """
    widths = np.sqrt(np.maximum(coarseness**2 - 1.0, 0.0))
    found: FloatArray = widths / (2 * np.sqrt(2 * np.log(2)))
    return found


def radii(widths: FloatArray) -> tuple[int, int, int]:
    """Voxels that the Gaussian reaches along each axis; 0 where there is none."""
    a, b, c = (int(_REACH * sigma + 0.5) for sigma in widths)
    return a, b, c


def smoothed(
    values: npt.NDArray[Any], widths: FloatArray, missing: npt.NDArray[np.bool_] | None, workers: int
) -> npt.NDArray[Any]:
    """`values` (steps, slice, row, column) smoothed; those `missing` add nothing to their neighbours."""
    if not any(radii(widths)):
        return values
    if missing is None:
        return _gaussian(values, widths, workers)
    there = _gaussian((~missing).astype(values.dtype), widths, workers)
    total = _gaussian(np.where(missing, 0, values), widths, workers)
    made: npt.NDArray[Any] = np.divide(total, there, out=np.zeros_like(total), where=there > 1e-6)
    return made


def _gaussian(values: npt.NDArray[Any], widths: FloatArray, workers: int) -> npt.NDArray[Any]:
    from scipy.ndimage import gaussian_filter1d

    for axis, sigma, radius in zip((-3, -2, -1), widths, radii(widths), strict=True):
        if not radius:
            continue
        result = np.empty_like(values)
        source, target = np.moveaxis(values, axis, -1), np.moveaxis(result, axis, -1)

        def part(
            here: slice,
            source: Any = source,
            target: Any = target,
            sigma: float = sigma,
            radius: int = radius,
        ) -> None:
            gaussian_filter1d(source[:, here], sigma, output=target[:, here], mode="nearest", radius=radius)

        spread(part, [slice(n, n + _PIECE) for n in range(0, source.shape[1], _PIECE)], workers)
        values = result
    return values
