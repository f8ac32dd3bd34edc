"""Where voxels are: `Geometry`, and the one way by which any array becomes a volume (`make_volume`).

The rule of the house, explained in ``docs/conventions.md``: ``LPS = direction @ (slice, row, column)``, where the three
coordinates are in mm and the columns of ``direction`` are their LPS basis vectors.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine as _affine
from dicomlab.errors import GeometryError
from dicomlab.indexes import AxisIndex, FrameIndex

__all__ = ["AXES", "FRAME", "Geometry", "make_volume"]

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
        matrix = np.asarray(affine, dtype=np.float64)
        if matrix.shape != (4, 4) or not np.all(np.isfinite(matrix)):
            raise GeometryError(
                f"an affine is a finite 4x4 matrix, found shape {matrix.shape}: {matrix.tolist()}"
            )
        if not np.allclose(matrix[3], [0, 0, 0, 1]):
            raise GeometryError(f"the last row of an affine is 0 0 0 1, found {matrix[3].tolist()}")
        if len(shape) != 3 or min(shape) < 0:
            raise GeometryError(f"a shape counts the voxels along {', '.join(AXES)}, found {tuple(shape)}")
        steps = np.linalg.norm(matrix[:3, :3], axis=0)
        if np.any(steps == 0):
            raise GeometryError(f"the affine steps by 0 mm along {AXES[int(np.argmin(steps))]}")
        c, r = matrix[:3, 1] / steps[1], matrix[:3, 2] / steps[2]
        if abs(float(r @ c)) > _affine.COSINE_TOLERANCE:
            raise GeometryError(
                f"the row and column axes of this affine are not perpendicular (cosine {float(r @ c):.3g}); "
                "a DICOM image cannot be sheared within its plane."
            )
        n = np.cross(r, c)
        rise = float(n @ matrix[:3, 0])  # mm that one slice advances along the normal; negative: towards -n
        if abs(rise) < 1e-6 * steps[0]:
            raise GeometryError("the slices of this affine lie in one plane: it is singular")
        direction = np.stack([_snap(matrix[:3, 0] / rise, n), c, r], axis=1) + 0.0
        origin = np.linalg.solve(direction, matrix[:3, 3])
        step = (rise, steps[1], steps[2])
        along, down, across = (o + s * np.arange(n) for o, s, n in zip(origin, step, shape, strict=True))
        return cls(direction, along, down, across, frame_of_reference)

    @classmethod
    def from_volume(cls, volume: xr.DataArray | xr.Dataset) -> Geometry:
        """Geometry that a volume carries in its coordinates; an axis picked away by an integer index counts as length 1.

        Raises
        ------
        GeometryError
            A coordinate is missing, or the object never was a volume.
        """
        missing = [name for name in (*AXES, FRAME) if name not in volume.coords]
        if missing:
            raise GeometryError(
                f"no patient geometry here: the coordinate(s) {', '.join(missing)} are missing, found "
                f"{', '.join(map(str, volume.coords)) or 'none'}. load_volume and make_volume make arrays that have them; "
                "reset_coords and drop_vars take them away."
            )
        frame = volume.coords[FRAME]
        try:
            direction = np.asarray(frame.attrs["direction"], dtype=np.float64).reshape(3, 3)
        except (KeyError, ValueError) as problem:
            raise GeometryError(
                f"the coordinate {FRAME} has lost its attribute 'direction' (nine numbers), found {dict(frame.attrs)!r}; "
                "operations that drop attributes of coordinates take it away."
            ) from problem
        positions = [np.atleast_1d(np.asarray(volume.coords[name], dtype=np.float64)) for name in AXES]
        for name in AXES:
            # Picked point by point or stacked, every position is still there, but the voxels form no grid any more.
            if volume.coords[name].dims not in ((name,), ()):
                raise GeometryError(
                    f"the coordinate {name} lies along {volume.coords[name].dims}, so these voxels form no grid. Call "
                    "with_xyz() before picking points or stacking: x, y and z then follow each voxel."
                )
        along, down, across = positions
        return cls(direction, along, down, across, str(frame.values))

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
        distance under gantry tilt, as in ITK). NaN for an axis of one voxel, whose step nobody knows. Uneven axes give
        their median step; `is_uniform` tells, and `affine` refuses them.
        """
        lengths = np.linalg.norm(self.direction, axis=0)
        out = [
            # Rounded to a picometre: differences of positions carry noise that only clutters what is printed.
            round(
                float(length * (abs(x[-1] - x[0]) / (x.size - 1) if even else np.median(np.abs(np.diff(x))))),
                9,
            )
            if x.size > 1
            else float("nan")
            for x, length, even in zip(self.positions, lengths, self._even(), strict=True)
        ]
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
        signed = self._signed_direction()
        return _affine.axis_codes(signed) if _affine.is_axis_aligned(signed) else "oblique"

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
        signs = [1.0 if x.size < 2 or x[-1] >= x[0] else -1.0 for x in self.positions]
        signed: FloatArray = self.direction * np.array(signs)
        return signed

    @property
    def origin(self) -> FloatArray:
        """LPS position (mm) of the centre of voxel ``(0, 0, 0)``, shape ``(3,)``."""
        return self.lps((0.0, 0.0, 0.0))

    @property
    def affine(self) -> FloatArray:
        """``(slice, row, column, 1)`` voxel index to LPS mm, shape ``(4, 4)``.

        An axis of one voxel gets a step of 1 mm, as in ITK: its index can only be 0.

        Raises
        ------
        GeometryError
            The slices (or rows, columns) are uneven, so that no affine places them all.

        References
        ----------
        PS3.3 C.7.6.2.1.1, equation C.7.6.2.1-1.
        """
        for name, x, even in zip(AXES, self.positions, self._even(), strict=True):
            if not even:
                gaps = np.abs(np.diff(x))
                raise GeometryError(
                    f"no single affine describes this volume: its {name} positions are uneven, {gaps.min():.3f} to "
                    f"{gaps.max():.3f} mm apart, up to {_affine.unevenness(x):.3f} mm from an even grid. "
                    f"Each position is true in volume.{name}; use lps() and index(), or select an even part first. "
                    "(.dicom.regularize(), which interpolates onto an even grid, is planned.)"
                )
        steps = [(x[-1] - x[0]) / (x.size - 1) if x.size > 1 else 1.0 for x in self.positions]
        matrix = np.eye(4)
        matrix[:3, :3] = self.direction * np.array(steps)
        matrix[:3, 3] = self.origin
        return matrix

    @property
    def affine_ras(self) -> FloatArray:
        """``(column, row, slice, 1)`` voxel index to RAS mm, shape ``(4, 4)``: what nibabel and NIfTI expect."""
        return _affine.lps_to_ras(self.affine)

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
        along = [_affine.position_at(x, wanted[..., axis]) for axis, x in enumerate(self.positions)]
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
        return np.stack(
            [_affine.index_of(x, along[..., axis]) for axis, x in enumerate(self.positions)], axis=-1
        )

    # -- as xarray ----------------------------------------------------------------------------------------------------

    def coordinates(self) -> xr.Coordinates:
        """The three mm coordinates and the scalar ``frame_of_reference``, each with its guard index."""
        variables: dict[Hashable, Any] = {}
        indexes: dict[Hashable, xr.Index] = {}
        for axis, (name, values) in enumerate(zip(AXES, self.positions, strict=True)):
            attrs = {"units": "mm", "axis": _CF_AXIS[name], "long_name": _LONG_NAME[name]}
            index = AxisIndex(values, name, frame=self.frame_of_reference, basis=self.direction[:, axis])
            indexes[name] = index
            variables.update(index.create_variables({name: xr.Variable(name, values, attrs)}))
        frame = xr.Variable(
            (),
            np.array(self.frame_of_reference),
            {
                "direction": self.direction.ravel().tolist(),
                "coordinate_system": "LPS",
                "voxel_reference": "centre",
            },
        )
        indexes[FRAME] = FrameIndex(FRAME, frame)
        variables[FRAME] = frame
        return xr.Coordinates(variables, indexes=indexes)


def make_volume(
    values: Any,
    *,
    affine: npt.ArrayLike | None = None,
    geometry: Geometry | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    attrs: Mapping[str, Any] | None = None,
) -> xr.DataArray:
    """Labelled volume from any 3-D array and a geometry.

    Parameters
    ----------
    values
        Shape ``(slices, rows, columns)``; numpy, dask or anything that xarray wraps. Not copied.
    affine
        Shape ``(4, 4)``: ``(slice, row, column, 1)`` voxel index to LPS mm. Either this or `geometry`.
    geometry
        A `Geometry` of the same shape.
    frame_of_reference
        Frame of Reference UID, with `affine`. Volumes made without one share no frame with anything else.
    units
        Unit of the values, for instance ``"HU"``.
    name, attrs
        As for `xarray.DataArray`.

    Raises
    ------
    GeometryError
        Neither or both geometries are given, or the shapes disagree.

    Examples
    --------
    >>> import numpy as np
    >>> volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], units="HU")
    >>> volume.dims
    ('slice', 'row', 'column')
    """
    shape = tuple(int(n) for n in np.shape(values))
    if len(shape) != 3:
        raise GeometryError(f"a volume has the three axes {', '.join(AXES)}; the values have shape {shape}")
    if (affine is None) == (geometry is None):
        raise GeometryError(
            "give either affine= (4x4, index to LPS mm) or geometry= (a Geometry), not both or neither"
        )
    if geometry is None:
        assert affine is not None
        if frame_of_reference is None:
            # A fresh name each time: two arrays of unknown origin must never be taken for one place.
            from uuid import uuid4

            frame_of_reference = f"unknown:{uuid4()}"
        geometry = Geometry.from_affine(affine, (shape[0], shape[1], shape[2]), frame_of_reference)
    if geometry.shape != shape:
        raise GeometryError(
            f"the values have shape {shape}, the geometry {geometry.shape} (slice, row, column)"
        )
    merged = dict(attrs or {})
    if units is not None:
        merged["units"] = units
    return xr.DataArray(values, dims=AXES, coords=geometry.coordinates(), name=name, attrs=merged)


def _snap(axis: FloatArray, normal: FloatArray) -> FloatArray:
    """`axis`, or `normal` itself where they agree to rounding: a shear of 1e-9 is noise, not tilt."""
    return normal if float(np.max(np.abs(axis - normal))) < 1e-9 else axis


def _points(values: npt.ArrayLike, what: str) -> FloatArray:
    points = np.asarray(values, dtype=np.float64)
    if points.ndim == 0 or points.shape[-1] != 3:
        raise GeometryError(f"{what} come as an array of shape (..., 3), found shape {points.shape}")
    return points
