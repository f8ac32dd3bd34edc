"""What is odd about a stack, said without decoding a pixel: each deviation as a `Finding` with files and size."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from dicomlab.findings import Finding
from dicomlab.geometry import Geometry
from dicomlab.read.headers import Instance
from dicomlab.read.layout import WANDER_NOTED, Layout
from dicomlab.read.stored import native_bytes

__all__ = ["geometry_findings", "pixel_findings"]

FloatArray = npt.NDArray[np.float64]

_TURN_NOTED = 0.01
"""How far (mm) one mended direction for all slices may move the far corner of a slice without a finding."""
_WANDER_ROUNDING = 0.1
"""Up to here (mm, and a quarter of a pixel) it is taken for rounding: some devices write tenths of a millimetre."""


def geometry_findings(instances: Sequence[Instance], layout: Layout) -> Iterable[Finding]:
    """Deviations of positions and directions from those of a plain, even stack."""
    names = tuple(i.file.name for i in instances)
    if layout.turn > _TURN_NOTED:
        yield Finding(
            "cosines_mended",
            "the direction cosines differ between slices or are no perpendicular unit vectors; one mended direction for all "
            f"moves a corner by up to {layout.turn:.3f} mm",
            names,
            layout.turn,
            "mm",
        )
    if not instances[0].text("FrameOfReferenceUID"):
        yield Finding(
            "frame_of_reference_missing",
            "Frame of Reference UID (0020,0052) is absent; nothing says which other images share this patient frame",
            names,
        )
    geometry = Geometry(layout.direction, layout.along, np.zeros(1), np.zeros(1), "")
    if geometry.tilt > 0.1:
        yield Finding(
            "gantry_tilt",
            f"the slice axis is tilted by {geometry.tilt:.2f} degrees",
            names,
            geometry.tilt,
            "degrees",
        )
    yield from _spacing_findings(instances, layout.along)
    worst = float(layout.wander.max())
    if worst > WANDER_NOTED:
        offending = tuple(names[k] for k in np.flatnonzero(layout.wander > WANDER_NOTED))
        spacing = instances[0].pixel_spacing
        rounding = worst <= min(
            _WANDER_ROUNDING, _WANDER_ROUNDING if spacing is None else float(spacing.min()) / 4
        )
        yield Finding(
            "rounded_positions" if rounding else "wandering_origin",
            f"{len(offending)} of {len(names)} slices lie up to {worst:.3f} mm beside the straight line through the outer ones",
            offending,
            worst,
            "mm",
        )


def _spacing_findings(instances: Sequence[Instance], along: FloatArray) -> Iterable[Finding]:
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
        beside = tuple(instances[k].file.name for gap in wide for k in (int(gap), int(gap) + 1))
        if wide.size and bool(np.all(np.abs(gaps - multiples * step) <= 0.02 * step)):
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
                tuple(instances[int(k)].file.name for k in (widest, widest + 1)),
                off,
                "mm",
            )
        step = float(np.median(gaps))
    stated = instances[0].number("SpacingBetweenSlices")
    if stated is not None and abs(abs(stated) - step) > max(0.01, 0.01 * step):
        yield Finding(
            "spacing_contradicts_positions",
            f"Spacing Between Slices (0018,0088) says {stated:g} mm, the positions say {step:.4g} mm",
            (instances[0].file.name,),
            abs(abs(stated) - step),
            "mm",
        )


def pixel_findings(instances: Sequence[Instance]) -> Iterable[Finding]:
    """Pixel data that are missing, too short or too long for Rows x Columns."""
    missing = tuple(i.file.name for i in instances if i.pixels is None)
    if missing:
        yield Finding(
            "missing_pixel_data",
            f"{len(missing)} of {len(instances)} files hold no pixel data",
            missing,
            float(len(missing)),
            "slices",
        )
    short, worst, excess = [], 0, []
    for instance in instances:
        span = instance.pixels
        needed = native_bytes(instance)
        if span is None or span.length is None or needed is None:
            continue
        lacking = needed - min(span.length, span.available)
        if lacking > 0:
            short.append(instance.file.name)
            worst = max(worst, lacking)
        elif span.length > needed + 1:  # one byte pads an odd length
            excess.append(instance.file.name)
    if short:
        yield Finding(
            "truncated_pixel_data",
            f"{len(short)} of {len(instances)} files break off up to {worst} bytes before the end of their image",
            tuple(short),
            float(worst),
            "bytes",
        )
    if excess:
        yield Finding(
            "excess_pixel_data",
            f"{len(excess)} of {len(instances)} files hold more pixel data than Rows x Columns need",
            tuple(excess),
        )
