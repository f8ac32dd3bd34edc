"""What a pixel of an image without a place in the patient measures: radiographs, scans, photographs (PS3.3 10.7.1)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dicomlab.flat import ImagePlane
from dicomlab.read.elements import Attributes

__all__ = ["image_plane", "one_plane"]

_SAME = 1e-4
"""Spacings that differ by less than this part are one spacing, written with another number of digits."""

_OPHTHALMIC, _NUCLEAR = "1.2.840.10008.5.1.4.1.1.77.1.5.", "1.2.840.10008.5.1.4.1.1.20"


def image_plane(attributes: Attributes) -> ImagePlane:
    """The plane in which a flat image is measured, from Pixel Spacing, Imager Pixel Spacing and what explains them.

    Pixel Spacing (0028,0030) that differs from Imager Pixel Spacing (0018,1164) was corrected for magnification, with or
    without Pixel Spacing Calibration Type (0028,0A02); one that equals it was not. Estimated Radiographic Magnification
    Factor (0018,1114) is told and never applied: it holds at one depth only.

    References
    ----------
    PS3.3 10.7.1 "Basic Pixel Spacing Calibration Macro", C.8.6.2 (Nominal Scanned Pixel Spacing), C.8.17.2 (ophthalmic).
    """
    # Multi-frame objects keep them in functional groups (PS3.3 C.7.6.16.2.1, of angiography C.8.19.6.4).
    imager = _pair(_within(attributes, "FramePixelDataPropertiesSequence"), "ImagerPixelSpacing")
    pixel = _pair(_within(attributes, "PixelMeasuresSequence"), "PixelSpacing")
    scanned = _pair(attributes, "NominalScannedPixelSpacing")
    kind = attributes.text("PixelSpacingCalibrationType").upper()
    if kind not in ("GEOMETRY", "FIDUCIAL"):
        kind = ""
    if pixel is not None and (kind or (imager is not None and not _same(pixel, imager))):
        how = {
            "GEOMETRY": "corrected for a geometric magnification",
            "FIDUCIAL": "calibrated by an object of known size",
        }.get(kind, "corrected, the file does not say how")
        detector = (
            "" if imager is None else f"; Imager Pixel Spacing (0018,1164) is {_mm(imager)} at the detector"
        )
        return ImagePlane(
            "calibrated",
            f"mm by Pixel Spacing (0028,0030), {_mm(pixel)}, {how}{detector}; true at the depth of the calibration only",
            pixel,
        )
    if imager is not None:
        equal = "" if pixel is None else ", which Pixel Spacing (0028,0030) equals"
        factor = attributes.number("EstimatedRadiographicMagnificationFactor")
        told = ""
        if factor is not None and factor > 0 and factor != 1:
            told = (
                f" (Estimated Radiographic Magnification Factor (0018,1114) {factor:.4g}: lengths at its depth are "
                "this many times smaller; it is not applied)"
            )
        return ImagePlane(
            "detector",
            f"mm at the detector by Imager Pixel Spacing (0018,1164), {_mm(imager)}{equal}; what lies in the patient is "
            f"magnified{told}",
            imager,
        )
    if scanned is not None and pixel is None:
        return ImagePlane(
            "scanned",
            f"mm on the scanned film or paper by Nominal Scanned Pixel Spacing (0018,2010), {_mm(scanned)}",
            scanned,
        )
    if pixel is not None:
        where = "of which the file does not say in which plane they hold"
        if attributes.text("SOPClassUID").startswith(_OPHTHALMIC):
            where = "nominal, at the focal plane (the retina)"
        elif attributes.text("SOPClassUID") == _NUCLEAR:
            where = "in the plane of the detector, parallel to it without magnification where the collimator is parallel"
        return ImagePlane(
            "stated",
            f"mm by Pixel Spacing (0028,0030), {_mm(pixel)}, {where}",
            pixel,
        )
    aspect = _aspect(attributes)
    shape = (
        ""
        if aspect == 1
        else f"; a pixel is {aspect:.4g} times as high as wide, Pixel Aspect Ratio (0028,0034)"
    )
    return ImagePlane(
        "pixels",
        f"no mm: the file has neither Pixel Spacing (0028,0030) nor Imager Pixel Spacing (0018,1164){shape}",
        pixel_aspect=aspect,
    )


def one_plane(planes: Sequence[ImagePlane]) -> ImagePlane:
    """The plane of several frames: theirs when they agree, otherwise pixels, saying so."""
    first = planes[0]
    steps = {(plane.name, plane.steps) for plane in planes}
    if len(steps) == 1:
        return first
    sizes = sorted({_mm(plane.steps) for plane in planes if plane.units == "mm"})
    return ImagePlane(
        "pixels",
        f"no mm: they differ from frame to frame ({', '.join(sizes[:4])}); take single frames",
    )


def _within(attributes: Attributes, group: str) -> Attributes:
    return Attributes.of(*attributes.items(group), *attributes.levels)


def _pair(attributes: Attributes, keyword: str) -> tuple[float, float] | None:
    numbers = attributes.numbers(keyword)
    if numbers is None or numbers.size != 2 or not bool(np.all(numbers > 0)):
        return None
    return float(numbers[0]), float(numbers[1])


def _same(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return all(abs(a - b) <= _SAME * max(a, b) for a, b in zip(one, other, strict=True))


def _aspect(attributes: Attributes) -> float:
    pair = _pair(attributes, "PixelAspectRatio")
    return 1.0 if pair is None else pair[0] / pair[1]


def _mm(spacing: tuple[float, float]) -> str:
    return f"{spacing[0]:.4g} x {spacing[1]:.4g} mm"
