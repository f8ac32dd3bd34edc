"""What many headers say, asked once for all that say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from operator import eq, itemgetter
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from dicomlab.read.elements import Attributes, Key, Level
from dicomlab.read.plain import plain_decimals, plain_texts
from dicomlab.read.records import Record

__all__ = ["Headers"]

FloatArray = npt.NDArray[np.float64]
T = TypeVar("T")

Place = tuple[int, int]
"""Which level, and which of its own elements."""


class _Watched(tuple):  # type: ignore[type-arg]
    """Elements that a header has of its own, which note which of them are looked at."""

    level: int
    seen: set[Place]

    @classmethod
    def of(cls, own: Sequence[Any], level: int, seen: set[Place]) -> _Watched:
        """The same elements, watched."""
        made = cls(own)
        made.level, made.seen = level, seen
        return made

    def __getitem__(self, place: Any) -> Any:
        self.seen.add((self.level, place))
        return tuple.__getitem__(self, place)


class Headers:
    """Headers of several images (or planes, with their functional groups in front).

    Most of them say the same but for a few elements, and the records of the direct path know which (`dicomlab.read.records`).
    So a question is answered for one of them, with an eye on what it looks at, and the answer holds for all others that
    have the same there.
    """

    def __init__(self, members: Sequence[Attributes]) -> None:
        self.members = members
        self._kinds = _kinds([member.levels for member in members])
        # What was found of all, by attribute.
        self._texts: dict[Key, list[str]] = {}
        self._plain: dict[Key, FloatArray | None] = {}
        self._integers: dict[tuple[Key, int], list[int]] = {}

    def of(self, members: Sequence[Attributes]) -> Headers:
        """The same headers, as of others that they belong to: planes instead of the objects that they are."""
        headers = copy(self)
        headers.members = members
        return headers

    def taken(self, order: Sequence[int]) -> Headers:
        """Some of the headers, in this order; all of them in the order they have are these."""
        if len(order) == len(self.members) and all(map(eq, order, range(len(order)))):
            return self
        return self._taken(order)

    def _taken(self, order: Sequence[int]) -> Headers:
        return _Taken(self, order)

    def each(self, question: Callable[[Attributes], T]) -> list[T]:
        """The answer of every header.

        Parameters
        ----------
        question
            Looks at attributes and at nothing else: it is given no more.
        """
        answers = [self._ask(question, kind) for kind in self._kinds]
        return self._joined(answers)

    def _joined(self, answers: Sequence[Sequence[T]]) -> list[T]:
        """What the headers of each kind answered, in the order of the headers."""
        if len(answers) == 1:
            return list(answers[0])
        found: list[Any] = [None] * len(self.members)
        for kind, of_kind in zip(self._kinds, answers, strict=True):
            for k, answer in zip(kind.places, of_kind, strict=True):
                found[k] = answer
        return found

    @staticmethod
    def _ask(question: Callable[[Attributes], T], kind: _Kind) -> list[T]:
        if len(kind.levels) == 1 or not any(type(level) is Record for level in kind.levels[0]):
            return [question(Attributes.of(*levels)) for levels in kind.levels]
        answer, seen = _watched(question, kind.levels[0])
        if not seen:
            return [answer] * len(kind.levels)
        wanted = sorted(seen)  # what was looked at so far: where this is the same, so is the answer
        while True:
            keys = kind.keys(wanted)
            known: dict[Any, T] = {}
            # One header for each that differs there, the first of them.
            for key, k in dict(zip(reversed(keys), reversed(range(len(keys))), strict=True)).items():
                known[key], seen = _watched(question, kind.levels[k])
                if not seen <= set(wanted):
                    wanted = sorted({*wanted, *seen})
                    break
            else:
                return list(map(known.__getitem__, keys))

    def texts(self, key: Key) -> list[str]:
        """`Attributes.text` of every header."""
        if key not in self._texts:
            self._texts[key] = self._joined([self._find_texts(key, kind) for kind in self._kinds])
        return self._texts[key]

    def _find_texts(self, key: Key, kind: _Kind) -> list[str]:
        first = kind.levels[0]
        text, seen = _watched(lambda header: header.text(key), first)
        if not seen and len(kind.levels) > 1 and any(type(level) is Record for level in first):
            return [text] * len(kind.levels)
        if len(seen) == 1:  # all that counts is one element of their own
            ((level, place),) = seen
            raws = kind.elements(level, place)
            if raws is not None:
                found = plain_texts(raws, _is_implicit(first[level]))
                return [
                    Attributes.of(*levels).text(key) if answer is None else answer
                    for levels, answer in zip(kind.levels, found, strict=True)
                ]
        return self._ask(lambda header: header.text(key), kind)

    def is_plain(self, key: Key) -> bool:
        """Whether the attribute is in every header, with as many numbers that are plain to see."""
        return self._numbers(key) is not None

    def _numbers(self, key: Key) -> FloatArray | None:
        """Numbers of every header, shape ``(n, count)``, where they are plain to see and equally many; else None."""
        if key not in self._plain:
            self._plain[key] = self._find_numbers(key)
        return self._plain[key]

    def _find_numbers(self, key: Key) -> FloatArray | None:
        parts: list[FloatArray] = []
        for kind in self._kinds:
            first = kind.levels[0]
            numbers, seen = _watched(lambda header: header.plain_numbers(key), first)
            if numbers is None or len(seen) > 1:
                return None
            if seen:
                ((level, place),) = seen
                raws = kind.elements(level, place)
                found = plain_decimals(raws, _is_implicit(first[level])) if raws else None
                if found is None:
                    return None
                parts.append(found)
            else:
                parts.append(numbers[None, :])
        if len({found.shape[1] for found in parts}) != 1:
            return None
        columns = np.empty((len(self.members), parts[0].shape[1]))
        for kind, found in zip(self._kinds, parts, strict=True):
            columns[kind.places] = found
        return columns

    def vectors(self, key: Key, size: int) -> FloatArray:
        """`Attributes.numbers` of every header, shape ``(n, size)``; NaN where they are absent or not `size` numbers."""
        plain = self._numbers(key)
        if plain is not None and plain.shape[1] == size:
            return plain
        found = np.full((len(self.members), size), np.nan)
        for k, numbers in enumerate(self.each(lambda header: header.numbers(key))):
            if numbers is not None and numbers.size == size:
                found[k] = numbers
        return found

    def integers(self, key: Key, default: int) -> list[int]:
        """`Attributes.integer` of every header."""
        if (key, default) not in self._integers:
            plain = self._numbers(key)
            self._integers[key, default] = (
                self.each(lambda header: header.integer(key, default))
                if plain is None
                else list(map(int, plain[:, 0].tolist()))
            )
        return self._integers[key, default]


class _Taken(Headers):
    """Some headers of others, who answer for them: what is known of those need not be found again."""

    def __init__(self, others: Headers, order: Sequence[int]) -> None:
        self.members = [others.members[k] for k in order]
        self._others, self._order = others, order

    def _taken(self, order: Sequence[int]) -> Headers:
        return _Taken(self._others, [self._order[k] for k in order])

    def each(self, question: Callable[[Attributes], T]) -> list[T]:
        return self._mine(self._others.each(question))

    def texts(self, key: Key) -> list[str]:
        return self._mine(self._others.texts(key))

    def _numbers(self, key: Key) -> FloatArray | None:
        numbers = self._others._numbers(key)
        return None if numbers is None else numbers[self._order]

    def integers(self, key: Key, default: int) -> list[int]:
        return self._mine(self._others.integers(key, default))

    def _mine(self, answers: Sequence[T]) -> list[T]:
        return list(map(answers.__getitem__, self._order))


def _watched(question: Callable[[Attributes], T], levels: Sequence[Level]) -> tuple[T, set[Place]]:
    """The answer of one header, and what it looked at of that which it has of its own."""
    seen: set[Place] = set()
    watched = [
        Record(level.common, _Watched.of(level.own, number, seen), level.sequences)
        if type(level) is Record
        else level
        for number, level in enumerate(levels)
    ]
    return question(Attributes.of(*watched)), seen


def _is_implicit(level: Level) -> bool:
    return cast(Record, level).common.implicit


class _Kind:
    """Headers that differ in nothing but their own elements.

    Parameters
    ----------
    places
        Which of all headers they are.
    levels
        Of each.
    """

    def __init__(self, places: Sequence[int], levels: Sequence[Sequence[Level]]) -> None:
        self.places = places
        self.levels = levels
        self._owns: dict[int, list[Any]] = {}
        self._columns: dict[Place, list[Any]] = {}

    def column(self, level: int, place: int) -> list[Any]:
        """One element of each header's own."""
        found = self._columns.get((level, place))
        if found is None:
            if level not in self._owns:
                self._owns[level] = [levels[level].own for levels in self.levels]
            found = self._columns[level, place] = list(map(itemgetter(place), self._owns[level]))
        return found

    def elements(self, level: int, place: int) -> list[bytes] | None:
        """`column`, as far as all of them are at hand; None where one lies far away."""
        raws = self.column(level, place)
        return raws if set(map(type, raws)) == {bytes} else None

    def keys(self, wanted: Sequence[Place]) -> list[Any]:
        """These elements of each header, to compare them."""
        if len(wanted) == 1:
            return self.column(*wanted[0])
        return list(zip(*[self.column(*place) for place in wanted], strict=True))


def _kinds(levels: Sequence[Sequence[Level]]) -> list[_Kind]:
    """The headers with these levels, those together that differ in nothing but their own elements."""
    kins: list[Any] = [_kin(of[0]) if len(of) == 1 else tuple([_kin(level) for level in of]) for of in levels]
    if kins and kins.count(kins[0]) == len(kins):
        return [_Kind(range(len(kins)), levels)]
    kinds: dict[Any, list[int]] = {}
    for k, kin in enumerate(kins):
        kinds.setdefault(kin, []).append(k)
    return [_Kind(places, [levels[k] for k in places]) for places in kinds.values()]


def _kin(level: Level) -> Any:
    """What is one for levels of which only the own elements differ. Those in hand keep their identity while they live."""
    return id(level) if type(level) is not Record or level.sequences is not None else level.common
