"""What tells images at one position apart, from standard attributes wherever they are and from makers' own."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from support import SHARED, frames_of, shared_data

from dicomlab.read import labels
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import read_instance
from dicomlab.read.private import PRIVATE, Private
from dicomlab.read.sources import list_files
from dicomlab.read.wanted import TAGS

real = pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")


def _image(modality: str = "MR", **attributes: object) -> Dataset:
    dataset = Dataset()
    dataset.Modality = modality
    for keyword, value in attributes.items():
        setattr(dataset, keyword, value)
    return dataset


def _grouped(sequence: str, **attributes: object) -> Dataset:
    """A frame whose functional group `sequence` holds the attributes."""
    frame = _image()
    macro = Dataset()
    for keyword, value in attributes.items():
        setattr(macro, keyword, value)
    setattr(frame, sequence, Sequence([macro]))
    return frame


def _private(group: int, creator: str, element: int, vr: str, value: object) -> Dataset:
    dataset = _image()
    dataset.private_block(group, creator, create=True).add_new(element, vr, value)
    return dataset


@pytest.mark.parametrize(
    ("dataset", "expected"),
    [
        (_image(ComplexImageComponent="PHASE"), "phase"),
        (_grouped("MRImageFrameTypeSequence", ComplexImageComponent="REAL"), "real"),
        (_image(ImageType=["ORIGINAL", "PRIMARY", "M", "ND"]), "magnitude"),
        (_image(ImageType=["ORIGINAL", "PRIMARY", "P", "ND"]), "phase"),
        (_image(ImageType=["ORIGINAL", "PRIMARY", "PHASE MAP", "P", "FFE"]), "phase"),
        (_image(ImageType=["DERIVED", "PRIMARY", "IMAGINARY"]), "imaginary"),
        (_image(ImageType=["M", "P", "OTHER"]), ""),
        (_image(ImageType=["ORIGINAL", "PRIMARY", "OTHER"]), ""),
        (_image("CT", ImageType=["ORIGINAL", "PRIMARY", "AXIAL", "R"]), ""),
        (_private(0x0043, "GEMS_PARM_01", 0x2F, "SS", 3), "imaginary"),
        (_private(0x0043, "GEMS_PARM_01", 0x2F, "UN", b"\2\0"), "real"),
        (_private(0x0043, "GEMS_PARM_01", 0x2F, "SS", 9), ""),
        (_private(0x2005, "Philips MR Imaging DD 001", 0x11, "CS", "I"), "imaginary"),
        (Dataset(), ""),
    ],
)
def test_component(dataset: Dataset, expected: str) -> None:
    assert labels.component(Attributes.of(dataset)) == expected


def test_a_mixed_component_above_leaves_it_to_the_frame_and_a_frame_outweighs_what_is_above() -> None:
    frame = _grouped("MRImageFrameTypeSequence", ComplexImageComponent="IMAGINARY")
    above = _image(ComplexImageComponent="MIXED", ImageType=["ORIGINAL", "PRIMARY", "M"])
    assert labels.component(Attributes.of(frame, above)) == "imaginary"
    assert labels.component(Attributes.of(above)) == "magnitude"
    unfolded = frame.MRImageFrameTypeSequence[0]
    assert labels.component(Attributes.of(unfolded, frame, above)) == "imaginary"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["M", "NORM", "DIXON", "WATER"], "water"),
        (["F", "F", "DERIVED"], "fat"),
        (["M", "IN_PHASE"], "in_phase"),
        (["IP", "IP"], "in_phase"),
        (["M", "OPP_PHASE"], "opposed_phase"),
        (["DIXON", "OUTPHASE"], "opposed_phase"),
        (["FF", "FF"], "fat_fraction"),
        (["M", "ND", "NORM"], ""),
    ],
)
def test_dixon(values: list[str], expected: str) -> None:
    assert labels.dixon(Attributes.of(_image(ImageType=["DERIVED", "PRIMARY", *values]))) == expected
    assert labels.dixon(Attributes.of(_image("CT", ImageType=["DERIVED", "PRIMARY", *values]))) == ""


def test_siemens_image_type_text_in_a_frame_is_read() -> None:
    item, frame = Dataset(), _image()
    item.private_block(0x0021, "SIEMENS MR SDI 02", create=True).add_new(
        0x75, "CS", ["DERIVED", "PRIMARY", "DIXON", "WATER"]
    )
    frame.private_block(0x0021, "SIEMENS MR SDI 02", create=True).add_new(0xFE, "SQ", Sequence([item]))
    assert labels.dixon(Attributes.of(frame)) == "water"
    assert labels.image_type(Attributes.of(frame)) == ["DIXON", "WATER"]


@pytest.mark.parametrize(
    ("context", "expected"),
    [("LABEL", "label"), ("CONTROL", "control"), ("M_ZERO_SCAN", "m0"), ("OTHER", "")],
)
def test_asl_of_the_standard(context: str, expected: str) -> None:
    assert (
        labels.asl(Attributes.of(_grouped("MRArterialSpinLabelingSequence", ASLContext=context))) == expected
    )


def test_asl_of_philips_is_found_at_the_top_and_in_its_own_sequence_of_a_frame() -> None:
    creator = "Philips MR Imaging DD 005"
    item = _private(0x2005, creator, 0x29, "CS", "CONTROL")
    assert labels.asl(Attributes.of(item)) == "control"
    frame = _private(0x2005, creator, 0x0F, "SQ", Sequence([item]))
    assert labels.asl(Attributes.of(frame, Dataset())) == "control"
    assert labels.asl(Attributes.of(Dataset())) == ""


def test_energy_and_tube_voltage() -> None:
    frame = _grouped("MultienergyCTProcessingSequence", MonoenergeticEnergyEquivalent=70.0)
    assert labels.energy(Attributes.of(frame)) == 70
    assert labels.energy(Attributes.of(_image("CT", KVP="120"))) is None
    assert labels.tube_voltage(Attributes.of(_image("CT", KVP="120"))) == 120
    assert labels.tube_voltage(Attributes.of(_grouped("CTXRayDetailsSequence", KVP="80"))) == 80
    assert labels.tube_voltage(Attributes.of(_image("CT", KVP="0"))) is None


def test_velocity_direction_is_a_unit_vector_or_nothing() -> None:
    near = _grouped("MRVelocityEncodingSequence", VelocityEncodingDirection=[0.0, 3.0, 4.0])
    np.testing.assert_allclose(labels.velocity_direction(Attributes.of(near)), [0, 0.6, 0.8])
    zero = _grouped("MRVelocityEncodingSequence", VelocityEncodingDirection=[0.0, 0.0, 0.0])
    assert labels.velocity_direction(Attributes.of(zero)) is None


def test_trigger_and_temporal_numbers() -> None:
    frame = _grouped("CardiacSynchronizationSequence", NominalCardiacTriggerDelayTime=250.0)
    assert labels.nominal_trigger(Attributes.of(frame, _image(TriggerTime="900"))) == 0.25
    assert labels.nominal_trigger(Attributes.of(_image(TriggerTime="900"))) == 0.9
    assert labels.nominal_trigger(Attributes.of(_image())) is None
    index = _grouped("FrameContentSequence", TemporalPositionIndex=3)
    assert labels.temporal_position(Attributes.of(index, _image(TemporalPositionIdentifier="8"))) == 3
    assert labels.temporal_position(Attributes.of(_image(TemporalPositionIdentifier="8"))) == 8
    offset = _grouped("TemporalPositionSequence", TemporalPositionTimeOffset=1.5)
    assert labels.temporal_offset(Attributes.of(offset)) == 1.5


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ({"AcquisitionTime": "000001.250000"}, 1.25),
        ({"AcquisitionTime": "12:30:00"}, 45000),
        ({"AcquisitionTime": "1230"}, 45000),
        ({"AcquisitionDate": "19700102", "AcquisitionTime": "000010"}, 86410),
        ({"AcquisitionDate": "1970.01.02", "AcquisitionTime": "000010"}, 86410),
        ({"AcquisitionDate": "***", "AcquisitionTime": "000010"}, 10),
        ({"AcquisitionDateTime": "19700102000010.5"}, 86410.5),
        ({"AcquisitionDateTime": "19700102000010.5+0100"}, 86410.5 - 3600),
        ({"AcquisitionDateTime": "19700102000010-0330"}, 86410 + 12600),
        ({"AcquisitionDateTime": "19700102"}, None),
        ({"AcquisitionDateTime": "nonsense", "AcquisitionTime": "000007"}, 7),
        ({"AcquisitionTime": "235960"}, 86400),
        ({"AcquisitionTime": "250000"}, None),
        ({"AcquisitionTime": "000010.5x"}, None),
        ({"AcquisitionDate": "20200101"}, None),
        ({}, None),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_acquired(attributes: dict[str, str], expected: float | None) -> None:
    assert labels.acquired(Attributes.of(_image(**attributes))) == expected


def test_the_moment_of_a_frame_outweighs_that_of_the_object() -> None:
    frame = _grouped("FrameContentSequence", FrameAcquisitionDateTime="19700101000003")
    assert labels.acquired(Attributes.of(frame, _image(AcquisitionDateTime="19700101000001"))) == 3


@real
@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("mr-fieldmap-philips/classic", {"magnitude": 106, "phase": 106}),
        ("mr-fieldmap-philips/enhanced", {"magnitude": 106, "phase": 106}),
        ("mr-enh-philips-b0/xa10", {"magnitude": 24}),
        ("mr-enh-xa30-a/7_fMRI", {"magnitude": 660}),
        ("ct-contrast-kits", {"": 18}),
    ],
)
def test_components_of_real_series(folder: str, expected: dict[str, int]) -> None:
    where = shared_data() / folder
    kept = [frame for frame in frames_of(where) if frame.number("Rows")]
    assert Counter(labels.component(frame) for frame in kept) == expected


@real
def test_moments_of_a_real_series_across_files_are_its_repetitions() -> None:
    frames = frames_of(shared_data() / "mr-enh-xa30-a" / "7_fMRI")
    moments = {labels.acquired(frame) for frame in frames}
    starts = sorted(moment for moment in moments if moment is not None)
    assert len(starts) == 20 * 11  # 33 slices, three at a time
    assert starts[-1] - starts[0] < 60


@real
def test_tube_voltages_of_real_series() -> None:
    for folder, expected in (("ct-contrast-kits", 130), ("ct-tilt-ge-variable", 120)):
        frames = [frame for frame in frames_of(shared_data() / folder) if frame.number("Rows")]
        assert {labels.tube_voltage(frame) for frame in frames} == {expected}


def test_private_elements_are_found_in_any_block_and_as_bytes(tmp_path: Path) -> None:
    from support import datasets

    dataset = datasets("MR")[0]
    for k in range(3):
        dataset.private_block(0x0043, f"SOMEBODY {k}", create=True)
    dataset.private_block(0x0043, "GEMS_PARM_01", create=True).add_new(0x2F, "UN", b"\1\0")
    path = tmp_path / "image.dcm"
    dataset.save_as(path, enforce_file_format=True)
    (ref,) = list_files(path, lambda *_: None)
    assert labels.component(read_instance(ref)) == "phase"


def test_every_private_element_is_asked_for_in_every_block_once() -> None:
    asked = TAGS
    assert len(asked) == len(set(asked))
    for element in PRIVATE:
        for block in range(0x10, 0x20):
            assert element.group << 16 | block in asked
            assert element.group << 16 | block << 8 | element.element in asked


def test_bytes_that_do_not_fit_their_vr_are_no_numbers() -> None:
    element = Private(0x0043, "GEMS_PARM_01", 0x2F, "SS")
    for value, expected in ((b"\1", None), (b"", None), (b"\1\0\2\0", [1, 2])):
        found = element.numbers(Attributes.of(_private(0x0043, "GEMS_PARM_01", 0x2F, "UN", value)))
        assert (None if found is None else found.tolist()) == expected
    assert str(element) == "(0043,xx2F)"
