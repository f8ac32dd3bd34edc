"""Facts of `dicomlab.dictionary` equal pydicom's dictionaries, modules and types the tables of the standard.

The module tables come from the same tables of PS3.3 as highdicom's, in another form: the comparison finds what went wrong on
the way. `KNOWN` was read in the standard by hand.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from importlib.resources import files

import pytest
from pydicom import datadict
from pydicom.uid import UID, UID_dictionary
from pydicom.valuerep import VR

from dicomlab.dictionary import explain, roles
from dicomlab.dictionary.modules import MAIN, iod_of, sop_class_uid
from dicomlab.dictionary.vr import CHOICES, VRS, vm_allows, vm_means
from dicomlab.errors import DicomLabError

ATTRIBUTES = datadict.DicomDictionary
REPEATERS = datadict.RepeatersDictionary


def test_every_entry_of_the_dictionary_is_explained_with_its_name_vr_and_vm() -> None:
    assert len(ATTRIBUTES) > 5000
    for tag, (vr, vm, name, retired, keyword) in ATTRIBUTES.items():
        found = explain(tag)
        facts = (found.name, found.keyword, found.vr, found.vm, found.retired)
        assert facts == (name or "(no name)", keyword, vr, vm, bool(retired)), hex(tag)
        assert found.tag == f"({tag >> 16:04X},{tag & 0xFFFF:04X})"
        assert found.vr_means
        assert found.vm_means, vm


def test_every_repeating_entry_is_explained_by_its_pattern_and_by_a_tag_of_it() -> None:
    for mask, (vr, vm, name, retired, keyword) in REPEATERS.items():
        group, element = mask[:4], mask[4:]
        for asked in (f"({group},{element})", int(mask.replace("x", "2"), 16)):
            if isinstance(asked, int) and (asked in ATTRIBUTES or asked >> 16 & 1):
                continue  # (002804x2) with x as 2 and the like have entries of their own
            found = explain(asked)
            facts = (found.name, found.keyword, found.vr, found.vm, found.retired)
            assert facts == (name, keyword, vr, vm, bool(retired)), (mask, asked)
            assert found.tag.lower() == f"({group},{element})".lower()


def test_every_keyword_and_every_name_finds_its_entry() -> None:
    names = Counter(entry[2] for entry in (*ATTRIBUTES.values(), *REPEATERS.values()))
    for table in (ATTRIBUTES, REPEATERS):
        for vr, _, name, retired, keyword in table.values():
            if keyword:
                assert explain(keyword).keyword == keyword
            if name and names[name] == 1 and name not in VRS:
                assert explain(name.upper()).name == name, (name, vr, retired)


def test_every_uid_of_the_dictionary_is_found_by_value_and_keyword() -> None:
    for uid, (name, _, _, retired, keyword) in UID_dictionary.items():
        found = explain(uid)
        assert (found.name, found.uid, found.keyword, found.retired) == (name, uid, keyword, bool(retired))
        if keyword and datadict.tag_for_keyword(keyword) is None:
            assert explain(keyword).name == name


def test_the_vrs_are_the_34_of_the_standard() -> None:
    known = {vr.value for vr in VR} - {"OB or OW", "US or OW", "US or SS", "US or SS or OW"}
    assert set(VRS) == known
    assert len(VRS) == 34
    assert all(explain(vr).name == VRS[vr].name for vr in VRS)
    choices = {entry[0] for entry in ATTRIBUTES.values() if " or " in entry[0]}
    assert choices == set(CHOICES)


def test_lengths_of_vrs_are_those_that_pydicom_writes() -> None:
    from pydicom.valuerep import EXPLICIT_VR_LENGTH_32, MAX_VALUE_LEN

    assert {vr for vr in VRS if VRS[vr].long_length} == {str(vr.value) for vr in EXPLICIT_VR_LENGTH_32}
    for vr, longest in MAX_VALUE_LEN.items():
        assert str(longest) in VRS[vr].limit, vr


@pytest.mark.parametrize(
    ("vm", "allowed", "refused"),
    [
        ("1", [1], [0, 2]),
        ("3", [3], [1, 2, 4, 6]),
        ("1-3", [1, 2, 3], [0, 4]),
        ("1-n", [1, 2, 99], [0]),
        ("2-n", [2, 3], [1]),
        ("2-2n", [2, 4, 6], [1, 3]),
        ("3-3n", [3, 6], [1, 4]),
        ("6-n", [6, 7], [5]),
    ],
)
def test_multiplicity_allows_what_it_says(vm: str, allowed: list[int], refused: list[int]) -> None:
    assert all(vm_allows(vm, number) for number in allowed)
    assert not any(vm_allows(vm, number) for number in refused)
    assert vm_means(vm)


# Read in PS3.3 by hand, annex C: what is asked of most.
KNOWN = [
    ("PixelSpacing", "CT", "Image Plane", "1"),
    ("PixelSpacing", "MR", "Image Plane", "1"),
    ("PixelSpacing", "PET", "Image Plane", "1"),
    ("ImagePositionPatient", "CT", "Image Plane", "1"),
    ("ImageOrientationPatient", "MR", "Image Plane", "1"),
    ("SliceThickness", "CT", "Image Plane", "2"),
    ("SpacingBetweenSlices", "MR", "Image Plane", "3"),
    ("RescaleIntercept", "CT", "CT Image", "1"),
    ("RescaleSlope", "PET", "PET Image", "1"),
    ("RescaleType", "CT", "CT Image", "1C"),
    ("KVP", "CT", "CT Image", "2"),
    ("ImageType", "CT", "CT Image", "1"),
    ("ImageType", "US", "US Image", "2"),
    ("ScanningSequence", "MR", "MR Image", "1"),
    ("EchoTime", "MR", "MR Image", "2"),
    ("RepetitionTime", "MR", "MR Image", "2C"),
    ("Units", "PET", "PET Series", "1"),
    ("DecayCorrection", "PET", "PET Series", "1"),
    ("RadiopharmaceuticalInformationSequence", "PET", "PET Isotope", "2"),
    ("PatientName", "CT", "Patient", "2"),
    ("PatientWeight", "PET", "Patient Study", "3"),
    ("StudyInstanceUID", "MR", "General Study", "1"),
    ("SeriesInstanceUID", "SEG", "General Series", "1"),
    ("Modality", "CT", "General Series", "1"),
    ("InstanceNumber", "CT", "General Image", "2"),
    ("FrameOfReferenceUID", "CT", "Frame of Reference", "1"),
    ("PositionReferenceIndicator", "CT", "Frame of Reference", "2"),
    ("Rows", "CT", "Image Pixel", "1"),
    ("PixelData", "CT", "Image Pixel", "1C"),
    ("SOPInstanceUID", "RTDOSE", "SOP Common", "1"),
    ("SpecificCharacterSet", "CT", "SOP Common", "1C"),
    ("SegmentationType", "SEG", "Segmentation Image", "1"),
    ("SegmentSequence", "SEG", "Segmentation Image", "1"),
    ("NumberOfFrames", "ENHANCEDMR", "Multi-frame Functional Groups", "1"),
    ("SharedFunctionalGroupsSequence", "ENHANCEDCT", "Multi-frame Functional Groups", "1"),
    ("DoseGridScaling", "RTDOSE", "RT Dose", "1C"),
    ("DoseUnits", "RTDOSE", "RT Dose", "1"),
    ("StructureSetLabel", "RTSTRUCT", "Structure Set", "1"),
    ("ReferencedFrameOfReferenceSequence", "RTSTRUCT", "Structure Set", "3"),
    ("DimensionIndexSequence", "SEG", "Multi-frame Dimension", "1C"),
    ("RTPlanLabel", "RTPLAN", "RT General Plan", "1"),
    ("ConversionType", "SC", "SC Equipment", "1"),
    ("Manufacturer", "CT", "General Equipment", "2"),
    ("Manufacturer", "SEG", "Enhanced General Equipment", "1"),
    ("TransferSyntaxUID", "CT", "File Meta Information", "1"),
]


@pytest.mark.parametrize(("keyword", "sop_class", "module", "type_"), KNOWN)
def test_what_the_standard_prints_is_what_roles_says(
    keyword: str, sop_class: str, module: str, type_: str
) -> None:
    first = roles(keyword, sop_class, path=())[0]
    assert (first.module, first.type) == (module, type_)


IODS = {
    "CT": "ct-image",
    "MR": "mr-image",
    "PET": "positron-emission-tomography-image",
    "SEG": "segmentation",
    "ENHANCEDCT": "enhanced-ct-image",
    "ENHANCEDMR": "enhanced-mr-image",
}


@pytest.fixture(scope="module")
def highdicom_tables() -> tuple[dict[str, list[dict[str, str]]], dict[str, list[dict[str, object]]]]:
    folder = files("highdicom") / "_standard"
    modules = json.loads((folder / "iod_module_map.json").read_text())
    attributes = json.loads((folder / "module_attribute_map.json").read_text())
    wanted = {module["key"] for name in IODS.values() for module in modules[name]}
    return modules, {key: attributes[key] for key in wanted}


def places_in_highdicom(tables, iod: str) -> dict[str, set[tuple[str, str, tuple[str, ...]]]]:
    """Keyword -> (usage, type, path) in all modules; usage of a functional group macro left open."""
    modules, attributes = tables
    found: dict[str, set[tuple[str, str, tuple[str, ...]]]] = {}
    for module in modules[iod]:
        for line in attributes[module["key"]]:
            path = tuple(line["path"])
            usage = module["usage"]
            if path and path[0] in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
                path, usage = ("PerFrameFunctionalGroupsSequence", *path[1:]), "*"
            found.setdefault(line["keyword"], set()).add((usage, line["type"], path))
    return found


def places_here(keyword: str, sop_class: str) -> set[tuple[str, str, tuple[str, ...]]]:
    found = roles(keyword, sop_class)
    return {("*" if role.functional_group else role.usage, role.type, role.path) for role in found}


def test_a_hundred_attributes_have_the_modules_and_types_of_highdicoms_tables(highdicom_tables) -> None:
    choose = random.Random(8)
    agreements = 0
    for _ in range(100):
        sop_class = choose.choice(list(IODS))
        theirs = places_in_highdicom(highdicom_tables, IODS[sop_class])
        keyword = choose.choice(sorted(theirs))
        assert places_here(keyword, sop_class) == theirs[keyword], (keyword, sop_class)
        agreements += 1
    assert agreements == 100


@pytest.mark.parametrize("sop_class", IODS)
def test_all_attributes_of_an_object_are_those_of_highdicoms_tables(highdicom_tables, sop_class: str) -> None:
    theirs = places_in_highdicom(highdicom_tables, IODS[sop_class])
    assert len(theirs) > 400
    wrong = {keyword for keyword in theirs if places_here(keyword, sop_class) != theirs[keyword]}
    assert not wrong
    elsewhere = {entry[4] for entry in ATTRIBUTES.values() if entry[4]} - set(theirs)
    meta = {keyword for keyword in elsewhere if datadict.tag_for_keyword(keyword) >> 16 == 2}
    assert not [keyword for keyword in elsewhere - meta if roles(keyword, sop_class)]


def test_an_attribute_at_a_place_has_the_role_of_that_place() -> None:
    nested = roles(
        "PixelSpacing", "ENHANCEDCT", path=("SharedFunctionalGroupsSequence", "PixelMeasuresSequence")
    )
    assert [str(role) for role in nested] == [
        "Pixel Measures, type 1C, in the functional groups › PixelMeasuresSequence"
    ]
    assert roles("PixelSpacing", "ENHANCEDCT", path=()) == ()
    assert (
        roles(0x00280030, "CT")
        == roles("(0028,0030)", "1.2.840.10008.5.1.4.1.1.2")
        == roles("PixelSpacing", "CT")
    )
    assert roles(0x60023000, "CT")[0].module == "Overlay Plane"


def test_an_object_without_tables_here_has_no_roles() -> None:
    assert roles("PixelSpacing", "1.2.3.4") == ()
    assert iod_of("1.2.3.4") is None


def test_a_sop_class_of_a_file_may_be_anything() -> None:
    for said in (UID("<b>no UID</b>", validation_mode=0), "<b>no UID</b>", "", "CTImageStorag", "1..2"):
        assert roles("PixelSpacing", said) == ()


def test_a_sop_class_that_nobody_knows_is_an_error_with_similar_names() -> None:
    with pytest.raises(DicomLabError, match="CTImageStorage"):
        explain("PixelSpacing", sop_class="CTImageStorag")


def test_the_common_objects_all_have_tables() -> None:
    assert all(iod_of(name) is not None for name in MAIN)
    assert len({sop_class_uid(name) for name in MAIN}) == len(MAIN)
