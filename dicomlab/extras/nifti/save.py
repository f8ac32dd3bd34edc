"""From a volume to NIfTI: `to_nibabel`, `save_nifti`."""

from __future__ import annotations

import os
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.affine import lps_to_ras
from dicomlab.bare import Bare, Further, corner_shift
from dicomlab.errors import DicomLabError, UnsupportedError
from dicomlab.extras.nifti.labels import snap_table, write_labels
from dicomlab.extras.nifti.standard import APART, RGB, SPACE, SUFFIXES, nibabel
from dicomlab.masks.exchange import to_file
from dicomlab.writing import written

if TYPE_CHECKING:
    import nibabel as nib

__all__ = ["save_nifti", "to_nibabel"]

_DTYPES = (
    "uint8",
    "int16",
    "int32",
    "float32",
    "float64",
    "int8",
    "uint16",
    "uint32",
    "int64",
    "uint64",
    "complex64",
    "complex128",
)
_MOST_AXES = 7
_LONGEST = 32767


def to_nibabel(volume: xr.DataArray) -> nib.nifti1.Nifti1Image:
    """A `nibabel.Nifti1Image` with every value and every position of a volume.

    Parameters
    ----------
    volume
        Dims slice, row, column, at most four others, and ``sample`` (uint8) in colour. Time becomes the fourth axis.

    Returns
    -------
    nibabel.nifti1.Nifti1Image
        Axes (column, row, slice, time, …), RAS mm. The sform holds the affine, sheared where the gantry was tilted; the qform
        holds it too where its numbers place every voxel within 0.01 mm, else it is unset. Both say *scanner*, or *aligned*
        where the volume has no Frame of Reference UID, or what a NIfTI said that it comes from. Values are as they are: no
        slope, and not copied where their type stays. bool becomes uint8, float16 float32, int64 int32 where that fits. Masks
        become label maps; names and colours of labels are in a table in the header, as TotalSegmentator writes it, their codes
        in a comment.

    Raises
    ------
    GeometryError
        There is no one affine (uneven slices: ``.dicom.regularize()`` mends them), or no place in the patient.
    UnsupportedError
        Values, colours or axes that NIfTI does not hold; a mask with labels that overlap.
    DicomLabError
        Times that are no even series.

    Warns
    -----
    DicomLabWarning
        Labels of a further axis are left out, for NIfTI has no place for them.

    References
    ----------
    The NIfTI-1 standard, nifti1.h: "3D image (volume) orientation and location in space".

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.diag([5.0, 0.5, 0.5, 1.0])[[2, 1, 0, 3]])
    >>> image = to_nibabel(volume)
    >>> image.shape, image.affine.diagonal().tolist()
    ((4, 3, 2), [-0.5, -0.5, 5.0, 1.0])
    """
    package = nibabel()
    volume, labels = to_file(volume)
    plain = Bare.of(volume, purpose="NIfTI", dtypes=_DTYPES)
    values = _array(plain)
    if values.ndim > _MOST_AXES or max(values.shape) > _LONGEST:
        raise UnsupportedError(
            f"NIfTI has at most {_MOST_AXES} axes of at most {_LONGEST} steps; this volume has {dict(volume.sizes)}. Pick a "
            "part of it (isel)."
        )
    affine = lps_to_ras(plain.affine)
    image: Any = package.Nifti1Image(values, affine, dtype=values.dtype)
    header = image.header
    further = [Further.of(volume, name, purpose="NIfTI", only_time=True) for name in plain.names]
    time = further[-1] if further and further[-1].name == "time" else None
    is_timed = time is not None and time.is_numbered
    header.set_xyzt_units("mm", "sec" if is_timed else "unknown")
    if time is not None and is_timed:
        header["pixdim"][4] = time.step
        header["toffset"] = time.start
    if plain.units:
        header["descrip"] = f"values in {plain.units}".encode("ascii", "replace")[:79]
    code = _space_code(volume, plain)
    image.set_sform(affine, code=code, update_affine=False)
    header.set_qform(affine, code=code, strip_shears=True)
    if corner_shift(header.get_qform(), affine, values.shape[:3]) > APART:
        # Its quaternion knows no shear, and its single precision blurs some rotations.
        header["qform_code"] = 0
    if labels:
        write_labels(image, labels)
    return cast("nib.nifti1.Nifti1Image", image)


def _array(plain: Bare) -> npt.NDArray[Any]:
    """Values in the order of NIfTI, and in a type that it has."""
    values = plain.values
    if plain.is_colour:
        if values.dtype != np.uint8:
            raise UnsupportedError(
                f"NIfTI has colours of 8 bits; the samples of this volume are {values.dtype}"
            )
        return np.ascontiguousarray(values).view(RGB)[..., 0].T
    if values.dtype in (np.int64, np.uint64):
        # Few readers know 64-bit integers; mostly they are labels that need no 64 bits.
        limits = np.iinfo(np.int32)
        if limits.min <= values.min() and values.max() <= limits.max:
            values = values.astype(np.int32)
    return values.T


def _space_code(volume: xr.DataArray, plain: Bare) -> int:
    codes = nibabel().nifti1.xform_codes
    said = str(volume.attrs.get(SPACE, ""))
    if said in codes.label.values() and codes.code[said] > 0:
        return int(codes.code[said])
    unknown = plain.geometry.frame_of_reference.startswith("unknown:")
    return int(codes.code["aligned" if unknown else "scanner"])


def save_nifti(
    volume: xr.DataArray,
    path: str | os.PathLike[str],
    *,
    overwrite: bool = False,
    label_file: str | os.PathLike[str] | None = None,
) -> None:
    """Write a volume to a NIfTI file; see `to_nibabel` for what is in it.

    Parameters
    ----------
    volume
        As for `to_nibabel`.
    path
        Ends with ``.nii`` or ``.nii.gz``. The file is there whole or not at all.
    overwrite
        Whether a file that is there already is replaced.
    label_file
        Where names and colours of the labels of a mask are written for ITK-SNAP, too; ends with ``.txt`` or ``.label``.

    Raises
    ------
    OverwriteError
        The file is there already.
    DicomLabError
        As `to_nibabel`; or the name does not end so, or the folder is not there; or `label_file` was asked of no mask.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.eye(4)[[2, 1, 0, 3]])
    >>> save_nifti(volume, tmp_path / "volume.nii.gz")
    >>> from dicomlab.extras.nifti import load_nifti
    >>> load_nifti(tmp_path / "volume.nii.gz").dicom.lps([1, 2, 3])
    array([3., 2., 1.])
    """
    with ExitStack() as files:
        part = files.enter_context(written(path, overwrite=overwrite, suffixes=SUFFIXES))
        if label_file is not None:
            labels = to_file(volume)[1]
            if not labels:
                raise DicomLabError(
                    "label_file= was asked of a volume whose numbers nobody named: volume.dicom.with_labels({1: 'liver'}) "
                    "says that they are labels"
                )
            table = files.enter_context(written(label_file, overwrite=overwrite, suffixes=(".txt", ".label")))
            table.write_text(snap_table(labels), encoding="utf-8")
        nibabel().save(to_nibabel(volume), part)
