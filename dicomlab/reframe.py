"""A volume in another frame of reference: said to be in it (`assume_frame`), or brought there by a registration (`transform`).

Neither touches a value. What was done is a line of ``attrs["frame_history"]``.
"""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine as _affine
from dicomlab.errors import GeometryError
from dicomlab.geometry import Geometry
from dicomlab.guarded import place_on

__all__ = ["assume_frame", "transform"]

FloatArray = npt.NDArray[np.float64]

_UID = re.compile(r"(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*))+")
"""PS3.5 section 9.1; at most 64 characters."""

_DIRECTIONS = tuple(f"b_vector_{axis}" for axis in "xyz")
"""Coordinates that together are vectors in LPS."""


def assume_frame(volume: xr.DataArray, frame: str | xr.DataArray) -> xr.DataArray:
    """`volume`, declared to be in the frame of reference `frame`; see ``volume.dicom.assume_frame``.

    Raises
    ------
    GeometryError
        `frame` is no UID, or a volume that knows none.
    """
    geometry = Geometry.from_volume(volume)
    uid = _uid_of(frame)
    if uid == geometry.frame_of_reference:
        return volume
    placed = place_on(volume, replace(geometry, frame_of_reference=uid))
    return _noted(placed, f"assumed {uid} in place of {geometry.frame_of_reference}")


def transform(volume: xr.DataArray, matrix: npt.ArrayLike, *, to: str | xr.DataArray) -> xr.DataArray:
    """`volume`, moved by a registration into the frame of reference `to`; see ``volume.dicom.transform``.

    Raises
    ------
    GeometryError
        The matrix is no affine, mirrors, or shears rows against columns; or `to` is no UID.
    """
    geometry = Geometry.from_volume(volume)
    uid = _uid_of(to)
    move = _checked(matrix)
    # The positions are indices of a grid whose affine is `direction`: moved like any affine, it falls into a direction, a
    # factor for the millimetres of each axis and an offset.
    whole = np.eye(4)
    whole[:3, :3] = geometry.direction
    try:
        direction, factors, offset = _affine.split_affine(move @ whole)
    except GeometryError as problem:
        raise GeometryError(
            f"this matrix cannot move the volume as it is, only resampled: {problem} A rigid matrix (rotation and translation) "
            "always can."
        ) from problem
    along, down, across = (o + f * x for o, f, x in zip(offset, factors, geometry.positions, strict=True))
    first, second, third = (f * s for f, s in zip(factors, geometry.lone_steps, strict=True))
    placed = place_on(volume, Geometry(direction, along, down, across, uid, (first, second, third)))
    placed = _turned(placed, move)
    return _noted(placed, f"moved from {geometry.frame_of_reference} to {uid} by a 4x4 matrix")


def _uid_of(frame: str | xr.DataArray) -> str:
    if not isinstance(frame, (str, xr.DataArray, xr.Dataset)):
        raise GeometryError(
            f"a Frame of Reference UID (0020,0052) or a volume was asked for; found {type(frame).__name__}"
        )
    uid = str(frame) if isinstance(frame, str) else Geometry.from_volume(frame).frame_of_reference
    if uid.startswith("unknown:"):
        raise GeometryError(
            f"a Frame of Reference UID (0020,0052) was asked for; found {uid!r}, which marks a volume that names none. "
            "Give the other one a frame first, with any UID that both are to have: pydicom.uid.generate_uid() makes one."
        )
    if isinstance(frame, str) and (not _UID.fullmatch(uid) or len(uid) > 64):
        raise GeometryError(
            f"a Frame of Reference UID (0020,0052) has up to 64 digits and points, as in 1.2.840.10008, found {uid!r}; "
            "or give a volume in that frame"
        )
    return uid


def _checked(matrix: npt.ArrayLike) -> FloatArray:
    if hasattr(matrix, "TransformPoint"):
        raise GeometryError(
            "a 4x4 matrix was asked for; found a transform of SimpleITK, which maps the other way round. "
            "dicomlab.extras.sitk.matrix_of(transform) makes the matrix of it."
        )
    try:
        move = np.asarray(matrix, dtype=np.float64)
    except (TypeError, ValueError):
        raise GeometryError(
            f"a registration is a 4x4 matrix, LPS mm to LPS mm; found {type(matrix).__name__}"
        ) from None
    if move.shape != (4, 4) or not np.isfinite(move).all() or not np.allclose(move[3], [0, 0, 0, 1]):
        raise GeometryError(
            f"a registration is a finite 4x4 matrix, LPS mm to LPS mm, with the last row 0 0 0 1; found shape {move.shape}: "
            f"{move.tolist()}"
        )
    volume = float(np.linalg.det(move[:3, :3]))
    if volume <= 1e-9:
        raise GeometryError(
            f"this matrix {'mirrors the patient: left would be right' if volume < -1e-9 else 'is singular'} (determinant "
            f"{volume:.3g}). One that goes from RAS to RAS becomes LPS on both sides by F @ matrix @ F, "
            "with F = diag(-1, -1, 1, 1)."
        )
    return move


def _turned(volume: xr.DataArray, move: FloatArray) -> xr.DataArray:
    """With what else is told in LPS: directions of diffusion turn with the patient, x, y and z are computed anew."""
    if all(name in volume.coords for name in _DIRECTIONS):
        u, _, vt = np.linalg.svd(move[:3, :3])
        parts = [volume.coords[name] for name in _DIRECTIONS]
        turned = (u @ vt) @ np.stack([np.asarray(part, np.float64).ravel() for part in parts])
        volume = volume.assign_coords(
            {
                name: part.variable.copy(data=values.reshape(part.shape))
                for name, part, values in zip(_DIRECTIONS, parts, turned, strict=True)
            }
        )
    stale = [name for name in "xyz" if name in volume.coords and name not in volume.dims]
    return volume.drop_vars(stale)


def _noted(volume: xr.DataArray, line: str) -> xr.DataArray:
    history = str(volume.attrs.get("frame_history", ""))
    return volume.assign_attrs(frame_history=f"{history}\n{line}" if history else line)
