"""Basins and parts: `watershed` from markers, `split` of touching things, `slic` of a volume into like pieces."""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks import check_mask, labels_of, mask_like, with_labels
from dicomlab.segment.connected import Connectivity, check_connectivity, counted, labelled
from dicomlab.segment.distances import millimetres, squared
from dicomlab.segment.steps import (
    Array,
    boxes,
    check_count,
    check_number,
    check_volume,
    each_step,
    grown,
    lengths,
    upright,
    voxel_ml,
)

__all__ = ["On", "check_markers", "gradient", "slic", "split", "watershed"]

On: TypeAlias = Literal["edges", "values"]

_MOST = 65_535


def gradient(values: Array, spacing: tuple[float, float, float]) -> Array:
    """How steep values are, per mm, shape as given. NaN counts as 0."""
    from scipy.ndimage import sobel

    values = np.nan_to_num(values.astype(np.float32), copy=False)
    total = np.zeros_like(values)
    for axis, step in enumerate(spacing):
        if values.shape[axis] > 1:
            # Sobel's weights sum to 32 steps along the axis in three dimensions.
            total += (sobel(values, axis=axis, mode="nearest") / np.float32(32 * step)) ** 2
    return np.sqrt(total, out=total)


def watershed(
    volume: xr.DataArray,
    *,
    markers: xr.DataArray,
    mask: xr.DataArray | None = None,
    on: On = "edges",
    connectivity: Connectivity = 6,
) -> xr.DataArray:
    """Label map of the basins of markers: each grows until it meets another on the ridge between them.

    Parameters
    ----------
    volume
        Real values, or a mask: then its distance to the outside is flooded, and basins stay within it.
    markers
        Label map on the same grid (`components` makes one); its labels keep their names.
    mask
        Basins stay within it.
    on
        ``"edges"`` floods how steep the values are, so that basins meet on edges; ``"values"`` floods them as they are. Of no
        account for a mask.
    connectivity
        6, 18 or 26 neighbours are flooded from a voxel.

    Raises
    ------
    DicomLabError, GeometryError
        No markers, or on another grid; tilted or uneven slices, where distances or edges count.
    """
    from scipy.ndimage import generate_binary_structure
    from skimage.segmentation import watershed as flood

    check_volume(volume, "watershed")
    check_connectivity(connectivity)
    if on not in get_args(On):
        raise DicomLabError(f"on= is 'edges' or 'values', found {on!r}")
    check_markers(markers, "watershed")
    near = generate_binary_structure(3, {6: 1, 18: 2, 26: 3}[connectivity])
    is_mask = volume.dtype == np.bool_
    known = lengths(volume, "watershed") if is_mask or on == "edges" else None

    def work(values: Array, seeds: Array, where: Array | None) -> Array:
        if is_mask:
            assert known is not None
            heights = -np.sqrt(squared(values, known))
            where = values if where is None else values & upright(where)
        elif on == "edges":
            assert known is not None
            heights = gradient(values, known.spacing)
        else:
            heights = np.nan_to_num(values, nan=float("inf")) if values.dtype.kind == "f" else values
        inner = None if where is None else upright(where)
        found: Array = flood(  # type: ignore[no-untyped-call]
            heights, seeds.astype(np.int32), connectivity=near, mask=inner
        )
        return found

    dtype = np.uint8 if markers.dtype == np.bool_ else markers.dtype
    made = mask_like(volume, each_step(volume, work, markers, mask, dtype=dtype), name="basins")
    return with_labels(made, list(labels_of(markers)))


def check_markers(markers: xr.DataArray, what: str) -> None:
    """Refuse markers that are none."""
    if check_mask(markers) == "segments":
        raise DicomLabError(
            f"markers of {what} are a label map; dicomlab.masks.to_label_maps(markers)[0] makes one of segments"
        )
    if not bool((markers != 0).any()):
        raise DicomLabError(f"{what} needs markers, and the label map has none: no voxel differs from 0")


def split(mask: xr.DataArray, mm: float, *, connectivity: Connectivity = 26) -> xr.DataArray:
    """Label map of a mask in parts, cut at necks narrower than twice `mm`; 1 is the largest.

    Parts are what is left when the mask is eroded by `mm`; each voxel of the mask goes to the part it belongs to by a watershed
    of its distance to the outside. What vanishes when eroded stays one part if nothing else hangs on it.

    Parameters
    ----------
    mask
        Bool; each step of further axes by itself.
    mm
        Half the width of the widest neck that is cut.

    Raises
    ------
    DicomLabError, GeometryError
        The mask has several labels; tilted or uneven slices; more than 65,535 parts.
    """
    from skimage.segmentation import watershed as flood

    if check_mask(mask) == "labels":
        raise DicomLabError("split takes one mask, found a label map; of one label: split(mask == 2, mm)")
    radius, known = millimetres(mm, "split"), lengths(mask, "split")
    near = np.ones((3, 3, 3), bool)

    def work(values: Array) -> Array:
        inner = upright(values)
        box = boxes(inner)
        out = np.zeros(inner.shape, np.uint16)
        if box is None:
            return out
        where = grown(box, (1, 1, 1), inner.shape)
        part = np.ascontiguousarray(inner[where])
        depth = np.sqrt(squared(part, known))
        seeds, count = labelled(part & (depth > radius), connectivity)
        whole, many = labelled(part, connectivity)
        alone = np.ones(many + 1, dtype=bool)
        alone[whole[seeds > 0]] = alone[0] = False
        seeds = np.where(alone[whole], whole.astype(np.int64) + count, seeds)
        # An infinite depth, of a mask that fills the volume, has no order.
        heights = -np.nan_to_num(depth, posinf=0.0)
        found = flood(  # type: ignore[no-untyped-call]
            heights, seeds.astype(np.int32), connectivity=near, mask=part
        )
        sizes = counted(found.astype(np.uint32), count + many, np.ones(len(found)))
        order = np.argsort(-sizes[1:], kind="stable") + 1
        order = order[sizes[order] > 0]
        if order.size > _MOST:
            raise DicomLabError(
                f"a label map has at most {_MOST} labels, and there are {order.size} parts; remove_small first"
            )
        table = np.zeros(count + many + 1, np.uint16)
        table[order] = np.arange(1, order.size + 1)
        out[where] = table[found]
        return out

    return mask_like(mask, each_step(mask, work, dtype=np.uint16), name="part")


def slic(
    volume: xr.DataArray,
    *,
    n: int | None = None,
    ml: float | None = None,
    compactness: float = 0.1,
    mask: xr.DataArray | None = None,
) -> xr.DataArray:
    """Label map of pieces of like values and like size (supervoxels), cubes in mm where values say nothing.

    Parameters
    ----------
    volume
        Real values; each step of further axes by itself. NaN counts as the lowest value.
    n, ml
        About how many pieces, or about how large each is; one of both.
    compactness
        How much nearness counts beside likeness: 1 makes nearly cubes, 0.01 follows edges closely.
    mask
        Pieces lie within it.

    Raises
    ------
    DicomLabError, GeometryError
        Neither or both of `n` and `ml`; more than 65,535 pieces; tilted or uneven slices.
    """
    from skimage.segmentation import slic as pieces

    check_volume(volume, "slic")
    known = lengths(volume, "slic")
    if (n is None) == (ml is None):
        raise DicomLabError("say about how many pieces (n=) or how large each is (ml=), one of both")
    near = check_number(compactness, "compactness=", above=True)
    each = None if ml is None else check_number(ml, "ml=") / float(voxel_ml(volume, "slic(ml=…)")[0])
    if each is not None and not each >= 1:
        raise DicomLabError(f"ml= is the size of a piece, at least that of a voxel; found {ml!r}")
    if n is not None:
        check_count(n, "n=, a number of pieces,")

    def work(values: Array, where: Array | None) -> Array:
        inner = None if where is None else upright(where)
        held = values.size if inner is None else int(inner.sum())
        if not held:
            return np.zeros(values.shape, np.uint16)
        count = n if each is None else max(1, round(held / each))
        assert count is not None
        if count > _MOST // 2:
            raise DicomLabError(
                f"slic was asked for about {count} pieces; a label map has at most {_MOST}, and half of them are asked for at "
                "most. Ask for fewer or larger ones, or give mask="
            )
        known_values = values.astype(np.float32)
        finite = np.isfinite(known_values)
        low = float(known_values[finite].min()) if finite.any() else 0.0
        found: Array = pieces(
            np.where(finite, known_values, low),
            n_segments=count,
            compactness=near,
            spacing=known.spacing,
            channel_axis=None,
            start_label=1,
            mask=inner,
        )
        return found

    return mask_like(volume, each_step(volume, work, mask, dtype=np.uint16), name="piece")
