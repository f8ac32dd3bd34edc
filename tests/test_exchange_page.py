"""What docs/exchange.md shows is run, and what it says of refusals is so."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr
from exchange_support import UID, volume_on

import dicomlab as dl
from dicomlab import DicomLabError, DicomLabWarning, Geometry

pytest.importorskip("nrrd")
pytest.importorskip("zarr")

PAGE = (Path(__file__).resolve().parent.parent / "docs" / "exchange.md").read_text(encoding="utf-8")


def test_the_code_on_the_page_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dl.phantom.write_study(tmp_path / "some" / "study", coarser=4)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE, flags=re.M | re.S)
    assert len(blocks) == 10
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "docs/exchange.md", "exec"), names)


def kinds() -> dict[str, xr.DataArray]:
    """Volumes of which the table of the page speaks, by the words it uses."""
    axial = Geometry.from_affine(
        [[0, 0, 0.8, -100], [0, 0.9, 0, -120], [5, 0, 0, 40], [0, 0, 0, 1]], (3, 4, 5), UID
    )
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    lean = axial.direction.copy()
    lean[1, 0] = 0.3
    plain = volume_on(axial)
    even, uneven = [0.0, 2.0, 4.0], [0.0, 2.0, 40.0]
    colour = dl.make_volume(
        np.zeros((3, 4, 5, 3), np.uint8), geometry=axial, dims=("slice", "row", "column", "sample")
    )
    return {
        "oblique": volume_on(Geometry.from_affine(turn @ axial.affine, axial.shape, UID)),
        "tilted gantry": volume_on(Geometry(lean, *axial.positions, UID)),
        "uneven slices": volume_on(
            Geometry(axial.direction, np.array([0.0, 5, 12]), axial.row, axial.column, UID)
        ),
        "time, even steps": volume_on(axial, time=3).assign_coords(time=even),
        "time, uneven steps": volume_on(axial, time=3).assign_coords(time=uneven),
        "other axes": volume_on(axial, kernel=2).assign_coords(kernel=["soft", "bone"]),
        "colour": colour,
        "bool": plain > 3,
        "float16": plain.astype(np.float16),
        "complex": plain.astype(np.complex64),
        "int64": plain.astype(np.int64),
    }


FORMATS: list[Callable[[xr.DataArray, Path], Any]] = [
    lambda volume, _: volume.dicom.to_sitk(),
    lambda volume, folder: volume.dicom.save_nifti(folder / "x.nii"),
    lambda volume, folder: volume.dicom.save_nrrd(folder / "x.nrrd"),
    lambda volume, _: volume.dicom.to_highdicom(),
    lambda volume, folder: volume.dicom.save_ome_zarr(folder / "x.zarr"),
]


def test_the_table_says_refused_where_it_is_refused_and_only_there(tmp_path: Path) -> None:
    lines = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| ")]
    table = {line[0].strip(): [cell.strip() for cell in line[1:]] for line in lines if len(line) == 6}
    seen = 0
    for kind, volume in kinds().items():
        for number, (cell, write) in enumerate(zip(table[kind], FORMATS, strict=True)):
            folder = tmp_path / f"{kind} {number}"
            folder.mkdir()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DicomLabWarning)
                try:
                    write(volume, folder)
                except DicomLabError as reason:
                    assert cell.startswith("refused"), (kind, number, reason)
                    for mend in re.findall(r"`(\w+)\(\)`", cell):
                        assert mend in str(reason)
                    seen += 1
                else:
                    assert not cell.startswith("refused"), (kind, number)
    assert seen > 10
