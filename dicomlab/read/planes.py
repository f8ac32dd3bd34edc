"""From an instance to its image planes: frames of multi-frame objects, planes of a dose grid, tiles of a mosaic.

A plane is what a stack is made of, whatever object it came in. Attributes of a frame are looked up in its own functional
groups first, then in the shared ones, then at the top level (PS3.3 C.7.6.16), so that nothing above this room needs to know
how the object is built.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes, Level
from dicomlab.read.headers import Instance
from dicomlab.read.mosaic import mosaic
from dicomlab.read.nuclear import nm_cosines, nm_positions
from dicomlab.read.records import Record
from dicomlab.read.slide import is_slide

__all__ = ["Plane", "planes_of", "planes_of_all"]

FloatArray = npt.NDArray[np.float64]

_FARTHEST = 1e7
"""Ten kilometres from the origin (mm) there is no patient: such numbers are damage, and overflow further on."""
_RT_DOSE = "1.2.840.10008.5.1.4.1.1.481.2"


@dataclass(frozen=True, eq=False)
class Plane(Attributes):
    """One image plane of an instance.

    Parameters
    ----------
    instance
        The object that holds its pixels.
    frame
        Zero-based frame in the pixel data.
    levels
        Where its attributes are looked up: its functional groups, the shared ones, the top level.
    given_position, given_cosines, given_spacing
        What the object says about this plane in another way than by the attributes of Image Plane: offsets of a dose grid,
        tiles of a mosaic. None: the attributes decide.
    corner, size
        First row and column, and numbers of rows and columns, of a tile inside the frame; None for the whole frame.
    lacking
        Why the plane has no position, when its object says where planes lie in a way that cannot be used.
    """

    instance: Instance
    frame: int
    levels: tuple[Level, ...]
    given_position: FloatArray | None = None
    given_cosines: FloatArray | None = None
    given_spacing: FloatArray | None = None
    corner: tuple[int, int] | None = None
    size: tuple[int, int] | None = None
    lacking: str = ""

    @cached_property
    def name(self) -> str:
        """What users are shown: the file, and the frame where the object has several."""
        many = self.instance.frames > 1
        tile = "" if self.corner is None else f" tile at {self.corner[0]}, {self.corner[1]}"
        return f"{self.instance.file.name}{f' frame {self.frame + 1}' if many else ''}{tile}"

    @property
    def modality(self) -> str:
        """Modality (0008,0060)."""
        return self.instance.modality

    @cached_property
    def position(self) -> FloatArray | None:
        """Image Position (Patient) (0020,0032): LPS mm of the centre of the first pixel, shape ``(3,)``; or None."""
        numbers = self.given_position
        if numbers is None and not self.lacking:
            numbers = self.numbers("ImagePositionPatient")
        good = numbers is not None and numbers.size == 3 and bool(np.all(np.abs(numbers) < _FARTHEST))
        return numbers if good else None

    @cached_property
    def cosines(self) -> FloatArray | None:
        """Image Orientation (Patient) (0020,0037), shape ``(6,)``; or None."""
        if self.given_cosines is not None:
            return self.given_cosines
        return _cosines(self)

    @cached_property
    def pixel_spacing(self) -> FloatArray | None:
        """Pixel Spacing (0028,0030): mm between rows, mm between columns; None unless both are positive."""
        given = self.given_spacing
        if given is None:
            return _spacing(self)
        return given if given.size == 2 and bool(np.all(given > 0)) else None

    @cached_property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.size or _shape(self)

    def cut(self, frame: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """The part of a frame's pixels that is this plane: all of it, or a tile of a mosaic."""
        if self.corner is None:
            return frame
        (row, column), (rows, columns) = self.corner, self.shape
        return frame[row : row + rows, column : column + columns]


def planes_of(instance: Instance) -> tuple[Plane, ...]:
    """Every plane of `instance`, in stored order.

    References
    ----------
    PS3.3 C.7.6.16 "Multi-frame Functional Groups Module", C.8.8.3.2 "Grid Frame Offset Vector".
    """
    if is_slide(instance):  # one plane in many tiles, which are laid out when it is loaded
        return (Plane(instance, 0, instance.levels),)
    per_frame = instance.items("PerFrameFunctionalGroupsSequence")
    shared = instance.items("SharedFunctionalGroupsSequence")
    if per_frame or shared:
        return _functional_groups(instance, per_frame, shared[0] if shared else None)
    frames = instance.plausible_frames
    nuclear = nm_positions(instance, frames)
    if nuclear is not None:
        cosines = nm_cosines(instance)
        return tuple(
            Plane(instance, k, instance.levels, given_position=nuclear[k], given_cosines=cosines)
            for k in range(frames)
        )
    if frames == 1:
        return _tiles(instance) or (Plane(instance, 0, instance.levels),)
    if instance.text("SOPClassUID") == _RT_DOSE or instance.value("GridFrameOffsetVector") is not None:
        return _dose_grid(instance, frames)
    # Cine and other frames: one position at the top level, if any, cannot be that of all of them.
    why = "it has several frames and says for none of them where it lies"
    return tuple(Plane(instance, k, instance.levels, lacking=why) for k in range(frames))


def planes_of_all(objects: Headers) -> Headers:
    """Every plane of all instances: `planes_of`, and where they lie, found together."""
    instances = cast(Sequence[Instance], objects.members)
    single = objects.each(_is_single)
    if all(single):
        planes = list(map(_whole, instances))
        headers = objects.of(planes)
    else:
        planes = []
        for instance, alone in zip(instances, single, strict=True):
            planes += (_whole(instance),) if alone else planes_of(instance)
        headers = Headers(planes)
    positions = headers.vectors("ImagePositionPatient", 3)
    placed: list[bool] = np.all(np.abs(positions) < _FARTHEST, axis=1).tolist()
    for plane, position, there, cosines, spacing, shape in zip(
        planes,
        positions,
        placed,
        headers.each(_cosines),
        headers.each(_spacing),
        headers.each(_shape),
        strict=True,
    ):
        # What `Plane` would find by itself, one after the other.
        found = plane.__dict__
        if plane.given_position is None and not plane.lacking:
            found["position"] = position if there else None
        if plane.given_cosines is None:
            found["cosines"] = cosines
        if plane.given_spacing is None:
            found["pixel_spacing"] = spacing
        if plane.size is None:
            found["shape"] = shape
    return headers


_NOTHING_GIVEN = {
    "given_position": None,
    "given_cosines": None,
    "given_spacing": None,
    "corner": None,
    "size": None,
    "lacking": "",
}


def _whole(instance: Instance) -> Plane:
    """The plane that an ordinary image is; made in thousands, without the ceremony of a frozen dataclass."""
    plane = object.__new__(Plane)
    name = instance.file.name
    plane.__dict__.update(_NOTHING_GIVEN, instance=instance, frame=0, levels=instance.levels, name=name)
    return plane


def _is_single(header: Attributes) -> bool:
    """Whether an object is one ordinary plane."""
    if is_slide(header) or header.integer("NumberOfFrames", 1) > 1:
        return False
    if header.items("PerFrameFunctionalGroupsSequence") or header.items("SharedFunctionalGroupsSequence"):
        return False
    try:
        return nm_positions(header, 1) is None and mosaic(header) is None
    except DicomLabError:
        return False


def _cosines(header: Attributes) -> FloatArray | None:
    numbers = header.numbers("ImageOrientationPatient")
    return numbers if numbers is not None and numbers.size == 6 else None


def _spacing(header: Attributes) -> FloatArray | None:
    numbers = header.numbers("PixelSpacing")
    return numbers if numbers is not None and numbers.size == 2 and bool(np.all(numbers > 0)) else None


def _shape(header: Attributes) -> tuple[int, int]:
    return header.top.integer("Rows", 0), header.top.integer("Columns", 0)


def _functional_groups(
    instance: Instance, per_frame: Sequence[Level], shared: Level | None
) -> tuple[Plane, ...]:
    common = _unfolded(shared)
    frames = instance.plausible_frames
    planes = []
    for k in range(frames):
        own = (*(_unfolded(per_frame[k]) if k < len(per_frame) else ()), *common)
        why = ""
        if frames > 1 and k >= len(per_frame):
            why = f"it has {frames} frames and functional groups for {len(per_frame)}"
        elif frames > 1 and not Attributes.of(*own).has_value("ImagePositionPatient"):
            # One at the top level cannot be that of all frames.
            why = "its functional groups hold no Plane Position (Patient)"
        planes.append(Plane(instance, k, (*own, instance.header), lacking=why))
    return tuple(planes)


def _unfolded(group: Level | None) -> tuple[Level, ...]:
    """The first item of each functional group macro, the standard's before private ones, then the item that holds them."""
    if group is None:
        return ()
    known = group.unfolded() if isinstance(group, Record) else None
    if known is not None:
        return known
    items = Attributes.of(group)
    found = [items.items(tag) for tag in list(group.keys()) if not tag >> 16 & 1]
    return (*(macro[0] for macro in found if macro), group)


def _tiles(instance: Instance) -> tuple[Plane, ...]:
    """Slices that a scanner tiled into one picture; nothing for an ordinary image."""
    try:
        tiles = mosaic(instance)
    except DicomLabError as problem:
        return (Plane(instance, 0, instance.levels, lacking=str(problem)),)
    if tiles is None:
        return ()
    return tuple(
        Plane(
            instance,
            0,
            instance.levels,
            given_position=tiles.positions[k],
            given_cosines=tiles.cosines,
            given_spacing=tiles.pixel_spacing,
            corner=tiles.tile(k),
            size=(tiles.rows, tiles.columns),
        )
        for k in range(tiles.count)
    )


def _dose_grid(instance: Instance, frames: int) -> tuple[Plane, ...]:
    """Planes of an RT dose, placed by Grid Frame Offset Vector (3004,000C)."""
    why, positions = "", None
    try:
        positions = _dose_positions(instance, frames)
    except GeometryError as problem:
        why = str(problem)
    return tuple(
        Plane(
            instance,
            k,
            instance.levels,
            given_position=None if positions is None else positions[k],
            lacking=why,
        )
        for k in range(frames)
    )


def _dose_positions(instance: Instance, frames: int) -> FloatArray:
    plane = Plane(instance, 0, instance.levels)
    offsets, first, cosines = plane.numbers("GridFrameOffsetVector"), plane.position, plane.cosines
    if offsets is None or offsets.size != frames:
        found = "none" if offsets is None else f"{offsets.size} numbers"
        raise GeometryError(f"Grid Frame Offset Vector (3004,000C) must place {frames} frames, found {found}")
    if first is None or cosines is None:
        raise GeometryError("Image Position or Image Orientation (Patient) is missing")
    axial = bool(np.allclose(cosines, (1, 0, 0, 0, 1, 0), atol=1e-4))
    if abs(offsets[0]) > 1e-3:
        # Form b of the standard: the numbers are patient z, for plain transverse planes only.
        if not (axial and abs(offsets[0] - first[2]) < 1e-2):
            raise GeometryError(
                f"Grid Frame Offset Vector (3004,000C) begins with {offsets[0]:g}: neither 0 (offsets) nor, on transverse "
                f"planes, the z of Image Position (Patient), {first[2]:g} (positions); PS3.3 C.8.8.3.2 knows no third form"
            )
        offsets = offsets - offsets[0]
    normal = np.cross(cosines[:3], cosines[3:])
    positions: FloatArray = first + offsets[:, None] * normal
    return positions
