"""What a viewer and its page have in common: traits, messages, the volumes behind them."""

from __future__ import annotations

import base64
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import anywidget
import numpy as np
import traitlets
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.view.answers import answer
from dicomlab.view.keymap import checked_keymap
from dicomlab.view.page import bundle, styles
from dicomlab.view.scene import IDENTITY, Layout, basis_of
from dicomlab.view.shade import PALETTES, palette
from dicomlab.view.source import Source, check_one_frame
from dicomlab.view.state import PLANES, PlaneName, acquisition_plane, choose_index, choose_view
from dicomlab.view.windows import lut_text, numbers
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, Window, WindowLike, resolve_window, shown_inverted

__all__ = ["STATE", "Synced"]

STATE = (
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
    "playing",
    "fps",
    "bounce",
    "along",
)
"""What is synchronised with the page, as ``TRAITS`` in ``js/widget.js``."""


class Synced(anywidget.AnyWidget):
    """The part of a `SliceBrowser` that the page hears of."""

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
    _slab: Any = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
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
    playing = traitlets.Bool(False).tag(sync=True)
    fps = traitlets.Float(10.0, min=0.2, max=60.0).tag(sync=True)
    bounce = traitlets.Bool(False).tag(sync=True)
    along = traitlets.Enum(("slices", "steps"), default_value="slices").tag(sync=True)
    keymap = traitlets.Dict().tag(sync=True)
    _links = traitlets.List(traitlets.Dict()).tag(sync=True)

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
        keymap: Mapping[str, str | None] | None = None,
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
            "along": "steps" if steps.names else "slices",
            "keymap": dict(keymap or {}),
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
                "cine": {"playing": False, "fps": 10.0, "bounce": False, "along": state["along"]},
            },
        }

    def _window_of(self, look: Mapping[str, Any]) -> AnyWindow:
        told = look["window"]
        lut = self._luts.get(told.get("lut", ""))
        return lut or Window(told["center"], told["width"], told["function"])

    def _change_look(self, number: int, **changes: Any) -> None:
        with self._lock:
            self._looks = [{**look, **changes} if n == number else look for n, look in enumerate(self._looks)]

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

    @traitlets.validate("keymap")
    def _valid_keymap(self, proposal: Any) -> dict[str, str]:
        return checked_keymap(proposal["value"])

    @traitlets.validate("_looks")
    def _valid_looks(self, proposal: Any) -> list[dict[str, Any]]:
        for look in proposal["value"]:
            self._window_of(look)  # raises WindowError
        return list(proposal["value"])

    def _number(self, source: int, step: Sequence[int] | None = None) -> int:
        """Which step of a volume is shown, or would be."""
        shown = self._step if step is None else step
        first, own = self._sources[0].steps, self._sources[source].steps
        index = []
        for name, size in zip(own.names, own.sizes, strict=True):
            place = (
                first.names.index(name)
                if name in first.names and first.sizes[first.names.index(name)] == size
                else None
            )
            index.append(0 if place is None else min(shown[place], size - 1))
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
