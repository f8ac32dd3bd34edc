"""A volume on another grid of the same patient, by way of `sampling`: what `resample` and `reslice` share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.frames import check_frames
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.places import Box, Places
from dicomlab.regrid.sampling import How, margins, sample_grid
from dicomlab.regrid.threads import usable
from dicomlab.regrid.voxels import check_size, finish

__all__ = ["onto", "steps_first"]

_MOST_PLANES = 10_000
"""Of a dask array: planning each takes milliseconds, and a slip would take hours."""


def onto(
    volume: xr.DataArray,
    source: Geometry,
    target: Geometry,
    how: How,
    report: str,
    *,
    gone: Sequence[str] = AXES,
    places: Places | None = None,
) -> xr.DataArray:
    """The volume, whose geometry is `source`, on the grid `target`; `report` says what was done, `gone` along which axes.

    `places` are those of the target in the source, where somebody knows them better than they can be computed.

    Raises
    ------
    GeometryError
        Positions of the volume neither only rise nor only fall; the target has no voxels; a result of more than 8 GiB.
    xr.AlignmentError
        The two count millimetres in different frames of reference.
    DicomLabError
        The values allow no such interpolation, or hold no such fill.
    """
    nowhere = np.zeros(3)
    check_frames((source.frame_of_reference, nowhere), (target.frame_of_reference, nowhere), "the grid")
    if 0 in target.shape:
        raise GeometryError(f"the grid asked for has no voxels: {target.shape} (slice, row, column)")
    if not all(np.isfinite(x).all() for x in target.positions):
        raise GeometryError(
            "some positions of the grid asked for are not finite, so nobody knows where its voxels are"
        )
    if places is None:
        places = Places.between(source, target)
    dtype, blank = how.types(volume.dtype, places.leaves)
    turned = volume.transpose(..., *AXES)
    check_size((*turned.shape[:-3], *target.shape), dtype, volume, report)
    if turned.chunks is not None and target.shape[0] > _MOST_PLANES:
        raise GeometryError(
            f"{report} would make {target.shape[0]} planes; of a dask array at most {_MOST_PLANES} are made, each "
            "a task of its own"
        )
    # Splines within single planes of the source are made there: what one slice lacks is no matter of the next.
    level = how.order == 3 and all(places.pick(slice(k, k + 1)).level for k in range(target.shape[0]))
    if turned.chunks is not None or level:
        source_values = turned.data if turned.chunks else turned.values
        values: Any = _by_plane(source_values, places, how, dtype, blank, level=level)
    else:
        box = places.box(margins(how, places.coarseness))
        part = steps_first(turned.isel(dict(zip(AXES, box, strict=True))).values)
        made = sample_grid(part, _start(box), places, how, dtype, blank, usable())
        values = made.reshape(*turned.shape[:-3], *target.shape)
    border = f"{blank} outside" if places.leaves else "all of it inside"
    return finish(volume, turned, values, target, {}, f"{report}, {how.words}; {border}", gone)


def steps_first(values: Any) -> Any:
    """Values of shape ``(…, slice, row, column)`` with all that comes before the slices as one axis."""
    return values.reshape(-1, *values.shape[-3:])


def _start(box: Box) -> tuple[int, int, int]:
    a, b, c = (int(part.start) for part in box)
    return a, b, c


def _by_plane(values: Any, places: Places, how: How, dtype: np.dtype[Any], blank: Any, *, level: bool) -> Any:
    """The planes of the target, each of the slab of the source that it needs; of a dask array one, too.

    `level`: each of them lies on one slice of the source.
    """
    coarse = places.coarseness
    planes = []
    for k in range(places.shape[0]):
        part = places.pick(slice(k, k + 1))
        box = part.box(margins(how, coarse, level=level))
        work = partial(_plane, start=_start(box), places=part, how=how, out=dtype, blank=blank, coarse=coarse)
        slab = values[(..., *box)]
        if isinstance(values, np.ndarray):
            planes.append(work(slab))
            continue
        slab = slab.rechunk(dict.fromkeys(range(slab.ndim - 3, slab.ndim), -1))
        chunks = (*slab.chunks[:-3], *((n,) for n in part.shape))
        planes.append(
            slab.map_blocks(work, dtype=dtype, chunks=chunks, meta=np.empty((0,) * slab.ndim, dtype))
        )
    if isinstance(values, np.ndarray):
        return np.concatenate(planes, axis=-3)
    from dask.array import concatenate

    return concatenate(planes, axis=-3)  # type: ignore[no-untyped-call]


def _plane(
    slab: Any, *, start: Sequence[int], places: Places, how: How, out: np.dtype[Any], blank: Any, coarse: Any
) -> Any:
    """One plane of the target from a slab of the source; dask has threads of its own."""
    made = sample_grid(steps_first(slab), start, places, how, out, blank, 1, coarse)
    return made.reshape(*slab.shape[:-3], *places.shape)
