"""Chosen attributes of many files as columns, and tables as files."""

import csv
import os
from pathlib import Path

import openpyxl
import pandas as pd
import pydicom
import pytest
from pydicom.dataset import Dataset
from support import datasets, write

import dicomlab
from dicomlab import DicomLabError, find_series, header_table, keyword_table
from dicomlab.phantom.kinds import KINDS
from dicomlab.privacy import MASK


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CT and a PET of six files each, and an enhanced MR."""
    home = tmp_path_factory.mktemp("cohort")
    write(home / "ct", datasets("CT"))
    write(home / "pt", datasets("PT"))
    KINDS["enhanced_mr"].write(home / "mr")
    return home


def test_rows_are_what_pydicom_reads_in_each_file(folder: Path) -> None:
    names = ["Modality", "SliceThickness", "Rows", "RescaleType", "PatientSex"]
    with dicomlab.show_identity():
        table = keyword_table(folder / "pt", names).to_dataframe().set_index("file")
    for file in sorted((folder / "pt").iterdir()):
        header = pydicom.dcmread(file, stop_before_pixels=True)
        for name in names:
            expected = header.get(name)
            found = table.loc[file.name, name]
            assert (pd.isna(found) and expected in (None, "")) or found == expected
    assert str(table.Rows.dtype) == "Int64"
    assert str(table.SliceThickness.dtype) == "Float64"


def test_tags_in_every_form_name_one_column(folder: Path) -> None:
    for form in ((0x0018, 0x0050), "0018,0050", "(0018,0050)", "00180050", 0x00180050, "SliceThickness"):
        table = keyword_table(folder / "ct", [form]).to_dataframe()
        assert list(table.columns) == ["file", "SliceThickness"]
        assert table.SliceThickness.notna().all()


def test_functional_groups_are_found_wherever_they_stand(folder: Path) -> None:
    (file,) = [file for file in (folder / "mr").rglob("*") if file.is_file()]
    header = pydicom.dcmread(file, stop_before_pixels=True)
    shared, first = header.SharedFunctionalGroupsSequence[0], header.PerFrameFunctionalGroupsSequence[0]
    spacing = shared.PixelMeasuresSequence[0].PixelSpacing
    place = first.PlanePositionSequence[0].ImagePositionPatient
    everywhere = "PerFrameFunctionalGroupsSequence[*].PlanePositionSequence[0].ImagePositionPatient[2]"
    asked = [
        "PixelSpacing",
        "PixelMeasuresSequence.PixelSpacing[1]",
        "ImagePositionPatient[0]",
        everywhere,
        "KVP",
    ]
    row = keyword_table(file, asked).to_dataframe().iloc[0]
    assert row["PixelSpacing"] == "\\".join(map(str, spacing))
    assert row["PixelMeasuresSequence.PixelSpacing[1]"] == spacing[1]
    assert row["ImagePositionPatient[0]"] == place[0]
    frames = [float(part) for part in row[everywhere].split(" | ")]
    expected = [
        item.PlanePositionSequence[0].ImagePositionPatient[2]
        for item in header.PerFrameFunctionalGroupsSequence
    ]
    assert frames == [float(z) for z in expected]
    assert pd.isna(row["KVP"])


def test_a_series_has_what_all_its_files_have(folder: Path) -> None:
    table = keyword_table(
        [folder / "ct", folder / "pt"], ["Modality", "InstanceNumber", "KVP"], per="series"
    ).to_dataframe()
    assert table[["Modality", "files", "differing"]].values.tolist() == [
        ["CT", 6, "InstanceNumber"],
        ["PT", 6, "InstanceNumber"],
    ]
    assert table.InstanceNumber.isna().all()
    assert str(table.KVP.dtype) == "Float64"
    assert pd.isna(table.KVP[1])


def test_identity_is_masked_in_a_cohort(folder: Path) -> None:
    table = keyword_table(folder, ["PatientName", "PatientID", "StudyDate"], per="series")
    assert {*table.to_dataframe()[["PatientName", "PatientID", "StudyDate"]].to_numpy().ravel()} == {MASK}
    with dicomlab.show_identity():
        shown = keyword_table(folder, ["PatientID"], per="series").to_dataframe()
    assert MASK not in {*shown.PatientID}


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        (["PixelSpaceing"], "is it PixelSpacing"),
        ("PixelSpacing", "takes a list"),
        ([], "at least one"),
        ([""], "named by keyword, tag or path"),
        ([("a", "b")], "named by keyword, tag or path"),
    ],
)
def test_names_that_are_none_are_refused(folder: Path, keywords: object, message: str) -> None:
    with pytest.raises(DicomLabError, match=message):
        keyword_table(folder, keywords)  # type: ignore[arg-type]


def test_a_file_that_breaks_off_is_listed_as_skipped(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    series = find_series(folder)
    file = sorted(folder.iterdir())[0]
    file.write_bytes(b"nothing")
    table = keyword_table(series, ["Modality"])
    assert list(table.skipped) == [file.name]
    assert len(table) == 5


FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "@SUM(1)", "-2+3+cmd", '=HYPERLINK("http://x")']


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_saved_tables_hold_every_row_and_run_no_formula(suffix: str, tmp_path: Path) -> None:
    header = Dataset()
    header.SeriesDescription = FORMULAS[0]
    header.SoftwareVersions = FORMULAS[1:]
    header.ImagePositionPatient = [-1.5, -2, 3]
    header.ManufacturerModelName = "control \x07 character"
    table = header_table(header)
    path = tmp_path / f"table{suffix}"
    table.save(path)
    with pytest.raises(DicomLabError, match="is there already"):
        table.save(path)
    table.save(path, overwrite=True)
    if suffix == ".csv":
        with path.open(encoding="utf-8-sig", newline="") as stream:
            cells = list(csv.DictReader(stream))
        values = {row["keyword"]: row["value"] for row in cells}
        assert values["SeriesDescription"] == "'=1+1"
        assert values["SoftwareVersions"].startswith("'+cmd")
        assert values["ImagePositionPatient"] == "-1.5\\-2.0\\3.0"
    elif suffix == ".xlsx":
        sheet = openpyxl.load_workbook(path).active
        assert {cell.data_type for row in sheet.iter_rows() for cell in row} <= {"s", "n", "inlineStr"}
        assert "=1+1" in {cell.value for row in sheet.iter_rows() for cell in row}
    else:
        assert pd.read_parquet(path).value.tolist() == table.to_dataframe().value.tolist()


@pytest.mark.parametrize("suffix", [".csv", ".xlsx", ".parquet"])
def test_files_whose_names_are_no_text_are_saved_too(suffix: str, tmp_path: Path) -> None:
    images = write(tmp_path / "images", datasets())
    first = min(images.iterdir())
    os.rename(first, os.fsencode(images) + b"/\xe9.dcm")
    table = keyword_table(images, ["Rows"])
    assert os.fsdecode(b"\xe9.dcm") in set(table.to_dataframe().file)
    path = tmp_path / f"table{suffix}"
    table.save(path)
    if suffix == ".parquet":
        assert "\ufffd.dcm" in set(pd.read_parquet(path).file)
    elif suffix == ".xlsx":
        assert "\ufffd.dcm" in set(pd.read_excel(path).file)
    else:
        assert "\ufffd.dcm" in set(pd.read_csv(path).file)


def test_frames_go_out_by_pandas_itself(folder: Path, tmp_path: Path) -> None:
    frames = [
        header_table(folder / "ct").to_dataframe(),
        dicomlab.varying(folder / "ct").to_dataframe(),
        dicomlab.compare_headers(folder / "ct", folder / "pt").to_dataframe(),
        keyword_table(folder, ["Rows", "PixelSpacing", "KVP"]).to_dataframe(),
    ]
    for k, frame in enumerate(frames):
        frame.to_parquet(tmp_path / f"{k}.parquet")
        frame.to_csv(tmp_path / f"{k}.csv")
        assert len(pd.read_parquet(tmp_path / f"{k}.parquet")) == len(frame)


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomLabError, match=r"ends with \.csv or \.xlsx or \.parquet"):
        header_table(datasets()[0]).save(tmp_path / "table.txt")


def test_a_missing_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "openpyxl", None)
    with pytest.raises(DicomLabError, match=r"dicomlab\[tables\]"):
        header_table(datasets()[0]).save(tmp_path / "table.xlsx")
    assert not [*tmp_path.iterdir()]
