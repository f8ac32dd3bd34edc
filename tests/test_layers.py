"""Several volumes and masks in one viewer, from Python: pictures by hand, sizes by counting, and what is refused."""

from __future__ import annotations

from typing import Any

import matplotlib
import numpy as np
import pytest
import xarray as xr

import dicomlab as dl
from dicomlab.errors import DicomLabError
from dicomlab.view.meet import symmetric_window
from dicomlab.view.windows import histogram
from dicomlab.windowing import Window

FRAME = "1.2.826.0.1.3680043.8.498.1"


def volume(
    values: Any,
    *,
    step: tuple[float, float, float] = (4.0, 1.0, 1.0),
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0),
    units: str = "HU",
    **attrs: Any,
) -> xr.DataArray:
    """Upright slices; `origin` is x, y, z of the first voxel and `step` mm along slice, row, column."""
    affine = np.zeros((4, 4))
    affine[2, 0], affine[1, 1], affine[0, 2] = step
    affine[:3, 3], affine[3, 3] = origin, 1
    made = dl.make_volume(np.asarray(values), affine=affine, units=units, attrs=attrs)
    return made.dicom.assume_frame(FRAME)


def ct(fill: float = 0.0, **options: Any) -> xr.DataArray:
    attrs = {
        "Modality": "CT",
        "WindowCenter": [0.0],
        "WindowWidth": [200.0],
        "VOILUTFunction": "LINEAR_EXACT",
    }
    return volume(np.full((6, 40, 40), fill, np.int16), **{**attrs, **options})


def pet(fill: float = 0.0, **options: Any) -> xr.DataArray:
    attrs = {
        "Modality": "PT",
        "WindowCenter": [50.0],
        "WindowWidth": [100.0],
        "VOILUTFunction": "LINEAR_EXACT",
    }
    values = np.full((4, 10, 10), fill, np.float32)
    where: dict[str, Any] = {"step": (6.0, 4.0, 4.0), "origin": (1.5, 1.5, 0.0), "units": "Bq/ml"}
    return volume(values, **{**where, **attrs, **options})


# ---- pictures --------------------------------------------------------------------------------------------------------


def test_a_fusion_is_the_hot_colour_over_grey_by_as_much_as_it_is_bright() -> None:
    browser = dl.compare(ct(), pet(75.0), mode="fusion")
    browser.layers[1].opacity = 0.6
    picture = browser.picture(80, 80)
    hot = np.array(matplotlib.colormaps["hot"](191, bytes=True)[:3], float)  # 75 of 0 to 100 is 191 of 255
    share = 0.6 * 191 / 255
    assert picture[40, 40].tolist() == np.floor(128 + share * (hot - 128) + 0.5).tolist()
    browser.layers[1].fade = False
    assert browser.picture(80, 80)[40, 40].tolist() == np.floor(128 + 0.6 * (hot - 128) + 0.5).tolist()
    browser.layers[1].visible = False
    assert browser.picture(80, 80)[40, 40].tolist() == [128, 128, 128]


def test_side_by_side_each_volume_has_the_picture_that_it_has_alone() -> None:
    one, other = ct(30.0), ct(-60.0)
    picture = dl.compare(one, other).picture(162, 80)
    assert np.array_equal(picture[:, :80], dl.browse(one).picture(80, 80))
    assert np.array_equal(picture[:, 82:], dl.browse(other).picture(80, 80))


def test_side_by_side_means_at_one_place_of_the_patient_whatever_the_grids_are() -> None:
    values = np.zeros((6, 40, 40), np.int16)
    values[:, 10:20, 25:35] = 100
    one = ct().copy(data=values)
    # The same block, with voxels of half the size that begin elsewhere.
    fine = np.zeros((6, 60, 60), np.int16)
    fine[:, 10:30, 30:50] = 100
    other = volume(fine, step=(4.0, 0.5, 0.5), origin=(9.75, 4.75, 0.0), Modality="CT")
    browser = dl.compare(one, other, windows=[(0, 200), (0, 200)])
    browser.interpolation = "nearest"
    picture = browser.picture(162, 80)[..., 0]
    left, right = np.argwhere(picture[:, :80] == 255), np.argwhere(picture[:, 82:] == 255)
    assert len(left) == 20 * 20  # ten voxels of two pixels
    assert np.array_equal(left, right)


def test_four_volumes_stand_two_by_two_and_a_hidden_one_makes_room() -> None:
    browser = dl.compare(ct(-100.0), ct(-50.0), ct(0.0), ct(50.0))
    picture = browser.picture(102, 102)
    greys = [picture[y, x, 0].item() for y in (25, 76) for x in (25, 76)]
    assert greys == [0, 64, 128, 191]
    for layer in browser.layers[2:]:
        layer.visible = False
    picture = browser.picture(102, 50)
    assert [picture[25, x, 0].item() for x in (25, 76)] == [0, 64]


def test_a_curtain_hangs_where_it_is_drawn_to() -> None:
    browser = dl.compare(ct(-100.0), ct(100.0), mode="curtain")
    browser.split = 0.25
    assert np.flatnonzero(browser.picture(80, 80)[40, :, 0]).tolist() == list(range(20, 80))


def test_a_difference_is_the_second_minus_the_first_and_nothing_outside_of_one_of_them() -> None:
    second = ct(7.0).isel(column=slice(20, None))
    browser = dl.compare(ct(2.0), second, mode="difference")
    assert browser.difference.window == Window(0.0, 10.0, "LINEAR_EXACT")
    browser.difference.window = (0, 20)  # LINEAR: the grey of 5 is that of (5 + 0.5) / 19 + 0.5
    expected = matplotlib.colormaps["RdBu_r"](int((5.5 / 19 + 0.5) * 255 + 0.5), bytes=True)[:3]
    picture = browser.picture(80, 80)
    assert picture[40, 70].tolist() == list(expected)
    assert picture[40, 10].tolist() == [24, 24, 24]
    assert browser.window == Window(0.0, 200.0, "LINEAR_EXACT"), "the first volume keeps its own"


def test_what_is_said_of_a_difference_is_about_the_second_minus_the_first() -> None:
    values = np.full((6, 40, 40), 7.0, np.float32)
    values[:, 0, 0] = np.inf
    first, second = ct(2.0, SeriesDescription="before"), volume(values, SeriesDescription="after")
    browser = dl.compare(first, second.assign_attrs(Modality="CT"), mode="difference")
    told = browser._meta["difference"]
    assert told["title"] == "CT after − CT before"
    assert (told["units"], told["integer"]) == ("HU", False)
    counts, low, high = (told["histogram"][name] for name in ("counts", "low", "high"))
    middle = low + (int(np.argmax(counts)) + 0.5) / len(counts) * (high - low)
    assert middle == pytest.approx(5, abs=0.1)
    assert browser.difference.window == Window(0.0, 10.0, "LINEAR_EXACT"), "an infinite value counts nowhere"
    browser.close()


def test_a_window_of_differences_spans_all_but_one_in_two_hundred() -> None:
    values = np.concatenate([np.linspace(-50, 50, 10_001), [1e6] * 10])
    assert symmetric_window(values).width == pytest.approx(2 * 49.8, rel=0.002)
    without = np.concatenate([values, np.full(1000, np.inf), np.full(1000, np.nan)])
    assert symmetric_window(without) == symmetric_window(values)


def test_what_is_written_on_a_difference_is_its_own_window(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[Any] = []

    def watched(picture: Any, *rest: Any) -> Any:
        written.append(rest[3])
        return picture

    monkeypatch.setattr("dicomlab.view.drawn.annotated", watched)
    monkeypatch.setattr("dicomlab.view.still.annotated", watched)
    browser = dl.compare(ct(2.0), ct(7.0), mode="difference")
    browser.picture(80, 80, letters=True)
    browser._snapshot()
    browser.mode = "fusion"
    browser.picture(80, 80, letters=True)
    assert [str(window) for window in written] == ["W 10 L 0", "W 10 L 0", "W 200 L 0"]
    browser.close()


def test_a_mask_on_another_grid_lies_where_it_is_in_the_patient() -> None:
    mask = pet().copy(data=np.zeros((4, 10, 10), bool))
    mask[:, 3, 6] = True  # x from 24 - 0.5 to 28 - 0.5 mm, y from 12 - 0.5 to 16 - 0.5
    browser = dl.browse(ct(-100.0), masks=mask)
    browser.labels[0].opacity, browser.labels[0].outline, browser.labels[0].colour = 1.0, False, (9, 8, 7)
    there = np.argwhere((browser.picture(40, 40) == (9, 8, 7)).all(axis=-1))
    assert there.min(axis=0).tolist() == [12, 24]
    assert there.max(axis=0).tolist() == [15, 27]


# ---- masks -----------------------------------------------------------------------------------------------------------


def test_sizes_of_labels_are_counted_with_the_thickness_of_each_slice() -> None:
    values = np.zeros((4, 10, 10), np.uint8)
    values[0, :2, :5] = 3  # 10 voxels of 2 mm
    values[3, :3, :5] = 3  # 15 voxels of 10 mm
    uneven = xr.concat([ct().isel(slice=[0], row=slice(10), column=slice(10))] * 4, "slice").copy(data=values)
    uneven = uneven.assign_coords(slice=[0.0, 2.0, 4.0, 14.0]).dicom.restore()
    browser = dl.browse(uneven.astype(np.int16), masks=uneven)
    (label,) = browser.labels
    assert label.ml == pytest.approx((10 * 2 + 15 * 10) / 1000)
    label.jump()
    assert browser.index == 3, "most of it lies in the last slice"


def test_of_a_mask_with_steps_only_a_size_that_they_share_is_told() -> None:
    still, moving = np.zeros((2, 6, 40, 40), bool), np.zeros((2, 6, 40, 40), bool)
    still[:, 2, 10:20, 10:20] = True
    moving[1, 4, 10:20, 10:15] = True
    steps = xr.Variable("time", [0.0, 1.0])
    base = xr.concat([ct(), ct()], dim=steps)
    browser = dl.browse(base, masks={"still": base.copy(data=still), "moving": base.copy(data=moving)})
    assert [label.ml for label in browser.labels] == [pytest.approx(0.4), None]
    browser.labels["moving"].jump()
    assert browser.index == 4
    browser.close()


def test_segments_that_overlap_are_both_there_under_their_names() -> None:
    values = np.zeros((3, 6, 40, 40), bool)
    values[0, 2, 10:20, 10:20] = True
    values[1, 2, 15:25, 15:25] = True
    values[2, 2, 30:32, 30:35] = True
    base = ct()
    masks = xr.DataArray(values, dims=("segment", *base.dims), coords=base.coords).assign_coords(
        segment=[4, 7, 9], label=("segment", ["liver", "tumour", "vessel"])
    )
    browser = dl.browse(base, masks=masks)
    assert [(one.name, one.value) for one in browser.labels] == [("liver", 4), ("vessel", 9), ("tumour", 7)]
    assert {one.name: one.ml for one in browser.labels} == {
        "liver": pytest.approx(0.4),
        "tumour": pytest.approx(0.4),
        "vessel": pytest.approx(0.04),
    }


def test_a_mask_is_called_by_its_key_its_own_name_or_mask_but_never_as_its_image() -> None:
    image = ct().rename("ct")
    assert [one.name for one in dl.browse(image, masks=[image > 5, (image > 7).rename("bone")]).labels] == [
        "mask",
        "bone",
    ]
    assert [one.name for one in dl.browse(image, masks={"a": image > 5}).labels] == ["a"]
    assert [one.name for one in dl.browse(image, masks=[image > 5, image > 7]).labels] == ["mask", "mask (2)"]


def test_names_of_labels_come_from_the_conventions_of_cf() -> None:
    labels = ct().astype(np.int16).copy(data=np.arange(6 * 1600).reshape(6, 40, 40) % 3)
    labels.attrs = {"flag_values": [1, 2, 5], "flag_meanings": "left_lung right_lung heart"}
    found = dl.browse(ct(), masks=labels).labels
    assert [(one.value, one.name) for one in found] == [(1, "left lung"), (2, "right lung"), (5, "heart")]
    assert found["heart"].ml == 0
    with pytest.raises(DicomLabError, match="'heart' has no voxel"):
        found["heart"].jump()


@pytest.mark.parametrize(
    ("values", "what"),
    [(np.zeros((6, 40, 40)), "found float64"), (np.full((6, 40, 40), -1), "from -1 to -1")],
)
def test_what_is_no_mask_is_refused(values: np.ndarray, what: str) -> None:
    with pytest.raises(DicomLabError, match=what):
        dl.browse(ct(), masks=ct().copy(data=values))


def test_refresh_counts_a_mask_anew_and_keeps_its_look() -> None:
    mask = ct().copy(data=np.zeros((6, 40, 40), bool))
    mask.values[2, :10, :10] = True
    browser = dl.browse(ct(), masks={"lesion": mask})
    browser.labels["lesion"].colour = "#102030"
    mask.values[2, :10, :20] = True
    assert browser.labels["lesion"].ml == pytest.approx(0.4)
    browser.refresh()
    assert browser.labels["lesion"].ml == pytest.approx(0.8)
    assert browser.labels["lesion"].colour == (16, 32, 48)


# ---- what is set, and what is refused --------------------------------------------------------------------------------


def test_another_frame_of_reference_is_refused_by_the_names_of_what_mends_it() -> None:
    other = pet().dicom.assume_frame("1.2.3")
    with pytest.raises(
        DicomLabError, match=r"Volume 2 .*dicom\.transform\(matrix.*dicom\.assume_frame\(first\)"
    ):
        dl.compare(ct(), other)
    with pytest.raises(DicomLabError, match=r"Mask 1 has another frame"):
        dl.browse(ct(), masks=other > 3)


def test_a_difference_of_two_units_is_refused_at_first_and_later() -> None:
    with pytest.raises(DicomLabError, match="found HU and Bq/ml"):
        dl.compare(ct(), pet(), mode="difference")
    browser = dl.compare(ct(), pet())
    with pytest.raises(DicomLabError, match="found HU and Bq/ml"):
        browser.mode = "difference"
    assert browser.mode == "side"


def test_an_unchanged_look_follows_the_mode_and_a_changed_one_stays() -> None:
    browser = dl.compare(ct(), pet())
    layer = browser.layers[1]
    assert (layer.cmap, layer.invert, layer.fade) == ("gray", True, False)
    browser.mode = "fusion"
    assert (layer.cmap, layer.invert, layer.fade) == ("hot", False, True)
    browser.mode = "side"
    assert (layer.cmap, layer.invert) == ("gray", True)
    layer.cmap = "magma"
    browser.mode = "fusion"
    assert layer.cmap == "magma"
    assert browser._meta["palettes"]["magma"], "the page has to know it"


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda b: setattr(b.layers[1], "opacity", 1.5), "0 .clear. to 1; found 1.5"),
        (lambda b: setattr(b.layers[0], "visible", False), "first volume was asked to be hidden"),
        (lambda b: setattr(b.layers[1], "cmap", "greyish"), "'greyish'"),
        (lambda b: setattr(b.labels[0], "colour", "nocolour"), "'nocolour'"),
        (lambda b: setattr(b.labels[0], "colour", (0, 0, 256)), "whole numbers 0 to 255"),
        (lambda b: b.labels["nobody"], "there are: mask"),
    ],
)
def test_what_cannot_be_set_says_what_can(change: Any, why: str) -> None:
    browser = dl.compare(ct(), pet(), masks=ct() > -5)
    before = (browser._looks, browser._labels)
    with pytest.raises(DicomLabError, match=why):
        change(browser)
    assert (browser._looks, browser._labels) == before


def test_labels_of_one_mask_and_volumes_are_set_one_by_one() -> None:
    values = np.zeros((6, 40, 40), np.uint8)
    values[2, :5, :5], values[3, :5, :5] = 1, 2
    browser = dl.compare(ct(), pet(), mode="fusion", masks=ct().copy(data=values))
    one, two = browser.labels
    two.opacity, two.visible, two.colour = 0.9, False, (1, 2, 3)
    assert (one.opacity, one.visible, two.opacity, two.visible) == (0.35, True, 0.9, False)
    assert two.colour == (1, 2, 3) != one.colour
    browser._change_look(0, visible=False)  # as a page could
    browser.layers[1].visible = False
    assert [layer.visible for layer in browser.layers] == [True, False], "all others lie on the first one"
    browser.close()


def test_all_labels_are_set_at_once() -> None:
    browser = dl.browse(ct(), masks={"a": ct() > -5, "b": ct() > 5})
    browser.labels.set(opacity=0.9, visible=False)
    assert [(one.opacity, one.visible, one.outline) for one in browser.labels] == [(0.9, False, True)] * 2
    browser.labels[1:].set(visible=True)
    assert [one.visible for one in browser.labels] == [False, True]


def test_a_histogram_counts_and_leaves_out_the_outermost() -> None:
    values = np.concatenate([np.repeat(np.arange(100.0), 1000), [1e9, np.nan, np.inf]])
    found = histogram(values)
    assert found
    assert (found["low"], found["high"]) == (0, 99)
    assert sum(found["counts"]) == 100_000
    wide = histogram(np.full(9, 5.0), within=20.0)
    assert wide
    assert (wide["low"], wide["high"], sum(wide["counts"])) == (-20, 20, 9)
    assert histogram([np.nan]) is None


def test_findings_about_gaps_point_at_their_slices() -> None:
    texts = "missing_slice: one of them\ngantry_tilt: 3 degrees"
    gappy = ct(findings=texts).isel(slice=[0, 1, 3, 4, 5])
    assert dl.browse(gappy)._meta["sources"][0]["places"] == [[1, 2], []]


def at(values: Any, dtype: Any = None) -> xr.DataArray:
    """Volumes whose every voxel is the number of its step along "time"."""
    made = ct()
    steps = [made.copy(data=np.full(made.shape, k, np.int16)) for k in range(len(values))]
    return xr.concat(steps, dim=xr.Variable("time", np.asarray(values, dtype))).assign_attrs(made.attrs)


def shown(browser: dl.SliceBrowser) -> list[int]:
    """The step of each volume that is shown."""
    return [int(grid.sample().flat[0]) for grid in browser._images_of()]


@pytest.mark.parametrize(
    ("first", "second", "pairs"),
    [
        ([0.0, 1.0, 2.0], [1.9, 0.2, 7.0], [1, 1, 0]),
        ([0, 10], [9.0, 1.0], [1, 0]),
        (["b", "a"], ["a", "b", "c"], [1, 0]),
        (np.array([0, 60], "m8[s]"), np.array([55, 3], "m8[s]"), [1, 0]),
        (
            np.array(["2020-01-01", "2020-01-03"], "M8[ns]"),
            np.array(["2020-01-02T20", "2019-12-31"], "M8[ns]"),
            [1, 0],
        ),
        # Of numbers without a sign the difference would turn over; what is no number is near to none.
        (np.array([0, 990], np.uint16), np.array([0, 980, 2000], np.uint16), [0, 1]),
        ([0.0, 1000.0], [np.nan, 0.0, 900.0], [1, 2]),
        # The same axis goes step by step, though values come twice or are no numbers.
        ([1.0, 1.0, 2.0], [1.0, 1.0, 2.0], [0, 1, 2]),
        ([np.nan, 1.0, np.nan], [np.nan, 1.0, np.nan], [0, 1, 2]),
    ],
)
def test_steps_of_two_volumes_go_together_by_value(first: Any, second: Any, pairs: list[int]) -> None:
    browser = dl.compare(at(first), at(second))
    for k, other in enumerate(pairs):
        browser.steps = {"time": k}
        assert shown(browser) == [k, other]
    browser.close()
