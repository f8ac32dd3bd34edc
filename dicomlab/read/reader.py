"""`PlaneReader`: all that it takes to read any plane of a volume, and no header any more."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.read.alike import Headers
from dicomlab.read.dtypes import dtype_of
from dicomlab.read.headers import Instance
from dicomlab.read.images import stored_images
from dicomlab.read.modality import Transform
from dicomlab.read.planes import Plane
from dicomlab.read.stored import StoredImage

__all__ = ["Images", "PlaneReader", "on_threads"]

Pixels = npt.NDArray[Any]
Images: TypeAlias = "Sequence[tuple[Instance, StoredImage | DicomLabError]]"


_SMALL = 1 << 17
"""Bytes of a plane that are copied faster than threads take turns."""


class PlaneReader:
    """Reads planes into arrays: from the stored picture the part that is the plane, and from its numbers real values.

    On any thread; and it may be sent to another process, where it is a few hundred bytes a file.

    Parameters
    ----------
    headers
        Planes, in the order of the array.
    transforms
        From stored to real values, one a plane. Colours have none: they stay as they are stored.
    dtype
        Of the values; None for the smallest that holds them. Colours keep theirs.
    images
        How the pixels of their objects are read, where that is known already.

    Attributes
    ----------
    shape
        Of a plane: ``(rows, columns)``, or ``(rows, columns, 3)`` in colour.
    dtype
        Of the values.

    Raises
    ------
    UnsupportedError
        The planes have no one kind of pixels.
    DicomLabError
        The dtype could not hold the values.
    """

    def __init__(
        self,
        headers: Headers,
        transforms: Sequence[Transform],
        dtype: np.dtype[Any] | None = None,
        images: Images = (),
    ) -> None:
        planes = cast(Sequence[Plane], headers.members)
        # Headers are read here, on one thread; the threads that follow only move bytes.
        each = {id(plane.instance): plane.instance for plane in planes}
        found = images or list(zip(each.values(), stored_images(list(each.values())), strict=True))
        known: dict[int, StoredImage] = {}
        for instance, image in found:
            if isinstance(image, StoredImage):
                known[id(instance)] = image
            elif id(instance) in each:
                raise image
        known = {number: known[number] for number in each}
        self.images = [known[id(plane.instance)] for plane in planes]
        samples = {image.shape[2:] for image in known.values()}
        if len(samples) > 1:
            raise UnsupportedError(
                f"colour and grey images are mixed in this series (for instance {planes[0].name})"
            )
        (colour,) = samples
        self.is_colour = bool(colour)
        if self.is_colour and len({image.dtype for image in known.values()}) > 1:
            raise UnsupportedError(
                f"colours of 8 and of 16 bits are mixed in this series (for instance {planes[0].name})"
            )
        self.shape = (*planes[0].shape, *colour)
        self.dtype = (
            self.images[0].dtype if self.is_colour else dtype_of(headers, self.images, transforms, dtype)
        )
        self._frames = [plane.frame for plane in planes]
        self._corners = [plane.corner for plane in planes]
        self._transforms = list(transforms)
        self._straight = [False] * len(planes) if self.is_colour else self._straight_ones()
        self._last: tuple[StoredImage, int, Pixels] | None = None

    def __len__(self) -> int:
        return len(self.images)

    @property
    def threads(self) -> int:
        """On how many threads its planes are best read: small plain ones cost less than taking turns."""
        small = int(np.prod(self.shape)) * self.dtype.itemsize < _SMALL
        return 1 if small and all(image.is_plain for image in self.images) else 2

    def name(self, plane: int) -> str:
        """What users are shown: the file, and the frame where it has several."""
        image = self.images[plane]
        return f"{image.file}{f' frame {self._frames[plane] + 1}' if image.frames > 1 else ''}"

    def by_picture(self, planes: Sequence[int]) -> list[list[int]]:
        """Places in `planes` of those that lie in one picture (the tiles of a mosaic, a plane asked for twice), together."""
        pictures = [id(self.images[plane]) for plane in planes]
        if len(set(pictures)) == len(pictures):
            return [[place] for place in range(len(pictures))]
        groups: dict[tuple[int, int], list[int]] = {}
        for place, (picture, plane) in enumerate(zip(pictures, planes, strict=True)):
            groups.setdefault((picture, self._frames[plane]), []).append(place)
        return list(groups.values())

    def read_into(self, planes: Sequence[int], outs: Sequence[Pixels], parts: Sequence[Any] = ()) -> None:
        """Decode the one picture that holds all these planes, and write the values of each into its array.

        Parameters
        ----------
        planes
            Planes of one group of `by_picture`.
        outs
            An array of `dtype` for each.
        parts
            What to take of each, as an index of numpy into rows, columns and samples; all of it where nothing is given.

        Raises
        ------
        FaultError, OSError
            It cannot be read or decoded, or the file has changed since it was listed.
        """
        if not parts and self._read_directly(planes, outs):
            return
        picture = self._picture(planes[0])
        for place, (plane, out) in enumerate(zip(planes, outs, strict=True)):
            pixels = picture
            if (corner := self._corners[plane]) is not None:
                pixels = pixels[corner[0] : corner[0] + self.shape[0], corner[1] : corner[1] + self.shape[1]]
            if parts:
                pixels = pixels[parts[place]]
            if self.is_colour:
                out[...] = pixels
            else:
                self._transforms[plane].apply(pixels, out)

    def _read_directly(self, planes: Sequence[int], outs: Sequence[Pixels]) -> bool:
        """Whether the one plane could be read straight into its place, and was."""
        plane, out = planes[0], outs[0]
        if len(planes) > 1 or not (self._straight[plane] and out.flags.c_contiguous):
            return False
        image, transform = self.images[plane], self._transforms[plane]
        place = out if out.dtype == image.dtype else out.view(image.dtype)
        # Plain ones look after the file themselves, while it is open.
        with nullcontext() if image.is_plain else image.file.unchanged():
            image.read(self._frames[plane], place)
        if not transform.is_identity:
            transform.apply_in_place(out)
        return True

    def _straight_ones(self) -> list[bool]:
        """Of each plane, whether its stored values may be read into the array, and become real values there."""
        known: dict[tuple[object, ...], bool] = {}
        found = []
        for image, transform, corner in zip(self.images, self._transforms, self._corners, strict=True):
            key = image.dtype, id(transform)
            if key not in known:
                known[key] = self._fits(image.dtype, transform)
            found.append(corner is None and known[key])
        return found

    def _fits(self, stored: np.dtype[Any], transform: Transform) -> bool:
        if stored.kind == "f":
            return self.dtype == stored and transform.is_identity and transform.bounds is None
        whole = self.dtype.kind in "iu" and self.dtype.isnative and self.dtype.itemsize == stored.itemsize
        return whole and transform.works_in_place

    def _picture(self, plane: int) -> Pixels:
        image, frame = self.images[plane], self._frames[plane]
        last = self._last  # looked at once: another thread may replace it meanwhile
        with image.file.unchanged():
            if last is not None and last[:2] == (image, frame):
                return last[2]
            picture = image.read(frame)
        if self._corners[plane] is not None:
            self._last = image, frame, picture  # its other tiles are often wanted next
        return picture

    def __getstate__(self) -> dict[str, Any]:
        # Slices of a series are mostly valued alike: one object for all that are travels once.
        known: dict[tuple[Any, ...], Transform] = {}
        return self.__dict__ | {
            "_transforms": [known.setdefault(_alike(one), one) for one in self._transforms],
            "_last": None,
        }


def _alike(transform: Transform) -> tuple[Any, ...]:
    lut = transform.lut
    return transform.formula, transform.first, None if lut is None else (lut.dtype.str, lut.tobytes())


def on_threads(
    work: Callable[..., None],
    jobs: Sequence[tuple[Any, ...]],
    done: Callable[[], None] = lambda: None,
    threads: int = 2,
) -> None:
    """Call `work` with each of `jobs`; the first error ends it.

    Two threads, this one and another: one file is read while another is unpacked, and both cores copy.

    Parameters
    ----------
    done
        Called on this thread after some of them.
    threads
        1 where there is so little to do for each that taking turns would take longer.
    """
    if threads == 1:
        for job in jobs:
            work(*job)
            done()
        return
    waiting = iter(jobs)
    stopped = threading.Event()

    def some() -> None:
        for job in waiting:  # each is taken by one of the two
            if stopped.is_set():
                return
            work(*job)
            if threading.current_thread() is here:
                done()

    here = threading.current_thread()
    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(some)
        try:
            some()
            other.result()
        finally:
            stopped.set()
