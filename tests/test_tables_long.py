"""Long headers: structure sets and objects of many frames, drawn small, opened where asked, never held whole."""

import tracemalloc
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset

import dicomlab
from benchmarks.tables import make_structures
from dicomlab import DicomLabError, compare_headers, header_table, keyword_table
from dicomlab.read.sources import FileRef
from dicomlab.tables import levels
from dicomlab.tables.levels import DatasetLevel, file_level


@pytest.fixture(autouse=True)
def _short_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Call long what a test can afford."""
    monkeypatch.setattr(levels, "_LONG_HEADER", 1 << 16)


@pytest.fixture(scope="module", params=[True, False], ids=["with lengths", "without"])
def structures(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A structure set of 1 MB."""
    return make_structures(tmp_path_factory.mktemp("rt") / "rt.dcm", 1, sized=request.param, rois=12)


def test_a_long_header_has_the_rows_that_pydicom_reads(structures: Path) -> None:
    header = pydicom.dcmread(structures)
    assert not isinstance(file_level(FileRef(structures, "rt")), DatasetLevel)
    table = header_table(structures).to_dataframe(longest=10_000)
    elements = [*header.file_meta.iterall(), *header.iterall()]
    assert list(table.keyword) == [element.keyword for element in elements]
    assert list(table.vr) == [element.VR for element in elements]
    assert list(table.vm) == [int(element.VM) for element in elements]
    ring = header.ROIContourSequence[7].ContourSequence[50]
    path = "ROIContourSequence[7].ContourSequence[50].ContourData"
    assert header_table(structures).at(path).value == [float(value) for value in ring.ContourData]


def test_its_page_is_small_and_says_how_to_get_at_the_rest(structures: Path) -> None:
    page = header_table(structures)._repr_html_()
    assert len(page) < 100_000
    assert "more items are not drawn" in page
    assert "ROIContourSequence[6]" in page


def test_neither_drawing_nor_searching_holds_the_header(tmp_path: Path) -> None:
    file = make_structures(tmp_path / "rt.dcm", 3)
    table = header_table(file)
    tracemalloc.start()
    table._repr_html_()
    assert len(table.search("ReferencedROINumber")) == 25
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_200_000 < file.stat().st_size / 2


def test_an_item_is_opened_by_its_path(structures: Path) -> None:
    table = header_table(structures)
    item = table.at("ROIContourSequence[11].ContourSequence[3]")
    assert list(item.to_dataframe().keyword) == [
        "ContourGeometricType",
        "NumberOfContourPoints",
        "ContourData",
    ]
    assert table.at("ROIContourSequence[11].ReferencedROINumber").value == 11
    colours = table.at("ROIContourSequence[*].ROIDisplayColor").to_dataframe()
    assert list(colours.value) == [f"255\\0\\{k}" for k in range(12)]
    with pytest.raises(DicomLabError, match="there are 12, from 0 to 11"):
        table.at("ROIContourSequence[12]")
    with pytest.raises(DicomLabError, match="nothing at"):
        table.at("ROIContourSequence[11].PixelSpacing")


def test_what_differs_deep_inside_is_found(structures: Path, tmp_path: Path) -> None:
    header = pydicom.dcmread(structures)
    ring = header.ROIContourSequence[5].ContourSequence[7]
    ring.ContourData = [*ring.ContourData[:-1], 0.125]
    pydicom.dcmwrite(tmp_path / "other.dcm", header)
    found = compare_headers(structures, tmp_path / "other.dcm")
    assert "ROIContourSequence[5].ContourSequence[7].ContourData" in found.changed
    assert {path for path in found.changed if path.startswith("ROI")} == {
        "ROIContourSequence[5].ContourSequence[7].ContourData"
    }


def test_a_column_is_made_of_a_long_header(structures: Path) -> None:
    row = (
        keyword_table(structures, ["ROIContourSequence[3].ReferencedROINumber", "Modality"])
        .to_dataframe()
        .iloc[0]
    )
    assert (row.iloc[1], row.Modality) == (3, "RTSTRUCT")


def test_a_value_longer_than_what_is_read_is_counted(tmp_path: Path) -> None:
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = pydicom.uid.CTImageStorage, "1.2.3"
    ds.SpecificCharacterSet, ds.PatientName = "ISO_IR 192", "Яна"
    ds.RedPaletteColorLookupTableData = bytes(range(256)) * 400
    ds.add_new(0x00091010, "UC", "\\".join(map(str, range(30_000))))
    ds.private_block(0x0009, "ACME", create=True)
    item = Dataset()
    item.CodeMeaning = "Ж"
    ds.AnatomicRegionSequence = [item] * 2500
    file = tmp_path / "long"
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID = pydicom.uid.ExplicitVRLittleEndian
    ds.file_meta = meta
    pydicom.dcmwrite(file, ds, enforce_file_format=True)
    with dicomlab.show_identity():
        table = header_table(file)
        assert (
            table["AnatomicRegionSequence"].at("AnatomicRegionSequence").to_dataframe().value.iloc[0]
            == "2500 items"
        )
        assert table.at("AnatomicRegionSequence[2499].CodeMeaning").value == "Ж"
        row = table.at("(0009,1010)").to_dataframe().iloc[0]
        assert row.vm == 30_000
        assert row.value.startswith("0\\1\\2")
        palette = table["RedPaletteColorLookupTableData"].to_dataframe().iloc[0]
        assert "102,400 bytes" in palette.value


def test_damage_inside_a_long_header_is_left_to_pydicom_or_told(structures: Path, tmp_path: Path) -> None:
    data = bytearray(structures.read_bytes())
    place = data.index(b"\x06\x30\x42\x00CS", len(data) // 2)
    data[place + 4 : place + 6] = b"??"
    file = tmp_path / "damaged"
    file.write_bytes(bytes(data))
    try:
        table = header_table(file)
        page = table._repr_html_()
        rows = len(table)
    except DicomLabError as problem:
        assert len(str(problem)) > 20
    else:
        assert page
        assert rows > 100


def test_a_file_that_changes_after_it_was_opened_is_an_error(structures: Path, tmp_path: Path) -> None:
    file = tmp_path / "rt"
    file.write_bytes(structures.read_bytes())
    table = header_table(file)
    file.write_bytes(structures.read_bytes()[:-2000])
    with pytest.raises(DicomLabError, match="has changed since"):
        table.to_dataframe()
