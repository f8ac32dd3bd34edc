"""Segmentation beside the libraries that do its work: `python -m benchmarks.segmenting [--slices 300] [--size 512] [--runs 3]`.

One CT-like volume; each piece of work is done by each library in turn, so that a busy machine slows all of them alike. Seconds
are those of the processors that this process used (CPU), the least of all runs; megabytes are the most that the memory of the
process grew by while it worked, results included. Results are compared, and a difference is told.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import xarray as xr

from dicomlab import make_volume, segment
from dicomlab.masks import mask_like, sizes

__all__ = ["WORK", "main", "make", "measure"]

SPACING: Final = (1.5, 0.7, 0.7)


@dataclass(frozen=True)
class Things:
    """What is worked on."""

    ct: xr.DataArray
    mask: xr.DataArray
    labels: xr.DataArray
    small: tuple[int, int, int]
    large: tuple[int, int, int]


def make(slices: int, size: int) -> Things:
    """A body with a lesion, some bones, small holes and noise; int16 HU."""
    rng = np.random.default_rng(0)
    shape = (slices, size, size)
    affine = np.diag([*SPACING, 1.0])[[2, 1, 0, 3]]
    y, x = np.meshgrid(np.linspace(-1, 1, size), np.linspace(-1, 1, size), indexing="ij")
    values = np.empty(shape, np.int16)
    for k in range(slices):
        z = 2 * k / slices - 1
        plane = np.where(np.hypot(x / 0.8, y / 0.6) < 1, 40.0, -1000.0)
        plane[np.hypot(np.hypot(x, y + 0.3) / 0.07, z / 0.12) < 1] = 200.0
        plane[np.hypot(x, y - 0.4) < 0.08] = 400.0
        plane[(np.hypot(abs(x) - 0.4, y + 0.1) < 0.25) & (abs(z) < 0.8)] = -820.0
        values[k] = plane + rng.normal(0, 12, (size, size))
    ct = make_volume(values, affine=affine, units="HU")
    body = values > -500
    body[rng.random(shape) < 2e-3] = False
    mask = mask_like(ct, body)
    labels = np.digitize(values, [-900, -500, 80, 250]).astype(np.uint8)
    middle = (slices // 2, size // 2, size // 2)
    return Things(ct, mask, mask_like(ct, labels), (middle[0], round(0.35 * size), middle[2]), middle)


Work = Callable[[Things], dict[str, Callable[[], Any]]]


def components(things: Things) -> dict[str, Callable[[], Any]]:
    """The largest thing that hangs together (26)."""
    import cc3d
    from scipy import ndimage
    from skimage import measure

    values = things.mask.values

    def largest(labels: Any) -> Any:
        sizes = np.bincount(labels.ravel())
        sizes[0] = 0
        return labels == sizes.argmax()

    return {
        "dicomlab": lambda: segment.largest_component(things.mask).values,
        "cc3d largest_k": lambda: cc3d.largest_k(values, 1, connectivity=26, binary_image=True) > 0,
        "scipy": lambda: largest(ndimage.label(values, np.ones((3, 3, 3)))[0]),
        "scikit-image": lambda: largest(measure.label(values, connectivity=3)),
    }


def all_components(things: Things) -> dict[str, Callable[[], Any]]:
    """Everything that hangs together (26), as labels, the largest first; cc3d: in any order, and counted."""
    import cc3d

    values = ~things.mask.values
    mask = ~things.mask

    def counted() -> Any:
        labels = cc3d.connected_components(values, connectivity=26, binary_image=True)
        cc3d.statistics(labels, no_slice_conversion=True)
        return labels > 0

    return {
        "dicomlab": lambda: segment.components(mask).values > 0,
        "cc3d, counted": counted,
    }


def dilated(things: Things) -> dict[str, Callable[[], Any]]:
    """Dilated by 5 mm."""
    import edt
    import SimpleITK as sitk

    values = things.mask.values
    image = sitk.GetImageFromArray(values.astype(np.uint8))
    image.SetSpacing(SPACING[::-1])

    def itk() -> Any:
        found = sitk.SignedMaurerDistanceMap(image, squaredDistance=True, useImageSpacing=True)
        return sitk.GetArrayViewFromImage(found) <= 25

    return {
        "dicomlab": lambda: segment.dilate(things.mask, 5).values,
        "edt": lambda: edt.edt(~values, anisotropy=SPACING, parallel=0) <= 5,
        "SimpleITK": itk,
    }


def distances(things: Things) -> dict[str, Callable[[], Any]]:
    """Signed distance in mm."""
    import edt

    values = things.mask.values
    return {
        "dicomlab": lambda: segment.distance(things.mask).values,
        "edt sdf": lambda: -edt.sdf(values, anisotropy=SPACING, parallel=0),
    }


def _growing(
    things: Things, seed: tuple[int, int, int], low: int, high: int, itk: bool
) -> dict[str, Callable[[], Any]]:
    import cc3d
    import SimpleITK as sitk
    from skimage.segmentation import flood

    values = things.ct.values
    at = things.ct.dicom.lps(seed)

    def pick() -> Any:
        labels = cc3d.connected_components(
            (values >= low) & (values <= high), connectivity=6, binary_image=True
        )
        return labels == labels[seed]

    found = {
        "dicomlab": lambda: segment.grow(things.ct, at=at, low=low, high=high).values,
        "cc3d, label and pick": pick,
        "scikit-image flood": lambda: flood((values >= low) & (values <= high), seed, connectivity=1),
    }
    if itk:
        image = sitk.GetImageFromArray(values)
        found["SimpleITK"] = lambda: sitk.GetArrayFromImage(
            sitk.ConnectedThreshold(image, [tuple(int(n) for n in seed[::-1])], low, high)
        ).astype(bool)
    return found


def grown_small(things: Things) -> dict[str, Callable[[], Any]]:
    """Grown from a seed, a small thing."""
    return _growing(things, things.small, 140, 260, True)


def grown_large(things: Things) -> dict[str, Callable[[], Any]]:
    """Grown from a seed, most of the volume."""
    return _growing(things, things.large, -100, 260, True)


def split_by_otsu(things: Things) -> dict[str, Callable[[], Any]]:
    """Otsu's threshold."""
    import SimpleITK as sitk
    from skimage import filters

    values = things.ct.values
    image = sitk.GetImageFromArray(values)

    def itk() -> Any:
        one = sitk.OtsuThresholdImageFilter()
        one.Execute(image)
        return one.GetThreshold()

    return {
        "dicomlab": lambda: segment.otsu_thresholds(things.ct)[0],
        "scikit-image": lambda: filters.threshold_otsu(values),
        "SimpleITK (128 bins)": itk,
    }


def counted(things: Things) -> dict[str, Callable[[], Any]]:
    """Voxels of each label."""
    import cc3d
    from scipy import ndimage

    values = things.labels.values
    every = [1, 2, 3, 4]
    return {
        "dicomlab": lambda: np.array([one.voxels for one in sizes(things.labels, every).values()]),
        "cc3d statistics": lambda: cc3d.statistics(values, no_slice_conversion=True)["voxel_counts"][
            1:
        ].astype(int),
        "scipy": lambda: ndimage.sum_labels(values > 0, values, every).astype(int),
    }


def filled(things: Things) -> dict[str, Callable[[], Any]]:
    """Holes filled."""
    import fill_voids
    from scipy import ndimage

    values = things.mask.values
    return {
        "dicomlab": lambda: segment.fill_holes(things.mask).values,
        "fill_voids": lambda: fill_voids.fill(values),
        "scipy": lambda: ndimage.binary_fill_holes(values),
    }


WORK: Final[dict[str, Work]] = {
    "largest component": components,
    "components": all_components,
    "dilate": dilated,
    "distance": distances,
    "grow small": grown_small,
    "grow large": grown_large,
    "otsu": split_by_otsu,
    "label counts": counted,
    "fill holes": filled,
}


@contextmanager
def grows() -> Iterator[list[float]]:
    """The most megabytes by which the memory of this process grows inside, as the only item of the list after it."""
    import psutil

    process, done, found = psutil.Process(), threading.Event(), [0.0]
    before = process.memory_info().rss

    def look() -> None:
        while not done.wait(0.005):
            found[0] = max(found[0], (process.memory_info().rss - before) / 1e6)

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield found
    finally:
        done.set()
        watcher.join()


def measure(work: dict[str, Callable[[], Any]], runs: int) -> tuple[dict[str, float], dict[str, float], str]:
    """Least CPU seconds of each and megabytes, measured in turn; and who differs from the first."""
    first, differ, memory = None, [], {}
    for name, one in work.items():
        with grows() as grown:
            found = np.array(one())
        memory[name] = grown[0]
        if first is None:
            first = found
        elif not np.allclose(found, first, rtol=1e-4, equal_nan=True):
            differ.append(f"{name} in {float(np.mean(found != first)):.2%}")
        del found
    times = dict.fromkeys(work, float("inf"))
    for _ in range(runs):
        for name, one in work.items():
            begun = time.process_time()
            one()
            times[name] = min(times[name], time.process_time() - begun)
    return times, memory, ", ".join(differ)


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.segmenting",
        description="Segmentation beside the libraries that do its work.",
    )
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--size", type=int, default=512, help="rows and columns")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", choices=list(WORK), nargs="*", default=list(WORK))
    options = parser.parse_args(arguments)
    things = make(options.slices, options.size)
    print(
        f"{options.slices} x {options.size} x {options.size} voxels; least CPU seconds of {options.runs} runs, most MB"
    )
    for title in options.only:
        times, memory, differ = measure(WORK[title](things), options.runs)
        for name, seconds in times.items():
            ratio = times["dicomlab"] / seconds if seconds else float("nan")
            told = f"  dicomlab takes {ratio:5.2f} times as long" if name != "dicomlab" else ""
            print(f"{title:18} {name:22} {seconds:7.3f} s {memory[name]:6.0f} MB{told}", flush=True)
        if differ:
            print(f"{title:18} results differ from those of dicomlab: {differ}")


if __name__ == "__main__":
    main()
