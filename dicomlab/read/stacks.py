"""From planes to stacks: the parts of a series that make one array each, with their findings.

Slices are sorted by ``n . ImagePositionPatient`` and by nothing else: Instance Number, Slice Location and file names are
labels, not positions (PS3.3 C.7.6.2.1.1).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab import affine
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read import labels
from dicomlab.read.alike import Headers
from dicomlab.read.arrange import Arrangement, arrange
from dicomlab.read.axes import Axis, Dims
from dicomlab.read.elements import Attributes
from dicomlab.read.faults import geometry_findings, header_findings, is_localizer, pixel_findings
from dicomlab.read.flat_layout import FlatLayout, flat_key, is_flat_header, is_flat_instance, lay_out_flat
from dicomlab.read.headers import Instance
from dicomlab.read.planes import Plane, planes_of_all
from dicomlab.read.stored import StoredImage, stored_images

__all__ = ["Stack", "group_into_stacks", "plane_name"]

FloatArray = npt.NDArray[np.float64]

_COSINES_VARY = 1e-4
"""Cosines of one stack may differ by this much; what that moves is a finding."""
_KINDS_LIMIT = 8
"""Parts that a stack which is no full product is split into at most, when kinds of images are mixed in it."""


@dataclass(frozen=True, eq=False)
class Stack:
    """Planes of one series with one orientation, size and spacing: what becomes one volume.

    Parameters
    ----------
    planes
        Sorted by position along the slice normal, ascending; in the order found when they have no position.
    series_findings
        Findings of the series as a whole that concern these planes; `findings` has the others.
    """

    planes: tuple[Plane, ...]
    series_findings: tuple[Finding, ...] = field(default=(), repr=False)

    @cached_property
    def headers(self) -> Headers:
        """Headers of the planes."""
        return Headers(self.planes)

    @cached_property
    def instances(self) -> tuple[Instance, ...]:
        """The objects that hold the planes, each once."""
        return tuple({id(plane.instance): plane.instance for plane in self.planes}.values())

    @cached_property
    def images(self) -> tuple[tuple[Instance, StoredImage | DicomLabError], ...]:
        """The objects, and how the pixels of each are read, or why they cannot be."""
        return tuple(zip(self.instances, stored_images(self.instances), strict=True))

    @property
    def shape(self) -> tuple[int, ...]:
        """Number of steps of each extra axis, slices, rows, columns; of images, rows, columns where no array can be made.

        Without slices when the images have no place in the patient by their nature.
        """
        try:
            if self.flat is not None:
                return (*self.flat.shape, *self.size)
            return (*self.arrangement.shape, *self.planes[0].shape)
        except DicomLabError:
            return (len(self.planes), *self.planes[0].shape)

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns: of a slide those of all its tiles together."""
        with suppress(DicomLabError):
            if self.flat is not None and self.flat.level is not None:
                return self.flat.level.size
        return self.planes[0].shape

    @cached_property
    def flat(self) -> FlatLayout | None:
        """How images lie that have no place in the patient by their nature; None for all others.

        Raises
        ------
        UnsupportedError, FaultError
            They contradict themselves.
        """
        return lay_out_flat(self.instances) if is_flat_instance(self.instances[0]) else None

    @property
    def names(self) -> set[str]:
        """Names of the files."""
        return {instance.file.name for instance in self.instances}

    @property
    def uid(self) -> str:
        """Series Instance UID, or what comes nearest to it."""
        first = self.instances[0]
        return first.text("SeriesInstanceUID") or first.text("SOPInstanceUID") or first.file.name

    @property
    def arrangement(self) -> Arrangement:
        """The planes in the order of the array, with extra axes found.

        Raises
        ------
        GeometryError
            The planes carry no patient position.
        UnsupportedError
            Several lie at one position, and nothing separates them.
        """
        if isinstance(self._arranged, DicomLabError):
            raise self._arranged
        return self._arranged

    @cached_property
    def _arranged(self) -> Arrangement | DicomLabError:
        # Why there is none is worth as much as one, and is asked for as often.
        try:
            return arrange(self.headers)
        except DicomLabError as problem:
            return problem

    def arrange(self, dims: Dims = "auto") -> Arrangement:
        """`arrangement` with the extra axes that `dims` names."""
        return self.arrangement if isinstance(dims, str) and dims == "auto" else arrange(self.headers, dims)

    @property
    def axes(self) -> tuple[Axis, ...]:
        """Extra axes, outermost first."""
        return self.arrangement.axes

    @property
    def geometry(self) -> Geometry:
        """Positions of all voxels of the stack; raises as `arrangement`."""
        return self.geometry_of(self.arrangement)

    def geometry_of(self, arrangement: Arrangement) -> Geometry:
        """Positions of all voxels of an arrangement of this stack."""
        layout, first = arrangement.layout, arrangement.planes[0]
        rows, columns = first.shape
        spacing = first.pixel_spacing
        assert spacing is not None
        return Geometry(
            layout.direction,
            layout.along,
            layout.row + spacing[0] * np.arange(rows),
            layout.column + spacing[1] * np.arange(columns),
            first.text("FrameOfReferenceUID") or f"unknown:{self.uid}",
        )

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything odd about the stack that its headers say."""
        try:
            if self.flat is not None:
                found = (*pixel_findings(self.images), *header_findings(self.headers))
                return (*found, *self.flat.findings)
            return self._all_findings(self.arrangement)
        except DicomLabError:  # no geometry to be odd; `geometry` says why
            return (*pixel_findings(self.images), *header_findings(self.headers))

    def findings_of(self, dims: Dims) -> tuple[Finding, ...]:
        """`findings`, with those of the extra axes that `dims` names."""
        return self._all_findings(self.arrange(dims))

    def _all_findings(self, arrangement: Arrangement) -> tuple[Finding, ...]:
        return (
            *pixel_findings(self.images),
            *header_findings(self.headers),
            *arrangement.findings,
            *geometry_findings(arrangement.planes, arrangement.layout),
        )

    def without(self, names: Iterable[str]) -> Stack:
        """The stack without the files, or planes, of these names."""
        left_out = set(names)
        return Stack(
            tuple(p for p in self.planes if p.instance.file.name not in left_out and p.name not in left_out)
        )

    def first_of_each_instance(self) -> Stack:
        """The stack without files whose SOP Instance UID (0008,0018) another has already."""
        first: dict[str, Instance] = {}
        for instance in self.instances:
            first.setdefault(instance.text("SOPInstanceUID"), instance)
        taken = {id(instance) for instance in first.values()}
        return Stack(tuple(plane for plane in self.planes if id(plane.instance) in taken))

    @property
    def is_placed(self) -> bool:
        """Whether its planes have a place in the patient."""
        return all(plane.position is not None and plane.cosines is not None for plane in self.planes)

    def __len__(self) -> int:
        return len(self.planes)

    def __repr__(self) -> str:
        rows, columns = self.size
        extra = ""
        with suppress(DicomLabError):
            if self.flat is not None:
                extra = "".join(
                    f", {n} x {dim}" for n, dim in zip(self.flat.shape, self.flat.dims, strict=True)
                )
            else:
                extra = "".join(f", {axis.values.size} x {axis.name}" for axis in self.axes)
        return f"<Stack of {len(self.planes)} images, {rows} x {columns}, {plane_name(self)}{extra}>"


def plane_name(stack: Stack) -> str:
    """``"axial"``, ``"coronal"``, ``"sagittal"``, or ``"no patient position"``.

    Of images that have none by their nature: the name of their `dicomlab.flat.ImagePlane`.
    """
    with suppress(DicomLabError):
        if stack.flat is not None:
            return " ".join(filter(None, (stack.flat.plane.name, stack.flat.attrs.get("slide_image"))))
    first = stack.planes[0]
    cosines = first.cosines
    try:
        return (
            "no patient position"
            if cosines is None or first.position is None
            else affine.plane_of(affine.direction_from_cosines(cosines)[0])
        )
    except GeometryError:
        return "broken orientation"


def group_into_stacks(instances: Sequence[Instance]) -> list[Stack]:
    """Split the planes of one series where orientation, size, pixel spacing, frame of reference or kind of pixel differ.

    The largest stack comes first. Nothing is left out: images without a position form stacks of their own.
    """
    objects = Headers(instances)
    flat = {
        id(instance): flat_key(instance)
        for instance, flat in zip(instances, objects.each(is_flat_header), strict=True)
        if flat
    }
    headers = planes_of_all(objects)
    planes = cast(Sequence[Plane], headers.members)
    # By key: the directions met so far, and the planes of each.
    groups: dict[tuple[object, ...], list[tuple[FloatArray | None, list[Plane]]]] = {}
    for plane, key in zip(planes, _keys(headers), strict=True):
        cosines = plane.cosines
        if id(plane.instance) in flat:
            key, cosines = ("flat", flat[id(plane.instance)]), None
        directions = groups.setdefault(key, [])
        for other, members in directions:
            if cosines is other or _same_direction(cosines, other):
                members.append(plane)
                break
        else:
            directions.append((cosines, [plane]))
    stacks = [
        stack
        for directions in groups.values()
        for _, members in directions
        for stack in _disentangled(Stack(tuple(_sorted(members, headers))))
    ]
    return sorted(stacks, key=len, reverse=True)


def _same_direction(one: FloatArray | None, other: FloatArray | None) -> bool:
    if one is None or other is None:
        return one is None and other is None
    return one is other or bool(np.max(np.abs(one - other)) <= _COSINES_VARY)


def _keys(headers: Headers) -> Iterator[tuple[object, ...]]:
    """What planes of one stack share."""
    for plane, said in zip(cast(Sequence[Plane], headers.members), headers.each(_kind), strict=True):
        placed = plane.position is not None
        given = plane.given_spacing
        yield (
            said,
            plane.size,
            None if given is None else tuple(np.round(given, 6)),
            placed,
            # A cine without positions shares nothing with the next one.
            None if placed or plane.instance.frames == 1 else id(plane.instance),
        )


def _kind(header: Attributes) -> tuple[object, ...]:
    spacing, top = header.numbers("PixelSpacing"), header.top
    sound = spacing is not None and spacing.size == 2 and bool(np.all(spacing > 0))
    photometric = top.text("PhotometricInterpretation")
    return (
        top.integer("Rows", 0),
        top.integer("Columns", 0),
        tuple(np.round(spacing, 6)) if spacing is not None and sound else None,
        header.text("FrameOfReferenceUID"),
        header.text("StackID"),
        is_localizer(header),
        top.integer("SamplesPerPixel", 1),
        "MONOCHROME" if photometric.startswith("MONOCHROME") else photometric,
    )


def _disentangled(stack: Stack) -> list[Stack]:
    """The stack, or its parts when images of several kinds are mixed in it, each of which makes an array of its own.

    Two cases: kinds at the same positions that are no full product (diffusion images and the maps made of them), and kinds
    that interleave (two time points with the couch between the positions), which would pass for one fine stack.
    """
    if not stack.is_placed or len(stack) == 1:
        return [stack]
    try:
        arrangement = stack.arrangement
    except GeometryError:
        return [stack]
    except DicomLabError:
        arrangement = None
    complete = arrangement is not None and all(f.code != "incomplete_steps" for f in arrangement.findings)
    if arrangement is not None and complete:
        if arrangement.axes:
            return [stack]
        return next(filter(None, (_interleaved(stack, label) for label in _SETTINGS)), [stack])
    for kind in _KINDS:
        parts = _parted(stack, kind)
        if 1 < len(parts) <= _KINDS_LIMIT and all(_is_clean(part) for part in parts):
            return parts
    return [stack]


Kind: TypeAlias = Callable[[Attributes], Hashable]

_KINDS: tuple[Kind, ...] = (
    lambda plane: (labels.component(plane), labels.dixon(plane)),
    lambda plane: plane.text("FrameType") or plane.text("ImageType"),
    lambda plane: (plane.text("FrameType") or plane.text("ImageType"), labels.component(plane)),
    lambda plane: plane.text("AcquisitionNumber"),
)
_SETTINGS: tuple[Kind, ...] = (
    labels.component,
    labels.dixon,
    labels.temporal_position,
    lambda plane: plane.number("EffectiveEchoTime") or plane.number("EchoTime"),
)


def _parted(stack: Stack, label: Kind) -> list[Stack]:
    parts: dict[Hashable, list[Plane]] = {}
    for plane, kind in zip(stack.planes, stack.headers.each(label), strict=True):
        parts.setdefault(kind, []).append(plane)
    return [Stack(tuple(members)) for members in parts.values()]


_UNCLEAN = {
    "incomplete_steps",
    "doubled_slice_differs",
    "order_from_instance_number",
    "order_uncertain",
    "missing_slice",
    "uneven_spacing",
}


def _is_clean(stack: Stack) -> bool:
    """Whether a part is a volume of its own, rather than the rest of a volume that lacks images."""
    try:
        return _UNCLEAN.isdisjoint(finding.code for finding in (*stack.arrangement.findings, *stack.findings))
    except DicomLabError:
        return False


def _interleaved(stack: Stack, label: Kind) -> list[Stack]:
    """Parts by `label` when their slices lie between one another; else nothing."""
    parts = _parted(stack, label)
    if not 1 < len(parts) <= len(stack) / 2 or min(map(len, parts)) < 2:
        return []
    normal = stack.geometry.direction[:, 0]
    spans = sorted(
        (min(heights), max(heights))
        for heights in (
            [float(p.position @ normal) for p in part.planes if p.position is not None] for part in parts
        )
    )
    overlap = any(low < before for (_, before), (low, _) in itertools.pairwise(spans))
    return parts if overlap and all(_is_clean(part) for part in parts) else []


def _sorted(planes: list[Plane], known: Headers) -> list[Plane]:
    # Mostly all planes of a series.
    headers = known if len(planes) == len(known.members) else Headers(planes)
    # Ties (and images without a position) fall back on labels that do not depend on the order or names of files.
    labels = list(
        zip(
            headers.integers("InstanceNumber", 0),
            headers.texts("SOPInstanceUID"),
            (plane.frame for plane in planes),
            strict=True,
        )
    )
    order = sorted(range(len(planes)), key=labels.__getitem__)
    cosines = planes[0].cosines
    if cosines is not None and planes[0].position is not None:
        normal = np.cross(cosines[:3], cosines[3:])
        nowhere = np.zeros(3)
        positions = np.array([nowhere if p.position is None else p.position for p in planes])
        heights = np.round(positions @ normal, 6).tolist()
        order.sort(key=heights.__getitem__)
    return [planes[k] for k in order]
