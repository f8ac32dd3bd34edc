"""Axes of nuclear medicine frames, and the patient positions of reconstructed ones (PS3.3 C.8.4)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from pydicom.dataset import Dataset

from dicomlab import affine
from dicomlab.errors import GeometryError, UnsupportedError
from dicomlab.read.elements import Attributes, Level
from dicomlab.read.frame_axes import FrameAxes, full_product

__all__ = ["nm_cosines", "nm_positions", "nuclear_axes"]

FloatArray = npt.NDArray[np.float64]

# Vectors in the order in which Frame Increment Pointer names them (PS3.3 C.8.4.8), the first varying slowest.
_VECTORS = (
    ("energy_window", "EnergyWindowVector"),
    ("detector", "DetectorVector"),
    ("phase", "PhaseVector"),
    ("rotation", "RotationVector"),
    ("rr_interval", "RRIntervalVector"),
    ("time_slot", "TimeSlotVector"),
    ("angular_view", "AngularViewVector"),
    ("slice_number", "SliceVector"),
    ("time", "TimeSliceVector"),
)


def nuclear_axes(attributes: Attributes, frames: int) -> FrameAxes | None:
    """Axes of a nuclear medicine object, or None when it has no vector that numbers its frames.

    Energy windows are labelled with their names, where these differ, and carry their limits in keV; angular views carry their
    ``angle`` in degrees; frames of a dynamic acquisition stand along ``time``, seconds from the first frame's start,
    through all phases (``phase`` then is a label along it).

    Raises
    ------
    UnsupportedError
        A vector has another length than there are frames, or the frames form no full product.

    References
    ----------
    PS3.3 C.8.4.8 "NM Multi-frame", C.8.4.10 "NM Isotope", C.8.4.14 "NM Multi-gated", C.8.4.13 "NM TOMO Acquisition".
    """
    vectors: dict[str, list[int]] = {}
    for name, keyword in _VECTORS:
        numbers = attributes.numbers(keyword)
        if numbers is None:
            continue
        if numbers.size != frames:
            raise UnsupportedError(
                f"{keyword} has {numbers.size} values for {frames} frames, so nobody knows which frame is which"
            )
        vectors[name] = [int(x) for x in numbers]
    if not vectors or frames == 1:
        return FrameAxes() if frames == 1 else None
    keys: dict[str, Sequence[Hashable]] = dict(vectors)
    times = _dynamic_times(attributes, vectors)
    if "time" in vectors:
        # Phases differ in how many frames they have and in how long these are: they follow each other in time.
        phases = vectors.get("phase", [1] * frames)
        keys = {name: values for name, values in keys.items() if name != "phase"}
        keys["time"] = list(zip(phases, vectors["time"], strict=True))
    dims, shape, order, labels = full_product(keys, frames, "the frames of this nuclear medicine image")
    coords = _label(attributes, dims, labels)
    beside: dict[str, tuple[list[Any], dict[str, str]]] = {}
    if "time" in dims:
        place = dims.index("time")
        if times is not None:
            along = np.array([times[key] for key in labels[place]])
            said = {"units": "s", "source": "by the Phase Information Sequence (0054,0032)"}
        else:
            along = np.arange(len(labels[place]), dtype=np.float64)
            said = {
                "units": "1",
                "source": "number of the frame: no Phase Information Sequence (0054,0032)",
            }
        coords["time"] = xr.Variable("time", along, said)
        if len({phase for phase, _ in labels[place]}) > 1:
            coords["phase"] = xr.Variable("time", [phase for phase, _ in labels[place]])
    angles = _angles(attributes, vectors, frames)
    if angles is not None:
        beside["angle"] = (
            angles,
            {
                "units": "degree",
                "source": "of the detector about the patient: 0 at the back, as Start Angle (0054,0200)",
            },
        )
    for name, (values, said) in beside.items():
        coords[name] = _along_fewest(name, np.array(values)[order].reshape(shape), dims, said)
    return FrameAxes(dims, shape, order, coords)


def _label(
    attributes: Attributes, dims: tuple[str, ...], labels: Sequence[list[Any]]
) -> dict[str, xr.Variable]:
    coords: dict[str, xr.Variable] = {}
    for name, values in zip(dims, labels, strict=True):
        if name == "time":
            continue
        coords[name] = xr.Variable(name, np.array(values), {"long_name": f"{name.replace('_', ' ')} number"})
        if name == "energy_window":
            windows = [
                Attributes.of(_nth(attributes, "EnergyWindowInformationSequence", number))
                for number in values
            ]
            names = [window.text("EnergyWindowName") for window in windows]
            if all(names) and len(set(names)) == len(names):
                coords[name] = xr.Variable(
                    name, np.array(names), {"long_name": "Energy Window Name (0054,0018)"}
                )
            limits = [_limits(window) for window in windows]
            for side, which in enumerate(("energy_lower", "energy_upper")):
                if all(limit is not None for limit in limits):
                    coords[which] = xr.Variable(
                        name, [limit[side] for limit in limits if limit is not None], {"units": "keV"}
                    )
        if name == "detector":
            views = [_view(_nth(attributes, "DetectorInformationSequence", number)) for number in values]
            if all(views):
                coords["view"] = xr.Variable(name, np.array(views), {"long_name": "View Code (0054,0220)"})
    return coords


def _nth(attributes: Attributes, keyword: str, number: int) -> Level:
    """Item that a vector numbers, counted from 1; an empty one when it is not there."""
    items = attributes.items(keyword)
    return items[number - 1] if 1 <= number <= len(items) else Dataset()


def _limits(window: Attributes) -> tuple[float, float] | None:
    ranges = window.items("EnergyWindowRangeSequence")
    if len(ranges) != 1:  # several ranges are added up; one pair of limits would be untrue
        return None
    low = Attributes.of(ranges[0]).number("EnergyWindowLowerLimit")
    high = Attributes.of(ranges[0]).number("EnergyWindowUpperLimit")
    return None if low is None or high is None else (low, high)


def _view(detector: Level) -> str:
    codes = Attributes.of(detector).items("ViewCodeSequence")
    return Attributes.of(codes[0]).text("CodeMeaning") if codes else ""


def _dynamic_times(
    attributes: Attributes, vectors: dict[str, list[int]]
) -> dict[tuple[int, int], float] | None:
    """Start in seconds of every (phase, time slice); None when a phase does not say how long its frames are."""
    if "time" not in vectors:
        return None
    phases = vectors.get("phase", [1] * len(vectors["time"]))
    items = attributes.items("PhaseInformationSequence")
    starts: dict[tuple[int, int], float] = {}
    now = 0.0
    for phase in range(1, max(phases) + 1):
        item = Attributes.of(items[phase - 1]) if phase <= len(items) else Attributes.of(Dataset())
        duration = item.number("ActualFrameDuration")
        if duration is None or duration <= 0:
            return None
        now += (item.number("PhaseDelay") or 0.0) if phase > 1 else 0.0
        pause = item.number("PauseBetweenFrames") or 0.0
        count = max((t for p, t in zip(phases, vectors["time"], strict=True) if p == phase), default=0)
        for frame in range(1, count + 1):
            starts[phase, frame] = now / 1000
            now += duration + (pause if frame < count else 0.0)
    keys = set(zip(phases, vectors["time"], strict=True))
    return starts if keys <= set(starts) else None


def _angles(attributes: Attributes, vectors: dict[str, list[int]], frames: int) -> list[float] | None:
    """Degrees of the detector for every frame, by the Rotation Information Sequence (0054,0052); None when it is not said."""
    if "angular_view" not in vectors:
        return None
    rotations = vectors.get("rotation", [1] * frames)
    detectors = vectors.get("detector", [1] * frames)
    found = []
    for rotation, detector, view in zip(rotations, detectors, vectors["angular_view"], strict=True):
        item = Attributes.of(_nth(attributes, "RotationInformationSequence", rotation))
        own = Attributes.of(_nth(attributes, "DetectorInformationSequence", detector))
        # Each detector starts where it stands; the rotation tells where the first one does.
        start = own.number("StartAngle")
        start = item.number("StartAngle") if start is None else start
        step, direction = item.number("AngularStep"), item.text("RotationDirection").upper()
        if start is None or step is None or direction not in ("CW", "CC"):
            return None
        # Seen from the feet angles grow counter-clockwise.
        found.append((start + (step if direction == "CC" else -step) * (view - 1)) % 360)
    return found


def _along_fewest(name: str, values: FloatArray, dims: tuple[str, ...], said: dict[str, str]) -> xr.Variable:
    """A label along those axes alone along which it differs."""
    kept = []
    for axis, dim in reversed(list(enumerate(dims))):
        if np.all(values == np.take(values, [0], axis)):
            values = np.take(values, 0, axis)
        else:
            kept.append(dim)
    return xr.Variable(tuple(reversed(kept)), values, said)


def nm_cosines(attributes: Attributes) -> FloatArray | None:
    """Image Orientation (Patient) of a reconstructed nuclear medicine image, shape ``(6,)``, or None."""
    return _numbers(attributes, "ImageOrientationPatient", 6)


def nm_positions(attributes: Attributes, frames: int) -> FloatArray | None:
    """LPS mm of the centre of the first pixel of every frame of a reconstructed nuclear medicine image.

    Image Position (Patient) in the Detector Information Sequence (0054,0022) is that of the slice numbered 1; the others
    follow along *n = r x c* by Spacing Between Slices (0018,0088), whose sign counts.

    Returns
    -------
    numpy.ndarray or None
        Shape ``(frames, 3)``; frames of one slice (energy windows, time slots) share a position. None for projections, and
        where position, orientation, spacing or slice numbers are missing or broken: then no frame has a place.

    References
    ----------
    PS3.3 C.8.4.11 "NM Detector", C.8.4.15 "NM Reconstruction".
    """
    if not any("RECON" in kind for kind in attributes.texts("ImageType")):
        return None
    cosines, first = nm_cosines(attributes), _numbers(attributes, "ImagePositionPatient", 3)
    step, numbers = attributes.number("SpacingBetweenSlices"), attributes.numbers("SliceVector")
    if frames == 1 and numbers is None:
        numbers = np.ones(1)
    if cosines is None or first is None or numbers is None or numbers.size != frames:
        return None
    if not step:
        if frames > 1 and len(set(numbers.tolist())) > 1:
            return None
        step = 0.0
    try:
        normal = affine.direction_from_cosines(cosines)[0][:, 0]
    except GeometryError:
        return None
    positions: FloatArray = first + np.outer((numbers - 1) * step, normal)
    return positions


def _numbers(attributes: Attributes, keyword: str, count: int) -> FloatArray | None:
    detectors = attributes.items("DetectorInformationSequence")
    found = [numbers for item in detectors if (numbers := Attributes.of(item).numbers(keyword)) is not None]
    # Several detectors that see from different sides have no one place.
    if not found or any(one.size != count or not np.allclose(one, found[0]) for one in found):
        return None
    return found[0]
