"""Volumes to give to other libraries, and what it means that one came back: same values, same places."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

import dicomlab as dl
from dicomlab import Geometry

UID = "1.2.826.0.1.3680043.8.498.7"
INTEGERS = ("uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64")


def numbered(shape: tuple[int, ...], dtype: str = "int16") -> np.ndarray:
    """Return an array in which voxels have numbers of their own (but for what 8 bits can count)."""
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


@st.composite
def geometries(draw: st.DrawFn, *, tilted: bool = False, aligned: bool = False) -> Geometry:
    """Any orientation, even steps, axes that rise or fall, one voxel or more."""
    if aligned:
        turns = [90.0 * draw(st.integers(0, 3)) for _ in range(3)]
    else:
        turns = [draw(st.floats(-180, 180)) for _ in range(3)]
    direction = Rotation.from_euler("xyz", turns, degrees=True).as_matrix()
    direction = np.rint(direction) + 0.0 if aligned else direction
    direction[:, 0] = np.cross(direction[:, 2], direction[:, 1])
    if tilted:
        direction[:, 0] += direction[:, 1] * draw(st.sampled_from([0.25, -0.4])) + direction[:, 2] * 0.1
    affine = np.eye(4)
    steps = [draw(st.floats(0.2, 8.0)) * draw(st.sampled_from([1, -1])) for _ in range(3)]
    affine[:3, :3] = direction * steps
    affine[:3, 3] = [draw(st.floats(-400, 400)) for _ in range(3)]
    shape = tuple(draw(st.integers(1, 6)) for _ in range(3))
    return Geometry.from_affine(affine, (shape[0], shape[1], shape[2]), UID)


def volume_on(geometry: Geometry, dtype: str = "int16", **more: int) -> xr.DataArray:
    """Return a volume with further axes of these sizes before slice, row and column."""
    shape = (*more.values(), *geometry.shape)
    return dl.make_volume(
        numbered(shape, dtype), geometry=geometry, dims=(*more, "slice", "row", "column"), units="HU"
    )


def check_same(before: xr.DataArray, after: xr.DataArray, *, off: float = 0.01) -> None:
    """Every voxel of one is a voxel of the other, within `off` mm, with all its values."""
    assert set(after.dims) == set(before.dims)
    assert after.size == before.size
    index = np.stack(np.meshgrid(*map(np.arange, after.dicom.geometry.shape), indexing="ij"), -1).reshape(
        -1, 3
    )
    lps = after.dicom.lps(index)
    mine = np.rint(before.dicom.index(lps)).astype(int)
    assert np.linalg.norm(before.dicom.lps(mine) - lps, axis=1).max() <= off
    assert len(np.unique(mine, axis=0)) == len(mine)
    others = [dim for dim in before.dims if dim not in ("slice", "row", "column")]
    order: list[Any] = ["slice", "row", "column", *others]
    old, new = before.transpose(*order).values, after.transpose(*order).values
    np.testing.assert_array_equal(new[tuple(index.T)], old[tuple(mine.T)])
