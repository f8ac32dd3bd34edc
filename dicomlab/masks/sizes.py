"""How large the labels of a mask are: voxels and millilitres."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.geometry import Geometry
from dicomlab.masks.form import counts, steps

__all__ = ["Size", "faces_between", "sizes", "slice_volumes"]


@dataclass(frozen=True)
class Size:
    """Of one label: how many voxels it has and how much room they take.

    Parameters
    ----------
    voxels
        Number of voxels, of all steps of further axes.
    ml
        Millilitres of the first step of further axes that has any; NaN where the size of a voxel is not known.
    """

    voxels: int
    ml: float


def faces_between(positions: npt.NDArray[np.float64], lone_step: float) -> npt.NDArray[np.float64]:
    """Where voxels end along an axis (mm), half way to each neighbour: voxel `k` from face `k` to `k + 1`, shape ``(n + 1,)``.

    NaN where a lone voxel does not know its step.
    """
    x = positions
    if x.size == 1:
        return np.array([x[0] - lone_step / 2, x[0] + lone_step / 2])
    middle = (x[1:] + x[:-1]) / 2
    return np.concatenate([[1.5 * x[0] - 0.5 * x[1]], middle, [1.5 * x[-1] - 0.5 * x[-2]]])


def slice_volumes(geometry: Geometry) -> npt.NDArray[np.float64]:
    """mm³ of one voxel in each slice, shape ``(slices,)``: uneven slices reach half way to their neighbours.

    NaN where a lone slice, row or column does not know its step.
    """
    thick = [
        np.abs(np.diff(faces_between(x, lone)))
        for x, lone in zip(geometry.positions, geometry.lone_steps, strict=True)
    ]
    area = float(thick[1].mean() * thick[2].mean() * abs(np.linalg.det(geometry.direction)))
    found: npt.NDArray[np.float64] = thick[0] * area
    # Differences of positions carry noise in the last digits; as many voxels should be as large, wherever they lie.
    return np.full_like(found, found.mean()) if np.ptp(found) < 1e-9 * found.max() else found


def sizes(mask: xr.DataArray, values: Sequence[int]) -> dict[int, Size]:
    """The size of each of these labels."""
    mm3 = slice_volumes(Geometry.from_volume(mask))
    voxels, ml = dict.fromkeys(values, 0), dict.fromkeys(values, 0.0)
    for step in steps(mask):
        for value, found in counts(step, values):
            if found.any() and not voxels[value]:
                ml[value] = float(found @ mm3) / 1000
            voxels[value] += int(found.sum())
    if not np.isfinite(mm3).all():
        ml = {value: size if voxels[value] == 0 else float("nan") for value, size in ml.items()}
    return {value: Size(voxels[value], ml[value]) for value in values}
