"""Extra axes: what separates images that lie at one position, found in their attributes and labelled with real values.

An axis is accepted only when it makes a full product: every position holds the same steps. Anything else is an error that
names what is missing, because an array with a hole, or with steps of different images mixed up, would be silently wrong.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias, cast

import numpy as np
import numpy.typing as npt

from dicomlab.errors import DicomLabError
from dicomlab.read.alike import Headers
from dicomlab.read.labels import temporal_position
from dicomlab.read.meanings import AUTO, ORDER, Meaning, named_meanings, sequence_keys
from dicomlab.read.missing import IncompleteError, Steps, Tried, failure, nearly_shared, shown
from dicomlab.read.planes import Plane

__all__ = ["Axis", "Dims", "IncompleteError", "find_axes"]

Dims: TypeAlias = "str | Sequence[str]"


@dataclass(frozen=True, eq=False)
class Axis:
    """One extra dimension of a stack.

    Parameters
    ----------
    name
        Of the dimension: ``"time"``, ``"b_value"``, ``"echo_time"`` …
    values
        Label of each step, shape ``(n,)``: floats in `units`, or text.
    units
        ``"s"``, ``"ms"``, ``"s/mm2"`` … or ``""``.
    source
        Which attribute says so, for the reader.
    beside
        Further labels of the same steps, by name: shape ``(n,)`` each.
    """

    name: str
    values: npt.NDArray[Any]
    units: str = ""
    source: str = ""
    beside: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.name}: {self.explain()}"

    def explain(self) -> str:
        """Number of steps, their labels and which attribute says so."""
        ends = [shown(self.values[k]) for k in (0, -1)]
        unit = f" {self.units}" if self.units else ""
        values = (
            ", ".join(shown(v) for v in self.values) if self.values.size <= 4 else f"{ends[0]} … {ends[1]}"
        )
        return f"{self.values.size} steps ({values}{unit}) from {self.source}"


def find_axes(headers: Headers, place: Steps, dims: Dims = "auto") -> tuple[list[Axis], list[Steps]]:
    """Axes that separate the planes at each place, and the step of every plane along each.

    Parameters
    ----------
    headers
        Planes of one stack.
    place
        Number of the position that each lies at, shape ``(n,)``.
    dims
        ``"auto"``, or names of axes or keywords of attributes: exactly these are taken, in this order.

    Returns
    -------
    axes, steps
        In the order of the volume's dimensions; both empty when every position holds one image.

    Raises
    ------
    IncompleteError
        Some positions hold steps that others lack, or nothing known separates the images.
    DicomLabError
        `dims` names no attribute.
    """
    search = _Search(headers, place)
    if not isinstance(dims, Sequence) or (isinstance(dims, str) and dims != "auto"):
        raise DicomLabError(f'dims is "auto" or a list of names, such as ["time"]; found {dims!r}')
    if isinstance(dims, str):
        for meaning in AUTO:
            if search.done:
                break
            search.try_(meaning)
    else:
        for name in dims:
            search.want(name)
    if not search.done:
        raise failure(search.planes, search.members(), search.tried)
    axes = search.labelled()
    order = list(range(len(axes)))
    if isinstance(dims, str):
        order.sort(key=lambda k: ORDER.get(axes[k].name, len(ORDER)))
    return [axes[k] for k in order], [search.steps[k] for k in order]


class _Search:
    """The axes found so far, and the cells (position and steps) that they divide the planes into."""

    def __init__(self, headers: Headers, place: Steps) -> None:
        self.headers = headers
        self.planes = cast(Sequence[Plane], headers.members)
        self.cell = np.asarray(place, dtype=np.intp)
        self.axes: list[Axis] = []
        self.steps: list[Steps] = []
        self.tried: Tried = []
        # Whether positions lack different steps, so that the order of the images at a position is not that of the steps.
        self.mixed = False

    @property
    def done(self) -> bool:
        """Whether every cell holds one plane."""
        return int(np.bincount(self.cell).max()) == 1

    def want(self, name: str) -> None:
        """Take the axis of this name or keyword, or say why there is none."""
        if self.done:
            raise IncompleteError(
                f"dims names {name!r}, but it separates no images: "
                + ("the other axes already do" if self.axes else "there is one at each position")
            )
        before, cell = len(self.axes), self.cell
        found = named_meanings(name)
        for meaning in found:
            if len(self.axes) == before:
                self.try_(meaning, wanted=True)
        if len(self.axes) > before and self.axes[-1].name != name:
            instead = self.axes.pop().name
            self.steps.pop()
            self.cell = cell
            raise IncompleteError(
                f"dims names {name!r}, but no attribute gives it; the images are told apart by {instead}: dims=[{instead!r}]"
            )
        if len(self.axes) == before and not any(meaning in found for meaning, _ in self.tried):
            says = (
                "no image says it"
                if all(_silent(meaning, self.headers) for meaning in found)
                else "all say the same"
            )
            raise IncompleteError(f"dims names {name!r}, but it separates no images: {says}")

    def try_(self, meaning: Meaning, *, wanted: bool = False) -> None:
        """Take the axis of this meaning when the planes in every cell differ in it in the same way."""
        name = meaning.name
        if any(axis.name == name for axis in self.axes):
            name = meaning.otherwise
            if not name:
                return
        labels = meaning.labels(self.headers)
        if len(set(labels)) == 1:
            return
        members = self.members()
        seen = [Counter(labels[k] for k in cell) for cell in members]
        if any(len(counts) > 1 for counts in seen):
            if meaning.takes_rest:
                # Repeats of one label (several images of b = 0) are steps of their own, so the axis takes all that is left.
                # But no repeat of one position may stand beside that of another moment at the next.
                moments = self.headers.each(temporal_position)
                self.mixed = self.mixed or nearly_shared(list(zip(labels, moments, strict=True)), members)
                if all(counts == seen[0] for counts in seen) and not self.mixed:
                    self._accept_in_sequence(meaning, labels, members)
                    return
            elif all(counts.keys() == seen[0].keys() and len({*counts.values()}) == 1 for counts in seen):
                self._accept(meaning, labels, name)
                return
            distinct = all(len(counts) == len(cell) for counts, cell in zip(seen, members, strict=True))
            even = len({len(cell) for cell in members}) == 1
            ranked = (meaning.by_rank or wanted) and distinct and even and None not in labels
            ranked = ranked and meaning.orders(labels)
            self.mixed = self.mixed or (ranked and self._ranks_mix_steps(meaning, labels, members))
            if ranked and not self.mixed:
                self._accept_by_rank(meaning, labels, members, name)
                return
        self.tried.append((meaning, labels))

    def _ranks_mix_steps(self, meaning: Meaning, labels: list[Hashable], members: list[Steps]) -> bool:
        """Whether the n-th image of one position is another step than the n-th of the next, as each lacks another one."""
        if any(nearly_shared(known, members) for m, known in self.tried if m.says_outright):
            return True
        ranks: dict[Hashable, set[int]] = defaultdict(set)
        for cell in members:
            for rank, k in enumerate(sorted(cell, key=lambda k: meaning.sort_key(labels[k]))):
                ranks[labels[k]].add(rank)
        return any(len(places) > 1 for places in ranks.values()) and nearly_shared(labels, members)

    def labelled(self) -> list[Axis]:
        """The axes, with what else is known of their steps: attributes that are one for each step."""
        axes = []
        names = {axis.name for axis in self.axes}
        if self.axes:
            known = {meaning for meaning, _ in self.tried}
            rest = [m for m in AUTO if m not in known and not m.by_rank and m.name not in names | {"time"}]
            self.tried += [(meaning, meaning.labels(self.headers)) for meaning in rest]
        for axis, steps in zip(self.axes, self.steps, strict=True):
            beside = dict(axis.beside)
            for meaning, labels in self.tried:
                if len(set(labels)) == 1:
                    continue
                by_step = {(int(step), label) for step, label in zip(steps, labels, strict=True)}
                told = len(by_step) == axis.values.size and len({label for _, label in by_step}) > 1
                if told and meaning.name not in names | {"time", *beside}:
                    beside[meaning.name] = meaning.array(
                        [label for _, label in sorted(by_step, key=lambda x: x[0])]
                    )
            axes.append(replace(axis, beside=beside))
        return axes

    def members(self) -> list[Steps]:
        """Indices of the planes in each cell."""
        order = np.argsort(self.cell, kind="stable")
        return np.split(order, np.flatnonzero(np.diff(self.cell[order])) + 1)

    def _accept(self, meaning: Meaning, labels: list[Hashable], name: str) -> None:
        values = sorted(set(labels), key=meaning.sort_key)
        index = {value: k for k, value in enumerate(values)}
        self._add(meaning, values, np.array([index[label] for label in labels], dtype=np.intp), name)

    def _accept_by_rank(
        self, meaning: Meaning, labels: list[Hashable], members: list[Steps], name: str
    ) -> None:
        """Steps by order within each cell: times of slices differ, the order of their repetitions does not."""
        steps = np.empty(len(labels), dtype=np.intp)
        at: dict[int, list[Any]] = defaultdict(list)
        for cell in members:
            for rank, k in enumerate(sorted(cell, key=lambda k: meaning.sort_key(labels[k]))):
                steps[k] = rank
                at[rank].append(labels[k])
        self._add(meaning, [min(at[rank], key=meaning.sort_key) for rank in sorted(at)], steps, name)

    def _accept_in_sequence(self, meaning: Meaning, labels: list[Hashable], members: list[Steps]) -> None:
        """Steps in the order of acquisition at the first position; equal labels keep their own order everywhere."""
        keys = sequence_keys(self.headers)
        sequence = [labels[k] for k in sorted(members[0], key=lambda k: keys[k])]
        wanted: dict[Hashable, list[int]] = defaultdict(list)
        for step, label in enumerate(sequence):
            wanted[label].append(step)
        steps = np.empty(len(labels), dtype=np.intp)
        for cell in members:
            taken: Counter[Hashable] = Counter()
            for k in sorted(cell, key=lambda k: keys[k]):
                steps[k] = wanted[labels[k]][taken[labels[k]]]
                taken[labels[k]] += 1
        self._add(meaning, sequence, steps, meaning.name)

    def _add(self, meaning: Meaning, labels: Sequence[Hashable], steps: Steps, name: str) -> None:
        by_step: list[list[int]] = [[] for _ in labels]
        for k, step in enumerate(steps.tolist()):
            by_step[step].append(k)
        axis = Axis(*meaning.describe(labels, by_step, self.headers))
        self.axes.append(axis if name == meaning.name else replace(axis, name=name))
        self.steps.append(steps)
        self.cell = np.unique(self.cell * len(labels) + steps, return_inverse=True)[1].astype(np.intp)


def _silent(meaning: Meaning, headers: Headers) -> bool:
    return all(label in (None, "") for label in meaning.labels(headers))
