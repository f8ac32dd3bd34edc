"""A listing that is kept: what it saves, what it notices, and what it refuses."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pydicom
import pytest
from support import datasets, watch_opening, write

from dicomlab import DicomLabError, DicomLabWarning, find_series, load_volume, phantom
from dicomlab.read.catalogue import Catalogue
from dicomlab.read.direct import Reader
from dicomlab.read.find import _read_all
from dicomlab.read.headers import Instance
from dicomlab.read.sources import FileRef, list_all
from dicomlab.read.walk import UnusualError

Opened = Callable[[], set[str]]


def age(folder: Path, seconds: float = 60) -> None:
    """Let the files be older than they are: what changed just now is never kept."""
    for path in folder.rglob("*"):
        stamp = path.stat().st_mtime - seconds
        os.utime(path, (stamp, stamp))


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    """Names of the files that were opened since this was last asked."""
    names: list[str] = []
    watch_opening(monkeypatch, names)
    # The time of the last change of what is said of a file cannot be set back: for these tests nothing is too recent.
    monkeypatch.setattr("dicomlab.read.catalogue._RECENT", 0)

    def since() -> set[str]:
        found = set(names)
        names.clear()
        return found

    return since


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A CT and an MR series, a text, and a file that is empty."""
    images = tmp_path / "images"
    write(images / "ct", datasets("CT"))
    write(images / "mr", datasets("MR"))
    (images / "notes.txt").write_text("no image")
    (images / "empty").touch()
    age(images)
    return images


def said(folder: Path, cache: Path | None = None) -> tuple[object, ...]:
    found = find_series(folder, cache=cache, progress=False)
    return repr(found), found.skipped, [series.files for series in found], found.table.to_dict("list")


def test_a_kept_listing_says_the_same_and_opens_nothing(folder: Path, tmp_path: Path, opened: Opened) -> None:
    expected = said(folder)
    opened()
    assert said(folder, tmp_path / "list.sqlite") == expected
    assert len(opened()) == 14
    assert said(folder, tmp_path / "list.sqlite") == expected
    assert opened() == set()


def test_volumes_of_a_kept_listing_are_the_same(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    first = find_series(folder, cache=cache)
    again = find_series(folder, cache=cache)
    for one, other in zip(first, again, strict=True):
        left, right = load_volume(one), load_volume(other)
        np.testing.assert_array_equal(left.values, right.values)
        assert left.attrs == right.attrs
        np.testing.assert_array_equal(left.dicom.affine, right.dicom.affine)


@pytest.mark.parametrize(
    "kind", ["enhanced_ct", "enhanced_diffusion", "enhanced_files", "legacy_converted_ct", "parametric_map"]
)
def test_functional_groups_are_kept(kind: str, tmp_path: Path, opened: Opened) -> None:
    phantom.write_kind(kind, tmp_path / "images")
    cache = tmp_path / "list.sqlite"
    expected, first = said(tmp_path / "images"), find_series(tmp_path / "images", cache=cache)
    opened()
    again = find_series(tmp_path / "images", cache=cache)
    assert (repr(again), again.table.to_dict("list")) == (expected[0], expected[3])
    assert opened() == set()
    for one, other in zip(first, again, strict=True):
        left, right = load_volume(one), load_volume(other)
        np.testing.assert_array_equal(left.values, right.values)
        assert left.attrs == right.attrs
        assert left.drop_attrs().equals(right.drop_attrs())


@pytest.mark.parametrize("kind", sorted({**phantom.KINDS, **phantom.FAULTS}))
def test_every_kind_of_series_is_kept_or_read_again(kind: str, tmp_path: Path, opened: Opened) -> None:
    phantom.write_kind(kind, tmp_path / "images")
    expected = said(tmp_path / "images")
    for _ in range(2):
        assert said(tmp_path / "images", tmp_path / "list.sqlite") == expected


def test_files_that_are_new_changed_or_gone_are_noticed(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    said(folder, cache)
    names = sorted(path.name for path in (folder / "ct").iterdir())
    # Of the same size and with the same time of its last change: the time when that was set tells.
    changed = folder / "ct" / names[0]
    stamp = changed.stat().st_mtime
    changed.write_bytes(changed.read_bytes().replace(b"AXIAL", b"OTHER"))
    os.utime(changed, (stamp, stamp))
    (folder / "ct" / names[1]).unlink()
    shutil.copy(folder / "ct" / names[2], folder / "new")
    opened()
    assert said(folder, cache) == said(folder)
    found = find_series(folder, cache=cache)
    opened()
    said(folder, cache)
    # The image that is there twice is compared each time, byte by byte.
    assert opened() <= {"empty", "new", f"ct{os.sep}{names[2]}"}
    with sqlite3.connect(cache) as database:
        kept = {name for (name,) in database.execute("SELECT location FROM file")}
    assert os.fsencode(folder / "ct" / names[2]) in kept
    assert os.fsencode(folder / "ct" / names[1]) not in kept
    assert f"ct{os.sep}{names[2]}" in found.skipped  # the same image as the new one


def test_only_what_changed_is_opened(folder: Path, tmp_path: Path, opened: Opened) -> None:
    said(folder, tmp_path / "list.sqlite")
    one = sorted((folder / "mr").iterdir())[3]
    ds = pydicom.dcmread(one)
    ds.SeriesDescription = "another"
    ds.save_as(one)
    opened()
    said(folder, tmp_path / "list.sqlite")
    assert opened() == {f"mr{os.sep}{one.name}"}


def test_a_list_among_the_images_is_not_written_because_it_was_written(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    cache = folder / "list.sqlite"
    find_series(folder, cache=cache)
    stamp = cache.stat().st_mtime_ns
    assert find_series(folder, cache=cache).skipped["list.sqlite"].startswith("not DICOM")
    assert cache.stat().st_mtime_ns == stamp


def test_one_list_serves_several_folders_and_forgets_none_of_the_others(
    folder: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "list.sqlite"
    said(folder / "ct", cache)
    said(folder / "mr", cache)
    opened()
    monkeypatch.chdir(folder)  # however the folder is named
    assert len(find_series("ct", cache=cache)[0].instances) == 6
    assert len(find_series([Path("ct"), Path("../images/mr")], cache=cache)) == 2
    assert not opened()


def test_what_changed_just_now_is_not_kept(tmp_path: Path) -> None:
    write(tmp_path / "images", datasets("CT"))
    find_series(tmp_path / "images", cache=tmp_path / "list.sqlite")
    with sqlite3.connect(tmp_path / "list.sqlite") as database:
        assert database.execute("SELECT count(*) FROM file").fetchone() == (0,)


def test_interrupted_work_keeps_what_was_read(
    folder: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, read = Reader.read, []

    def interrupted(self: Reader, file: FileRef, head: bytes) -> object:
        read.append(file.name)
        if len(read) == 8:
            raise KeyboardInterrupt
        return plain(self, file, head)

    monkeypatch.setattr(Reader, "read", interrupted)
    with pytest.raises(KeyboardInterrupt):
        find_series(folder, cache=tmp_path / "list.sqlite")
    opened()
    assert said(folder, tmp_path / "list.sqlite") == said(folder)
    monkeypatch.undo()


def test_members_of_archives_are_read_each_time(folder: Path, tmp_path: Path, opened: Opened) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in sorted((folder / "ct").iterdir()):
            archive.write(path, path.name)
    for _ in range(2):
        assert len(find_series(tmp_path / "all.zip", cache=tmp_path / "list.sqlite")[0].instances) == 6


def test_a_file_that_is_no_list_is_refused_and_left_alone(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "thesis.txt"
    other.write_text("years of work")
    with pytest.raises(DicomLabError, match=r"thesis\.txt' is no list of files that dicomlab made"):
        find_series(folder, cache=other)
    assert other.read_text() == "years of work"
    foreign = tmp_path / "foreign.sqlite"
    with sqlite3.connect(foreign) as database:
        database.execute("CREATE TABLE file (mine TEXT)")
    with pytest.raises(DicomLabError, match="another program"):
        find_series(folder, cache=foreign)
    with pytest.raises(DicomLabError, match="there is no folder"):
        find_series(folder, cache=tmp_path / "nowhere" / "list.sqlite")


def test_a_damaged_list_is_refused_with_what_to_do(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    find_series(folder, cache=cache)
    cache.write_bytes(cache.read_bytes()[:3000])
    with pytest.raises(DicomLabError, match=r"damaged .* name another file"):
        find_series(folder, cache=cache)
    with pytest.raises(DicomLabError):
        find_series(folder, cache=cache)  # and no connection is left open


def test_a_list_of_another_version_is_made_anew(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    find_series(folder, cache=cache)
    with sqlite3.connect(cache) as database:
        database.execute("UPDATE about SET made_of = 'of old'")
    opened()
    assert said(folder, cache) == said(folder)
    assert len(opened()) == 14


def test_who_the_patient_is_is_not_kept(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    ds = datasets("CT")[0]
    find_series(folder, cache=cache)
    for value in (ds.PatientName, ds.PatientID):
        assert str(value).encode() not in cache.read_bytes()


def listed(catalogue: Catalogue, folder: Path) -> list[Instance]:
    """What a listing of a folder reads, without what it makes of that."""
    return list(_read_all(list(list_all([folder], lambda *_: None)), {}, False, catalogue))


def test_two_that_write_one_list_keep_their_series_apart(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    cache = tmp_path / "list.sqlite"
    with Catalogue(cache, [folder / "ct"]) as one, Catalogue(cache, [folder / "mr"]) as other:
        listed(one, folder / "ct")
        listed(other, folder / "mr")
    opened()
    assert said(folder, cache) == said(folder)
    assert said(folder / "mr", cache) == said(folder / "mr")
    assert [series.modality for series in find_series(folder / "ct", cache=cache)] == ["CT"]
    assert opened() >= {"notes.txt"}  # by those without a list
    find_series([folder / "ct", folder / "mr"], cache=cache)
    assert opened() == set()


def test_several_at_once_use_one_list_and_none_fails_or_loses(tmp_path: Path, opened: Opened) -> None:
    folders = [tmp_path / str(k) for k in range(6)]
    for k, folder in enumerate(folders):
        changed = datasets("CT")
        for ds in changed:
            ds.SeriesDescription = f"series {k}"
        write(folder, changed)
    cache = tmp_path / "list.sqlite"
    with ThreadPoolExecutor(len(folders)) as pool:  # all of them find no list, and make one
        list(pool.map(lambda folder: find_series(folder, cache=cache, progress=False), folders))
    opened()
    for k, folder in enumerate(folders):
        assert [series.description for series in find_series(folder, cache=cache)] == [f"series {k}"]
    assert opened() == set()


def test_a_list_that_another_version_made_meanwhile_is_left_to_it(
    folder: Path, tmp_path: Path, opened: Opened
) -> None:
    cache = tmp_path / "list.sqlite"
    with Catalogue(cache, [folder]) as catalogue:
        listed(catalogue, folder)
        with sqlite3.connect(cache) as database:
            database.execute("UPDATE about SET made_of = 'of the other'")
    with sqlite3.connect(cache) as database:
        assert database.execute("SELECT count(*) FROM file").fetchone() == (0,)


def test_a_list_that_cannot_be_written_costs_a_warning_and_no_listing(
    folder: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "list.sqlite"
    find_series(folder / "ct", cache=cache)
    monkeypatch.setattr("dicomlab.read.catalogue._PATIENCE", 0.01)
    blocking = sqlite3.connect(cache, isolation_level=None)
    blocking.execute("BEGIN IMMEDIATE")
    with pytest.warns(DicomLabWarning, match=r"list\.sqlite' could not be written .*locked"):
        assert len(find_series(folder, cache=cache)) == 2
    blocking.close()


def test_a_list_that_somebody_holds_is_done_without(
    folder: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dicomlab.read.catalogue._PATIENCE", 0.01)
    cache, file = tmp_path / "list.sqlite", sorted((folder / "ct").iterdir())[0]
    find_series(file, cache=cache)
    (ref,) = list_all([file], lambda *_: None)
    with Catalogue(cache, [file]) as catalogue:
        blocking = sqlite3.connect(cache, isolation_level=None)
        blocking.execute("BEGIN EXCLUSIVE")
        assert catalogue.find(ref) is None
        blocking.close()


@pytest.mark.skipif(sys.platform == "win32", reason="times are not so coarse there")
def test_folders_that_are_swapped_are_noticed_whatever_the_times_of_their_files(
    tmp_path: Path, opened: Opened
) -> None:
    now, old = tmp_path / "now", tmp_path / "old"
    for folder, text in ((now, "AAAA"), (old, "BBBB")):
        ds = datasets("CT")[0]
        ds.SeriesDescription = text
        write(folder, [ds])
    (one,), (other,) = now.iterdir(), old.iterdir()
    for _ in range(100):  # until the clock of the file system, which is coarse, gives both the same time
        for path in (one, other):
            os.utime(path, ns=(10**18, 10**18))
        if one.stat().st_ctime_ns == other.stat().st_ctime_ns:
            break
    else:
        pytest.skip("the clock of this file system is too fine")
    cache = tmp_path / "list.sqlite"
    assert find_series(now, cache=cache)[0].description == "AAAA"
    now.rename(tmp_path / "away")
    old.rename(now)
    assert find_series(now, cache=cache)[0].description == "BBBB"


@pytest.mark.parametrize("trouble", [OSError(5, "Input/output error"), MemoryError()])
def test_trouble_that_passes_is_not_kept(
    trouble: Exception, folder: Path, tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "list.sqlite"

    def fail(*_: object, **__: object) -> object:
        raise trouble

    with monkeypatch.context() as patch:
        if isinstance(trouble, OSError):
            patch.setattr(Reader, "read", fail)
        else:  # pydicom meets it, and it becomes a reason why the header cannot be parsed
            patch.setattr(Reader, "_read", lambda *_: (_ for _ in ()).throw(UnusualError))
            patch.setattr("dicomlab.read.headers.dcmread", fail)
        assert not find_series(folder / "ct", cache=cache)
    assert len(find_series(folder / "ct", cache=cache)[0].instances) == 6


@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="names are text there")
def test_files_whose_names_are_no_text_are_kept_too(folder: Path, tmp_path: Path, opened: Opened) -> None:
    os.rename(folder / "ct", os.fsencode(folder) + b"/\xe9")
    expected = said(folder)
    cache = tmp_path / "list.sqlite"
    assert said(folder, cache) == expected
    opened()
    assert said(folder, cache) == expected
    assert opened() == set()


def test_files_that_are_named_one_by_one_or_by_an_index_are_kept(
    tmp_path: Path, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom.write_kind("dicomdir", tmp_path / "images")
    (index,) = tmp_path.rglob("DICOMDIR")
    images = [path for path in sorted(index.parent.rglob("*")) if path.is_file() and path != index]
    plain = Reader.read
    read: list[str] = []

    def watched(self: Reader, file: FileRef, head: bytes) -> Instance:
        read.append(file.path.name)
        return plain(self, file, head)

    monkeypatch.setattr(Reader, "read", watched)
    for number, source in enumerate((index, images)):
        cache = tmp_path / f"{number}.sqlite"
        first = find_series(source, cache=cache).table.to_dict("list")
        read.clear()
        assert find_series(source, cache=cache).table.to_dict("list") == first
        assert set(read) <= {"DICOMDIR"}  # its glances at what the index names are others


def test_what_nothing_uses_any_more_is_forgotten(folder: Path, tmp_path: Path, opened: Opened) -> None:
    cache = tmp_path / "list.sqlite"
    find_series(folder, cache=cache)
    shutil.rmtree(folder / "mr")
    find_series(folder, cache=cache)
    with sqlite3.connect(cache) as database:
        used = database.execute("SELECT count(DISTINCT common) FROM file").fetchone()
        assert database.execute("SELECT count(*) FROM common").fetchone() == used
