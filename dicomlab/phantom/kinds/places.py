"""Classic series that differ in where their slices are (PS3.3 C.7.6.2): kinds 1 to 9."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from dicomlab.phantom.grid import Grid
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import (
    SHAPE,
    at,
    ct,
    grid,
    hounsfield,
    identify,
    mr,
    name_files,
    sample,
    save,
    signal,
    vectors,
)

__all__ = [
    "TILT",
    "axial_ct",
    "doubled_slice",
    "feet_first_prone",
    "gantry_tilt",
    "localizer_inside",
    "missing_slice",
    "oblique_mr",
    "sagittal_mr",
    "tilted",
    "uneven_spacing",
]

TILT: Final = 18.0
"""Degrees by which the tilted gantry is tilted."""


def axial_ct(folder: Path) -> Sample:
    """Axial CT; the order of file names, of Instance Numbers and of positions have nothing to do with each other."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "axial_ct")
    for k, ds in enumerate(datasets):
        ds.InstanceNumber = (k * 5 + 2) % len(datasets) + 1
    save(folder, datasets, names=name_files(len(datasets), shuffled=True))
    return sample(folder, place, values, "HU")


def sagittal_mr(folder: Path) -> Sample:
    """Sagittal MR whose Instance Numbers run against the position."""
    place = grid("sagittal")
    values = signal(place)
    save(folder, identify(mr(place, values), "sagittal_mr"))  # mr_datasets numbers them downwards
    return sample(folder, place, values)


def oblique_mr(folder: Path) -> Sample:
    """Doubly oblique MR: no cosine is zero, rows are further apart than columns or nearer, never the same."""
    place = grid("oblique")
    values = signal(place)
    save(folder, identify(mr(place, values), "oblique_mr"))
    return sample(folder, place, values)


def feet_first_prone(folder: Path) -> Sample:
    """CT of a patient lying prone, feet first: the slice normal points to the feet, z falls as slices go on."""
    place = grid((1.0, 0.0, 0.0, 0.0, -1.0, 0.0))
    values = hounsfield(place)
    datasets = identify(ct(place, values), "feet_first_prone")
    for ds in datasets:
        ds.PatientPosition = "FFP"
    save(folder, datasets)
    return sample(folder, place, values, "HU")


def tilted() -> Grid:
    """Return slices of a tilted gantry: the table moved along z, the slices lean backwards."""
    lean = np.deg2rad(TILT)
    upright = grid()
    place = plan_like(upright, (1.0, 0.0, 0.0, 0.0, float(np.cos(lean)), -float(np.sin(lean))))
    start = vectors(upright)[0][0]
    moved = start + np.arange(len(place.positions))[:, None] * np.array([0.0, 0.0, 5.0])
    return at(place, moved)


def plan_like(place: Grid, cosines: tuple[float, ...]) -> Grid:
    """Return the grid with other cosines, rounded as decimal strings round them."""
    from dicomlab.phantom.grid import decimal

    return Grid(place.shape, tuple(decimal(v) for v in cosines), place.spacing, place.step, place.positions)


def gantry_tilt(folder: Path) -> Sample:
    """CT of a tilted gantry: a sheared grid, every position true."""
    place = tilted()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "gantry_tilt")
    for ds in datasets:
        # The front of the body is further up than its back: the top of the gantry leans away from the table's end.
        ds.GantryDetectorTilt = str(-TILT)
    save(folder, datasets)
    return sample(
        folder,
        place,
        values,
        "HU",
        findings=("gantry_tilt",),
        sizes={"gantry_tilt": (TILT, "degrees")},
    )


def missing_slice(folder: Path) -> Sample:
    """CT of which slice 6 was lost."""
    whole = grid()
    place = at(whole, np.delete(vectors(whole)[0], 5, axis=0))
    values = hounsfield(place)
    datasets = identify(ct(place, values), "missing_slice")
    for k, ds in enumerate(datasets):
        ds.InstanceNumber = k + 1 + (k >= 5)
    save(folder, datasets)
    return sample(
        folder,
        place,
        values,
        "HU",
        findings=("missing_slice",),
        sizes={"missing_slice": (1.0, "slices")},
    )


def uneven_spacing(folder: Path) -> Sample:
    """CT with slices 3 mm apart at the base and 5 mm further up, as in head protocols."""
    whole = grid()
    gaps = np.where(np.arange(SHAPE[0] - 1) < 4, 3.0, 5.0)
    up = np.concatenate([[0.0], np.cumsum(gaps)])
    place = at(whole, vectors(whole)[0][0] + up[:, None] * np.array([0.0, 0.0, 1.0]))
    values = hounsfield(place)
    save(folder, identify(ct(place, values), "uneven_spacing"))
    worst = float(np.max(np.abs(up - np.linspace(0, up[-1], len(up)))))
    return sample(
        folder,
        place,
        values,
        "HU",
        findings=("uneven_spacing",),
        sizes={"uneven_spacing": (worst, "mm")},
    )


def with_double(datasets: list[Dataset], k: int) -> list[Dataset]:
    """Return the data sets and a copy of the one at `k`, to be identified as another instance."""
    return [*datasets, copy.deepcopy(datasets[k])]


def doubled_slice(folder: Path) -> Sample:
    """CT with one slice twice, alike to the last bit, under two SOP Instance UIDs."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(with_double(ct(place, values), 4), "doubled_slice")
    datasets[-1].InstanceNumber = len(datasets)
    save(folder, datasets)
    return sample(
        folder,
        place,
        values,
        "HU",
        findings=("doubled_slice",),
        sizes={"doubled_slice": (1.0, "slices")},
    )


def localizer_inside(folder: Path) -> Sample:
    """CT whose series also holds its localizer: one coronal picture of another size."""
    place = grid()
    values = hounsfield(place)
    view = grid("coronal", (1, 30, 22))
    scout = hounsfield(view, key=1)
    pictures = ct(view, scout)
    pictures[0].ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    datasets = identify([*ct(place, values), *pictures], "localizer_inside")
    for number, ds in enumerate([datasets[-1], *datasets[:-1]], start=1):
        ds.InstanceNumber = number
    save(folder, datasets)
    return sample(folder, place, values, "HU", parts=(sample(folder, view, scout, "HU"),))
