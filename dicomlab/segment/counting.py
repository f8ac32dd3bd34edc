"""Otsu's thresholds, from how often each value occurs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES
from dicomlab.masks import check_grid, check_mask, mask_like
from dicomlab.segment.steps import check_count, check_volume

__all__ = ["otsu", "otsu_thresholds"]

FloatArray = npt.NDArray[np.float64]

_BINS = 4096
"""Bins into which floating point values go, and whole numbers when several thresholds are looked for among more of them."""

_MOST_COUNTS = 1 << 24
"""Whole numbers over a wider range than this go into bins."""


def otsu(volume: xr.DataArray, *, classes: int = 2, mask: xr.DataArray | None = None) -> xr.DataArray:
    """Mask of the brighter of two classes of values, or label map of several, split where they differ most (Otsu's method).

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself. A lazy one is read once or twice, part by part, and gives a lazy mask.
    classes
        2 to 6. With 2 the mask is bool; with more it is a label map in which the darkest class is 0.
    mask
        Only voxels of it count, and only they are in a class other than 0.

    Raises
    ------
    DicomLabError
        There are fewer different values than classes; `classes` is out of range; colour or complex values.

    References
    ----------
    N. Otsu, A threshold selection method from gray-level histograms, IEEE Trans. SMC 9 (1979).

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume, segment
    >>> volume = make_volume(np.array([[[1, 2, 11, 12, 30, 31]]]), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> segment.otsu(volume).values.astype(int), segment.otsu(volume, classes=3).values
    (array([[[0, 0, 0, 0, 1, 1]]]), array([[[0, 0, 1, 1, 2, 2]]], dtype=uint8))
    """
    _check(volume, classes, mask)
    parts = []
    for step, part in _steps(volume, mask):
        edges = _thresholds(step, classes, part)
        if classes == 2:
            found = step.data > edges[0]
        else:
            found = np.zeros(step.shape, np.uint8) if step.chunks is None else 0
            for edge in edges:
                found = found + (step.data > edge).astype(np.uint8)
        if part is not None:
            found = found * part.transpose(*step.dims).data
        parts.append(found)
    further = [dim for dim in volume.dims if dim not in AXES]
    own = [dim for dim in volume.dims if dim in AXES]
    if not further:
        return mask_like(volume, parts[0])
    import numpy as stacker

    if volume.chunks is not None:
        import dask.array as stacker  # type: ignore[no-redef]
    values = stacker.stack(parts).reshape([volume.sizes[dim] for dim in [*further, *own]])
    order = [[*further, *own].index(dim) for dim in volume.dims]
    return mask_like(volume, values.transpose(order))


def otsu_thresholds(
    volume: xr.DataArray, *, classes: int = 2, mask: xr.DataArray | None = None
) -> list[float]:
    """The values at which `otsu` splits a volume, rising: what is above belongs to the brighter class. Of all steps together.

    Whole numbers are counted exactly, floating point values in 4096 bins of equal width. Parameters and errors as of `otsu`.
    """
    _check(volume, classes, mask)
    return _thresholds(volume, classes, mask)


def _check(volume: xr.DataArray, classes: int, mask: xr.DataArray | None) -> None:
    check_volume(volume, "otsu")
    check_count(classes, "classes=", least=2, most=6)
    if mask is not None:
        if check_mask(mask) != "bool":
            raise DicomLabError(
                f"mask= of otsu is one of False and True, found {mask.dtype}; mask == 2 is that of one label"
            )
        check_grid(mask, volume)
        if strange := [dim for dim in mask.dims if dim not in volume.dims]:
            raise DicomLabError(
                f"the mask has an axis that the volume lacks, {strange[0]!r}; pick one step of it"
            )


def _steps(
    volume: xr.DataArray, mask: xr.DataArray | None
) -> Iterator[tuple[xr.DataArray, xr.DataArray | None]]:
    further = [dim for dim in volume.dims if dim not in AXES]
    for index in np.ndindex(*(volume.sizes[dim] for dim in further)):
        at = dict(zip(further, index, strict=True))
        own = None if mask is None else mask.isel({dim: k for dim, k in at.items() if dim in mask.dims})
        yield volume.isel(at), own


def _thresholds(volume: xr.DataArray, classes: int, mask: xr.DataArray | None) -> list[float]:
    values, counts = _counts(volume, mask)
    held = counts > 0
    values, counts = values[held], counts[held]
    if values.size < classes:
        raise DicomLabError(
            f"otsu was asked for {classes} classes, and there are {values.size} different values to tell apart"
            + ("" if mask is None else " within the mask")
        )
    return [float(values[k]) for k in _split(values, counts.astype(np.float64), int(classes))]


# -- counting ---------------------------------------------------------------------------------------------------------


def _counts(volume: xr.DataArray, mask: xr.DataArray | None) -> tuple[FloatArray, npt.NDArray[np.int64]]:
    """The values that may occur, rising, and how often each does. Of a bin the value is its middle."""
    chunks = _chunks(volume, mask)
    kind, size = volume.dtype.kind, volume.dtype.itemsize
    if kind == "b" or (kind in "iu" and size <= 2):
        # All numbers of the type: one pass, nothing to look for first.
        low = 0 if kind == "b" else int(np.iinfo(volume.dtype).min)
        count = 2 if kind == "b" else 1 << (8 * size)
        return low + np.arange(count, dtype=np.float64), _summed(chunks, _Whole(low, count))
    ends = _each(chunks, _ends)
    lowest, highest = min(float(a) for a, _ in ends), max(float(b) for _, b in ends)
    if not lowest <= highest:
        return np.zeros(0), np.zeros(0, np.int64)
    if kind in "iu" and highest - lowest < _MOST_COUNTS:
        low, count = int(lowest), int(highest) - int(lowest) + 1
        return low + np.arange(count, dtype=np.float64), _summed(chunks, _Whole(low, count))
    width = (highest - lowest) / _BINS
    if not width > 0:
        return np.full(1, lowest), np.ones(1, np.int64)
    middles: FloatArray = np.linspace(lowest + width / 2, highest - width / 2, _BINS)
    return middles, _summed(chunks, _Bins(lowest, width))


class _Whole:
    """How often each whole number occurs in an array."""

    def __init__(self, low: int, count: int) -> None:
        self.low, self.count = low, count

    def __call__(self, values: Any, where: Any) -> npt.NDArray[np.int64]:
        total = np.zeros(self.count, np.int64)
        for plane, here in _planes(values, where):
            part = (plane if here is None else plane[here]).ravel()
            if self.low == 0 and part.dtype.kind in "bu":
                part = part.view(np.uint8) if part.dtype.kind == "b" else part
            else:
                part = part.astype(np.intp) - self.low
            found = np.bincount(part)
            total[: found.size] += found
        return total


class _Bins:
    """How often values lie in each bin."""

    def __init__(self, low: float, width: float) -> None:
        self.low, self.width = low, width

    def __call__(self, values: Any, where: Any) -> npt.NDArray[np.int64]:
        total = np.zeros(_BINS, np.int64)
        for plane, here in _planes(values, where):
            part = plane.ravel() if here is None else plane[here]
            if plane.dtype.kind == "f":
                part = part[np.isfinite(part)]
            place = ((part - self.low) / self.width).astype(np.intp)
            total += np.bincount(np.clip(place, 0, _BINS - 1), minlength=_BINS)
        return total


def _ends(values: Any, where: Any) -> tuple[float, float]:
    """Lowest and highest finite value."""
    low, high = np.inf, -np.inf
    for plane, here in _planes(values, where):
        part = plane if here is None else plane[here]
        if plane.dtype.kind == "f" and not (
            part.size and np.isfinite(part.min()) and np.isfinite(part.max())
        ):
            part = part[np.isfinite(part)]
        if part.size:
            low, high = min(low, part.min()), max(high, part.max())
    return low, high


def _planes(values: Any, where: Any) -> Iterator[tuple[Any, Any]]:
    """Parts that fit into a cache."""
    values = np.asarray(values)
    flat = values.reshape(-1, *values.shape[-2:]) if values.ndim > 2 else values[None]
    whole = None if where is None else np.broadcast_to(where, values.shape).reshape(flat.shape)
    for k, plane in enumerate(flat):
        yield plane, None if whole is None else whole[k]


def _chunks(volume: xr.DataArray, mask: xr.DataArray | None) -> list[tuple[Any, Any]]:
    """Arrays of the values, delayed where the volume is lazy, and of the mask beside each."""
    where = None
    if mask is not None:
        where = (
            mask.broadcast_like(volume).transpose(*volume.dims)
            if set(mask.dims) != set(volume.dims)
            else mask
        )
        where = where.transpose(*volume.dims)
    if volume.chunks is None:
        return [(np.asarray(volume.values), None if where is None else np.asarray(where.values))]
    blocks = list(volume.data.to_delayed().ravel())
    if where is None:
        return [(block, None) for block in blocks]
    beside = where.chunk(dict(zip(volume.dims, volume.chunks, strict=True))).data.to_delayed().ravel()
    return list(zip(blocks, beside, strict=True))


def _each(chunks: list[tuple[Any, Any]], work: Any) -> list[Any]:
    if isinstance(chunks[0][0], np.ndarray):
        return [work(*chunk) for chunk in chunks]
    from dask.base import compute
    from dask.delayed import delayed

    return list(compute(*(delayed(work)(*chunk) for chunk in chunks)))  # type: ignore[no-untyped-call]


def _summed(chunks: list[tuple[Any, Any]], work: Any) -> npt.NDArray[np.int64]:
    total: npt.NDArray[np.int64] = np.sum(_each(chunks, work), axis=0)
    return total


# -- splitting --------------------------------------------------------------------------------------------------------


def _split(values: FloatArray, counts: FloatArray, classes: int) -> list[int]:
    """The last index of each class but the last, so that the classes' means differ most (weighted by their sizes)."""
    # The sum over classes of (sum of values)² / count is what varies of the variance between classes.
    centred = values - values.mean()
    many = np.concatenate([[0.0], np.cumsum(counts)])
    sums = np.concatenate([[0.0], np.cumsum(counts * centred)])
    if classes == 2:
        below, above = many[1:-1], many[-1] - many[1:-1]
        return [int(np.argmax(sums[1:-1] ** 2 / below + (sums[-1] - sums[1:-1]) ** 2 / above))]
    if values.size > _BINS:
        # Neighbouring values together, as many kinds of them as bins.
        place = np.minimum((values - values[0]) / (values[-1] - values[0]) * _BINS, _BINS - 1).astype(np.intp)
        last = np.flatnonzero(np.append(np.diff(place) > 0, True))
        many, sums = many[np.append(0, last + 1)], sums[np.append(0, last + 1)]
    else:
        last = np.arange(values.size)
    n = last.size
    # best[j]: of the first j kinds, in as many classes as so far; by how the last class begins.
    best = np.concatenate([[0.0], sums[1:] ** 2 / many[1:]])
    begins = []
    for k in range(2, classes + 1):
        new, begin = np.full(n + 1, -np.inf), np.zeros(n + 1, np.intp)
        for j in range(k, n + 1):
            i = np.arange(k - 1, j)
            total = best[i] + (sums[j] - sums[i]) ** 2 / (many[j] - many[i])
            at = int(np.argmax(total))
            new[j], begin[j] = total[at], i[at]
        best = new
        begins.append(begin)
    cuts, end = [], n
    for begin in reversed(begins):
        end = int(begin[end])
        cuts.append(end)
    return [int(last[cut - 1]) for cut in reversed(cuts)]
