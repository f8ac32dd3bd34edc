"""Planes at any angle through a volume: `reslice`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.geometry import Geometry
from dicomlab.regrid.onto import onto
from dicomlab.regrid.resampling import three
from dicomlab.regrid.sampling import Engine, How, Labels, Order
from dicomlab.regrid.voxels import whole

__all__ = ["corners", "finest", "middle", "reslice", "unit"]

FloatArray = npt.NDArray[np.float64]

_HEAD, _FRONT = np.array([0.0, 0.0, 1.0]), np.array([0.0, -1.0, 0.0])
_MOST = 1e5


def reslice(
    volume: xr.DataArray,
    *,
    normal: npt.ArrayLike,
    center: npt.ArrayLike | None = None,
    origin: npt.ArrayLike | None = None,
    up: npt.ArrayLike | None = None,
    spacing: float | Sequence[float] | None = None,
    count: int = 1,
    shape: Sequence[int] | None = None,
    order: Order | None = None,
    fill: float | None = None,
    antialias: bool = True,
    labels: Labels | None = None,
    engine: Engine = "auto",
) -> xr.DataArray:
    """Volume of planes at any angle: one plane, or a stack of parallel ones.

    Parameters
    ----------
    normal
        LPS vector perpendicular to the planes, towards which slices follow one another. ``(0, 0, 1)`` makes axial planes seen
        from the feet, ``(0, 1, 0)`` coronal ones seen from the front.
    center
        LPS mm of the middle of the stack; None is the middle of the volume. A single plane runs through it.
    origin
        LPS mm of the centre of the first voxel, instead of `center`; needs `shape`.
    up
        LPS vector that is up in the pictures (rows run against it), as far as the planes hold it. None is the head, or the
        front where planes are nearer to axial than 30 degrees.
    spacing
        Millimetres between voxel centres along slice, row, column, or one number for all. None is the finest of the volume.
    count
        Number of planes, each as large as the cut through the volume.
    shape
        Voxels along slice, row, column, instead of `count`.
    order, fill, antialias, labels, engine
        As for `resample`. Smoothing never reaches across a single plane, which has no step.

    Returns
    -------
    xarray.DataArray
        An ordinary volume with a direction of its own, dims, name and attributes of the old one;
        ``attrs["resampled"]`` says what was done.

    Raises
    ------
    GeometryError
        A vector is none, `up` runs along `normal`, the planes miss the volume, or the arguments contradict one another.
    DicomLabError
        `order`, `fill` or `labels` does not fit the values.

    References
    ----------
    PS3.3 C.7.6.2.1.1: the planes have *n* = `normal*, *c* against `up`, *r* = *c* x *n*.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> values = np.arange(5.0)[:, None, None] * np.ones((5, 5, 5))
    >>> volume = make_volume(values, affine=np.eye(4)[[2, 1, 0, 3]])
    >>> coronal = volume.dicom.reslice(normal=(0, 1, 0))
    >>> coronal.shape, coronal.dicom.orientation
    ((1, 5, 5), 'PIL')
    >>> coronal.values[0, :, 0]
    array([4., 3., 2., 1., 0.])
    """
    geometry = whole(volume)
    how = How.of(volume, order=order, fill=fill, antialias=antialias, labels=labels, engine=engine)
    n = unit(normal, "normal")
    direction = _direction(n, up)
    steps = three(finest(geometry) if spacing is None else spacing)
    if None in steps:
        raise GeometryError(f"new planes need a spacing along each axis, found {spacing!r}")
    step = np.array(steps, dtype=np.float64)
    if not all(isinstance(n, (int, np.integer)) for n in (count, *(() if shape is None else shape))):
        raise GeometryError(f"planes and voxels are counted; found count={count!r}, shape={shape!r}")
    if shape is not None and (len(shape) != 3 or min(shape) < 1 or max(shape) > _MOST or count != 1):
        raise GeometryError(
            f"shape counts voxels along slice, row, column, and is given without count=; found {tuple(shape)}, count={count}"
        )
    if not 1 <= count <= _MOST:
        raise GeometryError(f"count is the number of planes, found {count}")
    if origin is not None:
        if shape is None or center is not None:
            raise GeometryError("origin= is where the first voxel lies; give shape= with it, and no center=")
        first = np.linalg.solve(direction, _point(origin, "origin"))
        sizes = np.array(shape)
    else:
        point = middle(geometry) if center is None else _point(center, "center")
        at = np.linalg.solve(direction, point)
        if shape is not None:
            sizes = np.array(shape)
            first = at - (sizes - 1) / 2 * step
        else:
            along = at[0] + (np.arange(count) - (count - 1) / 2) * step[0]
            low, high = _cut(geometry, direction, along)
            # Voxel centres a whole number of steps from `center`; the outer voxels cover the outer parts of the cut.
            before = np.ceil((at[1:] - low) / step[1:] - 0.5 - 1e-6)
            after = np.ceil((high - at[1:]) / step[1:] - 0.5 - 1e-6)
            if np.any(before + after > _MOST):
                raise GeometryError(
                    f"a spacing of {step.min():.3g} mm would make {np.max(before + after):.0f} rows or columns; lengths "
                    "are in mm"
                )
            sizes = np.concatenate([[count], np.maximum(before + after + 1, 1)]).astype(int)
            first = np.concatenate([along[:1], at[1:] - before * step[1:]])
    axes = [a + s * np.arange(m) for a, s, m in zip(first, step, sizes, strict=True)]
    target = Geometry(
        direction, axes[0], axes[1], axes[2], geometry.frame_of_reference, (step[0], step[1], step[2])
    )
    size = " x ".join(map(str, target.shape))
    facing = ", ".join(f"{x:.4g}" for x in n)
    return onto(volume, geometry, target, how, f"reslice: {size} voxels on planes with the normal ({facing})")


def unit(vector: npt.ArrayLike, name: str) -> FloatArray:
    """A vector of length 1; raises `GeometryError` where it has none."""
    values = _point(vector, name)
    length = float(np.linalg.norm(values))
    if length < 1e-9:
        raise GeometryError(f"{name} is a vector in LPS; one of length 0 has no direction")
    return values / length + 0.0


def _point(values: npt.ArrayLike, name: str) -> FloatArray:
    point = np.asarray(values, dtype=np.float64)
    if point.shape != (3,) or not np.isfinite(point).all():
        raise GeometryError(f"{name} is three finite numbers x, y, z (LPS), found {values!r}")
    return point


def _direction(n: FloatArray, up: npt.ArrayLike | None) -> FloatArray:
    """Columns n, c, r of planes with the normal `n` that are seen with `up` above."""
    if up is None:
        above = _FRONT if abs(n @ _HEAD) > np.cos(np.radians(30)) else _HEAD
    else:
        above = unit(up, "up")
    c = -(above - (above @ n) * n)
    if np.linalg.norm(c) < 1e-3:
        raise GeometryError(f"up runs along the normal {n.tolist()}, so it says nothing about the planes")
    c = c / np.linalg.norm(c)
    made: FloatArray = np.stack([n, c, np.cross(c, n)], axis=1) + 0.0
    return made


def finest(geometry: Geometry) -> float:
    """The smallest of the three spacings that are known, in mm; 1 where none is."""
    return min((step for step in geometry.spacing if step > 0), default=1.0)


def corners(geometry: Geometry) -> FloatArray:
    """LPS mm of the eight outer corners of a grid, half a voxel beyond the outer centres, shape ``(8, 3)``."""
    ends = [
        (-0.5, size - 0.5) if not np.isnan(step) else (0.0, 0.0)
        for size, step in zip(geometry.shape, geometry.spacing, strict=True)
    ]
    return geometry.lps(list(product(*ends)))


def middle(geometry: Geometry) -> FloatArray:
    """LPS mm half way between opposite corners of a grid."""
    found: FloatArray = corners(geometry).mean(axis=0)
    return found


def _cut(geometry: Geometry, direction: FloatArray, along: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest (row, column) in mm of what planes at `along` cut out of a grid."""
    ends = np.linalg.solve(direction, corners(geometry).T).T
    met = []
    # Corner numbers are binary, one digit an axis: an edge joins two that differ in one.
    for a, b in product(range(8), repeat=2):
        if (a ^ b) in (1, 2, 4) and a < b:
            below, above = sorted((ends[a], ends[b]), key=lambda end: float(end[0]))
            height = above[0] - below[0]
            inside = along[(along >= below[0] - 1e-6) & (along <= above[0] + 1e-6)]
            if height < 1e-9:
                met += [below[1:], above[1:]] if inside.size else []
            else:
                share = np.clip((inside - below[0]) / height, 0, 1)[:, None]
                met += list(below[1:] + share * (above - below)[1:])
    if not met:
        raise GeometryError(
            f"the planes miss the volume: along the normal it reaches from {ends[:, 0].min():.2f} to "
            f"{ends[:, 0].max():.2f} mm, the planes lie at {along.min():.2f} to {along.max():.2f} mm"
        )
    points = np.array(met)
    return points.min(axis=0), points.max(axis=0)
