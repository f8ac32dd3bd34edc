"""The guards: xarray indexes that know in which patient frame, and along which direction, their millimetres count.

xarray aligns by labels alone: two volumes whose ``slice`` coordinates happen to hold equal numbers would be added although
one is axial and the other coronal. `AxisIndex` and `FrameIndex` refuse that, and say which of *frame of reference*,
*orientation* or *positions* differs, by how much, and what to do. See ``docs/conventions.md``.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
import xarray as xr
from xarray.core.indexing import (
    IndexSelResult,
)  # no public name for it; CoordinateTransformIndex does the same
from xarray.indexes import PandasIndex

from dicomlab.affine import evenness_tolerance, unevenness
from dicomlab.errors import GeometryError
from dicomlab.frames import BASIS_TOLERANCE, RESAMPLE, FrameIndex, check_frames, check_picked, refusal

__all__ = ["STEP", "STEP_AT", "AxisIndex", "check_guards", "position_tolerance"]

FloatArray = npt.NDArray[np.float64]

_COLUMNS: dict[Hashable, int] = {"slice": 0, "row": 1, "column": 2}  # of the direction matrix

_PICK = "isel() picks by number, drop_duplicates({!r}) keeps the first of each."

STEP, STEP_AT = "step", "step_at"
"""Attributes of a coordinate of one position: mm to the next one in the grid that it was cut from, signed; and that position,
for attributes stay where a coordinate is given other values.
"""


def position_tolerance(positions: npt.ArrayLike) -> float:
    """How far (mm) two positions may lie apart and still be one: 0.01 mm, or 1 % of the step where that is less."""
    values = np.asarray(positions, dtype=np.float64)
    if values.size < 2:
        return 0.01
    return float(min(0.01, 0.01 * np.median(np.abs(np.diff(values)))))


def check_guards(indexes: Mapping[Any, xr.Index], uid: str, direction: FloatArray) -> None:
    """Raise `GeometryError` unless the guards that are there mean what frame of reference and direction matrix say."""
    for name, index in indexes.items():
        if isinstance(index, FrameIndex):
            frame, theirs, meant = index.uid, index.direction, direction.ravel()
        elif isinstance(index, AxisIndex):
            frame, theirs, meant = index.frame, np.array(index.basis), direction[:, _COLUMNS[name]]
        else:
            continue
        if frame != uid or float(np.max(np.abs(theirs - meant))) > 2 * BASIS_TOLERANCE:
            raise GeometryError(
                f"nobody knows where these voxels are: the guard of {name} says {np.round(theirs, 4).tolist()} in {frame}, the "
                f"frame of reference {np.round(meant, 4).tolist()} in {uid} (LPS). An axis was renamed or is that of another "
                "volume; transpose() changes the order of axes, dicom.transform() and assume_frame() another frame."
            )


def _span(positions: FloatArray) -> str:
    return f"{positions.min():.3f} to {positions.max():.3f} mm" if positions.size else "no position at all"


class AxisIndex(PandasIndex):
    """Positions (mm) along one axis of a volume, with the frame and the LPS basis vector that give them a meaning.

    Parameters
    ----------
    array
        Positions in mm, shape ``(n,)``.
    dim
        The dimension: ``"slice"``, ``"row"`` or ``"column"`` unless renamed.
    frame
        Frame of Reference UID (0020,0052).
    basis
        LPS vector, shape ``(3,)``, by which one millimetre of this axis moves a point.
    lone_step
        For an axis of one position: mm to the next one in the grid that it was cut from, signed; NaN when nobody knows.
    """

    __slots__ = ("basis", "frame", "lone_step")

    def __init__(
        self,
        array: Any,
        dim: Hashable,
        coord_dtype: Any = None,
        *,
        frame: str,
        basis: Iterable[float],
        lone_step: float = float("nan"),
        fastpath: bool = False,
    ) -> None:
        super().__init__(array, dim, coord_dtype, fastpath=fastpath)
        self.frame = frame
        self.basis = tuple(float(x) for x in basis)
        self.lone_step = float(lone_step)

    # -- construction -------------------------------------------------------------------------------------------------

    def _like(self, index: Any, dim: Hashable | None = None, coord_dtype: Any = None) -> AxisIndex:
        return AxisIndex(
            index,
            self.dim if dim is None else dim,
            self.coord_dtype if coord_dtype is None else coord_dtype,
            frame=self.frame,
            basis=self.basis,
            lone_step=self.step,
            fastpath=True,
        )

    def create_variables(self, variables: Mapping[Any, xr.Variable] | None = None) -> dict[Any, xr.Variable]:
        """The coordinate; that of a lone position has its step among the attributes, for files know no index."""
        made = dict(super().create_variables(variables))
        for variable in made.values():
            for name in (STEP, STEP_AT):
                variable.attrs.pop(name, None)
            if self.index.size == 1 and not math.isnan(self.lone_step):
                variable.attrs |= {STEP: self.lone_step, STEP_AT: float(self.index[0])}
        return made

    # xarray calls this wherever it makes a changed copy (isel, roll, rename, copy).
    _replace = _like

    @classmethod
    def from_variables(cls, variables: Mapping[Any, xr.Variable], *, options: Mapping[str, Any]) -> AxisIndex:
        """Index of a 1-D coordinate; `options` must hold ``frame`` and ``basis``."""
        plain = PandasIndex.from_variables(variables, options={})
        return cls(plain.index, plain.dim, plain.coord_dtype, frame=options["frame"], basis=options["basis"])

    @classmethod
    def concat(
        cls, indexes: Sequence[AxisIndex], dim: Hashable, positions: Iterable[Iterable[int]] | None = None
    ) -> AxisIndex:
        """Join end to end; the parts must share frame and direction."""
        first = indexes[0]
        for other in indexes[1:]:
            first._check_frame(other)
        return first._like(cls._concat_indexes(indexes, dim, positions), dim)

    # -- comparing ----------------------------------------------------------------------------------------------------

    @property
    def positions(self) -> FloatArray:
        """The positions in mm, shape ``(n,)``."""
        return cast(FloatArray, self.index.to_numpy(dtype=np.float64))

    @property
    def step(self) -> float:
        """Signed mm from one position to the next; NaN when they are uneven, all one, or nobody knows."""
        positions = self.positions
        if positions.size < 2:
            return self.lone_step
        if unevenness(positions) > evenness_tolerance(positions):
            return float("nan")
        # One slice picked twice is two positions 0 mm apart, which says nothing about the grid.
        return float(positions[-1] - positions[0]) / (positions.size - 1) or float("nan")

    def _check_frame(self, other: AxisIndex) -> None:
        check_frames((self.frame, np.array(self.basis)), (other.frame, np.array(other.basis)), str(self.dim))

    def equals(self, other: xr.Index, *, exclude: frozenset[Hashable] | None = None) -> bool:
        """Same frame, direction and positions within `position_tolerance`."""
        if not isinstance(other, AxisIndex) or self.dim != other.dim or self.frame != other.frame:
            return False
        if np.max(np.abs(np.subtract(self.basis, other.basis))) > BASIS_TOLERANCE:
            return False
        mine, theirs = self.positions, other.positions
        return mine.size == theirs.size and bool(
            np.all(np.abs(mine - theirs) <= min(position_tolerance(mine), position_tolerance(theirs)))
        )

    def _find(self, positions: FloatArray, tolerance: float) -> npt.NDArray[np.intp]:
        """Index of each of `positions` on this axis, -1 where none lies within `tolerance` mm."""
        mine = self.positions
        if mine.size == 0 or positions.size == 0:
            return np.full(positions.shape, -1, dtype=np.intp)
        order = np.argsort(mine, kind="stable")
        ordered = mine[order]
        right = np.clip(np.searchsorted(ordered, positions), 0, mine.size - 1)
        left = np.maximum(right - 1, 0)
        nearest = np.where(
            np.abs(ordered[left] - positions) <= np.abs(ordered[right] - positions), left, right
        )
        found = order[nearest]
        return np.where(np.abs(mine[found] - positions) <= tolerance, found, -1)

    def join(self, other: AxisIndex, how: str = "inner") -> AxisIndex:
        """Common (``inner``) or united (``outer``) positions of two crops or strides of **one** grid.

        Raises
        ------
        xr.AlignmentError
            The two are not parts of one grid, or an inner join would leave nothing.
        """
        in_theirs, in_mine = self._check_one_grid(other)
        self._check_each_once()
        other._check_each_once()
        mine, theirs = self.positions, other.positions
        if how == "inner":
            if not in_theirs.any():
                raise refusal(
                    f"positions along {self.dim}",
                    f"{_span(mine)} and {_span(theirs)} have no position in common",
                    "Pick overlapping parts, or unite them with join='outer'.",
                )
            return self._like(self.index[in_theirs])
        united = np.concatenate([mine, theirs[~in_mine]])
        united.sort()
        if mine.size > 1 and mine[0] > mine[-1]:
            united = united[::-1]
        return self._like(pd.Index(united, name=self.index.name))

    def _check_one_grid(self, other: AxisIndex) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
        """Which of my positions are theirs and which of theirs are mine; raises unless both are parts of one grid."""
        self._check_frame(other)
        mine, theirs = self.positions, other.positions
        tolerance = min(position_tolerance(mine), position_tolerance(theirs))
        in_theirs, in_mine = other._find(mine, tolerance) >= 0, self._find(theirs, tolerance) >= 0
        if mine.size and theirs.size:
            low, high = max(mine.min(), theirs.min()) - tolerance, min(mine.max(), theirs.max()) + tolerance
            # A crop or a stride of one grid: where both reach, all positions of one are positions of the other.
            nested = bool(np.all(in_theirs[(mine >= low) & (mine <= high)])) or bool(
                np.all(in_mine[(theirs >= low) & (theirs <= high)])
            )
            if not nested:
                raise refusal(f"positions along {self.dim}", self._mismatch(other), RESAMPLE)
        return in_theirs, in_mine

    def _repeated(self) -> npt.NDArray[np.bool_]:
        """Which positions are there more than once, so that nobody knows which of their voxels is meant."""
        ordered = np.sort(self.positions)
        again = np.flatnonzero(np.diff(ordered) <= position_tolerance(self.positions))
        return np.isin(self.positions, ordered[np.concatenate([again, again + 1])])

    def _check_each_once(self) -> None:
        if (repeated := self._repeated()).any():
            raise refusal(
                f"positions along {self.dim}",
                f"{int(repeated.sum())} of {repeated.size} are not there once only, {self.positions[repeated][0]:g} mm for "
                "instance, so nobody knows which of their voxels meets the one of the other",
                _PICK.format(self.dim),
            )

    def _mismatch(self, other: AxisIndex) -> str:
        mine, theirs = self.positions, other.positions

        def describe(values: FloatArray) -> str:
            step = f", step {np.median(np.abs(np.diff(values))):.4g} mm" if values.size > 1 else ""
            return f"{values.size} positions from {_span(values)}{step}"

        text = f"{describe(mine)} against {describe(theirs)}"
        if mine.size == theirs.size:
            text += f"; up to {np.max(np.abs(np.sort(mine) - np.sort(theirs))):.3g} mm apart"
        return text

    def reindex_like(
        self, other: PandasIndex, method: str | None = None, tolerance: float | None = None
    ) -> dict[Hashable, Any]:
        """Where the positions of `other` are on this axis; checks the frame, matches within the tolerance.

        With ``method="nearest"`` positions outside the volume match nothing, as in `sel`, instead of its outer voxels.
        """
        if not isinstance(other, AxisIndex):
            return dict(super().reindex_like(cast(Any, other), method, tolerance))
        self._check_frame(other)
        self._check_each_once()
        if method not in (None, "nearest"):
            return dict(super().reindex_like(cast(Any, other), method, tolerance))
        if method == "nearest" and tolerance is None:
            return {self.dim: self._nearest(other.positions)}
        if method is None:
            self._check_one_grid(other)
        if tolerance is None:
            tolerance = min(position_tolerance(self.positions), position_tolerance(other.positions))
        return {self.dim: self._find(other.positions, tolerance)}

    # -- selecting ----------------------------------------------------------------------------------------------------

    def sel(
        self, labels: dict[Any, Any], method: str | None = None, tolerance: float | None = None
    ) -> IndexSelResult:
        """Select by mm. Bounds of a slice may come in either order and work on flipped axes.

        Raises
        ------
        KeyError
            A point lies outside the volume (more than half a step beyond the outer voxel centres), matches no position
            (without ``method="nearest"``), or a slice holds no position.
        xr.AlignmentError
            The label is the coordinate of a volume in another frame of reference or orientation.
        """
        ((name, label),) = labels.items()
        if isinstance(label, xr.DataArray):
            self._check_label(label)
        positions = self.positions
        if isinstance(label, slice):
            return IndexSelResult({self.dim: self._sel_slice(label, name)})
        if method not in (None, "nearest"):
            return super().sel(labels, method=method, tolerance=tolerance)
        wanted = np.asarray(getattr(label, "values", label))
        if wanted.dtype.kind not in "iuf":
            return super().sel(labels)
        wanted = wanted.astype(np.float64)
        if method == "nearest" and tolerance is None:
            found = self._nearest(wanted.ravel()).reshape(wanted.shape)
        else:
            allowed = position_tolerance(positions) if tolerance is None else tolerance
            found = self._find(wanted.ravel(), allowed).reshape(wanted.shape)
        if np.any(found < 0):
            missing = wanted[found < 0].ravel()[0]
            hint = (
                " method='nearest' reaches half a step beyond the outer ones, not further."
                if method
                else " method='nearest' takes the nearest position inside the volume."
            )
            raise KeyError(
                f"{name}={missing:g} mm is not a position of this volume, which reaches from {_span(positions)} "
                f"at {positions.size} positions.{hint}"
            )
        if np.any(twice := self._repeated()[found]):
            raise KeyError(f"several voxels lie at {name}={wanted[twice][0]:g} mm: {_PICK.format(self.dim)}")
        indexer: Any = found if found.ndim else int(found)
        if isinstance(label, xr.Variable):
            indexer = xr.Variable(label.dims, found)
        elif isinstance(label, xr.DataArray):
            indexer = xr.DataArray(found, coords=label.coords, dims=label.dims)
        return IndexSelResult({self.dim: indexer})

    def _check_label(self, label: xr.DataArray) -> None:
        """Millimetres that come from a volume must count in this frame and along this direction."""
        for index in label.xindexes.values():
            if isinstance(index, AxisIndex) and index.dim == self.dim:
                return self._check_frame(index)
        check_picked(label, (self.frame, np.array(self.basis)), _COLUMNS.get(label.name), str(self.dim))

    def _nearest(self, wanted: FloatArray) -> npt.NDArray[np.intp]:
        """Index of the nearest position, -1 for points more than half an outer step outside the volume."""
        ordered = np.sort(self.positions)
        if ordered.size < 2:
            known = not np.isnan(self.step)
            return self._find(wanted, 0.5 * abs(self.step) + 1e-9 if known else position_tolerance(ordered))
        low, high = 1.5 * ordered[0] - 0.5 * ordered[1], 1.5 * ordered[-1] - 0.5 * ordered[-2]
        return np.where((wanted >= low - 1e-9) & (wanted <= high + 1e-9), self._find(wanted, np.inf), -1)

    def _sel_slice(self, label: slice, name: Hashable) -> slice:
        positions = self.positions
        back = label.step is not None and label.step < 0
        for bound in (label.start, label.stop):
            if isinstance(bound, xr.DataArray):
                self._check_label(bound)
        bounds = [
            default if bound is None else float(bound)
            for bound, default in ((label.start, -np.inf), (label.stop, np.inf))
        ]
        if label.start is not None and label.stop is not None:
            bounds.sort()
        elif positions.size > 1 and (positions[0] > positions[-1]) != back:
            # Open ends follow the order of the axis: sel(slice=slice(10, None)) starts at 10 and goes on, or back.
            bounds = [
                -np.inf if label.stop is None else float(label.stop),
                np.inf if label.start is None else float(label.start),
            ]
        slack = position_tolerance(positions)
        inside = np.flatnonzero((positions >= bounds[0] - slack) & (positions <= bounds[1] + slack))
        if inside.size == 0:
            raise KeyError(
                f"no position of {name} lies between {bounds[0]:g} and {bounds[1]:g} mm; this volume reaches from "
                f"{_span(positions)}."
            )
        first, last = int(inside[0]), int(inside[-1])
        if inside.size != last - first + 1:
            raise KeyError(
                f"what lies between {bounds[0]:g} and {bounds[1]:g} mm does not follow one another, for {name} is not in "
                f"order: volume.sortby({str(name)!r}) first."
            )
        return (
            slice(last, first - 1 if first else None, label.step)
            if back
            else slice(first, last + 1, label.step)
        )

    def __repr__(self) -> str:
        # Printed where somebody looks at indexes, and in xarray's errors when a plain index meets this one: there it is the
        # only place that can say what to do.
        return (
            f"AxisIndex({self.index!r}, basis={self.basis}, frame={self.frame!r}) "
            f"[guarded by dicomlab: .dicom.restore() guards a plain result, too; sel({self.dim}=...) or reindex_like(other) "
            f"in place of reindex({self.dim}=[...])]"
        )
