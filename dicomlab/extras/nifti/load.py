"""From NIfTI to a volume: `from_nibabel`, `load_nifti`."""

from __future__ import annotations

import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import lps_to_ras
from dicomlab.bare import Further, Labels, corner_shift, volume_of
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.extras.nifti.labels import read_labels
from dicomlab.extras.nifti.standard import APART, RGB, SPACE, SUFFIXES, nibabel
from dicomlab.geometry import Geometry
from dicomlab.masks.exchange import Names, from_file
from dicomlab.warn import warn_user

if TYPE_CHECKING:
    import nibabel as nib

__all__ = ["from_nibabel", "load_nifti"]

FloatArray = npt.NDArray[np.float64]

_MM = {"mm": 1.0, "meter": 1000.0, "micron": 0.001}
_SECONDS = {"sec": 1.0, "msec": 1e-3, "usec": 1e-6}


def from_nibabel(
    image: nib.spatialimages.SpatialImage,
    *,
    labels: Labels | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
    names: Names | None = None,
) -> xr.DataArray:
    """The volume of a nibabel image, every voxel at its patient position.

    Parameters
    ----------
    image
        A `nibabel.Nifti1Image`, or another image of nibabel with an affine in RAS mm.
    labels
        Names of the axes beyond the third, in their order, each with its labels: ``{"b_value": [0, 1000]}``; None for the
        numbers that the image has. Without it, the fourth axis is ``time`` (s) where the image gives seconds, else ``frame``.
    frame_of_reference
        Frame of Reference UID. NIfTI names none: without it, the volume shares its frame with no other. Give that of a volume
        (``ct.dicom.frame_of_reference``), or ``like=ct``, if you know that the image lies in it.
    units, name
        As for `make_volume`.
    like
        A volume that the image was made of: it gives what is not given here, its frame of reference, name and unit, and the
        windows that go with this unit; of a label map its frame of reference alone.
    names
        Says that the values are labels, and what they are called: ``{1: "spleen"}``, or names or `dicomlab.masks.Label` in the
        order of numbers from 1 on; ``{}`` names none. They go before those that the image tells.

    Returns
    -------
    xarray.DataArray
        Dims (…, slice, row, column); slices run along the third axis of the image. The slope is applied: whole numbers where
        it is whole, else float64; without one, the dtype of the file. ``attrs["nifti_space"]`` is ``"scanner"``,
        ``"aligned"``, ``"mni"`` …, as the image says. A label map knows its labels where dicomlab, Connectome Workbench or
        TotalSegmentator wrote their names into its header.

    Raises
    ------
    GeometryError
        The image does not say where its voxels are (neither sform nor qform), or its affine is no grid of image planes.
    UnsupportedError
        Values that make no volume.
    DicomLabError
        `labels` do not fit.

    Warns
    -----
    DicomLabWarning
        sform and qform differ by more than 0.01 mm (the sform is taken), or the image names no unit of length (mm are taken).

    Examples
    --------
    >>> import numpy as np
    >>> import nibabel
    >>> image = nibabel.Nifti1Image(np.zeros((4, 3, 2), np.int16), np.diag([-1.0, -1.0, 5.0, 1.0]))
    >>> image.header.set_xyzt_units("mm")
    >>> from_nibabel(image).dicom.spacing
    (5.0, 1.0, 1.0)
    """
    if not hasattr(image, "affine") or not hasattr(image, "dataobj"):
        raise DicomLabError(
            f"an image of nibabel was asked for; found {type(image).__name__}. load_nifti reads a file."
        )
    shape = tuple(int(n) for n in image.shape)
    if not shape or min(shape) < 1:
        raise DicomLabError(f"this image has no voxels; its shape is {shape}")
    affine, space = _place(image)
    values = _values(image)
    is_colour = values.dtype.names == RGB.names
    if values.dtype.names and not is_colour:
        raise UnsupportedError(
            f"this image has pixels of {', '.join(values.dtype.names)}; a volume has numbers, or colours of red, green and blue"
        )
    values = values.reshape(*values.shape, *(1,) * (3 - values.ndim)).T
    found = _further(image, values.shape[:-3])
    if labels is None:
        # Programs write trailing axes of one step that mean nothing.
        kept = [k for k, axis in enumerate(found) if axis.size > 1 or axis.is_numbered]
        found, values = (
            [found[k] for k in kept],
            values.reshape([*(found[k].size for k in kept), *values.shape[-3:]]),
        )
    if is_colour:
        values = np.stack([values[channel] for channel in RGB.names or ()], axis=-1)
    told = [] if is_colour else read_labels(image)
    if like is not None and (told or names is not None):
        # Labels are in no unit, and are called by their own names.
        frame_of_reference, like = frame_of_reference or Geometry.from_volume(like).frame_of_reference, None
    volume = volume_of(
        values,
        lps_to_ras(affine),
        found=found,
        labels=labels,
        last="sample" if is_colour else None,
        frame_of_reference=frame_of_reference,
        units=units,
        name=name,
        like=like,
        attrs={SPACE: space} if space else {},
    )
    return from_file(volume, told, names)


def _place(image: Any) -> tuple[FloatArray, str]:
    """Affine in mm from (column, row, slice) to RAS, and the space that it leads to, ``""`` where nothing is said."""
    header = image.header
    if not hasattr(header, "get_sform"):
        if image.affine is None or isinstance(image, nibabel().AnalyzeImage):
            # Of an ANALYZE image nibabel makes up the place: its middle at 0.
            raise GeometryError(f"this {type(image).__name__} does not say where its voxels are")
        return np.asarray(image.affine, np.float64), ""
    codes = int(header["sform_code"]), int(header["qform_code"])
    if image.affine is None or max(codes) <= 0:
        raise GeometryError(
            "this NIfTI does not say where its voxels are: neither sform nor qform is set. If you know their affine, "
            "make_volume(image.get_fdata().T, affine=…) places them."
        )
    if not np.isfinite(image.affine).all():
        raise GeometryError(f"the affine of this NIfTI is not finite: {np.asarray(image.affine).tolist()}")
    scale = _mm(header)
    affine = _in_mm(image.affine, scale)
    if min(codes) > 0:
        try:
            apart = corner_shift(affine, _in_mm(header.get_qform(), scale), _three(image.shape))
        except Exception:  # nibabel says in many ways that a quaternion is none
            warn_user("the qform of this NIfTI cannot be read; the sform says where the voxels are")
        else:
            if not apart <= APART:
                warn_user(
                    f"sform and qform of this NIfTI place voxels up to {apart:.3g} mm apart; the sform is taken. Programs that "
                    "take the qform see them elsewhere."
                )
    return affine, _space_name(codes[0] if codes[0] > 0 else codes[1])


def _in_mm(affine: npt.ArrayLike, scale: float) -> FloatArray:
    scaled = np.array(affine, dtype=np.float64)
    scaled[:3] *= scale
    return scaled


def _three(shape: tuple[int, ...]) -> tuple[int, ...]:
    return (*shape, 1, 1, 1)[:3]


def _space_name(code: int) -> str:
    try:
        return str(nibabel().nifti1.xform_codes.label[code])
    except KeyError:
        return ""


def _mm(header: Any) -> float:
    unit = _xyzt_units(header)[0]
    if unit not in _MM:
        warn_user("this NIfTI names no unit of length; its numbers are taken for mm")
    return _MM.get(unit, 1.0)


def _xyzt_units(header: Any) -> tuple[str, str]:
    try:
        space, time = header.get_xyzt_units()
    except KeyError:
        return "unknown", "unknown"
    return str(space), str(time)


def _further(image: Any, sizes: tuple[int, ...]) -> list[Further]:
    """Axes beyond the third, the last one first, as in the reversed array."""
    header = image.header
    found = [Further("frame" if k == 3 else f"dim{k + 1}", n) for k, n in enumerate(reversed(sizes), start=3)]
    unit = _xyzt_units(header)[1] if hasattr(header, "get_xyzt_units") else "unknown"
    if found and unit in _SECONDS:
        step, start = float(header["pixdim"][4]), float(header["toffset"])
        size = found[0].size
        if np.isfinite([step, start]).all() and (step > 0 or size == 1):
            seconds = _SECONDS[unit]
            start, step = (round(_single(number) * seconds, 12) for number in (start, step))
            found[0] = Further("time", size, start, step, "s")
    return found[::-1]


def _single(number: float) -> float:
    """The shortest decimal number that single precision cannot tell from this one."""
    return float(str(np.float32(number)))


def _values(image: Any) -> npt.NDArray[Any]:
    """Values in native byte order: slope and intercept applied, to whole numbers where both are whole."""
    data = image.dataobj
    if not nibabel().is_proxy(data) or not hasattr(data, "get_unscaled"):
        values = np.asanyarray(data)
    elif (data.slope, data.inter) == (1, 0):
        values = np.asanyarray(data.get_unscaled())
    else:
        raw, slope, inter = np.asanyarray(data.get_unscaled()), float(data.slope), float(data.inter)
        whole = _whole_type(raw.dtype, slope, inter)
        values = np.asanyarray(data) if whole is None else raw.astype(whole) * whole(slope) + whole(inter)
    return np.asarray(values.astype(values.dtype.newbyteorder("="), copy=False))


def _whole_type(dtype: np.dtype[Any], slope: float, inter: float) -> type[np.signedinteger[Any]] | None:
    """The first type of whole numbers that holds all that pixels of `dtype` can become; None where there is none."""
    if dtype.kind not in "iu" or not (slope.is_integer() and inter.is_integer()):
        return None
    limits = np.iinfo(dtype)
    ends = [int(slope) * int(end) + int(inter) for end in (limits.min, limits.max)]
    parts = [*ends, int(slope), int(inter), int(limits.min), int(limits.max)]
    for wanted in (np.int16, np.int32, np.int64):
        if np.iinfo(wanted).min <= min(parts) and max(parts) <= np.iinfo(wanted).max:
            return wanted
    return None


def load_nifti(
    path: str | os.PathLike[str],
    *,
    labels: Labels | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
    names: Names | None = None,
) -> xr.DataArray:
    """The volume of a NIfTI file, in memory.

    Parameters
    ----------
    path
        A file that ends with ``.nii`` or ``.nii.gz``, NIfTI-1 or NIfTI-2.
    labels, frame_of_reference, units, name, like, names
        As for `from_nibabel`.

    Returns
    -------
    xarray.DataArray
        See `from_nibabel`.

    Raises
    ------
    DicomLabError
        There is no such file, or it is no NIfTI, or damaged, or shorter than its header says; else as `from_nibabel`.

    Warns
    -----
    DicomLabWarning
        As `from_nibabel`.
    """
    package = nibabel()
    file = Path(path)
    if not file.name.lower().endswith(SUFFIXES):
        raise DicomLabError(f"a NIfTI file ends with {' or '.join(SUFFIXES)}, found {file.name!r}")
    if not file.is_file():
        raise DicomLabError(
            f"there is no file {str(file)!r}. Check the path; it is relative to {Path.cwd()}."
        )
    try:
        image = package.load(file, mmap=False)
        _check_length(image, file)
        _check_spacing(image, file)
    except DicomLabError:
        raise
    except Exception as problem:  # whatever a broken file makes nibabel, gzip and zlib raise
        raise DicomLabError(
            f"{file.name} cannot be read as NIfTI ({type(problem).__name__}: {problem})"
        ) from problem
    try:
        return from_nibabel(
            image,
            labels=labels,
            frame_of_reference=frame_of_reference,
            units=units,
            name=name,
            like=like,
            names=names,
        )
    except DicomLabError as problem:
        raise type(problem)(f"{file.name}: {problem}") from problem
    except (OSError, EOFError, ValueError, MemoryError, zlib.error) as problem:
        raise DicomLabError(
            f"the values in {file.name} cannot be read ({type(problem).__name__}: {problem}): the file is damaged or cut off"
        ) from problem


def _check_length(image: Any, file: Path) -> None:
    """A header may claim more than any file of this size can hold; nothing is made room for then."""
    shape = tuple(int(n) for n in image.shape)
    if not shape or min(shape) < 1:
        raise DicomLabError(
            f"{file.name}: its header says that the image has the shape {shape}, so no voxels"
        )
    first = int(image.dataobj.offset)
    if first < int(image.header["sizeof_hdr"]):
        raise DicomLabError(
            f"{file.name}: its header says that the values begin at byte {first} of the file, within the header itself"
        )
    claimed = int(np.prod(shape, dtype=object)) * image.get_data_dtype().itemsize
    size = file.stat().st_size
    # DEFLATE makes a byte of 1032 at most.
    room = size * 1032 if file.name.lower().endswith(".gz") else size - first
    if claimed > room:
        raise DicomLabError(
            f"{file.name} is cut off or its header is wrong: it speaks of {shape} voxels, {claimed} bytes; the file has {size}"
        )


def _check_spacing(image: Any, file: Path) -> None:
    """Where the sform is unset, the qform needs a spacing; nibabel would make 1 of a 0 and go on."""
    with nibabel().openers.ImageOpener(file) as stream:
        header = type(image).header_class.from_fileobj(stream, check=False)
    spacing = [float(step) for step in header["pixdim"][1:4]]
    if int(header["sform_code"]) <= 0 < int(header["qform_code"]) and not min(spacing) > 0:
        raise GeometryError(
            f"{file.name}: the spacing of its voxels is {spacing} mm, so nobody knows where they are"
        )
