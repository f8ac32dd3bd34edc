"""A planted patient is nowhere to be seen: not in what is shown, saved, warned of, logged, or raised."""

from __future__ import annotations

from pathlib import Path

import pydicom
import pytest
from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

import dicomlab as dl
from dicomlab import teach
from dicomlab.privacy.table import ACTIONS
from dicomlab.read.wanted import LISTED
from tests.privacy_displays import DISPLAYS, SILENT, TEACH, TEACH_SILENT, PlantedStudy
from tests.privacy_support import _LINKS, _TREES, KEYWORDS, said_by
from tests.test_notebooks import ROOT, export


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> PlantedStudy:
    return PlantedStudy(tmp_path_factory.mktemp("planted"))


@pytest.mark.parametrize("name", [*DISPLAYS, *TEACH])
def test_a_display_does_not_show_the_patient(planted: PlantedStudy, name: str) -> None:
    show = {**DISPLAYS, **TEACH}[name]
    said = said_by(lambda: show(planted))
    assert len(said) > 3, "it shows nothing, so nothing was tested"
    assert planted.patient.found_in(said) == {}


@pytest.mark.parametrize(
    ("shown", "silent", "public"),
    [(DISPLAYS, SILENT, dl.__all__), (TEACH, TEACH_SILENT, teach.__all__)],
    ids=["dicomlab", "dicomlab.teach"],
)
def test_every_public_name_is_looked_through_or_has_nothing_to_show(
    shown: dict[str, object], silent: dict[str, str], public: list[str]
) -> None:
    looked_through = {name.split(":")[0] for name in shown}
    missing = set(public) - looked_through - set(silent)
    assert not missing, f"tests/privacy_displays.py needs a line for {', '.join(sorted(missing))}"
    assert not set(silent) & looked_through
    assert set(silent) <= set(public)


def test_the_patient_is_planted_in_every_attribute_that_can_hold_a_word_or_a_date(
    planted: PlantedStudy,
) -> None:
    header = pydicom.dcmread(planted.file)
    held = {element.keyword for element in header}
    assert len(KEYWORDS) > 500
    bare = {keyword for keyword in KEYWORDS if keyword not in held}
    # What is not planted can hold no token: numbers and UIDs.
    assert {dictionary_VR(keyword) for keyword in bare} <= {
        "DS",
        "IS",
        "US",
        "FL",
        "FD",
        "UI",
    }
    assert set(KEYWORDS) & set(ACTIONS) - held == bare & set(ACTIONS)


def test_the_search_finds_the_patient_where_he_is_shown(planted: PlantedStudy) -> None:
    with dl.show_identity():
        shown = planted.patient.found_in(said_by(lambda: dl.header_table(planted.file)))
        listed = planted.patient.found_in(said_by(lambda: dl.find_series(planted.folder, progress=False)))
        raised = planted.patient.found_in(said_by(lambda: dl.find_series(planted.disc, progress=False)))
    # All but numbers and UIDs, sequences whose items say it under their own names, and what stands behind the pixels.
    hidden = {k for k in KEYWORDS if dictionary_VR(k) not in ("DS", "IS", "US", "UI", "AS")} - set(
        shown.values()
    )
    assert {
        k for k in hidden if (tag_for_keyword(k) or 0) < 0x7FE00000 and dictionary_VR(k) not in ("OB", "UN")
    } <= {*_TREES, *_LINKS}
    assert {"PatientName", "PatientID", "PatientBirthDate", "InstitutionName"} <= set(listed.values())
    assert "PatientName" in raised.values()


def test_what_is_planted_in_pictures_and_pages_is_found(planted: PlantedStudy) -> None:
    volume = planted.ct.assign_attrs(SeriesDescription=planted.patient.known("PatientID", "LO"))
    for display in (dl.show, dl.montage, dl.browse, lambda v: dl.browse(v).to_html()):
        assert "PatientID" in planted.patient.found_in(said_by(lambda d=display: d(volume))).values()


def test_a_list_kept_on_disk_holds_descriptions_and_times_but_no_name(
    planted: PlantedStudy, tmp_path: Path
) -> None:
    kept = tmp_path / "listing.sqlite"
    dl.find_series(planted.folder, cache=kept, progress=False)
    held = planted.patient.found_in(kept.read_bytes().decode("latin-1"))
    found = {planted.patient.texts[token] for token in held if token in planted.patient.texts}
    # It says itself that it is as confidential as the images. What a listing reads is in it, and of the rest only what somebody
    # typed into the description.
    typed = {"PatientName", "PatientID", "InstitutionName"}
    assert {k for k in found - typed if not k.startswith("private")} <= {
        keyword_for_tag(tag) for tag in LISTED
    }


def test_the_saved_tour_of_a_planted_study_does_not_show_the_patient(
    planted: PlantedStudy, tmp_path: Path
) -> None:
    page = tmp_path / "tour.html"
    result = export(planted.folder, ROOT / "notebooks" / "tour.ipynb", page)
    assert result.returncode == 0, result.stderr
    assert "T1 •••" in page.read_text(encoding="utf-8")
    assert planted.patient.found_in(said_by(lambda: [page, result.stdout, result.stderr])) == {}
