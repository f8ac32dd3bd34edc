"""What a mask is: the three forms, and its values step by step and label by label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES

__all__ = ["HIGHEST", "SEGMENT", "Form", "check_mask", "counts", "inside", "steps"]

Form: TypeAlias = Literal["bool", "labels", "segments"]

SEGMENT = "segment"
"""The dim along which labels that may overlap lie, one beside the other."""

HIGHEST = 65_535
"""The highest number of a label, as in a DICOM label map."""


def check_mask(mask: object) -> Form:
    """The form of a mask: ``"bool"``, ``"labels"`` or ``"segments"``.

    Raises
    ------
    DicomLabError
        It is none; the message says why, and what would make one.
    """
    if not isinstance(mask, xr.DataArray):
        raise DicomLabError(
            f"a mask is a volume (xarray.DataArray), found {type(mask).__name__}. Bring an array onto the grid of a volume "
            "that has the same shape: dicomlab.masks.mask_like(volume, array)"
        )
    kind = mask.dtype.kind
    if SEGMENT in mask.dims:
        if kind not in "bf":
            raise DicomLabError(
                f"segments are False and True, or fractions from 0 to 1; found {mask.dtype} along {mask.dims}"
            )
        return "segments"
    if kind == "b":
        return "bool"
    if kind == "f" and "resampled" in mask.attrs:
        raise DicomLabError(
            "the values of a mask are False and True, or whole numbers, one a label; these were made between others "
            f"({mask.attrs['resampled']}), and between two labels lies no third: make them with labels='nearest'"
        )
    if kind not in "iu":
        # Converting others would make labels of what lies between two.
        is_whole = kind == "f" and mask.chunks is None and bool((mask == mask.round()).all())
        mend = ", or convert labels: volume.astype('uint8')" if is_whole else ""
        raise DicomLabError(
            f"the values of a mask are False and True, or whole numbers, one a label; found {mask.dtype}. "
            f"Compare first (volume > 300){mend}."
        )
    if mask.size and mask.chunks is None:
        low, high = int(mask.min()), int(mask.max())
        if mask.attrs.get("units") and (low < 0 or high > 255):
            raise DicomLabError(
                f"a mask was asked for, found a volume of values in {mask.attrs['units']}, from {low} to {high}. Compare "
                "first: volume > 300. Whole numbers that are labels have no unit."
            )
        if low < 0 or high > HIGHEST:
            raise DicomLabError(
                f"labels are numbers from 1 to {HIGHEST}, and 0 is nothing; found {low} to {high}"
            )
    return "labels"


def steps(mask: xr.DataArray) -> Iterator[xr.DataArray]:
    """Each step of the further axes, with dims (segment, slice, row, column) or (slice, row, column)."""
    own = (SEGMENT, *AXES) if SEGMENT in mask.dims else AXES
    for name in AXES:
        if name not in mask.dims:
            mask = mask.expand_dims(name)
    further = [dim for dim in mask.dims if dim not in own]
    for index in np.ndindex(*(mask.sizes[dim] for dim in further)):
        yield mask.isel(dict(zip(further, index, strict=True))).transpose(*own)


def counts(step: xr.DataArray, values: Sequence[int]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    """For each label, how many voxels of it each slice has, shape ``(slices,)``."""
    if SEGMENT in step.dims:
        for k, value in enumerate(values):
            yield value, inside(step.isel({SEGMENT: k})).sum(axis=(1, 2), dtype=np.int64)
        return
    planes = np.asarray(step.values)
    planes = planes.view(np.uint8) if planes.dtype == np.bool_ else planes
    most = max(values, default=0) + 1
    every = np.array([np.bincount(plane.ravel(), minlength=most)[:most] for plane in planes]).reshape(
        -1, most
    )
    for value in values:
        yield value, every[:, value]


def inside(part: xr.DataArray) -> npt.NDArray[np.bool_]:
    """Where one segment is; fractions count from 0.5 on."""
    values = np.asarray(part.values)
    found: npt.NDArray[np.bool_] = values if values.dtype == np.bool_ else values >= 0.5
    return found
