"""Other ordinary forms of series with several images at each position, of enhanced objects and of dose."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.enhanced import mr_object
from dicomlab.phantom.kinds.multiframe import Frame, Groups, item, place_groups, value_group
from dicomlab.phantom.kinds.repeats import B_VALUES, GRADIENTS, SHAPE, clock, repeated, stack
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import grid, identify, sample, save

__all__ = ["dixon", "enhanced_diffusion", "enhanced_files", "flip_angles", "inversion_times", "slice_times"]

_IN_STACK = ("InStackPositionNumber", "FrameContentSequence")


def slice_times(folder: Path) -> Sample:
    """Functional MR in classic files: each slice has an Acquisition Time of its own, interleaved; nothing else tells time."""
    place = grid("oblique", SHAPE)
    values = stack(place, [1.0, 1.1, 1.2])
    order = [0, 3, 1, 4, 2]  # the slices measured first, third, fifth, then second and fourth

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.AcquisitionTime = clock(2.0 * repeat + 0.4 * order[k])
        ds.ContentTime = clock(60.0)
        ds.AcquisitionNumber = repeat + 1
        ds.RepetitionTime = "2000"

    save(folder, repeated(place, values, "slice_times", mark))
    return sample(folder, place, values, axes={"time": 2.0 * np.arange(3)})


def _by_one(folder: Path, name: str, keyword: str, axis: str, labels: list[float]) -> Sample:
    place = grid(shape=SHAPE)
    values = stack(place, list(np.linspace(0.6, 1.6, len(labels))))

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.ScanningSequence = "IR" if keyword == "InversionTime" else "GR"
        setattr(ds, keyword, decimal(labels[repeat]))

    save(folder, repeated(place, values, name, mark))
    return sample(folder, place, values, axes={axis: np.array(labels)})


def inversion_times(folder: Path) -> Sample:
    """MR at four inversion times."""
    return _by_one(
        folder, "inversion_times", "InversionTime", "inversion_time", [50.0, 400.0, 1100.0, 2500.0]
    )


def flip_angles(folder: Path) -> Sample:
    """MR at three flip angles."""
    return _by_one(folder, "flip_angles", "FlipAngle", "flip_angle", [2.0, 5.0, 15.0])


def dixon(folder: Path) -> Sample:
    """Dixon MR: water, fat, in-phase and opposed-phase images, told apart by Image Type alone."""
    place = grid("coronal", SHAPE)
    letters = {"water": "WATER", "fat": "FAT", "in_phase": "IN_PHASE", "opposed_phase": "OPP_PHASE"}
    values = stack(place, [1.0, 0.7, 1.5, 0.4])

    def mark(ds: Dataset, repeat: int, k: int) -> None:
        ds.ImageType = ["DERIVED", "PRIMARY", "DIXON", list(letters.values())[repeat]]

    save(folder, repeated(place, values, "dixon", mark))
    return sample(folder, place, values, axes={"dixon": np.array(list(letters))})


def _object(place: Grid, volume: npt.NDArray[Any], groups: Groups, **content: Any) -> list[Frame]:
    frames = []
    for k, plane in enumerate(volume):
        own, _ = place_groups(place, k)
        frames.append(Frame(plane, own | groups, (1, k + 1)))
        frames[-1].content = {"StackID": "1", "InStackPositionNumber": k + 1, **content}
    return frames


def enhanced_diffusion(folder: Path) -> Sample:
    """Enhanced MR of diffusion: b-values and gradient directions in a functional group of each frame."""
    place = grid("oblique", SHAPE)
    values = stack(place, [2.0 * np.exp(-b / 1200) for b in B_VALUES])
    frames = []
    for b_value, direction, volume in zip(B_VALUES, GRADIENTS, values, strict=True):
        weighting = item(
            DiffusionDirectionality="DIRECTIONAL" if b_value else "NONE", DiffusionBValue=b_value
        )
        if b_value:
            gradient = item(DiffusionGradientOrientation=[float(v) for v in direction])
            weighting.DiffusionGradientDirectionSequence = [gradient]
        frames += _object(place, volume, {"MRDiffusionSequence": weighting})
    for number, frame in enumerate(frames):
        frame.index = (frame.index[1], number // SHAPE[0] + 1)
    shared = place_groups(place, 0)[1] | value_group()
    dimensions = [_IN_STACK, ("DiffusionBValue", "MRDiffusionSequence")]
    ds = mr_object(place, frames, shared, dimensions, AcquisitionContrast="DIFFUSION")
    save(folder, identify([ds], "enhanced_diffusion"))
    vectors = np.where(np.array(B_VALUES)[:, None] > 0, GRADIENTS, np.nan)
    beside = {f"b_vector_{axis}": vectors[:, k].copy() for k, axis in enumerate("xyz")}
    return sample(folder, place, values, axes={"b_value": np.array(B_VALUES)}, beside=beside)


def enhanced_files(folder: Path) -> Sample:
    """Functional MR as one enhanced object for each time point, told apart by the times of their frames."""
    place = grid("oblique", SHAPE)
    values = stack(place, [1.0, 1.1, 1.2])
    objects = []
    for number, volume in enumerate(values):
        moment = f"20240229{clock(2.0 * number)}"
        times = {
            "FrameAcquisitionDateTime": moment,
            "FrameReferenceDateTime": moment,
            "FrameAcquisitionNumber": number + 1,
        }
        shared = place_groups(place, 0)[1] | value_group()
        stacks = [("StackID", "FrameContentSequence"), _IN_STACK]
        ds = mr_object(place, _object(place, volume, {}, **times), shared, stacks, AcquisitionDateTime=moment)
        ds.InstanceNumber = ds.AcquisitionNumber = number + 1
        objects.append(ds)
    save(folder, identify(objects, "enhanced_files"))
    return sample(folder, place, values, axes={"time": 2.0 * np.arange(3)})
