"""Browsers that follow each other: where one goes, the others go, by the place in the patient."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from dicomlab.errors import DicomLabError
from dicomlab.view.source import check_one_frame
from dicomlab.view.synced import Synced

__all__ = ["Link", "link"]

_CLOSE = 1e-6
"""mm within which two positions are one."""

_TRAITS: Mapping[str, tuple[str, ...]] = {
    "position": ("position",),
    "window": ("_looks",),
    "zoom": ("zoom", "pan"),
    "step": ("_step",),
}


def link(
    *browsers: Synced, position: bool = True, zoom: bool = True, step: bool = True, window: bool = False
) -> Link:
    """Link browsers, so that each follows the others, until `Link.unlink` is called.

    On one page they follow at once; the others, when the hand rests. At first all follow the first one.

    Parameters
    ----------
    browsers
        Two or more, made by `browse`, of volumes in one frame of reference. Where a volume ends before another one, its nearest
        place is shown.
    position
        The place in the patient where the planes meet, in LPS mm.
    zoom
        Zoom, and by how much the picture is moved.
    step
        The steps of further axes with the same name, by their index.
    window
        Window and inversion of the first volume.

    Raises
    ------
    DicomLabError
        The volumes have different frames of reference, a browser was closed, or there is nothing to link.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import browse, link, make_volume
    >>> volume = make_volume(np.zeros((5, 6, 7)), affine=np.eye(4)[[2, 1, 0, 3]], frame_of_reference="1.2.3")
    >>> a, b = browse(volume), browse(volume[1:])
    >>> linked = link(a, b)
    >>> a.index = 3
    >>> b.index
    2
    >>> linked.unlink()
    """
    asked = {"position": position, "zoom": zoom, "step": step, "window": window}
    return Link(browsers, tuple(name for name, wanted in asked.items() if wanted))


class Link:
    """Browsers that follow each other; made by `link`.

    Parameters
    ----------
    browsers
        Two or more.
    what
        "position", "zoom", "step", "window".
    """

    def __init__(self, browsers: Sequence[Synced], what: Sequence[str]) -> None:
        if len(set(map(id, browsers))) < 2 or not what:
            raise DicomLabError(
                f"Browsers are linked with each other: two or more were expected, found {len(set(map(id, browsers)))}, "
                f"and something to link, found {', '.join(what) or 'nothing'} (position, zoom, step, window)."
            )
        check_one_frame([browser._opened()[0].grid(0) for browser in browsers])
        self.browsers, self.what = tuple(browsers), tuple(what)
        self._group = uuid.uuid4().hex
        self._lock = threading.RLock()
        self._busy = False
        self._handlers: list[tuple[Synced, Callable[[Any], None], list[str]]] = []
        traits = [name for word in self.what for name in _TRAITS[word]]
        self._take_along(browsers[0], traits)
        for browser in browsers:

            def handler(change: Any, leader: Synced = browser) -> None:
                self._take_along(leader, [change["name"]])

            browser.observe(handler, traits)
            self._handlers.append((browser, handler, traits))
            browser._links = [*browser._links, {"group": self._group, "what": list(self.what)}]

    def unlink(self) -> None:
        """Let each browser go its own way again."""
        handlers, self._handlers = self._handlers, []
        for browser, handler, traits in handlers:
            browser.unobserve(handler, traits)
            browser._links = [one for one in browser._links if one["group"] != self._group]

    def __repr__(self) -> str:
        state = ", ".join(self.what) if self._handlers else "unlinked"
        return f"<Link of {len(self.browsers)} browsers: {state}>"

    def _take_along(self, leader: Synced, traits: Sequence[str]) -> None:
        with self._lock:
            if self._busy or not leader._sources:
                return
            self._busy = True
            try:
                for browser in self.browsers:
                    if browser is not leader and browser._sources:
                        for name in traits:
                            self._follow(browser, leader, name)
            finally:
                self._busy = False

    def _follow(self, browser: Synced, leader: Synced, name: str) -> None:
        if name == "position":
            # A browser that was led to the end of its volume does not lead the others back to it.
            if not _one(_within(leader, browser.position), leader.position):
                browser.position = _within(browser, leader.position)
        elif name == "_looks":
            # Without the browser's lock: whoever waits for this link may hold it.
            first = {key: leader._looks[0][key] for key in ("window", "invert")}
            browser._luts.update(leader._luts)
            browser._looks = [{**browser._looks[0], **first}, *browser._looks[1:]]
        elif name == "_step":
            own, theirs = browser._opened()[0].steps, leader._opened()[0].steps
            step = list(browser._step)
            for axis, (dim, size) in enumerate(zip(own.names, own.sizes, strict=True)):
                if dim in theirs.names:
                    step[axis] = min(leader._step[theirs.names.index(dim)], size - 1)
            browser._step = step
        else:
            setattr(browser, name, getattr(leader, name))


def _one(a: Sequence[float], b: Sequence[float]) -> bool:
    return all(abs(x - y) < _CLOSE for x, y in zip(a, b, strict=True))


def _within(browser: Synced, position: Sequence[float]) -> list[float]:
    """The place of a browser's volume that is nearest to a position, LPS mm."""
    grid = browser._opened()[0].grid(0)
    at = [float(mm) for mm in grid.coordinates(position)]
    ends = [grid.edges(axis) for axis in range(3)]
    held = [
        min(max(mm, min(line[0], line[-1])), max(line[0], line[-1]))
        for mm, line in zip(at, ends, strict=True)
    ]
    if held == at:
        return [float(mm) for mm in position]
    return [float(mm) for mm in grid.direction @ np.array(held)]
