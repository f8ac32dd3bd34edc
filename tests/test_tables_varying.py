"""What varies in a series, and how: by position, by time, without a rule; files and frames."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from support import datasets, shared_data, write

import dicomlab
from dicomlab import DicomLabError, find_series, varying
from dicomlab.phantom.kinds import KINDS
from dicomlab.tables.how import Along, Orders, how_it_varies
from dicomlab.tables.tally import Tally

FRAMES = "PerFrameFunctionalGroupsSequence[*]."


def ways(folder: Path) -> dict[str, str]:
    """How each attribute varies, by path."""
    table = varying(folder).to_dataframe()
    return {
        path: f"{how} {shape}".strip()
        for path, how, shape in zip(table.path, table.how, table["shape"], strict=True)
    }


# By construction of each kind of series: what its truth says, not what the code finds.
EXPECTED = {
    "axial_ct": {
        "ImagePositionPatient": "with position linear",
        "InstanceNumber": "irregular",
        "SOPInstanceUID": "unique per file",
    },
    "uneven_spacing": {
        "ImagePositionPatient": "with position linear",
        "InstanceNumber": "with position monotone",
    },
    "pet_slopes": {"RescaleSlope": "irregular", "FrameReferenceTime": "with position monotone"},
    "dynamic": {
        "TemporalPositionIdentifier": "with time linear",
        "ContentTime": "with time linear",
        "ImagePositionPatient": "with position linear",
        "InstanceNumber": "with position and time monotone",
        "SOPInstanceUID": "unique per file",
    },
    "echoes_phases": {
        "EchoTime": "with echo_time linear",
        "RescaleSlope": "with component",
        "ComplexImageComponent": "with component",
        "ImagePositionPatient": "with position linear",
    },
    "diffusion": {"DiffusionBValue": "with b_value linear", "DiffusionGradientOrientation": "with b_value"},
    "localizer_inside": {
        "ImageOrientationPatient": "with stack",
        "PixelSpacing": "with stack",
        "Rows": "with stack",
    },
    "enhanced_mr": {
        f"{FRAMES}PlanePositionSequence[0].ImagePositionPatient": "with position linear",
        f"{FRAMES}TemporalPositionSequence[0].TemporalPositionTimeOffset": "with time linear",
        f"{FRAMES}FrameContentSequence[0].DimensionIndexValues": "with position and time monotone",
    },
    "enhanced_ct": {f"{FRAMES}PlanePositionSequence[0].ImagePositionPatient": "with position linear"},
}


@pytest.mark.parametrize("kind", EXPECTED)
def test_each_kind_of_series_varies_as_it_was_made(kind: str, tmp_path: Path) -> None:
    KINDS[kind].write(tmp_path / kind)
    found = ways(tmp_path / kind)
    assert {path: found.get(path) for path in EXPECTED[kind]} == EXPECTED[kind]


@pytest.mark.parametrize("kind", ["dynamic", "pet_slopes", "diffusion", "axial_ct", "localizer_inside"])
def test_exactly_that_varies_what_pydicom_finds_to_differ(kind: str, tmp_path: Path) -> None:
    KINDS[kind].write(tmp_path)
    headers = [
        pydicom.dcmread(file, stop_before_pixels=True)
        for file in sorted(tmp_path.rglob("*"))
        if file.is_file()
    ]
    keywords = {element.keyword for header in headers for element in header if element.VR != "SQ"}
    values = {keyword: [str(header.get(keyword, "absent")) for header in headers] for keyword in keywords}
    expected = {keyword: len({*told} - {"absent"}) for keyword, told in values.items() if len({*told}) > 1}
    table = varying(tmp_path).to_dataframe()
    top = table[~table.path.str.contains(".", regex=False)]
    assert dict(zip(top.keyword, top.distinct, strict=True)) == expected
    missing = dict(zip(top.keyword, top.missing, strict=True))
    assert missing == {keyword: values[keyword].count("absent") for keyword in expected}


def test_lowest_and_highest_are_those_of_the_files(tmp_path: Path) -> None:
    changed = datasets("PT")
    for k, ds in enumerate(changed):
        ds.RescaleSlope = 0.5 + 0.25 * k
    row = varying(write(tmp_path, changed))["RescaleSlope"].to_dataframe().iloc[0]
    assert (row.lowest, row.highest, row.distinct, row.missing) == (0.5, 1.75, 6, 0)
    assert (row.how, row["shape"]) == ("with position", "linear")


def test_what_some_files_lack_is_told(tmp_path: Path) -> None:
    changed = datasets()
    del changed[2].Manufacturer
    table = varying(write(tmp_path, changed))
    assert table["Manufacturer"].to_dataframe().missing.item() == 1
    assert "Modality" not in table
    assert "missing in 1 file" in repr(table)
    with pytest.raises(DicomLabError, match="does not vary"):
        table["Modality"]


def test_a_tally_knows_which_instance_has_which_value() -> None:
    tally = Tally()
    for k, value in {0: b"ab", 3: b"cd", 5: b"ab"}.items():
        tally.add({0x00080060: b"\x08\0\x60\0CS\2\0" + value}, False, k)
    (_, entry), *_ = tally
    assert list(entry.numbers(7)) == [0, -1, -1, 1, -1, 0, -1]
    assert (entry.count, entry.values) == (3, [b"ab", b"cd"])


def test_what_one_moment_lacks_still_goes_with_time(tmp_path: Path) -> None:
    KINDS["dynamic"].write(tmp_path)
    for file in [file for file in tmp_path.rglob("*") if file.is_file()]:
        ds = pydicom.dcmread(file)
        ds.ProtocolName = "rest" if ds.TemporalPositionIdentifier == 1 else "task"
        if ds.TemporalPositionIdentifier in (2, 3):
            del ds.ProtocolName
        pydicom.dcmwrite(file, ds)
    row = varying(tmp_path)["ProtocolName"].to_dataframe().iloc[0]
    assert (row.how, row.distinct, row.missing) == ("with time", 2, 10)


def test_attributes_inside_sequences_vary_by_themselves(tmp_path: Path) -> None:
    changed = datasets()
    for k, ds in enumerate(changed):
        item = Dataset()
        item.CodeValue, item.CodeMeaning = "T-1", f"meaning {k % 2}"
        ds.AnatomicRegionSequence = [item]
    found = ways(write(tmp_path, changed))
    assert found["AnatomicRegionSequence[0].CodeMeaning"] == "irregular"
    assert "AnatomicRegionSequence[0].CodeValue" not in found
    assert "AnatomicRegionSequence" not in found


def test_implicit_and_explicit_files_of_one_series_do_not_seem_to_differ(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    files = sorted(folder.iterdir())
    for file in files[::2]:
        ds = pydicom.dcmread(file)
        ds.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
        pydicom.dcmwrite(file, ds, implicit_vr=True, little_endian=True, enforce_file_format=True)
    found = ways(folder)
    assert {*found} == {"SOPInstanceUID", "InstanceNumber", "ImagePositionPatient"} | (
        {*found} & {"SliceLocation"}
    )


def test_identity_is_masked_but_counted(tmp_path: Path) -> None:
    changed = datasets()
    for k, ds in enumerate(changed):
        ds.PatientName = f"Secret^{k}"
    folder = write(tmp_path, changed)
    table = varying(folder)
    shown = repr(table) + table._repr_html_() + table.to_dataframe().to_string()
    assert "Secret" not in shown
    assert table["PatientName"].to_dataframe().distinct.item() == 6
    with dicomlab.show_identity():
        assert "Secret^0" in repr(table)
        assert "Secret^0" in table._repr_html_()
    assert "Secret" not in repr(table)


def test_one_image_cannot_vary_and_a_data_set_neither(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets()[:1])
    with pytest.raises(DicomLabError, match="here is one image"):
        varying(folder)
    with pytest.raises(DicomLabError, match="one Dataset"):
        varying(datasets()[0])


def test_series_stacks_and_files_with_frames_are_sources(tmp_path: Path) -> None:
    KINDS["enhanced_mr"].write(tmp_path / "enhanced")
    (file,) = [file for file in (tmp_path / "enhanced").rglob("*") if file.is_file()]
    assert len(varying(file)) == len(varying(tmp_path / "enhanced"))
    series = find_series(write(tmp_path / "ct", datasets()))[0]
    assert len(varying(series)) == len(varying(series.stacks[0]))


def test_numbers_where_frames_should_be_are_told_and_break_nothing(tmp_path: Path) -> None:
    KINDS["enhanced_mr"].write(tmp_path / "one")
    (file,) = [file for file in (tmp_path / "one").rglob("*") if file.is_file()]
    header = pydicom.dcmread(file)
    del header.PerFrameFunctionalGroupsSequence
    header.add_new(0x52009230, "SL", [1, 2, 3])
    folder = tmp_path / "damaged"
    folder.mkdir()
    for k in range(2):
        header.InstanceNumber = k
        header.SOPInstanceUID = header.file_meta.MediaStorageSOPInstanceUID = f"1.2.3.{k}"
        pydicom.dcmwrite(folder / str(k), header)
    assert find_series(folder)[0].stacks
    assert "InstanceNumber" in varying(folder)


def test_times_go_on_over_midnight(tmp_path: Path) -> None:
    images = datasets()
    for number, image in enumerate(sorted(images, key=lambda one: float(one.ImagePositionPatient[2]))):
        image.AcquisitionTime = ("235958", "235959", "000000", "000001", "000002", "000003")[number]
    (row,) = varying(write(tmp_path, images))["AcquisitionTime"].to_dataframe().itertuples()
    assert (row.how, row.shape, row.distinct) == ("with position", "linear", 6)
    with dicomlab.show_identity():
        (row,) = varying(tmp_path)["AcquisitionTime"].to_dataframe().itertuples()
    assert (row.lowest, row.highest) == (0, 86399), "seconds since midnight, as they stand there"


def test_a_rule_needs_evidence() -> None:
    place, time = np.arange(6) // 2, np.arange(6) % 2
    axes = Orders([Along("position", place, np.array([0.0, 5, 10])), Along("time", time, np.array([0.0, 1]))])
    numbers = np.arange(6.0)[:, None]
    assert how_it_varies(np.arange(6), numbers, axes).words == "with position and time"
    assert how_it_varies(np.array([2, 0, 5, 1, 4, 3]), numbers, axes).words == "irregular"
    assert how_it_varies(np.arange(6), None, axes).words == "unique per file"
    assert how_it_varies(np.array([0, 0, 1, 1, 0, 0]), None, axes).words == "with position"
    assert how_it_varies(np.array([0, 1, 0, 1, 0, 1]), None, axes).words == "with time"
    assert how_it_varies(np.array([0, 0, -1, -1, 0, 0]), None, axes).words == "with position"
    assert how_it_varies(np.array([0, 1, 1, 1, 0, 0]), None, axes).words == "irregular"


def test_real_series_vary_as_expected() -> None:
    try:
        folder = shared_data()
    except FileNotFoundError as problem:
        pytest.skip(str(problem))
    fmri = ways(folder / "mr-fmri-philips")
    assert fmri["ImagePositionPatient"] == "with position linear"
    assert fmri["SOPInstanceUID"] == "unique per file"
    enhanced = (
        varying(next((folder / "enh-misc-a").rglob("*.dcm")))
        if [*(folder / "enh-misc-a").rglob("*.dcm")]
        else None
    )
    assert enhanced is None or enhanced.unit == "frame"


def test_two_numbers_that_differ_follow_nothing(tmp_path: Path) -> None:
    images = datasets("CT")[:2]
    for header, current in zip(images, (200, 317), strict=True):
        header.XRayTubeCurrent = current
    table = dicomlab.varying(write(tmp_path / "two", images)).to_dataframe().set_index("keyword")
    assert table.how["XRayTubeCurrent"] == "unique per file"
