"""Values at points in the patient: anywhere (`interp`), and along a line (`profile`)."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.frames import FrameIndex
from dicomlab.geometry import AXES, FRAME, Geometry
from dicomlab.regrid.onto import steps_first
from dicomlab.regrid.places import box_of, rulers
from dicomlab.regrid.planes import finest
from dicomlab.regrid.sampling import How, Labels, Order, margins, sample
from dicomlab.regrid.voxels import whole

__all__ = ["MOST_POINTS", "at_points", "interp", "points_of", "profile", "with_points"]

FloatArray = npt.NDArray[np.float64]

MOST_POINTS = 10_000_000
"""Along lines and curves; each takes some hundred bytes on the way to its value."""


def interp(
    volume: xr.DataArray,
    points: npt.ArrayLike | xr.DataArray,
    *,
    order: Order | None = None,
    fill: float | None = None,
    labels: Labels | None = None,
) -> xr.DataArray:
    """Values at points in the patient.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others; of a lazy one only what lies around the points is read.
    points
        LPS mm, shape ``(..., 3)``. A DataArray (last dim x, y, z) gives its other dims to the result.
    order, fill, labels
        As for `resample`; nothing is smoothed.

    Returns
    -------
    xarray.DataArray
        Further axes of the volume first, then ``point`` (``point_0``, ``point_1`` … where there are several), with the
        coordinates ``x``, ``y``, ``z``.

    Raises
    ------
    GeometryError
        `points` has no last axis of three, or the array is no volume.
    DicomLabError
        `order`, `fill` or `labels` does not fit the values.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(8.0).reshape(2, 2, 2), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> volume.dicom.interp([[0, 0, 0], [0, 0, 0.5], [0, 0, 9]]).values
    array([ 0.,  2., nan])
    """
    where = points_of(points, "points")
    if isinstance(points, xr.DataArray):
        dims = [str(dim) for dim in points.dims[:-1]]
    else:
        dims = ["point"] if where.ndim == 2 else [f"point_{n}" for n in range(where.ndim - 1)]
    how = How.of(volume, order=order, fill=fill, labels=labels)
    values = at_points(volume, whole(volume), where, how)
    return with_points(
        volume, values, where, dims, f"interp: values at {where.size // 3} points, {how.words}"
    )


def profile(
    volume: xr.DataArray,
    start: npt.ArrayLike,
    end: npt.ArrayLike,
    *,
    step: float | None = None,
    order: Order | None = None,
    fill: float | None = None,
    labels: Labels | None = None,
) -> xr.DataArray:
    """Values along the straight line between two points in the patient.

    Parameters
    ----------
    start, end
        LPS mm, shape ``(3,)``.
    step
        Millimetres from one value to the next; the last one may then lie before `end`. None divides the line evenly, in
        steps no longer than the finest spacing of the volume, and meets both ends.
    volume, order, fill, labels
        As for `interp`.

    Returns
    -------
    xarray.DataArray
        Further axes of the volume first, then ``distance`` in mm from `start`, with the coordinates ``x``, ``y``, ``z``.

    Raises
    ------
    GeometryError
        The points are one, or `step` is no length.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(8.0).reshape(2, 2, 2), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> line = volume.dicom.profile((0, 0, 0), (0, 0, 1), step=0.25)
    >>> line.distance.values, line.values
    (array([0.  , 0.25, 0.5 , 0.75, 1.  ]), array([0., 1., 2., 3., 4.]))
    """
    geometry = whole(volume)
    first, last = (points_of(point, name) for point, name in ((start, "start"), (end, "end")))
    if first.shape != (3,) or last.shape != (3,):
        raise GeometryError(
            f"a profile runs between two points x, y, z (LPS), found shapes {first.shape}, {last.shape}"
        )
    length = float(np.linalg.norm(last - first))
    if not np.isfinite(length) or length == 0:
        raise GeometryError(
            f"a profile needs two different points, found {first.tolist()} and {last.tolist()}"
        )
    if step is not None and not (np.isfinite(step) and step > 0):
        raise GeometryError(f"step is the distance in mm from one value to the next, found {step!r}")
    count = np.ceil(length / finest(geometry) - 1e-9) if step is None else np.floor(length / step + 1e-9)
    if count > MOST_POINTS:
        raise GeometryError(
            f"a line of {length:g} mm with a value every {step} mm has {count:.0f} values; lengths are in mm"
        )
    along = (length / max(count, 1.0) if step is None else step) * np.arange(int(count) + 1)
    where = first + along[:, None] * ((last - first) / length)
    how = How.of(volume, order=order, fill=fill, labels=labels)
    values = at_points(volume, geometry, where, how)
    ends = " to ".join("({})".format(", ".join(f"{x:.4g}" for x in point)) for point in (first, last))
    made = with_points(volume, values, where, ["distance"], f"profile: from {ends} mm, {how.words}")
    attrs = {"units": "mm", "long_name": "distance along the line"}
    return made.assign_coords(distance=("distance", along, attrs))


def points_of(points: Any, name: str) -> FloatArray:
    """LPS points of shape ``(..., 3)``; raises `GeometryError` where they have another."""
    where = np.asarray(points, dtype=np.float64)
    if where.ndim == 0 or where.shape[-1] != 3:
        raise GeometryError(
            f"{name} come as x, y, z (LPS) in an array of shape (..., 3), found {where.shape}"
        )
    return where


def at_points(volume: xr.DataArray, geometry: Geometry, where: FloatArray, how: How) -> Any:
    """Values at LPS points ``(..., 3)``: shape ``(further axes…, ...)``. A dask array gives one, of one piece for each step."""
    scales = rulers(geometry)
    mm: FloatArray = np.asarray(np.linalg.solve(geometry.direction, where.reshape(-1, 3).T).T, np.float64)
    index = np.stack([ruler.index(mm[:, axis]) for axis, ruler in enumerate(scales)], axis=-1)
    index = index.reshape(where.shape)
    sizes = [ruler.size for ruler in scales]
    known = index.reshape(-1, 3)[np.isfinite(index).all(axis=-1).ravel()]
    inside = bool(known.size) and known.size == index.size and _all_inside(known, sizes)
    dtype, blank = how.types(volume.dtype, not inside)
    # Points far outside need no voxels between here and there.
    near = np.clip(known, 0, np.array(sizes) - 1.0) if known.size else np.zeros((1, 3))
    box = box_of(near.min(axis=0), near.max(axis=0), sizes, margins(how, np.zeros(3)))
    start = [part.start for part in box]
    turned = volume.transpose(..., *AXES).isel(dict(zip(AXES, box, strict=True)))
    shape = (*turned.shape[:-3], *where.shape[:-1])

    def work(values: Any) -> Any:
        made = sample(steps_first(values), start, index, scales, how, dtype, blank)
        return made.reshape((*values.shape[:-3], *where.shape[:-1]))

    if turned.chunks is None:
        return work(turned.values)
    from dask.array import from_delayed
    from dask.delayed import delayed

    return from_delayed(delayed(work)(turned.data), shape, dtype=dtype)  # type: ignore[no-untyped-call]


def with_points(
    volume: xr.DataArray, values: Any, where: FloatArray, dims: list[str], report: str
) -> xr.DataArray:
    """Values as an array with the further axes of `volume`, then `dims`; x, y, z, and the guard of the frame of reference."""
    further = [dim for dim in volume.dims if dim not in AXES]
    taken = [dim for dim in dims if dim not in AXES and (dim in volume.dims or dim in volume.coords)]
    if taken:
        raise GeometryError(
            f"the volume has {', '.join(taken)} already, so the points cannot lie along an axis of that name: rename theirs"
        )
    earlier = str(volume.attrs.get("resampled", ""))
    attrs = volume.attrs | {"resampled": f"{earlier}\n{report}".strip()}
    made = xr.DataArray(values, dims=[*further, *dims], attrs=attrs)
    made.name = volume.name
    rest = volume.coords.to_dataset()
    rest = rest.drop_vars(
        [name for name, coord in volume.coords.items() if name in AXES or set(coord.dims) & set(AXES)]
    )
    made = made.assign_coords(rest.coords)
    places = {
        name: xr.Variable(dims, where[..., world], {"units": "mm", "long_name": f"{name} (LPS)"})
        for world, name in enumerate("xyz")
    }
    frame = volume.coords[FRAME].variable
    guard = xr.Coordinates({FRAME: frame}, indexes={FRAME: FrameIndex(FRAME, frame)})
    return made.assign_coords(places).assign_coords(guard)


def _all_inside(index: FloatArray, sizes: list[int]) -> bool:
    return bool(np.all(index >= -0.5) and np.all(index <= np.array(sizes) - 0.5))
