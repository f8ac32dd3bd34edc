"""What many headers say, asked once for all that say the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

from dicomlab.read.elements import Attributes, Key, Level
from dicomlab.read.records import Record, plain_decimals, plain_texts

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
        self._kinds: list[Sequence[int]] = _kinds([member.levels for member in members])
        self._texts: dict[Key, list[str]] = {}
        self._plain: dict[Key, FloatArray | None] = {}

    def of(self, members: Sequence[Attributes]) -> Headers:
        """The same headers, as of others that they belong to: planes instead of the objects that they are."""
        headers = object.__new__(Headers)
        headers.__dict__.update(self.__dict__, members=members)
        return headers

    def taken(self, order: Sequence[int]) -> Headers:
        """Some of the headers, in this order; all of them in the order they have are these."""
        if len(order) == len(self.members) and all(k == n for n, k in enumerate(order)):
            return self
        return Headers([self.members[k] for k in order])

    def each(self, question: Callable[[Attributes], T]) -> list[T]:
        """The answer of every header.

        Parameters
        ----------
        question
            Looks at attributes and at nothing else: it is given no more.
        """
        answers: list[Any] = [None] * len(self.members)
        for places in self._kinds:
            self._ask(question, places, answers)
        return answers

    def _ask(self, question: Callable[[Attributes], T], places: Sequence[int], answers: list[T]) -> None:
        members = self.members
        levels = members[places[0]].levels
        if len(places) == 1 or not any(type(level) is Record for level in levels):
            for k in places:
                answers[k] = question(Attributes.of(*members[k].levels))
            return
        answer, seen = self._watched(question, levels)
        if not seen:
            for k in places:
                answers[k] = answer
            return
        wanted = sorted(seen)  # what was looked at so far: where this is the same, so is the answer
        known = {tuple([levels[level].own[place] for level, place in wanted]): answer}
        for k in places:
            levels = members[k].levels
            key = tuple([levels[level].own[place] for level, place in wanted])
            if key not in known:
                answer, seen = self._watched(question, levels)
                if not seen <= set(wanted):
                    wanted = sorted({*wanted, *seen})
                    known = {}
                    key = tuple([levels[level].own[place] for level, place in wanted])
                known[key] = answer
            answers[k] = known[key]

    @staticmethod
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

    def texts(self, key: Key) -> list[str]:
        """`Attributes.text` of every header."""
        if key not in self._texts:
            self._texts[key] = self._find_texts(key)
        return self._texts[key]

    def _find_texts(self, key: Key) -> list[str]:
        answers = [""] * len(self.members)
        for places in self._kinds:
            first = self.members[places[0]].levels
            text, seen = self._watched(lambda header: header.text(key), first)
            if len(seen) == 1:  # all that counts is one element of their own
                ((level, place),) = seen
                raws = self._elements(places, level, place)
                found = plain_texts(raws, _is_implicit(first[level])) if raws else [None] * len(places)
                for k, answer in zip(places, found, strict=True):
                    answers[k] = self.members[k].text(key) if answer is None else answer
            elif seen:
                self._ask(lambda header: header.text(key), places, answers)
            else:
                for k in places:
                    answers[k] = text
        return answers

    def is_plain(self, key: Key) -> bool:
        """Whether the attribute is in every header, with as many numbers that are plain to see."""
        return self._numbers(key) is not None

    def _numbers(self, key: Key) -> FloatArray | None:
        """Numbers of every header, shape ``(n, count)``, where they are plain to see and equally many; else None."""
        if key not in self._plain:
            self._plain[key] = self._find_numbers(key)
        return self._plain[key]

    def _find_numbers(self, key: Key) -> FloatArray | None:
        parts: list[tuple[Sequence[int], FloatArray]] = []
        for places in self._kinds:
            first = self.members[places[0]].levels
            numbers, seen = self._watched(lambda header: header.plain_numbers(key), first)
            if numbers is None or len(seen) > 1:
                return None
            if seen:
                ((level, place),) = seen
                raws = self._elements(places, level, place)
                found = plain_decimals(raws, _is_implicit(first[level])) if raws else None
                if found is None:
                    return None
                parts.append((places, found))
            else:
                parts.append((places, numbers[None, :]))
        if len({found.shape[1] for _, found in parts}) != 1:
            return None
        columns = np.empty((len(self.members), parts[0][1].shape[1]))
        for places, found in parts:
            columns[places] = found
        return columns

    def _elements(self, places: Sequence[int], level: int, place: int) -> list[bytes] | None:
        """One element of these headers' own; None where one of them lies far away."""
        members = self.members
        raws = [members[k].levels[level].own[place] for k in places]
        return cast(list[bytes], raws) if all(type(raw) is bytes for raw in raws) else None

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
        plain = self._numbers(key)
        if plain is not None:
            return list(map(int, plain[:, 0].tolist()))
        return self.each(lambda header: header.integer(key, default))


def _is_implicit(level: Level) -> bool:
    return cast(Record, level).common.implicit


def _kinds(levels: Sequence[Sequence[Level]]) -> list[Sequence[int]]:
    """Places of those headers that differ in nothing but their own elements, together."""
    kins: list[Any] = [_kin(of[0]) if len(of) == 1 else tuple([_kin(level) for level in of]) for of in levels]
    if kins and kins.count(kins[0]) == len(kins):
        return [range(len(kins))]
    kinds: dict[Any, list[int]] = {}
    for k, kin in enumerate(kins):
        kinds.setdefault(kin, []).append(k)
    return list(kinds.values())


def _kin(level: Level) -> Any:
    """What is one for levels of which only the own elements differ. Those in hand keep their identity while they live."""
    return id(level) if type(level) is not Record or level.sequences is not None else level.common
