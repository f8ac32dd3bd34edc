"""The mask that is edited: its voxels, what the page does to them, and what the kernel proposes.

The page is the only one who changes voxels, and it keeps all of them; so a running cell never stands in the way of a hand. What
it did comes as numbered patches, which are taken in their order, each once: a patch that came twice is left out, one that came
too early is asked for again. What takes an algorithm is computed here and only proposed; the page takes it over as if it had
been drawn.
"""

from __future__ import annotations

import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES
from dicomlab.masks import (
    Label,
    check_grid,
    check_mask,
    labels_of,
    mask_like,
    slice_volumes,
    to_label_maps,
    with_labels,
)
from dicomlab.masks.form import counts
from dicomlab.view.masks import LabelInfo, MasksLike, as_list, first_look, middle
from dicomlab.view.source import Source
from dicomlab.warn import warn_user

__all__ = ["Editing", "editable", "first_editing"]

Reply = tuple[dict[str, Any], list[bytes]]
Voxels = npt.NDArray[np.unsignedinteger[Any]]

_MESSAGE = 4 << 20
"""Bytes of a message: the browser of a user gets no larger ones, and Jupyter carries no larger ones the other way."""

FIRST = "label 1"
"""What the first label of a new mask is called."""


def editable(mask: xr.DataArray | None, volume: xr.DataArray) -> xr.DataArray:
    """A mask as it can be edited, on the grid of the volume: bool or a label map, without further dims; an empty one for None.

    Raises
    ------
    DicomLabError, GeometryError
        It is no mask, has further axes or labels that overlap, or lies on another grid.
    """
    still = volume.isel({dim: 0 for dim in volume.dims if dim not in AXES})
    if mask is None:
        return mask_like(still, np.zeros(still.shape, np.uint8), name="mask", labels={1: FIRST})
    form = check_mask(mask)
    own = [str(dim) for dim in mask.dims if dim not in (*AXES, "segment")]
    if own or not set(AXES) <= set(mask.dims):
        raise GeometryError(
            f"a mask with the dims slice, row, column can be edited, found {tuple(mask.dims)}. Take one step of the others: "
            "mask.isel(time=0)"
        )
    check_grid(mask, still)
    if form == "bool":
        return mask
    maps = to_label_maps(mask)
    if len(maps) > 1:
        raise DicomLabError(
            "labels that overlap can be edited one at a time, as a voxel of the mask that is edited has one label: "
            f"mask.dicom.label({labels_of(mask)[0].name!r})"
        )
    return maps[0] if maps else editable(None, volume)


def first_editing(volume: xr.DataArray, masks: MasksLike | None) -> tuple[Editing, list[xr.DataArray]]:
    """Edit the first of the masks that can be, which then is shown by its copy alone, else an empty one; and the others."""
    given = as_list(masks)
    refused: list[str] = []
    for place, (name, one) in enumerate(given):
        try:
            mask = editable(one, volume)
        except DicomLabError as problem:
            refused.append(str(problem))
        else:
            named = mask.rename(name) if name and mask.dtype == np.bool_ else mask
            return Editing(named, volume), [other for n, (_, other) in enumerate(given) if n != place]
    if refused:
        warn_user(f"an empty mask is edited, for none of the masks can be: {refused[0]}")
    return Editing(editable(None, volume), volume), [one for _, one in given]


class Editing:
    """A mask of whole numbers that is edited.

    Parameters
    ----------
    mask
        As `editable` returns it; it is copied and never changed.
    volume
        The volume on whose grid it lies.
    """

    def __init__(self, mask: xr.DataArray, volume: xr.DataArray) -> None:
        self._like = volume.isel({dim: 0 for dim in volume.dims if dim not in AXES}).transpose(*AXES)
        self._bool, self._name = mask.dtype == np.bool_, mask.name
        found = list(labels_of(mask)) or [Label(1, FIRST)]
        self._labels = {label.value: label for label in found}
        dtype = np.uint8 if max(self._labels) < 256 else np.uint16
        # Whether rows or columns fall does not matter here: voxels are counted as the volume counts them.
        self._values: Voxels = np.array(mask.transpose(*AXES).values, dtype=np.dtype(dtype), order="C")
        self._lock = threading.Lock()
        self._applied: dict[str, int] = {}
        self._sizes: tuple[LabelInfo, ...] | None = None
        self.source = Source(mask_like(self._like, self._values))

    @property
    def labels(self) -> tuple[LabelInfo, ...]:
        """What is known of each label now."""
        if self._sizes is None:
            with self._lock:
                self._sizes = self._measured()
        return self._sizes

    def _measured(self) -> tuple[LabelInfo, ...]:
        grid = self.source.grid(0)
        mm3 = slice_volumes(grid.geometry)
        infos = []
        for value, each in counts(self.source.volume, list(self._labels)):
            label, ml = self._labels[value], float(each @ mm3) / 1000
            at = middle(grid, each, value) if each.any() else None
            infos.append(LabelInfo(value, label.name, None if np.isnan(ml) else ml, at, label.rgb))
        return tuple(infos)

    def looks(self) -> list[dict[str, Any]]:
        """How each label is drawn at first, with its name, and of which mask it is."""
        return [
            {
                **first_look(0, label.rgb),
                "value": value,
                "name": label.name,
                "locked": False,
                "mask": self.source.key,
            }
            for value, label in self._labels.items()
        ]

    def adopt(self, looks: Sequence[Mapping[str, Any]]) -> None:
        """Take names, colours and new labels from how labels are drawn; a renamed one is coded by its new name."""
        known, found = self._labels, {}
        most = int(np.iinfo(self._values.dtype).max)
        for look in looks:
            value, name = int(look["value"]), str(look.get("name") or f"label {look['value']}").strip()
            if not 0 < value <= most:
                raise DicomLabError(f"labels of this mask are numbered from 1 to {most}; found {value}")
            colour = "#" + "".join(f"{int(part):02x}" for part in look["colour"])
            before = known.get(value)
            if before is not None and before.name == name:
                found[value] = replace(before, colour=colour)
            else:
                found[value] = Label(value, name, colour)
        if found != known:
            self._labels, self._sizes = found, None

    def describe(self, *, memory: int) -> dict[str, Any]:
        """What the page has to know, ready for JSON; no voxel."""
        mm3 = slice_volumes(self.source.grid(0).geometry)
        return {
            **self.source.describe(memory=memory, mask=True),
            "labels": [one.to_json() for one in self.labels],
            "edited": {
                "bytes": self._values.dtype.itemsize,
                "mm3": [None if np.isnan(x) else float(x) for x in mm3],
            },
        }

    def mask(self) -> xr.DataArray:
        """The mask as it is now: a copy with names, colours and codes; bool where it was that and has no second label."""
        with self._lock:
            values: npt.NDArray[Any] = self._values.copy()
        labels = list(self._labels.values())
        # What was painted with a label that went, and came back by undo, or that is not named yet, is no part of the first.
        if self._bool and [label.value for label in labels] == [1] and values.max(initial=0) < 2:
            return with_labels(mask_like(self._like, values.view(np.bool_), name=labels[0].name), labels[0])
        made = mask_like(self._like, values, name="mask" if self._name is None else str(self._name))
        return with_labels(made, labels)

    # ---- messages ------------------------------------------------------------------------------------------------

    def answer(
        self, content: Mapping[str, Any], buffers: Sequence[Any], volume: xr.DataArray
    ) -> Reply | None:
        """The reply to a message of the page about this mask; None where it is about another one."""
        if content.get("key") != self.source.key:
            return None
        # Replies reach all pages that show the browser; each knows by its session which are its own.
        head = {"key": self.source.key, "id": content.get("id"), "session": content.get("session")}
        kind = content["type"]
        try:
            if kind == "load":
                return self._load(int(content["first"]), head)
            if kind == "paint":
                return self._paint(content, buffers, head)
            return self._propose(content, head, volume)
        except DicomLabError as problem:
            return {"type": "refused", **head, "error": str(problem)}, []
        except (
            Exception
        ) as problem:  # whatever a message that is none makes happen: the page says it, in its place
            return {"type": "refused", **head, "error": f"{kind}: {type(problem).__name__}"}, []

    def _load(self, first: int, head: dict[str, Any]) -> Reply:
        """Slices that have a voxel, from one on, as many as a message may bring."""
        found: list[int] = []
        packed: list[bytes] = []
        room, count = _MESSAGE, len(self._values)
        k = first
        while k < count and room > 0:
            with self._lock:
                plane = self._values[k].copy()
            if plane.any():
                packed.append(zlib.compress(plane.tobytes(), 1))
                found.append(k)
                room -= len(packed[-1])
            k += 1
        return {"type": "voxels", **head, "slices": found, "next": k if k < count else None}, packed

    def _paint(self, content: Mapping[str, Any], buffers: Sequence[Any], head: dict[str, Any]) -> Reply:
        session, number = str(content["session"]), int(content["id"])
        done = self._applied.get(session, -1)
        missing = number > done + 1
        if number == done + 1:
            patches = [
                self._patch(part, buffer) for part, buffer in zip(content["parts"], buffers, strict=True)
            ]
            with self._lock:
                for where, values in patches:
                    self._values[where] = values
                self._sizes = None
            self._applied[session] = done = number
        return {"type": "painted", "key": head["key"], "session": session, "id": done, "missing": missing}, []

    def _patch(self, part: Mapping[str, Any], buffer: Any) -> tuple[tuple[int, slice, slice], Voxels]:
        k = int(part["slice"])
        top, left, bottom, right = (int(x) for x in part["box"])
        count, rows, columns = self._values.shape
        if not (0 <= k < count and 0 <= top < bottom <= rows and 0 <= left < right <= columns):
            raise DicomLabError(f"a patch of slice {k}, {part['box']}, lies outside of the mask")
        size = (bottom - top) * (right - left) * self._values.dtype.itemsize
        inflate = zlib.decompressobj()
        raw = inflate.decompress(bytes(buffer), size)
        if len(raw) != size or inflate.unconsumed_tail:
            raise DicomLabError(f"a patch of slice {k} came damaged")
        values = np.frombuffer(raw, dtype=self._values.dtype.newbyteorder("<")).reshape(
            bottom - top, right - left
        )
        return (k, slice(top, bottom), slice(left, right)), values

    def _propose(self, content: Mapping[str, Any], head: dict[str, Any], volume: xr.DataArray) -> Reply:
        """What an algorithm makes of a label: voxels that it gains are 1, those it loses 2, boxes of slices that change."""
        from dicomlab.view.proposals import propose

        value = int(content["label"])
        with self._lock:
            before = self._values == value
        mask = mask_like(self._like, before, name="label")
        after = propose(str(content["op"]), mask, volume, content)
        change = np.where(after & ~before, np.uint8(1), np.where(before & ~after, np.uint8(2), np.uint8(0)))
        parts, packed = [], []
        for k in np.flatnonzero(change.any(axis=(1, 2))):
            plane = change[k]
            rows, columns = np.flatnonzero(plane.any(axis=1)), np.flatnonzero(plane.any(axis=0))
            box = [int(rows[0]), int(columns[0]), int(rows[-1]) + 1, int(columns[-1]) + 1]
            parts.append({"slice": int(k), "box": box})
            packed.append(zlib.compress(plane[box[0] : box[2], box[1] : box[3]].tobytes(), 1))
        told = {"type": "proposed", **head, "op": content["op"], "label": value, "parts": parts}
        return told, packed
