"""The same axes with other steps (`resample`), and the grid of another volume (`resample_like`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import unevenness
from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.onto import onto
from dicomlab.regrid.sampling import Engine, How, Labels, Order
from dicomlab.regrid.voxels import whole

__all__ = ["Spacing", "resample", "resample_like", "three"]

FloatArray = npt.NDArray[np.float64]

Spacing: TypeAlias = float | Sequence[float | None] | Mapping[str, float | None]


def resample(
    volume: xr.DataArray,
    *,
    spacing: Spacing,
    order: Order | None = None,
    fill: float | None = None,
    antialias: bool = True,
    labels: Labels | None = None,
    engine: Engine = "auto",
) -> xr.DataArray:
    """Volume with voxels of another size, along the same axes and over the same extent.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; dask arrays stay lazy. Slices may be uneven.
    spacing
        Millimetres between voxel centres along slice, row, column, one number for all, or ``{"row": 1, "column": 1}``. An axis
        that is None or not named stays as it is. The new voxels are as many as come nearest to the old extent, and lie around
        the same centre: the outer faces stay where they are where the step divides the extent, else they move by a quarter of
        a step at most.
    order
        1 interpolates linearly (the default; integers become float32, float64 from 32 bits on, because rounding would change
        values), 3 by cubic B-splines, through uneven slices at their true positions, 0 takes the nearest value and keeps the
        dtype. The default for masks is 0.
    fill
        Value outside the volume: half a voxel beyond the outer voxel centres. None is NaN (there integers become floating
        point), False in a mask.
    antialias
        Along axes that get coarser, values are smoothed first (order 1 and 3), so that a voxel is the mean of what it covers: a
        Gaussian that widens a voxel as much as its step is widened. False takes points.
    labels
        For masks and labels: ``"nearest"`` takes the nearest; ``"linear"`` interpolates each label as a mask of its own and
        takes the one with the most weight, the lowest of several. The dtype stays, outside is `fill` or 0. None is nearest for
        False and True, and for whole numbers whose labels have names.
    engine
        ``"numba"`` is compiled code for order 1 where grids are askew (``pip install dicomlab[fast]``), ``"numpy"`` is not.
        ``"auto"`` takes what is there and worth it.

    Returns
    -------
    xarray.DataArray
        Same dims, name and attributes; ``attrs["resampled"]`` says what was done. Coordinates that lie along axes that changed,
        other than positions, are left behind.

    Raises
    ------
    GeometryError
        No coordinates of a volume; a spacing that is no length; nobody knows how thick a single slice is; or more than 8 GiB.
    DicomLabError
        `order`, `fill` or `labels` does not fit the values.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(8.0).reshape(2, 2, 2), affine=np.diag([1.0, 1, 4, 1])[:, [2, 1, 0, 3]])
    >>> volume.dicom.spacing
    (4.0, 1.0, 1.0)
    >>> fine = volume.dicom.resample(spacing=(2, None, None))
    >>> fine.slice.values, fine.values[:, 0, 0]
    (array([-1.,  1.,  3.,  5.]), array([0., 1., 3., 4.]))
    """
    geometry = whole(volume)
    how = How.of(volume, order=order, fill=fill, antialias=antialias, labels=labels, engine=engine)
    axes, steps, changed = [], [], []
    for axis, wanted in enumerate(three(spacing)):
        positions, step = _axis(geometry, axis, wanted)
        axes.append(positions)
        steps.append(step)
        if positions is not geometry.positions[axis]:
            changed.append(AXES[axis])
    if not changed:
        return volume
    target = Geometry(
        geometry.direction,
        axes[0],
        axes[1],
        axes[2],
        geometry.frame_of_reference,
        (steps[0], steps[1], steps[2]),
    )
    old, new = (" x ".join(f"{step:.4g}" for step in grid.spacing) for grid in (geometry, target))
    return onto(volume, geometry, target, how, f"resample: {old} mm to {new} mm", gone=changed)


def resample_like(
    volume: xr.DataArray,
    target: xr.DataArray | Geometry,
    *,
    order: Order | None = None,
    fill: float | None = None,
    antialias: bool = True,
    labels: Labels | None = None,
    engine: Engine = "auto",
) -> xr.DataArray:
    """Volume on the grid of another one, so that the two meet voxel by voxel.

    Parameters
    ----------
    target
        A volume, or the `Geometry` of one, in the same frame of reference. Nothing is registered: a millimetre of one is a
        millimetre of the other. Its slices may be uneven or tilted.
    volume, order, fill, antialias, labels, engine
        As for `resample`.

    Returns
    -------
    xarray.DataArray
        Dims, name and attributes of `volume`, its further axes included; positions of `target`. A volume that is on the
        grid already comes back as it is.

    Raises
    ------
    xr.AlignmentError
        The two have different frames of reference.
    GeometryError
        One of them has no coordinates of a volume, or the result would have more than 8 GiB.
    DicomLabError
        `order`, `fill` or `labels` does not fit the values.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> ct = make_volume(np.zeros((2, 4, 4)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    >>> pet = make_volume(np.full((2, 3, 3), 5), affine=np.diag([2, 2, 2, 1])[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    >>> (pet.dicom.resample_like(ct) + ct).shape
    (2, 4, 4)
    """
    geometry = whole(volume)
    how = How.of(volume, order=order, fill=fill, antialias=antialias, labels=labels, engine=engine)
    if not isinstance(target, (Geometry, xr.DataArray, xr.Dataset)):
        raise GeometryError(
            f"the grid of a volume or a Geometry was asked for; found {type(target).__name__}. make_volume gives an array "
            "and its affine the coordinates of a volume."
        )
    grid = target if isinstance(target, Geometry) else Geometry.from_volume(target)
    if _is_one(geometry, grid):
        return volume
    size = " x ".join(map(str, grid.shape))
    return onto(volume, geometry, grid, how, f"resample_like: onto a grid of {size} voxels")


def three(spacing: Spacing) -> tuple[float | None, float | None, float | None]:
    """A spacing as three, each a length or None."""
    if isinstance(spacing, Mapping):
        if not set(spacing) <= set(AXES):
            raise GeometryError(
                f"spacing={dict(spacing)!r} names what is no axis of a volume: {', '.join(AXES)} are"
            )
        spacing = [spacing.get(axis) for axis in AXES]
    one = isinstance(spacing, (int, float, np.number)) and not isinstance(spacing, bool)
    given = [spacing] * 3 if one else list(spacing) if isinstance(spacing, (Sequence, np.ndarray)) else []
    try:
        made = [None if length is None else float(length) for length in given]  # type: ignore[arg-type]
    except (TypeError, ValueError):
        made = []
    if len(made) != 3 or not all(length is None or (np.isfinite(length) and length > 0) for length in made):
        raise GeometryError(
            f"spacing is one length in mm, or three along {', '.join(AXES)}; found {spacing!r}"
        )
    return made[0], made[1], made[2]


def _axis(geometry: Geometry, axis: int, wanted: float | None) -> tuple[FloatArray, float]:
    """New positions along an axis, and their step; the old ones where nothing changes."""
    old, lone = geometry.positions[axis], geometry.lone_steps[axis]
    if wanted is None:
        return old, lone
    step = wanted / float(np.linalg.norm(geometry.direction[:, axis]))
    if old.size == 1 and np.isnan(lone):
        raise GeometryError(
            f"there is only one {AXES[axis]}, and nothing says how thick it is, so spacing={wanted:g} mm has no extent to "
            f"fill. None keeps the axis; volume.isel({AXES[axis]}=[k]) instead of an integer keeps the step of the volume."
        )
    gaps = np.diff(old) if old.size > 1 else np.array([lone])
    if not (np.all(gaps > 0) or np.all(gaps < 0)):
        raise GeometryError(
            f"positions along {AXES[axis]} neither only rise nor only fall. Drop doubled ones (isel) and sort the others "
            f"(volume.sortby({AXES[axis]!r})) first."
        )
    sign = float(np.sign(gaps[0]))
    if unevenness(old) <= 1e-6 * step and abs(np.mean(np.abs(gaps)) - step) <= 1e-9 * step:
        return old, lone
    first, last = old[0] - gaps[0] / 2, old[-1] + gaps[-1] / 2
    count = max(1.0, np.round(abs(last - first) / step))
    if count > 1e6:
        raise GeometryError(
            f"spacing={wanted:g} mm would make {count:.0f} voxels along {AXES[axis]}; lengths are in mm"
        )
    middle = (first + last) / 2
    made: FloatArray = middle + sign * step * (np.arange(int(count)) - (count - 1) / 2)
    return made, sign * step


def _is_one(mine: Geometry, theirs: Geometry) -> bool:
    """Whether two grids are one, to the last digit."""
    return (
        mine.frame_of_reference == theirs.frame_of_reference
        and np.array_equal(mine.direction, theirs.direction)
        and all(np.array_equal(a, b) for a, b in zip(mine.positions, theirs.positions, strict=True))
    )
