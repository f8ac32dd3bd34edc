"""What is masked follows PS3.15 Table E.1-1; descriptions lose the words that name somebody; the mask is lifted where asked."""

from __future__ import annotations

import asyncio
import re
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from pathlib import Path
from typing import Any

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.datadict import dictionary_VR, tag_for_keyword

import dicomlab as dl
from dicomlab.privacy import (
    IS_CLEANED,
    MASK,
    as_now,
    cause_of,
    cleaned,
    identity_in,
    identity_shown,
    is_identifying,
    problem_text,
    show_identity,
)
from dicomlab.privacy.rule import _ALSO, _OPENED
from dicomlab.privacy.table import ACTIONS, CURVES, GROUPS
from dicomlab.privacy.vocabulary import is_plain
from dicomlab.read import headers
from dicomlab.read.meanings import named_meanings
from dicomlab.read.sources import FileRef
from dicomlab.view.asmade import AsMade
from dicomlab.warn import quiet
from tests.support import datasets, write

# Of the table, what pydicom 3.0 does not know yet: attributes of the supplements of 2025 and 2026.
NEW = {
    "AnnotationDateTime", "DisplayURI", "EffectiveStartDateTime", "EffectiveStopDateTime", "EthnicGroups",
    "GenderIdentityCodeSequence", "GenderIdentityComment", "GenderIdentitySequence", "HistologicalDiagnosesCodeSequence",
    "MontageChannelLabel", "MontageName", "NameToUse", "NameToUseComment", "PersonNamesToUseSequence",
    "PrimaryDiagnosisCodeSequence", "PrincipalDiagnosisCodeSequence", "PronounCodeSequence", "PronounComment",
    "SecondaryDiagnosesCodeSequence", "SegmentDefinitionDateTime", "SexParametersForClinicalUseCategoryCodeSequence",
    "SexParametersForClinicalUseCategoryComment", "SexParametersForClinicalUseCategoryReference",
    "SexParametersForClinicalUseCategorySequence", "ThirdPersonPronounsSequence",
}  # fmt: skip


def test_every_keyword_of_the_table_is_one_of_the_standard() -> None:
    named = {*ACTIONS, *_ALSO} - {*CURVES, "OverlayComments", "OverlayData"}
    assert {keyword for keyword in named if tag_for_keyword(keyword) is None} <= NEW
    repeating = {entry[4] for entry in pydicom._dicom_dict.RepeatersDictionary.values()}
    curves = {
        k for tag, (_, _, _, _, k) in pydicom._dicom_dict.RepeatersDictionary.items() if tag.startswith("50")
    }
    assert {*CURVES, "OverlayComments", "OverlayData"} <= repeating
    assert curves == CURVES
    assert set(GROUPS.values()) == {"X"}


# Rows of the table as anybody can look them up in PS3.15, one of each code, kind and corner.
ROWS = {
    "AccessionNumber": "Z", "AcquisitionContextSequence": "X/Z", "AcquisitionDate": "X/Z",
    "AcquisitionProtocolDescription": "X",
    "ContentSequence": "D", "ContrastBolusAgent": "Z/D", "DeviceSerialNumber": "X/Z/D", "DeviceUID": "U",
    "FrameOfReferenceUID": "U", "InstitutionName": "X/Z/D", "OperatorsName": "X/Z/D", "OverlayComments": "X",
    "PatientBirthDate": "Z", "PatientID": "Z/D", "PatientName": "Z", "PatientSex": "Z", "PatientWeight": "X",
    "ProtocolName": "X/D", "ReferencedImageSequence": "X/Z/U*", "ReferringPhysicianName": "Z", "SOPInstanceUID": "U",
    "SeriesDescription": "X", "SeriesInstanceUID": "U", "StationName": "X/Z/D", "StudyDate": "Z", "StudyID": "Z",
    "StudyInstanceUID": "U", "StudyTime": "Z", "VerifyingObserverName": "D",
}  # fmt: skip


def test_the_table_has_the_codes_of_the_standard() -> None:
    assert {keyword: ACTIONS.get(keyword) for keyword in ROWS} == ROWS
    assert len(ACTIONS) == 652 + len(CURVES) + 2
    assert {"Modality", "Rows", "PixelSpacing", "Manufacturer", "SliceThickness"}.isdisjoint(ACTIONS)


def test_all_of_the_table_is_masked_but_for_what_the_documentation_names() -> None:
    shown = {k for k in ACTIONS if tag_for_keyword(k) and not is_identifying(k, dictionary_VR(k))}
    uids = {k for k in shown if dictionary_VR(k) == "UI"}
    assert shown - uids == IS_CLEANED | _OPENED | {"PatientSex", "PatientSize", "PatientWeight"}
    assert is_identifying("DeviceUID", "UI")
    documented = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")
    for keyword in shown - uids:
        assert f"`{keyword}`" in documented


def test_a_wrong_vr_unmasks_nothing() -> None:
    for vr in ("UI", "DS", "US", "SQ", "OB", "UN", ""):
        assert is_identifying("PatientName", vr)
        assert is_identifying("PatientID", vr)


@pytest.mark.parametrize("vr", ["LO", "SH", "CS", "PN", "UN", "OB", "LT", "DA"])
def test_private_texts_and_bytes_are_masked(vr: str) -> None:
    assert is_identifying("", vr, private=True)
    assert is_identifying("PixelSpacing", vr, private=True)


WHO = identity_in(
    [
        ("PatientName", "PN", "Müller-Lüdenscheidt^Anna Li^J"),
        ("PatientBirthDate", "DA", "19610203"),
        ("PatientID", "LO", "12-34-56"),
        ("OtherPatientIDs", "LO", "AB12\\MRN4711"),
        ("InstitutionName", "LO", "Hospital of Nowhere, Dept. of MRI"),
        ("StudyDate", "DA", "20240229"),
        ("StudyID", "SH", "1"),
        ("ReferringPhysicianName", "PN", "山田^太郎"),
        ("StudyDescription", "LO", "Abdomen routine"),
        ("StationName", "SH", "CT125"),
    ]
)


@pytest.mark.parametrize(
    ("typed", "seen"),
    [
        # names, however they are spelled
        ("T2 tse MÜLLER", "T2 tse •••"),
        ("T2 mueller anna", "T2 ••• •••"),
        ("Muller_Anna_T1", "•••_•••_T1"),
        ("MüllerAnna T1", "••• T1"),
        ("head Li", "head •••"),
        ("山田太郎 head", "••• head"),
        # numbers
        ("id 123456", "id •••"),
        ("id 12/34/56 ax", "id ••• ax"),
        ("MRN4711", "•••"),
        ("no 4711", "no 4711"),
        ("AB12 t1", "••• t1"),
        # dates, of the patient and of anybody
        ("born 3.2.61", "born •••"),
        ("born 03FEB1961", "born •••"),
        ("born 1961", "born •••"),
        ("02/29/2024 pre", "••• pre"),
        ("1987-12-24", "•••"),
        ("24 Dec 1987", "•••"),
        ("19871224_t1", "•••_t1"),
        ("at 10:15:30", "at •••"),
        ("a.b@c.example", "•••"),
        # places; words of the trade stay
        ("Nowhere MRI hospital", "••• MRI •••"),
        ("CT125 abdomen", "••• abdomen"),
        # what is no identity
        ("T1 1.25 x 0.5 mm", "T1 1.25 x 0.5 mm"),
        ("ep2d_diff b=0,500,1000", "ep2d_diff b=0,500,1000"),
        ("2.5/1.5/1.5 v3.0.1", "2.5/1.5/1.5 v3.0.1"),
        ("Thorax abdomen portal venous 1.0 B30f", "Thorax abdomen portal venous 1.0 B30f"),
        ("J routine", "J routine"),
        ("", ""),
    ],
)
def test_a_description_keeps_all_words_but_those_that_name_the_patient(typed: str, seen: str) -> None:
    assert cleaned(typed, WHO) == seen


@given(st.text(max_size=64))
def test_what_is_masked_once_stays_as_it_is(text: str) -> None:
    for who in (WHO, None):
        once = cleaned(text, who)
        assert cleaned(once, who) == once
        assert len(once) <= len(text) * len(MASK)


@given(st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=12).filter(lambda name: not is_plain(name)))
def test_a_name_is_masked_wherever_it_stands(name: str) -> None:
    who = identity_in([("PatientName", "PN", name)])
    for typed in (name, name.upper(), f"t1 {name} ax", f"t1_{name}_ax", f"t1{name}", f"({name})", f"{name}9"):
        assert name not in cleaned(typed, who).casefold()


def test_where_nobody_knows_whose_it_is_only_words_of_the_trade_are_shown() -> None:
    assert cleaned("T1 tse ax Smith 2.5 mm 4711", None) == "T1 tse ax ••• 2.5 mm •••"


def described(folder: Path, description: str, **more: Any) -> dl.Series:
    sets = datasets()
    for one in sets:
        one.SeriesDescription = description
        for keyword, value in more.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
    return dl.find_series(write(folder, sets), progress=False)[0]


def test_a_series_is_described_without_its_patient_everywhere(tmp_path: Path) -> None:
    series = described(tmp_path, "T1 Meier 4711-12", PatientName="Meier^Eva", PatientID="4711-12")
    volume = dl.load_volume(series, progress=False)
    assert series.description == volume.attrs["SeriesDescription"] == "T1 ••• •••"
    assert dl.header_table(series, index=0).search("SeriesDescription").value == "T1 ••• •••"
    with show_identity():
        assert series.description == "T1 Meier 4711-12"
        # What travels with data goes where nobody knows of a block.
        assert dl.load_volume(series, progress=False).attrs["SeriesDescription"] == "T1 ••• •••"


def test_a_list_says_that_words_are_masked(tmp_path: Path) -> None:
    described(tmp_path, "T1 Meier", PatientName="Meier^Eva")
    found = dl.find_series(tmp_path, progress=False)
    for said in (repr(found), found._repr_html_(), found[0]._repr_html_()):
        assert "show_identity" in said
    with show_identity():
        assert "show_identity" not in repr(found)
        assert "T1 Meier" in found._repr_html_()


def test_a_file_that_is_gone_or_never_said_whose_it_is_shows_no_name(tmp_path: Path) -> None:
    series = described(tmp_path / "gone", "T1 Meier", PatientName="Meier^Eva")
    for path in series.paths:
        path.unlink()
    assert series.description == "T1 •••"
    assert described(tmp_path / "nobody", "T1 Meier", PatientName=None).description == "T1 •••"


def test_a_derived_series_says_nothing_of_masks(tmp_path: Path) -> None:
    series = described(tmp_path / "from", "T1 Meier ax", PatientName="Meier^Eva")
    volume = dl.load_volume(series, progress=False)
    files = dl.write_series(volume, tmp_path / "to", source=series)
    assert pydicom.dcmread(files[0]).SeriesDescription == "T1 ax derived"
    assert pydicom.dcmread(files[0]).PatientName == "Meier^Eva"


@pytest.mark.parametrize("keyword", ["PatientID", "StudyDescription", "SeriesDescription", "AcquisitionTime"])
def test_an_axis_is_not_labelled_by_what_identifies(keyword: str) -> None:
    with pytest.raises(dl.DicomLabError, match="may say who the patient is"):
        named_meanings(keyword)
    with show_identity():
        assert named_meanings(keyword)[0].name == keyword


# -- where the mask is lifted ------------------------------------------------------------------------------------------------


def test_blocks_nest_and_end_with_what_they_raise() -> None:
    with show_identity():
        with show_identity():
            assert identity_shown()
        assert identity_shown()
    assert not identity_shown()
    with pytest.raises(KeyError), show_identity():
        raise KeyError
    assert not identity_shown()


def test_other_threads_mask_and_those_that_carry_the_context_do_not() -> None:
    seen: list[bool] = []
    with show_identity(), ThreadPoolExecutor(1) as pool:
        thread = threading.Thread(target=lambda: seen.append(identity_shown()))
        thread.start()
        thread.join()
        seen += [
            pool.submit(identity_shown).result(),
            pool.submit(copy_context().run, identity_shown).result(),
        ]
    assert seen == [False, False, True]


def test_tasks_mask_but_for_those_begun_in_the_block() -> None:
    async def run() -> tuple[bool, bool, bool]:
        seen: list[bool] = []
        inside = asyncio.Event()

        async def other() -> None:
            await inside.wait()
            seen.append(identity_shown())

        before = asyncio.create_task(other())
        await asyncio.sleep(0)
        with show_identity():
            inside.set()
            begun = asyncio.create_task(other())
            await before
            await begun
            return (*seen, identity_shown())  # type: ignore[return-value]

    # In a thread of its own: a browser of other tests may have left a loop running in this one.
    with ThreadPoolExecutor(1) as alone:
        assert alone.submit(asyncio.run, run()).result() == (False, True, True)


def test_a_generator_that_ends_in_another_context_leaves_nothing_behind() -> None:
    def inside() -> Any:
        with show_identity():
            yield identity_shown()

    going = inside()
    assert copy_context().run(next, going)
    going.close()
    assert not identity_shown()


@pytest.mark.parametrize("scheduler", ["threads", "synchronous"])
def test_a_cohort_works_in_the_block_that_it_was_started_in(tmp_path: Path, scheduler: Any) -> None:
    series = described(tmp_path, "T1 Meier", PatientName="Meier^Eva")

    def said(one: dl.Series) -> str:
        return str(dl.header_table(one, index=0).search("PatientName").value)

    options: dict[str, Any] = {"load": None, "scheduler": scheduler, "progress": False}
    assert dl.map_series(said, series, **options)["result"].item() == MASK
    with show_identity():
        table = dl.map_series(said, series, **options)
    assert table["result"].item() == "Meier^Eva"
    assert table["description"].item() == "T1 Meier"


class Asked(AsMade):
    """A widget that says whether it may show names when its page asks."""

    _esm = "export default {}"

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []
        self.on_msg(lambda *_: self.seen.append(identity_shown()))

    def asked(self) -> None:
        self._handle_msg({"content": {"data": {"method": "custom", "content": {}}}, "buffers": []})


@pytest.mark.parametrize("on_a_thread", [False, True])
def test_a_widget_goes_on_as_it_was_made(on_a_thread: bool) -> None:
    with show_identity():
        open_ = Asked()
    masked = Asked()

    def ask() -> None:
        open_.asked()
        with show_identity():
            masked.asked()

    if on_a_thread:
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    else:
        ask()
    assert (open_.seen, masked.seen) == ([True], [False])
    with open_.as_made():
        assert identity_shown()
    assert not identity_shown()


def test_the_viewer_and_the_explorers_are_such_widgets() -> None:
    from dicomlab.teach.explorer import Explorer

    assert issubclass(dl.SliceBrowser, AsMade)
    assert issubclass(Explorer, AsMade)


def test_as_now_keeps_the_mask_too() -> None:
    as_now_masked = as_now()
    with show_identity(), as_now_masked():
        assert not identity_shown()


# -- what other libraries say -------------------------------------------------------------------------------------------------


def test_errors_of_parsers_are_told_by_their_type_unless_identity_is_shown() -> None:
    problem = ValueError("could not convert 'Meier^Eva'")
    gone = OSError("disk is full")
    assert (problem_text(problem), cause_of(problem)) == ("ValueError", None)
    assert (problem_text(gone), cause_of(gone)) == ("OSError: disk is full", gone)
    with show_identity():
        assert (problem_text(problem), cause_of(problem)) == (f"ValueError: {problem}", problem)


def test_what_pydicom_logs_of_a_value_is_not_heard_but_what_others_log_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = pydicom.config.logger
    with quiet():
        logger.warning("of Meier")
        done = threading.Thread(target=lambda: logger.warning("of another thread"))
        done.start()
        done.join()
    logger.warning("afterwards")
    assert [record.getMessage() for record in caplog.records] == ["of another thread", "afterwards"]
    assert not logger.filters


def test_the_page_about_privacy_runs_and_says_what_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (Path(__file__).parents[1] / "docs" / "privacy.md").read_text(encoding="utf-8")
    described(tmp_path / "some" / "folder", "T1 Meier", PatientName="Meier^Eva")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    for block in re.findall(r"^```python\n(.*?)^```", page, re.M | re.S):
        exec(block, names)
    assert cleaned("T2 ax MUELLER, born 3.2.61", names["who"]) == "T2 ax •••, born •••"
    assert f"{len(ACTIONS) - len(CURVES) - 2} attributes" in page


def test_what_pydicom_raises_of_a_header_is_told_by_its_type_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def quotes(*_: object, **__: object) -> None:
        raise ValueError("could not convert 'Meier^Eva'")

    file = sorted(write(tmp_path, datasets()).iterdir())[0]
    monkeypatch.setattr(headers, "dcmread", quotes)

    def said() -> str:
        try:
            headers.read_header(FileRef(file, file.name))
        except dl.DicomLabError:
            return traceback.format_exc()
        return ""

    assert "ValueError" in said()
    assert "Meier" not in said()
    with show_identity():
        assert "Meier" in said()
