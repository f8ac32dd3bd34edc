"""`grow`: what hangs together with positions in the patient, as far as values are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import mask_like
from dicomlab.segment.connected import Connectivity, check_connectivity, labelled
from dicomlab.segment.steps import Array, Bools, check_count, check_number, check_volume, each_step
from dicomlab.segment.thresholds import inside, limits
from dicomlab.warn import warn_user

__all__ = ["flood", "grow", "seeds_at"]

Seeds = npt.NDArray[np.intp]

_FIRST = 24
"""Voxels around the seeds that are looked at first."""


def grow(
    volume: xr.DataArray,
    *,
    at: npt.ArrayLike,
    tolerance: float | None = None,
    low: float | None = None,
    high: float | None = None,
    confidence: float | None = None,
    iterations: int = 4,
    connectivity: Connectivity = 6,
) -> xr.DataArray:
    """Mask of what hangs together with positions in the patient, as far as values are alike.

    Say what is alike by one of `tolerance`, `low` and `high`, or `confidence`. A position whose own value is not in the range
    starts nothing; the mask may be empty.

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself. A lazy one is read step by step.
    at
        x, y, z in LPS mm, or several such, shape ``(n, 3)``.
    tolerance
        Values from the lowest of the seeds less this, to the highest and this; in the unit of the volume.
    low, high
        Values between them, both included.
    confidence
        Values within so many standard deviations of the mean, first of the 3 x 3 x 3 voxels around the seeds, then of
        what has been found so far. Seeds always belong to it. As "confidence connected" in ITK.
    iterations
        How often mean and deviation are taken anew, at most; it ends when nothing changes.
    connectivity
        6, 18 or 26 neighbours count as touching. More neighbours leak through thinner walls.

    Raises
    ------
    DicomLabError
        None or several ways to be alike; a position outside the volume, with what the volume holds.

    Examples
    --------
    >>> from dicomlab import phantom, segment
    >>> ct = phantom.ct_truth("1.2.3", (20, 40, 50), "axial").volume
    >>> lesion = segment.grow(ct, at=(-82, -15, -61), low=-15, high=40)
    >>> bool(lesion.any())
    True
    """
    check_volume(volume, "grow")
    check_connectivity(connectivity)
    ways = [tolerance is not None, low is not None or high is not None, confidence is not None]
    if sum(ways) != 1:
        raise DicomLabError(
            "say what is alike by one of tolerance=, low= and high=, or confidence=; found "
            + ("none" if not any(ways) else "several")
        )
    check_count(iterations, "iterations=", least=0, most=10_000)
    seeds = seeds_at(volume, at)
    if confidence is not None:
        times = check_number(confidence, "confidence=")
        return mask_like(
            volume,
            each_step(
                volume,
                lambda values: _confident(values, seeds, times, iterations, connectivity),
                dtype=np.bool_,
            ),
        )
    span: Callable[[Array], tuple[float | None, float | None]]
    if tolerance is not None:
        by = check_number(tolerance, "tolerance=")

        def span(found: Array) -> tuple[float | None, float | None]:
            known = found[np.isfinite(found)].astype(np.float64)
            return (np.nan, np.nan) if not known.size else (known.min() - by, known.max() + by)
    else:
        both = limits(low, high, "grow")

        def span(found: Array) -> tuple[float | None, float | None]:
            return both

    def work(values: Array) -> Bools:
        own = values[tuple(seeds.T)]
        least, most = span(own)
        if not inside(own, least, most).any():
            warn_user(
                f"nothing grows: values at at= are {', '.join(f'{v:g}' for v in own[:4].tolist())}, and none lies within "
                f"{'-inf' if least is None else f'{least:g}'} to {'inf' if most is None else f'{most:g}'}. at= are positions "
                "in LPS mm; volume.dicom.lps(index) has that of a voxel."
            )
        return flood(values, seeds, least, most, connectivity)

    return mask_like(volume, each_step(volume, work, dtype=np.bool_))


def seeds_at(volume: xr.DataArray, at: npt.ArrayLike) -> Seeds:
    """The voxels at LPS positions (mm), shape ``(n, 3)``: slice, row and column along rising axes.

    Raises
    ------
    DicomLabError
        A position is none, or lies outside the volume.
    """
    points = np.atleast_2d(np.asarray(at, dtype=np.float64))
    if points.ndim != 2 or points.shape[1] != 3 or not points.size or not np.isfinite(points).all():
        raise DicomLabError(
            f"at= is a position in the patient, x, y and z in LPS mm, or several, shape (n, 3); found {at!r}"
        )
    geometry = Geometry.from_volume(volume)
    index = geometry.index(points)
    for axis, (name, size) in enumerate(zip(AXES, geometry.shape, strict=True)):
        # Of a lone voxel whose step nobody knows only its own plane is known.
        if size == 1 and np.isnan(index[:, axis]).any():
            raise DicomLabError(
                f"nobody knows how thick the lone {name} is, so at= may be beside it; volume.isel({name}=[k]) keeps its step"
            )
    outside = ((index < -0.5) | (index > np.array(geometry.shape) - 0.5)).any(axis=1)
    if outside.any():
        low, high = geometry.extent
        text = ", ".join(f"{n} {a:.1f} to {b:.1f}" for n, a, b in zip("xyz", low, high, strict=True))
        raise DicomLabError(
            f"the position {points[outside][0].tolist()} lies outside the volume, which reaches over {text} mm (LPS)"
        )
    nearest = np.clip(np.floor(index + 0.5).astype(np.intp), 0, np.array(geometry.shape) - 1)
    for axis, x in enumerate(geometry.positions):
        if x.size > 1 and x[-1] < x[0]:
            nearest[:, axis] = x.size - 1 - nearest[:, axis]
    return nearest


def flood(values: Array, seeds: Seeds, low: float | None, high: float | None, connectivity: int) -> Bools:
    """Where values from `low` to `high` hang together with seeds.

    Components are labelled in a box around the seeds, which grows on the sides where what was found touches it. So what is
    small is found at once, and what is large by one pass over the volume, which is quicker than a flood.
    """
    shape = np.array(values.shape)
    out = np.zeros(values.shape, dtype=np.bool_)
    first = np.maximum(seeds.min(axis=0) - _FIRST, 0)
    last = np.minimum(seeds.max(axis=0) + _FIRST + 1, shape)
    while True:
        box = tuple(slice(int(a), int(b)) for a, b in zip(first, last, strict=True))
        alike = np.ascontiguousarray(inside(values[box], low, high))
        at = tuple((seeds - first).T)
        if not alike[at].any():
            return out
        labels, count = labelled(alike, connectivity)
        wanted = np.unique(labels[at])
        wanted = wanted[wanted > 0]
        if wanted.size == 1:
            found = labels == wanted[0]
        else:
            table = np.zeros(count + 1, dtype=np.bool_)
            table[wanted] = True
            found = table[labels]
        del labels, alike
        low_side = [bool(np.take(found, 0, axis=k).any()) and first[k] > 0 for k in range(3)]
        high_side = [bool(np.take(found, -1, axis=k).any()) and last[k] < shape[k] for k in range(3)]
        if not any(low_side) and not any(high_side):
            out[box] = found
            return out
        step = np.maximum(last - first, 2 * _FIRST)
        first = np.where(low_side, np.maximum(first - step, 0), first)
        last = np.where(high_side, np.minimum(last + step, shape), last)


def _confident(values: Array, seeds: Seeds, times: float, iterations: int, connectivity: int) -> Bools:
    """As ITK's ConfidenceConnectedImageFilter, with the real limits in place of truncated ones."""
    own = values[tuple(seeds.T)].astype(np.float64)
    around = []
    for seed in seeds:
        box = [np.clip(np.arange(k - 1, k + 2), 0, n - 1) for k, n in zip(seed, values.shape, strict=True)]
        around.append(values[np.ix_(*box)].astype(np.float64))
    mean, variance = float(np.mean(around)), float(np.var(around, ddof=1))
    found: Bools | None = None
    for _ in range(iterations + 1):
        spread = times * np.sqrt(variance)
        low, high = min(mean - spread, float(own.min())), max(mean + spread, float(own.max()))
        before, found = found, flood(values, seeds, low, high, connectivity)
        if before is not None and np.array_equal(before, found):
            break
        mean, variance = _moments(values, found, mean)
        if not variance > 0:
            break
    assert found is not None
    return found


def _moments(values: Array, found: Bools, near: float) -> tuple[float, float]:
    """Mean and variance of the values that were found, plane by plane; `near` is near the mean, for rounding's sake."""
    count, total, squares = 0, 0.0, 0.0
    for plane, where in zip(values, found, strict=True):
        if where.any():
            part = plane[where].astype(np.float64) - near
            count, total, squares = count + part.size, total + float(part.sum()), squares + float(part @ part)
    if count < 2:
        return near, 0.0
    return near + total / count, (squares - total * total / count) / (count - 1)
