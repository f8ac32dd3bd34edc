"""The series explorer: tree, grid, findings and functional groups of what a folder holds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, cast

from dicomlab.errors import DicomLabError
from dicomlab.privacy import identity_shown
from dicomlab.read import Series, SeriesList, find_series
from dicomlab.read.series import PathLike
from dicomlab.teach.explorer import Explorer
from dicomlab.teach.series.cells import detail_of
from dicomlab.teach.series.groups import groups_of
from dicomlab.teach.series.pictures import picture_of
from dicomlab.teach.series.still import draw
from dicomlab.teach.series.tree import MOST_SERIES, series_facts, tree_of
from dicomlab.view.page import HtmlPage

__all__ = ["SeriesExplorer", "explore_series"]

_MOST_PLANES = 6000
"""Images whose grid is sent; the grids of other series are made when they are looked at."""
_AT_ONCE = 1500
"""Images whose grids are made before anything is looked at; those of further series come when they are chosen."""
_MOST_PICTURES = 160
"""Images of one series whose small pictures go into a page, where nobody answers."""


class SeriesExplorer(Explorer):
    """What a folder holds, from patient to frame, and how the images of a series stand to each other.

    Attributes
    ----------
    facts
        The tree, and of each series that was looked at its grid, findings and functional groups.
    state
        ``series`` and ``stack`` (numbers), ``cell`` (number of the image within its stack, or None), ``order`` (``"none"``,
        ``"file"``, ``"number"`` or ``"frame"``: what the line through the grid follows).
    """

    title: ClassVar[str] = "Series explorer"
    bundle: ClassVar[str] = "series"
    page_height: ClassVar[int] = 720

    def __init__(self, some: Sequence[Series], skipped: int = 0) -> None:
        self._all = tuple(some)
        self._series = self._all[:MOST_SERIES]
        self._details: dict[int, dict[str, Any]] = {}
        self._shown = identity_shown()
        self._rows = [series_facts(k, series) for k, series in enumerate(self._series)]
        self._tree = tree_of(self._series)
        self._skipped = skipped
        first = max(range(len(self._series)), key=lambda k: (len(self._series[k].stacks) > 0, -k))
        self._detail(first)
        room = _AT_ONCE - self._size(first)
        for k in range(len(self._series)):
            if self._size(k) <= room:
                room -= self._size(k) * self._detail(k)
        super().__init__(
            facts=self._facts(), state={"series": first, "stack": 0, "cell": None, "order": "number"}
        )
        self.observe(self._answer, names="state")

    def _facts(self) -> dict[str, Any]:
        return {
            "patients": self._tree,
            "series": [{**row, "detail": self._details.get(row["key"])} for row in self._rows],
            "skipped": self._skipped,
            "more": len(self._all) - len(self._series),
            "masked": not self._shown,
        }

    def _detail(self, k: int) -> bool:
        """Make what is shown of one series, as long as there is room; whether it is new."""
        if k in self._details or not 0 <= k < len(self._series):
            return False
        size = {n: self._size(n) for n in [*self._details, k]}
        # The ones looked at longest ago make room: what is sent stays small.
        for old in list(self._details):
            if sum(size[n] for n in [*self._details, k]) > _MOST_PLANES:
                del self._details[old]
        self._details[k] = {**detail_of(self._series[k]), "groups": groups_of(self._series[k])}
        return True

    def _size(self, k: int) -> int:
        return sum(len(stack) for stack in self._series[k].stacks)

    def _answer(self, change: Any) -> None:
        """What the page cannot know: a series that was not looked at yet, the picture of a cell."""
        state = change["new"]
        k, s, cell = (state.get(name) for name in ("series", "stack", "cell"))
        if isinstance(k, int) and self._detail(k):
            self.facts = self._facts()
        if not (isinstance(k, int) and isinstance(s, int) and isinstance(cell, int)):
            return
        key = f"{k}/{s}/{cell}"
        if (state.get("seen") or {}).get("key") == key or not 0 <= k < len(self._series):
            return
        stacks = self._series[k].stacks
        if 0 <= s < len(stacks) and 0 <= cell < len(stacks[s].planes):
            self.state = {**state, "seen": {"key": key, **picture_of(stacks[s], stacks[s].planes[cell])}}

    def still(self) -> bytes:
        """Return the tree and the grid of the chosen series as a PNG."""
        return draw(self.facts, self.state)

    def to_html(self) -> HtmlPage:
        """Return the explorer as a page that needs no kernel, with the grids of as many series as there is room for."""
        room = _MOST_PLANES - sum(self._size(k) for k in self._details)
        kept = dict(self._details)
        for k in range(len(self._series)):
            if k not in self._details and self._size(k) <= room:
                room -= self._size(k)
                self._details[k] = {**detail_of(self._series[k]), "groups": groups_of(self._series[k])}
        chosen = self.state.get("series")
        facts = self._facts()
        facts["pictures"] = self._pictures(chosen) if isinstance(chosen, int) else {}
        self._details = kept
        return self._page(facts, self.state)

    def _pictures(self, k: int) -> dict[str, Any]:
        """Pictures of the cells of a small series, for a page."""
        if not 0 <= k < len(self._series):
            return {}
        cells = [(s, n) for s, stack in enumerate(self._series[k].stacks) for n in range(len(stack.planes))]
        if len(cells) > _MOST_PICTURES:
            return {}
        stacks = self._series[k].stacks
        return {f"{k}/{s}/{n}": picture_of(stacks[s], stacks[s].planes[n]) for s, n in cells}

    def __repr__(self) -> str:
        files = sum(len(series.instances) for series in self._all)
        return f"<SeriesExplorer: {len(self._all)} series in {files} files>"


def explore_series(source: PathLike | SeriesList | Series | Iterable[Any]) -> SeriesExplorer:
    """An explorer of what a folder holds, from patient to image, and of how the images of a series stand to each other.

    Each stack is a grid of slice position by time, b-value, echo …; a cell is an image or a frame. Missing and doubled ones
    are seen, a line runs through the grid in the order of files or Instance Numbers, and findings point to their cells.
    Multi-frame objects show their functional groups: which macro is shared, which is each frame's own, and how its values run
    over the frames.

    Parameters
    ----------
    source
        A folder, a file, a zip archive, several of them, what `dicomlab.find_series` returned, or one or several series.

    Raises
    ------
    DicomLabError
        Nothing can be explored there.

    Examples
    --------
    >>> from dicomlab import phantom, teach
    >>> sample = phantom.write_kind("incomplete_4d", tmp_path)
    >>> explorer = teach.explore_series(tmp_path)
    >>> explorer
    <SeriesExplorer: 1 series in 19 files>
    """
    skipped = 0
    if isinstance(source, Series):
        some: Sequence[Series] = [source]
    elif isinstance(source, SeriesList):
        some, skipped = list(source), len(source.skipped)
    elif isinstance(source, (list, tuple)) and source and all(isinstance(one, Series) for one in source):
        some = list(source)
    else:
        several = source if isinstance(source, (list, tuple, set, frozenset)) else [source]
        if not several or not all(isinstance(one, (str, os.PathLike)) for one in several):
            raise DicomLabError(
                "explore_series takes a path, a list of paths, or what find_series returned, found "
                f"{type(source).__name__}{'' if several is not source else ' of something else, or of nothing'}"
            )
        found = find_series(cast(Any, source))
        some, skipped = list(found), len(found.skipped)
    if not some:
        raise DicomLabError(
            f"explore_series was asked for a source in which there is no DICOM file ({skipped} other files are there); "
            "find_series(…).skipped says why each was left out."
        )
    return SeriesExplorer(some, skipped)
