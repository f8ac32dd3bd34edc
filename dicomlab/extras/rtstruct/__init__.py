"""RT Structure Sets: contours that a file holds, masks of them on any grid, and masks written as one. Needs pydicom alone."""

from __future__ import annotations

from dicomlab.extras.rtstruct.load import load_contours, load_rtstruct
from dicomlab.extras.rtstruct.save import save_rtstruct, to_rtstruct
from dicomlab.extras.rtstruct.structures import Contour, Structure, Structures

__all__ = [
    "Contour",
    "Structure",
    "Structures",
    "load_contours",
    "load_rtstruct",
    "save_rtstruct",
    "to_rtstruct",
]
