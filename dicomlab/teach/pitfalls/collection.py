"""The gallery: cards of pitfalls, tried one after the other."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import replace
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from dicomlab.errors import DicomLabError
from dicomlab.html import Markup, block, escape
from dicomlab.phantom import write_kind
from dicomlab.read.progress import Progress
from dicomlab.teach.pitfalls.card import _STYLE, Card, make_card
from dicomlab.teach.pitfalls.catalogue import GROUPS, PITFALLS
from dicomlab.teach.pitfalls.others import Asked, measured

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gallery", "gallery"]

_TITLES = {
    "geometry": "Geometry: slices that are not where the array says",
    "order": "Order: which image comes after which",
    "values": "Values: numbers that do not mean what they seem to",
    "files": "Files: damage and old forms",
}


class Gallery(Sequence[Card]):
    """Cards of pitfalls, by number or by name."""

    def __init__(self, cards: Iterable[Card]) -> None:
        self._cards = tuple(cards)

    @overload
    def __getitem__(self, key: int | str) -> Card: ...
    @overload
    def __getitem__(self, key: slice) -> Gallery: ...
    def __getitem__(self, key: int | str | slice) -> Card | Gallery:
        """One card by its number or its name; a slice is a gallery of its own."""
        if isinstance(key, slice):
            return Gallery(self._cards[key])
        if isinstance(key, str):
            for card in self._cards:
                if card.name == key:
                    return card
            raise DicomLabError(
                f"the card {key!r} was asked for; this gallery has {', '.join(card.name for card in self._cards)}"
            )
        return self._cards[key]

    def __len__(self) -> int:
        return len(self._cards)

    def to_dataframe(self) -> pd.DataFrame:
        """One row a card: how far the naive reading and each reader is off, in mm and in the unit of the values."""
        import pandas as pd

        rows = []
        for card in self._cards:
            row: dict[str, Any] = {
                "name": card.name,
                "group": card.group,
                "naive": card.naive.state,
                "naive_mm": card.naive.mm,
                "naive_value": card.naive.value,
                "units": card.units,
                "code": card.code,
                "dicomlab": "stops" if card.ours.error else card.ours.off.state,
            }
            row |= {tool: one.off.state for tool, one in sorted(card.others.items())}
            rows.append(row)
        return pd.DataFrame(rows).set_index("name") if rows else pd.DataFrame()

    def __repr__(self) -> str:
        lines = [f"{len(self)} pitfalls"]
        lines += [
            f"  {card.name:32} naively {card.naive.words(card.units)[:60]}; dicomlab {card._did()}"
            for card in self._cards
        ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = [Markup(f"<style>{_STYLE}</style>")]
        for group, title in _TITLES.items():
            cards = [card for card in self._cards if card.group == group]
            if cards:
                parts.append(Markup(f'<div class="title">{escape(title)}</div>'))
                parts += [card.markup() for card in cards]
        return block(*parts)


def gallery(names: str | Iterable[str] | None = None, *, live: bool = True, progress: bool = True) -> Gallery:
    """Cards of the pitfalls of reading DICOM, each tried on files that the phantom writes on the spot.

    A card says what is wrong and how it comes about, shows the naive reading beside the truth, and how far it is off in mm and
    in values; what dicomlab does; and what other readers make of it.

    Parameters
    ----------
    names
        Which: names of pitfalls, or of their groups (``"geometry"``, ``"order"``, ``"values"``, ``"files"``); None for all.
    live
        Ask SimpleITK, dcm2niix and highdicom now, where they are installed, each in a process of its own. What is not asked is
        shown as it was measured earlier.
    progress
        Show a bar where it takes longer than a second.

    Raises
    ------
    DicomLabError
        There is no such pitfall.

    Examples
    --------
    >>> from dicomlab import teach
    >>> card = teach.gallery("missing_slice", live=False)[0]
    >>> card.code, card.ours.loads
    ('missing_slice', True)
    """
    chosen = _chosen(names)
    steps = len(chosen) * (3 if live else 2)  # files are written, looked at, and read by the others
    with tempfile.TemporaryDirectory() as work, Progress(steps, "pitfalls", progress, "step") as bar:
        folders = {name: Path(work) / name for name in chosen}
        samples = {}
        for name, folder in folders.items():
            samples[name] = PITFALLS[name].truth(write_kind(name, folder))
            bar.step()
        with Asked(folders if live else {}) as asked:
            cards = []
            for name, sample in samples.items():  # while the others read
                cards.append(make_card(PITFALLS[name], sample, measured(name)))
                bar.step()
            if not live:
                return Gallery(cards)
            whole = []
            for card in cards:
                verdicts = asked.verdicts(card.pitfall, samples[card.name])
                whole.append(replace(card, others={**card.others, **verdicts}))
                bar.step()
            return Gallery(whole)


def _chosen(names: Any) -> list[str]:
    if names is None:
        return list(PITFALLS)
    if isinstance(names, str):
        names = [names]
    if not isinstance(names, Iterable):
        raise DicomLabError(
            f"gallery takes names of pitfalls, such as 'gantry_tilt', found {type(names).__name__}"
        )
    most = len(PITFALLS) + len(GROUPS)
    wanted = list(dict.fromkeys(_named(name) for name in islice(names, 4 * most)))
    found: dict[str, None] = {}
    for name in wanted:
        if name in GROUPS:
            found |= {one.name: None for one in GROUPS[name]}  # type: ignore[index]
        elif name in PITFALLS:
            found[name] = None
        else:
            near = get_close_matches(name[:80].lower(), [*GROUPS, *PITFALLS])
            meant = f"did you mean {' or '.join(repr(one) for one in near)}? " if near else ""
            raise DicomLabError(
                f"the pitfall {name[:80]!r} was asked for; {meant}there are the groups {', '.join(GROUPS)}, "
                f"and the pitfalls {', '.join(PITFALLS)}"
            )
    return list(found)


def _named(name: object) -> str:
    if not isinstance(name, str):
        raise DicomLabError(
            f"gallery takes names of pitfalls, such as 'gantry_tilt', found {type(name).__name__} among them"
        )
    return name
