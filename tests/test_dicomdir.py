"""A DICOMDIR as a source: the files that it lists, no other, and none outside its folder."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.fileset import FileSet
from pydicom.uid import ExplicitVRLittleEndian

import dicomlab as dl
from tests.support import datasets, shared_data, write


def index(path: Path, *references: list[str] | str) -> Path:
    """A DICOMDIR of flat IMAGE records, written without pydicom's FileSet so that it may lie."""
    directory = Dataset()
    directory.FileSetID = "TEST"
    directory.DirectoryRecordSequence = []
    for reference in references:
        record = Dataset()
        record.OffsetOfTheNextDirectoryRecord = 4  # nonsense, and a circle
        record.RecordInUseFlag = 0xFFFF
        record.OffsetOfReferencedLowerLevelDirectoryEntity = 4
        record.DirectoryRecordType = "IMAGE"
        record.add_new("ReferencedFileID", "UC", reference)
        directory.DirectoryRecordSequence.append(record)
    directory.file_meta = FileMetaDataset()
    directory.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    directory.file_meta.MediaStorageSOPClassUID = "1.2.840.10008.1.3.10"
    directory.file_meta.MediaStorageSOPInstanceUID = "1.2.3"
    directory.save_as(path, enforce_file_format=True)
    return path


@pytest.fixture
def images(tmp_path) -> list[str]:
    """Six CT slices in ``SET/CT``, and a stranger beside them; their names."""
    write(tmp_path / "SET" / "CT", datasets("CT"))
    write(tmp_path / "SET" / "OTHER", datasets("MR"))
    return sorted(path.name for path in (tmp_path / "SET" / "CT").iterdir())


def found(path: Path) -> dl.SeriesList:
    return dl.find_series(path, progress=False)


def test_what_pydicom_writes_is_read_and_nothing_else(tmp_path) -> None:
    files = FileSet()
    for one in datasets("CT"):
        one.preamble = bytes(128)
        files.add(one)
    files.write(tmp_path / "disc")
    files._stage[
        "t"
    ].cleanup()  # pydicom leaves it to the garbage collector, which warns in whatever test comes next
    write(tmp_path / "disc" / "extra", datasets("MR"))
    series = found(tmp_path / "disc" / "DICOMDIR")
    assert [(one.modality, len(one.instances)) for one in series] == [("CT", 6)]
    assert series.skipped == {"DICOMDIR": "a DICOMDIR: an index of 6 files, all of them here"}
    assert dl.load_volume(tmp_path / "disc" / "DICOMDIR", progress=False).shape == (6, 12, 10)
    assert sorted(one.modality for one in found(tmp_path / "disc")) == ["CT", "MR"]


@pytest.mark.skipif(shutil.which("dcmmkdir") is None, reason="DCMTK is not installed")
def test_what_dcmtk_writes_is_read(tmp_path) -> None:
    for k, one in enumerate(datasets("CT")):
        (tmp_path / "CT").mkdir(exist_ok=True)
        one.save_as(tmp_path / "CT" / f"I{k}", enforce_file_format=True)
    names = [f"CT/I{k}" for k in range(6)]
    done = subprocess.run(["dcmmkdir", "-Pgp", *names], cwd=tmp_path, capture_output=True, text=True)
    assert (tmp_path / "DICOMDIR").exists(), done.stderr
    series = found(tmp_path / "DICOMDIR")
    assert sorted(series[0].files) == names
    assert "6 files, all of them here" in series.skipped["DICOMDIR"]


def test_an_index_is_known_by_its_class_whatever_its_name(tmp_path, images) -> None:
    path = index(tmp_path / "SET" / "list.bin", *(["CT", name] for name in images))
    assert len(found(path)[0].instances) == 6


def test_what_is_not_there_is_listed(tmp_path, images) -> None:
    path = index(tmp_path / "SET" / "DICOMDIR", ["CT", images[0]], ["CT", "NONE"], ["NO", "SUCH"], ["CT"])
    series = found(path)
    assert len(series[0].instances) == 1
    assert series.skipped == {
        "CT/NONE": "listed in DICOMDIR, but not there",
        "NO/SUCH": "listed in DICOMDIR, but not there",
        "CT": "listed in DICOMDIR, but not there",
        "DICOMDIR": "a DICOMDIR: an index of 4 files, 3 of which are not here",
    }
    with pytest.raises(dl.DicomLabError, match="not there"):
        dl.load_volume(index(tmp_path / "SET" / "DICOMDIR", ["CT", "NONE"]))


@pytest.mark.parametrize(
    "reference",
    [
        ["..", "secret.dcm"],
        ["CT", "..", "..", "secret.dcm"],
        "/{}/secret.dcm",
        ["", "{}", "secret.dcm"],
        ["C:", "x"],
        "../secret.dcm",
    ],
)
def test_a_reference_never_leaves_the_folder(tmp_path, images, reference) -> None:
    datasets("MR")[0].save_as(tmp_path / "secret.dcm", enforce_file_format=True)
    parts = [reference] if isinstance(reference, str) else reference
    parts = [part.replace("{}", str(tmp_path).strip("/")) for part in parts]
    series = found(index(tmp_path / "SET" / "DICOMDIR", parts))
    assert len(series) == 0
    assert "outside its folder" in " ".join(series.skipped.values())


def test_names_as_cd_file_systems_mangle_them_are_found(tmp_path, images) -> None:
    folder = tmp_path / "SET" / "CT"
    for name, mangled in zip(images, ["a0.;1", "A1", "a2;1", "A3.", "a4.dcm;1", "A5.DCM"], strict=True):
        (folder / name).rename(folder / mangled)
    references = ["A0", "a1.;1", "A2", "A3", "A4.DCM", "a5.dcm"]
    series = found(index(tmp_path / "SET" / "DICOMDIR", *(["ct", name] for name in references)))
    assert len(series[0].instances) == 6


def test_an_exact_name_comes_before_one_in_another_case(tmp_path, images) -> None:
    folder = tmp_path / "SET" / "CT"
    (folder / images[0]).rename(folder / "ONE")
    (folder / images[1]).rename(folder / "one")
    series = found(index(tmp_path / "SET" / "DICOMDIR", ["CT", "one"]))
    assert series[0].files == ("CT/one",)


def test_slashes_within_a_component_part_it_like_backslashes(tmp_path, images) -> None:
    assert found(index(tmp_path / "SET" / "DICOMDIR", f"CT/{images[0]}"))[0].files == (f"CT/{images[0]}",)


def test_indexes_that_list_each_other_end(tmp_path, images) -> None:
    index(tmp_path / "SET" / "CT" / "INNER", ["DICOMDIR"], ["CT", images[1]], ["CT", "INNER"])
    series = found(index(tmp_path / "SET" / "DICOMDIR", ["CT", "INNER"], ["CT", images[0]], ["DICOMDIR"]))
    assert sorted(series[0].files) == [f"CT/{name}" for name in images[:2]]
    assert set(series.skipped) == {"DICOMDIR", "CT/INNER"}


def test_an_index_in_a_folder_of_the_set_may_count_from_its_root(tmp_path, images) -> None:
    path = index(
        tmp_path / "SET" / "CT" / "DIRFILE", ["SET", "CT", images[0]], ["CT", images[1]], ["XX", images[2]]
    )
    series = found(path)
    assert len(series[0].instances) == 2
    assert "1 of which is not here" in series.skipped["DIRFILE"]


def test_a_file_listed_twice_or_named_beside_its_index_is_read_once(tmp_path, images) -> None:
    one = tmp_path / "SET" / "CT" / images[0]
    path = index(
        tmp_path / "SET" / "DICOMDIR", ["CT", images[0]], ["CT", images[0].lower()], ["CT", images[0]]
    )
    assert len(found(path)[0].instances) == 1
    both = dl.find_series([one, path], progress=False)
    assert len(both[0].instances) == 1
    assert [reason for reason in both.skipped.values() if "byte for byte" in reason] == []


def test_in_a_folder_all_files_are_read_and_the_index_says_what_is_lost(tmp_path, images) -> None:
    index(tmp_path / "SET" / "DICOMDIR", *(["ct", name] for name in images), ["CT", "LOST"])
    series = found(tmp_path / "SET")
    assert sorted(one.modality for one in series) == ["CT", "MR"]
    assert series.skipped == {"DICOMDIR": "a DICOMDIR: an index of 7 files, 1 of which is not here"}


def test_in_a_zip_archive_too(tmp_path, images) -> None:
    index(tmp_path / "SET" / "DICOMDIR", *(["CT", name] for name in images), ["CT", "LOST"])
    with zipfile.ZipFile(tmp_path / "disc.zip", "w") as archive:
        for path in sorted((tmp_path / "SET").rglob("*")):
            archive.write(path, path.relative_to(tmp_path))
    series = found(tmp_path / "disc.zip")
    assert sorted(one.modality for one in series) == ["CT", "MR"]
    (reason,) = series.skipped.values()
    assert reason == "a DICOMDIR: an index of 7 files, 1 of which is not here"


def test_real_discs_are_read_as_far_as_they_are_there() -> None:
    folder = shared_data() / "ct-head-phantom-philips"
    inner = found(folder / "S21570" / "S2020" / "DIRFILE")
    assert [len(one.instances) for one in inner] == [100]
    assert inner.skipped["DIRFILE"].endswith("140 files, 40 of which are not here")
    outer = found(folder / "DICOMDIR")
    assert len(outer) == 0
    # The folder has the number of the study for a name.
    assert outer.skipped["•••/DIRFILE"] == "listed in DICOMDIR, but not there"
    with dl.show_identity():
        assert "S21570/DIRFILE" in found(folder / "DICOMDIR").skipped
    charsets = found(shared_data() / "charset-a" / "clunie" / "DICOMDIR")
    assert len(charsets) == 11
    assert charsets.skipped == {"DICOMDIR": "a DICOMDIR: an index of 11 files, all of them here"}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(132, 1200), byte=st.integers(0, 255), cut=st.booleans())
def test_a_damaged_index_never_hangs_or_crashes(tmp_path_factory, at: int, byte: int, cut: bool) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    path = index(folder / "DICOMDIR", *(["A", str(k)] for k in range(8)))
    data = bytearray(path.read_bytes())
    data = data[:at] if cut else data
    if at < len(data):
        data[at] = byte
    path.write_bytes(bytes(data))
    assert len(found(path)) <= 1
