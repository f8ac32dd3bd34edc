"""RT dose: planes by offsets, values by one scale (PS3.3 C.8.8.3). Kind 24."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from pydicom.dataset import Dataset
from pydicom.tag import Tag
from pydicom.uid import RTDoseStorage, RTPlanStorage, generate_uid

from dicomlab.phantom.dicom import CT_PET_FRAME
from dicomlab.phantom.grid import Grid, decimal
from dicomlab.phantom.kinds.multiframe import item
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import (
    Ints,
    bare,
    grid,
    hounsfield,
    identify,
    sample,
    save,
    set_stored,
    vectors,
)

__all__ = ["dose", "dose_absolute"]

_SCALING: Final = {16: "0.0125", 32: "1.25e-05"}


def dose(folder: Path) -> Sample:
    """Dose of 32 bits whose Grid Frame Offset Vector (3004,000C) begins with zero: offsets from Image Position."""
    return _write(folder, "dose", absolute=False, bits=32)


def dose_absolute(folder: Path) -> Sample:
    """Dose of 16 bits whose Grid Frame Offset Vector holds the z of the planes themselves."""
    return _write(folder, "dose_absolute", absolute=True, bits=16)


def _write(folder: Path, name: str, *, absolute: bool, bits: int) -> Sample:
    place = grid()
    stored = (hounsfield(place) + 1024) * (2000 if bits == 32 else 2) + 17
    heights = vectors(place)[0][:, 2]
    ds = identify([_object(place, stored, bits)], name)[0]
    ds.GridFrameOffsetVector = [decimal(z if absolute else z - heights[0]) for z in np.round(heights, 6)]
    save(folder, [ds])
    return sample(folder, place, stored * float(_SCALING[bits]), "Gy")


def _object(place: Grid, stored: Ints, bits: int) -> Dataset:
    ds = bare(RTDoseStorage, "RTDOSE")
    ds.ImageOrientationPatient, ds.ImagePositionPatient = list(place.cosines), list(place.positions[0])
    ds.PixelSpacing, ds.SliceThickness = list(place.spacing), decimal(place.step)
    ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = CT_PET_FRAME, ""
    ds.OperatorsName = ds.SeriesDate = ds.SeriesTime = ""
    ds.DoseUnits, ds.DoseType, ds.DoseSummationType = "GY", "PHYSICAL", "PLAN"
    plan = generate_uid(entropy_srcs=["dicomlab", "phantom", "plan"])
    ds.ReferencedRTPlanSequence = [item(ReferencedSOPClassUID=RTPlanStorage, ReferencedSOPInstanceUID=plan)]
    ds.DoseGridScaling = _SCALING[bits]
    ds.NumberOfFrames, ds.FrameIncrementPointer = len(stored), Tag(0x3004, 0x000C)
    set_stored(ds, stored, bits=bits)
    return ds
