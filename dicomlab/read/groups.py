"""Functional groups (PS3.3 C.7.6.16) as records: an item a frame, thousands in one header, that mostly say the same."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from operator import itemgetter

import numpy as np

from dicomlab.read.records import Family, Record
from dicomlab.read.walk import Cell, ShortError, UnusualError, implied_vr, items, walk

__all__ = ["read_groups"]

_MOST_FORMS = 32
"""Layouts of items of one length that are kept."""


class _Form:
    """The layout of one item: where tags, VRs and lengths stand and what they are, and where the elements are.

    Parameters
    ----------
    tags
        As of `Family`.
    """

    def __init__(
        self,
        item: bytes,
        cells: Sequence[tuple[int | tuple[int, int], int, int]],
        heads: Sequence[tuple[int, int]],
    ) -> None:
        mask = bytearray(len(item))
        for start, stop in heads:
            mask[start:stop] = b"\xff" * (stop - start)
        self._mask = np.frombuffer(bytes(mask), np.uint8)
        self._heads = (np.frombuffer(item, np.uint8) & self._mask).tobytes()
        self.tags = tuple(tag for tag, _, _ in cells)
        spans = [slice(start, stop) for _, start, stop in cells]
        self._cut: Callable[[bytes], tuple[bytes, ...]] = (
            itemgetter(*spans) if len(spans) > 1 else lambda data: tuple(data[span] for span in spans)
        )

    def match(self, item: bytes) -> tuple[bytes, ...] | None:
        """The elements of an item of this form; None for any other."""
        same = (np.frombuffer(item, np.uint8) & self._mask).tobytes() == self._heads
        return self._cut(item) if same else None


def read_groups(data: bytes, cell: Cell, implicit: bool, context: Sequence[bytes]) -> list[Record]:
    """The items of Shared or Per-Frame Functional Groups Sequence.

    Functional group macros of one item are unfolded; all else stays as it is, for pydicom.

    Parameters
    ----------
    data
        Bytes of the file.
    cell
        The sequence.
    context
        As of `Common`.

    Raises
    ------
    ShortError, UnusualError
        As `walk`.
    """
    records = []
    forms: dict[int, list[_Form]] = defaultdict(list)
    families: dict[tuple[int | tuple[int, int], ...], Family] = {}
    for start, stop in items(data, cell, implicit):
        item = data[start:stop]
        known = forms[len(item)]
        for form in known:
            values = form.match(item)
            if values is not None:
                break
        else:
            try:
                form = _walk_item(item, implicit)
            except ShortError as problem:  # a length inside leads out of the item
                raise UnusualError from problem
            values = form.match(item)
            if values is None:
                raise UnusualError
            if len(known) < _MOST_FORMS:
                known.append(form)
        family = families.get(form.tags)
        if family is None:
            family = families[form.tags] = Family(form.tags, values, implicit, context=context)
        records.append(family.take(values))
    return records


def _walk_item(item: bytes, implicit: bool) -> _Form:
    found: list[tuple[int | tuple[int, int], int, int]] = []
    heads: list[tuple[int, int]] = []
    cells, _ = walk(item, 0, len(item), implicit, ())
    for cell in cells:
        inner = list(items(item, cell, implicit)) if _is_macro(item, cell, implicit) else []
        if len(inner) != 1 or inner[0][0] == inner[0][1]:
            heads += cell.heads
            found.append((cell.tag, cell.start, cell.stop))
            continue
        ((start, stop),) = inner
        leaves, _ = walk(item[:stop], start, stop, implicit, ())
        if implicit and any(implied_vr(leaf.tag) == "US or OW" for leaf in leaves):
            raise UnusualError  # which of the two, another element inside decides
        # All between the elements is structure: heads of the sequence and of its item, and what ends them.
        heads += [(cell.start, start), (stop, cell.stop), *(head for leaf in leaves for head in leaf.heads)]
        found += [((cell.tag, leaf.tag), leaf.start, leaf.stop) for leaf in leaves]
    return _Form(item, found, heads)


def _is_macro(item: bytes, cell: Cell, implicit: bool) -> bool:
    vr = implied_vr(cell.tag) if implicit else item[cell.start + 4 : cell.start + 6].decode("latin-1")
    return vr == "SQ" and not cell.tag >> 16 & 1
