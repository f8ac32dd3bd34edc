"""The explorer of a file: what its facts say, what they must not say, its still picture."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom import uid
from pydicom.dataset import Dataset
from support import datasets
from test_dissect import encapsulate, encapsulated, file_of, nested

import dicomlab as dl
from dicomlab import phantom, teach
from dicomlab.errors import DicomLabError


def rows_of(explorer: teach.FileExplorer) -> list[dict[str, Any]]:
    return [dict(zip(explorer.facts["fields"], row, strict=True)) for row in explorer.facts["rows"]]


def bytes_of(explorer: teach.FileExplorer) -> bytes:
    """All bytes that reach the page."""
    return b"".join(
        base64.b64decode(text) for space in explorer.facts["spaces"] for _, text in space["chunks"]
    )


def row(explorer: teach.FileExplorer, keyword: str) -> dict[str, Any]:
    return next(one for one in rows_of(explorer) if one["keyword"] == keyword)


def test_a_path_bytes_and_a_data_set_are_one_explorer(tmp_path: Path) -> None:
    path = phantom.write_ct(tmp_path, shape=(1, 8, 8)).files[0]
    by_path = teach.explore_file(path).facts
    assert teach.explore_file(path.read_bytes()).facts == by_path
    assert teach.explore_file(str(path)).facts == by_path
    one = datasets()[0]
    assert row(teach.explore_file(one), "Rows")["text"] == str(one.Rows)


def test_values_are_told_in_the_way_of_their_vr() -> None:
    explorer = teach.explore_file(file_of(nested()))
    assert (row(explorer, "PixelSpacing")["text"], row(explorer, "PixelSpacing")["count"]) == ("0.75\\0.5", 2)
    assert (row(explorer, "Rows")["text"], row(explorer, "Rows")["count"]) == ("3", 1)
    assert row(explorer, "TransferSyntaxUID")["text"] == "1.2.840.10008.1.2.1 (Explicit VR Little Endian)"
    assert row(explorer, "SourceImageSequence")["kind"] == "sequence"


@pytest.mark.parametrize(
    "syntax", [uid.ExplicitVRBigEndian, uid.ExplicitVRLittleEndian, uid.ImplicitVRLittleEndian]
)
def test_numbers_are_read_in_the_order_of_their_bytes(syntax: str) -> None:
    one = Dataset()
    one.Rows = 0x0102
    one.RecommendedDisplayFrameRateInFloat = 1.5
    one.FrameIncrementPointer = 0x00181063
    explorer = teach.explore_file(file_of(one, syntax))
    assert row(explorer, "Rows")["text"] == "258"
    assert row(explorer, "FrameIncrementPointer")["text"] == "(0018,1063)"
    assert row(explorer, "RecommendedDisplayFrameRateInFloat")["text"] == "1.5"


def test_names_in_other_character_sets_are_read_by_them() -> None:
    one = Dataset()
    one.SpecificCharacterSet = "ISO_IR 192"
    one.PatientName = "Ωmega^Ψ"
    one.SeriesDescription = "Schädel"
    with dl.show_identity():
        explorer = teach.explore_file(file_of(one))
    assert row(explorer, "PatientName")["text"] == "Ωmega^Ψ"
    assert row(explorer, "SeriesDescription")["text"] == "Schädel"


# Identity.

SECRETS = [
    "Planted^Name",
    "PID-4711",
    "19610203",
    "Sint Secret Clinic",
    "Dr^Hidden",
    "PrivateSecret",
    "NestedSecret",
    "PREAMBLESECRET",
]


def planted(syntax: str = uid.ExplicitVRLittleEndian) -> bytes:
    one = datasets()[0]
    one.PatientName, one.PatientID, one.PatientBirthDate, one.InstitutionName, one.ReferringPhysicianName = (
        SECRETS[:5]
    )
    one.private_block(0x0011, "some maker", create=True).add_new(0x10, "LO", SECRETS[5])
    code = Dataset()
    code.CodeMeaning = SECRETS[6]
    request = Dataset()
    request.RequestedProcedureCodeSequence = [code]
    one.RequestAttributesSequence = [request]
    data = file_of(one, syntax)
    return SECRETS[7].encode().ljust(128, b"\0") + data[128:]


def has_secret(explorer: teach.FileExplorer) -> list[str]:
    texts = json.dumps(explorer.facts) + explorer.to_html().text + repr(explorer)
    return [one for one in SECRETS if one in texts or one.encode() in bytes_of(explorer)]


@pytest.mark.parametrize(
    "syntax",
    [
        uid.ExplicitVRLittleEndian,
        uid.ImplicitVRLittleEndian,
        uid.ExplicitVRBigEndian,
        uid.DeflatedExplicitVRLittleEndian,
    ],
)
def test_no_byte_of_an_identity_reaches_the_page(syntax: str) -> None:
    explorer = teach.explore_file(planted(syntax))
    assert has_secret(explorer) == []
    assert row(explorer, "PatientName")["text"] == "•••"
    # Its place and its length are seen, and all else is.
    assert row(explorer, "PatientName")["length"] == len(SECRETS[0])
    assert row(explorer, "Rows")["text"] == str(datasets()[0].Rows)


@pytest.mark.parametrize("keyword", ["SeriesDescription", "Manufacturer", "SoftwareVersions"])
def test_a_name_where_nobody_expects_it_is_hidden(keyword: str) -> None:
    one = datasets()[0]
    one.PatientName = "Featherstone^Ophelia"
    setattr(one, keyword, "for ms featherstone, thin")
    explorer = teach.explore_file(file_of(one))
    assert row(explorer, keyword)["text"] == "•••"
    assert b"featherstone" not in bytes_of(explorer).lower()
    setattr(one, keyword, "thin slices")
    assert row(teach.explore_file(file_of(one)), keyword)["text"] == "thin slices"


def test_a_name_in_group_2_of_a_deflated_file_is_hidden() -> None:
    one = datasets()[0]
    one.PatientName = "Featherstone^Ophelia"
    data = file_of(one, uid.DeflatedExplicitVRLittleEndian).replace(b"PYDICOM", b"OPHELIA")
    assert b"OPHELIA" in data
    assert b"OPHELIA" not in bytes_of(teach.explore_file(data))


def test_show_identity_shows_all_of_it() -> None:
    with dl.show_identity():
        explorer = teach.explore_file(planted())
    assert set(has_secret(explorer)) == set(SECRETS)


def test_a_deflated_stream_cannot_be_inflated_from_the_page() -> None:
    explorer = teach.explore_file(planted(uid.DeflatedExplicitVRLittleEndian))
    stream = next(one for one in rows_of(explorer) if one["kind"] == "deflated")
    chunks = {start: base64.b64decode(text) for start, text in explorer.facts["spaces"][0]["chunks"]}
    own = b"".join(
        data[max(0, stream["start"] - start) :]
        for start, data in sorted(chunks.items())
        if start + len(data) > stream["start"]
    )
    assert set(own) == {0}


def test_a_name_that_another_element_swallowed_is_hidden_with_it() -> None:
    data = planted()
    at = data.index(b"\x08\x00\x60\x00CS")
    # Modality says that it is 4 kB long, and holds the patient then.
    swallowed = data[: at + 6] + struct.pack("<H", 1200) + data[at + 8 :]
    assert has_secret(teach.explore_file(swallowed)) == []
    beyond = data[: at + 6] + struct.pack("<H", 0xFFF0) + data[at + 8 :]
    assert has_secret(teach.explore_file(beyond)) == []


@pytest.mark.parametrize("length", [1200, 0xFFF0])
def test_a_list_of_numbers_that_swallowed_a_name_is_hidden(length: int) -> None:
    # Any number of values is allowed there, so the dictionary does not tell that they are too many.
    one = datasets()[0]
    one.SimpleFrameList = [1, 2]
    one.PatientName = SECRETS[0]
    data = file_of(one)
    at = data.index(b"\x08\x00\x61\x11UL")
    swallowed = data[: at + 6] + struct.pack("<H", length) + data[at + 8 :]
    explorer = teach.explore_file(swallowed)
    assert row(explorer, "SimpleFrameList")["text"] == "•••"
    assert has_secret(explorer) == []


def test_numbers_in_a_sequence_that_identifies_are_hidden_with_it() -> None:
    inner = Dataset()
    inner.Rows = 4711
    one = Dataset()
    one.RequestAttributesSequence = [inner]
    one.SourceImageSequence = [inner]
    texts = [
        found["text"] for found in rows_of(teach.explore_file(file_of(one))) if found["keyword"] == "Rows"
    ]
    assert texts == ["4711", "•••"]


def test_damage_anywhere_shows_no_identity() -> None:
    data = planted()
    rng = np.random.default_rng(8)
    for _ in range(150):
        damaged = bytearray(data)
        for at in rng.integers(132, len(data), 3):
            damaged[at] = rng.integers(256)
        found = has_bytes(bytes(damaged))
        assert found == []
    for size in range(140, len(data) - 1, 37):
        assert has_bytes(data[:size]) == []


def has_bytes(data: bytes) -> list[str]:
    from dicomlab.teach.dissect import dissect, told, vr_of

    facts = told(dissect(data, vr_of, 1200), 290_000, 2402)
    own = b"".join(base64.b64decode(text) for space in facts["spaces"] for _, text in space["chunks"])
    texts = json.dumps(facts)
    # Damage may leave a part of a value; eight letters of one are one.
    return [one for one in SECRETS if one[:8] in texts or one.encode()[:8] in own]


def test_comments_in_a_codestream_are_hidden() -> None:
    secret = b"\xff\xd8\xff\xfe\x00\x10JaneDoeWasHere\xff\xdb\x00\x04ab"
    explorer = teach.explore_file(encapsulated(encapsulate([secret] * 3)))
    assert b"JaneDoe" not in bytes_of(explorer)
    assert bytes_of(explorer).count(b"\xff\xd8\xff\xfe\x00\x10") == 3
    j2k = b"\xff\x4f\xff\x51\x00\x04ab\xff\x64\x00\x10JaneDoeWasHere"
    assert b"JaneDoe" not in bytes_of(teach.explore_file(encapsulated(encapsulate([j2k] * 3))))


def test_hostile_text_stays_text_on_the_page() -> None:
    one = nested()
    one.SeriesDescription = "</script><script>alert(1)</script><img src=x onerror=alert(2)>"
    page = teach.explore_file(file_of(one)).to_html().text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert page.count("</script>") == 3


# Size.


def test_large_pixels_are_left_out_but_for_their_ends() -> None:
    one = datasets()[0]
    one.Rows = one.Columns = 1024
    one.PixelData = np.arange(1024 * 1024, dtype="<u2").tobytes()
    explorer = teach.explore_file(file_of(one))
    assert len(json.dumps(explorer.facts)) < 300_000
    pixels = row(explorer, "PixelData")
    kept = explorer.facts["spaces"][0]["chunks"]
    assert kept[0][0] == 0
    data = file_of(one)
    for start, text in kept:
        piece = base64.b64decode(text)
        # What is kept of the pixels is what the file has.
        if start >= pixels["start"] + 12:
            assert piece == data[start : start + len(piece)]
    assert len(data) - 16 <= kept[-1][0] + len(base64.b64decode(kept[-1][1])) <= len(data)


def test_a_file_of_very_many_elements_tells_how_many_are_not_listed(tmp_path: Path) -> None:
    contour = struct.pack("<HHI", 0x3006, 0x0050, 400) + b"1.5\\" * 99 + b"1.5 "
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(contour)) + contour
    items = item * 5000
    head = file_of(Dataset(), uid.ImplicitVRLittleEndian)
    path = tmp_path / "many.dcm"
    path.write_bytes(
        head
        + struct.pack("<HHI", 0x3006, 0x0040, len(items))
        + items
        + struct.pack("<HHI", 0x300E, 2, 2)
        + b"UN"
    )
    explorer = teach.explore_file(path)
    assert len(json.dumps(explorer.facts)) < 300_000
    found = rows_of(explorer)
    assert found[-1]["tag"] == 0x300E0002
    hidden = [one for one in found if one["kind"] == "hidden"]
    assert hidden[0]["more"]["nodes"] == 10_000 - sum(
        one["depth"] > 0 for one in found if one["kind"] != "hidden"
    )


def test_facts_of_every_kind_stay_small(tmp_path: Path) -> None:
    for kind in ("enhanced_pet", "mosaic", "us_cine"):
        phantom.write_kind(kind, tmp_path / kind)
        path = max(
            (one for one in (tmp_path / kind).rglob("*") if one.is_file()), key=lambda one: one.stat().st_size
        )
        assert len(json.dumps(teach.explore_file(path).facts)) < 300_000, kind


# Choosing, and the still picture.


def test_selecting_by_keyword_and_by_tag_is_the_same() -> None:
    explorer = teach.explore_file(file_of(nested()))
    explorer.select("PixelSpacing")
    by_name = explorer.selected
    explorer.select((0x0028, 0x0010))
    assert explorer.selected["keyword"] == "Rows"
    explorer.select(0x00280030)
    assert explorer.selected == by_name


def test_what_is_not_there_cannot_be_selected() -> None:
    explorer = teach.explore_file(file_of(nested()))
    for what, told in (
        ("EchoTime", "EchoTime"),
        ((0x0018, 0x0081), r"\(0018,0081\)"),
        ("NoKeyword", "NoKeyword"),
    ):
        with pytest.raises(DicomLabError, match=f"{told} was asked for, and this file has none"):
            explorer.select(what)


def test_a_broken_file_opens_where_it_breaks() -> None:
    data = file_of(datasets()[0])
    assert teach.explore_file(data[:-40]).selected["keyword"] == "PixelData"


@pytest.mark.parametrize(
    ("source", "told"),
    [(3, "this is a int"), (b"", "there is nothing to explore"), ("no/such.dcm", "cannot be read")],
)
def test_what_cannot_be_explored_is_an_error_that_says_so(source: Any, told: str) -> None:
    with pytest.raises(DicomLabError, match=told):
        teach.explore_file(source)


def test_a_folder_is_refused_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DicomLabError, match="is a folder"):
        teach.explore_file(tmp_path)


def test_the_still_picture_shows_the_colours_of_the_parts_and_no_hidden_byte() -> None:
    explorer = teach.explore_file(planted())
    explorer.select("PatientName")
    picture = np.asarray(Image.open(io.BytesIO(explorer.still())).convert("RGB")).reshape(-1, 3)
    assert len(picture) > 1_000_000
    with dl.show_identity():
        shown = teach.explore_file(planted())
    shown.select("PatientName")
    other = np.asarray(Image.open(io.BytesIO(shown.still())).convert("RGB")).reshape(-1, 3)
    assert (picture != other).any()
    # The value of a name is green where it is seen, and nowhere in the chosen row where it is hidden.
    green = np.array([round(a * 0.36 + 255 * 0.64) for a in (20, 151, 106)])
    assert (other == green).all(axis=1).sum() > 2000
    assert (picture == green).all(axis=1).sum() == 0


def test_the_committed_vectors_of_bytes_are_fresh() -> None:
    folder = Path(__file__).parent / "js"
    spec = importlib.util.spec_from_file_location("make_bytes_vectors", folder / "make_bytes_vectors.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert json.loads((folder / "vectors" / "bytes.json").read_text()) == json.loads(
        json.dumps(module.vectors())
    )


def test_plain_words_are_those_of_explain() -> None:
    plain = teach.explore_file(file_of(nested())).facts["plain"]
    assert plain["PixelSpacing"] == [dl.explain("PixelSpacing").says, dl.explain("PixelSpacing").trap]
