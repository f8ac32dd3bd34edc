"""NRRD files, with the names of segments that 3D Slicer writes: `save_nrrd`, `load_nrrd` (``pip install dicomlab[nrrd]``)."""

from __future__ import annotations

from dicomlab.extras.nrrd.file import load_nrrd, save_nrrd

__all__ = ["load_nrrd", "save_nrrd"]
