"""highdicom's volumes: `to_highdicom`, `from_highdicom` (``pip install dicomlab[seg]``).

A `highdicom.Volume` counts (slice, row, column) and points to LPS, as dicomlab does. What it can hold: ``docs/exchange.md``.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from pydicom.datadict import tag_for_keyword

from dicomlab.bare import Bare, Further, volume_of
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.optional import optional

if TYPE_CHECKING:
    import highdicom as hd
from dicomlab.warn import warn_user

__all__ = ["from_highdicom", "to_highdicom"]

_DTYPES = (
    "bool",
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float16",
    "float32",
    "float64",
)
_TILT = float(np.degrees(0.9e-4))
"""Degrees; highdicom refuses axes whose cosine exceeds 1e-4."""


def _highdicom() -> Any:
    return optional("highdicom", purpose="A highdicom.Volume", extra="seg")


def to_highdicom(volume: xr.DataArray) -> hd.Volume:
    """A `highdicom.Volume` with every value and every position of a volume.

    Parameters
    ----------
    volume
        Dims slice, row, column and any others.

    Returns
    -------
    highdicom.Volume
        Array ``(slice, row, column, …)``, the affine of the volume, and its Frame of Reference UID, None where it has none.
        Further axes are channels of their names, with their labels; ``sample`` is highdicom's RGB channel. The dtype is kept.

    Raises
    ------
    GeometryError
        Uneven slices (``.dicom.regularize()`` mends them) or a tilted gantry (``.dicom.rectify()``).
    UnsupportedError
        Values that are no real numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.diag([5.0, 0.5, 0.5, 1.0])[[2, 1, 0, 3]])
    >>> to_highdicom(volume).spacing
    (5.0, 0.5, 0.5)
    """
    package = _highdicom()
    plain = Bare.of(volume, purpose="highdicom", dtypes=_DTYPES, tilt=_TILT)
    channels = dict(_channel(volume, name) for name in plain.names)
    count = len(plain.names)
    if plain.is_colour:
        channels[package.RGB_COLOR_CHANNEL_DESCRIPTOR] = ["R", "G", "B"]
    frame = plain.geometry.frame_of_reference
    made: hd.Volume = package.Volume(
        np.moveaxis(plain.values, range(count), range(3, 3 + count)),
        plain.affine,
        "PATIENT",
        frame_of_reference_uid=None if frame.startswith("unknown:") else frame,
        channels=channels or None,
    )
    return made


def _channel(volume: xr.DataArray, name: str) -> tuple[hd.ChannelDescriptor, list[Any]]:
    """What highdicom calls an axis, and its labels; numbers from 0 on where there are none that it takes."""
    package = _highdicom()
    labels = volume.coords[name].values.tolist() if name in volume.coords else None
    if labels is not None and not all(type(label) in (int, float, str) for label in labels):
        warn_user(
            f"highdicom has no place for the labels of {name} ({type(labels[0]).__name__}); they are counted"
        )
        labels = None
    if labels is None:
        labels = list(range(volume.sizes[name]))
    if tag_for_keyword(name) is None:
        return package.ChannelDescriptor(name, is_custom=True, value_type=type(labels[0])), labels
    standard = package.ChannelDescriptor(name)
    try:
        made = [standard.value_type(label) for label in labels]
        if not np.array_equal(
            np.asarray(made), np.asarray(labels), equal_nan=all(isinstance(x, float) for x in labels)
        ):
            raise ValueError("other values")
        return standard, made
    except (TypeError, ValueError) as problem:
        raise UnsupportedError(
            f"the axis {name} has the name of an attribute of DICOM, and labels which that does not have: {labels[:6]}. Rename "
            "the axis (volume.rename)."
        ) from problem


def from_highdicom(
    volume: hd.Volume,
    *,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """The volume of a `highdicom.Volume`, every voxel at its patient position.

    Parameters
    ----------
    volume
        In the coordinate system of a patient.
    frame_of_reference
        Frame of Reference UID where the volume has none; without either, it shares its frame with no other.
    units, name
        As for `make_volume`.
    like
        A volume that the image was made of: it gives what is not given here, its frame of reference, name and unit, and the
        windows that go with this unit.

    Returns
    -------
    xarray.DataArray
        Dims (channels, slice, row, column), each channel with its values as labels. The values are not copied.

    Raises
    ------
    GeometryError
        The volume lies on a slide, or in another frame of reference than the one that was given.
    DicomLabError
        It is no `highdicom.Volume`.

    Examples
    --------
    >>> import highdicom
    >>> import numpy as np
    >>> made = highdicom.Volume(np.zeros((2, 3, 4)), np.diag([5.0, 0.5, 0.5, 1.0])[[2, 1, 0, 3]], "PATIENT")
    >>> from_highdicom(made).dicom.spacing
    (5.0, 0.5, 0.5)
    """
    package = _highdicom()
    if not isinstance(volume, package.Volume):
        raise DicomLabError(f"a highdicom.Volume was asked for; found {type(volume).__name__}")
    if volume.coordinate_system != package.CoordinateSystemNames.PATIENT:
        raise GeometryError("this highdicom.Volume lies on a slide, not in a patient")
    own = None if volume.frame_of_reference_uid is None else str(volume.frame_of_reference_uid)
    if own and frame_of_reference and own != frame_of_reference:
        raise GeometryError(
            f"frame_of_reference={frame_of_reference} was asked for; the volume is in {own}. Their millimetres mean different "
            "places."
        )
    descriptors = list(volume.channel_descriptors)
    is_colour = bool(descriptors) and descriptors[-1] == package.RGB_COLOR_CHANNEL_DESCRIPTOR
    if is_colour and [value.value for value in volume.get_channel_values(descriptors[-1])] != ["R", "G", "B"]:
        raise DicomLabError("the colours of this highdicom.Volume are not red, green and blue, in this order")
    channels = descriptors[: len(descriptors) - is_colour]
    labels = {
        channel.keyword: [
            value.value if isinstance(value, Enum) else value for value in volume.get_channel_values(channel)
        ]
        for channel in channels
    }
    count = len(channels)
    return volume_of(
        np.moveaxis(volume.array, range(3, 3 + count), range(count)),
        volume.affine,
        found=[Further(keyword, len(values)) for keyword, values in labels.items()],
        labels=labels,
        last="sample" if is_colour else None,
        frame_of_reference=own or frame_of_reference,
        units=units,
        name=name,
        like=like,
    )
