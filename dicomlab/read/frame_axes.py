"""The axis along which the frames of an object without positions follow each other: time, or what its vectors number.

Frame Increment Pointer (0028,0009) names the attributes that differ from frame to frame (PS3.3 C.7.6.6).
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import UnsupportedError
from dicomlab.read.elements import Attributes

__all__ = ["FrameAxes", "frame_axes", "full_product"]

FloatArray = npt.NDArray[np.float64]

_FRAME_TIME, _FRAME_TIME_VECTOR = 0x00181063, 0x00181065


@dataclass(frozen=True, eq=False)
class FrameAxes:
    """Axes that the frames of an object form.

    Parameters
    ----------
    dims
        Names of the axes; none for a single frame.
    shape
        Number of frames along each.
    order
        Frame numbers (zero-based) in the order of the axes, the last running fastest; shape ``(frames,)``.
    coords
        Labels along the axes.
    """

    dims: tuple[str, ...] = ()
    shape: tuple[int, ...] = ()
    order: npt.NDArray[np.intp] = field(default_factory=lambda: np.zeros(1, np.intp))
    coords: Mapping[str, xr.Variable] = field(default_factory=dict)


def frame_axes(attributes: Attributes, frames: int) -> FrameAxes:
    """Axes of the frames of an object without patient positions: ``time`` in seconds where the file gives it, else ``frame``.

    Nuclear medicine has axes of its own, see `dicomlab.read.nuclear.nuclear_axes`.

    Parameters
    ----------
    attributes
        Of the object.
    frames
        Number of Frames (0028,0008).

    References
    ----------
    PS3.3 C.7.6.5 "Cine Module" (Frame Time, Frame Time Vector, Frame Delay), C.7.6.6 "Multi-frame Module".
    """
    if frames == 1:
        return FrameAxes()
    order = np.arange(frames)
    times, source = _times(attributes, frames)
    if times is None:
        said = {"source": source, "long_name": "number of the frame, from 0"}
        return FrameAxes(("frame",), (frames,), order, {"frame": xr.Variable("frame", order, said)})
    delay = attributes.number("FrameDelay") or 0.0
    said = {"units": "s", "source": source, "long_name": "time of the frame"}
    if delay:
        said["source"] += ", after Content Time (0008,0033) by Frame Delay (0018,1066)"
    seconds = (times + delay) / 1000
    return FrameAxes(("time",), (frames,), order, {"time": xr.Variable("time", seconds, said)})


def _times(attributes: Attributes, frames: int) -> tuple[FloatArray | None, str]:
    """Milliseconds from the first frame, and where they are from; None and why there are none."""
    pointers = attributes.numbers("FrameIncrementPointer")
    pointed = set() if pointers is None else {int(tag) for tag in pointers}
    vector, step = attributes.numbers("FrameTimeVector"), attributes.number("FrameTime")
    if _FRAME_TIME_VECTOR in pointed or (vector is not None and _FRAME_TIME not in pointed and not pointed):
        if vector is None or vector.size != frames:
            count = 0 if vector is None else vector.size
            return (
                None,
                f"Frame Time Vector (0018,1065) has {count} values for {frames} frames, so no frame has a time",
            )
        # Each value is the time since the frame before; what stands first belongs to no interval.
        since: FloatArray = np.cumsum(np.concatenate([[0.0], vector[1:]]))
        return since, "by Frame Time Vector (0018,1065)"
    if step is not None and step > 0 and (_FRAME_TIME in pointed or not pointed):
        return step * np.arange(frames, dtype=np.float64), "by Frame Time (0018,1063)"
    rate = attributes.number("CineRate")
    if rate is not None and rate > 0 and (not pointed or _FRAME_TIME in pointed):
        why = "by Cine Rate (0018,0040), frames a second, because there is no Frame Time (0018,1063)"
        return 1000 / rate * np.arange(frames, dtype=np.float64), why
    if pointed:
        named = ", ".join(f"({tag >> 16:04X},{tag & 0xFFFF:04X})" for tag in sorted(pointed))
        return (
            None,
            f"the frames follow {named}, named by Frame Increment Pointer (0028,0009); no time is stated",
        )
    return None, "the file does not say how far frames are apart: no Frame Increment Pointer (0028,0009)"


def full_product(
    keys: Mapping[str, Sequence[Hashable]], frames: int, what: str
) -> tuple[tuple[str, ...], tuple[int, ...], npt.NDArray[np.intp], list[list[Any]]]:
    """Axes of `frames` that each bear one label of every key.

    Returns
    -------
    dims, shape, order, labels
        As in `FrameAxes`, and the distinct labels along every axis, ascending. Keys of one label form no axis.

    Raises
    ------
    UnsupportedError
        A combination of labels is missing or occurs twice: the message names one.
    """
    labels = {name: sorted(set(values)) for name, values in keys.items()}  # type: ignore[type-var]
    dims = tuple(name for name in keys if len(labels[name]) > 1)
    shape = tuple(len(labels[name]) for name in dims)
    place: dict[tuple[Any, ...], int] = {}
    for frame in range(frames):
        combination = tuple(keys[name][frame] for name in dims)
        if combination in place:
            raise UnsupportedError(
                f"{what} form no full array: frames {place[combination] + 1} and {frame + 1} are both "
                f"{_spell(dims, combination)}"
            )
        place[combination] = frame
    if math.prod(shape) != frames:
        for indices in np.ndindex(*shape):
            combination = tuple(labels[name][k] for name, k in zip(dims, indices, strict=True))
            if combination not in place:
                raise UnsupportedError(
                    f"{what} form no full array: {frames} frames where {' x '.join(map(str, shape))} "
                    f"({', '.join(dims)}) are needed; there is none with {_spell(dims, combination)}"
                )
    ordered = [
        place[tuple(labels[name][k] for name, k in zip(dims, indices, strict=True))]
        for indices in np.ndindex(*shape)
    ]
    return dims, shape, np.array(ordered, np.intp), [labels[name] for name in dims]


def _spell(dims: Sequence[str], combination: Sequence[Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(dims, combination, strict=True)) or "alike"
