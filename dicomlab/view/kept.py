"""Slices of a lazy volume, kept once they were read: no picture needs a file twice."""

from __future__ import annotations

import math
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

__all__ = ["KeptSlices", "kept", "room"]

Values = npt.NDArray[Any]

_BATCH = 16
"""Slices that are read at once, when many are wanted."""
_MOST = 2 << 30
"""Bytes that are kept at most: several thousand slices. A machine may have much memory, and a notebook on it little."""


def room() -> int:
    """Bytes of slices that are kept: a quarter of this machine's memory, and 2 GiB at most."""
    try:
        return min(_MOST, os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 4)
    except (AttributeError, OSError, ValueError):  # Windows has no sysconf
        return _MOST


def kept(values: xr.Variable) -> xr.Variable:
    """Return the same values, with dims (slice, row, column), whose slices are read once, when they are first looked at."""
    return xr.Variable(values.dims, indexing.LazilyIndexedArray(KeptSlices(values, room())), values.attrs)


class KeptSlices(BackendArray):
    """Slices of lazy values, least recently used ones leaving when there is no more room.

    Parameters
    ----------
    source
        Lazy values, slices first.
    room
        Bytes.
    """

    def __init__(self, source: xr.Variable, room: int) -> None:
        self.shape, self.dtype = source.shape, source.dtype
        self._source, self._room = source, room
        self._slices: OrderedDict[int, Values] = OrderedDict()
        # The page's wishes arrive on a thread of their own; what one thread reads, another need not read again.
        self._lock = threading.Lock()
        # What dask computes at once is kept at once.
        count = source.shape[0]
        self._stops = np.cumsum(source.chunks[0] if source.chunks else [_BATCH] * (count // _BATCH + 1))

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        if not isinstance(key, indexing.VectorizedIndexer):
            return self._pick(key.tuple)
        return indexing.explicit_indexing_adapter(key, self.shape, indexing.IndexingSupport.OUTER, self._pick)

    def _pick(self, key: tuple[Any, ...]) -> Values:
        first, row, column = key
        wanted = np.atleast_1d(np.arange(self.shape[0])[first])
        if not wanted.size or wanted.size * self._slice_bytes > self._room:
            return np.asarray(self._source[key].values)
        with self._lock:
            picked = [plane[row][..., column] for plane in self._planes([int(k) for k in wanted])]
        return np.stack(picked) if np.ndim(first) or isinstance(first, slice) else picked[0]

    @property
    def _slice_bytes(self) -> int:
        return math.prod(self.shape[1:]) * int(self.dtype.itemsize)

    def _planes(self, wanted: list[int]) -> Iterator[Values]:
        for place, k in enumerate(wanted):
            if k not in self._slices:
                stop = int(self._stops[np.searchsorted(self._stops, k, "right")])
                count = 1
                # Those that follow without a gap come along; of a chunk of dask also those that are here.
                while (
                    wanted[place + count : place + count + 1] == [k + count]
                    and k + count < stop
                    and (self._source.chunks or k + count not in self._slices)
                ):
                    count += 1
                for number, plane in enumerate(self._source[k : k + count].values, start=k):
                    self._slices[number] = plane
            self._slices.move_to_end(k)
            yield self._slices[k]
            while len(self._slices) * self._slice_bytes > self._room:
                self._slices.popitem(last=False)
