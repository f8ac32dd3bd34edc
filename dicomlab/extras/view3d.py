"""A volume in three dimensions, drawn by k3d (``pip install 'dicomlab[view3d]'``); also ``volume.dicom.view3d()``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import GeometryError
from dicomlab.geometry import AXES, Geometry
from dicomlab.optional import optional
from dicomlab.view.grid import Grid
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
    window: WindowLike | None = None,
    opacity: float = 1.0,
    height: int = 512,
    voxels: int = 8_000_000,
) -> k3d.plot.Plot:
    """A view of a volume from the front that the mouse turns, with the letters of the patient's sides around it.

    Scene coordinates are LPS mm, so whatever else is put into the plot lies where it is in the patient.

    Parameters
    ----------
    volume
        Dims slice, row, column; evenly spaced. Oblique and tilted ones stand as they lie in the patient.
    window
        As in `dicomlab.browse`: what lies below it is clear, what lies above it is dense. None for the file's first, or an
        automatic one; of a CT ``"bone"`` shows the skeleton.
    opacity
        How dense it is: less shows what lies deeper.
    height
        Of the view, in CSS pixels.
    voxels
        At most so many travel to the browser; of a larger volume every second, third … one along each axis.

    Returns
    -------
    k3d.plot.Plot
        A widget; ``.get_snapshot()`` is an HTML page that needs neither kernel nor network.

    Raises
    ------
    MissingDependencyError
        k3d is not installed.
    GeometryError
        This is no volume, or its slices are uneven: use ``volume.dicom.regularize()`` first.
    WindowError
        There is no such window.
    """
    k3d = optional("k3d", purpose="The view in three dimensions", extra="view3d")
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
    plot += k3d.volume(
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
    ends = corners[:, :3].min(axis=0), corners[:, :3].max(axis=0)
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
    return plot


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
