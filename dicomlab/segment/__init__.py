"""Helpers that make masks: from a volume, or from contours in the patient, to voxels on the same grid; and back to contours."""

from __future__ import annotations

from dicomlab.segment.contours import from_contours, from_polygon, to_contours

__all__ = ["from_contours", "from_polygon", "to_contours"]
