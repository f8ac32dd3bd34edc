"""The part of a `SliceBrowser` that answers the page, and has a mask that is edited there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import traitlets
import xarray as xr

from dicomlab.view.answers import answer
from dicomlab.view.brush import checked_brush
from dicomlab.view.editing import Editing, editable, first_editing
from dicomlab.view.masks import MasksLike, read_masks
from dicomlab.view.observable import observable
from dicomlab.view.source import Source
from dicomlab.view.synced import STATE, Synced

__all__ = ["Edited"]


class Edited(Synced):
    """Hears what the page asks for, and what it paints."""

    def __init__(
        self,
        volumes: Sequence[xr.DataArray],
        *,
        masks: MasksLike | None = None,
        edit: bool = False,
        **options: Any,
    ) -> None:
        editing: Editing | None = None
        if edit:
            Source(volumes[0])  # says what is wrong with it
            editing, masks = first_editing(volumes[0], masks)
        super().__init__(volumes, masks=masks, editing=editing, **options)
        self.on_msg(self._on_message)

    def _on_message(self, _widget: object, content: Mapping[str, Any], buffers: Any) -> None:
        """Answer a demand; the browser decides which and how many, so that nothing is ever flooded."""
        with self._lock:
            sources, editing = list(self._sources), self._editing
        kind = content.get("type")
        if kind == "edit" and editing is None and sources:
            begun, self._given_masks = first_editing(sources[0].volume, self._given_masks)
            self._remask(begun)
        elif kind in ("load", "paint", "propose"):
            if editing is not None:
                self._edited(editing, content, buffers or ())
        else:
            reply = answer(sources, content)
            if reply is not None:
                self.send(*reply)

    # ---- the mask that is edited ---------------------------------------------------------------------------------

    def _remask(self, editing: Editing | None) -> None:
        """Show the masks anew, and edit this one; how labels are drawn stays, by their names."""
        with self._lock:
            known = {
                label.name: look
                for mask, looks in zip(self._masks, self._labels, strict=True)
                for label, look in zip(mask.labels, looks, strict=False)
            }
            self._editing = editing
            self._hold(self._sources[: self._images], read_masks(self._given_masks))
            labels = self._looks_of_labels(known)
            state = {name: getattr(self, name) for name in STATE}
            with self.hold_sync():
                self._labels = labels
                self._meta = {**self._describe({**state, "_labels": labels}), "first": self._meta["first"]}
        self._tell_of_mask()

    def _tell_of_mask(self) -> None:
        self.notify_change(traitlets.Bunch(name="mask", old=None, new=None, owner=self, type="change"))

    def _edited(self, editing: Editing, content: Mapping[str, Any], buffers: Sequence[Any]) -> None:
        """What the page says of the mask that is edited, and what it hears of it."""
        source = self._opened()[0]
        volume = source.volume
        if source.steps.names:
            volume = volume.isel(dict(zip(source.steps.names, self._step, strict=True)))
        reply = editing.answer(content, buffers, volume)
        if reply is None:
            return
        self.send(*reply)
        if reply[0]["type"] == "painted":
            self._tell_of_mask()

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the browser; not how labels are drawn of a mask that was edited before, for it came too late."""
        editing, late = self._editing, False
        if editing is not None and (looks := sync_data.get("_labels")):
            late = any(look.get("mask", editing.source.key) != editing.source.key for look in looks[-1])
        super().set_state({name: one for name, one in sync_data.items() if not (late and name == "_labels")})
        if late:
            self.send_state("_labels")

    @traitlets.observe("_labels")
    def _labels_changed(self, change: Any) -> None:
        if self._editing is not None and len(change["new"]) == len(self._masks):
            self._editing.adopt(change["new"][-1])

    @traitlets.validate("_brush")
    def _valid_brush(self, proposal: Any) -> dict[str, Any]:
        return checked_brush(proposal["value"])

    # ---- what users read and set ---------------------------------------------------------------------------------

    @observable
    def mask(self) -> xr.DataArray | None:
        """The mask that is edited, as it is now; None while none is.

        A copy on the grid of the volume: whole numbers with names, colours and codes (``browser.mask.dicom.labels``); False and
        True where such a mask was given and has no second label. Set a mask to edit a copy of that one, or None to stop;
        ``browser.observe(handler, "mask")`` tells of each stroke.

        Raises
        ------
        DicomLabError, GeometryError
            What is set is no mask, lies on another grid than the volume, or has labels that overlap.
        """
        return None if self._editing is None else self._editing.mask()

    @mask.setter
    def mask(self, mask: xr.DataArray | None) -> None:
        volume = self._opened()[0].volume
        self._remask(None if mask is None else Editing(editable(mask, volume), volume))

    @property
    def brush(self) -> dict[str, Any]:
        """What the brush is: ``size`` in mm across, ``sphere`` (True or False), ``range`` (lowest and highest value that it
        paints on, or None), ``label`` (number). Set it as a dict; what is left out is as at first.
        """
        return dict(self._brush)

    @brush.setter
    def brush(self, brush: Mapping[str, Any]) -> None:
        self._brush = dict(brush)
