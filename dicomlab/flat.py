"""Images without a place in the patient: `ImagePlane`, and the one way by which such an image becomes an array (`make_flat`).

A radiograph, an ultrasound picture, a photograph or a slide has rows and columns but no patient frame. What the files say of
millimetres, and of which plane they are, is kept; nothing is invented. See ``docs/conventions.md``.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError

__all__ = [
    "IMAGE_PLANE",
    "PLANES",
    "SAMPLES",
    "SAMPLE_BITS",
    "ImagePlane",
    "eight_bits",
    "is_flat",
    "make_flat",
    "refuse_flat",
    "spacing_of",
]

FloatArray = npt.NDArray[np.float64]

IMAGE_PLANE = "image_plane"
"""The scalar coordinate that a flat image has in place of a frame of reference."""

PLANES: dict[str, str] = {
    "detector": "mm at the detector; what lies in the patient is smaller",
    "calibrated": "mm corrected for magnification, or calibrated by an object of known size",
    "scanned": "mm on the film or paper that was scanned",
    "stated": "mm of which the file does not say in which plane they hold",
    "region": "mm within the ultrasound region",
    "slide": "mm on the slide",
    "pixels": "no mm: rows and columns are counted",
}
"""Values of the coordinate `IMAGE_PLANE`, and what a number along ``row`` and ``column`` then means."""

SAMPLES = ("red", "green", "blue")
"""Labels of the axis ``sample`` of a colour image."""

SAMPLE_BITS = "sample_bits"
"""The attribute of a colour image of more than 8 bits that says how many its brightest sample has."""

_LONG_NAME = {
    "row": "down the image, from its first row",
    "column": "across the image, from its first column",
}


@dataclass(frozen=True)
class ImagePlane:
    """What a number along ``row`` and ``column`` of a flat image means.

    Parameters
    ----------
    name
        A key of `PLANES`.
    explanation
        One sentence: from which attribute the mm come and what they mean, or why there are none.
    pixel_spacing
        mm between rows, mm between columns, as in (0028,0030); None when the file gives no mm.
    pixel_aspect
        Height of a pixel divided by its width (Pixel Aspect Ratio (0028,0034)); 1 for square ones.
    slide_origin
        Of a slide: X, Y in mm of the centre of the first pixel in the slide coordinate system, else None.
    slide_cosines
        Of a slide: unit vectors along which the column and the row index grow, six numbers as in (0048,0102), else None.

    References
    ----------
    PS3.3 10.7.1 "Basic Pixel Spacing Calibration Macro", C.8.5.5 (ultrasound regions), C.8.12.2 (slide coordinates).
    """

    name: str
    explanation: str
    pixel_spacing: tuple[float, float] | None = None
    pixel_aspect: float = 1.0
    slide_origin: tuple[float, ...] | None = None
    slide_cosines: tuple[float, ...] | None = None

    @property
    def units(self) -> str:
        """``"mm"``, or ``"pixel"``."""
        return "pixel" if self.pixel_spacing is None else "mm"

    @property
    def steps(self) -> tuple[float, float]:
        """How far neighbouring rows and columns are apart along their coordinates, in `units`."""
        return (1.0, 1.0) if self.pixel_spacing is None else self.pixel_spacing

    @property
    def aspect(self) -> float:
        """Height divided by width of one unit of the coordinates: 1 where they are mm."""
        return self.pixel_aspect if self.pixel_spacing is None else 1.0

    @classmethod
    def from_image(cls, image: xr.DataArray | xr.Dataset) -> ImagePlane:
        """The plane that a flat image carries in its coordinate ``image_plane``.

        Raises
        ------
        GeometryError
            The array has no such coordinate, or it has lost its attributes.
        """
        if IMAGE_PLANE not in image.coords:
            raise GeometryError(
                f"no coordinate {IMAGE_PLANE} here: images without a place in the patient (radiographs, ultrasound, slides) "
                f"have it as load_volume makes them; found {', '.join(map(str, image.coords)) or 'none'}."
            )
        coordinate = image.coords[IMAGE_PLANE]
        said = coordinate.attrs
        if "explanation" not in said:
            raise GeometryError(
                f"the coordinate {IMAGE_PLANE} has lost its attributes; operations that drop those of coordinates do that."
            )

        def numbers(key: str) -> tuple[float, ...] | None:
            return tuple(float(x) for x in np.atleast_1d(said[key])) if key in said else None

        spacing = numbers("pixel_spacing")
        return cls(
            str(coordinate.values),
            str(said["explanation"]),
            None if spacing is None else (spacing[0], spacing[1]),
            float(said.get("pixel_aspect", 1.0)),
            numbers("slide_origin"),
            numbers("slide_cosines"),
        )

    def coordinates(self, rows: int, columns: int) -> dict[Hashable, xr.Variable]:
        """``row``, ``column`` and the scalar ``image_plane``, with attributes that netCDF can hold."""
        found: dict[Hashable, xr.Variable] = {}
        for name, count, step in zip(("row", "column"), (rows, columns), self.steps, strict=True):
            attrs = {"units": self.units, "long_name": _LONG_NAME[name]}
            found[name] = xr.Variable(name, np.arange(count) * step, attrs)
        said: dict[str, Any] = {"explanation": self.explanation, "units": self.units}
        if self.pixel_spacing is not None:
            said["pixel_spacing"] = list(self.pixel_spacing)
        elif self.pixel_aspect != 1:
            said["pixel_aspect"] = self.pixel_aspect
        for key, numbers in (("slide_origin", self.slide_origin), ("slide_cosines", self.slide_cosines)):
            if numbers is not None:
                said[key] = list(numbers)
        found[IMAGE_PLANE] = xr.Variable((), np.array(self.name), said)
        return found

    def slide_position(self, row: npt.ArrayLike, column: npt.ArrayLike) -> FloatArray:
        """X, Y in mm in the slide coordinate system, shape ``(..., 2)``, of coordinates ``row`` and ``column`` in mm.

        Raises
        ------
        GeometryError
            This is no slide, or it does not say where it lies.

        References
        ----------
        PS3.3 C.8.12.2 "Slide Coordinates Module", C.8.12.4 "Whole Slide Microscopy Image Module".
        """
        if self.slide_origin is None or self.slide_cosines is None:
            raise GeometryError(f"no slide coordinates here: {self.explanation}")
        across, down = np.array(self.slide_cosines[:2]), np.array(self.slide_cosines[3:5])
        rows, columns = np.broadcast_arrays(np.asarray(row, np.float64), np.asarray(column, np.float64))
        place: FloatArray = np.array(self.slide_origin) + rows[..., None] * down + columns[..., None] * across
        return place


def eight_bits(samples: npt.NDArray[Any], bits: int) -> npt.NDArray[np.uint8]:
    """Colour as a screen takes it, from samples of `bits` bits; shape kept."""
    if samples.dtype == np.uint8:
        return samples
    return (samples.astype(np.uint32) * 255 // ((1 << bits) - 1)).astype(np.uint8)


def is_flat(image: xr.DataArray) -> bool:
    """Whether an array is an image without a place in the patient."""
    return IMAGE_PLANE in image.coords


def refuse_flat(image: xr.DataArray | xr.Dataset) -> None:
    """Say why an image without a place in the patient has no geometry.

    Raises
    ------
    GeometryError
        It is such an image; the message holds the explanation of its plane.
    """
    if IMAGE_PLANE in image.coords:
        why = ImagePlane.from_image(image).explanation
        raise GeometryError(
            f"this image has no place in the patient, so it has neither affine nor patient positions: {why}. Its coordinates "
            "row and column, and volume.dicom.image_plane, say what there is."
        )


def spacing_of(image: xr.DataArray) -> tuple[float, float]:
    """mm between the rows and between the columns of a flat image as it is now: cropped, strided.

    Raises
    ------
    GeometryError
        The image has no mm; the message says why.
    """
    plane = ImagePlane.from_image(image)
    if plane.pixel_spacing is None:
        raise GeometryError(f"no spacing in mm: {plane.explanation}")
    found = []
    for name, step in zip(("row", "column"), plane.pixel_spacing, strict=True):
        gaps = (
            np.abs(np.diff(np.atleast_1d(image.coords[name].values))) if name in image.coords else np.empty(0)
        )
        found.append(round(float(np.median(gaps)) if gaps.size else step, 9))
    return found[0], found[1]


def make_flat(
    values: Any,
    *,
    plane: ImagePlane,
    dims: Sequence[str] = (),
    coords: Mapping[str, xr.Variable] | None = None,
    attrs: Mapping[str, Any] | None = None,
    name: str | None = None,
) -> xr.DataArray:
    """Labelled image from an array that has no place in the patient.

    Parameters
    ----------
    values
        Shape ``(..., rows, columns)``, or ``(..., rows, columns, 3)`` in colour; anything that xarray wraps. Not copied.
    plane
        What rows and columns mean.
    dims
        Names of the axes before ``row``.
    coords
        Their coordinates.
    attrs, name
        As for `xarray.DataArray`.

    Returns
    -------
    xarray.DataArray
        Dims ``(*dims, row, column)``, in colour ``(*dims, row, column, sample)`` with ``sample`` red, green, blue.

    Raises
    ------
    GeometryError
        The number of axes does not fit, or the plane is no key of `PLANES` or has no positive spacing.

    Examples
    --------
    >>> import numpy as np
    >>> plane = ImagePlane("detector", "by Imager Pixel Spacing (0018,1164)", (0.2, 0.1))
    >>> image = make_flat(np.zeros((3, 4)), plane=plane)
    >>> image.dims, image.column.values.tolist()
    (('row', 'column'), [0.0, 0.1, 0.2, 0.30000000000000004])
    """
    if plane.name not in PLANES:
        raise GeometryError(f"{plane.name!r} is no image plane; they are {', '.join(PLANES)}")
    numbers = [*plane.steps, plane.pixel_aspect]
    if not all(math.isfinite(x) and x > 0 for x in numbers):
        raise GeometryError(f"spacing and aspect of pixels are positive numbers, found {numbers}")
    # Not np.shape: it would read a slide whole.
    shape = tuple(int(n) for n in (values.shape if hasattr(values, "shape") else np.shape(values)))
    colour = len(shape) == len(dims) + 3 and shape[-1] == len(SAMPLES)
    if not colour and len(shape) != len(dims) + 2:
        raise GeometryError(
            f"values of shape {shape} are no image with the axes {(*dims, 'row', 'column')}, nor with three samples after them"
        )
    rows, columns = shape[len(dims)], shape[len(dims) + 1]
    every: dict[Hashable, Any] = dict(coords or {}) | plane.coordinates(rows, columns)
    if colour:
        every["sample"] = xr.Variable("sample", np.array(SAMPLES))
    all_dims = (*dims, "row", "column", "sample")[: len(shape)]
    return xr.DataArray(values, dims=all_dims, coords=every, name=name, attrs=dict(attrs or {}))
