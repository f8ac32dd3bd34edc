"""The chapters of the course."""

from __future__ import annotations

from typing import Final

__all__ = ["TITLES"]

TITLES: Final = {
    0: "What a DICOM file is",
    1: "Tags and value representations",
    2: "Pixel data",
    3: "Values and Hounsfield units",
    4: "Windowing",
    5: "Geometry",
    6: "Series and volumes",
    7: "Multi-frame and 4-D",
    8: "Transfer syntaxes",
    9: "Other planes",
    10: "Segmentation",
    11: "Quantities",
    12: "Privacy",
    13: "Talking to an archive",
    14: "Pitfalls",
}
"""Titles by number; the notebook of chapter 5 is ``notebooks/05-geometry.ipynb``."""
