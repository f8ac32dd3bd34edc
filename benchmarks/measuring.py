"""Statistics of labels beside other libraries: `python -m benchmarks.measuring [--slices 300] [--runs 3] [--labels 20]`.

One volume of 512 x 512 slices, int16, with balls of many sizes as labels, is measured by each in turn, so that a busy machine
slows all of them alike. Time is the processor's, of all threads, after one call that does not count. Millilitres and means, or
distances, are compared.

The others do not make the same columns: `cc3d.statistics` counts voxels and finds boxes and centroids; regionprops_table and
SimpleITK are asked for what both have. `--compare` times `compare_masks` beside SimpleITK's Hausdorff distance, one label
after the other.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import xarray as xr

from dicomlab import compare_masks, make_volume, region_stats

__all__ = ["compare", "main", "make", "measure", "peers"]

SPACING = (1.0, 0.8, 0.8)


def make(slices: int, size: int, labels: int) -> tuple[xr.DataArray, xr.DataArray]:
    """A volume and a label map with balls: some as large as a lung, most as large as a node."""
    rng = np.random.default_rng(0)
    values = rng.integers(-1000, 1000, (slices, size, size), dtype=np.int16)
    mask = np.zeros(values.shape, np.uint8)
    for number in range(1, labels + 1):
        radius = size / 6 / np.sqrt(number)
        centre = [rng.uniform(0.2, 0.8) * n for n in mask.shape]
        box = tuple(
            slice(max(0, int(c - radius)), min(n, int(c + radius) + 2))
            for c, n in zip(centre, mask.shape, strict=True)
        )
        k, i, j = np.ogrid[box]
        away = (k - centre[0]) ** 2 + (i - centre[1]) ** 2 + (j - centre[2]) ** 2
        mask[box][away <= radius**2] = number
    affine = np.diag([*SPACING, 1.0])[[2, 1, 0, 3]]
    volume = make_volume(values, affine=affine, frame_of_reference="1.2", units="HU")
    return volume, make_volume(mask, affine=affine, frame_of_reference="1.2")


def _itk(volume: xr.DataArray) -> Any:
    import SimpleITK as sitk

    image = sitk.GetImageFromArray(volume.values)
    image.SetSpacing(SPACING[::-1])
    return image


def peers(
    volume: xr.DataArray, mask: xr.DataArray
) -> dict[str, Callable[[], dict[int, tuple[float, float]]]]:
    """What measures each label, by name; each gives ml and mean (NaN where it makes none) by number."""
    values, labels = volume.values, mask.values
    ml = float(np.prod(SPACING)) / 1000

    def own(**asked: Any) -> dict[int, tuple[float, float]]:
        table = region_stats(volume, mask, **asked)
        return {row.value: (row.ml, row.mean) for row in table.itertuples()}  # type: ignore[misc]

    def cc3d_statistics() -> dict[int, tuple[float, float]]:
        import cc3d

        counts = cc3d.statistics(labels)["voxel_counts"]
        return {n: (int(count) * ml, np.nan) for n, count in enumerate(counts) if n and count}

    def regionprops() -> dict[int, tuple[float, float]]:
        from skimage.measure import regionprops_table

        found = regionprops_table(
            labels,
            values,
            properties=(
                "label",
                "area",
                "bbox",
                "centroid",
                "intensity_mean",
                "intensity_min",
                "intensity_max",
            ),
            spacing=SPACING,
        )
        return {
            int(n): (area / 1000, mean)
            for n, area, mean in zip(found["label"], found["area"], found["intensity_mean"], strict=True)
        }

    made: dict[str, Callable[[], dict[int, tuple[float, float]]]] = {
        "dicomlab, all columns": own,
        "dicomlab, no surface or diameters": lambda: own(surface=False, diameters=False),
        "cc3d statistics, no values": cc3d_statistics,
        "skimage regionprops_table": regionprops,
    }
    try:
        import SimpleITK as sitk
    except ImportError:
        return made
    image, picture = _itk(mask), _itk(volume)

    def intensity() -> dict[int, tuple[float, float]]:
        one = sitk.LabelIntensityStatisticsImageFilter()
        one.Execute(image, picture)
        return {n: (one.GetPhysicalSize(n) / 1000, one.GetMean(n)) for n in one.GetLabels()}

    def shape() -> dict[int, tuple[float, float]]:
        one = sitk.LabelShapeStatisticsImageFilter()
        one.ComputePerimeterOn()
        one.Execute(image)
        return {n: (one.GetPhysicalSize(n) / 1000, np.nan) for n in one.GetLabels()}

    def feret() -> dict[int, tuple[float, float]]:
        # Of the smaller labels: every pair of border voxels is looked at, which takes hours for the large ones.
        small = sitk.GetImageFromArray(np.where(labels > labels.max() // 2, labels, 0))
        small.SetSpacing(SPACING[::-1])
        one = sitk.LabelShapeStatisticsImageFilter()
        one.ComputeFeretDiameterOn()
        one.Execute(small)
        return {n: (one.GetPhysicalSize(n) / 1000, np.nan) for n in one.GetLabels()}

    return made | {
        "SimpleITK intensity statistics": intensity,
        "SimpleITK shape, with perimeter": shape,
        "SimpleITK Feret, smaller half": feret,
    }


def compare(mask: xr.DataArray) -> dict[str, Callable[[], dict[int, float]]]:
    """What gives the Hausdorff distance of each label to where it was two voxels before, by number."""
    moved = mask.copy(data=np.roll(mask.values, 2, axis=2))

    def own() -> dict[int, float]:
        table = compare_masks(mask, moved)
        return dict(enumerate(table["hausdorff_mm"].tolist(), start=1))

    made: dict[str, Callable[[], dict[int, float]]] = {"dicomlab compare_masks": own}
    try:
        import SimpleITK as sitk
    except ImportError:
        return made
    a, b = _itk(mask), _itk(moved)

    def itk() -> dict[int, float]:
        found = {}
        for number in range(1, int(mask.max()) + 1):
            far = sitk.HausdorffDistanceImageFilter()
            far.Execute(sitk.Equal(a, number), sitk.Equal(b, number))
            found[number] = far.GetHausdorffDistance()
        return found

    return made | {"SimpleITK Hausdorff, label by label": itk}


def measure(
    made: dict[str, Callable[[], dict[int, Any]]], runs: int
) -> tuple[dict[str, float], dict[str, float]]:
    """Median processor seconds of each, measured in turn; and how far each is from the first one at most."""
    first: dict[int, Any] = {}
    differences: dict[str, float] = {}
    for name, work in made.items():
        found = work()
        first = first or found
        apart = [np.abs(np.subtract(found[n], first[n])).ravel() for n in found if n in first]
        differences[name] = float(np.nanmax(np.concatenate(apart), initial=0.0))
    times: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(runs):
        for name, work in made.items():
            begun = time.process_time()
            work()
            times[name].append(time.process_time() - begun)
    return {name: statistics.median(found) for name, found in times.items()}, differences


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.measuring", description="Statistics of labels beside other libraries."
    )
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512, help="rows and columns")
    parser.add_argument("--labels", type=int, default=20)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--compare", action="store_true", help="two masks in place of a mask and a volume")
    options = parser.parse_args(arguments)
    volume, mask = make(options.slices, options.size, options.labels)
    times, differences = measure(compare(mask) if options.compare else peers(volume, mask), options.runs)
    print(
        f"{options.slices} x {options.size} x {options.size}, {options.labels} labels; median of {options.runs}"
    )
    for name, seconds in times.items():
        print(f"{name:36} {seconds:7.2f} s   largest difference {differences[name]:.2g}")


if __name__ == "__main__":
    main()
