"""New grids for old voxels, when asked, and values between voxels.

Loading resamples nothing. `regularize` and `rectify` mend slices that are uneven or tilted, moving as little as they can;
`resample`, `resample_like` and `reslice` make any grid, `curved` a picture along a curve, `mip`, `minip` and `average` slabs;
`reorient` and `crop_to` keep every value. ``attrs["resampled"]`` says which values are no longer measured ones.
"""

from __future__ import annotations

from dicomlab.regrid.curves import curved
from dicomlab.regrid.even import Missing, regularize
from dicomlab.regrid.parts import at_planes, crop_to
from dicomlab.regrid.planes import reslice
from dicomlab.regrid.points import interp, profile
from dicomlab.regrid.resampling import Spacing, resample, resample_like
from dicomlab.regrid.sampling import Engine, Labels, Order
from dicomlab.regrid.slabs import Axis, average, minip, mip
from dicomlab.regrid.square import rectify
from dicomlab.regrid.turns import reorient

__all__ = [
    "Axis",
    "Engine",
    "Labels",
    "Missing",
    "Order",
    "Spacing",
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
