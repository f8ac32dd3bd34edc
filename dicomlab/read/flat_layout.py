"""Which instances without a patient position make one array, and everything about that array but its pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydicom.dataset import Dataset

from dicomlab.errors import FaultError
from dicomlab.findings import Finding
from dicomlab.flat import ImagePlane
from dicomlab.read.elements import Attributes
from dicomlab.read.frame_axes import FrameAxes, frame_axes
from dicomlab.read.headers import Instance
from dicomlab.read.nuclear import nm_positions, nuclear_axes
from dicomlab.read.projection import image_plane, one_plane
from dicomlab.read.slide import Level, is_slide, lay_out_level, level_key, slide_flavour, slide_plane
from dicomlab.read.ultrasound import ultrasound_plane, ultrasound_regions
from dicomlab.ultrasound import REGIONS, regions_to_text

__all__ = ["FlatLayout", "flat_key", "is_flat_header", "is_flat_instance", "lay_out_flat"]

# SOP classes whose pixels have a place in the patient (PS3.4 B.5): one of them without a position is damaged, not flat.
_PLACED = {
    f"1.2.840.10008.5.1.4.1.1.{suffix}"
    for suffix in (
        "2", "2.1", "2.2", "4", "4.1", "4.3", "4.4", "6.2", "13.1.1", "13.1.2", "13.1.3",
        "30", "66.4", "128", "128.1", "130", "481.2", "77.1.5.4",
    )
}  # fmt: skip


_FEW = 1 << 16
"""Frames that are laid out though the file has no pixels to show for them."""


def is_flat_instance(instance: Instance) -> bool:
    """Whether an image has no place in the patient by its nature: no positions, and no SOP class that owes them."""
    return instance.is_image and is_flat_header(instance)


def is_flat_header(header: Attributes) -> bool:
    """`is_flat_instance` of an image, by its header alone."""
    if header.text("SOPClassUID") in _PLACED:
        return False
    frames = max(1, header.integer("NumberOfFrames", 1))
    if (
        frames == 1 and header.numbers("ImagePositionPatient") is not None
    ):  # one position cannot be that of several frames
        return False
    if is_slide(header):
        return True
    if nm_positions(header, frames) is not None:
        return False
    groups = [
        *header.items("SharedFunctionalGroupsSequence"),
        *header.items("PerFrameFunctionalGroupsSequence")[:1],
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
    def dims(self) -> tuple[str, ...]:
        """Axes before the rows."""
        return self.axes.dims if self.level is None else tuple(self.level.coords)

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of steps of each axis before the rows."""
        if self.level is None:
            return self.axes.shape
        return tuple(coord.size for coord in self.level.coords.values())

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
        # A header without pixels may still be looked at, but nothing may count up to any number that it names.
        if instance.frames > 8 * available and (instance.pixels is not None or instance.frames > _FEW):
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
