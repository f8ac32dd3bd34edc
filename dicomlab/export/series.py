"""From a volume to a folder of DICOM images: `write_series`."""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.datasets import take_one
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.export.folder import file_name, new_folder
from dicomlab.export.image import Images
from dicomlab.export.kinds import KEYWORDS, PET, choose_kind
from dicomlab.export.origin import Origin
from dicomlab.export.place import Placement, frame_uid
from dicomlab.export.steps import COMPONENT, Steps
from dicomlab.export.stored import Storing, find_storing
from dicomlab.flat import ImagePlane, is_flat
from dicomlab.geometry import AXES, Geometry
from dicomlab.privacy import MASK
from dicomlab.read.picking import Source, find_stack
from dicomlab.read.progress import Progress
from dicomlab.warn import warn_user

__all__ = ["write_series"]

Pixels = npt.NDArray[Any]

_LONGEST_DERIVATION = 640
"""Derivation Description (0008,2111) has room for 1024."""


def write_series(
    volume: xr.DataArray,
    folder: str | os.PathLike[str],
    *,
    source: Source | None = None,
    description: str | None = None,
    derivation: str = "",
    series_number: int | None = None,
    max_error: float | None = None,
    nan: float | None = None,
    overwrite: bool = False,
    progress: bool = True,
) -> list[Path]:
    """Files of a new derived DICOM series that holds a volume: one image a slice, each at its own patient position.

    Geometry is written as it is, to the sixteen characters of a decimal string: uneven slices, a gantry tilt, oblique and
    flipped axes. Whole numbers are kept exactly where they fit into 16 bits; other values are rounded to 65536 even steps
    between the lowest and the highest, and a warning says by how much. Windows and the unit go along; tables (VOI LUTs) do not.
    Nothing is left in the folder when writing fails.

    Parameters
    ----------
    volume
        Dims slice, row, column in any order; axes that were picked away by an integer count as length 1. Of further axes
        ``time`` (s), ``temporal_position``, ``acquisition_number``, ``b_value``, ``echo_time``, ``inversion_time``,
        ``flip_angle``, ``tube_voltage`` and ``component`` have attributes that tell their steps apart. A lazy volume is read
        plane by plane, or chunk by chunk, and twice where its type does not tell the range of its values.
    folder
        New or empty. Files are named by Instance Number: ``00001.dcm`` …
    source
        The series, stack, folder or file that the volume was made from. The new series then belongs to its patient and study
        and refers to its images: each image to those that lie where it lies, or on both sides of it. None writes a study of
        nobody. Nothing of the patient is ever taken from anywhere else.
    description
        Series Description (0008,103E); None for that of the volume with ``"derived"`` behind it.
    derivation
        Derivation Description (0008,2111): how the values were made.
    series_number
        Series Number (0020,0011).
    max_error
        Most by which a value may be changed, in the unit of the values; 0 refuses any rounding. None takes what 16 bits give,
        and warns.
    nan
        Value in place of NaN, which images cannot hold.
    overwrite
        Whether a folder may be replaced that holds nothing but files which `write_series` wrote.
    progress
        Show a bar when it takes longer than a second.

    Returns
    -------
    list of pathlib.Path
        In the order of Instance Number: slices in the order of the volume, step after step.

    Raises
    ------
    UnsupportedError
        A mask, colour, an image without a place in the patient, an axis that no attribute tells.
    GeometryError
        Positions are missing or not finite; rows or columns are uneven; two slices lie at one position.
    DicomLabError
        NaN and `nan` is None, infinities, a rounding above `max_error`, a folder that is not empty.

    Warns
    -----
    DicomLabWarning
        Values were rounded; the SOP Class of the modality asks for more than the source tells; or the volume lies in another
        frame of reference than its source.

    Notes
    -----
    The SOP Class is CT, MR or PET Image Storage where all that it demands is known, else Secondary Capture Image Storage, whose
    images have their positions all the same. Every image says that it is derived, and has new UIDs. Slice Thickness is that of
    the source while slices are where the source has them, else empty.

    References
    ----------
    PS3.3 A.3, A.4, A.21, A.8.1 (IODs); C.7.6.1 "General Image Module"; C.7.6.2 "Image Plane Module"; C.11.1 "Modality LUT
    Module".

    Examples
    --------
    >>> from dicomlab import load_volume, phantom
    >>> study = phantom.write_study(tmp_path / "study", coarser=8)
    >>> ct = load_volume(study.ct.folder)
    >>> files = write_series(ct.clip(-200, 300), tmp_path / "clipped", source=study.ct.folder)
    >>> again = load_volume(tmp_path / "clipped")
    >>> len(files) == ct.sizes["slice"], again.attrs["SeriesDescription"]
    (True, 'Thorax abdomen portal venous derived')
    >>> bool((again == ct.clip(-200, 300)).all())
    True
    """
    _refuse_what_is_no_volume(volume)
    if nan is not None and not np.isfinite(nan):
        raise DicomLabError(f"nan= is the value that stands in place of NaN, a finite number; found {nan}")
    if len(derivation) > _LONGEST_DERIVATION:
        raise DicomLabError(
            f"derivation= has {len(derivation)} characters; at most {_LONGEST_DERIVATION} fit beside what is told anyway"
        )
    geometry = Geometry.from_volume(volume)
    placement = Placement.of(geometry)
    whole = _with_all_axes(volume)
    origin = None
    if source is not None:
        stack, _ = find_stack(source, progress=progress)
        origin = Origin(stack, KEYWORDS, geometry.frame_of_reference, progress)
        if not origin.shares_frame and not geometry.frame_of_reference.startswith("unknown:"):
            warn_user(
                "the volume lies in another frame of reference than its source: patient and study are those of the source, and "
                "each image refers to all of its images"
            )
    modality = str(
        volume.attrs.get("Modality") or ("" if origin is None else origin.stack.instances[0].modality)
    )
    steps = Steps(whole, modality)
    places = [(*index, k) for index in np.ndindex(steps.shape) for k in range(len(placement.positions))]
    sources = {
        place: () if origin is None else origin.images_of(placement, place[-1], steps.labels(place[:-1]))
        for place in places
    }
    kind, reason = choose_kind(modality, steps.units((0,) * len(steps.shape)), origin, sources.values())
    if reason and origin is not None:
        warn_user(f"written as Secondary Capture, not as images of the modality {modality}: {reason}")
    target = Path(folder).expanduser()
    with new_folder(target, overwrite=overwrite) as written:
        storings = _storings(whole, kind is PET, modality not in ("CT", "MR", "PT"), nan, max_error, progress)
        images = Images(
            kind,
            modality,
            frame_uid(geometry.frame_of_reference),
            placement,
            steps,
            storings,
            origin,
            attrs=volume.attrs,
            description=_described(volume, description),
            derivation=derivation,
            number=series_number,
        )
        with Progress(len(places), "writing images", progress) as bar:
            for place, plane in _planes(whole):
                number = 1 + int(np.ravel_multi_index(place, (*steps.shape, len(placement.positions))))
                image = images.image(number, place, sources[place], plane)
                image.save_as(written / file_name(number), enforce_file_format=True)
                bar.step()
    return [target / file_name(k + 1) for k in range(len(places))]


def _refuse_what_is_no_volume(volume: Any) -> None:
    if isinstance(volume, xr.Dataset):
        raise GeometryError(take_one(volume))
    if not isinstance(volume, xr.DataArray):
        raise GeometryError(
            f"a volume was asked for, found {type(volume).__name__}: dicomlab.make_volume(values, affine=…) makes one of any "
            "array"
        )
    if is_flat(volume):
        raise UnsupportedError(
            "write_series writes slices that have a place in the patient; this image has none: "
            f"{ImagePlane.from_image(volume).explanation}"
        )
    if "sample" in volume.dims:
        raise UnsupportedError(
            "write_series writes one value a voxel; this volume has red, green and blue along 'sample'. Pick one, or make grey "
            "of them, first."
        )
    if volume.dtype == np.bool_ or volume.attrs.get("Modality") == "SEG" or "segment" in volume.dims:
        raise UnsupportedError(
            "this is a mask, which would be taken for a picture: DICOM has Segmentation objects for masks, which "
            "mask.dicom.save_seg writes. As numbers all the same: write_series(mask.astype('uint8'), …) of an array without "
            "Modality 'SEG'."
        )
    if volume.dtype.kind == "c":
        raise UnsupportedError(
            "an image holds real numbers, these are complex: put their parts along an axis 'component' with the labels "
            "magnitude and phase, or real and imaginary"
        )


def _with_all_axes(volume: xr.DataArray) -> xr.DataArray:
    """The volume with dims (…, slice, row, column)."""
    lacking = [name for name in AXES if name not in volume.dims]
    return (volume.expand_dims(lacking) if lacking else volume).transpose(..., *AXES)


def _described(volume: xr.DataArray, description: str | None) -> str:
    if description is None:
        told = str(volume.attrs.get("SeriesDescription", "")).replace(MASK, " ")
        own = " ".join("".join(c for c in told if c.isprintable() and c != "\\").split())
        description = " ".join(filter(None, (own[:56].strip(), "derived")))
    if len(description) > 64 or "\\" in description or not description.isprintable():
        raise DicomLabError(
            f"a Series Description (0008,103E) has at most 64 printable characters and no backslash; found {description!r}"
        )
    return description


def _storings(
    volume: xr.DataArray,
    centred: bool,
    short: bool,
    nan: float | None,
    max_error: float | None,
    progress: bool,
) -> tuple[Storing, ...]:
    """How the values are stored: in one way, or, as magnitude and phase share no scale, in one for each component."""
    parts = [volume]
    if COMPONENT in volume.dims:
        parts = [volume.isel({COMPONENT: [k]}) for k in range(volume.sizes[COMPONENT])]
    with Progress(int(np.prod(volume.shape[:-2])), "finding the range of the values", progress) as bar:

        def looked_at(part: xr.DataArray) -> Iterator[Pixels]:
            for _, plane in _planes(part):
                yield plane
                bar.step()

        storings = tuple(
            find_storing(
                volume.dtype, looked_at(part), nan=nan, centred=centred, short=short, signed=len(parts) == 1
            )
            for part in parts
        )
    error = max(storing.error for storing in storings)
    if not error:
        return storings
    unit = str(volume.attrs.get("units", ""))
    said = f"values are rounded by up to {error:.3g}{f' {unit}' if unit else ''}, half a step of the 16 bits of an image"
    if max_error is None:
        warn_user(f"{said}. max_error= says how much is allowed.")
    elif error > max_error:
        raise DicomLabError(
            f"{said}, and max_error={max_error:g} was asked for: write parts of the range as series of their own, or scale "
            "and round the values to whole numbers first"
        )
    return storings


def _planes(volume: xr.DataArray) -> Iterator[tuple[tuple[int, ...], Pixels]]:
    """Every plane with its place along the dims before row and column; of dask arrays one block of whole planes at a time."""
    dims = volume.dims[:-2]
    blocks = volume.chunksizes if volume.chunks else {}
    edges = [np.cumsum((0, *blocks.get(dim, (1,) * volume.sizes[dim]))).tolist() for dim in dims]
    for starts in itertools.product(*map(_pairs, edges)):
        block = volume.isel({dim: slice(*ends) for dim, ends in zip(dims, starts, strict=True)}).values
        for index in np.ndindex(block.shape[:-2]):
            yield tuple(start + k for (start, _), k in zip(starts, index, strict=True)), block[index]


def _pairs(edges: Sequence[int]) -> list[tuple[int, int]]:
    return list(itertools.pairwise(edges))
