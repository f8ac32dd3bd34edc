"""dicomlab: DICOM series as labelled xarray volumes in patient millimetres, browsed in a notebook."""

__version__ = "0.1.0"
