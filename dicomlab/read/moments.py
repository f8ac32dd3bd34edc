"""Moments: DICOM dates and times (PS3.5 6.2) as `datetime`, and when an image was taken."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

from dicomlab.read.elements import Attributes

__all__ = ["acquired_at", "back_computed", "mean_moment", "moment", "nearest_day", "time_of_day"]

_DATE = re.compile(r"(\d{4})\.?(\d\d)\.?(\d\d)")  # dots: ACR-NEMA wrote them
_TIME = re.compile(r"(\d\d):?(?:(\d\d):?(?:(\d\d)(\.\d{1,6})?)?)?")
_DATE_TIME = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{1,6})?)([+-]\d{4})?")
_OFFSET = re.compile(r"([+-])(\d\d)(\d\d)")


def time_of_day(text: str) -> timedelta | None:
    """Time (TM) since midnight; None when it is absent or no time."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    hours, minutes, seconds = (int(part or 0) for part in found.group(1, 2, 3))
    if hours > 23 or minutes > 59 or seconds > 60:
        return None
    return timedelta(hours=hours, minutes=minutes, seconds=seconds + float(found.group(4) or 0))


def moment(date: str, time: str = "", *, zone: str = "") -> datetime | None:
    """Local moment of a date (DA) and a time (TM), or of a date-time (DT) alone; None when it is none.

    Parameters
    ----------
    date, time
        Text of the attributes. Date-times without hours are refused: half a day is more than most tracers live.
    zone
        Timezone Offset From UTC (0008,0201), which a date-time with an offset of its own is brought to.
    """
    found = None if time else _DATE_TIME.fullmatch(date.strip())
    offset = ""
    if found is not None:
        date, time, offset = found.group(1), found.group(2), found.group(3) or ""
    day, since_midnight = _DATE.fullmatch(date.strip()), time_of_day(time)
    if day is None or since_midnight is None:
        return None
    try:
        local = datetime(*(int(part) for part in day.groups())) + since_midnight  # type: ignore[arg-type]
        here, there = _offset(zone), _offset(offset)
        return local if here is None or there is None else local - there + here
    except (ValueError, OverflowError):
        return None


def _offset(text: str) -> timedelta | None:
    found = _OFFSET.fullmatch(text.strip())
    if found is None:
        return None
    size = timedelta(hours=int(found.group(2)), minutes=int(found.group(3)))
    return -size if found.group(1) == "-" else size


def nearest_day(since_midnight: timedelta, near: datetime) -> datetime:
    """The moment of this time of day that is nearest to `near`: a time without a date, perhaps beyond midnight."""
    same = datetime(near.year, near.month, near.day) + since_midnight
    return min((same + timedelta(days=days) for days in (-1, 0, 1)), key=lambda one: abs(one - near))


def acquired_at(image: Attributes) -> datetime | None:
    """When the data of an image (or frame) began to be acquired."""
    zone = image.text("TimezoneOffsetFromUTC")
    frame = moment(image.text("FrameAcquisitionDateTime"), zone=zone)
    if frame is not None:
        return frame
    time = time_of_day(image.text("AcquisitionTime"))
    if time is not None:
        dated = moment(image.text("AcquisitionDate"), image.text("AcquisitionTime"))
        if dated is not None:
            return dated
        series = moment(image.text("SeriesDate"), image.text("SeriesTime"))
        if series is not None:
            return nearest_day(time, series)
    return moment(image.text("AcquisitionDateTime"), zone=zone)


def mean_moment(duration: float, half_life: float) -> float:
    """Seconds from the start of a frame to the moment when its activity equals the mean over the frame.

    References
    ----------
    PS3.3 C.8.9.4.1.5 "Frame Reference Time".
    """
    decay = math.log(2) / half_life * duration
    # Below, the quotient loses its digits; the series is exact to 1e-9 there.
    return (
        duration * (0.5 - decay / 24)
        if decay < 1e-4
        else duration * math.log(decay / -math.expm1(-decay)) / decay
    )


def back_computed(image: Attributes, half_life: float) -> datetime | None:
    """The reference moment of a series, from where an image says it lies relative to it.

    Frame Reference Time (0054,1300) is the offset of the mean activity of a frame from that moment. None when this or the
    duration is absent or 0, which many devices write for "unknown".
    """
    start, offset, duration = (
        acquired_at(image),
        image.number("FrameReferenceTime"),
        image.number("ActualFrameDuration"),
    )
    if start is None or not offset or not duration or offset < 0 or duration < 0:
        return None
    return start + timedelta(seconds=mean_moment(duration / 1000, half_life) - offset / 1000)
