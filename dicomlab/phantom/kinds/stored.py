"""Classic series that differ in how values are stored (PS3.3 C.7.6.3, C.11.1; PS3.5 8): kinds 10 to 14."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import JPEGLSLossless, RLELossless

from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.kinds.scene import (
    SHAPE,
    ct,
    grid,
    hounsfield,
    identify,
    mr,
    pet,
    sample,
    save,
    set_stored,
    signal,
)
from dicomlab.phantom.truth import noise

__all__ = ["compressed", "high_bits", "jpeg_ls", "modality_lut", "monochrome1", "pet_slopes", "rle"]


def pet_slopes(folder: Path) -> Sample:
    """PET whose Rescale Slope differs from slice to slice."""
    place = grid()
    datasets, values = pet(place)
    save(folder, identify(datasets, "pet_slopes"))
    return sample(folder, place, values, "Bq/ml")


def modality_lut(folder: Path) -> Sample:
    """MR whose stored values mean what a Modality LUT Sequence (0028,3000) says, which no straight line says."""
    place = grid()
    stored = signal(place)
    curve = np.rint(1.9 * np.arange(4096) ** 1.25).astype(np.uint16)
    table = Dataset()
    table.LUTDescriptor = [len(curve), 0, 16]
    table["LUTDescriptor"].VR = "US"
    table.ModalityLUTType = "US"
    table.LUTData = curve.astype("<u2").tobytes()
    table["LUTData"].VR = "OW"
    datasets = identify(mr(place, stored), "modality_lut")
    for ds in datasets:
        ds.ModalityLUTSequence = [table]
        for keyword in ("WindowCenter", "WindowWidth", "WindowCenterWidthExplanation"):
            del ds[keyword]
    save(folder, datasets)
    return sample(folder, place, curve[stored])


def monochrome1(folder: Path) -> Sample:
    """CT to be shown with low values bright; its values are what they are."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "monochrome1")
    for ds in datasets:
        ds.PhotometricInterpretation = "MONOCHROME1"
    save(folder, datasets)
    return sample(folder, place, values, "HU")


def high_bits(folder: Path) -> Sample:
    """CT of 12 signed bits in 16; the four bits above hold what is no part of a value, as overlays once did."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), "high_bits")
    for k, ds in enumerate(datasets):
        junk = np.floor(8 + 2.5 * noise(SHAPE[1:], 6, k)).astype(int) & 15
        set_stored(ds, (values[k] & 0x0FFF) | junk << 12, bits=12)
        ds.PixelRepresentation, ds.RescaleIntercept = 1, "0"
    save(folder, datasets)
    return sample(folder, place, values, "HU")


def compressed(folder: Path, name: str, syntax: str) -> Sample:
    """CT without loss in another transfer syntax."""
    place = grid()
    values = hounsfield(place)
    datasets = identify(ct(place, values), name)
    for ds in datasets:
        # pydicom would give a compressed instance a new UID, another one each time.
        ds.compress(syntax, generate_instance_uid=False)
        if syntax == RLELossless:
            ds["PixelData"].VR = "OB"
    save(folder, datasets)
    return sample(folder, place, values, "HU")


def jpeg_ls(folder: Path) -> Sample:
    """CT compressed without loss by JPEG-LS (PS3.5 8.2.3). Writing needs pyjpegls."""
    return compressed(folder, "jpeg_ls", JPEGLSLossless)


def rle(folder: Path) -> Sample:
    """CT compressed by run lengths (PS3.5 8.2.2)."""
    return compressed(folder, "rle", RLELossless)
