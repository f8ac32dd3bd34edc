"""Mean and spread of the values in a sphere around a patient position, in mm.

    python examples/sphere_statistics.py some/folder --at -82 -15 -61 --radius 10

Positions are x, y, z in LPS: millimetres towards the patient's left, back and head. The slice browser shows them under the
pointer. Slices may be oblique, tilted or unevenly spaced: each voxel is measured where it truly is.
"""

from __future__ import annotations

import argparse

import numpy as np
import xarray as xr

import dicomlab as dl


def values_in_sphere(volume: xr.DataArray, centre: np.ndarray, radius: float) -> np.ndarray:
    """All values of voxels whose centres lie within `radius` mm of `centre` (LPS mm, shape (3,))."""
    # Only the box around the sphere is looked at: of a lazy volume, only the slices that it touches are read. Its half widths
    # along the voxel axes come from the corners of a cube around the sphere, which no direction of the axes can escape.
    cube = centre + radius * np.array([[x, y, z] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)])
    index = volume.dicom.index(cube)
    low, high = np.floor(index.min(axis=0)).astype(int), np.ceil(index.max(axis=0)).astype(int) + 1
    box = volume.isel(
        {dim: slice(max(0, a), max(0, b)) for dim, a, b in zip(volume.dims, low, high, strict=True)}
    )
    if 0 in box.shape:
        return np.empty(0)
    near = box.dicom.with_xyz()
    distance2 = sum((near[name] - c) ** 2 for name, c in zip("xyz", centre, strict=True))
    return box.values[distance2.values <= radius**2]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder")
    parser.add_argument("--at", nargs=3, type=float, required=True, metavar=("X", "Y", "Z"))
    parser.add_argument("--radius", type=float, default=5.0, help="mm")
    arguments = parser.parse_args()
    try:
        volume = dl.open_volume(arguments.folder)
    except dl.DicomLabError as reason:
        raise SystemExit(str(reason)) from None
    values = values_in_sphere(volume, np.array(arguments.at), arguments.radius)
    if not values.size:
        raise SystemExit(f"no voxel within {arguments.radius:g} mm of {arguments.at}")
    print(f"{values.size} voxels: mean {values.mean():.1f}, sd {values.std():.1f} {volume.dicom.units}")


if __name__ == "__main__":
    main()
