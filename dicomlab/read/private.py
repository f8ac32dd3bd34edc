"""The vendors' private elements that dicomlab reads, and how to read them whatever became of their VR.

The standard leaves private elements to their makers (PS3.5 7.8): the creator's name says whose they are, and the maker's
conformance statement what they mean. A file in Implicit VR, or one that passed through a system that did not know them, has
them as bare bytes (VR UN).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from dicomlab.read.elements import Attributes

__all__ = ["PRIVATE", "Private"]

FloatArray = npt.NDArray[np.float64]

_BINARY = {"FD": "<f8", "FL": "<f4", "US": "<u2", "SS": "<i2", "UL": "<u4", "SL": "<i4"}


@dataclass(frozen=True)
class Private:
    """One private element.

    Parameters
    ----------
    group, element
        For instance 0x0019 and 0x0C for (0019,xx0C).
    creator
        Private Creator that reserved its block.
    vr
        What its value is, when the file does not say.
    """

    group: int
    creator: str
    element: int
    vr: str

    def __str__(self) -> str:
        return f"({self.group:04X},xx{self.element:02X})"

    def numbers(self, attributes: Attributes) -> FloatArray | None:
        """Value as finite floats, shape ``(n,)``; None when absent or not numbers."""
        value = attributes.private(self.group, self.creator, self.element)
        if isinstance(value, bytes):
            value = self._unpacked(value)
        try:
            numbers = np.atleast_1d(np.asarray(value, dtype=np.float64))
        except (TypeError, ValueError):
            return None
        return numbers if numbers.size and np.all(np.isfinite(numbers)) else None

    def number(self, attributes: Attributes) -> float | None:
        """First of `numbers`, or None."""
        numbers = self.numbers(attributes)
        return None if numbers is None else float(numbers[0])

    def text(self, attributes: Attributes) -> str:
        """Value as text, ``""`` when absent."""
        value = attributes.private(self.group, self.creator, self.element)
        if isinstance(value, bytes):
            value = value.decode("latin-1")
        if value is not None and not isinstance(value, str) and hasattr(value, "__iter__"):
            value = "\\".join(str(item) for item in value)
        return "" if value is None else str(value).split("\0")[0].strip()

    def items(self, attributes: Attributes) -> list[Dataset]:
        """Items of a sequence; empty when it is absent or no sequence."""
        value = attributes.private(self.group, self.creator, self.element)
        return list(value) if isinstance(value, Sequence) else []

    def _unpacked(self, value: bytes) -> object:
        kind = _BINARY.get(self.vr)
        if kind is None:
            return list(value.decode("latin-1").strip("\0 ").split("\\"))
        size = np.dtype(kind).itemsize
        return np.frombuffer(value, kind) if len(value) % size == 0 else None


_SIEMENS, _CSA = "SIEMENS MR HEADER", "SIEMENS CSA HEADER"
_UIH = "Image Private Header"
_PHILIPS, _PHILIPS_MR, _PHILIPS_MR_5 = (
    "Philips Imaging DD 001",
    "Philips MR Imaging DD 001",
    "Philips MR Imaging DD 005",
)
_GE_ACQUISITION, _GE_PARAMETERS = "GEMS_ACQU_01", "GEMS_PARM_01"

SIEMENS_CSA_IMAGE = Private(0x0029, _CSA, 0x10, "OB")
SIEMENS_CSA_SERIES = Private(0x0029, _CSA, 0x20, "OB")
SIEMENS_TILES = Private(0x0019, _SIEMENS, 0x0A, "US")
SIEMENS_B_VALUE = Private(0x0019, _SIEMENS, 0x0C, "IS")
SIEMENS_DIRECTIONALITY = Private(0x0019, _SIEMENS, 0x0D, "CS")
SIEMENS_GRADIENT = Private(0x0019, _SIEMENS, 0x0E, "FD")
SIEMENS_B_MATRIX = Private(0x0019, _SIEMENS, 0x27, "FD")
SIEMENS_TILE_TIMES = Private(0x0019, _SIEMENS, 0x29, "FD")
SIEMENS_IMAGE_TYPE_TEXT = Private(0x0021, "SIEMENS MR SDI 02", 0x75, "CS")
SIEMENS_FRAME = Private(0x0021, "SIEMENS MR SDI 02", 0xFE, "SQ")
GE_B_VALUE = Private(0x0043, _GE_PARAMETERS, 0x39, "IS")
GE_COMPONENT = Private(0x0043, _GE_PARAMETERS, 0x2F, "SS")
GE_GRADIENT = tuple(Private(0x0019, _GE_ACQUISITION, element, "DS") for element in (0xBB, 0xBC, 0xBD))
GE_DIRECTIONS = Private(0x0019, _GE_ACQUISITION, 0xE0, "DS")
PHILIPS_B_VALUE = Private(0x2001, _PHILIPS, 0x03, "FL")
PHILIPS_DIRECTIONALITY = Private(0x2001, _PHILIPS, 0x04, "CS")
PHILIPS_GRADIENT = tuple(Private(0x2005, _PHILIPS_MR, element, "FL") for element in (0xB0, 0xB1, 0xB2))
PHILIPS_COMPONENT = Private(0x2005, _PHILIPS_MR, 0x11, "CS")
PHILIPS_LABEL = Private(0x2005, _PHILIPS_MR_5, 0x29, "CS")
PHILIPS_FRAME = Private(0x2005, _PHILIPS_MR_5, 0x0F, "SQ")
UIH_B_VALUE = Private(0x0065, _UIH, 0x09, "FD")
UIH_GRADIENT = Private(0x0065, _UIH, 0x37, "FD")
UIH_TILES = Private(0x0065, _UIH, 0x50, "DS")
UIH_TILE_LIST = Private(0x0065, _UIH, 0x51, "SQ")

PRIVATE: tuple[Private, ...] = (
    SIEMENS_CSA_IMAGE,
    SIEMENS_TILES,
    SIEMENS_B_VALUE,
    SIEMENS_DIRECTIONALITY,
    SIEMENS_GRADIENT,
    SIEMENS_B_MATRIX,
    SIEMENS_TILE_TIMES,
    SIEMENS_IMAGE_TYPE_TEXT,
    SIEMENS_FRAME,
    GE_B_VALUE,
    GE_COMPONENT,
    *GE_GRADIENT,
    GE_DIRECTIONS,
    PHILIPS_B_VALUE,
    PHILIPS_DIRECTIONALITY,
    *PHILIPS_GRADIENT,
    PHILIPS_COMPONENT,
    PHILIPS_LABEL,
    PHILIPS_FRAME,
    UIH_B_VALUE,
    UIH_GRADIENT,
    UIH_TILES,
    UIH_TILE_LIST,
)
"""All that headers are read for. The large CSA series header is not among them: only mosaics without the other one need it."""
