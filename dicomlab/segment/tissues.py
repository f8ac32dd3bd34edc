"""Tissues of a CT: `lungs`, `airways`, `air`, `bone`.

Boundaries lie half way between the values on both sides, where an edge that is blurred has its true place. They are plain
rules, made for looking and teaching; nothing here was validated on patients.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import xarray as xr

from dicomlab.masks import mask_like
from dicomlab.segment.chest import Chest, find_chest
from dicomlab.segment.connected import counted, labelled
from dicomlab.segment.distances import squared
from dicomlab.segment.patient import Patient
from dicomlab.segment.steps import Array, Bools, Lengths, boxes, each_step, grown, lengths, voxel_ml
from dicomlab.segment.thresholds import check_hu

__all__ = ["air", "airways", "bone", "lungs"]

_SPONGY = 215.0
"""HU between blood with contrast medium and spongy bone."""

_LEAST = 130.0
"""HU below which nothing is bone."""

_SMALL = 0.1
"""ml: smaller things are calcifications."""

_COMPACT = 2.0
"""mm: half the width of gaps in the surface of a bone that are closed."""


def lungs(ct: xr.DataArray) -> xr.DataArray:
    """Label map of the lungs: 1 is the right one, 2 the left one; without airways, with their vessels and nodules.

    Lung tissue is below -450 HU inside the body, parted from windpipe and bronchi, and from gas that is darker; vessels and
    nodules up to 10 mm wide, and all that lung tissue encloses, belong to it. Large masses at the chest wall, effusions and
    consolidations do not: they are as bright as muscle.

    Parameters
    ----------
    ct
        In HU; each step of further axes by itself. Slices may be uneven.

    Raises
    ------
    DicomLabError, GeometryError
        Not in HU; tilted slices, or rows or columns uneven.
    """

    def sides(chest: Chest) -> Array:
        return chest.right + np.uint8(2) * chest.left

    values = _of_chest(ct, "lungs", sides, np.uint8)
    return mask_like(ct, values, name="lungs", labels={1: "right lung", 2: "left lung"})


def airways(ct: xr.DataArray) -> xr.DataArray:
    """Mask of the air in windpipe and bronchi, as far as they are wider than a few voxels; without their walls.

    It grows from the windpipe, the first round tube of gas from the head down, as far as it does not leak into a lung. Empty
    where no windpipe is found. Parameters and errors as of `lungs`.
    """
    return mask_like(ct, _of_chest(ct, "airways", lambda chest: chest.airways, np.bool_), name="airways")


def air(ct: xr.DataArray) -> xr.DataArray:
    """Mask of the gas in the body: in airways, stomach and bowel, not in the lungs. Parameters and errors as of `lungs`."""
    return mask_like(ct, _of_chest(ct, "air", lambda chest: chest.gas, np.bool_), name="air")


def _of_chest(ct: xr.DataArray, what: str, part: Callable[[Chest], Array], dtype: object) -> Array:
    check_hu(ct, what)
    known, ml, patient = lengths(ct, what, uneven=True), voxel_ml(ct, what), Patient.of(ct)
    return each_step(ct, lambda values: part(find_chest(values, patient, known, ml)), dtype=dtype)


def bone(ct: xr.DataArray) -> xr.DataArray:
    """Mask of bone, compact and spongy, with its surface half way between the values on both sides.

    From 215 HU on something may be bone, if it has 0.1 ml; at its surface a voxel is bone when its value is nearer to the
    highest than to the lowest of its 26 neighbours. What is as bright is found too: calcifications, metal, the couch, and blood
    or bowel with more contrast medium; `largest_component`, `body` and ``&`` leave it out.

    Parameters
    ----------
    ct
        In HU; each step of further axes by itself. Slices may be uneven.

    Raises
    ------
    DicomLabError, GeometryError
        Not in HU; tilted slices, or rows or columns uneven.
    """
    check_hu(ct, "bone")
    known, ml = lengths(ct, "bone", uneven=True), voxel_ml(ct, "bone")
    return mask_like(ct, each_step(ct, lambda values: _bone(values, known, ml), dtype=np.bool_), name="bone")


def _bone(values: Array, known: Lengths, ml: Array) -> Bools:
    from scipy.ndimage import maximum_filter, minimum_filter

    labels, count = labelled(values >= _SPONGY, 6)
    keep = counted(labels, count, ml) >= _SMALL
    keep[0] = False
    bright = keep[labels]
    out = np.zeros_like(bright)
    box = boxes(bright)
    if box is None:
        return out
    box = grown(box, (2, 2, 2), bright.shape)
    bright, hu = np.ascontiguousarray(bright[box]), np.ascontiguousarray(values[box])
    inner, near = ~_faces(~bright), _faces(bright)
    surface = near & ~inner
    highest, lowest = (one(hu, size=3, mode="nearest")[surface] for one in (maximum_filter, minimum_filter))
    found = inner
    own = hu[surface].astype(np.float64)
    found[surface] = (own >= (highest.astype(np.float64) + lowest) / 2) & (own >= _LEAST)
    # Compact bone that is thinner than the edge of a voxel leaves gaps.
    cut = Lengths(known.spacing, None if known.slices is None else known.slices[box[0]])
    limit = np.float32(_COMPACT**2 * (1 + 1e-5))
    wide = squared(~found, cut) <= limit
    found |= bright & (squared(wide, cut) > limit)
    out[box] = found
    return out


def _faces(values: Bools) -> Bools:
    """The voxels and their six neighbours."""
    out = values.copy()
    for axis in range(3):
        target, source = np.moveaxis(out, axis, 0), np.moveaxis(values, axis, 0)
        target[1:] |= source[:-1]
        target[:-1] |= source[1:]
    return out
