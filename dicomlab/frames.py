"""Which patient frame a volume is in: the guard on the scalar coordinate ``frame_of_reference``, and its refusals."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr

__all__ = ["BASIS_TOLERANCE", "RESAMPLE", "FrameIndex", "check_frames", "check_picked", "refusal"]

FloatArray = npt.NDArray[np.float64]

BASIS_TOLERANCE = 2e-5
"""Largest difference of one component of two basis vectors that are still one: 0.01 mm at half a metre."""


RESAMPLE = (
    "one.dicom.resample_like(other) brings one onto the grid of the other; then they combine voxel by voxel. .values are the "
    "bare arrays, if you mean those."
)


def refusal(what: str, detail: str, remedy: str) -> xr.AlignmentError:
    """The error that says in what two volumes differ, by how much, and what to do."""
    return xr.AlignmentError(f"these two volumes differ in {what}: {detail}. {remedy}")


def check_frames(mine: tuple[str, FloatArray], theirs: tuple[str, FloatArray], axis: str) -> None:
    """Raise `xr.AlignmentError` with the reason unless two (UID, basis) pairs mean the same direction in one patient."""
    if mine[0] != theirs[0]:
        unknown = mine[0].startswith("unknown:") or theirs[0].startswith("unknown:")
        raise refusal(
            "frame of reference",
            f"{mine[0]} against {theirs[0]}" + (" ('unknown:' marks one that names none)" if unknown else ""),
            "Millimetres of two frames of reference mean different places: register the images, then "
            "one.dicom.transform(matrix, to=other); or one.dicom.assume_frame(other), if you know that they are one.",
        )
    off = float(np.max(np.abs(mine[1] - theirs[1])))
    if off > BASIS_TOLERANCE:
        raise refusal(
            "orientation",
            f"the direction of {axis} differs by {off:.3g} "
            f"({np.round(mine[1], 4).tolist()} against {np.round(theirs[1], 4).tolist()}, LPS)",
            RESAMPLE,
        )


class FrameIndex(xr.Index):
    """Guard on the scalar coordinate ``frame_of_reference``: which patient frame, and the whole direction matrix.

    Parameters
    ----------
    name
        Name of the scalar coordinate.
    variable
        The scalar variable: value = Frame of Reference UID, attrs ``direction`` (nine numbers, row-major).
    """

    def __init__(self, name: Hashable, variable: xr.Variable) -> None:
        self.name = name
        # A copy: xarray and users write into the attributes of a coordinate, and the guard must not follow.
        self.variable = _own(variable)

    @classmethod
    def from_variables(
        cls, variables: Mapping[Any, xr.Variable], *, options: Mapping[str, Any]
    ) -> FrameIndex:
        """Index of the scalar coordinate."""
        ((name, variable),) = variables.items()
        return cls(name, variable)

    @classmethod
    def concat(
        cls, indexes: Sequence[FrameIndex], dim: Hashable, positions: Iterable[Iterable[int]] | None = None
    ) -> FrameIndex:
        """One frame for all parts, or `xr.AlignmentError`."""
        for other in indexes[1:]:
            indexes[0]._check(other)
        return indexes[0]

    def create_variables(
        self, variables: Mapping[Any, xr.Variable] | None = None
    ) -> dict[Hashable, xr.Variable]:
        """The scalar, with its attributes; a new one each time, for xarray writes into the attributes of what it is given."""
        return {self.name: _own(self.variable)}

    def to_pandas_index(self) -> pd.Index[Any]:
        """One label; xarray asks for it when it lists the indexes of an object."""
        return pd.Index([self.uid], name=str(self.name))

    @property
    def uid(self) -> str:
        """Frame of Reference UID (0020,0052), or ``unknown:<Series Instance UID>``."""
        return str(self.variable.values)

    @property
    def direction(self) -> FloatArray:
        """Shape ``(9,)``, row-major: the columns of the matrix are the LPS basis vectors of slice, row, column."""
        return np.asarray(self.variable.attrs["direction"], dtype=np.float64)

    def _check(self, other: FrameIndex) -> None:
        check_frames((self.uid, self.direction), (other.uid, other.direction), "the axes")

    def equals(self, other: xr.Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Same UID and same direction."""
        return (
            isinstance(other, FrameIndex)
            and self.uid == other.uid
            and float(np.max(np.abs(self.direction - other.direction))) <= BASIS_TOLERANCE
        )

    def join(self, other: FrameIndex, how: str = "inner") -> FrameIndex:
        """The one frame of both, or `xr.AlignmentError` with the reason."""
        self._check(other)
        return self

    def reindex_like(
        self, other: FrameIndex, method: str | None = None, tolerance: float | None = None
    ) -> dict[Hashable, Any]:
        """Nothing to reindex; checks that the frames agree."""
        self._check(other)
        return {}

    def isel(self, indexers: Mapping[Any, Any]) -> FrameIndex:
        """The frame does not change when voxels are picked."""
        return self

    def rename(self, name_dict: Mapping[Any, Hashable], dims_dict: Mapping[Any, Hashable]) -> FrameIndex:
        """Follow a renamed coordinate."""
        return FrameIndex(name_dict.get(self.name, self.name), self.variable)

    def _repr_inline_(self, max_width: int) -> str:
        return f"FrameIndex({self.uid})"[:max_width]

    def __repr__(self) -> str:
        return f"FrameIndex({self.uid!r}, direction={np.round(self.direction, 6).tolist()})"


def check_picked(label: xr.DataArray, mine: tuple[str, FloatArray], column: int | None, axis: str) -> None:
    """Raise `xr.AlignmentError` where a number comes from an axis of another frame or direction.

    A number picked from an axis has no guard of its own any more, only that of its frame; in a dataset of volumes that have
    dims of their own, it has those of the others, too.
    """
    refused = None
    for index in label.xindexes.values():
        if not isinstance(index, FrameIndex):
            continue
        theirs = mine[1] if column is None else index.direction.reshape(3, 3)[:, column]
        try:
            return check_frames(mine, (index.uid, theirs), axis)
        except xr.AlignmentError as problem:
            refused = refused or problem
    if refused:
        raise refused


def _own(variable: xr.Variable) -> xr.Variable:
    """A copy whose attributes are its own, down to the nine numbers."""
    own = variable.copy(deep=False)
    own.attrs = deepcopy(dict(variable.attrs))
    return own
