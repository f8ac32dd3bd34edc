"""Calcium scores of coronary arteries: Agatston, volume and mass, of a phantom whose scores are known.

    python examples/agatston.py

For images of your own, load an axial CT without contrast and a mask with one label an artery: `agatston(ct, arteries)`.
Scores are for teaching and research, not for a report.
"""

from __future__ import annotations

import cc3d
import numpy as np
import pandas as pd
import xarray as xr

import dicomlab as dl
from dicomlab.masks import check_grid, parts, slice_volumes, with_labels

STEPS = (130, 200, 300, 400)
"""HU from which a lesion counts once, twice, three and four times."""


def agatston(
    volume: xr.DataArray, arteries: xr.DataArray, *, min_area: float = 1.0, calibration: float | None = None
) -> pd.DataFrame:
    """Table of scores, a row for each label of `arteries` and one for all together.

    A lesion is a region of one slice within a label, its pixels of 130 HU or more joined by sides or corners, of `min_area` mm2
    or more.

    - ``agatston``: area in mm2 times 1, 2, 3 or 4, for a highest value of 130, 200, 300, 400 HU or more, summed over lesions,
      each times the distance of slices / 3 mm (Agatston et al., J Am Coll Cardiol 15 (1990) 827, has slices of 3 mm).
    - ``volume_mm3``: of the voxels of all lesions, nothing interpolated.
    - ``mass_mg``: volume in cm3 times the mean HU times `calibration`, which a scan of a phantom with inserts of known density
      gives: mg/cm3 of hydroxyapatite for each HU, 0.8 or so. NaN without one.
    """
    check_grid(arteries, volume)
    geometry = volume.dicom.geometry
    if volume.dicom.units != "HU" or geometry.plane != "axial":
        found = volume.dicom.units or "no unit"
        raise ValueError(f"scores are of axial CT in HU; found {found}, {geometry.plane}")
    area = geometry.spacing[1] * geometry.spacing[2]
    mm3 = slice_volumes(geometry)
    values = volume.transpose("slice", "row", "column").values
    rows = {}
    for part in parts(arteries):
        dense = part.mask.transpose("slice", "row", "column").values & (values >= STEPS[0])
        row = {"lesions": 0, "agatston": 0.0, "volume_mm3": 0.0, "mass_mg": 0.0}
        for k, plane in enumerate(dense):
            lesions = cc3d.connected_components(plane, connectivity=8)
            for number in range(1, int(lesions.max()) + 1):
                hu = values[k][lesions == number]
                if hu.size * area < min_area:
                    continue
                weight = sum(int(hu.max()) >= step for step in STEPS)
                row["lesions"] += 1
                row["agatston"] += hu.size * area * weight * (mm3[k] / area) / 3
                row["volume_mm3"] += hu.size * mm3[k]
                row["mass_mg"] += (calibration or np.nan) * float(hu.sum()) * mm3[k] / 1000
        rows[part.label.name] = row
    table = pd.DataFrame.from_dict(rows, orient="index")
    table.loc["all"] = table.sum(skipna=False)
    return table.astype({"lesions": int})


def phantom() -> tuple[xr.DataArray, xr.DataArray]:
    """A heart of 40 HU with calcium of known size in two arteries, and beside them a rib that is none of their business."""
    heart, arteries = np.full((8, 60, 80), 40, np.int16), np.zeros((8, 60, 80), np.uint8)
    arteries[:, 10:30, 10:30], arteries[:, 10:30, 50:70] = 1, 2
    heart[2, 12:16, 12:16] = 150  # LAD, 4 mm2, once
    heart[4:6, 20:24, 20:24] = 250  # LAD, 4 mm2 in each of two slices, twice
    heart[3, 20:26, 55:61] = 140  # RCA, 9 mm2, four times: the highest value decides
    heart[3, 22:24, 57:59] = 450
    heart[6, 12, 52] = 900  # a speck of noise, 0.25 mm2
    heart[:, 45:55, 20:60] = 700  # a rib
    affine = np.array([[0, 0, 0.5, -20], [0, 0.5, 0, -15], [3, 0, 0, 40], [0, 0, 0, 1.0]])
    volume = dl.make_volume(heart, affine=affine, frame_of_reference="1.2", units="HU")
    mask = dl.make_volume(arteries, affine=affine, frame_of_reference="1.2")
    return volume, with_labels(mask, {1: "LAD", 2: "RCA"})


def main() -> None:
    """Print the scores of the phantom."""
    print(agatston(*phantom(), calibration=0.8).round(2))


if __name__ == "__main__":
    main()
