"""What reading and writing NIfTI share: nibabel, and a few names and limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from dicomlab.optional import optional

__all__ = ["APART", "RGB", "SPACE", "SUFFIXES", "nibabel"]

SUFFIXES = (".nii", ".nii.gz")
"""Endings of the files that are read and written."""

SPACE = "nifti_space"
"""Attribute of a volume that came from a NIfTI: which of the spaces of the standard its positions are in."""

APART = 0.01
"""mm by which sform and qform may differ unnoticed."""

RGB = np.dtype([("R", "u1"), ("G", "u1"), ("B", "u1")])
"""Pixels of three colours."""


def nibabel() -> Any:
    """The package, or the line that installs it."""
    return optional("nibabel", purpose="NIfTI", extra="nifti")
