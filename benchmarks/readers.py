"""What each tool is asked: for each job one function a tool, the ordinary code of somebody who uses it; folder -> result.

Imports are inside: a process has one tool only, and the untimed first run pays for them.
"""

# mypy: disable-error-code="no-untyped-call, import-not-found, call-arg, attr-defined, arg-type"
from __future__ import annotations

import inspect
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

__all__ = ["FRESH", "HIDDEN", "READERS", "NotThere"]

HIDDEN: Final = ("gdcm", "pylibjpeg", "jpeg_ls")
"""Plug-ins that pydicom imports with itself where it finds them. dicomlab needs none: its processes do not see them."""


class NotThere(Exception):
    """This version of a tool cannot do this."""


# -- dicomlab -------------------------------------------------------------------------------------------------------------


def _dicomlab(folder: Path) -> Any:
    import dicomlab

    return dicomlab.load_volume(folder)


def _dicomlab_float32(folder: Path) -> Any:
    import dicomlab

    if "dtype" in inspect.signature(dicomlab.load_volume).parameters:
        return dicomlab.load_volume(folder, dtype="float32")
    return dicomlab.load_volume(folder).astype("float32")


def _dicomlab_list(folder: Path) -> dict[str, int]:
    import dicomlab

    return {str(k): len(series.files) for k, series in enumerate(dicomlab.find_series(folder))}


def _dicomlab_first(folder: Path) -> Any:
    import dicomlab

    open_volume = getattr(dicomlab, "open_volume", None)
    if open_volume is None:
        raise NotThere("not there yet")
    return open_volume(folder).isel(slice=[0]).values


# -- SimpleITK ------------------------------------------------------------------------------------------------------------


def _simpleitk(folder: Path) -> Any:
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(reader.Execute())


def _simpleitk_float32(folder: Path) -> Any:
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader()
    reader.SetOutputPixelType(sitk.sitkFloat32)
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(folder)))
    return sitk.GetArrayFromImage(reader.Execute())


def _simpleitk_file(folder: Path) -> Any:
    import SimpleITK as sitk

    return sitk.GetArrayFromImage(sitk.ReadImage(str(next(folder.iterdir()))))


def _simpleitk_list(folder: Path) -> dict[str, int]:
    import SimpleITK as sitk

    reader = sitk.ImageSeriesReader
    return {
        f"{place} {uid}": len(reader.GetGDCMSeriesFileNames(place, uid))
        for place, _, files in os.walk(folder)
        if files
        for uid in reader.GetGDCMSeriesIDs(place)
    }


# -- pydicom --------------------------------------------------------------------------------------------------------------


def _pydicom(folder: Path) -> Any:
    from pydicom import dcmread

    datasets = [dcmread(path) for path in folder.iterdir()]
    datasets.sort(key=lambda ds: ds.ImagePositionPatient[2])
    volume = np.stack([ds.pixel_array for ds in datasets]).astype(np.int16)
    volume *= int(datasets[0].RescaleSlope)
    volume += int(datasets[0].RescaleIntercept)
    return volume


def _pydicom_float32(folder: Path) -> Any:
    from pydicom import dcmread

    datasets = [dcmread(path) for path in folder.iterdir()]
    datasets.sort(key=lambda ds: ds.ImagePositionPatient[2])
    volume = np.stack([ds.pixel_array for ds in datasets]).astype(np.float32)
    volume *= np.float32(datasets[0].RescaleSlope)
    volume += np.float32(datasets[0].RescaleIntercept)
    return volume


def _pydicom_4d(folder: Path) -> Any:
    from pydicom import dcmread

    datasets = [dcmread(path) for path in folder.iterdir()]
    datasets.sort(key=lambda ds: (ds.TemporalPositionIdentifier, ds.ImagePositionPatient[2]))
    volume = np.stack([ds.pixel_array for ds in datasets])
    return volume.reshape(int(datasets[0].NumberOfTemporalPositions), -1, *volume.shape[1:])


def _pydicom_enhanced(folder: Path) -> Any:
    from pydicom import dcmread

    ds = dcmread(next(folder.iterdir()))
    groups = ds.PerFrameFunctionalGroupsSequence
    order = np.argsort([group.PlanePositionSequence[0].ImagePositionPatient[2] for group in groups])
    transform = groups[0].PixelValueTransformationSequence[0]
    volume = ds.pixel_array[order].astype(np.int16)
    volume *= int(transform.RescaleSlope)
    volume += int(transform.RescaleIntercept)
    return volume


def _pydicom_list(folder: Path) -> dict[str, int]:
    from pydicom import dcmread
    from pydicom.errors import InvalidDicomError

    series: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            try:
                series[dcmread(path, stop_before_pixels=True).SeriesInstanceUID] += 1
            except InvalidDicomError:
                continue
    return series


def _pydicom_first(folder: Path) -> Any:
    import dask.array as da
    from dask import delayed
    from pydicom import dcmread

    headers = [dcmread(path, stop_before_pixels=True) for path in folder.iterdir()]
    headers.sort(key=lambda ds: ds.ImagePositionPatient[2])
    shape, first = (headers[0].Rows, headers[0].Columns), headers[0]
    planes = [
        da.from_delayed(delayed(lambda path: dcmread(path).pixel_array)(ds.filename), shape, np.uint16)
        for ds in headers
    ]
    volume = da.stack(planes).astype(np.int16) * int(first.RescaleSlope) + int(first.RescaleIntercept)
    return volume[:1].compute()


# -- others ---------------------------------------------------------------------------------------------------------------


def _dicomsdl_sorted(folder: Path, key: Callable[[Any], Any]) -> list[Any]:
    import dicomsdl

    return sorted((dicomsdl.open(str(path)) for path in folder.iterdir()), key=key)


def _dicomsdl(folder: Path) -> Any:
    datasets = _dicomsdl_sorted(folder, lambda ds: ds.ImagePositionPatient[2])
    volume = np.empty((len(datasets), datasets[0].Rows, datasets[0].Columns), np.int16)
    for plane, ds in zip(volume, datasets, strict=True):
        plane[:] = ds.pixelData(storedvalue=True)
        plane *= int(ds.RescaleSlope)
        plane += int(ds.RescaleIntercept)
    return volume


def _dicomsdl_4d(folder: Path) -> Any:
    datasets = _dicomsdl_sorted(
        folder, lambda ds: (ds.TemporalPositionIdentifier, ds.ImagePositionPatient[2])
    )
    volume = np.stack([ds.pixelData(storedvalue=True) for ds in datasets])
    return volume.reshape(int(datasets[0].NumberOfTemporalPositions), -1, *volume.shape[1:])


def _highdicom(folder: Path) -> Any:
    import highdicom
    from pydicom import dcmread

    return highdicom.get_volume_from_series([dcmread(path) for path in folder.iterdir()]).array


def _highdicom_enhanced(folder: Path) -> Any:
    import highdicom

    return highdicom.imread(next(folder.iterdir())).get_volume().array


def _dcm2niix(folder: Path) -> tempfile.TemporaryDirectory[str]:
    """A folder with the NIfTI file, uncompressed; in memory where the system has such a place."""
    shared = Path("/dev/shm")
    home = tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None)
    program = shutil.which("dcm2niix", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    command = [program or "dcm2niix", "-z", "n", "-o", home.name, str(folder)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return home


def _gdcm_list(folder: Path) -> dict[str, int]:
    import gdcm

    directory = gdcm.Directory()
    directory.Load(str(folder), True)
    scanner = gdcm.Scanner()
    tag = gdcm.Tag(0x0020, 0x000E)
    for wanted in (tag, gdcm.Tag(0x0008, 0x0018), gdcm.Tag(0x0020, 0x0032), gdcm.Tag(0x0020, 0x0037)):
        scanner.AddTag(wanted)
    scanner.Scan(directory.GetFilenames())
    return {uid: len(scanner.GetAllFilenamesFromTagToValue(tag, uid)) for uid in scanner.GetValues(tag)}


def _bytes(folder: Path) -> None:
    """No DICOM at all: the bytes of all files into one array of numpy, made beforehand as large as they are."""
    with os.scandir(folder) as entries:
        files = [(entry.path, entry.stat().st_size) for entry in entries]
    everything = np.empty(sum(size for _, size in files), np.uint8)
    start = 0
    for path, size in files:
        with open(path, "rb", buffering=0) as file:
            start += file.readinto(memoryview(everything)[start : start + size]) or 0


_FRAMES: Final[dict[str, Callable[[Path], Any]]] = {
    "dicomlab": _dicomlab,
    "SimpleITK": _simpleitk,
    "pydicom": _pydicom,
}

READERS: Final[dict[str, dict[str, Callable[[Path], Any]]]] = {
    "volume": {
        **_FRAMES,
        "dicomsdl": _dicomsdl,
        "highdicom": _highdicom,
        "dcm2niix": _dcm2niix,
        "bytes": _bytes,
    },
    "float32": {
        "dicomlab": _dicomlab_float32,
        "SimpleITK": _simpleitk_float32,
        "pydicom": _pydicom_float32,
    },
    "4-D": {
        "dicomlab": _dicomlab,
        "SimpleITK": _simpleitk,
        "pydicom": _pydicom_4d,
        "dicomsdl": _dicomsdl_4d,
        "dcm2niix": _dcm2niix,
        "bytes": _bytes,
    },
    "enhanced": {
        "dicomlab": _dicomlab,
        "SimpleITK": _simpleitk_file,
        "pydicom": _pydicom_enhanced,
        "highdicom": _highdicom_enhanced,
        "dcm2niix": _dcm2niix,
        "bytes": _bytes,
    },
    "compressed": _FRAMES,
    "list": {
        "dicomlab": _dicomlab_list,
        "SimpleITK": _simpleitk_list,
        "pydicom": _pydicom_list,
        "GDCM": _gdcm_list,
    },
    "first slice": {"dicomlab": _dicomlab_first, "pydicom": _pydicom_first},
}
"""Job -> tool -> what it does."""

FRESH: Final[dict[str, dict[str, str]]] = {
    "import": {"dicomlab": "import dicomlab", "pydicom": "import pydicom, xarray"},
    "start": {
        "dicomlab": "import dicomlab; volume = dicomlab.load_volume({folder!r})",
        "SimpleITK": (
            "import SimpleITK as sitk; reader = sitk.ImageSeriesReader(); "
            "reader.SetFileNames(reader.GetGDCMSeriesFileNames({folder!r})); "
            "volume = sitk.GetArrayFromImage(reader.Execute())"
        ),
    },
}
"""Job -> tool -> a program, run by an interpreter of its own."""
