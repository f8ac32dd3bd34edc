"""All parts of ``volume.dicom`` in one class."""

from __future__ import annotations

from dicomlab.accessor.card import Card
from dicomlab.accessor.exchange import Exchange
from dicomlab.accessor.grids import Grids
from dicomlab.accessor.look import Look
from dicomlab.accessor.masks import Masks
from dicomlab.accessor.measures import Measures

__all__ = ["DicomAccessor"]


class DicomAccessor(Card, Grids, Look, Masks, Measures, Exchange):
    """Geometry, windows and units of a volume, read from its coordinates each time: nothing is cached or stored.

    Index order is always ``(slice, row, column)``, whatever the order of the array's dimensions; positions are LPS mm.

    Raises
    ------
    GeometryError
        From every geometric attribute, when the array has lost or never had the coordinates of a volume.
    """
