"""What a viewer shows, drawn without its page: pictures, runs, one page of all, and what a notebook keeps."""

from __future__ import annotations

import base64
import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.view.draw import Image, Label, Labels, draw
from dicomlab.view.edited import Edited
from dicomlab.view.film import run, save_film
from dicomlab.view.page import HtmlPage, make_page, note, span
from dicomlab.view.plane import Vector
from dicomlab.view.sample import Interpolation, Slab
from dicomlab.view.scene import Layout, Scene, Turn
from dicomlab.view.still import annotated, png, still
from dicomlab.view.synced import STATE
from dicomlab.windowing import AnyWindow
from dicomlab.writing import written

__all__ = ["Drawn"]


class Drawn(Edited):
    """The part of a `SliceBrowser` that draws what the page shows: one frozen scene, and what is done with it."""

    @property
    def _sides(self) -> Sequence[int]:
        """What stands side by side: places among the volumes that are shown."""
        shown = sum(n == 0 or look["visible"] for n, look in enumerate(self._looks))
        return range(shown) if self.mode == "side" else ()

    @property
    def _told_window(self) -> AnyWindow:
        """What is written on a picture: the window of the first volume, or that of the difference."""
        return self._window_of(self._difference if self.mode == "difference" else self._looks[0])

    @property
    def scene(self) -> Scene:
        """All that decides which planes are seen; frozen."""
        return Scene(
            position=cast(Vector, tuple(self.position)),
            plane=self.plane,
            layout=cast(Layout, self.panes),
            turn=cast(Turn, tuple(self._turn)),
            zoom=self.zoom,
            pan=cast(Vector, tuple(self.pan)),
            slab=None if self._slab is None else Slab(**self._slab),
            interpolation=cast(Interpolation, self.interpolation),
            tiles=(self.tiles[0], self.tiles[1]),
            stride=self.stride,
        )

    def picture(
        self, width: int = 900, height: int | None = None, *, letters: bool = False
    ) -> npt.NDArray[np.uint8]:
        """What is seen, as RGB of shape (height, width, 3): the pixels that the canvas of this size has.

        Parameters
        ----------
        width, height
            Pixels; None for the height of the browser.
        letters
            Write orientation letters, the slice and the window on it.
        """
        return self._pictured(self.scene, self._step, width, height or self._height, letters)

    def save_picture(
        self,
        path: str | os.PathLike[str],
        *,
        width: int = 900,
        height: int | None = None,
        letters: bool = True,
        overwrite: bool = False,
    ) -> Path:
        """Save what the canvas shows as a PNG file without metadata, and return its path; parameters are those of `picture`.

        Letters, slice, slab and window are written on it; measurements, crosshair and scale are in the PNG that the page saves
        (key S).

        Raises
        ------
        OverwriteError
            Something is there already, and `overwrite` is False.
        DicomLabError
            The path does not end with .png, or its folder is not there.
        """
        with written(path, overwrite=overwrite, suffixes=(".png",)) as part:
            part.write_bytes(png(self.picture(width, height, letters=letters)))
        return Path(path)

    def save_run(
        self,
        path: str | os.PathLike[str],
        *,
        along: Literal["slices", "steps"] | None = None,
        fps: float | None = None,
        bounce: bool | None = None,
        frames: slice = slice(None),
        width: int = 640,
        height: int | None = None,
        letters: bool = True,
        overwrite: bool = False,
    ) -> Path:
        """Save a cine as a file and return its path; the browser stays where it is.

        Parameters
        ----------
        path
            Ends with ``.gif`` or ``.mp4``; the latter needs ``pip install 'dicomlab[video]'``.
        along, fps, bounce
            As the traits of the same names, which are taken for None.
        frames
            Which slices along the axis that `plane` cuts, or which steps: ``slice(10, 40, 2)``.
        width, height
            Pixels; of an MP4 even ones are made. None for a height that fits the width as in the browser.
        letters
            Write orientation letters, the slice and the window on each.
        overwrite
            Whether a file that is there may be replaced.

        Raises
        ------
        DicomLabError
            There are no such frames, or no such ending, or a GIF of more than 50 frames a second was asked for, which viewers
            play slowly.
        MissingDependencyError
            The packages of the extra ``video`` are not installed.
        OverwriteError
            Something is there already, and `overwrite` is False.
        """
        scenes = run(self.scene, self._basis, self._opened()[0], self._step, along or self.along, frames)
        order = list(scenes) + (scenes[-2:0:-1] if (self.bounce if bounce is None else bounce) else [])
        high = height or round(width * self._height / 900)
        pictures = (self._pictured(scene, step, width, high, letters) for scene, step in order)
        return save_film(path, pictures, len(order), self.fps if fps is None else fps, overwrite=overwrite)

    def _pictured(
        self, scene: Scene, step: Sequence[int], width: int, height: int, letters: bool
    ) -> npt.NDArray[np.uint8]:
        looks = [dict(look) for look in self._looks]
        if self.mode == "difference":
            looks[1] = {**self._difference, "visible": True}
        images = [
            Image(
                source.grid(self._number(n, step)),
                self._window_of(look),
                bool(look["invert"]),
                str(look["cmap"]),
                float(look["opacity"]),
                bool(look["fade"]),
            )
            for n, (source, look) in enumerate(zip(self._opened()[: self._images], looks, strict=True))
            if n == 0 or look["visible"]
        ]
        labels = [
            Labels(
                mask.source.grid(self._number(self._images + n, step)),
                {
                    int(one["value"]): Label(
                        cast(Any, tuple(one["colour"])), one["opacity"], one["outline"], one["visible"]
                    )
                    for one in self._labels[n]
                },
            )
            for n, mask in enumerate(self._masks)
        ]
        made = draw(
            scene,
            self._basis,
            images,
            width,
            height,
            labels=labels,
            mode=cast(Any, self.mode),
            split=self.split,
        )
        if not letters:
            return made
        return annotated(made, scene, self._basis, images[0].grid, self._told_window, self._sides)

    def to_html(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        max_bytes: int = 25_000_000,
        quantise: bool = False,
    ) -> HtmlPage:
        """Return this viewer as one HTML page with its slices inside, which needs neither kernel nor network.

        The page holds the values of all voxels, the series description, the names of the windows and the
        findings, and no other text from the files.

        Parameters
        ----------
        path
            Where to save it as well; None to save nothing.
        max_bytes
            Largest size of the page.
        quantise
            Keep 8 bits of each voxel, within the range of the window that is set now: a half to a fifth of the size. What lies
            beyond the window becomes its end. The page says so, beside the values.

        Raises
        ------
        DicomLabError
            The page would be larger; the message says how to crop.
        """
        sources = self._opened()
        ranges = [span(self._window_of(look)) for look in self._looks] if quantise else None
        # The page holds all slices anyway; unpacked they may stay too.
        meta = {
            **self._meta,
            "sources": [
                {name: value for name, value in one.items() if name != "edited"} | {"reslice": False}
                for one in self._meta["sources"]
            ],
            "budget": 1 << 40,
            "fixed": True,
            "note": ""
            if ranges is None
            else note(ranges, [one["units"] for one in self._meta["sources"][: self._images]]),
        }
        traits = {"_meta": meta, **self.get_state((*STATE, "keymap"))}
        page = make_page(
            sources,
            traits,
            title=self._meta["sources"][0]["title"] or "volume",
            height=self._height,
            max_bytes=max_bytes,
            ranges=ranges,
        )
        if path is not None:
            page.save(path)
        return page

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]] | None:
        shown = super()._repr_mimebundle_(**kwargs)
        if shown is None or not self._sources:
            return shown
        if any(source.grid(0).lazy for source in self._sources) and (
            self.panes != "single" or self._basis.axis[self.plane]
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
        return still(
            self.picture, self.scene, self._basis, self._sources[0].grid(0), self._told_window, self._sides
        )
