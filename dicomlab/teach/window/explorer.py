"""The widget: one slice under a window that is dragged on its curve."""

from __future__ import annotations

import math
from typing import Any, ClassVar, get_args

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.read import Series, Stack
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.window.loss import Loss, loss_of
from dicomlab.teach.window.subject import Subject, subject_of
from dicomlab.view.codec import as_seen
from dicomlab.view.shade import grey
from dicomlab.view.windows import lut_text
from dicomlab.voi import VoiFunction, VoiLut, Window
from dicomlab.windowing import AnyWindow, WindowLike, resolve_window, windows_from_attrs

__all__ = ["WindowExplorer", "explore_window"]

_FIRST: dict[str, Any] = {
    "view": "picture",
    "marked": False,
    "near": False,
    "counted": "slice",
    "pixel": None,
}


class WindowExplorer(Explorer):
    """A slice, the histogram of its values, and the curve that turns them into grey.

    Attributes
    ----------
    state
        ``center``, ``width``, ``function``, ``invert`` (low values white) and what else is chosen on the page.
    """

    title: ClassVar[str] = "Window explorer"
    bundle: ClassVar[str] = "window"
    page_height: ClassVar[int] = 740

    def __init__(self, subject: Subject) -> None:
        self._subject = subject
        self._luts = {
            lut_text(one): one for one in windows_from_attrs(subject.attrs) if isinstance(one, VoiLut)
        }
        super().__init__(facts=subject.facts(), state={**_FIRST, **subject.first()})

    @property
    def window(self) -> AnyWindow:
        """The window that is looked through; can be set as a name, a pair, a `Window` or a `VoiLut`."""
        state = {**self._subject.first(), **self.state}
        if isinstance(state["lut"], str) and state["lut"] in self._luts:
            return self._luts[state["lut"]]
        # As the page does (`sound` in js/window.js): whatever the state holds, a picture can be drawn.
        function: VoiFunction = state["function"] if state["function"] in get_args(VoiFunction) else "LINEAR"
        center, width = (_number(state[name]) for name in ("center", "width"))
        least = 1.0 if function == "LINEAR" else 1e-6
        return Window(
            0.0 if center is None else center, least if width is None or width < least else width, function
        )

    @window.setter
    def window(self, window: WindowLike | None) -> None:
        found = resolve_window(window, self._subject.attrs, lambda: self._subject.plane)
        if isinstance(found, VoiLut):
            self._luts[lut_text(found)] = found
        self.state = {
            **self.state,
            "center": found.center,
            "width": found.width,
            "function": found.function,
            "lut": lut_text(found),
        }

    @property
    def invert(self) -> bool:
        """Whether low values are shown white, as MONOCHROME1 asks; values are the same either way."""
        return bool(self.state.get("invert"))

    @invert.setter
    def invert(self, invert: bool) -> None:
        self.state = {**self.state, "invert": bool(invert)}

    @property
    def values(self) -> npt.NDArray[np.generic]:
        """The values of the slice, (row, column), as the page has them."""
        seen: npt.NDArray[np.generic] = as_seen(self._subject.plane[None])[0]
        return seen

    def picture(self) -> npt.NDArray[np.uint8]:
        """Return what the canvas shows: the shade of each pixel, (row, column)."""
        return grey(self.values, self.window, self.invert)

    @property
    def loss(self) -> Loss:
        """What the window loses of this slice."""
        return loss_of(self.values, self.window)

    def still(self) -> bytes:
        """Return picture, histogram, curve and losses as a PNG, for places without widgets."""
        from dicomlab.teach.window.still import draw

        return draw(self._subject, self.values, self.window, self.invert)

    def __repr__(self) -> str:
        return f"<WindowExplorer {self.window}{', low values white' if self.invert else ''}>"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def explore_window(
    volume: xr.DataArray | npt.ArrayLike | Series | Stack | str | None = None, slice: int | None = None
) -> WindowExplorer:
    """Return a widget in which a slice is windowed by hand: histogram, curve, picture, and what is lost.

    Parameters
    ----------
    volume
        A volume, a slice of one, a radiograph or another grey image, an array of two or three dims (row, column last), or what
        `open_volume` takes. None for a CT of the phantom. Of further axes (time, echo …) the first step is taken.
    slice
        Which slice, counted from 0; the middle one by default.

    Raises
    ------
    DicomLabError
        There is no grey picture in it, or no such slice.

    References
    ----------
    PS3.3 C.11.2.1.2 (Window Center and Width), C.11.2.1.3 (VOI LUT Function), C.7.6.3.1.2 (Photometric Interpretation).

    Examples
    --------
    >>> explorer = dl.teach.explore_window()
    >>> explorer
    <WindowExplorer W 400 L 50>
    >>> explorer.window = "lung"
    >>> explorer.state["center"], explorer.state["width"], explorer.state["function"]
    (-600.0, 1500.0, 'LINEAR')
    """
    return WindowExplorer(subject_of(volume, slice))
