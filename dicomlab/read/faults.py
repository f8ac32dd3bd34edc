"""What is odd about a stack, said without decoding a pixel: each deviation as a `Finding` with files and size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance
from dicomlab.read.layout import WANDER_NOTED, Layout
from dicomlab.read.modality import Transform
from dicomlab.read.planes import Plane
from dicomlab.read.stored import StoredImage

__all__ = [
    "geometry_findings",
    "header_findings",
    "pixel_findings",
    "rescale_findings",
    "stack_findings",
    "undecodable_finding",
]

FloatArray = npt.NDArray[np.float64]

_TURN_NOTED = 0.01
"""How far (mm) one mended direction for all slices may move the far corner of a slice without a finding."""
_WANDER_ROUNDING = 0.1
"""Up to here (mm, and a quarter of a pixel) it is taken for rounding: some devices write tenths of a millimetre."""


def geometry_findings(planes: Sequence[Plane], layout: Layout) -> Iterable[Finding]:
    """Deviations of positions and directions from those of a plain, even stack."""

    def names() -> tuple[str, ...]:
        return tuple(dict.fromkeys(p.name for p in planes))

    if layout.turn > _TURN_NOTED:
        yield Finding(
            "cosines_mended",
            "the direction cosines differ between slices or are no perpendicular unit vectors; one mended direction for all "
            f"moves a corner by up to {layout.turn:.3f} mm",
            names(),
            layout.turn,
            "mm",
        )
    if not planes[0].text("FrameOfReferenceUID"):
        yield Finding(
            "frame_of_reference_missing",
            "Frame of Reference UID (0020,0052) is absent; nothing says which other images share this patient frame",
            names(),
        )
    geometry = Geometry(layout.direction, layout.along, np.zeros(1), np.zeros(1), "")
    if geometry.tilt > 0.1:
        yield Finding(
            "gantry_tilt",
            f"the slice axis is tilted by {geometry.tilt:.2f} degrees",
            names(),
            geometry.tilt,
            "degrees",
        )
    # One plane a slice says where the slices are; steps of extra axes share their positions.
    at = {int(k): plane for plane, k in zip(reversed(planes), reversed(layout.place), strict=True)}
    yield from _spacing_findings([at[k] for k in range(layout.along.size)], layout.along)
    worst = float(layout.wander.max())
    if worst > WANDER_NOTED:
        offending = tuple(
            dict.fromkeys(planes[int(k)].name for k in np.flatnonzero(layout.wander > WANDER_NOTED))
        )
        spacing = planes[0].pixel_spacing
        rounding = worst <= min(
            _WANDER_ROUNDING, _WANDER_ROUNDING if spacing is None else float(spacing.min()) / 4
        )
        yield Finding(
            "rounded_positions" if rounding else "wandering_origin",
            f"{len(offending)} of {len(names())} slices lie up to {worst:.3f} mm beside the straight line through the outer "
            "ones",
            offending,
            worst,
            "mm",
        )


def _spacing_findings(planes: Sequence[Plane], along: FloatArray) -> Iterable[Finding]:
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
        beside = tuple(planes[k].name for gap in wide for k in (int(gap), int(gap) + 1))
        # Slices are missing from a grid that most of the others show; gaps that are multiples of anything are only uneven.
        on_grid = bool(np.all(np.abs(gaps - multiples * step) <= 0.02 * step))
        if wide.size and 2 * wide.size <= gaps.size and on_grid:
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
                tuple(planes[int(k)].name for k in (widest, widest + 1)),
                off,
                "mm",
            )
        step = float(np.median(gaps))
    stated = planes[0].number("SpacingBetweenSlices")
    if stated is not None and abs(abs(stated) - step) > max(0.01, 0.01 * step):
        yield Finding(
            "spacing_contradicts_positions",
            f"Spacing Between Slices (0018,0088) says {stated:g} mm, the positions say {step:.4g} mm",
            (planes[0].name,),
            abs(abs(stated) - step),
            "mm",
        )


def header_findings(headers: Headers) -> Iterable[Finding]:
    """Attributes of planes that vary where they should not, and numbers written with a comma."""
    planes = cast(Sequence[Plane], headers.members)
    yield from _mixed(
        headers, "PixelRepresentation", "mixed_pixel_representation", "signed and unsigned values"
    )
    yield from _mixed(
        headers,
        "PhotometricInterpretation",
        "mixed_photometric_interpretation",
        "MONOCHROME1 and MONOCHROME2",
    )
    commas: dict[int, list[str]] = {}
    for keyword in _NUMBERS:
        if headers.is_plain(keyword):
            continue
        for k, comma in enumerate(headers.each(lambda header, key=keyword: header.has_decimal_comma(key))):  # type: ignore[misc]
            if comma:
                commas.setdefault(k, []).append(keyword)
    if commas:
        keywords = ", ".join(sorted({keyword for found in commas.values() for keyword in found}))
        yield Finding(
            "decimal_comma",
            f"{len(commas)} image(s) write numbers with a comma ({keywords}), which DICOM does not know",
            tuple(dict.fromkeys(planes[k].name for k in sorted(commas))),
            float(len(commas)),
            "images",
        )


_NUMBERS = (
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "PixelSpacing",
    "RescaleSlope",
    "RescaleIntercept",
    "DoseGridScaling",
    "GridFrameOffsetVector",
)


def _mixed(headers: Headers, keyword: str, code: str, what: str) -> Iterable[Finding]:
    if len(set(headers.texts(keyword))) == 1:
        return
    by_value: dict[str, list[str]] = {}
    files = [plane.instance.file.name for plane in cast(Sequence[Plane], headers.members)]
    for name, value in dict(zip(files, headers.texts(keyword), strict=True)).items():
        by_value.setdefault(value, []).append(name)
    if len(by_value) > 1:
        fewest = min(by_value.values(), key=len)
        total = sum(map(len, by_value.values()))
        yield Finding(
            code,
            f"{len(fewest)} of {total} images differ from the others in {keyword}: {what} in one series",
            tuple(fewest),
            float(len(fewest)),
            "images",
        )


def stack_findings(stacks: Sequence[Sequence[Plane]]) -> Iterable[Finding]:
    """What a series of several stacks, the largest first, is likely to be: a volume with something else in it."""
    for other in stacks[1:]:
        largest, first = stacks[0][0], other[0]
        if first.cosines is None or largest.cosines is None or first.position is None:
            continue
        names = tuple(dict.fromkeys(plane.name for plane in other))
        frames = [plane.text("FrameOfReferenceUID") for plane in (largest, first)]
        turned = float(np.max(np.abs(first.cosines - largest.cosines))) > 1e-2
        localizer = is_localizer(first)
        if frames[0] != frames[1] and not turned and not localizer and first.shape == largest.shape:
            yield Finding(
                "mixed_frame_of_reference",
                f"{len(other)} of the images lie in another Frame of Reference (0020,0052) than the other {len(stacks[0])}: "
                "their positions cannot be compared",
                names,
                float(len(other)),
                "images",
            )
        elif localizer or (turned and len(other) <= 3 < len(stacks[0])):
            yield Finding(
                "localizer_inside",
                f"{len(other)} image(s), {'localizers' if localizer else 'of another orientation'}, lie among the "
                f"{len(stacks[0])} of the largest stack",
                names,
                float(len(other)),
                "images",
            )


def is_localizer(header: Attributes) -> bool:
    """Whether Image Type (0008,0008) calls it a localizer, which is no slice of a volume even where it would fit in."""
    return "LOCALIZER" in header.text("ImageType").upper().split("\\")


def pixel_findings(images: Sequence[tuple[Instance, StoredImage | DicomLabError]]) -> Iterable[Finding]:
    """Pixel data that are missing, too short or too long for Rows x Columns.

    Parameters
    ----------
    images
        Objects, and how the pixels of each are read, or why they cannot be.
    """
    missing = tuple(i.file.name for i, _ in images if i.pixels is None)
    if missing:
        yield Finding(
            "missing_pixel_data",
            f"{len(missing)} of {len(images)} files hold no pixel data",
            missing,
            float(len(missing)),
            "slices",
        )
    short, worst, excess = [], 0, []
    for instance, image in images:
        span = instance.pixels
        needed = image.expected_bytes if isinstance(image, StoredImage) else None
        if span is None:
            continue
        if span.length is None or needed is None:
            lacking = (
                0 if instance.plausible_frames == instance.frames else 10 * instance.frames - span.available
            )
        else:
            lacking = needed - min(span.length, span.available)
        if lacking > 0:
            short += _lost(instance, needed)
            worst = max(worst, lacking)
        elif (
            span.length is not None and needed is not None and span.length > needed + 1
        ):  # one byte pads an odd length
            excess.append(instance.file.name)
    if short:
        yield Finding(
            "truncated_pixel_data",
            f"{len(short)} image(s) in {len(images)} file(s) break off, up to {worst} bytes too early",
            tuple(short),
            float(worst),
            "bytes",
        )
    if excess:
        yield Finding(
            "excess_pixel_data",
            f"{len(excess)} of {len(images)} files hold more pixel data than Rows x Columns need",
            tuple(excess),
        )


def _lost(instance: Instance, needed: int | None) -> list[str]:
    """Names of the images that a file which breaks off has lost: of frames, those from the first incomplete one on."""
    if instance.frames == 1 or needed is None or instance.pixels is None:
        return [instance.file.name]
    held = min(instance.pixels.available, instance.pixels.length or instance.pixels.available)
    whole = held * instance.frames // needed
    return [f"{instance.file.name} frame {k + 1}" for k in range(whole, instance.plausible_frames)]


def rescale_findings(planes: Sequence[Plane], transforms: Sequence[Transform]) -> Iterable[Finding]:
    """Transforms that are missing, cannot be used, or are there for some planes only."""
    unusable = {
        plane.name: transform.fault
        for plane, transform in zip(planes, transforms, strict=True)
        if transform.fault
    }
    if unusable:
        yield Finding(
            "rescale_unusable",
            f"{len(unusable)} of {len(planes)} images cannot be rescaled: {next(iter(unusable.values()))}",
            tuple(unusable),
            float(len(unusable)),
            "images",
        )
    lacking = tuple(
        dict.fromkeys(
            plane.name
            for plane, transform in zip(planes, transforms, strict=True)
            if not transform.explicit and not transform.fault
        )
    )
    if not lacking:
        return
    modality = planes[0].modality
    attributes = (
        "Dose Grid Scaling (3004,000E)"
        if modality == "RTDOSE"
        else "Rescale Slope (0028,1053) and Intercept (0028,1052)"
    )
    if any(t.explicit and not t.is_identity for t in transforms):
        yield Finding(
            "rescale_inconsistent",
            f"{len(lacking)} of {len(planes)} images lack {attributes}, which change the values of the others",
            lacking,
            float(len(lacking)),
            "slices",
        )
    elif modality in ("CT", "PT", "RTDOSE"):
        wanted = {"CT": "Hounsfield units", "PT": "an activity concentration", "RTDOSE": "a dose"}[modality]
        yield Finding(
            "rescale_missing",
            f"a {modality} without {attributes}: stored values, perhaps not {wanted}",
            lacking,
        )


def undecodable_finding(failures: dict[str, str]) -> Finding:
    """Images that could not be decoded: name -> why."""
    return Finding(
        "undecodable_pixel_data",
        f"{len(failures)} image(s) cannot be decoded: {next(iter(failures.values()))}",
        tuple(failures),
        float(len(failures)),
        "images",
    )
