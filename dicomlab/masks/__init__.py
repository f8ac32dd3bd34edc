"""Masks that know themselves: what a mask is, what its labels are called and coded, and how many voxels each has.

A mask is a volume of one of three forms, on the grid of the images it was made of:

- bool: one label;
- whole numbers, a *label map*: each voxel has one label, 0 is none;
- bool, or fractions from 0 to 1, with a dim ``segment``: labels may overlap.

Names, colours and codes of labels travel with it: as ``attrs["labels"]``, or as coordinates along ``segment``.
"""

from __future__ import annotations

from dicomlab.masks.exchange import to_label_map
from dicomlab.masks.form import SEGMENT, check_mask
from dicomlab.masks.labels import Label, Labels
from dicomlab.masks.naming import labels_of, with_labels
from dicomlab.masks.parts import Part, check_grid, mask_like, parts, stacked, to_label_maps
from dicomlab.masks.sizes import Size, faces_between, sizes, slice_volumes
from dicomlab.masks.terms import Code, Term, add_term, find_term, terms

__all__ = [
    "SEGMENT",
    "Code",
    "Label",
    "Labels",
    "Part",
    "Size",
    "Term",
    "add_term",
    "check_grid",
    "check_mask",
    "faces_between",
    "find_term",
    "labels_of",
    "mask_like",
    "parts",
    "sizes",
    "slice_volumes",
    "stacked",
    "terms",
    "to_label_map",
    "to_label_maps",
    "with_labels",
]
