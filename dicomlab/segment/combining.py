"""Several masks as one: `combine`."""

from __future__ import annotations

from collections.abc import Mapping

import xarray as xr

from dicomlab.masks import stacked, to_label_maps

__all__ = ["combine"]


def combine(masks: Mapping[str, xr.DataArray]) -> xr.DataArray:
    """One mask of several bool ones, by name: a label map, or with dim ``segment`` where they overlap.

    Labels are numbered from 1 on in the order given, and coded by their names.

    Raises
    ------
    DicomLabError, GeometryError
        There is none, one is no bool mask, or they lie on different grids.

    Examples
    --------
    >>> from dicomlab import phantom, segment
    >>> ct = phantom.ct_truth("1.2.3", (8, 30, 40), "axial").volume
    >>> segment.combine({"bone": ct > 226, "fat": segment.threshold(ct, "fat")}).dicom.labels.names
    ['bone', 'fat']
    >>> segment.combine({"body": ct > -500, "bone": ct > 226}).dims
    ('segment', 'slice', 'row', 'column')
    """
    every = stacked(masks)
    found = to_label_maps(every)
    return found[0] if len(found) == 1 else every
