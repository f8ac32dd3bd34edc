"""Masks of many shapes on many grids, and the same for ITK."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
import xarray as xr
from scipy import ndimage

import dicomlab as dl

SPACINGS = [(5.0, 0.7, 0.7), (1.0, 0.8, 1.3), (0.6, 2.0, 1.1)]
"""mm along slice, row, column."""

TURNED, _ = np.linalg.qr(np.array([[0.9, 0.3, 0.2], [-0.25, 0.95, 0.1], [0.1, -0.3, 0.92]]))

ONE, EDGE, RING, BALL, BLOB = 1, 2, 3, 4, 9
SHAPE = (14, 30, 34)


def affine(spacing: tuple[float, float, float], *, oblique: bool) -> np.ndarray:
    """From (slice, row, column, 1) to LPS mm."""
    made = np.eye(4)
    right_handed = TURNED * np.linalg.det(TURNED) if oblique else np.eye(3)
    made[:3, :3] = right_handed[:, [2, 1, 0]] * spacing
    made[:3, 3] = (-31.0, 12.5, 210.0)
    return made


def shapes(seed: int = 0) -> np.ndarray:
    """A label map: a single voxel, one that touches edges, a ring, a ball, and random blobs."""
    rng = np.random.default_rng(seed)
    k, i, j = np.indices(SHAPE)
    made = np.zeros(SHAPE, np.uint8)
    noise = ndimage.gaussian_filter(rng.normal(size=SHAPE), 1.5)
    made[noise > np.quantile(noise, 0.9)] = BLOB
    made[(k - 7) ** 2 + (i - 20) ** 2 + (j - 24) ** 2 <= 30] = BALL
    around = np.hypot(i - 9, j - 10)
    made[(around > 4) & (around < 7) & (abs(k - 6) < 2)] = RING
    made[:3, :5, -6:] = EDGE
    made[12, 27, 3] = ONE
    return made


def volume_of(values: np.ndarray, matrix: np.ndarray, **about: object) -> xr.DataArray:
    return dl.make_volume(values, affine=matrix, frame_of_reference="1.2.3", **about)


def itk(values: np.ndarray, matrix: np.ndarray) -> sitk.Image:
    """The same voxels at the same places; ITK counts column, row, slice."""
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    steps = matrix[:3, [2, 1, 0]]
    spacing = np.linalg.norm(steps, axis=0)
    image.SetSpacing(spacing.tolist())
    image.SetDirection((steps / spacing).ravel().tolist())
    image.SetOrigin(matrix[:3, 3].tolist())
    return image
