"""Volumes and masks in three dimensions, drawn by k3d (``pip install 'dicomlab[view3d]'``); also ``volume.dicom.view3d()``."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import SEGMENT, labels_of, with_labels
from dicomlab.masks.labels import first_colour
from dicomlab.optional import optional
from dicomlab.surfaces import Surface, surfaces
from dicomlab.view.grid import Grid
from dicomlab.view.masks import MasksLike
from dicomlab.view.page import span
from dicomlab.windowing import WindowLike, resolve_window, shown_inverted

if TYPE_CHECKING:
    import k3d.plot

__all__ = ["view3d"]

_SIDES = {"L": (1, 0, 0), "R": (-1, 0, 0), "P": (0, 1, 0), "A": (0, -1, 0), "H": (0, 0, 1), "F": (0, 0, -1)}
_INK = 0xFFD479
_GROUND = 0x101316


def view3d(
    volume: xr.DataArray,
    *,
    masks: MasksLike | None = None,
    window: WindowLike | None = None,
    opacity: float = 1.0,
    mask_opacity: float = 0.6,
    smooth_mm: float = 0.0,
    height: int = 512,
    voxels: int = 8_000_000,
) -> k3d.plot.Plot:
    """A view of a volume from the front that the mouse turns, with the letters of the patient's sides around it.

    Scene coordinates are LPS mm, so whatever else is put into the plot lies where it is in the patient.

    Parameters
    ----------
    volume
        Dims slice, row, column; evenly spaced. Oblique and tilted ones stand as they lie in the patient. Or a mask (bool, with
        a dim ``segment``, or whole numbers that have names), which is drawn as if it were given as `masks`, alone.
    masks
        Drawn as coloured surfaces, with their names: one, several, or several by name, in the frame of reference of the volume;
        their grids may be others, uneven ones too.
    window
        As in `dicomlab.browse`: what lies below it is clear, what lies above it is dense. None for the file's first, or an
        automatic one; of a CT ``"bone"`` shows the skeleton.
    opacity
        How dense the volume is: less shows what lies deeper.
    mask_opacity
        From 0 to 1, of surfaces.
    smooth_mm
        Ripples of surfaces shorter than this are flattened; see `dicomlab.surfaces.surfaces`.
    height
        Of the view, in CSS pixels.
    voxels
        At most so many travel to the browser; of a larger volume every second, third … one along each axis. Surfaces of
        labels that fill a larger box are coarser by as much.

    Returns
    -------
    k3d.plot.Plot
        A widget; ``.get_snapshot()`` is an HTML page that needs neither kernel nor network.

    Raises
    ------
    MissingDependencyError
        k3d is not installed.
    GeometryError
        This is no volume, or its slices are uneven: use ``volume.dicom.regularize()`` first. Masks lie in another frame of
        reference.
    DicomLabError
        A mask is none, or has no voxels in it.
    WindowError
        There is no such window.
    """
    k3d = optional("k3d", purpose="The view in three dimensions", extra="view3d")
    if not 0 <= mask_opacity <= 1:
        raise DicomLabError(f"mask_opacity= is a number from 0 to 1; found {mask_opacity}")
    plot = k3d.plot(
        height=height,
        background_color=_GROUND,
        grid_visible=False,
        camera_auto_fit=False,
        axes=["L", "P", "H"],
        axes_helper=0.0,
        colorbar_object_id=0,
        label_color=_INK,
        menu_visibility=False,
    )
    is_alone = masks is None and _is_mask(volume)
    frame = Geometry.from_volume(volume).frame_of_reference
    found = _surfaces(volume if is_alone else masks, frame, smooth_mm, voxels)
    if is_alone:
        points = np.concatenate([one.vertices for one in found])
    else:
        cloud, points = _cloud(k3d, volume, window, opacity, voxels)
        plot += cloud
    for one in found:
        plot += k3d.mesh(
            one.vertices.astype(np.float32),
            one.faces.astype(np.uint32),
            color=_packed(one.label.colour),
            opacity=mask_opacity,
            flat_shading=False,
            name=one.label.name,
            compression_level=1,
        )
    for k, one in enumerate(found):
        # A line of the legend each, as a text has one colour. k3d takes it for HTML.
        plot += k3d.text2d(
            html.escape(one.label.name),
            position=(0.02, 0.02 + k * min(0.05, 0.95 / len(found))),
            color=_packed(one.label.colour),
            label_box=False,
            is_html=True,
            name=f"name of {one.label.name}",
        )
    _set_out(k3d, plot, points)
    return plot


def _is_mask(volume: xr.DataArray) -> bool:
    """Whether it says of itself that it is one: whole numbers alone may be an image."""
    named = "labels" in volume.attrs or "flag_meanings" in volume.attrs
    return volume.dtype == np.bool_ or SEGMENT in volume.dims or (named and volume.dtype.kind in "iu")


def _surfaces(masks: MasksLike | None, frame: str, smooth_mm: float, voxels: int) -> list[Surface]:
    """The surfaces of all masks, no two of the same colour."""
    if masks is None:
        return []
    if isinstance(masks, Mapping):
        given = [_called(str(name), mask) for name, mask in masks.items()]
    elif isinstance(masks, xr.DataArray) or not isinstance(masks, Iterable):
        given = [masks]
    else:
        given = list(masks)
    made: list[Surface] = []
    for mask in given:
        found = surfaces(mask, smooth_mm=smooth_mm, voxels=voxels)
        own = Geometry.from_volume(mask).frame_of_reference
        if own != frame:
            raise GeometryError(
                f"Masks in the frame of reference {frame} were asked for; one is in {own}: mm of the two have nothing in "
                "common. Bring it over by mask.dicom.transform, or say that they are one by mask.dicom.assume_frame."
            )
        for one in found:
            if any(one.label.colour == other.label.colour for other in made):
                one = replace(one, label=replace(one.label, colour=first_colour(len(made))))
            made.append(one)
    return made


def _called(name: str, mask: Any) -> Any:
    """The mask under this name, where it has one label."""
    if not isinstance(mask, xr.DataArray) or mask.dtype != np.bool_ or SEGMENT in mask.dims:
        return mask
    return with_labels(mask, replace(labels_of(mask)[0], name=name))


def _packed(colour: str | None) -> int:
    return int(str(colour).lstrip("#"), 16)


def _cloud(
    k3d: Any, volume: xr.DataArray, window: WindowLike | None, opacity: float, voxels: int
) -> tuple[Any, npt.NDArray[np.float64]]:
    """The values of a volume, and the corners (LPS mm) of the box that they fill."""
    grid = Grid.from_volume(volume)
    if grid.missing or 1 in grid.shape:
        raise GeometryError(
            f"A volume with two or more voxels along each axis was asked for; found shape {volume.shape}, dims {volume.dims}."
        )
    chosen = resolve_window(window, grid.attrs, grid.sample)
    low, high = span(chosen)
    # Coarser by whole steps, so that no value is made up.
    by = max(1, math.ceil((math.prod(grid.shape) / voxels) ** (1 / 3)))
    part = volume.isel({name: slice(None, None, by) for name in AXES if volume.sizes[name] > by})
    values, matrix = _standing(part.transpose(*AXES))
    values = np.clip(np.nan_to_num(values, nan=low), low, high)
    if (
        shown_inverted(grid.attrs)
        and window is None
        and grid.attrs.get("PhotometricInterpretation") == "MONOCHROME1"
    ):
        values = low + high - values
    made = k3d.volume(
        values,
        color_map=[0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0],
        opacity_function=[0.0, 0.0, 0.15, 0.0, 1.0, 1.0],
        color_range=[low, high],
        alpha_coef=40 * opacity,
        model_matrix=matrix,
        compression_level=1,
        name="volume",
    )
    corners = np.array([matrix @ [x, y, z, 1] for x in (-0.5, 0.5) for y in (-0.5, 0.5) for z in (-0.5, 0.5)])
    return made, corners[:, :3]


def _set_out(k3d: Any, plot: Any, points: npt.NDArray[np.float64]) -> None:
    """Letters around all that is there, and the eye before it."""
    ends = points.min(axis=0), points.max(axis=0)
    middle, half = (ends[0] + ends[1]) / 2, (ends[1] - ends[0]) / 2
    places = middle + np.array(list(_SIDES.values())) * (half + 0.06 * half.max())
    plot += k3d.text(
        list(_SIDES),
        position=places.astype(np.float32),
        color=_INK,
        reference_point="cc",
        label_box=False,
        is_html=True,
        size=1.2,
        name="sides of the patient",
    )
    # As one stands before the patient: right is on the left, head is up.
    away = 1.15 * float(np.linalg.norm(half)) / math.tan(math.radians(plot.camera_fov / 2))
    plot.camera = [*(middle - [0, away, 0]), *middle, 0.0, 0.0, 1.0]


def _standing(volume: xr.DataArray) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64]]:
    """Values (slice, row, column), and what makes LPS mm of k3d's cube of side 1 around the origin, x along the columns.

    The matrix keeps hands: a mirrored one would turn the faces of the cube inside out, so the slices are turned round instead.
    """
    affine = Geometry.from_volume(volume).affine
    values = np.ascontiguousarray(volume.values, dtype=np.float32)
    if np.linalg.det(affine[:3, 2::-1]) < 0:
        values = np.ascontiguousarray(values[::-1])
        affine = affine @ np.array(
            [[-1.0, 0, 0, values.shape[0] - 1], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]
        )
    size = np.array(values.shape, dtype=np.float64)
    matrix = np.eye(4)
    matrix[:3, :3] = (affine[:3, :3] * size)[:, ::-1]
    matrix[:3, 3] = affine[:3, 3] + affine[:3, :3] @ ((size - 1) / 2)
    return values, matrix
