"""`region_stats`: a table of what lies in each label of a mask."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.errors import DicomLabError, GeometryError
from dicomlab.geometry import Geometry
from dicomlab.masks import SEGMENT, check_grid, check_mask, labels_of, slice_volumes
from dicomlab.measure import shape
from dicomlab.measure.pieces import Piece, further_axes, grid_of, key_of, pieces, room_of, whole_step
from dicomlab.measure.surface import crofton_surface, mesh_surface
from dicomlab.measure.values import PEAK_RADIUS, peak, statistics
from dicomlab.warn import warn_user

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["region_stats"]


def region_stats(
    volume: xr.DataArray,
    mask: xr.DataArray,
    *,
    percentiles: Sequence[float] = (5, 25, 75, 95),
    surface: bool = True,
    mesh: bool = False,
    diameters: bool = True,
) -> pd.DataFrame:
    """One row a label: how large it is, where it lies in the patient, and what its values are.

    Parameters
    ----------
    volume
        Numbers with dims slice, row, column in any order, and further axes such as ``time``.
    mask
        False and True, whole numbers, or with a dim ``segment``, on the grid of the volume; fractions count from 0.5 on.
    percentiles
        0 to 100; linear between values.
    surface, mesh, diameters
        Which of the slower columns to make.

    Returns
    -------
    pandas.DataFrame
        Index ``label``, the name; with further axes ``label`` and their steps, a row for each. ``attrs["units"]`` is the
        unit of the values. A label without voxels has 0 voxels, 0 ml, and NaN elsewhere. Columns:

        - ``value``: number of the label.
        - ``voxels``, ``ml``: each voxel as large as it is; uneven slices reach half way to their neighbours.
        - ``nan``: how many of the voxels have no value; the next columns leave them out.
        - ``mean, sd, min, p5, p25, median, p75, p95, max, units``: each voxel counts once. ``sd`` divides by their number
          (ddof 0).
        - ``x, y, z``: centroid in LPS mm, each voxel counting as much as it is large. ``weighted_x, weighted_y,
          weighted_z``: also as much as its value; NaN where any value is below 0.
        - ``x0, x1, y0, y1, z0, z1``: what the voxels reach with their faces along x, y and z, LPS mm.
        - ``sphere_diameter_mm``: of the sphere that is as large.
        - ``axis_1_mm, axis_2_mm, axis_3_mm``: axes, longest first, of the solid ellipsoid with the same second moments of voxel
          centres. ``elongation`` = axis 2 / axis 1, ``flatness`` = axis 3 / axis 1 (1 for a ball).
        - ``surface_crofton_mm2``: by crossings of lines in 13 directions (`dicomlab.measure.surface.crofton_surface`);
          NaN, with a warning, where slices are uneven. ``sphericity``: surface of the sphere that is as large / this surface.
        - ``surface_mesh_mm2`` (``mesh=True``): of the mesh of marching cubes, 8 to 25 % too large, as it keeps the
          steps of the voxels.
        - ``diameter_axial_mm``: longest line within one slice; ``short_axis_axial_mm``: width across that line in its slice,
          between parallels to it. The names say ``coronal``, ``sagittal`` where slices are nearer to that plane.
        - ``diameter_3d_mm``: longest line in space. All three between voxel centres: 0 for a single voxel.
        - ``suv_peak``, ``tlg``, of an SUV only: highest mean of a sphere of 1 ml around any voxel of the label (IBSI 0F91,
          global intensity peak), and SUV × ml summed over its voxels (total lesion glycolysis).

    Raises
    ------
    GeometryError
        The mask lies on another grid (the message names the function that mends it), or positions repeat or are out of order.
    DicomLabError
        The mask is none, the values are no numbers, percentiles are none, or steps of further axes differ.

    Warns
    -----
    DicomLabWarning
        Slices are uneven, so that there is no surface by crossings.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume, region_stats
    >>> ct = make_volume(np.arange(24.0).reshape(2, 3, 4), affine=np.diag([2.0, 1, 1, 1])[[2, 1, 0, 3]], units="HU")
    >>> region_stats(ct, (ct > 19).rename("bone"))[["voxels", "ml", "mean", "units"]]
           voxels     ml  mean units
    label
    bone        4  0.008  21.5    HU
    """
    check_mask(mask)
    check_grid(mask, volume)
    _check_values(volume)
    for percent in percentiles:
        if not 0 <= percent <= 100:
            raise DicomLabError(f"percentiles lie between 0 and 100; found {percent!r}")
    measure = _Measure(volume, grid_of(volume), percentiles, surface=surface, mesh=mesh, diameters=diameters)
    return measure.table(mask)


def _check_values(volume: xr.DataArray) -> None:
    if volume.dtype.kind not in "biuf" or "sample" in volume.dims or SEGMENT in volume.dims:
        raise DicomLabError(
            f"statistics are of numbers, one a voxel; found {volume.dtype} along {volume.dims}. Of colour, "
            "complex numbers or segments take one part: volume.isel(sample=0), abs(volume)."
        )


class _Measure:
    """What is asked of a volume, and the rows that answer it."""

    def __init__(
        self,
        volume: xr.DataArray,
        geometry: Geometry,
        percentiles: Sequence[float],
        *,
        surface: bool,
        mesh: bool,
        diameters: bool,
    ) -> None:
        self.volume, self.geometry, self.percentiles = volume, geometry, tuple(percentiles)
        self.surface, self.mesh, self.diameters = surface, mesh, diameters
        self.mm3 = slice_volumes(geometry)
        self.units = str(volume.attrs.get("units", ""))
        self.lattice = _lattice(geometry) if surface else None

    def table(self, mask: xr.DataArray) -> pd.DataFrame:
        labels, further = list(labels_of(mask)), further_axes(self.volume, mask)
        of_mask = [dim for dim in further if dim in mask.dims]
        others = [dim for dim in further if dim not in mask.dims]
        rows: dict[tuple[int, ...], dict[str, Any]] = {}
        for index in np.ndindex(*(further[dim] for dim in of_mask)):
            at = dict(zip(of_mask, index, strict=True))
            # What does not need values is measured once, however many steps of the volume there are.
            shapes = [
                (label, piece, self.shape_of(piece)) for label, piece in pieces(whole_step(mask, at), labels)
            ]
            for beside in np.ndindex(*(further[dim] for dim in others)):
                step = at | dict(zip(others, beside, strict=True))
                keys = [key_of((self.volume, mask), dim, step[dim]) for dim in further]
                values = self.values_at(step, [piece for _, piece, _ in shapes if piece])
                for number, (label, piece, found) in enumerate(shapes):
                    row = {"key": (label.name, *keys), "value": label.value, **found}
                    rows[number, *(step[dim] for dim in further)] = row | values(piece)
        return self.framed([rows[key] for key in sorted(rows)], list(further))

    def framed(self, rows: list[dict[str, Any]], further: list[str]) -> pd.DataFrame:
        import pandas as pd

        keys = [row.pop("key") for row in rows]
        if further:
            index: pd.Index[Any] = pd.MultiIndex.from_tuples(keys, names=["label", *further])
        else:
            index = pd.Index([name for (name,) in keys], name="label", dtype=object)
        table = pd.DataFrame(rows, index=index, columns=self.columns(rows))
        table = table.astype(dict.fromkeys(("value", "voxels", "nan"), np.int64))
        units = {row["units"] for row in rows}
        table.attrs = {"units": units.pop() if len(units) == 1 else self.units, "positions": "LPS mm"}
        return table

    def columns(self, rows: list[dict[str, Any]]) -> list[str]:
        cuts = [
            name
            for _, name in sorted(
                [(50.0, "median"), *((float(p), f"p{p:g}") for p in dict.fromkeys(self.percentiles))]
            )
        ]
        wanted = ["value", "voxels", "ml", "nan", "mean", "sd", "min", *cuts, "max", "units"]
        wanted += ["suv_peak", "tlg"] * any("suv_peak" in row for row in rows)
        wanted += [*"xyz", *(f"weighted_{x}" for x in "xyz"), *(f"{x}{end}" for x in "xyz" for end in "01")]
        wanted += ["sphere_diameter_mm", "axis_1_mm", "axis_2_mm", "axis_3_mm", "elongation", "flatness"]
        wanted += ["surface_crofton_mm2", "sphericity"] * self.surface + ["surface_mesh_mm2"] * self.mesh
        names = [
            f"diameter_{self.geometry.plane}_mm",
            f"short_axis_{self.geometry.plane}_mm",
            "diameter_3d_mm",
        ]
        return wanted + names * self.diameters

    def shape_of(self, piece: Piece | None) -> dict[str, Any]:
        """What does not need values."""
        if piece is None:
            return {"voxels": 0, "ml": 0.0}
        geometry, found = self.geometry, shape.moments(piece, self.geometry, self.mm3)
        mm3 = room_of(found.voxels, piece.box, self.mm3)
        row: dict[str, Any] = {"voxels": int(found.voxels.sum()), "ml": mm3 / 1000}
        row |= dict(zip("xyz", found.centroid.tolist(), strict=True))
        longest, middle, shortest = found.axes.tolist()
        row |= {"axis_1_mm": longest, "axis_2_mm": middle, "axis_3_mm": shortest}
        if longest > 0:
            row |= {"elongation": middle / longest, "flatness": shortest / longest}
        row["sphere_diameter_mm"] = (6 * mm3 / math.pi) ** (1 / 3)
        ends = shape.ends_of_lines(piece)
        low, high = shape.bounds(piece, geometry, ends).tolist()
        for name, a, b in zip("xyz", low, high, strict=True):
            row |= {f"{name}0": a, f"{name}1": b}
        if self.lattice is not None:
            row["surface_crofton_mm2"] = area = crofton_surface(piece.inside, self.lattice)
            row["sphericity"] = math.pi * row["sphere_diameter_mm"] ** 2 / area
        if self.mesh and math.isfinite(mm3):
            row["surface_mesh_mm2"] = mesh_surface(piece, geometry)
        if self.diameters:
            flat, width, space = shape.diameters(piece, geometry, ends)
            row |= {f"diameter_{geometry.plane}_mm": flat.length, f"short_axis_{geometry.plane}_mm": width}
            row["diameter_3d_mm"] = space.length
        return row

    def values_at(self, step: dict[str, int], found: list[Piece]) -> Callable[[Piece | None], dict[str, Any]]:
        """What says of a label what its values are at this step."""
        volume = whole_step(self.volume, step)
        told = volume.coords.get("units")  # of magnitude and phase each its own
        units = str(told.values) if told is not None and told.ndim == 0 else self.units
        is_suv = units.startswith("SUV")
        # Of a lazy volume only the slices that a label touches, or a sphere around it, are read.
        start = min((piece.box[0].start for piece in found), default=0)
        stop = max((piece.box[0].stop for piece in found), default=0)
        if is_suv and found:
            along = self.geometry.slice
            low, high = sorted(along[[start, stop - 1]])
            near = np.flatnonzero((along >= low - PEAK_RADIUS) & (along <= high + PEAK_RADIUS))
            start, stop = int(near[0]), int(near[-1]) + 1
        values = np.asarray(volume.isel(slice=slice(start, stop)).values)
        values = values.view(np.uint8) if values.dtype == np.bool_ else values

        def values_of(piece: Piece | None) -> dict[str, Any]:
            row: dict[str, Any] = {"units": units}
            if piece is None:
                return row | {"nan": 0} | ({"suv_peak": math.nan, "tlg": 0.0} if is_suv else {})
            slices, rows, columns = piece.box
            here = values[slices.start - start : slices.stop - start, rows, columns]
            row |= statistics(here[piece.inside], self.percentiles)
            if row["min"] >= 0 and math.isfinite(row["max"]):
                weights = np.nan_to_num(here, nan=0.0) if row["nan"] else here
                centre = shape.moments(piece, self.geometry, self.mm3, weights).centroid
                row |= {f"weighted_{name}": x for name, x in zip("xyz", centre.tolist(), strict=True)}
            if is_suv:
                row["suv_peak"] = peak(values, start, piece, self.geometry)
                uptake = [np.nansum(v[p], dtype=np.float64) for v, p in zip(here, piece.inside, strict=True)]
                row["tlg"] = float(np.array(uptake) @ self.mm3[slices]) / 1000
            return row

        return values_of


def _lattice(geometry: Geometry) -> npt.NDArray[np.float64] | None:
    """The steps from voxel to voxel; None where they are uneven, which is told, or not known."""
    if not geometry.is_uniform:
        warn_user(
            "slices are uneven, so surface_crofton_mm2 and sphericity are NaN: lines that cross them have no one density. "
            "Measure after volume.dicom.regularize() and mask.dicom.regularize(), or take the mesh: surface=False, mesh=True."
        )
        return None
    try:
        return geometry.affine[:3, :3]
    except GeometryError:  # a lone slice, and nobody knows how thick it is
        return None
