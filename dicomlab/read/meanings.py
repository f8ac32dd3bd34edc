"""What an extra axis can mean: the attributes that say so, their units, and the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt
from pydicom.datadict import dictionary_description, dictionary_VR, tag_for_keyword
from pydicom.tag import Tag

from dicomlab.errors import DicomLabError
from dicomlab.privacy import IS_CLEANED, identity_shown, is_identifying
from dicomlab.read import labels
from dicomlab.read.alike import Headers
from dicomlab.read.diffusion import diffusion
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.planes import Plane
from dicomlab.read.wanted import LISTED

__all__ = [
    "AUTO",
    "ORDER",
    "Meaning",
    "clock_of",
    "diffusion_label",
    "named_meanings",
    "plane_numbers",
    "sequence_key",
    "sequence_keys",
]

Described: TypeAlias = (
    "tuple[str, npt.NDArray[Any], str, str] | tuple[str, npt.NDArray[Any], str, str, Mapping[str, Any]]"
)


Clock: TypeAlias = Callable[[Headers], "list[float | None]"]
"""Seconds of every image."""


def _number(*keywords: str, places: int = 4) -> Callable[[Attributes], Hashable]:
    """Label: the first of these attributes that is there, rounded so that noise of decimal strings makes no steps."""

    def label(plane: Attributes) -> Hashable:
        for keyword in keywords:
            number = plane.number(keyword)
            if number is not None:
                return round(number, places)
        return None

    return label


def _text(*keywords: str) -> Callable[[Attributes], Hashable]:
    return lambda plane: next(filter(None, (plane.text(keyword) for keyword in keywords)), None)


def _vector(keyword: str) -> Callable[[Headers], list[Hashable]]:
    """Labels: the number that a vector of nuclear medicine (PS3.3 C.8.4.8) gives each frame."""

    def labels_of(headers: Headers) -> list[Hashable]:
        vectors = headers.each(lambda header: header.numbers(keyword))
        if all(vector is None for vector in vectors):
            return [None] * len(vectors)
        frames = [cast(Plane, plane).frame for plane in headers.members]
        return [
            int(vector[frame]) if vector is not None and frame < vector.size else None
            for vector, frame in zip(vectors, frames, strict=True)
        ]

    return labels_of


@dataclass(frozen=True)
class Meaning:
    """One candidate for an extra axis.

    Parameters
    ----------
    name, units, source
        As of `Axis`.
    label
        What the header of a plane has in it: a number, a text, or None.
    by_rank
        Labels differ from position to position (times): their order decides, if every position has as many.
    takes_rest
        Equal labels may repeat; each repetition is a step, in the order of acquisition.
    otherwise
        Name of the axis when another one has `name` already; ``""``: then it is none.
    labels_of
        In place of `label` where more than the header counts: which frame it is, or its file.
    """

    name: str
    units: str
    source: str
    label: Callable[[Attributes], Hashable] | None = None
    by_rank: bool = False
    takes_rest: bool = False
    otherwise: str = ""
    labels_of: Callable[[Headers], Sequence[Hashable]] | None = None

    def labels(self, headers: Headers) -> list[Hashable]:
        """The label of every plane."""
        if self.labels_of is not None:
            return list(self.labels_of(headers))
        assert self.label is not None
        return headers.each(self.label)

    @property
    def says_outright(self) -> bool:
        """Whether another label certainly is another step; images of one step may differ in the rest of their Image Type."""
        return not self.by_rank and self.name not in ("image_type", "kernel")

    @staticmethod
    def sort_key(label: Hashable) -> tuple[int, Any]:
        """Numbers ascending, known words in their own order, then other text; what has no label comes first."""
        if label is None or label == "":
            return 0, 0
        if isinstance(label, str):
            return (1, _WORDS.index(label)) if label in _WORDS else (2, label)
        return 1, label

    @property
    def counts(self) -> str:
        """What the labels themselves are: the name, but a number of a moment is no time."""
        return _ORDINALS.get(self.source, self.name)

    def orders(self, labels_: Sequence[Hashable]) -> bool:
        """Whether these labels can order images; times of day without a date cannot, when midnight may lie between them."""
        times = [label for label in labels_ if isinstance(label, float)]
        undated = self.source == _ACQUIRED and bool(times) and max(times) < 2 * 86400
        return not (undated and max(times) - min(times) > 43200)

    def describe(
        self, labels_: Sequence[Hashable], steps: Sequence[Sequence[int]], headers: Headers
    ) -> Described:
        """Name, values, units and source of the axis whose steps have these labels and hold these planes."""
        if self.name == "b_value":
            return self._describe_diffusion([headers.members[step[0]] for step in steps])
        if self.name == "time":
            return self._describe_time(labels_, steps, headers)
        if self.name == "repetition":
            labels_ = range(1, len(labels_) + 1)
        return self.name, self.array(labels_), self.units, self.source

    def array(self, labels_: Sequence[Hashable]) -> npt.NDArray[Any]:
        """Labels as an array of numbers (integers where they only count), or of texts."""
        if all(value is None or isinstance(value, int | float) for value in labels_):
            numbers = np.array([np.nan if value is None else value for value in labels_])
            whole = bool(np.all(numbers == np.round(numbers)))  # never true of NaN
            return numbers.astype(np.int64) if whole and (not self.units or self.name == "time") else numbers
        return np.array([str(value or "unknown") for value in labels_])

    def _describe_diffusion(self, firsts: Sequence[Attributes]) -> Described:
        found = [diffusion(first) for first in firsts]
        vectors = np.array(
            [np.full(3, np.nan) if d is None or d.b_vector is None else np.asarray(d.b_vector) for d in found]
        )
        values = np.array([np.nan if d is None else d.b_value for d in found], dtype=np.float64)
        beside = {f"b_vector_{axis}": vectors[:, k] for k, axis in enumerate("xyz")}
        named = {d.source for d in found if d is not None}
        sources = sorted(one for one in named if not any(one != other and one in other for other in named))
        return self.name, values, self.units, ", ".join(sources), beside if np.isfinite(vectors).any() else {}

    def _describe_time(
        self, labels_: Sequence[Hashable], steps: Sequence[Sequence[int]], headers: Headers
    ) -> Described:
        """Seconds where they are known; else the ordinal under the name of its own attribute, which is no time."""
        # Trigger times are the time of cardiac phases; for repetitions the clock says when they were taken.
        for source, seconds in _CLOCKS:
            told = seconds(headers)
            if None in told:
                continue
            moments = np.array([[told[k] for k in step] for step in steps], dtype=np.float64)
            starts = moments.min(axis=1)
            # Everywhere: a clock that runs backwards at some positions did not order the images.
            if np.all(np.diff(starts) > 0) and np.all(np.diff(moments, axis=0) >= 0):
                first = starts[0] if source == _ACQUIRED else 0.0  # the others have a start of their own
                return self.name, np.round(starts - first, 6), "s", source
        ordinal = replace(self, name=_ORDINALS.get(self.source, "repetition"), units="")
        return ordinal.describe(labels_, steps, headers)


def _ms(keyword: str) -> Callable[[Attributes], float | None]:
    def seconds(plane: Attributes) -> float | None:
        number = plane.number(keyword)
        return None if number is None else number / 1000

    return seconds


def diffusion_label(plane: Attributes) -> Hashable:
    """b-value and direction of an image, rounded so that decimal strings make no steps; None where it says nothing."""
    found = diffusion(plane)
    if found is None:
        return None
    direction = found.stated if found.b_vector is None else found.b_vector
    vector = None if direction is None else tuple(np.round(direction, 3) + 0.0)
    return round(float(found.b_value), 2), vector


def _dimension_label(plane: Attributes) -> Hashable:
    index = labels.dimension_index(plane)
    return index[0] if index is not None and len(index) == 1 else index


def plane_numbers(headers: Headers) -> list[Hashable]:
    """Instance Number (0020,0013), and within one object the frame."""
    # Tiles of a mosaic and frames of one object share their number; the frame tells them apart.
    return [
        number * 10_000_000 + cast(Plane, plane).frame
        for number, plane in zip(headers.integers("InstanceNumber", 0), headers.members, strict=True)
    ]


_TEMPORAL = "Temporal Position Identifier (0020,0100) or Index (0020,9128)"
_ACQUISITION = "Acquisition Number (0020,0012)"
_TRIGGER = "Trigger Time (0018,1060) or Nominal Cardiac Trigger Delay Time (0020,9153)"
_ACQUIRED = "Acquisition Time (0008,0032) or Frame Acquisition DateTime (0018,9074)"

_NUMBERED = "the order of Instance Number (0020,0013)"
_ORDINALS = {_TEMPORAL: "temporal_position", _ACQUISITION: "acquisition_number"}


def _seconds_of(clock: Callable[[Attributes], float | None]) -> Clock:
    return lambda headers: headers.each(clock)


_CLOCKS: list[tuple[str, Clock]] = [
    ("Temporal Position Time Offset (0020,930D)", _seconds_of(labels.temporal_offset)),
    (_TRIGGER, _seconds_of(labels.nominal_trigger)),
    ("Frame Reference Time (0054,1300)", _seconds_of(_ms("FrameReferenceTime"))),
    (_ACQUIRED, labels.all_acquired),
]

_WORDS = [
    "magnitude",
    "phase",
    "real",
    "imaginary",
    "water",
    "fat",
    "in_phase",
    "opposed_phase",
    "m0",
    "label",
    "control",
]

AUTO: tuple[Meaning, ...] = (
    Meaning(
        "component", "", "Complex Image Component (0008,9208) or Image Type (0008,0008)", labels.component
    ),
    Meaning("dixon", "", "Image Type (0008,0008)", labels.dixon),
    Meaning("asl_context", "", "ASL Context (0018,9257)", labels.asl),
    Meaning("energy", "keV", "energy of virtual monoenergetic images", labels.energy),
    Meaning("energy_window", "", "Energy Window Vector (0054,0010)", labels_of=_vector("EnergyWindowVector")),
    Meaning("rr_interval", "", "R-R Interval Vector (0054,0060)", labels_of=_vector("RRIntervalVector")),
    Meaning("time_slot", "", "Time Slot Vector (0054,0070)", labels_of=_vector("TimeSlotVector")),
    Meaning("tube_voltage", "kV", "KVP (0018,0060)", labels.tube_voltage),
    Meaning("echo_time", "ms", "Echo Time (0018,0081)", _number("EffectiveEchoTime", "EchoTime")),
    Meaning("inversion_time", "ms", "Inversion Time (0018,0082)", _number("InversionTimes", "InversionTime")),
    Meaning("flip_angle", "degrees", "Flip Angle (0018,1314)", _number("FlipAngle")),
    Meaning("b_value", "s/mm2", "Diffusion b-value (0018,9087)", diffusion_label, takes_rest=True),
    Meaning(
        "cardiac_phase",
        "%",
        "Nominal Percentage of Cardiac Phase (0020,9241)",
        _number("NominalPercentageOfCardiacPhase"),
    ),
    Meaning("kernel", "", "Convolution Kernel (0018,1210)", _text("ConvolutionKernel")),
    Meaning(
        "image_type", "", "Image Type (0008,0008) or Frame Type (0008,9007)", _text("FrameType", "ImageType")
    ),
    Meaning("time", "s", _TEMPORAL, labels.temporal_position),
    Meaning("time", "s", _TRIGGER, labels.nominal_trigger, by_rank=True, otherwise="trigger_time"),
    Meaning("time", "s", "Frame Reference Time (0054,1300)", _ms("FrameReferenceTime"), by_rank=True),
    Meaning("time", "s", _ACQUIRED, by_rank=True, labels_of=labels.all_acquired),
    Meaning("time", "s", _ACQUISITION, _number("AcquisitionNumber")),
    Meaning("dimension_index", "", "Dimension Index Values (0020,9157)", _dimension_label),
    Meaning("time", "s", _NUMBERED, by_rank=True, labels_of=plane_numbers),
)
"""Candidates in the order in which they are tried: what is said outright before what only orders the images."""

ORDER: dict[str, int] = {
    name: k
    for k, name in enumerate(
        (
            "component",
            "dixon",
            "asl_context",
            "energy",
            "energy_window",
            "tube_voltage",
            "kernel",
            "image_type",
            "rr_interval",
            "time_slot",
            "time",
            "trigger_time",
            "cardiac_phase",
            "temporal_position",
            "acquisition_number",
            "dimension_index",
            "repetition",
            "b_value",
            "echo_time",
            "inversion_time",
            "flip_angle",
        )
    )
}
"""Which of several extra dimensions comes first."""


def clock_of(source: str) -> Clock | None:
    """How the seconds of an axis with this source are read off images; None for a source that is no clock."""
    return next((seconds for name, seconds in _CLOCKS if name == source), None)


def named_meanings(name: str) -> tuple[Meaning, ...]:
    """The candidates of this name, or one made of an attribute's keyword.

    Raises
    ------
    DicomLabError
        It is neither.
    """
    ordinal = {**_ORDINALS, _NUMBERED: "repetition"}
    known = tuple(
        replace(meaning, name=name, units="" if name != meaning.name else meaning.units)
        for meaning in AUTO
        if (meaning.name == name and (name != "time" or meaning.source not in (_ACQUISITION, _NUMBERED)))
        or ordinal.get(meaning.source) == name
    )
    if known:
        return known
    tag = tag_for_keyword(name) if isinstance(name, str) else None
    if tag is None:
        names = ", ".join(dict.fromkeys([*(meaning.name for meaning in AUTO), *ordinal.values()]))
        raise DicomLabError(
            f"dims names {name!r}, which is neither a known axis ({names}) nor the keyword of an attribute, such as "
            "'AcquisitionNumber'"
        )

    listed = Tag(tag) in LISTED
    if is_identifying(name, dictionary_VR(tag)) or (name in IS_CLEANED and not identity_shown()):
        raise DicomLabError(
            f"dims names {name!r}, which may say who the patient is: it labels a volume within dicomlab.show_identity() alone"
        )

    def labels_of(headers: Headers) -> list[Hashable]:
        whole: dict[Instance, Attributes] = {}
        found: list[Hashable] = []
        for plane in cast(Sequence[Plane], headers.members):
            header: Attributes = plane
            if not listed and not plane.has(name):  # finding series reads few attributes
                if plane.instance not in whole:
                    whole[plane.instance] = Attributes.of(read_header(plane.instance.file))
                header = whole[plane.instance]
            number = header.number(name)
            found.append(number if number is not None else header.text(name) or None)
        return found

    source = f"{dictionary_description(tag)} {Tag(tag)}"
    return (Meaning(name, "", source, by_rank=True, labels_of=labels_of),)


def sequence_key(plane: Plane) -> tuple[float, float, int, int]:
    """The order in which images were acquired, as far as their attributes say."""
    return sequence_keys(Headers([plane]))[0]


def sequence_keys(headers: Headers) -> list[tuple[float, float, int, int]]:
    """`sequence_key` of every plane."""
    moments = headers.each(labels.temporal_position)
    times = labels.all_acquired(headers)
    numbers = headers.integers("InstanceNumber", 0)
    return [
        (float(moment or 0), time or 0.0, number, cast(Plane, plane).frame)
        for moment, time, number, plane in zip(moments, times, numbers, headers.members, strict=True)
    ]
