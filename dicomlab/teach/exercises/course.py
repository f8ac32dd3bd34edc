"""The chapters of the course."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["TITLES", "notebook"]

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
"""Titles by number."""


def notebook(chapter: int) -> str:
    """Return the name of the notebook of a chapter.

    >>> notebook(5)
    '05-geometry.ipynb'
    """
    words = re.sub(r"[^a-z0-9]+", "-", TITLES[chapter].lower()).strip("-")
    return f"{chapter:02d}-{words}.ipynb"
