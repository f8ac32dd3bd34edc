"""What the window explorer looks at: one slice, how its values were made, and how often each occurs in the whole volume."""

from __future__ import annotations

import base64
import operator
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.flat import is_flat
from dicomlab.geometry import AXES, FRAME, Geometry
from dicomlab.phantom import body
from dicomlab.phantom.grid import plan
from dicomlab.phantom.truth import noise
from dicomlab.read import Series, Stack, open_volume
from dicomlab.read.modality import modality_transform
from dicomlab.read.picking import find_stack
from dicomlab.teach.window.loss import TISSUES
from dicomlab.view.codec import encode, packed, thinned
from dicomlab.view.state import position_letters
from dicomlab.view.windows import lut_text, presets
from dicomlab.windowing import auto_window, resolve_window, shown_inverted

__all__ = ["Subject", "subject_of"]

_SIDE = 512
"""Pixels of a slice along its longer side that are sent; of larger ones every second, third … pixel."""

_LEVELS = 1 << 16
"""Values of a volume are counted one by one where no more than this lie between lowest and highest."""


@dataclass(frozen=True, eq=False)
class Subject:
    """One picture and what is known of it.

    Parameters
    ----------
    plane
        Values (row, column), as they are sent.
    attrs
        Attributes of the volume.
    aspect
        Height of a pixel by its width.
    letters
        Where the left, right, upper and lower edge of the picture lie in the patient; empty where nobody knows.
    where
        Which slice it is, in words.
    every
        One pixel of so many by so many is sent.
    lowest, counts
        How often each whole number from the lowest on occurs in the volume; none where that was not counted.
    rescale
        Slope and intercept by which stored values became these; None where there are none for all.
    """

    plane: npt.NDArray[Any]
    attrs: Mapping[str, Any]
    aspect: float
    letters: tuple[str, ...]
    where: str
    every: int
    lowest: int
    counts: npt.NDArray[np.uint32]
    rescale: list[float] | None

    def facts(self) -> dict[str, Any]:
        """What the page has to know, ready for JSON."""
        codes, scale = encode(self.plane)
        integer = self.plane.dtype.kind in "biu"
        units = str(self.attrs.get("units") or "")
        ct = self.attrs.get("Modality") == "CT" and units == "HU"
        return {
            "title": self._title(),
            "where": self.where,
            "units": units,
            "integer": integer,
            "rows": self.plane.shape[0],
            "columns": self.plane.shape[1],
            "every": self.every,
            "aspect": self.aspect,
            "letters": list(self.letters),
            "codes": base64.b64encode(packed(codes, 6)).decode("ascii"),
            "scale": dict(scale),
            "lowest": self.lowest,
            "counts": base64.b64encode(packed(self.counts, 6)).decode("ascii") if self.counts.size else "",
            "presets": presets(self.attrs, auto_window(self.plane)),
            "photometric": str(self.attrs.get("PhotometricInterpretation") or ""),
            "rescale": self.rescale,
            "made": str(self.attrs.get("value_transform") or ""),
            "tissues": [[name, value] for name, value in TISSUES] if ct else [],
        }

    def first(self) -> dict[str, Any]:
        """The state to begin with: the window that a viewer would take."""
        window = resolve_window(None, self.attrs, lambda: self.plane)
        return {
            "center": window.center,
            "width": window.width,
            "function": window.function,
            "lut": lut_text(window),
            "invert": shown_inverted(self.attrs),
        }

    def _title(self) -> str:
        modality, text = (
            str(self.attrs.get(name) or "").strip() for name in ("Modality", "SeriesDescription")
        )
        return text if modality and text.startswith(modality) else f"{modality} {text}".strip()


def subject_of(source: Any, index: int | None) -> Subject:
    """Return the slice that is looked at.

    Raises
    ------
    DicomLabError
        There is no picture of one grey value a pixel in it, or no such slice.
    """
    if source is None:
        return _phantom()
    stack: Stack | None = None
    if isinstance(source, (str, os.PathLike, Series, Stack)):
        stack, _ = find_stack(cast(Any, source), progress=False)
        source = open_volume(stack)
    image = source if isinstance(source, xr.DataArray) else _bare(source)
    extra, first = [str(dim) for dim in image.dims if dim not in AXES], ""
    if "sample" in extra or image.dtype.kind not in "biuf":
        raise DicomLabError(
            "A window is for one grey value a pixel; this is a picture in colour or of no real numbers. "
            "volume.isel(sample=0) is the red of a coloured one."
        )
    if extra:
        # The first step stands for all; a window is looked at on one picture.
        first = ", ".join(f"the first of {image.sizes[dim]} along {dim}" for dim in extra)
        image = image.isel(dict.fromkeys(extra, 0))
    lacking = [name for name in AXES[1:] if name not in image.dims]
    if lacking or image.size == 0:
        raise DicomLabError(
            f"A picture of rows and columns was asked for; found the dims {image.dims} of sizes {image.shape}. "
            "Keep an axis by a list: volume.isel(row=[10])."
        )
    where, count, number = "", 0, 0
    lowest, counts = 0, np.zeros(0, np.uint32)
    whole = image
    if AXES[0] in image.dims:
        image = image.transpose(*AXES)
        count = image.sizes[AXES[0]]
        number = _number(index, count)
        image = image.isel({AXES[0]: number})
        where = f"slice {number + 1} of {count}"
    elif index not in (None, 0):
        raise DicomLabError(f"Slice {index} was asked for; this is one picture, without slices.")
    if count > 1 and whole.variable._in_memory and whole.dtype.kind in "biu":
        lowest, counts = _counted(np.asarray(whole.values).reshape(-1, image.shape[-1]))
    values = np.asarray(image.transpose(*AXES[1:]).values)
    every = -(-max(values.shape) // _SIDE)
    attrs = {str(name): value for name, value in whole.attrs.items()}
    aspect, letters = _shape(whole)
    where = ", ".join(part for part in (where, first) if part)
    shown, rescale = thinned(values, every, mixed=False), _rescale(attrs, stack, number)
    return Subject(shown, attrs, aspect, letters, where, every, lowest, counts, rescale)


def _number(index: int | None, count: int) -> int:
    if index is None:
        return count // 2
    try:
        number = operator.index(index)
    except TypeError:
        raise DicomLabError(
            f"A slice is asked for by its number, 0 to {count - 1}; found {index!r}."
        ) from None
    if not -count <= number < count:
        raise DicomLabError(f"Slice {number} was asked for; there are slices 0 to {count - 1}.")
    return number % count


def _bare(source: Any) -> xr.DataArray:
    """An array without a place and a name: two dims are rows and columns, a third comes first."""
    array = np.asarray(source)
    if array.ndim not in (2, 3) or array.dtype.kind not in "biuf":
        raise DicomLabError(
            "A volume, a slice or an array of two or three dims was asked for; found "
            f"{type(source).__name__} of shape {array.shape} and dtype {array.dtype}."
        )
    return xr.DataArray(array, dims=AXES[-array.ndim :])


def _counted(lines: npt.NDArray[Any]) -> tuple[int, npt.NDArray[np.uint32]]:
    """The lowest of whole numbers, and how often it and each after it occur; nothing where they spread too far."""
    low, high = int(lines.min()), int(lines.max())
    if high - low >= _LEVELS:
        return 0, np.zeros(0, np.uint32)
    counts = np.zeros(high - low + 1, np.int64)
    part = max(1, (1 << 20) // max(lines.shape[1], 1))
    for start in range(0, len(lines), part):  # a large volume must not become a larger one
        counts += np.bincount(
            lines[start : start + part].ravel().astype(np.int64) - low, minlength=counts.size
        )
    return low, np.minimum(counts, np.iinfo(np.uint32).max).astype(np.uint32)


def _shape(volume: xr.DataArray) -> tuple[float, tuple[str, ...]]:
    """How high a pixel is by its width, and the letters of the edges."""
    if FRAME not in volume.coords:
        steps: list[Any] = [
            np.abs(np.diff(np.asarray(volume.coords[name], dtype=np.float64)[:2]))
            if name in volume.coords
            else []
            for name in AXES[1:]
        ]
        if is_flat(volume) and all(len(step) for step in steps) and steps[1][0] > 0:
            return float(steps[0][0] / steps[1][0]) or 1.0, ()
        return 1.0, ()
    geometry = Geometry.from_volume(volume)
    _, row, column = geometry.spacing
    aspect = row / column if np.isfinite([row, column]).all() and column > 0 and row > 0 else 1.0
    right, down = (
        geometry.direction[:, axis] * (-1.0 if line.size > 1 and line[-1] < line[0] else 1.0)
        for axis, line in ((2, geometry.column), (1, geometry.row))
    )
    return float(aspect), tuple(position_letters(side) for side in (-right, right, -down, down))


def _rescale(attrs: Mapping[str, Any], stack: Stack | None, number: int) -> list[float] | None:
    """Slope and intercept by which stored values became these: those of the file, else as the volume tells them."""
    told = rescale_of(attrs)
    if (
        stack is None
        or "resampled" in attrs
        or not str(attrs.get("value_transform") or "").startswith("stored ×")
    ):
        return told
    planes = stack.planes if stack.flat is not None else stack.arrangement.planes
    transform = modality_transform(planes[min(number, len(planes) - 1)])
    if transform.lut is not None or not transform.slope:
        return told
    return [transform.slope, transform.intercept]


def rescale_of(attrs: Mapping[str, Any]) -> list[float] | None:
    """Slope and intercept as a volume tells them, to six digits; None where there are none for all its values."""
    made = str(attrs.get("value_transform") or "")
    if "resampled" in attrs:  # values between stored ones
        return None
    if made == "as stored":
        return [1.0, 0.0]
    found = re.match(r"stored × (\S+) ([+-]) ([^\s:]+)(?::|$)", made)
    if not found:
        return None
    slope, sign, shift = found.groups()
    try:
        numbers = [float(slope), float(f"{sign}{shift}")]
    except ValueError:
        return None
    return numbers if numbers[0] and all(np.isfinite(numbers)) else None


def _phantom() -> Subject:
    """A slice through lungs, heart, liver and spine of the phantom's CT, made at once and without a file."""
    grid = plan((32, 176, 216), "axial", (410.72, 336.0, 320.0), (0.0, 8.0, -18.0))
    number = 17
    clean, _ = body.sample(grid.points(number), "hu")
    plane = np.clip(np.rint(clean + 9.0 * noise(clean.shape, 1, number)), -1024, 3071).astype(np.int16)
    attrs = {
        "Modality": "CT",
        "SeriesDescription": "CT of the phantom",
        "units": "HU",
        "PhotometricInterpretation": "MONOCHROME2",
        "value_transform": "stored × 1 - 1024: Rescale Slope, Intercept",
        "WindowCenter": [50.0, -600.0],
        "WindowWidth": [400.0, 1500.0],
        "WindowCenterWidthExplanation": "SOFT TISSUE\\LUNG",
    }
    aspect = float(grid.spacing[0]) / float(grid.spacing[1])
    where = f"slice {number + 1} of {grid.shape[0]}"
    return Subject(
        plane, attrs, aspect, ("R", "L", "A", "P"), where, 1, 0, np.zeros(0, np.uint32), [1.0, -1024.0]
    )
