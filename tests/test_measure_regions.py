"""`region_stats` says what SimpleITK, formulas and plain loops say."""

import itertools
import math
import re
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
import xarray as xr
from hypothesis import given, settings
from hypothesis import strategies as st
from measure_support import BALL, BLOB, EDGE, ONE, RING, SPACINGS, affine, itk, shapes, volume_of
from scipy.special import ellipeinc, ellipkinc
from skimage.measure import marching_cubes, mesh_surface_area

import dicomlab as dl
from dicomlab.errors import DicomLabError, DicomLabWarning, GeometryError
from dicomlab.masks import mask_like, stacked, with_labels
from dicomlab.measure import region_stats
from dicomlab.measure.surface import crofton_surface
from dicomlab.measure.values import PEAK_RADIUS

GRIDS = [(spacing, oblique) for spacing in SPACINGS for oblique in (False, True)]
NAMES = {ONE: "one", EDGE: "edge", RING: "ring", BALL: "ball", BLOB: "blob"}


def both(spacing: tuple[float, float, float], oblique: bool) -> tuple[xr.DataArray, xr.DataArray, np.ndarray]:
    matrix = affine(spacing, oblique=oblique)
    rng = np.random.default_rng(1)
    labels = shapes()
    values = (rng.normal(size=labels.shape) * 300).astype(np.int16)
    mask = with_labels(volume_of(labels, matrix), NAMES)
    return volume_of(values, matrix, units="HU"), mask, matrix


@pytest.fixture(scope="module", params=GRIDS, ids=str)
def measured(request: pytest.FixtureRequest):  # type: ignore[no-untyped-def]
    volume, mask, matrix = both(*request.param)
    shape, values = sitk.LabelShapeStatisticsImageFilter(), sitk.LabelIntensityStatisticsImageFilter()
    shape.ComputeFeretDiameterOn()
    shape.ComputePerimeterOn()
    values.SetNumberOfBins(4096)
    image = itk(mask.values, matrix)
    shape.Execute(image)
    values.Execute(image, itk(volume.values, matrix))
    return volume, mask, region_stats(volume, mask), shape, values


def test_size_and_place_are_those_of_itk(measured) -> None:  # type: ignore[no-untyped-def]
    _, mask, table, shape, _ = measured
    assert table.index.tolist() == [NAMES[n] for n in sorted(NAMES)]
    for number, row in zip(table["value"].tolist(), table.itertuples(), strict=True):
        assert row.voxels == shape.GetNumberOfPixels(number) == int((mask == number).sum())
        assert row.ml == pytest.approx(shape.GetPhysicalSize(number) / 1000, rel=1e-12)
        assert (row.x, row.y, row.z) == pytest.approx(shape.GetCentroid(number), abs=1e-9)
        assert row.sphere_diameter_mm == pytest.approx(2 * shape.GetEquivalentSphericalRadius(number))
        axes = [2 * math.sqrt(5 * max(m, 0)) for m in shape.GetPrincipalMoments(number)[::-1]]
        assert (row.axis_1_mm, row.axis_2_mm, row.axis_3_mm) == pytest.approx(axes, abs=1e-5)
        assert row.diameter_3d_mm == pytest.approx(shape.GetFeretDiameter(number), abs=1e-9)


def test_values_are_those_of_itk_and_numpy(measured) -> None:  # type: ignore[no-untyped-def]
    volume, mask, table, _, values = measured
    for number, row in zip(table["value"].tolist(), table.itertuples(), strict=True):
        inside = volume.values[mask.values == number].astype(float)
        assert (row.min, row.max) == (values.GetMinimum(number), values.GetMaximum(number))
        assert row.mean == pytest.approx(values.GetMean(number), abs=1e-9)
        # ITK divides by one less.
        bessel = math.sqrt((row.voxels - 1) / row.voxels)
        assert row.sd == pytest.approx(values.GetStandardDeviation(number) * bessel, abs=1e-9)
        # ITK takes the median from bins.
        assert row.median == pytest.approx(values.GetMedian(number), abs=np.ptp(volume.values) / 4096 + 0.5)
        found = (row.p5, row.p25, row.median, row.p75, row.p95)
        assert found == pytest.approx(np.percentile(inside, [5, 25, 50, 75, 95]).tolist())
    assert set(table["units"]) == {"HU"} == {table.attrs["units"]}


def test_the_box_holds_the_voxels_to_their_faces(measured) -> None:  # type: ignore[no-untyped-def]
    volume, mask, table, _, _ = measured
    for number, row in zip(table["value"].tolist(), table.itertuples(), strict=True):
        index = np.argwhere(mask.values == number)
        corners = [volume.dicom.lps(index + half) for half in itertools.product((-0.5, 0.5), repeat=3)]
        low, high = np.min(corners, axis=(0, 1)), np.max(corners, axis=(0, 1))
        assert (row.x0, row.y0, row.z0) == pytest.approx(low.tolist(), abs=1e-9)
        assert (row.x1, row.y1, row.z1) == pytest.approx(high.tolist(), abs=1e-9)


def test_the_longest_line_within_a_slice_is_that_of_all_pairs_of_voxels(measured) -> None:  # type: ignore[no-untyped-def]
    volume, mask, table, _, _ = measured
    plane = volume.dicom.geometry.plane
    for number, row in zip(table["value"].tolist(), table.to_dict("records"), strict=True):
        longest, widths = 0.0, [0.0]
        for k, one in enumerate(mask.values == number):
            index = np.argwhere(one)
            points = volume.dicom.lps(np.column_stack([np.full(len(index), k), index]))
            apart = np.linalg.norm(points[:, None] - points, axis=-1)
            if not apart.size or apart.max() < longest - 1e-9 or not apart.max():
                continue
            widths = widths if apart.max() < longest + 1e-9 else []
            longest = max(longest, apart.max())
            for a, b in np.argwhere(apart > longest - 1e-9):
                across = points - points[a]
                along = (points[b] - points[a]) / longest
                beside = across - np.outer(across @ along, along)
                # All in one plane, so that they lie along one line across: signed by any of them.
                side = beside[np.linalg.norm(beside, axis=1).argmax()]
                side = side / (np.linalg.norm(side) or 1)
                widths.append(float(np.ptp(beside @ side)))
        assert row[f"diameter_{plane}_mm"] == pytest.approx(longest, abs=1e-9)
        assert row[f"short_axis_{plane}_mm"] == pytest.approx(max(widths), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_on_cubes_the_surface_is_itks_perimeter(seed: int) -> None:
    labels, matrix = shapes(seed), affine((0.8, 0.8, 0.8), oblique=True)
    shape = sitk.LabelShapeStatisticsImageFilter()
    shape.ComputePerimeterOn()
    shape.Execute(itk(labels, matrix))
    table = region_stats(volume_of(labels.astype(float), matrix), volume_of(labels, matrix))
    assert len(table) == 5
    for row in table.itertuples():
        assert row.surface_crofton_mm2 == pytest.approx(shape.GetPerimeter(row.value), rel=1e-9)
        assert row.sphericity == pytest.approx(shape.GetRoundness(row.value), rel=1e-9)


def test_the_mesh_is_that_of_scikit_image() -> None:
    labels = shapes()
    volume = volume_of(labels.astype(float), affine(SPACINGS[0], oblique=True))
    table = region_stats(
        volume, volume_of(labels, affine(SPACINGS[0], oblique=True)), surface=False, mesh=True
    )
    assert "sphericity" not in table
    for row in table.itertuples():
        found = marching_cubes(np.pad(labels == row.value, 1).astype(float), 0.5, spacing=SPACINGS[0])
        assert row.surface_mesh_mm2 == pytest.approx(mesh_surface_area(*found[:2]), rel=1e-5)


def ellipsoid_surface(a: float, b: float, c: float) -> float:
    """a > b > c: Legendre's formula."""
    phi = math.acos(c / a)
    m = a * a * (b * b - c * c) / (b * b * (a * a - c * c))
    inner = ellipeinc(phi, m) * math.sin(phi) ** 2 + ellipkinc(phi, m) * math.cos(phi) ** 2
    return 2 * math.pi * (c * c + a * b / math.sin(phi) * inner)


@pytest.mark.parametrize(
    ("spacing", "within"),
    [((0.8, 0.8, 0.8), 0.005), ((1.0, 0.8, 0.8), 0.015), ((2.0, 0.8, 0.8), 0.02), ((5.0, 0.7, 0.7), 0.025)],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_the_surface_of_an_ellipsoid_is_right_whatever_the_shape_of_voxels(
    spacing: tuple[float, float, float], within: float, order: tuple[int, int, int]
) -> None:
    halves = np.array([30.0, 20.0, 12.0])
    radii = halves[list(order)]
    counts = [int(2 * r / s) + 3 for r, s in zip(radii, spacing, strict=True)]
    axes = [(np.arange(n) - (n - 1) / 2 + 0.31) * s for n, s in zip(counts, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    inside = (z / radii[0]) ** 2 + (y / radii[1]) ** 2 + (x / radii[2]) ** 2 <= 1
    assert crofton_surface(inside, np.diag(spacing)) == pytest.approx(ellipsoid_surface(*halves), rel=within)


def ball(radius: float, geometry: dl.Geometry, **about: object) -> tuple[xr.DataArray, xr.DataArray]:
    """A ball around the middle of a grid, wherever its voxels lie, and values that rise towards the head."""
    index = np.stack(np.meshgrid(*map(np.arange, geometry.shape), indexing="ij"), axis=-1)
    places = geometry.lps(index)
    middle = geometry.lps([(n - 1) / 2 for n in geometry.shape])
    inside = np.linalg.norm(places - middle, axis=-1) <= radius
    volume = dl.make_volume(places[..., 2].copy(), geometry=geometry, units="mm")
    return volume, mask_like(volume, inside, name="ball")


def tilted(n: int = 21, step: float = 2.0) -> dl.Geometry:
    lean = np.array([[0, 0, 1.0], [math.tan(math.radians(20)), 1, 0], [1, 0, 0]])
    size = round(60 / 0.9)
    return dl.Geometry(lean, step * np.arange(n), 0.9 * np.arange(size), 0.9 * np.arange(size), "1.2.3")


def uneven() -> dl.Geometry:
    steps = np.concatenate(
        [[0], np.cumsum([1.0, 1, 2, 2, 4, 2, 1, 1, 2, 3, 2, 2, 1, 2, 2, 3, 2, 2, 1, 1, 2])]
    )
    return dl.Geometry(np.eye(3)[:, ::-1], steps, 0.9 * np.arange(60), 0.9 * np.arange(60), "1.2.3")


def test_a_ball_under_a_tilted_gantry_has_the_size_and_the_shape_of_a_ball() -> None:
    volume, mask = ball(15.0, tilted())
    row = region_stats(volume, mask, mesh=True).iloc[0]
    middle = volume.dicom.lps([(n - 1) / 2 for n in volume.shape])
    assert row["ml"] == pytest.approx(4 / 3 * math.pi * 15**3 / 1000, rel=0.01)
    assert row[["x", "y", "z"]].tolist() == pytest.approx(middle.tolist(), abs=0.05)
    assert row["surface_crofton_mm2"] == pytest.approx(4 * math.pi * 15**2, rel=0.02)
    assert 1.0 < row["surface_mesh_mm2"] / (4 * math.pi * 15**2) < 1.2
    assert row["sphericity"] == pytest.approx(1, abs=0.02)
    assert row[["axis_1_mm", "axis_2_mm", "axis_3_mm"]].tolist() == pytest.approx([30] * 3, rel=0.02)
    assert 29 < row["diameter_3d_mm"] <= 30 + 1e-9
    assert 29 < row["diameter_axial_mm"] <= 30 + 1e-9
    # By faces: half a voxel further than centres; the tilt adds half a slice's lean along y.
    for low, high, half in (
        ("x0", "x1", 0.45),
        ("z0", "z1", 1.0),
        ("y0", "y1", 0.45 + math.tan(math.radians(20))),
    ):
        assert 29 < row[high] - row[low] <= 30 + 2 * half + 1e-9


def test_uneven_slices_count_each_with_its_own_thickness() -> None:
    volume, mask = ball(16.0, uneven())
    with pytest.warns(DicomLabWarning, match="uneven.*regularize"):
        row = region_stats(volume, mask, mesh=True).iloc[0]
    x = volume.slice.values
    faces = np.concatenate([[1.5 * x[0] - 0.5 * x[1]], (x[1:] + x[:-1]) / 2, [1.5 * x[-1] - 0.5 * x[-2]]])
    thick = np.diff(faces)
    counts = mask.sum(["row", "column"]).values
    assert row["ml"] == pytest.approx((counts * thick).sum() * 0.81 / 1000)
    assert row["z"] == pytest.approx((counts * thick * x).sum() / (counts * thick).sum())
    assert row["ml"] == pytest.approx(4 / 3 * math.pi * 16**3 / 1000, rel=0.01)
    assert row["axis_1_mm"] == pytest.approx(32, rel=0.03)
    assert row["mean"] == pytest.approx(volume.values[mask.values].mean())
    assert math.isnan(row["surface_crofton_mm2"])
    assert math.isnan(row["sphericity"])
    assert 1.0 < row["surface_mesh_mm2"] / (4 * math.pi * 16**2) < 1.2
    region_stats(volume, mask, surface=False)  # warns of nothing


@given(
    seed=st.integers(0, 10_000),
    dims=st.permutations(["slice", "row", "column"]),
    turned=st.sets(st.sampled_from(["slice", "row", "column"])),
)
@settings(max_examples=15, deadline=None)
def test_order_and_direction_of_axes_change_nothing(seed: int, dims: list[str], turned: set[str]) -> None:
    matrix = affine(SPACINGS[seed % 3], oblique=bool(seed % 2))
    labels = shapes(seed)
    volume = volume_of(np.random.default_rng(seed).normal(100, 9, labels.shape), matrix, units="HU")
    mask = volume_of(labels, matrix)
    flip = {name: slice(None, None, -1) for name in turned}
    first = region_stats(volume, mask)
    again = region_stats(volume.isel(flip).transpose(*dims), mask.isel(flip).transpose(*reversed(dims)))
    assert first.columns.tolist() == again.columns.tolist()
    numbers = first.select_dtypes("number").columns
    np.testing.assert_allclose(first[numbers], again[numbers], rtol=1e-9, atol=1e-6)


def test_every_form_of_a_mask_gives_the_same_rows() -> None:
    volume, mask, _ = both(SPACINGS[0], True)
    every = region_stats(volume, mask)
    apart = stacked({name: mask == number for number, name in NAMES.items()})
    assert every.drop(columns="value").equals(region_stats(volume, apart).drop(columns="value"))
    fractions = apart.astype(np.float32) * 0.6
    assert every.drop(columns="value").equals(region_stats(volume, fractions).drop(columns="value"))
    lone = region_stats(volume, (mask == BALL).rename("ball"))
    assert lone.index.tolist() == ["ball"]
    assert lone.drop(columns="value").equals(every.loc[["ball"]].drop(columns="value"))
    # A lazy volume and the verb.
    assert every.equals(volume.chunk({"slice": 2}).dicom.stats(mask.chunk({"slice": 3})))


def test_each_step_of_time_has_a_row() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    times = xr.concat([volume, volume + 7], xr.Variable("time", [0.0, 2.5], {"units": "s"}))
    table = region_stats(times, mask)
    assert table.index.names == ["label", "time"]
    assert table.index.tolist() == [(NAMES[n], t) for n in sorted(NAMES) for t in (0.0, 2.5)]
    still = region_stats(volume, mask)
    assert table.xs(0.0, level="time").equals(still)
    assert (table.xs(2.5, level="time")["mean"] - still["mean"]).tolist() == pytest.approx([7] * 5)
    moving = xr.concat([mask, mask * 0 + ONE], times.time)
    own = region_stats(times, with_labels(moving, NAMES))
    assert own.loc[("one", 2.5), "voxels"] == mask.size
    assert own.loc[("ball", 2.5), "voxels"] == 0
    assert own.loc[("ball", 0.0), "voxels"] == still.loc["ball", "voxels"]
    with pytest.raises(DicomLabError, match="time"):
        region_stats(times, moving.assign_coords(time=[0.0, 3.0]))
    with pytest.raises(DicomLabError, match="2 there"):
        region_stats(times, moving[:, :, :, :].isel(time=[0]))


def test_voxels_without_a_value_are_counted_and_left_out() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    ring = mask.values == RING
    holes = volume.astype(float).values.copy()
    holes[ring & (np.arange(holes.shape[2]) % 2 == 0)] = np.nan
    table = region_stats(volume.copy(data=holes), mask)
    assert table.loc["ring", "nan"] == np.isnan(holes[ring]).sum() > 10
    assert table.loc["ring", "voxels"] == ring.sum()
    assert table.loc["ring", "mean"] == pytest.approx(np.nanmean(holes[ring]))
    assert table.loc["ring", "p25"] == pytest.approx(np.nanpercentile(holes[ring], 25))
    nothing = region_stats(volume.copy(data=np.full(holes.shape, np.nan)), mask)
    assert nothing["mean"].isna().all()
    assert (nothing["nan"] == nothing["voxels"]).all()


def test_a_label_without_voxels_has_none_and_nothing_else() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    row = region_stats(volume, with_labels(mask, {77: "lost"})).loc["lost"]
    assert (row["value"], row["voxels"], row["ml"], row["nan"], row["units"]) == (77, 0, 0, 0, "HU")
    rest = row.drop(["value", "voxels", "ml", "nan", "units"])
    assert rest.isna().all()
    nothing = region_stats(volume, (mask * 0).dicom.with_labels(None))
    assert len(nothing) == 0
    assert nothing.columns.tolist() == region_stats(volume, mask).columns.tolist()


def test_large_whole_numbers_keep_their_digits() -> None:
    _, mask, matrix = both(SPACINGS[1], False)
    values = np.random.default_rng(3).integers(-(2**15), 2**15, mask.shape).astype(np.int16)
    values[mask.values == BALL] = 2**15 - 1
    table = region_stats(volume_of(values, matrix), mask)
    assert table.loc["ball", ["mean", "sd", "median"]].tolist() == [2**15 - 1, 0, 2**15 - 1]
    far = region_stats(volume_of(values.astype(np.float64) + 1e9, matrix), mask)
    inside = values[mask.values == BLOB].astype(float)
    assert far.loc["blob", "sd"] == pytest.approx(inside.std(), rel=1e-6)


def test_the_centre_of_gravity_leans_to_where_values_are_high() -> None:
    _, mask, matrix = both(SPACINGS[2], True)
    values = np.random.default_rng(4).gamma(2.0, 3.0, mask.shape).astype(np.float32)
    image = itk(mask.values, matrix)
    theirs = sitk.LabelIntensityStatisticsImageFilter()
    theirs.Execute(image, itk(values, matrix))
    for row in region_stats(volume_of(values, matrix), mask).itertuples():
        found = (row.weighted_x, row.weighted_y, row.weighted_z)
        assert found == pytest.approx(theirs.GetCenterOfGravity(row.value), abs=1e-4)
    assert region_stats(volume_of(values - 5, matrix), mask)["weighted_x"].isna().any()


def peak_by_brute_force(volume: xr.DataArray, mask: np.ndarray) -> float:
    index = np.argwhere(np.ones(volume.shape, bool))
    places, values = volume.dicom.lps(index), volume.values.ravel()
    found = []
    for centre in volume.dicom.lps(np.argwhere(mask)):
        near = np.linalg.norm(places - centre, axis=1) <= (3000 / (4 * math.pi)) ** (1 / 3)
        if np.isfinite(values[near]).any():
            found.append(np.nanmean(values[near]))
    return float(max(found))


@pytest.mark.parametrize("kind", ["even", "oblique", "thick", "tilted", "uneven", "turned"])
def test_the_peak_of_an_uptake_is_that_of_brute_force(kind: str) -> None:
    rng = np.random.default_rng(5)
    grids = {
        "even": dl.Geometry.from_affine(affine((2.0, 2.5, 2.2), oblique=False), (9, 12, 11), "1"),
        "oblique": dl.Geometry.from_affine(affine((1.7, 2.5, 3.2), oblique=True), (9, 12, 11), "1"),
        "thick": dl.Geometry.from_affine(affine((9.0, 1.4, 1.3), oblique=False), (5, 14, 15), "1"),
        "tilted": tilted(9),
        "uneven": uneven(),
    }
    grid = grids.get(kind, grids["oblique"])
    volume = dl.make_volume(rng.gamma(2.0, 1.5, grid.shape), geometry=grid, units="SUVbw")
    volume = volume.isel(row=slice(0, 14), column=slice(0, 15), slice=slice(0, 12))
    volume = (
        volume.isel(row=slice(None, None, -1), slice=slice(None, None, -1)) if kind == "turned" else volume
    )
    volume.values[2, 3, 4:6] = np.nan
    inside = rng.random(volume.shape) > 0.9
    inside[:, :, 0] = True  # spheres that reach beyond the volume
    with pytest.warns(DicomLabWarning) if kind == "uneven" else _quiet():
        row = region_stats(volume, mask_like(volume, inside)).iloc[0]
    assert row["suv_peak"] == pytest.approx(peak_by_brute_force(volume, inside), rel=1e-9)
    thick = np.abs(np.gradient(volume.slice.values)) if kind != "uneven" else None
    if thick is not None:
        size = abs(np.linalg.det(grid.affine[:3, :3]))
        assert row["tlg"] == pytest.approx(np.nansum(volume.values[inside]) * size / 1000)


def test_the_peak_in_one_slice_is_found_when_only_its_slices_are_read() -> None:
    grid = dl.Geometry.from_affine(affine((2.0, 2.5, 2.2), oblique=False), (20, 12, 11), "1")
    volume = dl.make_volume(np.random.default_rng(6).random(grid.shape), geometry=grid, units="SUVlbm")
    inside = np.zeros(grid.shape, bool)
    inside[10, 4:8, 5] = True
    found = region_stats(volume.chunk({"slice": 1}), mask_like(volume, inside))["suv_peak"].iloc[0]
    assert found == pytest.approx(peak_by_brute_force(volume, inside), rel=1e-9)
    assert 4 / 3 * math.pi * PEAK_RADIUS**3 == pytest.approx(1000)


def test_only_the_slices_that_a_label_touches_are_read() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    read: list[int] = []

    def seen(block: np.ndarray) -> np.ndarray:
        read.append(int(block[0, 0, 0]))
        return block

    numbers = np.broadcast_to(np.arange(14)[:, None, None], volume.shape).copy()
    lazy = volume.copy(data=numbers).chunk({"slice": 1})
    lazy = lazy.copy(data=lazy.data.map_blocks(seen, dtype=lazy.dtype, meta=np.empty((0, 0, 0), lazy.dtype)))
    region_stats(lazy, mask == RING)
    assert sorted(read) == [5, 6, 7]


def test_units_that_differ_from_step_to_step_are_those_of_the_row() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    both_parts = xr.concat([volume, volume], xr.Variable("component", ["magnitude", "phase"]))
    both_parts = both_parts.assign_coords(units=("component", ["", "rad"])).drop_attrs(deep=False)
    table = region_stats(both_parts, mask, percentiles=[50, 10, 50])
    assert table.loc[("ball", "phase"), "units"] == "rad"
    assert table.loc[("ball", "magnitude"), "units"] == ""
    assert table["p50"].tolist() == table["median"].tolist()


def test_only_an_uptake_has_a_peak() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    assert "suv_peak" not in region_stats(volume, mask)
    assert "tlg" not in region_stats(volume.assign_attrs(units="Bq/ml"), mask)


def test_what_cannot_be_measured_is_refused_with_what_mends_it() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    with pytest.raises(GeometryError, match=r"resample_like|reindex_like"):
        region_stats(volume, mask[1:])
    with pytest.raises(GeometryError, match="sortby"):
        region_stats(volume.isel(slice=[0, 2, 1]), mask.isel(slice=[0, 2, 1]))
    with pytest.raises(DicomLabError, match="percentiles"):
        region_stats(volume, mask, percentiles=[101])
    with pytest.raises(DicomLabError, match="abs"):
        region_stats(volume * 1j, mask)
    with pytest.raises(DicomLabError, match="mask_like"):
        region_stats(volume, mask.values)  # type: ignore[arg-type]
    with pytest.raises(DicomLabError, match="Compare first"):
        region_stats(volume, volume)


def test_a_lone_slice_is_measured_as_far_as_it_knows_itself() -> None:
    volume, mask, _ = both(SPACINGS[1], False)
    cut = region_stats(volume.isel(slice=[6]), mask.isel(slice=[6])).loc["ring"]
    whole = region_stats(volume, mask).loc["ring"]
    assert cut["ml"] == pytest.approx(whole["ml"] / 3)  # the ring has three slices
    picked = region_stats(volume.isel(slice=6), mask.isel(slice=6)).loc["ring"]
    assert picked["voxels"] == cut["voxels"]
    assert picked["diameter_axial_mm"] == cut["diameter_axial_mm"] == whole["diameter_axial_mm"]
    bare = dl.make_volume(
        volume.values[[6]],
        geometry=dl.Geometry(np.eye(3)[:, ::-1], np.zeros(1), volume.row.values, volume.column.values, "1"),
    )
    unknown = region_stats(bare, mask_like(bare, mask.values[[6]] == RING), mesh=True).iloc[0]
    assert unknown[["ml", "surface_crofton_mm2", "surface_mesh_mm2", "z0"]].isna().all()
    assert unknown["voxels"] == cut["voxels"]


class _quiet:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def test_the_page_about_measuring_runs_and_names_every_column(tmp_path: Path) -> None:
    page = (Path(__file__).parents[1] / "docs" / "measuring.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```", page, flags=re.M | re.S)
    names: dict[str, object] = {}
    exec(compile(code, "docs/measuring.md", "exec"), names)
    ct, bone = names["ct"], names["bone"]
    assert isinstance(ct, xr.DataArray)
    assert isinstance(bone, xr.DataArray)
    uptake = ct.assign_attrs(units="SUVbw").isel(slice=slice(10, 12))
    table = region_stats(uptake, bone.isel(slice=slice(10, 12)), mesh=True)
    implied = re.compile(r"p\d+|weighted_[yz]|[xyz][01]|axis_[23]_mm")
    for column in [*table.columns, *dl.compare_masks(bone, bone).columns]:
        told = implied.fullmatch(column) or f"`{column}`" in page or column.startswith("volume_")
        assert told, column
