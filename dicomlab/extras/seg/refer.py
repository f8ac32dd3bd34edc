"""Which images a segmentation is of: patient and study, and the images that each frame was drawn on."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, generate_uid

from dicomlab.errors import GeometryError
from dicomlab.export.origin import Origin, code
from dicomlab.export.place import NEAR, Placement, decimal
from dicomlab.export.subject import subject_of
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.planes import Plane

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

__all__ = ["find_origin", "refer", "stand_in"]

_LOSSY = ("LossyImageCompression", "LossyImageCompressionRatio", "LossyImageCompressionMethod")


def find_origin(source: Source | None, frame: str, progress: bool) -> Origin | None:
    """The images that a mask was made of.

    Raises
    ------
    GeometryError
        They lie in another frame of reference than the mask.
    """
    if source is None:
        return None
    stack, _ = find_stack(source, progress=progress)
    origin = Origin(stack, (*_LOSSY, "SliceThickness"), frame, progress)
    if not origin.shares_frame:
        theirs = stack.planes[0].text("FrameOfReferenceUID") or "one that nobody named"
        raise GeometryError(
            f"the mask lies in the frame of reference {frame}, the images of source= in {theirs}: their millimetres mean "
            "different places. Give the images that the mask was made of; or, if you know that both are one, "
            "mask.dicom.assume_frame(volume) first."
        )
    return origin


def stand_in(origin: Origin | None, placement: Placement, shape: tuple[int, int], frame: str) -> Dataset:
    """What highdicom asks a source image: a grid like that of the mask. No such image exists, and it is of nobody."""
    image = subject_of(None)
    image.SOPClassUID = CTImageStorage
    image.SOPInstanceUID, image.SeriesInstanceUID = generate_uid(prefix=None), generate_uid(prefix=None)
    image.Modality = "OT"
    image.FrameOfReferenceUID = frame
    image.Rows, image.Columns = shape
    placement.write(image, 0)
    image.SliceThickness = decimal(_thickness(origin, placement))
    for keyword in _LOSSY:
        element = None if origin is None else origin.agreed(keyword, ())
        if element is not None:
            image.add(element)
    return image


def _thickness(origin: Origin | None, placement: Placement) -> float:
    """Slice Thickness of the images where slices are theirs, else the distance of slices, the smallest of uneven ones."""
    if origin is not None and origin.holds(placement):
        found = origin.agreed("SliceThickness", ())
        if found is not None and float(found.value) > 0:
            return float(found.value)
    if placement.gap is not None:
        return placement.gap
    if len(placement.positions) == 1:
        raise GeometryError(
            "this mask has one slice, and nothing says how thick it is, as a Segmentation must (Slice Thickness (0018,0050)): "
            "isel(slice=[k]) instead of an integer keeps the step of the volume it is cut from; source= may know it"
        )
    return float(np.diff(np.sort(placement.positions @ placement.normal)).min())


def refer(made: Segmentation, origin: Origin | None, placement: Placement, shape: tuple[int, int]) -> None:
    """Give a segmentation its patient and study, and let each of its frames refer to the images that lie there.

    All this in place of what the image said that stood in: highdicom has opinions on the names of patients.

    References
    ----------
    PS3.3 C.7.6.16.2.6 "Derivation Image Macro", C.12.2 "Common Instance Reference Module".
    """
    made.update(subject_of(origin))
    frames = made.PerFrameFunctionalGroupsSequence
    for keyword in ("SourceImageSequence", "ReferencedSeriesSequence"):
        delattr(made, keyword)
    if origin is None:
        for frame in frames:
            del frame.DerivationImageSequence
        return

    @cache
    def derivation(k: int) -> Dataset:
        planes = origin.images_of(placement, k, {})
        item = Dataset()
        item.DerivationCodeSequence = [code("113076", "DCM", "Segmentation")]
        item.SourceImageSequence, _ = origin.references(planes)
        kept = all(_is_same(plane, placement, k, shape) for plane in planes)
        for image in item.SourceImageSequence:
            image.SpatialLocationsPreserved = "YES" if kept else "NO"
        used.update((id(plane), plane) for plane in planes)
        return item

    used: dict[int, Plane] = {}
    for frame in frames:
        at = np.array(frame.PlanePositionSequence[0].ImagePositionPatient, np.float64)
        k = int(np.abs(placement.positions - at).sum(axis=1).argmin())
        frame.DerivationImageSequence = [derivation(k)]
    images, series = origin.references(list(used.values()))
    for image in images:
        del image.PurposeOfReferenceCodeSequence
    made.SourceImageSequence, made.ReferencedSeriesSequence = list(images), list(series)


def _is_same(plane: Plane, placement: Placement, k: int, shape: tuple[int, int]) -> bool:
    """Whether every pixel of the slice is a pixel of the image."""
    if plane.position is None or plane.cosines is None or plane.pixel_spacing is None:
        return False
    return (
        plane.shape == shape
        and bool(np.abs(plane.position - placement.positions[k]).max() < NEAR)
        and bool(np.abs(plane.cosines - placement.cosines).max() * max(shape) < NEAR)
        and bool(np.abs(plane.pixel_spacing - placement.spacing).max() * max(shape) < NEAR)
    )
