"""Which images the contours of a written structure set lie on: `Images`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import UID

from dicomlab.export.origin import Origin
from dicomlab.geometry import Geometry
from dicomlab.read.planes import Plane

__all__ = ["Images"]

FloatArray = npt.NDArray[np.float64]

_SAME = 0.01
"""mm within which a slice and an image lie in one plane."""
_STUDY = "1.2.840.10008.3.1.2.3.1"
"""Detached Study Management, retired: what Referenced SOP Class UID of a study still has to be."""


@dataclass(frozen=True, eq=False)
class Images:
    """The images of a source, and which of them lie in the plane of each slice; none where there is no source.

    Parameters
    ----------
    origin
        None where images are not referred to.
    places
        For each slice, the planes of the source that it lies in.
    """

    origin: Origin | None
    places: tuple[tuple[Plane, ...], ...]

    @classmethod
    def of(cls, origin: Origin | None, geometry: Geometry) -> Images:
        """Those of a source that lies in the frame of reference of the mask."""
        if origin is None or not origin.shares_frame or not origin.first.get("SeriesInstanceUID"):
            return cls(None, ())
        planes = origin.stack.planes
        cosines = cast(FloatArray, planes[0].cosines)  # the stack is placed
        normal = np.cross(cosines[:3], cosines[3:])
        normal = normal / np.linalg.norm(normal)
        heights = np.array([cast(FloatArray, plane.position) @ normal for plane in planes])
        slices, rows, columns = geometry.shape
        corners = [(i, j) for i in (0, rows - 1) for j in (0, columns - 1)]
        at = geometry.lps([[[k, i, j] for i, j in corners] for k in range(slices)]) @ normal
        near = [np.flatnonzero((np.abs(heights[:, None] - own) <= _SAME).all(axis=1)) for own in at]
        return cls(origin, tuple(tuple(planes[n] for n in some.tolist()) for some in near))

    def on(self, k: int) -> list[Dataset]:
        """Contour Image Sequence (3006,0016) of a contour of slice `k`."""
        return _references(self.places[k]) if self.places else []

    def referenced(self, frame: UID, study: str) -> Dataset:
        """Item of the Referenced Frame of Reference Sequence (3006,0010), with all images of the source."""
        item = Dataset()
        item.FrameOfReferenceUID = frame
        if self.origin is None:
            return item
        series = Dataset()
        series.SeriesInstanceUID = self.origin.first.SeriesInstanceUID
        series.ContourImageSequence = _references(self.origin.stack.planes)
        if not series.ContourImageSequence:
            return item
        one = Dataset()
        one.ReferencedSOPClassUID = _STUDY
        one.ReferencedSOPInstanceUID = study
        one.RTReferencedSeriesSequence = [series]
        item.RTReferencedStudySequence = [one]
        return item


def _references(planes: tuple[Plane, ...]) -> list[Dataset]:
    frames: dict[int, tuple[Plane, list[int]]] = {}
    for plane in planes:
        frames.setdefault(id(plane.instance), (plane, []))[1].append(plane.frame + 1)
    found = []
    for plane, numbers in frames.values():
        instance = plane.instance
        if not instance.text("SOPInstanceUID") or not instance.text("SOPClassUID"):
            continue
        item = Dataset()
        item.ReferencedSOPClassUID = instance.text("SOPClassUID")
        item.ReferencedSOPInstanceUID = instance.text("SOPInstanceUID")
        if instance.frames > 1:
            item.ReferencedFrameNumber = sorted(set(numbers))
        found.append(item)
    return found
