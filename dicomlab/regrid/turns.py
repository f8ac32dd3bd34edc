"""The same voxels in another order: `reorient`."""

from __future__ import annotations

import numpy as np
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.frames import BASIS_TOLERANCE
from dicomlab.geometry import AXES, FRAME, Geometry
from dicomlab.regrid.voxels import whole

__all__ = ["reorient"]

_OPPOSITE = dict(zip("LRPASI", "RLAPIS", strict=True))
_PAIRS = [frozenset("LR"), frozenset("PA"), frozenset("SI")]


def reorient(volume: xr.DataArray, codes: str) -> xr.DataArray:
    """Volume whose slices, rows and columns follow one another towards the sides that are named; every value stays.

    Axes are exchanged and turned around, nothing is interpolated: each voxel keeps its place in the patient.

    Parameters
    ----------
    volume
        Dims ``slice``, ``row``, ``column`` and any others, in any order; nothing of a lazy one is read.
    codes
        Three letters, as of ``volume.dicom.codes``: towards which side slice, row and column indices grow. ``"SPL"`` is
        the ordinary axial series, ``"PIL"`` a coronal one. Other libraries name columns first: nibabel's RAS is ``"SAR"`` here.
        Of an oblique volume the nearest sides count, so it stays oblique. A lone slice whose step nobody knows lies towards
        the normal of its rows and columns, whatever letter it gets.

    Returns
    -------
    xarray.DataArray
        Same name and attributes; coordinates along an axis follow it.

    Raises
    ------
    GeometryError
        The letters do not name one side each of left-right, front-back and head-feet; or slices of a tilted gantry would
        become rows or columns, which are perpendicular.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.arange(24).reshape(2, 3, 4), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> coronal = volume.dicom.reorient("PIL")
    >>> coronal.shape, coronal.dicom.orientation, coronal.dicom.lps([0, 0, 0])
    ((3, 2, 4), 'PIL', array([0., 0., 1.]))
    """
    geometry = whole(volume)
    wanted = str(codes).upper()
    if sorted(map(sorted, _PAIRS)) != sorted(sorted({c, _OPPOSITE.get(c, c)}) for c in wanted):
        raise GeometryError(
            f"an orientation is three letters, towards which side slice, row and column indices grow: one of L and R, one of P "
            f"and A, one of S and I, as in 'SPL'; found {codes!r}. volume.dicom.codes has those of any volume, of an oblique "
            "one the nearest sides."
        )
    now = geometry.codes
    if wanted == now:
        return volume
    # For each new axis: the old one that runs along the same line, and whether it has to be turned around.
    old = [next(n for n, code in enumerate(now) if code in (c, _OPPOSITE[c])) for c in wanted]
    turned = [now[n] != c for n, c in zip(old, wanted, strict=True)]
    normal = np.cross(geometry.direction[:, 2], geometry.direction[:, 1])
    if old[0] != 0 and np.max(np.abs(geometry.direction[:, 0] - normal)) > BASIS_TOLERANCE:
        raise GeometryError(
            f"slices of this volume are tilted by {geometry.tilt:.1f} degrees, so they cannot become rows or columns, which "
            f"are perpendicular to each other (from {now} to {wanted}). volume.dicom.rectify() makes them upright first."
        )
    new = _turned(geometry, old, turned)
    names = {AXES[n]: axis for n, axis in zip(old, AXES, strict=True)}
    flip = {AXES[n]: slice(None, None, -1) for n, turn in zip(old, turned, strict=True) if turn}
    bare = volume.isel(flip).drop_vars([*AXES, FRAME])
    moved = bare.rename({a: b for a, b in names.items() if a != b}).assign_coords(new.coordinates())
    return moved.transpose(*volume.dims)


def _turned(geometry: Geometry, old: list[int], turned: list[bool]) -> Geometry:
    """The geometry of exchanged axes. Rows and columns rise; slices fall where their normal points the other way."""
    bases, axes, steps = [], [], []
    for n, turn in zip(old, turned, strict=True):
        sign = -1.0 if turn else 1.0
        positions, lone = geometry.positions[n], geometry.lone_steps[n]
        # One voxel whose step nobody knows points where its vector does.
        point = sign if positions.size == 1 and np.isnan(lone) else 1.0
        bases.append(point * geometry.direction[:, n])
        axes.append(point * (positions[::-1] if turn else positions))
        steps.append(sign * lone)
    for n in (1, 2):
        falls = axes[n][-1] < axes[n][0] if axes[n].size > 1 else steps[n] < 0
        if falls:
            bases[n], axes[n], steps[n] = -bases[n], -axes[n], -steps[n]
    if np.cross(bases[2], bases[1]) @ bases[0] < 0:
        bases[0], axes[0], steps[0] = -bases[0], -axes[0], -steps[0]
    return Geometry(
        np.stack(bases, axis=1) + 0.0,
        axes[0] + 0.0,
        axes[1] + 0.0,
        axes[2] + 0.0,
        geometry.frame_of_reference,
        (steps[0], steps[1], steps[2]),
    )
