"""Volumes whose values are read when they are looked at: of the planes touched, and of no other file."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.backends import BackendArray
from xarray.core import indexing

from dicomlab.errors import DicomLabError, FaultError, MissingDependencyError
from dicomlab.read.faults import undecodable_finding
from dicomlab.read.reader import PlaneReader, on_threads
from dicomlab.read.sources import FileChanged

if TYPE_CHECKING:
    from dicomlab.read.tiles import TileArray

__all__ = ["Chunks", "PlaneArray", "check_chunks", "in_chunks", "lazy_planes", "lazy_variable"]

Pixels: TypeAlias = npt.NDArray[Any]
Chunks: TypeAlias = "Mapping[str, Any] | Literal['auto'] | None"

_PREFERRED = "preferred_chunks"
"""Key of the encoding by which xarray knows what to read at once."""


class PlaneArray(BackendArray):
    """An array of planes, read for whatever part is asked for.

    Parameters
    ----------
    reader
        Of the planes.
    steps
        Shape of what lies before rows and columns; its C order is the order of the planes.
    """

    def __init__(self, reader: PlaneReader, steps: tuple[int, ...]) -> None:
        self.reader, self.steps = reader, steps
        self.shape = (*steps, *reader.shape)
        self.dtype = reader.dtype

    @property
    def _numbers(self) -> Pixels:
        """Number of the plane at each step."""
        return np.arange(len(self.reader)).reshape(self.steps)

    def __getitem__(self, key: indexing.ExplicitIndexer) -> Any:
        points = isinstance(key, indexing.VectorizedIndexer)
        return self._points(key.tuple) if points else self._box(key.tuple)

    def _box(self, key: tuple[Any, ...]) -> Pixels:
        """What integers, slices and 1-D arrays pick, each along its own axis."""
        split = len(self.steps)
        picked = [np.atleast_1d(np.arange(n)[k]) for n, k in zip(self.shape, key, strict=True)]
        planes = self._numbers[np.ix_(*picked[:split])].ravel()
        plain = all(isinstance(k, slice) for k in key[split:])
        part = key[split:] if plain else np.ix_(*picked[split:])
        out = np.empty((planes.size, *(k.size for k in picked[split:])), self.dtype)
        if out.size:
            whole = (
                plain and out.shape[1:] == self.reader.shape and all(k.step in (None, 1) for k in key[split:])
            )
            self._read(planes, list(out), [] if whole else [part] * planes.size)
        # An axis picked by an integer is there no more.
        return out.reshape(
            [p.size for p, k in zip(picked, key, strict=True) if not isinstance(k, int | np.integer)]
        )

    def _points(self, key: tuple[Pixels, ...]) -> Pixels:
        """What arrays pick that broadcast against one another: voxel by voxel, or axes in another order."""
        split, shape = len(self.steps), np.broadcast_shapes(*(k.shape for k in key))
        planes = self._numbers[key[:split]] if split else np.zeros((1,) * len(shape), np.intp)
        # Dimensions along which the plane changes come first: then each plane has its own places in the result.
        turn = sorted(range(len(shape)), key=lambda d: planes.shape[d] == 1)
        across = sum(n != 1 for n in planes.shape)
        turned = tuple(shape[d] for d in turn)
        out = np.empty((math.prod(turned[:across]), *turned[across:]), self.dtype)
        if out.size:
            inside = [_leading(k.transpose(turn), turned[:across]) for k in key[split:]]
            found, where = np.unique(planes, return_inverse=True)
            order = np.argsort(where, axis=None, kind="stable")
            places = np.split(order, np.cumsum(np.bincount(where.ravel()))[:-1])
            parts = [tuple(k if k.shape[0] == 1 else k[at] for k in inside) for at in places]
            # A plane with one place in the result goes there at once.
            outs = [
                out[at[0] : at[0] + 1] if at.size == 1 else np.empty((at.size, *out.shape[1:]), self.dtype)
                for at in places
            ]
            self._read(found, outs, parts)
            for at, values in zip(places, outs, strict=True):
                if at.size > 1:
                    out[at] = values
        return out.reshape(turned).transpose(np.argsort(turn))

    def _read(self, planes: Pixels, outs: Sequence[Pixels], parts: Sequence[Any]) -> None:
        """Fill each array with a part of a plane, or with all of it where no parts are given."""

        def read(members: list[int]) -> None:
            numbers = [int(planes[k]) for k in members]
            try:
                own = [parts[k] for k in members] if parts else []
                self.reader.read_into(numbers, [outs[k] for k in members], own)
            except FileChanged:
                raise
            except (DicomLabError, OSError) as problem:
                raise _undecodable(self.reader.name(numbers[0]), problem) from problem

        groups = self.reader.by_picture(planes.tolist())
        if len(groups) == 1:
            read(groups[0])
        else:
            on_threads(read, [(group,) for group in groups])


def _undecodable(name: str, problem: DicomLabError | OSError) -> FaultError:
    # What the system says of a file names its folders too.
    reason = f"{name}: {problem.strerror}" if isinstance(problem, OSError) else str(problem)
    finding = undecodable_finding({name: reason})
    return FaultError(
        f"{finding}. Known only now that it was looked at: a lazy volume cannot go on without it, "
        "load_volume(…, on_fault={'undecodable_pixel_data': 'keep'}) can.",
        [finding],
    )


def _leading(index: Pixels, sizes: tuple[int, ...]) -> Pixels:
    """An index with its first axes as one, of length 1 where it is the same along all of them."""
    first, rest = index.shape[: len(sizes)], index.shape[len(sizes) :]
    if math.prod(first) == 1:
        return index.reshape(1, *rest)
    return np.broadcast_to(index, (*sizes, *rest)).reshape(-1, *rest)


class _ReadOnly:
    """What refuses to be assigned to, in every way of indexing."""

    __slots__ = ()

    def __setitem__(self, key: Any, value: Any) -> None:
        raise DicomLabError(
            "values of a lazy volume are those of its files, and cannot be assigned. Bring them into memory first: "
            "volume.load(), or load_volume; where() and the like make a new volume."
        )

    def _oindex_set(self, key: Any, value: Any) -> None:
        self[key] = value

    def _vindex_set(self, key: Any, value: Any) -> None:
        self[key] = value


class _Lazy(_ReadOnly, indexing.LazilyIndexedArray):
    """xarray's lazy indexing, which fails where one value is picked of what was transposed or picked by points before."""

    __slots__ = ()

    def transpose(self, order: Any) -> Any:
        return _LazyPoints(self.array, self.key).transpose(order)  # type: ignore[no-untyped-call]

    def _vindex_get(self, indexer: indexing.VectorizedIndexer) -> Any:
        return _LazyPoints(self.array, self.key).vindex[indexer]


class _LazyPoints(_ReadOnly, indexing.LazilyVectorizedIndexedArray):
    __slots__ = ()

    def __getitem__(self, indexer: indexing.ExplicitIndexer) -> Any:
        if not all(isinstance(k, int | np.integer) for k in indexer.tuple):
            return super().__getitem__(indexer)
        # xarray indexes each key as if it had the shape of all of them together.
        keys = (np.broadcast_to(k, self.shape)[indexer.tuple] for k in self.key.tuple)
        return _Lazy(self.array, indexing.BasicIndexer(tuple(int(k) for k in keys)))


def lazy_planes(reader: PlaneReader, steps: tuple[int, ...], dims: Sequence[str]) -> xr.Variable:
    """The planes of a reader as a variable that reads what is looked at; ``sample`` ends its dims in colour."""
    # Planes that lie in one picture, the slices of a mosaic, are not parted.
    together = max(map(len, reader.by_picture(range(len(reader)))), default=1)
    counts = [min(together, n) if axis == len(steps) - 1 else 1 for axis, n in enumerate(steps)]
    all_dims = (*dims, *(("sample",) if reader.is_colour else ()))
    return lazy_variable(PlaneArray(reader, steps), all_dims, (*counts, *reader.shape))


def lazy_variable(array: PlaneArray | TileArray, dims: Sequence[str], unit: tuple[int, ...]) -> xr.Variable:
    """An array that is read when it is looked at, as a variable; `unit` is the smallest part worth reading alone."""
    # xarray.open_dataset goes by it.
    encoding = {_PREFERRED: dict(zip(dims, unit, strict=True))}
    return xr.Variable(dims, _Lazy(array), encoding=encoding)


def check_chunks(chunks: object) -> None:
    """Refuse what `chunks` cannot mean, before anything is read.

    Raises
    ------
    DicomLabError
        It is neither None, ``"auto"`` nor a mapping.
    MissingDependencyError
        dask is not installed.
    """
    if chunks is None:
        return
    if chunks != "auto" and not isinstance(chunks, Mapping):
        raise DicomLabError(
            f"chunks={chunks!r} was asked for; it is None (no dask), {{}}, 'auto' or sizes by dimension: {{'slice': 16}}"
        )
    if find_spec("dask") is None:
        raise MissingDependencyError(
            "chunks= makes dask arrays, and dask is not installed: pip install 'dicomlab[dask]'"
        )


def in_chunks(volume: xr.DataArray, chunks: Chunks) -> xr.DataArray:
    """A lazy volume as a dask array; `chunks` passed `check_chunks`.

    Raises
    ------
    DicomLabError
        The volume has no such dimension, or the sizes do not fit.
    """
    if chunks is None:
        return volume
    sizes = dict(volume.encoding[_PREFERRED])
    if isinstance(chunks, Mapping):
        unknown = [str(dim) for dim in chunks if dim not in volume.dims]
        if unknown:
            raise DicomLabError(
                f"chunks= names {', '.join(unknown)}; the dims here are {', '.join(map(str, volume.dims))}"
            )
        sizes |= chunks
    else:
        from dask.array.core import normalize_chunks

        # Several units together, but never a part of one: a plane is read whole.
        wanted = ["auto" if unit < volume.sizes[dim] else unit for dim, unit in sizes.items()]
        units = tuple(sizes.values())
        found = normalize_chunks(  # type: ignore[no-untyped-call]
            tuple(wanted), volume.shape, dtype=volume.dtype, previous_chunks=units
        )
        sizes = dict(zip(volume.dims, found, strict=True))
    try:
        # Of the values alone: DataArray.chunk would make dask arrays of coordinates, too.
        made = volume.variable.chunk(sizes).data
        if any(min(parts, default=0) < 0 for parts in made.chunks):
            raise ValueError("a size is negative")
    except (ValueError, TypeError, ZeroDivisionError) as problem:
        lengths = ", ".join(f"{dim} {n}" for dim, n in volume.sizes.items())
        raise DicomLabError(
            f"chunks={chunks!r} was asked for, which does not fit the lengths here: {lengths}. For each dim give a number of "
            "steps, 1 or more (-1 for all), or a tuple of sizes that add up to its length."
        ) from problem
    return volume.copy(data=made)
