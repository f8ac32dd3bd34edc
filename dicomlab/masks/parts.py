"""From one form of a mask to another, from a mask to its labels, and onto the grid of a volume."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, FRAME
from dicomlab.grid_report import compare_grids
from dicomlab.masks.form import SEGMENT, check_mask, inside
from dicomlab.masks.labels import Label, first_colour
from dicomlab.masks.naming import labels_of, segment_coords, with_labels

__all__ = ["Part", "check_grid", "mask_like", "parts", "stacked", "to_label_maps"]


@dataclass(frozen=True, eq=False)
class Part:
    """One label of a mask, and where it is: a bool volume on the same grid."""

    label: Label
    mask: xr.DataArray


def check_grid(mask: xr.DataArray, volume: xr.DataArray) -> None:
    """Refuse a mask whose voxels are not those of the volume.

    Raises
    ------
    GeometryError
        The grids differ; the message says in what, by how much, and which function mends it.
    """
    report = compare_grids(mask, volume)
    if report:
        return
    worst = report.differences[0]
    mend = worst.mend.replace("volume", "mask").replace("other", "volume")
    if mask.dtype.kind in "iu" and "labels" not in mask.attrs:
        mend = mend.replace("resample_like(volume)", 'resample_like(volume, labels="nearest")')
    raise GeometryError(
        f"the mask lies on another grid than the volume: they differ in {worst.name} ({worst.difference}). {mend}"
    )


def mask_like(
    volume: xr.DataArray, values: Any, *, name: str | None = None, labels: Any = None
) -> xr.DataArray:
    """A mask on the grid of a volume; nothing that is said of the values of the volume is said of it.

    Parameters
    ----------
    volume
        Gives the grid, and the dims that `values` has: all of its own, or slice, row and column alone.
    values
        bool or whole numbers; numpy, dask or anything that xarray wraps. Not copied.
    name
        Of the array; of a bool mask, of its label.
    labels
        As for `with_labels`.

    Raises
    ------
    DicomLabError
        The shape is another one, or the values are no mask.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> ct = make_volume(np.zeros((2, 3, 4)), affine=np.eye(4)[[2, 1, 0, 3]], units="HU")
    >>> mask_like(ct, np.ones((2, 3, 4), bool), name="liver").dicom.labels
    <1 label
      1 liver: Liver (SCT 10200004)>
    """
    shape = np.shape(values)
    dims = next(
        (d for d in (volume.dims, AXES) if tuple(volume.sizes[n] for n in d if n in volume.sizes) == shape),
        None,
    )
    if dims is None or len(dims) != len(shape):
        own = [volume.sizes[name] for name in AXES if name in volume.sizes]
        hint = ""
        if sorted(shape) == sorted(own):
            order = ", ".join(str(shape.index(n)) for n in own)
            hint = f" Its axes are in another order (nibabel counts column, row, slice): array.transpose({order})."
        elif sorted(n for n in shape if n > 1) == sorted(n for n in own if n > 1):
            hint = " It has axes of length 1 more, of a batch or a channel: array.squeeze()."
        else:
            hint = " Of another grid it is a volume first: make_volume(array, affine=…).dicom.resample_like(volume)."
        raise DicomLabError(
            f"a mask has the shape of its volume, {dict(volume.sizes)}; found an array of shape {shape}.{hint}"
        )
    coords = {
        key: coord
        for key, coord in volume.coords.items()
        if key in (*AXES, FRAME) or (set(coord.dims) <= set(dims) and coord.dims)
    }
    bare = volume.coords.to_dataset()[list(coords)].coords
    made = xr.DataArray(values, dims=dims, coords=bare, name=name)
    check_mask(made)
    made.name = name  # given to DataArray, a name of None becomes the one that dask gave its array
    if made.dtype.kind in "iu":
        made.attrs["labels"] = (
            "[]"  # these are labels, if nobody named them yet: nothing lies between two of them
        )
    return with_labels(made, labels) if labels is not None else made


def parts(mask: xr.DataArray) -> Iterator[Part]:
    """Each label by itself; fractions count from 0.5 on.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> organs = make_volume(np.array([[[0, 1, 2, 2]]], np.uint8), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> [(part.label.name, int(part.mask.sum())) for part in parts(with_labels(organs, ["liver", "spleen"]))]
    [('liver', 1), ('spleen', 2)]
    """
    form = check_mask(mask)
    for k, label in enumerate(labels_of(mask)):
        if form == "segments":
            one = mask.isel({SEGMENT: k})
            one = one.drop_vars([name for name in one.coords if name in segment_coords([label])])
            one = one if one.dtype == np.bool_ else one >= 0.5
        else:
            one = mask if form == "bool" else mask == label.value
        yield Part(label, with_labels(one.drop_attrs(deep=False), replace(label, value=1)))


def stacked(masks: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """Several masks as one of the form with ``segment``, in which they may overlap, numbered from 1 on in this order.

    A mask of one label is called as the mapping says; several labels of one mask keep their names.

    Raises
    ------
    DicomLabError, GeometryError
        There is none, one is no mask, or they lie on different grids.
    """
    if not isinstance(masks, Mapping) or not masks:
        raise DicomLabError(f"masks by name were asked for, as {{'liver': mask, …}}; found {masks!r:.60}")
    first = next(iter(masks.values()))
    found: list[Label] = []
    values = []
    dims = [dim for dim in first.dims if dim != SEGMENT] if isinstance(first, xr.DataArray) else []
    for name, mask in masks.items():
        check_mask(mask)
        if mask is not first:
            check_grid(mask, first)
        every = list(parts(mask))
        for part in every:
            called = str(name) if len(every) == 1 else part.label.name
            found.append(_renumbered(part.label, len(found) + 1, called))
            values.append(np.asarray(part.mask.transpose(*dims).values))
    like = first.isel({SEGMENT: 0}, drop=True) if SEGMENT in first.dims else first
    coords = (
        like.transpose(*dims).drop_vars([one for one in segment_coords(found) if one in like.coords]).coords
    )
    if not values:
        raise DicomLabError("masks with at least one label were asked for; all of these are empty label maps")
    made = xr.DataArray(np.stack(values), dims=(SEGMENT, *dims), coords=coords, name="segmentation")
    return made.assign_coords(segment_coords(found))


def _renumbered(label: Label, value: int, name: str) -> Label:
    """The label under another number, with that number's colour if it has none of its own; another name is another thing."""
    own = label.colour if label.colour != first_colour(label.value - 1) else None
    if label.name == name:
        return replace(label, value=value, colour=own)
    return Label(value, name, own)


def to_label_maps(mask: xr.DataArray) -> list[xr.DataArray]:
    """Any mask as label maps, as few as it takes: a label that overlaps others goes into another one.

    Returns
    -------
    list of xarray.DataArray
        uint8, or uint16 where numbers are higher than 255. Labels keep their numbers, names and codes.
    """
    form, every = check_mask(mask), list(labels_of(mask))
    dtype = np.uint8 if max((one.value for one in every), default=0) < 256 else np.uint16
    if form != "segments":
        made = mask.astype(dtype).drop_attrs(deep=False)
        made.name = mask.name
        return [with_labels(made, every) if every else made]
    volume = mask.transpose(SEGMENT, ...)
    held: list[tuple[npt.NDArray[Any], list[Label]]] = []
    for k, label in enumerate(every):
        here = inside(volume.isel({SEGMENT: k}))
        free = next((one for one in held if not one[0][here].any()), None)
        if free is None:
            held.append(free := (np.zeros(here.shape, dtype), []))
        free[0][here] = label.value
        free[1].append(label)
    like = volume.isel({SEGMENT: 0}, drop=True)
    like = like.drop_vars([name for name in segment_coords(every) if name in like.coords])
    found = []
    for values, labels in held:
        one = like.copy(data=values).drop_attrs(deep=False)
        one.name = mask.name
        found.append(with_labels(one, labels))
    return found
