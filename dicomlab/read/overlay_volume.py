"""From the overlays of a stack to masks on its grid: `load_overlays`."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.findings import OnFault, check_choices
from dicomlab.flat import make_flat
from dicomlab.geometry import AXES
from dicomlab.read.axes import Dims
from dicomlab.read.filling import axis_coordinates
from dicomlab.read.overlays import Overlay, overlays
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.planes import Plane
from dicomlab.read.stacks import Stack
from dicomlab.volumes import make_volume

__all__ = ["load_overlays"]

Mask = npt.NDArray[np.bool_]


def load_overlays(
    source: Source, *, dims: Dims = "auto", on_fault: OnFault = None, progress: bool = True
) -> xr.DataArray:
    """What is drawn over the images of a series, as masks on the grid of its volume.

    Parameters
    ----------
    source, dims, on_fault, progress
        As of `load_volume`; of `on_fault` only what concerns the choice of a stack counts.

    Returns
    -------
    xarray.DataArray
        bool, dims ``("overlay", …)`` and those of the volume. ``overlay`` names the groups (``"6000"`` …), ``kind`` beside it
        says ``"G"`` (graphics) or ``"R"`` (region of interest). Overlays in bits of the pixels count like those in groups of
        their own; points beyond the image are left out. Devices may have drawn names with them.

    Raises
    ------
    DicomLabError
        No image has an overlay; or as `load_volume`.

    References
    ----------
    PS3.3 C.9.2 "Overlay Plane Module", C.9.3 "Multi-frame Overlay Module"; PS3.5 8.1.2.
    """
    check_choices(on_fault)
    stack, _ = find_stack(source, on_fault=on_fault, progress=progress)
    if stack.flat is not None and stack.flat.level is not None:
        raise UnsupportedError(f"{stack.instances[0].file}: overlays of whole slides are not read")
    planes = _in_order(stack, dims)
    found = {id(instance): overlays(instance) for instance in stack.instances}
    groups = sorted({overlay.group for some in found.values() for overlay in some})
    if not groups:
        raise DicomLabError(
            f"none of the {len(stack.instances)} file(s) of this stack has an overlay (groups 6000 to 601E)"
        )
    masks = np.zeros((len(groups), len(planes), *planes[0].shape), dtype=np.bool_)
    for k, plane in enumerate(planes):
        for overlay in found[id(plane.instance)]:
            masks[groups.index(overlay.group), k] |= _drawn_over(plane, overlay)
    kinds = {overlay.group: overlay.kind for some in found.values() for overlay in some}
    coords = {
        "overlay": [f"{group:04X}" for group in groups],
        "kind": ("overlay", [kinds[group] for group in groups]),
    }
    if stack.flat is not None:
        axes = stack.flat.axes
        flat_masks = masks.reshape(len(groups), *axes.shape, *planes[0].shape)
        drawn = make_flat(
            flat_masks,
            plane=stack.flat.plane,
            dims=("overlay", *axes.dims),
            coords=axes.coords,
            name="overlay",
        )
        return drawn.assign_coords(coords)
    arrangement = stack.arrange(dims)
    for axis in arrangement.axes:
        coords |= axis_coordinates(axis)
    return make_volume(
        masks.reshape(len(groups), *arrangement.shape, *planes[0].shape),
        geometry=stack.geometry_of(arrangement),
        dims=("overlay", *(axis.name for axis in arrangement.axes), *AXES),
        coords=coords,
        name="overlay",
    )


def _in_order(stack: Stack, dims: Dims) -> list[Plane]:
    if stack.flat is None:
        return list(stack.arrange(dims).planes)
    return [stack.planes[int(k)] for k in stack.flat.axes.order]


def _drawn_over(plane: Plane, overlay: Overlay) -> Mask:
    """The part of an overlay that lies on a plane, on the grid of the plane."""
    rows, columns = (plane.instance.integer(keyword, 0) for keyword in ("Rows", "Columns"))
    mask = np.zeros((rows, columns), dtype=np.bool_)
    frame = 0 if len(overlay.values) == 1 else plane.frame - overlay.first_frame
    if 0 <= frame < len(overlay.values):
        drawn = overlay.values[frame]
        (top, left), (height, width) = overlay.origin, drawn.shape
        inside = (
            slice(max(top, 0), max(min(top + height, rows), 0)),
            slice(max(left, 0), max(min(left + width, columns), 0)),
        )
        part = drawn[max(-top, 0) :, max(-left, 0) :]
        target = mask[inside]
        target[...] = part[: target.shape[0], : target.shape[1]]
    return np.asarray(plane.cut(mask))
