"""From a volume to a NRRD file and back: `save_nrrd`, `load_nrrd`.

NRRD counts (column, row, slice); the files written here point to LPS. What they can hold, and what is refused:
``docs/exchange.md``.
"""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.bare import Bare, Further, Labels, volume_of
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.extras.nrrd.segments import as_mask, read_segments, segment_fields
from dicomlab.geometry import Geometry
from dicomlab.masks.exchange import Names, to_file
from dicomlab.optional import optional
from dicomlab.writing import written

__all__ = ["load_nrrd", "save_nrrd"]

FloatArray = npt.NDArray[np.float64]

_SUFFIXES = (".nrrd",)
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
_SPACES = {
    "left-posterior-superior": (1, 1, 1),
    "lps": (1, 1, 1),
    "right-anterior-superior": (-1, -1, 1),
    "ras": (-1, -1, 1),
    "left-anterior-superior": (1, -1, 1),
    "las": (1, -1, 1),
}
"""Signs that turn the axes of each space into those of LPS."""
_MM = {"mm": 1.0, "millimeter": 1.0, "millimetre": 1.0, "cm": 10.0, "m": 1000.0, "um": 1e-3, "": 1.0}
_COLOURS = ("RGB-color", "3-color")


def _nrrd() -> Any:
    return optional("nrrd", purpose="NRRD", extra="nrrd")


def save_nrrd(volume: xr.DataArray, path: str | os.PathLike[str], *, overwrite: bool = False) -> None:
    """Write a volume to a NRRD file, every value and every position.

    Axes are (column, row, slice, …) with ``space: left-posterior-superior`` and one vector of mm a voxel each, sheared where
    the gantry was tilted. Further axes keep their names, and their numbers where these form an even series. The unit of the
    values is kept. bool becomes uint8, float16 float32. Masks become label maps, whose header tells 3D Slicer the names,
    colours and codes of the labels; Slicer looks for them in files that end with ``.seg.nrrd``.

    Parameters
    ----------
    volume
        Dims slice, row, column and any others, with ``sample`` in colour.
    path
        Ends with ``.nrrd``. The file is there whole or not at all.
    overwrite
        Whether a file that is there already is replaced.

    Raises
    ------
    OverwriteError
        The file is there already.
    GeometryError
        There is no one affine (uneven slices: ``.dicom.regularize()`` mends them), or no place in the patient.
    UnsupportedError
        Complex values, or others that NRRD does not hold; a mask with labels that overlap.
    DicomLabError
        Times that are no even series; a name that does not end so, a folder that is not there.

    Warns
    -----
    DicomLabWarning
        Labels of a further axis are left out, because they form no even series; or a name is not in ASCII.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.eye(4)[[2, 1, 0, 3]], units="HU")
    >>> save_nrrd(volume, tmp_path / "volume.nrrd")
    >>> load_nrrd(tmp_path / "volume.nrrd").dicom.units
    'HU'
    """
    package = _nrrd()
    volume, labels = to_file(volume)
    plain = Bare.of(volume, purpose="NRRD", dtypes=_DTYPES)
    further = [Further.of(volume, name, purpose="NRRD") for name in plain.names]
    before, after = (1 if plain.is_colour else 0), len(further)
    nowhere = [np.full(3, np.nan)]
    known = further[::-1]
    header: dict[str, Any] = {
        "space": "left-posterior-superior",
        "space directions": np.array(
            [*nowhere * before, *plain.affine[:3, [2, 1, 0]].T, *nowhere * after], np.float64
        ),
        "space origin": plain.affine[:3, 3],
        "space units": ["mm"] * 3,
        "kinds": [
            *["RGB-color"] * before,
            *["space"] * 3,
            *["list"] * len(known),  # ITK reads a list as components of a voxel, and refuses the kind "time"
        ],
        "labels": [
            *["sample"] * before,
            "column",
            "row",
            "slice",
            *(_words(axis.name) for axis in known),
        ],
        "encoding": "gzip",
    }
    if any(axis.is_numbered for axis in known):
        none = [np.nan] * (before + 3)
        header["spacings"] = [*none, *(axis.step or np.nan for axis in known)]
        header["axis mins"] = [*none, *(axis.start if axis.is_numbered else np.nan for axis in known)]
        header["units"] = [*[""] * (before + 3), *(_words(axis.units) for axis in known)]
    if _words(plain.units):
        header["sample units"] = plain.units
    if not further:
        header |= segment_fields(labels, plain.geometry.shape)
    with written(path, overwrite=overwrite, suffixes=_SUFFIXES) as part, warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # pynrrd asks for the time in an old way
        package.write(
            str(part), np.ascontiguousarray(plain.values), header, compression_level=5, index_order="C"
        )


def _words(text: str) -> str:
    """The text if it fits into a line of a header, which is ASCII, else none."""
    return text if text.isascii() and text.isprintable() and not set(text) & set('"\\') else ""


def load_nrrd(
    path: str | os.PathLike[str],
    *,
    labels: Labels | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
    names: Names | None = None,
) -> xr.DataArray:
    """The volume of a NRRD file, in memory, every voxel at its patient position.

    Parameters
    ----------
    path
        A file that ends with ``.nrrd``, with its data inside.
    labels
        Names of the axes beside the three of space, the last one of the file first, each with its labels, or None for the
        numbers that the file has. Without it, names are those of the file, else ``frame``, ``frame2`` ….
    frame_of_reference
        Frame of Reference UID. NRRD names none: without it, the volume shares its frame with no other. Give that of a volume
        (``ct.dicom.frame_of_reference``), or ``like=ct``, if you know that the image lies in it.
    units, name
        As for `make_volume`; without `units`, those of the file.
    like
        A volume that the image was made of: it gives what is not given here, its frame of reference, name and unit, and the
        windows that go with this unit; of a label map its frame of reference alone.
    names
        Says that the values are labels, and what they are called: ``{1: "spleen"}``, or names or `dicomlab.masks.Label` in the
        order of numbers from 1 on; ``{}`` names none. They go before those that the file tells.

    Returns
    -------
    xarray.DataArray
        Dims (…, slice, row, column), in colour with ``sample`` at the end; slices run along the third axis of space. The
        dtype of the file. Segments of 3D Slicer are a label map with their names, colours and codes; in several layers, where
        they may overlap, bool with dim ``segment``, numbered from 1 on.

    Raises
    ------
    GeometryError
        The file does not say where its voxels are in a patient, or its directions are no grid of image planes.
    UnsupportedError
        Its data are in another file, or its axes make no volume.
    DicomLabError
        There is no such file, or it is no NRRD, or damaged; `labels` do not fit.
    """
    package = _nrrd()
    file = Path(path)
    if not file.name.lower().endswith(_SUFFIXES):
        raise DicomLabError(f"a NRRD file ends with .nrrd, found {file.name!r}")
    if not file.is_file():
        raise DicomLabError(
            f"there is no file {str(file)!r}. Check the path; it is relative to {Path.cwd()}."
        )
    try:
        with file.open("rb") as stream:
            segments = read_segments(stream)
            stream.seek(0)
            header = package.read_header(stream)
            if "data file" in header or "datafile" in header:
                # A header may name any file of this machine.
                raise UnsupportedError(
                    f"{file.name}: its data are in another file; only .nrrd files that hold them are read"
                )
            values = package.read_data(header, stream, None, "C")
    except DicomLabError:
        raise
    except Exception as problem:  # whatever a broken file makes pynrrd raise
        raise DicomLabError(
            f"{file.name} cannot be read as NRRD ({type(problem).__name__}: {problem})"
        ) from problem
    try:
        if like is not None and (segments or names is not None):
            # Labels are in no unit, and are called by their own names.
            frame_of_reference, like = (
                frame_of_reference or Geometry.from_volume(like).frame_of_reference,
                None,
            )
        volume = _volume(values, header, labels, frame_of_reference, units, name, like)
        return as_mask(volume, segments, names)
    except DicomLabError as problem:
        raise type(problem)(f"{file.name}: {problem}") from problem


def _volume(
    values: npt.NDArray[Any],
    header: dict[str, Any],
    labels: Labels | None,
    frame_of_reference: str | None,
    units: str | None,
    name: str | None,
    like: xr.DataArray | None,
) -> xr.DataArray:
    if values.dtype.kind not in "iuf":
        raise UnsupportedError(f"its samples are blocks of bytes ({values.dtype}), not numbers")
    vectors, affine = _place(header, values.ndim)
    placed = [not np.isnan(vector).any() for vector in vectors]
    kinds = [str(kind) for kind in header.get("kinds", ["???"] * values.ndim)]
    others = [k for k in range(values.ndim) if not placed[k]]  # axes of the file, fastest first
    colours = [k for k in others if kinds[k] in _COLOURS and header["sizes"][k] == 3]
    colour = colours[0] if kinds and len(colours) == 1 and kinds[colours[0]] == "RGB-color" else None
    further = [k for k in others if k != colour]
    order = [
        *further[::-1],
        *[k for k in range(values.ndim) if placed[k]][::-1],
        *([] if colour is None else [colour]),
    ]
    values = values.transpose([values.ndim - 1 - k for k in order])
    return volume_of(
        values.astype(values.dtype.newbyteorder("="), copy=False),
        affine,
        found=_further(header, further)[::-1],
        labels=labels,
        last=None if colour is None else "sample",
        frame_of_reference=frame_of_reference,
        units=units or header.get("sample units") or None,
        name=name,
        like=like,
    )


def _place(header: dict[str, Any], count: int) -> tuple[FloatArray, FloatArray]:
    """The direction of each axis of the file (rows of NaN where it is none of space), and the affine to LPS mm."""
    space = str(header.get("space", "")).lower()
    if space not in _SPACES:
        raise GeometryError(
            f"the space of this NRRD is {space or 'not named'}; only {', '.join(s for s in _SPACES if '-' in s)} say where "
            "voxels are in a patient"
        )
    vectors = header.get("space directions")
    origin = header.get("space origin")
    if vectors is None or origin is None:
        raise GeometryError(
            "this NRRD does not say where its voxels are: it needs space directions and a space origin"
        )
    vectors, origin = (np.asarray(numbers, dtype=np.float64) for numbers in (vectors, origin))
    placed = ~np.isnan(vectors).any(axis=-1)
    if vectors.shape != (count, 3) or origin.shape != (3,) or int(np.sum(placed)) != 3:
        raise UnsupportedError(
            f"a volume has three axes of space, each with a direction; this NRRD has {int(np.sum(placed))} among {count}"
        )
    named = {str(unit).lower() for unit in header.get("space units", ["mm"])}
    if len(named) != 1 or not named <= set(_MM):
        raise UnsupportedError(f"the space of this NRRD is measured in {', '.join(sorted(named))}, not in mm")
    to_lps = np.diag(_SPACES[space]) * _MM[named.pop()]
    affine = np.eye(4)
    affine[:3, :3] = (to_lps @ vectors[placed].T)[:, ::-1]
    affine[:3, 3] = to_lps @ origin
    return vectors, affine


def _further(header: dict[str, Any], axes: list[int]) -> list[Further]:
    """What the header says of these axes."""

    def said(field: str, axis: int, otherwise: Any) -> Any:
        return header[field][axis] if field in header and axis < len(header[field]) else otherwise

    found: list[Further] = []
    for number, axis in enumerate(axes, start=1):
        names = [said("labels", axis, ""), "frame" if number == 1 else f"frame{number}"]
        taken = {"", "slice", "row", "column", "sample", *(one.name for one in found)}
        size = int(header["sizes"][axis])
        start, step = (float(said(field, axis, np.nan)) for field in ("axis mins", "spacings"))
        unit = str(said("units", axis, ""))
        name = next(str(name) for name in names if name not in taken)
        if np.isnan(start):
            start, step = 0.0, np.nan  # a step alone numbers nothing
        else:
            if str(said("centerings", axis, "")) == "cell" and not np.isnan(step):
                start += step / 2  # an axis of cells begins at the border of the first one
            step = 0.0 if size == 1 else step
        if name == "time" and unit == "ms":
            start, step, unit = start / 1000, step / 1000, "s"
        found.append(Further(name, size, start, step, unit))
    return found
