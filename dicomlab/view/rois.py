"""The measurements of a viewer: as a table, as masks, as profiles."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, overload

import numpy as np
import xarray as xr

from dicomlab import html
from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.regrid import profile
from dicomlab.view.grid import Grid
from dicomlab.view.measured import AREAS, Statistics, Voxels, statistics, voxel_at, voxels_inside
from dicomlab.view.plane import Vector
from dicomlab.view.roi import Roi
from dicomlab.view.source import Source
from dicomlab.volumes import make_volume

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Rois"]


class Rois(Sequence[Roi]):
    """The measurements of a viewer: a sequence that never changes; set ``browser.rois`` anew to change them.

    Numbers are those of the volume that is looked at, the first of several, at the step that is shown; `of` has those of
    another.

    Parameters
    ----------
    rois
        The measurements.
    looked
        Gives the volume and its grid as they are looked at.
    """

    def __init__(self, rois: Iterable[Roi], looked: Callable[[], tuple[xr.DataArray, Grid]]) -> None:
        self._rois = tuple(_named_apart(rois))
        self._looked = looked

    def __len__(self) -> int:
        return len(self._rois)

    def __iter__(self) -> Iterator[Roi]:
        return iter(self._rois)

    @overload
    def __getitem__(self, index: int) -> Roi: ...
    @overload
    def __getitem__(self, index: slice) -> Rois: ...
    def __getitem__(self, index: int | slice) -> Roi | Rois:
        if isinstance(index, slice):
            return Rois(self._rois[index], self._looked)
        return self._rois[index]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return list(self._rois) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __add__(self, more: Iterable[Roi]) -> Rois:
        return Rois((*self._rois, *more), self._looked)

    @property
    def frame_of_reference(self) -> str:
        """Frame of Reference UID of the points."""
        return self._looked()[1].geometry.frame_of_reference

    def of(self, volume: xr.DataArray) -> Rois:
        """The same measurements in the values and voxels of another volume: ``browser.rois.of(pet).table``.

        Parameters
        ----------
        volume
            Dims slice, row, column, in the frame of reference of the volume that is looked at; its grid may be any.

        Raises
        ------
        GeometryError
            This is no such volume.
        """
        looked = Source(volume)
        if len(self._rois):
            here = self._looked()[1].geometry.frame_of_reference
            found = looked.grid(0).geometry.frame_of_reference
            if here != found:
                raise GeometryError(
                    f"Measurements in the frame of reference {here or 'none'} were asked for in a volume of another one, "
                    f"{found or 'none'}: mm of the two have nothing in common. Bring the volume over by dicom.transform, or "
                    "say that they are one by dicom.assume_frame."
                )
        if looked.steps.names:
            raise GeometryError(
                f"Measurements are of one volume; this one has {', '.join(looked.steps.names)} too: choose one, by isel."
            )
        return Rois(self._rois, lambda: (volume, looked.grid(0)))

    def to_json(self) -> list[dict[str, Any]]:
        """Return what the page has to know, ready for JSON."""
        return [roi.to_json() for roi in self._rois]

    def voxels(self, which: int | str) -> Voxels:
        """Indices (slice, row, column), each of shape (n,), of the voxels inside an area, or of that under a point.

        Their centres, seen along the normal of the area, lie inside; they are the voxels that its plane goes through:
        on a plane of the images those of one slice.

        Parameters
        ----------
        which
            A number, or a label that only one measurement has.

        Raises
        ------
        DicomLabError
            There is no such measurement, or it has no area.
        """
        return _voxels(self._one(which), self._looked()[1])

    def mask(self, which: int | str) -> xr.DataArray:
        """A boolean volume on the grid of the volume, True where `voxels` are.

        Raises
        ------
        DicomLabError
            There is no such measurement, or it has no area.
        """
        roi = self._one(which)
        return self._mask([roi], roi.label or roi.kind)

    def to_mask(self) -> xr.DataArray:
        """A boolean volume on the grid of the volume, True inside any of the areas.

        Raises
        ------
        DicomLabError
            None of the measurements has an area.
        """
        areas = [roi for roi in self._rois if roi.kind in AREAS]
        if not areas:
            raise DicomLabError(
                f"A mask is made of {', '.join(AREAS)}; found {', '.join(sorted({one.kind for one in self})) or 'none'}."
            )
        return self._mask(areas, "measured areas")

    def _mask(self, rois: Iterable[Roi], name: str) -> xr.DataArray:
        _, grid = self._looked()
        values = np.zeros(grid.shape, dtype=bool)
        for roi in rois:
            values[_voxels(roi, grid)] = True
        return make_volume(values, geometry=grid.geometry, attrs={"SeriesDescription": name})

    def statistics(self, which: int | str) -> Statistics:
        """Statistics of the voxels inside an area, or of that under a point.

        Raises
        ------
        DicomLabError
            There is no such measurement, or it has no area.
        """
        return _statistics(self._one(which), self._looked()[1])

    def profile(self, which: int | str, *, step: float | None = None) -> xr.DataArray:
        """Values along a profile or ruler, by ``distance`` in mm from its first point, as ``volume.dicom.profile``.

        Parameters
        ----------
        which
            A number, or a label that only one measurement has.
        step
            mm between values; None for steps no longer than the finest spacing.

        Raises
        ------
        DicomLabError
            There is no such measurement, or it is no line.
        """
        roi = self._one(which)
        if roi.length is None:
            raise DicomLabError(
                f"Values along a line were asked for, of a profile or ruler; found one of kind {roi.kind}."
            )
        return profile(self._looked()[0], roi.points[0], roi.points[1], step=step)

    @property
    def table(self) -> pd.DataFrame:
        """One row for each measurement; what a kind does not have is missing.

        Columns: ``label, kind``; ``length_mm, angle_deg, area_mm2``; of the voxels inside (`voxels`) ``n, mean, sd, min, max``
        and ``units``; ``x, y, z``, the mean of the points in LPS mm.
        """
        import pandas as pd

        if not self._rois:
            return pd.DataFrame(columns=_COLUMNS)
        grid = self._looked()[1]
        made = pd.DataFrame([_row(roi, grid) for roi in self._rois], columns=_COLUMNS)
        floats = [*_COLUMNS[2:5], *_COLUMNS[6:10], *_COLUMNS[11:]]
        return made.astype({"n": "Int64", **dict.fromkeys(floats, "float64")})

    def _one(self, which: int | str) -> Roi:
        if isinstance(which, str):
            found = [roi for roi in self._rois if roi.label == which]
            if len(found) != 1:
                labels = ", ".join(sorted({repr(roi.label) for roi in self._rois if roi.label})) or "none"
                raise DicomLabError(
                    f"The measurement with the label {which!r} was asked for; {len(found)} have it. Labels: {labels}."
                )
            return found[0]
        if not -len(self) <= which < len(self):
            raise DicomLabError(f"Measurement {which} was asked for; there are {len(self)}, counted from 0.")
        return self._rois[which]

    def __repr__(self) -> str:
        if not self._rois:
            return "<Rois: none>"
        return "<Rois\n" + "\n".join(f"  {n} {_words(roi)}" for n, roi in enumerate(self._rois)) + ">"

    def _repr_html_(self) -> str:
        if not self._rois:
            return html.block(html.Markup("<div class='soft'>No measurements.</div>"))
        grid = self._looked()[1]
        unit = str(grid.attrs.get("units") or "")
        rows = []
        for number, roi in enumerate(self._rois):
            row = _row(roi, grid)
            dot_ = html.Markup(f'<span style="color:{roi.colour}">●</span>')
            size = _size(roi)
            numbers = [_short(row[name]) for name in ("mean", "sd", "min", "max")]
            count = "" if row["n"] is None else str(row["n"])
            rows.append([number, dot_, roi.label, roi.kind, size, count, *numbers, _place(roi.centre)])
        within = f" in {unit}" if unit else ""
        heads = ["", "", "label", "kind", "size", "n", f"mean{within}", "sd", "min", "max", "centre, LPS mm"]
        classes = ["n", "", "", "", "n", "n", "n", "n", "n", "n", ""]
        return html.block(html.table(heads, rows, classes))


_COLUMNS = [
    "label",
    "kind",
    "length_mm",
    "angle_deg",
    "area_mm2",
    "n",
    "mean",
    "sd",
    "min",
    "max",
    "units",
    "x",
    "y",
    "z",
]


def _row(roi: Roi, grid: Grid) -> dict[str, Any]:
    measured = roi.kind in (*AREAS, "probe")
    found = _statistics(roi, grid) if measured else None
    x, y, z = roi.centre
    return {
        "label": roi.label,
        "kind": roi.kind,
        "length_mm": roi.length,
        "angle_deg": roi.angle,
        "area_mm2": roi.area,
        "n": found and found.n,
        "mean": found and found.mean,
        "sd": found and found.sd,
        "min": found and found.min,
        "max": found and found.max,
        "units": str(grid.attrs.get("units") or "") if found else "",
        "x": x,
        "y": y,
        "z": z,
    }


def _named_apart(rois: Iterable[Roi]) -> Iterator[Roi]:
    """The measurements; one that was made of another by `dataclasses.replace` gets an id of its own."""
    seen: set[str] = set()
    for roi in rois:
        if not isinstance(roi, Roi):
            raise DicomLabError(
                f"Measurements are a list of Roi, for instance [Roi('ruler', [(0, 0, 0), (10, 0, 0)])]; found {roi!r} in it."
            )
        one = replace(roi, id="") if roi.id in seen else roi
        seen.add(one.id)
        yield one


def _voxels(roi: Roi, grid: Grid) -> Voxels:
    if roi.kind in AREAS and roi.normal is not None:
        return voxels_inside(roi.kind, roi.points, roi.normal, grid)
    if roi.kind == "probe":
        voxel = voxel_at(roi.points[0], grid)
        s, r, c = (np.array([] if voxel is None else [k], dtype=np.intp) for k in voxel or (0, 0, 0))
        return s, r, c
    raise DicomLabError(f"Voxels inside {', '.join(AREAS)} were asked for; {roi.kind} has no area.")


def _statistics(roi: Roi, grid: Grid) -> Statistics:
    s, r, c = _voxels(roi, grid)
    if s.size == 0:
        return statistics(np.empty(0))
    # Of a lazy volume only the slices that are touched are read.
    first = int(s.min())
    block = np.asarray(grid.values.isel(slice=slice(first, int(s.max()) + 1)).values)
    return statistics(block[s - first, r, c])


def _short(value: float | None) -> str:
    return "" if value is None or math.isnan(value) else f"{value:.5g}"


def _place(point: Vector) -> str:
    return "(" + ", ".join(f"{x + 0.0:.1f}" for x in point) + ")"


def _size(roi: Roi) -> str:
    if roi.length is not None:
        return f"{roi.length:.1f} mm"
    if roi.angle is not None:
        return f"{roi.angle:.1f}°"
    return "" if roi.area is None else f"{roi.area:.1f} mm²"


def _words(roi: Roi) -> str:
    return " ".join(
        part
        for part in (roi.kind, repr(roi.label) if roi.label else "", _size(roi), "at", _place(roi.centre))
        if part
    )
