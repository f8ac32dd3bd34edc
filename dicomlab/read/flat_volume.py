"""From a layout without a patient position to a flat image: its frames read, or its tiles to be read when looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from xarray.core import indexing

from dicomlab.errors import FaultError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.flat import make_flat
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.flat_layout import FlatLayout
from dicomlab.read.headers import Instance
from dicomlab.read.modality import Transform, value_dtype
from dicomlab.read.planes import Plane
from dicomlab.read.slide import Level
from dicomlab.read.stored import stored_image
from dicomlab.read.tiles import READ_LIMIT, TileArray

__all__ = ["load_flat"]

Pixels = npt.NDArray[Any]


def load_flat(
    layout: FlatLayout,
    planes: Sequence[Plane],
    transforms: Sequence[Transform],
    findings: Sequence[Finding] = (),
) -> xr.DataArray:
    """Flat image of a layout.

    Parameters
    ----------
    layout
        Of the instances of one stack.
    planes
        Frames of that one instance, in stored order; of a slide one plane for each of its instances.
    transforms
        From stored to real values, one a plane. Colours and slides have none: they stay as they are stored.
    findings
        Findings that were kept, for ``attrs["findings"]``.

    Returns
    -------
    xarray.DataArray
        Dims ``(…, row, column)``, in colour ``(…, row, column, sample)``. A slide is not read here: its tiles are decoded when
        they are looked at.

    Raises
    ------
    UnsupportedError, FaultError
        A frame cannot be decoded, or all of them need more memory than `READ_LIMIT`.
    """
    attrs = {**volume_attrs(planes, transforms, findings), **layout.attrs}
    name = planes[0].modality.lower() or None
    if layout.level is not None:
        tiles = _lazy_level([plane.instance for plane in planes], layout.level)
        dims, coords = tuple(layout.level.coords), layout.level.coords
        return make_flat(tiles, plane=layout.plane, dims=dims, coords=coords, attrs=attrs, name=name)
    axes = layout.axes
    if axes.order.size > len(planes):  # there are not even bytes enough to list the others
        raise FaultError(
            f"{planes[0].instance.file}: Number of Frames (0028,0008) says {axes.order.size}; its pixel data hold fewer"
        )
    values = _read_frames([planes[int(k)] for k in axes.order], [transforms[int(k)] for k in axes.order])
    shaped = values.reshape(*axes.shape, *values.shape[1:])
    return make_flat(shaped, plane=layout.plane, dims=axes.dims, coords=axes.coords, attrs=attrs, name=name)


def _read_frames(planes: Sequence[Plane], transforms: Sequence[Transform]) -> Pixels:
    """Frames of one instance in the order given, shape ``(frames, rows, columns)`` or with samples: real values, or colours."""
    instance = planes[0].instance
    image = stored_image(instance)
    start = image.read(planes[0].frame)
    # Whoever declares frames that are not there fails here, before memory is asked for.
    image.read(image.frames - 1)
    dtype = image.dtype if image.is_colour else value_dtype(planes, transforms)
    needed = len(planes) * start.size * dtype.itemsize
    if needed > READ_LIMIT:
        raise UnsupportedError(f"{instance.file}: its {len(planes)} frames need {needed / (1 << 30):.1f} GiB")
    values = np.empty((len(planes), *start.shape), dtype)
    for k, (plane, transform) in enumerate(zip(planes, transforms, strict=True)):
        stored = start if k == 0 else image.read(plane.frame)
        if image.is_colour:
            values[k] = stored
        else:
            transform.apply(stored, values[k])
    return values


def _lazy_level(parts: Sequence[Instance], level: Level) -> xr.Variable:
    images = [stored_image(part) for part in parts]
    if len({(image.shape, image.dtype) for image in images}) > 1:
        raise UnsupportedError(
            f"{parts[0].file}: the parts of this slide differ in the size or kind of their tiles"
        )
    # A slide that cannot be decoded says so now.
    images[int(level.part[0])].read(int(level.frame[0]))
    tiles = TileArray(level, images)
    sample = ("sample",) if images[0].is_colour else ()
    return xr.Variable((*tiles.dims, "row", "column", *sample), indexing.LazilyIndexedArray(tiles))
