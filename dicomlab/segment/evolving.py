"""Masks that come about by many small steps: `random_walker`, `chan_vese`, `snake`."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks import labels_of, mask_like, with_labels
from dicomlab.read.progress import Progress
from dicomlab.segment.distances import millimetres
from dicomlab.segment.splitting import check_markers, gradient
from dicomlab.segment.steps import (
    Array,
    boxes,
    check_count,
    check_number,
    check_volume,
    each_step,
    lengths,
    upright,
)

__all__ = ["chan_vese", "random_walker", "snake"]

_MOST_WALKED = 8_000_000
"""Voxels that random walks are made through: some minutes, and 3 GB."""


def random_walker(
    volume: xr.DataArray, *, markers: xr.DataArray, mask: xr.DataArray | None = None, beta: float = 130.0
) -> xr.DataArray:
    """Label map of the marker that a random walk from each voxel reaches first, most likely; walks hardly cross edges.

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself.
    markers
        Label map on the same grid, two labels at least; they keep their names. Mark what is around a thing, too.
    mask
        Only its voxels are walked; elsewhere is 0. Crop to what is of interest, for the method is slow.
    beta
        The higher, the harder edges are to cross.

    Raises
    ------
    DicomLabError, GeometryError
        Fewer than two markers, or on another grid; tilted or uneven slices; more than 8 million voxels to walk through.
    """
    from skimage.segmentation import random_walker as walk

    check_volume(volume, "random_walker")
    check_markers(markers, "random_walker")
    known = lengths(volume, "random_walker")
    check_number(beta, "beta=", above=True)

    def work(values: Array, seeds: Array, where: Array | None) -> Array:
        inner = np.ones(values.shape, bool) if where is None else upright(where)
        out = np.zeros(values.shape, np.uint16)
        box = boxes(inner)
        if box is None:
            return out
        inner = inner[box] & np.isfinite(values[box])
        walked = int(inner.sum())
        if walked > _MOST_WALKED:
            raise DicomLabError(
                f"random walks through {walked:,} voxels would take many minutes; at most {_MOST_WALKED:,} are walked. "
                "Give mask=, crop the volume (volume.dicom.crop_to) or resample it"
            )
        marks = np.where(inner, seeds[box].astype(np.int64), -1)
        present = np.unique(marks[marks > 0])
        if present.size < 2:
            raise DicomLabError(
                f"random_walker tells at least two markers apart, found {present.size} where it walks; "
                "mark what is around, too"
            )
        numbered = np.where(marks > 0, np.searchsorted(present, marks) + 1, marks)
        data = np.where(inner, values[box], 0).astype(np.float64)
        span = np.ptp(data[inner])
        data = data / span if span else data
        with warnings.catch_warnings():
            # What no marker can reach stays 0, as documented; and how its solver fares is no news to users.
            warnings.simplefilter("ignore")
            found = walk(data, numbered, beta=beta, mode="cg_j", spacing=known.spacing)
        table = np.concatenate([[0], present]).astype(np.uint16)
        out[box] = table[np.maximum(found, 0)]
        return out

    made = mask_like(volume, each_step(volume, work, markers, mask, dtype=np.uint16), name="walked")
    return with_labels(made, list(labels_of(markers)))


def chan_vese(
    volume: xr.DataArray, *, start: xr.DataArray, iterations: int = 60, smoothing: int = 1
) -> xr.DataArray:
    """Mask that grew from `start` until its values and those around it are as different as they can be (Chan and Vese).

    Morphological steps, each of at most one voxel; it needs no edges. Time grows with voxels times `iterations`; a bar shows
    it.

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself.
    start
        Bool mask on the same grid.
    iterations
        Steps at most; it ends when nothing changes any more.
    smoothing
        How often the surface is smoothed in each step, by a voxel; 0 to 4.

    Raises
    ------
    DicomLabError, GeometryError
        `start` is empty or on another grid; numbers that make no sense.
    """
    from skimage.segmentation import morphological_chan_vese

    check_volume(volume, "chan_vese")
    _check_start(start, iterations, smoothing, "chan_vese")

    def evolve(values: Array, first: Array, told: Callable[[Any], None]) -> Array:
        found: Array = morphological_chan_vese(  # type: ignore[no-untyped-call]
            values, iterations, init_level_set=first, smoothing=smoothing, iter_callback=told
        )
        return found

    def work(values: Array, first: Array) -> Array:
        data = np.nan_to_num(values.astype(np.float32))
        return _evolved(data, upright(first), iterations, evolve, "chan_vese")

    return mask_like(volume, each_step(volume, work, start, dtype=np.bool_))


def snake(
    volume: xr.DataArray,
    *,
    start: xr.DataArray,
    mm: float = 1.0,
    balloon: int = 0,
    iterations: int = 100,
    smoothing: int = 1,
) -> xr.DataArray:
    """Mask whose surface moved from that of `start` to the nearest edges (morphological geodesic active contour).

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself.
    start
        Bool mask on the same grid.
    mm
        Edges are looked for in a volume smoothed by a Gaussian of this standard deviation.
    balloon
        1 also blows it up where there are no edges, -1 draws it together, 0 neither.
    iterations
        Steps at most, each of one voxel; it ends when nothing changes any more.
    smoothing
        How often the surface is smoothed in each step, by a voxel; 0 to 4.

    Raises
    ------
    DicomLabError, GeometryError
        `start` is empty or on another grid; tilted or uneven slices; numbers that make no sense.
    """
    from scipy.ndimage import gaussian_filter
    from skimage.segmentation import morphological_geodesic_active_contour

    check_volume(volume, "snake")
    _check_start(start, iterations, smoothing, "snake")
    width, known = millimetres(mm, "snake"), lengths(volume, "snake")
    if balloon not in (-1, 0, 1):
        raise DicomLabError(f"balloon= is -1, 0 or 1, found {balloon!r}")

    def evolve(values: Array, first: Array, told: Callable[[Any], None]) -> Array:
        found: Array = morphological_geodesic_active_contour(  # type: ignore[no-untyped-call]
            values,
            iterations,
            init_level_set=first,
            smoothing=smoothing,
            threshold=0.85,
            balloon=balloon,
            iter_callback=told,
        )
        return found

    def work(values: Array, first: Array) -> Array:
        # 1 where values are flat, towards 0 on edges, which are as steep as 5 % of all voxels. From voxel to voxel, not per mm:
        # the surface moves by voxels, and an edge between thick slices stops it too.
        data = np.nan_to_num(values.astype(np.float32))
        data = gaussian_filter(data, [width / step for step in known.spacing], mode="nearest")
        steep = gradient(data, (1.0, 1.0, 1.0))
        usual = float(np.percentile(steep, 95))
        stop = 1 / np.sqrt(1 + 50 * (steep / usual) ** 2) if usual > 0 else np.ones_like(steep)
        return _evolved(stop, upright(first), iterations, evolve, "snake")

    return mask_like(volume, each_step(volume, work, start, dtype=np.bool_))


class _Settled(Exception):
    """Nothing changes any more."""


def _evolved(
    values: Array,
    first: Array,
    iterations: int,
    evolve: Callable[[Array, Array, Callable[[Any], None]], Array],
    what: str,
) -> Array:
    """The last of the steps, or the first that is like one of the two before it: smoothing may go to and fro."""
    before: list[Array] = []
    with Progress(iterations, what, unit="step") as bar:

        def told(now: Any) -> None:
            bar.step()
            if any(np.array_equal(now, one) for one in before):
                raise _Settled
            before[:] = [*before[-1:], np.array(now, dtype=np.int8)]

        try:
            # Axes of one voxel have no neighbours: what is flat evolves in two dimensions.
            flat = tuple(k for k, n in enumerate(values.shape) if n == 1)
            shape = [n for n in values.shape if n > 1]
            if len(flat) > 1:
                raise DicomLabError(f"{what} needs two axes at least, found shape {values.shape}")
            evolve(values.reshape(shape), first.reshape(shape).astype(np.int8), told)
        except _Settled:
            pass
    return before[-1].reshape(first.shape).astype(np.bool_)


def _check_start(start: xr.DataArray, iterations: int, smoothing: int, what: str) -> None:
    if not isinstance(start, xr.DataArray) or start.dtype != np.bool_ or not bool(start.any()):
        found = "an empty one" if getattr(start, "dtype", None) == np.bool_ else type(start).__name__
        raise DicomLabError(
            f"start= of {what} is a bool mask with voxels; found {getattr(start, 'dtype', '')} {found}"
        )
    check_count(iterations, "iterations=", most=10_000)
    check_count(smoothing, "smoothing=", least=0, most=4)
