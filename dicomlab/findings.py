"""Findings: what was odd about a series, where, by how much, and what was done about it.

Every fault has a code. A fault that is represented exactly, or that changes no voxel, only warns; one that would misplace or
misvalue a voxel raises, unless the user chooses otherwise with ``on_fault``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dicomlab.errors import DicomLabError

__all__ = ["CODES", "Finding", "OnFault", "check_choices", "choose"]

Choice: TypeAlias = Literal["raise", "keep"]
OnFault: TypeAlias = Choice | Mapping[str, Choice] | None


@dataclass(frozen=True)
class Code:
    """One kind of fault: what happens by default, and what ``"keep"`` means for it."""

    default: Choice
    keep: str


CODES: dict[str, Code] = {
    "gantry_tilt": Code(
        "keep", "the slice axis is sheared in `direction`: every voxel is at its true position"
    ),
    "missing_slice": Code("keep", "the slices that are there keep their true positions"),
    "uneven_spacing": Code("keep", "every slice keeps its true position"),
    "cosines_mended": Code("keep", "all slices take the nearest orthonormal direction"),
    "spacing_contradicts_positions": Code("keep", "positions decide, spacing tags do not"),
    "frame_of_reference_missing": Code("keep", "the volume shares its frame with no other"),
    "rescale_missing": Code("keep", "the stored values are taken as they are"),
    "rescale_inconsistent": Code("raise", "images without a rescale keep their stored values"),
    "excess_pixel_data": Code("keep", "bytes after the last pixel are ignored"),
    "rounded_positions": Code(
        "keep", "slices are placed on the straight line through the first and the last"
    ),
    "wandering_origin": Code(
        "raise", "slices are placed on the straight line through the first and the last"
    ),
    "truncated_pixel_data": Code("raise", "the slice is left out, the others keep their true positions"),
    "missing_pixel_data": Code("raise", "the slice is left out, the others keep their true positions"),
    "missing_tiles": Code("keep", "pixels of absent tiles are white in colour, 0 in grey"),
    "same_instance_differs": Code("raise", "both files are kept as they are"),
}
"""Every code, in the order in which they are reported."""


@dataclass(frozen=True)
class Finding:
    """One deviation of a series from the ideal.

    Parameters
    ----------
    code
        A key of `CODES`.
    message
        What was found, in one sentence with figures.
    files
        Names of the offending files.
    size, unit
        How large the deviation is, in `unit` (``"mm"``, ``"bytes"``, ``"slices"`` …).
    """

    code: str
    message: str
    files: tuple[str, ...] = ()
    size: float | None = None
    unit: str = ""

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def default(self) -> Choice:
        """What loading does unless told otherwise: ``"raise"`` or ``"keep"``."""
        return CODES[self.code].default

    def explain(self, *, kept: bool = False) -> str:
        """The finding, its first files, and what keeping it means (or meant, when it was `kept`)."""
        shown = ", ".join(self.files[:3]) + (
            f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""
        )
        where = f" (in {shown})" if shown else ""
        means = CODES[self.code].keep
        return f"{self}{where}. " + (f"As loaded, {means}." if kept else f"With on_fault='keep', {means}.")


def check_choices(on_fault: object) -> None:
    """Refuse what `on_fault` cannot mean, before anything is read.

    Raises
    ------
    DicomLabError
        `on_fault` names an unknown code or an unknown choice.
    """
    if on_fault is None:
        return
    if isinstance(on_fault, Mapping):
        unknown = sorted(str(code) for code in set(on_fault) - set(CODES))
        if unknown:
            raise DicomLabError(f"on_fault names {', '.join(unknown)}; the codes are {', '.join(CODES)}")
    for choice in on_fault.values() if isinstance(on_fault, Mapping) else [on_fault]:
        if choice not in get_args(Choice):
            raise DicomLabError(
                f"on_fault={choice!r} is not a choice; use 'raise' or 'keep', or a mapping of codes to them"
            )


def choose(on_fault: OnFault, finding: Finding) -> Choice:
    """What the user wants done about `finding`; `on_fault` passed `check_choices`."""
    if on_fault is None:
        return finding.default
    return on_fault.get(finding.code, finding.default) if isinstance(on_fault, Mapping) else on_fault
