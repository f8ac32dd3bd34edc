"""From instances to stacks: what belongs together, and what only lies together."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.read import labels
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes
from dicomlab.read.faults import is_localizer
from dicomlab.read.flat_layout import flat_key, is_flat_header
from dicomlab.read.headers import Instance
from dicomlab.read.planes import Plane, planes_of_all
from dicomlab.read.stacks import Stack

__all__ = ["group_into_stacks"]

FloatArray = npt.NDArray[np.float64]

_COSINES_VARY = 1e-4
"""Cosines of one stack may differ by this much; what that moves is a finding."""
_KINDS_LIMIT = 8
"""Parts that a stack which is no full product is split into at most, when kinds of images are mixed in it."""


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
