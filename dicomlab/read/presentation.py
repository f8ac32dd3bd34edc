"""Presentation states: how somebody saved images to be shown (PS3.3 A.33, PS3.4 Annex N).

Only the windows of grayscale presentation states are used. They are offered by name beside those of the images; the rest
(annotations, shutters, rotation ...) is not applied, and named.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.errors import DicomLabError
from dicomlab.findings import Finding
from dicomlab.privacy import shown
from dicomlab.read.alike import Headers
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.identity import identity_in_header
from dicomlab.read.luts import LutError, lut_table
from dicomlab.read.modality import Transform
from dicomlab.read.voi import may_be_negative, voi_windows
from dicomlab.windowing import AnyWindow

__all__ = ["Presentation", "attach", "presentation_findings", "presentation_windows", "presentations_of"]

_CLASSES = "1.2.840.10008.5.1.4.1.1.11."
_GRAYSCALE = _CLASSES + "1"

References = Mapping[str, frozenset[int]]
"""SOP Instance UIDs and the frames of each, from 1; no frames for all of them."""


@dataclass(frozen=True, eq=False)
class Presentation:
    """A saved presentation state and the windows that it holds for images.

    Parameters
    ----------
    label
        Content Label (0070,0080).
    description
        Content Description (0070,0081).
    file
        Name of its file.
    windows
        Windows and VOI LUTs, called by the label and their own explanation.
    not_applied
        What else it asks for, in words: dicomlab shows none of that.
    """

    label: str
    description: str
    file: str
    not_applied: tuple[str, ...]
    _selections: tuple[tuple[References, tuple[AnyWindow, ...]], ...] = field(default=(), repr=False)
    _modality: Transform = field(default_factory=Transform, repr=False)

    @property
    def windows(self) -> tuple[AnyWindow, ...]:
        """Windows for any of the images it refers to, each once."""
        return tuple(dict.fromkeys(window for _, windows in self._selections for window in windows))

    def windows_of(self, uid: str, frame: int | None = None) -> tuple[AnyWindow, ...]:
        """Windows for one image.

        Parameters
        ----------
        uid
            Its SOP Instance UID.
        frame
            Its number from 1; None where any frame will do.
        """
        for references, windows in self._selections:
            frames = references.get(uid)
            if frames is not None and (not frames or frame is None or frame in frames):
                return windows
        return ()

    def fits(self, transform: Transform) -> bool:
        """Whether its windows are for the values that `transform` makes.

        A presentation state brings its own Modality LUT, and none means stored values (PS3.4 N.2): only where that is the
        one of the image are its windows in the units of the volume.
        """
        own = self._modality
        if own.lut is not None or transform.lut is not None:
            return own.first == transform.first and np.array_equal(_table(own), _table(transform))
        numbers = (own.slope, own.intercept), (transform.slope, transform.intercept)
        return bool(np.allclose(*numbers, rtol=1e-6, atol=1e-9))

    def __repr__(self) -> str:
        lacks = f"; not applied: {', '.join(self.not_applied)}" if self.not_applied else ""
        return f"<Presentation {self.label!r}: {len(self.windows)} windows{lacks}>"


def _table(transform: Transform) -> npt.NDArray[np.int64]:
    return np.empty(0, np.int64) if transform.lut is None else transform.lut


Key = TypeVar("Key")


def attach(found: Mapping[Key, Sequence[int]], headers: Headers) -> dict[Key, list[Instance]]:
    """Instances, each with the presentation states among them that refer to it, the newest first.

    Parameters
    ----------
    found
        Which of all instances belong together.
    headers
        Of all instances.
    """
    instances = cast(Sequence[Instance], headers.members)
    by_key = {key: [instances[k] for k in members] for key, members in found.items()}
    kinds, uids = headers.texts("SOPClassUID"), headers.texts("SOPInstanceUID")
    everything = [k for members in found.values() for k in members]
    states = [instances[k] for k in everything if kinds[k].startswith(_CLASSES)]
    if not states:
        return by_key
    images = {uids[k]: instances[k] for k in everything if instances[k].is_image}
    dated = []
    for state in states:
        try:
            header = Attributes.of(read_header(state.file))
        except (DicomLabError, OSError):
            continue  # a damaged one is only not offered: it moves and values no voxel
        when = header.text("PresentationCreationDate") + header.text("PresentationCreationTime")
        dated.append((when, state.text("SOPInstanceUID"), header, state.file.name))
    of: dict[str, list[Presentation]] = {}
    for _, _, header, name in sorted(dated, key=lambda one: one[:2], reverse=True):
        references = _references(header)
        presentation = _read(header, name, references, [images[uid] for uid in references if uid in images])
        for uid in references:
            of.setdefault(uid, []).append(presentation)
    return {
        key: [_with(instance, of.get(instance.text("SOPInstanceUID"))) for instance in members]
        for key, members in by_key.items()
    }


def _with(instance: Instance, presentations: list[Presentation] | None) -> Instance:
    if presentations is None:
        return instance
    return Instance(
        instance.file, instance.header, instance.pixels, instance.transfer_syntax, tuple(presentations)
    )


def _references(header: Attributes) -> dict[str, frozenset[int]]:
    """The images that a presentation state is for (PS3.3 C.11.11)."""
    found: dict[str, frozenset[int]] = {}
    for series in header.items("ReferencedSeriesSequence"):
        found |= _images(Attributes.of(series))
    return found


def _images(item: Attributes) -> dict[str, frozenset[int]]:
    """Referenced Image Sequence (0008,1140) of an item (PS3.3 Table 10-3)."""
    found = {}
    for one in map(Attributes.of, item.items("ReferencedImageSequence")):
        numbers = one.numbers("ReferencedFrameNumber")
        frames = () if numbers is None else (int(number) for number in numbers)
        found[one.text("ReferencedSOPInstanceUID")] = frozenset(frames)
    return found


def _read(header: Attributes, file: str, references: References, images: Sequence[Instance]) -> Presentation:
    who = identity_in_header(cast(Dataset, header.levels[0]))
    label, description = (shown(header.text(name), who) for name in ("ContentLabel", "ContentDescription"))
    if header.text("SOPClassUID") != _GRAYSCALE:
        return Presentation(label, description, file, ("anything: it is no grayscale presentation state",))
    modality = _modality(header, any(i.integer("PixelRepresentation", 0) == 1 for i in images))
    if modality is None:
        return Presentation(label, description, file, ("windows: its Modality LUT is broken",))
    signed = any(may_be_negative(image, modality) for image in images)
    selections = []
    names: set[str] = set()
    for item in header.items("SoftcopyVOILUTSequence"):
        one = Attributes.of(item)
        windows = voi_windows(one, signed)
        if windows:
            # Without images of its own, an item is for all (C.11.8).
            own = _images(one) if one.items("ReferencedImageSequence") else references
            selections.append((own, tuple(_named(window, label, names) for window in windows)))
    return Presentation(
        label, description, file, tuple(_not_applied(header, images)), tuple(selections), modality
    )


def _named(window: AnyWindow, label: str, taken: set[str]) -> AnyWindow:
    """The window, called by the presentation state and by its own explanation."""
    words = [" ".join(text.split()) for text in (label or "presentation state", window.explanation)]
    name = free = ": ".join(filter(None, words))
    number = 1
    while free in taken:
        number += 1
        free = f"{name} ({number})"
    taken.add(free)
    return replace(window, explanation=free)


def _modality(header: Attributes, signed: bool) -> Transform | None:
    """The Modality LUT of a presentation state (C.11.1); identity when it has none, None when it is broken."""
    items = header.items("ModalityLUTSequence")
    if not items:
        slope, intercept = header.number("RescaleSlope"), header.number("RescaleIntercept")
        return Transform(1.0 if slope is None else slope, 0.0 if intercept is None else intercept)
    try:
        first, lut, _ = lut_table(items[0], signed)
    except LutError:
        return None
    return Transform(lut=lut, first=first)


def _not_applied(header: Attributes, images: Sequence[Instance]) -> Iterator[str]:
    """What a grayscale presentation state asks for beside windows (A.33.1.3)."""
    if header.items("GraphicAnnotationSequence"):
        yield "annotations"
    if header.text("ShutterShape"):
        yield "shutter"
    if header.integer("ImageRotation", 0) % 360 or header.text("ImageHorizontalFlip").upper() == "Y":
        yield "rotation or flip"
    if header.items("MaskSubtractionSequence"):
        yield "mask subtraction"
    if any(
        0x6000 <= element.tag.group <= 0x601E for level in header.levels for element in cast(Dataset, level)
    ):
        yield "overlays"
    if header.items("PresentationLUTSequence"):
        yield "Presentation LUT"
    # It overrides Photometric Interpretation (PS3.4 N.2.1.4), which dicomlab goes by.
    shape = header.text("PresentationLUTShape").upper()
    inverse = {image.text("PhotometricInterpretation") == "MONOCHROME1" for image in images}
    if (shape == "INVERSE" and False in inverse) or (shape == "IDENTITY" and True in inverse):
        yield f"polarity (invert={shape == 'INVERSE'} shows it)"


def presentation_windows(
    instances: Sequence[Instance], transforms: Sequence[Transform], frames: Sequence[int] | None = None
) -> list[AnyWindow]:
    """Windows of the presentation states of a stack, in the units of its values.

    A presentation state may window every image differently: of those it refers to, the one nearest to the middle of the
    stack decides, as the middle is what is looked at first.

    Parameters
    ----------
    instances, transforms
        The images and what makes their values.
    frames
        Frame numbers of multi-frame images, from 1.
    """
    return [
        window
        for presentation, place, windows in _nearest_middle(instances, frames)
        if presentation.fits(transforms[place])
        for window in windows
    ]


def presentation_findings(
    instances: Sequence[Instance], transforms: Sequence[Transform], frames: Sequence[int] | None = None
) -> Iterator[Finding]:
    """One finding for each presentation state whose windows are for other values than those of the volume."""
    for presentation, place, _ in _nearest_middle(instances, frames):
        if not presentation.fits(transforms[place]):
            yield Finding(
                "presentation_differs",
                "a presentation state has windows for values of another Modality LUT "
                f"({_formula(presentation._modality)}) than that of the images ({_formula(transforms[place])})",
                (presentation.file,),
            )


def _formula(transform: Transform) -> str:
    if transform.lut is not None:
        return f"a table of {transform.lut.size} entries"
    return f"slope {transform.slope:g}, intercept {transform.intercept:g}"


def _nearest_middle(
    instances: Sequence[Instance], frames: Sequence[int] | None
) -> Iterator[tuple[Presentation, int, tuple[AnyWindow, ...]]]:
    """Each presentation state with windows, the place of the image that decides, and the windows for it."""
    if not any(instance.presentations for instance in instances):
        return
    middle = len(instances) // 2
    done: set[Presentation] = set()
    for place in sorted(range(len(instances)), key=lambda k: abs(k - middle)):
        instance = instances[place]
        for presentation in instance.presentations:
            frame = None if frames is None else frames[place]
            windows = presentation.windows_of(instance.text("SOPInstanceUID"), frame)
            if windows and presentation not in done:
                done.add(presentation)
                yield presentation, place, windows


def presentations_of(instances: Iterable[Instance]) -> tuple[Presentation, ...]:
    """Presentation states of any of these images, each once."""
    return tuple(dict.fromkeys(one for instance in instances for one in instance.presentations))
