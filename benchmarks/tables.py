"""Tables of headers: `python -m benchmarks.tables [--files 5000] [--megabytes 100] [--folder F]`.

Beside a plain loop of pydicom over the same files, in the same run: 5,000 images of a series, and a structure set of 100 MB
that is made on the fly. Seconds are of CPU, as others may use the machine, too. Each row is a new process, which has imported
what it needs; the files are in the page cache.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from pydicom.filewriter import dcmwrite

from benchmarks.headers import ROOT as UIDS
from benchmarks.headers import image

__all__ = ["main", "make_series", "make_structures", "measure"]

ROOT: Final = Path(__file__).resolve().parents[1]

_LOOP: Final = """
import os, pydicom
def work():
    return sum(len(pydicom.dcmread(os.path.join(path, name), stop_before_pixels=True)) for name in sorted(os.listdir(path)))
"""
_READ: Final = """
import pydicom
def work():
    return sum(1 for _ in pydicom.dcmread(path, stop_before_pixels=True).iterall())
"""
_OURS: Final = """
import dicomlab.tables as t
def work():
    {}
"""
SERIES: Final = {
    "pydicom, every header": _LOOP,
    "header_table": _OURS.format("return len(t.header_table(path, progress=False)._repr_html_())"),
    "varying": _OURS.format("return len(t.varying(path, progress=False).to_dataframe())"),
    "keyword_table, 4 keywords": _OURS.format(
        "return len(t.keyword_table(path, ['PatientSex', 'SliceThickness', 'PixelSpacing', 'CodeMeaning'], "
        "progress=False).to_dataframe())"
    ),
}
STRUCTURES: Final = {
    "header_table and its HTML": _OURS.format(
        "return len(t.header_table(path, progress=False)._repr_html_())"
    ),
    "one item, .at(…)": _OURS.format(
        "return len(t.header_table(path, progress=False).at('ROIContourSequence[9].ContourSequence[99]'))"
    ),
    ".search(…)": _OURS.format("return len(t.header_table(path, progress=False).search('ROINumber'))"),
    ".to_dataframe()": _OURS.format("return len(t.header_table(path, progress=False).to_dataframe())"),
}
_TELL: Final = """
import json, time
from pathlib import Path
def memory(what):
    return int(Path("/proc/self/status").read_text().split(what)[1].split()[0]) * 1024 / 1e6
before, start = memory("VmRSS:"), time.process_time()
count = work()
print(json.dumps([time.process_time() - start, memory("VmHWM:") - before, count]))
"""


def make_series(folder: Path, files: int, large: int = 4000) -> Path:
    """A CT series of small images with headers like those of a scanner; `large` bytes of private data in each."""
    if not folder.exists():
        folder.mkdir(parents=True)
        ds = image("CT", 3, 16, large=large)
        ds.PixelData = bytes(2 * 16 * 16)
        for k in range(files):
            ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{UIDS}.8.{k + 1}"
            ds.InstanceNumber = k + 1
            ds.ImagePositionPatient = [-150.0, -150.0, 0.5 * k]
            ds.SliceLocation = 0.5 * k
            dcmwrite(folder / f"{k:05d}", ds, enforce_file_format=True)
    return folder


def make_structures(path: Path, megabytes: int, *, sized: bool = True, rois: int = 25) -> Path:
    """A structure set with contours of some 50 points; `sized`: sequences and items have a length."""
    if path.exists():
        return path
    contour = 1000
    points = b"\\".join(b"%d.%d" % (k % 97 - 48, k % 10) for k in range(contour // 6))
    points += b" " * (len(points) % 2)
    each = max(1, megabytes * 1_000_000 // rois // (len(points) + 120))

    def element(group: int, number: int, vr: bytes, value: bytes) -> bytes:
        value += b" " * (len(value) % 2)
        tag = group.to_bytes(2, "little") + number.to_bytes(2, "little")
        return tag + vr + len(value).to_bytes(2, "little") + value

    def wrapped(head: bytes, body: bytes, end: bytes) -> bytes:
        if sized:
            return head + len(body).to_bytes(4, "little") + body
        return head + b"\xff\xff\xff\xff" + body + end + bytes(4)

    def sequence(group: int, number: int, items: list[bytes]) -> bytes:
        body = b"".join(wrapped(b"\xfe\xff\x00\xe0", item, b"\xfe\xff\x0d\xe0") for item in items)
        head = group.to_bytes(2, "little") + number.to_bytes(2, "little") + b"SQ\0\0"
        return wrapped(head, body, b"\xfe\xff\xdd\xe0")

    meta = element(2, 2, b"UI", b"1.2.840.10008.5.1.4.1.1.481.3\0") + element(
        2, 3, b"UI", f"{UIDS}.9\0".encode()
    )
    meta += element(2, 0x10, b"UI", b"1.2.840.10008.1.2.1\0")
    head = element(8, 0x16, b"UI", b"1.2.840.10008.5.1.4.1.1.481.3\0") + element(
        8, 0x18, b"UI", f"{UIDS}.9\0".encode()
    )
    head += element(8, 0x60, b"CS", b"RTSTRUCT") + element(0x10, 0x10, b"PN", b"Nobody^Nora")
    head += element(0x3006, 2, b"SH", b"contours")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream:
        stream.write(
            bytes(128) + b"DICM" + element(2, 0, b"UL", len(meta).to_bytes(4, "little")) + meta + head
        )
        rings = [
            element(0x3006, 0x42, b"CS", b"CLOSED_PLANAR")
            + element(0x3006, 0x46, b"IS", b"%d" % (contour // 18))
            + element(0x3006, 0x50, b"DS", points)
        ] * each
        regions = [
            element(0x3006, 0x2A, b"IS", b"255\\0\\%d" % k)
            + sequence(0x3006, 0x40, rings)
            + element(0x3006, 0x84, b"IS", b"%d" % k)
            for k in range(rois)
        ]
        stream.write(sequence(0x3006, 0x39, regions))
        stream.write(element(0x300E, 2, b"CS", b"UNAPPROVED"))
    return path


def measure(code: str, path: Path) -> tuple[float, float, int]:
    """Seconds of CPU, MB that memory grew at its peak, and what came out."""
    program = f"import sys; sys.path.insert(0, {str(ROOT)!r}); path = {str(path)!r}\n{code}{_TELL}"
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=True)
    seconds, memory, count = json.loads(done.stdout.splitlines()[-1])
    return seconds, memory, count


def _table(
    title: str, jobs: dict[str, str], path: Path, first: tuple[float, float, int] | None = None
) -> None:
    print(f"\n{title}\n{'':28} {'CPU s':>8} {'ratio':>7} {'peak MB':>9} {'ratio':>7} {'result':>10}")
    for name, code in jobs.items():
        seconds, memory, count = measure(code, path)
        first = first or (seconds, memory, count)
        print(
            f"{name:28} {seconds:8.2f} {seconds / first[0]:7.2f} {memory:9.1f} {memory / max(first[1], 0.1):7.2f} {count:10,}"
        )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--megabytes", type=int, default=100)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--only", choices=["series", "structures"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        home = told.folder or Path(temporary)
        if told.only != "structures":
            few = max(2, told.files // 10)
            many = make_series(home / f"series-{told.files}", told.files)
            _table(f"a series of {told.files:,} files", SERIES, many)
            longer = make_series(home / f"long-{few}", few, 200_000)
            _table(f"{few:,} files with headers of 200 kB", SERIES, longer)
        for sized in (True, False) if told.only != "series" else ():
            title = f"a structure set of {told.megabytes} MB, {'with' if sized else 'without'} lengths"
            file = make_structures(home / f"rt-{told.megabytes}-{sized}.dcm", told.megabytes, sized=sized)
            # pydicom makes objects of 80 times the bytes: a tenth of the file is enough to know.
            tenth = make_structures(home / f"tenth-{sized}.dcm", told.megabytes // 10 or 1, sized=sized)
            seconds, memory, count = measure(_READ, tenth)
            print(
                f"\npydicom, every element of a tenth of it: {seconds:.2f} s, {memory:.0f} MB; ratios are to ten times that"
            )
            _table(title, STRUCTURES, file, (10 * seconds, 10 * memory, 10 * count))


if __name__ == "__main__":
    main()
