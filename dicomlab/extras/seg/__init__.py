"""DICOM Segmentation objects as masks in the patient, in and out (``pip install dicomlab[seg]``)."""

from __future__ import annotations

from dicomlab.extras.seg.load import load_segmentation
from dicomlab.extras.seg.save import save_seg, to_seg

__all__ = ["load_segmentation", "save_seg", "to_seg"]
