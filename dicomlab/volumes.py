"""The one way by which any array becomes a volume: `make_volume`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES, Geometry

__all__ = ["attrs_of", "make_volume"]


def make_volume(
    values: Any,
    *,
    affine: npt.ArrayLike | None = None,
    geometry: Geometry | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    attrs: Mapping[str, Any] | None = None,
    dims: Sequence[str] = AXES,
    coords: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Labelled volume from any array and a geometry.

    Parameters
    ----------
    values
        Shape ``(slices, rows, columns)``, or as `dims` says; numpy, dask or anything that xarray wraps. Not copied.
    affine
        Shape ``(4, 4)``: ``(slice, row, column, 1)`` voxel index to LPS mm. Either this or `geometry`.
    geometry
        A `Geometry` of the same shape.
    frame_of_reference
        Frame of Reference UID, with `affine`. Volumes made without one share no frame with anything else.
    units
        Unit of the values, for instance ``"HU"``.
    name, attrs
        As for `xarray.DataArray`.
    dims
        Names of the dimensions: slice, row and column in this order, with others (time, sample …) before or after them.
    coords
        Coordinates along those other dimensions, as for `xarray.DataArray`.

    Raises
    ------
    GeometryError
        Neither or both geometries are given, or the shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], units="HU")
    >>> volume.dims
    ('slice', 'row', 'column')
    """
    whole = tuple(int(n) for n in np.shape(values))
    if len(whole) != len(dims) or tuple(dim for dim in dims if dim in AXES) != AXES:
        raise GeometryError(
            f"a volume has the three axes {', '.join(AXES)} in this order, and others if dims= names them; the values have "
            f"shape {whole}, the dims are {tuple(dims)}"
        )
    shape = tuple(n for n, dim in zip(whole, dims, strict=True) if dim in AXES)
    if (affine is None) == (geometry is None):
        raise GeometryError(
            "give either affine= (4x4, index to LPS mm) or geometry= (a Geometry), not both or neither"
        )
    if geometry is None:
        assert affine is not None
        if frame_of_reference is None:
            # A fresh name each time: two arrays of unknown origin must never be taken for one place.
            from uuid import uuid4

            frame_of_reference = f"unknown:{uuid4()}"
        geometry = Geometry.from_affine(affine, (shape[0], shape[1], shape[2]), frame_of_reference)
    if geometry.shape != shape:
        raise GeometryError(
            f"the values have shape {shape}, the geometry {geometry.shape} (slice, row, column)"
        )
    merged = dict(attrs or {})
    if units is not None:
        merged["units"] = units
    if type(values) is np.ndarray:
        values = xr.Variable(list(dims), values, fastpath=True)  # see Geometry.coordinates
    volume = xr.DataArray(values, dims=list(dims), coords=geometry.coordinates(), name=name, attrs=merged)
    return volume.assign_coords(dict(coords)) if coords else volume


def attrs_of(volume: xr.DataArray) -> dict[str, Any]:
    """Attributes of a volume, with the unit of the one step that was picked of an axis along which units differ."""
    attrs = {str(name): value for name, value in volume.attrs.items()}
    units = volume.coords.get("units")
    if units is not None and units.ndim == 0 and not attrs.get("units"):
        attrs["units"] = str(units.values)
    return attrs
