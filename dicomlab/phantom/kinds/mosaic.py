"""Functional MR as a Siemens mosaic: all slices of one time point in one picture. Kind 23."""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from dicomlab.phantom.csa import csa_image_header
from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.repeats import clock, stack
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import grid, identify, mr, sample, save, set_stored, vectors

__all__ = ["mosaic", "mosaic_ascending"]

_TR: Final = 2.0


def mosaic(folder: Path) -> Sample:
    """Mosaic fMRI of three time points, seven slices in a 3 x 3 mosaic that run against r x c."""
    return _write(folder, "mosaic", reverse=True)


def mosaic_ascending(folder: Path) -> Sample:
    """Mosaic fMRI whose slices run along r x c."""
    return _write(folder, "mosaic_ascending", reverse=False)


def _write(folder: Path, name: str, *, reverse: bool) -> Sample:
    place = grid("oblique", (7, 24, 30))
    values = stack(place, [1.0, 1.1, 0.9])
    datasets = identify([_picture(place, volume, reverse) for volume in values], name)
    for number, ds in enumerate(datasets, start=1):
        ds.InstanceNumber = ds.AcquisitionNumber = number
        ds.AcquisitionTime = ds.ContentTime = clock(_TR * (number - 1))
    save(folder, datasets)
    return sample(folder, place, values, axes={"time": _TR * np.arange(len(values))})


def _picture(place: Grid, volume: npt.NDArray[np.int64], reverse: bool) -> Dataset:
    """Return one mosaic. Its Image Position is that of a picture as large as the mosaic, about the middle of a slice."""
    slices, rows, columns = place.shape
    across = math.ceil(math.sqrt(slices))
    picture = np.zeros((across * rows, across * columns), dtype=np.int64)
    for tile, values in enumerate(volume[::-1] if reverse else volume):
        top, left = tile // across * rows, tile % across * columns
        picture[top : top + rows, left : left + columns] = values
    origins, down, along = vectors(place)
    first = origins[-1 if reverse else 0]
    corner = first - (across - 1) / 2 * (rows * down + columns * along)
    normal = np.cross(along, down) / np.linalg.norm(np.cross(along, down))
    normal = -normal if reverse else normal

    ds = copy.deepcopy(mr(place, volume)[0])
    ds.Manufacturer = "SIEMENS"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "M", "ND", "MOSAIC"]
    ds.ScanningSequence, ds.SequenceVariant, ds.SequenceName = "EP", "SK", "epfid2d1_30"
    ds.AcquisitionMatrix, ds.InPlanePhaseEncodingDirection = [columns, 0, 0, rows], "COL"
    ds.RepetitionTime = decimal(1000 * _TR)
    ds.ImagePositionPatient = [decimal(v) for v in np.round(corner, 6)]
    set_stored(ds, picture, bits=12)
    texts = {
        "NumberOfImagesInMosaic": [str(slices)],
        "SliceNormalVector": [f"{v:.8f}" for v in normal],
        "ImageOrientationPatient": [f"{float(v):.8f}" for v in place.cosines],
        "ImagePositionPatient": [f"{v:.8f}" for v in corner],
        "PixelSpacing": [f"{float(v):.8f}" for v in place.spacing],
        "SliceThickness": [f"{place.step:.8f}"],
        "ProtocolSliceNumber": ["0"],
        "PhaseEncodingDirectionPositive": ["1"],
        "MosaicRefAcqTimes": [f"{1000 * _TR * k / slices:.8f}" for k in range(slices)],
    }
    block = ds.private_block(0x0029, "SIEMENS CSA HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x09, "LO", "20240229")
    block.add_new(0x10, "OB", csa_image_header(texts))
    block.add_new(0x18, "CS", "MR")
    block.add_new(0x19, "LO", "20240229")
    block.add_new(0x20, "OB", csa_image_header({"MrPhoenixProtocol": [_protocol(place, reverse)]}))
    block = ds.private_block(0x0019, "SIEMENS MR HEADER", create=True)
    block.add_new(0x08, "CS", "IMAGE NUM 4")
    block.add_new(0x0A, "US", slices)
    return ds


def _protocol(place: Grid, reverse: bool) -> str:
    """Return the part of the scanner's protocol that says where slices are; some readers look nowhere else."""
    origins, down, along = vectors(place)
    middles = origins + (place.shape[1] - 1) / 2 * down + (place.shape[2] - 1) / 2 * along
    lines = ["### ASCCONV BEGIN ###", f"sSliceArray.lSize = {len(middles)}"]
    for number, (x, y, z) in enumerate(middles[::-1] if reverse else middles):
        slot = f"sSliceArray.asSlice[{number}].sPosition"
        lines += [f"{slot}.dSag = {x:.6f}", f"{slot}.dCor = {y:.6f}", f"{slot}.dTra = {z:.6f}"]
    if reverse:
        lines.append("sSliceArray.ucImageNumbTra = 0x1")
    return "\n".join([*lines, "### ASCCONV END ###"])
