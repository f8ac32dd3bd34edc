"""The engine "dicom": `open_volume` by xarray's own name, with the guards on, lazily, and sent anywhere."""

from __future__ import annotations

import inspect
import pickle
import subprocess
import sys
import warnings
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pytest
import xarray as xr
from flat_support import picture, write_pictures
from flat_support import save as save_flat
from pydicom.uid import generate_uid
from support import datasets, watch_opening, write

from dicomlab import DicomLabError, DicomLabWarning, find_series, load_volume, open_volume, phantom
from dicomlab.backend import DicomBackend
from dicomlab.errors import AmbiguousSourceError, FaultError
from dicomlab.frames import FrameIndex
from dicomlab.indexes import AxisIndex

CHUNKS: list[Any] = [None, {}, "auto", {"slice": 2}]
KINDS = [
    "pet_slopes",
    "mosaic",
    "echoes_phases",
    "slice_times",
    "enhanced_ct",
    "gantry_tilt",
    "us_cine",
    "zip_archive",
]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were opened since the test emptied the list."""
    names: list[str] = []
    watch_opening(monkeypatch, names)
    return names


def check_guarded(volume: xr.DataArray) -> None:
    assert [type(volume.xindexes[dim]) for dim in ("slice", "row", "column")] == [AxisIndex] * 3
    assert isinstance(volume.xindexes["frame_of_reference"], FrameIndex)


def test_xarray_knows_the_engine() -> None:
    (found,) = [one for one in entry_points(group="xarray.backends") if one.name == "dicom"]
    assert found.load() is DicomBackend
    assert "patient millimetres" in repr(xr.backends.list_engines()["dicom"])


@pytest.mark.parametrize("chunks", CHUNKS, ids=repr)
def test_a_dataset_holds_the_loaded_volume_with_its_guards(tmp_path: Path, chunks: Any) -> None:
    folder = write(tmp_path, datasets("CT"))
    dataset = xr.open_dataset(folder, engine="dicom", chunks=chunks)
    assert list(dataset.data_vars) == ["ct"]
    assert dataset.attrs == {}
    check_guarded(dataset.ct)
    assert not dataset.ct.variable._in_memory
    assert (dataset.ct.chunks is None) == (chunks is None)
    assert dataset.ct.identical(load_volume(folder))
    with pytest.raises(xr.AlignmentError):
        _ = dataset.ct + load_volume(write(tmp_path / "mr", datasets("MR")))


@pytest.mark.filterwarnings("ignore::dicomlab.DicomLabWarning")
@pytest.mark.parametrize("name", KINDS)
def test_every_kind_opens_as_it_is_loaded(tmp_path: Path, name: str) -> None:
    folder = phantom.write_kind(name, tmp_path).folder
    eager = load_volume(folder)
    for chunks in (None, {}):
        lazy = xr.open_dataarray(folder, engine="dicom", chunks=chunks)
        assert lazy.dtype == eager.dtype
        assert lazy.identical(eager)
        assert list(lazy.xindexes) == list(eager.xindexes)


def test_opening_reads_no_pixel_and_picking_only_what_it_touches(tmp_path: Path, opened: list[str]) -> None:
    write(tmp_path, datasets("CT"))
    series = find_series(tmp_path)[0]
    opened.clear()
    for chunks in CHUNKS:
        dataset = xr.open_dataset(series, engine="dicom", chunks=chunks)
        assert opened == []
        _ = dataset.isel(slice=4).ct.values
        assert len(opened) == 1
        opened.clear()


def test_chunks_are_whole_planes_as_in_open_volume(tmp_path: Path) -> None:
    folder = phantom.write_kind("mosaic", tmp_path).folder
    for chunks in CHUNKS[1:3]:
        assert (
            xr.open_dataarray(folder, engine="dicom", chunks=chunks).chunks
            == open_volume(folder, chunks=chunks).chunks
        )
    folder = write(tmp_path / "ct", datasets("CT"))
    for chunks in CHUNKS[1:]:
        assert (
            xr.open_dataarray(folder, engine="dicom", chunks=chunks).chunks
            == open_volume(folder, chunks=chunks).chunks
        )


def test_options_are_those_of_open_volume(tmp_path: Path) -> None:
    folder = phantom.write_kind("echoes_phases", tmp_path).folder
    options: dict[str, Any] = {"dims": ["echo_time", "component"], "values": "stored", "dtype": "float32"}
    assert xr.open_dataarray(folder, engine="dicom", **options).identical(open_volume(folder, **options))
    with pytest.raises(FaultError, match="truncated_pixel_data"):
        xr.open_dataset(phantom.write_kind("truncated_file", tmp_path / "cut").folder, engine="dicom")
    with pytest.warns(DicomLabWarning):
        kept = xr.open_dataarray(tmp_path / "cut", engine="dicom", on_fault="keep")
    with pytest.warns(DicomLabWarning):
        assert kept.identical(load_volume(tmp_path / "cut", on_fault="keep"))
    mine = set(inspect.signature(DicomBackend.open_dataset).parameters)
    theirs = set(inspect.signature(open_volume).parameters)
    assert theirs - mine == {"source", "chunks"}, "chunks are xarray's"


def test_a_repair_that_resamples_is_refused_with_the_way_to_have_it(tmp_path: Path) -> None:
    folder = phantom.write_kind("missing_slice", tmp_path).folder
    with pytest.raises(DicomLabError, match=r"call load_volume, or open_volume with chunks=\{\}\."):
        xr.open_dataset(folder, engine="dicom", on_fault="repair", chunks={})


def test_variables_and_coordinates_can_be_left_out(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets("CT"))
    dataset = xr.open_dataset(folder, engine="dicom", drop_variables=["row", "nobody knows"])
    assert "row" not in dataset.coords
    assert "row" in dataset.dims
    assert isinstance(dataset.xindexes["slice"], AxisIndex)
    assert list(xr.open_dataset(folder, engine="dicom", drop_variables="ct").data_vars) == []


def test_an_image_of_no_modality_has_a_name_all_the_same(tmp_path: Path) -> None:
    made = picture("SC", np.arange(12, dtype=np.uint8).reshape(3, 4))
    del made.Modality
    file = save_flat(tmp_path / "one", made)
    assert load_volume(file).name is None
    assert list(xr.open_dataset(file, engine="dicom").data_vars) == ["image"]


def test_several_series_are_listed(tmp_path: Path) -> None:
    write(tmp_path / "a", datasets("CT"))
    write(tmp_path / "b", datasets("MR"))
    with pytest.raises(AmbiguousSourceError, match=r"(?s)2 series of images.*\[0\] .*CT.*\[1\] .*MR|MR.*CT"):
        xr.open_dataset(tmp_path, engine="dicom")
    for series in find_series(tmp_path):
        assert xr.open_dataarray(series, engine="dicom").name == series.modality.lower()
        assert xr.open_dataarray(series.stacks[0], engine="dicom").name == series.modality.lower()


def test_a_folder_without_dicom_says_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(DicomLabError, match="no DICOM in"):
        xr.open_dataset(tmp_path, engine="dicom")


def test_what_is_certainly_dicom_needs_no_engine_and_nothing_else_is_claimed(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets("CT"))
    file = sorted(folder.iterdir())[0]
    assert xr.open_dataset(file).ct.sizes["slice"] == 1
    assert xr.open_dataset(str(file)).ct.sizes["slice"] == 1
    guess = DicomBackend().guess_can_open
    load_volume(folder).to_netcdf(tmp_path / "ct.nc")
    (tmp_path / "empty").touch()
    others = [
        folder,
        tmp_path / "ct.nc",
        tmp_path / "empty",
        tmp_path / "absent",
        b"DICM",
        file.open("rb"),
        3,
        "http://x/y",
    ]
    assert not any(guess(other) for other in others)
    others[5].close()  # type: ignore[union-attr]
    assert xr.open_dataset(tmp_path / "ct.nc").ct.shape == load_volume(folder).shape


@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_a_dataset_travels_unread_and_is_guarded_where_it_arrives(tmp_path: Path, chunks: Any) -> None:
    folder = write(tmp_path, datasets("CT"))
    sent = pickle.dumps(xr.open_dataset(folder, engine="dicom", chunks=chunks))
    arrived = pickle.loads(sent)
    assert not arrived.ct.variable._in_memory
    check_guarded(arrived.ct)
    assert arrived.ct.identical(load_volume(folder))


@pytest.mark.parametrize("scheduler", ["threads", "processes"])
def test_dask_reads_it_on_threads_and_in_processes(tmp_path: Path, scheduler: str) -> None:
    folder = write(tmp_path, datasets("PT"))
    dataset = xr.open_dataset(folder, engine="dicom", chunks={"slice": 2})
    with dask.config.set(scheduler=scheduler):
        assert dataset.compute().pt.identical(load_volume(folder))


def test_without_chunks_what_was_read_is_kept_by_xarray(tmp_path: Path, opened: list[str]) -> None:
    dataset = xr.open_dataset(write(tmp_path, datasets("CT")), engine="dicom")
    opened.clear()
    for _ in range(3):
        _ = dataset.ct.values
    assert len(opened) == len(set(opened)) == 6
    opened.clear()
    uncached = xr.open_dataset(tmp_path, engine="dicom", cache=False)
    opened.clear()
    for _ in range(2):
        _ = uncached.ct[1].values
    assert len(opened) == 2


def test_slides_and_radiographs_open_too(tmp_path: Path) -> None:
    write_pictures(tmp_path)
    for name in ("radiograph", "slide", "ultrasound"):
        file = tmp_path / f"{name}.dcm"
        eager = load_volume(file)
        for chunks in (None, {}, "auto"):
            assert xr.open_dataarray(file, engine="dicom", chunks=chunks).identical(eager)
    assert xr.open_dataarray(tmp_path / "slide.dcm", engine="dicom", chunks={}).chunks[0] == (4, 4, 2)


def test_warnings_point_at_the_line_that_called_xarray(tmp_path: Path) -> None:
    folder = phantom.write_kind("missing_slice", tmp_path).folder
    for call in (xr.open_dataset, xr.open_dataarray, xr.load_dataset):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call(folder, engine="dicom")
        assert [(w.category, w.filename) for w in caught] == [(DicomLabWarning, __file__)]


def test_the_engine_costs_nothing_until_it_is_used() -> None:
    program = (
        "import sys, dicomlab.backend; "
        "assert not {'pydicom', 'dask', 'matplotlib', 'imagecodecs'} & set(sys.modules), sorted(sys.modules)"
    )
    root = Path(__file__).parents[1]
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, cwd=root)


def test_a_dataset_is_saved_and_opened_again(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets("CT"))
    xr.open_dataset(folder, engine="dicom", chunks={}).to_netcdf(tmp_path / "ct.nc")
    again = xr.load_dataset(tmp_path / "ct.nc").ct.dicom.restore()
    np.testing.assert_array_equal(again.values, load_volume(folder).values)
    np.testing.assert_allclose(again.dicom.affine, load_volume(folder).dicom.affine)


# -- several series -----------------------------------------------------------------------------------------------------------


def _numbered(changed: list[Any], patient: str, study: str, number: int | None) -> list[Any]:
    for ds in changed:
        ds.PatientID, ds.StudyInstanceUID = patient, study
        ds.SeriesInstanceUID = (
            f"1.2.{ds.SeriesInstanceUID[-6:].lstrip('0.')}.{len(patient)}.{study[-1]}.{number or 0}"
        )
        ds.SeriesNumber = number
        ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    return changed


def test_a_tree_holds_every_series_lazily_under_names_that_tell_nothing(
    tmp_path: Path, opened: list[str]
) -> None:
    study = phantom.write_study(tmp_path, coarser=8)
    for chunks in (None, {}):
        tree = xr.open_datatree(study.folder, engine="dicom", chunks=chunks)
        assert [node.path for node in tree.leaves] == [
            f"/patient1/study1/{name}" for name in ("CT_2", "MR_3", "PT_4")
        ]
        node = tree["patient1/study1/CT_2"]
        assert not node["ct"].variable._in_memory
        assert (node["ct"].chunks is None) == (chunks is None)
        assert node["ct"].identical(load_volume(study.ct.folder))
        check_guarded(node["ct"])
        assert node.attrs["SeriesDescription"] == "Thorax abdomen portal venous"
        assert node.attrs["SeriesNumber"] == 2
        assert tree["patient1/study1"].attrs["StudyInstanceUID"] == tree_uid(study.ct.folder)
        text = repr(tree) + tree._repr_html_() + str(dict(node.attrs))
        assert not any(
            secret in text for secret in ("Phantom^", "PHANTOM-0001", "19700101", "Nora", "Nowhere")
        )


def tree_uid(folder: Path) -> str:
    return find_series(folder)[0].instances[0].text("StudyInstanceUID")


def test_patients_and_studies_are_told_apart(tmp_path: Path) -> None:
    plan = [
        ("a", "1.1", 1),
        ("a", "1.1", 2),
        ("a", "1.2", 1),
        ("b", "1.3", 1),
        ("", "1.4", None),
        ("", "1.5", None),
    ]
    for k, (patient, study, number) in enumerate(plan):
        write(tmp_path / str(k), _numbered(datasets("CT"), patient, study, number))
    tree = xr.open_datatree(tmp_path, engine="dicom")
    assert sorted(node.path for node in tree.leaves) == [
        "/patient1/study1/CT_1",
        "/patient1/study1/CT_2",
        "/patient1/study2/CT_1",
        "/patient2/study1/CT_1",
        "/patient3/study1/CT",
        "/patient4/study1/CT",
    ]


def test_series_of_one_modality_and_number_are_all_there(tmp_path: Path) -> None:
    for k in "12":
        changed = _numbered(datasets("CT"), "a", "1.1", 5)
        for ds in changed:
            ds.SeriesInstanceUID += f".{k}"
        write(tmp_path / k, changed)
    tree = xr.open_datatree(tmp_path, engine="dicom")
    assert [node.path for node in tree.leaves] == ["/patient1/study1/CT_5", "/patient1/study1/CT_5_2"]


def test_a_series_of_several_stacks_has_a_child_for_each(tmp_path: Path) -> None:
    folder = phantom.write_kind("localizer_inside", tmp_path).folder
    (series,) = find_series(folder)
    tree = xr.open_datatree(folder, engine="dicom")
    (parent,) = tree["patient1/study1"].children.values()
    assert list(parent.children) == ["stack0", "stack1"]
    assert not parent.data_vars
    assert parent.attrs["Modality"] == "CT"
    for k, stack in enumerate(series.stacks):
        assert parent[f"stack{k}/ct"].identical(load_volume(stack))


def test_what_cannot_be_opened_is_a_node_that_says_why(tmp_path: Path) -> None:
    phantom.write_kind("truncated_file", tmp_path / "cut")
    write(tmp_path / "mr", datasets("MR"))
    with pytest.raises(FaultError) as problem:
        open_volume(tmp_path / "cut")
    tree = xr.open_datatree(tmp_path, engine="dicom", chunks={})
    broken, whole = sorted(tree.leaves, key=lambda node: len(node.data_vars))
    assert not broken.data_vars
    assert broken.attrs["error"] == str(problem.value).replace("IM0004", "cut/IM0004")
    assert "error" not in whole.attrs
    assert whole["mr"].identical(load_volume(tmp_path / "mr"))
    with pytest.warns(DicomLabWarning):
        tree = xr.open_datatree(tmp_path, engine="dicom", on_fault="keep")
    assert all("error" not in node.attrs for node in tree.leaves)


def test_an_argument_that_means_nothing_is_an_error_not_a_tree_of_errors(tmp_path: Path) -> None:
    folder = write(tmp_path / "ct", datasets("CT"))
    with pytest.raises(DicomLabError, match="on_fault"):
        xr.open_datatree(folder, engine="dicom", on_fault="mend")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DicomLabError, match="no DICOM in"):
        xr.open_datatree(tmp_path / "empty", engine="dicom")


def test_groups_series_and_lists_open_as_the_folder_does(tmp_path: Path) -> None:
    study = phantom.write_study(tmp_path, coarser=8)
    tree = xr.open_datatree(study.folder, engine="dicom")
    found = find_series(study.folder)
    assert xr.open_datatree(found, engine="dicom").identical(tree)
    groups = xr.open_groups(study.folder, engine="dicom")
    assert xr.DataTree.from_dict(groups).identical(tree)
    alone = xr.open_datatree(found[1], engine="dicom")
    assert [node.path for node in alone.leaves] == ["/patient1/study1/MR_3"]
    file = sorted(study.ct.folder.iterdir())[0]
    assert [node.path for node in xr.open_datatree(file).leaves] == ["/patient1/study1/CT_2"]


@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_a_tree_travels_unread(tmp_path: Path, chunks: Any) -> None:
    study = phantom.write_study(tmp_path, coarser=8)
    tree = pickle.loads(pickle.dumps(xr.open_datatree(study.folder, engine="dicom", chunks=chunks)))
    node = tree["patient1/study1/PT_4/pt"]
    assert not node.variable._in_memory
    check_guarded(node)
    assert node.identical(load_volume(study.pet.folder))


def test_folders_of_one_grid_are_opened_along_a_new_axis_and_others_refuse(tmp_path: Path) -> None:
    one, other = datasets("CT"), datasets("CT")
    for ds in other:
        ds.PixelData = (np.frombuffer(ds.PixelData, "<u2") + 1).tobytes()
    folders = [write(tmp_path / "a", one), write(tmp_path / "b", other)]
    options: dict[str, Any] = {"engine": "dicom", "combine": "nested", "concat_dim": "visit"}
    both = xr.open_mfdataset(folders, **options)
    assert both.ct.dims == ("visit", "slice", "row", "column")
    assert both.ct.chunks is not None
    check_guarded(both.ct)
    for k, folder in enumerate(folders):
        np.testing.assert_array_equal(both.ct[k].values, load_volume(folder).values)
    moved = datasets("CT")
    for ds in moved:
        ds.ImagePositionPatient = [float(x) + 0.3 for x in ds.ImagePositionPatient]
    write(tmp_path / "c", moved)
    with pytest.raises(xr.AlignmentError, match="positions"):
        xr.open_mfdataset([*folders, tmp_path / "c"], **options, join="outer")
    with pytest.raises(xr.AlignmentError):
        xr.open_mfdataset([*folders, tmp_path / "c"], **options, join="exact")
    write(tmp_path / "d", datasets("MR"))
    mr = xr.open_dataset(tmp_path / "d", engine="dicom").rename(mr="ct")
    with pytest.raises(xr.AlignmentError, match="frame of reference"):
        xr.concat([both, mr.expand_dims("visit")], "visit", join="outer")


def test_halves_of_one_series_are_opened_along_slice(tmp_path: Path) -> None:
    whole = load_volume(write(tmp_path / "whole", datasets("CT")))
    folders = [write(tmp_path / "low", datasets("CT")[:3]), write(tmp_path / "high", datasets("CT")[3:])]
    both = xr.open_mfdataset(folders, engine="dicom", combine="nested", concat_dim="slice")
    np.testing.assert_array_equal(both.ct.values, whole.values)
    np.testing.assert_allclose(both.ct.dicom.affine, whole.dicom.affine)
