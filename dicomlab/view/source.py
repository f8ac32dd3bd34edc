"""A volume with all its steps, as a viewer asks for it: slices of one step, and what the page has to know before the first."""

from __future__ import annotations

import hashlib
import math
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import AXES
from dicomlab.view.grid import Grid
from dicomlab.view.windows import findings_of, histogram, made_by, presets
from dicomlab.windowing import auto_window, shown_inverted

__all__ = ["Source", "Steps", "check_one_frame"]

_GAPS = 4
"""Gaps between slices that a finding points at."""

_KEPT = 8
"""Steps whose grids are kept: a lazy volume keeps its slices in them."""


class Steps:
    """The axes of a volume beyond slice, row and column: time, b-value, echo …

    Parameters
    ----------
    volume
        With further axes or without.
    """

    def __init__(self, volume: xr.DataArray) -> None:
        self.names = tuple(str(dim) for dim in volume.dims if dim not in AXES)
        self.sizes = tuple(int(volume.sizes[name]) for name in self.names)
        self.labels = tuple(self._labels(volume, name) for name in self.names)
        self.values = tuple(
            volume.coords[name].values if name in volume.coords else np.arange(volume.sizes[name])
            for name in self.names
        )
        self.units = tuple(
            str(volume.coords[name].attrs.get("units", "")) if name in volume.coords else ""
            for name in self.names
        )

    @staticmethod
    def _labels(volume: xr.DataArray, name: str) -> list[str]:
        if name not in volume.coords:
            return [str(k) for k in range(volume.sizes[name])]
        values = volume.coords[name].values
        if values.dtype.kind == "M":
            unit = "s" if (values == values.astype("datetime64[s]")).all() else "ms"
            return [str(text) for text in np.datetime_as_string(values.astype(f"datetime64[{unit}]"))]
        if values.dtype.kind == "m":
            return [f"{seconds:.12g} s" for seconds in values / np.timedelta64(1, "s")]
        # As many digits as the type holds for certain: two moments of a long time must not look like one.
        digits = 12 if values.dtype.itemsize > 4 else 7
        return [
            f"{value:.{digits}g}" if isinstance(value, float) else str(value) for value in values.tolist()
        ]

    def follow(self, first: Steps) -> list[list[int] | None]:
        """For each axis, which step goes with each of another volume's: the nearest by value; None without such an axis."""
        found: list[list[int] | None] = []
        for name, own in zip(self.names, self.values, strict=True):
            if name not in first.names:
                found.append(None)
                continue
            others = first.values[first.names.index(name)]
            texts = [str(one) for one in own]
            kinds = {own.dtype.kind, others.dtype.kind}
            if texts == [str(one) for one in others]:  # also where values come twice, or are no numbers
                found.append(list(range(len(own))))
            elif kinds <= set("iuf"):
                found.append(_nearest(own.astype(np.float64), others.astype(np.float64)))
            elif kinds in ({"m"}, {"M"}):
                found.append(_nearest(_seconds(own), _seconds(others)))
            else:
                found.append([texts.index(str(other)) if str(other) in texts else 0 for other in others])
        return found

    @property
    def count(self) -> int:
        """How many volumes there are."""
        return math.prod(self.sizes)

    def number(self, index: tuple[int, ...]) -> int:
        """The place of a step among all, in C order."""
        return int(np.ravel_multi_index(index, self.sizes)) if self.sizes else 0

    def index(self, number: int) -> tuple[int, ...]:
        """The indices along each axis of a step."""
        return tuple(int(k) for k in np.unravel_index(number, self.sizes)) if self.sizes else ()


def _nearest(own: npt.NDArray[np.float64], others: npt.NDArray[np.float64]) -> list[int]:
    """For each of the others the place of the nearest one; no number is near to what is none, which has the first."""
    apart = np.abs(own[:, None] - others)
    return [int(place) for place in np.argmin(np.where(np.isnan(apart), np.inf, apart), axis=0)]


def _seconds(moments: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Of durations, or of dates since 1970."""
    spans = moments - np.datetime64(0, "s") if moments.dtype.kind == "M" else moments
    return np.asarray(spans / np.timedelta64(1, "s"), dtype=np.float64)


class Source:
    """A volume that is looked at.

    Parameters
    ----------
    volume
        Dims slice, row, column, and further ones with labels.

    Raises
    ------
    GeometryError
        This is no volume, or it is in colour, or an axis is cut away.
    """

    def __init__(self, volume: xr.DataArray) -> None:
        # A new name each time, also of the same volume: its array may have been changed in between.
        self.key = uuid.uuid4().hex
        self.volume = volume
        if (
            not isinstance(volume, xr.DataArray)
            or "sample" in volume.dims
            or not set(AXES) & set(volume.dims)
        ):
            Grid.from_volume(volume)  # says what to do
        self.steps = Steps(volume)
        self._grids: OrderedDict[int, Grid] = OrderedDict()
        grid = self.grid(0)
        if grid.missing:
            cut = " and ".join(AXES[axis] for axis in grid.missing)
            raise GeometryError(
                f"A volume with dims slice, row, column was asked for; this one was cut along {cut}. Cut with a list "
                f"to keep the axis, volume.isel({AXES[grid.missing[0]]}=[0]), or use dicomlab.show for one picture."
            )

    def grid(self, number: int) -> Grid:
        """The volume of one step."""
        found = self._grids.get(number)
        if found is None:
            volume = self.volume
            if self.steps.names:
                volume = volume.isel(dict(zip(self.steps.names, self.steps.index(number), strict=True)))
            found = self._grids[number] = Grid.from_volume(volume)
            while len(self._grids) > _KEPT:
                self._grids.popitem(last=False)
        self._grids.move_to_end(number)
        return found

    @property
    def count(self) -> int:
        """How many steps there are."""
        return self.steps.count

    def refresh(self) -> None:
        """Forget what was read."""
        self.key = uuid.uuid4().hex
        self._grids.clear()

    def slice(self, number: int, index: int) -> npt.NDArray[np.generic]:
        """One slice of one step, (rows, columns)."""
        values: npt.NDArray[np.generic] = self.grid(number).values.isel({AXES[0]: index}).values
        return values

    def describe(self, *, memory: int, mask: bool = False) -> dict[str, Any]:
        """What the page has to know (``SourceMeta`` in ``js/types.js``), ready for JSON; no voxel.

        A `mask` lies over pictures and has no window of its own.
        """
        grid = self.grid(0)
        seen = None if mask else grid.sample()
        whole = 2 * math.prod(grid.shape) * self.count <= memory
        steps = self.steps
        return {
            "key": self.key,
            "title": _title(grid.attrs),
            "units": str(grid.attrs.get("units") or ""),
            "integer": grid.values.dtype.kind in "biu",
            "smooth": not (mask or grid.is_mask),
            "findings": findings_of(grid.attrs),
            "places": [_slices_of(text, grid) for text in findings_of(grid.attrs)],
            "frame": _frame(grid),
            "axes": [_packed(line) for line in grid.axes],
            "direction": grid.direction.ravel().tolist(),
            "inverse": [x for row in grid.inverse for x in row],
            "ruler": [grid.ruler(axis) for axis in range(3)],
            "shape": list(grid.shape),
            "finest": grid.finest,
            # Of a lazy volume the page shows planes across the slices as far as these have come; all of them have to be read
            # first only where the page has no room for them.
            "reslice": not grid.lazy or (not whole and grid.cuts_across),
            "steps": [
                {"name": name.replace("_", " "), "units": units, "labels": labels}
                for name, units, labels in zip(steps.names, steps.units, steps.labels, strict=True)
            ],
            "presets": [] if seen is None else presets(grid.attrs, auto_window(seen)),
            "histogram": None if seen is None else histogram(seen),
            "made": made_by(grid.attrs),
            "invert": shown_inverted(grid.attrs),
        }


def _slices_of(finding: str, grid: Grid) -> list[int]:
    """Slices that a finding about gaps is about: those on both sides of the widest; none of any other finding."""
    if finding.partition(":")[0] not in ("missing_slice", "uneven_spacing"):
        return []
    gaps = np.abs(np.diff(grid.axes[0]))
    if gaps.size == 0 or not gaps.max() > 1.02 * gaps.min():
        return []  # even by now
    widest = sorted(np.argsort(-gaps, kind="stable")[:_GAPS].tolist())
    return sorted({k + side for k in widest if gaps[k] > 1.02 * gaps.min() for side in (0, 1)})


def _title(attrs: Mapping[str, Any]) -> str:
    """Return modality and series description, which often begins with the modality: once is enough."""
    modality, description = (str(attrs.get(name) or "").strip() for name in ("Modality", "SeriesDescription"))
    if description.casefold().split(" ")[0] == modality.casefold():
        return description
    return f"{modality} {description}".strip()


def _packed(line: npt.NDArray[np.float64]) -> dict[str, float | int] | list[float]:
    """Return positions as start, step and count where that is all there is to say, to a billionth of a step."""
    if line.size > 1:
        step = (line[-1] - line[0]) / (line.size - 1)
        if np.abs(line - (line[0] + step * np.arange(line.size))).max() <= 1e-9 * abs(step):
            return {"start": float(line[0]), "step": float(step), "count": int(line.size)}
    return [float(at) for at in line]


def _frame(grid: Grid) -> str:
    """Tells frames of reference apart on the page, where their UIDs have no business."""
    return hashlib.sha256(grid.geometry.frame_of_reference.encode()).hexdigest()[:12]


def check_one_frame(grids: Sequence[Grid], *, images: int | None = None) -> None:
    """Raise unless all volumes count mm in one patient frame; those from number `images` on are masks."""
    first = grids[0].geometry.frame_of_reference
    for number, other in enumerate(grids[1:], start=1):
        uid = other.geometry.frame_of_reference
        if uid != first:
            images = images or len(grids)
            what = f"Volume {number + 1}" if number < images else f"Mask {number - images + 1}"
            raise DicomLabError(
                f"{what} has another frame of reference than the first volume ({uid} against {first}): their millimetres "
                "mean different places, so nothing links them. Register them, then volume.dicom.transform(matrix, to=first); "
                "or volume.dicom.assume_frame(first), if you know that they are one."
            )
