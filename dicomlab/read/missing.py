"""What is missing where the images at the positions of a stack form no full product of steps, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.meanings import Meaning
from dicomlab.read.planes import Plane

__all__ = ["IncompleteError", "Steps", "Tried", "failure", "nearly_shared", "shown"]

Steps: TypeAlias = npt.NDArray[np.intp]
Tried: TypeAlias = "list[tuple[Meaning, list[Hashable]]]"


class IncompleteError(DicomLabError):
    """The images at the positions of a stack form no full product.

    Parameters
    ----------
    message
        What is missing.
    complete
        Indices of the images that do form one when the incomplete steps are left out; empty when nothing is left.
    missing
        How many images are missing, and for which step, in words.
    """

    def __init__(self, message: str, complete: Sequence[int] = (), missing: int = 0) -> None:
        super().__init__(message)
        self.complete = tuple(complete)
        self.missing = missing


def failure(planes: Sequence[Plane], members: Sequence[Steps], tried: Tried) -> IncompleteError:
    """Why the planes form no full product, with the product that is left without the incomplete steps."""
    for meaning, labels in tried:
        told = _missing_steps(meaning, labels, members)
        if told is not None:
            return told
    told = _missing_combinations(tried, members)
    if told is not None:
        return told
    sizes = Counter(len(cell) for cell in members)
    counts = " or ".join(str(size) for size in sorted(sizes))
    crowded = max(members, key=len)
    names = ", ".join(planes[k].name for k in crowded[:3])
    differing = _differing([planes[k] for k in crowded])
    return IncompleteError(
        f"{counts} images lie at each position (for instance {names}) and nothing that dicomlab knows separates them "
        f"everywhere in the same way. Attributes that differ between them: {', '.join(differing) or 'none'}. Name what "
        'separates them, for instance dims=["AcquisitionNumber"], or pass the files you mean.'
    )


def _missing_steps(
    meaning: Meaning, labels: Sequence[Hashable], members: Sequence[Steps]
) -> IncompleteError | None:
    seen = [Counter(labels[k] for k in cell) for cell in members]
    if all(len(counts) == 1 for counts in seen):
        return None
    union: Counter[Hashable] = Counter()
    for counts in seen:
        union |= counts
    if not meaning.takes_rest:
        union = Counter(dict.fromkeys(union, 1))
    lacking: Counter[Hashable] = Counter()
    for counts in seen:
        lacking += union - counts
    broken = set(lacking)
    missing = sum(lacking.values())
    # An attribute that wanders over the slices (a time, a number) has few labels in common: it explains nothing.
    if not broken or missing > 0.5 * len(labels) or len(broken) == len(union):
        return None
    # Moments count from the first: a date is nobody's business, and its seconds tell nothing.
    moments = [x for x in union if isinstance(x, float) and meaning.by_rank and meaning.name == "time"]
    first = min(moments, default=0.0)
    worst = [(label - first if isinstance(label, float) else label, n) for label, n in lacking.most_common(3)]
    steps = ", ".join(f"{n} image(s) of {meaning.counts} {shown(label)}" for label, n in worst)
    more = f" and of {len(lacking) - 3} more" if len(lacking) > 3 else ""
    complete = [k for k, label in enumerate(labels) if label not in broken]
    return IncompleteError(
        f"{len(union)} steps of {meaning.counts} ({meaning.source}) at {len(members)} positions would be a full product, "
        f"but {missing} of the images are missing: {steps}{more}",
        complete,
        missing,
    )


def _missing_combinations(tried: Tried, members: Sequence[Steps]) -> IncompleteError | None:
    """As `_missing_steps`, where images miss of the product of several axes (echo times of time points)."""
    known = [
        (meaning, labels)
        for meaning, labels in tried
        if meaning.says_outright and any(len({labels[k] for k in cell}) > 1 for cell in members)
    ]
    combined = list(zip(*(labels for _, labels in known), strict=True))
    if len(known) < 2 or any(len({combined[k] for k in cell}) < len(cell) for cell in members):
        return None
    if not nearly_shared(combined, members):
        return None
    wanted = set(combined)
    lacking = [c for cell in members for c in wanted - {combined[k] for k in cell}]
    # The step to leave out is one along a single axis, the axis that loses fewest images.
    left = [
        [k for k, c in enumerate(combined) if c[axis] not in {gap[axis] for gap in lacking}]
        for axis in range(len(known))
    ]
    lost = ", ".join(f"{m.name} {shown(label)}" for (m, _), label in zip(known, lacking[0], strict=True))
    names = " and ".join(meaning.name for meaning, _ in known)
    return IncompleteError(
        f"{len(wanted)} combinations of {names} at {len(members)} positions would be a full product, but {len(lacking)} of "
        f"the images are missing, for instance that of {lost}",
        max(left, key=len),
        len(lacking),
    )


def nearly_shared(labels: Sequence[Hashable], members: Sequence[Steps]) -> bool:
    """Whether the positions hold mostly, but not quite, the same labels; a time of its own for each slice is no such thing."""
    seen = [Counter(labels[k] for k in cell) for cell in members]
    if all(len(counts) == 1 for counts in seen):
        return False
    union: Counter[Hashable] = Counter()
    for counts in seen:
        union |= counts
    lacking = sum((union - counts).total() for counts in seen)
    return 0 < lacking <= 0.5 * len(labels)


_SEPARATORS = [
    "ImageType",
    "AcquisitionNumber",
    "AcquisitionTime",
    "ContentTime",
    "SeriesTime",
    "InstanceNumber",
    "TemporalPositionIdentifier",
    "EchoTime",
    "EchoNumbers",
    "TriggerTime",
    "ConvolutionKernel",
    "KVP",
    "ImageComments",
]


def _differing(planes: Sequence[Plane]) -> list[str]:
    return [keyword for keyword in _SEPARATORS if len({plane.text(keyword) for plane in planes}) > 1]


def shown(value: object) -> str:
    """A label as a message shows it."""
    if isinstance(value, tuple):
        return shown(value[0])
    if isinstance(value, float | np.floating):
        return f"{float(value):g}"
    return "unknown" if value is None else str(value)
