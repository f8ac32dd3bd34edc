"""NIfTI and nibabel: `save_nifti`, `load_nifti`, `to_nibabel`, `from_nibabel` (``pip install dicomlab[nifti]``).

NIfTI counts (column, row, slice) and points to RAS. What it can hold, and what is refused: ``docs/exchange.md``.
"""

from __future__ import annotations

from dicomlab.extras.nifti.load import from_nibabel, load_nifti
from dicomlab.extras.nifti.save import save_nifti, to_nibabel

__all__ = ["from_nibabel", "load_nifti", "save_nifti", "to_nibabel"]
