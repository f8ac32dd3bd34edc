"""What differs between two headers, level by level: elements by tag, items one by one, values as they are meant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dicomlab.privacy import Identity
from dicomlab.tables.levels import Element, Level
from dicomlab.tables.paths import part_of
from dicomlab.tables.rows import DEEPEST, hides
from dicomlab.tables.texts import Told, element_text, is_masked, plain_value

__all__ = ["SIGNS", "Change", "changes"]

SIGNS = {"added": "+", "removed": "−", "changed": "±", "respelled": "≈", "other VR": "≈", "same": "="}
"""What is done to an element, and the sign of it: colours alone do not tell."""

_NUMBERS = frozenset(["DS", "IS"])


@dataclass(frozen=True, slots=True)
class Change:
    """One element in two headers.

    Parameters
    ----------
    kind
        ``"added"``, ``"removed"``, ``"changed"``, ``"respelled"`` (the same numbers in other letters), ``"other VR"`` (the same
        value under another VR), ``"same"``.
    before, after
        The element, None where it is not there.
    hidden
        Whether it stands in a sequence that identifies somebody.
    note
        What else there is to say.
    who
        Words of both headers that name the patient, where they are known.
    """

    path: str
    kind: str
    before: Element | None
    after: Element | None
    hidden: bool = False
    note: str = ""
    who: Identity | None = None

    @property
    def element(self) -> Element:
        """The element that is there."""
        found = self.before or self.after
        assert found is not None
        return found

    @property
    def masked(self) -> bool:
        """Whether neither value may be shown now."""
        return is_masked(self.element, self.hidden)

    def texts(self) -> tuple[str, str]:
        """Both values, masked where they may not be shown; ``""`` where there is none."""
        return (
            "" if self.before is None else element_text(self.before, self.hidden, self.who),
            "" if self.after is None else element_text(self.after, self.hidden, self.who),
        )


def changes(
    before: Level, after: Level, prefix: str = "", depth: int = 0, hidden: bool = False
) -> Iterator[Change]:
    """Every element of both, in the order of tags; of a sequence that only one has, the elements inside follow it."""
    left, right = ({element.tag: element for element in level} for level in (before, after))
    for tag in sorted(left.keys() | right.keys()):
        old, new = left.get(tag), right.get(tag)
        found = old or new
        assert found is not None
        path = prefix + part_of(found)
        inside = hidden or hides(found)
        if old is None or new is None:
            yield from _alone(found, path, "added" if old is None else "removed", depth, hidden)
        elif old.items is None or new.items is None or depth >= DEEPEST:
            yield _compared(old, new, path, hidden)
        else:
            yield _counted(old, new, path, hidden)
            for k in range(max(len(old.items), len(new.items))):
                here = f"{path}[{k}]."
                if k >= len(old.items):
                    yield from _all(new.items[k], here, "added", depth + 1, inside)
                elif k >= len(new.items):
                    yield from _all(old.items[k], here, "removed", depth + 1, inside)
                else:
                    yield from changes(old.items[k], new.items[k], here, depth + 1, inside)


def _alone(element: Element, path: str, kind: str, depth: int, hidden: bool) -> Iterator[Change]:
    yield Change(path, kind, *_sides(element, kind), hidden)
    if element.items is not None and depth < DEEPEST:
        for k, item in enumerate(element.items):
            yield from _all(item, f"{path}[{k}].", kind, depth + 1, hidden or hides(element))


def _all(level: Level, prefix: str, kind: str, depth: int, hidden: bool) -> Iterator[Change]:
    for element in level:
        yield from _alone(element, prefix + part_of(element), kind, depth, hidden)


def _sides(element: Element, kind: str) -> tuple[Element | None, Element | None]:
    return (None, element) if kind == "added" else (element, None)


def _counted(old: Element, new: Element, path: str, hidden: bool) -> Change:
    """A sequence by itself: how many items it has. What is in them follows."""
    assert old.items is not None
    assert new.items is not None
    same = len(old.items) == len(new.items)
    note = "" if same else f"{len(old.items)} → {len(new.items)} items"
    return Change(path, "same" if same else "changed", old, new, hidden, note)


def _compared(old: Element, new: Element, path: str, hidden: bool) -> Change:
    vrs = f"VR {old.vr or '?'} → {new.vr or '?'}" if old.vr != new.vr else ""
    if old.problem or new.problem:
        same = old.problem == new.problem
        return Change(path, "same" if same else "changed", old, new, hidden, vrs)
    first, second = plain_value(old), plain_value(new)
    if first == second:
        return Change(path, "other VR" if vrs else "same", old, new, hidden, vrs)
    if (old.vr in _NUMBERS or new.vr in _NUMBERS) and _equal_numbers(first, second):
        notes = [note for note in (vrs, "the same numbers, written otherwise") if note]
        return Change(path, "respelled", old, new, hidden, "; ".join(notes))
    notes = [vrs]
    if isinstance(old.value, Told) != isinstance(new.value, Told):
        notes.append("the same in all files on one side only")
    elif old.vm != new.vm:
        notes.append(f"{old.vm} → {new.vm} values")
    return Change(path, "changed", old, new, hidden, "; ".join(note for note in notes if note))


def _equal_numbers(first: Sequence[str], second: Sequence[str]) -> bool:
    if len(first) != len(second):
        return False
    try:
        return [float(value) for value in first] == [float(value) for value in second]
    except ValueError:
        return False
