"""The mask that is edited, without a page: what messages do to it, and what Python says of it."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
import pytest
import xarray as xr

import dicomlab as dl
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.masks import Label, stacked, with_labels
from dicomlab.view.editing import Editing, editable

AFFINE = np.diag([2.0, 0.9, 0.8, 1.0])[[2, 1, 0, 3]]


def volume(shape: tuple[int, ...] = (4, 6, 8), **about: Any) -> xr.DataArray:
    values = np.arange(np.prod(shape), dtype=np.int16).reshape(shape)
    return dl.make_volume(values, affine=AFFINE, frame_of_reference="1.2.3", units="HU", **about)


def paint(
    editing: Editing,
    number: int,
    part: dict[str, Any],
    values: np.ndarray,
    session: str = "s",
    ct: Any = None,
) -> dict[str, Any]:
    content = {"type": "paint", "key": editing.source.key, "session": session, "id": number, "parts": [part]}
    reply = editing.answer(content, [zlib.compress(values.tobytes())], volume() if ct is None else ct)
    assert reply is not None
    return reply[0]


def test_patches_are_taken_in_their_order_each_once() -> None:
    ct = volume()
    editing = Editing(editable(None, ct), ct)
    box = {"slice": 1, "box": [2, 3, 4, 6]}
    ones, twos = np.full((2, 3), 1, np.uint8), np.full((2, 3), 2, np.uint8)
    assert paint(editing, 0, box, ones)["id"] == 0
    early = paint(editing, 2, box, twos)
    assert (early["id"], early["missing"]) == (0, True)
    assert (editing.mask().values[1, 2:4, 3:6] == 1).all()
    assert paint(editing, 1, {"slice": 3, "box": [0, 0, 1, 1]}, np.array([[1]], np.uint8))["id"] == 1
    assert paint(editing, 2, box, twos)["id"] == 2
    again = paint(editing, 1, box, ones)
    assert (again["id"], again["missing"]) == (2, False)
    assert (editing.mask().values[1, 2:4, 3:6] == 2).all()
    assert paint(editing, 0, box, ones, session="another page")["id"] == 0
    assert int((editing.mask() > 0).sum()) == 7


@pytest.mark.parametrize(
    ("part", "raw"),
    [
        ({"slice": 9, "box": [0, 0, 1, 1]}, b"\1"),
        ({"slice": -1, "box": [0, 0, 1, 1]}, b"\1"),
        ({"slice": 0, "box": [0, 0, 7, 1]}, b"\1" * 7),
        ({"slice": 0, "box": [2, 0, 2, 1]}, b""),
        ({"slice": 0, "box": [0, 0, 1, 2]}, b"\1"),
        ({"slice": 0, "box": [0, 0, 1, 2]}, b"\1" * 100_000),
        ({"slice": 0, "box": [0, 0, 1]}, b"\1"),
        ({"slice": "a", "box": [0, 0, 1, 1]}, b"\1"),
    ],
)
def test_a_patch_that_is_none_is_refused_and_changes_nothing(part: dict[str, Any], raw: bytes) -> None:
    ct = volume()
    editing = Editing(editable(None, ct), ct)
    assert paint(editing, 0, part, np.frombuffer(raw, np.uint8))["type"] == "refused"
    assert not editing.mask().any()
    content = {"type": "paint", "key": editing.source.key, "session": "s", "id": 0, "parts": [part]}
    reply = editing.answer(content, [b"no zlib"], ct)
    assert reply is not None
    assert reply[0]["type"] == "refused"
    assert editing.answer({**content, "key": "of another mask"}, [], ct) is None


def test_the_page_gets_the_slices_that_have_a_voxel_in_messages_of_bounded_size(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ct = volume((40, 30, 30))
    values = np.zeros(ct.shape, np.uint16)
    rng = np.random.default_rng(1)
    values[::3] = rng.integers(0, 400, values[::3].shape)
    editing = Editing(with_labels(xr.DataArray(values, coords=ct.coords, dims=ct.dims), {399: "odd"}), ct)
    monkeypatch.setattr("dicomlab.view.editing._MESSAGE", 3000)
    first: int | None = 0
    seen = np.zeros_like(values)
    messages = 0
    while first is not None:
        reply = editing.answer({"type": "load", "key": editing.source.key, "id": 0, "first": first}, [], ct)
        assert reply is not None
        told, buffers = reply
        assert sum(map(len, buffers)) < 3000 + 2 * 30 * 30
        for k, raw in zip(told["slices"], buffers, strict=True):
            seen[k] = np.frombuffer(zlib.decompress(raw), "<u2").reshape(30, 30)
        first, messages = told["next"], messages + 1
    assert (seen == values).all()
    assert messages > 3


def test_what_is_proposed_is_told_as_gains_and_losses() -> None:
    ct = volume()
    drawn = (ct > 1000).copy()
    drawn[1, 1:4, 1:4] = True
    drawn[1, 2, 2] = False
    drawn[3, 0, 0] = True
    editing = Editing(editable(drawn, ct), ct)
    for name, gained, lost in (("fillHoles", 1, 0), ("largest", 0, 1)):
        content = {"type": "propose", "key": editing.source.key, "id": 3, "op": name, "label": 1}
        reply = editing.answer(content, [], ct)
        assert reply is not None
        codes = np.concatenate([np.frombuffer(zlib.decompress(one), np.uint8) for one in reply[1]])
        assert ((codes == 1).sum(), (codes == 2).sum()) == (gained, lost), name
        assert (editing.mask() == drawn).all(), "the kernel only proposes"
    refused = editing.answer(
        {"type": "propose", "key": editing.source.key, "id": 4, "op": "rm -rf", "label": 1}, [], ct
    )
    assert refused is not None
    assert "there are" in refused[0]["error"]


def test_a_browser_edits_a_copy_of_the_first_mask_that_can_be() -> None:
    ct = volume()
    coarse = ct[::2] > 20
    liver = with_labels(ct > 100, Label(1, "liver", "#112233"))
    before = liver.copy(deep=True)
    browser = dl.browse(ct, masks=[coarse.rename("coarse"), liver], edit=True)
    assert [label.name for label in browser.labels] == ["coarse", "liver"]
    assert browser.mask is not None
    assert browser.mask.dtype == bool
    assert browser.mask.dicom.labels[0] == before.dicom.labels[0]
    assert (browser.mask == before).all()
    editing = browser._editing
    assert editing is not None
    paint(editing, 0, {"slice": 0, "box": [0, 0, 1, 1]}, np.array([[1]], np.uint8))
    assert bool(browser.mask[0, 0, 0])
    assert not before[0, 0, 0]
    assert (liver == before).all()
    assert browser.labels["liver"].ml == pytest.approx(float(browser.mask.sum()) * 2 * 0.9 * 0.8 / 1000)


def test_names_colours_and_new_labels_come_from_how_labels_are_drawn() -> None:
    browser = dl.browse(volume(), edit=True)
    assert browser.mask is not None
    assert browser.mask.dicom.labels.names == ["label 1"]
    browser.labels["label 1"].name = "left kidney"
    browser.labels["left kidney"].colour = "#00ff00"
    browser.labels["left kidney"].locked = True
    (label,) = browser.mask.dicom.labels
    assert (label.name, label.colour, label.side and label.side.meaning) == ("left kidney", "#00ff00", "Left")
    assert browser.labels["left kidney"].locked
    browser.mask = browser.mask
    assert browser.labels["left kidney"].locked, "how labels are drawn stays, by their names"
    other = dl.browse(volume(), masks=(volume() > 5).rename("bone"))
    with pytest.raises(DicomLabError, match="edited"):
        other.labels["bone"].locked = True


def test_a_label_that_went_or_is_not_named_yet_is_no_part_of_the_first() -> None:
    ct = volume()
    editing = Editing(editable((ct > 100).rename("liver"), ct), ct)
    before = editing.mask()
    assert before.dtype == bool
    paint(editing, 0, {"slice": 0, "box": [0, 0, 1, 2]}, np.full((1, 2), 2, np.uint8))
    mask = editing.mask()
    assert mask.values[0, 0, :3].tolist() == [2, 2, 0]
    assert mask.dicom.labels.table["voxels"].tolist() == [int(before.sum()), 2]
    paint(editing, 1, {"slice": 0, "box": [0, 0, 1, 2]}, np.zeros((1, 2), np.uint8))
    assert editing.mask().identical(before)


def test_how_labels_are_drawn_of_the_mask_before_comes_too_late() -> None:
    ct = volume()
    browser = dl.browse(ct, masks=(ct > 100).rename("liver"), edit=True)
    late = [[{**look, "visible": False} for look in looks] for looks in browser._labels]
    lungs = with_labels((ct > 50).astype("uint8") + (ct > 150).astype("uint8"), ["left lung", "right lung"])
    browser.mask = lungs
    browser.set_state({"_labels": late, "zoom": 3.0})
    assert browser.zoom == 3.0
    assert browser.mask is not None
    assert browser.mask.dicom.labels.names == ["left lung", "right lung"]
    assert [label.name for label in browser.labels] == ["left lung", "right lung"]
    now = [[{**look, "visible": False} for look in looks] for looks in browser._labels]
    browser.set_state({"_labels": now})
    assert not browser.labels["left lung"].visible
    added = {**now[0][0], "value": 3, "name": "tumour"}
    browser.set_state({"_labels": [[*now[0], added]]})
    assert browser.mask.dicom.labels.names == ["left lung", "right lung", "tumour"]


def test_masks_with_steps_or_overlaps_or_of_another_grid_are_refused() -> None:
    ct = volume()
    steps = xr.concat([ct > 3, ct > 5], dim="time")
    with pytest.raises(GeometryError, match="isel"):
        editable(steps, ct)
    with pytest.raises(DicomLabError, match="overlap"):
        editable(stacked({"a": ct > 3, "b": ct > 5}), ct)
    with pytest.raises(GeometryError, match="reindex_like"):
        editable((ct > 3)[1:], ct)
    apart = editable(stacked({"a": ct > 100, "b": ct < 5}), ct)
    assert apart.dicom.labels.names == ["a", "b"]


def test_of_a_volume_with_steps_one_mask_is_edited_for_all() -> None:
    ct = xr.concat([volume(), volume()], dim="time").assign_coords(time=[0.0, 1.0])
    browser = dl.browse(ct, edit=True)
    assert browser.mask is not None
    assert browser.mask.dims == ("slice", "row", "column")
    browser.steps = {"time": 1}
    assert browser.picture(60, 50).shape == (50, 60, 3)


def test_a_mask_is_edited_in_the_order_of_the_volumes_own_voxels() -> None:
    ct = (
        volume()
        .isel(row=slice(None, None, -1), slice=slice(None, None, -1))
        .transpose("column", "slice", "row")
    )
    browser = dl.browse(ct, edit=True)
    assert browser._editing is not None
    paint(browser._editing, 0, {"slice": 0, "box": [1, 2, 2, 3]}, np.array([[1]], np.uint8), ct=ct)
    assert browser.mask is not None
    assert float(ct.where(browser.mask > 0).sum()) == float(ct.isel(slice=0, row=1, column=2))


def test_refreshing_keeps_what_was_painted() -> None:
    ct = volume()
    browser = dl.browse(ct, masks=(ct > 100).rename("high"), edit=True)
    assert browser._editing is not None
    paint(browser._editing, 0, {"slice": 0, "box": [0, 0, 1, 1]}, np.array([[1]], np.uint8))
    browser.refresh()
    assert browser.mask is not None
    assert bool(browser.mask[0, 0, 0])
    browser.close()
    assert browser.mask is None


def test_a_brush_has_bounds() -> None:
    browser = dl.browse(volume(), edit=True)
    browser.brush = {"size": 3, "range": (0, 100)}
    assert browser.brush == {"size": 3.0, "sphere": False, "range": [0.0, 100.0], "label": 1}
    for wrong in (
        {"size": 0},
        {"range": (3, 1)},
        {"range": "ab"},
        {"label": 0},
        {"width": 3},
        {"size": "large"},
    ):
        with pytest.raises(DicomLabError):
            browser.brush = wrong
    assert browser.brush["size"] == 3.0
