"""Values of interest: how real values become brightness, by a formula or by a table (PS3.3 C.11.2).

Only numpy is needed here. Everything is float64 and in one fixed order of operations, because the browser
repeats these lines in JavaScript and both pictures have to be equal byte for byte.
"""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from dicomlab.errors import WindowError

__all__ = ["MOST_ENTRIES", "AnyWindow", "VoiFunction", "VoiLut", "Window", "apply_window"]

MOST_ENTRIES = 1 << 16
"""A LUT Descriptor (0028,3002) can declare no more."""


VoiFunction: TypeAlias = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
_FUNCTIONS: tuple[str, ...] = get_args(VoiFunction)


@dataclass(frozen=True)
class Window:
    """A value-of-interest window: which values span black to white.

    Parameters
    ----------
    center
        Window Center (0028,1050), in the units of the values.
    width
        Window Width (0028,1051), in the units of the values: at least 1 for ``LINEAR``, above 0 for the
        others.
    function
        VOI LUT Function (0028,1056): ``"LINEAR"``, ``"LINEAR_EXACT"`` or ``"SIGMOID"``.
    explanation
        What the window is for, free text (0028,1055).

    Raises
    ------
    WindowError
        The standard does not allow these numbers, or does not know the function.

    References
    ----------
    PS3.3 C.11.2.1.2 Window Center and Window Width, C.11.2.1.3 VOI LUT Function.
    """

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    explanation: str = ""

    def __post_init__(self) -> None:
        if self.function not in _FUNCTIONS:
            raise WindowError(
                f"A window was asked for with the VOI LUT Function {self.function!r}, which is unknown: "
                f"use one of {', '.join(_FUNCTIONS)}."
            )
        try:
            center, width = float(self.center), float(self.width)
        except (TypeError, ValueError):
            raise WindowError(
                f"A window needs a number as center and width; found {self.center!r} and {self.width!r}."
            ) from None
        if not (math.isfinite(center) and math.isfinite(width)):
            raise WindowError(
                f"A window needs a finite center and width; found center {center}, width {width}."
            )
        if self.function == "LINEAR" and width < 1:
            raise WindowError(
                f"A LINEAR window needs a width of at least 1 (PS3.3 C.11.2.1.2.1); found {width:g}. "
                'For a narrower one use Window(center, width, "LINEAR_EXACT").'
            )
        if width <= 0:
            raise WindowError(f"A {self.function} window needs a width above 0; found {width:g}.")
        # Plain floats, so that windows made from numpy scalars or DSfloat compare, print and turn to JSON
        # alike.
        object.__setattr__(self, "center", center)
        object.__setattr__(self, "width", width)

    @property
    def span(self) -> tuple[float, float]:
        """The values from black to white; of a ``SIGMOID``, which has no ends, from 2 to 98 %."""
        half = self.width if self.function == "SIGMOID" else self.width / 2
        return self.center - half, self.center + half

    def __str__(self) -> str:
        """Return "W 400 L 50", with no more digits than a thousandth of the width."""
        if max(abs(self.center), self.width) >= 1e6 or self.width < 1e-9:
            return f"W {self.width:.4g} L {self.center:.4g}"
        places = min(max(3 - math.floor(math.log10(self.width)), 0), 12)
        # Adding 0 takes the minus off a zero.
        width, center = (f"{round(value, places) + 0.0:.{places}f}" for value in (self.width, self.center))
        if places:
            width, center = width.rstrip("0").rstrip("."), center.rstrip("0").rstrip(".")
        return f"W {width} L {center}"


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


AnyWindow: TypeAlias = Window | VoiLut


def apply_window(values: npt.ArrayLike, window: AnyWindow) -> npt.NDArray[np.float64]:
    """Return how bright each value is shown, from 0 (black) to 1 (white).

    Parameters
    ----------
    values
        Array of any shape, in the units of the window.
    window
        The window to look through, or a `VoiLut`: a table of the brightness of whole numbers, which values
        between them share with the nearest.

    Returns
    -------
    numpy.ndarray
        float64 of the same shape, in [0, 1]. NaN stays NaN.

    Raises
    ------
    WindowError
        What was given is neither: an array has no windows to look a name up in.

    References
    ----------
    PS3.3 C.11.2.1.1 (VOI LUT), C.11.2.1.2.1 (LINEAR), C.11.2.1.3.1 (SIGMOID), C.11.2.1.3.2 (LINEAR_EXACT).
    """
    if isinstance(window, VoiLut):
        return window.look_up(np.asarray(values, dtype=np.float64))
    if not isinstance(window, Window):
        raise WindowError(
            f"apply_window needs a Window; found {window!r}. Presets are in dicomlab.WINDOWS, for instance "
            'dicomlab.WINDOWS["CT"]["bone"]; other numbers are written dicomlab.Window(center, width).'
        )
    x = np.asarray(values, dtype=np.float64)
    c, w = window.center, window.width
    y: npt.NDArray[np.float64]
    # Infinities are legal values here (a ratio map divides by zero): exp and the differences may overflow
    # quietly.
    with np.errstate(over="ignore", invalid="ignore"):
        if window.function == "SIGMOID":
            y = 1.0 / (1.0 + np.exp(-4.0 * (x - c) / w))
        elif window.function == "LINEAR_EXACT":
            y = np.clip((x - c) / w + 0.5, 0.0, 1.0)
        elif w > 1:
            y = np.clip((x - (c - 0.5)) / (w - 1.0) + 0.5, 0.0, 1.0)
        else:
            # The formula would divide by zero; the standard's two comparisons that stand before it do not.
            y = np.where(np.isnan(x), np.nan, np.where(x <= c - 0.5, 0.0, 1.0))
    return y
