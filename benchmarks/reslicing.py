"""Oblique resampling beside other libraries: `python -m benchmarks.reslicing [--size 235] [--runs 5] [--dtype float32]`.

One volume is put on one oblique grid of as many voxels, trilinearly, by each in turn, so that a busy machine slows all of them
alike. SimpleITK takes as many threads as there are processors, and so does dicomlab; scipy has none. Time is that of one call,
arrays in and array out, after one call that does not count (it compiles, where there is something to compile). All values are
compared.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import xarray as xr

from dicomlab import Geometry, make_volume
from dicomlab.regrid import compiled

__all__ = ["main", "measure", "peers"]

OWN: Final = ("dicomlab, numpy", "dicomlab, numba")


def make(size: int, dtype: str) -> tuple[xr.DataArray, Geometry]:
    """A volume of `size` cubed voxels that is nowhere constant, and an oblique grid of as many around the same centre."""
    k, i, j = np.meshgrid(*[np.arange(size, dtype=np.float32)] * 3, indexing="ij", sparse=True)
    values = 900 * np.sin(k / 7) * np.cos(i / 9) + 300 * np.sin(j / 5 + k / 11)
    volume = make_volume(
        values.astype(dtype), affine=np.diag([0.8, 0.8, 1.0, 1.0])[:, [2, 1, 0, 3]], frame_of_reference="1.2"
    )
    turned, _ = np.linalg.qr(np.array([[0.9, 0.3, 0.2], [-0.25, 0.95, 0.1], [0.1, -0.3, 0.92]]))
    affine = np.eye(4)
    affine[:3, :3] = turned * [0.9, 0.8, 0.8]
    affine[:3, 3] = volume.dicom.lps([(size - 1) / 2] * 3) - affine[:3, :3] @ np.full(3, (size - 1) / 2)
    return volume, Geometry.from_affine(affine, (size,) * 3, "1.2")


def peers(volume: xr.DataArray, target: Geometry) -> dict[str, Callable[[], Any]]:
    """What makes the values of `volume` on `target`, by name; each returns an array, NaN or 0 outside."""
    made: dict[str, Callable[[], Any]] = {
        "dicomlab, numpy": lambda: volume.dicom.resample_like(target, antialias=False, engine="numpy").values
    }
    if compiled.available():
        made["dicomlab, numba"] = lambda: (
            volume.dicom.resample_like(target, antialias=False, engine="numba").values
        )
    source = volume.values
    back = np.linalg.inv(volume.dicom.affine) @ target.affine

    def affine_transform() -> Any:
        from scipy import ndimage

        return ndimage.affine_transform(
            source, back[:3, :3], back[:3, 3], target.shape, np.float32, order=1, mode="nearest"
        )

    def map_coordinates() -> Any:
        from scipy import ndimage

        index = np.stack(np.meshgrid(*map(np.arange, target.shape), indexing="ij"))
        where = np.tensordot(back[:3, :3], index, 1) + back[:3, 3][:, None, None, None]
        return ndimage.map_coordinates(source, where, np.float32, order=1, mode="nearest")

    made |= {"scipy affine_transform": affine_transform, "scipy map_coordinates": map_coordinates}
    try:
        import SimpleITK as sitk
    except ImportError:
        return made

    image, kept = sitk.GetImageFromArray(source), []
    frames = [_frame(volume.dicom.geometry), _frame(target)]
    image.SetOrigin(frames[0][0])
    image.SetSpacing(frames[0][1])
    image.SetDirection(frames[0][2])

    def itk() -> Any:
        one = sitk.ResampleImageFilter()
        one.SetSize([int(n) for n in target.shape[::-1]])
        one.SetOutputOrigin(frames[1][0])
        one.SetOutputSpacing(frames[1][1])
        one.SetOutputDirection(frames[1][2])
        one.SetInterpolator(sitk.sitkLinear)
        one.SetOutputPixelType(sitk.sitkFloat32)
        one.SetDefaultPixelValue(float("nan"))
        kept[:] = [one.Execute(image)]  # a view does not keep its image
        return sitk.GetArrayViewFromImage(kept[0])

    made["SimpleITK"] = itk
    return made


def _frame(geometry: Geometry) -> tuple[list[float], list[float], list[float]]:
    """Origin, spacing and direction as ITK has them, which counts column, row, slice."""
    matrix = geometry.affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(matrix, axis=0)
    return geometry.origin.tolist(), spacing.tolist(), (matrix / spacing).ravel().tolist()


def measure(made: dict[str, Callable[[], Any]], runs: int) -> tuple[dict[str, float], dict[str, float]]:
    """Median seconds of each, measured in turn; and the largest difference from the first one where both have a value."""
    first, differences = None, {}
    for name, work in made.items():
        values = np.array(work())
        first = values if first is None else first
        known = np.isfinite(first) & np.isfinite(values)
        differences[name] = float(np.abs(values - first)[known].max())
    times: dict[str, list[float]] = {name: [] for name in made}
    for _ in range(runs):
        for name, work in made.items():
            begun = time.perf_counter()
            work()
            times[name].append(time.perf_counter() - begun)
    return {name: statistics.median(found) for name, found in times.items()}, differences


def main(arguments: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.reslicing", description="Oblique resampling beside other libraries."
    )
    parser.add_argument("--size", type=int, default=235, help="voxels along each axis")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--dtype", default="float32", choices=["float32", "int16"])
    options = parser.parse_args(arguments)
    times, differences = measure(peers(*make(options.size, options.dtype)), options.runs)
    print(f"{options.size}^3 voxels of {options.dtype}, trilinear, oblique; median of {options.runs}")
    for name, seconds in times.items():
        ratios = "  ".join(f"{seconds / times[own]:6.2f} x {own}" for own in OWN if own in times)
        print(f"{name:24} {seconds:7.3f} s   {ratios}   largest difference {differences[name]:.2g}")


if __name__ == "__main__":
    main()
