"""What xarray does to positions and forgets to guard, done so that the guards stay: `restore`, `pad`, `coarsen`.

See "What xarray forgets" in ``docs/conventions.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine as _affine
from dicomlab import windowing
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.flat import is_flat
from dicomlab.geometry import AXES, FRAME, Geometry

__all__ = ["Boundary", "coarsen", "pad", "place_on", "restore"]

FloatArray = npt.NDArray[np.float64]

Boundary = Literal["exact", "trim", "pad"]

_MOST_BYTES = 8 << 30


def place_on(volume: xr.DataArray, geometry: Geometry) -> xr.DataArray:
    """`volume` with the coordinates of `geometry`, guards included; everything else stays as it is.

    Axes that were picked away by an integer index have one position in the geometry, and a number as coordinate.
    """
    made = geometry.coordinates()
    along = [name for name in AXES if name in volume.dims]
    picked = {
        name: xr.Variable((), made[name].values[0], volume.coords[name].attrs)
        for name in AXES
        if name not in along
    }
    names = [*along, FRAME]
    guarded = xr.Coordinates(
        {name: made.variables[name] for name in names}, indexes={name: made.xindexes[name] for name in names}
    )
    return volume.drop_vars([*AXES, FRAME], errors="ignore").assign_coords(picked).assign_coords(guarded)


def restore(volume: xr.DataArray) -> xr.DataArray:
    """`volume` with the guards on its coordinates; see ``volume.dicom.restore``.

    Raises
    ------
    GeometryError
        The coordinates of a volume are not there any more, or some positions are NaN (after ``pad``).
    """
    volume = volume.assign_attrs(windowing.with_window_lists(volume.attrs))
    if is_flat(volume):
        return volume  # nothing guards an image without a place
    geometry = Geometry.from_volume(volume)
    lost = [name for name, x in zip(AXES, geometry.positions, strict=True) if np.isnan(x).any()]
    if lost:
        raise GeometryError(
            f"some positions along {', '.join(lost)} are NaN, so nobody knows where these voxels are; .pad() and .shift() "
            "of coordinates make such. volume.dicom.pad() continues the positions, assign_coords gives new ones."
        )
    return place_on(volume, geometry)


def pad(
    volume: xr.DataArray,
    pad_width: Mapping[Any, int | tuple[int, int]],
    *,
    mode: str = "constant",
    constant_values: Any = None,
) -> xr.DataArray:
    """`volume` with more voxels at its ends, whose positions continue by the step; see ``volume.dicom.pad``.

    Raises
    ------
    GeometryError
        An axis is not there, uneven, or a single position of unknown step; a width is no count of voxels; or the result
        would need more than 8 GiB.
    """
    geometry = Geometry.from_volume(volume)
    widths: dict[Any, tuple[int, int]] = {
        dim: (width, width) if np.ndim(width) == 0 else width  # type: ignore[misc]
        for dim, width in pad_width.items()
    }
    for dim, width in widths.items():
        _check_dim(volume, dim, "padded")
        if len(width) != 2 or not all(isinstance(n, (int, np.integer)) and n >= 0 for n in width):
            raise GeometryError(
                f"a pad width counts the voxels before and after, 0 or more of each; found {dim}={width!r}. "
                "isel() takes voxels away."
            )
    shape = [n + sum(widths.get(dim, (0, 0))) for dim, n in volume.sizes.items()]
    needed = float(np.prod(np.array(shape, dtype=np.float64))) * volume.dtype.itemsize
    if needed > max(_MOST_BYTES, 2 * volume.nbytes) and volume.chunks is None:
        raise GeometryError(
            f"padding would make {' x '.join(map(str, shape))} voxels, {needed / (1 << 30):.1f} GiB; .chunk() makes it lazy."
        )
    positions: dict[str, Any] = {
        dim: _continued(geometry, dim, *width)
        for dim, width in widths.items()
        if dim in AXES and width != (0, 0)
    }
    kwargs = {} if constant_values is None else {"constant_values": constant_values}
    padded = volume.pad(widths, mode=mode, keep_attrs=True, **kwargs)  # type: ignore[arg-type]
    return place_on(padded, replace(geometry, **positions))


def coarsen(
    volume: xr.DataArray,
    windows: Mapping[Any, int],
    *,
    func: str | Callable[..., Any] = "mean",
    boundary: Boundary = "exact",
    side: Literal["left", "right"] = "left",
) -> xr.DataArray:
    """`volume` in blocks of voxels, each at the centre of its block; see ``volume.dicom.coarsen``.

    Raises
    ------
    GeometryError
        An axis is not there; a window is no count of voxels; a block to be filled up lies on an uneven axis; no block is full.
    DicomLabError
        `func` is no reduction of xarray.
    ValueError
        xarray's own, for ``boundary="exact"`` where the blocks do not fit.
    """
    geometry = Geometry.from_volume(volume)
    for dim, window in windows.items():
        _check_dim(volume, dim, "coarsened")
        if not isinstance(window, (int, np.integer)) or window < 1:
            raise GeometryError(f"a block counts voxels, 1 or more; found {dim}={window!r}")
        if boundary == "trim" and window > volume.sizes[dim]:
            raise GeometryError(
                f"no block of {window} fits in the {volume.sizes[dim]} voxels along {dim}; boundary='pad' fills it up."
            )
    blocks = volume.coarsen(dict(windows), boundary=boundary, side=side)
    if callable(func):
        coarse = blocks.reduce(func, keep_attrs=True)
    elif hasattr(blocks, func) and func in _REDUCTIONS:
        coarse = getattr(blocks, func)(keep_attrs=True)
    else:
        raise DicomLabError(
            f"func={func!r} is unknown here; it is one of {', '.join(_REDUCTIONS)}, or a function of an array and axis="
        )
    positions: dict[str, Any] = {}
    lone_steps = list(geometry.lone_steps)
    for dim, window in windows.items():
        if dim not in AXES:
            continue
        axis = AXES.index(dim)
        positions[dim] = _centres(geometry, dim, window, boundary, side)
        # One block knows how far the next would be, if the voxels do.
        lone_steps[axis] = window * _step(geometry, axis)
    lone = (lone_steps[0], lone_steps[1], lone_steps[2])
    return place_on(coarse, replace(geometry, **positions, lone_steps=lone))


_REDUCTIONS = ("mean", "median", "min", "max", "sum", "std", "var", "count", "prod", "any", "all")


def _check_dim(volume: xr.DataArray, dim: Any, done: str) -> None:
    if dim not in volume.dims:
        raise GeometryError(
            f"{dim} cannot be {done}: this volume has the dims {', '.join(map(str, volume.dims))}. "
            f"isel({dim}=[k]) instead of an integer keeps an axis."
        )


def _step(geometry: Geometry, axis: int) -> float:
    """Signed mm from one position to the next; NaN when they are uneven or nobody knows."""
    x = geometry.positions[axis]
    if x.size < 2:
        return geometry.lone_steps[axis]
    if _affine.unevenness(x) > _affine.evenness_tolerance(x):
        return float("nan")
    return float(x[-1] - x[0]) / (x.size - 1)


def _continued(geometry: Geometry, name: str, before: int, after: int) -> FloatArray:
    """The positions of an axis and those that would come before and after them."""
    axis = AXES.index(name)
    x, step = geometry.positions[axis], _step(geometry, axis)
    if not x.size or not step or np.isnan(step):
        mend = " volume.dicom.regularize() makes even slices." if name == "slice" and x.size > 1 else ""
        why = "uneven" if x.size > 1 and step else "one" if x.size else "none"
        raise GeometryError(
            f"nobody knows where further voxels along {name} would lie: its {x.size} positions are {why}, and there is no one "
            f"step by which they go on.{mend}"
        )
    return np.concatenate([x[0] - step * np.arange(before, 0, -1), x, x[-1] + step * np.arange(1, after + 1)])


def _centres(geometry: Geometry, name: str, window: int, boundary: str, side: str) -> FloatArray:
    """Means of the positions in each block; a block that is filled up counts as a whole one."""
    x = geometry.positions[AXES.index(name)]
    excess = x.size % window
    if excess and boundary == "pad":
        missing = window - excess
        x = _continued(geometry, name, *((missing, 0) if side == "right" else (0, missing)))
    elif excess:
        x = x[excess:] if side == "right" else x[: x.size - excess]
    return np.asarray(x.reshape(-1, window).mean(axis=1), dtype=np.float64)
