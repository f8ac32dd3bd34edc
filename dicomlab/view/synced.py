"""What a viewer and its page have in common: traits, messages, the volumes behind them."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.view.asmade import AsMade
from dicomlab.view.brush import FIRST_BRUSH
from dicomlab.view.draw import Mode
from dicomlab.view.editing import Editing
from dicomlab.view.grid import Grid
from dicomlab.view.keymap import TOOLS, checked_keymap
from dicomlab.view.layers import first_look_through, looked_as, manner
from dicomlab.view.masks import Mask, MasksLike, first_look, read_masks
from dicomlab.view.meet import MODES, check_mode
from dicomlab.view.page import module
from dicomlab.view.roi import Roi
from dicomlab.view.rois import Rois
from dicomlab.view.scene import IDENTITY, Layout, basis_of
from dicomlab.view.shade import PALETTES
from dicomlab.view.source import Source, check_one_frame
from dicomlab.view.state import PLANES, PlaneName, choose_plane, choose_voxel
from dicomlab.view.told import describe, first_difference, first_state, packed
from dicomlab.view.windows import lut_text
from dicomlab.voi import VoiLut
from dicomlab.windowing import AnyWindow, Window, WindowLike, file_windows, resolve_window, shown_inverted

__all__ = ["STATE", "Synced"]

STATE = (
    "plane",
    "panes",
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
    "tool",
    "rois",
    "_difference",
    "_labels",
    "_brush",
    "playing",
    "fps",
    "bounce",
    "along",
)
"""What is synchronised with the page, as ``TRAITS`` in ``js/widget.js``."""


_DERIVED = {
    "plane": ("index",),
    "position": ("index",),
    "_looks": ("window", "invert", "cmap"),
    "_slab": ("slab",),
    "_step": ("steps",),
}
"""What else changes with a trait."""


class Synced(AsMade):
    """The part of a `SliceBrowser` that the page hears of."""

    # Text, not a path: anywidget keeps an instance alive for ever that watches a file.
    _esm = module()

    _meta = traitlets.Dict().tag(sync=True)
    plane = traitlets.Enum(PLANES, default_value="axial").tag(sync=True)
    # `layout` is ipywidgets' own: the box of the widget in its cell.
    panes = traitlets.Enum(("single", "planes", "montage"), default_value="single").tag(sync=True)
    position = traitlets.List(traitlets.Float(), minlen=3, maxlen=3, default_value=[0.0] * 3).tag(sync=True)
    _turn = traitlets.List(traitlets.Float(), minlen=9, maxlen=9, default_value=list(IDENTITY)).tag(sync=True)
    zoom = traitlets.Float(1.0, min=0.2, max=50.0).tag(sync=True)
    pan = traitlets.List(traitlets.Float(), minlen=3, maxlen=3, default_value=[0.0] * 3).tag(sync=True)
    _slab: Any = traitlets.Dict(allow_none=True, default_value=None).tag(sync=True)
    interpolation = traitlets.Enum(("linear", "nearest"), default_value="linear").tag(sync=True)
    tiles = traitlets.List(traitlets.Int(), minlen=2, maxlen=2, default_value=[3, 4]).tag(sync=True)
    stride = traitlets.Int(1, min=1).tag(sync=True)
    _looks = traitlets.List(traitlets.Dict()).tag(sync=True)
    _step = traitlets.List(traitlets.Int(min=0)).tag(sync=True)
    mode = traitlets.Enum(MODES, default_value="fusion").tag(sync=True)
    split = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    tool = traitlets.Enum(TOOLS, default_value="window").tag(sync=True)
    rois: Any = traitlets.TraitType().tag(
        sync=True,
        to_json=lambda rois, _: rois.to_json(),
        # Not a plain list: traitlets leaves a value as it came that equals the one before.
        from_json=lambda told, browser: Rois(map(Roi.from_json, told), browser._looked),
    )
    _difference = traitlets.Dict().tag(sync=True)
    _labels = traitlets.List(traitlets.List(traitlets.Dict())).tag(sync=True)
    _brush = traitlets.Dict(default_value=dict(FIRST_BRUSH)).tag(sync=True)
    playing = traitlets.Bool(False).tag(sync=True)
    fps = traitlets.Float(10.0, min=0.2, max=60.0).tag(sync=True)
    bounce = traitlets.Bool(False).tag(sync=True)
    along = traitlets.Enum(("slices", "steps"), default_value="slices").tag(sync=True)
    keymap = traitlets.Dict().tag(sync=True)
    _links = traitlets.List(traitlets.Dict()).tag(sync=True)

    @traitlets.default("layout")
    def _flexible(self) -> dict[str, str]:
        # Viewers beside one another in an HBox share its width; elsewhere it says nothing.
        return {"flex": "1 1 auto", "min_width": "0"}

    def __init__(
        self,
        volumes: Sequence[xr.DataArray],
        *,
        plane: PlaneName | None = None,
        index: int | None = None,
        windows: Sequence[WindowLike | None] = (None,),
        masks: MasksLike | None = None,
        editing: Editing | None = None,
        mode: Mode = "fusion",
        layout: Layout = "single",
        height: int = 512,
        memory: int = 256 << 20,
        keymap: Mapping[str, str | None] | None = None,
    ) -> None:
        # Messages arrive on a thread of their own (ipykernel 7 handles comms in a subshell).
        self._lock = threading.RLock()
        self._given_masks = masks
        self._images = len(volumes)
        self._editing = editing
        self._hold([Source(volume) for volume in volumes], read_masks(masks))
        check_one_frame([source.grid(0) for source in self._sources], images=self._images)
        grid = self._sources[0].grid(0)
        self._basis = basis_of(grid)
        self._height, self._memory = int(height), int(memory)
        check_mode(mode, [source.grid(0) for source in self._sources[: self._images]])
        name = choose_plane(grid, plane)
        voxel = choose_voxel(grid, self._basis.axis[name], index)
        self._luts: dict[str, VoiLut] = {}
        self._cmaps: tuple[str, ...] = ()
        self._manners = [
            manner(source.grid(0).attrs, n == 0, shown_inverted(source.grid(0).attrs))
            for n, source in enumerate(self._sources[: self._images])
        ]
        looks = [
            looked_as(mode, self._look_of(source, window), known)
            for source, window, known in zip(self._sources, windows, self._manners, strict=False)
        ]
        steps = self._sources[0].steps
        state: dict[str, Any] = {
            "plane": name,
            "panes": layout,
            "position": self._lps(voxel),
            "_looks": looks,
            "_step": [0] * len(steps.names),
            "mode": mode,
            "_difference": first_difference(
                self._sources[: self._images], self._basis, name, self._lps(voxel)
            ),
            "_labels": [],
            "along": "steps" if steps.names else "slices",
            "keymap": dict(keymap or {}),
        }
        state["_labels"] = self._looks_of_labels()
        self._derived: dict[str, Any] = {}
        super().__init__(_meta=self._describe(state), **state)

    def _hold(self, images: Sequence[Source], masks: Sequence[Mask]) -> None:
        """Have these volumes and masks, and know which step of each goes with each of the first one's."""
        self._masks: list[Mask | Editing] = [*masks, *([self._editing] if self._editing else [])]
        self._sources = [*images, *(mask.source for mask in self._masks)]
        self._follows = [source.steps.follow(images[0].steps) for source in self._sources]

    def _images_of(self) -> list[Grid]:
        return [source.grid(self._number(n)) for n, source in enumerate(self._opened()[: self._images])]

    def _looks_of_labels(
        self, known: Mapping[str, Mapping[str, Any]] | None = None
    ) -> list[list[dict[str, Any]]]:
        """How each label of each mask is drawn: as it was where its name is known, else in a colour of its own."""
        looks: list[list[dict[str, Any]]] = []
        number = 0
        for mask in self._masks:
            if isinstance(mask, Editing):
                looks.append(
                    [
                        {
                            **look,
                            **((known or {}).get(look["name"]) or {}),
                            "value": look["value"],
                            "mask": look["mask"],
                        }
                        for look in mask.looks()
                    ]
                )
                continue
            looks.append([])
            for label in mask.labels:
                look = {**first_look(number, label.colour), **((known or {}).get(label.name) or {})}
                looks[-1].append({**look, "value": label.value})
                number += 1
        return looks

    def _look_of(self, source: Source, window: WindowLike | None) -> dict[str, Any]:
        grid = source.grid(0)
        chosen = resolve_window(window, grid.attrs, grid.sample)
        # The page tells of a table by its text, and may choose each that it was offered.
        for one in (chosen, *file_windows(grid.attrs).values()):
            self._remember(one)
        return first_look_through(chosen, invert=shown_inverted(grid.attrs))

    def _remember(self, window: AnyWindow) -> None:
        if isinstance(window, VoiLut):
            self._luts[lut_text(window)] = window

    def _describe(self, state: Mapping[str, Any]) -> dict[str, Any]:
        images = self._sources[: self._images]
        return {
            **describe(
                images, self._manners, self._masks, self._follows, self._basis, state, memory=self._memory
            ),
            "palettes": packed((*PALETTES, *self._cmaps)),
            "height": self._height,
            "first": first_state(state),
        }

    def _offer_palette(self, cmap: str) -> None:
        """Let the page have a colour map that it did not have at first."""
        if cmap not in self._meta["palettes"]:
            self._cmaps = (*self._cmaps, cmap)
            self._meta = {**self._meta, "palettes": {**self._meta["palettes"], **packed([cmap])}}

    def _window_of(self, look: Mapping[str, Any]) -> AnyWindow:
        told = look["window"]
        lut = self._luts.get(told.get("lut", ""))
        return lut or Window(told["center"], told["width"], told["function"])

    def _change_look(self, number: int, **changes: Any) -> None:
        with self._lock:
            self._looks = [{**look, **changes} if n == number else look for n, look in enumerate(self._looks)]

    def _change_label(self, mask: int, value: int, **changes: Any) -> None:
        with self._lock:
            self._labels = [
                [{**one, **changes} if n == mask and one["value"] == value else one for one in looks]
                for n, looks in enumerate(self._labels)
            ]

    # ---- messages ------------------------------------------------------------------------------------------------

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the browser; called by ipywidgets."""
        with self._lock:
            before = {name: getattr(self, name) for name in sync_data if self.has_trait(name)}
            try:
                super().set_state(sync_data)
            except DicomLabError:
                # traitlets takes values back for errors of its own only.
                self._trait_values.update(before)
                raise

    # ---- keeping things one --------------------------------------------------------------------------------------

    @traitlets.observe("plane", "position", "_looks", "_slab", "_step")
    def _derive(self, change: Any) -> None:
        """Tell those who observe what users call by other names: of `index`, `window`, `slab`, …"""
        if not self._sources:
            return
        for name in _DERIVED[change["name"]]:
            new = getattr(self, name)
            old = self._derived.get(name)
            self._derived[name] = new
            if old != new:
                self.notify_change(traitlets.Bunch(name=name, old=old, new=new, owner=self, type="change"))

    @traitlets.validate("position")
    def _valid_position(self, proposal: Any) -> list[float]:
        lps = [float(mm) for mm in proposal["value"]]
        if self._sources:
            grid = self._sources[0].grid(0)
            for axis, mm in enumerate(grid.coordinates(lps)):
                grid.nearest_index(axis, float(mm))  # raises outside
        return lps

    @traitlets.validate("zoom", "pan", "split", "fps")
    def _valid_number(self, proposal: Any) -> Any:
        if not np.isfinite(proposal["value"]).all():
            raise DicomLabError(
                f"{proposal['trait'].name} was to be set to {proposal['value']}; a finite number was expected."
            )
        return proposal["value"]

    @traitlets.validate("keymap")
    def _valid_keymap(self, proposal: Any) -> dict[str, str]:
        return checked_keymap(proposal["value"])

    @traitlets.validate("tiles")
    def _valid_tiles(self, proposal: Any) -> list[int]:
        if not all(1 <= count <= 12 for count in proposal["value"]):
            raise DicomLabError(
                f"Tiles are the rows and the columns of a montage, 1 to 12; found {proposal['value']!r}."
            )
        return list(proposal["value"])

    @traitlets.validate("_looks")
    def _valid_looks(self, proposal: Any) -> list[dict[str, Any]]:
        for look in proposal["value"]:
            self._window_of(look)  # raises WindowError
        return list(proposal["value"])

    @traitlets.default("rois")
    def _no_rois(self) -> Rois:
        return Rois((), self._looked)

    @traitlets.validate("rois")
    def _valid_rois(self, proposal: Any) -> Rois:
        if isinstance(proposal["value"], Roi) or not isinstance(proposal["value"], Iterable):
            raise DicomLabError(f"A list of Roi was asked for; found {proposal['value']!r}.")
        return Rois(proposal["value"], self._looked)

    def _looked(self) -> tuple[xr.DataArray, Grid]:
        """The first volume, and the grid of its step that is shown: what measurements are made on."""
        source = self._opened()[0]
        return source.volume, source.grid(self._number(0))

    @traitlets.validate("mode")
    def _valid_mode(self, proposal: Any) -> str:
        if self._sources:
            check_mode(proposal["value"], [source.grid(0) for source in self._sources[: self._images]])
        return str(proposal["value"])

    @traitlets.observe("mode")
    def _mode_changed(self, change: Any) -> None:
        with self._lock:
            looks = [
                looked_as(change["new"], look, known)
                for look, known in zip(self._looks, self._manners, strict=True)
            ]
            if looks != self._looks:
                self._looks = looks

    def _number(self, source: int, step: Sequence[int] | None = None) -> int:
        """Which step of a volume is shown, or would be."""
        shown = self._step if step is None else step
        first, own = self._sources[0].steps, self._sources[source].steps
        index = [
            0 if follows is None else follows[shown[first.names.index(name)]]
            for name, follows in zip(own.names, self._follows[source], strict=True)
        ]
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
