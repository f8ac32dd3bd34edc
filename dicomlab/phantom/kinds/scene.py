"""What all kinds are made of: small grids, values that no two neighbours share, data sets and files with UIDs of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, generate_uid

from dicomlab.phantom import body
from dicomlab.phantom.dicom import CT_PET_FRAME, MR_FRAME, ct_datasets, mr_datasets, pet_datasets
from dicomlab.phantom.grid import Grid, Orientation, decimal, plan
from dicomlab.phantom.kinds.sample import Sample
from dicomlab.phantom.truth import SUVBW_PER_BQML, Shape3, Truth, noise

__all__ = [
    "SHAPE",
    "at",
    "bare",
    "ct",
    "grid",
    "hounsfield",
    "identify",
    "mr",
    "name_files",
    "pet",
    "sample",
    "save",
    "set_stored",
    "signal",
    "vectors",
]

Ints = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]

SHAPE: Final[Shape3] = (9, 28, 36)
_FIELD: Final = (306.0, 196.0, 45.0)
_CENTRE: Final = (5.0, 3.0, -61.0)
_SPREAD: Final = 35.0
_BARE: Final = (
    "SpecificCharacterSet StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime ContentDate "
    "ContentTime AccessionNumber ReferringPhysicianName StudyDescription PatientName PatientID PatientBirthDate "
    "PatientSex StudyInstanceUID StudyID SeriesNumber Manufacturer ManufacturerModelName DeviceSerialNumber "
    "SoftwareVersions BodyPartExamined SamplesPerPixel PhotometricInterpretation"
)


def grid(orientation: Orientation = "axial", shape: Shape3 = SHAPE) -> Grid:
    """Return a small grid through liver, spleen, spine and the foot of the lungs; no two of its spacings are alike."""
    field = _FIELD if orientation == "axial" else (210.0, 180.0, 190.0)
    return plan(shape, orientation, field, _CENTRE)


def at(place: Grid, positions: npt.ArrayLike) -> Grid:
    """Return the grid with other positions, (slices, 3) LPS mm, as decimal strings hold them."""
    where = np.round(np.asarray(positions, dtype=float), 6)
    texts = tuple(tuple(decimal(v) for v in row) for row in where)
    return Grid((len(texts), *place.shape[1:]), place.cosines, place.spacing, place.step, texts)


def vectors(place: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return origins (slices, 3), row step (3,) and column step (3,) in LPS mm, from the texts that the files hold."""
    r, c = np.array([float(v) for v in place.cosines]).reshape(2, 3)
    origins = np.array([[float(v) for v in position] for position in place.positions])
    return origins, c * float(place.spacing[0]), r * float(place.spacing[1])


def _sampled(place: Grid, quantity: body.Quantity, edge: float) -> FloatArray:
    origins, down, along = vectors(place)
    rows = np.arange(place.shape[1])[:, None, None]
    columns = np.arange(place.shape[2])[None, :, None]
    points = origins[:, None, None, :] + rows * down + columns * along
    return body.sample(points, quantity, edge=edge)[0]


def _noise(place: Grid, key: int) -> FloatArray:
    # So strong that a voxel is all but never mistaken for its neighbour: the truth is compared voxel by voxel.
    return _SPREAD * np.array([noise(place.shape[1:], 9, key, k) for k in range(place.shape[0])])


def hounsfield(place: Grid, key: int = 0) -> Ints:
    """Return HU of the body with strong noise, (slices, rows, columns), -1024 to 1900."""
    return np.clip(np.rint(_sampled(place, "hu", body.EDGE_MM) + _noise(place, key)), -1024, 1900).astype(int)


def signal(place: Grid, key: int = 0, weight: float = 1.0) -> Ints:
    """Return MR signal of the body times `weight`, with strong noise, 0 to 4095."""
    clean = weight * _sampled(place, "t1", body.EDGE_MM)
    return np.clip(np.rint(np.hypot(clean + _noise(place, key), 60 + _noise(place, 99))), 0, 4095).astype(int)


def _truth(
    place: Grid, values: npt.NDArray[Any], modality: str, units: str, frame: str, **more: Any
) -> Truth:
    clean = np.asarray(values, dtype=np.float32)
    return Truth(values.copy(), clean, place, {}, units, modality, frame, **more)


def ct(place: Grid, values: npt.NDArray[Any]) -> list[Dataset]:
    """Return CT slices that hold these HU as value + 1024."""
    return ct_datasets(_truth(place, values, "CT", "HU", CT_PET_FRAME))


def mr(place: Grid, values: npt.NDArray[Any]) -> list[Dataset]:
    """Return MR slices that hold this signal."""
    return mr_datasets(_truth(place, values.astype(np.uint16), "MR", "", MR_FRAME))


def pet(place: Grid) -> tuple[list[Dataset], FloatArray]:
    """Return PET slices with a slope of their own, and their true Bq/ml."""
    clean = _sampled(place, "suv", 6.0) + np.abs(_noise(place, 7)) / 100
    activity = clean / SUVBW_PER_BQML
    slopes = np.array([float(f"{float(plane.max()) / 32000:.8g}") for plane in activity])
    values = np.rint(activity / slopes[:, None, None]) * slopes[:, None, None]
    more = {"slopes": slopes, "suvbw_per_bqml": SUVBW_PER_BQML}
    return pet_datasets(_truth(place, values, "PT", "Bq/ml", CT_PET_FRAME, **more)), values


def bare(sop_class: str, modality: str) -> Dataset:
    """Return patient, study and equipment of the phantom, and the description of grey pixels; nothing of CT, nothing of place."""
    first = ct(grid(shape=(1, 2, 2)), np.zeros((1, 2, 2), dtype=int))[0]
    found = Dataset()
    found.file_meta = first.file_meta
    for keyword in _BARE.split():
        found[keyword] = first[keyword]
    found.SOPClassUID, found.Modality, found.InstanceNumber = sop_class, modality, 1
    return found


def set_stored(ds: Dataset, stored: npt.NDArray[Any], *, bits: int, signed: bool = False) -> None:
    """Give `ds` these stored values, (rows, columns), in 8, 16 or 32 bits allocated, of which `bits` are stored."""
    allocated = 8 if bits <= 8 else 16 if bits <= 16 else 32
    ds.Rows, ds.Columns = stored.shape[-2:]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit = allocated, bits, bits - 1
    ds.PixelRepresentation = int(signed)
    raw = stored.astype(f"<{'i' if signed else 'u'}{allocated // 8}").tobytes()
    ds.PixelData = raw + b"\0" * (len(raw) % 2)
    ds["PixelData"].VR = "OB" if allocated == 8 else "OW"


def identify(datasets: Iterable[Dataset], name: str, description: str = "") -> list[Dataset]:
    """Give the data sets a series and SOP Instance UIDs of their own, so that no two kinds share any."""
    found = list(datasets)
    series = generate_uid(entropy_srcs=["dicomlab", "phantom", "kind", name])
    for number, ds in enumerate(found):
        ds.SeriesInstanceUID = series
        ds.SeriesDescription = (description or name.replace("_", " "))[:64]
        ds.SOPInstanceUID = generate_uid(entropy_srcs=["dicomlab", "phantom", "kind", name, str(number)])
        ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
        ds.file_meta.MediaStorageSOPClassUID = ds.SOPClassUID
    return found


def name_files(count: int, *, shuffled: bool = False) -> list[str]:
    """Return IM0001 ..., or the same names in an order that tells nothing."""
    names = [f"IM{number:04}" for number in range(1, count + 1)]
    if shuffled:
        order = np.argsort(np.abs(noise((1, count), 5)[0]))
        names = [names[int(k)] for k in order]
    return names


def save(
    folder: Path, datasets: Sequence[Dataset], *, names: Sequence[str] | None = None, implicit: bool = False
) -> list[Path]:
    """Write data sets as IM0001 ... in the order of their Instance Numbers, or under `names` one by one."""
    folder.mkdir(parents=True, exist_ok=True)
    ordered = list(datasets)
    if names is None:
        ordered.sort(key=lambda ds: int(ds.get("InstanceNumber") or 0))
        names = name_files(len(ordered))
    paths = []
    for ds, name in zip(ordered, names, strict=True):
        if not ds.file_meta.TransferSyntaxUID.is_compressed:
            ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
        ds.save_as(folder / name, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
        paths.append(folder / name)
    return paths


def sample(folder: Path, place: Grid, values: npt.NDArray[Any], units: str = "", **more: Any) -> Sample:
    """Return the truth of what was written on this grid."""
    origins, down, along = vectors(place)
    return Sample(folder, np.array(values), origins, down, along, units=units, **more)
