"""DICOM Segmentation objects as masks in the patient: `load_segmentation` (``pip install dicomlab[seg]``)."""

from __future__ import annotations

from dicomlab.extras.seg.load import load_segmentation

__all__ = ["load_segmentation"]
