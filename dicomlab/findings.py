"""Findings: what was odd about a series, where, by how much, and what was done about it.

Every fault has a code. A fault that is represented exactly, or that changes no voxel, only warns; one that would misplace or
misvalue a voxel raises, unless the user chooses otherwise with ``on_fault``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from dicomlab.errors import DicomLabError

__all__ = ["CODES", "Choice", "Finding", "OnFault", "check_choices", "choose"]

Choice: TypeAlias = Literal["raise", "keep", "repair"]
OnFault: TypeAlias = Choice | Mapping[str, Choice] | None


@dataclass(frozen=True)
class Code:
    """One kind of fault: what happens by default, and what ``"keep"`` and ``"repair"`` mean for it; None: not offered."""

    default: Choice
    keep: str | None = None
    repair: str | None = None

    @property
    def choices(self) -> tuple[Choice, ...]:
        """What the user can choose."""
        offered = (("raise", ""), ("keep", self.keep), ("repair", self.repair))
        return tuple(name for name, meaning in offered if meaning is not None)  # type: ignore[misc]


_LEFT_OUT = "these images are left out, the others keep their true positions"
_STRAIGHT = "slices are placed on the straight line through the first and the last"
_LARGEST = "the largest stack is loaded, the others stay stacks of their own"

CODES: dict[str, Code] = {
    "gantry_tilt": Code(
        "keep",
        "the slice axis is sheared in `direction`: every voxel is at its true position",
        "`rectify()` interpolates onto an upright grid",
    ),
    "missing_slice": Code(
        "keep",
        "the slices that are there keep their true positions",
        "`regularize()` interpolates onto an even grid",
    ),
    "uneven_spacing": Code(
        "keep", "every slice keeps its true position", "`regularize()` interpolates onto an even grid"
    ),
    "cosines_mended": Code("keep", "all slices take the nearest orthonormal direction"),
    "spacing_contradicts_positions": Code("keep", "positions decide, spacing tags do not"),
    "frame_of_reference_missing": Code("keep", "the volume shares its frame with no other"),
    "position_missing": Code("raise", "the image stands alone, without a place in the patient"),
    "rounded_positions": Code("keep", _STRAIGHT),
    "wandering_origin": Code("raise", _STRAIGHT),
    "decimal_comma": Code("raise", None, "the comma is read as the decimal point"),
    "doubled_slice": Code("repair", None, "one of the equal images is taken"),
    "doubled_slice_differs": Code(
        "raise", None, "the image acquired first is taken, the others are left out"
    ),
    "incomplete_steps": Code("raise", None, "the steps that lack images are left out"),
    "order_from_instance_number": Code(
        "keep", "the images at each position are in the order of their numbers"
    ),
    "order_uncertain": Code("raise", "the images at each position are in the order of their numbers"),
    "localizer_inside": Code("raise", None, _LARGEST),
    "mixed_frame_of_reference": Code("raise", None, _LARGEST),
    "mixed_pixel_representation": Code("keep", "each image is read by its own Pixel Representation"),
    "mixed_photometric_interpretation": Code(
        "keep", "values are taken as they are; the picture may be inverted for some slices"
    ),
    "rescale_missing": Code("keep", "the stored values are taken as they are"),
    "rescale_inconsistent": Code(
        "raise", "images without a rescale keep their stored values, and the volume has no unit"
    ),
    "rescale_unusable": Code("raise", "these images keep their stored values, and the volume has no unit"),
    "presentation_differs": Code("keep", "its windows are not offered; those of the images are"),
    "excess_pixel_data": Code("keep", "bytes after the last pixel are ignored"),
    "truncated_pixel_data": Code("raise", _LEFT_OUT, _LEFT_OUT),
    "missing_pixel_data": Code("raise", _LEFT_OUT, _LEFT_OUT),
    "undecodable_pixel_data": Code("raise", _LEFT_OUT, _LEFT_OUT),
    "missing_tiles": Code("keep", "pixels of absent tiles are white in colour, 0 in grey"),
    "same_instance_differs": Code(
        "raise", "both files are kept as they are", "the first file of each instance is taken"
    ),
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
        """What loading does unless told otherwise: ``"raise"``, ``"keep"`` or ``"repair"``."""
        return CODES[self.code].default

    def explain(self, done: Choice | None = None) -> str:
        """The finding, its first files, and what the choices mean, or meant when one of them was `done`."""
        shown = ", ".join(self.files[:3]) + (
            f" and {len(self.files) - 3} more" if len(self.files) > 3 else ""
        )
        where = f" (in {shown})" if shown else ""
        code = CODES[self.code]
        if done is not None:
            return f"{self}{where}. As loaded, {code.repair if done == 'repair' else code.keep}."
        offers = [("keep", code.keep), ("repair", code.repair if code.repair != code.keep else None)]
        means = "; ".join(
            f"with on_fault={{'{self.code}': '{name}'}}, {text}" for name, text in offers if text
        )
        return f"{self}{where}. {means[:1].upper()}{means[1:]}."


def check_choices(on_fault: object) -> None:
    """Refuse what `on_fault` cannot mean, before anything is read.

    Raises
    ------
    DicomLabError
        `on_fault` names an unknown code, an unknown choice, or one that its code does not offer.
    """
    if on_fault is None:
        return
    chosen = on_fault if isinstance(on_fault, Mapping) else {None: on_fault}
    unknown = sorted(str(code) for code in set(chosen) - {None, *CODES})
    if unknown:
        raise DicomLabError(f"on_fault names {', '.join(unknown)}; the codes are {', '.join(CODES)}")
    for code, choice in chosen.items():
        if choice not in get_args(Choice):
            raise DicomLabError(
                f"on_fault={choice!r} is not a choice; use 'raise', 'keep' or 'repair', or a mapping of codes to them"
            )
        if code is not None and choice not in CODES[code].choices:
            raise DicomLabError(f"{code} cannot be {choice!r}: it offers {' and '.join(CODES[code].choices)}")


def choose(on_fault: OnFault, finding: Finding) -> Choice:
    """What is done about `finding`; `on_fault` passed `check_choices`.

    One choice for all codes leaves the default to those that do not offer it.
    """
    if on_fault is None:
        return finding.default
    if not isinstance(on_fault, str):
        return on_fault.get(finding.code, finding.default)
    return on_fault if on_fault in CODES[finding.code].choices else finding.default
