"""Which attributes of a file are parsed when it is listed: the few that place, value and label its pixels."""

from __future__ import annotations

from typing import Any

from pydicom.tag import Tag

from dicomlab.read import diffusion, labels, mosaic
from dicomlab.read.private import PRIVATE, SIEMENS_CSA_SERIES

__all__ = ["CSA_SERIES", "LISTED", "PER_IMAGE", "TAGS"]

_KEYWORDS = [
    "SpecificCharacterSet",
    "ImageType",
    "SOPClassUID",
    "SOPInstanceUID",
    "Modality",
    "Manufacturer",
    "StudyInstanceUID",
    "SeriesInstanceUID",
    "StudyDescription",
    "SeriesDescription",
    "SeriesNumber",
    "InstanceNumber",
    "AcquisitionNumber",
    "PatientPosition",
    "SliceThickness",
    "SpacingBetweenSlices",
    "GantryDetectorTilt",
    "ImagePositionPatient",
    "ImageOrientationPatient",
    "FrameOfReferenceUID",
    "SliceLocation",
    "TemporalPositionIdentifier",
    "EchoTime",
    "EchoNumbers",
    "InversionTime",
    "FlipAngle",
    "TriggerTime",
    "AcquisitionTime",
    "ContentTime",
    "DiffusionBValue",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "Rows",
    "Columns",
    "PixelSpacing",
    "PixelAspectRatio",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PixelPaddingValue",
    "RescaleIntercept",
    "RescaleSlope",
    "RescaleType",
    "WindowCenter",
    "WindowWidth",
    "WindowCenterWidthExplanation",
    "VOILUTFunction",
    "VOILUTSequence",
    "ModalityLUTSequence",
    "SharedFunctionalGroupsSequence",
    "GridFrameOffsetVector",
    "DoseGridScaling",
    "DoseUnits",
    "RealWorldValueMappingSequence",
    "ConvolutionKernel",
    "KVP",
    "FrameReferenceTime",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "PerFrameFunctionalGroupsSequence",
    "DirectoryRecordSequence",
    "Units",
    "SeriesType",
    "CorrectedImage",
    "DecayCorrection",
    *(f"{colour}PaletteColorLookupTableDescriptor" for colour in ("Red", "Green", "Blue")),
    *(f"{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    *(f"Segmented{colour}PaletteColorLookupTableData" for colour in ("Red", "Green", "Blue")),
    "ExtendedOffsetTable",
    "ExtendedOffsetTableLengths",
    # images without a place in the patient
    "ImagerPixelSpacing",
    "NominalScannedPixelSpacing",
    "PixelSpacingCalibrationType",
    "EstimatedRadiographicMagnificationFactor",
    "BurnedInAnnotation",
    "ViewPosition",
    "ImageLaterality",
    "FrameIncrementPointer",
    "FrameTime",
    "FrameTimeVector",
    "FrameDelay",
    "CineRate",
    "SequenceOfUltrasoundRegions",
    # nuclear medicine
    "EnergyWindowVector",
    "EnergyWindowInformationSequence",
    "DetectorVector",
    "DetectorInformationSequence",
    "PhaseVector",
    "PhaseInformationSequence",
    "RotationVector",
    "RotationInformationSequence",
    "RRIntervalVector",
    "TimeSlotVector",
    "SliceVector",
    "AngularViewVector",
    "TimeSliceVector",
    # slides
    "TotalPixelMatrixRows",
    "TotalPixelMatrixColumns",
    "TotalPixelMatrixFocalPlanes",
    "TotalPixelMatrixOriginSequence",
    "ImageOrientationSlide",
    "DimensionOrganizationType",
    "NumberOfOpticalPaths",
    "OpticalPathSequence",
    "ConcatenationUID",
    "ConcatenationFrameOffsetNumber",
    # SUV
    "SeriesDate",
    "SeriesTime",
    "AcquisitionDate",
    "AcquisitionDateTime",
    "TimezoneOffsetFromUTC",
    "PatientSex",
    "PatientSize",
    "PatientWeight",
    "ActualFrameDuration",
    "RadiopharmaceuticalInformationSequence",
    "SUVType",
    "FrameReferenceTime",
    "DecayFactor",
    "DecayCorrected",
    "AttenuationCorrected",
    "DecayCorrectionDateTime",
]
# Private elements that SUV may need: GE, Siemens, Philips.
_SUV_PRIVATE = ((0x0009, 0x0D), (0x0071, 0x22), (0x7053, 0x00), (0x7053, 0x09))
_BLOCKS = range(0x10, 0x20)  # where creators reserve theirs, one beside the other from the first
_ELEMENTS = {*((element.group, element.element) for element in PRIVATE), *_SUV_PRIVATE}
_PRIVATE = [
    *{Tag(group, block) for group, _ in _ELEMENTS for block in _BLOCKS},
    *(Tag(group, block << 8 | element) for group, element in _ELEMENTS for block in _BLOCKS),
]
TAGS: list[Any] = [
    *map(Tag, {*_KEYWORDS, *labels.KEYWORDS, *diffusion.KEYWORDS, *mosaic.KEYWORDS}),
    *_PRIVATE,
]
"""What `read_instance` parses: a tag for every attribute and every private element that some room looks at."""
LISTED = frozenset(TAGS)
"""The same for asking; `read_header` has all others."""
CSA_SERIES = [Tag(SIEMENS_CSA_SERIES.group, block << 8 | SIEMENS_CSA_SERIES.element) for block in _BLOCKS]
"""The series header of Siemens, large, and read only where a mosaic cannot do without it."""

PER_IMAGE = frozenset(
    int(Tag(keyword))
    for keyword in (
        "SOPInstanceUID",
        "AcquisitionTime",
        "ContentTime",
        "InstanceNumber",
        "ImagePositionPatient",
        "SliceLocation",
    )
)
"""Attributes that usually differ between the images of a series."""
