"""Tables of many files, and of long headers: a bar after a second, none where none is wanted, and Ctrl-C at any file."""

from collections.abc import Callable
from pathlib import Path

import pytest
from support import datasets, write

from benchmarks.tables import make_structures
from dicomlab import compare_headers, header_table, keyword_table, varying
from dicomlab.read import progress
from dicomlab.read.sources import FileRef
from dicomlab.tables.raws import RawHeader, RawReader

Call = Callable[..., object]

TABLES = {
    "header_table": lambda folder, **how: header_table(folder, **how),
    "varying": lambda folder, **how: varying(folder, **how),
    "compare_headers": lambda folder, **how: compare_headers(folder, folder, **how),
    "keyword_table": lambda folder, **how: keyword_table(folder, ["PixelSpacing"], **how),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path, datasets())


@pytest.mark.parametrize("name", TABLES)
def test_a_bar_shows_when_it_takes_long_unless_it_is_not_wanted(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    TABLES[name](folder)
    assert capsys.readouterr().err == "", "short work shows nothing"
    monkeypatch.setattr(progress, "_AFTER", -1.0)
    TABLES[name](folder)
    assert "file/s" in capsys.readouterr().err
    TABLES[name](folder, progress=False)
    assert capsys.readouterr().err == ""


def test_a_search_through_a_long_header_counts_its_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make_structures(tmp_path / "rt.dcm", 1, rois=3)
    monkeypatch.setattr(progress, "_AFTER", -1.0)
    assert len(header_table(file).search("Contour Data")) == 0
    assert "going through the header" in capsys.readouterr().err
    assert len(header_table(file, progress=False).search("ReferencedROINumber")) == 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", TABLES)
def test_ctrl_c_stops_at_a_file_and_the_next_call_begins_anew(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = TABLES[name](folder)
    plain, stop = RawReader.read, 0
    read: list[str] = []

    def counted(self: RawReader, file: FileRef) -> RawHeader:
        read.append(file.name)
        if len(read) == stop:
            raise KeyboardInterrupt
        return plain(self, file)

    monkeypatch.setattr(RawReader, "read", counted)
    TABLES[name](folder)
    count = len(read)
    assert set(read) == {file.name for file in folder.iterdir()}
    for stop in (1, count // 2, count):
        read.clear()
        with pytest.raises(KeyboardInterrupt):
            TABLES[name](folder)
        assert len(read) == stop, "nothing more is read"
    stop = 0
    assert repr(TABLES[name](folder)) == repr(whole)
