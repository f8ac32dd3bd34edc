"""A header explained: module, type and words of each attribute, what is missing, and nothing that is trusted or given away."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import Tag
from support import datasets, write

import dicomlab
from dicomlab import DicomLabError, explain, find_series, phantom, show_identity
from dicomlab.dictionary import Explanation, Place
from dicomlab.privacy import MASK, NOTE


def test_a_header_is_told_with_module_type_value_and_words(tmp_path: Path) -> None:
    told = explain(write(tmp_path, datasets()))
    rows = {row.keyword: row for row in told.rows}
    spacing = rows["PixelSpacing"]
    assert (spacing.module, spacing.type, spacing.vr) == ("Image Plane", "1", "DS")
    assert spacing.says.startswith("Distance between the centres")
    assert rows["TransferSyntaxUID"].module == "File Meta Information"
    assert told.iod == "CT Image"
    assert list(told.table.columns) == [
        "tag",
        "keyword",
        "name",
        "vr",
        "value",
        "module",
        "type",
        "says",
        "trap",
        "depth",
    ]
    assert len(told.to_dataframe()) == len(told)


def test_files_series_stacks_and_datasets_have_headers(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    series = find_series(folder)[0]
    file = sorted(folder.iterdir())[0]
    for source in (
        folder,
        str(folder),
        file,
        series,
        series.stacks[0],
        find_series(folder),
        series.instances[2],
    ):
        assert explain(source).iod == "CT Image", source
    assert explain(datasets()[0]).iod == "CT Image"
    assert explain(datasets()[0], sop_class="MR").iod == "MR Image"
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DicomLabError, match="no DICOM"):
        explain(empty)


def test_a_folder_that_is_called_by_a_uid_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "1.2.3.4").mkdir()
    write(tmp_path / "1.2.3.4", datasets())
    monkeypatch.chdir(tmp_path)
    assert explain("1.2.3.4").iod == "CT Image"
    assert explain("1.2.3.5").kind == "UID"
    (tmp_path / "PixelSpacing").mkdir()
    assert explain("PixelSpacing").tag == "(0028,0030)"


def test_a_volume_has_no_header_and_says_where_it_is() -> None:
    with pytest.raises(DicomLabError, match="a volume carries no header: explain the series"):
        explain(dicomlab.make_volume(np.zeros((2, 3, 4), "int16"), affine=np.eye(4)))


def test_a_phantom_has_nothing_to_look_at(tmp_path: Path) -> None:
    study = phantom.write_study(tmp_path, coarser=8)
    for series in (study.ct, study.mr, study.pet):
        assert [note.message for note in explain(series.folder).notes] == []


def header() -> Dataset:
    return datasets()[0]


def notes(dataset: Dataset) -> set[tuple[str, str]]:
    return {(note.code, note.keyword) for note in explain(dataset).notes}


def test_what_is_missing_empty_or_odd_is_noted() -> None:
    before = notes(header())
    broken = header()
    del broken.PixelSpacing
    broken.ImagePositionPatient = None
    broken.ImageOrientationPatient = [1, 0, 0]
    broken.add_new("OtherPatientIDs", "LO", "4711")
    broken.add_new(0x00191008, "LO", "whose")
    assert notes(broken) - before == {
        ("missing", "PixelSpacing"),
        ("empty", "ImagePositionPatient"),
        ("count", "ImageOrientationPatient"),
        ("retired", "OtherPatientIDs"),
        ("no_creator", ""),
    }
    said = repr(explain(broken))
    assert "Pixel Spacing (0028,0030) is missing: type 1 in Image Plane, it must have a value" in said


def test_a_conditional_type_1_attribute_must_not_be_empty() -> None:
    dataset = header()
    dataset.RescaleType = None
    assert ("empty", "RescaleType") in notes(dataset)
    del dataset.RescaleType
    assert "RescaleType" not in {keyword for _, keyword in notes(dataset)}


def test_a_type_2_attribute_may_be_empty_and_not_missing() -> None:
    dataset = header()
    dataset.SliceThickness = None
    assert ("empty", "SliceThickness") not in notes(dataset)
    del dataset.SliceThickness
    assert ("missing", "SliceThickness") in notes(dataset)


def test_what_an_item_of_a_sequence_lacks_is_noted() -> None:
    dataset = header()
    dataset.ReferencedImageSequence = Sequence([Dataset()])
    missing = {
        (note.keyword, note.message.split(" is missing ")[1].split(":")[0])
        for note in explain(dataset).notes
        if note.code == "missing"
    }
    assert ("ReferencedSOPInstanceUID", "in ReferencedImageSequence") in missing


def test_a_functional_group_that_is_in_neither_place_is_noted(tmp_path: Path) -> None:
    dataset = enhanced(3)
    dataset.SharedFunctionalGroupsSequence[
        0
    ].PixelMeasuresSequence = dataset.PerFrameFunctionalGroupsSequence[0].PixelMeasuresSequence
    assert ("missing", "PixelMeasuresSequence") not in notes(dataset)
    del dataset.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence
    for item in dataset.PerFrameFunctionalGroupsSequence:
        del item.PixelMeasuresSequence
    assert ("missing", "PixelMeasuresSequence") in notes(dataset)


def test_a_node_of_a_report_lacks_only_what_all_nodes_have() -> None:
    report = Dataset()
    report.SOPClassUID = pydicom.uid.Comprehensive3DSRStorage
    node = Dataset()
    node.ValueType = "TEXT"
    report.ContentSequence = Sequence([node])
    missing = {note.keyword for note in explain(report).notes if "SR Document Content" in note.message}
    assert missing == {"ValueType", "RelationshipType"}
    report.ValueType, node.RelationshipType = "CONTAINER", "CONTAINS"
    assert not [note for note in explain(report).notes if "SR Document Content" in note.message]


def test_private_attributes_are_not_counted() -> None:
    dataset = header()
    dataset.private_block(0x0019, "SIEMENS MR HEADER", create=True).add_new(0x0C, "IS", [1, 2])
    rows = [row for row in explain(dataset).rows if row.tag == "(0019,100C)"]
    assert [(row.name, row.value) for row in rows] == [("B_value (SIEMENS MR HEADER)", "1\\2")]
    assert "count" not in {note.code for note in explain(dataset).notes}


def test_an_object_of_an_unknown_class_is_told_without_modules() -> None:
    dataset = header()
    dataset.SOPClassUID = "1.2.3.4"
    told = explain(dataset)
    assert {note.code for note in told.notes} == {"unknown_class"}
    assert all(not row.module for row in told.rows)
    assert explain(Dataset()).rows == ()


def test_identity_is_masked_until_asked_for() -> None:
    dataset = header()
    dataset.PatientName, dataset.PatientID, dataset.StudyDate = "Secret^Name", "ID-4711", "20200102"
    block = dataset.private_block(0x0019, "Somebody", create=True)
    block.add_new(0x01, "LO", "private name")
    told = explain(dataset)
    for said in (repr(told), told._repr_html_(), str(told.to_dict()), told.table.to_csv()):
        assert not re.search("Secret|4711|20200102|private name", said)
        assert MASK in said
    with show_identity():
        assert "Secret^Name" in repr(explain(dataset))


def test_a_description_is_shown_without_the_words_that_name_the_patient(tmp_path: Path) -> None:
    dataset = header()
    dataset.PatientName, dataset.PatientID = "Müller^Anna", "ID-4711"
    dataset.SeriesDescription = "T2 ax MUELLER"
    dataset.ManufacturerModelName = "Anna's scanner"
    dataset.private_block(0x0019, "MUELLER 1", create=True).add_new(0x01, "IS", 1)
    item = Dataset()
    item.CodeMeaning = "of Anna"
    dataset.ProcedureCodeSequence = Sequence([item])
    told = explain(dataset)
    for said in (repr(told), told._repr_html_(), str(told.to_dict())):
        assert not re.search(r"(?i)m(ü|ue)ller|\banna\b|4711", said)
    rows = {row.keyword: row.value for row in told.rows}
    assert rows["SeriesDescription"] == f"T2 ax {MASK}"
    folder = write(tmp_path, [dataset])
    named = next(folder.iterdir()).rename(folder / "anna.dcm")
    assert "anna" not in repr(explain(named))
    with show_identity():
        assert "Müller" in repr(explain(dataset))


HOSTILE = "<img src=x onerror=alert(1)>\"'&<script>alert(2)</script>"


def test_nothing_of_a_file_becomes_a_tag() -> None:
    dataset = header()
    dataset.PatientName = HOSTILE
    dataset.SeriesDescription = HOSTILE
    dataset.ImageComments = HOSTILE
    dataset["SOPClassUID"] = pydicom.DataElement(
        "SOPClassUID", "UI", HOSTILE, validation_mode=pydicom.config.IGNORE
    )
    block = dataset.private_block(0x0019, HOSTILE[:60], create=True)
    block.add_new(0x01, "LO", HOSTILE)
    with show_identity():
        page = explain(dataset)._repr_html_()
    assert "<img" not in page
    assert "<script" not in page
    assert page.count("&lt;img") >= 3
    for asked in ({"creator": HOSTILE}, {}):
        assert "<img" not in explain((0x0019, 0x1001), **asked)._repr_html_()


def test_every_text_of_a_card_is_escaped() -> None:
    texts = {
        name: f"<i id={name}>"
        for name in [
            "kind",
            "name",
            "keyword",
            "tag",
            "vr",
            "vr_means",
            "vm",
            "vm_means",
            "unit",
            "says",
            "trap",
            "privacy",
        ]
    }
    place = Place("<i id=module>", "<i id=section>", "1", "<i id=where>", (("<i id=iod>", "M"),))
    several = {name: (f"<i id={name}>",) for name in ("sections", "related", "replaced_by")}
    whole = Explanation(
        **texts, **several, facts=(("<i id=label>", "<i id=fact>"),), places=(place,), retired=True
    )
    page = whole._repr_html_()
    assert "<i " not in page
    assert page.count("&lt;i id=") >= len(texts) + 8
    assert "<i " not in Explanation("UID", "name", uid="<i id=uid>")._repr_html_()


def test_a_damaged_header_is_told_as_far_as_it_can_be_read() -> None:
    dataset = header()
    dataset.add(pydicom.dataelem.RawDataElement(Tag("Rows"), "US", 3, b"\1\2\3", 0, False, True))
    told = explain(dataset)
    rows = {row.keyword: row.value for row in told.rows}
    assert rows["Rows"] == "cannot be read"
    assert rows["Columns"] == str(dataset.Columns)
    assert [note.keyword for note in told.notes if note.code == "unreadable"] == ["Rows"]


def test_sequences_within_sequences_end() -> None:
    dataset = header()
    inner = dataset
    for _ in range(60):
        item = Dataset()
        inner.ReferencedSeriesSequence = Sequence([item])
        inner = item
    assert len(explain(dataset)) < 200


def enhanced(frames: int) -> Dataset:
    dataset = header()
    dataset.SOPClassUID = pydicom.uid.EnhancedCTImageStorage
    dataset.NumberOfFrames = frames
    dataset.SharedFunctionalGroupsSequence = Sequence([Dataset()])
    items = []
    for number in range(frames):
        item, content, place, measures = Dataset(), Dataset(), Dataset(), Dataset()
        content.DimensionIndexValues = [1, number + 1]
        place.ImagePositionPatient = [0, 0, number]
        measures.PixelSpacing, measures.SliceThickness = [1, 1], 1
        item.FrameContentSequence, item.PlanePositionSequence = Sequence([content]), Sequence([place])
        item.PixelMeasuresSequence = Sequence([measures])
        items.append(item)
    dataset.PerFrameFunctionalGroupsSequence = Sequence(items)
    return dataset


def test_five_hundred_frames_are_told_within_a_second(tmp_path: Path) -> None:
    explain("PixelSpacing")  # the tables are read once
    dataset = enhanced(500)
    start = time.perf_counter()
    told = explain(dataset)
    page = told._repr_html_()
    assert time.perf_counter() - start < 1
    assert "500 items, of which the first is told" in page
    assert len(told) < 200
    rows = [row for row in told.rows if row.keyword == "PixelSpacing" and row.depth == 2]
    assert [(row.module, row.type) for row in rows] == [("Pixel Measures", "1C")]


def test_explain_is_a_public_name_that_says_what_it_takes() -> None:
    assert "explain" in dicomlab.__all__
    with pytest.raises(DicomLabError, match="explain takes a keyword, a name, a tag, a UID, a VR"):
        explain(object())


def test_uids_are_shown_as_in_header_tables_and_the_note_stands_where_something_is_masked() -> None:
    header = datasets()[0]
    header.DeviceSerialNumber, header.StudyDate = "8352", "20110421"
    header.SeriesInstanceUID = "1.3.46.670589.11.20110421.5.0.8352.1"
    header.PatientName, header.PatientID = "Roe^Rita", "1"
    told = explain(header)
    page = told._repr_html_()
    assert "1.3.46.670589.11.20110421.5.0.8352.1" in page
    assert "1.3.46.670589.11.20110421.5.0.8352.1" in dicomlab.header_table(header)._repr_html_()
    assert NOTE in html.unescape(page)
    assert NOTE not in html.unescape(dicomlab.header_table(header)["Rows"]._repr_html_())
    assert NOTE in html.unescape(dicomlab.header_table(header)["PatientName"]._repr_html_())
