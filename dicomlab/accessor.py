"""The doorway ``volume.dicom``: what a volume knows about its place in the patient."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.core import indexing

from dicomlab import affine, html, reslice, suv, windowing
from dicomlab.datasets import WrongDoor
from dicomlab.errors import GeometryError
from dicomlab.flat import ImagePlane, is_flat, spacing_of
from dicomlab.geometry import AXES, FRAME, Geometry
from dicomlab.ultrasound import Region, regions_from_attrs
from dicomlab.volumes import attrs_of
from dicomlab.xyz import World

if TYPE_CHECKING:
    from dicomlab.windowing import AnyWindow

__all__ = ["DicomAccessor"]

FloatArray = npt.NDArray[np.float64]


class DicomAccessor:
    """Geometry, windows and units of a volume, read from its coordinates each time: nothing is cached or stored.

    Index order is always ``(slice, row, column)``, whatever the order of the array's dimensions; positions are LPS mm.

    Raises
    ------
    GeometryError
        From every geometric attribute, when the array has lost or never had the coordinates of a volume.
    """

    def __init__(self, volume: xr.DataArray) -> None:
        self._volume = volume

    @property
    def geometry(self) -> Geometry:
        """The `Geometry` in the coordinates."""
        return Geometry.from_volume(self._volume)

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

    @property
    def windows(self) -> tuple[AnyWindow, ...]:
        """Windows and VOI LUTs of the file, the first one first; empty when it names none."""
        return windowing.windows_from_attrs(self._volume.attrs)

    @property
    def units(self) -> str:
        """Unit of the values, ``""`` when they have none or nobody knows."""
        return str(attrs_of(self._volume).get("units", ""))

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

    def _flat_facts(self) -> dict[str, object]:
        """What is known of an image without a place in the patient; nothing of it is read."""
        image, plane = self._volume, self.image_plane
        sizes = " × ".join(str(n) for n in image.shape)
        facts: dict[str, object] = {
            "size": f"{sizes} ({', '.join(map(str, image.dims))})",
            **{str(dim): self._steps(dim) for dim in image.dims if dim not in ("row", "column", "sample")},
            "image plane": f"{plane.name}: {plane.explanation}",
        }
        if plane.pixel_spacing is not None:
            facts["spacing"] = " × ".join(f"{step:.4g}" for step in self.spacing) + " mm (row, column)"
        for number, region in enumerate(self.regions):
            facts[f"region {number}"] = str(region)
        facts["values"] = f"{image.dtype}" + (f" in {self.units}" if self.units else "")
        facts["windows"] = self._windows_text()
        if self.findings:
            facts["findings"] = "; ".join(self.findings)
        return facts

    def _windows_text(self) -> str:
        named = (f"{w.explanation + ' ' if w.explanation else ''}{w}" for w in self.windows)
        return ", ".join(named) or "none in the file"

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

    def regularize(
        self, *, spacing: float | None = None, method: reslice.Method = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume with even slices, made where there are none; see `dicomlab.reslice.regularize`."""
        return reslice.regularize(self._volume, spacing=spacing, method=method, fill=fill)

    def rectify(
        self, *, method: Literal["linear", "nearest"] = "linear", fill: float | None = None
    ) -> xr.DataArray:
        """The volume without gantry tilt: slices squarely above one another; see `dicomlab.reslice.rectify`."""
        return reslice.rectify(self._volume, method=method, fill=fill)

    def _facts(self) -> dict[str, object]:
        geometry, volume = self.geometry, self._volume
        corners = geometry.lps([[0, 0, 0], [n - 1 for n in geometry.shape]])
        spacing = " × ".join("?" if np.isnan(s) else f"{s:.4g}" for s in geometry.spacing)
        gaps = np.abs(np.diff(geometry.slice))
        if not gaps.size:
            even = ", one"
        elif affine.unevenness(geometry.slice) <= affine.evenness_tolerance(geometry.slice):
            even = ", even"
        else:
            even = f", uneven: {gaps.min():.3f} to {gaps.max():.3f} mm apart"
        letters = geometry.orientation
        facts: dict[str, object] = {
            "size": " × ".join(str(n) for n in geometry.shape) + " (slice, row, column)",
            **{str(dim): self._steps(dim) for dim in volume.dims if dim not in (*AXES, "sample")},
            "spacing": f"{spacing} mm",
            "slices": f"{geometry.plane}{even}"
            + (f", tilted {geometry.tilt:.1f}°" if geometry.tilt > 0.1 else ""),
            "orientation": ", ".join(
                f"{axis} to {side}" for axis, side in zip(AXES, self._nearest(), strict=True)
            )
            + (" (oblique, nearest sides)" if letters == "oblique" else f" ({letters})"),
            "first voxel": _point(corners[0]),
            "last voxel": _point(corners[1]),
            "values": f"{volume.dtype}" + (f" in {self.units}" if self.units else ""),
            "windows": self._windows_text(),
            "frame of reference": geometry.frame_of_reference,
        }
        if self.findings:
            facts["findings"] = "; ".join(self.findings)
        if "resampled" in self._volume.attrs:
            facts["resampled"] = "; ".join(str(self._volume.attrs["resampled"]).splitlines())
        return facts

    def _steps(self, dim: Hashable) -> str:
        """Labels of an extra axis, and which attribute of the files they come from."""
        if dim not in self._volume.coords:
            return f"{self._volume.sizes[dim]} steps"
        labels = self._volume.coords[dim]
        shown = [f"{v:g}" if isinstance(v, float) else str(v) for v in labels.values.tolist()]
        listed = ", ".join(shown) if len(shown) <= 6 else f"{shown[0]}, {shown[1]}, … {shown[-1]}"
        unit = f" {labels.attrs['units']}" if "units" in labels.attrs else ""
        source = (
            f", from {str(labels.attrs['source']).removeprefix('by ')}" if "source" in labels.attrs else ""
        )
        return f"{len(shown)} steps: {listed}{unit}{source}"

    def _nearest(self) -> str:
        return self.geometry.codes

    def _card(self) -> tuple[str, dict[str, object]]:
        if is_flat(self._volume):
            return "Image without a place in the patient", self._flat_facts()
        return "Volume in the patient (LPS, mm)", self._facts()

    def __repr__(self) -> str:
        title, facts = self._card()
        width = max(map(len, facts))
        return "\n".join(
            [
                f"<{title[0].lower()}{title[1:]}>",
                *(f"  {name:{width}}  {fact}" for name, fact in facts.items()),
            ]
        )

    def _repr_html_(self) -> str:
        return html.block(html.card(*self._card()))


class _Doorway:
    """``volume.dicom``: made when it is looked at, and gone after.

    As xarray registers accessors it would be kept by the volume, which it holds: such a circle stays in memory until Python
    looks for circles, which it does by the number of objects, not by their size.
    """

    def __get__(self, volume: xr.DataArray | None, owner: type) -> DicomAccessor | type[DicomAccessor]:
        return DicomAccessor if volume is None else DicomAccessor(volume)


setattr(xr.DataArray, "dicom", _Doorway())  # noqa: B010
setattr(xr.Dataset, "dicom", property(lambda ds: ds["dicom"] if "dicom" in ds.variables else WrongDoor(ds)))  # noqa: B010


def _point(lps: FloatArray) -> str:
    """A position as radiologists read it: millimetres towards named sides."""
    sides = (("L", "R"), ("P", "A"), ("S", "I"))
    return (
        ", ".join(
            f"{abs(v):.1f} {plus if v >= 0 else minus}" for v, (plus, minus) in zip(lps, sides, strict=True)
        )
        + " mm"
    )
