"""Many pictures, one after another: the frames of a run through a volume, as a GIF or MP4 file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from dicomlab.errors import DicomLabError
from dicomlab.optional import optional
from dicomlab.view.plane import Vector
from dicomlab.view.scene import IDENTITY, Basis, Scene
from dicomlab.view.source import Source
from dicomlab.writing import written

__all__ = ["run", "save_film"]

_Picture = npt.NDArray[np.uint8]
_SUFFIXES = (".gif", ".mp4")
_FASTEST = 50  # frames a second of a GIF: of shorter pauses browsers make a tenth of a second


def run(
    scene: Scene, basis: Basis, source: Source, step: Sequence[int], along: str, frames: slice
) -> list[tuple[Scene, list[int]]]:
    """The frames of a run: the scene of each, and the step along each further axis.

    Parameters
    ----------
    scene, basis, source, step
        What is seen now, of the first volume.
    along
        "slices", through the plane of the scene, or "steps" of the last further axis.
    frames
        Which of them.

    Raises
    ------
    DicomLabError
        There are none of these, or the planes are tilted.
    """
    if along == "steps":
        if not source.steps.names:
            raise DicomLabError(
                "A run along the steps was asked for; this volume has no further axis, only slices: along='slices'."
            )
        found = [(scene, [*step[:-1], k]) for k in range(source.steps.sizes[-1])[frames]]
    else:
        if scene.turn != IDENTITY:
            raise DicomLabError(
                "A run through the slices was asked for; the planes are tilted now and cut through many. Straighten them (Esc "
                "in the browser), or resample the volume along them with volume.dicom.reslice."
            )
        axis = basis.axis[scene.plane]
        grid, heading = source.grid(0), basis.heading[scene.plane]
        here = float(grid.coordinates(scene.position)[axis])
        places = [
            tuple(p + (float(mm) - here) * h for p, h in zip(scene.position, heading, strict=True))
            for mm in grid.axes[axis][frames]
        ]
        found = [(replace(scene, position=cast(Vector, place)), list(step)) for place in places]
    if not found:
        raise DicomLabError(f"A run of the frames {frames} was asked for; there are none of these.")
    return found


def save_film(
    path: str | os.PathLike[str], pictures: Iterable[_Picture], count: int, fps: float, *, overwrite: bool
) -> Path:
    """Write pictures of one size as a film and return its path.

    Parameters
    ----------
    path
        Ends with ``.gif`` or ``.mp4``.
    pictures
        RGB of shape (height, width, 3); made one at a time.
    count
        How many they are.
    fps
        Frames a second.
    overwrite
        Whether a file that is there may be replaced.

    Raises
    ------
    DicomLabError
        There is no such ending or folder, or the film would be too fast for its format.
    MissingDependencyError
        Of an MP4: the packages of the extra ``video`` are not installed.
    OverwriteError
        Something is there already.
    """
    gif = str(path).lower().endswith(".gif")
    if not 0 < fps <= (_FASTEST if gif else 240):
        raise DicomLabError(
            f"{fps:g} frames a second were asked for; of a GIF browsers show at most {_FASTEST}, an MP4 may have 240."
        )
    with written(path, overwrite=overwrite, suffixes=_SUFFIXES) as part:
        (_gif if gif else _mp4)(part, iter(pictures), count, fps)
    return Path(path)


def _gif(path: Path, pictures: Iterator[_Picture], count: int, fps: float) -> None:
    # Pauses are whole hundredths of a second: they are rounded so that the whole film has the right length.
    ends = np.rint(100 / fps * np.arange(count + 1)).astype(int)
    frames = (_indexed(picture) for picture in pictures)
    first = next(frames)
    first.save(
        path,
        format="GIF",
        save_all=True,
        append_images=frames,
        duration=[10 * int(pause) for pause in np.diff(ends)],
        loop=0,
        disposal=1,
        optimize=False,
    )


def _indexed(picture: _Picture) -> Image.Image:
    """A picture of 256 colours: its own greys, or those that come nearest."""
    red, green, blue = (picture[..., k] for k in range(3))
    if np.array_equal(red, green) and np.array_equal(green, blue):
        return Image.fromarray(np.ascontiguousarray(red))
    return Image.fromarray(picture).quantize(256, dither=Image.Dither.NONE)


def _mp4(path: Path, pictures: Iterator[_Picture], count: int, fps: float) -> None:
    av: Any = optional("av", purpose="Writing an MP4", extra="video")
    first = next(pictures)
    # Colours are kept for two by two pixels, so sides are even; a last row or column is left out.
    height, width = first.shape[0] // 2 * 2, first.shape[1] // 2 * 2
    with av.open(os.fspath(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.options = {"crf": "16", "preset": "medium"}
        for picture in chain([first], pictures):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture[:height, :width]), format="rgb24")
            film.mux(stream.encode(frame))
        film.mux(stream.encode())
