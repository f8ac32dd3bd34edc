"""Real series in a real page: values under pixels, places under the pointer and letters, by SimpleITK, pydicom and dcm2niix.

The data lie beside the project, see test_shared_data.py; where they are absent these tests are skipped with that reason.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import letters
import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
import xarray as xr
from playwright.sync_api import Browser
from support import SHARED, shared_data
from test_shared_geometry import files_of, truth, volume_of

import dicomlab as dl
from dicomlab.view.state import PLANES

from .alone import Alone, Show, pages

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not (SHARED / "truth.json").is_file(),
        reason=f"no real DICOM at {SHARED}: what the viewer shows was not compared with other readers on real files",
    ),
]


@pytest.fixture(scope="module")
def show(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Show]:
    with pages(chromium, tmp_path_factory.mktemp("pages")) as opened:
        yield opened


@dataclass(frozen=True)
class Slices:
    """Slices as ITK reads each of them by itself, in the order of their places; between them nobody but this formula mixes.

    So tilted gantries and uneven slices are as true as any: a point between two slices has its rows and columns in both of them
    where a line along the table meets them.
    """

    values: np.ndarray
    origins: np.ndarray
    row: np.ndarray  # LPS mm from column to column
    column: np.ndarray  # LPS mm from row to row

    @classmethod
    def of(cls, paths: list[Path]) -> Slices:
        images = [sitk.ReadImage(str(path)) for path in paths]
        values = [sitk.GetArrayFromImage(one)[0].astype(float) for one in images]
        for number, path in enumerate(paths):
            header = pydicom.dcmread(path)
            if header.PhotometricInterpretation == "MONOCHROME1":  # ITK turns these over
                values[number] = (
                    header.pixel_array * float(header.RescaleSlope) + float(header.RescaleIntercept)
                ).astype(float)
        direction = np.reshape(images[0].GetDirection(), (3, 3))
        dx, dy, _ = images[0].GetSpacing()
        origins = np.array([one.GetOrigin() for one in images])
        height = origins @ np.cross(direction[:, 0], direction[:, 1])
        order = np.argsort(height)
        return cls(np.array(values)[order], origins[order], direction[:, 0] * dx, direction[:, 1] * dy)

    @classmethod
    def of_object(cls, path: Path) -> Slices:
        """One object of many frames, as ITK places it."""
        image = sitk.ReadImage(str(path))
        direction = np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing()
        values = sitk.GetArrayFromImage(image).astype(float)
        origins = np.array(image.GetOrigin()) + np.arange(len(values))[:, None] * direction[:, 2]
        order = slice(None)
        if np.cross(direction[:, 0], direction[:, 1]) @ direction[:, 2] < 0:
            order = slice(None, None, -1)
        return cls(values[order], origins[order], direction[:, 0], direction[:, 1])

    def index(self, lps: np.ndarray) -> np.ndarray:
        """Fractional (slice, row, column) of positions (n, 3); beyond the ends by the first and last step."""
        normal = np.cross(self.row, self.column)
        normal = normal / np.linalg.norm(normal)
        heights, at = self.origins @ normal, lps @ normal
        below = np.clip(np.searchsorted(heights, at, side="right") - 1, 0, len(heights) - 2)
        share = (at - heights[below]) / (heights[below + 1] - heights[below])
        origin = self.origins[below] + share[:, None] * (self.origins[below + 1] - self.origins[below])
        offset = lps - origin
        return np.stack(
            [
                below + share,
                offset @ self.column / (self.column @ self.column),
                offset @ self.row / (self.row @ self.row),
            ],
            axis=1,
        )

    def at(self, lps: np.ndarray, *, nearest: bool) -> np.ndarray:
        """Values at positions (n, 3), of the nearest voxel or mixed linearly; the outer half voxel has that of the face."""
        index = np.clip(self.index(lps), 0, np.array(self.values.shape) - 1)
        if nearest:
            return np.asarray(self.values[tuple(np.floor(index + 0.5).astype(int).T)])
        low = np.minimum(np.floor(index).astype(int), np.array(self.values.shape) - 2)
        way = index - low
        total = np.zeros(len(lps))
        for corner in np.ndindex(2, 2, 2):
            weight = np.prod(np.where(corner, way, 1 - way), axis=1)
            total += weight * self.values[tuple((low + corner).T)]
        return total


SERIES = {
    "ct-head-phantom-philips/S2010": "HFS",
    "ct-tilt-ge-variable": "tilted gantry, uneven",
    "ct-contrast-kits": "FFS",
    "mr-t1-sag-philips": "sagittal",
    "mr-positions-a/HFP": "sagittal, prone",
    "mr-pd-ge-oblique": "oblique, rounded positions",
    "mr-dicom2nifti-a/fail_sliceincrement1": "a slice is missing",
    "pet-nema-phantom-1": "PET, MONOCHROME1",
    "mr-enh-xa30-a/5_T1": "enhanced",
    "mr-epi4d-ge/mr_0004": "4-D",
    "mr-fieldmap-philips/classic": "echoes and phases",
    "j2k": "JPEG 2000",
    "jpegls": "JPEG-LS",
}

# What is printed of the step that is looked at; `_echo_of` chooses the files by what pydicom reads of them.
STEPS = {
    "mr-epi4d-ge/mr_0004": ["repetition 8  (8/10)"],
    "mr-fieldmap-philips/classic": ["component phase  (2/2)", "echo time 4.6 ms  (2/2)"],
}


def opened(name: str) -> tuple[xr.DataArray, dict[str, int], Slices]:
    """A series as dicomlab has it, a step of it, and the slices of that step as others have them."""
    if name in ("j2k", "jpegls"):
        folder = shared_data() / "mr-dicom2nifti-a" / name
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dl.DicomLabWarning)
            volume = dl.load_volume(folder)
        return volume, {}, Slices.of(sorted(folder.glob("*.dcm")))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        volume = volume_of(name)
    paths = files_of(name)
    if len(paths) == 1:
        return volume, {}, Slices.of_object(paths[0])
    if name == "mr-epi4d-ge/mr_0004":
        return volume, {"repetition": 7}, Slices.of(_nth_of_each_place(paths, 7))
    if name == "mr-fieldmap-philips/classic":
        chosen = [path for path in paths if _echo_of(path) == (4.6, "P")]
        return volume, {"component": 1, "echo_time": 1}, Slices.of(chosen)
    return volume, {}, Slices.of(paths)


def _nth_of_each_place(paths: list[Path], n: int) -> list[Path]:
    places: dict[tuple[float, ...], list[tuple[int, Path]]] = {}
    for path in paths:
        header = pydicom.dcmread(path, stop_before_pixels=True)
        places.setdefault(tuple(header.ImagePositionPatient), []).append((int(header.InstanceNumber), path))
    return [sorted(found)[n][1] for found in places.values()]


def _echo_of(path: Path) -> tuple[float, str]:
    header = pydicom.dcmread(path, stop_before_pixels=True)
    return round(float(header.EchoTime), 3), str(header.ImageType[3])


def seen(book: Alone, count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, list[Any]]:
    """Places and values under random pixels of all panes, as the page has them: (n, 3) and (n,), and the pane of each."""
    found = book.ask(
        """(() => { const out = []; for (const [u, v, w] of argument) {
            const pane = viewer.stage.panes[Math.floor(w * viewer.stage.panes.length)];
            const x = Math.floor(u * pane.plane.width), y = Math.floor(v * pane.plane.height);
            const { ratio } = viewer.stage.size;
            const lps = viewer.stage.lpsAt(pane, (pane.left + x + 0.5) / ratio, (pane.top + y + 0.5) / ratio);
            const { values } = viewer.stage.drawers.get(`${pane.name}${pane.number}`).samples[0];
            const value = values[y * pane.plane.width + x];
            out.push([...lps, Number.isFinite(value) ? value : null, pane.plane]);
        } return out; })()""",
        rng.random((count, 3)).tolist(),
    )
    lps = np.array([one[:3] for one in found], dtype=float)
    values = np.array([np.nan if one[3] is None else one[3] for one in found])
    return lps, values, [one[4] for one in found]


@pytest.mark.parametrize("name", SERIES)
def test_what_is_seen_under_a_pixel_is_there_in_the_files(show: Show, name: str) -> None:
    volume, step, files = opened(name)
    shape = files.values.shape
    # A part of it, so that the page is small; the files know nothing of that.
    cut = {
        dim: slice(max(0, n // 2 - most // 2), n // 2 - most // 2 + most) if n > most else slice(None)
        for dim, n, most in zip(("slice", "row", "column"), shape, (16, 120, 130), strict=True)
    }
    first = np.array([cut[dim].start or 0 for dim in ("slice", "row", "column")])
    one = volume.isel(cut).compute()
    browser = dl.browse(one, height=200)
    for axis, index in step.items():
        browser.steps = {axis: index}
    held = one.isel(step).values
    book = show(browser, width=420, height=420)
    book.put(browser)
    assert book.page.locator(".dl-step-text").all_text_contents()[: len(STEPS.get(name, []))] == STEPS.get(
        name, []
    )
    rng = np.random.default_rng(len(name))
    tolerance = 0.0 if held.dtype.kind in "iu" else float(np.ptp(held)) / 65532
    # Positions rounded to a tenth of a mm are off the line by some 0.06 mm, and values by so much of their range.
    rounded = name == "mr-pd-ge-oblique"
    slope = 0.03 if rounded else 1e-5
    checked = 0
    for scene in scenes(browser, rng):
        canvas = book.alike(browser, scene)
        assert len(np.unique(canvas)) > 3
        lps, values, planes = seen(book, 300, rng)
        index = files.index(lps) - first
        inside = ((index >= 0) & (index <= np.array(held.shape) - 1)).all(axis=1)
        outside = ((index < -0.51) | (index > np.array(held.shape) - 0.49)).any(axis=1)
        if browser.slab is None:
            assert np.isfinite(values[inside]).all()
            assert np.isnan(values[outside]).all()
            sure = inside
            nearest = browser.interpolation == "nearest"
            if nearest:  # half way between two voxels either is the nearest
                sure &= (np.abs(index - np.floor(index) - 0.5) > (0.1 if rounded else 1e-3)).all(axis=1)
            expected = files.at(lps, nearest=nearest)
            np.testing.assert_allclose(
                values[sure], expected[sure], atol=tolerance + (0 if nearest else slope) * np.ptp(held)
            )
            checked += int(sure.sum())
        else:
            merge = {"mip": np.max, "minip": np.min, "average": np.mean}[browser.slab.mode]
            finest = min(step for step in one.dicom.spacing if step > 0)
            count = int(np.ceil(browser.slab.thickness / finest - 1e-6))
            apart = (np.arange(count) - (count - 1) / 2) * browser.slab.thickness / count
            normal = np.array([np.cross(plane["right"], plane["down"]) for plane in planes])
            layers = [lps + mm * normal for mm in apart]
            held_in = [files.index(layer) - first for layer in layers]
            sure = np.all(
                [((at >= 0) & (at <= np.array(held.shape) - 1)).all(axis=1) for at in held_in], axis=0
            ) & np.isfinite(values)
            expected = merge([files.at(layer, nearest=False) for layer in layers], axis=0)
            np.testing.assert_allclose(values[sure], expected[sure], atol=tolerance + slope * np.ptp(held))
            assert sure.sum() > 5
    assert checked > 200
    letters_agree(name, browser, book)
    probe_agrees(name, browser, book, files, first, held, tolerance)
    browser.close()


def scenes(browser: dl.SliceBrowser, rng: np.random.Generator) -> Iterator[str]:
    """Some planes of a volume: straight and tilted, thin and thick, near and far."""
    at = np.array(browser.position)
    small = min(np.ptp(np.array(browser._basis.corners), axis=0))
    browser.panes = "planes"
    yield "three planes"
    browser.interpolation, browser.zoom = "nearest", 1.9
    browser.position = (at + rng.uniform(-0.1, 0.1, 3) * small).tolist()
    yield "nearest"
    browser.interpolation, browser.plane = "linear", "coronal"
    a, b = np.cos(0.3), np.sin(0.3)
    browser._turn = (
        (np.array([[1, 0, 0], [0, a, -b], [0, b, a]]) @ [[a, -b, 0], [b, a, 0], [0, 0, 1]]).ravel().tolist()
    )
    browser.pan = [2.0, -1.0, 3.0]
    yield "tilted, zoomed, moved"
    browser.interpolation = "nearest"
    yield "tilted, nearest"
    browser.interpolation, browser.slab = "linear", ("average", 0.15 * small)
    yield "tilted slab"
    browser._turn, browser.slab, browser.pan = (
        np.eye(3).ravel().tolist(),
        ("mip", 0.1 * small),
        [0.0, 0.0, 0.0],
    )
    yield "slab"
    browser.panes, browser.slab, browser.tiles, browser.zoom = "montage", None, [1, 2], 1.0
    yield "montage"
    browser.panes, browser.position = "single", at.tolist()


def letters_agree(name: str, browser: dl.SliceBrowser, book: Alone) -> None:
    """Letters of every plane are those of the affine that dcm2niix wrote."""
    case = truth().get(name)
    if case is None:
        return
    affine = np.array(case["dcm2niix"]["outputs"][0]["affine_ras_as_written"])
    columns = [affine[:3, k] / np.linalg.norm(affine[:3, k]) * [-1, -1, 1] for k in range(3)]  # RAS -> LPS
    if name == "ct-tilt-ge-variable":  # the slice axis leans, planes across do not
        columns[2] = np.cross(columns[0], columns[1])
    codes = {{"R": "R", "L": "L", "A": "A", "P": "P", "S": "H", "I": "F"}[c] for c in nib.aff2axcodes(affine)}
    for plane in PLANES:
        browser.panes, browser.plane = "single", plane
        book.put(browser)
        written = book.sides()
        _, right, down, _ = letters.SETS[plane]
        r, d = (
            max((sign * v for v in columns for sign in (1, -1)), key=lambda v, to=to: v @ letters.vector(to))
            for to in (right, down)
        )
        assert written == [letters.letters_of(v) for v in (-r, r, -d, d)]
        # nibabel names one end of each axis; the picture names both.
        assert sum(word[0] in codes for word in written) == 2


def probe_agrees(
    name: str,
    browser: dl.SliceBrowser,
    book: Alone,
    files: Slices,
    first: np.ndarray,
    held: np.ndarray,
    tolerance: float,
) -> None:
    """The line under the picture tells voxel, value and place of the files, at places that ITK gives."""
    browser.panes, browser.plane, browser.interpolation = "planes", "axial", "linear"
    book.put(browser)
    box = book.page.locator(".dl-stage").bounding_box()
    assert box
    rng = np.random.default_rng(1)
    told = 0
    off = 0.1 if name == "mr-pd-ge-oblique" else 0.006
    for number in range(12):
        pane = book.ask("viewer.stage.panes[argument % viewer.stage.panes.length]", number)
        x = int(pane["left"] + rng.uniform(0.3, 0.7) * pane["plane"]["width"])
        y = int(pane["top"] + rng.uniform(0.3, 0.7) * pane["plane"]["height"])
        book.page.mouse.move(box["x"] + x + 0.5, box["y"] + y + 0.5)
        text = book.ask("viewer.chrome.probe.textContent")
        if "voxel" not in text:
            continue
        value, where = text.split("   voxel [")
        voxel = np.array([int(n) for n in where.split("]")[0].split(",")])
        lps = np.array([float(n) for n in where.split("LPS (")[1].split(")")[0].split(",")])
        plane = pane["plane"]
        true = (
            np.array(plane["origin"])
            + (x - pane["left"]) * plane["pixel"] * np.array(plane["right"])
            + (y - pane["top"]) * plane["pixel"] * np.array(plane["down"])
        )
        np.testing.assert_allclose(lps, true, atol=0.0051)
        index = files.index(lps[None])[0] - first
        assert (np.abs(index - voxel) <= 0.5 + off / 0.2).all(), (index, voxel)
        shown = float(value.replace("≈", "").split()[0])
        expected = files.values[tuple(voxel + first)]
        assert shown == pytest.approx(expected, abs=2 * tolerance + 1e-6 * abs(expected)), text
        told += 1
    assert told >= 6
    # A voxel of ITK is where its place is on the screen.
    for _ in range(8):
        voxel = rng.integers(0, held.shape)
        place = (
            files.origins[voxel[0] + first[0]]
            + (voxel[1] + first[1]) * files.column
            + (voxel[2] + first[2]) * files.row
        )
        np.testing.assert_allclose(book.ask("viewer.space.lps(argument)", voxel.tolist()), place, atol=off)
        browser.position = place.tolist()
        book.put(browser)
        assert book.ask("viewer.space.nearest(viewer.state.scene.position)") == voxel.tolist()


def test_the_steps_of_a_diffusion_series_are_called_by_the_b_values_of_its_frames() -> None:
    volume = volume_of("mr-dwi-canon-ortho")
    browser = dl.browse(volume, height=100)
    (path,) = files_of("mr-dwi-canon-ortho")
    header = pydicom.dcmread(path)
    pixels = header.pixel_array
    frames = header.PerFrameFunctionalGroupsSequence
    places = [tuple(one.PlanePositionSequence[0].ImagePositionPatient) for one in frames]
    b_values = [float(one.MRDiffusionSequence[0].DiffusionBValue) for one in frames]
    middle = np.array(volume.dicom.lps([20, 0, 0]))
    mine = [n for n, place in enumerate(places) if np.abs(np.array(place) - middle).max() < 0.01]
    (steps,) = browser._meta["sources"][0]["steps"]
    assert steps["units"] == "s/mm2"
    assert sorted(steps["labels"], key=float) == [f"{b:g}" for b in sorted(b_values[n] for n in mine)]
    # Each step shows a frame with the b-value that is written beside it.
    browser.window = (500, 1000)
    for number, label in enumerate(steps["labels"]):
        browser.steps = {"b_value": number}
        shown = browser._sources[0].grid(number).values[20].values
        (same,) = [n for n in mine if np.array_equal(pixels[n], shown)]
        assert f"{b_values[same]:g}" == label
    browser.close()
