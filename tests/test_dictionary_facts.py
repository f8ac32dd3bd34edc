"""Facts of `dicomlab.dictionary` that were compared with independent copies of the standard: sections, units, lengths, values.

The copies: PS3.3 as docbook of 2016c and as lists of modules of 2024 and 2025, PS3.5 section 6.2 of 2016.
"""

from __future__ import annotations

import re

import pytest

from dicomlab.dictionary import explain
from dicomlab.dictionary.standard import tables_of_standard
from dicomlab.dictionary.vr import VRS
from dicomlab.dictionary.words import all_words, words_of

MODULES = {
    "patient": "C.7.1.1",
    "clinical-trial-subject": "C.7.1.3",
    "general-study": "C.7.2.1",
    "patient-study": "C.7.2.2",
    "general-series": "C.7.3.1",
    "frame-of-reference": "C.7.4.1",
    "synchronization": "C.7.4.2",
    "general-equipment": "C.7.5.1",
    "enhanced-general-equipment": "C.7.5.2",
    "general-image": "C.7.6.1",
    "image-plane": "C.7.6.2",
    "image-pixel": "C.7.6.3",
    "contrast-bolus": "C.7.6.4",
    "enhanced-contrast-bolus": "C.7.6.4b",
    "cine": "C.7.6.5",
    "multi-frame": "C.7.6.6",
    "frame-pointers": "C.7.6.9",
    "mask": "C.7.6.10",
    "display-shutter": "C.7.6.11",
    "device": "C.7.6.12",
    "acquisition-context": "C.7.6.14",
    "multi-frame-functional-groups": "C.7.6.16",
    "multi-frame-dimension": "C.7.6.17",
    "cardiac-synchronization": "C.7.6.18.1",
    "respiratory-synchronization": "C.7.6.18.2",
    "bulk-motion-synchronization": "C.7.6.18.3",
    "supplemental-palette-color-lookup-table": "C.7.6.19",
    "specimen": "C.7.6.22",
    "floating-point-image-pixel": "C.7.6.24",
    "enhanced-patient-orientation": "C.7.6.30",
    "palette-color-lookup-table": "C.7.9",
    "general-acquisition": "C.7.10.1",
    "multi-resolution-pyramid": "C.7.11.1",
    "ct-image": "C.8.2.1",
    "mr-image": "C.8.3.1",
    "us-region-calibration": "C.8.5.5",
    "us-image": "C.8.5.6",
    "sc-equipment": "C.8.6.1",
    "x-ray-image": "C.8.7.1",
    "rt-series": "C.8.8.1",
    "rt-dose": "C.8.8.3",
    "structure-set": "C.8.8.5",
    "roi-contour": "C.8.8.6",
    "pet-series": "C.8.9.1",
    "pet-isotope": "C.8.9.2",
    "pet-image": "C.8.9.4",
    "enhanced-mr-image": "C.8.13.1",
    "enhanced-ct-image": "C.8.15.2",
    "segmentation-series": "C.8.20.1",
    "segmentation-image": "C.8.20.2",
    "parametric-map-image": "C.8.32.2",
    "overlay-plane": "C.9.2",
    "modality-lut": "C.11.1",
    "voi-lut": "C.11.2",
    "icc-profile": "C.11.15",
    "sop-common": "C.12.1",
    "common-instance-reference": "C.12.2",
    "frame-extraction": "C.12.3",
    "general-reference": "C.12.4",
    "sr-document-content": "C.17.3",
    "raw-data": "C.19.1",
}

MACROS = {
    "pixel-measures": "C.7.6.16.2.1",
    "frame-content": "C.7.6.16.2.2",
    "plane-position-patient": "C.7.6.16.2.3",
    "plane-orientation-patient": "C.7.6.16.2.4",
    "referenced-image": "C.7.6.16.2.5",
    "derivation-image": "C.7.6.16.2.6",
    "frame-anatomy": "C.7.6.16.2.8",
    "pixel-value-transformation": "C.7.6.16.2.9",
    "identity-pixel-value-transformation": "C.7.6.16.2.9b",
    "frame-voi-lut": "C.7.6.16.2.10",
    "real-world-value-mapping": "C.7.6.16.2.11",
    "respiratory-synchronization": "C.7.6.16.2.17",
    "plane-position-volume": "C.7.6.16.2.21",
    "temporal-position": "C.7.6.16.2.23",
    "image-data-type": "C.7.6.16.2.24",
    "unassigned-shared-converted-attributes": "C.7.6.16.2.25.1",
    "unassigned-per-frame-converted-attributes": "C.7.6.16.2.25.2",
    "image-frame-conversion-source": "C.7.6.16.2.25.3",
    "stored-value-color-range": "C.7.6.16.2.26",
    "plane-position-slide": "C.8.12.6.1",
    "whole-slide-microscopy-image-frame-type": "C.8.12.9",
    "mr-image-frame-type": "C.8.13.5.1",
    "mr-diffusion": "C.8.13.5.9",
    "ct-image-frame-type": "C.8.15.3.1",
    "ct-additional-x-ray-source": "C.8.15.3.11",
    "segmentation": "C.8.20.3.1",
}


def test_modules_and_macros_stand_in_the_sections_of_the_standard() -> None:
    modules = tables_of_standard().modules
    here = {key: modules[f"module{key}"].section for key in MODULES}
    assert here == MODULES
    assert {key: modules[f"group{key}"].section for key in MACROS} == MACROS


def test_no_two_modules_share_a_section_and_none_is_outside_annex_c() -> None:
    tables = tables_of_standard()
    sections = [module.section for key, module in tables.modules.items() if key != "modulefile-meta"]
    assert len(sections) == len(set(sections)) > 280
    assert all(re.fullmatch(r"C(\.\d+)+b?", section) for section in sections)
    annex_a = [iod.section for iod in tables.iods]
    assert len(annex_a) == len(set(annex_a)) > 50
    assert all(re.fullmatch(r"A(\.\d+)+", section) for section in annex_a)


UNITS = {
    "mm": "ImagePositionPatient PixelSpacing SliceThickness SpacingBetweenSlices ImagerPixelSpacing TableHeight ContourData "
    "GridFrameOffsetVector DistanceSourceToDetector FocalSpots TableFeedPerRotation",
    "ms": "RepetitionTime EchoTime InversionTime TriggerTime NominalInterval FrameTime FrameTimeVector FrameDelay ExposureTime "
    "ActualFrameDuration FrameReferenceTime FrameAcquisitionDuration",
    "s": "RadionuclideHalfLife RevolutionTime",
    "m": "PatientSize",
    "kg": "PatientWeight",
    "kV": "KVP",
    "kW": "GeneratorPower",
    "mA": "XRayTubeCurrent XRayTubeCurrentInmA",
    "mAs": "Exposure",
    "µAs": "ExposureInuAs",
    "mGy": "CTDIvol EntranceDoseInmGy",
    "dGy": "OrganDose",
    "dGy·cm²": "ImageAndFluoroscopyAreaDoseProduct",
    "T": "MagneticFieldStrength",
    "MHz": "ImagingFrequency",
    "Hz/pixel": "PixelBandwidth",
    "W/kg": "SAR SpecificAbsorptionRateValue",
    "T/s": "dBdt",
    "cm/s": "VelocityEncodingMaximumValue",
    "s/mm²": "DiffusionBValue",
    "keV": "EnergyWindowLowerLimit EnergyWindowUpperLimit",
    "ml": "ContrastBolusVolume ContrastBolusTotalDose RadiopharmaceuticalVolume",
    "N": "CompressionForce",
    "Gy": "TargetPrescriptionDose",
    "degrees": "FlipAngle GantryDetectorTilt GantryAngle PositionerPrimaryAngle",
    "mm/s": "TableSpeed",
    "Bq; MBq in NM and enhanced PET": "RadionuclideTotalDose",
    "": "TemporalResolution PhysicalDeltaX ImageOrientationPatient DoseGridScaling PixelAspectRatio",
}


@pytest.mark.parametrize("unit", UNITS)
def test_units_are_those_that_the_standard_gives(unit: str) -> None:
    assert {keyword: words_of(keyword).unit for keyword in UNITS[unit].split()} == dict.fromkeys(
        UNITS[unit].split(), unit
    )
    assert all(words_of(keyword).says for keyword in UNITS[unit].split())


# Values that the words must name: leaving one out is no fault, another in its place is.
VALUES = {
    "DecayCorrection": "NONE START ADMIN",
    "SUVType": "BW LBM LBMJANMA BSA IBW",
    "SegmentationType": "BINARY FRACTIONAL LABELMAP",
    "SegmentationFractionalType": "PROBABILITY OCCUPANCY",
    "DiffusionDirectionality": "DIRECTIONAL BMATRIX ISOTROPIC NONE",
    "VolumetricProperties": "VOLUME SAMPLED DISTORTED MIXED",
    "AcquisitionType": "SEQUENCED SPIRAL CONSTANT_ANGLE STATIONARY FREE",
    "ContourGeometricType": "CLOSED_PLANAR OPEN_PLANAR OPEN_NONPLANAR POINT CLOSEDPLANAR_XOR",
    "DVHType": "DIFFERENTIAL CUMULATIVE NATURAL",
    "DVHVolumeUnits": "CM3 PERCENT PER_U",
    "DoseType": "PHYSICAL EFFECTIVE ERROR",
    "ConversionType": "WSD DI DF SD SI DV DRW SYN",
    "LongitudinalTemporalInformationModified": "UNMODIFIED MODIFIED REMOVED",
    "DimensionOrganizationType": "3D 3D_TEMPORAL TILED_FULL TILED_SPARSE",
    "InPlanePhaseEncodingDirection": "ROW COL COLUMN OTHER",
    "ScanningSequence": "SE IR GR EP RM",
    "FrameLaterality": "L R U B",
    "CountsSource": "EMISSION TRANSMISSION",
    "VOILUTFunction": "LINEAR LINEAR_EXACT SIGMOID",
    "FrameOfReferenceTransformationMatrixType": "RIGID RIGID_SCALE AFFINE",
}


@pytest.mark.parametrize("keyword", VALUES)
def test_words_name_the_values_of_the_standard(keyword: str) -> None:
    said = set(re.findall(r"[A-Z0-9_]+", words_of(keyword).says))
    assert set(VALUES[keyword].split()) <= said


def test_a_dose_in_mbq_is_told_where_the_standard_wants_mbq() -> None:
    trap = words_of("RadionuclideTotalDose").trap
    assert "MBq in nuclear medicine" in trap
    assert "enhanced PET" in trap
    for keyword in ("NuclearMedicineImageStorage", "EnhancedPETImageStorage"):
        assert "MBq" in explain(keyword).trap


def test_words_of_a_place_that_an_object_does_not_have_are_not_needed() -> None:
    """Attributes with words are in some object that is here, retired, or in files rather than in objects."""
    tables = tables_of_standard()
    held = {
        keyword for module in tables.modules.values() for keyword in tables.places(module)
    }  # of group 2 as well
    elsewhere = {
        words.keyword
        for words in all_words().values()
        if words.subject not in ("uids", "retired") and words.keyword not in held
    }
    # Items and their ends, discs; EthnicGroup was taken out of the Patient module, the others are of treatment and storage.
    assert elsewhere <= {
        "Item",
        "ItemDelimitationItem",
        "SequenceDelimitationItem",
        "DirectoryRecordSequence",
        "DirectoryRecordType",
        "ReferencedFileID",
        "DataSetTrailingPadding",
        "EthnicGroup",
    }


# Of PS3.5 table 6.2-1: what one value may be long, and what a range in a query may be.
LENGTHS = {
    "AE": "16 bytes",
    "AS": "4 bytes",
    "AT": "4 bytes",
    "CS": "16 bytes",
    "DA": "8 bytes",
    "DS": "16 bytes",
    "DT": "26 bytes",
    "FL": "4 bytes",
    "FD": "8 bytes",
    "IS": "12 bytes",
    "LO": "64 characters",
    "LT": "10240 characters",
    "OD": "2³²−8 bytes",
    "OF": "2³²−4 bytes",
    "PN": "64 characters for each",
    "SH": "16 characters",
    "SL": "4 bytes",
    "SS": "2 bytes",
    "ST": "1024 characters",
    "SV": "8 bytes",
    "TM": "14 bytes",
    "UC": "2³²−2 bytes",
    "UI": "64 bytes",
    "UL": "4 bytes",
    "UR": "2³²−2 bytes",
    "US": "2 bytes",
    "UT": "2³²−2 bytes",
    "UV": "8 bytes",
}
RANGES = {"DA": "18", "DT": "54", "TM": "28"}


@pytest.mark.parametrize("vr", LENGTHS)
def test_lengths_of_vrs_are_those_of_the_standard(vr: str) -> None:
    fixed = {"AS", "AT", "DA", "FL", "FD", "SL", "SS", "SV", "UL", "US", "UV"}
    assert VRS[vr].limit.startswith(f"exactly {LENGTHS[vr]}" if vr in fixed else LENGTHS[vr])
    if vr in RANGES:
        assert f"a range, YYYYMMDD-YYYYMMDD, of {RANGES[vr]}" in VRS[vr].limit or (
            f"a range, of {RANGES[vr]}" in VRS[vr].limit
        )


def test_padding_of_vrs_is_that_of_the_standard() -> None:
    assert {vr for vr in VRS if "zero byte" in VRS[vr].padding} == {"OB", "UI"}
    texts = {"AE", "CS", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UR", "UT"}
    assert {vr for vr in VRS if "space" in VRS[vr].padding} == texts


def test_vrs_whose_values_a_backslash_does_not_separate_are_those_of_the_standard() -> None:
    alone = {"LT", "ST", "UT", "UR", "OB", "OD", "OF", "OL", "OV", "OW", "SQ", "UN"}
    assert {vr for vr in VRS if not VRS[vr].several} == alone
