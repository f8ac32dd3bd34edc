"""From a volume to a mask on the same grid, in mm, ml and HU.

Each function takes a volume or a mask and gives a mask; xarray combines them: ``~mask``, ``a & b``, ``a | b``. Extra axes
(time …) are looked at step by step. Lazy volumes give lazy masks in `threshold` and `otsu`; all others read one step at a time.

>>> from dicomlab import phantom, segment
>>> ct = phantom.ct_truth("1.2.3", (6, 30, 40), "axial").volume
>>> gas = segment.threshold(ct, "air") & segment.body(ct)
>>> segment.largest_component(gas).dicom.labels.table["voxels"].item() > 0
True
"""

from __future__ import annotations

from dicomlab.segment.combining import combine
from dicomlab.segment.connected import components, fill_holes, largest_component, remove_small
from dicomlab.segment.contours import from_contours, from_polygon, to_contours
from dicomlab.segment.counting import otsu, otsu_thresholds
from dicomlab.segment.distances import closing, dilate, distance, erode, opening, smooth
from dicomlab.segment.drawn import between_slices, fill_between
from dicomlab.segment.evolving import chan_vese, random_walker, snake
from dicomlab.segment.growing import grow
from dicomlab.segment.patient import body
from dicomlab.segment.splitting import slic, split, watershed
from dicomlab.segment.thresholds import TISSUE_RANGES, hysteresis, threshold
from dicomlab.segment.tissues import air, airways, bone, lungs


def __dir__() -> list[str]:
    return sorted(__all__)


__all__ = [
    "TISSUE_RANGES",
    "air",
    "airways",
    "between_slices",
    "body",
    "bone",
    "chan_vese",
    "closing",
    "combine",
    "components",
    "dilate",
    "distance",
    "erode",
    "fill_between",
    "fill_holes",
    "from_contours",
    "from_polygon",
    "grow",
    "hysteresis",
    "largest_component",
    "lungs",
    "opening",
    "otsu",
    "otsu_thresholds",
    "random_walker",
    "remove_small",
    "slic",
    "smooth",
    "snake",
    "split",
    "threshold",
    "to_contours",
    "watershed",
]
