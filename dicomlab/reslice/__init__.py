"""New grids for old voxels, when asked: even slices (`regularize`) and slices squarely above one another (`rectify`).

Loading resamples nothing. These two make the regular grid that other tools want, and say in ``attrs["resampled"]`` which
values are no longer measured ones.
"""

from __future__ import annotations

from dicomlab.reslice.even import Method, regularize
from dicomlab.reslice.square import rectify

__all__ = ["Method", "rectify", "regularize"]
