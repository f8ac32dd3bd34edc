"""Files without a preamble or file meta information, and files whose meta information lies about their encoding."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset, write_file_meta_info
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

import dicomlab as dl
from dicomlab.read.headers import read_instance
from dicomlab.read.planes import planes_of
from dicomlab.read.sources import FileRef
from tests.support import datasets, shared_data, truth

ENCODINGS = {  # implicit, little endian, syntax
    "implicit": (True, True, ImplicitVRLittleEndian),
    "explicit": (False, True, ExplicitVRLittleEndian),
    "big": (False, False, ExplicitVRBigEndian),
}
HEADS = ["nothing", "preamble", "implicit", "explicit", "big", "bare implicit", "bare explicit", "bare big"]
"""What comes before the data set; "bare" is file meta information without the preamble."""


def encoded(k: int, encoding: str, head: str) -> bytes:
    """Slice `k` of the small CT, in one encoding behind the head of another."""
    dataset = datasets("CT")[k]
    meta = dataset.file_meta
    implicit, little, _ = ENCODINGS[encoding]
    if not little:
        dataset.PixelData = np.frombuffer(dataset.PixelData, "<u2").byteswap().tobytes()
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, little
    write_dataset(buffer, dataset)
    before = DicomBytesIO()
    if head not in ("nothing", "preamble"):
        meta.TransferSyntaxUID = ENCODINGS[head.removeprefix("bare ")][2]
        write_file_meta_info(before, meta)
    preamble = b"" if head == "nothing" or head.startswith("bare") else bytes(128) + b"DICM"
    return preamble + before.getvalue() + buffer.getvalue()


def instance(path: Path):
    return read_instance(FileRef(path, path.name, path.stat().st_size))


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_bytes_decide_what_the_head_leaves_open_or_gets_wrong(tmp_path, encoding: str, head: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(encoded(2, encoding, head))
    got = instance(path)
    expected = datasets("CT")[2]
    assert got.modality == "CT"
    assert got.text("SOPInstanceUID") == expected.SOPInstanceUID
    np.testing.assert_allclose(planes_of(got)[0].position, [float(x) for x in expected.ImagePositionPatient])
    little = ENCODINGS[encoding][1]
    assert got.transfer_syntax.is_little_endian == little
    assert got.pixels is not None
    stored = np.frombuffer(path.read_bytes(), "<u2" if little else ">u2", 120, got.pixels.offset)
    np.testing.assert_array_equal(stored - 1024.0, truth("CT").values[2].ravel())


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("encoding", ["implicit", "explicit"])
def test_a_series_of_such_files_is_a_volume_like_any_other(tmp_path, encoding: str, head: str) -> None:
    for k in range(6):
        (tmp_path / f"no extension {k}").write_bytes(encoded(k, encoding, head))
    (series,) = dl.find_series(tmp_path, progress=False)
    volume = dl.load_volume(series, progress=False)
    np.testing.assert_array_equal(volume.values, truth("CT").values)
    np.testing.assert_allclose(volume.dicom.affine, truth("CT").affine, atol=1e-6)


def test_implicit_big_endian_is_never_read_as_little(tmp_path) -> None:
    dataset = datasets("CT")[0]
    buffer, meta = DicomBytesIO(), DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = True, False
    write_dataset(buffer, dataset)
    write_file_meta_info(meta, dataset.file_meta)
    path = tmp_path / "x"
    path.write_bytes(bytes(128) + b"DICM" + meta.getvalue() + buffer.getvalue())
    assert not instance(path).transfer_syntax.is_little_endian


def test_a_compressed_syntax_is_believed(tmp_path) -> None:
    data = encoded(0, "explicit", "explicit").replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    path = tmp_path / "x"
    path.write_bytes(data)
    assert instance(path).transfer_syntax == RLELossless
    with pytest.raises(dl.DicomLabError):
        dl.load_volume(path, progress=False)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x08\0",
        b"\x08\0\x05\0CS",
        b"\x02\0" * 70,
        b"DICM" * 40,
        bytes(132),
        bytes(128) + b"DICM",
        b"\xff" * 300,
    ],
)
def test_what_only_looks_like_dicom_is_skipped_with_a_reason(tmp_path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    series = dl.find_series(tmp_path, progress=False)
    assert len(series) == 0
    assert series.skipped["x"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    encoding=st.sampled_from(sorted(ENCODINGS)),
    head=st.sampled_from(HEADS),
    at=st.integers(0, 1500),
    byte=st.integers(0, 255),
)
def test_a_damaged_byte_gives_an_instance_or_a_reason(tmp_path_factory, encoding, head, at, byte) -> None:
    data = bytearray(encoded(0, encoding, head))
    data[at % len(data)] = byte
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "x").write_bytes(bytes(data))
    series = dl.find_series(folder, progress=False)
    assert len(series) + len(series.skipped) == 1


def test_real_files_without_a_preamble_are_read() -> None:
    chest = instance(shared_data() / "xr-a" / "CR-MONO1-10-chest")
    assert (chest.modality, chest.integer("Rows", 0), chest.text("PhotometricInterpretation")) == (
        "CR",
        440,
        "MONOCHROME1",
    )
    assert chest.pixels is not None
    assert (chest.pixels.length, chest.pixels.available) == (440 * 440 * 2, 440 * 440 * 2)
    packed = instance(shared_data() / "broken-a" / "GH340.dcm")
    assert (packed.modality, packed.integer("BitsAllocated", 0)) == ("MR", 12)
    query = dl.find_series(shared_data() / "broken-a" / "ZeissOCT-cfind-query.dcm", progress=False)
    assert query[0].stacks == ()
