"""What hangs together: `components`, `largest_component`, `remove_small`, `fill_holes`."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import Geometry
from dicomlab.masks import SEGMENT, check_mask, mask_like, slice_volumes
from dicomlab.segment.steps import (
    Array,
    Bools,
    check_count,
    check_number,
    each_part,
    each_step,
    upright,
    voxel_ml,
    within,
)

__all__ = [
    "Connectivity",
    "components",
    "fill_holes",
    "labelled",
    "largest_component",
    "remove_small",
]

Connectivity: TypeAlias = Literal[6, 18, 26]

_MOST = 65_535


def check_connectivity(connectivity: int) -> None:
    """Refuse what is no number of neighbours."""
    if connectivity not in get_args(Connectivity):
        raise DicomLabError(
            f"connectivity is 6 (faces), 18 (and edges) or 26 (and corners) neighbours, found {connectivity!r}"
        )


def labelled(values: Bools, connectivity: int) -> tuple[Array, int]:
    """Components of a bool array, numbered from 1 on, and how many there are."""
    import cc3d

    check_connectivity(connectivity)
    if sorted(values.shape)[1] == 1:
        connectivity = 6  # a line has no diagonals, and cc3d stumbles when it looks for them
    find: Any = cc3d.connected_components  # its annotations ask for literals
    found, count = find(values.view(np.uint8), connectivity=connectivity, binary_image=True, return_N=True)
    return found, int(count)


def counted(labels: Array, count: int, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """How large each number is that occurs, 0 too: voxels of each slice times its weight, shape ``(count + 1,)``."""
    total = np.zeros(count + 1)
    even = np.ptp(weights) < 1e-9 * abs(float(weights[0]))
    # One pass, where a count of each plane would be longer than the plane; it takes no labels as high as there are voxels.
    if even and count > labels[0].size and labels.size > 2 * (count + 2):
        import cc3d

        every = cc3d.statistics(labels, no_slice_conversion=True)["voxel_counts"]
        total[: every.size] = every
        return total * float(weights[0])
    for plane, weight in zip(labels, np.ones_like(weights) if even else weights, strict=True):
        found = np.bincount(plane.ravel())
        total[: found.size] += weight * found
    return total * float(weights[0]) if even else total


def _weights(mask: xr.DataArray) -> npt.NDArray[np.float64]:
    """How much a voxel of each slice counts beside others: uneven slices are not equally thick."""
    geometry = Geometry.from_volume(mask)
    found = slice_volumes(geometry)
    if not np.isfinite(found).all() or geometry.is_uniform:
        return np.ones(found.size)
    return voxel_ml(mask, "components")


def _largest_first(sizes: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Numbers of the components, the largest first, the first of equal ones before the others."""
    return np.argsort(-sizes[1:], kind="stable") + 1


def components(
    mask: xr.DataArray, *, ml: float | None = None, connectivity: Connectivity = 26
) -> xr.DataArray:
    """Label map of what hangs together, 1 is the largest.

    Parameters
    ----------
    mask
        Bool; each step of further axes by itself.
    ml
        Leaves out what is smaller.
    connectivity
        6, 18 or 26 neighbours count as touching.

    Returns
    -------
    xarray.DataArray
        uint16, on the same grid.

    Raises
    ------
    DicomLabError
        The mask has several labels, or there are more than 65,535 components.
    """
    if check_mask(mask) == "labels":
        raise DicomLabError(
            "components are those of one mask, found a label map. Of all labels together: components(mask > 0); of one: "
            "components(mask == 2); the largest of each: largest_component(mask)"
        )
    if SEGMENT in mask.dims:
        raise DicomLabError(
            "components are those of one mask, found several segments; of one: components(mask.isel(segment=0))"
        )
    weights = _weights(mask) if ml is None else voxel_ml(mask, "components(ml=…)")
    least = 0.0 if ml is None else _millilitres(ml)

    def work(values: Array) -> Array:
        found, count = labelled(upright(values), connectivity)
        sizes = counted(found, count, weights)
        order = _largest_first(sizes)
        order = order[sizes[order] >= least]
        if order.size > _MOST:
            raise DicomLabError(
                f"a label map has at most {_MOST} labels, and there are {order.size} components, most of them tiny. "
                "Leave out small ones: components(mask, ml=0.01)"
            )
        table = np.zeros(count + 1, dtype=np.uint16)
        table[order] = np.arange(1, order.size + 1)
        return _looked_up(table, found)

    return mask_like(mask, each_step(mask, work, dtype=np.uint16), name="components")


def _looked_up(table: Array, labels: Array) -> Array:
    """`table[labels]`, plane by plane: what lies in the cache is quicker than one long pass."""
    out = np.empty(labels.shape, table.dtype)
    for source, target in zip(labels, out, strict=True):
        # No number is out of bounds; "clip" spares the check and a second buffer.
        np.take(table, source, out=target, mode="clip")
    return out


def largest_component(mask: xr.DataArray, *, n: int = 1, connectivity: Connectivity = 26) -> xr.DataArray:
    """Mask of the largest part that hangs together, or of the `n` largest; of a label map those of each label.

    Uneven slices count as thick as they are. Of equal parts the one with the lowest indices counts.

    Raises
    ------
    DicomLabError
        The values are no mask, or `n` is no positive number.
    """
    n = check_count(n, "n= of largest_component")
    weights = _weights(mask)

    def work(values: Bools) -> Bools:
        found, count = labelled(values, connectivity)
        if count <= n:
            return values.copy()
        order = _largest_first(counted(found, count, weights))[:n]
        if n == 1:
            largest: Bools = found == order[0]
            return largest
        return _looked_up(np.isin(np.arange(count + 1), order), found)

    return each_part(mask, work)


def remove_small(mask: xr.DataArray, *, ml: float, connectivity: Connectivity = 26) -> xr.DataArray:
    """The mask without parts of less than so many millilitres; of a label map without those of each label.

    Raises
    ------
    DicomLabError, GeometryError
        `ml` is no size, or nobody knows how large a voxel is.
    """
    least, weights = _millilitres(ml), voxel_ml(mask, "remove_small")

    def work(values: Bools) -> Bools:
        found, count = labelled(values, connectivity)
        keep = counted(found, count, weights) >= least
        keep[0] = False
        return _looked_up(keep, found)

    return each_part(mask, work)


def _millilitres(ml: object) -> float:
    # A part of just the size stays, whatever the last bit of its voxels' sizes is.
    return check_number(ml, "ml=, a size in millilitres,") * (1 - 1e-9)


def fill_holes(mask: xr.DataArray, *, per_slice: bool = False) -> xr.DataArray:
    """The mask with its holes filled: what it shuts off from the border of the volume, seen through faces of voxels.

    Parameters
    ----------
    mask
        Any mask; of a label map the holes of each label are filled where no other label is.
    per_slice
        Fill what is shut off within each slice, too: a tube that is open at its ends.
    """
    from fill_voids import fill

    def whole(values: Bools) -> Bools:
        return np.asarray(fill(values, in_place=True), dtype=np.bool_)

    def planes(values: Bools) -> Bools:
        for plane in values:
            if plane.any():
                plane[...] = fill(plane)
        return values

    # A copy of the part that holds something: what is outside its box is outside of every hole.
    return each_part(mask, lambda values: within(values, (0, 0, 0), planes if per_slice else whole))
