"""OME-Zarr (NGFF 0.5): `save_ome_zarr`, `load_ome_zarr` (``pip install dicomlab[zarr]``).

NGFF 0.5 places voxels by a scale and a translation along each axis and knows no patient. So only volumes whose axes are those
of the patient are written; which ones is said twice, as ``orientation`` of each axis (NGFF's RFC-4, read by others) and as
the attribute ``dicomlab`` (read here). What is refused: ``docs/exchange.md``.
"""

from __future__ import annotations

import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.bare import Bare, Further, corner_shift, volume_of
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.geometry import AXES
from dicomlab.optional import optional
from dicomlab.warn import warn_user
from dicomlab.writing import written

__all__ = ["load_ome_zarr", "save_ome_zarr"]

FloatArray = npt.NDArray[np.float64]

_SUFFIXES = (".zarr",)
_DTYPES = (
    "uint8",
    "int8",
    "uint16",
    "int16",
    "uint32",
    "int32",
    "uint64",
    "int64",
    "float32",
    "float64",
)
_SPACE = ("z", "y", "x")
"""NGFF's names of slice, row and column."""
_TOWARDS = (
    ("right-to-left", "left-to-right"),
    ("anterior-to-posterior", "posterior-to-anterior"),
    ("inferior-to-superior", "superior-to-inferior"),
)
"""RFC-4's names of the directions in which x, y and z of LPS grow and fall."""
_MUCH = 8 << 30
"""Bytes for which no room is made if the file has next to none of them."""
_MANY = 100_000
"""Chunks that are not looked for one by one unless files for them are there."""
_APART = 0.01
"""mm by which a corner may move when an axis counts as one of the patient's."""


def _zarr() -> Any:
    return optional("zarr", purpose="OME-Zarr", extra="zarr")


def save_ome_zarr(volume: xr.DataArray, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a volume to a folder in OME-Zarr (NGFF 0.5, Zarr format 3), at full resolution.

    The axes are ``z`` (slice), ``y`` (row) and ``x`` (column) in millimetres, before them ``t`` (time) and ``c``: one other
    axis, or the colours. Axes that fall are turned around, so that every scale is positive. bool becomes uint8, float16
    float32.

    Parameters
    ----------
    volume
        Its axes are those of the patient: axial, coronal or sagittal, neither oblique nor tilted.
    path
        Ends with ``.zarr``; a folder is made there, whole or not at all.
    overwrite
        Whether an OME-Zarr that is there already is replaced.

    Raises
    ------
    OverwriteError
        Something is there already.
    GeometryError
        An oblique volume; uneven slices (``.dicom.regularize()`` mends them); a tilted gantry (``.dicom.rectify()``); no
        place in the patient.
    UnsupportedError
        More axes, or other values, than NGFF 0.5 has.
    DicomLabError
        Times that are no even series; a name that does not end so, a folder that is not there.

    References
    ----------
    NGFF 0.5, "multiscales" metadata; NGFF RFC-4, anatomical orientation.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.eye(4)[[2, 1, 0, 3]], units="HU")
    >>> save_ome_zarr(volume, tmp_path / "volume.zarr")
    >>> load_ome_zarr(tmp_path / "volume.zarr").dicom.lps([1, 2, 3])
    array([3., 2., 1.])
    """
    package = _zarr()
    volume = _risen(volume)
    plain = Bare.of(volume, purpose="OME-Zarr", dtypes=_DTYPES, tilt=0.1)
    direction, translated = _along_patient(plain)
    values, channel = _with_channel(plain)
    time = Further.of(volume, "time", purpose="OME-Zarr") if "time" in plain.names else None
    axes: list[dict[str, Any]] = []
    scale, translation = [1.0] * (values.ndim - 3), [0.0] * (values.ndim - 3)
    if time is not None:
        axes.append({"name": "t", "type": "time"})
        if time.is_numbered:
            axes[0]["unit"] = "second"
            scale[0], translation[0] = time.step or 1.0, time.start
    if channel is not None:
        axes.append({"name": "c", "type": "channel"})
    for axis, letter in enumerate(_SPACE):
        world = int(np.argmax(np.abs(direction[:, axis])))
        value = _TOWARDS[world][0 if direction[world, axis] > 0 else 1]
        axes.append(
            {
                "name": letter,
                "type": "space",
                "unit": "millimeter",
                "orientation": {"type": "anatomical", "value": value},
            }
        )
    scale += np.linalg.norm(plain.affine[:3, :3], axis=0).tolist()
    translation += translated.tolist()
    level = {
        "path": "0",
        "coordinateTransformations": [
            {"type": "scale", "scale": scale},
            {"type": "translation", "translation": translation},
        ],
    }
    own: dict[str, Any] = {
        "coordinate_system": "LPS",
        "direction": direction.ravel().tolist(),
        "frame_of_reference": plain.geometry.frame_of_reference,
        "channel": channel,
        "labels": _labels(volume, channel),
        "time_is_known": time is not None and time.is_numbered,
        "units": plain.units,
        "name": None if volume.name is None else str(volume.name),
    }
    image = {"name": own["name"] or "volume", "axes": axes, "datasets": [level]}
    attributes = {"ome": {"version": "0.5", "multiscales": [image]}, "dicomlab": own}
    with written(path, overwrite=overwrite, suffixes=_SUFFIXES, replaceable=_is_ome_zarr) as part:
        group = package.create_group(store=str(part), zarr_format=3, attributes=attributes)
        array = group.create_array(
            "0",
            shape=values.shape,
            dtype=values.dtype,
            dimension_names=[axis["name"] for axis in axes],
            config={
                "write_empty_chunks": True
            },  # so that a chunk which is not there is a chunk that was lost
        )
        array[...] = values


def _risen(volume: xr.DataArray) -> xr.DataArray:
    """The volume with axes turned around whose positions fall."""
    falls = {
        name: slice(None, None, -1)
        for name in AXES
        if name in volume.dims and volume.sizes[name] > 1 and volume[name].values[-1] < volume[name].values[0]
    }
    return volume.isel(falls)


def _along_patient(plain: Bare) -> tuple[FloatArray, FloatArray]:
    """Unit vectors of slice, row and column as columns, and mm along them of the first voxel.

    What leans by less than matters is kept for `load_ome_zarr`; others see it squared.
    """
    steps = np.linalg.norm(plain.affine[:3, :3], axis=0)
    direction = plain.affine[:3, :3] / steps
    first = np.asarray(np.linalg.solve(direction, plain.affine[:3, 3]), dtype=np.float64)
    nearest = np.rint(direction)
    squared = np.eye(4)
    squared[:3, :3], squared[:3, 3] = nearest * steps, nearest @ first
    off = corner_shift(squared, plain.affine, plain.geometry.shape)
    if not (np.abs(nearest).sum(axis=0) == 1).all() or off > _APART:
        raise GeometryError(
            "OME-Zarr 0.5 has a scale and a translation for each axis and no directions; this volume is oblique: squared to "
            f"the axes of the patient, a corner would move by {off:.3g} mm. NIfTI, NRRD, netCDF and zarr (volume.to_zarr) "
            "keep its directions; or bring it onto an axial grid first."
        )
    return np.asarray(direction + 0.0, dtype=np.float64), first


def _with_channel(plain: Bare) -> tuple[npt.NDArray[Any], str | None]:
    """Values with axes (t, c, z, y, x), as many as there are, and the dimension that became c."""
    others = [name for name in plain.names if name != "time"]
    if len(others) + plain.is_colour > 1:
        names = ", ".join([*others, *(["sample"] if plain.is_colour else [])])
        raise UnsupportedError(
            f"OME-Zarr 0.5 has one axis beside time and space; this volume has {names}. Pick a step of all but one (isel)."
        )
    count = len(plain.names)
    if plain.is_colour:
        return np.moveaxis(plain.values, -1, count), "sample"
    if not others:
        return plain.values, None
    return (np.swapaxes(plain.values, 0, 1) if count == 2 else plain.values), others[0]


def _labels(volume: xr.DataArray, channel: str | None) -> list[Any] | None:
    if channel is None or channel not in volume.coords:
        return None
    labels = volume.coords[channel].values.tolist()
    return labels if all(type(label) in (int, float, str) for label in labels) else list(map(str, labels))


def _is_ome_zarr(path: Path) -> bool:
    try:
        metadata = json.loads((path / "zarr.json").read_bytes())
    except (OSError, ValueError):
        return False
    return isinstance(metadata, dict) and "ome" in (metadata.get("attributes") or {})


def load_ome_zarr(path: str | os.PathLike[str]) -> xr.DataArray:
    """The volume of an OME-Zarr that `save_ome_zarr` wrote, in memory, every voxel at its patient position.

    Scale and translation are those of the file's finest level, so that a file which another program cropped is still right.

    Parameters
    ----------
    path
        The folder.

    Returns
    -------
    xarray.DataArray
        Dims (…, slice, row, column), in colour with ``sample`` at the end; unit, name, labels and frame of reference as they
        were.

    Raises
    ------
    GeometryError
        The file does not say how its axes lie in a patient: NGFF 0.5 by itself does not.
    UnsupportedError
        It has other transformations, or another version.
    DicomLabError
        There is no OME-Zarr, or it is damaged.

    Warns
    -----
    DicomLabWarning
        Chunks are not there. `save_ome_zarr` writes all; other programs leave out those that hold only 0.
    """
    package = _zarr()
    folder = Path(path)
    if not _is_ome_zarr(folder):
        raise DicomLabError(
            f"there is no OME-Zarr {str(folder)!r}: one is a folder whose zarr.json has an attribute 'ome'"
        )
    try:
        group = package.open_group(store=str(folder), mode="r", zarr_format=3)
        attributes = dict(group.attrs)
    except Exception as problem:  # whatever a broken folder makes zarr raise
        raise DicomLabError(
            f"{folder.name} cannot be read as Zarr ({type(problem).__name__}: {problem})"
        ) from problem
    own = attributes.get("dicomlab")
    if not isinstance(own, dict) or own.get("coordinate_system") != "LPS":
        raise GeometryError(
            f"{folder.name} does not say how its axes lie in a patient: OME-Zarr 0.5 by itself does not, and the attribute "
            "'dicomlab' that save_ome_zarr writes is not there. If you know, make_volume(values, affine=…) places the values."
        )
    try:
        axes, level = _finest(attributes["ome"])
        direction = np.asarray(own["direction"], dtype=np.float64).reshape(3, 3)
        scale, translation = _transformation(level, len(axes))
        array = group[level["path"]]
        if array.ndim != len(axes):
            raise UnsupportedError(f"{array.ndim} axes are stored, {len(axes)} described")
        _check_there(array, folder / level["path"])
        values = np.asarray(array[...])
        return _volume(values, axes, scale, translation, direction, own)
    except DicomLabError as problem:
        raise type(problem)(f"{folder.name}: {problem}") from problem
    except Exception as problem:  # metadata and chunks may be anything
        raise DicomLabError(
            f"{folder.name} is damaged, or no OME-Zarr 0.5 ({type(problem).__name__}: {problem})"
        ) from problem


def _check_there(array: Any, folder: Path) -> None:
    """Metadata may claim any size; room for much is made only if files for it are there, and lacking ones are told of."""
    pieces = math.prod(
        -(-n // step) for n, step in zip(array.shape, array.shards or array.chunks, strict=True)
    )
    files = sum(1 for path in folder.rglob("*") if path.is_file() and path.name != "zarr.json")
    if (array.nbytes > _MUCH or pieces > _MANY) and 100 * files < pieces:
        raise DicomLabError(
            f"it speaks of {array.shape} voxels, {array.nbytes} bytes; hardly any of them are there"
        )
    if files < pieces:
        warn_user(
            f"{folder.parent.name}: {pieces - files} of {pieces} chunks are not there; their voxels have the value "
            f"{array.fill_value}. That is right if another program left out chunks that hold nothing else, and wrong if "
            "the folder was copied in part."
        )


def _finest(ome: dict[str, Any]) -> tuple[list[str], dict[str, Any]]:
    """Names of the axes, and the first level, which is the finest by NGFF's rule."""
    if ome.get("version") != "0.5":
        raise UnsupportedError(f"OME-Zarr of version {ome.get('version')}; 0.5 is read")
    image = ome["multiscales"][0]
    axes = [str(axis["name"]) for axis in image["axes"]]
    if axes not in ([*more, *_SPACE] for more in ([], ["t"], ["c"], ["t", "c"])):
        raise UnsupportedError(f"the axes are {', '.join(axes)}; (t, c, z, y, x) are read")
    if any(axis.get("unit") != "millimeter" for axis in image["axes"][-3:]):
        raise UnsupportedError("its space is not measured in millimetres")
    if image.get("coordinateTransformations"):
        raise UnsupportedError("it has a transformation for all levels together, which is not read")
    return axes, image["datasets"][0]


def _transformation(level: dict[str, Any], count: int) -> tuple[FloatArray, FloatArray]:
    scale, translation = np.ones(count), np.zeros(count)
    for number, one in enumerate(level["coordinateTransformations"]):
        if (one["type"], number) == ("scale", 0):
            scale = np.asarray(one["scale"], dtype=np.float64)
        elif (one["type"], number) == ("translation", 1):
            translation = np.asarray(one["translation"], dtype=np.float64)
        else:
            raise UnsupportedError("a scale and a translation are read, in this order; it has others")
    if scale.shape != (count,) or translation.shape != (count,):
        raise UnsupportedError(f"its scale or translation has no {count} numbers")
    return scale, translation


def _volume(
    values: npt.NDArray[Any],
    axes: list[str],
    scale: FloatArray,
    translation: FloatArray,
    direction: FloatArray,
    own: dict[str, Any],
) -> xr.DataArray:
    affine = np.eye(4)
    affine[:3, :3] = direction * scale[-3:]
    affine[:3, 3] = direction @ translation[-3:]
    is_colour = own.get("channel") == "sample"
    found: list[Further] = []
    labels: dict[str, Any] = {}
    if "t" in axes:
        unit = "s" if own.get("time_is_known") else ""
        numbers = (float(translation[0]), float(scale[0])) if unit else (0.0, float("nan"))
        found.append(Further("time", values.shape[0], *numbers, units=unit))
        labels["time"] = None
    if "c" in axes:
        where = axes.index("c")
        if is_colour:
            values = np.moveaxis(values, where, -1)
        else:
            found.append(Further(str(own["channel"]), values.shape[where]))
            labels[str(own["channel"])] = own.get("labels")
    return volume_of(
        values,
        affine,
        found=found,
        labels=labels,
        last="sample" if is_colour else None,
        frame_of_reference=str(own["frame_of_reference"]),
        units=str(own.get("units") or "") or None,
        name=own.get("name"),
    )
