"""Grids and masks on which contours are tried."""

import numpy as np
import xarray as xr

from dicomlab import make_volume
from dicomlab.masks import mask_like

FRAME = "1.2.3.4"
GRIDS = ("axial", "oblique", "flipped", "uneven", "tilted", "transposed")
SHAPES = ("ball", "ring", "voxel", "edge", "diagonal")


def turned(degrees: tuple[float, float]) -> np.ndarray:
    """A rotation about z, then x."""
    a, b = np.deg2rad(degrees)
    z = np.array([[np.cos(a), -np.sin(a), 0], [np.sin(a), np.cos(a), 0], [0, 0, 1]])
    x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    return x @ z


def volume_on(kind: str, shape: tuple[int, int, int] = (6, 11, 13)) -> xr.DataArray:
    """A volume of zeros, 3 x 0.9 x 0.7 mm, off the origin."""
    affine = np.zeros((4, 4))
    affine[[2, 1, 0, 3], [0, 1, 2, 3]] = 3.0, 0.9, 0.7, 1.0
    affine[:3, 3] = -31.3, 12.7, 101.1
    if kind == "oblique":
        affine[:3, :3] = turned((25, -13)) @ affine[:3, :3]
    if kind == "uneven":
        affine[1, 1] = -0.9  # upside down, so that the slice normal points to the feet
    if kind == "tilted":
        affine[1, 0] = 0.8
    many = (3 * shape[0], *shape[1:]) if kind == "uneven" else shape
    volume = make_volume(np.zeros(many, np.int16), affine=affine, frame_of_reference=FRAME)
    if kind == "uneven":
        steps = np.cumsum([0, 1, 3, 2, 4, 1, 3, 2, 1, 5][: shape[0]])
        volume = volume.isel(slice=steps)
    if kind == "flipped":
        volume = volume[::-1, :, ::-1]
    if kind == "transposed":
        volume = volume.transpose("column", "slice", "row")
    return volume


def mask_on(volume: xr.DataArray, shape: str) -> xr.DataArray:
    """One of the five masks that must come back as they are."""
    k, i, j = np.indices(tuple(volume.sizes[dim] for dim in ("slice", "row", "column")))
    far = ((k - 2) / 2.2) ** 2 + ((i - 5) / 4.3) ** 2 + ((j - 6) / 5.1) ** 2
    values = {
        "ball": far < 1,
        "ring": (far < 1) & (((i - 5) / 2.0) ** 2 + ((j - 6) / 2.0) ** 2 > 1),
        "voxel": (k == 3) & (i == 4) & (j == 8),
        "edge": (k == 0) | (i == 0) | (j == j.max()),
        "diagonal": ((i + j + k) % 2 == 0) & ((3 * i + 5 * j + k) % 7 != 0) & (k != 2),
    }[shape]
    upright = volume.transpose("slice", "row", "column")
    return mask_like(upright, values, name=shape).transpose(*volume.dims)
