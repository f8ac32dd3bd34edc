"""Measurements: what lies in each label of a mask, how large it is, and how far two masks agree.

`region_stats` and `compare_masks` make tables, one row a label, in units and patient millimetres. What each column means is
said once, in their docstrings and in ``docs/measuring.md``.
"""

from __future__ import annotations

from dicomlab.measure.overlap import compare_masks
from dicomlab.measure.regions import region_stats

__all__ = ["compare_masks", "region_stats"]
