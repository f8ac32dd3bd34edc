"""Ordinary faults: attributes that contradict each other or the standard, each with its finding and size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset

from dicomlab.phantom.dicom import MR_FRAME
from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.places import tilted, with_double
from dicomlab.phantom.kinds.repeats import TIMES, dynamic_series
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import (
    Ints,
    at,
    ct,
    grid,
    hounsfield,
    identify,
    mr,
    sample,
    save,
    set_stored,
    signal,
    vectors,
)

__all__ = [
    "cosines_broken",
    "cosines_off",
    "doubled_slice_differs",
    "incomplete_4d",
    "mixed_frame_of_reference",
    "mixed_photometric_interpretation",
    "mixed_pixel_representation",
    "rescale_nan",
    "rescale_text",
    "rescale_zero",
    "spacing_contradicts",
    "tilt_untagged",
    "wandering_origin",
]

_ODD: Final = 3
"""The slice that differs from the others."""


def _ct_with(folder: Path, name: str, change: Callable[[list[Dataset], Ints], None]) -> Sample:
    """Write an axial CT changed by `change` and return the truth of the unchanged one."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), name)
    change(datasets, values)
    save(folder, datasets)
    return sample(folder, place, values, "HU")


def tilt_untagged(folder: Path) -> Sample:
    """CT of a tilted gantry that does not say so: only the positions do."""
    place = tilted()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "tilt_untagged")
    for ds in datasets:
        del ds.GantryDetectorTilt
    save(folder, datasets)
    return sample(folder, place, values, "HU", findings=("gantry_tilt",))


def mixed_frame_of_reference(folder: Path) -> Sample:
    """CT of which one slice names another Frame of Reference: nothing says where it lies beside the others."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "mixed_frame_of_reference")
    datasets[_ODD].FrameOfReferenceUID = MR_FRAME
    save(folder, datasets)
    code = "mixed_frame_of_reference"
    return sample(folder, place, values, "HU", findings=(code,), sizes={code: (1.0, "slices")}, choice="keep")


def mixed_pixel_representation(folder: Path) -> Sample:
    """CT of which every other slice is signed; each rescale is right for its slice."""

    def change(datasets: list[Dataset], values: Ints) -> None:
        for ds, plane in list(zip(datasets, values, strict=True))[::2]:
            set_stored(ds, plane, bits=16, signed=True)
            ds.RescaleIntercept = "0"

    found = _ct_with(folder, "mixed_pixel_representation", change)
    return dataclasses.replace(found, findings=("mixed_pixel_representation",))


def mixed_photometric_interpretation(folder: Path) -> Sample:
    """CT of which one slice is MONOCHROME1: it is shown the other way round, its values are as good as any."""

    def change(datasets: list[Dataset], values: Ints) -> None:
        datasets[_ODD].PhotometricInterpretation = "MONOCHROME1"

    found = _ct_with(folder, "mixed_photometric_interpretation", change)
    return dataclasses.replace(found, findings=("mixed_photometric_interpretation",))


def wandering_origin(folder: Path) -> Sample:
    """CT of which one slice lies 3 mm beside the others, within its plane; the truth is the straight line kept to."""
    place = grid()
    values = hounsfield(place)
    moved = vectors(place)[0].copy()
    moved[_ODD, 0] += 3.0
    save(folder, identify(ct(at(place, moved), values), "wandering_origin"))
    code = "wandering_origin"
    return sample(folder, place, values, "HU", findings=(code,), sizes={code: (3.0, "mm")}, choice="keep")


def _turned(name: str, folder: Path, off: float) -> Sample:
    place = grid()
    values = hounsfield(place)
    cosines = [float(v) for v in place.cosines]
    cosines[3] = off  # the column direction leans towards the row direction
    crooked = Grid(
        place.shape, tuple(decimal(v) for v in cosines), place.spacing, place.step, place.positions
    )
    save(folder, identify(ct(crooked, values), name))
    # The orthonormal pair nearest to the two: the polar factor (PS3.3 C.7.6.2.1.1 asks for one).
    u, _, v = np.linalg.svd(np.array(cosines).reshape(2, 3), full_matrices=False)
    r, c = u @ v
    mended = Grid(
        place.shape, tuple(decimal(x) for x in (*r, *c)), place.spacing, place.step, place.positions
    )
    return sample(folder, mended, values, "HU")


def cosines_off(folder: Path) -> Sample:
    """CT whose direction cosines are 2e-3 from perpendicular; the truth has them mended."""
    found = _turned("cosines_off", folder, 2e-3)
    return dataclasses.replace(found, findings=("cosines_mended",))


def cosines_broken(folder: Path) -> Sample:
    """CT whose direction cosines are 5e-2 from perpendicular: nobody knows what was meant."""
    found = _turned("cosines_broken", folder, 5e-2)
    return dataclasses.replace(found, refused="direction cosines are 0.05 from perpendicular")


def spacing_contradicts(folder: Path) -> Sample:
    """MR whose Spacing Between Slices says 1.5 mm more than its positions."""
    place = grid()
    values = signal(place)
    datasets = identify(mr(place, values), "spacing_contradicts")
    for ds in datasets:
        ds.SpacingBetweenSlices = decimal(place.step + 1.5)
    save(folder, datasets)
    code = "spacing_contradicts_positions"
    return sample(folder, place, values, findings=(code,), sizes={code: (1.5, "mm")})


def doubled_slice_differs(folder: Path) -> Sample:
    """CT with two different pictures at one position; the truth has the one of the lower Instance Number."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(with_double(ct(place, values), _ODD), "doubled_slice_differs")
    set_stored(datasets[-1], hounsfield(place, key=3)[_ODD] + 1024, bits=12)
    datasets[-1].InstanceNumber = len(datasets)
    save(folder, datasets)
    code = "doubled_slice_differs"
    return sample(folder, place, values, "HU", findings=(code,), sizes={code: (1.0, "slices")}, choice="keep")


def incomplete_4d(folder: Path) -> Sample:
    """Dynamic MR that lacks one image: slice 2 of time point 3."""
    place, values, datasets = dynamic_series("incomplete_4d")
    del datasets[2 * place.shape[0] + 1]
    save(folder, datasets)
    return sample(
        folder,
        place,
        values,
        axes={"time": np.array(TIMES)},
        refused="one image of 4 time points x 5 slices is missing",
    )


def _rescaled(name: str, folder: Path, slope: str) -> Sample:
    def change(datasets: list[Dataset], values: Ints) -> None:
        for ds in datasets:
            ds.RescaleSlope = "7"

    found = _ct_with(folder, name, change)
    for file in folder.iterdir():
        # pydicom would not write what is no number. (0028,1053) DS, two letters long.
        raw = file.read_bytes()
        element = b"\x28\x00\x53\x10DS\x02\x00"
        assert raw.count(element + b"7 ") == 1
        padded = slope.encode() + b" " * (len(slope) % 2)
        head = element[:6] + len(padded).to_bytes(2, "little")
        file.write_bytes(raw.replace(element + b"7 ", head + padded))
    stored = found.values + 1024
    code = "rescale_unusable"
    size = {code: (float(len(stored)), "slices")}
    return dataclasses.replace(found, values=stored, units="", findings=(code,), sizes=size, choice="keep")


def rescale_zero(folder: Path) -> Sample:
    """CT whose Rescale Slope is 0; kept, the stored values are what there is."""
    return _rescaled("rescale_zero", folder, "0")


def rescale_nan(folder: Path) -> Sample:
    """CT whose Rescale Slope is NaN."""
    return _rescaled("rescale_nan", folder, "NaN")


def rescale_text(folder: Path) -> Sample:
    """CT whose Rescale Slope is a word."""
    return _rescaled("rescale_text", folder, "one")
