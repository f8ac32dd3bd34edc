"""Pictures of a lazy volume read what they show, each file once, and are those of the loaded volume."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
import xarray as xr
from flat_support import TISSUE, item
from flat_support import picture as image_of
from flat_support import save as save_flat
from hypothesis import given
from hypothesis import strategies as st
from support import datasets, watch_opening, write

import dicomlab as dl
from dicomlab import find_series, load_volume, open_volume
from dicomlab.view.browser import SliceBrowser, browse
from dicomlab.view.cut import first_cut
from dicomlab.view.grid import Grid
from dicomlab.view.kept import KeptSlices
from dicomlab.view.state import PlaneName
from dicomlab.windowing import auto_window

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SLICES = 6
MIDDLE = 3


@pytest.fixture(autouse=True)
def _no_figures_left() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were opened since the test emptied the list."""
    names: list[str] = []
    watch_opening(monkeypatch, names)
    return names


def both(
    folder: Path, opened: list[str], modality: str = "CT", **options: Any
) -> tuple[xr.DataArray, xr.DataArray]:
    """A series loaded, and opened; what was read for it does not count."""
    stack = find_series(write(folder, datasets(modality)))[0].stacks[0]
    eager, lazy = load_volume(stack), open_volume(stack, **options)
    opened.clear()
    return eager, lazy


def without_windows(volume: xr.DataArray) -> xr.DataArray:
    """The volume as if its files offered no window."""
    kept = {name: value for name, value in volume.attrs.items() if not name.startswith(("Window", "VOI"))}
    made = volume.copy()
    made.attrs = kept
    return made


def asked(browser: SliceBrowser, *slices: int) -> list[dict[str, Any]]:
    """Ask as the page does; return the items of the answer, with their codes."""
    [(content, buffers)] = sent_by(browser, {"type": "pull", "slices": list(slices)})
    return [
        {**one, "codes": bytes(buffers[one["buffer"]])} if "buffer" in one else one
        for one in content["items"]
    ]


def asked_plane(browser: SliceBrowser, plane: PlaneName, index: int) -> bytes:
    """Ask for a plane across the slices as the page does; return its values."""
    grid = browser._sources[0].grid(0)
    one = first_cut(grid, plane, index=index, window=(0, 1)).plane()
    demand = {"type": "plane", "plane": dataclasses.asdict(one), "interpolation": "linear", "slab": None}
    [(_, (buffer,))] = sent_by(browser, demand)
    return bytes(buffer)


def sent_by(browser: SliceBrowser, demand: dict[str, Any]) -> list[Any]:
    sent: list[Any] = []
    browser.send = lambda content, buffers=None: sent.append((content, buffers))  # type: ignore[method-assign]
    head = {"generation": 1, "key": browser._meta["sources"][0]["key"], "id": 4, "source": 0, "step": 0}
    browser._on_message(browser, {**head, **demand}, [])
    return sent


def pictures(figure: Any) -> list[np.ndarray]:
    return [np.asarray(shown.get_array()) for ax in figure.axes for shown in ax.get_images()]


# ---- the browser -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chunks", [None, {}, "auto"], ids=repr)
@pytest.mark.parametrize("windows", [True, False])
def test_the_first_slice_of_a_browser_appears_after_reading_one_file(
    tmp_path: Path, opened: list[str], chunks: Any, windows: bool
) -> None:
    eager, lazy = both(tmp_path, opened, chunks=chunks)
    if not windows:
        eager, lazy = without_windows(eager), without_windows(lazy)
    browser = browse(lazy)
    bundle = browser._repr_mimebundle_()
    assert bundle is not None
    assert "image/png" in bundle[0]
    assert asked(browser, MIDDLE) == asked(browse(eager), MIDDLE)
    assert len(opened) == 1
    browser.close()


def test_a_browser_reads_each_file_once_whatever_planes_are_asked_for(
    tmp_path: Path, opened: list[str]
) -> None:
    eager, lazy = both(tmp_path, opened)
    browser, loaded = browse(lazy), browse(eager)
    for plane, index in (("coronal", 4), ("sagittal", 7), ("axial", 2), ("coronal", 3)):
        assert asked_plane(browser, plane, index) == asked_plane(loaded, plane, index)
        assert asked(browser, *range(index)) == asked(loaded, *range(index))
    assert len(opened) == len(set(opened)) == SLICES
    assert not browser.volume.variable._in_memory, "the user's volume stays lazy"


@pytest.mark.parametrize("chunks", [{"slice": 4}, {"slice": -1}], ids=repr)
def test_what_dask_computes_at_once_is_kept_at_once(tmp_path: Path, opened: list[str], chunks: Any) -> None:
    eager, lazy = both(tmp_path, opened, chunks=chunks)
    twice = browse(lazy * 2)  # of which no slice can be had without its chunk
    assert asked_plane(twice, "coronal", 4) == asked_plane(browse(eager * 2), "coronal", 4)
    assert asked_plane(twice, "sagittal", 4) == asked_plane(browse(eager * 2), "sagittal", 4)
    # The slice for the automatic window came with its chunk, before the others were wanted.
    assert len(opened) <= SLICES + min(SLICES, chunks["slice"] % 99)


def test_another_first_slice_costs_one_file_more_for_the_automatic_window(
    tmp_path: Path, opened: list[str]
) -> None:
    _, lazy = both(tmp_path, opened)
    browser = browse(lazy, index=1)
    asked(browser, 1)
    assert len(opened) == 2


def test_two_threads_that_want_one_slice_read_it_once(tmp_path: Path, opened: list[str]) -> None:
    _, lazy = both(tmp_path, opened)
    grid = Grid.from_volume(lazy)
    threads = [threading.Thread(target=lambda: grid.values.isel(slice=2).values) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(opened) == 1


def test_refresh_reads_a_lazy_volume_again(tmp_path: Path, opened: list[str]) -> None:
    _, lazy = both(tmp_path, opened)
    browser = browse(lazy)
    key = browser._meta["sources"][0]["key"]
    browser.refresh()
    assert browser._meta["sources"][0]["key"] != key
    asked(browser, MIDDLE)
    assert len(opened) == 2


def test_planes_across_a_lazy_volume_are_cut_where_there_is_room(
    tmp_path: Path, opened: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    eager, lazy = both(tmp_path, opened)
    assert browse(eager)._meta["sources"][0]["reslice"] is True
    assert browse(lazy)._meta["sources"][0]["reslice"] is False, "the page shows them as the slices come"
    assert browse(lazy, memory=1000)._meta["sources"][0]["reslice"] is True, (
        "the page has no room for all slices, the kernel has"
    )
    monkeypatch.setattr("dicomlab.view.grid.room", lambda: 1000)
    assert browse(lazy, memory=1000)._meta["sources"][0]["reslice"] is False, (
        "neither has: all would be read for each plane"
    )


def test_the_picture_in_a_notebook_never_reads_all_slices(tmp_path: Path, opened: list[str]) -> None:
    eager, lazy = both(tmp_path, opened)
    shown = browse(lazy, plane="coronal")._repr_mimebundle_()
    assert shown is not None
    assert "image/png" not in shown[0]
    assert len(opened) == 1, "the middle slice, for the automatic window"
    loaded = browse(eager, plane="coronal")._repr_mimebundle_()
    assert loaded is not None
    assert "image/png" in loaded[0]


def test_a_page_of_a_lazy_volume_is_that_of_the_loaded_one(tmp_path: Path, opened: list[str]) -> None:
    eager, lazy = both(tmp_path, opened, "PT")
    one, other = (browse(v, window=(5000, 10000)).to_html().text for v in (eager, lazy))
    slices = [[line for line in page.splitlines() if 'type="text/plain"' in line] for page in (one, other)]
    assert slices[0] == slices[1]
    assert len(slices[0]) == len(set(opened)) == len(opened)


def test_a_file_that_is_gone_says_so_in_the_picture(tmp_path: Path, opened: list[str]) -> None:
    _, lazy = both(tmp_path, opened)
    browser = browse(lazy)
    for file in tmp_path.iterdir():
        file.unlink()
    (found,) = asked(browser, 1)
    assert "slice 1 cannot be read: IM0000" in found["error"]
    assert "is not there any more" in found["error"]
    assert str(tmp_path) not in found["error"]


# ---- figures ---------------------------------------------------------------------------------------------------------

FIGURES: list[tuple[str, Callable[[xr.DataArray], Any], int]] = [
    ("show", lambda v: dl.show(v).figure, 1),
    ("another slice", lambda v: dl.show(v, index=1).figure, 1),
    ("by position", lambda v: dl.show(v, position=float(v.slice[4])).figure, 1),
    ("a slice cut before", lambda v: dl.show(v.isel(slice=2)).figure, 1),
    ("a slice cut before, automatic window", lambda v: dl.show(v.isel(slice=2), window="auto").figure, 1),
    ("coronal", lambda v: dl.show(v, plane="coronal").figure, SLICES),
    ("coronal, cut before", lambda v: dl.show(v.isel(row=4)).figure, SLICES),
    ("a slab", lambda v: dl.show(v[2:4]).figure, 1),
    ("montage", lambda v: dl.montage(v, indexes=[1, 4]), 2),
    ("montage of all", lambda v: dl.montage(v), SLICES),
    ("orthoview", dl.orthoview, SLICES),
]


@pytest.mark.parametrize(("draw", "files"), [one[1:] for one in FIGURES], ids=[one[0] for one in FIGURES])
@pytest.mark.parametrize("chunks", [None, {}], ids=repr)
def test_a_figure_reads_the_files_it_shows_each_once_and_is_that_of_the_loaded_volume(
    tmp_path: Path, opened: list[str], draw: Any, files: int, chunks: Any
) -> None:
    eager, lazy = both(tmp_path, opened, chunks=chunks)
    found = pictures(draw(lazy))
    assert len(opened) == len(set(opened)) == files
    expected = pictures(draw(eager))
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_automatic_window_of_a_lazy_volume_is_that_of_its_middle_slice_whatever_is_shown(
    tmp_path: Path, opened: list[str]
) -> None:
    eager, lazy = both(tmp_path, opened, "MR")
    eager, lazy = without_windows(eager), without_windows(lazy)
    expected = auto_window(eager[MIDDLE].values)
    for options in ({}, {"index": 1}, {"plane": "sagittal"}, {"window": "auto"}):
        assert first_cut(Grid.from_volume(lazy), **options).window == expected
    browser = browse(lazy, index=1)
    assert (browser.window.center, browser.window.width) == (expected.center, expected.width)
    auto = next(one for one in browse(lazy)._meta["sources"][0]["presets"] if one["name"] == "auto")
    assert (auto["center"], auto["width"]) == (expected.center, expected.width)
    assert first_cut(Grid.from_volume(eager)).window == auto_window(eager.values) != expected
    assert first_cut(Grid.from_volume(lazy.load())).window == auto_window(eager.values), (
        "once it is loaded, it is like any other"
    )


def test_a_figure_with_the_automatic_window_reads_the_middle_slice_too(
    tmp_path: Path, opened: list[str]
) -> None:
    _, lazy = both(tmp_path, opened)
    dl.show(lazy, window="auto")
    assert len(opened) == 1
    opened.clear()
    dl.show(lazy, index=1, window="auto")
    assert len(opened) == 2


def test_a_dataset_of_xarray_is_shown_alike(tmp_path: Path, opened: list[str]) -> None:
    eager, _ = both(tmp_path, opened)
    lazy = xr.open_dataset(tmp_path, engine="dicom").ct
    opened.clear()
    np.testing.assert_array_equal(pictures(dl.show(lazy).figure)[0], pictures(dl.show(eager).figure)[0])
    assert len(opened) == 1


# ---- colour, and images without a place in the patient ---------------------------------------------------------------


class Counted:
    """A volume in colour that remembers which slices were read of it."""

    def __init__(self, values: np.ndarray) -> None:
        import dask.array

        self.read: list[int] = []

        def one(block_info: Any = None) -> np.ndarray:
            number = block_info[None]["array-location"][0][0]
            self.read.append(number)
            return values[number : number + 1]

        chunks = ((1,) * len(values), *((n,) for n in values.shape[1:]))
        lazy = dask.array.map_blocks(one, chunks=chunks, dtype=values.dtype, meta=values[:0])
        affine = np.diag([2.0, 1.5, 1.5, 1.0])[[2, 1, 0, 3]]
        dims, coords = ("slice", "row", "column", "sample"), {"sample": ["red", "green", "blue"]}
        options = {"affine": affine, "dims": dims, "coords": coords, "frame_of_reference": "1.2.3"}
        self.eager = dl.make_volume(values, **options)
        self.lazy = dl.make_volume(lazy, **options)
        self.read.clear()


@pytest.mark.parametrize(
    ("options", "slices"),
    [({}, [2]), ({"index": 1}, [1]), ({"plane": "coronal", "index": 3}, [0, 1, 2, 3, 4])],
    ids=repr,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_of_a_volume_in_colour_one_plane_is_read(options: Any, slices: list[int], dtype: Any) -> None:
    values = np.random.default_rng(0).integers(0, 200, (5, 7, 9, 3)).astype(dtype)
    counted = Counted(values)
    found = pictures(dl.show(counted.lazy, **options).figure)[0]
    assert sorted(counted.read) == slices
    np.testing.assert_array_equal(found, pictures(dl.show(counted.eager, **options).figure)[0])
    if not options:
        cut = pictures(dl.show(counted.lazy.isel(slice=2)).figure)[0]
        np.testing.assert_array_equal(cut, found)
        assert counted.read == [2, 2]


def test_of_a_loop_the_frame_that_is_shown_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (5, 20, 30, 3), dtype=np.uint8)
    made = image_of("USMF", pixels, frames=True, FrameTime=40, SequenceOfUltrasoundRegions=[item(**TISSUE)])
    lazy = open_volume(save_flat(tmp_path / "loop.dcm", made))
    from dicomlab.read.stored import StoredImage

    frames: list[int] = []
    read = StoredImage.read
    monkeypatch.setattr(
        StoredImage, "read", lambda self, frame=0, out=None: (frames.append(frame), read(self, frame, out))[1]
    )
    ax = dl.show(lazy.isel(time=2))
    assert frames == [2]
    np.testing.assert_array_equal(pictures(ax.figure)[0], pixels[2])


# ---- what is kept ----------------------------------------------------------------------------------------------------


class Source:
    """An array that remembers which of its slices were read."""

    def __init__(self, shape: tuple[int, int, int], room: int) -> None:
        self.values = np.random.default_rng(0).integers(0, 99, shape).astype(np.int16)
        self.read: list[int] = []
        outer = self

        class Lazy(xr.backends.BackendArray):
            shape, dtype = outer.values.shape, outer.values.dtype

            def __getitem__(self, key: Any) -> Any:
                outer.read += np.atleast_1d(np.arange(self.shape[0])[key.tuple[0]]).tolist()
                return xr.Variable(("a", "b", "c"), outer.values)[key.tuple].values

        dims = ("slice", "row", "column")
        source = xr.Variable(dims, xr.core.indexing.LazilyIndexedArray(Lazy()))
        self.kept = xr.Variable(dims, xr.core.indexing.LazilyIndexedArray(KeptSlices(source, room)))


def one_of(n: int) -> st.SearchStrategy[Any]:
    number = st.integers(-n, n - 1)
    return st.one_of(number, st.slices(n), st.lists(number, max_size=4).map(lambda k: np.array(k, np.int64)))


@given(
    st.lists(st.tuples(one_of(40), one_of(3), one_of(4)), min_size=1, max_size=4),
    st.sampled_from([0, 100, 10**6]),
)
def test_kept_slices_are_the_values_whatever_room_there_is(keys: list[Any], room: int) -> None:
    source = Source((40, 3, 4), room)
    plain = xr.Variable(("slice", "row", "column"), source.values)
    for key in keys:
        np.testing.assert_array_equal(source.kept[key].values, plain[key].values)
    if room > source.values.nbytes:
        assert len(source.read) == len(set(source.read))


def test_the_slices_used_longest_ago_leave_first() -> None:
    source = Source((40, 3, 4), 3 * 24)  # room for three
    for k in (0, 1, 2, 0, 3, 0, 2, 1):
        _ = source.kept[k].values
    assert source.read == [0, 1, 2, 3, 1], "1 had to make room for 3"
    source.read.clear()
    _ = source.kept[:, 1].values
    assert source.read == list(range(40)), "what would not fit is read in one go and passes by"
    _ = source.kept[1].values
    assert source.read == list(range(40))


def test_slices_are_read_in_batches_when_many_are_wanted_and_one_by_one_when_not() -> None:
    source = Source((40, 3, 4), 10**6)
    _ = source.kept[20].values
    assert source.read == [20]
    _ = source.kept[:, 2].values
    assert sorted(source.read) == list(range(40))
