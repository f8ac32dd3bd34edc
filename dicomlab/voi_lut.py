"""VOI LUTs: windows of any shape, written down as a table (PS3.3 C.11.2.1.1). Only numpy is needed here."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from dicomlab.errors import WindowError

__all__ = ["MOST_ENTRIES", "VoiLut"]

MOST_ENTRIES = 1 << 16
"""A LUT Descriptor (0028,3002) can declare no more."""


@dataclass(frozen=True)
class VoiLut:
    """A value-of-interest lookup table: how bright each whole number is shown.

    A `Window` is a formula, this is a table; wherever a window can be given, so can a table.

    Parameters
    ----------
    first
        The value that the first entry is for, in the units of the values; second value of LUT Descriptor
        (0028,3002). The next entry is for ``first + 1``, and so on.
    entries
        1 to 65,536 whole numbers, from 0 (black) to ``2 ** bits - 1`` (white); LUT Data (0028,3006).
    bits
        Bits of an entry, 8 to 16; third value of LUT Descriptor.
    explanation
        What the table is for, free text (0028,3003).

    Raises
    ------
    WindowError
        The standard does not allow these numbers.

    References
    ----------
    PS3.3 C.11.2.1.1 LUT Descriptor and LUT Data.

    Examples
    --------
    >>> lut = VoiLut(-2, [0, 10, 100, 255], 8, "steep")
    >>> str(lut), lut.center, lut.width
    ('LUT -2 to 1', 0.0, 4.0)
    """

    first: int
    entries: Sequence[int] = field(repr=False)
    bits: int = 16
    explanation: str = ""

    def __post_init__(self) -> None:
        try:
            table = np.asarray(self.entries)
            first, bits = int(self.first), int(self.bits)
        except (TypeError, ValueError, OverflowError):
            raise WindowError(
                "A VOI LUT needs whole numbers as first value, entries and bits; found something else."
            ) from None
        if not -(1 << 15) <= first < MOST_ENTRIES:
            raise WindowError(f"A VOI LUT begins at a 16-bit number (PS3.3 C.11.2.1.1); found {first}.")
        if table.ndim != 1 or not 1 <= table.size <= MOST_ENTRIES or table.dtype.kind not in "iu":
            raise WindowError(
                f"A VOI LUT needs 1 to {MOST_ENTRIES} whole numbers in one line; found an array of shape "
                f"{table.shape} and dtype {table.dtype}."
            )
        if not 8 <= bits <= 16:
            raise WindowError(f"A VOI LUT needs entries of 8 to 16 bits (PS3.3 C.11.2.1.1); found {bits}.")
        low, high = int(table.min()), int(table.max())
        if low < 0 or high >= 1 << bits:
            raise WindowError(
                f"A VOI LUT of {bits} bits holds entries from 0 to {(1 << bits) - 1}; found {low} to {high}."
            )
        # A tuple, so that tables compare and cannot change.
        object.__setattr__(self, "entries", tuple(table.tolist()))
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "bits", bits)

    def __str__(self) -> str:
        """Return "LUT 0 to 4095": the values that the table has entries for."""
        return f"LUT {self.first} to {self.last}"

    @property
    def last(self) -> int:
        """The value that the last entry is for."""
        return self.first + len(self.entries) - 1

    @cached_property
    def _brightness(self) -> npt.NDArray[np.float64]:
        return np.asarray(self.entries, np.float64) / ((1 << self.bits) - 1)

    @cached_property
    def span(self) -> tuple[float, float]:
        """The values between which the table changes: what is below or above is all shown alike."""
        changes = np.flatnonzero(np.diff(self.entries))
        if changes.size == 0:
            return float(self.first), float(self.last)
        return float(self.first + changes[0]), float(self.first + changes[-1] + 1)

    @property
    def center(self) -> float:
        """Centre of the linear window over `span`, from which windowing by hand goes on."""
        low, high = self.span
        return (low + high + 1) / 2

    @property
    def width(self) -> float:
        """Width of that window."""
        low, high = self.span
        return high - low + 1

    @property
    def function(self) -> Literal["LINEAR"]:
        """VOI LUT Function of that window."""
        return "LINEAR"

    def look_up(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the brightness (0 to 1) of values: that of the nearest whole number, halves upwards.

        The standard maps whole numbers only. Values outside take the first or the last entry; NaN stays NaN.
        """
        nan = np.isnan(values)
        entry = np.clip(np.floor(values + 0.5) - self.first, 0, len(self.entries) - 1)
        return np.where(nan, np.nan, self._brightness[np.where(nan, 0, entry).astype(np.intp)])

    def to_text(self) -> str:
        """Return the table as one short line, for an attribute that netCDF can hold."""
        # Differences of a smooth table are few and small, so that deflating makes a kilobyte of eight.
        steps = np.diff(np.asarray(self.entries, np.int64), prepend=0).astype("<u2")
        data = base64.b64encode(zlib.compress(steps.tobytes(), 9)).decode("ascii")
        return f"{self.first} {self.bits} {data} {' '.join(self.explanation.split())}".rstrip()

    @classmethod
    def from_text(cls, text: str) -> VoiLut:
        """Return the table that `to_text` wrote.

        Raises
        ------
        WindowError
            The text is no such table.
        """
        try:
            first, bits, data, *explanation = text.split(" ", 3)
            # No more than the largest table is ever unfolded: the text may come from a file.
            inflate = zlib.decompressobj()
            raw = inflate.decompress(base64.b64decode(data, validate=True), 2 * MOST_ENTRIES)
            if not inflate.eof:
                raise ValueError
            entries = np.cumsum(np.frombuffer(raw, "<u2"), dtype=np.int64) % (1 << 16)
            return cls(int(first), entries.tolist(), int(bits), "".join(explanation))
        except (ValueError, binascii.Error, zlib.error):
            raise WindowError("A VOI LUT was expected in an attribute; found text that is none.") from None
