"""RLE frames (PS3.5 Annex G): runs of bytes, in a segment for each byte of a sample."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, cast

import numpy as np
import numpy.typing as npt

from dicomlab.read.streams import StreamError

__all__ = ["decode_rle"]

Values = npt.NDArray[Any]


def decode_rle(data: bytes, colours: int, pixels: int, deep: int, out: Values | None = None) -> Values:
    """Samples of a frame, ``<u{deep}``, shape ``(colours, pixels)``.

    Parameters
    ----------
    data
        The frame.
    deep
        Bytes of a sample.
    out
        Memory that they may lie in, contiguous, when it has their size.

    Raises
    ------
    StreamError
        A segment is missing, overlaps, or does not hold a byte of each pixel.
    """
    if len(data) < 64:
        raise StreamError("it breaks off inside the RLE header")
    count, *offsets = (int(number) for number in np.frombuffer(data[:64], "<u4"))
    if count != colours * deep:
        raise StreamError(f"it has {count} RLE segments where {colours * deep} are needed")
    bounds = [*offsets[:count], len(data)]
    if bounds[0] != 64 or any(b <= a for a, b in pairwise(bounds)):
        raise StreamError("its RLE segments are out of order or outside the frame")
    kind = np.dtype(f"<u{deep}")
    if out is None or out.nbytes != colours * pixels * deep:
        out = np.empty(colours * pixels, kind)
    samples = out.view(kind).reshape(colours, pixels)
    whole = memoryview(data)
    for k, (start, stop) in enumerate(pairwise(bounds)):
        part = _unpacked(cast(bytes, whole[start:stop]), pixels, f"RLE segment {k + 1}")
        sample = samples[k // deep]
        if k % deep:  # the most significant byte came first
            sample <<= 8
            sample |= part
        else:
            sample[:] = part
    return samples


def _unpacked(segment: bytes, length: int, what: str) -> Values:
    import imagecodecs

    if len(segment) * 64 < length:  # two bytes make at most 128
        raise StreamError(f"{what} is too short for {length} bytes")
    try:
        part: Values = np.frombuffer(imagecodecs.packbits_decode(segment), np.uint8)
    except imagecodecs.PackbitsError as problem:
        raise StreamError(f"{what} breaks off") from problem
    if len(part) != length:
        raise StreamError(f"{what} holds {len(part)} bytes where {length} are needed")
    return part
