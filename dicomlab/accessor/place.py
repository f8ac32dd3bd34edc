"""``volume.dicom``: where the voxels are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.core import indexing

from dicomlab import windowing
from dicomlab.accessor.bound import Bound
from dicomlab.errors import GeometryError
from dicomlab.flat import is_flat, spacing_of
from dicomlab.geometry import AXES, FRAME
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
        """Distance between voxel centres along slice, row, column in mm; see `Geometry.spacing`.

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
        volume = self._volume.assign_attrs(windowing.with_window_lists(self._volume.attrs))
        if is_flat(volume):
            return volume  # nothing guards an image without a place
        coordinates = self.geometry.coordinates()
        names = [*(name for name in AXES if name in self._volume.dims), FRAME]
        lost = [name for name in names[:-1] if np.isnan(coordinates[name].values).any()]
        if lost:
            raise GeometryError(
                f"some positions along {', '.join(lost)} are NaN, so nobody knows where these voxels are; .pad() and .shift() "
                "of coordinates make such. Give the new positions first (assign_coords)."
            )
        guarded = xr.Coordinates(
            {name: coordinates.variables[name] for name in names},
            indexes={name: coordinates.xindexes[name] for name in names},
        )
        return volume.drop_vars(names).assign_coords(guarded)
