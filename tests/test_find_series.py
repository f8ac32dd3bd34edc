"""Finding series: nothing is lost, nothing is trusted, everything left out has a reason."""

import os
import zipfile
from pathlib import Path

import pydicom
import pytest
from pydicom import DataElement, config
from pydicom.uid import DeflatedExplicitVRLittleEndian
from support import datasets, write

from dicomlab import DicomLabError, find_series, load_volume
from dicomlab.errors import NotDicomError


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Three series in one flat folder, files without extension, with other things between."""
    for modality in ("CT", "MR", "PT"):
        folder = write(tmp_path / f"tmp{modality}", datasets(modality))
        deep = tmp_path / "study" / "deep" / modality
        deep.mkdir(parents=True)
        for number, file in enumerate(sorted(folder.iterdir())):
            file.rename(deep / f"{number}.anything")
        folder.rmdir()
    (tmp_path / "study" / "notes.txt").write_text("nothing to see")
    return tmp_path / "study"


def test_nested_folders_with_any_file_names_are_grouped_by_series(study: Path) -> None:
    found = find_series(study)
    assert [series.modality for series in found] == ["CT", "MR", "PT"]
    assert [len(series.instances) for series in found] == [6, 6, 6]
    assert found.skipped == {
        "notes.txt": "not DICOM: no 'DICM' after 128 bytes, and it does not begin with a data element"
    }


def test_the_table_has_a_row_a_series_with_sizes_and_spacings(study: Path) -> None:
    table = find_series(study).table
    assert list(table.modality) == ["CT", "MR", "PT"]
    ct = table.iloc[0]
    assert (ct.images, ct.rows, ct.columns, ct.plane, ct.stacks) == (6, 12, 10, "axial", 1)
    header = datasets("CT")
    assert ct.row_spacing == pytest.approx(float(header[0].PixelSpacing[0]))
    assert ct.column_spacing == pytest.approx(float(header[0].PixelSpacing[1]))
    step = float(header[1].ImagePositionPatient[2]) - float(header[0].ImagePositionPatient[2])
    assert ct.slice_spacing == pytest.approx(step)


def test_a_zip_archive_and_a_single_file_are_sources(study: Path, tmp_path: Path) -> None:
    archive = tmp_path / "all.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in study.rglob("*"):
            if path.is_file():
                out.write(path, path.relative_to(study))
        out.writestr("inner.zip", b"PK\x03\x04rest")
        out.writestr("../../escape", b"not dicom")
    found = find_series(archive)
    assert [len(series.instances) for series in found] == [6, 6, 6]
    assert found.skipped["all.zip/inner.zip"] == "an archive inside an archive; unpack it first"
    assert not (tmp_path.parent / "escape").exists()
    from_folder = load_volume(find_series(study)[0])
    assert load_volume(found[0]).identical(from_folder)
    single = next((study / "deep" / "CT").iterdir())
    assert [len(series.instances) for series in find_series(single)] == [1]
    assert load_volume(single).shape == (1, 12, 10)


def test_an_empty_or_missing_folder_and_a_folder_without_dicom_say_so(tmp_path: Path) -> None:
    assert len(find_series(tmp_path)) == 0
    assert find_series(tmp_path).table.empty
    with pytest.raises(NotDicomError, match=r"no DICOM in .*\. It holds no file\."):
        load_volume(tmp_path)
    with pytest.raises(NotDicomError, match="an empty path"):
        find_series("")
    with pytest.raises(NotDicomError, match="there is no file or folder"):
        find_series(tmp_path / "nowhere")
    (tmp_path / "text.dcm").write_text(
        "I am a text file named .dcm, longer than one hundred and thirty-two bytes. " * 3
    )
    (tmp_path / "empty.dcm").touch()
    with pytest.raises(NotDicomError, match=r"text\.dcm: not DICOM.*"):
        load_volume(tmp_path)
    assert find_series(tmp_path).skipped["empty.dcm"] == "empty file"


def test_a_file_cut_inside_its_header_is_skipped_and_the_others_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets())
    victim = sorted(folder.iterdir())[2]
    victim.write_bytes(victim.read_bytes()[:400])
    found = find_series(folder)
    assert sum(len(series.instances) for series in found) + len(found.skipped) == 6
    assert len(found[-1].instances) == 5 or len(found[0].instances) == 5


def test_copies_of_a_file_are_named_not_counted_twice(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets())
    victim = sorted(folder.iterdir())[2]
    (folder / "zz_copy").write_bytes(victim.read_bytes())
    found = find_series(folder)
    assert len(found[0].instances) == 6
    assert found.skipped == {"zz_copy": f"the same file as {victim.name}, byte for byte"}


def test_two_different_files_of_one_instance_uid_stop_loading(tmp_path: Path) -> None:
    changed = datasets()
    changed[3].SOPInstanceUID = changed[2].SOPInstanceUID
    changed[3].file_meta.MediaStorageSOPInstanceUID = changed[2].SOPInstanceUID
    folder = write(tmp_path / "ct", changed)
    with pytest.raises(DicomLabError, match="same_instance_differs"):
        load_volume(folder)
    with pytest.warns(UserWarning, match="same_instance_differs"):
        assert load_volume(folder, on_fault="keep").shape == (6, 12, 10)


def test_links_that_lead_round_in_circles_and_pipes_do_not_hang(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets())
    (folder / "again").symlink_to(tmp_path, target_is_directory=True)
    (folder / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(folder / "pipe")
    found = find_series(folder)
    assert len(found[0].instances) == 6
    assert found.skipped["pipe"] == "not a regular file"
    assert "gone" in found.skipped


def test_files_without_preamble_and_meta_header_are_read(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets())
    reference = load_volume(folder)
    for file in folder.iterdir():
        data = file.read_bytes()
        group_length = int.from_bytes(data[140:144], "little")
        file.write_bytes(data[144 + group_length :])
    assert load_volume(folder).identical(reference)


def test_no_markup_of_a_file_reaches_the_html(tmp_path: Path) -> None:
    evil = '<script>alert(1)</script>"><img src=x onerror=alert(2)>'
    changed = datasets()
    for one in changed:
        one.SeriesDescription = evil[:64]
        one.add(DataElement("Modality", "CS", "<b>", validation_mode=config.IGNORE))
    folder = write(tmp_path / "ct", changed)
    (folder / "<img src=x onerror=alert(3)>").write_text("x" * 200)
    found = find_series(folder)
    for page in (found._repr_html_(), found[0]._repr_html_()):
        assert "<script" not in page
        assert "<img src=x" not in page
        assert "<b>" not in page
    assert "&lt;script" in found._repr_html_()


def test_the_patients_name_is_in_no_repr(tmp_path: Path) -> None:
    changed = datasets()
    for one in changed:
        one.PatientName, one.PatientID, one.InstitutionName = "Secret^Name", "ID-4711", "Hidden Hospital"
    found = find_series(write(tmp_path / "ct", changed))
    volume = load_volume(found[0])
    for shown in (
        repr(found), found._repr_html_(), repr(found[0]), found[0]._repr_html_(), repr(found[0].instances[0]),
        repr(volume), volume._repr_html_(), repr(volume.dicom), str(volume.attrs), found.table.to_string(),
    ):  # fmt: skip
        for secret in ("Secret", "ID-4711", "Hidden"):
            assert secret not in shown


def test_uncompressed_422_colour_is_no_truncated_file(tmp_path: Path) -> None:
    changed = datasets()[:1]
    changed[0].SamplesPerPixel, changed[0].PhotometricInterpretation = 3, "YBR_FULL_422"
    changed[0].PlanarConfiguration = 0
    changed[0].BitsAllocated, changed[0].BitsStored, changed[0].HighBit = 8, 8, 7
    changed[0].PixelData = bytes(2 * changed[0].Rows * changed[0].Columns)
    assert find_series(write(tmp_path, changed))[0].findings == ()


def test_wrong_ways_to_ask_say_the_right_one(tmp_path: Path) -> None:
    found = find_series(write(tmp_path, datasets()))
    with pytest.raises(TypeError, match="picked by its place in the list"):
        found["CT"]  # type: ignore[call-overload]
    with pytest.raises(DicomLabError, match="takes a path or a list of paths, found NoneType"):
        find_series(None)  # type: ignore[arg-type]
    with pytest.raises(DicomLabError, match="use 'raise', 'keep' or 'repair'"):
        load_volume(found[0], on_fault="ignore")  # type: ignore[arg-type]


def test_the_series_number_tells_two_like_series_apart(tmp_path: Path) -> None:
    for number in (7, 8):
        changed = datasets()
        for one in changed:
            one.SeriesNumber = number
            one.SeriesInstanceUID, one.SOPInstanceUID = (
                f"1.2.3.{number}",
                f"1.2.3.{number}.{one.InstanceNumber}",
            )
            one.file_meta.MediaStorageSOPInstanceUID = one.SOPInstanceUID
        write(tmp_path / str(number), changed)
    found = find_series(tmp_path)
    assert list(found.table.number) == [7, 8]
    with pytest.raises(DicomLabError, match=r"\[0\] CT(.|\n)*  7 (.|\n)*\[1\] CT(.|\n)*  8 "):
        load_volume(tmp_path)


def test_a_scan_can_be_interrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(tmp_path / "ct", datasets())
    calls = []

    def interrupt(*args: object, **kwargs: object) -> None:
        calls.append(1)
        raise KeyboardInterrupt

    monkeypatch.setattr("dicomlab.read.direct.Reader.read", interrupt)
    with pytest.raises(KeyboardInterrupt):
        find_series(folder)
    assert len(calls) == 1


def test_a_header_that_asks_for_more_memory_than_there_is_costs_only_its_own_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged length asks for up to 4 GB, which an operating system may refuse."""
    write(tmp_path, datasets("CT"))
    # Without a preamble pydicom reads it.
    (tmp_path / "greedy").write_bytes((tmp_path / "IM00001").read_bytes()[132:])

    def read(stream, *args, **options):
        if stream.name.endswith("greedy"):
            raise MemoryError
        return pydicom.dcmread(stream, *args, **options)

    monkeypatch.setattr("dicomlab.read.headers.dcmread", read)
    found = find_series(tmp_path, progress=False)
    assert len(found[0].instances) == len(datasets("CT"))
    assert "MemoryError" in found.skipped["greedy"]


def test_a_deflated_file_that_unfolds_without_measure_is_skipped(tmp_path: Path) -> None:
    import zlib

    folder = write(tmp_path / "ct", datasets()[:1])
    file = next(folder.iterdir())
    header = pydicom.dcmread(file, stop_before_pixels=True)
    header.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    header.save_as(file, enforce_file_format=True)
    assert find_series(folder)[0].modality == "CT"
    data = file.read_bytes()
    start = 144 + int.from_bytes(data[140:144], "little")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    element = b"\x09\0\x01\0OB\0\0" + (1 << 30).to_bytes(4, "little")
    bomb = (
        deflate.compress(element)
        + b"".join(deflate.compress(bytes(1 << 24)) for _ in range(32))
        + deflate.flush()
    )
    file.write_bytes(data[:start] + bomb)
    assert file.stat().st_size < 1 << 20
    found = find_series(folder)
    refused = {file.name: "it inflates to more than 256 MiB; inflate it first (dcmconv)"}
    assert found.skipped == refused
    # pydicom reads such files without the length of their meta information as well.
    file.write_bytes(data[:132] + data[144:start] + bomb)
    assert find_series(folder).skipped == refused
