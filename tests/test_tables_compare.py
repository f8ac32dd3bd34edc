"""Two headers side by side: what is added, removed, changed, only written otherwise; masked, but told."""

from copy import deepcopy
from html.parser import HTMLParser
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from support import datasets, write

import dicomlab
from dicomlab import compare_headers
from dicomlab.privacy import MASK


def kinds(before: object, after: object) -> dict[str, str]:
    """What is done to each element, by path."""
    table = compare_headers(before, after).to_dataframe()  # type: ignore[arg-type]
    return dict(zip(table.path, table.change, strict=True))


def coded(*meanings: str) -> list[Dataset]:
    """Items of a sequence."""
    found = []
    for meaning in meanings:
        item = Dataset()
        item.CodeValue, item.CodeMeaning = "1", meaning
        found.append(item)
    return found


def test_the_same_header_differs_in_nothing(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets())
    file = sorted(folder.iterdir())[0]
    same = compare_headers(file, pydicom.dcmread(file))  # the pixels of a Dataset are no part of its header
    assert not same
    assert len(same) == 0
    assert same.unchanged == len(dicomlab.header_table(file))
    assert "no difference" in repr(same)
    assert "no difference" in same._repr_html_()


def test_added_removed_and_changed_are_told_by_path() -> None:
    before = datasets()[0]
    after = deepcopy(before)
    before.AnatomicRegionSequence = coded("head", "neck")
    after.AnatomicRegionSequence = coded("head", "chest", "foot")
    del after.Manufacturer
    after.StationName = "here"
    after.Rows = 7
    assert kinds(before, after) == {
        "Manufacturer": "removed",
        "StationName": "added",
        "AnatomicRegionSequence": "changed",
        "AnatomicRegionSequence[1].CodeMeaning": "changed",
        "AnatomicRegionSequence[2].CodeValue": "added",
        "AnatomicRegionSequence[2].CodeMeaning": "added",
        "Rows": "changed",
    }
    found = compare_headers(before, after)
    assert found
    assert (len(found.added), len(found.removed), len(found.changed)) == (3, 1, 3)
    assert found.summary.startswith("3 added, 1 removed, 3 changed")


def test_turned_round_what_was_added_is_removed() -> None:
    before, after = datasets()[0], datasets()[1]
    del before.KVP
    after.Laterality = ""
    there, back = kinds(before, after), kinds(after, before)
    swap = {"added": "removed", "removed": "added"}
    assert {path: swap.get(kind, kind) for path, kind in there.items()} == back


def test_equal_numbers_in_other_letters_are_no_other_numbers() -> None:
    before, after = Dataset(), Dataset()
    before.SliceThickness, after.SliceThickness = "1.0", "1.00"
    before.PixelSpacing, after.PixelSpacing = ["0.5", "5e-1"], ["0.50", "0.5"]
    before.EchoTime, after.EchoTime = "1.0", "1.01"
    assert kinds(before, after) == {
        "SliceThickness": "respelled",
        "PixelSpacing": "respelled",
        "EchoTime": "changed",
    }


def test_another_vr_of_the_same_value_is_told(tmp_path: Path) -> None:
    ds = datasets()[0]
    folder = write(tmp_path, [ds])
    file = next(iter(folder.iterdir()))
    explicit = pydicom.dcmread(file)
    explicit.private_block(0x0029, "ACME", create=True).add_new(1, "LO", "abcd")
    pydicom.dcmwrite(tmp_path / "explicit", explicit, enforce_file_format=True)
    explicit.file_meta.TransferSyntaxUID = pydicom.uid.ImplicitVRLittleEndian
    pydicom.dcmwrite(
        tmp_path / "implicit", explicit, implicit_vr=True, little_endian=True, enforce_file_format=True
    )
    with dicomlab.show_identity():
        found = compare_headers(tmp_path / "explicit", tmp_path / "implicit").to_dataframe()
    row = found[found.path == "(0029,1001)"].iloc[0]
    assert "VR LO → UN" in row.note
    rest = {*found.path} - {"(0029,1001)", "TransferSyntaxUID", "FileMetaInformationGroupLength"}
    assert rest == set()


def test_the_order_of_elements_does_not_matter() -> None:
    before, after = Dataset(), Dataset()
    before.Rows, before.Columns, before.Modality = 3, 4, "CT"
    after.Modality, after.Columns, after.Rows = "CT", 4, 3
    assert not compare_headers(before, after)


def test_identity_is_masked_but_that_it_differs_is_told() -> None:
    before = datasets()[0]
    after = deepcopy(before)
    before.PatientName, after.PatientName = "Secret^Name", "Anonymous"
    before.PatientID, after.PatientID = "4711", ""
    found = compare_headers(before, after)
    shown = repr(found) + found._repr_html_() + found.to_dataframe().to_string()
    assert "Secret" not in shown
    assert "Anonymous" not in shown
    assert "4711" not in shown
    assert {"PatientName", "PatientID"} <= {*found.changed}
    assert f"{MASK} changed" in repr(found)
    assert f"{MASK} changed" in found._repr_html_()
    with dicomlab.show_identity():
        assert "Secret^Name → Anonymous" in repr(found)


def test_a_name_that_one_side_tells_is_masked_where_it_is_left_over_in_the_other() -> None:
    before = datasets()[0]
    before.PatientName, before.PatientID = "Featherstone^Ada", "F4711"
    after = deepcopy(before)
    after.PatientName, after.PatientID = "ANON", "1"
    before.FilterType = "WEDGE"
    after.FilterType = "FEATHERSTONE"  # no attribute of Table E.1-1
    after.SeriesDescription = "chest of Ada, calibrated"
    found = compare_headers(before, after)
    for told in (repr(found), found._repr_html_(), found.to_dataframe().to_csv()):
        assert "featherstone" not in told.casefold()
        assert "of Ada" not in told
        assert "calibrated" in told, "no word of the trade, but it names nobody here"
    with dicomlab.show_identity():
        assert "FEATHERSTONE" in repr(found)


def test_series_are_compared_by_what_their_files_have_in_common(tmp_path: Path) -> None:
    one = write(tmp_path / "one", datasets())
    other = datasets()
    for ds in other:
        ds.KVP = 80
        ds.SOPInstanceUID = ds.SOPInstanceUID[:-2] + ".9"
    found = compare_headers(one, write(tmp_path / "other", other))
    assert {"KVP", "SOPInstanceUID"} <= {*found.changed}
    assert "ImagePositionPatient" not in found.changed  # varies on both sides, over the same values
    assert "differs, 6 values" in repr(found)


class _Tags(HTMLParser):
    """Tags of a page, and the text inside some."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.marked: dict[str, list[str]] = {"del": [], "ins": []}
        self._open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.append(tag)
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._open:
            self._open.pop()

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in self.marked:
            self.marked[self._open[-1]].append(data)


def test_the_page_marks_what_is_new_inside_a_value_and_says_it_by_signs() -> None:
    before, after = Dataset(), Dataset()
    before.SeriesDescription, after.SeriesDescription = "thorax venous", "thorax arterial"
    before.Rows, after.Columns = 3, 4
    page = compare_headers(before, after)._repr_html_()
    parser = _Tags()
    parser.feed(page)
    assert "thorax " not in parser.marked["del"]
    assert parser.marked["del"]
    assert parser.marked["ins"]
    for sign in ("±", "+", "−"):
        assert (
            f'<span class="dl-sign" aria-label="{ {"±": "changed", "+": "added", "−": "removed"}[sign] }">{sign}'
            in page
        )


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "</div><script>alert(1)</script>"])
def test_markup_in_both_is_shown_and_never_alive(text: str) -> None:
    before, after = Dataset(), Dataset()
    before.SeriesDescription, after.SeriesDescription = text, text + "2"
    before.Manufacturer, after.ManufacturerModelName = text, text
    with dicomlab.show_identity():
        page = compare_headers(before, after)._repr_html_()
    parser = _Tags()
    parser.feed(page)
    assert not {"img", "script"} & {*parser.found}


def test_sequences_without_end_are_not_followed_for_ever() -> None:
    before = after = Dataset()
    for _ in range(200):
        outer = Dataset()
        outer.ReferencedSeriesSequence = [before]
        before = outer
    found = compare_headers(before, after)
    assert 0 < len(found) < 200
