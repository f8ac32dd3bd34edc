"""Masks as formats hold them that know one number a voxel: out as label maps, back with names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.masks.form import HIGHEST, SEGMENT
from dicomlab.masks.labels import Label, Named
from dicomlab.masks.naming import labels_of, with_labels
from dicomlab.masks.parts import to_label_maps

__all__ = ["Names", "from_file", "to_file", "to_label_map"]

Names: TypeAlias = "Mapping[int, Named] | Iterable[Named]"

_SAY = ("labels", "flag_meanings")
"""Attributes that say that whole numbers are labels."""


def to_label_map(mask: xr.DataArray) -> xr.DataArray:
    """Any mask as one label map, uint8 or uint16; labels keep their numbers, names and codes.

    Raises
    ------
    UnsupportedError
        Labels overlap.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> from dicomlab.masks import stacked
    >>> ct = make_volume(np.array([[[0, 100, 500]]]), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> to_label_map(stacked({"liver": ct == 100, "bone": ct == 500})).values.tolist()
    [[[0, 1, 2]]]
    """
    maps = to_label_maps(mask)
    if len(maps) > 1:
        raise UnsupportedError(
            f"labels of this mask overlap, and in a label map each voxel has one: dicomlab.masks.to_label_maps(mask) makes "
            f"{len(maps)} of it; a DICOM Segmentation (mask.dicom.save_seg) holds them in one file"
        )
    if not maps:  # no segment at all
        raise DicomLabError(f"there is no label in this mask of {dict(mask.sizes)}")
    return maps[0]


def to_file(volume: xr.DataArray) -> tuple[xr.DataArray, list[Label]]:
    """A volume as such formats hold it, and its labels, none where nothing says that its numbers are labels.

    Raises
    ------
    UnsupportedError
        Labels overlap.
    """
    if not isinstance(volume, xr.DataArray):
        return volume, []
    if SEGMENT in volume.dims and volume.dtype == np.bool_:
        volume = to_label_map(volume)
    is_named = volume.dtype.kind in "iu" and any(volume.attrs.get(key) for key in _SAY)
    if volume.dtype == np.bool_:
        volume = volume.drop_attrs(deep=False).assign_attrs(_unitless(volume))  # a comparison keeps the unit
    elif not is_named or volume.attrs.get("units"):
        return volume, []
    return volume, list(labels_of(volume)) if volume.size else []


def from_file(volume: xr.DataArray, told: Sequence[Label], names: Names | None) -> xr.DataArray:
    """The volume of a file with the labels that the file told, and those that the user names.

    Numbers that were stored as floating point are whole again. Where a file told labels of numbers that are none any more, for
    somebody resampled them, they are left out.

    Raises
    ------
    DicomLabError
        Names were given to values that are no labels.
    """
    if names is None and not told:
        return volume
    if volume.dtype.kind == "f":
        values = volume.values
        if not (np.all(values == np.rint(values)) and values.min() >= 0 and values.max() <= HIGHEST):
            if names is None:
                return volume
            raise DicomLabError(
                f"names= was given to values that are no labels: {float(values.min()):.3g} to {float(values.max()):.3g}, "
                f"not whole numbers from 0 to {HIGHEST}"
            )
        volume = volume.astype(np.uint8 if values.max() < 256 else np.uint16)
    volume = volume.drop_attrs(deep=False).assign_attrs(_unitless(volume))
    if told:
        volume = with_labels(volume, {label.value: label for label in told})
    return volume if names is None else with_labels(volume, names)


def _unitless(volume: xr.DataArray) -> dict[Hashable, Any]:
    return {key: value for key, value in volume.attrs.items() if key != "units"}
