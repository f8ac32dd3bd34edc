"""From instances without a patient position to a flat image: which instances make one array, and that array."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydicom.dataset import Dataset
from xarray.core import indexing

from dicomlab.errors import FaultError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.flat import ImagePlane, make_flat
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.elements import Attributes
from dicomlab.read.frame_axes import FrameAxes, frame_axes
from dicomlab.read.headers import Instance
from dicomlab.read.nuclear import nm_positions, nuclear_axes
from dicomlab.read.pixels import modality_transform, value_dtype
from dicomlab.read.projection import image_plane, one_plane
from dicomlab.read.slide import (
    READ_LIMIT,
    Level,
    TileArray,
    lay_out_level,
    level_key,
    slide_flavour,
    slide_plane,
)
from dicomlab.read.stored import stored_image
from dicomlab.read.ultrasound import ultrasound_plane, ultrasound_regions
from dicomlab.ultrasound import REGIONS, regions_to_text

__all__ = ["FlatLayout", "flat_key", "is_flat_instance", "is_slide", "lay_out_flat", "load_flat"]

Pixels = npt.NDArray[Any]

_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"

# SOP classes whose pixels have a place in the patient (PS3.4 B.5): one of them without a position is damaged, not flat.
_PLACED = {
    f"1.2.840.10008.5.1.4.1.1.{suffix}"
    for suffix in (
        "2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "6.2", "13.1.1", "13.1.2", "13.1.3",
        "30", "66.4", "128", "128.1", "130", "481.2", "77.1.5.4",
    )
}  # fmt: skip


def is_slide(instance: Instance) -> bool:
    """Whether it is a whole-slide microscopy image."""
    return instance.text("SOPClassUID") == _SLIDE or instance.number("TotalPixelMatrixRows") is not None


def is_flat_instance(instance: Instance) -> bool:
    """Whether an image has no place in the patient by its nature: no positions, and no SOP class that owes them."""
    if not instance.is_image or instance.position is not None or instance.text("SOPClassUID") in _PLACED:
        return False
    if is_slide(instance):
        return True
    if nm_positions(instance, instance.frames) is not None:
        return False
    groups = [
        *instance.items("SharedFunctionalGroupsSequence"),
        *instance.items("PerFrameFunctionalGroupsSequence")[:1],
    ]
    return not any(Attributes.of(group).items("PlanePositionSequence") for group in groups)


def flat_key(instance: Instance) -> str:
    """Instances of equal keys make one array: the parts of one level of a slide.

    All other flat images stand alone, each a stack of its own: two radiographs of one series are two views, of which nothing
    says that a pixel of one has to do with that of the other.
    """
    return (
        level_key(instance) if is_slide(instance) else instance.text("SOPInstanceUID") or instance.file.name
    )


@dataclass(frozen=True, eq=False)
class FlatLayout:
    """Everything about a flat image but its pixels.

    Parameters
    ----------
    plane
        What rows and columns mean.
    axes
        Axes of its frames; those of a slide's level stand in `level`.
    attrs
        Attributes beyond those that every volume has.
    level
        Of a slide: where its tiles lie.
    """

    plane: ImagePlane
    axes: FrameAxes
    attrs: dict[str, str]
    level: Level | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about it and can be said without decoding a pixel."""
        return self.level.findings if self.level is not None else ()


def lay_out_flat(instances: Sequence[Instance]) -> FlatLayout:
    """Plane, axes and regions of the instances of one stack (equal `flat_key`).

    Raises
    ------
    UnsupportedError
        The frames of nuclear medicine form no full product, or the tiles of a slide do not fit it.
    FaultError
        The file declares more frames than it has bytes.
    """
    first = instances[0]
    for instance in instances:
        available = 0 if instance.pixels is None else instance.pixels.available
        if instance.pixels is not None and instance.frames > 8 * available:
            raise FaultError(
                f"{instance.file}: Number of Frames (0028,0008) says {instance.frames}, its pixel data have {available} bytes"
            )
    attrs = {
        keyword: first.text(keyword) for keyword in ("ViewPosition", "ImageLaterality") if first.text(keyword)
    }
    if is_slide(first):
        attrs["slide_image"] = slide_flavour(first)
        return FlatLayout(slide_plane(first), FrameAxes(), attrs, lay_out_level(instances))
    regions = ultrasound_regions(first)
    if regions:
        attrs[REGIONS] = regions_to_text(regions)
    plane = ultrasound_plane(first, regions) if regions else _projection_plane(first)
    axes = nuclear_axes(first, first.frames) or frame_axes(first, first.frames)
    return FlatLayout(plane, axes, attrs)


def _projection_plane(instance: Instance) -> ImagePlane:
    """The plane of all frames; an enhanced object may state it for each (PS3.3 C.8.19.6.4)."""
    shared = instance.items("SharedFunctionalGroupsSequence")
    groups = instance.items("PerFrameFunctionalGroupsSequence") or [Dataset()]
    return one_plane([image_plane(Attributes.of(group, *shared, instance.header)) for group in groups])


def load_flat(instances: Sequence[Instance], findings: Sequence[Finding] = ()) -> xr.DataArray:
    """Flat image of the instances of one stack (equal `flat_key`).

    Parameters
    ----------
    instances
        One instance, or the parts of one level of a slide.
    findings
        Findings that were kept, for ``attrs["findings"]``.

    Returns
    -------
    xarray.DataArray
        Dims ``(…, row, column)``, in colour ``(…, row, column, sample)``. Grey values are real ones (Modality LUT, rescale),
        colours are stored ones. A slide is not read here: its tiles are decoded when they are looked at.

    Raises
    ------
    UnsupportedError, FaultError
        As `lay_out_flat`, and where a frame cannot be decoded.
    """
    layout = lay_out_flat(instances)
    first = instances[0]
    attrs = {**volume_attrs([first], [modality_transform(first)], findings), **layout.attrs}
    name = first.modality.lower() or None
    if layout.level is not None:
        values: Any = _lazy_level(instances, layout.level)
        coords = layout.level.coords
        dims = tuple(values.dims[: values.ndim - (3 if values.dims[-1] == "sample" else 2)])
        return make_flat(values, plane=layout.plane, dims=dims, coords=coords, attrs=attrs, name=name)
    values = _read_frames(first, layout.axes)
    return make_flat(
        values, plane=layout.plane, dims=layout.axes.dims, coords=layout.axes.coords, attrs=attrs, name=name
    )


def _read_frames(instance: Instance, axes: FrameAxes) -> Pixels:
    """All frames in the order of the axes: real values, or colours."""
    image = stored_image(instance)
    start = np.asarray(image.read(int(axes.order[0])))
    # Whoever declares frames that are not there fails here, before memory is asked for.
    if axes.order.size > 1:
        image.read(axes.order.size - 1)
    transform = modality_transform(instance)
    dtype = start.dtype if start.ndim == 3 else value_dtype([instance], [transform])
    needed = axes.order.size * start.size * dtype.itemsize
    if needed > READ_LIMIT:
        raise UnsupportedError(
            f"{instance.file}: its {axes.order.size} frames need {needed / (1 << 30):.1f} GiB"
        )
    values = np.empty((axes.order.size, *start.shape), dtype)
    for k, frame in enumerate(axes.order):
        stored = start if k == 0 else np.asarray(image.read(int(frame)))
        if stored.ndim == 3:
            values[k] = stored
        else:
            transform.apply(stored, values[k])
    return values.reshape(*axes.shape, *start.shape)


def _lazy_level(parts: Sequence[Instance], level: Level) -> xr.Variable:
    images = [stored_image(part) for part in parts]

    def read(part: int, frame: int) -> Pixels:
        return np.asarray(images[part].read(frame))

    # One tile tells what the others are, and that they can be decoded at all.
    tile = read(int(level.part[0]), int(level.frame[0]))
    tiles = TileArray(level, read, tile.dtype, tile.shape[2] if tile.ndim == 3 else 1)
    sample = ("sample",) if tile.ndim == 3 else ()
    return xr.Variable((*tiles.dims, "row", "column", *sample), indexing.LazilyIndexedArray(tiles))
