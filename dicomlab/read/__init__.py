"""The corridor from files to volumes: sources -> headers -> stacks -> series -> pixels -> volume.

It is the only part of the core that opens DICOM files.
"""

from dicomlab.read.find import find_series
from dicomlab.read.overlay_volume import load_overlays
from dicomlab.read.series import Series, SeriesList
from dicomlab.read.stacks import Stack
from dicomlab.read.volume import load_volume, open_volume

__all__ = ["Series", "SeriesList", "Stack", "find_series", "load_overlays", "load_volume", "open_volume"]
