"""The slice browser: an interactive viewer of one or several volumes in a notebook.

The browser does all that follows the hand (windowing, zoom, planes, values under the pointer); Python hands out
16-bit slices when they are asked for, and keeps the small state: planes, position, windows, zoom.
"""

from __future__ import annotations

import base64
import contextlib
import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

import anywidget
import numpy as np
import numpy.typing as npt
import traitlets
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES
from dicomlab.view.answers import answer
from dicomlab.view.draw import Image, draw
from dicomlab.view.page import HtmlPage, bundle, make_page, styles
from dicomlab.view.sample import Interpolation, Slab
from dicomlab.view.scene import IDENTITY, Layout, Scene, basis_of
from dicomlab.view.shade import PALETTES, palette
from dicomlab.view.source import Source, check_one_frame
from dicomlab.view.state import PLANES, PlaneName, acquisition_plane, choose_index, choose_view
from dicomlab.view.windows import lut_text, numbers
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, Window, WindowLike, resolve_window, shown_inverted

__all__ = ["SliceBrowser", "browse"]

_STATE = (
    "plane",
    "layout",
    "position",
    "_turn",
    "zoom",
    "pan",
    "_slab",
    "interpolation",
    "tiles",
    "stride",
    "_looks",
    "_step",
    "mode",
    "split",
)
"""What is synchronised with the page, as ``TRAITS`` in ``js/widget.js``."""


def browse(
    volume: xr.DataArray,
    *,
    plane: PlaneName | None = None,
    index: int | None = None,
    window: WindowLike | None = None,
    layout: Layout = "single",
    height: int = 512,
    memory: int = 256 << 20,
) -> SliceBrowser:
    """Return an interactive viewer of a volume; press ? in it for mouse and keys.

    Parameters
    ----------
    volume
        A volume: dims slice, row, column with positions in patient mm, and further axes (time, echo …), whose steps the
        arrow keys go through. A lazy one is read slice by slice, each once: what was read is kept, in up to 2 GiB or a
        quarter of the machine's memory.
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``; None for the plane the images were acquired in.
    index
        Which slice first, as a voxel index along the axis that the plane cuts, negative ones counted from the
        end; None for the middle one.
    window
        A `Window` or `VoiLut`, a name ("lung", "auto"), a pair (center, width), or None for the file's first.
    layout
        ``"single"``, ``"planes"`` (three that meet in the crosshair) or ``"montage"``.
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
    return SliceBrowser(
        [volume], plane=plane, index=index, windows=[window], layout=layout, height=height, memory=memory
    )


class SliceBrowser(anywidget.AnyWidget):
    """An interactive viewer; made by `browse`, which explains the parameters.

    All traits can be read, set and observed: ``browser.observe(handler, "position")``.

    Attributes
    ----------
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``: the only plane, or the largest.
    layout
        ``"single"``, ``"planes"`` or ``"montage"``.
    position
        LPS mm that all planes go through; see also `index`.
    zoom
        1 fits the volume into the panes.
    pan
        LPS mm by which the picture is moved out of the middle.
    interpolation
        ``"linear"`` or ``"nearest"``.
    tiles, stride
        Of a montage: rows and columns, and voxels from one plane to the next.
    mode, split
        How two volumes meet, and where a curtain hangs.
    """

    # Text, not paths: anywidget keeps an instance alive for ever that watches a file.
    _esm = bundle()
    _css = styles()

    _meta = traitlets.Dict().tag(sync=True)
    plane = traitlets.Enum(PLANES, default_value="axial").tag(sync=True)
    layout = traitlets.Enum(("single", "planes", "montage"), default_value="single").tag(sync=True)
    position = traitlets.List(traitlets.Float(), minlen=3, maxlen=3, default_value=[0.0] * 3).tag(sync=True)
    _turn = traitlets.List(traitlets.Float(), minlen=9, maxlen=9, default_value=list(IDENTITY)).tag(sync=True)
    zoom = traitlets.Float(1.0, min=0.2, max=50.0).tag(sync=True)
    pan = traitlets.List(traitlets.Float(), minlen=3, maxlen=3, default_value=[0.0] * 3).tag(sync=True)
    _slab = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    interpolation = traitlets.Enum(("linear", "nearest"), default_value="linear").tag(sync=True)
    tiles = traitlets.List(traitlets.Int(min=1, max=12), minlen=2, maxlen=2, default_value=[3, 4]).tag(
        sync=True
    )
    stride = traitlets.Int(1, min=1).tag(sync=True)
    _looks = traitlets.List(traitlets.Dict()).tag(sync=True)
    _step = traitlets.List(traitlets.Int(min=0)).tag(sync=True)
    mode = traitlets.Enum(("fusion", "curtain", "checkerboard", "difference"), default_value="fusion").tag(
        sync=True
    )
    split = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)

    def __init__(
        self,
        volumes: Sequence[xr.DataArray],
        *,
        plane: PlaneName | None = None,
        index: int | None = None,
        windows: Sequence[WindowLike | None] = (None,),
        layout: Layout = "single",
        height: int = 512,
        memory: int = 256 << 20,
    ) -> None:
        # Messages arrive on a thread of their own (ipykernel 7 handles comms in a subshell).
        self._lock = threading.RLock()
        self._sources = [Source(volume) for volume in volumes]
        check_one_frame(self._sources)
        grid = self._sources[0].grid(0)
        self._basis = basis_of(grid)
        self._height, self._memory = int(height), int(memory)
        name = plane or acquisition_plane(grid)
        view = choose_view(grid, name)
        voxel = [size // 2 for size in grid.shape]
        voxel[view.axis] = choose_index(grid, view, index)
        self._luts: dict[str, VoiLut] = {}
        looks = [
            self._look_of(source, window) for source, window in zip(self._sources, windows, strict=False)
        ]
        steps = self._sources[0].steps
        state: dict[str, Any] = {
            "plane": name,
            "layout": layout,
            "position": self._lps(voxel),
            "_looks": looks,
            "_step": [0] * len(steps.names),
        }
        super().__init__(_meta=self._describe(state), **state)
        self.on_msg(self._on_message)

    def _look_of(self, source: Source, window: WindowLike | None) -> dict[str, Any]:
        grid = source.grid(0)
        chosen = resolve_window(window, grid.attrs, grid.sample)
        self._remember(chosen)
        return {
            "window": numbers(chosen),
            "invert": shown_inverted(grid.attrs),
            "cmap": "gray",
            "opacity": 1.0,
            "fade": False,
            "visible": True,
        }

    def _remember(self, window: AnyWindow) -> None:
        if isinstance(window, VoiLut):
            self._luts[lut_text(window)] = window

    def _describe(self, state: Mapping[str, Any]) -> dict[str, Any]:
        scene = {
            "plane": state["plane"],
            "layout": state["layout"],
            "position": state["position"],
            "turn": list(IDENTITY),
            "zoom": 1.0,
            "pan": [0.0, 0.0, 0.0],
            "slab": None,
            "interpolation": "linear",
            "tiles": [3, 4],
            "stride": 1,
        }
        basis = self._basis
        return {
            "sources": [source.describe(memory=self._memory) for source in self._sources],
            "basis": {
                "right": dict(basis.right),
                "down": dict(basis.down),
                "axis": dict(basis.axis),
                "heading": dict(basis.heading),
                "corners": [list(corner) for corner in basis.corners],
                "middle": list(basis.middle),
            },
            "palettes": {
                name: "" if name == "gray" else base64.b64encode(palette(name).tobytes()).decode("ascii")
                for name in PALETTES
            },
            "height": self._height,
            "budget": self._memory,
            "first": {
                "scene": scene,
                "looks": state["_looks"],
                "step": state["_step"],
                "mode": "fusion",
                "split": 0.5,
            },
        }

    def __setattr__(self, name: str, value: object) -> None:
        # A mistyped name would otherwise make a new attribute that nothing ever looks at.
        if not name.startswith("_") and not hasattr(type(self), name):
            settable = ", ".join(
                sorted(
                    {"window", "index", "slab", "steps", "invert", "cmap"}
                    | {one for one in _STATE if one[0] != "_"}
                )
            )
            raise AttributeError(f"A SliceBrowser has no {name!r} to set. What can be set: {settable}.")
        super().__setattr__(name, value)

    # ---- what users read and set ---------------------------------------------------------------------------------

    @property
    def volume(self) -> xr.DataArray:
        """The volume that is shown, the first of several.

        Raises
        ------
        DicomLabError
            The browser was closed.
        """
        return self._opened()[0].volume

    @property
    def index(self) -> int:
        """Index along the voxel axis that `plane` cuts, from 0; of tilted planes that of `position`."""
        return self._voxel()[self._basis.axis[self.plane]]

    @index.setter
    def index(self, index: int) -> None:
        grid = self._opened()[0].grid(0)
        axis = self._basis.axis[self.plane]
        count = grid.shape[axis]
        if not 0 <= int(index) < count:
            raise DicomLabError(
                f"{AXES[axis]} {index} was asked for; there are {AXES[axis]}s 0 to {count - 1}."
            )
        by = float(grid.axes[axis][int(index)]) - float(grid.coordinates(self.position)[axis])
        heading = self._basis.heading[cast(PlaneName, self.plane)]
        self.position = [p + by * h for p, h in zip(self.position, heading, strict=True)]

    @property
    def window(self) -> AnyWindow:
        """The window of the first volume; set it as a `Window`, a `VoiLut`, a name ("lung", "auto") or a pair (center, width)."""
        return self._window_of(self._looks[0])

    @window.setter
    def window(self, window: WindowLike) -> None:
        grid = self._opened()[0].grid(self._number(0))
        chosen = resolve_window(window, grid.attrs, grid.sample)
        self._remember(chosen)
        self._change_look(0, window=numbers(chosen))

    def _window_of(self, look: Mapping[str, Any]) -> AnyWindow:
        told = look["window"]
        lut = self._luts.get(told.get("lut", ""))
        return lut or Window(told["center"], told["width"], told["function"])

    @property
    def invert(self) -> bool:
        """Whether low values of the first volume are shown white."""
        return bool(self._looks[0]["invert"])

    @invert.setter
    def invert(self, invert: bool) -> None:
        self._change_look(0, invert=bool(invert))

    @property
    def cmap(self) -> str:
        """Colour map of the first volume."""
        return str(self._looks[0]["cmap"])

    @cmap.setter
    def cmap(self, cmap: str) -> None:
        palette(cmap)
        self._change_look(0, cmap=cmap)

    @property
    def slab(self) -> Slab | None:
        """How thick the planes are: None, or a mode ("mip", "minip", "average") and mm, as a `Slab` or a pair."""
        return None if self._slab is None else Slab(self._slab["mode"], self._slab["thickness"])

    @slab.setter
    def slab(self, slab: Slab | tuple[str, float] | None) -> None:
        if slab is None:
            self._slab = None
            return
        mode, thickness = (slab.mode, slab.thickness) if isinstance(slab, Slab) else slab
        if mode not in ("mip", "minip", "average") or not float(thickness) > 0:
            raise DicomLabError(
                f"A slab is a mode, 'mip', 'minip' or 'average', and its thickness in mm; found {slab!r}."
            )
        self._slab = {"mode": mode, "thickness": float(thickness)}

    @property
    def steps(self) -> dict[str, int]:
        """Which step of each further axis is shown, as an index: ``browser.steps = {"time": 3}``."""
        names = self._opened()[0].steps.names
        return dict(zip(names, self._step, strict=True))

    @steps.setter
    def steps(self, steps: Mapping[str, int]) -> None:
        known = self._opened()[0].steps
        asked = {**self.steps, **steps}
        for name, size in zip(known.names, known.sizes, strict=True):
            if not 0 <= int(asked[name]) < size:
                raise DicomLabError(
                    f"Step {asked[name]} of {name} was asked for; there are {size}, from 0 on."
                )
        if set(asked) != set(known.names):
            raise DicomLabError(
                f"Steps of {', '.join(map(str, steps))} were asked for; this volume has {', '.join(known.names) or 'none'}."
            )
        self._step = [int(asked[name]) for name in known.names]

    def _change_look(self, number: int, **changes: Any) -> None:
        with self._lock:
            self._looks = [{**look, **changes} if n == number else look for n, look in enumerate(self._looks)]

    @property
    def scene(self) -> Scene:
        """All that decides which planes are seen; frozen."""
        return Scene(
            position=tuple(self.position),
            plane=cast(PlaneName, self.plane),
            layout=cast(Layout, self.layout),
            turn=tuple(self._turn),
            zoom=self.zoom,
            pan=tuple(self.pan),
            slab=self.slab,
            interpolation=cast(Interpolation, self.interpolation),
            tiles=(self.tiles[0], self.tiles[1]),
            stride=self.stride,
        )

    def picture(self, width: int = 900, height: int | None = None) -> npt.NDArray[np.uint8]:
        """What is seen, as RGB of shape (height, width, 3): the pixels that the canvas of this size has, without letters."""
        images = [
            Image(
                source.grid(self._number(n)),
                self._window_of(look),
                bool(look["invert"]),
                str(look["cmap"]),
                float(look["opacity"]),
                bool(look["fade"]),
            )
            for n, (source, look) in enumerate(zip(self._opened(), self._looks, strict=True))
            if n == 0 or look["visible"]
        ]
        return draw(
            self.scene,
            self._basis,
            images,
            width,
            self._height if height is None else height,
            mode=cast(Any, self.mode),
            split=self.split,
        )

    def refresh(self) -> None:
        """Show the values anew, after the volume's array was changed in place."""
        with self._lock:
            for source in self._opened():
                source.refresh()
            state = {"plane": self.plane, "layout": self.layout, "position": self.position}
            self._meta = {
                **self._describe({**state, "_looks": self._looks, "_step": self._step}),
                "first": self._meta["first"],
            }

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
        sources = self._opened()
        # The page holds all slices anyway; unpacked they may stay too.
        meta = {
            **self._meta,
            "sources": [{**one, "reslice": False} for one in self._meta["sources"]],
            "budget": 1 << 40,
        }
        traits = {"_meta": meta, **{name: getattr(self, name) for name in _STATE}}
        page = make_page(
            sources,
            traits,
            title=self._meta["sources"][0]["title"] or "volume",
            height=self._height,
            max_bytes=max_bytes,
        )
        if path is not None:
            page.save(path)
        return page

    def close(self) -> None:
        """Close the viewer and let go of the volume."""
        super().close()
        with self._lock:
            self._sources = []

    def __repr__(self) -> str:
        if not self._sources:
            return "<SliceBrowser, closed>"
        axis = self._basis.axis[self.plane]
        where = f"{AXES[axis]} {self.index + 1}/{self._sources[0].grid(0).shape[axis]}"
        return f"<SliceBrowser {self.plane} {where}, {self.window}>"

    # ---- what notebooks ask for ----------------------------------------------------------------------------------

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None or not self._sources:
            return shown
        if any(source.grid(0).lazy for source in self._sources) and (
            self.layout != "single" or self._basis.axis[self.plane]
        ):
            return shown  # no picture is worth reading all slices for
        data, metadata = shown if isinstance(shown, tuple) else (shown, {})
        # What a reader without a kernel sees: no notebook restores the state of a widget by itself. A slice that cannot be
        # read has no picture; the viewer itself says so, in its place.
        with contextlib.suppress(DicomLabError, OSError):
            data = {**data, "image/png": base64.b64encode(self._snapshot()).decode("ascii")}
        return data, metadata

    def _snapshot(self) -> bytes:
        """Return what is seen as a small PNG."""
        from dicomlab.view.still import still

        return still(self.picture, replace(self.scene), self._basis, self._sources[0].grid(0), self.window)

    # ---- messages ------------------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the browser; called by ipywidgets."""
        with self._lock:
            super().set_state(sync_data)

    def _on_message(self, _widget: object, content: Mapping[str, Any], _buffers: object) -> None:
        """Answer a demand; the browser decides which and how many, so that nothing is ever flooded."""
        with self._lock:
            sources = list(self._sources)
        reply = answer(sources, content)
        if reply is not None:
            self.send(*reply)

    # ---- keeping things one --------------------------------------------------------------------------------------

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> list[float]:
        lps = [float(mm) for mm in proposal["value"]]
        if self._sources:
            grid = self._sources[0].grid(0)
            for axis, mm in enumerate(grid.coordinates(lps)):
                grid.nearest_index(axis, float(mm))  # raises outside
        return lps

    @traitlets.validate("_looks")
    def _valid_looks(self, proposal: Any) -> list[dict[str, Any]]:
        for look in proposal["value"]:
            self._window_of(look)  # raises WindowError
        return list(proposal["value"])

    def _number(self, source: int) -> int:
        """Which step of a volume is shown."""
        first, own = self._sources[0].steps, self._sources[source].steps
        index = []
        for name, size in zip(own.names, own.sizes, strict=True):
            place = (
                first.names.index(name)
                if name in first.names and first.sizes[first.names.index(name)] == size
                else None
            )
            index.append(0 if place is None else min(self._step[place], size - 1))
        return own.number(tuple(index))

    def _voxel(self) -> list[int]:
        grid = self._opened()[0].grid(0)
        return [
            int(np.argmin(np.abs(line - mm)))
            for line, mm in zip(grid.axes, grid.coordinates(self.position), strict=True)
        ]

    def _lps(self, voxel: Sequence[int]) -> list[float]:
        grid = self._sources[0].grid(0)
        at = np.array([line[i] for line, i in zip(grid.axes, voxel, strict=True)])
        return [float(x) for x in grid.direction @ at]

    def _opened(self) -> list[Source]:
        if not self._sources:
            raise DicomLabError(
                "This browser was closed and holds no volume any more; make a new one with browse."
            )
        return self._sources
