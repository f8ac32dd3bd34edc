"""Windowing against the pseudo-code of PS3.3 C.11.2.1, written here once more as plain scalar Python."""

from __future__ import annotations

import math

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.pixels import apply_windowing

from dicomlab.errors import DicomLabError, WindowError
from dicomlab.view.shade import grey
from dicomlab.windowing import (
    WINDOWS,
    Window,
    apply_window,
    auto_window,
    named_windows,
    resolve_window,
    shown_inverted,
    windows_from_attrs,
)

ALL_16_BIT = np.arange(-32768, 32768, dtype=np.int16)


def standard_says(x: float, c: float, w: float, function: str) -> float:
    """One output value in [0, 1], branch by branch as the standard has it."""
    if function == "LINEAR":
        if x <= c - 0.5 - (w - 1) / 2:
            return 0.0
        if x > c - 0.5 + (w - 1) / 2:
            return 1.0
        return (x - (c - 0.5)) / (w - 1) + 0.5
    if function == "LINEAR_EXACT":
        if x <= c - w / 2:
            return 0.0
        if x > c + w / 2:
            return 1.0
        return (x - c) / w + 0.5
    exponent = -4 * (x - c) / w
    return 0.0 if exponent > 700 else 1 / (1 + math.exp(exponent))


WINDOWS_TO_TRY = [
    (40.0, 400.0, "LINEAR"),
    (40.5, 1.0, "LINEAR"),
    (40.0, 1.0, "LINEAR"),
    (-0.25, 2.0, "LINEAR"),
    (2048.0, 4096.0, "LINEAR"),
    (0.0, 65536.0, "LINEAR"),
    (-600.0, 1500.5, "LINEAR"),
    (40.0, 400.0, "LINEAR_EXACT"),
    (0.0, 0.5, "LINEAR_EXACT"),
    (127.0, 1.0, "LINEAR_EXACT"),
    (40.0, 400.0, "SIGMOID"),
    (-7.5, 0.25, "SIGMOID"),
]


@pytest.mark.parametrize(("center", "width", "function"), WINDOWS_TO_TRY)
def test_every_16_bit_value_is_as_bright_as_the_standard_says(center, width, function):
    expected = np.array([standard_says(float(x), center, width, function) for x in ALL_16_BIT])
    found = apply_window(ALL_16_BIT, Window(center, width, function))
    assert found.dtype == np.float64
    # Sigmoid: libm and numpy may differ in the last bit of exp. The others are the same operations.
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-15 if function == "SIGMOID" else 0)


@pytest.mark.parametrize(("center", "width", "function"), WINDOWS_TO_TRY)
def test_grey_is_the_rounded_brightness_times_255(center, width, function):
    expected = [math.floor(255 * standard_says(float(x), center, width, function) + 0.5) for x in ALL_16_BIT]
    window = Window(center, width, function)
    np.testing.assert_array_equal(grey(ALL_16_BIT, window), expected)
    np.testing.assert_array_equal(grey(ALL_16_BIT, window, invert=True), 255 - np.array(expected))


@pytest.mark.parametrize(("center", "width", "function"), WINDOWS_TO_TRY)
def test_pydicom_windows_16_bit_values_alike(center, width, function):
    header = Dataset()
    header.PhotometricInterpretation = "MONOCHROME2"
    header.BitsStored = 16
    header.PixelRepresentation = 1
    header.WindowCenter, header.WindowWidth, header.VOILUTFunction = center, width, function
    # pydicom stretches to the range of the stored type, -32768 to 32767.
    with np.errstate(over="ignore"):
        theirs = (apply_windowing(ALL_16_BIT, header) + 32768) / 65535
    ours = apply_window(ALL_16_BIT, Window(center, width, function))
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9)


def test_width_1_is_a_step_just_above_center_minus_a_half():
    np.testing.assert_array_equal(apply_window([39.4, 39.5, 39.6, 40], Window(40, 1)), [0, 0, 1, 1])


def test_nan_stays_nan_and_infinities_are_the_ends():
    for function in ("LINEAR", "LINEAR_EXACT", "SIGMOID"):
        found = apply_window([np.nan, -np.inf, np.inf], Window(0, 10, function))
        np.testing.assert_array_equal(found, [np.nan, 0, 1])
    np.testing.assert_array_equal(apply_window([np.nan], Window(0, 1)), [np.nan])


def test_nan_is_shown_as_the_lowest_value():
    assert grey([np.nan], Window(0, 10)) == [0]
    assert grey([np.nan], Window(0, 10), invert=True) == [255]


@pytest.mark.parametrize(
    ("center", "width", "function"),
    [
        (40, 0, "LINEAR"),
        (40, 0.99, "LINEAR"),
        (40, -1, "LINEAR"),
        (40, 0, "LINEAR_EXACT"),
        (40, -2, "SIGMOID"),
        (math.nan, 100, "LINEAR"),
        (40, math.inf, "LINEAR"),
        (40, 400, "linear"),
        (40, 400, "TABLE"),
        ("wide", 400, "LINEAR"),
        (None, 400, "LINEAR"),
    ],
)
def test_a_window_that_the_standard_forbids_is_refused(center, width, function):
    with pytest.raises(WindowError) as caught:
        Window(center, width, function)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, DicomLabError)
    assert len(str(caught.value)) > 30


def test_windows_are_values_whatever_numbers_they_were_made_of():
    assert Window(np.float32(40), np.int64(400)) == Window(40.0, 400.0)
    assert hash(Window(40, 400)) == hash(Window(40.0, 400.0))


def test_presets_of_ct_are_those_of_the_reading_room():
    expected = {
        "soft tissue": (400, 40),
        "lung": (1500, -600),
        "bone": (2500, 480),
        "brain": (80, 40),
        "liver": (150, 90),
        "mediastinum": (350, 50),
        "stroke": (40, 40),
        "subdural": (150, 70),
    }
    assert {name: (w.width, w.center) for name, w in WINDOWS["CT"].items()} == expected


def test_pet_has_no_preset_since_becquerels_differ_from_patient_to_patient():
    assert dict(WINDOWS["PT"]) == {}
    assert named_windows({"Modality": "PT", "units": "Bq/ml"}) == {}


def test_presets_cannot_be_changed_for_everybody():
    with pytest.raises(TypeError):
        WINDOWS["CT"]["lung"] = Window(0, 1)  # type: ignore[index]


# -- automatic window ------------------------------------------------------------------------------


def ends(window: Window) -> tuple[float, float]:
    return window.center - window.width / 2, window.center + window.width / 2


def test_the_automatic_window_spans_the_percentiles():
    values = np.random.default_rng(1).permutation(100_001).astype(np.int32)
    assert ends(auto_window(values)) == pytest.approx((100, 99_900), abs=1)


def test_the_automatic_window_ignores_nan_and_infinity():
    values = np.concatenate([np.linspace(0, 1, 1001), np.full(5000, np.nan), [np.inf, -np.inf]])
    assert ends(auto_window(values)) == pytest.approx((0.001, 0.999), abs=1e-3)


@pytest.mark.parametrize("value", [0, -1024, 3.5, 1e12])
def test_a_constant_image_gets_a_window_around_its_value(value):
    window = auto_window(np.full((3, 4), value))
    assert (window.center, window.width) == (value, 1)


def test_nothing_finite_still_gives_a_window():
    assert auto_window(np.full(5, np.nan)).width == 1
    assert auto_window(np.empty((0, 4))).width == 1


def test_padding_outside_a_round_field_of_view_does_not_count():
    rng = np.random.default_rng(2)
    body = rng.normal(100, 30, 50_000).round()
    padded = np.concatenate([body, np.full(20_000, -2000)])
    assert auto_window(padded) == auto_window(body)


def test_the_background_of_a_mask_or_label_image_counts():
    labels = np.zeros((50, 50), dtype=np.uint8)
    labels[10, 10] = 1  # less than 0.1 %
    assert ends(auto_window(labels)) == (0, 1)
    labels[20:30] = 7
    assert ends(auto_window(labels)) == (0, 7)
    assert ends(auto_window(labels.astype(bool))) == (0, 1)


def test_the_window_of_a_huge_array_is_near_that_of_all_its_values_and_always_the_same():
    # Values depend on the column only: a careless stride would see few columns.
    values = np.broadcast_to(np.arange(512, dtype=np.int16), (64, 512, 512))
    window = auto_window(values)
    assert ends(window) == pytest.approx(np.percentile(np.arange(512), (0.1, 99.9)), abs=1.5)
    assert auto_window(values) == window


# -- windows of the file ---------------------------------------------------------------------------


def test_windows_of_the_file_come_in_its_order_with_their_names():
    attrs = {
        "WindowCenter": [40.0, -600.0],
        "WindowWidth": [400.0, 1500.0],
        "WindowCenterWidthExplanation": ["ABDOMEN", "LUNG"],
        "VOILUTFunction": "LINEAR_EXACT",
    }
    assert windows_from_attrs(attrs) == (
        Window(40, 400, "LINEAR_EXACT", "ABDOMEN"),
        Window(-600, 1500, "LINEAR_EXACT", "LUNG"),
    )


@pytest.mark.parametrize(
    ("explanation", "names"),
    [
        ("ABDOMEN\\LUNG", ["ABDOMEN", "LUNG"]),
        (["ABDOMEN\\LUNG"], ["ABDOMEN", "LUNG"]),
        ("\\LUNG", ["", "LUNG"]),
        ("ABDOMEN", ["ABDOMEN", ""]),
        ("", ["", ""]),
    ],
)
def test_explanations_joined_to_one_text_name_the_same_windows_as_a_list(explanation, names):
    attrs = {"WindowCenter": (40.0, -600.0), "WindowWidth": (400.0, 1500.0)}
    windows = windows_from_attrs(attrs | {"WindowCenterWidthExplanation": explanation})
    assert [window.explanation for window in windows] == names


@pytest.mark.parametrize(
    "attrs",
    [
        {},
        {"WindowCenter": [40.0]},
        {"WindowWidth": [400.0]},
        {"WindowCenter": [0.0], "WindowWidth": [0.0]},
        {"WindowCenter": [math.nan], "WindowWidth": [400.0]},
        {"WindowCenter": ["x"], "WindowWidth": [400.0]},
        {"WindowCenter": [40.0], "WindowWidth": [400.0], "VOILUTFunction": "CUBIC"},
        {"WindowCenter": None, "WindowWidth": None},
    ],
)
def test_malformed_windows_of_the_file_are_left_out(attrs):
    assert windows_from_attrs(attrs) == ()


def test_a_malformed_window_does_not_take_the_good_one_with_it():
    attrs = {"WindowCenter": [0.0, 40.0, 7.0], "WindowWidth": [0.0, 400.0]}
    assert windows_from_attrs(attrs) == (Window(40, 400),)
    assert windows_from_attrs({"WindowCenter": 40, "WindowWidth": "400"}) == (Window(40, 400),)


# -- asking for a window ---------------------------------------------------------------------------

CT = {"Modality": "CT", "units": "HU", "WindowCenter": [35.0], "WindowWidth": [90.0]}


def no_values() -> np.ndarray:
    raise AssertionError("the values of a lazy volume were read without need")


def test_a_window_is_chosen_by_name_number_or_default_without_reading_values():
    assert resolve_window("Soft TISSUE", CT, no_values) == WINDOWS["CT"]["soft tissue"]
    assert resolve_window((40, 400), CT, no_values) == Window(40, 400)
    assert resolve_window(Window(1, 2), CT, no_values) == Window(1, 2)
    assert resolve_window(None, CT, no_values) == Window(35, 90)
    assert resolve_window("file window", CT, no_values) == Window(35, 90)


def test_a_window_is_automatic_when_asked_for_or_when_the_file_has_none():
    values = np.arange(1000.0)
    assert resolve_window("auto", CT, lambda: values) == auto_window(values)
    assert resolve_window(None, {"Modality": "MR"}, lambda: values) == auto_window(values)


def test_a_pair_narrower_than_1_is_taken_exactly():
    assert resolve_window((0.5, 0.2), {}, no_values) == Window(0.5, 0.2, "LINEAR_EXACT")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(
        WindowError,
        match=r"'lungs' was asked for.*'auto', 'file window' \(file\) W 90 L 35.*'lung' W 1500 L -600",
    ):
        resolve_window("lungs", CT, no_values)
    for bad in (3, (1, 2, 3), ("a", "b"), (40, 0)):
        with pytest.raises(WindowError):
            resolve_window(bad, CT, no_values)  # type: ignore[arg-type]


def test_the_exact_spelling_of_a_window_comes_before_another_case():
    attrs = {**CT, "WindowCenterWidthExplanation": ["BONE"]}
    assert resolve_window("BONE", attrs, no_values) == Window(35, 90, explanation="BONE")
    assert resolve_window("bone", attrs, no_values) == WINDOWS["CT"]["bone"]
    assert resolve_window("Lung", attrs, no_values) == WINDOWS["CT"]["lung"]
    with pytest.raises(WindowError, match=r"may mean 'BONE' \(file\) W 90 L 35, 'bone' W 2500 L 480:"):
        resolve_window("Bone", attrs, no_values)
    values = np.arange(1000.0)
    own_auto = {**CT, "WindowCenterWidthExplanation": ["AUTO"]}
    assert resolve_window("auto", own_auto, lambda: values) == auto_window(values)


def test_windows_without_a_name_are_numbered_only_when_there_are_several():
    one = {"WindowCenter": [1, 2], "WindowWidth": [10, 20], "WindowCenterWidthExplanation": "BONE"}
    assert list(named_windows(one)) == ["BONE", "file window"]
    two = {"WindowCenter": [1, 2, 3], "WindowWidth": [10, 20, 30], "WindowCenterWidthExplanation": "\\BONE\\"}
    assert list(named_windows(two)) == ["file window 1", "BONE", "file window 2"]
    assert named_windows(two)["file window 2"] == Window(3, 30)


@pytest.mark.parametrize(
    ("window", "text"),
    [
        (Window(50, 400), "W 400 L 50"),
        (Window(40.5, 400), "W 400 L 40.5"),
        (Window(-600.2, 1500), "W 1500 L -600"),
        (Window(5879.6, 11759.25), "W 11759 L 5880"),
        (Window(0.0125, 0.5, "LINEAR_EXACT"), "W 0.5 L 0.0125"),
        (Window(-0.0001, 90), "W 90 L 0"),
        (Window(1e6, 2.5e6), "W 2.5e+06 L 1e+06"),
    ],
)
def test_a_window_is_written_with_no_more_digits_than_its_width_bears(window, text):
    assert str(window) == text


def test_a_mask_is_black_and_white_even_where_it_is_all_one():
    for mask in (np.zeros((3, 4), bool), np.ones((3, 4), bool), np.eye(3, dtype=bool)):
        assert auto_window(mask) == Window(0.5, 1, "LINEAR_EXACT", "auto")


def test_the_name_of_a_window_is_not_enough_for_bare_values():
    with pytest.raises(WindowError, match=r"needs a Window; found 'bone'.*WINDOWS\[\"CT\"\]\[\"bone\"\]"):
        apply_window([1, 2], "bone")  # type: ignore[arg-type]


def test_presets_in_hounsfield_units_are_not_offered_for_other_values():
    with pytest.raises(WindowError, match="'auto'"):
        resolve_window("lung", {"Modality": "CT", "units": ""}, no_values)
    with pytest.raises(WindowError):
        resolve_window("lung", {"Modality": "MR"}, no_values)


def test_monochrome1_and_pet_are_shown_inverted():
    assert shown_inverted({"PhotometricInterpretation": "MONOCHROME1", "Modality": "CR"})
    assert shown_inverted({"PhotometricInterpretation": "MONOCHROME2", "Modality": "PT"})
    assert shown_inverted({"PhotometricInterpretation": "MONOCHROME1", "Modality": "PT"})
    assert not shown_inverted({"PhotometricInterpretation": "MONOCHROME2", "Modality": "CT"})
    assert not shown_inverted({})
