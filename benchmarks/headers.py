"""Headers like those of real scanners: 100 to 150 elements, sequences of both kinds of length, private blocks of some KB.

Nothing here is of a real patient or machine. What varies from file to file is set by `benchmarks.series`.
"""

# mypy: disable-error-code="assignment"
from __future__ import annotations

from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
)

__all__ = ["MODALITIES", "ROOT", "code", "image", "item", "items"]

ROOT: Final = "1.2.826.0.1.3680043.8.498.71"
"""Root of all UIDs of the benchmarks."""

_CLASSES: Final = {
    "CT": CTImageStorage,
    "MR": MRImageStorage,
    "PT": PositronEmissionTomographyImageStorage,
}


def item(**values: Any) -> Dataset:
    """One item of a sequence."""
    ds = Dataset()
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return ds


def items(*datasets: Dataset) -> Sequence:
    """These as the value of a sequence."""
    return Sequence(datasets)


def code(value: str, scheme: str, meaning: str) -> Sequence:
    """A code as the value of a sequence."""
    return items(item(CodeValue=value, CodingSchemeDesignator=scheme, CodeMeaning=meaning))


def _reference(sop_class: str, uid: str) -> Dataset:
    return item(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=uid)


def _common() -> dict[str, Any]:
    return {
        "SpecificCharacterSet": "ISO_IR 100",
        "InstanceCreationDate": "20240229",
        "InstanceCreationTime": "101502.250000",
        "StudyDate": "20240229",
        "SeriesDate": "20240229",
        "AcquisitionDate": "20240229",
        "ContentDate": "20240229",
        "StudyTime": "094512.187000",
        "SeriesTime": "095801.500000",
        "AcquisitionTime": "095803.125000",
        "ContentTime": "095803.125000",
        "AccessionNumber": "A1000042",
        "InstitutionName": "Hospital of Nowhere",
        "InstitutionAddress": "Street of No Return 1, 00000 Nowhere",
        "ReferringPhysicianName": "Nobody^Nora",
        "StationName": "STATION01",
        "StudyDescription": "Thorax and abdomen, portal venous",
        "ProcedureCodeSequence": code("CTTHABD", "99NOWHERE", "CT thorax and abdomen"),
        "InstitutionalDepartmentName": "Radiology",
        "PhysiciansOfRecord": "Noone^Nick",
        "PerformingPhysicianName": "Nemo^Nell",
        "OperatorsName": "OP",
        "AdmittingDiagnosesDescription": "none",
        "ReferencedStudySequence": items(_reference("1.2.840.10008.3.1.2.3.1", f"{ROOT}.1.1")),
        "ReferencedPerformedProcedureStepSequence": items(
            _reference("1.2.840.10008.3.1.2.3.3", f"{ROOT}.1.2")
        ),
        "ReferencedImageSequence": items(
            _reference(CTImageStorage, f"{ROOT}.2.20240229.1"),
            _reference(CTImageStorage, f"{ROOT}.2.20240229.22"),
        ),
        "SourceImageSequence": items(_reference(CTImageStorage, f"{ROOT}.3.1")),
        "PatientName": "Bench^Mark",
        "PatientID": "BENCH-0001",
        "IssuerOfPatientID": "NOWHERE",
        "PatientBirthDate": "19700101",
        "PatientSex": "O",
        "PatientAge": "054Y",
        "PatientSize": "1.75",
        "PatientWeight": "75",
        "EthnicGroup": "",
        "AdditionalPatientHistory": "made by a program",
        "PregnancyStatus": 4,
        "PatientComments": "",
        "BodyPartExamined": "CHEST",
        "DeviceSerialNumber": "70001",
        "SoftwareVersions": ["release 7A", "patch 3"],
        "ProtocolName": "Thorax_Abdomen_pv (Adult)",
        "DateOfLastCalibration": "20240228",
        "TimeOfLastCalibration": "070000.000000",
        "PatientPosition": "HFS",
        "StudyInstanceUID": f"{ROOT}.1.20240229",
        "StudyID": "1",
        "AcquisitionNumber": 2,
        "PositionReferenceIndicator": "",
        "ImageComments": "",
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
        "RequestingPhysician": "Nobody^Nora",
        "RequestingService": "Surgery",
        "RequestedProcedureDescription": "Thorax and abdomen",
        "RequestedProcedureCodeSequence": code("CTTHABD", "99NOWHERE", "CT thorax and abdomen"),
        "CurrentPatientLocation": "",
        "PerformedProcedureStepStartDate": "20240229",
        "PerformedProcedureStepStartTime": "094512.187000",
        "PerformedProcedureStepEndDate": "20240229",
        "PerformedProcedureStepEndTime": "101000.000000",
        "PerformedProcedureStepID": "PPS0042",
        "PerformedProcedureStepDescription": "Thorax and abdomen",
        "PerformedProtocolCodeSequence": code("P5-08000", "SRT", "Computed Tomography X-Ray"),
        "RequestAttributesSequence": items(
            item(
                RequestedProcedureDescription="Thorax and abdomen",
                ScheduledProcedureStepDescription="portal venous",
                ScheduledProtocolCodeSequence=code("CTPV", "99NOWHERE", "portal venous"),
                ScheduledProcedureStepID="SPS0042",
                RequestedProcedureID="RP0042",
            )
        ),
    }


MODALITIES: Final[dict[str, dict[str, Any]]] = {
    "CT": {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL", "CT_SOM5 SPI"],
        "ContrastBolusAgent": "imaginary medium",
        "ScanOptions": "HELICAL MODE",
        "SliceThickness": "1.25",
        "KVP": "120",
        "DataCollectionDiameter": "500",
        "ReconstructionDiameter": "500",
        "DistanceSourceToDetector": "1085.6",
        "DistanceSourceToPatient": "595",
        "GantryDetectorTilt": "0",
        "TableHeight": "143.5",
        "RotationDirection": "CW",
        "ExposureTime": 500,
        "XRayTubeCurrent": 212,
        "Exposure": 106,
        "FilterType": "FLAT",
        "GeneratorPower": 25,
        "FocalSpots": "1.2",
        "ConvolutionKernel": ["Br40d", "3"],
        "SingleCollimationWidth": 0.6,
        "TotalCollimationWidth": 57.6,
        "TableSpeed": 69.1,
        "TableFeedPerRotation": 34.5,
        "SpiralPitchFactor": 0.6,
        "ExposureModulationType": "XYZ_EC",
        "EstimatedDoseSaving": 18.5,
        "CTDIvol": 7.25,
        "CTDIPhantomTypeCodeSequence": code("113691", "DCM", "IEC Body Dosimetry Phantom"),
        "IrradiationEventUID": f"{ROOT}.4.7",
        "BitsStored": 12,
        "HighBit": 11,
        "PixelRepresentation": 0,
        "WindowCenter": ["40", "-600"],
        "WindowWidth": ["400", "1200"],
        "WindowCenterWidthExplanation": ["WINDOW1", "WINDOW2"],
        "RescaleIntercept": "-1024",
        "RescaleSlope": "1",
        "RescaleType": "HU",
    },
    "MR": {
        "ImageType": ["ORIGINAL", "PRIMARY", "EPI", "NONE"],
        "ScanningSequence": ["EP", "GR"],
        "SequenceVariant": "SS",
        "ScanOptions": ["EPI_GEMS", "PFF", "FS"],
        "MRAcquisitionType": "2D",
        "SequenceName": "epi",
        "AngioFlag": "N",
        "SliceThickness": "3",
        "RepetitionTime": "2000",
        "EchoTime": "30",
        "NumberOfAverages": "1",
        "ImagingFrequency": "127.760487",
        "ImagedNucleus": "1H",
        "EchoNumbers": "1",
        "MagneticFieldStrength": "3",
        "SpacingBetweenSlices": "3.3",
        "EchoTrainLength": 1,
        "PercentSampling": "100",
        "PercentPhaseFieldOfView": "100",
        "PixelBandwidth": "7812.5",
        "TriggerTime": "0",
        "NominalInterval": 0,
        "BeatRejectionFlag": "N",
        "LowRRValue": 0,
        "HighRRValue": 0,
        "IntervalsAcquired": 0,
        "IntervalsRejected": 0,
        "HeartRate": 0,
        "CardiacNumberOfImages": 0,
        "TriggerWindow": 0,
        "ReconstructionDiameter": "240",
        "ReceiveCoilName": "HEAD 32",
        "AcquisitionMatrix": [96, 0, 0, 96],
        "InPlanePhaseEncodingDirection": "COL",
        "FlipAngle": "77",
        "VariableFlipAngleFlag": "N",
        "SAR": "0.0832",
        "ImagesInAcquisition": 2000,
        "NumberOfTemporalPositions": 50,
        "TemporalResolution": "2000000",
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "SmallestImagePixelValue": 0,
        "LargestImagePixelValue": 2000,
        "PixelPaddingValue": 0,
        "WindowCenter": "800",
        "WindowWidth": "1600",
    },
    "PT": {
        "ImageType": ["ORIGINAL", "PRIMARY"],
        "SliceThickness": "3",
        "ActualFrameDuration": 150000,
        "CollimatorType": "NONE",
        "ReconstructionDiameter": "700",
        "EnergyWindowRangeSequence": items(item(EnergyWindowLowerLimit="435", EnergyWindowUpperLimit="650")),
        "RadiopharmaceuticalInformationSequence": items(
            item(
                Radiopharmaceutical="FDG",
                RadiopharmaceuticalStartTime="090500.000000",
                RadionuclideTotalDose="300000000",
                RadionuclideHalfLife="6586.2",
                RadionuclidePositronFraction="0.97",
                RadiopharmaceuticalStartDateTime="20240229090500.000000",
                RadionuclideCodeSequence=code("C-111A1", "SRT", "^18^Fluorine"),
            )
        ),
        "NumberOfSlices": 200,
        "SeriesType": ["WHOLE BODY", "IMAGE"],
        "Units": "BQML",
        "CountsSource": "EMISSION",
        "RandomsCorrectionMethod": "SING",
        "AttenuationCorrectionMethod": "CTAC",
        "DecayCorrection": "START",
        "ReconstructionMethod": "VPFXS",
        "ScatterCorrectionMethod": "Model Based",
        "AxialAcceptance": "23",
        "CorrectedImage": ["DECY", "RADL", "ATTN", "SCAT", "DTIM", "RAN", "DCAL", "NORM"],
        "FrameReferenceTime": "1500",
        "DecayFactor": "1.01",
        "DoseCalibrationFactor": "1",
        "ScatterFractionFactor": "0.3",
        "DeadTimeFactor": "1.02",
        "ImageIndex": 1,
        "PrimaryPromptsCountsAccumulated": 1234567,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": 1,
        "SmallestImagePixelValue": 0,
        "LargestImagePixelValue": 32767,
        "WindowCenter": "10000",
        "WindowWidth": "20000",
        "RescaleIntercept": "0",
        "RescaleSlope": "1",
    },
}
_MAKER: Final = {"CT": "SIEMENS", "MR": "GE MEDICAL SYSTEMS", "PT": "GE MEDICAL SYSTEMS"}

# Sequences that are written with undefined lengths, items as well; the rest are written with explicit ones.
_OPEN: Final = ("ReferencedImageSequence", "RequestAttributesSequence", "PerformedProtocolCodeSequence")


def _filler(size: int, seed: int) -> bytes:
    """Bytes like those of a maker's own text: few symbols, many zeros."""
    rng = np.random.default_rng(seed)
    symbols = np.frombuffer(b"0123456789 .;=<>/ParamMapDblong\n\0\0\0\0\0\0", np.uint8)
    return rng.choice(symbols, size).tobytes()


def _siemens(ds: Dataset, large: int) -> None:
    block = ds.private_block(0x0019, "SIEMENS CT VA0  COAD", create=True)
    for element, vr, value in (
        (0xB0, "DS", "57.6"),
        (0x92, "DS", "0"),
        (0x93, "DS", "-12.5"),
        (0x96, "IS", "1"),
        (0x97, "SH", "3"),
        (0xA0, "UL", 1017),
        (0xA1, "FD", 0.25),
        (0xA9, "LO", "XYZ"),
    ):
        block.add_new(element, vr, value)
    block = ds.private_block(0x0021, "SIEMENS MED", create=True)
    block.add_new(0x10, "DS", "1")
    block.add_new(0x11, "DS", ["-22.5", "14.25"])
    block.add_new(0x20, "LO", "")
    block = ds.private_block(0x0029, "SIEMENS MEDCOM HEADER", create=True)
    block.add_new(0x08, "CS", "MEDCOM 1")
    block.add_new(0x09, "LO", "20240229")
    block.add_new(0x10, "OB", _filler(large, 1))
    block.add_new(0x20, "LO", "NoName")
    parts = []
    for number, name in enumerate(("SOM 5 NULLPOS", "SOM 5 TPOS")):
        part = Dataset()
        inner = part.private_block(0x0029, "SIEMENS MEDCOM HEADER", create=True)
        inner.add_new(0x41, "CS", name)
        inner.add_new(0x42, "LO", "VB10A 20030626")
        inner.add_new(0x43, "OB", _filler(large // 16, number))
        parts.append(part)
    block.add_new(0x40, "SQ", items(*parts))


def _ge(ds: Dataset, large: int) -> None:
    block = ds.private_block(0x0009, "GEMS_IDEN_01", create=True)
    for element, vr, value in (
        (0x01, "LO", "GE_GENESIS_FF"),
        (0x02, "SH", "SCAN1"),
        (0x27, "SL", 1709200000),
    ):
        block.add_new(element, vr, value)
    block = ds.private_block(0x0019, "GEMS_ACQU_01", create=True)
    numbers = {
        0x0F: "12.5",
        0x1E: "240",
        0x5A: "1200",
        0x7D: "0",
        0x84: "3000",
        0xBB: "0",
        0xBC: "0",
        0xBD: "0",
    }
    for element, number in numbers.items():
        block.add_new(element, "DS", number)
    block.add_new(0x9C, "LO", "EPI")
    block.add_new(0x9E, "LO", "EPI_fMRI")
    block = ds.private_block(0x0021, "GEMS_RELA_01", create=True)
    for element, value in ((0x03, 5), (0x35, 0), (0x36, 0), (0x4F, 40), (0x51, 0), (0x5C, 0)):
        block.add_new(element, "SS", value)
    block = ds.private_block(0x0043, "GEMS_PARM_01", create=True)
    block.add_new(0x01, "SS", 3)
    block.add_new(0x2A, "OB", _filler(large, 2))
    block.add_new(0x2F, "SS", 0)
    block.add_new(0x39, "IS", ["0", "8", "0", "0"])
    block.add_new(0x62, "SH", "VER")
    block.add_new(0x6F, "DS", ["3", "1", "0", "0"])


def image(modality: str, series: int, rows: int, *, large: int = 4000) -> Dataset:
    """Header of a classic image without what varies within its series: identity, place, times and pixels.

    Parameters
    ----------
    series
        Number of the series; makes its UIDs.
    rows
        Rows and columns.
    large
        Bytes of the largest private element.
    """
    values = _common() | MODALITIES[modality]
    ds = item(**values)
    ds.Modality, ds.Manufacturer = modality, _MAKER[modality]
    ds.ManufacturerModelName = f"Bench {modality}"
    ds.SeriesDescription = f"bench {modality} {series}"
    ds.SeriesNumber = series
    ds.SeriesInstanceUID = f"{ROOT}.5.{series}"
    ds.FrameOfReferenceUID = f"{ROOT}.6.{series}"
    ds.Rows = ds.Columns = rows
    (_siemens if modality == "CT" else _ge)(ds, large)
    for keyword in _OPEN:
        element = ds[keyword]
        element.is_undefined_length = True
        for part in element.value:
            part.is_undefined_length_sequence_item = True
    ds.SOPClassUID = _CLASSES[modality]
    ds.file_meta = _meta(ds.SOPClassUID)
    return ds


def _meta(sop_class: str) -> FileMetaDataset:
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = sop_class
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = f"{ROOT}.9"
    meta.ImplementationVersionName = "DICOMLABBENCH"
    meta.SourceApplicationEntityTitle = "STATION01"
    return meta
