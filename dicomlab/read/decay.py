"""Decay: how much of a dose is left at the moment to which the values of a PET are corrected.

PS3.3 C.8.9.1.1.5 "Decay Correction", C.8.9.2 "PET Isotope Module", C.8.9.4 "PET Image Module", C.8.22 "Enhanced PET".
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import numpy as np
import numpy.typing as npt

from dicomlab.read import moments
from dicomlab.read.elements import Attributes
from dicomlab.read.nuclides import nuclide
from dicomlab.read.told import Told, named, positive

__all__ = ["check_attenuation", "per_dose"]

FloatArray = npt.NDArray[np.float64]

LONGEST_WAIT = 6.5
"""Half lives from injection to scan (12 hours of F-18) beyond which a time is wrong rather than the patient late."""
LATE_INJECTION = 300.0
"""Seconds by which a dynamic scan may have begun before the injection."""
TOLERANCE = 0.03
"""Half lives (2 % of the SUV) by which an image may contradict the assumed reference moment."""
DATELESS = 36_000.0
"""Half life (s) above which a time of day without a date may be that of any of several days."""


def check_attenuation(told: Told, required: bool = True) -> list[str]:
    """What was corrected, as values of Corrected Image (0028,0051); a problem unless attenuation was."""
    corrected = told.text("CorrectedImage").upper().split("\\")
    if corrected == [""]:
        flags = (("AttenuationCorrected", "ATTN"), ("DecayCorrected", "DECY"))  # enhanced PET, PS3.3 C.8.22.4
        corrected = [code for keyword, code in flags if told.text(keyword).upper() == "YES"]
        if not told.text("AttenuationCorrected"):
            if required:
                told.problems.append(
                    f"{named('CorrectedImage')} is missing: were attenuation and decay corrected?"
                )
            return corrected
    if "ATTN" not in corrected:
        told.problems.append(
            f"{named('CorrectedImage')} lacks ATTN: the values are not corrected for attenuation"
        )
    return corrected


def per_dose(told: Told, scale: FloatArray) -> FloatArray | None:
    """Activity concentration / activity left of the dose at the moment to which it is corrected."""
    corrected = check_attenuation(told)
    decay = told.text("DecayCorrection").upper()
    if not decay and told.text("DecayCorrected"):
        decay = "START" if told.text("DecayCorrected").upper() == "YES" else "NONE"
    if decay not in ("START", "ADMIN", "NONE"):
        says = f"is {decay[:16]!r}, not START, ADMIN or NONE" if decay else "is missing"
        told.problems.append(f"{named('DecayCorrection')} {says}")
    elif corrected and ("DECY" in corrected) != (decay != "NONE"):
        has = "holds" if decay == "NONE" else "lacks"
        told.problems.append(
            f"{named('CorrectedImage')} {has} DECY, while {named('DecayCorrection')} is {decay}"
        )
    tracers = told.tracers()
    dose = _dose(told, tracers) if tracers else None
    if decay == "ADMIN":
        left = np.ones(len(told.images))
    else:
        half_life = _half_life(told, tracers) if tracers else None
        if half_life is None or told.problems:
            return None
        corrected_to = _frame_moments(told, half_life) if decay == "NONE" else _reference(told, half_life)
        if corrected_to is None:
            return None
        wait = _wait(told, tracers, min(corrected_to), half_life)
        if wait is None:
            return None
        later = np.array([(one - min(corrected_to)).total_seconds() for one in corrected_to])
        left = np.exp2(-(wait + later) / half_life)
    return None if dose is None or told.problems else scale / (dose * left)


def _dose(told: Told, tracers: list[Attributes]) -> float | None:
    """Activity injected in Bq."""
    keyword = "RadionuclideTotalDose"
    dose = positive(told.text(keyword, tracers))
    if dose is None:
        told.problems.append(f"{named(keyword)} is missing or not above 0")
    elif 1 <= dose < 1e4:
        # Bq in PET images, MBq in enhanced ones. Nobody is given a ten-thousandth of a MBq, nor 10 GBq: there is no overlap.
        told.notes.append(f"{named(keyword)} was read as MBq: as Bq it would be next to nothing")
        return dose * 1e6
    elif not 1e6 <= dose <= 1e11:
        told.problems.append(f"{named(keyword)} is plausible neither in Bq nor in MBq")
        return None
    return dose


def _half_life(told: Told, tracers: list[Attributes]) -> float | None:
    """Half life in s: as stated, or that of the nuclide where none is stated."""
    keyword = "RadionuclideHalfLife"
    stated = positive(told.text(keyword, tracers))
    codes = tracers[0].items("RadionuclideCodeSequence")
    known = nuclide(codes[0]) if codes else None
    if stated is None and known is None:
        told.problems.append(
            f"{named(keyword)} is missing or not above 0, and {named('RadionuclideCodeSequence')} names no nuclide whose "
            "half life is known"
        )
        return None
    if stated is None and known is not None:
        told.notes.append(
            f"{named(keyword)} is missing; {known.half_life:g} s was taken, that of {known.name}"
        )
        return known.half_life
    assert stated is not None
    if known is not None and abs(stated / known.half_life - 1) > 0.03:
        told.problems.append(
            f"{named(keyword)} is {stated:g} s, while that of {known.name}, which {named('RadionuclideCodeSequence')} names, "
            f"is {known.half_life:g} s"
        )
    return stated


def _reference(told: Told, half_life: float) -> list[datetime] | None:
    """The moment to which each image's values are decay corrected (Decay Correction START)."""
    acquired = [moments.acquired_at(image) for image in told.images]
    known = [one for one in acquired if one is not None]
    first = min(known, default=None)
    stated = _stated_reference(told)
    series = moments.moment(told.text("SeriesDate"), told.text("SeriesTime"))
    if stated is None:
        moment = series
        if series is None or (first is not None and series > first):
            ge = _agreed(moments.moment(text) for text in told.private(0x0009, "GEMS_PETD_01", 0x0D))
            moment = ge[0] if ge else _first_acquisition(told, half_life, first)
            says = (
                "is missing"
                if series is None
                else "is after the first acquisition, so it cannot be the reference of decay"
            )
            if moment is not None:
                taken = (
                    "(0009,xx0D) scan date and time of GE"
                    if ge
                    else f"{named('AcquisitionTime')} of the first image"
                )
                told.notes.append(f"{named('SeriesTime')} {says}; {taken} was taken")
            else:
                told.problems.append(
                    f"{named('SeriesTime')} {says}, and {named('AcquisitionTime')} is missing too"
                )
                return None
        assert moment is not None
        stated = [moment] * len(told.images)
    if first is not None and min(stated) > first + timedelta(seconds=1):
        told.problems.append(
            "the reference of decay that a private attribute gives is after the first acquisition"
        )
    _check_frames(told, acquired, stated, half_life)
    return None if told.problems else stated


def _stated_reference(told: Told) -> list[datetime] | None:
    """The reference of decay of each image where an attribute states just that."""
    zones = [image.text("TimezoneOffsetFromUTC") for image in told.images]
    enhanced = [image.text("DecayCorrectionDateTime") for image in told.images]
    for texts in (enhanced, told.private(0x0071, "SIEMENS MED PT", 0x22)):
        found = [moments.moment(text, zone=zone) for text, zone in zip(texts, zones, strict=True)]
        stated = [one for one in found if one is not None]
        if len(stated) == len(found):
            return stated
    return None


def _agreed(found: Iterable[datetime | None]) -> list[datetime]:
    different = set(found)
    return [one for one in different if one is not None] if len(different) == 1 else []


def _first_acquisition(told: Told, half_life: float, first: datetime | None) -> datetime | None:
    """Start of the scan, from the earliest image: what its Frame Reference Time leads back to, but no later than itself."""
    if first is None:
        return None
    earliest = [image for image in told.images if moments.acquired_at(image) == first]
    back = [one for one in (moments.back_computed(image, half_life) for image in earliest) if one is not None]
    return min([first, *back])


def _check_frames(
    told: Told, acquired: list[datetime | None], reference: list[datetime], half_life: float
) -> None:
    """A problem where images say that they were corrected to another moment (PS3.3 C.8.9.4.1.5, Decay Factor)."""
    worst, which = 0.0, ""
    for image, start, corrected_to in zip(told.images, acquired, reference, strict=True):
        factor, offset = image.number("DecayFactor"), image.number("FrameReferenceTime")
        if start is None:
            continue
        # Some devices write 1 for any factor and 0 for any offset: these say nothing.
        if factor is not None and factor > 0 and factor != 1:
            said, keyword = half_life * math.log2(factor), "DecayFactor"
        elif offset is not None and offset > 0:
            said, keyword = offset / 1000, "FrameReferenceTime"
        else:
            continue
        # Devices count to the start of a frame, to its middle or to its mean activity; all lie in its first half.
        begin = (start - corrected_to).total_seconds()
        half = max(image.number("ActualFrameDuration") or 0.0, 0.0) / 2000
        off = said - begin if said < begin else max(0.0, said - begin - half)
        if abs(off) > abs(worst):
            worst, which = off, keyword
    if abs(worst) > max(2.0, TOLERANCE * half_life):
        told.problems.append(
            f"{named(which)} says that the values are corrected to a moment {abs(worst) / 60:.1f} minutes "
            f"{'before' if worst > 0 else 'after'} the one that date and time give; which of them is right, nobody knows"
        )


def _frame_moments(told: Told, half_life: float) -> list[datetime] | None:
    """When each image's activity was what its values say (Decay Correction NONE)."""
    found: list[datetime] = []
    for image in told.images:
        if image.number("DecayFactor") not in (None, 0.0, 1.0):
            told.problems.append(f"{named('DecayFactor')} is not 1, while {named('DecayCorrection')} is NONE")
            return None
        zone = image.text("TimezoneOffsetFromUTC")
        at = moments.moment(image.text("FrameReferenceDateTime"), zone=zone)
        start = moments.acquired_at(image)
        duration = image.number("ActualFrameDuration") or image.number("FrameAcquisitionDuration")
        if at is None and start is not None and duration is not None and duration > 0:
            at = start + timedelta(seconds=moments.mean_moment(duration / 1000, half_life))
        if at is None:
            lacks = "AcquisitionTime" if start is None else "ActualFrameDuration"
            told.problems.append(f"{named(lacks)} is missing, and {named('DecayCorrection')} is NONE")
            return None
        found.append(at)
    return found


def _wait(told: Told, tracers: list[Attributes], until: datetime, half_life: float) -> float | None:
    """Seconds from the injection to `until`."""
    keyword, clock = "RadiopharmaceuticalStartDateTime", "RadiopharmaceuticalStartTime"
    day = timedelta(days=1)
    dated = moments.moment(told.text(keyword, tracers), zone=told.text("TimezoneOffsetFromUTC"))
    time = moments.time_of_day(told.text(clock, tracers))
    if dated is None and time is None:
        told.problems.append(f"{named(keyword)} and {named(clock)} are missing")
        return None
    if dated is None:
        assert time is not None
        if half_life > DATELESS:
            told.problems.append(
                f"{named(keyword)} is missing, and a tracer that lives so long may be of another day"
            )
            return None
        dated = datetime(until.year, until.month, until.day) + time
        if (until - dated).total_seconds() < -LATE_INJECTION:
            dated -= day  # the scan was after midnight
            told.notes.append(
                f"{named(clock)} is later than the scan and has no date; the day before was taken"
            )
        elif until - dated > day / 2 and (dated + day - until).total_seconds() <= LATE_INJECTION:
            dated += day  # a dynamic scan that began just before midnight
        keyword = clock
    elif time is not None:
        midnight = datetime(dated.year, dated.month, dated.day)
        apart = (dated - midnight - time) % day
        if min(apart, day - apart) > timedelta(minutes=1):
            told.problems.append(f"{named(keyword)} and {named(clock)} say different times")
            return None
    wait = (until - dated).total_seconds()
    longest = LONGEST_WAIT * half_life
    if wait < -LATE_INJECTION and keyword != clock and 0 < wait + day.total_seconds() <= longest:
        told.notes.append(f"{named(keyword)} is after the scan; the same time of the day before was taken")
        return wait + day.total_seconds()
    if not -LATE_INJECTION <= wait <= longest:
        says = f"{wait / 3600:.1f} hours before" if wait > 0 else f"{-wait / 3600:.1f} hours after"
        told.problems.append(
            f"{named(keyword)} is {says} the scan, which the half life of {half_life:g} s makes implausible"
        )
        return None
    if wait < 0:
        told.notes.append(
            f"{named(keyword)} is {-wait:.0f} s after the moment to which the values are corrected"
        )
    return wait
