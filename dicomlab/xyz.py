"""x, y and z of every voxel, computed when they are looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from xarray.backends import BackendArray
from xarray.core import indexing

from dicomlab.geometry import Geometry

__all__ = ["World"]

FloatArray = npt.NDArray[np.float64]


class World(BackendArray):
    """One LPS coordinate of every voxel, computed for whatever part is asked for.

    Parameters
    ----------
    geometry
        The grid.
    world
        0, 1 or 2 for x, y, z.
    order
        Which axes of the grid the dimensions of this array are; axes that were picked away have one position.
    """

    def __init__(self, geometry: Geometry, world: int, order: list[int]) -> None:
        weights = geometry.direction[world]
        self._parts = [geometry.positions[axis] * weights[axis] for axis in order]
        self._offset = sum(
            float(geometry.positions[axis][0] * weights[axis]) for axis in range(3) if axis not in order
        )
        self.shape = tuple(part.size for part in self._parts)
        self.dtype = np.dtype(np.float64)

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._compute
        )

    def _compute(self, key: tuple[Any, ...]) -> FloatArray:
        picked = [part[k] for part, k in zip(self._parts, key, strict=True)]
        dims = sum(np.ndim(part) for part in picked)
        total = np.full((1,) * dims, self._offset)
        axis = 0
        for part in picked:
            if np.ndim(part):
                total = total + np.reshape(part, tuple(-1 if k == axis else 1 for k in range(dims)))
                axis += 1
            else:
                total = total + part
        return total
