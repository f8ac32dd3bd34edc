"""Rarer forms of values (PS3.3 C.7.6.16.2.11, A.75), and cine and nuclear images, which have no patient frame."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import (
    NuclearMedicineImageStorage,
    ParametricMapStorage,
    UltrasoundMultiFrameImageStorage,
    XRayAngiographicImageStorage,
)

from dicomlab.phantom.dicom import _code
from dicomlab.phantom.kinds.multiframe import (
    Frame,
    Groups,
    anatomy,
    item,
    multiframe,
    place_groups,
    value_group,
)
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import bare, grid, identify, mr, sample, save, set_stored, signal
from dicomlab.phantom.truth import noise

__all__ = ["nm_static", "parametric_map", "real_world_lut", "real_world_slope", "us_cine", "xa_cine"]

_ROWS, _COLUMNS = 24, 30
_UNITS: Final = "um2/s"


def _mapping(**how: Any) -> Dataset:
    """Return one item of the Real World Value Mapping Sequence (0040,9096)."""
    units = _code(_UNITS, "square micrometer per second")
    units.CodingSchemeDesignator = "UCUM"
    return item(
        LUTExplanation="Apparent diffusion coefficient",
        LUTLabel="ADC",
        MeasurementUnitsCodeSequence=[units],
        **how,
    )


def _mapped(folder: Path, name: str, mapping: Dataset, values: npt.NDArray[np.float64]) -> Sample:
    place = grid()
    stored = signal(place)
    mapping.RealWorldValueFirstValueMapped, mapping.RealWorldValueLastValueMapped = 0, 4095
    for keyword in ("RealWorldValueFirstValueMapped", "RealWorldValueLastValueMapped"):
        mapping[keyword].VR = "US"
    datasets = identify(mr(place, stored), name)
    for ds in datasets:
        ds.RealWorldValueMappingSequence = [mapping]
    save(folder, datasets)
    return sample(folder, place, values[stored], _UNITS)


def real_world_slope(folder: Path) -> Sample:
    """MR whose stored values mean real-world values by a slope and an intercept."""
    mapping = _mapping(RealWorldValueSlope=0.75, RealWorldValueIntercept=12.5)
    return _mapped(folder, "real_world_slope", mapping, np.arange(4096) * 0.75 + 12.5)


def real_world_lut(folder: Path) -> Sample:
    """MR whose stored values mean real-world values by a table."""
    table = np.round(0.05 * np.arange(4096) ** 1.3, 3)
    return _mapped(folder, "real_world_lut", _mapping(RealWorldValueLUTData=table.tolist()), table)


def parametric_map(folder: Path) -> Sample:
    """Parametric map of floats (PS3.3 A.75): Float Pixel Data, no rescale to speak of, its quantity in a mapping."""
    place = grid("oblique")
    values = (signal(place) * np.float32(0.37)).astype(np.float32)
    kind = ["DERIVED", "PRIMARY", "DIFFUSION", "ADC"]
    mapping = _mapping(RealWorldValueSlope=1.0, RealWorldValueIntercept=0.0)
    mapping.DoubleFloatRealWorldValueFirstValueMapped = 0.0
    mapping.DoubleFloatRealWorldValueLastValueMapped = 4096.0
    quantity = item(ValueType="CODE")
    quantity.ConceptNameCodeSequence = [_code("246205007", "Quantity")]
    quantity.ConceptCodeSequence = [_code("113041", "Apparent Diffusion Coefficient")]
    quantity.ConceptCodeSequence[0].CodingSchemeDesignator = "DCM"
    mapping.QuantityDefinitionSequence = [quantity]
    frames, shared = [], Groups()
    for k in range(place.shape[0]):
        own, alike = place_groups(place, k)
        content = {"StackID": "1", "InStackPositionNumber": k + 1}
        frames.append(Frame(values[k], own, (k + 1,), content))
        shared = alike | value_group() | anatomy()
    shared["ParametricMapFrameTypeSequence"] = item(FrameType=kind)
    shared["RealWorldValueMappingSequence"] = mapping
    top = {
        "ImageType": kind,
        "ContentLabel": "ADC",
        "ContentDescription": "",
        "ContentCreatorName": "",
        "RecognizableVisualFeatures": "NO",
    }
    first = mr(place, np.zeros(place.shape))[0]
    positions = [("ImagePositionPatient", "PlanePositionSequence")]
    ds = multiframe(first, ParametricMapStorage, frames, shared, positions, top=top)
    for keyword in ("BitsStored", "HighBit", "PixelRepresentation", "PixelData", "PixelPresentation"):
        del ds[keyword]
    for keyword in ("VolumetricProperties", "VolumeBasedCalculationTechnique"):
        del ds[keyword]
    ds.BitsAllocated, ds.FloatPixelData = 32, values.astype("<f4").tobytes()
    save(folder, identify([ds], "parametric_map"))
    return sample(folder, place, values, _UNITS)


def _frames(count: int, key: int, top: int) -> npt.NDArray[np.int64]:
    """Return pictures of noise over a slope, no two alike."""
    slope = np.linspace(0.1, 0.5, _ROWS)[:, None] + np.linspace(0, 0.3, _COLUMNS)
    spread = np.array([noise((_ROWS, _COLUMNS), 11, key, k) for k in range(count)])
    return np.clip(np.rint(top * (slope + 0.08 * spread)), 0, top).astype(int)


def _flat(
    folder: Path, values: npt.NDArray[Any], axes: dict[str, npt.NDArray[Any]], units: str = ""
) -> Sample:
    nowhere = np.full((1, 3), np.nan)
    shaped = values.reshape(*(len(labels) for labels in axes.values()), 1, _ROWS, _COLUMNS)
    return Sample(folder, shaped, nowhere, nowhere[0].copy(), nowhere[0].copy(), axes=axes, units=units)


def us_cine(folder: Path) -> Sample:
    """Ultrasound cine of 8 bits, 40 ms a frame, with one region in centimetres."""
    values = _frames(5, 1, 255)
    ds = bare(UltrasoundMultiFrameImageStorage, "US")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "", "0001"]
    ds.NumberOfFrames, ds.FrameIncrementPointer, ds.FrameTime = len(values), Tag(0x0018, 0x1063), "40"
    ds.LossyImageCompression, ds.PatientOrientation = "00", ""
    region = item(
        RegionSpatialFormat=1,
        RegionDataType=1,
        RegionFlags=0,
        RegionLocationMinX0=2,
        RegionLocationMinY0=2,
        RegionLocationMaxX1=_COLUMNS - 2,
        RegionLocationMaxY1=_ROWS - 2,
        PhysicalUnitsXDirection=3,
        PhysicalUnitsYDirection=3,
        PhysicalDeltaX=0.05,
        PhysicalDeltaY=0.04,
    )
    ds.SequenceOfUltrasoundRegions = [region]
    set_stored(ds, values, bits=8)
    save(folder, identify([ds], "us_cine"))
    return _flat(folder, values, {"time": 0.04 * np.arange(len(values))})


def xa_cine(folder: Path) -> Sample:
    """Angiographic cine: projections, millimetres at the detector only."""
    values = _frames(6, 2, 1023)
    ds = bare(XRayAngiographicImageStorage, "XA")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "SINGLE PLANE"]
    ds.NumberOfFrames, ds.FrameIncrementPointer, ds.FrameTime = len(values), Tag(0x0018, 0x1063), "66.67"
    ds.KVP, ds.XRayTubeCurrent, ds.ExposureTime, ds.RadiationSetting = "80", 400, 6, "GR"
    ds.PixelIntensityRelationship, ds.PositionerMotion = "LIN", "STATIC"
    ds.PositionerPrimaryAngle, ds.PositionerSecondaryAngle = "30", "-15"
    ds.ImagerPixelSpacing = ["0.35", "0.28"]
    ds.LossyImageCompression, ds.PatientOrientation = "00", ""
    set_stored(ds, values, bits=10)
    save(folder, identify([ds], "xa_cine"))
    return _flat(folder, values, {"time": 0.06667 * np.arange(len(values))})


def nm_static(folder: Path) -> Sample:
    """Planar nuclear image: two energy windows, each seen by two detectors."""
    values = _frames(4, 3, 4000)
    ds = bare(NuclearMedicineImageStorage, "NM")
    ds.ImageType = ["ORIGINAL", "PRIMARY", "STATIC", "EMISSION"]
    ds.NumberOfFrames = len(values)
    ds.FrameIncrementPointer = [Tag(0x0054, 0x0010), Tag(0x0054, 0x0020)]
    ds.EnergyWindowVector, ds.NumberOfEnergyWindows = [1, 1, 2, 2], 2
    ds.DetectorVector, ds.NumberOfDetectors = [1, 2, 1, 2], 2
    ds.PixelSpacing = ["4.8", "4.2"]
    ds.LossyImageCompression, ds.PatientOrientation, ds.CountsAccumulated = "00", "", int(values.sum())
    ds.EnergyWindowInformationSequence = [
        item(
            EnergyWindowName=f"{low} keV",
            EnergyWindowRangeSequence=[
                item(EnergyWindowLowerLimit=str(low), EnergyWindowUpperLimit=str(low + 28))
            ],
        )
        for low in (126, 154)
    ]
    ds.RadiopharmaceuticalInformationSequence = [
        item(RadionuclideCodeSequence=[_code("72454003", "^99m^Technetium")], RadiopharmaceuticalRoute="IV")
    ]
    ds.DetectorInformationSequence = [
        item(
            CollimatorType="PARA",
            CollimatorGridName="LEHR",
            ImageOrientationPatient=cosines,
            ImagePositionPatient=place,
        )
        for cosines, place in (
            (["1", "0", "0", "0", "0", "-1"], ["-63", "-200", "40"]),
            (["-1", "0", "0", "0", "0", "-1"], ["63", "200", "40"]),
        )
    ]
    ds.ActualFrameDuration = 60000
    lying = _code("102538003", "recumbent")
    lying.PatientOrientationModifierCodeSequence = [_code("40199007", "supine")]
    ds.PatientOrientationCodeSequence = [lying]
    ds.PatientGantryRelationshipCodeSequence = [_code("102540008", "headfirst")]
    set_stored(ds, values, bits=16)
    save(folder, identify([ds], "nm_static"))
    labels = {"energy_window": np.array(["126 keV", "154 keV"]), "detector": np.array([1, 2])}
    return _flat(folder, values, labels)
