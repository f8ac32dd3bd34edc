"""Pixels of the frames, one mask for each segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.extras.seg.frames import Frames, unreadable
from dicomlab.extras.seg.grid import Places
from dicomlab.geometry import Geometry
from dicomlab.privacy import cause_of
from dicomlab.read.headers import Instance
from dicomlab.warn import quiet

if TYPE_CHECKING:
    from highdicom.seg import Segmentation

__all__ = ["masks"]


_MOST_BYTES = 8 << 30


def masks(
    file: Segmentation,
    frames: Frames,
    chosen: list[int],
    geometry: Geometry,
    places: Places,
    instance: Instance,
    as_labels: bool = False,
) -> npt.NDArray[Any]:
    """Masks of the `chosen` segments, shape ``(segments, slices, rows, columns)``; or one label map without the first axis."""
    if as_labels:
        if frames.kind == "FRACTIONAL":
            raise DicomLabError(
                f"{instance.file}: as_labels= was asked of fractions, of which a voxel may have several. "
                "dicomlab.masks.to_label_maps(load_segmentation(…)) counts them from 0.5 on."
            )
        dtype, shape = np.dtype(np.uint8 if max(chosen) < 256 else np.uint16), geometry.shape
    else:
        dtype = np.dtype(np.float32 if frames.kind == "FRACTIONAL" else bool)
        shape = (len(chosen), *geometry.shape)  # type: ignore[assignment]
    needed = float(np.prod(np.array(shape, dtype=np.float64))) * dtype.itemsize
    if needed > _MOST_BYTES:
        mend = "" if as_labels else ", or as one label map: as_labels=True"
        raise UnsupportedError(
            f"{len(chosen)} masks of {' x '.join(map(str, geometry.shape))} voxels take {needed / (1 << 30):.1f} GiB; "
            f"load fewer at a time with segments=, for instance segments={chosen[:3]}{mend}"
        )
    _stored(
        file, 0, frames, instance
    )  # a file that only claims to be large fails here, before anything is allocated
    values = np.zeros(shape, dtype)
    rows, columns = places.target
    taken: set[tuple[int, int]] = set()
    for k, (number, where) in enumerate(zip(frames.numbers.tolist(), places.slices.tolist(), strict=True)):
        if where < 0 or (frames.kind != "LABELMAP" and number not in chosen):
            continue
        if (number, where) in taken:
            raise UnsupportedError(
                f"{instance.file}: several frames of one segment lie in one plane (time points?), which no mask can hold"
            )
        taken.add((number, where))
        stored = _stored(file, k, frames, instance)
        part = stored[np.ix_(*places.source)]
        if as_labels:
            inside = np.isin(part, chosen) if frames.kind == "LABELMAP" else part != 0
            plane = values[where][np.ix_(rows, columns)]
            if np.any(plane[inside]):
                raise DicomLabError(
                    f"{instance.file}: as_labels= was asked of segments that overlap, of which a voxel may have several. "
                    "dicomlab.masks.to_label_maps(load_segmentation(…)) makes as many label maps as it takes."
                )
            plane[inside] = part[inside] if frames.kind == "LABELMAP" else number
            values[where, rows[:, None], columns] = plane
            continue
        for mask, segment in enumerate(chosen):
            if frames.kind == "LABELMAP":
                values[mask, where, rows[:, None], columns] = part == segment
            elif segment == number:
                values[mask, where, rows[:, None], columns] = (
                    _shares(part, frames) if frames.kind == "FRACTIONAL" else part != 0
                )
    return values


def _stored(file: Segmentation, k: int, frames: Frames, instance: Instance) -> npt.NDArray[Any]:
    with quiet():
        try:
            stored: npt.NDArray[Any] = np.asarray(file.get_stored_frame(k, as_index=True))
        except Exception as problem:  # whatever decoders raise
            raise UnsupportedError(unreadable(instance, problem)) from cause_of(problem)
    if stored.shape != frames.shape:
        raise DicomLabError(
            f"{instance.file}: a frame of {stored.shape} pixels where {frames.shape} are stated"
        )
    if frames.kind == "LABELMAP":
        unknown = set(np.unique(stored).tolist()) - set(frames.segments) - {frames.background}
        if unknown:
            raise DicomLabError(
                f"{instance.file}: pixels of the segment(s) {sorted(unknown)[:5]}, which the file does not describe"
            )
    return stored


def _shares(part: npt.NDArray[Any], frames: Frames) -> npt.NDArray[np.float32]:
    full = frames.top.integer("MaximumFractionalValue", 0)
    if full < 1 or part.max(initial=0) > full:
        raise DicomLabError(
            f"Maximum Fractional Value (0062,000E) is {full}, pixels reach {part.max(initial=0)}: what share is that?"
        )
    return (part / np.float32(full)).astype(np.float32)
