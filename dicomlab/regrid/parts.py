"""Parts of a volume, as they are: around a mask or a box (`crop_to`), and at patient positions (`at_planes`)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.frames import check_frames
from dicomlab.geometry import AXES, Geometry
from dicomlab.regrid.places import rulers
from dicomlab.regrid.voxels import whole

__all__ = ["at_planes", "crop_to"]

FloatArray = npt.NDArray[np.float64]

_NEAR = 1e-6


def crop_to(
    volume: xr.DataArray, around: xr.DataArray | npt.ArrayLike, *, margin: float | Sequence[float] = 0.0
) -> xr.DataArray:
    """The part of a volume that holds a mask, or a box in the patient.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others; nothing of a lazy one is read.
    around
        A mask or labels (what is neither 0 nor NaN counts), on this grid or another one of the same frame of reference; or
        two opposite corners of a box in LPS mm, shape ``(2, 3)``. Every voxel that it touches is kept.
    margin
        Millimetres to keep around it, one number or three along slice, row, column; negative ones take away.

    Returns
    -------
    xarray.DataArray
        ``volume.isel(...)``: voxels, positions and attributes as they were.

    Raises
    ------
    GeometryError
        The mask is empty, nothing of the volume is there, or the corners are no two points.
    xr.AlignmentError
        Mask and volume have different frames of reference.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(125).reshape(5, 5, 5), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> volume.dicom.crop_to(volume > 123, margin=1).shape
    (2, 2, 2)
    >>> volume.dicom.crop_to([(0, 0, 2), (1, 4, 3)]).shape           # x, y, z
    (2, 5, 2)
    """
    geometry = whole(volume)
    if isinstance(around, xr.DataArray):
        theirs = whole(around)
        nowhere = np.zeros(3)
        check_frames((geometry.frame_of_reference, nowhere), (theirs.frame_of_reference, nowhere), "the mask")
        points = _extent(around, theirs)
    else:
        box = np.asarray(around, dtype=np.float64)
        if box.shape != (2, 3) or not np.isfinite(box).all():
            raise GeometryError(
                f"a box is two opposite corners x, y, z (LPS), shape (2, 3), or a mask; found shape {box.shape}"
            )
        points = np.array(list(product(*box.T)))
    margins = np.asarray(margin, dtype=np.float64)
    if margins.shape not in ((), (3,)) or not np.isfinite(margins).all():
        raise GeometryError(f"margin is in mm, one number or three along {', '.join(AXES)}; found {margin!r}")
    margins = np.broadcast_to(margins, 3)
    mm = np.linalg.solve(geometry.direction, points.T)
    picks = {}
    for name, ruler, along, more, basis in zip(
        AXES, rulers(geometry), mm, margins, geometry.direction.T, strict=True
    ):
        around_mm = float(more) / float(np.linalg.norm(basis))
        low, high = along.min() - around_mm, along.max() + around_mm
        ends = np.clip(np.sort(ruler.index(np.array([low, high]))), -1, ruler.size)
        # A voxel reaches half way to its neighbours, and is kept where it shares more than a face; what has no thickness may
        # lie on a face, and touches both.
        touched = sorted((int(np.floor(ends[0] + 0.5 + _NEAR)), int(np.ceil(ends[1] - 0.5 - _NEAR))))
        first, last = max(touched[0], 0), min(touched[1], ruler.size - 1)
        if first > last or low > high + _NEAR:
            reach = sorted(
                (geometry.positions[AXES.index(name)][0], geometry.positions[AXES.index(name)][-1])
            )
            raise GeometryError(
                f"nothing of the volume is there: along {name} its voxels lie at {reach[0]:.2f} to {reach[1]:.2f} mm, what was "
                f"asked for at {low:.2f} to {high:.2f} mm"
            )
        picks[name] = slice(first, last + 1)
    return volume.isel(picks)


def at_planes(volume: xr.DataArray, **wanted: Any) -> xr.DataArray:
    """The part of a volume at patient positions ``x=``, ``y=``, ``z=``: the nearest plane, or those in ``slice(low, high)``.

    Raises
    ------
    GeometryError
        Planes of the volume do not keep one x, y or z (they are oblique): `reslice` makes such.
    KeyError
        The position lies outside the volume, or no plane within the range.
    """
    geometry = whole(volume)
    picks: dict[str, Any] = {}
    for name, label in wanted.items():
        if label is None:
            continue
        world = "xyz".index(name)
        axis = int(np.argmax(np.abs(geometry.direction[world])))
        weight, offset = _line(geometry, world, axis, name)
        if isinstance(label, slice):
            picks[AXES[axis]] = _between(weight * geometry.positions[axis] + offset, label, name)
            continue
        ruler = rulers(geometry)[axis]
        index = float(ruler.index(np.array((float(label) - offset) / weight)))
        if not -0.5 - _NEAR <= index <= ruler.size - 0.5 + _NEAR:
            ends = np.sort(weight * geometry.positions[axis][[0, -1]] + offset)
            raise KeyError(
                f"{name}={float(label):g} mm lies outside the volume, whose planes reach from {ends[0]:.2f} to {ends[1]:.2f} mm"
            )
        picks[AXES[axis]] = int(np.clip(np.floor(index + 0.5), 0, ruler.size - 1))
    return volume.isel(picks)


def _line(geometry: Geometry, world: int, axis: int, name: str) -> tuple[float, float]:
    """``(weight, offset)``: LPS x, y or z of the planes along an axis is weight * position + offset.

    Raises unless each plane keeps it within half a step, and within 1 mm.
    """
    weights = geometry.direction[world]
    others = [n for n in range(3) if n != axis]
    strays = sum(abs(weights[n]) * float(np.ptp(geometry.positions[n])) / 2 for n in others)
    step = geometry.spacing[axis]
    if strays > max(min(step / 2, 1.0) if step > 0 else 0.0, _NEAR):
        raise GeometryError(
            f"no plane of this volume has one {name}: they lie askew to the patient ({geometry.orientation}) and stray "
            f"{strays:.3g} mm to either side. volume.dicom.reslice(normal=…, center=…) makes planes that do not."
        )
    offset = sum(weights[n] * float(geometry.positions[n][0] + geometry.positions[n][-1]) / 2 for n in others)
    return float(weights[axis]), float(offset)


def _between(positions: FloatArray, label: slice, name: str) -> slice:
    if label.step is not None:
        raise GeometryError(f"{name}=slice(low, high) takes no step; found {label}")
    ends = [float(end) if end is not None else None for end in (label.start, label.stop)]
    if None not in ends:
        ends = sorted(ends)  # type: ignore[type-var]
    low, high = (-np.inf if ends[0] is None else ends[0]), (np.inf if ends[1] is None else ends[1])
    inside = np.flatnonzero((positions >= low - _NEAR) & (positions <= high + _NEAR))
    if not inside.size:
        raise KeyError(
            f"no plane lies at {name} from {low:g} to {high:g} mm; they reach from {positions.min():.2f} to "
            f"{positions.max():.2f} mm"
        )
    first, last = int(inside[0]), int(inside[-1])
    if inside.size != last - first + 1:
        raise GeometryError(
            f"the planes at {name} from {low:g} to {high:g} mm do not follow one another: sort them first (volume.sortby)"
        )
    return slice(first, last + 1)


def _extent(mask: xr.DataArray, geometry: Geometry) -> FloatArray:
    """LPS mm of the corners of the smallest box along the axes of a mask that holds all of it, shape ``(8, 3)``."""
    further = [dim for dim in mask.dims if dim not in AXES]
    # NaN stands where a mask on another grid does not reach.
    held = (mask.variable != 0) & mask.variable.notnull()
    held = held.any(further) if further else held
    ends = []
    for name, step in zip(AXES, geometry.spacing, strict=True):
        there = np.flatnonzero(held.any([other for other in AXES if other != name]).values)
        if not there.size:
            raise GeometryError("the mask is empty, so there is nothing to crop to")
        half = 0.0 if np.isnan(step) else 0.5
        ends.append((there[0] - half, there[-1] + half))
    return geometry.lps(list(product(*ends)))
