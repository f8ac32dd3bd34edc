"""The ways in which DICOM is read when one has not met the fault yet: a few lines each, as tutorials have them.

Each takes a folder and returns what its author would believe. Cards of the gallery run them and show their source.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pydicom

from dicomlab.teach.pitfalls.measure import Reading

__all__ = ["Recipe", "believed", "gap", "slices_of"]

Recipe: TypeAlias = "Callable[[Path], Reading]"


def slices_of(folder: Path) -> list[Any]:
    """Return what pydicom makes of each file, in the order of their names."""
    return [pydicom.dcmread(file) for file in sorted(folder.rglob("*")) if file.is_file()]


def gap(slices: list[Any]) -> float:
    """Return how far the first two slices are apart, in mm."""
    places = [np.array([float(v) for v in ds.ImagePositionPatient]) for ds in slices[:2]]
    return float(np.linalg.norm(places[1] - places[0]))


def believed(values: Any, first: Any, step: float) -> Reading:
    """Return an array on a grid that begins with the first slice and goes on along its normal."""
    r, c = np.array([float(v) for v in first.ImageOrientationPatient]).reshape(2, 3)
    down, along = (float(v) for v in first.PixelSpacing)
    origin = np.array([float(v) for v in first.ImagePositionPatient])
    up = np.cross(r, c) * step
    return Reading(values, origin + np.arange(len(values))[:, None] * up, down * c, along * r)


def rescaled(values: Any, first: Any) -> Any:
    """Return values by the rescale of one slice."""
    return values * float(first.get("RescaleSlope", 1)) + float(first.get("RescaleIntercept", 0))


def by_file_name(folder: Path) -> Reading:
    """Slices as their files are named, as far apart as the first two."""
    slices = slices_of(folder)
    array = np.stack([ds.pixel_array for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], gap(slices))


def by_number(folder: Path) -> Reading:
    """Slices by Instance Number, as far apart as the first two."""
    slices = sorted(slices_of(folder), key=lambda ds: int(ds.InstanceNumber))
    array = np.stack([ds.pixel_array for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], gap(slices))


def height(ds: Any) -> float:
    """Return z of a slice."""
    return float(ds.ImagePositionPatient[2])


def by_height(folder: Path) -> Reading:
    """Slices by z, as far apart as the first two; the rescale of the first for all."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([ds.pixel_array for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], gap(slices))


def by_thickness(folder: Path) -> Reading:
    """Slices by z, one Slice Thickness apart."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([ds.pixel_array for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], float(slices[0].SliceThickness))


def by_spacing_tag(folder: Path) -> Reading:
    """Slices by z, Spacing Between Slices apart."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([ds.pixel_array for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], float(slices[0].SpacingBetweenSlices))


def spacing_swapped(folder: Path) -> Reading:
    """Slices by z; Pixel Spacing taken as (x, y)."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([ds.pixel_array for ds in slices])
    step = gap(slices)
    slices[0].PixelSpacing = slices[0].PixelSpacing[::-1]
    return believed(rescaled(array, slices[0]), slices[0], step)


def orientation_ignored(folder: Path) -> Reading:
    """Slices by z; rows taken as x, columns as y, whatever the patient lies on."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([ds.pixel_array for ds in slices])
    slices[0].ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    return believed(rescaled(array, slices[0]), slices[0], gap(slices))


def shown_values(folder: Path) -> Reading:
    """Slices by z; MONOCHROME1 turned round, so that pictures look right."""
    slices = sorted(slices_of(folder), key=height)
    array = np.stack([rescaled(ds.pixel_array, ds) for ds in slices])
    for k, ds in enumerate(slices):
        if ds.PhotometricInterpretation == "MONOCHROME1":
            array[k] = array[k].max() - array[k]
    return believed(array, slices[0], gap(slices))


def plain_words(folder: Path) -> Reading:
    """Slices by z; Pixel Data taken as 16-bit integers."""
    slices = sorted(slices_of(folder), key=height)
    shape = slices[0].Rows, slices[0].Columns
    array = np.stack([np.frombuffer(ds.PixelData, "<i2").reshape(shape) for ds in slices])
    return believed(rescaled(array, slices[0]), slices[0], gap(slices))


def frames_in_order(folder: Path) -> Reading:
    """Frames as they are stored, placed and rescaled by the first of them."""
    (ds,) = slices_of(folder)
    for group in (ds.SharedFunctionalGroupsSequence[0], ds.PerFrameFunctionalGroupsSequence[0]):
        for macro in [element.value[0] for element in group if element.VR == "SQ" and element.value]:
            ds.update(macro)
    return believed(rescaled(ds.pixel_array, ds), ds, float(ds.SpacingBetweenSlices))


def frames_of_dose(folder: Path) -> Reading:
    """Frames as they are stored, values as they are stored."""
    (ds,) = slices_of(folder)
    return believed(ds.pixel_array, ds, float(ds.SliceThickness))
