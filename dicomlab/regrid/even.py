"""Even slices from uneven ones, or from a stack with gaps."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import evenness_tolerance, unevenness
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.sampling import How, Labels, Order
from dicomlab.regrid.splines import spline_weights, weighted
from dicomlab.regrid.voxels import by_plane, check_size, finish, flips, mix, on_plane, whole

__all__ = ["Missing", "regularize"]

FloatArray = npt.NDArray[np.float64]

Missing: TypeAlias = Literal["make", "blank"]

_MOST_SLICES = 10_000
_COMMON_STEP_PARTS = (1, 2, 3)
"""The step that divides all gaps is looked for among these parts of the smallest gap."""


def regularize(
    volume: xr.DataArray,
    *,
    spacing: float | None = None,
    order: Order | None = None,
    missing: Missing = "make",
    fill: float | None = None,
    labels: Labels | None = None,
) -> xr.DataArray:
    """Volume with even slices, so that one affine places every voxel; an even one comes back as it is.

    The lowest slice stays where it is. Slices that lie on the new grid (within 0.01 mm or 1 % of the step, as everywhere) keep
    every value; the others are made from their neighbours along the slice axis, which is sheared in a tilted stack: voxels
    of the same row and column correspond. Nothing is made beyond the outer slices.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; dask arrays stay lazy.
    spacing
        Distance in mm between the new slices along the slice axis, as in ``volume.dicom.spacing[0]``. None takes the largest
        step of which all gaps are multiples (slices are missing), so that every slice is kept. Where there is none (a change
        of spacing), it takes the median of the gaps, adapted by less than half of it so that the last slice is met too.
    order
        1 interpolates linearly between two slices (the default; integers become float32, float64 from 32 bits on, because
        rounding would change values), 3 by a cubic spline through all slices at their true positions, 0 copies the nearest
        slice and keeps the dtype. The default for masks is 0.
    missing
        ``"blank"`` invents nothing: places without a slice hold `fill`, and a grid on which a slice has no place is refused.
    fill
        Value of the slices that are left blank. None is NaN (integers become floating point), False in a mask.
    labels
        For masks and labels: both ``"nearest"`` and ``"linear"`` copy the nearest slice, which weighs most.

    Returns
    -------
    xarray.DataArray
        Same dims, name and attributes; ``attrs["resampled"]`` says which slices were made and how. Coordinates that lie along
        the slices, other than positions, are left behind.

    Raises
    ------
    GeometryError
        No coordinates of a volume; two slices at one position; `spacing` is no length that fits; slices without a place
        (``missing="blank"``); or a grid of more than 10,000 slices or 8 GiB.
    DicomLabError
        `order`, `labels` or `fill` does not fit the values.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> whole = make_volume(np.arange(5.0)[:, None, None] * np.ones((5, 2, 2)), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> gap = whole.isel(slice=[0, 1, 4])
    >>> gap.dicom.regularize().values[:, 0, 0]
    array([0., 1., 2., 3., 4.])
    >>> gap.dicom.regularize(missing="blank").values[:, 0, 0]
    array([ 0.,  1., nan, nan,  4.])
    """
    geometry = whole(volume)
    if missing not in get_args(Missing):
        raise DicomLabError(
            f"missing={missing!r} is unknown; slices that are not there are made ('make') or left blank ('blank')"
        )
    blanks = missing == "blank"
    if blanks and (order is not None or labels is not None):
        raise DicomLabError(
            "missing='blank' makes no values, so there is nothing for order= or labels= to say"
        )
    how = How.of(volume, order=0 if blanks else order, fill=fill, labels=labels)
    kind = 0 if how.one_hot else how.order
    if spacing is not None and not (np.isfinite(spacing) and spacing > 0):
        raise GeometryError(f"spacing is the distance in mm between the new slices, found {spacing!r}")
    if geometry.slice.size < 2:
        if spacing is None:
            return volume
        raise GeometryError(
            "a single slice has no neighbour, so no slices can be made between; spacing= asks for them"
        )
    flip = flips(geometry)
    source = volume.isel(flip).transpose(..., *AXES)
    along, row, column = (x[flip[name]] for name, x in zip(AXES, geometry.positions, strict=True))
    gaps = np.diff(along)
    if not np.all(gaps > 0):
        k = int(np.argmin(gaps))
        raise GeometryError(
            f"slices do not follow one another: {along[k]:.3f} mm is followed by {along[k + 1]:.3f} mm. Drop doubled slices "
            "(isel) and sort the others (volume.sortby('slice')) first."
        )
    length = float(np.linalg.norm(geometry.direction[:, 0]))
    even = unevenness(along) <= evenness_tolerance(along)
    wanted = None if spacing is None else spacing / length
    if even and (wanted is None or abs(wanted * gaps.size - (along[-1] - along[0])) <= _tolerance(wanted)):
        return volume

    grid, step = _even_grid(along, wanted, length)
    below, weight = _neighbours(along, grid, step)
    made = weight > 0
    if kind == 0 and not blanks:
        below = below + (weight > 0.5)
    if blanks:
        kept = np.unique(below[~made])
        if kept.size < along.size:
            lost = np.setdiff1d(np.arange(along.size), kept)
            raise GeometryError(
                f"missing='blank' makes no values, but {lost.size} of {along.size} slices (the first at {along[lost[0]]:.3f}) "
                f"have no place on a grid of {step * length:.4g} mm from {along[0]:.3f} mm on. Choose spacing= so that they "
                "have, or let values be made (missing='make')."
            )
    if made.any():
        dtype, blank = how.types(volume.dtype, blanks)
    else:
        dtype, blank = volume.dtype, None
    splines = spline_weights(along, grid) if kind == 3 else None
    check_size(
        (*source.shape[:-3], grid.size, *source.shape[-2:]),
        dtype,
        volume,
        f"a step of {step * length:.4g} mm",
    )

    sizes = (row.size, column.size)

    def plane(values: Any, k: int) -> Any:
        lower = values[..., below[k], :, :]
        if not made[k] or (kind == 0 and not blanks):
            return lower.astype(dtype)
        if blanks:
            return on_plane(
                partial(np.full_like, fill_value=blank, dtype=dtype), lower, sizes=sizes, dtype=dtype
            )
        if splines is not None:
            held = np.flatnonzero(splines[k])
            sums = partial(weighted, weights=splines[k][held], dtype=dtype)
            return on_plane(sums, *(values[..., n, :, :] for n in held), sizes=sizes, dtype=dtype)
        work = partial(mix, weight=float(weight[k]), dtype=dtype)
        return on_plane(work, lower, values[..., below[k] + 1, :, :], sizes=sizes, dtype=dtype)

    steps = (step, geometry.lone_steps[1], geometry.lone_steps[2])
    new = Geometry(geometry.direction, grid, row, column, geometry.frame_of_reference, steps)
    done = {
        0: "copied from the nearest slice",
        1: "interpolated linearly between their neighbours",
        3: "interpolated by cubic splines",
    }[kind]
    if blanks:
        done = f"left at {blank}, because there is no slice"
    report = (
        f"regularize: {grid.size} slices {step * length:.4g} mm apart, from {along.size} of {gaps.min() * length:.4g} to "
        f"{gaps.max() * length:.4g} mm apart; {int(made.sum())} of them {done}"
        + (f", at slice = {_runs(grid, made)} mm" if made.any() else "")
    )
    left = float(along[-1] - grid[-1])
    if left > _tolerance(step):
        report += f"; the last {left:.4g} mm hold no place of the new grid and are left out"
    values = by_plane(source, plane, grid.size)
    return finish(volume, source, values, new, flip, report, gone=("slice",))


def _tolerance(step: float) -> float:
    """How far (mm) a slice may lie from a place of the grid and be there: that of `evenness_tolerance`, less in fine grids."""
    return min(max(0.01, 0.01 * step), 0.1 * step)


def _even_grid(along: FloatArray, wanted: float | None, length: float) -> tuple[FloatArray, float]:
    """Even positions from the first of the rising `along` on, and their step; `length` of a mm of `along` is for messages."""
    extent = float(along[-1] - along[0])
    if wanted is None:
        gaps = np.diff(along)
        step = _common_step(along) or float(np.sort(gaps)[(gaps.size - 1) // 2])
        count = max(1.0, np.round(extent / step))
        step = extent / count
    else:
        step = wanted
        count = np.floor((extent + _tolerance(step)) / step)
        if count < 1:
            raise GeometryError(
                f"spacing={step * length:g} mm is more than the {extent * length:g} mm from the first slice to the last"
            )
    if not count < _MOST_SLICES:
        raise GeometryError(
            f"a step of {step * length:.3g} mm over {extent * length:.4g} mm would make {count + 1:.0f} slices (at most "
            f"{_MOST_SLICES} are made). Give a larger spacing=, or drop slices that lie too near to others first (isel)."
        )
    return along[0] + step * np.arange(int(count) + 1), step


def _common_step(along: FloatArray) -> float | None:
    """Largest step that leads to every position, or None."""
    gaps = np.diff(along)
    for parts in _COMMON_STEP_PARTS:
        multiples = np.round(gaps * parts / gaps.min())
        total = float(multiples.sum())
        step = float(along[-1] - along[0]) / total
        # Many more places than slices: a step that small divides anything (two slices that nearly coincide).
        if total > 10 * along.size:
            return None
        places = along[0] + step * np.concatenate([[0.0], np.cumsum(multiples)])
        if float(np.max(np.abs(places - along))) <= _tolerance(step):
            return step
    return None


def _neighbours(along: FloatArray, grid: FloatArray, step: float) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """For each place of the grid the slice at or below it, and the weight of the next one: 0 where a slice is."""
    below = np.clip(np.searchsorted(along, grid, side="right") - 1, 0, along.size - 2)
    weight = (grid - along[below]) / (along[below + 1] - along[below])
    nearest = below + (weight > 0.5)
    there = np.abs(grid - along[nearest]) <= _tolerance(step)
    return np.where(there, nearest, below), np.where(there, 0.0, weight)


def _runs(grid: FloatArray, made: npt.NDArray[np.bool_]) -> str:
    """The positions that are `made`, neighbours drawn together: ``"3, 8 to 12"``."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], made, [False]]).astype(np.int8)))
    parts = []
    for start, end in zip(edges[::2], edges[1::2] - 1, strict=True):
        parts.append(f"{grid[start]:.2f}" + (f" to {grid[end]:.2f}" if end > start else ""))
    return ", ".join(parts)
