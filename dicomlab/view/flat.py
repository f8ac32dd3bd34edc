"""Still pictures of images without a place in the patient: radiographs, ultrasound, slides."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr
from matplotlib.axes import Axes

from dicomlab.errors import GeometryError
from dicomlab.flat import SAMPLE_BITS, ImagePlane, eight_bits
from dicomlab.view.panels import NORMAL, Page
from dicomlab.view.shade import grey
from dicomlab.windowing import WindowLike, resolve_window, shown_inverted

__all__ = ["show_flat"]

_MOST_PIXELS = 1 << 26
"""Pixels beyond which a picture is refused: a slide has a thousand times as many as any screen."""


def show_flat(
    image: xr.DataArray,
    *,
    window: WindowLike | None = None,
    invert: bool | None = None,
    cmap: str = "gray",
    interpolation: str | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Return matplotlib axes with a flat image in true proportions, labelled in the units of its rows and columns.

    Parameters
    ----------
    image
        Dims (row, column), or (row, column, sample) in colour.
    window, invert, cmap, interpolation, ax
        As in `dicomlab.show`. Colours have no window.

    Raises
    ------
    GeometryError
        The image has further axes, or lost its rows or columns, or is too large for a picture.
    WindowError
        There is no such window.
    """
    plane = ImagePlane.from_image(image)
    extra = [str(dim) for dim in image.dims if dim not in ("row", "column", "sample")]
    if extra or not {"row", "column"} <= set(image.dims):
        choice = ", ".join(f"{dim}=0" for dim in extra)
        hint = f" Choose one along the further axes first: image.isel({choice})." if extra else ""
        raise GeometryError(
            f"an image with rows and columns was asked for; found dims {tuple(image.dims)}.{hint}"
        )
    if image.sizes["row"] * image.sizes["column"] > _MOST_PIXELS or not image.size:
        raise GeometryError(
            f"{image.sizes['row']} x {image.sizes['column']} pixels are no picture; take a part (image.isel("
            "row=slice(0, 2000), column=slice(0, 2000))) or a smaller stack of the series"
        )
    colour = "sample" in image.dims
    values = image.transpose("row", "column", *(("sample",) if colour else ())).values
    text = ""
    if colour:
        shown = eight_bits(values, int(image.attrs.get(SAMPLE_BITS, 16)))
    else:
        chosen = resolve_window(window, image.attrs, lambda: values)
        shown = grey(values, chosen, shown_inverted(image.attrs) if invert is None else invert)
        text = f"{chosen} {image.attrs.get('units', '')}".strip()
    top, bottom = _borders(image, "row", plane.steps[0])
    left, right = _borders(image, "column", plane.steps[1])
    # One unit down the image is as long as one across, except where pixels alone are counted and are not square.
    aspect = plane.aspect
    if plane.name == "region" and plane.pixel_spacing is None:
        # Seconds and cm/s have no common length: the pixels are shown square, as they were on the screen.
        aspect = abs((right - left) / image.sizes["column"] / ((bottom - top) / image.sizes["row"]))
    height, width = abs(bottom - top) * aspect, abs(right - left)
    if ax is None:
        scale = min(5.4 / width, 4.8 / height)
        page = Page(width * scale + 1.0, height * scale + 1.0)
        ax = page.axes(0.8, 0.45, width * scale, height * scale)
    style: dict[str, Any] = {} if colour else {"cmap": cmap, "vmin": 0, "vmax": 255}
    ax.imshow(
        shown,
        extent=(left, right, bottom, top),
        origin="upper",
        aspect=aspect,
        interpolation=interpolation if interpolation == "nearest" else "antialiased",
        **style,
    )
    for name, label in (("column", ax.set_xlabel), ("row", ax.set_ylabel)):
        units = str(image.coords[name].attrs.get("units", ""))
        label(f"{name} ({units if plane.name == 'pixels' else f'{units}, {plane.name}'})", parse_math=False)
    about = " ".join(str(image.attrs.get("SeriesDescription") or "").split())[:60]
    ax.set_title("   ".join(filter(None, (about, text))), loc="left", fontsize=NORMAL, parse_math=False)
    return ax


def _borders(image: xr.DataArray, name: str, step: float) -> tuple[float, float]:
    """Outer borders of the first and the last pixel along an axis."""
    line: npt.NDArray[np.float64] = np.asarray(image.coords[name].values, dtype=np.float64)
    half = (line[-1] - line[0]) / (line.size - 1) / 2 if line.size > 1 else step / 2
    return float(line[0] - half), float(line[-1] + half)
