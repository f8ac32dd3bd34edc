"""`load_segmentation`: from a file to labelled masks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

import xarray as xr

from dicomlab.errors import (
    AmbiguousSourceError,
    DicomLabError,
    NotDicomError,
    UnsupportedError,
)
from dicomlab.extras.seg.describe import label_of
from dicomlab.extras.seg.frames import Frames, unreadable
from dicomlab.extras.seg.grid import on_grid, own_grid
from dicomlab.extras.seg.masks import masks
from dicomlab.geometry import AXES
from dicomlab.masks import SEGMENT, with_labels
from dicomlab.masks.naming import segment_coords
from dicomlab.optional import optional
from dicomlab.privacy import cause_of
from dicomlab.read.find import find_series
from dicomlab.read.headers import Instance, read_header
from dicomlab.read.identity import clean_text, identity_of, shown_text
from dicomlab.read.series import PathLike, Series
from dicomlab.read.stacks import Stack
from dicomlab.warn import quiet

__all__ = ["load_segmentation"]


_SEGMENTATIONS = ("1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7")
"""Segmentation Storage, Label Map Segmentation Storage (PS3.4 B.5)."""
_SURFACE = "1.2.840.10008.5.1.4.1.1.66.5"


def load_segmentation(
    source: PathLike | Iterable[PathLike] | Series | Stack,
    *,
    like: xr.DataArray | None = None,
    segments: Iterable[int] | None = None,
    as_labels: bool = False,
) -> xr.DataArray:
    """Masks of all segments of a DICOM Segmentation, every voxel at its patient position.

    `docs/recipes.md` has examples.

    Parameters
    ----------
    source
        A file, folder, zip archive or list of files with **one** Segmentation, or a `Series` of one.
    like
        A volume: the masks then come on its grid (slice, row and column as there), so that ``volume.where(mask)`` works. What
        the file does not hold is False. The frames must lie on its voxels; nothing is resampled. None takes the planes that the
        file holds, and those left out between them where all gaps are multiples of one step: that which the file states, else
        the smallest gap.
    segments
        Segment Numbers to load; None loads all.
    as_labels
        A label map, in which each voxel has the number of its segment, in place of one mask for each: a small part of the
        memory where there are many. Segments must not overlap.

    Returns
    -------
    xarray.DataArray
        Dims ``(segment, slice, row, column)``. bool for binary segmentations and label maps; float32 from 0 to 1 for fractional
        ones. Coordinates along ``segment``: its number, ``label``, ``colour``, and ``category``, ``type`` and ``side`` with
        their codes. Segments may overlap. Empty frames that the file leaves out are False. With `as_labels` dims ``(slice, row,
        column)``, uint8 or uint16, 0 where there is none. ``.dicom.labels`` lists the labels of both.

    Raises
    ------
    MissingDependencyError
        highdicom is not installed.
    NotDicomError, AmbiguousSourceError
        There is no Segmentation, or more than one.
    UnsupportedError
        A segmentation of a whole slide or a surface, of several orientations, with two frames of a segment in one plane; a
        transfer syntax that cannot be decoded; or more than 8 GiB of masks.
    GeometryError
        The frames have no patient position, or do not lie on the grid of `like`; the message says by how much.
    DicomLabError
        The file contradicts itself, or `segments` names one that it does not hold; or `as_labels` was asked of segments that
        overlap, or of fractions.

    Warns
    -----
    DicomLabWarning
        Frames lie outside of `like` and are left out, or a little (up to 0.1 mm) beside one line.

    References
    ----------
    PS3.3 A.51 "Segmentation IOD", C.8.20 "Segmentation", C.7.6.16 "Multi-frame Functional Groups Module".
    """
    segread = _segread()
    instance = _only_segmentation(source)
    frames = Frames.of(read_header(instance.file), instance)
    chosen = _choose(frames, segments)
    geometry, places = own_grid(frames) if like is None else on_grid(frames, like)
    with quiet(), instance.file.open() as stream:
        try:
            file = segread(stream)
        except Exception as problem:  # highdicom raises whatever a broken file makes it raise
            raise UnsupportedError(unreadable(instance, problem)) from cause_of(problem)
    values = masks(file, frames, chosen, geometry, places, instance, as_labels)
    who = identity_of(instance)
    labels = [label_of(frames.segments[number], number, who) for number in chosen]
    attrs = {"units": "", "Modality": "SEG", "SegmentationType": frames.kind}
    if description := clean_text(instance, "SeriesDescription"):
        attrs["SeriesDescription"] = description
    if frames.kind == "FRACTIONAL":
        attrs["SegmentationFractionalType"] = frames.top.text("SegmentationFractionalType")
    result = xr.DataArray(
        values,
        dims=AXES if as_labels else (SEGMENT, *AXES),
        coords=geometry.coordinates(),
        name="segmentation",
        attrs=attrs,
    )
    return with_labels(result, labels) if as_labels else result.assign_coords(segment_coords(labels))


def _segread() -> Any:
    return optional("highdicom.seg", purpose="Reading segmentations", extra="seg").segread


def _only_segmentation(source: PathLike | Iterable[PathLike] | Series | Stack) -> Instance:
    if isinstance(source, (Series, Stack)):
        instances = list(source.instances)
    else:
        instances = [instance for one in find_series(cast("Any", source)) for instance in one.instances]
    found = [i for i in instances if i.text("SOPClassUID") in _SEGMENTATIONS]
    if len(found) == 1:
        return found[0]
    if found:
        names = "".join(
            f"\n  {i.file}: {shown_text(i, 'SeriesDescription') or 'no description'}" for i in found[:20]
        )
        raise AmbiguousSourceError(
            f"{len(found)} Segmentations are there; load_segmentation takes one. "
            f"Give its file, or its series (load_segmentation(find_series(path)[k])):{names}"
        )
    if any(i.text("SOPClassUID") == _SURFACE for i in instances):
        raise UnsupportedError("a Surface Segmentation: meshes instead of masks, which are not read yet")
    kinds = ", ".join(sorted({i.modality or "unknown" for i in instances})) or "no DICOM at all"
    raise NotDicomError(f"no Segmentation (SEG) is there; found {kinds}. load_volume reads images.")


def _choose(frames: Frames, wanted: Iterable[int] | None) -> list[int]:
    """Segment numbers to load, those described when `wanted` is None; without the background of a label map."""
    background = frames.background if frames.kind == "LABELMAP" else 0
    known = sorted(number for number in frames.segments if number > -1 and number != background)
    odd = sorted(set(frames.numbers.tolist()) - set(known)) if frames.kind != "LABELMAP" else []
    if odd:
        raise DicomLabError(
            f"frames belong to the segment(s) {odd[:5]}, which the file does not describe; it has {known}"
        )
    if wanted is None:
        return known
    chosen = [int(number) for number in wanted]
    unknown = sorted(set(chosen) - set(known))
    if unknown or not chosen or len(set(chosen)) < len(chosen):
        raise DicomLabError(f"segments={chosen} are not some of the segments of this file, which are {known}")
    return chosen
