"""The one engine: values of a volume at fractional voxel indices.

Inside is what lies within half a voxel of an outer voxel centre, so that a voxel is as thick at the border as anywhere; between
the outer centres and there the outer values hold. What is not finite comes wherever it is touched, and nowhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, MissingDependencyError
from dicomlab.regrid import compiled, plain
from dicomlab.regrid.places import SLACK, Places, Ruler
from dicomlab.regrid.smoothing import radii, sigmas, smoothed
from dicomlab.regrid.splines import Uneven
from dicomlab.regrid.threads import spread
from dicomlab.regrid.voxels import is_labelled, value_type

__all__ = ["Engine", "How", "Labels", "Order", "margins", "sample", "sample_grid"]

FloatArray = npt.NDArray[np.float64]
Values: TypeAlias = npt.NDArray[Any]
Run: TypeAlias = Callable[[Values, int, Values, Any], None]
"""Writes values of a source, of an order, into an array, and one value where the source does not reach."""

Order: TypeAlias = Literal[0, 1, 3]
Labels: TypeAlias = Literal["nearest", "linear"]
Engine: TypeAlias = Literal["auto", "numpy", "numba"]

_BLOCK = 1 << 14
"""Voxels made at a time: what is kept between stays in the cache of a processor."""
_WORTH = 1 << 20
"""Voxels from which on "auto" takes compiled code; for fewer, loading it takes longer."""
_RINGING = 14
"""Voxels after which the filter that makes spline coefficients has forgotten where it began, to 1e-8."""


@dataclass(frozen=True)
class How:
    """What values between voxels are; made, and checked, by `How.of`."""

    order: Order
    fill: float | None
    smooth: bool
    one_hot: bool
    engine: Engine

    @classmethod
    def of(
        cls,
        volume: xr.DataArray,
        *,
        order: Order | None = None,
        fill: float | None = None,
        antialias: bool = True,
        labels: Labels | None = None,
        engine: Engine = "auto",
    ) -> How:
        """How to make values from those of a volume.

        Raises
        ------
        DicomLabError
            A word is unknown, or does not go with the others or with the values.
        MissingDependencyError
            ``engine="numba"`` without numba.
        """
        if order not in (None, 0, 1, 3):
            raise DicomLabError(f"order={order!r} is unknown here; 0 is the nearest value, 1 linear, 3 cubic")
        if engine not in get_args(Engine):
            raise DicomLabError(f"engine={engine!r} is unknown; there are {', '.join(get_args(Engine))}")
        if engine == "numba" and not compiled.available():
            raise MissingDependencyError(
                "engine='numba' needs numba, which is not installed here. Install it: pip install 'dicomlab[fast]'"
            )
        dtype = volume.dtype
        if labels is None and order is None and is_labelled(volume):
            labels = "nearest"
        if labels is None:
            return cls(1 if order is None else order, fill, antialias, False, engine)
        if labels not in get_args(Labels):
            raise DicomLabError(f"labels={labels!r} is unknown; labels are taken 'nearest' or 'linear'")
        if order is not None:
            raise DicomLabError(
                f"labels={labels!r} says how values are made; order={order!r} would say so again"
            )
        if dtype.kind not in "biu":
            raise DicomLabError(f"labels are whole numbers or a mask; these values are {dtype}: drop labels=")
        fill = 0 if fill is None else fill
        return cls(0 if labels == "nearest" else 1, fill, antialias, labels == "linear", engine)

    def types(self, dtype: np.dtype[Any], outside: bool) -> tuple[np.dtype[Any], Any]:
        """Dtype of new values, and what stands `outside`, if anything lies there."""
        return value_type(dtype, self.fill, self.order > 0 and not self.one_hot, outside=outside)

    @property
    def words(self) -> str:
        """How, in words."""
        if self.one_hot:
            return "the label with the most weight, linearly"
        return {0: "nearest values", 1: "linearly", 3: "by cubic splines"}[self.order]


def margins(how: How, coarseness: FloatArray, *, level: bool = False) -> tuple[int, int, int]:
    """Voxels beyond those around a place that its value is made of, along each axis; `level` places lie on slices."""
    if how.order == 0:
        return 0, 0, 0
    wide = radii(sigmas(coarseness)) if how.smooth else (0, 0, 0)
    around = _RINGING * (how.order == 3)
    return wide[0] + around * (not level), wide[1] + around, wide[2] + around


def sample_grid(
    values: Values,
    start: Sequence[int],
    places: Places,
    how: How,
    dtype: np.dtype[Any],
    blank: Any,
    workers: int,
    coarseness: FloatArray | None = None,
) -> Values:
    """Values at every place.

    Parameters
    ----------
    values
        Shape ``(steps, slice, row, column)``: a part of the source, from voxel `start` on, that holds all that is needed.
    coarseness
        That of the whole grid, where `places` are a part of it.

    Returns
    -------
    numpy.ndarray
        Shape ``(steps, *places.shape)``, of `dtype`; `blank` outside the source.
    """
    coarse = places.coarseness if coarseness is None else coarseness
    widths = sigmas(coarse) if how.smooth else np.zeros(3)
    aligned = places.aligned() if how.order < 3 else None
    out = np.empty((len(values), *places.shape), dtype)
    sheared = aligned is None and how.order < 3 and places.pick(slice(0, 1)).aligned() is not None
    # Along straight axes, a plane is first made from two others, which no part of it should do again.
    blocks = list(_blocks(places, whole=aligned is not None or sheared))

    uneven = Uneven.of(places.rulers[0], start[0], values.shape[1]) if how.order == 3 else None

    def run(source: Values, order: int, result: Values, outside: Any) -> None:
        work: Callable[[tuple[int, slice]], None]
        if aligned is not None:
            work = _straight(aligned, places.sizes, start, source, order, result, outside)
        elif order == 1 and _compiles(how, places, source):
            work = _compiled(places, start, source, result, outside)
        elif sheared:
            work = _sheared(places, start, source, order, result, outside)
        else:
            work = _askew(places, start, source, order, result, outside, uneven)
        spread(work, blocks, workers)

    _make(np.ascontiguousarray(values), how, widths, run, out, blank, workers, uneven)
    return out


def _straight(
    aligned: tuple[tuple[int, ...], tuple[FloatArray, ...]],
    sizes: Sequence[int],
    start: Sequence[int],
    source: Values,
    order: int,
    result: Values,
    outside: Any,
) -> Callable[[tuple[int, slice]], None]:
    """Work on a block of a grid whose axes run along those of the source."""
    axes, tables = aligned
    turned = source.transpose(0, *(a + 1 for a in axes))
    local = [_inside(index, sizes[a], start[a]) for a, index in zip(axes, tables, strict=True)]
    beyond = [_outside([index], [sizes[a]]) for a, index in zip(axes, tables, strict=True)]

    def work(block: tuple[int, slice]) -> None:
        plane, rows = block
        here = result[:, plane, rows]
        if beyond[0][plane]:
            here[...] = outside
            return
        plain.along_axes(turned, (local[0], local[1][rows], local[2]), plane, order, here)
        if beyond[1].any():
            here[:, beyond[1][rows]] = outside
        if beyond[2].any():
            here[..., beyond[2]] = outside

    return work


def _sheared(
    places: Places, start: Sequence[int], source: Values, order: int, result: Values, outside: Any
) -> Callable[[tuple[int, slice]], None]:
    """Work on a block of a grid of which only single planes run along axes of the source: a tilt lies between them."""

    def work(block: tuple[int, slice]) -> None:
        plane, rows = block
        here = slice(plane, plane + 1)
        aligned = places.pick(here).aligned()
        assert aligned is not None
        _straight(aligned, places.sizes, start, source, order, result[:, here], outside)((0, rows))

    return work


def _compiled(
    places: Places, start: Sequence[int], source: Values, result: Values, outside: Any
) -> Callable[[tuple[int, slice]], None]:
    kernel = compiled.kernel()
    first, sizes, blank = (
        np.array(start),
        np.array(places.sizes),
        result.dtype.type(0 if outside is None else outside),
    )

    def work(block: tuple[int, slice]) -> None:
        plane, rows = block
        for step, one in zip(source, result, strict=True):
            kernel(step, first, sizes, places.terms, blank, one, plane, rows.start, rows.stop)

    return work


def _askew(
    places: Places,
    start: Sequence[int],
    source: Values,
    order: int,
    result: Values,
    outside: Any,
    uneven: Uneven | None,
) -> Callable[[tuple[int, slice]], None]:
    sums = _sums(order, uneven)
    last = np.array(places.sizes) - 1.0

    def work(block: tuple[int, slice]) -> None:
        plane, rows = block
        here = result[:, plane, rows]
        low, high = places.reach(slice(plane, plane + 1), rows)
        if np.any(high < -0.5 - SLACK) or np.any(low > last + 0.5 + SLACK):
            here[...] = outside
            return
        index = [places.along(a, plane, rows) for a in range(3)]
        beyond = np.zeros(0, dtype=bool)
        if np.any(low < 0) or np.any(high > last):
            beyond = _outside(index, places.sizes)
            for x, end in zip(index, last, strict=True):
                np.clip(x, 0.0, end, out=x)
        for x, first in zip(index, start, strict=True):
            if first:
                x -= first
        sums(source, index, here)
        if beyond.any():
            here[:, beyond] = outside

    return work


def _sums(order: int, uneven: Uneven | None) -> Callable[[Values, Sequence[FloatArray], Values], None]:
    """What writes values at indices among those of a source."""
    if order == 3 and uneven is not None:
        return uneven.sums
    return {0: plain.nearest, 1: plain.linear, 3: plain.cubic}[order]


def sample(
    values: Values,
    start: Sequence[int],
    index: FloatArray,
    rulers: Sequence[Ruler],
    how: How,
    dtype: np.dtype[Any],
    blank: Any,
) -> Values:
    """Values at indices of shape ``(…, 3)`` of a source with these `rulers`, shape ``(steps, …)``; nothing is smoothed."""
    flat = index.reshape(-1, 3).T
    sizes = [ruler.size for ruler in rulers]
    uneven = Uneven.of(rulers[0], start[0], values.shape[1]) if how.order == 3 else None
    beyond = _outside(list(flat), sizes)
    # Any place will do for what is outside.
    local = [
        np.maximum(_inside(np.where(beyond, 0.0, x), size, first), 0.0)
        for x, size, first in zip(flat, sizes, start, strict=True)
    ]
    out = np.empty((len(values), flat.shape[1]), dtype)

    def run(source: Values, order: int, result: Values, outside: Any) -> None:
        _sums(order, uneven)(source, local, result)
        if beyond.any():
            result[:, beyond] = outside

    _make(np.ascontiguousarray(values), how, np.zeros(3), run, out, blank, 1, uneven)
    return out.reshape((len(values), *index.shape[:-1]))


def _make(
    values: Values,
    how: How,
    widths: FloatArray,
    run: Run,
    out: Values,
    blank: Any,
    workers: int,
    uneven: Uneven | None,
) -> None:
    """Make values ready, and let `run` write what lies at its places into `out`."""
    if how.one_hot:
        _most_weight(values, widths, run, out, blank, workers)
        return
    values = values.astype(out.dtype, copy=False)
    if how.order == 0:
        run(values, 0, out, blank)
        return
    special: dict[float, npt.NDArray[np.bool_]] = {}
    missing = None
    if not np.isfinite(values).all():
        missing = ~np.isfinite(values)
        kinds = {np.inf: values == np.inf, -np.inf: values == -np.inf}
        # A complex number has more ways not to be finite; NaN says that of all of them.
        kinds[np.nan] = missing & ~kinds[np.inf] & ~kinds[-np.inf]
        special = {value: mask for value, mask in kinds.items() if mask.any()}
        values = np.where(missing, 0, values)
    values = smoothed(values, widths, missing, workers)
    if how.order == 3:
        values = _coefficients(values, missing, uneven)
    run(values, how.order, out, blank)
    for value, mask in special.items():
        # Weights are never negative, those of splines neither: above 0 is touched.
        weight = np.empty(out.shape, np.float32)
        run(mask.astype(np.float32), how.order, weight, 0.0)
        with np.errstate(invalid="ignore"):
            out[weight > 0] += value


def _coefficients(values: Values, missing: npt.NDArray[np.bool_] | None, uneven: Uneven | None) -> Values:
    """Spline coefficients; what is missing takes the nearest value first, for the filter would carry a gap far."""
    from scipy.ndimage import distance_transform_edt, spline_filter

    if missing is not None:
        values = values.copy()
        for number, gone in enumerate(missing):
            if gone.any() and not gone.all():
                nearest = distance_transform_edt(gone, return_distances=False, return_indices=True)
                values[number] = values[number][tuple(nearest)]
    made = np.empty_like(values)
    for step, coefficients in zip(values, made, strict=True):
        if uneven is None:
            spline_filter(step, order=3, output=coefficients, mode="mirror")
        else:
            uneven.coefficients(step, coefficients)
    return made


def _most_weight(values: Values, widths: FloatArray, run: Run, out: Values, blank: Any, workers: int) -> None:
    """The label whose voxels weigh most at each place; the lowest where several do."""
    out[...] = blank
    best, weight = np.zeros(out.shape, np.float32), np.empty(out.shape, np.float32)
    for label in np.unique(values):
        run(smoothed((values == label).astype(np.float32), widths, None, workers), 1, weight, 0.0)
        # Two weights that are equal but for rounding are equal.
        more = weight > best + 1e-5
        out[more], best[more] = label, weight[more]


def _compiles(how: How, places: Places, values: Values) -> bool:
    if how.engine == "numpy" or values.dtype not in (np.float32, np.float64):
        return False
    if any(ruler.knots is not None for ruler in places.rulers):
        return False
    return how.engine == "numba" or (math.prod(places.shape) >= _WORTH and compiled.available())


def _blocks(places: Places, *, whole: bool) -> Iterator[tuple[int, slice]]:
    planes, rows, columns = places.shape
    step = rows if whole else max(1, min(rows, _BLOCK // columns))
    for plane in range(planes):
        for first in range(0, rows, step):
            yield plane, slice(first, min(first + step, rows))


def _inside(index: FloatArray, size: int, start: int) -> FloatArray:
    """Indices drawn in to the outer voxel centres, counted from `start`."""
    return np.clip(index, 0.0, size - 1.0) - start


def _outside(index: Sequence[FloatArray], sizes: Sequence[int]) -> npt.NDArray[np.bool_]:
    beyond = np.zeros(index[0].shape, dtype=bool)
    for x, size in zip(index, sizes, strict=True):
        # A NaN is nowhere.
        beyond |= ~((x >= -0.5 - SLACK) & (x <= size - 0.5 + SLACK))
    return beyond
