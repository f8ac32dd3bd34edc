"""The slice browser: an interactive viewer of one volume in a notebook.

The browser does all that follows the hand (windowing, zoom, planes, values under the pointer); Python hands out
16-bit slices when they are asked for, and keeps the small state: plane, index, window, zoom.
"""

from __future__ import annotations

import base64
import contextlib
import math
import os
import threading
from collections.abc import Mapping
from typing import Any, cast

import anywidget
import numpy as np
import traitlets
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES
from dicomlab.view.codec import encode
from dicomlab.view.grid import Grid
from dicomlab.view.meta import describe, lut_text, new_key
from dicomlab.view.page import HtmlPage, bundle, make_page, styles
from dicomlab.view.state import (
    PLANES,
    PlaneName,
    PlaneView,
    initial_state,
    plane_views,
)
from dicomlab.view.still import still
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, Window, WindowLike, named_windows, resolve_window

__all__ = ["SliceBrowser", "browse"]

_HIDDEN = {"_lut", "_voxel"}
_STATE = _HIDDEN | {"plane", "index", "position", "center", "width", "function", "invert", "zoom", "pan"}


def browse(
    volume: xr.DataArray,
    *,
    plane: PlaneName | None = None,
    index: int | None = None,
    window: WindowLike | None = None,
    height: int = 512,
    memory: int = 256 << 20,
) -> SliceBrowser:
    """Return an interactive viewer of a volume; press ? in it for mouse and keys.

    Parameters
    ----------
    volume
        A volume: dims slice, row, column with positions in patient mm. A lazy one is read slice by slice, each once: what
        was read is kept, in up to 2 GiB or a quarter of the machine's memory.
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``; None for the plane the images were acquired in.
    index
        Which slice first, as a voxel index along the axis that the plane cuts, negative ones counted from the
        end; None for the middle one.
    window
        A `Window` or `VoiLut`, a name ("lung", "auto"), a pair (center, width), or None for the file's first.
    height
        Height of the picture in CSS pixels; the width is that of the cell.
    memory
        Bytes of slices that the web page may keep.

    Raises
    ------
    GeometryError
        This is not a volume, its positions are not known, or the slice is not in it.
    WindowError
        There is no such window.

    References
    ----------
    PS3.3 C.7.6.2 (Image Plane), C.11.2 (VOI LUT).
    """
    return SliceBrowser(volume, plane=plane, index=index, window=window, height=height, memory=memory)


class SliceBrowser(anywidget.AnyWidget):
    """An interactive viewer of one volume; made by `browse`, which explains the parameters.

    All traits can be read, set and observed: ``browser.observe(handler, "index")``.

    Attributes
    ----------
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``.
    index
        Index along the voxel axis that the plane cuts, from 0.
    position
        LPS mm of the voxel that the three planes meet in.
    center, width, function
        The window; see also `window`. Of a `VoiLut`: the linear one over the same values, taken when set.
    invert
        Whether low values are shown white.
    zoom
        1 fits the picture into the stage.
    pan
        mm by which the picture is moved right and down.
    """

    # Text, not paths: anywidget keeps an instance alive for ever that watches a file.
    _esm = bundle()
    _css = styles()

    _meta = traitlets.Dict().tag(sync=True)
    _voxel = traitlets.List(traitlets.Int()).tag(sync=True)
    plane = traitlets.Enum(PLANES, default_value="axial").tag(sync=True)
    index = traitlets.Int().tag(sync=True)
    position = traitlets.List(traitlets.Float(), minlen=3, maxlen=3, default_value=[0.0] * 3).tag(sync=True)
    center = traitlets.Float(0.0).tag(sync=True)
    width = traitlets.Float(1.0).tag(sync=True)
    function = traitlets.Enum(("LINEAR", "LINEAR_EXACT", "SIGMOID"), default_value="LINEAR").tag(sync=True)
    # The VOI LUT that counts instead, as the page needs it; "" for none.
    _lut = traitlets.Unicode("").tag(sync=True)
    invert = traitlets.Bool(False).tag(sync=True)
    zoom = traitlets.Float(1.0, min=0.2, max=50.0).tag(sync=True)
    pan = traitlets.List(traitlets.Float(), minlen=2, maxlen=2, default_value=[0.0, 0.0]).tag(sync=True)

    def __init__(
        self,
        volume: xr.DataArray,
        *,
        plane: PlaneName | None = None,
        index: int | None = None,
        window: WindowLike | None = None,
        height: int = 512,
        memory: int = 256 << 20,
    ) -> None:
        # Messages arrive on a thread of their own (ipykernel 7 handles comms in a subshell).
        self._lock = threading.RLock()
        self._settling = False
        self._volume: xr.DataArray | None = volume
        self._grid: Grid | None = _grid_of(volume)
        self._views = plane_views(self._grid.direction)
        first = initial_state(self._grid, plane, index=index, window=window)
        offered = (first.window, *named_windows(self._grid.attrs).values())
        self._luts = {lut_text(one): one for one in offered if isinstance(one, VoiLut)}
        voxel = [size // 2 for size in self._grid.shape]
        voxel[first.view.axis] = first.index
        super().__init__(
            _meta=describe(self._grid, first, height=int(height), memory=int(memory)),
            _voxel=voxel,
            plane=first.view.name,
            index=voxel[first.view.axis],
            position=self._lps(voxel),
            center=first.window.center,
            width=first.window.width,
            function=first.window.function,
            _lut=lut_text(first.window),
            invert=first.invert,
        )
        self.on_msg(self._on_message)

    def __setattr__(self, name: str, value: object) -> None:
        # A mistyped name would otherwise make a new attribute that nothing ever looks at.
        if not name.startswith("_") and not hasattr(type(self), name):
            settable = ", ".join(sorted({"window", *_STATE} - _HIDDEN))
            raise AttributeError(f"A SliceBrowser has no {name!r} to set. What can be set: {settable}.")
        super().__setattr__(name, value)

    # ---- what users read and set ---------------------------------------------------------------------------------

    @property
    def volume(self) -> xr.DataArray:
        """The volume that is shown.

        Raises
        ------
        DicomLabError
            The browser was closed.
        """
        self._opened()
        return cast(xr.DataArray, self._volume)

    @property
    def window(self) -> AnyWindow:
        """The window; set it as a `Window`, a `VoiLut`, a name ("lung", "auto") or a pair (center, width)."""
        lut = self._luts.get(self._lut)
        return lut or Window(self.center, self.width, cast(Any, self.function))

    @window.setter
    def window(self, window: WindowLike) -> None:
        grid = self._opened()
        chosen = resolve_window(window, grid.attrs, lambda: self._view.cut(grid, self.index))
        with self._lock, self.hold_trait_notifications():
            self._luts |= {lut_text(chosen): chosen} if isinstance(chosen, VoiLut) else {}
            self.function, self.center, self.width = chosen.function, chosen.center, chosen.width
            self._lut = lut_text(chosen)

    def refresh(self) -> None:
        """Show the values anew, after the volume's array was changed in place."""
        with self._lock:
            self._grid = _grid_of(self.volume)  # a lazy volume is read again
            self._meta = {**self._meta, "key": new_key()}

    def to_html(self, path: str | os.PathLike[str] | None = None, *, max_bytes: int = 25_000_000) -> HtmlPage:
        """Return this viewer as one HTML page with its slices inside, which needs neither kernel nor network.

        The page holds the values of all voxels, the series description, the names of the windows and the
        findings, and no other text from the files.

        Parameters
        ----------
        path
            Where to save it as well; None to save nothing.
        max_bytes
            Largest size of the page.

        Raises
        ------
        DicomLabError
            The page would be larger; the message says how to crop.
        """
        grid = self._opened()
        # The page holds all slices anyway; unpacked they may stay too.
        meta = {**self._meta, "reslice": False, "budget": 2 * math.prod(grid.shape)}
        traits = {"_meta": meta, **{name: getattr(self, name) for name in sorted(_STATE)}}
        page = make_page(
            grid,
            traits,
            title=self._meta["title"] or "volume",
            height=self._meta["height"],
            max_bytes=max_bytes,
        )
        if path is not None:
            page.save(path)
        return page

    def close(self) -> None:
        """Close the viewer and let go of the volume."""
        super().close()
        with self._lock:
            self._volume = self._grid = None

    def __repr__(self) -> str:
        if self._grid is None:
            return "<SliceBrowser, closed>"
        axis = self._view.axis
        where = f"{AXES[axis]} {self.index + 1}/{self._grid.shape[axis]}"
        return f"<SliceBrowser {self.plane} {where}, {self.window}>"

    # ---- what notebooks ask for ----------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None or self._grid is None or (self._grid.lazy and self._view.axis):
            return shown  # no picture is worth reading all slices for
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        # What a reader without a kernel sees: no notebook restores the state of a widget by itself. A slice that cannot be
        # read has no picture; the viewer itself says so, in its place.
        with contextlib.suppress(DicomLabError, OSError):
            data = {**data, "image/png": base64.b64encode(self._snapshot()).decode("ascii")}
        return data, metadata

    def _snapshot(self) -> bytes:
        """Return the picture of the current plane as a small PNG."""
        grid = self._opened()
        state = initial_state(grid, self.plane, index=self.index, window=self.window, invert=self.invert)
        return still(grid, state)

    # ---- messages ------------------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the browser; called by ipywidgets."""
        with self._lock:
            super().set_state(sync_data)

    def _on_message(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Answer a demand for planes; the browser decides which and how many, so that nothing is ever flooded."""
        if content.get("type") != "pull":
            return
        with self._lock:
            grid, key = self._grid, self._meta.get("key")
        if grid is None or content.get("key") != key:
            return  # The browser has been told of the new volume and asks again.
        axis = int(content["axis"])
        items: list[dict[str, Any]] = []
        buffers: list[memoryview] = []
        for index in content["indices"]:
            try:
                codes, scale = encode(grid.values.isel({AXES[axis]: int(index)}).values)
            except Exception as error:
                # Whatever a lazy volume raises while it reads: it belongs on the screen, not in a log that nobody
                # sees. Foreign messages may name files and so patients.
                reason = str(error) if isinstance(error, DicomLabError) else type(error).__name__
                items.append({"index": index, "error": f"{AXES[axis]} {index} cannot be read: {reason}"})
                continue
            items.append({"index": index, "buffer": len(buffers), **scale})
            buffers.append(codes.data)
        reply = {
            "type": "slices",
            "generation": content["generation"],
            "key": key,
            "id": content["id"],
            "items": items,
        }
        self.send(reply, buffers)

    # ---- keeping plane, index and position one -------------------------------------------------------------------

    @traitlets.validate("index")
    def _valid_index(self, proposal: Any) -> int:
        index = int(proposal["value"])
        if self._grid is None:
            return index
        axis = self._view.axis
        count = self._grid.shape[axis]
        if not 0 <= index < count:
            raise DicomLabError(
                f"{AXES[axis]} {index} was asked for; there are {AXES[axis]}s 0 to {count - 1}."
            )
        return index

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> list[float]:
        """Return the centre of the voxel at a position."""
        lps = [float(mm) for mm in proposal["value"]]
        if self._grid is None:
            return lps
        centre = self._lps(self._nearest(lps))
        # What the browser computed differs in the last bits, which need not be sent back.
        return lps if np.allclose(lps, centre, atol=1e-6) else centre

    @traitlets.validate("center", "width")
    def _valid_window(self, proposal: Any) -> float:
        value = float(proposal["value"])
        parts = {"center": self.center, "width": self.width, proposal["trait"].name: value}
        Window(parts["center"], parts["width"], cast(Any, self.function))  # raises WindowError
        return value

    @traitlets.observe("center", "width", "function")
    def _leave_lut(self, _change: Any) -> None:
        """Look through a window from now on, when its numbers were set."""
        lut = self._luts.get(self._lut)
        if lut and (self.center, self.width, self.function) != (lut.center, lut.width, lut.function):
            self._lut = ""

    @traitlets.observe("plane", "index", "position")
    def _settle(self, change: Any) -> None:
        """Bring the three into agreement after one of them was set."""
        with self._lock:
            if self._settling or self._grid is None or len(self._voxel) != 3:
                return
            voxel = list(self._voxel)
            axis = self._view.axis
            if voxel[axis] == self.index and np.allclose(self._lps(voxel), self.position, atol=1e-6):
                return
            if change["name"] == "index":
                voxel[axis] = self.index
            elif change["name"] == "position":
                voxel = self._nearest(self.position)
            self._settling = True
            try:
                with self.hold_trait_notifications():
                    self._voxel = voxel
                    self.index = voxel[axis]
                    self.position = self._lps(voxel)
            finally:
                self._settling = False

    def _lps(self, voxel: list[int]) -> list[float]:
        grid = self._opened()
        at = np.array([line[i] for line, i in zip(grid.axes, voxel, strict=True)])
        return [float(x) for x in grid.direction @ at]

    def _nearest(self, lps: list[float]) -> list[int]:
        grid = self._opened()
        return [grid.nearest_index(axis, float(mm)) for axis, mm in enumerate(grid.coordinates(lps))]

    def _opened(self) -> Grid:
        if self._grid is None:
            raise DicomLabError(
                "This browser was closed and holds no volume any more; make a new one with browse."
            )
        return self._grid

    @property
    def _view(self) -> PlaneView:
        return self._views[self.plane]


def _grid_of(volume: xr.DataArray) -> Grid:
    grid = Grid.from_volume(volume)
    if grid.missing:
        cut = " and ".join(AXES[axis] for axis in grid.missing)
        raise GeometryError(
            f"A volume with dims slice, row, column was asked for; this one was cut along {cut}. Cut with a list "
            f"to keep the axis, volume.isel({AXES[grid.missing[0]]}=[0]), or use dicomlab.show for one picture."
        )
    return grid
