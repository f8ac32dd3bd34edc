"""What a written series takes from the series it was made of: `Origin`, and which of its images each new image comes from."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as Items
from pydicom.tag import Tag

from dicomlab.errors import DicomLabError
from dicomlab.export.place import Placement, decimal
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.planes import Plane
from dicomlab.read.progress import progress_bar
from dicomlab.read.stacks import Stack
from dicomlab.warn import quiet

__all__ = ["Origin", "code", "copied"]

FloatArray = npt.NDArray[np.float64]

_SAME = 0.01
"""mm within which two planes are one, as for the guards of a volume."""


class Origin:
    """The stack that a volume was made from.

    Parameters
    ----------
    stack
        Its images.
    keywords
        Attributes that may be asked for by `agreed`.
    frame
        Frame of Reference UID of the volume: the places of its images mean something for the stack only in the same frame.
    """

    def __init__(self, stack: Stack, keywords: Iterable[str], frame: str, progress: bool = True) -> None:
        self.stack = stack
        wanted = dict.fromkeys(keywords)
        self._headers: dict[int, Dataset] = {}
        self.first = Dataset()
        for k, instance in enumerate(progress_bar(stack.instances, "reading headers", progress)):
            header = read_header(instance.file)
            if not k:
                self.first = header
            self._headers[id(instance)] = copied(header, wanted)
        self._constant = {keyword: self._among(self._headers.values(), keyword) for keyword in wanted}
        own = {plane.text("FrameOfReferenceUID") or f"unknown:{stack.uid}" for plane in stack.planes}
        # Once lost is lost for good (PS3.3 C.7.6.1.1.5), even of some images alone.
        self.is_lossy = any(header.get("LossyImageCompression") == "01" for header in self._headers.values())
        self.shares_frame: bool = own == {frame} and stack.is_placed

    def images_of(self, placement: Placement, k: int, labels: Mapping[str, Hashable]) -> tuple[Plane, ...]:
        """The images that lie where slice `k` lies, or on either side of it, at the steps with these labels.

        All of them where the frames differ, so that nothing says what lies where.
        """
        if not self.shares_frame:
            return self.stack.planes
        heights, levels = self._heights
        at = placement.corners[k] @ self._normal
        below = levels[levels <= at.min() + _SAME].max(initial=-np.inf)
        above = levels[levels >= at.max() - _SAME].min(initial=np.inf)
        near = (heights >= below - _SAME) & (heights <= above + _SAME)
        found = [self.stack.planes[number] for number in np.flatnonzero(near)]
        told = [plane for plane in found if self._is_of(plane, labels)]
        return tuple(told or found)

    def holds(self, placement: Placement) -> bool:
        """Whether every slice lies in the plane of an image, and neighbours are neighbours there."""
        if not self.shares_frame:
            return False
        _, levels = self._heights
        at = placement.corners @ self._normal
        flat = bool(np.ptp(at, axis=1).max() <= _SAME)
        on = bool(np.abs(at[:, :1] - levels).min(axis=1).max() <= _SAME) if flat else False
        if not on or len(at) == 1 or levels.size == 1:
            return on
        own = np.median(np.diff(levels))
        return placement.gap is None or bool(abs(placement.gap - own) <= max(_SAME, 0.01 * own))

    def agreed(self, keyword: str, planes: Sequence[Plane]) -> DataElement | None:
        """The attribute in which all these images agree; None where one lacks it, or says something else."""
        constant = self._constant[keyword]
        if constant is not None:
            return constant
        return self._among((self._headers[key] for key in {id(plane.instance) for plane in planes}), keyword)

    def references(self, planes: Sequence[Plane]) -> tuple[Items, Items]:
        """Source Image Sequence (0008,2112) and Referenced Series Sequence (0008,1115) for these images.

        References
        ----------
        PS3.3 C.7.6.1 "General Image Module", C.12.2 "Common Instance Reference Module".
        """
        frames: dict[int, tuple[Instance, list[int]]] = {}
        for plane in planes:
            frames.setdefault(id(plane.instance), (plane.instance, []))[1].append(plane.frame + 1)
        sources, series = [], []
        for instance, numbers in frames.values():
            if not instance.text("SOPInstanceUID") or not instance.text("SOPClassUID"):
                continue
            one, other = _reference(instance), _reference(instance)
            if instance.frames > 1:
                one.ReferencedFrameNumber = sorted(set(numbers))
            one.PurposeOfReferenceCodeSequence = [
                code("121322", "DCM", "Source image for image processing operation")
            ]
            sources.append(one)
            series.append(other)
        if not sources or not self.first.get("SeriesInstanceUID"):
            return Items(sources), Items()
        item = Dataset()
        item.SeriesInstanceUID = self.first.SeriesInstanceUID
        item.ReferencedInstanceSequence = series
        return Items(sources), Items([item])

    @staticmethod
    def _among(headers: Iterable[Dataset], keyword: str) -> DataElement | None:
        tag = Tag(keyword)
        elements = [header.get(tag) for header in headers]
        first = elements[0] if elements else None
        if first is None or first.is_empty or any(element != first for element in elements):
            return None
        return first

    @cached_property
    def _normal(self) -> FloatArray:
        cosines = self.stack.planes[0].cosines
        assert cosines is not None  # the stack is placed
        normal = np.cross(cosines[:3], cosines[3:])
        return np.asarray(normal / np.linalg.norm(normal))

    @cached_property
    def _heights(self) -> tuple[FloatArray, FloatArray]:
        """Height of each plane along the normal, and the different heights, ascending."""
        heights = np.array([cast(FloatArray, plane.position) @ self._normal for plane in self.stack.planes])
        levels = np.sort(heights)
        return heights, levels[np.concatenate([[True], np.diff(levels) > _SAME])]

    @cached_property
    def _labels(self) -> dict[int, dict[str, Hashable]]:
        """Label of each plane along each extra axis of the stack; none where it makes no array."""
        try:
            arrangement = self.stack.arrangement
        except DicomLabError:
            return {}
        found = {}
        for plane, index in zip(arrangement.planes, np.ndindex(arrangement.shape), strict=True):
            found[id(plane)] = {
                name: values[step].item()
                for axis, step in zip(arrangement.axes, index, strict=False)
                for name, values in {axis.name: axis.values, **axis.beside}.items()
            }
        return found

    def _is_of(self, plane: Plane, labels: Mapping[str, Hashable]) -> bool:
        own = self._labels.get(id(plane), {})
        # NaN, of a direction that there is not, equals NaN.
        return all(
            own[name] == label or own[name] != own[name] for name, label in labels.items() if name in own
        )


def copied(header: Dataset, keywords: Iterable[str]) -> Dataset:
    """A data set with these attributes of a header, as far as it has them; texts in no character set any more."""
    found = Dataset()
    with quiet():  # what a source says may break rules, and is repeated as it stands
        for keyword in keywords:
            if keyword in header and not header[keyword].is_empty:
                found.add(_copy(header[keyword]))
    return found


def _copy(element: DataElement) -> DataElement:
    value: Any = element.value
    if element.VR == "SQ":
        value = Items([_copied_item(item) for item in value])
    elif element.VR == "PN":
        value = str(value) if element.VM <= 1 else [str(name) for name in value]
    elif element.VR == "DS" and not element.is_empty:
        # Devices write more than the sixteen characters that there may be.
        numbers = [value] if element.VM == 1 else list(value)
        texts = [str(one) if len(str(one)) <= 16 else decimal(one) for one in numbers]
        value = texts[0] if element.VM == 1 else texts
    return DataElement(element.tag, element.VR, value)


def _copied_item(item: Dataset) -> Dataset:
    found = Dataset()
    for element in item:
        if not element.tag.is_private and element.keyword != "SpecificCharacterSet":
            found.add(_copy(element))
    return found


def code(value: str, scheme: str, meaning: str) -> Dataset:
    """Item of a code sequence (PS3.3 8.8)."""
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return item


def _reference(instance: Instance) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = instance.text("SOPClassUID")
    item.ReferencedSOPInstanceUID = instance.text("SOPInstanceUID")
    return item
