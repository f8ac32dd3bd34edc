"""Ultrasound regions: parts of a picture that are measured each in units of its own (PS3.3 C.8.5.5)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.flat import IMAGE_PLANE, ImagePlane

__all__ = ["REGIONS", "Region", "regions_from_attrs", "regions_to_text"]

FloatArray = npt.NDArray[np.float64]

REGIONS = "ultrasound_regions"
"""The attribute of an image that holds its regions, as JSON: netCDF holds no objects."""


@dataclass(frozen=True)
class Region:
    """One ultrasound region: where it lies in the picture, what it shows, and what a pixel of it measures.

    Parameters
    ----------
    first_row, last_row, first_column, last_column
        Its bounds in pixels of the whole picture, both ends included.
    shows
        Region Spatial Format (0018,6012): ``"2D"``, ``"M-mode"``, ``"spectral"``, ``"waveform"``, ``"graphics"`` or ``"none"``.
    data
        Region Data Type (0018,6014): ``"tissue"``, ``"colour flow"``, ``"PW Doppler"`` …
    units
        Of rows and of columns: ``"mm"``, ``"s"``, ``"cm/s"``, ``"Hz"``, ``"dB"`` …; ``""`` for none. Centimetres come as mm.
    step
        From one row, and from one column, to the next, in `units`; with its sign.
    reference
        Row and column (whole picture) of the pixel whose values are `reference_value`. Where the file names none it is the
        first pixel of the region with the value 0, and `has_reference` is False: then only differences mean something.
    """

    first_row: int
    last_row: int
    first_column: int
    last_column: int
    shows: str
    data: str
    units: tuple[str, str]
    step: tuple[float, float]
    reference: tuple[float, float]
    reference_value: tuple[float, float] = (0.0, 0.0)
    has_reference: bool = True

    @property
    def is_spatial(self) -> bool:
        """Whether it is a 2-D picture with mm along both axes."""
        return self.shows == "2D" and self.units == ("mm", "mm")

    def contains(self, row: npt.ArrayLike, column: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Whether pixels of the whole picture (zero-based row, column) lie in the region."""
        r, c = np.asarray(row), np.asarray(column)
        inside = (r >= self.first_row) & (r <= self.last_row)
        return np.asarray(inside & (c >= self.first_column) & (c <= self.last_column))

    def position(self, row: npt.ArrayLike, column: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
        """What pixels of the whole picture measure, along rows and along columns.

        Parameters
        ----------
        row, column
            Zero-based pixel indices of the whole picture; fractions lie between pixel centres.

        Returns
        -------
        tuple of numpy.ndarray
            Value by row and value by column, in `units`: for a 2-D region usually depth and width in mm, for a Doppler
            spectrum cm/s and seconds.

        References
        ----------
        PS3.3 C.8.5.5.1 (Physical Delta, Reference Pixel).
        """
        found = []
        for axis, index in enumerate((row, column)):
            along = np.asarray(index, dtype=np.float64) - self.reference[axis]
            found.append(self.reference_value[axis] + along * self.step[axis])
        return found[0], found[1]

    def cut(self, image: xr.DataArray) -> xr.DataArray:
        """The part of `image` that lies in the region, with ``row`` and ``column`` in the region's own units.

        An axis without a unit keeps the pixel numbers of the whole picture.

        Raises
        ------
        GeometryError
            `image` has lost its rows or columns, holds nothing of the region, or was cut before.
        """
        plane = ImagePlane.from_image(image)
        if plane.name not in ("pixels", "region") or REGIONS not in image.attrs:
            raise GeometryError("this is no whole ultrasound picture, or it was cut to one region before")
        bounds = {"row": (self.first_row, self.last_row), "column": (self.first_column, self.last_column)}
        indices = {}
        for (name, (low, high)), step in zip(bounds.items(), plane.steps, strict=True):
            if image.coords[name].dims != (name,):
                raise GeometryError(
                    f"a region is cut from a picture with rows and columns; {name} was picked"
                )
            pixel = image.coords[name].values / step
            indices[name] = np.flatnonzero((pixel > low - 0.5) & (pixel < high + 0.5))
            if not indices[name].size:
                raise GeometryError(f"no {name} of this part lies in the region ({name}s {low} to {high})")
        part = image.isel(indices)
        pixels = [part.coords[name].values / step for name, step in zip(bounds, plane.steps, strict=True)]
        values = [self.position(pixels[0], 0.0)[0], self.position(0.0, pixels[1])[1]]
        units = list(self.units)
        for axis in (0, 1):
            if (
                not units[axis] or not self.step[axis]
            ):  # height of an ECG: it measures nothing, so pixels are counted
                values[axis], units[axis] = pixels[axis], "pixel"
        explanation = f"{self} by the Sequence of Ultrasound Regions (0018,6011)"
        if not self.has_reference:
            explanation += ", counted from the first pixel of the region because it names no reference pixel"
        spacing = (abs(self.step[0]), abs(self.step[1]))
        own = ImagePlane("region", explanation, spacing if self.is_spatial else None)
        coords: dict[str, xr.Variable] = {}
        for axis, name in enumerate(bounds):
            attrs = {"units": units[axis], "long_name": f"{self.shows} along {name}s"}
            coords[name] = xr.Variable(name, values[axis], attrs)
        coords[IMAGE_PLANE] = own.coordinates(0, 0)[IMAGE_PLANE]
        coords[IMAGE_PLANE].attrs["units"] = "\\".join(units)
        cut = part.drop_vars(["row", "column", IMAGE_PLANE]).assign_coords(coords)
        cut.attrs = {name: value for name, value in image.attrs.items() if name != REGIONS}
        return cut

    def __str__(self) -> str:
        size = f"rows {self.first_row} to {self.last_row}, columns {self.first_column} to {self.last_column}"
        what = f"{self.shows} {self.data}" if self.data else self.shows
        steps = [
            f"{abs(step):.4g} {unit} a {name}" if unit else f"no unit along {name}s"
            for step, unit, name in zip(self.step, self.units, ("row", "column"), strict=True)
        ]
        return f"{what} in {size}: {', '.join(steps)}"


def regions_to_text(regions: Iterable[Region]) -> str:
    """Regions as JSON, for an attribute of an image."""
    return json.dumps([asdict(region) for region in regions])


def regions_from_attrs(attrs: Mapping[Any, Any]) -> tuple[Region, ...]:
    """Regions of an image, in the order of the file; empty when it has none.

    Raises
    ------
    GeometryError
        The attribute was changed and is no list of regions any more.
    """
    try:
        items = json.loads(str(attrs.get(REGIONS, "[]")))
        found = tuple(
            Region(**cast("Any", {key: tuple(v) if isinstance(v, list) else v for key, v in item.items()}))
            for item in items
        )
    except (ValueError, TypeError, AttributeError) as problem:
        raise GeometryError(
            f"the attribute {REGIONS} is no list of regions any more ({type(problem).__name__})"
        ) from problem
    if any(not math.isfinite(step) for region in found for step in region.step):
        raise GeometryError(f"the attribute {REGIONS} holds a step that is no number")
    return found
