"""From the planes of a stack to their order in the array: positions, extra axes, and doubled or missing images."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.findings import Finding
from dicomlab.read.alike import Headers
from dicomlab.read.axes import Axis, Dims, IncompleteError, find_axes
from dicomlab.read.images import stored_image
from dicomlab.read.layout import Layout, lay_out
from dicomlab.read.meanings import AUTO, plane_numbers, sequence_keys
from dicomlab.read.modality import modality_transform
from dicomlab.read.planes import Plane

__all__ = ["Arrangement", "arrange"]


@dataclass(frozen=True, eq=False)
class Arrangement:
    """Planes in the order of the array.

    Parameters
    ----------
    planes
        C order of ``(*axes, slice)``.
    axes
        Extra dimensions, outermost first.
    layout
        Of these planes.
    findings
        What was done to get there: doubled images or incomplete steps that are not among `planes`.
    """

    planes: tuple[Plane, ...]
    axes: tuple[Axis, ...]
    layout: Layout
    findings: tuple[Finding, ...] = ()

    @cached_property
    def headers(self) -> Headers:
        """Headers of the planes."""
        return Headers(self.planes)

    @property
    def shape(self) -> tuple[int, ...]:
        """Steps of the extra axes, then slices."""
        return (*(axis.values.size for axis in self.axes), self.layout.along.size)


def arrange(headers: Headers, dims: Dims = "auto") -> Arrangement:
    """The one order in which these planes make an array.

    Raises
    ------
    GeometryError
        A plane has no position.
    UnsupportedError
        Several images lie at one position and nothing separates them in the same way everywhere.
    """
    planes = cast(Sequence[Plane], headers.members)
    layout = lay_out(planes)
    try:
        return _ordered(headers, layout, dims)
    except IncompleteError as problem:
        reason = problem
    if layout.along.size == len(planes):  # one image a position: `dims` names what is not there
        raise DicomLabError(str(reason))
    rest, findings = _without_copies(planes, layout.place)
    if findings:
        layout = lay_out(rest)
        try:
            return _ordered(Headers(rest), layout, dims, findings)
        except IncompleteError as problem:
            reason = problem
    counts = Counter(layout.place.tolist())
    crowded = [place for place, count in counts.items() if count > 1]
    if 2 * len(crowded) < len(counts):
        rest, finding = _without_rivals(rest, layout.place)
        return _ordered(Headers(rest), lay_out(rest), dims, [*findings, finding])
    if reason.complete:
        left_out = sorted(set(range(len(rest))) - set(reason.complete))
        finding = Finding(
            "incomplete_steps",
            str(reason),
            _names([rest[k] for k in left_out]),
            float(reason.missing),
            "images",
        )
        rest = [rest[k] for k in reason.complete]
        try:
            return _ordered(Headers(rest), lay_out(rest), dims, [*findings, finding])
        except IncompleteError:
            pass  # what is missing explains more than why the rest is no product either
    raise UnsupportedError(str(reason))


def _ordered(headers: Headers, layout: Layout, dims: Dims, findings: Sequence[Finding] = ()) -> Arrangement:
    planes = cast(Sequence[Plane], headers.members)
    axes, steps = find_axes(headers, layout.place, dims)
    order = np.lexsort([layout.place, *reversed(steps)])
    shape = (*(axis.values.size for axis in axes), layout.along.size)
    if len(planes) != np.prod(shape):
        # find_axes forbids it
        raise DicomLabError(f"{len(planes)} images found for a volume of {shape} planes")
    headers = headers.taken(order.tolist())
    ordered = cast(tuple[Plane, ...], tuple(headers.members))
    found = list(findings)
    for number, axis in enumerate(axes):
        if axis.name == "repetition":
            numbers = np.array(plane_numbers(headers)).reshape(shape)
            found.append(_numbered(np.moveaxis(numbers, number, 0).reshape(shape[number], -1), ordered))
    # The layout of the same planes in the order of the array.
    layout = replace(layout, place=layout.place[order], wander=layout.wander[order])
    arrangement = Arrangement(ordered, tuple(axes), layout, tuple(found))
    arrangement.__dict__["headers"] = headers
    return arrangement


def _numbered(numbers: npt.NDArray[np.int64], planes: Sequence[Plane]) -> Finding:
    """What it is worth that only numbers order the repetitions; `numbers` has shape ``(repetitions, the rest)``."""
    what = (
        f"{len(numbers)} images lie at each position and only Instance Number (0020,0013), or the order of frames, "
        "orders them"
    )
    if bool(np.all(numbers[:-1].max(axis=1) < numbers[1:].min(axis=1))):
        return Finding("order_from_instance_number", what, _names(planes)[:1], float(len(numbers)), "images")
    # Numbers that run through all images of a slice may run the other way in the next one, and nobody could tell.
    return Finding(
        "order_uncertain",
        f"{what}; they do not number one whole volume after the other, so which images belong together is a guess",
        _names(planes)[:1],
        float(len(numbers)),
        "images",
    )


def _crowds(planes: Sequence[Plane], place: npt.NDArray[np.intp]) -> list[list[int]]:
    order = np.argsort(place, kind="stable")
    crowds = np.split(order, np.flatnonzero(np.diff(place[order])) + 1)
    keys = sequence_keys(Headers(planes))
    return [sorted(crowd.tolist(), key=keys.__getitem__) for crowd in crowds]


def _without_copies(
    planes: Sequence[Plane], place: npt.NDArray[np.intp]
) -> tuple[list[Plane], list[Finding]]:
    """The planes without those that repeat another at the same position, with the same attributes, pixels and values."""
    headers = Headers(planes)
    said = list(zip(*(meaning.labels(headers) for meaning in AUTO[:-1]), strict=True))
    alike: dict[tuple[Hashable, ...], list[int]] = {}
    for crowd in _crowds(planes, place):
        for k in crowd:
            # Images that say to be of different moments are no copies, though both may show nothing but air; and pixels are
            # read, for a mere listing too, only where they alone can tell.
            alike.setdefault((int(place[k]), *said[k]), []).append(k)
    copies: set[int] = set()
    for members in alike.values():
        known: set[Hashable] = set()
        for k in members if len(members) > 1 else ():
            values = _values(planes[k])
            if values in known:
                copies.add(k)
            elif values is not None:
                known.add(values)
    if not copies:
        return list(planes), []
    finding = Finding(
        "doubled_slice",
        f"{len(copies)} image(s) repeat another at the same position, pixel by pixel",
        _names([planes[k] for k in sorted(copies)]),
        float(len(copies)),
        "images",
    )
    return [plane for k, plane in enumerate(planes) if k not in copies], [finding]


def _values(plane: Plane) -> Hashable:
    """What is equal for planes of equal values; None where they cannot be told without a look-up table, or at all."""
    try:
        transform = modality_transform(plane)
        stored = plane.cut(stored_image(plane.instance).read(plane.frame))
    except (DicomLabError, OSError):
        return None
    if transform.lut is not None:
        return None
    plain = stored.astype(np.float64 if stored.dtype.kind == "f" else np.int64)
    return transform.formula, plain.shape, hashlib.sha256(plain.tobytes()).digest()


def _without_rivals(planes: Sequence[Plane], place: npt.NDArray[np.intp]) -> tuple[list[Plane], Finding]:
    """Of several different images at one position the first by order of acquisition."""
    crowds = _crowds(planes, place)
    rivals = [k for crowd in crowds for k in crowd[1:]]
    crowded = [crowd for crowd in crowds if len(crowd) > 1]
    finding = Finding(
        "doubled_slice_differs",
        f"{len(crowded)} position(s) hold several images that differ, for instance "
        + " and ".join(planes[k].name for k in crowded[0][:3]),
        _names([planes[k] for crowd in crowded for k in crowd]),
        float(len(crowded)),
        "positions",
    )
    left_out = set(rivals)
    return [plane for k, plane in enumerate(planes) if k not in left_out], finding


def _names(planes: Sequence[Plane]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(plane.name for plane in planes))
