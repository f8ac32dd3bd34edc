"""What the kernel answers to a page: slices as 16-bit codes, and planes where the slices are not all there yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.view.codec import encode, packed, thinned
from dicomlab.view.plane import Plane
from dicomlab.view.sample import Slab, sample
from dicomlab.view.source import Source

__all__ = ["answer"]

_MOST_PIXELS = 4096 * 4096
_DIVIDES = (1, 2, 4)

Reply = tuple[dict[str, Any], list[memoryview | bytes]]
_Arrays = tuple[dict[str, Any], list[npt.NDArray[Any]]]


def answer(sources: Sequence[Source], content: Mapping[str, Any]) -> Reply | None:
    """The reply to a demand of the page, and its buffers; None where nothing is to be said.

    Whatever goes wrong while values are read belongs on the screen, not in a log that nobody sees; but messages of others may
    name files and so patients.
    """
    kind = content.get("type")
    number = content.get("source")
    if kind not in ("pull", "plane") or not isinstance(number, int) or not 0 <= number < len(sources):
        return None
    source = sources[number]
    if content.get("key") != source.key:
        return None  # the page has been told of new voxels and asks again
    head = {"generation": content["generation"], "key": source.key, "id": content["id"]}
    step = int(content["step"])
    if not 0 <= step < source.count:
        return None
    message, arrays = (_slices if kind == "pull" else _plane)(source, step, content, head)
    if content.get("pack") is not True:
        return message, [array.data for array in arrays]
    # The line is slower than packing.
    return {**message, "packed": [array.dtype.itemsize for array in arrays]}, [
        packed(array) for array in arrays
    ]


def _slices(source: Source, step: int, content: Mapping[str, Any], head: dict[str, Any]) -> _Arrays:
    items: list[dict[str, Any]] = []
    buffers: list[npt.NDArray[Any]] = []
    divide = content.get("divide", 1)  # a slice that only passes by comes with fewer pixels
    if divide not in _DIVIDES:
        divide = 1
    for index in content["slices"]:
        try:
            plane = source.slice(step, int(index))
            codes, scale = encode(thinned(plane, divide, mixed=not source.grid(step).is_mask))
        except Exception as error:
            items.append({"slice": index, "error": f"slice {index} cannot be read: {_reason(error)}"})
            continue
        items.append({"slice": index, "buffer": len(buffers), "divide": divide, **scale})
        buffers.append(codes)
    return {"type": "slices", **head, "items": items}, buffers


def _plane(source: Source, step: int, content: Mapping[str, Any], head: dict[str, Any]) -> _Arrays:
    told, slab = content["plane"], content.get("slab")
    try:
        plane = Plane(
            tuple(map(float, told["origin"])),  # type: ignore[arg-type]
            tuple(map(float, told["right"])),  # type: ignore[arg-type]
            tuple(map(float, told["down"])),  # type: ignore[arg-type]
            float(told["pixel"]),
            int(told["width"]),
            int(told["height"]),
        )
        if not 0 < plane.width * plane.height <= _MOST_PIXELS:
            raise DicomLabError("no plane has so many pixels")
        thick = None if slab is None else Slab(slab["mode"], float(slab["thickness"]))
        values = sample(source.grid(step), plane, content["interpolation"], thick)
    except Exception as error:
        return {"type": "plane", **head, "error": _reason(error)}, []
    return {"type": "plane", **head}, [np.ascontiguousarray(values, dtype="<f4")]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, DicomLabError) else type(error).__name__
