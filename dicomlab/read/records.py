"""Headers of many images that mostly say the same: what is alike is held, and parsed, once.

The direct path (`dicomlab.read.direct`) cuts the elements of a header out of its file as bytes. A `Record` is such a header, or
an item of a functional group; the bytes that it shares with the others of its series stand in a `Common`. What
bytes mean is pydicom's business, with the short ways of `dicomlab.read.plain`.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from pydicom.filereader import read_dataset

from dicomlab.errors import FaultError
from dicomlab.read.plain import plain_numbers, plain_text, tag_of, value_start, vr_of
from dicomlab.read.sources import FileRef
from dicomlab.warn import quiet

__all__ = ["Common", "Family", "Far", "Raw", "Record"]

FloatArray = npt.NDArray[np.float64]

_CHARACTER_SET, _PIXEL_REPRESENTATION = 0x0008_0005, 0x0028_0103
_KEPT_VALUES = 4096
"""Parsed values of attributes that differ from image to image, kept for the next who asks."""


@dataclass(frozen=True, eq=False)
class Far:
    """An element too large to be held for every image: read again when somebody asks.

    Parameters
    ----------
    start, stop
        Its bytes in `file`, tag and length included.
    """

    file: FileRef
    start: int
    stop: int

    def read(self) -> bytes:
        """The element.

        Raises
        ------
        FaultError
            It cannot be read again, or the file has changed since it was listed.
        """
        length = self.stop - self.start
        try:
            with self.file.unchanged(), self.file.open() as stream:
                stream.seek(self.start)
                data = stream.read(length)
        except OSError as problem:
            raise FaultError(
                f"{self.file}: its header cannot be read again ({problem.strerror})"
            ) from problem
        if len(data) < length:
            raise FaultError(f"{self.file}: its header cannot be read again (it breaks off)")
        return data


_SEVERAL = 4
"""Headers of a family after which more of it are expected."""
_FIRST = 64
"""Headers after which a family no longer changes those that it has."""


Raw: TypeAlias = "bytes | Far"
"""A data element as it stands in the file: tag, VR, length and value."""
Own: TypeAlias = tuple[Raw, ...]


class Common:
    """What the headers of one family have in common.

    Parameters
    ----------
    held
        By tag, in the order of the file: the element where all have the same, or its place among what each has of its own.
    implicit
        Whether VRs are implicit.
    groups
        By tag of a sequence with one item: what such items have in common. What an item has of its own stands in the same
        tuple as what its record has.
    context
        Elements of the data set around an item that say how to read it: character set and pixel representation.
    """

    __slots__ = ("_sways", "context", "groups", "held", "implicit", "inner", "known", "mixed", "plain")

    def __init__(
        self,
        held: dict[int, Raw | int],
        implicit: bool,
        groups: Mapping[int, Common] | None = None,
        context: Sequence[bytes] = (),
    ) -> None:
        self.held = held
        self.implicit = implicit
        self.groups = dict(groups or {})
        self.context = tuple(context)
        self.known: dict[Any, Any] = {}
        self.plain: dict[int, FloatArray | None] = {}
        self._sways: dict[int, list[int]] = {}
        self.inner: tuple[Common, ...] | None = None
        self.mixed: list[int] = []

    def sways(self, tag: int) -> list[int]:
        """Places among the own elements of those that decide how this one is read."""
        places = self._sways.get(tag)
        if places is None:
            held = [self.held.get(other) for other in _swaying(tag)]
            places = self._sways[tag] = [place for place in held if type(place) is int]
        return places

    def __getstate__(self) -> tuple[Any, ...]:
        return self.held, self.implicit, self.groups, self.context

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.__init__(*state)  # type: ignore[misc]


class Record:
    """One header, or one item of a functional group: its `own` elements beside those of its `common`.

    Parameters
    ----------
    sequences
        Items of functional groups, which are too many to be held as bytes, by the tag of their sequence.
    """

    __slots__ = ("common", "own", "sequences")

    def __init__(
        self, common: Common, own: Own, sequences: Mapping[int, Sequence[Record]] | None = None
    ) -> None:
        self.common = common
        self.own = own
        self.sequences = sequences

    def __getstate__(self) -> tuple[Any, ...]:
        return self.common, self.own, self.sequences

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.common, self.own, self.sequences = state

    def __contains__(self, tag: object) -> bool:
        return tag in self.common.held or (self.sequences is not None and tag in self.sequences)

    @property
    def original_encoding(self) -> tuple[bool, bool]:
        """Whether VRs are implicit, and bytes little endian, as of pydicom's data sets."""
        return self.common.implicit, True

    def keys(self) -> Iterable[int]:
        """Tags of its elements, ascending."""
        held = self.common.held.keys()
        return sorted({*held, *self.sequences}) if self.sequences else held

    def unfolded(self) -> tuple[Record, ...] | None:
        """The items of its sequences of one item, in the order of the file, and then itself: as attributes of functional group
        macros are looked up. None where there are other sequences, which pydicom has to read.
        """
        common = self.common
        if common.inner is None:
            common.inner = tuple(common.groups.values())
            # What may be a sequence: what all have the same is one or is none, what each has of its own is looked at in each.
            common.mixed = [
                tag
                for tag, held in common.held.items()
                if tag not in common.groups
                and not tag >> 16 & 1
                and (type(held) is int or _is_sequence(held, common.implicit))
            ]
        if any(_is_sequence(self._find(tag), common.implicit) for tag in common.mixed):
            return None
        own = self.own
        return (*[Record(inner, own) for inner in common.inner], self)

    def raw(self, tag: int) -> bytes:
        """An element that is there, as it stands in the file."""
        found = self._find(tag)
        return found.read() if isinstance(found, Far) else found

    def _find(self, tag: int) -> Raw:
        held = self.common.held[tag]
        return self.own[held] if type(held) is int else held  # type: ignore[return-value]

    def value(self, tag: int) -> Any:
        """Value as pydicom parses it, items of functional groups as records; None when absent.

        Raises
        ------
        Exception
            Whatever pydicom raises for a value that breaks its VR.
        """
        if self.sequences is not None and tag in self.sequences:
            return list(self.sequences[tag])
        common = self.common
        if tag not in common.held:
            return None
        if tag in common.groups:
            return [Record(common.groups[tag], self.own)]
        found = self._find(tag)
        key: Any = tag if common.held[tag] is found else (tag, found)
        if places := common.sways(tag):
            key = (tag, found, *[self.own[place] for place in places])
        if key in common.known:
            return common.known[key]
        raw = found.read() if isinstance(found, Far) else found
        value = plain_text(raw, common.implicit)
        if value is None:
            value = self._parse(tag, raw)
        if not isinstance(found, Far):
            if len(common.known) > _KEPT_VALUES:
                common.known.clear()
            common.known[key] = value
        return value

    def numbers(self, tag: int) -> FloatArray | None:
        """Value as finite floats where that is plain to see; None where pydicom must be asked, or there is no value."""
        common = self.common
        held = common.held.get(tag)
        if held is None:
            return None
        if type(held) is int:
            found = self.own[held]
            return None if isinstance(found, Far) else plain_numbers(found, common.implicit)
        if tag not in common.plain:
            common.plain[tag] = (
                None if isinstance(held, Far) else plain_numbers(held, common.implicit)  # type: ignore[arg-type]
            )
        return common.plain[tag]

    def raw_text(self, tag: int) -> str:
        """The bytes of the value as text, whatever they are."""
        raw = self.raw(tag)
        return raw[value_start(raw, self.common.implicit) :].decode("latin-1")

    def _parse(self, tag: int, raw: bytes) -> Any:
        """As pydicom does, which for some elements looks at others of the data set."""
        around = {tag_of(part): part for part in self.common.context}
        around |= {other: self.raw(other) for other in _swaying(tag) if other in self.common.held}
        around[tag] = raw
        data = io.BytesIO(b"".join(around[key] for key in sorted(around)))
        with quiet():
            return read_dataset(data, self.common.implicit, True)[tag].value


@cache
def _swaying(tag: int) -> tuple[int, ...]:
    """Tags of the elements that decide how this one is read: character set, pixel representation, who reserved its block."""
    private = tag >> 16 & 1 and tag & 0xFF00
    return (_CHARACTER_SET, _PIXEL_REPRESENTATION, *([tag & 0xFFFF0000 | tag >> 8 & 0xFF] if private else ()))


class Family:
    """Headers with the same attributes, met one after the other: what they have in common so far.

    Parameters
    ----------
    tags
        Of the elements, ascending; where a sequence of one item is unfolded, pairs of its tag and one inside it.
    values
        The elements of the first of them.
    varying
        Tags of attributes that are expected to differ.

    Attributes
    ----------
    common : Common
        What they have in common now.
    likely, head, met, next_look
        For whoever reads them: how to recognise the next, and first bytes of one of them; how many were not recognised, and
        after how many to look what they share.
    """

    def __init__(
        self,
        tags: Sequence[int | tuple[int, int]],
        values: Own,
        implicit: bool,
        varying: Iterable[int] = (),
        context: Sequence[bytes] = (),
    ) -> None:
        self.tags = tuple(tags)
        self.implicit = implicit
        self.context = tuple(context)
        self.likely: Any = None
        self.head = b""
        self.met, self.next_look = 0, _SEVERAL
        self._first: list[Record] = []
        expected = set(varying)
        self._split(
            values,
            {
                k
                for k, tag in enumerate(tags)
                if isinstance(values[k], Far) or (tag if isinstance(tag, int) else tag[1]) in expected
            },
        )

    def _split(self, values: Own, own: set[int]) -> None:
        self._own = own
        self._pick_own = _picker(sorted(own))
        kept = [k for k in range(len(values)) if k not in own]
        self._pick_kept = _picker(kept)
        self._kept = self._pick_kept(values)
        place = {k: n for n, k in enumerate(sorted(own))}
        held: dict[int, Raw | int] = {}
        inside: dict[int, dict[int, Raw | int]] = {}
        for k, tag in enumerate(self.tags):
            found = place.get(k, values[k])
            if isinstance(tag, int):
                held[tag] = found
            else:
                held.setdefault(tag[0], b"")
                inside.setdefault(tag[0], {})[tag[1]] = found
        groups = {tag: Common(of, self.implicit, context=self.context) for tag, of in inside.items()}
        self.common = Common(held, self.implicit, groups, self.context)

    def take(self, values: Own, sequences: Mapping[int, Sequence[Record]] | None = None) -> Record:
        """The record of a header with these elements, in the order of `tags`."""
        kept = self._pick_kept(values)
        if kept != self._kept:
            differing = {
                k for k, old in zip(self._kept_places(), self._kept, strict=True) if values[k] != old
            }
            self._widen(values, self._own | differing)
        record = Record(self.common, self._pick_own(values), sequences)
        if len(self._first) < _FIRST:
            self._first.append(record)
        return record

    def _widen(self, values: Own, own: set[int]) -> None:
        """`_split`; what differs shows in the first few headers, which move in with those to come."""
        first = self._first if len(self._first) < _FIRST else []
        olds = [self._values_of(record) for record in first]
        self._split(values, own)
        for record, old in zip(first, olds, strict=True):
            record.common, record.own = self.common, self._pick_own(old)
        self._first = first

    def _values_of(self, record: Record) -> Own:
        """All elements of a record that was taken since the last change."""
        values = dict(zip(self._kept_places(), self._kept, strict=True))
        values |= zip(sorted(self._own), record.own, strict=True)
        return tuple(values[k] for k in range(len(self.tags)))

    @property
    def own_tags(self) -> frozenset[int]:
        """Tags of what differs, as far as it stands at the top of the header."""
        return frozenset(tag for k, tag in enumerate(self.tags) if k in self._own and isinstance(tag, int))

    def _kept_places(self) -> list[int]:
        return [k for k in range(len(self.tags)) if k not in self._own]


def _picker(places: Sequence[int]) -> Any:
    """A function that takes these places out of a tuple, as a tuple."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda values: tuple(values[k] for k in places)


def _is_sequence(raw: Raw | int, implicit: bool) -> bool:
    return isinstance(raw, Far) or (
        isinstance(raw, bytes) and vr_of(raw, implicit) == b"SQ" and len(raw) > 12
    )
