"""What somebody new gets wrong, and what the message says to do."""

from __future__ import annotations

import importlib.util
import os
import signal
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ipywidgets
import matplotlib.pyplot as plt
import numpy as np
import pydicom
import pytest
import xarray as xr
from support import datasets, write

import dicomlab as dl
from dicomlab import DicomLabError, phantom
from dicomlab.cohort import Stopped
from dicomlab.errors import AmbiguousSourceError, GeometryError


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a CT, an MR and a PET; treat it as read-only."""
    return phantom.write_study(tmp_path_factory.mktemp("study"), coarser=6).folder


def by_xarray(source: Any) -> xr.Dataset:
    return xr.open_dataset(source, engine="dicom")


# -- sources -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reader", [dl.load_volume, dl.open_volume, dl.load_overlays, by_xarray])
def test_the_way_to_one_series_or_stack_holds_for_whoever_reads(
    study: Path, tmp_path: Path, reader: Callable[[Any], Any]
) -> None:
    with pytest.raises(
        AmbiguousSourceError, match=r"series\[0\], for instance, in place of the path"
    ) as told:
        reader(study)
    assert "load_volume" not in str(told.value)
    stacks = phantom.write_kind("two_stacks", tmp_path).folder
    with pytest.raises(
        AmbiguousSourceError, match=r"in place of the series, for instance series.stacks\[0\]"
    ) as told:
        reader(stacks)
    assert "load_volume" not in str(told.value)


def test_paths_of_a_series_are_where_its_files_are(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(study)
    series = dl.find_series(".")
    monkeypatch.chdir("/")
    for one in series:
        assert [path.relative_to(study) for path in one.paths] == list(map(Path, one.files))
        uids = [pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in one.paths]
        assert uids == [instance.text("SOPInstanceUID") for instance in one.instances]
        assert set(one.stacks[0].paths) == set(one.paths)
    assert dl.open_volume(list(series[0].paths)).identical(dl.open_volume(series[0]))


def test_the_path_of_a_member_of_an_archive_is_that_of_the_archive(study: Path, tmp_path: Path) -> None:
    (series, *_) = dl.find_series(study)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for path in series.paths:
            archive.write(path, path.name)
    (zipped,) = dl.find_series(tmp_path)
    assert zipped.paths == (tmp_path / "a.zip",) * len(series.paths)


def test_a_list_is_kept_in_a_file_that_is_named(study: Path) -> None:
    with pytest.raises(DicomLabError, match="cache= is the path of a file to keep the list in, found True"):
        dl.find_series(study, cache=True)  # type: ignore[arg-type]


# -- lazy volumes --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sizes", [0, 2.5, (1, 2), (), (-2, 8), -3, "x", {}])
def test_chunks_that_do_not_fit_are_refused_with_the_lengths(tmp_path: Path, sizes: Any) -> None:
    folder = write(tmp_path, datasets("CT"))
    with pytest.raises(DicomLabError, match=r"chunks=\{'slice': .*slice 6, row .*sizes that add up") as told:
        dl.open_volume(folder, chunks={"slice": sizes})
    assert repr(sizes) in str(told.value)


def test_values_of_a_lazy_volume_are_assigned_after_loading_them(tmp_path: Path) -> None:
    lazy = dl.open_volume(write(tmp_path, datasets("CT")))
    points = xr.DataArray([0, 1], dims="point")
    for part, key in (
        (lazy, 0),
        (lazy, (0, 1, 2)),
        (lazy, [0, 2]),
        (lazy[1:3], 0),
        (lazy.transpose("row", "slice", "column"), 0),
        (lazy, {"slice": points, "row": points}),
        (lazy.isel(slice=points, row=points), 0),
    ):
        with pytest.raises(DicomLabError, match=r"first: volume\.load\(\)"):
            part[key] = 1
    lazy.load()[0] = 1
    assert (lazy[0] == 1).all()


def test_without_dask_a_repair_is_had_by_loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = phantom.write_kind("missing_slice", tmp_path).folder
    find = importlib.util.find_spec
    monkeypatch.setattr("dicomlab.read.volume.find_spec", lambda name: None if name == "dask" else find(name))
    with pytest.raises(DicomLabError, match=r"call load_volume, .* after pip install 'dicomlab\[dask\]'"):
        dl.open_volume(folder, on_fault="repair")


# -- datasets ------------------------------------------------------------------------------------------------------------


def test_a_dataset_in_place_of_a_volume_is_told_to_take_a_variable(tmp_path: Path) -> None:
    dataset = by_xarray(write(tmp_path, datasets("CT")))
    for use in (dl.browse, dl.show, dl.montage, dl.orthoview, lambda one: one.dicom.restore()):
        with pytest.raises(GeometryError, match=r"a Dataset, which holds ct\. .*: dataset\['ct'\]"):
            use(dataset)
    assert "dataset['ct']" in repr(dataset.dicom)
    assert not hasattr(dataset.dicom, "affine")
    with pytest.raises(GeometryError, match="holds no variable"):
        dl.show(dataset.drop_vars("ct"))
    many = xr.Dataset({f"v{k}": 0 for k in range(12)})
    with pytest.raises(GeometryError, match=r"v9 and 2 more\. .*dataset\['v0'\]"):
        dl.show(many)
    assert int(xr.Dataset({"dicom": 3}).dicom) == 3


@pytest.mark.parametrize("written", ["netcdf", "zarr"])
def test_a_volume_with_one_window_is_identical_when_it_comes_back(tmp_path: Path, written: str) -> None:
    images = datasets("CT")
    for image in images:
        image.WindowCenter, image.WindowWidth = "35", "80"
    volume = dl.load_volume(write(tmp_path / "ct", images))
    assert volume.attrs["WindowCenter"] == [35.0]
    if written == "netcdf":
        volume.to_netcdf(tmp_path / "ct.nc")
        again = xr.load_dataarray(tmp_path / "ct.nc")
    else:
        volume.to_zarr(tmp_path / "ct.zarr", zarr_format=2)
        again = xr.open_zarr(tmp_path / "ct.zarr")["ct"].load()
    before = dict(again.attrs)
    assert again.dicom.restore().identical(volume)
    assert dict(again.attrs) == before


# -- many series ---------------------------------------------------------------------------------------------------------


def test_what_is_no_series_is_refused_with_what_to_give(study: Path) -> None:
    series = dl.find_series(study)
    volume = dl.load_volume(series[0])
    for given in ([volume], volume, volume.values, volume.to_dataset(name="ct")):
        with pytest.raises(DicomLabError, match=r"\[function\(volume\) for volume in volumes\]"):
            dl.map_series(np.mean, given)  # type: ignore[arg-type]
    with pytest.raises(DicomLabError, match=r"\[series\[k\] for k in table\.index\]"):
        dl.map_series(np.mean, series.table)
    few = series.table.query("modality == 'MR'")
    assert list(dl.map_series(np.mean, [series[k] for k in few.index]).modality) == ["MR"]


@pytest.mark.parametrize("what", ["function", "load"])
def test_what_cannot_be_sent_to_processes_is_named(study: Path, what: str) -> None:
    lock = threading.Lock()

    def locked(given: Any) -> None:
        with lock:
            pass

    call = {"function": locked} if what == "function" else {"function": np.mean, "load": locked}
    with pytest.raises(DicomLabError, match=r"locked cannot be sent .*'_thread\.lock'.*scheduler='threads'"):
        dl.map_series(call.pop("function"), study, scheduler="processes", **call)


@pytest.mark.parametrize("results", ["nowhere/results.sqlite", ".", True])
def test_results_have_a_file_in_a_folder_that_is_there(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, results: Any
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DicomLabError, match="results="):
        dl.map_series(np.mean, study, results=results)
    assert list(tmp_path.iterdir()) == []


def figure(volume: xr.DataArray) -> Any:
    made, axes = plt.subplots()
    plt.close(made)
    return {"picture": [axes]}


REFUSED: dict[str, Callable[[xr.DataArray], Any]] = {
    "generator": lambda volume: (one for one in volume),
    "map": lambda volume: {"means": map(np.mean, volume)},
    "Axes": figure,
    "HBox": lambda volume: ipywidgets.HBox(),
    "DataArray of shape": lambda volume: volume > 0,
    "ndarray of shape": lambda volume: {"a": {"b": np.broadcast_to(0, (2000, 1000))}},
    "x is a DataArray of shape": lambda volume: {"x": volume.to_dataset(name="ct")},
}


@pytest.mark.parametrize("told", REFUSED)
@pytest.mark.parametrize("kept", [False, True])
def test_what_is_no_cell_of_a_table_is_refused_with_and_without_a_file_of_results(
    study: Path, tmp_path: Path, told: str, kept: bool
) -> None:
    options = {"results": tmp_path / "results.sqlite", "version": "1"} if kept else {}
    table = dl.map_series(REFUSED[told], study, **options)  # type: ignore[arg-type]
    assert len(table) == 3
    for error in table.error:
        assert told in str(error)
        assert "return" in str(error)


def test_objects_pictures_and_profiles_may_stand_in_a_table(study: Path) -> None:
    table = dl.map_series(
        lambda volume: {
            "grid": volume.dicom.geometry,
            "highest": volume.max("slice").values,
            "profile": volume.mean(["row", "column"]),
            "other": SimpleNamespace(a=1),
            "mean": volume.mean(),
        },
        study,
    )
    assert list(table.error) == [None] * 3
    assert isinstance(table.grid[0], dl.Geometry)
    assert table.highest[0].ndim == 2
    assert table.profile[0].dims == ("slice",)
    assert table["mean"].dtype.kind == "f"


@pytest.mark.parametrize(("fails", "done"), [(False, 0), (False, 1), (True, 1)])
@pytest.mark.parametrize("kept", [False, True])
def test_who_stops_it_is_told_where_results_are_if_there_are_any(
    study: Path, tmp_path: Path, fails: bool, done: int, kept: bool
) -> None:
    calls: list[int] = []

    def measure(volume: xr.DataArray) -> int:
        calls.append(1)
        if len(calls) > done:
            os.kill(os.getpid(), signal.SIGINT)
        return 1 // (not fails)

    options = {"results": tmp_path / "results.sqlite", "version": "1"} if kept else {}
    with pytest.raises(Stopped, match=rf"{3 - done} of 3 series are not done") as stopped:
        dl.map_series(measure, study, scheduler="synchronous", **options)  # type: ignore[arg-type]
    assert len(stopped.value.table) == done
    told = str(stopped.value)
    assert ("before the first was" in told) == (done == 0)
    assert (str(tmp_path) in told) == (kept and done > 0)
    assert ("but for 1 that failed" in told) == (kept and fails)
