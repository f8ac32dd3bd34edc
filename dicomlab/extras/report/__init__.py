"""Measurements as a DICOM Structured Report, TID 1500 (``pip install 'dicomlab[seg]'``): `to_sr`, `save_sr`."""

from __future__ import annotations

from dicomlab.extras.report.document import save_sr, to_sr

__all__ = ["save_sr", "to_sr"]
