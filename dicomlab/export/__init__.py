"""Volumes as DICOM series: `write_series`."""

from dicomlab.export.series import write_series

__all__ = ["write_series"]
