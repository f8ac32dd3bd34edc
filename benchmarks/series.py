"""The series that loading is measured on: `python -m benchmarks.series [name …] [--folder build/bench] [--check]`.

Made once (two to four minutes, 0.9 GB) with numpy and pydicom; what is complete is not made again. The same call writes the
same bytes, so `truth` can say what every voxel is.
"""

# mypy: disable-error-code="assignment, no-any-return"
from __future__ import annotations

import argparse
import io
import json
import shutil
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmwrite, uid
from pydicom.encaps import encapsulate

from benchmarks.enhanced import enhanced, frame_groups
from benchmarks.headers import ROOT, image, items

__all__ = ["COMPRESSED", "DEFAULT", "FULL", "NAMES", "TINY", "Size", "check", "make", "truth"]

Array = npt.NDArray[Any]

DEFAULT: Final = Path("build/bench")
VERSION: Final = 1
"""Grows when other bytes are written, so that what older code made is made again."""


@dataclass(frozen=True)
class Size:
    """How large the series are."""

    ct: int = 600
    rows: int = 512
    mr4d: tuple[int, int, int] = (50, 40, 96)
    frames: int = 300
    compressed: int = 200
    tree: tuple[int, int, int] = (25, 200, 64)
    junk: int = 400


FULL: Final = Size()
TINY: Final = Size(ct=5, rows=32, mr4d=(3, 4, 16), frames=6, compressed=4, tree=(5, 4, 8), junk=20)


# -- voxels ---------------------------------------------------------------------------------------------------------------


def _smooth(distance: Array, edge: float) -> Array:
    return np.clip(0.5 - distance / edge, 0.0, 1.0)


def ct_slice(k: int, count: int, rows: int) -> Array:
    """Stored values of slice `k`: a smooth body, and noise with the grain that reconstruction leaves; uint16 of 12 bits."""
    z = k / max(count - 1, 1)
    y, x = np.meshgrid(*2 * [np.linspace(-1, 1, rows, dtype=np.float32)], indexing="ij")
    edge = np.float32(6 / rows)

    def inside(cx: float, cy: float, rx: float, ry: float) -> Array:
        return _smooth(
            np.hypot((x - cx) / rx, (y - cy) / ry).astype(np.float32) - 1, float(edge) / min(rx, ry)
        )

    hu = np.full((rows, rows), -1000, np.float32)
    body = inside(0, 0, 0.78 + 0.05 * np.sin(5 * z), 0.55)
    hu += body * (1040 + 25 * np.sin(4 * x + 9 * z) * np.cos(5 * y))
    lung = 0.24 * np.sin(np.pi * min(1.0, 1.4 * z)) + 0.01
    for side in (-0.38, 0.38):
        hu -= inside(side, -0.05, lung, 1.4 * lung) * 850
    hu += inside(0, 0.38, 0.09, 0.09) * (500 + 100 * np.sin(40 * z))
    hu += inside(0.05, 0.1, 0.06, 0.06) * 150
    hu += _smooth(np.abs(y - 0.72) - 0.02, float(edge)) * (np.abs(x) < 0.6) * 600
    white = np.random.default_rng([1, k]).standard_normal((rows, rows), dtype=np.float32)
    grain = white + np.roll(white, 1, 0) + np.roll(white, 1, 1) + np.roll(white, (1, 1), (0, 1))
    return np.clip(np.rint(hu + grain * (4 + 6 * body) + 1024), 0, 4095).astype(np.uint16)


def mr_slice(t: int, k: int, slices: int, rows: int) -> Array:
    """Stored values of slice `k` at time `t`: a head that pulses a little; int16."""
    y, x = np.meshgrid(*2 * [np.linspace(-1, 1, rows)], indexing="ij")
    radius = 0.85 * np.sqrt(max(0.1, 1 - (2 * k / slices - 1) ** 2))
    head = _smooth(np.hypot(x, y / 1.1) - radius, 6 / rows)
    signal = head * (900 + 200 * np.sin(7 * x) * np.cos(6 * y + k) + 15 * np.sin(t + 3 * x))
    real, imaginary = np.random.default_rng([2, t, k]).standard_normal((2, rows, rows)) * 12
    return np.rint(np.hypot(signal + real, imaginary)).astype(np.int16)


def truth(name: str, size: Size = FULL) -> Array:
    """Values of the series `name` in real units, slices ascending in position; of `mr4d` with the time first.

    Raises
    ------
    KeyError
        There is no one volume of this name.
    """
    if name == "mr4d":
        times, slices, rows = size.mr4d
        return np.stack([[mr_slice(t, k, slices, rows) for k in range(slices)] for t in range(times)])
    count = {"ct": size.ct, "enhanced": size.frames, **dict.fromkeys(COMPRESSED, size.compressed)}[name]
    return np.stack([ct_slice(k, size.ct, size.rows).astype(np.int16) - 1024 for k in range(count)])


# -- what varies from file to file ----------------------------------------------------------------------------------------


def _decimal(value: float) -> str:
    return f"{value:.8f}".rstrip("0").rstrip(".")


def _time(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02d}{whole // 60 % 60:02d}{whole % 60:02d}.{round(seconds % 1 * 1e6) % 10**6:06d}"


def _place(ds: Dataset, k: int, rows: int, step: float, extent: float) -> None:
    """Place of slice `k` of an axial series; a pixel measures `extent` / `rows` mm."""
    spacing = extent / rows
    corner = -extent / 2 + spacing / 2
    z = -12.5 + step * k
    ds.ImagePositionPatient = [_decimal(corner), _decimal(corner - 150), _decimal(z)]
    ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
    ds.PixelSpacing = [_decimal(spacing)] * 2
    ds.SliceLocation = _decimal(z)


def _identify(ds: Dataset, number: int, seed: int, seconds: float) -> None:
    """Number, times and UIDs of one file; the last component of UIDs is of varying length, as scanners' are."""
    rng = np.random.default_rng([seed, number])
    tail = int(rng.integers(0, 10 ** int(rng.integers(2, 11))))
    ds.InstanceNumber = number
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = f"{ROOT}.8.{seed}.{number}.{tail}"
    ds.SourceImageSequence[0].ReferencedSOPInstanceUID = f"{ROOT}.3.{seed}.{tail}.{number}"
    ds.AcquisitionTime = _time(seconds)
    ds.ContentTime = _time(seconds + 1.75 + number / 64)
    ds.InstanceCreationTime = _time(seconds + 60)


def _names(count: int, seed: int, suffix: str = "") -> list[str]:
    """Names of files as an archive exports them: their order is none."""
    numbers = np.random.default_rng(seed).choice(2**31, count, replace=False)
    return [f"{int(number):08X}{suffix}" for number in numbers]


# -- series ---------------------------------------------------------------------------------------------------------------


def _ct_headers(count: int, size: Size, series: int) -> Iterator[tuple[int, Dataset]]:
    """Header of each of the first slices of the CT, one dataset changed from slice to slice."""
    ds = image("CT", series, size.rows)
    for k in range(count):
        _identify(ds, k + 1, series, 35883.125 + 0.0135 * k)
        _place(ds, k, size.rows, 0.625, 500.0)
        ds.XRayTubeCurrent = int(212 + 60 * np.sin(k / 40))
        ds.Exposure = ds.XRayTubeCurrent // 2
        yield k, ds


def _write(path: Path, ds: Dataset) -> None:
    dcmwrite(path, ds, enforce_file_format=True)


def make_ct(folder: Path, size: Size) -> None:
    """600 slices of CT, 12 of 16 bits, names shuffled."""
    names = _names(size.ct, 11)
    for k, ds in _ct_headers(size.ct, size, 11):
        ds.PixelData = ct_slice(k, size.ct, size.rows).tobytes()
        ds["PixelData"].VR = "OW"
        _write(folder / names[k], ds)


def make_mr4d(folder: Path, size: Size) -> None:
    """4-D MR, an image a file: 40 slices at 50 times."""
    times, slices, rows = size.mr4d
    names = _names(times * slices, 12, ".dcm")
    ds = image("MR", 12, rows, large=1200)
    ds.NumberOfTemporalPositions, ds.ImagesInAcquisition = times, times * slices
    for t in range(times):
        for k in range(slices):
            number = t * slices + k
            _identify(ds, number + 1, 12, 36000 + 2.0 * t + 0.05 * k)
            _place(ds, k, rows, 3.3, 240.0)
            ds.TemporalPositionIdentifier = t + 1
            pixels = mr_slice(t, k, slices, rows)
            ds.LargestImagePixelValue = int(pixels.max())
            ds.SmallestImagePixelValue = int(pixels.min())
            ds.PixelData = pixels.tobytes()
            ds["PixelData"].VR = "OW"
            _write(folder / names[number], ds)


def make_enhanced(folder: Path, size: Size) -> None:
    """One Enhanced CT object; its frames are stored in an order that tells nothing."""
    ds = enhanced(13, size.rows, [_decimal(500 / size.rows)] * 2)
    order = [int(k) for k in np.random.default_rng(13).permutation(size.frames)]
    groups = []
    place = Dataset()
    for k in order:
        _place(place, k, size.rows, 0.625, 500.0)
        groups.append(frame_groups(k, list(place.ImagePositionPatient), 3.125 + 0.0135 * k))
    _identify(ds, 1, 13, 35883.125)
    ds.NumberOfFrames = size.frames
    ds.PerFrameFunctionalGroupsSequence = items(*groups)
    for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        ds[keyword].is_undefined_length = True
        for part in ds[keyword].value:
            part.is_undefined_length_sequence_item = True
    ds.PixelData = b"".join(ct_slice(k, size.ct, size.rows).tobytes() for k in order)
    ds["PixelData"].VR = "OW"
    _write(folder / "IM000001.dcm", ds)


def _rle(pixels: Array) -> bytes:
    """An RLE frame (PS3.5 Annex G): high bytes, then low ones, each row packed on its own."""
    segments = []
    for plane in (pixels >> 8, pixels & 255):
        packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in plane.astype(np.uint8))
        segments.append(packed + bytes(len(packed) % 2))
    offsets = [64, 64 + len(segments[0])]
    return np.array([2, *offsets, *[0] * 13], "<u4").tobytes() + b"".join(segments)


COMPRESSED: Final[dict[str, tuple[uid.UID, Callable[[Array], bytes | bytearray] | None]]] = {
    "rle": (uid.RLELossless, _rle),
    "jpeg": (
        uid.JPEGLosslessSV1,
        partial(imagecodecs.jpeg8_encode, lossless=True, predictor=1, bitspersample=12),
    ),
    "jpegls": (uid.JPEGLSLossless, imagecodecs.jpegls_encode),
    "htj2k": (uid.HTJ2KLossless, partial(imagecodecs.htj2k_encode, reversible=True)),
    "deflated": (uid.DeflatedExplicitVRLittleEndian, None),
    "jpeg2000": (
        uid.JPEG2000Lossless,
        partial(imagecodecs.jpeg2k_encode, codecformat="J2K", reversible=True, bitspersample=12),
    ),
}
"""Compressed series: their transfer syntax and what makes a frame of it; the whole file is deflated by pydicom."""


def make_compressed(name: str, folder: Path, size: Size) -> None:
    """The first 200 slices of the CT in another transfer syntax."""
    syntax, encode = COMPRESSED[name]
    number = 20 + list(COMPRESSED).index(name)
    names = _names(size.compressed, number)
    for k, ds in _ct_headers(size.compressed, size, number):
        pixels = ct_slice(k, size.ct, size.rows)
        ds.file_meta.TransferSyntaxUID = syntax
        ds.PixelData = pixels.tobytes() if encode is None else encapsulate([bytes(encode(pixels))])
        ds["PixelData"].VR = "OW" if encode is None else "OB"
        ds["PixelData"].is_undefined_length = encode is not None
        _write(folder / names[k], ds)


def make_tree(folder: Path, size: Size) -> None:
    """Many small files: series of three modalities, two folders a study, other files between them."""
    series, slices, rows = size.tree
    folders = []
    for n in range(series):
        modality = ("CT", "MR", "CT", "PT", "MR")[n % 5]
        # Two series share each third folder, as exports do.
        home = (
            folder / f"PATIENT{n // 9 + 1:02d}" / f"STUDY{n // 3 + 1:02d}" / f"SERIES{n - (n % 3 == 2):02d}"
        )
        home.mkdir(parents=True, exist_ok=True)
        folders.append(home)
        ds = image(modality, 100 + n, rows, large=1000 + 100 * (n % 7))
        ds.StudyInstanceUID = f"{ROOT}.1.20240229.{n // 3}"
        ds.PatientID = f"BENCH-{n // 9:04d}"
        if n % 4 == 3:
            ds.file_meta.TransferSyntaxUID = uid.ImplicitVRLittleEndian
        for k, name in enumerate(_names(slices, 100 + n, ("", ".dcm", ".IMA")[n % 3])):
            _identify(ds, k + 1, 100 + n, 36000 + 0.25 * k)
            _place(ds, k, rows, 2.5, 350.0)
            pixels = np.random.default_rng([3, n, k]).integers(0, 1000, (rows, rows))
            ds.PixelData = pixels.astype(np.uint16).tobytes()
            ds["PixelData"].VR = "OW"
            _write(home / name, ds)
    for n, (suffix, content) in zip(range(size.junk), _junk(), strict=False):
        (folders[n % len(folders)] / f"FILE{n:04d}{suffix}").write_bytes(content)


def _junk() -> Iterator[tuple[str, bytes]]:
    """Without end: what else lies in such folders."""
    rng = np.random.default_rng(14)
    picture = rng.integers(0, 255, (32, 32), dtype=np.uint8)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("notes/readme.txt", "no images here\n" * 20)
    number = 0
    while True:
        number += 1
        yield ".txt", f"Note {number}\n".encode() * int(rng.integers(1, 400))
        yield ".png", bytes(imagecodecs.png_encode(picture))
        yield ".json", json.dumps({"series": number, "values": rng.random(40).tolist()}).encode()
        yield ".pdf", b"%PDF-1.4\n" + rng.bytes(int(rng.integers(100, 20000))) + b"\n%%EOF\n"
        yield "", rng.bytes(int(rng.integers(1, 9000)))
        yield ".log", b""
        yield ".zip", archive.getvalue()
        yield ".dcm", _report(number)


def _report(number: int) -> bytes:
    """A DICOM object without pixels: a basic text report."""
    ds = image("CT", 900 + number, 1)
    for keyword in ("Rows", "Columns", "BitsAllocated", "BitsStored", "HighBit", "SamplesPerPixel"):
        delattr(ds, keyword)
    ds.Modality = "SR"
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = uid.BasicTextSRStorage
    _identify(ds, 1, 900 + number, 36000)
    ds.ValueType, ds.ContinuityOfContent, ds.CompletionFlag, ds.VerificationFlag = (
        "CONTAINER",
        "SEPARATE",
        "COMPLETE",
        "UNVERIFIED",
    )
    buffer = io.BytesIO()
    dcmwrite(buffer, ds, enforce_file_format=True)
    return buffer.getvalue()


# -- making and checking --------------------------------------------------------------------------------------------------

_MAKERS: Final[dict[str, Callable[[Path, Size], None]]] = {
    "ct": make_ct,
    "mr4d": make_mr4d,
    "enhanced": make_enhanced,
    **{name: partial(make_compressed, name) for name in COMPRESSED},
    "tree": make_tree,
}
NAMES: Final = tuple(_MAKERS)


def make(name: str, home: Path = DEFAULT, size: Size = FULL) -> Path:
    """Folder of the series `name` below `home`; made when it is not there, or not complete."""
    folder, stamp = home / name, home / f"{name}.complete"
    wanted = f"{VERSION} {size}"
    if not (folder.is_dir() and stamp.is_file() and stamp.read_text() == wanted):
        shutil.rmtree(folder, ignore_errors=True)
        stamp.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        _MAKERS[name](folder, size)
        stamp.write_text(wanted)
    return folder


def check(name: str, folder: Path, size: Size = FULL) -> str:
    """What dicomlab finds in the folder, in a line; raises when it is not what was written."""
    import dicomlab

    if name == "tree":
        found = dicomlab.find_series(folder, progress=False)
        images = [len(series.files) for series in found if series.modality != "SR"]
        assert images == [size.tree[1]] * size.tree[0], images
        return f"{len(images)} series of {size.tree[1]} files; {len(found.skipped)} files skipped"
    volume = dicomlab.load_volume(folder, progress=False)
    np.testing.assert_array_equal(volume.values, truth(name, size))
    assert volume.dims == (("time",) if name == "mr4d" else ()) + ("slice", "row", "column"), volume.dims
    return f"{volume.dtype} {dict(volume.sizes)}; findings {[f.code for f in volume.dicom.findings]}"


def main() -> None:
    """Make the series that are named, or all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.series", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=", ".join(NAMES))
    parser.add_argument("--folder", type=Path, default=DEFAULT)
    parser.add_argument(
        "--check", action="store_true", help="load each with dicomlab and compare every voxel"
    )
    told = parser.parse_args()
    with ProcessPoolExecutor() as pool:
        for line in pool.map(partial(_made, home=told.folder, checked=told.check), told.names or NAMES):
            print(line, flush=True)


def _made(name: str, home: Path, checked: bool) -> str:
    start = time.perf_counter()
    folder = make(name, home)
    line = f"{name:10} {time.perf_counter() - start:6.1f} s  {folder}"
    return f"{line}\n           {check(name, folder)}" if checked else line


if __name__ == "__main__":
    main()
