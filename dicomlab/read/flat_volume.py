"""From a layout without a patient position to a flat image: its frames or tiles read, or to be read when looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import FaultError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.flat import make_flat
from dicomlab.read.alike import Headers
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.flat_layout import FlatLayout
from dicomlab.read.headers import Instance
from dicomlab.read.images import stored_image
from dicomlab.read.lazy import lazy_planes, lazy_variable
from dicomlab.read.modality import Transform
from dicomlab.read.planes import Plane
from dicomlab.read.reader import PlaneReader, on_threads
from dicomlab.read.slide import Level
from dicomlab.read.tiles import READ_LIMIT, TileArray

__all__ = ["flat_image"]

Pixels = npt.NDArray[Any]


def flat_image(
    layout: FlatLayout,
    planes: Sequence[Plane],
    transforms: Sequence[Transform],
    findings: Sequence[Finding] = (),
    *,
    dtype: np.dtype[Any] | None = None,
    lazy: bool = False,
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
    dtype
        Of the values; None for the smallest that holds them. Colours and slides keep theirs.
    lazy
        Whether frames are read when they are looked at.

    Returns
    -------
    xarray.DataArray
        Dims ``(…, row, column)``, in colour ``(…, row, column, sample)``. A slide is never read here: its tiles are decoded
        when they are looked at.

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
        image = make_flat(tiles, plane=layout.plane, dims=dims, coords=coords, attrs=attrs, name=name)
        image.encoding = tiles.encoding
        return image
    axes = layout.axes
    if axes.order.size > len(planes):  # there are not even bytes enough to list the others
        raise FaultError(
            f"{planes[0].instance.file}: Number of Frames (0028,0008) says {axes.order.size}; its pixel data hold fewer"
        )
    order = [int(k) for k in axes.order]
    reader = PlaneReader(Headers([planes[k] for k in order]), [transforms[k] for k in order], dtype)
    values = (
        lazy_planes(reader, axes.shape, (*axes.dims, "row", "column"))
        if lazy
        else _read_frames(reader).reshape(*axes.shape, *reader.shape)
    )
    image = make_flat(values, plane=layout.plane, dims=axes.dims, coords=axes.coords, attrs=attrs, name=name)
    image.encoding = getattr(values, "encoding", {})
    return image


def _read_frames(reader: PlaneReader) -> Pixels:
    """All planes of a reader, shape ``(frames, rows, columns)`` or with samples: real values, or colours."""
    image, count = reader.images[0], len(reader)
    if image.frames > 1:  # whoever declares frames that are not there fails here, before memory is asked for
        image.read(image.frames - 1)
    needed = count * int(np.prod(reader.shape)) * reader.dtype.itemsize
    if needed > READ_LIMIT:
        raise UnsupportedError(f"{image.file}: its {count} frames need {needed / (1 << 30):.1f} GiB")
    values = np.empty((count, *reader.shape), reader.dtype)
    on_threads(lambda k: reader.read_into([k], [values[k]]), [(k,) for k in range(count)])
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
    return lazy_variable(tiles, (*tiles.dims, "row", "column", *sample), tiles.unit)
