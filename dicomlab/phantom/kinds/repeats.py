"""Classic MR series with several images at each position: kinds 15 to 17 and 25."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import grid, identify, mr, sample, save, signal

__all__ = [
    "B_VALUES",
    "GRADIENTS",
    "TIMES",
    "cardiac_cine",
    "diffusion",
    "dynamic",
    "dynamic_series",
    "echoes_phases",
]

SHAPE: Final = (5, 24, 30)
TIMES: Final = (0.0, 2.5, 5.0, 7.5)
"""Seconds after the first time point."""
B_VALUES: Final = (0.0, 500.0, 500.0, 1000.0, 1000.0, 1000.0)
"""s/mm2."""
GRADIENTS: Final = np.array(
    [[0, 0, 0], [0.6, 0, 0.8], [0, 0.6, -0.8], [1, 0, 0], [0.48, 0.64, 0.6], [-0.36, 0.48, 0.8]], dtype=float
)
"""Directions of the diffusion gradients in LPS, unit vectors; zeros for b = 0."""
_START: Final = datetime(2024, 2, 29, 11, 30)


def repeated(
    place: Grid, volumes: npt.NDArray[Any], name: str, mark: Callable[[Dataset, int, int], None]
) -> list[Dataset]:
    """Return all images of `volumes` (n, slices, rows, columns); `mark` says of each which volume and slice it is.

    Instance Numbers run through the slices of one volume, then through the next.
    """
    datasets: list[Dataset] = []
    for repeat, volume in enumerate(volumes):
        for k, ds in enumerate(mr(place, volume)):
            mark(ds, repeat, k)
            datasets.append(ds)
    for number, ds in enumerate(identify(datasets, name), start=1):
        ds.InstanceNumber = number
    return datasets


def stack(place: Grid, weights: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return one volume of signal for each weight."""
    return np.array([signal(place, key=10 + k, weight=weight) for k, weight in enumerate(weights)])


def clock(seconds: float) -> str:
    """Return a time of day (TM) so many seconds after the start."""
    return (_START + timedelta(seconds=seconds)).strftime("%H%M%S.%f")


def dynamic_series(name: str) -> tuple[Grid, npt.NDArray[np.int64], list[Dataset]]:
    """Return grid, values and data sets of a dynamic MR."""
    place = grid("oblique", SHAPE)
    values = stack(place, [1.0, 1.3, 1.6, 1.5])

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.TemporalPositionIdentifier, ds.NumberOfTemporalPositions = repeat + 1, len(TIMES)
        ds.TemporalResolution = decimal(1000 * (TIMES[1] - TIMES[0]))
        ds.AcquisitionTime = ds.ContentTime = clock(TIMES[repeat])
        ds.AcquisitionNumber = repeat + 1

    return place, values, repeated(place, values, name, mark)


def dynamic(folder: Path) -> Sample:
    """Dynamic MR in classic files: four time points of five slices."""
    place, values, datasets = dynamic_series("dynamic")
    save(folder, datasets)
    return sample(folder, place, values, axes={"time": np.array(TIMES)})


def echoes_phases(folder: Path) -> Sample:
    """MR of three echoes, each as magnitude and as phase, in one series; phase has a rescale of its own."""
    place = grid("sagittal", SHAPE)
    echoes, kinds = np.array([4.6, 9.2, 13.8]), np.array(["magnitude", "phase"])
    stored = stack(place, [1.0, 1.0, 0.8, 0.9, 0.6, 0.8])

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        echo, phase = divmod(repeat, 2)
        ds.EchoTime, ds.EchoNumbers = decimal(echoes[echo]), echo + 1
        ds.ImageType = ["ORIGINAL", "PRIMARY", "PHASE MAP" if phase else "OTHER", "P" if phase else "M"]
        ds.ComplexImageComponent = "PHASE" if phase else "MAGNITUDE"
        ds.RescaleSlope, ds.RescaleIntercept = ("2", "-4096") if phase else ("1", "0")
        ds.RescaleType = "US"

    save(folder, repeated(place, stored, "echoes_phases", mark))
    values = stored.reshape(3, 2, *SHAPE)
    values[:, 1] = values[:, 1] * 2 - 4096
    return sample(folder, place, values, axes={"echo_time": echoes, "component": kinds})


def diffusion(folder: Path) -> Sample:
    """Diffusion-weighted MR in classic files: b-values and gradient directions in the standard's attributes."""
    place = grid(shape=SHAPE)
    values = stack(place, [2.0 * np.exp(-b / 1200) for b in B_VALUES])

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.DiffusionBValue = B_VALUES[repeat]
        ds.DiffusionDirectionality = "DIRECTIONAL" if B_VALUES[repeat] else "NONE"
        if B_VALUES[repeat]:
            ds.DiffusionGradientOrientation = [float(v) for v in GRADIENTS[repeat]]
        ds.AcquisitionTime = ds.ContentTime = clock(3.0 * repeat)
        ds.AcquisitionNumber = repeat + 1

    save(folder, repeated(place, values, "diffusion", mark))
    labels = {"b_value": np.array(B_VALUES)}
    return sample(folder, place, values, axes=labels, beside={"b_vector": GRADIENTS.copy()})


def cardiac_cine(folder: Path) -> Sample:
    """Cardiac cine MR: six phases at each of five slices, told apart by Trigger Time (0018,1060) alone.

    Each slice is measured in a breath-hold of its own, so Acquisition Time tells slices apart, not phases.
    """
    place = grid("oblique", SHAPE)
    trigger = np.array([15.0, 140.0, 265.0, 390.0, 515.0, 640.0])
    values = stack(place, [1.0, 1.1, 1.3, 1.5, 1.4, 1.2])

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.ScanOptions = "CG"
        ds.TriggerTime = decimal(trigger[repeat])
        ds.CardiacNumberOfImages, ds.NominalInterval, ds.HeartRate = len(trigger), 750, 80
        ds.AcquisitionTime = ds.ContentTime = clock(20.0 * k)

    save(folder, repeated(place, values, "cardiac_cine", mark))
    return sample(folder, place, values, axes={"time": trigger / 1000})
