"""From instances to stacks: the parts of a series that make one array each, sorted by position, with their findings.

Slices are sorted by ``n . ImagePositionPatient`` and by nothing else: Instance Number, Slice Location and file names are
labels, not positions (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from dicomlab import affine
from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.faults import geometry_findings, pixel_findings
from dicomlab.read.headers import Instance
from dicomlab.read.layout import Layout, lay_out

__all__ = ["Stack", "group_into_stacks"]

FloatArray = npt.NDArray[np.float64]

_COSINES_VARY = 1e-4
"""Cosines of one stack may differ by this much; what that moves is a finding."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Images of one series with one orientation, size and spacing: what becomes one volume.

    Parameters
    ----------
    instances
        Sorted by position along the slice normal, ascending; in the order found when they have no position.
    series_findings
        Findings of the series as a whole that concern these instances; `findings` has the others.
    """

    instances: tuple[Instance, ...]
    series_findings: tuple[Finding, ...] = field(default=(), repr=False)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Number of slices, rows, columns."""
        first = self.instances[0]
        return len(self.instances), first.integer("Rows", 0), first.integer("Columns", 0)

    @property
    def names(self) -> set[str]:
        """Names of the files."""
        return {instance.file.name for instance in self.instances}

    @property
    def _uid(self) -> str:
        first = self.instances[0]
        return first.text("SeriesInstanceUID") or first.text("SOPInstanceUID") or first.file.name

    @cached_property
    def _layout(self) -> Layout:
        return lay_out(self.instances)

    @property
    def geometry(self) -> Geometry:
        """Positions of all voxels of the stack.

        Raises
        ------
        GeometryError
            The images carry no patient position, or several lie at one position.
        """
        layout = self._layout
        _, rows, columns = self.shape
        spacing = self.instances[0].pixel_spacing
        assert spacing is not None
        frame = self.instances[0].text("FrameOfReferenceUID") or f"unknown:{self._uid}"
        return Geometry(
            layout.direction,
            layout.along,
            layout.row + spacing[0] * np.arange(rows),
            layout.column + spacing[1] * np.arange(columns),
            frame,
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything odd about the stack that can be said without decoding a pixel."""
        found = [*pixel_findings(self.instances)]
        with suppress(GeometryError, UnsupportedError):  # no geometry to be odd; `geometry` says why
            found += geometry_findings(self.instances, self._layout)
        return tuple(found)

    def without(self, names: Iterable[str]) -> Stack:
        """The stack without the files of these names."""
        left_out = set(names)
        return Stack(tuple(i for i in self.instances if i.file.name not in left_out))

    def __len__(self) -> int:
        return len(self.instances)

    def __repr__(self) -> str:
        slices, rows, columns = self.shape
        return f"<Stack of {slices} images, {rows} x {columns}, {plane_name(self)}>"


def plane_name(stack: Stack) -> str:
    """``"axial"``, ``"coronal"``, ``"sagittal"``, or ``"no patient position"``."""
    cosines = stack.instances[0].cosines
    try:
        return (
            "no patient position"
            if cosines is None
            else affine.plane_of(affine.direction_from_cosines(cosines)[0])
        )
    except GeometryError:
        return "broken orientation"


def group_into_stacks(instances: Sequence[Instance]) -> list[Stack]:
    """Split the images of one series where orientation, size, pixel spacing, frame of reference or kind of pixel differ.

    The largest stack comes first. Nothing is left out: images without a position form stacks of their own.
    """
    groups: list[tuple[tuple[object, ...], FloatArray | None, list[Instance]]] = []
    for instance in instances:
        spacing = instance.pixel_spacing
        key = (
            instance.integer("Rows", 0),
            instance.integer("Columns", 0),
            None if spacing is None else tuple(np.round(spacing, 6)),
            instance.text("FrameOfReferenceUID"),
            instance.integer("SamplesPerPixel", 1),
            instance.text("PhotometricInterpretation"),
            instance.frames,
            instance.position is None,
        )
        cosines = instance.cosines
        for other_key, other_cosines, members in groups:
            if key != other_key:
                continue
            if cosines is None or other_cosines is None:
                same = cosines is None and other_cosines is None
            else:
                same = bool(np.max(np.abs(cosines - other_cosines)) <= _COSINES_VARY)
            if same:
                members.append(instance)
                break
        else:
            groups.append((key, cosines, [instance]))
    stacks = [Stack(tuple(_sorted(members))) for _, _, members in groups]
    return sorted(stacks, key=len, reverse=True)


def _sorted(instances: list[Instance]) -> list[Instance]:
    first = instances[0]
    # Ties (and images without a position) fall back on labels that do not depend on the order or names of files.
    labelled = sorted(instances, key=lambda i: (i.integer("InstanceNumber", 0), i.text("SOPInstanceUID")))
    if first.cosines is None or first.position is None:
        return labelled
    normal = np.cross(first.cosines[:3], first.cosines[3:])
    return sorted(
        labelled, key=lambda i: round(float(normal @ i.position), 6) if i.position is not None else 0.0
    )
