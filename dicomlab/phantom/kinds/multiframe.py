"""Enhanced multi-frame objects (PS3.3 C.7.6.16): classic slices of the phantom become frames with functional groups."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.datadict import dictionary_description, tag_for_keyword
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import generate_uid

from dicomlab.phantom.dicom import _code
from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.scene import set_stored

__all__ = ["START", "Frame", "Groups", "item", "multiframe", "place_groups", "value_group"]

Groups = dict[str, Dataset]
"""Functional groups: keyword of the sequence -> its one item."""

START: Final = "20240229113000.000000"

_OF_SLICES: Final = (
    "ImagePositionPatient ImageOrientationPatient PixelSpacing SliceThickness SpacingBetweenSlices RescaleSlope "
    "RescaleIntercept RescaleType WindowCenter WindowWidth WindowCenterWidthExplanation AcquisitionDate "
    "AcquisitionTime EchoTime RepetitionTime FlipAngle EchoTrainLength ScanningSequence SequenceVariant ScanOptions "
    "MRAcquisitionType SequenceName ImagingFrequency ImagedNucleus NumberOfAverages PixelBandwidth KVP "
    "DataCollectionDiameter ReconstructionDiameter GantryDetectorTilt XRayTubeCurrent ExposureTime ConvolutionKernel "
    "BodyPartExamined ContrastBolusAgent ContrastBolusRoute SeriesType NumberOfSlices ImageIndex ActualFrameDuration "
    "FrameReferenceTime DecayFactor CorrectedImage RandomsCorrectionMethod CollimatorType ReconstructionMethod "
    "AttenuationCorrectionMethod ScatterCorrectionMethod"
)
"""What stands at the top of a classic slice, and in functional groups (or nowhere) of an enhanced object."""


@dataclass
class Frame:
    """One frame: stored values (rows, columns), its own functional groups, its place along each dimension (from 1)."""

    stored: npt.NDArray[Any]
    groups: Groups
    index: tuple[int, ...]
    content: dict[str, Any] = field(default_factory=dict)


def item(**attributes: Any) -> Dataset:
    """Return a data set of these attributes."""
    found = Dataset()
    for keyword, value in attributes.items():
        setattr(found, keyword, value)
    return found


def place_groups(place: Grid, k: int) -> tuple[Groups, Groups]:
    """Return what a slice of the grid says of its own place, and what all slices say alike (C.7.6.16.2.1, .3, .4)."""
    own = {"PlanePositionSequence": item(ImagePositionPatient=list(place.positions[k]))}
    alike = {
        "PlaneOrientationSequence": item(ImageOrientationPatient=list(place.cosines)),
        "PixelMeasuresSequence": item(
            SliceThickness=decimal(place.step),
            PixelSpacing=list(place.spacing),
            SpacingBetweenSlices=decimal(place.step),
        ),
    }
    return own, alike


def value_group(slope: float = 1.0, intercept: float = 0.0, kind: str = "US") -> Groups:
    """Return the Pixel Value Transformation (C.7.6.16.2.9)."""
    return {
        "PixelValueTransformationSequence": item(
            RescaleIntercept=decimal(intercept), RescaleSlope=decimal(slope), RescaleType=kind
        )
    }


def anatomy() -> Groups:
    """Return Frame Anatomy (C.7.6.16.2.8)."""
    region = _code("416550000", "Chest and Abdomen")
    return {"FrameAnatomySequence": item(FrameLaterality="U", AnatomicRegionSequence=[region])}


def multiframe(
    first: Dataset,
    sop_class: str,
    frames: Sequence[Frame],
    shared: Groups,
    dimensions: Sequence[tuple[str, str]],
    *,
    bits: int = 16,
    signed: bool = False,
    top: Mapping[str, Any],
) -> Dataset:
    """Return one object of all frames.

    Parameters
    ----------
    first
        A classic slice: patient, study, equipment and series are taken from it.
    sop_class
        SOP Class UID.
    frames
        In the order in which they are stored.
    shared
        Functional groups of all frames.
    dimensions
        Keywords of the attribute and of the functional group of each dimension (C.7.6.17).
    bits, signed
        How values are stored.
    top
        More attributes of the top level.
    """
    ds = copy.deepcopy(first)
    for keyword in _OF_SLICES.split():
        if keyword in ds:
            del ds[keyword]
    ds.SOPClassUID = sop_class
    ds.InstanceNumber, ds.AcquisitionNumber = 1, 1
    ds.AcquisitionDateTime = START
    ds.AcquisitionDuration = 60.0
    ds.ContentQualification = "PRODUCT"
    ds.PixelPresentation, ds.VolumetricProperties = "MONOCHROME", "VOLUME"
    ds.VolumeBasedCalculationTechnique = "NONE"
    ds.PresentationLUTShape, ds.LossyImageCompression, ds.BurnedInAnnotation = "IDENTITY", "00", "NO"
    ds.AcquisitionContextSequence = []
    for keyword, value in top.items():
        setattr(ds, keyword, value)

    organization = generate_uid(entropy_srcs=["dicomlab", "phantom", "dimensions", *map(str, dimensions)])
    ds.DimensionOrganizationSequence = [item(DimensionOrganizationUID=organization)]
    ds.DimensionIndexSequence = [
        item(
            DimensionOrganizationUID=organization,
            DimensionIndexPointer=_tag(attribute),
            FunctionalGroupPointer=_tag(group),
            DimensionDescriptionLabel=dictionary_description(attribute),
        )
        for attribute, group in dimensions
    ]
    ds.NumberOfFrames = len(frames)
    ds.SharedFunctionalGroupsSequence = [_groups(shared)]
    ds.PerFrameFunctionalGroupsSequence = [_groups(_own(frame)) for frame in frames]
    set_stored(ds, np.array([frame.stored for frame in frames]), bits=bits, signed=signed)
    return ds


def _own(frame: Frame) -> Groups:
    index = frame.index[0] if len(frame.index) == 1 else list(frame.index)
    content = {
        "FrameAcquisitionNumber": 1,
        "FrameReferenceDateTime": START,
        "FrameAcquisitionDateTime": START,
        "FrameAcquisitionDuration": 100.0,
        "DimensionIndexValues": index,
        **frame.content,
    }
    return {"FrameContentSequence": item(**content), **frame.groups}


def _groups(groups: Groups) -> Dataset:
    found = Dataset()
    for keyword, group in groups.items():
        setattr(found, keyword, [group])
    return found


def _tag(keyword: str) -> Any:
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"no attribute is called {keyword}")
    return Tag(tag)
