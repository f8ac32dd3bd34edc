"""RT Structure Sets: masks come back from files exactly, files are valid, real contours lie where they lie, damage is told."""

import json
import re
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
import xarray as xr
from contour_support import FRAME, GRIDS, SHAPES, mask_on, turned, volume_on
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from pydicom.dataset import Dataset
from skimage.measure import points_in_poly
from support import SHARED, datasets, shared_data, truth, write

import dicomlab as dl
from dicomlab import DicomLabWarning
from dicomlab.errors import AmbiguousSourceError, DicomLabError, GeometryError, NotDicomError, OverwriteError
from dicomlab.extras.rtstruct import load_contours, load_rtstruct, save_rtstruct, to_rtstruct
from dicomlab.masks import Code, Label, labels_of, mask_like, stacked, with_labels
from dicomlab.segment import from_contours, to_contours

needs_dciodvfy = pytest.mark.skipif(
    shutil.which("dciodvfy") is None,
    reason="dciodvfy (package dicom3tools) is not on PATH: the validity of structure sets is NOT checked",
)
needs_data = pytest.mark.skipif(
    not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}: no real structure set was read"
)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("ct"), datasets("CT"))


@pytest.fixture(scope="module")
def ct(series: Path) -> xr.DataArray:
    return dl.load_volume(series, progress=False)


@pytest.fixture(scope="module")
def organs(ct: xr.DataArray) -> xr.DataArray:
    masks = truth("CT").masks
    return stacked({name: mask_like(ct, masks[name]) for name in ("body", "liver", "lung_left")})


def _dice(a: xr.DataArray, b: xr.DataArray) -> float:
    return float(2 * (a & b).sum() / (a.sum() + b.sum()))


@pytest.mark.filterwarnings("ignore:contours of .* lie on every second")
@pytest.mark.parametrize("kind", GRIDS)
def test_masks_come_back_from_a_file_exactly(tmp_path: Path, kind: str) -> None:
    volume = volume_on(kind)
    masks = stacked({shape: mask_on(volume, shape) for shape in SHAPES})
    every = ("xor", "keyhole", "closedplanar_xor")
    for holes in every if kind == "axial" else [every[GRIDS.index(kind) % 2]]:
        masks.dicom.save_rtstruct(tmp_path / f"{holes}.dcm", holes=holes)
        back = load_rtstruct(tmp_path / f"{holes}.dcm", like=volume)
        for k in range(len(SHAPES)):
            assert (
                _dice(back.transpose(*masks.dims)[k].drop_vars("segment"), masks[k].drop_vars("segment"))
                == 1.0
            )
        assert back.label.values.tolist() == list(SHAPES)


@pytest.mark.filterwarnings("ignore:contours of .* lie on every second")
@settings(max_examples=25, deadline=None)
@given(
    values=arrays(np.bool_, (4, 5, 6)), kind=st.sampled_from(GRIDS), holes=st.sampled_from(["xor", "keyhole"])
)
def test_any_mask_comes_back_from_a_data_set(values: np.ndarray, kind: str, holes: str) -> None:
    volume = volume_on(kind, (4, 5, 6)).transpose("slice", "row", "column")
    back = load_rtstruct(
        to_rtstruct(mask_like(volume, values), "any", holes=holes), like=volume, rois=["any"]
    )
    assert np.array_equal(back.values[0], values)


@needs_dciodvfy
@pytest.mark.parametrize("holes", ["xor", "keyhole"])
@pytest.mark.parametrize("sourced", [True, False])
def test_dciodvfy_finds_no_error(
    tmp_path: Path, series: Path, organs: xr.DataArray, holes: str, sourced: bool
) -> None:
    path = tmp_path / "set.dcm"
    nothing = mask_like(organs.isel(segment=0, drop=True), np.zeros(organs.shape[1:], bool))
    masks = stacked({**{name: organs.dicom.label(name) for name in organs.label.values}, "GTV 1": nothing})
    masks.dicom.save_rtstruct(path, source=series if sourced else None, holes=holes, algorithm="AUTOMATIC")
    found = subprocess.run(["dciodvfy", str(path)], capture_output=True, text=True, check=False)
    said = found.stdout + found.stderr
    assert "RTStructureSet" in said
    assert [line for line in said.splitlines() if line.startswith("Error")] == []


def test_a_written_set_belongs_to_patient_study_and_images_of_its_source(
    series: Path, ct: xr.DataArray, organs: xr.DataArray
) -> None:
    made = to_rtstruct(organs, source=series)
    images = {one.SOPInstanceUID: one for one in map(pydicom.dcmread, sorted(series.iterdir()))}
    first = next(iter(images.values()))
    assert (made.PatientID, made.StudyInstanceUID) == (first.PatientID, first.StudyInstanceUID)
    assert made.SeriesInstanceUID != first.SeriesInstanceUID
    frame = made.ReferencedFrameOfReferenceSequence[0]
    assert frame.FrameOfReferenceUID == first.FrameOfReferenceUID
    referenced = frame.RTReferencedStudySequence[0].RTReferencedSeriesSequence[0]
    assert referenced.SeriesInstanceUID == first.SeriesInstanceUID
    assert {one.ReferencedSOPInstanceUID for one in referenced.ContourImageSequence} == set(images)
    count = 0
    for roi in made.ROIContourSequence:
        for contour in roi.ContourSequence:
            (image,) = contour.ContourImageSequence
            points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
            assert len(points) == contour.NumberOfContourPoints
            # On the plane of the image that it names, by the equation of PS3.3 C.7.6.2.1.1 alone.
            named = images[image.ReferencedSOPInstanceUID]
            cosines = np.array(named.ImageOrientationPatient, dtype=float)
            off = (points - np.array(named.ImagePositionPatient, float)) @ np.cross(cosines[:3], cosines[3:])
            assert np.abs(off).max() < 1e-6
            count += 1
    assert count > 5
    nobody = to_rtstruct(organs)
    assert (nobody.PatientID, nobody.PatientName) == (None, None) or not (
        nobody.PatientID or nobody.PatientName
    )
    assert "ContourImageSequence" not in nobody.ROIContourSequence[0].ContourSequence[0]


@pytest.mark.filterwarnings("ignore:contours of .* lie on every second")
@pytest.mark.parametrize("kind", ["axial", "oblique"])
def test_contours_lie_where_simpleitk_puts_the_edges_of_the_pixels(kind: str) -> None:
    mask = mask_on(volume_on(kind), "diagonal")
    image = mask.astype("uint8").dicom.to_sitk()
    made = to_rtstruct(mask)
    for contour in made.ROIContourSequence[0].ContourSequence:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        index = np.array([image.TransformPhysicalPointToContinuousIndex(p.tolist()) for p in points])
        assert np.abs(index[:, 2] - index[:, 2].round()).max() < 1e-5  # on a slice
        assert np.abs(np.abs(index[:, :2] % 1) - 0.5).max() < 1e-5  # on corners of pixels
    assert image.GetSize() == (13, 11, 6)


def test_names_colours_codes_and_types_come_back(ct: xr.DataArray, organs: xr.DataArray) -> None:
    named = with_labels(
        organs,
        [
            Label(1, "body", "#102030"),
            Label(2, "left kidney"),
            Label(
                3,
                "PTV_60",
                category=Code("91723000", "SCT", "Anatomical Structure"),
                type=Code("1", "99X", "Odd"),
            ),
        ],
    )
    back = load_rtstruct(to_rtstruct(named, interpreted={"left kidney": "AVOIDANCE"}), like=ct)
    assert list(labels_of(back))[:2] == list(labels_of(named))[:2]
    assert labels_of(back)[2].type == Code("1", "99X", "Odd")
    assert back.interpreted_type.values.tolist() == ["EXTERNAL", "AVOIDANCE", "PTV"]
    assert to_rtstruct(back).RTROIObservationsSequence[1].RTROIInterpretedType == "AVOIDANCE"
    one = to_rtstruct(mask_like(ct, truth("CT").masks["liver"]), "GTV of nobody")
    assert one.StructureSetROISequence[0].ROIName == "GTV of nobody"
    assert one.RTROIObservationsSequence[0].RTROIInterpretedType == "GTV"


def test_decimal_strings_have_sixteen_characters_and_move_no_point(ct: xr.DataArray) -> None:
    volume = volume_on("oblique")
    far = volume.assign_coords(volume.coords)
    mask = mask_on(far, "ball")
    made = to_rtstruct(mask)
    exact = [p for one in to_contours(mask)["ball"] for p in one]
    texts = [
        text
        for c in made.ROIContourSequence[0].ContourSequence
        for text in c.get_item("ContourData").value.split(b"\\")
    ]
    assert max(map(len, texts)) <= 16
    assert np.abs(np.array(texts, dtype=float).reshape(-1, 3) - exact).max() < 1e-6


@pytest.mark.filterwarnings("ignore:parts of liver lie outside")
def test_contours_are_filled_on_other_grids_too(ct: xr.DataArray, organs: xr.DataArray) -> None:
    made = load_contours(to_rtstruct(organs))
    step = ct.dicom.geometry.spacing
    finer = ct.dicom.resample(spacing=(step[0] / 3, step[1] / 2, step[2] / 2))
    fine = load_rtstruct(made, like=finer)
    for k in range(3):
        volumes = [float(m.sum()) * m.dicom.geometry.voxel_volume for m in (organs[k], fine[k])]
        assert volumes[1] == pytest.approx(volumes[0], rel=1e-9)  # slabs of pixels, cut twelve times
    turn = np.eye(4)
    turn[:3, :3] = turned((30, 20)) @ (4 * np.eye(3)[:, [2, 1, 0]])
    liver = ct.dicom.geometry.lps(np.argwhere(organs[1].values)).mean(axis=0)
    turn[:3, 3] = liver - turn[:3, :3] @ (35, 35, 35)
    cubes = dl.make_volume(
        np.zeros((71, 71, 71), np.uint8), affine=turn, frame_of_reference=str(ct.frame_of_reference.values)
    )
    volume = float(load_rtstruct(made, like=cubes, rois=["liver"]).sum()) * 64
    assert volume == pytest.approx(float(organs[1].sum()) * ct.dicom.geometry.voxel_volume, rel=0.005)


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path, organs: xr.DataArray) -> None:
    path = tmp_path / "set.dcm"
    with pytest.raises(DicomLabError, match="holes= is"):
        save_rtstruct(organs, path, holes="none")
    assert list(tmp_path.iterdir()) == []
    save_rtstruct(organs, path)
    with pytest.raises(OverwriteError):
        save_rtstruct(organs, path)
    save_rtstruct(organs, path, overwrite=True)
    assert pydicom.dcmread(path).Modality == "RTSTRUCT"


def test_what_a_structure_set_cannot_say_is_refused(organs: xr.DataArray, ct: xr.DataArray) -> None:
    for asked, said in [
        ({"name": "one"}, "a mask of one label; this one has 3"),
        ({"algorithm": "GUESSED"}, "algorithm= is one of"),
        ({"label": "more than sixteen characters"}, "Structure Set Label has 1 to 16"),
        ({"interpreted": {"spleen": "ORGAN"}}, "interpreted= names 'spleen'"),
        ({"interpreted": {"liver": "organ"}}, "up to 16 capital letters"),
    ]:
        with pytest.raises(DicomLabError, match=said):
            to_rtstruct(organs, **asked)
    with pytest.raises(DicomLabError, match="found a volume of values in HU"):
        to_rtstruct(ct)
    with pytest.raises(DicomLabError, match="64 printable characters"):
        to_rtstruct(mask_like(ct, truth("CT").masks["liver"]), "x" * 65)


def test_masks_of_another_frame_of_reference_are_refused_and_the_mend_works(
    ct: xr.DataArray, organs: xr.DataArray, series: Path
) -> None:
    made = to_rtstruct(organs)
    other = ct.dicom.assume_frame(FRAME)
    with pytest.raises(GeometryError, match="assume_frame") as refused:
        load_rtstruct(made, like=other)
    uid = re.search(r"assume_frame\('([\d.]+)'\)", str(refused.value))[1]
    assert load_rtstruct(made, like=other.dicom.assume_frame(uid)).any()
    with pytest.raises(GeometryError, match="millimetres mean different places"):
        to_rtstruct(organs.dicom.assume_frame(FRAME), source=series)


# -- what others write ------------------------------------------------------------------------------------------------


def _square(x: float, y: float, z: float, r: float) -> list[float]:
    return [v for a, b in ((-r, -r), (r, -r), (r, r), (-r, r)) for v in (x + a, y + b, z)]


def _set(*rois: list[tuple[str, list[float]]], frame: str = FRAME) -> Dataset:
    """A structure set with these structures: types and numbers of their contours."""
    made = Dataset()
    made.SOPClassUID, made.Modality = "1.2.840.10008.5.1.4.1.1.481.3", "RTSTRUCT"
    made.StructureSetROISequence, made.ROIContourSequence = [], []
    for number, contours in enumerate(rois, start=1):
        roi, shown = Dataset(), Dataset()
        roi.ROINumber, roi.ROIName, roi.ReferencedFrameOfReferenceUID = number, f"roi {number}", frame
        shown.ReferencedROINumber, shown.ContourSequence = number, []
        for kind, numbers in contours:
            one = Dataset()
            one.ContourGeometricType, one.NumberOfContourPoints = kind, len(numbers) // 3
            one.ContourData = numbers
            shown.ContourSequence.append(one)
        made.StructureSetROISequence.append(roi)
        made.ROIContourSequence.append(shown)
    return made


@pytest.fixture(scope="module")
def grid() -> xr.DataArray:
    volume = dl.make_volume(
        np.zeros((5, 20, 20)), affine=np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], frame_of_reference=FRAME
    )
    return volume


def test_all_types_are_listed_and_those_with_an_inside_filled(grid: xr.DataArray) -> None:
    made = _set(
        [("CLOSED_PLANAR", _square(9, 9, 2, 3.5)), ("CLOSED_PLANAR", _square(9, 9, 2, 1.5))],
        [("CLOSEDPLANAR_XOR", _square(9, 9, 4, 3.5)), ("CLOSEDPLANAR_XOR", _square(10, 9, 4, 3.5))],
        [("POINT", [1, 2, 3])],
        [("OPEN_PLANAR", [1, 2, 3, 4, 5, 3, 6, 5, 3])],
        [],
    )
    shown = load_contours(made)
    assert [one.kinds for one in shown] == [
        {"CLOSED_PLANAR": 2},
        {"CLOSEDPLANAR_XOR": 2},
        {"POINT": 1},
        {"OPEN_PLANAR": 1},
        {},
    ]
    assert shown["roi 3"].contours[0].points.tolist() == [[1, 2, 3]]
    assert "roi 4" in shown._repr_html_()
    with pytest.warns(DicomLabWarning, match="without closed contours are left out: roi 3, roi 4, roi 5"):
        mask = load_rtstruct(made, like=grid)
    assert mask.sum(dim=("slice", "row", "column")).values.tolist() == [49 - 9, 14]
    assert not load_rtstruct(made, like=grid, rois=[5]).any()
    with pytest.raises(DicomLabError, match="'roi 3' has POINT alone"):
        load_rtstruct(made, like=grid, rois=["roi 3"])
    with pytest.raises(DicomLabError, match="there are: 1 roi 1"):
        load_rtstruct(made, like=grid, rois=["liver"])


def test_what_nobody_meant_for_sure_is_said(grid: xr.DataArray) -> None:
    partly = _set([("CLOSED_PLANAR", _square(9, 9, 2, 3.5)), ("CLOSED_PLANAR", _square(10, 10, 2, 3.5))])
    with pytest.warns(DicomLabWarning, match="overlap in part"):
        assert int(load_rtstruct(partly, like=grid).sum()) == 2 * 49 - 2 * 36
    assert int(load_rtstruct(partly, like=grid, rule="union").sum()) == 2 * 49 - 36
    skipping = _set([("CLOSED_PLANAR", _square(9, 9, z, 3.5)) for z in (0, 4, 8)])
    with pytest.warns(DicomLabWarning, match="every second slice"):
        assert int(load_rtstruct(skipping, like=grid).sum()) == 3 * 49
    assert int(load_rtstruct(skipping, like=grid, thickness=4).sum()) == 5 * 49
    beyond = _set([("CLOSED_PLANAR", _square(0, 9, 2, 3.5)), ("CLOSED_PLANAR", _square(9, 9, 60, 3.5))])
    with pytest.warns(DicomLabWarning, match="parts of roi 1 lie outside"):
        assert int(load_rtstruct(beyond, like=grid).sum()) == 4 * 7


def test_thickness_is_what_the_file_says(grid: xr.DataArray) -> None:
    made = _set([("CLOSED_PLANAR", _square(9, 9, z, 3.5)) for z in (0, 4, 8)])
    for one in made.ROIContourSequence[0].ContourSequence:
        one.ContourSlabThickness = 4
    assert int(load_rtstruct(made, like=grid).sum()) == 5 * 49
    lone = _set(
        [("CLOSED_PLANAR", _square(9, 9, 3, 3.5))], [("CLOSED_PLANAR", _square(3, 3, z, 2)) for z in (0, 6)]
    )
    # A lone plane between slices stands for as much as lies between the planes of all.
    assert load_rtstruct(lone, like=grid)[0].any(dim=("row", "column")).values.tolist() == [
        False,
        True,
        True,
        False,
        False,
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([0, 0, 2, 5, float("nan"), 2, 5, 5, 2], "no places in a patient"),
        ([0, 0, 2, 5, 0, 2, 5, 5], "has 8 numbers"),
        ([], "has 0 numbers"),
    ],
)
def test_damaged_contours_are_told_and_no_mask_is_made_of_them(
    grid: xr.DataArray, tmp_path: Path, data: list[float], said: str
) -> None:
    made = _set([("CLOSED_PLANAR", _square(9, 9, 2, 3.5))], [("CLOSED_PLANAR", _square(9, 9, 2, 3.5))])
    bad = made.ROIContourSequence[1].ContourSequence[0]
    text = "\\".join(map(str, data)).encode()
    text += b" " * (len(text) % 2)
    bad[0x30060050] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(0x30060050), "DS", len(text), text, 0, True, True
    )
    shown = load_contours(made)
    assert said in shown["roi 2"].problems[0]
    assert said in repr(shown)
    with pytest.raises(DicomLabError, match="'roi 2' is damaged"):
        load_rtstruct(made, like=grid)
    assert int(load_rtstruct(made, like=grid, rois=["roi 1"]).sum()) == 49


def test_text_a_wrong_count_and_a_missing_type_are_damage(grid: xr.DataArray) -> None:
    made = _set(*[[("CLOSED_PLANAR", _square(9, 9, 2, 3.5))] for _ in range(3)])
    one, two, three = (roi.ContourSequence[0] for roi in made.ROIContourSequence)
    raw = b"1\\2\\three "
    one[0x30060050] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(0x30060050), "DS", 10, raw, 0, True, True
    )
    two.NumberOfContourPoints = 7
    del three.ContourGeometricType
    problems = [structure.problems[0] for structure in load_contours(made)]
    assert "are no numbers" in problems[0]
    assert "has 4 points, and says that it has 7" in problems[1]
    assert "no Contour Geometric Type" in problems[2]
    assert len(load_contours(made)["roi 2"].closed) == 1


def test_contours_that_are_not_flat_are_refused_by_name(grid: xr.DataArray) -> None:
    bent = _set([("CLOSED_PLANAR", [2, 2, 2, 9, 2, 2, 9, 9, 5, 2, 9, 2])])
    with pytest.raises(GeometryError, match=r"'roi 1' cannot be filled: .* mm out of any"):
        load_rtstruct(bent, like=grid)


def test_missing_sequences_are_told(grid: xr.DataArray, tmp_path: Path, series: Path) -> None:
    made = _set([("CLOSED_PLANAR", _square(9, 9, 2, 3.5))])
    del made.StructureSetROISequence
    shown = load_contours(made)
    assert "nothing says what structures there are" in shown.problems[0]
    assert len(shown["ROI 1"].closed) == 1
    with (
        pytest.warns(DicomLabWarning, match="nothing describes"),
        pytest.warns(DicomLabWarning, match="missing or empty"),
        pytest.raises(GeometryError, match="nothing in the file says in which frame"),
    ):
        load_rtstruct(made, like=grid)
    made = _set([("CLOSED_PLANAR", _square(9, 9, 2, 3.5))])
    del made.ROIContourSequence
    with pytest.raises(DicomLabError, match="no structure has closed contours"):
        load_rtstruct(made, like=grid)
    bare = Dataset()
    bare.Modality = "RTSTRUCT"
    assert len(load_contours(bare)) == 0
    with pytest.raises(NotDicomError, match="found CT"):
        load_contours(series)
    for name in ("a", "b"):
        save_rtstruct(mask_on(volume_on("axial"), "ball"), tmp_path / f"{name}.dcm")
    with pytest.raises(AmbiguousSourceError, match="2 RT Structure Sets"):
        load_contours(tmp_path)


def test_a_contour_of_many_points_is_written_and_read_in_seconds(tmp_path: Path, grid: xr.DataArray) -> None:
    turn = np.linspace(0, 2 * np.pi, 60_000, endpoint=False)
    circle = np.column_stack([9.5 + 6 * np.cos(turn), 9.5 + 6 * np.sin(turn), np.full(turn.size, 2.0)])
    made = _set([("CLOSED_PLANAR", _square(9, 9, 2, 3.5))])
    one = made.ROIContourSequence[0].ContourSequence[0]
    text = "\\".join(f"{x:.6f}" for x in circle.ravel()).encode()
    text += b" " * (len(text) % 2)
    one.NumberOfContourPoints = len(circle)
    one[0x30060050] = pydicom.dataelem.RawDataElement(
        pydicom.tag.Tag(0x30060050), "DS", len(text), text, 0, True, True
    )
    made.SOPInstanceUID = made.SeriesInstanceUID = made.StudyInstanceUID = "1.2.3"
    made.file_meta = pydicom.dataset.FileMetaDataset()
    made.file_meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    made.save_as(tmp_path / "big.dcm", enforce_file_format=True)
    start = time.perf_counter()
    mask = load_rtstruct(tmp_path / "big.dcm", like=grid)
    assert time.perf_counter() - start < 20
    assert int(mask.sum()) == pytest.approx(np.pi * 36, rel=0.05)
    assert np.array_equal(mask[0].values, from_contours(grid, [circle[::100]]).values)


# -- a real one -------------------------------------------------------------------------------------------------------


def _by_hand(folder: Path, number: int) -> np.ndarray:
    dose = pydicom.dcmread(folder / "rtdose.dcm", stop_before_pixels=True)
    made = pydicom.dcmread(folder / "rtss.dcm")
    x, y, z = dose.ImagePositionPatient
    step = float(dose.PixelSpacing[0])
    rows, columns = np.indices((dose.Rows, dose.Columns))
    centres = np.column_stack([(x + step * columns).ravel(), (y + step * rows).ravel()]).astype(float)
    heights = z + np.array(dose.GridFrameOffsetVector, dtype=float)
    found = np.zeros((len(heights), dose.Rows, dose.Columns), bool)
    (roi,) = (one for one in made.ROIContourSequence if one.ReferencedROINumber == number)
    for contour in roi.ContourSequence:
        points = np.array(contour.ContourData, dtype=float).reshape(-1, 3)
        near = ((centres >= points[:, :2].min(axis=0)) & (centres <= points[:, :2].max(axis=0))).all(axis=1)
        inside = np.zeros(len(centres), bool)
        inside[near] = points_in_poly(centres[near], points[:, :2])
        found[np.abs(heights - points[0, 2]).argmin()] ^= inside.reshape(rows.shape)
    return found


@needs_data
def test_a_real_structure_set_has_the_volumes_and_places_that_are_known() -> None:
    folder = shared_data() / "rt-dicompyler"
    known = json.loads((SHARED / "truth.json").read_text())["rtstruct"]["rt-dicompyler/rtss.dcm"]["rois"]
    shown = load_contours(folder, progress=False)
    assert shown.names == list(known)
    for one in shown:
        about = known[one.name]
        assert (one.number, len(one.contours), sorted(one.kinds)) == (
            about["number"],
            about["contours"],
            about["types"],
        )
        if one.contours:
            assert one.extent[:, 2].tolist() == [about["z_min"], about["z_max"]]
        assert one.problems == ()
    dose = dl.load_volume(folder / "rtdose.dcm", progress=False)
    with pytest.warns(DicomLabWarning, match="left out: Areola"):
        masks = load_rtstruct(shown, like=dose)
    table = masks.dicom.labels.table.set_index("name")
    for name, about in known.items():
        if not about["contours"] or name == "Lt Lung":  # its holes are counted as lung there
            continue
        cm3 = about["volume_cm3_sum_area_times_min_step"]
        assert table.ml[name] == pytest.approx(cm3, rel=0.01 if cm3 > 2 else 0.1), name
    # dicompyler's own figures on this dose grid, for ROI 5 and 8 (upstream tests/test_dvhcalc.py).
    assert table.ml["Heart"] == pytest.approx(440.23124999)
    assert table.ml["Scar"] == pytest.approx(0.48749999)
    # Every voxel of a lung with holes, by pydicom's numbers and another library's point in polygon.
    assert np.array_equal(masks.sel(segment=6).values, _by_hand(folder, 6))
    places = masks.dicom.geometry.lps(np.argwhere(masks.sel(segment=5).values))
    points = np.concatenate(shown["Heart"].closed)
    assert np.abs(places.min(axis=0) - points.min(axis=0)).max() < 3
    assert np.abs(places.max(axis=0) - points.max(axis=0)).max() < 3
    # Soft tissue inside the body, air around it, on the one slice of the CT that there is.
    ct = dl.load_volume(folder / "ct.0.dcm", progress=False)
    body = load_rtstruct(shown, like=ct, rois=["BODY"]).sel(segment=1)
    assert float(ct.where(body).median()) > -200
    assert float(ct.where(~body).median()) < -900


@needs_data
def test_a_real_structure_set_written_again_says_the_same(tmp_path: Path) -> None:
    folder = shared_data() / "rt-dicompyler"
    dose = dl.load_volume(folder / "rtdose.dcm", progress=False)
    masks = load_rtstruct(folder, like=dose, rois=["Heart", "Lt Lung", "Tumor Bed"])
    masks.dicom.save_rtstruct(tmp_path / "again.dcm", source=folder / "rtdose.dcm")
    again = load_rtstruct(tmp_path / "again.dcm", like=dose)
    assert np.array_equal(again.values, masks.values)
    assert again.label.values.tolist() == masks.label.values.tolist()
    assert again.colour.values.tolist() == masks.colour.values.tolist()


def test_structure_set_and_segmentation_of_one_nameless_volume_lie_in_one_frame(tmp_path: Path) -> None:
    volume = dl.make_volume(
        np.zeros((3, 6, 8), np.int16), affine=np.diag([3.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU"
    )
    mask = (volume > 3).copy()
    mask[1, 2:4, 3:6] = True
    mask = mask.rename("liver")
    mask.dicom.save_rtstruct(tmp_path / "rt.dcm")
    mask.dicom.save_seg(tmp_path / "seg.dcm")
    filled = dl.load_rtstruct(tmp_path / "rt.dcm", like=volume)
    same = dl.load_segmentation(tmp_path / "seg.dcm", like=volume)
    assert (filled.sel(segment=1) == mask).all()
    assert (same.sel(segment=1) == mask).all()
    frames = {pydicom.dcmread(tmp_path / name).FrameOfReferenceUID for name in ("rt.dcm", "seg.dcm")}
    assert len(frames) == 1
