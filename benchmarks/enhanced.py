"""An Enhanced CT object (PS3.3 A.38) with functional groups as scanners write them."""

from __future__ import annotations

from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import EnhancedCTImageStorage

from benchmarks.headers import MODALITIES, ROOT, code, image, item, items

__all__ = ["enhanced", "frame_groups"]

# The rest of what a classic CT image says, an enhanced one says in its functional groups.
_TOP: Final = ("ImageType", "ContrastBolusAgent", "BitsStored", "HighBit", "PixelRepresentation")


def enhanced(series: int, rows: int, spacing: list[str]) -> Dataset:
    """Header of an Enhanced CT object (PS3.3 A.38) without its frames."""
    ds = image("CT", series, rows)
    for keyword in set(MODALITIES["CT"]) - set(_TOP):
        delattr(ds, keyword)
    kind = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    ds.ImageType = kind
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = EnhancedCTImageStorage
    ds.ContentQualification = "RESEARCH"
    ds.PixelPresentation = "MONOCHROME"
    ds.VolumetricProperties = "VOLUME"
    ds.VolumeBasedCalculationTechnique = "NONE"
    ds.AcquisitionDateTime = "20240229095803.125000"
    ds.AcquisitionDuration = 9.5
    ds.BurnedInAnnotation = "NO"
    ds.LossyImageCompression = "00"
    ds.PresentationLUTShape = "IDENTITY"
    organization = f"{ROOT}.7.{series}"
    ds.DimensionOrganizationSequence = items(item(DimensionOrganizationUID=organization))
    ds.DimensionIndexSequence = items(
        *(
            item(
                DimensionIndexPointer=pointer,
                FunctionalGroupPointer=0x00209111,
                DimensionOrganizationUID=organization,
            )
            for pointer in (0x00209056, 0x00209057)
        )
    )
    of_type = {
        "FrameType": kind,
        "PixelPresentation": "MONOCHROME",
        "VolumetricProperties": "VOLUME",
        "VolumeBasedCalculationTechnique": "NONE",
    }
    anatomy = item(AnatomicRegionSequence=code("T-D3000", "SRT", "Chest"), FrameLaterality="U")
    ds.SharedFunctionalGroupsSequence = items(
        item(
            PixelMeasuresSequence=items(
                item(PixelSpacing=spacing, SliceThickness="1.25", SpacingBetweenSlices="0.625")
            ),
            PlaneOrientationSequence=items(item(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])),
            FrameAnatomySequence=items(anatomy),
            CTImageFrameTypeSequence=items(item(**of_type)),
            CTAcquisitionTypeSequence=items(
                item(
                    AcquisitionType="SPIRAL",
                    TubeAngle=0.0,
                    ConstantVolumeFlag="NO",
                    FluoroscopyFlag="NO",
                )
            ),
            CTAcquisitionDetailsSequence=items(
                item(
                    ReconstructionDiameter="500",
                    RotationDirection="CW",
                    RevolutionTime=0.5,
                    SingleCollimationWidth=0.6,
                    TotalCollimationWidth=57.6,
                    TableHeight="143.5",
                    GantryDetectorTilt="0",
                    DataCollectionDiameter="500",
                )
            ),
            CTTableDynamicsSequence=items(
                item(TableSpeed=69.1, TableFeedPerRotation=34.5, SpiralPitchFactor=0.6)
            ),
            CTGeometrySequence=items(
                item(DistanceSourceToDetector="1085.6", DistanceSourceToDataCollectionCenter=595.0)
            ),
            CTReconstructionSequence=items(
                item(
                    ReconstructionAlgorithm="FILTER_BACK_PROJ",
                    ConvolutionKernel="Br40d",
                    ConvolutionKernelGroup="SOFT_TISSUE",
                    ReconstructionDiameter="500",
                    ImageFilter="",
                )
            ),
            CTXRayDetailsSequence=items(
                item(KVP="120", FocalSpots="1.2", FilterType="FLAT", FilterMaterial="TITANIUM")
            ),
            IrradiationEventIdentificationSequence=items(item(IrradiationEventUID=f"{ROOT}.4.7")),
        )
    )
    return ds


def frame_groups(k: int, position: list[str], seconds: float) -> Dataset:
    """Functional groups of the frame at slice `k`."""
    moment = f"202402290958{seconds:09.6f}"
    return item(
        FrameContentSequence=items(
            item(
                FrameAcquisitionNumber=1,
                FrameReferenceDateTime=moment,
                FrameAcquisitionDateTime=moment,
                FrameAcquisitionDuration=500.0,
                DimensionIndexValues=[1, k + 1],
                StackID="1",
                InStackPositionNumber=k + 1,
            )
        ),
        PlanePositionSequence=items(item(ImagePositionPatient=position)),
        CTPositionSequence=items(
            item(
                TablePosition=k * 0.625,
                ReconstructionTargetCenterPatient=[0.0, -150.0, k * 0.625],
                DataCollectionCenterPatient=[0.0, -150.0, k * 0.625],
            )
        ),
        CTExposureSequence=items(
            item(
                ExposureTimeInms=500.0,
                XRayTubeCurrentInmA=180.0 + 40 * np.sin(k / 25.0),
                ExposureInmAs=90.0 + 20 * np.sin(k / 25.0),
                ExposureModulationType="XYZ_EC",
                CTDIvol=7.25,
            )
        ),
        FrameVOILUTSequence=items(
            item(
                WindowCenter=["40", "-600"],
                WindowWidth=["400", "1200"],
                WindowCenterWidthExplanation=["SOFT", "LUNG"],
            )
        ),
        PixelValueTransformationSequence=items(
            item(RescaleIntercept="-1024", RescaleSlope="1", RescaleType="HU")
        ),
    )
