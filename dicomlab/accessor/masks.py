"""``mask.dicom``: what the labels of a mask are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import xarray as xr

from dicomlab.accessor.bound import Bound
from dicomlab.errors import DicomLabError

if TYPE_CHECKING:
    from dicomlab.masks import Labels
    from dicomlab.masks.labels import Named

__all__ = ["Masks"]


class Masks(Bound):
    """Names, colours, codes and sizes of labels; see `dicomlab.masks`."""

    @property
    def labels(self) -> Labels:
        """The labels of a mask: a table of number, name, voxels, ml, category and type; see `dicomlab.masks.labels_of`."""
        from dicomlab.masks import labels_of

        return labels_of(self._volume)

    def with_labels(self, labels: Named | Mapping[int, Named] | Iterable[Named] | None) -> xr.DataArray:
        """The mask with its labels named, coloured and coded; see `dicomlab.masks.with_labels`."""
        from dicomlab.masks import with_labels

        return with_labels(self._volume, labels)

    def label(self, which: int | str) -> xr.DataArray:
        """One label as a mask of False and True, by its name or number.

        Raises
        ------
        DicomLabError
            The mask has no such label.
        """
        from dicomlab.masks import parts

        for part in parts(self._volume):
            if which in (part.label.value, part.label.name):
                return part.mask
        known = ", ".join(f"{one.value} {one.name}" for one in self.labels) or "none"
        raise DicomLabError(f"the label {which!r} was asked for; there are: {known}")
