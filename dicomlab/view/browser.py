"""The slice browser: an interactive viewer of one or several volumes in a notebook.

The browser does all that follows the hand (windowing, zoom, planes, values under the pointer); Python hands out
16-bit slices when they are asked for, and keeps the small state: planes, position, windows, zoom.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real

import numpy as np
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES
from dicomlab.view.drawn import Drawn
from dicomlab.view.layers import DifferenceLayer, LabelLayer, LabelList, Layer
from dicomlab.view.masks import MasksLike
from dicomlab.view.meet import check_mode
from dicomlab.view.observable import observable
from dicomlab.view.sample import Slab
from dicomlab.view.scene import Layout
from dicomlab.view.state import PlaneName
from dicomlab.view.synced import STATE
from dicomlab.windowing import AnyWindow, WindowLike

__all__ = ["SliceBrowser", "browse"]


def browse(
    volume: xr.DataArray,
    *,
    plane: PlaneName | None = None,
    index: int | None = None,
    window: WindowLike | None = None,
    masks: MasksLike | None = None,
    edit: bool = False,
    layout: Layout = "single",
    height: int = 512,
    memory: int = 256 << 20,
    keymap: Mapping[str, str | None] | None = None,
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
    masks
        Drawn over the picture: a volume of False and True, of whole numbers (labels), or with a dim ``segment`` as from
        `load_segmentation`; several as a list or, with their names, a mapping. They may have grids of their own.
        See ``browser.labels``.
    edit
        Whether a mask is edited from the beginning: a copy of the first of `masks` that can be (on the grid of the volume,
        labels that do not overlap), else an empty one. ``browser.mask`` is what has become of it. The button *edit* of the
        toolbar does the same later.
    layout
        ``"single"``, ``"planes"`` (three that meet in the crosshair) or ``"montage"``.
    height
        Height of the picture in CSS pixels; the width is that of the cell.
    memory
        Bytes of slices that the web page may keep.
    keymap
        Keys and gestures that shall do something else: ``{"c": "crosshair", "Wheel": "zoom", "x": None}``; see
        `dicomlab.view.keymap`. The help of the viewer lists what is bound.

    Raises
    ------
    GeometryError
        This is not a volume, its positions are not known, or the slice is not in it.
    WindowError
        There is no such window.
    DicomLabError
        A key cannot be bound to what was asked.

    References
    ----------
    PS3.3 C.7.6.2 (Image Plane), C.11.2 (VOI LUT).
    """
    return SliceBrowser(
        [volume],
        plane=plane,
        index=index,
        windows=[window],
        masks=masks,
        edit=edit,
        layout=layout,
        height=height,
        memory=memory,
        keymap=keymap,
    )


class SliceBrowser(Drawn):
    """An interactive viewer; made by `browse`, which explains the parameters.

    All traits can be read, set and observed: ``browser.observe(handler, "position")``.

    Attributes
    ----------
    plane
        ``"axial"``, ``"sagittal"`` or ``"coronal"``: the only plane, or the largest.
    panes
        The layout: ``"single"``, ``"planes"`` or ``"montage"``. It can be set as ``layout`` too.
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
        How volumes meet, and where a curtain hangs.
    rois
        The measurements, as `Rois`: a sequence of `Roi` with a table, masks and profiles. Set them as a list.
    layers, labels, difference
        How each volume, each label of the masks, and the difference of two volumes are drawn.
    mask, brush
        The mask that is edited, and what the brush is.
    playing, fps, bounce, along
        Cine: whether it runs, frames a second (at most 60), whether it goes to and fro, and what it goes through: ``"slices"``
        or ``"steps"`` of the last further axis. While it runs, Python hears of the position twice a second.
    keymap
        What keys and gestures do, where it is not the usual; see `browse`.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if name == "layout" and isinstance(
            value, str
        ):  # as `browse` calls it; ipywidgets has the name for the box in the cell
            name = "panes"
        # A mistyped name would otherwise make a new attribute that nothing ever looks at.
        if not name.startswith("_") and not hasattr(type(self), name):
            settable = ", ".join(
                sorted(
                    {"window", "index", "slab", "steps", "invert", "cmap", "mask", "brush"}
                    | {one for one in (*STATE, "keymap") if one[0] != "_"}
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

    @observable
    def index(self) -> int:
        """Index along the voxel axis that `plane` cuts, from 0; of tilted planes that of `position`."""
        return self._voxel()[self._basis.axis[self.plane]]

    @index.setter
    def index(self, index: int) -> None:
        grid = self._opened()[0].grid(0)
        axis = self._basis.axis[self.plane]
        count = grid.shape[axis]
        if not isinstance(index, (int, np.integer)) or not 0 <= index < count:
            raise DicomLabError(
                f"{AXES[axis]} {index} was asked for; there are {AXES[axis]}s 0 to {count - 1}."
            )
        by = float(grid.axes[axis][index]) - float(grid.coordinates(self.position)[axis])
        heading = self._basis.heading[self.plane]
        self.position = [p + by * h for p, h in zip(self.position, heading, strict=True)]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """How each volume is looked at: ``browser.layers[1].opacity = 0.4``."""
        return tuple(Layer(self, n) for n in range(self._images))

    @property
    def labels(self) -> LabelList:
        """The labels of all masks: ``browser.labels["liver"].visible = False``, ``browser.labels[0].ml``."""
        return LabelList(
            [LabelLayer(self, n, label) for n, mask in enumerate(self._masks) for label in mask.labels]
        )

    @property
    def difference(self) -> Layer:
        """How the second volume minus the first is looked at, in the mode "difference"."""
        check_mode("difference", self._images_of())
        return DifferenceLayer(self)

    @observable
    def window(self) -> AnyWindow:
        """The window of the first volume; set it as a `Window`, `VoiLut`, name ("lung", "auto") or pair (center, width)."""
        return self.layers[0].window

    @window.setter
    def window(self, window: WindowLike) -> None:
        self.layers[0].window = window

    @observable
    def invert(self) -> bool:
        """Whether low values of the first volume are shown white."""
        return self.layers[0].invert

    @invert.setter
    def invert(self, invert: bool) -> None:
        self.layers[0].invert = invert

    @observable
    def cmap(self) -> str:
        """Colour map of the first volume."""
        return self.layers[0].cmap

    @cmap.setter
    def cmap(self, cmap: str) -> None:
        self.layers[0].cmap = cmap

    @observable
    def slab(self) -> Slab | None:
        """How thick the planes are: None, or a mode ("mip", "minip", "average") and mm, as a `Slab` or a pair.

        ``float("inf")`` is as thick as reaches through the volume.
        """
        return self.scene.slab

    @slab.setter
    def slab(self, slab: Slab | tuple[str, float] | None) -> None:
        if slab is None:
            self._slab = None
            return
        given = (slab.mode, slab.thickness) if isinstance(slab, Slab) else slab
        mode, thickness = given if isinstance(given, Sequence) and len(given) == 2 else (None, None)
        if mode not in ("mip", "minip", "average") or not isinstance(thickness, Real) or not thickness > 0:
            raise DicomLabError(
                f"A slab is a mode, 'mip', 'minip' or 'average', and its thickness in mm; found {slab!r}."
            )
        # What reaches through the volume from wherever is as thick as can be; planes beyond it would be cut for nothing.
        most = 2 * math.dist(self._basis.corners[0], self._basis.corners[-1])
        self._slab = {"mode": mode, "thickness": min(float(thickness), max(most, 1.0))}

    @observable
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

    def refresh(self) -> None:
        """Show the values anew, after the volume's array was changed in place."""
        with self._lock:
            for source in self._opened()[: self._images]:
                source.refresh()
            self._remask(self._editing)

    def close(self) -> None:
        """Close the viewer and let go of the volume."""
        super().close()
        with self._lock:
            self._sources, self._masks, self._given_masks, self._editing = [], [], None, None

    def __repr__(self) -> str:
        if not self._sources:
            return "<SliceBrowser, closed>"
        axis = self._basis.axis[self.plane]
        where = f"{AXES[axis]} {self.index + 1}/{self._sources[0].grid(0).shape[axis]}"
        more = f", {self._images} volumes ({self.mode})" if self._images > 1 else ""
        count = len(self.labels)
        more += f", {count} label{'' if count == 1 else 's'}" if count else ""
        return f"<SliceBrowser {self.plane} {where}, {self.window}{more}>"
