"""Slices squarely above one another, from those of a tilted gantry."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import evenness_tolerance, unevenness
from dicomlab.errors import GeometryError
from dicomlab.frames import BASIS_TOLERANCE
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.onto import onto
from dicomlab.regrid.places import Places, rulers
from dicomlab.regrid.sampling import How, Labels, Order
from dicomlab.regrid.voxels import flips, whole

__all__ = ["rectify"]

FloatArray = npt.NDArray[np.float64]

_WHOLE = 1e-5
"""A shift this near (in pixels) to a whole number of pixels is one: values are copied, not interpolated."""


def rectify(
    volume: xr.DataArray,
    *,
    order: Order | None = None,
    fill: float | None = None,
    labels: Labels | None = None,
) -> xr.DataArray:
    """Volume whose slices lie squarely above one another, from one with a tilted gantry; others come back as they are.

    Each slice stays at its position and is moved within its own plane, by interpolation between its own pixels only; the
    lowest slice keeps every value, and so does each one that moves by whole pixels (splines to rounding).
    Slices need not be even.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; dask arrays stay lazy.
    order
        1 interpolates linearly (the default) and makes float32 of integers (float64 from 32 bits on) where slices move by
        parts of pixels, because rounding would change values; 3 by cubic B-splines; 0 takes the nearest pixel and keeps the
        dtype. The default for masks is 0.
    fill
        Value of the corners that no slice reaches, half a pixel beyond its outer pixels. None is NaN (then integers become
        floating point), False in a mask.
    labels
        For masks and labels, as for `resample`.

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
        `order`, `labels` or `fill` does not fit the values.

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
    geometry = whole(volume)
    how = How.of(volume, order=order, fill=fill, antialias=False, labels=labels)
    c, r = geometry.direction[:, 1], geometry.direction[:, 2]
    n = np.cross(r, c)
    shear = np.array([geometry.direction[:, 0] @ c, geometry.direction[:, 0] @ r])
    if float(np.max(np.abs(shear))) <= BASIS_TOLERANCE:
        return volume
    flip = flips(geometry)
    source = volume.isel(flip)
    along, row, column = (x[flip[name]] for name, x in zip(AXES, geometry.positions, strict=True))
    anchor = float(along.min())
    down = _pixels("row", row, shear[0] * (along - anchor))
    across = _pixels("column", column, shear[1] * (along - anchor))
    first = [int(np.floor(shift.min())) for shift in (down, across)]
    last = [int(np.ceil(shift.max())) for shift in (down, across)]
    sizes = [x.size - a + b for x, a, b in zip((row, column), first, last, strict=True)]
    new = Geometry(
        np.stack([n, c, r], axis=1),
        along,
        _extended(row, first[0], sizes[0]) + shear[0] * anchor,
        _extended(column, first[1], sizes[1]) + shear[1] * anchor,
        geometry.frame_of_reference,
        geometry.lone_steps,
    )
    old = Geometry.from_volume(source)
    if not (np.any(down % 1) or np.any(across % 1)):
        how = replace(how, order=0, one_hot=False)  # whole pixels: values are copied
    farthest = f"{float(np.hypot(*shear)) * (along.max() - anchor):.4g} mm"
    report = (
        f"rectify: slices tilted by {geometry.tilt:.2f} degrees moved within their planes by up to {farthest}"
    )
    places = _places(old, down - first[0], across - first[1], new.shape)
    return onto(source, old, new, how, report, gone=("row", "column"), places=places).isel(flip)


def _places(old: Geometry, down: FloatArray, across: FloatArray, shape: tuple[int, int, int]) -> Places:
    """Where the voxels of the new grid lie in the old one: `down` and `across` pixels back, to the last digit."""
    made, scales = [], rulers(old)
    for axis, (ruler, shift) in enumerate(zip(scales, (None, down, across), strict=True)):
        terms: list[FloatArray] = [np.zeros(size) for size in shape]
        # Along an uneven axis, which is never one that is moved, places are mm.
        terms[axis] = np.arange(shape[axis], dtype=np.float64) if ruler.knots is None else old.positions[axis]
        if shift is not None:
            terms[0] = -shift
        made.append(tuple(terms))
    return Places(tuple(made), scales)


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
