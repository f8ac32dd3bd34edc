"""Several masks as one: `combine`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.masks import SEGMENT, labels_of, stacked, to_label_maps, with_labels

__all__ = ["combine"]


def combine(
    masks: Mapping[str, xr.DataArray], *, overlap: Literal["first", "last", "keep"] | None = None
) -> xr.DataArray:
    """One label map of several masks, by name.

    Parameters
    ----------
    masks
        Any masks on one grid. One with a single label is called as the mapping says; several labels of one mask keep their
        names. Labels are numbered from 1 on in this order, and coded by their names.
    overlap
        Who has a voxel that several masks claim: the ``"first"`` or the ``"last"`` of them; ``"keep"`` keeps all, in a mask
        with a dim ``segment`` in place of a label map. None refuses overlaps.

    Raises
    ------
    DicomLabError, GeometryError
        There is none, one is no mask, they lie on different grids, or they overlap and `overlap` does not say who wins.

    Examples
    --------
    >>> from dicomlab import phantom, segment
    >>> ct = phantom.ct_truth("1.2.3", (8, 30, 40), "axial").volume
    >>> segment.combine({"bone": ct > 226, "fat": segment.threshold(ct, "fat")}).dicom.labels.names
    ['bone', 'fat']
    >>> segment.combine({"body": ct > -500, "bone": ct > 226}, overlap="keep").dims
    ('segment', 'slice', 'row', 'column')
    """
    if overlap not in ("first", "last", "keep", None):
        raise DicomLabError(f"overlap= is 'first', 'last', 'keep' or None, found {overlap!r}")
    every = stacked(masks)
    if overlap == "keep":
        return every
    found = to_label_maps(every)
    if len(found) == 1:
        return found[0]
    values, labels = every.transpose(SEGMENT, ...).values, list(labels_of(every))
    if overlap is None:
        shared = int(np.count_nonzero(values.sum(axis=0, dtype=np.uint16) > 1))
        names = ", ".join(label.name for label in labels)
        raise DicomLabError(
            f"{shared} voxels belong to more than one of {names}, and a voxel of a label map has one label. Say who has them: "
            "combine(masks, overlap='first'), or 'last'; overlap='keep' keeps all, in a mask with a dim segment."
        )
    made = found[0].copy(data=np.zeros(values.shape[1:], found[0].dtype))
    order = range(len(labels)) if overlap == "last" else reversed(range(len(labels)))
    for k in order:
        made.values[values[k]] = labels[k].value
    return with_labels(made, labels)
