"""The direct path against the general one, attribute by attribute."""

from __future__ import annotations

from typing import Any

import numpy as np
from pydicom.dataset import Dataset

from dicomlab.errors import NotDicomError
from dicomlab.read.direct import Reader
from dicomlab.read.elements import Attributes
from dicomlab.read.headers import Instance, read_instance
from dicomlab.read.planes import planes_of
from dicomlab.read.records import Record
from dicomlab.read.sources import FileRef


def tags_of(*levels: Any) -> set[int]:
    """Tags of all elements, those of the general and those of the direct path."""
    return {int(tag) for level in levels for tag in level.keys()}  # noqa: SIM118


def plain(value: Any) -> Any:
    """A value as something that compares: items as dictionaries, arrays as lists."""
    if isinstance(value, Record):
        return {int(tag): plain(Attributes.of(value).value(tag)) for tag in value.keys()}  # noqa: SIM118
    if isinstance(value, Dataset):
        return {int(tag): plain(Attributes.of(value).value(tag)) for tag in value.keys()}  # noqa: SIM118
    if isinstance(value, str | bytes | int | float) or value is None:
        return value
    if hasattr(value, "__iter__"):
        return [plain(item) for item in value]
    return value


def differences(one: Attributes, other: Attributes, where: str) -> list[str]:
    """What the two say differently, in words."""
    found = []
    for tag in sorted((tags_of(*one.levels) | tags_of(*other.levels)) - {*_SEQUENCES}):
        said = [plain(attributes.value(tag)) for attributes in (one, other)]
        if repr(said[0]) != repr(said[1]) and said[0] != said[1]:
            found.append(
                f"{where}: ({tag >> 16:04X},{tag & 0xFFFF:04X}) is {said[0]!r:.200} and {said[1]!r:.200}"
            )
        if isinstance(said[0], list) and said[0] and isinstance(said[0][0], dict):
            continue
        for ask in (
            Attributes.text,
            Attributes.texts,
            Attributes.number,
            Attributes.has_decimal_comma,
            Attributes.has,
        ):
            answers = [ask(attributes, tag) for attributes in (one, other)]  # type: ignore[operator]
            if answers[0] != answers[1]:
                found.append(
                    f"{where}: {ask.__name__} of ({tag >> 16:04X},{tag & 0xFFFF:04X}): {answers!r:.300}"
                )
        numbers = [attributes.numbers(tag) for attributes in (one, other)]
        if not all(isinstance(n, np.ndarray) for n in numbers):
            if any(n is not None for n in numbers):
                found.append(f"{where}: numbers of ({tag >> 16:04X},{tag & 0xFFFF:04X}): {numbers!r:.300}")
        elif numbers[0].dtype != numbers[1].dtype or not np.array_equal(numbers[0], numbers[1]):
            found.append(f"{where}: numbers of ({tag >> 16:04X},{tag & 0xFFFF:04X}): {numbers!r:.300}")
    return found


def outcome(read: Any) -> Instance | str:
    """An instance, or why there is none."""
    try:
        return read()
    except NotDicomError as problem:
        return str(problem)


_SEQUENCES = (0x5200_9229, 0x5200_9230)


def compare(file: FileRef, reader: Reader) -> tuple[bool, list[str]]:
    """Whether the direct path read the file without pydicom, and every difference between the two paths."""
    general = outcome(lambda: read_instance(file))
    direct = outcome(lambda: reader.read(file, file.head(reader.enough)))
    if isinstance(general, str) or isinstance(direct, str):
        same = general == direct
        return False, [] if same else [f"{file.name}: {general!r:.200} and {direct!r:.200}"]
    if isinstance(direct.header, Dataset):
        return False, []
    found = differences(direct, general, file.name)
    if direct.pixels != general.pixels:
        found.append(f"{file.name}: pixels {direct.pixels} and {general.pixels}")
    if direct.transfer_syntax != general.transfer_syntax:
        found.append(f"{file.name}: {direct.transfer_syntax} and {general.transfer_syntax}")
    if direct.is_image:
        planes = [planes_of(direct), planes_of(general)]
        if len(planes[0]) != len(planes[1]):
            found.append(f"{file.name}: {len(planes[0])} and {len(planes[1])} planes")
        else:
            for k, (a, b) in enumerate(zip(*planes, strict=True)):
                if len(a.levels) > 1 and k % (len(planes[0]) // 8 + 1) == 0:
                    # The top level, common to all planes, was compared.
                    found += differences(Attributes.of(*a.levels[:-1]), Attributes.of(*b.levels[:-1]), a.name)
                for name in ("position", "cosines", "pixel_spacing", "shape", "corner", "size", "lacking"):
                    if not np.array_equal(getattr(a, name), getattr(b, name)):
                        found.append(f"{a.name}: {name} {getattr(a, name)} and {getattr(b, name)}")
    return True, found
