"""What lies between drawn slices: `between_slices`, and `fill_between` for plain arrays."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError
from dicomlab.geometry import AXES, Geometry
from dicomlab.masks import check_mask
from dicomlab.segment.connected import labelled
from dicomlab.segment.steps import Array, Bools, alike, each_step, lengths, numbers, upright

__all__ = ["between_slices", "fill_between"]


def between_slices(mask: xr.DataArray, *, axis: str | None = None) -> xr.DataArray:
    """The mask with what lies between its drawn slices filled, by their shapes.

    Of each two neighbouring slices on which a label is drawn, the distance to its outline is interpolated (Raya and Udupa
    1990); shapes of one piece, and those that do not overlap, move along the line between their centres. What was drawn stays,
    and labels take no voxel of one another. Nothing is made beyond the outer slices.

    Parameters
    ----------
    mask
        Any mask; each step of further axes by itself. Slices may be uneven.
    axis
        ``"slice"``, ``"row"`` or ``"column"``: along which the drawn planes follow one another. None finds it for each
        label: the axis along which most planes between the first and the last are empty; with none it stays as it is.

    Raises
    ------
    DicomLabError, GeometryError
        The axis is unknown, or rows or columns are uneven.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume, segment
    >>> drawn = np.zeros((5, 9, 9), bool)
    >>> drawn[0, 3:6, 3:6] = drawn[4, 1:8, 1:8] = True
    >>> mask = make_volume(drawn, affine=np.eye(4)[[2, 1, 0, 3]])
    >>> segment.between_slices(mask).sum(("row", "column")).values
    array([ 9,  9, 25, 25, 49])
    """
    if axis is not None and axis not in AXES:
        raise DicomLabError(f"axis= is slice, row or column, found {axis!r}")
    geometry = Geometry.from_volume(mask)
    known = lengths(_square(mask), "between_slices", uneven=True)
    positions = [np.sort(x) for x in geometry.positions]
    form = check_mask(mask)

    def work(values: Array) -> Array:
        source = values if form == "labels" else upright(values)
        which = None if axis is None else AXES.index(axis)
        return _filled(source, which, positions, known.spacing)

    return alike(mask, each_step(mask, work, dtype=mask.dtype if form == "labels" else np.bool_))


def _square(mask: xr.DataArray) -> xr.DataArray:
    """Only planes count here, so a tilt does not: of one slice nobody asks."""
    return mask.isel(slice=slice(0, 1)) if "slice" in mask.dims else mask


def fill_between(
    values: Array,
    axis: int,
    positions: npt.ArrayLike | None = None,
    spacing: tuple[float, float] = (1.0, 1.0),
) -> Array:
    """An array with what lies between its drawn planes filled, by their shapes: `between_slices` for plain numpy arrays.

    Parameters
    ----------
    values
        bool or labels, three axes.
    axis
        Along which drawn planes follow one another.
    positions
        mm of each plane along it, rising; None for even ones.
    spacing
        mm between voxels along the other two axes.
    """
    values = np.asarray(values)
    if values.ndim != 3 or values.dtype.kind not in "biu" or axis not in (0, 1, 2, -1, -2, -3):
        raise DicomLabError(
            f"three axes of bool or labels were asked for, and one of them; found {values.dtype} of shape {values.shape}, "
            f"axis={axis}"
        )
    along = (
        np.arange(values.shape[axis], dtype=np.float64)
        if positions is None
        else np.asarray(positions, np.float64)
    )
    if along.shape != (values.shape[axis],) or not (np.diff(along) > 0).all():
        raise DicomLabError(f"positions are rising mm of each of the {values.shape[axis]} planes")
    moved = np.moveaxis(values, axis, 0)
    out = moved.copy()
    for value in [1] if values.dtype == np.bool_ else numbers(values):
        _fill(out, moved, value, along, spacing)
    return np.ascontiguousarray(np.moveaxis(out, 0, axis))


def _filled(
    values: Array,
    axis: int | None,
    positions: list[npt.NDArray[np.float64]],
    spacing: tuple[float, float, float],
) -> Array:
    out = values.copy()
    for value in [1] if values.dtype == np.bool_ else numbers(values):
        which = _gappy(values == value) if axis is None else axis
        if which is not None:
            across = (*spacing[:which], *spacing[which + 1 :])
            target, source = np.moveaxis(out, which, 0), np.moveaxis(values, which, 0)
            _fill(target, source, value, positions[which], (across[0], across[1]))
    return out


def _gappy(here: Bools) -> int | None:
    """The axis along which the largest part of the planes between the first and the last are empty."""
    best, found = 0.0, None
    for axis in range(3):
        held = np.flatnonzero(here.any(axis=tuple(k for k in range(3) if k != axis)))
        if held.size > 1:
            empty = 1 - held.size / (held[-1] - held[0] + 1)
            if empty > best:
                best, found = empty, axis
    return found


def _fill(
    target: Array, source: Array, value: int, along: npt.NDArray[np.float64], spacing: tuple[float, float]
) -> None:
    """Fill one label between the planes (first axis) that have it; only voxels of `target` that are free."""
    held = np.flatnonzero((source == value).any(axis=(1, 2)))
    for a, b in pairwise(held):
        if b - a < 2:
            continue
        low, high = source[a] == value, source[b] == value
        rows, columns = (np.flatnonzero((low | high).any(axis=k)) for k in (1, 0))
        box = slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)
        between = _Between(low[box], high[box], spacing)
        for k in range(a + 1, b):
            part = target[k][box]
            part[between.at((along[k] - along[a]) / (along[b] - along[a])) & (part == 0)] = value


class _Between:
    """Shapes between two: the interpolated signed distance to their outlines."""

    def __init__(self, low: Bools, high: Bools, spacing: tuple[float, float]) -> None:
        self._shift = np.zeros(2)
        if not (low & high).any() or (_is_one(low) and _is_one(high)):
            # Apart, they would shrink to nothing in the middle; one piece each, they are one thing that leans.
            self._shift = np.argwhere(high).mean(axis=0) - np.argwhere(low).mean(axis=0)
        # Room around, so that both outlines have an outside, also when moved.
        more = [int(np.ceil(abs(s))) + 1 for s in self._shift]
        self._room = tuple(slice(m, m + n) for m, n in zip(more, low.shape, strict=True))
        pad = [(m, m) for m in more]
        self._low, self._high = (_signed(np.pad(one, pad), spacing) for one in (low, high))

    def at(self, weight: float) -> Bools:
        """The shape so far (0 to 1) from the first to the second."""
        low = _moved(self._low, weight * self._shift)
        high = _moved(self._high, (weight - 1) * self._shift)
        found: Bools = ((1 - weight) * low + weight * high)[self._room] < 0
        return found


def _moved(values: Array, by: npt.NDArray[np.float64]) -> Array:
    if not by.any():
        return values
    from scipy.ndimage import shift

    found: Array = shift(values, by, order=1, mode="nearest")
    return found


def _signed(shape: Bools, spacing: tuple[float, float]) -> npt.NDArray[np.float32]:
    """mm to the outline, negative inside; the outline lies half a voxel from the centres on both of its sides."""
    import edt

    half = np.float32(min(spacing) / 2)
    outside, inside = edt.edt(~shape, anisotropy=spacing), edt.edt(shape, anisotropy=spacing)
    found: npt.NDArray[np.float32] = np.where(shape, half - inside, outside - half)
    return found


def _is_one(shape: Bools) -> bool:
    """Whether a shape is one piece."""
    return labelled(np.ascontiguousarray(shape[None]), 26)[1] == 1
