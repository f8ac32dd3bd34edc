"""``volume.dicom``: what the values are, and what is known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab import affine, suv, windowing
from dicomlab.accessor.bound import Bound
from dicomlab.errors import GeometryError
from dicomlab.flat import ImagePlane
from dicomlab.ultrasound import Region, regions_from_attrs
from dicomlab.volumes import attrs_of

if TYPE_CHECKING:
    from dicomlab.windowing import AnyWindow

__all__ = ["Values"]

FloatArray = npt.NDArray[np.float64]


class Values(Bound):
    """Units, windows, findings, and what images without a place in the patient say instead of one."""

    @property
    def units(self) -> str:
        """Unit of the values, ``""`` when they have none or nobody knows."""
        return str(attrs_of(self._volume).get("units", ""))

    @property
    def windows(self) -> tuple[AnyWindow, ...]:
        """Windows and VOI LUTs of the file, the first one first; empty when it names none."""
        return windowing.windows_from_attrs(self._volume.attrs)

    @property
    def findings(self) -> tuple[str, ...]:
        """What was odd about the series when it was loaded."""
        return tuple(str(self._volume.attrs.get("findings", "")).splitlines())

    def suv(self, kind: str = "bw") -> xr.DataArray:
        """Standardized uptake value of a PET, float32 in ``units="SUVbw"`` or ``"SUV"`` + `kind`; see `dicomlab.suv.to_suv`.

        Parameters
        ----------
        kind
            What uptake is divided by: ``"bw"`` body weight, ``"lbmjanma"``, ``"lbm"``, ``"lbmjames128"`` lean body mass,
            ``"bsa"`` body surface area, ``"ibw"`` ideal body weight.

        Raises
        ------
        SuvError
            The headers do not allow it; the message names the attribute.

        Examples
        --------
        >>> from dicomlab import load_volume, phantom
        >>> pet = load_volume(phantom.write_study(tmp_path, coarser=4).pet.folder)
        >>> pet.dicom.suv().dicom.units
        'SUVbw'
        """
        return suv.to_suv(self._volume, kind)

    @property
    def b_vectors(self) -> FloatArray:
        """Direction of diffusion weighting of each step of ``b_value``: unit vectors in LPS, shape ``(n, 3)``; NaN where none.

        Raises
        ------
        GeometryError
            The volume has no such directions.
        """
        names = [f"b_vector_{axis}" for axis in "xyz"]
        if any(name not in self._volume.coords for name in names):
            raise GeometryError(
                "no directions of diffusion weighting here: the coordinates b_vector_x, b_vector_y and b_vector_z are missing"
            )
        return np.stack([np.asarray(self._volume.coords[name], np.float64) for name in names], axis=-1)

    @property
    def image_plane(self) -> ImagePlane:
        """What rows and columns mean in an image without a place in the patient: radiographs, ultrasound, slides."""
        return ImagePlane.from_image(self._volume)

    @property
    def regions(self) -> tuple[Region, ...]:
        """Ultrasound regions: parts of the picture that are measured each in units of its own; see `Region`."""
        return regions_from_attrs(self._volume.attrs)

    def slide_position(self, index: npt.ArrayLike) -> FloatArray:
        """X, Y in mm in the slide coordinate system of ``(row, column)`` indices of a whole-slide image.

        Parameters
        ----------
        index
            Shape ``(..., 2)``, zero-based, of this array as it is now: cropped, strided.

        Returns
        -------
        numpy.ndarray
            Shape ``(..., 2)``.

        Raises
        ------
        GeometryError
            This is no slide, or it does not say where it lies.
        """
        wanted = np.asarray(index, dtype=np.float64)
        if wanted.ndim == 0 or wanted.shape[-1] != 2:
            raise GeometryError(f"indices (row, column) have the shape (..., 2), found {wanted.shape}")
        along = [
            affine.position_at(np.atleast_1d(self._volume.coords[name].values), wanted[..., axis], step)
            for axis, (name, step) in enumerate(zip(("row", "column"), self.image_plane.steps, strict=True))
        ]
        return self.image_plane.slide_position(*along)
