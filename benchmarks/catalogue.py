"""Listing a tree with a cache and without: `python -m benchmarks.catalogue [--files 100000] [--folder F] [--runs 3]`.

Small files of many series are made once, in a temporary folder or the one that is named, and kept for the next time. Each
row is a new process, which has imported what it needs; time is that of the listing alone. The files are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import dcmwrite

from benchmarks.headers import ROOT as UIDS
from benchmarks.headers import image

__all__ = ["main", "make", "measure"]

ROOT: Final = Path(__file__).resolve().parents[1]
SERIES: Final = 500

_FLOOR = """
import os
def walk(folder):
    for entry in os.scandir(folder):
        if entry.is_dir():
            yield from walk(entry.path)
        else:
            yield os.stat(entry.path)
def work():
    return sum(1 for status in walk(folder))
"""
_LIST = """
from dicomlab import find_series
import dicomlab.read.catalogue
def work():
    return sum(len(series.instances) for series in find_series(folder, cache=cache, progress=False))
"""
_TELL = """
import json, time
wall, cpu = time.perf_counter(), time.process_time()
count = work()
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
peak = int(open("/proc/self/status").read().split("VmHWM:")[1].split()[0]) * 1024 / 1e6
print(json.dumps([wall, cpu, peak, count]))
"""


def _template() -> tuple[bytes, dict[str, bytes]]:
    """A file, and what in it stands for what differs, each as long as what takes its place."""
    marks = {"SOPInstanceUID": f"{UIDS}.8.1111.222222", "SeriesInstanceUID": f"{UIDS}.5.3333"}
    marks |= {
        "StudyInstanceUID": f"{UIDS}.1.4444",
        "InstanceNumber": "555555",
        "SeriesDescription": "series 6666",
    }
    ds = image("CT", 1, 7, large=256)
    for keyword, value in marks.items():
        setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    ds.ImagePositionPatient = ["0", "0", "7777.25"]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = ["0.75", "0.75"]
    ds.PixelData = np.arange(49, dtype="<u2").tobytes()
    written = DicomBytesIO()
    dcmwrite(written, ds, enforce_file_format=True)
    return written.getvalue(), {k: v.encode() for k, v in marks.items()} | {"z": b"7777.25"}


def make(folder: Path, files: int) -> None:
    """Write `files` images of 7 × 7 voxels in `SERIES` folders, ten series a study, unless they are there."""
    done = folder / ".made"
    if done.exists() and done.read_text() == str(files):
        return
    data, marks = _template()
    for k in range(files):
        series, number = k % SERIES, k // SERIES
        new = {
            "SOPInstanceUID": f"{UIDS}.8.{series + 1000}.{number + 100000}",
            "SeriesInstanceUID": f"{UIDS}.5.{series + 1000}",
            "StudyInstanceUID": f"{UIDS}.1.{series // 10 + 1000}",
            "InstanceNumber": f"{number + 100000}",
            "SeriesDescription": f"series {series + 1000}",
            "z": f"{number + 1000}.25",
        }
        one = data
        for keyword, mark in marks.items():
            one = one.replace(mark, new[keyword].encode())
        home = folder / "images" / f"{series // 10:02}" / f"{series:03}"
        if not number:
            home.mkdir(parents=True, exist_ok=True)
        (home / f"{number:06}.dcm").write_bytes(one)
    done.write_text(str(files))
    time.sleep(3)  # what changed just now is not kept


def measure(work: str, folder: Path, cache: Path | None) -> list[float]:
    """Seconds, seconds of CPU, MB at the peak, and files found, of a new process."""
    given = f"folder = {str(folder)!r}\ncache = {None if cache is None else str(cache)!r}\n"
    done = subprocess.run(
        [sys.executable, "-c", given + work + _TELL], cwd=ROOT, text=True, stdout=subprocess.PIPE, check=True
    )
    found: list[float] = json.loads(done.stdout)
    return found


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.catalogue", description="Listing with a cache."
    )
    parser.add_argument("--files", type=int, default=100_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dicomlab-catalogue")
    parser.add_argument("--runs", type=int, default=3, help="the median is shown")
    options = parser.parse_args(arguments)
    folder = options.folder.resolve() / str(options.files)
    folder.mkdir(parents=True, exist_ok=True)
    make(folder, options.files)
    cache, images = folder / "list.sqlite", folder / "images"
    measure(_FLOOR, images, None)  # names and sizes are in memory from here on
    floor = 0.0
    print(
        f"{options.files} files in {SERIES} series\n{'':24} {'wall s':>8} {'CPU s':>8} {'peak MB':>8} {'× floor':>8}"
    )
    for title, work, kept in (
        ("scandir and stat", _FLOOR, None),
        ("without a cache", _LIST, None),
        ("with a new cache", _LIST, cache),
        ("with the cache again", _LIST, cache),
    ):
        told = []
        for _ in range(options.runs):
            if title == "with a new cache":
                cache.unlink(missing_ok=True)
            told.append(measure(work, images, kept))
        if any(count != options.files for *_, count in told):
            raise SystemExit(f"{title}: found {told[0][-1]} files")
        wall, cpu, peak = (statistics.median(one[k] for one in told) for k in range(3))
        floor = floor or wall
        print(f"{title:24} {wall:8.2f} {cpu:8.2f} {peak:8.0f} {wall / floor:8.1f}", flush=True)
    print(f"the cache has {os.path.getsize(cache) / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
