"""Where voxels are: `Geometry`.

The rule of the house, explained in ``docs/conventions.md``: ``LPS = direction @ (slice, row, column)``, where the three
coordinates are in mm and the columns of ``direction`` are their LPS basis vectors.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

from dicomlab import affine as _affine
from dicomlab.errors import GeometryError
from dicomlab.flat import refuse_flat
from dicomlab.frames import FrameIndex
from dicomlab.indexes import STEP, STEP_AT, AxisIndex, check_guards

__all__ = ["AXES", "FRAME", "Geometry"]

AXES = ("slice", "row", "column")
"""The dimensions of a volume, and the order of every voxel index and every spacing."""

FRAME = "frame_of_reference"
"""The scalar coordinate that says which way the axes point."""

FloatArray = npt.NDArray[np.float64]

_CF_AXIS = {"slice": "Z", "row": "Y", "column": "X"}
_LONG_NAME = {
    "slice": "distance along the slice normal",
    "row": "distance along an image column (row index grows)",
    "column": "distance along an image row (column index grows)",
}


@dataclass(frozen=True, eq=False)
class Geometry:
    """Positions of the voxel centres of a grid in the patient; no pixels.

    Parameters
    ----------
    direction
        Shape ``(3, 3)``; columns are the LPS basis vectors of slice, row and column. Row and column are perpendicular
        unit vectors; the slice vector is their normal *n*, plus a shear when the gantry was tilted.
    slice, row, column
        Positions in mm along each axis, shape ``(n,)``; the origin of all three is that of the patient frame.
    frame_of_reference
        Frame of Reference UID (0020,0052).
    lone_steps
        For axes of one voxel: mm to the next position of the grid they were cut from, signed; NaN when nobody knows.

    Examples
    --------
    >>> grid = Geometry.from_affine(np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]], (3, 4, 4), "1.2.3")
    >>> grid.spacing                          # slice, row, column in mm
    (5.0, 0.9, 0.8)
    >>> grid.lps([2, 0, 1])                   # index -> x, y, z
    array([ 0.8,  0. , 10. ])
    """

    direction: FloatArray
    slice: FloatArray
    row: FloatArray
    column: FloatArray
    frame_of_reference: str
    lone_steps: tuple[float, float, float] = (float("nan"),) * 3

    # -- making -------------------------------------------------------------------------------------------------------

    @classmethod
    def from_affine(
        cls, affine: npt.ArrayLike, shape: tuple[int, int, int], frame_of_reference: str
    ) -> Geometry:
        """Geometry of a regular grid.

        Parameters
        ----------
        affine
            Shape ``(4, 4)``: ``(slice, row, column, 1)`` voxel index to LPS mm. A sheared slice axis is kept.
        shape
            Number of voxels along slice, row and column.
        frame_of_reference
            Frame of Reference UID.

        Raises
        ------
        GeometryError
            The affine is singular, not finite, or its row and column axes are not perpendicular.
        """
        if len(shape) != 3 or min(shape) < 0:
            raise GeometryError(f"a shape counts the voxels along {', '.join(AXES)}, found {tuple(shape)}")
        direction, steps, origin = _affine.split_affine(affine)
        along, down, across = (o + s * np.arange(n) for o, s, n in zip(origin, steps, shape, strict=True))
        return cls(direction, along, down, across, frame_of_reference, steps)

    @classmethod
    def from_volume(cls, volume: xr.DataArray | xr.Dataset) -> Geometry:
        """Geometry that a volume carries in its coordinates; an axis picked away by an integer index counts as length 1.

        Raises
        ------
        GeometryError
            A coordinate is missing, or the object never was a volume.
        """
        if not isinstance(volume, (xr.DataArray, xr.Dataset)):
            raise GeometryError(
                f"a volume (xarray.DataArray) was asked for, found {type(volume).__name__}. make_volume gives an array and its "
                "affine the coordinates of one; dicomlab.masks.mask_like a mask that of its volume"
            )
        missing = [name for name in (*AXES, FRAME) if name not in volume.coords]
        if missing:
            refuse_flat(volume)
            raise GeometryError(
                f"no patient geometry here: the coordinate(s) {', '.join(missing)} are missing, found "
                f"{', '.join(map(str, volume.coords)) or 'none'}. load_volume and make_volume make arrays that have them; "
                "reset_coords, drop_vars and reductions take them away. volume.dicom.mip(axis='row') and .average(axis='row') "
                "reduce an axis to one voxel that has its place."
            )
        frame, guard = volume.coords[FRAME], volume.xindexes.get(FRAME)
        told = dict(frame.attrs)
        if isinstance(guard, FrameIndex):
            # keep_attrs=False takes the attribute away; the guard still knows it.
            told.setdefault("direction", guard.direction)
        try:
            direction = np.asarray(told["direction"], dtype=np.float64).reshape(3, 3)
        except (KeyError, ValueError) as problem:
            raise GeometryError(
                f"the coordinate {FRAME} has lost its attribute 'direction' (nine numbers), found {dict(frame.attrs)!r}; "
                "operations that drop attributes of coordinates take it away."
            ) from problem
        if not np.isfinite(direction).all() or abs(np.linalg.det(direction)) < 1e-6:
            raise GeometryError(f"the 'direction' of {FRAME} spans no space: {direction.tolist()}")
        if wrong := [name for name in AXES if volume.coords[name].dtype.kind not in "iuf"]:
            raise GeometryError(f"positions are numbers, in mm; those along {', '.join(wrong)} are not")
        positions = [np.atleast_1d(np.asarray(volume.coords[name], dtype=np.float64)) for name in AXES]
        for name in AXES:
            # Picked point by point or stacked, every position is still there, but the voxels form no grid any more.
            if volume.coords[name].dims not in ((name,), ()):
                raise GeometryError(
                    f"the coordinate {name} lies along {volume.coords[name].dims}, so these voxels form no grid. Call "
                    "with_xyz() before picking points or stacking: x, y and z then follow each voxel."
                )
        guards = {name: index for name, index in volume.xindexes.items() if name in (*AXES, FRAME)}
        check_guards(guards, str(frame.values), direction)
        along, down, across = positions
        steps = [_step_of(volume, name) for name in AXES]
        return cls(direction, along, down, across, str(frame.values), (steps[0], steps[1], steps[2]))

    # -- describing ---------------------------------------------------------------------------------------------------

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of voxels along slice, row, column."""
        return self.slice.size, self.row.size, self.column.size

    @property
    def positions(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """The three coordinates in mm, in the order slice, row, column."""
        return self.slice, self.row, self.column

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance in mm between voxel centres along slice, row, column.

        For slices it is the distance between the planes' centres along the slice axis (longer than the perpendicular
        distance under gantry tilt, as in ITK). NaN for an axis of one voxel whose step nobody knows. Uneven axes give
        their median step; `is_uniform` tells, and `affine` refuses them.
        """
        out = []
        for x, even, lone, basis in zip(
            self.positions, self._even(), self.lone_steps, self.direction.T, strict=True
        ):
            gaps = np.abs(np.diff(x))
            step = abs(lone) if not gaps.size else np.mean(gaps) if even else np.median(gaps)
            # Rounded to a picometre: differences of positions carry noise that only clutters what is printed.
            out.append(round(float(step * np.linalg.norm(basis)), 9))
        return out[0], out[1], out[2]

    def _even(self) -> tuple[bool, ...]:
        return tuple(_affine.unevenness(x) <= _affine.evenness_tolerance(x) for x in self.positions)

    @property
    def is_uniform(self) -> bool:
        """Whether one affine places every voxel within 0.01 mm, or 1 % of the step where that is more."""
        return all(self._even())

    @property
    def orientation(self) -> str:
        """Three letters, towards which side slice, row and column indices grow (``"SPL"``), or ``"oblique"``."""
        return self.codes if _affine.is_axis_aligned(self.direction) else "oblique"

    @property
    def codes(self) -> str:
        """Three letters, towards which side slice, row and column indices mainly grow, oblique or not."""
        return _affine.axis_codes(self._signed_direction())

    @property
    def plane(self) -> str:
        """``"axial"``, ``"coronal"`` or ``"sagittal"``: the patient plane nearest to the slices."""
        return _affine.plane_of(self.direction)

    @property
    def tilt(self) -> float:
        """Angle in degrees between the slice axis and the slice normal: the gantry tilt, 0 for most series."""
        n = np.cross(self.direction[:, 2], self.direction[:, 1])
        axis = self.direction[:, 0] / np.linalg.norm(self.direction[:, 0])
        return float(np.degrees(np.arctan2(np.linalg.norm(axis - (axis @ n) * n), abs(axis @ n))))

    def _signed_direction(self) -> FloatArray:
        falls = [
            x[-1] < x[0] if x.size > 1 else lone < 0
            for x, lone in zip(self.positions, self.lone_steps, strict=True)
        ]
        signed: FloatArray = self.direction * np.where(falls, -1.0, 1.0)
        return signed

    @property
    def origin(self) -> FloatArray:
        """LPS position (mm) of the centre of voxel ``(0, 0, 0)``, shape ``(3,)``."""
        return self.lps((0.0, 0.0, 0.0))

    @property
    def affine(self) -> FloatArray:
        """``(slice, row, column, 1)`` voxel index to LPS mm, shape ``(4, 4)``.

        Raises
        ------
        GeometryError
            Slices (or rows, columns) are uneven, all at one position, or a single one with nobody knowing its step.

        References
        ----------
        PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1.
        """
        for name, x, even in zip(AXES, self.positions, self._even(), strict=True):
            if not even:
                gaps = np.abs(np.diff(x))
                mend = ", or make even slices by interpolation: volume.dicom.regularize()" * (name == "slice")
                raise GeometryError(
                    f"no single affine describes this volume: its {name} positions are uneven, {gaps.min():.3f} to "
                    f"{gaps.max():.3f} mm apart, up to {_affine.unevenness(x):.3f} mm from an even grid. "
                    f"Each position is true in volume.{name}; use lps() and index(), select an even part first{mend}."
                )
        steps = [
            (x[-1] - x[0]) / (x.size - 1) if x.size > 1 else lone
            for x, lone in zip(self.positions, self.lone_steps, strict=True)
        ]
        for name, step in zip(AXES, steps, strict=True):
            if np.isnan(step):
                raise GeometryError(
                    f"no affine: there is only one {name}, and nothing says how far the next would be. lps() and index() work "
                    f"within it; volume.isel({name}=[k]) instead of an integer keeps the step of the volume it is cut from."
                )
            if step == 0:
                raise GeometryError(
                    f"no affine: all {name} positions are one, as if one had been picked twice."
                )
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction * np.array(steps)
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def affine_ras(self) -> FloatArray:
        """``(column, row, slice, 1)`` voxel index to RAS mm, shape ``(4, 4)``: what nibabel and NIfTI expect."""
        return _affine.lps_to_ras(self.affine)

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm³; under gantry tilt a voxel is as thick as its slices lie apart perpendicularly.

        Raises
        ------
        GeometryError
            As `affine`: uneven slices have no one voxel, and a lone slice may have no known thickness.
        """
        return abs(float(np.linalg.det(self.affine[:3, :3])))

    @property
    def corners(self) -> FloatArray:
        """LPS mm of the eight corners of the box that the voxels fill to their faces, shape ``(2, 2, 2, 3)``.

        The first three indices say at which end of slice, row and column: 0 is that of the first voxel.

        Raises
        ------
        GeometryError
            There are no voxels, some positions are NaN, or of a lone one nobody knows how far the next would be.
        """
        ends = [
            _affine.faces(x, lone, name)
            for name, x, lone in zip(AXES, self.positions, self.lone_steps, strict=True)
        ]
        corners: FloatArray = np.stack(np.meshgrid(*ends, indexing="ij"), axis=-1) @ self.direction.T
        return corners

    @property
    def extent(self) -> FloatArray:
        """Lowest and highest x, y, z (LPS mm) that any voxel reaches with its faces, shape ``(2, 3)``; raises as `corners`."""
        points = self.corners.reshape(-1, 3)
        return np.stack([points.min(axis=0), points.max(axis=0)])

    # -- mapping ------------------------------------------------------------------------------------------------------

    def lps(self, index: npt.ArrayLike) -> FloatArray:
        """Patient position of voxel indices.

        Parameters
        ----------
        index
            Shape ``(..., 3)``, order ``(slice, row, column)``, zero-based; fractions lie between voxel centres.

        Returns
        -------
        numpy.ndarray
            Shape ``(..., 3)``: x, y, z in LPS mm. Exact for uneven slices; linear beyond the outer voxels.
        """
        wanted = _points(index, "voxel indices (slice, row, column)")
        along = [
            _affine.position_at(x, wanted[..., axis], self.lone_steps[axis])
            for axis, x in enumerate(self.positions)
        ]
        result: FloatArray = np.stack(along, axis=-1) @ self.direction.T
        return result

    def index(self, lps: npt.ArrayLike) -> FloatArray:
        """Fractional voxel index of patient positions; the inverse of `lps`.

        Parameters
        ----------
        lps
            Shape ``(..., 3)``: x, y, z in LPS mm.

        Returns
        -------
        numpy.ndarray
            Shape ``(..., 3)``, order ``(slice, row, column)``. Points outside give indices outside the shape.
        """
        wanted = _points(lps, "LPS positions (x, y, z)")
        inverse = np.asarray(np.linalg.inv(self.direction), dtype=np.float64)
        along = np.asarray(wanted @ inverse.T, dtype=np.float64)
        found = [
            _affine.index_of(x, along[..., axis], self.lone_steps[axis])
            for axis, x in enumerate(self.positions)
        ]
        return np.stack(found, axis=-1)

    # -- as xarray ----------------------------------------------------------------------------------------------------

    def coordinates(self) -> xr.Coordinates:
        """The three mm coordinates and the scalar ``frame_of_reference``, each with its guard index."""
        variables: dict[Hashable, Any] = {}
        indexes: dict[Hashable, xr.Index] = {}
        for axis, (name, values) in enumerate(zip(AXES, self.positions, strict=True)):
            attrs = {"units": "mm", "axis": _CF_AXIS[name], "long_name": _LONG_NAME[name]}
            # A pandas index and a variable made as they are: to look at plain arrays xarray would import dask, where it is
            # installed, which takes longer than reading a CT.
            index = AxisIndex(
                pd.Index(values, name=name),
                name,
                frame=self.frame_of_reference,
                basis=self.direction[:, axis],
                lone_step=self.lone_steps[axis],
            )
            indexes[name] = index
            variables.update(index.create_variables({name: xr.Variable(name, values, attrs, fastpath=True)}))
        frame = xr.Variable(
            (),
            np.array(self.frame_of_reference),
            {
                "direction": self.direction.ravel().tolist(),
                "coordinate_system": "LPS",
                "voxel_reference": "centre",
            },
            fastpath=True,
        )
        indexes[FRAME] = FrameIndex(FRAME, frame)
        variables[FRAME] = frame
        return xr.Coordinates(variables, indexes=indexes)


def _step_of(volume: xr.DataArray | xr.Dataset, name: str) -> float:
    """Step of an axis as its guard knows it, or, without one, as the coordinate of a lone position says."""
    guard, coordinate = volume.xindexes.get(name), volume.coords[name]
    if isinstance(guard, AxisIndex):
        return guard.step
    if coordinate.shape == (1,) and coordinate.attrs.get(STEP_AT) == coordinate.values[0]:
        lone = coordinate.attrs.get(STEP)
        return float(lone) if isinstance(lone, (int, float, np.number)) else float("nan")
    return float("nan")


def _points(values: npt.ArrayLike, what: str) -> FloatArray:
    points = np.asarray(values, dtype=np.float64)
    if points.ndim == 0 or points.shape[-1] != 3:
        raise GeometryError(f"{what} come as an array of shape (..., 3), found shape {points.shape}")
    return points
