"""Whole-slide images: tiles in their places, on the slide in mm, and only those decoded that are looked at."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import highdicom as hd
import numpy as np
import pydicom
import pytest
import xarray as xr
from flat_support import instances, item, save
from flat_support import slide as slide_of
from pydicom.dataset import Dataset
from support import SHARED, shared_data

from dicomlab import load_volume
from dicomlab.errors import DicomLabWarning, GeometryError, UnsupportedError
from dicomlab.read.flat_layout import flat_key, lay_out_flat
from dicomlab.read.stored import StoredImage

TILE = (4, 5)
PIXELS = np.random.default_rng(1).integers(0, 255, (2, 2, 10, 13, 3), dtype=np.uint8)
"""Two optical paths, two focal planes, 10 x 13 pixels: 3 x 3 tiles, those at the edges padded."""


def tiles_of(paths: int = 1, planes: int = 1) -> list[tuple[tuple[int, int, int, int], np.ndarray]]:
    """Tiles in the order of TILED_FULL, each with its path, plane, row and column."""
    padded = np.full((2, 2, 12, 15, 3), 200, np.uint8)
    padded[:, :, :10, :13] = PIXELS
    return [
        ((p, z, r, c), padded[p, z, r : r + TILE[0], c : c + TILE[1]])
        for p in range(paths)
        for z in range(planes)
        for r in range(0, 10, TILE[0])
        for c in range(0, 13, TILE[1])
    ]


def dataset(tiles: list[tuple[tuple[int, int, int, int], np.ndarray]], **attributes: Any) -> Dataset:
    return slide_of(np.stack([pixels for _, pixels in tiles]), **attributes)


def sparse(tiles: list[tuple[tuple[int, int, int, int], np.ndarray]], **attributes: Any) -> Dataset:
    """The same with a position for every tile, in the order given."""
    groups = []
    for (path, plane, row, column), _ in tiles:
        place = item(
            RowPositionInTotalImagePixelMatrix=row + 1,
            ColumnPositionInTotalImagePixelMatrix=column + 1,
            XOffsetInSlideCoordinateSystem=23.5 - row * 0.002,
            YOffsetInSlideCoordinateSystem=25.25 - column * 0.001,
            ZOffsetInSlideCoordinateSystem=plane * 3.0,
        )
        groups.append(
            item(
                PlanePositionSlideSequence=[place],
                OpticalPathIdentificationSequence=[item(OpticalPathIdentifier="AB"[path])],
            )
        )
    made = dataset(tiles, DimensionOrganizationType="TILED_SPARSE", **attributes)
    made.PerFrameFunctionalGroupsSequence = groups
    return made


def load(folder: Path, made: Dataset) -> xr.DataArray:
    return load_volume(save(folder / "slide.dcm", made), progress=False)


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Which frames were decoded since the test emptied the list."""
    seen: list[int] = []
    read: Callable[..., Any] = StoredImage.read

    def watched(self: StoredImage, frame: int = 0, out: np.ndarray | None = None) -> Any:
        seen.append(frame)
        return read(self, frame, out)

    monkeypatch.setattr(StoredImage, "read", watched)
    return seen


def test_tiles_stand_in_their_places(tmp_path: Path) -> None:
    image = load(tmp_path, dataset(tiles_of()))
    assert image.dims == ("row", "column", "sample")
    np.testing.assert_array_equal(image, PIXELS[0, 0])
    assert image.attrs["slide_image"] == "VOLUME"


def test_tiles_with_positions_stand_in_them_whatever_their_order(tmp_path: Path) -> None:
    image = load(tmp_path, sparse(tiles_of(2, 2)[::-1]))
    assert image.dims == ("optical_path", "focal_plane", "row", "column", "sample")
    np.testing.assert_array_equal(image, PIXELS)
    assert image.optical_path.values.tolist() == ["A", "B"]
    np.testing.assert_allclose(image.focal_plane, [0, 3])  # micrometres


def test_tiled_full_counts_columns_rows_focal_planes_and_optical_paths(tmp_path: Path) -> None:
    paths = [item(OpticalPathIdentifier=name) for name in ("blue", "red")]
    made = dataset(
        tiles_of(2, 2), TotalPixelMatrixFocalPlanes=2, NumberOfOpticalPaths=2, OpticalPathSequence=paths
    )
    image = load(tmp_path, made)
    np.testing.assert_array_equal(image, PIXELS)
    assert image.optical_path.values.tolist() == ["blue", "red"]
    np.testing.assert_allclose(image.focal_plane, [0, 3])  # Spacing Between Slices 0.003 mm


def test_a_part_equals_the_part_of_the_whole_and_decodes_its_tiles_alone(
    tmp_path: Path, decoded: list[int]
) -> None:
    image = load(tmp_path, sparse(tiles_of(2, 2)))
    parts: list[tuple[Any, ...]] = [
        (0, 1, slice(0, 4), slice(0, 5)),
        (1, slice(None), 7, slice(None)),
        (slice(None), 0, slice(3, 9, 2), slice(12, 2, -3), 1),
        (0, 0, [1, 9, 4], [0, 12]),
        (0, 0, -1, -1, -1),
        (0, 0, slice(4, 4), slice(None)),
    ]
    for part in parts:
        decoded.clear()
        found = image[part]
        assert not decoded  # nothing is decoded before it is looked at
        dims = [k if not isinstance(k, list) else np.array(k) for k in part]
        expected = PIXELS[tuple(dims[:2])][..., :, :, :]
        for axis, key in enumerate(dims[2:]):
            keep = expected.ndim - (3 - axis)
            expected = np.take(expected, np.atleast_1d(np.arange(expected.shape[keep])[key]), keep)
        lone = [expected.ndim - 3 + axis for axis, key in enumerate(dims[2:]) if isinstance(key, int)]
        np.testing.assert_array_equal(found, expected.squeeze(tuple(lone)))
    decoded.clear()
    image[0, 0, 0:4, 0:5].load()
    assert decoded == [0]
    decoded.clear()
    image[1, 1, 3:5, 4:6].load()  # the corner where four tiles meet
    assert sorted(decoded) == [27, 28, 30, 31]


def test_neither_looking_at_the_card_nor_cropping_decodes_a_tile(tmp_path: Path, decoded: list[int]) -> None:
    image = load(tmp_path, dataset(tiles_of()))
    decoded.clear()
    assert "10 × 13 × 3 (row, column, sample)" in repr(image.dicom)
    repr(image)
    image._repr_html_()
    image.dicom._repr_html_()
    image.isel(row=slice(2, 5)).dicom.slide_position([0, 0])
    assert decoded == []


def test_a_slide_can_be_copied_pickled_and_cut_into_chunks(tmp_path: Path) -> None:
    image = load(tmp_path, sparse(tiles_of(2, 2)))
    for twin in (
        image.copy(deep=True),
        pickle.loads(pickle.dumps(image)),
        image.chunk({"row": 3, "column": 4}),
    ):
        np.testing.assert_array_equal(twin, PIXELS)


def test_rows_and_columns_are_millimetres_on_the_slide(tmp_path: Path) -> None:
    made = dataset(tiles_of())
    image = load(tmp_path, made)
    assert image.image_plane.item() == "slide"
    np.testing.assert_allclose(image.row, np.arange(10) * 0.002)
    np.testing.assert_allclose(image.column, np.arange(13) * 0.001)
    way = hd.spatial.PixelToReferenceTransformer(
        image_position=(23.5, 25.25, 0.0),
        image_orientation=made.ImageOrientationSlide,
        pixel_spacing=[0.002, 0.001],
    )
    pixels = np.array([[0, 0], [9, 0], [3, 12]])
    expected = way(pixels[:, ::-1])[:, :2]  # highdicom counts (column, row)
    np.testing.assert_allclose(image.dicom.slide_position(pixels), expected)
    part = image[2:, ::3]
    np.testing.assert_allclose(part.dicom.slide_position([1, 4]), way(np.array([[12, 3]]))[0, :2])
    with pytest.raises(GeometryError, match="no place in the patient"):
        _ = image.dicom.affine


def test_a_slide_that_does_not_say_where_it_lies_keeps_its_millimetres(tmp_path: Path) -> None:
    made = dataset(tiles_of())
    del made.TotalPixelMatrixOriginSequence
    image = load(tmp_path, made)
    assert image.dicom.spacing == (0.002, 0.001)
    with pytest.raises(GeometryError, match=r"\(0048,0008\)"):
        image.dicom.slide_position([0, 0])


def test_a_label_without_spacing_is_counted_in_pixels(tmp_path: Path) -> None:
    made = dataset(tiles_of(), ImageType=["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
    del made.SharedFunctionalGroupsSequence
    image = load(tmp_path, made)
    assert image.image_plane.item() == "pixels"
    assert image.attrs["slide_image"] == "LABEL"


def test_absent_tiles_are_white_and_reported(tmp_path: Path) -> None:
    tiles = tiles_of()
    path = save(tmp_path / "slide.dcm", sparse([tiles[0], *tiles[2:]]))
    (finding,) = lay_out_flat(instances(path)).findings
    assert (finding.code, finding.size, finding.unit) == ("missing_tiles", 1, "tiles")
    with pytest.warns(DicomLabWarning, match="missing_tiles"):
        image = load_volume(path, progress=False)
    expected = PIXELS[0, 0].copy()
    expected[0:4, 5:10] = 255
    np.testing.assert_array_equal(image, expected)


def test_the_parts_of_a_concatenation_are_one_level(tmp_path: Path) -> None:
    tiles = tiles_of()
    for number, (first, last) in enumerate([(0, 4), (4, 9)]):
        made = dataset(tiles[first:last], ConcatenationUID="1.2.9", ConcatenationFrameOffsetNumber=first)
        save(tmp_path / f"{number}.dcm", made)
    parts = instances(tmp_path)
    assert len({flat_key(part) for part in parts}) == 1
    np.testing.assert_array_equal(load_volume(tmp_path, progress=False), PIXELS[0, 0])
    (finding,) = lay_out_flat(parts[:1]).findings  # and a part alone lacks the others
    assert finding.code == "missing_tiles"


def test_two_levels_are_two_images(tmp_path: Path) -> None:
    for number in (1, 2):
        save(tmp_path / f"{number}.dcm", dataset(tiles_of(), InstanceNumber=number))
    one, other = instances(tmp_path)
    assert flat_key(one) != flat_key(other)


BROKEN: list[tuple[dict[str, Any], str]] = [
    ({"TotalPixelMatrixRows": 0}, "no size"),
    ({"TotalPixelMatrixColumns": 4_000_000_000}, "absurd"),
    ({"TotalPixelMatrixRows": 4}, "needs 3 frames"),
    ({"TotalPixelMatrixFocalPlanes": 2, "SharedFunctionalGroupsSequence": []}, "how far they are apart"),
]


@pytest.mark.parametrize(("changes", "message"), BROKEN)
def test_a_slide_that_contradicts_itself_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(UnsupportedError, match=message):
        load(tmp_path, dataset(tiles_of(), **changes))


def test_tiles_outside_the_slide_or_in_one_place_are_refused(tmp_path: Path) -> None:
    tiles = tiles_of()
    with pytest.raises(UnsupportedError, match="outside"):
        load(tmp_path, sparse([*tiles[:-1], ((0, 0, 40, 0), tiles[-1][1])]))
    with pytest.raises(UnsupportedError, match="1 tiles lie where another"):
        load(tmp_path, sparse([*tiles[:-1], tiles[0]]))
    made = sparse(tiles)
    del made.PerFrameFunctionalGroupsSequence[3].PlanePositionSlideSequence
    with pytest.raises(UnsupportedError, match="frame 4"):
        load(tmp_path, made)


def test_a_slide_larger_than_memory_is_refused_when_all_of_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = sparse(tiles_of()[:1], TotalPixelMatrixRows=1 << 21, TotalPixelMatrixColumns=1 << 21)
    with pytest.warns(DicomLabWarning, match="missing_tiles"):
        image = load(tmp_path, made)
    np.testing.assert_array_equal(image[:4, :5], PIXELS[0, 0, :4, :5])
    with pytest.raises(UnsupportedError, match="GiB of this slide"):
        image.load()
    monkeypatch.setattr("dicomlab.read.tiles.READ_LIMIT", 100)
    with pytest.raises(UnsupportedError, match="take a part"):
        image[:20, :20].load()


real = pytest.mark.skipif(not (SHARED / "unpack.py").is_file(), reason=f"no real DICOM at {SHARED}")


@real
@pytest.mark.parametrize("file", ["sm_image.dcm", "sm_image_grayscale.dcm", "sm_image_numbers.dcm"])
def test_a_real_slide_equals_what_highdicom_makes_of_it(file: str) -> None:
    path = shared_data() / "seg-highdicom-a" / file
    image = load_volume(path, progress=False)
    other = hd.imread(path)
    expected = other.get_total_pixel_matrix(apply_palette_color_lut=False, apply_icc_profile=False)
    np.testing.assert_array_equal(image.values, expected)
    header = pydicom.dcmread(path)
    origin = header.TotalPixelMatrixOriginSequence[0]
    way = hd.spatial.PixelToReferenceTransformer(
        image_position=(
            float(origin.XOffsetInSlideCoordinateSystem),
            float(origin.YOffsetInSlideCoordinateSystem),
            0.0,
        ),
        image_orientation=header.ImageOrientationSlide,
        pixel_spacing=header.SharedFunctionalGroupsSequence[0].PixelMeasuresSequence[0].PixelSpacing,
    )
    pixels = np.array([[0, 0], [49, 0], [7, 31]])
    np.testing.assert_allclose(image.dicom.slide_position(pixels), way(pixels[:, ::-1])[:, :2], atol=1e-9)


@pytest.mark.parametrize("overlap", [1, 3])
def test_a_gap_is_told_though_other_tiles_overlap(tmp_path: Path, overlap: int) -> None:
    rows, columns = (0, 4 - overlap, 6), (0, 5, 8)
    tiles = [((0, 0, r, c), np.full((4, 5, 3), 9, np.uint8)) for r in rows for c in columns]
    gapless = [((0, 0, r, c), np.full((4, 5, 3), 9, np.uint8)) for r in (0, 3, 6) for c in columns]
    assert not lay_out_flat(instances(save(tmp_path / "b.dcm", sparse(gapless)))).findings
    path = save(tmp_path / "a.dcm", sparse(tiles if overlap == 3 else gapless[:6] + gapless[7:]))
    (finding,) = lay_out_flat(instances(path)).findings
    with pytest.warns(DicomLabWarning, match="missing_tiles"):
        image = load_volume(path, progress=False)
    white = int((image.values[..., 0] == 255).sum())
    assert white > 0
    assert finding.size == pytest.approx(white / 20)
