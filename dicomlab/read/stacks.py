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
from pydicom.uid import DeflatedExplicitVRLittleEndian

from dicomlab import affine
from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.headers import Instance
from dicomlab.read.pixels import expected_bytes

__all__ = ["Stack", "group_into_stacks"]

FloatArray = npt.NDArray[np.float64]

_SAME_POSITION = 0.01
"""Planes nearer to one another than this (mm, along the normal) are at one position."""
_TURN_NOTED = 0.01
"""How far (mm) one mended direction for all slices may move the far corner of a slice without a finding."""
_WANDER_NOTED = 0.01
"""In-plane deviation (mm) of a slice from the straight line through the outer slices that is worth a finding."""
_WANDER_ROUNDING = 0.1
"""Up to here (mm, and a quarter of a pixel) it is taken for rounding: some devices write tenths of a millimetre."""
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
    def _layout(self) -> _Layout:
        return _lay_out(self.instances)

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
        found = [*_pixel_findings(self.instances)]
        with suppress(GeometryError, UnsupportedError):  # no geometry to be odd; `geometry` says why
            found += _geometry_findings(self.instances, self._layout)
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


@dataclass(frozen=True, eq=False)
class _Layout:
    """Where the slices of a stack lie: direction, positions, and what did not fit."""

    direction: FloatArray
    along: FloatArray
    row: float
    column: float
    wander: FloatArray
    turn: float


def _lay_out(instances: Sequence[Instance]) -> _Layout:
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
    if along.size > 1 and float(np.max(np.abs(wander))) > _WANDER_NOTED / 2:
        # The outer slices say where the stack goes. A drift from one to the other is a sheared slice axis (gantry tilt),
        # and exact as such.
        shear = (in_plane[-1] - in_plane[0]) / (along[-1] - along[0])
        straight = in_plane[0] - along[0] * shear
        wander = in_plane - straight - along[:, None] * shear
        direction = direction.copy()
        direction[:, 0] += direction[:, 1] * shear[0] + direction[:, 2] * shear[1]
    off_line = np.linalg.norm(wander, axis=1)
    return _Layout(direction, along, float(straight[0]), float(straight[1]), off_line, turn)


def _corner_moved(instance: Instance, direction: FloatArray) -> float:
    """How far (mm) the far corner of a slice lies from where its own cosines put it (PS3.3 equation C.7.6.2.1-1)."""
    assert instance.cosines is not None
    assert instance.pixel_spacing is not None
    along_row = (instance.integer("Columns", 1) - 1) * instance.pixel_spacing[1]
    down_column = (instance.integer("Rows", 1) - 1) * instance.pixel_spacing[0]
    off = (instance.cosines[:3] - direction[:, 2]) * along_row + (
        instance.cosines[3:] - direction[:, 1]
    ) * down_column
    return float(np.linalg.norm(off))


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


def _geometry_findings(instances: Sequence[Instance], layout: _Layout) -> Iterable[Finding]:
    names = tuple(i.file.name for i in instances)
    if layout.turn > _TURN_NOTED:
        yield Finding(
            "cosines_mended",
            "the direction cosines differ between slices or are no perpendicular unit vectors; one mended direction for all "
            f"moves a far corner by up to {layout.turn:.3f} mm",
            names,
            layout.turn,
            "mm",
        )
    if not instances[0].text("FrameOfReferenceUID"):
        yield Finding(
            "frame_of_reference_missing",
            "Frame of Reference UID (0020,0052) is absent; nothing says which other images share this patient frame",
            names,
        )
    geometry = Geometry(layout.direction, layout.along, np.zeros(1), np.zeros(1), "")
    if geometry.tilt > 0.1:
        yield Finding(
            "gantry_tilt",
            f"the slice axis is tilted by {geometry.tilt:.2f} degrees",
            names,
            geometry.tilt,
            "degrees",
        )
    yield from _spacing_findings(instances, layout.along)
    worst = float(layout.wander.max())
    if worst > _WANDER_NOTED:
        offending = tuple(names[k] for k in np.flatnonzero(layout.wander > _WANDER_NOTED))
        spacing = instances[0].pixel_spacing
        rounding = worst <= min(
            _WANDER_ROUNDING, _WANDER_ROUNDING if spacing is None else float(spacing.min()) / 4
        )
        yield Finding(
            "rounded_positions" if rounding else "wandering_origin",
            f"{len(offending)} of {len(names)} slices lie up to {worst:.3f} mm beside the straight line through the outer ones",
            offending,
            worst,
            "mm",
        )


def _spacing_findings(instances: Sequence[Instance], along: FloatArray) -> Iterable[Finding]:
    if along.size < 2:
        return
    gaps = np.diff(along)
    step = float(np.median(gaps))
    even = np.linspace(along[0], along[-1], along.size)
    off = float(np.max(np.abs(along - even)))
    if off > max(0.01, 0.01 * float(np.mean(gaps))):
        step = float(np.min(gaps))
        multiples = np.round(gaps / step)
        wide = np.flatnonzero(multiples > 1)
        beside = tuple(instances[k].file.name for gap in wide for k in (int(gap), int(gap) + 1))
        if wide.size and bool(np.all(np.abs(gaps - multiples * step) <= 0.02 * step)):
            missing = int(np.sum(multiples[wide] - 1))
            where = ", ".join(f"{along[k]:.2f} and {along[k + 1]:.2f}" for k in wide[:3])
            yield Finding(
                "missing_slice",
                f"{missing} slice(s) of step {step:.3f} mm are missing, between {where} mm along the slice axis"
                + (" and elsewhere" if wide.size > 3 else ""),
                beside,
                float(missing),
                "slices",
            )
        else:
            widest = int(np.argmax(gaps))
            yield Finding(
                "uneven_spacing",
                f"slices are {gaps.min():.3f} to {gaps.max():.3f} mm apart, up to {off:.3f} mm from an even grid",
                tuple(instances[int(k)].file.name for k in (widest, widest + 1)),
                off,
                "mm",
            )
        step = float(np.median(gaps))
    stated = instances[0].number("SpacingBetweenSlices")
    if stated is not None and abs(abs(stated) - step) > max(0.01, 0.01 * step):
        yield Finding(
            "spacing_contradicts_positions",
            f"Spacing Between Slices (0018,0088) says {stated:g} mm, the positions say {step:.4g} mm",
            (instances[0].file.name,),
            abs(abs(stated) - step),
            "mm",
        )


def _pixel_findings(instances: Sequence[Instance]) -> Iterable[Finding]:
    missing = tuple(
        i.file.name
        for i in instances
        if i.pixels is None and i.transfer_syntax != DeflatedExplicitVRLittleEndian
    )
    if missing:
        yield Finding(
            "missing_pixel_data",
            f"{len(missing)} of {len(instances)} files hold no pixel data",
            missing,
            float(len(missing)),
            "slices",
        )
    short, worst, excess = [], 0, []
    for instance in instances:
        span = instance.pixels
        if span is None or span.length is None or instance.frames > 1:
            continue
        needed = expected_bytes(instance) * instance.integer("SamplesPerPixel", 1)
        lacking = needed - min(span.length, span.available)
        if lacking > 0:
            short.append(instance.file.name)
            worst = max(worst, lacking)
        elif span.length > needed + 1:  # one byte pads an odd length
            excess.append(instance.file.name)
    if short:
        yield Finding(
            "truncated_pixel_data",
            f"{len(short)} of {len(instances)} files break off up to {worst} bytes before the end of their image",
            tuple(short),
            float(worst),
            "bytes",
        )
    if excess:
        yield Finding(
            "excess_pixel_data",
            f"{len(excess)} of {len(instances)} files hold more pixel data than Rows x Columns need",
            tuple(excess),
        )
