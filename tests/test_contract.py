"""What xarray does to a volume keeps every voxel in its place, says why it will not, or leaves no place behind.

The values of the volumes here are the voxels' own LPS positions, as a last axis ``lps``. So after any operation the coordinates
can be held against the values: each voxel must still be where its value says that it is.
"""

from __future__ import annotations

import copy
import operator
import pickle
import warnings
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.spatial.transform import Rotation

from dicomlab import Geometry, make_volume
from dicomlab.errors import GeometryError
from dicomlab.frames import FrameIndex

FRAME = "1.2.826.0.1.3680043.8.498.1"
AXES = ("slice", "row", "column")
AXIAL = np.eye(3)[:, ::-1]
OBLIQUE = Rotation.from_euler("xyz", [20, -35, 50], degrees=True).as_matrix()[:, ::-1] * [-1, 1, 1]


def geometry(
    direction: np.ndarray = AXIAL,
    *,
    steps: tuple[float, float, float] = (5.0, 0.9, 0.8),
    shape: tuple[int, int, int] = (4, 6, 5),
    offset: tuple[float, float, float] = (-20.0, 30.0, -80.0),
    frame: str = FRAME,
    slices: list[float] | None = None,
) -> Geometry:
    along, down, across = (o + s * np.arange(n) for o, s, n in zip(offset, steps, shape, strict=True))
    return Geometry(
        np.array(direction, dtype=float), np.array(slices) if slices else along, down, across, frame, steps
    )


def places(grid: Geometry) -> np.ndarray:
    """LPS mm of every voxel by the rule of the house, shape (slices, rows, columns, 3)."""
    return np.stack(np.meshgrid(*grid.positions, indexing="ij"), -1) @ grid.direction.T


def volume_of(grid: Geometry) -> xr.DataArray:
    return make_volume(places(grid), geometry=grid, dims=(*AXES, "lps"), name="place", units="mm")


TILTED = AXIAL + np.outer(AXIAL[:, 1], [0.3, 0, 0])


@cache
def volumes() -> dict[str, xr.DataArray]:
    axial = volume_of(geometry())
    return {
        "axial": axial,
        "oblique": volume_of(geometry(OBLIQUE)),
        "flipped": axial[::-1, :, ::-1],
        "tilted": volume_of(geometry(TILTED)),
        "uneven": volume_of(geometry(OBLIQUE, slices=[0.0, 5.0, 6.5, 20.0])),
        "one slice": volume_of(geometry(OBLIQUE, shape=(1, 6, 5))),
        "4-D": axial.expand_dims(time=pd.date_range("2026-01-01", periods=4)),
    }


def others(v: xr.DataArray) -> dict[str, xr.DataArray]:
    """Volumes that lie on no part of the grid of `v`, though their sizes are the same."""
    grid = v.dicom.geometry
    down = grid.row + 0.45
    moved = Geometry(grid.direction, grid.slice, down, grid.column, FRAME, grid.lone_steps)
    wide = Geometry(grid.direction, grid.slice, grid.row * 1.07, grid.column, FRAME, grid.lone_steps)
    turn = Rotation.from_euler("z", 3, degrees=True).as_matrix()
    turned = Geometry(turn @ grid.direction, *grid.positions, FRAME, grid.lone_steps)
    elsewhere = Geometry(grid.direction, *grid.positions, "1.2.3.4", grid.lone_steps)
    nowhere = Geometry(grid.direction, *grid.positions, "unknown:1.2.3.5", grid.lone_steps)
    return {
        "half a step further": volume_of(moved),
        "another spacing": volume_of(wide),
        "another orientation": volume_of(turned),
        "another frame": volume_of(elsewhere),
        "an unknown frame": volume_of(nowhere),
    }


def saved(v: xr.DataArray, folder: Path, form: str) -> xr.DataArray:
    """`v`, written to a file and read again."""
    if form == "zarr":
        v.to_zarr(folder / "v.zarr", zarr_format=3, consolidated=False)
        with xr.open_dataarray(folder / "v.zarr", engine="zarr", consolidated=False) as opened:
            return opened.load()
    v.to_netcdf(folder / "v.nc", engine=form)
    with xr.open_dataarray(folder / "v.nc", engine=form) as opened:
        return opened.load()


# One row an operation on the volume `v`; afterwards values are still positions. `half` is a crop of v.
RIGHT = """
v.isel(row=slice(1, 4))
v[..., 1:3, :, :]
v.isel(row=3)
v.isel(row=[3])
v.isel(row=[4, 0, 2], column=slice(None, None, -2))
v.isel(row=slice(None, None, -1))
v.isel(row=v.row > v.row[2])
v[{"column": np.array([True, False, True, True, False])}]
v.isel(slice=0, drop=False).isel(column=2)
v.sel(row=v.row[[4, 0]])
v.sel(row=float(v.row[2]) + 0.1, method="nearest")
v.sel(row=slice(float(v.row[1]), float(v.row[3])))
v.sel(row=slice(None, None, -1))
v.sel(row=slice(float(v.row[3]), float(v.row[1]), -1))
v.sel(column=slice(float(v.column[3]), None, -2))
v.sel(row=[float(v.row[1])], column=v.column[2:])
v.loc[{"row": v.row.values[1:3]}]
v.head(row=3)
v.tail(row=3, column=2)
v.thin(row=2)
v.thin({"row": 2, "slice": 2})
v.drop_isel(row=[1])
v.drop_sel(row=v.row.values[[1, 2]])
v.where(v.row > v.row[2], drop=True)
v.where(v.row > v.row[2])
v.where(v > 0, v)
v.transpose(..., "slice")
v.transpose("lps", "row", ...)
v.squeeze()
v.reset_coords(drop=True)
v.expand_dims("echo")
v.expand_dims(echo=[1, 2])
v.copy()
v.copy(deep=True)
copy.deepcopy(v)
copy.copy(v)
pickle.loads(pickle.dumps(v))
v.rename("other")
v.astype("longdouble")
v.assign_attrs(a=1)
v.drop_attrs(deep=False)
xr.apply_ufunc(lambda a: a, v, keep_attrs=False)
xr.where(v > -1e9, v, 0.0, keep_attrs=False)
xr.merge([v.rename("a"), v.rename("b")], combine_attrs="drop")["b"]
xr.where(v > 0, 0.0, 0.0, keep_attrs=True) + v
v.assign_coords(row=v.row)
v.assign_coords(row=v.row.values)
v.assign_coords(line=("row", np.arange(6)))
v.drop_indexes("row")
v.reset_index("row")
v.drop_indexes("row").set_xindex("row")
v.sortby("row", ascending=False)
v.sortby(-v.column)
v.roll(row=2, roll_coords=True)
v.roll(row=2, roll_coords=False).roll(row=-2, roll_coords=False)
v.shift(row=1).shift(row=-1)
v + 0
0.5 * v + v / 2
-(-v)
abs(v) * np.sign(v)
(v + v) / 2
(v + half) / 2
(half + v) / 2
(v + v[..., ::-1, :]) / 2
(v + v.isel(row=slice(None, None, 2))) / 2
v - v.isel(row=0) + v.isel(row=0)
v - v.mean("row") + v.mean("row")
np.add(v, 0)
np.negative(np.negative(v))
v.round(12)
v.clip(-1e6, 1e6)
v.fillna(0)
v.where(v.row > v.row[2]).fillna(v)
v.isin([3]) * 0 + v
v.combine_first(v)
half.combine_first(v)
xr.where(v > 0, v, v)
xr.align(v, half)[0]
xr.align(v, half)[1]
xr.align(v, half, join="outer")[1]
xr.align(half, v, join="left")[1]
xr.align(half, v, join="right")[0]
xr.align(v, v, join="exact")[0]
xr.align(v, v, join="override")[1]
xr.broadcast(v, v.isel(lps=0, drop=True))[0]
v.broadcast_like(v)
v.broadcast_like(half)
v.reindex_like(half)
half.reindex_like(v)
v.reindex_like(v[..., ::-1, :])
v.reindex_like(half, method="nearest")
xr.concat([v.isel(row=slice(0, 2)), v.isel(row=slice(2, None))], "row")
xr.concat([v.isel(row=slice(2, None)), v.isel(row=slice(0, 2))], "row")
xr.concat([v, v], "echo")
xr.concat([v, v], xr.Variable("echo", [1, 2]))
xr.concat([v.isel(row=i) for i in (3, 0)], "row")
xr.combine_nested([v.isel(row=slice(0, 2)), v.isel(row=slice(2, None))], "row")
xr.combine_by_coords([v.isel(row=slice(0, 2)), v.isel(row=slice(2, None))])["place"]
xr.merge([v.rename("a"), v.rename("b")])["b"]
xr.merge([v.rename("a"), half.rename("b")], join="outer")["b"]
v.to_dataset(name="a")["a"]
v.to_dataset(name="a").assign(b=lambda d: d["a"])["b"]
v.to_dataset(name="a").merge(half.rename("b"), join="left")["b"]
v.to_dataset(name="a").isel(row=[1, 3]).a
v.to_dataset(name="a").map(lambda d: d).a
v.to_dataset("lps").to_dataarray("lps")
xr.Dataset({"a": v, "b": v}).to_stacked_array("z", [d for d in v.dims if d != "lps"]).unstack("z").to_dataset("variable").a
xr.Dataset({"a": v, "b": v}).to_dataarray("kind")
xr.DataTree.from_dict({"/ct": v.to_dataset(name="a")})["ct/a"]
xr.DataTree.from_dict({"/": v.to_dataset(name="a"), "/in": v.to_dataset(name="b")})["in/b"]
xr.DataTree.from_dict({"/ct": v.to_dataset(name="a")}).isel(row=[0, 2])["ct/a"]
xr.DataTree.from_dict({"/ct": v.to_dataset(name="a")}).map_over_datasets(lambda d: d + 0)["ct/a"]
v.groupby("row").map(lambda part: part)
v.groupby("row").mean()
v.groupby("row").first()
v.groupby(xr.DataArray([0, 0, 1, 1, 2, 2], dims="row", name="pair")).map(lambda part: part)
v.groupby_bins("row", [-999, float(v.row[2]), 999]).map(lambda part: part)
v.groupby("row") - (v.mean("row") * 0).expand_dims(row=v.row).drop_vars("frame_of_reference")
v.rolling(row=3, center=True).mean()
v.rolling(row=1).sum()
v.rolling(row=3, center=True).construct("window").isel(window=1)
v.coarsen(row=2).mean()
v.coarsen(row=4, boundary="trim").mean()
v.coarsen(row=4, boundary="pad").mean()
v.coarsen(row=4, boundary="trim", side="right").mean()
v.dicom.coarsen(row=2)
v.dicom.coarsen(row=4, boundary="trim", side="right")
v.dicom.coarsen({"row": 3, "column": 5})
v.dicom.coarsen(row=2, func="median")
v.dicom.coarsen(row=2, func=np.mean)
v.pad(row=2)
v.pad(row=2, mode="edge")
v.pad(row=(0, 2), mode="reflect")
v.dicom.pad(row=2)
v.dicom.pad(row=(0, 2), column=1)
v.dicom.pad(row=1).isel(row=slice(1, -1))
v.interp(row=[float(v.row[0]) + 0.3, float(v.row[1])])
v.interp(row=v.row.values[:3] + 0.1, column=v.column.values[2])
v.interp_like(half.isel(slice=0, drop=True))
v.interp(row=v.row[:2])
v.interpolate_na("row")
v.dropna("row")
v.diff("row") + v.shift(row=1)
v.diff("row", label="lower") * -1 + v.shift(row=-1)
v.cumsum("row") - v.cumsum("row").shift(row=1, fill_value=0)
v.differentiate("row").cumulative_integrate("row") + v.isel(row=0, drop=True)
v.cumprod("lps") * 0 + v
v.pipe(lambda x: x)
v.stack(both=("row", "column")).unstack()
xr.apply_ufunc(lambda a: a, v)
xr.apply_ufunc(lambda a, b: (a + b) / 2, v, v)
xr.apply_ufunc(lambda a, b: (a + b) / 2, v, half, join="inner")
xr.apply_ufunc(lambda a: a, v.chunk(row=2), dask="parallelized", output_dtypes=[float]).compute()
xr.apply_ufunc(lambda a: a[..., ::-1][..., ::-1], v, input_core_dims=[["row"]], output_core_dims=[["row"]])
v.chunk(row=2)
v.chunk(row=2).compute()
v.chunk(row=2).persist()[..., 1:, :, :]
(v.chunk(row=2) + v) / 2
xr.map_blocks(lambda block: block, v.chunk(row=2)).compute()
v.chunk(row=2).map_blocks(lambda block: block + 0).compute()
v.chunk(row=3).rolling(row=3, center=True).mean().compute()
xr.full_like(v, 0) + v
xr.zeros_like(v) + v
xr.unify_chunks(v.chunk(row=2), v.chunk(row=3))[0]
xr.DataArray.from_dict(v.to_dict())
xr.Dataset.from_dict(v.to_dataset(name="a").to_dict()).a
saved(v, folder, "h5netcdf")
saved(v, folder, "scipy")
saved(v, folder, "zarr")
saved(v, folder, "h5netcdf").dicom.restore()
v.isel(row=[0, 0, 1])
v.isel(row=[1, 1, 2]).drop_duplicates("row")
v.rename(row="y").rename(y="row")
v.assign_coords(line=("row", np.arange(6))).swap_dims(row="line").isel(line=[3, 1]).swap_dims(line="row")
v.groupby(["row", "column"]).mean()
v.rolling(row=3, center=True).construct("window", stride=2).isel(window=1)
v.coarsen(row=2).construct(row=("row", "within")).isel(within=1)
v.where(half > -1e9, drop=True)
v.stack(both=("row", "column")).isel(both=[3, 1, 10]).unstack()
v.interp(row=v.row[::-1])
v.isel(row=3).expand_dims("row")
xr.DataArray(v.values, coords=v.coords, dims=v.dims)
xr.concat([v, half], "echo", join="left")
xr.concat([v, half], "echo", join="right")
xr.combine_nested([[v[..., a, b, :] for b in (slice(3), slice(3, None))] for a in (slice(2), slice(2, 9))], ["row", "column"])
xr.combine_by_coords([v[..., a, b, :] for b in (slice(3, None), slice(3)) for a in (slice(2, None), slice(2))]).place
xr.map_over_datasets(np.add, *[xr.DataTree.from_dict({"/ct": d.to_dataset(name="a")}) for d in (v, half)])["ct/a"] / 2
v.dicom.restore()
v.dicom.with_xyz().isel(row=[2, 0])
v.dicom.with_xyz().drop_vars(["x", "y", "z"])
"""

# The place along an axis is gone, or the voxels form no grid: whoever asks `.dicom` is told so.
GONE = """
v.mean("row")
v.max(["row", "column"])
v.sum()
v.median("slice")
v.quantile(0.5, "row")
v.argmax("row")
v.idxmax("row")
v.std("column")
v.any("row")
v.reduce(np.mean, "row")
v.weighted(v.isel(lps=0, drop=True) * 0 + 1).mean("row")
v.integrate("row")
v.groupby("row").mean(...)
v.isel(row=xr.DataArray([0, 2], dims="point"), column=xr.DataArray([1, 3], dims="point"))
v.sel(row=xr.DataArray(v.row.values[:2], dims="point"), column=xr.DataArray(v.column.values[:2], dims="point"))
v.stack(voxel=("slice", "row", "column"))
v.rename(row="y")
v.rename(row="column", column="row")
v.rename(slice="row", row="slice")
v.rename(frame_of_reference="frame")
v.assign_coords(line=("row", np.arange(6))).swap_dims(row="line")
v.isel(row=2, drop=True)
v.drop_vars("row")
v.drop_vars("frame_of_reference")
v.to_series().to_xarray()
v.to_dataframe("a").to_xarray().a
v.groupby_bins("row", [-999, float(v.row[2]), 999]).mean()
v.coarsen(row=2).construct(row=("pair", "within"))
xr.dot(v, v, dim="row")
xr.corr(v, v, dim="row")
v.polyfit("row", 1).polyfit_coefficients
v.curvefit("row", lambda x, a: a + 0 * x).curvefit_coefficients.isel(param=0)
"""

# `w` lies on another grid than `v`, or in another frame: nothing may bring the two together voxel by voxel.
REFUSED = """
v + w
w - v
v * half_of(w)
half_of(v) < w
v.drop_vars("frame_of_reference") + w.drop_vars("frame_of_reference")
np.add(v, w)
np.maximum(v, w)
v.where(w > 0)
v.where(w > 0, 0)
v.where(v > 0, w)
v.fillna(w)
v.clip(min=w)
v.combine_first(w)
xr.where(w > 0, v, 0)
v.dot(w, dim="row")
xr.dot(v, w)
xr.cov(v, w)
xr.align(v, w)
xr.align(v, w, join="outer")
xr.align(v, w, join="left")
xr.align(v, w, join="right")
xr.align(v, w, join="exact")
xr.broadcast(v, w)
v.broadcast_like(w)
v.reindex_like(w)
xr.concat([v, w], "echo", join="outer")
xr.concat([v, w], "echo", join="inner")
xr.concat([v, w], "echo", join="exact")
xr.merge([v.rename("a"), w.rename("b")], join="outer")
xr.merge([v.rename("a"), w.rename("b")], join="inner")
xr.Dataset({"a": v, "b": w})
v.to_dataset(name="a").assign(b=w)
v.to_dataset(name="a").merge(w.rename("b"), join="left")
v.to_dataset(name="a") + w.to_dataset(name="a")
xr.combine_nested([v, w], "echo", join="outer")
xr.apply_ufunc(np.add, v, w)
xr.apply_ufunc(np.add, v, w, join="outer")
xr.map_blocks(lambda a, b: a + b, v.chunk(), [w.chunk()]).compute()
xr.DataTree.from_dict({"/": v.to_dataset(name="a"), "/in": w.to_dataset(name="b")})
v.weighted(w.isel(lps=0, drop=True).fillna(0)).mean("row")
v.to_dataset(name="a").update({"b": w})
v.where(w.isel(lps=0) > 0)
operator.iadd(v.copy(), w)
"""


# What only a series in time can do.
IN_TIME = """
v.to_dataset(name="a").resample(time="2D").mean().a
v.resample(time="2D").nearest()
v.groupby("time").mean()
v.groupby("time.day").map(lambda part: part)
v.rolling(time=2).mean()
v.isel(time=0)
v.isel(time=[1, 0]).sortby("time")
v.mean("time")
v.weighted(v.isel(lps=0, drop=True) * 0 + 1).mean("time")
v - v.mean("time") + v.isel(time=0, drop=True)
v.interp(time=v.time[:2])
v.reindex(time=v.time[1:])
v.sel(time="2026-01-02")
v.stack(image=("time", "slice")).unstack()
v.shift(time=1)
v.pad(time=1)
v.coarsen(time=2).mean()
v.dicom.coarsen(time=2, row=2)
xr.concat([v.isel(time=[0]), v.isel(time=[1])], "time")
xr.align(v, v.isel(time=0, drop=True))[1]
"""


def run(operation: str, **names: Any) -> Any:
    """The operation, with warnings of xarray about its own future unheard: they are not about volumes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        warnings.simplefilter("ignore", DeprecationWarning)
        tools = {
            "np": np,
            "xr": xr,
            "pd": pd,
            "copy": copy,
            "pickle": pickle,
            "saved": saved,
            "operator": operator,
        }
        return eval(operation, {**tools, **names})


def lines(table: str) -> list[str]:
    return table.strip().splitlines()


def half_of(v: xr.DataArray) -> xr.DataArray:
    return v.isel(row=slice(1, 4))


def farthest(result: xr.DataArray) -> float:
    """How many mm a voxel is from where its value says that it is; NaN claims nothing."""
    grid = result.dicom.geometry
    assert grid.frame_of_reference == FRAME
    along = [name for name in AXES if name in result.dims]
    values = result.transpose(..., *along, "lps").values
    place = places(grid).reshape(*(result.sizes[name] for name in along), 3)
    off = np.abs(values - place)
    assert np.isfinite(off).any(), "no voxel was compared"
    return float(np.nanmax(off))


@pytest.mark.parametrize("operation", [*lines(RIGHT), *lines(IN_TIME)])
def test_after_an_operation_every_voxel_is_where_its_value_says(operation: str, tmp_path: Path) -> None:
    for kind, v in volumes().items():
        if kind != "4-D" and operation in lines(IN_TIME):
            continue
        folder = tmp_path / kind
        folder.mkdir()
        try:
            off = farthest(run(operation, v=v, half=half_of(v), folder=folder))
        except Exception as problem:
            problem.add_note(f"in the volume that is {kind}")
            raise
        assert off < 1e-6, f"{off} mm off in the volume that is {kind}"
        # xarray did not write into the volume that it was given.
        assert isinstance(v.xindexes["frame_of_reference"], FrameIndex), kind


@pytest.mark.parametrize("operation", lines(GONE))
def test_where_the_place_is_gone_dicom_says_so(operation: str) -> None:
    for kind, v in volumes().items():
        result = run(operation, v=v)
        with pytest.raises(GeometryError):
            raise AssertionError(f"{result.dicom.geometry} in the volume that is {kind}")


REASONS = {
    "half a step further": "positions along row",
    "another spacing": "positions along row",
    "another orientation": "orientation",
    "another frame": "frame of reference",
    "an unknown frame": "frame of reference",
}


@pytest.mark.parametrize("operation", lines(REFUSED))
def test_two_grids_are_not_brought_together(operation: str) -> None:
    # An operation that demands equal labels is refused by xarray itself, before the guards are asked for the reason.
    itself = "join='exact'|not aligned|in-place"
    for kind in ("oblique", "uneven", "4-D"):
        v = volumes()[kind]
        for other, reason in REASONS.items():
            with pytest.raises(ValueError, match=f"{reason}|{itself}"):
                raise AssertionError(
                    f"{other}, {kind}: {run(operation, v=v, w=others(v)[other], half_of=half_of)}"
                )


# No axis is left on both sides: only the frame of reference can say that these are two patients, or two directions.
UNFRAMED = """
v.mean(["slice", "row", "column"]) + w.mean(["slice", "row", "column"])
v + w.max(["slice", "row", "column"])
v.isel(slice=0, row=1, column=2) - w.isel(slice=0, row=1, column=2)
v.isel(row=1) + w.mean(["slice", "column"])
xr.concat([v.isel(slice=0, row=0, column=0), w.isel(slice=0, row=0, column=0)], "echo")
xr.concat([v.isel(row=0), w.isel(row=1)], "row")
v.sel(row=w.row[1], method="nearest")
v.sel(row=slice(w.row[1], w.row[3]))
"""


@pytest.mark.parametrize("operation", lines(UNFRAMED))
def test_two_frames_are_not_brought_together_when_their_axes_are_gone(operation: str) -> None:
    for kind in ("oblique", "4-D"):
        v = volumes()[kind]
        for other in ("another orientation", "another frame", "an unknown frame"):
            with pytest.raises(xr.AlignmentError, match=REASONS[other]):
                raise AssertionError(f"{other}, {kind}: {run(operation, v=v, w=others(v)[other])}")


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_volumes_travel_to_another_process_and_back_with_their_guards() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=":0", host="127.0.0.1"
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        client.wait_for_workers(1, timeout=60)
        for kind, v in volumes().items():
            sent = client.submit(lambda volume: volume.isel(row=[3, 1]), v).result()
            assert farthest(sent) < 1e-6, kind
            assert isinstance(sent.xindexes["frame_of_reference"], FrameIndex)
            later = xr.map_blocks(lambda block: block + 0, v.chunk(row=2)).compute()
            assert farthest(later) < 1e-6, kind
