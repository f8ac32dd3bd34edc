"""Where the planes of a stack lie: one direction, sorted positions, and what does not fit them (PS3.3 C.7.6.2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab import affine
from dicomlab.errors import GeometryError
from dicomlab.read.planes import Plane

__all__ = ["WANDER_NOTED", "Layout", "lay_out"]

FloatArray = npt.NDArray[np.float64]

_SAME_POSITION = 0.01
"""Planes nearer to one another than this (mm, along the normal), or a tenth of a pixel, are at one position."""
WANDER_NOTED = 0.01
"""In-plane deviation (mm) of a slice from the straight line through the outer slices that is worth a finding."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the planes of a stack lie.

    Parameters
    ----------
    direction
        Shape ``(3, 3)``, as of `Geometry`.
    along
        Position of each slice along the slice axis (mm), ascending, shape ``(slices,)``.
    row, column
        Position (mm) of the first row and column.
    place
        Which slice each plane is, shape ``(planes,)``.
    wander
        How far (mm) each plane lies beside the place that the layout gives it, shape ``(planes,)``.
    turn
        How far (mm) the one direction moves a corner of a plane, at worst.
    """

    direction: FloatArray
    along: FloatArray
    row: float
    column: float
    place: npt.NDArray[np.intp]
    wander: FloatArray
    turn: float


def lay_out(planes: Sequence[Plane]) -> Layout:
    """Layout of planes in any order, several of which may lie at one position.

    Raises
    ------
    GeometryError
        A plane has no usable position, orientation or pixel spacing.
    """
    first = planes[0]
    lacking = [p for p in planes if p.position is None or p.cosines is None or p.pixel_spacing is None]
    if lacking or first.cosines is None:
        raise GeometryError(_no_geometry(lacking or [first]))
    # The mean of the (nearly equal) cosines: rounding of single files averages out.
    direction, _ = affine.direction_from_cosines(
        np.mean([plane.cosines for plane in planes if plane.cosines is not None], axis=0)
    )
    # Most planes share theirs.
    different = {(id(p.cosines), id(p.pixel_spacing), p.shape): p for p in planes}.values()
    turn = max(_corner_moved(plane, direction) for plane in different)
    positions = np.array([p.position for p in planes])
    height = positions @ direction[:, 0]
    order = np.argsort(height, kind="stable")
    # Microscopic CT has voxels of a few micrometres.
    near = min(
        _SAME_POSITION,
        *(float(p.pixel_spacing.min()) / 10 for p in different if p.pixel_spacing is not None),
    )
    starts = np.flatnonzero(np.diff(height[order], prepend=-np.inf) >= near)
    place = np.empty(len(planes), dtype=np.intp)
    place[order] = np.cumsum(np.isin(np.arange(len(planes)), starts)) - 1
    along = height[order][starts]
    in_plane = positions @ direction[:, 1:]
    straight = np.median(in_plane, axis=0)
    if along.size > 1 and float(np.max(np.abs(in_plane - straight))) > WANDER_NOTED / 2:
        # The outer slices say where the stack goes. A drift from one to the other is a sheared slice axis (gantry tilt),
        # and exact as such.
        low, high = (np.median(in_plane[place == k], axis=0) for k in (0, along.size - 1))
        shear = (high - low) / (along[-1] - along[0])
        straight = low - along[0] * shear
        direction = direction.copy()
        direction[:, 0] += direction[:, 1] * shear[0] + direction[:, 2] * shear[1]
    stated = direction @ np.array(
        [along[place], np.full(place.size, straight[0]), np.full(place.size, straight[1])]
    )
    off = np.linalg.norm(positions - stated.T, axis=1)
    return Layout(direction, along, float(straight[0]), float(straight[1]), place, off, turn)


def _corner_moved(plane: Plane, direction: FloatArray) -> float:
    """How far (mm) a corner of a plane lies from where its own cosines put it (PS3.3 equation C.7.6.2.1-1), at worst."""
    assert plane.cosines is not None
    assert plane.pixel_spacing is not None
    along_row = (plane.shape[1] - 1) * plane.pixel_spacing[1]
    down_column = (plane.shape[0] - 1) * plane.pixel_spacing[0]
    right = (plane.cosines[:3] - direction[:, 2]) * along_row
    below = (plane.cosines[3:] - direction[:, 1]) * down_column
    # All three: a slice turned about the line to its far corner moves the other two alone.
    return float(np.max(np.linalg.norm([right, below, right + below], axis=1)))


def _no_geometry(lacking: Sequence[Plane]) -> str:
    first = lacking[0]
    wanted = {
        "Image Position (Patient) (0020,0032)": first.position,
        "Image Orientation (Patient) (0020,0037)": first.cosines,
        "Pixel Spacing (0028,0030)": first.pixel_spacing,
    }
    missing = [name for name, value in wanted.items() if value is None]
    why = f": {first.lacking}" if first.lacking else ""
    return (
        f"{first.modality or 'this image'} {first.name} has no usable {', '.join(missing)}{why}, so its pixels have no place "
        f"in the patient ({len(lacking)} image(s) affected). header_table shows what there is; without a position no volume "
        "can be made of them."
    )
