"""SimpleITK: `to_sitk`, `from_sitk` (``pip install dicomlab[sitk]``).

ITK counts (column, row, slice) and points to LPS, as DICOM does. What it can hold, and what is refused: ``docs/exchange.md``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt
import xarray as xr

from dicomlab.bare import Bare, Further, Labels, volume_of
from dicomlab.errors import DicomLabError, GeometryError, UnsupportedError
from dicomlab.optional import optional

if TYPE_CHECKING:
    import SimpleITK as sitk

__all__ = ["from_sitk", "matrix_of", "to_sitk"]

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
    "complex64",
    "complex128",
)
_TILT = 0.1
"""Degrees up to which ITK's arithmetic with a direction that is taken to be orthonormal is right to a millionth."""


def _sitk() -> Any:
    return optional("SimpleITK", purpose="SimpleITK images", extra="sitk")


def to_sitk(volume: xr.DataArray) -> sitk.Image:
    """A `SimpleITK.Image` with every value and every position of a volume.

    Parameters
    ----------
    volume
        Dims slice, row, column, at most one other, and ``sample`` in colour.

    Returns
    -------
    SimpleITK.Image
        Index order (column, row, slice), LPS mm. A further axis is the fourth of a 4-D image, with its first number as origin
        and its step as spacing (0 and 1 where it has none). Colour is a vector of three. The dtype is kept, but bool becomes
        uint8 and float16 float32.

    Raises
    ------
    GeometryError
        Uneven slices (``.dicom.regularize()`` mends them); a tilted gantry (``.dicom.rectify()``): ITK keeps such a
        direction, and volumes, distances and gradients that it computes with it are wrong.
    UnsupportedError
        More axes, or values, than an image of SimpleITK has.
    DicomLabError
        Times that are no even series.

    Examples
    --------
    >>> import numpy as np
    >>> from dicomlab import make_volume
    >>> volume = make_volume(np.zeros((2, 3, 4), np.int16), affine=np.diag([5.0, 0.5, 0.5, 1.0])[[2, 1, 0, 3]])
    >>> to_sitk(volume).GetSpacing()
    (0.5, 0.5, 5.0)
    """
    package = _sitk()
    plain = Bare.of(volume, purpose="SimpleITK", dtypes=_DTYPES, tilt=_TILT)
    if len(plain.names) > 1:
        raise UnsupportedError(
            f"SimpleITK has no axes for {', '.join(plain.names)} together: pick a step of all but one "
            f"(volume.isel({plain.names[0]}=0))"
        )
    further = [Further.of(volume, name, purpose="SimpleITK") for name in plain.names]
    image: Any = package.GetImageFromArray(np.ascontiguousarray(plain.values), isVector=plain.is_colour)
    columns = plain.affine[:3, [2, 1, 0]]
    spacing = np.linalg.norm(columns, axis=0)
    whole = np.eye(3 + len(further))
    whole[:3, :3] = columns / spacing
    fourth = [(axis.start, axis.step or 1.0) if axis.is_numbered else (0.0, 1.0) for axis in further]
    image.SetSpacing([*spacing.tolist(), *(step for _, step in fourth)])
    image.SetOrigin([*plain.affine[:3, 3].tolist(), *(start for start, _ in fourth)])
    image.SetDirection(whole.ravel().tolist())
    return cast("sitk.Image", image)


def from_sitk(
    image: sitk.Image,
    *,
    labels: Labels | None = None,
    frame_of_reference: str | None = None,
    units: str | None = None,
    name: str | None = None,
    like: xr.DataArray | None = None,
) -> xr.DataArray:
    """The volume of a SimpleITK image, every voxel at its patient position.

    Parameters
    ----------
    image
        3-D or 4-D. Origin and direction are taken for LPS mm, as ITK means them.
    labels
        Of a 4-D image: name of the fourth axis and its labels, ``{"b_value": [0, 1000]}``, or None for the image's own
        numbers: ``{"time": None}``. An origin of 0 and a spacing of 1 are what ITK has where nobody set them, and count as
        none. Without `labels`, the axis is ``frame`` and has no numbers.
    frame_of_reference
        Frame of Reference UID. ITK knows none: without it, the volume shares its frame with no other. Give that of a volume
        (``ct.dicom.frame_of_reference``), or ``like=ct``, if you know that the image lies in it.
    units, name
        As for `make_volume`.
    like
        A volume that the image was made of: it gives what is not given here, its frame of reference, name and unit, and the
        windows that go with this unit.

    Returns
    -------
    xarray.DataArray
        Dims (…, slice, row, column); three 8-bit components are the colours of ``sample``, others the last dimension
        ``vector``. The values are a copy.

    Raises
    ------
    GeometryError
        The image has two dimensions, or no grid of image planes.
    UnsupportedError
        The image is a label map.
    DicomLabError
        It is none of SimpleITK, or `labels` do not fit.

    Examples
    --------
    >>> import SimpleITK as sitk
    >>> image = sitk.Image(4, 3, 2, sitk.sitkInt16)
    >>> image.SetSpacing([0.5, 0.5, 5.0])
    >>> from_sitk(image).dicom.spacing
    (5.0, 0.5, 0.5)
    """
    package = _sitk()
    if not isinstance(image, package.Image):
        raise DicomLabError(f"a SimpleITK.Image was asked for; found {type(image).__name__}")
    if image.GetPixelIDTypeAsString().startswith("label"):
        # Asked for its voxels, SimpleITK would end the whole process.
        raise UnsupportedError(
            "a label map of SimpleITK has no voxels; SimpleITK.Cast(image, SimpleITK.sitkUInt16) makes an image of it"
        )
    count = image.GetDimension()
    if count not in (3, 4):
        raise GeometryError(
            f"a volume comes from an image of 3 or 4 dimensions; this one has {count}. SimpleITK.JoinSeries makes one of "
            "slices."
        )
    spacing, origin = np.array(image.GetSpacing()), np.array(image.GetOrigin())
    direction = np.array(image.GetDirection()).reshape(count, count)
    if count == 4 and (np.any(direction[:3, 3]) or np.any(direction[3, :3]) or direction[3, 3] != 1):
        raise GeometryError(
            "the fourth axis of this image is turned into the others, so its voxels form no volume"
        )
    affine = np.eye(4)
    affine[:3, :3] = (direction[:3, :3] * spacing[:3])[:, ::-1]
    affine[:3, 3] = origin[:3]
    values = package.GetArrayFromImage(image)
    is_vector = image.GetNumberOfComponentsPerPixel() > 1
    last = None
    if is_vector:
        last = "sample" if values.shape[-1] == 3 and values.dtype == np.uint8 else "vector"
    found = []
    if count == 4:
        first, step = float(origin[3]), float(spacing[3])
        is_set = labels is not None and (first, step) != (0.0, 1.0)
        numbers = (first, step) if is_set else (0.0, float("nan"))
        found = [Further("frame", values.shape[0], *numbers, units="s" if "time" in (labels or {}) else "")]
    return volume_of(
        values,
        affine,
        found=found,
        labels=labels,
        last=last,
        frame_of_reference=frame_of_reference,
        units=units,
        name=name,
        like=like,
    )


def matrix_of(transform: sitk.Transform) -> npt.NDArray[np.float64]:
    """The 4x4 matrix that brings points of the moving image into the fixed one, as ``volume.dicom.transform`` wants it.

    SimpleITK's transforms map points of the fixed image to the moving one; this is the inverse.

    Parameters
    ----------
    transform
        What a registration of SimpleITK found, in three dimensions: rigid, affine, or several of these in a row.

    Returns
    -------
    numpy.ndarray
        Shape ``(4, 4)``, LPS mm of the moving image to LPS mm of the fixed one.

    Raises
    ------
    DicomLabError
        It is no transform of SimpleITK, or has not three dimensions.
    GeometryError
        It bends (a B-spline, a displacement field), so that no matrix is it, or has no inverse.

    Examples
    --------
    >>> import SimpleITK as sitk
    >>> matrix_of(sitk.TranslationTransform(3, (0.0, 0.0, 7.5)))[2]
    array([ 0. ,  0. ,  1. , -7.5])
    """
    package = _sitk()
    if not isinstance(transform, package.Transform):
        raise DicomLabError(f"a SimpleITK.Transform was asked for; found {type(transform).__name__}")
    if transform.GetDimension() != 3:
        raise DicomLabError(
            f"a transform of 3 dimensions was asked for; this one has {transform.GetDimension()}"
        )
    if not transform.IsLinear():
        raise GeometryError(
            f"{transform.GetName()} bends: no matrix is it. Resample with SimpleITK instead, "
            "sitk.Resample(moving, fixed, transform), and bring the result back by from_sitk(…, like=…)."
        )
    # Linear, so four points say all; some distance apart, that rounding is far below what they move.
    ends = 1000.0 * np.vstack([np.zeros(3), np.eye(3)])
    moved = np.array([transform.TransformPoint(end.tolist()) for end in ends])
    forward = np.eye(4)
    forward[:3, :3] = ((moved[1:] - moved[0]) / 1000.0).T
    forward[:3, 3] = moved[0]
    if not np.isfinite(forward).all() or abs(np.linalg.det(forward[:3, :3])) < 1e-9:
        raise GeometryError(f"this {transform.GetName()} has no inverse")
    return np.asarray(np.linalg.inv(forward), dtype=np.float64) + 0.0
