"""What the pages under docs say is true: recipes run, tables hold what the code has, xarray forgets what is listed."""

from __future__ import annotations

import inspect
import pickle
import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pydicom
import pytest
import xarray as xr
from flat_support import write_pictures
from support import write_seg

import dicomlab as dl
from dicomlab import errors
from dicomlab.findings import CODES
from dicomlab.flat import PLANES
from dicomlab.frames import FrameIndex
from dicomlab.indexes import AxisIndex

DOCS = Path(__file__).resolve().parent.parent / "docs"
RECIPES = (DOCS / "recipes.md").read_text(encoding="utf-8")
BROWSER = (DOCS / "browser.md").read_text(encoding="utf-8")
CONVENTIONS = (DOCS / "conventions.md").read_text(encoding="utf-8")


def rows(page: str, header: str) -> list[list[str]]:
    """Return the cells of the table below a header line."""
    lines = page.split(f"\n{header}\n", 1)[1].splitlines()[1:]
    count = next((number for number, line in enumerate(lines) if not line.startswith("|")), len(lines))
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[:count]]


@pytest.fixture(scope="module")
def recipes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Run every recipe in turn, as a reader would, and return the names they leave."""
    folder = tmp_path_factory.mktemp("recipes")
    study = dl.phantom.write_study(folder / "some" / "study", coarser=3)
    images = sorted(map(pydicom.dcmread, study.ct.files), key=lambda image: image.ImagePositionPatient[2])
    write_seg(
        folder / "some" / "masks", images, np.stack([image.pixel_array > 1200 for image in images])[..., None]
    )
    write_pictures(folder / "some")
    names = run(RECIPES, "docs/recipes.md", folder)
    plt.close("all")
    return names


def run(page: str, title: str, folder: Path) -> dict[str, object]:
    """Run the code of a page in turn, as a reader would, and return the names it leaves."""
    names: dict[str, object] = {}
    blocks = list(re.finditer(r"^```python\n(.*?)^```", page, flags=re.M | re.S))
    assert blocks
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MPLBACKEND", "Agg")
        for block in blocks:
            # The number of the line in the page is the number in the traceback.
            above = "\n" * (page[: block.start()].count("\n") + 1)
            exec(compile(above + block[1], title, "exec"), names)
    return names


def test_the_recipes_hear_what_happens_in_the_browser(recipes: dict[str, object]) -> None:
    assert recipes["seen"] == [("index", 13)]


def test_the_page_about_the_browser_does_what_it_says(tmp_path: Path) -> None:
    dl.phantom.write_study(tmp_path / "some" / "study", coarser=3)
    names = run(BROWSER, "docs/browser.md", tmp_path)
    assert names["moves"] == [12]
    browser, other = names["browser"], names["other"]
    np.testing.assert_allclose(other.position, browser.position)  # type: ignore[attr-defined]
    assert [path.suffix for path in sorted(tmp_path.glob("ct.*"))] == [".gif", ".html", ".png"]
    shown = re.findall(r"\]\(images/(.*?)\)", BROWSER)
    assert len(shown) == 11
    assert all((DOCS / "images" / name).exists() for name in shown)


@pytest.mark.parametrize("title", ["segmentation", "measuring", "headers"])
def test_the_code_of_a_page_runs(title: str, tmp_path: Path) -> None:
    dl.phantom.write_study(tmp_path / "some" / "study", coarser=3)
    page = (DOCS / f"{title}.md").read_text(encoding="utf-8")
    page = page.split("## What an attribute means")[0]  # tests/test_explain.py runs what comes after that
    names = run(page, f"docs/{title}.md", tmp_path)
    assert "ct" in names


def test_the_page_about_segmentation_names_every_helper() -> None:
    page = (DOCS / "segmentation.md").read_text(encoding="utf-8")
    missing = [
        name for name in dl.segment.__all__ if f"`{name}" not in page and f"`segment.{name}" not in page
    ]
    assert missing == []


def test_the_page_about_the_browser_names_every_key() -> None:
    source = (DOCS.parent / "dicomlab" / "view" / "js" / "keymap.js").read_text(encoding="utf-8")
    keys = re.search(r"export const KEYS = \{(.*?)\n\};", source, re.S)[1]  # type: ignore[index]
    bound = re.findall(r'^  "?([^":\s.]+)"?: "', keys, re.M)
    assert len(bound) > 25
    listed = " ".join(row[0] for row in rows(BROWSER, "| | does |"))
    for first, last in re.findall(r"(\d) … (\d)", listed):
        listed += " " + " ".join(map(str, range(int(first), int(last) + 1)))
    tokens = set(re.split(r"[\s,+;]+", listed))
    spoken = {"ArrowUp": "↑", "ArrowDown": "↓", "ArrowLeft": "←", "ArrowRight": "→", "Escape": "Esc"}
    for key in bound:
        for part in key.split("+"):
            wanted = {"PageUp": ["Page", "↑"], "PageDown": ["Page", "↓"]}.get(part, [spoken.get(part, part)])
            for word in wanted:
                assert (word if len(word) > 1 else word.upper()) in tokens, key


def test_two_linked_browsers_turn_together(recipes: dict[str, object]) -> None:
    recipes["one"].index = 5
    assert recipes["other"].index == 5


def test_the_image_given_to_nibabel_has_its_voxels_where_the_volume_has_them(
    recipes: dict[str, object],
) -> None:
    image, ct = recipes["image"], recipes["ct"]
    k, i, j = 4, 7, 9
    x, y, z = ct.dicom.lps([k, i, j])
    np.testing.assert_allclose(image.affine @ [j, i, k, 1], [-x, -y, z, 1])
    assert image.get_fdata()[j, i, k] == ct.values[k, i, j]


def test_a_saved_volume_has_its_affine_again(recipes: dict[str, object]) -> None:
    np.testing.assert_array_equal(recipes["again"].dicom.affine, recipes["ct"].dicom.affine)


def test_the_recipes_open_lazily_what_they_load(recipes: dict[str, object]) -> None:
    assert recipes["alike"] is True
    assert not recipes["slab"].variable._in_memory
    np.testing.assert_array_equal(recipes["highest"].values, recipes["ct"].max("slice").values)
    assert recipes["ct32"].dtype == np.float32


def test_a_volume_from_zarr_is_the_volume(recipes: dict[str, object]) -> None:
    assert recipes["again"].identical(recipes["ct"])


def test_a_series_goes_to_zarr_plane_by_plane_or_in_blocks(recipes: dict[str, object]) -> None:
    ct = recipes["ct"]
    assert recipes["large"].identical(ct)
    assert set(recipes["large"].encoding["chunks"]) == {1, *ct.shape[1:]}
    np.testing.assert_array_equal(recipes["plane"], ct[5])
    assert recipes["blocks"].data.chunksize == (16, 64, 64)


def test_paths_of_a_series_are_for_other_libraries(recipes: dict[str, object]) -> None:
    assert recipes["first"].SOPInstanceUID == recipes["series"][0].instances[0].text("SOPInstanceUID")


def test_the_recipes_for_many_series_make_a_row_of_each(recipes: dict[str, object]) -> None:
    table, saved = recipes["table"], recipes["saved"]
    assert list(table.modality) == ["CT", "MR", "PT"]
    assert table.error.isna().all()
    assert table.attrs["reused"] == 3
    assert list(saved.result) == [f"some/{uid}.zarr" for uid in table.uid]


def test_the_recipes_measure_radiographs_ultrasound_and_slides(recipes: dict[str, object]) -> None:
    assert recipes["radiograph"].dicom.spacing == (0.2, 0.1)
    assert (float(recipes["depth"]), float(recipes["across"])) == (20.0, 0.0)
    np.testing.assert_allclose(recipes["part"].dicom.slide_position([0, 0]), [23.5 - 2 * 0.002, 25.25])


def test_the_conventions_list_every_image_plane() -> None:
    listed = rows(CONVENTIONS, "| `image_plane` | `row` and `column` are |")
    assert listed == [[f"`{name}`", means] for name, means in PLANES.items()]


def test_the_recipes_list_every_code_of_a_finding() -> None:
    listed = rows(RECIPES, '| code | unless told otherwise | `"keep"` means | `"repair"` means |')
    wanted = [[f"`{name}`", c.default, c.keep or "–", c.repair or "–"] for name, c in CODES.items()]
    assert listed == wanted


def test_the_recipes_list_every_class_of_errors() -> None:
    listed = rows(RECIPES, "| class | says |")
    assert sorted(name for name, _ in listed) == sorted(f"`{name}`" for name in errors.__all__)
    for name, says in listed:
        assert says == str(inspect.getdoc(getattr(errors, name.strip("`")))).splitlines()[0]


def test_the_recipes_list_every_window() -> None:
    ((modality, names),) = rows(RECIPES, "| for | names, with width / centre in HU |")
    windows = dl.WINDOWS[modality]
    assert names.split(", ") == [f"{name} {w.width:g}/{w.center:g}" for name, w in windows.items()]
    assert [other for other, named in dl.WINDOWS.items() if named] == [modality]


def saved_and_loaded(volume: xr.DataArray) -> xr.DataArray:
    return xr.load_dataarray(volume.to_netcdf())


def left_after(volume: xr.DataArray) -> str:
    """Say, in the words of the table, what of positions and guards an array still has."""
    axes = [dim for dim in ("slice", "row", "column") if dim in volume.dims]
    unguarded = [dim for dim in axes if not isinstance(volume.xindexes.get(dim), AxisIndex)]
    framed = isinstance(volume.xindexes.get("frame_of_reference"), FrameIndex)
    if len(axes) == volume.ndim == 2 and framed and not unguarded:
        return "all, for the axes that are left"
    try:
        geometry = volume.dicom.geometry
    except dl.DicomLabError:
        return "no positions along an axis, or no direction; `.dicom` raises"
    if not all(np.isfinite(positions).all() for positions in geometry.positions):
        assert unguarded
        return "NaN for the positions of the voxels added, without the guard of that axis"
    if framed and not unguarded:
        return "all"
    return "positions, without the guards of the axes touched" if framed else "positions, without any guard"


FORGOTTEN = [
    (left, operation)
    for left, cell in rows(CONVENTIONS, "| left afterwards | after |")
    for operation in re.findall(r"`([^`]+)`", cell)
]


@pytest.mark.parametrize(("left", "operation"), FORGOTTEN, ids=[operation for _, operation in FORGOTTEN])
def test_xarray_forgets_what_the_conventions_say(left: str, operation: str) -> None:
    affine = np.array([[0, 0, 0.5, -3], [0, 0.5, 0, -3], [2.0, 0, 0, -8], [0, 0, 0, 1]])
    values = np.random.default_rng(0).integers(-1000, 1000, (8, 12, 14), dtype=np.int16)
    volume = dl.make_volume(values, affine=affine, frame_of_reference="1.2.3")
    names = {
        "volume": volume,
        "np": np,
        "xr": xr,
        "pickle": pickle,
        "saved_and_loaded": saved_and_loaded,
    }
    assert left_after(eval(operation, names)) == left


SILENT = [
    operation
    for cell, _ in rows(CONVENTIONS, "| no error | what comes out |")
    for operation in re.findall(r"`([^`]+)`", cell)
]


@pytest.mark.parametrize("operation", SILENT)
def test_what_goes_unnoticed_is_what_the_conventions_name(operation: str) -> None:
    axial = np.eye(4)[[2, 1, 0, 3]] * [1, 0.5, 1, 1]
    coronal = axial[[0, 2, 1, 3]] * [-1, 1, 1, 1]
    volume, other, turned = (
        dl.make_volume(np.ones((4, 6, 4)), affine=affine, frame_of_reference=frame)
        for affine, frame in ((axial, "1.2.3"), (axial, "1.2.4"), (coronal, "1.2.3"))
    )
    names = {
        "volume": volume,
        "other": other,
        "turned": turned,
        "np": np,
        "xr": xr,
        "saved_and_loaded": saved_and_loaded,
    }
    result = eval(operation, names)
    if "other.coarsen(row=2)" in operation:
        with pytest.raises(dl.DicomLabError):
            _ = result.dicom.geometry
    elif operation.endswith(".equals(turned)"):
        assert result
        assert not volume.identical(turned)
        assert not volume.dicom.same_grid(turned)
    elif isinstance(result, xr.DataArray):
        assert result.dicom.frame_of_reference == "1.2.3"
        assert result.size
        np.testing.assert_array_equal(result.dicom.direction, volume.dicom.direction)
    # Guarded again, two frames or directions are refused; interp_like() and what was asked for are what is left.
    lost = r"((?:volume|other|turned)\.coarsen\(row=.\)\.mean\(\)|other\.drop_indexes\([^)]*\)|saved_and_loaded\(other\))"
    restored = re.sub(lost, r"\1.dicom.restore()", operation)
    if restored != operation:
        with pytest.raises(xr.AlignmentError, match=r"frame of reference|orientation"):
            eval(restored, names)


def test_an_unguarded_result_and_a_guarded_volume_do_not_meet() -> None:
    volume = dl.make_volume(np.zeros((8, 4, 4)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    with pytest.raises(xr.AlignmentError):
        volume.interp(slice=[1.0, 2.0]) + volume


def test_a_volume_and_a_crop_meet_where_both_have_voxels() -> None:
    volume = dl.make_volume(np.zeros((30, 4, 4)), affine=np.eye(4), frame_of_reference="1.2.3")
    assert (volume + volume[10:20]).sizes["slice"] == 10
