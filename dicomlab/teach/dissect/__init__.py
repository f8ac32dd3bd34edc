"""A DICOM file cut into its bytes' parts: which are tag, VR, length and value, and what is odd about them.

`dissect` cuts, `told` makes small JSON of it in which nothing identifies. Nothing here knows a screen.
"""

from __future__ import annotations

from dicomlab.teach.dissect.nodes import LAYOUTS, UNDEFINED, Node, Part, parts
from dicomlab.teach.dissect.start import Dissected, Space, dissect
from dicomlab.teach.dissect.told import FIELDS, told
from dicomlab.teach.dissect.walker import Walk
from dicomlab.teach.dissect.words import vr_of

__all__ = [
    "FIELDS",
    "LAYOUTS",
    "UNDEFINED",
    "Dissected",
    "Node",
    "Part",
    "Space",
    "Walk",
    "dissect",
    "parts",
    "told",
    "vr_of",
]
