"""Headers: one pydicom Dataset per slice, with every mandatory module of CT, MR and PET Image Storage (PS3.3 A.3, A.4, A.21).

The patient is invented; the dates are fixed and UIDs are derived from the content, so the same call writes the same bytes.
"""

from __future__ import annotations

import copy
import math
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    CTImageStorage,
    ExplicitVRLittleEndian,
    MRImageStorage,
    PositronEmissionTomographyImageStorage,
    generate_uid,
)

from dicomlab.phantom.grid import decimal
from dicomlab.phantom.truth import PET_DOSE, PET_HALF_LIFE, PET_WAIT, WEIGHT, Truth

__all__ = ["CT_PET_FRAME", "MR_FRAME", "ct_datasets", "mr_datasets", "pet_datasets"]

IMPLEMENTATION: Final = generate_uid(entropy_srcs=["dicomlab", "phantom", "implementation"])
STUDY: Final = generate_uid(entropy_srcs=["dicomlab", "phantom", "study"])
CT_PET_FRAME: Final = str(
    generate_uid(entropy_srcs=["dicomlab", "phantom", "frame of reference", "CT and PET"])
)
"""Frame of Reference UID of CT and PET: one scanner, one couch."""
MR_FRAME: Final = str(generate_uid(entropy_srcs=["dicomlab", "phantom", "frame of reference", "MR"]))
"""Frame of Reference UID of MR: another scanner. The body lies at the same coordinates, but no reader may rely on it."""

PET_START: Final = datetime(2024, 2, 29, 10, 5)
_BED_S: Final = 150.0
_BED_PERIOD_S: Final = 160.0


def _code(value: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, "SCT", meaning
    return code


def _series(truth: Truth, number: int, description: str, start: datetime) -> Dataset:
    """Return what all slices of a series share (PS3.3 C.7.1 to C.7.5)."""
    identity = [truth.modality, repr(truth.grid.shape), *truth.grid.cosines, *truth.grid.spacing]
    ds = Dataset()
    ds.SpecificCharacterSet = "ISO_IR 100"
    ds.StudyDate, ds.SeriesDate = "20240229", start.strftime("%Y%m%d")
    ds.AcquisitionDate = ds.ContentDate = ds.SeriesDate
    ds.StudyTime, ds.SeriesTime = "094500", start.strftime("%H%M%S")
    ds.AcquisitionTime = ds.ContentTime = ds.SeriesTime
    ds.AccessionNumber = "FAKE0001"
    ds.Modality = truth.modality
    ds.Manufacturer = "dicomlab"
    ds.InstitutionName = "Hospital of Nowhere"
    ds.ReferringPhysicianName = "Nobody^Nora"
    ds.StudyDescription = "Thorax and upper abdomen (phantom)"
    ds.SeriesDescription = description
    ds.ManufacturerModelName = "phantom"
    ds.PatientName = "Phantom^Nemo"
    ds.PatientID = "PHANTOM-0001"
    ds.PatientBirthDate = "19700101"
    ds.PatientSex = "M"
    ds.PatientSize = "1.75"
    ds.PatientWeight = decimal(WEIGHT)
    ds.BodyPartExamined = "CHEST"
    ds.DeviceSerialNumber = "0"
    ds.SoftwareVersions = "phantom 1"
    ds.PatientPosition = "HFS"
    ds.StudyInstanceUID = STUDY
    ds.SeriesInstanceUID = generate_uid(entropy_srcs=["dicomlab", "phantom", "series", *identity])
    ds.StudyID = "1"
    ds.SeriesNumber = number
    ds.FrameOfReferenceUID = truth.frame_of_reference
    ds.PositionReferenceIndicator = ""
    return ds


def _slice(
    shared: Dataset, truth: Truth, sop_class: str, k: int, number: int, stored: npt.NDArray[np.generic]
) -> Dataset:
    """Return slice `k` with its place, pixels and identity (PS3.3 C.7.6.2, C.7.6.3, C.12.1)."""
    ds = copy.deepcopy(
        shared
    )  # not `update`: slices would share elements, and setting one would set it in all
    grid = truth.grid
    ds.SOPClassUID = sop_class
    ds.SOPInstanceUID = generate_uid(entropy_srcs=[str(shared.SeriesInstanceUID), str(k)])
    ds.InstanceNumber = number
    ds.ImagePositionPatient = list(grid.positions[k])
    ds.ImageOrientationPatient = list(grid.cosines)
    ds.PixelSpacing = list(grid.spacing)
    ds.SamplesPerPixel = 1
    ds.PhotometricInterpretation = "MONOCHROME2"
    ds.Rows, ds.Columns = grid.shape[1:]
    ds.BitsAllocated = 16
    ds.BitsStored = 16 if truth.modality == "PT" else 12
    ds.HighBit = ds.BitsStored - 1
    ds.PixelRepresentation = int(stored.dtype.kind == "i")
    ds.PixelData = stored.astype(stored.dtype.newbyteorder("<")).tobytes()
    ds["PixelData"].VR = "OW"
    meta = FileMetaDataset()
    meta.FileMetaInformationVersion = b"\x00\x01"
    meta.MediaStorageSOPClassUID = ds.SOPClassUID
    meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = IMPLEMENTATION
    meta.ImplementationVersionName = "DICOMLAB"
    ds.file_meta = meta
    return ds


def _windows(ds: Dataset, windows: dict[str, tuple[float, float]]) -> None:
    ds.WindowCenter = [decimal(c) for c, _ in windows.values()]
    ds.WindowWidth = [decimal(w) for _, w in windows.values()]
    ds.WindowCenterWidthExplanation = list(windows)


def ct_datasets(truth: Truth) -> list[Dataset]:
    """Return the CT slices, ascending in position (PS3.3 A.3); Instance Number ascends with it.

    Slices are thicker (1.25 x) than their distance, as in an overlapping reconstruction.
    """
    shared = _series(truth, 2, "Thorax abdomen portal venous", datetime(2024, 2, 29, 9, 58))
    shared.KVP = "120"
    shared.SliceThickness = decimal(round(1.25 * truth.grid.step, 4))
    shared.DataCollectionDiameter = "500"
    shared.ReconstructionDiameter = decimal(round(float(truth.grid.spacing[1]) * truth.grid.shape[2], 4))
    shared.GantryDetectorTilt = "0"
    shared.XRayTubeCurrent = 200
    shared.ExposureTime = 500
    shared.ConvolutionKernel = "SOFT"
    shared.ContrastBolusAgent = "Imaginary contrast medium"
    shared.ContrastBolusRoute = "IV"
    shared.AcquisitionNumber = 1
    axial = np.allclose(np.abs(truth.affine[:3, 0]), (0, 0, truth.grid.step))
    shared.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"] if axial else ["DERIVED", "SECONDARY", "AXIAL"]
    shared.RescaleIntercept, shared.RescaleSlope, shared.RescaleType = "-1024", "1", "HU"
    _windows(shared, {"SOFT TISSUE": (50, 400), "LUNG": (-600, 1500), "BONE": (400, 1800)})
    found = []
    for k, values in enumerate(truth.values):
        found.append(_slice(shared, truth, CTImageStorage, k, k + 1, (values + 1024).astype(np.uint16)))
    return found


def mr_datasets(truth: Truth) -> list[Dataset]:
    """Return the MR slices, ascending in position (PS3.3 A.4); Instance Number runs the other way.

    There is a gap between slices: they are 1/1.2 as thick as their distance.
    """
    shared = _series(truth, 3, "T1 SE oblique", datetime(2024, 2, 29, 11, 30))
    shared.ImageType = ["ORIGINAL", "PRIMARY", "OTHER"]
    shared.ScanningSequence = "SE"
    shared.SequenceVariant = "NONE"
    shared.ScanOptions = ""
    shared.MRAcquisitionType = "2D"
    shared.SequenceName = "t1se"
    shared.RepetitionTime, shared.EchoTime, shared.EchoTrainLength = "550", "12", 1
    shared.MagneticFieldStrength, shared.ImagingFrequency, shared.ImagedNucleus = "1.5", "63.87", "1H"
    shared.NumberOfAverages, shared.FlipAngle, shared.PixelBandwidth = "1", "90", "150"
    shared.SliceThickness = decimal(round(truth.grid.step / 1.2, 4))
    shared.SpacingBetweenSlices = decimal(truth.grid.step)
    shared.AcquisitionNumber = 1
    _windows(shared, {"T1": (500, 1100)})
    count = len(truth.values)
    return [
        _slice(shared, truth, MRImageStorage, k, count - k, values) for k, values in enumerate(truth.values)
    ]


def pet_datasets(truth: Truth) -> list[Dataset]:
    """Return the PET slices, ascending in position (PS3.3 A.21), with all that SUV needs; Instance Number descends.

    Three bed positions from the feet up, each with its own Acquisition Time, Frame Reference Time and Decay Factor;
    all values are decay corrected to Series Time (Decay Correction START, PS3.3 C.8.9.1.1.5).
    """
    if truth.slopes is None:
        raise ValueError("A PET truth with one slope per slice was expected; take one from `pet_truth`.")
    shared = _series(truth, 4, "FDG attenuation corrected", PET_START)
    injected = PET_START - timedelta(seconds=PET_WAIT)
    shared.SeriesType = ["WHOLE BODY", "IMAGE"]
    shared.ImageType = ["ORIGINAL", "PRIMARY"]
    shared.Units, shared.CountsSource = "BQML", "EMISSION"
    shared.DecayCorrection = "START"
    shared.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    shared.RandomsCorrectionMethod = "DLYD"
    shared.AttenuationCorrectionMethod = "measured (CT)"
    shared.ScatterCorrectionMethod = "model based"
    del shared.PatientPosition  # PET says it by the two code sequences below, and must not say it twice
    shared.ReconstructionMethod = "OSEM"
    shared.CollimatorType = "NONE"
    shared.NumberOfSlices = len(truth.values)
    shared.SliceThickness = decimal(truth.grid.step)
    shared.ActualFrameDuration = round(1000 * _BED_S)
    tracer = Dataset()
    tracer.Radiopharmaceutical = "Fluorodeoxyglucose"
    tracer.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S")
    tracer.RadiopharmaceuticalStartDateTime = injected.strftime("%Y%m%d%H%M%S")
    tracer.RadionuclideTotalDose = decimal(PET_DOSE)
    tracer.RadionuclideHalfLife = decimal(PET_HALF_LIFE)
    tracer.RadionuclidePositronFraction = "0.967"
    tracer.RadionuclideCodeSequence = [_code("77004003", "^18^Fluorine")]
    tracer.RadiopharmaceuticalCodeSequence = [_code("35321007", "Fluorodeoxyglucose F^18^")]
    shared.RadiopharmaceuticalInformationSequence = [tracer]
    lying = _code("102538003", "recumbent")
    lying.PatientOrientationModifierCodeSequence = [_code("40199007", "supine")]
    shared.PatientOrientationCodeSequence = [lying]
    shared.PatientGantryRelationshipCodeSequence = [_code("102540008", "headfirst")]
    shared.RescaleIntercept = "0"
    top = round(7 / (truth.suvbw_per_bqml or 1.0))
    _windows(shared, {"SUV 0 TO 7": (top / 2, top)})

    count = len(truth.values)
    decay = math.log(2) / PET_HALF_LIFE
    # the moment of a frame at which the tracer has its mean activity (PS3.3 C.8.9.4.1.5)
    mean_moment = math.log(decay * _BED_S / (1 - math.exp(-decay * _BED_S))) / decay
    found = []
    for k, (values, slope) in enumerate(zip(truth.values, truth.slopes, strict=True)):
        ds = _slice(
            shared,
            truth,
            PositronEmissionTomographyImageStorage,
            k,
            count - k,
            np.rint(values / slope).astype(np.int16),
        )
        begin = _BED_PERIOD_S * (3 * k // count)
        ds.AcquisitionTime = (PET_START + timedelta(seconds=begin)).strftime("%H%M%S")
        ds.FrameReferenceTime = decimal(round(1000 * (begin + mean_moment), 3))
        ds.DecayFactor = decimal(round(math.exp(decay * (begin + mean_moment)), 9))
        ds.ImageIndex = count - k
        ds.RescaleSlope = decimal(slope)
        found.append(ds)
    return found
