"""``volume.dicom``: where the voxels are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.core import indexing

from dicomlab.accessor.bound import Bound
from dicomlab.flat import is_flat, spacing_of
from dicomlab.geometry import AXES, Geometry
from dicomlab.grid_report import GridReport, compare_grids
from dicomlab.guarded import Boundary, coarsen, pad, restore
from dicomlab.reframe import assume_frame, transform
from dicomlab.xyz import World

__all__ = ["Place"]

FloatArray = npt.NDArray[np.float64]


class Place(Bound):
    """Geometry of a volume, and the way between voxel indices and the patient."""

    @property
    def affine(self) -> FloatArray:
        """``(slice, row, column, 1)`` voxel index to LPS mm, shape ``(4, 4)``; raises for uneven slices."""
        return self.geometry.affine

    @property
    def affine_ras(self) -> FloatArray:
        """``(column, row, slice, 1)`` voxel index to RAS mm, shape ``(4, 4)``, as nibabel expects."""
        return self.geometry.affine_ras

    @property
    def direction(self) -> FloatArray:
        """Shape ``(3, 3)``: the columns are the LPS basis vectors of slice, row and column."""
        return self.geometry.direction

    @property
    def spacing(self) -> tuple[float, ...]:
        """Distance between voxel centres along slice, row, column in mm; the median where slices are uneven.

        Under a tilt the step of slices is that along the leaning axis, longer than planes are apart. See `Geometry.spacing`.

        Of an image without a place in the patient (row, column), in mm of its `image_plane`; raises where it has no mm.
        """
        return spacing_of(self._volume) if is_flat(self._volume) else self.geometry.spacing

    @property
    def origin(self) -> FloatArray:
        """LPS mm of the centre of the first voxel, shape ``(3,)``."""
        return self.geometry.origin

    @property
    def orientation(self) -> str:
        """Three letters, towards which side slice, row and column indices grow (``"SPL"``), or ``"oblique"``."""
        return self.geometry.orientation

    @property
    def codes(self) -> str:
        """Three letters, as `orientation`; of an oblique volume the nearest sides."""
        return self.geometry.codes

    @property
    def plane(self) -> str:
        """``"axial"``, ``"coronal"`` or ``"sagittal"``: the patient plane nearest to the slices."""
        return self.geometry.plane

    @property
    def is_uniform(self) -> bool:
        """Whether one affine places every voxel."""
        return self.geometry.is_uniform

    @property
    def tilt(self) -> float:
        """Gantry tilt in degrees."""
        return self.geometry.tilt

    @property
    def voxel_volume(self) -> float:
        """Volume of one voxel in mm³; raises for uneven slices. See `Geometry.voxel_volume`."""
        return self.geometry.voxel_volume

    @property
    def extent(self) -> FloatArray:
        """Lowest and highest x, y, z (LPS mm) that any voxel reaches with its faces, shape ``(2, 3)``.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]]).dicom.extent
        array([[-0.5, -0.5, -0.5],
               [ 3.5,  2.5,  1.5]])
        """
        return self.geometry.extent

    @property
    def frame_of_reference(self) -> str:
        """Frame of Reference UID (0020,0052), or ``unknown:…`` when the files name none."""
        return self.geometry.frame_of_reference

    def lps(self, index: npt.ArrayLike) -> FloatArray:
        """x, y, z in LPS mm of ``(slice, row, column)`` indices, shape ``(..., 3)`` in and out; see `Geometry.lps`."""
        return self.geometry.lps(index)

    def index(self, lps: npt.ArrayLike) -> FloatArray:
        """Fractional ``(slice, row, column)`` index of LPS mm, shape ``(..., 3)`` in and out; see `Geometry.index`."""
        return self.geometry.index(lps)

    def with_xyz(self) -> xr.DataArray:
        """The volume with coordinates ``x``, ``y``, ``z``: the LPS position (mm) of every voxel.

        They have the dimensions of the volume and are computed when looked at, for the part that is looked at.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> volume = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]])
        >>> volume.dicom.with_xyz().z.isel(slice=1, row=0, column=0).item()
        1.0
        """
        geometry = self.geometry
        dims = [dim for dim in self._volume.dims if dim in AXES]
        order = [AXES.index(str(dim)) for dim in dims]
        coords = {}
        for world, name in enumerate("xyz"):
            lazy = indexing.LazilyIndexedArray(World(geometry, world, order))
            attrs = {"units": "mm", "long_name": f"{name} (LPS)"}
            coords[name] = xr.Variable(dims, lazy, attrs)
        return self._volume.assign_coords(coords)

    # -- other places -------------------------------------------------------------------------------------------------

    def same_grid(self, other: xr.DataArray | Geometry) -> GridReport:
        """Whether `other` lies on the same grid, voxel by voxel: a report that is true or false, and says why.

        Frame of reference, orientation, spacing and positions are compared by the tolerances of the guards: 0.01 mm, or 1 % of
        the step where that is less. It shows itself as a table in notebooks; see `GridReport`.

        Raises
        ------
        GeometryError
            One of the two is no volume.
        """
        return compare_grids(self._volume, other)

    def assume_frame(self, frame: str | xr.DataArray) -> xr.DataArray:
        """The volume, declared to be in another frame of reference; no position changes.

        For files that name no frame of reference, or scanners that gave two names to one, where you know that the patient did
        not move in between. ``attrs["frame_history"]`` notes it.

        Parameters
        ----------
        frame
            Frame of Reference UID (0020,0052), or a volume in that frame.

        Raises
        ------
        GeometryError
            `frame` is no UID, or a volume that names none itself.

        References
        ----------
        PS3.3 C.7.4.1 "Frame of Reference Module".

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> ct = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
        >>> mask = make_volume(np.ones((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]])
        >>> float((ct + mask.dicom.assume_frame(ct)).sum())
        24.0
        """
        return assume_frame(self._volume, frame)

    def transform(self, matrix: npt.ArrayLike, *, to: str | xr.DataArray) -> xr.DataArray:
        """The volume in the frame of reference `to`, moved there by a registration: its positions move, its values stay.

        Nothing is interpolated. Directions of diffusion turn along; ``x``, ``y``, ``z`` of `with_xyz` are left behind.
        ``attrs["frame_history"]`` notes it.

        Parameters
        ----------
        matrix
            Shape ``(4, 4)``: LPS mm in the frame of this volume to LPS mm in `to`. (SimpleITK's transforms go the other way
            round, from the fixed image to the moving one: `dicomlab.extras.sitk.matrix_of` makes the matrix of them.)
        to
            Frame of Reference UID (0020,0052), or a volume in that frame.

        Raises
        ------
        GeometryError
            `matrix` is no affine, mirrors the patient, or shears rows against columns, which only resampling can show.

        References
        ----------
        PS3.3 C.20.2 "Spatial Registration Module".

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> mr = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
        >>> lift = np.eye(4)
        >>> lift[2, 3] = 7.5
        >>> mr.dicom.transform(lift, to="1.2.4").dicom.lps([0, 0, 0])
        array([0. , 0. , 7.5])
        """
        return transform(self._volume, matrix, to=to)

    # -- what xarray forgets ------------------------------------------------------------------------------------------

    def restore(self) -> xr.DataArray:
        """The same volume, with the guards that opening a file and some operations of xarray take away.

        Values, positions and attributes stay as they are, but for the list of one window, of which netCDF makes a number: it is
        a list again. See "What xarray forgets" in ``docs/conventions.md``.

        Raises
        ------
        GeometryError
            The coordinates of a volume are not there any more, or some positions are NaN (after ``pad``).

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> volume = make_volume(np.zeros((2, 4, 4)), affine=np.eye(4)[[2, 1, 0, 3]])
        >>> coarse = volume.coarsen(row=2).mean().dicom.restore()
        >>> type(coarse.xindexes["row"]).__name__
        'AxisIndex'
        """
        return restore(self._volume)

    def pad(
        self,
        pad_width: Mapping[Any, int | tuple[int, int]] | None = None,
        *,
        mode: str = "constant",
        constant_values: Any = None,
        **pad_width_kwargs: int | tuple[int, int],
    ) -> xr.DataArray:
        """The volume with more voxels at its ends: ``volume.pad``, with positions that continue by the step.

        Parameters
        ----------
        pad_width, **pad_width_kwargs
            For each dimension the number of voxels before and after, or one number for both.
        mode, constant_values
            Which values the new voxels have, as in ``xarray.DataArray.pad``: NaN unless told otherwise.

        Raises
        ------
        GeometryError
            The axis is uneven or a lone position of unknown step, so that nobody knows where further voxels would lie.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> volume = make_volume(np.ones((2, 3, 4)), affine=np.diag([5.0, 1, 1, 1])[[2, 1, 0, 3]])
        >>> volume.dicom.pad(slice=(1, 2), constant_values=0).slice.values
        array([-5.,  0.,  5., 10., 15.])
        """
        widths = {**(pad_width or {}), **pad_width_kwargs}
        return pad(self._volume, widths, mode=mode, constant_values=constant_values)

    def coarsen(
        self,
        windows: Mapping[Any, int] | None = None,
        *,
        func: str | Callable[..., Any] = "mean",
        boundary: Boundary = "exact",
        side: Literal["left", "right"] = "left",
        **windows_kwargs: int,
    ) -> xr.DataArray:
        """The volume in blocks of voxels: ``volume.coarsen``, with each block at its centre, guards kept.

        Parameters
        ----------
        windows, **windows_kwargs
            For each dimension the number of voxels of a block.
        func
            What makes one value of a block: the name of one of xarray's (``"mean"``, ``"max"``, ``"sum"`` …), or a function
            of an array and ``axis=``.
        boundary, side
            As in ``xarray.DataArray.coarsen``: ``"exact"`` raises where blocks do not fit, ``"trim"`` leaves voxels out,
            ``"pad"`` fills the last block up with NaN; its position is the centre of the whole block.

        Raises
        ------
        GeometryError
            A dimension is not there, no block is full, or ``boundary="pad"`` meets uneven positions.
        DicomLabError
            `func` is no reduction of xarray.

        Examples
        --------
        >>> import numpy as np
        >>> from dicomlab import make_volume
        >>> volume = make_volume(np.ones((2, 4, 4)), affine=np.eye(4)[[2, 1, 0, 3]])
        >>> volume.dicom.coarsen(row=2, column=2).dicom.spacing
        (1.0, 2.0, 2.0)
        """
        blocks = {**(windows or {}), **windows_kwargs}
        return coarsen(self._volume, blocks, func=func, boundary=boundary, side=side)
