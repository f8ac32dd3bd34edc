"""What users set of one volume or one label: ``browser.layers[1].opacity``, ``browser.labels["liver"].visible``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast, overload

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.view.masks import LabelInfo
from dicomlab.view.meet import apart
from dicomlab.view.plane import Vector
from dicomlab.view.scene import Scene
from dicomlab.view.shade import palette
from dicomlab.view.windows import numbers
from dicomlab.windowing import AnyWindow, WindowLike, resolve_window

if TYPE_CHECKING:
    from dicomlab.view.synced import Synced

__all__ = ["DifferenceLayer", "LabelLayer", "LabelList", "Layer", "first_look_through", "looked_as", "manner"]

_MANNER = ("invert", "cmap", "opacity", "fade")


def manner(attrs: Mapping[str, Any], first: bool, invert: bool) -> dict[str, dict[str, Any]]:
    """How a volume is looked at by itself ("plain") and over another ("fused"): inversion, colour map, opacity, fading.

    Uptake is hot over anatomy, and where there is none the anatomy is seen; all else is half clear.
    """
    plain = {"invert": invert, "cmap": "gray", "opacity": 1.0, "fade": False}
    if first:
        return {"plain": plain, "fused": plain}
    if attrs.get("Modality") in ("PT", "NM"):
        return {"plain": plain, "fused": {"invert": False, "cmap": "hot", "opacity": 1.0, "fade": True}}
    return {"plain": plain, "fused": {"invert": False, "cmap": "viridis", "opacity": 0.5, "fade": False}}


def looked_as(mode: str, look: Mapping[str, Any], known: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """A look in a mode: what nobody changed follows it (``lookedAs`` in ``js/layers.js``)."""
    to, other = ("fused", "plain") if mode == "fusion" else ("plain", "fused")
    unchanged = all(look[name] == known[other][name] for name in _MANNER)
    return {**look, **known[to]} if unchanged else dict(look)


def first_look_through(window: AnyWindow, *, invert: bool = False, cmap: str = "gray") -> dict[str, Any]:
    """How something is looked at first, as ``Look`` in ``js/types.js``."""
    return {
        "window": numbers(window),
        "invert": invert,
        "cmap": cmap,
        "opacity": 1.0,
        "fade": False,
        "visible": True,
    }


class Layer:
    """How one volume of a browser is looked at.

    Attributes can be read and set. Those of a hidden one are kept.
    """

    __slots__ = ("_browser", "_number")

    def __init__(self, browser: Synced, number: int) -> None:
        self._browser, self._number = browser, number

    @property
    def _look(self) -> Mapping[str, Any]:
        return self._browser._looks[self._number]

    def _change(self, **changes: Any) -> None:
        self._browser._change_look(self._number, **changes)

    def _offered(self) -> tuple[Mapping[str, Any], Callable[[], npt.NDArray[np.generic]]]:
        """Attributes and values that a window is chosen from."""
        grid = self._browser._opened()[self._number].grid(self._browser._number(self._number))
        return grid.attrs, grid.sample

    @property
    def volume(self) -> xr.DataArray:
        """The volume."""
        return self._browser._opened()[self._number].volume

    @property
    def title(self) -> str:
        """Modality and series description."""
        return str(self._browser._meta["sources"][self._number]["title"])

    @property
    def window(self) -> AnyWindow:
        """The window; set it as a `Window`, `VoiLut`, name ("lung", "auto") or pair (center, width)."""
        return self._browser._window_of(self._look)

    @window.setter
    def window(self, window: WindowLike) -> None:
        chosen = resolve_window(window, *self._offered())
        self._browser._remember(chosen)
        self._change(window=numbers(chosen))

    @property
    def invert(self) -> bool:
        """Whether low values are shown as the upper end of the colour map: white, of grey."""
        return bool(self._look["invert"])

    @invert.setter
    def invert(self, invert: bool) -> None:
        self._change(invert=bool(invert))

    @property
    def cmap(self) -> str:
        """Colour map, any of matplotlib's."""
        return str(self._look["cmap"])

    @cmap.setter
    def cmap(self, cmap: str) -> None:
        palette(cmap)
        self._browser._offer_palette(cmap)
        self._change(cmap=cmap)

    @property
    def opacity(self) -> float:
        """Of this volume over those before it, in a fusion: 0 to 1."""
        return float(self._look["opacity"])

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        self._change(opacity=_share(opacity))

    @property
    def fade(self) -> bool:
        """Whether low values are clearer than high ones, in a fusion."""
        return bool(self._look["fade"])

    @fade.setter
    def fade(self, fade: bool) -> None:
        self._change(fade=bool(fade))

    @property
    def visible(self) -> bool:
        """Whether it is shown; the first volume, on which all others lie, always is."""
        return self._number == 0 or bool(self._look["visible"])

    @visible.setter
    def visible(self, visible: bool) -> None:
        if self._number == 0 and not visible:
            raise DicomLabError(
                "The first volume was asked to be hidden; it says where all planes lie. Hide others, or browse them alone."
            )
        self._change(visible=bool(visible))

    def __repr__(self) -> str:
        words = [self.title or "volume", str(self.window), self.cmap]
        words += [f"opacity {self.opacity:g}"] * (self._number > 0) + ["hidden"] * (not self.visible)
        return f"<Layer {', '.join(words)}>"


class DifferenceLayer(Layer):
    """How the second volume minus the first is looked at, in the mode "difference"."""

    __slots__ = ()

    def __init__(self, browser: Synced) -> None:
        super().__init__(browser, 1)

    @property
    def _look(self) -> Mapping[str, Any]:
        return self._browser._difference

    def _change(self, **changes: Any) -> None:
        self._browser._difference = {**self._look, **changes}

    def _offered(self) -> tuple[Mapping[str, Any], Callable[[], npt.NDArray[np.generic]]]:
        browser = self._browser
        scene = Scene(cast(Vector, tuple(browser.position)), browser.plane)
        return {}, lambda: apart(browser._images_of(), browser._basis, scene)

    @property
    def title(self) -> str:
        """What is taken from what."""
        return str(self._browser._meta["difference"]["title"])


class LabelLayer:
    """How one label of a mask is drawn, and how large it is."""

    __slots__ = ("_browser", "_info", "_mask")

    def __init__(self, browser: Synced, mask: int, info: LabelInfo) -> None:
        self._browser, self._mask, self._info = browser, mask, info

    @property
    def name(self) -> str:
        """What it is called; set it, if it is a label of the mask that is edited."""
        return self._info.name

    @name.setter
    def name(self, name: str) -> None:
        self._of_edited("named")
        self._change(name=str(name))
        self._info = replace(self._info, name=str(name))

    @property
    def locked(self) -> bool:
        """Whether nothing is painted over it, if it is a label of the mask that is edited."""
        return bool(self._look.get("locked", False))

    @locked.setter
    def locked(self, locked: bool) -> None:
        self._of_edited("locked")
        self._change(locked=bool(locked))

    def _of_edited(self, what: str) -> None:
        if "locked" not in self._look:
            raise DicomLabError(
                f"The label {self.name!r} was to be {what}; only those of the mask that is edited can be. "
                "browser.mask = … chooses one."
            )

    @property
    def value(self) -> int:
        """The number of its voxels."""
        return self._info.value

    @property
    def ml(self) -> float | None:
        """Its volume in millilitres; None where the size of a voxel is not known."""
        return self._info.ml

    @property
    def _look(self) -> Mapping[str, Any]:
        return next(one for one in self._browser._labels[self._mask] if one["value"] == self.value)

    def _change(self, **changes: Any) -> None:
        self._browser._change_label(self._mask, self.value, **changes)

    @property
    def colour(self) -> tuple[int, int, int]:
        """Red, green, blue, 0 to 255; set it as such or as any colour of matplotlib ("tab:red", "#00ff00")."""
        red, green, blue = self._look["colour"]
        return int(red), int(green), int(blue)

    @colour.setter
    def colour(self, colour: str | Sequence[float]) -> None:
        self._change(colour=_colour(colour))

    @property
    def opacity(self) -> float:
        """Of its inside, 0 to 1."""
        return float(self._look["opacity"])

    @opacity.setter
    def opacity(self, opacity: float) -> None:
        self._change(opacity=_share(opacity))

    @property
    def outline(self) -> bool:
        """Whether its border is drawn."""
        return bool(self._look["outline"])

    @outline.setter
    def outline(self, outline: bool) -> None:
        self._change(outline=bool(outline))

    @property
    def visible(self) -> bool:
        """Whether it is drawn."""
        return bool(self._look["visible"])

    @visible.setter
    def visible(self, visible: bool) -> None:
        self._change(visible=bool(visible))

    def jump(self) -> None:
        """Show the slice where most of it lies."""
        if self._info.at is None:
            raise DicomLabError(f"The label {self.name!r} has no voxel to jump to.")
        self._browser.position = list(self._info.at)

    def __repr__(self) -> str:
        size = "" if self.ml is None else f", {self.ml:.4g} ml"
        return f"<LabelLayer {self.value} {self.name}{size}{'' if self.visible else ', hidden'}>"


class LabelList(Sequence[LabelLayer]):
    """The labels of all masks of a browser, by place or by name."""

    def __init__(self, labels: Sequence[LabelLayer]) -> None:
        self._all = tuple(labels)

    @overload
    def __getitem__(self, which: int | str) -> LabelLayer: ...
    @overload
    def __getitem__(self, which: slice) -> LabelList: ...
    def __getitem__(self, which: int | str | slice) -> LabelLayer | LabelList:
        if isinstance(which, slice):
            return LabelList(self._all[which])
        if isinstance(which, str):
            for one in self._all:
                if one.name == which:
                    return one
            known = ", ".join(one.name for one in self._all) or "none"
            raise DicomLabError(f"The label {which!r} was asked for; there are: {known}.")
        return self._all[which]

    def __len__(self) -> int:
        return len(self._all)

    def __iter__(self) -> Iterator[LabelLayer]:
        return iter(self._all)

    def set(
        self, *, opacity: float | None = None, outline: bool | None = None, visible: bool | None = None
    ) -> None:
        """Set the same for all of them; None leaves as it is."""
        asked = {"opacity": opacity, "outline": outline, "visible": visible}
        for one in self._all:
            for name, value in asked.items():
                if value is not None:
                    setattr(one, name, value)

    def __repr__(self) -> str:
        return f"<{len(self)} labels{''.join(f'{chr(10)}  {one!r}' for one in self._all)}>"


def _share(opacity: float) -> float:
    if not 0 <= float(opacity) <= 1:
        raise DicomLabError(f"An opacity is a number from 0 (clear) to 1; found {opacity!r}.")
    return float(opacity)


def _colour(colour: str | Sequence[float]) -> list[int]:
    if not isinstance(colour, str):
        parts = [float(x) for x in colour]
        if len(parts) == 3 and all(0 <= x <= 255 and x == int(x) for x in parts):
            return [int(x) for x in parts]
        raise DicomLabError(
            f"A colour is red, green, blue as whole numbers 0 to 255, or a name; found {colour!r}."
        )
    from matplotlib.colors import to_rgb

    try:
        return [round(255 * x) for x in to_rgb(colour)]
    except ValueError:
        raise DicomLabError(
            f"The colour {colour!r} was asked for; matplotlib knows none of that name."
        ) from None
