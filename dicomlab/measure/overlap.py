"""`compare_masks`: a table of how far two masks agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import Geometry
from dicomlab.masks import Label, check_grid, check_mask, labels_of, slice_volumes
from dicomlab.measure.distances import distances
from dicomlab.measure.pieces import Box, Piece, further_axes, grid_of, key_of, pieces, room_of, whole_step

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["compare_masks"]

_DISTANCES = ("hausdorff_mm", "hd95_mm", "hd95_pooled_mm", "assd_mm")


def compare_masks(a: xr.DataArray, b: xr.DataArray, *, tolerance: float = 1.0) -> pd.DataFrame:
    """One row a label: how far two masks agree, in overlap, volume and mm between their surfaces.

    Two masks of one label each are compared whatever these are called. Else labels meet by name, in any case of letters,
    and where no name is in both, by number. A label that only one of the masks has is compared with nothing.

    Parameters
    ----------
    a, b
        Masks of any form on one grid; fractions count from 0.5 on. `a` is what `b` is judged by.
    tolerance
        mm, for ``surface_dice``.

    Returns
    -------
    pandas.DataFrame
        Index ``label``, the name (``"liver | label 1"`` where a and b call it differently); with further axes ``label``
        and their steps. ``attrs["tolerance_mm"]`` is the tolerance. Columns:

        - ``dice`` = 2 |a∩b| / (|a| + |b|), ``jaccard`` = |a∩b| / |a∪b|, ``sensitivity`` = |a∩b| / |a|, ``precision`` =
          |a∩b| / |b|: of volumes, which is to say of voxels where slices are even.
        - ``volume_a_ml, volume_b_ml``, ``volume_difference_ml`` = b − a, ``volume_difference_relative`` = (b − a) / a.
        - ``hausdorff_mm``: the farthest that the centre of any voxel of one lies from the nearest voxel centre of the
          other, as of ITK's HausdorffDistanceImageFilter.
        - ``hd95_mm``: the larger of two 95th percentiles, of the distances from the surface voxels of a to those of b, and
          back. ``hd95_pooled_mm``: the 95th percentile of both ways together.
        - ``assd_mm``: the mean of both ways together (average symmetric surface distance).
        - ``surface_dice``: the part of the surface voxels of both that lie within `tolerance` of the other's.

    Notes
    -----
    A *surface voxel* has a neighbour across a face that is not in the label; beyond the volume nothing is. Along an axis
    of one voxel there are no neighbours. Distances are between voxel centres at their true places, also where slices are
    uneven or tilted; every surface voxel counts the same. Percentiles are linear between values.

    Where one label is empty, overlap and ``surface_dice`` are 0 and distances infinite; a fraction of nothing is NaN, and so is
    everything but the volumes where both are empty. A relative difference from an empty a is infinite.

    Raises
    ------
    GeometryError
        The masks lie on different grids (the message names the function that mends it), or positions repeat or are out of
        order.
    DicomLabError
        One is no mask, the tolerance is negative, or steps of further axes differ.

    References
    ----------
    Heimann et al., IEEE Trans Med Imaging 28 (2009) 1251 (ASSD); Nikolov et al., J Med Internet Res 23 (2021) e26151
    (surface Dice, there by area of surface, here by surface voxels).

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import compare_masks, make_volume
    >>> ct = make_volume(np.arange(24.0).reshape(2, 3, 4), affine=np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU")
    >>> compare_masks((ct > 15).rename("bone"), (ct > 19).rename("bone"))[["dice", "sensitivity", "hausdorff_mm"]].round(3)
            dice  sensitivity  hausdorff_mm
    label
    bone   0.667          0.5           1.0
    """
    forms = check_mask(a), check_mask(b)
    if not (isinstance(tolerance, (int, float, np.number)) and tolerance >= 0):
        raise DicomLabError(f"a tolerance is a number of mm, 0 or more; found {tolerance!r}")
    check_grid(a, b)
    import pandas as pd

    geometry, further = grid_of(a), further_axes(a, b)
    labels = list(labels_of(a)), list(labels_of(b))
    lone = forms == ("bool", "bool") or len(labels[0]) == len(labels[1]) == 1
    pairs = [(labels[0][0], labels[1][0])] if lone else _pairs(*labels)
    mm3 = np.nan_to_num(slice_volumes(geometry), nan=1.0)
    is_sized = bool(np.isfinite(slice_volumes(geometry)).all())
    rows: dict[tuple[int, ...], tuple[tuple[Any, ...], dict[str, float]]] = {}
    for index in np.ndindex(*further.values()):
        step = dict(zip(further, index, strict=True))
        keys = [key_of((a, b), dim, step[dim]) for dim in further]
        mine, theirs = (
            {label.value: piece for label, piece in pieces(whole_step(mask, step), every)}
            for mask, every in ((a, labels[0]), (b, labels[1]))
        )
        for number, (one, other) in enumerate(pairs):
            name = _name(one, other)
            found = _compared(
                mine[one.value] if one else None,
                theirs[other.value] if other else None,
                geometry,
                mm3,
                tolerance,
            )
            if not is_sized:
                found |= dict.fromkeys(("volume_a_ml", "volume_b_ml", "volume_difference_ml"), math.nan)
            rows[number, *index] = (name, *keys), found
    ordered = [rows[key] for key in sorted(rows)]
    if further:
        at: pd.Index[Any] = pd.MultiIndex.from_tuples([key for key, _ in ordered], names=["label", *further])
    else:
        at = pd.Index([key[0] for key, _ in ordered], name="label", dtype=object)
    table = pd.DataFrame([row for _, row in ordered], index=at, columns=_COLUMNS)
    table.attrs = {"tolerance_mm": float(tolerance)}
    return table


_COLUMNS = [
    "dice",
    "jaccard",
    "sensitivity",
    "precision",
    "volume_a_ml",
    "volume_b_ml",
    "volume_difference_ml",
    "volume_difference_relative",
    *_DISTANCES,
    "surface_dice",
]


def _pairs(a: Sequence[Label], b: Sequence[Label]) -> list[tuple[Label | None, Label | None]]:
    """Which label of a is compared with which of b."""

    def keyed(labels: Sequence[Label], by_name: bool) -> dict[Any, Label]:
        found: dict[Any, Label] = {}
        for one in labels:
            key = one.name.casefold() if by_name else one.value
            if key in found:
                raise DicomLabError(
                    f"two labels of one mask are called {one.name!r}, so nobody knows which to compare; name them apart: "
                    "mask.dicom.with_labels({1: 'left lung', 2: 'right lung'})"
                )
            found[key] = one
        return found

    names = [{one.name.casefold() for one in labels} for labels in (a, b)]
    mine, theirs = (keyed(labels, by_name=bool(names[0] & names[1])) for labels in (a, b))
    return [(mine.get(key), theirs.get(key)) for key in {**mine, **theirs}]


def _name(one: Label | None, other: Label | None) -> str:
    names = [label.name for label in (one, other) if label]
    return names[0] if len({name.casefold() for name in names}) == 1 else " | ".join(names)


def _compared(
    a: Piece | None, b: Piece | None, geometry: Geometry, mm3: npt.NDArray[np.float64], tolerance: float
) -> dict[str, float]:
    volumes = [_volume(piece.inside, piece.box, mm3) if piece else 0.0 for piece in (a, b)]
    box = _union([piece.box for piece in (a, b) if piece])
    common = 0.0
    if a and b:
        inside = [_within(piece, box) for piece in (a, b)]
        common = _volume(inside[0] & inside[1], box, mm3)
    row = {
        "dice": _part(2 * common, sum(volumes)),
        "jaccard": _part(common, sum(volumes) - common),
        "sensitivity": _part(common, volumes[0]),
        "precision": _part(common, volumes[1]),
        "volume_a_ml": volumes[0] / 1000,
        "volume_b_ml": volumes[1] / 1000,
        "volume_difference_ml": (volumes[1] - volumes[0]) / 1000,
        "volume_difference_relative": _part(volumes[1] - volumes[0], volumes[0]),
    }
    if not (a and b):
        nothing = math.nan if a is b is None else math.inf
        return row | dict.fromkeys(_DISTANCES, nothing) | {"surface_dice": 0.0 if a or b else math.nan}
    found = distances(inside[0], inside[1], box, geometry)
    far = (found.hausdorff, found.hd95, found.hd95_pooled, found.mean)
    return row | dict(zip(_DISTANCES, far, strict=True)) | {"surface_dice": found.within(tolerance)}


def _volume(inside: npt.NDArray[np.bool_], box: Box, mm3: npt.NDArray[np.float64]) -> float:
    return room_of(np.array([np.count_nonzero(plane) for plane in inside]), box, mm3)


def _union(boxes: Sequence[Box]) -> Box:
    if not boxes:
        return (slice(0, 0),) * 3
    first, second, third = (
        slice(min(cut.start for cut in cuts), max(cut.stop for cut in cuts))
        for cuts in zip(*boxes, strict=True)
    )
    return first, second, third


def _within(piece: Piece, box: Box) -> npt.NDArray[np.bool_]:
    """The label in a larger box."""
    if piece.box == box:
        return piece.inside
    whole = np.zeros([cut.stop - cut.start for cut in box], bool)
    whole[
        tuple(
            slice(own.start - cut.start, own.stop - cut.start)
            for own, cut in zip(piece.box, box, strict=True)
        )
    ] = piece.inside
    return whole


def _part(part: float, whole: float) -> float:
    if whole:
        return part / whole
    return math.copysign(math.inf, part) if part else math.nan
