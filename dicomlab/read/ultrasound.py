"""The Sequence of Ultrasound Regions (0018,6011): what each part of a picture measures (PS3.3 C.8.5.5)."""

from __future__ import annotations

from dicomlab.flat import ImagePlane
from dicomlab.read.elements import Attributes
from dicomlab.read.projection import image_plane
from dicomlab.ultrasound import Region

__all__ = ["ultrasound_plane", "ultrasound_regions"]

_FORMATS = ("none", "2D", "M-mode", "spectral", "waveform", "graphics")
_DATA = (
    "",
    "tissue",
    "colour flow",
    "PW Doppler",
    "CW Doppler",
    "Doppler mean trace",
    "Doppler mode trace",
    "Doppler max trace",
    "volume trace",
    "d(volume)/dt trace",
    "ECG",
    "pulse",
    "phonocardiogram",
    "grey bar",
    "colour bar",
    "integrated backscatter",
    "area trace",
    "d(area)/dt trace",
    "other physiological trace",
)
# Units of Physical Units X/Y Direction, and the factor that takes centimetres to mm.
_UNITS = (
    ("", 1.0),
    ("%", 1.0),
    ("dB", 1.0),
    ("mm", 10.0),
    ("s", 1.0),
    ("Hz", 1.0),
    ("dB/s", 1.0),
    ("cm/s", 1.0),
    ("cm2", 1.0),
    ("cm2/s", 1.0),
    ("cm3", 1.0),
    ("cm3/s", 1.0),
    ("degree", 1.0),
)
_EQUAL = 1e-4


def ultrasound_regions(attributes: Attributes) -> tuple[Region, ...]:
    """Regions of a picture in the order of the file; items that lack bounds, units or steps measure nothing and are left out.

    Reference pixels are counted from the region's first pixel (PS3.3 C.8.5.5.1.3) and given here in pixels of the picture.
    """
    found = []
    for item in attributes.items("SequenceOfUltrasoundRegions"):
        region = _region(Attributes.of(item))
        if region is not None:
            found.append(region)
    return tuple(found)


def _region(item: Attributes) -> Region | None:
    bounds = [
        item.number(keyword)
        for keyword in (
            "RegionLocationMinY0",
            "RegionLocationMaxY1",
            "RegionLocationMinX0",
            "RegionLocationMaxX1",
        )
    ]
    steps = [item.number("PhysicalDeltaY"), item.number("PhysicalDeltaX")]
    codes = [item.integer("PhysicalUnitsYDirection", -1), item.integer("PhysicalUnitsXDirection", -1)]
    if None in bounds or None in steps or not all(0 <= code < len(_UNITS) for code in codes):
        return None
    first_row, last_row, first_column, last_column = (int(x) for x in bounds if x is not None)
    if last_row < first_row or last_column < first_column:
        return None
    reference = [item.number("ReferencePixelY0"), item.number("ReferencePixelX0")]
    stated = None not in reference
    down, across = (x or 0.0 for x in reference) if stated else (0.0, 0.0)
    values = [
        item.number("ReferencePixelPhysicalValueY") or 0.0,
        item.number("ReferencePixelPhysicalValueX") or 0.0,
    ]
    factors = [_UNITS[code][1] for code in codes]
    return Region(
        first_row,
        last_row,
        first_column,
        last_column,
        _name(_FORMATS, item.integer("RegionSpatialFormat", 0)),
        _name(_DATA, item.integer("RegionDataType", 0)),
        (_UNITS[codes[0]][0], _UNITS[codes[1]][0]),
        ((steps[0] or 0.0) * factors[0], (steps[1] or 0.0) * factors[1]),
        (first_row + down, first_column + across),
        (values[0] * factors[0], values[1] * factors[1]) if stated else (0.0, 0.0),
        stated,
    )


def _name(names: tuple[str, ...], code: int) -> str:
    return names[code] if 0 <= code < len(names) else "unknown"


def ultrasound_plane(attributes: Attributes, regions: tuple[Region, ...]) -> ImagePlane:
    """The plane of a picture with regions: mm where all of them are 2-D and of one scale, otherwise pixels.

    Pixel Spacing is not asked: the regions say where it would hold, and it does not.
    """
    if not regions:
        return image_plane(attributes)
    scales = [region.step for region in regions]
    spatial = all(region.is_spatial and min(region.step) > 0 for region in regions)
    if spatial and all(
        abs(one - other) <= _EQUAL * abs(other)
        for scale in scales
        for one, other in zip(scale, scales[0], strict=True)
    ):
        return ImagePlane(
            "region",
            f"mm within the ultrasound region by Sequence of Ultrasound Regions (0018,6011), {'; '.join(map(str, regions))}; "
            "beyond it a pixel measures nothing",
            scales[0],
        )
    aspect = image_plane(attributes)
    return ImagePlane(
        "pixels",
        "no mm for the picture as a whole: its ultrasound regions (0018,6011) differ in what they measure "
        f"({'; '.join(map(str, regions))}); volume.dicom.regions[k].cut(volume) gives one in its own units",
        pixel_aspect=aspect.pixel_aspect,
    )
