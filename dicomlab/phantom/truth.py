"""What a correct reader must find in a phantom series, computed without writing or reading a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from dicomlab.phantom import body
from dicomlab.phantom.grid import Grid, Orientation, plan
from dicomlab.phantom.shapes import Array

if TYPE_CHECKING:
    import xarray as xr

__all__ = [
    "PET_DOSE",
    "PET_HALF_LIFE",
    "PET_WAIT",
    "WEIGHT",
    "Shape3",
    "Truth",
    "ct_truth",
    "mr_truth",
    "pet_truth",
]

Shape3: TypeAlias = tuple[int, int, int]

FIELD: Final = (410.72, 336.0, 320.0)
CENTRE: Final = (0.0, 8.0, -18.0)
WEIGHT: Final = 75.0
"""Patient's weight, kg."""
PET_DOSE: Final = 350.0e6
"""Activity injected, Bq."""
PET_HALF_LIFE: Final = 6586.2
"""Half life of fluorine 18, s."""
PET_WAIT: Final = 3900.0
"""Seconds from injection to the start of the PET series, to which its values are decay corrected."""
SUVBW_PER_BQML: Final = WEIGHT * 1000 / (PET_DOSE * 2.0 ** (-PET_WAIT / PET_HALF_LIFE))
PET_EDGE: Final = 6.0


@dataclass(frozen=True)
class Truth:
    """Values, geometry and regions of one series, as a correct reader must return them.

    Parameters
    ----------
    values
        (slice, row, column), slices ascending along r x c, in `units`: exactly stored value x slope + intercept.
    noise_free
        float32, same grid: the body sampled at voxel centres, before noise and rounding.
    grid
        Positions and spacings as the files state them.
    masks
        Regions by name, bool on the same grid. A voxel belongs to a region when its centre lies inside the
        region's exact surface. "body" is everything inside the skin; a liver holds its lesion, a left lung its
        nodule, both lungs their small vessels.
    volumes_ml
        Volumes known from a formula, ml: lesion 4/3 pi a b c, nodule 4/3 pi r**3. A mask's ml differs by the
        rounding to voxels.
    units
        "HU", "Bq/ml" or "" (MR signal).
    modality
        "CT", "MR" or "PT".
    frame_of_reference
        Frame of Reference UID (0020,0052).
    slopes
        Rescale Slope (0028,1053) of each slice (PET only; it differs from slice to slice).
    suvbw_per_bqml
        SUV by body weight = value x this (PET only), g/ml per Bq/ml.
    """

    values: npt.NDArray[Any]
    noise_free: npt.NDArray[np.float32]
    grid: Grid
    masks: dict[str, npt.NDArray[np.bool_]]
    units: str
    modality: str
    frame_of_reference: str
    volumes_ml: dict[str, float] = field(default_factory=lambda: dict(body.ANALYTIC_ML))
    slopes: Array | None = None
    suvbw_per_bqml: float | None = None

    def __post_init__(self) -> None:
        for array in (self.values, self.noise_free, *self.masks.values()):
            array.flags.writeable = False  # a truth that a test can change by accident is none

    @property
    def affine(self) -> Array:
        """4x4 matrix from voxel index (slice, row, column, 1) to LPS mm."""
        return self.grid.affine

    @property
    def volume(self) -> xr.DataArray:
        """The truth as a volume of its own, made without any file."""
        from dicomlab.volumes import make_volume

        return make_volume(
            self.values.copy(),
            affine=self.affine,
            frame_of_reference=self.frame_of_reference,
            units=self.units or None,
            attrs={"Modality": self.modality, "PhotometricInterpretation": "MONOCHROME2"},
        )


def noise(shape: tuple[int, int], *key: int) -> Array:
    """Return noise of mean 0 and standard deviation 1, nearly normal, the same in every NumPy release.

    NumPy keeps a bit generator's raw stream for ever but not what it makes of it, so four 16-bit numbers are summed.
    """
    raw = np.random.PCG64(np.random.SeedSequence(key)).random_raw(shape[0] * shape[1])
    total = np.asarray(raw, dtype=np.uint64).view(np.uint16).reshape(-1, 4).sum(axis=1, dtype=np.int64)
    return np.asarray(((total - 4 * 32767.5) / (2 * 65536 / np.sqrt(12.0))).reshape(shape))


def _sampled(
    grid: Grid, quantity: body.Quantity, edge: float
) -> tuple[npt.NDArray[np.float32], dict[str, npt.NDArray[np.bool_]]]:
    found = np.empty(grid.shape, dtype=np.float32)
    labels = np.empty(grid.shape, dtype=np.uint8)
    for k in range(grid.shape[0]):
        found[k], labels[k] = body.sample(grid.points(k), quantity, edge=edge)
    return found, body.regions(labels)


def ct_truth(frame_of_reference: str, shape: Shape3, orientation: Orientation) -> Truth:
    """Return the CT: int16 HU with noise of 9 HU."""
    grid = plan(shape, orientation, FIELD, CENTRE)
    clean, masks = _sampled(grid, "hu", body.EDGE_MM)
    values = np.empty(shape, dtype=np.int16)
    for k in range(shape[0]):
        values[k] = np.clip(np.rint(clean[k] + 9.0 * noise(shape[1:], 1, k)), -1024, 3071)
    return Truth(values, clean, grid, masks, "HU", "CT", frame_of_reference)


def mr_truth(frame_of_reference: str, shape: Shape3, orientation: Orientation) -> Truth:
    """Return the T1-weighted MR: uint16 signal, with the noise of a magnitude image (Rice, sigma 12)."""
    grid = plan(shape, orientation, (420.0, 216.0, 330.0), (0.0, 0.0, -18.0))
    clean, masks = _sampled(grid, "t1", body.EDGE_MM)
    values = np.empty(shape, dtype=np.uint16)
    for k in range(shape[0]):
        real, imaginary = clean[k] + 12.0 * noise(shape[1:], 2, k), 12.0 * noise(shape[1:], 3, k)
        values[k] = np.clip(np.rint(np.hypot(real, imaginary)), 0, 4095)
    return Truth(values, clean, grid, masks, "", "MR", frame_of_reference)


def pet_truth(frame_of_reference: str, shape: Shape3, orientation: Orientation) -> Truth:
    """Return the PET: float64 Bq/ml, decay corrected to the start of the series, blurred edges of 6 mm."""
    grid = plan(shape, orientation, FIELD, CENTRE)
    clean, masks = _sampled(grid, "suv", PET_EDGE)
    clean /= np.float32(SUVBW_PER_BQML)
    values = np.empty(shape, dtype=np.float64)
    slopes = np.empty(shape[0])
    for k in range(shape[0]):
        wanted = np.maximum(clean[k] + (0.06 * clean[k] + 40.0) * noise(shape[1:], 4, k), 0.0)
        # each slice uses the whole 15 bits, as scanners do: the slope is a slice's own
        slopes[k] = float(f"{max(float(wanted.max()), 1.0) / 32000:.8g}")
        values[k] = np.rint(wanted / slopes[k]) * slopes[k]
    return Truth(
        values,
        clean,
        grid,
        masks,
        "Bq/ml",
        "PT",
        frame_of_reference,
        slopes=slopes,
        suvbw_per_bqml=SUVBW_PER_BQML,
    )
