"""What a volume takes along from its headers: unit, windows, findings, and nothing that identifies a patient."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab import html, windowing
from dicomlab.errors import DicomLabError
from dicomlab.findings import Finding
from dicomlab.flat import SAMPLE_BITS, eight_bits
from dicomlab.read.headers import Instance
from dicomlab.read.identity import clean_text
from dicomlab.read.images import stored_image
from dicomlab.read.modality import Transform, modality_transform
from dicomlab.read.planes import Plane
from dicomlab.read.presentation import presentation_windows
from dicomlab.read.stacks import Stack, plane_name
from dicomlab.read.suv import suv_attrs
from dicomlab.read.voi import may_be_negative, voi_windows
from dicomlab.windowing import AnyWindow

__all__ = ["thumbnail", "volume_attrs"]

# Keywords that travel with a volume as they stand in the file. None of them can identify a patient (PS3.15 Table E.1-1).
_TEXT_ATTRS = (
    "Modality",
    "PhotometricInterpretation",
    "PatientPosition",
)


def volume_attrs(
    planes: Sequence[Plane],
    transforms: Sequence[Transform],
    findings: Sequence[Finding],
    slices: int | None = None,
) -> dict[str, Any]:
    """Attributes of the volume made of these images, all of types that netCDF can hold.

    Windows may differ from image to image; the middle one of the first step, which has the first `slices` images, is what is
    looked at first. Where the middle images of other steps have windows that show something else (phase beside magnitude), none
    is offered: it would be wrong for most.
    """
    first = (slices or len(planes)) // 2
    middle = planes[first]
    units = {transform.units for transform in transforms}
    attrs: dict[str, Any] = {"units": units.pop() if len(units) == 1 else ""}
    attrs["value_transform"] = _made_by(transforms)
    attrs |= {keyword: middle.text(keyword) for keyword in _TEXT_ATTRS if middle.text(keyword)}
    if description := clean_text(middle.instance, "SeriesDescription"):
        attrs["SeriesDescription"] = description
    if all(transform.windowed for transform in transforms):
        windows = voi_windows(middle, may_be_negative(middle, transforms[first]))
        for k in range(first, len(planes), slices or len(planes)):
            if not _alike(windows, voi_windows(planes[k], may_be_negative(planes[k], transforms[k]))):
                windows = ()
        frames = [plane.frame + 1 for plane in planes]
        shown = presentation_windows([plane.instance for plane in planes], transforms, frames)
        attrs |= windowing.window_attrs([*windows, *shown])
    image = stored_image(middle.instance)
    if image.is_colour and image.dtype != np.uint8:
        attrs[SAMPLE_BITS] = image.bits_stored
    if middle.modality == "PT":
        attrs |= suv_attrs(planes, transforms[0].units)
    if findings:
        attrs["findings"] = "\n".join(str(finding) for finding in findings)
    return attrs


def _made_by(transforms: Sequence[Transform]) -> str:
    """How stored values became these, in one line."""
    first, slopes = transforms[0], sorted({transform.slope for transform in transforms})
    intercepts = {transform.intercept for transform in transforms}
    if not first.by:
        return "as stored"
    if any(transform.lut is not None for transform in transforms):
        return f"stored values through a table: {first.by}"
    factor = f"{slopes[0]:g}" if len(slopes) == 1 else f"{slopes[0]:g} to {slopes[-1]:g}, by slice,"
    shift = "an intercept by slice" if len(intercepts) > 1 else f"{abs(first.intercept):g}"
    return f"stored × {factor} {'-' if first.intercept < 0 else '+'} {shift}: {first.by}"


def _alike(some: Sequence[AnyWindow], others: Sequence[AnyWindow]) -> bool:
    """Whether the first windows show about the same range: one is at most twice as wide and holds the other's centre."""
    if not some or not others:
        return len(some) == len(others)
    one, other = some[0], others[0]
    narrow, wide = sorted((one.width, other.width))
    return wide <= 2 * narrow and abs(one.center - other.center) <= wide / 2


def thumbnail(stack: Stack, height: int = 96) -> html.Markup | None:
    """Middle slice of `stack` as a small picture, or None where it cannot be decoded or might show a name."""
    middle = _middle(stack)
    try:
        # One tile of a slide is no picture of it.
        if stack.flat is not None and (stack.flat.level is not None or _may_show_a_name(middle.instance)):
            return None
        image = stored_image(middle.instance)
        stored = middle.cut(image.read(middle.frame))
        if image.is_colour:
            return _picture(eight_bits(stored, image.bits_stored), stack, height)
        values = np.empty(stored.shape, np.float32)
        transform = modality_transform(middle)
        transform.apply(stored, values)
        attrs = volume_attrs([middle], [transform], ())
        window = (*windowing.windows_from_attrs(attrs), windowing.auto_window(values))[0]
    except (DicomLabError, OSError):
        return None
    grey = np.floor(windowing.apply_window(values, window) * 255 + 0.5).astype(np.uint8)
    if middle.text("PhotometricInterpretation") == "MONOCHROME1" or middle.modality == "PT":
        grey = 255 - grey
    return _picture(grey, stack, height)


def _middle(stack: Stack) -> Plane:
    """The middle slice of the first step; of planes that make no array, the middle one."""
    try:
        if stack.flat is None:
            return stack.arrangement.planes[stack.arrangement.shape[-1] // 2]
    except DicomLabError:
        pass
    return stack.planes[len(stack.planes) // 2]


def _picture(pixels: npt.NDArray[np.uint8], stack: Stack, height: int) -> html.Markup:
    if stack.flat is not None:
        plane = stack.flat.plane
        aspect = plane.steps[1] / (plane.steps[0] * plane.aspect)
    else:
        spacing = stack.planes[0].pixel_spacing
        aspect = 1.0 if spacing is None else float(spacing[1] / spacing[0])
    width = max(1, round(height * aspect * pixels.shape[1] / pixels.shape[0]))
    fewer = max(1, pixels.shape[0] // (2 * height))  # twice the CSS pixels, for sharp screens
    return html.picture(pixels[::fewer, ::fewer], f"middle slice, {plane_name(stack)}", width, height)


_BURNS_IN = ("US", "SC", "OT", "ES", "XC", "GM")


def _may_show_a_name(instance: Instance) -> bool:
    """Whether a name may be part of the picture: some devices write it there, and a card is shown unasked.

    Burned In Annotation (0028,0301) decides; where it is silent, kinds of images that often have such text count as having it.
    """
    said = instance.text("BurnedInAnnotation").upper()
    if said in ("YES", "NO"):
        return said == "YES"
    screen = instance.text("SOPClassUID") == _SECONDARY_CAPTURE
    return screen or instance.modality in _BURNS_IN


_SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
