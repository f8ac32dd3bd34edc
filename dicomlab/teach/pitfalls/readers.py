"""Other readers of DICOM, each asked as its manual begins: a folder in, arrays and their places out.

They run in a process of their own (``python -P readers.py TOOL OUT FOLDER …``), because some crash and some never end;
`dicomlab.teach.pitfalls.others` starts it. It imports nothing of dicomlab, so that it begins to read soon.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

__all__ = ["READERS", "Array", "load_answer", "main", "versions"]


class Array(NamedTuple):
    """What a reader returned, as `dicomlab.teach.pitfalls.measure.Reading` has it."""

    values: Any
    origins: Any
    row_step: Any
    column_step: Any


_TO_LPS: Final = np.diag([-1.0, -1.0, 1.0, 1.0])


def _regular(values: Any, affine: Any) -> list[Array]:
    """Arrays ``(…, slice, row, column)`` on a grid: `affine` takes (slice, row, column, 1) to LPS mm."""
    values, affine = np.asarray(values), np.asarray(affine, dtype=float)
    origins = affine[:3, 3] + np.arange(values.shape[-3])[:, None] * affine[:3, 0]
    volumes = values.reshape(-1, *values.shape[-3:])
    return [Array(volume, origins, affine[:3, 1], affine[:3, 2]) for volume in volumes]


def by_sitk(folder: Path) -> list[Array]:
    """SimpleITK: each series that GDCM finds, in the order that GDCM gives."""
    import SimpleITK

    sitk: Any = SimpleITK
    readings = []
    for uid in sitk.ImageSeriesReader.GetGDCMSeriesIDs(str(folder)):
        names = sitk.ImageSeriesReader.GetGDCMSeriesFileNames(str(folder), uid)
        image = sitk.ReadImage(names if len(names) > 1 else names[0])
        affine = np.eye(4)
        matrix = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
        affine[:3, :3], affine[:3, 3] = matrix[:, ::-1], image.GetOrigin()
        readings += _regular(sitk.GetArrayFromImage(image), affine)
    return readings


def by_dcm2niix(folder: Path) -> list[Array]:
    """dcm2niix: every NIfTI file that it writes."""
    import nibabel as nib

    nibabel: Any = nib
    with tempfile.TemporaryDirectory() as out:
        program = shutil.which("dcm2niix", path=str(Path(sys.executable).parent)) or "dcm2niix"
        done = subprocess.run(
            [program, "-o", out, str(folder)], capture_output=True, text=True, errors="replace", check=False
        )
        readings: list[Array] = []
        for file in sorted(Path(out).rglob("*.nii*")):
            image = nibabel.load(file)
            data = image.get_fdata()
            data = np.moveaxis(data.reshape(*data.shape[:3], -1), -1, 0).transpose(0, 3, 2, 1)
            readings += _regular(data, (_TO_LPS @ image.affine)[:, [2, 1, 0, 3]])
        if not readings:
            lines = [line for line in done.stdout.strip().splitlines() if "dcm2niiX version" not in line]
            raise RuntimeError(lines[-1] if lines else "no file was written")
        return readings


def by_highdicom(folder: Path) -> list[Array]:
    """highdicom: the volume of a series, or of each multi-frame file."""
    import highdicom as hd
    import pydicom

    files = sorted(folder.iterdir())
    datasets = [pydicom.dcmread(file) for file in files]
    if any("NumberOfFrames" in ds for ds in datasets):
        found = [hd.imread(file).get_volume() for file in files]
    else:
        found = [hd.get_volume_from_series(datasets)]
    return [reading for one in found for reading in _regular(one.array, one.affine)]


READERS: Final[dict[str, tuple[tuple[str, ...], Callable[[Path], list[Array]]]]] = {
    "SimpleITK": (("SimpleITK",), by_sitk),
    "dcm2niix": (("dcm2niix", "nibabel"), by_dcm2niix),
    "highdicom": (("highdicom",), by_highdicom),
}
"""Readers by name: the packages that they need, the first of which is theirs, and how they are asked."""


def versions() -> dict[str, str]:
    """Versions of the readers that are installed here."""
    found = {}
    for tool, (packages, _) in READERS.items():
        try:
            known = [version(package) for package in packages]
            found[tool] = known[0]
        except PackageNotFoundError:
            continue
    return found


def main(tool: str, out: str, *folders: str) -> None:
    """Write what a tool makes of each folder, one file each."""
    for number, folder in enumerate(folders):
        target = Path(out) / f"{number}.npz"
        part = target.with_suffix(".part")
        with part.open("wb") as stream:
            np.savez(stream, **_answer(tool, Path(folder)))
        part.rename(target)


def _answer(tool: str, folder: Path) -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            readings = READERS[tool][1](folder)
            said = "" if readings else "nothing was read, nothing was said"
        except Exception as problem:
            readings, said = [], f"{type(problem).__name__}: {problem}"
    arrays: dict[str, Any] = {"about": np.array(json.dumps({"said": said, "count": len(readings)}))}
    for k, reading in enumerate(readings):
        arrays |= {
            f"values{k}": reading.values,
            f"places{k}": np.array([*reading.origins, reading.row_step, reading.column_step]),
        }
    return arrays


def load_answer(file: Path) -> tuple[list[Array], str]:
    """Return the readings in a file that `main` wrote, and why there are none."""
    with np.load(file, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        readings = []
        for k in range(int(about["count"])):
            places = arrays[f"places{k}"]
            readings.append(Array(arrays[f"values{k}"], places[:-2], places[-2], places[-1]))
    return readings, str(about["said"])


if __name__ == "__main__":
    main(*sys.argv[1:])
