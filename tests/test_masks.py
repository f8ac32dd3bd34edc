"""Masks know their labels: names, colours, codes and sizes, through xarray's operations and files."""

import numpy as np
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st
from pydicom.sr._concepts_dict import concepts

import dicomlab as dl
from dicomlab import phantom
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.masks import (
    Code,
    Label,
    check_grid,
    find_term,
    labels_of,
    mask_like,
    parts,
    stacked,
    terms,
    to_label_maps,
    with_labels,
)
from dicomlab.masks.terms import LEFT

AFFINE = np.diag([5.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]
FRAME = "1.2.3"


def _volume(values: np.ndarray, **about: object) -> xr.DataArray:
    return dl.make_volume(values, affine=AFFINE, frame_of_reference=FRAME, **about)


@pytest.fixture
def ct() -> xr.DataArray:
    values = np.arange(4 * 5 * 6, dtype=np.int16).reshape(4, 5, 6)
    values[-1, -1, -1] = 1000
    return _volume(values, units="HU", name="ct", attrs={"Modality": "CT", "WindowCenter": [40.0]})


@pytest.fixture
def organs() -> xr.DataArray:
    values = np.zeros((4, 5, 6), np.uint8)
    values[0, :2], values[1:3, 2], values[3, 4, 5] = 1, 2, 7
    return with_labels(_volume(values), {1: "liver", 2: "left kidney", 7: "something odd"})


def test_every_code_of_the_short_list_is_one_that_pydicom_knows_for_it() -> None:
    known = {
        code: (meaning, contexts)
        for entry in concepts["SCT"].values()
        for code, (meaning, contexts) in entry.items()
    }
    assert len(terms()) > 70
    for term in terms().values():
        assert 7150 in known[term.category.value][1]
        assert term.category.meaning == known[term.category.value][0]
        theirs, ours = (
            {word[:4] for word in text.lower().replace(",", "").split()}
            for text in (known[term.type.value][0], term.type.meaning)
        )
        # The dictionary has descriptions (“Splenic structure (body structure)”) where DICOM has names (“Spleen”).
        alike = {
            "Neoplasm": "tumo",
            "Prostate": "pros",
            "Blood vessel": "endo",
            "Larynx": "lary",
        }.get(term.type.meaning)
        assert ours & theirs or alike in theirs, (term, known[term.type.value])


@pytest.mark.parametrize(
    ("name", "value", "side"),
    [
        ("Liver", "10200004", None),
        ("kidney_left", "64033007", "Left"),
        ("Right Lung", "39607008", "Right"),
        ("left atrium", "82471001", None),
        ("vertebrae", "51282000", None),
        ("nothing known", "85756007", None),
        ("left nothing", "85756007", None),
    ],
)
def test_names_are_looked_up_in_the_list_of_terms(name: str, value: str, side: str | None) -> None:
    label = Label(3, name)
    assert label.type is not None
    assert label.type.value == value
    assert (label.side and label.side.meaning) == side
    assert label.is_coded == (value != "85756007")


def test_the_table_of_labels_counts_voxels_and_millilitres(organs: xr.DataArray) -> None:
    table = organs.dicom.labels.table
    assert table["name"].tolist() == ["liver", "left kidney", "something odd"]
    assert table["voxels"].tolist() == [12, 12, 1]
    assert table["ml"].tolist() == pytest.approx([n * 5 * 0.9 * 0.8 / 1000 for n in (12, 12, 1)])
    assert table["side"].tolist() == ["", "Left", ""]
    assert table["type_code"].tolist()[0] == "SCT 10200004"


def test_uneven_slices_count_with_their_own_thickness() -> None:
    # By hand: centres 0, 2, 10, 12, so faces at -1, 1, 6, 11, 13.
    grid = dl.Geometry(np.eye(3)[:, ::-1], np.array([0.0, 2, 10, 12]), np.arange(2.0), np.arange(3.0), FRAME)
    mask = dl.make_volume(np.ones((4, 2, 3), bool), geometry=grid, name="mask")
    assert mask.dicom.labels.table["ml"].tolist() == pytest.approx([6 * 14 / 1000])
    assert mask[1:3].dicom.labels.table["ml"].tolist() == pytest.approx([6 * 16 / 1000])


def test_labels_outlive_slicing_flipping_and_files(organs: xr.DataArray, tmp_path: object) -> None:
    cut = organs.isel(slice=slice(None, None, -1), row=slice(0, 3))
    assert labels_of(cut).names == ["liver", "left kidney", "something odd"]
    organs.rename("organs").to_netcdf(f"{tmp_path}/mask.nc", engine="h5netcdf")
    with xr.open_dataset(f"{tmp_path}/mask.nc", engine="h5netcdf") as back:
        again = back["organs"].dicom.restore()
        assert list(again.dicom.labels) == list(organs.dicom.labels)


def test_masks_have_html_that_escapes_what_users_write(organs: xr.DataArray) -> None:
    shown = organs.dicom.with_labels({1: "<script>alert(1)</script>"}).dicom.labels._repr_html_()
    assert "<script>" not in shown
    assert "&lt;script&gt;" in shown


def test_a_comparison_forgets_what_the_volume_was_and_its_name_names_it(ct: xr.DataArray) -> None:
    assert (ct > 50).dicom.labels.names == ["mask"]
    assert (ct > 50).rename("bone").dicom.labels.names == ["bone"]


def test_a_renamed_mask_is_no_longer_coded_as_what_it_was(ct: xr.DataArray) -> None:
    liver = with_labels(ct > 50, "liver")
    assert liver.dicom.labels["liver"].is_coded
    assert not liver.rename("thing").dicom.labels["thing"].is_coded


def test_one_label_of_a_map_is_not_called_as_another_one(organs: xr.DataArray) -> None:
    first = labels_of(organs)[0]
    for of_map in (organs == 2, organs.isin([2]), organs > 0, organs != organs):
        (label,) = labels_of(of_map)
        assert (label.name, label.is_coded) == ("mask", False), f"not {first.name}, whose number is 1"
    assert labels_of((organs == 2).rename("spleen")).names == ["spleen"]
    lone = with_labels(organs.where(organs == 2, 0), None)
    assert labels_of(with_labels(lone, {2: "spleen"}) == 1).names == ["mask"]


@pytest.mark.parametrize(
    "verb",
    [
        lambda mask: mask.dicom.resample(spacing=(2.0, 0.5, 0.5)),
        lambda mask: mask.dicom.resample_like(mask.dicom.resample(spacing=3.0)),
        lambda mask: mask.isel(slice=[0, 1, 3]).dicom.regularize(),
        lambda mask: mask.dicom.reslice(normal=(0, 1, 1)),
        lambda mask: tilted(mask).dicom.rectify(),
        lambda mask: mask.dicom.interp([[1.0, 1.0, 2.4], [1.3, 1.4, 9.0]]),
    ],
)
def test_between_two_labels_lies_no_third(verb, organs: xr.DataArray) -> None:  # type: ignore[no-untyped-def]
    mask = with_labels(organs.where(organs != 2, 7).astype("uint8"), {1: "liver", 7: "spleen"})
    found = verb(mask)
    assert found.dtype == np.uint8
    assert set(np.unique(found)) <= {0, 1, 7}
    assert labels_of(found).names == labels_of(mask).names
    with pytest.raises(DicomLabError, match="labels='nearest'"):
        labels_of(mask.dicom.resample(spacing=0.7, order=1))


def tilted(mask: xr.DataArray) -> xr.DataArray:
    affine = mask.dicom.affine.copy()
    affine[1, 0] += 1.5
    return with_labels(dl.make_volume(mask.values, affine=affine), labels_of(mask))


def test_a_mask_from_an_array_has_the_grid_and_none_of_the_attributes(ct: xr.DataArray) -> None:
    made = mask_like(ct, np.ones(ct.shape, bool), name="body")
    assert made.attrs == {}
    assert made.dicom.same_grid(ct)
    assert float(ct.where(made).sum()) == float(ct.sum())
    with pytest.raises(DicomLabError, match="shape"):
        mask_like(ct, np.ones((2, 2, 2), bool))


def test_labels_of_a_mask_with_segments_lie_along_them(organs: xr.DataArray) -> None:
    both = stacked({part.label.name: part.mask for part in parts(organs)})
    assert both.sizes["segment"] == 3
    assert both.dicom.labels.names == organs.dicom.labels.names
    assert both.dicom.labels.table["voxels"].tolist() == [12, 12, 1]
    named = both.dicom.with_labels({2: Label(2, "spleen", "#00ff00")})
    assert named.dicom.labels.names == ["liver", "spleen", "something odd"]
    assert named.isel(segment=[1]).dicom.labels[0].colour == "#00ff00"
    (again,) = to_label_maps(both)
    assert [int((again == n).sum()) for n in (1, 2, 3)] == [12, 12, 1]


def test_a_segment_that_is_picked_keeps_its_label(organs: xr.DataArray) -> None:
    both = stacked({part.label.name: part.mask for part in parts(organs)})
    (label,) = both.sel(segment=2).dicom.labels
    assert (label.name, label.type, label.side) == (
        "left kidney",
        organs.dicom.labels["left kidney"].type,
        LEFT,
    )
    assert both.sel(segment=2).dicom.labels.table["voxels"].item() == 12
    assert both.sel(segment=2).dicom.with_labels("liver").dicom.labels.names == ["liver"]


def test_codes_of_ones_own_are_kept_in_every_form(ct: xr.DataArray) -> None:
    tissue = find_term("fat")
    assert tissue is not None
    own = Label(1, "brown fat", "#123456", tissue.category, Code("X1", "99ME", "Brown fat"))
    lone = with_labels(ct > 50, own)
    assert lone.dicom.labels[0] == own
    assert stacked({"brown fat": lone}).dicom.labels[0] == own
    assert to_label_maps(lone)[0].dicom.labels[0] == own
    assert lone.dicom.label("brown fat").dicom.labels[0] == own


def test_masks_are_put_together_whatever_the_order_of_their_dims(ct: xr.DataArray) -> None:
    cube = _volume(np.arange(27).reshape(3, 3, 3))
    one, other = cube < 9, cube % 3 == 1
    made = stacked({"one": one, "other": other.transpose("column", "slice", "row")})
    assert (made.sel(segment=1, drop=True).transpose(*one.dims).values == one.values).all()
    assert (made.sel(segment=2, drop=True).transpose(*one.dims).values == other.values).all()


def test_overlapping_segments_take_several_label_maps(ct: xr.DataArray) -> None:
    both = stacked({"liver": ct > 50, "lesion": ct > 80, "bone": ct < 10})
    first, second = to_label_maps(both)
    assert first.dicom.labels.names == ["liver", "bone"]
    assert second.dicom.labels.names == ["lesion"]
    assert int((second == 2).sum()) == int((ct > 80).sum())


def test_a_mask_on_another_grid_is_refused_with_what_mends_it(ct: xr.DataArray) -> None:
    check_grid(ct > 50, ct)
    with pytest.raises(GeometryError, match=r"reindex_like|resample_like"):
        check_grid((ct > 50)[1:], ct)
    other = dl.make_volume(
        np.ones(ct.shape, bool), affine=AFFINE * [[1.1], [1.1], [1.1], [1]], frame_of_reference=FRAME
    )
    with pytest.raises(GeometryError, match=r"mask\.dicom\.resample_like\(volume\)"):
        check_grid(other, ct)


@pytest.mark.parametrize(
    ("what", "said"),
    [
        (lambda ct: ct, "HU"),
        (lambda ct: ct.astype(float), "float64"),
        (lambda ct: np.ones((4, 5, 6)), "mask_like"),
        (lambda ct: (ct - 60).drop_attrs(), "0 is nothing"),
    ],
)
def test_what_is_no_mask_is_refused_with_what_makes_one(what, said: str, ct: xr.DataArray) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DicomLabError, match=said):
        labels_of(what(ct))


def test_broken_labels_are_an_error_that_says_how_to_name_them_anew(organs: xr.DataArray) -> None:
    broken = organs.assign_attrs(labels="[{]")
    with pytest.raises(DicomLabError, match="with_labels"):
        labels_of(broken)


def test_flags_of_the_cf_conventions_name_labels() -> None:
    values = np.array([[[0, 1, 2, 5]]], np.uint8)
    mask = _volume(values, attrs={"flag_values": [1, 2], "flag_meanings": "liver left_kidney"})
    assert labels_of(mask).names == ["liver", "left kidney", "label 5"]


@given(st.lists(st.sampled_from([0, 1, 2, 3, 900]), min_size=24, max_size=24))
def test_the_parts_of_a_label_map_are_it_again(numbers: list[int]) -> None:
    mask = _volume(np.array(numbers, np.uint16).reshape(2, 3, 4))
    total = np.zeros(mask.shape, int)
    for part in parts(mask):
        total += np.where(part.mask.values, labels_of(mask)[part.label.name].value, 0)
    assert (total == mask.values).all()


def test_lazy_masks_are_counted_without_being_held_whole(ct: xr.DataArray) -> None:
    lazy = mask_like(ct, (ct.values > 50).astype(np.uint8)).chunk({"slice": 1})
    assert lazy.dicom.labels.table["voxels"].tolist() == [int((ct > 50).sum())]
    with_labels(lazy, {1: "liver"})


def test_the_phantoms_organs_are_coded_by_their_names() -> None:
    truth = phantom.ct_truth("1.2.3", (4, 16, 20), "axial")
    every = stacked({name: mask_like(truth.volume, mask) for name, mask in truth.masks.items()})
    table = every.dicom.labels.table.set_index("name")
    assert table.loc["lung_left", "side"] == "Left"
    assert (table["type"] != "Tissue").all()


def test_labels_take_the_nearest_voxel_on_another_grid_without_being_told(
    organs: xr.DataArray, ct: xr.DataArray
) -> None:
    fine = ct.dicom.resample(spacing=(2.0, 0.5, 0.4))
    bare = mask_like(ct, organs.values)  # nobody has named these labels
    for mask in (organs, bare, organs.dicom.label("liver")):
        there = mask.dicom.resample_like(fine)
        assert there.dtype == mask.dtype
        assert set(np.unique(there.values)) <= set(np.unique(mask.values))
        back = there.dicom.resample_like(ct)
        assert (back.values == mask.values).mean() > 0.97
    assert labels_of(organs.dicom.resample_like(fine)).names == labels_of(organs).names
    plain = bare.drop_attrs(deep=False)
    with pytest.raises(GeometryError, match='labels="nearest"'):
        check_grid(plain, fine)


def test_what_is_combined_of_two_masks_is_neither_of_them(ct: xr.DataArray) -> None:
    liver, other = with_labels(ct > 50, "liver"), (ct > 80).rename("other")
    for made in (liver & other, liver | (ct < 3), other & ~liver):
        assert not made.dicom.labels[0].is_coded, made.name


def test_several_masks_become_one_and_who_wins_is_said(ct: xr.DataArray, organs: xr.DataArray) -> None:
    masks = {"organs": organs, "bone": ct > 60}
    with pytest.raises(DicomLabError, match="overlap='first'"):
        dl.segment.combine(masks)
    both = (organs > 0).values & (ct > 60).values
    assert both.any()
    first, last, kept = (dl.segment.combine(masks, overlap=who) for who in ("first", "last", "keep"))
    assert first.dicom.labels.names == ["liver", "left kidney", "something odd", "bone"]
    assert (first.values[both] != 4).all()
    assert (last.values[both] == 4).all()
    assert (kept.sel(segment=4).values == (ct > 60).values).all()
    assert (kept.sel(segment=2).values == (organs == 2).values).all()
    assert len({label.colour for label in first.dicom.labels}) == 4
    own = with_labels(ct > 60, Label(1, "bone", "#123456"))
    assert dl.segment.combine({"a": ct < 3, "bone": own}).dicom.labels["bone"].colour == "#123456"
    with pytest.raises(DicomLabError, match="by name"):
        dl.segment.combine([ct > 60])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("shape", "said"),
    [((6, 5, 4), r"transpose\(2, 1, 0\)"), ((1, 4, 5, 6), "squeeze"), ((4, 5, 9), "resample_like")],
)
def test_an_array_of_another_shape_is_told_what_would_make_it_fit(
    shape: tuple[int, ...], said: str, ct: xr.DataArray
) -> None:
    with pytest.raises(DicomLabError, match=said):
        mask_like(ct, np.zeros(shape, bool))
    with pytest.raises(DicomLabError, match="mask_like"):
        dl.segment.dilate(np.zeros(shape, bool), 3.0)  # type: ignore[arg-type]
