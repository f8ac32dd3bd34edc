"""Enhanced multi-frame CT, MR and PET (PS3.3 A.38, A.36, A.56, A.70): kinds 18 to 22."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import (
    EnhancedCTImageStorage,
    EnhancedMRImageStorage,
    EnhancedPETImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    generate_uid,
)

from dicomlab.phantom.dicom import _code
from dicomlab.phantom.grid import Grid
from dicomlab.phantom.kinds.multiframe import (
    START,
    Frame,
    Groups,
    anatomy,
    item,
    multiframe,
    place_groups,
    value_group,
)
from dicomlab.phantom.kinds.repeats import TIMES, stack
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import ct, grid, hounsfield, identify, mr, pet, sample, save, signal
from dicomlab.phantom.truth import noise

__all__ = ["enhanced_ct", "enhanced_mr", "enhanced_pet", "legacy_converted_ct", "two_stacks"]

_POSITION: Final = ("ImagePositionPatient", "PlanePositionSequence")
_IN_STACK: Final = ("InStackPositionNumber", "FrameContentSequence")
_STACK: Final = ("StackID", "FrameContentSequence")
_TIME: Final = ("TemporalPositionIndex", "FrameContentSequence")


def shuffled(frames: list[Frame]) -> list[Frame]:
    """Return the frames in an order that tells nothing."""
    return [frames[int(k)] for k in np.argsort(noise((1, 4 * len(frames)), 8)[0, : len(frames)])]


def _ct_type(kind: list[str]) -> Groups:
    event = generate_uid(entropy_srcs=["dicomlab", "phantom", "irradiation event"])
    return {
        "IrradiationEventIdentificationSequence": item(IrradiationEventUID=event),
        "CTImageFrameTypeSequence": item(
            FrameType=kind,
            PixelPresentation="MONOCHROME",
            VolumetricProperties="VOLUME",
            VolumeBasedCalculationTechnique="NONE",
        ),
    }


def enhanced_ct(folder: Path) -> Sample:
    """Enhanced CT, oblique; frames are stored in no order, and each has a Rescale Slope and Intercept of its own."""
    place = grid("oblique")
    wanted = hounsfield(place)
    kind = ["DERIVED", "PRIMARY", "VOLUME", "RESAMPLED"]
    slopes = np.array([0.5, 1.0, 2.0])[np.arange(len(wanted)) % 3]
    intercepts = -1024.0 - 8 * np.arange(len(wanted))
    frames, values, shared = [], np.empty(wanted.shape), Groups()
    for k, plane in enumerate(wanted):
        stored = np.rint((plane - intercepts[k]) / slopes[k])
        values[k] = stored * slopes[k] + intercepts[k]
        own, alike = place_groups(place, k)
        own |= value_group(slopes[k], intercepts[k], "HU")
        frames.append(Frame(stored, own, (k + 1,), {"StackID": "1", "InStackPositionNumber": k + 1}))
        shared = alike | anatomy() | _ct_type(kind)
    ds = multiframe(
        ct(place, wanted)[0],
        EnhancedCTImageStorage,
        shuffled(frames),
        shared,
        [_POSITION],
        top={"ImageType": kind},
    )
    save(folder, identify([ds], "enhanced_ct"))
    return sample(folder, place, values, "HU")


def legacy_converted_ct(folder: Path) -> Sample:
    """CT converted from classic slices to the enhanced form (PS3.3 A.70), with what it cannot place in one heap."""
    place = grid()
    values = hounsfield(place)
    classic = identify(ct(place, values), "legacy_converted_source")
    kind = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    frames, shared = [], Groups()
    for k, ds in enumerate(classic):
        own, alike = place_groups(place, k)
        source = item(ReferencedSOPClassUID=ds.SOPClassUID, ReferencedSOPInstanceUID=ds.SOPInstanceUID)
        own["ConversionSourceAttributesSequence"] = source
        own["UnassignedPerFrameConvertedAttributesSequence"] = item(InstanceNumber=ds.InstanceNumber)
        content = {"StackID": "1", "InStackPositionNumber": k + 1}
        frames.append(Frame(values[k] + 1024, own, (k + 1,), content))
        heap = {
            "UnassignedSharedConvertedAttributesSequence": item(
                KVP=ds.KVP, ConvolutionKernel=ds.ConvolutionKernel
            )
        }
        shared = alike | anatomy() | _ct_type(kind) | value_group(1.0, -1024.0, "HU") | heap
    made = multiframe(
        classic[0],
        LegacyConvertedEnhancedCTImageStorage,
        frames[::-1],
        shared,
        [_POSITION],
        top={"ImageType": kind},
        bits=12,
    )
    save(folder, identify([made], "legacy_converted_ct"))
    return sample(folder, place, values, "HU")


def mr_object(
    place: Grid, frames: list[Frame], shared: Groups, dimensions: list[tuple[str, str]], **more: Any
) -> Dataset:
    """Return an Enhanced MR object of derived frames, which need no account of the acquisition (PS3.3 C.8.13.1)."""
    kind = ["DERIVED", "PRIMARY", "VOLUME", "NONE"]
    of_mr = {"ComplexImageComponent": "MAGNITUDE", "AcquisitionContrast": "T1"}
    groups = {
        **shared,
        **anatomy(),
        "MRImageFrameTypeSequence": item(
            FrameType=kind,
            PixelPresentation="MONOCHROME",
            VolumetricProperties="VOLUME",
            VolumeBasedCalculationTechnique="NONE",
            **of_mr,
        ),
    }
    first = mr(place, np.zeros(place.shape, dtype=int))[0]
    return multiframe(
        first,
        EnhancedMRImageStorage,
        frames,
        groups,
        dimensions,
        bits=12,
        top={
            "ImageType": kind,
            "ResonantNucleus": "1H",
            "KSpaceFiltering": "NONE",
            "ApplicableSafetyStandardAgency": "IEC",
            **of_mr,
            **more,
        },
    )


def enhanced_mr(folder: Path) -> Sample:
    """Enhanced MR of four time points: slices run slowest, the transformation is shared, positions are per frame."""
    place = grid("oblique", (5, 24, 30))
    values = stack(place, [1.0, 1.3, 1.6, 1.5])
    start = datetime.strptime(START, "%Y%m%d%H%M%S.%f")
    frames, shared = [], Groups()
    for k in range(place.shape[0]):
        for time, seconds in enumerate(TIMES):
            own, alike = place_groups(place, k)
            shared = alike | value_group()
            frame = Frame(values[time, k], own, (1, k + 1, time + 1))
            frame.content = {
                "StackID": "1",
                "InStackPositionNumber": k + 1,
                "TemporalPositionIndex": time + 1,
            }
            moment = (start + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S.%f")
            own["TemporalPositionSequence"] = item(TemporalPositionTimeOffset=seconds)
            frame.content |= {"FrameReferenceDateTime": moment, "FrameAcquisitionDateTime": moment}
            frames.append(frame)
    ds = mr_object(place, frames, shared, [_STACK, _IN_STACK, _TIME])
    save(folder, identify([ds], "enhanced_mr"))
    return sample(folder, place, values, axes={"time": np.array(TIMES)})


def two_stacks(folder: Path) -> Sample:
    """Enhanced MR of two stacks in one object: axial and coronal slices, all of one size, as one object must."""
    places = grid(shape=(6, 24, 30)), grid("coronal", (4, 24, 30))
    frames, stacks = [], []
    for number, place in enumerate(places, start=1):
        values = signal(place, key=number)
        stacks.append(sample(folder, place, values))
        for k in range(place.shape[0]):
            own, alike = place_groups(place, k)
            frame = Frame(values[k], own | alike, (number, k + 1))
            frame.content = {"StackID": str(number), "InStackPositionNumber": k + 1}
            frames.append(frame)
    ds = mr_object(places[0], frames, value_group(), [_STACK, _IN_STACK])
    save(folder, identify([ds], "two_stacks"))
    axial, coronal = stacks
    return Sample(folder, axial.values, axial.origins, axial.row_step, axial.column_step, parts=(coronal,))


def _pet_account(first: Dataset) -> dict[str, Any]:
    """Return what an enhanced PET says at its top: corrections (PS3.3 C.8.22.4), tracer (C.8.22.4.2), acquisition."""
    corrected = ("Decay", "Attenuation", "Scatter", "DeadTime", "Randoms", "CountLossNormalization")
    uncorrected = ("GantryMotion", "PatientMotion", "NonUniformRadialSampling")
    route = _code("47625008", "Intravenous route")
    view = _code("24422004", "Axial")
    view.SliceProgressionDirection = "CAUDOCRANIAL"
    tracer = first.RadiopharmaceuticalInformationSequence[0]
    tracer.RadiopharmaceuticalAgentNumber, tracer.AdministrationRouteCodeSequence = 1, [route]
    return {
        **{f"{name}Corrected": "YES" for name in corrected},
        **{f"{name}Corrected": "NO" for name in uncorrected},
        "DetectorNormalizationCorrection": "YES",
        "SensitivityCalibrated": "YES",
        "DecayCorrectionDateTime": "20240229100500",
        "AttenuationCorrectionSource": "CT",
        "AttenuationCorrectionTemporalRelationship": "SEQUENTIAL",
        "ScatterCorrectionMethod": "model based",
        "RandomsCorrectionMethod": "DLYD",
        "TableMotion": "STATIC",
        "TimeOfFlightInformationUsed": "FALSE",
        "RadiopharmaceuticalInformationSequence": [tracer],
        "ViewCodeSequence": [view],
    }


def enhanced_pet(folder: Path) -> Sample:
    """Enhanced PET whose frames have slopes of their own; they are stored from the head down."""
    place = grid()
    classic, values = pet(place)
    kind = ["DERIVED", "PRIMARY", "STATIC", "NONE"]
    frames, shared = [], Groups()
    for k, ds in enumerate(classic):
        slope = float(ds.RescaleSlope)
        own, alike = place_groups(place, k)
        own |= value_group(slope, 0.0, "BQML")
        content = {"StackID": "1", "InStackPositionNumber": k + 1, "TemporalPositionIndex": 1}
        frames.append(Frame(np.rint(values[k] / slope), own, (1, k + 1), content))
        shared = alike | anatomy()
    shared["RadiopharmaceuticalUsageSequence"] = item(RadiopharmaceuticalAgentNumber=1)
    shared["PETFrameTypeSequence"] = item(
        FrameType=kind,
        PixelPresentation="MONOCHROME",
        VolumetricProperties="VOLUME",
        VolumeBasedCalculationTechnique="NONE",
    )
    made = multiframe(
        classic[0],
        EnhancedPETImageStorage,
        frames[::-1],
        shared,
        [_STACK, _IN_STACK],
        signed=True,
        top={"ImageType": kind, **_pet_account(classic[0])},
    )
    save(folder, identify([made], "enhanced_pet"))
    return sample(folder, place, values, "Bq/ml")
