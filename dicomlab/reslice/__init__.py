"""New grids for old voxels, when asked, and values between voxels.

Loading resamples nothing. `regularize` and `rectify` mend slices that are uneven or tilted, moving as little as they can;
`resample`, `resample_like` and `reslice` make any grid, `curved` a picture along a curve, `mip`, `minip` and `average` slabs;
`reorient` and `crop_to` keep every value. ``attrs["resampled"]`` says which values are no longer measured ones.
"""

from __future__ import annotations

from dicomlab.reslice.curves import curved
from dicomlab.reslice.even import Method, regularize
from dicomlab.reslice.parts import at_planes, crop_to
from dicomlab.reslice.planes import reslice
from dicomlab.reslice.points import interp, profile
from dicomlab.reslice.resampling import resample, resample_like
from dicomlab.reslice.sampling import Engine, Labels, Order
from dicomlab.reslice.slabs import Axis, average, minip, mip
from dicomlab.reslice.square import rectify
from dicomlab.reslice.turns import reorient

__all__ = [
    "Axis",
    "Engine",
    "Labels",
    "Method",
    "Order",
    "at_planes",
    "average",
    "crop_to",
    "curved",
    "interp",
    "minip",
    "mip",
    "profile",
    "rectify",
    "regularize",
    "reorient",
    "resample",
    "resample_like",
    "reslice",
]
