"""`explain`: what people type is understood, and what is said is there and true."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pydicom
import pytest
from pydicom.tag import Tag

from dicomlab import DicomLabError, explain
from dicomlab.dictionary.carried import ATTRIBUTES, REPEATERS, UIDS
from dicomlab.dictionary.glossary import terms
from dicomlab.dictionary.names import _SPOKEN, _attributes
from dicomlab.dictionary.vr import VRS
from dicomlab.dictionary.words import all_words

KEYWORDS = {entry[4]: entry for entry in (*ATTRIBUTES.values(), *REPEATERS.values())}
UID_KEYWORDS = {entry[4]: entry for entry in UIDS.values()}


@pytest.mark.parametrize(
    "asked",
    [
        "PixelSpacing",
        "Pixel Spacing",
        "pixel spacing",
        " PIXEL  SPACING ",
        "(0028,0030)",
        "0028,0030",
        "00280030",
        "0x00280030",
        0x00280030,
        (0x0028, 0x0030),
        Tag("PixelSpacing"),
        pydicom.DataElement("PixelSpacing", "DS", [1, 2]),
    ],
)
def test_all_ways_to_name_an_attribute_lead_to_it(asked: object) -> None:
    assert explain(asked).tag == "(0028,0030)"


@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("1.2.840.10008.1.2.1", "Explicit VR Little Endian"),
        ("ExplicitVRLittleEndian", "Explicit VR Little Endian"),
        ("explicit vr little endian", "Explicit VR Little Endian"),
        ("CT Image Storage", "CT Image Storage"),
        ("CT", "CT Image Storage"),
        ("RTSTRUCT", "RT Structure Set Storage"),
        (pydicom.uid.MRImageStorage, "MR Image Storage"),
        ("TalairachBrainAtlas", "Talairach Brain Atlas Frame of Reference"),
        ("DS", "Decimal String"),
        ("ds", "Decimal String"),
    ],
)
def test_uids_and_vrs_are_found_by_value_keyword_and_name(asked: str, name: str) -> None:
    assert explain(asked).name == name


def test_what_people_say_is_understood_where_the_standard_says_it_otherwise() -> None:
    said = {
        "TR": "RepetitionTime",
        "ipp": "ImagePositionPatient",
        "b-value": "DiffusionBValue",
        "HU": "RescaleIntercept",
        "slope": "RescaleSlope",
        "window": "WindowWidth",
        "level": "WindowCenter",
    }
    assert {name: explain(name).keyword for name in said} == said
    for name, keyword in _SPOKEN.items():
        assert KEYWORDS[keyword][3] == ""
        assert name.upper() not in VRS
        assert name not in _attributes()


@pytest.mark.parametrize(
    ("asked", "near"),
    [
        ("PixelSpacin", "PixelSpacing"),
        ("PatientNme", "PatientName"),
        ("WindowCentre", "WindowCenter"),
        ("Rescale", "RescaleSlope"),
        ("position", "ImagePositionPatient"),
        ("orientation", "ImageOrientationPatient"),
        ("dose", "DoseUnits"),
        ("padding", "PixelPaddingValue"),
        ("JPEG", "JPEGLossless"),
        ("affin", "affine"),
        ("JPEG2000Losless", "JPEG2000Lossless"),
        ("slice thicknes", "SliceThickness"),
    ],
)
def test_a_typo_is_answered_with_what_was_meant(asked: str, near: str) -> None:
    with pytest.raises(DicomLabError, match=rf"did you mean .*\b{near}\b"):
        explain(asked)


@pytest.mark.parametrize(
    "asked", ["", "   ", "xyzzy", True, None, -1, 1 << 33, (1, 2, 3), (0x10000, 0), 3.5, [], b"DS"]
)
def test_what_means_nothing_is_a_clear_error(asked: object) -> None:
    with pytest.raises(DicomLabError):
        explain(asked)


def test_a_word_that_many_names_hold_is_answered_with_names_that_hold_it() -> None:
    for asked in ("position", "width", "label", "bits", "overlay"):
        with pytest.raises(DicomLabError) as error:
            explain(asked)
        offered = str(error.value).partition("did you mean ")[2].rstrip("?").split(", ")
        assert 3 <= len(offered) <= 5
        assert [name for name in offered if asked not in name.lower()] == []


def test_an_empty_text_is_called_empty_and_no_path() -> None:
    for asked in ("", "  "):
        with pytest.raises(DicomLabError, match=r"asked for an empty text; give a keyword"):
            explain(asked)


@pytest.mark.parametrize(
    "asked", ["LPS", "affine", "VOI", "voxel", "Affine matrix", "lookup table", "de-identify"]
)
def test_words_of_the_field_are_explained_with_the_attributes_that_hold_them(asked: str) -> None:
    found = explain(asked)
    assert (found.kind, found.keyword, found.tag, found.uid) == ("word of the field", "", "", "")
    assert found.name.lower() == asked.lower()
    assert found.related
    assert all(explain(keyword).says for keyword in found.related)


def test_every_word_of_the_field_is_found_and_names_nothing_that_does_not_exist() -> None:
    for word, words in terms().items():
        assert explain(word).name == word
        assert re.search(r"[.!?]$", words.says), word
        named = re.findall(r"\b[A-Z][a-z]+(?:[A-Z]+[a-z0-9]*)+\b", f"{words.says} {words.trap}")
        assert [name for name in named if name not in KEYWORDS and name != "NIfTI"] == [], word
        assert [name for name in words.related if KEYWORDS[name][3]] == [], word


def test_a_folder_that_is_called_like_a_word_of_the_field_is_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert explain("volume").says
    (tmp_path / "volume").mkdir()
    with pytest.raises(DicomLabError, match="no DICOM in"):
        explain("volume")


def test_a_very_long_or_hostile_text_is_answered_shortly() -> None:
    for asked in ("x" * 100_000, "<script>alert(1)</script>" * 1000, "1." * 50_000 + "1", "\0", "0" * 9):
        start = time.perf_counter()
        try:
            said = explain(asked)._repr_html_()
        except DicomLabError as error:
            assert len(str(error)) < 400
        else:
            assert "<script" not in said
        assert time.perf_counter() - start < 2


def test_module_and_type_are_of_the_object_that_was_asked_for() -> None:
    (place,) = explain("PixelSpacing", sop_class="CT").places
    assert (place.module, place.type, place.section, place.where) == ("Image Plane", "1", "C.7.6.2", "")
    assert place.iods == (("CT Image", "M"),)
    (place,) = explain("PixelSpacing", sop_class="1.2.840.10008.5.1.4.1.1.66.4").places
    assert (place.module, place.type) == ("Pixel Measures", "1C")
    assert explain("ContourData", sop_class="CT").places == ()
    assert "none of that object" in repr(explain("ContourData", sop_class="CT"))
    with pytest.raises(DicomLabError, match="no SOP Class is called 'CTT'"):
        explain("PixelSpacing", sop_class="CTT")


def test_all_common_objects_are_told_when_none_is_asked_for() -> None:
    told = {name for place in explain("SOPInstanceUID").places for name, _ in place.iods}
    assert {"CT Image", "MR Image", "Segmentation", "RT Dose", "Comprehensive 3D SR"} <= told
    assert len(told) == 20


def test_private_repeating_retired_and_unknown_tags_are_told_as_what_they_are() -> None:
    overlay = explain("(6002,3000)")
    assert (overlay.name, overlay.tag, overlay.kind) == (
        "Overlay Data",
        "(60xx,3000)",
        "attribute of a repeating group",
    )
    assert overlay.vr_means.startswith("Other Byte or Other Word. Bits Allocated")
    private = explain((0x0019, 0x100C), creator="SIEMENS MR HEADER")
    assert (private.name, private.vr, private.vm) == ("B_value", "IS", "1")
    assert "SIEMENS MR HEADER: B_value" in str(explain((0x0019, 0x100C)).facts)
    assert explain((0x0019, 0x0010)).name == "Private Creator"
    assert explain((0x0028, 0x0000)).name == "Group Length"
    assert explain(0x12345678).kind == "unknown attribute"
    retired = explain("OtherPatientIDs")
    assert retired.retired
    assert "Retired: old files have it, new ones should not. Instead: OtherPatientIDsSequence." in repr(
        retired
    )
    assert not explain("PixelSpacing").retired


def test_an_unknown_uid_tells_its_root_and_what_is_wrong_with_it() -> None:
    assert "pydicom" in repr(explain(pydicom.uid.generate_uid()))
    assert "f81d4fae-7dec-11d0-a765-00a0c91e6bf6" in repr(
        explain("2.25.329800735698586629295641978511506172918")
    )
    assert "a part that begins with 0" in repr(explain("1.2.03.4"))
    assert "70 characters" in repr(explain("1.2." + "3" * 66))


def test_what_identifies_somebody_says_so() -> None:
    assert "table E.1-1: Z" in explain("PatientName").privacy
    assert "table E.1-1: X" in explain("PatientAddress").privacy
    assert "another UID" in explain("SOPInstanceUID").privacy
    assert explain("PixelSpacing").privacy == ""


def test_words_are_there_for_the_attributes_that_matter_and_name_nothing_that_does_not_exist() -> None:
    words = all_words()
    attributes = [word for word in words.values() if word.keyword in KEYWORDS]
    assert len(attributes) >= 250
    assert sum(bool(word.trap) for word in attributes) >= 150
    for word in words.values():
        assert word.says, word.keyword
        assert word.keyword in KEYWORDS or word.keyword in UID_KEYWORDS, word.keyword
        assert word.keyword not in word.related
        for other in (*word.related, *word.replaced_by):
            assert other in KEYWORDS or other in UID_KEYWORDS, (word.keyword, other)
        named = re.findall(r"\b[A-Z][a-z]+(?:[A-Z]+[a-z0-9]*)+\b", f"{word.says} {word.trap}")
        assert [name for name in named if name not in KEYWORDS] == [], word.keyword
        assert not re.search(r"\s{2}|\.\.|[^.!?…]$", word.says), word.keyword


def test_retired_attributes_have_words_among_the_retired_only() -> None:
    for word in all_words().values():
        if word.keyword in KEYWORDS:
            assert bool(KEYWORDS[word.keyword][3]) == (word.subject == "retired"), word.keyword
        if word.subject != "retired":
            retired = [other for other in word.related if other in KEYWORDS and KEYWORDS[other][3]]
            assert retired == [], word.keyword


def test_text_and_card_say_the_same() -> None:
    for asked in ("PixelSpacing", "OtherPatientIDs", "CT", "DS", "WindowWidth", (0x0019, 0x100C), "1.2.3"):
        found = explain(asked)
        text, page = repr(found), found._repr_html_()
        flat = re.sub(r"\s+", " ", text)
        assert found.name in text
        assert found.says[:30] in flat
        assert found.name in page
        if found.trap:
            assert "Trap: " in text
            assert 'class="trap"' in page
        assert max(map(len, text.splitlines())) <= 100
        assert found.to_dict()["name"] == found.name


DOCS = Path(__file__).resolve().parent.parent / "docs" / "headers.md"


def test_the_page_about_headers_shows_what_explain_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    section = DOCS.read_text(encoding="utf-8").split("## What an attribute means")[1].split("\n## ")[0]
    blocks = re.findall(r"```(python)?\n(.*?)```", section, flags=re.S)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    shown = ""
    compared = 0
    for language, text in blocks:
        if language:
            lines = text.strip().splitlines()
            if lines[-1].startswith("dl.explain("):
                lines[-1] = f"print({lines[-1]})"
            exec("\n".join(lines), names)
            shown = capsys.readouterr().out
        else:
            assert shown == text
            compared += 1
    assert compared == 4
    counted = [int(number) for number in re.findall(r"for (\d+) attributes and (\d+) UIDs", section)[0]]
    words = all_words().values()
    assert counted == [
        sum(w.keyword in KEYWORDS for w in words),
        sum(w.keyword in UID_KEYWORDS for w in words),
    ]
