"""Lazy volumes: what `load_volume` makes, bit by bit, read when it is looked at and no file more."""

import os
import pickle
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dask
import numpy as np
import pydicom
import pytest
import xarray as xr
from flat_support import TISSUE, item, picture, write_pictures
from flat_support import save as save_flat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import SHARED, SMALL, datasets, watch_opening, write

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, find_series, load_volume, open_volume, phantom
from dicomlab.errors import FaultError
from dicomlab.indexes import AxisIndex
from dicomlab.read.sources import FileRef
from dicomlab.read.stacks import Stack
from dicomlab.read.stored import StoredImage

EVERY_KIND = [*phantom.KINDS, *phantom.FAULTS]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were opened since the test emptied the list."""
    names: list[str] = []
    watch_opening(monkeypatch, names)
    return names


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Files and frames that were decoded since the test emptied the list."""
    seen: list[tuple[str, int]] = []
    read: Callable[..., Any] = StoredImage.read

    def watched(self: StoredImage, frame: int = 0, out: np.ndarray | None = None) -> Any:
        seen.append((self.file.name, frame))
        return read(self, frame, out)

    monkeypatch.setattr(StoredImage, "read", watched)
    return seen


def told(make: Callable[[], xr.DataArray]) -> tuple[xr.DataArray | DicomLabError, list[tuple[str, str]]]:
    """The array or the error, and each warning with the file whose line it points at."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            made: xr.DataArray | DicomLabError = make()
        except DicomLabError as error:
            made = error
    return made, [(str(w.message), w.filename) for w in caught]


def kind(folder: Path, name: str) -> list[Stack]:
    sample = phantom.write_kind(name, folder)
    return [stack for series in find_series(sample.folder, progress=False) for stack in series.stacks]


def check_same(lazy: xr.DataArray, eager: xr.DataArray) -> None:
    assert lazy.dtype == eager.dtype
    assert lazy.identical(eager)  # dims, coordinates, name, attributes, values
    assert {name: type(index) for name, index in lazy.xindexes.items()} == {
        name: type(index) for name, index in eager.xindexes.items()
    }


# ---- the same as load_volume -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVERY_KIND)
def test_a_lazy_volume_of_every_kind_is_the_loaded_one(tmp_path: Path, name: str) -> None:
    for stack in kind(tmp_path, name):
        eager, warned = told(lambda stack=stack: load_volume(stack))
        for chunks in (None, {}, "auto"):
            lazy, warned_too = told(lambda stack=stack, chunks=chunks: open_volume(stack, chunks=chunks))
            if isinstance(eager, FaultError) and eager.findings[0].code == "undecodable_pixel_data":
                assert isinstance(lazy, xr.DataArray), "what no header tells is told when it is looked at"
                with pytest.raises(FaultError, match="undecodable_pixel_data"):
                    _ = lazy.values
            elif isinstance(eager, DicomLabError):
                assert (type(lazy), str(lazy)) == (type(eager), str(eager))
            else:
                assert isinstance(lazy, xr.DataArray)
                assert warned_too == warned
                assert {file for _, file in warned} <= {__file__}
                assert not lazy.variable._in_memory
                assert (lazy.chunks is None) == (chunks is None)
                check_same(lazy, eager)


@pytest.mark.skipif(not (SHARED / "truth.json").is_file(), reason=f"no real DICOM at {SHARED}")
def test_a_lazy_volume_of_the_real_data_is_the_loaded_one() -> None:
    from test_shared_data import FINDINGS, _stack

    for name in FINDINGS:
        stack = _stack(name)
        eager, warned = told(lambda stack=stack: load_volume(stack))
        lazy, warned_too = told(lambda stack=stack: open_volume(stack))
        assert isinstance(lazy, xr.DataArray)
        assert warned_too == warned
        middle = {dim: [n // 2] for dim, n in lazy.sizes.items() if dim not in ("row", "column")}
        check_same(lazy.isel(middle), eager.isel(middle))
        check_same(lazy, eager)


@pytest.mark.parametrize("name", ["diffusion", "echoes_phases", "enhanced_mr", "modality_lut"])
def test_arguments_mean_what_they_mean_to_load_volume(tmp_path: Path, name: str) -> None:
    (stack,) = kind(tmp_path, name)
    for options in ({"values": "stored"}, {"dtype": "float32"}, {"dtype": "float64", "values": "stored"}):
        check_same(open_volume(stack, **options), load_volume(stack, **options))


def test_dims_are_named_as_in_load_volume(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "echoes_phases")
    dims = ["echo_time", "component"]
    check_same(open_volume(stack, dims=dims), load_volume(stack, dims=dims))


@pytest.mark.parametrize("source", ["folder", "file", "list", "zip", "series", "stack", "all series"])
def test_a_source_is_what_it_is_to_load_volume(tmp_path: Path, source: str) -> None:
    folder = write(tmp_path / "ct", datasets("CT"))
    series = find_series(folder)
    made = {
        "folder": lambda: folder,
        "file": lambda: sorted(folder.iterdir())[2],
        "list": lambda: sorted(folder.iterdir())[:3],
        "zip": lambda: phantom.write_kind("zip_archive", tmp_path / "zip").folder,
        "series": lambda: series[0],
        "stack": lambda: series[0].stacks[0],
        "all series": lambda: series,
    }[source]()
    check_same(open_volume(made), load_volume(made))


# ---- only what is looked at ------------------------------------------------------------------------------------------

PICKS: list[tuple[str, Callable[[xr.DataArray], xr.DataArray], list[int]]] = [
    ("one slice", lambda v: v.isel(slice=3), [3]),
    ("one slice, counted from the end", lambda v: v.isel(slice=-1), [5]),
    ("one slice that stays an axis", lambda v: v.isel(slice=[4]), [4]),
    ("a slab", lambda v: v[1:3], [1, 2]),
    ("a stride", lambda v: v[::2], [0, 2, 4]),
    ("backwards", lambda v: v[::-3], [2, 5]),
    ("a part of each slice", lambda v: v[..., 3:6, 5], [0, 1, 2, 3, 4, 5]),
    ("several rows of one slice", lambda v: v.isel(slice=2, row=[7, 1, 7]), [2]),
    ("a column backwards", lambda v: v.isel(slice=2, column=slice(None, None, -1)), [2]),
    ("rows and columns by numbers", lambda v: v.isel(slice=[5, 1], row=[3, 0], column=[9, 2, 2]), [1, 5]),
    ("by numbers, one twice", lambda v: v.isel(slice=[4, 0, 4]), [0, 4]),
    ("by a mask", lambda v: v.isel(slice=np.array([False, True, False, False, True, False])), [1, 4]),
    ("by position", lambda v: v.sel(slice=float(v.slice[3]) + 0.4, method="nearest"), [3]),
    ("by positions from to", lambda v: v.sel(slice=slice(float(v.slice[4]), float(v.slice[2]))), [2, 3, 4]),
    ("step by step", lambda v: v[1:][::2].isel(slice=1)[2:5], [3]),
    ("turned", lambda v: v.transpose("column", "slice", "row")[3:5, 2], [2]),
    ("a voxel", lambda v: v[4, 5, 6], [4]),
    ("a voxel of what is turned", lambda v: v.transpose("row", "column", "slice")[5, 6, 4], [4]),
    (
        "points",
        lambda v: v.isel(
            slice=xr.Variable("p", [5, 0, 5]),
            row=xr.Variable("p", [1, 2, -3]),
            column=xr.Variable("p", [0, 4, 9]),
        ),
        [0, 5],
    ),
    (
        "a curve of columns",
        lambda v: v.isel(slice=xr.Variable("p", [1, 2]), row=xr.Variable("p", [0, 3])),
        [1, 2],
    ),
    ("nothing", lambda v: v[3:3], []),
]


@pytest.mark.parametrize(("pick", "slices"), [pick[1:] for pick in PICKS], ids=[pick[0] for pick in PICKS])
@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_picking_reads_the_files_it_touches_each_once(
    tmp_path: Path, opened: list[str], pick: Any, slices: list[int], chunks: Any
) -> None:
    folder = write(tmp_path, datasets("CT"))
    eager, stack = load_volume(folder), find_series(folder)[0].stacks[0]
    opened.clear()
    picked = pick(open_volume(stack, chunks=chunks))
    assert opened == [], "opening and picking read nothing"
    values = picked.values
    names = [plane.instance.file.name for plane in stack.arrangement.planes]
    assert sorted(opened) == sorted(names[k] for k in slices)
    expected = pick(eager)
    assert values.shape == expected.shape
    np.testing.assert_array_equal(values, expected.values)


def test_of_points_the_one_that_is_looked_at_is_read(tmp_path: Path, opened: list[str]) -> None:
    folder = write(tmp_path, datasets("CT"))
    eager, lazy = load_volume(folder), open_volume(folder)
    where = {"slice": xr.Variable("p", [1, 2]), "row": xr.Variable("p", [0, 3])}
    opened.clear()
    assert lazy.isel(where)[1, 7].item() == eager.isel(where)[1, 7].item()
    assert len(opened) == 1


def test_points_of_further_axes_read_their_own_images_and_not_the_product(
    tmp_path: Path, opened: list[str]
) -> None:
    (stack,) = kind(tmp_path, "echoes_phases")
    eager = load_volume(stack)
    where = {
        dim: xr.Variable("p", numbers)
        for dim, numbers in zip(
            eager.dims, ([0, 1, 1], [2, 0, 0], [4, 3, 3], [1, 2, 9], [0, 0, 5]), strict=True
        )
    }
    lazy = open_volume(stack)
    opened.clear()
    np.testing.assert_array_equal(lazy.isel(where).values, eager.isel(where).values)
    assert len(opened) == 2, "three voxels in two images"
    some = {"component": 1, "slice": [0, 4]}
    opened.clear()
    np.testing.assert_array_equal(lazy.isel(some).values, eager.isel(some).values)
    assert len(opened) == 6


def test_the_slices_of_a_mosaic_share_one_picture_which_is_decoded_once(
    tmp_path: Path, decoded: list[tuple[str, int]]
) -> None:
    (stack,) = kind(tmp_path, "mosaic")
    eager, lazy = load_volume(stack), open_volume(stack)
    decoded.clear()
    np.testing.assert_array_equal(lazy.isel(time=1).values, eager.isel(time=1).values)
    assert len(decoded) == 1
    for k in (3, 0, 6):
        np.testing.assert_array_equal(lazy[1, k].values, eager[1, k].values)
    assert len(decoded) == 1, "the last picture is kept"
    _ = lazy.isel(time=2, slice=2).values
    assert len(decoded) == 2
    assert {size for dim in ("row", "column") for size in open_volume(stack, chunks={}).chunksizes[dim]} == {
        24,
        30,
    }
    assert open_volume(stack, chunks={}).chunksizes["slice"] == (7,), "and are not parted by dask"
    assert open_volume(stack, chunks={}).chunksizes["time"] == (1, 1, 1)


def test_of_a_file_of_many_frames_only_the_bytes_of_the_frame_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (stack,) = kind(tmp_path, "enhanced_ct")
    eager, lazy = load_volume(stack), open_volume(stack)
    amounts: list[int] = []
    open_ = FileRef.open

    def counting(self: FileRef) -> Any:
        stream = open_(self)
        read = stream.read

        class Counting:
            seek, tell, close = stream.seek, stream.tell, stream.close

            def read(self, size: int = -1) -> bytes:
                data = read(size)
                amounts.append(len(data))
                return data

            def __enter__(self) -> Any:
                return self

            def __exit__(self, *_: object) -> None:
                stream.close()

        return Counting()

    into = FileRef.read_into

    def counting_into(self: FileRef, out: np.ndarray, offset: int) -> int:
        amounts.append(out.nbytes)
        return into(self, out, offset)

    monkeypatch.setattr(FileRef, "open", counting)
    monkeypatch.setattr(FileRef, "read_into", counting_into)
    np.testing.assert_array_equal(lazy[4, 2:4].values, eager[4, 2:4].values)
    assert sum(amounts) == 28 * 36 * 2


def test_several_planes_are_read_by_two_threads_and_one_by_the_caller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lazy = open_volume(write(tmp_path, datasets("CT")))
    readers: set[int] = set()
    read, meeting = StoredImage.read, threading.Barrier(2)

    def noted(self: StoredImage, frame: int, out: np.ndarray | None = None) -> Any:
        readers.add(threading.get_ident())
        if len(readers) > 1 or threading.current_thread() is not threading.main_thread():
            meeting.wait(10)  # which nobody does alone
        return read(self, frame, out)

    monkeypatch.setattr(StoredImage, "read", noted)
    _ = lazy[0].values
    assert readers == {threading.get_ident()}
    readers.clear()
    _ = lazy.values
    assert len(readers) == 2


AXES_OF = {"mosaic": (3, 7, 24, 30), "pet_slopes": (9, 28, 36), "echoes_phases": (2, 3, 5, 24, 30)}
OPENED: dict[str, tuple[xr.DataArray, xr.DataArray, xr.DataArray]] = {}


@pytest.fixture(scope="module", autouse=True)
def _opened_once(tmp_path_factory: pytest.TempPathFactory) -> None:
    for name in AXES_OF:
        (stack,) = kind(tmp_path_factory.mktemp(name), name)
        OPENED[name] = load_volume(stack), open_volume(stack), open_volume(stack, chunks={"slice": 2})


@st.composite
def indexers(draw: st.DrawFn, shape: tuple[int, ...], points: str) -> list[Any]:
    """One indexer an axis: nothing, a number, a slice of any step, numbers in any order, a mask, or points of one line."""
    line = draw(st.integers(1, 4))
    found: list[Any] = []
    for n in shape:
        number = st.integers(-n, n - 1)
        found.append(
            draw(
                st.one_of(
                    st.just(slice(None)),
                    number,
                    st.slices(n),
                    st.lists(number, max_size=5).map(lambda k: np.array(k, dtype=np.int64)),
                    st.lists(st.booleans(), min_size=n, max_size=n).map(np.array),
                    st.lists(number, min_size=line, max_size=line).map(lambda k: xr.Variable(points, k)),
                )
            )
        )
    return found


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data(), st.sampled_from(sorted(AXES_OF)), st.booleans())
def test_any_picking_of_a_lazy_volume_is_that_of_the_loaded_one(
    data: st.DataObject, name: str, dask_: bool
) -> None:
    eager, lazy, chunked = OPENED[name]
    dims = data.draw(st.permutations(list(eager.dims)))
    lazy, eager = (chunked if dask_ else lazy).transpose(*dims), eager.transpose(*dims)
    for points in ("these", "those")[: data.draw(st.integers(1, 2))]:
        picked = dict(zip(eager.dims, data.draw(indexers(eager.shape, points)), strict=True))
        eager = eager.isel(picked)
        if not eager.size and dask_:
            return  # of points of an empty axis dask makes an error of its own
        lazy = lazy.isel(picked)
        # Of points that were picked one by one xarray's lazy indexing cannot always pick again (an IndexError of its own).
        if not eager.size or any(isinstance(key, xr.Variable) for key in picked.values()):
            break
    assert lazy.dims == eager.dims
    assert lazy.dtype == eager.dtype
    np.testing.assert_array_equal(lazy.values, eager.values)
    assert lazy.identical(eager)


# ---- dask ------------------------------------------------------------------------------------------------------------


def test_chunks_are_whole_planes_unless_asked_otherwise(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "dynamic")
    _, slices, rows, columns = load_volume(stack).shape
    assert open_volume(stack, chunks={}).chunks == ((1,) * 4, (1,) * slices, (rows,), (columns,))
    assert open_volume(stack, chunks={"slice": 2}).chunks == ((1,) * 4, (2, 2, 1), (rows,), (columns,))
    assert open_volume(stack, chunks={"time": -1}).chunks == ((4,), (1,) * slices, (rows,), (columns,))
    assert open_volume(stack, chunks={"row": 12}).chunks[2] == (12, 12)
    assert open_volume(stack, chunks="auto").chunks == ((4,), (slices,), (rows,), (columns,))
    with dask.config.set({"array.chunk-size": "3 kB"}):  # less than three planes, then less than one
        assert open_volume(stack, chunks="auto").chunks[2:] == ((rows,), (columns,))
        assert (
            max(open_volume(stack, chunks="auto").chunks[1])
            * max(open_volume(stack, chunks="auto").chunks[0])
            <= 2
        )
    with dask.config.set({"array.chunk-size": "100 B"}):
        assert open_volume(stack, chunks="auto").chunks == ((1,) * 4, (1,) * slices, (rows,), (columns,))


@pytest.mark.parametrize("chunks", [4, "all", (1, 2), True], ids=repr)
def test_chunks_that_mean_nothing_are_refused(tmp_path: Path, chunks: Any) -> None:
    with pytest.raises(DicomLabError, match=r"None \(no dask\), \{\}, 'auto' or sizes"):
        open_volume(write(tmp_path, datasets("CT")), chunks=chunks)


def test_chunks_of_dimensions_that_are_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DicomLabError, match=r"names time; the dims here are slice, row, column"):
        open_volume(write(tmp_path, datasets("CT")), chunks={"time": 1})


@pytest.mark.parametrize("scheduler", ["threads", "processes", "synchronous"])
def test_dask_computes_it_by_any_scheduler(tmp_path: Path, scheduler: str) -> None:
    folder = write(tmp_path, datasets("PT"))
    eager, lazy = load_volume(folder), open_volume(folder, chunks={"slice": 2})
    with dask.config.set(scheduler=scheduler):
        check_same(lazy.compute(), eager)
        np.testing.assert_allclose(lazy.mean("slice"), eager.mean("slice"), rtol=1e-6)


def test_only_values_become_dask_arrays_and_coordinates_stay(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "slice_times")
    lazy = open_volume(stack, chunks={})
    assert "slice_time" in lazy.coords
    assert all(coordinate.variable._in_memory for coordinate in lazy.coords.values())


def test_two_openings_of_one_series_have_one_name_for_dask_and_of_a_changed_one_another(
    tmp_path: Path,
) -> None:
    folder = write(tmp_path, datasets("CT"))
    one, other = (open_volume(folder, chunks={}) for _ in range(2))
    assert one.data.name == other.data.name
    file = sorted(folder.iterdir())[1]
    file.write_bytes(file.read_bytes())
    os.utime(file, ns=(1, 1))
    assert open_volume(folder, chunks={}).data.name != one.data.name
    assert open_volume(folder, chunks={}, dtype="float32").data.name != one.data.name


def test_without_dask_all_but_chunks_works_and_the_line_that_installs_it_is_told(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets("CT"))
    # xarray itself imports dask where it is installed: here it is not.
    program = """if True:
        import sys
        sys.modules["dask"] = None
        import dicomlab
        assert dicomlab.open_volume(sys.argv[1])[2].values.size
        try:
            dicomlab.open_volume(sys.argv[1], chunks={})
        except dicomlab.DicomLabError as error:
            print(error)
    """
    command = [sys.executable, "-W", "error", "-c", program, str(folder)]
    ran = subprocess.run(
        command, check=True, cwd=Path(dl.__file__).parents[1], capture_output=True, text=True
    )
    assert "pip install 'dicomlab[dask]'" in ran.stdout


# ---- faults ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_an_image_that_cannot_be_decoded_is_an_error_where_it_is_looked_at_and_nowhere_else(
    tmp_path: Path, chunks: Any
) -> None:
    sample = phantom.write_kind("undecodable", tmp_path)
    lazy = open_volume(sample.folder, chunks=chunks, on_fault={"undecodable_pixel_data": "keep"})
    whole = load_volume(phantom.write_kind("jpeg_ls", tmp_path / "whole").folder)
    assert lazy.shape == whole.shape
    broken = []
    for k in range(lazy.sizes["slice"]):
        try:
            _ = lazy[k].values
        except FaultError as error:
            broken.append(error)
    (error,) = broken
    assert "IM0004" in str(error)
    assert "load_volume(…, on_fault={'undecodable_pixel_data': 'keep'})" in str(error)
    assert [(f.code, f.files) for f in error.findings] == [("undecodable_pixel_data", ("IM0004",))]
    with pytest.raises(FaultError, match="IM0004"):
        _ = lazy.values


REPAIRED = {
    "gantry_tilt": "gantry_tilt",
    "missing_slice": "missing_slice",
    "uneven_spacing": "uneven_spacing",
}


@pytest.mark.parametrize("name", REPAIRED)
def test_a_repair_that_resamples_is_lazy_with_dask_and_refused_without(
    tmp_path: Path, name: str, opened: list[str]
) -> None:
    (stack,) = kind(tmp_path, name)
    choice = {REPAIRED[name]: "repair"}
    with pytest.raises(
        DicomLabError,
        match=rf"repairs {name} on a new grid.*call load_volume, or open_volume with chunks=\{{\}}",
    ):
        open_volume(stack, on_fault=choice)
    eager, warned = told(lambda: load_volume(stack, on_fault=choice))
    opened.clear()
    lazy, warned_too = told(lambda: open_volume(stack, on_fault=choice, chunks={}))
    assert opened == []
    assert isinstance(lazy, xr.DataArray)
    assert lazy.chunks is not None
    assert warned_too == warned
    check_same(lazy, eager)


def test_other_choices_of_on_fault_are_those_of_load_volume(tmp_path: Path) -> None:
    for name in (
        "wandering_origin",
        "truncated_file",
        "doubled_slice_differs",
        "incomplete_4d",
        "rescale_text",
    ):
        (sample,) = [phantom.write_kind(name, tmp_path / name)]
        eager, warned = told(lambda sample=sample: load_volume(sample.folder, on_fault=sample.choice))
        lazy, warned_too = told(lambda sample=sample: open_volume(sample.folder, on_fault=sample.choice))
        assert isinstance(lazy, xr.DataArray), lazy
        assert warned_too == warned
        check_same(lazy, eager)


def changed_bytes(file: Path) -> None:
    """Other pixels, as many as before, and a second later."""
    data, status = bytearray(file.read_bytes()), file.stat()
    data[-40:] = bytes(byte ^ 255 for byte in data[-40:])
    file.write_bytes(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns + 10**9))


def changed_in_secret(file: Path) -> None:
    """Other pixels, as many as before, and the time of before."""
    status = file.stat()
    changed_bytes(file)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def swapped(file: Path) -> None:
    """Another image by the name of this one, of the same size and with the same time."""
    other = next(one for one in sorted(file.parent.iterdir()) if one != file)
    status = file.stat()
    other.write_bytes(other.read_bytes()[: status.st_size].ljust(status.st_size, b"\0"))
    for one in (file, other):
        os.utime(one, ns=(status.st_atime_ns, status.st_mtime_ns))
    away = file.with_suffix(".away")
    file.rename(away)
    other.rename(file)
    away.rename(other)


CHANGES: dict[str, Callable[[Path], object]] = {
    "gone": lambda file: file.unlink(),
    "cut": lambda file: file.write_bytes(file.read_bytes()[:-100]),
    "longer": lambda file: file.write_bytes(file.read_bytes() + b"\0\0"),
    "rewritten": changed_bytes,
    "touched": lambda file: os.utime(file, ns=(1, 1)),
    "secret": changed_in_secret,
    "swapped": swapped,
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_a_file_that_is_not_what_it_was_is_an_error_and_never_other_values(
    tmp_path: Path, change: str, chunks: Any
) -> None:
    folder = write(tmp_path, datasets("CT"))
    eager, stack = load_volume(folder), find_series(folder)[0].stacks[0]
    lazy = open_volume(stack, chunks=chunks)
    file = stack.arrangement.planes[2].instance.file
    CHANGES[change](file.path)
    with pytest.raises(FaultError, match="IM" if change == "swapped" else file.name) as caught:
        _ = lazy.values
    assert ("is not there any more" if change == "gone" else "has changed since") in str(caught.value)
    assert str(folder) not in str(caught.value), "folders may bear the name of a patient"
    if change != "swapped":
        np.testing.assert_array_equal(lazy[3:].values, eager[3:].values)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("load", [load_volume, open_volume])
def test_a_series_whose_files_changed_after_it_was_listed_is_not_loaded(
    tmp_path: Path, change: str, load: Callable[..., xr.DataArray]
) -> None:
    series = find_series(write(tmp_path, datasets("CT")))[0]
    CHANGES[change](series.instances[2].file.path)
    with pytest.raises(FaultError, match=r"has changed since it was listed|is not there any more") as caught:
        load(series, on_fault="keep")
    assert not caught.value.findings, "nothing that on_fault could keep"


@pytest.mark.parametrize("name", ["rle", "mosaic", "zip_archive"])
def test_so_it_is_with_packed_and_tiled_files_and_archives(tmp_path: Path, name: str) -> None:
    series = find_series(phantom.write_kind(name, tmp_path).folder)[0]
    changed_in_secret(series.instances[0].file.path)
    with pytest.raises(FaultError, match="has changed since it was listed"):
        load_volume(series, on_fault="keep")


def test_a_file_that_cannot_be_read_is_no_fault_of_the_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, datasets("CT"))

    def away(self: FileRef, *_: object) -> int:
        raise OSError(112, "Host is down")

    monkeypatch.setattr(FileRef, "read_into", away)
    with pytest.raises(FaultError, match=r"cannot be read \(Host is down\)") as caught:
        load_volume(folder, on_fault="keep")
    assert not caught.value.findings
    assert str(folder) not in str(caught.value)


def test_a_series_is_found_again_from_another_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, datasets("CT"))
    eager = load_volume(folder)
    monkeypatch.chdir(tmp_path)
    series = find_series(folder.relative_to(tmp_path))[0]
    monkeypatch.chdir("/")
    assert load_volume(series).identical(eager)


def test_a_file_that_changes_while_it_is_read_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, datasets("CT"))
    lazy, read = open_volume(folder), StoredImage.read

    def meanwhile(self: StoredImage, frame: int = 0, out: np.ndarray | None = None) -> Any:
        changed_bytes(self.file.path)
        return read(self, frame, out)

    monkeypatch.setattr(StoredImage, "read", meanwhile)
    with pytest.raises(FaultError, match="has changed since"):
        _ = lazy[0].values


def test_a_mosaic_that_is_kept_is_looked_after_too(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "mosaic")
    lazy = open_volume(stack)
    _ = lazy[0, 1].values
    for file in tmp_path.iterdir():
        os.utime(file, ns=(1, 1))
    with pytest.raises(FaultError, match="has changed since"):
        _ = lazy[0, 2].values


def test_a_file_that_changed_between_listing_and_opening_is_an_error(tmp_path: Path) -> None:
    folder = write(tmp_path, datasets("CT"))
    series = find_series(folder)[0]
    file = sorted(folder.iterdir())[2]
    file.write_bytes(file.read_bytes() + b"\0\0")
    with pytest.raises(FaultError, match=f"{file.name}: has changed since it was listed"):
        open_volume(series)
    file.unlink()
    with pytest.raises(FaultError, match=f"{file.name}: is not there any more"):
        open_volume(series)


def test_an_archive_is_watched_as_a_whole(tmp_path: Path) -> None:
    sample = phantom.write_kind("zip_archive", tmp_path)
    (archive,) = [file for file in tmp_path.rglob("*") if file.is_file()]
    lazy = open_volume(sample.folder)
    np.testing.assert_array_equal(lazy[2].values, load_volume(sample.folder)[2].values)
    os.utime(archive, ns=(1, 1))
    with pytest.raises(FaultError, match="has changed since"):
        _ = lazy[2].values


def test_what_the_system_says_of_a_file_comes_without_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write(tmp_path, datasets("CT"))
    lazy = open_volume(folder)

    def refused(self: FileRef, *_: object) -> Any:
        raise PermissionError(13, "Permission denied", str(self.path))

    monkeypatch.setattr(FileRef, "open", refused)
    monkeypatch.setattr(FileRef, "read_into", refused)
    with pytest.raises(FaultError, match=r"IM0000\d: Permission denied") as caught:
        _ = lazy[0].values
    assert str(folder) not in str(caught.value)


# ---- pickling --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["axial_ct", "modality_lut", "mosaic", "enhanced_ct", "zip_archive", "us_cine", "jpeg_ls"]
)
def test_a_lazy_volume_travels_and_is_read_where_it_arrives(tmp_path: Path, name: str) -> None:
    (stack,) = kind(tmp_path, name)
    lazy = open_volume(stack)
    unread = len(pickle.dumps(lazy))
    _ = lazy.isel({lazy.dims[0]: 0}).values
    sent = pickle.dumps(lazy)
    assert len(sent) < unread + 2000, "the picture that is kept stays at home"
    arrived = pickle.loads(sent)
    assert not arrived.variable._in_memory
    check_same(arrived, load_volume(stack))
    program = "import pickle, sys; v = pickle.load(sys.stdin.buffer); sys.stdout.buffer.write(pickle.dumps(v.values))"
    ran = subprocess.run([sys.executable, "-c", program], input=sent, capture_output=True, check=True)
    np.testing.assert_array_equal(pickle.loads(ran.stdout), lazy.values)


@pytest.mark.parametrize("name", ["axial_ct", "zip_archive", "mosaic", "slide"])
def test_a_relative_path_is_found_from_any_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path)
    if name == "slide":
        write_pictures(Path("here"))
        source: Path = Path("here", "slide.dcm")
    else:
        source = phantom.write_kind(name, "here").folder
    eager, lazy = load_volume(source), open_volume(source)
    monkeypatch.chdir(tmp_path.parent)
    np.testing.assert_array_equal(lazy.values, eager.values)
    np.testing.assert_array_equal(
        pickle.loads(pickle.dumps(open_volume(tmp_path / source))).values, eager.values
    )


def test_what_travels_is_small_and_holds_no_header(tmp_path: Path) -> None:
    sizes = []
    for name, count in (("few", 6), ("many", 106)):
        folder = phantom.write_ct(tmp_path / name, shape=(count, 12, 10)).folder
        sent = pickle.dumps(open_volume(folder).variable)
        assert b"pydicom.dataset" not in sent
        sizes.append(len(sent))
    assert (sizes[1] - sizes[0]) / 100 < 400, "bytes a file"


def test_a_look_up_table_that_all_slices_share_travels_once(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "modality_lut")
    table = stack.planes[0].items("ModalityLUTSequence")[0].LUTData
    assert len(pickle.dumps(open_volume(stack).variable)) < 2 * len(table) * 2 + 10_000


# ---- dtype -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [load_volume, open_volume])
@pytest.mark.parametrize("dtype", ["int32", "int64", "float32", "float64", np.float32, ">f4"], ids=str)
def test_values_come_in_the_dtype_asked_for(tmp_path: Path, make: Any, dtype: Any) -> None:
    folder = write(tmp_path, datasets("CT"))
    volume = make(folder, dtype=dtype)
    assert volume.dtype == np.dtype(dtype)
    np.testing.assert_array_equal(volume.values, load_volume(folder).values)


@pytest.mark.parametrize("make", [load_volume, open_volume])
def test_a_rescale_is_rounded_once_into_the_dtype_asked_for(tmp_path: Path, make: Any) -> None:
    folder = write(tmp_path, datasets("PT"))
    real = {}
    for file in folder.iterdir():
        one = pydicom.dcmread(file)
        real[float(one.ImagePositionPatient[2])] = one.pixel_array * float(one.RescaleSlope) + float(
            one.RescaleIntercept
        )
    exact = np.stack([real[z] for z in sorted(real)])
    np.testing.assert_array_equal(make(folder, dtype="float64").values, exact)
    np.testing.assert_array_equal(make(folder, dtype="float32").values, exact.astype(np.float32))


@pytest.mark.parametrize("make", [load_volume, open_volume])
@pytest.mark.parametrize(
    ("modality", "dtype", "why"),
    [
        ("CT", "uint8", "from 0 to 255; the headers of this series allow values from -"),
        ("CT", "uint16", "from 0 to 65535; the headers"),
        ("CT", "int8", "from -128 to 127"),
        ("PT", "int16", "fractions"),
        ("PT", "int64", "fractions"),
        ("CT", "complex64", "whole or floating-point numbers"),
        ("CT", "bool", "whole or floating-point numbers"),
        ("CT", "U5", "whole or floating-point numbers"),
        ("CT", "no such thing", "numpy knows no such type"),
    ],
)
def test_a_dtype_that_could_not_hold_the_values_is_refused(
    tmp_path: Path, make: Any, modality: str, dtype: str, why: str
) -> None:
    with pytest.raises(DicomLabError, match=why):
        make(write(tmp_path, datasets(modality)), dtype=dtype)


def test_a_dtype_is_judged_by_what_headers_allow_and_not_by_the_pixels(tmp_path: Path) -> None:
    changed = datasets("MR")
    for ds in changed:
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 0
        ds.PixelData = np.ones((ds.Rows, ds.Columns), np.uint16).tobytes()
    folder = write(tmp_path, changed)
    assert load_volume(folder, values="stored").dtype == np.uint16
    with pytest.raises(DicomLabError, match="allow values from 0 to 65535"):
        load_volume(folder, values="stored", dtype="float16")
    with pytest.raises(DicomLabError, match="allow values from 0 to 65535"):
        open_volume(folder, values="stored", dtype="int16")


def test_floats_too_large_for_the_dtype_are_refused_and_larger_types_never(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "parametric_map")
    assert load_volume(stack).dtype == np.float32
    assert open_volume(stack, dtype="float64").dtype == np.float64
    with pytest.raises(DicomLabError, match="dtype=float16 was asked for, which reaches"):
        load_volume(stack, dtype="float16")


# ---- images without a place in the patient ---------------------------------------------------------------------------


def test_frames_of_a_cine_are_read_one_by_one(tmp_path: Path, decoded: list[tuple[str, int]]) -> None:
    (stack,) = kind(tmp_path, "xa_cine")
    eager, lazy = load_volume(stack), open_volume(stack)
    decoded.clear()
    np.testing.assert_array_equal(lazy[4, 2:5].values, eager[4, 2:5].values)
    assert [frame for _, frame in decoded] == [4]
    check_same(open_volume(stack, dtype="float32"), load_volume(stack, dtype="float32"))


def test_a_loop_in_colour_is_lazy_too_and_keeps_its_dtype(
    tmp_path: Path, decoded: list[tuple[str, int]]
) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    made = picture("USMF", pixels, frames=True, FrameTime=40, SequenceOfUltrasoundRegions=[item(**TISSUE)])
    file = save_flat(tmp_path / "loop.dcm", made)
    eager, lazy = load_volume(file), open_volume(file, dtype="float32")
    check_same(lazy, eager)
    decoded.clear()
    np.testing.assert_array_equal(lazy[3, 4, :, 1].values, pixels[3, 4, :, 1])
    points = {
        d: xr.Variable("p", k) for d, k in zip(lazy.dims, ([3, 0], [1, 2], [4, 4], [2, 0]), strict=True)
    }
    np.testing.assert_array_equal(lazy.isel(points).values, pixels[[3, 0], [1, 2], [4, 4], [2, 0]])
    assert sorted({frame for _, frame in decoded}) == [0, 3]
    assert open_volume(file, chunks={}).chunks == ((1,) * 5, (20,), (30,), (3,))


def test_a_radiograph_without_any_axis_is_lazy(tmp_path: Path, opened: list[str]) -> None:
    write_pictures(tmp_path)
    source = find_series(tmp_path / "radiograph.dcm")[0]
    opened.clear()
    lazy = open_volume(source)
    assert opened == []
    check_same(lazy, load_volume(source))
    points = {"row": xr.Variable("p", [1, 5]), "column": xr.Variable("p", [2, 3])}
    np.testing.assert_array_equal(open_volume(source).isel(points).values, [32, 153])
    check_same(lazy.T, load_volume(source).T)


def test_a_slide_decodes_the_tiles_it_touches_and_watches_its_file(
    tmp_path: Path, decoded: list[tuple[str, int]]
) -> None:
    write_pictures(tmp_path)
    file = tmp_path / "slide.dcm"
    lazy = open_volume(file, chunks={})
    assert lazy.chunks == ((4, 4, 2), (5, 5, 3), (3,))
    check_same(open_volume(file, chunks="auto"), load_volume(file))
    decoded.clear()
    _ = lazy[5:8, 6:9].values
    assert len(decoded) == 1
    os.utime(file, ns=(1, 1))
    with pytest.raises(FaultError, match="has changed since"):
        _ = lazy[5:8, 6:9].values


def test_a_loop_that_breaks_off_is_told_when_that_frame_is_looked_at_or_before(tmp_path: Path) -> None:
    phantom.write_kind("us_cine", tmp_path)
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.write_bytes(file.read_bytes()[:-2000])
    eager, _ = told(lambda: load_volume(file))
    lazy, _ = told(lambda: open_volume(file))
    assert isinstance(eager, FaultError)
    assert str(lazy) == str(eager)


# ---- what people do with volumes -------------------------------------------------------------------------------------


def test_a_lazy_volume_has_the_manners_of_a_volume(tmp_path: Path, opened: list[str]) -> None:
    folder = write(tmp_path, datasets("CT"))
    eager, stack = load_volume(folder), find_series(folder)[0].stacks[0]
    opened.clear()
    lazy = open_volume(stack)
    assert repr(lazy.dicom) == repr(eager.dicom)
    assert lazy._repr_html_()
    np.testing.assert_array_equal(lazy[1:].dicom.affine, eager[1:].dicom.affine)
    assert isinstance(lazy.xindexes["slice"], AxisIndex)
    assert lazy.nbytes == eager.nbytes
    assert opened == [], "all that needs no value reads none"
    assert (lazy[2:] + eager).sizes["slice"] == 4
    with pytest.raises(xr.AlignmentError):
        _ = lazy + load_volume(write(tmp_path / "other", datasets("MR")))


def test_a_volume_in_colour_is_lazy_too(tmp_path: Path, opened: list[str]) -> None:
    changed = datasets("CT")
    pixels = np.random.default_rng(0).integers(0, 255, (*SMALL, 3), dtype=np.uint8)
    for ds, plane in zip(changed, pixels, strict=True):
        ds.SamplesPerPixel, ds.PhotometricInterpretation, ds.PlanarConfiguration = 3, "RGB", 0
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
        ds.PixelData = plane.tobytes()
    stack = find_series(write(tmp_path, changed))[0].stacks[0]
    for chunks in (None, {}):
        check_same(open_volume(stack, chunks=chunks), load_volume(stack))
    opened.clear()
    np.testing.assert_array_equal(open_volume(stack, dtype="float32")[2, 3, :, 1].values, pixels[2, 3, :, 1])
    assert len(opened) == 1


def test_load_reads_once_and_keeps(tmp_path: Path, opened: list[str]) -> None:
    lazy = open_volume(write(tmp_path, datasets("CT")))
    opened.clear()
    lazy.load()
    assert lazy.variable._in_memory
    _ = lazy.values, lazy[2].values
    assert len(opened) == SMALL[0]


def test_warnings_point_at_the_line_that_opened_the_volume(tmp_path: Path) -> None:
    (stack,) = kind(tmp_path, "missing_slice")
    with pytest.warns(DicomLabWarning) as caught:
        open_volume(stack)
    assert {w.filename for w in caught} == {__file__}
