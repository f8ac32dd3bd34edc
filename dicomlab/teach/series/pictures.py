"""Small pictures of images, made when they are asked for; none of images that may show a name."""

from __future__ import annotations

import base64
from io import BytesIO
from typing import Final

import numpy as np
import numpy.typing as npt

from dicomlab import windowing
from dicomlab.errors import DicomLabError
from dicomlab.flat import eight_bits
from dicomlab.read.attributes import volume_attrs
from dicomlab.read.images import stored_image
from dicomlab.read.modality import modality_transform
from dicomlab.read.planes import Plane
from dicomlab.read.stacks import Stack

__all__ = ["SMALL", "picture_of"]

SMALL: Final = 96
"""Pixels of the longer side."""
_MOST: Final = 1 << 24
"""Pixels of an image that is decoded for a picture of it."""


def picture_of(stack: Stack, plane: Plane) -> dict[str, str]:
    """A small picture of a plane as a data URI, ``{"src": …}``, or why there is none, ``{"why": …}``."""
    if stack.flat is not None:
        return {
            "why": "Images without a place in the patient may have names written in them: none is shown unasked."
        }
    rows, columns = plane.shape
    if not 0 < rows * columns <= _MOST:
        return {"why": f"{rows} × {columns} pixels are too many, or none, for a small picture."}
    try:
        return {"src": _data_uri(_grey(plane), plane)}
    except (DicomLabError, OSError) as problem:
        return {"why": f"Its pixels cannot be read ({type(problem).__name__})."}


def _grey(plane: Plane) -> npt.NDArray[np.uint8]:
    image = stored_image(plane.instance)
    stored = plane.cut(image.read(plane.frame))
    if image.is_colour:
        return eight_bits(stored, image.bits_stored)
    step = max(1, max(stored.shape) // SMALL)
    stored = np.ascontiguousarray(stored[::step, ::step])
    values = np.empty(stored.shape, np.float32)
    transform = modality_transform(plane)
    transform.apply(stored, values)
    attrs = volume_attrs([plane], [transform], ())
    window = (*windowing.windows_from_attrs(attrs), windowing.auto_window(values))[0]
    grey = np.floor(windowing.apply_window(values, window) * 255 + 0.5).astype(np.uint8)
    inverted = plane.text("PhotometricInterpretation") == "MONOCHROME1" or plane.modality == "PT"
    return np.asarray(255 - grey if inverted else grey)


def _data_uri(grey: npt.NDArray[np.uint8], plane: Plane) -> str:
    """A PNG in square millimetres whose longer side has `SMALL` pixels."""
    from PIL import Image

    spacing = plane.pixel_spacing
    tall, wide = (1.0, 1.0) if spacing is None else (float(x) for x in spacing)
    height, width = plane.shape[0] * tall, plane.shape[1] * wide
    scale = SMALL / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    picture = Image.fromarray(np.ascontiguousarray(grey)).resize(size, Image.Resampling.BILINEAR)
    buffer = BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
