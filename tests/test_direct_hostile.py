"""What must not take the direct path in: damage, lies about lengths, files that change, headers that are only nearly alike."""

from __future__ import annotations

import copy
import os
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pydicom
import pytest
import xarray as xr
from direct_support import compare, tags_of
from pydicom.dataset import Dataset
from pydicom.uid import DeflatedExplicitVRLittleEndian, ImplicitVRLittleEndian
from support import datasets, write

from dicomlab import find_series, load_volume, phantom
from dicomlab.errors import FaultError
from dicomlab.geometry import Geometry
from dicomlab.read.direct import Reader
from dicomlab.read.headers import Instance, read_instance
from dicomlab.read.records import Far
from dicomlab.read.sources import FileRef


def read_all(folder: Path) -> list[tuple[FileRef, Instance]]:
    """Every file of a folder through one reader, as a listing does."""
    reader, found = Reader(), []
    for path in sorted(folder.iterdir()):
        file = FileRef(path, path.name)
        found.append((file, reader.read(file, file.head(reader.enough))))
    return found


def implicit(changed: list[Dataset]) -> list[Dataset]:
    for ds in changed:
        ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    return changed


# ---- elements that lie far away --------------------------------------------------------------------------------------


def with_long_lut() -> list[Dataset]:
    changed = datasets("MR")
    for ds in changed:
        for name in ("RescaleSlope", "RescaleIntercept", "RescaleType"):
            if name in ds:
                delattr(ds, name)
        item = Dataset()
        item.add_new(0x00283002, "US", [4096, 0, 16])
        item.ModalityLUTType = "US"
        item.add_new(0x00283006, "OW", (np.arange(4096) * 2 + 7).astype("<u2").tobytes())
        ds.ModalityLUTSequence = [item]
    return changed


def test_a_table_that_cannot_be_read_again_is_no_table_that_is_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, with_long_lut())
    (series,) = find_series(folder)
    plain = load_volume(folder).values
    open_ = FileRef.open

    def away(self: FileRef) -> object:
        raise OSError(112, "Host is down")

    monkeypatch.setattr(FileRef, "open", away)
    with pytest.raises(FaultError, match="header cannot be read again"):
        load_volume(series)
    monkeypatch.setattr(FileRef, "open", open_)
    np.testing.assert_array_equal(load_volume(find_series(folder)[0]).values, plain)
    assert plain.min() >= 7


def test_a_table_is_not_taken_from_a_file_that_changed(tmp_path: Path) -> None:
    folder = write(tmp_path, with_long_lut())
    (series,) = find_series(folder)
    (far,) = [raw for raw in series.instances[0].header.own if isinstance(raw, Far)]  # type: ignore[union-attr]
    path = far.file.path
    path.write_bytes(path.read_bytes()[:-2])
    with pytest.raises(FaultError, match="has changed since it was listed"):
        far.read()


# ---- lies about lengths ----------------------------------------------------------------------------------------------


def test_a_file_that_is_shorter_than_it_was_ends_the_search_for_more(tmp_path: Path) -> None:
    ds = datasets("CT")[0]
    ds.add_new(0x00090010, "LO", "ME")
    ds.add_new(0x00091001, "OB", b"x" * 40000)
    (path,) = write(tmp_path, [ds]).iterdir()
    reader, file = Reader(), FileRef(path, "cut")
    head = file.head(reader.enough)
    os.truncate(path, 20000)
    instance = reader.read(file, head)  # by the general way, which asks the file itself
    assert instance.pixels is None


def test_an_archive_that_claims_more_than_it_holds_ends_the_search_for_more(tmp_path: Path) -> None:
    (path,) = write(tmp_path / "one", datasets("CT")[:1]).iterdir()
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("one", path.read_bytes()[:600])
    data = bytearray(archive.read_bytes())
    at = data.rfind(b"PK\x01\x02") + 24
    data[at : at + 4] = (100_000).to_bytes(4, "little")
    archive.write_bytes(data)
    found = find_series(archive)
    assert len(found) == 1 or list(found.skipped) == ["a.zip/one"]


def test_a_damaged_member_of_an_archive_is_left_out_and_told(tmp_path: Path) -> None:
    folder = write(tmp_path / "files", datasets("CT"))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as made:
        for path in sorted(folder.iterdir()):
            made.write(path, path.name)
    with zipfile.ZipFile(archive) as made:
        entry = made.infolist()[2]
    data = bytearray(archive.read_bytes())
    data[entry.header_offset + 30 + len(entry.filename) + entry.file_size - 9] ^= 0x55
    archive.write_bytes(data)
    found = find_series(archive)
    assert found.skipped == {
        f"a.zip/{entry.filename}": f"[Errno 5] damaged inside the archive: Bad CRC-32 for file '{entry.filename}'"
    }


def test_an_image_of_many_gigabytes_that_are_not_there_takes_no_memory(tmp_path: Path) -> None:
    changed = datasets("CT")[:2]
    for ds in changed:
        ds.Rows = ds.Columns = 65535
        ds.ImagePositionPatient = changed[0].ImagePositionPatient
        ds.InstanceNumber = 1
    (series,) = find_series(write(tmp_path, changed))
    assert {finding.code for finding in series.findings} == {"truncated_pixel_data"}


def test_a_deflated_file_cannot_claim_more_than_it_can_unfold_into(tmp_path: Path) -> None:
    for k, ds in enumerate(datasets("CT")):
        ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
        pydicom.dcmwrite(tmp_path / f"{k}", ds)
    for path in tmp_path.iterdir():
        whole = path.read_bytes()
        start = 144 + int.from_bytes(whole[140:144], "little")
        plain = bytearray(zlib.decompressobj(-zlib.MAX_WBITS).decompress(whole[start:]))
        at = plain.rindex(b"\xe0\x7f\x10\0OW") + 8
        plain[at : at + 4] = (3 << 30).to_bytes(4, "little")
        for tag in (b"\x28\0\x10\0US\x02\0", b"\x28\0\x11\0US\x02\0"):
            at = plain.index(tag) + 8
            plain[at : at + 2] = (40000).to_bytes(2, "little")
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        path.write_bytes(whole[:start] + packer.compress(bytes(plain)) + packer.flush())
    (series,) = find_series(tmp_path)
    assert {finding.code for finding in series.findings} == {"truncated_pixel_data"}
    with pytest.raises(FaultError, match="truncated_pixel_data"):
        load_volume(series)


# ---- nearly alike ----------------------------------------------------------------------------------------------------


def test_what_others_decide_is_read_as_the_others_of_its_own_file_say(tmp_path: Path) -> None:
    changed = implicit(datasets("CT"))
    for k, ds in enumerate(changed):
        ds.PixelRepresentation = k % 2
        ds.add_new(0x00280120, "SS" if k % 2 else "US", -2000 if k % 2 else 63536)
        ds.SpecificCharacterSet = "ISO_IR 192" if k % 2 else "ISO_IR 100"
        ds.SeriesDescription = "\u00e9" if k % 2 else "\u00c3\u00a9"  # the same bytes
    for file, instance in read_all(write(tmp_path, changed)):
        general = read_instance(file)
        assert instance.number("PixelPaddingValue") == general.number("PixelPaddingValue")
        assert instance.text("SeriesDescription") == general.text("SeriesDescription")
    (series,) = find_series(tmp_path)
    padding = series.stacks[0].headers.each(lambda header: header.number("PixelPaddingValue"))
    assert sorted(set(padding)) == [-2000, 63536]


def test_a_mosaic_among_images_of_its_family_is_looked_at_by_itself(tmp_path: Path) -> None:
    changed = [copy.deepcopy(ds) for ds in datasets("MR") for _ in range(2)]
    for k, ds in enumerate(changed):
        ds.Manufacturer = "SIEMENS"
        last = "MOSAIC" if k == len(changed) - 1 else f"NORM{k % 2:02}"
        ds.ImageType = ["ORIGINAL", "PRIMARY", "M", last]
        ds.add_new(0x00290010, "LO", "SIEMENS CSA HEADER")
        ds.add_new(0x00291020, "OB", b"SV10" + b"x" * 60)
        ds.save_as(tmp_path / f"{k:02}")
    found = read_all(tmp_path)
    kept = []
    for file, instance in found:
        theirs = read_instance(file)
        kept.append(0x00291020 in tags_of(theirs.header))
        assert (0x00291020 in tags_of(instance.header)) == kept[-1]
    assert kept.count(True) == 1


def test_whether_functional_groups_fold_is_asked_of_each(tmp_path: Path) -> None:
    sample = phantom.write_kind("enhanced_mr", tmp_path)
    (path,) = [path for path in sample.folder.rglob("*") if path.is_file()]
    ds = pydicom.dcmread(path)
    groups = ds.PerFrameFunctionalGroupsSequence
    for k in (0, 2):
        item = groups[k].PlanePositionSequence[0]
        groups[k].PlanePositionSequence = [item, copy.deepcopy(item)]
    groups[1].PlanePositionSequence = []
    ds.save_as(path)
    assert compare(FileRef(path, path.name), Reader()) == (True, [])


# ---- steps of lone positions -----------------------------------------------------------------------------------------


def test_a_lone_step_holds_only_where_it_was_measured(tmp_path: Path) -> None:
    volume = load_volume(write(tmp_path, datasets("CT")))
    row = volume.isel(row=[0])
    moved = row.assign_coords(row=row["row"] * 10 + 1, column=row["column"] * 10)
    assert np.isnan(Geometry.from_volume(moved).lone_steps[1])
    assert Geometry.from_volume(row).lone_steps[1] == pytest.approx(volume.dicom.spacing[1])
    two = xr.concat([volume.isel(slice=[0]), volume.isel(slice=[4])], "slice")
    gap = float(abs(volume["slice"][4] - volume["slice"][0]))
    assert Geometry.from_volume(two.isel(slice=[1])).lone_steps[0] == pytest.approx(gap)
