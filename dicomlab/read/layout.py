"""Where the slices of a stack lie: one direction, sorted positions, and what does not fit them (PS3.3 C.7.6.2.1.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dicomlab import affine
from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.read.headers import Instance

__all__ = ["WANDER_NOTED", "Layout", "lay_out"]

FloatArray = npt.NDArray[np.float64]

_SAME_POSITION = 0.01
"""Planes nearer to one another than this (mm, along the normal) are at one position."""
WANDER_NOTED = 0.01
"""In-plane deviation (mm) of a slice from the straight line through the outer slices that is worth a finding."""


@dataclass(frozen=True, eq=False)
class Layout:
    """Where the slices of a stack lie: direction, positions, and what did not fit."""

    direction: FloatArray
    along: FloatArray
    row: float
    column: float
    wander: FloatArray
    turn: float


def lay_out(instances: Sequence[Instance]) -> Layout:
    """Layout of images sorted by position.

    Raises
    ------
    GeometryError
        An image has no usable position, orientation or pixel spacing.
    UnsupportedError
        Several images lie at one position.
    """
    first = instances[0]
    lacking = [
        i.file.name for i in instances if i.position is None or i.cosines is None or i.pixel_spacing is None
    ]
    if lacking or first.cosines is None:
        raise GeometryError(_no_geometry(first, lacking))
    # The mean of the (nearly equal) cosines: rounding of single files averages out.
    direction, _ = affine.direction_from_cosines(
        np.mean([i.cosines for i in instances if i.cosines is not None], axis=0)
    )
    turn = max(_corner_moved(instance, direction) for instance in instances)
    positions = np.array([i.position for i in instances])
    along, down, across = (positions @ direction[:, k] for k in range(3))
    if along.size > 1 and float(np.min(np.diff(along))) < _SAME_POSITION:
        raise UnsupportedError(_several_at_one_position(instances, along))
    in_plane = np.stack([down, across], axis=1)
    straight = np.median(in_plane, axis=0)
    wander = in_plane - straight
    if along.size > 1 and float(np.max(np.abs(wander))) > WANDER_NOTED / 2:
        # The outer slices say where the stack goes. A drift from one to the other is a sheared slice axis (gantry tilt),
        # and exact as such.
        shear = (in_plane[-1] - in_plane[0]) / (along[-1] - along[0])
        straight = in_plane[0] - along[0] * shear
        wander = in_plane - straight - along[:, None] * shear
        direction = direction.copy()
        direction[:, 0] += direction[:, 1] * shear[0] + direction[:, 2] * shear[1]
    off_line = np.linalg.norm(wander, axis=1)
    return Layout(direction, along, float(straight[0]), float(straight[1]), off_line, turn)


def _corner_moved(instance: Instance, direction: FloatArray) -> float:
    """How far (mm) a corner of a slice lies from where its own cosines put it (PS3.3 equation C.7.6.2.1-1), at worst."""
    assert instance.cosines is not None
    assert instance.pixel_spacing is not None
    along_row = (instance.integer("Columns", 1) - 1) * instance.pixel_spacing[1]
    down_column = (instance.integer("Rows", 1) - 1) * instance.pixel_spacing[0]
    right = (instance.cosines[:3] - direction[:, 2]) * along_row
    below = (instance.cosines[3:] - direction[:, 1]) * down_column
    # All three: a slice turned about the line to its far corner moves the other two alone.
    return float(np.max(np.linalg.norm([right, below, right + below], axis=1)))


def _no_geometry(first: Instance, lacking: list[str]) -> str:
    wanted = {
        "Image Position (Patient) (0020,0032)": first.position,
        "Image Orientation (Patient) (0020,0037)": first.cosines,
        "Pixel Spacing (0028,0030)": first.pixel_spacing,
    }
    missing = [name for name, value in wanted.items() if value is None] or ["a position in some files"]
    return (
        f"{first.modality or 'this image'} {first.file} has no usable {', '.join(missing)}, so its pixels have no place in "
        f"the patient ({len(lacking)} file(s) affected). Projection X-ray, ultrasound and screenshots have none by nature; "
        "use pydicom or header_table to look at them."
    )


_SEPARATORS = [
    "TemporalPositionIdentifier",
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "FlipAngle",
    "TriggerTime",
    "DiffusionBValue",
    "ImageType",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
    "InstanceNumber",
]


def _several_at_one_position(instances: Sequence[Instance], along: FloatArray) -> str:
    groups = np.split(np.arange(along.size), np.flatnonzero(np.diff(along) >= _SAME_POSITION) + 1)
    sizes = sorted({len(group) for group in groups})
    crowded = max(groups, key=len)
    differing = [keyword for keyword in _SEPARATORS if len({instances[k].text(keyword) for k in crowded}) > 1]
    many = f"{sizes[0]}" if len(sizes) == 1 else f"{sizes[0]} to {sizes[-1]}"
    names = ", ".join(instances[k].file.name for k in crowded[:3])
    return (
        f"{many} images lie at each of {len(groups)} positions (for instance {names}): time points, echoes or doubled slices. "
        f"Attributes that differ between them: {', '.join(differing) or 'none that dicomlab knows'}. Such series are not read "
        "into one volume yet; pick one set of files, for instance by one of these attributes, and pass them as a list."
    )
