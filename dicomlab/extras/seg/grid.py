"""Where the frames are: on planes of their own, or on the voxels of a volume."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine
from dicomlab.errors import GeometryError
from dicomlab.export.place import frame_uid
from dicomlab.extras.seg.frames import Frames
from dicomlab.frames import BASIS_TOLERANCE
from dicomlab.geometry import AXES, Geometry
from dicomlab.indexes import position_tolerance
from dicomlab.warn import warn_user

__all__ = ["Places", "on_grid", "own_grid"]

FloatArray = npt.NDArray[np.float64]


_ONE_PLANE = 0.01
"""Frames nearer to one another than this (mm, along the normal) are in one plane; in-plane, what is worth a warning."""
_OF_A_STEP = 0.01
"""Part of a step that a stated one may be off."""
_MEND = "Load it without like=, and bring it there by the nearest voxels: mask.dicom.resample_like(volume)."
_ROUNDING = 0.1
"""In-plane (mm), how far frames may lie beside one straight line: some devices write tenths of a millimetre."""


@dataclass(frozen=True, eq=False)
class Places:
    """Which slice of a grid each frame is, and which of its rows and columns go where."""

    slices: npt.NDArray[np.intp]
    """Slice of each frame; -1 where it has none."""
    source: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    """Rows and columns of a frame that are taken …"""
    target: tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]
    """… and where they go."""


def own_grid(frames: Frames) -> tuple[Geometry, Places]:
    """The grid that the frames make, and their places on it."""
    direction, _ = affine.direction_from_cosines(frames.cosines)
    along, down, across = (frames.positions @ direction).T
    order = np.argsort(along, kind="stable")
    plane = np.empty(along.size, dtype=np.intp)
    plane[order] = np.cumsum(np.concatenate([[False], np.diff(along[order]) > _ONE_PLANE]))
    levels = np.array([along[plane == k].mean() for k in range(plane.max() + 1)])
    # A straight line through the first voxels of all planes; where it leans, the slice axis is sheared (gantry tilt).
    in_plane = np.stack([down, across], axis=1)
    start, lean = np.median(in_plane, axis=0), np.zeros(2)
    if levels.size > 1 and float(np.max(np.abs(in_plane - start))) > _ONE_PLANE / 2:
        low, high = (in_plane[plane == k].mean(axis=0) for k in (0, levels.size - 1))
        lean = (high - low) / (levels[-1] - levels[0])
        start = low - levels[0] * lean
    off = float(np.max(np.linalg.norm(in_plane - start - along[:, None] * lean, axis=1)))
    if off > _ROUNDING:
        raise GeometryError(
            f"frames lie up to {off:.3f} mm beside one straight line, so they make no one volume"
        )
    if off > _ONE_PLANE:
        warn_user(f"frames lie up to {off:.3f} mm beside one straight line; they are placed on it")
    direction[:, 0] += direction[:, 1:] @ lean
    levels, index = _with_empty_planes(levels, frames.step)
    rows, columns = (np.arange(n, dtype=np.intp) for n in frames.shape)
    geometry = Geometry(
        direction,
        levels,
        start[0] + frames.spacing[0] * rows,
        start[1] + frames.spacing[1] * columns,
        frames.frame_of_reference,
        (frames.step, float(frames.spacing[0]), float(frames.spacing[1])),
    )
    return geometry, Places(index[plane], (rows, columns), (rows, columns))


def _with_empty_planes(levels: FloatArray, stated: float) -> tuple[FloatArray, npt.NDArray[np.intp]]:
    """Planes made even by those that the file leaves out because they are empty, where one step leads to all of them.

    The step that the file states goes first: planes that are left out may leave even ones, as of two small things far apart.
    """
    every = np.arange(levels.size, dtype=np.intp)
    if levels.size == 1:
        return levels, every
    gaps, span = np.diff(levels), float(levels[-1] - levels[0])
    for step in (stated, float(gaps.min())):
        if not np.isfinite(step) or span / step > max(1000, 10 * levels.size) + 1:
            continue
        index = np.concatenate([[0], np.cumsum(np.round(gaps / step))]).astype(np.intp)
        total = int(index[-1])
        if np.unique(index).size < index.size or abs(span / total - step) > _OF_A_STEP * step:
            continue
        even = np.linspace(levels[0], levels[-1], total + 1)
        if float(np.max(np.abs(even[index] - levels))) <= affine.evenness_tolerance(even):
            return (levels, every) if total + 1 == levels.size else (even, index)
    return levels, every


def on_grid(frames: Frames, like: xr.DataArray) -> tuple[Geometry, Places]:
    """The grid of `like`, and the places of the frames on it."""
    geometry = Geometry.from_volume(like)
    if frames.frame_of_reference not in (
        geometry.frame_of_reference,
        frame_uid(geometry.frame_of_reference),
    ):
        raise GeometryError(
            f"the segmentation is in the frame of reference {frames.frame_of_reference}, like= in "
            f"{geometry.frame_of_reference}: their millimetres mean different places. It belongs to another image; if you know "
            "that both are one, load it without like=, and mask.dicom.assume_frame(volume)."
        )
    own, _ = affine.direction_from_cosines(frames.cosines)
    # Some programs turn rows or columns around when they write frames.
    ways = np.where(np.einsum("ij,ij->j", own, geometry.direction) < 0, -1.0, 1.0)
    turn = float(np.max(np.abs(own[:, 1:] * ways[1:] - geometry.direction[:, 1:])))
    if turn > BASIS_TOLERANCE:
        raise GeometryError(
            f"the frames of the segmentation do not lie on the planes of like=: their directions differ by {turn:.3g} "
            f"({np.round(own[:, 1:].T, 4).tolist()} against {np.round(geometry.direction[:, 1:].T, 4).tolist()}, LPS). {_MEND}"
        )
    corner = frames.positions @ np.linalg.inv(geometry.direction).T
    found, outside = [], []
    for axis, name in enumerate(AXES):
        if name == "slice":
            wanted = corner[:, 0]
        else:
            # All frames begin at one row and column; how far they do not is part of what is measured.
            steps = ways[axis] * frames.spacing[axis - 1] * np.arange(frames.shape[axis - 1])
            low, high = corner[:, axis].min(), corner[:, axis].max()
            _on_positions(name, high + steps, geometry)
            wanted = low + steps
        index = _on_positions(name, wanted, geometry)
        found.append(index)
        if np.any(index < 0):
            what = "frames" if name == "slice" else f"{name}s"
            outside.append(f"{int(np.sum(index < 0))} of {index.size} {what}")
        if np.all(index < 0):
            raise GeometryError(
                f"the segmentation lies beside like=: its {name} positions are {wanted.min():.2f} to {wanted.max():.2f} mm, "
                f"those of like= {geometry.positions[axis].min():.2f} to {geometry.positions[axis].max():.2f} mm"
            )
    if outside:
        warn_user(f"parts of the segmentation lie outside of like= and are left out: {', '.join(outside)}")
    inside = [np.flatnonzero(index >= 0) for index in found]
    target = (found[1][inside[1]], found[2][inside[2]])
    return geometry, Places(found[0], (inside[1], inside[2]), target)


def _on_positions(name: str, wanted: FloatArray, geometry: Geometry) -> npt.NDArray[np.intp]:
    """Index on an axis of `geometry` of each position; -1 outside of it."""
    axis = AXES.index(name)
    positions, lone = geometry.positions[axis], geometry.lone_steps[axis]
    off = np.abs(wanted[:, None] - positions)
    index = off.argmin(axis=1)
    off = off.min(axis=1)
    half = 0.5 * (
        float(np.median(np.abs(np.diff(positions)))) if positions.size > 1 else abs(np.nan_to_num(lone))
    )
    outside = (wanted < positions.min() - half) | (wanted > positions.max() + half)
    # Beyond the outer positions, what is on the grid continued is beside the volume; what is not, fits nowhere.
    worst = float(np.max(off[~outside], initial=0.0))
    if worst > position_tolerance(positions):
        raise GeometryError(
            f"the frames of the segmentation do not lie on the voxels of like=: their {name} positions are up to {worst:.3g} "
            f"mm off. {_MEND}"
        )
    return np.where(outside, -1, index)
