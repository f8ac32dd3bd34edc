"""Slices squarely above one another, from those of a tilted gantry."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import evenness_tolerance, unevenness
from dicomlab.errors import GeometryError
from dicomlab.frames import BASIS_TOLERANCE
from dicomlab.geometry import AXES, Geometry
from dicomlab.reslice.voxels import by_plane, check_size, checked, finish, flips, mix, on_plane, value_type

__all__ = ["rectify"]

FloatArray = npt.NDArray[np.float64]

_WHOLE = 1e-5
"""A shift this near (in pixels) to a whole number of pixels is one: values are copied, not interpolated."""


def rectify(
    volume: xr.DataArray, *, method: Literal["linear", "nearest"] = "linear", fill: float | None = None
) -> xr.DataArray:
    """Volume whose slices lie squarely above one another, from one with a tilted gantry; others come back as they are.

    Each slice stays at its position and is moved within its own plane, by interpolation between its own pixels only; the
    lowest slice keeps every value, and so does each one that moves by whole pixels. Slices need not be even.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; dask arrays stay lazy.
    method
        ``"linear"`` makes float32 of integers (float64 from 32 bits on) where slices move by parts of pixels, because rounding
        would change values. ``"nearest"`` takes the nearest pixel: for masks and labels.
    fill
        Value of the corners that no slice reaches. None is NaN (then integers become floating point), False in a mask.

    Returns
    -------
    xarray.DataArray
        Same dims, name, attributes and spacing of rows and columns, and more of these: the new grid reaches over the centres
        of all old voxels. ``attrs["resampled"]`` says what was done. Coordinates that lie along rows or columns, other than
        positions, are left behind.

    Raises
    ------
    GeometryError
        No coordinates of a volume; rows or columns that are uneven or a single one; or a result of more than 8 GiB.
    DicomLabError
        `method` or `fill` does not fit the values.

    References
    ----------
    PS3.3 C.8.2.1 "CT Image Module", Gantry/Detector Tilt (0018,1120). The angle is not taken from there but from positions.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> tilted = np.array([[0, 0, 1.0, 0], [1, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1]])  # each slice 1 mm further back
    >>> volume = make_volume(np.ones((3, 2, 2), np.int16), affine=tilted)
    >>> square = volume.dicom.rectify(fill=0)
    >>> square.dicom.tilt, square.shape
    (0.0, (3, 4, 2))
    >>> square.values[:, :, 0]
    array([[1, 1, 0, 0],
           [0, 1, 1, 0],
           [0, 0, 1, 1]], dtype=int16)
    """
    geometry = checked(volume, method, ("linear", "nearest"))
    c, r = geometry.direction[:, 1], geometry.direction[:, 2]
    n = np.cross(r, c)
    shear = np.array([geometry.direction[:, 0] @ c, geometry.direction[:, 0] @ r])
    if float(np.max(np.abs(shear))) <= BASIS_TOLERANCE:
        return volume
    flip = flips(geometry)
    source = volume.isel(flip).transpose(..., *AXES)
    along, row, column = (x[flip[name]] for name, x in zip(AXES, geometry.positions, strict=True))
    anchor = float(along.min())
    down = _pixels("row", row, shear[0] * (along - anchor))
    across = _pixels("column", column, shear[1] * (along - anchor))
    first = [int(np.floor(shift.min())) for shift in (down, across)]
    last = [int(np.ceil(shift.max())) for shift in (down, across)]
    sizes = [x.size - a + b for x, a, b in zip((row, column), first, last, strict=True)]
    between = bool(np.any(down % 1) or np.any(across % 1))
    dtype, blank = value_type(volume.dtype, fill, method == "linear" and between, outside=True)
    farthest = f"{float(np.hypot(*shear)) * (along.max() - anchor):.4g} mm"
    check_size((*source.shape[:-2], *sizes), dtype, volume, f"moving slices by up to {farthest}")

    def plane(values: Any, k: int) -> Any:
        shift = (float(down[k]) - first[0], float(across[k]) - first[1])
        move = partial(
            _moved,
            shift=shift,
            sizes=(sizes[0], sizes[1]),
            nearest=method == "nearest",
            dtype=dtype,
            blank=blank,
        )
        return on_plane(move, values[..., k, :, :], sizes=(sizes[0], sizes[1]), dtype=dtype)

    new = Geometry(
        np.stack([n, c, r], axis=1),
        along,
        _extended(row, first[0], sizes[0]) + shear[0] * anchor,
        _extended(column, first[1], sizes[1]) + shear[1] * anchor,
        geometry.frame_of_reference,
        geometry.lone_steps,
    )
    how = "linearly between pixels" if method == "linear" else "to the nearest pixel"
    report = (
        f"rectify: slices tilted by {geometry.tilt:.2f} degrees moved within their planes by up to "
        f"{farthest}, {how}; {blank} where no slice reaches"
    )
    values = by_plane(source, plane, along.size)
    return finish(volume, source, values, new, flip, report, gone=("row", "column"))


def _pixels(name: str, positions: FloatArray, shift: FloatArray) -> FloatArray:
    """The shift (mm) of each slice along an axis in pixels, a whole number where it nearly is one."""
    if not np.any(np.abs(shift) > 1e-9):
        return np.zeros(shift.size)
    if positions.size < 2:
        raise GeometryError(
            f"the slices are tilted along {name}, where this volume has one voxel: nothing to interpolate between. Rectify the "
            f"whole volume and pick the {name} from the result."
        )
    if unevenness(positions) > evenness_tolerance(positions):
        raise GeometryError(
            f"rectify() moves slices along {name}, whose positions are uneven here. Rectify the volume that these were picked "
            "from, then pick."
        )
    pixels = shift / (float(positions[-1] - positions[0]) / (positions.size - 1))
    whole = np.round(pixels)
    return np.where(np.abs(pixels - whole) <= _WHOLE, whole, pixels)


def _extended(positions: FloatArray, first: int, size: int) -> FloatArray:
    """Positions continued evenly: from the (negative) index `first` on, `size` of them."""
    if first == 0 and size == positions.size:
        return positions
    step = float(positions[-1] - positions[0]) / (positions.size - 1)
    result: FloatArray = positions[0] + step * (first + np.arange(size))
    return result


def _moved(
    plane: npt.NDArray[Any],
    *,
    shift: tuple[float, float],
    sizes: tuple[int, int],
    nearest: bool,
    dtype: np.dtype[Any],
    blank: Any,
) -> npt.NDArray[Any]:
    """The last two axes of `plane` in a larger field, `shift` pixels down and across (never negative)."""
    starts, parts = [], plane
    for axis, pixels in zip((-2, -1), shift, strict=True):
        # Voxel i of the new field holds what was at i - pixels; halves go down, on axes that always rise.
        start = int(np.ceil(pixels - 0.5)) if nearest else int(np.ceil(pixels))
        weight = start - pixels
        if not nearest and weight > 0:
            parts = np.moveaxis(parts, axis, 0)
            wide = np.result_type(dtype, np.float64)
            parts = np.moveaxis(mix(parts[:-1], parts[1:], weight=weight, dtype=wide), 0, axis)
        starts.append(start)
    out = np.full((*plane.shape[:-2], *sizes), blank, dtype)
    rows, columns = parts.shape[-2:]
    out[..., starts[0] : starts[0] + rows, starts[1] : starts[1] + columns] = parts
    return out
