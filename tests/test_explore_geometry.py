"""The geometry explorer in Python: planes, affine, findings and orders against readers that share none of its code."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import warnings
import zlib
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from PIL import Image
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid
from support import SHARED, shared_data

import dicomlab as dl
from dicomlab import phantom
from dicomlab.teach.geometry import GeometryExplorer, explore_geometry
from dicomlab.teach.geometry.planes import SetPlane

FOLDER = Path(__file__).parent / "js"
STATES: dict[str, dict[str, Any]] = {
    "axial": {},
    "sagittal": {"iop": [0, 1, 0, 0, 0, -1]},
    "coronal": {"iop": [1, 0, 0, 0, 0, -1], "spacing": [0.7, 1.3]},
    "feet first": {"iop": [-1, 0, 0, 0, 1, 0]},
    "prone": {"iop": [-1, 0, 0, 0, -1, 0], "ipp": [10, 20, 30]},
    "oblique": {"turns": [18, -14, 8], "step": 3.75},
    "tilted": {"tilt": 15},
    "oblique and tilted": {"turns": [5, 30, -12], "tilt": -22.5},
}


def test_the_committed_vectors_are_fresh() -> None:
    spec = importlib.util.spec_from_file_location(
        "make_geometry_vectors", FOLDER / "make_geometry_vectors.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    for name, text in module.contents().items():
        found = json.loads((FOLDER / "vectors" / name).read_text())
        for one, other in zip(found, json.loads(text), strict=True):
            assert one.keys() == other.keys()
            for key in one:
                if key in ("positions", "affine", "ras", "lps", "back", "tilt") and one[key] is not None:
                    np.testing.assert_allclose(one[key], other[key], atol=1e-9)
                elif key != "locations":
                    assert one[key] == other[key], (
                        f"{name} is stale: run python tests/js/make_geometry_vectors.py"
                    )


def explorer_with(**patch: Any) -> GeometryExplorer:
    explorer = explore_geometry()
    small = {"slices": 6, "rows": 8, "columns": 9}
    explorer.state = {**explorer.state, **small, **patch}
    return explorer


def written(explorer: GeometryExplorer, folder: Path) -> list[Path]:
    """The planes as files of a CT, as pydicom alone writes them."""
    series, study, frame = generate_uid(), generate_uid(), generate_uid()
    paths = []
    for plane in explorer.planes:
        ds = Dataset()
        ds.SOPClassUID, ds.SOPInstanceUID = CTImageStorage, generate_uid()
        ds.SeriesInstanceUID, ds.StudyInstanceUID, ds.FrameOfReferenceUID = series, study, frame
        ds.Modality, ds.PatientID, ds.PatientName, ds.PatientPosition = "CT", "x", "x", "HFS"
        ds.ImagePositionPatient = [f"{x:.9f}"[:16] for x in plane.position]
        ds.ImageOrientationPatient = [f"{x:.12f}"[:16] for x in plane.cosines]
        ds.PixelSpacing = [float(x) for x in plane.pixel_spacing]
        ds.InstanceNumber = None if plane.instance is None else int(plane.instance)
        ds.SliceLocation = None if plane.location is None else f"{plane.location:.9f}"[:16]
        ds.Rows, ds.Columns = plane.shape
        ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
        ds.RescaleSlope, ds.RescaleIntercept = 1, -1024
        ds.PixelData = np.full(plane.shape, plane.index, np.uint16).tobytes()
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        ds.file_meta.MediaStorageSOPClassUID = CTImageStorage
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        path = folder / f"{(plane.index * 7) % 11:02d}-{plane.index}.dcm"
        ds.save_as(path, enforce_file_format=True)
        paths.append(path)
    return paths


def equation(header: Dataset, i: float, j: float) -> np.ndarray:
    """PS3.3 equation C.7.6.2.1-1: X and Y of IOP, Δi the column spacing for the column index i of the standard."""
    x, y = np.reshape([float(v) for v in header.ImageOrientationPatient], (2, 3))
    down, along = (float(v) for v in header.PixelSpacing)
    return x * along * j + y * down * i + np.array([float(v) for v in header.ImagePositionPatient])


@pytest.mark.parametrize("name", STATES)
def test_the_affine_is_the_equation_of_the_standard_for_every_slice(name: str, tmp_path: Path) -> None:
    explorer = explorer_with(**STATES[name])
    paths = written(explorer, tmp_path)
    for k, path in enumerate(paths):
        header = pydicom.dcmread(path)
        for i, j in ((0, 0), (7, 0), (0, 8), (3, 5)):
            ours = explorer.affine @ (k, i, j, 1)
            np.testing.assert_allclose(ours[:3], equation(header, i, j), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in STATES if "tilt" not in name])
def test_itk_reads_the_same_affine_from_such_files(name: str, tmp_path: Path) -> None:
    explorer = explorer_with(**STATES[name])
    written(explorer, tmp_path)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path)))
    image = reader.Execute()
    matrix = (np.reshape(image.GetDirection(), (3, 3)) * image.GetSpacing())[:, ::-1]
    np.testing.assert_allclose(explorer.affine[:3, :3], matrix, atol=1e-6)
    np.testing.assert_allclose(explorer.affine[:3, 3], image.GetOrigin(), atol=1e-6)


@pytest.mark.parametrize("name", STATES)
def test_nibabel_finds_the_same_places_by_the_ras_affine(name: str) -> None:
    explorer = explorer_with(**STATES[name])
    affine = explorer.affine_ras
    for k, i, j in ((0, 0, 0), (5, 7, 8), (2, 3, 4)):
        right, front, head = nib.affines.apply_affine(affine, (j, i, k))
        np.testing.assert_allclose(explorer.geometry.lps((k, i, j)), (-right, -front, head), atol=1e-9)
    letters = {"axial": "LPS", "sagittal": "PIR", "coronal": "LIP", "feet first": "RPI", "prone": "RAS"}
    if name in letters:
        assert "".join(nib.aff2axcodes(affine)) == letters[name]


@pytest.mark.parametrize(
    ("patch", "codes"),
    [
        ({}, []),
        ({"tilt": 12}, ["gantry_tilt"]),
        ({"fault": "missing"}, ["missing_slice"]),
        ({"fault": "uneven"}, ["uneven_spacing"]),
        ({"fault": "beside"}, ["wandering_origin"]),
        ({"fault": "missing", "tilt": -8, "turns": [3, 4, 5]}, ["gantry_tilt", "missing_slice"]),
    ],
)
def test_loading_such_files_says_the_same_and_places_every_voxel_alike(
    patch: dict[str, Any], codes: list[str], tmp_path: Path
) -> None:
    explorer = explorer_with(**patch)
    written(explorer, tmp_path)
    assert [line.split(":")[0] for line in explorer.findings] == codes
    series = dl.find_series(tmp_path, progress=False)[0]
    assert [one.code for one in series.findings] == codes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        volume = dl.load_volume(series, on_fault="keep", progress=False)
    voxels = [[0, 0, 0], [volume.sizes["slice"] - 1, 7, 8], [1, 2, 3]]
    np.testing.assert_allclose(volume.dicom.lps(voxels), explorer.geometry.lps(voxels), atol=1e-5)
    assert [int(plane[0, 0]) + 1024 for plane in volume.values] == [plane.index for plane in explorer.planes]


def test_uneven_slices_have_no_affine_and_the_still_says_so() -> None:
    explorer = explorer_with(fault="uneven")
    with pytest.raises(dl.DicomLabError, match="no single affine"):
        _ = explorer.affine
    assert explorer.still().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("labels", "order", "indices"),
    [
        ("position", "instance", [0, 1, 2, 3, 4, 5]),
        ("reversed", "instance", [5, 4, 3, 2, 1, 0]),
        ("reversed", "location", [0, 1, 2, 3, 4, 5]),
        ("interleaved", "instance", [0, 2, 4, 1, 3, 5]),
        ("negative", "location", [5, 4, 3, 2, 1, 0]),
        ("negative", "position", [0, 1, 2, 3, 4, 5]),
    ],
)
def test_sorting_by_labels_gives_the_order_that_they_have(
    labels: str, order: str, indices: list[int]
) -> None:
    explorer = explorer_with(labels=labels, order=order)
    assert [plane.index for plane in explorer.stack] == indices


def test_equal_slice_locations_leave_the_order_of_the_files() -> None:
    explorer = explorer_with(labels="constant", order="location")
    order = [plane.index for plane in explorer.stack]
    assert sorted(order) == list(range(6))
    assert order != list(range(6))


@pytest.mark.parametrize(
    "kind", ["gantry_tilt", "oblique_mr", "feet_first_prone", "missing_slice", "enhanced_ct", "mosaic"]
)
def test_a_series_is_where_its_own_volume_is(kind: str, tmp_path: Path) -> None:
    phantom.write_kind(kind, tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", dl.DicomLabWarning)
        volume = dl.load_volume(str(tmp_path), progress=False)
    for source in (str(tmp_path), volume if "time" not in volume.dims else volume.isel(time=0)):
        explorer = explore_geometry(source)
        np.testing.assert_allclose(explorer.geometry.corners, volume.dicom.geometry.corners, atol=1e-9)
        assert explorer.geometry.shape == volume.dicom.geometry.shape


def test_the_numbers_of_the_files_are_those_of_the_series(tmp_path: Path) -> None:
    phantom.write_mr(tmp_path, shape=(5, 12, 10))  # numbered against the position
    explorer = explore_geometry(str(tmp_path))
    by_position = [plane.instance for plane in explorer.planes]
    headers = [pydicom.dcmread(path) for path in tmp_path.iterdir()]
    r, c = np.reshape([float(v) for v in headers[0].ImageOrientationPatient], (2, 3))
    headers.sort(key=lambda h: float(np.cross(r, c) @ [float(v) for v in h.ImagePositionPatient]))
    assert by_position == [float(h.InstanceNumber) for h in headers]
    explorer.state = {**explorer.state, "order": "instance"}
    assert [plane.index for plane in explorer.stack] == [4, 3, 2, 1, 0]


def greys(pictures: dict[str, Any]) -> np.ndarray:
    data = zlib.decompress(base64.b64decode(pictures["data"]))
    return np.frombuffer(data, np.uint8).reshape(len(pictures["index"]), pictures["high"], pictures["wide"])


def test_pictures_of_a_series_are_its_slices_in_the_window_of_the_file(tmp_path: Path) -> None:
    series = phantom.write_ct(tmp_path, shape=(6, 30, 120))
    expected = [
        np.floor(dl.apply_window(plane[1::3, 1::3], dl.Window(50, 400)) * 255 + 0.5)
        for plane in series.truth.values
    ]
    for source in (str(tmp_path), dl.load_volume(str(tmp_path), progress=False)):
        pictures = explore_geometry(source).facts["pictures"]
        assert pictures["index"] == [0, 1, 2, 3, 4, 5]
        np.testing.assert_array_equal(greys(pictures), expected)


def test_of_many_slices_every_so_many_has_a_picture() -> None:
    volume = dl.make_volume(np.zeros((100, 4, 5)), affine=np.eye(4)[[2, 1, 0, 3]])
    assert explore_geometry(volume).facts["pictures"]["index"] == list(range(0, 100, 3))


@pytest.mark.parametrize("kind", ["truncated_file", "undecodable"])
def test_slices_lie_where_they_lie_also_when_their_pixels_are_lost(kind: str, tmp_path: Path) -> None:
    phantom.write_kind(kind, tmp_path)
    explorer = explore_geometry(str(tmp_path))
    assert explorer.geometry.shape[0] > 3
    assert any("pixel_data" in line for line in explorer.facts["findings"]) or kind == "undecodable"
    assert explorer.still().startswith(b"\x89PNG")


def test_a_volume_along_a_reversed_normal_shows_each_slice_at_its_place() -> None:
    values = np.arange(4, dtype=np.int16)[:, None, None] * np.ones((1, 3, 5), np.int16)
    volume = dl.make_volume(values, affine=[[0, 0, 1, 0], [0, 1, 0, 0], [-2, 0, 0, 0], [0, 0, 0, 1]])
    explorer = explore_geometry(volume)
    heights = [plane.position[2] for plane in explorer.planes]
    assert heights == [-6, -4, -2, 0]  # slice 3 is the lowest
    shades = greys(explorer.facts["pictures"])[:, 0, 0]
    assert list(shades) == sorted(shades, reverse=True)
    assert [plane.instance for plane in explorer.planes] == [4, 3, 2, 1]  # as the volume counts them


def test_a_flipped_volume_starts_from_its_own_corner_and_keeps_its_places() -> None:
    values = np.zeros((4, 5, 6), np.int16)
    volume = dl.make_volume(values, affine=[[0, 0, 2, 1], [0, 3, 0, 2], [4, 0, 0, 3], [0, 0, 0, 1]])
    flipped = volume.isel(row=slice(None, None, -1))
    explorer = explore_geometry(flipped)
    # r × c points to the feet then; the slices are counted along it.
    np.testing.assert_allclose(
        np.sort(explorer.geometry.corners.reshape(-1, 3), axis=0),
        np.sort(volume.dicom.geometry.corners.reshape(-1, 3), axis=0),
        atol=1e-9,
    )
    np.testing.assert_allclose(explorer.planes[0].position, [1, 14, 15])


def test_whatever_the_state_holds_is_drawn() -> None:
    explorer = explore_geometry()
    for patch in (
        {"iop": [9, 9, 9, 9, 9, 9], "turns": "x", "ipp": None, "spacing": [0, float("nan")], "step": -1},
        {
            "slices": 10**9,
            "rows": -5,
            "columns": 1e300,
            "tilt": 1e9,
            "fault": 3,
            "view": ["a", None],
            "system": 0,
        },
    ):
        explorer.state = {**explorer.state, **patch}
        assert len(explorer.planes) <= 1000
        image = Image.open(io.BytesIO(explorer.still()))
        assert image.size == (960, 500)


def test_what_has_no_place_in_the_patient_is_refused_in_a_sentence(tmp_path: Path) -> None:
    phantom.write_kind("us_cine", tmp_path)
    with pytest.raises(dl.DicomLabError, match="place in the patient"):
        explore_geometry(str(tmp_path))
    with pytest.raises(dl.DicomLabError, match="series, a path, a volume"):
        explore_geometry(3)  # type: ignore[arg-type]


def test_names_from_a_file_cannot_become_markup() -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    volume = dl.make_volume(
        np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], attrs={"SeriesDescription": evil}
    )
    text = explore_geometry(volume).to_html().text
    assert evil not in text
    assert "<img" not in text


def test_a_name_in_the_description_is_not_shown(tmp_path: Path) -> None:
    paths = phantom.write_ct(tmp_path, shape=(2, 12, 10)).files
    for path in paths:
        header = pydicom.dcmread(path)
        header.PatientName, header.SeriesDescription = "Zwirnlein^Ottilie", "Thorax Zwirnlein 1961-02-03"
        header.save_as(path)
    page = explore_geometry(str(tmp_path)).to_html().text
    assert "Thorax" in page
    assert "Zwirnlein" not in page
    assert "1961" not in page


def test_it_is_a_widget_with_a_picture_beside_it() -> None:
    explorer = explore_geometry()
    data, _ = explorer._repr_mimebundle_()
    assert {"image/png", "text/plain"} <= set(data)
    assert len(data["image/png"]) < 80_000
    assert isinstance(explorer.planes[0], SetPlane)


def truths() -> dict[str, Any]:
    path = SHARED / "truth.json"
    found = json.loads(path.read_text())["series"] if path.is_file() else {}
    return {name: case for name, case in found.items() if "affine" in case.get("ref", {})}


REAL = [
    "ct-head-phantom-philips/S2010",
    "ct-tilt-ge-variable",
    "ct-contrast-kits",
    "mr-t1-sag-philips",
    "mr-fieldmap-philips/enhanced",
    "mr-fmri-mosaic-ax/axdesc35",
    "mr-pd-ge-oblique",
]


@pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(),
    reason=f"no real DICOM at {SHARED}: the explorer was not compared with other readers on real files",
)
@pytest.mark.parametrize("name", REAL)
def test_real_series_are_where_other_readers_find_them(name: str) -> None:
    case = truths()[name]
    *_, slices, rows, columns = case["ref"]["shape"]
    stack = next(
        stack
        for series in dl.find_series(
            shared_data() / (case.get("folder") or name.split("/")[0]), progress=False
        )
        for stack in series.stacks
        if case.get("series_instance_uid") in (None, series.uid) and stack.shape[-2:] == (rows, columns)
    )
    explorer = explore_geometry(stack)
    assert explorer.geometry.shape == (slices, rows, columns)
    reference = case["ref"]
    irregular = reference["info"].get("ipp_per_k")
    if irregular:
        np.testing.assert_allclose([plane.position for plane in explorer.planes], irregular, atol=1e-3)
        return
    affine = reference["affine"]
    columns_of = np.array([affine[key] for key in ("col_k", "col_j", "col_i", "origin")]).T
    ends = np.array([(k, i, j, 1) for k in (0, slices - 1) for i in (0, rows - 1) for j in (0, columns - 1)])
    ours = ends @ explorer.affine[:3].T
    theirs = ends @ columns_of.T
    np.testing.assert_allclose(ours, theirs, atol=0.02)
