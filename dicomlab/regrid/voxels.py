"""What new grids need: the volume checked and turned, values by plane, and a labelled volume again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, FRAME, Geometry

__all__ = [
    "by_plane",
    "check_size",
    "finish",
    "flips",
    "is_labelled",
    "mix",
    "on_plane",
    "value_type",
    "whole",
]

_MOST_BYTES = 8 << 30


def whole(volume: xr.DataArray) -> Geometry:
    """The geometry of a volume that has all three axes, and voxels along each."""
    geometry = Geometry.from_volume(volume)
    missing = [name for name in AXES if name not in volume.dims]
    if missing or 0 in geometry.shape:
        raise GeometryError(
            f"a new grid needs a volume with voxels along {', '.join(AXES)}; found {dict(volume.sizes)}. isel(slice=[k]) "
            "instead of an integer keeps the axis."
        )
    return geometry


def is_labelled(volume: xr.DataArray) -> bool:
    """Whether nothing lies between two values: False and True, or numbers that `dicomlab.masks` or CF's flags call labels."""
    kind = volume.dtype.kind
    return kind == "b" or (kind in "iu" and bool({"labels", "flag_meanings"} & set(volume.attrs)))


def flips(geometry: Geometry) -> dict[str, slice]:
    """What makes each axis rise, and undoes itself: results do not depend on the order in which voxels are kept."""
    return {
        name: slice(None, None, -1 if x.size > 1 and x[-1] < x[0] else 1)
        for name, x in zip(AXES, geometry.positions, strict=True)
    }


def mix(
    lower: npt.NDArray[Any], upper: npt.NDArray[Any], *, weight: float, dtype: np.dtype[Any]
) -> npt.NDArray[Any]:
    """What lies between two arrays, `weight` (0 to 1) of the way to `upper`."""
    # In double precision, rounded once. An infinite voxel beside its opposite has no mean; NaN says so.
    wide = np.result_type(dtype, np.float64)
    with np.errstate(invalid="ignore"):
        mean: npt.NDArray[Any] = lower.astype(wide) * (1.0 - weight) + upper.astype(wide) * weight
    return mean.astype(dtype)


def value_type(
    dtype: np.dtype[Any], fill: float | None, interpolated: bool, *, outside: bool
) -> tuple[np.dtype[Any], Any]:
    """Dtype of the new values and what stands where there are none."""
    if fill is not None and (np.ndim(fill) or np.asarray(fill).dtype.kind not in "biufc"):
        raise DicomLabError(f"fill is one number, or None; found {fill!r}")
    if interpolated:
        if dtype.kind not in "iufc":
            raise DicomLabError(
                f"values between {dtype} values mean nothing; order=0 takes the nearest one, as masks need"
            )
        dtype = np.result_type(dtype, np.float32)
    if fill is None:
        if not outside:
            return dtype, None
        if dtype.kind == "b":
            return dtype, False
        if dtype.kind not in "iufc":
            raise DicomLabError(f"there is no NaN among {dtype} values to stand where nothing is; give fill=")
        return np.result_type(dtype, np.float32), np.nan
    if dtype.kind in "biu" and np.isnan(fill):
        dtype = np.result_type(dtype, np.float32)
    if np.iscomplexobj(fill) and dtype.kind != "c":
        raise DicomLabError(f"fill={fill!r} is no {dtype} value, which the values are")
    with np.errstate(all="ignore"):
        held = np.asarray(fill).astype(dtype)
    if held != fill if dtype.kind in "biu" else np.isfinite(held) != np.isfinite(fill):
        raise DicomLabError(
            f"fill={fill!r} is no {dtype} value, which the values are; astype(float) first, or another fill"
        )
    return dtype, held[()]


def check_size(shape: Sequence[int], dtype: np.dtype[Any], volume: xr.DataArray, why: str) -> None:
    """Refuse what a slip makes (a step a thousand times too small) before it is allocated; lazy arrays allocate nothing."""
    needed = float(np.prod(np.array(shape, dtype=np.float64))) * dtype.itemsize
    if needed > max(_MOST_BYTES, 2 * volume.nbytes) and volume.chunks is None:
        raise GeometryError(
            f"{why} would make {' x '.join(map(str, shape))} voxels, {needed / (1 << 30):.1f} GiB, from "
            f"{volume.nbytes / (1 << 30):.2g} GiB. Crop the volume or choose a larger spacing first; .chunk() makes it lazy."
        )


def on_plane(
    work: Callable[..., npt.NDArray[Any]], *planes: Any, sizes: tuple[int, int], dtype: np.dtype[Any]
) -> Any:
    """`work` done on planes (rows and columns last), at once or, with dask, later; `sizes` are those of the result."""
    if isinstance(planes[0], np.ndarray):
        return work(*planes)
    last = planes[0].ndim
    whole = [plane.rechunk({last - 2: -1, last - 1: -1}) for plane in planes]
    chunks = (*whole[0].chunks[:-2], (sizes[0],), (sizes[1],))
    empty = np.empty((0,) * last, dtype)
    return whole[0].map_blocks(work, *whole[1:], dtype=dtype, chunks=chunks, meta=empty)


def by_plane(source: xr.DataArray, plane: Callable[[Any, int], Any], count: int) -> Any:
    """All planes, stacked along the third axis from the end."""
    if source.chunks is not None:
        from dask.array import stack

        return stack([plane(source.data, k) for k in range(count)], axis=-3)  # type: ignore[no-untyped-call]
    values = source.values
    out: npt.NDArray[Any] | None = None
    for k in range(count):
        part = plane(values, k)
        if out is None:
            out = np.empty((*part.shape[:-2], count, *part.shape[-2:]), part.dtype)
        out[..., k, :, :] = part
    return out


def finish(
    volume: xr.DataArray,
    source: xr.DataArray,
    values: Any,
    geometry: Geometry,
    flip: dict[str, slice],
    report: str,
    gone: Sequence[str],
) -> xr.DataArray:
    """A volume like the first one from new values, turned back by `flip`; coordinates along `gone` axes stay behind."""
    earlier = str(volume.attrs.get("resampled", ""))
    attrs = volume.attrs | {"resampled": f"{earlier}\n{report}".strip()}
    result = xr.DataArray(values, dims=source.dims, coords=geometry.coordinates(), attrs=attrs)
    result.name = volume.name  # given to DataArray, a name of None becomes the one that dask gave its array
    leave: set[Hashable] = {*AXES, FRAME}
    leave |= {name for name, coord in source.coords.items() if set(gone) & set(coord.dims)}
    rest = source.coords.to_dataset().drop_vars(leave)
    return result.assign_coords(rest.coords).isel(flip).transpose(*volume.dims)
