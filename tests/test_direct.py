"""The direct path to headers says what pydicom says: of every kind of series, of real files, and of damaged ones."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pydicom
import pytest
from direct_support import compare
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from support import SHARED, datasets, shared_data, write

from dicomlab import find_series, phantom
from dicomlab.read.alike import Headers
from dicomlab.read.archives import ARCHIVE_START
from dicomlab.read.direct import Reader
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_instance
from dicomlab.read.records import Record
from dicomlab.read.sources import FileRef, expand, list_all
from dicomlab.read.wanted import TAGS

KINDS = sorted({**phantom.KINDS, **phantom.FAULTS})


def files(folder: Path) -> Iterator[FileRef]:
    for file in list_all([folder], lambda *_: None):
        if file.size and file.head(4).startswith(ARCHIVE_START):
            yield from expand(file, lambda *_: None)
        elif file.size:
            yield file


def compared(folder: Path) -> tuple[Counter[bool], list[str]]:
    """How many files were read directly, and how many by pydicom alone; what the two ways say differently."""
    reader, ways, differing = Reader(), Counter[bool](), []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydicom's own, about values that break their VR
        for file in files(folder):
            direct, found = compare(file, reader)
            ways[direct] += 1
            differing += found
    return ways, differing


@pytest.mark.parametrize("kind", KINDS)
def test_both_ways_agree_on_every_kind_of_series(tmp_path: Path, kind: str) -> None:
    phantom.write_kind(kind, tmp_path)
    ways, differing = compared(tmp_path)
    assert not differing
    assert ways.total()


@pytest.mark.parametrize("syntax", ["explicit", "implicit"])
@pytest.mark.parametrize("modality", ["ct", "mr", "pet"])
def test_ordinary_series_need_no_pydicom(tmp_path: Path, modality: str, syntax: str) -> None:
    getattr(phantom, f"write_{modality}")(tmp_path, shape=(8, 8, 8), transfer_syntax=syntax)
    ways, differing = compared(tmp_path)
    assert not differing
    assert ways == {True: 8}


@pytest.mark.slow
@pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: the two ways to headers were not compared on it",
)
def test_both_ways_agree_on_all_real_files() -> None:
    ways, differing = compared(shared_data())
    assert not differing
    assert ways[True] > 1000


# -- headers of one series that differ in length, in attributes, in damage -------------------------------------------------


def varied(number: int) -> Dataset:
    """One of a series whose headers differ: in the lengths of numbers and identifiers, and in what is there."""
    ds = datasets("CT")[number % 6]
    ds.InstanceNumber = 10**number
    ds.ImagePositionPatient = [f"{-1.25 * 10**number:g}", "2.5", f"{number / 3:.{1 + number}f}"]
    ds.SOPInstanceUID = f"1.2.3.{7 ** (3 * number)}"
    ds.AcquisitionTime = "101112" + (f".{number}" if number % 2 else "")
    if number % 3 == 0:
        ds.ImageComments = "x" * number
    if number % 4 == 0:
        del ds.SliceThickness
    return ds


@pytest.mark.parametrize("implicit", [False, True])
def test_lengths_and_attributes_that_vary_are_followed(tmp_path: Path, implicit: bool) -> None:
    for number in range(8):
        ds = varied(number)
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        syntax = pydicom.uid.ImplicitVRLittleEndian if implicit else pydicom.uid.ExplicitVRLittleEndian
        ds.file_meta.TransferSyntaxUID = syntax
        for copy in range(2):  # the second time the layout is known
            ds.save_as(
                tmp_path / f"{copy}-{number}",
                implicit_vr=implicit,
                little_endian=True,
                enforce_file_format=True,
            )
    ways, differing = compared(tmp_path)
    assert not differing
    assert ways == {True: 16}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """A classic, an implicit and an enhanced file, and one with sequences of either kind."""
    folder = tmp_path_factory.mktemp("whole")
    phantom.write_ct(folder / "explicit", shape=(2, 4, 4))
    phantom.write_ct(folder / "implicit", shape=(2, 4, 4), transfer_syntax="implicit")
    phantom.write_kind("enhanced_ct", folder / "enhanced")
    found = [sorted((folder / name).rglob("IM*"))[0].read_bytes() for name in ("explicit", "implicit")]
    enhanced = next(path for path in sorted((folder / "enhanced").rglob("*")) if path.is_file())
    nested = pydicom.dcmread(sorted((folder / "explicit").rglob("IM*"))[0])
    for undefined in (True, False):
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = "1.2", "1.2.3"
        inner = Dataset()
        inner.CodeValue, inner.CodingSchemeDesignator, inner.CodeMeaning = "1", "99T", "one"
        item.PurposeOfReferenceCodeSequence = [inner]
        nested.ReferencedImageSequence = [item, item]
        nested["ReferencedImageSequence"].is_undefined_length = undefined
        for one in nested.ReferencedImageSequence:
            one.is_undefined_length_sequence_item = undefined
        nested.save_as(folder / f"nested{undefined}", enforce_file_format=True)
        found.append((folder / f"nested{undefined}").read_bytes())
    return [*found, enhanced.read_bytes()]


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_both_ways_agree_on_damaged_headers(tmp_path: Path, whole: list[bytes], data: st.DataObject) -> None:
    """After a sound one of its kind, so that the damaged one meets a layout that is known."""
    original = data.draw(st.sampled_from(whole))
    reader = Reader()
    sound, broken = tmp_path / "sound", tmp_path / "broken"
    sound.write_bytes(original)
    for _ in range(4):
        file = FileRef(sound, "sound")
        reader.read(file, file.head(reader.enough))
    changed = bytearray(original)
    end = original.rfind(b"\xe0\x7f\x10\x00")
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(128, end + 12))
        kind = data.draw(st.sampled_from(["byte", "cut", "insert", "remove", "end"]))
        if kind == "byte":
            changed[at : at + 1] = bytes([data.draw(st.integers(0, 255))])
        elif kind == "cut":
            del changed[at : at + data.draw(st.integers(1, 40))]
        elif kind == "insert":
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=12))
        elif kind == "remove":
            changed[at : at + 8] = bytes(8)
        else:
            del changed[at:]
    broken.write_bytes(bytes(changed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        _, differing = compare(FileRef(broken, "broken"), reader)
    assert not differing


# -- one question for many headers ----------------------------------------------------------------------------------------


def members(folder: Path) -> list[Instance]:
    reader = Reader()
    return [reader.read(file, file.head(reader.enough)) for file in files(folder)]


def test_one_question_is_answered_as_if_every_header_had_been_asked(tmp_path: Path) -> None:
    write(tmp_path / "a", [varied(number) for number in range(8)])
    write(tmp_path / "b", datasets("MR"))
    found = members(tmp_path)
    assert all(isinstance(one.header, Record) for one in found)
    headers = Headers(found)
    alone = [read_instance(one.file) for one in found]
    for tag in TAGS:
        assert headers.texts(tag) == [one.text(tag) for one in alone]
        assert headers.integers(tag, -1) == [one.integer(tag, -1) for one in alone]
        numbers = headers.each(lambda header, tag=tag: header.numbers(tag))
        for got, one in zip(numbers, alone, strict=True):
            np.testing.assert_array_equal(got, one.numbers(tag))


def test_a_question_is_put_to_few_of_many_headers(tmp_path: Path) -> None:
    write(tmp_path, datasets("CT"))
    asked = []

    def question(header: Attributes) -> str:
        asked.append(header)
        # What is looked at depends on what was found: an even number, and then another attribute.
        return (
            header.text("Rows") if header.integer("InstanceNumber", 0) % 2 else header.text("SOPInstanceUID")
        )

    found = members(tmp_path)
    answers = Headers(found).each(question)
    assert answers == [question(one) for one in found]
    asked.clear()
    assert set(Headers(found).each(lambda header: asked.append(header) or header.text("Rows"))) == {"12"}
    # One for the first, whose family did not know yet what varies, and one for the others.
    assert len(asked) <= 3


def test_headers_may_be_sent_to_another_process(tmp_path: Path) -> None:
    import pickle

    write(tmp_path, datasets("CT"))
    series = find_series(tmp_path)[0]
    sent = pickle.loads(pickle.dumps(series))
    assert [one.text("SOPInstanceUID") for one in sent.instances] == [
        one.text("SOPInstanceUID") for one in series.instances
    ]
    assert sent.stacks[0].geometry.spacing == series.stacks[0].geometry.spacing


def test_listing_reads_the_beginning_of_each_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phantom.write_ct(tmp_path, shape=(6, 256, 256))
    opened: Counter[str] = Counter()
    read: list[int] = []
    head = FileRef.head

    def counted(self: FileRef, count: int) -> bytes:
        opened[self.name] += 1
        data = head(self, count)
        read.append(len(data))
        return data

    monkeypatch.setattr(FileRef, "head", counted)
    monkeypatch.setattr(FileRef, "open", lambda self: pytest.fail(f"{self} was opened once more"))
    (series,) = find_series(tmp_path)
    assert set(opened.values()) == {1}
    assert sum(read) <= 6 << 14 < 6 * 256 * 256 * 2
    assert len(series.stacks[0]) == 6
