"""Header tables: complete, searchable, harmless, discreet."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from support import datasets, write

import dicomlab
from dicomlab import DicomLabError, find_series, header_table
from dicomlab.privacy import MASK, is_identifying


def test_every_element_of_the_header_is_a_row_with_pydicoms_own_facts(tmp_path: Path) -> None:
    file = sorted(write(tmp_path, datasets("PT")).iterdir())[0]
    table = header_table(file).table
    header = pydicom.dcmread(file, stop_before_pixels=True)
    elements = [*header.file_meta.iterall(), *header.iterall()]
    assert list(table.keyword) == [element.keyword for element in elements]
    assert list(table.vr) == [element.VR for element in elements]
    assert list(table.vm) == [element.VM for element in elements]
    assert table.depth.max() >= 1


def test_search_finds_keywords_tags_and_values_in_any_case(tmp_path: Path) -> None:
    table = header_table(write(tmp_path, datasets()))
    assert list(table.search("pixelspacing").table.keyword) == ["PixelSpacing"]
    assert "Modality" in set(table.search("0008,0060").table.keyword)
    assert "Modality" in set(table.search("ct").table.keyword)
    page = table._repr_html_()
    assert 'type="search"' in page
    assert page.count("data-row>") == len(table)


def test_attributes_are_named_as_explain_takes_them(tmp_path: Path) -> None:
    table = header_table(dicomlab.phantom.write_study(tmp_path, coarser=4).ct.folder, index=0)
    paths = list(table["PixelSpacing"].to_dataframe().path)
    for name in ("Pixel Spacing", "pixel spacing", "PIXELSPACING", "voxel size", "(0028,0030)"):
        assert list(table[name].to_dataframe().path) == paths == list(table.at(name).to_dataframe().path)
        assert name in table
    assert list(table["Image Position (Patient)"].to_dataframe().path) == ["ImagePositionPatient"]
    with pytest.raises(DicomLabError, match=r"^'Pixel Spacin' is neither .*; is it PixelSpacing") as error:
        table["Pixel Spacin"]
    assert str(error.value).count("'Pixel Spacin'") == 1
    with pytest.raises(DicomLabError, match=r"^'LPS' is no attribute; dicomlab.explain\('LPS'\) tells"):
        table["LPS"]


def test_a_number_that_is_too_high_is_told_which_numbers_there_are() -> None:
    header = Dataset()
    header.PixelMeasuresSequence = [Dataset()]
    with pytest.raises(DicomLabError, match=r"no item 1; there is one, number 0$"):
        header_table(header).at("PixelMeasuresSequence[1]")


def test_series_stacks_folders_and_datasets_are_sources(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    series = find_series(folder)[0]
    first = header_table(series, index=0)["InstanceNumber"].value
    last = header_table(series, index=-1)["InstanceNumber"].value
    assert (first, last) == (1, 6)
    assert header_table(series)["InstanceNumber"].value == "differs, 6 values: 1, 2, 3 …"
    assert len(header_table(series.stacks[0])) == len(header_table(folder))
    assert header_table(datasets()[0])["Rows"].value == 12
    with pytest.raises(DicomLabError, match="there is no instance 6; there are 6, from 0 to 5"):
        header_table(series, index=6)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(DicomLabError, match="no DICOM"):
        header_table(empty)


def test_a_volume_has_no_header_and_says_where_it_is() -> None:
    with pytest.raises(DicomLabError, match="A volume carries no header: give the series"):
        header_table(np.zeros(3))  # type: ignore[arg-type]


def test_identity_is_masked_until_asked_for() -> None:
    header = Dataset()
    header.PatientName, header.PatientID, header.StudyDate = "Secret^Name", "ID-4711", "20200101"
    header.PerformingPhysicianName, header.InstitutionName = "Hidden^Doc", "Hidden Hospital"
    item = Dataset()
    item.ScheduledProcedureStepDescription = "hidden step"
    header.RequestAttributesSequence = [item]
    header.private_block(0x0009, "ACME", create=True).add_new(1, "LO", "hidden private")
    header.Rows = 7
    table = header_table(header)
    for shown in (repr(table), table._repr_html_(), table.table.to_string()):
        assert MASK in shown
        for secret in ("Secret", "ID-4711", "2020", "Hidden", "hidden step", "hidden private"):
            assert secret not in shown
    with dicomlab.show_identity():
        shown = repr(header_table(header))
    for value in ("Secret", "ID-4711", "20200101", "Hidden", "hidden step", "hidden private"):
        assert value in shown
    assert is_identifying("PatientName", "PN")


def test_markup_in_values_and_long_values_are_harmless() -> None:
    header = Dataset()
    header.SeriesDescription = "<script>alert(1)</script>"
    header.add_new(0x00091001, "OB", b"\0" * 1000)
    header.LossyImageCompressionRatio = [1.5] * 1000
    page = header_table(header)._repr_html_()
    assert "<script" not in page
    assert "&lt;script" in page
    assert max(map(len, header_table(header).table.value)) < 200


def test_a_value_that_breaks_its_vr_is_shown_as_it_stands(tmp_path: Path) -> None:
    file = sorted(write(tmp_path, datasets("PT")).iterdir())[0]
    data = file.read_bytes()
    place = data.index(b"\x28\x00\x53\x10DS") + 8
    file.write_bytes(data[:place] + b"abc" + data[place + 3 :])
    assert header_table(file)["RescaleSlope"].table.value.item().startswith("abc")
