"""Small pictures of the slices of a series, to be seen where they lie."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.images import stored_image
from dicomlab.read.modality import modality_transform
from dicomlab.read.planes import Plane
from dicomlab.view.codec import packed
from dicomlab.view.shade import grey
from dicomlab.windowing import resolve_window, shown_inverted

__all__ = ["MOST", "of_planes", "of_volume"]

MOST = 40
"""Slices that have a picture; of more, every second, third … one."""
_SIDE = 56

Values = npt.NDArray[Any]


def _chosen(count: int) -> list[int]:
    return list(range(0, count, -(-count // MOST)))


def of_planes(planes: Sequence[Plane]) -> dict[str, Any]:
    """Return pictures of planes, in their order, as JSON; nothing where their pixels cannot be read or are in colour."""
    middle = planes[len(planes) // 2]

    def values(k: int) -> Values:
        plane = planes[k]
        image = stored_image(plane.instance)
        if image.is_colour:
            raise DicomLabError("a picture in colour is no grey slice")
        stored = plane.cut(image.read(plane.frame))
        real = np.empty(stored.shape, np.float32)
        modality_transform(plane).apply(stored, real)
        return real

    try:
        return _pictures(len(planes), values, volume_attrs([middle], [modality_transform(middle)], ()))
    except (DicomLabError, OSError, ValueError):
        return {}  # where slices lie is worth seeing without them; what is wrong with pixels, loading says


def of_volume(volume: xr.DataArray, order: Sequence[int]) -> dict[str, Any]:
    """Return pictures of the slices of a volume in some order, as JSON; nothing where it is no grey one."""
    if volume.dtype.kind not in "biuf" or "sample" in volume.dims:
        return {}
    one = volume.isel({str(dim): 0 for dim in volume.dims if dim not in AXES})
    if set(one.dims) != set(AXES):
        return {}
    one = one.transpose(*AXES)
    attrs = {str(name): value for name, value in volume.attrs.items()}
    return _pictures(len(order), lambda k: np.asarray(one.isel({AXES[0]: order[k]}).values), attrs)


def _pictures(count: int, values: Callable[[int], Values], attrs: dict[str, Any]) -> dict[str, Any]:
    chosen = _chosen(count)
    small = []
    for k in chosen:
        plane = values(k)
        every = -(-max(plane.shape) // _SIDE)
        small.append(plane[every // 2 :: every, every // 2 :: every])
    window = resolve_window(None, attrs, lambda: np.stack(small))
    greys = np.stack([grey(plane, window, shown_inverted(attrs)) for plane in small])
    return {
        "index": chosen,
        "high": greys.shape[1],
        "wide": greys.shape[2],
        "data": base64.b64encode(packed(greys, 6)).decode("ascii"),
    }
