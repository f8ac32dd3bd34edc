"""A volume along a curve, laid out flat: curved planar reformation (`curved`)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.regrid.planes import finest, unit
from dicomlab.regrid.points import MOST_POINTS, at_points, points_of, with_points
from dicomlab.regrid.sampling import How, Labels, Order
from dicomlab.regrid.voxels import whole

__all__ = ["curved"]

FloatArray = npt.NDArray[np.float64]


def curved(
    volume: xr.DataArray,
    points: npt.ArrayLike,
    *,
    width: float,
    spacing: float | None = None,
    across: npt.ArrayLike | None = None,
    order: Order | None = None,
    fill: float | None = None,
    labels: Labels | None = None,
) -> xr.DataArray:
    """Picture along a curve: one line of it for each step along the curve, perpendicular to it.

    Parameters
    ----------
    points
        LPS mm of a polyline, shape ``(n, 3)``; two or more, each apart from the next. It is walked in equal steps of
        arc length; a smooth curve needs points close enough together.
    width
        Millimetres across, half of them on either side of the curve.
    spacing
        Millimetres between values, along and across. None is the finest spacing of the volume.
    across
        LPS vector, as far as it is perpendicular to the curve, towards which ``across`` grows: ``(0, 0, 1)`` for a panorama of
        the teeth. None turns no more than the curve does, beginning with the direction in which the curve bends least.
    volume, order, fill, labels
        As for `interp`; nothing is smoothed.

    Returns
    -------
    xarray.DataArray
        Further axes of the volume first, then ``along`` (mm from the first point) and ``across`` (mm from the curve), with
        coordinates ``x``, ``y``, ``z`` (LPS mm) of every value. It has no slices and no affine; lengths are true along
        the curve and across it, not between places on either side of a bend.

    Raises
    ------
    GeometryError
        Fewer than two points, two at one place, a width or spacing that is no length, or `across` runs along the curve.
    DicomLabError
        `order`, `fill` or `labels` does not fit the values.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.ones((9, 9, 9)), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> picture = volume.dicom.curved([(1, 1, 4), (5, 1, 4), (5, 4, 4)], width=2, across=(0, 0, 1))
    >>> picture.dims, picture.shape
    (('along', 'across'), (8, 3))
    >>> picture.x.values[-1, 0], picture.y.values[-1, 0]
    (np.float64(5.0), np.float64(4.0))
    """
    geometry = whole(volume)
    how = How.of(volume, order=order, fill=fill, labels=labels)
    line = points_of(points, "points")
    if line.ndim != 2 or len(line) < 2 or not np.isfinite(line).all():
        raise GeometryError(f"a curve is two or more finite points of shape (n, 3), found {line.shape}")
    step = finest(geometry) if spacing is None else float(spacing)
    if not (np.isfinite(step) and step > 0 and np.isfinite(width) and width > 0):
        raise GeometryError(f"width and spacing are lengths in mm, found {width!r} and {spacing!r}")
    pieces = np.linalg.norm(np.diff(line, axis=0), axis=1)
    if pieces.min() <= 1e-9:
        raise GeometryError(
            f"points {int(np.argmin(pieces))} and {int(np.argmin(pieces)) + 1} of the curve are at one place"
        )
    marks = np.asarray(np.concatenate([[0.0], np.cumsum(pieces)]), dtype=np.float64)
    count, half = np.floor(marks[-1] / step + 1e-9), np.floor(width / 2 / step + 1e-9)
    if (count + 1) * (2 * half + 1) > MOST_POINTS:
        raise GeometryError(
            f"a curve of {marks[-1]:.4g} mm, {width:g} mm wide, with a value every {step:g} mm is too large; lengths are in mm"
        )
    along: FloatArray = np.asarray(step * np.arange(int(count) + 1), dtype=np.float64)
    aside = step * np.arange(-int(half), int(half) + 1)
    center = np.stack([np.interp(along, marks, line[:, axis]) for axis in range(3)], axis=-1)
    forward = np.asarray(np.diff(line, axis=0) / pieces[:, None], dtype=np.float64)
    # At a corner, half way between the two directions: the mean over one step before and after.
    tangent = _tangents(forward, marks, along, step)
    side = _sides(tangent, forward, across)
    where = center[:, None] + aside[:, None] * side[:, None]
    values = at_points(volume, geometry, where, how)
    report = f"curved: along {marks[-1]:.4g} mm of a curve of {len(line)} points, {how.words}"
    made = with_points(volume, values, where, ["along", "across"], report)
    return made.assign_coords(
        along=("along", along, {"units": "mm", "long_name": "distance along the curve"}),
        across=("across", aside, {"units": "mm", "long_name": "distance from the curve"}),
    )


def _tangents(forward: FloatArray, marks: FloatArray, along: FloatArray, step: float) -> FloatArray:
    """Unit vectors along the curve at distances `along`."""
    total = np.zeros((along.size, 3))
    for shift in (-step / 2, step / 2):
        where = np.clip(along + shift, 0, marks[-1])
        piece = np.clip(np.searchsorted(marks, where, side="right") - 1, 0, len(forward) - 1)
        total += forward[piece]
    length = np.linalg.norm(total, axis=1)
    turned = np.flatnonzero(length < 1e-6)
    if turned.size:
        raise GeometryError(
            f"the curve turns back on itself at {along[turned[0]]:.4g} mm, where nothing is perpendicular"
        )
    made: FloatArray = total / length[:, None]
    return made


def _sides(tangent: FloatArray, forward: FloatArray, across: npt.ArrayLike | None) -> FloatArray:
    """Unit vectors perpendicular to the curve: near to one that is given, else turning with the curve only."""
    if across is not None:
        given = unit(across, "across")
        sides = given - (tangent @ given)[:, None] * tangent
        length = np.linalg.norm(sides, axis=1)
        if length.min() < 0.02:
            raise GeometryError(
                f"across={np.asarray(across).tolist()} runs along the curve somewhere, where it says nothing; "
                "choose another vector"
            )
        made: FloatArray = sides / length[:, None]
        return made
    # The direction in which the curve has least extent, of several the one nearest to a patient axis.
    _, vectors = np.linalg.eigh(forward.T @ forward + 1e-6 * np.diag([0.0, 1.0, 2.0]))
    side = vectors[:, 0] * (1.0 if vectors[np.argmax(np.abs(vectors[:, 0])), 0] > 0 else -1.0)
    sides = np.empty_like(tangent)
    for n, t in enumerate(tangent):
        side = side - (side @ t) * t
        length = float(np.linalg.norm(side))
        if length < 1e-6:
            side = np.cross(t, np.eye(3)[np.argmin(np.abs(t))])
            length = float(np.linalg.norm(side))
        side = side / length
        sides[n] = side
    return sides
