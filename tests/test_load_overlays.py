"""Overlays as masks on the grid of their volume, against what pydicom reads and what was drawn."""

from pathlib import Path

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from support import SHARED, SMALL, datasets, shared_data, truth, write

import dicomlab as dl
from dicomlab import phantom


def draw(
    one: Dataset, group: int, mask: np.ndarray, origin: tuple[int, int] = (1, 1), kind: str = "G"
) -> None:
    """Put an overlay into a data set; the origin counts from 1 (C.9.2)."""
    one.add_new(Tag(group, 0x10), "US", mask.shape[0])
    one.add_new(Tag(group, 0x11), "US", mask.shape[1])
    one.add_new(Tag(group, 0x40), "CS", kind)
    one.add_new(Tag(group, 0x50), "SS", list(origin))
    one.add_new(Tag(group, 0x100), "US", 1)
    one.add_new(Tag(group, 0x102), "US", 0)
    bits = np.packbits(mask.ravel(), bitorder="little").tobytes()
    one.add_new(Tag(group, 0x3000), "OW", bits + b"\0" * (len(bits) % 2))


def test_overlays_lie_on_the_slices_they_were_drawn_on(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    masks = rng.random((2, *SMALL)) > 0.6
    images = datasets()
    for k, one in enumerate(images):
        draw(one, 0x6000, masks[0, k])
        if k % 2:
            draw(one, 0x6002, masks[1, k], kind="R")
    folder = write(tmp_path, images[::-1])
    drawn = dl.load_overlays(folder)
    assert drawn.dims == ("overlay", "slice", "row", "column")
    assert drawn.dtype == np.bool_
    assert drawn.overlay.values.tolist() == ["6000", "6002"]
    assert drawn.kind.values.tolist() == ["G", "R"]
    np.testing.assert_array_equal(drawn[0], masks[0])
    np.testing.assert_array_equal(drawn[1, 1::2], masks[1, 1::2])
    assert not drawn[1, ::2].any()
    np.testing.assert_allclose(drawn[0].dicom.affine, truth().affine, atol=1e-3)
    outside = dl.load_volume(folder).where(~drawn.sel(overlay="6000"))
    assert int(outside.isnull().sum()) == int(masks[0].sum())
    for file in folder.iterdir():
        other = pydicom.dcmread(file)
        z = float(other.ImagePositionPatient[2])
        np.testing.assert_array_equal(
            other.overlay_array(0x6000), drawn.sel(overlay="6000").sel(slice=z, method="nearest")
        )


@pytest.mark.parametrize("origin", [(1, 1), (3, 4), (-2, -1), (10, 1), (1, 9), (40, 40)])
def test_an_overlay_reaches_beyond_the_image_without_being_shifted(
    tmp_path: Path, origin: tuple[int, int]
) -> None:
    mask = np.random.default_rng(5).random((7, 5)) > 0.4
    (one,) = datasets()[:1]
    draw(one, 0x6010, mask, origin)
    drawn = dl.load_overlays(write(tmp_path, [one])).values[0, 0]
    expected = np.zeros(SMALL[1:], bool)
    for i, j in np.argwhere(mask):
        row, column = i + origin[0] - 1, j + origin[1] - 1
        if 0 <= row < SMALL[1] and 0 <= column < SMALL[2]:
            expected[row, column] = True
    np.testing.assert_array_equal(drawn, expected)


def test_a_series_without_overlays_says_so(tmp_path: Path) -> None:
    with pytest.raises(dl.DicomLabError, match=r"none of the 6 file\(s\) of this stack has an overlay"):
        dl.load_overlays(write(tmp_path, datasets()))


def test_overlays_of_a_cine_follow_its_frames(tmp_path: Path) -> None:
    phantom.write_kind("us_cine", tmp_path)
    (file,) = tmp_path.iterdir()
    one = pydicom.dcmread(file)
    masks = np.random.default_rng(6).random((2, one.Rows, one.Columns)) > 0.5
    draw(one, 0x6000, masks.reshape(-1, one.Columns))
    one[Tag(0x6000, 0x10)].value = one.Rows
    one.add_new(Tag(0x6000, 0x15), "IS", 2)
    one.add_new(Tag(0x6000, 0x51), "US", 3)  # the first overlay frame belongs to the third image frame
    one.save_as(file)
    drawn = dl.load_overlays(tmp_path)
    assert drawn.dims == ("overlay", "time", "row", "column")
    np.testing.assert_array_equal(drawn[0, 2:4], masks)
    assert not drawn[0, [0, 1, 4]].any()


@pytest.mark.skipif(not (SHARED / "unpack.py").is_file(), reason=f"no real DICOM at {SHARED}")
def test_the_overlay_of_a_real_mammogram_is_that_of_pydicom() -> None:
    (series,) = [s for s in dl.find_series(shared_data() / "xr-a", progress=False) if s.modality == "MG"]
    drawn = dl.load_overlays(series)
    other = pydicom.dcmread(series.instances[0].file.path)
    assert drawn.sizes["row"] == other.Rows
    for group in drawn.overlay.values:
        theirs = other.overlay_array(int(group, 16))
        origin = [int(x) - 1 for x in other[Tag(int(group, 16), 0x50)].value]
        rows, columns = np.nonzero(theirs)
        rows, columns = rows + origin[0], columns + origin[1]
        inside = (rows >= 0) & (rows < other.Rows) & (columns >= 0) & (columns < other.Columns)
        expected = np.zeros((other.Rows, other.Columns), bool)
        expected[rows[inside], columns[inside]] = True
        np.testing.assert_array_equal(drawn.sel(overlay=group), expected)
