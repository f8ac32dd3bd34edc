"""Every reader as a function: folder -> the volumes its user gets by default, in one convention (LPS, slice row column).

What a reader is asked is written in docs/kinds.md, beside the table.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import io
import os
import pickle
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import dicomlab

ROOT = Path(__file__).resolve().parents[2]
EXTRA = Path(os.environ.get("DICOMLAB_PEERS", ROOT / ".peers"))
"""Readers that bring what must stay out of the environment of the tests (`make peers`)."""
TIMEOUT = 60.0


@dataclass(frozen=True)
class Volume:
    """Values (slices, rows, columns) with the LPS mm of each slice's first voxel and of the steps along it."""

    values: Any
    origins: Any
    row_step: Any
    column_step: Any


@dataclass(frozen=True)
class Answer:
    """What a reader made of a folder: volumes in its own order, or why there are none."""

    volumes: list[Volume]
    refusal: str = ""


def regular(values: Any, affine: Any) -> list[Volume]:
    """Volumes of an array (..., slices, rows, columns) on one regular grid: (slice, row, column, 1) -> LPS."""
    values, affine = np.asarray(values), np.asarray(affine, dtype=float)
    origins = affine[:3, 3] + np.arange(values.shape[-3])[:, None] * affine[:3, 0]
    return [
        Volume(volume, origins, affine[:3, 1], affine[:3, 2])
        for volume in values.reshape(-1, *values.shape[-3:])
    ]


def from_nifti(folder: Path) -> list[Volume]:
    """Every volume of every NIfTI file, by file name."""
    import nibabel

    volumes = []
    for file in sorted([*folder.rglob("*.nii"), *folder.rglob("*.nii.gz")]):
        image = nibabel.load(file)
        data = image.get_fdata()
        data = data.reshape(*data.shape[:3], -1)
        affine = np.diag([-1.0, -1, 1, 1]) @ image.affine
        volumes += regular(np.moveaxis(data, -1, 0).transpose(0, 3, 2, 1), affine[:, [2, 1, 0, 3]])
    return volumes


def read_dicomlab(folder: Path) -> list[Volume]:
    import dicomlab as dl

    volumes = []
    for stack in (stack for series in dl.find_series(folder) for stack in series.stacks):
        volumes += of_dicomlab(dl.load_volume(stack))
    if not volumes:
        dl.load_volume(folder)  # says why
    return volumes


def of_dicomlab(array: Any) -> list[Volume]:
    """Volumes of a DataArray, by its coordinates alone."""
    values = array.transpose(..., "slice", "row", "column").values
    direction = np.asarray(array.frame_of_reference.attrs["direction"]).reshape(3, 3)
    slices, rows, columns = (np.atleast_1d(array[name].values) for name in ("slice", "row", "column"))
    origins = slices[:, None] * direction[:, 0] + rows[0] * direction[:, 1] + columns[0] * direction[:, 2]
    steps = [(x[1] - x[0]) * direction[:, k] for k, x in ((1, rows), (2, columns))]
    return [Volume(one, origins, *steps) for one in values.reshape(-1, *values.shape[-3:])]


def read_simpleitk(folder: Path) -> list[Volume]:
    import SimpleITK as sitk

    volumes = []
    for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        image = sitk.ReadImage(names if len(names) > 1 else names[0])
        affine = np.eye(4)
        matrix = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        affine[:3, :3], affine[:3, 3] = matrix[:, ::-1], image.GetOrigin()
        volumes += regular(sitk.GetArrayFromImage(image), affine)
    return volumes


def read_highdicom(folder: Path) -> list[Volume]:
    import highdicom as hd
    import pydicom

    files = sorted(folder.iterdir())
    datasets = [pydicom.dcmread(file) for file in files]
    if any("NumberOfFrames" in ds for ds in datasets):
        found = [hd.imread(file).get_volume() for file in files]
    else:
        found = [hd.get_volume_from_series(datasets)]
    return [volume for one in found for volume in regular(one.array, one.affine)]


def read_dcm2niix(folder: Path) -> list[Volume]:
    with tempfile.TemporaryDirectory() as out:
        program = shutil.which(
            "dcm2niix", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        done = subprocess.run(
            [program or "dcm2niix", "-o", out, str(folder)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT,
            check=False,
        )
        volumes = from_nifti(Path(out))
        if not volumes:
            raise RuntimeError(done.stdout.strip().splitlines()[-1])
        return volumes


def read_dicom2nifti(folder: Path) -> list[Volume]:
    import dicom2nifti

    with tempfile.TemporaryDirectory() as out:
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            dicom2nifti.convert_directory(str(folder), out)
        volumes = from_nifti(Path(out))
        if not volumes:
            raise RuntimeError(
                said.getvalue().strip()[-300:] or "no file was written; the reason is in the log"
            )
        return volumes


def read_dicom_numpy(folder: Path) -> list[Volume]:
    import dicom_numpy
    import pydicom

    values, affine = dicom_numpy.combine_slices([pydicom.dcmread(file) for file in sorted(folder.iterdir())])
    return regular(values.transpose(2, 1, 0), affine[:, [2, 1, 0, 3]])


def read_imagedata(folder: Path) -> list[Volume]:
    from imagedata import Series

    series = Series(str(folder))
    affine = np.asarray(series.transformationMatrix)[[2, 1, 0, 3]]  # it speaks z, y, x
    return regular(np.array(series), affine)


def read_dbdicom(folder: Path) -> list[Volume]:
    import dbdicom

    with tempfile.TemporaryDirectory() as work:  # it keeps an index among the files
        shutil.copytree(folder, Path(work) / "database")
        database = dbdicom.open(str(Path(work) / "database"))
        volumes = []
        for series in dbdicom.series(str(Path(work) / "database")):
            found = database.volume(series, verbose=0)
            values = np.moveaxis(found.values.reshape(*found.values.shape[:3], -1), -1, 0)
            volumes += regular(values.transpose(0, 3, 2, 1), np.asarray(found.affine)[:, [2, 1, 0, 3]])
        return volumes


PEERS: dict[str, tuple[str, Callable[[Path], list[Volume]]]] = {
    "dicomlab": ("dicomlab", read_dicomlab),
    "dcm2niix": ("dcm2niix", read_dcm2niix),
    "dicom2nifti": ("dicom2nifti", read_dicom2nifti),
    "dbdicom": ("dbdicom", read_dbdicom),
    "imagedata": ("imagedata", read_imagedata),
    "highdicom": ("highdicom", read_highdicom),
    "SimpleITK": ("SimpleITK", read_simpleitk),
    "dicom-numpy": ("dicom-numpy", read_dicom_numpy),
}
"""Name in the table -> (distribution, reader)."""


def version(peer: str) -> str | None:
    """Version of a reader, None when it is not installed."""
    if peer == "dicomlab":
        return dicomlab.__version__
    for path in (None, [str(EXTRA)]):
        found = list(
            importlib.metadata.distributions(name=PEERS[peer][0], **({"path": path} if path else {}))
        )
        if found:
            return found[0].version
    return None


def ask(peer: str, folders: Iterable[Path]) -> Iterator[Answer]:
    """What a reader makes of each folder, in a process of its own: some crash, some never end."""
    with tempfile.TemporaryDirectory() as out:
        asked = [str(folder) for folder in folders]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(EXTRA)])}
        subprocess.run(
            [sys.executable, "-m", "tests.kinds.peers", peer, out, *asked],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            timeout=TIMEOUT * (len(asked) + 1),
            check=True,
        )
        for number in range(len(asked)):
            file = Path(out) / str(number)
            yield pickle.loads(file.read_bytes()) if file.exists() else Answer([], "crashed or did not end")


def main(peer: str, out: str, *folders: str) -> None:
    """Read folders, each in a fork: the reader is imported once."""
    with contextlib.suppress(ImportError):
        importlib.import_module(PEERS[peer][0].replace("-", "_"))
    for number, folder in enumerate(folders):
        child = os.fork()
        if child == 0:
            _answer(peer, Path(folder), Path(out) / str(number))
            os._exit(0)
        end = time.monotonic() + TIMEOUT
        while os.waitpid(child, os.WNOHANG) == (0, 0):
            if time.monotonic() > end:
                os.kill(child, 9)
                os.waitpid(child, 0)
                break
            time.sleep(0.01)


def _answer(peer: str, folder: Path, file: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answer = Answer(PEERS[peer][1](folder))
            if not answer.volumes:
                answer = Answer([], "nothing was read, nothing was said")
        except Exception as problem:
            traceback.print_exc()
            answer = Answer([], f"{type(problem).__name__}: {problem}")
    part = file.with_suffix(".part")
    part.write_bytes(pickle.dumps(answer))
    part.rename(file)


if __name__ == "__main__":
    # Under its own name, so that what is pickled here is known where it is read.
    importlib.import_module("tests.kinds.peers").main(*sys.argv[1:])
