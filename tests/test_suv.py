"""SUV: right by construction, by an oracle written from QIBA's pseudo-code, and refused with the attribute's name."""

from __future__ import annotations

import copy
import json
import math
import warnings
from datetime import datetime, timedelta

import numpy as np
import pytest
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset

import dicomlab as dl
from dicomlab.errors import SuvError
from dicomlab.read.elements import Attributes
from dicomlab.read.planes import planes_of
from dicomlab.read.suv import suv_attrs, suv_factors
from dicomlab.windowing import named_windows, resolve_window, shown_inverted
from tests.support import SHARED, datasets, shared_data, truth, write

DOSE, HALF_LIFE, WEIGHT = 350e6, 6586.2, 75.0
START = datetime(2024, 2, 29, 10, 5)
INJECTED = datetime(2024, 2, 29, 9, 0)


def pet() -> list[Dataset]:
    found = datasets("PT")
    for one in found:
        del one.PixelData
    return found


def tracer(one: Dataset) -> Dataset:
    return one.RadiopharmaceuticalInformationSequence[0]


def factors(found: list[Dataset]):
    return suv_factors([Attributes.of(one) for one in found])


def factor(found: list[Dataset], kind: str = "bw") -> float:
    got = factors(found)
    assert kind in got.factors, got.missing
    assert np.ptp(got.factors[kind]) == 0
    return float(got.factors[kind][0])


def assumed(found: list[Dataset], kind: str = "bw") -> str:
    return " | ".join(factors(found).assumed.get(kind, ()))


def refused(found: list[Dataset], kind: str = "bw") -> str:
    got = factors(found)
    assert kind not in got.factors
    return got.missing[kind]


def each(**changes: object) -> list[Dataset]:
    found = pet()
    for one in found:
        for keyword, value in changes.items():
            if value is None:
                delattr(one, keyword)
            else:
                setattr(one, keyword, value)
    return found


def traced(**changes: object) -> list[Dataset]:
    found = pet()
    for one in found:
        for keyword, value in changes.items():
            if value is None:
                delattr(tracer(one), keyword)
            else:
                setattr(tracer(one), keyword, value)
    return found


def qiba(found: list[Dataset]) -> float:
    """SUVbw factor after QIBA's vendor-neutral pseudo-code (2018-06-26), START and BQML branch, from raw strings."""

    def at(date: str, time: str) -> float:
        whole, _, part = time.partition(".")
        base = datetime.strptime(date + whole, "%Y%m%d%H%M%S")
        return (base - datetime(1900, 1, 1)).total_seconds() + float(f"0.{part or 0}")

    one, drug = found[0], found[0].RadiopharmaceuticalInformationSequence[0]
    assert {"ATTN", "DECY"} <= set(one.CorrectedImage)
    assert (one.DecayCorrection, one.Units) == ("START", "BQML")
    series = at(one.SeriesDate, one.SeriesTime)
    earliest = min(at(other.AcquisitionDate, other.AcquisitionTime) for other in found)
    scan = series if series <= earliest else earliest
    wait = scan - at(one.SeriesDate, drug.RadiopharmaceuticalStartTime)
    half_life = float(drug.RadionuclideHalfLife)
    return float(one.PatientWeight) * 1000 / (float(drug.RadionuclideTotalDose) * pow(2, -wait / half_life))


BODY = {  # 75 kg, 175 cm, a man; written out from the formulas' publications
    "bw": 75e3,
    "lbm": 1e3 * (1.10 * 75 - 120 * (75 / 175) ** 2),
    "lbmjames128": 1e3 * (1.10 * 75 - 128 * (75 / 175) ** 2),
    "lbmjanma": 1e3 * 9270 * 75 / (6680 + 216 * 75 / 1.75**2),
    "bsa": 1e4 * 0.007184 * 75**0.425 * 175**0.725,
    "ibw": 1e3 * (48.0 + 1.06 * (175 - 152)),
}
BODY_OF_A_WOMAN = {
    "lbm": 1e3 * (1.07 * 75 - 148 * (75 / 175) ** 2),
    "lbmjames128": 1e3 * (1.07 * 75 - 148 * (75 / 175) ** 2),
    "lbmjanma": 1e3 * 9270 * 75 / (8780 + 244 * 75 / 1.75**2),
    "ibw": 1e3 * (45.5 + 0.91 * (175 - 152)),
}
LEFT = DOSE * 2 ** (-3900 / HALF_LIFE)


def test_the_phantom_has_the_factor_it_was_made_with() -> None:
    assert factor(pet()) == pytest.approx(truth("PT").suvbw_per_bqml, rel=1e-12)
    assert qiba(pet()) == pytest.approx(truth("PT").suvbw_per_bqml, rel=1e-12)
    assert factors(pet()).assumed == {}


@pytest.mark.parametrize("kind", BODY)
def test_each_kind_of_suv_divides_by_its_measure_of_the_body(kind: str) -> None:
    assert factor(pet(), kind) == pytest.approx(BODY[kind] / LEFT, rel=1e-9)


@pytest.mark.parametrize("kind", BODY_OF_A_WOMAN)
def test_a_woman_has_formulas_of_her_own(kind: str) -> None:
    assert factor(each(PatientSex="F"), kind) == pytest.approx(BODY_OF_A_WOMAN[kind] / LEFT, rel=1e-9)


@pytest.mark.parametrize("kind", BODY_OF_A_WOMAN)
def test_another_sex_takes_the_mean_of_both_formulas_and_says_so(kind: str) -> None:
    mean = (BODY[kind] + BODY_OF_A_WOMAN[kind]) / 2
    assert factor(each(PatientSex="O"), kind) == pytest.approx(mean / LEFT, rel=1e-9)
    assert "(0010,0040)" in assumed(each(PatientSex="O"), kind)
    assert assumed(each(PatientSex="O"), "bw") == ""


def test_admin_means_that_the_dose_has_not_decayed() -> None:
    assert factor(each(DecayCorrection="ADMIN")) == pytest.approx(WEIGHT * 1000 / DOSE, rel=1e-12)


def test_without_decay_correction_each_bed_has_its_own_factor(tmp_path) -> None:
    found = datasets("PT")
    for one in found:
        one.DecayCorrection = "NONE"
        one.CorrectedImage = ["NORM", "DTIM", "ATTN"]
        one.DecayFactor = "1"
    volume = dl.load_volume(write(tmp_path, found), progress=False)
    # The mean of exp over a frame of 150 s, by brute force, is the activity that the frame saw.
    for k, one in enumerate(found):
        begin = (datetime.strptime(one.AcquisitionTime, "%H%M%S") - datetime(1900, 1, 1, 9)).total_seconds()
        moments = begin + (np.arange(100_000) + 0.5) / 100_000 * 150
        left = DOSE * np.mean(2 ** (-moments / HALF_LIFE))
        np.testing.assert_allclose(
            volume.dicom.suv().values[k], volume.values[k] * WEIGHT * 1000 / left, rtol=1e-6
        )
    # It follows the slices wherever they go, and refuses slices that were never acquired.
    whole = volume.dicom.suv()
    xr.testing.assert_allclose(volume[4:0:-2].dicom.suv(), whole[4:0:-2])
    xr.testing.assert_allclose(volume.isel(slice=3).dicom.suv(), whole.isel(slice=3))
    again = xr.load_dataarray(volume.to_netcdf()).dicom.suv()
    np.testing.assert_array_equal(again.values, whole.values)
    with pytest.raises(SuvError, match="slice"):
        volume.interp(slice=volume.slice.values[:-1] + volume.dicom.spacing[0] / 2).dicom.suv()
    assert "WindowCenter" not in whole.attrs


def test_two_images_at_one_place_that_decayed_differently_have_no_common_factor(tmp_path) -> None:
    found = datasets("PT")
    for one in found:
        one.DecayCorrection, one.CorrectedImage, one.DecayFactor = "NONE", ["ATTN"], "1"
    twin = copy.deepcopy(found[0])
    twin.AcquisitionTime = "112000"
    series = dl.find_series(write(tmp_path, found), progress=False)
    (place,) = planes_of(series[0].instances[0])

    class Image(Attributes):
        position, cosines = place.position, place.cosines

        def __init__(self, dataset: Dataset) -> None:
            self.levels = (dataset,)

    attrs = suv_attrs([Image(found[0]), Image(twin)])
    assert "suv_bw_factor" not in attrs
    assert "several at one position" in attrs["suv_missing"]


def test_series_time_after_the_acquisition_gives_way_to_the_first_acquisition() -> None:
    late = each(SeriesTime="143000")
    assert factor(late) == pytest.approx(factor(pet()), rel=1e-6)  # back from Frame Reference Time: to the ms
    for one in late:
        del one.FrameReferenceTime
        del one.DecayFactor
    assert factor(late) == pytest.approx(qiba(late), rel=1e-12)
    assert "Series Time is after the first acquisition" in assumed(late)


def test_the_last_bed_alone_still_leads_back_to_the_start_of_the_scan() -> None:
    late = each(SeriesTime="143000")
    last = max(late, key=lambda one: one.AcquisitionTime)
    assert factor([last]) == pytest.approx(factor(pet()), rel=1e-6)


def with_private(
    found: list[Dataset], group: int, creator: str, element: int, vr: str, value: object, block=0x10
):
    for one in found:
        one.add_new((group, block), "LO", creator)
        one.add_new((group, block << 8 | element), vr, value)
    return found


@pytest.mark.parametrize("block", [0x10, 0x1F])
def test_ge_says_when_the_scan_began_where_series_time_does_not(block: int) -> None:
    late = each(SeriesTime="143000", FrameReferenceTime=None, DecayFactor=None)
    with_private(late, 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240229100000.00", block)
    assert factor(late) == pytest.approx(WEIGHT * 1000 / (DOSE * 2 ** (-3600 / HALF_LIFE)), rel=1e-12)
    assert "(0009,xx0D)" in assumed(late)


def test_the_private_elements_survive_the_reading_of_a_file(tmp_path) -> None:
    late = datasets("PT")
    for one in late:
        one.SeriesTime = "143000"
        del one.FrameReferenceTime
        del one.DecayFactor
    with_private(late, 0x0009, "GEMS_PETD_01", 0x0D, "DT", "20240229100000.00", 0x12)
    volume = dl.load_volume(write(tmp_path, late), progress=False)
    expected = WEIGHT * 1000 / (DOSE * 2 ** (-3600 / HALF_LIFE))
    assert volume.attrs["suv_bw_factor"] == pytest.approx(expected, rel=1e-12)


def test_siemens_says_to_which_moment_it_corrected() -> None:
    found = each(FrameReferenceTime=None, DecayFactor=None)
    with_private(found, 0x0071, "SIEMENS MED PT", 0x22, "DT", "20240229095500.000000+0100")
    assert factor(found) == pytest.approx(WEIGHT * 1000 / (DOSE * 2 ** (-3300 / HALF_LIFE)), rel=1e-12)
    with_private(found, 0x0071, "SIEMENS MED PT", 0x22, "DT", "20240229120000")
    assert "after the first acquisition" in refused(found)


def test_philips_writes_counts_and_a_private_factor_to_suv() -> None:
    found = each(Units="CNTS", PatientWeight=None)
    assert "7053,xx00" in refused(found)
    with_private(found, 0x7053, "Philips PET Private Group", 0x00, "DS", "0.000027")
    assert factor(found) == pytest.approx(2.7e-5)
    assert "Patient's Weight" in refused(found, "lbm")


def test_philips_writes_counts_and_a_private_factor_to_becquerels() -> None:
    found = each(Units="CNTS")
    with_private(found, 0x7053, "Philips PET Private Group", 0x00, "DS", "0")
    with_private(found, 0x7053, "Philips PET Private Group", 0x09, "UN", b"0.5 ")
    assert factor(found) == pytest.approx(0.5 * factor(pet()), rel=1e-12)
    other = each(Units="CNTS")
    with_private(other, 0x7053, "Somebody else", 0x09, "DS", "0.5")
    assert "CNTS" in refused(other)


def test_values_in_g_per_ml_are_suv_already() -> None:
    bare = each(Units="GML", RadiopharmaceuticalInformationSequence=None, PatientWeight=None, SeriesTime=None)
    assert factor(bare) == 1.0
    lean = each(Units="GML", SUVType="LBMJAMES128")
    assert factor(lean, "lbmjames128") == 1.0
    assert factor(lean, "bw") == pytest.approx(BODY["bw"] / BODY["lbmjames128"], rel=1e-9)
    surface = each(Units="CM2ML")
    assert factor(surface, "bsa") == 1.0
    assert factor(surface, "bw") == pytest.approx(BODY["bw"] / BODY["bsa"], rel=1e-9)
    assert "SUV Type" in refused(each(Units="GML", SUVType="BSA"))
    assert "SUV Type" in refused(each(Units="GML", SUVType="LBMX"))


def test_the_unit_of_a_real_world_value_map_says_which_suv_it_is() -> None:
    images = [Attributes.of(one) for one in each(Units=None)]
    got = suv_factors(images, "g/ml{SUVlbm(James128)}")
    assert got.factors["lbmjames128"][0] == 1.0
    assert suv_factors(images, "{SUVbw}g/ml").factors["bw"][0] == 1.0
    assert "bw" in suv_factors(images, "g/ml{SUVxyz}").missing


def test_a_dose_in_mbq_is_read_as_such_and_told() -> None:
    assert factor(traced(RadionuclideTotalDose="350")) == pytest.approx(factor(pet()), rel=1e-12)
    assert "MBq" in assumed(traced(RadionuclideTotalDose="350"))
    for neither in ("0.35", "350000", "1e13", "0", "-5"):
        assert "(0018,1074) Radionuclide Total Dose" in refused(traced(RadionuclideTotalDose=neither))


def test_a_half_life_is_taken_from_the_nuclide_only_when_missing_and_never_against_it() -> None:
    assert factor(traced(RadionuclideHalfLife=None)) == pytest.approx(factor(pet()), rel=1e-4)
    assert "F-18" in assumed(traced(RadionuclideHalfLife=None))
    assert "(0018,1075)" in refused(traced(RadionuclideHalfLife="109.77"))  # minutes
    neither = traced(RadionuclideHalfLife=None, RadionuclideCodeSequence=None)
    assert "(0018,1075) Radionuclide Half Life" in refused(neither)
    gallium = traced(RadionuclideHalfLife="4062.6", RadionuclideCodeSequence=None)
    for one in gallium:
        del one.DecayFactor
    assert factor(gallium) == pytest.approx(WEIGHT * 1000 / (DOSE * 2 ** (-3900 / 4062.6)), rel=1e-12)


MISSING = {
    "PatientWeight": "(0010,1030) Patient's Weight",
    "Units": "(0054,1001) Units",
    "CorrectedImage": "(0028,0051) Corrected Image",
    "DecayCorrection": "(0054,1102) Decay Correction",
    "RadiopharmaceuticalInformationSequence": "(0054,0016) Radiopharmaceutical Information Sequence",
}


@pytest.mark.parametrize("keyword", MISSING)
def test_what_is_missing_is_named(keyword: str) -> None:
    assert MISSING[keyword] in refused(each(**{keyword: None}))
    assert MISSING[keyword] in refused(
        each(**{keyword: ""} if keyword != "RadiopharmaceuticalInformationSequence" else {keyword: []})
    )


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"PatientWeight": "0"}, "(0010,1030) Patient's Weight is 0"),
        ({"PatientWeight": "75000"}, "(0010,1030) Patient's Weight is above"),
        ({"Units": "PROPCPS"}, "'PROPCPS'"),
        ({"CorrectedImage": ["DECY"]}, "lacks ATTN"),
        ({"CorrectedImage": ["ATTN"]}, "lacks DECY"),
        ({"DecayCorrection": "NONE"}, "holds DECY"),
        ({"DecayCorrection": "SOMETIMES"}, "'SOMETIMES'"),
        ({"SeriesTime": "", "AcquisitionTime": ""}, "(0008,0031) Series Time is missing"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], says: str) -> None:
    assert says in refused(each(**changes))


def test_everything_that_is_missing_is_named_at_once() -> None:
    found = each(PatientWeight=None, DecayCorrection=None)
    for one in found:
        del tracer(one).RadionuclideTotalDose
    for tag in ("(0010,1030)", "(0054,1102)", "(0018,1074)"):
        assert tag in refused(found)


def test_height_and_sex_are_needed_for_lean_mass_only() -> None:
    found = each(PatientSize=None, PatientSex=None)
    assert factor(found) == factor(pet())
    assert "(0010,1020) Patient's Size" in refused(found, "bsa")
    assert "(0010,0040) Patient's Sex" in refused(each(PatientSex=None), "lbmjanma")
    assert "another unit" in refused(each(PatientSize="175"), "bsa")
    assert "no mass" in refused(each(PatientWeight="300", PatientSize="1.2"), "lbm")


def test_images_that_disagree_have_no_factor() -> None:
    for keyword, value in (("PatientWeight", "80"), ("DecayCorrection", "ADMIN"), ("Units", "CNTS")):
        found = pet()
        setattr(found[2], keyword, value)
        assert "differs between the images" in refused(found)
    two = pet()
    for one in two:
        one.RadiopharmaceuticalInformationSequence.append(copy.deepcopy(tracer(one)))
    assert "several tracers" in refused(two)


def test_images_corrected_to_their_own_start_are_noticed() -> None:
    found = pet()
    for one in found:
        one.DecayFactor = found[0].DecayFactor
        one.FrameReferenceTime = found[0].FrameReferenceTime
    assert "(0054,1321) Decay Factor says" in refused(found)
    for one in found:
        one.DecayFactor = "1"  # what devices write that do not know
    assert "(0054,1300) Frame Reference Time says" in refused(found)
    for one in found:
        one.FrameReferenceTime = "0"
    assert factor(found) == pytest.approx(factor(pet()), rel=1e-12)
    slightly = each(AcquisitionTime="100730", DecayFactor=pet()[0].DecayFactor)
    assert factor(slightly) == pytest.approx(factor(pet()), rel=1e-12)  # clocks that differ by 1 % of the SUV


def timed(
    injected: datetime, start: datetime, *, dated: bool, clock: bool = True, days_off: int = 0
) -> list[Dataset]:
    found = each(FrameReferenceTime=None, DecayFactor=None)
    for one in found:
        one.SeriesDate = one.AcquisitionDate = start.strftime("%Y%m%d")
        one.SeriesTime = one.AcquisitionTime = start.strftime("%H%M%S.%f")
        drug = tracer(one)
        drug.RadiopharmaceuticalStartTime = injected.strftime("%H%M%S.%f")
        drug.RadiopharmaceuticalStartDateTime = (injected + timedelta(days=days_off)).strftime(
            "%Y%m%d%H%M%S.%f"
        )
        if not dated:
            del drug.RadiopharmaceuticalStartDateTime
        if not clock:
            del drug.RadiopharmaceuticalStartTime
    return found


@settings(max_examples=60, deadline=None)
@given(
    start=st.datetimes(datetime(1999, 12, 1), datetime(2025, 1, 1)),
    wait=st.floats(0, 42_000),
    dated=st.booleans(),
    near=st.booleans(),
)
def test_the_wait_is_right_across_midnight_month_and_year(start, wait, dated, near) -> None:
    if near:
        start = start.replace(hour=0, minute=10)
    injected = start - timedelta(seconds=wait)
    expected = WEIGHT * 1000 / (DOSE * 2 ** (-wait / HALF_LIFE))
    assert factor(timed(injected, start, dated=dated)) == pytest.approx(expected, rel=1e-9)


@settings(max_examples=25, deadline=None)
@given(
    start=st.datetimes(datetime(1999, 12, 1), datetime(2025, 1, 1)),
    late=st.floats(1, 299),
    dated=st.booleans(),
)
def test_a_dynamic_scan_may_begin_before_the_injection(start, late, dated) -> None:
    found = timed(start + timedelta(seconds=late), start, dated=dated)
    assert factor(found) == pytest.approx(WEIGHT * 1000 / (DOSE * 2 ** (late / HALF_LIFE)), rel=1e-9)
    assert "after the moment" in assumed(found)


def test_a_start_with_the_date_of_the_scan_is_moved_to_the_day_before_and_told() -> None:
    injected, start = datetime(2024, 2, 29, 23, 30), datetime(2024, 3, 1, 0, 35)
    wrong = timed(injected, start, dated=True, days_off=1)
    assert factor(wrong) == pytest.approx(factor(timed(injected, start, dated=True)), rel=1e-12)
    assert "day before" in assumed(wrong)


def test_an_absurd_wait_is_refused() -> None:
    assert "13.0 hours before" in refused(timed(START - timedelta(hours=13), START, dated=True))
    assert "implausible" in refused(timed(START + timedelta(minutes=30), START, dated=True))
    assert "implausible" in refused(timed(START + timedelta(minutes=30), START, dated=False))
    assert "different times" in refused(traced(RadiopharmaceuticalStartTime="110000"))


def test_a_tracer_that_lives_for_days_needs_a_date() -> None:
    for dated in (True, False):
        found = timed(START - timedelta(days=4), START, dated=dated)
        for one in found:
            tracer(one).RadionuclideHalfLife = "282276"
            tracer(one).RadionuclideCodeSequence[0].CodeValue = "63360001"
        if dated:
            assert factor(found) == pytest.approx(
                WEIGHT * 1000 / (DOSE * 2 ** (-4 * 86400 / 282276)), rel=1e-9
            )
        else:
            assert "(0018,1078)" in refused(found)


def test_an_offset_from_utc_is_heeded() -> None:
    found = timed(INJECTED, START, dated=True, clock=False)
    for one in found:
        one.TimezoneOffsetFromUTC = "+0200"
        tracer(one).RadiopharmaceuticalStartDateTime = "20240229070000+0000"
    assert factor(found) == pytest.approx(factor(pet()), rel=1e-12)


def test_an_enhanced_pet_states_the_moment_itself() -> None:
    keep = ("PatientWeight", "RadiopharmaceuticalInformationSequence", "Units")
    one = Dataset()
    for keyword in keep:
        setattr(one, keyword, getattr(pet()[0], keyword))
    one.AttenuationCorrected = one.DecayCorrected = "YES"
    one.DecayCorrectionDateTime = "20240229100500"
    frame = Dataset()
    frame.FrameAcquisitionDateTime = "20240229101000"
    images = [Attributes.of(frame, one)]
    assert suv_factors(images).factors["bw"][0] == pytest.approx(truth("PT").suvbw_per_bqml, rel=1e-12)
    one.DecayCorrected = "NO"
    frame.FrameReferenceDateTime = "20240229100500"
    assert suv_factors(images).factors["bw"][0] == pytest.approx(truth("PT").suvbw_per_bqml, rel=1e-12)


def test_real_headers_have_the_factors_of_the_catalogue() -> None:
    folder = shared_data()
    for name, expected in json.loads((SHARED / "truth.json").read_text())["pet_suv"].items():
        got = suv_factors(dl.find_series(folder / name, progress=False)[0].instances)
        if expected["suvbw_factor"] is None:
            assert "bw" not in got.factors
            assert "(0010,1030) Patient's Weight is missing" in got.missing["bw"]
            assert "(0008,0031) Series Time" in got.missing["bw"]
        else:
            assert got.factors["bw"][0] == pytest.approx(expected["suvbw_factor"], rel=1e-9)


@pytest.fixture
def volume(tmp_path) -> xr.DataArray:
    return dl.load_volume(write(tmp_path, datasets("PT")), progress=False)


def test_the_values_say_that_they_are_suv_and_what_they_were_before(volume: xr.DataArray) -> None:
    before = volume.attrs["value_transform"]
    assert before.startswith("stored × ")
    told = volume.dicom.suv().attrs["value_transform"]
    factor = volume.attrs["suv_bw_factor"]
    assert told == f"SUV: values × {factor:g}, by dose and body, decay corrected; before: {before}"
    assert volume.attrs["value_transform"] == before


def test_a_volume_becomes_suv_on_the_same_grid(volume: xr.DataArray) -> None:
    got = volume.dicom.suv()
    assert (got.dicom.units, got.dtype) == ("SUVbw", np.float32)
    np.testing.assert_array_equal(
        got.values,
        (truth("PT").values.astype(np.float32).astype(float) * truth("PT").suvbw_per_bqml).astype(np.float32),
    )
    xr.testing.assert_equal(got.coords.to_dataset(), volume.coords.to_dataset())
    assert got.dicom.suv() is got
    assert volume.dicom.units == "Bq/ml"
    with pytest.raises(SuvError, match="SUVbw"):
        got.dicom.suv("bsa")
    with pytest.raises(SuvError, match="SUVbw"):
        got.dicom.suv("xyz")


def test_the_windows_of_the_file_show_the_same_picture(volume: xr.DataArray) -> None:
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        volume.attrs["VOILUTFunction"] = function
        got = volume.dicom.suv()
        (before,), (after,) = volume.dicom.windows, got.dicom.windows
        assert after.explanation == before.explanation == "SUV 0 TO 7"
        np.testing.assert_allclose(
            dl.apply_window(got.values, after), dl.apply_window(volume.values, before), atol=1e-6
        )


def test_suv_is_shown_from_0_to_5_inverted_and_becquerels_never_are(volume: xr.DataArray) -> None:
    got = volume.dicom.suv()
    window = resolve_window(None, got.attrs, lambda: got.values)
    assert (window.center, window.width) == (2.5, 5)
    assert shown_inverted(got.attrs)
    assert "SUV 0 to 5" in named_windows(got.attrs)
    assert "SUV 0 to 5" not in named_windows(volume.attrs)
    assert resolve_window(None, volume.attrs, lambda: volume.values).width > 1000
    surface = volume.dicom.suv("bsa")
    assert "SUV 0 to 5" not in named_windows(surface.attrs)


def test_what_the_attributes_say_names_nobody(volume: xr.DataArray) -> None:
    said = json.dumps({name: value for name, value in volume.attrs.items() if str(name).startswith("suv_")})
    for secret in ("75", "350", "20240229", "1005", "0900"):
        assert f'"{secret}' not in said
    assert {type(value) for name, value in volume.attrs.items() if str(name).startswith("suv_")} == {float}
    xr.load_dataarray(volume.to_netcdf()).dicom.suv()


def test_where_it_cannot_be_computed_the_volume_stays_in_becquerels(tmp_path) -> None:
    found = datasets("PT")
    for one in found:
        del one.PatientWeight
    volume = dl.load_volume(write(tmp_path, found), progress=False)
    assert volume.dicom.units == "Bq/ml"
    with pytest.raises(SuvError, match=r"\(0010,1030\) Patient's Weight is missing.*stays in Bq/ml"):
        volume.dicom.suv()
    assert volume.dicom.suv("ibw").dicom.units == "SUVibw"


def test_what_was_assumed_is_warned_of_and_stays_with_the_values(tmp_path) -> None:
    found = datasets("PT")
    for one in found:
        tracer(one).RadionuclideTotalDose = "350"
    volume = dl.load_volume(write(tmp_path, found), progress=False)
    with pytest.warns(dl.DicomLabWarning, match="MBq"):
        got = volume.dicom.suv()
    assert "MBq" in got.attrs["suv_assumed"]


def test_other_volumes_have_no_suv(tmp_path) -> None:
    ct = dl.load_volume(write(tmp_path, datasets("CT")), progress=False)
    assert not [name for name in ct.attrs if str(name).startswith("suv")]
    with pytest.raises(SuvError, match="load_volume"):
        ct.dicom.suv()


@settings(max_examples=40, deadline=None)
@given(
    keyword=st.sampled_from(
        [
            "SeriesDate",
            "SeriesTime",
            "AcquisitionTime",
            "PatientWeight",
            "DecayFactor",
            "FrameReferenceTime",
            "Units",
        ]
    ),
    value=st.sampled_from(["", "0", "-1", "99999999", "1e308", "NaN", "x\\y", "240000", "00000000"]),
)
def test_damaged_values_give_a_factor_or_a_reason_and_never_an_exception(keyword: str, value: str) -> None:
    found = pet()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in found:
            del one[keyword]
            one.add_new(keyword, "LO", value)
    got = factors(found)
    assert set(got.factors) | set(got.missing) == set(BODY)
    for values in got.factors.values():
        assert np.all(np.isfinite(values) & (values > 0))
    assert all(got.missing.values())
    assert not math.isnan(sum(map(len, got.missing.values())))


def test_an_injection_later_in_the_day_than_the_scan_is_of_the_day_before_and_says_so() -> None:
    start = datetime(2024, 2, 29, 0, 30)
    assert "the day before was taken" in assumed(timed(start - timedelta(hours=1), start, dated=False))
    assert not assumed(timed(start - timedelta(minutes=20), start, dated=False))
