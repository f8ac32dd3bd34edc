"""What a picture says about itself, and that a mask is shown as a mask."""

from __future__ import annotations

import base64
import io

import matplotlib
import numpy as np
import pytest
import xarray as xr
from PIL import Image

import dicomlab as dl
from dicomlab.errors import GeometryError
from dicomlab.phantom import PhantomStudy
from dicomlab.view.browser import browse
from dicomlab.view.cut import Cut, first_cut
from dicomlab.view.grid import Grid
from dicomlab.view.source import Source
from dicomlab.view.state import PLANES, patient_side

matplotlib.use("Agg")
import matplotlib.pyplot as plt


@pytest.fixture(autouse=True)
def _no_figures_left():
    yield
    plt.close("all")


@pytest.fixture
def ct(phantom_study: PhantomStudy) -> xr.DataArray:
    return phantom_study.ct.truth.volume.assign_attrs(
        WindowCenter=[50.0], WindowWidth=[400.0], WindowCenterWidthExplanation="BONE"
    )


def texts(artist) -> list[str]:
    return [text.get_text() for text in artist.findobj(matplotlib.text.Text) if text.get_text()]


def meta_of(volume: xr.DataArray) -> dict:
    return Source(volume).describe(memory=1 << 20)


def cut_of(volume: xr.DataArray, *args, **options) -> Cut:
    return first_cut(Grid.from_volume(volume), *args, **options)


# ---- masks -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("modality", ["CT", "PT"])
def test_a_mask_is_white_on_black_whatever_xarray_kept_of_its_image(ct, modality):
    mask = (ct > 300).copy(data=ct.values > 300).assign_attrs({**ct.attrs, "Modality": modality})
    assert mask.attrs["units"] == "HU", "xarray keeps attributes; without them this test shows nothing"
    cut = cut_of(mask)
    assert cut.interpolation == "nearest"
    shown = cut.picture()
    assert set(np.unique(shown)) == {0, 255}
    assert shown.mean() / 255 == pytest.approx(mask.values[cut.index].mean(), rel=0.02)
    for draw in (dl.show, dl.montage, dl.orthoview):
        figure = draw(mask)
        figure = getattr(figure, "figure", figure)
        figure.canvas.draw()
        written = "\n".join(texts(figure))
        assert "W 1 L 0.5" in written
        assert "HU" not in written
        picture_axes = figure.axes[0].images[0]
        assert set(np.unique(picture_axes.get_array())) == {0, 255}


def test_the_browser_of_a_mask_offers_no_window_of_the_image(ct):
    meta = meta_of(ct.copy(data=ct.values > 300))
    assert [preset["name"] for preset in meta["presets"]] == ["auto"]
    assert browse(ct.copy(data=ct.values > 300)).window == dl.Window(0.5, 1.0, "LINEAR_EXACT")
    assert (meta["units"], meta["smooth"], meta["invert"]) == ("", False, False)
    assert meta_of(ct)["smooth"] is True


def test_a_mask_is_smoothed_only_when_asked(ct):
    mask = ct.copy(data=ct.values > 300)
    assert cut_of(mask, interpolation="linear").interpolation == "linear"
    assert cut_of(ct).interpolation == "linear"


# ---- places ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("vector", "mm", "text"),
    [
        ((1, 0, 0), 76.8, "76.8 mm L"),
        ((1, 0, 0), -76.8, "76.8 mm R"),
        ((-1, 0, 0), -76.8, "76.8 mm L"),
        ((0, 0, 1), -16.04, "16.0 mm F"),
        ((0, -1, 0), 3, "3.0 mm A"),
        ((0, -0.8, 0.6), 17.94, "17.9 mm AH"),
        ((0, 0, 1), -0.04, "0.0 mm H"),
        ((0, 0, 1), 12.25, "12.3 mm H"),
        ((0, 0, 1), -12.25, "12.3 mm F"),
    ],
)
def test_a_distance_names_the_side_of_the_patient_instead_of_a_sign(vector, mm, text):
    assert patient_side(vector, mm) == text


@pytest.mark.parametrize("plane", PLANES)
@pytest.mark.parametrize("place", [-30.0, 31.0])
def test_every_picture_names_the_same_side_which_is_that_of_the_patient(plane, place, ct):
    axis = {"sagittal": 0, "coronal": 1, "axial": 2}[plane]
    shape, centre = (
        ct.shape,
        np.mean([ct.dicom.lps([0, 0, 0]), ct.dicom.lps(np.subtract(ct.shape, 1))], axis=0),
    )
    affine = ct.dicom.affine.copy()
    affine[:3, 3] += place - centre
    moved = dl.make_volume(np.zeros(shape, np.int16), affine=affine, units="HU")
    middle = float(moved.dicom.lps(np.array(shape) // 2)[axis])
    side = ("RL", "AP", "FH")[axis][middle > 0]
    expected = f"{abs(middle):.1f} mm {side}"
    assert any(expected in text for text in texts(dl.show(moved, plane=plane, window=(0, 10)).figure))
    assert any(expected in text for text in texts(dl.orthoview(moved, window=(0, 10))))
    one = dl.montage(moved, plane=plane, window=(0, 10), indexes=[cut_of(moved, plane).index])
    assert any(expected in text for text in texts(one))


def test_windows_of_the_file_and_presets_of_one_name_are_told_apart(ct):
    names = [preset["name"] for preset in meta_of(ct)["presets"]]
    assert names[:2] == ["BONE (file)", "auto"]
    assert "bone" in names
    unnamed = ct.assign_attrs(WindowCenterWidthExplanation="")
    assert meta_of(unnamed)["presets"][0]["name"] == "file window"


# ---- figures ---------------------------------------------------------------------------------------------------------


def test_two_pictures_side_by_side_keep_out_of_each_others_room(ct):
    figure, axes = plt.subplots(1, 2, figsize=(8, 4))
    for ax, window in zip(axes, ("bone", "lung"), strict=True):
        dl.show(ct, window=window, ax=ax)
    figure.canvas.draw()
    left, right = ([ax, bar] for ax, bar in zip(figure.axes[:2], figure.axes[2:], strict=True))
    edges = [max(one.get_tightbbox().x1 for one in left), min(one.get_tightbbox().x0 for one in right)]
    assert edges[0] < edges[1]
    assert axes[0].get_title(loc="left").count("\n") == 1
    assert max(one.get_tightbbox().x1 for one in right) <= figure.bbox.x1


def test_drawing_again_into_the_same_axes_leaves_one_colour_bar(ct):
    figure, ax = plt.subplots()
    for index in (3, 4):
        ax.clear()
        dl.show(ct, index=index, ax=ax)
    assert len(figure.axes) == 2


# ---- the browser ---------------------------------------------------------------------------------------------------------


def test_a_browser_opens_at_the_index_asked_for(ct):
    browser = browse(ct, index=-1)
    assert browser.index == ct.sizes["slice"] - 1
    assert browser.position == pytest.approx(list(ct.dicom.lps(browser._voxel())))
    browser.close()
    browser = browse(ct, plane="sagittal", index=4)
    assert (browser.index, browser._voxel()[2]) == (4, 4)
    browser.close()
    with pytest.raises(GeometryError, match="Index 999"):
        browse(ct, index=999)


def test_a_mistyped_setting_is_refused_with_the_names_there_are(ct):
    browser = browse(ct)
    for name in ("windows", "slice", "Index"):
        with pytest.raises(AttributeError, match=rf"'{name}'.*cmap, .*index, .*window, zoom"):
            setattr(browser, name, 3)
    browser.zoom = 2
    browser.panes = "planes"
    browser.layout.width = "50%"
    browser._mine = 1
    browser.add_traits()
    assert browser.window == dl.Window(50, 400)
    browser.close()


@pytest.mark.parametrize("kept", ["one <b>: 1 mm\ntwo", ["one <b>: 1 mm", "two"]])
def test_findings_reach_the_viewer_as_text(ct, kept):
    found = ct.assign_attrs(findings=kept)
    assert meta_of(found)["findings"] == ["one <b>: 1 mm", "two"]
    assert meta_of(found.copy(data=found.values > 0))["findings"] == ["one <b>: 1 mm", "two"]
    browser = browse(found)
    assert "<b>" not in browser.to_html().text
    browser.close()
    ct.attrs.pop("findings", None)
    assert meta_of(ct)["findings"] == []


def test_the_still_of_a_mask_has_hard_edges(ct):
    mask = ct.copy(data=ct.values > 300)
    browser = browse(mask)
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(bundle[0]["image/png"]))))
    middle = shown[60:-60, 60:-60]
    assert np.isin(middle, (0, 255)).mean() > 0.99
    browser.close()


def test_a_window_of_tiny_numbers_is_not_written_as_zeros():
    assert str(dl.Window(4.99e-15, 9.987e-15, "LINEAR_EXACT")) == "W 9.987e-15 L 4.99e-15"
