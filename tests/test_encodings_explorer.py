"""One data set in several transfer syntaxes: what is written is what other readers read."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import imagecodecs
import numpy as np
import pydicom
import pytest
from pydicom import uid
from pydicom.dataset import Dataset
from support import datasets
from test_file_explorer import SECRETS, planted

import dicomlab as dl
from dicomlab import phantom, teach
from dicomlab.errors import DicomLabError
from dicomlab.read import progress
from dicomlab.teach import encodings
from dicomlab.teach.encodings import _files
from dicomlab.teach.squeeze import pixels_of, run_lengths


@pytest.fixture(scope="module")
def explorer() -> teach.EncodingsExplorer:
    return teach.explore_encodings(datasets()[0])


def test_head_and_order_of_the_bytes_differ_and_the_number_is_the_same(
    explorer: teach.EncodingsExplorer,
) -> None:
    rows = datasets()[0].Rows
    found = explorer.bytes_of("Rows")
    little, big = rows.to_bytes(2, "little"), rows.to_bytes(2, "big")
    assert found["Implicit VR little endian"] == b"\x28\0\x10\0\x02\0\0\0" + little
    assert found["Explicit VR little endian"] == b"\x28\0\x10\0US\x02\0" + little
    assert found["Explicit VR big endian"] == b"\0\x28\0\x10US\0\x02" + big
    assert len(set(found.values())) == 3


def test_text_is_the_same_bytes_in_each(explorer: teach.EncodingsExplorer) -> None:
    value = "\\".join(str(one) for one in datasets()[0].PixelSpacing).encode()
    for name, data in explorer.bytes_of("PixelSpacing").items():
        assert value[:12] in data, name


def test_every_value_is_read_again_as_it_was(explorer: teach.EncodingsExplorer) -> None:
    assert [one["keyword"] for one in explorer.facts["elements"] if not one["same"]] == []


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_pydicom_reads_the_same_pixels_from_all_plain_files(modality: str) -> None:
    one = datasets(modality)[0]
    pixels = pixels_of(one)
    for name, syntax, _, data in _files(one, pixels):
        again = pydicom.dcmread(BytesIO(data))
        assert again.file_meta.TransferSyntaxUID == syntax
        if name in ("JPEG 2000", "HTJ2K", "JPEG-LS"):
            continue  # pydicom needs plug-ins for these
        assert np.array_equal(again.pixel_array, pixels.values[0]), name


@pytest.mark.parametrize(("name", "tool"), [("JPEG-LS", "dcmdjpls"), ("RLE", "dcmdrle")])
@pytest.mark.parametrize("modality", ["CT", "MR"])
def test_dcmtk_decodes_the_same_pixels(name: str, tool: str, modality: str, tmp_path: Path) -> None:
    if shutil.which(tool) is None:
        pytest.skip(f"no {tool} here: nothing was compared with DCMTK")
    one = datasets(modality)[0]
    pixels = pixels_of(one)
    data = next(data for found, _, _, data in _files(one, pixels) if found == name)
    (tmp_path / "in.dcm").write_bytes(data)
    subprocess.run(
        [tool, str(tmp_path / "in.dcm"), str(tmp_path / "out.dcm")], check=True, capture_output=True
    )
    again = pydicom.dcmread(tmp_path / "out.dcm")
    assert np.array_equal(again.pixel_array, pixels.values[0])


def test_streams_of_jpeg_2000_are_what_openjpeg_says() -> None:
    one = datasets("MR")[0]
    pixels = pixels_of(one)
    for name, _, _, data in _files(one, pixels):
        if name in ("JPEG 2000", "HTJ2K"):
            frame = pydicom.encaps.get_frame(pydicom.dcmread(BytesIO(data)).PixelData, 0)
            assert np.array_equal(imagecodecs.jpeg2k_decode(frame), pixels.values[0]), name


def test_run_lengths_of_one_and_two_bytes_are_undone_by_pydicom() -> None:
    rng = np.random.default_rng(1)
    for dtype in ("u1", "<u2", "<i2"):
        values = (rng.integers(0, 3, (5, 300)) * 40).astype(dtype)
        one = Dataset()
        one.Rows, one.Columns = values.shape
        one.SamplesPerPixel, one.PhotometricInterpretation = 1, "MONOCHROME2"
        one.BitsAllocated = one.BitsStored = 8 * values.itemsize
        one.HighBit, one.PixelRepresentation = one.BitsStored - 1, int("i" in dtype)
        one.PixelData = pydicom.encaps.encapsulate([run_lengths(values)])
        one["PixelData"].VR = "OB"
        one.file_meta = pydicom.dataset.FileMetaDataset()
        one.file_meta.TransferSyntaxUID = uid.RLELossless
        assert np.array_equal(one.pixel_array, values)


def test_sources_in_any_encoding_give_the_same_table(tmp_path: Path) -> None:
    one = datasets()[0]
    plain = teach.explore_encodings(one)
    for _, _, _, data in _files(one, pixels_of(one)):
        again = teach.explore_encodings(data)
        assert [e["keyword"] for e in again.facts["elements"] if not e["same"]] == []
        assert again.bytes_of("Rows") == plain.bytes_of("Rows")
        assert (
            again.bytes_of("PixelData")["Explicit VR big endian"]
            == plain.bytes_of("PixelData")["Explicit VR big endian"]
        )


def test_frames_are_fragments_each(tmp_path: Path) -> None:
    phantom.write_kind("enhanced_pet", tmp_path)
    path = min(one for one in tmp_path.rglob("*") if one.is_file())
    explorer = teach.explore_encodings(path)
    frames = int(pydicom.dcmread(path).NumberOfFrames)
    index = next(k for k, one in enumerate(explorer.facts["elements"]) if one["keyword"] == "PixelData")
    entry = explorer.facts["encodings"][4]["elements"][index]
    parts = len(entry["parts"]) + entry["more"]
    # Head of the element; the offset table; an item for each frame; the delimiter.
    assert parts == 4 + 3 + 3 * frames + 2


def test_no_identity_is_in_any_encoding() -> None:
    explorer = teach.explore_encodings(planted())
    texts = json.dumps(explorer.facts)
    own = b"".join(
        base64.b64decode(part[2])
        for one in explorer.facts["encodings"]
        for entry in one["elements"]
        if entry
        for part in entry["parts"]
    )
    assert [one for one in SECRETS if one[:8] in texts or one.encode()[:8] in own] == []
    with dl.show_identity():
        shown = teach.explore_encodings(planted())
    assert SECRETS[0] in json.dumps(shown.facts)


def test_the_source_is_left_as_it_was() -> None:
    one = datasets()[0]
    before = one.to_json()
    teach.explore_encodings(one)
    assert one.to_json() == before


def test_what_is_no_grey_image_is_refused() -> None:
    one = datasets()[0]
    del one.PixelData
    with pytest.raises(DicomLabError, match="this data set has no Pixel Data"):
        teach.explore_encodings(one)
    one = datasets()[0]
    one.SamplesPerPixel = 3
    with pytest.raises(DicomLabError, match="Grey pixels of 8 or 16 bits"):
        teach.explore_encodings(one)
    one = datasets()[0]
    one.PixelData = one.PixelData[:-2]
    with pytest.raises(DicomLabError, match="pixels take"):
        teach.explore_encodings(one)
    with pytest.raises(DicomLabError, match="EchoTime was asked for"):
        teach.explore_encodings(datasets()[0]).select("EchoTime")


def test_the_still_picture_follows_the_element(explorer: teach.EncodingsExplorer) -> None:
    explorer.select("Rows")
    rows = explorer.still()
    explorer.select("PixelData")
    assert rows[:8] == b"\x89PNG\r\n\x1a\n"
    assert explorer.still() != rows


def test_a_bar_shows_when_it_takes_long_unless_it_is_not_wanted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "_AFTER", -1.0)
    teach.explore_encodings()
    said = capsys.readouterr().err
    assert "writing in all encodings" in said
    assert "1/24 " in said, "eight encodings are written, taken apart and compared"
    teach.explore_encodings(progress=False)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("stop", [1, 5, 8])
def test_ctrl_c_stops_at_an_encoding(stop: int, monkeypatch: pytest.MonkeyPatch) -> None:
    plain, done = encodings.written, []

    def counted(dataset: Dataset, syntax: str | None = None) -> bytes:
        done.append(syntax)
        if len(done) == stop:
            raise KeyboardInterrupt
        return plain(dataset, syntax)

    monkeypatch.setattr(encodings, "written", counted)
    with pytest.raises(KeyboardInterrupt):
        teach.explore_encodings()
    assert len(done) == stop, "nothing more is written"
