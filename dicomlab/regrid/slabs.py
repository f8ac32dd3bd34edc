"""Thick slabs: the highest, the lowest or the mean value of several voxels in a row (`mip`, `minip`, `average`)."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.voxels import check_size, finish, flips, value_type, whole

__all__ = ["Axis", "average", "minip", "mip"]

FloatArray = npt.NDArray[np.float64]

Axis: TypeAlias = Literal["slice", "row", "column"]

_NEAR = 1e-6
_MOST_SLABS = 10_000


def mip(
    volume: xr.DataArray,
    *,
    thickness: float | None = None,
    axis: Axis = "slice",
    step: float | None = None,
) -> xr.DataArray:
    """Volume of maximum intensity projections: the highest value through each slab.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; dask arrays stay lazy. Slices may be uneven.
    thickness
        Of a slab, along the coordinate `axis` (perpendicular to the slices, also under a tilt). None is the whole axis.
    axis
        The axis through which is looked.
    step
        Millimetres from one slab to the next; None is `thickness`, so that they follow one another.

    Returns
    -------
    xarray.DataArray
        Same dims, dtype, name and attributes; along `axis` the middles of the slabs. The first slab begins at the lower face of
        the volume; the last one may reach beyond the upper one. A slab holds the voxels whose centres it holds, the
        nearest one where it holds none; NaN does not count beside other values.

    Raises
    ------
    GeometryError
        No coordinates of a volume, positions that neither only rise nor only fall, or a length that is none.
    DicomLabError
        Values that have no order.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(6)[:, None, None] * np.ones((6, 2, 2), int), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> slabs = volume.dicom.mip(thickness=2)
    >>> slabs.slice.values, slabs.values[:, 0, 0]
    (array([0.5, 2.5, 4.5]), array([1, 3, 5]))
    >>> volume.dicom.mip(axis="row").shape
    (6, 1, 2)
    """
    return _slabs(volume, "mip", thickness, axis, step)


def minip(
    volume: xr.DataArray,
    *,
    thickness: float | None = None,
    axis: Axis = "slice",
    step: float | None = None,
) -> xr.DataArray:
    """Volume of minimum intensity projections: the lowest value through each slab; all else as of `mip`."""
    return _slabs(volume, "minip", thickness, axis, step)


def average(
    volume: xr.DataArray,
    *,
    thickness: float | None = None,
    axis: Axis = "slice",
    step: float | None = None,
) -> xr.DataArray:
    """Volume of mean values of slabs, as thicker slices would have them.

    A voxel counts as much as of its thickness, half way to each neighbour, lies in the slab, so uneven slices get the
    weights that are theirs. Integers become float32 (float64 from 32 bits on). All else as of `mip`.
    """
    return _slabs(volume, "average", thickness, axis, step)


def _slabs(
    volume: xr.DataArray, verb: str, thickness: float | None, axis: Axis, step: float | None
) -> xr.DataArray:
    if axis not in get_args(Axis):
        raise GeometryError(f"axis={axis!r} is none of a volume; they are {', '.join(AXES)}")
    geometry = whole(volume)
    if volume.dtype.kind not in "biuf":
        raise DicomLabError(f"{volume.dtype} values have no order, so there is no highest or lowest of them")
    dtype = value_type(volume.dtype, None, True, outside=False)[0] if verb == "average" else volume.dtype
    number = AXES.index(axis)
    flip: dict[str, slice] = {axis: flips(geometry)[axis]}
    along = geometry.positions[number][flip[axis]]
    faces = _faces(along, axis, geometry.lone_steps[number])
    extent = float(faces[-1] - faces[0])
    for name, length in (("thickness", thickness), ("step", step)):
        if length is not None and not (np.isfinite(length) and length > 0):
            raise GeometryError(f"{name} is a length in mm, found {length!r}")
    if thickness is None:
        if step is not None:
            raise GeometryError("one slab through the whole volume has no step; give thickness= with it")
        thickness = step = extent
        count = 1
    else:
        step = thickness if step is None else step
        # Every slab begins before the last voxel centre, so that it holds something of the volume.
        slabs = np.floor((along[-1] - faces[0]) / step - _NEAR) + 1
        if slabs > _MOST_SLABS:
            raise GeometryError(
                f"a step of {step:g} mm through {extent:.4g} mm makes {slabs:.0f} slabs; at most {_MOST_SLABS}"
            )
        count = max(1, int(slabs))
    begins = faces[0] + step * np.arange(count)
    source = volume.isel(flip).transpose(..., *AXES)
    shape = [count if name == axis else source.sizes[name] for name in source.dims]
    check_size(shape, dtype, volume, f"slabs every {step:.4g} mm")
    if source.chunks is None:
        source = source.load()  # a lazy volume is read once, not slab by slab
    planes = []
    for begin in begins:
        end = float(begin + thickness)
        weight = _overlap(faces, begin, end) if verb == "average" else _held(along, begin, end)
        held = slice(int(np.argmax(weight > 0)), int(np.flatnonzero(weight)[-1]) + 1)
        part = source.variable.isel({axis: held})
        if verb == "average":
            planes.append(_mean(part, axis, weight[held]).astype(dtype))
        else:
            planes.append(part.max(axis) if verb == "mip" else part.min(axis))
    values = xr.Variable.concat(planes, axis).transpose(*source.dims).data  # type: ignore[no-untyped-call]
    axes = list(geometry.positions)
    axes[number] = begins + thickness / 2
    steps = list(geometry.lone_steps)
    steps[number] = step if along.size > 1 or not np.isnan(geometry.lone_steps[number]) else float("nan")
    target = Geometry(
        geometry.direction,
        axes[0],
        axes[1],
        axes[2],
        geometry.frame_of_reference,
        (steps[0], steps[1], steps[2]),
    )
    words = {"mip": "highest", "minip": "lowest", "average": "mean"}[verb]
    report = f"{verb}: the {words} values of {count} slabs {thickness:.4g} mm thick, every {step:.4g} mm along {axis}"
    return finish(volume, source, values, target, flip, report, gone=(axis,))


def _faces(along: FloatArray, axis: str, lone: float) -> FloatArray:
    """Where voxels end along an axis: half way between centres, and as far beyond the outer ones."""
    gaps = np.diff(along)
    if not np.all(gaps > 0):
        raise GeometryError(
            f"positions along {axis} neither only rise nor only fall. Drop doubled ones (isel) and sort the others "
            f"(volume.sortby({axis!r})) first."
        )
    if along.size == 1:
        # Of a lone voxel whose thickness nobody knows, a hundredth of a millimetre on either side.
        half = 0.01 if np.isnan(lone) else abs(lone) / 2
        return np.array([along[0] - half, along[0] + half])
    inner = (along[1:] + along[:-1]) / 2
    return np.concatenate([[along[0] - gaps[0] / 2], inner, [along[-1] + gaps[-1] / 2]])


def _held(along: FloatArray, begin: float, end: float) -> FloatArray:
    """1 for voxels whose centres lie in the slab, or the one nearest to its middle."""
    near = _NEAR * (end - begin)
    held = ((along >= begin - near) & (along < end - near)).astype(np.float64)
    if not held.any():
        held[np.argmin(np.abs(along - (begin + end) / 2))] = 1.0
    return held


def _overlap(faces: FloatArray, begin: float, end: float) -> FloatArray:
    """Millimetres of each voxel that lie in the slab; what is next to nothing is nothing."""
    inside = np.minimum(faces[1:], end) - np.maximum(faces[:-1], begin)
    found: FloatArray = np.where(inside > _NEAR * (end - begin), inside, 0.0)
    return found


def _mean(part: xr.Variable, axis: str, weight: FloatArray) -> xr.Variable:
    """Weighted mean along an axis; a NaN has no weight."""
    weights = xr.Variable((axis,), weight)
    total = (part * weights).sum(axis)
    if part.dtype.kind != "f":
        made: xr.Variable = total / float(weight.sum())
    else:
        made = total / (part.notnull() * weights).sum(axis)
    return made
