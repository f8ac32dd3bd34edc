"""map_series: one row a series, whoever does the work; failures are rows; what is done is not done again, unless it changed."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import functools
import importlib.metadata
import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
import threading
import time
import warnings
import weakref
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pydicom
import pytest
from support import datasets, write

import dicomlab as dl
from dicomlab import phantom
from dicomlab.cohort import Stopped, mapping
from dicomlab.cohort.fingerprint import fingerprint
from dicomlab.cohort.memory import Memory
from dicomlab.cohort.packages import is_installed, package_version
from dicomlab.cohort.states import for_elsewhere
from dicomlab.cohort.work import Work, pack, unpack, work_packed
from dicomlab.errors import FaultError, MissingDependencyError, NotDicomError
from dicomlab.warn import WARNINGS_LOCK

ROOT = Path(__file__).resolve().parent.parent
LOCAL = ["synchronous", "threads", "processes"]


def write_cohort(folder: Path) -> Path:
    """Write three sound series: a CT with a finding, an MR, a PET; and a file that is no DICOM."""
    for name in ("missing_slice", "oblique_mr", "pet_slopes"):
        phantom.write_kind(name, folder / name)
    (folder / "notes.txt").write_text("no DICOM here")
    return folder


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of three sound series; treat it as read-only."""
    return write_cohort(tmp_path_factory.mktemp("cohort"))


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of a sound series and of three that cannot be loaded; treat it as read-only."""
    folder = tmp_path_factory.mktemp("troubled")
    phantom.write_kind("oblique_mr", folder / "sound")
    phantom.write_kind("two_stacks", folder / "stacks")
    report = datasets("CT")[0]
    for keyword in ("Rows", "Columns", "PixelData", "BitsAllocated"):
        delattr(report, keyword)
    report.SOPClassUID, report.Modality = "1.2.840.10008.5.1.4.1.1.88.11", "SR"
    report.SeriesInstanceUID, report.SeriesDescription = "1.2.3.77", "report"
    write(folder / "report", [report])
    broken = datasets("CT")
    for image in broken:
        image.SeriesInstanceUID, image.SeriesDescription = "1.2.3.78", "broken"
    write(folder / "broken", broken)
    victim = sorted((folder / "broken").iterdir())[2]
    victim.write_bytes(victim.read_bytes()[:-100])
    return folder


def mean(volume) -> dict[str, float]:
    """Return a row of figures that any change of a volume would change."""
    return {"mean": float(volume.mean()), "voxels": volume.size, "step": float(volume.row[1] - volume.row[0])}


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without what may differ between two runs."""
    copy = table.copy()
    copy.attrs = {}
    return copy


# -- the table -----------------------------------------------------------------------------------------------------------


def test_each_series_is_a_row_of_what_the_function_says_of_its_volume(cohort: Path) -> None:
    series = dl.find_series(cohort)
    table = dl.map_series(mean, series)
    assert list(table.index) == [0, 1, 2]
    assert table.index.name == "series"
    columns = ["modality", "description", "mean", "voxels", "step", "findings", "warnings", "error", "uid"]
    assert list(table.columns) == columns
    for place, one in enumerate(series):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", dl.DicomLabWarning)
            wanted = mean(dl.load_volume(one))
        row = table.loc[place]
        assert {name: row[name] for name in wanted} == wanted
        assert (row.uid, row.modality, row.description) == (one.uid, one.modality, one.description)
        assert row.error is None
    assert dict(zip(table.modality, table.findings, strict=True)) == {
        "CT": "missing_slice",
        "MR": "",
        "PT": "",
    }
    assert list(table.warnings) == [""] * 3
    assert list(table.attrs["skipped"]) == ["notes.txt"]
    assert table.attrs["tracebacks"] == {}
    assert table.attrs["reused"] == 0


def test_nothing_in_the_table_names_the_patient(cohort: Path) -> None:
    names = {str(pydicom.dcmread(path).PatientName) for path in cohort.glob("*/*")}
    table = dl.map_series(lambda volume: None, cohort)
    assert names
    assert not any(name in table.to_csv() + str(table.attrs) for name in names)


Row = collections.namedtuple("Row", ["ml", "hu"])


@dataclasses.dataclass
class Measured:
    ml: float
    hu: float


ONE_ROW = {
    "a mapping": {"ml": 1.5, "hu": 2.0},
    "a dataclass": Measured(1.5, 2.0),
    "a named tuple": Row(1.5, 2.0),
    "a pandas Series": pd.Series({"ml": 1.5, "hu": 2.0}),
    "numpy's scalars": {"ml": np.float32(1.5), "hu": np.array(2.0)},
    "a list of one": [{"ml": 1.5, "hu": 2.0}],
}


@pytest.mark.parametrize("kind", ONE_ROW)
def test_whatever_has_named_parts_is_a_row(cohort: Path, kind: str) -> None:
    table = dl.map_series(lambda volume: ONE_ROW[kind], cohort)
    assert table[["ml", "hu"]].to_numpy().tolist() == [[1.5, 2.0]] * 3
    assert table.ml.dtype == np.float64
    assert list(table.error) == [None] * 3


def test_a_single_value_is_the_column_result(cohort: Path) -> None:
    table = dl.map_series(lambda volume: volume.mean(), cohort)  # an array of no dimension
    assert table.result.dtype == np.float64
    texts = dl.map_series(lambda volume: volume.dicom.units, cohort)
    assert sorted(texts.result) == ["", "Bq/ml", "HU"]
    vector = dl.map_series(lambda volume: [1, 2, 3], cohort)
    assert list(vector.result) == [[1, 2, 3]] * 3


def test_several_rows_of_one_series_share_its_number(cohort: Path) -> None:
    labels = pd.DataFrame({"label": ["liver", "spleen"], "ml": [1500.0, 200.0]})
    for returned in (labels, labels.to_dict("records"), labels.set_index("label"), [Measured(1, 2)] * 2):
        table = dl.map_series(lambda volume, returned=returned: returned, cohort)
        assert list(table.index) == [0, 0, 1, 1, 2, 2]
        assert table.ml.notna().all()
        if not isinstance(returned, list) or isinstance(returned[0], dict):
            assert list(table.label) == ["liver", "spleen"] * 3
            assert list(table.loc[1].ml) == [1500.0, 200.0]


@pytest.mark.parametrize("nothing", [None, [], pd.DataFrame({"ml": []})], ids=["None", "list", "DataFrame"])
def test_a_series_of_which_nothing_is_said_stays_in_sight(cohort: Path, nothing: object) -> None:
    table = dl.map_series(lambda volume: nothing, cohort)
    assert list(table.index) == [0, 1, 2]
    assert list(table.error) == [None] * 3


def test_a_column_of_the_table_cannot_be_returned(cohort: Path) -> None:
    table = dl.map_series(lambda volume: {"error": 0.1, "uid": "x"}, cohort)
    assert table.error.str.contains("error, uid").all()


# -- what goes in --------------------------------------------------------------------------------------------------------


def test_series_may_be_given_in_any_form(cohort: Path) -> None:
    series = dl.find_series(cohort)
    wanted = list(dl.map_series(mean, series)["mean"])
    stacks = [one.stacks[0] for one in series]
    folders = [Path(one.folder) for one in series]
    for given in (cohort, str(cohort), list(series), series[:], iter(series), stacks, folders, [cohort]):
        assert list(dl.map_series(mean, given)["mean"]) == wanted
    assert list(dl.map_series(mean, series[1])["mean"]) == wanted[1:2]
    assert list(dl.map_series(mean, stacks[1])["mean"]) == wanted[1:2]
    assert list(dl.map_series(mean, [series[2], folders[0], stacks[1]])["mean"]) == [
        wanted[2],
        wanted[0],
        wanted[1],
    ]


def test_no_series_make_an_empty_table_and_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    table = dl.map_series(mean, [])
    assert len(table) == 0
    assert "error" in table
    with pytest.raises(NotDicomError):
        dl.map_series(mean, tmp_path)


def test_the_volume_is_loaded_as_the_user_says(troubled: Path) -> None:
    series = dl.find_series(troubled)
    broken = next(one for one in series if one.description == "broken")
    table = dl.map_series(lambda volume: volume.sizes["slice"], broken)
    assert table.error[0].startswith("FaultError")
    assert table.findings[0] == "truncated_pixel_data"
    table = dl.map_series(
        lambda volume: volume.sizes["slice"], broken, load={"on_fault": {"truncated_pixel_data": "keep"}}
    )
    assert table.result[0] == 5
    assert "truncated_pixel_data" in table.findings[0]
    table = dl.map_series(
        lambda volume: float(volume.isel(slice=0).mean()), troubled / "sound", load=dl.open_volume
    )
    assert table.error[0] is None
    table = dl.map_series(lambda stored: stored.dtype.name, broken, load=lambda one: np.zeros(3, np.uint8))
    assert table.result[0] == "uint8"


def test_the_series_itself_is_given_when_nothing_is_to_be_loaded(troubled: Path) -> None:
    table = dl.map_series(lambda series: len(series.stacks), troubled, load=None)
    assert dict(zip(table.description, table.result, strict=True)) == {
        "two stacks": 2,
        "report": 0,
        "broken": 1,
        "oblique mr": 1,
    }
    assert table.error.isna().all()
    assert "truncated_pixel_data" in set(table.findings)


def test_arguments_that_make_no_sense_are_refused(cohort: Path) -> None:
    series = dl.find_series(cohort)
    for wrong in (
        {"scheduler": "gpu"},
        {"scheduler": 4},
        {"workers": 0},
        {"workers": True},
        {"on_error": "ignore"},
        {"version": "2"},
        {"load": 3},
        {"load": {"on_faults": "keep"}},
        {"results": cohort},
    ):
        with pytest.raises(dl.DicomLabError):
            dl.map_series(mean, series, **wrong)
    for given in (3, {"a": series[0]}, [3], b"path", None):
        with pytest.raises(dl.DicomLabError):
            dl.map_series(mean, given)
    with pytest.raises(dl.DicomLabError, match="the first is a function"):
        dl.map_series(series, mean)


# -- failures ------------------------------------------------------------------------------------------------------------


def test_failures_are_rows_that_say_why(troubled: Path) -> None:
    def picky(volume):
        return {"slices": volume.sizes["slice"]}

    table = dl.map_series(picky, troubled).set_index("description")
    assert table.slices.to_dict()["oblique mr"] > 0
    assert table.slices.isna().sum() == 3
    assert table.error["oblique mr"] is None
    assert table.error["two stacks"].startswith("AmbiguousSourceError: ")
    assert "stacks[1]" in table.error["two stacks"]
    assert table.error["report"].startswith("NotDicomError: ")
    assert table.error["broken"].startswith("FaultError: ")


def test_a_failure_of_the_function_comes_with_its_traceback(cohort: Path) -> None:
    def measure(volume):
        if volume.dicom.units == "HU":
            raise ZeroDivisionError("no liver here")
        return 1

    table = dl.map_series(measure, cohort)
    (place,) = table.index[table.error.notna()]
    assert table.modality[place] == "CT"
    assert table.error[place] == "ZeroDivisionError: no liver here"
    assert list(table.attrs["tracebacks"]) == [place]
    assert 'raise ZeroDivisionError("no liver here")' in table.attrs["tracebacks"][place]
    assert table.findings[place] == "missing_slice"  # what was known before it failed
    quits = dl.map_series(lambda volume: sys.exit(3), cohort)
    assert list(quits.error) == ["SystemExit: 3"] * 3


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_the_first_failure_is_raised_if_that_is_wanted(cohort: Path, scheduler: str) -> None:
    def measure(volume):
        raise ZeroDivisionError("no liver here")

    with pytest.raises(ZeroDivisionError, match="no liver here") as raised:
        dl.map_series(measure, cohort, scheduler=scheduler, workers=1, on_error="raise")
    (note,) = raised.value.__notes__
    assert note.startswith("series 0: CT 'missing slice'")
    assert any(entry.name == "measure" for entry in raised.traceback)


# -- who does the work ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", [*LOCAL, "threading", "sync"])
def test_every_scheduler_makes_the_same_table_where_it_is_said_to(cohort: Path, scheduler: str) -> None:
    factor = 2

    def twice(volume):
        place = {"process": os.getpid(), "thread": threading.get_ident()}
        return {"twice": factor * float(volume.mean()), **place}

    table = dl.map_series(twice, cohort, scheduler=scheduler, workers=2)
    places = set(zip(table.process, table.thread, strict=True))
    assert (set(table.process) == {os.getpid()}) == (scheduler != "processes")
    assert ((os.getpid(), threading.get_ident()) in places) == scheduler.startswith("sync")
    assert len(places) <= 2
    wanted = dl.map_series(twice, cohort)
    where = ["process", "thread"]
    pd.testing.assert_frame_equal(plain(table.drop(columns=where)), plain(wanted.drop(columns=where)))


def test_without_a_word_the_scheduler_is_the_one_that_dask_is_set_to(cohort: Path) -> None:
    dask = pytest.importorskip("dask")

    def where(volume):
        return threading.get_ident()

    with dask.config.set(scheduler="synchronous"):
        assert set(dl.map_series(where, cohort).result) == {threading.get_ident()}
    assert threading.get_ident() not in set(dl.map_series(where, cohort).result)


def test_no_more_volumes_are_in_memory_than_workers(cohort: Path) -> None:
    alive: list[weakref.ref] = []
    most = []
    lock = threading.Lock()

    def measure(volume):
        with lock:
            alive.append(weakref.ref(volume))
            most.append(sum(one() is not None for one in alive))
        time.sleep(0.02)
        if len(alive) % 3 == 0:
            raise ValueError("a failure must not hold on to its volume either")
        circle = [volume.dicom.units, volume]
        circle.append(circle)
        return volume.dicom.units

    series = list(dl.find_series(cohort)) * 4
    dl.map_series(measure, series, scheduler="threads", workers=2)
    assert len(most) == 12
    assert max(most) <= 2
    assert sum(one() is not None for one in alive) == 0


def test_what_the_user_has_set_for_this_thread_holds_in_the_others(cohort: Path) -> None:
    with dl.show_identity():
        table = dl.map_series(
            lambda series: dl.header_table(series)["PatientName"].value,
            cohort,
            load=None,
            scheduler="threads",
        )
    assert "•••" not in set(table.result)


def test_what_is_sent_to_another_process_is_small_and_finds_its_files_from_anywhere(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for path in (cohort / "oblique_mr").iterdir():
            archive.write(path, path.name)
    monkeypatch.chdir(cohort)
    (tmp_path / "linked").symlink_to(cohort)
    monkeypatch.chdir(tmp_path)
    series = [*dl.find_series("linked"), *dl.find_series("all.zip")]
    stacks = [one.stacks[0] for one in series]
    wanted = dl.map_series(mean, series)
    monkeypatch.chdir("/")
    for given in (series, stacks):
        for one in given:
            assert len(pack(for_elsewhere(one))) < 1500 * len(one.instances) + 3000
        monkeypatch.chdir(tmp_path)
        moved = [for_elsewhere(one) for one in given]
        monkeypatch.chdir("/")
        assert list(dl.map_series(mean, moved)["mean"]) == list(wanted["mean"])


def test_what_cannot_come_back_from_a_process_is_a_failure_of_that_series(cohort: Path) -> None:
    def measure(volume):
        return {"lock": threading.Lock()} if volume.dicom.units == "HU" else 1

    table = dl.map_series(measure, cohort, scheduler="processes", workers=1).set_index("modality")
    assert "what the function returned cannot be sent from its process: cannot pickle" in table.error["CT"]
    assert table.error[["MR", "PT"]].isna().all()


def test_an_exception_that_cannot_be_sent_is_told_in_words(cohort: Path) -> None:
    class Untransportable(Exception):
        def __init__(self, word):
            super().__init__(word)
            self.lock = threading.Lock()

    def measure(volume):
        raise Untransportable("a")

    # As a worker process does it.
    packed = work_packed(
        pack(Work(measure, dl.load_volume, True)), pack(for_elsewhere(dl.find_series(cohort)[0]))
    )
    outcome = unpack(packed)
    assert outcome.error == "Untransportable: a"
    assert outcome.exception is None
    assert 'raise Untransportable("a")' in outcome.traceback
    assert unpack(work_packed(b"rubbish", b"")).error.startswith("error: ")


def test_exceptions_come_from_a_process_with_all_they_hold(troubled: Path) -> None:
    with pytest.raises(FaultError) as raised:
        dl.map_series(mean, troubled / "broken", scheduler="processes", workers=1, on_error="raise")
    assert [finding.code for finding in raised.value.findings] == ["truncated_pixel_data"]
    assert "series 0: CT 'broken'" in raised.value.__notes__[0]


def test_a_series_at_which_a_process_dies_is_a_failure_and_the_others_are_done(cohort: Path) -> None:
    def measure(volume):
        if volume.dicom.units == "HU":
            os.kill(os.getpid(), signal.SIGKILL)
        return float(volume.mean())

    table = dl.map_series(measure, cohort, scheduler="processes", workers=1)
    assert list(table.modality) == ["CT", "MR", "PT"]
    assert table.error.str.contains("died twice").tolist() == [True, None, None]
    assert table.result.notna().tolist() == [False, True, True]


def test_a_script_that_starts_processes_without_a_guard_is_told_so(cohort: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        f"import dicomlab as dl\ndl.map_series(lambda v: 1, {str(cohort)!r}, scheduler='processes', workers=1)\n"
    )
    result = subprocess.run(
        [sys.executable, str(script)], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.returncode == 1
    assert "if __name__ == '__main__':" in result.stderr.splitlines()[-1]


def test_dask_is_not_imported_for_threads_and_named_where_it_is_needed(cohort: Path, tmp_path: Path) -> None:
    program = f"""if True:
        import sys
        import dicomlab as dl
        dl.map_series(lambda volume: 1, {str(cohort)!r}, results={str(tmp_path / "results.sqlite")!r})
        assert "distributed" not in sys.modules  # xarray has reasons of its own to import dask itself
        names = ["dask", "distributed", "cloudpickle"]
        for name in names + [name for name in sys.modules if name.split(".")[0] in names]:
            sys.modules[name] = None
        for scheduler in (None, "threads", "synchronous"):
            assert len(dl.map_series(lambda volume: 1, {str(cohort)!r}, scheduler=scheduler)) == 3
        try:
            dl.map_series(lambda volume: 1, {str(cohort)!r}, scheduler="processes")
        except dl.DicomLabError as problem:
            print(type(problem).__name__, problem)
    """
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.startswith(MissingDependencyError.__name__)
    assert "pip install 'dicomlab[dask]'" in result.stdout


# -- warnings ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_warnings_go_to_the_series_that_they_are_about(cohort: Path, scheduler: str) -> None:
    barrier = threading.Barrier(3) if scheduler == "threads" else None

    def measure(volume):
        if barrier is not None:
            barrier.wait(30)  # all three are at it
        warnings.warn(f"odd: {volume.dicom.units}", dl.DicomLabWarning, stacklevel=1)
        warnings.warn(f"odder: {volume.dicom.units}", dl.DicomLabWarning, stacklevel=1)
        return volume.dicom.units

    table = dl.map_series(measure, cohort, scheduler=scheduler, workers=3)
    assert list(table.error) == [None] * 3
    assert list(table.warnings) == [f"odd: {units}\nodder: {units}" for units in table.result]
    assert list(table.findings) == ["missing_slice", "", ""]


def test_findings_in_many_threads_are_each_told_of_their_own_series(cohort: Path) -> None:
    before = (list(warnings.filters), warnings.showwarning)
    series = list(dl.find_series(cohort)) * 10
    with warnings.catch_warnings(record=True) as leaked:
        warnings.simplefilter("always")
        table = dl.map_series(lambda volume: volume.dicom.units, series, scheduler="threads", workers=4)
        inside = (list(warnings.filters), warnings.showwarning)
        warnings.warn("mine", UserWarning, stacklevel=1)
    assert list(table.findings) == ["missing_slice", "", ""] * 10
    assert list(table.result) == ["HU", "", "Bq/ml"] * 10
    assert [str(one.message) for one in leaked] == ["mine"]
    assert inside[0][0][0] == "always"
    assert (list(warnings.filters), warnings.showwarning) == before


def test_warnings_of_others_are_shown_as_ever(cohort: Path) -> None:
    def measure(volume):
        with WARNINGS_LOCK:
            warnings.warn("mean of nothing", RuntimeWarning, stacklevel=1)

    with pytest.warns(RuntimeWarning, match="mean of nothing"):
        table = dl.map_series(measure, cohort, scheduler="threads")
    assert list(table.error) == [None] * 3


# -- the bar -------------------------------------------------------------------------------------------------------------


def test_a_bar_counts_series_and_failures_and_can_be_left_out(
    cohort: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    series = dl.find_series(cohort, progress=False)
    dl.map_series(mean, series)
    assert capsys.readouterr().err == ""  # it was too quick for one
    monkeypatch.setattr(mapping, "_BAR_AFTER", 0)

    def measure(volume):
        time.sleep(0.12)
        return 1 / (volume.dicom.units != "HU")

    dl.map_series(measure, series, scheduler="synchronous")
    shown = capsys.readouterr().err
    assert "series" in shown
    assert "3/3" in shown
    assert "failed=1" in shown
    dl.map_series(measure, series, scheduler="synchronous", progress=False)
    assert capsys.readouterr().err == ""


# -- what is kept --------------------------------------------------------------------------------------------------------


class Counted:
    """A function that counts how often it is called, for every process alike."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def __call__(self, volume):
        (self.folder / f"{time.monotonic_ns()}").touch()
        return {"mean": float(volume.mean())}

    def calls(self) -> int:
        """Return how often it was called since this was asked for last."""
        files = list(self.folder.iterdir())
        for file in files:
            file.unlink()
        return len(files)


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_what_is_done_is_not_done_again(cohort: Path, tmp_path: Path, scheduler: str) -> None:
    function, results = Counted(tmp_path / "calls"), tmp_path / "folder" / "results.sqlite"
    results.parent.mkdir()
    first = dl.map_series(function, cohort, results=results, scheduler=scheduler, workers=1)
    assert function.calls() == 3
    assert first.attrs["reused"] == 0
    second = dl.map_series(function, dl.find_series(cohort), results=results, scheduler=scheduler)
    assert function.calls() == 0
    assert second.attrs["reused"] == 3
    pd.testing.assert_frame_equal(plain(second), plain(first))
    pd.testing.assert_frame_equal(plain(second), plain(dl.map_series(function, cohort)))
    assert [path.name for path in results.parent.iterdir()] == ["results.sqlite"]


def test_a_part_that_is_done_is_taken_and_the_rest_is_worked_on(cohort: Path, tmp_path: Path) -> None:
    function, results = Counted(tmp_path / "calls"), tmp_path / "results.sqlite"
    series = dl.find_series(cohort)
    dl.map_series(function, series[:2], results=results)
    function.calls()
    table = dl.map_series(function, series, results=str(results))
    assert function.calls() == 1
    assert table.attrs["reused"] == 2
    assert table["mean"].notna().all()


def test_failures_are_tried_again(cohort: Path, tmp_path: Path) -> None:
    calls = []
    broken = tmp_path / "broken"
    broken.touch()

    def measure(volume):
        calls.append(volume.dicom.units)
        if volume.dicom.units == "HU" and broken.exists():
            raise OSError("disk on fire")
        return 1

    for wanted in (3, 1, 1):
        table = dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
        assert len(calls) == wanted
        assert table.error.notna().sum() == 1
        calls.clear()
    broken.unlink()
    table = dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
    assert calls == ["HU"]
    assert table.error.isna().all()


def test_a_series_whose_files_changed_is_done_again(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "cohort")
    function, results = Counted(tmp_path / "calls"), tmp_path / "results.sqlite"

    def run() -> int:
        dl.map_series(function, folder, results=results)
        return function.calls()

    assert (run(), run()) == (3, 0)
    first, second = sorted((folder / "oblique_mr").iterdir())[:2]
    content = bytearray(first.read_bytes())
    content[-1] ^= 1  # as large as before
    first.write_bytes(content)
    assert (run(), run()) == (1, 0)
    os.utime(first, ns=(0, 0))
    assert (run(), run()) == (1, 0)
    second.unlink()
    assert (run(), run()) == (1, 0)
    first.rename(first.with_name("renamed"))
    assert (run(), run()) == (1, 0)


def test_a_series_that_changes_after_it_was_found_is_not_kept(tmp_path: Path) -> None:
    folder = write_cohort(tmp_path / "cohort")
    (file, *_) = sorted((folder / "oblique_mr").iterdir())

    def meddle(volume):
        if not volume.dicom.units:
            os.utime(file, ns=(5, time.time_ns()))
        return 1

    table = dl.map_series(meddle, folder, results=tmp_path / "results.sqlite", scheduler="synchronous")
    assert table.warnings.str.contains("call find_series again").tolist() == [False, True, False]
    again = dl.map_series(meddle, folder, results=tmp_path / "results.sqlite")
    assert again.attrs["reused"] == 2
    series = dl.find_series(folder)
    file.write_bytes(file.read_bytes() + bytes(10))
    table = dl.map_series(lambda volume: 1, series, results=tmp_path / "results.sqlite")
    assert ["has changed since it was listed" in str(error) for error in table.error] == [False, True, False]


def test_a_function_that_changed_is_called_again(cohort: Path, tmp_path: Path) -> None:
    results = tmp_path / "results.sqlite"

    def reused(function, **options) -> int:
        return dl.map_series(function, cohort, results=results, **options).attrs["reused"]

    def lambda_with(threshold):
        return lambda volume: float((volume > threshold).mean())

    assert reused(lambda_with(1)) == 0
    assert reused(lambda_with(1)) == 3
    assert reused(lambda_with(2)) == 0  # other data around it
    assert reused(lambda volume: float((volume >= 1).mean())) == 0  # other code
    assert reused(lambda volume: float((volume >= 1).mean())) == 3  # the same in another place
    assert reused(lambda_with(1), load={"on_fault": "keep"}) == 0
    assert reused(lambda_with(1), version="2") == 0
    assert reused(lambda_with(1), version="2") == 3
    assert reused(lambda_with(1)) == 3  # what was kept before is still there
    assert reused(functools.partial(np.quantile, q=0.5)) == 0
    assert reused(functools.partial(np.quantile, q=0.5)) == 3
    assert reused(functools.partial(np.quantile, q=0.6)) == 0


def key(function, **options) -> str:
    return fingerprint(function, **options).key


def defined(source: str, **names):
    """Return the function `f` of a notebook's cell."""
    space = {"__name__": "__main__", "np": np, **names}
    exec(compile(textwrap.dedent(source), f"<cell {len(source)}>", "exec"), space)
    return space["f"]


CELL = """
import re
LIMIT = 200
SETTINGS = {"low": 1, "names": ["a", "b"], "pattern": re.compile("x+")}
def helper(x): return x + LIMIT
class Kernel:
    size = 3
    def run(self, x): return helper(x) * self.size
class Special(Kernel):
    pass
KERNEL = Special()
def deco(g):
    def inner(*a): return g(*a)
    return inner
@deco
def f(volume, *, power=2):
    def within(x): return x ** power
    return [within(KERNEL.run(v)) for v in volume if SETTINGS["low"]] + [np.sum(TABLE)]
"""

CHANGES = {
    "a number outside": ("LIMIT = 200", "LIMIT = 201"),
    "a mapping": ('"low": 1', '"low": 1.0'),
    "a list in a mapping": ('["a", "b"]', '["a", "c"]'),
    "a pattern": ('"x+"', '"x*"'),
    "a function that it calls by way of another": ("x + LIMIT", "x - LIMIT"),
    "an attribute of a base class": ("size = 3", "size = 4"),
    "a method of a base class": ("* self.size", "+ self.size"),
    "a decorator": ("return g(*a)", "return g(*a) + 0"),
    "a default": ("power=2", "power=3"),
    "a function inside": ("x ** power", "power ** x"),
    "a constant": ('SETTINGS["low"]', 'SETTINGS["names"]'),
    "a name": ("np.sum(TABLE)", "np.prod(TABLE)"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_whatever_of_a_function_changes_makes_it_another(what: str) -> None:
    before, after = CHANGES[what]
    assert CELL.count(before) == 1
    table = np.arange(10)
    assert key(defined(CELL, TABLE=table)) == key(defined(CELL, TABLE=table.copy()))
    assert key(defined(CELL.replace(before, after), TABLE=table)) != key(defined(CELL, TABLE=table))


def test_comments_places_and_unrelated_names_do_not_make_a_function_another() -> None:
    table = np.arange(10)
    moved = "# a comment\n\n\n" + CELL.replace(
        "def helper(x): return", "def helper(x):\n    # why\n    return"
    )
    assert key(defined(moved, TABLE=table, OTHER=5)) == key(defined(CELL, TABLE=table))
    assert key(defined(CELL, TABLE=table + 1)) != key(defined(CELL, TABLE=table))
    assert key(defined(CELL, TABLE=table.astype(float))) != key(defined(CELL, TABLE=table))
    volume = dl.make_volume(np.zeros((2, 3, 4)), affine=np.eye(4), frame_of_reference="1.2")
    assert key(defined(CELL, TABLE=volume)) == key(defined(CELL, TABLE=volume.copy()))
    assert key(defined(CELL, TABLE=volume)) != key(defined(CELL, TABLE=volume.assign_attrs(a=1)))
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", "y"]})
    assert key(defined(CELL, TABLE=frame)) == key(defined(CELL, TABLE=frame.copy()))
    assert key(defined(CELL, TABLE=frame)) != key(defined(CELL, TABLE=frame.rename(columns={"a": "c"})))


def test_a_function_is_the_same_in_another_process(tmp_path: Path) -> None:
    program = f"""if True:
        import sys
        sys.path.insert(0, {str(ROOT / "tests")!r})
        import numpy as np
        from test_cohort import CELL, defined, key
        print(key(defined(CELL, TABLE=np.arange(10), UNUSED={{1, 2}})))
    """
    keys = {
        subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout.strip()
        for seed in "1"
    }  # fmt: skip
    assert keys == {key(defined(CELL, TABLE=np.arange(10)))}


def test_modules_of_the_user_count_as_far_as_they_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "cohort_mine.py").write_text(
        "import cohort_deep\nLIMIT = 3\nunused = 1\ndef g(v): return cohort_deep.h(v)\n"
    )
    (tmp_path / "cohort_deep.py").write_text("def h(v): return v\n")
    import cohort_deep
    import cohort_mine

    monkeypatch.delitem(sys.modules, "cohort_mine")
    monkeypatch.delitem(sys.modules, "cohort_deep")
    for source in (
        "def f(volume): return cohort_mine.g(volume) + cohort_mine.LIMIT",
        "def f(volume):\n    import cohort_mine\n    return cohort_mine.g(volume)",
        "def f(volume):\n    from cohort_mine import g\n    return g(volume)",
    ):
        monkeypatch.setitem(sys.modules, "cohort_mine", cohort_mine)
        monkeypatch.setitem(sys.modules, "cohort_deep", cohort_deep)
        before = key(defined(source, cohort_mine=cohort_mine))
        with monkeypatch.context() as patch:
            patch.setattr(cohort_mine, "LIMIT", 4)
            assert key(defined(source, cohort_mine=cohort_mine)) != before
        with monkeypatch.context() as patch:
            patch.setattr(cohort_deep, "h", lambda v: v + 1)
            assert key(defined(source, cohort_mine=cohort_mine)) != before
        assert key(defined(source, cohort_mine=cohort_mine)) == before
    monkeypatch.setattr(cohort_mine, "unused", 2)
    source = "def f(volume): return cohort_mine.g(volume) + cohort_mine.LIMIT"
    after = key(defined(source, cohort_mine=cohort_mine))
    monkeypatch.setattr(cohort_mine, "unused", 1)
    assert key(defined(source, cohort_mine=cohort_mine)) == after


def test_versions_of_packages_are_known_without_importing_them() -> None:
    for module, package in (
        ("numpy.linalg", "numpy"),
        ("skimage.measure", "scikit-image"),
        ("PIL", "pillow"),
    ):
        assert is_installed(module)
        assert package_version(module) == importlib.metadata.version(package)
    assert is_installed("json")
    assert is_installed("dicomlab.read.volume")
    assert not is_installed("test_cohort")
    assert not is_installed("__main__")


def test_what_cannot_be_looked_into_asks_for_a_version(cohort: Path, tmp_path: Path) -> None:
    connection = sqlite3.connect(":memory:")

    def measure(volume):
        return connection.total_changes

    with pytest.raises(dl.DicomLabError, match=r"connection around .*version="):
        dl.map_series(measure, cohort, results=tmp_path / "results.sqlite", scheduler="synchronous")
    for version, reused in (("1", 0), ("1", 3), ("2", 0)):
        table = dl.map_series(
            measure, cohort, results=tmp_path / "results.sqlite", version=version, scheduler="synchronous"
        )
        assert table.attrs["reused"] == reused
    connection.close()


def test_what_a_function_itself_changes_does_not_make_it_another(cohort: Path, tmp_path: Path) -> None:
    log: list[str] = []
    numbers = collections.Counter()
    count = 0
    lock = threading.Lock()
    limit = 3

    def measure(volume):
        nonlocal count
        with lock:
            log.append(volume.dicom.units)
            numbers[volume.dicom.units] += 1
            count += 1
        return limit

    for called in (3, 3, 3):
        dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
        assert len(log) == count == numbers.total() == called
    limit = 4
    dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
    assert count == 6
    limit = 3
    dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
    assert count == 6
    log.append("mine")  # who knows what it is for
    dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
    assert count == 9
    log.clear()
    numbers.clear()
    count = 0  # a new session
    dl.map_series(measure, cohort, results=tmp_path / "results.sqlite")
    assert count == 0


def test_values_come_back_from_the_file_as_what_they_were(cohort: Path, tmp_path: Path) -> None:
    values = {
        "integer": 3,
        "large": 2**70,
        "real": 0.1 + 0.2,
        "nan": float("nan"),
        "infinity": -np.inf,
        "text": "Bänke\n\0 ☃",
        "truth": np.bool_(True),
        "none": None,
        "complex": 1 + 2j,
        "moment": pd.Timestamp("2024-02-29 12:00:00.123456789"),
        "date": datetime.date(2024, 2, 29),
        "zone": pd.Timestamp("2024-02-29", tz="Europe/Berlin"),
        "duration": np.timedelta64(5, "ms"),
        "NaT": pd.NaT,
        "list": [1, [2.5, None], "x"],
        "mapping": {"$": "moment", "a": {"b": 1}},
        "array": np.arange(6, dtype=np.float32).reshape(2, 3),
        "path": Path("a/b"),
    }
    results = tmp_path / "results.sqlite"
    first = dl.map_series(lambda volume: values, cohort, results=results)
    again = dl.map_series(lambda volume: values, cohort, results=results)
    assert list(first.error) == [None] * 3
    assert again.attrs["reused"] == 3
    pd.testing.assert_frame_equal(plain(again), plain(first))
    bare = dl.map_series(lambda volume: values, cohort)
    for name in set(values) - {"array", "path", "date", "NaT"}:
        pd.testing.assert_series_equal(first[name], bare[name])
    np.testing.assert_array_equal(first.array[0], values["array"])
    assert first.array[0].dtype == np.float32
    assert first.path[0] == os.fspath(values["path"])


def test_what_a_file_of_results_cannot_hold_is_a_failure_that_says_what_to_do(
    cohort: Path, tmp_path: Path
) -> None:
    table = dl.map_series(lambda volume: {"mask": volume > 0}, cohort, results=tmp_path / "results.sqlite")
    assert table.error.str.contains("mask is a DataArray of shape").all()
    assert table.error.str.contains("to_zarr").all()


def test_a_file_that_is_something_else_is_left_alone(cohort: Path, tmp_path: Path) -> None:
    text, other = tmp_path / "table.csv", tmp_path / "other.sqlite"
    text.write_text("a,b\n" * 1000)
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE mine (a)")
    connection.close()
    for file in (text, other):
        before = file.read_bytes()
        with pytest.raises(dl.DicomLabError, match="results="):
            dl.map_series(mean, cohort, results=file)
        assert file.read_bytes() == before


def test_a_crash_loses_nothing_that_was_finished(cohort: Path, tmp_path: Path) -> None:
    program = f"""if True:
        import os, signal
        import dicomlab as dl
        calls = []
        def measure(volume):
            calls.append(1)
            if len(calls) == 3 and os.environ["CRASH"] == "yes":
                os.kill(os.getpid(), signal.SIGKILL)
            return float(volume.mean())
        table = dl.map_series(measure, {str(cohort)!r}, results="results.sqlite", scheduler="synchronous")
        print(table.attrs["reused"], len(calls), table.result.notna().sum())
    """

    def run(crash: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "CRASH": crash, "PYTHONPATH": str(ROOT)}
        return subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    assert run("yes").returncode == -signal.SIGKILL
    assert run("no").stdout.split() == ["2", "1", "3"]


# -- Ctrl-C --------------------------------------------------------------------------------------------------------------


def interrupting(at: int, again: Path):
    """Return a function that interrupts the main process when it is called for this time, if that file is there."""
    calls = []
    main = os.getpid()

    def measure(volume):
        calls.append(1)
        if len(calls) == at and again.exists():
            os.kill(main, signal.SIGINT)
            time.sleep(0.3)
        return float(volume.mean())

    return measure


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_what_is_done_when_the_user_stops_it_is_kept(cohort: Path, tmp_path: Path, scheduler: str) -> None:
    series = list(dl.find_series(cohort)) * 5
    results, stop = tmp_path / "results.sqlite", tmp_path / "stop"
    stop.touch()
    with pytest.raises(KeyboardInterrupt) as stopped:
        dl.map_series(interrupting(4, stop), series[2:], scheduler=scheduler, workers=1, results=results)
    assert isinstance(stopped.value, Stopped)
    done = 3 if scheduler == "synchronous" else 4  # a thread cannot be interrupted, and is waited for
    assert f"{13 - done} of 13 series are not done" in str(stopped.value)
    assert list(stopped.value.table.error) == [None] * done
    assert not any(thread.name.startswith("dicomlab") for thread in threading.enumerate())
    stop.unlink()
    again = dl.map_series(interrupting(4, stop), series[2:], results=results)
    assert again.attrs["reused"] == 13  # they are three series, each given several times


@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_stopping_while_results_are_written_loses_none(
    cohort: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheduler: str
) -> None:
    keep, interrupts = Memory.keep, [KeyboardInterrupt()]

    def interrupted(self, source, outcome):
        if interrupts:
            raise interrupts.pop()
        return keep(self, source, outcome)

    monkeypatch.setattr(Memory, "keep", interrupted)
    with pytest.raises(Stopped) as stopped:
        dl.map_series(mean, cohort, results=tmp_path / "results.sqlite", scheduler=scheduler, workers=1)
    assert len(stopped.value.table) >= 1
    table = dl.map_series(mean, cohort, results=tmp_path / "results.sqlite")
    assert table.attrs["reused"] == len(stopped.value.table)


def test_stopping_twice_gives_up_what_threads_have_begun(cohort: Path) -> None:
    release = threading.Event()
    stops = [threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT)) for seconds in (0.7, 1.4)]
    for stop in stops:
        stop.start()
    with pytest.raises(Stopped, match="3 of 3 series are not done"):
        dl.map_series(lambda volume: release.wait(60), cohort, scheduler="threads", workers=3)
    assert not release.is_set()
    release.set()


def test_stopping_ends_the_processes_at_once(cohort: Path) -> None:
    import multiprocessing

    def slow(volume):
        time.sleep(60)

    stop = threading.Timer(3, os.kill, (os.getpid(), signal.SIGINT))
    stop.start()
    begun = time.monotonic()
    with pytest.raises(Stopped, match="before the first was"):
        dl.map_series(slow, cohort, scheduler="processes", workers=2)
    stop.join()
    assert time.monotonic() - begun < 20
    assert multiprocessing.active_children() == []


# -- a cluster -----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def client():
    """Return a client of two worker processes with one thread each, all on this machine."""
    distributed = pytest.importorskip("distributed")
    import dask

    # A series at which two workers died is given up; three more would only take longer.
    with dask.config.set({"distributed.scheduler.allowed-failures": 1}):
        cluster = distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
        )
    with cluster, distributed.Client(cluster) as client:
        yield client
        client.wait_for_workers(
            2, timeout=60
        )  # a nanny that is closed while it starts a worker may never end


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_a_cluster_makes_the_same_table(cohort: Path, client) -> None:
    factor = 2

    def measure(volume):
        return {"twice": factor * float(volume.mean()), "process": os.getpid()}

    given = dl.map_series(measure, cohort, scheduler=client)
    found = dl.map_series(measure, cohort)  # the client is the current one
    wanted = dl.map_series(measure, cohort, scheduler="threads")
    for table in (given, found):
        assert os.getpid() not in set(table.process)
        pd.testing.assert_frame_equal(
            plain(table.drop(columns="process")), plain(wanted.drop(columns="process"))
        )
    with pytest.raises(dl.DicomLabError, match="workers="):
        dl.map_series(measure, cohort, scheduler=client, workers=2)


def test_failures_and_warnings_come_back_from_a_cluster(troubled: Path, client) -> None:
    def measure(volume):
        warnings.warn(f"odd: {volume.size}", dl.DicomLabWarning, stacklevel=1)

    wanted = dl.map_series(measure, troubled, scheduler="synchronous")
    table = dl.map_series(measure, troubled, scheduler=client)
    assert "odd: " in table.warnings.max()
    pd.testing.assert_frame_equal(plain(table), plain(wanted))
    assert sorted(table.attrs["tracebacks"]) == sorted(wanted.attrs["tracebacks"])


def test_a_worker_that_is_killed_in_the_middle_costs_nothing(cohort: Path, tmp_path: Path, client) -> None:
    series = list(dl.find_series(cohort)) * 4
    begun = tmp_path / "begun"
    begun.mkdir()
    results = tmp_path / "results.sqlite"

    def measure(volume):
        (begun / f"{os.getpid()} {time.monotonic_ns()}").touch()
        time.sleep(0.3)
        return {"mean": float(volume.mean())}

    killed = []

    def kill_one() -> None:
        while len(list(begun.iterdir())) < 4:  # in the middle: some are done, and both workers are at it
            time.sleep(0.05)
        newest = max(begun.iterdir(), key=lambda file: int(file.name.split()[1]))
        killed.append(int(newest.name.split()[0]))
        os.kill(killed[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one)
    killer.start()
    table = dl.map_series(measure, series, scheduler=client, results=results)
    killer.join()
    assert killed[0] in {int(file.name.split()[0]) for file in begun.iterdir()}
    assert list(table.index) == list(range(12))
    assert list(table.error) == [None] * 12
    wanted = dl.map_series(mean, series, scheduler="threads")
    assert list(table["mean"]) == list(wanted["mean"])
    assert len(list(begun.iterdir())) >= 13  # what the killed one was at was done by another
    assert dl.map_series(measure, series, scheduler=client, results=results).attrs["reused"] == 12


def test_a_series_that_kills_every_worker_is_a_failure_and_the_others_are_done(cohort: Path, client) -> None:
    def measure(volume):
        if volume.dicom.units == "HU":
            time.sleep(1)  # the others are done by then
            os.kill(os.getpid(), signal.SIGKILL)
        return float(volume.mean())

    table = dl.map_series(measure, cohort, scheduler=client).set_index("modality")
    assert table.error["CT"].startswith("KilledWorker: ")
    assert table.result[["MR", "PT"]].notna().all()
    assert table.error[["MR", "PT"]].isna().all()


def test_stopping_takes_what_is_left_from_the_cluster(cohort: Path, client) -> None:
    def slow(volume):
        time.sleep(2)

    stopped = threading.Event()

    def stop() -> None:
        # Now and then the interrupt comes while a callback of the garbage collector runs, and is lost.
        while not stopped.wait(3):
            os.kill(os.getpid(), signal.SIGINT)

    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(Stopped):
        dl.map_series(slow, list(dl.find_series(cohort)) * 10, scheduler=client)
    stopped.set()
    stopper.join()
    deadline = time.monotonic() + 15
    while any(client.processing().values()) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not any(client.processing().values())


def test_a_client_that_is_closed_is_refused(cohort: Path, client) -> None:
    import distributed

    with distributed.Client(client.scheduler.address, set_as_default=False) as other:
        pass
    with pytest.raises(dl.DicomLabError, match="closed"):
        dl.map_series(mean, cohort, scheduler=other)
