"""Pixels of a slide, decoded tile by tile when they are looked at."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from xarray.backends import BackendArray
from xarray.core import indexing

from dicomlab.errors import UnsupportedError
from dicomlab.read.slide import Level
from dicomlab.read.stored import StoredImage

__all__ = ["READ_LIMIT", "TileArray"]

IntArray = npt.NDArray[np.int64]

READ_LIMIT = 8 << 30
"""Bytes that one look at a level may take: a slide has more pixels than most machines have memory."""


class TileArray(BackendArray):
    """Pixels of a level, decoded for whatever part is asked for.

    Parameters
    ----------
    level
        Where the tiles lie.
    images
        Where the frames of each part of the level lie. No file is held open, so the array can be copied and pickled.
    """

    def __init__(self, level: Level, images: Sequence[StoredImage]) -> None:
        self._level, self._images = level, tuple(images)
        self._samples = samples = 3 if images[0].is_colour else 1
        sizes = [level.coords[name].size for name in self.dims]
        self.shape = (*sizes, *level.size, *((samples,) if samples > 1 else ()))
        self.dtype = images[0].dtype

    @property
    def dims(self) -> tuple[str, ...]:
        """Axes before the rows."""
        return tuple(self._level.coords)

    @property
    def unit(self) -> tuple[int, ...]:
        """Shape of a tile along all axes."""
        within = (min(pair) for pair in zip(self._level.size, self._level.tile, strict=True))
        return (*(1 for _ in self.dims), *within, *((self._samples,) if self._samples > 1 else ()))

    def __getitem__(self, key: Any) -> Any:
        return indexing.explicit_indexing_adapter(
            key, self.shape, indexing.IndexingSupport.OUTER, self._compute
        )

    def _compute(self, key: tuple[Any, ...]) -> npt.NDArray[Any]:
        level, extra = self._level, len(self.dims)
        # Every axis as the indices asked for; those asked for by one integer are dropped in the end.
        wanted = [_indices(n, k) for n, k in zip(self.shape, key, strict=True)]
        lone = tuple(axis for axis, k in enumerate(key) if np.ndim(k) == 0 and not isinstance(k, slice))
        axes = dict(zip(self.dims, wanted, strict=False))
        paths, planes = (axes.get(name, np.zeros(1, np.int64)) for name in ("optical_path", "focal_plane"))
        rows, columns = wanted[extra], wanted[extra + 1]
        shape = (paths.size, planes.size, rows.size, columns.size, self._samples)
        needed = math.prod(shape) * self.dtype.itemsize
        if needed > READ_LIMIT:
            raise UnsupportedError(
                f"{needed / (1 << 30):.1f} GiB of this slide were asked for at once; take a part (image.isel(row=slice(...), "
                "column=slice(...))) or another level, a smaller stack of the series"
            )
        out = np.full(shape, 255 if self._samples == 3 and self.dtype == np.uint8 else 0, self.dtype)
        if out.size:
            self._fill(out, level, paths, planes, rows, columns)
        full = out.reshape([part.size for part in wanted[: extra + 2]] + [self._samples])
        samples = full[..., wanted[-1]] if self._samples > 1 else full[..., 0]
        return samples.squeeze(lone) if lone else samples

    def _fill(
        self,
        out: npt.NDArray[Any],
        level: Level,
        paths: IntArray,
        planes: IntArray,
        rows: IntArray,
        columns: IntArray,
    ) -> None:
        height, width = level.tile
        touched = np.flatnonzero(
            (level.top <= rows.max())
            & (level.top + height > rows.min())
            & (level.left <= columns.max())
            & (level.left + width > columns.min())
            & np.isin(level.path, paths)
            & np.isin(level.plane, planes)
        )
        for k in touched:
            r = rows - level.top[k]
            c = columns - level.left[k]
            down, across = np.flatnonzero((r >= 0) & (r < height)), np.flatnonzero((c >= 0) & (c < width))
            if not down.size or not across.size:  # a stride steps over the whole tile
                continue
            image = self._images[level.part[k]]
            with image.file.unchanged():
                pixels = image.read(int(level.frame[k]))
            pixels = pixels.reshape(height, width, self._samples)[np.ix_(r[down], c[across])]
            for i in np.flatnonzero(paths == level.path[k]):
                for j in np.flatnonzero(planes == level.plane[k]):
                    out[i, j][np.ix_(down, across)] = pixels


def _indices(count: int, key: Any) -> IntArray:
    """Indices that a slice, an integer or an array picks from `count`."""
    if isinstance(key, slice):
        picked = range(count)[key]
        return np.arange(picked.start, picked.stop, picked.step, dtype=np.int64)
    found = np.atleast_1d(np.asarray(key, dtype=np.int64))
    return np.where(found < 0, found + count, found)
